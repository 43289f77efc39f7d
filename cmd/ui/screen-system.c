/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/history.h"
#include "cmd/ui/table.h"
#include "cmd/ui/system-zones.h"
#include "model/parts.h"

/* The figures that have a small picture of the last minute. */
static const struct {
	unsigned field;
	const char *name;
} watched[] = {
	{ VMT_FIELD_system_pgfault_per_second, "pgfault" },
	{ VMT_FIELD_system_pgmajfault_per_second, "pgmajfault" },
	{ VMT_FIELD_system_pswpin_per_second, "pswpin" },
	{ VMT_FIELD_system_pswpout_per_second, "pswpout" },
	{ VMT_FIELD_system_pgscan_kswapd_per_second, "pgscan_kswapd" },
	{ VMT_FIELD_system_pgscan_direct_per_second, "pgscan_direct" },
	{ VMT_FIELD_system_workingset_refault_file_per_second, "workingset_refault_file" },
	{ VMT_FIELD_system_thp_fault_alloc_per_second, "thp_fault_alloc" },
	{ VMT_FIELD_system_compact_stall_per_second, "compact_stall" },
	{ VMT_FIELD_system_numa_hint_faults_per_second, "numa_hint_faults" },
	{ VMT_FIELD_system_oom_kill_per_second, "oom_kill" },
	{ VMT_FIELD_system_nr_dirtied_per_second, "nr_dirtied" },
};

struct system_state {
	struct vmt_history *rates; /* by the field */
	/* Processes in the order in which they are listed. */
	const struct vmt_proc **faulting, **resident;
	size_t n;
};

static void done(void *state)
{
	struct system_state *s = state;

	vmt_history_free(s->rates);
	free(s->faulting);
	free(s->resident);
	free(s);
}

static int init(struct vmt_ui *ui, void **ret)
{
	struct system_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = vmt_history_new(&s->rates);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* Minor and major faults in a second, in thousandths; 0 where they are not known yet. */
static uint64_t fault_rate(const struct vmt_proc *p)
{
	uint64_t rate = 0;

	if (VMT_HAS(proc, minor_faults_per_second, p))
		rate += p->minor_faults_per_second;
	if (VMT_HAS(proc, major_faults_per_second, p))
		rate += p->major_faults_per_second;
	return rate;
}

static uint64_t rss(const struct vmt_proc *p)
{
	return VMT_HAS(proc, rss_bytes, p) ? p->rss_bytes : 0;
}

static int by_faults(const void *a, const void *b)
{
	const struct vmt_proc *p = *(const struct vmt_proc *const *)a;
	const struct vmt_proc *q = *(const struct vmt_proc *const *)b;
	uint64_t x = fault_rate(p), y = fault_rate(q);

	if (x != y)
		return x < y ? 1 : -1;
	x = rss(p);
	y = rss(q);
	return x != y ? (x < y ? 1 : -1) : p->pid < q->pid ? -1 : 1;
}

static int by_rss(const void *a, const void *b)
{
	const struct vmt_proc *p = *(const struct vmt_proc *const *)a;
	const struct vmt_proc *q = *(const struct vmt_proc *const *)b;
	uint64_t x = rss(p), y = rss(q);

	return x != y ? (x < y ? 1 : -1) : p->pid < q->pid ? -1 : 1;
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct system_state *s = state;
	const struct vmt_model *m = ui->model;
	const struct vmt_proc **p;
	size_t i;
	int r = 0;

	if (ui->place.jumped)
		vmt_history_clear(s->rates);
	vmt_history_tick(s->rates);
	for (i = 0; i < VMT_ARRAY_LEN(watched) && r == 0; i++) {
		const struct vmt_field *f = &vmt_entity_system.fields[watched[i].field];

		if (vmt_row_has(&m->system.row, f->index))
			r = vmt_history_add(s->rates, f->index, 0, vmt_field_number(f, &m->system));
	}
	p = reallocarray(s->faulting, m->n_procs + 1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	s->faulting = p;
	p = reallocarray(s->resident, m->n_procs + 1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	s->resident = p;
	s->n = m->n_procs;
	for (i = 0; i < m->n_procs; i++)
		s->faulting[i] = s->resident[i] = &m->procs[i];
	/* Only while somebody looks at them. */
	if (vmt_ui_view(ui)->screen == VMT_SCREEN_SYSTEM && s->n) {
		qsort(s->faulting, s->n, sizeof(*p), by_faults);
		qsort(s->resident, s->n, sizeof(*p), by_rss);
	}
	return r;
}

/* A value of the machine. */
static unsigned value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, unsigned field)
{
	return vmt_draw_value(ui, c, y, x, width, VMT_STYLE_NORMAL, &vmt_entity_system, field,
			      &ui->model->system);
}

static unsigned word(struct vmt_canvas *c, unsigned y, unsigned x, const char *text)
{
	return vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, text);
}

/* What the letters of the bar are, and how much of each there is. */
static void draw_shares(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	static const char *const narrow[VMT_SHARE_FREE + 1] = {
		"Anon ", " Shm ", " Krn ", " Dirty ", " Cache ", " Rslab ", " .free ",
	};
	static const char *const wide[VMT_SHARE_FREE + 1] = {
		"A anon ",    "  S shmem ", "  K kernel ", "  D dirty ",
		"  C cache ", "  R slab ",  "  . free ",
	};
	const struct vmt_model *m = ui->model;
	unsigned x = 2;
	size_t i;

	for (i = 0; i < m->n_shares && i <= VMT_SHARE_FREE; i++) {
		x = vmt_canvas_puts(c, y, x, vmt_share_style(i),
				    c->width >= VMT_WIDE ? wide[i] : narrow[i]);
		x = vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_share,
				   VMT_FIELD_share_size_bytes, &m->shares[i]);
	}
	if (c->width >= VMT_WIDE && m->n_shares) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "  other ");
		vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_DIM, &vmt_entity_share,
			       VMT_FIELD_share_size_bytes, &m->shares[VMT_SHARE_OTHER]);
	}
}

