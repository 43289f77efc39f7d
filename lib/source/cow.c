/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cow.h"

#include <errno.h>

#include "source/collect-pages.h"
#include "source/collect-private.h"

/* Ranges that are read in one go, and runs of the first process that are kept meanwhile. */
#define RANGES 256u
#define RUNS   ((size_t)1 << 17)

/* What is read word by word, that is before PAGEMAP_SCAN, is not read of longer ranges: they are
 * mostly empty, and each word of nothing costs as much as one of a page. */
#define WORDS_MOST ((uint64_t)16 * VMT_PAGEMAP_READ_MAX)

enum owner {
	NOTHING, /* no page, or one that is a file's or nobody's */
	OWN,
	UNKNOWN,
};

static enum owner owner_of(const struct vmt_page_run *run)
{
	if (!run)
		return NOTHING;
	switch (run->state) {
	case VMT_PAGE_PRESENT:
		break;
	case VMT_PAGE_SWAPPED:
		return OWN;
	case VMT_PAGE_SPECIAL:
		return UNKNOWN;
	default:
		return NOTHING;
	}
	switch (run->backing) {
	case VMT_BACKING_ANON:
	case VMT_BACKING_HUGETLB:
		return OWN;
	case VMT_BACKING_UNKNOWN:
		return UNKNOWN;
	default:
		return NOTHING;
	}
}

/* What the exclusive mark says: a page that one process maps once is no other's. */
static bool is_exclusive(const struct vmt_page_run *run)
{
	return run->known & run->marks & VMT_PAGE_EXCLUSIVE;
}

static void add_both(struct vmt_cow_sum *sum, const struct vmt_page_run *a,
		     const struct vmt_page_run *b, uint64_t pages)
{
	/* One has it on swap: it may be in memory, too, for the other, or have been copied. */
	if (a->state != b->state) {
		sum->unknown += pages;
	} else if (a->known & b->known & VMT_PAGE_HAS_FRAME) {
		*(a->frame == b->frame ? &sum->shared : &sum->broken) += pages;
	} else if (a->known & b->known & VMT_PAGE_HAS_SWAP) {
		*(a->swap_type == b->swap_type && a->swap_offset == b->swap_offset
			  ? &sum->shared
			  : &sum->broken) += pages;
	} else if (a->state == VMT_PAGE_PRESENT) {
		*(is_exclusive(a) || is_exclusive(b) ? &sum->broken : &sum->shared) += pages;
		sum->by_marks = true;
	} else {
		sum->unknown += pages;
	}
}

void vmt_cow_add(struct vmt_cow_sum *sum, const struct vmt_page_run *first,
		 const struct vmt_page_run *second, uint64_t pages)
{
	enum owner a = owner_of(first), b = owner_of(second);

	if (a == UNKNOWN || b == UNKNOWN)
		sum->unknown += pages;
	else if (a == OWN && b == OWN)
		add_both(sum, first, second, pages);
	else if (a == OWN)
		sum->first_only += pages;
	else if (b == OWN)
		sum->second_only += pages;
}

static bool is_private(const struct vmt_map *m)
{
	/* The page of vsyscall is the kernel's. */
	return m->perms.len == 4 && m->perms.ptr[3] == 'p' && m->end <= INT64_MAX;
}

/* Whether both map the same at the same place: the same file, or none. */
static bool is_same(const struct vmt_map *a, const struct vmt_map *b)
{
	if (a->inode != b->inode || !vmt_bytes_equal(a->device, b->device))
		return false;
	return !a->inode || a->offset_bytes - a->start == b->offset_bytes - b->start;
}

