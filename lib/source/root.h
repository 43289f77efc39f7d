/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Where everything is read from: this machine, or a directory with a saved proc/ (and sys/, etc/).
 * All files are opened relative to directory descriptors, never by a path that was put together,
 * and no symbolic link on the way is followed.
 *
 * A root is counted: a reader thread that was left behind in the kernel keeps the descriptors that
 * it uses, so that their numbers cannot come to mean other files.
 */
struct vmt_root {
	unsigned refs; /* through vmt_root_ref() alone */
	int fd; /* the directory itself; "/" on the live machine */
	int proc_fd;
	bool live;
	char *path; /* as it was named; empty for the live machine */

	/* Facts that do not change while we look. */
	uint64_t page_size; /* bytes */
	uint64_t user_hz; /* ticks a second; 0 where a fixture does not say */
	uint64_t cpus; /* 0 where unknown */
	uint64_t euid; /* UINT64_MAX where a fixture does not say */
	uint64_t realtime_ns; /* of the recording; 0 on the live machine */
	uint64_t monotonic_ns;
	uint64_t boottime_ns;
	char release[72];
	char machine[72];
	char boot_id[40];
};

/*
 * Opens dir, or the live machine where it is NULL. A saved machine says about itself in
 * DIR/vmtop-fixture ("key value" a line: page_size, user_hz, release, machine, realtime_ns,
 * monotonic_ns, boottime_ns, cpus, euid); its page size is never guessed.
 *
 * -ENOENT or -ENOTDIR where dir has no proc/, -EINVAL where the live /proc is no procfs or where a
 * saved machine does not know its page size; -ENOMEM.
 */
int vmt_root_open(const char *dir, struct vmt_root **ret, struct vmt_err *err);
struct vmt_root *vmt_root_ref(struct vmt_root *root);
/* The last one closes the descriptors; NULL is fine. May be called from any thread. */
void vmt_root_unref(struct vmt_root *root);

/*
 * Opens a file below a directory descriptor for reading: close-on-exec, never a controlling
 * terminal, no symbolic link in any part of the path: by openat2() (Linux 5.6), or name by name. A
 * descriptor, or -errno.
 */
int vmt_open_at(int dir_fd, const char *path);
/* The same for a directory that is only used to open things below it. */
int vmt_open_dir_at(int dir_fd, const char *path);
/* The directory of a process; -ESRCH where there is none. */
int vmt_root_open_pid(const struct vmt_root *root, uint64_t pid);

/*
 * Reads a whole file behind what buf holds, at most max bytes of it (-EFBIG above). The number of
 * bytes, or -errno; -ESRCH also where a file of a process vanished (ENOENT).
 */
int64_t vmt_slurp_at(int dir_fd, const char *path, struct vmt_buf *buf, size_t max);
/* The rest of an open file, in the same way. */
int64_t vmt_slurp_fd(int fd, struct vmt_buf *buf, size_t max);

/* What a clock says, in ns; 0 where it cannot be read. */
uint64_t vmt_now_ns(clockid_t clock);
