/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"

/* What of the page cache is wanted: files by name, and all files below directories. */
struct vmt_cache_opts {
	char *const *paths; /* symbolic links are followed */
	size_t n_paths;
	const char *tree; /* NULL for none; below it no symbolic link is followed */
	bool one_device; /* of the tree: nothing that is mounted below it */
};

/*
 * Fills s->cache with a row for each file of which something is cached or was lately, or of which
 * that is not known; those of which it is known that nothing is are counted, but for those that
 * were named. An inode has one row, however many of its names were met.
 *
 * A file is looked up first and opened only where it is a regular one; it is not read, and no time
 * of it changes. Readers with a deadline do that: each directory is a job, and so is each file of a
 * file system that may have to ask somebody for it. What failed stands in the rows (read_status)
 * and in s->sources; of what was named, and of directories, in s->issues, too. 0 or -ENOMEM.
 */
int vmt_collect_cache(struct vmt_collector *c, struct vmt_sample *s,
		      const struct vmt_cache_opts *opts);

/* Asks for each of n rows of s->cache that have a path and are regular files, which are known by
 * the kernel's own lists, what these do not tell: what is dirty, being written, evicted. 0 or
 * -ENOMEM. */
int vmt_collect_cache_rest(struct vmt_collector *c, struct vmt_sample *s, const size_t *rows,
			   size_t n);
