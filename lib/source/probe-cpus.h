/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Software events of CPUs that go and come while they count. For the probe-*.c files alone. */

#include "source/cpu-watch.h"
#include "source/probe-internal.h"

struct vmt_probe_cpus {
	int (*attach)(void *arg, unsigned cpu);
	void *arg;
	struct vmt_cpu_watch *watch; /* NULL where the kernel tells nothing of its CPUs */
	uint64_t gone;
	uint64_t back;
	uint64_t blind;
	uint64_t missed; /* messages */
};

/* Before the events are opened. attach opens those of one CPU, 0 or -errno; NULL: it cannot be
 * watched. */
void vmt_probe_cpus_init(struct vmt_probe_cpus *c, int (*attach)(void *arg, unsigned cpu),
			 void *arg);
/* From here on until it is stopped the events are those of a thread of its own. */
void vmt_probe_cpus_start(struct vmt_probe_cpus *c);
void vmt_probe_cpus_stop(struct vmt_probe_cpus *c);
/* What it has seen so far, into the totals. */
void vmt_probe_cpus_read(const struct vmt_probe_cpus *c, struct vmt_fault_totals *t);
/* Stops it, too; what was not begun is fine. */
void vmt_probe_cpus_done(struct vmt_probe_cpus *c);
