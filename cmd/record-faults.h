/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/fault-interval.h"

/* The faults of a recording: a probe that runs from sample to sample. */
struct vmt_record_faults {
	struct vmt_fault_interval interval;
	uint64_t *pids; /* these processes alone; the caller's */
	size_t n_pids; /* 0: all */
	uint32_t maps; /* rows of the kernel's table; 0: as many as usual */
	bool none; /* no rung worked when it was begun: nothing is counted */
	bool denied; /* because that is not permitted */
};

/* Starts the probe. Where no rung works, that is 0 as well, and in what is recorded. An exit code
 * or 0. */
int vmt_record_faults_begin(struct vmt_record_faults *f, struct vmt_ctx *ctx);
void vmt_record_faults_end(struct vmt_record_faults *f);
/* Puts what was counted since the sample before into s, bounded, and how the probe fares into its
 * sources. The same. */
int vmt_record_faults_sample(struct vmt_record_faults *f, struct vmt_ctx *ctx,
			     struct vmt_sample *s);
