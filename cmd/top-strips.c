/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-strips.h"

#include <errno.h>

#include "cmd/top-pause.h"
#include "source/collect-pages.h"

/* How long what was seen is shown before it is looked at again. */
#define REFRESH_NS UINT64_C(2000000000)
/* Pages that one sample looks at, at most: 1 GiB of 4 KiB; and how many of them in one go. */
#define TICK_PAGES ((uint64_t)1 << 18)
#define GO_PAGES   ((uint64_t)1 << 15)
/* CPU time, and the part of the time between two samples, after which no more is begun. */
#define TICK_NS	   UINT64_C(10000000)
#define TICK_SHARE 10u
/* Pages of a large mapping that are looked at in one go, where they may all be there; and where few
 * were, for the kernel skips what is empty. */
#define SLICE_MOST	(GO_PAGES * 64)
#define FEW		(GO_PAGES / 8)
#define CELLS_AT_FIRST	36u
#define STRIPS_AT_FIRST ((size_t)64)

struct vmt_top_strip {
	struct vmt_strip shown; /* all of it was looked at; nothing where n_cells is 0 */
	struct vmt_strip next;
	uint64_t at; /* where to go on in next */
	uint64_t done_ns; /* of shown */
	const struct vmt_map *map; /* of this sample */
	bool now; /* it is read in this sample, among the small ones */
};

void vmt_top_strips_done(struct vmt_top_strips *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->strips[i]);
	free(t->strips);
	free(t->rows);
	*t = (struct vmt_top_strips){ 0 };
}

