/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The life of mappings and of processes: system calls that change an address space, from the
 * tracepoints raw_syscalls:sys_enter and sys_exit, and the end of a process. What each process did
 * is counted in a row of its own; single events go through a ring, no more of them a second than
 * were asked for, and only of these is looked up which file they are about.
 */

#include "bpf/common.bpf.h"
#include "bpf/crash.bpf.h"
#include "bpf/event-claim.bpf.h"
#include "bpf/event-open.bpf.h"
#include "bpf/event-site.bpf.h"
#include "bpf/events.h"
#include "bpf/rss.bpf.h"

volatile struct vmt_events_control control = {};
volatile struct vmt_event_rate rate = {};
volatile struct vmt_event_rate crash_rate = {}; /* which a storm of mappings does not take away */

/* enum vmt_bpf_call, by the numbers of the machine and by those of 32 bits; 0: of no interest. */
const volatile __u8 vmt_native_calls[VMT_EVENT_NUMBERS] = {};
const volatile __u8 vmt_compat_calls[VMT_EVENT_NUMBERS] = {};
const volatile __u32 vmt_calls = 0; /* bits by enum vmt_bpf_call: those that are wanted */
const volatile __u64 vmt_single_rate = 0; /* at most so many a second; 0: any number */
const volatile __u32 vmt_uid_on = 0;
const volatile __u32 vmt_uid = 0; /* processes of this real user alone */

#define MAP_FIXED    0x10
#define CLONE_VM     0x00000100ull
#define CLONE_THREAD 0x00010000ull
#define GROUP_EXIT   0x00000004u /* SIGNAL_GROUP_EXIT */
#define X32_BIT	     0x40000000l
#define IPC_SHMAT    21
#define IPC_SHMDT    22
#define FORKS	     (BIT(FORK) | BIT(VFORK) | BIT(CLONE) | BIT(CLONE3))
#define EXECS	     (BIT(EXECVE) | BIT(EXECVEAT))
/* Calls whose first two arguments are a range. */
#define RANGES                                                                                     \
	(BIT(MUNMAP) | BIT(MPROTECT) | BIT(PKEY_MPROTECT) | BIT(MREMAP) | BIT(MADVISE) |           \
	 BIT(MLOCK) | BIT(MLOCK2) | BIT(MUNLOCK) | BIT(MSYNC) | BIT(REMAP_FILE_PAGES) |            \
	 BIT(MSEAL))
/* Calls after which other pages may be in memory. */
#define MOVES                                                                                      \
	(BIT(MMAP) | BIT(MUNMAP) | BIT(MREMAP) | BIT(BRK) | BIT(MADVISE) | BIT(MLOCK) |            \
	 BIT(MLOCK2) | BIT(MLOCKALL) | BIT(SHMDT) | BIT(REMAP_FILE_PAGES))

/* Calls that are remembered, and of these those that take nothing away. */
#define CHANGES                                                                                    \
	(BIT(MMAP) | BIT(MUNMAP) | BIT(MPROTECT) | BIT(PKEY_MPROTECT) | BIT(MADVISE) |             \
	 BIT(MREMAP) | BIT(SHMDT) | BIT(BRK) | EXECS)
#define STAYS (BIT(MPROTECT) | BIT(PKEY_MPROTECT) | BIT(MADVISE))

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct vmt_slot_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} process_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} process_free SEC(".maps");

/* Single events, and rows of processes that ended: those are not to wait behind these. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets it */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets it */
} ended SEC(".maps");

/* The row of a process, by one of its threads; 0, which all share that have none, where the table
 * is full. Not static: the verifier looks at such a function once, and takes numbers alone: of the
 * thread its struct task_struct. */
__noinline u32 process_row(u32 tgid, u64 thread)
{
	struct task_struct *task = (void *)thread;
	u32 *known = bpf_map_lookup_elem(&process_index, &tgid);
	struct vmt_slot_process *p;
	u32 slot;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&process_free, &slot))
		goto full;
	p = bpf_map_lookup_elem(&processes, &slot);
	if (!p)
		goto full;
	p->tgid = tgid;
	p->start = BPF_CORE_READ(task, group_leader, start_boottime);
	p->uid = BPF_CORE_READ(task, cred, uid.val);
	BPF_CORE_READ_INTO(&p->comm, task, comm);
	if (!bpf_map_update_elem(&process_index, &tgid, &slot, BPF_NOEXIST)) {
		p->ready = 1;
		return slot;
	}
	/* Another thread was first, or the index refused. */
	bpf_map_push_elem(&process_free, &slot, 0);
	known = bpf_map_lookup_elem(&process_index, &tgid);
	if (known)
		return *known;
