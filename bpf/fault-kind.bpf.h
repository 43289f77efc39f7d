/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel did to serve a fault. Around handle_mm_fault(), functions on the way leave marks
 * with the task; where only tracepoints are, the processor's error code and the mapping have to do.
 * A kind is given only where the others are excluded: what else it could be counts as unknown.
 */

#include "bpf/fault-table.bpf.h"

#define VM_FAULT_FALLBACK 0x800u
#define HUGE_BYTES	  (2ul << 20)

/* Types from MAX_SWAPFILES on are migration, poison, markers: no swap (include/linux/swap.h). It is
 * at least 32 - 4 - 3 - 1 - 1, and nobody has as many areas. */
#define SWAP_TYPES 16

/* The fault that the current task is in, or NULL. */
static __always_inline struct open_fault *mark_open(u32 mark)
{
	struct task_account *a = own_account_find(bpf_get_current_task());

	if (!a || control.closing)
		return NULL;
	if (vmt_around && !(a->state & TASK_OPEN))
		return NULL;
	/* One in kernel mode lies inside the other. */
	if (!vmt_around && a->kernel_page) {
		a->kernel.marks |= mark;
		return &a->kernel;
	}
	/* It may be over, and wait for being counted. */
	if (!a->user_page ||
	    (ahead_timed() && vmt_current_read(vmt_current(), min_flt) != a->minor))
		return NULL;
	a->user.marks |= mark;
	return &a->user;
}

static __always_inline int mark_wp(struct vm_fault *vmf)
{
	struct open_fault *o = mark_open(MARK_WP);

	if (o) {
		o->entry = BPF_CORE_READ(vmf, orig_pte.pte);
		o->at = (u64)BPF_CORE_READ(vmf, pte);
	}
	return 0;
}

static __always_inline int mark_swap(struct vm_fault *vmf)
{
	u64 entry = BPF_CORE_READ(vmf, orig_pte.pte);

	mark_open(ENTRY_TYPE(entry) < SWAP_TYPES ? MARK_SWAP : MARK_NO_SWAP);
	return 0;
}

static __always_inline int mark_thp(u32 ret)
{
	mark_open(ret & VM_FAULT_FALLBACK ? MARK_THP_FALLBACK : MARK_THP);
	return 0;
}

SEC("?fentry/do_wp_page")
int BPF_PROG(fentry_wp, struct vm_fault *vmf)
{
	return mark_wp(vmf);
}

SEC("?kprobe/do_wp_page")
int BPF_KPROBE(kprobe_wp, struct vm_fault *vmf)
{
	return mark_wp(vmf);
}

SEC("?fentry/do_swap_page")
int BPF_PROG(fentry_swap, struct vm_fault *vmf)
{
	return mark_swap(vmf);
}

SEC("?kprobe/do_swap_page")
int BPF_KPROBE(kprobe_swap, struct vm_fault *vmf)
{
	return mark_swap(vmf);
}

SEC("?fexit/do_huge_pmd_anonymous_page")
int BPF_PROG(fexit_thp, struct vm_fault *vmf, unsigned int ret)
{
	return mark_thp(ret);
}

SEC("?kretprobe/do_huge_pmd_anonymous_page")
int BPF_KRETPROBE(kretprobe_thp, unsigned int ret)
{
	return mark_thp(ret);
}

/* Those of which it is enough that they are called; some have arguments that a trampoline of 5.10
 * cannot pass on. */
