/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/faults-sums.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "model/fault-raw.h"

/* Counting. */

static void count(struct vmt_fault_tally *t, size_t *n, struct vmt_bytes name, uint64_t faults)
{
	size_t i;

	for (i = 0; i < *n; i++) {
		if (!vmt_bytes_equal(t[i].name, name))
			continue;
		t[i].faults += faults;
		return;
	}
	/* What finds no place is in the last one, with the others. */
	if (*n == VMT_FAULT_TALLIES) {
		t[VMT_FAULT_TALLIES - 1].name = VMT_BYTES("(others)");
		t[VMT_FAULT_TALLIES - 1].faults += faults;
		return;
	}
	t[(*n)++] = (struct vmt_fault_tally){ name, faults };
}

static int most_first(const void *a, const void *b)
{
	const struct vmt_fault_tally *x = a, *y = b;

	if (x->faults != y->faults)
		return x->faults < y->faults ? 1 : -1;
	return vmt_bytes_compare(x->name, y->name);
}

void vmt_fault_sums(struct vmt_fault_sums *ret, const struct vmt_model *m,
		    const struct vmt_table *t)
{
	size_t n = vmt_table_shown(t), i, k;
	/* None of the rows before it came since the last sample. */
	const struct vmt_single *begin = m->singles + (m->n_singles - m->n_singles_new);

	*ret = (struct vmt_fault_sums){ .n_procs = 0 };
	for (i = 0; i < n; i++) {
		const struct vmt_single *one = vmt_table_row(t, i);
		uint64_t faults = VMT_HAS(single, faults_total, one) ? one->faults_total : 1;

		ret->faults += faults;
		if (one >= begin)
			ret->recent += faults;
		count(ret->procs, &ret->n_procs,
		      VMT_HAS(single, comm, one) ? one->comm : VMT_BYTES("(unknown)"), faults);
		count(ret->kinds, &ret->n_kinds,
		      VMT_HAS(single, served, one) ? one->served : VMT_BYTES("unknown"), faults);
		if (!VMT_HAS(single, latency_ns, one))
			continue;
		for (k = 0; k + 1 < VMT_FAULT_LATENCIES && one->latency_ns >= UINT64_C(500) << k;)
			k++;
		ret->latencies[k] += faults;
	}
	qsort(ret->procs, ret->n_procs, sizeof(*ret->procs), most_first);
	qsort(ret->kinds, ret->n_kinds, sizeof(*ret->kinds), most_first);
}

/* The line above the table. */

/* The time in which the faults were counted; false before there was one. */
static bool window(const struct vmt_model *m, uint64_t *ret)
{
	const struct vmt_probe_row *p = &m->probe;

	*ret = m->has_probe && VMT_HAS(probe, window_ns, p) ? p->window_ns : 0;
	return *ret != 0;
}

static bool all_rate(const struct vmt_model *m, uint64_t *ret_milli)
{
	uint64_t ns;

	return window(m, &ns) && VMT_HAS(probe, kernel, &m->probe) &&
	       vmt_rate_milli(m->probe.kernel, 0, ns, ret_milli);
}

static void rate_text(struct vmt_buf *out, bool known, uint64_t milli)
{
	if (known)
		vmt_buf_addf(out, "%" PRIu64 ".%03u", milli / 1000, (unsigned)(milli % 1000));
}

static void all_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	uint64_t milli = 0;
	bool known = all_rate(ui->model, &milli);

	rate_text(out, known, milli);
}

static void all_terms(struct vmt_explanation *e)
{
	vmt_figure_field(e, &vmt_entity_probe, VMT_FIELD_probe_kernel, &e->ui->model->probe);
	vmt_figure_field(e, &vmt_entity_probe, VMT_FIELD_probe_window_ns, &e->ui->model->probe);
}

static const struct vmt_figure all_figure = {
	.title = "page faults of all processes",
	.unit = "faults a second",
	.help = "what the kernel counted since the sample before, filtered or not",
	.formula = "kernel / window_ns",
	.value = all_value,
	.terms = all_terms,
};

/* What the limit or the ring left out of the interval is in no row. */
static bool is_least(const struct vmt_model *m)
{
	const struct vmt_probe_row *p = &m->probe;

	return (VMT_HAS(probe, singles_limited_total, p) && p->singles_limited_total) ||
	       (VMT_HAS(probe, singles_lost_total, p) && p->singles_lost_total);
}

