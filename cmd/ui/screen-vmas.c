/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/history.h"
#include "cmd/ui/table.h"
#include "cmd/ui/vma-detail.h"
#include "model/fault-raw.h"
#include "model/map-group.h"
#include "model/strip.h"

/* From this width on all columns have room. */
#define WIDE 150
/* Lines of the terminal from which on the keys are shown, and what is known of one mapping. */
#define TALL	  24
#define DETAILED  30
#define DETAIL	  6
#define FAULTS_OF 8 /* cells of the picture of the last faults */

/* Faults of a mapping since the sample before. */
struct rate {
	const struct vmt_fault *row;
	uint64_t start;
	uint64_t total;
	uint64_t milli, major_milli; /* a second */
	bool known, major_known;
};

struct vmas_state {
	/* The same rows, with the columns of narrow and of wide terminals; and their groups. */
	struct vmt_table *narrow, *wide, *by_file;
	bool is_wide, grouped;
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
	unsigned strip_cells;
	/* Faults, while a probe counts them; in order of address. */
	struct rate *rates;
	size_t n_rates;
	struct vmt_history *history; /* faults of a sample, by the first address */
};

static struct vmas_state *state_of(const struct vmt_ui *ui)
{
	return ui->states[VMT_SCREEN_VMAS];
}

/* Columns. */

static enum vmt_style style_of(const struct vmt_map *m)
{
	if (vmt_bytes_is(m->kind, "shmem"))
		return VMT_STYLE_SHMEM;
	return vmt_bytes_is(m->kind, "file") ? VMT_STYLE_CLEAN : VMT_STYLE_ANON;
}

static const struct vmt_strip *strip_of(const struct vmt_sample *s, const struct vmt_map *m)
{
	size_t i;

	for (i = 0; i < s->n_strips; i++)
		if (s->strips[i]->start == m->start && s->strips[i]->end == m->end)
			return s->strips[i];
	return NULL;
}

static void draw_cells(struct vmt_canvas *c, unsigned y, unsigned x, unsigned n,
		       const struct vmt_strip *strip, enum vmt_style style)
{
	/* What has not been looked at as a whole yet may look otherwise in a moment. */
	bool whole = strip->known >= strip->end;
	unsigned i;

	for (i = 0; i < n; i++) {
		enum vmt_strip_level level = vmt_strip_level(strip, i, n);

		switch (level) {
		case VMT_STRIP_UNKNOWN:
			break;
		case VMT_STRIP_NONE:
			vmt_canvas_glyph(c, y, x + i, VMT_STYLE_DIM, VMT_GLYPH_NONE);
			break;
		case VMT_STRIP_SWAPPED:
			vmt_canvas_puts(c, y, x + i, VMT_STYLE_SWAP, "s");
			break;
		default:
			vmt_canvas_glyph(c, y, x + i, whole ? style : VMT_STYLE_DIM,
					 (enum vmt_glyph)(VMT_GLYPH_LEVEL + level - 1));
			break;
		}
	}
}

/* Where pages cannot be looked at it is known how many there are, and not where. */
static void draw_share(struct vmt_canvas *c, unsigned y, unsigned x, unsigned n,
		       const struct vmt_map *m)
{
	unsigned full;

	if (!VMT_HAS(map, rss_bytes, m) || !m->size_bytes) {
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "-");
		return;
	}
	full = (unsigned)(((unsigned __int128)m->rss_bytes * n + m->size_bytes - 1) /
			  m->size_bytes);
	vmt_canvas_fill(c, y, x, VMT_STYLE_DIM, VMT_GLYPH_FULL, full < n ? full : n);
}

static void draw_strip(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_map *m = row;
	const struct vmt_strip *strip = strip_of(ui->model->sample, m);

	(void)style;
	if (width < 3)
		return;
	state_of(ui)->strip_cells = width - 2;
	vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "[");
	vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_NORMAL, "]");
	if (strip)
		draw_cells(c, y, x + 1, width - 2, strip, style_of(m));
	else
		draw_share(c, y, x + 1, width - 2, m);
}

static const struct rate *rate_of(const struct vmas_state *s, const struct vmt_map *m)
{
	size_t low = 0, high = s->n_rates;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->rates[mid].start < m->start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n_rates && s->rates[low].start == m->start ? &s->rates[low] : NULL;
}

