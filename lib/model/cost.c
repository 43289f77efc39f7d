/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cost.h"

/*
 * About 20 ns a page where struct page is in the caches; 4.5 s were reported for a process of
 * 200 GB, whose are not.
 */
#define PAGE_NS 90

uint64_t vmt_cost_walk_ns(const struct vmt_proc *p, uint64_t page_size)
{
	uint64_t bytes, ns;

	if (!VMT_HAS(proc, rss_bytes, p) || !page_size)
		return UINT64_MAX;
	bytes = p->rss_bytes;
	if (VMT_HAS(proc, swap_bytes, p) && __builtin_add_overflow(bytes, p->swap_bytes, &bytes))
		return UINT64_MAX;
	if (__builtin_mul_overflow(bytes / page_size, PAGE_NS, &ns))
		return UINT64_MAX;
	return ns;
}
