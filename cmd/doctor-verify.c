/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/doctor-verify.h"

#include "cmd/collect-loop.h"
#include "model/verify.h"
#include "source/verify-read.h"

/* Of a machine with thousands of processes those are looked at for which there is time. */
#define ALL_LIMIT_NS UINT64_C(12000000000)

static int parse_operands(struct vmt_ctx *ctx, uint64_t **ret, size_t *ret_n)
{
	VMT_AUTO_BUF list = { 0 };
	size_t i;

	for (i = 0; i < ctx->n_operands; i++)
		vmt_buf_addf(&list, "%s%s", i ? "," : "", ctx->operands[i]);
	if (vmt_buf_error(&list) < 0)
		return vmt_no_memory(ctx);
	return vmt_parse_pids(ctx, list.data, ret, ret_n);
}

/* V1 to V7 of each process of the sample; an exit code or 0. */
static int verify_procs(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_verify *v, bool named)
{
	uint64_t limit = named ? 0 : vmt_now_ns(CLOCK_MONOTONIC) + ALL_LIMIT_NS;
	struct vmt_outcome out[VMT_CHECK_PROC];
	struct vmt_err err = { 0 };
	size_t i;
	int k, r;

	if (ctx->deadline_ns && (!limit || ctx->deadline_ns < limit))
		limit = ctx->deadline_ns;
	for (i = 0; i < run->sample->n_procs; i++) {
		const struct vmt_proc *p = &run->sample->procs[i];

		if (VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user"))
			continue;
		if (limit && vmt_now_ns(CLOCK_MONOTONIC) >= limit) {
			run->sample->sources[VMT_SOURCE_SMAPS].skipped++;
			vmt_verify_unread(v);
			ctx->partial = true;
			continue;
		}
		r = vmt_verify_read_proc(run->collector, run->sample, p->pid, out, &err);
		if (r == -ENODATA)
			continue;
		if (r == -ESRCH)
			vmt_verify_unread(v);
		else if (r < 0)
			return vmt_complain_err(ctx, &err);
		for (k = 0; r == 0 && k < VMT_CHECK_PROC; k++)
			vmt_verify_add(v, (enum vmt_check_id)k, &out[k], p->pid, p->comm);
	}
	return 0;
}

static void why_not(struct vmt_ctx *ctx, const struct vmt_run *run, struct vmt_verify *v)
{
	const struct vmt_source_stat *smaps = &run->sample->sources[VMT_SOURCE_SMAPS];
	int i;

	for (i = 0; i < VMT_CHECK_PROC; i++)
		if (v->worst[i] == VMT_VERDICT_NONE && smaps->reason[0])
			vmt_verify_why(v, (enum vmt_check_id)i, smaps->reason);
	if (v->worst[VMT_CHECK_V6] == VMT_VERDICT_NONE &&
	    v->worst[VMT_CHECK_V3] != VMT_VERDICT_NONE) {
		const struct vmt_source_stat *pm = &run->sample->sources[VMT_SOURCE_PAGEMAP];

		vmt_verify_why(v, VMT_CHECK_V6,
			       pm->reason[0]
				       ? pm->reason
				       : "pagemap says nothing, or not what the zero page is");
	}
	if (v->worst[VMT_CHECK_CHURN] == VMT_VERDICT_NONE)
		vmt_verify_why(v, VMT_CHECK_CHURN,
			       ctx->root ? "only a running kernel can be tried"
					 : "no smaps_rollup, or no thread could be started");
}

static int print(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_verify *v, bool named)
{
	struct vmt_section *s;
	int off, r;

	vmt_verify_state(v, &run->model->system);
	off = vmt_verify_finish(v);
	if (off < 0)
		return vmt_no_memory(ctx);
	/* Of processes that were named, the machine is no part. */
	s = vmt_run_section(run, ctx, "checks", v->checks, named ? VMT_CHECK_MACHINE : VMT_CHECKS);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_run_remarks(run, ctx, s);
	r = vmt_print_doc(ctx, &run->doc);
	return r ? r : off ? VMT_EXIT_FAILED : VMT_EXIT_OK;
}

int vmt_doctor_verify(struct vmt_ctx *ctx)
{
	const uint64_t cheap = VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) |
			       VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(PIDS);
	struct vmt_err second = { 0 }; /* v may hold its text */
	VMT_CLEANUP(vmt_verify_done) struct vmt_verify v = { 0 };
	struct vmt_outcome machine[VMT_CHECKS] = { 0 };
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	bool named = ctx->n_operands > 0;
	size_t n_pids = 0;
	int r = 0, i, missing = 0;

	vmt_verify_init(&v);
	if (vmt_column_help(ctx, &vmt_entity_check, &r))
		return r;
	if (named)
		r = parse_operands(ctx, &pids, &n_pids);
	if (r == 0)
		r = vmt_run_open(&run, ctx, UINT64_C(20000000000));
	if (r == 0)
		r = vmt_run_sample(&run, ctx, cheap, pids, n_pids);
	if (r)
		return r;
	if (named) {
		missing = vmt_run_missing(&run, ctx, pids, n_pids);
		if (run.sample->n_procs == 0)
			return missing;
	}
	if (!named)
		vmt_verify_read_machine(run.collector, machine);
	for (i = VMT_CHECK_V8; !named && i <= VMT_CHECK_V9_ANON; i++)
		vmt_verify_add(&v, (enum vmt_check_id)i, &machine[i], 0, (struct vmt_bytes){ 0 });
	if (!named) {
		vmt_verify_read_procps(run.collector, &machine[VMT_CHECK_V12], &second);
		vmt_verify_add(&v, VMT_CHECK_V12, &machine[VMT_CHECK_V12], 0,
			       (struct vmt_bytes){ 0 });
		if (machine[VMT_CHECK_V12].verdict == VMT_VERDICT_NONE)
			vmt_verify_why(&v, VMT_CHECK_V12, second.text);
	}
	vmt_verify_churn(run.collector, false, &machine[VMT_CHECK_CHURN]);
	vmt_verify_add(&v, VMT_CHECK_CHURN, &machine[VMT_CHECK_CHURN], 0, (struct vmt_bytes){ 0 });
	r = verify_procs(ctx, &run, &v, named);
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r == 0 && named)
		r = vmt_run_verdict(&run, ctx, VMT_SOURCE_SMAPS);
	if (r)
		return r;
	why_not(ctx, &run, &v);
	r = print(ctx, &run, &v, named);
	return r ? r : missing;
}
