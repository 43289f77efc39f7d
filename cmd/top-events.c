/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-events.h"

#include <stdlib.h>

#include "model/recorded.h"

/* Events that are kept. */
#define KEPT_MAX 200

static void drop(struct vmt_top_events *e, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++)
		vmt_arena_done(&e->kept[i].arena);
	if (to > from)
		memmove(e->kept + from, e->kept + to, (e->n_kept - to) * sizeof(*e->kept));
	e->n_kept -= to - from;
}

void vmt_top_events_done(struct vmt_top_events *e)
{
	drop(e, 0, e->n_kept);
	free(e->kept);
	vmt_event_watch_end(&e->watch);
	*e = (struct vmt_top_events){ 0 };
}

int vmt_top_events_sample(struct vmt_top_events *e, struct vmt_run *run, struct vmt_ctx *ctx,
			  const struct vmt_ui_want *want)
{
	bool first = !e->shown;
	int r = 0;

	e->shown = true;
	/* What crashes here and now is nothing of a saved machine. The texts of a held screen
	 * stay. */
	if (ctx->root || want->held || !want->events)
		return 0;
	/* The first screen does not wait for it, but where it waits for a probe anyhow. */
	if (!e->begun && first && !want->faults && !want->singles &&
	    want->screen != VMT_SCREEN_EVENTS)
		return 0;
	if (!e->begun)
		r = vmt_event_watch_begin(&e->watch, NULL, 0);
	e->begun = true;
	if (r == 0)
		r = vmt_event_watch_sample(&e->watch, run->collector, run->sample);
	if (r == 0)
		return 0;
	vmt_complain(ctx, "events: %s", strerror(-r));
	return VMT_EXIT_FAILED;
}

/* Rows of their own: the sample goes. */
static int keep(struct vmt_top_events *e, const struct vmt_sample *s)
{
	struct vmt_top_event_rows one = { .n = s->n_events, .at = e->at };
	size_t sum, i, gone = 0;

	if (!s->n_events)
		return 0;
	if (vmt_grow(&e->kept, &e->cap_kept, e->n_kept + 1, sizeof(*e->kept)) < 0)
		return -ENOMEM;
	vmt_arena_init(&one.arena);
	one.rows = vmt_recorded_copy_rows(&vmt_entity_event, &one.arena, s->events, s->n_events);
	if (!one.rows) {
		vmt_arena_done(&one.arena);
		return -ENOMEM;
	}
	e->kept[e->n_kept++] = one;
	for (sum = 0, i = e->n_kept; i-- && !gone;) {
		sum += e->kept[i].n;
		if (sum > KEPT_MAX && i + 1 < e->n_kept)
			gone = i + 1;
	}
	drop(e, 0, gone);
	return 0;
}

int vmt_top_events_model(struct vmt_top_events *e, struct vmt_run *run, size_t at)
{
	struct vmt_model *m = run->model;
	size_t i, sum = 0;

	/* Back, or elsewhere. */
	if (at > e->at + 1)
		drop(e, 0, e->n_kept);
	for (i = 0; i < e->n_kept && e->kept[i].at < at; i++)
		;
	drop(e, i, e->n_kept);
	e->at = at;
	if (keep(e, run->sample) < 0)
		return -ENOMEM;
	for (i = 0; i < e->n_kept; i++)
		sum += e->kept[i].n;
	m->events = vmt_arena_alloc(&m->arena, sum + 1, sizeof(*m->events));
	if (!m->events)
		return -ENOMEM;
	for (i = 0; i < e->n_kept; i++) {
		memcpy(m->events + m->n_events, e->kept[i].rows, e->kept[i].n * sizeof(*m->events));
		m->n_events += e->kept[i].n;
	}
	m->n_events_new = run->sample->n_events;
	return 0;
}
