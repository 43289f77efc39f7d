/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The count of a minor fault in as few steps as there can be, for where nothing but counts is
 * wanted. It takes the way that nearly all go: the task that had the last fault on this CPU has
 * another one, in the same mapping. What goes another way leaves no trace here, and is
 * record_minor()'s from its begin; what is done for the others is what record_minor() does.
 *
 * Here no function is called. Where returns are guarded against wrong guesses (SRSO, retpolines) a
 * call takes as long as fifty instructions, and the one that can be spared is that which asks who
 * runs. The registers of a fault lie on the stack of the task that runs, so it is known if the
 * stack is. A task has its own until it is dead (release_task_stack()): where that of the one
 * before is still the one that we are on, it is the one that runs.
 *
 * Which program it runs is not asked: a program cannot run without a fault of its own, for its
 * address space begins empty, and at that one the account gets another one. Major faults that no
 * event shows are found at the next one that is not counted here.
 */

#include "bpf/fault-task.bpf.h"

/*
 * Since 6.2 (fd264ca02094, a35b9af4ec2c). Neither is a call in the end: they tell the verifier what
 * a pointer is of, and loads through it are such as may fail.
 */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak;

/* Stacks are that long, and aligned to it; on those that are longer no task is known again. */
#define QUICK_STACK 16384ul

/* record_minor(); user space puts it there. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} quick_rest SEC(".maps");

/* Notes whose fault this CPU has: s->task has been written. */
static __always_inline void quick_note(struct vmt_stat_slot *s, struct task_struct *task,
				       const struct task_account *a)
{
	s->self = (u64)s;
	s->born = vmt_current_read(task, start_time);
	s->account = a->index;
}

/* The address that a pointer holds. Of two pointers the verifier allows the difference. */
static __always_inline u64 quick_address(const void *pointer, const struct vmt_stat_slot *s)
{
	u64 difference = (u64)pointer;

	asm volatile("%0 -= %1" : "+r"(difference) : "r"(s));
	return difference + s->self;
}

/* The account of the task whose registers these are, if it had the last fault on this CPU, and the
 * task; or NULL. */
static __always_inline struct task_account *quick_account(struct vmt_stat_slot *s, const void *regs,
							  struct task_struct **ret_task)
{
	u64 key = *(volatile __u64 *)&s->task;
	u32 index = s->account;
	struct task_struct *task =
		bpf_rdonly_cast((void *)key, bpf_core_type_id_kernel(struct task_struct));
	struct task_account *a;

	if ((quick_address(regs, s) & ~(QUICK_STACK - 1)) != (u64)task->stack ||
	    task->start_time != s->born)
		return NULL;
	*ret_task = task;
	a = account_at(index);
	return a && a->task == key ? a : NULL;
}

/* Counts the minor fault that the kernel has just counted, or does nothing and says false. */
static __always_inline bool quick_count(struct bpf_perf_event_data *ctx)
{
	const struct bpf_perf_event_data_kern *data = bpf_cast_to_kern_ctx(ctx);
	u32 cpu = bpf_get_smp_processor_id(), seq = 0, index;
	struct vmt_stat_slot *s = bpf_map_lookup_elem(&stats, &cpu);
	struct task_struct *task = NULL;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct vmt_slot_map *m;
	struct mm_struct *mm;
	u64 addr = ctx->addr, min_flt;

	if (!s || !control.active || control.closing)
		return false;
	a = quick_account(s, data->regs, &task);
	if (!a)
		return false;
	min_flt = task->min_flt;
	mm = task->mm;
	if (min_flt - a->minor != 1 || !mm || !vmt_mm_seq(mm, &seq) ||
	    !last_map_is(a, mm, seq, addr))
		return false;
	index = a->proc;
	p = bpf_map_lookup_elem(&procs, &index);
	m = map_slot(a->last.slot);
	if (!p || !m)
		return false;
	a->minor = min_flt;
	s->v[VMT_STAT_RECORD]++;
	vmt_add(&p->plain_minor, 1);
	vmt_add(&m->count[1][0][VMT_BPF_ACCESS_UNKNOWN][0], 1);
	return true;
}
