/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "cmd/ui/screen.h"

/* Text in lines that fit into a box. */

struct vmt_sheet_line {
	enum vmt_style style;
	const char *text; /* the sheet's, harmless */
};

struct vmt_sheet {
	struct vmt_arena arena;
	struct vmt_sheet_line *lines; /* heap */
	size_t n, cap;
	unsigned width; /* columns of a line */
	bool ascii;
	int error; /* -ENOMEM, once a line was lost */
};

void vmt_sheet_init(struct vmt_sheet *p, unsigned width, bool ascii);
void vmt_sheet_done(struct vmt_sheet *p);
#define VMT_AUTO_SHEET VMT_CLEANUP(vmt_sheet_done) struct vmt_sheet

/* Adds text, which is made harmless, broken between words where it is wider than the sheet. Lines
 * behind its first begin indent columns further to the right. */
void vmt_sheet_add(struct vmt_sheet *p, enum vmt_style style, unsigned indent,
		   struct vmt_bytes text);
void vmt_sheet_addf(struct vmt_sheet *p, enum vmt_style style, unsigned indent, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));

/* A frame with a title in its upper edge, blank within; the area within. */
struct vmt_area vmt_box_draw(struct vmt_canvas *c, struct vmt_area area, const char *title);
/* The lines from first on, in area. */
void vmt_sheet_draw(const struct vmt_sheet *p, struct vmt_canvas *c, struct vmt_area area,
		    size_t first);
