/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/fmt.h"
#include "cmd/collect-loop.h"
#include "cmd/diff-doc.h"
#include "cmd/report-pictures.h"
#include "cmd/text.h"
#include "model/diff.h"
#include "view/picture.h"

enum { MAPPINGS, GROUPS, PROCESSES, SUMS, MACHINE, DOCUMENTS, N_SECTIONS };

static const struct vmt_section_def sections[N_SECTIONS] = {
	[MAPPINGS] = { "mappings", &vmt_entity_diff, false,
		       "what became of each mapping, and what it grew by" },
	[GROUPS] = { "groups", &vmt_entity_diff_group, false,
		     "with --by role or file, in place of mappings: their sums" },
	[PROCESSES] = { "processes", &vmt_entity_diff_proc, false,
			"what each process grew by, as the process itself says" },
	[SUMS] = { "sums", &vmt_entity_diff_sum, false,
		   "mappings by what became of them: these add up to the last, all" },
	[MACHINE] = { "machine", &vmt_entity_diff_part, false,
		      "where MemTotal went, then and now, where both documents have that" },
	[DOCUMENTS] = { "documents", &vmt_entity_diff_document, false, "what was compared" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid", "these processes alone" },
	{ "by", 0, VMT_OPT_VALUE, "WHAT", "vma role file proc",
	  "rank mappings (vma), sums of a role or file, or processes" },
	{ "by-name", 0, VMT_OPT_FLAG, NULL, NULL,
	  "compare a process that is gone with a new one of its name: it was restarted" },
	{ "all", 'a', VMT_OPT_FLAG, NULL, NULL, "also what did not change" },
};

/* What one run compares. */
struct diff_run {
	struct vmt_ctx *ctx;
	struct vmt_diff_input a, b;
	struct vmt_run run; /* its sample is that of b */
	struct vmt_model *before;
	struct vmt_diff *diff;
	int by; /* the section that is ranked */
	struct vmt_diff_document documents[2];
	struct vmt_diff_part *parts;
	size_t n_parts;
	struct vmt_diff_group *groups;
	size_t n_groups;
	struct {
		size_t n; /* processes */
		bool unknown;
		int64_t status, apart; /* bytes */
	} apart;
	bool page; /* with pictures */
	bool people; /* who read it: text and pages; else programs, which want all that there is */
};

static void diff_run_done(struct diff_run *dr)
{
	free(dr->parts);
	vmt_diff_free(dr->diff);
	vmt_model_free(dr->before);
	vmt_run_done(&dr->run);
	vmt_diff_input_done(&dr->a);
	vmt_diff_input_done(&dr->b);
}

static int no_memory(const struct diff_run *dr)
{
	return vmt_no_memory(dr->ctx);
}

static int lacks(const struct diff_run *dr, const struct vmt_diff_input *in, const char *what,
		 const char *command)
{
	vmt_complain(dr->ctx, "%s: %.*s has no %s; what has them is printed by %s", in->name,
		     (int)in->doc.schema.len, in->doc.schema.ptr, what, command);
	return VMT_EXIT_FAILED;
}

/* What is ranked: what was asked for, or the most that both have. An exit code or 0. */
static int choose(struct diff_run *dr)
{
	static const struct {
		const char *word;
		int section;
	} words[] = {
		{ "vma", MAPPINGS }, { "role", GROUPS }, { "file", GROUPS }, { "proc", PROCESSES }
	};
	const char *by = vmt_ctx_value(dr->ctx, "by");
	const struct vmt_document *a = &dr->a.doc, *b = &dr->b.doc;
	bool maps = a->has_maps && b->has_maps;
	bool procs = (a->has_procs || a->has_maps) && (b->has_procs || b->has_maps);
	size_t i;

	for (i = 0; by && i < VMT_ARRAY_LEN(words); i++) {
		if (strcmp(by, words[i].word) != 0)
			continue;
		dr->by = words[i].section;
		if (dr->by != PROCESSES && !maps)
			return lacks(dr, a->has_maps ? &dr->b : &dr->a, "mappings",
				     "vmtop maps -J");
		if (!procs)
			return lacks(dr, a->has_procs || a->has_maps ? &dr->b : &dr->a, "processes",
				     "vmtop ps -J");
		return 0;
	}
	if (by)
		return vmt_usage_error(dr->ctx, "--by takes vma, role, file or proc, not '%.40s'",
				       by);
	dr->by = maps ? MAPPINGS : procs ? PROCESSES : MACHINE;
	if (dr->by != MACHINE || (a->has_system && b->has_system))
		return 0;
	vmt_complain(dr->ctx, "%.*s and %.*s have nothing in common that could be compared",
		     (int)a->schema.len, a->schema.ptr, (int)b->schema.len, b->schema.ptr);
	return VMT_EXIT_FAILED;
}

/* -p: an exit code or 0. */
static int keep_pids(struct diff_run *dr)
{
	const char *list = vmt_ctx_value(dr->ctx, "pid");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	size_t n, left;
	int r;

	if (!list)
		return 0;
	r = vmt_parse_pids(dr->ctx, list, &pids, &n);
	if (r)
		return r;
	left = vmt_diff_input_keep(&dr->a, pids, n) + vmt_diff_input_keep(&dr->b, pids, n);
	if (left)
		return 0;
	vmt_complain(dr->ctx, "no such process in either of the two: %s", list);
	return VMT_EXIT_NOTHING;
}

/* Both as models, for the parts of MemTotal. An exit code or 0. */
static int model(struct diff_run *dr)
{
	const struct vmt_model *a, *b;
	struct vmt_err err = { 0 };
	int r;

	dr->run.sample = VMT_STEAL(dr->b.doc.sample);
	r = vmt_run_model(&dr->run, dr->ctx, NULL);
	if (r)
		return r;
	if (vmt_model_build(dr->a.doc.sample, NULL, NULL, &dr->before, &err) < 0)
		return vmt_complain_err(dr->ctx, &err);
	a = dr->before;
	b = dr->run.model;
	if (!a->n_parts || a->n_parts != b->n_parts)
		return 0;
	dr->n_parts = a->n_parts;
	dr->parts = calloc(dr->n_parts, sizeof(*dr->parts));
	if (!dr->parts)
		return no_memory(dr);
	vmt_diff_parts(a->parts, b->parts, dr->n_parts, dr->parts);
	return 0;
}

/*
 * Rows of which there is nothing to say go: those that are the same, and of which no difference
 * that is shown, or that they are ordered by, is other than 0. An exit code or 0.
 */
static int drop_same(struct diff_run *dr, const struct vmt_entity *e, void *rows, size_t *n)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	size_t i, k = 0;
	int r;

	if (!dr->people && !vmt_ctx_given(dr->ctx, "output") && vmt_columns_all(&columns, e) < 0)
		return no_memory(dr);
	if (!columns.n) {
		r = vmt_wanted_columns(dr->ctx, e, &columns);
		if (r)
			return r;
	}
	for (i = 0; i < *n; i++) {
		char *row = (char *)rows + i * e->row_size;

		if (vmt_diff_changed(e, row, columns.fields, columns.n))
			memmove((char *)rows + k++ * e->row_size, row, e->row_size);
	}
	*n = k;
	return 0;
}

