/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

enum vmt_cached_group_by {
	VMT_CACHED_BY_DIR, /* the directory that a file is in */
	VMT_CACHED_BY_FS, /* superblock */
};

/* The directory that a path is in; of a name in [ ] that is no path all up to its end. */
struct vmt_bytes vmt_cached_dir(struct vmt_bytes path);

/* Sums over n rows; they are the arena's, in no order that means something. Names are the arena's
 * or the rows'. 0 or -ENOMEM. */
int vmt_cached_groups(const struct vmt_cached_file *files, size_t n, enum vmt_cached_group_by by,
		      struct vmt_arena *arena, struct vmt_cached_group **ret, size_t *ret_n);
