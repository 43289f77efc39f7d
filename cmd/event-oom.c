/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-oom.h"

#include <stdlib.h>

#include "source/collect.h"

#define SECOND_NS UINT64_C(1000000000)
/* Kills whose rows are kept for the sections behind the events. */
#define REPORTS_MOST 256u
/* Victims that have a row of their own in the sums; the others are in one together. */
#define VICTIMS_MOST 1024u

static struct vmt_source_stat *source_of(const struct vmt_oom_watch *w)
{
	return &w->run->sample->sources[VMT_SOURCE_KILLS];
}

static void note(const struct vmt_oom_watch *w, enum vmt_source_state state, int error,
		 const char *reason)
{
	struct vmt_source_stat *s = source_of(w);

	s->state = state;
	s->error = error;
	snprintf(s->reason, sizeof(s->reason), "%.159s", reason);
}

int vmt_oom_watch_begin(struct vmt_oom_watch *w, const struct vmt_events *events, bool needed)
{
	const struct vmt_ooms_opts opts = { .filter_fd = vmt_events_filter(events) };
	struct vmt_err err = { 0 };
	int r = vmt_ooms_start(&opts, &w->ooms, &err);

	w->start_ns = vmt_events_began(events);
	if (r < 0) {
		note(w, r == -EPERM || r == -EACCES ? VMT_STATE_DENIED : VMT_STATE_ABSENT, r,
		     err.text);
		if (!needed)
			return 0;
		vmt_complain(w->ctx, "OOM kills are not seen: %s", err.text);
		return r == -EPERM || r == -EACCES ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	}
	if (vmt_ooms_tables(w->ooms))
		note(w, VMT_STATE_PARTIAL, 0, vmt_ooms_tables(w->ooms));
	else
		source_of(w)->state = VMT_STATE_OK;
	return 0;
}

/* One more second of history. What cannot be read is unknown in it. */
static int remember(struct vmt_oom_watch *w)
{
	const uint64_t sources = VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(PRESSURE);
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);
	struct vmt_sample *s;
	int r;

	if (w->past_ns && now - w->past_ns < SECOND_NS)
		return 0;
	w->past_ns = now;
	r = vmt_collect(w->run->collector, sources, NULL, 0, &s, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (w->n_past == VMT_OOM_PAST)
		memmove(w->past, w->past + 1, --w->n_past * sizeof(*w->past));
	vmt_oom_past_set(s, &w->past[w->n_past++]);
	vmt_sample_free(s);
	return 0;
}

/* Keeps who it was, for the sums. */
static int keep_victim(struct vmt_oom_watch *w, const struct vmt_oom_raw *raw)
{
	struct vmt_event_process *p;

	w->kills++;
	if (w->n_victims == VICTIMS_MOST)
		return 0;
	if (vmt_grow(&w->victims, &w->cap_victims, w->n_victims + 1, sizeof(*w->victims)))
		return -ENOMEM;
	p = &w->victims[w->n_victims++];
	*p = (struct vmt_event_process){
		.start_ns = raw->start_ns, .pid = raw->pid, .uid = raw->uid, .ended = true
	};
	memcpy(p->comm, raw->comm, sizeof(p->comm));
	p->counts[VMT_CALL_OOM].events = 1;
	return 0;
}

/* In the callback of the ring: nothing is read there, or written. */
static int on_raw(void *arg, const struct vmt_oom_raw *raw)
{
	struct vmt_oom_watch *w = arg;

	if (w->by_user && raw->uid != w->uid)
		return 0;
	if (vmt_grow(&w->raws, &w->cap_raws, w->n_raws + 1, sizeof(*w->raws)) < 0)
		return -ENOMEM;
	w->raws[w->n_raws++] = *raw;
	return 0;
}

/* Copies a text of this turn to where it stays. */
static void keep_text(struct vmt_arena *arena, struct vmt_bytes *text)
{
	text->ptr = vmt_arena_copy(arena, text->ptr, text->len);
}

static int tell(struct vmt_oom_watch *w, struct vmt_oom_raw *raw, const struct vmt_sample *after)
{
	bool kept = w->keep && w->n_reports < REPORTS_MOST;
	struct vmt_arena *arena = kept ? &w->run->sample->arena : &w->arena;
	struct vmt_oom_report report;

	if (kept) {
		keep_text(arena, &raw->cgroup);
		keep_text(arena, &raw->limit_cgroup);
		for (size_t i = 0; i < raw->n_maps; i++)
			keep_text(arena, &raw->maps[i].path);
		if (arena->failed)
			return -ENOMEM;
	}
	if (keep_victim(w, raw) < 0 ||
	    vmt_oom_rows(raw, &w->run->sample->host, w->start_ns, w->kills, w->past, w->n_past,
			 after, arena, &report) < 0)
		return -ENOMEM;
	if (kept) {
		if (vmt_grow(&w->reports, &w->cap_reports, w->n_reports + 1, sizeof(report)) < 0)
			return -ENOMEM;
		w->reports[w->n_reports++] = report;
	}
	if (!w->emit)
		return 0;
	w->told++;
	return w->emit(w->arg, &report);
}

