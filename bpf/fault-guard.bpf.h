/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The clocks of a fault, and the guard that saves them. What a fault is like (its mapping, access,
 * kind) is counted for each one; a clock costs as much as all of that. Whether a task's next fault
 * is timed is decided when one of its faults ends, so that the begin of one has nothing to look up.
 *
 * A fault that is not timed notes the tick in which it began, and a time that was read in that tick
 * before it. If it ends two ticks later, or more, it took longer than one: it is timed after all,
 * its begin as exactly as that. So slow faults are never missed. Each fault that is timed has a
 * weight: how many it stands for. A slow one stands for itself, for all of them are timed, and one
 * that was chosen stands for VMT_GUARD_EVERY.
 *
 * With vmt_ahead_timed the kernel chooses which faults have an event, and how many each stands for.
 * Slow ones that wait are timed without: until their task comes back to a CPU. One that keeps its
 * CPU all the while is among those that were chosen, or is not timed.
 *
 * Without vmt_guard the verifier takes all of it out of the programs but the two clocks.
 */

#include "bpf/fault-guard.h"
#include "bpf/fault-task.bpf.h"

const volatile __u32 vmt_guard = 0;
const volatile __u64 vmt_guard_period = 1;
const volatile __u64 vmt_guard_most = 0;
const volatile __u64 vmt_guard_calm = 1;
const volatile __u64 vmt_tick_ns = 0;

/* By CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space sets the possible CPUs */
	__type(key, u32);
	__type(value, struct vmt_slot_guard);
} guards SEC(".maps");

/* In task_account.weight and open_fault.weight: it is not timed. 0 is 1, the weight of the first
 * fault of a task. */
#define WEIGHT_NONE (~0u)
/* In task_account.weight: whether the next fault is timed is left to the kernel, by which of them
 * have an event. */
#define WEIGHT_KERNEL (~0u - 1)

static __always_inline void clock_begin(struct task_account *a, struct open_fault *o)
{
	u32 tick;

	if (!vmt_guard) {
		o->t0 = bpf_ktime_get_ns();
		return;
	}
	if (vmt_ahead_timed && a->weight == WEIGHT_KERNEL) {
		o->weight = WEIGHT_KERNEL;
		o->t0 = bpf_ktime_get_ns();
		return;
	}
	tick = bpf_jiffies64();
	o->tick = tick;
	o->weight = a->weight;
	if (a->weight != WEIGHT_NONE || a->clock_tick != tick) {
		a->clock_tick = tick;
		a->clock = bpf_ktime_get_ns();
	}
	o->t0 = a->clock;
}

/*
 * How long a fault took at least that has no event: until its task came back to a CPU in it. 0
 * where that is less than a tick, or two if its begin is known to the tick.
 */
static __always_inline u64 clock_woken(const struct open_fault *o)
{
	u64 ns = o->woken ? o->woken - o->t0 : 0;

	return ns >= (o->weight == WEIGHT_NONE ? 2 : 1) * vmt_tick_ns ? ns : 0;
}

/* How long a fault took that began with clock_begin(), and the weight of that; 0 where it was not
 * timed. every: one of so many has an event. */
static __always_inline u64 clock_end(const struct open_fault *o, u32 every, u32 *ret_weight)
{
	bool slow;
	u64 ns;

	*ret_weight = 1;
	/* The kernel has chosen it; its begin is known where the task knew of that, or to the tick.
	 */
	if (vmt_ahead_timed && (every > 1 || o->weight == WEIGHT_KERNEL)) {
		if (o->weight == WEIGHT_NONE)
			return clock_woken(o);
		if (every > 1 && !clock_woken(o))
			*ret_weight = every;
		return bpf_ktime_get_ns() - o->t0;
	}
	if (!vmt_guard)
		return bpf_ktime_get_ns() - o->t0;
	slow = (u32)bpf_jiffies64() - o->tick >= 2;
	if (o->weight == WEIGHT_NONE && !slow)
		return 0;
	ns = bpf_ktime_get_ns() - o->t0;
	/* Ticks that a busy machine was late with come together. */
	if (slow && ns >= vmt_tick_ns)
		return ns;
	if (o->weight == WEIGHT_NONE)
		return 0;
	if (o->weight)
		*ret_weight = o->weight;
	return ns;
}

/* A fault that began with clock_begin() was counted, one of so many that have an event, or of those
 * that each have one (0): decides about the next one of its task. */
static __always_inline void clock_next(struct task_account *a, u32 every)
{
	struct vmt_guard_limits limits;
	struct vmt_slot_guard *g;
	u32 cpu;

	if (!vmt_guard)
		return;
	cpu = bpf_get_smp_processor_id();
	g = bpf_map_lookup_elem(&guards, &cpu);
	if (!g)
		return;
	limits.period = vmt_guard_period;
	limits.most = vmt_guard_most;
	limits.calm = vmt_guard_calm;
	if (!vmt_guard_count(g, &limits, bpf_jiffies64(), every ?: 1)) {
		a->weight = 0;
		return;
	}
	if (!g->first_ns)
		g->first_ns = bpf_ktime_get_ns();
	/* One that always has an event says nothing of those that the kernel chooses from. */
	if (every > 1 || (!every && vmt_ahead_timed && a->weight == WEIGHT_KERNEL))
		a->weight = WEIGHT_KERNEL;
	else
		a->weight = vmt_guard_chooses(g) ? VMT_GUARD_EVERY : WEIGHT_NONE;
}
