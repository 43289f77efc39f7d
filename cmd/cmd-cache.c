/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "cmd/collect-loop.h"
#include "cmd/privilege.h"
#include "cmd/sandbox.h"
#include "cmd/watch.h"
#include "model/cached-group.h"
#include "source/collect-cache.h"
#include "source/collect-inodes.h"

static const struct vmt_section_def sections[] = {
	{ "cached_files", &vmt_entity_cached_file, false,
	  "files, those first that have most in the page cache" },
	{ "cached_groups", &vmt_entity_cached_group, false,
	  "with --group: sums over the files, the largest first" },
	{ "cache", &vmt_entity_cache, true, "the page cache, and how much of it these explain" },
};

static const struct vmt_opt opts[] = {
	{ "all", 'a', VMT_OPT_FLAG, NULL, NULL,
	  "every inode that has pages, also those of files that nobody has open (BPF)" },
	{ "mapped", 0, VMT_OPT_FLAG, NULL, NULL, "files that processes map (BPF)" },
	{ "open", 0, VMT_OPT_FLAG, NULL, NULL, "files that processes have open (BPF)" },
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "files that these processes map or have open (BPF)" },
	{ "live", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count for SEC seconds which pages come and go, by inode (BPF)" },
	{ "group", 0, VMT_OPT_VALUE, "WHAT", "dir fs",
	  "sums over the files of one directory, or of one file system" },
	{ "tree", 0, VMT_OPT_VALUE, "DIR", "@dir", "all files in a directory, and in those below" },
	{ "xdev", 0, VMT_OPT_FLAG, NULL, NULL,
	  "with --tree: nothing of other file systems that are mounted below" },
	VMT_OPTS_WATCH,
};

/* Reasons that are printed one by one. */
#define COMPLAINTS 8u

/* What is asked for. */
struct cache {
	struct vmt_cache_opts files;
	struct vmt_inode_opts inodes;
	bool walk; /* by inodes */
	bool group;
	enum vmt_cached_group_by by;
	uint64_t *pids;
	int missing; /* the exit code where a process of them is not there */
};

static void cache_done(struct cache *c)
{
	free(c->pids);
}

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
	/* In bytes it is too much for one line. */
	size_text(out, ctx, out->len > 50 ? ";\n  dirty " : "; dirty ",
		  VMT_HAS(cache, dirty_bytes, c), c->dirty_bytes, page);
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
		size_text(out, ctx, ";\n  ", true, c->listed_buffers_bytes, page);
		vmt_buf_adds(out, " of Buffers");
		share_text(out, VMT_HAS(cache, buffers_percent, c), c->buffers_percent);
	}
	if (c->listed_hugetlb_bytes)
		size_text(out, ctx, "; hugetlb ", true, c->listed_hugetlb_bytes, page);
	if (VMT_HAS(cache, live_ns, c)) {
		vmt_buf_adds(out, "\nin ");
		vmt_fmt_duration(out, c->live_ns);
		size_text(out, ctx, ": added ", true, c->added_bytes, page);
		size_text(out, ctx, ", deleted ", true, c->deleted_bytes, page);
		vmt_buf_adds(out, ", Shmem left out");
		if (c->churn_lost_bytes)
			size_text(out, ctx, "; of inodes without a row ", true, c->churn_lost_bytes,
				  page);
	}
	if (c->empty_total)
		vmt_buf_addf(out, "; %" PRIu64 " more with nothing cached", c->empty_total);
	vmt_buf_addc(out, '\n');
	if (c->unknown_total)
		vmt_buf_addf(out, "! of %" PRIu64 " row%s it is not known what is cached\n",
			     c->unknown_total, c->unknown_total == 1 ? "" : "s");
	if (c->skipped_total)
		vmt_buf_addf(out, "! %" PRIu64 " files or directories were not begun\n",
			     c->skipped_total);
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
		/* They come in any order; the exit code is the same for all of these. */
		if (code > ret)
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

/* Columns by what was asked for: who maps or has open what was named is not looked for, and what is
 * not asked of each file is left out where there are too many of them. */
static const char named_columns[] = "CACHED,SIZE,PCT,DIRTY,WRITEBK,EVICTED,RECENT,FILE";
static const char mapped_columns[] = "CACHED,SIZE,PCT,DIRTY,WRITEBK,EVICTED,RECENT,MAPPED-BY,FILE";
static const char open_columns[] = "CACHED,SIZE,PCT,DIRTY,WRITEBK,EVICTED,RECENT,OPEN-BY,FILE";
static const char pid_columns[] =
	"CACHED,SIZE,PCT,DIRTY,WRITEBK,EVICTED,RECENT,MAPPED-BY,OPEN-BY,FILE";
