/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The rows of mappings: which one a fault belongs to, and what is counted there. */

#include "bpf/common.bpf.h"
#include "bpf/fault.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct vmt_slot_map);
} maps SEC(".maps");

struct map_key {
	u64 start_time; /* this and the next: together the name of processes that share a row */
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

/* Beside a row of maps: its key, to delete it by, and the next one of the same process. */
struct map_more {
	struct map_key key;
	u32 next; /* row + 1 */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct map_more);
} maps_more SEC(".maps");

/* Rows of single processes: how many there are, and how many there may be. */
__u64 map_rows_apart = 0;
const volatile __u64 vmt_rows_apart = 0;

/* The x86 error code of a page fault. */
#define PF_PRESENT     1u
#define PF_WRITE       2u
#define PF_INSTRUCTION 16u

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

int drain_link(u32 slot, u32 tgid, u64 start_time); /* fault-drain.bpf.h */

/*
 * A row for a key. Where the table is crowded, or the row is not wanted for one process alone, the
 * key is made one for all processes of the same name: its mappings of a file, its heaps, its
 * stacks. So a machine that starts thousands of short-lived processes keeps the names of what
 * faulted, and loses which process it was.
 */
static __noinline u32 map_create(struct map_key *key, struct vma_info *info,
				 struct task_struct *task, bool together)
{
	u32 special = info->file ? VMT_BPF_PLAIN : vma_special(info->mm, info->start, info->end);
	struct vmt_slot_map *m;
	struct map_more *more;
	u32 slot, value, *known;
	long err;

	if (together) {
		/* In place of start_time and anchor, and not by way of the stack. */
		char(*comm)[16] = (void *)key;

		BPF_CORE_READ_INTO(comm, task, group_leader, comm);
		key->shift = special;
		key->tgid = 0;
		key->owner_tgid = 0;
		key->exec_id = ~0u;
		known = bpf_map_lookup_elem(&map_index, key);
		if (known)
			return *known;
	}
	if (bpf_map_pop_elem(&map_free, &slot))
		return 0;
	m = bpf_map_lookup_elem(&maps, &slot);
	if (!m)
		return 0;
	m->tgid = key->tgid;
	m->owner_tgid = key->owner_tgid;
	m->exec_id = together ? 0 : key->exec_id;
	m->start_time = together ? 0 : key->start_time;
	m->vm_start = together ? 0 : info->start;
	m->vm_end = together ? 0 : info->end;
	m->vm_pgoff = together ? 0 : info->pgoff;
	m->vm_flags = info->flags;
	m->ino = key->ino;
	m->dev = key->dev;
	m->class = key->class;
	m->special = special;
	m->slot = slot + 1;
	m->name = info->file ? name_of(info->file, key->ino, key->dev) : 0;
	BPF_CORE_READ_INTO(&m->comm, task, group_leader, comm);
	value = slot + 1;
	err = bpf_map_update_elem(&map_index, key, &value, BPF_NOEXIST);
	if (!err) {
		if (!together) {
			vmt_add(&map_rows_apart, 1);
			more = bpf_map_lookup_elem(&maps_more, &slot);
			if (more)
				more->key = *key;
			drain_link(slot, key->tgid, key->start_time);
		}
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
		value = 0;
		if (map_rows_apart < vmt_rows_apart)
			value = map_create(&key, &info, task, false);
		if (!value)
			value = map_create(&key, &info, task, true);
		if (!value)
			return SLOT_DROPPED;
	}
	m = map_slot(value);
	if (m && m->tgid) {
		vmt_lower(&m->vm_start, info.start);
		vmt_raise(&m->vm_end, info.end);
		if (m->vm_flags != info.flags)
			m->vm_flags = info.flags;
	}
	return value;
}

/* Of the counts of a row, that of such a fault. */
static __always_inline u64 cell_of(bool timed, bool major, u32 access, bool kernel)
{
	return (((timed ? 0 : 2) + (major ? 1 : 0)) * VMT_BPF_ACCESSES + access) * 2 + kernel;
}

#define CELLS	    (8 * VMT_BPF_ACCESSES)
#define CELLS_MAJOR (2 * VMT_BPF_ACCESSES) /* the bit of major in a cell */
_Static_assert(!(VMT_BPF_ACCESSES & (VMT_BPF_ACCESSES - 1)), "it is a bit");

/* One more time. */
static __always_inline void latency_count(struct vmt_slot_latency *l, u64 ns, u32 weight)
{
	vmt_add(&l->sum, ns * weight);
	if (l->max < ns)
		vmt_raise(&l->max, ns);
	if (weight > 1)
		vmt_add(&l->others, weight - 1);
	vmt_bucket_add(l->hist, ns, weight);
}

/* Counts a fault in its row; m may be NULL. ns is 0 where it is not known how long it took: always
 * where the access is not known. */
static __always_inline void row_count(struct vmt_slot_map *m, bool major, u32 access, bool kernel,
				      u64 ns, u32 weight)
{
	u64 cell = cell_of(ns, major, access, kernel);

	/* For 5.10's verifier, as in vmt_bucket_add(). */
	cell += vmt_zero;
	barrier_var(cell);
	if (!m || cell >= CELLS)
		return;
	vmt_add(&m->count[0][0][0][0] + cell, 1);
	if (ns)
		latency_count(&m->latency, ns, weight);
}

static __always_inline u32 access_of_flags(u32 flags)
{
	if (flags & VMT_FAULT_FLAG_WRITE)
		return VMT_BPF_WRITE;
	return flags & VMT_FAULT_FLAG_INSTRUCTION ? VMT_BPF_EXEC : VMT_BPF_READ;
}

static __always_inline u32 access_of_code(u32 code)
{
	if (code & PF_WRITE)
		return VMT_BPF_WRITE;
	return code & PF_INSTRUCTION ? VMT_BPF_EXEC : VMT_BPF_READ;
}
