/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-run.h"

#include <errno.h>

#include "base/fmt.h"
#include "cmd/sandbox.h"
#include "source/collect-cgroups.h"
#include "source/collect-zones.h"

/* What a look at a process takes to know it again. */
#define PROC_SOURCES (VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT))
#define ZONE_SOURCES (VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO))
#define DEAR_SOURCES (VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLLUP))

void vmt_check_run_done(struct vmt_check_run *c)
{
	vmt_run_done(&c->run);
	vmt_window_free(c->window);
	*c = (struct vmt_check_run){ 0 };
}

static unsigned needs_of(const struct vmt_check_item *item)
{
	return vmt_measures[item->want.measure].needs;
}

/* Whether it is of processes, or of all of them. */
static bool of_processes(const struct vmt_check_item *item)
{
	return needs_of(item) & VMT_NEEDS_PROCS || item->want.measure == VMT_MEASURE_MAPS_COUNT;
}

static uint64_t sources_of(const struct vmt_check_plan *plan)
{
	uint64_t sources = 0;
	size_t i;

	for (i = 0; i < plan->n; i++) {
		sources |= vmt_measures[plan->items[i].want.measure].sources;
		if (of_processes(&plan->items[i]))
			sources |= PROC_SOURCES;
	}
	return sources;
}

/* The processes that have to be looked at: those that are named by number, where no item is of
 * others; *ret_all where it is all of them. Heap. */
static int named(const struct vmt_check_plan *plan, uint64_t **ret, size_t *ret_n, bool *ret_all)
{
	size_t i, k, n = 0;

	*ret_all = false;
	for (i = 0; i < plan->n; i++) {
		const struct vmt_check_item *item = &plan->items[i];

		if (!of_processes(item))
			continue;
		n += item->want.n_pids;
		*ret_all |= item->comm || !item->want.pids;
	}
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (i = 0, n = 0; i < plan->n; i++)
		for (k = 0; of_processes(&plan->items[i]) && k < plan->items[i].want.n_pids; k++)
			(*ret)[n++] = plan->items[i].want.pids[k];
	*ret_n = n;
	return 0;
}

static int take_sample(struct vmt_ctx *ctx, struct vmt_check_run *c,
		       const struct vmt_check_plan *plan, uint64_t sources)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	size_t n = 0;
	bool all = false;
	int r;

	if (named(plan, &pids, &n, &all) < 0)
		return vmt_no_memory(ctx);
	r = vmt_run_sample(&c->run, ctx,
			   sources & ~(ZONE_SOURCES | DEAR_SOURCES | VMT_SOURCE_BIT(MEMCG)),
			   all ? NULL : pids, n);
	if (r == 0 && sources & ZONE_SOURCES &&
	    vmt_collect_zones(c->run.collector, c->run.sample, sources & ZONE_SOURCES) < 0)
		r = vmt_no_memory(ctx);
	return r;
}

/* Reads the dear sources of the processes that need them. */
static int take_dear(struct vmt_ctx *ctx, struct vmt_check_run *c,
		     const struct vmt_check_plan *plan, uint64_t source, uint64_t how)
{
	const struct vmt_sample *s = c->run.sample;
	VMT_AUTO_FREE size_t *indices = calloc(s->n_procs + 1, sizeof(*indices));
	size_t i, k, n = 0;

	if (!indices)
		return vmt_no_memory(ctx);
	for (i = 0; i < s->n_procs; i++) {
		/* Kernel threads have no mappings. */
		if (VMT_HAS(proc, class, &s->procs[i]) && !vmt_bytes_is(s->procs[i].class, "user"))
			continue;
		for (k = 0; k < plan->n; k++)
			if (vmt_measures[plan->items[k].want.measure].sources & source &&
			    of_processes(&plan->items[k]) &&
			    vmt_figure_wants(&plan->items[k].want, &s->procs[i]))
				break;
		if (k < plan->n)
			indices[n++] = i;
	}
	return n ? vmt_run_procs(&c->run, ctx, source | how, indices, n) : 0;
}

/* Names of processes become numbers, where what is measured goes by these. Those that were named by
 * number stay: one that is not there is missed. */
static int resolve_names(struct vmt_ctx *ctx, struct vmt_check_plan *plan,
			 const struct vmt_sample *s)
{
	size_t i, k;

	for (i = 0; i < plan->n; i++) {
		struct vmt_check_item *item = &plan->items[i];
		uint64_t *pids;
		size_t n = 0;

		if (!(needs_of(item) & VMT_NEEDS_WINDOW) || !item->comm)
			continue;
		pids = calloc(s->n_procs + 1, sizeof(*pids));
		if (!pids)
			return vmt_no_memory(ctx);
		for (k = 0; k < s->n_procs; k++)
			if (vmt_figure_wants(&item->want, &s->procs[k]))
				pids[n++] = s->procs[k].pid;
		free(item->pids);
		item->pids = pids;
		item->want.pids = pids;
		item->want.n_pids = n;
	}
	return 0;
}

