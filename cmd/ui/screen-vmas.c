/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/vma-columns.h"
#include "cmd/ui/vma-detail.h"
#include "model/map-group.h"

/* Lines of the terminal from which on the keys are shown, and what is known of one mapping. */
#define TALL	 24
#define DETAILED 30
#define DETAIL	 6

struct vmas_state {
	struct vmt_table *by_map, *by_file;
	bool grouped; /* the second is shown */
	struct vmt_ui_proc proc; /* that is shown */
	const struct vmt_proc *row; /* of the model, or NULL: it is not there */
	const struct vmt_proc_maps *maps; /* of the sample, or NULL */
	struct vmt_map_groups *groups; /* of the sample's mappings; NULL while nobody looks */
	struct vmt_ui_subject seen; /* that the screen was opened for */
	uint64_t start, end; /* of the mapping that was selected last */
	bool again; /* select it once it is there */
	/* What is on the screen, for the next sample. */
	uint64_t strips[VMT_UI_ROWS_MAX];
	size_t n_strips;
	struct vmt_vma_columns columns;
};

struct vmt_vma_columns *vmt_vma_columns_of(const struct vmt_ui *ui)
{
	struct vmas_state *s = ui->states[VMT_SCREEN_VMAS];

	return &s->columns;
}

/* State. */

static void done(void *state)
{
	struct vmas_state *s = state;

	vmt_table_free(s->by_map);
	vmt_table_free(s->by_file);
	vmt_map_groups_free(s->groups);
	vmt_vma_columns_done(&s->columns);
	free(s);
}

static int init(struct vmt_ui *ui, void **ret)
{
	struct vmas_state *s = calloc(1, sizeof(*s));
	int r;

	(void)ui;
	if (!s)
		return -ENOMEM;
	r = vmt_table_new(&vmt_vmas_by_map, &s->by_map);
	if (r == 0)
		r = vmt_table_new(&vmt_vmas_by_file, &s->by_file);
	if (r == 0)
		r = vmt_vma_columns_init(&s->columns);
	if (r < 0)
		done(s);
	else
		*ret = s;
	return r;
}

static struct vmt_table *shown_table(const struct vmas_state *s)
{
	return s->grouped ? s->by_file : s->by_map;
}

static struct vmt_table *table(void *state)
{
	return shown_table(state);
}

static struct vmt_table *kept(void *state)
{
	struct vmas_state *s = state;

	return s->by_map;
}

/* The process that is shown: the one that the screen was opened for, or whose mappings the sampler
 * chose to read. */
static void find_proc(struct vmt_ui *ui, struct vmas_state *s)
{
	const struct vmt_model *m = ui->model;
	struct vmt_ui_proc who = ui->subject.proc;
	size_t i;

	s->row = NULL;
	s->maps = NULL;
	for (i = 0; i < m->n_procs && !s->row; i++) {
		const struct vmt_proc *p = &m->procs[i];
		const struct vmt_proc_maps *pm = m->sample->maps ? &m->sample->maps[i] : NULL;

		if (who.pid ? p->pid != who.pid ||
				      (who.start_time_ns && who.start_time_ns != p->start_time_ns)
			    : !pm || !pm->n_maps)
			continue;
		s->row = p;
		s->maps = pm;
	}
	if (s->row)
		s->proc = (struct vmt_ui_proc){ s->row->pid, s->row->start_time_ns };
	else
		s->proc = who;
}

/* Another process: from its first row on. */
static void rewind_tables(struct vmt_ui *ui, struct vmas_state *s)
{
	bool unused;

	vmt_table_action(ui, s->by_map, VMT_ACTION_HOME, &unused);
	vmt_table_action(ui, s->by_file, VMT_ACTION_HOME, &unused);
	s->start = s->end = 0;
	s->again = false;
}

/* Selects the mapping that was selected, or that the screen was opened for. */
static void select_again(struct vmt_ui *ui, struct vmas_state *s)
{
	struct vmt_map row = { .start = 0 };
	const struct vmt_ui_subject *now = &ui->subject;

	if (vmt_ui_view(ui)->screen == VMT_SCREEN_VMAS &&
	    (now->start != s->seen.start || now->proc.pid != s->seen.proc.pid)) {
		if (now->proc.pid != s->seen.proc.pid)
			rewind_tables(ui, s);
		s->seen = *now;
		if (now->start) {
			s->start = now->start;
			s->end = now->end;
			s->again = true;
		}
	}
	if (!s->again || !s->maps || !s->maps->n_maps)
		return;
	VMT_SET(map, start, &row, s->start);
	vmt_table_select(s->by_map, &row);
	s->again = false;
}

