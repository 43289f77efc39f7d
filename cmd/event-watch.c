/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-watch.h"

#include <stdio.h>
#include <time.h>

#include "model/model.h"
#include "source/collect.h"
#include "source/root.h"
#include "source/symbolize-crash.h"

/* Of the kernel's side: bytes, some hundred events; rows of processes, of which nothing is read;
 * events a second. */
#define RING	  (256u << 10)
#define PROCESSES 64u
#define RATE	  100u
/* To look up the symbols of one sample. */
#define SYMBOL_NS UINT64_C(1000000000)

/* One turn. */
struct turn {
	struct vmt_event_watch *watch;
	struct vmt_collector *collector;
	struct vmt_sample *sample;
	struct vmt_event *rows;
	size_t n;
	uint64_t more; /* for which there is no row */
};

static void begin(struct vmt_event_watch *w)
{
	const struct vmt_events_opts opts = {
		.pids = w->pids,
		.n_pids = w->n_pids,
		.calls = UINT32_C(1) << VMT_CALL_CRASH,
		.singles = true,
		.rare = true,
		.rate = RATE,
		.ring = RING,
		.processes = PROCESSES,
		.threads = 1,
	};
	struct vmt_err err = { 0 };

	w->lost = w->limited = 0;
	w->error = vmt_events_start(&opts, &w->events, &err);
	if (w->error)
		snprintf(w->reason, sizeof(w->reason), "%.150s", err.text);
	else if (!w->began_ns)
		w->began_ns = vmt_events_began(w->events);
}

int vmt_event_watch_begin(struct vmt_event_watch *w, const pid_t *pids, size_t n_pids)
{
	*w = (struct vmt_event_watch){
		.symbols = vmt_single_symbols_new(),
		.pids = pids,
		.n_pids = n_pids,
	};
	if (!w->symbols)
		return -ENOMEM;
	begin(w);
	return 0;
}

void vmt_event_watch_end(struct vmt_event_watch *w)
{
	vmt_events_free(w->events);
	vmt_single_symbols_free(w->symbols);
	*w = (struct vmt_event_watch){ 0 };
}

static int add(void *arg, const struct vmt_event_raw *raw)
{
	struct turn *t = arg;
	struct vmt_event_raw named;
	int r;

	if (t->n == VMT_EVENT_WATCH_ROWS) {
		t->more++;
		return 0;
	}
	if (!t->n)
		vmt_collector_set_deadline(t->collector, vmt_now_ns(CLOCK_MONOTONIC) + SYMBOL_NS);
	r = vmt_symbolize_event(t->watch->symbols, t->collector, t->sample, raw, &t->sample->arena,
				&named);
	if (r == 0)
		r = vmt_event_row(&named, &t->sample->host, t->watch->began_ns, &t->sample->arena,
				  &t->rows[t->n]);
	/* Its texts are the next one's from then on. */
	if (r == 0)
		r = vmt_row_own_text(&vmt_entity_event, &t->sample->arena, &t->rows[t->n], NULL,
				     NULL);
	t->n += r == 0;
	return r;
}

/* What there is no row of, where that is something. */
static int add_gap(struct vmt_event_watch *w, uint64_t more, struct vmt_sample *s)
{
	uint64_t lost, limited;
	struct vmt_gap *gap;

	vmt_events_losses(w->events, &lost, &limited);
	if (lost == w->lost && limited == w->limited && !more)
		return 0;
	gap = vmt_arena_alloc(&s->arena, 1, sizeof(*gap));
	if (!gap)
		return -ENOMEM;
	vmt_gap_row(&s->host, w->began_ns, s->host.monotonic_ns, lost - w->lost,
		    limited - w->limited + more, &s->arena, gap);
	w->lost = lost;
	w->limited = limited;
	s->event_gaps = gap;
	s->n_event_gaps = 1;
	return s->arena.failed ? -ENOMEM : 0;
}

static void set_state(const struct vmt_event_watch *w, struct vmt_source_stat *st)
{
	st->state = w->events					? VMT_STATE_OK
		    : w->error == -EPERM || w->error == -EACCES ? VMT_STATE_DENIED
								: VMT_STATE_ABSENT;
	snprintf(st->reason, sizeof(st->reason), "%s", w->reason);
}

int vmt_event_watch_sample(struct vmt_event_watch *w, struct vmt_collector *c, struct vmt_sample *s)
{
	struct turn t = { .watch = w, .collector = c, .sample = s };
	int r;

	set_state(w, &s->sources[VMT_SOURCE_EVENTS]);
	if (!w->events)
		return 0;
	t.rows = vmt_arena_alloc(&s->arena, VMT_EVENT_WATCH_ROWS, sizeof(*t.rows));
	if (!t.rows)
		return -ENOMEM;
	r = vmt_events_take(w->events, SIZE_MAX, &s->arena, add, &t);
	if (r < 0)
		return r;
	s->events = t.rows;
	s->n_events = t.n;
	r = add_gap(w, t.more, s);
	/* The table of names only grows: where it is full the next ones have none, so it begins
	 * anew, with all else. */
	if (r == 0 && vmt_events_names_full(w->events)) {
		vmt_events_free(w->events);
		w->events = NULL;
		begin(w);
	}
	return r;
}
