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
 * The events are counted on every rung ("of record"), as the check of the first way.
 *
 * A task's state is written by the task itself and, once events have stopped counting, by the walk
 * over tasks; that is why it needs no lock.
 */

#include "bpf/common.bpf.h"
#include "bpf/fault.h"

const volatile __u32 vmt_around = 0; /* programs around handle_mm_fault() are attached */

volatile struct vmt_fault_control control = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct vmt_slot_map);
} maps SEC(".maps");

struct map_key {
	u64 start_time;
	u64 anchor; /* vm_start; vm_end of what grows down */
	u64 ino;
	u64 shift; /* vm_pgoff - vm_start / page: survives splitting, merging and growth */
	u32 tgid;
	u32 owner_tgid;
	u32 exec_id;
	u32 dev;
	u32 class;
	u32 shared;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct map_key);
	__type(value, u32);
} map_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, u32);
} map_free SEC(".maps");

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

enum task_state {
	TASK_OPEN = 1, /* inside handle_mm_fault, as far as we know */
	TASK_RETRY = 2, /* it returned RETRY: the next entry for this page goes on with t0 */
	TASK_GUP = 4, /* the open fault has no registers */
	TASK_DEAD = 8, /* the task is gone, its entry could not be deleted */
	TASK_MARK = 16, /* mark_* hold where it stood at the end */
	TASK_CUT = 32, /* cut_* hold where it stood before its first event after the end */
	TASK_SETTLED = 64,
	TASK_PROC = 128, /* proc is set */
};

/* A fault that began. */
struct open_fault {
	u64 t0;
	u64 page; /* address >> 12, + 1 so that 0 means none */
	u32 flags; /* FAULT_FLAG_* around handle_mm_fault, else the processor's error code */
	u32 slot; /* row of maps + 1 */
};

/*
 * By address of the task_struct, which is one task from fork to sched_process_free; tid and start
 * time are not, because execve in a thread takes over those of the leader.
 */
struct task_account {
	u64 start_time; /* of the leader */
	u64 minor; /* min_flt and maj_flt up to which everything is accounted for */
	u64 major;
	u64 mark_minor;
	u64 mark_major;
	u64 cut_minor;
	u64 cut_major;
	struct open_fault user; /* or the one around handle_mm_fault */
	struct open_fault kernel; /* begun in kernel mode; may lie inside the other */
	u32 tgid;
	u32 proc;
	u32 state;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, struct task_account);
} tasks SEC(".maps");

/* The x86 error code of a page fault. */
#define PF_WRITE       2u
#define PF_INSTRUCTION 16u

enum fault_access {
	ACCESS_UNKNOWN,
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXEC,
};

enum fault_mode {
	MODE_UNKNOWN,
	MODE_USER,
	MODE_KERNEL,
};

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
 * The account of a task. Of the change of its counters, minor and major belong to the event that
 * asks, and are not accounted for yet. A task that was born after the start began at 0; of any
 * other, what was before is not ours.
 */
static __noinline struct task_account *task_account(struct task_struct *task, u32 minor, u32 major)
{
	u64 key = (u64)task;
	struct task_account *a = bpf_map_lookup_elem(&tasks, &key);
	struct task_account fresh = {};
	struct task_struct *leader;
	bool dead = a && (a->state & TASK_DEAD);

	if (a && !dead)
		return a;
	leader = BPF_CORE_READ(task, group_leader);
	fresh.tgid = BPF_CORE_READ(task, tgid);
	fresh.start_time = BPF_CORE_READ(leader, start_time);
	if (BPF_CORE_READ(task, start_time) <= control.start_ns) {
		fresh.minor = BPF_CORE_READ(task, min_flt) - minor;
		fresh.major = BPF_CORE_READ(task, maj_flt) - major;
	}
	if (bpf_map_update_elem(&tasks, &key, &fresh, dead ? BPF_ANY : BPF_NOEXIST))
		stat_add(VMT_STAT_BUSY, 1);
	a = bpf_map_lookup_elem(&tasks, &key);
	if (!a)
		stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return a;
}

static __always_inline struct vmt_slot_proc *task_proc(struct task_account *a,
						       struct task_struct *task)
{
	u32 slot;

