/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"

/*
 * Whether a store that makes a page of a shared mapping dirty is made twice, and major: where the
 * kernel gave up the lock to wait for its disks (89b15332af7c, 5.5), up to 5.19 (d92725256b4f).
 * Found out with a page of our own.
 */
bool vmt_forecast_stores_major(void);

/*
 * The part of a job that forecasts the faults of each mapping that the task has already: the page
 * tables by pagemap, in slices, and for what is not mapped the page cache. fd is the open pagemap,
 * dir_fd the directory of the process. Files of which nobody tells us, mappings of hugetlb and of
 * devices, and what may not be accessed at all stay unknown. task->lock is taken where rows change.
 *
 * 0, -EACCES or -EPERM where that goes for all of them, -E2BIG where mappings were too long for a
 * kernel without PAGEMAP_SCAN, -ENOENT where the process is no live one, or what pagemap says.
 */
int vmt_proc_read_forecast(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd, int fd,
			   struct vmt_proc_read *read);
