/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "source/root.h"

/* A line of /proc/PID/mountinfo (proc(5)). Strings are the table's, without the kernel's escapes.
 */
struct vmt_mount {
	uint64_t id;
	uint64_t major; /* of the superblock (s_dev), which statx(2) of btrfs does not say */
	uint64_t minor;
	struct vmt_bytes root; /* directory of the file system that is mounted */
	struct vmt_bytes point; /* as seen from our root directory */
	struct vmt_bytes fs_type; /* with its subtype: "fuse.sshfs" */
	struct vmt_bytes options; /* of the file system, not of the mount: words with commas */
};

/* The mounts of our own namespace, in the order of the kernel. Not changed once it is made, and so
 * of any thread. */
struct vmt_mounts {
	unsigned refs; /* through vmt_mounts_ref() alone */
	struct vmt_arena arena;
	struct vmt_mount *mounts;
	size_t n;
	size_t cap;
	int error; /* 0, or why they could not be read: a negative errno */
};

/* Reads them, of a saved machine those of "self" or of process 1; none where that cannot be read,
 * with the error, which a saved machine without such a file is not. NULL on ENOMEM. */
struct vmt_mounts *vmt_mounts_load(const struct vmt_root *root);
/* The same of a text; a line that is none is left out. NULL on ENOMEM. */
struct vmt_mounts *vmt_mounts_parse(struct vmt_bytes mountinfo);
struct vmt_mounts *vmt_mounts_ref(struct vmt_mounts *m);
void vmt_mounts_unref(struct vmt_mounts *m);

/* The mount of that id (statx(2), STATX_MNT_ID), or NULL. */
const struct vmt_mount *vmt_mounts_by_id(const struct vmt_mounts *m, uint64_t id);
/*
 * A mount of a superblock under which path, from the root of the file system on, can be seen: the
 * one that shows the most of it, and of several such the one with the shortest name. NULL where it
 * is mounted elsewhere alone.
 */
const struct vmt_mount *vmt_mounts_of(const struct vmt_mounts *m, uint64_t major, uint64_t minor,
				      struct vmt_bytes path);

/* Whether its file system was given that option. */
bool vmt_mount_has(const struct vmt_mount *m, const char *option);

/* Whether a file of it may have to ask somebody who does not answer: a server or a daemon. Where it
 * is not known what it is (len 0) it may. */
bool vmt_fs_may_wait(struct vmt_bytes fs_type);
/* Whether its files are made when they are read, and have no pages: procfs and the like. */
bool vmt_fs_is_pseudo(struct vmt_bytes fs_type);