/* A term of available without its sign, which stands before it. */
static unsigned draw_term(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			  const struct vmt_term *t)
{
	VMT_AUTO_BUF text = { 0 };
	unsigned from = x;

	if (VMT_HAS(term, size_bytes, t))
		vmt_fmt_size(&text,
			     t->size_bytes < 0 ? 0 - (uint64_t)t->size_bytes
					       : (uint64_t)t->size_bytes,
			     ui->unit, ui->model->sample->host.page_size);
	else
		vmt_buf_addc(&text, '-');
	if (vmt_buf_error(&text) < 0)
		return x;
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, text.data);
	vmt_canvas_value(c, y, from, x - from, &vmt_entity_term, VMT_FIELD_term_size_bytes, t);
	return x;
}

/* available = free - reserve + file-kept + slab-kept */
static void draw_available(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	static const char *const before[VMT_TERM_COUNT] = {
		"free ", " - reserve ", " + file ", "-", " + slab ", "-",
	};
	const struct vmt_model *m = ui->model;
	const struct vmt_system *s = &m->system;
	unsigned x = 2;
	size_t i;

	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "available = ");
	for (i = 0; i < m->n_terms && i < VMT_TERM_COUNT; i++) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, before[i]);
		x = draw_term(ui, c, y, x, &m->terms[i]);
	}
	if (c->width < VMT_WIDE)
		return;
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, " = ");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_available_derived_bytes);
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "   kernel says ");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_available_bytes);
	if (!VMT_HAS(system, available_residual_bytes, s))
		return;
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, " (difference ");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_available_residual_bytes);
	vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, ")");
}

static void draw_swap(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	const struct vmt_system *s = &ui->model->system;
	unsigned x = word(c, y, 0, "SWP ");

	if (VMT_HAS(system, swap_total_bytes, s) && s->swap_total_bytes == 0) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "none configured");
	} else {
		x = value(ui, c, y, x, 0, VMT_FIELD_system_swap_used_bytes);
		x = word(c, y, x, "/");
		x = value(ui, c, y, x, 0, VMT_FIELD_system_swap_total_bytes);
	}
	x = word(c, y, x, "   Commit ");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_committed_bytes);
	x = word(c, y, x, "/");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_commit_limit_bytes);
	x = word(c, y, x, "   Zswap ");
	x = value(ui, c, y, x, 0, VMT_FIELD_system_zswap_bytes);
	x = word(c, y, x, "   HugeTLB ");
	value(ui, c, y, x, 0, VMT_FIELD_system_hugetlb_bytes);
}

static const struct vmt_figure windows = {
	.title = "windows of averages",
	.unit = "seconds",
	.help = "the three numbers behind some and full are averages of the last 10, 60 and 300 "
		"seconds, which the kernel makes; in percent of the time",
	.formula = "avg10, avg60, avg300",
	.source = VMT_SOURCE_PRESSURE,
};

