/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/replay.h"
#include "cmd/top-cache.h"
#include "cmd/top-events.h"
#include "cmd/top-faults.h"
#include "cmd/top-maps.h"
#include "cmd/top-rows.h"
#include "cmd/top-symbol.h"
#include "cmd/ui/ui.h"

/* The samples of the dashboard: what the screen that is shown wants, and no more. */
struct vmt_top {
	struct vmt_replay *replay; /* where they are of a recording; of the caller */
	struct vmt_run run;
	struct vmt_top_cache cache;
	struct vmt_top_faults faults;
	struct vmt_top_events events;
	size_t samples;
	struct vmt_top_rows rows;
	bool *asked; /* of each process of the sample: more than the list was asked for */
	size_t cap_asked;
	struct vmt_top_maps maps;
	struct vmt_top_symbols symbols;
	uint64_t took_ns; /* CPU time of this process, all threads, that the last sample cost */
};

/* An exit code or 0. */
int vmt_top_open(struct vmt_top *top, struct vmt_ctx *ctx);
void vmt_top_done(struct vmt_top *top);
#define VMT_AUTO_TOP VMT_CLEANUP(vmt_top_done) struct vmt_top
/* Takes a sample and makes top->run.model of it; the models before are gone. An exit code or 0. Not
 * of a recording. */
int vmt_top_sample(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want);
/*
 * Once that model was drawn, and with it is known which rows are on the screen: reads what want has
 * of those that were not there before, into the same sample and model, whose rows stay where they
 * are. *ret_new says whether there was something, and it is to be drawn again. An exit code or 0.
 */
int vmt_top_more(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want,
		 bool *ret_new);
/* Names the instruction that want has in a model that is shown, which need not be the last one. The
 * same. */
int vmt_top_name(struct vmt_top *top, struct vmt_ctx *ctx, const struct vmt_ui_want *want,
		 struct vmt_model *shown, bool *ret_new);
