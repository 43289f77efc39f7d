/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/fmt.h"

static const struct {
	const char *text;
	char plain;
} glyphs[VMT_GLYPH_COUNT] = {
	[VMT_GLYPH_FULL] = { "\u2588", '#' },	   [VMT_GLYPH_NONE] = { "\u00b7", '.' },
	[VMT_GLYPH_LINE] = { "\u2500", '-' },	   [VMT_GLYPH_CUT] = { "\u2026", '~' },
	[VMT_GLYPH_BETWEEN] = { "\u2502", '|' },   [VMT_GLYPH_LEVEL] = { "\u2581", '_' },
	[VMT_GLYPH_LEVEL + 1] = { "\u2582", ',' }, [VMT_GLYPH_LEVEL + 2] = { "\u2583", '-' },
	[VMT_GLYPH_LEVEL + 3] = { "\u2584", '=' }, [VMT_GLYPH_LEVEL + 4] = { "\u2585", '+' },
	[VMT_GLYPH_LEVEL + 5] = { "\u2586", '*' }, [VMT_GLYPH_LEVEL + 6] = { "\u2587", '%' },
	[VMT_GLYPH_LEVEL + 7] = { "\u2588", '#' },
};

int vmt_canvas_resize(struct vmt_canvas *c, unsigned height, unsigned width)
{
	struct vmt_cell *cells;

	if (!c->cells || height != c->height || width != c->width) {
		cells = calloc((size_t)height * width + 1, sizeof(*cells));
		if (!cells)
			return -ENOMEM;
		free(c->cells);
		c->cells = cells;
		c->height = height;
		c->width = width;
	}
	vmt_canvas_clear(c);
	return 0;
}

void vmt_canvas_done(struct vmt_canvas *c)
{
	free(c->cells);
	free(c->spots);
	*c = (struct vmt_canvas){ 0 };
}

static struct vmt_cell *cell_at(const struct vmt_canvas *c, unsigned y, unsigned x)
{
	return y < c->height && x < c->width ? &c->cells[(size_t)y * c->width + x] : NULL;
}

static void blank(struct vmt_cell *cell)
{
	if (cell)
		*cell = (struct vmt_cell){ .text = " ", .width = 1 };
}

void vmt_canvas_clear(struct vmt_canvas *c)
{
	size_t i;

	for (i = 0; i < (size_t)c->height * c->width; i++)
		blank(&c->cells[i]);
	c->n_spots = 0;
}

/* Blanks what would be left of a character of two columns when one of them is written over. */
static void part(struct vmt_canvas *c, unsigned y, unsigned x)
{
	struct vmt_cell *cell = cell_at(c, y, x);

	if (!cell)
		return;
	if (cell->width == 0 && x)
		blank(cell_at(c, y, x - 1));
	if (cell->width == 2)
		blank(cell_at(c, y, x + 1));
	blank(cell);
}

/* Columns of a code point; what a terminal would not show as one or two is not drawn. */
static unsigned code_width(uint32_t code)
{
	int n = wcwidth((wchar_t)code);

	return n > 0 ? (unsigned)n : 0;
}

/* Text goes on behind the right edge: half of a number must not look like all of it. */
static void mark_cut(struct vmt_canvas *c, unsigned y, enum vmt_style style)
{
	struct vmt_cell *cell = c->width ? cell_at(c, y, c->width - 1) : NULL;

	if (!cell)
		return;
	part(c, y, c->width - 1);
	if (c->ascii)
		cell->text[0] = glyphs[VMT_GLYPH_CUT].plain;
	else
		memcpy(cell->text, glyphs[VMT_GLYPH_CUT].text,
		       strlen(glyphs[VMT_GLYPH_CUT].text) + 1);
	cell->style = (uint8_t)style;
}

/* Draws one character, or adds it to the one before x where it combines; the column behind it. */
static unsigned put(struct vmt_canvas *c, unsigned y, unsigned x, unsigned end,
		    enum vmt_style style, const char *text, size_t n, uint32_t code)
{
	unsigned width = code < 0x80 ? 1 : code_width(code);
	struct vmt_cell *cell, *right;
	size_t len;

