/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/collect-loop.h"

#include "base/parse.h"

static const struct vmt_section_def sections[] = {
	{ "maps", &vmt_entity_map, false, "mappings, in order of address" },
	{ "processes", &vmt_entity_proc, false, "the processes that were asked for" },
};

static const struct vmt_opt opts[] = {
	{ "pss", 0, VMT_OPT_MAYBE, NULL, "sliced",
	  "add PSS, for which the kernel walks a mapping in one hold of its lock; or an estimate "
	  "that is read in slices" },
	{ "list-only", 0, VMT_OPT_FLAG, NULL, NULL,
	  "read maps alone: no residency, and no walk of page tables" },
};

/* All mappings of all processes in one array; the rows stay the sample's facts. */
static int gather(struct vmt_run *run, struct vmt_map **ret, size_t *ret_n)
{
	struct vmt_sample *s = run->sample;
	size_t i, k, n = 0;

	for (i = 0; i < s->n_procs; i++)
		n += s->maps ? s->maps[i].n_maps : 0;
	*ret = vmt_arena_alloc(&s->arena, n, sizeof(**ret));
	if (!*ret)
		return VMT_EXIT_FAILED;
	*ret_n = 0;
	for (i = 0; i < s->n_procs; i++) {
		for (k = 0; s->maps && k < s->maps[i].n_maps; k++) {
			struct vmt_map *m = &(*ret)[(*ret_n)++];

			*m = s->maps[i].maps[k];
			VMT_SET(map, pid, m, s->procs[i].pid);
		}
	}
	return 0;
}

/* A process without mappings of its own, in words: 0 would say that it could have some. */
static bool without_memory_text(struct vmt_buf *out, const struct vmt_proc *p)
{
	const char *what = NULL;

	if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "zombie"))
		what = "is a zombie: its memory is given back";
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel"))
		what = "is a kernel thread: it has no memory of its own";
	if (what)
		vmt_buf_addf(out, "process %llu %s\n", (unsigned long long)p->pid, what);
	return what != NULL;
}

static void total_text(struct vmt_buf *out, struct vmt_ctx *ctx, const struct vmt_run *run,
		       const struct vmt_map *maps, size_t n)
{
	uint64_t size = 0, rss = 0, pss = 0, sliced = 0, page = run->sample->host.page_size;
	const struct vmt_sample *s = run->sample;
	size_t without = 0, i;
	bool has_rss = n > 0, has_pss = n > 0, has_sliced = n > 0;

	for (i = 0; i < s->n_procs; i++)
		without += without_memory_text(out, &s->procs[i]);
	if (without == s->n_procs)
		return;
	for (i = 0; i < n; i++) {
		/* The vsyscall page is the kernel's: the process's own size has it not. */
		if (!vmt_bytes_is(maps[i].path, "[vsyscall]"))
			size += maps[i].size_bytes;
		has_rss &= VMT_HAS(map, rss_bytes, &maps[i]);
		has_pss &= VMT_HAS(map, pss_bytes, &maps[i]);
		has_sliced &= VMT_HAS(map, pss_sliced_bytes, &maps[i]);
		if (VMT_HAS(map, pss_sliced_bytes, &maps[i]))
			sliced += maps[i].pss_sliced_bytes;
		if (VMT_HAS(map, rss_bytes, &maps[i]))
			rss += maps[i].rss_bytes;
		if (VMT_HAS(map, pss_bytes, &maps[i]))
			pss += maps[i].pss_bytes;
	}
	vmt_buf_addf(out, "%zu mappings, size ", n);
	vmt_fmt_size(out, size, ctx->out.unit, page);
	if (has_rss) {
		vmt_buf_adds(out, ", RSS ");
		vmt_fmt_size(out, rss, ctx->out.unit, page);
	}
	if (has_pss) {
		vmt_buf_adds(out, ", PSS ");
		vmt_fmt_size(out, pss, ctx->out.unit, page);
	}
	if (has_sliced) {
		vmt_buf_adds(out, ", PSS about ");
		vmt_fmt_size(out, sliced, ctx->out.unit, page);
	}
	vmt_buf_addc(out, '\n');
}

/* Names every process that could not be read whole; the exit code for the first. */
static int denied_or_gone(struct vmt_ctx *ctx, const struct vmt_run *run)
{
	static const struct {
		const char *status;
		int code;
	} codes[] = {
		{ "denied", VMT_EXIT_DENIED },
		{ "gone", VMT_EXIT_NOTHING },
		{ "timed_out", VMT_EXIT_TIMEOUT },
	};
	const struct vmt_sample *s = run->sample;
	int ret = 0;
	size_t i, k;

	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];
		int code = VMT_EXIT_FAILED;

		if (!VMT_HAS(proc, read_status, p) || vmt_bytes_is(p->read_status, "ok"))
			continue;
		vmt_complain(ctx, "process %llu: maps: %.*s", (unsigned long long)p->pid,
			     (int)p->read_status.len, p->read_status.ptr);
		for (k = 0; k < VMT_ARRAY_LEN(codes); k++)
			if (vmt_bytes_is(p->read_status, codes[k].status))
				code = codes[k].code;
		if (!ret)
			ret = code;
	}
	return ret;
}

