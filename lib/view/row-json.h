/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "view/columns.h"

/*
 * How rows with the same columns are written as JSON objects. What does not change from row to row,
 * the keys with all that stands between two values, is made once; a document can have a hundred
 * thousand rows of fifty fields. A field of type KEYS has no group and is written only where it is
 * unknown, as null, or where there are keys.
 */
struct vmt_row_json {
	struct vmt_row_json_item *items; /* one for each field, in the order of the document */
	size_t n;
	size_t n_always; /* the first of them; the others are not members of every row */
	struct vmt_buf text; /* what stands between the values */
	size_t size; /* bytes of a row but its strings and histograms, at most */
	unsigned indent;
	unsigned depth;
	uint64_t valid[VMT_ROW_WORDS]; /* bits of the fields that are members of every row */
	size_t after; /* of the text behind the last of these, in text */
	size_t after_len;
	size_t end; /* of the text behind the last value, in text */
	size_t end_len;
};

/*
 * Rows with the n fields, as members of an object at that depth of a document with that indent (of
 * struct vmt_json). members: only the members, for an object that the caller has begun and ends;
 * it has a member already. 0 or -ENOMEM; in both cases the caller calls vmt_row_json_done().
 */
int vmt_row_json_init(struct vmt_row_json *plan, const struct vmt_field *const *fields, size_t n,
		      unsigned indent, unsigned depth, bool members);
void vmt_row_json_done(struct vmt_row_json *plan);
/* Appends one row. Failing to get memory is remembered by out. */
void vmt_row_json_put(const struct vmt_row_json *plan, struct vmt_buf *out, const void *row);
