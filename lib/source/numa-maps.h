/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"

/*
 * /proc/PID/numa_maps, a line for each mapping: where its pages are, by node. fs/proc/task_mmu.c
 * show_numa_map(), Documentation/filesystems/proc.rst. The kernel walks the page tables of a
 * mapping for its line, under the mmap lock.
 */

/* What a line says; texts lie in the line. */
struct vmt_numa_line {
	uint64_t start;
	struct vmt_bytes policy; /* "default", "bind:0-1", "prefer (many):1", ... */
	struct vmt_bytes nodes; /* "N0=12 N1=4": in pages of page_size; empty where it has none */
	bool has_page_size; /* the next one is known: kernelpagesize_kB, where there are pages */
	uint64_t page_size; /* bytes */
	uint64_t unknown; /* words that this version does not know */
};

/* 0, -EINVAL, -ERANGE. */
int vmt_numa_line_parse(struct vmt_bytes line, struct vmt_numa_line *ret);

/*
 * Reads it into the mappings of task, whose list is there; dir_fd is the directory of the process.
 * -EXDEV where the list is another one by now (what fits is set), -ENOENT where the kernel has no
 * NUMA, -ETIMEDOUT where the job has no time left, and errors of reading and parsing.
 */
int vmt_proc_read_numa(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
		       struct vmt_proc_read *read);
