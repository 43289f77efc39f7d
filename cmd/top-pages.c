/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-pages.h"

#include <errno.h>

#include "cmd/top-pause.h"
#include "source/page-kind.h"
#include "source/page-row.h"

/* Pages that one sample looks at, at most, with their flags and counts; and the part of the time
 * between two samples that this may take. What is shown already is looked at again at leisure. */
#define TICK_PAGES ((uint64_t)1 << 18)
#define TICK_SHARE 50u
#define LEISURE	   4u
#define TICK_MOST  UINT64_C(40000000)
/* Waiting for the process, and for processors, included. */
#define WALL_SHARE 4u
/* Flags and counts are a look at each frame, a microsecond or so: of no more pages than these. */
#define FLAGS_PAGES ((uint64_t)1 << 15)
/* Pages of one read: where many were found, and where few were. */
#define SLICE_PAGES ((uint64_t)1 << 14)
#define SLICE_MOST  ((uint64_t)1 << 20)
#define FEW	    ((uint64_t)1 << 12)
/* Before anybody said how large the screen is: what fits the largest, which others add up. */
#define CELLS_AT_FIRST ((size_t)4096)

void vmt_top_pages_done(struct vmt_top_pages *t)
{
	free(t->shown.cells);
	free(t->next.cells);
	vmt_physical_unref(t->physical);
	*t = (struct vmt_top_pages){ 0 };
}

static uint64_t rss_of(const struct vmt_map *m)
{
	return VMT_HAS(map, rss_bytes, m) ? m->rss_bytes : 0;
}

/* The mapping that is meant, also where it has grown since; where none is named, the one with the
 * most memory. */
static const struct vmt_map *find_map(const struct vmt_proc_maps *pm,
				      const struct vmt_ui_subject *subject)
{
	uint64_t at = subject->address ? subject->address : subject->start;
	const struct vmt_map *best = NULL;
	size_t i;

	for (i = 0; i < pm->n_maps; i++) {
		const struct vmt_map *m = &pm->maps[i];

		/* The page of vsyscall is the kernel's. */
		if (m->end > INT64_MAX)
			continue;
		if (subject->end) {
			if (m->start <= at && at < m->end)
				return m;
			if (m->start == subject->start || m->end == subject->end)
				best = m;
		} else if (!best || rss_of(m) > rss_of(best)) {
			best = m;
		}
	}
	return best;
}

/* The part that want asks for, in cells. */
static struct vmt_page_cells frame_of(const struct vmt_map *m, const struct vmt_ui_want *want,
				      uint64_t page_size)
{
	struct vmt_page_cells c = {
		.map = m, .start = m->start, .end = m->end, .from = m->start, .page_size = page_size
	};
	uint64_t pages = (m->end - m->start) / page_size, cell, left;

	c.n_cells = want->page_cells ? want->page_cells : CELLS_AT_FIRST;
	if (c.n_cells > VMT_PAGE_CELLS_MAX)
		c.n_cells = VMT_PAGE_CELLS_MAX;
	c.cell_pages = want->page_cells && want->cell_pages ? want->cell_pages
							    : vmt_page_cells_fit(pages, c.n_cells);
	cell = c.cell_pages * page_size;
	if (want->page_cells && want->pages_from > m->start && want->pages_from < m->end)
		c.from += (want->pages_from - m->start) / cell * cell;
	left = (m->end - c.from + cell - 1) / cell;
	if (left < c.n_cells)
		c.n_cells = (size_t)left;
	return c;
}

/* Whether what is read has all that is asked for, in cells that make up those. */
static bool covers(const struct vmt_page_cells *have, const struct vmt_page_cells *want)
{
	return have->start == want->start && have->end == want->end && have->from <= want->from &&
	       vmt_page_cells_end(have) >= vmt_page_cells_end(want) &&
	       have->cell_pages <= want->cell_pages;
}

static int begin_anew(struct vmt_top_pages *t, struct vmt_page_cells frame)
{
	free(t->shown.cells);
	free(t->next.cells);
	t->shown = (struct vmt_page_cells){ 0 };
	t->next = frame;
	t->next.cells = calloc(frame.n_cells + 1, sizeof(*t->next.cells));
	if (!t->next.cells) {
		t->next.n_cells = 0;
		return -ENOMEM;
	}
	vmt_page_cells_begin(&t->next);
	t->slice = SLICE_PAGES;
	t->cost_ns = t->next_ns = 0;
	return 0;
}

