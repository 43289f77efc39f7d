/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"
#include "source/proc-space.h"

/*
 * The part of a job that reads pagemap, for mappings that the task has already. fd is the open
 * pagemap of the process; what it cost goes to read. task->lock is taken where rows change, as the
 * one who asked may copy them meanwhile.
 */

/* For struct vmt_pagemap_stop, of a job. A process of TiBs takes seconds in slices, and is not
 * stuck: each slice has its own time, and the deadline of the whole stays. */
bool vmt_proc_pagemap_stop(void *job);
/* Adds what the calls cost. */
void vmt_proc_pagemap_cost(struct vmt_proc_read *read, const struct vmt_pagemap *pm);
/* r, with its words where the time was over; -E2BIG where nothing failed, but mappings were too
 * long for a kernel without PAGEMAP_SCAN. */
int vmt_proc_pagemap_result(struct vmt_proc_read *read, int r, bool left_out);

/* All mappings of a process, in one piece. */
struct vmt_proc_whole {
	int dir_fd;
	uint64_t size_bytes; /* sum of the ranges that the list has */
	/* What the address space was behind the pages, where known. */
	bool known;
	struct vmt_proc_space now;
};

/*
 * Residency of each mapping, by the words where words is set. whole is NULL where the mappings are
 * some of those of the process. What vmt_residency_sum() says, and -E2BIG where mappings were left
 * out.
 */
int vmt_proc_read_residency(struct vmt_proc_task *task, struct vmt_job *job, int fd, bool words,
			    struct vmt_proc_whole *whole, struct vmt_proc_read *read);
/* Takes the figures away again: fd was of another address space. */
void vmt_proc_drop_residency(struct vmt_proc_task *task);

/*
 * pss_sliced of each mapping, from the frames of its pages and /proc/kpagecount. -EPERM where
 * frames are not shown to us (CAP_SYS_ADMIN), or what opening kpagecount says (-ENOENT without
 * CONFIG_PROC_PAGE_MONITOR).
 */
int vmt_proc_read_pss(struct vmt_proc_task *task, struct vmt_job *job, int fd,
		      struct vmt_proc_read *read);
