/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/top-pages.h"
#include "cmd/top-strips.h"

/*
 * The mappings of the one process that is looked at, and what is resident of them. They are read by
 * smaps where that is cheap (TOP_MAPS_BUDGET), else by pagemap; as often as samples are taken where
 * that costs little, else less often. What was read is kept meanwhile.
 */
struct vmt_top_maps {
	struct vmt_sample *read; /* has that process alone, and its mappings */
	const struct vmt_sample *of; /* the sample that points to it, to be compared alone */
	uint64_t read_ns; /* CLOCK_MONOTONIC */
	uint64_t next_ns; /* not to be read again before */
	struct vmt_top_strips strips;
	struct vmt_top_pages pages;
};

void vmt_top_maps_done(struct vmt_top_maps *m);
/* The process that has to be in the sample for want; 0 for none, or where all are to be in it. */
uint64_t vmt_top_maps_pid(const struct vmt_ui_want *want);
/* Adds what want asks of mappings and pages to run->sample, which points to what m keeps until the
 * next call. 0 or -ENOMEM. */
int vmt_top_maps_sample(struct vmt_top_maps *m, struct vmt_run *run,
			const struct vmt_ui_want *want);
/* Adds to the same sample what turned out to be on the screen when it was drawn; whether there was
 * something, or -ENOMEM. */
int vmt_top_maps_more(struct vmt_top_maps *m, struct vmt_run *run, const struct vmt_ui_want *want);
