/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How many pages of the current task's address space are in memory, as cheaply as it can be told.
 */

#include "bpf/compat.bpf.h"

struct cpu_offset {
	u64 offset; /* from a per-CPU pointer to what it means on this CPU */
	u64 number; /* a pointer becomes a number on its way through memory */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_offset);
} cpu_offsets SEC(".maps");

/*
 * The architecture's __per_cpu_offset of this CPU, 0 where it is not found. Its symbol is not in
 * every kernel's list; but a per-CPU table of ours is addressed with it: its per-CPU pointer stands
 * in the kernel's struct bpf_array, and a look-up gives what that means here.
 */
static __noinline u64 find_cpu_offset(struct cpu_offset *c)
{
	volatile u64 *number = &c->number;
	u64 table, handle = 0;

	*number = (u64)&cpu_offsets;
	table = *number;
	if (bpf_probe_read_kernel(&handle, sizeof(handle),
				  (void *)(table + bpf_core_field_offset(struct bpf_array, pptrs))))
		return 0;
	*number = (u64)c;
	c->offset = *number - handle;
	return c->offset;
}

/* Since 6.2 (f1a7941243c1): per-CPU counters, of which this is the common part and that of this
 * CPU. Those of one process lie one behind the other since 6.6 (14ef95be6f55). */
static __always_inline bool rss_per_cpu(struct mm_struct *from, s64 *ret)
{
	struct mm_struct___6_2 *mm = (void *)from;
	struct cpu_offset *c;
	s32 *at[4], own[4];
	u32 zero = 0;
	u64 offset;

	c = bpf_map_lookup_elem(&cpu_offsets, &zero);
	if (!c)
		return false;
	offset = c->offset ?: find_cpu_offset(c);
	if (!offset)
		return false;
	at[0] = mm->rss_stat[0].counters;
	at[1] = mm->rss_stat[1].counters;
	at[3] = mm->rss_stat[3].counters;
	if (at[1] == at[0] + 1) {
		if (bpf_probe_read_kernel(own, sizeof(own), (char *)at[0] + offset))
			return false;
	} else if (bpf_probe_read_kernel(&own[0], sizeof(own[0]), (char *)at[0] + offset) ||
		   bpf_probe_read_kernel(&own[1], sizeof(own[1]), (char *)at[1] + offset) ||
		   bpf_probe_read_kernel(&own[3], sizeof(own[3]), (char *)at[3] + offset)) {
		return false;
	}
	*ret = mm->rss_stat[0].count + mm->rss_stat[1].count + mm->rss_stat[3].count + own[0] +
	       own[1] + own[3];
	return true;
}

/* Before: common counters, and what a task has not added to them yet. */
static __noinline s64 rss_of_task(struct task_struct *task, struct mm_struct *mm)
{
	struct task_struct___before_6_2 *t = (void *)task;
	struct mm_struct___before_6_2 *m = (void *)mm;
	s64 sum = BPF_CORE_READ(m, rss_stat.count[0].counter) +
		  BPF_CORE_READ(m, rss_stat.count[1].counter) +
		  BPF_CORE_READ(m, rss_stat.count[3].counter);

	if (bpf_core_field_exists(struct task_struct___before_6_2, rss_stat))
		sum += BPF_CORE_READ(t, rss_stat.count[0]) + BPF_CORE_READ(t, rss_stat.count[1]) +
		       BPF_CORE_READ(t, rss_stat.count[3]);
	return sum;
}

/*
 * Pages in memory (MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES) of mm, which is that of the current
 * task, as far as this CPU, or this task, and the common counters know. The difference of two of
 * them, on one CPU, is what the task itself changed meanwhile; other threads of the process may be
 * in it.
 */
static __always_inline bool rss_pages(struct task_struct *task, struct mm_struct *mm, s64 *ret)
{
	if (bpf_core_type_exists(struct mm_rss_stat)) {
		*ret = rss_of_task(task, mm);
		return true;
	}
	if (!vmt_has_task_btf() ||
	    !bpf_core_field_exists(struct mm_struct___6_2, rss_stat[0].count))
		return false;
	return rss_per_cpu(mm, ret);
}
