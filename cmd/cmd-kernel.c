/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/privilege.h"
#include "cmd/view.h"
#include "source/collect-kernel.h"

enum { USES, SUMS, SLABS, VMALLOC, COUNTERS, LAYOUT, SPACE, N_SECTIONS };

static const struct vmt_section_def sections[N_SECTIONS] = {
	[USES] = { "uses", &vmt_entity_kernel_use, false, "what the kernel holds memory for" },
	[SUMS] = { "sums", &vmt_entity_kernel_sum, false,
		   "what a list sums up to, against the kernel's own count" },
	[SLABS] = { "slabs", &vmt_entity_slab, false,
		    "with --slab, in place of the uses: caches of the slab allocator" },
	[VMALLOC] = { "vmalloc", &vmt_entity_vmalloc, false,
		      "with --vmalloc, in place of the uses: areas by the function that made them" },
	[COUNTERS] = { "counters", &vmt_entity_counter, false,
		       "with --vmstat, in place of the others: lines of /proc/vmstat" },
	[LAYOUT] = { "layout", &vmt_entity_kernel_range, false,
		     "with --layout, in place of the others: ranges of the kernel's addresses" },
	[SPACE] = { "address_space", &vmt_entity_address_space, true,
		    "with --layout: the address space as a whole" },
};

static const struct vmt_opt opts[] = {
	{ "slab", 0, VMT_OPT_FLAG, NULL, NULL, "caches of the slab allocator (root)" },
	{ "vmalloc", 0, VMT_OPT_FLAG, NULL, NULL,
	  "areas of vmalloc, vmap and ioremap by the function that made them (root)" },
	{ "vmstat", 0, VMT_OPT_FLAG, NULL, NULL, "counters of /proc/vmstat, all or the KEYs" },
	{ "layout", 0, VMT_OPT_FLAG, NULL, NULL, "the kernel's address space" },
	VMT_OPTS_WATCH,
};

static const struct vmt_view views[] = {
	{ NULL, USES, SUMS, VMT_SOURCE_MEMINFO,
	  VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |
		  VMT_SOURCE_BIT(SOCKSTAT),
	  "WHAT,SIZE,DELTA,IN,FROM", false },
	{ "slab", SLABS, SUMS, VMT_SOURCE_SLABINFO,
	  VMT_SOURCE_BIT(SLABINFO) | VMT_SOURCE_BIT(SLAB) | VMT_SOURCE_BIT(MEMINFO), NULL, false },
	{ "vmalloc", VMALLOC, SUMS, VMT_SOURCE_VMALLOCINFO,
	  VMT_SOURCE_BIT(VMALLOCINFO) | VMT_SOURCE_BIT(MEMINFO), NULL, false },
	{ "vmstat", COUNTERS, -1, VMT_SOURCE_VMSTAT, VMT_SOURCE_BIT(VMSTAT), "KEY,VALUE,DELTA/S",
	  false },
	{ "layout", LAYOUT, SPACE, VMT_SOURCE_MEMINFO,
	  VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(MODULES) |
		  VMT_SOURCE_BIT(KALLSYMS) | VMT_SOURCE_BIT(KCORE) | VMT_SOURCE_BIT(IOMEM),
	  NULL, true },
};

static struct vmt_section *add_section(struct vmt_ctx *ctx, struct vmt_run *run, int id)
{
	const struct vmt_model *m = run->model;
	const struct {
		const void *rows;
		size_t n;
	} rows[N_SECTIONS] = {
		[USES] = { m->uses, m->n_uses },
		[SUMS] = { m->kernel_sums, m->n_kernel_sums },
		[SLABS] = { m->slabs, m->n_slabs },
		[VMALLOC] = { m->vmalloc, m->n_vmalloc },
		[COUNTERS] = { m->counters, m->n_counters },
		[LAYOUT] = { m->ranges, m->n_ranges },
		[SPACE] = { &m->address_space, 1 },
	};

	return vmt_run_section(run, ctx, sections[id].key, rows[id].rows, rows[id].n);
}

/* Leaves the counters that were named, in the order of the file; an exit code where one is not
 * there. */
static int named_counters(struct vmt_ctx *ctx, struct vmt_model *m, bool complain)
{
	size_t i, k, n = 0;

	for (k = 0; k < ctx->n_operands; k++) {
		VMT_AUTO_BUF word = { 0 };

		for (i = 0; i < m->n_counters; i++)
			if (vmt_bytes_is(m->counters[i].name, ctx->operands[k]))
				break;
		if (i < m->n_counters || !complain)
			continue;
		vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[k]), true);
		vmt_complain(ctx, "/proc/vmstat has no %.60s", word.data ? word.data : "such key");
		return VMT_EXIT_NOTHING;
	}
	for (i = 0; i < m->n_counters; i++)
		for (k = 0; k < ctx->n_operands; k++)
			if (vmt_bytes_is(m->counters[i].name, ctx->operands[k])) {
				m->counters[n++] = m->counters[i];
				break;
			}
	m->n_counters = n;
	return 0;
}

static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	const struct vmt_view *v = *(const struct vmt_view **)arg;
	struct vmt_section *s;
	int r;

	r = vmt_run_sample(run, ctx, 0, NULL, 0);
	if (r)
		return r;
	if (vmt_collect_kernel(run->collector, run->sample, v->sources) < 0)
		return vmt_no_memory(ctx);
	r = vmt_run_model(run, ctx, NULL);
	/* A file that could not be read is complained of in its own way. */
	if (r == 0 && ctx->n_operands && run->model->n_counters)
		r = named_counters(ctx, run->model, !w || w->sample == 1);
	if (r)
		return r;
	s = add_section(ctx, run, v->section);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_view_options(ctx, w, v, s);
	if (r)
		return r;
	vmt_run_remarks(run, ctx, s);
	if (v->second >= 0 && s->n) {
		struct vmt_section *second = add_section(ctx, run, v->second);

		if (!second)
			return VMT_EXIT_FAILED;
	}
	return 0;
}

static int run_kernel(struct vmt_ctx *ctx)
{
	const struct vmt_view *v;
	int r = vmt_view_choose(ctx, views, VMT_ARRAY_LEN(views), &v);

	if (r)
		return r;
	if (ctx->n_operands && v->section != COUNTERS)
		return vmt_usage_error(ctx, "keys are for --vmstat");
	return vmt_view_run(ctx, v, take);
}

const struct vmt_cmd vmt_cmd_kernel = {
	.name = "kernel",
	.summary = "what the kernel itself holds, and its address space",
	.synopsis = "[--slab | --vmalloc | --vmstat [KEY]... | --layout] [-d SEC] [OPTION]...",
	.cost = "four small files; --slab holds up the making of caches while it is read, --vmalloc "
		"that of areas, --layout reads some MiB of symbols",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.operands =
		"pgfault pgmajfault pswpin pswpout pgscan_kswapd pgscan_direct compact_stall oom_kill",
	.max_operands = 256,
	.keeps = VMT_RIGHT_KCORE,
	.run = run_kernel,
};
