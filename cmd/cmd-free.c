/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/collect-loop.h"
#include "cmd/text.h"

static const struct vmt_section_def sections[] = {
	{ "system", &vmt_entity_system, true, "the machine's memory" },
};

static int run_free(struct vmt_ctx *ctx)
{
	VMT_AUTO_RUN run = { 0 };
	struct vmt_section *s;
	int r;

	if (vmt_column_help(ctx, &vmt_entity_system, &r))
		return r;
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_sample(&run, ctx,
				   VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) |
					   VMT_SOURCE_BIT(ZONEINFO),
				   NULL, 0);
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&run, ctx, "system", &run.model->system, 1);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_swap_text(&s->note, ctx, run.model);
	vmt_available_text(&s->note, ctx, run.model);
	vmt_run_remarks(&run, ctx, s);
	r = vmt_print_doc(ctx, &run.doc);
	return r ? r : vmt_run_verdict(&run, ctx, VMT_SOURCE_MEMINFO);
}

const struct vmt_cmd vmt_cmd_free = {
	.name = "free",
	.summary = "the machine's memory, and what available is made of",
	.synopsis = "[OPTION]...",
	.cost = "three small files, read once",
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.run = run_free,
};
