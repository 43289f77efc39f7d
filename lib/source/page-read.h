/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"
#include "source/kpage.h"
#include "source/pagemap.h"
#include "source/physical.h"

/* What a page table has at an address. */
enum vmt_page_state {
	VMT_PAGE_NONE,
	VMT_PAGE_PRESENT,
	VMT_PAGE_SWAPPED,
	VMT_PAGE_GUARD,
	VMT_PAGE_SPECIAL, /* being moved, poisoned, a marker */
	VMT_PAGE_STATES,
};

enum vmt_page_backing {
	VMT_BACKING_UNKNOWN,
	VMT_BACKING_ANON,
	VMT_BACKING_FILE,
	VMT_BACKING_SHMEM,
	VMT_BACKING_HUGETLB,
	VMT_BACKING_ZERO,
	VMT_BACKINGS,
};

/* Marks of a page: in marks where it has them, in known where it can be known. */
#define VMT_PAGE_EXCLUSIVE  1u
#define VMT_PAGE_SOFT_DIRTY 2u
#define VMT_PAGE_UFFD_WP    4u
#define VMT_PAGE_HUGE	    8u
#define VMT_PAGE_WRITTEN    16u /* since the process itself began to track it (WP_ASYNC) */
/* In known alone: whether the member means something. */
#define VMT_PAGE_HAS_FRAME 32u
#define VMT_PAGE_HAS_SWAP  64u
#define VMT_PAGE_HAS_COUNT 128u
#define VMT_PAGE_HAS_FLAGS 256u

/* What tells pages apart, beside their state: what is not wanted is not in a run. */
#define VMT_PAGES_FRAME	  1u /* runs of consecutive frames */
#define VMT_PAGES_SWAP	  2u /* and places in swap */
#define VMT_PAGES_COUNT	  4u
#define VMT_PAGES_FLAGS	  8u
#define VMT_PAGES_ZONE	  16u
#define VMT_PAGES_WRITTEN 32u
#define VMT_PAGES_EACH	  64u /* one a page, but for those that are not there */

/* A run of pages that are alike. */
struct vmt_page_run {
	uint64_t start; /* address */
	uint64_t pages;
	uint64_t frame; /* of the first */
	uint64_t swap_offset; /* of the first, in pages */
	uint64_t count;
	uint64_t flags;
	uint32_t map; /* index of its mapping, as the reader was told */
	uint16_t marks;
	uint16_t known;
	uint8_t swap_type;
	uint8_t state; /* enum vmt_page_state */
	uint8_t backing; /* enum vmt_page_backing */
	int16_t zone; /* index into physical, or -1 */
};

/* What of a mapping decides what its pages are. */
struct vmt_page_map {
	uint64_t start;
	uint64_t end;
	enum vmt_page_backing file; /* what a page of the page cache is here; UNKNOWN for none */
};

struct vmt_page_map vmt_page_map_of(const struct vmt_map *m);

struct vmt_page_reader {
	struct vmt_pagemap pm; /* with words; facts may be of no kernel */
	struct vmt_kpage counts; /* fd -1: not to be had */
	struct vmt_kpage flags;
	const struct vmt_physical *physical; /* may be NULL */
	unsigned want; /* VMT_PAGES_* */
	bool swap_in_use;
	struct vmt_page_run *runs; /* cap_runs of them, at least VMT_PAGE_RUNS_MIN */
	size_t n_runs;
	size_t cap_runs;
};

/* Words that the reader has to have room for, and runs. One step fills no more. */
#define VMT_PAGE_WORDS	  ((size_t)VMT_READ_WORDS)
#define VMT_PAGE_RUNS_MIN ((size_t)3 * VMT_PAGE_WORDS)

/*
 * One step through [at, end) of a mapping: a call of the scan and the words of what it found, or as
 * many words as there is room for where there is no scan. Adds to the runs, and lengthens the last
 * one; *ret_next is where to go on. -ENOBUFS where the runs may not suffice (nothing was read),
 * -E2BIG where the range is too long to be read without the scan, else as vmt_pagemap_read().
 */
int vmt_page_step(struct vmt_page_reader *rd, uint32_t index, const struct vmt_page_map *map,
		  uint64_t at, uint64_t end, uint64_t *ret_next);

/* What a word says, with the categories of the scan where has_scan. For tests as well. */
void vmt_page_decode(const struct vmt_page_reader *rd, const struct vmt_page_map *map,
		     uint64_t word, bool has_scan, uint64_t categories, struct vmt_page_run *run);

/* Words for people; constant. */
const char *vmt_page_state_name(unsigned state);
const char *vmt_page_backing_name(unsigned backing); /* NULL for unknown */
