/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The page table's entry of an address of the current task. Where nothing is around the functions
 * that serve a fault, it tells before and after a fault what was done about it: the same frame made
 * writable, or another one; a page that lay in swap; a huge page. x86 alone: elsewhere there is no
 * tracepoint before a fault.
 *
 * Nothing is locked: before a fault the walk runs with interrupts off, as get_user_pages_fast()
 * does, and after one the fault holds the mapping.
 */

#include "bpf/fault-task.bpf.h"
#include "bpf/table.bpf.h"

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
	/* Somebody who began meanwhile may have seen it set. */
	if (tables.moved + MOVING_NS <= now)
		return false;
	control.kinds |= VMT_MAY_MOVE;
	return true;
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
