/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fault-interval.h"

#include "model/fault-delta.h"
#include "source/probe.h"

void vmt_fault_interval_end(struct vmt_fault_interval *i)
{
	size_t k;

	vmt_probe_close(VMT_STEAL(i->probe));
	for (k = 0; k < VMT_ARRAY_LEN(i->arenas); k++) {
		vmt_arena_done(&i->arenas[k]);
		i->readings[k] = (struct vmt_fault_sample){ 0 };
	}
	vmt_arena_done(&i->delta_arena);
	i->delta = (struct vmt_fault_sample){ 0 };
	i->has_before = false;
}

int vmt_fault_interval_read(struct vmt_fault_interval *i)
{
	unsigned next = i->now ^ 1;
	struct vmt_err err = { 0 };
	int r;

	vmt_arena_done(&i->arenas[next]);
	vmt_arena_init(&i->arenas[next]);
	i->readings[next] = (struct vmt_fault_sample){ 0 };
	r = vmt_probe_read(i->probe, &i->arenas[next], &i->readings[next], &err);
	if (r < 0)
		return r;
	vmt_arena_done(&i->delta_arena);
	vmt_arena_init(&i->delta_arena);
	if (i->has_before)
		r = vmt_fault_delta(&i->readings[i->now], &i->readings[next], &i->delta_arena,
				    &i->delta);
	else
		i->delta = i->readings[next];
	i->now = next;
	i->has_before = true;
	return r;
}

bool vmt_fault_interval_is_full(const struct vmt_fault_interval *i, size_t ended_most,
				uint32_t maps_most, uint32_t *maps)
{
	const struct vmt_fault_sample *now = vmt_fault_interval_now(i);
	const struct vmt_fault_totals *t = &now->totals;

	if (t->slots_used > t->slots_total - t->slots_total / 4) {
		*maps = *maps < maps_most ? *maps * 2 : maps_most;
		return true;
	}
	return now->n_maps + now->n_procs > ended_most + *maps;
}
