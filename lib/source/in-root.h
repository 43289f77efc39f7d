/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Opens a path as it is seen from a root (O_PATH): links on the way lead nowhere else, and ".."
 * ends at it; those of /proc that lead to open files are not followed. By openat2(2),
 * RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS; where that is not to be had (ENOSYS: before Linux 5.6,
 * and in the sandbox) name by name. The descriptor is the caller's; -errno, and -ELOOP too for a
 * link that is not followed.
 */
int vmt_open_in_root(int root_fd, const char *path);
/* The same name by name, whether openat2() is there or not. */
int vmt_walk_in_root(int root_fd, const char *path);