	if (!(a->state & TASK_PROC)) {
		a->proc = proc_slot(a->tgid, a->start_time, BPF_CORE_READ(task, group_leader));
		a->state |= TASK_PROC;
	}
	slot = a->proc;
	return bpf_map_lookup_elem(&procs, &slot);
}

static __always_inline struct vmt_slot_map *map_slot(u32 slot)
{
	if (!slot)
		return NULL;
	slot--;
	return bpf_map_lookup_elem(&maps, &slot);
}

static __always_inline u32 vma_class(struct file *file, struct inode *inode, unsigned long flags,
				     const void *ops)
{
	if (flags & VMT_VM_HUGETLB)
		return VMT_BPF_HUGETLB;
	if (!ops)
		return VMT_BPF_ANON;
	if (!file)
		return VMT_BPF_OTHER;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == VMT_TMPFS_MAGIC)
		return VMT_BPF_SHMEM;
	if ((BPF_CORE_READ(inode, i_mode) & VMT_S_IFMT) == VMT_S_IFREG)
		return VMT_BPF_FILE;
	return VMT_BPF_OTHER;
}

/* As show_map_vma() decides. */
static __always_inline u32 vma_special(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long stack = BPF_CORE_READ(mm, start_stack);

	if (start <= BPF_CORE_READ(mm, brk) && end >= BPF_CORE_READ(mm, start_brk))
		return VMT_BPF_HEAP;
	if (start <= stack && end >= stack)
		return VMT_BPF_STACK;
	if (start == vmt_mm_vdso(mm))
		return VMT_BPF_VDSO;
	return VMT_BPF_PLAIN;
}

struct vma_info {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
	unsigned long pgoff;
	struct mm_struct *mm;
	struct file *file;
};

static __noinline u32 map_create(struct map_key *key, struct vma_info *info,
				 struct task_struct *task)
{
	struct vmt_slot_map *m;
	u32 slot, value, *known;
	long err;

	if (bpf_map_pop_elem(&map_free, &slot))
		return 0;
	m = bpf_map_lookup_elem(&maps, &slot);
	if (!m)
		return 0;
	m->tgid = key->tgid;
	m->owner_tgid = key->owner_tgid;
	m->exec_id = key->exec_id;
	m->start_time = key->start_time;
	m->vm_start = info->start;
	m->vm_end = info->end;
	m->vm_pgoff = info->pgoff;
	m->vm_flags = info->flags;
	m->ino = key->ino;
	m->dev = key->dev;
	m->class = key->class;
	m->special = info->file ? VMT_BPF_PLAIN : vma_special(info->mm, info->start, info->end);
	m->name = info->file ? name_of(info->file, key->ino, key->dev) : 0;
	BPF_CORE_READ_INTO(&m->comm, task, group_leader, comm);
	value = slot + 1;
	err = bpf_map_update_elem(&map_index, key, &value, BPF_NOEXIST);
	if (!err) {
		m->ready = 1;
		return value;
	}
	bpf_map_push_elem(&map_free, &slot, 0);
	known = bpf_map_lookup_elem(&map_index, key);
	return known ? *known : 0;
}

#define SLOT_DROPPED (~0u)

/*
 * The row of a mapping + 1. SLOT_DROPPED where the table is full, 0 where the mapping is none that
 * a process runs in: the stack that execve is building.
 */
