/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/stat.h>

#include "model/rows.h"
#include "source/mounts.h"

struct vmt_job;

/* What a reader needs to look at files: its own, and its job's. */
struct vmt_cache_look {
	struct vmt_job *job; /* whose time it is */
	const struct vmt_mounts *mounts;
	uint64_t page_size;
};

/* What statx(2) is asked for, of a file that is looked up and not opened. It asks no server. */
int vmt_cache_stat(int fd, struct statx *st);
/* The mount that a file is in; NULL where the table does not have it. */
const struct vmt_mount *vmt_cache_mount(const struct vmt_mounts *mounts, const struct statx *st);
/*
 * Fills in what is known of a file without opening it, but for its path. texts are arena's or
 * constants. 0 or -ENOMEM.
 */
int vmt_cache_identify(const struct statx *st, const struct vmt_mount *mount,
		       struct vmt_arena *arena, struct vmt_cached_file *row);
/*
 * Opens a regular file (fd is of O_PATH) and asks what the page cache has of it. It may sleep for
 * ever: for reader threads. What came of it stands in the row, read_status included. 0, or what
 * went wrong: -EPERM, -EACCES (it is another's), -ENOSYS, -EOPNOTSUPP (this kernel does not tell of
 * such a file), -ETIMEDOUT.
 */
int vmt_cache_ask(const struct vmt_cache_look *look, int fd, const struct statx *st,
		  const struct vmt_mount *mount, struct vmt_cached_file *row);
/* Whether it is known of the row that nothing of the file is cached, nor was lately. */
bool vmt_cache_is_empty(const struct vmt_cached_file *row);
