/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-strips.h"

#include <errno.h>

#include "source/collect-pages.h"

/* How long what was seen is shown before it is looked at again. */
#define REFRESH_NS UINT64_C(2000000000)
#define RETRY_NS   UINT64_C(10000000000)
/* Pages that one sample looks at, at most: 1 GiB of 4 KiB. */
#define TICK_PAGES ((uint64_t)1 << 18)
/* CPU time after which a sample begins no further slice. */
#define TICK_NS UINT64_C(5000000)
/* Address space that is looked at in one piece, where it may be full; and where it was found to be
 * mostly empty, which the kernel skips. */
#define SLICE_BYTES	((uint64_t)1 << 30)
#define SLICE_MOST	(SLICE_BYTES * 8)
#define FEW		(TICK_PAGES / 16)
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

static size_t chosen(const struct vmt_proc_maps *pm, const struct vmt_ui_want *want,
		     const struct vmt_map **ret)
{
	size_t n = 0, i;

	if (!want->n_strips)
		n = largest(pm, ret);
	for (i = 0; i < want->n_strips && i < VMT_UI_ROWS_MAX; i++) {
		const struct vmt_map *m = find_map(pm, want->strips[i]);

		if (m && m->end <= INT64_MAX)
			ret[n++] = m;
	}
	qsort(ret, n, sizeof(*ret), by_start);
	return n;
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
	t->n = n;
	for (i = 0; i < n; i++) {
		/* One that is shown twice is there once. */
		if (i && maps[i] == maps[i - 1]) {
			t->n--;
			continue;
		}
		strips[i - (n - t->n)] = take_strip(&before, maps[i], n_cells, page_size);
		if (!strips[i - (n - t->n)]) {
			t->n = i - (n - t->n);
			r = -ENOMEM;
			break;
		}
		strips[i - (n - t->n)]->map = maps[i];
	}
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

/* What failed for all: the process is left alone for a while. */
static int note(struct vmt_top_strips *t, int r)
{
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -E2BIG)
		t->retry_ns = vmt_now_ns(CLOCK_MONOTONIC) + RETRY_NS;
	t->no_scan |= r == -E2BIG;
	return r < 0 ? 1 : 0;
}

/* Chooses small ones that are due, as many as fit: those first of which nothing is known yet.
 * *left: pages that may still be looked at. */
static void choose_small(struct vmt_top_strips *t, uint64_t page_size, uint64_t *left)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);
	size_t i;
	int old;

	for (i = 0; i < t->n; i++)
		t->strips[i]->now = false;
	for (old = 0; old < 2; old++) {
		for (i = 0; i < t->n; i++) {
			struct vmt_top_strip *s = t->strips[i];
			uint64_t cost = cost_of(t, s, page_size);

			if (s->now || (s->shown.n_cells != 0) != old || !is_due(s, now) ||
			    s->at != s->next.start || cost > *left)
				continue;
			*left -= cost;
			s->now = true;
		}
	}
}

/* Reads them in one go. */
static int read_small(struct vmt_top_strips *t, struct vmt_run *run, size_t index, uint64_t *left)
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
	choose_small(t, run->sample->host.page_size, left);
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
	r = note(t, vmt_collect_pages(run->collector, run->sample, index, &opts, NULL, take_runs,
				      &look));
	for (i = 0; i < n; i++) {
		if (r == 0)
			finish(strips[i]);
		else
			begin(strips[i]);
	}
	return r;
}

/* The next pieces of a mapping that is too large for one sample. */
static int read_large(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
		      struct vmt_top_strip *s, uint64_t cpu0, uint64_t *left)
{
	uint64_t slice = SLICE_BYTES;
	struct look look = { .strips = &s };

	while (*left && vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu0 < TICK_NS) {
		struct vmt_pages_opts opts = { .maps = s->map, .n_maps = 1, .start = s->at };
		int r;

		opts.end = s->next.end - s->at > slice ? s->at + slice : s->next.end;
		look.found = 0;
		r = note(t, vmt_collect_pages(run->collector, run->sample, index, &opts, NULL,
					      take_runs, &look));
		if (r) {
			begin(s);
			return r;
		}
		*left -= look.found < *left ? look.found : *left;
		s->at = s->next.known = opts.end;
		if (s->at == s->next.end) {
			finish(s);
			return 0;
		}
		if (look.found > FEW || t->no_scan)
			slice = SLICE_BYTES;
		else if (slice < SLICE_MOST)
			slice *= 2;
	}
	return 0;
}

static int read_due(struct vmt_top_strips *t, struct vmt_run *run, size_t index)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), cpu0 = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t left = TICK_PAGES;
	size_t i;
	int r;

	if (now < t->retry_ns)
		return 0;
	r = read_small(t, run, index, &left);
	for (i = 0; r == 0 && i < t->n; i++) {
		struct vmt_top_strip *s = t->strips[i];

		/* Small ones that found no room come in the next sample. */
		if (is_due(s, now) && cost_of(t, s, run->sample->host.page_size) > TICK_PAGES)
			r = read_large(t, run, index, s, cpu0, &left);
	}
	return r < 0 ? r : 0;
}

int vmt_top_strips_sample(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
			  const struct vmt_ui_want *want)
{
	struct vmt_sample *sample = run->sample;
	const struct vmt_proc_maps *pm = &sample->maps[index];
	uint64_t now;
	size_t i;
	int r = choose(t, pm, want, sample->host.page_size);

	if (r == 0 && t->n)
		r = read_due(t, run, index);
	if (r < 0)
		return r;
	now = vmt_now_ns(CLOCK_MONOTONIC);
	for (i = 0; i < t->n; i++) {
		struct vmt_top_strip *s = t->strips[i];

		s->shown.age_ns = now - s->done_ns;
		t->rows[i] = s->shown.n_cells ? &s->shown : &s->next;
	}
	sample->strips = t->rows;
	sample->n_strips = t->n;
	return 0;
}