static void draw_pressure(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	static const uint8_t fields[] = {
		VMT_FIELD_pressure_avg10_percent,
		VMT_FIELD_pressure_avg60_percent,
		VMT_FIELD_pressure_avg300_percent,
	};
	const struct vmt_model *m = ui->model;
	const char *reason;
	unsigned x = word(c, y, 0, "PSI ");
	size_t i, k, found = 0;

	for (i = 0; i < m->n_pressure; i++) {
		const struct vmt_pressure *p = &m->pressure[i];

		if (!vmt_bytes_is(p->resource, "memory"))
			continue;
		x = vmt_canvas_bytes(c, y, x, 4, VMT_STYLE_NORMAL, p->kind, VMT_FIT_LEFT);
		for (k = 0; k < VMT_ARRAY_LEN(fields); k++)
			x = vmt_draw_value(ui, c, y, x + 1, 5, VMT_STYLE_NORMAL,
					   &vmt_entity_pressure, fields[k], p);
		x += 3;
		found++;
	}
	reason = m->sample->sources[VMT_SOURCE_PRESSURE].reason;
	if (found)
		vmt_draw_figure(c, y, x, VMT_STYLE_DIM, &windows, NULL, 0, "%%  (10s 60s 300s)");
	else
		vmt_draw_figure(c, y, x, VMT_STYLE_DIM, &vmt_figure_reason, NULL, 0, "%s",
				reason[0] ? reason : "not on this kernel (CONFIG_PSI)");
}

/* A line of rates: words and fields by turns. */
struct rate {
	const char *word;
	unsigned field;
	unsigned width;
};

static unsigned draw_rates(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const char *title,
			   const struct rate *rates, size_t n)
{
	unsigned x;
	size_t i;

	vmt_canvas_puts(c, y, 0, VMT_STYLE_TITLE, title);
	x = 12;
	for (i = 0; i < n; i++) {
		x = word(c, y, x, rates[i].word);
		x = value(ui, c, y, x, rates[i].width, rates[i].field);
	}
	return x;
}

#define RATE(word, member, width)                                                                  \
	{                                                                                          \
		word, VMT_FIELD_system_##member##_per_second, width                                \
	}

static unsigned draw_all_rates(struct vmt_ui *ui, struct system_state *s, struct vmt_canvas *c,
			       unsigned y, bool pictures)
{
	static const struct rate faults[] = {
		RATE("minor ", minor_faults, 6),
		RATE("   major ", pgmajfault, 6),
		RATE("   thp ", thp_fault_alloc, 4),
		RATE("   fallback ", thp_fault_fallback, 3),
	};
	static const struct rate reclaim[] = {
		RATE("kswapd ", pgscan_kswapd, 5), RATE("   direct ", pgscan_direct, 5),
		RATE("   stolen ", pgsteal, 6),	   RATE("   refault ", workingset_refault, 6),
		RATE("  oom ", oom_kill, 0),
	};
	static const struct rate pages[] = {
		RATE("alloc ", pgalloc, 6),	   RATE("   freed ", pgfree, 6),
		RATE("   in ", pswpin, 6),	   RATE("   out ", pswpout, 6),
		RATE(" cmpct ", compact_stall, 0),
	};
	unsigned x;

	x = draw_rates(ui, c, y, "FAULTS/s", faults, VMT_ARRAY_LEN(faults));
	if (pictures && x + 2 < c->width) {
		unsigned room = c->width - x - 2;
		unsigned n = room < 12 ? room : c->width >= VMT_WIDE ? 60 : 12;

		n = n < room ? n : room;
		vmt_history_draw(s->rates, VMT_FIELD_system_pgfault_per_second, 0, c, y,
				 c->width >= VMT_WIDE ? c->width - n : x + 2, n, VMT_STYLE_CLEAN);
	}
	draw_rates(ui, c, y + 1, "RECLAIM/s", reclaim, VMT_ARRAY_LEN(reclaim));
	draw_rates(ui, c, y + 2, "PAGES/s", pages, VMT_ARRAY_LEN(pages));
	return y + 3;
}

/* A column of a list of processes. */
struct proc_column {
	const char *title;
	unsigned field, width;
};

static void draw_procs(struct vmt_ui *ui, struct vmt_canvas *c, struct vmt_area a,
		       const char *title, const struct proc_column *columns, size_t n_columns,
		       const struct vmt_proc *const *procs, size_t n)
{
	unsigned line, x = a.x + 14, y = a.y;
	size_t k;

	vmt_canvas_puts(c, y, a.x, VMT_STYLE_TITLE, title);
	for (k = 0; k < n_columns; k++)
		x = vmt_canvas_putf(c, y, x, VMT_STYLE_TITLE, "%*s ", (int)columns[k].width,
				    columns[k].title);
	vmt_canvas_puts(c, y, x + 2, VMT_STYLE_TITLE, "COMMAND");
	for (line = 1; line < a.height && line <= n; line++) {
		const struct vmt_proc *p = procs[line - 1];

		x = a.x + 14;
		for (k = 0; k < n_columns; k++)
			x = vmt_draw_value(ui, c, y + line, x, columns[k].width, VMT_STYLE_NORMAL,
					   &vmt_entity_proc, columns[k].field, p) +
			    1;
		x += 2;
		if (x < a.x + a.width)
			vmt_draw_text(c, y + line, x, a.x + a.width - x, VMT_STYLE_NORMAL,
				      &vmt_entity_proc, VMT_FIELD_proc_comm, p);
	}
}

