/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-collect.h"

#include "source/collect-zones.h"

/* A source that does not answer must not stop the dashboard: what it gives is unknown in this
 * sample. */
#define SAMPLE_NS (UINT64_C(2) * 1000000000)

int vmt_top_open(struct vmt_top *top, struct vmt_ctx *ctx)
{
	return vmt_run_open(&top->run, ctx, 0);
}

void vmt_top_done(struct vmt_top *top)
{
	vmt_run_done(&top->run);
	vmt_top_cache_done(&top->cache);
	vmt_top_faults_done(&top->faults);
}

int vmt_top_sample(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want)
{
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t sources = want->sources;
	/* The same text of zoneinfo gives the sums of the machine and the zones. */
	uint64_t zones = sources & VMT_SOURCE_BIT(BUDDYINFO)
				 ? VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO)
				 : 0;
	static const uint64_t none = 0;
	int r;

	vmt_collector_set_deadline(top->run.collector, vmt_now_ns(CLOCK_MONOTONIC) + SAMPLE_NS);
	if (want->procs)
		sources |= VMT_SOURCE_BIT(PIDS) | VMT_COLLECT_KEEP;
	/* No processes at all, where nobody looks at them. */
	r = vmt_run_sample(&top->run, ctx, zones ? sources & ~zones : sources,
			   want->procs ? NULL : &none, 0);
	if (r == 0 && zones && vmt_collect_zones(top->run.collector, top->run.sample, zones) < 0) {
		vmt_complain(ctx, "out of memory");
		r = VMT_EXIT_FAILED;
	}
	if (r == 0 && want->cache)
		r = vmt_top_cache_sample(&top->cache, &top->run, ctx, want->cache);
	if (r == 0)
		r = vmt_top_faults_sample(&top->faults, &top->run, ctx, want);
	if (r == 0)
		r = vmt_run_remodel(&top->run, ctx, NULL);
	if (r == 0)
		r = vmt_top_faults_model(&top->faults, &top->run, ctx, want);
	top->took_ns = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	return r;
}