/* The parts that a person wants to see: not what there is nothing of, then and now. */
static void drop_empty_parts(struct diff_run *dr)
{
	size_t i, n = 0;

	for (i = 0; i < dr->n_parts; i++) {
		const struct vmt_diff_part *p = &dr->parts[i];

		if ((VMT_HAS(diff_part, size_before_bytes, p) && p->size_before_bytes) ||
		    (VMT_HAS(diff_part, size_bytes, p) && p->size_bytes))
			dr->parts[n++] = *p;
	}
	dr->n_parts = n;
}

/* Of the processes whose mappings are compared: what status says of them, and how that differs. */
static void sum_apart(struct diff_run *dr)
{
	const struct vmt_diff *d = dr->diff;
	size_t i;

	for (i = 0; i < d->n_procs; i++) {
		const struct vmt_diff_proc *p = &d->procs[i];

		if (!VMT_HAS(diff_proc, maps_rss_delta_bytes, p))
			continue;
		dr->apart.n++;
		dr->apart.unknown |= !VMT_HAS(diff_proc, rss_apart_bytes, p) ||
				     __builtin_add_overflow(dr->apart.status, p->rss_delta_bytes,
							    &dr->apart.status) ||
				     __builtin_add_overflow(dr->apart.apart, p->rss_apart_bytes,
							    &dr->apart.apart);
	}
}

static int compare(struct diff_run *dr)
{
	const struct vmt_diff_opts how = { .by_name = vmt_ctx_given(dr->ctx, "by-name"),
					   .maps = dr->a.doc.has_maps && dr->b.doc.has_maps };
	const struct vmt_sample *a = dr->a.doc.sample, *b = dr->run.sample;
	const char *by = vmt_ctx_value(dr->ctx, "by");
	int r = vmt_diff_build(a, b, &how, &dr->diff);

	if (r == 0 && dr->by == GROUPS)
		r = vmt_diff_groups(dr->diff, a, b,
				    strcmp(by, "role") == 0 ? VMT_DIFF_BY_ROLE : VMT_DIFF_BY_PATH,
				    &dr->groups, &dr->n_groups);
	if (r < 0)
		return no_memory(dr);
	sum_apart(dr);
	if (dr->people)
		drop_empty_parts(dr);
	if (vmt_ctx_given(dr->ctx, "all"))
		return 0;
	if (dr->by == MAPPINGS)
		return drop_same(dr, &vmt_entity_diff, dr->diff->maps, &dr->diff->n_maps);
	if (dr->by == GROUPS)
		return drop_same(dr, &vmt_entity_diff_group, dr->groups, &dr->n_groups);
	if (dr->by == PROCESSES)
		return drop_same(dr, &vmt_entity_diff_proc, dr->diff->procs, &dr->diff->n_procs);
	return 0;
}

