/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/latency.h"

/* bpf/abi.h has the same figures; the probe's source checks that they are. */
#define UNIT_SHIFT  4 /* the narrowest bucket: 16 ns */
#define SHARE_SHIFT 3 /* buckets of one power of two: 8 */

/* A part may be read while it is counted: then its buckets are a few behind its count. */
#define UNDER_WAY (UINT64_C(1) << 31)

size_t vmt_latency_bucket(uint64_t ns)
{
	uint64_t units = ns >> UNIT_SHIFT;
	unsigned narrow = 63 - (unsigned)__builtin_clzll(units | 1u << SHARE_SHIFT) - SHARE_SHIFT;
	uint64_t bucket = ((uint64_t)narrow << SHARE_SHIFT) + (units >> narrow);

	return bucket < VMT_FAULT_BUCKETS ? (size_t)bucket : VMT_FAULT_BUCKETS - 1;
}

uint64_t vmt_latency_from(size_t bucket)
{
	size_t octave = bucket >> SHARE_SHIFT, share = 1u << SHARE_SHIFT;

	if (!octave)
		return (uint64_t)bucket << UNIT_SHIFT;
	return (uint64_t)(share + (bucket & (share - 1))) << (octave - 1 + UNIT_SHIFT);
}

void vmt_latency_add(struct vmt_latency_sum *sum, const struct vmt_fault_latency *part)
{
	uint64_t in_buckets = 0;
	size_t i;

	for (i = 0; i < VMT_FAULT_BUCKETS; i++) {
		in_buckets += part->bucket[i];
		sum->bucket[i] += part->bucket[i];
	}
	/* The probe's buckets have 32 bits each, its count has 64. */
	if (part->count + part->others > in_buckets &&
	    part->count + part->others - in_buckets >= UNDER_WAY)
		sum->overrun = true;
	sum->count += part->count;
	sum->others += part->others;
	sum->sum_ns += part->sum_ns;
	if (part->max_ns > sum->max_ns)
		sum->max_ns = part->max_ns;
}

bool vmt_latency_percentile(const struct vmt_latency_sum *sum, unsigned percent, uint64_t *ret_ns)
{
	uint64_t n = 0, reached = 0, want;
	size_t i;

	for (i = 0; i < VMT_FAULT_BUCKETS; i++)
		n += sum->bucket[i];
	if (!n || sum->overrun)
		return false;
	want = (uint64_t)(((unsigned __int128)n * percent + 99) / 100);
	for (i = 0; i + 1 < VMT_FAULT_BUCKETS; i++) {
		reached += sum->bucket[i];
		if (reached >= want) {
			uint64_t middle = (vmt_latency_from(i) + vmt_latency_from(i + 1)) / 2;

			*ret_ns = middle < sum->max_ns ? middle : sum->max_ns;
			return true;
		}
	}
	*ret_ns = sum->max_ns;
	return true;
}

bool vmt_latency_hist(const struct vmt_latency_sum *sum, struct vmt_arena *arena,
		      struct vmt_hist *ret)
{
	struct vmt_hist_bucket *buckets;
	size_t n = 0, i;

	if (sum->overrun)
		return false;
	for (i = 0; i < VMT_FAULT_BUCKETS; i++)
		n += sum->bucket[i] != 0;
	buckets = vmt_arena_alloc(arena, n ? n : 1, sizeof(*buckets));
	if (!buckets)
		return false;
	*ret = (struct vmt_hist){ .buckets = buckets };
	for (i = 0; i < VMT_FAULT_BUCKETS; i++) {
		if (!sum->bucket[i])
			continue;
		buckets[ret->n++] = (struct vmt_hist_bucket){
			.from = vmt_latency_from(i),
			.to = i + 1 < VMT_FAULT_BUCKETS ? vmt_latency_from(i + 1) - 1 : UINT64_MAX,
			.count = sum->bucket[i],
		};
	}
	return true;
}