static bool shown_rate(const struct vmt_model *m, const struct vmt_fault_sums *sums,
		       uint64_t *ret_milli)
{
	uint64_t ns;

	return window(m, &ns) && vmt_rate_milli(sums->recent, 0, ns, ret_milli);
}

static void shown_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	uint64_t milli = 0;
	bool known = shown_rate(ui->model, s->row, &milli);

	if (known && is_least(ui->model))
		vmt_buf_adds(out, "at least ");
	rate_text(out, known, milli);
}

static void shown_terms(struct vmt_explanation *e)
{
	const struct vmt_fault_sums *sums = e->spot->row;
	const struct vmt_probe_row *p = &e->ui->model->probe;

	vmt_figure_term(e,
			"faults of rows that pass the filter and came since the sample before: "
			"%" PRIu64,
			sums->recent);
	vmt_figure_field(e, &vmt_entity_probe, VMT_FIELD_probe_window_ns, p);
	vmt_figure_field(e, &vmt_entity_probe, VMT_FIELD_probe_singles_limited_total, p);
	vmt_figure_field(e, &vmt_entity_probe, VMT_FIELD_probe_singles_lost_total, p);
}

static const struct vmt_figure shown_figure = {
	.title = "page faults by the filter",
	.unit = "faults a second",
	.help = "single faults that pass the filter, since the sample before; where some were left out "
		"to keep the rate, or lost, there were more (>=)",
	.formula = "faults of those rows / window_ns",
	.value = shown_value,
	.terms = shown_terms,
};

static void kept_terms(struct vmt_explanation *e)
{
	const struct vmt_fault_sums *sums = e->spot->row;

	vmt_figure_term(e, "rows that are kept: %zu", e->ui->model->n_singles);
	vmt_figure_term(e, "faults in the rows that pass the filter: %" PRIu64, sums->faults);
}

static const struct vmt_figure kept_figure = {
	.title = "kept faults",
	.unit = "rows",
	.help = "single faults that are kept here, and how many of them pass the filter; a row may be a "
		"run of faults on adjacent pages. The oldest go first",
	.terms = kept_terms,
	.source = VMT_SOURCE_FAULT,
};

static unsigned draw_rate(struct vmt_canvas *c, unsigned y, unsigned x, bool known, uint64_t milli,
			  bool least, const struct vmt_figure *figure,
			  const struct vmt_fault_sums *sums)
{
	if (!known)
		return vmt_draw_figure(c, y, x, VMT_STYLE_DIM, figure, sums, 0, "-");
	return vmt_draw_figure(c, y, x, VMT_STYLE_STRONG, figure, sums, 0, "%s%" PRIu64 "/s",
			       least ? ">=" : "", milli / 1000 + (milli % 1000 >= 500));
}

static unsigned number(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       const char *word, unsigned field)
{
	return vmt_draw_named(ui, c, y, x, word, 0, VMT_STYLE_STRONG, &vmt_entity_probe, field,
			      &ui->model->probe);
}

/* "page faults: 1234/s  shown: all  kept 4096, limited 0, lost 0", and with a filter "all 1234/s
 * 56/s by pid:42  kept 100 of 4096, ..."; in more words where the screen is wide. */
