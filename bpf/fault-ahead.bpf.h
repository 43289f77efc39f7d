/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Counting faults in user mode by their begin: of what counting takes, the most is the way from the
 * kernel to a program at the software event, and that from the tracepoint at the begin of a fault
 * takes less than half of it.
 *
 * Where nothing but counts is wanted, minor faults in user mode have no event at all. Where kinds
 * and times are (vmt_ahead_timed), each has one as long as the overhead guard is calm, and is
 * counted there. When it has tripped on a CPU, user space has the kernel leave out most of them:
 * by the period of the event, which costs it an addition. No count depends on that. A fault without
 * an event has the kind that its error code, its marks and the page tables at the next fault of its
 * task tell: the latter only where nobody else can have changed them meanwhile. It has a time if
 * its task left the CPU in it for longer than a tick: timed_switch().
 *
 * What became of a fault is told by the task's own counters. When its next one in user mode begins,
 * the last one is over: min_flt has gone up if it was counted, and what min_flt has gone up more is
 * get_user_pages(). So one fault of a task is pending; settle() charges it, at the task's next
 * event, at its end, or when the window ends. A major one has its event, at which it is no longer
 * pending. One that failed is followed by a signal, or begins once more.
 *
 * Faults in kernel mode that fail leave nothing behind; they, and major ones, are counted at the
 * events as everywhere, those of minor faults being kept to the kernel (exclude_user). Such a fault
 * may lie inside a pending one: its event is part of the advance, and the other is still pending.
 *
 * The mapping is that which the address is in when the fault begins. Nothing holds it then: if
 * another thread unmaps it or puts another one in its place at that moment, the fault may be
 * charged to the one that was there before. A stack that is about to grow is guessed, and looked
 * for again when the fault was counted.
 */

#include "bpf/fault-by-kind.bpf.h"
#include "bpf/fault-guard.bpf.h"
#include "bpf/fault-kind.bpf.h"
#include "bpf/fault-quick.bpf.h"

/* How far below a stack an access is one to it: no rlimit is asked, for a fault that was counted
 * lies in some mapping. */
#define STACK_BELOW (1ul << 30)

static __always_inline unsigned long ahead_addr(const struct task_account *a)
{
	return (a->user_page - 1) << 12;
}

/* Whether a signal is one of those that a fault ends in: SIGBUS or SIGSEGV of the processor's. */
static __always_inline bool is_fault_signal(int sig, const struct kernel_siginfo *info)
{
	int code;

	if ((sig != 7 && sig != 11) || (unsigned long)info < 4096)
		return false;
	code = BPF_CORE_READ(info, si_code);
	return code > 0 && code != 128;
}

/* The main stack's row, if an access at that address would make it grow; or 0. */
static __noinline u32 ahead_stack(unsigned long addr, struct task_account *a)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long found = mm ? vmt_mm_find(mm, BPF_CORE_READ(mm, start_stack)) : VMT_WALK_NONE;
	struct vm_area_struct *vma = (void *)found;
	unsigned long start;

	if (found < 4096 || !(BPF_CORE_READ(vma, vm_flags) & VMT_VM_GROWSDOWN))
		return 0;
	start = BPF_CORE_READ(vma, vm_start);
	if (addr >= start || start - addr > STACK_BELOW || BPF_CORE_READ(vma, vm_mm) != mm)
		return 0;
	return map_of(vma, task, a->tgid, a->start_time);
}

/*
 * Before settle(), by the task itself: a pending fault that was counted, and whose mapping was not
 * there when it began, has one now.
 */
static __always_inline void ahead_resolve(struct task_account *a, u64 min_flt)
{
	u32 slot;

	if (!control.ahead || !a->user_page || min_flt == a->minor ||
	    (a->pending && !(a->state & TASK_GUESS)))
		return;
	slot = own_map(a, vmt_current(), ahead_addr(a));
	if (slot)
		a->pending = slot;
}

/*
 * At the first event of a task, or where its account is closed without one, of which min_flt had
 * gone up by minor before: if it was in a fault at the start, that one had begun before the window,
 * but was counted in it. Its mapping is not known, nor whether it was one of get_user_pages() of a
 * task that came into the kernel by an interrupt.
 */
static __always_inline void ahead_inside(struct task_account *a, struct vmt_slot_proc *p, u64 minor)
{
	if (!(a->state & TASK_INSIDE))
		return;
	a->state &= ~TASK_INSIDE;
	if (minor != 1)
		return;
	a->minor++;
	vmt_add(&p->kernel_minor, 1);
	vmt_add(&p->unattributed, 1);
}

