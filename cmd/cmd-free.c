/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "cmd/free-commit.h"
#include "cmd/text.h"
#include "cmd/watch.h"
#include "model/cgroup.h"
#include "model/parts.h"
#include "source/collect-cgroups.h"

#define SOURCES                                                                                    \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PRESSURE) | VMT_SOURCE_BIT(OVERCOMMIT) | VMT_SOURCE_BIT(ZRAM))

static const struct vmt_section_def sections[] = {
	{ "system", &vmt_entity_system, true, "the machine's memory" },
	{ "parts", &vmt_entity_part, false, "where MemTotal went: the known parts sum to it" },
	{ "shares", &vmt_entity_share, false,
	  "these parts by their sort; they sum to MemTotal too" },
	{ "available", &vmt_entity_term, false, "the terms of available_derived_bytes" },
	{ "commit", &vmt_entity_commit, true, "what may be promised to processes" },
	{ "pressure", &vmt_entity_pressure, false, "how long tasks waited for a resource" },
	{ "cgroup", &vmt_entity_cgroup, true, "with --cgroup: what it has, and what is left" },
	{ "cgroup_levels", &vmt_entity_cgroup_level, false,
	  "with --cgroup: the limits that it stands under, its own first" },
	{ "cgroup_parts", &vmt_entity_cgroup_part, false,
	  "with --cgroup: where what is charged to it went: the known parts sum to that" },
	{ "commit_parts", &vmt_entity_commit_part, false,
	  "with --commit: by whom Committed_AS was promised: the known parts sum to it" },
	{ "processes", &vmt_entity_proc, false,
	  "with --commit: the processes, those that were promised most first" },
};
#define N_ASKED 5

static const struct vmt_opt free_opts[] = {
	{ "cgroup", 0, VMT_OPT_VALUE, "PATH", "@dir",
	  "the sum of this cgroup, and what those above it leave it" },
	{ "commit", 0, VMT_OPT_FLAG, NULL, NULL,
	  "what was promised to processes, and to whom; reads smaps of all" },
	VMT_OPTS_BUDGET,
	VMT_OPTS_WATCH,
};

struct free_state {
	bool text;
	const char *cgroup; /* NULL: the machine */
	uint64_t files; /* of the cgroup and those above it */
	struct vmt_cgroup_part used[VMT_CGROUP_PART_COUNT]; /* of it */
	struct vmt_cgroup_part used_shown[VMT_CGROUP_PART_COUNT]; /* of text */
	struct vmt_part shown[VMT_PART_COUNT]; /* of text */
	/* Of watch mode: the first sample. */
	bool has_first;
	int64_t first_unaccounted;
	uint64_t first_ns;
};

/* The parts that a person wants to see: not those that this machine has nothing of. */
static size_t choose_parts(const struct vmt_model *m, struct vmt_part *shown)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_parts; i++) {
		const struct vmt_part *p = &m->parts[i];

		if (!vmt_part_is_rare((enum vmt_part_id)i) ||
		    (VMT_HAS(part, size_bytes, p) && p->size_bytes))
			shown[n++] = *p;
	}
	return n;
}

/* How what is unaccounted goes: since the last sample and since the first. */
static void trend(struct free_state *fs, const struct vmt_ctx *ctx, const struct vmt_model *m,
		  struct vmt_buf *out)
{
	const struct vmt_host *h = &m->sample->host;
	const struct vmt_part *p;
	int64_t v;

