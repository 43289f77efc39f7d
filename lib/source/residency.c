/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/residency.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysinfo.h>

/* Mappings without a file in a row are worth a call of their own, which need not look at each page
 * for whether it is a file's, from so many pages on. */
#define OWN_CALL 64u
/* From so many on, looking at mappings is dearer than another read of statm. */
#define MANY ((size_t)64)

bool vmt_residency_may_have_file(const struct vmt_map *m)
{
	return !vmt_bytes_is(m->kind, "anon") && !vmt_bytes_is(m->kind, "heap") &&
	       !vmt_bytes_is(m->kind, "stack");
}

static bool is_shared(const struct vmt_map *m)
{
	return m->perms.len == 4 && m->perms.ptr[3] == 's';
}

/* The page of vsyscall is the kernel's. */
static bool is_kernels(const struct vmt_map *m)
{
	return m->end > INT64_MAX;
}

/* A mapping of which no more is known than that it may be full. */
static bool may_be_full(const struct vmt_map *m)
{
	return vmt_bytes_is(m->kind, "anon") && m->perms.len == 4 && m->perms.ptr[3] == 'p' &&
	       memcmp(m->perms.ptr, "---", 3) != 0;
}

uint64_t vmt_residency_mark_full(const struct vmt_map *maps, size_t n, uint64_t page_size,
				 bool *full)
{
	uint64_t bytes = 0;
	size_t i, end;

	memset(full, 0, n * sizeof(*full));
	for (i = 0; i < n; i = end) {
		for (end = i; end < n && may_be_full(&maps[end]); end++)
			if (end > i && maps[end].start != maps[end - 1].end)
				break;
		if (end - i >= MANY) {
			memset(&full[i], true, (end - i) * sizeof(*full));
			bytes += maps[end - 1].end - maps[i].start;
		}
		if (end == i)
			end++;
	}
	return bytes / page_size;
}

bool vmt_swap_in_use(void)
{
	struct sysinfo si;

	return sysinfo(&si) < 0 || si.totalswap != si.freeswap;
}

/* A scan on its way through the mappings. */
struct walk {
	const struct vmt_residency_ctx *ctx;
	const struct vmt_map *maps;
	size_t n;
	struct vmt_pagemap_sum *sums;
	uint64_t pos; /* what lies below is done */
	size_t at; /* first mapping that ends behind pos */
	unsigned *doubts;
};

/* Whether a mapping is not to be asked. */
static bool is_taken_full(const struct walk *w, size_t i)
{
	return w->ctx->full && w->ctx->full[i];
}

/* Whether the mappings without a file from index i on are worth a call of their own: they are large
 * enough, or there is nothing behind them. */
static bool has_own_call(const struct walk *w, size_t i)
{
	uint64_t pages = 0;

	for (; i < w->n && !vmt_residency_may_have_file(&w->maps[i]); i++) {
		if (is_taken_full(w, i))
			return false;
		pages += (w->maps[i].end - w->maps[i].start) / w->ctx->pm->page_size;
		if (pages >= OWN_CALL)
			return true;
	}
	return i == w->n;
}

/*
 * The end of the next call, and what it has to tell apart: as many mappings as make a slice. What
 * lies between them costs nothing. Files and anonymous memory go together where the latter is
 * little.
 */
static uint64_t next_slice(const struct walk *w, uint64_t *ret_categories)
{
	uint64_t room = vmt_pagemap_span(w->ctx->pm), end = w->pos;
	bool file = !has_own_call(w, w->at), first = true;
	size_t i;

	for (i = w->at; i < w->n && room && !is_kernels(&w->maps[i]); i++, first = false) {
		const struct vmt_map *m = &w->maps[i];
		uint64_t start = m->start > w->pos ? m->start : w->pos;

		if (is_taken_full(w, i))
			break;
		if (!first && vmt_residency_may_have_file(m) && !file)
			break;
		if (!first && file && !vmt_residency_may_have_file(m) && has_own_call(w, i))
			break;
		if (m->end - start > room) {
			end = start + room;
			break;
		}
		room -= m->end - start;
		end = m->end;
	}
	*ret_categories = VMT_SCAN_ZERO | (file ? VMT_SCAN_FILE : 0) |
			  (w->ctx->pm->facts->scan_guard ? VMT_SCAN_GUARD : 0);
	return end;
}

