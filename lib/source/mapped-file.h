/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

/*
 * Opens the file that a mapping of a live process is of, for reading: by the process's map_files/
 * (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), else by its path as seen from the root of the
 * process. The file is looked at before it is opened, so that no device, FIFO or socket is, and it
 * has to be the one that maps named: inode, and device where the path was followed.
 *
 * It may sleep for ever in the file system (FUSE, NFS), so it is for reader threads. A descriptor,
 * or -errno: -EPERM, -EACCES, -ENOENT (deleted), -ESTALE (another file), -EINVAL (no regular
 * file).
 */
int vmt_mapped_file_open(int pid_fd, const struct vmt_map *map);
