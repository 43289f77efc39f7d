/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many faults of each kind there were in each mapping, how long they took, and what of that
 * was waiting and reading. Without vmt_by_kind the verifier takes all of it out of the programs.
 */

#include "bpf/fault-by-kind.h"
#include "bpf/fault-share.bpf.h"

const volatile __u32 vmt_by_kind = 0; /* enum vmt_count_by */

volatile __u64 vmt_kinds_lost = 0; /* faults that found no row of their mapping and kind */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct vmt_slot_kind);
} kind_rows SEC(".maps");

struct kind_key {
	u32 slot; /* row of maps + 1 */
	u32 kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct kind_key);
	__type(value, u32);
} kind_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, u32);
} kind_free SEC(".maps");

/* Never written to: what rows are made empty with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vmt_slot_kind);
} empty_kind SEC(".maps");

/* The number of the row of a key; that of the kind alone where there is none left. */
static __noinline u32 kind_row(struct kind_key *key)
{
	u32 *known = bpf_map_lookup_elem(&kind_index, key);
	struct vmt_slot_kind *k;
	struct vmt_slot_map *m;
	u32 index;

	if (known)
		return *known;
	m = map_slot(key->slot);
	if (!m || bpf_map_pop_elem(&kind_free, &index))
		goto full;
	k = bpf_map_lookup_elem(&kind_rows, &index);
	if (!k)
		goto full;
	k->tgid = m->tgid;
	k->start_time = m->start_time;
	k->slot = key->slot;
	k->kind = key->kind;
	if (!bpf_map_update_elem(&kind_index, key, &index, BPF_NOEXIST)) {
		k->ready = 1;
		return index;
	}
	/* Another CPU was first, or the index refused. */
	bpf_map_push_elem(&kind_free, &index, 0);
	known = bpf_map_lookup_elem(&kind_index, key);
	if (known)
		return *known;
full:
	vmt_add(&vmt_kinds_lost, 1);
	return key->kind;
}

/* Not static: it is verified once. how is kind | cell of count << 8 | weight << 16. */
__noinline int kind_put(u32 slot, u32 how, u64 ns)
{
	struct kind_key key = { .slot = slot, .kind = how & 0xff };
	u64 cell = how >> 8 & 0xff;
	struct share_parts parts = {};
	u32 weight = how >> 16;
	struct vmt_slot_kind *k;
	struct vmt_slot_map *m;
	u32 index;

	if (!vmt_by_kind || key.kind >= VMT_BPF_KINDS)
		return 0;
	if (vmt_by_kind & VMT_COUNT_SHARES) {
		share_end(ns, cell & CELLS_MAJOR, key.kind, &parts);
		m = map_slot(slot);
		if (m && parts.lock)
			vmt_add(&m->lock_ns, parts.lock);
		if (m && parts.read)
			vmt_add(&m->read_ns, parts.read);
		if (m && parts.swap)
			vmt_add(&m->swap_ns, parts.swap);
	}
	if (!(vmt_by_kind & VMT_COUNT_KINDS))
		return 0;
	index = kind_row(&key);
	k = bpf_map_lookup_elem(&kind_rows, &index);
	/* For 5.10's verifier, as in vmt_bucket_add(). */
	cell += vmt_zero;
	barrier_var(cell);
	if (!k || cell >= CELLS)
		return 0;
	vmt_add(&k->count[0][0][0][0] + cell, 1);
	if (!ns)
		return 0;
	if (parts.lock)
		vmt_add(&k->lock_ns, parts.lock);
	if (parts.read)
		vmt_add(&k->read_ns, parts.read);
	if (parts.swap)
		vmt_add(&k->swap_ns, parts.swap);
	latency_count(&k->latency, ns, weight);
	return 0;
}

/* A fault that was counted in the row slot; ns is 0 where its time is not known. */
static __always_inline void kind_count(u32 slot, u32 kind, bool major, u32 access, bool kernel,
				       u64 ns, u32 weight)
{
	if (vmt_by_kind)
		kind_put(slot, kind | cell_of(ns, major, access, kernel) << 8 | weight << 16, ns);
}
