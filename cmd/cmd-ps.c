/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/maps-group.h"
#include "cmd/watch.h"

#include <fnmatch.h>
#include <inttypes.h>

#include "base/parse.h"
#include "model/proc-group.h"

#define DEAR                                                                                       \
	(VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(ROLLUP) |                   \
	 VMT_SOURCE_BIT(OOM) | VMT_SOURCE_BIT(CMDLINE))

static const struct vmt_section_def sections[] = {
	{ "processes", &vmt_entity_proc, false, "processes, one row each" },
	{ "groups", &vmt_entity_group, false,
	  "with --group in place of the processes: their sums" },
	{ "files", &vmt_entity_map_group, false,
	  "with --group file: sums over the mappings of each file" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid", "only these processes" },
	{ "user", 'u', VMT_OPT_VALUE, "NAME", "@user", "only processes of this user (name or id)" },
	{ "comm", 'c', VMT_OPT_VALUE, "NAME", NULL,
	  "only processes of this name; *, ? and [] as in the shell" },
	{ "cgroup", 0, VMT_OPT_VALUE, "PATH", NULL, "only processes in this cgroup or below it" },
	{ "group", 0, VMT_OPT_VALUE, "BY", "user comm cgroup file",
	  "sums by user, comm (the name), cgroup or mapped file in place of processes" },
	{ "tree", 0, VMT_OPT_FLAG, NULL, NULL, "children below their parents" },
	{ "pss", 0, VMT_OPT_FLAG, NULL, NULL,
	  "add PSS and USS, which read smaps_rollup of every process shown" },
	{ "kernel-threads", 0, VMT_OPT_FLAG, NULL, NULL,
	  "kernel threads too; they have no memory of their own" },
	VMT_OPTS_BUDGET,
	VMT_OPTS_WATCH,
};

/* What one run of ps shows. */
struct ps {
	const struct vmt_entity *entity;
	enum vmt_group_by by; /* where entity is that of groups */
	bool watch;
	uint64_t *pids; /* NULL for all */
	size_t n_pids;
	uint64_t want; /* sources */
	int missing; /* exit code where a process that was named is not there */
};

/* The mappings that --group file is made of. */
struct files {
	struct vmt_run *run;
	uint64_t want; /* sources */
};

/* Kernel threads are left out, or shown because they were asked for. */
static bool shows_kernel(const struct vmt_ctx *ctx)
{
	return vmt_ctx_given(ctx, "kernel-threads") || vmt_ctx_given(ctx, "pid");
}

/* Whether path is the cgroup dir or below it; both with or without the slash in front. */
static bool is_below(struct vmt_bytes path, const char *dir)
{
	size_t n;

	dir += *dir == '/';
	n = strlen(dir);
	while (n && dir[n - 1] == '/')
		n--;
	if (path.len && path.ptr[0] == '/') {
		path.ptr++;
		path.len--;
	}
	return n == 0 || (path.len >= n && memcmp(path.ptr, dir, n) == 0 &&
			  (path.len == n || path.ptr[n] == '/'));
}

/* Texts in an arena have a NUL behind them; one within is not to be matched across. */
static bool is_named(struct vmt_bytes name, const char *pattern)
{
	return !memchr(name.ptr, 0, name.len) && fnmatch(pattern, name.ptr, 0) == 0;
}

/* Takes away the rows that were not asked for. */
static void filter(struct vmt_ctx *ctx, struct vmt_sample *s)
{
	const char *user = vmt_ctx_value(ctx, "user"), *comm = vmt_ctx_value(ctx, "comm");
	const char *cgroup = vmt_ctx_value(ctx, "cgroup");
	bool kernel = shows_kernel(ctx);
	/* In a tree, those that are not shown are part of sums. */
	bool early = !vmt_ctx_given(ctx, "tree");
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
		if (comm && !(VMT_HAS(proc, comm, p) && is_named(p->comm, comm)))
			continue;
		if (cgroup && !(VMT_HAS(proc, cgroup, p) && is_below(p->cgroup, cgroup)))
			continue;
		/* What is read later may make it true. */
		if (early && ctx->filter && ctx->filter_entity == &vmt_entity_proc &&
		    vmt_filter_test(ctx->filter, p, s->host.page_size) == VMT_FALSE)
			continue;
		s->procs[n++] = *p;
	}
	s->n_procs = n;
}

