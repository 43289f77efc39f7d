/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/field.h"

/*
 * Rows out of JSON objects: the inverse of view/row-json.h, by the same tables of fields. Who reads
 * what vmtop has written, a document or a recording, reads it here, and with json-c.
 */
struct json_object;

/* Levels of objects and arrays in each other; what vmtop writes has eight of them. */
#define VMT_JSON_DEPTH 32
/* Bytes of a text that is parsed as a whole, a line of a stream among them. */
#define VMT_JSON_TEXT_MAX ((size_t)16 << 20)
/* What may be in such a text: a process or a mapping that vmtop writes takes hundreds of bytes of
 * it, and a member a dozen. A hundred MiB, once they are parsed. */
#define VMT_JSON_OBJECTS_MAX ((size_t)1 << 16)
#define VMT_JSON_VALUES_MAX  ((size_t)1 << 20)

/* Whether vmt_json_parse() takes as much: 0, or -E2BIG with err. Needs no json-c. */
int vmt_json_fits(struct vmt_bytes text, struct vmt_err *err);

/*
 * Parses one JSON value (RFC 8259) of at most VMT_JSON_TEXT_MAX bytes, blanks around it allowed and
 * nothing else, and a whole number has to fit into 64 bits. The caller
 * releases *ret by json_object_put(); null gives NULL. 0, -EINVAL, -E2BIG or -ENOMEM; err says at
 * which byte.
 */
int vmt_json_parse(struct vmt_bytes text, struct json_object **ret, struct vmt_err *err);

/*
 * Fills row, zeroed and of entity's size, from the members of o, which vmt_json_parse() made.
 *
 * A member that is missing or null leaves its field unknown. Members that are no field of the
 * entity are skipped, and counted in *unknown_keys (which may be NULL). A field whose value has
 * another type, does not fit, or is written in a way in which vmtop writes none is -EINVAL, and err
 * names it. Of a text that was no UTF-8 the bytes of NAME_b64 count. A limit that is named by the
 * field "unlimited" beside it is none (UINT64_MAX). Texts and histograms lie in a. -ENOMEM.
 */
int vmt_row_parse(const struct vmt_entity *e, struct json_object *o, struct vmt_arena *a, void *row,
		  uint64_t *unknown_keys, struct vmt_err *err);

/*
 * For rows that were written with all their fields: a field of type KEYS is written only where it
 * is unknown, as null, or where there are keys. One that is no member of o has none, and is known.
 */
void vmt_row_no_keys(const struct vmt_entity *e, struct json_object *o, void *row);
