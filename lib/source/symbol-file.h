/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/proc-job.h"
#include "source/symbol-text.h"

/*
 * Names for the addresses of one place, found by a job of the reader pool: a mapped file may lie on
 * a file system that does not answer.
 */
enum vmt_symbol_place {
	VMT_SYMBOL_FILE, /* offsets in an ELF file, with its debug file where it is stripped */
	VMT_SYMBOL_PERF_MAP, /* addresses of a process, in the map of its compiler */
	VMT_SYMBOL_KERNEL, /* addresses of the kernel */
};

/* Input and result; owned by the job while it runs. */
struct vmt_symbol_task {
	struct vmt_proc_shared *shared;
	struct vmt_arena arena; /* owns all strings and arrays */
	enum vmt_symbol_place place;
	uint64_t pid; /* one that lived and maps the file, or whose map it is; 0 for none */
	uint64_t gone_pid; /* PERF_MAP: of a process that has ended, where pid is 0 */
	uint64_t not_before_ns; /* PERF_MAP: since 1970; an older one is of another process */
	struct vmt_map map; /* FILE: start and end (0 without pid), path, inode, device */
	struct vmt_text_symbol *wanted; /* in ascending order of address */
	size_t n;
	uint64_t cpu_ns;
	uint64_t longest_ns;
};

/* Takes task over, also on failure; NULL on ENOMEM. -ESTALE where the file is another one by now,
 * or the map of a compiler is of another user or older than the process; -ENOENT where there is
 * none. */
struct vmt_job *vmt_symbol_job_new(struct vmt_symbol_task *task);
/* An empty task for n addresses; NULL on ENOMEM. */
struct vmt_symbol_task *vmt_symbol_task_new(struct vmt_proc_shared *shared,
					    enum vmt_symbol_place place, size_t n);
