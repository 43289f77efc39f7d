/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "base/parse.h"
#include "cmd/top-batch.h"
#include "vmtop-config.h"

#define SCREENS "system procs vmas pages faults cache"

static const struct vmt_opt opts[] = {
	{ "batch", 'b', VMT_OPT_FLAG, NULL, NULL, "print screens as text, one a sample" },
	{ "delay", 'd', VMT_OPT_VALUE, "SEC", NULL, "seconds between two samples (1)" },
	{ "count", 'n', VMT_OPT_VALUE, "N", NULL, "end after N samples" },
	{ "screen", 0, VMT_OPT_VALUE, "NAME", SCREENS, "the screen to begin with" },
	{ "pid", 'p', VMT_OPT_VALUE, "PID", "@pid", "the process to begin with" },
	{ "render", 0, VMT_OPT_VALUE, "NAME", SCREENS, "print that screen once, as text" },
	{ "size", 0, VMT_OPT_VALUE, "WxH", NULL, "size of screens that are printed (80x24)" },
};

#define SIZE_MAX_CELLS 1000
#define DELAY_MIN_NS   UINT64_C(100000000)
#define DELAY_MAX_NS   UINT64_C(60000000000)

struct top_opts {
	struct vmt_ui_opts ui;
	unsigned width, height; /* 0: the terminal's */
	uint64_t count; /* samples; 0: without end */
};

static int parse_size(struct vmt_ctx *ctx, struct top_opts *o)
{
	const char *size = vmt_ctx_value(ctx, "size"), *by = size ? strchr(size, 'x') : NULL;
	VMT_AUTO_FREE char *width = NULL;
	uint64_t w, h;

	if (!size)
		return 0;
	width = by ? strndup(size, (size_t)(by - size)) : NULL;
	if (!width || vmt_parse_u64(width, &w) < 0 || vmt_parse_u64(by + 1, &h) < 0 || w < 1 ||
	    h < 1 || w > SIZE_MAX_CELLS || h > SIZE_MAX_CELLS)
		return vmt_usage_error(ctx, "--size takes columns and lines, as 80x24");
	o->width = (unsigned)w;
	o->height = (unsigned)h;
	return 0;
}

/* A unit that was asked for; text that goes to a file is a screen, too. */
static enum vmt_size_unit unit_of(const struct vmt_ctx *ctx)
{
	static const char *const units[] = { "bytes", "kibi", "mebi", "gibi", "pages" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(units); i++)
		if (vmt_ctx_given(ctx, units[i]))
			return ctx->out.unit;
	return VMT_SIZE_HUMAN;
}

static int parse_options(struct vmt_ctx *ctx, struct top_opts *o)
{
	const char *delay = vmt_ctx_value(ctx, "delay"), *count = vmt_ctx_value(ctx, "count");
	const char *render = vmt_ctx_value(ctx, "render"), *pid = vmt_ctx_value(ctx, "pid");
	const char *screen = render ? render : vmt_ctx_value(ctx, "screen");
	int id = VMT_SCREEN_SYSTEM;

	o->ui = (struct vmt_ui_opts){
		.unit = unit_of(ctx),
		.interval_ns = UINT64_C(1000000000),
		.ascii = ctx->out.ascii,
		.live = !ctx->root,
		.batch = render || vmt_ctx_given(ctx, "batch"),
		.version = VMTOP_VERSION,
	};
	if (delay && (vmt_parse_duration(delay, &o->ui.interval_ns) < 0 ||
		      o->ui.interval_ns < DELAY_MIN_NS || o->ui.interval_ns > DELAY_MAX_NS))
		return vmt_usage_error(ctx, "--delay takes 0.1 to 60 seconds");
	if (count && (vmt_parse_u64(count, &o->count) < 0 || !o->count))
		return vmt_usage_error(ctx, "--count takes a whole number above 0");
	if (pid && vmt_parse_u64(pid, &o->ui.proc.pid) < 0)
		return vmt_usage_error(ctx, "--pid takes a process id");
	if (screen)
		id = vmt_screen_find(screen);
	if (id < 0)
		return vmt_usage_error(ctx, "--%s takes one of " SCREENS,
				       render ? "render" : "screen");
	o->ui.screen = (enum vmt_screen_id)id;
	if (render)
		o->count = 1;
	if (ctx->root)
		o->count = 1;
	return parse_size(ctx, o);
}

static int run_top(struct vmt_ctx *ctx)
{
	struct top_opts o = { 0 };
	struct vmt_err err = { 0 };
	VMT_AUTO_TOP top = { 0 };
	VMT_AUTO_UI ui = NULL;
	int r = parse_options(ctx, &o);

	if (r)
		return r;
	r = vmt_top_open(&top, ctx);
	if (r)
		return r;
	if (vmt_ui_new(&o.ui, &ui, &err) < 0)
		return vmt_complain_err(ctx, &err);
	return vmt_top_batch(ctx,
			     &(struct vmt_top_batch){ o.width, o.height, o.count,
						      o.ui.interval_ns, o.ui.ascii },
			     &top, ui);
}

const struct vmt_cmd vmt_cmd_top = {
	.name = "top",
	.summary = "the dashboard: the machine, processes, mappings, pages, faults, cache",
	.synopsis = "[-d SEC] [-p PID] [--screen NAME] [-b [-n N]] [OPTION]...",
	.cost = "what the screen that is shown needs, once a second",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT,
	.run = run_top,
};
