/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/parts.h"

#define KNOWN(s, m) VMT_HAS(system, m, s)

/* si_mem_available(): a sum that is not below 0. */
static void derive_available(struct vmt_system *s, uint64_t page_size)
{
	struct vmt_term terms[VMT_TERM_COUNT];
	int64_t sum = 0;
	size_t i;

	vmt_available_terms(s, page_size, terms);
	for (i = 0; i < VMT_TERM_COUNT; i++)
		if (!VMT_HAS(term, size_bytes, &terms[i]) ||
		    __builtin_add_overflow(sum, terms[i].size_bytes, &sum))
			return;
	VMT_SET(system, available_derived_bytes, s, sum > 0 ? (uint64_t)sum : 0);
	if (KNOWN(s, available_bytes))
		VMT_SET(system, available_residual_bytes, s,
			(int64_t)s->available_derived_bytes - (int64_t)s->available_bytes);
}

void vmt_system_derive(struct vmt_system *s, uint64_t page_size)
{
	struct vmt_part parts[VMT_PART_COUNT];

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
	vmt_parts(s, page_size, parts);
	if (VMT_HAS(part, size_bytes, &parts[VMT_PART_UNACCOUNTED]))
		VMT_SET(system, unaccounted_bytes, s, parts[VMT_PART_UNACCOUNTED].size_bytes);
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
	RATE(system, pswpin_per_second, pswpin_total, s, prev, dt_ns);
	RATE(system, pswpout_per_second, pswpout_total, s, prev, dt_ns);
	RATE(system, pgscan_kswapd_per_second, pgscan_kswapd_total, s, prev, dt_ns);
	RATE(system, pgscan_direct_per_second, pgscan_direct_total, s, prev, dt_ns);
	RATE(system, pgsteal_kswapd_per_second, pgsteal_kswapd_total, s, prev, dt_ns);
	RATE(system, pgsteal_direct_per_second, pgsteal_direct_total, s, prev, dt_ns);
	RATE(system, workingset_refault_anon_per_second, workingset_refault_anon_total, s, prev,
	     dt_ns);
	RATE(system, workingset_refault_file_per_second, workingset_refault_file_total, s, prev,
	     dt_ns);
	RATE(system, compact_stall_per_second, compact_stall_total, s, prev, dt_ns);
	RATE(system, thp_fault_alloc_per_second, thp_fault_alloc_total, s, prev, dt_ns);
	RATE(system, thp_fault_fallback_per_second, thp_fault_fallback_total, s, prev, dt_ns);
	RATE(system, pgfree_per_second, pgfree_total, s, prev, dt_ns);
	RATE(system, pgalloc_per_second, pgalloc_total, s, prev, dt_ns);
	RATE(system, pgpgin_per_second, pgpgin_total, s, prev, dt_ns);
	RATE(system, pgpgout_per_second, pgpgout_total, s, prev, dt_ns);
	RATE(system, numa_hint_faults_per_second, numa_hint_faults_total, s, prev, dt_ns);
	RATE(system, nr_dirtied_per_second, nr_dirtied_total, s, prev, dt_ns);
	RATE(system, oom_kill_per_second, oom_kill_total, s, prev, dt_ns);
	if (KNOWN(s, pgfault_per_second) && KNOWN(s, pgmajfault_per_second) &&
	    s->pgfault_per_second >= s->pgmajfault_per_second)
		VMT_SET(system, minor_faults_per_second, s,
			s->pgfault_per_second - s->pgmajfault_per_second);
	if (KNOWN(s, pgsteal_kswapd_per_second) && KNOWN(s, pgsteal_direct_per_second))
		VMT_SET(system, pgsteal_per_second, s,
			s->pgsteal_kswapd_per_second + s->pgsteal_direct_per_second);
	if (KNOWN(s, workingset_refault_anon_per_second) &&
	    KNOWN(s, workingset_refault_file_per_second))
		VMT_SET(system, workingset_refault_per_second, s,
			s->workingset_refault_anon_per_second +
				s->workingset_refault_file_per_second);
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
	if (dt_ns && VMT_HAS(proc, rss_delta_bytes, p))
		VMT_SET(proc, rss_per_second_bytes, p,
			(int64_t)((__int128)p->rss_delta_bytes * 1000000000 / dt_ns));
	DELTA(swap_delta_bytes, swap_bytes, p, prev);
	DELTA(maps_delta, maps_total, p, prev);
}
