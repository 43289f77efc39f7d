/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-collect.h"

#include "source/collect-zones.h"

/* A source that does not answer must not stop the dashboard: what it gives is unknown in this
 * sample. */
#define SAMPLE_NS (UINT64_C(2) * 1000000000)

/* What of the processes on the screen takes a reader of its own, and no walk. */
#define TEXTS (VMT_SOURCE_BIT(OOM) | VMT_SOURCE_BIT(CMDLINE))

int vmt_top_open(struct vmt_top *top, struct vmt_ctx *ctx)
{
	if (top->replay)
		return 0;
	/* Reading a recording holds nobody up. */
	top->rows.budget_ns = ctx->root ? UINT64_MAX : VMT_TOP_BUDGET_NS;
	return vmt_run_open(&top->run, ctx, 0);
}

void vmt_top_done(struct vmt_top *top)
{
	free(top->asked);
	vmt_top_rows_done(&top->rows);
	vmt_top_maps_done(&top->maps);
	vmt_run_done(&top->run);
	vmt_top_cache_done(&top->cache);
	vmt_top_faults_done(&top->faults);
	vmt_top_events_done(&top->events);
	vmt_top_symbols_done(&top->symbols);
}

static void set_deadline(struct vmt_top *top)
{
	vmt_collector_set_deadline(top->run.collector, vmt_now_ns(CLOCK_MONOTONIC) + SAMPLE_NS);
}

/* What of all processes is read: the two files that cost least, unless one of the others is needed
 * of all. A recording costs nothing to read. */
static uint64_t sources_of(const struct vmt_ctx *ctx, const struct vmt_ui_want *want, uint64_t pid)
{
	uint64_t sources = want->sources;

	if (!want->procs)
		return pid ? sources | VMT_SOURCE_BIT(PIDS) : sources;
	if (ctx->root)
		sources |= VMT_SOURCE_BIT(STATUS) | (want->row_sources & VMT_SOURCE_BIT(CGROUP));
	if (!(sources & VMT_SOURCE_BIT(STATUS)))
		sources |= VMT_SOURCE_BIT(STATM);
	return sources | VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(STAT) | VMT_COLLECT_KEEP;
}

/*
 * Another sample soon after the last one, because something else is to be seen: rates stay those of
 * a whole interval, against the sample before that one, where there is one.
 */
static void keep_interval(struct vmt_top *top, const struct vmt_ui_want *want)
{
	struct vmt_run *run = &top->run;

	if (!run->sample || !run->prev || run->sample->host.root.len ||
	    vmt_now_ns(CLOCK_MONOTONIC) - run->sample->host.monotonic_ns >= want->interval_ns / 2)
		return;
	vmt_model_free(VMT_STEAL(run->model));
	vmt_sample_free(run->sample);
	run->sample = VMT_STEAL(run->prev);
}

/* The processes on the screen that the sample has, as indices, without those that were asked for
 * in it already; they have been, then. */
static size_t rows_of(struct vmt_top *top, const struct vmt_ui_want *want, size_t n_rows,
		      size_t *ret)
{
	const struct vmt_sample *s = top->run.sample;
	size_t i, n = 0;

	for (i = 0; want->row_sources && i < n_rows; i++) {
		const struct vmt_ui_proc *row = &want->rows[i];
		const struct vmt_proc *p = vmt_sample_proc(s, row->pid);

		if (!p || top->asked[p - s->procs] ||
		    (VMT_HAS(proc, start_time_ns, p) && row->start_time_ns &&
		     p->start_time_ns != row->start_time_ns))
			continue;
		top->asked[p - s->procs] = true;
		ret[n++] = (size_t)(p - s->procs);
	}
	return n;
}

/* A sample begins: nothing was asked for yet. */
static int begin_rows(struct vmt_top *top)
{
	size_t n = top->run.sample->n_procs;

	vmt_top_rows_begin(&top->rows, top->run.sample->host.monotonic_ns);
	if (vmt_grow(&top->asked, &top->cap_asked, n + 1, sizeof(*top->asked)) < 0)
		return -ENOMEM;
	memset(top->asked, 0, n * sizeof(*top->asked));
	return 0;
}

static int no_memory(struct vmt_ctx *ctx)
{
	return vmt_no_memory(ctx);
}

