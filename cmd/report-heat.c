/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/report-heat.h"

#include "model/fault-delta.h"
#include "source/probe.h"

/* The table of mappings is copied each time: not more often than that, and of all processes, which
 * have thousands, a third as often. */
#define FASTEST_NS UINT64_C(20000000)

void vmt_report_heat_init(struct vmt_report_heat *h)
{
	*h = (struct vmt_report_heat){ 0 };
	vmt_heat_init(&h->heat);
	vmt_arena_init(&h->arenas[0]);
	vmt_arena_init(&h->arenas[1]);
}

void vmt_report_heat_done(struct vmt_report_heat *h)
{
	vmt_heat_done(&h->heat);
	vmt_arena_done(&h->arenas[0]);
	vmt_arena_done(&h->arenas[1]);
}

static int read_probe(void *arg, struct vmt_probe *probe, struct vmt_err *err)
{
	struct vmt_report_heat *h = arg;
	unsigned next = h->has_before ? h->now ^ 1 : h->now;
	struct vmt_fault_sample *now = &h->readings[next], delta;
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	vmt_arena_done(&h->arenas[next]);
	vmt_arena_init(&h->arenas[next]);
	*now = (struct vmt_fault_sample){ 0 };
	r = vmt_probe_read(probe, &h->arenas[next], now, err);
	if (r < 0)
		return r;
	delta = *now;
	if (h->has_before)
		r = vmt_fault_delta(&h->readings[h->now], now, &arena, &delta);
	if (r == 0)
		r = vmt_heat_add(&h->heat, &delta, now->window_ns);
	h->now = next;
	h->has_before = true;
	return r < 0 ? vmt_err_set(err, r, NULL, 0, "out of memory") : 0;
}

void vmt_report_heat_ask(struct vmt_report_heat *h, struct vmt_window_opts *window)
{
	/* One more at the end, and one for ticks that come late. */
	uint64_t pace = window->duration_ns /
			(window->n_pids ? VMT_HEAT_COLUMNS - 2 : VMT_HEAT_COLUMNS / 3);

	window->tick = read_probe;
	window->arg = h;
	window->tick_ns = pace > FASTEST_NS ? pace : FASTEST_NS;
}