static const char live_columns[] = "CACHED,SIZE,PCT,ADD/S,DEL/S,MAPPED-BY,FILE";
static const char group_columns[] = "CACHED,FILES,SIZE,LARGEST,NAME";
static const char many_columns[] = "CACHED,SIZE,PCT,MAPPED-BY,OPEN-BY,KIND,FS,FILE";

/* Rows that are short enough a list to open each of its files. */
#define ASK_MAX ((size_t)1000)

/* Whether one of the columns is told by opening files alone. */
static bool has_rest(const struct vmt_columns *columns)
{
	enum vmt_source_id cheaper;
	size_t i;

	for (i = 0; i < columns->n; i++)
		if (columns->fields[i]->source == VMT_SOURCE_CACHESTAT &&
		    !vmt_field_cheaper(columns->fields[i], &cheaper))
			return true;
	return false;
}

/* What the walk does not tell of n rows. rows: those that are shown; NULL: the first n. */
static int ask_rest(struct vmt_ctx *ctx, struct vmt_run *run, const void *const *rows, size_t n)
{
	VMT_AUTO_FREE size_t *at = calloc(n ? n : 1, sizeof(*at));
	const struct vmt_cached_file *first = run->sample->cache.files;
	size_t i;

	if (!at)
		return vmt_no_memory(ctx);
	for (i = 0; i < n; i++)
		at[i] = rows ? (size_t)((const struct vmt_cached_file *)rows[i] - first) : i;
	return vmt_collect_cache_rest(run->collector, run->sample, at, n) < 0 ? vmt_no_memory(ctx)
									      : 0;
}

/* The order or the filter asks what opening files tells: then it is asked of all rows, first. */
static int rest_first(struct vmt_ctx *ctx, struct vmt_run *run, bool *ret_asked)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	const char *order = vmt_ctx_value(ctx, "sort");
	struct vmt_sort sort = { 0 };
	int r = 0;

	if (order)
		r = vmt_sort_parse(&sort, &vmt_entity_cached_file, order, NULL);
	/* What is wrong with it is said when it is used. */
	if (r < 0 || vmt_ctx_filter(ctx, &vmt_entity_cached_file))
		return 0;
	if (vmt_columns_add_sort(&columns, &sort) < 0 ||
	    (ctx->filter && vmt_columns_add_filter(&columns, ctx->filter) < 0))
		return vmt_no_memory(ctx);
	*ret_asked = has_rest(&columns);
	return *ret_asked ? ask_rest(ctx, run, NULL, run->sample->cache.n_files) : 0;
}

/* The columns for which files are opened, of the rows that are shown; where these are too many,
 * other columns. */
static int rest_shown(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_section *s)
{
	bool chosen = vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all");

	if (chosen && !has_rest(&s->columns))
		return 0;
	if (s->n <= ASK_MAX)
		return ask_rest(ctx, run, s->rows, s->n);
	if (!chosen &&
	    vmt_columns_parse(&s->columns, &vmt_entity_cached_file, many_columns, NULL) < 0)
		return vmt_no_memory(ctx);
	run->sample->sources[VMT_SOURCE_CACHESTAT].state = VMT_STATE_SKIPPED;
	snprintf(run->sample->sources[VMT_SOURCE_CACHESTAT].reason,
		 sizeof(run->sample->sources[0].reason),
		 "more than %zu rows; --top N has what is dirty, written and evicted", ASK_MAX);
	return 0;
}

static const char *usual_columns(const struct cache *c)
{
	if (!c->walk)
		return named_columns;
	if (c->inodes.live_ns)
		return live_columns;
	if (c->inodes.all || !c->inodes.open)
		return mapped_columns;
	return c->inodes.mapped ? pid_columns : open_columns;
}

/* The section of the files, or of their groups; NULL after a complaint. */
static struct vmt_section *add_rows(struct vmt_ctx *ctx, struct vmt_run *run, const struct cache *c)
{
	bool chosen = vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all");
	struct vmt_cached_group *groups;
	struct vmt_section *s;
	size_t n;

