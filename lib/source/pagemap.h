/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * /proc/PID/pagemap: one word of 64 bits a page (the kernel's
 * Documentation/admin-guide/mm/pagemap.rst). Both backends go in slices, so that the process gets
 * its mmap lock back between them.
 */
struct vmt_pagemap_sum {
	uint64_t present; /* pages */
	uint64_t swapped;
	uint64_t file;
	uint64_t exclusive;
	uint64_t soft_dirty;
	bool has_exclusive; /* the scan does not tell the last two */
	bool has_soft_dirty;
	uint64_t reads; /* system calls */
	uint64_t bytes;
};

/* A range longer than this many pages is not read page by page: one of a TiB without a single
 * page would be 2 GiB to read. */
#define VMT_PAGEMAP_READ_MAX ((uint64_t)1 << 20)

/* Asked between two slices; true ends the work with -ETIMEDOUT. */
struct vmt_pagemap_stop {
	bool (*fn)(void *arg);
	void *arg;
};

/*
 * Adds up [start, end), page by page. buf has room for n_buf words, at least one. -ESRCH where the
 * address space is gone (the kernel then gives 0 bytes), -ETIMEDOUT, or what read(2) says. The
 * mark soft-dirty is counted; whether the kernel keeps it is for the caller to know.
 */
int vmt_pagemap_read(int fd, uint64_t start, uint64_t end, uint64_t page_size, uint64_t *buf,
		     size_t n_buf, const struct vmt_pagemap_stop *stop,
		     struct vmt_pagemap_sum *sum);

/*
 * The same by the ioctl PAGEMAP_SCAN (Linux 6.7), which skips what has no page tables. -ENOTTY
 * where the kernel or the file does not have it.
 */
int vmt_pagemap_scan(int fd, uint64_t start, uint64_t end, uint64_t page_size,
		     const struct vmt_pagemap_stop *stop, struct vmt_pagemap_sum *sum);

/* Whether this kernel keeps the mark soft-dirty: a page written just now has it. fd is our own
 * pagemap. */
bool vmt_pagemap_has_soft_dirty(int fd, uint64_t page_size);
