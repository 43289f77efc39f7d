/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/heat.h"
#include "view/html.h"

/*
 * Faults over time and address: a row for each mapping that faulted, by process and address, time
 * from left to right as it was when the probe was read, and the stronger the more faults a second.
 */

#define ROWS_MOST 40
#define ROW	  160
#define SHADES	  5

#define PID_RIGHT   560
#define COMM_LEFT   630
#define COMM_CHARS  15
#define ADDR_LEFT   1720
#define MAP_LEFT    2700
#define MAP_WIDTH   3600
#define TOTAL_RIGHT 6980
#define NAME_LEFT   7080
#define NAME_CHARS  ((VMT_SVG_WIDTH - NAME_LEFT) / VMT_SVG_MONO)

static const char *const shades[SHADES] = { "heat s1", "heat s2", "heat s3", "heat s4", "heat" };

struct heat {
	const struct vmt_heat *h;
	const struct vmt_heat_row **rows; /* heap: those that are shown, in the order of h */
	size_t n;
	uint64_t rest; /* faults of those that are not */
	uint64_t most; /* faults a second of the busiest cell */
};

static void heat_done(struct heat *s)
{
	free(s->rows);
}

static int by_total(const void *pa, const void *pb)
{
	const struct vmt_heat_row *a = *(const struct vmt_heat_row *const *)pa;
	const struct vmt_heat_row *b = *(const struct vmt_heat_row *const *)pb;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int by_place(const void *pa, const void *pb)
{
	const struct vmt_heat_row *a = *(const struct vmt_heat_row *const *)pa;
	const struct vmt_heat_row *b = *(const struct vmt_heat_row *const *)pb;

	return a < b ? -1 : a > b;
}

static uint64_t begin_of(const struct vmt_heat *h, size_t column)
{
	return column ? h->ends_ns[column - 1] : 0;
}

/* Faults a second in a cell. */
static uint64_t rate_of(const struct vmt_heat *h, const struct vmt_heat_row *r, size_t column)
{
	uint64_t ns = h->ends_ns[column] - begin_of(h, column);
	unsigned __int128 v = (unsigned __int128)r->counts[column] * 1000000000u;

	return ns ? (uint64_t)(v / ns) : 0;
}

static int choose(struct heat *s, const struct vmt_heat *h)
{
	size_t i, k;

	s->h = h;
	s->rows = calloc(h->n_rows ? h->n_rows : 1, sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (i = 0; i < h->n_rows; i++)
		s->rows[i] = &h->rows[i];
	s->n = h->n_rows;
	if (s->n > ROWS_MOST) {
		qsort(s->rows, s->n, sizeof(*s->rows), by_total);
		for (i = ROWS_MOST; i < s->n; i++)
			s->rest += s->rows[i]->total;
		s->n = ROWS_MOST;
		qsort(s->rows, s->n, sizeof(*s->rows), by_place);
	}
	for (i = 0; i < s->n; i++)
		for (k = 0; k < h->n_columns; k++) {
			uint64_t rate = rate_of(h, s->rows[i], k);

			s->most = rate > s->most ? rate : s->most;
		}
	return 0;
}

/* Each shade is for rates up to four times those of the one before it. */
static uint64_t shade_to(uint64_t most, size_t shade)
{
	return most >> 2 * (SHADES - 1 - shade);
}

static const char *shade_of(uint64_t most, uint64_t rate)
{
	size_t i;

	for (i = 0; i + 1 < SHADES; i++)
		if (rate <= shade_to(most, i))
			break;
	return shades[i];
}

static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	const struct vmt_sample *s = ask->model->sample;

	if (s->heat && s->heat->n_rows)
		return true;
	if (s->host.root.len)
		vmt_buf_adds(why, "faults are counted live, and a saved machine has none");
	else if (!s->faults)
		vmt_buf_adds(why, "faults were not counted");
	else if (s->faults->rung == VMT_RUNG_NONE)
		vmt_buf_adds(why, "faults could not be counted here: 'vmtop doctor' says why");
	else if (!(s->faults->have & VMT_HAVE_MAPS))
		vmt_buf_addf(why, "there are no mappings on the rung %s",
			     vmt_rung_name(s->faults->rung));
	else
		vmt_buf_adds(why, "no mapping faulted while they were counted");
	return false;
}

static void gist(struct vmt_buf *out, const struct heat *s, const struct vmt_model *m)
{
	vmt_buf_addf(out, "%" PRIu64 " faults in %zu mappings in ", s->h->total, s->h->n_rows);
	vmt_fmt_duration(out, s->h->ends_ns[s->h->n_columns - 1]);
	vmt_buf_addf(out, ", read %zu times", s->h->n_columns);
	if (s->n < s->h->n_rows)
		vmt_buf_addf(out, "; the %zu with most are shown, the others have %" PRIu64, s->n,
			     s->rest);
	if (VMT_HAS(probe, unattributed, &m->probe))
		vmt_buf_addf(out, "; in no known mapping %" PRIu64, m->probe.unattributed);
	if (VMT_HAS(probe, lost, &m->probe))
		vmt_buf_addf(out, "; lost %" PRIu64, m->probe.lost);
}

static void name_of(struct vmt_buf *out, const struct vmt_heat_row *r)
{
	static const char *const classes[VMT_FAULT_CLASSES] = { "[anon]", "[file]", "[shmem]",
								"[hugetlb]", "[special]" };

	if (r->path.len)
		vmt_fmt_safe(out, r->path, false);
	else
		vmt_buf_adds(out,
			     classes[r->class < VMT_FAULT_CLASSES ? r->class : VMT_FAULT_OTHER]);
}

static void address_of(struct vmt_buf *out, const struct vmt_heat_row *r)
{
	if (r->end)
		vmt_buf_addf(out, "%012" PRIx64, r->start);
	else
		vmt_buf_addc(out, '-');
}

static int64_t at_time(const struct vmt_heat *h, uint64_t ns)
{
	return MAP_LEFT + vmt_svg_part(ns, h->ends_ns[h->n_columns - 1], MAP_WIDTH);
}

static void put_cells(struct vmt_xml *x, const struct heat *s, const struct vmt_heat_row *r,
		      int64_t top)
{
	VMT_AUTO_BUF text = { 0 };
	size_t k;

	vmt_svg_rect(x, "grey ground", MAP_LEFT, top, MAP_WIDTH, ROW - 20, (struct vmt_bytes){ 0 });
	for (k = 0; k < s->h->n_columns; k++) {
		int64_t left = at_time(s->h, begin_of(s->h, k));

		if (!r->counts[k])
			continue;
		vmt_buf_next(&text);
		vmt_buf_addf(&text, "%" PRIu64 " faults, ", r->counts[k]);
		vmt_fmt_duration(&text, begin_of(s->h, k));
		vmt_buf_adds(&text, " to ");
		vmt_fmt_duration(&text, s->h->ends_ns[k]);
		vmt_svg_rect(x, shade_of(s->most, rate_of(s->h, r, k)), left, top,
			     at_time(s->h, s->h->ends_ns[k]) - left, ROW - 20,
			     (struct vmt_bytes){ text.data, text.len });
	}
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_row(struct vmt_xml *x, const struct heat *s, size_t i, int64_t top)
{
	const struct vmt_heat_row *r = s->rows[i];
	bool again = i && s->rows[i - 1]->pid == r->pid &&
		     s->rows[i - 1]->start_time_ns == r->start_time_ns && r->pid;
	VMT_AUTO_BUF text = { 0 }, fit = { 0 };
	int64_t y = top + 110;

	if (!again) {
		if (r->pid)
			vmt_buf_addu(&text, r->pid);
		vmt_svg_text(x, "n r dim", PID_RIGHT, y, (struct vmt_bytes){ text.data, text.len });
		vmt_svg_fit(&fit, r->comm, COMM_CHARS, false);
		vmt_svg_text(x, "m", COMM_LEFT, y, (struct vmt_bytes){ fit.data, fit.len });
		if (i)
			vmt_svg_line(x, "rule", 0, top - 10, VMT_SVG_WIDTH, top - 10);
	}
	vmt_buf_next(&text);
	address_of(&text, r);
	vmt_svg_text(x, "m dim", ADDR_LEFT, y, (struct vmt_bytes){ text.data, text.len });
	put_cells(x, s, r, top);
	vmt_buf_next(&text);
	vmt_buf_addu(&text, r->total);
	vmt_svg_text(x, "n r", TOTAL_RIGHT, y, (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	vmt_buf_next(&fit);
	name_of(&text, r);
	vmt_svg_fit(&fit, (struct vmt_bytes){ text.data, text.len }, NAME_CHARS, true);
	vmt_svg_text(x, r->path.len ? "m" : "m dim", NAME_LEFT, y,
		     (struct vmt_bytes){ fit.data, fit.len });
	if (vmt_buf_error(&text) < 0 || vmt_buf_error(&fit) < 0)
		x->out->error = -ENOMEM;
}

/* The shades, with the most faults a second that each is for. */
static void put_legend(struct vmt_xml *x, const struct heat *s, int64_t top)
{
	int64_t left = MAP_LEFT;
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	vmt_svg_texts(x, "dim r", left - 100, top + 110, "faults a second, up to:");
	for (i = 0; i < SHADES; i++) {
		vmt_buf_next(&text);
		vmt_buf_addu(&text, shade_to(s->most, i));
		vmt_svg_rect(x, shades[i], left, top, 240, 130, (struct vmt_bytes){ 0 });
		vmt_svg_text(x, "n", left + 300, top + 110,
			     (struct vmt_bytes){ text.data, text.len });
		left += 860;
	}
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_axis(struct vmt_xml *x, const struct heat *s, int64_t y)
{
	uint64_t all = s->h->ends_ns[s->h->n_columns - 1];
	VMT_AUTO_BUF text = { 0 };
	int i;

	for (i = 0; i <= 4; i++) {
		uint64_t ns = all / 4 * (uint64_t)i;
		int64_t at = at_time(s->h, ns);

		vmt_buf_next(&text);
		vmt_fmt_duration(&text, ns);
		vmt_svg_line(x, "tick", at, y, at, y + 40);
		vmt_svg_text(x, "n c dim", at, y + 160, (struct vmt_bytes){ text.data, text.len });
	}
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	VMT_CLEANUP(heat_done) struct heat s = { 0 };
	struct vmt_svg_head head = { .id = "heat", .alone = ask->alone };
	int64_t top = ask->alone ? VMT_PICTURE_TITLE : 0;
	VMT_AUTO_BUF text = { 0 };
	size_t i;
	int r = choose(&s, ask->model->sample->heat);

	if (r < 0)
		return r;
	gist(&text, &s, ask->model);
	head.title = VMT_BYTES("Page faults over time and address");
	head.desc = (struct vmt_bytes){ text.data, text.len };
	head.height = top + 460 + (int64_t)s.n * ROW + 460;
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, ask, head.title);
	put_legend(x, &s, top + 20);
	vmt_svg_texts(x, "dim r", PID_RIGHT, top + 350, "pid");
	vmt_svg_texts(x, "dim", COMM_LEFT, top + 350, "command");
	vmt_svg_texts(x, "dim", ADDR_LEFT, top + 350, "address");
	vmt_svg_texts(x, "dim", MAP_LEFT, top + 350, "time");
	vmt_svg_texts(x, "dim r", TOTAL_RIGHT, top + 350, "faults");
	vmt_svg_texts(x, "dim", NAME_LEFT, top + 350, "mapping");
	vmt_svg_line(x, "rule", 0, top + 410, VMT_SVG_WIDTH, top + 410);
	for (i = 0; i < s.n; i++)
		put_row(x, &s, i, top + 460 + (int64_t)i * ROW);
	put_axis(x, &s, top + 460 + (int64_t)s.n * ROW);
	vmt_svg_text(x, "n dim", 0, head.height - 60, head.desc);
	vmt_svg_end(x);
	return vmt_buf_error(&text);
}

/* When a row had most faults, and how many then. */
static size_t busiest(const struct vmt_heat *h, const struct vmt_heat_row *r)
{
	size_t k, best = 0;

	for (k = 1; k < h->n_columns; k++)
		if (rate_of(h, r, k) > rate_of(h, r, best))
			best = k;
	return best;
}

static void put_cell(struct vmt_xml *x, bool left, struct vmt_buf *text)
{
	vmt_html_cell(x, left, (struct vmt_bytes){ text->data, text->len });
	vmt_buf_next(text);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	static const char *const titles[] = { "PID",	     "<COMMAND", "<ADDRESS",	 "FAULTS",
					      "FIRST",	     "LAST",	 "BUSIEST FROM", "TO",
					      "FAULTS THEN", "A SECOND", "<MAPPING",	 NULL };
	VMT_CLEANUP(heat_done) struct heat s = { 0 };
	VMT_AUTO_BUF text = { 0 };
	size_t i, k;
	int r = choose(&s, ask->model->sample->heat);

	if (r < 0)
		return r;
	gist(&text, &s, ask->model);
	vmt_buf_adds(&text, ". FIRST and LAST are when the first and the last of them were seen.");
	vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	vmt_html_table_begin(x, titles);
	for (i = 0; i < s.n; i++) {
		const struct vmt_heat_row *row = s.rows[i];
		size_t best = busiest(s.h, row), first = 0, last = 0;

		for (k = s.h->n_columns; k--;)
			first = row->counts[k] ? k : first;
		for (k = 0; k < s.h->n_columns; k++)
			last = row->counts[k] ? k : last;
		vmt_xml_open(x, "tr");
		if (row->pid)
			vmt_buf_addu(&text, row->pid);
		else
			vmt_buf_addc(&text, '-');
		put_cell(x, false, &text);
		vmt_html_cell(x, true, row->comm);
		address_of(&text, row);
		put_cell(x, true, &text);
		vmt_buf_addu(&text, row->total);
		put_cell(x, false, &text);
		vmt_fmt_duration(&text, s.h->ends_ns[first]);
		put_cell(x, false, &text);
		vmt_fmt_duration(&text, s.h->ends_ns[last]);
		put_cell(x, false, &text);
		vmt_fmt_duration(&text, begin_of(s.h, best));
		put_cell(x, false, &text);
		vmt_fmt_duration(&text, s.h->ends_ns[best]);
		put_cell(x, false, &text);
		vmt_buf_addu(&text, row->counts[best]);
		put_cell(x, false, &text);
		vmt_buf_addu(&text, rate_of(s.h, row, best));
		put_cell(x, false, &text);
		name_of(&text, row);
		put_cell(x, true, &text);
		vmt_xml_close(x);
	}
	vmt_html_table_end(x);
	return vmt_buf_error(&text);
}

const struct vmt_picture vmt_picture_heat = {
	.name = "heat",
	.title = "Page faults over time and address",
	.has = has,
	.draw = draw,
	.tell = tell,
};