	if (!width) {
		/* It belongs to the character before; where that is full, it is left out. */
		cell = x ? cell_at(c, y, x - 1) : NULL;
		if (cell && cell->width == 0 && x > 1)
			cell = cell_at(c, y, x - 2);
		len = cell ? strlen(cell->text) : 0;
		if (cell && len + n < sizeof(cell->text)) {
			memcpy(cell->text + len, text, n);
			cell->text[len + n] = 0;
		}
		return x;
	}
	if (x + width > end || x + width > c->width) {
		if (end >= c->width && code != ' ')
			mark_cut(c, y, style);
		return x + width > end ? x : x + width;
	}
	cell = cell_at(c, y, x);
	right = cell_at(c, y, x + width - 1);
	if (!cell || !right)
		return x + width;
	part(c, y, x);
	if (width == 2) {
		part(c, y, x + 1);
		*right = (struct vmt_cell){ .style = (uint8_t)style };
	}
	memcpy(cell->text, text, n);
	cell->text[n] = 0;
	cell->width = (uint8_t)width;
	cell->style = (uint8_t)style;
	return x + width;
}

/* Draws harmless text up to column end; the column behind it. Whatever else was to be drawn, no
 * cell has what a terminal would obey. */
static unsigned put_text(struct vmt_canvas *c, unsigned y, unsigned x, unsigned end,
			 enum vmt_style style, struct vmt_bytes text)
{
	while (text.len) {
		uint32_t code = (uint8_t)*text.ptr;
		size_t n = vmt_utf8_take(text, &code);

		if (!n || vmt_fmt_is_unsafe(code) || (code >= 0x80 && c->ascii))
			x = put(c, y, x, end, style, "?", 1, '?');
		else
			x = put(c, y, x, end, style, text.ptr, n, code);
		n = n ? n : 1;
		text.ptr += n;
		text.len -= n;
	}
	return x;
}

unsigned vmt_canvas_puts(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const char *text)
{
	return put_text(c, y, x, c->width, style, vmt_bytes_of(text));
}

unsigned vmt_canvas_putf(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return vmt_canvas_puts(c, y, x, style, text);
}

unsigned vmt_canvas_glyph(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			  enum vmt_glyph glyph)
{
	const char plain[] = { glyphs[glyph].plain, 0 };

	if (c->ascii)
		return put(c, y, x, c->width, style, plain, 1, (uint8_t)plain[0]);
	return vmt_canvas_puts(c, y, x, style, glyphs[glyph].text);
}

unsigned vmt_canvas_fill(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 enum vmt_glyph glyph, unsigned n)
{
	while (n--)
		x = vmt_canvas_glyph(c, y, x, style, glyph);
	return x;
}

/* Columns of harmless text. */
static unsigned columns(struct vmt_bytes text)
{
	unsigned sum = 0;

	while (text.len) {
		uint32_t code = (uint8_t)*text.ptr;
		size_t n = vmt_utf8_take(text, &code);

		n = n ? n : 1;
		sum += code < 0x80 ? 1 : code_width(code);
		text.ptr += n;
		text.len -= n;
	}
	return sum;
}

/* The end of harmless text that takes at most width columns, and does not begin with what combines
 * with a character that is not in it. */
static struct vmt_bytes tail_of(struct vmt_bytes text, unsigned width)
{
	unsigned all = columns(text);

	while (text.len) {
		uint32_t code = (uint8_t)*text.ptr;
		size_t n = vmt_utf8_take(text, &code);
		unsigned w = code < 0x80 ? 1 : code_width(code);

		if (all <= width && w)
			break;
		n = n ? n : 1;
		all -= w;
		text.ptr += n;
		text.len -= n;
	}
	return text;
}

unsigned vmt_canvas_bytes(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
			  enum vmt_style style, struct vmt_bytes text, enum vmt_fit fit)
{
	VMT_AUTO_BUF safe = { 0 };
	unsigned need, end = x + width, at = x;
	struct vmt_bytes s;

