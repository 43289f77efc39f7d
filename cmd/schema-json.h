/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "model/field.h"

/*
 * JSON Schema (draft 2020-12) of what is made from the tables of fields: documents (cmd-schema.c)
 * and the lines of recordings (schema-recording.c). Each function writes members of an object that
 * is open; whether there was memory is remembered by the writer.
 */

/* One line of a recording, as the name of a schema. */
#define VMT_SCHEMA_RECORDING "recording"
/* Its schema, whole. */
void vmt_schema_recording(struct vmt_json *j);

#define VMT_SCHEMA_TIME	 "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"
#define VMT_SCHEMA_HEX	 "^0x(0|[1-9a-f][0-9a-f]{0,15})$"
#define VMT_SCHEMA_VMTOP "^[0-9]+\\.[0-9]+\\.[0-9]+"

/* "$schema" and "title" of a schema. */
void vmt_schema_title(struct vmt_json *j, const char *name, int version);
void vmt_schema_text(struct vmt_json *j, const char *key, const char *value);
void vmt_schema_number(struct vmt_json *j, const char *key, uint64_t value);
void vmt_schema_type(struct vmt_json *j, const char *type, bool nullable);
/* "$ref" to a definition. */
void vmt_schema_ref(struct vmt_json *j, const char *name);

/* Opens {"type": "object", "properties": {; what is in it, and vmt_schema_object_end(), follow.
 * help may be NULL. */
void vmt_schema_object(struct vmt_json *j, const char *help, bool nullable);
/* Closes the properties; the n keys are those that are always there. No others are allowed. */
void vmt_schema_object_end(struct vmt_json *j, const char *const *keys, size_t n);

/* A property that is no field: of the envelope. pattern may be NULL. */
void vmt_schema_plain(struct vmt_json *j, const char *key, const char *type, bool nullable,
		      const char *pattern, const char *help);
/* Opens a property of one value, which follows, and the end of the object. */
void vmt_schema_const(struct vmt_json *j, const char *key, const char *help);
/* A list of at least so many rows of one definition; the second one as a property. */
void vmt_schema_list(struct vmt_json *j, const char *definition, const char *help, uint64_t least);
void vmt_schema_rows(struct vmt_json *j, const char *key, const char *definition, const char *help,
		     uint64_t least);
/* "scan": how the walk over processes went. */
void vmt_schema_scan(struct vmt_json *j);

/* How a field may be written. */
enum vmt_schema_how {
	VMT_SCHEMA_STRICT = 0, /* null only where it is a limit that there is none of */
	VMT_SCHEMA_NULLABLE = 1 << 0, /* or where it is not known */
	VMT_SCHEMA_KEYLESS = 1 << 1, /* of type KEYS: also without a key */
};

/* A field as a property, with its companion in base64. how: enum vmt_schema_how. */
void vmt_schema_field(struct vmt_json *j, const struct vmt_field *f, unsigned how);
/* The fields of a group, all of which may be null, as a property. */
void vmt_schema_group(struct vmt_json *j, const struct vmt_entity *e, const char *name);
/* Whether field i is the first of its group; false where it is in none. */
bool vmt_schema_begins_group(const struct vmt_entity *e, size_t i);
