/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/model.h"

#define KNOWN(s, m) VMT_HAS(system, m, s)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * si_mem_available() of mm/show_mem.c (mm/page_alloc.c before 6.4), the same from 5.10 to 7.2. The
 * kernel computes in pages, so a half is rounded down to whole pages.
 */
static void derive_available(struct vmt_system *s, uint64_t page_size)
{
	uint64_t file, rec;
	int64_t sum;

	if (!page_size || !KNOWN(s, free_bytes) || !KNOWN(s, reserve_bytes) ||
	    !KNOWN(s, low_bytes) || !KNOWN(s, active_file_bytes) || !KNOWN(s, inactive_file_bytes))
		return;
	if (KNOWN(s, kreclaimable_bytes))
		rec = s->kreclaimable_bytes;
	else if (KNOWN(s, slab_reclaimable_bytes))
		rec = s->slab_reclaimable_bytes;
	else
		return;
	file = s->active_file_bytes + s->inactive_file_bytes;
	sum = (int64_t)s->free_bytes - (int64_t)s->reserve_bytes;
	sum += (int64_t)(file - least(file / 2 / page_size * page_size, s->low_bytes));
	sum += (int64_t)(rec - least(rec / 2 / page_size * page_size, s->low_bytes));
	VMT_SET(system, available_derived_bytes, s, sum > 0 ? (uint64_t)sum : 0);
	if (KNOWN(s, available_bytes))
		VMT_SET(system, available_residual_bytes, s,
			(int64_t)s->available_derived_bytes - (int64_t)s->available_bytes);
}

/*
 * What no line of meminfo explains: memory that drivers took from the page allocator for
 * themselves, mostly. Not an identity; small and steady on a healthy machine. User memory is
 * counted by its lists, as AnonPages and SwapCached overlap. Kernel stacks lie in vmalloc memory
 * (CONFIG_VMAP_STACK), so the larger of the two stands for both.
 */
static void derive_unaccounted(struct vmt_system *s)
{
	uint64_t sum, vmalloc;

	if (!KNOWN(s, total_bytes) || !KNOWN(s, free_bytes) || !KNOWN(s, active_anon_bytes) ||
	    !KNOWN(s, inactive_anon_bytes) || !KNOWN(s, active_file_bytes) ||
	    !KNOWN(s, inactive_file_bytes) || !KNOWN(s, unevictable_bytes) ||
	    !KNOWN(s, slab_reclaimable_bytes) || !KNOWN(s, slab_unreclaimable_bytes) ||
	    !KNOWN(s, kernel_stack_bytes) || !KNOWN(s, page_tables_bytes) ||
	    !KNOWN(s, vmalloc_used_bytes))
		return;
	vmalloc = s->vmalloc_used_bytes;
	if (s->kernel_stack_bytes > vmalloc)
		vmalloc = s->kernel_stack_bytes;
	sum = s->free_bytes + s->active_anon_bytes + s->inactive_anon_bytes + s->active_file_bytes +
	      s->inactive_file_bytes + s->unevictable_bytes + s->slab_reclaimable_bytes +
	      s->slab_unreclaimable_bytes + s->page_tables_bytes + vmalloc;
	/* Kernels before 5.0 do not account for percpu memory, so it is part of the answer; kernels
	 * without hugetlb have none. */
	if (KNOWN(s, percpu_bytes))
		sum += s->percpu_bytes;
	if (KNOWN(s, hugetlb_bytes))
		sum += s->hugetlb_bytes;
	VMT_SET(system, unaccounted_bytes, s, (int64_t)s->total_bytes - (int64_t)sum);
}

void vmt_system_derive(struct vmt_system *s, uint64_t page_size)
{
	/* procps 4: used = total - available, and total - free where available is larger than
	 * total. */
	if (KNOWN(s, total_bytes) && KNOWN(s, available_bytes) && KNOWN(s, free_bytes))
		VMT_SET(system, used_bytes, s,
			s->total_bytes - (s->available_bytes <= s->total_bytes ? s->available_bytes
									       : s->free_bytes));
	if (KNOWN(s, buffers_bytes) && KNOWN(s, cached_bytes) && KNOWN(s, slab_reclaimable_bytes))
		VMT_SET(system, buff_cache_bytes, s,
			s->buffers_bytes + s->cached_bytes + s->slab_reclaimable_bytes);
	if (KNOWN(s, swap_total_bytes) && KNOWN(s, swap_free_bytes) &&
	    s->swap_total_bytes >= s->swap_free_bytes)
		VMT_SET(system, swap_used_bytes, s, s->swap_total_bytes - s->swap_free_bytes);
	derive_available(s, page_size);
	derive_unaccounted(s);
}

bool vmt_rate_milli(uint64_t now, uint64_t before, uint64_t dt_ns, uint64_t *ret_milli)
{
	unsigned __int128 v;

	if (now < before || dt_ns == 0)
		return false;
	v = (unsigned __int128)(now - before) * UINT64_C(1000000000000) / dt_ns;
	if (v > UINT64_MAX)
		return false;
	*ret_milli = (uint64_t)v;
	return true;
}

#define RATE(entity, rate, counter, row, prev, dt)                                                 \
	do {                                                                                       \
		uint64_t milli_;                                                                   \
		if (VMT_HAS(entity, counter, row) && VMT_HAS(entity, counter, prev) &&             \
		    vmt_rate_milli((row)->counter, (prev)->counter, dt, &milli_))                  \
			VMT_SET(entity, rate, row, milli_);                                        \
	} while (0)

void vmt_system_rates(struct vmt_system *s, const struct vmt_system *prev, uint64_t dt_ns)
{
	RATE(system, pgfault_per_second, pgfault_total, s, prev, dt_ns);
	RATE(system, pgmajfault_per_second, pgmajfault_total, s, prev, dt_ns);
}

#define DELTA(to, from, row, prev)                                                                 \
	do {                                                                                       \
		if (VMT_HAS(proc, from, row) && VMT_HAS(proc, from, prev))                         \
			VMT_SET(proc, to, row, (int64_t)(row)->from - (int64_t)(prev)->from);      \
	} while (0)

void vmt_proc_rates(struct vmt_proc *p, const struct vmt_proc *prev, uint64_t dt_ns)
{
	/* Another process with the same pid has counters of its own. */
	if (!VMT_HAS(proc, start_time_ns, p) || !VMT_HAS(proc, start_time_ns, prev) ||
	    p->pid != prev->pid || p->start_time_ns != prev->start_time_ns)
		return;
	/* The files of one process are read at about the same place of each scan, but not quite. */
	if (VMT_HAS(proc, read_start_ns, p) && VMT_HAS(proc, read_start_ns, prev) &&
	    p->read_start_ns > prev->read_start_ns)
		dt_ns = p->read_start_ns - prev->read_start_ns;
	RATE(proc, minor_faults_per_second, minor_faults_total, p, prev, dt_ns);
	RATE(proc, major_faults_per_second, major_faults_total, p, prev, dt_ns);
	DELTA(rss_delta_bytes, rss_bytes, p, prev);
	DELTA(swap_delta_bytes, swap_bytes, p, prev);
	DELTA(maps_delta, maps_total, p, prev);
}
