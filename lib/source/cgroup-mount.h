/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "source/root.h"

/* The hierarchy that has the memory controller. */
struct vmt_cgroup_mount {
	int fd; /* its first directory that can be seen; -1 where there is none */
	unsigned version; /* 1 or 2 */
	bool above_hidden; /* that directory is not the root of the hierarchy */
	bool recursive; /* memory_recursiveprot */
	struct vmt_buf point; /* where it is mounted */
};

/*
 * Finds it in the mount table: version 1 with the controller memory, else version 2 where it has
 * that controller. What is mounted whole goes before a part. -ENOENT with the reason where there is
 * none; -EACCES and the like where it cannot be opened; -ENOMEM. The caller ends ret with
 * vmt_cgroup_mount_done(), whatever came out.
 */
int vmt_cgroup_mount_find(const struct vmt_root *root, struct vmt_cgroup_mount *ret,
			  struct vmt_err *err);
void vmt_cgroup_mount_done(struct vmt_cgroup_mount *m);

/*
 * The cgroup that path means, as "/a/b": path as it is within the hierarchy, with or without the
 * slash in front, or with the mount point in front. Appends it to ret. -EINVAL where it leads up;
 * -ENOMEM.
 */
int vmt_cgroup_mount_path(const struct vmt_cgroup_mount *m, const char *path, struct vmt_buf *ret);
