/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"
#include "model/filter.h"

/*
 * A table of rows of one entity, as every screen with rows has it: columns that go by priority
 * where the terminal is narrow, a selection that stays with its row while rows come and go, search,
 * filter, order, and columns of the user's choice. Rows belong to the model.
 *
 * Nothing is selected by the user at first: then the first row is, whichever that is. Without
 * follow the lines that are shown stay where they are and the selected row may leave them; with
 * it the lines move so that it stays where it is on the screen.
 */
struct vmt_table;
struct vmt_figure;

/* Of columns that have no field: pictures, which draw alone knows. */
#define VMT_TABLE_PICTURE (~0u)

struct vmt_table_column {
	unsigned field; /* by its index, VMT_FIELD_proc_pid; or VMT_TABLE_PICTURE */
	const char *title; /* NULL: the field's */
	const char *wide_title; /* the same on wide terminals; NULL: no other */
	unsigned
		width; /* columns, without the blank before it; 0: takes what is left (one alone) */
	unsigned least; /* of that one */
	unsigned wide; /* either of them on wide terminals; 0: no other */
	unsigned priority; /* 0: always there; the others go from the largest down */
	enum vmt_fit fit;
	/* Draws the cell; NULL: the value as vmt_ui_value() has it. Where there is a field, the
	 * table says that its value stands there. */
	void (*draw)(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		     unsigned width, enum vmt_style style, const void *row);
	/* Of a picture that rows can be sorted by: false where it is not known. */
	bool (*number)(const struct vmt_ui *ui, const void *row, uint64_t *ret);
	/* Of a picture: what it shows. */
	const struct vmt_figure *figure;
	bool off; /* not among the first columns, but there to be chosen */
	unsigned gap; /* blanks before it beyond the one that all have */
	unsigned wide_gap; /* and more of them on wide terminals */
};

struct vmt_table_word {
	const char *word;
	unsigned field;
};

struct vmt_table_def {
	const struct vmt_entity *entity;
	const struct vmt_table_column *columns;
	size_t n_columns;
	const char *sort; /* order at first, as for -s; NULL: that of the source */
	/* Fields, by their index, that say which row it is: two rows are one where these are. */
	const unsigned *identity;
	size_t n_identity;
	/* Words before a colon in filters and what they ask: "pid" PID, "file" MAPPING. */
	const struct vmt_table_word *words;
	size_t n_words;
	/* Whether rows make a tree: the field that names a row, and the one that names the row
	 * above it; both are numbers. */
	bool tree;
	unsigned tree_id, tree_above;
	/* On narrower areas the first column begins at the edge, and the mark of the selected row
	 * stands before the last column. */
	unsigned edge_below;
	unsigned wide_from; /* columns of a wide terminal; 0: VMT_WIDE */
};

/* *ret selects the first row and is sorted by def->sort. 0, -ENOMEM, -EINVAL for def->sort. */
int vmt_table_new(const struct vmt_table_def *def, struct vmt_table **ret);
void vmt_table_free(struct vmt_table *t);
/* The rows of a new model: n of them, one behind the other. 0 or -ENOMEM, which leaves none. */
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
/* The i-th of those, in their order. */
const void *vmt_table_row(const struct vmt_table *t, size_t i);
size_t vmt_table_total(const struct vmt_table *t);
/* "filter: none   sort: RSS v" and "1-18 of 416", for the line above the table. */
void vmt_table_state(const struct vmt_table *t, struct vmt_buf *ret_state,
		     struct vmt_buf *ret_range);

/*
 * The row from which on text is found, the selected one first, is selected; false where none has
 * it. Case does not matter in ASCII. An empty text ends the search.
 */
bool vmt_table_search(struct vmt_ui *ui, struct vmt_table *t, const char *text);
const char *vmt_table_search_text(const struct vmt_table *t); /* "" for none */
/* Only rows that pass are shown; text as row-filter.h has it, "" for all. -EINVAL with the reason
 * in err, -ENOMEM: the filter is as before. */
int vmt_table_filter(struct vmt_ui *ui, struct vmt_table *t, const char *text, struct vmt_err *err);
const char *vmt_table_filter_text(const struct vmt_table *t); /* "" for none */
/* An order as -s has it. -EINVAL with the unknown name in err, -ENOMEM. */
int vmt_table_sort(struct vmt_ui *ui, struct vmt_table *t, const char *spec, struct vmt_err *err);
/* "-RSS", for a configuration and for menus; "" for the order of the source. */
void vmt_table_sort_text(const struct vmt_table *t, struct vmt_buf *out);

/* Columns of the user's choice: those of the def, and all other fields of its entity. */
size_t vmt_table_choices(const struct vmt_table *t);
struct vmt_table_choice {
	const char *title;
	const struct vmt_field *field; /* or NULL */
	bool sorts; /* rows can be sorted by it */
	bool on;
	bool sorted; /* by this one first */
};
struct vmt_table_choice vmt_table_choice(const struct vmt_table *t, size_t i);
void vmt_table_choose(struct vmt_table *t, size_t i, bool on);
/* Those of the def again. */
void vmt_table_choose_default(struct vmt_table *t);
/* Sorts by a choice that sorts; where it is sorted by that already, the other way round. */
int vmt_table_sort_choice(struct vmt_ui *ui, struct vmt_table *t, size_t i);
/* Names of their fields with commas between, of pictures their titles, in the order in which they
 * are drawn; and back, -EINVAL with the unknown one in err. As with -o, a field may be called by
 * its title, and "+" before all adds. */
void vmt_table_columns_text(const struct vmt_table *t, struct vmt_buf *out);
int vmt_table_columns(struct vmt_table *t, const char *text, struct vmt_err *err);
/* The width of a picture in place of that of the def, and before others it has its place; 0: as the
 * def says. */
void vmt_table_picture_width(struct vmt_table *t, const char *title, unsigned width);
/* Adds the fields that are drawn (as far as that was drawn already), sorted by and filtered by. */
void vmt_table_want(const struct vmt_table *t, struct vmt_want *w);

/*
 * A value in at most width columns (0: as many as it takes), as the screens have them: "76.0M",
 * "+137K", "652", "5.9"; "-" where it is unknown, or a text that is empty. Sizes are in the unit
 * that key u chose, and with a letter where they do not fit in that one. Text is made harmless
 * and not cut.
 */
void vmt_ui_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_field *f,
		  const void *row, unsigned width);
/* Thousandths, such as a rate, in at most width columns (0: as many as it takes): "652", "5.9",
 * "0.04", "250k". What is there is never shown as nothing. */
void vmt_ui_milli(struct vmt_buf *out, uint64_t v, unsigned width);
/* Columns that any value of a size takes in that unit. */
unsigned vmt_ui_size_width(enum vmt_size_unit unit);
