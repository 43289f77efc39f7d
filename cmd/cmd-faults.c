/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "cmd/fault-doc.h"
#include "cmd/fault-stream.h"
#include "cmd/privilege.h"

static const struct vmt_section_def sections[] = {
	VMT_FAULT_SECTIONS,
	{ "singles", &vmt_entity_single, false, "single faults, with --min-latency" },
	VMT_STACK_SECTION,
	{ "gaps", &vmt_entity_gap, false, "lines of --stream: single faults that are missing" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "only these processes; ends early when all of them have ended" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count for SEC seconds (default 5); SIGINT ends it early" },
	VMT_OPTS_FAULT,
	VMT_OPT_STACKS,
	{ "min-latency", 0, VMT_OPT_VALUE, "TIME", NULL,
	  "list each fault that took as long, as 5ms; 0: all, runs of adjacent pages in one row" },
	{ "stream", 0, VMT_OPT_FLAG, NULL, NULL,
	  "with --ndjson: single faults as they come, until SIGINT or for --duration" },
	{ "rate-limit", 0, VMT_OPT_VALUE, "N", NULL,
	  "list at most N of them a second (default 1000); 0: no limit" },
};

/* What the options say of single faults; an exit code or 0. */
static int parse_singles(struct vmt_ctx *ctx, struct vmt_window_opts *ret)
{
	const char *least = vmt_ctx_value(ctx, "min-latency");
	const char *rate = vmt_ctx_value(ctx, "rate-limit");

	ret->single_rate = 1000;
	if (rate && vmt_parse_u64(rate, &ret->single_rate) < 0)
		return vmt_usage_error(ctx, "--rate-limit takes a number");
	ret->singles = vmt_ctx_given(ctx, "stream");
	if (ret->singles) {
		ret->duration_ns = VMT_WINDOW_ENDLESS;
		if (strcmp(ctx->format->name, "ndjson") != 0)
			return vmt_usage_error(ctx, "--stream is lines of JSON: --ndjson");
		if (vmt_ctx_given(ctx, "sort") || vmt_ctx_given(ctx, "top"))
			return vmt_usage_error(ctx, "a stream has no order: no -s, no --top");
	}
	if ((least || ret->singles) && vmt_ctx_given(ctx, "kind"))
		return vmt_usage_error(ctx, "single faults have no kinds: no --kind");
	if (!least && ret->singles)
		return 0;
	if (!least)
		return rate ? vmt_usage_error(ctx, "--rate-limit is for --min-latency and --stream")
			    : 0;
	ret->singles = true;
	if (vmt_parse_duration(least, &ret->single_least_ns) < 0)
		return vmt_usage_error(ctx, "--min-latency takes a time, as 5ms, 100us or 0");
	return 0;
}

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
	bool stream;
	int r, missing;

	r = parse_singles(ctx, &window_opts);
	if (r)
		return r;
	if (vmt_column_help(ctx, window_opts.singles ? &vmt_entity_single : &vmt_entity_fault, &r))
		return r;
	r = vmt_fault_summary(ctx, &model_opts);
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
	window_opts.by_kind = vmt_fault_by_kind(&model_opts);
	r = vmt_fault_asks(ctx, &model_opts,
			   window_opts.singles ? &vmt_entity_single : &vmt_entity_fault,
			   &window_opts.asks);
	if (r)
		return r;
	r = vmt_fault_overhead(ctx, window_opts.singles, window_opts.asks,
			       &window_opts.overhead_percent);
	if (r)
		return r;
	/* The list has all of it, whatever its columns are. */
	r = window_opts.singles ? 0 : vmt_fault_without(ctx, &model_opts, &window_opts.without);
	if (r)
		return r;
	window_opts.without |= vmt_fault_without_pages(ctx);
	stream = vmt_ctx_given(ctx, "stream");
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0 && (list || stream))
		r = vmt_run_sample(&run, ctx, VMT_SOURCE_BIT(PIDS), pids, n_pids);
	if (r)
		return r;
	missing = list ? vmt_run_missing(&run, ctx, pids, n_pids) : 0;
	if (missing && run.sample->n_procs == 0)
		return missing;
	if (stream) {
		r = vmt_fault_stream(ctx, &run, &window_opts, &model_opts);
		return r ? r : missing;
	}
	r = vmt_window_run(ctx, &window_opts, &window);
	vmt_run_time_anew(&run, ctx);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, vmt_fault_sources(window_opts.asks), NULL, 0);
	if (r == 0)
		r = vmt_window_attach(ctx, window, &run);
	if (r == 0)
		r = vmt_run_model(&run, ctx, &model_opts);
	if (r == 0)
		r = vmt_fault_sections(ctx, &run, &model_opts, NULL, &last);
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
	.synopsis = "[-p LIST] [--duration SEC] [--summary WHAT] [--kind LIST] [--stacks] "
		    "[--min-latency TIME] [--stream] [OPTION]...",
	.cost = "adds some tenths of a microsecond to every page fault while it counts, less where "
		"the columns are of counts alone, and reads maps of the processes that faulted",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.n_asked = 3,
	.has_probes = true,
	.keeps = VMT_RIGHT_PROBES,
	.run = run_faults,
};
