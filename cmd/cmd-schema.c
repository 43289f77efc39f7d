/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/json.h"
#include "cmd/commands.h"
#include "model/fault-raw.h"
#include "model/other.h"

/*
 * JSON Schema (draft 2020-12) of the documents that out-json.c writes, made from the tables that it
 * writes them from. A change of the envelope there is a change here; a test validates documents of
 * every command.
 *
 * The schema is as narrow as the promise of vmtop-json(5) lets it be for this version of vmtop:
 * every key is there but objects of keys that this version does not know, nothing else is, and
 * whatever may be unknown may be null.
 */
static void type_of(struct vmt_json *j, const char *type, bool nullable)
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

static void text(struct vmt_json *j, const char *key, const char *value)
{
	vmt_json_key(j, key);
	vmt_json_str(j, value);
}

static void at_least_0(struct vmt_json *j)
{
	vmt_json_key(j, "minimum");
	vmt_json_u64(j, 0);
}

static void no_other_keys(struct vmt_json *j)
{
	vmt_json_key(j, "additionalProperties");
	vmt_json_bool(j, false);
}

static void reference(struct vmt_json *j, const char *entity)
{
	char path[64];

	snprintf(path, sizeof(path), "#/$defs/%s", entity);
	text(j, "$ref", path);
}

/* Opens {"type": "object", "properties": {; what is in it, and object_end(), follow. */
static void object_begin(struct vmt_json *j, const char *help, bool nullable)
{
	if (help)
		text(j, "description", help);
	type_of(j, "object", nullable);
	vmt_json_key(j, "properties");
	vmt_json_object(j);
}

/* Closes the properties; the n keys are those that are always there. */
static void object_end(struct vmt_json *j, const char *const *keys, size_t n)
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

/* A property that is no field: of the envelope. */
static void plain(struct vmt_json *j, const char *key, const char *type, bool nullable,
		  const char *pattern, const char *help)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	text(j, "description", help);
	type_of(j, type, nullable);
	if (pattern)
		text(j, "pattern", pattern);
	if (strcmp(type, "integer") == 0)
		at_least_0(j);
	vmt_json_object_end(j);
}

static void histogram(struct vmt_json *j, bool bytes)
{
	const char *const keys[] = { bytes ? "ge_bytes" : "ge_ns", bytes ? "le_bytes" : "le_ns",
				     "count" };

	type_of(j, "array", true);
	vmt_json_key(j, "maxItems");
	vmt_json_u64(j, bytes ? VMT_FAULT_PARTS : VMT_FAULT_BUCKETS);
	vmt_json_key(j, "items");
	vmt_json_object(j);
	object_begin(j, "a bucket that is not empty", false);
	plain(j, keys[0], "integer", false, NULL, bytes ? "none lies before" : "none took less");
	plain(j, keys[1], "integer", true, NULL,
	      bytes ? "none lies behind; null where the last has no end"
		    : "none took longer; null in the last bucket");
	plain(j, "count", "integer", false, NULL, "what fell into it");
	object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

/* What vmt_other_add() lets in. */
static void keys_of_kernel(struct vmt_json *j)
{
	type_of(j, "object", true);
	vmt_json_key(j, "minProperties");
	vmt_json_u64(j, 1);
	vmt_json_key(j, "propertyNames");
	vmt_json_object(j);
	text(j, "pattern", "^[A-Za-z0-9_][A-Za-z0-9_()./-]{0,63}$");
	vmt_json_object_end(j);
	vmt_json_key(j, "maxProperties");
	vmt_json_u64(j, VMT_OTHER_KEYS);
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

static void field(struct vmt_json *j, const struct vmt_field *f)
{
	char key[80];

	vmt_json_key(j, f->name);
	vmt_json_object(j);
	text(j, "description", f->help);
	switch (f->type) {
	case VMT_TYPE_U64:
		type_of(j, f->unit == VMT_UNIT_MILLI ? "number" : "integer", true);
		at_least_0(j);
		break;
	case VMT_TYPE_I64:
		type_of(j, f->unit == VMT_UNIT_MILLI ? "number" : "integer", true);
		break;
	case VMT_TYPE_STR:
		type_of(j, "string", true);
		break;
	case VMT_TYPE_HEX:
		type_of(j, "string", true);
		text(j, "pattern", "^0x(0|[1-9a-f][0-9a-f]{0,15})$");
		break;
	case VMT_TYPE_BOOL:
		type_of(j, "boolean", true);
		break;
	case VMT_TYPE_HIST:
		histogram(j, f->unit == VMT_UNIT_BYTES);
		break;
	case VMT_TYPE_KEYS:
		keys_of_kernel(j);
		break;
	}
	vmt_json_object_end(j);
	if (f->type != VMT_TYPE_STR)
		return;
	snprintf(key, sizeof(key), "%s_b64", f->name);
	vmt_json_key(j, key);
	vmt_json_object(j);
	text(j, "description", "the bytes in base64, where they are no UTF-8");
	type_of(j, "string", false);
	text(j, "contentEncoding", "base64");
	text(j, "pattern", "^[A-Za-z0-9+/]+={0,2}$");
	vmt_json_object_end(j);
}

static bool in_group(const struct vmt_field *f, const char *group)
{
	return f->group && strcmp(f->group, group) == 0;
}

/* Whether field i is the first of its group. */
static bool first_of_group(const struct vmt_entity *e, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (in_group(&e->fields[k], e->fields[i].group))
			return false;
	return true;
}

static void group(struct vmt_json *j, const struct vmt_entity *e, const char *name)
{
	const char *keys[VMT_ROW_WORDS * 64];
	size_t i, n = 0;

	vmt_json_key(j, name);
	vmt_json_object(j);
	object_begin(j, NULL, false);
	for (i = 0; i < e->n_fields; i++) {
		if (!in_group(&e->fields[i], name))
			continue;
		field(j, &e->fields[i]);
		keys[n++] = e->fields[i].name;
	}
	object_end(j, keys, n);
	vmt_json_object_end(j);
}

/* The definition of a kind of row. */
static void entity(struct vmt_json *j, const struct vmt_entity *e)
{
	const char *keys[VMT_ROW_WORDS * 64];
	size_t i, n = 0;

	vmt_json_key(j, e->name);
	vmt_json_object(j);
	object_begin(j, e->help, false);
	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];

		if (!f->group) {
			field(j, f);
			/* There only where the kernel has such keys. */
			if (f->type != VMT_TYPE_KEYS)
				keys[n++] = f->name;
		} else if (first_of_group(e, i)) {
			group(j, e, f->group);
			keys[n++] = f->group;
		}
	}
	object_end(j, keys, n);
	vmt_json_object_end(j);
}

