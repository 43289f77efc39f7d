/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"
#include "bpf/fault.h"

/* Calls of filemap_fault by file: page faults that the page cache serves. */
struct vmt_slot_file {
	__u32 ready; /* set last */
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u64 ino;
	__u32 name; /* slot of the name + 1; 0 for none */
	__u32 pad;
	__u64 calls;
	__u64 cached; /* page was there: neither major, nor retried, nor failed */
	__u64 major; /* VM_FAULT_MAJOR: had to read */
	__u64 retried; /* VM_FAULT_RETRY: gave up the lock to wait for the page */
	__u64 failed;
	__u64 around; /* calls of filemap_map_pages: fault-around */
	__u64 first; /* lowest page offset + 1; 0 while there is none */
	__u64 last; /* highest page offset */
	struct vmt_slot_latency latency;
};
_Static_assert(sizeof(struct vmt_slot_file) == 24 + (8 + 2) * 8 + VMT_BPF_HIST * 4, "no holes");

struct vmt_filemap_control {
	__u32 active;
	__u32 self_tgid;
};
