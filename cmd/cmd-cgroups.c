/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/watch.h"

#include <errno.h>

#include "base/fmt.h"
#include "source/collect-cgroups.h"

static const struct vmt_section_def sections[] = {
	{ "cgroups", &vmt_entity_cgroup, false, "cgroups, one row each" },
};

static const struct vmt_opt opts[] = {
	{ "tree", 0, VMT_OPT_FLAG, NULL, NULL, "those below a cgroup behind it" },
	VMT_OPTS_WATCH,
};

/* What one run shows. */
struct cgroups {
	const char *path; /* NULL: all */
	uint64_t files;
	bool watch;
};

static int choose_columns(const struct vmt_ctx *ctx, const struct cgroups *g,
			  struct vmt_columns *columns)
{
	VMT_AUTO_BUF list = { 0 };

	if (vmt_ctx_given(ctx, "output") && *vmt_ctx_value(ctx, "output") != '+')
		return 0;
	if (!g->watch && !vmt_ctx_given(ctx, "tree"))
		return 0;
	vmt_buf_adds(&list,
		     g->watch ? "CURRENT,GROWTH,LIMIT,AVAILABLE,DISTANCE,BINDS,REFAULT/S,"
				"FAULT/S,MAJ/S,SOME10,"
			      : "CURRENT,LIMIT,AVAILABLE,DISTANCE,BINDS,ANON,FILE,KERNEL,SWAP,"
				"PROCS,TIGHTEST,");
	vmt_buf_adds(&list, vmt_ctx_given(ctx, "tree") ? "NAME" : "CGROUP");
	if (vmt_buf_error(&list) < 0)
		return -ENOMEM;
	return vmt_columns_parse(columns, &vmt_entity_cgroup, list.data, NULL);
}

/* The files of what is shown, of the order, and of what decides what is shown. */
static int wanted(struct vmt_ctx *ctx, struct cgroups *g)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	int r = vmt_wanted_columns(ctx, &vmt_entity_cgroup, &columns), n;

	if (r)
		return r;
	/* They are all of one sort, and a document without some of them is none. */
	if (strstr(ctx->format->name, "json") && !vmt_ctx_given(ctx, "output")) {
		g->files = vmt_cgroup_all_files();
		return 0;
	}
	g->files = vmt_cgroup_files(columns.fields, columns.n);
	n = choose_columns(ctx, g, &columns);
	if (n < 0)
		return vmt_no_memory(ctx);
	g->files |= vmt_cgroup_files(columns.fields, columns.n);
	return 0;
}

static int collect(struct vmt_ctx *ctx, struct vmt_run *run, const struct cgroups *g)
{
	const struct vmt_cgroup_want want = { .files = g->files, .path = g->path };

	return vmt_run_cgroups(run, ctx, &want);
}

/* Which hierarchy it is, and what the machine has. */
static void say_machine(struct vmt_buf *note, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	const struct vmt_system *s = &m->system;

	if (!m->n_cgroups)
		return;
	vmt_buf_addf(note, "version %s at ", vmt_bytes_is(m->cgroups[0].version, "v1") ? "1" : "2");
	vmt_fmt_safe(note, m->sample->cgroup_facts.mount, ctx->out.ascii);
	if (VMT_HAS(system, available_bytes, s) && VMT_HAS(system, total_bytes, s)) {
		vmt_buf_adds(note, "\nthe machine has ");
		vmt_fmt_size(note, s->available_bytes, ctx->out.unit, m->sample->host.page_size);
		vmt_buf_adds(note, " available of ");
		vmt_fmt_size(note, s->total_bytes, ctx->out.unit, m->sample->host.page_size);
	}
	vmt_buf_addc(note, '\n');
}

/* One sample, as far as its document; an exit code or 0. */
static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct cgroups *g = arg;
	const struct vmt_cgroup *rows;
	struct vmt_section *s;
	size_t first;
	int r;

	r = vmt_run_sample(run, ctx, VMT_SOURCE_BIT(MEMINFO), NULL, 0);
	if (r == 0)
		r = collect(ctx, run, g);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	/* Those above the one that was asked for were read for what they leave it. */
	first = run->sample->cgroup_facts.first;
	rows = run->model->cgroups ? run->model->cgroups + first : NULL;
	s = vmt_run_section(run, ctx, "cgroups", rows, rows ? run->model->n_cgroups - first : 0);
	if (!s)
		return VMT_EXIT_FAILED;
	if (choose_columns(ctx, g, &s->columns) < 0)
		return vmt_no_memory(ctx);
	s->cgroup_tree = vmt_ctx_given(ctx, "tree");
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	say_machine(&s->note, ctx, run->model);
	vmt_run_remarks(run, ctx, s);
	return 0;
}

static int run_cgroups(struct vmt_ctx *ctx)
{
	struct cgroups g = { .path = ctx->n_operands ? ctx->operands[0] : NULL };
	VMT_AUTO_RUN run = { 0 };
	int r;

	if (vmt_column_help(ctx, &vmt_entity_cgroup, &r))
		return r;
	/* An unset variable does not mean all of them. */
	if (g.path && !*g.path)
		return vmt_usage_error(ctx, "the path of a cgroup is empty");
	g.watch = vmt_watch_given(ctx);
	r = wanted(ctx, &g);
	if (r == 0)
		r = vmt_run_open(&run, ctx, 0);
	if (r)
		return r;
	r = vmt_watch_or_once(ctx, &run, take, &g);
	return r ? r : vmt_run_cgroup_verdict(&run, ctx);
}

const struct vmt_cmd vmt_cmd_cgroups = {
	.name = "cgroups",
	.summary = "memory of each cgroup, and how far it is from its limits",
	.synopsis = "[PATH] [--tree] [-d SEC] [OPTION]...",
	.cost = "some small files a cgroup, for the columns in use",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands = "@dir",
	.max_operands = 1,
	.run = run_cgroups,
};