static int group(struct vmt_ui *ui, struct vmas_state *s)
{
	const struct vmt_map_group *rows = NULL;
	size_t n = 0;
	int r = 0;

	vmt_map_groups_free(s->groups);
	s->groups = NULL;
	if (s->grouped && s->maps && s->maps->n_maps) {
		s->groups = vmt_map_groups_new(VMT_MAPS_BY_FILE);
		r = s->groups ? vmt_map_groups_add(s->groups, s->proc.pid, s->maps->maps,
						   s->maps->n_maps)
			      : -ENOMEM;
		rows = r == 0 ? vmt_map_groups_rows(s->groups, &n) : NULL;
	}
	return r < 0 ? r : vmt_table_rows(ui, s->by_file, rows, n);
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct vmas_state *s = state;
	bool had = vmt_table_total(s->by_map) != 0;
	const struct vmt_map *rows;
	size_t n;
	int r;

	find_proc(ui, s);
	rows = s->maps ? s->maps->maps : NULL;
	n = rows ? s->maps->n_maps : 0;
	/* Elsewhere they are not read, and the selection waits for them. */
	s->again |= had && !n && s->end;
	r = vmt_vma_count_faults(&s->columns, ui->model, s->proc.pid, s->maps);
	if (r == 0)
		r = vmt_table_rows(ui, s->by_map, rows, n);
	if (r == 0)
		r = group(ui, s);
	if (r == 0)
		select_again(ui, s);
	return r;
}

static const struct vmt_map *selected(const struct vmas_state *s)
{
	return vmt_table_selected(s->by_map);
}

/* Drawing. */

/* A word and a value of the process behind it. */
static unsigned figure(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       const char *word, unsigned field, const struct vmt_proc *p)
{
	return vmt_draw_named(ui, c, y, x, word, 5, VMT_STYLE_STRONG, &vmt_entity_proc, field, p);
}

static void rate_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_proc *p = s->row;
	uint64_t milli;

	if (!VMT_HAS(proc, minor_faults_per_second, p) ||
	    !VMT_HAS(proc, major_faults_per_second, p))
		return;
	milli = p->minor_faults_per_second + p->major_faults_per_second;
	vmt_buf_addf(out, "%" PRIu64 ".%03u", milli / 1000, (unsigned)(milli % 1000));
}

static void rate_terms(struct vmt_explanation *e)
{
	vmt_figure_field(e, &vmt_entity_proc, VMT_FIELD_proc_minor_faults_per_second, e->spot->row);
	vmt_figure_field(e, &vmt_entity_proc, VMT_FIELD_proc_major_faults_per_second, e->spot->row);
}

static const struct vmt_figure fault_rate = {
	.title = "faults/s of a process",
	.unit = "faults a second",
	.help = "minor and major page faults of all its threads, those of no mapping included; between "
		"this sample and the one before",
	.formula = "change of (min_flt + maj_flt) of /proc/PID/stat / time between the samples",
	.value = rate_value,
	.terms = rate_terms,
};

static const struct vmt_figure residency = {
	.title = "how residency is read",
	.unit = "none: words",
	.help = "the pictures are read from pagemap, mapping by mapping, and again after 2 s, or later "
		"where that took long; ~ marks what is of an earlier sample",
	.source = VMT_SOURCE_PAGEMAP,
};

/* "20 faults/s", minor and major; from x on, or flush right. */
static unsigned draw_fault_rate(struct vmt_canvas *c, unsigned y, unsigned x,
				const struct vmt_proc *p, bool right)
{
	static const char unit[] = " faults/s";
	bool known = VMT_HAS(proc, minor_faults_per_second, p) &&
		     VMT_HAS(proc, major_faults_per_second, p);
	VMT_AUTO_BUF text = { 0 };
	unsigned width;

	vmt_vma_rate_text(&text, known,
			  known ? p->minor_faults_per_second + p->major_faults_per_second : 0, 0);
	if (vmt_buf_error(&text) < 0)
		return x;
	width = (unsigned)text.len;
	if (right)
		x = c->width - (unsigned)strlen(unit) - width;
	vmt_canvas_puts(c, y, x, VMT_STYLE_STRONG, text.data);
	vmt_canvas_figure(c, y, x, width, &fault_rate, p, 0);
	return vmt_canvas_puts(c, y, x + width, VMT_STYLE_NORMAL, unit);
}

