/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * A table of things that mappings are of, told by bytes: bounded in number and in memory, whatever
 * names there are. What a key stands for is its number, in the order in which they came.
 */
struct vmt_key_table {
	struct vmt_arena arena; /* keys */
	struct vmt_bytes *keys;
	size_t cap;
	size_t n;
	size_t max;
	size_t bytes_left;
	uint32_t *slots; /* number and 1, or 0; a power of 2, more than twice as many as keys */
	size_t n_slots;
};

/* No more than max keys, of bytes all together. */
void vmt_key_table_init(struct vmt_key_table *t, size_t max, size_t bytes);
void vmt_key_table_done(struct vmt_key_table *t);
/* The number of a key, which is added where it is new. -ENOSPC where there is no room for it,
 * -ENOENT where it is new and add is false, -ENOMEM. */
int64_t vmt_key_table_take(struct vmt_key_table *t, struct vmt_bytes key, bool add);

/* Whether something is mapped that has a device and inode. The inode alone does not tell: that of
 * the first SysV segment of a namespace is 0. */
bool vmt_map_has_file(const struct vmt_map *m);

/*
 * Puts the identity of the file of a mapping into key: device, inode and, of a SysV segment, the
 * IPC namespace. False where it has none.
 */
bool vmt_map_file_key(const struct vmt_map *m, struct vmt_buf *key);
