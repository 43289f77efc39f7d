/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/table.h"
#include "cmd/ui/vma-detail.h"
#include "model/page-cells.h"

/* "7f1cc7e00000 " before the cells, " 100% resident" behind them. */
#define ADDRESS 13u
#define PERCENT 15u
/* The offset in the file, and the resident pages behind it. */
#define OFFSET 60u
/* Lines of the terminal from which on there is a legend, and the page under the cursor is shown
 * without being asked for. */
#define TALL	 24
#define DETAILED 30
#define HEAD	 2u
#define LEGEND	 2u
#define DETAIL	 5u
/* Before the first drawing: the largest that is drawn without being cut. */
#define COLS_AT_FIRST  128u
#define LINES_AT_FIRST 32u

struct pages_state {
	struct vmt_ui_subject seen; /* that the screen was opened for */
	struct vmt_ui_proc proc; /* that is shown */
	const struct vmt_page_cells *cells; /* of the sample, or NULL */
	uint64_t start, end; /* of the mapping */
	uint64_t page; /* bytes of one */
	unsigned cols, lines; /* of the map on the screen */
	uint64_t zoom; /* pages of a cell; 0: as many as make it fit */
	uint64_t from; /* address of the first line */
	uint64_t cursor; /* address of the cell that keys move */
	bool detail; /* asked for by Enter */
};

static void done(void *state)
{
	free(state);
}

static int init(struct vmt_ui *ui, void **ret)
{
	struct pages_state *s = calloc(1, sizeof(*s));

	(void)ui;
	if (!s)
		return -ENOMEM;
	s->cols = COLS_AT_FIRST;
	s->lines = LINES_AT_FIRST;
	*ret = s;
	return 0;
}

static uint64_t n_pages(const struct pages_state *s)
{
	return s->page ? (s->end - s->start) / s->page : 0;
}

static uint64_t fit(const struct pages_state *s)
{
	return vmt_page_cells_fit(n_pages(s), (uint64_t)s->cols * s->lines);
}

/* Pages of a cell. */
static uint64_t cell_pages(const struct pages_state *s)
{
	uint64_t most = fit(s);

	return s->zoom && s->zoom < most ? s->zoom : most;
}

static uint64_t cell_bytes(const struct pages_state *s)
{
	return cell_pages(s) * s->page;
}

static uint64_t line_bytes(const struct pages_state *s)
{
	return cell_bytes(s) * s->cols;
}

/* The cursor inside of the mapping and at the begin of a cell, and its line on the screen. */
static void settle(struct pages_state *s)
{
	uint64_t cell = cell_bytes(s), line = line_bytes(s), at, top, last;

	if (!cell || s->end <= s->start)
		return;
	if (s->cursor < s->start || s->cursor >= s->end)
		s->cursor = s->cursor < s->start ? s->start : s->end - s->page;
	s->cursor -= (s->cursor - s->start) % cell;
	at = (s->cursor - s->start) / line;
	top = s->from > s->start ? (s->from - s->start) / line : 0;
	last = (s->end - s->start - 1) / line;
	if (at < top)
		top = at;
	else if (at >= top + s->lines)
		top = at - s->lines + 1;
	/* No empty lines below, as long as there are some above. */
	if (top + s->lines > last + 1)
		top = last + 1 > s->lines ? last + 1 - s->lines : 0;
	s->from = s->start + top * line;
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct pages_state *s = state;
	const struct vmt_page_cells *c = ui->model->sample->page_cells;
	const struct vmt_ui_subject *now = &ui->subject;

	s->cells = c;
	if (vmt_ui_view(ui)->screen != VMT_SCREEN_PAGES)
		return 0;
	if (now->start != s->seen.start || now->proc.pid != s->seen.proc.pid ||
	    now->address != s->seen.address) {
		s->seen = *now;
		s->start = s->end = s->from = s->zoom = 0;
		s->cursor = now->address ? now->address : now->start;
		s->detail = false;
	}
	if (!c) {
		s->proc = now->proc;
		return 0;
	}
	s->proc = (struct vmt_ui_proc){ c->pid, c->start_time_ns };
	s->page = c->page_size;
	if (!c->map)
		return 0;
	/* A stack grows at its begin: the cursor stays where it is. */
	s->start = c->start;
	s->end = c->end;
	if (!c->n_cells) {
		s->start = c->map->start;
		s->end = c->map->end;
	}
	settle(s);
	return 0;
}

