/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A mapping as a row of cells, for each of which it is known how much of it is resident. Pure: who
 * reads pages adds what is found. */

#define VMT_STRIP_CELLS_MAX 128u

struct vmt_strip_cell {
	uint64_t present; /* pages, without the zero page */
	uint64_t swapped;
};

struct vmt_strip {
	uint64_t start, end; /* of the mapping */
	uint64_t page_size; /* bytes */
	uint64_t known; /* addresses below this one were looked at */
	unsigned n_cells; /* at most VMT_STRIP_CELLS_MAX */
	struct vmt_strip_cell cells[VMT_STRIP_CELLS_MAX];
};

/* Empty, and nothing of it known. n_cells is made to fit. */
void vmt_strip_begin(struct vmt_strip *s, uint64_t start, uint64_t end, uint64_t page_size,
		     unsigned n_cells);

/*
 * Adds pages from address at on, which are resident, or swapped. Each page belongs to one cell;
 * where there are more cells than pages, to all cells that it reaches into. What lies outside is
 * left out.
 */
void vmt_strip_add(struct vmt_strip *s, uint64_t at, uint64_t pages, bool swapped);

/* What a cell shows: 0 for nothing, 1 to 8 for the part that is resident, rounded up; or these. */
enum vmt_strip_level {
	VMT_STRIP_NONE = 0,
	VMT_STRIP_FULL = 8,
	VMT_STRIP_SWAPPED, /* more of it is in swap than resident */
	VMT_STRIP_UNKNOWN, /* nobody has looked yet */
};

/* Of cell i of a row of n, whatever number the strip itself has. */
enum vmt_strip_level vmt_strip_level(const struct vmt_strip *s, unsigned i, unsigned n);