	if (c->group) {
		if (vmt_cached_groups(run->model->cached_files,
				      run->model->n_cached_files - run->sample->cache.n_again,
				      c->by, &run->sample->arena, &groups, &n) < 0) {
			vmt_no_memory(ctx);
			return NULL;
		}
		s = vmt_run_section(run, ctx, "cached_groups", groups, n);
		if (s && c->walk && !chosen &&
		    vmt_columns_parse(&s->columns, &vmt_entity_cached_group, group_columns, NULL) <
			    0) {
			vmt_no_memory(ctx);
			return NULL;
		}
		return s;
	}
	s = vmt_run_section(run, ctx, "cached_files", run->model->cached_files,
			    run->model->n_cached_files);
	if (s && !chosen &&
	    vmt_columns_parse(&s->columns, &vmt_entity_cached_file, usual_columns(c), NULL) < 0) {
		vmt_no_memory(ctx);
		return NULL;
	}
	return s;
}

/* What the walk does not tell, where the sums or the order are of it: of all files, first. */
static int ask_first(struct vmt_ctx *ctx, struct vmt_run *run, const struct cache *c,
		     bool *ret_asked)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	int r;

	*ret_asked = false;
	if (!c->walk)
		return 0;
	if (!c->group)
		return rest_first(ctx, run, ret_asked);
	/* Groups of --all are of tens of thousands of files: only where somebody names a column. */
	if (!vmt_ctx_given(ctx, "output"))
		return 0;
	r = vmt_wanted_columns(ctx, &vmt_entity_cached_group, &columns);
	if (r)
		return r;
	*ret_asked = has_rest(&columns);
	return *ret_asked ? ask_rest(ctx, run, NULL, run->sample->cache.n_files) : 0;
}

/* After a while of counting, what meminfo says is of another time than the rows: it is read again.
 */
static int read_anew(struct vmt_ctx *ctx, struct vmt_run *run)
{
	struct vmt_sample *old = VMT_STEAL(run->sample);
	int r = vmt_run_sample(run, ctx, VMT_SOURCE_BIT(MEMINFO), NULL, 0);

	if (r == 0) {
		vmt_arena_join(&run->sample->arena, &old->arena);
		run->sample->cache = old->cache;
		old->cache = (struct vmt_cache_sample){ 0 };
		run->sample->sources[VMT_SOURCE_INODES] = old->sources[VMT_SOURCE_INODES];
	}
	vmt_sample_free(old);
	return r;
}

/* The processes that were named: 0 where there is one at least, or an exit code. */
static int look_for_pids(struct vmt_ctx *ctx, struct vmt_run *run, struct cache *c)
{
	if (!c->inodes.pids)
		return 0;
	if (run->sample->host.pid_namespace) {
		vmt_complain(ctx, "-p cannot be had in a PID namespace: the kernel's lists have "
				  "other numbers");
		return VMT_EXIT_FAILED;
	}
	c->missing = vmt_run_missing(run, ctx, c->inodes.pids, c->inodes.n_pids);
	return run->sample->n_procs ? 0 : c->missing;
}

/* One sample, as far as its document; an exit code or 0. */
static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	struct cache *c = arg;
	struct vmt_section *s, *sum;
	bool asked = false;
	int r;

	r = vmt_run_sample(run, ctx,
			   VMT_SOURCE_BIT(MEMINFO) | (c->inodes.pids ? VMT_SOURCE_BIT(STAT) : 0),
			   c->inodes.pids, c->inodes.n_pids);
	/* Once: that one is gone later is what the rows say. */
	if (r == 0 && (!w || w->sample == 1))
		r = look_for_pids(ctx, run, c);
	if (r)
		return r;
	if ((c->walk ? vmt_collect_inodes(run->collector, run->sample, &c->inodes)
		     : vmt_collect_cache(run->collector, run->sample, &c->files)) < 0)
		return vmt_no_memory(ctx);
	/* A watch walks again, by what it loads again. */
	if (c->walk && !w)
		r = vmt_sandbox_close(ctx);
	if (r == 0 && c->inodes.live_ns)
		r = read_anew(ctx, run);
	if (r == 0)
		r = ask_first(ctx, run, c, &asked);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = add_rows(ctx, run, c);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	/* The rows are the sample's own, and stay where they are. */
	if (r == 0 && c->walk && !asked && !c->group)
		r = rest_shown(ctx, run, s);
	if (r == 0 && c->walk)
		r = vmt_run_remodel(run, ctx, NULL);
	if (r)
		return r;
	sum = vmt_run_section(run, ctx, "cache", &run->model->cache, 1);
	if (!sum)
		return VMT_EXIT_FAILED;
	sum->machine_only = true;
	head(&s->lead, ctx, &run->model->cache, run->sample->host.page_size);
	vmt_run_remarks(run, ctx, s);
	return 0;
}