/* A rate in thousandths; "-" where it is not known. */
static void draw_rate(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width, bool known,
		      uint64_t milli)
{
	VMT_AUTO_BUF text = { 0 };

	if (!known)
		vmt_buf_addc(&text, '-');
	else if (milli == 0 || milli >= 9950)
		vmt_buf_addf(&text, "%" PRIu64, (milli + 500) / 1000);
	else
		vmt_buf_addf(&text, "%" PRIu64 ".%" PRIu64, (milli + 50) / 1000,
			     (milli + 50) % 1000 / 100);
	if (vmt_buf_error(&text) < 0) {
		c->error = -ENOMEM;
		return;
	}
	vmt_canvas_bytes(c, y, x, width, known && milli ? VMT_STYLE_NORMAL : VMT_STYLE_DIM,
			 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_RIGHT);
}

static void draw_faults(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	const struct rate *rate = rate_of(state_of(ui), row);

	(void)style;
	/* A mapping without a row has not faulted since the probe counts. */
	draw_rate(c, y, x, width, rate ? rate->known : ui->model->has_probe,
		  rate ? rate->milli : 0);
	if (rate && rate->row)
		vmt_canvas_value(c, y, x, width, &vmt_entity_fault, VMT_FIELD_fault_faults_total,
				 rate->row);
}

static void draw_majors(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	const struct rate *rate = rate_of(state_of(ui), row);

	(void)style;
	draw_rate(c, y, x, width, rate ? rate->major_known : ui->model->has_probe,
		  rate ? rate->major_milli : 0);
	if (rate && rate->row)
		vmt_canvas_value(c, y, x, width, &vmt_entity_fault,
				 VMT_FIELD_fault_major_faults_total, rate->row);
}

static void draw_history(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			 unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_map *m = row;

	if (!ui->model->has_probe)
		vmt_canvas_bytes(c, y, x, width, VMT_STYLE_DIM, vmt_bytes_of("-"), VMT_FIT_RIGHT);
	else
		vmt_history_draw(state_of(ui)->history, m->start, 0, c, y, x, width, style);
}

/* In hex, as the addresses are. */
static void draw_offset(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_map *m = row;
	VMT_AUTO_BUF text = { 0 };

	(void)ui;
	vmt_buf_addf(&text, "%" PRIx64, m->offset_bytes);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
	else
		vmt_canvas_bytes(c, y, x, width, m->offset_bytes ? style : VMT_STYLE_DIM,
				 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_RIGHT);
}

static void draw_name(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_map *m = row;

	(void)ui;
	if (m->path.len)
		vmt_canvas_bytes(c, y, x, width, style, m->path, VMT_FIT_TAIL);
	else
		vmt_canvas_bytes(c, y, x, width, style, vmt_bytes_of("[anon]"), VMT_FIT_LEFT);
}

#define COLUMN_FIT(f, m, t, w, p)                                                                  \
	{                                                                                          \
		.field = VMT_FIELD_map_##m, .title = (t), .width = (w), .priority = (p),           \
		.fit = VMT_FIT_##f                                                                 \
	}
#define LABEL(...)  COLUMN_FIT(LEFT, __VA_ARGS__)
#define COLUMN(...) COLUMN_FIT(RIGHT, __VA_ARGS__)
#define PICTURE(fn, t, w, p, ...)                                                                  \
	{                                                                                          \
		.field = VMT_TABLE_PICTURE, .title = (t), .width = (w), .priority = (p),           \
		.draw = (fn), __VA_ARGS__                                                          \
	}
#define OFFSET(p)                                                                                  \
	{                                                                                          \
		.field = VMT_FIELD_map_offset_bytes, .title = "OFFSET", .width = 8,                \
		.priority = (p), .fit = VMT_FIT_RIGHT, .draw = draw_offset                         \
	}
#define NAME(n)                                                                                    \
	{                                                                                          \
		.field = VMT_FIELD_map_path, .title = "MAPPING", .least = (n), .draw = draw_name,  \
		.fit = VMT_FIT_TAIL, .gap = 1                                                      \
	}

static const struct vmt_table_column narrow_columns[] = {
	LABEL(start, "ADDRESS", 12, 0),
	LABEL(perms, "PERM", 4, 3),
	COLUMN(size_bytes, "SIZE", 5, 2),
	COLUMN(rss_bytes, "RSS", 5, 0),
	COLUMN(pss_bytes, "PSS", 5, 9),
	COLUMN(dirty_bytes, "DIRTY", 5, 5),
	COLUMN(swap_bytes, "SWAP", 5, 7),
	COLUMN(anon_huge_pages_bytes, "THP", 5, 11),
	COLUMN(kernel_page_size_bytes, "PG", 3, 12),
	PICTURE(draw_strip, "RESIDENT", 14, 6, .gap = 1),
	PICTURE(draw_faults, "FLT/s", 5, 4),
	PICTURE(draw_majors, "MAJ/s", 5, 10),
	PICTURE(draw_history, "LAST 30s", FAULTS_OF, 13, .gap = 1),
	OFFSET(14),
	NAME(21),
};

