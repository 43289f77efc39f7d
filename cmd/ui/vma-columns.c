/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/vma-columns.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/history.h"
#include "model/fault-raw.h"
#include "model/fault-table.h"
#include "model/strip.h"

#define FAULTS_OF 8 /* cells of the picture of the last faults */
#define FIGURE	  16u /* columns of a word and a time */
#define WIDE	  150u /* columns of a terminal that has room for all that is known of a mapping */

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
	vmt_vma_columns_of(ui)->strip_cells = width - 2;
	vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "[");
	vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_NORMAL, "]");
	if (strip)
		draw_cells(c, y, x + 1, width - 2, strip, style_of(m));
	else
		draw_share(c, y, x + 1, width - 2, m);
}

static const struct vmt_vma_rate *rate_of(const struct vmt_vma_columns *s, const struct vmt_map *m)
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

void vmt_vma_rate_text(struct vmt_buf *out, bool known, uint64_t milli, unsigned width)
{
	if (known)
		vmt_ui_milli(out, milli, width);
	else
		vmt_buf_addc(out, '-');
}

static void draw_rate(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width, bool known,
		      uint64_t milli)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_vma_rate_text(&text, known, milli, width);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
	else
		vmt_canvas_bytes(c, y, x, width, known && milli ? VMT_STYLE_NORMAL : VMT_STYLE_DIM,
				 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_RIGHT);
}

/* Whether a mapping without a row is one that did not fault. Of a recording it may be one of those
 * that stand in one row together. */
static bool counts(const struct vmt_ui *ui)
{
	const struct vmt_fault_table *t = ui->model->sample->fault_table;
	const struct vmt_probe_row *p = &ui->model->probe;

	return ui->model->has_probe && VMT_HAS(probe, window_ns, p) && p->window_ns &&
	       (!t || t->n_rows <= VMT_FAULT_TABLE_ROWS);
}

/* In thousandths, as they are sorted and drawn. */
static bool faults_number(const struct vmt_ui *ui, const void *row, uint64_t *ret)
{
	const struct vmt_vma_rate *rate = rate_of(vmt_vma_columns_of(ui), row);

	*ret = rate ? rate->milli : 0;
	return rate ? rate->known : counts(ui);
}

static bool majors_number(const struct vmt_ui *ui, const void *row, uint64_t *ret)
{
	const struct vmt_vma_rate *rate = rate_of(vmt_vma_columns_of(ui), row);

	*ret = rate ? rate->major_milli : 0;
	return rate ? rate->major_known : counts(ui);
}

static void rate_value(struct vmt_buf *out, bool known, uint64_t milli)
{
	if (known)
		vmt_buf_addf(out, "%" PRIu64 ".%03u", milli / 1000, (unsigned)(milli % 1000));
}

static void faults_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	uint64_t milli;
	bool known = faults_number(ui, s->row, &milli);

	rate_value(out, known, milli);
}

static void majors_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	uint64_t milli;
	bool known = majors_number(ui, s->row, &milli);

	rate_value(out, known, milli);
}

/* What the counters of the mapping were when they were read last, and before; of minor and major
 * faults, or of major ones. A mapping may have several rows. */
static void counter_terms(struct vmt_explanation *e, bool minor)
{
	const struct vmt_fault_sample *f = e->ui->model->sample->faults;
	const struct vmt_vma_rate *rate = rate_of(vmt_vma_columns_of(e->ui), e->spot->row);
	uint64_t now = 0, since = 0;
	size_t i;

	if (!f || !counts(e->ui))
		return;
	for (i = 0; rate && i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];

		if (m->start != rate->start || m->pid != rate->row->pid)
			continue;
		now += m->major_read + (minor ? m->minor_read : 0);
		since += m->major + (minor ? m->minor : 0);
	}
	if (rate) {
		vmt_figure_term(e, "counter when it was read before: %" PRIu64, now - since);
		vmt_figure_term(e, "counter when it was read last: %" PRIu64, now);
	} else {
		vmt_figure_term(e, "no counter of the mapping has moved");
	}
	vmt_figure_term(e, "time between: %" PRIu64 " ns", f->window_ns);
	if (!rate)
		return;
	vmt_figure_field(e, &vmt_entity_fault, VMT_FIELD_fault_faults_total, rate->row);
	vmt_figure_field(e, &vmt_entity_fault, VMT_FIELD_fault_major_faults_total, rate->row);
}

