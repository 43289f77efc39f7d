/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"
#include "model/filter.h"

/*
 * A table of rows of one entity, as every screen with rows has it: columns that go by priority
 * where the terminal is narrow, a selection that stays with its row while rows come and go, search,
 * filter, order, and columns of the user's choice. Rows belong to the model.
 */
struct vmt_table;

struct vmt_table_column {
	const struct vmt_field *field; /* NULL: pictures, which draw alone knows */
	const char *title; /* NULL: the field's */
	unsigned width; /* columns, without the blank before it; 0: takes what is left (one alone) */
	unsigned least; /* of that one */
	unsigned priority; /* 0: always there; the others go from the largest down */
	enum vmt_fit fit;
	/* Draws the cell; NULL: the value as vmt_ui_value() has it. */
	void (*draw)(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		     unsigned width, enum vmt_style style, const void *row);
};

struct vmt_table_def {
	const struct vmt_entity *entity;
	const struct vmt_table_column *columns;
	size_t n_columns;
	const char *sort; /* order at first, as for -s */
	/* Fields, by their index, that say which row it is: two rows are one where these are. */
	const unsigned *identity;
	size_t n_identity;
	/* Words before a colon in filters and what they ask: "pid" PID, "file" MAPPING. */
	const struct {
		const char *word;
		unsigned field;
	} *words;
	size_t n_words;
};

int vmt_table_new(const struct vmt_table_def *def, struct vmt_table **ret);
void vmt_table_free(struct vmt_table *t);
/* The rows of a new model: n of them, one behind the other. 0 or -ENOMEM. */
int vmt_table_rows(struct vmt_ui *ui, struct vmt_table *t, const void *rows, size_t n);
/* Heading and rows. */
void vmt_table_draw(struct vmt_ui *ui, struct vmt_table *t, struct vmt_canvas *c,
		    struct vmt_area area);
/* Moving, searching, sorting, ...; *done_ret false for what tables do not know. */
enum vmt_ui_act vmt_table_action(struct vmt_ui *ui, struct vmt_table *t, enum vmt_action action,
				 bool *done_ret);
/* A click on its heading or rows, or the wheel. */
enum vmt_ui_act vmt_table_mouse(struct vmt_ui *ui, struct vmt_table *t,
				const struct vmt_ui_event *event, bool *done_ret);
/* NULL where there is no row. */
const void *vmt_table_selected(const struct vmt_table *t);
/* Selects the row with the identity of row, where it is there. */
void vmt_table_select(struct vmt_table *t, const void *row);
/* The rows that were drawn last: the first of the visible ones, and how many; in their order. */
const void *const *vmt_table_visible(const struct vmt_table *t, size_t *ret_n);
size_t vmt_table_shown(const struct vmt_table *t); /* rows that pass the filter */
size_t vmt_table_total(const struct vmt_table *t);
/* "filter: none   sort: RSS v" and "1-18 of 416", for the line above the table. */
void vmt_table_state(const struct vmt_table *t, struct vmt_buf *ret_state, struct vmt_buf *ret_range);

/*
 * A value in at most width columns, as the screens have them: "76.0M", "+137K", "652", "5.9"; "-"
 * where it is unknown. unit is for sizes.
 */
void vmt_ui_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_field *f,
		  const void *row, unsigned width);
