/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-touched.h"

#include "base/parse.h"
#include "source/collect-touched.h"
#include "source/root.h"

/* What the look may take. */
#define LOOK_NS UINT64_C(5000000000)

/* Rows of what was made, in text and where --top does not say. */
#define SHOWN 20u

#define COLUMNS "PID,COMMAND,EVENT,EVENTS,BYTES,RESERVED,TOUCHED,RESIDENT,GIVEN-BACK,SITE"

int vmt_event_touched_read(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_event_sample *e)
{
	uint64_t deadline = vmt_collector_deadline(run->collector);
	int r;

	if (!e->touched_wanted)
		return 0;
	/* Where --timeout ends the window it is over by now. */
	vmt_collector_set_deadline(run->collector, vmt_now_ns(CLOCK_MONOTONIC) + LOOK_NS);
	r = vmt_collect_touched(run->collector, run->sample, e);
	vmt_collector_set_deadline(run->collector, deadline);
	return r < 0 ? vmt_no_memory(ctx) : 0;
}

int vmt_event_touched_sections(struct vmt_ctx *ctx, struct vmt_run *run,
			       const struct vmt_event_sample *e, struct vmt_section *sites)
{
	const char *top = vmt_ctx_value(ctx, "top");
	uint64_t most = strcmp(ctx->format->name, "text") == 0 && !ctx->out.raw ? SHOWN : 0;
	struct vmt_event_made *rows;
	struct vmt_section *made;
	size_t n;

	if (!e->touched_wanted)
		return 0;
	if (vmt_event_made_rows(e, &run->sample->arena, &rows, &n) < 0 ||
	    vmt_columns_parse(&sites->columns, sites->def->entity, COLUMNS, NULL) < 0)
		return vmt_no_memory(ctx);
	made = vmt_run_section(run, ctx, "made", rows, n);
	if (!made)
		return VMT_EXIT_FAILED;
	made->title = "what is still mapped, the largest ranges, and who made them";
	if (top)
		vmt_parse_u64(top, &most);
	return vmt_section_arrange(made, most) < 0 ? vmt_no_memory(ctx) : 0;
}
