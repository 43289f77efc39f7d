/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/collect-loop.h"

#include "base/parse.h"

static const struct vmt_section_def sections[] = {
	{ "processes", &vmt_entity_proc, false, "processes, one row each" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid", "only these processes" },
	{ "user", 'u', VMT_OPT_VALUE, "NAME", "@user", "only processes of this user (name or id)" },
	{ "pss", 0, VMT_OPT_FLAG, NULL, NULL,
	  "add PSS and USS, which read smaps_rollup of every process shown" },
	{ "kernel-threads", 0, VMT_OPT_FLAG, NULL, NULL,
	  "kernel threads too; they have no memory of their own" },
};

/* Takes away the rows that were not asked for. */
static void filter(struct vmt_ctx *ctx, struct vmt_sample *s)
{
	const char *user = vmt_ctx_value(ctx, "user");
	bool kernel = vmt_ctx_given(ctx, "kernel-threads") || vmt_ctx_given(ctx, "pid");
	uint64_t uid = 0;
	bool by_uid = user && vmt_parse_u64(user, &uid) == 0;
	size_t i, n = 0;

	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (!kernel && VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel"))
			continue;
		if (user && !(by_uid && VMT_HAS(proc, uid, p) && p->uid == uid) &&
		    !(VMT_HAS(proc, user, p) && vmt_bytes_is(p->user, user)))
			continue;
		s->procs[n++] = *p;
	}
	s->n_procs = n;
}

/*
 * With --top, only the rows that will be shown are worth a dear read: takes the others away before
 * it, where the order does not hang on what is read.
 */
static int cut(struct vmt_ctx *ctx, struct vmt_sample *s, uint32_t dear)
{
	const char *top = vmt_ctx_value(ctx, "top"), *order = vmt_ctx_value(ctx, "sort");
	VMT_AUTO_FREE const void **rows = NULL;
	VMT_AUTO_FREE bool *keep = NULL;
	struct vmt_sort sort;
	uint64_t most = 0;
	size_t i, n = 0;

	if (!top || vmt_parse_u64(top, &most) < 0 || most == 0 || most >= s->n_procs)
		return 0;
	if (vmt_sort_parse(&sort, &vmt_entity_proc, order ? order : vmt_entity_proc.sort, NULL) <
		    0 ||
	    vmt_sort_sources(&sort) & dear)
		return 0;
	rows = calloc(s->n_procs, sizeof(*rows));
	keep = calloc(s->n_procs, sizeof(*keep));
	if (!rows || !keep)
		return -ENOMEM;
	for (i = 0; i < s->n_procs; i++)
		rows[i] = &s->procs[i];
	vmt_rows_sort(rows, s->n_procs, &sort);
	for (i = 0; i < most; i++)
		keep[(const struct vmt_proc *)rows[i] - s->procs] = true;
	for (i = 0; i < s->n_procs; i++)
		if (keep[i])
			s->procs[n++] = s->procs[i];
	s->n_procs = n;
	return 0;
}

static int run_ps(struct vmt_ctx *ctx)
{
	const uint32_t dear = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLLUP);
	const char *list = vmt_ctx_value(ctx, "pid");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct vmt_section *s;
	size_t n_pids = 0, total;
	uint32_t want = 0;
	int r, missing;

	if (vmt_column_help(ctx, &vmt_entity_proc, &r))
		return r;
	r = vmt_wanted_sources(ctx, &vmt_entity_proc, &want);
	if (r == 0 && list)
		r = vmt_parse_pids(ctx, list, &pids, &n_pids);
	if (r)
		return r;
	if (vmt_ctx_given(ctx, "pss"))
		want |= VMT_SOURCE_BIT(ROLLUP);
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, VMT_SOURCE_BIT(PIDS), pids, n_pids);
	if (r)
		return r;
	missing = vmt_run_missing(&run, ctx, pids, n_pids);
	if (missing && run.sample->n_procs == 0)
		return missing;
	filter(ctx, run.sample);
	total = run.sample->n_procs;
	if (want & dear && cut(ctx, run.sample, dear) < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	if (want & dear)
		r = vmt_run_procs(&run, ctx, want & dear, NULL, 0);
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&run, ctx, "processes", run.model->procs, run.model->n_procs);
	if (!s)
		return VMT_EXIT_FAILED;
	if (vmt_ctx_given(ctx, "pss") && !vmt_ctx_given(ctx, "output") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_proc, "+PSS,USS", NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_run_remarks(&run, ctx, s);
	s->total = total;
	r = vmt_print_doc(ctx, &run.doc);
	if (r == 0)
		r = vmt_run_verdict(&run, ctx, VMT_SOURCE_PIDS);
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_ps = {
	.name = "ps",
	.summary = "processes by the memory they hold",
	.synopsis = "[-p LIST] [-u NAME] [--pss] [OPTION]...",
	.cost = "three small files a process; with PSS a walk of its page tables under its mmap lock",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.run = run_ps,
};
