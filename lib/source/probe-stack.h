/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The tables of bpf/fault-stack.bpf.h. For the probe-*.c files alone. */

#include "bpf/fault-stack.h"
#include "source/probe-load.h"

struct vmt_probe_stacks {
	enum vmt_stack_depth depth; /* NONE: the rest is empty */
	const volatile struct vmt_stack_lost *lost; /* the object's */
	struct vmt_probe_array rows;
	struct vmt_probe_array codes;
};

/*
 * Sizes of the tables before the object is loaded: none worth the name where no stacks are wanted,
 * or where it is loaded only to see whether it loads. 0 or -errno.
 */
int vmt_probe_stacks_configure(struct bpf_object *object, enum vmt_stack_depth depth, bool small);
/* Maps the tables of s, whose depth and lost are set, and fills the lists of free rows, once it is
 * loaded. */
int vmt_probe_stacks_map(struct vmt_probe_loaded *l, struct vmt_probe_stacks *s,
			 struct vmt_err *err);
void vmt_probe_stacks_unmap(struct vmt_probe_stacks *s);
/*
 * Copies what was counted into ret->stacks and ret->codes, without the process hidden (0: none).
 * names are the object's. Strings and arrays are the arena's. 0 or -ENOMEM.
 */
int vmt_probe_stacks_read(const struct vmt_probe_stacks *s, const struct vmt_probe_array *names,
			  uint32_t hidden, struct vmt_arena *arena, struct vmt_fault_sample *ret);
/* Frames of user mode that the kernel takes at most. */
uint32_t vmt_probe_frames_most(void);
/* One stack; of as many frames as most it is said that it may be cut. 0 or -ENOMEM. */
int vmt_probe_stack_copy(const struct vmt_slot_stack *from, uint32_t most, struct vmt_arena *arena,
			 struct vmt_fault_stack *to);
/* The codes alone, as they are now. */
int vmt_probe_codes_read(const struct vmt_probe_stacks *s, const struct vmt_probe_array *names,
			 uint32_t hidden, struct vmt_arena *arena, struct vmt_fault_sample *ret);
