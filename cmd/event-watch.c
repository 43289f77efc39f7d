/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/crash.h"
#include "model/model.h"
#include "source/collect.h"
#include "source/root.h"
#include "source/symbolize-crash.h"

/* Of the kernel's side of crashes: bytes, some hundred events; rows of processes, of which nothing
 * is read; events a second. */
#define RING	  (256u << 10)
#define PROCESSES 64u
#define RATE	  100u
/* Of that of kills: bytes, some twenty between two samples; and names of files. */
#define KILLS_RING  (128u << 10)
#define KILLS_NAMES 128u
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
	bool has_deadline; /* for symbols */
};

static bool is_refusal(int error)
{
	return error == -EPERM || error == -EACCES;
}

static void set_error(struct vmt_event_watched *part, int error, const struct vmt_err *err)
{
	part->lost = part->limited = 0;
	part->error = error;
	part->reason[0] = 0;
	if (error)
		snprintf(part->reason, sizeof(part->reason), "%.150s", err->text);
}

static void begin_crashes(struct vmt_event_watch *w)
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

	set_error(&w->crashes, vmt_events_start(&opts, &w->events, &err), &err);
}

/* Of the processes that crashes are looked for of, so that no loss is told of another; where these
 * cannot be watched, of all. */
static void begin_kills(struct vmt_event_watch *w)
{
	const struct vmt_ooms_opts opts = {
		.filter_fd = w->events ? vmt_events_filter(w->events) : -1,
		.ring = KILLS_RING,
		.names = KILLS_NAMES,
	};
	struct vmt_err err = { 0 };

	set_error(&w->kills, vmt_ooms_start(&opts, &w->ooms, &err), &err);
}

int vmt_event_watch_begin(struct vmt_event_watch *w, const uint64_t *pids, size_t n_pids)
{
	*w = (struct vmt_event_watch){
		.symbols = vmt_single_symbols_new(),
		.pids = calloc(n_pids + 1, sizeof(*w->pids)),
		.n_pids = n_pids,
	};
	if (!w->symbols || !w->pids) {
		vmt_event_watch_end(w);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_pids; i++)
		w->pids[i] = (pid_t)pids[i];
	begin_crashes(w);
	begin_kills(w);
	w->began_ns = w->events ? vmt_events_began(w->events) : vmt_now_ns(CLOCK_MONOTONIC);
	return 0;
}

void vmt_event_watch_end(struct vmt_event_watch *w)
{
	vmt_events_free(w->events);
	vmt_ooms_free(w->ooms);
	vmt_single_symbols_free(w->symbols);
	free(w->pids);
	*w = (struct vmt_event_watch){ 0 };
}

