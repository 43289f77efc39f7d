/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Page faults, charged to mappings, so that for each process
 *
 *	mapped + gup + unattributed + dropped = change of min_flt + maj_flt
 *
 * to the unit. Two ways to the mapping share everything else:
 *
 *  - Around handle_mm_fault() (fentry and fexit, or kprobe and kretprobe): entry saves the mapping,
 *    exit counts. A fault is charged iff its return has neither RETRY nor ERROR, and is major iff
 *    it has MAJOR or was TRIED before (mm_account_fault(), 5.9 to 7.x). On preemptible kernels the
 *    trampoline skips programs that are already active on the CPU; what was skipped shows in the
 *    task's own counters at its next event, and is charged from what was saved.
 *  - At the software events of minor and major faults, which lose nothing: the kernel has just
 *    counted and still holds the mapping; it is looked up by address. An advance that no event
 *    shows is a fault without registers: get_user_pages().
 *
 * The events are counted on every rung ("of record"), as the check of the first way. Where nothing
 * but counts is wanted, or too many faults would be timed, most of them are not needed:
 * fault-ahead.bpf.h.
 *
 * A task's state is written by the task itself and, once events have stopped counting, by the walk
 * over tasks; that is why it needs no lock.
 */

#include "bpf/fault-drain.bpf.h"
#include "bpf/fault-guard.bpf.h"
#include "bpf/fault-kind.bpf.h"
#include "bpf/fault-stack.bpf.h"
#include "bpf/fault-event.bpf.h"
#include "bpf/fault-quick.bpf.h"
#include "bpf/fault-ahead.bpf.h"

/* Around handle_mm_fault() */

static __always_inline int fault_enter(struct vm_area_struct *vma, unsigned long addr, u32 flags,
				       bool gup)
{
	struct task_struct *task = vmt_current();
	u64 page = (addr >> 12) + 1;
	struct task_account *a;
	struct vmt_slot_proc *p;
	bool again;

	if (!current_wanted())
		return 0;
	a = own_account(bpf_get_current_task(), 0, 0);
	if (a && !task_is(a, vmt_current_read(task, pid)))
		a = task_account(task, 0, 0, 0);
	if (!a || !still_counts(a, 0, 0))
		return 0;
	p = task_proc(a, task);
	if (!p)
		return 0;
	settle(a, p,
	       advance(a, p, vmt_current_read(task, min_flt), vmt_current_read(task, maj_flt)));

	again = (a->state & (TASK_RETRY | TASK_OPEN)) && a->user_page == page;
	a->state &= ~(TASK_RETRY | TASK_GUP);
	a->state |= TASK_OPEN | (gup ? TASK_GUP : 0);
	a->user_page = page;
	a->user.flags = flags;
	a->user.slot = map_of(vma, task, a->tgid, a->start_time);
	if (!again) {
		if (vmt_by_kind & VMT_COUNT_SHARES)
			a->user.t0 = share_enter(a, page);
		else
			clock_begin(a, &a->user);
		a->user.marks = 0;
		a->user.at = 0;
	}
	return 0;
}

static __always_inline void count_failure(struct vmt_slot_proc *p, u32 slot, u32 kind)
{
	struct vmt_slot_map *m = slot == SLOT_DROPPED ? NULL : map_slot(slot);

	if (kind >= VMT_BPF_FAILURES)
		return;
	vmt_add(&p->failed[kind], 1);
	if (m)
		vmt_add(&m->failed[kind], 1);
}

static __always_inline u32 failure_of(u32 ret)
{
	if (ret & VMT_VM_FAULT_OOM)
		return VMT_BPF_FAILED_OOM;
	if (ret & VMT_VM_FAULT_HWPOISON)
		return VMT_BPF_FAILED_HWPOISON;
	if (ret & VMT_VM_FAULT_SIGSEGV)
		return VMT_BPF_FAILED_SIGSEGV;
	if (ret & VMT_VM_FAULT_SIGBUS)
		return VMT_BPF_FAILED_SIGBUS;
	return VMT_BPF_FAILED_OTHER;
}

