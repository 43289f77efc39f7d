/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/top-cache.h"
#include "cmd/top-faults.h"
#include "cmd/ui/ui.h"

/* The samples of the dashboard: what the screen that is shown wants, and no more. */
struct vmt_top {
	struct vmt_run run;
	struct vmt_top_cache cache;
	struct vmt_top_faults faults;
	uint64_t took_ns; /* CPU time of this process, all threads, that the last sample cost */
};

/* An exit code or 0. */
int vmt_top_open(struct vmt_top *top, struct vmt_ctx *ctx);
void vmt_top_done(struct vmt_top *top);
#define VMT_AUTO_TOP VMT_CLEANUP(vmt_top_done) struct vmt_top
/* Takes a sample and makes top->run.model of it; the models before are gone. An exit code or 0. */
int vmt_top_sample(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want);
