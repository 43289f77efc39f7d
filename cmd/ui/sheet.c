/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/sheet.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/fmt.h"

void vmt_sheet_init(struct vmt_sheet *p, unsigned width, bool ascii)
{
	*p = (struct vmt_sheet){ .width = width, .ascii = ascii };
	vmt_arena_init(&p->arena);
}

void vmt_sheet_done(struct vmt_sheet *p)
{
	vmt_arena_done(&p->arena);
	free(p->lines);
	p->lines = NULL;
}

static void add_line(struct vmt_sheet *p, enum vmt_style style, unsigned indent,
		     struct vmt_bytes text)
{
	char *copy;

	if (vmt_grow(&p->lines, &p->cap, p->n + 1, sizeof(*p->lines)) < 0) {
		p->error = -ENOMEM;
		return;
	}
	copy = vmt_arena_alloc(&p->arena, indent + text.len + 1, 1);
	if (!copy) {
		p->error = -ENOMEM;
		return;
	}
	memset(copy, ' ', indent);
	if (text.len)
		memcpy(copy + indent, text.ptr, text.len);
	p->lines[p->n++] = (struct vmt_sheet_line){ style, copy };
}

/* The bytes of text that fit into width columns: up to a blank, or all that fit where there is no
 * blank; at least one character. */
static size_t fitting(struct vmt_bytes text, unsigned width, bool ascii)
{
	size_t at = 0, blank = 0;
	unsigned have = 0;

	while (at < text.len) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take((struct vmt_bytes){ text.ptr + at, text.len - at }, &code);

		n = n ? n : 1;
		if (text.ptr[at] == ' ')
			blank = at;
		have += vmt_text_width((struct vmt_bytes){ text.ptr + at, n }, ascii);
		if (have > width && at)
			return blank ? blank : at;
		at += n;
	}
	return text.len;
}

void vmt_sheet_add(struct vmt_sheet *p, enum vmt_style style, unsigned indent,
		   struct vmt_bytes text)
{
	VMT_AUTO_BUF safe = { 0 };
	struct vmt_bytes cur;
	unsigned first = 0;

	vmt_fmt_safe(&safe, text, p->ascii);
	if (vmt_buf_error(&safe) < 0) {
		p->error = -ENOMEM;
		return;
	}
	cur = (struct vmt_bytes){ safe.data, safe.len };
	if (indent + 8 > p->width)
		indent = 0;
	do {
		size_t n = fitting(cur, p->width > first ? p->width - first : 1, p->ascii);

		add_line(p, style, first, (struct vmt_bytes){ cur.ptr, n });
		while (n < cur.len && cur.ptr[n] == ' ')
			n++;
		cur.ptr += n;
		cur.len -= n;
		first = indent;
	} while (cur.len && !p->error);
}

void vmt_sheet_addf(struct vmt_sheet *p, enum vmt_style style, unsigned indent, const char *fmt,
		    ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vmt_sheet_add(p, style, indent, vmt_bytes_of(text));
}

/* A line of the frame from edge to edge. */
static void draw_edge(struct vmt_canvas *c, unsigned y, const struct vmt_area *a, const char *left,
		      const char *right)
{
	unsigned x = vmt_canvas_puts(c, y, a->x, VMT_STYLE_NORMAL, c->ascii ? "+" : left);

	x = vmt_canvas_fill(c, y, x, VMT_STYLE_NORMAL, VMT_GLYPH_LINE, a->width - 2);
	vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, c->ascii ? "+" : right);
}

struct vmt_area vmt_box_draw(struct vmt_canvas *c, struct vmt_area area, const char *title)
{
	struct vmt_area in = { area.y + 1, area.x + 2, 0, 0 };
	unsigned y;

	/* Without room for anything within, there is no frame. */
	if (area.height < 3 || area.width < 8)
		return in;
	in.height = area.height - 2;
	in.width = area.width - 4;
	draw_edge(c, area.y, &area, "\u250c", "\u2510");
	for (y = in.y; y < in.y + in.height; y++) {
		unsigned x = vmt_canvas_glyph(c, y, area.x, VMT_STYLE_NORMAL, VMT_GLYPH_BETWEEN);

		x = vmt_canvas_bytes(c, y, x, area.width - 2, VMT_STYLE_NORMAL, VMT_BYTES(""),
				     VMT_FIT_LEFT);
		vmt_canvas_glyph(c, y, x, VMT_STYLE_NORMAL, VMT_GLYPH_BETWEEN);
	}
	draw_edge(c, in.y + in.height, &area, "\u2514", "\u2518");
	if (*title) {
		unsigned width = vmt_text_width(vmt_bytes_of(title), c->ascii);

		vmt_canvas_puts(c, area.y, area.x + 1, VMT_STYLE_NORMAL, " ");
		width = width < area.width - 4 ? width : area.width - 4;
		vmt_canvas_bytes(c, area.y, area.x + 2, width, VMT_STYLE_STRONG,
				 vmt_bytes_of(title), VMT_FIT_LEFT);
		vmt_canvas_puts(c, area.y, area.x + 2 + width, VMT_STYLE_NORMAL, " ");
	}
	return in;
}

void vmt_sheet_draw(const struct vmt_sheet *p, struct vmt_canvas *c, struct vmt_area area,
		    size_t first)
{
	unsigned i;

	for (i = 0; i < area.height && first + i < p->n; i++)
		vmt_canvas_bytes(c, area.y + i, area.x, area.width, p->lines[first + i].style,
				 vmt_bytes_of(p->lines[first + i].text), VMT_FIT_LEFT);
}
