/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "base/parse.h"

#define DEFAULT_INTERVAL_NS UINT64_C(1000000000)
#define INTERVAL_MIN_NS	    UINT64_C(10000000)
/* What one sample may take where nobody said. */
#define SAMPLE_NS (UINT64_C(10) * 1000000000)

bool vmt_watch_given(const struct vmt_ctx *ctx)
{
	const char *count = vmt_ctx_value(ctx, "count");
	uint64_t n = 0;

	return vmt_ctx_given(ctx, "delay") || (count && (vmt_parse_u64(count, &n) < 0 || n != 1));
}

static int options(struct vmt_ctx *ctx, struct vmt_watch *w)
{
	const char *delay = vmt_ctx_value(ctx, "delay"), *count = vmt_ctx_value(ctx, "count");

	w->interval_ns = DEFAULT_INTERVAL_NS;
	if (delay &&
	    (vmt_parse_duration(delay, &w->interval_ns) < 0 || w->interval_ns < INTERVAL_MIN_NS))
		return vmt_usage_error(ctx, "--delay takes seconds, as 1, 0.5 or 10ms, the least");
	if (count && (vmt_parse_u64(count, &w->count) < 0 || w->count == 0))
		return vmt_usage_error(ctx, "--count takes a whole number above 0");
	if (ctx->root)
		return vmt_usage_error(ctx, "a saved machine does not change: no -d with --root");
	if (strcmp(ctx->format->name, "text") != 0 && strcmp(ctx->format->name, "ndjson") != 0)
		return vmt_usage_error(ctx, "more than one sample is text or --ndjson");
	return 0;
}

static int failed(const struct vmt_ctx *ctx, const char *what)
{
	vmt_complain(ctx, "%s: %s", what, strerror(errno));
	return VMT_EXIT_FAILED;
}

static int begin(const struct vmt_ctx *ctx, struct vmt_watch *w)
{
	const struct timespec interval = { .tv_sec = (time_t)(w->interval_ns / 1000000000),
					   .tv_nsec = (long)(w->interval_ns % 1000000000) };
	const struct itimerspec ticks = { .it_interval = interval, .it_value = interval };
	static const int enders[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < VMT_ARRAY_LEN(enders); i++) {
		struct sigaction old;

		/* What was ignored from the start (nohup) stays so: blocked, it would arrive. */
		if (sigaction(enders[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&set, enders[i]);
	}
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		return failed(ctx, "signalfd");
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->timer < 0 || timerfd_settime(w->timer, 0, &ticks, NULL) < 0)
		return failed(ctx, "timerfd");
	sigprocmask(SIG_BLOCK, &set, NULL);
	return 0;
}

/* Milliseconds until --timeout is over, rounded up; -1 without one. */
static int rest_ms(const struct vmt_ctx *ctx)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), ms;

	if (!ctx->deadline_ns)
		return -1;
	if (now >= ctx->deadline_ns)
		return 0;
	ms = (ctx->deadline_ns - now + 999999) / 1000000;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Waits for the next tick: 1 where there is another sample to take, 0 at the end, -EPIPE where
 * nobody reads any more. */
static int next(const struct vmt_ctx *ctx, struct vmt_watch *w)
{
	struct pollfd fds[] = {
		{ .fd = w->signals, .events = POLLIN },
		{ .fd = w->timer, .events = POLLIN },
		/* POLLERR of a pipe: whoever read it is gone. */
		{ .fd = vmt_ctx_given(ctx, "write") ? -1 : STDOUT_FILENO, .events = 0 },
	};
	struct signalfd_siginfo info;
	uint64_t ticks;

	if (w->count && w->sample >= w->count)
		return 0;
	for (;;) {
		int n = poll(fds, 3, rest_ms(ctx));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			w->signal = (int)info.ssi_signo;
			return 0;
		}
		if (fds[2].revents & (POLLERR | POLLNVAL))
			return -EPIPE;
		if (read(w->timer, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks)) {
			w->missed += ticks - 1;
			return 1;
		}
	}
}

struct loop {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_watch *w;
	int (*fill)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w, void *arg);
	void *arg;
};

/* Blank line, and the time of the sample. */
static void head_line(const struct loop *l, struct vmt_section *first)
{
	const struct vmt_host *h = &l->run->sample->host;

	if (l->w->sample > 1)
		vmt_buf_addc(&first->lead, '\n');
	vmt_fmt_time(&first->lead, h->realtime_ns);
	vmt_buf_addf(&first->lead, "  sample %" PRIu64 "  %zu rows", l->w->sample, first->total);
	if (l->w->missed)
		vmt_buf_addf(&first->lead, "  %" PRIu64 " ticks missed", l->w->missed);
	vmt_buf_addc(&first->lead, '\n');
}

static int emit(const struct loop *l, struct vmt_sink *sink, enum vmt_doc_part part)
{
	struct vmt_doc *doc = &l->run->doc;
	int r;

	doc->part = part;
	doc->sample = l->w->sample;
	doc->missed = l->w->missed;
	r = l->ctx->format->emit(sink, doc, &l->ctx->out);
	return r < 0 ? r : vmt_sink_flush(sink, 0);
}

static uint64_t sample_deadline(const struct vmt_ctx *ctx)
{
	uint64_t ns = vmt_now_ns(CLOCK_MONOTONIC) + SAMPLE_NS;

	return ctx->deadline_ns && ctx->deadline_ns < ns ? ctx->deadline_ns : ns;
}

static int take_samples(struct vmt_sink *sink, void *arg)
{
	struct loop *l = arg;
	bool text = strcmp(l->ctx->format->name, "text") == 0;
	int r;

	do {
		if (l->w->sample++)
			l->ctx->started_ns = vmt_now_ns(CLOCK_MONOTONIC);
		/* What the rows of the last one are made of is not needed any more. */
		vmt_doc_done(&l->run->doc);
		vmt_model_free(VMT_STEAL(l->run->model));
		vmt_collector_set_deadline(l->run->collector, sample_deadline(l->ctx));
		r = l->fill(l->ctx, l->run, l->w, l->arg);
		if (r)
			return r;
		if (text && l->run->doc.n)
			head_line(l, &l->run->doc.sections[0]);
		r = emit(l, sink, VMT_DOC_SAMPLE);
		if (r < 0)
			return r;
		r = next(l->ctx, l->w);
		if (r < 0)
			return r;
	} while (r);
	return text ? 0 : emit(l, sink, VMT_DOC_END);
}

int vmt_watch_run(struct vmt_ctx *ctx, struct vmt_run *run,
		  int (*fill)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
			      void *arg),
		  void *arg)
{
	struct vmt_watch w = { .timer = -1, .signals = -1 };
	struct loop l = { ctx, run, &w, fill, arg };
	int r = options(ctx, &w);

	if (r == 0)
		r = begin(ctx, &w);
	if (r == 0)
		r = vmt_print_stream(ctx, take_samples, &l);
	if (r == 0 && run->model)
		r = vmt_doc_verdict(ctx, &run->doc);
	/* The usual way to end it is no failure. */
	if (r == 0 && w.signal && w.signal != SIGINT)
		r = 128 + w.signal;
	vmt_closep(&w.timer);
	vmt_closep(&w.signals);
	return r;
}

int vmt_watch_or_once(struct vmt_ctx *ctx, struct vmt_run *run,
		      int (*fill)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
				  void *arg),
		      void *arg)
{
	int r;

	if (vmt_watch_given(ctx))
		return vmt_watch_run(ctx, run, fill, arg);
	r = fill(ctx, run, NULL, arg);
	return r ? r : vmt_print_doc(ctx, &run->doc);
}