static void faults_terms(struct vmt_explanation *e)
{
	counter_terms(e, true);
}

static void majors_terms(struct vmt_explanation *e)
{
	counter_terms(e, false);
}

static const struct vmt_figure faults_figure = {
	.title = "FLT/s of a mapping",
	.unit = "faults a second",
	.help = "minor and major page faults of the mapping, as the probe counts them in the kernel",
	.formula = "(counter now - counter before) / time between the two readings",
	.value = faults_value,
	.terms = faults_terms,
	.source = VMT_SOURCE_FAULT,
};

static const struct vmt_figure majors_figure = {
	.title = "MAJ/s of a mapping",
	.unit = "faults a second",
	.help = "major page faults of the mapping: those that waited for a device",
	.formula = "(counter now - counter before) / time between the two readings",
	.value = majors_value,
	.terms = majors_terms,
	.source = VMT_SOURCE_FAULT,
};

static void strip_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_map *m = s->row;
	unsigned cells = s->width > 2 ? s->width - 2 : 0;

	if (!VMT_HAS(map, size_bytes, m) || !cells)
		return;
	vmt_buf_addf(out, "%u cells for ", cells);
	vmt_fmt_size(out, m->size_bytes, VMT_SIZE_HUMAN, 0);
	vmt_buf_adds(out, ", each ");
	vmt_fmt_size(out, m->size_bytes / cells, VMT_SIZE_HUMAN, 0);
	if (!strip_of(ui->model->sample, m))
		vmt_buf_adds(out, "; how much is resident and not where");
}

static void strip_terms(struct vmt_explanation *e)
{
	const struct vmt_map *m = e->spot->row;

	vmt_figure_field(e, &vmt_entity_map, VMT_FIELD_map_size_bytes, m);
	vmt_figure_field(e, &vmt_entity_map, VMT_FIELD_map_rss_bytes, m);
}

static const struct vmt_figure strip_figure = {
	.title = "RESIDENT of a mapping",
	.unit = "cells",
	.help = "the mapping from its lowest address to its highest, all of it; the height of a cell is "
		"how many of its pages are there, s are swapped; + makes the bar longer, so that a cell "
		"is less, - shorter",
	.formula = "height of a cell = pages in memory / pages of the cell",
	.value = strip_value,
	.terms = strip_terms,
	.source = VMT_SOURCE_PAGEMAP,
};

static void draw_faults(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	uint64_t milli = 0;
	bool known = faults_number(ui, row, &milli);

	(void)style;
	draw_rate(c, y, x, width, known, milli);
}

static void draw_majors(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	uint64_t milli = 0;
	bool known = majors_number(ui, row, &milli);

	(void)style;
	draw_rate(c, y, x, width, known, milli);
}