static int by_start(const void *a, const void *b)
{
	const struct vmt_map *x = *(const struct vmt_map *const *)a;
	const struct vmt_map *y = *(const struct vmt_map *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The mapping that begins there, or NULL. */
static const struct vmt_map *find_map(const struct vmt_proc_maps *pm, uint64_t start)
{
	size_t low = 0, high = pm->n_maps;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (pm->maps[mid].start < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < pm->n_maps && pm->maps[low].start == start ? &pm->maps[low] : NULL;
}

static uint64_t rss_of(const struct vmt_map *m)
{
	return VMT_HAS(map, rss_bytes, m) ? m->rss_bytes : 0;
}

/* Those with the most memory, as long as nobody says which ones are on the screen. */
static size_t largest(const struct vmt_proc_maps *pm, const struct vmt_map **ret)
{
	size_t n = 0, i, k;

	for (i = 0; i < pm->n_maps; i++) {
		const struct vmt_map *m = &pm->maps[i];

		/* The page of vsyscall is the kernel's. */
		if (m->end > INT64_MAX)
			continue;
		if (n == STRIPS_AT_FIRST && rss_of(m) <= rss_of(ret[n - 1]))
			continue;
		k = n < STRIPS_AT_FIRST ? n++ : n - 1;
		for (; k && rss_of(ret[k - 1]) < rss_of(m); k--)
			ret[k] = ret[k - 1];
		ret[k] = m;
	}
	return n;
}

/* The mappings that get strips, in order of address, each once. */
static size_t chosen(const struct vmt_proc_maps *pm, const struct vmt_ui_want *want,
		     const struct vmt_map **ret)
{
	size_t n = 0, i, k;

	if (!want->n_strips)
		n = largest(pm, ret);
	for (i = 0; i < want->n_strips && i < VMT_UI_ROWS_MAX; i++) {
		const struct vmt_map *m = find_map(pm, want->strips[i]);

		if (m && m->end <= INT64_MAX)
			ret[n++] = m;
	}
	qsort(ret, n, sizeof(*ret), by_start);
	for (i = k = 0; i < n; i++)
		if (!k || ret[k - 1] != ret[i])
			ret[k++] = ret[i];
	return k;
}

/* The strip of a mapping, from the sample before or new. NULL on ENOMEM. */
static struct vmt_top_strip *take_strip(struct vmt_top_strips *t, const struct vmt_map *m,
					unsigned n_cells, uint64_t page_size)
{
	struct vmt_top_strip *s;
	size_t i;

	for (i = 0; i < t->n; i++) {
		s = t->strips[i];
		if (s && s->next.start == m->start && s->next.end == m->end &&
		    s->next.n_cells == n_cells) {
			t->strips[i] = NULL;
			return s;
		}
	}
	s = calloc(1, sizeof(*s));
	if (s) {
		vmt_strip_begin(&s->next, m->start, m->end, page_size, n_cells);
		s->at = m->start;
	}
	return s;
}

/* Strips for what is on the screen now; those of other mappings are let go. */
static int choose(struct vmt_top_strips *t, const struct vmt_proc_maps *pm,
		  const struct vmt_ui_want *want, uint64_t page_size)
{
	const struct vmt_map *maps[VMT_UI_ROWS_MAX];
	size_t n = chosen(pm, want, maps), i;
	unsigned n_cells = want->strip_cells ? want->strip_cells : CELLS_AT_FIRST;
	VMT_AUTO_FREE struct vmt_top_strip **strips = calloc(n + 1, sizeof(struct vmt_top_strip *));
	VMT_AUTO_FREE const struct vmt_strip **rows = calloc(n + 1, sizeof(struct vmt_strip *));
	struct vmt_top_strips before = *t;
	int r = strips && rows ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	if (n_cells > VMT_STRIP_CELLS_MAX)
		n_cells = VMT_STRIP_CELLS_MAX;
	for (i = 0; i < n && r == 0; i++) {
		strips[i] = take_strip(&before, maps[i], n_cells, page_size);
		if (strips[i])
			strips[i]->map = maps[i];
		else
			r = -ENOMEM;
	}
	t->n = r == 0 ? n : i - 1;
	t->strips = VMT_STEAL(strips);
	t->rows = VMT_STEAL(rows);
	vmt_top_strips_done(&before);
	return r;
}

/* Pages that looking at all of a mapping comes upon; holes cost nothing. */
static uint64_t cost_of(const struct vmt_top_strips *t, const struct vmt_top_strip *s,
			uint64_t page_size)
{
	const struct vmt_map *m = s->map;
	uint64_t pages = (m->end - m->start) / page_size, found;

	if (t->no_scan || !VMT_HAS(map, rss_bytes, m))
		return pages;
	found = (VMT_HAS(map, present_pages, m) ? m->present_pages : m->rss_bytes / page_size) +
		(VMT_HAS(map, swap_bytes, m) ? m->swap_bytes / page_size : 0);
	return found < pages ? found : pages;
}

/* What one call looks at. */
struct look {
	struct vmt_top_strip **strips; /* by index of the mapping */
	uint64_t found; /* pages */
};

static int take_runs(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct look *look = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		struct vmt_strip *to = &look->strips[runs[i].map]->next;
		bool present = runs[i].state == VMT_PAGE_PRESENT &&
			       runs[i].backing != VMT_BACKING_ZERO;

		if (runs[i].state != VMT_PAGE_NONE)
			look->found += runs[i].pages;
		if (present || runs[i].state == VMT_PAGE_SWAPPED)
			vmt_strip_add(to, runs[i].start, runs[i].pages, !present);
	}
	return 0;
}

static void begin(struct vmt_top_strip *s)
{
	struct vmt_strip *next = &s->next;

	vmt_strip_begin(next, next->start, next->end, next->page_size, next->n_cells);
	s->at = next->start;
}

static void finish(struct vmt_top_strip *s)
{
	s->next.known = s->next.end;
	s->shown = s->next;
	s->done_ns = vmt_now_ns(CLOCK_MONOTONIC);
	begin(s);
}

static bool is_due(const struct vmt_top_strip *s, uint64_t now)
{
	return s->at != s->next.start || !s->shown.n_cells || now - s->done_ns >= REFRESH_NS;
}

/* What a sample has left. */
struct ration {
	uint64_t pages;
	uint64_t cpu_ns, wall_ns; /* moments */
};

static bool is_spent(const struct ration *left)
{
	return !left->pages || vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) >= left->cpu_ns ||
	       vmt_now_ns(CLOCK_MONOTONIC) >= left->wall_ns;
}

static void take(struct ration *left, uint64_t pages)
{
	left->pages -= pages < left->pages ? pages : left->pages;
}

/* Chooses small ones that are due, as many as one go may have: those first of which nothing is
 * known yet. What they cost, in pages. */
static uint64_t choose_small(struct vmt_top_strips *t, uint64_t page_size)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), sum = 0;
	size_t i;
	int old;

	for (i = 0; i < t->n; i++)
		t->strips[i]->now = false;
	for (old = 0; old < 2; old++) {
		for (i = 0; i < t->n; i++) {
			struct vmt_top_strip *s = t->strips[i];
			uint64_t cost = cost_of(t, s, page_size);

			if (s->now || (s->shown.n_cells != 0) != old || !is_due(s, now) ||
			    s->at != s->next.start || cost > GO_PAGES - sum)
				continue;
			sum += cost;
			s->now = true;
		}
	}
	return sum;
}

