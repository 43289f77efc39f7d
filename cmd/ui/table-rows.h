/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/row-filter.h"

/* What the files of the table share: table.c has rows and keys, table-order.c their order,
 * table-draw.c the picture, table-columns.c the choice of columns. */

/* Columns to sort by at most: the one that was chosen, and those of the def behind it. */
#define VMT_TABLE_KEYS 4

struct vmt_table_key {
	const struct vmt_field *field; /* NULL: the picture, */
	const struct vmt_table_column *picture; /* which has a number() */
	bool descending;
};

/* A column that can be chosen. */
struct vmt_table_col {
	struct vmt_table_column column;
	const struct vmt_field *field; /* NULL for a picture */
	bool on, on_at_first;
	size_t at_first; /* its place where nobody chose another */
};

/* Where a column was drawn last. */
struct vmt_table_place {
	size_t col;
	unsigned x, width;
};

/* One row while rows are put in order. */
struct vmt_table_item {
	const void *row;
	uint64_t number; /* orders as the first key does, as far as 64 bits can */
	bool unknown;
};

/* How a row stands in a tree. */
struct vmt_table_limb {
	uint16_t depth;
	bool last; /* of those below the same row */
};

struct vmt_table {
	const struct vmt_table_def *def;
	struct vmt_table_col *cols; /* heap */
	size_t n_cols;
	size_t skip; /* columns behind the first that are scrolled out on the left */
	bool skip_end; /* the last column was drawn, there is nothing more on the right */
	struct vmt_table_key keys[VMT_TABLE_KEYS];
	size_t n_keys;
	bool tree;
	bool follow;
	char *needle; /* that was searched for; heap, or NULL */
	char *filter_text; /* heap, or NULL */
	struct vmt_row_filter *filter;

	const char *rows; /* the model's */
	size_t n_rows;
	uint64_t page_size;
	struct vmt_table_item *items, *spare; /* heap */
	size_t cap_items, cap_spare;
	const void **shown; /* heap: rows in the order in which they are shown */
	size_t n_shown, cap_shown;
	struct vmt_table_limb *limbs; /* heap: of shown, in a tree */
	size_t cap_limbs;
	struct vmt_buf scratch;

	bool pinned; /* the user has selected a row, identity is its */
	struct vmt_buf identity;
	size_t at; /* the selected row in shown */
	size_t first; /* the first line that is drawn */
	bool reveal; /* the selected row is to be on the screen */
	/* As drawn last. */
	struct vmt_area area;
	struct vmt_table_place *places; /* heap; room for n_cols */
	size_t n_places;
	size_t n_lines;
};

/* table-order.c */
/* The rows that pass the filter, in order, in t->shown. 0 or -ENOMEM, which leaves none. */
int vmt_table_arrange(const struct vmt_ui *ui, struct vmt_table *t);
int vmt_table_parse_sort(struct vmt_table *t, const char *spec, struct vmt_err *err);
/* Whether the rows can be sorted by a column, and whether they are, by this one first. */
bool vmt_table_can_sort(const struct vmt_table_col *col);
bool vmt_table_is_key(const struct vmt_table *t, const struct vmt_table_col *col);
/* By this column first, the largest or the smallest as one wants to see it, and then as the def
 * says. */
void vmt_table_set_key(struct vmt_table *t, const struct vmt_table_col *col);
/* Whether one wants to see the largest first. */
bool vmt_table_descends(const struct vmt_field *f);

/* table-columns.c */
int vmt_table_columns_init(struct vmt_table *t);
/* As it stands in the heading. */
const char *vmt_table_title(const struct vmt_table *t, const struct vmt_table_col *col);
/* Fills t->places for that width. */
void vmt_table_layout(struct vmt_table *t, const struct vmt_ui *ui, unsigned width);
/* Sorts by the column n places to the right of the one that it is sorted by. */
int vmt_table_sort_step(struct vmt_table *t, int n);

/* table.c */
/* After the order or the filter changed. */
int vmt_table_again(struct vmt_ui *ui, struct vmt_table *t);
/* Selects a row by its place in shown, and brings it onto the screen. */
void vmt_table_go(struct vmt_table *t, size_t at);
