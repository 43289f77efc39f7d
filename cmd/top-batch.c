/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-batch.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

struct batch {
	struct vmt_ctx *ctx;
	const struct vmt_top_batch *opts;
	struct vmt_top *top;
	struct vmt_ui *ui;
	struct vmt_canvas canvas;
	int exit; /* why there is no more, or not all */
};

/* Draws the model, and once more where the rows that turned out to be on the screen have more to
 * say. 0 or an exit code. */
static int draw(struct batch *b)
{
	struct vmt_ui_want want;
	bool more = false;
	int r, e;

	r = vmt_ui_model(b->ui, b->top->run.model, b->top->took_ns);
	if (r == 0)
		r = vmt_ui_draw(b->ui, &b->canvas);
	if (r == 0) {
		vmt_ui_wants(b->ui, &want);
		e = vmt_top_more(b->top, b->ctx, &want, &more);
		if (e)
			return e;
	}
	if (more)
		r = vmt_ui_draw(b->ui, &b->canvas);
	if (r < 0)
		return vmt_no_memory(b->ctx);
	return 0;
}

/* The next sample that there is; false where there is none. */
static bool take_sample(struct batch *b)
{
	struct vmt_replay *rp = b->top->replay;
	struct vmt_err err = { 0 };
	struct vmt_ui_want want;

	vmt_ui_wants(b->ui, &want);
	if (!rp) {
		b->exit = vmt_top_sample(b->top, b->ctx, &want);
		return !b->exit;
	}
	if (vmt_replay_sample(rp, &b->top->run, b->ctx, &err) == 0 &&
	    vmt_top_events_model(&b->top->events, &b->top->run, rp->at) == 0)
		return true;
	if (!err.code)
		vmt_err_set(&err, -ENOMEM, NULL, 0, "out of memory");
	b->exit = vmt_complain_err(b->ctx, &err);
	return false;
}

/* Waits until due; 0, or -EPIPE where nobody reads what is printed. */
static int wait_until(const struct vmt_ctx *ctx, uint64_t due_ns)
{
	/* POLLERR of a pipe: whoever read it is gone. */
	struct pollfd out = { .fd = vmt_ctx_given(ctx, "write") ? -1 : STDOUT_FILENO };

	for (;;) {
		uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), left = due_ns - now;
		struct timespec t;

		if (now >= due_ns)
			return 0;
		t.tv_sec = (time_t)(left / 1000000000);
		t.tv_nsec = (long)(left % 1000000000);
		if (ppoll(&out, 1, &t, NULL) > 0 && out.revents & (POLLERR | POLLNVAL))
			return -EPIPE;
	}
}

static int take_samples(struct vmt_sink *sink, void *arg)
{
	struct batch *b = arg;
	uint64_t due_ns = vmt_now_ns(CLOCK_MONOTONIC), i;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_replay *rp = b->top->replay;
	bool first = true, taken;
	int r;

	for (i = 0; !b->opts->count || i < b->opts->count; i++) {
		r = i ? wait_until(b->ctx, due_ns) : 0;
		if (r < 0)
			return r;
		due_ns += b->opts->interval_ns;
		taken = take_sample(b);
		r = taken ? draw(b) : 0;
		if (r)
			b->exit = r;
		if (r || (!taken && !rp))
			return 0;
		if (rp)
			vmt_replay_go(rp, rp->at + 1);
		/* The others of a recording can be read. */
		if (!taken)
			continue;
		vmt_buf_clear(&text);
		if (!first)
			vmt_buf_addc(&text, '\n');
		first = false;
		vmt_canvas_text(&b->canvas, &text);
		if (vmt_buf_error(&text) < 0)
			return -ENOMEM;
		vmt_buf_add(&sink->buf, text.data, text.len);
		r = vmt_sink_flush(sink, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int vmt_top_batch(struct vmt_ctx *ctx, const struct vmt_top_batch *opts, struct vmt_top *top,
		  struct vmt_ui *ui)
{
	struct batch b = {
		.ctx = ctx, .opts = opts, .top = top, .ui = ui, .canvas = { .ascii = opts->ascii }
	};
	int r = VMT_EXIT_FAILED;

	if (vmt_canvas_resize(&b.canvas, opts->height ? opts->height : 24,
			      opts->width ? opts->width : 80) < 0)
		vmt_complain(ctx, "out of memory");
	else
		r = vmt_print_stream(ctx, take_samples, &b);
	vmt_canvas_done(&b.canvas);
	return r ? r : b.exit;
}
