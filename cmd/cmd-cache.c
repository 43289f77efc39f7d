/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "cmd/collect-loop.h"
#include "cmd/watch.h"
#include "source/collect-cache.h"

static const struct vmt_section_def sections[] = {
	{ "cached_files", &vmt_entity_cached_file, false,
	  "files, those first that have most in the page cache" },
	{ "cache", &vmt_entity_cache, true, "the page cache, and how much of it these explain" },
};

static const struct vmt_opt opts[] = {
	{ "tree", 0, VMT_OPT_VALUE, "DIR", "@dir", "all files in a directory, and in those below" },
	{ "xdev", 0, VMT_OPT_FLAG, NULL, NULL,
	  "with --tree: nothing of other file systems that are mounted below" },
	VMT_OPTS_WATCH,
};

/* Reasons that are printed one by one. */
#define COMPLAINTS 8u

/* What is asked for. */
struct cache {
	struct vmt_cache_opts opts;
};

static void share_text(struct vmt_buf *out, bool known, uint64_t milli)
{
	if (known)
		vmt_buf_addf(out, " (%" PRIu64 ".%" PRIu64 "%%)", milli / 1000, milli % 1000 / 100);
}

static void size_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const char *name, bool known,
		      uint64_t bytes, uint64_t page)
{
	vmt_buf_adds(out, name);
	if (known)
		vmt_fmt_size(out, bytes, ctx->out.unit, page);
	else
		vmt_buf_addc(out, '-');
}

/* Above the table: the page cache, and how much of it the rows explain. */
static void head(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_cache *c,
		 uint64_t page)
{
	size_text(out, ctx, "Cached ", VMT_HAS(cache, cached_bytes, c), c->cached_bytes, page);
	size_text(out, ctx, ", Shmem ", VMT_HAS(cache, shared_bytes, c), c->shared_bytes, page);
	size_text(out, ctx, ", Buffers ", VMT_HAS(cache, buffers_bytes, c), c->buffers_bytes, page);
	size_text(out, ctx, "; dirty ", VMT_HAS(cache, dirty_bytes, c), c->dirty_bytes, page);
	size_text(out, ctx, ", writeback ", VMT_HAS(cache, writeback_bytes, c), c->writeback_bytes,
		  page);
	vmt_buf_addf(out, "\n%" PRIu64 " row%s: ", c->files_total, c->files_total == 1 ? "" : "s");
	size_text(out, ctx, "", true, c->listed_cached_bytes, page);
	vmt_buf_adds(out, " of Cached");
	share_text(out, VMT_HAS(cache, explained_percent, c), c->explained_percent);
	if (c->listed_shared_bytes) {
		size_text(out, ctx, ", of it ", true, c->listed_shared_bytes, page);
		vmt_buf_adds(out, " Shmem");
		share_text(out, VMT_HAS(cache, shared_percent, c), c->shared_percent);
	}
	if (c->listed_buffers_bytes) {
		size_text(out, ctx, "; ", true, c->listed_buffers_bytes, page);
		vmt_buf_adds(out, " of Buffers");
		share_text(out, VMT_HAS(cache, buffers_percent, c), c->buffers_percent);
	}
	if (c->listed_hugetlb_bytes)
		size_text(out, ctx, "; hugetlb ", true, c->listed_hugetlb_bytes, page);
	if (c->empty_total)
		vmt_buf_addf(out, "; %" PRIu64 " more with nothing cached", c->empty_total);
	vmt_buf_addc(out, '\n');
	if (c->unknown_total)
		vmt_buf_addf(out, "! of %" PRIu64 " row%s it is not known what is cached\n",
			     c->unknown_total, c->unknown_total == 1 ? "" : "s");
	if (c->skipped_total)
		vmt_buf_addf(out, "! %" PRIu64 " directories were not begun\n", c->skipped_total);
	else if (!c->complete)
		vmt_buf_adds(out, "! not all that was asked for could be looked at\n");
}