static const struct proc_column faulting_columns[] = {
	{ "PID", VMT_FIELD_proc_pid, 7 },
	{ "MIN/s", VMT_FIELD_proc_minor_faults_per_second, 6 },
	{ "MAJ/s", VMT_FIELD_proc_major_faults_per_second, 6 },
	{ "RSS", VMT_FIELD_proc_rss_bytes, 5 },
	{ "dRSS", VMT_FIELD_proc_rss_delta_bytes, 6 },
};

static const struct proc_column resident_columns[] = {
	{ "PID", VMT_FIELD_proc_pid, 7 },
	{ "RSS", VMT_FIELD_proc_rss_bytes, 6 },
	{ "VSIZE", VMT_FIELD_proc_vsize_bytes, 6 },
	{ "S", VMT_FIELD_proc_state, 2 },
};

static void part_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_system *sys = &ui->model->system;
	uint64_t span;

	if (!VMT_HAS(system, total_bytes, sys) || !sys->total_bytes || !s->width)
		return;
	span = vmt_bar_span(ui, sys->total_bytes);
	vmt_buf_adds(out, "a full bar is ");
	vmt_fmt_size(out, span, VMT_SIZE_HUMAN, 0);
	vmt_buf_addf(out, ", MemTotal / %u; each of its %u cells ", 1u << ui->zoom, s->width);
	vmt_fmt_size(out, span / s->width, VMT_SIZE_HUMAN, 0);
}

static void part_terms(struct vmt_explanation *e)
{
	vmt_figure_field(e, &vmt_entity_part, VMT_FIELD_part_size_bytes, e->spot->row);
	vmt_figure_field(e, &vmt_entity_part, VMT_FIELD_part_total_percent, e->spot->row);
	vmt_figure_field(e, &vmt_entity_part, VMT_FIELD_part_from, e->spot->row);
}

static const struct vmt_figure part_bar = {
	.title = "part of MemTotal",
	.unit = "cells",
	.help = "the size of the part; + makes a full bar stand for half as much, - for twice; > at its "
		"end: the part is larger than that",
	.formula = "part / size of a full bar * cells, rounded down",
	.value = part_value,
	.terms = part_terms,
};

/* A bar in width columns, for thousandths of a percent; what contradicts MemTotal is no wider. */
static void draw_part(const struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, const struct vmt_part *p)
{
	uint64_t percent = p->total_percent < 100000 ? p->total_percent : 100000;
	uint64_t cells = (percent * width << ui->zoom) / 100000;

	vmt_canvas_fill(c, y, x, VMT_STYLE_CLEAN, VMT_GLYPH_FULL,
			cells < width ? (unsigned)cells : width);
	if (ui->zoom && cells > width)
		vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_STRONG, ">");
	vmt_canvas_figure(c, y, x, width, &part_bar, p, 0);
}

/* Where MemTotal went, part by part, with a bar for each. */
static void draw_parts(struct vmt_ui *ui, struct vmt_canvas *c, struct vmt_area a)
{
	const struct vmt_model *m = ui->model;
	unsigned y = a.y, end = a.y + a.height;
	size_t i;

	if (ui->zoom)
		vmt_draw_figure(c, y, a.x, VMT_STYLE_TITLE, &vmt_figure_scale, NULL, 0,
				"MEMORY OF THE MACHINE (where MemTotal went), bars to 1/%u of it",
				1u << ui->zoom);
	else
		vmt_canvas_puts(c, y, a.x, VMT_STYLE_TITLE,
				"MEMORY OF THE MACHINE (where MemTotal went)");
	for (i = 0; i < m->n_parts && y + 1 < end; i++) {
		const struct vmt_part *p = &m->parts[i];
		unsigned x;

		if (vmt_part_is_rare((enum vmt_part_id)i) &&
		    !(VMT_HAS(part, size_bytes, p) && p->size_bytes))
			continue;
		y++;
		vmt_draw_text(c, y, a.x + 2, 18, VMT_STYLE_NORMAL, &vmt_entity_part,
			      VMT_FIELD_part_name, p);
		x = vmt_draw_value(ui, c, y, a.x + 21, 7, VMT_STYLE_NORMAL, &vmt_entity_part,
				   VMT_FIELD_part_size_bytes, p);
		x = vmt_draw_value(ui, c, y, x + 1, 6, VMT_STYLE_NORMAL, &vmt_entity_part,
				   VMT_FIELD_part_total_percent, p);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "%  ");
		if (VMT_HAS(part, total_percent, p) && a.x + a.width > x)
			draw_part(ui, c, y, x, a.x + a.width - x, p);
	}
}

