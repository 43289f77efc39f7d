/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pss-sliced.h"

#include <errno.h>
#include <unistd.h>

#include "source/residency.h"
#include "source/root.h"

/* As in fs/proc/task_mmu.c: shares are added up in 4096ths of a byte. */
#define PSS_SHIFT 12
/* Frames that nobody asked for are read along where as few lie between two that somebody did: a
 * call costs more. */
#define GAP 64u

static int read_counts(struct vmt_pss_sliced *pss, uint64_t first, uint64_t n)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), ns;
	ssize_t got;

	if (first > INT64_MAX / sizeof(uint64_t) - n)
		return -ERANGE;
	do
		got = pread(pss->counts_fd, pss->counts, n * sizeof(uint64_t),
			    (off_t)(first * sizeof(uint64_t)));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	pss->pm->reads++;
	pss->pm->bytes += (uint64_t)got;
	ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	if (ns > pss->pm->longest_ns)
		pss->pm->longest_ns = ns;
	/* Frames behind the last one of the machine are in no file: hot-unplugged meanwhile. */
	memset((char *)pss->counts + got, 0, n * sizeof(uint64_t) - (size_t)got);
	return 0;
}

static bool wants_count(uint64_t w)
{
	return w & VMT_PM_PRESENT && !(w & VMT_PM_EXCLUSIVE);
}

/* The share of a page whose frame is mapped count times, in 4096ths of a byte. */
static uint64_t share(const struct vmt_pss_sliced *pss, bool file, uint64_t word, uint64_t count)
{
	uint64_t whole = pss->pm->page_size << PSS_SHIFT;

	/* Nothing counts the zero page, small or huge, and it is in no Rss. Words call the huge one
	 * a file's, also where there is none. Else the page went away between the looks. */
	if ((word & VMT_PM_FRAME) == pss->pm->facts->zero_frame ||
	    (count == 0 && !(file && word & VMT_PM_FILE)))
		return 0;
	return count > 1 ? whole / count : whole;
}

static int add_words(struct vmt_pss_sliced *pss, bool file, const uint64_t *words, size_t n,
		     uint64_t *sum)
{
	size_t i, k, end;
	int r;

	for (i = 0; i < n; i = end) {
		uint64_t first = words[i] & VMT_PM_FRAME, last = first;

		end = i + 1;
		if (!wants_count(words[i])) {
			/* The kernel's mark says that this process alone maps it. */
			if (words[i] & VMT_PM_PRESENT)
				*sum += pss->pm->page_size << PSS_SHIFT;
			continue;
		}
		for (; end < n && wants_count(words[end]); end++) {
			uint64_t frame = words[end] & VMT_PM_FRAME;

			if (frame < last || frame - last > GAP || frame - first >= pss->n_counts)
				break;
			last = frame;
		}
		r = read_counts(pss, first, last - first + 1);
		if (r < 0)
			return r;
		for (k = i; k < end; k++)
			*sum += share(pss, file, words[k],
				      pss->counts[(words[k] & VMT_PM_FRAME) - first]);
	}
	return 0;
}

static int add_range(struct vmt_pss_sliced *pss, bool file, uint64_t start, uint64_t end,
		     uint64_t *sum)
{
	struct vmt_pagemap *pm = pss->pm;
	uint64_t room = vmt_pagemap_words(pm) * pm->page_size;

	while (start < end) {
		uint64_t stop = end - start > room ? start + room : end;
		struct vmt_pagemap_sum unused = { 0 };
		int r = vmt_pagemap_read(pm, start, stop, &unused);

		if (r == 0)
			r = add_words(pss, file, pm->words,
				      (size_t)((stop - start) / pm->page_size), sum);
		if (r < 0)
			return r;
		start = stop;
		if (start < end && pm->stop && pm->stop->fn(pm->stop->arg))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Words of what the scan says is there, so that what is empty costs nothing. */
static int add_scanned(struct vmt_pss_sliced *pss, const struct vmt_map *m, uint64_t *sum)
{
	struct vmt_scan_region regions[VMT_SCAN_REGIONS];
	struct vmt_pagemap *pm = pss->pm;
	uint64_t at = m->start;

	while (at < m->end) {
		uint64_t span = vmt_pagemap_span(pm), next;
		uint64_t end = m->end - at > span ? at + span : m->end;
		int n = vmt_pagemap_scan(pm, at, end, 0, regions, &next), i, k, r;

		if (n < 0)
			return n;
		for (i = 0; i < n; i = k) {
			for (k = i + 1; k < n; k++)
				if (regions[k].start - regions[k - 1].end > GAP * pm->page_size)
					break;
			r = add_range(pss, vmt_residency_may_have_file(m), regions[i].start,
				      regions[k - 1].end, sum);
			if (r < 0)
				return r;
		}
		at = next;
		if (at < m->end && pm->stop && pm->stop->fn(pm->stop->arg))
			return -ETIMEDOUT;
	}
	return 0;
}

int vmt_pss_sliced_read(struct vmt_pss_sliced *pss, const struct vmt_map *m, uint64_t *ret_bytes)
{
	uint64_t sum = 0, pages = (m->end - m->start) / pss->pm->page_size;
	int r = 0;

	if (m->end > INT64_MAX || vmt_bytes_is(m->kind, "hugetlb"))
		;
	else if (pages <= VMT_SCAN_REGIONS ||
		 (!pss->pm->facts->scan && pages <= VMT_PAGEMAP_READ_MAX))
		r = add_range(pss, vmt_residency_may_have_file(m), m->start, m->end, &sum);
	else if (pss->pm->facts->scan)
		r = add_scanned(pss, m, &sum);
	else
		r = -E2BIG;
	if (r == 0)
		*ret_bytes = sum >> PSS_SHIFT;
	return r;
}