/*
 * vma is NULL where the exit program does not get the arguments; page is 0 then, and flags and gup
 * are those of the entry.
 */
static __always_inline int fault_exit(void *ctx, struct vm_area_struct *vma, u64 page, u32 flags,
				      bool gup, u32 ret)
{
	struct task_struct *task = vmt_current();
	bool counted = !(ret & (VMT_VM_FAULT_RETRY | VMT_VM_FAULT_ERROR));
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct vmt_slot_map *m;
	struct advance d;
	u32 slot, kind = VMT_BPF_KIND_UNKNOWN, weight = 1;
	u64 n, ns = 0;
	bool major;

	if (!current_wanted())
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	major = (ret & VMT_VM_FAULT_MAJOR) || (flags & VMT_FAULT_FLAG_TRIED);
	a = own_account(bpf_get_current_task(), counted && !major, counted && major);
	if (!a)
		return 0;
	if (!page) {
		if (!(a->state & TASK_OPEN))
			return 0; /* what it counted shows at the next event */
		flags = a->user.flags;
		gup = a->state & TASK_GUP;
		major = (ret & VMT_VM_FAULT_MAJOR) || (flags & VMT_FAULT_FLAG_TRIED);
	}
	if (!still_counts(a, counted && !major, counted && major))
		return 0;
	p = task_proc(a, task);
	if (!p)
		return 0;
	d = advance(a, p, vmt_current_read(task, min_flt), vmt_current_read(task, maj_flt));
	n = d.minor + d.major;
	if (counted && !n) {
		stat_add(VMT_STAT_DISAGREE, 1);
		counted = false;
	}
	if (counted) {
		n--;
		if (major && d.major)
			d.major--;
		else if (d.minor)
			d.minor--;
		else
			d.major--;
	}
	if (!page || ((a->state & TASK_OPEN) && a->user_page == page)) {
		slot = a->user.slot;
		a->state &= ~TASK_OPEN;
		if (n)
			vmt_add(&p->unattributed, n);
	} else {
		/*
		 * The entry was skipped. The mapping may be gone where the lock was dropped, and
		 * is ours to look at where it was not.
		 */
		stat_add(VMT_STAT_ENTRY_MISSED, 1);
		settle(a, p, d);
		a->state &= ~TASK_OPEN;
		slot = 0;
		if (vma && !(ret & (VMT_VM_FAULT_RETRY | VMT_VM_FAULT_COMPLETED)))
			slot = map_of(vma, task, a->tgid, a->start_time);
		a->user.t0 = 0;
		a->user_page = page;
	}

	if (ret & VMT_VM_FAULT_RETRY) {
		m = slot == SLOT_DROPPED ? NULL : map_slot(slot);
		vmt_add(&p->retried, 1);
		if (m)
			vmt_add(&m->retried, 1);
		a->state |= TASK_RETRY;
		if (ret & VMT_VM_FAULT_MAJOR)
			a->user.marks |= MARK_READ;
		return 0;
	}
	a->state &= ~TASK_RETRY;
	if (ret & VMT_VM_FAULT_ERROR) {
		count_failure(p, slot, failure_of(ret));
		return 0;
	}
	if (!counted)
		return 0;
	if (gup) {
		charge_gup(p, slot, 1);
		return 0;
	}
	if (a->user.t0)
		ns = clock_end(&a->user, 1, &weight);
	stack_count(ctx, a, !(flags & VMT_FAULT_FLAG_USER), major);
	m = slot == SLOT_DROPPED ? NULL : map_slot(slot);
	if (!m) {
		charge(p, slot, 1, major);
		return 0;
	}
	vmt_add(&p->mapped, 1);
	row_count(m, major, access_of_flags(flags), !(flags & VMT_FAULT_FLAG_USER), ns, weight);
	/* Marks are those of an entry that was seen. */
	if (a->user.t0) {
		kind = kind_around(m, &a->user, (a->user_page - 1) << 12, flags, ret, major);
		kind_add(m, kind);
		kind_count(slot, kind, major, access_of_flags(flags),
			   !(flags & VMT_FAULT_FLAG_USER), ns, weight);
		clock_next(a, 1);
	}
	event_emit(ctx, slot, a->user_page, access_of_flags(flags), !(flags & VMT_FAULT_FLAG_USER),
		   major, kind, ns);
	return 0;
}