/* What could not be looked at: the reason for each of the first ones, and the exit code. */
static int complain(struct vmt_ctx *ctx, const struct vmt_sample *s, const struct vmt_cache *c)
{
	size_t i, n = 0;
	int ret = 0;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *issue = &s->issues[i];
		int code = VMT_EXIT_FAILED;

		if (!vmt_bytes_is(issue->source, vmt_source_name(VMT_SOURCE_CACHESTAT)) ||
		    !VMT_HAS(issue, hint, issue))
			continue;
		if (n++ < COMPLAINTS)
			vmt_complain(ctx, "%.*s", (int)issue->hint.len, issue->hint.ptr);
		if (vmt_bytes_is(issue->status, "denied"))
			code = VMT_EXIT_DENIED;
		else if (vmt_bytes_is(issue->status, "absent"))
			code = VMT_EXIT_NOTHING;
		else if (vmt_bytes_is(issue->status, "timed_out"))
			code = VMT_EXIT_TIMEOUT;
		if (!ret)
			ret = code;
	}
	if (n > COMPLAINTS)
		vmt_complain(ctx, "and %zu more", n - COMPLAINTS);
	if (!ret && s->cache.skipped)
		ret = VMT_EXIT_TIMEOUT;
	if (ret || c->files_total == 0 || c->unknown_total < c->files_total ||
	    !s->sources[VMT_SOURCE_CACHESTAT].denied)
		return ret;
	vmt_complain(ctx, "not permitted: only its owner and who may write to a file are told what "
			  "is cached of it, or CAP_FOWNER");
	return VMT_EXIT_DENIED;
}

/* Who maps or has open what was named is not looked for. */
static const char named_columns[] = "CACHED,SIZE,PCT,DIRTY,WRITEBK,EVICTED,RECENT,FILE";

/* One sample, as far as its document; an exit code or 0. */
static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	const struct cache *c = arg;
	struct vmt_section *s, *sum;
	int r;

	(void)w;
	r = vmt_run_sample(run, ctx, VMT_SOURCE_BIT(MEMINFO), NULL, 0);
	if (r)
		return r;
	if (vmt_collect_cache(run->collector, run->sample, &c->opts) < 0) {
		vmt_complain(ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(run, ctx, "cached_files", run->model->cached_files,
			    run->model->n_cached_files);
	sum = vmt_run_section(run, ctx, "cache", &run->model->cache, 1);
	if (!s || !sum)
		return VMT_EXIT_FAILED;
	sum->machine_only = true;
	if (!vmt_ctx_given(ctx, "output") && !vmt_ctx_given(ctx, "output-all") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_cached_file, named_columns, NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	head(&s->lead, ctx, &run->model->cache, run->sample->host.page_size);
	vmt_run_remarks(run, ctx, s);
	return 0;
}

static int options(struct vmt_ctx *ctx, struct cache *c)
{
	const char *tree = vmt_ctx_value(ctx, "tree");
	int ways = (tree != NULL) + (ctx->n_operands > 0);
	size_t i;

	if (ways != 1)
		return vmt_usage_error(ctx, "which files? one of: vmtop cache PATH..., --tree DIR");
	if (vmt_ctx_given(ctx, "xdev") && !tree)
		return vmt_usage_error(ctx, "--xdev is for --tree");
	if (tree && !*tree)
		return vmt_usage_error(ctx, "--tree takes a directory");
	for (i = 0; i < ctx->n_operands; i++)
		if (!*ctx->operands[i])
			return vmt_usage_error(ctx, "a name of a file is empty");
	c->opts = (struct vmt_cache_opts){ .paths = ctx->operands,
					   .n_paths = ctx->n_operands,
					   .tree = tree,
					   .one_device = vmt_ctx_given(ctx, "xdev") };
	return 0;
}

static int run_cache(struct vmt_ctx *ctx)
{
	VMT_AUTO_RUN run = { 0 };
	struct cache c = { 0 };
	int r;

	if (vmt_column_help(ctx, &vmt_entity_cached_file, &r))
		return r;
	r = options(ctx, &c);
	if (r == 0)
		r = vmt_run_open(&run, ctx, 0);
	if (r)
		return r;
	if (vmt_watch_given(ctx))
		return vmt_watch_run(ctx, &run, take, &c);
	r = take(ctx, &run, NULL, &c);
	if (r == 0)
		r = vmt_print_doc(ctx, &run.doc);
	if (r == 0)
		r = complain(ctx, run.sample, &run.model->cache);
	return r ? r : vmt_run_verdict(&run, ctx, VMT_SOURCE_CACHESTAT);
}

const struct vmt_cmd vmt_cmd_cache = {
	.name = "cache",
	.summary = "the page cache by file: what of each is cached, dirty, evicted",
	.synopsis = "(PATH... | --tree DIR [--xdev]) [-d SEC] [OPTION]...",
	.cost = "a file is looked up, opened and asked about, in some microseconds, and not read",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands = "@file",
	.max_operands = 4096,
	.run = run_cache,
};
