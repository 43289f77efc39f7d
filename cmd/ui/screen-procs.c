/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/history.h"
#include "cmd/ui/table.h"

/* Older PSS is marked. */
#define OLD_NS UINT64_C(10000000000)

struct procs_state {
	struct vmt_table *table;
	struct vmt_history *faults; /* of each process: faults in a second */
	size_t faulting; /* processes that faulted in the last interval */
	bool has_rates; /* whether there was one */
	bool loaded; /* the table has the rows of the model */
	/* The view whose process was selected. */
	size_t view;
	struct vmt_ui_proc of;
};

static bool is_old(const struct vmt_ui *ui, const struct vmt_proc *p)
{
	uint64_t now = ui->model->sample->host.monotonic_ns;

	if (!VMT_HAS(proc, pss_read_ns, p))
		return false;
	return (VMT_HAS(proc, pss_behind, p) && p->pss_behind) ||
	       (now > p->pss_read_ns && now - p->pss_read_ns > OLD_NS);
}

/* '~' behind it where the process is another one by now. */
static void draw_pss(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		     unsigned width, enum vmt_style style, const void *row)
{
	unsigned end = vmt_draw_value(ui, c, y, x, width, style, &vmt_entity_proc,
				      VMT_FIELD_proc_pss_bytes, row);

	if (VMT_HAS(proc, pss_bytes, (const struct vmt_proc *)row) && is_old(ui, row))
		vmt_canvas_puts(c, y, end, VMT_STYLE_DIM, "~");
}

static void draw_faults(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	const struct procs_state *s = ui->states[VMT_SCREEN_PROCS];
	const struct vmt_proc *p = row;

	if (VMT_HAS(proc, start_time_ns, p))
		vmt_history_draw(s->faults, p->pid, p->start_time_ns, c, y, x, width,
				 style == VMT_STYLE_NORMAL ? VMT_STYLE_ANON : style);
}

#define FIELD(member) VMT_FIELD_proc_##member

/* clang-format off */
static const struct vmt_table_column columns[] = {
	{ .field = FIELD(pid), .width = 6, .fit = VMT_FIT_RIGHT },
	{ .field = FIELD(user), .width = 7, .priority = 14 },
	{ .field = FIELD(vsize_bytes), .title = "VIRT", .width = 5, .priority = 22,
	  .fit = VMT_FIT_RIGHT, .wide_gap = 3 },
	{ .field = FIELD(rss_bytes), .width = 5, .fit = VMT_FIT_RIGHT, .wide_gap = 1 },
	{ .field = FIELD(pss_bytes), .width = 5, .priority = 10, .fit = VMT_FIT_RIGHT,
	  .draw = draw_pss, .gap = 1, .wide_gap = 1 },
	{ .field = FIELD(anonymous_bytes), .width = 5, .priority = 16, .fit = VMT_FIT_RIGHT,
	  .wide_gap = 1 },
	{ .field = FIELD(file_bytes), .width = 5, .priority = 18, .fit = VMT_FIT_RIGHT,
	  .wide_gap = 1 },
	{ .field = FIELD(shmem_bytes), .title = "SHM", .width = 5, .priority = 24,
	  .fit = VMT_FIT_RIGHT, .wide_gap = 1 },
	{ .field = FIELD(swap_bytes), .width = 5, .priority = 12, .fit = VMT_FIT_RIGHT,
	  .wide_gap = 1 },
	{ .field = FIELD(anon_huge_pages_bytes), .title = "HUGE", .width = 5, .priority = 26,
	  .fit = VMT_FIT_RIGHT, .wide_gap = 1 },
	{ .field = FIELD(rss_per_second_bytes), .title = "dRSS/s", .width = 6, .priority = 8,
	  .fit = VMT_FIT_RIGHT, .gap = 1, .wide_gap = 1 },
	{ .field = FIELD(minor_faults_per_second), .title = "MIN/s", .width = 5, .priority = 4,
	  .fit = VMT_FIT_RIGHT, .gap = 1 },
	{ .field = FIELD(major_faults_per_second), .title = "MAJ/s", .width = 5, .priority = 6,
	  .fit = VMT_FIT_RIGHT, .wide_gap = 1 },
	{ .field = VMT_TABLE_PICTURE, .title = "FAULTS", .width = 12, .priority = 28,
	  .draw = draw_faults, .wide_gap = 1, .figure = &vmt_figure_history },
	/* More files of each process on the screen: for who chooses them. */
	{ .field = FIELD(oom_score), .width = 4, .priority = 32, .fit = VMT_FIT_RIGHT, .off = true,
	  .wide_gap = 1 },
	{ .field = FIELD(cmdline), .width = 30, .wide = 48, .priority = 34, .fit = VMT_FIT_LEFT,
	  .off = true, .wide_gap = 1 },
	{ .field = FIELD(cgroup), .width = 18, .priority = 30, .fit = VMT_FIT_TAIL,
	  .wide_gap = 1 },
	{ .field = FIELD(comm), .least = 8, .fit = VMT_FIT_LEFT },
};
/* clang-format on */

