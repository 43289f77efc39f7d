/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-loop.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* A screen is drawn so many times its cost after the one before at the earliest, and not much
 * later: a storm of keys or sizes takes a fifth of a processor, and a key waits for no-one. */
#define DRAW_REST     4
#define DRAW_REST_MAX UINT64_C(100000000)

/* Samples, one after the other, that are late before there are fewer, and early before there are
 * more. */
#define LATE_SAMPLES  2
#define EARLY_SAMPLES 4

#define CTRL_L 0x0c

struct loop {
	struct vmt_ctx *ctx;
	uint64_t count;
	const struct vmt_top_calls *calls;
	struct vmt_terminal *terminal;
	struct vmt_ui *ui;
	struct vmt_canvas canvas;
	int timer, signals;
	uint64_t asked_ns, interval_ns; /* between samples: as wanted, and as can be held */
	unsigned late, early; /* samples by how long they took, one after the other */
	uint64_t ticking_ns; /* what the timer is set to; 0: it is not */
	uint64_t samples;
	uint64_t draw_after_ns; /* CLOCK_MONOTONIC */
	uint64_t heard_ns; /* when the terminal said something last */
	/* How it looks, as the terminal was told. */
	bool mouse;
	enum vmt_when color;
	enum vmt_theme theme;
	bool sample; /* take one at once */
	bool draw; /* something looks different */
	bool ended;
	int status; /* the exit code, once it is */
};

static void end(struct loop *l, int status)
{
	if (!l->ended)
		l->status = status;
	l->ended = true;
}