/*
 * The end of a call that asks for what is absent; where it would begin if there is nothing for it.
 * Mappings that are short, as many as a call for what is there would find pages: so it takes no
 * longer. What is long may be a reservation, of which nearly all is absent.
 */
static uint64_t next_short(const struct walk *w)
{
	uint64_t room = VMT_SCAN_FOUND * w->ctx->pm->page_size, end = w->pos;
	size_t i;

	for (i = w->at; i < w->n; i++) {
		const struct vmt_map *m = &w->maps[i];
		uint64_t start = m->start > w->pos ? m->start : w->pos;

		if (vmt_residency_may_have_file(m) || is_shared(m) || is_kernels(m) ||
		    is_taken_full(w, i) || m->end - start > room)
			break;
		room -= m->end - start;
		end = m->end;
	}
	return end;
}

/* Until something of it is told to be absent. */
static void add_full(struct walk *w, uint64_t end)
{
	size_t i;

	for (i = w->at; i < w->n && w->maps[i].start < end; i++) {
		const struct vmt_map *m = &w->maps[i];
		uint64_t from = m->start > w->pos ? m->start : w->pos;
		uint64_t to = m->end < end ? m->end : end;

		w->sums[i].present += (to - from) / w->ctx->pm->page_size;
	}
}

static void take_pages(struct vmt_pagemap_sum *sum, uint64_t categories, uint64_t pages)
{
	if (categories & VMT_SCAN_PRESENT) {
		sum->zero += pages;
		return;
	}
	sum->present -= pages;
	if (categories & VMT_SCAN_SWAPPED && !(categories & VMT_SCAN_GUARD))
		sum->swapped += pages;
}

static void add_pages(struct vmt_pagemap_sum *sum, uint64_t categories, uint64_t pages)
{
	if (categories & VMT_SCAN_PRESENT) {
		sum->present += pages;
		if (categories & VMT_SCAN_FILE)
			sum->file += pages;
		else if (categories & VMT_SCAN_ZERO)
			sum->zero += pages;
	} else if (!(categories & VMT_SCAN_GUARD)) {
		sum->swapped += pages;
	}
}

/* A region may lie over several mappings that touch, and over none where one has gone. */
static void add_region(struct walk *w, size_t *i, const struct vmt_scan_region *region,
		       void (*add)(struct vmt_pagemap_sum *sum, uint64_t categories,
				   uint64_t pages))
{
	uint64_t start = region->start;

	while (start < region->end) {
		uint64_t end;

		while (*i < w->n && w->maps[*i].end <= start)
			++*i;
		if (*i == w->n)
			return;
		if (start < w->maps[*i].start)
			start = w->maps[*i].start;
		if (start >= region->end)
			return;
		end = region->end < w->maps[*i].end ? region->end : w->maps[*i].end;
		add(&w->sums[*i], region->categories, (end - start) / w->ctx->pm->page_size);
		start = end;
	}
}

