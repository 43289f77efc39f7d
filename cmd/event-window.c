/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-window.h"

#include <signal.h>
#include <sys/signalfd.h>

#include "cmd/pid-watch.h"
#include "cmd/privilege.h"
#include "cmd/sandbox.h"

/* The ring has room for half a million events a second at that. */
#define TICK_NS UINT64_C(50000000)
/* Where nothing came for some ticks, and where nothing is to be taken: what wakes costs. The ring
 * has room for as long at a limit of that many a second. */
#define QUIET_TICK_NS UINT64_C(250000000)
#define QUIET_RATE    UINT64_C(10000)
#define QUIET_TICKS   4u

static void eventsp(struct vmt_events **x)
{
	vmt_events_free(*x);
}

/* What became of the command that is to be: a negative result where it did not. */
static int hear_child(struct vmt_event_window *w)
{
	struct pollfd fd = { .fd = w->child.socket, .events = POLLIN };

	if (w->child.socket < 0 || poll(&fd, 1, 0) <= 0)
		return 0;
	vmt_child_heard(&w->child);
	return w->child.error;
}

/* Until the time is over, a signal came, or nobody is left to be watched. */
static int wait_for_end(struct vmt_event_window *w, struct vmt_events *events,
			struct vmt_pid_watch *watched, uint64_t end_ns)
{
	bool patient = !w->tick || (w->opts.rate && w->opts.rate <= QUIET_RATE);
	unsigned quiet = w->tick ? 0 : QUIET_TICKS;

	for (;;) {
		uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), until, tick_ns;
		int r = hear_child(w);

		/* What it could not become is told by the child. */
		if (r < 0 || now >= end_ns || vmt_pid_watch_is_over(watched))
			return 0;
		tick_ns = patient && quiet >= QUIET_TICKS ? QUIET_TICK_NS : TICK_NS;
		until = end_ns - now < tick_ns ? end_ns : now + tick_ns;
		r = w->tick ? w->tick(w->arg, events, watched->fds[0].fd, until, false) : 0;
		if (r < 0)
			return r;
		if (w->tick)
			quiet = r ? 0 : quiet + (quiet < QUIET_TICKS);
		now = vmt_now_ns(CLOCK_MONOTONIC);
		if (vmt_pid_watch_wait(watched, now < until ? until - now : 0))
			return 0;
	}
}

/* Between blocked signals; an exit code or 0. */
static int count(struct vmt_event_window *w, int signals, const sigset_t *mask,
		 struct vmt_arena *arena, struct vmt_event_sample *sample, int *ret_error)
{
	VMT_CLEANUP(eventsp) struct vmt_events *events = NULL;
	VMT_AUTO_PID_WATCH watched = { 0 };
	struct vmt_events_opts opts = w->opts;
	struct vmt_ctx *ctx = w->ctx;
	const uint64_t *pids = w->pids;
	size_t n_pids = w->n_pids;
	struct vmt_err err = { 0 };
	uint64_t end_ns, pid;
	int r;

	if (ctx->n_operands) {
		r = vmt_child_start(&w->child, ctx, ctx->operands, mask);
		if (r < 0) {
			vmt_complain(ctx, "cannot start a process: %s", strerror(-r));
			return VMT_EXIT_FAILED;
		}
		r = vmt_privilege_drop(ctx);
		if (r)
			return r;
		pid = (uint64_t)w->child.pid;
		pids = &pid;
		n_pids = 1;
		opts.pids = &w->child.pid;
		opts.n_pids = 1;
		opts.follow = true;
	}
	r = vmt_events_start(&opts, &events, &err);
	if (r < 0) {
		vmt_complain(ctx, "events are not counted: %s", err.text);
		return r == -EPERM || r == -EACCES ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	}
	r = w->begun ? w->begun(w->arg, events) : 0;
	if (r)
		return r;
	/* Behind begun(), which may load what tells of kills. */
	if (vmt_sandbox_loaded(ctx, &err) < 0)
		return vmt_complain_err(ctx, &err);
	if (vmt_pid_watch_open(&watched, signals, pids, n_pids) < 0)
		return vmt_no_memory(ctx);
	if (ctx->verbose)
		vmt_note(ctx, "counting");
	if (ctx->n_operands && vmt_child_go(&w->child) < 0) {
		vmt_complain(ctx, "the command is gone before it began");
		return VMT_EXIT_FAILED;
	}
	end_ns = w->duration_ns == UINT64_MAX ? UINT64_MAX
					      : vmt_now_ns(CLOCK_MONOTONIC) + w->duration_ns;
	if (ctx->deadline_ns && ctx->deadline_ns < end_ns)
		end_ns = ctx->deadline_ns;
	*ret_error = wait_for_end(w, events, &watched, end_ns);
	if (ctx->n_operands && vmt_pid_watch_is_over(&watched) && vmt_child_wait(&w->child) < 0) {
		vmt_complain(ctx, "the command cannot be waited for: %s", strerror(errno));
		return VMT_EXIT_FAILED;
	}
	vmt_events_stop(events);
	if (w->ended)
		w->ended(w->arg);
	r = 0;
	if (*ret_error == 0 && w->tick)
		r = w->tick(w->arg, events, signals, 0, true);
	if (r < 0)
		*ret_error = r;
	if (vmt_events_read(events, arena, sample, &err) < 0)
		return vmt_complain_err(ctx, &err);
	return 0;
}

int vmt_event_window_run(struct vmt_event_window *w, struct vmt_arena *arena,
			 struct vmt_event_sample *sample, int *ret_error)
{
	struct vmt_ctx *ctx = w->ctx;
	VMT_AUTO_CLOSE int signals = -1;
	sigset_t set, old;
	int r;

	w->child = (struct vmt_child){ .pid_fd = -1, .socket = -1 };
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = count(w, signals, &old, arena, sample, ret_error);
	ctx->ended_by = vmt_signals_taken(signals);
	w->signal = ctx->ended_by == SIGINT ? 0 : ctx->ended_by;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (w->child.pid && !w->child.ended && r == 0 && !w->child.error)
		/* The window is over, and the command goes on. */
		w->child.pid = 0;
	if (r == 0 && w->child.error)
		r = vmt_child_complain(&w->child, ctx);
	return r;
}

int vmt_event_window_code(const struct vmt_event_window *w)
{
	if (w->child.ended)
		return vmt_child_code(&w->child);
	return w->signal ? 128 + w->signal : 0;
}
