/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/schema-json.h"

#include <stdio.h>

#include "model/fault-raw.h"
#include "model/other.h"

void vmt_schema_type(struct vmt_json *j, const char *type, bool nullable)
{
	vmt_json_key(j, "type");
	if (!nullable) {
		vmt_json_str(j, type);
		return;
	}
	vmt_json_array(j);
	vmt_json_str(j, type);
	vmt_json_str(j, "null");
	vmt_json_array_end(j);
}

void vmt_schema_text(struct vmt_json *j, const char *key, const char *value)
{
	vmt_json_key(j, key);
	vmt_json_str(j, value);
}

void vmt_schema_number(struct vmt_json *j, const char *key, uint64_t value)
{
	vmt_json_key(j, key);
	vmt_json_u64(j, value);
}

void vmt_schema_title(struct vmt_json *j, const char *name, int version)
{
	char title[64];

	vmt_schema_text(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	snprintf(title, sizeof(title), "vmtop.%s, version %d", name, version);
	vmt_schema_text(j, "title", title);
}

static void at_least_0(struct vmt_json *j)
{
	vmt_schema_number(j, "minimum", 0);
}

static void no_other_keys(struct vmt_json *j)
{
	vmt_json_key(j, "additionalProperties");
	vmt_json_bool(j, false);
}

void vmt_schema_ref(struct vmt_json *j, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "#/$defs/%s", name);
	vmt_schema_text(j, "$ref", path);
}

void vmt_schema_object(struct vmt_json *j, const char *help, bool nullable)
{
	if (help)
		vmt_schema_text(j, "description", help);
	vmt_schema_type(j, "object", nullable);
	vmt_json_key(j, "properties");
	vmt_json_object(j);
}

void vmt_schema_object_end(struct vmt_json *j, const char *const *keys, size_t n)
{
	size_t i;

	vmt_json_object_end(j);
	vmt_json_key(j, "required");
	vmt_json_array(j);
	for (i = 0; i < n; i++)
		vmt_json_str(j, keys[i]);
	vmt_json_array_end(j);
	no_other_keys(j);
}

void vmt_schema_plain(struct vmt_json *j, const char *key, const char *type, bool nullable,
		      const char *pattern, const char *help)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	vmt_schema_text(j, "description", help);
	vmt_schema_type(j, type, nullable);
	if (pattern)
		vmt_schema_text(j, "pattern", pattern);
	if (strcmp(type, "integer") == 0)
		at_least_0(j);
	vmt_json_object_end(j);
}