/* "+12K", or "-" where it is unknown. */
static void add_delta(struct vmt_buf *out, const struct diff_run *dr, bool known, int64_t delta)
{
	if (!known)
		vmt_buf_addc(out, '-');
	else
		vmt_fmt_size_signed(out, delta, dr->ctx->out.unit, dr->run.sample->host.page_size);
}

/* What the rows add up to, and what of that is of which. */
static void sums_text(struct vmt_buf *out, const struct diff_run *dr)
{
	size_t width = dr->ctx->out.width > 20 ? dr->ctx->out.width : SIZE_MAX;
	VMT_AUTO_BUF line = { 0 };
	const struct vmt_diff_sum *all = &dr->diff->sums[VMT_DIFF_COUNT];
	const char *between = " =";
	size_t i;

	vmt_buf_addf(&line, "RSS of %" PRIu64 " mappings, %" PRIu64 " before: ", all->maps_total,
		     all->maps_before_total);
	add_delta(&line, dr, VMT_HAS(diff_sum, rss_delta_bytes, all), all->rss_delta_bytes);
	for (i = 0; i < VMT_DIFF_COUNT; i++) {
		const struct vmt_diff_sum *s = &dr->diff->sums[i];

		if (!s->maps_before_total && !s->maps_total)
			continue;
		vmt_buf_addf(&line, "%s %s ", between, vmt_diff_match_name((enum vmt_diff_match)i));
		add_delta(&line, dr, VMT_HAS(diff_sum, rss_delta_bytes, s), s->rss_delta_bytes);
		between = ",";
	}
	if (line.data && line.len > width)
		vmt_wrap(out, line.data, width - 2, 2);
	else
		vmt_buf_addf(out, "%s\n", line.data ? line.data : "");
	if (vmt_buf_error(&line) < 0)
		out->error = vmt_buf_error(&line);
}

/* What status says the processes grew by, beside that. */
static void apart_text(struct vmt_buf *out, const struct diff_run *dr)
{
	if (!dr->apart.n)
		return;
	vmt_buf_addf(out,
		     "RSS of %s, by status: ", dr->apart.n == 1 ? "the process" : "the processes");
	add_delta(out, dr, !dr->apart.unknown, dr->apart.status);
	vmt_buf_adds(out, ", apart ");
	add_delta(out, dr, !dr->apart.unknown, dr->apart.apart);
	vmt_buf_addc(out, '\n');
}

/* Processes of which nothing can be said, mapping by mapping. */
static size_t left_out(const struct diff_run *dr)
{
	const struct vmt_sample *a = dr->a.doc.sample, *b = dr->run.sample;
	size_t i, n = 0;

	for (i = 0; i < dr->diff->n_pairs; i++) {
		const struct vmt_diff_pair *p = &dr->diff->pairs[i];

		n += (p->a != SIZE_MAX && a->maps && a->maps[p->a].state != VMT_STATE_OK) ||
		     (p->b != SIZE_MAX && b->maps && b->maps[p->b].state != VMT_STATE_OK);
	}
	return n;
}

static void remarks(struct vmt_buf *out, const struct diff_run *dr)
{
	size_t n;

	if (dr->by == MACHINE)
		return;
	if (dr->diff->other_boot)
		vmt_buf_adds(out, "! of two boots: no process of the one can be in the other\n");
	if (dr->by == PROCESSES)
		return;
	n = left_out(dr);
	if (n)
		vmt_buf_addf(out,
			     "! left out: %zu processes whose mappings are not known in both\n", n);
}

/* "from FILE, TIME, to FILE, TIME" */
static void heading(struct vmt_buf *out, const struct diff_run *dr)
{
	uint64_t from = dr->a.doc.sample->host.realtime_ns, to = dr->run.sample->host.realtime_ns;
	size_t i;

	for (i = 0; i < 2; i++) {
		const struct vmt_diff_document *d = &dr->documents[i];

		vmt_buf_adds(out, i ? "to   " : "from ");
		vmt_fmt_safe(out, d->name, dr->ctx->out.ascii);
		vmt_buf_adds(out, ", ");
		vmt_fmt_safe(out, d->schema, true);
		if (VMT_HAS(diff_document, time, d)) {
			vmt_buf_adds(out, ", ");
			vmt_fmt_safe(out, d->time, true);
		}
		if (i && from && to > from) {
			vmt_buf_adds(out, ", after ");
			vmt_fmt_duration(out, to - from);
		}
		vmt_buf_addc(out, '\n');
	}
	if (!dr->page)
		vmt_buf_addc(out, '\n');
}