/* Counts the faults of those who are asked for, for the interval. */
static int count_faults(struct vmt_ctx *ctx, struct vmt_check_plan *plan,
			const struct vmt_check_how *how, struct vmt_check_run *c)
{
	struct vmt_window_opts opts = { .duration_ns = how->interval_ns,
					.overhead_percent = VMT_OVERHEAD_USUAL };
	VMT_AUTO_FREE uint64_t *pids = NULL;
	size_t i, k, n = 0;

	for (i = 0; i < plan->n; i++)
		if (needs_of(&plan->items[i]) & VMT_NEEDS_WINDOW)
			n += plan->items[i].want.n_pids;
	/* Nobody is there: the probe without a list would count all. */
	if (n == 0)
		return 0;
	pids = calloc(n, sizeof(*pids));
	if (!pids)
		return vmt_no_memory(ctx);
	for (i = 0, n = 0; i < plan->n; i++)
		for (k = 0;
		     needs_of(&plan->items[i]) & VMT_NEEDS_WINDOW && k < plan->items[i].want.n_pids;
		     k++)
			pids[n++] = plan->items[i].want.pids[k];
	opts.pids = pids;
	opts.n_pids = n;
	return vmt_window_run(ctx, &opts, &c->window);
}

/* Sleeps until end_ns of CLOCK_MONOTONIC, or until the time of --timeout is over. */
static void wait_until(const struct vmt_ctx *ctx, uint64_t end_ns)
{
	struct timespec ts;

	if (ctx->deadline_ns && ctx->deadline_ns < end_ns)
		end_ns = ctx->deadline_ns;
	ts = (struct timespec){ .tv_sec = (time_t)(end_ns / 1000000000),
				.tv_nsec = (long)(end_ns % 1000000000) };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* What comes before the interval, and the interval itself. */
static int first_look(struct vmt_ctx *ctx, struct vmt_check_plan *plan, struct vmt_check_how *how,
		      struct vmt_check_run *c)
{
	unsigned needs = vmt_check_plan_needs(plan);
	uint64_t sources = c->sources & (VMT_SOURCE_BIT(VMSTAT) | PROC_SOURCES);
	int r = 0;

	if (!how->interval_ns)
		return 0;
	if (needs & (VMT_NEEDS_BEFORE | VMT_NEEDS_WINDOW))
		r = take_sample(ctx, c, plan, sources);
	if (r == 0 && needs & VMT_NEEDS_WINDOW) {
		r = resolve_names(ctx, plan, c->run.sample);
		if (r == 0)
			r = count_faults(ctx, plan, how, c);
	}
	/* Also where nobody was left to be counted, and the window ended early. */
	if (r == 0 && needs & VMT_NEEDS_BEFORE && !how->before)
		wait_until(ctx, c->run.sample->host.monotonic_ns + how->interval_ns);
	return r;
}

/* Reads a cgroup into a sample; that it is not there is the figure's to say. */
static int collect_cgroup(struct vmt_ctx *ctx, struct vmt_check_run *c, struct vmt_sample *s,
			  struct vmt_check_item *item)
{
	const struct vmt_cgroup_want want = { .files = vmt_cgroup_all_files(),
					      .path = item->cgroup,
					      .alone = true };
	struct vmt_err err = { 0 };
	int r = vmt_collect_cgroups(c->run.collector, s, &want, &err);

	if (r == -ENOMEM)
		return vmt_no_memory(ctx);
	if (r < 0) {
		item->figure.state = VMT_FIGURE_UNKNOWN;
		item->figure.total = -1;
		vmt_buf_adds(&item->figure.reason, r == -ENOENT ? "no such cgroup: " : err.text);
		if (r == -ENOENT)
			vmt_fmt_safe(&item->figure.reason, vmt_bytes_of(item->cgroup), true);
	}
	return 0;
}

/* A cgroup in a sample of its own: of one sample each has its own first cgroup. */
static int measure_cgroup(struct vmt_ctx *ctx, struct vmt_check_run *c, struct vmt_check_item *item)
{
	VMT_AUTO_SAMPLE s = NULL;
	VMT_AUTO_MODEL m = NULL;
	struct vmt_err err = { 0 };
	int r;

	if (vmt_collect(c->run.collector, VMT_SOURCE_BIT(MEMINFO), NULL, 0, &s, &err) < 0)
		return vmt_complain_err(ctx, &err);
	r = collect_cgroup(ctx, c, s, item);
	if (r || item->figure.reason.len)
		return r;
	vmt_sample_settle(s);
	if (vmt_model_build(s, NULL, NULL, &m, &err) < 0 ||
	    vmt_figure_take(m, NULL, &item->want, &item->figure) < 0)
		return vmt_no_memory(ctx);
	/* What went wrong with it stands in the document. */
	if (s->sources[VMT_SOURCE_MEMCG].state != VMT_STATE_OK ||
	    c->run.sample->sources[VMT_SOURCE_MEMCG].state == VMT_STATE_UNUSED)
		c->run.sample->sources[VMT_SOURCE_MEMCG] = s->sources[VMT_SOURCE_MEMCG];
	return 0;
}

static int measure_all(struct vmt_ctx *ctx, struct vmt_check_plan *plan, struct vmt_check_run *c,
		       bool cgroups)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->n; i++) {
		struct vmt_check_item *item = &plan->items[i];

		if (cgroups != !!(needs_of(item) & VMT_NEEDS_CGROUP))
			continue;
		item->want.sources = c->sources;
		if (cgroups)
			r = measure_cgroup(ctx, c, item);
		else if (vmt_figure_take(c->run.model, c->run.prev, &item->want, &item->figure) < 0)
			r = vmt_no_memory(ctx);
	}
	return r;
}

