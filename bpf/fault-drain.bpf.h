/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Rows of processes that are gone, handed over to user space while the programs run, so that a
 * machine which starts hundreds of processes a second does not fill the tables. A process is gone
 * when its leader is freed and no task of it has an account any more: nobody writes to its rows
 * then. Each is sent through a ring as it stands, and its place is free again. What finds the ring
 * full stays in the table, as if it was never tried; nothing is lost.
 */

#include "bpf/fault-by-kind.bpf.h"
#include "bpf/fault-task.bpf.h"

/* Rows of one process that are handed over; the others stay. */
#define DRAIN_ROWS 512

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} drained SEC(".maps");

/* Never written to: what rows are made empty with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vmt_slot_map);
} empty_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vmt_slot_proc);
} empty_proc SEC(".maps");

/*
 * Puts a new row to those of its process. Two tasks of it that do this at the same moment may lose
 * one of the two rows: it stays in the table then.
 */
__noinline int drain_link(u32 slot, u32 tgid, u64 start_time)
{
	struct proc_key owner = { .start_time = start_time, .tgid = tgid };
	struct map_more *more = bpf_map_lookup_elem(&maps_more, &slot);
	u32 *proc = bpf_map_lookup_elem(&proc_index, &owner);
	struct proc_more *p = proc && *proc ? bpf_map_lookup_elem(&procs_more, proc) : NULL;

	if (!more || !p)
		return 0;
	more->next = p->first;
	p->first = slot + 1;
	return 0;
}

/*
 * Hands over what a row of mappings has by kind. A row that finds the ring full stays in the table,
 * and no key leads to it any more. Not 0 where a key could not be taken away: then the row of
 * mappings must not become another's.
 */
__noinline int drain_kinds(u32 slot)
{
	u32 zero = 0;
	const struct vmt_slot_kind *nothing = bpf_map_lookup_elem(&empty_kind, &zero);
	int left = 0;

	if (!vmt_by_kind || !nothing)
		return 0;
	for (u32 kind = 0; kind < VMT_BPF_KINDS; kind++) {
		struct kind_key key = { .slot = slot, .kind = kind };
		u32 *known = bpf_map_lookup_elem(&kind_index, &key);
		struct vmt_slot_kind *k;
		u32 index;

		if (!known)
			continue;
		index = *known;
		k = bpf_map_lookup_elem(&kind_rows, &index);
		if (!k || bpf_map_delete_elem(&kind_index, &key)) {
			left++;
			continue;
		}
		k->ready = 0;
		if (bpf_ringbuf_output(&drained, k, sizeof(*k), BPF_RB_NO_WAKEUP)) {
			k->ready = 1;
			continue;
		}
		bpf_map_update_elem(&kind_rows, &index, nothing, BPF_ANY);
		bpf_map_push_elem(&kind_free, &index, 0);
	}
	return left;
}

/* Hands over one row of mappings. Not static: it is verified once, and not in each round. */
__noinline int drain_map(u32 slot)
{
	struct vmt_slot_map *m = bpf_map_lookup_elem(&maps, &slot);
	struct map_more *more = bpf_map_lookup_elem(&maps_more, &slot);
	u32 zero = 0;
	const struct vmt_slot_map *nothing = bpf_map_lookup_elem(&empty_map, &zero);
	struct map_key key;

	if (!m || !more || !nothing || !m->ready)
		return 0;
	m->ready = 0;
	if (bpf_ringbuf_output(&drained, m, sizeof(*m), BPF_RB_NO_WAKEUP)) {
		m->ready = 1;
		return 0;
	}
	key = more->key;
	bpf_map_update_elem(&maps, &slot, nothing, BPF_ANY);
	vmt_add(&map_rows_apart, -1);
	/* A key that cannot be taken away would lead to the row of somebody else. */
	if (drain_kinds(slot + 1) || bpf_map_delete_elem(&map_index, &key))
		stat_add(VMT_STAT_BUSY, 1);
	else
		bpf_map_push_elem(&map_free, &slot, 0);
	return 0;
}

/* Hands over a process, and what it has. */
static __noinline void drain_proc(u32 proc)
{
	struct vmt_slot_proc *p = bpf_map_lookup_elem(&procs, &proc);
	struct proc_more *more = bpf_map_lookup_elem(&procs_more, &proc);
	u32 zero = 0, next;
	const struct vmt_slot_proc *nothing = bpf_map_lookup_elem(&empty_proc, &zero);
	struct proc_key key = {};

	if (!p || !more || !nothing)
		return;
	/* Of several that come here at once, the one that takes the key away goes on. */
	key.start_time = p->start_time;
	key.tgid = p->tgid;
	if (bpf_map_delete_elem(&proc_index, &key))
		return;
	next = more->first;
	more->first = 0;
	for (int i = 0; i < DRAIN_ROWS && next; i++) {
		u32 slot = next - 1;
		struct map_more *row = bpf_map_lookup_elem(&maps_more, &slot);

		if (!row)
			break;
		next = row->next;
		drain_map(slot);
	}
	p->ready = 0;
	if (bpf_ringbuf_output(&drained, p, sizeof(*p), BPF_RB_NO_WAKEUP)) {
		p->ready = 1;
		return;
	}
	bpf_map_update_elem(&procs, &proc, nothing, BPF_ANY);
	bpf_map_push_elem(&proc_free, &proc, 0);
}

/* A task of the process is freed. At the end of the window rows stay where they are. */
static __always_inline void drain_release(u32 proc)
{
	struct vmt_slot_proc *p = proc ? bpf_map_lookup_elem(&procs, &proc) : NULL;
	struct proc_more *more = p ? bpf_map_lookup_elem(&procs_more, &proc) : NULL;

	if (!more)
		return;
	vmt_add(&more->tasks, -1);
	if (control.active && !control.closing && !more->tasks && p->flags & VMT_PROC_EXITED)
		drain_proc(proc);
}
