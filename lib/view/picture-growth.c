/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/diff.h"
#include "view/html.h"

/*
 * What grew between two documents: of each row of a section the difference, from a line in the
 * middle to the right where it grew and to the left where it shrank, and beside it, on a scale of
 * its own, what there was then and is now.
 */

#define ROWS_MOST 40
#define ROW	  180
#define BAR	  130
#define NAMED	  3 /* in the description */

/* With the number of a process; without one the name stands in their place. */
#define PID_RIGHT    520
#define MATCH_LEFT   590
#define ADDRESS_LEFT 1260
#define DELTA_RIGHT  2800
#define DELTA_LEFT   2900
#define DELTA_WIDTH  1600
#define BEFORE_RIGHT 5230
#define AFTER_RIGHT  5930
#define BOTH_LEFT    6030
#define BOTH_WIDTH   1000
#define NAME_LEFT    7130
#define NAME_CHARS   ((VMT_SVG_WIDTH - NAME_LEFT) / VMT_SVG_MONO)
#define ALONE_CHARS  ((DELTA_RIGHT - 700) / VMT_SVG_MONO)

struct growth {
	const struct vmt_section *s;
	struct vmt_diff_measure of;
	const struct vmt_field *pid, *match, *address, *name, *kind;
	const void **rows; /* heap: those that are drawn, in the order of the section */
	size_t n;
	size_t n_changed, n_unknown; /* rows of the section: of the unknown it cannot be said */
	int64_t least, most; /* differences: at most 0, at least 0 */
	uint64_t largest; /* size, then or now */
};

static void growth_done(struct growth *g)
{
	free(g->rows);
}

static bool knows(const struct vmt_field *f, const void *row)
{
	return f && vmt_row_has(row, f->index);
}

