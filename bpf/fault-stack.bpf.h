/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Faults by stack: the rows of bpf/stack.bpf.h, and how often each was seen. */

#include "bpf/fault-task.bpf.h"
#include "bpf/stack.bpf.h"

/* The row for the stack of a fault, as of stack_row(). */
static __noinline u32 stack_find(void *ctx, struct task_account *a, bool kernel)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct stack_key key = {
		.start_time = a->start_time,
		.tgid = a->tgid,
		.exec_id = BPF_CORE_READ(task, self_exec_id),
	};

	stack_ids(ctx, &key, kernel);
	return stack_row(ctx, &key);
}

/*
 * Counts a fault for its stack. kernel: the fault was in kernel mode, so that the stack there says
 * why; in a program that hangs on an event the registers say the same.
 */
static __always_inline void stack_count(void *ctx, struct task_account *a, bool kernel, bool major)
{
	struct vmt_slot_stack *s;
	u32 row, slot;

	if (!vmt_stacks)
		return;
	row = stack_find(ctx, a, kernel);
	slot = row & ~STACK_NEW;
	s = row == STACK_NONE ? NULL : bpf_map_lookup_elem(&stack_rows, &slot);
	if (!s) {
		vmt_add(&stack_lost.rows, 1);
		return;
	}
	if (major)
		vmt_add(&s->major, 1);
	else
		vmt_add(&s->minor, 1);
	if (row & STACK_NEW)
		stack_codes(s, slot);
}