/* All that came in a turn, with one look at the processes that are left. */
static int tell_all(struct vmt_oom_watch *w)
{
	struct vmt_sample *after = NULL;
	int r;

	if (!w->n_raws)
		return 0;
	r = vmt_collect(w->run->collector, VMT_SOURCE_BIT(STATUS), NULL, 0, &after, NULL);
	/* What cannot be read is left out. */
	r = r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < w->n_raws; i++)
		r = tell(w, &w->raws[i], after);
	w->n_raws = 0;
	vmt_sample_free(after);
	return r;
}

int vmt_oom_watch_tick(struct vmt_oom_watch *w, bool last)
{
	int r = 0;

	if (!w->ooms)
		return 0;
	if (last)
		vmt_ooms_stop(w->ooms);
	vmt_arena_init(&w->arena);
	r = vmt_ooms_take(w->ooms, &w->arena, on_raw, w);
	r = r < 0 ? r : tell_all(w);
	vmt_arena_done(&w->arena);
	if (r < 0)
		return r;
	if (source_of(w)->state == VMT_STATE_OK && vmt_ooms_nameless(w->ooms))
		note(w, VMT_STATE_PARTIAL, 0,
		     "names of files are missing: the table of them is full");
	/* Behind it: a sample of after the kill is no history of it. */
	return last ? 0 : remember(w);
}

int vmt_oom_watch_count(const struct vmt_oom_watch *w, struct vmt_arena *arena,
			struct vmt_event_sample *sample)
{
	uint64_t lost = w->ooms ? vmt_ooms_lost(w->ooms) : 0;
	uint64_t others = lost + w->kills - w->n_victims;
	size_t n = sample->n_processes;
	struct vmt_event_process *all;

	if (!w->n_victims && !others)
		return 0;
	all = vmt_arena_alloc(arena, n + w->n_victims + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (n)
		memcpy(all, sample->processes, n * sizeof(*all));
	for (size_t i = 0; i < w->n_victims; i++) {
		const struct vmt_event_process *v = &w->victims[i];
		size_t k = 0;

		while (k < n && (all[k].pid != v->pid || all[k].start_ns != v->start_ns))
			k++;
		if (k == n)
			all[n++] = *v;
		else
			all[k].counts[VMT_CALL_OOM].events++;
	}
	/* Who they were is not known, or not kept. */
	if (others) {
		all[n] = (struct vmt_event_process){ 0 };
		all[n++].counts[VMT_CALL_OOM].events = others;
	}
	sample->processes = all;
	sample->n_processes = n;
	sample->listed += w->told;
	sample->lost += lost;
	return 0;
}

void vmt_oom_watch_note(const struct vmt_oom_watch *w, struct vmt_buf *out)
{
	const struct vmt_source_stat *s = source_of(w);

	if (s->state == VMT_STATE_DENIED || s->state == VMT_STATE_ABSENT)
		vmt_buf_addf(out, "! OOM kills are not seen: %s\n", s->reason);
	else if (s->state == VMT_STATE_PARTIAL && w->kills)
		vmt_buf_addf(out, "! some of the OOM kills is not known: %s\n", s->reason);
}

/* One section of all kills: the rows of each, one behind the other. */
#define SECTION(name, type, rows, n_rows)                                                          \
	do {                                                                                       \
		struct type *all;                                                                  \
		struct vmt_section *part;                                                          \
		size_t n = 0;                                                                      \
                                                                                                   \
		for (size_t i = 0; i < w->n_reports; i++)                                          \
			n += w->reports[i].n_rows;                                                 \
		all = vmt_arena_alloc(&w->run->sample->arena, n ? n : 1, sizeof(*all));            \
		if (!all)                                                                          \
			break;                                                                     \
		n = 0;                                                                             \
		for (size_t i = 0; i < w->n_reports; i++)                                          \
			for (size_t k = 0; k < w->reports[i].n_rows; k++)                          \
				all[n++] = w->reports[i].rows[k];                                  \
		part = vmt_run_section(w->run, w->ctx, name, all, n);                              \
		if (!part)                                                                         \
			return VMT_EXIT_FAILED;                                                    \
		part->machine_only = true;                                                         \
	} while (0)

int vmt_oom_watch_sections(const struct vmt_oom_watch *w)
{
	struct vmt_section *s;
	struct vmt_kill *kills =
		vmt_arena_alloc(&w->run->sample->arena, w->n_reports + 1, sizeof(*kills));

	for (size_t i = 0; kills && i < w->n_reports; i++)
		kills[i] = w->reports[i].oom;
	s = kills ? vmt_run_section(w->run, w->ctx, "ooms", kills, w->n_reports) : NULL;
	if (s) {
		s->machine_only = true;
		SECTION("oom_zones", vmt_oom_zone, zones, n_zones);
		SECTION("oom_maps", vmt_oom_map, maps, n_maps);
		SECTION("oom_processes", vmt_oom_process, processes, n_processes);
		SECTION("oom_samples", vmt_oom_sample, samples, n_samples);
	}
	if (w->run->sample->arena.failed)
		return vmt_no_memory(w->ctx);
	return s ? 0 : VMT_EXIT_FAILED;
}

void vmt_oom_watch_done(struct vmt_oom_watch *w)
{
	vmt_ooms_free(w->ooms);
	free(w->raws);
	free(w->reports);
	free(w->victims);
	*w = (struct vmt_oom_watch){ 0 };
}
