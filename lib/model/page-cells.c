/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page-cells.h"

#include <string.h>

static const struct {
	char letter;
	bool resident;
} kinds[VMT_PAGE_KINDS] = {
	[VMT_PAGE_KIND_NONE] = { '.', false },	    [VMT_PAGE_KIND_GUARD] = { 'g', false },
	[VMT_PAGE_KIND_ZERO] = { 'z', true },	    [VMT_PAGE_KIND_CLEAN] = { 'o', true },
	[VMT_PAGE_KIND_REFERENCED] = { 'r', true }, [VMT_PAGE_KIND_SHARED] = { '=', true },
	[VMT_PAGE_KIND_DIRTY] = { 'd', true },	    [VMT_PAGE_KIND_SPECIAL] = { 'x', false },
	[VMT_PAGE_KIND_SWAPPED] = { 's', false },
};

char vmt_page_kind_letter(enum vmt_page_kind kind)
{
	return kinds[kind].letter;
}

uint64_t vmt_page_cells_fit(uint64_t pages, uint64_t cells)
{
	uint64_t n = 1;

	if (!cells)
		cells = 1;
	while (n < UINT64_C(1) << 62 && pages / n + (pages % n != 0) > cells)
		n *= 2;
	return n;
}

void vmt_page_cells_begin(struct vmt_page_cells *c)
{
	memset(c->cells, 0, c->n_cells * sizeof(*c->cells));
	memset(c->counts, 0, sizeof(c->counts));
	c->known = c->from;
}

uint64_t vmt_page_cells_end(const struct vmt_page_cells *c)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(c->cell_pages * c->page_size, (uint64_t)c->n_cells, &bytes) ||
	    bytes > c->end - c->from)
		return c->end;
	return c->from + bytes;
}

/* Puts a kind into a cell. What tells more wins, and being large is said of that. */
static void merge(struct vmt_page_cell *cell, enum vmt_page_kind kind, bool large)
{
	if (kind > cell->kind) {
		cell->kind = (uint8_t)kind;
		cell->large = large;
	} else if (kind == cell->kind) {
		cell->large |= large;
	}
}

void vmt_page_cells_add(struct vmt_page_cells *c, uint64_t at, uint64_t pages,
			enum vmt_page_kind kind, bool large)
{
	uint64_t end = vmt_page_cells_end(c), first, last;

	if (at >= end || !c->page_size)
		return;
	if (pages > (end - at) / c->page_size)
		pages = (end - at) / c->page_size;
	if (at < c->from) {
		uint64_t before = (c->from - at) / c->page_size;

		pages -= before < pages ? before : pages;
		at = c->from;
	}
	c->counts[kind] += pages;
	first = (at - c->from) / c->page_size;
	last = first + pages;
	while (first < last) {
		struct vmt_page_cell *cell = &c->cells[first / c->cell_pages];
		uint64_t next = (first / c->cell_pages + 1) * c->cell_pages;

		next = next < last ? next : last;
		if (kinds[kind].resident)
			cell->resident += next - first;
		merge(cell, kind, large);
		first = next;
	}
}

bool vmt_page_cells_get(const struct vmt_page_cells *c, uint64_t at, uint64_t pages,
			struct vmt_page_cell *ret, uint64_t *ret_pages)
{
	uint64_t bytes, end, first, last;
	struct vmt_page_cell sum = { 0 };

	if (__builtin_mul_overflow(pages, c->page_size, &bytes) ||
	    __builtin_add_overflow(at, bytes, &end) || end > c->end)
		end = c->end;
	if (!c->n_cells || at < c->from || at >= end || end > c->known ||
	    end > vmt_page_cells_end(c))
		return false;
	first = (at - c->from) / c->page_size / c->cell_pages;
	last = ((end - c->from) / c->page_size - 1) / c->cell_pages;
	for (; first <= last; first++) {
		sum.resident += c->cells[first].resident;
		merge(&sum, (enum vmt_page_kind)c->cells[first].kind, c->cells[first].large);
	}
	*ret = sum;
	*ret_pages = (end - at) / c->page_size;
	return true;
}
