/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Small files of a process that only who asks for them pays for. For proc-job.c alone. */

#include "source/proc-job.h"

/*
 * Reads the files of OOM or CMDLINE into task->rollup, whose fields of that source are then those
 * of the process behind dir_fd. 0; -ENOENT where a recording lacks them; -ESRCH where the process
 * has ended; -EIO where the text is no number, or what reading it says.
 *
 * fs/proc/base.c: proc_oom_score() is computed without a lock of the process; get_mm_cmdline()
 * reads memory of the process by access_remote_vm(), which waits for its mmap lock, and for whoever
 * serves the pages: userfaultfd, FUSE.
 */
int vmt_proc_read_text(struct vmt_proc_task *task, enum vmt_source_id source, int dir_fd,
		       struct vmt_proc_read *read);

/* The words of a command line, each with a NUL behind it, with spaces between; the text is arena's.
 * NULs at the end, which setproctitle() leaves, are no words. -ENOMEM. */
int vmt_proc_cmdline_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_bytes *ret);