SEC("?fentry/handle_mm_fault")
int BPF_PROG(fentry_fault, struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
	     struct pt_regs *regs)
{
	return fault_enter(vma, addr, flags, !regs);
}

SEC("?fexit/handle_mm_fault")
int BPF_PROG(fexit_fault, struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
	     struct pt_regs *regs, unsigned int ret)
{
	return fault_exit(ctx, vma, (addr >> 12) + 1, flags, !regs, ret);
}

SEC("?kprobe/handle_mm_fault")
int BPF_KPROBE(kprobe_fault, struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
	       struct pt_regs *regs)
{
	return fault_enter(vma, addr, flags, !regs);
}

SEC("?kretprobe/handle_mm_fault")
int BPF_KRETPROBE(kretprobe_fault, unsigned int ret)
{
	return fault_exit(ctx, NULL, 0, 0, false, ret);
}

/* The fault that an event is of, which has begun with fault_begin(), and is over; or NULL. */
static __always_inline struct open_fault *open_take(struct task_account *a, u64 page,
						    bool *ret_kernel)
{
	/* Whoever is in a fault in kernel mode is back in user mode only behind it. */
	if (a->user_page == page && !(ahead_timed() && a->kernel_page == page)) {
		a->user_page = 0;
		return &a->user;
	}
	if (a->kernel_page != page)
		return NULL;
	*ret_kernel = true;
	return &a->kernel;
}

/* The count of record, and where nothing is attached around handle_mm_fault() the count */

/*
 * every: one of so many faults has such an event; 0 where each one has, so that they are counted of
 * record.
 */
