/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the perf rung share. */

#include <pthread.h>

#include "source/probe-cpus.h"
#include "source/probe-proc.h"
#include "source/probe-space.h"

struct perf_event_mmap_page;

struct vmt_perf_ring {
	unsigned cpu;
	int fd; /* whose mapping it is; in fds */
	struct perf_event_mmap_page *page;
	unsigned char *data;
	uint64_t size; /* of data, a power of two */
	uint64_t head; /* up to which it may be read in this round */
};

struct vmt_perf_state {
	struct vmt_probe *probe;
	struct vmt_root *root;
	struct vmt_devices devices;
	bool user_only;
	bool everything; /* events of CPUs, not of tasks */
	bool fds_short;
	bool no_inherit_thread; /* the kernel is older than that */
	bool chosen; /* records of other processes than those in watched are left out */
	bool sums; /* opts.sums: faults are counted, and mappings are nobody's business */
	struct vmt_perf_ring *rings;
	size_t n_rings;
	size_t cap_rings;
	int *fds;
	size_t n_fds;
	size_t cap_fds;
	uint64_t *major_ids; /* of events of major faults, in order */
	size_t n_major;
	size_t cap_major;
	struct vmt_probe_counts before;
	struct vmt_probe_counts after;

	struct vmt_probe_cpus cpus;
	pthread_t thread;
	bool has_thread;
	bool stop; /* atomic */
	bool stuck; /* the thread does not come back from reading maps */
	bool stopped;
	pthread_mutex_t lock; /* of all below, and of rings and major_ids while the thread runs */
	uint64_t *watched; /* processes, each once */
	size_t n_watched;
	size_t cap_watched;
	struct vmt_spaces spaces;
	struct vmt_fault_totals past; /* sums: kernel_ and record_ of processes that ended */
	uint64_t samples;
	uint64_t lost; /* records that found their ring full */
	uint64_t unresolved;
};

/*
 * Takes records in the order of their times over all rings, up to a time. One that was written
 * while an earlier one of another CPU was on its way waits for the next round. Under s->lock.
 */
void vmt_perf_drain(struct vmt_perf_state *s, uint64_t until);