void vmt_draw_fault_head(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
			 const struct vmt_fault_sums *sums, const struct vmt_table *t)
{
	const struct vmt_model *m = ui->model;
	const char *filter = vmt_table_filter_text(t);
	uint64_t milli = 0;
	unsigned x, room;
	bool known;

	x = vmt_canvas_puts(c, y, 0, VMT_STYLE_NORMAL,
			    c->width >= VMT_WIDE ? "page faults, all processes: "
			    : *filter		 ? "all "
						 : "page faults: ");
	known = all_rate(m, &milli);
	x = draw_rate(c, y, x, known, milli, false, &all_figure, sums);
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL,
			    *filter && c->width < VMT_WIDE ? "  " : "  shown: ");
	if (*filter) {
		known = shown_rate(m, sums, &milli);
		x = draw_rate(c, y, x, known, milli, is_least(m), &shown_figure, sums);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, " by ");
		/* What is behind it has room. */
		room = c->width > x + 50 ? c->width - x - 50 : 9;
		known = vmt_text_width(vmt_bytes_of(filter), c->ascii) > room;
		room = known ? room : vmt_text_width(vmt_bytes_of(filter), c->ascii);
		vmt_canvas_figure(c, y, x, room, &vmt_figure_chosen, NULL, 0);
		x = vmt_canvas_bytes(c, y, x, room, VMT_STYLE_STRONG, vmt_bytes_of(filter),
				     VMT_FIT_LEFT);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "  kept ");
		x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &kept_figure, sums, 0, "%zu of %zu",
				    vmt_table_shown(t), m->n_singles);
	} else {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "all  kept ");
		x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &kept_figure, sums, 0, "%zu",
				    m->n_singles);
	}
	if (!m->has_probe)
		return;
	x = number(ui, c, y, x, ", limited ", VMT_FIELD_probe_singles_limited_total);
	number(ui, c, y, x, ", lost ", VMT_FIELD_probe_singles_lost_total);
}

/* The sums below it. */

/* Of these the index says which: first those of processes, then those of kinds. */
static const struct vmt_fault_tally *tally_of(const struct vmt_spot *s)
{
	const struct vmt_fault_sums *sums = s->row;

	return s->index < VMT_FAULT_TALLIES ? &sums->procs[s->index]
					    : &sums->kinds[s->index - VMT_FAULT_TALLIES];
}

static void sum_terms(struct vmt_explanation *e, uint64_t faults)
{
	const struct vmt_fault_sums *sums = e->spot->row;

	vmt_figure_term(e, "faults of these rows: %" PRIu64, faults);
	vmt_figure_term(e, "faults of all rows that pass the filter: %" PRIu64, sums->faults);
}

static void tally_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_fault_tally *t = tally_of(s);
	const struct vmt_fault_sums *sums = s->row;
	uint64_t milli =
		sums->faults ? (uint64_t)((unsigned __int128)t->faults * 100000 / sums->faults) : 0;

	vmt_buf_addf(out, "%" PRIu64 " faults = %" PRIu64 ".%03u %%", t->faults, milli / 1000,
		     (unsigned)(milli % 1000));
}

static void tally_terms(struct vmt_explanation *e)
{
	const struct vmt_fault_tally *t = tally_of(e->spot);

	vmt_figure_term(e, "name: %.*s", (int)t->name.len, t->name.ptr);
	sum_terms(e, t->faults);
}

static const struct vmt_figure tally_figure = {
	.title = "faults of one name",
	.unit = "faults; percent",
	.help = "how many of the faults that are kept and pass the filter have that name, and what part "
		"of them that is",
	.formula = "sum of the faults of the rows; 100 * that / the same of all rows",
	.value = tally_value,
	.terms = tally_terms,
	.source = VMT_SOURCE_FAULT,
};

static void latency_terms(struct vmt_explanation *e)
{
	const struct vmt_fault_sums *sums = e->spot->row;
	size_t k = e->spot->index;

	vmt_figure_term(e, "longer than or equal to: %" PRIu64 " ns",
			k ? UINT64_C(500) << (k - 1) : 0);
	if (k + 1 < VMT_FAULT_LATENCIES)
		vmt_figure_term(e, "shorter than: %" PRIu64 " ns", UINT64_C(500) << k);
	sum_terms(e, sums->latencies[k]);
}

static const struct vmt_figure latency_figure = {
	.title = "faults of one latency",
	.unit = "faults",
	.help = "how many of the faults that are kept and pass the filter took that long; a run counts "
		"as its longest did. The bar is its part of the largest line",
	.formula = "sum of the faults of the rows",
	.terms = latency_terms,
	.source = VMT_SOURCE_FAULT,
};

static const struct vmt_figure latency_title = {
	.title = "latency",
	.unit = "faults",
	.help = "below it: faults by how long they took, in classes of which each is twice as long as "
		"the one before",
	.source = VMT_SOURCE_FAULT,
};