static void draw_head(struct vmt_ui *ui, const struct vmas_state *s, struct vmt_canvas *c,
		      unsigned y)
{
	const struct vmt_proc *p = s->row;
	VMT_AUTO_BUF state = { 0 };
	VMT_AUTO_BUF range = { 0 };
	unsigned x;

	if (!p)
		return;
	x = vmt_draw_process(c, y, p);
	x = figure(ui, c, y, x, "  RSS ", VMT_FIELD_proc_rss_bytes, p);
	if (c->width >= 60)
		x = figure(ui, c, y, x, "  PSS ", VMT_FIELD_proc_pss_bytes, p);
	x = figure(ui, c, y, x, "  VIRT ", VMT_FIELD_proc_vsize_bytes, p);
	if (c->width >= 70) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "  ");
		x = vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_proc,
				   VMT_FIELD_proc_maps_total, p);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, " VMAs");
	}
	if (c->width < VMT_WIDE) {
		if (x + 17 <= c->width)
			draw_fault_rate(c, y, x, p, true);
		return;
	}
	x = draw_fault_rate(c, y, x + 2, p, false);
	vmt_table_state(shown_table(s), &state, &range);
	if (vmt_buf_error(&state) < 0)
		return;
	vmt_canvas_figure(c, y, x + 3, (unsigned)state.len, &vmt_figure_chosen, NULL, 0);
	x = vmt_canvas_bytes(c, y, x + 3, c->width > x + 3 ? c->width - x - 3 : 0, VMT_STYLE_NORMAL,
			     (struct vmt_bytes){ state.data, state.len }, VMT_FIT_LEFT);
	vmt_canvas_figure(c, y, x - 44, 44, &residency, NULL, 0);
	vmt_canvas_bytes(c, y, x - 44, 44, VMT_STYLE_DIM,
			 vmt_bytes_of(!ui->model->sample->n_strips
					      ? "residency: how much, not where"
				      : s->maps && s->maps->age_ns
					      ? "residency every 2 s   ~ older than a sample"
					      : "residency from pagemap, refreshed every 2 s"),
			 VMT_FIT_RIGHT);
}

/* "~" before what was read in an earlier sample. */
static void mark_old(struct vmt_canvas *c, size_t first)
{
	size_t i;

	for (i = first; i < c->n_spots; i++) {
		const struct vmt_spot *spot = &c->spots[i];
		const struct vmt_cell *line = &c->cells[(size_t)spot->y * c->width];
		unsigned x = spot->x;

		if (spot->kind != VMT_SPOT_VALUE || spot->entity != &vmt_entity_map ||
		    spot->field->kind != VMT_KIND_GAUGE || !x ||
		    !vmt_row_has(spot->row, spot->field->index))
			continue;
		while (x < spot->x + spot->width && x < c->width && line[x].text[0] == ' ')
			x++;
		if (line[x - 1].text[0] == ' ')
			vmt_canvas_puts(c, spot->y, x - 1, VMT_STYLE_DIM, "~");
	}
}

/* What the next sample has to look at. */
static void remember_rows(struct vmas_state *s)
{
	size_t n, i;
	const void *const *rows = vmt_table_visible(s->by_map, &n);

	s->n_strips = n < VMT_UI_ROWS_MAX ? n : VMT_UI_ROWS_MAX;
	for (i = 0; i < s->n_strips; i++)
		s->strips[i] = ((const struct vmt_map *)rows[i])->start;
}

static void draw_hint(struct vmas_state *s, struct vmt_canvas *c, unsigned y)
{
	VMT_AUTO_BUF state = { 0 };
	VMT_AUTO_BUF range = { 0 };
	bool filtered = *vmt_table_filter_text(shown_table(s));
	unsigned width, x;

	vmt_table_state(shown_table(s), &state, &range);
	if (vmt_buf_error(&state) < 0 || vmt_buf_error(&range) < 0)
		return;
	width = (unsigned)range.len;
	if (filtered)
		x = vmt_canvas_bytes(c, y, 0, c->width > width ? c->width - width - 1 : 0,
				     VMT_STYLE_NORMAL, (struct vmt_bytes){ state.data, state.len },
				     VMT_FIT_LEFT);
	else
		x = vmt_canvas_puts(c, y, 0, VMT_STYLE_DIM,
				    s->grouped
					    ? "Enter: its mappings   t: each mapping   o: columns"
					    : "Enter: page map   f: faults   t: group by file   "
					      "o: all columns");
	if (c->width >= 80 && x + width < c->width)
		vmt_draw_figure(c, y, c->width - width, VMT_STYLE_DIM, &vmt_figure_range, NULL, 0,
				"%s", range.data);
	if (filtered)
		vmt_canvas_figure(c, y, 0, (unsigned)state.len, &vmt_figure_chosen, NULL, 0);
}

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct vmas_state *s = state;
	struct vmt_area rows = area;
	size_t first = c->n_spots;
	bool detail = area.height >= DETAILED && area.width >= 100 && !s->grouped;
	const struct vmt_map *m;

	draw_head(ui, s, c, area.y);
	if (!s->maps || !s->maps->n_maps) {
		s->n_strips = 0;
		vmt_draw_no_maps(ui, c, area.y + 2, s->row, s->proc.pid, s->end != 0);
		return;
	}
	rows.y++;
	rows.height--;
	if (detail)
		rows.height -= DETAIL;
	else if (c->height >= TALL)
		rows.height--;
	vmt_vma_columns_fit(&s->columns, s->by_map, area.width);
	vmt_table_draw(ui, shown_table(s), c, rows);
	if (!s->grouped)
		remember_rows(s);
	if (s->maps->age_ns)
		mark_old(c, first);
	m = selected(s);
	if (m) {
		s->start = m->start;
		s->end = m->end;
	}
	if (detail)
		vmt_vma_detail(ui, c, rows.y + rows.height, m);
	else if (c->height >= TALL &&
		 (s->grouped || !vmt_vma_draw_faults(ui, c, rows.y + rows.height, m)))
		draw_hint(s, c, rows.y + rows.height);
}

