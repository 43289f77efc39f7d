/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "source/recording.h"

/* A place in a recording, and the two samples that a model of it is made of. */
struct vmt_replay {
	struct vmt_recording *recording;
	size_t first, end; /* what is shown of it: [first, end) */
	bool open_end; /* end is that of the file, which may grow */
	size_t at;
	size_t shown; /* what run has; SIZE_MAX: nothing */
	/* Where vmt_replay_nearest() goes on: nothing between shown and this can be read. SIZE_MAX:
	 * nothing was tried. */
	size_t untried;
};

/* Opens -r FILE with --begin and --end of ctx, and says what is to be said of the file; an exit
 * code or 0. */
int vmt_replay_open(struct vmt_replay *rp, struct vmt_ctx *ctx);
void vmt_replay_done(struct vmt_replay *rp);
#define VMT_AUTO_REPLAY VMT_CLEANUP(vmt_replay_done) struct vmt_replay

/* Makes run->sample, prev and model of the sample at rp->at; rates are of it and the one before,
 * where nothing lies between. Nothing happens where they are there already. 0; -ENOMEM, or another
 * negative errno where that sample cannot be read: others can. */
int vmt_replay_sample(struct vmt_replay *rp, struct vmt_run *run, const struct vmt_ctx *ctx,
		      struct vmt_err *err);
/*
 * The same; where a sample cannot be read, of the next one in the direction that it was reached in
 * that can. Where there is none near, it stays at what is shown: then, and where nothing is shown,
 * it is not 0. err says why the first of *ret_left_out samples was left out. *ret_stopped: there
 * are more behind them, which the next step in that direction tries.
 */
int vmt_replay_nearest(struct vmt_replay *rp, struct vmt_run *run, const struct vmt_ctx *ctx,
		       size_t *ret_left_out, bool *ret_stopped, struct vmt_err *err);
/* Goes to a place; the nearest one that there is. Whether that is another one. */
bool vmt_replay_go(struct vmt_replay *rp, size_t at);
/* By a time of the recording, back where seconds are negative; to a moment. */
bool vmt_replay_by(struct vmt_replay *rp, int64_t ns);
bool vmt_replay_to(struct vmt_replay *rp, uint64_t realtime_ns);