/* Drawing. */

static enum vmt_style style_of(enum vmt_page_kind kind)
{
	switch (kind) {
	case VMT_PAGE_KIND_DIRTY:
		return VMT_STYLE_DIRTY;
	case VMT_PAGE_KIND_CLEAN:
		return VMT_STYLE_CLEAN;
	case VMT_PAGE_KIND_REFERENCED:
		return VMT_STYLE_SLAB;
	case VMT_PAGE_KIND_SHARED:
		return VMT_STYLE_SHMEM;
	case VMT_PAGE_KIND_SWAPPED:
		return VMT_STYLE_SWAP;
	case VMT_PAGE_KIND_SPECIAL:
		return VMT_STYLE_WARNING;
	default:
		return VMT_STYLE_DIM;
	}
}

/* What a cell of the screen has; false where that is not known (yet). */
static bool get(const struct pages_state *s, uint64_t at, struct vmt_page_cell *ret,
		uint64_t *ret_pages)
{
	const struct vmt_page_cells *c = s->cells;

	return c && c->map && c->cell_pages <= cell_pages(s) &&
	       vmt_page_cells_get(c, at, cell_pages(s), ret, ret_pages);
}

static void draw_cell(struct vmt_canvas *c, unsigned y, unsigned x,
		      const struct vmt_page_cell *cell)
{
	enum vmt_page_kind kind = (enum vmt_page_kind)cell->kind;
	char letter = vmt_page_kind_letter(kind);

	if (kind == VMT_PAGE_KIND_NONE) {
		vmt_canvas_glyph(c, y, x, VMT_STYLE_DIM, VMT_GLYPH_NONE);
		return;
	}
	if (cell->large && letter >= 'a' && letter <= 'z')
		letter = (char)(letter - 'a' + 'A');
	vmt_canvas_putf(c, y, x, style_of(kind), "%c", letter);
}

/* Pages of the line-th line on the screen, and how many of them are there. */
static void count_line(const struct pages_state *s, size_t line, uint64_t *resident,
		       uint64_t *pages)
{
	uint64_t at = s->from + line * line_bytes(s);
	unsigned i;

	*resident = *pages = 0;
	for (i = 0; i < s->cols && at < s->end; i++, at += cell_bytes(s)) {
		struct vmt_page_cell cell;
		uint64_t n;

		if (!get(s, at, &cell, &n))
			continue;
		*resident += cell.resident;
		*pages += n;
	}
}

static void percent_text(struct vmt_buf *out, uint64_t part, uint64_t all)
{
	uint64_t milli = all ? (uint64_t)((unsigned __int128)part * 100000 / all) : 0;

	if (all)
		vmt_buf_addf(out, "%" PRIu64 ".%03u %%", milli / 1000, (unsigned)(milli % 1000));
}

static void line_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *spot)
{
	uint64_t resident, pages;

	count_line(spot->row, spot->index, &resident, &pages);
	percent_text(out, resident, pages);
}

static void line_terms(struct vmt_explanation *e)
{
	uint64_t resident, pages;

	count_line(e->spot->row, e->spot->index, &resident, &pages);
	vmt_figure_term(e, "pages of the line that are in memory: %" PRIu64, resident);
	vmt_figure_term(e, "pages of the line: %" PRIu64, pages);
}

static const struct vmt_figure line_percent = {
	.title = "resident pages of a line",
	.unit = "percent",
	.help = "how many of the pages of this line of the map are in memory; rounded down",
	.formula = "100 * pages in memory / pages of the line",
	.value = line_value,
	.terms = line_terms,
	.source = VMT_SOURCE_PAGEMAP,
};

static void draw_line(const struct pages_state *s, struct vmt_canvas *c, unsigned y, uint64_t at,
		      size_t line)
{
	uint64_t resident = 0, pages = 0;
	bool whole = true;
	unsigned i;

	vmt_canvas_putf(c, y, 0, VMT_STYLE_NORMAL, "%012" PRIx64, at);
	for (i = 0; i < s->cols; i++, at += cell_bytes(s)) {
		struct vmt_page_cell cell;
		uint64_t n;

		if (at >= s->end)
			break;
		if (get(s, at, &cell, &n)) {
			draw_cell(c, y, ADDRESS + i, &cell);
			resident += cell.resident;
			pages += n;
		} else {
			whole = false;
		}
		if (at == s->cursor)
			vmt_canvas_restyle(c, y, ADDRESS + i, 1, VMT_STYLE_CURSOR);
	}
	if (c->width >= ADDRESS + s->cols + PERCENT && whole && pages)
		vmt_draw_figure(c, y, ADDRESS + s->cols, VMT_STYLE_NORMAL, &line_percent, s, line,
				"  %3" PRIu64 "%% resident",
				(uint64_t)((unsigned __int128)resident * 100 / pages));
}

