/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/ui/ui.h"
#include "model/page-cells.h"
#include "source/collect-pages.h"

/* The pages of a part of a mapping, read in slices as those of strips are. */
struct vmt_top_pages {
	struct vmt_page_cells shown; /* all of it was looked at; n_cells 0: nothing yet */
	struct vmt_page_cells next; /* is being filled */
	struct vmt_page page;
	struct vmt_page_cells *row; /* what the sample has of it; NULL: nothing yet */
	struct vmt_physical *physical;
	bool physical_tried;
	bool no_scan;
	uint64_t slice; /* pages of the next read */
	uint64_t cost_ns; /* CPU time so far that next took */
	uint64_t next_ns; /* not to be begun again before */
};

void vmt_top_pages_done(struct vmt_top_pages *t);
/* Whether want has other cells, or another page, than the last sample. */
bool vmt_top_pages_lack(const struct vmt_top_pages *t, const struct vmt_ui_want *want);
/* Reads what is due, and the page that want asks for, of process index of run->sample. 0 or
 * -ENOMEM. */
int vmt_top_pages_sample(struct vmt_top_pages *t, struct vmt_run *run, size_t index,
			 const struct vmt_ui_want *want);
