/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/sheet.h"

/* Numbers on a screen that are no field of a row: parts of others, sums, counts of rows. What there
 * is to say about one stands in a table, and what it is made of is asked when somebody asks. */

/* While one of them is explained. */
struct vmt_explanation {
	const struct vmt_ui *ui;
	const struct vmt_spot *spot;
	struct vmt_sheet *sheet;
	uint64_t sources; /* by enum vmt_source_id: of the terms so far */
};

struct vmt_figure {
	const char *title;
	const char *unit;
	const char *help; /* what it is, as that of a field */
	const char *formula; /* NULL: nothing is computed */
	/* Adds the value, all of it; nothing where it is not known. NULL: as it stands there. */
	void (*value)(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *spot);
	/* Adds the terms of the formula. NULL: there are none. */
	void (*terms)(struct vmt_explanation *e);
	enum vmt_source_id source; /* where no term has it; NONE: nothing is read for it */
};

/* A term that is a field of a row. */
void vmt_figure_field(struct vmt_explanation *e, const struct vmt_entity *entity, unsigned field,
		      const void *row);
/* Another one. */
void vmt_figure_term(struct vmt_explanation *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Draws text, made harmless as vmt_fmt_safe() does, and that it is the figure; the column behind
 * it.
 */
unsigned vmt_draw_figure(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const struct vmt_figure *figure, const void *row, size_t index,
			 const char *fmt, ...) __attribute__((format(printf, 8, 9)));

/* Of several screens: why something is missing, in words; which rows are shown; the text above a
 * table that says how they were chosen; the picture of the last samples; what
 * a full bar stands for; the heading of a column. */
extern const struct vmt_figure vmt_figure_reason, vmt_figure_range, vmt_figure_rows,
	vmt_figure_chosen, vmt_figure_history, vmt_figure_scale, vmt_figure_column;

/* explain.c */
void vmt_explain_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *spot);
void vmt_explain_source(const struct vmt_ui *ui, enum vmt_source_id id, const char *label,
			struct vmt_sheet *sheet);
void vmt_explain_age(const struct vmt_ui *ui, const struct vmt_spot *spot, struct vmt_sheet *sheet);
/* figure.c: what there is to say about a figure. */
void vmt_explain_figure(const struct vmt_ui *ui, const struct vmt_spot *spot,
			struct vmt_sheet *sheet);