/*
 * With --top, only the rows that will be shown are worth a dear read: takes the others away before
 * it, where the order does not hang on what is read.
 */
static int cut(struct vmt_ctx *ctx, struct vmt_sample *s, uint64_t dear)
{
	const char *top = vmt_ctx_value(ctx, "top"), *order = vmt_ctx_value(ctx, "sort");
	VMT_AUTO_FREE const void **rows = NULL;
	VMT_AUTO_FREE bool *keep = NULL;
	struct vmt_sort sort;
	uint64_t most = 0;
	size_t i, n = 0;

	/* The first so many of those that the filter leaves. */
	if (ctx->filter)
		return 0;
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

/* The columns where -o names none; NULL for those of the entity. */
static const char *columns_of(const struct vmt_ctx *ctx, const struct ps *ps)
{
	bool group = ps->entity == &vmt_entity_group;

	if (!ps->watch)
		return vmt_ctx_given(ctx, "tree") && !group
			       ? "PID,USER,RSS,TREE-RSS,ANON,FILE,SWAP,COMMAND"
			       : NULL;
	if (group)
		return "PROCS,UNKNOWN,RSS,RSS-DELTA,ANON,FILE,SWAP,MIN/S,MAJ/S,GROUP";
	return vmt_ctx_given(ctx, "tree")
		       ? "PID,USER,RSS,TREE-RSS,RSS-DELTA,SWAP,MIN/S,MAJ/S,COMMAND"
		       : "PID,USER,RSS,RSS-DELTA,ANON,FILE,SWAP,MIN/S,MAJ/S,COMMAND";
}

static int choose_columns(const struct vmt_ctx *ctx, const struct ps *ps,
			  struct vmt_columns *columns)
{
	const char *list = columns_of(ctx, ps);
	int r = 0;

	if (vmt_ctx_given(ctx, "output") && *vmt_ctx_value(ctx, "output") != '+')
		return 0;
	if (list)
		r = vmt_columns_parse(columns, ps->entity, list, NULL);
	if (r == 0 && vmt_ctx_given(ctx, "pss"))
		r = vmt_columns_parse(columns, ps->entity, "+PSS,USS", NULL);
	return r;
}

/* Fields of processes that decide who is shown, and how. */
static int add_needed(const struct vmt_ctx *ctx, const struct ps *ps, struct vmt_columns *columns)
{
	static const char *const keys[] = {
		[VMT_GROUP_BY_USER] = "+USER",
		[VMT_GROUP_BY_COMM] = "+COMMAND",
		[VMT_GROUP_BY_CGROUP] = "+CGROUP",
	};
	int r = 0;

	if (ps->entity == &vmt_entity_group)
		r = vmt_columns_parse(columns, &vmt_entity_proc, keys[ps->by], NULL);
	if (r == 0 && (!shows_kernel(ctx) || ps->entity == &vmt_entity_group))
		r = vmt_columns_parse(columns, &vmt_entity_proc, "+CLASS", NULL);
	if (r == 0 && vmt_ctx_given(ctx, "user"))
		r = vmt_columns_parse(columns, &vmt_entity_proc, "+UID", NULL);
	if (r == 0 && vmt_ctx_given(ctx, "comm"))
		r = vmt_columns_parse(columns, &vmt_entity_proc, "+COMMAND", NULL);
	if (r == 0 && vmt_ctx_given(ctx, "cgroup"))
		r = vmt_columns_parse(columns, &vmt_entity_proc, "+CGROUP", NULL);
	if (r == 0 && vmt_ctx_given(ctx, "tree"))
		r = vmt_columns_parse(columns, &vmt_entity_proc, "+PPID,TREE-RSS", NULL);
	return r;
}

/* The sources of what is shown, of the order, and of what decides who is shown. */
static int wanted(struct vmt_ctx *ctx, struct ps *ps)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	uint64_t several = VMT_SOURCE_BIT(CGROUP) | DEAR;
	int r = vmt_wanted_columns(ctx, ps->entity, &columns), n;

	if (r)
		return r;
	n = choose_columns(ctx, ps, &columns);
	if (n == 0 && strstr(ctx->format->name, "json") && !vmt_ctx_given(ctx, "output") &&
	    ps->entity == &vmt_entity_proc)
		n = add_cheap(&columns);
	if (n == 0)
		n = add_needed(ctx, ps, &columns);
	if (n == 0 && ctx->filter)
		n = vmt_columns_add_filter(&columns, ctx->filter);
	/* Sums of memory count an address space once. */
	if (n == 0 && (ps->entity == &vmt_entity_group || vmt_ctx_given(ctx, "tree")))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+MM-OF", NULL);
	if (n == 0 && vmt_columns_sources(&columns) & VMT_SOURCE_BIT(KCMP))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+START,CLASS,S,PPID,ANON", NULL);
	/* Two reads, one after the other, are of one process only where its start says so. */
	if (n == 0 && (ps->watch || vmt_columns_sources(&columns) & several))
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+START,CLASS,S", NULL);
	/* What the walk will cost is estimated by it. */
	if (n == 0 && vmt_columns_sources(&columns) & VMT_SOURCES_WALK)
		n = vmt_columns_parse(&columns, &vmt_entity_proc, "+RSS", NULL);
	if (n < 0)
		return vmt_no_memory(ctx);
	ps->want = vmt_columns_sources(&columns);
	return 0;
}