struct look {
	struct vmt_page_cells *to;
	uint64_t found;
};

static int take_runs(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct look *look = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		bool large;
		enum vmt_page_kind kind = vmt_page_kind_of(&runs[i], &large);

		if (runs[i].state != VMT_PAGE_NONE)
			look->found += runs[i].pages;
		vmt_page_cells_add(look->to, runs[i].start, runs[i].pages, kind, large);
	}
	return 0;
}

/* Whether no more pages are shown, or among what is shown. */
static bool is_few(const struct vmt_top_pages *t, uint64_t most)
{
	uint64_t pages = (vmt_page_cells_end(&t->next) - t->next.from) / t->next.page_size;
	const struct vmt_map *m = t->next.map;

	return pages <= most ||
	       (!t->no_scan && VMT_HAS(map, present_pages, m) && m->present_pages <= most);
}

static void finish(struct vmt_top_pages *t)
{
	struct vmt_page_cells done = t->next;

	t->next.cells = t->shown.cells;
	t->next.known = t->next.from;
	t->shown = done;
	t->next_ns = vmt_now_ns(CLOCK_MONOTONIC) + vmt_top_pause(t->cost_ns);
	t->cost_ns = 0;
}

/* Begins to look at all of it again, beside what is shown. */
static int begin_next(struct vmt_top_pages *t)
{
	if (!t->shown.n_cells || t->next.known > t->next.from)
		return 0;
	if (!t->next.cells)
		t->next.cells = calloc(t->next.n_cells + 1, sizeof(*t->next.cells));
	if (!t->next.cells)
		return -ENOMEM;
	vmt_page_cells_begin(&t->next);
	return 0;
}

/* CPU time after which no further slice is begun. */
static uint64_t tick_ns(const struct vmt_top_pages *t, const struct vmt_ui_want *want)
{
	uint64_t ns = want->interval_ns / TICK_SHARE;

	ns = ns < TICK_MOST ? ns : TICK_MOST;
	return t->shown.n_cells ? ns / LEISURE : ns;
}

static int read_cells(struct vmt_top_pages *t, struct vmt_run *run, size_t index,
		      const struct vmt_ui_want *want)
{
	uint64_t cpu0 = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID), now = cpu0, left = TICK_PAGES;
	uint64_t limit = tick_ns(t, want);
	uint64_t until = vmt_now_ns(CLOCK_MONOTONIC) + want->interval_ns / WALL_SHARE;
	const struct vmt_map *m = t->next.map;
	uint64_t end = vmt_page_cells_end(&t->next), page = t->next.page_size;
	bool flags = vmt_collect_has_frames(run->collector) && is_few(t, FLAGS_PAGES);
	int r = begin_next(t);

	while (r == 0 && left && now - cpu0 < limit && t->next.known < end &&
	       (t->next.known == t->next.from || vmt_now_ns(CLOCK_MONOTONIC) < until)) {
		struct vmt_pages_opts opts = { .maps = m, .n_maps = 1, .start = t->next.known };
		struct look look = { .to = &t->next };
		uint64_t slice = is_few(t, SLICE_PAGES) ? (end - opts.start) / page : t->slice;

		opts.end = (end - opts.start) / page > slice ? opts.start + slice * page : end;
		if (flags)
			opts.want = VMT_PAGES_COUNT | VMT_PAGES_FLAGS;
		r = vmt_collect_pages(run->collector, run->sample, index, &opts, NULL, take_runs,
				      &look);
		if (r == -E2BIG && !t->no_scan) {
			t->no_scan = true;
			vmt_page_cells_begin(&t->next);
			r = 0;
			continue;
		}
		t->next.error = r;
		if (r < 0)
			break;
		t->next.known = opts.end;
		left -= look.found < left ? look.found : left;
		if (look.found > FEW)
			t->slice = SLICE_PAGES;
		else if (t->slice < SLICE_MOST)
			t->slice *= 4;
		now = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	}
	t->next.told_apart = flags;
	t->cost_ns += vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu0;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		vmt_page_cells_begin(&t->next);
		t->next_ns = vmt_now_ns(CLOCK_MONOTONIC) + VMT_TOP_RETRY_NS;
		return 0;
	}
	if (t->next.known >= end)
		finish(t);
	return 0;
}

