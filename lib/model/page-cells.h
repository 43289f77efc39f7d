/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmt_map;
struct vmt_page;

/*
 * The pages of a part of a mapping, several of them to a cell. Pure: who reads pages says of which
 * kind they are (source/page-kind.h).
 */

/* Of a cell with pages of several kinds the last of these is shown: what tells the most. */
enum vmt_page_kind {
	VMT_PAGE_KIND_NONE, /* absent */
	VMT_PAGE_KIND_GUARD, /* a marker: whoever touches it gets SIGSEGV */
	VMT_PAGE_KIND_ZERO, /* the zero page, which belongs to nobody */
	VMT_PAGE_KIND_CLEAN, /* resident, and no more is known */
	VMT_PAGE_KIND_REFERENCED, /* touched since reclaim last looked */
	VMT_PAGE_KIND_SHARED, /* mapped more than once */
	VMT_PAGE_KIND_DIRTY, /* newer than what is on disk: memory without a file always */
	VMT_PAGE_KIND_SPECIAL, /* being moved, poisoned, a marker */
	VMT_PAGE_KIND_SWAPPED,
	VMT_PAGE_KINDS,
};

/* '.', 'g', 'z', 'o', 'r', '=', 'd', 'x', 's' */
char vmt_page_kind_letter(enum vmt_page_kind kind);

struct vmt_page_cell {
	uint64_t resident; /* pages */
	uint8_t kind; /* enum vmt_page_kind */
	bool large; /* pages of that kind belong to a large folio */
};

/* Lines of a screen of 1000 columns are no longer than this. */
#define VMT_PAGE_CELLS_MAX 16384u

struct vmt_page_cells {
	uint64_t pid;
	uint64_t start_time_ns; /* of the process */
	const struct vmt_map *map; /* of the sample, or NULL: there is no such mapping */
	uint64_t start, end; /* of the mapping */
	uint64_t page_size; /* bytes */
	uint64_t from; /* address of the first cell */
	uint64_t cell_pages; /* of one cell; a power of two */
	uint64_t known; /* addresses below this one were looked at */
	struct vmt_page_cell *cells; /* n_cells of them; the sampler's */
	size_t n_cells;
	uint64_t counts[VMT_PAGE_KINDS]; /* pages, of what is known */
	bool told_apart; /* dirty, referenced and shared pages of files */
	const struct vmt_page *page; /* the one that was asked for, or NULL */
	int error; /* why there are no pages: a negative errno, or 0 */
};

/*
 * The number of pages in a cell, a power of two, with which pages fit into cells.
 */
uint64_t vmt_page_cells_fit(uint64_t pages, uint64_t cells);
/* Nothing known of any cell; those of c->from to the end of the mapping, at most c->n_cells. */
void vmt_page_cells_begin(struct vmt_page_cells *c);
/* The address behind the last cell, or the mapping's end. */
uint64_t vmt_page_cells_end(const struct vmt_page_cells *c);
/* Adds pages of a kind from address at on; what lies outside is left out. */
void vmt_page_cells_add(struct vmt_page_cells *c, uint64_t at, uint64_t pages,
			enum vmt_page_kind kind, bool large);
/*
 * What [at, at + pages) is, together; false where some of it was not looked at. Pages behind the
 * end of the mapping are none: *ret_pages is how many there are.
 */
bool vmt_page_cells_get(const struct vmt_page_cells *c, uint64_t at, uint64_t pages,
			struct vmt_page_cell *ret, uint64_t *ret_pages);