	vmt_fmt_safe(&safe, text, c->ascii);
	s = (struct vmt_bytes){ safe.data, safe.len };
	need = columns(s);
	while (at < end)
		at = put(c, y, at, end, style, " ", 1, ' ');
	if (!width)
		return end;
	if (need <= width) {
		put_text(c, y, fit == VMT_FIT_RIGHT ? end - need : x, end, style, s);
		return end;
	}
	switch (fit) {
	case VMT_FIT_LEFT:
		at = put_text(c, y, x, end - 1, style, s);
		vmt_canvas_glyph(c, y, at, style, VMT_GLYPH_CUT);
		break;
	case VMT_FIT_TAIL:
		at = vmt_canvas_glyph(c, y, x, style, VMT_GLYPH_CUT);
		put_text(c, y, at, end, style, tail_of(s, width - 1));
		break;
	case VMT_FIT_RIGHT:
		for (at = x; at < end;)
			at = put(c, y, at, end, style, "#", 1, '#');
		break;
	}
	return end;
}

void vmt_canvas_restyle(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
			enum vmt_style style)
{
	unsigned i;

	for (i = 0; i < width; i++) {
		struct vmt_cell *cell = cell_at(c, y, x + i);

		if (cell)
			cell->style = (uint8_t)style;
	}
}

void vmt_canvas_spot(struct vmt_canvas *c, const struct vmt_spot *spot)
{
	if (c->n_spots == c->cap_spots) {
		size_t cap = c->cap_spots ? 2 * c->cap_spots : 256;
		struct vmt_spot *p = reallocarray(c->spots, cap, sizeof(*p));

		if (!p) {
			c->error = -ENOMEM;
			return;
		}
		c->spots = p;
		c->cap_spots = cap;
	}
	c->spots[c->n_spots++] = *spot;
}

void vmt_canvas_value(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		      const struct vmt_entity *entity, unsigned field, const void *row)
{
	if (y >= c->height || x >= c->width)
		return;
	vmt_canvas_spot(c, &(struct vmt_spot){
				   .kind = VMT_SPOT_VALUE,
				   .y = y,
				   .x = x,
				   .width = width,
				   .entity = entity,
				   .field = &entity->fields[field],
				   .row = row,
			   });
}

void vmt_canvas_figure(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		       const struct vmt_figure *figure, const void *row, size_t index)
{
	if (y >= c->height || x >= c->width || !width)
		return;
	vmt_canvas_spot(c, &(struct vmt_spot){
				   .kind = VMT_SPOT_VALUE,
				   .y = y,
				   .x = x,
				   .width = width,
				   .figure = figure,
				   .row = row,
				   .index = index,
			   });
}

const struct vmt_spot *vmt_canvas_at(const struct vmt_canvas *c, unsigned y, unsigned x,
				     unsigned kinds)
{
	size_t i = c->n_spots;

	while (i--) {
		const struct vmt_spot *s = &c->spots[i];

		if (kinds >> s->kind & 1 && s->y == y && x >= s->x && x < s->x + s->width)
			return s;
	}
	return NULL;
}

void vmt_canvas_text(const struct vmt_canvas *c, struct vmt_buf *out)
{
	unsigned y, x;

	for (y = 0; y < c->height; y++) {
		size_t end = out->len;

		for (x = 0; x < c->width; x++) {
			const struct vmt_cell *cell = cell_at(c, y, x);

			if (!cell)
				continue;
			vmt_buf_adds(out, cell->text);
			if (strcmp(cell->text, " ") != 0 && cell->width)
				end = out->len;
		}
		if (vmt_buf_error(out) == 0 && out->data) {
			out->len = end;
			vmt_buf_addc(out, '\n');
		}
	}
}

unsigned vmt_text_width(struct vmt_bytes text, bool ascii)
{
	VMT_AUTO_BUF safe = { 0 };

	vmt_fmt_safe(&safe, text, ascii);
	return columns((struct vmt_bytes){ safe.data, safe.len });
}