static void draw_watched(struct vmt_ui *ui, const struct system_state *s, struct vmt_canvas *c,
			 struct vmt_area a)
{
	unsigned y = a.y;
	size_t i;

	vmt_draw_figure(c, y, a.x, VMT_STYLE_TITLE, &vmt_figure_history, NULL, 0,
			"RATES, last 60 samples");
	for (i = 0; i < VMT_ARRAY_LEN(watched) && y + 1 < a.y + a.height; i++) {
		unsigned x;

		y++;
		vmt_canvas_puts(c, y, a.x + 2, VMT_STYLE_NORMAL, watched[i].name);
		x = value(ui, c, y, a.x + 26, 7, watched[i].field);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "/s ");
		vmt_history_draw(s->rates, watched[i].field, 0, c, y, x,
				 a.x + a.width > x ? a.x + a.width - x : 0, VMT_STYLE_CLEAN);
	}
}

/* Below 24 lines the pictures go, then the zones, then the legend of the bar. */
#define LINES_FULL   23
#define LINES_ZONES  18
#define LINES_LEGEND 12

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct system_state *s = state;
	unsigned y = area.y, end = area.y + area.height, half = c->width / 2;
	bool low = c->height < LINES_FULL + 1;

	vmt_draw_memory(ui, c, y++);
	if (c->height >= LINES_LEGEND) {
		draw_shares(ui, c, y++);
		draw_available(ui, c, y++);
	}
	draw_swap(ui, c, y++);
	draw_pressure(ui, c, y++);
	y += !low;
	y = draw_all_rates(ui, s, c, y, !low);
	y += !low;
	if (vmt_draw_warning(ui, c, end - 1))
		end--;
	if (c->height >= LINES_ZONES)
		y = vmt_draw_zones(ui, c, y, end) + !low;
	if (y >= end)
		return;
	if (c->width >= VMT_WIDE) {
		/* The lists of processes take what the lists of the machine leave. */
		unsigned lists = VMT_ARRAY_LEN(watched) + 3;
		unsigned procs = end - y > lists + 4 ? end - y - lists : end - y;

		draw_procs(ui, c, (struct vmt_area){ y, 0, procs, half - 2 }, "TOP FAULTING",
			   faulting_columns, VMT_ARRAY_LEN(faulting_columns), s->faulting, s->n);
		draw_procs(ui, c, (struct vmt_area){ y, half, procs, c->width - half },
			   "TOP RESIDENT", resident_columns, VMT_ARRAY_LEN(resident_columns),
			   s->resident, s->n);
		y += procs + 1;
		if (y >= end)
			return;
		draw_parts(ui, c, (struct vmt_area){ y, 0, end - y, half - 8 });
		draw_watched(ui, s, c,
			     (struct vmt_area){ y, half - 4, end - y, c->width - half + 4 });
		return;
	}
	draw_procs(ui, c, (struct vmt_area){ y, 0, end - y, c->width }, "TOP FAULTING",
		   faulting_columns, VMT_ARRAY_LEN(faulting_columns), s->faulting, s->n);
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *w)
{
	w->sources |= VMT_SOURCE_BIT(PRESSURE) | VMT_SOURCE_BIT(BUDDYINFO);
	w->procs = true;
}

/* The process that faults most. */
static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct system_state *s = state;

	if (!ret->proc.pid && s->n)
		ret->proc = (struct vmt_ui_proc){ s->faulting[0]->pid,
						  VMT_HAS(proc, start_time_ns, s->faulting[0])
							  ? s->faulting[0]->start_time_ns
							  : 0 };
}

/* Enter opens the processes. */
static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action act, bool *done_ret)
{
	struct vmt_ui_subject of = vmt_ui_subject(ui);

	if (act != VMT_ACTION_OPEN)
		return VMT_UI_NONE;
	*done_ret = true;
	return vmt_ui_open(ui, VMT_SCREEN_PROCS, &of);
}

const struct vmt_screen vmt_screen_system = {
	.name = "system",
	.title = "System",
	.help = "where the memory of the machine went",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
};