static void host(struct vmt_json *j)
{
	static const char *const keys[] = {
		"release", "machine", "page_size_bytes", "cpus", "root", "euid", "took_ns",
	};

	vmt_json_key(j, "host");
	vmt_json_object(j);
	object_begin(j, "the machine, and how it was looked at", false);
	plain(j, "release", "string", true, NULL, "release of the kernel, as uname -r");
	plain(j, "machine", "string", true, NULL, "architecture, as uname -m");
	plain(j, "page_size_bytes", "integer", true, NULL, "size of a base page");
	plain(j, "cpus", "integer", true, NULL, "processors online");
	plain(j, "root", "string", true, NULL, "directory of --root; null on a live machine");
	plain(j, "euid", "integer", true, NULL, "effective user id of vmtop");
	plain(j, "took_ns", "integer", true, NULL, "time that collecting took");
	object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

static void rows(struct vmt_json *j, const char *key, const struct vmt_entity *e, const char *help)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	text(j, "description", help);
	type_of(j, "array", false);
	vmt_json_key(j, "items");
	vmt_json_object(j);
	reference(j, e->name);
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}

/* A single row: an object, or null where there is nothing to put into it. */
static void row(struct vmt_json *j, const char *key, const struct vmt_entity *e, const char *help,
		bool nullable)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	text(j, "description", help);
	if (nullable) {
		vmt_json_key(j, "oneOf");
		vmt_json_array(j);
		vmt_json_object(j);
		reference(j, e->name);
		vmt_json_object_end(j);
		vmt_json_object(j);
		type_of(j, "null", false);
		vmt_json_object_end(j);
		vmt_json_array_end(j);
	} else {
		reference(j, e->name);
	}
	vmt_json_object_end(j);
}

static void data(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	const char *keys[VMT_SECTIONS_MAX];
	size_t i;

	vmt_json_key(j, "data");
	vmt_json_object(j);
	object_begin(j, "what the command has to say", false);
	for (i = 0; i < cmd->n_sections; i++) {
		const struct vmt_section_def *s = &cmd->sections[i];

		if (s->single)
			row(j, s->key, s->entity, s->help, true);
		else
			rows(j, s->key, s->entity, s->help);
		keys[i] = s->key;
	}
	object_end(j, keys, cmd->sections_optional ? 0 : cmd->n_sections - cmd->n_asked);
	vmt_json_object_end(j);
}

