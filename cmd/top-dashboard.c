/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-dashboard.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "cmd/top-config.h"
#include "cmd/moment.h"
#include "cmd/recorder.h"
#include "cmd/top-loop.h"

struct dashboard {
	struct vmt_ctx *ctx;
	struct vmt_top *top;
	char *root; /* of --root, for the words of a command; or NULL */
	struct vmt_ui *ui;
	bool playing; /* the recording that is shown */
	bool jumped;
	/* The recording that is written, and its name. */
	struct vmt_recorder *recorder;
	uint64_t interval_ns; /* between samples, as wanted last */
	char *record_name;
	/* What is shown while samples go on that are not; it goes when the sample after it is
	 * not the one that is shown any more. */
	bool holding;
	struct vmt_model *held;
	struct vmt_sample *held_sample;
};

/* The model that is shown, and the sample that its rows are of, stay while others come and go. What
 * comes next has no sample before it, and no rates; nobody sees that one. */
static void hold(struct dashboard *d)
{
	d->held = VMT_STEAL(d->top->run.model);
	d->held_sample = VMT_STEAL(d->top->run.sample);
}

static void drop_held(struct dashboard *d)
{
	vmt_model_free(VMT_STEAL(d->held));
	vmt_sample_free(VMT_STEAL(d->held_sample));
}

static void tell_place(struct dashboard *d)
{
	const struct vmt_replay *rp = d->top->replay;

	vmt_ui_place(d->ui, &(struct vmt_ui_place){ .at = rp->at - rp->first,
						    .n = rp->end - rp->first,
						    .playing = d->playing,
						    .jumped = d->jumped });
	d->jumped = false;
}

static void replay(void *arg, struct vmt_ui *ui)
{
	struct dashboard *d = arg;
	struct vmt_replay *rp = d->top->replay;
	struct vmt_ui_order order = vmt_ui_order(ui);
	size_t was = rp->at;
	uint64_t ns;

	switch (order.kind) {
	case VMT_ORDER_STEP:
		vmt_replay_go(rp, order.by > 0 ? rp->at + 1 : rp->at ? rp->at - 1 : 0);
		break;
	case VMT_ORDER_BY:
		vmt_replay_by(rp, order.by);
		break;
	case VMT_ORDER_TO:
		if (vmt_parse_moment(order.text, vmt_recording_time(rp->recording, rp->first),
				     &ns) < 0) {
			vmt_ui_say(ui, "a time is 03:14, 2026-11-21T03:14:05, with Z for UTC, or "
				       "@SECONDS");
			return;
		}
		vmt_replay_to(rp, ns);
		break;
	case VMT_ORDER_PLAY:
		d->playing = !d->playing;
		break;
	}
	if (order.kind != VMT_ORDER_PLAY && rp->at == was)
		vmt_ui_say(ui, "%s of the recording",
			   rp->at + 1 >= rp->end ? "this is the end" : "this is the beginning");
	d->jumped |= rp->at != was && rp->at != was + 1;
	tell_place(d);
}

static void tick(void *arg, struct vmt_ui *ui)
{
	struct dashboard *d = arg;
	struct vmt_replay *rp = d->top->replay;

	if (!rp || !d->playing || vmt_replay_go(rp, rp->at + 1))
		return;
	d->playing = false;
	vmt_ui_say(ui, "this is the end of the recording");
	tell_place(d);
}

static void end_record(struct dashboard *d, const char *reason)
{
	struct vmt_err err = { 0 };
	uint64_t n;

	if (!d->recorder)
		return;
	n = vmt_recorder_samples(d->recorder);
	if (vmt_recorder_close(VMT_STEAL(d->recorder), reason, &err) < 0)
		vmt_ui_say(d->ui, "the recording has ended: %s", err.text);
	else
		vmt_ui_say(d->ui, "recorded %" PRIu64 " samples in %s", n, d->record_name);
	free(VMT_STEAL(d->record_name));
}

static void put_record(struct dashboard *d)
{
	struct vmt_err err = { 0 };

	if (vmt_recorder_put(d->recorder, d->top->run.sample, 0, &err) == 0)
		return;
	end_record(d, "failed");
	vmt_ui_say(d->ui, "the recording has ended: %s", err.text);
}