static int add_crash(void *arg, const struct vmt_event_raw *raw)
{
	struct turn *t = arg;
	struct vmt_event_raw named;
	int r;

	/* Nobody has died of it, and another vmtop that begins sends itself one. */
	if (raw->crash && raw->crash->blocked)
		return 0;
	if (t->n == VMT_EVENT_WATCH_ROWS) {
		t->more++;
		return 0;
	}
	if (!t->has_deadline)
		vmt_collector_set_deadline(t->collector, vmt_now_ns(CLOCK_MONOTONIC) + SYMBOL_NS);
	t->has_deadline = true;
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

static bool is_watched(const struct vmt_event_watch *w, uint32_t pid)
{
	for (size_t i = 0; i < w->n_pids; i++)
		if ((uint32_t)w->pids[i] == pid)
			return true;
	return !w->n_pids;
}

static int add_kill(void *arg, const struct vmt_oom_raw *raw)
{
	struct turn *t = arg;
	struct vmt_event_watch *w = t->watch;
	struct vmt_sample *s = t->sample;
	struct vmt_oom_report report;

	if (!is_watched(w, raw->pid))
		return 0;
	if (t->n == VMT_EVENT_WATCH_ROWS) {
		t->more++;
		return 0;
	}
	if (vmt_oom_rows(raw, &s->host, w->began_ns, ++w->n_kills, &w->past, w->has_past, NULL,
			 &s->arena, &report) < 0)
		return -ENOMEM;
	vmt_oom_event(&report, &t->rows[t->n++]);
	return 0;
}

/* What of one sort there is no row of, since that was told last. */
static uint64_t since(uint64_t *told, uint64_t now)
{
	uint64_t n = now - *told;

	*told = now;
	return n;
}

/* What there is no row of, where that is something. */
static int add_gap(struct vmt_event_watch *w, uint64_t more, struct vmt_sample *s)
{
	uint64_t lost = 0, limited = 0;
	struct vmt_gap *gap;

	if (w->events) {
		vmt_events_losses(w->events, &lost, &limited);
		lost = since(&w->crashes.lost, lost);
		limited = since(&w->crashes.limited, limited);
	}
	if (w->ooms)
		lost += since(&w->kills.lost, vmt_ooms_lost(w->ooms));
	if (!lost && !limited && !more)
		return 0;
	gap = vmt_arena_alloc(&s->arena, 1, sizeof(*gap));
	if (!gap)
		return -ENOMEM;
	vmt_gap_row(&s->host, w->began_ns, s->host.monotonic_ns, lost, limited + more, &s->arena,
		    gap);
	s->event_gaps = gap;
	s->n_event_gaps = 1;
	return s->arena.failed ? -ENOMEM : 0;
}

static void set_state(const struct vmt_event_watched *part, struct vmt_source_stat *st)
{
	st->state = !part->error	      ? VMT_STATE_OK
		    : is_refusal(part->error) ? VMT_STATE_DENIED
					      : VMT_STATE_ABSENT;
	snprintf(st->reason, sizeof(st->reason), "%s", part->reason);
}

static void set_states(const struct vmt_event_watch *w, struct vmt_sample *s)
{
	struct vmt_source_stat *kills = &s->sources[VMT_SOURCE_KILLS];

	set_state(&w->crashes, &s->sources[VMT_SOURCE_EVENTS]);
	set_state(&w->kills, kills);
	if (w->ooms && vmt_ooms_tables(w->ooms)) {
		kills->state = VMT_STATE_PARTIAL;
		snprintf(kills->reason, sizeof(kills->reason), "%.150s", vmt_ooms_tables(w->ooms));
	}
}

static uint64_t time_of(const struct vmt_event *e)
{
	return VMT_HAS(event, after_ns, e) ? e->after_ns : 0;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = time_of(a), y = time_of(b);

	return x < y ? -1 : x > y;
}

/* The tables of names only grow: where one is full the next ones have none, so it begins anew, with
 * all that belongs to it. */
static void renew(struct vmt_event_watch *w)
{
	if (w->events && vmt_events_names_full(w->events)) {
		vmt_events_free(w->events);
		w->events = NULL;
		begin_crashes(w);
	}
	if (w->ooms && vmt_ooms_nameless(w->ooms)) {
		vmt_ooms_free(w->ooms);
		w->ooms = NULL;
		begin_kills(w);
	}
}

int vmt_event_watch_sample(struct vmt_event_watch *w, struct vmt_collector *c, struct vmt_sample *s)
{
	struct turn t = { .watch = w, .collector = c, .sample = s };
	uint64_t deadline_ns = vmt_collector_deadline(c);
	int r = 0;

	set_states(w, s);
	if (!w->events && !w->ooms)
		return 0;
	t.rows = vmt_arena_alloc(&s->arena, VMT_EVENT_WATCH_ROWS, sizeof(*t.rows));
	if (!t.rows)
		return -ENOMEM;
	/* Where there is no row for all of them, for these first. */
	if (w->ooms)
		r = vmt_ooms_take(w->ooms, &s->arena, add_kill, &t);
	if (r >= 0 && w->events)
		r = vmt_events_take(w->events, SIZE_MAX, &s->arena, add_crash, &t);
	if (t.has_deadline)
		vmt_collector_set_deadline(c, deadline_ns);
	if (r < 0)
		return r;
	qsort(t.rows, t.n, sizeof(*t.rows), by_time);
	s->events = t.rows;
	s->n_events = t.n;
	vmt_oom_past_set(s, &w->past);
	w->has_past = true;
	r = add_gap(w, t.more, s);
	if (r == 0 && !w->is_last)
		renew(w);
	return r;
}