static int scan_all(struct walk *w)
{
	struct vmt_pagemap *pm = w->ctx->pm;
	VMT_FILLED_STACK struct vmt_scan_region regions[VMT_SCAN_REGIONS];

	for (;;) {
		uint64_t end, categories, next;
		bool absent;
		size_t i;
		int k, n;

		while (w->at < w->n && w->maps[w->at].end <= w->pos)
			w->at++;
		if (w->at == w->n || is_kernels(&w->maps[w->at]))
			return 0;
		if (w->pos < w->maps[w->at].start)
			w->pos = w->maps[w->at].start;
		if (is_taken_full(w, w->at)) {
			add_full(w, w->maps[w->at].end);
			w->pos = w->maps[w->at].end;
			continue;
		}
		end = w->ctx->absent && has_own_call(w, w->at) ? next_short(w) : w->pos;
		absent = end > w->pos;
		if (absent) {
			n = vmt_pagemap_scan_absent(pm, w->pos, end, regions, &next);
		} else {
			end = next_slice(w, &categories);
			n = vmt_pagemap_scan(pm, w->pos, end, categories, regions, &next);
		}
		if (n < 0)
			return n;
		if (absent)
			add_full(w, next);
		i = w->at;
		for (k = 0; k < n; k++)
			add_region(w, &i, &regions[k], absent ? take_pages : add_pages);
		w->pos = next;
		if (w->pos < w->maps[w->n - 1].end && pm->stop && pm->stop->fn(pm->stop->arg))
			return -ETIMEDOUT;
	}
}

