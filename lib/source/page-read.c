/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/page-read.h"

#include <errno.h>

#include "source/residency.h"

/* fs/proc/task_mmu.c: a word of something swapped has the type in 5 bits, the offset above it. */
#define SWAP_TYPE(word)	  ((word)&31)
#define SWAP_OFFSET(word) (((word)&VMT_PM_FRAME) >> 5)
/*
 * Types from here on are no swap areas but what the kernel keeps in the same form: pages being
 * moved, poisoned ones, markers (include/linux/swap.h MAX_SWAPFILES: 32 less at most 9).
 */
#define SWAP_AREAS 23u

#define PM_UFFD_WP (UINT64_C(1) << 57) /* 5.14 */

/* Of PAGEMAP_SCAN. */
#define SCAN_WPALLOWED UINT64_C(1)
#define SCAN_WRITTEN   UINT64_C(2)

/* Holes of as few pages are read along. */
#define GAP 64u

struct vmt_page_map vmt_page_map_of(const struct vmt_map *m)
{
	struct vmt_page_map map = { .start = m->start, .end = m->end };

	if (vmt_bytes_is(m->kind, "hugetlb"))
		map.file = VMT_BACKING_HUGETLB;
	else if (vmt_bytes_is(m->kind, "shmem"))
		map.file = VMT_BACKING_SHMEM;
	else if (vmt_residency_may_have_file(m))
		map.file = VMT_BACKING_FILE;
	return map;
}

static void decode_present(const struct vmt_page_reader *rd, const struct vmt_page_map *map,
			   uint64_t word, bool has_scan, uint64_t categories,
			   struct vmt_page_run *run)
{
	const struct vmt_pagemap_facts *facts = rd->pm.facts;
	uint64_t frame = facts->frames ? word & VMT_PM_FRAME : VMT_NO_FRAME;
	bool zero = has_scan && categories & VMT_SCAN_ZERO;

	run->state = VMT_PAGE_PRESENT;
	run->known |= VMT_PAGE_EXCLUSIVE;
	if (word & VMT_PM_EXCLUSIVE)
		run->marks |= VMT_PAGE_EXCLUSIVE;
	if (frame != VMT_NO_FRAME) {
		run->frame = frame;
		run->known |= VMT_PAGE_HAS_FRAME;
		zero |= frame == facts->zero_frame;
	}
	/* Words call the huge zero page a file's, also where there is no file. */
	if (zero || (word & VMT_PM_FILE && map->file == VMT_BACKING_UNKNOWN))
		run->backing = VMT_BACKING_ZERO;
	else if (map->file == VMT_BACKING_HUGETLB)
		run->backing = VMT_BACKING_HUGETLB;
	else if (word & VMT_PM_FILE)
		run->backing = (uint8_t)map->file;
	else if (has_scan || facts->frames || word & VMT_PM_EXCLUSIVE)
		run->backing = VMT_BACKING_ANON;
	if (has_scan) {
		run->known |= VMT_PAGE_HUGE;
		if (categories & VMT_SCAN_HUGE)
			run->marks |= VMT_PAGE_HUGE;
	}
}

static void decode_swapped(const struct vmt_page_reader *rd, uint64_t word, bool has_scan,
			   uint64_t categories, struct vmt_page_run *run)
{
	const struct vmt_pagemap_facts *facts = rd->pm.facts;

	if (word & VMT_PM_GUARD || (has_scan && categories & VMT_SCAN_GUARD)) {
		run->state = VMT_PAGE_GUARD;
	} else if (!rd->swap_in_use || (facts->frames && SWAP_TYPE(word) >= SWAP_AREAS)) {
		run->state = VMT_PAGE_SPECIAL;
	} else {
		run->state = VMT_PAGE_SWAPPED;
		/* Without the rights for frames both are 0, which is a place, too. */
		if (facts->frames) {
			run->known |= VMT_PAGE_HAS_SWAP;
			run->swap_type = (uint8_t)SWAP_TYPE(word);
			run->swap_offset = SWAP_OFFSET(word);
		}
	}
}

void vmt_page_decode(const struct vmt_page_reader *rd, const struct vmt_page_map *map,
		     uint64_t word, bool has_scan, uint64_t categories, struct vmt_page_run *run)
{
	*run = (struct vmt_page_run){ .pages = 1, .zone = -1 };
	if (word & VMT_PM_PRESENT)
		decode_present(rd, map, word, has_scan, categories, run);
	else if (word & VMT_PM_SWAP)
		decode_swapped(rd, word, has_scan, categories, run);
	else
		return;
	if (rd->pm.facts->soft_dirty) {
		run->known |= VMT_PAGE_SOFT_DIRTY;
		if (word & VMT_PM_SOFT_DIRTY)
			run->marks |= VMT_PAGE_SOFT_DIRTY;
	}
	/* Whoever has the scan has that bit, too. */
	if (rd->pm.facts->scan || word & PM_UFFD_WP) {
		run->known |= VMT_PAGE_UFFD_WP;
		if (word & PM_UFFD_WP)
			run->marks |= VMT_PAGE_UFFD_WP;
	}
	if (has_scan && rd->want & VMT_PAGES_WRITTEN && categories & SCAN_WPALLOWED) {
		run->known |= VMT_PAGE_WRITTEN;
		if (categories & SCAN_WRITTEN)
			run->marks |= VMT_PAGE_WRITTEN;
	}
}

