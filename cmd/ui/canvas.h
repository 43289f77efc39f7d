/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "cmd/ui/style.h"
#include "model/field.h"

/*
 * A screen as a grid of cells in memory. Everything that is shown is drawn here, and from here goes
 * to a terminal or into text, so that both are the same to the cell. Positions are lines and
 * columns from 0; whatever lies outside is clipped.
 */

/* Bytes of what one cell shows: a character and what combines with it, NUL-terminated. */
#define VMT_CELL_BYTES 22

struct vmt_cell {
	char text[VMT_CELL_BYTES];
	uint8_t width; /* 1 or 2 columns; 0: the right half of the one before */
	uint8_t style; /* enum vmt_style */
};

struct vmt_figure;

/* What a place on the screen is, for the mouse and for "explain". */
enum vmt_spot_kind {
	VMT_SPOT_VALUE, /* the value of a field in a row */
	VMT_SPOT_TITLE, /* the heading of a column: index */
	VMT_SPOT_ROW, /* a row of a table: index */
	VMT_SPOT_KEY, /* code is what pressing it would be (enum vmt_key, or a character) */
};

struct vmt_spot {
	enum vmt_spot_kind kind;
	unsigned y, x, width;
	/* Of VALUE: rows are those of the model, and live as long. */
	const struct vmt_entity *entity;
	const struct vmt_field *field;
	const void *row;
	/* Of a VALUE that is no field: what it is, in place of entity and field; row is its own. */
	const struct vmt_figure *figure;
	size_t index;
	uint32_t code;
};

struct vmt_canvas {
	unsigned height, width;
	struct vmt_cell *cells; /* height * width; heap */
	struct vmt_spot *spots; /* heap */
	size_t n_spots, cap_spots;
	bool ascii; /* nothing above 0x7e */
	int error; /* -ENOMEM, once a spot was lost */
};

/* The glyphs of pictures; each is one column, and has a stand-in in ASCII. */
enum vmt_glyph {
	VMT_GLYPH_FULL, /* a cell of a bar */
	VMT_GLYPH_NONE, /* nothing of it */
	VMT_GLYPH_LINE, /* a rule between parts of a screen */
	VMT_GLYPH_CUT, /* text goes on */
	VMT_GLYPH_BETWEEN, /* a rule from top to bottom */
	VMT_GLYPH_LEVEL, /* lowest of eight; add up to 7 */
	VMT_GLYPH_LEVEL_LAST = VMT_GLYPH_LEVEL + 7,
	VMT_GLYPH_COUNT,
};

/* A blank screen of that size; again for another size. 0 or -ENOMEM, which leaves the old one. */
int vmt_canvas_resize(struct vmt_canvas *c, unsigned height, unsigned width);
void vmt_canvas_done(struct vmt_canvas *c);
#define VMT_AUTO_CANVAS VMT_CLEANUP(vmt_canvas_done) struct vmt_canvas
/* Blank, without spots. */
void vmt_canvas_clear(struct vmt_canvas *c);

/* Text of ours: UTF-8 without control characters. Each gives the column behind the text. What has
 * no room left of the right edge is cut, and the last column says so by VMT_GLYPH_CUT. */
unsigned vmt_canvas_puts(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const char *text);
unsigned vmt_canvas_putf(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
unsigned vmt_canvas_glyph(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			  enum vmt_glyph glyph);
/* A glyph n times. */
unsigned vmt_canvas_fill(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 enum vmt_glyph glyph, unsigned n);

/* Where text that is wider than its place is cut, and to which side it is flush. */
enum vmt_fit {
	VMT_FIT_LEFT, /* flush left, the end is cut */
	VMT_FIT_TAIL, /* flush left, the beginning is cut: paths */
	VMT_FIT_RIGHT, /* flush right, the end is cut: numbers are never cut but shown as '#' */
};

/*
 * Bytes of the kernel, made harmless as vmt_fmt_safe() does, in exactly width columns, blanks
 * included. Text that is cut says so by VMT_GLYPH_CUT.
 */
unsigned vmt_canvas_bytes(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
			  enum vmt_style style, struct vmt_bytes text, enum vmt_fit fit);

/* Another style for what stands there already. */
void vmt_canvas_restyle(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
			enum vmt_style style);

void vmt_canvas_spot(struct vmt_canvas *c, const struct vmt_spot *spot);
/* That a value stands there. */
void vmt_canvas_value(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		      const struct vmt_entity *entity, unsigned field, const void *row);
/* That a figure stands there; row and index are for who explains it. */
void vmt_canvas_figure(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		       const struct vmt_figure *figure, const void *row, size_t index);
/* The spot there of one of kinds (bits by enum vmt_spot_kind), the last drawn first; or NULL. */
const struct vmt_spot *vmt_canvas_at(const struct vmt_canvas *c, unsigned y, unsigned x,
				     unsigned kinds);

/* The screen as lines of text, without blanks at their ends. */
void vmt_canvas_text(const struct vmt_canvas *c, struct vmt_buf *out);

/* Columns that text takes on a terminal, once it is made harmless. */
unsigned vmt_text_width(struct vmt_bytes text, bool ascii);
