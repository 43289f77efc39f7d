/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/fault-interval.h"
#include "cmd/ui/ui.h"

/* Single faults of one tick, with the arena of their texts. */
struct vmt_top_singles {
	struct vmt_arena arena;
	struct vmt_single *rows;
	size_t n;
};

/*
 * The probe of the dashboard. It is there while a screen shows what it counts, and some seconds
 * longer; what is shown is the interval between two ticks.
 */
struct vmt_top_faults {
	struct vmt_fault_interval interval; /* its probe, and what came between two ticks */
	bool singles; /* the probe gives single faults, of all processes */
	struct vmt_ui_proc of; /* else it counts those of this process; pid 0: of all */
	uint32_t rows; /* of mappings, that the probe has room for; 0: none was there yet */
	uint64_t wanted_ns; /* when it was wanted last; CLOCK_MONOTONIC */
	uint64_t again_ns; /* it could not be started: not to be tried before */
	struct vmt_top_singles *kept; /* the oldest first */
	size_t n_kept;
	size_t n_new; /* rows of the last tick */
	bool read, saved; /* of a saved machine: it was asked for its faults, and has some */
};

void vmt_top_faults_done(struct vmt_top_faults *f);
/* Whether a probe has to be started for what is wanted, which takes some tenths of a second. */
bool vmt_top_faults_begins(const struct vmt_top_faults *f, const struct vmt_ui_want *want);
/* Ends the probe, and leaves what it counted to the model that is shown. */
void vmt_top_faults_idle(struct vmt_top_faults *f);
/* Starts or ends the probe as want says, and puts what it counted since the last tick into the
 * sample of run, before its model is made. An exit code or 0; that it does not work is no failure.
 */
int vmt_top_faults_sample(struct vmt_top_faults *f, struct vmt_run *run, struct vmt_ctx *ctx,
			  const struct vmt_ui_want *want);
/* Puts the last single faults into the model of run. An exit code or 0. */
int vmt_top_faults_model(struct vmt_top_faults *f, struct vmt_run *run, struct vmt_ctx *ctx,
			 const struct vmt_ui_want *want);