static void scale_terms(struct vmt_explanation *e)
{
	const struct pages_state *s = e->spot->row;

	vmt_figure_term(e, "pages of the mapping: %" PRIu64, n_pages(s));
	vmt_figure_term(e, "cells of the map on the screen: %u", s->cols * s->lines);
	vmt_figure_term(e, "page size: %" PRIu64 " bytes", s->page);
}

static const struct vmt_figure scale = {
	.title = "scale of the map",
	.unit = "pages of a cell",
	.help = "how much a cell of the map stands for: a power of two of pages, so many that all of "
		"the mapping is on the screen, or fewer by +",
	.formula = "least power of two >= pages of the mapping / cells, halved by +, doubled by -",
	.terms = scale_terms,
};

/* "cell = 4 pages (16K)", flush right. */
static void draw_scale(struct vmt_ui *ui, const struct pages_state *s, struct vmt_canvas *c,
		       unsigned y, unsigned left)
{
	struct vmt_map cell = { 0 };
	VMT_AUTO_BUF text = { 0 };

	VMT_SET(map, size_bytes, &cell, cell_bytes(s));
	vmt_buf_addf(&text, "cell = %" PRIu64 " page%s (", cell_pages(s),
		     cell_pages(s) == 1 ? "" : "s");
	vmt_ui_value(&text, ui, &vmt_entity_map.fields[VMT_FIELD_map_size_bytes], &cell, 0);
	vmt_buf_addc(&text, ')');
	if (vmt_buf_error(&text) == 0 && left + text.len < c->width)
		vmt_draw_figure(c, y, c->width - (unsigned)text.len, VMT_STYLE_NORMAL, &scale, s, 0,
				"%s", text.data);
}

static unsigned map_value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			  unsigned width, unsigned field, const struct vmt_map *m)
{
	return vmt_draw_value(ui, c, y, x, width, VMT_STYLE_STRONG, &vmt_entity_map, field, m);
}

static void all_terms(struct vmt_explanation *e)
{
	const struct pages_state *s = e->spot->row;

	vmt_figure_term(e, "first address: 0x%" PRIx64, s->start);
	vmt_figure_term(e, "address behind the last: 0x%" PRIx64, s->end);
	vmt_figure_term(e, "page size: %" PRIu64 " bytes", s->page);
}

static const struct vmt_figure all_pages = {
	.title = "pages of the mapping",
	.unit = "pages",
	.help = "how many pages its addresses have room for",
	.formula = "(end - start) / page size",
	.terms = all_terms,
	.source = VMT_SOURCE_MAPS,
};

static void map_percent_value(struct vmt_buf *out, const struct vmt_ui *ui,
			      const struct vmt_spot *spot)
{
	const struct pages_state *s = spot->row;
	const struct vmt_map *m = s->cells ? s->cells->map : NULL;

	if (m && VMT_HAS(map, present_pages, m))
		percent_text(out, m->present_pages, n_pages(s));
	else if (m && VMT_HAS(map, rss_bytes, m) && s->page)
		percent_text(out, m->rss_bytes / s->page, n_pages(s));
}

static void map_percent_terms(struct vmt_explanation *e)
{
	const struct pages_state *s = e->spot->row;
	const struct vmt_map *m = s->cells ? s->cells->map : NULL;

	if (m)
		vmt_figure_field(e, &vmt_entity_map,
				 VMT_HAS(map, present_pages, m) ? VMT_FIELD_map_present_pages
								: VMT_FIELD_map_rss_bytes,
				 m);
	vmt_figure_term(e, "pages of the mapping: %" PRIu64, n_pages(s));
}

static const struct vmt_figure map_percent = {
	.title = "resident pages of the mapping",
	.unit = "percent",
	.help = "how many of the pages of the mapping are in memory; rounded down",
	.formula = "100 * pages in memory (or RSS / page size) / pages of the mapping",
	.value = map_percent_value,
	.terms = map_percent_terms,
};