full:
	stat_add(VMT_STAT_NO_PROCESS, 1);
	return 0;
}

static __always_inline bool wanted_of(u32 tgid, u32 uid, u32 call)
{
	if (!control.active)
		return false;
	if (control.self_tgid)
		return tgid == control.self_tgid;
	if (!(vmt_calls >> (call & 31) & 1) || tgid == control.without_tgid)
		return false;
	if (vmt_uid_on && uid != vmt_uid)
		return false;
	return watched(tgid, 0);
}

static __always_inline bool wanted(u32 tgid, u32 call)
{
	return wanted_of(tgid, vmt_uid_on ? (u32)bpf_get_current_uid_gid() : 0, call);
}

/* Whether one more event may go through the ring in this second. Of two that begin a second at the
 * same time one may forget the other. */
static __always_inline bool within(volatile struct vmt_event_rate *r, u64 now)
{
	if (!vmt_single_rate)
		return true;
	if (now - r->since_ns >= 1000000000) {
		r->since_ns = now;
		r->n = 0;
	}
	if (r->n >= vmt_single_rate) {
		stat_add(VMT_STAT_LIMITED, 1);
		return false;
	}
	vmt_add(&r->n, 1);
	return true;
}

static __always_inline bool within_rate(u64 now)
{
	return within(&rate, now);
}

static __noinline void file_facts(struct open_call *open, struct file *file)
{
	struct inode *inode;

	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	open->ino = BPF_CORE_READ(inode, i_ino);
	open->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (vmt_crashes && open->call == CALL(MMAP)) {
		open->before = BPF_CORE_READ(inode, i_size);
		open->flags |= VMT_EVENT_BEFORE;
	}
	open->name = name_of(file, open->ino, open->dev);
	open->flags |= VMT_EVENT_FILE;
}

static __noinline void file_of_fd(struct open_call *open, u64 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **all = BPF_CORE_READ(fdt, fd);
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), all + fd))
		return;
	file_facts(open, file);
}

/* The mapping at an address, by a walk without a lock: what another thread changes meanwhile may
 * not be found. Its length goes to before where that is asked for. */
static __noinline void file_of_vma(struct open_call *open, u64 addr, bool length)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct vm_area_struct *vma;
	unsigned long at, start, end;

	if (!mm)
		return;
	at = vmt_mm_find(mm, addr);
	if (at == VMT_WALK_DEAD)
		at = vmt_mm_find(mm, addr);
	if (at == VMT_WALK_NONE || at == VMT_WALK_DEAD)
		return;
	vma = (void *)at;
	start = BPF_CORE_READ(vma, vm_start);
	end = BPF_CORE_READ(vma, vm_end);
	if (addr < start || addr >= end)
		return;
	if (length) {
		open->before = end - start;
		open->flags |= VMT_EVENT_BEFORE;
	}
	file_facts(open, BPF_CORE_READ(vma, vm_file));
}

/* What is known of a call when it begins, and will not be when it has ended. */
static __noinline void look_before(struct open_call *open)
{
	u32 bit = 1u << (open->call & 31);

	if (open->call == CALL(MMAP) && !(open->args[3] & 0x20))
		file_of_fd(open, (u32)open->args[4]);
	else if (open->call == CALL(SHMDT))
		file_of_vma(open, open->args[0], true);
	else if (bit & RANGES)
		file_of_vma(open, open->args[0], false);
}

static __noinline void look_after(struct open_call *open, u64 ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 bit = 1u << (open->call & 31);

	if (open->call == CALL(MEMFD_CREATE))
		file_of_fd(open, ret);
	else if (open->call == CALL(SHMAT))
		file_of_vma(open, ret, true);
	else if (bit & EXECS)
		file_facts(open, BPF_CORE_READ(task, mm, exe_file));
}

static __always_inline bool is_error(s64 ret)
{
	return (u64)ret >= (u64)-4095;
}