static int64_t delta_of(const struct growth *g, const void *row)
{
	return knows(g->of.delta, row) ? (int64_t)vmt_field_number(g->of.delta, row) : 0;
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* A size that is known; what is negative has no length. */
static uint64_t size_of(const struct vmt_field *f, const void *row)
{
	uint64_t v = knows(f, row) ? vmt_field_number(f, row) : 0;

	return f->type == VMT_TYPE_I64 && (int64_t)v < 0 ? 0 : v;
}

static const struct vmt_field *find(const struct vmt_entity *e, const char *name)
{
	return vmt_field_find(e, vmt_bytes_of(name));
}

/* What the rows are ordered by, where that is a difference; else what is resident, or the size. */
static bool choose_measure(struct growth *g)
{
	const struct vmt_entity *e = g->s->def->entity;
	const struct vmt_field *f = g->s->sort.n ? g->s->sort.keys[0].field : NULL;

	return (f && vmt_diff_measure_of(e, f, &g->of)) || vmt_diff_measure(e, "rss", 3, &g->of) ||
	       vmt_diff_measure(e, "size", 4, &g->of);
}

static int by_magnitude(const void *pa, const void *pb, void *arg)
{
	const struct growth *g = arg;
	const void *const *a = *(const void *const *const *)pa;
	const void *const *b = *(const void *const *const *)pb;
	uint64_t x = magnitude(delta_of(g, *a)), y = magnitude(delta_of(g, *b));

	if (x != y)
		return x > y ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int by_place(const void *pa, const void *pb)
{
	const void *const *a = *(const void *const *const *)pa;
	const void *const *b = *(const void *const *const *)pb;

	return a < b ? -1 : a > b;
}

/* Rows that changed; of many those that changed most. 0 or -ENOMEM. */
static int choose_rows(struct growth *g)
{
	VMT_AUTO_FREE const void *const **places = NULL;
	size_t i;

	places = calloc(g->s->n ? g->s->n : 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (i = 0; i < g->s->n; i++) {
		if (delta_of(g, g->s->rows[i]))
			places[g->n++] = &g->s->rows[i];
		g->n_unknown += vmt_diff_is_half_known(&g->of, g->s->rows[i]);
	}
	g->n_changed = g->n;
	if (g->n > ROWS_MOST) {
		qsort_r(places, g->n, sizeof(*places), by_magnitude, g);
		g->n = ROWS_MOST;
		qsort(places, g->n, sizeof(*places), by_place);
	}
	g->rows = calloc(g->n ? g->n : 1, sizeof(*g->rows));
	if (!g->rows)
		return -ENOMEM;
	for (i = 0; i < g->n; i++) {
		const void *row = *places[i];
		int64_t delta = delta_of(g, row);
		uint64_t then = size_of(g->of.before, row), now = size_of(g->of.after, row);

		g->rows[i] = row;
		g->least = delta < g->least ? delta : g->least;
		g->most = delta > g->most ? delta : g->most;
		g->largest = then > g->largest ? then : g->largest;
		g->largest = now > g->largest ? now : g->largest;
	}
	return 0;
}

/* 0, -ENOMEM, or 1 where the rows have no difference that could be drawn. */
static int prepare(struct growth *g, const struct vmt_picture_ask *ask)
{
	const struct vmt_entity *e;

	g->s = ask->section;
	if (!g->s || !choose_measure(g))
		return 1;
	e = g->s->def->entity;
	g->pid = find(e, "pid");
	g->match = find(e, "match");
	/* Of a process that is the title of its start. */
	g->address = find(e, "start");
	if (g->address && g->address->type != VMT_TYPE_HEX)
		g->address = NULL;
	g->kind = find(e, "kind");
	g->name = find(e, "path");
	if (!g->name)
		g->name = find(e, "comm");
	if (!g->name)
		g->name = find(e, "name");
	return choose_rows(g);
}

static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	VMT_CLEANUP(growth_done) struct growth g = { 0 };
	int r = prepare(&g, ask);

	if (r == 0 && g.n)
		return true;
	if (r < 0)
		why->error = r;
	else if (r == 0 && g.n_unknown)
		vmt_buf_addf(why, "what changed is not known of %zu of %zu rows", g.n_unknown,
			     g.s->n);
	else
		vmt_buf_adds(why, r == 0 ? "nothing grew and nothing shrank"
					 : "there is nothing that could be compared");
	return false;
}

static void put_signed(struct vmt_buf *out, const struct vmt_picture_ask *ask, int64_t v)
{
	if (v > 0)
		vmt_buf_addc(out, '+');
	vmt_picture_signed(out, ask, v);
}

static void name_of(struct vmt_buf *out, const struct growth *g, const void *row)
{
	const struct vmt_bytes *name = knows(g->name, row) ? vmt_field_at(g->name, row) : NULL;

	if (name && name->len) {
		vmt_fmt_safe(out, *name, false);
	} else if (knows(g->kind, row)) {
		vmt_buf_addc(out, '[');
		vmt_fmt_safe(out, *(const struct vmt_bytes *)vmt_field_at(g->kind, row), false);
		vmt_buf_addc(out, ']');
	} else {
		vmt_buf_addc(out, '-');
	}
}

/* "RSS-DELTA: 12 of 40 rows changed: +8.00M /usr/bin/server, ..." */
static void gist(struct vmt_buf *out, const struct growth *g, const struct vmt_picture_ask *ask)
{
	VMT_AUTO_FREE bool *told = calloc(g->n, sizeof(*told));
	size_t i, k;

	if (!told) {
		out->error = -ENOMEM;
		return;
	}
	vmt_buf_addf(out, "%s: %zu of %zu rows changed", g->of.delta->title, g->n_changed, g->s->n);
	if (g->n < g->n_changed)
		vmt_buf_addf(out, ", drawn are the %zu that changed most", g->n);
	if (g->n_unknown)
		vmt_buf_addf(out, ", of %zu it is not known", g->n_unknown);
	vmt_buf_adds(out, ": ");
	for (k = 0; k < NAMED && k < g->n; k++) {
		size_t best = SIZE_MAX;

		for (i = 0; i < g->n; i++)
			if (!told[i] &&
			    (best == SIZE_MAX || magnitude(delta_of(g, g->rows[i])) >
							 magnitude(delta_of(g, g->rows[best]))))
				best = i;
		told[best] = true;
		vmt_buf_adds(out, k ? ", " : "");
		put_signed(out, ask, delta_of(g, g->rows[best]));
		vmt_buf_addc(out, ' ');
		name_of(out, g, g->rows[best]);
	}
	if (g->n > NAMED)
		vmt_buf_adds(out, ", ...");
}

/* Where a difference ends, in the left one of the two scales. */
static int64_t at_delta(const struct growth *g, int64_t v)
{
	uint64_t whole = magnitude(g->least) + magnitude(g->most);
	int64_t zero = vmt_svg_part(magnitude(g->least), whole, DELTA_WIDTH);
	int64_t part = vmt_svg_part(magnitude(v), whole, DELTA_WIDTH);

	return DELTA_LEFT + (v < 0 ? zero - part : zero + part);
}

/* At least a pixel, where there is something. */
static int64_t seen(int64_t width)
{
	return width < 10 ? 10 : width;
}

static void put_bars(struct vmt_xml *x, const struct growth *g, const void *row, int64_t top,
		     struct vmt_bytes title)
{
	const int64_t delta = delta_of(g, row), zero = at_delta(g, 0), end = at_delta(g, delta);
	const uint64_t then = size_of(g->of.before, row), now = size_of(g->of.after, row);
	const int64_t kept = vmt_svg_part(then < now ? then : now, g->largest, BOTH_WIDTH);
	const int64_t all = vmt_svg_part(then < now ? now : then, g->largest, BOTH_WIDTH);

	if (delta > 0)
		vmt_svg_rect(x, "vermillion", zero, top, seen(end - zero), BAR, title);
	else if (delta < 0)
		vmt_svg_rect(x, "green", zero - seen(zero - end), top, seen(zero - end), BAR,
			     title);
	if (kept)
		vmt_svg_rect(x, "sky", BOTH_LEFT, top, kept, BAR, (struct vmt_bytes){ 0 });
	if (now > then)
		vmt_svg_rect(x, "vermillion", BOTH_LEFT + kept, top, seen(all - kept), BAR,
			     (struct vmt_bytes){ 0 });
	else if (then > now)
		vmt_svg_hatch(x, BOTH_LEFT + kept, top, seen(all - kept), BAR);
}

static void put_cell(struct vmt_xml *x, const struct vmt_picture_ask *ask,
		     const struct vmt_field *f, const void *row, const char *class, int64_t left,
		     int64_t y, size_t columns)
{
	uint64_t page = ask->model->sample->host.page_size;
	VMT_AUTO_BUF text = { 0 }, fit = { 0 };

	if (!knows(f, row))
		return;
	vmt_cell_text(&text, f, row, ask->opts, page);
	vmt_svg_fit(&fit, (struct vmt_bytes){ text.data, text.len }, columns, false);
	vmt_svg_text(x, class, left, y, (struct vmt_bytes){ fit.data, fit.len });
	if (vmt_buf_error(&text) < 0 || vmt_buf_error(&fit) < 0)
		x->out->error = -ENOMEM;
}

static void put_size(struct vmt_xml *x, const struct vmt_picture_ask *ask,
		     const struct vmt_field *f, const void *row, int64_t right, int64_t y)
{
	VMT_AUTO_BUF text = { 0 };

	if (knows(f, row) && f->type == VMT_TYPE_I64)
		vmt_picture_signed(&text, ask, (int64_t)vmt_field_number(f, row));
	else if (knows(f, row))
		vmt_picture_size(&text, ask, vmt_field_number(f, row));
	else
		vmt_buf_addc(&text, '-');
	vmt_svg_text(x, "n r", right, y, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_row(struct vmt_xml *x, const struct growth *g, const struct vmt_picture_ask *ask,
		    const void *row, int64_t top)
{
	VMT_AUTO_BUF text = { 0 }, name = { 0 };
	int64_t y = top + 110;

	name_of(&name, g, row);
	vmt_buf_add(&text, name.data, name.len);
	vmt_buf_adds(&text, ": ");
	put_signed(&text, ask, delta_of(g, row));
	put_bars(x, g, row, top, (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	vmt_svg_fit(&text, (struct vmt_bytes){ name.data, name.len },
		    g->pid ? NAME_CHARS : ALONE_CHARS, true);
	vmt_svg_text(x, "m", g->pid ? NAME_LEFT : 0, y, (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	if (g->pid) {
		put_cell(x, ask, g->pid, row, "n r dim", PID_RIGHT, y, 10);
		put_cell(x, ask, g->match, row, "m", MATCH_LEFT, y, 9);
		put_cell(x, ask, g->address, row, "m dim", ADDRESS_LEFT, y, 16);
	}
	put_signed(&text, ask, delta_of(g, row));
	vmt_svg_text(x, "n r b", DELTA_RIGHT, y, (struct vmt_bytes){ text.data, text.len });
	put_size(x, ask, g->of.before, row, BEFORE_RIGHT, y);
	put_size(x, ask, g->of.after, row, AFTER_RIGHT, y);
	if (vmt_buf_error(&text) < 0 || vmt_buf_error(&name) < 0)
		x->out->error = -ENOMEM;
}

static void put_legend(struct vmt_xml *x, int64_t top)
{
	vmt_svg_rect(x, "vermillion", DELTA_LEFT, top, 160, BAR, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "dim", DELTA_LEFT + 230, top + 110, "grown, or new");
	vmt_svg_rect(x, "green", DELTA_LEFT + 1300, top, 160, BAR, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "dim", DELTA_LEFT + 1530, top + 110, "shrunk, or gone");
	vmt_svg_rect(x, "sky", BOTH_LEFT, top, 160, BAR, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "dim", BOTH_LEFT + 230, top + 110, "then and now");
	vmt_svg_hatch(x, BOTH_LEFT + 1250, top, 160, BAR);
	vmt_svg_texts(x, "dim", BOTH_LEFT + 1480, top + 110, "then, and no more");
}

static void put_headings(struct vmt_xml *x, const struct growth *g, int64_t y)
{
	if (g->pid) {
		vmt_svg_texts(x, "dim r", PID_RIGHT, y, "pid");
		vmt_svg_texts(x, "dim", MATCH_LEFT, y, g->match ? "match" : "");
		vmt_svg_texts(x, "dim", ADDRESS_LEFT, y, g->address ? "address" : "");
		vmt_svg_texts(x, "dim", NAME_LEFT, y, g->address ? "mapping" : "command");
	}
	vmt_svg_texts(x, "dim r", DELTA_RIGHT, y, "difference");
	vmt_svg_texts(x, "dim r", BEFORE_RIGHT, y, "then");
	vmt_svg_texts(x, "dim r", AFTER_RIGHT, y, "now");
	vmt_svg_line(x, "rule", 0, y + 70, VMT_SVG_WIDTH, y + 70);
}

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *from)
{
	VMT_CLEANUP(growth_done) struct growth g = { 0 };
	struct vmt_picture_ask ask = *from;
	struct vmt_svg_head head = { .alone = ask.alone };
	int64_t top = ask.alone ? VMT_PICTURE_TITLE : 0, bottom;
	VMT_AUTO_BUF text = { 0 }, id = { 0 };
	size_t i;
	int r = prepare(&g, &ask);

	if (r || !g.n)
		return r < 0 ? r : 0;
	ask.largest = g.largest;
	gist(&text, &g, &ask);
	vmt_buf_addf(&id, "growth-%s", g.s->def->key);
	vmt_buf_addc(&id, '\0');
	if (vmt_buf_error(&text) < 0 || vmt_buf_error(&id) < 0)
		return -ENOMEM;
	head.id = id.data;
	head.title = VMT_BYTES("What grew");
	head.desc = (struct vmt_bytes){ text.data, text.len };
	head.height = top + 460 + (int64_t)g.n * ROW + 260;
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, &ask, head.title);
	put_legend(x, top + 20);
	put_headings(x, &g, top + 350);
	for (i = 0; i < g.n; i++)
		put_row(x, &g, &ask, g.rows[i], top + 460 + (int64_t)i * ROW);
	bottom = top + 460 + (int64_t)g.n * ROW - 20;
	vmt_svg_line(x, "tick", at_delta(&g, 0), top + 440, at_delta(&g, 0), bottom);
	vmt_svg_line(x, "tick", BOTH_LEFT, top + 440, BOTH_LEFT, bottom);
	vmt_buf_next(&text);
	vmt_buf_addf(&text, "%s: %zu rows of %zu are drawn; no bar is thinner than a pixel",
		     g.of.delta->title, g.n, g.s->n);
	if (g.n_unknown)
		vmt_buf_addf(&text, "; of %zu it is not known", g.n_unknown);
	vmt_svg_text(x, "n dim", 0, bottom + 200, (struct vmt_bytes){ text.data, text.len });
	vmt_svg_end(x);
	return vmt_buf_error(&text);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	return vmt_html_section(x, ask->section, ask);
}

const struct vmt_picture vmt_picture_growth = {
	.name = "growth",
	.title = "What grew",
	.has = has,
	.draw = draw,
	.tell = tell,
};