static const unsigned identity[] = { FIELD(pid), FIELD(start_time_ns) };

static const struct vmt_table_word words[] = {
	{ "pid", FIELD(pid) },	 { "user", FIELD(user) },   { "cg", FIELD(cgroup) },
	{ "comm", FIELD(comm) }, { "cmd", FIELD(cmdline) },
};

static const struct vmt_table_def table_def = {
	.entity = &vmt_entity_proc,
	.columns = columns,
	.n_columns = VMT_ARRAY_LEN(columns),
	.sort = "-rss",
	.identity = identity,
	.n_identity = VMT_ARRAY_LEN(identity),
	.words = words,
	.n_words = VMT_ARRAY_LEN(words),
	.tree = true,
	.tree_id = FIELD(pid),
	.tree_above = FIELD(ppid),
};

static void done(void *state)
{
	struct procs_state *s = state;

	vmt_history_free(s->faults);
	vmt_table_free(s->table);
	free(s);
}

static int init(struct vmt_ui *ui, void **ret)
{
	struct procs_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = vmt_table_new(&table_def, &s->table);
	if (r == 0)
		r = vmt_history_new(&s->faults);
	if (r == 0 && ui->opts.sort)
		r = vmt_table_sort(ui, s->table, ui->opts.sort, NULL);
	if (r == 0 && ui->opts.filter)
		r = vmt_table_filter(ui, s->table, ui->opts.filter, NULL);
	if (r < 0) {
		done(s);
		return r;
	}
	*ret = s;
	return 0;
}

static bool is_shown(const struct vmt_ui *ui)
{
	return vmt_ui_view(ui)->screen == VMT_SCREEN_PROCS;
}

/* The process that the view was opened for is the one that is selected, at first. */
static void select_subject(struct vmt_ui *ui, struct procs_state *s)
{
	const struct vmt_ui_proc *of = &vmt_ui_view(ui)->subject.proc;
	const struct vmt_proc *p;

	if (s->view == ui->n_views && s->of.pid == of->pid &&
	    s->of.start_time_ns == of->start_time_ns)
		return;
	p = of->pid ? vmt_sample_proc(ui->model->sample, of->pid) : NULL;
	if (p && VMT_HAS(proc, start_time_ns, p) &&
	    (!of->start_time_ns || of->start_time_ns == p->start_time_ns))
		vmt_table_select(s->table, p);
	s->view = ui->n_views;
	s->of = *of;
}