static int options(struct vmt_ctx *ctx, struct ps *ps)
{
	static const char *const names[] = {
		[VMT_GROUP_BY_USER] = "user",
		[VMT_GROUP_BY_COMM] = "comm",
		[VMT_GROUP_BY_CGROUP] = "cgroup",
	};
	const char *by = vmt_ctx_value(ctx, "group");
	size_t i;

	ps->watch = vmt_watch_given(ctx);
	ps->entity = by ? &vmt_entity_group : &vmt_entity_proc;
	if (!by)
		return 0;
	if (vmt_ctx_given(ctx, "tree"))
		return vmt_usage_error(ctx, "--tree and --group exclude each other");
	if (strcmp(by, "file") == 0) {
		ps->entity = &vmt_entity_map_group;
		return ps->watch ? vmt_usage_error(ctx, "--group file is for one look") : 0;
	}
	for (i = 0; i < VMT_ARRAY_LEN(names); i++) {
		ps->by = (enum vmt_group_by)i;
		if (strcmp(by, names[i]) == 0)
			return 0;
	}
	return vmt_usage_error(ctx, "--group takes user, comm, cgroup or file");
}

static struct vmt_section *add_section(struct vmt_ctx *ctx, struct vmt_run *run,
				       const struct ps *ps)
{
	struct vmt_model *m = run->model;
	struct vmt_proc_group *groups;
	size_t n;

	if (ps->entity == &vmt_entity_proc)
		return vmt_run_section(run, ctx, "processes", m->procs, m->n_procs);
	if (vmt_proc_groups(m->procs, m->n_procs, ps->by, &m->arena, &groups, &n) < 0) {
		vmt_complain(ctx, "out of memory");
		return NULL;
	}
	return vmt_run_section(run, ctx, "groups", groups, n);
}

/* One sample, as far as its document; an exit code or 0. */
static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct ps *ps = arg;
	uint64_t how = (ps->want & DEAR ? VMT_COLLECT_HOLD : 0) | (w ? VMT_COLLECT_KEEP : 0);
	struct vmt_section *s;
	size_t total;
	int r, missing;

	r = vmt_run_sample(run, ctx, (ps->want & ~DEAR) | VMT_SOURCE_BIT(PIDS) | how, ps->pids,
			   ps->n_pids);
	if (r)
		return r;
	/* Once: that one is gone later is what the rows say. */
	if (!w || w->sample == 1) {
		missing = vmt_run_missing(run, ctx, ps->pids, ps->n_pids);
		if (missing && run->sample->n_procs == 0)
			return missing;
		ps->missing = missing;
	}
	filter(ctx, run->sample);
	total = run->sample->n_procs;
	if (ps->want & DEAR && ps->entity == &vmt_entity_proc && !vmt_ctx_given(ctx, "tree") &&
	    cut(ctx, run->sample, DEAR) < 0)
		return vmt_no_memory(ctx);
	if (!w || w->sample == 1)
		vmt_run_announce(run, ctx, ps->want, NULL, 0);
	if (ps->want & DEAR)
		r = vmt_run_procs(run, ctx, (ps->want & DEAR) | VMT_COLLECT_COUNT, NULL, 0);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = add_section(ctx, run, ps);
	if (!s)
		return VMT_EXIT_FAILED;
	if (choose_columns(ctx, ps, &s->columns) < 0)
		return vmt_no_memory(ctx);
	s->tree = vmt_ctx_given(ctx, "tree") ? run->model->procs : NULL;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	if (vmt_columns_sources(&s->columns) & VMT_SOURCE_BIT(MAPS) &&
	    run->sample->host.max_map_count)
		vmt_buf_addf(w ? &s->note : &s->lead, "vm.max_map_count %" PRIu64 "\n",
			     run->sample->host.max_map_count);
	vmt_run_remarks(run, ctx, s);
	if (ps->entity == &vmt_entity_proc && !ctx->filter)
		s->total = total;
	return 0;
}