static const struct vmt_table_column wide_columns[] = {
	LABEL(start, "START", 12, 0),
	LABEL(perms, "PERM", 4, 0),
	COLUMN(size_bytes, "SIZE", 6, 0),
	COLUMN(rss_bytes, "RSS", 6, 0),
	COLUMN(pss_bytes, "PSS", 6, 0),
	COLUMN(dirty_bytes, "DIRTY", 6, 0),
	COLUMN(swap_bytes, "SWAP", 6, 0),
	COLUMN(anon_huge_pages_bytes, "THP", 6, 1),
	COLUMN(kernel_page_size_bytes, "PG", 3, 2),
	PICTURE(draw_strip, "RESIDENT (low to high address)", 38, 5, .gap = 1),
	PICTURE(draw_faults, "FLT/s", 6, 0),
	PICTURE(draw_majors, "MAJ/s", 5, 0),
	PICTURE(draw_history, "LAST 30s", FAULTS_OF, 4, .gap = 1),
	OFFSET(3),
	NAME(12),
};

#define GROUP(m, t, w, p)                                                                          \
	{                                                                                          \
		.field = VMT_FIELD_map_group_##m, .title = (t), .width = (w), .priority = (p),     \
		.fit = VMT_FIT_RIGHT                                                               \
	}

static const struct vmt_table_column group_columns[] = {
	GROUP(maps_total, "VMAS", 6, 0),
	GROUP(size_bytes, "SIZE", 6, 2),
	GROUP(rss_bytes, "RSS", 6, 0),
	GROUP(pss_bytes, "PSS", 6, 4),
	GROUP(anonymous_bytes, "ANON", 6, 3),
	GROUP(file_bytes, "FILE", 6, 3),
	GROUP(dirty_bytes, "DIRTY", 6, 1),
	GROUP(swap_bytes, "SWAP", 6, 1),
	{ .field = VMT_FIELD_map_group_name,
	  .title = "FILE OR MEMORY",
	  .least = 20,
	  .fit = VMT_FIT_TAIL,
	  .gap = 1 },
};

static const unsigned identity[] = { VMT_FIELD_map_start };
static const unsigned group_identity[] = { VMT_FIELD_map_group_device, VMT_FIELD_map_group_inode,
					   VMT_FIELD_map_group_name };
static const struct vmt_table_word words[] = { { "file", VMT_FIELD_map_path },
					       { "perm", VMT_FIELD_map_perms },
					       { "kind", VMT_FIELD_map_kind } };
static const struct vmt_table_word group_words[] = { { "file", VMT_FIELD_map_group_name } };

#define DEF(e, c, s, i, w)                                                                         \
	.entity = (e), .columns = (c), .n_columns = VMT_ARRAY_LEN(c), .sort = (s),                 \
	.identity = (i), .n_identity = VMT_ARRAY_LEN(i), .words = (w), .n_words = VMT_ARRAY_LEN(w)

static const struct vmt_table_def narrow_def = {
	DEF(&vmt_entity_map, narrow_columns, "-RSS", identity, words), .edge_below = WIDE
};
static const struct vmt_table_def wide_def = { DEF(&vmt_entity_map, wide_columns, "-RSS", identity,
						   words) };
static const struct vmt_table_def group_def = { DEF(&vmt_entity_map_group, group_columns, "-RSS",
						    group_identity, group_words) };

/* State. */

static void done(void *state)
{
	struct vmas_state *s = state;

	vmt_table_free(s->narrow);
	vmt_table_free(s->wide);
	vmt_table_free(s->by_file);
	vmt_map_groups_free(s->groups);
	vmt_history_free(s->history);
	free(s->rates);
	free(s);
}

static int init(struct vmt_ui *ui, void **ret)
{
	struct vmas_state *s = calloc(1, sizeof(*s));
	int r;

	(void)ui;
	if (!s)
		return -ENOMEM;
	r = vmt_table_new(&narrow_def, &s->narrow);
	if (r == 0)
		r = vmt_table_new(&wide_def, &s->wide);
	if (r == 0)
		r = vmt_table_new(&group_def, &s->by_file);
	if (r == 0)
		r = vmt_history_new(&s->history);
	if (r < 0)
		done(s);
	else
		*ret = s;
	return r;
}

static struct vmt_table *maps_table(const struct vmas_state *s)
{
	return s->is_wide ? s->wide : s->narrow;
}

static struct vmt_table *shown_table(const struct vmas_state *s)
{
	return s->grouped ? s->by_file : maps_table(s);
}

