/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/fault-guard.h"
#include "source/probe-load.h"

/* The guard of the overhead (bpf/fault-guard.h), on the side of user space. */

struct vmt_probe_guard {
	struct vmt_probe_array cpus; /* struct vmt_slot_guard; not mapped where there is no guard */
	struct vmt_probe_loaded *loaded;
	volatile __u32 *sparse; /* on how many CPUs the kernel leaves out events */
	uint64_t rate;
	bool on;
};

/*
 * Whether there is a guard, and when it trips: rates become faults in a tenth of a second.
 * *ret_tick_ns is the length of a tick of the kernel's clock, as CLOCK_MONOTONIC_COARSE has it.
 */
bool vmt_probe_guard_limits(const struct vmt_probe_opts *opts, struct vmt_guard_limits *ret,
			    uint64_t *ret_tick_ns);

/* Whether the kernel shall leave out events where the guard has tripped: of faults that are counted
 * by their begin, and that nobody wants the stacks of. */
bool vmt_probe_guard_periods(const struct vmt_probe_opts *opts);

/*
 * Has the kernel leave out events of CPUs where the guard has tripped, and give all of the others
 * again; to be called every now and then. state is a struct vmt_probe_guard.
 */
void vmt_probe_guard_tick(void *state);

/* Maps its state. 0 or a negative errno. */
int vmt_probe_guard_map(struct vmt_probe_loaded *l, const struct vmt_probe_opts *opts,
			struct vmt_probe_guard *g, struct vmt_err *err);
void vmt_probe_guard_unmap(struct vmt_probe_guard *g);

/* What came of it, into the totals; start_ns is that of the window. -ENOMEM. */
int vmt_probe_guard_read(const struct vmt_probe_guard *g, uint64_t start_ns,
			 struct vmt_arena *arena, struct vmt_fault_sample *ret);