#define MARKER(fentry, kprobe, function, mark)                                                     \
	SEC("?fentry/" #function)                                                                  \
	int fentry(void *ctx)                                                                      \
	{                                                                                          \
		mark_open(mark);                                                                   \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?kprobe/" #function)                                                                  \
	int kprobe(void *ctx)                                                                      \
	{                                                                                          \
		mark_open(mark);                                                                   \
		return 0;                                                                          \
	}

MARKER(fentry_vma_fault, kprobe_vma_fault, __do_fault, MARK_FAULT)
MARKER(fentry_huge_wp, kprobe_huge_wp, do_huge_pmd_wp_page, MARK_HUGE_WP)
MARKER(fentry_numa, kprobe_numa, task_numa_fault, MARK_NUMA)
MARKER(fentry_userfault, kprobe_userfault, handle_userfault, MARK_USERFAULT)

/* filemap_fault() is what __do_fault() calls for nearly every file. */
SEC("?tp_btf/mm_filemap_fault")
int trace_vma_fault(void *ctx)
{
	mark_open(MARK_FAULT);
	return 0;
}

/* Whether a huge page could lie at that address; m has the bounds of the mapping as far as seen. */
static __always_inline bool huge_fits(struct vmt_slot_map *m, u64 addr)
{
	u64 start = addr & ~(HUGE_BYTES - 1);

	return m->vm_start <= start && start + HUGE_BYTES <= m->vm_end;
}

static __always_inline bool may_be_huge(struct vmt_slot_map *m, u64 addr)
{
	if (!(control.kinds & VMT_MAY_THP) &&
	    !(control.kinds & VMT_MAY_THP_MADVISE && m->vm_flags & VMT_VM_HUGEPAGE))
		return false;
	if (m->vm_flags & VMT_VM_NOHUGEPAGE)
		return false;
	return !m->tgid || huge_fits(m, addr);
}

/* Of a store to a write-protected page of a private mapping. The page table is still there: the
 * fault holds the mapping. */
static __always_inline u32 kind_of_wp(const struct open_fault *o)
{
	u64 now = 0;

	if (!o->at || !(o->entry & ENTRY_PRESENT) ||
	    bpf_probe_read_kernel(&now, sizeof(now), (void *)o->at) || !(now & ENTRY_PRESENT))
		return VMT_BPF_KIND_WRITE_PROTECT;
	return (now ^ o->entry) & ENTRY_FRAME ? VMT_BPF_KIND_COW_COPY : VMT_BPF_KIND_COW_REUSE;
}

/* Around handle_mm_fault(); ret is what it returned. */
static __always_inline u32 kind_around(struct vmt_slot_map *m, const struct open_fault *o, u64 addr,
				       u32 flags, u32 ret, bool major)
{
	u32 sees = control.kinds, marks = o->marks;
	bool write = flags & VMT_FAULT_FLAG_WRITE;
	bool shared = m->vm_flags & VMT_VM_SHARED;
	/* One that was only tried again is major, too. */
	bool was_read = ret & VMT_VM_FAULT_MAJOR || marks & MARK_READ;

	if (marks & MARK_USERFAULT)
		return VMT_BPF_KIND_USERFAULT;
	if (m->vm_flags & VMT_VM_UFFD_ANY && !(sees & VMT_SEES_USERFAULT))
		return VMT_BPF_KIND_UNKNOWN;
	if (m->class == VMT_BPF_HUGETLB)
		return VMT_BPF_KIND_HUGETLB;
	if (m->class == VMT_BPF_OTHER)
		return VMT_BPF_KIND_SPECIAL;
	if (marks & MARK_NUMA)
		return VMT_BPF_KIND_NUMA_HINT;
	if (marks & MARK_SWAP)
		return major ? VMT_BPF_KIND_SWAP_MAJOR : VMT_BPF_KIND_SWAP_MINOR;
	if (marks & MARK_NO_SWAP)
		return VMT_BPF_KIND_UNKNOWN;
	if (marks & MARK_WP && !shared)
		return ret & VMT_VM_FAULT_COMPLETED ? VMT_BPF_KIND_WRITE_PROTECT : kind_of_wp(o);
	if (marks & (MARK_WP | MARK_HUGE_WP) && !(m->class == VMT_BPF_FILE && shared))
		return VMT_BPF_KIND_WRITE_PROTECT;
	/* From here on it is no page that was there, or the hook that says so is missing. */
	if ((sees & VMT_MAY_NUMA && !(sees & VMT_SEES_NUMA)) ||
	    (sees & VMT_MAY_SWAP && !(sees & VMT_SEES_SWAP)) ||
	    (write && !shared && !(sees & VMT_SEES_WP)))
		return VMT_BPF_KIND_UNKNOWN;
	switch (m->class) {
	case VMT_BPF_ANON:
		if (marks & MARK_THP)
			return VMT_BPF_KIND_THP;
		if (marks & MARK_THP_FALLBACK && may_be_huge(m, addr))
			return VMT_BPF_KIND_THP_FALLBACK;
		if (may_be_huge(m, addr) &&
		    (!(sees & VMT_SEES_THP) || (write && !(sees & VMT_SEES_HUGE_WP))))
			return VMT_BPF_KIND_UNKNOWN;
		return write ? VMT_BPF_KIND_ZERO_FILL : VMT_BPF_KIND_ZERO_PAGE;
	case VMT_BPF_SHMEM:
		if (write && !shared)
			return VMT_BPF_KIND_FILE_COW;
		return was_read ? VMT_BPF_KIND_SWAP_MAJOR : VMT_BPF_KIND_SHMEM;
	case VMT_BPF_FILE:
		if (write)
			return shared ? VMT_BPF_KIND_FILE_WRITE : VMT_BPF_KIND_FILE_COW;
		if (major)
			return VMT_BPF_KIND_FILE_MAJOR;
		if (sees & VMT_SEES_FAULT && !(marks & MARK_FAULT))
			return VMT_BPF_KIND_FILE_AROUND;
		return VMT_BPF_KIND_FILE_MINOR;
	default:
		return VMT_BPF_KIND_UNKNOWN;
	}
}

/*
 * Of a store that found its page write-protected in a private mapping. Where it was not so before,
 * somebody else was first, or the page is on its way to another frame. If any page was since then,
 * another frame is no proof of a copy.
 */
static __always_inline u32 kind_of_store(const struct open_fault *o, u64 addr, bool after)
{
	u64 before = o->entry, now;

	if (before == ENTRY_UNKNOWN)
		return VMT_BPF_KIND_WRITE_PROTECT;
	if (!(before & ENTRY_PRESENT) || before & ENTRY_WRITE)
		return VMT_BPF_KIND_UNKNOWN;
	now = after ? table_entry(addr) : ENTRY_UNKNOWN;
	if (now == ENTRY_UNKNOWN)
		return VMT_BPF_KIND_WRITE_PROTECT;
	if (!(now & ENTRY_PRESENT) || !(now & ENTRY_WRITE))
		return VMT_BPF_KIND_UNKNOWN;
	if (!((now ^ before) & ~ENTRY_FLAGS))
		return VMT_BPF_KIND_COW_REUSE;
	return tables.moved < o->t0 ? VMT_BPF_KIND_COW_COPY : VMT_BPF_KIND_WRITE_PROTECT;
}

/*
 * Of anonymous memory that was nowhere. A huge page is tried where there is no table yet; if a
 * small one is there afterwards, it was not to be had, or not wanted, for instance by prctl(). The
 * next fault in this mapping has its entry looked at before.
 */
static __always_inline u32 kind_of_fresh(struct task_account *a, struct vmt_slot_map *m,
					 const struct open_fault *o, u64 addr, bool after)
{
	bool huge = may_be_huge(m, addr), look = huge && control.kinds & VMT_SEES_TABLES;
	u64 now;

	if (a->last.huge != look)
		a->last.huge = look;
	if (huge && !(o->marks & MARK_ENTRY && o->entry == ENTRY_NONE)) {
		now = look && after ? table_entry(addr) : ENTRY_UNKNOWN;
		if (now == ENTRY_UNKNOWN || !(now & ENTRY_PRESENT) || !(now & ENTRY_HUGE))
			return VMT_BPF_KIND_UNKNOWN;
		return VMT_BPF_KIND_THP;
	}
	return o->flags & PF_WRITE ? VMT_BPF_KIND_ZERO_FILL : VMT_BPF_KIND_ZERO_PAGE;
}

/*
 * Whether somebody is asked about a store to what userfaultfd protects. The fault holds the
 * mapping. Not static: verified once.
 */
__noinline int user_is_asked(unsigned long addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long found = mm ? vmt_mm_find(mm, addr) : VMT_WALK_NONE;
	struct vm_area_struct *vma = (void *)found;

	if (found < 4096 || BPF_CORE_READ(vma, vm_start) > addr ||
	    BPF_CORE_READ(vma, vm_end) <= addr || BPF_CORE_READ(vma, vm_mm) != mm)
		return 0;
	return !(vmt_user_features(vma) & VMT_UFFD_WP_ASYNC);
}

/*
 * Of a fault whose flags are the processor's error code. after: page tables are still as it has
 * left them, as at the software event.
 */
static __always_inline u32 kind_of_code(struct task_account *a, struct vmt_slot_map *m,
					const struct open_fault *o, u64 addr, bool major,
					bool after)
{
	u64 entry = o->marks & MARK_ENTRY ? o->entry : ENTRY_NONE;
	u32 sees = control.kinds;
	bool write = o->flags & PF_WRITE;
	bool shared = m->vm_flags & VMT_VM_SHARED;
	u64 user = m->vm_flags & VMT_VM_UFFD_ANY;

	/* Of other memory, userfaultfd is asked only where the page is nowhere. */
	if (user && (m->class != VMT_BPF_ANON || user & ~(VMT_VM_UFFD_MISSING | VMT_VM_UFFD_WP)))
		return VMT_BPF_KIND_UNKNOWN;
	if (m->class == VMT_BPF_HUGETLB)
		return VMT_BPF_KIND_HUGETLB;
	if (m->class == VMT_BPF_OTHER)
		return VMT_BPF_KIND_SPECIAL;
	if (o->flags & PF_PRESENT) {
		/* One that was there: a store that it did not permit, or a race that is over. */
		if (!write)
			return VMT_BPF_KIND_UNKNOWN;
		if (m->class == VMT_BPF_FILE && shared)
			return VMT_BPF_KIND_FILE_WRITE;
		if (shared)
			return VMT_BPF_KIND_WRITE_PROTECT;
		/* ENTRY_UNKNOWN has that bit, too. */
		if (user & VMT_VM_UFFD_WP && entry & ENTRY_USER_WP)
			return entry != ENTRY_UNKNOWN && after && user_is_asked(addr)
				       ? VMT_BPF_KIND_USERFAULT
				       : VMT_BPF_KIND_UNKNOWN;
		return kind_of_store(o, addr, after);
	}
	/* Nobody looked, and pages began to be moved then: it may have been one of them. */
	if (!(o->marks & MARK_ENTRY) && tables.moved >= o->t0)
		entry = ENTRY_UNKNOWN;
	if (entry == ENTRY_UNKNOWN) {
		if (sees & VMT_MAY_NUMA)
			return VMT_BPF_KIND_UNKNOWN;
		/* What a private mapping has for itself may lie in swap. */
		if (!shared && (m->class == VMT_BPF_ANON || m->vm_flags & VMT_VM_WRITE))
			return VMT_BPF_KIND_UNKNOWN;
	} else if (entry & ENTRY_PRESENT) {
		return VMT_BPF_KIND_UNKNOWN;
	} else if (entry & ENTRY_NUMA) {
		return VMT_BPF_KIND_NUMA_HINT;
	} else if (entry != ENTRY_NONE && entry != ENTRY_NO_TABLE) {
		if (ENTRY_TYPE(entry) >= SWAP_TYPES)
			return VMT_BPF_KIND_UNKNOWN;
		return major ? VMT_BPF_KIND_SWAP_MAJOR : VMT_BPF_KIND_SWAP_MINOR;
	}
	switch (m->class) {
	case VMT_BPF_ANON:
		if (user & VMT_VM_UFFD_MISSING)
			return VMT_BPF_KIND_USERFAULT;
		return kind_of_fresh(a, m, o, addr, after);
	case VMT_BPF_SHMEM:
		if (write && !shared)
			return VMT_BPF_KIND_FILE_COW;
		return major && sees & VMT_MAY_SWAP ? VMT_BPF_KIND_UNKNOWN : VMT_BPF_KIND_SHMEM;
	case VMT_BPF_FILE:
		if (write)
			return shared ? VMT_BPF_KIND_FILE_WRITE : VMT_BPF_KIND_FILE_COW;
		if (major)
			return VMT_BPF_KIND_FILE_MAJOR;
		if (sees & VMT_SEES_FAULT && !(o->marks & MARK_FAULT))
			return VMT_BPF_KIND_FILE_AROUND;
		return VMT_BPF_KIND_FILE_MINOR;
	default:
		return VMT_BPF_KIND_UNKNOWN;
	}
}

static __always_inline void kind_add(struct vmt_slot_map *m, u32 kind)
{
	if (kind && kind < VMT_BPF_KINDS)
		vmt_add(&m->kinds[kind], 1);
}
