/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/fault.h"

enum vmt_bpf_mode {
	VMT_BPF_MODE_UNKNOWN,
	VMT_BPF_MODE_USER,
	VMT_BPF_MODE_KERNEL,
};

/* One fault that was charged, as the ring of events holds it. */
struct vmt_fault_event {
	__u64 end_ns; /* CLOCK_MONOTONIC */
	__u64 ns; /* that it took; 0 where that is not known */
	__u64 address; /* of the page */
	__u64 ip; /* of the instruction in user mode; 0 where it is not known */
	__u32 slot; /* row of maps + 1; 0 or ~0 where it has none */
	__u32 tgid;
	__u32 tid;
	__u8 access; /* enum vmt_bpf_access */
	__u8 mode; /* enum vmt_bpf_mode */
	__u8 major;
	__u8 kind; /* enum vmt_bpf_kind */
	char comm[16]; /* of the thread */
};
_Static_assert(sizeof(struct vmt_fault_event) == 64, "no holes");