static int read_maps(void *arg, vmt_rows_fn *fn, void *fn_arg)
{
	struct files *f = arg;
	struct vmt_sample *s = f->run->sample;
	VMT_AUTO_FREE size_t *indices = calloc(s->n_procs ? s->n_procs : 1, sizeof(*indices));
	struct vmt_err err = { 0 };
	size_t i;

	if (!indices)
		return -ENOMEM;
	for (i = 0; i < s->n_procs; i++)
		indices[i] = i;
	return vmt_collect_rows(f->run->collector, s, f->want, indices, s->n_procs, fn, fn_arg,
				&err);
}

/* --group file: of the mappings of all processes that are shown. */
static int print_files(struct vmt_ctx *ctx, struct vmt_run *run, struct ps *ps)
{
	struct files f = { .run = run, .want = vmt_map_group_sources(VMT_MAPS_BY_FILE) };
	uint64_t files = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(KCMP);
	int r = vmt_maps_want(ctx, &vmt_entity_map_group, &f.want);

	if (vmt_ctx_given(ctx, "cgroup"))
		files |= VMT_SOURCE_BIT(CGROUP);
	if (r == 0)
		r = vmt_run_sample(run, ctx, VMT_SOURCE_BIT(PIDS) | VMT_COLLECT_HOLD | files,
				   ps->pids, ps->n_pids);
	if (r)
		return r;
	ps->missing = vmt_run_missing(run, ctx, ps->pids, ps->n_pids);
	if (ps->missing && run->sample->n_procs == 0)
		return ps->missing;
	filter(ctx, run->sample);
	return vmt_map_groups_print(ctx, run, VMT_MAPS_BY_FILE, read_maps, &f);
}

static int run_ps(struct vmt_ctx *ctx)
{
	const char *list = vmt_ctx_value(ctx, "pid");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct ps ps = { 0 };
	int r;

	r = options(ctx, &ps);
	if (r || vmt_column_help(ctx, ps.entity, &r))
		return r;
	if (ps.entity != &vmt_entity_map_group)
		r = wanted(ctx, &ps);
	if (r == 0 && list)
		r = vmt_parse_pids(ctx, list, &pids, &ps.n_pids);
	if (r)
		return r;
	ps.pids = pids;
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_budget(&run, ctx);
	if (r)
		return r;
	if (ps.entity == &vmt_entity_map_group) {
		r = print_files(ctx, &run, &ps);
	} else if (ps.watch) {
		r = vmt_watch_run(ctx, &run, take, &ps);
	} else {
		r = take(ctx, &run, NULL, &ps);
		if (r == 0)
			r = vmt_print_doc(ctx, &run.doc);
	}
	if (r == 0)
		r = vmt_run_verdict(&run, ctx, VMT_SOURCE_PIDS);
	return r ? r : ps.missing;
}

const struct vmt_cmd vmt_cmd_ps = {
	.name = "ps",
	.summary = "processes by the memory they hold",
	.synopsis = "[-p LIST] [-u NAME] [--group BY | --tree] [--pss] [-d SEC] [OPTION]...",
	.cost = "one small file a process, or two; with PSS a walk of its page tables under its mmap "
		"lock",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.run = run_ps,
};
