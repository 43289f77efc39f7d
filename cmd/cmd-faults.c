/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "cmd/fault-window.h"

static const struct vmt_section_def sections[] = {
	{ "faults", &vmt_entity_fault, false, "page faults by mapping, process or file" },
	{ "balance", &vmt_entity_balance, false,
	  "the sum of each process against the kernel's counters" },
	{ "files", &vmt_entity_file, false, "calls of filemap_fault by file" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "only these processes; ends early when all of them have ended" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count for SEC seconds (default 5); SIGINT ends it early" },
	{ "summary", 0, VMT_OPT_VALUE, "WHAT", "vma proc file",
	  "a row for each mapping (vma, the default), process or file" },
	{ "rung", 0, VMT_OPT_VALUE, "NAME", "auto fexit kprobe tracepoint perf proc",
	  "how to count; auto takes the best that works" },
	{ "balance", 0, VMT_OPT_FLAG, NULL, NULL, "show the sum of each process in text, too" },
};

static int parse_summary(struct vmt_ctx *ctx, enum vmt_fault_group *ret)
{
	const char *what = vmt_ctx_value(ctx, "summary");

	if (!what || strcmp(what, "vma") == 0)
		*ret = VMT_FAULT_BY_VMA;
	else if (strcmp(what, "proc") == 0)
		*ret = VMT_FAULT_BY_PROC;
	else if (strcmp(what, "file") == 0)
		*ret = VMT_FAULT_BY_FILE;
	else
		return vmt_usage_error(ctx, "--summary takes vma, proc or file");
	return 0;
}

static const char *const group_columns[] = {
	[VMT_FAULT_BY_VMA] = NULL,
	[VMT_FAULT_BY_PROC] = "PID,FAULTS,MAJOR,READ,WRITE,GUP,P50,P99,MAX,STALL,COMMAND",
	[VMT_FAULT_BY_FILE] = "KIND,FAULTS,MAJOR,READ,WRITE,P50,P99,MAX,STALL,MAPPING",
};

static int sections_of(struct vmt_ctx *ctx, struct vmt_run *run, enum vmt_fault_group group)
{
	const struct vmt_model *m = run->model;
	struct vmt_section *s = vmt_run_section(run, ctx, "faults", m->faults, m->n_faults);
	struct vmt_section *balance, *files, *last;
	int r;

	if (!s)
		return VMT_EXIT_FAILED;
	if (group_columns[group] &&
	    vmt_columns_parse(&s->columns, &vmt_entity_fault, group_columns[group], NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_window_text(&s->note, ctx, m);
	balance = vmt_run_section(run, ctx, "balance", m->balance, m->n_balance);
	files = vmt_run_section(run, ctx, "files", m->files, m->n_files);
	if (!balance || !files)
		return VMT_EXIT_FAILED;
	vmt_section_arrange(balance, 0);
	vmt_section_arrange(files, 0);
	balance->title = "SUM by process";
	balance->machine_only = !vmt_ctx_given(ctx, "balance");
	files->title = "FILES: calls of filemap_fault";
	files->machine_only = group != VMT_FAULT_BY_FILE || m->n_files == 0;
	last = !files->machine_only ? files : !balance->machine_only ? balance : s;
	vmt_run_remarks(run, ctx, last);
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
	size_t n_pids = 0;
	int r, missing;

	if (vmt_column_help(ctx, &vmt_entity_fault, &r))
		return r;
	r = parse_summary(ctx, &model_opts.fault_group);
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
		r = sections_of(ctx, &run, model_opts.fault_group);
	if (r)
		return r;
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
	.synopsis = "[-p LIST] [--duration SEC] [--summary vma|proc|file] [OPTION]...",
	.cost = "adds about a microsecond to every page fault while it counts, less where -p leaves "
		"the process out, and reads maps of the processes that faulted",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.has_probes = true,
	.run = run_faults,
};
