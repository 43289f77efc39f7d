/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/fmt.h"
#include "source/page-read.h"

struct vmt_page_map_opts {
	uint64_t page_size; /* bytes */
	unsigned width; /* of the terminal; 0 for none: 80 */
	bool ascii;
	enum vmt_size_unit unit;
	uint64_t start; /* addresses outside [start, end) are not drawn */
	uint64_t end;
	bool chosen; /* somebody named the range: it is drawn also where it is empty */
	const int8_t *written; /* of each run: 1 written, 0 not, -1 unknown; NULL: not watched */
};

/*
 * Draws runs of pages, a character for a cell of 2^n pages, a block for each mapping, and the
 * legend below. A cell that holds several states shows the one that most of its pages have, what
 * is not there aside.
 */
void vmt_page_map_draw(struct vmt_buf *out, const struct vmt_page_map_opts *opts,
		       const struct vmt_map *maps, size_t n_maps, const struct vmt_page_run *runs,
		       size_t n_runs);
