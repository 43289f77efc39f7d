/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The page table's entry of an address of the current task. Where nothing is around the functions
 * that serve a fault, it tells before and after a fault what was done about it: the same frame made
 * writable, or another one; a page that lay in swap; a huge page. x86 alone: elsewhere there is no
 * tracepoint before a fault.
 *
 * Tables are read through the kernel's map of all memory, whose address is nowhere to be had; user
 * space proves a guess by frames of its own pages (vmt_probe_tables_find()). Nothing is locked, and
 * tables may be freed under a walk: before a fault it runs with interrupts off, as
 * get_user_pages_fast() does, and after one the fault holds the mapping. What cannot be read, or
 * lies beyond the memory there is, is an entry that is not known.
 */

#include "bpf/fault-task.bpf.h"

volatile struct vmt_fault_tables tables = {};

/* Entries of page tables: the frame, and of one without a frame the type of its swap area. */
#if defined(__TARGET_ARCH_x86)
#define ENTRY_PRESENT 1ul
#define ENTRY_FRAME   0x000ffffffffff000ul
#define ENTRY_TYPE(e) ((e) >> 59)
#elif defined(__TARGET_ARCH_arm64)
#define ENTRY_PRESENT 1ul
#define ENTRY_FRAME   0x0000fffffffff000ul
#define ENTRY_TYPE(e) ((e) >> 6 & 31)
#endif

#define ENTRY_UNKNOWN  (~0ul)
#define ENTRY_NONE     0ul
#define ENTRY_NO_TABLE 0x200ul /* none, and no table of the last level either */
#define ENTRY_WRITE    2ul
#define ENTRY_HUGE     0x80ul /* above the last level; never given for a page of 4 KiB */
#define ENTRY_NUMA     0x100ul /* where it is not present: PROT_NONE */
#define ENTRY_USER_WP  0x400ul /* userfaultfd's */
#define ENTRY_FLAGS    0xffful
#define TABLE_LEVELS   5

static __always_inline u64 table_first(void)
{
	struct task_struct *task = vmt_current();
	struct mm_struct *mm;

	if (!vmt_has_task_btf())
		return (u64)BPF_CORE_READ(task, mm, pgd);
	mm = task->mm;
	return mm ? (u64)mm->pgd : 0;
}

/*
 * As the processor sees it: of a huge page, the frame of the 4 KiB that the address is in, and
 * ENTRY_HUGE. Not static: the verifier looks at such a function once, and not at every call.
 */
__noinline unsigned long table_entry(unsigned long addr)
{
	u64 table = table_first(), entry = 0, frame, below;
	u32 shift = tables.shift;

	for (int level = 0; level < TABLE_LEVELS && table; level++) {
		if (bpf_probe_read_kernel(&entry, sizeof(entry),
					  (void *)(table + (addr >> (shift & 63) & 511) * 8)))
			break;
		/* Of a small page it belongs to something else. */
		if (shift == 12)
			entry &= ~ENTRY_HUGE;
		if (!entry && shift != 12)
			return ENTRY_NO_TABLE;
		if (!(entry & ENTRY_PRESENT))
			return entry;
		frame = entry & tables.mask;
		if (frame >= tables.end)
			break;
		entry &= ENTRY_FLAGS;
		if (shift == 12)
			return frame | entry;
		below = (1ul << (shift & 63)) - 1;
		if (entry & ENTRY_HUGE)
			return (frame & ~below) | (addr & below & ~ENTRY_FLAGS) | entry;
		table = tables.base + frame;
		shift -= 9;
	}
	return ENTRY_UNKNOWN;
}

/* Run by user space, for an address of its own. */
SEC("?raw_tp")
int table_look(void *ctx)
{
	tables.top = table_first();
	tables.entry = table_entry(tables.address);
	return 0;
}

/*
 * Whether the current task's memory has, or had, entries for swap: whoever makes the first one puts
 * it on the list for swapoff (try_to_unmap_one(), copy_nonpresent_pte()).
 */
static __always_inline bool table_may_swap(void)
{
	struct task_struct *task = vmt_current();
	struct mm_struct *mm;

	if (!vmt_has_task_btf()) {
		mm = BPF_CORE_READ(task, mm);
		return (u64)BPF_CORE_READ(mm, mmlist.next) != (u64)&mm->mmlist;
	}
	mm = task->mm;
	return !mm || (u64)mm->mmlist.next != (u64)&mm->mmlist;
}

/* What is on its way to another frame comes back within that time. */
#define MOVING_NS 1000000000ull

static __always_inline bool table_may_move(u64 now)
{
	if (tables.moved + MOVING_NS > now)
		return true;
	control.kinds &= ~VMT_MAY_MOVE;
	return false;
}

/*
 * When a fault begins: MARK_ENTRY where o->entry was set. It is not, and costs nothing, where the
 * page was not there and can only be nowhere.
 */
static __always_inline u32 table_before(struct task_account *a, struct open_fault *o, u64 addr)
{
	u32 kinds = control.kinds;

	if (!(o->flags & PF_PRESENT) && !(kinds & VMT_MAY_NUMA) && !a->last.huge &&
	    !(kinds & VMT_MAY_SWAP && table_may_swap()) &&
	    !(kinds & VMT_MAY_MOVE && table_may_move(o->t0)))
		return 0;
	o->entry = kinds & VMT_SEES_TABLES ? table_entry(addr) : ENTRY_UNKNOWN;
	return MARK_ENTRY;
}

/* A page's entry becomes one that says that it is being moved. */
SEC("?tp_btf/set_migration_pte")
int table_moved(void *ctx)
{
	tables.moved = bpf_ktime_get_ns();
	if (control.active && !(control.kinds & VMT_MAY_MOVE))
		control.kinds |= VMT_MAY_MOVE;
	return 0;
}