/* Pages that are there: by the mapping, or by its RSS where pages cannot be looked at. */
static unsigned draw_resident(struct vmt_ui *ui, const struct pages_state *s, struct vmt_canvas *c,
			      unsigned y, unsigned x, const struct vmt_map *m)
{
	uint64_t pages = n_pages(s), resident = 0;
	bool known = true;

	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "  resident ");
	if (VMT_HAS(map, present_pages, m)) {
		resident = m->present_pages;
		x = map_value(ui, c, y, x, 0, VMT_FIELD_map_present_pages, m);
	} else if (VMT_HAS(map, rss_bytes, m)) {
		unsigned from = x;

		resident = m->rss_bytes / s->page;
		x = vmt_canvas_putf(c, y, x, VMT_STYLE_STRONG, "%" PRIu64, resident);
		vmt_canvas_value(c, y, from, x - from, &vmt_entity_map, VMT_FIELD_map_rss_bytes, m);
	} else {
		known = false;
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "-");
	}
	x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &all_pages, s, 0, "/%" PRIu64 " pages",
			    pages);
	if (known && pages)
		x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &map_percent, s, 0,
				    " (%" PRIu64 "%%)",
				    (uint64_t)((unsigned __int128)resident * 100 / pages));
	return x;
}

static const struct vmt_proc *proc_of(const struct vmt_ui *ui, const struct pages_state *s)
{
	size_t i;

	for (i = 0; i < ui->model->n_procs; i++)
		if (ui->model->procs[i].pid == s->proc.pid)
			return &ui->model->procs[i];
	return NULL;
}

static void draw_head(struct vmt_ui *ui, const struct pages_state *s, struct vmt_canvas *c,
		      unsigned y)
{
	const struct vmt_map *m = s->cells->map;
	const struct vmt_proc *p = proc_of(ui, s);
	unsigned x = p ? vmt_draw_process(c, y, p) : 0, room = c->width / 2, width;

	x = vmt_draw_range(c, y, x + 2, VMT_STYLE_NORMAL, m) + 1;
	x = vmt_canvas_bytes(c, y, x, 4, VMT_STYLE_NORMAL, m->perms, VMT_FIT_LEFT);
	x = map_value(ui, c, y, x + 1, 5, VMT_FIELD_map_size_bytes, m);
	draw_scale(ui, s, c, y, x);
	if (m->path.len) {
		width = vmt_text_width(m->path, c->ascii);
		vmt_canvas_value(c, y + 1, 0, width < room ? width : room, &vmt_entity_map,
				 VMT_FIELD_map_path, m);
		x = vmt_canvas_bytes(c, y + 1, 0, width < room ? width : room, VMT_STYLE_NORMAL,
				     m->path, VMT_FIT_TAIL);
	} else {
		x = vmt_canvas_puts(c, y + 1, 0, VMT_STYLE_NORMAL, "[anon]");
	}
	if (m->inode && x + OFFSET <= c->width) {
		x = vmt_canvas_puts(c, y + 1, x, VMT_STYLE_NORMAL, "  file offset ");
		x = map_value(ui, c, y + 1, x, 0, VMT_FIELD_map_offset_bytes, m);
	}
	draw_resident(ui, s, c, y + 1, x, m);
}

/* A value of the page, and what it is. */
static unsigned page_value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			   const char *word, unsigned field, const struct vmt_page *p)
{
	return vmt_draw_named(ui, c, y, x, word, 0, VMT_STYLE_STRONG, &vmt_entity_page, field, p);
}

static void kind_terms(struct vmt_explanation *e)
{
	const struct vmt_page_cells *cells = e->spot->row;

	vmt_figure_term(e, "looked at: 0x%" PRIx64 " to 0x%" PRIx64, cells->from, cells->known);
}

static const struct vmt_figure kind_count = {
	.title = "pages of one state",
	.unit = "pages",
	.help = "how many of the pages that were looked at are in the state of the letter before it; "
		"\"so far\" behind them: not all of the mapping was looked at yet",
	.terms = kind_terms,
	.source = VMT_SOURCE_PAGEMAP,
};

