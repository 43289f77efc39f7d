/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Waiting for signals, and for the ends of processes. */
struct vmt_pid_watch {
	/* The signalfd, which is the caller's, and a descriptor of each process, which becomes
	 * readable when that has ended, a zombie included (pidfd_open(2), Linux 5.3). */
	struct pollfd *fds;
	size_t n; /* of fds */
	size_t left; /* processes that have not ended */
};

/* signals may be -1. A process that cannot be watched counts as one that does not end. 0 or
 * -ENOMEM. */
int vmt_pid_watch_open(struct vmt_pid_watch *w, int signals, const uint64_t *pids, size_t n_pids);
/* Waits for so long, or until a process ended, or a signal came: then it is true. */
bool vmt_pid_watch_wait(struct vmt_pid_watch *w, uint64_t wait_ns);
/* Whether there were processes, and all have ended. */
bool vmt_pid_watch_is_over(const struct vmt_pid_watch *w);
/* Can be called again. */
void vmt_pid_watch_done(struct vmt_pid_watch *w);
#define VMT_AUTO_PID_WATCH VMT_CLEANUP(vmt_pid_watch_done) struct vmt_pid_watch

/* Takes the signals that came on a signalfd (-1: none); the number of one, where it can be that
 * asks for more than SIGINT, or 0. */
int vmt_signals_taken(int signals);