static int load(struct vmt_ui *ui, struct procs_state *s)
{
	const struct vmt_model *m = ui->model;
	int r;

	if (s->loaded)
		return 0;
	r = vmt_table_rows(ui, s->table, m->procs, m->n_procs);
	if (r < 0)
		return r;
	s->loaded = true;
	/* Other screens do not list the processes; they are there with the next sample. */
	if (m->n_procs)
		select_subject(ui, s);
	return 0;
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct procs_state *s = state;
	const struct vmt_model *m = ui->model;
	size_t i;
	int r;

	if (ui->place.jumped)
		vmt_history_clear(s->faults);
	vmt_history_tick(s->faults);
	s->faulting = 0;
	s->has_rates = false;
	for (i = 0; i < m->n_procs; i++) {
		const struct vmt_proc *p = &m->procs[i];
		uint64_t rate = 0;

		if (!VMT_HAS(proc, minor_faults_per_second, p) ||
		    !VMT_HAS(proc, major_faults_per_second, p))
			continue;
		rate = p->minor_faults_per_second + p->major_faults_per_second;
		s->faulting += rate > 0;
		s->has_rates = true;
		r = vmt_history_add(s->faults, p->pid, p->start_time_ns, rate);
		if (r < 0)
			return r;
	}
	s->loaded = false;
	/* Those of the model before are gone; ordering them is for who looks at them. */
	return is_shown(ui) ? load(ui, s) : vmt_table_rows(ui, s->table, NULL, 0);
}

static void faulting_value(struct vmt_buf *out, const struct vmt_ui *ui,
			   const struct vmt_spot *spot)
{
	const struct procs_state *s = ui->states[VMT_SCREEN_PROCS];

	(void)spot;
	if (s->has_rates)
		vmt_buf_addf(out, "%zu of %zu processes", s->faulting, vmt_table_total(s->table));
}

static const struct vmt_figure faulting = {
	.title = "processes that fault",
	.unit = "processes",
	.help = "how many had a page fault between this sample and the one before",
	.formula =
		"processes whose min_flt or maj_flt of /proc/PID/stat is another one than before",
	.value = faulting_value,
	.source = VMT_SOURCE_STAT,
};

static const struct vmt_figure sampled = {
	.title = "how PSS is read",
	.unit = "none: words",
	.help = "smaps_rollup of a process is dear: it is read of rows on the screen alone, and within "
		"a budget; ~ marks what is older than 10 s, or was read before the process faulted",
	.source = VMT_SOURCE_ROLLUP,
};

/* "416 processes, 2 faulting   filter: none   sort: RSS v               1-18 of 416" */
static void draw_state(struct vmt_ui *ui, const struct procs_state *s, struct vmt_canvas *c,
		       unsigned y)
{
	static const char note[] = "PSS sampled for visible rows only (~ = older than 10 s, or it "
				   "faulted since)";
	VMT_AUTO_BUF state = { 0 }, range = { 0 };
	size_t total = vmt_table_total(s->table);
	const char *right;
	unsigned x, width;

	vmt_table_state(s->table, &state, &range);
	if (vmt_buf_error(&state) < 0 || vmt_buf_error(&range) < 0) {
		c->error = -ENOMEM;
		return;
	}
	x = vmt_draw_figure(c, y, 0, VMT_STYLE_NORMAL, &vmt_figure_rows, NULL, 0, "%zu", total);
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, total == 1 ? " process, " : " processes, ");
	/* In the first sample, and of a saved machine, it is not known how many. */
	x = s->has_rates ? vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &faulting, NULL, 0, "%zu",
					   s->faulting)
			 : vmt_draw_figure(c, y, x, VMT_STYLE_DIM, &faulting, NULL, 0, "-");
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, " faulting   ");
	width = vmt_text_width((struct vmt_bytes){ state.data, state.len }, c->ascii);
	vmt_canvas_figure(c, y, x, width, &vmt_figure_chosen, NULL, 0);
	x = vmt_canvas_bytes(c, y, x, width, VMT_STYLE_NORMAL,
			     (struct vmt_bytes){ state.data, state.len }, VMT_FIT_LEFT);
	right = c->width >= x + sizeof(note) + 2 ? note : range.data;
	width = right ? (unsigned)strlen(right) : 0;
	if (width && x + 1 + width <= c->width)
		vmt_draw_figure(c, y, c->width - width,
				right == note ? VMT_STYLE_DIM : VMT_STYLE_NORMAL,
				right == note ? &sampled : &vmt_figure_range, NULL, 0, "%s", right);
}

/* A value with its name before it; the column behind both. Where it has no room, neither is there.
 */
