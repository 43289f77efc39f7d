/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The accounts: of each task, up to where its counters are accounted for; of each process, what was
 * made of them.
 */

#include "bpf/fault-cgroup.bpf.h"
#include "bpf/fault-map.bpf.h"

const volatile __u32 vmt_around = 0; /* programs around handle_mm_fault() are attached */

/* Where faults are counted by their begin (control.ahead), their kind is wanted, too, and the time
 * of those that have an event. */
const volatile __u32 vmt_ahead_timed = 0;

volatile struct vmt_fault_control control = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct vmt_slot_proc);
} procs SEC(".maps");

struct proc_key {
	u64 start_time;
	u32 tgid;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct proc_key);
	__type(value, u32);
} proc_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8192);
	__type(value, u32);
} proc_free SEC(".maps");

/* Beside a row of procs, for when the process is gone. */
struct proc_more {
	u32 first; /* row of maps + 1 */
	u32 tasks; /* accounts that write to the row */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct proc_more);
} procs_more SEC(".maps");

enum task_state {
	TASK_OPEN = 1, /* inside handle_mm_fault, as far as we know */
	TASK_RETRY = 2, /* it returned RETRY: the next entry for this page goes on with t0 */
	TASK_GUP = 4, /* the open fault has no registers */
	TASK_GUESS = 8, /* pending is where the stack will be, if that is what the fault does */
	TASK_MARK = 16, /* mark_* hold where it stood at the end */
	TASK_CUT = 32, /* cut_* hold where it stood before its first event after the end */
	TASK_SETTLED = 64,
	TASK_PROC = 128, /* proc is set */
	TASK_INSIDE = 256, /* may have been in a fault when the walk at the start found it */
};

enum fault_mark {
	MARK_WP = 1,
	MARK_SWAP = 2,
	MARK_NO_SWAP = 4, /* in do_swap_page(), for another reason than swap */
	MARK_FAULT = 8,
	MARK_THP = 16,
	MARK_THP_FALLBACK = 32, /* or the mapping has no room for one */
	MARK_HUGE_WP = 64,
	MARK_NUMA = 128,
	MARK_USERFAULT = 256,
	MARK_READ = 512, /* a call for it returned MAJOR */
	MARK_ENTRY = 1024, /* the entry was looked at before */
};

/* A fault that began; its page is in the account. */
struct open_fault {
	u64 t0;
	u32 flags; /* FAULT_FLAG_* around handle_mm_fault, else the processor's error code */
	u32 slot; /* row of maps + 1 */
	u32 marks; /* enum fault_mark */
	u32 weight; /* of its time; this and tick where there is a guard */
	u32 tick; /* when it began */
	u32 pad;
	u64 entry; /* the page table's entry that a store found write-protected, */
	union {
		u64 at; /* and its address, around handle_mm_fault */
		u64 woken; /* when its task last came back to a CPU in it; 0: it did not leave */
	};
};

/*
 * Where the task faulted last. It holds while the address space is the same one and nobody has
 * changed its mappings: most faults are behind another one in the same mapping, and need no walk.
 */
struct last_map {
	u64 mm;
	u64 start;
	u64 end;
	u32 seq; /* as vmt_mm_seq() gives it */
	u32 exec_id; /* an address space may lie where that of the program before lay */
	u32 slot; /* row of maps + 1 */
	u32 huge; /* a huge page would have fitted there */
};

/*
 * By address of the task_struct, which is one task from fork to sched_process_free; tid and start
 * time are not, because execve in a thread takes over those of the leader. To count a fault takes
 * the first two cache lines, to time it and to tell its kind the third: where a page was just
 * cleared, a line costs as much as ten instructions.
 */
struct task_account {
	u64 task; /* 0: nobody's */
	u64 minor; /* min_flt and maj_flt up to which everything is accounted for */
	u64 major;
	/* Of the two faults below: address >> 12, + 1 so that 0 means none. */
	u64 user_page;
	u64 kernel_page;
	u32 tgid;
	u32 tid;
	u32 proc;
	u32 state;
	u32 pending; /* row of the fault of user_page, as of map_of(); control.ahead */
	u32 index; /* its own */

	struct last_map last;
	u64 start_time; /* of the leader */
	u64 clock; /* a time that was read, */
	u32 clock_tick; /* and in which tick; */
	u32 weight; /* of the next fault; all three where there is a guard */