static __always_inline u64 bytes_of(const struct open_call *open, s64 ret)
{
	u64 mask = vmt_page - 1;
	u32 bit = 1u << (open->call & 31);

	if (open->call == CALL(MMAP))
		return (open->args[1] + mask) & ~mask;
	if (open->call == CALL(MREMAP))
		return (open->args[2] + mask) & ~mask;
	if (bit & RANGES)
		return (open->args[1] + (open->args[0] & mask) + mask) & ~mask;
	if (open->call == CALL(BRK))
		return (u64)ret > open->before ? (u64)ret - open->before : open->before - (u64)ret;
	if (open->call == CALL(PROCESS_MADVISE))
		return ret;
	if (open->flags & VMT_EVENT_BEFORE)
		return open->before;
	return 0;
}

/* alone: nobody else counts in this row. */
static __always_inline void count(u32 slot, u32 call, bool alone, bool failed, u64 bytes, u64 ns)
{
	struct vmt_slot_process *p = bpf_map_lookup_elem(&processes, &slot);
	struct vmt_slot_call *c;

	if (!p)
		return;
	c = &p->calls[call & (VMT_EVENT_CALLS - 1)];
	if (alone && slot) {
		c->calls++;
		c->errors += failed;
		c->bytes += failed ? 0 : bytes;
		c->ns += ns;
		return;
	}
	vmt_add(&c->calls, 1);
	if (failed)
		vmt_add(&c->errors, 1);
	else if (bytes)
		vmt_add(&c->bytes, bytes);
	if (ns)
		vmt_add(&c->ns, ns);
}

/* Of a call that did not fail: what a later signal of the process may come from. */
static __always_inline void remember(const struct open_call *open, s64 ret, u64 now)
{
	const u64 *a = open->args, mask = vmt_page - 1;
	u32 bit = 1u << (open->call & 31);
	struct vmt_slot_changes *c;

	if (!vmt_crashes || !(bit & CHANGES))
		return;
	c = changes_of(open->slot, open->tgid);
	if (!c)
		return;
	if (bit & EXECS)
		c->n = c->n_files = 0;
	if (open->call == CALL(MMAP) && open->flags & VMT_EVENT_BEFORE)
		keep_file(c, ret, (a[1] + mask) & ~mask, now, open->ino, open->before);
	/* What it takes the place of is gone. */
	if (open->call == CALL(MMAP) && a[3] & MAP_FIXED)
		keep_change(c, open->tid, ret, (a[1] + mask) & ~mask, now, CALL(MMAP), 0);
	else if (open->call == CALL(MUNMAP))
		keep_change(c, open->tid, a[0], (a[1] + mask) & ~mask, now, CALL(MUNMAP), 0);
	else if (bit & (BIT(MPROTECT) | BIT(PKEY_MPROTECT)))
		keep_change(c, open->tid, a[0], (a[1] + mask) & ~mask, now, open->call, a[2]);
	else if (open->call == CALL(MADVISE) && a[2] - ADVICE_GUARD < 2)
		keep_change(c, open->tid, a[0], (a[1] + mask) & ~mask, now, CALL(MADVISE), a[2]);
	else if (open->call == CALL(MREMAP) && a[0] != (u64)ret)
		keep_change(c, open->tid, a[0], (a[1] + mask) & ~mask, now, CALL(MREMAP), 0);
	else if (open->call == CALL(MREMAP) && a[2] < a[1])
		keep_change(c, open->tid, a[0] + ((a[2] + mask) & ~mask),
			    ((a[1] + mask) & ~mask) - ((a[2] + mask) & ~mask), now, CALL(MREMAP),
			    0);
	else if (open->call == CALL(SHMDT) && open->flags & VMT_EVENT_BEFORE)
		keep_change(c, open->tid, a[0], open->before, now, CALL(SHMDT), 0);
	else if (open->call == CALL(BRK) && (u64)ret < open->before)
		keep_change(c, open->tid, ret, open->before - (u64)ret, now, CALL(BRK), 0);
}

/* When the process of a row was made; 0 where it has none of its own. */
static __always_inline u64 process_start(u32 slot)
{
	struct vmt_slot_process *p = bpf_map_lookup_elem(&processes, &slot);

	return p && slot ? p->start : 0;
}

/* Whether the current process has one thread: it alone makes more of them. */
static __always_inline bool is_alone(struct task_struct *task)
{
	return vmt_has_task_btf() && task->signal->live.counter == 1;
}