/* Reads those that were chosen. Their number, or a negative errno. */
static int read_small(struct vmt_top_strips *t, struct vmt_run *run, size_t index)
{
	VMT_AUTO_FREE struct vmt_map *maps = calloc(t->n + 1, sizeof(*maps));
	VMT_AUTO_FREE struct vmt_top_strip **strips =
		calloc(t->n + 1, sizeof(struct vmt_top_strip *));
	struct vmt_pages_opts opts = { .end = UINT64_MAX };
	struct look look = { .strips = strips };
	size_t n = 0, i;
	int r;

	if (!maps || !strips)
		return -ENOMEM;
	for (i = 0; i < t->n; i++) {
		if (!t->strips[i]->now)
			continue;
		maps[n] = *t->strips[i]->map;
		strips[n++] = t->strips[i];
	}
	if (!n)
		return 0;
	opts.maps = maps;
	opts.n_maps = n;
	r = vmt_collect_pages(run->collector, run->sample, index, &opts, NULL, take_runs, &look);
	for (i = 0; i < n; i++) {
		if (r == 0)
			finish(strips[i]);
		else
			begin(strips[i]);
	}
	return r < 0 ? r : (int)n;
}

/* The next pieces of a mapping that is too large for one go. */
static int read_large(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
		      struct vmt_top_strip *s, struct ration *left)
{
	uint64_t pages = GO_PAGES, page = run->sample->host.page_size;
	struct look look = { .strips = &s };

	while (!is_spent(left)) {
		struct vmt_pages_opts opts = { .maps = s->map, .n_maps = 1, .start = s->at };
		int r;

		opts.end = (s->next.end - s->at) / page > pages ? s->at + pages * page
								: s->next.end;
		look.found = 0;
		r = vmt_collect_pages(run->collector, run->sample, index, &opts, NULL, take_runs,
				      &look);
		if (r < 0) {
			begin(s);
			return r;
		}
		take(left, look.found);
		s->at = s->next.known = opts.end;
		if (s->at == s->next.end) {
			finish(s);
			return 0;
		}
		if (look.found > FEW || t->no_scan)
			pages = GO_PAGES;
		else if (pages < SLICE_MOST)
			pages *= 2;
	}
	return 0;
}

static int read_all(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
		    struct ration *left)
{
	uint64_t page = run->sample->host.page_size, now = vmt_now_ns(CLOCK_MONOTONIC);
	size_t i;
	int r;

	/* What finds no room comes in the next sample. */
	do {
		take(left, choose_small(t, page));
		r = read_small(t, run, index);
	} while (r > 0 && !is_spent(left));
	for (i = 0; r >= 0 && i < t->n; i++) {
		struct vmt_top_strip *s = t->strips[i];

		if (is_due(s, now) && cost_of(t, s, page) > GO_PAGES)
			r = read_large(t, run, index, s, left);
	}
	return r < 0 ? r : 0;
}

static int read_due(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
		    const struct vmt_ui_want *want)
{
	struct ration left = {
		.pages = TICK_PAGES,
		.cpu_ns = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) + TICK_NS,
		.wall_ns = vmt_now_ns(CLOCK_MONOTONIC) + want->interval_ns / TICK_SHARE,
	};
	int r;

	if (vmt_now_ns(CLOCK_MONOTONIC) < t->retry_ns)
		return 0;
	r = read_all(t, run, index, &left);
	if (r == -ENOMEM)
		return r;
	/* Without the scan, long mappings come in pieces from now on; whatever else failed does so
	 * for all, and the process is left alone for a while. */
	if (r == -E2BIG)
		t->no_scan = true;
	else if (r < 0)
		t->retry_ns = vmt_now_ns(CLOCK_MONOTONIC) + VMT_TOP_RETRY_NS;
	return 0;
}

bool vmt_top_strips_lack(const struct vmt_top_strips *t, const struct vmt_ui_want *want)
{
	size_t i, k;

	if (t->n && want->strip_cells && want->strip_cells <= VMT_STRIP_CELLS_MAX &&
	    t->strips[0]->next.n_cells != want->strip_cells)
		return true;
	for (i = 0; i < want->n_strips; i++) {
		for (k = 0; k < t->n && t->strips[k]->next.start != want->strips[i]; k++)
			;
		/* The kernel's page never gets one. */
		if (k == t->n && want->strips[i] <= INT64_MAX)
			return true;
	}
	return false;
}

int vmt_top_strips_sample(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
			  const struct vmt_ui_want *want)
{
	struct vmt_sample *sample = run->sample;
	const struct vmt_proc_maps *pm = &sample->maps[index];
	uint64_t now;
	size_t n = 0, i;
	int r = choose(t, pm, want, sample->host.page_size);

	if (r == 0 && t->n)
		r = read_due(t, run, index, want);
	if (r < 0)
		return r;
	now = vmt_now_ns(CLOCK_MONOTONIC);
	for (i = 0; i < t->n; i++) {
		struct vmt_top_strip *s = t->strips[i];

		if (s->shown.n_cells)
			t->rows[n++] = &s->shown;
		else if (now >= t->retry_ns)
			t->rows[n++] = &s->next;
	}
	sample->strips = t->rows;
	sample->n_strips = n;
	return 0;
}
