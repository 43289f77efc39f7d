/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"

/* Page faults by mapping and by process. Times are ns of CLOCK_MONOTONIC, addresses user space's.
 */

enum vmt_bpf_class {
	VMT_BPF_ANON,
	VMT_BPF_FILE,
	VMT_BPF_SHMEM,
	VMT_BPF_HUGETLB,
	VMT_BPF_OTHER, /* vdso, vvar, device memory */
	VMT_BPF_CLASSES,
};

enum vmt_bpf_special {
	VMT_BPF_PLAIN,
	VMT_BPF_HEAP,
	VMT_BPF_STACK,
	VMT_BPF_VDSO,
	VMT_BPF_SPECIALS,
};

/* How a fault failed. It is never charged to min_flt or maj_flt then. */
enum vmt_bpf_failure {
	VMT_BPF_FAILED_SIGBUS,
	VMT_BPF_FAILED_SIGSEGV,
	VMT_BPF_FAILED_OOM,
	VMT_BPF_FAILED_HWPOISON,
	VMT_BPF_FAILED_OTHER,
	VMT_BPF_FAILURES,
};

struct vmt_slot_latency {
	__u64 count;
	__u64 sum;
	__u64 max;
	__u32 hist[VMT_BPF_HIST]; /* each may run over, count does not */
};

/*
 * One mapping of one program image of one process; or, with tgid 0 and no addresses, all mappings
 * of one file (or all heaps, ...) in processes of one name, which faulted when the table was
 * crowded. What identifies it is written before ready.
 */
struct vmt_slot_map {
	__u32 ready;
	__u32 tgid; /* whom the kernel charged */
	__u32 owner_tgid; /* whose mapping it is; 0 where the kernel does not say */
	__u32 exec_id; /* program images that the process had before, and its ancestors */
	__u64 start_time; /* of the process's leader; CLOCK_BOOTTIME, as in /proc/PID/stat */
	__u64 vm_start; /* lowest seen */
	__u64 vm_end; /* highest seen */
	__u64 vm_pgoff; /* of vm_start when first seen, in pages */
	__u64 vm_flags; /* when last seen */
	__u64 ino;
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u32 name; /* slot of the name + 1; 0 for none */
	__u16 class; /* enum vmt_bpf_class */
	__u16 special; /* enum vmt_bpf_special */
	__u32 pad;
	char comm[16]; /* of the leader when first seen */
	__u64 minor;
	__u64 major;
	__u64 read;
	__u64 write;
	__u64 exec;
	__u64 user;
	__u64 kernel;
	__u64 retried;
	__u64 gup; /* in the process's gup, not in minor and major above */
	__u64 failed[VMT_BPF_FAILURES];
	struct vmt_slot_latency latency;
};
_Static_assert(sizeof(struct vmt_slot_map) ==
		       96 + (9 + VMT_BPF_FAILURES + 3) * 8 + VMT_BPF_HIST * 4,
	       "no holes");

enum vmt_proc_flag {
	VMT_PROC_EXITED = 1,
};

/*
 * The account of one process: kernel_minor + kernel_major = mapped + gup + unattributed + dropped,
 * between any two events. Slot 0 takes the processes that found the table full.
 */
struct vmt_slot_proc {
	__u32 ready;
	__u32 tgid;
	__u64 start_time;
	__u32 flags; /* enum vmt_proc_flag */
	__u32 pad;
	char comm[16];
	__u64 kernel_minor; /* change of min_flt over its tasks */
	__u64 kernel_major;
	__u64 record_minor; /* perf software events */
	__u64 record_major;
	__u64 mapped;
	__u64 gup;
	__u64 unattributed;
	__u64 dropped;
	__u64 retried;
	__u64 abandoned; /* begun in user mode and never completed, no signal told why */
	__u64 failed[VMT_BPF_FAILURES];
};
_Static_assert(sizeof(struct vmt_slot_proc) == 40 + (10 + VMT_BPF_FAILURES) * 8, "no holes");

enum vmt_fault_phase {
	VMT_PHASE_BASE, /* the walk over all tasks notes where their counters stand */
	VMT_PHASE_MARK, /* notes where they stand at the end */
	VMT_PHASE_CLOSE, /* settles what no event has shown */
};

/* Written by user space while the programs run. */
struct vmt_fault_control {
	__u32 active; /* events count */
	__u32 closing; /* events only note where their task stands */
	__u32 phase; /* enum vmt_fault_phase, for the walk over tasks */
	__u32 self_tgid; /* passes the filter: the self-check's process */
	__u64 start_ns; /* tasks that were born later begin at 0 */
	__u64 close_ns;
};
_Static_assert(sizeof(struct vmt_fault_control) == 32, "no holes");