	struct open_fault user; /* or the one around handle_mm_fault */
	struct open_fault kernel; /* begun in kernel mode; may lie inside the other */
	u64 mark_minor;
	u64 mark_major;
	u64 cut_minor;
	u64 cut_major;
};
_Static_assert(__builtin_offsetof(struct task_account, last) == 64 &&
		       __builtin_offsetof(struct task_account, user) == 128 &&
		       sizeof(struct task_account) == 256,
	       "by cache lines");

/* An array, because its elements are found without a call; one that begins with a page, for the
 * cache lines. Number 0 is nobody's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, struct task_account);
} accounts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, u32);
} account_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 32768);
	__type(value, u32);
} account_free SEC(".maps");

/*
 * Numbers of accounts by some bits of the task's address: a guess, which the account itself
 * confirms. Tasks whose bits are the same take turns in it.
 */
#define GUESSES 4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUESSES);
	__type(key, u32);
	__type(value, u32);
} account_guess SEC(".maps");

static __noinline u32 proc_slot(u32 tgid, u64 start_time, struct task_struct *leader)
{
	struct proc_key key = { .start_time = start_time, .tgid = tgid };
	u32 *known = bpf_map_lookup_elem(&proc_index, &key);
	struct vmt_slot_proc *p;
	u32 slot;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&proc_free, &slot))
		goto full;
	p = bpf_map_lookup_elem(&procs, &slot);
	if (!p)
		goto full;
	p->tgid = tgid;
	p->start_time = start_time;
	BPF_CORE_READ_INTO(&p->comm, leader, comm);
	proc_cgroup(p, leader);
	if (!bpf_map_update_elem(&proc_index, &key, &slot, BPF_NOEXIST)) {
		p->ready = 1;
		return slot;
	}
	bpf_map_push_elem(&proc_free, &slot, 0);
	known = bpf_map_lookup_elem(&proc_index, &key);
	if (known)
		return *known;
full:
	stat_add(VMT_STAT_NO_PROCESS, 1);
	return 0;
}

/*
 * Whether an account is of this task, and not of one that had its memory before and whose end we
 * did not see. execve in a thread takes over the leader's id.
 */
static __always_inline bool task_is(struct task_account *a, u32 tid)
{
	if (a->tid == tid)
		return true;
	if (a->tgid != tid)
		return false;
	a->tid = tid;
	return true;
}

static __always_inline struct task_account *account_at(u32 index)
{
	return bpf_map_lookup_elem(&accounts, &index);
}

/* The account of a task where it has one. */
static __always_inline struct task_account *account_find(u64 task)
{
	u32 *index = bpf_map_lookup_elem(&account_index, &task);
	struct task_account *a = index ? account_at(*index) : NULL;

	return a && a->task == task ? a : NULL;
}

/* Makes one; old is that of a task which had the same memory and whose end was not seen, or NULL.
 */
static __noinline struct task_account *account_make(struct task_struct *task, u32 minor, u32 major,
						    u32 state, struct task_account *old)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_account *a = old, *other;
	u64 key = (u64)task;
	u32 index = old ? old->index : 0;

	if (!old) {
		if (bpf_map_pop_elem(&account_free, &index))
			goto full;
		a = account_at(index);
		if (!a)
			goto full;
	}
	/* Not by way of the stack, of which it would take half. */
	__builtin_memset(a, 0, sizeof(*a));
	a->index = index;
	a->state = state;
	a->tgid = BPF_CORE_READ(task, tgid);
	a->tid = BPF_CORE_READ(task, pid);
	a->start_time = BPF_CORE_READ(leader, start_boottime);
	if (BPF_CORE_READ(task, start_time) <= control.start_ns) {
		a->minor = BPF_CORE_READ(task, min_flt) - minor;
		a->major = BPF_CORE_READ(task, maj_flt) - major;
	}
	/* From here on the task may write to it. */
	*(volatile u64 *)&a->task = key;
	if (old || !bpf_map_update_elem(&account_index, &key, &index, BPF_NOEXIST))
		return a;
	/*
	 * The task itself, or the walk over tasks, was faster. If not: an index that could not be
	 * deleted leads to an account of another task, of nobody, or by now to this one.
	 */
	other = account_find(key);
	if (other ? other->index == index
		  : !bpf_map_update_elem(&account_index, &key, &index, BPF_ANY))
		return a;
	a->task = 0;
	bpf_map_push_elem(&account_free, &index, 0);
	if (other)
		return other;
	stat_add(VMT_STAT_BUSY, 1);
full:
	stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return NULL;
}