/* Of what is ranked, for a page. */
static const char *title_of(const struct diff_run *dr)
{
	const char *by = vmt_ctx_value(dr->ctx, "by");

	if (dr->by == GROUPS)
		return strcmp(by, "role") == 0 ? "By role" : "By file";
	return dr->by == MAPPINGS    ? "By mapping"
	       : dr->by == PROCESSES ? "By process"
				     : "Where MemTotal went";
}

static int add_sections(struct diff_run *dr)
{
	const struct vmt_diff *d = dr->diff;
	const struct {
		const void *rows;
		size_t n;
	} rows[N_SECTIONS] = {
		[MAPPINGS] = { d->maps, d->n_maps },
		[GROUPS] = { dr->groups, dr->n_groups },
		[PROCESSES] = { d->procs, d->n_procs },
		[SUMS] = { d->sums, d->has_maps ? VMT_DIFF_COUNT + 1 : 0 },
		[MACHINE] = { dr->parts, dr->n_parts },
		[DOCUMENTS] = { dr->documents, 2 },
	};
	struct vmt_section *first = vmt_run_section(&dr->run, dr->ctx, sections[dr->by].key,
						    rows[dr->by].rows, rows[dr->by].n);
	int i, r;

	if (!first)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(dr->ctx, first);
	if (r)
		return r;
	if (dr->page)
		first->title = title_of(dr);
	heading(&first->lead, dr);
	if (d->has_maps && dr->by != PROCESSES) {
		sums_text(&first->note, dr);
		apart_text(&first->note, dr);
	}
	remarks(&first->note, dr);
	for (i = PROCESSES; i < N_SECTIONS; i++) {
		struct vmt_section *s;

		if (i == dr->by)
			continue;
		s = vmt_run_section(&dr->run, dr->ctx, sections[i].key, rows[i].rows, rows[i].n);
		if (!s)
			return VMT_EXIT_FAILED;
		s->machine_only = i != MACHINE || !rows[i].n || first->chosen;
		if (i == MACHINE)
			s->title = dr->page ? "Where MemTotal went" : "where MemTotal went";
	}
	return 0;
}

static int run_diff_of(struct diff_run *dr)
{
	int r = vmt_diff_input_read(dr->ctx, dr->ctx->operands[0], &dr->a);

	if (r == 0)
		r = vmt_diff_input_read(dr->ctx, dr->ctx->operands[1], &dr->b);
	if (r == 0)
		r = choose(dr);
	if (r == 0)
		r = keep_pids(dr);
	if (r)
		return r;
	vmt_diff_input_row(&dr->a, &dr->documents[0]);
	vmt_diff_input_row(&dr->b, &dr->documents[1]);
	r = model(dr);
	if (r == 0)
		r = compare(dr);
	if (r == 0)
		r = add_sections(dr);
	if (r == 0 && dr->page) {
		dr->run.doc.pictures = 1u << VMT_PICTURE_GROWTH;
		r = vmt_report_drawable(dr->ctx, &dr->run.doc);
	}
	return r ? r : vmt_print_doc(dr->ctx, &dr->run.doc);
}

static int run_diff(struct vmt_ctx *ctx)
{
	struct diff_run dr = { .ctx = ctx, .page = vmt_report_has_pictures(ctx) };
	int r;

	if (vmt_column_help(ctx, &vmt_entity_diff, &r))
		return r;
	dr.people = dr.page || strcmp(ctx->format->name, "text") == 0;
	/* A page says what its bytes are, whatever the locale. */
	if (dr.page)
		ctx->out.ascii = false;
	r = dr.page ? vmt_report_check_sink(ctx) : 0;
	if (r == 0)
		r = run_diff_of(&dr);
	diff_run_done(&dr);
	return r;
}

const struct vmt_cmd vmt_cmd_diff = {
	.name = "diff",
	.summary = "what grew between two documents or recordings, and what became of each mapping",
	.synopsis = "[-p LIST] [--by WHAT] [OPTION]... BEFORE AFTER",
	.cost = "reads two files, and nothing of the machine",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = N_SECTIONS,
	.sections_optional = true,
	.operands = "@file",
	.min_operands = 2,
	.max_operands = 2,
	.run = run_diff,
};
