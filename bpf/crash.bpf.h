/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is known of a SIGSEGV or SIGBUS when the kernel makes it: the registers of the thread, what
 * the exception said, and the mappings around the address, walked without a lock. What another
 * thread maps meanwhile may be missed; a mapping that is not of this address space is never taken.
 */

#include "bpf/common.bpf.h"
#include "bpf/crash.h"
#include "bpf/near.bpf.h"

const volatile __u32 vmt_crashes = 0; /* they are wanted: changes of mappings are kept */
const volatile __u32 vmt_handled = 0; /* and those with a handler, too */

#define SIGBUS_NUMBER	7
#define SIGSEGV_NUMBER	11
#define SI_KERNEL	128
#define MCEERR_AO	5
#define IGNORED		1 /* TRACE_SIGNAL_IGNORED */
#define ALREADY_PENDING 2 /* TRACE_SIGNAL_ALREADY_PENDING */
#define PKUERR		4 /* SEGV_PKUERR */
#define SIG_IGN_VALUE	1ul
#define STACK_LIMIT	3 /* RLIMIT_STACK */
#define HUGETLBFS	0x958458f6ul
#define UFFD_SIGBUS	0x00000080u /* UFFD_FEATURE_SIGBUS */
#define ADVICE_GUARD	102 /* MADV_GUARD_INSTALL */

/* One record at a time on a CPU: the program is not entered again where it runs. */
struct crash_work {
	struct vmt_crash_record r;
	struct pt_regs regs;
	u64 thread;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct crash_work);
} crash_works SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* user space sets it: as many as processes */
	__type(key, u32);
	__type(value, struct vmt_slot_changes);
} changes SEC(".maps");

/* The changes of a process, emptied where they are of another one. */
static __always_inline struct vmt_slot_changes *changes_of(u32 slot, u32 tgid)
{
	struct vmt_slot_changes *c = bpf_map_lookup_elem(&changes, &slot);

	if (!c || !slot)
		return NULL;
	if (c->tgid != tgid) {
		c->tgid = tgid;
		c->n = c->n_files = 0;
	}
	return c;
}

static __always_inline void keep_change(struct vmt_slot_changes *c, u32 tid, u64 start, u64 len,
					u64 now, u32 call, u32 value)
{
	struct vmt_slot_change *at = &c->changes[c->n & (VMT_CRASH_CHANGES - 1)];

	at->start = start;
	at->end = start + len;
	at->ns = now;
	at->tid = tid;
	at->call = call;
	at->value = value;
	c->n++;
}

static __always_inline void keep_file(struct vmt_slot_changes *c, u64 start, u64 len, u64 now,
				      u64 ino, u64 size)
{
	struct vmt_crash_file *at = &c->files[c->n_files & (VMT_CRASH_FILES - 1)];

	at->start = start;
	at->end = start + len;
	at->ns = now;
	at->ino = ino;
	at->file_size = size;
	c->n_files++;
}

/* Whether there was a mapping, and it is one of mm. */
static __noinline bool crash_area(struct vmt_crash_area *a, unsigned long at, struct mm_struct *mm)
{
	struct vm_area_struct *vma = (void *)at;
	struct inode *inode;
	struct file *file;

	if (at == VMT_WALK_NONE || at == VMT_WALK_DEAD || BPF_CORE_READ(vma, vm_mm) != mm)
		return false;
	a->start = BPF_CORE_READ(vma, vm_start);
	a->end = BPF_CORE_READ(vma, vm_end);
	a->flags = BPF_CORE_READ(vma, vm_flags);
	a->pgoff = BPF_CORE_READ(vma, vm_pgoff);
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return true;
	inode = BPF_CORE_READ(file, f_inode);
	a->ino = BPF_CORE_READ(inode, i_ino);
	/* That of a device says nothing. */
	a->file_size = (BPF_CORE_READ(inode, i_mode) & VMT_S_IFMT) == VMT_S_IFREG
			       ? BPF_CORE_READ(inode, i_size)
			       : ~0ull;
	a->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	a->name = name_of(file, a->ino, a->dev);
	return true;
}

/* How full the tmpfs is. */
static __noinline void crash_tmpfs(struct vmt_crash_record *r, struct super_block *sb)
{
	struct shmem_sb_info *info = BPF_CORE_READ(sb, s_fs_info);

	if (!bpf_core_type_exists(struct shmem_sb_info))
		return;
	r->blocks = BPF_CORE_READ(info, max_blocks);
	r->blocks_used = BPF_CORE_READ(info, used_blocks.count);
	r->flags |= VMT_CRASH_TMPFS;
}