	if (!m->n_parts || !VMT_HAS(part, size_bytes, &m->parts[VMT_PART_UNACCOUNTED]))
		return;
	p = &m->parts[VMT_PART_UNACCOUNTED];
	if (!fs->has_first) {
		fs->has_first = true;
		fs->first_unaccounted = p->size_bytes;
		fs->first_ns = h->monotonic_ns;
	}
	vmt_buf_adds(out, "unaccounted: ");
	vmt_fmt_size_signed(out, p->size_bytes, ctx->out.unit, h->page_size);
	if (VMT_HAS(part, change_bytes, p)) {
		vmt_buf_adds(out, ", change ");
		vmt_fmt_size_signed(out, p->change_bytes, ctx->out.unit, h->page_size);
		vmt_buf_adds(out, ", in ");
		vmt_fmt_duration(out, h->monotonic_ns - fs->first_ns);
		vmt_buf_addc(out, ' ');
		if (__builtin_sub_overflow(p->size_bytes, fs->first_unaccounted, &v))
			vmt_buf_addc(out, '-');
		else
			vmt_fmt_size_signed(out, v, ctx->out.unit, h->page_size);
	}
	vmt_buf_addc(out, '\n');
}

/* All that is there, for programs; and the table of pressure, for both. */
static int add_sections(struct vmt_ctx *ctx, struct vmt_run *run, struct free_state *fs)
{
	const struct vmt_model *m = run->model;
	struct vmt_section *s;
	const void *parts = m->parts;
	size_t n = m->n_parts;

	if (fs->text) {
		n = choose_parts(m, fs->shown);
		parts = fs->shown;
	}
	s = vmt_run_section(run, ctx, "parts", parts, n);
	if (!s)
		return VMT_EXIT_FAILED;
	s->title = "where it went";
	if (fs->text)
		vmt_buf_addc(&s->note, '\n');
	vmt_available_text(&s->note, ctx, m);
	vmt_buf_addc(&s->note, '\n');
	vmt_commit_text(&s->note, ctx, m);
	s = vmt_run_section(run, ctx, "shares", m->shares, m->n_shares);
	if (!s)
		return VMT_EXIT_FAILED;
	s->machine_only = true;
	s = vmt_run_section(run, ctx, "available", m->terms, m->n_terms);
	if (!s)
		return VMT_EXIT_FAILED;
	s->machine_only = true;
	s = vmt_run_section(run, ctx, "commit", &m->commit, 1);
	if (!s)
		return VMT_EXIT_FAILED;
	s->machine_only = true;
	s = vmt_run_section(run, ctx, "pressure", m->pressure, m->n_pressure);
	if (!s)
		return VMT_EXIT_FAILED;
	if (m->n_pressure)
		s->title = "percent of the time that tasks waited";
	return 0;
}

/* Shares are for programs alone. */
static int make_model(struct vmt_ctx *ctx, struct vmt_run *run, const struct free_state *fs)
{
	return vmt_run_model(run, ctx, &(struct vmt_model_opts){ .no_shares = fs->text });
}

static int fill(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct free_state *fs = arg;
	struct vmt_section *s;
	int r;

	r = vmt_run_sample(run, ctx, SOURCES, NULL, 0);
	if (r == 0)
		r = make_model(ctx, run, fs);
	if (r)
		return r;
	s = vmt_run_section(run, ctx, "system", &run->model->system, 1);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	if (fs->text && s->chosen) {
		vmt_run_remarks(run, ctx, s);
		return 0;
	}
	vmt_swap_text(&s->note, ctx, run->model);
	if (fs->text && w) {
		vmt_rates_text(&s->note, run->model);
		vmt_pressure_text(&s->note, run->model);
		trend(fs, ctx, run->model, &s->note);
		vmt_run_remarks(run, ctx, s);
		return 0;
	}
	r = add_sections(ctx, run, fs);
	if (r == 0)
		vmt_run_remarks(run, ctx, &run->doc.sections[run->doc.n - 1]);
	return r;
}

static const char cgroup_columns[] = "LIMIT,CURRENT,RECLAIMABLE,AVAILABLE,DISTANCE,BINDS,CGROUP";
static const char cgroup_watch[] =
	"CURRENT,GROWTH,LIMIT,AVAILABLE,DISTANCE,BINDS,REFAULT/S,FAULT/S,MAJ/S,CGROUP";
/* What the parts are made of, by fields that name their files. */
static const char cgroup_parts[] = "AVAILABLE,CURRENT,ANON,KERNEL";

