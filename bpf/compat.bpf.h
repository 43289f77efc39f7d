/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One wrapper for each difference between kernels, with the version that it bridges. A branch on
 * bpf_core_field_exists() is a constant when the verifier sees it, so the other side may name
 * members that this kernel does not have; in a function of its own, because clang moves the
 * instruction that no kernel can have in front of the branch where it can.
 */

#include "bpf/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* What is rare stands at the end of a program, out of the way of the rest. */
#define unlikely(x) __builtin_expect(!!(x), 0)
#define likely(x)   __builtin_expect(!!(x), 1)

/*
 * VM_FAULT_*: the same bits from 5.9 to 7.x where they exist at all. VM_FAULT_COMPLETED came with
 * 6.0 (d92725256b4f); the bit was free before.
 */
#define VMT_VM_FAULT_OOM       0x000001u
#define VMT_VM_FAULT_SIGBUS    0x000002u
#define VMT_VM_FAULT_MAJOR     0x000004u
#define VMT_VM_FAULT_HWPOISON  0x000030u /* the page, or its huge page */
#define VMT_VM_FAULT_SIGSEGV   0x000040u
#define VMT_VM_FAULT_RETRY     0x000400u
#define VMT_VM_FAULT_COMPLETED 0x004000u
#define VMT_VM_FAULT_ERROR     0x000873u /* with VM_FAULT_FALLBACK, 0x800 */

/* FAULT_FLAG_*: macros in 5.10, an enum since 5.13 (da2f5eb3d344); the same values. */
#define VMT_FAULT_FLAG_WRITE	   0x01u
#define VMT_FAULT_FLAG_TRIED	   0x20u
#define VMT_FAULT_FLAG_USER	   0x40u
#define VMT_FAULT_FLAG_INSTRUCTION 0x100u

#define VMT_VM_WRITE	  0x00000002ul
#define VMT_VM_EXEC	  0x00000004ul
#define VMT_VM_SHARED	  0x00000008ul
#define VMT_VM_GROWSDOWN  0x00000100ul
#define VMT_VM_HUGETLB	  0x00400000ul
#define VMT_VM_HUGEPAGE	  0x20000000ul /* MADV_HUGEPAGE */
#define VMT_VM_NOHUGEPAGE 0x40000000ul /* MADV_NOHUGEPAGE */
/* VM_UFFD_MISSING, VM_UFFD_WP, and the bits that were VM_UFFD_MINOR since 5.13: 37, 38, 41. One of
 * them means a shadow stack elsewhere, of which then less is known than could be. */
#define VMT_VM_UFFD_ANY	    0x0000026000001200ul
#define VMT_VM_UFFD_MISSING 0x00000200ul
#define VMT_VM_UFFD_WP	    0x00001000ul
/* UFFD_FEATURE_WP_ASYNC, since 6.7: what it protects is made writable without asking. */
#define VMT_UFFD_WP_ASYNC 0x00008000u

#define VMT_PF_KTHREAD	  0x00200000u
#define VMT_TMPFS_MAGIC	  0x01021994ul
#define VMT_OVERLAY_MAGIC 0x794c7630ul
#define VMT_S_IFMT	  0170000
#define VMT_S_IFREG	  0100000
#define VMT_S_IFBLK	  0060000

/*
 * 0, which the verifier does not know: added to an index, all ways that lead to it look the same
 * from there on, and are verified once.
 */
volatile __u64 vmt_zero = 0;

/*
 * The task that runs. bpf_get_current_task_btf() came with 5.11 (3ca1032ab7ab): the verifier knows
 * what its pointer is, and a member of it is a plain load. Before, each is a call.
 */
#define vmt_has_task_btf()                                                                         \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct task_struct *vmt_current(void)
{
	if (vmt_has_task_btf())
		return bpf_get_current_task_btf();
	return (void *)bpf_get_current_task();
}

/* A member of what vmt_current() gave. */
#define vmt_current_read(task, member)                                                             \
	(vmt_has_task_btf() ? (task)->member : BPF_CORE_READ(task, member))

/*
 * Which state the mappings of the current task are in: *ret_seq is another one whenever they may
 * have been changed. Locks of single mappings (5e31275cc997, 6.4) need mm_lock_seq for themselves:
 * it goes up where a writer releases mmap_lock, and since 6.14 also where he takes it
 * (Documentation/mm/process_addrs.rst). What he changes meanwhile is locked until then, and is not
 * the mapping that a fault holds. False where the kernel has no such thing. mm is not NULL.
 */