/* The columns of --pss: an exit code, or 0. */
static int add_pss(struct vmt_ctx *ctx, struct vmt_columns *columns)
{
	const char *how = vmt_ctx_value(ctx, "pss");

	if (!how || vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all"))
		return 0;
	return vmt_columns_parse(columns, &vmt_entity_map, *how ? "+PSS-SLICED" : "+PSS", NULL) < 0
		       ? VMT_EXIT_FAILED
		       : 0;
}

static int parse_operands(struct vmt_ctx *ctx, uint64_t **ret, size_t *ret_n)
{
	VMT_AUTO_BUF list = { 0 };
	size_t i;

	for (i = 0; i < ctx->n_operands; i++) {
		if (i)
			vmt_buf_addc(&list, ',');
		vmt_buf_adds(&list, ctx->operands[i]);
	}
	return vmt_parse_pids(ctx, list.data ? list.data : "", ret, ret_n);
}

static int run_maps(struct vmt_ctx *ctx)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct vmt_map *maps = NULL;
	struct vmt_section *s, *procs;
	size_t n_pids = 0, n = 0;
	const char *pss = vmt_ctx_value(ctx, "pss");
	uint32_t want = VMT_SOURCE_BIT(MAPS);
	int r, missing, failed = 0;

	if (vmt_column_help(ctx, &vmt_entity_map, &r))
		return r;
	if (pss && *pss && strcmp(pss, "sliced") != 0)
		return vmt_usage_error(ctx, "--pss takes sliced or no value, not '%.40s'", pss);
	if (ctx->n_operands == 0)
		return vmt_usage_error(ctx, "which process? vmtop maps PID...");
	r = parse_operands(ctx, &pids, &n_pids);
	if (r == 0)
		r = vmt_wanted_sources(ctx, &vmt_entity_map, &want);
	if (r)
		return r;
	if (pss)
		want |= *pss ? VMT_SOURCE_BIT(KPAGECOUNT) : VMT_SOURCE_BIT(SMAPS);
	if (vmt_ctx_given(ctx, "list-only"))
		want = VMT_SOURCE_BIT(MAPS);
	else if (ctx->format->emit != vmt_out_text && !vmt_ctx_given(ctx, "output"))
		/* A document without -o has every field of smaps. */
		want |= VMT_SOURCE_BIT(SMAPS);
	want &= VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(PAGEMAP) |
		VMT_SOURCE_BIT(WORDS) | VMT_SOURCE_BIT(KPAGECOUNT) | VMT_SOURCE_BIT(ELF) |
		VMT_SOURCE_BIT(ROLE) | VMT_COLLECT_CHEAP;
	if (want & VMT_SOURCE_BIT(SMAPS))
		want &= ~VMT_COLLECT_CHEAP;
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, VMT_SOURCE_BIT(PIDS), pids, n_pids);
	if (r)
		return r;
	missing = vmt_run_missing(&run, ctx, pids, n_pids);
	if (missing && run.sample->n_procs == 0)
		return missing;
	r = vmt_run_procs(&run, ctx, want, NULL, 0);
	if (r == 0) {
		failed = denied_or_gone(ctx, &run);
		r = gather(&run, &maps, &n);
	}
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&run, ctx, "maps", maps, n);
	procs = vmt_run_section(&run, ctx, "processes", run.model->procs, run.model->n_procs);
	if (!s || !procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	if (n_pids > 1 && !vmt_ctx_given(ctx, "output") &&
	    (vmt_columns_parse(&s->columns, &vmt_entity_map,
			       "PID,ADDRESS,PERM,KIND,SIZE,RSS,ANON,FILE,SWAP,MAPPING", NULL) < 0))
		return VMT_EXIT_FAILED;
	r = add_pss(ctx, &s->columns);
	if (r == 0)
		r = vmt_section_options(ctx, s);
	if (r)
		return r;
	total_text(&s->note, ctx, &run, maps, n);
	vmt_run_remarks(&run, ctx, s);
	if (failed && n == 0)
		return failed;
	r = vmt_print_doc(ctx, &run.doc);
	if (r == 0)
		r = failed;
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_maps = {
	.name = "maps",
	.summary = "the mappings of a process, with what is resident of each",
	.synopsis = "PID... [--pss[=sliced]] [--list-only] [OPTION]...",
	.cost = "by default the page tables are looked at in slices of some tens of microseconds; "
		"PSS and other lines of smaps need a walk over a whole mapping under the mmap lock "
		"of the process: about 20 ns for each resident page of 4 KiB",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands = "@pid",
	.max_operands = 1024,
	.run = run_maps,
};