static int options(struct vmt_ctx *ctx, struct cache *c)
{
	const char *tree = vmt_ctx_value(ctx, "tree"), *list = vmt_ctx_value(ctx, "pid");
	const char *group = vmt_ctx_value(ctx, "group"), *live = vmt_ctx_value(ctx, "live");
	uint64_t ns = 0;
	bool all = vmt_ctx_given(ctx, "all"), mapped = vmt_ctx_given(ctx, "mapped");
	bool open = vmt_ctx_given(ctx, "open");
	int ways = (tree != NULL) + (ctx->n_operands > 0) + all + (mapped || open || list);
	size_t i;

	if (ways != 1)
		return vmt_usage_error(ctx, "which files? one of: PATH..., --tree DIR, --all, "
					    "--mapped, --open, -p LIST");
	if (vmt_ctx_given(ctx, "xdev") && !tree)
		return vmt_usage_error(ctx, "--xdev is for --tree");
	if (tree && !*tree)
		return vmt_usage_error(ctx, "--tree takes a directory");
	for (i = 0; i < ctx->n_operands; i++)
		if (!*ctx->operands[i])
			return vmt_usage_error(ctx, "a name of a file is empty");
	c->files = (struct vmt_cache_opts){ .paths = ctx->operands,
					    .n_paths = ctx->n_operands,
					    .tree = tree,
					    .one_device = vmt_ctx_given(ctx, "xdev") };
	if (live && (vmt_parse_duration(live, &ns) < 0 || ns == 0))
		return vmt_usage_error(ctx, "--live takes seconds, as 1, 0.5 or 250ms");
	if (live && (tree || ctx->n_operands))
		return vmt_usage_error(ctx, "--live is of --all, --mapped, --open and -p");
	if (live && vmt_watch_given(ctx))
		return vmt_usage_error(ctx, "--live and -d exclude each other");
	c->group = group != NULL;
	c->by = group && strcmp(group, "fs") == 0 ? VMT_CACHED_BY_FS : VMT_CACHED_BY_DIR;
	if (group && strcmp(group, "cgroup") == 0)
		return vmt_usage_error(ctx,
				       "--group cgroup cannot be had: each page of a file may be "
				       "charged to another cgroup, and nothing counts both; "
				       "'vmtop cgroups -s -file' has the sums");
	if (group && strcmp(group, "fs") != 0 && strcmp(group, "dir") != 0)
		return vmt_usage_error(ctx, "--group takes dir or fs, not '%.40s'", group);
	c->walk = all || mapped || open || list;
	/* Of a process it is both, where nothing else is said. */
	c->inodes = (struct vmt_inode_opts){ .all = all,
					     .live_ns = ns,
					     .mapped = mapped || (list && !open),
					     .open = open || (list && !mapped) };
	if (!list)
		return 0;
	i = (size_t)vmt_parse_pids(ctx, list, &c->pids, &c->inodes.n_pids);
	c->inodes.pids = c->pids;
	return (int)i;
}

static int run_cache(struct vmt_ctx *ctx)
{
	VMT_AUTO_RUN run = { 0 };
	VMT_CLEANUP(cache_done) struct cache c = { 0 };
	int r;

	if (vmt_column_help(ctx,
			    vmt_ctx_given(ctx, "group") ? &vmt_entity_cached_group
							: &vmt_entity_cached_file,
			    &r))
		return r;
	r = options(ctx, &c);
	if (r == 0)
		r = vmt_run_open(&run, ctx, c.inodes.live_ns);
	if (r == 0 && !c.walk)
		r = vmt_sandbox_close(ctx);
	if (r)
		return r;
	if (vmt_watch_given(ctx))
		return vmt_watch_run(ctx, &run, take, &c);
	r = take(ctx, &run, NULL, &c);
	if (r == 0)
		r = vmt_print_doc(ctx, &run.doc);
	if (r == 0)
		r = complain(ctx, run.sample, &run.model->cache);
	if (r == 0)
		r = c.missing;
	return r ? r
		 : vmt_run_verdict(&run, ctx, c.walk ? VMT_SOURCE_INODES : VMT_SOURCE_CACHESTAT);
}

const struct vmt_cmd vmt_cmd_cache = {
	.name = "cache",
	.summary = "the page cache by file: what of each is cached, dirty, evicted",
	.synopsis = "(PATH... | --tree DIR [--xdev] | --all | --mapped | --open | -p LIST) "
		    "[--group WHAT] [--live SEC | -d SEC] [OPTION]...",
	.cost = "a file is looked up, opened and asked about, in some microseconds, and not read; a "
		"walk over all inodes takes about half a microsecond for each",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.operands = "@file",
	.max_operands = 4096,
	.keeps = VMT_RIGHT_PROBES,
	.run = run_cache,
};
