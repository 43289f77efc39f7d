/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"

/* What khugepaged, or MADV_COLLAPSE, came to when it looked for places for huge pages. */

/* Which tracepoint told it. */
enum vmt_bpf_collapse {
	VMT_BPF_COLLAPSE_SCAN, /* mm_khugepaged_scan_pmd */
	VMT_BPF_COLLAPSE_DONE, /* mm_collapse_huge_page */
	VMT_BPF_COLLAPSE_SCAN_FILE, /* mm_khugepaged_scan_file */
	VMT_BPF_COLLAPSE_DONE_FILE, /* mm_khugepaged_collapse_file */
	VMT_BPF_COLLAPSE_COUNT,
};

/* One result of one step for one process. The first row has what found the table full. */
struct vmt_slot_collapse {
	__u32 ready; /* set last */
	__u32 tgid; /* 0: the owner of the address space is not known */
	__u64 start; /* when the process was made, ns since boot */
	__u64 times;
	__u32 uid; /* real */
	__u32 step; /* enum vmt_bpf_collapse */
	__s32 result; /* enum scan_result of the running kernel */
	__u32 pad;
	char comm[16];
};
_Static_assert(sizeof(struct vmt_slot_collapse) == 56, "no holes");

struct vmt_collapse_control {
	__u32 active;
	__u32 check_tgid; /* while it is not 0, only steps for this one, which are in no row */
	__u32 checked; /* of these */
	__u32 ownerless; /* this kernel does not say whose an address space is (CONFIG_MEMCG) */
};
