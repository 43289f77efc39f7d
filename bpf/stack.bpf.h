/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Stacks. The kernel's map of stacks says whether a stack is known; a row is that of one program
 * image of one process. When a row is made it takes the frames and, of each user frame, the
 * mapping: so the code of a process that is gone at the end can still be named.
 *
 * All of it is behind vmt_stacks, which is constant when the programs are loaded: where it is 0 the
 * verifier removes this code.
 */

#include "bpf/common.bpf.h"
#include "bpf/fault-stack.h"

const volatile __u32 vmt_stacks = 0;

volatile struct vmt_stack_lost stack_lost = {};

#define VMT_EFAULT 14
#define VMT_EEXIST 17
#define VMT_ENOMEM 12

/* User space sets sizes: no row of these is there where no stacks are asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 8192);
	__uint(key_size, sizeof(u32));
	__uint(value_size, VMT_STACK_USER * sizeof(u64));
} stacks SEC(".maps");

/*
 * For what found its place in the first taken by another: the place is some low bits of a hash, of
 * which this one takes two more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 32768);
	__uint(key_size, sizeof(u32));
	__uint(value_size, VMT_STACK_USER * sizeof(u64));
} stacks_more SEC(".maps");

#define STACK_MORE 0x40000000 /* in an id: it is of stacks_more */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct vmt_slot_stack);
} stack_rows SEC(".maps");

struct stack_key {
	u64 start_time;
	u32 tgid;
	u32 exec_id;
	s32 user_id;
	s32 kernel_id;
	u64 caller; /* as of the row */
	u32 sort; /* what else tells rows apart: of events the call */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct stack_key);
	__type(value, u32);
} stack_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, u32);
} stack_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct vmt_slot_code);
} codes SEC(".maps");

struct code_key {
	u64 start_time;
	u64 start;
	u64 end;
	u64 pgoff;
	u64 ino;
	u32 dev;
	u32 tgid;
	u32 exec_id;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct code_key);
	__type(value, u32);
} code_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, u32);
} code_free SEC(".maps");

/* A row for a mapping that a frame of a row of stacks lies in, unless it has one. */
static __noinline int code_keep(struct vm_area_struct *vma, u32 row)
{
	struct vmt_slot_stack *s = bpf_map_lookup_elem(&stack_rows, &row);
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct code_key key = {};
	struct vmt_slot_code *c;
	u32 slot;

	if (!s)
		return 0;
	key.start_time = s->start_time;
	key.tgid = s->tgid;
	key.exec_id = s->exec_id;
	key.start = BPF_CORE_READ(vma, vm_start);
	key.end = BPF_CORE_READ(vma, vm_end);
	if (file) {
		key.pgoff = BPF_CORE_READ(vma, vm_pgoff);
		key.ino = BPF_CORE_READ(file, f_inode, i_ino);
		key.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	}
	if (bpf_map_lookup_elem(&code_index, &key))
		return 0;
	if (bpf_map_pop_elem(&code_free, &slot))
		return -VMT_ENOMEM;
	c = bpf_map_lookup_elem(&codes, &slot);
	if (!c)
		return -VMT_ENOMEM;
	c->tgid = key.tgid;
	c->start_time = key.start_time;
	c->exec_id = key.exec_id;
	c->name = file ? name_of(file, key.ino, key.dev) : 0;
	c->vm_start = key.start;
	c->vm_end = key.end;
	c->vm_pgoff = key.pgoff;
	c->ino = key.ino;
	c->dev = key.dev;
	c->vdso = !file && key.start == vmt_mm_vdso(BPF_CORE_READ(vma, vm_mm));
	if (!bpf_map_update_elem(&code_index, &key, &slot, BPF_NOEXIST)) {
		c->ready = 1;
		return 0;
	}
	/* Another thread was first. */
	bpf_map_push_elem(&code_free, &slot, 0);
	return 0;
}

/*
 * Keeps the mapping that a frame of the current task's stack lies in. Not static: the verifier
 * looks at such a function once, and not at every frame. What it calls needs nearly all of the
 * stack that a program has, so it is called from the program itself.
 */
