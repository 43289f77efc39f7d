/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <inttypes.h>

#include "model/parts.h"
#include "view/html.h"

/* Where MemTotal went: one bar, and below it, on a scale of its own, how "available" comes about.
 */

#define BAR_TOP	   40
#define BAR_HEIGHT 340
#define ROW	   220 /* of the legend, and of the sum */
#define COLUMN	   4900 /* from one column of the legend to the next */

/* Sums of the derivation: what a line begins with, and where its bar does. */
#define NAME_RIGHT 1300
#define SIZE_RIGHT 2100
#define FLOW_LEFT  2250

static const char *const colours[VMT_SHARE_COUNT] = {
	[VMT_SHARE_ANON] = "orange",	   [VMT_SHARE_SHMEM] = "purple", [VMT_SHARE_DIRTY] = "blue",
	[VMT_SHARE_KERNEL] = "vermillion", [VMT_SHARE_CACHE] = "sky",	 [VMT_SHARE_SLAB] = "green",
	[VMT_SHARE_FREE] = "none",	   [VMT_SHARE_OTHER] = "grey",
};

static const char *ink(size_t i)
{
	if (i == VMT_SHARE_FREE)
		return "m b c";
	return i == VMT_SHARE_DIRTY ? "m b c paper" : "m b c ink";
}

/* "slab reclaimable" of "slab_reclaimable" */
static void words(struct vmt_buf *out, struct vmt_bytes name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		vmt_buf_addc(out, name.ptr[i] == '_' ? ' ' : name.ptr[i]);
}

static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	const struct vmt_model *m = ask->model;
	size_t i;

	if (!VMT_HAS(system, total_bytes, &m->system) || !m->system.total_bytes || !m->n_shares) {
		vmt_buf_adds(why, "MemTotal could not be read");
		return false;
	}
	for (i = 0; i < m->n_shares; i++) {
		if (!VMT_HAS(share, size_bytes, &m->shares[i])) {
			vmt_buf_adds(why, "a part of MemTotal that every kernel counts could not "
					  "be read: ");
			words(why, m->shares[i].name);
			return false;
		}
	}
	return true;
}

/* The shares from left to right, so that each ends where the sum up to it does. What is negative
 * has no width, and is told. */
static void bar(struct vmt_xml *x, const struct vmt_picture_ask *ask, int64_t top)
{
	const struct vmt_model *m = ask->model;
	uint64_t total = m->system.total_bytes, sum = 0;
	int64_t left = 0, right;
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < m->n_shares; i++) {
		const struct vmt_share *s = &m->shares[i];

		if (s->size_bytes <= 0)
			continue;
		sum += (uint64_t)s->size_bytes;
		right = vmt_svg_part(sum < total ? sum : total, total, VMT_SVG_WIDTH);
		vmt_buf_next(&text);
		words(&text, s->name);
		vmt_buf_adds(&text, ": ");
		vmt_picture_size(&text, ask, (uint64_t)s->size_bytes);
		vmt_svg_rect(x, colours[i], left, top, right - left, BAR_HEIGHT,
			     (struct vmt_bytes){ text.data, text.len });
		if (right - left >= 140)
			vmt_svg_text(x, ink(i), (left + right) / 2, top + BAR_HEIGHT / 2 + 40,
				     i == VMT_SHARE_FREE ? VMT_BYTES("free") : s->letter);
		left = right;
	}
	vmt_svg_rect(x, "edge", 5, top + 5, VMT_SVG_WIDTH - 10, BAR_HEIGHT - 10,
		     (struct vmt_bytes){ 0 });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

/* A round number of bytes, of which some four to eight make up total. */
static uint64_t tick_of(uint64_t total)
{
	uint64_t tick = 1;

	while (total / tick > 8 && tick <= UINT64_MAX / 2)
		tick *= 2;
	return tick;
}

