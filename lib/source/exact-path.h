/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"

/*
 * maps writes a newline in a path as the four characters \012 and leaves a backslash as it is
 * (fs/proc/task_mmu.c get_vma_name(), seq_path() with "\n"): a path that has these four can be
 * another one than it looks. The kernel says which by PROCMAP_QUERY (Linux 6.11), or where
 * map_files leads to (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN); neither opens or asks the file.
 */

/* Of ioctl(), with sys/ioctl.h: include/uapi/linux/fs.h of Linux 6.11, with the size of its struct.
 */
#define VMT_PROCMAP_QUERY_SIZE 104
#define VMT_PROCMAP_QUERY      _IOWR('f', 17, char[VMT_PROCMAP_QUERY_SIZE])

/* Whether path can stand for two. */
bool vmt_path_is_ambiguous(struct vmt_bytes path);
/* Whether exact is what maps writes as written. */
bool vmt_path_is_written_as(struct vmt_bytes exact, struct vmt_bytes written);

/*
 * Puts the exact path into the rows that are ambiguous, with a copy in arena, and takes the mark
 * away; where it is not to be had both stay. task is of a live process, its rows are there, dir_fd
 * is its directory. 0, -ENOMEM, or -ETIMEDOUT where the job has no time left.
 */
int vmt_proc_exact_paths(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
			 struct vmt_arena *arena, struct vmt_proc_read *read);
