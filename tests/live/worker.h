/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "workload.h"

/* The side of the test: a workload that was started, and what it said. */
struct worker {
	const char *kind;
	pid_t pid; /* 0 once it was waited for */
	uint64_t id; /* the pid, for good */
	int from; /* its truths */
	int to; /* the words that let it go on */
	struct workload_truth truth; /* the last that it told */
	int wait_status;
	struct rusage usage; /* by wait4(): its own and its children's */
};

struct worker_opts {
	const char *program; /* path of the workload program */
	const char *dir;
	size_t pages;
	unsigned storm_ms;
};

/* fork() and exec; 0 or -errno. */
int worker_start(struct worker *w, const char *kind, const struct worker_opts *opts);
/* Lets it go on once, or n times in advance. */
void worker_go(struct worker *w, unsigned n);
/* Reads a truth; 0, -ETIMEDOUT, -EPIPE where the workload is gone. */
int worker_truth(struct worker *w, unsigned seconds);
/* Waits for its end, which has to be near; 0 or -errno. */
int worker_reap(struct worker *w);
/* Kills it if it is there, and closes the pipes. */
void worker_end(struct worker *w);