__noinline int code_of(unsigned long ip, u32 row)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct vm_area_struct *vma = NULL;

	for (int try = 0; try < 4 && mm; try++) {
		unsigned long found = vmt_mm_find(mm, ip);

		vma = (void *)found;
		if (found == VMT_WALK_NONE ||
		    (found >= 4096 && BPF_CORE_READ(vma, vm_start) <= ip &&
		     ip < BPF_CORE_READ(vma, vm_end) && BPF_CORE_READ(vma, vm_mm) == mm))
			break;
		vma = NULL;
	}
	/* A frame that is no code, as a broken chain of frame pointers gives, is no loss. */
	if (!vma || !(BPF_CORE_READ(vma, vm_flags) & VMT_VM_EXEC))
		return 0;
	return code_keep(vma, row);
}

/* The frames of a row that is being made. */
static __noinline void stack_take(void *ctx, struct vmt_slot_stack *s)
{
	long n;

	s->n_user = 0;
	s->n_kernel = 0;
	if (s->kernel_id >= 0) {
		n = bpf_get_stack(ctx, s->kernel, sizeof(s->kernel), 0);
		if (n > 0)
			s->n_kernel = (u32)n / sizeof(u64);
	}
	if (s->user_id >= 0) {
		n = bpf_get_stack(ctx, s->user, sizeof(s->user), BPF_F_USER_STACK);
		if (n > 0)
			s->n_user = (u32)n / sizeof(u64);
	}
}

#define STACK_NEW  (1u << 31)
#define STACK_NONE (~0u)

/* The row of a key, with STACK_NEW where it was made now; STACK_NONE where there is no room. */
static __noinline u32 stack_row(void *ctx, struct stack_key *key)
{
	u32 *known = bpf_map_lookup_elem(&stack_index, key);
	struct task_struct *task;
	struct vmt_slot_stack *s;
	u32 slot;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&stack_free, &slot))
		return STACK_NONE;
	s = bpf_map_lookup_elem(&stack_rows, &slot);
	if (!s)
		return STACK_NONE;
	task = (void *)bpf_get_current_task();
	s->tgid = key->tgid;
	s->start_time = key->start_time;
	s->exec_id = key->exec_id;
	s->user_id = key->user_id;
	s->kernel_id = key->kernel_id;
	s->caller = key->caller;
	BPF_CORE_READ_INTO(&s->comm, task, group_leader, comm);
	stack_take(ctx, s);
	if (!bpf_map_update_elem(&stack_index, key, &slot, BPF_NOEXIST)) {
		s->ready = 1;
		return slot | STACK_NEW;
	}
	/* Another thread was first. */
	bpf_map_push_elem(&stack_free, &slot, 0);
	known = bpf_map_lookup_elem(&stack_index, key);
	return known ? *known : STACK_NONE;
}

/* The id of the current stack in one of the two maps, or a negative errno. */
static __always_inline s32 stack_id(void *ctx, u64 flags)
{
	long id = bpf_get_stackid(ctx, &stacks, flags);

	if (id != -VMT_EEXIST)
		return id;
	id = bpf_get_stackid(ctx, &stacks_more, flags);
	return id < 0 ? id : id | STACK_MORE;
}

/* Takes the ids of the current stack into a key, and counts why there are none. */
static __always_inline void stack_ids(void *ctx, struct stack_key *key, bool kernel)
{
	key->user_id = stack_id(ctx, BPF_F_USER_STACK);
	key->kernel_id = kernel ? stack_id(ctx, 0) : -VMT_EFAULT;
	if (key->user_id == -VMT_EEXIST || key->kernel_id == -VMT_EEXIST)
		vmt_add(&stack_lost.collided, 1);
	else if (key->user_id == -VMT_ENOMEM || key->kernel_id == -VMT_ENOMEM)
		vmt_add(&stack_lost.full, 1);
	else if (key->user_id == -VMT_EFAULT)
		vmt_add(&stack_lost.absent, 1);
}

/* Keeps the mappings that the frames of a new row lie in; in the program itself, see code_of(). */
static __always_inline void stack_codes(struct vmt_slot_stack *s, u32 slot)
{
	for (u32 i = 0; i < VMT_STACK_USER && i < s->n_user; i++)
		if (code_of(s->user[i], slot))
			vmt_add(&stack_lost.codes, 1);
}
