/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * Looks at places for huge pages, and tries to fill one: what khugepaged, or a MADV_COLLAPSE, came
 * to (the kernel's mm/khugepaged.c).
 */

/* As enum vmt_bpf_collapse of bpf/collapse.h. */
enum vmt_collapse_step {
	VMT_COLLAPSE_SCAN,
	VMT_COLLAPSE_DONE,
	VMT_COLLAPSE_SCAN_FILE,
	VMT_COLLAPSE_DONE_FILE,
	VMT_COLLAPSE_STEPS,
};

/* One result of one step for one process. */
struct vmt_collapse_raw {
	uint64_t start_ns; /* when the process was made, since boot */
	uint64_t times;
	uint32_t pid; /* 0: it is not known whose the memory is */
	uint32_t uid;
	enum vmt_collapse_step step;
	int32_t result;
	const char *name; /* of the result, in the kernel's enum scan_result; NULL: none */
	char comm[16];
};

struct vmt_collapse_sample {
	struct vmt_collapse_raw *raws;
	size_t n;
	uint64_t shared; /* results that found the table full */
	bool ownerless; /* this kernel does not say whose memory it is */
};

/* The rows of them, and one without anything but a number for those that found the table full;
 * texts are in arena. 0 or -ENOMEM. */
int vmt_collapse_rows(const struct vmt_collapse_sample *s, struct vmt_arena *arena,
		      struct vmt_event_collapse **ret, size_t *ret_n);
