/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-by-kind.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "source/probe-counts.h"

int vmt_probe_kinds_configure(struct bpf_object *object, bool asked, uint32_t maps)
{
	uint32_t n = asked ? maps : 1;

	return vmt_probe_resize(object, "kind_rows", asked ? n + VMT_BPF_KINDS : 1)
		       ?: vmt_probe_resize(object, "kind_index", n)
				  ?: vmt_probe_resize(object, "kind_free", n);
}

int vmt_probe_kinds_map(struct vmt_probe_loaded *l, struct vmt_probe_kinds *k, struct vmt_err *err)
{
	int r = vmt_probe_map(l, "kind_rows", &k->rows, err);

	return r ?: vmt_probe_fill(l, "kind_free", VMT_BPF_KINDS, (uint32_t)k->rows.len, err);
}

void vmt_probe_kinds_unmap(struct vmt_probe_kinds *k)
{
	vmt_probe_unmap(&k->rows);
}

static void copy(const struct vmt_slot_kind *from, struct vmt_fault_by_kind *to)
{
	struct vmt_probe_counts n;

	to->slot = from->slot;
	to->pid = from->tgid;
	to->start_time_ns = from->start_time;
	vmt_probe_counts(from->count, &n);
#define COPY(member) to->member = n.member;
	VMT_FAULT_COUNTS(COPY)
#undef COPY
	to->spent.lock_ns = from->lock_ns;
	to->spent.read_ns = from->read_ns;
	to->spent.swap_ns = from->swap_ns;
	vmt_probe_latency(&from->latency, n.timed, &to->latency);
}

static void add(const struct vmt_slot_kind *from, uint32_t kind, uint32_t hidden,
		struct vmt_fault_sample *ret)
{
	struct vmt_fault_by_kind *to = &ret->kinds[ret->n_kinds];

	if (kind >= VMT_BPF_KINDS || (hidden && from->tgid == hidden))
		return;
	copy(from, to);
	to->kind = (enum vmt_fault_kind)kind;
	if (to->minor + to->major)
		ret->n_kinds++;
	else
		*to = (struct vmt_fault_by_kind){ 0 };
}

int vmt_probe_kinds_read(const struct vmt_probe_kinds *k, struct vmt_drain *drain, uint32_t hidden,
			 struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	size_t drained = drain ? vmt_drain_count(drain, k->pile) : 0, at = 0, n = VMT_BPF_KINDS;
	struct vmt_slot_kind gone;

	for (size_t i = VMT_BPF_KINDS; i < k->rows.len; i++)
		n += ((const volatile struct vmt_slot_kind *)vmt_probe_at(&k->rows, i))->ready != 0;
	ret->kinds = vmt_arena_alloc(arena, n + drained + 1, sizeof(*ret->kinds));
	if (!ret->kinds)
		return -ENOMEM;
	/* The first are of no mapping. */
	for (uint32_t kind = 0; kind < VMT_BPF_KINDS; kind++)
		add(vmt_probe_at(&k->rows, kind), kind, hidden, ret);
	for (size_t i = VMT_BPF_KINDS; i < k->rows.len && ret->n_kinds < n; i++) {
		const struct vmt_slot_kind *from = vmt_probe_at(&k->rows, i);

		if (from->ready)
			add(from, from->kind, hidden, ret);
	}
	for (size_t i = 0; i < drained; i++) {
		if (!vmt_drain_next(drain, k->pile, &at, &gone))
			break;
		add(&gone, gone.kind, hidden, ret);
	}
	ret->by_kind = true;
	ret->totals.kinds_lost = *k->lost;
	return 0;
}
