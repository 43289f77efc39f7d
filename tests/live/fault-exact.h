/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "check.h"
#include "model/fault-raw.h"
#include "model/sample.h"
#include "source/collect.h"
#include "source/probe.h"
#include "worker.h"

/* Faults of which a workload says the kind, and what was counted for them. */
struct kinds {
	uint64_t faults;
	uint64_t right;
	uint64_t coarse; /* not wrong, and less than could be said */
	uint64_t wrong;
};

/* A window, and what was in it. */
struct session {
	const char *label; /* how the rung was asked for */
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
	struct kinds kinds;
	uint64_t outer; /* pgfault of vmstat around the window, and inside of it */
	uint64_t inner;
};

/* The hostile case that a workload is, as its test is called; "" where it is none. */
const char *case_of(const char *kind);
/* The tests of one workload; windowed ones exist still. */
void judge_worker(struct session *s, const struct worker *w, bool windowed);
/* The sums over everything that ran. */
void judge_machine(struct session *s);