static int add_files(struct free_state *fs, const char *list)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	int r = vmt_columns_parse(&columns, &vmt_entity_cgroup, list, NULL);

	if (r == 0)
		fs->files |= vmt_cgroup_files(columns.fields, columns.n);
	return r;
}

/* The files of what is shown of a cgroup. */
static int cgroup_files(struct vmt_ctx *ctx, struct free_state *fs)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	bool chosen = vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all");
	int r;

	/* A document without some of them is none. */
	if (!fs->text && !vmt_ctx_given(ctx, "output")) {
		fs->files = vmt_cgroup_all_files();
		return 0;
	}
	r = vmt_wanted_columns(ctx, &vmt_entity_cgroup, &columns);
	if (r)
		return r;
	if (chosen || vmt_ctx_given(ctx, "filter"))
		fs->files = vmt_cgroup_files(columns.fields, columns.n);
	if (add_files(fs, cgroup_columns) < 0 || add_files(fs, cgroup_parts) < 0 ||
	    (vmt_watch_given(ctx) && add_files(fs, cgroup_watch) < 0))
		return vmt_no_memory(ctx);
	return 0;
}

/* Reads the cgroup and those above it; an exit code or 0. */
static int collect_cgroup(struct vmt_ctx *ctx, struct vmt_run *run, const struct free_state *fs)
{
	const struct vmt_cgroup_want want = { .files = fs->files,
					      .path = fs->cgroup,
					      .alone = true };

	return vmt_run_cgroups(run, ctx, &want);
}

/* The parts that a person wants to see, of it. */
static size_t choose_used(struct free_state *fs, bool v1)
{
	size_t i, n = 0;

	for (i = 0; i < VMT_CGROUP_PART_COUNT; i++) {
		const struct vmt_cgroup_part *p = &fs->used[i];

		if (!vmt_cgroup_part_is_rare((enum vmt_cgroup_part_id)i, v1) ||
		    (VMT_HAS(cgroup_part, size_bytes, p) && p->size_bytes))
			fs->used_shown[n++] = *p;
	}
	return n;
}

/* The machine, for machines. */
static int add_machine(struct vmt_ctx *ctx, struct vmt_run *run)
{
	struct free_state fs = { 0 };
	size_t i = run->doc.n;
	int r;

	if (!vmt_run_section(run, ctx, "system", &run->model->system, 1))
		return VMT_EXIT_FAILED;
	r = add_sections(ctx, run, &fs);
	for (; i < run->doc.n; i++)
		run->doc.sections[i].machine_only = true;
	return r;
}

/* What it has and what is left, for both; the rest of the machine for programs alone. */
static int fill_cgroup(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
		       struct free_state *fs)
{
	const struct vmt_model *m = run->model;
	size_t at = run->sample->cgroup_facts.first, n_levels = 0, n_used = 0;
	bool any = at < m->n_cgroups;
	struct vmt_cgroup_level *levels = NULL;
	struct vmt_section *s, *last;
	int r;

	if (any && vmt_cgroup_levels(run->model, at, &levels, &n_levels) < 0)
		return vmt_no_memory(ctx);
	if (any) {
		vmt_cgroup_parts(&m->cgroups[at], fs->used);
		n_used = VMT_CGROUP_PART_COUNT;
		if (fs->text)
			n_used = choose_used(fs, vmt_bytes_is(m->cgroups[at].version, "v1"));
	}
	s = vmt_run_section(run, ctx, "cgroup", any ? &m->cgroups[at] : NULL, any);
	if (!s)
		return VMT_EXIT_FAILED;
	if (!vmt_ctx_given(ctx, "output") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_cgroup, w ? cgroup_watch : cgroup_columns,
			      NULL) < 0)
		return vmt_no_memory(ctx);
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	last = s;
	if (!fs->text || (any && !s->chosen && !w)) {
		last = vmt_run_section(run, ctx, "cgroup_parts",
				       fs->text ? fs->used_shown : fs->used, n_used);
		if (!last)
			return VMT_EXIT_FAILED;
		last->title = "where it went";
		last = vmt_run_section(run, ctx, "cgroup_levels", levels, n_levels);
		if (!last)
			return VMT_EXIT_FAILED;
		if (n_levels)
			last->title = "what each level leaves it";
	}
	if (any && !run->sample->cgroup_facts.above_hidden && m->cgroups[at].at_most)
		vmt_buf_adds(&last->note,
			     "! a limit could not be read: there may be less available\n");
	vmt_run_remarks(run, ctx, last);
	return fs->text ? 0 : add_machine(ctx, run);
}