static unsigned named(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      const char *name, unsigned field, const struct vmt_proc *p)
{
	unsigned width = (unsigned)strlen(name);

	if (x + width + 6 > c->width)
		return x;
	return vmt_draw_named(ui, c, y, x, name, 0, VMT_STYLE_NORMAL, &vmt_entity_proc, field, p) +
	       2;
}

static void draw_who(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_proc *p)
{
	unsigned x =
		vmt_draw_value(ui, c, y, 1, 0, VMT_STYLE_STRONG, &vmt_entity_proc, FIELD(pid), p);

	x = vmt_draw_text(c, y, x + 1, 15, VMT_STYLE_NORMAL, &vmt_entity_proc, FIELD(comm), p);
	x = named(ui, c, y, x + 3, "state ", FIELD(state), p);
	if (VMT_HAS(proc, start_time_ns, p)) {
		unsigned from = vmt_canvas_puts(c, y, x + 1, VMT_STYLE_DIM, "started ");

		x = vmt_canvas_putf(c, y, from, VMT_STYLE_NORMAL, "%" PRIu64 "s",
				    p->start_time_ns / 1000000000);
		vmt_canvas_value(c, y, from, x - from, &vmt_entity_proc, FIELD(start_time_ns), p);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, " after boot") + 2;
	}
	x = named(ui, c, y, x + 1, "threads ", FIELD(threads), p);
	x = named(ui, c, y, x + 1, "parent ", FIELD(ppid), p);
	x = named(ui, c, y, x + 1, "peak RSS ", FIELD(peak_rss_bytes), p);
	x = named(ui, c, y, x + 1, "page tables ", FIELD(page_table_bytes), p);
	if (VMT_HAS(proc, oom_score_adj, p))
		x = named(ui, c, y, x + 1, "oom_score_adj ", FIELD(oom_score_adj), p);
	if (x + 20 < c->width && VMT_HAS(proc, cgroup, p)) {
		x = vmt_canvas_puts(c, y, x + 1, VMT_STYLE_DIM, "cgroup ");
		vmt_draw_text(c, y, x, c->width - x, VMT_STYLE_NORMAL, &vmt_entity_proc,
			      FIELD(cgroup), p);
	}
}

static void draw_rollup(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
			const struct vmt_proc *p)
{
	static const struct {
		const char *name;
		unsigned field;
	} parts[] = {
		{ "Rss ", FIELD(rollup_rss_bytes) },
		{ "Pss ", FIELD(pss_bytes) },
		{ "Pss_Dirty ", FIELD(pss_dirty_bytes) },
		{ "Pss_Anon ", FIELD(pss_anon_bytes) },
		{ "Pss_File ", FIELD(pss_file_bytes) },
		{ "Private_Clean ", FIELD(private_clean_bytes) },
		{ "Private_Dirty ", FIELD(private_dirty_bytes) },
		{ "Referenced ", FIELD(referenced_bytes) },
		{ "AnonHugePages ", FIELD(anon_huge_pages_bytes) },
	};
	unsigned x = vmt_canvas_puts(c, y, 1, VMT_STYLE_STRONG, "smaps_rollup  ");
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(parts); i++)
		x = named(ui, c, y, x, parts[i].name, parts[i].field, p);
}

static void ago_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_proc *p = s->row;
	uint64_t now = ui->model->sample->host.monotonic_ns;

	if (now > p->pss_read_ns)
		vmt_fmt_duration(out, now - p->pss_read_ns);
}

static void ago_terms(struct vmt_explanation *e)
{
	vmt_figure_term(e, "begin of the sample, CLOCK_MONOTONIC: %" PRIu64 " ns",
			e->ui->model->sample->host.monotonic_ns);
	vmt_figure_field(e, &vmt_entity_proc, FIELD(pss_read_ns), e->spot->row);
}

static const struct vmt_figure read_ago = {
	.title = "age of smaps_rollup",
	.unit = "seconds",
	.help = "how long before this sample the figures above were read; rounded down",
	.formula = "begin of the sample - pss_read_ns",
	.value = ago_value,
	.terms = ago_terms,
};

