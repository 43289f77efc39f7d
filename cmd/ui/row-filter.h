/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/table.h"

/*
 * Which rows of a table are shown, as one types it. Terms have blanks between them, and a row has
 * to meet all of them; case does not matter in ASCII.
 *
 *   text        one of the row's texts contains it; "two words" in quotes
 *   word:text   that text contains it, that number is one of a list with commas: pid:1,42 user:root
 *   ~regex      one of the texts matches the rest of the line (POSIX extended)
 *   =expression the whole line: an expression of model/filter.h, =rss>100M && comm~^post
 */
struct vmt_row_filter;

/* The words and texts are those of def. -EINVAL with the reason in err, -E2BIG, -ENOMEM. */
int vmt_row_filter_parse(struct vmt_row_filter **ret, const struct vmt_table_def *def,
			 const char *text, struct vmt_err *err);
void vmt_row_filter_free(struct vmt_row_filter *f);

static inline void vmt_row_filter_freep(struct vmt_row_filter **f)
{
	vmt_row_filter_free(*f);
}
#define VMT_AUTO_ROW_FILTER VMT_CLEANUP(vmt_row_filter_freep) struct vmt_row_filter *

/* page_size in bytes, for an expression with values in pages. */
bool vmt_row_filter_test(const struct vmt_row_filter *f, const void *row, uint64_t page_size);
/* Adds the fields that it asks. */
void vmt_row_filter_want(const struct vmt_row_filter *f, struct vmt_want *w);

/* The field of a column, NULL for a picture. */
static inline const struct vmt_field *vmt_table_field(const struct vmt_table_def *def, size_t i)
{
	unsigned f = def->columns[i].field;

	return f < def->entity->n_fields ? &def->entity->fields[f] : NULL;
}

/* Whether text contains part, without regard to case in ASCII. */
bool vmt_bytes_contains(struct vmt_bytes text, struct vmt_bytes part);
/* Whether a row has text in one of its texts or labels of def, as a search finds it: anywhere in
 * texts, at the beginning of numbers. */
bool vmt_row_found(const struct vmt_table_def *def, const void *row, struct vmt_bytes text);
