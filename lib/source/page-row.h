/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "source/page-read.h"

/* What rows of pages are made with. */
struct vmt_page_rows {
	uint64_t page_size; /* bytes */
	const struct vmt_physical *physical; /* may be NULL; outlives the rows */
	unsigned want; /* VMT_PAGES_*: what is in the runs */
	struct vmt_arena *arena; /* of the strings; they outlive it no more than the rows */
	uint64_t last_flags; /* whose names were made last */
	struct vmt_bytes last_text;
};

/* Sets the fields of page.def from a run and its mapping; row is empty before. 0 or -ENOMEM. */
int vmt_page_row(struct vmt_page_rows *rows, const struct vmt_page_run *run,
		 const struct vmt_map *m, struct vmt_page *row);
/* The fields of page-state.def alone, from a row of a page. */
void vmt_addr_set_state(struct vmt_addr *row, const struct vmt_page *page);