static __always_inline void fill(struct vmt_event_record *e, const struct open_call *open, u64 now,
				 s64 ret, s64 rss)
{
	u64 who = bpf_get_current_pid_tgid();

	e->end_ns = now;
	e->ns = open->t0 ? now - open->t0 : 0;
	for (int i = 0; i < 6; i++)
		e->args[i] = open->args[i];
	e->ret = ret;
	e->rss_pages = rss;
	e->before = open->before;
	e->ino = open->ino;
	e->dev = open->dev;
	e->name = open->name;
	e->tgid = who >> 32;
	e->tid = who;
	e->uid = bpf_get_current_uid_gid();
	e->call = open->call;
	e->flags = open->flags;
	e->pad[0] = e->pad[1] = 0;
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
}

/* Not inlined: it is rare, and its stack is not added to that of the rest. */
static __noinline void put(const struct open_call *open, u64 now, s64 ret, s64 rss)
{
	struct vmt_event_record *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		stat_add(VMT_STAT_DROPPED, 1);
		return;
	}
	fill(e, open, now, ret, rss);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* The same with the stack. */
static __noinline void put_stacked(const struct open_call *open, const struct vmt_slot_stack *s,
				   u64 now, s64 ret, s64 rss)
{
	struct vmt_event_stacked *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		stat_add(VMT_STAT_DROPPED, 1);
		return;
	}
	fill(&e->e, open, now, ret, rss);
	e->e.flags |= VMT_EVENT_STACK;
	bpf_probe_read_kernel(&e->stack, sizeof(e->stack), s);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#if defined(__TARGET_ARCH_x86)
static __always_inline void args_of(struct open_call *open, struct pt_regs *regs, bool compat)
{
	if (compat) {
		open->args[0] = (u32)regs->bx;
		open->args[1] = (u32)regs->cx;
		open->args[2] = (u32)regs->dx;
		open->args[3] = (u32)regs->si;
		open->args[4] = (u32)regs->di;
		open->args[5] = (u32)regs->bp;
		return;
	}
	open->args[0] = regs->di;
	open->args[1] = regs->si;
	open->args[2] = regs->dx;
	open->args[3] = regs->r10;
	open->args[4] = regs->r8;
	open->args[5] = regs->r9;
}
#else
static __always_inline void args_of(struct open_call *open, struct pt_regs *regs, bool compat)
{
	for (int i = 0; i < 6; i++)
		open->args[i] = compat ? (u32)regs->user_regs.regs[i] : regs->user_regs.regs[i];
}
#endif

/* Arguments that lie in the memory of the caller. False where the call is none of ours. */
static __noinline bool args_of_memory(struct open_call *open)
{
	const void *at = (const void *)open->args[0];
	u32 narrow[6];

	if (open->call == CALL(OLD_MMAP)) {
		if (bpf_probe_read_user(narrow, sizeof(narrow), at)) {
			stat_add(VMT_STAT_COMPAT, 1);
			return false;
		}
		for (int i = 0; i < 6; i++)
			open->args[i] = narrow[i];
		open->call = CALL(MMAP);
	} else if (open->call == CALL(OLD_IPC)) {
		u32 which = open->args[0] & 0xffff;

		if (which == IPC_SHMAT || which == IPC_SHMDT)
			stat_add(VMT_STAT_COMPAT, 1);
		return false;
	} else if (open->call == CALL(CLONE3)) {
		if (!bpf_probe_read_user(&open->args[0], sizeof(open->args[0]), at))
			open->flags |= VMT_EVENT_CLONE_FLAGS;
		else
			open->args[0] = 0;
	}
	return true;
}

/* Whether a number means a call that is told of, of whichever list it may be. */
static __always_inline bool is_of_interest(u64 number)
{
	if (number >= VMT_EVENT_NUMBERS)
		return false;
	barrier_var(number);
	number &= VMT_EVENT_NUMBERS - 1;
	return vmt_native_calls[number] | vmt_compat_calls[number];
}

/* The call that a number means, or 0. */
static __always_inline u32 call_of(u64 number, bool compat)
{
	if (number >= VMT_EVENT_NUMBERS)
		return 0;
	barrier_var(number);
	number &= VMT_EVENT_NUMBERS - 1;
	return compat ? vmt_compat_calls[number] : vmt_native_calls[number];
}

