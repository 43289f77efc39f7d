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

enum vmt_bpf_access {
	VMT_BPF_ACCESS_UNKNOWN, /* whether it was in the kernel is not known then, either */
	VMT_BPF_READ,
	VMT_BPF_WRITE,
	VMT_BPF_EXEC,
	VMT_BPF_ACCESSES,
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

/*
 * What the kernel did to serve a fault. What is not counted under one of them is not known: a row's
 * minor and major faults less their sum.
 */
enum vmt_bpf_kind {
	VMT_BPF_KIND_UNKNOWN, /* is never counted */
	VMT_BPF_KIND_ZERO_FILL, /* a fresh page of zeroes */
	VMT_BPF_KIND_ZERO_PAGE, /* the page of zeroes that all share, for a load */
	VMT_BPF_KIND_COW_COPY, /* a store to a page that others have too: a copy */
	VMT_BPF_KIND_COW_REUSE, /* to one that nobody else has any more: made writable */
	VMT_BPF_KIND_WRITE_PROTECT, /* one of the two, or a shared page made writable */
	VMT_BPF_KIND_FILE_MINOR, /* from the page cache */
	VMT_BPF_KIND_FILE_AROUND, /* from the page cache, with its neighbours, without the file
				     system */
	VMT_BPF_KIND_FILE_MAJOR, /* read from the disk, or waited for */
	VMT_BPF_KIND_FILE_COW, /* a store to a private mapping of a file: a copy of its page */
	VMT_BPF_KIND_FILE_WRITE, /* to a shared one: the page may be dirty from here on */
	VMT_BPF_KIND_SHMEM,
	VMT_BPF_KIND_HUGETLB,
	VMT_BPF_KIND_THP, /* a transparent huge page */
	VMT_BPF_KIND_THP_FALLBACK, /* one would have fitted, and was not to be had */
	VMT_BPF_KIND_SWAP_MINOR, /* from the swap cache */
	VMT_BPF_KIND_SWAP_MAJOR, /* read from swap, or waited for */
	VMT_BPF_KIND_NUMA_HINT,
	VMT_BPF_KIND_USERFAULT, /* userfaultfd was asked */
	VMT_BPF_KIND_SPECIAL, /* device memory, vdso, vvar */
	VMT_BPF_KINDS,
};

/* What can be told apart here, in vmt_fault_control.kinds: the hooks that are attached, and what
 * the machine may do at all. */
enum vmt_kind_fact {
	VMT_SEES_WP = 1, /* do_wp_page() */
	VMT_SEES_SWAP = 2, /* do_swap_page() */
	VMT_SEES_FAULT = 4, /* the file system's own handler is called */
	VMT_SEES_THP = 8, /* do_huge_pmd_anonymous_page() */
	VMT_SEES_HUGE_WP = 16, /* do_huge_pmd_wp_page() */
	VMT_SEES_NUMA = 32, /* task_numa_fault() */
	VMT_SEES_USERFAULT = 64, /* handle_userfault() */
	VMT_SEES_TABLES = 128, /* entries of page tables, before and after */
	VMT_MAY_SWAP = 256,
	VMT_MAY_NUMA = 512, /* kernel.numa_balancing */
	VMT_MAY_THP = 1024, /* for every mapping */
	VMT_MAY_THP_MADVISE = 2048, /* for those with MADV_HUGEPAGE */
	VMT_MAY_MOVE = 4096, /* pages were moved a moment ago; the programs see to it */
};

/*
 * How many were timed is known beside it. In sum and hist each is as often as its weight, the
 * number that it stands for: 1, and more where the guard had others left untimed.
 */
struct vmt_slot_latency {
	__u64 sum;
	__u64 max;
	__u64 others; /* sum of the weights, less 1 for each */
	__u32 hist[VMT_BPF_HIST]; /* each may run over */
};

/*
 * One mapping of one program image of one process; or, with tgid 0 and no addresses, all mappings
 * of one file (or all heaps, ...) in processes of one name, which faulted when the table was
 * crowded. What identifies it is written before ready. It fills whole cache lines, of which the
 * first one has what the kind of a fault depends on.
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
	__u16 class; /* enum vmt_bpf_class */
	__u16 special; /* enum vmt_bpf_special */
	__u32 slot; /* the row's own number + 1; it may have been another's before */
	__u64 ino;
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u32 name; /* slot of the name + 1; 0 for none */
	char comm[16]; /* of the leader when first seen */
	__u64 count[2][2][VMT_BPF_ACCESSES][2]; /* untimed, major, access, in the kernel */
	__u64 retried;
	__u64 gup; /* in the process's gup, not in count above */
	__u64 failed[VMT_BPF_FAILURES];
	__u64 kinds[VMT_BPF_KINDS];
	__u64 lock_ns; /* of latency.sum, where it is asked for: waiting for mmap_lock */
	__u64 read_ns; /* and reading its file, */
	__u64 swap_ns; /* or from swap */
	struct vmt_slot_latency latency;
	__u64 pad[3];
};
_Static_assert(sizeof(struct vmt_slot_map) ==
		       96 + (8 * VMT_BPF_ACCESSES + 2 + VMT_BPF_FAILURES + VMT_BPF_KINDS + 9) * 8 +
			       VMT_BPF_HIST * 4,
	       "no holes");
_Static_assert(sizeof(struct vmt_slot_map) % 64 == 0, "rows share no cache line");

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
	__u32 cgroup; /* that it was in last: row of cgroups + 1; 0 where it is not known */
	char comm[16];
	/* Those that went as they should: of kernel_minor (or _major) and mapped, and where nothing
	 * is attached around handle_mm_fault() of record_minor (_major); not in these below. */
	__u64 plain_minor;
	__u64 plain_major;
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
_Static_assert(sizeof(struct vmt_slot_proc) == 40 + (12 + VMT_BPF_FAILURES) * 8, "no holes");

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
	__u32 kinds; /* enum vmt_kind_fact */
	__u32 ahead; /* faults in user mode are counted by their begin: bpf/fault-ahead.bpf.h */
	__u32 sparse; /* CPUs where the kernel leaves out some of their events */
	__u32 pad;
};
_Static_assert(sizeof(struct vmt_fault_control) == 48, "no holes");

/* Where page tables are read. Written by user space before the first event counts. */
struct vmt_fault_tables {
	__u64 base; /* of the kernel's map of all memory */
	__u64 end; /* of physical memory */
	__u64 mask; /* of a frame in an entry */
	__u32 shift; /* of an address, for the first table: 39 or 48 */
	__u32 pad;
	__u64 address; /* of the process that runs table_look(), */
	__u64 entry; /* what it found there, */
	__u64 top; /* and where the first table lies */
	__u64 moved; /* when a page was last taken away to be moved; written by programs */
};
_Static_assert(sizeof(struct vmt_fault_tables) == 64, "no holes");