static __always_inline bool vmt_mm_seq(struct mm_struct *mm, u32 *ret_seq)
{
	if (!vmt_has_task_btf())
		return false;
	if (bpf_core_field_exists(struct mm_struct, mm_lock_seq.sequence)) {
		*ret_seq = mm->mm_lock_seq.sequence;
		return true;
	}
	if (bpf_core_field_exists(struct mm_struct___6_4, mm_lock_seq)) {
		*ret_seq = ((struct mm_struct___6_4 *)mm)->mm_lock_seq;
		return true;
	}
	return false;
}

/* Whether somebody held mmap_lock to write when vmt_mm_seq() gave that: since 6.14 it is odd then
 * (mm_lock_seqcount_begin()); before, it does not tell. */
static __always_inline bool vmt_mm_seq_writes(u32 seq)
{
	return bpf_core_field_exists(struct mm_struct, mm_lock_seq.sequence) && seq & 1;
}

/* What a look-up of a mapping can say instead of an address. */
#define VMT_WALK_NONE 0ul
#define VMT_WALK_DEAD 1ul

/* Addresses, the last one included, at which a walk finds the same. */
struct vmt_walk_range {
	u64 first;
	u64 last;
};

/*
 * One descent through a maple tree (6.1+) without a lock. The nodes are freed by RCU, which every
 * program holds; one that was replaced under us is its own parent. Layout: 256 bytes of parent,
 * pivots, slots; a node of type 3 (maple_arange_64) has 9 pivots, the others 15. A pivot of 0
 * behind the first ends the node (needed on 6.1, whose nodes are not padded with the maximum).
 * range: what was found is of it, or NULL.
 */
static __always_inline unsigned long vmt_maple_walk(unsigned long entry, unsigned long addr,
						    struct vmt_walk_range *range)
{
	unsigned long node[17]; /* without its slots, but one */
	unsigned long next;

	if (range)
		*range = (struct vmt_walk_range){ 0, ~0ull };
	if ((entry & 3) != 2)
		return VMT_WALK_NONE;
	for (int level = 0; level < 12; level++) {
		unsigned long base = entry & ~0xfful;
		u32 type = (entry >> 3) & 15;
		/* What the verifier learns of these shall not outlive a level, nor a pivot: there
		 * would be as many ways to the next level. */
		u64 pivots = (type == 3 ? 9 : 15) + vmt_zero, slot = pivots;
		unsigned long want = addr + vmt_zero;

		if (bpf_probe_read_kernel(node, sizeof(node), (void *)base))
			return VMT_WALK_DEAD;
		if ((node[0] & ~0xfful) == base)
			return VMT_WALK_DEAD;
		for (u32 i = 0; i < 16; i++) {
			unsigned long pivot = node[1 + i];

			slot++;
			barrier_var(slot);
			if (i >= pivots || (!pivot && i))
				break;
			if (pivot >= want) {
				if (range)
					range->last = pivot;
				break;
			}
			if (range)
				range->first = pivot + 1;
		}
		if (bpf_probe_read_kernel(&next, sizeof(next), (void *)(base + (slot & 31) * 8)))
			return VMT_WALK_DEAD;
		if (type < 2)
			return next;
		entry = next;
	}
	return VMT_WALK_DEAD;
}

/* Not static: the verifier looks at such a function once, and not at every call. */
__noinline unsigned long vmt_maple_descend(unsigned long entry, unsigned long addr)
{
	return vmt_maple_walk(entry, addr, NULL);
}

/*
 * Before 6.1 (524e00b36e8c) the mappings are a red-black tree. It is stable where a fault is
 * counted: whoever faults holds mmap_lock there.
 */
static __noinline unsigned long vmt_rbtree_descend(struct mm_struct *mm, unsigned long addr)
{
	struct rb_node *node = BPF_CORE_READ(mm, mm_rb.rb_node);

	for (int level = 0; level < 40 && node; level++) {
		struct vm_area_struct *vma =
			(void *)((char *)node -
				 bpf_core_field_offset(struct vm_area_struct, vm_rb));

		if (addr < BPF_CORE_READ(vma, vm_start))
			node = BPF_CORE_READ(node, rb_left);
		else if (addr >= BPF_CORE_READ(vma, vm_end))
			node = BPF_CORE_READ(node, rb_right);
		else
			return (unsigned long)vma;
	}
	return VMT_WALK_NONE;
}