/* Takes out what was not asked for, so that runs are as long as they can be. */
static void reduce(const struct vmt_page_reader *rd, struct vmt_page_run *run)
{
	if (!(rd->want & VMT_PAGES_FRAME)) {
		run->known &= (uint16_t)~VMT_PAGE_HAS_FRAME;
		run->frame = 0;
	}
	if (!(rd->want & VMT_PAGES_SWAP)) {
		run->known &= (uint16_t)~VMT_PAGE_HAS_SWAP;
		run->swap_type = 0;
		run->swap_offset = 0;
	}
}

static bool continues(const struct vmt_page_run *a, const struct vmt_page_run *b,
		      uint64_t page_size)
{
	return a->map == b->map && a->start + a->pages * page_size == b->start &&
	       a->state == b->state && a->backing == b->backing && a->marks == b->marks &&
	       a->known == b->known && a->count == b->count && a->flags == b->flags &&
	       a->zone == b->zone && a->swap_type == b->swap_type &&
	       (!(a->known & VMT_PAGE_HAS_FRAME) || a->frame + a->pages == b->frame) &&
	       (!(a->known & VMT_PAGE_HAS_SWAP) || a->swap_offset + a->pages == b->swap_offset);
}

static void add_run(struct vmt_page_reader *rd, struct vmt_page_run *run)
{
	struct vmt_page_run *last = rd->n_runs ? &rd->runs[rd->n_runs - 1] : NULL;

	reduce(rd, run);
	if (last && (run->state == VMT_PAGE_NONE || !(rd->want & VMT_PAGES_EACH)) &&
	    continues(last, run, rd->pm.page_size)) {
		last->pages += run->pages;
		return;
	}
	rd->runs[rd->n_runs++] = *run;
}

static void add_hole(struct vmt_page_reader *rd, uint32_t index, uint64_t start, uint64_t end)
{
	struct vmt_page_run run = {
		.start = start, .pages = (end - start) / rd->pm.page_size, .map = index, .zone = -1
	};

	if (run.pages)
		add_run(rd, &run);
}

/* Regions of the scan, in order, and how far one has come. */
struct regions {
	const struct vmt_scan_region *r;
	size_t n;
	size_t at;
};

static bool region_of(struct regions *regions, uint64_t address, uint64_t *ret_categories)
{
	while (regions->at < regions->n && regions->r[regions->at].end <= address)
		regions->at++;
	if (regions->at == regions->n || regions->r[regions->at].start > address)
		return false;
	*ret_categories = regions->r[regions->at].categories;
	return true;
}

/* Asks for the frames of n pages, which are in runs, and puts what it learns into them. */
static int look_at_frames(struct vmt_page_reader *rd, struct vmt_page_run *runs, size_t n)
{
	uint64_t frames[512], values[512];
	bool known[512];
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		frames[i] = runs[i].known & VMT_PAGE_HAS_FRAME ? runs[i].frame : VMT_NO_FRAME;
		if (frames[i] != VMT_NO_FRAME && rd->want & VMT_PAGES_ZONE && rd->physical)
			runs[i].zone = (int16_t)vmt_physical_zone(rd->physical, frames[i]);
	}
	if (rd->want & VMT_PAGES_COUNT && rd->counts.fd >= 0) {
		r = vmt_kpage_read(&rd->counts, frames, n, values, known);
		if (r < 0)
			return r;
		for (i = 0; i < n; i++) {
			if (!known[i])
				continue;
			runs[i].count = values[i];
			runs[i].known |= VMT_PAGE_HAS_COUNT;
		}
	}
	if (rd->want & VMT_PAGES_FLAGS && rd->flags.fd >= 0) {
		r = vmt_kpage_read(&rd->flags, frames, n, values, known);
		if (r < 0)
			return r;
		for (i = 0; i < n; i++) {
			if (!known[i])
				continue;
			runs[i].flags = values[i];
			runs[i].known |= VMT_PAGE_HAS_FLAGS;
			if (values[i] & VMT_KPF_ZERO_PAGE)
				runs[i].backing = VMT_BACKING_ZERO;
		}
	}
	return 0;
}

