/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-stacks.h"

#include "source/root.h"
#include "source/symbolize-stacks.h"

/* To look up the stacks of one turn, at most: the ring fills meanwhile. What was not found by then
 * is named by its file and offset, and so is what comes in the time after that. */
#define NAMES_NS       UINT64_C(1000000000)
#define NAMES_PAUSE_NS UINT64_C(5000000000)

struct vmt_event_stacks {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_stack_symbols *known;
	size_t most;
	uint64_t name_after_ns; /* CLOCK_MONOTONIC; before, no file is read for symbols */
	/* Of a turn. */
	struct vmt_event_raw *raws;
	const struct vmt_fault_stack **stacks; /* of those that have some */
	struct vmt_event_stack *texts;
	size_t n;
};

void vmt_event_stacks_free(struct vmt_event_stacks *x)
{
	if (!x)
		return;
	vmt_stack_symbols_free(x->known);
	free(x->raws);
	free(x->stacks);
	free(x->texts);
	free(x);
}

struct vmt_event_stacks *vmt_event_stacks_new(struct vmt_ctx *ctx, struct vmt_run *run, size_t most)
{
	struct vmt_event_stacks *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->ctx = ctx;
	x->run = run;
	x->most = most;
	x->known = vmt_stack_symbols_new();
	x->raws = calloc(most, sizeof(*x->raws));
	x->stacks = calloc(most, sizeof(*x->stacks));
	x->texts = calloc(most, sizeof(*x->texts));
	if (x->known && x->raws && x->stacks && x->texts)
		return x;
	vmt_event_stacks_free(x);
	return NULL;
}

static int add(void *arg, const struct vmt_event_raw *raw)
{
	struct vmt_event_stacks *x = arg;

	x->raws[x->n++] = *raw;
	return 0;
}

static int codes(void *arg, struct vmt_arena *arena, struct vmt_fault_sample *f)
{
	return vmt_events_codes(arg, arena, f);
}

/* Names the first n stacks of the turn. The collector has its deadline back after that. */
static int name(struct vmt_event_stacks *x, struct vmt_events *events, size_t n)
{
	uint64_t kept = vmt_collector_deadline(x->run->collector);
	uint64_t begun = vmt_now_ns(CLOCK_MONOTONIC), until = begun + NAMES_NS, now;
	bool paused = begun < x->name_after_ns;
	int r;

	if (x->ctx->deadline_ns && x->ctx->deadline_ns < until)
		until = x->ctx->deadline_ns;
	vmt_collector_set_deadline(x->run->collector, paused ? begun : until);
	r = vmt_symbolize_stacks(x->known, x->run->collector, x->run->sample, x->stacks, n, codes,
				 events, x->texts);
	vmt_collector_set_deadline(x->run->collector, kept);
	now = vmt_now_ns(CLOCK_MONOTONIC);
	if (!paused && now >= until)
		x->name_after_ns = now + NAMES_PAUSE_NS;
	return r;
}

int vmt_event_stacks_take(struct vmt_event_stacks *x, struct vmt_events *events,
			  struct vmt_arena *arena, vmt_event_stack_fn *fn, void *arg)
{
	size_t n = 0, at = 0;
	int taken, r = 0;

	x->n = 0;
	taken = vmt_events_take(events, x->most, arena, add, x);
	if (taken < 0)
		return taken;
	for (size_t i = 0; i < x->n; i++)
		if (x->raws[i].stack)
			x->stacks[n++] = x->raws[i].stack;
	r = n ? name(x, events, n) : 0;
	for (size_t i = 0; i < x->n && r >= 0; i++)
		r = fn(arg, &x->raws[i], x->raws[i].stack ? &x->texts[at++] : NULL);
	return r < 0 ? r : taken;
}