/* What can only be read before the call does its work. */
static __always_inline void begin(struct open_call *open, struct task_struct *task)
{
	struct mm_struct *mm = vmt_current_read(task, mm);
	u32 bit = 1u << (open->call & 31);

	if (mm && open->call == CALL(BRK)) {
		open->before = BPF_CORE_READ(mm, brk);
		open->flags |= VMT_EVENT_BEFORE;
	}
	if (mm && bit & MOVES && open->single && rss_pages(task, mm, &open->rss)) {
		open->cpu = bpf_get_smp_processor_id();
		open->flags |= VMT_EVENT_RSS;
	}
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(call_begins, struct pt_regs *regs, long number)
{
	struct task_struct *task;
	struct open_call *open;
	bool compat, old_mmap;
	u32 call, tgid;
	u64 now;

	/* Of most there is nothing to tell, and nothing is asked. */
	if (!is_of_interest(number)) {
		if (unlikely(number & X32_BIT) && number >= X32_BIT && control.active)
			stat_add(VMT_STAT_COMPAT, 1);
		return 0;
	}
	task = vmt_current();
	compat = vmt_is_compat(task);
	call = call_of(number, compat);
	if (!call)
		return 0;
	tgid = vmt_current_read(task, tgid);
	if (!wanted(tgid, call == CALL(OLD_MMAP)  ? CALL(MMAP)
			  : call == CALL(OLD_IPC) ? CALL(SHMAT)
						  : call))
		return 0;
	open = open_make(call_key(regs));
	if (!open)
		return 0;
	if (!open->slot || open->tgid != tgid) {
		open->slot = process_row(tgid, bpf_get_current_task());
		open->tgid = tgid;
	}
	open->tid = vmt_current_read(task, pid);
	open->alone = is_alone(task);
	open->call = call;
	open->flags = VMT_EVENT_TIMED | (compat ? VMT_EVENT_COMPAT : 0);
	open->before = open->ino = open->dev = open->name = 0;
	args_of(open, regs, compat);
	old_mmap = call == CALL(OLD_MMAP);
	if (unlikely(call >= VMT_EVENT_CALLS || call == CALL(CLONE3)) && !args_of_memory(open)) {
		open->call = 0;
		return 0;
	}
	/* In units of 4096 bytes, whatever the size of a page. */
	if (compat && open->call == CALL(MMAP) && !old_mmap)
		open->args[5] <<= 12;
	if (open->call >= CALL(CLONE) && open->call <= CALL(CLONE3) &&
	    open->args[0] & CLONE_THREAD) {
		open->call = 0;
		return 0;
	}
	open->site = vmt_stacks ? site_of(ctx, open->call, regs, compat) : 0;
	now = bpf_ktime_get_ns();
	open->single = control.singles && within_rate(now);
	begin(open, task);
	if (open->single) {
		look_before(open);
		now = bpf_ktime_get_ns();
	} else if (open->call == CALL(SHMDT)) {
		file_of_vma(open, open->args[0], true);
	}
	open->t0 = now;
	return 0;
}

/* Change of the pages in memory, of a call that goes through the ring. */
static __always_inline s64 rss_change(struct open_call *open)
{
	struct task_struct *task = vmt_current();
	struct mm_struct *mm = vmt_current_read(task, mm);
	s64 rss = 0;

	if (open->flags & VMT_EVENT_RSS &&
	    (!mm || open->cpu != bpf_get_smp_processor_id() || !rss_pages(task, mm, &rss)))
		open->flags &= ~VMT_EVENT_RSS;
	return rss - open->rss;
}

/* The end of a call that goes through the ring with its stack. What call_ends() has of ctx is read
 * anew: kept, it would make its stack larger, of which what this calls needs nearly all. */
static __always_inline void end_stacked(unsigned long long *ctx, struct open_call *open, u64 now)
{
	struct vmt_slot_stack *s;
	struct pt_regs *regs;
	s64 ret, rss;
	bool gone;

	barrier_var(ctx);
	regs = (void *)ctx[0];
	ret = ctx[1];
	gone = !is_error(ret) && 1u << (open->call & 31) & EXECS;
	s = single_stack(ctx, regs, open, gone);
	rss = rss_change(open);
	barrier_var(ctx);
	ret = ctx[1];
	if (s)
		put_stacked(open, s, now, ret, rss);
	else
		put(open, now, ret, rss);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(call_ends, struct pt_regs *regs, long ret)
{
	struct open_call *open;
	u64 now, bytes, ns;
	bool failed;
	u32 bit;

	if (!control.active)
		return 0;
#if defined(__TARGET_ARCH_x86)
	if (!is_of_interest(regs->orig_ax))
		return 0;
#endif
	open = open_find(call_key(regs));
	if (!open || !open->call)
		return 0;
	now = bpf_ktime_get_ns();
	ns = now - open->t0;
	bit = 1u << (open->call & 31);
	failed = is_error(ret);
	if (open->call == CALL(BRK))
		failed = open->args[0] && (u64)ret != open->args[0];
	if (!failed && (open->single || bit & BIT(SHMAT)))
		look_after(open, ret);
	if (!failed)
		remember(open, ret, now);
	bytes = failed ? 0 : bytes_of(open, ret);
	count(open->slot, open->call, open->alone, failed, bytes, ns);
	if (vmt_stacks && open->site)
		count_site(open->site - 1, open->call, failed, bytes, ns);
	if (vmt_touched && !failed && bit & CLAIMS)
		claim(open, ret, now, process_start(open->slot));
	if (!failed && bit & EXECS) {
		struct vmt_slot_process *p = bpf_map_lookup_elem(&processes, &open->slot);

		if (p && open->slot) {
			bpf_get_current_comm(&p->comm, sizeof(p->comm));
			p->exec_ns = now;
		}
	}
	if (open->single && vmt_single_stacks)
		end_stacked(ctx, open, now);
	else if (open->single)
		put(open, now, ret, rss_change(open));
	open->call = 0;
	return 0;
}

#include "bpf/crash-made.inc"
#include "bpf/pressure-made.inc"

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(process_begins, struct task_struct *parent, struct task_struct *child)
{
	u32 from = BPF_CORE_READ(parent, tgid), to = BPF_CORE_READ(child, tgid);
	u8 one = 1;

	if (!control.active || !vmt_follow || from == to || !bpf_map_lookup_elem(&filter, &from))
		return 0;
	if (bpf_map_update_elem(&filter, &to, &one, BPF_ANY))
		stat_add(VMT_STAT_BUSY, 1);
	return 0;
}

/* Hands the row of a process that ended over, and gives it back. */
static __noinline void hand_over(u32 tgid)
{
	u32 *known = bpf_map_lookup_elem(&process_index, &tgid);
	struct vmt_slot_process *p;
	u32 slot;

	if (!known)
		return;
	slot = *known;
	p = bpf_map_lookup_elem(&processes, &slot);
	/* Of two threads that believe to be the last, one takes it. */
	if (!p || bpf_map_delete_elem(&process_index, &tgid))
		return;
	if (bpf_ringbuf_output(&ended, p, sizeof(*p), BPF_RB_NO_WAKEUP)) {
		p->ended = 1;
		return;
	}
	p->ready = p->tgid = 0;
	p->exec_ns = 0;
	for (int i = 0; i < VMT_EVENT_CALLS; i++)
		p->calls[i] = (struct vmt_slot_call){};
	for (int i = 0; i < VMT_EVENT_STALLS; i++)
		p->stalls[i] = (struct vmt_slot_stall){};
	bpf_map_push_elem(&process_free, &slot, 0);
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(process_ends, struct task_struct *task)
{
	struct open_call open = { .call = CALL(EXIT) };
	struct signal_struct *signal;
	u64 who = bpf_get_current_pid_tgid();
	u32 tgid = who >> 32;
	u64 now = bpf_ktime_get_ns();
	s64 status;

	if (!control.active)
		return 0;
	open_end(task);
	signal = BPF_CORE_READ(task, signal);
	if (BPF_CORE_READ(signal, live.counter) > 0)
		return 0;
	/* As wait_task_zombie() makes it. */
	if (BPF_CORE_READ(signal, flags) & GROUP_EXIT)
		status = BPF_CORE_READ(signal, group_exit_code);
	else
		status = BPF_CORE_READ(task, group_leader, exit_code);
	if (wanted(tgid, CALL(EXIT))) {
		count(process_row(tgid, bpf_get_current_task()), CALL(EXIT), false, false, 0, 0);
		if (control.singles && within_rate(now))
			put(&open, now, status, 0);
	}
	hand_over(tgid);
	if (vmt_filter_on && vmt_follow)
		bpf_map_delete_elem(&filter, &tgid);
	return 0;
}
