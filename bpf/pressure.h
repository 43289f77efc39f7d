/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/events.h"

/* What a thread waited for when there was too little memory. */

enum vmt_stall_flag {
	VMT_STALL_REQUEST = 1, /* order and gfp are known */
	VMT_STALL_PAGES = 2, /* pages is known */
	VMT_STALL_RESULT = 4, /* result is known */
};

/* enum vmscan_throttle_state of the kernel (5.16), and what there was before. */
enum vmt_stall_throttle {
	VMT_STALL_FOR_WRITEBACK = 1,
	VMT_STALL_FOR_ISOLATED = 2,
	VMT_STALL_FOR_PROGRESS = 4,
	VMT_STALL_FOR_CONGESTION = 8,
	VMT_STALL_FOR_OTHER = 16,
};

/* enum compact_result of the kernel. */
enum vmt_stall_result {
	VMT_STALL_NOT_SUITABLE = 1,
	VMT_STALL_SKIPPED,
	VMT_STALL_DEFERRED,
	VMT_STALL_NO_PAGE,
	VMT_STALL_CONTINUE,
	VMT_STALL_COMPLETE,
	VMT_STALL_PARTIAL,
	VMT_STALL_CONTENDED,
	VMT_STALL_SUCCESS,
};

/* One stall, when it has ended: e.ns is how long it was. */
struct vmt_stall_record {
	struct vmt_event_record e; /* call is STALL */
	__u64 pages; /* that were reclaimed */
	__u64 throttled_ns; /* of e.ns: asleep, to let others do their work */
	__u32 cgroup; /* of the process; row of names + 1, 0: not known */
	__u32 limit; /* whose limit it was, the same */
	__u32 gfp;
	__u32 order;
	__u8 cause; /* enum vmt_bpf_stall */
	__u8 result; /* enum vmt_stall_result */
	__u8 throttle; /* bits of enum vmt_stall_throttle */
	__u8 flags; /* enum vmt_stall_flag */
	__u8 pad[4];
};
_Static_assert(sizeof(struct vmt_stall_record) == sizeof(struct vmt_event_record) + 40, "no holes");