static int read_rows(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want,
		     const size_t *indices, size_t n)
{
	struct vmt_sample *s = top->run.sample;
	size_t due[VMT_UI_ROWS_MAX], n_due;
	struct vmt_err err = { 0 };

	/* All of them have been read of a recording. */
	if (!ctx->root &&
	    vmt_collect_files(top->run.collector, s, want->row_sources | VMT_COLLECT_KEEP, indices,
			      n, &err) < 0)
		return vmt_complain_err(ctx, &err);
	if (want->row_sources & TEXTS &&
	    vmt_collect_procs(top->run.collector, s, want->row_sources & TEXTS, indices, n, &err) <
		    0)
		return vmt_complain_err(ctx, &err);
	if (!(want->row_sources & VMT_SOURCE_BIT(ROLLUP)))
		return 0;
	vmt_collector_set_budget(top->run.collector, top->rows.budget_ns);
	n_due = vmt_top_rows_due(&top->rows, s, indices, n, due);
	if (vmt_collect_procs(top->run.collector, s, VMT_SOURCE_BIT(ROLLUP), due, n_due, &err) < 0)
		return vmt_complain_err(ctx, &err);
	if (!ctx->root && vmt_top_rows_keep(&top->rows, s, indices, n) < 0)
		return no_memory(ctx);
	return 0;
}

int vmt_top_sample(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want)
{
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	/* The same text of zoneinfo gives the sums of the machine and the zones. */
	uint64_t zones = want->sources & VMT_SOURCE_BIT(BUDDYINFO)
				 ? VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO)
				 : 0;
	uint64_t pid = vmt_top_maps_pid(want);
	size_t rows[VMT_UI_ROWS_MAX];
	int r;

	/* What took_ns of the sample is counted from. */
	ctx->started_ns = vmt_now_ns(CLOCK_MONOTONIC);
	set_deadline(top);
	keep_interval(top, want);
	/* One process or none at all, where nobody looks at the others. */
	r = vmt_run_sample(&top->run, ctx, sources_of(ctx, want, pid) & ~zones,
			   want->procs ? NULL : &pid, pid != 0);
	if (r)
		return r;
	if (want->procs)
		vmt_sample_drop_kernel(top->run.sample);
	if ((zones && vmt_collect_zones(top->run.collector, top->run.sample, zones) < 0) ||
	    begin_rows(top) < 0)
		return no_memory(ctx);
	r = read_rows(top, ctx, want, rows,
		      rows_of(top, want, want->n_rows + want->n_candidates, rows));
	if (r == 0 && want->cache && !want->held)
		r = vmt_top_cache_sample(&top->cache, &top->run, ctx, want->cache);
	if (r == 0 && vmt_top_maps_sample(&top->maps, &top->run, want) < 0)
		r = no_memory(ctx);
	/* Loading a probe takes memory for a while, less beside this one than beside that of
	 * faults. */
	if (r == 0)
		r = vmt_top_events_sample(&top->events, &top->run, ctx, want);
	if (r == 0)
		r = vmt_top_faults_sample(&top->faults, &top->run, ctx, want);
	if (r == 0)
		r = vmt_run_remodel(&top->run, ctx, NULL);
	if (r == 0 && !want->held &&
	    vmt_top_events_model(&top->events, &top->run, ++top->samples) < 0)
		r = no_memory(ctx);
	if (r == 0)
		r = vmt_top_faults_model(&top->faults, &top->run, ctx, want);
	if (r == 0 && want->singles && !want->held &&
	    vmt_top_symbols_put(&top->symbols, top->run.model) < 0)
		r = no_memory(ctx);
	top->took_ns = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	return r;
}

int vmt_top_more(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want,
		 bool *ret_new)
{
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	size_t rows[VMT_UI_ROWS_MAX], n;
	int r = 0, seen;

	*ret_new = false;
	if (!want->sampling || !top->run.sample || top->replay)
		return 0;
	set_deadline(top);
	n = rows_of(top, want, want->n_rows, rows);
	seen = vmt_top_maps_more(&top->maps, &top->run, want);
	if (seen < 0)
		return no_memory(ctx);
	*ret_new = seen > 0;
	if (n)
		r = read_rows(top, ctx, want, rows, n);
	else if (!seen)
		return 0;
	if (r == 0 && n && vmt_model_refresh(top->run.model, top->run.prev, rows, n) < 0)
		r = no_memory(ctx);
	*ret_new = r == 0;
	top->took_ns += vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	return r;
}

int vmt_top_name(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want,
		 struct vmt_model *shown, bool *ret_new)
{
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	int r;

	if (!want->code.pid || !shown || !top->run.collector)
		return 0;
	r = vmt_top_symbols_look(&top->symbols, top->run.collector, &want->code);
	if (r <= 0)
		return r < 0 ? no_memory(ctx) : 0;
	*ret_new = true;
	r = vmt_top_symbols_put(&top->symbols, shown);
	top->took_ns += vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	return r < 0 ? no_memory(ctx) : 0;
}