static int read_all(struct walk *w, bool *skipped)
{
	struct vmt_pagemap *pm = w->ctx->pm;

	for (; w->at < w->n && !is_kernels(&w->maps[w->at]); w->at++) {
		const struct vmt_map *m = &w->maps[w->at];
		int r;

		if ((m->end - m->start) / pm->page_size > VMT_PAGEMAP_READ_MAX) {
			skipped[w->at] = true;
			*w->doubts |= VMT_DOUBT_HUGE;
			continue;
		}
		r = vmt_pagemap_read(pm, m->start, m->end, &w->sums[w->at]);
		if (r < 0)
			return r;
		if (w->at + 1 < w->n && pm->stop && pm->stop->fn(pm->stop->arg))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Words of what is not too long for them, and the scan for the rest. */
static int read_and_scan(struct walk *w, bool *skipped)
{
	unsigned before = *w->doubts;
	int r = read_all(w, skipped);
	size_t i;

	for (i = 0; r == 0 && i < w->n; i++) {
		struct walk one = { w->ctx, &w->maps[i], 1, &w->sums[i], 0, 0, w->doubts };

		if (!skipped[i])
			continue;
		r = scan_all(&one);
		skipped[i] = false;
	}
	*w->doubts = before | (*w->doubts & ~VMT_DOUBT_HUGE);
	return r;
}

int vmt_residency_sum(const struct vmt_residency_ctx *ctx, const struct vmt_map *maps, size_t n,
		      struct vmt_pagemap_sum *sums, bool *skipped, unsigned *doubts)
{
	struct walk w = { ctx, maps, n, sums, 0, 0, doubts };

	memset(skipped, 0, n * sizeof(*skipped));
	if (n == 0)
		return 0;
	if (!ctx->pm->facts->scan)
		return read_all(&w, skipped);
	return ctx->words ? read_and_scan(&w, skipped) : scan_all(&w);
}

/* The figures of smaps. */
static void store_bytes(const struct vmt_residency_ctx *ctx, const struct vmt_pagemap_sum *sum,
			struct vmt_map *m, unsigned *doubts)
{
	uint64_t page_size = ctx->pm->page_size, file = sum->file, rss = sum->present - sum->zero;
	uint64_t swapped = ctx->swap_in_use ? sum->swapped : 0;
	const struct vmt_pagemap_facts *facts = ctx->pm->facts;

	bool unsure = sum->unsure;

	if (vmt_bytes_is(m->kind, "hugetlb")) {
		rss = file = swapped = 0;
		unsure = false;
	} else if (is_shared(m)) {
		/* Nothing in it is private; the rest is of devices and has no struct page. */
		rss = file;
		unsure = false;
	} else if (!vmt_residency_may_have_file(m)) {
		/* Before Linux 6.7 words call the huge zero page a file's. */
		rss -= file;
		file = 0;
	}
	if (unsure)
		*doubts |= VMT_DOUBT_ZERO;
	VMT_SET(map, rss_bytes, m, rss * page_size);
	VMT_SET(map, file_bytes, m, file * page_size);
	VMT_SET(map, anonymous_bytes, m, (rss - file) * page_size);
	if (ctx->swap_in_use && vmt_bytes_is(m->kind, "shmem")) {
		*doubts |= VMT_DOUBT_SHMEM;
		return;
	}
	if (swapped && facts->guards_hidden)
		*doubts |= VMT_DOUBT_GUARD;
	VMT_SET(map, swap_bytes, m, swapped * page_size);
}

void vmt_residency_store(const struct vmt_residency_ctx *ctx, const struct vmt_pagemap_sum *sum,
			 struct vmt_map *m, unsigned *doubts)
{
	if (is_kernels(m)) {
		/* fs/proc/task_mmu.c get_gate_vma(): smaps lists it and finds none of the
		 * process's pages there; pagemap does not reach it. */
		if (!VMT_HAS(map, rss_bytes, m))
			store_bytes(ctx, &(struct vmt_pagemap_sum){ 0 }, m, doubts);
		return;
	}
	VMT_SET(map, present_pages, m, sum->present);
	VMT_SET(map, swapped_pages, m, sum->swapped);
	VMT_SET(map, file_pages, m, sum->file);
	if (sum->by_words) {
		VMT_SET(map, exclusive_pages, m, sum->exclusive);
		if (ctx->pm->facts->soft_dirty)
			VMT_SET(map, soft_dirty_pages, m, sum->soft_dirty);
	}
	if (!VMT_HAS(map, rss_bytes, m))
		store_bytes(ctx, sum, m, doubts);
}

void vmt_residency_drop(struct vmt_map *m, bool by_smaps)
{
	VMT_UNSET(map, present_pages, m);
	VMT_UNSET(map, swapped_pages, m);
	VMT_UNSET(map, file_pages, m);
	VMT_UNSET(map, exclusive_pages, m);
	VMT_UNSET(map, soft_dirty_pages, m);
	VMT_UNSET(map, pss_sliced_bytes, m);
	VMT_UNSET(map, cached_unmapped_pages, m);
	VMT_UNSET(map, absent_pages, m);
	VMT_UNSET(map, minor_faults_left, m);
	VMT_UNSET(map, minor_faults_left_max, m);
	VMT_UNSET(map, major_faults_left, m);
	VMT_UNSET(map, major_faults_left_max, m);
	if (by_smaps)
		return;
	VMT_UNSET(map, rss_bytes, m);
	VMT_UNSET(map, anonymous_bytes, m);
	VMT_UNSET(map, file_bytes, m);
	VMT_UNSET(map, swap_bytes, m);
}

void vmt_residency_doubt(unsigned doubts, char *text, size_t n)
{
	static const struct {
		unsigned doubt;
		const char *words;
	} all[] = {
		{ VMT_DOUBT_INSTEAD, "read because pagemap could not be" },
		{ VMT_DOUBT_SLICED, "an estimate: pages move between looks, large folios count as "
				    "their average" },
		{ VMT_DOUBT_SHMEM, "what shmem has in swap is not known (smaps says it)" },
		{ VMT_DOUBT_ZERO, "Rss may have zero pages: frames are not shown to us" },
		{ VMT_DOUBT_GUARD, "guard pages may be counted as swap" },
		{ VMT_DOUBT_LOSES, "too low for processes that map and unmap meanwhile, as this "
				   "kernel was seen to do; smaps is right" },
		{ VMT_DOUBT_FORECAST, "a forecast: large folios and what others read make faults "
				      "fewer, reclaim makes them more" },
		{ VMT_DOUBT_STRANGE, "of files that are not ours it is unknown (CAP_FOWNER)" },
		{ VMT_DOUBT_OTHER, "keys that this version does not know found no room in OTHER" },
	};
	size_t i, len = 0;

	text[0] = 0;
	for (i = 0; i < VMT_ARRAY_LEN(all) && len < n; i++)
		if (doubts & all[i].doubt)
			len += (size_t)snprintf(text + len, n - len, "%s%s", len ? "; " : "",
						all[i].words);
}
