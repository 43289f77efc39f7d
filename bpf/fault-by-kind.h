/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/fault.h"

/* What is counted only where it is asked for, in vmt_by_kind. */
enum vmt_count_by {
	VMT_COUNT_KINDS = 1, /* rows of struct vmt_slot_kind */
	VMT_COUNT_SHARES = 2, /* lock_ns, read_ns, swap_ns */
};

/*
 * Faults of one kind in one mapping, where they are asked for. The first VMT_BPF_KINDS rows of the
 * table are those of each kind that found no row, of whatever mapping.
 */
struct vmt_slot_kind {
	__u32 ready;
	__u32 tgid; /* of the row of maps, as are these three */
	__u64 start_time;
	__u32 slot;
	__u32 kind; /* enum vmt_bpf_kind; UNKNOWN has those that are in no other one */
	__u64 count[2][2][VMT_BPF_ACCESSES][2]; /* as in struct vmt_slot_map */
	__u64 lock_ns; /* as in struct vmt_slot_map */
	__u64 read_ns;
	__u64 swap_ns;
	struct vmt_slot_latency latency;
};
_Static_assert(sizeof(struct vmt_slot_kind) ==
		       24 + (8 * VMT_BPF_ACCESSES + 6) * 8 + VMT_BPF_HIST * 4,
	       "no holes");
