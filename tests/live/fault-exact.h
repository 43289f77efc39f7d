/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "check.h"
#include "model/fault-raw.h"
#include "model/sample.h"
#include "source/collect.h"
#include "source/probe.h"
#include "worker.h"

/*
 * What a workload says the kind of, and what was counted for it. The unit is a fault, or in a table
 * a kind that a range has: right where all of its faults are.
 */
struct kinds {
	uint64_t said;
	uint64_t right;
	uint64_t coarse; /* not wrong, and less than could be said */
	uint64_t wrong; /* the rest is unknown */
};

/* Over all windows of a rung. */
struct table {
	size_t windows;
	size_t exact; /* of these */
	size_t unable; /* could not be made here */
	struct kinds kinds; /* of ranges */
	enum vmt_rung_id rung; /* that was found */
	uint64_t misses;
};

/* A window, and what was in it. */
struct session {
	const char *label; /* how the rung was asked for */
	const char *rung;
	bool windows; /* and no lives */
	bool counts; /* and nothing else */
	bool guard; /* it trips at once */
	struct table table;
	char preempt[24];
	uint32_t slots; /* rows by mapping; 0 for the usual */
	struct worker_opts worker_opts;
	struct worker *windowed; /* kind NULL: it is out */
	size_t n_windowed;
	struct worker *lives;
	size_t n_lives;
	struct vmt_probe *probe;
	struct vmt_arena arena;
	struct vmt_fault_sample faults;
	struct vmt_collector *collector;
	struct vmt_sample *live; /* the mappings of windowed, after the window */
	struct kinds kinds; /* of faults */
	uint64_t outer; /* pgfault of vmstat around the window, and inside of it */
	uint64_t inner;
};

/* The hostile case that a workload is, as its test is called; "" where it is none. */
const char *case_of(const char *kind);
/* The tests of one workload; windowed ones exist still. */
void judge_worker(struct session *s, const struct worker *w, bool windowed);
/* The sums over everything that ran. */
void judge_machine(struct session *s);
/* One line for all windows of a rung. */
void judge_table(const struct session *s, const struct table *t);

/*
 * What the workloads of a group want of the machine: nothing is changed but in a guest. Undone by
 * machine_restore().
 */
void machine_prepare(const char *group);
void machine_restore(void);
/* NULL: as it was. 0, or -errno with a reason that is good for a skipped test. */
int machine_preempt(const char *mode, const char **ret_why);
/* How the kernel preempts, for the figures. */
void machine_preempt_mode(char *ret, size_t size);