/*
 * Counts the pending fault in its row. after: page tables are as it has left them. Not static:
 * verified once.
 */
__noinline int ahead_count(u32 account, u32 after)
{
	struct task_account *a = account_at(account);
	struct vmt_slot_map *m;
	u32 access, kind;
	u64 ns;

	if (!vmt_ahead_timed || !a)
		return 0;
	m = map_slot(a->pending);
	if (!m)
		return 0;
	access = access_of_code(a->user.flags);
	ns = clock_woken(&a->user);
	row_count(m, false, access, false, ns, 1);
	kind = kind_of_code(a, m, &a->user, ahead_addr(a), false, after);
	kind_add(m, kind);
	kind_count(a->pending, kind, false, access, false, ns, 1);
	return 0;
}

/* Whether nobody can have changed page tables since the fault that is pending, in a mapping that is
 * known, but by a fault: nobody else has this memory, and its mappings are the same. */
static __always_inline bool ahead_alone(const struct task_account *a)
{
	struct task_struct *task = vmt_current();
	struct mm_struct *mm = vmt_has_task_btf() ? task->mm : NULL;
	u32 seq = 0;

	return mm && mm->mm_users.counter == 1 && vmt_mm_seq(mm, &seq) && a->last.seq == seq &&
	       a->last.mm == (u64)mm && a->last.slot == a->pending;
}

/* What is pending when another fault of the task begins. */
static __always_inline void ahead_over(struct task_account *a, struct vmt_slot_proc *p, u64 min_flt,
				       u64 maj_flt)
{
	struct advance d;
	bool alone;

	ahead_inside(a, p, min_flt - a->minor);
	if (min_flt == a->minor && maj_flt == a->major)
		return;
	ahead_resolve(a, min_flt);
	d = advance(a, p, min_flt, maj_flt);
	alone = d.minor == 1 && !d.major && ahead_alone(a);
	settle_as(a, p, d, alone);
}

/* Where a fault in user mode is pending from here on. */
static __always_inline void ahead_pend(struct task_account *a, struct task_struct *task,
				       unsigned long addr)
{
	struct mm_struct *mm = vmt_has_task_btf() ? task->mm : NULL;
	u32 seq = 0, again = 0;

	a->state &= ~TASK_GUESS;
	a->user_page = (addr >> 12) + 1;
	if (mm)
		vmt_mm_seq(mm, &seq);
	a->pending = own_map(a, task, addr);
	if (!a->pending) {
		a->pending = ahead_stack(addr, a);
		a->state |= TASK_GUESS;
	}
	/* What somebody is changing at that moment is looked for again. */
	if (mm && (!vmt_mm_seq(mm, &again) || seq != again || vmt_mm_seq_writes(seq)))
		a->last.mm = 0;
}

/* The begin of a fault in user mode, where nothing but counts is wanted. */
static __noinline int ahead_begin(unsigned long addr)
{
	struct task_struct *task = vmt_current();
	u32 cpu = bpf_get_smp_processor_id();
	struct vmt_stat_slot *s;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct advance d;
	u64 min_flt;

	if ((long)addr < 0 || !control.ahead || !current_wanted())
		return 0;
	s = bpf_map_lookup_elem(&stats, &cpu);
	if (!s)
		return 0;
	s->task = (u64)task;
	a = own_account(*(volatile __u64 *)&s->task, 0, 0);
	if (a && !task_is(a, vmt_current_read(task, pid)))
		a = task_account(task, 0, 0, 0);
	if (!a || !still_counts(a, 0, 0))
		return 0;
	quick_note(s, task, a);
	p = task_proc(a, task);
	if (!p)
		return 0;
	min_flt = vmt_current_read(task, min_flt);
	ahead_inside(a, p, min_flt - a->minor);
	ahead_resolve(a, min_flt);
	d = advance(a, p, min_flt, vmt_current_read(task, maj_flt));
	settle(a, p, d);
	ahead_pend(a, task, addr);
	return 0;
}

/*
 * The same in as few steps as there can be, as quick_count(): the task that had the last fault on
 * this CPU has another one, in the same mapping, and the last one was counted. False where it is
 * another case, and nothing was done.
 */
