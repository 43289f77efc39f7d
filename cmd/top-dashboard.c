/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-dashboard.h"

#include "cmd/top-config.h"
#include "cmd/top-loop.h"

struct dashboard {
	struct vmt_ctx *ctx;
	struct vmt_top *top;
};

static int sample(void *arg, const struct vmt_ui_want *want, const struct vmt_model **ret,
		  uint64_t *ret_took_ns)
{
	struct dashboard *d = arg;
	int r = vmt_top_sample(d->top, d->ctx, want);

	*ret = d->top->run.model;
	*ret_took_ns = d->top->took_ns;
	return r;
}

static int more(void *arg, const struct vmt_ui_want *want, bool *ret_new)
{
	struct dashboard *d = arg;

	return vmt_top_more(d->top, d->ctx, want, ret_new);
}

static void save(void *arg, struct vmt_ui *ui)
{
	VMT_AUTO_SETTINGS settings = { 0 };
	VMT_AUTO_FREE char *path = NULL;
	struct vmt_err err = { 0 };
	int r = vmt_ui_settings(ui, &settings);

	if (r == 0)
		r = vmt_config_save(&settings, &path, &err);
	if (r == 0)
		vmt_ui_say(ui, "saved in %s", path);
	else if (err.path[0])
		vmt_ui_say(ui, "not saved: %s: %s", err.path, err.text);
	else
		vmt_ui_say(ui, "not saved: %s", err.code ? err.text : "out of memory");
}

static void report(void *arg, struct vmt_ui *ui)
{
	vmt_ui_say(ui, "not there yet");
}

int vmt_top_dashboard(struct vmt_ctx *ctx, const struct vmt_ui_settings *settings, uint64_t count,
		      struct vmt_top *top, struct vmt_ui *ui)
{
	const char *no_color = secure_getenv("NO_COLOR");
	struct vmt_terminal_opts look = {
		.theme = settings->theme,
		.color = settings->color == VMT_WHEN_ALWAYS ||
			 (settings->color == VMT_WHEN_AUTO && !(no_color && *no_color)),
		.mouse = settings->mouse,
	};
	struct dashboard d = { ctx, top };
	const struct vmt_top_calls calls = { sample, more, report, save, &d };
	const struct vmt_top_pace pace = { .count = count, .ascii = settings->ascii };
	VMT_AUTO_TERMINAL terminal = NULL;
	struct vmt_err err = { 0 };

	if (vmt_terminal_open(&look, &terminal, &err) < 0) {
		vmt_note(ctx, "%s: one screen as text", err.text);
		return -1;
	}
	return vmt_top_loop(ctx, &pace, terminal, ui, &calls);
}