static __noinline void crash_huge(struct vmt_crash_record *r, struct super_block *sb)
{
	struct hugetlbfs_sb_info *info = BPF_CORE_READ(sb, s_fs_info);
	struct hstate *h;

	if (!bpf_core_type_exists(struct hugetlbfs_sb_info) || !bpf_core_type_exists(struct hstate))
		return;
	h = BPF_CORE_READ(info, hstate);
	r->huge_free = BPF_CORE_READ(h, free_huge_pages);
	r->huge_reserved = BPF_CORE_READ(h, resv_huge_pages);
	r->huge_bytes = r->e.before << (BPF_CORE_READ(h, order) & 31);
	r->flags |= VMT_CRASH_HUGE;
}

/* What the kernel knows of the file system and of the userfaultfd behind a mapping. */
static __noinline void crash_backing(struct vmt_crash_record *r, unsigned long at)
{
	struct vm_area_struct *vma = (void *)at;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct super_block *sb;
	unsigned long magic;

	if (r->at.flags & VMT_VM_UFFD_ANY &&
	    bpf_core_field_exists(struct vm_area_struct, vm_userfaultfd_ctx.ctx) &&
	    vmt_user_features(vma) & UFFD_SIGBUS)
		r->flags |= VMT_CRASH_USER_BUS;
	if (!file)
		return;
	sb = BPF_CORE_READ(file, f_inode, i_sb);
	magic = BPF_CORE_READ(sb, s_magic);
	if (magic == VMT_TMPFS_MAGIC)
		crash_tmpfs(r, sb);
	else if (magic == HUGETLBFS)
		crash_huge(r, sb);
}

/*
 * The mappings around an address. Twice where the tree changed under the first walk; where it did
 * so under the second, too, nothing is known of it: neither that there is a mapping, nor that there
 * is none.
 */
static __noinline void crash_space(struct crash_work *w, struct mm_struct *mm, unsigned long addr)
{
	struct vmt_crash_record *r = &w->r;
	unsigned long at, below, above, low = addr, high = addr;

	at = vmt_mm_find(mm, addr);
	if (at == VMT_WALK_DEAD)
		at = vmt_mm_find(mm, addr);
	if (at == VMT_WALK_DEAD)
		return;
	if (crash_area(&r->at, at, mm)) {
		if (addr < r->at.start || addr >= r->at.end) {
			/* It was changed under the walk. */
			r->at.end = 0;
			return;
		}
		low = r->at.start;
		high = r->at.end;
		crash_backing(r, at);
	}
	below = vmt_mm_near(mm, low, false);
	if (below == VMT_WALK_DEAD)
		below = vmt_mm_near(mm, low, false);
	crash_area(&r->below, below, mm);
	above = vmt_mm_near(mm, high, true);
	if (above == VMT_WALK_DEAD)
		above = vmt_mm_near(mm, high, true);
	crash_area(&r->above, above, mm);
	/* Why there is no mapping say those next to it. */
	if (!r->at.end && (below == VMT_WALK_DEAD || above == VMT_WALK_DEAD))
		return;
	r->flags |= VMT_CRASH_SPACE;
}

#if defined(__TARGET_ARCH_x86)
#define KERNEL_STACK 16384ul /* THREAD_SIZE; of kernels before 5.15 */

/*
 * What the thread keeps is that of its last exception, and of no system call. That the kernel was
 * entered by an exception or an interrupt says -1 for the number of a call
 * (arch/x86/entry/entry_64.S).
 */
static __always_inline void crash_trap(struct vmt_crash_record *r, const struct pt_regs *regs,
				       struct task_struct *task)
{
	if (!(r->flags & VMT_CRASH_REGISTERS) || (s32)regs->orig_ax != -1)
		return;
	r->trap = BPF_CORE_READ(task, thread.trap_nr);
	r->error = BPF_CORE_READ(task, thread.error_code);
	r->flags |= VMT_CRASH_TRAP;
}

static __always_inline void crash_copy(struct vmt_crash_record *r, const struct pt_regs *p)
{
	r->ip = p->ip;
	r->sp = p->sp;
	r->regs[0] = p->ax;
	r->regs[1] = p->cx;
	r->regs[2] = p->dx;
	r->regs[3] = p->bx;
	r->regs[4] = p->sp;
	r->regs[5] = p->bp;
	r->regs[6] = p->si;
	r->regs[7] = p->di;
	r->regs[8] = p->r8;
	r->regs[9] = p->r9;
	r->regs[10] = p->r10;
	r->regs[11] = p->r11;
	r->regs[12] = p->r12;
	r->regs[13] = p->r13;
	r->regs[14] = p->r14;
	r->regs[15] = p->r15;
}
#else
#define KERNEL_STACK 0ul