static void draw_counts(const struct vmt_page_cells *cells, struct vmt_canvas *c, unsigned y)
{
	unsigned x = vmt_canvas_puts(c, y, 1, VMT_STYLE_NORMAL, "counts"), i;

	for (i = VMT_PAGE_KINDS; i-- > 0;) {
		enum vmt_page_kind kind = (enum vmt_page_kind)i;

		if (!cells->counts[i])
			continue;
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, "  ");
		if (kind == VMT_PAGE_KIND_NONE)
			x = vmt_canvas_glyph(c, y, x, VMT_STYLE_DIM, VMT_GLYPH_NONE);
		else
			x = vmt_canvas_putf(c, y, x, style_of(kind), "%c",
					    vmt_page_kind_letter(kind));
		x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &kind_count, cells, i, " %" PRIu64,
				    cells->counts[i]);
	}
	if (cells->known < vmt_page_cells_end(cells))
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "  so far");
}

static void cursor_terms(struct vmt_explanation *e)
{
	const struct pages_state *s = e->spot->row;

	vmt_figure_term(e, "address of the cursor: 0x%" PRIx64, s->cursor);
	vmt_figure_term(e, "first address of the mapping: 0x%" PRIx64, s->start);
}

static const struct vmt_figure cursor_page = {
	.title = "page under the cursor",
	.unit = "bytes, in hex",
	.help = "its address, and how far behind the begin of the mapping it is",
	.formula = "offset = address - first address of the mapping",
	.terms = cursor_terms,
};

/* A rule and four lines: the page under the cursor. */
static void draw_detail(struct vmt_ui *ui, const struct pages_state *s, struct vmt_canvas *c,
			unsigned y)
{
	const struct vmt_page *p = s->cells->page;
	unsigned x;

	vmt_canvas_fill(c, y, 0, VMT_STYLE_DIM, VMT_GLYPH_LINE, c->width);
	draw_counts(s->cells, c, y + 4);
	if (!p || p->start > s->cursor || p->end <= s->cursor) {
		vmt_draw_figure(c, y + 1, 1, VMT_STYLE_DIM, &cursor_page, s, 0,
				"page %012" PRIx64 "  %s", s->cursor,
				p ? "..." : "cannot be looked at");
		return;
	}
	x = vmt_draw_figure(c, y + 1, 1, VMT_STYLE_NORMAL, &cursor_page, s, 0,
			    "page %012" PRIx64 "  offset +%" PRIx64, s->cursor,
			    s->cursor - s->start) +
	    2;
	x = page_value(ui, c, y + 1, x, "", VMT_FIELD_page_state, p);
	x = page_value(ui, c, y + 1, x, "  ", VMT_FIELD_page_backing, p);
	x = page_value(ui, c, y + 1, x, "  pfn ", VMT_FIELD_page_frame, p);
	page_value(ui, c, y + 1, x, "  mapcount ", VMT_FIELD_page_map_count, p);
	x = page_value(ui, c, y + 2, 1, "exclusive ", VMT_FIELD_page_exclusive, p);
	x = page_value(ui, c, y + 2, x, "  soft-dirty ", VMT_FIELD_page_soft_dirty, p);
	x = page_value(ui, c, y + 2, x, "  huge ", VMT_FIELD_page_huge, p);
	x = page_value(ui, c, y + 2, x, "  zone ", VMT_FIELD_page_zone, p);
	x = page_value(ui, c, y + 2, x, "  node ", VMT_FIELD_page_node, p);
	if (VMT_HAS(page, swap_offset, p)) {
		x = page_value(ui, c, y + 2, x, "  swap ", VMT_FIELD_page_swap_type, p);
		page_value(ui, c, y + 2, x, ":", VMT_FIELD_page_swap_offset, p);
	}
	page_value(ui, c, y + 3, 1, "kpageflags ", VMT_FIELD_page_page_flags, p);
}

static void draw_legend(const struct pages_state *s, struct vmt_canvas *c, unsigned y)
{
	bool wide = c->width >= 140, told = s->cells->told_apart || !s->cells->n_cells;
	unsigned x = vmt_canvas_glyph(c, y, 0, VMT_STYLE_DIM, VMT_GLYPH_NONE);

	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, " absent  ");
	if (told)
		x = vmt_canvas_puts(
			c, y, x, VMT_STYLE_DIM,
			wide ? " o resident clean   r referenced recently   d dirty   "
			       "= mapped more than once   s swapped out   "
			       "z zero page   g guard   x special   CAPITAL: large folio"
			     : "o clean  r referenced  d dirty  = shared  s swapped  "
			       "CAPS: large folio");
	else
		x = vmt_canvas_puts(
			c, y, x, VMT_STYLE_DIM,
			wide ? " o resident (to tell more: zoom in; needs CAP_SYS_ADMIN)  "
			       "d memory without a file  = not exclusive  "
			       "s swapped out  z zero page  g guard  x special"
			     : "o resident  d without a file  = not exclusive  "
			       "s swapped");
	vmt_canvas_puts(c, y + 1, 0, VMT_STYLE_DIM,
			wide ? "arrows move   + - zoom   n/N next/previous change   "
			       "Enter page details   Esc back to the mappings"
			     : "arrows: move  + -: zoom  n/N: next state change  Enter: page");
	(void)x;
}