int vmt_cow_ranges(const struct vmt_proc_maps *first, const struct vmt_proc_maps *second,
		   struct vmt_cow_range **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct vmt_cow_range *ranges = NULL;
	size_t i = 0, k = 0, n = 0, cap = 0;

	while (i < first->n_maps && k < second->n_maps) {
		const struct vmt_map *a = &first->maps[i], *b = &second->maps[k];
		struct vmt_cow_range range = {
			.start = a->start > b->start ? a->start : b->start,
			.end = a->end < b->end ? a->end : b->end,
			.first = i,
			.second = k,
		};

		if (range.start < range.end && is_private(a) && is_private(b) && is_same(a, b)) {
			if (vmt_grow(&ranges, &cap, n + 1, sizeof(*ranges)) < 0)
				return -ENOMEM;
			ranges[n++] = range;
		}
		if (a->end <= b->end)
			i++;
		if (b->end <= a->end)
			k++;
	}
	*ret = VMT_STEAL(ranges);
	*ret_n = n;
	return 0;
}

static const struct vmt_map *find_map(const struct vmt_proc_maps *pm, const char *path)
{
	size_t i;

	for (i = 0; i < pm->n_maps; i++)
		if (!pm->maps[i].inode && vmt_bytes_is(pm->maps[i].path, path))
			return &pm->maps[i];
	return NULL;
}

bool vmt_cow_is_fork(const struct vmt_proc_maps *first, const struct vmt_proc_maps *second)
{
	const struct vmt_map *a = find_map(first, "[stack]"), *b = find_map(second, "[stack]");
	const struct vmt_map *c = find_map(first, "[vdso]"), *d = find_map(second, "[vdso]");

	return a && b && a->end == b->end && !c == !d && (!c || c->start == d->start);
}

/* Two processes that are being compared. */
struct pair {
	const struct vmt_cow_range *ranges; /* of one go */
	size_t n_ranges;
	struct vmt_cow_sum *sums; /* one for each range of them */
	uint64_t page_size;
	uint64_t start; /* what is looked at now */
	uint64_t end;
	struct vmt_page_run *runs; /* of the first process there: RUNS of them */
	size_t n_runs;
	size_t at; /* the first of them that does not lie before what the second has come to */
};

static int keep_runs(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct pair *p = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		if (runs[i].state == VMT_PAGE_NONE)
			continue;
		if (p->n_runs == RUNS) {
			/* The second is read as far as this, and then it goes on from here. */
			if (runs[i].start < p->end)
				p->end = runs[i].start;
			return 1;
		}
		p->runs[p->n_runs++] = runs[i];
	}
	return 0;
}

/* The pages of a run from at on: one whose first page is that. */
static struct vmt_page_run rest_of(const struct pair *p, const struct vmt_page_run *run,
				   uint64_t at)
{
	uint64_t skip = (at - run->start) / p->page_size;
	struct vmt_page_run rest = *run;

	rest.start += skip * p->page_size;
	rest.pages -= skip;
	if (rest.known & VMT_PAGE_HAS_FRAME)
		rest.frame += skip;
	if (rest.known & VMT_PAGE_HAS_SWAP)
		rest.swap_offset += skip;
	return rest;
}

static void compare_run(struct pair *p, const struct vmt_page_run *run)
{
	struct vmt_cow_sum *sum = &p->sums[run->map];
	uint64_t at = run->start > p->start ? run->start : p->start;
	uint64_t end = run->start + run->pages * p->page_size;

	/* What the scan found of a huge page may be more than it was asked for. */
	if (end > p->end)
		end = p->end;
	while (at < end) {
		struct vmt_page_run a = { 0 }, b = rest_of(p, run, at);
		uint64_t to = end;
		bool has = false;

		while (p->at < p->n_runs &&
		       p->runs[p->at].start + p->runs[p->at].pages * p->page_size <= at)
			p->at++;
		if (p->at < p->n_runs && p->runs[p->at].start <= at) {
			has = true;
			a = rest_of(p, &p->runs[p->at], at);
			if (at + a.pages * p->page_size < to)
				to = at + a.pages * p->page_size;
		} else if (p->at < p->n_runs && p->runs[p->at].start < to) {
			to = p->runs[p->at].start;
		}
		vmt_cow_add(sum, has ? &a : NULL, &b, (to - at) / p->page_size);
		at = to;
	}
}