/* Signals that end it, but for those that were ignored from the start (nohup). */
static void add_enders(sigset_t *set)
{
	static const int enders[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(enders); i++) {
		struct sigaction old;

		if (sigaction(enders[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(set, enders[i]);
	}
}

static int begin(struct loop *l)
{
	sigset_t set;

	sigemptyset(&set);
	add_enders(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->signals < 0 || l->timer < 0) {
		vmt_complain(l->ctx, "%s: %s", l->signals < 0 ? "signalfd" : "timerfd",
			     vmt_errno_name(-errno));
		return VMT_EXIT_FAILED;
	}
	return 0;
}

static void set_timer(struct loop *l, uint64_t interval_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(interval_ns / 1000000000),
				     .tv_nsec = (long)(interval_ns % 1000000000) };

	timerfd_settime(l->timer, 0, &(struct itimerspec){ ts, ts }, NULL);
	l->ticking_ns = interval_ns;
}

/* The interval follows what is wanted. It doubles where samples take more than half of it, but not
 * for one alone, such as the first with a probe; and halves again when several took little. */
static void set_pace(struct loop *l, uint64_t wanted_ns, uint64_t sample_ns)
{
	if (wanted_ns != l->asked_ns) {
		l->asked_ns = l->interval_ns = wanted_ns;
		l->late = l->early = 0;
	}
	l->late = sample_ns > l->interval_ns / 2 ? l->late + 1 : 0;
	l->early = sample_ns < l->interval_ns / 8 ? l->early + 1 : 0;
	if (l->late >= LATE_SAMPLES && l->interval_ns <= VMT_UI_INTERVAL_MAX_NS / 2) {
		l->interval_ns *= 2;
		l->late = 0;
	} else if (l->early >= EARLY_SAMPLES && l->interval_ns > l->asked_ns) {
		l->interval_ns /= 2;
		l->early = 0;
	}
	vmt_ui_slow(l->ui, l->interval_ns > l->asked_ns ? l->interval_ns : 0);
}

/* Whether there is another sample by itself after an interval. */
static bool ticks(const struct loop *l, const struct vmt_ui_want *want)
{
	return want->sampling && !want->still && !l->ctx->root;
}

static void sample(struct loop *l)
{
	const struct vmt_model *model = NULL;
	uint64_t began = vmt_now_ns(CLOCK_MONOTONIC), took = 0;
	struct vmt_ui_want want;
	int r;

	l->sample = false;
	vmt_ui_wants(l->ui, &want);
	if (want.sampling) {
		r = l->calls->sample(l->calls->arg, &want, &model, &took);
		if (r == 0 && model && vmt_ui_model(l->ui, model, took) < 0) {
			vmt_complain(l->ctx, "out of memory");
			r = VMT_EXIT_FAILED;
		}
		l->samples++;
		if (r || l->samples == l->count)
			end(l, r);
		set_pace(l, want.interval_ns, vmt_now_ns(CLOCK_MONOTONIC) - began);
		l->draw = true;
	}
	/* Nothing wakes it up while nothing is to be read. */
	if (!want.sampling)
		l->calls->idle(l->calls->arg);
	if (!ticks(l, &want))
		set_timer(l, 0);
	else if (l->ticking_ns != l->interval_ns)
		set_timer(l, l->interval_ns);
}

/* Something was pressed: the pace may be another. */
static void follow_wants(struct loop *l)
{
	struct vmt_ui_want want;

	vmt_ui_wants(l->ui, &want);
	if (ticks(l, &want) != (l->ticking_ns != 0) && !l->ctx->root)
		l->sample |= ticks(l, &want);
	if (!ticks(l, &want) && l->ticking_ns) {
		l->calls->idle(l->calls->arg);
		set_timer(l, 0);
	}
	if (want.sampling && want.interval_ns != l->asked_ns && l->ticking_ns) {
		set_pace(l, want.interval_ns, 0);
		set_timer(l, l->interval_ns);
	}
}

/* The settings may have been changed. */
static void follow_look(struct loop *l)
{
	const struct vmt_ui_settings *now = vmt_ui_look(l->ui);
	struct vmt_terminal_opts look;

	l->canvas.ascii = now->ascii || l->ctx->out.ascii;
	if (now->mouse == l->mouse && now->color == l->color && now->theme == l->theme)
		return;
	l->mouse = now->mouse;
	l->color = now->color;
	l->theme = now->theme;
	l->calls->look(l->calls->arg, now, &look);
	if (vmt_terminal_change(l->terminal, &look) < 0) {
		vmt_complain(l->ctx, "out of memory");
		end(l, VMT_EXIT_FAILED);
	}
}

static void draw(struct loop *l)
{
	uint64_t began = vmt_now_ns(CLOCK_MONOTONIC), now;
	unsigned height, width;
	int r;

	l->draw = false;
	vmt_terminal_size(l->terminal, &height, &width);
	r = vmt_canvas_resize(&l->canvas, height, width);
	if (r == 0)
		r = vmt_ui_draw(l->ui, &l->canvas);
	if (r == 0)
		r = vmt_terminal_show(l->terminal, &l->canvas);
	if (r == -EIO) {
		end(l, 128 + SIGHUP);
	} else if (r == -ENOMEM) {
		vmt_complain(l->ctx, "out of memory");
		end(l, VMT_EXIT_FAILED);
	}
	now = vmt_now_ns(CLOCK_MONOTONIC);
	began = DRAW_REST * (now - began);
	l->draw_after_ns = now + (began < DRAW_REST_MAX ? began : DRAW_REST_MAX);
}

/* One of the signals that end it, if it waits to be taken; or 0. */
static int ending(void)
{
	sigset_t enders, pending;
	int sig;

	sigemptyset(&enders);
	add_enders(&enders);
	sigpending(&pending);
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&enders, sig) == 1 && sigismember(&pending, sig) == 1)
			return sig;
	return 0;
}

/* Stops by a signal, as it would if nobody had blocked it; returns when it goes on. */
static void stop_by(int sig)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Whether it was stopped and goes on now: then a SIGCONT is there. */
static bool was_stopped(void)
{
	sigset_t cont;

	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	return sigtimedwait(&cont, NULL, &(struct timespec){ 0 }) == SIGCONT;
}