/* The page that the cursor is on, with all that can be known of it. */
static int read_page(struct vmt_top_pages *t, struct vmt_run *run, size_t index,
		     const struct vmt_map *m, uint64_t address, const struct vmt_page **ret)
{
	const unsigned all = VMT_PAGES_FRAME | VMT_PAGES_SWAP | VMT_PAGES_COUNT | VMT_PAGES_FLAGS |
			     VMT_PAGES_ZONE;
	struct vmt_sample *s = run->sample;
	uint64_t page = s->host.page_size;
	struct vmt_pages_opts opts = { .want = all, .maps = m, .n_maps = 1 };
	struct vmt_page_rows rows = { .page_size = page, .want = all, .arena = &s->arena };
	struct vmt_page_run found;
	bool has;
	int r = 0;

	if (!t->physical_tried)
		r = vmt_collect_physical(run->collector, s, all, true, &t->physical);
	t->physical_tried = true;
	if (r < 0)
		return r;
	opts.start = address - (address - m->start) % page;
	opts.end = opts.start + page;
	r = vmt_collect_page(run->collector, s, index, &opts, t->physical, &found, &has);
	if (r == -ENOMEM)
		return r;
	if (!has)
		return 0;
	rows.physical = t->physical;
	t->page = (struct vmt_page){ 0 };
	r = vmt_page_row(&rows, &found, m, &t->page);
	if (r == 0)
		*ret = &t->page;
	return r;
}

/* What the sample shows: all of it, or as much as came so far. */
static int show(struct vmt_top_pages *t, struct vmt_sample *s, const struct vmt_proc *p,
		const struct vmt_map *m, const struct vmt_page *page)
{
	struct vmt_page_cells *c = t->row;

	/* Once more in the same sample: whoever shows it need not know. */
	if (!c)
		c = vmt_arena_alloc(&s->arena, 1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	t->row = c;
	*c = (struct vmt_page_cells){ 0 };
	if (m) {
		*c = t->shown.n_cells ? t->shown : t->next;
		c->error = t->next.error;
	}
	c->map = m;
	c->pid = p->pid;
	c->start_time_ns = p->start_time_ns;
	c->page_size = s->host.page_size;
	c->page = page;
	s->page_cells = c;
	return 0;
}

bool vmt_top_pages_lack(const struct vmt_top_pages *t, const struct vmt_ui_want *want)
{
	const struct vmt_page_cells *c = t->row;
	uint64_t address = want->pages.address;
	struct vmt_page_cells frame;

	if (!c || !c->map || c->error)
		return false;
	frame = frame_of(c->map, want, c->page_size);
	return !covers(&t->next, &frame) || (c->page && address >= c->start && address < c->end &&
					     (address < c->page->start || address >= c->page->end));
}

int vmt_top_pages_sample(struct vmt_top_pages *t, struct vmt_run *run, size_t index,
			 const struct vmt_ui_want *want)
{
	struct vmt_sample *s = run->sample;
	const struct vmt_map *m = find_map(&s->maps[index], &want->pages);
	const struct vmt_page *page = NULL;
	uint64_t address = want->pages.address;
	struct vmt_page_cells frame;
	int r = 0;

	if (m) {
		frame = frame_of(m, want, s->host.page_size);
		if (!covers(&t->next, &frame))
			r = begin_anew(t, frame);
		t->next.map = m;
		if (r == 0 && vmt_now_ns(CLOCK_MONOTONIC) >= t->next_ns)
			r = read_cells(t, run, index, want);
		if (address < m->start || address >= m->end)
			address = frame.from;
		if (r == 0 && !t->next.error)
			r = read_page(t, run, index, m, address, &page);
	}
	return r < 0 ? r : show(t, s, &s->procs[index], m, page);
}
