/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/collect-loop.h"

#include "base/parse.h"

#define DEAR (VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLLUP))

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

/* Kernel threads are left out, or shown because they were asked for. */
static bool shows_kernel(const struct vmt_ctx *ctx)
{
	return vmt_ctx_given(ctx, "kernel-threads") || vmt_ctx_given(ctx, "pid");
}

/* Takes away the rows that were not asked for. */
static void filter(struct vmt_ctx *ctx, struct vmt_sample *s)
{
	const char *user = vmt_ctx_value(ctx, "user");
	bool kernel = shows_kernel(ctx);
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

/* JSON without -o has every field that a cheap file says. */
static int add_cheap(struct vmt_columns *columns)
{
	size_t i;

	for (i = 0; i < vmt_entity_proc.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[i];
		VMT_AUTO_BUF name = { 0 };

		if (f->source != VMT_SOURCE_STATUS && f->source != VMT_SOURCE_STAT)
			continue;
		vmt_buf_addf(&name, "+%s", f->name);
		if (vmt_buf_error(&name) < 0 ||
		    vmt_columns_parse(columns, &vmt_entity_proc, name.data, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The sources of what is shown, of the order, and of what decides who is shown. */
static int wanted(struct vmt_ctx *ctx, uint32_t *ret)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	int r = vmt_wanted_columns(ctx, &vmt_entity_proc, &columns), n = 0;

	if (r)
		return r;
	if (strstr(ctx->format->name, "json") && !vmt_ctx_given(ctx, "output"))
		n = add_cheap(&columns);
	if (n == 0 && !shows_kernel(ctx))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+CLASS", NULL);
	if (n == 0 && vmt_ctx_given(ctx, "user"))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+UID", NULL);
	if (n == 0 && vmt_ctx_given(ctx, "pss"))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+PSS,USS", NULL);
	/* What is read later is read of the same process only where that is known by its start. */
	if (n == 0 && vmt_columns_sources(&columns) & DEAR)
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+START,CLASS,S", NULL);
	if (n < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	*ret = vmt_columns_sources(&columns);
	return 0;
}

static int run_ps(struct vmt_ctx *ctx)
{
	const char *list = vmt_ctx_value(ctx, "pid");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct vmt_section *s;
	size_t n_pids = 0, total;
	uint32_t want = 0;
	int r, missing;

	if (vmt_column_help(ctx, &vmt_entity_proc, &r))
		return r;
	r = wanted(ctx, &want);
	if (r == 0 && list)
		r = vmt_parse_pids(ctx, list, &pids, &n_pids);
	if (r)
		return r;
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_sample(&run, ctx,
				   (want & ~DEAR) | VMT_SOURCE_BIT(PIDS) |
					   (want & DEAR ? VMT_COLLECT_HOLD : 0),
				   pids, n_pids);
	if (r)
		return r;
	missing = vmt_run_missing(&run, ctx, pids, n_pids);
	if (missing && run.sample->n_procs == 0)
		return missing;
	filter(ctx, run.sample);
	total = run.sample->n_procs;
	if (want & DEAR && cut(ctx, run.sample, DEAR) < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	if (want & DEAR)
		r = vmt_run_procs(&run, ctx, want & DEAR, NULL, 0);
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
