/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * How many page faults a mapping has left: for each of its pages where it is now, and from that the
 * faults of one access to each page in order of address. Pure; lib/source/forecast.c asks the
 * kernel.
 *
 * The most: each page that is not mapped is a fault of its own. That is exact for stores to a
 * private mapping of a file under MADV_RANDOM, and for anonymous memory in small pages.
 *
 * What is likely, for loads: a fault of a file also maps what the page cache has around it (mm/
 * memory.c do_fault_around(): the pages of an aligned range of addresses, 64 KiB by default, within
 * the mapping and its page table), and one that has to read lets the kernel read ahead
 * (mm/filemap.c do_sync_mmap_readahead()), so that of a run of absent pages only the first is
 * major. Large folios and huge pages make both fewer.
 */

enum vmt_page_left {
	VMT_LEFT_NOTHING, /* behind the end of the file, or a guard: touching it is no fault that
			     ends well */
	VMT_LEFT_MAPPED,
	VMT_LEFT_CACHED, /* in the page cache, without an entry in the page table: minor */
	VMT_LEFT_ABSENT, /* has to be read from its file: major */
	VMT_LEFT_EMPTY, /* never written: filled with zeros, minor */
	VMT_LEFT_SWAPPED, /* major, unless the swap cache has it */
};

struct vmt_forecast {
	/* The place, in pages of addresses. */
	uint64_t start;
	uint64_t end;
	uint64_t at;
	uint64_t around; /* pages of the range that is mapped around, a power of 2; 1: none */
	uint64_t around_end; /* what lies below has been mapped by then */
	enum vmt_page_left last;

	/* What there is, in pages. */
	uint64_t cached;
	uint64_t absent; /* ABSENT and EMPTY */

	uint64_t minor;
	uint64_t minor_most;
	uint64_t major;
	uint64_t major_most;
};

/* For the mapping of the pages [start, end), counted from address 0; around in pages. */
void vmt_forecast_begin(struct vmt_forecast *f, uint64_t start, uint64_t end, uint64_t around);
/* The next n pages are so. What lies behind the end of the mapping is left out. */
void vmt_forecast_add(struct vmt_forecast *f, enum vmt_page_left state, uint64_t n);
