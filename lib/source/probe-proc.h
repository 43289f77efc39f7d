/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Snapshots of the fault counters in /proc/PID/stat, for the rungs without BPF. */

#include "source/probe-internal.h"
#include "source/root.h"

/* Fault counters of one process, dead threads included (proc(5), fields 10 and 12 of stat). */
struct vmt_probe_count {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t minor;
	uint64_t major;
	char comm[64];
	size_t comm_len;
};

struct vmt_probe_counts {
	struct vmt_probe_count *rows; /* in order of pid */
	size_t n;
	size_t cap;
	uint64_t taken_ns; /* CLOCK_BOOTTIME */
};

/* Reads the counters of all processes that the probe watches. A process that ends meanwhile is left
 * out. -errno where /proc cannot be listed. */
int vmt_probe_counts_take(const struct vmt_probe *p, const struct vmt_root *root,
			  struct vmt_probe_counts *counts, struct vmt_err *err);
/* Reads those of one process, and puts them in their place. -ESRCH where there is none. */
int vmt_probe_counts_add(const struct vmt_root *root, uint64_t pid, struct vmt_probe_counts *counts,
			 struct vmt_err *err);
void vmt_probe_counts_done(struct vmt_probe_counts *counts);

/* The row of a process, or NULL. */
const struct vmt_probe_count *vmt_probe_counts_find(const struct vmt_probe_counts *counts,
						    uint64_t pid, uint64_t start_time_ns);

/* Whether there is a row with that PID, of whichever process has it now. */
bool vmt_probe_counts_has(const struct vmt_probe_counts *counts, uint64_t pid);

/*
 * The difference of two snapshots as accounts, everything of them unattributed: a process that was
 * born in between began at 0, one that ended in between is missing. Fills procs and totals.
 */
int vmt_probe_counts_compare(const struct vmt_probe_counts *before,
			     const struct vmt_probe_counts *after, struct vmt_arena *arena,
			     struct vmt_fault_sample *ret);
