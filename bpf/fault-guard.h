/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <linux/types.h>

/*
 * The guard of the overhead: on a CPU that faults so often that the probe would take more of it
 * than it may, the clocks are read for one fault in VMT_GUARD_EVERY, until it has been less than
 * half as often for a while. The state of a CPU, and how it changes, is here for both sides: user
 * space reads what came of it, and its tests go through the changes.
 */

/* A power of two. */
#define VMT_GUARD_EVERY 8

/* Where the kernel chooses, and leaves out the events of the others: a prime, because it chooses
 * each one of so many, and rhythms are mostly powers of two. */
#define VMT_GUARD_PERIOD 7

/* The guard of one CPU. Of two programs of which one preempts the other (around handle_mm_fault(),
 * on preemptible kernels) one may be lost: then it trips a fault later. */
struct vmt_slot_guard {
	__u64 since; /* begin of the period, in ticks */
	__u64 n; /* faults in it */
	__u64 calm; /* for how many ticks there were few */
	__u64 trips;
	__u64 calms; /* times that it went back */
	__u64 first_ns; /* when it tripped first, CLOCK_MONOTONIC; 0 */
	__u32 tripped;
	__u32 place; /* of the next fault among VMT_GUARD_EVERY */
	__u32 chosen; /* the place that is timed */
	__u32 seed;
};
_Static_assert(sizeof(struct vmt_slot_guard) == 64, "one CPU's guard shares no cache line");

/* When it trips, in ticks of the kernel's clock (CONFIG_HZ). */
struct vmt_guard_limits {
	__u64 period; /* ticks in which faults are counted */
	__u64 most; /* faults in that */
	__u64 calm; /* ticks with less than half of them before all faults are timed again */
};

/*
 * A fault at that tick, which stands for that many. It trips in the middle of a period, when there
 * were too many, and looks whether it may go back when one is over. A period lasts until the first
 * fault behind its end, and is judged by the rate in all of that time. Whether it is tripped now.
 */
static inline __attribute__((always_inline)) int vmt_guard_count(struct vmt_slot_guard *g,
								 const struct vmt_guard_limits *l,
								 __u64 tick, __u64 faults)
{
	__u64 gone = tick - g->since;

	if (gone >= l->period) {
		if (2 * g->n * l->period < l->most * gone)
			g->calm += gone;
		else
			g->calm = 0;
		if (g->tripped && g->calm >= l->calm) {
			g->tripped = 0;
			g->calms++;
		}
		g->since = tick;
		g->n = 0;
	}
	g->n += faults;
	if (!g->tripped && g->n > l->most) {
		g->tripped = 1;
		g->trips++;
		g->calm = 0;
	}
	return g->tripped != 0;
}

/*
 * While it is tripped: whether the next fault is timed. One of each VMT_GUARD_EVERY is, and which
 * of them is left to chance: what faults in a rhythm of its own (a file is mapped in windows of 16
 * pages) shall not have all of its dear faults chosen, or none.
 */
static inline __attribute__((always_inline)) int vmt_guard_chooses(struct vmt_slot_guard *g)
{
	__u32 place = g->place++ & (VMT_GUARD_EVERY - 1);

	if (!place) {
		/* Constants of Numerical Recipes; the upper bits are the good ones. */
		g->seed = g->seed * 1664525 + 1013904223;
		g->chosen = g->seed >> 16 & (VMT_GUARD_EVERY - 1);
	}
	return place == g->chosen;
}