static int compare_runs(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct pair *p = arg;
	size_t i;

	for (i = 0; i < n; i++)
		compare_run(p, &runs[i]);
	return 0;
}

/* Mappings that end where the ranges do, so that the same number is the same range in both. */
static struct vmt_map *cut_maps(const struct vmt_proc_maps *pm, const struct pair *p, bool second)
{
	struct vmt_map *maps = calloc(p->n_ranges, sizeof(*maps));
	size_t i;

	for (i = 0; maps && i < p->n_ranges; i++) {
		const struct vmt_cow_range *range = &p->ranges[i];

		maps[i] = pm->maps[second ? range->second : range->first];
		maps[i].start = range->start;
		maps[i].end = range->end;
	}
	return maps;
}

/* Compares p->ranges; 0 or as of vmt_collect_pages(). */
static int compare(struct vmt_collector *c, struct vmt_sample *s, size_t first, size_t second,
		   struct pair *p)
{
	VMT_AUTO_FREE struct vmt_map *a = cut_maps(&s->maps[first], p, false);
	VMT_AUTO_FREE struct vmt_map *b = cut_maps(&s->maps[second], p, true);
	struct vmt_pages_opts opts = { .want = VMT_PAGES_FRAME | VMT_PAGES_SWAP };
	uint64_t last = p->ranges[p->n_ranges - 1].end;
	size_t i = 0;
	int r = 0;

	if (!a || !b)
		return -ENOMEM;
	opts.n_maps = p->n_ranges;
	for (p->start = 0; r == 0; p->start = p->end) {
		while (i < p->n_ranges && p->ranges[i].end <= p->start)
			i++;
		if (i == p->n_ranges)
			break;
		if (p->start < p->ranges[i].start)
			p->start = p->ranges[i].start;
		p->end = last;
		if (last - p->start > VMT_PAGEMAP_READ_MAX * p->page_size)
			p->end = p->start + VMT_PAGEMAP_READ_MAX * p->page_size;
		p->n_runs = p->at = 0;
		opts.maps = a;
		opts.start = p->start;
		opts.end = p->end;
		r = vmt_collect_pages(c, s, first, &opts, NULL, keep_runs, p);
		if (r < 0)
			break;
		opts.maps = b;
		opts.end = p->end;
		r = vmt_collect_pages(c, s, second, &opts, NULL, compare_runs, p);
	}
	return r;
}

static void set_sums(struct vmt_cow *row, const struct vmt_cow_sum *sum, uint64_t page_size)
{
	VMT_SET(cow, shared_bytes, row, sum->shared * page_size);
	VMT_SET(cow, broken_bytes, row, sum->broken * page_size);
	if (sum->shared + sum->broken)
		VMT_SET(cow, broken_percent, row,
			sum->broken * 100000 / (sum->shared + sum->broken));
	VMT_SET(cow, parent_only_bytes, row, sum->first_only * page_size);
	VMT_SET(cow, child_only_bytes, row, sum->second_only * page_size);
	VMT_SET(cow, unknown_bytes, row, sum->unknown * page_size);
	VMT_SET(cow, exact, row, !sum->by_marks && !sum->unknown);
}

static void add_sum(struct vmt_cow_sum *to, const struct vmt_cow_sum *from)
{
	to->shared += from->shared;
	to->broken += from->broken;
	to->first_only += from->first_only;
	to->second_only += from->second_only;
	to->unknown += from->unknown;
	to->by_marks |= from->by_marks;
}

static void set_map(struct vmt_cow *row, const struct vmt_map *m, uint64_t pid, uint64_t child)
{
	VMT_SET(cow, pid, row, pid);
	VMT_SET(cow, child_pid, row, child);
	VMT_SET(cow, start, row, m->start);
	VMT_SET(cow, end, row, m->end);
	VMT_SET(cow, perms, row, m->perms);
	VMT_SET(cow, kind, row, m->kind);
	VMT_SET(cow, size_bytes, row, m->end - m->start);
	VMT_SET(cow, path, row, m->path);
}