/* Into the current directory, as reports are. */
static void record(void *arg, struct vmt_ui *ui)
{
	struct dashboard *d = arg;
	time_t now = (time_t)(vmt_now_ns(CLOCK_REALTIME) / 1000000000);
	struct vmt_recorder_opts opts = { .interval_ns = d->interval_ns, .fresh = true };
	struct vmt_err err = { 0 };
	char stamp[32] = "";
	struct tm tm;

	if (d->recorder) {
		end_record(d, "stopped");
		return;
	}
	if (d->ctx->root) {
		vmt_ui_say(ui, "a saved machine does not change");
		return;
	}
	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	if (asprintf(&d->record_name, "vmtop-%s.rec", stamp) < 0) {
		d->record_name = NULL;
		vmt_ui_say(ui, "no recording: out of memory");
		return;
	}
	opts.path = d->record_name;
	if (vmt_recorder_open(&opts, &d->recorder, &err) < 0) {
		vmt_ui_say(ui, "no recording: %s: %s", err.path, err.text);
		free(VMT_STEAL(d->record_name));
		return;
	}
	vmt_ui_say(ui, "recording to %s; F8 ends it", d->record_name);
}

/* A sample of the recording: the one that was gone to, or one near it. An exit code or 0. */
static int replay_sample(struct dashboard *d)
{
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct vmt_err err = { 0 };
	size_t left_out;
	bool stopped;
	int r = vmt_replay_nearest(d->top->replay, &d->top->run, d->ctx, &left_out, &stopped, &err);

	d->top->took_ns = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	if (r == -ENOMEM || (r < 0 && !d->top->run.model))
		return vmt_complain_err(d->ctx, &err);
	d->playing &= r == 0;
	d->jumped |= left_out > 0;
	if (stopped)
		vmt_ui_say(d->ui, "stopped after %zu bad samples, the same key goes on: %s",
			   left_out, err.text);
	else if (left_out > 1)
		vmt_ui_say(d->ui, "%zu samples are left out: %s", left_out, err.text);
	else if (left_out)
		vmt_ui_say(d->ui, "left out: %s", err.text);
	return 0;
}

static int sample(void *arg, const struct vmt_ui_want *want, const struct vmt_model **ret,
		  uint64_t *ret_took_ns)
{
	struct dashboard *d = arg;
	struct vmt_ui_want wanted = *want;
	const struct vmt_model *shown;
	int r;

	/* What is recorded is not what one screen needs. */
	wanted.procs |= d->recorder != NULL;
	d->interval_ns = want->interval_ns;
	if (!d->holding)
		drop_held(d);
	if (want->held && !d->holding && d->top->run.model)
		hold(d);
	d->holding = want->held && d->held;
	shown = d->top->run.model;
	r = d->top->replay ? replay_sample(d) : vmt_top_sample(d->top, d->ctx, &wanted);
	if (r == 0 && d->recorder)
		put_record(d);
	if (r == 0 && d->top->replay && d->top->run.model != shown &&
	    vmt_top_events_model(&d->top->events, &d->top->run, d->top->replay->at) < 0) {
		vmt_complain(d->ctx, "out of memory");
		r = VMT_EXIT_FAILED;
	}
	if (d->top->replay)
		tell_place(d);
	/* The same sample again is no other one. */
	*ret = d->holding || (d->top->replay && d->top->run.model == shown) ? NULL
									    : d->top->run.model;
	*ret_took_ns = d->top->took_ns;
	return r;
}

static bool slow(void *arg, const struct vmt_ui_want *want)
{
	const struct dashboard *d = arg;

	return want->sampling && !want->held && !d->ctx->root && !d->top->replay &&
	       vmt_top_faults_begins(&d->top->faults, want);
}

static void idle(void *arg)
{
	struct dashboard *d = arg;

	vmt_top_faults_idle(&d->top->faults);
}

static int more(void *arg, const struct vmt_ui_want *want, bool *ret_new)
{
	struct dashboard *d = arg;
	int r = 0;

	*ret_new = false;
	if (want->sampling && !want->held)
		r = vmt_top_more(d->top, d->ctx, want, ret_new);
	return r ? r
		 : vmt_top_name(d->top, d->ctx, want, d->holding ? d->held : d->top->run.model,
				ret_new);
}

static void look(void *arg, const struct vmt_ui_settings *settings, struct vmt_terminal_opts *ret)
{
	const char *no_color = secure_getenv("NO_COLOR");

	*ret = (struct vmt_terminal_opts){
		.theme = settings->theme,
		.color = settings->color == VMT_WHEN_ALWAYS ||
			 (settings->color == VMT_WHEN_AUTO && !(no_color && *no_color)),
		.mouse = settings->mouse,
	};
}

