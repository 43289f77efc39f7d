/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/table.h"
#include "model/cache.h"

/* How much of a file is cached. */
static void draw_share(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_cached_file *f = row;
	unsigned cells = width > 2 ? width - 2 : 0, full;

	if (!VMT_HAS(cached_file, cached_percent, f) || !cells) {
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "-");
		return;
	}
	full = (unsigned)((unsigned __int128)f->cached_percent * cells / 100000);
	/* What is there at all is to be seen, and what is missing too. */
	if (!full && f->cached_percent)
		full = 1;
	full = full < cells ? full : cells;
	vmt_canvas_puts(c, y, x, style, "[");
	vmt_canvas_fill(c, y, x + 1, VMT_STYLE_CLEAN, VMT_GLYPH_FULL, full);
	vmt_canvas_fill(c, y, x + 1 + full, VMT_STYLE_DIM, VMT_GLYPH_NONE, cells - full);
	vmt_canvas_puts(c, y, x + 1 + cells, style, "]");
}

static void share_terms(struct vmt_explanation *e)
{
	vmt_figure_field(e, &vmt_entity_cached_file, VMT_FIELD_cached_file_cached_bytes,
			 e->spot->row);
	vmt_figure_field(e, &vmt_entity_cached_file, VMT_FIELD_cached_file_size_bytes,
			 e->spot->row);
}

static void share_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_cached_file *f = s->row;

	(void)ui;
	if (VMT_HAS(cached_file, cached_percent, f))
		vmt_buf_addf(out, "%" PRIu64 ".%03u %%", f->cached_percent / 1000,
			     (unsigned)(f->cached_percent % 1000));
}

static const struct vmt_figure share_figure = {
	.title = "RESIDENT of a file",
	.unit = "percent",
	.help = "how much of the file is cached, of all of it; not where. What is there at all is a "
		"cell at least",
	.formula = "cached / size * cells",
	.value = share_value,
	.terms = share_terms,
};

#define COLUMN(member, name, w, prio)                                                              \
	{                                                                                          \
		.field = VMT_FIELD_cached_file_##member, .title = name, .width = w,                \
		.priority = prio, .fit = VMT_FIT_RIGHT                                             \
	}

static const struct vmt_table_column columns[] = {
	COLUMN(cached_bytes, NULL, 6, 0),
	COLUMN(size_bytes, NULL, 6, 2),
	COLUMN(cached_percent, "%", 3, 4),
	COLUMN(dirty_bytes, NULL, 6, 3),
	COLUMN(writeback_bytes, "WRITEBK", 7, 8),
	COLUMN(evicted_bytes, "EVICT", 5, 6),
	COLUMN(recently_evicted_bytes, "RECENT", 6, 9),
	COLUMN(mappers_total, "MAPPED", 6, 5),
	{ .field = VMT_TABLE_PICTURE,
	  .title = "RESIDENT",
	  .width = 14,
	  .wide = 42,
	  .priority = 7,
	  .gap = 1,
	  .fit = VMT_FIT_LEFT,
	  .draw = draw_share,
	  .figure = &share_figure },
	{ .field = VMT_FIELD_cached_file_path, .least = 24, .fit = VMT_FIT_TAIL },
};

static const unsigned identity[] = { VMT_FIELD_cached_file_device, VMT_FIELD_cached_file_inode };

static const struct vmt_table_word words[] = {
	{ "file", VMT_FIELD_cached_file_path },
	{ "fs", VMT_FIELD_cached_file_fs_type },
};

static const struct vmt_table_def def = {
	.entity = &vmt_entity_cached_file,
	.columns = columns,
	.n_columns = VMT_ARRAY_LEN(columns),
	.sort = "-cached_bytes",
	.identity = identity,
	.n_identity = VMT_ARRAY_LEN(identity),
	.words = words,
	.n_words = VMT_ARRAY_LEN(words),
};

static int init(struct vmt_ui *ui, void **ret)
{
	struct vmt_table *t;
	int r = vmt_table_new(&def, &t);

	if (r == 0)
		*ret = t;
	return r;
}

