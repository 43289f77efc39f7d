/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"
#include "source/pagemap.h"

/*
 * What is resident of each mapping, by pagemap: the figures of smaps that need no look at each page
 * (Rss, Anonymous, Swap), for a fraction of its cost, in slices that hold the mmap lock of the
 * process for some tens of microseconds.
 */

/* What the residency of mappings rests on, beside the page tables. */
struct vmt_residency_ctx {
	struct vmt_pagemap *pm;
	bool words; /* read words although there is a scan: exclusive and soft-dirty are wanted */
	/* Whether swap is in use. Where it is not, nothing is swapped, and where it is, what shmem
	 * has there stands in no page table. */
	bool swap_in_use;
	/*
	 * Ask for what is absent where mappings without a file are short. The kernel has to have
	 * it (facts), and a mapping that has gone since the list was read counts as full: who sets
	 * this has to see whether the sums can be true.
	 */
	bool absent;
	/*
	 * Not NULL: an element for each mapping, true for those that are taken to be full and not
	 * asked. Who sets it has to see whether the sums can be true: no mapping can have more.
	 */
	const bool *full;
};

/* Whether pages of a mapping may be a file's, by its kind. Those of a private anonymous one never
 * are. */
bool vmt_residency_may_have_file(const struct vmt_map *m);

/*
 * Marks mappings that are worth to be taken for full, and are no more than pages: private ones
 * without a file, with access to them, a great many that touch each other. What was split by
 * mprotect(2) into so many is mostly memory in use. How many pages they have; 0: there are none.
 */
uint64_t vmt_residency_mark_full(const struct vmt_map *maps, size_t n, uint64_t page_size,
				 bool *full);

/* Whether this machine has anything in swap: sysinfo(2). */
bool vmt_swap_in_use(void);

/* Why figures of pagemap are not quite those of smaps; bits. */
#define VMT_DOUBT_ZERO	  1u /* pages of Rss may be the zero page: frames are not shown to us */
#define VMT_DOUBT_GUARD	  2u /* guard markers may be counted as swap (Linux 6.13 and 6.14) */
#define VMT_DOUBT_SHMEM	  4u /* what shmem has in swap is not known, and left out */
#define VMT_DOUBT_HUGE	  8u /* mappings were left out: too long to be read without the scan */
#define VMT_DOUBT_INSTEAD 16u /* of smaps: it was read because pagemap could not be */
#define VMT_DOUBT_SLICED  32u /* of kpagecount: pages were looked at one after the other */
/* of smaps_rollup: this kernel leaves mappings out while others come and go */
#define VMT_DOUBT_LOSES	   128u
#define VMT_DOUBT_STRANGE  512u /* of forecast: of files that are not ours it is unknown */
#define VMT_DOUBT_FORECAST 256u /* it may come otherwise */
#define VMT_DOUBT_OTHER	   64u /* of smaps: keys that are not known found no room */

/* What the bits say, in words. */
void vmt_residency_doubt(unsigned doubts, char *text, size_t n);

/*
 * Adds up the pages of n mappings, which stand in order of address: sums has n elements, zeroed.
 * What lies in none of them any more is left out. *doubts gets bits. Without the scan, mappings
 * longer than VMT_PAGEMAP_READ_MAX pages are left out: skipped, n elements, says which.
 *
 * 0, -ESRCH where the address space is gone, -ETIMEDOUT where pm->stop said so, or what the file
 * says; then sums of the first mappings may be there already.
 */
int vmt_residency_sum(const struct vmt_residency_ctx *ctx, const struct vmt_map *maps, size_t n,
		      struct vmt_pagemap_sum *sums, bool *skipped, unsigned *doubts);

/*
 * Puts a sum into the fields of its mapping: those of pagemap, and rss, anonymous, file and swap
 * unless smaps has given them. fs/proc/task_mmu.c smaps_pte_entry() counts neither the zero page
 * nor what is of no struct page, and no hugetlb at all.
 */
void vmt_residency_store(const struct vmt_residency_ctx *ctx, const struct vmt_pagemap_sum *sum,
			 struct vmt_map *m, unsigned *doubts);

/* Takes them away again: they were read of another address space. */
void vmt_residency_drop(struct vmt_map *m, bool by_smaps);