static void save(void *arg, struct vmt_ui *ui)
{
	VMT_AUTO_SETTINGS settings = { 0 };
	VMT_AUTO_FREE char *path = NULL;
	struct vmt_err err = { 0 };
	int r = vmt_ui_settings(ui, &settings);

	if (r == 0)
		r = vmt_config_save(&settings, vmt_ui_files(ui), &path, &err);
	if (r == 0)
		vmt_ui_say(ui, "saved in %s", path);
	else if (err.path[0])
		vmt_ui_say(ui, "not saved: %s: %s", err.path, err.text);
	else
		vmt_ui_say(ui, "not saved: %s", err.code ? err.text : "out of memory");
}

/* The words of a command, which an options parser may put in another order. */
static int run_words(const struct dashboard *d, char **words, int n)
{
	struct vmt_ctx ctx = { .started_ns = vmt_now_ns(CLOCK_MONOTONIC) };
	int r;

	ctx.old_pipe = d->ctx->old_pipe;
	ctx.old_xfsz = d->ctx->old_xfsz;
	r = vmt_options_parse(&ctx, n, words);
	if (r < 0)
		r = ctx.cmd->run(&ctx);
	vmt_filter_free(ctx.filter);
	return r;
}

/* vmtop-report(1) of the selected process, or of the machine, into the current directory. */
static void report(void *arg, struct vmt_ui *ui)
{
	struct dashboard *d = arg;
	/* On the screen of the machine nothing is selected. */
	uint64_t pid = vmt_ui_screen(ui) == VMT_SCREEN_SYSTEM ? 0 : vmt_ui_subject(ui).proc.pid;
	time_t now = (time_t)(vmt_now_ns(CLOCK_REALTIME) / 1000000000);
	VMT_AUTO_BUF name = { 0 }, list = { 0 };
	char stamp[32] = "", of_pid[] = "--pid", of_root[] = "--root", *words[12];
	struct tm tm;
	int n = 0, r;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	vmt_buf_adds(&name, "vmtop-report-");
	if (pid)
		vmt_buf_addf(&name, "%" PRIu64 "-", pid);
	vmt_buf_addf(&name, "%s.json", stamp);
	vmt_buf_addf(&list, "%" PRIu64, pid);
	if (vmt_buf_error(&name) < 0 || vmt_buf_error(&list) < 0) {
		vmt_ui_say(ui, "no report: out of memory");
		return;
	}
	words[n++] = (char[]){ "vmtop" };
	words[n++] = (char[]){ "report" };
	words[n++] = (char[]){ "--json" };
	words[n++] = (char[]){ "--duration=0" };
	words[n++] = (char[]){ "--write" };
	words[n++] = name.data;
	if (pid) {
		words[n++] = of_pid;
		words[n++] = list.data;
	}
	if (d->ctx->root) {
		words[n++] = of_root;
		words[n++] = d->root;
	}
	words[n] = NULL;
	r = run_words(d, words, n);
	if (r == VMT_EXIT_OK)
		vmt_ui_say(ui, "report written to %s", name.data);
	else if (r == VMT_EXIT_NOTHING)
		vmt_ui_say(ui, "no report: process %" PRIu64 " has ended", pid);
	else
		vmt_ui_say(ui, "no report: the command for it ended with code %d", r);
}

int vmt_top_dashboard(struct vmt_ctx *ctx, const struct vmt_ui_settings *settings, uint64_t count,
		      struct vmt_top *top, struct vmt_ui *ui)
{
	VMT_AUTO_FREE char *root = ctx->root ? strdup(ctx->root) : NULL;
	struct dashboard d = { .ctx = ctx, .top = top, .root = root, .ui = ui, .jumped = true };
	const struct vmt_top_calls calls = { sample, slow,   idle,   more, look, report,
					     save,   record, replay, tick, &d };
	VMT_AUTO_TERMINAL terminal = NULL;
	struct vmt_terminal_opts opts;
	struct vmt_err err = { 0 };
	int r;

	if (ctx->root && !root)
		return vmt_no_memory(ctx);
	look(&d, settings, &opts);
	if (vmt_terminal_open(&opts, &terminal, &err) < 0) {
		vmt_note(ctx, "%s: one screen as text", err.text);
		return -1;
	}
	if (top->replay)
		tell_place(&d);
	r = vmt_top_loop(ctx, count, terminal, ui, &calls);
	end_record(&d, "quit");
	drop_held(&d);
	return r;
}