static unsigned cols_of(unsigned width)
{
	return width >= ADDRESS + 128  ? 128
	       : width >= ADDRESS + 64 ? 64
	       : width >= ADDRESS + 32 ? 32
				       : 16;
}

static void draw_nothing(struct vmt_ui *ui, const struct pages_state *s, struct vmt_canvas *c,
			 unsigned y)
{
	const struct vmt_proc *p = proc_of(ui, s);
	const struct vmt_proc_maps *pm = p && ui->model->sample->maps
						 ? &ui->model->sample->maps[p - ui->model->procs]
						 : NULL;

	if (p && pm && pm->n_maps)
		vmt_canvas_puts(c, y, 1, VMT_STYLE_WARNING, "the mapping is not there any more");
	else
		vmt_draw_no_maps(ui, c, y, p, s->proc.pid, s->end != 0);
}

/* Why there are no pages, where the map would begin. */
static void draw_failure(struct vmt_ui *ui, const struct vmt_page_cells *cells,
			 struct vmt_canvas *c, unsigned y)
{
	if (cells->error == -ENOENT || !ui->opts.live)
		vmt_canvas_puts(c, y, 1, VMT_STYLE_DIM,
				"pages cannot be looked at: there is no pagemap");
	else
		vmt_canvas_puts(c, y, 1, VMT_STYLE_WARNING,
				"pages cannot be looked at (! says why)");
}

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct pages_state *s = state;
	bool legend = c->height >= TALL, detail = s->detail || area.height >= DETAILED;
	unsigned below = (legend ? LEGEND : 0) + (detail ? DETAIL : 0), i;
	uint64_t at;

	s->cols = cols_of(area.width);
	s->lines = area.height > HEAD + below ? area.height - HEAD - below : 1;
	if (!s->cells || !s->cells->map) {
		draw_nothing(ui, s, c, area.y + 1);
		return;
	}
	settle(s);
	draw_head(ui, s, c, area.y);
	for (i = 0, at = s->from; i < s->lines && at < s->end; i++, at += line_bytes(s))
		draw_line(s, c, area.y + HEAD + i, at, i);
	if (s->cells->error && s->cells->known <= s->cells->from)
		draw_failure(ui, s->cells, c, area.y + HEAD + i);
	if (detail)
		draw_detail(ui, s, c, area.y + HEAD + s->lines);
	if (legend)
		draw_legend(s, c, area.y + area.height - LEGEND);
}

/* Keys. */

/* Why it is that nothing is seen where a key goes. */
static bool say_blind(struct vmt_ui *ui, const struct pages_state *s)
{
	if (!s->cells || !s->cells->error || s->cells->known > s->cells->from)
		return false;
	vmt_ui_say(ui, "pages cannot be looked at (! says why)");
	return true;
}

/* n cells on, or back, as far as there are some. */
static enum vmt_ui_act move(struct vmt_ui *ui, struct pages_state *s, int64_t n)
{
	uint64_t cell = cell_bytes(s), cells, at;

	if (!cell || s->end <= s->start) {
		vmt_ui_say(ui, "there are no pages");
		return VMT_UI_DRAW;
	}
	say_blind(ui, s);
	cells = (s->end - s->start - 1) / cell;
	at = (s->cursor - s->start) / cell;
	if (n < 0)
		at = at > (uint64_t)-n ? at - (uint64_t)-n : 0;
	else
		at = cells - at > (uint64_t)n ? at + (uint64_t)n : cells;
	s->cursor = s->start + at * cell;
	settle(s);
	return VMT_UI_DRAW;
}

static enum vmt_ui_act zoom(struct vmt_ui *ui, struct pages_state *s, bool in)
{
	uint64_t now = cell_pages(s), most = fit(s);

