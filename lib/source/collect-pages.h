/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/page-read.h"

/* Reading pages of a process: through the reader pool, as pagemap waits for the process. */
struct vmt_pages_opts {
	unsigned want; /* VMT_PAGES_* */
	const struct vmt_map *maps; /* of s->maps; run.map is an index into them */
	size_t n_maps;
	uint64_t start; /* addresses outside [start, end) are left out */
	uint64_t end;
};

/*
 * Opens what opts->want needs of the machine: zones, and iomem where region is set. What cannot be
 * read is noted in the sample. *ret is the caller's, NULL where nothing is wanted. 0 or -ENOMEM.
 */
int vmt_collect_physical(struct vmt_collector *c, struct vmt_sample *s, unsigned want, bool region,
			 struct vmt_physical **ret);

/*
 * Reads the pages of process s->procs[index] and hands them over in batches, in order of address;
 * the last run of a batch and the first of the next may belong together. fn returns 0, or what ends
 * the work and is returned, in this thread. Costs and failures go to the sample: PAGEMAP for
 * the scan, WORDS for pagemap, KPAGECOUNT and KPAGEFLAGS.
 *
 * 0, what fn said, or a negative errno after which some pages were not read: -EACCES, -ESRCH,
 * -ETIMEDOUT, -E2BIG (mappings too long to be read without PAGEMAP_SCAN were left out).
 */
int vmt_collect_pages(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		      const struct vmt_pages_opts *opts, struct vmt_physical *physical,
		      int (*fn)(const struct vmt_page_run *runs, size_t n, void *arg), void *arg);

/*
 * The same for the page at opts->start alone, which opts->end lies behind. *ret_has: it could be
 * read, and *ret_run is what it is.
 */
int vmt_collect_page(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		     const struct vmt_pages_opts *opts, struct vmt_physical *physical,
		     struct vmt_page_run *ret_run, bool *ret_has);

/* Whether frames of pages are shown to us; without CAP_SYS_ADMIN they are not. */
bool vmt_collect_has_frames(struct vmt_collector *c);
/* Whether this kernel keeps the mark soft-dirty. */
bool vmt_collect_has_soft_dirty(struct vmt_collector *c);
