/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The mappings next to an address, walked without a lock. */

#include "bpf/compat.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vmt_walk_range);
} walk_ranges SEC(".maps");

/* What a maple tree has at an address; where that begins and ends is noted in walk_ranges. Not
 * static: the verifier looks at such a function once, and not at every call. */
__noinline unsigned long vmt_maple_range(unsigned long entry, unsigned long addr)
{
	u32 zero = 0;
	struct vmt_walk_range *range = bpf_map_lookup_elem(&walk_ranges, &zero);

	if (!range)
		return VMT_WALK_DEAD;
	return vmt_maple_walk(entry, addr, range);
}

static __noinline unsigned long vmt_maple_near(struct mm_struct *mm, unsigned long addr, bool up)
{
	unsigned long root = (unsigned long)BPF_CORE_READ(mm, mm_mt.ma_root), at;
	struct vmt_walk_range *range;
	u32 zero = 0;

	for (int i = 0; i < 4; i++) {
		if (!up && !addr)
			return VMT_WALK_NONE;
		at = vmt_maple_range(root, up ? addr : addr - 1);
		/* Values below the page size are the tree's own, not pointers. */
		if (at == VMT_WALK_DEAD || at > 4096)
			return at;
		range = bpf_map_lookup_elem(&walk_ranges, &zero);
		if (!range || (up && range->last == ~0ull))
			return VMT_WALK_NONE;
		addr = up ? range->last + 1 : range->first;
	}
	return VMT_WALK_NONE;
}

static __noinline unsigned long vmt_rbtree_near(struct mm_struct *mm, unsigned long addr, bool up)
{
	struct rb_node *node = BPF_CORE_READ(mm, mm_rb.rb_node);
	unsigned long found = VMT_WALK_NONE;

	for (int level = 0; level < 40 && node; level++) {
		struct vm_area_struct *vma =
			(void *)((char *)node -
				 bpf_core_field_offset(struct vm_area_struct, vm_rb));
		bool fits = up ? BPF_CORE_READ(vma, vm_start) >= addr
			       : BPF_CORE_READ(vma, vm_end) <= addr;

		if (fits)
			found = (unsigned long)vma;
		/* Of those that fit the nearest: towards the address. */
		if (fits == up)
			node = BPF_CORE_READ(node, rb_left);
		else
			node = BPF_CORE_READ(node, rb_right);
	}
	return found;
}

/* The mapping that ends nearest below an address, or that begins there or nearest above it, unless
 * VMT_WALK_*; to be checked by the caller. */
static __always_inline unsigned long vmt_mm_near(struct mm_struct *mm, unsigned long addr, bool up)
{
	if (bpf_core_field_exists(struct mm_struct, mm_mt))
		return vmt_maple_near(mm, addr, up);
	return vmt_rbtree_near(mm, addr, up);
}