static __always_inline int fault_event(void *ctx, unsigned long addr, bool major, u32 every)
{
	struct task_struct *task = vmt_current();
	u64 page = (addr >> 12) + 1;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct vmt_slot_map *m;
	struct open_fault *open = NULL;
	struct vmt_stat_slot *s;
	struct advance d;
	u32 slot, access = VMT_BPF_ACCESS_UNKNOWN, kind = VMT_BPF_KIND_UNKNOWN, weight = 1;
	u64 min_flt, maj_flt, ns = 0;
	bool kernel = false, plain;

	s = stat_count(every ? VMT_STAT_TIMED : VMT_STAT_RECORD);
	if (!s || !current_wanted())
		return 0;
	s->task = (u64)task;
	a = own_account(*(volatile __u64 *)&s->task, !major, major);
	if (a && !task_is(a, vmt_current_read(task, pid)))
		a = task_account(task, !major, major, 0);
	if (!a || !still_counts(a, !major, major))
		return 0;
	quick_note(s, task, a);
	p = task_proc(a, task);
	if (!p)
		return 0;
	min_flt = vmt_current_read(task, min_flt);
	maj_flt = vmt_current_read(task, maj_flt);
	ahead_inside(a, p, min_flt - a->minor - !major);
	d.minor = min_flt - a->minor;
	d.major = maj_flt - a->major;
	/* The walk at the start found the task behind this fault: it is not in the window. */
	if (!d.minor && !d.major)
		return 0;

	if (vmt_around) {
		if (major)
			vmt_add(&p->record_major, 1);
		else
			vmt_add(&p->record_minor, 1);
		/* The entry was skipped: the mapping is still here, so stand in for it. */
		if (!(a->state & TASK_OPEN)) {
			a->user_page = page;
			a->user.t0 = 0;
			a->user.flags = 0;
			a->user.slot = own_map(a, task, addr);
			a->state |= TASK_OPEN;
			a->state &= ~TASK_GUP;
			stat_add(VMT_STAT_ENTRY_MISSED, 1);
		}
		return 0;
	}

	ahead_resolve(a, min_flt - !major);
	ahead_major(a, page, major, d.minor);
	if (ahead_timed())
		open = open_take(a, page, &kernel);
	slot = own_map(a, task, addr);
	m = slot == SLOT_DROPPED ? NULL : map_slot(slot);
	plain = m && d.minor == !major && d.major == major;
	if (plain) {
		a->minor = min_flt;
		a->major = maj_flt;
		vmt_add(major ? &p->plain_major : &p->plain_minor, 1);
	} else {
		vmt_add(major ? &p->record_major : &p->record_minor, 1);
		d = advance(a, p, min_flt, maj_flt);
		if (major && d.major) {
			d.major--;
		} else if (!major && d.minor) {
			d.minor--;
		} else {
			stat_add(VMT_STAT_DISAGREE, 1);
			settle(a, p, d);
			return 0;
		}
		settle(a, p, d);
		if (m)
			vmt_add(&p->mapped, 1);
		else
			charge(p, slot, 1, major);
	}
	stack_count(ctx, a, true, major);
	/* Another one may be pending. */
	if (control.ahead && !vmt_ahead_timed) {
		row_count(m, major, access, kernel, 0, weight);
		return 0;
	}
	if (!m) {
		if (!ahead_timed())
			a->user_page = 0;
		a->kernel_page = 0;
		return 0;
	}

	if (!ahead_timed())
		open = open_take(a, page, &kernel);
	if (open) {
		access = access_of_code(open->flags);
		ns = clock_end(open, every, &weight);
	}
	a->kernel_page = 0;
	row_count(m, major, access, kernel, ns, weight);
	if (open) {
		kind = kind_of_code(a, m, open, addr, major, true);
		kind_add(m, kind);
		kind_count(slot, kind, major, access, kernel, ns, weight);
		clock_next(a, every);
	}
	event_emit(ctx, slot, page, access, kernel, major, kind, ns);
	return 0;
}

SEC("?perf_event")
int record_minor(struct bpf_perf_event_data *ctx)
{
	return fault_event(ctx, ctx->addr, false, 0);
}

SEC("?perf_event")
int record_major(struct bpf_perf_event_data *ctx)
{
	return fault_event(ctx, ctx->addr, true, 0);
}

/*
 * Of faults in user mode that are counted by their begin. Where the guard has tripped the kernel
 * leaves out most of them. The period of a sample says how many this time; but once there is an
 * event for each it is no longer kept (perf_swevent_event()).
 */
SEC("?perf_event")
int timed_minor(struct bpf_perf_event_data *ctx)
{
	const struct bpf_perf_event_data_kern *data;
	u32 every = 1;

	if (ctx->sample_period > 1) {
		data = bpf_cast_to_kern_ctx(ctx);
		if (BPF_CORE_READ(data, event, hw.sample_period) > 1)
			every = VMT_GUARD_PERIOD;
	}
	return fault_event(ctx, ctx->addr, false, every);
}

/* In place of record_minor(), where it loads and nothing but counts is wanted. */
SEC("?perf_event")
int quick_minor(struct bpf_perf_event_data *ctx)
{
	if (!quick_count(ctx))
		bpf_tail_call(ctx, &quick_rest, 0);
	return 0;
}

/* In place of record_minor() for faults in user mode, under the same conditions */

SEC("?tp_btf/page_fault_user")
int BPF_PROG(ahead_user, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	if (!ahead_quick(addr, regs))
		ahead_begin(addr);
	return 0;
}

