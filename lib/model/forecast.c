/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/forecast.h"

/* A page table has so many entries where pages are of 4 KiB; nothing is mapped around beyond. */
#define TABLE UINT64_C(512)

void vmt_forecast_begin(struct vmt_forecast *f, uint64_t start, uint64_t end, uint64_t around)
{
	*f = (struct vmt_forecast){
		.start = start,
		.end = end,
		.at = start,
		.around = around ? around : 1,
		.around_end = start,
		.last = VMT_LEFT_NOTHING,
	};
}

/* Where the range ends that a fault at a page maps. */
static uint64_t end_around(const struct vmt_forecast *f, uint64_t page)
{
	uint64_t from = page & ~(f->around - 1), to, table = (page | (TABLE - 1)) + 1;

	if (from < f->start)
		from = f->start;
	to = from + f->around;
	if (to > table)
		to = table;
	return to > f->end ? f->end : to;
}

/* Loads of pages that are in the page cache when they come to them. */
static void load(struct vmt_forecast *f, uint64_t page, uint64_t end)
{
	if (page < f->around_end)
		page = f->around_end;
	if (f->around == 1 && page < end) {
		f->minor += end - page;
		return;
	}
	for (; page < end; page = f->around_end) {
		f->minor++;
		f->around_end = end_around(f, page);
	}
}

/* A fault that does more than to map around maps around as well. */
static void map_around(struct vmt_forecast *f, uint64_t page)
{
	uint64_t end = end_around(f, page);

	if (f->around > 1 && end > f->around_end)
		f->around_end = end;
}

void vmt_forecast_add(struct vmt_forecast *f, enum vmt_page_left state, uint64_t n)
{
	uint64_t end;
	bool goes_on = state == f->last;

	if (n > f->end - f->at)
		n = f->end - f->at;
	if (!n)
		return;
	end = f->at + n;
	switch (state) {
	case VMT_LEFT_NOTHING:
	case VMT_LEFT_MAPPED:
		break;
	case VMT_LEFT_CACHED:
		f->cached += n;
		f->minor_most += n;
		load(f, f->at, end);
		break;
	case VMT_LEFT_ABSENT:
		f->absent += n;
		f->major_most += n;
		if (!goes_on) {
			f->major++;
			map_around(f, f->at);
		}
		/* The others have been read ahead. */
		load(f, goes_on ? f->at : f->at + 1, end);
		break;
	case VMT_LEFT_EMPTY:
		f->absent += n;
		f->minor += n;
		f->minor_most += n;
		map_around(f, end - 1);
		break;
	case VMT_LEFT_SWAPPED:
		f->major += n;
		f->major_most += n;
		break;
	}
	f->at = end;
	f->last = state;
}