static __always_inline void crash_trap(struct vmt_crash_record *r, const struct pt_regs *regs,
				       struct task_struct *task)
{
	r->error = BPF_CORE_READ(task, thread.fault_code);
	r->flags |= VMT_CRASH_TRAP;
}

static __always_inline void crash_copy(struct vmt_crash_record *r, const struct pt_regs *p)
{
	r->ip = p->user_regs.pc;
	r->sp = p->user_regs.sp;
}
#endif

/* bpf_task_pt_regs() came with 5.15 (dd6e10fbd9fb). */
#define vmt_has_task_regs() bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* Where the registers of the current task lie, 0 where that is not known. Without that function
 * they stand at the end of the stack. */
static __always_inline u64 task_regs(struct task_struct *task)
{
	if (vmt_has_task_regs())
		return bpf_task_pt_regs(bpf_get_current_task_btf());
	if (KERNEL_STACK)
		return (u64)BPF_CORE_READ(task, stack) + KERNEL_STACK - sizeof(struct pt_regs);
	return 0;
}

static __noinline void crash_regs(struct crash_work *w, struct task_struct *task)
{
	u64 at = task_regs(task);

	if (!at || bpf_probe_read_kernel(&w->regs, sizeof(w->regs), (void *)at))
		return;
	crash_copy(&w->r, &w->regs);
	w->r.flags |= VMT_CRASH_REGISTERS;
}

/* What sp points to, and the bytes at ip, or as many as its page has. */
static __noinline void crash_code(struct vmt_crash_record *r)
{
	u32 rest = 4096 - (r->ip & 4095);

	if (!bpf_probe_read_user(&r->top, sizeof(r->top), (void *)r->sp))
		r->flags |= VMT_CRASH_TOP;
	if (!bpf_probe_read_user(r->bytes, sizeof(r->bytes), (void *)r->ip)) {
		r->flags |= VMT_CRASH_CODE_READ;
		return;
	}
	rest &= VMT_CRASH_CODE - 1;
	if (rest && !bpf_probe_read_user(r->bytes, rest, (void *)r->ip))
		r->flags |= VMT_CRASH_CODE_READ;
}

/* What the process did to the mappings at the address, as far as it is kept. */
static __noinline void crash_history(struct vmt_crash_record *r, u32 slot, u32 guards)
{
	struct vmt_slot_changes *c = bpf_map_lookup_elem(&changes, &slot);
	u64 addr = r->address, newest = 0;

	if (!c || !slot || c->tgid != r->e.tgid)
		return;
	for (u32 i = 0; i < VMT_CRASH_CHANGES; i++) {
		const struct vmt_slot_change *one = &c->changes[i];
		struct vmt_slot_change *to = &r->gone;

		if (i >= c->n || addr < one->start || addr >= one->end)
			continue;
		if (one->call < 32 && guards >> one->call & 1)
			to = &r->changed;
		if (one->ns > to->ns)
			*to = *one;
	}
	for (u32 i = 0; i < VMT_CRASH_FILES; i++) {
		const struct vmt_crash_file *one = &c->files[i];

		if (i >= c->n_files || addr < one->start || addr >= one->end ||
		    one->ino != r->at.ino || one->ns < newest)
			continue;
		newest = one->ns;
		r->file_size_then = one->file_size;
		r->flags |= VMT_CRASH_FILE_SIZE;
	}
}

/* All that is found out about a signal of a thread, but for what is in r->e. */
static __always_inline void crash_facts(struct crash_work *w, struct kernel_siginfo *info,
					struct task_struct *task, u32 slot, u32 guards)
{
	struct vmt_crash_record *r = &w->r;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	bool own = r->flags & VMT_CRASH_OWN;
	unsigned long addr;

	if (r->si_code <= 0) {
		r->sender = bpf_get_current_pid_tgid() >> 32;
		return;
	}
	if (r->si_code != SI_KERNEL)
		r->address = (u64)BPF_CORE_READ(info, _sifields._sigfault._addr);
	r->pkey = BPF_CORE_READ(info, _sifields._sigfault._addr_pkey._pkey);
	r->lsb = (u16)BPF_CORE_READ(info, _sifields._sigfault._addr_lsb);
	if (own && r->si_code != MCEERR_AO) {
		crash_regs(w, task);
		crash_trap(r, &w->regs, task);
		crash_code(r);
	}
	r->stack_limit = BPF_CORE_READ(task, signal, rlim[STACK_LIMIT].rlim_cur);
	r->flags |= VMT_CRASH_STACK_LIMIT;
	if (!mm)
		return;
	addr = r->si_code == SI_KERNEL ? r->sp : r->address;
	crash_space(w, mm, addr);
	if (r->flags & VMT_CRASH_REGISTERS)
		crash_area(&r->code, vmt_mm_find(mm, r->ip), mm);
	crash_history(r, slot, guards);
}