static void scan(struct vmt_json *j)
{
	static const char *const keys[] = {
		"procs_seen", "vanished", "denied", "timed_out", "errors_dropped",
	};

	vmt_json_key(j, "scan");
	vmt_json_object(j);
	object_begin(j, "how the walk over processes went", false);
	plain(j, "procs_seen", "integer", false, NULL, "processes that were met");
	plain(j, "vanished", "integer", false, NULL, "processes that ended meanwhile");
	plain(j, "denied", "integer", false, NULL, "processes with something not permitted");
	plain(j, "timed_out", "integer", false, NULL, "processes that did not answer in time");
	plain(j, "errors_dropped", "integer", false, NULL, "errors that the list has no room for");
	object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

static bool uses(const struct vmt_cmd *cmd, const struct vmt_entity *e)
{
	size_t i;

	if (e == &vmt_entity_finding || e == &vmt_entity_source || e == &vmt_entity_issue)
		return true;
	if (cmd->has_probes && (e == &vmt_entity_probe || e == &vmt_entity_rung))
		return true;
	for (i = 0; i < cmd->n_sections; i++)
		if (cmd->sections[i].entity == e)
			return true;
	return false;
}

/* "probes" and "rungs" come together, and only where probes ran. */
static void probes_together(struct vmt_json *j)
{
	vmt_json_key(j, "dependentRequired");
	vmt_json_object(j);
	vmt_json_key(j, "probes");
	vmt_json_array(j);
	vmt_json_str(j, "rungs");
	vmt_json_array_end(j);
	vmt_json_key(j, "rungs");
	vmt_json_array(j);
	vmt_json_str(j, "probes");
	vmt_json_array_end(j);
	vmt_json_object_end(j);
}

static void constant(struct vmt_json *j, const char *key, const char *help)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	text(j, "description", help);
	vmt_json_key(j, "const");
}

static void document(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	static const char *const keys[] = {
		"schema", "version", "vmtop", "time",	  "boot_id", "monotonic_ns",
		"host",	  "data",    "scan",  "findings", "sources", "errors",
	};
	char name[64];
	size_t i;

	snprintf(name, sizeof(name), "vmtop.%s", cmd->name);
	vmt_json_object(j);
	text(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	snprintf(name, sizeof(name), "vmtop.%s, version %d", cmd->name, VMT_DOC_VERSION);
	text(j, "title", name);
	object_begin(j, cmd->summary, false);
	constant(j, "schema", "kind of document");
	snprintf(name, sizeof(name), "vmtop.%s", cmd->name);
	vmt_json_str(j, name);
	vmt_json_object_end(j);
	constant(j, "version", "keys are only added while it stays");
	vmt_json_u64(j, VMT_DOC_VERSION);
	vmt_json_object_end(j);
	plain(j, "vmtop", "string", false, "^[0-9]+\\.[0-9]+\\.[0-9]+", "version of vmtop");
	plain(j, "time", "string", true,
	      "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$",
	      "when it was collected, in UTC");
	plain(j, "boot_id", "string", true, NULL, "the kernel's id of this boot");
	plain(j, "monotonic_ns", "integer", true, NULL, "CLOCK_MONOTONIC when it was collected");
	host(j);
	data(j, cmd);
	scan(j);
	if (cmd->has_probes) {
		row(j, "probes", &vmt_entity_probe, vmt_entity_probe.help, false);
		rows(j, "rungs", &vmt_entity_rung, "every hook and rung that was tried");
	}
	rows(j, "findings", &vmt_entity_finding, "what does not fit together");
	rows(j, "sources", &vmt_entity_source, "what was read, whether it could be, and its cost");
	rows(j, "errors", &vmt_entity_issue, "why values are unknown");
	object_end(j, keys, VMT_ARRAY_LEN(keys));
	if (cmd->has_probes)
		probes_together(j);
	vmt_json_key(j, "$defs");
	vmt_json_object(j);
	for (i = 0; vmt_entities[i]; i++)
		if (uses(cmd, vmt_entities[i]))
			entity(j, vmt_entities[i]);
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}

static int run(struct vmt_ctx *ctx)
{
	VMT_AUTO_BUF out = { 0 };
	const struct vmt_cmd *cmd;
	struct vmt_json j;
	size_t i;

	if (!ctx->n_operands) {
		for (i = 0; vmt_cmds[i]; i++)
			if (vmt_cmds[i]->n_sections)
				vmt_buf_addf(&out, "%s\n", vmt_cmds[i]->name);
		return vmt_print_text(ctx, &out);
	}
	cmd = vmt_cmd_find(ctx->operands[0]);
	if (!cmd || !cmd->n_sections) {
		VMT_AUTO_BUF word = { 0 };

		vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[0]), true);
		return vmt_usage_error(ctx, "no document '%.60s' ('vmtop schema' lists them)",
				       word.data ? word.data : "");
	}
	vmt_json_init(&j, &out, 2);
	document(&j, cmd);
	if (vmt_json_finish(&j) < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	vmt_buf_addc(&out, '\n');
	return vmt_print_text(ctx, &out);
}

const struct vmt_cmd vmt_cmd_schema = {
	.name = "schema",
	.summary = "JSON Schema of a command's document",
	.synopsis = "[NAME]",
	.groups = VMT_GROUP_BASE,
	.operands = "@schema",
	.max_operands = 1,
	.run = run,
};
