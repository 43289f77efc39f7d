/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"

/* Faults and events by stack, where they were asked for. Addresses are those of their task. */

#define VMT_STACK_USER	 64 /* frames that are kept, the innermost ones */
#define VMT_STACK_KERNEL 32

/*
 * A stack of one program image of one process. An id is of the kernel's map of stacks; where it is
 * negative, an errno: -EFAULT for a stack without a frame, -EEXIST where another stack had its
 * place in the map, -ENOMEM where the map was full.
 */
struct vmt_slot_stack {
	__u32 ready; /* set last */
	__u32 tgid;
	__u64 start_time; /* of the process's leader, CLOCK_BOOTTIME */
	__u32 exec_id;
	__s32 user_id;
	__s32 kernel_id;
	__u32 n_user; /* frames */
	__u32 n_kernel;
	__u32 pad;
	char comm[16]; /* of the leader when first seen */
	__u64 minor; /* of faults; events are in struct vmt_slot_site */
	__u64 major;
	__u64 caller; /* of a wrapper that has no frame, behind the first frame; 0: not known */
	__u64 user[VMT_STACK_USER]; /* innermost first */
	__u64 kernel[VMT_STACK_KERNEL];
};
_Static_assert(sizeof(struct vmt_slot_stack) == 80 + (VMT_STACK_USER + VMT_STACK_KERNEL) * 8,
	       "no holes");

/* A mapping that a frame of a stack lay in, as it was when that stack was first seen. */
struct vmt_slot_code {
	__u32 ready; /* set last */
	__u32 tgid;
	__u64 start_time;
	__u32 exec_id;
	__u32 name; /* slot of the name + 1; 0 for none */
	__u64 vm_start;
	__u64 vm_end;
	__u64 vm_pgoff; /* of vm_start, in pages */
	__u64 ino;
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u32 vdso;
};
_Static_assert(sizeof(struct vmt_slot_code) == 64, "no holes");

/* Stacks that are not, or not all of them, in the rows. Counted by fault, codes by frame. */
struct vmt_stack_lost {
	__u64 collided; /* -EEXIST */
	__u64 full; /* -ENOMEM: the map of stacks was full */
	__u64 absent; /* user stacks that could not be taken */
	__u64 rows; /* faults that found the table of rows full */
	__u64 codes; /* frames of which no mapping was kept */
};