static __noinline unsigned long vmt_maple_lookup(struct mm_struct *mm, unsigned long addr)
{
	return vmt_maple_descend((unsigned long)BPF_CORE_READ(mm, mm_mt.ma_root), addr);
}

/* The mapping at an address, unless VMT_WALK_*; to be checked by the caller. */
static __always_inline unsigned long vmt_mm_find(struct mm_struct *mm, unsigned long addr)
{
	if (bpf_core_field_exists(struct mm_struct, mm_mt))
		return vmt_maple_lookup(mm, addr);
	return vmt_rbtree_descend(mm, addr);
}

/*
 * Whether the current task is in a system call of the numbers of 32 bits: TS_COMPAT of x86, which
 * has stood in thread_info.status since 4.16 (37a8f7c38339), and _TIF_32BIT of arm64.
 */
static __always_inline bool vmt_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return vmt_current_read(task, thread_info.status) & 2;
#else
	return vmt_current_read(task, thread_info.flags) >> 22 & 1;
#endif
}

/*
 * Whether a task came into the kernel by a system call, and not by a fault or an interrupt, which
 * set the number of the call to -1 (arch/x86/entry/entry_64.S). bpf_task_pt_regs() came with 5.15.
 * Elsewhere, and where it is not known, false.
 */
static __always_inline bool vmt_in_syscall(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	unsigned long number = ~0ul;
	struct pt_regs *regs;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return false;
	regs = (void *)bpf_task_pt_regs(task);
	bpf_probe_read_kernel(&number, sizeof(number), &regs->orig_ax);
	return (long)number >= 0;
#else
	return false;
#endif
}

static __noinline unsigned long vmt_mm_owner_read(struct mm_struct *mm)
{
	return (unsigned long)BPF_CORE_READ(mm, owner);
}

/* mm->owner needs CONFIG_MEMCG; NULL where it is not there. */
static __always_inline struct task_struct *vmt_mm_owner(struct mm_struct *mm)
{
	if (!bpf_core_field_exists(struct mm_struct, owner))
		return NULL;
	return (void *)vmt_mm_owner_read(mm);
}

static __noinline unsigned long vmt_mm_vdso_read(struct mm_struct *mm)
{
	return (unsigned long)BPF_CORE_READ(mm, context.vdso);
}

/* Where the vdso is mapped; mm_context_t is the architecture's own. */
static __always_inline unsigned long vmt_mm_vdso(struct mm_struct *mm)
{
	if (!bpf_core_field_exists(struct mm_struct, context.vdso))
		return 0;
	return vmt_mm_vdso_read(mm);
}

static __noinline unsigned long vmt_kernfs_parent_read(struct kernfs_node *kn)
{
	return (unsigned long)BPF_CORE_READ(kn, parent);
}

/* kernfs_node.parent became __parent with 6.15. */
static __always_inline struct kernfs_node *vmt_kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node___6_15 *now = (void *)kn;

	if (bpf_core_field_exists(struct kernfs_node___6_15, __parent))
		return BPF_CORE_READ(now, __parent);
	return (void *)vmt_kernfs_parent_read(kn);
}

static __noinline unsigned long vmt_dfl_cgroup_read(struct task_struct *task)
{
	return (unsigned long)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
}

/*
 * The directory of the cgroup that a task's memory is charged to, as vmt_pid_cgroup_parse() takes
 * it from /proc/PID/cgroup: of the memory controller, where it has a hierarchy of its own (version
 * 1), else of version 2. NULL without CONFIG_CGROUPS.
 */
static __noinline struct kernfs_node *vmt_memory_cgroup(struct task_struct *task)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set;
	struct cgroup *c;
	unsigned long at;

	if (!bpf_core_field_exists(struct task_struct, cgroups))
		return NULL;
	set = BPF_CORE_READ(task, cgroups);
	if (set && bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		at = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
		bpf_probe_read_kernel(&css, sizeof(css),
				      (char *)set + bpf_core_field_offset(struct css_set, subsys) +
					      at * sizeof(css));
	}
	c = css ? BPF_CORE_READ(css, cgroup) : NULL;
	if (c && BPF_CORE_READ(c, root, hierarchy_id))
		return BPF_CORE_READ(c, kn);
	return (void *)vmt_dfl_cgroup_read(task);
}

static __noinline unsigned int vmt_user_features_read(struct vm_area_struct *vma)
{
	return BPF_CORE_READ(vma, vm_userfaultfd_ctx.ctx, features);
}