static void draw_tallies(struct vmt_canvas *c, struct vmt_area a, const char *title,
			 const struct vmt_fault_sums *sums, bool kinds)
{
	const struct vmt_fault_tally *t = kinds ? sums->kinds : sums->procs;
	size_t n = kinds ? sums->n_kinds : sums->n_procs, i;
	unsigned y = a.y;

	vmt_canvas_putf(c, y, a.x, VMT_STYLE_TITLE, "%-22s %10s %6s", title, "faults", "%");
	for (i = 0; i < n && ++y < a.y + a.height; i++) {
		vmt_canvas_bytes(c, y, a.x + 2, 20, VMT_STYLE_NORMAL, t[i].name, VMT_FIT_LEFT);
		vmt_canvas_putf(
			c, y, a.x + 23, VMT_STYLE_NORMAL, "%10" PRIu64 " %6.1f", t[i].faults,
			sums->faults ? 100.0 * (double)t[i].faults / (double)sums->faults : 0);
		vmt_canvas_figure(c, y, a.x + 2, 38, &tally_figure, sums,
				  i + (kinds ? VMT_FAULT_TALLIES : 0));
	}
}

/* A line for each power of two from half a microsecond on. */
static void draw_latencies(struct vmt_canvas *c, struct vmt_area a,
			   const struct vmt_fault_sums *sums)
{
	uint64_t most = 0;
	unsigned y = a.y, cells, x;
	size_t i;

	vmt_draw_figure(c, y, a.x, VMT_STYLE_TITLE, &latency_title, NULL, 0,
			"LATENCY (entry to completion, log2 buckets)");
	for (i = 0; i < VMT_FAULT_LATENCIES; i++)
		most = sums->latencies[i] > most ? sums->latencies[i] : most;
	for (i = 0; i < VMT_FAULT_LATENCIES && y + 1 < a.y + a.height; i++) {
		uint64_t faults = sums->latencies[i];
		VMT_AUTO_BUF text = { 0 };

		if (!faults)
			continue;
		y++;
		vmt_buf_adds(&text, "< ");
		vmt_fmt_duration(&text, UINT64_C(500) << i);
		vmt_canvas_bytes(c, y, a.x + 2, 10, VMT_STYLE_NORMAL,
				 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_RIGHT);
		cells = a.width > 26 ? (unsigned)(faults * (a.width - 26) / most) : 0;
		vmt_canvas_fill(c, y, a.x + 13, VMT_STYLE_CLEAN, VMT_GLYPH_FULL, cells ? cells : 1);
		x = vmt_canvas_putf(c, y, a.x + 14 + (cells ? cells : 1), VMT_STYLE_DIM, "%" PRIu64,
				    faults);
		vmt_canvas_figure(c, y, a.x + 2, x - a.x - 2, &latency_figure, sums, i);
	}
}

void vmt_draw_fault_sums(struct vmt_canvas *c, struct vmt_area a, const struct vmt_fault_sums *sums,
			 const struct vmt_table *t)
{
	const char *filter = vmt_table_filter_text(t);
	unsigned x, width;

	vmt_canvas_fill(c, a.y, 0, VMT_STYLE_DIM, VMT_GLYPH_LINE, c->width);
	x = vmt_canvas_puts(c, a.y, 1, VMT_STYLE_DIM, " sums of ");
	x = vmt_draw_figure(c, a.y, x, VMT_STYLE_NORMAL, &kept_figure, sums, 0,
			    *filter ? "%zu rows" : "all %zu rows", vmt_table_shown(t));
	if (*filter) {
		x = vmt_canvas_puts(c, a.y, x, VMT_STYLE_DIM, " by filter ");
		width = vmt_text_width(vmt_bytes_of(filter), c->ascii);
		width = width < 60 ? width : 60;
		vmt_canvas_figure(c, a.y, x, width, &vmt_figure_chosen, NULL, 0);
		x = vmt_canvas_bytes(c, a.y, x, width, VMT_STYLE_STRONG, vmt_bytes_of(filter),
				     VMT_FIT_LEFT);
	}
	vmt_canvas_puts(c, a.y, x, VMT_STYLE_DIM, " ");
	a.y++;
	a.height--;
	draw_tallies(c, (struct vmt_area){ a.y, 0, a.height, 44 }, "BY PROCESS", sums, false);
	draw_tallies(c, (struct vmt_area){ a.y, 46, a.height, 44 }, "BY KIND", sums, true);
	draw_latencies(c, (struct vmt_area){ a.y, 92, a.height, a.width > 92 ? a.width - 92 : 0 },
		       sums);
}