static __always_inline bool ahead_quick(unsigned long addr, const struct pt_regs *regs)
{
	u32 cpu = bpf_get_smp_processor_id(), seq = 0, index;
	struct vmt_stat_slot *s = bpf_map_lookup_elem(&stats, &cpu);
	struct task_struct *task = NULL;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct vmt_slot_map *m;
	struct mm_struct *mm;
	u64 min_flt;

	if (!s || !control.active || control.closing || !control.ahead)
		return false;
	a = quick_account(s, regs, &task);
	if (!a)
		return false;
	min_flt = task->min_flt;
	mm = task->mm;
	if (min_flt - a->minor != 1 || !a->user_page || a->pending != a->last.slot || !mm ||
	    !vmt_mm_seq(mm, &seq) || !last_map_is(a, mm, seq, addr))
		return false;
	index = a->proc;
	p = bpf_map_lookup_elem(&procs, &index);
	m = map_slot(a->last.slot);
	if (!p || !m)
		return false;
	a->minor = min_flt;
	a->user_page = (addr >> 12) + 1;
	vmt_add(&p->plain_minor, 1);
	vmt_add(&m->count[1][0][VMT_BPF_ACCESS_UNKNOWN][0], 1);
	return true;
}

/*
 * The same where kinds and times are wanted: the last fault had an event, or is pending, and was of
 * anonymous memory that was nowhere; and page tables need not be looked at for it or for the one
 * that begins.
 */
static __always_inline bool timed_quick(unsigned long addr, const struct pt_regs *regs, u32 code)
{
	u32 cpu = bpf_get_smp_processor_id(), seq = 0, index, kinds = control.kinds;
	struct vmt_stat_slot *s = bpf_map_lookup_elem(&stats, &cpu);
	struct task_struct *task = NULL;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct vmt_slot_map *m;
	struct mm_struct *mm;
	bool pending;
	u64 min_flt;
	u32 write;

	if (!s || !control.active || control.closing || !control.ahead || vmt_by_kind ||
	    kinds & (VMT_MAY_NUMA | VMT_MAY_MOVE))
		return false;
	a = quick_account(s, regs, &task);
	if (!a || a->weight != WEIGHT_KERNEL)
		return false;
	min_flt = task->min_flt;
	mm = task->mm;
	pending = a->user_page;
	if (min_flt - a->minor != pending || !mm || a->last.huge || code & PF_PRESENT ||
	    !vmt_mm_seq(mm, &seq) || !last_map_is(a, mm, seq, addr))
		return false;
	if (pending ? a->pending != a->last.slot || a->user.marks || a->user.woken ||
			      a->user.flags & PF_PRESENT || tables.moved >= a->user.t0
		    : a->state & TASK_GUESS)
		return false;
	if (kinds & VMT_MAY_SWAP && (u64)mm->mmlist.next != (u64)&mm->mmlist)
		return false;
	index = a->proc;
	p = bpf_map_lookup_elem(&procs, &index);
	m = map_slot(a->last.slot);
	if (!p || !m)
		return false;
	if (pending) {
		if (m->class != VMT_BPF_ANON || m->vm_flags & VMT_VM_UFFD_ANY ||
		    may_be_huge(m, ahead_addr(a)))
			return false;
		write = a->user.flags & PF_WRITE;
		a->minor = min_flt;
		vmt_add(&p->plain_minor, 1);
		vmt_add(&m->count[1][0][write ? VMT_BPF_WRITE : VMT_BPF_READ][0], 1);
		vmt_add(&m->kinds[write ? VMT_BPF_KIND_ZERO_FILL : VMT_BPF_KIND_ZERO_PAGE], 1);
	}
	a->kernel_page = 0;
	a->user_page = (addr >> 12) + 1;
	a->pending = a->last.slot;
	a->user.marks = 0;
	a->user.woken = 0;
	a->user.flags = code;
	a->user.weight = WEIGHT_KERNEL;
	a->user.t0 = bpf_ktime_get_ns();
	return true;
}

/* At the event of a fault, of which min_flt has gone up by minor: whether it is the pending one. */
static __always_inline void ahead_major(struct task_account *a, u64 page, bool major, u64 minor)
{
	if (control.ahead && !vmt_ahead_timed && major && !minor && a->user_page == page)
		a->user_page = 0;
}

/*
 * The account of a task at the start. If it is in a fault in user mode, that one ends in the
 * window, and has not begun there. A task in a system call is not.
 */
static __always_inline void ahead_base(struct task_struct *task)
{
	task_account(task, 0, 0, control.ahead && !vmt_in_syscall(task) ? TASK_INSIDE : 0);
}
