/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "source/probe.h"

/*
 * A child that does its work while a probe watches it: it prepares, meets its parent, works when it
 * is told to, and meets again.
 */

struct pipes {
	int said[2]; /* by the child */
	int told[2];
};

/* Ends the program where there is no pipe. */
void pipes_open(struct pipes *p);
/* The parent keeps its ends alone. */
void pipes_parent(struct pipes *p);
void pipes_close(struct pipes *p);
/* The child's side: says that it is ready or done, and waits to be told on. */
void meet(const struct pipes *p);
/* The parent's: waits, a minute at most. probe: whose single faults are to be taken meanwhile; or
 * NULL. */
bool hear(const struct pipes *p, struct vmt_probe *probe);
void tell(const struct pipes *p);

struct window {
	struct pipes pipes;
	pid_t child;
	struct vmt_arena arena;
	struct vmt_fault_sample f;
	struct vmt_err err; /* why there is no sample, of either function below */
};

/* Makes the child, which runs work and may not return from it before it has met twice. 0 once it
 * has met. */
int window_begin(struct window *w, void (*work)(const struct pipes *p, void *arg), void *arg);
/*
 * Counts while it works: w->f, and 0. opts->pids becomes the child. taken: single faults are taken
 * as they come. *ret_done, which may be NULL: whether it came to its end; NULL: -EIO if it did not.
 */
int window_count(struct window *w, struct vmt_probe_opts *opts, bool taken, bool *ret_done);
/* Whatever became of it. */
void window_end(struct window *w);

/* The row of the mapping of a process that an address lies in, or NULL. */
const struct vmt_fault_raw *window_row(const struct vmt_fault_sample *f, pid_t pid, uint64_t start);