static int take_cgroup(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct free_state *fs = arg;
	/* Text has nothing else of the machine. */
	int r = vmt_run_sample(run, ctx, fs->text ? VMT_SOURCE_BIT(MEMINFO) : SOURCES, NULL, 0);

	if (r == 0)
		r = collect_cgroup(ctx, run, fs);
	if (r == 0)
		r = make_model(ctx, run, fs);
	return r ? r : fill_cgroup(ctx, run, w, fs);
}

static int run_cgroup(struct vmt_ctx *ctx, struct vmt_run *run, struct free_state *fs)
{
	int r;

	/* An unset variable does not mean all of them. */
	if (!*fs->cgroup)
		return vmt_usage_error(ctx, "the path of a cgroup is empty");
	r = cgroup_files(ctx, fs);
	if (r == 0)
		r = vmt_run_open(run, ctx, 0);
	if (r == 0)
		r = vmt_watch_or_once(ctx, run, take_cgroup, fs);
	return r ? r : vmt_run_cgroup_verdict(run, ctx);
}

/* --commit */
static int run_commit(struct vmt_ctx *ctx)
{
	VMT_AUTO_RUN run = { 0 };
	int r;

	if (vmt_column_help(ctx, &vmt_entity_commit_part, &r))
		return r;
	if (vmt_ctx_given(ctx, "cgroup"))
		return vmt_usage_error(ctx, "--commit is of the machine, --cgroup is not");
	if (vmt_watch_given(ctx))
		return vmt_usage_error(ctx, "--commit is for one look");
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_budget(&run, ctx);
	return r ? r : vmt_free_commit(ctx, &run, SOURCES, add_machine);
}

static int run_free(struct vmt_ctx *ctx)
{
	struct free_state fs = { .text = strcmp(ctx->format->name, "text") == 0,
				 .cgroup = vmt_ctx_value(ctx, "cgroup") };
	VMT_AUTO_RUN run = { 0 };
	int r;

	if (vmt_ctx_given(ctx, "commit"))
		return run_commit(ctx);
	if (vmt_ctx_given(ctx, "budget") || vmt_ctx_given(ctx, "force"))
		return vmt_usage_error(ctx, "--budget and --force are of --commit");
	if (vmt_column_help(ctx, fs.cgroup ? &vmt_entity_cgroup : &vmt_entity_system, &r))
		return r;
	if (fs.cgroup)
		return run_cgroup(ctx, &run, &fs);
	r = vmt_run_open(&run, ctx, 0);
	if (r)
		return r;
	if (vmt_watch_given(ctx))
		return vmt_watch_run(ctx, &run, fill, &fs);
	r = fill(ctx, &run, NULL, &fs);
	if (r == 0)
		r = vmt_print_doc(ctx, &run.doc);
	return r ? r : vmt_run_verdict(&run, ctx, VMT_SOURCE_MEMINFO);
}

const struct vmt_cmd vmt_cmd_free = {
	.name = "free",
	.summary = "where the machine's memory went, and what available is made of",
	.synopsis = "[--cgroup PATH | --commit] [-d SEC] [OPTION]...",
	.cost = "a dozen small files, read once, or once a sample; with --commit smaps of all processes",
	.opts = free_opts,
	.n_opts = VMT_ARRAY_LEN(free_opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.n_asked = N_ASKED,
	.run = run_free,
};
