/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"
#include "source/root.h"

/*
 * What the small files of a process say of its address space while, or after, the large ones are
 * read. dir_fd is the directory of the process, or of a thread of it.
 */

/* Whether the process has ended since it was opened, or is about to: its files then are empty
 * without an error. */
bool vmt_proc_has_ended(int dir_fd);

/*
 * What a file without a byte means: 0, the address space has no mapping, which status says too;
 * -ESRCH, the process has ended; -EXDEV, it has another address space since the file was opened.
 */
int vmt_proc_why_empty(int dir_fd);

/* The address space as a whole, now. */
struct vmt_proc_space {
	uint64_t size_bytes;
	uint64_t anon_bytes; /* resident and of no file: what statm calls resident less shared */
};

/* How often the threads of a process have faulted, as its stat said when p was filled; false where
 * it did not. */
bool vmt_proc_faults(const struct vmt_proc *p, uint64_t *ret);
/* The same, now. dir_fd is the directory of the process, not of a thread. */
bool vmt_proc_faults_now(int dir_fd, uint64_t *ret);

/* Opens statm, to be read more than once; a descriptor or -errno. */
int vmt_proc_space_open(int dir_fd);
/* Reads it anew; false where it does not say, or fd is none. */
bool vmt_proc_space_read(const struct vmt_root *root, int fd, struct vmt_proc_space *ret);
/* Both; for who asks once. */
bool vmt_proc_space_now(const struct vmt_root *root, int dir_fd, struct vmt_proc_space *ret);
/* Whether it has that size, now. */
bool vmt_proc_space_is(const struct vmt_root *root, int dir_fd, uint64_t size_bytes);