/* What reading those figures cost, and when that was; or why there are none. */
static void draw_cost(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, const struct vmt_proc *p)
{
	uint64_t now = ui->model->sample->host.monotonic_ns;
	unsigned x;

	if (!VMT_HAS(proc, pss_read_ns, p)) {
		x = vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM, "smaps_rollup was not read: ");
		vmt_draw_text(c, y, x, 20, VMT_STYLE_NORMAL, &vmt_entity_proc, FIELD(read_status),
			      p);
		return;
	}
	x = vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM, "cost of this read: ");
	x = vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_NORMAL, &vmt_entity_proc, FIELD(pss_cpu_ns),
			   p);
	if (now > p->pss_read_ns)
		x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &read_ago, p, 0,
				    ", %" PRIu64 " s ago", (now - p->pss_read_ns) / 1000000000);
	vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, " (walks page tables under mmap_lock)");
}

/* The selected process: four lines below a rule. */
#define PANE_LINES  5
#define PANE_HEIGHT 40

static void draw_pane(struct vmt_ui *ui, const struct procs_state *s, struct vmt_canvas *c,
		      unsigned y)
{
	const struct vmt_proc *p = vmt_table_selected(s->table);

	vmt_canvas_fill(c, y, 0, VMT_STYLE_DIM, VMT_GLYPH_LINE, c->width);
	if (!p)
		return;
	draw_who(ui, c, y + 1, p);
	draw_rollup(ui, c, y + 2, p);
	draw_cost(ui, c, y + 3, p);
	if (!ui->opts.batch)
		vmt_canvas_puts(
			c, y + 4, 1, VMT_STYLE_DIM,
			"Enter VMAs   t tree   p page map   f faults   R one-shot report of "
			"this process");
}

/* Why some PSS on the screen is not known; false where all is. */
static bool draw_reason(struct vmt_ui *ui, const struct procs_state *s, struct vmt_canvas *c,
			unsigned y)
{
	const struct vmt_source_row *source = &ui->model->sources[VMT_SOURCE_ROLLUP - 1];
	size_t n, i, refused = 0, waiting = 0;
	const void *const *rows = vmt_table_visible(s->table, &n);
	VMT_AUTO_BUF line = { 0 };

	for (i = 0; i < n; i++) {
		const struct vmt_proc *p = rows[i];

		if (VMT_HAS(proc, pss_bytes, p) || !VMT_HAS(proc, class, p) ||
		    !vmt_bytes_is(p->class, "user"))
			continue;
		if (VMT_HAS(proc, read_status, p))
			refused++;
		else
			waiting++;
	}
	if (!refused && !waiting)
		return false;
	vmt_buf_adds(&line, "PSS -: ");
	if (waiting)
		vmt_buf_addf(&line, "%zu not %s%s", waiting,
			     ui->opts.replay ? "recorded" : "read yet", refused ? "; " : "");
	if (refused && VMT_HAS(source, reason, source))
		vmt_buf_add(&line, source->reason.ptr, source->reason.len);
	if (refused && VMT_HAS(source, fix, source))
		vmt_buf_adds(&line, "; see vmtop doctor");
	if (vmt_buf_error(&line) < 0) {
		c->error = -ENOMEM;
		return false;
	}
	vmt_draw_reason(c, y, (struct vmt_bytes){ line.data, line.len });
	return true;
}

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct procs_state *s = state;
	unsigned y = area.y, end = area.y + area.height;
	bool pane = c->height >= PANE_HEIGHT;
	struct vmt_area rows = { .x = area.x, .width = area.width };

	if (load(ui, s) < 0) {
		c->error = -ENOMEM;
		return;
	}
	vmt_draw_memory(ui, c, y++);
	rows.y = y + 1;
	end--;
	rows.height = end - rows.y - (pane ? PANE_LINES + 1 : 0);
	vmt_table_draw(ui, s->table, c, rows);
	/* What is shown is known once the table was drawn. */
	draw_state(ui, s, c, y);
	if (pane)
		draw_pane(ui, s, c, rows.y + rows.height);
	if (!draw_reason(ui, s, c, end))
		vmt_draw_warning(ui, c, end);
}

