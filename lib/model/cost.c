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

const struct vmt_proc *vmt_cost_dearest(const struct vmt_proc *procs, const size_t *indices,
					size_t n, uint64_t page_size, uint64_t budget_ns,
					uint64_t *ret_ns, uint64_t *ret_all_ns)
{
	const struct vmt_proc *dearest = NULL;
	size_t i;

	*ret_ns = *ret_all_ns = 0;
	for (i = 0; i < n; i++) {
		const struct vmt_proc *p = &procs[indices ? indices[i] : i];
		uint64_t ns = vmt_cost_walk_ns(p, page_size);

		/* Kernel threads and zombies have no RSS either. */
		if (ns == UINT64_MAX || ns > budget_ns)
			continue;
		if (__builtin_add_overflow(*ret_all_ns, ns, ret_all_ns))
			*ret_all_ns = UINT64_MAX;
		if (dearest && ns <= *ret_ns)
			continue;
		dearest = p;
		*ret_ns = ns;
	}
	return dearest;
}
