/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <unistd.h>

#include "base/parse.h"
#include "cmd/privilege.h"
#include "cmd/top-batch.h"
#include "cmd/top-config.h"
#include "cmd/top-dashboard.h"
#include "cmd/top-replay.h"
#include "vmtop-config.h"

static const struct vmt_opt opts[] = {
	{ "batch", 'b', VMT_OPT_FLAG, NULL, NULL, "print screens as text, one a sample" },
	{ "delay", 'd', VMT_OPT_VALUE, "SEC", NULL, "seconds between two samples (1)" },
	{ "count", 'n', VMT_OPT_VALUE, "N", NULL, "end after N samples" },
	{ "render", 0, VMT_OPT_VALUE, "NAME", VMT_TOP_SCREENS, "print that screen once, as text" },
	{ "check-config", 0, VMT_OPT_FLAG, NULL, NULL,
	  "say what is wrong with the configuration, and end (exit 1 where something is)" },
	VMT_OPTS_TOP_LOOK,
};

#define SIZE_MAX_CELLS 1000

struct top_opts {
	struct vmt_ui_settings *settings;
	struct vmt_ui_settings *files; /* without what options say */
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

static void config_problem(void *arg, const struct vmt_err *err)
{
	vmt_complain_err(arg, err);
}

/* A setting that an option names in place of the configuration; an exit code or 0. */
static int set(struct vmt_ctx *ctx, struct top_opts *o, const char *option, const char *name)
{
	const char *value = vmt_ctx_value(ctx, option);
	struct vmt_err err = { 0 };
	int r = value ? vmt_settings_set(o->settings, "", name, value, &err) : 0;

	return r < 0 ? vmt_usage_error(ctx, "--%s: %s", option, err.text) : 0;
}

static int parse_options(struct vmt_ctx *ctx, struct top_opts *o, const struct vmt_replay *rp)
{
	const char *count = vmt_ctx_value(ctx, "count"), *pid = vmt_ctx_value(ctx, "pid");
	struct vmt_ui_settings *s = o->settings;
	int r;

	if ((r = set(ctx, o, "delay", "delay")) || (r = set(ctx, o, "screen", "screen")) ||
	    (r = set(ctx, o, "render", "screen")) || (r = set(ctx, o, "color", "color")) ||
	    (r = set(ctx, o, "unit", "unit")))
		return r;
	if (vmt_ctx_given(ctx, "no-mouse"))
		s->mouse = false;
	o->ui = (struct vmt_ui_opts){
		.screen = s->screen,
		.unit = s->unit,
		.interval_ns = s->interval_ns,
		/* That of the locale is none of the settings. */
		.ascii = s->ascii || ctx->out.ascii,
		.live = !ctx->root && !rp,
		.replay = rp,
		.batch = vmt_ctx_given(ctx, "render") || vmt_ctx_given(ctx, "batch"),
		.version = VMTOP_VERSION,
	};
	if (count && (vmt_parse_u64(count, &o->count) < 0 || !o->count))
		return vmt_usage_error(ctx, "--count takes a whole number above 0");
	if (pid && vmt_parse_u64(pid, &o->ui.proc.pid) < 0)
		return vmt_usage_error(ctx, "--pid takes a process id");
	if (vmt_ctx_given(ctx, "render"))
		o->count = 1;
	return parse_size(ctx, o);
}

/* Configuration and options, and what is wrong with them is told; an exit code or 0. */
static int all_options(struct vmt_ctx *ctx, struct top_opts *o, const struct vmt_replay *rp,
		       int *ret_problems)
{
	vmt_settings_init(o->settings);
	/* What is printed for others is the same for everybody. */
	if (!vmt_ctx_given(ctx, "render"))
		*ret_problems = vmt_config_load(o->settings, config_problem, ctx);
	if (*ret_problems < 0 || vmt_settings_copy(o->files, o->settings) < 0)
		return vmt_no_memory(ctx);
	return parse_options(ctx, o, rp);
}

/* An exit code or 0; a configuration that does not fit the tables is one problem more. */
static int make_ui(struct vmt_ctx *ctx, const struct top_opts *o, struct vmt_ui **ret,
		   int *problems)
{
	struct vmt_err err = { 0 };
	int r = vmt_ui_new(&o->ui, ret, &err);

	if (r == 0)
		r = vmt_ui_apply(*ret, o->settings, o->files, config_problem, ctx);
	else if (err.code)
		return vmt_complain_err(ctx, &err);
	if (r < 0)
		return vmt_no_memory(ctx);
	*problems += r;
	return 0;
}

/* What is freed goes back to the kernel. glibc would keep twice as much free as the largest piece
 * that ever was: the types of the kernel, when the probe was loaded (mallopt(3)). */
static void keep_little(void)
{
#ifdef M_TRIM_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 512 << 10);
#endif
}

static int run(struct vmt_ctx *ctx, struct vmt_replay *rp)
{
	VMT_AUTO_SETTINGS settings = { 0 };
	VMT_AUTO_SETTINGS files = { 0 };
	struct top_opts o = { .settings = &settings, .files = &files };
	VMT_AUTO_TOP top = { .replay = rp };
	VMT_AUTO_UI ui = NULL;
	int problems = 0, r = all_options(ctx, &o, rp, &problems);

	/* What is not watched is printed, as it was recorded. */
	if (rp && !isatty(STDOUT_FILENO))
		o.ui.batch = true;
	if (rp)
		o.count = rp->end - rp->at;

	keep_little();
	if (r == 0)
		r = make_ui(ctx, &o, &ui, &problems);
	if (r || vmt_ctx_given(ctx, "check-config"))
		return r || !problems ? r : VMT_EXIT_FAILED;
	r = vmt_top_open(&top, ctx);
	if (r)
		return r;
	if (!o.ui.batch) {
		if (problems)
			vmt_ui_say(ui, "mistakes in the configuration: vmtop top --check-config");
		r = vmt_top_dashboard(ctx, &settings, rp ? 0 : o.count, &top, ui);
		if (r >= 0)
			return r;
		/* Where the terminal cannot show it, one screen as text. */
		o.ui.batch = true;
		o.count = o.count ? o.count : 1;
		vmt_ui_free(VMT_STEAL(ui));
		r = make_ui(ctx, &o, &ui, &problems);
		if (r)
			return r;
	}
	return vmt_top_batch(ctx,
			     &(struct vmt_top_batch){ o.width, o.height, o.count,
						      rp ? 0 : o.ui.interval_ns, o.ui.ascii },
			     &top, ui);
}

static int run_top(struct vmt_ctx *ctx)
{
	return run(ctx, NULL);
}

int vmt_top_replay(struct vmt_ctx *ctx, struct vmt_replay *rp)
{
	return run(ctx, rp);
}

const struct vmt_cmd vmt_cmd_top = {
	.name = "top",
	.summary = "the dashboard: the machine, processes, mappings, pages, faults, cache, events",
	.synopsis = "[-d SEC] [-p PID] [--screen NAME] [-b [-n N]] [OPTION]...",
	.cost = "what the screen that is shown needs, once a second",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE,
	.keeps = VMT_RIGHT_FILES | VMT_RIGHT_PROBES | VMT_RIGHT_TERMINAL,
	.run = run_top,
};
