/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/ui/ui.h"
#include "model/strip.h"

/*
 * The residency of mappings in cells, read of the pages in slices: no more than a number of pages
 * in one sample, and all of it anew after two seconds.
 */
struct vmt_top_strip;
struct vmt_top_strips {
	struct vmt_top_strip **strips; /* of the mappings on the screen, in order of address */
	size_t n;
	const struct vmt_strip **rows; /* of the sample */
	bool no_scan; /* long mappings are read in small pieces */
	uint64_t retry_ns; /* they could not be read; not before */
};

void vmt_top_strips_done(struct vmt_top_strips *t);
/* Whether want has mappings, or cells, that those of the last sample are not of. */
bool vmt_top_strips_lack(const struct vmt_top_strips *t, const struct vmt_ui_want *want);
/* Reads what is due of the mappings in want, which are among those of process index of run->sample,
 * and puts them into the sample. 0 or -ENOMEM. */
int vmt_top_strips_sample(struct vmt_top_strips *t, struct vmt_run *run, size_t index,
			  const struct vmt_ui_want *want);