/* Reads the words of [start, end), no more than vmt_pagemap_words(), and adds what they say. */
static int add_words(struct vmt_page_reader *rd, uint32_t index, const struct vmt_page_map *map,
		     uint64_t start, uint64_t end, struct regions *regions)
{
	struct vmt_pagemap_sum unused = { 0 };
	uint64_t page = rd->pm.page_size;
	size_t n = (size_t)((end - start) / page), i, k, part;
	struct vmt_page_run runs[512];
	int r = vmt_pagemap_read(&rd->pm, start, end, &unused);

	for (i = 0; r == 0 && i < n; i += part) {
		part = n - i < VMT_ARRAY_LEN(runs) ? n - i : VMT_ARRAY_LEN(runs);
		for (k = 0; k < part; k++) {
			uint64_t at = start + (i + k) * page, categories = 0;
			bool has = regions && region_of(regions, at, &categories);

			vmt_page_decode(rd, map, rd->pm.words[i + k], has, categories, &runs[k]);
			runs[k].start = at;
			runs[k].map = index;
		}
		if (rd->want & (VMT_PAGES_COUNT | VMT_PAGES_FLAGS | VMT_PAGES_ZONE))
			r = look_at_frames(rd, runs, part);
		for (k = 0; r == 0 && k < part; k++)
			add_run(rd, &runs[k]);
	}
	return r;
}

static int step_by_scan(struct vmt_page_reader *rd, uint32_t index, const struct vmt_page_map *map,
			uint64_t at, uint64_t end, uint64_t *ret_next)
{
	struct vmt_scan_region found[VMT_SCAN_REGIONS];
	uint64_t page = rd->pm.page_size, room = vmt_pagemap_words(&rd->pm);
	uint64_t span = vmt_pagemap_span(&rd->pm), next, categories, pos = at;
	struct regions regions = { .r = found };
	int n, i, k, r;

	if (end - at > span)
		end = at + span;
	categories = VMT_SCAN_ZERO | VMT_SCAN_HUGE |
		     (rd->pm.facts->scan_guard ? VMT_SCAN_GUARD : 0) |
		     (rd->want & VMT_PAGES_WRITTEN ? SCAN_WPALLOWED | SCAN_WRITTEN : 0);
	n = vmt_pagemap_scan(&rd->pm, at, end, categories, found, &next);
	if (n < 0)
		return n;
	regions.n = (size_t)n;
	for (i = 0; i < n; i = k) {
		uint64_t stop = found[i].end;

		/* With the holes it could be more than the words of one read. */
		for (k = i + 1; k < n; k++) {
			if (found[k].start - stop > GAP * page ||
			    (found[k].end - found[i].start) / page > room)
				break;
			stop = found[k].end;
		}
		add_hole(rd, index, pos, found[i].start);
		pos = found[i].start;
		/* A huge page that the scan found may be longer than it was asked for. */
		while (pos < stop) {
			uint64_t to = (stop - pos) / page > room ? pos + room * page : stop;

			r = add_words(rd, index, map, pos, to, &regions);
			if (r < 0)
				return r;
			pos = to;
		}
	}
	add_hole(rd, index, pos, next);
	*ret_next = next;
	return 0;
}

int vmt_page_step(struct vmt_page_reader *rd, uint32_t index, const struct vmt_page_map *map,
		  uint64_t at, uint64_t end, uint64_t *ret_next)
{
	uint64_t room = vmt_pagemap_words(&rd->pm) * rd->pm.page_size;
	int r;

	if (rd->cap_runs - rd->n_runs < VMT_PAGE_RUNS_MIN)
		return -ENOBUFS;
	if (rd->pm.facts->scan)
		return step_by_scan(rd, index, map, at, end, ret_next);
	if ((end - at) / rd->pm.page_size > VMT_PAGEMAP_READ_MAX)
		return -E2BIG;
	if (end - at > room)
		end = at + room;
	r = add_words(rd, index, map, at, end, NULL);
	if (r == 0)
		*ret_next = end;
	return r;
}

const char *vmt_page_state_name(unsigned state)
{
	static const char *const names[VMT_PAGE_STATES] = {
		[VMT_PAGE_NONE] = "none",	[VMT_PAGE_PRESENT] = "present",
		[VMT_PAGE_SWAPPED] = "swapped", [VMT_PAGE_GUARD] = "guard",
		[VMT_PAGE_SPECIAL] = "special",
	};

	return names[state];
}

const char *vmt_page_backing_name(unsigned backing)
{
	static const char *const names[VMT_BACKINGS] = {
		[VMT_BACKING_ANON] = "anon",   [VMT_BACKING_FILE] = "file",
		[VMT_BACKING_SHMEM] = "shmem", [VMT_BACKING_HUGETLB] = "hugetlb",
		[VMT_BACKING_ZERO] = "zero",
	};

	return names[backing];
}
