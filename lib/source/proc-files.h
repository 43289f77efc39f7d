/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"

/*
 * The mapped files of a process, of which task has the list of mappings, and what follows from
 * them. dir_fd is its directory. A file that is gone, not readable or another one by now leaves its
 * mappings without values; only where nothing could be had for want of rights is that a failure.
 * Each file has the time of a read of its own, as it may lie on a file system that does not answer.
 * 0, -E2BIG (more files than are looked at), -ENOENT in a recording, -EACCES, -EPERM, -ENOMEM.
 */

/* Fields of ELF: class and build-id of every file. */
int vmt_proc_read_elf(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
		      struct vmt_proc_read *read);
/*
 * Fields of ROLE. Files are looked up; only of those that have executable mappings are the headers
 * read. Without files, as in a recording, the roles are set that can be told without.
 */
int vmt_proc_read_roles(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
			struct vmt_proc_read *read);
