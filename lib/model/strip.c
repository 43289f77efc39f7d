/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/strip.h"

#include <string.h>

static uint64_t pages_of(const struct vmt_strip *s)
{
	return s->page_size ? (s->end - s->start) / s->page_size : 0;
}

/* The first page of cell i of n: cells of nearly the same size, without a gap. */
static uint64_t first_page(uint64_t pages, unsigned i, unsigned n)
{
	return (uint64_t)((unsigned __int128)pages * i / n);
}

/* The page behind the last of a cell, which has one at least. */
static uint64_t last_page(uint64_t pages, unsigned i, unsigned n)
{
	uint64_t first = first_page(pages, i, n), next = first_page(pages, i + 1, n);

	return next > first ? next : first + 1;
}

void vmt_strip_begin(struct vmt_strip *s, uint64_t start, uint64_t end, uint64_t page_size,
		     unsigned n_cells)
{
	if (n_cells > VMT_STRIP_CELLS_MAX)
		n_cells = VMT_STRIP_CELLS_MAX;
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->end = end > start ? end : start;
	s->page_size = page_size;
	s->known = start;
	s->n_cells = n_cells ? n_cells : 1;
}

void vmt_strip_add(struct vmt_strip *s, uint64_t at, uint64_t pages, bool swapped)
{
	uint64_t all = pages_of(s), first, end;
	unsigned i;

	if (at < s->start || at >= s->end || !all)
		return;
	first = (at - s->start) / s->page_size;
	end = pages < all - first ? first + pages : all;
	/* The cell of its first page, or one that is at most as far. */
	i = (unsigned)((unsigned __int128)first * s->n_cells / all);
	for (; i < s->n_cells && first_page(all, i, s->n_cells) < end; i++) {
		uint64_t from = first_page(all, i, s->n_cells), to = last_page(all, i, s->n_cells);

		from = from > first ? from : first;
		to = to < end ? to : end;
		if (from >= to)
			continue;
		if (swapped)
			s->cells[i].swapped += to - from;
		else
			s->cells[i].present += to - from;
	}
}

enum vmt_strip_level vmt_strip_level(const struct vmt_strip *s, unsigned i, unsigned n)
{
	uint64_t all = pages_of(s), present = 0, swapped = 0, pages = 0;
	unsigned from, to;

	if (!n || i >= n || !all)
		return VMT_STRIP_UNKNOWN;
	from = (unsigned)((uint64_t)s->n_cells * i / n);
	to = (unsigned)((uint64_t)s->n_cells * (i + 1) / n);
	if (to <= from)
		to = from + 1;
	for (; from < to; from++) {
		uint64_t first = first_page(all, from, s->n_cells);
		uint64_t last = last_page(all, from, s->n_cells);

		if (s->start + first * s->page_size >= s->known)
			return VMT_STRIP_UNKNOWN;
		present += s->cells[from].present;
		swapped += s->cells[from].swapped;
		pages += last - first;
	}
	if (swapped > present)
		return VMT_STRIP_SWAPPED;
	if (present >= pages)
		return VMT_STRIP_FULL;
	return (enum vmt_strip_level)(((unsigned __int128)present * 8 + pages - 1) / pages);
}