static struct vmt_table *table(void *state)
{
	return shown_table(state);
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

static int by_start(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* One process has no more rows in the pictures. */
#define PICTURES_MAX 4096u

static struct rate rate_from(const struct vmt_fault *f, uint64_t window_ns)
{
	struct rate r = { .row = f, .start = f->start, .total = f->faults_total };

	r.known = vmt_rate_milli(f->faults_total, 0, window_ns, &r.milli);
	r.major_known = VMT_HAS(fault, major_faults_total, f) &&
			vmt_rate_milli(f->major_faults_total, 0, window_ns, &r.major_milli);
	return r;
}

/* Faults a second of each mapping: rows are of the interval between two samples. */
static int count_faults(struct vmt_ui *ui, struct vmas_state *s)
{
	const struct vmt_model *m = ui->model;
	struct rate *rates;
	size_t i, n = 0;
	int r = 0;

	vmt_history_tick(s->history);
	s->n_rates = 0;
	if (!m->has_probe || !m->sample->faults || !s->row)
		return 0;
	rates = reallocarray(s->rates, m->n_faults + 1, sizeof(*rates));
	if (!rates)
		return -ENOMEM;
	s->rates = rates;
	for (i = 0; i < m->n_faults; i++) {
		const struct vmt_fault *f = &m->faults[i];
		uint64_t owner = VMT_HAS(fault, owner_pid, f) ? f->owner_pid : f->pid;

		if (owner == s->proc.pid && VMT_HAS(fault, start, f) &&
		    VMT_HAS(fault, faults_total, f))
			rates[n++] = rate_from(f, m->sample->faults->window_ns);
	}
	qsort(rates, n, sizeof(*rates), by_start);
	s->n_rates = n;
	for (i = 0; s->maps && i < s->maps->n_maps && i < PICTURES_MAX && r == 0; i++) {
		const struct rate *rate = rate_of(s, &s->maps->maps[i]);

		r = vmt_history_add(s->history, s->maps->maps[i].start, 0, rate ? rate->total : 0);
	}
	return r;
}

/* Selects the mapping that was selected, or that the screen was opened for. */
static void select_again(struct vmt_ui *ui, struct vmas_state *s)
{
	struct vmt_map row = { .start = 0 };
	const struct vmt_ui_subject *now = &ui->subject;

	if (vmt_ui_view(ui)->screen == VMT_SCREEN_VMAS &&
	    (now->start != s->seen.start || now->proc.pid != s->seen.proc.pid)) {
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
	vmt_table_select(s->narrow, &row);
	vmt_table_select(s->wide, &row);
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
	bool had = vmt_table_total(s->narrow) != 0;
	const struct vmt_map *rows;
	size_t n;
	int r;

	find_proc(ui, s);
	rows = s->maps ? s->maps->maps : NULL;
	n = rows ? s->maps->n_maps : 0;
	/* Elsewhere they are not read, and the selection waits for them. */
	s->again |= had && !n && s->end;
	r = count_faults(ui, s);
	if (r == 0)
		r = vmt_table_rows(ui, s->narrow, rows, n);
	if (r == 0)
		r = vmt_table_rows(ui, s->wide, rows, n);
	if (r == 0)
		r = group(ui, s);
	if (r == 0)
		select_again(ui, s);
	return r;
}

static const struct vmt_map *selected(const struct vmas_state *s)
{
	return vmt_table_selected(maps_table(s));
}

/* Drawing. */

/* Why there are no rows. */
static void draw_nothing(struct vmt_ui *ui, const struct vmas_state *s, struct vmt_canvas *c,
			 unsigned y)
{
	const struct vmt_proc *p = s->row;

	if (!p && !s->proc.pid)
		vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM,
				ui->opts.live ? "reading ..." : "no process here has mappings");
	else if (!p)
		vmt_canvas_putf(c, y, 1, VMT_STYLE_WARNING, "process %" PRIu64 " is not there%s",
				s->proc.pid, s->end ? " any more" : "");
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel"))
		vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL,
				"a kernel thread: it has no memory of its own");
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "zombie"))
		vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL, "a zombie: its memory is given back");
	else if (VMT_HAS(proc, read_status, p) && !vmt_bytes_is(p->read_status, "ok"))
		vmt_canvas_putf(c, y, 1, VMT_STYLE_WARNING,
				"its mappings cannot be read: %.*s (! says why)",
				(int)p->read_status.len, p->read_status.ptr);
	else
		vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM, "it has no mappings");
}

