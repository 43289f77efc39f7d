/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/system-zones.h"

#include <inttypes.h>

#include "cmd/ui/figure.h"

static void marks_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_zone_row *z = s->row;
	uint64_t span;

	if (!VMT_HAS(zone, managed_bytes, z) || !z->managed_bytes || !s->width)
		return;
	span = vmt_bar_span(ui, z->managed_bytes);
	vmt_buf_adds(out, "all of the bar is ");
	vmt_fmt_size(out, span, VMT_SIZE_HUMAN, 0);
	vmt_buf_addf(out, ", managed / %u; each of its %u cells ", 1u << ui->zoom, s->width);
	vmt_fmt_size(out, span / s->width, VMT_SIZE_HUMAN, 0);
}

static void marks_terms(struct vmt_explanation *e)
{
	static const uint8_t fields[] = { VMT_FIELD_zone_managed_bytes, VMT_FIELD_zone_free_bytes,
					  VMT_FIELD_zone_min_bytes, VMT_FIELD_zone_low_bytes,
					  VMT_FIELD_zone_high_bytes };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(fields); i++)
		vmt_figure_field(e, &vmt_entity_zone, fields[i], e->spot->row);
}

static const struct vmt_figure marks = {
	.title = "watermarks of a zone",
	.unit = "cells",
	.help = "= is what is free, m l h the watermarks min, low and high, on the scale of the memory "
		"that the zone manages; marks that fall into one cell stand side by side; + makes the "
		"bar stand for half as much from its left end on, - for twice; > at its end: free goes "
		"on",
	.formula = "cell = size / size of all of the bar * cells",
	.value = marks_value,
	.terms = marks_terms,
};

/* min, low and high, and how much is free, on one scale: the managed memory of the zone or its
 * begin; the marks keep their order where they fall into one cell. */
static void draw_marks(const struct vmt_ui *ui, const struct vmt_zone_row *z, struct vmt_canvas *c,
		       unsigned y, unsigned x, unsigned width)
{
	static const char letters[] = "mlh";
	uint64_t at_bytes[3], span;
	unsigned __int128 at, free_cells, before = 0;
	unsigned i;

	vmt_canvas_figure(c, y, x, width, &marks, z, 0);
	if (!VMT_HAS(zone, managed_bytes, z) || !z->managed_bytes ||
	    !VMT_HAS(zone, free_bytes, z) || !VMT_HAS(zone, min_bytes, z) ||
	    !VMT_HAS(zone, low_bytes, z) || !VMT_HAS(zone, high_bytes, z)) {
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "-");
		return;
	}
	span = vmt_bar_span(ui, z->managed_bytes);
	at_bytes[0] = z->min_bytes;
	at_bytes[1] = z->low_bytes;
	at_bytes[2] = z->high_bytes;
	free_cells = (unsigned __int128)z->free_bytes * width / span;
	for (i = 0; i < width; i++)
		vmt_canvas_puts(c, y, x + i, i < free_cells ? VMT_STYLE_FREE : VMT_STYLE_DIM,
				i < free_cells ? "=" : ".");
	for (i = 0; i < 3; i++) {
		at = (unsigned __int128)at_bytes[i] * width / span;
		at = at > before ? at : before + 1;
		if (at < width)
			vmt_canvas_putf(c, y, x + (unsigned)at, VMT_STYLE_STRONG, "%c", letters[i]);
		before = at;
	}
	if (ui->zoom && free_cells > width)
		vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_STRONG, ">");
}

/* Free memory in blocks of at least 2^9 pages, and in blocks of all sizes. */
static void large_blocks(const struct vmt_model *m, const struct vmt_zone_row *z,
			 uint64_t *ret_large, uint64_t *ret_all)
{
	uint64_t large = 0, all = 0;
	size_t i;

	for (i = 0; i < m->n_orders; i++) {
		const struct vmt_order *o = &m->orders[i];

		if (o->node != z->node || !vmt_bytes_equal(o->zone, z->zone))
			continue;
		all += o->free_bytes;
		if (o->order >= 9)
			large += o->free_bytes;
	}
	*ret_large = large;
	*ret_all = all;
}

static void large_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	uint64_t large, all, milli;

	large_blocks(ui->model, s->row, &large, &all);
	if (!all)
		return;
	milli = (uint64_t)((unsigned __int128)large * 100000 / all);
	vmt_buf_addf(out, "%" PRIu64 ".%03u %%", milli / 1000, (unsigned)(milli % 1000));
}

static void large_terms(struct vmt_explanation *e)
{
	uint64_t large, all;

	large_blocks(e->ui->model, e->spot->row, &large, &all);
	vmt_figure_term(e, "free in blocks of order 9 and more: %" PRIu64 " bytes", large);
	vmt_figure_term(e, "free in blocks of all orders: %" PRIu64 " bytes", all);
	vmt_figure_field(e, &vmt_entity_zone, VMT_FIELD_zone_free_blocks, e->spot->row);
}

static const struct vmt_figure large_percent = {
	.title = "large free blocks",
	.unit = "percent",
	.help = "how much of what is free in the zone is in blocks of at least 2^9 pages, of which a "
		"huge page can be made without compaction; rounded down",
	.formula = "100 * sum of free bytes of order >= 9 / sum over all orders",
	.value = large_value,
	.terms = large_terms,
	.source = VMT_SOURCE_BUDDYINFO,
};

static const struct vmt_figure large_title = {
	.title = "large free blocks",
	.unit = "percent",
	.help = "below it: how much of what is free in a zone is in blocks of at least 2^9 pages",
	.source = VMT_SOURCE_BUDDYINFO,
};