SEC("?tp_btf/signal_generate")
int BPF_PROG(ahead_signal, int sig, struct kernel_siginfo *info, struct task_struct *target)
{
	struct task_struct *task = vmt_current();
	struct task_account *a;

	if (!is_fault_signal(sig, info) || target != task || !control.ahead || !current_wanted())
		return 0;
	a = account_find((u64)task);
	/* Of one that was counted, the signal is not. */
	if (a && !control.closing && vmt_current_read(task, min_flt) == a->minor)
		a->user_page = 0;
	return 0;
}

/* When a fault began, and of which kind it is: x86, where nothing is around handle_mm_fault() */

static __always_inline int fault_begin(unsigned long addr, u32 code, bool user)
{
	struct task_struct *task = vmt_current();
	u64 page = (addr >> 12) + 1;
	struct task_account *a;
	struct vmt_stat_slot *s;
	struct vmt_slot_proc *p;
	struct open_fault *o;

	if ((long)addr < 0 || !current_wanted())
		return 0;
	a = own_account(bpf_get_current_task(), 0, 0);
	if (ahead_timed() && a && !task_is(a, vmt_current_read(task, pid)))
		a = task_account(task, 0, 0, 0);
	if (!a || !still_counts(a, 0, 0))
		return 0;
	if (ahead_timed()) {
		p = task_proc(a, task);
		if (!p)
			return 0;
		ahead_over(a, p, vmt_current_read(task, min_flt), vmt_current_read(task, maj_flt));
	}
	if (user && unlikely(a->user_page)) {
		p = task_proc(a, task);
		if (p)
			vmt_add(&p->abandoned, 1);
	}
	o = user ? &a->user : &a->kernel;
	/* Whoever is back in user mode is in no fault of the kernel. */
	a->kernel_page = user ? 0 : page;
	if (user)
		a->user_page = page;
	o->flags = code;
	clock_begin(a, o);
	o->marks = table_before(a, o, addr);
	if (ahead_timed())
		o->woken = 0;
	if (!user || !ahead_timed())
		return 0;
	ahead_pend(a, task, addr);
	s = stat_slot();
	if (!s)
		return 0;
	s->task = (u64)task;
	quick_note(s, task, a);
	return 0;
}

SEC("?tp_btf/page_fault_user")
int BPF_PROG(begin_user, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	return fault_begin(addr, code, true);
}

/* In place of begin_user() where faults in user mode are counted by their begin. */
SEC("?tp_btf/page_fault_user")
int BPF_PROG(timed_user, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	if (!timed_quick(addr, regs, code))
		fault_begin(addr, code, true);
	return 0;
}

/*
 * A task that comes back to a CPU, and may be in a fault: one that waits for something takes long,
 * and its time is known from this, even if it will have no event. Only where events are left out.
 */
SEC("?tp_btf/sched_switch")
int BPF_PROG(timed_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct vmt_stat_slot *s = stat_slot();
	struct task_account *a;

	if (!control.sparse || !control.active || !s || !s->self)
		return 0;
	a = own_account_find(quick_address(next, s));
	if (!a || !a->user_page || a->kernel_page || next->min_flt != a->minor)
		return 0;
	a->user.woken = bpf_ktime_get_ns();
	return 0;
}

SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(begin_kernel, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	return fault_begin(addr, code, false);
}

/*
 * A fault that ended in a signal. SIGBUS comes from handle_mm_fault(); SIGSEGV mostly from an
 * address without a mapping or without permission, which never gets there, and is not counted.
 */