/* Takes the terminal; found: with the modes that it has now, to be put back at the end. In the
 * background it is not ours, and the kernel stops whoever touches it. */
static void enter(struct loop *l, bool found)
{
	int fd = vmt_terminal_fd(l->terminal), sig;
	pid_t group;

	was_stopped();
	while ((group = tcgetpgrp(fd)) > 0 && group != getpgrp() && !ending()) {
		stop_by(SIGTTOU);
		/* Where nobody is there to take it to the foreground, none is stopped. */
		if (!was_stopped()) {
			end(l, 128 + SIGTTOU);
			return;
		}
	}
	sig = ending();
	if (sig)
		end(l, 128 + sig);
	else if (vmt_terminal_enter(l->terminal, found) < 0)
		end(l, 128 + SIGHUP);
	l->draw = true;
}

static void suspend(struct loop *l)
{
	vmt_terminal_leave(l->terminal);
	stop_by(SIGTSTP);
	enter(l, true);
	l->sample = true;
}

static void on_signal(struct loop *l, int sig)
{
	switch (sig) {
	case SIGWINCH:
		vmt_terminal_redraw(l->terminal);
		l->draw = true;
		break;
	case SIGTSTP:
		suspend(l);
		break;
	case SIGCONT:
		/* After SIGSTOP, which nobody hears of: others may have had the terminal. */
		enter(l, false);
		l->sample = true;
		break;
	case SIGQUIT:
		raise(SIGQUIT);
		break;
	default:
		end(l, 128 + sig);
	}
}

static void on_event(struct loop *l, const struct vmt_ui_event *event)
{
	int sig = vmt_terminal_key_signal(l->terminal, event->key);

	if (sig) {
		on_signal(l, sig);
		return;
	}
	if (event->key == CTRL_L) {
		vmt_terminal_redraw(l->terminal);
		l->draw = true;
		return;
	}
	switch (vmt_ui_event(l->ui, event)) {
	case VMT_UI_NONE:
		return;
	case VMT_UI_DRAW:
		break;
	case VMT_UI_SAMPLE:
		l->sample = true;
		break;
	case VMT_UI_REPORT:
		l->calls->report(l->calls->arg, l->ui);
		break;
	case VMT_UI_RECORD:
		l->calls->record(l->calls->arg, l->ui);
		break;
	case VMT_UI_REPLAY:
		l->calls->replay(l->calls->arg, l->ui);
		l->sample = true;
		break;
	case VMT_UI_SAVE:
		l->calls->save(l->calls->arg, l->ui);
		break;
	case VMT_UI_QUIT:
		end(l, VMT_EXIT_OK);
		break;
	}
	l->draw = true;
	follow_look(l);
	follow_wants(l);
}

static void on_input(struct loop *l)
{
	struct vmt_ui_event event;

	l->heard_ns = vmt_now_ns(CLOCK_MONOTONIC);
	if (vmt_terminal_read(l->terminal) < 0) {
		end(l, 128 + SIGHUP);
		return;
	}
	while (!l->ended && vmt_terminal_event(l->terminal, &event))
		on_event(l, &event);
}

/* Milliseconds until a time of CLOCK_MONOTONIC, rounded up. */
static int until_ms(uint64_t ns)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC),
		 ms = ns > now ? (ns - now + 999999) / 1000000 : 0;

	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* When the terminal has been silent long enough; or UINT64_MAX. */
static uint64_t silent_at(const struct loop *l)
{
	int ms = vmt_terminal_wait_ms(l->terminal);

	return ms < 0 ? UINT64_MAX : l->heard_ns + (uint64_t)ms * 1000000;
}