static const struct vmt_figure blocks_title = {
	.title = "free blocks",
	.unit = "blocks",
	.help = "below it: how many free blocks of 2^0, 2^1, 2^2 ... pages a zone has",
	.source = VMT_SOURCE_BUDDYINFO,
};

/* A column of the table of zones. */
struct zone_column {
	const char *title;
	unsigned field, width;
	bool wide; /* only there */
};

static const struct zone_column zone_columns[] = {
	{ "PRESENT", VMT_FIELD_zone_present_bytes, 7, true },
	{ "MANAGED", VMT_FIELD_zone_managed_bytes, 7, false },
	{ "FREE", VMT_FIELD_zone_free_bytes, 6, false },
	{ "MIN", VMT_FIELD_zone_min_bytes, 5, false },
	{ "LOW", VMT_FIELD_zone_low_bytes, 5, false },
	{ "HIGH", VMT_FIELD_zone_high_bytes, 5, false },
	{ "RESERVE", VMT_FIELD_zone_reserve_bytes, 8, true },
};

#define ZONE_NAME 12u /* columns of node and name */

/* Columns of the picture of the watermarks. */
static unsigned marks_width(bool wide)
{
	return wide ? 32 : 20;
}

static void draw_zone_titles(const struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, bool wide)
{
	unsigned x = ZONE_NAME, bar = marks_width(wide);
	size_t i;

	vmt_canvas_puts(c, y, 0, VMT_STYLE_TITLE, "ZONE");
	for (i = 0; i < VMT_ARRAY_LEN(zone_columns); i++)
		if (wide || !zone_columns[i].wide)
			x = vmt_canvas_putf(c, y, x, VMT_STYLE_TITLE, "%*s ",
					    (int)zone_columns[i].width, zone_columns[i].title);
	if (ui->zoom)
		vmt_draw_figure(c, y, x + 1, VMT_STYLE_TITLE, &vmt_figure_scale, NULL, 0,
				wide ? "WATERMARKS m l h, =, to 1/%u" : "m l h = free to 1/%u",
				1u << ui->zoom);
	else
		vmt_canvas_puts(c, y, x + 1, VMT_STYLE_TITLE,
				wide ? "WATERMARKS m l h, free =" : "WATERMARKS m l h = free");
	if (wide)
		vmt_draw_figure(c, y, x + bar + 4, VMT_STYLE_TITLE, &blocks_title, NULL, 0,
				"FREE BLOCKS, order 0..");
	else
		vmt_draw_figure(c, y, x + bar + 5, VMT_STYLE_TITLE, &large_title, NULL, 0, "%s",
				c->ascii ? "O>=9" : "ORD\u22659");
}

/* What is free by the size of blocks: all of them, or how much is in large ones. */
static void draw_free_blocks(const struct vmt_model *m, const struct vmt_zone_row *z,
			     struct vmt_canvas *c, unsigned y, unsigned x, bool wide)
{
	uint64_t large, all;
	unsigned width;

	if (wide) {
		width = c->width > x ? c->width - x : 0;
		vmt_canvas_bytes(c, y, x, width, VMT_STYLE_NORMAL,
				 VMT_HAS(zone, free_blocks, z) ? z->free_blocks : VMT_BYTES("-"),
				 VMT_FIT_LEFT);
		vmt_canvas_value(c, y, x, width, &vmt_entity_zone, VMT_FIELD_zone_free_blocks, z);
		return;
	}
	large_blocks(m, z, &large, &all);
	if (all)
		vmt_draw_figure(c, y, x + 1, VMT_STYLE_NORMAL, &large_percent, z, 0, "%3u%%",
				(unsigned)((unsigned __int128)large * 100 / all));
	else
		vmt_draw_figure(c, y, x + 1, VMT_STYLE_NORMAL, &large_percent, z, 0, "   -");
}

static void draw_zone(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, bool wide,
		      const struct vmt_zone_row *z)
{
	unsigned x = vmt_draw_value(ui, c, y, 0, 0, VMT_STYLE_NORMAL, &vmt_entity_zone,
				    VMT_FIELD_zone_node, z) +
		     1;
	unsigned bar = marks_width(wide);
	size_t i;

	vmt_draw_text(c, y, x, x < ZONE_NAME ? ZONE_NAME - x : 0, VMT_STYLE_NORMAL,
		      &vmt_entity_zone, VMT_FIELD_zone_zone, z);
	x = ZONE_NAME;
	for (i = 0; i < VMT_ARRAY_LEN(zone_columns); i++)
		if (wide || !zone_columns[i].wide)
			x = vmt_draw_value(ui, c, y, x, zone_columns[i].width, VMT_STYLE_NORMAL,
					   &vmt_entity_zone, zone_columns[i].field, z) +
			    1;
	draw_marks(ui, z, c, y, x + 1, bar);
	draw_free_blocks(ui->model, z, c, y, x + bar + 4, wide);
}

unsigned vmt_draw_zones(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned end)
{
	const struct vmt_model *m = ui->model;
	bool wide = c->width >= VMT_WIDE;
	size_t i;

	draw_zone_titles(ui, c, y, wide);
	for (i = 0; i < m->n_zones && y + 1 < end; i++)
		/* Not a kind of memory that this machine has none of. */
		if (!VMT_HAS(zone, managed_bytes, &m->zones[i]) || m->zones[i].managed_bytes)
			draw_zone(ui, c, ++y, wide, &m->zones[i]);
	return y + 1;
}
