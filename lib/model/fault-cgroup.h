/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/fault-raw.h"
#include "model/model.h"

/* The cgroups of processes that faulted, by process. */
struct vmt_fault_cgroups {
	const struct vmt_sample *sample;
	const struct vmt_fault_proc **procs; /* heap; in order of pid and start */
	size_t n;
};

/* From sample->faults, which outlives it. 0 or -ENOMEM. */
int vmt_fault_cgroups_init(struct vmt_fault_cgroups *c, const struct vmt_sample *sample);
void vmt_fault_cgroups_done(struct vmt_fault_cgroups *c);
/* The cgroup of the process that was charged: as the probe knew it, else as /proc has it now.
 * Empty where neither knows. */
struct vmt_bytes vmt_fault_cgroup(const struct vmt_fault_cgroups *c,
				  const struct vmt_fault_raw *raw);
/* Whether that is the process of the sample: the kernel counts in ns, /proc in ticks, and it is
 * another one where they are further apart than a tick. */
bool vmt_fault_same_start(const struct vmt_sample *s, const struct vmt_proc *p, uint64_t start_ns);