SEC("?tp_btf/signal_generate")
int BPF_PROG(fault_signal, int sig, struct kernel_siginfo *info, struct task_struct *target)
{
	struct task_struct *task = vmt_current();
	struct task_account *a;
	struct vmt_slot_proc *p;
	unsigned long addr;
	int code;

	if (!is_fault_signal(sig, info) || target != task || vmt_around || !current_wanted())
		return 0;
	code = BPF_CORE_READ(info, si_code);
	a = account_find((u64)task);
	if (!a || !a->user_page || control.closing)
		return 0;
	/* One that is over, and waits for being counted, did not end in a signal. */
	if (ahead_timed() && vmt_current_read(task, min_flt) != a->minor)
		return 0;
	addr = (a->user_page - 1) << 12;
	a->user_page = 0;
	if (sig != 7)
		return 0;
	p = task_proc(a, task);
	if (p)
		count_failure(p, own_map(a, task, addr),
			      code >= 4 ? VMT_BPF_FAILED_HWPOISON : VMT_BPF_FAILED_SIGBUS);
	return 0;
}

/* Lives of tasks */

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(task_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 tgid = BPF_CORE_READ(child, tgid);
	u32 from = BPF_CORE_READ(parent, tgid);
	u8 one = 1;

	if (!vmt_follow || tgid == from || !bpf_map_lookup_elem(&filter, &from))
		return 0;
	if (bpf_map_update_elem(&filter, &tgid, &one, BPF_ANY))
		stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return 0;
}

/*
 * The table of watched processes is for those that are: a build starts more of them than it holds.
 * When the first thread is freed, the others are gone, and its id is another's from here on.
 */
SEC("?tp_btf/sched_process_free")
int BPF_PROG(task_forget, struct task_struct *task)
{
	u32 tgid = BPF_CORE_READ(task, tgid);

	if (vmt_follow && (u32)BPF_CORE_READ(task, pid) == tgid)
		bpf_map_delete_elem(&filter, &tgid);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task)
{
	struct task_account *a;
	struct vmt_slot_proc *p;
	u64 min_flt;

	if (!current_wanted())
		return 0;
	a = task_account(task, 0, 0, 0);
	if (!a || control.closing)
		return 0;
	p = task_proc(a, task);
	if (p && a->proc) {
		BPF_CORE_READ_INTO(&p->comm, task, comm);
		proc_cgroup(p, task);
	}
	/* What is pending was one of the old program, whose mappings are gone. */
	if (p && control.ahead) {
		min_flt = BPF_CORE_READ(task, min_flt);
		ahead_inside(a, p, min_flt - a->minor);
		settle(a, p, advance(a, p, min_flt, BPF_CORE_READ(task, maj_flt)));
		a->user_page = 0;
	}
	return 0;
}

/*
 * While the leader is still there to be asked: a task without an event of its own has an account
 * when it is freed; and whatever else may keep us from seeing that, the most of it is settled.
 */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task)
{
	struct task_account *a;
	struct vmt_slot_proc *p;
	u64 min_flt;

	if (!wanted(BPF_CORE_READ(task, tgid)) || control.closing ||
	    BPF_CORE_READ(task, flags) & VMT_PF_KTHREAD)
		return 0;
	a = task_account(task, 0, 0, 0);
	p = a ? task_proc(a, task) : NULL;
	/* It may have changed its name since: PR_SET_NAME. */
	if (p && a->proc && BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid)) {
		BPF_CORE_READ_INTO(&p->comm, task, comm);
		proc_cgroup(p, task);
	}
	if (!p)
		return 0;
	min_flt = BPF_CORE_READ(task, min_flt);
	ahead_inside(a, p, min_flt - a->minor);
	ahead_resolve(a, min_flt);
	settle(a, p, advance(a, p, min_flt, BPF_CORE_READ(task, maj_flt)));
	return 0;
}

static __always_inline void task_close(struct task_account *a, struct vmt_slot_proc *p, u64 minor,
				       u64 major)
{
	settle(a, p, advance(a, p, minor, major));
	a->state |= TASK_SETTLED;
}