static void histogram(struct vmt_json *j, bool nullable, bool bytes)
{
	const char *const keys[] = { bytes ? "ge_bytes" : "ge_ns", bytes ? "le_bytes" : "le_ns",
				     "count" };

	vmt_schema_type(j, "array", nullable);
	vmt_schema_number(j, "maxItems", bytes ? VMT_FAULT_PARTS : VMT_FAULT_BUCKETS);
	vmt_json_key(j, "items");
	vmt_json_object(j);
	vmt_schema_object(j, "a bucket that is not empty", false);
	vmt_schema_plain(j, keys[0], "integer", false, NULL,
			 bytes ? "none lies before" : "none took less");
	vmt_schema_plain(j, keys[1], "integer", true, NULL,
			 bytes ? "none lies behind; null where the last has no end"
			       : "none took longer; null in the last bucket");
	vmt_schema_plain(j, "count", "integer", false, NULL, "what fell into it");
	vmt_schema_object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

/* What vmt_other_add() lets in. */
static void keys_of_kernel(struct vmt_json *j, unsigned how)
{
	vmt_schema_type(j, "object", how & VMT_SCHEMA_NULLABLE);
	if (!(how & VMT_SCHEMA_KEYLESS))
		vmt_schema_number(j, "minProperties", 1);
	vmt_json_key(j, "propertyNames");
	vmt_json_object(j);
	vmt_schema_text(j, "pattern", "^[A-Za-z0-9_][A-Za-z0-9_()./-]{0,63}$");
	vmt_json_object_end(j);
	vmt_schema_number(j, "maxProperties", VMT_OTHER_KEYS);
	vmt_json_key(j, "additionalProperties");
	vmt_json_object(j);
	vmt_json_key(j, "type");
	vmt_json_array(j);
	vmt_json_str(j, "integer");
	vmt_json_str(j, "string");
	vmt_json_array_end(j);
	at_least_0(j);
	vmt_json_object_end(j);
}

void vmt_schema_field(struct vmt_json *j, const struct vmt_field *f, unsigned how)
{
	bool nullable = how & VMT_SCHEMA_NULLABLE || f->flags & VMT_ENDLESS;
	char key[80];

	vmt_json_key(j, f->name);
	vmt_json_object(j);
	vmt_schema_text(j, "description", f->help);
	switch (f->type) {
	case VMT_TYPE_U64:
		vmt_schema_type(j, f->unit == VMT_UNIT_MILLI ? "number" : "integer", nullable);
		at_least_0(j);
		break;
	case VMT_TYPE_I64:
		vmt_schema_type(j, f->unit == VMT_UNIT_MILLI ? "number" : "integer", nullable);
		break;
	case VMT_TYPE_STR:
		vmt_schema_type(j, "string", nullable);
		break;
	case VMT_TYPE_HEX:
		vmt_schema_type(j, "string", nullable);
		vmt_schema_text(j, "pattern", VMT_SCHEMA_HEX);
		break;
	case VMT_TYPE_BOOL:
		vmt_schema_type(j, "boolean", nullable);
		break;
	case VMT_TYPE_HIST:
		histogram(j, nullable, f->unit == VMT_UNIT_BYTES);
		break;
	case VMT_TYPE_KEYS:
		keys_of_kernel(j, how);
		break;
	}
	vmt_json_object_end(j);
	if (f->type != VMT_TYPE_STR)
		return;
	snprintf(key, sizeof(key), "%s_b64", f->name);
	vmt_json_key(j, key);
	vmt_json_object(j);
	vmt_schema_text(j, "description", "the bytes in base64, where they are no UTF-8");
	vmt_schema_type(j, "string", false);
	vmt_schema_text(j, "contentEncoding", "base64");
	vmt_schema_text(j, "pattern", "^[A-Za-z0-9+/]+={0,2}$");
	vmt_json_object_end(j);
}

static bool in_group(const struct vmt_field *f, const char *group)
{
	return f->group && strcmp(f->group, group) == 0;
}

bool vmt_schema_begins_group(const struct vmt_entity *e, size_t i)
{
	size_t k;

	if (!e->fields[i].group)
		return false;
	for (k = 0; k < i; k++)
		if (in_group(&e->fields[k], e->fields[i].group))
			return false;
	return true;
}

void vmt_schema_group(struct vmt_json *j, const struct vmt_entity *e, const char *name)
{
	const char *keys[VMT_ROW_WORDS * 64];
	size_t i, n = 0;

	vmt_json_key(j, name);
	vmt_json_object(j);
	vmt_schema_object(j, NULL, false);
	for (i = 0; i < e->n_fields; i++) {
		if (!in_group(&e->fields[i], name))
			continue;
		vmt_schema_field(j, &e->fields[i], VMT_SCHEMA_NULLABLE);
		keys[n++] = e->fields[i].name;
	}
	vmt_schema_object_end(j, keys, n);
	vmt_json_object_end(j);
}

void vmt_schema_const(struct vmt_json *j, const char *key, const char *help)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	vmt_schema_text(j, "description", help);
	vmt_json_key(j, "const");
}

void vmt_schema_list(struct vmt_json *j, const char *definition, const char *help, uint64_t least)
{
	vmt_schema_text(j, "description", help);
	vmt_schema_type(j, "array", false);
	if (least)
		vmt_schema_number(j, "minItems", least);
	vmt_json_key(j, "items");
	vmt_json_object(j);
	vmt_schema_ref(j, definition);
	vmt_json_object_end(j);
}

void vmt_schema_rows(struct vmt_json *j, const char *key, const char *definition, const char *help,
		     uint64_t least)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	vmt_schema_list(j, definition, help, least);
	vmt_json_object_end(j);
}

void vmt_schema_scan(struct vmt_json *j)
{
	static const char *const keys[] = {
		"procs_seen", "vanished", "denied", "timed_out", "errors_dropped",
	};

	vmt_json_key(j, "scan");
	vmt_json_object(j);
	vmt_schema_object(j, "how the walk over processes went", false);
	vmt_schema_plain(j, "procs_seen", "integer", false, NULL, "processes that were met");
	vmt_schema_plain(j, "vanished", "integer", false, NULL, "processes that ended meanwhile");
	vmt_schema_plain(j, "denied", "integer", false, NULL,
			 "processes with something not permitted");
	vmt_schema_plain(j, "timed_out", "integer", false, NULL,
			 "processes that did not answer in time");
	vmt_schema_plain(j, "errors_dropped", "integer", false, NULL,
			 "errors that the list has no room for");
	vmt_schema_object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}
