/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <linux/types.h>

/*
 * What every probe shares with user space. This header and bpf/NAME.h are seen by both sides:
 * fixed-width types, explicit padding, and enums that only grow at their end.
 */

/*
 * Buckets of times: 2^VMT_BPF_HIST_UNIT ns wide as far as that is narrower than the others, which
 * are 2^VMT_BPF_HIST_SHARE to each power of two. The last one has all above, from 257 s on. So the
 * middle of a bucket is off by 1/16 at most, where powers of two alone would be by half; a
 * histogram takes 1 KiB, and no more instructions of a fault than that. Exact sums for powers of
 * two were smaller, and right for times that are all the same, but for no others.
 */
#define VMT_BPF_HIST_UNIT  4
#define VMT_BPF_HIST_SHARE 3
#define VMT_BPF_HIST	   256 /* a power of two */

/* Losses and oddities of one object, counted on the CPU where they happened. */
enum vmt_stat {
	VMT_STAT_SEEN, /* events that reached a program */
	VMT_STAT_COUNTED, /* faults that were charged to an account */
	VMT_STAT_RECORD, /* runs of the count of record, before any filter */
	VMT_STAT_DROPPED, /* faults that found the table of mappings (or files) full */
	VMT_STAT_NO_ACCOUNT, /* events of a task for which there was no account left */
	VMT_STAT_NO_PROCESS, /* processes that share the overflow row: the table was full */
	VMT_STAT_UNRESOLVED, /* look-ups of a mapping that found none */
	VMT_STAT_DEAD_NODES, /* maple-tree nodes that were replaced under the walk */
	VMT_STAT_NAME_FULL, /* mappings without a name: the table of names was full */
	VMT_STAT_NAME_CUT, /* names that were too long to keep whole */
	VMT_STAT_ENTRY_MISSED, /* the entry program was skipped, the exit program was not */
	VMT_STAT_REPAIRED, /* faults whose exit was missed, charged from the saved entry */
	VMT_STAT_DISAGREE, /* the rule said "counted", the task's counter did not move */
	VMT_STAT_REBORN, /* accounts of a task whose end was not seen */
	VMT_STAT_BUSY, /* updates that the kernel refused for a reason other than "full" */
	VMT_STAT_LIMITED, /* single events that were left out to keep their rate */
	VMT_STAT_COMPAT, /* calls of programs of 32 bits that were not understood */
	VMT_STAT_HANDLED, /* signals that were left out, for the process handles them */
	VMT_STAT_TIMED, /* events of faults that are counted by their begin */
	VMT_STAT_COUNT,
};

struct vmt_stat_slot {
	/*
	 * No losses, but who had the last fault on the CPU: the task, when it was born, and its
	 * account; and where this slot lies. A pointer becomes a number on its way through memory.
	 */
	__u64 task;
	__u64 born;
	__u64 self;
	__u32 account;
	__u32 pad;
	__u64 v[VMT_STAT_COUNT];
	__u64 rest;
};
_Static_assert(sizeof(struct vmt_stat_slot) == 192, "one CPU's counters share no cache line");

/*
 * A file's name, taken from its dentries when it was first seen: components one behind the other,
 * the last one of the path first, a NUL behind each.
 */
#define VMT_NAME_BYTES 768
#define VMT_NAME_STEPS 48 /* directories and mounts on the way to the root */

enum vmt_name_flag {
	VMT_NAME_CUT = 1, /* leading directories, or the end of a component, are missing */
	VMT_NAME_DELETED = 2, /* the last name was unlinked */
	VMT_NAME_PSEUDO = 4, /* no path: memfd, SysV or shared anonymous memory, anon_inode */
};

struct vmt_slot_name {
	__u32 ready; /* set last */
	__u32 flags; /* enum vmt_name_flag */
	__u32 len; /* bytes in use */
	__u32 components;
	char bytes[VMT_NAME_BYTES];
};
_Static_assert(sizeof(struct vmt_slot_name) == 16 + VMT_NAME_BYTES, "no holes");