static void scale(struct vmt_xml *x, const struct vmt_picture_ask *ask, int64_t y)
{
	uint64_t total = ask->model->system.total_bytes, tick = tick_of(total), v;
	VMT_AUTO_BUF text = { 0 };

	for (v = 0; v <= total && total - v >= tick / 2; v += tick) {
		int64_t at = vmt_svg_part(v, total, VMT_SVG_WIDTH - 10) + 5;

		vmt_svg_line(x, "tick", at, y, at, y + 40);
		/* Where MemTotal stands below the end there is no room for another. */
		if (at < VMT_SVG_WIDTH - 1700)
			vmt_picture_put_size(x, ask, v ? "n c dim" : "n dim", v ? at : 0, y + 150,
					     true, v);
	}
	vmt_svg_line(x, "tick", VMT_SVG_WIDTH - 5, y, VMT_SVG_WIDTH - 5, y + 40);
	vmt_buf_adds(&text, "MemTotal ");
	vmt_picture_size(&text, ask, total);
	vmt_svg_text(x, "n r b", VMT_SVG_WIDTH, y + 150, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_percent(struct vmt_xml *x, int64_t left, int64_t y, const struct vmt_share *s)
{
	VMT_AUTO_BUF text = { 0 };

	if (VMT_HAS(share, total_percent, s))
		vmt_buf_addf(&text, "%" PRIu64 ".%u%%", s->total_percent / 1000,
			     (unsigned)(s->total_percent % 1000 / 100));
	else
		vmt_buf_addc(&text, '-');
	vmt_svg_text(x, "n r", left, y, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

/* What each colour is, in two columns that are read downwards. */
static void legend(struct vmt_xml *x, const struct vmt_picture_ask *ask, int64_t top)
{
	const struct vmt_model *m = ask->model;
	size_t half = (m->n_shares + 1) / 2, i;
	VMT_AUTO_BUF text = { 0 };

	for (i = 0; i < m->n_shares; i++) {
		const struct vmt_share *s = &m->shares[i];
		int64_t left = i < half ? 0 : COLUMN;
		int64_t y = top + (int64_t)(i % half) * ROW;

		vmt_svg_rect(x, colours[i], left, y, 160, 160, (struct vmt_bytes){ 0 });
		vmt_svg_rect(x, "edge", left + 5, y + 5, 150, 150, (struct vmt_bytes){ 0 });
		if (i != VMT_SHARE_FREE)
			vmt_svg_text(x, ink(i), left + 80, y + 120, s->letter);
		vmt_buf_next(&text);
		words(&text, s->name);
		vmt_svg_text(x, "", left + 260, y + 125, (struct vmt_bytes){ text.data, text.len });
		vmt_buf_next(&text);
		vmt_picture_signed(&text, ask, s->size_bytes);
		vmt_svg_text(x, "n r", left + 2000, y + 125,
			     (struct vmt_bytes){ text.data, text.len });
		put_percent(x, left + 2600, y + 125, s);
	}
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static bool derived(const struct vmt_model *m)
{
	size_t i;

	for (i = 0; i < m->n_terms; i++)
		if (!VMT_HAS(term, size_bytes, &m->terms[i]))
			return false;
	return m->n_terms == VMT_TERM_COUNT && VMT_HAS(system, available_derived_bytes, &m->system);
}

static const char *const term_names[VMT_TERM_COUNT] = { "free",	      "reserve",     "file cache",
							"kept of it", "reclaimable", "kept of it" };

static void flow_line(struct vmt_xml *x, const struct vmt_picture_ask *ask, int64_t y,
		      const char *name, const char *class, int64_t bytes)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "%s r", class);
	vmt_svg_texts(x, text.data ? text.data : "", NAME_RIGHT, y + 125, name);
	vmt_buf_next(&text);
	if (bytes > 0 && strcmp(class, "b") != 0)
		vmt_buf_addc(&text, '+');
	vmt_picture_signed(&text, ask, bytes);
	vmt_svg_text(x, strcmp(class, "b") == 0 ? "n r b" : "n r", SIZE_RIGHT, y + 125,
		     (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

/* A bar that goes on where the one above it ended: to the right for what is added. */
static void flow(struct vmt_xml *x, const struct vmt_picture_ask *ask, int64_t top)
{
	const struct vmt_model *m = ask->model;
	const int64_t width = VMT_SVG_WIDTH - FLOW_LEFT - 20;
	int64_t sum = 0, most = 1, y = top, from, to;
	size_t i;

	for (i = 0; i < m->n_terms; i++) {
		sum += m->terms[i].size_bytes;
		most = sum > most ? sum : most;
	}
	sum = 0;
	for (i = 0; i < m->n_terms; i++) {
		int64_t v = m->terms[i].size_bytes, end = sum + v;

		from = vmt_svg_part((uint64_t)(sum > 0 ? sum : 0), (uint64_t)most, width);
		to = vmt_svg_part((uint64_t)(end > 0 ? end : 0), (uint64_t)most, width);
		flow_line(x, ask, y, term_names[i], "", v);
		vmt_svg_rect(x, v < 0 ? "vermillion" : "sky", FLOW_LEFT + (v < 0 ? to : from),
			     y + 20, (v < 0 ? from - to : to - from) + 10, 130,
			     (struct vmt_bytes){ 0 });
		vmt_svg_line(x, "tick", FLOW_LEFT + to + 5, y + 20, FLOW_LEFT + to + 5,
			     y + ROW + 20);
		sum = end;
		y += ROW;
	}
	to = vmt_svg_part((uint64_t)(sum > 0 ? sum : 0), (uint64_t)most, width);
	flow_line(x, ask, y, "available", "b", sum);
	vmt_svg_rect(x, "green", FLOW_LEFT, y + 20, to + 10, 130, (struct vmt_bytes){ 0 });
}

#define LEGEND_TOP (BAR_TOP + BAR_HEIGHT + 300)
#define FLOW_TOP   (LEGEND_TOP + 4 * ROW + 200)

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	const struct vmt_model *m = ask->model;
	int64_t top = ask->alone ? VMT_PICTURE_TITLE : 0;
	struct vmt_svg_head head = { .id = "memory", .alone = ask->alone };
	VMT_AUTO_BUF desc = { 0 };
	size_t i;

	head.height = top + FLOW_TOP + (derived(m) ? (VMT_TERM_COUNT + 2) * ROW : ROW);
	head.title = VMT_BYTES("Where MemTotal went");
	vmt_buf_adds(&desc, "Of ");
	vmt_picture_size(&desc, ask, m->system.total_bytes);
	for (i = 0; i < m->n_shares; i++) {
		vmt_buf_adds(&desc, i ? ", " : ": ");
		words(&desc, m->shares[i].name);
		vmt_buf_addc(&desc, ' ');
		vmt_picture_signed(&desc, ask, m->shares[i].size_bytes);
	}
	head.desc = (struct vmt_bytes){ desc.data, desc.len };
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, ask, head.title);
	bar(x, ask, top + BAR_TOP);
	scale(x, ask, top + BAR_TOP + BAR_HEIGHT);
	legend(x, ask, top + LEGEND_TOP);
	if (derived(m)) {
		vmt_svg_texts(x, "b", 0, top + FLOW_TOP, "available, as the kernel adds it up");
		flow(x, ask, top + FLOW_TOP + 100);
	} else {
		vmt_svg_texts(x, "dim", 0, top + FLOW_TOP,
			      "available as a sum: unknown, a term of it could not be read");
	}
	vmt_svg_end(x);
	return vmt_buf_error(&desc);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	const struct vmt_model *m = ask->model;
	int r = vmt_html_table(x, &vmt_entity_part, m->parts, m->n_parts, NULL, ask);

	if (r == 0 && m->n_terms) {
		vmt_xml_element(
			x, "h4", NULL,
			VMT_BYTES("available, as si_mem_available() of the kernel adds it up"));
		r = vmt_html_table(x, &vmt_entity_term, m->terms, m->n_terms, NULL, ask);
	}
	if (r == 0)
		r = vmt_html_table(x, &vmt_entity_system, &m->system, 1,
				   "total,used,free,shared,buff/cache,available,available-sum,"
				   "residual,swap-total,swap-used",
				   ask);
	return r;
}

const struct vmt_picture vmt_picture_memory = {
	.name = "system",
	.title = "Where MemTotal went",
	.has = has,
	.draw = draw,
	.tell = tell,
};