/*
 * The account of a task. Of the change of its counters, minor and major belong to the event that
 * asks, and are not accounted for yet. A task that was born after the start began at 0; of any
 * other, what was before is not ours. state is that of one that is made.
 */
static __noinline struct task_account *task_account(struct task_struct *task, u32 minor, u32 major,
						    u32 state)
{
	struct task_account *a = account_find((u64)task);

	if (a) {
		if (task_is(a, BPF_CORE_READ(task, pid)))
			return a;
		stat_add(VMT_STAT_REBORN, 1);
	}
	return account_make(task, minor, major, state, a);
}

static __always_inline u32 *guess_of(u64 task)
{
	u32 bits = (task >> 6 ^ task >> 18) & (GUESSES - 1);

	return bpf_map_lookup_elem(&account_guess, &bits);
}

/* The account of the task that runs, whose address is key, mostly without a look-up; or NULL. */
static __always_inline struct task_account *own_account_find(u64 key)
{
	u32 *guess = guess_of(key);
	struct task_account *a = guess ? account_at(*guess) : NULL;

	return a && a->task == key ? a : account_find(key);
}

/* The same, and one is made where there is none. */
static __always_inline struct task_account *own_account(u64 key, u32 minor, u32 major)
{
	u32 *guess = guess_of(key);
	struct task_account *a = guess ? account_at(*guess) : NULL;

	if (a && a->task == key)
		return a;
	a = task_account((void *)key, minor, major, 0);
	if (a && guess)
		*guess = a->index;
	return a;
}

static __always_inline void proc_hold(u32 proc)
{
	struct proc_more *p = proc ? bpf_map_lookup_elem(&procs_more, &proc) : NULL;

	if (p)
		vmt_add(&p->tasks, 1);
}

static __always_inline struct vmt_slot_proc *task_proc(struct task_account *a,
						       struct task_struct *task)
{
	u32 slot;

	if (!(a->state & TASK_PROC)) {
		a->proc = proc_slot(a->tgid, a->start_time, BPF_CORE_READ(task, group_leader));
		a->state |= TASK_PROC;
		proc_hold(a->proc);
	}
	slot = a->proc;
	return bpf_map_lookup_elem(&procs, &slot);
}

/* Charges n faults that the kernel counted and of which no more is known: each to exactly one of
 * mapped, dropped, unattributed. */
static __always_inline void charge(struct vmt_slot_proc *p, u32 slot, u64 n, bool major)
{
	struct vmt_slot_map *m;

	if (slot == SLOT_DROPPED) {
		vmt_add(&p->dropped, n);
		stat_add(VMT_STAT_DROPPED, n);
		return;
	}
	m = map_slot(slot);
	if (!m) {
		vmt_add(&p->unattributed, n);
		return;
	}
	vmt_add(&p->mapped, n);
	vmt_add(&m->count[1][major ? 1 : 0][VMT_BPF_ACCESS_UNKNOWN][0], n);
}

static __always_inline void charge_gup(struct vmt_slot_proc *p, u32 slot, u64 n)
{
	struct vmt_slot_map *m = slot == SLOT_DROPPED ? NULL : map_slot(slot);

	vmt_add(&p->gup, n);
	if (m)
		vmt_add(&m->gup, n);
}

struct advance {
	u64 minor;
	u64 major;
};

/* What the task's counters gained since the last event; it is accounted for from here on. */
static __always_inline struct advance advance(struct task_account *a, struct vmt_slot_proc *p,
					      u64 minor, u64 major)
{
	struct advance d;

	d.minor = minor - a->minor;
	d.major = major - a->major;
	a->minor = minor;
	a->major = major;
	if (d.minor)
		vmt_add(&p->kernel_minor, d.minor);
	if (d.major)
		vmt_add(&p->kernel_major, d.major);
	return d;
}

static __always_inline bool ahead_timed(void)
{
	return vmt_ahead_timed && control.ahead;
}

int ahead_count(u32 account, u32 after); /* fault-ahead.bpf.h */

/* Charges the fault that is pending, and was counted. after: as of ahead_count(). */
static __always_inline void settle_pending(struct task_account *a, struct vmt_slot_proc *p,
					   bool after)
{
	vmt_add(&p->record_minor, 1);
	if (vmt_ahead_timed && a->pending && a->pending != SLOT_DROPPED) {
		vmt_add(&p->mapped, 1);
		ahead_count(a->index, after);
	} else {
		charge(p, a->pending, 1, false);
		if (!a->pending)
			stat_add(VMT_STAT_UNRESOLVED, 1);
	}
	a->user_page = 0;
}

