/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/child.h"
#include "cmd/collect-loop.h"
#include "source/probe-events.h"

/* The time in which events are counted, from the begin of a command or from now on. */
struct vmt_event_window {
	struct vmt_ctx *ctx;
	struct vmt_events_opts opts;
	const uint64_t *pids; /* whose ends end it */
	size_t n_pids;
	uint64_t duration_ns; /* UINT64_MAX: no end of its own */
	/* As soon as events are counted; NULL for nothing. An exit code or 0. */
	int (*begun)(void *arg, const struct vmt_events *events);
	/* As soon as none is counted any more; NULL for nothing. */
	void (*ended)(void *arg);
	/* Some times a second: what came is to be taken, and what is to be written to be written
	 * until that time, or a signal; last: all that there is, after the end. NULL for nothing.
	 * Whether something came, or a negative errno that ends the window. */
	int (*tick)(void *arg, struct vmt_events *events, int signals, uint64_t until_ns,
		    bool last);
	void *arg;
	struct vmt_child child; /* the operands of ctx, where it has some */
	int signal; /* SIGTERM or SIGHUP ended it */
};

/* Counts; what was counted is in sample, and its texts are in arena. An exit code or 0; *ret_error
 * is what tick returned. */
int vmt_event_window_run(struct vmt_event_window *w, struct vmt_arena *arena,
			 struct vmt_event_sample *sample, int *ret_error);
/* The exit code that its end asks for: of the command, of a signal, or 0. */
int vmt_event_window_code(const struct vmt_event_window *w);
