/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/view.h"
#include "cmd/zones-text.h"
#include "source/collect-zones.h"

enum { ZONES, NODES, ORDERS, COMPACTION, TYPES, CPUS, LAYOUT, TOTALS, N_SECTIONS };

static const struct vmt_section_def sections[N_SECTIONS] = {
	[ZONES] = { "zones", &vmt_entity_zone, false, "zones, one row each" },
	[NODES] = { "nodes", &vmt_entity_node, false, "nodes, with the sums of their zones" },
	[ORDERS] = { "orders", &vmt_entity_order, false, "free blocks of each zone by size" },
	[COMPACTION] = { "compaction", &vmt_entity_compaction, true, "counters of the machine" },
	[TYPES] = { "types", &vmt_entity_migrate, false,
		    "with --types, in place of the others: page blocks by migrate type" },
	[CPUS] = { "cpu_lists", &vmt_entity_cpu_list, false,
		   "with --cpus, in place of the others: the lists of the processors" },
	[LAYOUT] = { "layout", &vmt_entity_region, false,
		     "with --layout, in place of the others: ranges of physical addresses" },
	[TOTALS] = { "layout_totals", &vmt_entity_region_sum, false,
		     "with --layout: sums of these by class" },
};

static const struct vmt_opt opts[] = {
	{ "orders", 0, VMT_OPT_FLAG, NULL, NULL, "free blocks by size, with both indices" },
	{ "types", 0, VMT_OPT_FLAG, NULL, NULL, "page blocks and free memory by migrate type" },
	{ "cpus", 0, VMT_OPT_FLAG, NULL, NULL, "what the processors keep for themselves" },
	{ "layout", 0, VMT_OPT_FLAG, NULL, NULL, "what lies where in physical memory" },
	VMT_OPTS_WATCH,
};

static const struct vmt_view views[] = {
	{ NULL, ZONES, -1, VMT_SOURCE_ZONEINFO,
	  VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO) | VMT_SOURCE_BIT(VMSTAT) |
		  VMT_SOURCE_BIT(NODE),
	  "NODE,ZONE,MANAGED,FREE,FREE/S,MIN,LOW,HIGH,NEXT,DISTANCE,REACHED-IN", false },
	{ "orders", ORDERS, -1, VMT_SOURCE_BUDDYINFO, VMT_SOURCE_BIT(BUDDYINFO), NULL, false },
	{ "types", TYPES, -1, VMT_SOURCE_PAGETYPEINFO, VMT_SOURCE_BIT(PAGETYPEINFO), NULL, false },
	{ "cpus", CPUS, -1, VMT_SOURCE_ZONEINFO, VMT_SOURCE_BIT(ZONEINFO), NULL, false },
	{ "layout", LAYOUT, TOTALS, VMT_SOURCE_IOMEM,
	  VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(IOMEM), NULL, true },
};

/* The section of a view; the rest of the document is the same for all. */
static struct vmt_section *add_section(struct vmt_ctx *ctx, struct vmt_run *run, int id)
{
	const struct vmt_model *m = run->model;
	const struct {
		const void *rows;
		size_t n;
	} rows[N_SECTIONS] = {
		[ZONES] = { m->zones, m->n_zones },
		[NODES] = { m->nodes, m->n_nodes },
		[ORDERS] = { m->orders, m->n_orders },
		[COMPACTION] = { &m->compaction, 1 },
		[TYPES] = { m->migrate, m->n_migrate },
		[CPUS] = { m->cpu_lists, m->n_cpu_lists },
		[LAYOUT] = { m->regions, m->n_regions },
		[TOTALS] = { m->region_sums, m->n_region_sums },
	};

	return vmt_run_section(run, ctx, sections[id].key, rows[id].rows, rows[id].n);
}

/* Tables below the zones: text has nodes where there are several, and the rest in its own way. */
static int add_details(struct vmt_ctx *ctx, struct vmt_run *run)
{
	static const int ids[] = { NODES, ORDERS, COMPACTION };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ids); i++) {
		struct vmt_section *s = add_section(ctx, run, ids[i]);

		if (!s)
			return VMT_EXIT_FAILED;
		s->machine_only = ids[i] != NODES || run->model->n_nodes < 2;
	}
	return 0;
}

static int take(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg)
{
	const struct vmt_view *v = *(const struct vmt_view **)arg;
	struct vmt_section *s;
	int r;

	/* Against MemTotal the sum of the zones is held. */
	r = vmt_run_sample(run, ctx, v->section == ZONES ? VMT_SOURCE_BIT(MEMINFO) : 0, NULL, 0);
	if (r)
		return r;
	if (vmt_collect_zones(run->collector, run->sample, v->sources) < 0)
		return vmt_no_memory(ctx);
	r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = add_section(ctx, run, v->section);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_view_options(ctx, w, v, s);
	if (r)
		return r;
	if (v->section == ZONES) {
		vmt_zone_bars(&s->note, run->model);
		vmt_fragmentation_text(&s->note, run->model);
		vmt_compaction_text(&s->note, run->model);
	} else if (v->section == LAYOUT) {
		vmt_layout_text(&s->note, ctx, run->model);
	}
	vmt_run_remarks(run, ctx, s);
	if (v->section == ZONES)
		return add_details(ctx, run);
	if (v->second >= 0 && !add_section(ctx, run, v->second))
		return VMT_EXIT_FAILED;
	return 0;
}

static int run_zones(struct vmt_ctx *ctx)
{
	const struct vmt_view *v;
	int r = vmt_view_choose(ctx, views, VMT_ARRAY_LEN(views), &v);

	return r ? r : vmt_view_run(ctx, v, take);
}

const struct vmt_cmd vmt_cmd_zones = {
	.name = "zones",
	.summary = "nodes and zones: watermarks, fragmentation, physical layout",
	.synopsis = "[--orders | --types | --cpus | --layout] [-d SEC] [OPTION]...",
	.cost = "four small files and three a node; --types lets the kernel walk the lists of free "
		"blocks under the locks of their zones",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.run = run_zones,
};
