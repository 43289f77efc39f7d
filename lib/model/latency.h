/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/fault-raw.h"
#include "model/field.h"

/*
 * How long things took, as the probes count it: in buckets, eight to each power of two from 128 ns
 * up, and 16 ns wide below. What is read from them is off by at most 1/16, or 8 ns where that is
 * more, whatever the distribution.
 */

/* The same of several rows. */
struct vmt_latency_sum {
	uint64_t count;
	uint64_t others; /* as in struct vmt_fault_latency */
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t bucket[VMT_FAULT_BUCKETS];
	bool overrun; /* a bucket ran over: the distribution is not known, the rest is */
};

/* The bucket of a time, as the probes choose it. */
size_t vmt_latency_bucket(uint64_t ns);

/* The least that falls into a bucket, in ns. The last bucket has no end. */
uint64_t vmt_latency_from(size_t bucket);

/* Adds what was counted in part to sum. */
void vmt_latency_add(struct vmt_latency_sum *sum, const struct vmt_fault_latency *part);

/*
 * What percent of all did not exceed, in ns: the middle of the bucket where that share is reached,
 * or the maximum where this is less or the bucket has no end. False where nothing was counted or a
 * bucket ran over.
 */
bool vmt_latency_percentile(const struct vmt_latency_sum *sum, unsigned percent, uint64_t *ret_ns);

/* The buckets that are not empty; their memory is the arena's. False where a bucket ran over, and
 * without memory. */
bool vmt_latency_hist(const struct vmt_latency_sum *sum, struct vmt_arena *arena,
		      struct vmt_hist *ret);
