/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Entries of page tables of the current task, read through the kernel's map of all memory, whose
 * address is nowhere to be had; user space proves a guess by frames of its own pages
 * (vmt_tables_learn()). Nothing is locked, and tables may be freed under a walk. What cannot be
 * read, or lies beyond the memory there is, is an entry that is not known.
 */

#include "bpf/compat.bpf.h"
#include "bpf/fault.h"

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