	if (in ? now <= 1 : now >= most) {
		vmt_ui_say(ui, in ? "a cell is one page" : "all of the mapping is shown");
		return VMT_UI_DRAW;
	}
	s->zoom = in ? now / 2 : now * 2;
	settle(s);
	return VMT_UI_DRAW;
}

/* To the next cell, or the one before, that is otherwise than the one under the cursor. */
static enum vmt_ui_act next_change(struct vmt_ui *ui, struct pages_state *s, bool back)
{
	struct vmt_page_cell here, cell;
	uint64_t bytes = cell_bytes(s), at = s->cursor, n;

	if (say_blind(ui, s))
		return VMT_UI_DRAW;
	if (!bytes || !get(s, at, &here, &n))
		return VMT_UI_NONE;
	for (;;) {
		if (back ? at < s->start + bytes : at + bytes >= s->end)
			break;
		at = back ? at - bytes : at + bytes;
		/* What was not looked at, as it is not on the screen: there the user looks on. */
		if (!get(s, at, &cell, &n) || cell.kind != here.kind || cell.large != here.large) {
			s->cursor = at;
			settle(s);
			return VMT_UI_DRAW;
		}
	}
	vmt_ui_say(ui, "no other state up to the %s of the mapping", back ? "begin" : "end");
	return VMT_UI_DRAW;
}

static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action action,
			      bool *done_ret)
{
	struct pages_state *s = state;
	int64_t line = s->cols, page = (int64_t)s->lines * line;

	*done_ret = true;
	switch (action) {
	case VMT_ACTION_UP:
		return move(ui, s, -line);
	case VMT_ACTION_DOWN:
		return move(ui, s, line);
	case VMT_ACTION_LEFT:
		return move(ui, s, -1);
	case VMT_ACTION_RIGHT:
		return move(ui, s, 1);
	case VMT_ACTION_PAGE_UP:
		return move(ui, s, -page);
	case VMT_ACTION_PAGE_DOWN:
		return move(ui, s, page);
	case VMT_ACTION_HALF_UP:
		return move(ui, s, -page / 2);
	case VMT_ACTION_HALF_DOWN:
		return move(ui, s, page / 2);
	case VMT_ACTION_HOME:
		return move(ui, s, -INT64_MAX);
	case VMT_ACTION_END:
		return move(ui, s, INT64_MAX);
	case VMT_ACTION_ZOOM_IN:
		return zoom(ui, s, true);
	case VMT_ACTION_ZOOM_OUT:
		return zoom(ui, s, false);
	case VMT_ACTION_SEARCH_NEXT:
		return next_change(ui, s, false);
	case VMT_ACTION_SEARCH_PREV:
		return next_change(ui, s, true);
	case VMT_ACTION_OPEN:
		s->detail = !s->detail;
		return VMT_UI_DRAW;
	case VMT_ACTION_TO_PAGES:
		vmt_ui_say(ui, "these are the pages");
		return VMT_UI_DRAW;
	default:
		*done_ret = false;
		return VMT_UI_NONE;
	}
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct pages_state *s = state;

	(void)ui;
	if (s->proc.pid)
		ret->proc = s->proc;
	if (s->end > s->start) {
		ret->start = s->start;
		ret->end = s->end;
		ret->address = s->cursor;
	}
	if (s->cells && s->cells->map)
		ret->file = vmt_ui_file(s->cells->map->device, s->cells->map->inode);
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *want)
{
	const struct pages_state *s = state;
	/* Opened for something else than what was shown last: that is not known yet. */
	bool same = s->seen.proc.pid == ui->subject.proc.pid &&
		    s->seen.start == ui->subject.start && s->seen.address == ui->subject.address;

	want->pages = ui->subject;
	if (same)
		subject(ui, state, &want->pages);
	if (!want->pages.proc.pid) {
		/* The sampler takes the first. */
		want->procs = true;
		return;
	}
	if (!same || s->end <= s->start)
		return;
	want->pages_from = s->from;
	want->cell_pages = cell_pages(s);
	want->page_cells = (size_t)s->cols * s->lines;
}

static const char *const keys[] = { "n N      next and previous change of state",
				    "Enter    the page under the cursor", NULL };

const struct vmt_screen vmt_screen_pages = {
	.name = "pages",
	.title = "Pages",
	.help = "pages of a mapping",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
	.keys = keys,
};