static __noinline u32 map_of(struct vm_area_struct *vma, struct task_struct *task, u32 tgid,
			     u64 start_time)
{
	struct map_key key = {};
	struct vma_info info;
	struct inode *inode = NULL;
	struct mm_struct *mm;
	struct file *file;
	struct vmt_slot_map *m;
	u32 *known, value;

	mm = BPF_CORE_READ(vma, vm_mm);
	file = BPF_CORE_READ(vma, vm_file);
	info.start = BPF_CORE_READ(vma, vm_start);
	info.end = BPF_CORE_READ(vma, vm_end);
	info.flags = BPF_CORE_READ(vma, vm_flags);
	info.pgoff = BPF_CORE_READ(vma, vm_pgoff);
	info.mm = mm;
	info.file = file;

	key.tgid = tgid;
	key.owner_tgid = tgid;
	key.start_time = start_time;
	key.exec_id = BPF_CORE_READ(task, self_exec_id);
	if (mm != BPF_CORE_READ(task, mm) || BPF_CORE_READ(task, flags) & VMT_PF_KTHREAD) {
		struct task_struct *owner = vmt_mm_owner(mm);

		key.owner_tgid = owner ? BPF_CORE_READ(owner, tgid) : 0;
		if (key.owner_tgid == tgid)
			return 0;
		key.exec_id = owner ? BPF_CORE_READ(owner, self_exec_id) : 0;
	}
	if (file) {
		inode = BPF_CORE_READ(file, f_inode);
		key.ino = BPF_CORE_READ(inode, i_ino);
		key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
		key.shift = info.pgoff - (info.start >> 12);
	}
	key.anchor = info.flags & VMT_VM_GROWSDOWN ? info.end : info.start;
	key.class = vma_class(file, inode, info.flags, BPF_CORE_READ(vma, vm_ops));
	key.shared = !!(info.flags & VMT_VM_SHARED);

	known = bpf_map_lookup_elem(&map_index, &key);
	if (known) {
		value = *known;
	} else {
		value = map_create(&key, &info, task);
		if (!value)
			return SLOT_DROPPED;
	}
	m = map_slot(value);
	if (m) {
		vmt_lower(&m->vm_start, info.start);
		vmt_raise(&m->vm_end, info.end);
		if (m->vm_flags != info.flags)
			m->vm_flags = info.flags;
	}
	return value;
}

/*
 * The same by address, in the current task's own address space. Not static: the verifier looks at
 * such a function once, and not at every call.
 */
__noinline u32 map_at(unsigned long addr, u32 tgid, u64 start_time)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct vm_area_struct *vma = NULL;

	for (int try = 0; try < 8 && mm; try++) {
		unsigned long found;

		if (vmt_mm_has_maple())
			found = vmt_maple_descend((unsigned long)BPF_CORE_READ(mm, mm_mt.ma_root),
						  addr);
		else
			found = vmt_rbtree_descend(mm, addr);
		vma = (void *)found;
		if (found >= 4096 && BPF_CORE_READ(vma, vm_start) <= addr &&
		    addr < BPF_CORE_READ(vma, vm_end) && BPF_CORE_READ(vma, vm_mm) == mm)
			break;
		vma = NULL;
		stat_add(VMT_STAT_DEAD_NODES, 1);
	}
	if (vma)
		return map_of(vma, task, tgid, start_time);
	stat_add(VMT_STAT_UNRESOLVED, 1);
	return 0;
}

static __always_inline void latency_add(struct vmt_slot_latency *l, u64 ns)
{
	u32 b = vmt_bucket(ns);

	vmt_add(&l->count, 1);
	vmt_add(&l->sum, ns);
	vmt_raise(&l->max, ns);
	if (b < VMT_BPF_HIST)
		vmt_add(&l->hist[b], 1);
}

/* Charges n faults that the kernel counted: each to exactly one of mapped, dropped, unattributed.
 */
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
	if (major)
		vmt_add(&m->major, n);
	else
		vmt_add(&m->minor, n);
}

static __always_inline void charge_gup(struct vmt_slot_proc *p, u32 slot, u64 n)
{
	struct vmt_slot_map *m = slot == SLOT_DROPPED ? NULL : map_slot(slot);

	vmt_add(&p->gup, n);
	if (m)
		vmt_add(&m->gup, n);
}

/* How a charged fault came about, and how long it took; ns is 0 where that is not known. */
static __always_inline void describe(u32 slot, enum fault_access access, enum fault_mode mode,
				     u64 ns)
{
	struct vmt_slot_map *m = slot == SLOT_DROPPED ? NULL : map_slot(slot);

	if (!m)
		return;
	if (access == ACCESS_WRITE)
		vmt_add(&m->write, 1);
	else if (access == ACCESS_EXEC)
		vmt_add(&m->exec, 1);
	else if (access == ACCESS_READ)
		vmt_add(&m->read, 1);
	if (mode == MODE_USER)
		vmt_add(&m->user, 1);
	else if (mode == MODE_KERNEL)
		vmt_add(&m->kernel, 1);
	if (ns)
		latency_add(&m->latency, ns);
}

static __always_inline enum fault_access access_of_flags(u32 flags)
{
	if (flags & VMT_FAULT_FLAG_WRITE)
		return ACCESS_WRITE;
	return flags & VMT_FAULT_FLAG_INSTRUCTION ? ACCESS_EXEC : ACCESS_READ;
}

