/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "source/probe-events.h"

/* Stacks of single events: these are taken by turns, and what their stacks are is looked up for all
 * of a turn at once. */
struct vmt_event_stacks;

/* For turns of most events; NULL without memory. run is to outlive it. */
struct vmt_event_stacks *vmt_event_stacks_new(struct vmt_ctx *ctx, struct vmt_run *run,
					      size_t most);
/* NULL is fine. */
void vmt_event_stacks_free(struct vmt_event_stacks *x);

/* Takes an event and its stack, whose texts stay until the next turn; a negative result ends it. */
typedef int vmt_event_stack_fn(void *arg, const struct vmt_event_raw *event,
			       const struct vmt_event_stack *stack);

/* As vmt_events_take() for one turn; the stack of what has none is NULL. */
int vmt_event_stacks_take(struct vmt_event_stacks *x, struct vmt_events *events,
			  struct vmt_arena *arena, vmt_event_stack_fn *fn, void *arg);