static struct vmt_ui_proc row_of(const struct vmt_proc *p)
{
	return (struct vmt_ui_proc){ p->pid,
				     VMT_HAS(proc, start_time_ns, p) ? p->start_time_ns : 0 };
}

/* What of all processes is needed so that they can be ordered and filtered. */
static uint64_t of_all(const struct vmt_table *t)
{
	struct vmt_want all = { 0 };
	uint64_t cheap = 0;
	size_t i;

	if (vmt_table_filter_text(t)[0])
		vmt_table_want(t, &all);
	for (i = 0; i < vmt_table_choices(t); i++) {
		struct vmt_table_choice choice = vmt_table_choice(t, i);

		if (choice.sorted && choice.field)
			vmt_want_field(&all, choice.field);
	}
	return vmt_want_sources(&all, &cheap);
}

/* Where the order is by a figure of smaps_rollup, those that might be first: PSS is no more than
 * RSS, so the largest of which nothing was read. */
#define CANDIDATES 32

static void want_candidates(const struct vmt_ui *ui, struct vmt_ui_want *w)
{
	const struct vmt_model *m = ui->model;
	const struct vmt_proc *best[CANDIDATES];
	size_t n = 0, i, k;

	for (i = 0; m && i < m->n_procs; i++) {
		const struct vmt_proc *p = &m->procs[i];

		if (!VMT_HAS(proc, rss_bytes, p) || VMT_HAS(proc, read_status, p))
			continue;
		for (k = n; k > 0 && best[k - 1]->rss_bytes < p->rss_bytes; k--)
			if (k < CANDIDATES)
				best[k] = best[k - 1];
		if (k < CANDIDATES) {
			best[k] = p;
			n += n < CANDIDATES;
		}
	}
	for (i = 0; i < n && w->n_rows + w->n_candidates < VMT_UI_ROWS_MAX; i++)
		w->rows[w->n_rows + w->n_candidates++] = row_of(best[i]);
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *w)
{
	const uint64_t cheap = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(CGROUP);
	const struct procs_state *s = state;
	struct vmt_want shown = { 0 };
	const struct vmt_proc *selected;
	const void *const *rows;
	uint64_t also = 0;
	size_t n, i;

	w->procs = true;
	w->sources |= of_all(s->table) & cheap;
	vmt_table_want(s->table, &shown);
	w->row_sources =
		(vmt_want_sources(&shown, &also) &
		 (cheap | VMT_SOURCE_BIT(ROLLUP) | VMT_SOURCE_BIT(OOM) | VMT_SOURCE_BIT(CMDLINE))) |
		VMT_SOURCE_BIT(STATUS);
	rows = vmt_table_visible(s->table, &n);
	selected = vmt_table_selected(s->table);
	/* The one in the pane may not be among them. */
	for (i = 0; i <= n && w->n_rows < VMT_UI_ROWS_MAX; i++) {
		const struct vmt_proc *p = i == 0 ? selected : rows[i - 1];

		if (!p || (i > 0 && p == selected))
			continue;
		w->rows[w->n_rows++] = row_of(p);
	}
	if (of_all(s->table) & VMT_SOURCE_BIT(ROLLUP))
		want_candidates(ui, w);
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct procs_state *s = state;
	const struct vmt_proc *p = vmt_table_selected(s->table);

	(void)ui;
	if (p)
		*ret = (struct vmt_ui_subject){ .proc = row_of(p) };
}

/* Enter opens the mappings. */
static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action act, bool *done_ret)
{
	struct vmt_ui_subject of = vmt_ui_subject(ui);

	(void)state;
	if (act != VMT_ACTION_OPEN || !of.proc.pid)
		return VMT_UI_NONE;
	*done_ret = true;
	return vmt_ui_open(ui, VMT_SCREEN_VMAS, &of);
}

static struct vmt_table *table(void *state)
{
	return ((struct procs_state *)state)->table;
}

const struct vmt_screen vmt_screen_procs = {
	.name = "procs",
	.title = "Procs",
	.help = "processes and their memory",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
	.table = table,
};
