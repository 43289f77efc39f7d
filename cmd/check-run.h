/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/check-plan.h"
#include "cmd/collect-loop.h"
#include "cmd/fault-window.h"

/* How check measures. */
struct vmt_check_how {
	uint64_t interval_ns; /* between two samples, and of the window of faults; 0: none */
	struct vmt_sample *before; /* of --state; taken over; NULL: none */
};

/* What has to live as long as the figures. */
struct vmt_check_run {
	struct vmt_run run;
	struct vmt_window *window;
	uint64_t sources; /* that were asked for */
};

void vmt_check_run_done(struct vmt_check_run *c);
#define VMT_AUTO_CHECK_RUN VMT_CLEANUP(vmt_check_run_done) struct vmt_check_run

/* Reads what the plan needs, and measures: fills figure of each item. An exit code, or 0. */
int vmt_check_measure(struct vmt_ctx *ctx, struct vmt_check_plan *plan, struct vmt_check_how *how,
		      struct vmt_check_run *c);

/* The processes with most RSS, in a line of long output. */
int vmt_check_residents(struct vmt_ctx *ctx, struct vmt_check_run *c, struct vmt_buf *out);
