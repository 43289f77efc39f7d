/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "model/rows.h"
#include "model/sample.h"

struct vmt_event_raw;
struct vmt_event_sample;

/* Stalls: a thread wanted memory, there was too little, and it had to make room itself. */

enum vmt_stall_cause {
	VMT_STALL_CAUSE_NONE,
#define S(id, name, text) VMT_STALL_CAUSE_##id,
#include "model/stall-cause.def"
#undef S
	VMT_STALL_CAUSES,
};

struct vmt_stall {
	enum vmt_stall_cause cause;
	bool has_request; /* order, gfp */
	bool has_pages;
	bool has_throttled;
	bool has_result;
	uint32_t order; /* 2^order pages in a row were wanted; not known of CGROUP */
	uint32_t gfp; /* GFP_* of the kernel's include/linux/gfp_types.h */
	uint64_t pages; /* that were reclaimed */
	uint64_t throttled_ns; /* of the time, what it slept */
	unsigned throttle; /* for what: bits by enum vmscan_throttle_state of the kernel; 16: others
			    */
	unsigned result; /* of compaction: enum compact_result of the kernel, + 1 */
	struct vmt_bytes cgroup; /* that the process's memory is charged to; empty: not known */
	struct vmt_bytes limit; /* CGROUP: whose limit it was; the same */
};

/* Of one process and cause. */
struct vmt_stall_count {
	uint64_t stalls;
	uint64_t vain; /* that got nothing */
	uint64_t ns;
	uint64_t longest_ns;
	uint64_t pages;
	uint64_t throttled_ns;
};

/* All that there are. */
#define VMT_STALL_CAUSES_ALL ((UINT32_C(1) << VMT_STALL_CAUSES) - 2)

/* "cgroup_reclaim"; NULL for what is no cause. */
const char *vmt_stall_cause_name(enum vmt_stall_cause cause);
/* Causes by name, with + between, of bits by enum vmt_stall_cause; in arena. */
struct vmt_bytes vmt_stall_causes_text(uint32_t causes, struct vmt_arena *arena);
/* The fields of a row that are of a stall; texts are in arena. page in bytes. */
void vmt_stall_fill(const struct vmt_event_raw *e, uint64_t page, struct vmt_arena *arena,
		    struct vmt_event *row);
/* The sentence of such a row, without who and when. page in bytes. */
void vmt_stall_sentence(struct vmt_buf *out, const struct vmt_event *row, uint64_t page);
/* Rows of the processes that had stalls, by cause. page in bytes. 0 or -ENOMEM. */
int vmt_event_stall_rows(const struct vmt_event_sample *s, uint64_t page, struct vmt_arena *arena,
			 struct vmt_event_stall **ret, size_t *ret_n);
