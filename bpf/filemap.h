/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"
#include "bpf/fault.h"

/* Equal parts of a file, for where in it the calls were: a power of two. */
#define VMT_FILE_PARTS 64

/* Calls of filemap_fault by file: page faults that the page cache serves. */
struct vmt_slot_file {
	__u32 ready; /* set last */
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u64 ino;
	__u32 name; /* slot of the name + 1; 0 for none */
	__u32 pad;
	__u64 calls;
	__u64 cached; /* page was there: neither major, nor retried, nor failed */
	__u64 major; /* VM_FAULT_MAJOR: had to read; at the tracepoint: brought its own page in */
	/* VM_FAULT_RETRY: gave up the lock to wait for the page; at the tracepoint: calls for the
	 * page of the one before in the same fault */
	__u64 retried;
	__u64 failed;
	__u64 around; /* calls of filemap_map_pages: fault-around */
	__u64 first; /* lowest page offset + 1; 0 while there is none */
	__u64 last; /* highest page offset */
	__u64 brought; /* pages that were added to the page cache in a call, by its task */
	__u64 ahead; /* of these, those that the call was not for */
	__u64 ahead_hits; /* calls for a page that an earlier one had brought in ahead */
	__u64 ahead_lost; /* pages of ahead that found the table of them full */
	__u64 part_pages; /* size of a part: of the file, when it was first seen; at least 1 */
	__u32 parts[VMT_FILE_PARTS]; /* calls by part of the file, the last with what lies behind */
	struct vmt_slot_latency latency;
};
_Static_assert(sizeof(struct vmt_slot_file) ==
		       24 + (13 + 3) * 8 + (VMT_FILE_PARTS + VMT_BPF_HIST) * 4,
	       "no holes");

struct vmt_filemap_control {
	__u32 active;
	/* While it is not 0, calls of this process are those of the self-check, and in no row. */
	__u32 check_tgid;
	__u32 checked; /* one of these was seen to its end */
};
