/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/report-events.h"

#include <inttypes.h>
#include <time.h>

#include "cmd/event-note.h"
#include "cmd/report-pictures.h"

/* Where it is a table, beside what the sentence has. */
#define COLUMNS "TIME,PID,COMMAND,TEXT"

#define PAGE_TITLE "Crashes and OOM kills"

void vmt_report_events_done(struct vmt_report_events *e)
{
	vmt_event_watch_end(&e->watch);
	e->begun = false;
}

int vmt_report_events_begin(struct vmt_report_events *e, struct vmt_ctx *ctx, const uint64_t *pids,
			    size_t n_pids)
{
	if (vmt_event_watch_begin(&e->watch, pids, n_pids) < 0)
		return vmt_no_memory(ctx);
	e->begun = true;
	return 0;
}

int vmt_report_events_take(struct vmt_report_events *e, struct vmt_ctx *ctx, struct vmt_run *run)
{
	int r;

	if (!e->begun)
		return 0;
	e->watch.is_last = true;
	r = vmt_event_watch_sample(&e->watch, run->collector, run->sample);
	e->took_ns = vmt_now_ns(CLOCK_MONOTONIC) - e->watch.began_ns;
	ctx->partial |= e->watch.crashes.error || e->watch.kills.error;
	vmt_report_events_done(e);
	return r == 0 ? 0 : vmt_no_memory(ctx);
}

/* What was watched: of the rest its source says why not. */
static const char *watched(const struct vmt_sample *s)
{
	if (!vmt_sample_knows(s, VMT_SOURCE_KILLS))
		return "DIED: crashes";
	return vmt_sample_knows(s, VMT_SOURCE_EVENTS) ? "DIED: crashes and OOM kills"
						      : "DIED: OOM kills";
}

/* How many there were, in what time, and what is missing. */
static void add_note(struct vmt_buf *out, const struct vmt_report_events *e,
		     const struct vmt_sample *s)
{
	if (s->n_events)
		vmt_buf_addf(out, "%zu", s->n_events);
	else
		vmt_buf_adds(out, "none");
	vmt_buf_adds(out, " in ");
	vmt_fmt_duration(out, e->took_ns);
	vmt_buf_addc(out, '\n');
	if (s->n_event_gaps)
		vmt_buf_addf(out, "! %" PRIu64 " more are not listed, %" PRIu64 " were lost\n",
			     s->event_gaps->limited_total, s->event_gaps->lost_total);
}

/* For people: that nobody knows, and why. In a document for programs the sources say it. */
static int add_reason(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_section **ret)
{
	const struct vmt_source_stat *st = &run->sample->sources[VMT_SOURCE_EVENTS];
	struct vmt_section *s;

	if (st->state == VMT_STATE_UNUSED ||
	    (strcmp(ctx->format->name, "text") != 0 && !vmt_report_has_pictures(ctx)))
		return 0;
	s = vmt_run_section(run, ctx, "events", NULL, 0);
	if (!s)
		return VMT_EXIT_FAILED;
	s->title = vmt_report_has_pictures(ctx) ? PAGE_TITLE : "DIED: crashes and OOM kills";
	vmt_buf_adds(&s->note, "not watched: ");
	vmt_fmt_safe(&s->note, vmt_bytes_of(st->reason), ctx->out.ascii);
	vmt_buf_addc(&s->note, '\n');
	*ret = s;
	return 0;
}

int vmt_report_events_add(const struct vmt_report_events *e, struct vmt_ctx *ctx,
			  struct vmt_run *run, size_t rows, struct vmt_section **ret)
{
	const struct vmt_sample *s = run->sample;
	bool sentences = strcmp(ctx->format->name, "text") == 0 && !ctx->out.raw;
	struct vmt_section *events, *gaps;
	size_t i;

	*ret = NULL;
	if (!vmt_sample_has_events(s))
		return add_reason(ctx, run, ret);
	events = vmt_run_section(run, ctx, "events", s->events, s->n_events);
	gaps = events ? vmt_run_section(run, ctx, "gaps", s->event_gaps, s->n_event_gaps) : NULL;
	if (!gaps)
		return VMT_EXIT_FAILED;
	gaps->machine_only = true;
	events->title = vmt_report_has_pictures(ctx) ? PAGE_TITLE : watched(s);
	if (vmt_columns_parse(&events->columns, events->def->entity, COLUMNS, NULL) < 0 ||
	    vmt_section_arrange(events, rows) < 0)
		return vmt_no_memory(ctx);
	/* Lines are whole, however narrow the terminal. */
	for (i = 0; sentences && i < events->n; i++)
		vmt_event_line(&events->note, events->rows[i], ctx->out.ascii);
	if (sentences && events->n < events->total)
		vmt_buf_addf(&events->note, "(%zu of %zu)\n", events->n, events->total);
	if (sentences)
		events->n = 0;
	add_note(&events->note, e, s);
	*ret = events;
	return 0;
}