/* A word and a value of the process behind it. */
static unsigned figure(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       const char *word, unsigned field, const struct vmt_proc *p)
{
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, word);
	return vmt_draw_value(ui, c, y, x, 5, VMT_STYLE_STRONG, &vmt_entity_proc, field, p);
}

/* "20 faults/s", minor and major. */
static unsigned draw_fault_rate(struct vmt_canvas *c, unsigned y, unsigned x,
				const struct vmt_proc *p, bool right)
{
	bool known = VMT_HAS(proc, minor_faults_per_second, p) &&
		     VMT_HAS(proc, major_faults_per_second, p);
	uint64_t milli = known ? p->minor_faults_per_second + p->major_faults_per_second : 0;
	unsigned width = right ? 8 : 1;

	while (!right && milli >= 9950 && width < 8 &&
	       (milli + 500) / 1000 >= (width < 2   ? 10u
					: width < 3 ? 100u
						    : 1000u))
		width++;
	if (!right && known && milli && milli < 9950)
		width = 3;
	if (right)
		x = c->width > 18 ? c->width - 17 : 0;
	draw_rate(c, y, x, width, known, milli);
	vmt_canvas_value(c, y, x, width, &vmt_entity_proc, VMT_FIELD_proc_minor_faults_per_second,
			 p);
	return vmt_canvas_puts(c, y, x + width, VMT_STYLE_NORMAL, " faults/s");
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
	if (c->width < 120) {
		if (x + 17 <= c->width)
			draw_fault_rate(c, y, x, p, true);
		return;
	}
	x = draw_fault_rate(c, y, x + 2, p, false);
	vmt_table_state(shown_table(s), &state, &range);
	if (vmt_buf_error(&state) < 0)
		return;
	x = vmt_canvas_bytes(c, y, x + 3, c->width > x + 3 ? c->width - x - 3 : 0, VMT_STYLE_NORMAL,
			     (struct vmt_bytes){ state.data, state.len }, VMT_FIT_LEFT);
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
	const void *const *rows = vmt_table_visible(maps_table(s), &n);

	s->n_strips = n < VMT_UI_ROWS_MAX ? n : VMT_UI_ROWS_MAX;
	for (i = 0; i < s->n_strips; i++)
		s->strips[i] = ((const struct vmt_map *)rows[i])->start;
}

/* The terminal is wider or narrower than it was: the other columns, in the same order. */
static void adapt(struct vmt_ui *ui, struct vmas_state *s, bool wide)
{
	struct vmt_table *from = maps_table(s), *to;
	const struct vmt_map *row = vmt_table_selected(from);
	VMT_AUTO_BUF sort = { 0 };

	if (s->is_wide == wide)
		return;
	s->is_wide = wide;
	to = maps_table(s);
	vmt_table_sort_text(from, &sort);
	if (vmt_buf_error(&sort) == 0 && sort.len)
		vmt_table_sort(ui, to, sort.data, NULL);
	vmt_table_filter(ui, to, vmt_table_filter_text(from), NULL);
	if (row)
		vmt_table_select(to, row);
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
		vmt_canvas_puts(c, y, c->width - width, VMT_STYLE_DIM, range.data);
}

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct vmas_state *s = state;
	struct vmt_area rows = area;
	size_t first = c->n_spots;
	bool detail = area.height >= DETAILED && area.width >= 100 && !s->grouped;
	const struct vmt_map *m;

	adapt(ui, s, area.width >= WIDE);
	draw_head(ui, s, c, area.y);
	if (!s->maps || !s->maps->n_maps) {
		s->n_strips = 0;
		draw_nothing(ui, s, c, area.y + 2);
		return;
	}
	rows.y++;
	rows.height--;
	if (detail)
		rows.height -= DETAIL;
	else if (c->height >= TALL)
		rows.height--;
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
	else if (c->height >= TALL)
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
		vmt_table_select(maps_table(s), m);
		break;
	}
	return VMT_UI_DRAW;
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct vmas_state *s = state;
	const struct vmt_map *m = selected(s);

	(void)ui;
	if (s->proc.pid)
		ret->proc = s->proc;
	if (m) {
		ret->start = m->start;
		ret->end = m->end;
		ret->address = m->start;
	}
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
		if (!what.end)
			return VMT_UI_NONE;
		return vmt_ui_open(ui, VMT_SCREEN_PAGES, &what);
	case VMT_ACTION_TREE:
		s->grouped = !s->grouped;
		return group(ui, s) < 0 ? VMT_UI_NONE : VMT_UI_DRAW;
	case VMT_ACTION_TO_VMAS:
		return VMT_UI_NONE;
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
	want->faults = true;
	want->strip_cells = s->strip_cells;
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
};