static void draw_history(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			 unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_map *m = row;

	if (!ui->model->has_probe)
		vmt_canvas_bytes(c, y, x, width, VMT_STYLE_DIM, vmt_bytes_of("-"), VMT_FIT_RIGHT);
	else
		vmt_history_draw(vmt_vma_columns_of(ui)->history, m->start, 0, c, y, x, width,
				 style);
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

/* Titles and columns on narrow and on wide terminals. */
#define COLUMN(m, t, w, more, p)                                                                   \
	{                                                                                          \
		.field = VMT_FIELD_map_##m, .title = (t), .width = (w), .wide = (more),            \
		.priority = (p), .fit = VMT_FIT_RIGHT                                              \
	}
#define STRIP_TITLE "RESIDENT"
#define STRIP	    14u /* with its brackets */
#define STRIP_WIDE  38u

#define PICTURE(fn, t, w, more, p, ...)                                                            \
	{                                                                                          \
		.field = VMT_TABLE_PICTURE, .title = (t), .width = (w), .wide = (more),            \
		.priority = (p), .draw = (fn), __VA_ARGS__                                         \
	}

static const struct vmt_table_column map_columns[] = {
	{ .field = VMT_FIELD_map_start, .title = "ADDRESS", .wide_title = "START", .width = 12 },
	{ .field = VMT_FIELD_map_perms, .title = "PERM", .width = 4, .priority = 3 },
	COLUMN(size_bytes, "SIZE", 5, 6, 2),
	COLUMN(rss_bytes, "RSS", 5, 6, 0),
	COLUMN(pss_bytes, "PSS", 5, 6, 9),
	COLUMN(dirty_bytes, "DIRTY", 5, 6, 5),
	COLUMN(swap_bytes, "SWAP", 5, 6, 7),
	COLUMN(anon_huge_pages_bytes, "THP", 5, 6, 11),
	COLUMN(kernel_page_size_bytes, "PG", 3, 3, 12),
	PICTURE(draw_strip, STRIP_TITLE, STRIP, STRIP_WIDE, 6, .gap = 1,
		.wide_title = "RESIDENT (low to high address)", .figure = &strip_figure),
	PICTURE(draw_faults, "FLT/s", 5, 6, 4, .number = faults_number, .figure = &faults_figure),
	PICTURE(draw_majors, "MAJ/s", 5, 5, 10, .number = majors_number, .figure = &majors_figure),
	PICTURE(draw_history, "LAST 8", FAULTS_OF, FAULTS_OF, 13, .gap = 1,
		.figure = &vmt_figure_history),
	{ .field = VMT_FIELD_map_offset_bytes,
	  .title = "OFFSET",
	  .width = 8,
	  .priority = 14,
	  .fit = VMT_FIT_RIGHT,
	  .draw = draw_offset },
	{ .field = VMT_FIELD_map_path,
	  .title = "MAPPING",
	  .least = 21,
	  .wide = 12,
	  .draw = draw_name,
	  .fit = VMT_FIT_TAIL,
	  .gap = 1 },
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

const struct vmt_table_def vmt_vmas_by_map = { DEF(&vmt_entity_map, map_columns, "-RSS", identity,
						   words),
					       .edge_below = WIDE, .wide_from = WIDE };
const struct vmt_table_def vmt_vmas_by_file = { DEF(&vmt_entity_map_group, group_columns, "-RSS",
						    group_identity, group_words) };

static int by_start(const void *a, const void *b)
{
	const struct vmt_vma_rate *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* One process has no more rows in the pictures. */
#define PICTURES_MAX 4096u

static struct vmt_vma_rate rate_from(const struct vmt_fault *f, uint64_t window_ns)
{
	struct vmt_vma_rate r = { .row = f, .start = f->start, .total = f->faults_total };

	r.known = vmt_rate_milli(f->faults_total, 0, window_ns, &r.milli);
	r.major_known = VMT_HAS(fault, major_faults_total, f) &&
			vmt_rate_milli(f->major_faults_total, 0, window_ns, &r.major_milli);
	return r;
}

/* Rows are of the interval between two samples. */
int vmt_vma_count_faults(struct vmt_vma_columns *v, const struct vmt_model *m, uint64_t pid,
			 const struct vmt_proc_maps *maps)
{
	struct vmt_vma_rate *rates;
	size_t i, n = 0;
	int r = 0;

	vmt_history_tick(v->history);
	v->n_rates = 0;
	if (!m->has_probe || !VMT_HAS(probe, window_ns, &m->probe) || !maps)
		return 0;
	rates = reallocarray(v->rates, m->n_faults + 1, sizeof(*rates));
	if (!rates)
		return -ENOMEM;
	v->rates = rates;
	for (i = 0; i < m->n_faults; i++) {
		const struct vmt_fault *f = &m->faults[i];
		uint64_t owner = VMT_HAS(fault, owner_pid, f) ? f->owner_pid : f->pid;

		if (owner == pid && VMT_HAS(fault, start, f) && VMT_HAS(fault, faults_total, f))
			rates[n++] = rate_from(f, m->probe.window_ns);
	}
	qsort(rates, n, sizeof(*rates), by_start);
	v->n_rates = n;
	for (i = 0; i < maps->n_maps && i < PICTURES_MAX && r == 0; i++) {
		const struct vmt_vma_rate *rate = rate_of(v, &maps->maps[i]);

		r = vmt_history_add(v->history, maps->maps[i].start, 0, rate ? rate->total : 0);
	}
	return r;
}

bool vmt_vma_draw_faults(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
			 const struct vmt_map *m)
{
	static const struct {
		const char *word;
		unsigned field;
	} figures[] = {
		{ "  served as ", VMT_FIELD_fault_main_kind }, { "  p50 ", VMT_FIELD_fault_p50_ns },
		{ "  p99 ", VMT_FIELD_fault_p99_ns },	       { "  max ", VMT_FIELD_fault_max_ns },
		{ "  stall ", VMT_FIELD_fault_total_ns },
	};
	const struct vmt_vma_rate *rate = m ? rate_of(vmt_vma_columns_of(ui), m) : NULL;
	VMT_AUTO_BUF text = { 0 };
	unsigned x, from;
	size_t i;

	if (!rate || !rate->known || !rate->total)
		return false;
	vmt_vma_rate_text(&text, true, rate->milli, 0);
	if (vmt_buf_error(&text) < 0)
		return false;
	from = vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL, "faults/s ");
	x = vmt_canvas_puts(c, y, from, VMT_STYLE_STRONG, text.data);
	vmt_canvas_figure(c, y, from, x - from, &faults_figure, m, 0);
	for (i = 0; i < VMT_ARRAY_LEN(figures) && x + FIGURE <= c->width; i++) {
		x = vmt_draw_named(ui, c, y, x, figures[i].word, 0, VMT_STYLE_STRONG,
				   &vmt_entity_fault, figures[i].field, rate->row);
	}
	return true;
}

/* What stays beside the picture: the address, RSS and the name. */
#define BESIDE 45u

static unsigned strip_width(unsigned width, unsigned zoom)
{
	return (((width >= WIDE ? STRIP_WIDE : STRIP) - 2) << zoom) + 2;
}

static unsigned strip_most(unsigned width)
{
	unsigned room = width > BESIDE ? width - BESIDE : 0;

	return room < VMT_STRIP_CELLS_MAX + 2 ? room : VMT_STRIP_CELLS_MAX + 2;
}

bool vmt_vma_columns_zoom(struct vmt_vma_columns *v, bool in, unsigned width)
{
	if (in ? strip_width(width, v->zoom + 1) > strip_most(width) : !v->zoom)
		return false;
	v->zoom = in ? v->zoom + 1 : v->zoom - 1;
	return true;
}

void vmt_vma_columns_fit(struct vmt_vma_columns *v, struct vmt_table *t, unsigned width)
{
	while (v->zoom && strip_width(width, v->zoom) > strip_most(width))
		v->zoom--;
	vmt_table_picture_width(t, STRIP_TITLE, v->zoom ? strip_width(width, v->zoom) : 0);
}

int vmt_vma_columns_init(struct vmt_vma_columns *v)
{
	return vmt_history_new(&v->history);
}

void vmt_vma_columns_done(struct vmt_vma_columns *v)
{
	vmt_history_free(v->history);
	free(v->rates);
}
