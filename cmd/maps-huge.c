/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/maps-huge.h"

#include <errno.h>

#include "source/thp.h"

int vmt_maps_huge_parse(struct vmt_ctx *ctx)
{
	static const char *const others[] = { "all",   "user",	  "pss", "forecast",
					      "group", "sharers", "cow", "list-only" };
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(others); i++)
		if (vmt_ctx_given(ctx, others[i]))
			return vmt_usage_error(ctx, "--huge or --%s, not both", others[i]);
	if (ctx->root)
		return vmt_usage_error(ctx, "the settings of huge pages are read live; --root has "
					    "none");
	if (ctx->n_operands == 0)
		return vmt_usage_error(ctx, "--huge takes processes");
	return vmt_wanted_columns(ctx, &vmt_entity_huge, &columns);
}

/* Rows of all mappings that smaps was read for; they are the sample's. */
static int make_rows(struct vmt_ctx *ctx, struct vmt_run *run, const struct vmt_thp *thp,
		     struct vmt_huge **ret, size_t *ret_n)
{
	struct vmt_sample *s = run->sample;
	struct vmt_huge *rows;
	size_t n = 0, i, k;

	for (i = 0; i < s->n_procs; i++)
		n += s->maps[i].n_maps;
	rows = vmt_arena_alloc(&s->arena, n ? n : 1, sizeof(*rows));
	if (!rows)
		return vmt_no_memory(ctx);
	n = 0;
	for (i = 0; i < s->n_procs; i++)
		for (k = 0; k < s->maps[i].n_maps; k++)
			if (vmt_huge_row(thp, &s->procs[i], &s->maps[i].maps[k], s->host.page_size,
					 &s->arena, &rows[n++]) < 0)
				return vmt_no_memory(ctx);
	*ret = rows;
	*ret_n = n;
	return 0;
}

/* "enabled madvise, shmem_enabled never, max_ptes_none 511" */
static void settings_text(struct vmt_buf *out, const struct vmt_thp *thp, const struct vmt_ctx *ctx,
			  uint64_t page_size)
{
	if (thp->absent) {
		vmt_buf_adds(out, "this kernel has no transparent huge pages\n");
		return;
	}
	vmt_buf_addf(out, "transparent_hugepage: enabled %s, shmem_enabled %s, size ",
		     vmt_thp_mode_name(thp->enabled), vmt_thp_mode_name(thp->shmem));
	if (thp->pmd_bytes)
		vmt_fmt_size(out, thp->pmd_bytes, ctx->out.unit, page_size);
	else
		vmt_buf_adds(out, "unknown");
	if (thp->has_max_ptes_none)
		vmt_buf_addf(out, ", max_ptes_none %llu", (unsigned long long)thp->max_ptes_none);
	vmt_buf_addc(out, '\n');
}

/* Of the rows that know it. */
struct sum {
	uint64_t bytes;
	size_t n;
	bool overflow;
};

static void sum_add(struct sum *sum, uint64_t bytes)
{
	sum->overflow |= __builtin_add_overflow(sum->bytes, bytes, &sum->bytes);
	sum->n++;
}

static void sum_text(struct vmt_buf *out, const struct sum *sum, size_t n, enum vmt_size_unit unit,
		     uint64_t page_size)
{
	if (sum->overflow || (n && !sum->n)) {
		vmt_buf_adds(out, "unknown");
		return;
	}
	vmt_fmt_size(out, sum->bytes, unit, page_size);
	if (sum->n < n)
		vmt_buf_addf(out, " of %zu mappings", sum->n);
}

static void sums_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_huge *rows,
		      size_t n, uint64_t page_size)
{
	struct sum rss = { 0 }, huge = { 0 }, eligible = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (VMT_HAS(huge, rss_bytes, &rows[i]))
			sum_add(&rss, rows[i].rss_bytes);
		if (VMT_HAS(huge, huge_bytes, &rows[i]))
			sum_add(&huge, rows[i].huge_bytes);
		if (VMT_HAS(huge, eligible_bytes, &rows[i]))
			sum_add(&eligible, rows[i].eligible_bytes);
	}
	vmt_buf_addf(out, "%zu mappings, RSS ", n);
	sum_text(out, &rss, n, ctx->out.unit, page_size);
	vmt_buf_adds(out, ", huge ");
	sum_text(out, &huge, n, ctx->out.unit, page_size);
	vmt_buf_adds(out, ", eligible ");
	sum_text(out, &eligible, n, ctx->out.unit, page_size);
	vmt_buf_addc(out, '\n');
}

int vmt_maps_huge_print(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n)
{
	struct vmt_huge *rows = NULL;
	struct vmt_section *s, *procs;
	struct vmt_thp thp;
	size_t n_rows = 0, i;
	int r, missing, failed = 0;

	r = vmt_run_sample(run, ctx,
			   VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT),
			   pids, n);
	if (r)
		return r;
	missing = vmt_run_missing(run, ctx, pids, n);
	if (missing && run->sample->n_procs == 0)
		return missing;
	vmt_run_announce(run, ctx, VMT_SOURCE_BIT(SMAPS), NULL, 0);
	r = vmt_run_procs(run, ctx, VMT_SOURCE_BIT(SMAPS), NULL, 0);
	if (r)
		return r;
	for (i = 0; i < run->sample->n_procs; i++) {
		int code = vmt_run_unread(run, ctx, &run->sample->procs[i]);

		if (!failed)
			failed = code;
	}
	vmt_collect_thp(run->collector, &thp);
	if (thp.error)
		vmt_sample_failed(
			run->sample, VMT_SOURCE_SMAPS, 0, (struct vmt_bytes){ 0 }, thp.error,
			"settings of transparent huge pages cannot be read: what could be "
			"huge is not known");
	r = make_rows(ctx, run, &thp, &rows, &n_rows);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	if (failed && !n_rows)
		return failed;
	s = vmt_run_section(run, ctx, "huge", rows, n_rows);
	procs = vmt_run_section(run, ctx, "processes", run->model->procs, run->model->n_procs);
	if (!s || !procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	if (run->sample->n_procs > 1 && !vmt_ctx_given(ctx, "output") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_huge,
			      "PID,ADDRESS,PERM,KIND,SIZE,RSS,HUGE,ELIGIBLE,SIZES,WHY,MAPPING",
			      NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	settings_text(&s->lead, &thp, ctx, run->sample->host.page_size);
	sums_text(&s->note, ctx, rows, n_rows, run->sample->host.page_size);
	vmt_run_remarks(run, ctx, s);
	r = vmt_print_doc(ctx, &run->doc);
	if (r == 0)
		r = failed;
	return r ? r : missing;
}
