/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>

#include "model/rows.h"

/* What is known of a mapped file without opening it. */
struct vmt_mapped_file {
	int fd; /* O_PATH: it was looked up and nothing else; -1 where it could not be */
	unsigned type; /* S_IFMT of its mode */
	uint64_t rdev_major; /* of a device */
	uint64_t rdev_minor;
	bool has_names; /* the next one is known */
	bool deleted; /* no name leads to it any more */
	bool secret; /* memfd_secret(2) */
};

/*
 * Looks up the file that a mapping of a live process is of: by the process's map_files/
 * (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), else by its path as seen from the root of the process.
 * It has to be the one that maps named: inode, and device where the path was followed. No server
 * of a network file system is asked, and nothing of it is opened. The caller calls
 * vmt_mapped_file_done(), also on failure.
 *
 * It may sleep for ever where it has to follow the path, so it is for reader threads. 0, or -errno:
 * -EPERM, -EACCES, -ENOENT (deleted), -ESTALE (another file).
 */
int vmt_mapped_file_find(int pid_fd, const struct vmt_map *map, struct vmt_mapped_file *ret);
/* Opens it for reading. It may sleep for ever (FUSE, NFS). -EINVAL where it is no regular file, so
 * that no device, FIFO or socket is opened. */
int vmt_mapped_file_read(const struct vmt_mapped_file *file);
void vmt_mapped_file_done(struct vmt_mapped_file *file);

/* Whether a failure says that the file is not to be found by what maps said, or not any more, which
 * is nothing odd. */
static inline bool vmt_mapped_file_is_elsewhere(int code)
{
	return code == -ENOENT || code == -ESTALE || code == -ENOTDIR || code == -ELOOP;
}

/* Both in one: a descriptor to read the file that is mapped, or -errno. */
int vmt_mapped_file_open(int pid_fd, const struct vmt_map *map);