static void done(void *state)
{
	vmt_table_free(state);
}

/* Selects the file that the screen was opened for, once there are rows to look for it. */
static void select_file(struct vmt_ui *ui, struct vmt_table *t)
{
	const struct vmt_model *m = ui->model;
	struct vmt_ui_file file = ui->subject.file;
	const struct vmt_cached_file *f = NULL;
	size_t i;

	if (vmt_ui_view(ui)->screen != VMT_SCREEN_CACHE || !*file.device || !m->n_cached_files)
		return;
	/* Once: from then on the selection is the user's. */
	ui->subject.file = (struct vmt_ui_file){ 0 };
	ui->views[ui->n_views - 1].subject = ui->subject;
	for (i = 0; i < m->n_cached_files && !f; i++)
		if (m->cached_files[i].inode == file.inode &&
		    vmt_bytes_is(m->cached_files[i].device, file.device))
			f = &m->cached_files[i];
	if (f)
		vmt_table_select(t, f);
	if (!f)
		vmt_ui_say(ui, "the file is not in the page cache's list");
	else if (vmt_table_selected(t) != f)
		vmt_ui_say(ui, "the file does not pass the filter");
}

static int take_model(struct vmt_ui *ui, void *state)
{
	int r = vmt_table_rows(ui, state, ui->model->cached_files, ui->model->n_cached_files);

	if (r == 0)
		select_file(ui, state);
	return r;
}

static unsigned word(struct vmt_canvas *c, unsigned y, unsigned x, const char *text)
{
	return vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, text);
}

static unsigned value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned field)
{
	return vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_cache, field,
			      &ui->model->cache);
}

/* "page cache 1.19G  dirty 10.1M  writeback 0 ... 29 files = 17.8M (1%)" */
static void draw_head(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	unsigned x = word(c, y, 0, "page cache "), from;

	x = value(ui, c, y, x, VMT_FIELD_cache_cached_bytes);
	x = word(c, y, x, "  dirty ");
	x = value(ui, c, y, x, VMT_FIELD_cache_dirty_bytes);
	x = word(c, y, x, "  writeback ");
	x = value(ui, c, y, x, VMT_FIELD_cache_writeback_bytes);
	from = c->width >= 80 ? c->width - 34 : x + 2;
	x = from > x + 2 ? from : x + 2;
	/* Where they could not be listed, how many there are is not known, and none is not it. */
	if (!ui->model->n_cached_files) {
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "mapped files: -");
		return;
	}
	x = value(ui, c, y, x, VMT_FIELD_cache_files_total);
	x = word(c, y, x, " mapped files: ");
	x = value(ui, c, y, x, VMT_FIELD_cache_listed_cached_bytes);
	x = word(c, y, x, " (");
	x = value(ui, c, y, x, VMT_FIELD_cache_explained_percent);
	word(c, y, x, "%)");
}

/* Why there are no rows, or less in them than there could be. */
static void draw_reason(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	static const enum vmt_source_id sources[] = { VMT_SOURCE_INODES, VMT_SOURCE_CACHESTAT };
	const struct vmt_source_stat *s;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(sources); i++) {
		s = &ui->model->sample->sources[sources[i]];
		if (!s->reason[0])
			continue;
		vmt_draw_reason(c, y, vmt_bytes_of(s->reason));
		return;
	}
	vmt_canvas_puts(c, y, 0, VMT_STYLE_DIM,
			"files that processes map; vmtop cache --all lists every one");
}

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	unsigned y = area.y, end = area.y + area.height;

	draw_head(ui, c, y++);
	if (area.height > 8)
		draw_reason(ui, c, --end);
	vmt_table_draw(ui, state, c, (struct vmt_area){ y, 0, end - y, area.width });
}

/* Rows of which more is asked: those that a tall screen has. */
#define NAMED 100

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *w)
{
	w->cache = NAMED;
}

static struct vmt_table *table(void *state)
{
	return state;
}

const struct vmt_screen vmt_screen_cache = {
	.name = "cache",
	.title = "Cache",
	.help = "files in the page cache that processes map",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.want = want,
	.table = table,
};