/* Keys. */

/* From a group to the first mapping of it. */
static enum vmt_ui_act open_group(struct vmas_state *s)
{
	const struct vmt_map_group *g = vmt_table_selected(s->by_file);
	size_t i;

	s->grouped = false;
	for (i = 0; g && s->maps && i < s->maps->n_maps; i++) {
		const struct vmt_map *m = &s->maps->maps[i];

		if (!VMT_HAS(map_group, name, g) || !vmt_bytes_equal(m->path, g->name))
			continue;
		vmt_table_select(s->by_map, m);
		break;
	}
	return VMT_UI_DRAW;
}

/* What a longer picture shows is looked at anew. */
static enum vmt_ui_act zoom(struct vmt_ui *ui, struct vmas_state *s, bool in)
{
	if (!s->grouped && ui->canvas && vmt_vma_columns_zoom(&s->columns, in, ui->canvas->width)) {
		vmt_vma_columns_fit(&s->columns, s->by_map, ui->canvas->width);
		return VMT_UI_SAMPLE;
	}
	vmt_ui_say(ui, s->grouped ? "groups have nothing to zoom"
		       : in	  ? "the pictures are as long as the terminal allows"
				  : "the pictures are as short as they get");
	return VMT_UI_DRAW;
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct vmas_state *s = state;
	const struct vmt_map *m = selected(s);
	const struct vmt_map_group *g = s->grouped ? vmt_table_selected(s->by_file) : NULL;

	(void)ui;
	if (s->proc.pid)
		ret->proc = s->proc;
	if (m) {
		ret->start = m->start;
		ret->end = m->end;
		ret->address = m->start;
		ret->file = vmt_ui_file(m->device, m->inode);
	}
	if (g)
		ret->file = vmt_ui_file(g->device, g->inode);
}

static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action action,
			      bool *done_ret)
{
	struct vmas_state *s = state;
	struct vmt_ui_subject what = ui->subject;

	*done_ret = true;
	switch (action) {
	case VMT_ACTION_OPEN:
		if (s->grouped)
			return open_group(s);
		subject(ui, state, &what);
		if (!what.end) {
			vmt_ui_say(ui, "no mapping is selected");
			return VMT_UI_DRAW;
		}
		return vmt_ui_open(ui, VMT_SCREEN_PAGES, &what);
	case VMT_ACTION_TREE:
		s->grouped = !s->grouped;
		return group(ui, s) < 0 ? VMT_UI_NONE : VMT_UI_DRAW;
	case VMT_ACTION_TO_VMAS:
		vmt_ui_say(ui, "these are the mappings");
		return VMT_UI_DRAW;
	case VMT_ACTION_ZOOM_IN:
	case VMT_ACTION_ZOOM_OUT:
		return zoom(ui, s, action == VMT_ACTION_ZOOM_IN);
	default:
		*done_ret = false;
		return VMT_UI_NONE;
	}
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *want)
{
	const struct vmas_state *s = state;
	struct vmt_ui_proc who = ui->subject.proc.pid ? ui->subject.proc : s->proc;
	size_t i;

	want->maps = who;
	if (!who.pid) {
		/* The sampler takes the first. */
		want->procs = true;
		return;
	}
	want->rows[0] = who;
	want->n_rows = 1;
	want->row_sources = VMT_SOURCE_BIT(ROLLUP);
	/* A kernel thread has none. */
	want->faults = !s->row || (s->maps && s->maps->n_maps);
	want->strip_cells = s->columns.strip_cells;
	want->n_strips = s->n_strips;
	for (i = 0; i < s->n_strips; i++)
		want->strips[i] = s->strips[i];
}

const struct vmt_screen vmt_screen_vmas = {
	.name = "vmas",
	.title = "VMAs",
	.help = "mappings of a process",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
	.table = table,
	.kept = kept,
};
