/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/*
 * The files of the page cache for the dashboard: those that are mapped, by a walk through the
 * kernel's lists. A walk is dear, so that what was found is kept and shown until another one fits
 * into the budget.
 */
struct vmt_top_cache {
	struct vmt_sample *found; /* of the last walk, with the arena of its texts; or NULL */
	uint64_t found_ns; /* when; CLOCK_MONOTONIC */
	uint64_t took_ns; /* CPU time that it took */
};

void vmt_top_cache_done(struct vmt_top_cache *c);
/* Puts the files into the sample of run, before its model is made. named: of so many of the largest
 * ones what only opening them tells. An exit code or 0. */
int vmt_top_cache_sample(struct vmt_top_cache *c, struct vmt_run *run, struct vmt_ctx *ctx,
			 size_t named);