/* How long nothing is to be done, if nothing happens. */
static int rest_ms(const struct loop *l)
{
	uint64_t at = silent_at(l);

	if (l->draw && !vmt_terminal_busy(l->terminal) && l->draw_after_ns < at)
		at = l->draw_after_ns;
	if (l->ctx->deadline_ns && l->ctx->deadline_ns < at)
		at = l->ctx->deadline_ns;
	return at == UINT64_MAX ? -1 : until_ms(at);
}

static void wait_and_see(struct loop *l)
{
	struct pollfd fds[] = {
		{ .fd = vmt_terminal_fd(l->terminal), .events = vmt_terminal_poll(l->terminal) },
		{ .fd = l->timer, .events = POLLIN },
		{ .fd = l->signals, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	struct vmt_ui_event event;
	uint64_t n, now;

	if (poll(fds, VMT_ARRAY_LEN(fds), rest_ms(l)) < 0)
		return;
	now = vmt_now_ns(CLOCK_MONOTONIC);
	while (!l->ended && read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(l, (int)info.ssi_signo);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		end(l, 128 + SIGHUP);
	if (!l->ended && fds[0].revents & POLLOUT && vmt_terminal_flush(l->terminal) < 0)
		end(l, 128 + SIGHUP);
	if (!l->ended && fds[0].revents & POLLIN)
		on_input(l);
	else if (now >= silent_at(l) && vmt_terminal_silence(l->terminal, &event))
		on_event(l, &event);
	if (read(l->timer, &n, sizeof(n)) == (ssize_t)sizeof(n)) {
		l->calls->tick(l->calls->arg, l->ui);
		l->sample = true;
	}
	if (l->ctx->deadline_ns && now >= l->ctx->deadline_ns)
		end(l, VMT_EXIT_TIMEOUT);
}

/* Rows that came into sight have more to say; it is drawn the next time. */
static void look_closer(struct loop *l)
{
	struct vmt_ui_want want;
	bool more = false;
	int r;

	vmt_ui_wants(l->ui, &want);
	if ((!want.sampling || want.held) && !want.code.pid)
		return;
	r = l->calls->more(l->calls->arg, &want, &more);
	if (r)
		end(l, r);
	l->draw |= more;
}

/* Whoever pressed a key sees at once that it was heard. */
static void draw_before(struct loop *l)
{
	struct vmt_ui_want want;

	if (!l->draw || vmt_terminal_busy(l->terminal))
		return;
	vmt_ui_wants(l->ui, &want);
	if (l->calls->slow(l->calls->arg, &want))
		draw(l);
}

static void run(struct loop *l)
{
	enter(l, true);
	while (!l->ended) {
		if (l->sample)
			draw_before(l);
		if (l->sample && !l->ended)
			sample(l);
		/* A screen that nobody could see is not drawn. */
		if (l->draw && !vmt_terminal_busy(l->terminal) &&
		    vmt_now_ns(CLOCK_MONOTONIC) >= l->draw_after_ns) {
			draw(l);
			if (!l->ended)
				look_closer(l);
		}
		if (!l->ended)
			wait_and_see(l);
	}
}

int vmt_top_loop(struct vmt_ctx *ctx, uint64_t count, struct vmt_terminal *terminal,
		 struct vmt_ui *ui, const struct vmt_top_calls *calls)
{
	struct loop l = {
		.ctx = ctx,
		.count = count,
		.calls = calls,
		.terminal = terminal,
		.ui = ui,
		.canvas = { .ascii = vmt_ui_look(ui)->ascii || ctx->out.ascii },
		.mouse = vmt_ui_look(ui)->mouse,
		.color = vmt_ui_look(ui)->color,
		.theme = vmt_ui_look(ui)->theme,
		.timer = -1,
		.signals = -1,
		.sample = true,
		.draw = true,
	};

	l.status = begin(&l);
	if (l.status == 0)
		run(&l);
	vmt_terminal_leave(terminal);
	vmt_canvas_done(&l.canvas);
	vmt_closep(&l.timer);
	vmt_closep(&l.signals);
	return l.status;
}
