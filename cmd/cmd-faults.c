/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "cmd/fault-doc.h"
#include "cmd/fault-window.h"

static const struct vmt_section_def sections[] = {
	VMT_FAULT_SECTIONS,
	VMT_STACK_SECTION,
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "only these processes; ends early when all of them have ended" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count for SEC seconds (default 5); SIGINT ends it early" },
	VMT_OPTS_FAULT,
	VMT_OPT_STACKS,
};

static int run_faults(struct vmt_ctx *ctx)
{
	struct vmt_window_opts window_opts = { .duration_ns = UINT64_C(5000000000) };
	struct vmt_model_opts model_opts = { 0 };
	const char *list = vmt_ctx_value(ctx, "pid");
	const char *duration = vmt_ctx_value(ctx, "duration");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_WINDOW window = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct vmt_section *last;
	size_t n_pids = 0;
	int r, missing;

	if (vmt_column_help(ctx, &vmt_entity_fault, &r))
		return r;
	r = vmt_fault_summary(ctx, &model_opts.fault_group);
	if (r == 0 && list)
		r = vmt_parse_pids(ctx, list, &pids, &n_pids);
	if (r)
		return r;
	if (duration && (vmt_parse_duration(duration, &window_opts.duration_ns) < 0 ||
			 window_opts.duration_ns == 0))
		return vmt_usage_error(ctx, "--duration takes seconds, as 3, 0.5 or 500ms");
	if (ctx->root)
		return vmt_usage_error(ctx, "faults are counted live; --root has none");
	window_opts.pids = pids;
	window_opts.n_pids = n_pids;
	window_opts.rung = vmt_ctx_value(ctx, "rung");
	window_opts.stacks = vmt_fault_stacks(ctx);
	r = vmt_fault_without(ctx, &window_opts.without);
	if (r)
		return r;
	r = vmt_run_open(&run, ctx, window_opts.duration_ns);
	if (r == 0 && list)
		r = vmt_run_sample(&run, ctx, VMT_SOURCE_BIT(PIDS), pids, n_pids);
	if (r)
		return r;
	missing = list ? vmt_run_missing(&run, ctx, pids, n_pids) : 0;
	if (missing && run.sample->n_procs == 0)
		return missing;
	r = vmt_window_run(ctx, &window_opts, &window);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, VMT_SOURCE_BIT(PIDS), NULL, 0);
	if (r == 0)
		r = vmt_window_attach(ctx, window, &run);
	if (r == 0)
		r = vmt_run_model(&run, ctx, &model_opts);
	if (r == 0)
		r = vmt_fault_sections(ctx, &run, model_opts.fault_group, NULL, &last);
	if (r == 0)
		r = vmt_fault_stack_section(ctx, &run, &last);
	if (r)
		return r;
	vmt_run_remarks(&run, ctx, last);
	r = vmt_print_doc(ctx, &run.doc);
	/* Nothing was counted at all: the document says why. */
	if (r == 0 && vmt_bytes_is(run.model->probe.rung, "none"))
		r = geteuid() ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	if (r == 0)
		r = vmt_window_signal(window);
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_faults = {
	.name = "faults",
	.summary = "page faults by mapping: how many, of which kind, how long each took",
	.synopsis =
		"[-p LIST] [--duration SEC] [--summary vma|proc|file|ip] [--stacks] [OPTION]...",
	.cost = "adds some tenths of a microsecond to every page fault while it counts, less where "
		"the columns are of counts alone, and reads maps of the processes that faulted",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.n_asked = 1,
	.has_probes = true,
	.run = run_faults,
};