/* UFFD_FEATURE_* of the userfaultfd that a mapping is registered with; all where that is not known.
 */
static __always_inline unsigned int vmt_user_features(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(struct vm_area_struct, vm_userfaultfd_ctx.ctx) ||
	    !bpf_core_field_exists(struct userfaultfd_ctx, features))
		return ~0u;
	return vmt_user_features_read(vma);
}

static __noinline unsigned long vmt_alias_offset_7_0(void)
{
	return bpf_core_field_offset(struct dentry___7_0, d_alias);
}

static __noinline unsigned long vmt_alias_offset(void)
{
	return bpf_core_field_offset(struct dentry, d_u.d_alias);
}

/* The dentry that a node of inode.i_dentry is in. Since 7.0 the union around d_alias has no name.
 */
static __always_inline struct dentry *vmt_alias_dentry(unsigned long node)
{
	if (bpf_core_field_exists(struct dentry___7_0, d_alias))
		return (void *)(node - vmt_alias_offset_7_0());
	return (void *)(node - vmt_alias_offset());
}

static __noinline unsigned long vmt_folio_index_read(struct folio *folio)
{
	return BPF_CORE_READ(folio, index);
}

/* Where in its file the first page of a folio is, in pages. Folios came with 5.16 (7b230db3b8d3);
 * before, what the page cache holds is a page, and that is what the pointer is of. */
static __always_inline unsigned long vmt_folio_index(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return vmt_folio_index_read(folio);
	return BPF_CORE_READ((struct page *)folio, index);
}

static __noinline unsigned long vmt_folio_mapping_read(struct folio *folio)
{
	return (unsigned long)BPF_CORE_READ(folio, mapping);
}

static __always_inline unsigned long vmt_folio_mapping(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return vmt_folio_mapping_read(folio);
	return (unsigned long)BPF_CORE_READ((struct page *)folio, mapping);
}

static __noinline unsigned long vmt_highatomic_6_13(struct zone *zone)
{
	return BPF_CORE_READ((struct zone___6_13 *)zone, nr_free_highatomic);
}

/* Free pages of a zone that are kept for requests that cannot wait: what is free of its reserve
 * since 6.13 (c928807f6f6b), and before all of the reserve, as the kernel itself takes it. */
static __always_inline unsigned long vmt_zone_highatomic(struct zone *zone)
{
	if (bpf_core_field_exists(struct zone___6_13, nr_free_highatomic))
		return vmt_highatomic_6_13(zone);
	return BPF_CORE_READ(zone, nr_reserved_highatomic);
}

static __noinline unsigned long vmt_page_flags_6_18(struct folio *folio)
{
	return BPF_CORE_READ((struct page___6_18 *)folio, flags.f);
}

static __noinline unsigned long vmt_page_flags_read(struct folio *folio)
{
	return BPF_CORE_READ((struct page *)folio, flags);
}

static __noinline unsigned int vmt_folio_order_read(struct folio *folio)
{
	return BPF_CORE_READ(folio, _folio_order);
}

static __noinline unsigned int vmt_folio_flags_1_read(struct folio *folio)
{
	return BPF_CORE_READ(folio, _flags_1) & 0xff;
}

static __noinline unsigned int vmt_compound_order_read(struct folio *folio)
{
	struct page *second = (void *)((char *)folio + bpf_core_type_size(struct page));

	return BPF_CORE_READ(second, compound_order);
}

/*
 * How many pages a folio of the page cache has. Its flags became a struct with 6.18 (53fbef56e07d);
 * the order of a large one stood in its second page, in a member of its own (6.0), and stands in
 * its second flags since 6.6 (ebc1baf5c9b4). Where a kernel keeps it elsewhere no program with this
 * in it loads.
 */
static __always_inline u64 vmt_folio_pages(struct folio *folio)
{
	unsigned long flags;
	unsigned int order;

	if (bpf_core_field_exists(struct page___6_18, flags.f))
		flags = vmt_page_flags_6_18(folio);
	else
		flags = vmt_page_flags_read(folio);
	if (!(flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 1;
	if (bpf_core_field_exists(struct folio, _folio_order))
		order = vmt_folio_order_read(folio);
	else if (bpf_core_field_exists(struct folio, _flags_1))
		order = vmt_folio_flags_1_read(folio);
	else
		order = vmt_compound_order_read(folio);
	return 1ull << (order & 31);
}
