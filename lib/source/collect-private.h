/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/proc-job.h"

/* Processes in which a reader is stuck: another one would be lost in them too. */
struct vmt_stuck {
	uint64_t pid;
	uint64_t start_time_ns;
	struct vmt_job *job; /* a reference */
};

struct vmt_stuck_list {
	struct vmt_stuck *items;
	size_t n;
	size_t cap;
};

/* What collect-procs.c needs of a collector; they stay the collector's. */
struct vmt_pool *vmt_collector_pool(struct vmt_collector *c);
struct vmt_proc_shared *vmt_collector_shared(struct vmt_collector *c);
uint64_t vmt_collector_deadline(const struct vmt_collector *c);
struct vmt_stuck_list *vmt_collector_stuck(struct vmt_collector *c);