static __always_inline enum fault_access access_of_code(u32 code)
{
	if (code & PF_WRITE)
		return ACCESS_WRITE;
	return code & PF_INSTRUCTION ? ACCESS_EXEC : ACCESS_READ;
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

	if (minor < a->minor || major < a->major) {
		/* Another task in the memory of one whose end we did not see. */
		stat_add(VMT_STAT_REBORN, 1);
		a->minor = minor;
		a->major = major;
		a->state &= TASK_PROC;
	}
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

/*
 * Charges an advance that no event of its own has shown. Around handle_mm_fault one of it is the
 * fault that is still open, whose exit was skipped.
 */
static __always_inline void settle(struct task_account *a, struct vmt_slot_proc *p,
				   struct advance d)
{
	u64 n = d.minor + d.major;

	if (!n)
		return;
	if (!vmt_around) {
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

/*
 * Whether events of this task still count. After the end of the window the first one notes where
 * the task stood before it; minor and major of its advance are the event's own.
 */
static __always_inline bool still_counts(struct task_account *a, struct task_struct *task,
					 u32 minor, u32 major)
{
	if (!control.closing)
		return true;
	if (!(a->state & (TASK_CUT | TASK_SETTLED))) {
		a->cut_minor = BPF_CORE_READ(task, min_flt) - minor;
		a->cut_major = BPF_CORE_READ(task, maj_flt) - major;
		a->state |= TASK_CUT;
	}
	return false;
}

static __always_inline u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline bool wanted(u32 tgid)
{
	return control.active && watched(tgid, control.self_tgid);
}

/* Around handle_mm_fault() */

static __always_inline int fault_enter(struct vm_area_struct *vma, unsigned long addr, u32 flags,
				       bool gup)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 page = (addr >> 12) + 1;
	struct task_account *a;
	struct vmt_slot_proc *p;
	bool again;

	if (!wanted(current_tgid()))
		return 0;
	a = task_account(task, 0, 0);
	if (!a || !still_counts(a, task, 0, 0))
		return 0;
	p = task_proc(a, task);
	if (!p)
		return 0;
	settle(a, p, advance(a, p, BPF_CORE_READ(task, min_flt), BPF_CORE_READ(task, maj_flt)));

	again = (a->state & (TASK_RETRY | TASK_OPEN)) && a->user.page == page;
	a->state &= ~(TASK_RETRY | TASK_GUP);
	a->state |= TASK_OPEN | (gup ? TASK_GUP : 0);
	a->user.page = page;
	a->user.flags = flags;
	a->user.slot = map_of(vma, task, a->tgid, a->start_time);
	if (!again)
		a->user.t0 = bpf_ktime_get_ns();
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
static __always_inline int fault_exit(struct vm_area_struct *vma, u64 page, u32 flags, bool gup,
				      u32 ret)
{
	u64 now = bpf_ktime_get_ns();
	struct task_struct *task = (void *)bpf_get_current_task();
	bool counted = !(ret & (VMT_VM_FAULT_RETRY | VMT_VM_FAULT_ERROR));
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct advance d;
	u64 n, ns;
	u32 slot;
	bool major;

	if (!wanted(current_tgid()))
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	major = (ret & VMT_VM_FAULT_MAJOR) || (flags & VMT_FAULT_FLAG_TRIED);
	a = task_account(task, counted && !major, counted && major);
	if (!a)
		return 0;
	if (!page) {
		if (!(a->state & TASK_OPEN))
			return 0; /* what it counted shows at the next event */
		flags = a->user.flags;
		gup = a->state & TASK_GUP;
		major = (ret & VMT_VM_FAULT_MAJOR) || (flags & VMT_FAULT_FLAG_TRIED);
	}
	if (!still_counts(a, task, counted && !major, counted && major))
		return 0;
	p = task_proc(a, task);
	if (!p)
		return 0;
	d = advance(a, p, BPF_CORE_READ(task, min_flt), BPF_CORE_READ(task, maj_flt));
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
	if (!page || ((a->state & TASK_OPEN) && a->user.page == page)) {
		slot = a->user.slot;
		ns = a->user.t0 && now > a->user.t0 ? now - a->user.t0 : 0;
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
		ns = 0;
		a->user.t0 = 0;
		a->user.page = page;
	}

	if (ret & VMT_VM_FAULT_RETRY) {
		struct vmt_slot_map *m = slot == SLOT_DROPPED ? NULL : map_slot(slot);

		vmt_add(&p->retried, 1);
		if (m)
			vmt_add(&m->retried, 1);
		a->state |= TASK_RETRY;
		return 0;
	}
	a->state &= ~TASK_RETRY;
	if (ret & VMT_VM_FAULT_ERROR) {
		count_failure(p, slot, failure_of(ret));
		return 0;
	}
	if (!counted)
		return 0;
	stat_add(VMT_STAT_COUNTED, 1);
	if (gup) {
		charge_gup(p, slot, 1);
		return 0;
	}
	charge(p, slot, 1, major);
	describe(slot, access_of_flags(flags),
		 flags & VMT_FAULT_FLAG_USER ? MODE_USER : MODE_KERNEL, ns);
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
	return fault_exit(vma, (addr >> 12) + 1, flags, !regs, ret);
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
	return fault_exit(NULL, 0, 0, false, ret);
}

/* The count of record, and where nothing is attached around handle_mm_fault() the count */

static __always_inline int fault_event(unsigned long addr, bool major)
{
	u64 now = bpf_ktime_get_ns();
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 page = (addr >> 12) + 1;
	struct task_account *a;
	struct vmt_slot_proc *p;
	struct advance d;
	enum fault_access access = ACCESS_UNKNOWN;
	enum fault_mode mode = MODE_UNKNOWN;
	u64 ns = 0;
	u32 slot;

	stat_add(VMT_STAT_RECORD, 1);
	if (!wanted(current_tgid()))
		return 0;
	a = task_account(task, !major, major);
	if (!a || !still_counts(a, task, !major, major))
		return 0;
	p = task_proc(a, task);
	if (!p)
		return 0;
	/* The walk at the start found the task behind this fault: it is not in the window. */
	if (BPF_CORE_READ(task, min_flt) == a->minor && BPF_CORE_READ(task, maj_flt) == a->major)
		return 0;
	if (major)
		vmt_add(&p->record_major, 1);
	else
		vmt_add(&p->record_minor, 1);

	if (vmt_around) {
		/* The entry was skipped: the mapping is still here, so stand in for it. */
		if (!(a->state & TASK_OPEN)) {
			a->user.page = page;
			a->user.t0 = 0;
			a->user.flags = 0;
			a->user.slot = map_at(addr, a->tgid, a->start_time);
			a->state |= TASK_OPEN;
			a->state &= ~TASK_GUP;
			stat_add(VMT_STAT_ENTRY_MISSED, 1);
		}
		return 0;
	}

	stat_add(VMT_STAT_SEEN, 1);
	d = advance(a, p, BPF_CORE_READ(task, min_flt), BPF_CORE_READ(task, maj_flt));
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

	if (a->user.page == page) {
		access = access_of_code(a->user.flags);
		mode = MODE_USER;
		ns = now - a->user.t0;
		a->user.page = 0;
	} else if (a->kernel.page == page) {
		access = access_of_code(a->kernel.flags);
		mode = MODE_KERNEL;
		ns = now - a->kernel.t0;
	}
	a->kernel.page = 0;
	slot = map_at(addr, a->tgid, a->start_time);
	charge(p, slot, 1, major);
	describe(slot, access, mode, ns);
	stat_add(VMT_STAT_COUNTED, 1);
	return 0;
}

SEC("?perf_event")
int record_minor(struct bpf_perf_event_data *ctx)
{
	return fault_event(ctx->addr, false);
}

SEC("?perf_event")
int record_major(struct bpf_perf_event_data *ctx)
{
	return fault_event(ctx->addr, true);
}

/* When a fault began, and of which kind it is: x86, where nothing is around handle_mm_fault() */

static __always_inline int fault_begin(unsigned long addr, u32 code, bool user)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_account *a;
	struct open_fault *o;

	if ((long)addr < 0 || !wanted(current_tgid()))
		return 0;
	a = task_account(task, 0, 0);
	if (!a || !still_counts(a, task, 0, 0))
		return 0;
	if (user && a->user.page) {
		struct vmt_slot_proc *p = task_proc(a, task);

		if (p)
			vmt_add(&p->abandoned, 1);
	}
	o = user ? &a->user : &a->kernel;
	o->page = (addr >> 12) + 1;
	o->flags = code;
	o->t0 = bpf_ktime_get_ns();
	return 0;
}

SEC("?tp_btf/page_fault_user")
int BPF_PROG(begin_user, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	return fault_begin(addr, code, true);
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
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_account *a;
	struct vmt_slot_proc *p;
	unsigned long addr;
	u64 key;
	int code;

	if ((sig != 7 && sig != 11) || target != task || (unsigned long)info < 4096)
		return 0;
	code = BPF_CORE_READ(info, si_code);
	if (code <= 0 || code == 128 || vmt_around || !wanted(current_tgid()))
		return 0;
	key = (u64)task;
	a = bpf_map_lookup_elem(&tasks, &key);
	if (!a || !a->user.page || control.closing)
		return 0;
	addr = (a->user.page - 1) << 12;
	a->user.page = 0;
	if (sig != 7)
		return 0;
	p = task_proc(a, task);
	if (p)
		count_failure(p, map_at(addr, a->tgid, a->start_time),
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
	bpf_map_update_elem(&filter, &tgid, &one, BPF_ANY);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task)
{
	struct task_account *a;
	struct vmt_slot_proc *p;

	if (!wanted(current_tgid()))
		return 0;
	a = task_account(task, 0, 0);
	if (!a || control.closing)
		return 0;
	p = task_proc(a, task);
	if (p && a->proc)
		BPF_CORE_READ_INTO(&p->comm, task, comm);
	return 0;
}

/* While the leader is still there to be asked: a task without an event of its own has an account
 * when it is freed. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task)
{
	struct task_account *a;

	if (!wanted(BPF_CORE_READ(task, tgid)) || control.closing ||
	    BPF_CORE_READ(task, flags) & VMT_PF_KTHREAD)
		return 0;
	a = task_account(task, 0, 0);
	if (a)
		task_proc(a, task);
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
	struct task_account *a = bpf_map_lookup_elem(&tasks, &key);
	struct vmt_slot_proc *p;
	u32 proc;

	if (!a || (a->state & TASK_DEAD))
		return 0;
	/* Without a row there was neither an event nor sched_process_exit: nothing to tell. */
	proc = a->proc;
	p = a->state & TASK_PROC ? bpf_map_lookup_elem(&procs, &proc) : NULL;
	if (p && !(a->state & TASK_SETTLED)) {
		u64 minor = BPF_CORE_READ(task, min_flt), major = BPF_CORE_READ(task, maj_flt);

		if (control.closing && (a->state & TASK_CUT))
			task_close(a, p, a->cut_minor, a->cut_major);
		else if (control.closing && (a->state & TASK_MARK))
			task_close(a, p, a->mark_minor, a->mark_major);
		else
			task_close(a, p, minor, major);
		if (proc && BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
			p->flags |= VMT_PROC_EXITED;
	}
	a->state |= TASK_DEAD;
	bpf_map_delete_elem(&tasks, &key);
	return 0;
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
	u64 minor, major, key;

	if (!task || !control.active)
		return 0;
	if (BPF_CORE_READ(task, flags) & VMT_PF_KTHREAD && !BPF_CORE_READ(task, mm))
		return 0;
	if (!watched(BPF_CORE_READ(task, tgid), control.self_tgid))
		return 0;
	if (control.phase == VMT_PHASE_BASE) {
		task_account(task, 0, 0);
		return 0;
	}
	key = (u64)task;
	a = bpf_map_lookup_elem(&tasks, &key);
	if (!a) {
		/* Born in the window, and no event yet: what it counted, if anything, is ours. */
		u64 born = BPF_CORE_READ(task, start_time);

		if (control.phase != VMT_PHASE_MARK || born <= control.start_ns ||
		    born > control.close_ns)
			return 0;
		a = task_account(task, 0, 0);
		if (!a)
			return 0;
	}
	if (a->state & (TASK_DEAD | TASK_SETTLED))
		return 0;
	if (control.phase == VMT_PHASE_MARK) {
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
	if (p)
		task_close(a, p, minor, major);
	return 0;
}
