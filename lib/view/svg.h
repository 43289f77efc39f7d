/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "view/xml.h"

/*
 * Shapes of a picture. Lengths are tenths of a CSS pixel, so that no floating point and no locale
 * is in them. A picture has the same width everywhere.
 */
#define VMT_SVG_WIDTH 9600

/* Around a picture that is a document of its own. */
#define VMT_SVG_MARGIN 160

/* Width of a character of the class "m", which is of one width, and of what is beside it. */
#define VMT_SVG_MONO 67

struct vmt_svg_head {
	const char *id; /* letters, digits and -, alone in its document */
	struct vmt_bytes title; /* what it shows, for who cannot see it and for tooltips */
	struct vmt_bytes desc; /* the gist of it in words */
	int64_t height; /* tenths */
	bool alone; /* a document of its own: with its style */
};

/* Of every picture, light and dark; a page has it once. */
extern const char vmt_svg_style[];

void vmt_svg_begin(struct vmt_xml *x, const struct vmt_svg_head *head);
void vmt_svg_end(struct vmt_xml *x);
/* A tooltip is in it where title is not empty. */
void vmt_svg_rect(struct vmt_xml *x, const char *class, int64_t left, int64_t top, int64_t width,
		  int64_t height, struct vmt_bytes title);
void vmt_svg_line(struct vmt_xml *x, const char *class, int64_t x1, int64_t y1, int64_t x2,
		  int64_t y2);
/* y is the line that letters stand on; class has "r" for text that ends at left, "c" for text with
 * its middle there. */
void vmt_svg_text(struct vmt_xml *x, const char *class, int64_t left, int64_t y,
		  struct vmt_bytes text);
void vmt_svg_texts(struct vmt_xml *x, const char *class, int64_t left, int64_t y, const char *text);
/* Thin lines across a rectangle, from the lower left to the upper right: what is not there, but
 * elsewhere. */
void vmt_svg_hatch(struct vmt_xml *x, int64_t left, int64_t top, int64_t width, int64_t height);

/*
 * As much of a text as fits into columns of the class "m", with an ellipsis where some is left out:
 * at its front where keep_end (paths), else at its end. The text is made safe before, and may come
 * out of vmt_fmt_safe() already.
 */
void vmt_svg_fit(struct vmt_buf *out, struct vmt_bytes text, size_t columns, bool keep_end);

/* value * width / whole, without overflow; whole may be 0. */
int64_t vmt_svg_part(uint64_t value, uint64_t whole, int64_t width);