int vmt_check_measure(struct vmt_ctx *ctx, struct vmt_check_plan *plan, struct vmt_check_how *how,
		      struct vmt_check_run *c)
{
	const struct vmt_model_opts opts = { .fault_group = VMT_FAULT_BY_PROC };
	int r = vmt_run_open(&c->run, ctx, how->interval_ns);

	if (r == 0 && !(vmt_check_plan_needs(plan) & VMT_NEEDS_WINDOW))
		r = vmt_sandbox_close(ctx);
	if (r)
		return r;
	/* What is late is said; that needs some of the time. */
	if (ctx->deadline_ns)
		vmt_collector_set_deadline(c->run.collector,
					   ctx->deadline_ns -
						   (ctx->deadline_ns - ctx->started_ns) / 10);
	c->sources = sources_of(plan);
	r = first_look(ctx, plan, how, c);
	if (r == 0)
		r = take_sample(ctx, c, plan, c->sources);
	if (r == 0 && c->sources & VMT_SOURCE_BIT(MAPS))
		r = take_dear(ctx, c, plan, VMT_SOURCE_BIT(MAPS), VMT_COLLECT_COUNT);
	if (r == 0 && c->sources & VMT_SOURCE_BIT(ROLLUP))
		r = take_dear(ctx, c, plan, VMT_SOURCE_BIT(ROLLUP), 0);
	if (r == 0 && c->window)
		r = vmt_window_attach(ctx, c->window, &c->run);
	if (r)
		return r;
	if (how->before) {
		vmt_sample_free(c->run.prev);
		c->run.prev = VMT_STEAL(how->before);
	}
	/* Before the model, which has the list of the sources. */
	r = measure_all(ctx, plan, c, true);
	if (r == 0)
		r = vmt_run_model(&c->run, ctx, &opts);
	return r ? r : measure_all(ctx, plan, c, false);
}

#define RESIDENTS 3

int vmt_check_residents(struct vmt_ctx *ctx, struct vmt_check_run *c, struct vmt_buf *out)
{
	VMT_AUTO_SAMPLE s = NULL;
	struct vmt_err err = { 0 };
	const struct vmt_proc *top[RESIDENTS + 1] = { NULL };
	size_t i, k;

	if (vmt_collect(c->run.collector, VMT_SOURCE_BIT(STATUS), NULL, 0, &s, &err) < 0)
		return vmt_complain_err(ctx, &err);
	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (!VMT_HAS(proc, rss_bytes, p) || !p->rss_bytes)
			continue;
		for (k = RESIDENTS; k > 0; k--) {
			if (top[k - 1] && top[k - 1]->rss_bytes >= p->rss_bytes)
				break;
			top[k] = top[k - 1];
			top[k - 1] = p;
		}
	}
	for (k = 0; k < RESIDENTS && top[k]; k++) {
		vmt_buf_adds(out, k ? ", " : "top resident: ");
		vmt_fmt_process(out, top[k]->pid,
				VMT_HAS(proc, comm, top[k]) ? &top[k]->comm : NULL);
		vmt_buf_addc(out, ' ');
		vmt_check_figure(out, (int64_t)top[k]->rss_bytes * 1000, VMT_CHECK_BYTES);
	}
	if (top[0])
		vmt_buf_addc(out, '\n');
	return 0;
}