/*
 * Charges an advance that no event of its own has shown. Around handle_mm_fault one of it is the
 * fault that is still open, whose exit was skipped; where faults are counted by their begin, one is
 * that which began last.
 */
static __always_inline void settle_as(struct task_account *a, struct vmt_slot_proc *p,
				      struct advance d, bool after)
{
	u64 n = d.minor + d.major;

	if (!n)
		return;
	if (!vmt_around) {
		if (control.ahead && a->user_page && d.minor) {
			settle_pending(a, p, after);
			n--;
		}
		if (n)
			charge_gup(p, 0, n);
		return;
	}
	if (a->state & TASK_OPEN) {
		if (a->state & TASK_GUP)
			charge_gup(p, a->user.slot, 1);
		else
			charge(p, a->user.slot, 1, d.major != 0);
		stat_add(VMT_STAT_REPAIRED, 1);
		a->state &= ~TASK_OPEN;
		n--;
	}
	if (n)
		vmt_add(&p->unattributed, n);
}

static __always_inline void settle(struct task_account *a, struct vmt_slot_proc *p,
				   struct advance d)
{
	settle_as(a, p, d, false);
}

/*
 * Whether events of this task still count. After the end of the window the first one notes where
 * the task stood before it; minor and major of its advance are the event's own.
 */
static __always_inline bool still_counts(struct task_account *a, u32 minor, u32 major)
{
	struct task_struct *task;

	if (!control.closing)
		return true;
	task = (void *)bpf_get_current_task();
	if (!(a->state & (TASK_CUT | TASK_SETTLED))) {
		a->cut_minor = BPF_CORE_READ(task, min_flt) - minor;
		a->cut_major = BPF_CORE_READ(task, maj_flt) - major;
		a->state |= TASK_CUT;
	}
	return false;
}

static __always_inline bool wanted(u32 tgid)
{
	return control.active && watched(tgid, control.self_tgid);
}

static __always_inline bool current_wanted(void)
{
	return control.active &&
	       (!vmt_filter_on || watched(bpf_get_current_pid_tgid() >> 32, control.self_tgid));
}

/*
 * The row of the mapping at an address of the current task's own address space. Not static: the
 * verifier looks at such a function once, and not at every call.
 */
__noinline u32 map_at(unsigned long addr, u32 account)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct task_account *a = account_at(account);
	struct vm_area_struct *vma = NULL;
	u32 slot;

	if (!a)
		return 0;
	a->last.slot = 0;
	a->last.huge = 0;
	for (int try = 0; try < 8 && mm; try++) {
		unsigned long found = vmt_mm_find(mm, addr);

		vma = (void *)found;
		if (found >= 4096) {
			a->last.start = BPF_CORE_READ(vma, vm_start);
			a->last.end = BPF_CORE_READ(vma, vm_end);
			if (a->last.start <= addr && addr < a->last.end &&
			    BPF_CORE_READ(vma, vm_mm) == mm)
				break;
		}
		vma = NULL;
		stat_add(VMT_STAT_DEAD_NODES, 1);
	}
	if (vma) {
		slot = map_of(vma, task, a->tgid, a->start_time);
		if (slot != SLOT_DROPPED)
			a->last.slot = slot;
		return slot;
	}
	/* The stack may be about to grow; what is not found in the end is counted in settle(). */
	if (!control.ahead)
		stat_add(VMT_STAT_UNRESOLVED, 1);
	return 0;
}

/* Whether an address, in that state of the mappings, is in the one where the task faulted last. */
static __always_inline bool last_map_is(const struct task_account *a, const struct mm_struct *mm,
					u32 seq, unsigned long addr)
{
	return a->last.slot && a->last.seq == seq && a->last.mm == (u64)mm &&
	       a->last.start <= addr && addr < a->last.end;
}

/* The same, and mostly without a walk: for a fault that the task is in, whose mapping it holds. */
static __always_inline u32 own_map(struct task_account *a, struct task_struct *task,
				   unsigned long addr)
{
	struct mm_struct *mm = NULL;
	u32 seq = 0, exec_id;

	if (vmt_has_task_btf())
		mm = task->mm;
	if (!mm || !vmt_mm_seq(mm, &seq))
		return map_at(addr, a->index);
	exec_id = task->self_exec_id;
	if (last_map_is(a, mm, seq, addr) && a->last.exec_id == exec_id)
		return a->last.slot;
	a->last.mm = (u64)mm;
	a->last.seq = seq;
	a->last.exec_id = exec_id;
	return map_at(addr, a->index);
}
