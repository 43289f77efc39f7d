/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"
#include "source/pagemap.h"

/*
 * An estimate of PSS that holds nobody up: smaps walks a whole mapping in one hold of the mmap
 * lock; this reads which frames are mapped, in slices, and then how often each is mapped, for which
 * no lock of the process is needed (Documentation/admin-guide/mm/pagemap.rst, kpagecount).
 *
 * It approximates: pages move between the two looks, and where the kernel keeps no count for each
 * page of a large folio (CONFIG_NO_PAGE_MAPCOUNT) kpagecount gives the folio's average, rounded.
 */
struct vmt_pss_sliced {
	struct vmt_pagemap *pm; /* with room for words; facts->frames is true */
	int counts_fd; /* of /proc/kpagecount */
	uint64_t *counts; /* the caller's: n_counts of them */
	size_t n_counts;
};

/*
 * The PSS of one mapping, in bytes. 0 for hugetlb and the kernel's own, as in smaps. -E2BIG where
 * it is too long to be read without the scan, -ESRCH where the address space is gone, -ETIMEDOUT,
 * or what the files say.
 */
int vmt_pss_sliced_read(struct vmt_pss_sliced *pss, const struct vmt_map *m, uint64_t *ret_bytes);
