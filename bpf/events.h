/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"
#include "bpf/fault-stack.h"

/* System calls that change or tell about an address space, and the end of one. */
enum vmt_bpf_call {
	VMT_BPF_CALL_NONE,
	VMT_BPF_CALL_MMAP,
	VMT_BPF_CALL_MUNMAP,
	VMT_BPF_CALL_MPROTECT,
	VMT_BPF_CALL_PKEY_MPROTECT,
	VMT_BPF_CALL_MREMAP,
	VMT_BPF_CALL_BRK,
	VMT_BPF_CALL_MADVISE,
	VMT_BPF_CALL_PROCESS_MADVISE,
	VMT_BPF_CALL_MLOCK,
	VMT_BPF_CALL_MLOCK2,
	VMT_BPF_CALL_MUNLOCK,
	VMT_BPF_CALL_MLOCKALL,
	VMT_BPF_CALL_MUNLOCKALL,
	VMT_BPF_CALL_MSYNC,
	VMT_BPF_CALL_MEMFD_CREATE,
	VMT_BPF_CALL_SHMAT,
	VMT_BPF_CALL_SHMDT,
	VMT_BPF_CALL_REMAP_FILE_PAGES,
	VMT_BPF_CALL_MSEAL,
	VMT_BPF_CALL_FORK,
	VMT_BPF_CALL_VFORK,
	VMT_BPF_CALL_CLONE,
	VMT_BPF_CALL_CLONE3,
	VMT_BPF_CALL_EXECVE,
	VMT_BPF_CALL_EXECVEAT,
	VMT_BPF_CALL_EXIT, /* no call: the last thread of a process has ended */
	VMT_BPF_CALL_CRASH, /* no call: a SIGSEGV or SIGBUS was made; see bpf/crash.h */
	VMT_BPF_CALL_STALL, /* no call: a thread waited for memory; see bpf/pressure.h */
	VMT_BPF_CALL_OOM, /* no call: marked by the OOM killer; bpf/oom.bpf.c tells of it */
	VMT_BPF_CALL_COLLAPSE, /* no event: bpf/collapse.bpf.c counts what becomes of huge pages */
	VMT_BPF_CALL_COUNT,
};

/* Rows of calls, and numbers of calls: powers of two. */
#define VMT_EVENT_CALLS	  32
#define VMT_EVENT_NUMBERS 512

/* What a number of i386 is that no number of the machine itself means: its arguments are a struct
 * in the memory of the caller, or a number of another list. */
enum vmt_bpf_old_call {
	VMT_BPF_CALL_OLD_MMAP = 64,
	VMT_BPF_CALL_OLD_IPC,
};

enum vmt_event_flag {
	VMT_EVENT_COMPAT = 1, /* by the numbers of 32 bits */
	VMT_EVENT_TIMED = 2, /* ns is known */
	VMT_EVENT_RSS = 4, /* rss_pages is known */
	VMT_EVENT_FILE = 8, /* ino and dev are those of a file */
	VMT_EVENT_BEFORE = 16, /* before is known */
	VMT_EVENT_CLONE_FLAGS = 32, /* of clone3: args[0] holds its flags */
	VMT_EVENT_STACK = 64, /* it is a struct vmt_event_stacked */
};

/* One event, as the ring holds it, when it has ended. */
struct vmt_event_record {
	__u64 end_ns; /* CLOCK_MONOTONIC */
	__u64 ns; /* that it took */
	__u64 args[6]; /* of the call, as they were when it began */
	__s64 ret; /* of the call; of an end the status, as wait(2) gives it */
	__s64 rss_pages; /* change of the pages in memory */
	__u64 before; /* the break before brk(); bytes that shmat() or shmdt() is about; of mmap()
		       * the size of the file, where crashes are told of */
	__u64 ino;
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u32 name; /* row of names + 1; 0 for none */
	__u32 tgid;
	__u32 tid;
	__u32 uid; /* real */
	__u8 call; /* enum vmt_bpf_call */
	__u8 flags; /* enum vmt_event_flag */
	__u8 pad[2];
	char comm[16]; /* of the thread */
};
_Static_assert(sizeof(struct vmt_event_record) == 136, "no holes");

/* The same with the stack of the caller, where these were asked for: in user mode, and no row of a
 * table. user_id is a negative errno where there is none; -ESRCH: of a program that is gone. */
struct vmt_event_stacked {
	struct vmt_event_record e;
	struct vmt_slot_stack stack;
};

struct vmt_slot_call {
	__u64 calls;
	__u64 errors;
	__u64 bytes; /* of those without an error */
	__u64 ns; /* of those whose begin was seen, too */
};

/* What threads wait for when memory is short. */
enum vmt_bpf_stall {
	VMT_BPF_STALL_NONE,
	VMT_BPF_STALL_RECLAIM, /* it reclaims pages itself, for there are too few free ones */
	VMT_BPF_STALL_CGROUP, /* the same, for a cgroup has as many as it may have */
	VMT_BPF_STALL_COMPACTION, /* it moves pages, to have several in a row */
	VMT_BPF_STALL_COUNT,
};
#define VMT_EVENT_STALLS 8 /* a power of two */

/* Of one cause. */
struct vmt_slot_stall {
	__u64 stalls;
	__u64 vain; /* of these, those that got no page */
	__u64 ns;
	__u64 longest_ns;
	__u64 pages; /* reclaimed */
	__u64 throttled_ns;
};

/* A process. The first one has no process: what found the table full. */
struct vmt_slot_process {
	__u32 ready; /* set last */
	__u32 tgid;
	__u64 start; /* when it was made, ns since boot */
	__u32 uid;
	__u32 ended; /* and the ring of such rows was full */
	__u64 exec_ns; /* CLOCK_MONOTONIC of its last execve(); 0 for none that was seen */
	char comm[16]; /* as it was last seen */
	struct vmt_slot_call calls[VMT_EVENT_CALLS];
	struct vmt_slot_stall stalls[VMT_EVENT_STALLS];
};
_Static_assert(sizeof(struct vmt_slot_process) == 48 + VMT_EVENT_CALLS * 32 + VMT_EVENT_STALLS * 48,
	       "no holes");

/* Single events of this second, for their rate. */
struct vmt_event_rate {
	__u64 since_ns;
	__u64 n;
};

/* Events of one call with one stack: a row as that of the stack, by the same number. */
struct vmt_slot_site {
	__u32 call; /* enum vmt_bpf_call */
	__u32 pad;
	struct vmt_slot_call n;
	__u64 mapped; /* bytes that these calls mapped, where that is asked for */
	__u64 lost; /* of such ranges those whose claim, or part of it, was not kept */
};
_Static_assert(sizeof(struct vmt_slot_site) == 56, "no holes");

/* A range that a call mapped: where it begins, and the rest of it. See bpf/event-claim.bpf.h. */
struct vmt_claim_key {
	__u64 start;
	__u32 tgid;
	__u32 pad;
};

struct vmt_slot_claim {
	__u64 end;
	__u64 ns; /* CLOCK_MONOTONIC, when the call ended */
	__u64 process; /* when its process was made, as in struct vmt_slot_process */
	__u32 site; /* row of sites */
	__u32 pad;
};
_Static_assert(sizeof(struct vmt_slot_claim) == 32, "no holes");

struct vmt_events_control {
	__u32 active;
	__u32 singles; /* single events are wanted */
	__u32 self_tgid; /* the self-check: of this one all is counted, and of no other */
	__u32 without_tgid; /* of whom nothing is */
};