/* The rows of ranges whose sums are known where read[i] is set. */
static int make_rows(const struct vmt_sample *s, size_t first, size_t second,
		     const struct vmt_cow_range *ranges, size_t n, const struct vmt_cow_sum *sums,
		     const bool *read, struct vmt_cow **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct vmt_cow *rows = calloc(n ? n : 1, sizeof(*rows));
	size_t i, k, n_rows = 0;

	if (!rows)
		return -ENOMEM;
	for (i = 0; i < n; i = k) {
		struct vmt_cow_sum sum = { 0 };
		bool known = true;

		/* A mapping of the first that is several in the second is one row. */
		for (k = i; k < n && ranges[k].first == ranges[i].first; k++) {
			add_sum(&sum, &sums[k]);
			known &= read[k];
		}
		if (known && !sum.shared && !sum.broken && !sum.first_only && !sum.second_only &&
		    !sum.unknown)
			continue;
		set_map(&rows[n_rows], &s->maps[first].maps[ranges[i].first], s->procs[first].pid,
			s->procs[second].pid);
		if (known)
			set_sums(&rows[n_rows], &sum, s->host.page_size);
		n_rows++;
	}
	*ret = VMT_STEAL(rows);
	*ret_n = n_rows;
	return 0;
}

/* How many ranges from the first on can be read in one go; 0: the first one is not read at all. */
static size_t choose(const struct vmt_cow_range *ranges, size_t n, bool scan, uint64_t page_size)
{
	size_t i;

	for (i = 0; i < n && i < RANGES; i++)
		if (!scan && (ranges[i].end - ranges[i].start) / page_size > WORDS_MOST)
			break;
	return i;
}

int vmt_collect_cow(struct vmt_collector *c, struct vmt_sample *s, size_t first, size_t second,
		    struct vmt_cow **ret, size_t *ret_n)
{
	bool scan = vmt_proc_shared_pagemap(vmt_collector_shared(c))->scan;
	VMT_AUTO_FREE struct vmt_cow_range *ranges = NULL;
	VMT_AUTO_FREE struct vmt_cow_sum *sums = NULL;
	VMT_AUTO_FREE bool *read = NULL;
	VMT_AUTO_FREE struct vmt_page_run *runs = calloc(RUNS, sizeof(*runs));
	struct pair p = { .page_size = s->host.page_size, .runs = runs };
	size_t n = 0, i, k;
	int r = vmt_cow_ranges(&s->maps[first], &s->maps[second], &ranges, &n), made;

	if (r < 0 || !runs)
		return -ENOMEM;
	sums = calloc(n ? n : 1, sizeof(*sums));
	read = calloc(n ? n : 1, sizeof(*read));
	if (!sums || !read)
		return -ENOMEM;
	for (i = 0; r == 0 && i < n; i += p.n_ranges) {
		p.ranges = &ranges[i];
		p.sums = &sums[i];
		p.n_ranges = choose(p.ranges, n - i, scan, p.page_size);
		if (p.n_ranges == 0) {
			vmt_sample_failed(s, VMT_SOURCE_WORDS, s->procs[first].pid,
					  s->procs[first].comm, -E2BIG,
					  "mappings of more than 2^24 pages were left out: this "
					  "kernel has no PAGEMAP_SCAN (Linux 6.7)");
			p.n_ranges = 1;
			continue;
		}
		r = compare(c, s, first, second, &p);
		for (k = 0; r == 0 && k < p.n_ranges; k++)
			read[i + k] = true;
	}
	if (r == -ENOMEM)
		return r;
	made = make_rows(s, first, second, ranges, n, sums, read, ret, ret_n);
	return made < 0 ? made : r;
}
