/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cmd/text.h"
#include "cmd/watch.h"
#include "model/parts.h"

#define SOURCES                                                                                    \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PRESSURE) | VMT_SOURCE_BIT(OVERCOMMIT) | VMT_SOURCE_BIT(ZRAM))

static const struct vmt_section_def sections[] = {
	{ "system", &vmt_entity_system, true, "the machine's memory" },
	{ "parts", &vmt_entity_part, false, "where MemTotal went: the known parts sum to it" },
	{ "available", &vmt_entity_term, false, "the terms of available_derived_bytes" },
	{ "commit", &vmt_entity_commit, true, "what may be promised to processes" },
	{ "pressure", &vmt_entity_pressure, false, "how long tasks waited for a resource" },
};

static const struct vmt_opt free_opts[] = { VMT_OPTS_WATCH };

struct free_state {
	bool text;
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

static int fill(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct free_state *fs = arg;
	struct vmt_section *s;
	int r;

	r = vmt_run_sample(run, ctx, SOURCES, NULL, 0);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
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

static int run_free(struct vmt_ctx *ctx)
{
	struct free_state fs = { .text = strcmp(ctx->format->name, "text") == 0 };
	VMT_AUTO_RUN run = { 0 };
	int r;

	if (vmt_column_help(ctx, &vmt_entity_system, &r))
		return r;
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
	.synopsis = "[OPTION]...",
	.cost = "a dozen small files, read once, or once a sample",
	.opts = free_opts,
	.n_opts = VMT_ARRAY_LEN(free_opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.run = run_free,
};
