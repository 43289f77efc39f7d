/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/mapped-file.h"

/*
 * Which pages of a file the page cache has: cachestat(2) (Linux 6.5), else mincore(2) on a mapping
 * of our own, of which nothing is touched. mincore tells the truth since 5.2 only of files that one
 * owns or may write to (mm/mincore.c can_do_mincore()), and says "all of it" of others; owners are
 * known by O_NOATIME, which the kernel refuses to everybody else. Neither reads from the file.
 */
struct vmt_cached_pages {
	int fd;
	uint64_t page_size;
	uint64_t pages; /* of the file, by its size */
	bool by_map; /* by mincore */
	unsigned char *vec; /* the caller's, n_vec of them, for by_map */
	size_t n_vec;
	uint64_t first; /* page that vec begins with */
	size_t n; /* of it that are right */
	uint64_t calls;
};

/* Pages of vec that the caller should have room for: 64 MiB of a file. */
#define VMT_CACHED_VEC ((size_t)1 << 14)

/*
 * Opens a file that was looked up. It may sleep for ever (FUSE, NFS): for reader threads. The
 * caller calls vmt_cached_pages_done(), also on failure. no_stat is for tests: as on a kernel
 * without cachestat. -EINVAL where it is no regular file, -EPERM where nobody would tell us the
 * truth, or what opening says.
 */
int vmt_cached_pages_open(struct vmt_cached_pages *c, const struct vmt_mapped_file *file,
			  uint64_t page_size, unsigned char *vec, size_t n_vec, bool no_stat);
void vmt_cached_pages_done(struct vmt_cached_pages *c);

/* Of a whole file, in pages. */
struct vmt_cache_counts {
	uint64_t cached;
	bool by_stat; /* the next ones are known */
	uint64_t dirty;
	uint64_t writeback;
	uint64_t evicted;
	uint64_t recently_evicted;
};

/*
 * The same for a file that is open for reading: all of it, what lies behind its end included. With
 * mapped the pages that a mapping of it has are asked for (mincore), as on a kernel without
 * cachestat, and for a file system whose files have their pages in those of another, as overlayfs;
 * fd is then of O_NOATIME, by which the kernel has said that mincore will tell its owner the truth,
 * and goes on as long as more(arg) says so. vec has VMT_CACHED_VEC bytes. 0, -ETIMEDOUT where it
 * was not to go on, -EFBIG where mapped and with more than 2^24 pages of holes, -EOPNOTSUPP
 * (hugetlbfs), -ENOSYS, -EPERM.
 */
int vmt_cached_pages_all(int fd, uint64_t page_size, bool mapped, unsigned char *vec,
			 bool (*more)(void *arg), void *arg, struct vmt_cache_counts *ret);

/*
 * Of the n pages from first on (n >= 1, all of them in the file), how many are cached, and how many
 * were and left a mark: of shmem, that are in swap. That is UINT64_MAX where it is not known. 0 or
 * -errno.
 */
int vmt_cached_pages_count(struct vmt_cached_pages *c, uint64_t first, uint64_t n,
			   uint64_t *ret_cached, uint64_t *ret_evicted);
