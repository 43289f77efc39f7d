/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-guard.h"

#include <errno.h>
#include <time.h>

#include "base/buf.h"
#include "source/perf-event.h"

#define SECOND_NS	  UINT64_C(1000000000)
#define PERIODS_IN_SECOND 10u
/* A rate that no CPU comes to; multiplied with a period it is far from running over. */
#define RATE_MOST UINT64_C(1000000000)

bool vmt_probe_guard_limits(const struct vmt_probe_opts *opts, struct vmt_guard_limits *ret,
			    uint64_t *ret_tick_ns)
{
	uint64_t rate = opts->guard_rate < RATE_MOST ? opts->guard_rate : RATE_MOST;
	struct timespec tick = { 0 };
	uint64_t second;

	/* Its resolution is a tick since the clock is there (2.6.32). */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		tick.tv_nsec = 10000000;
	second = (SECOND_NS + (uint64_t)tick.tv_nsec - 1) / (uint64_t)tick.tv_nsec;
	*ret_tick_ns = (uint64_t)tick.tv_nsec;
	ret->period = (second + PERIODS_IN_SECOND - 1) / PERIODS_IN_SECOND;
	ret->most = rate * ret->period / second;
	ret->calm = second;
	return opts->guard && !opts->singles && !(opts->asks & VMT_ASK_SHARES);
}

bool vmt_probe_guard_periods(const struct vmt_probe_opts *opts)
{
	return opts->guard && VMT_HAVE_BEGIN & ~opts->without && !opts->singles &&
	       !(opts->asks & VMT_ASK_SHARES) && !opts->stacks;
}

void vmt_probe_guard_tick(void *state)
{
	const struct vmt_probe_guard *g = state;
	struct vmt_probe_loaded *l = g->loaded;
	uint32_t sparse = 0;

	if (!g->on || !l->timed)
		return;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n_events; i++) {
		struct vmt_probe_event *e = &l->events[i];
		const volatile struct vmt_slot_guard *cpu;
		unsigned every;

		if (!e->every || e->cpu >= g->cpus.len)
			continue;
		cpu = vmt_probe_at(&g->cpus, e->cpu);
		every = cpu->tripped ? VMT_GUARD_PERIOD : 1;
		/* Before the first event is left out. */
		if (every > 1)
			*g->sparse = ++sparse;
		if (e->every != every && !vmt_perf_event_period(e->fd, every))
			e->every = every;
		/* What would not go back still leaves events out. */
		if (every == 1 && e->every > 1)
			sparse++;
	}
	*g->sparse = sparse;
	pthread_mutex_unlock(&l->lock);
}

int vmt_probe_guard_map(struct vmt_probe_loaded *l, const struct vmt_probe_opts *opts,
			struct vmt_probe_guard *g, struct vmt_err *err)
{
	struct vmt_guard_limits limits;
	uint64_t tick_ns;

	if (!vmt_probe_guard_limits(opts, &limits, &tick_ns))
		return 0;
	g->on = true;
	g->loaded = l;
	g->rate = opts->guard_rate;
	return vmt_probe_map(l, "guards", &g->cpus, err);
}

void vmt_probe_guard_unmap(struct vmt_probe_guard *g)
{
	vmt_probe_unmap(&g->cpus);
}

/* "0-3,8", as lists of CPUs are written everywhere. */
static void add_range(struct vmt_buf *out, size_t from, size_t to)
{
	vmt_buf_addf(out, out->len ? ",%zu" : "%zu", from);
	if (to > from)
		vmt_buf_addf(out, "-%zu", to);
}

int vmt_probe_guard_read(const struct vmt_probe_guard *g, uint64_t start_ns,
			 struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	VMT_AUTO_BUF cpus = { 0 };
	struct vmt_fault_totals *t = &ret->totals;
	uint64_t first = UINT64_MAX;
	size_t from = SIZE_MAX, i;

	if (!g->on)
		return 0;
	t->guarded = true;
	t->guard_rate = g->rate;
	for (i = 0; i < g->cpus.len; i++) {
		const struct vmt_slot_guard *cpu = vmt_probe_at(&g->cpus, i);

		if (!cpu->trips) {
			if (from != SIZE_MAX)
				add_range(&cpus, from, i - 1);
			from = SIZE_MAX;
			continue;
		}
		if (from == SIZE_MAX)
			from = i;
		t->guard_trips += cpu->trips;
		t->guard_calms += cpu->calms;
		if (cpu->first_ns && cpu->first_ns < first)
			first = cpu->first_ns;
	}
	if (from != SIZE_MAX)
		add_range(&cpus, from, i - 1);
	if (first != UINT64_MAX)
		t->guard_first_ns = first > start_ns ? first - start_ns : 1;
	if (!cpus.len)
		return vmt_buf_error(&cpus);
	t->guard_cpus.ptr = vmt_arena_copy(arena, cpus.data, cpus.len);
	t->guard_cpus.len = cpus.len;
	return t->guard_cpus.ptr ? vmt_buf_error(&cpus) : -ENOMEM;
}