SEC("?tp_btf/sched_process_free")
int BPF_PROG(task_free, struct task_struct *task)
{
	u64 key = (u64)task;
	struct task_account *a = account_find(key);
	struct vmt_slot_proc *p;
	u32 proc, index;

	if (!a)
		return 0;
	/* Without a row there was neither an event nor sched_process_exit: nothing to tell. */
	proc = a->proc;
	p = a->state & TASK_PROC && task_is(a, BPF_CORE_READ(task, pid))
		    ? bpf_map_lookup_elem(&procs, &proc)
		    : NULL;
	if (p && proc && BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
		p->flags |= VMT_PROC_EXITED;
	if (p && !(a->state & TASK_SETTLED)) {
		u64 minor = BPF_CORE_READ(task, min_flt), major = BPF_CORE_READ(task, maj_flt);

		if (control.closing && (a->state & TASK_CUT))
			task_close(a, p, a->cut_minor, a->cut_major);
		else if (control.closing && (a->state & TASK_MARK))
			task_close(a, p, a->mark_minor, a->mark_major);
		else
			task_close(a, p, minor, major);
	}
	index = a->index;
	a->task = 0;
	bpf_map_delete_elem(&account_index, &key);
	bpf_map_push_elem(&account_free, &index, 0);
	if (p)
		drain_release(proc);
	return 0;
}

/* The process of a task, where it has a row, may have moved since. */
static __always_inline void last_cgroup(struct task_account *a, struct task_struct *task)
{
	struct proc_key key = { .start_time = a->start_time, .tgid = a->tgid };
	u32 *proc = bpf_map_lookup_elem(&proc_index, &key);
	struct vmt_slot_proc *p = proc && *proc ? bpf_map_lookup_elem(&procs, proc) : NULL;

	if (p && a->tid == a->tgid)
		proc_cgroup(p, task);
}

/*
 * Over all tasks that user space sees: once after the start, twice at the end. The end is between
 * two events of each task: after "closing" was set, and every program that might not have seen it
 * is over, MARK notes where the counters stand; a task that faults meanwhile notes where it stood
 * before (CUT); CLOSE, when again all programs of that time are over, takes the earlier of the two.
 */
SEC("?iter/task")
int walk_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_account *a;
	struct vmt_slot_proc *p;
	u64 minor, major;

	if (!task || !control.active)
		return 0;
	if (BPF_CORE_READ(task, flags) & VMT_PF_KTHREAD && !BPF_CORE_READ(task, mm))
		return 0;
	if (!watched(BPF_CORE_READ(task, tgid), control.self_tgid))
		return 0;
	if (control.phase == VMT_PHASE_BASE) {
		ahead_base(task);
		return 0;
	}
	a = account_find((u64)task);
	if (!a) {
		/* Born in the window, and no event yet: what it counted, if anything, is ours. */
		u64 born = BPF_CORE_READ(task, start_time);

		if (control.phase != VMT_PHASE_MARK || born <= control.start_ns ||
		    born > control.close_ns)
			return 0;
		a = task_account(task, 0, 0, 0);
		if (!a)
			return 0;
	}
	if (a->state & TASK_SETTLED || !task_is(a, BPF_CORE_READ(task, pid)))
		return 0;
	if (control.phase == VMT_PHASE_MARK) {
		if (vmt_cgroups)
			last_cgroup(a, task);
		a->mark_minor = BPF_CORE_READ(task, min_flt);
		a->mark_major = BPF_CORE_READ(task, maj_flt);
		a->state |= TASK_MARK;
		return 0;
	}
	if (!(a->state & (TASK_MARK | TASK_CUT)))
		return 0;
	minor = a->state & TASK_MARK ? a->mark_minor : a->cut_minor;
	major = a->state & TASK_MARK ? a->mark_major : a->cut_major;
	if (a->state & TASK_CUT) {
		if (a->cut_minor < minor)
			minor = a->cut_minor;
		if (a->cut_major < major)
			major = a->cut_major;
	}
	if (minor == a->minor && major == a->major) {
		a->state |= TASK_SETTLED;
		return 0;
	}
	p = task_proc(a, task);
	if (!p)
		return 0;
	ahead_inside(a, p, minor - a->minor);
	task_close(a, p, minor, major);
	return 0;
}
