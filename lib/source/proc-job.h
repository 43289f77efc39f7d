/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/rows.h"
#include "model/sample.h"
#include "source/devices.h"
#include "source/pagemap.h"
#include "source/reader.h"
#include "source/root.h"

/*
 * The dear files of one process, read in one job of the reader pool. What all jobs share does not
 * change and is counted, as a job can outlive the one who asked for it.
 */
struct vmt_file_cache; /* source/file-cache.h */

struct vmt_proc_shared {
	unsigned refs; /* through the two functions alone */
	struct vmt_root *root;
	/* By vmt_proc_shared_load(), for the jobs that need them. */
	uint64_t loaded; /* VMT_SOURCE_BIT */
	struct vmt_devices devices;
	struct vmt_file_cache *files; /* for ELF and ROLE */
	uint64_t around_bytes; /* what a fault of a file maps around it, for FORECAST */
	bool stores_major; /* vmt_forecast_stores_major() */
	/* By the thread that drives the pool. */
	bool rollup_tried;
	bool rollup_loses; /* smaps_rollup leaves mappings out on this kernel */
	/* Nothing was in swap when the last jobs for pages were made; atomic. */
	bool swap_idle;
	pthread_mutex_t lock; /* of the two below */
	bool learned;
	struct vmt_pagemap_facts pagemap; /* of this kernel; nothing where root is not live */
};

/* Takes root over with one reference, also on failure; NULL on ENOMEM. */
struct vmt_proc_shared *vmt_proc_shared_new(struct vmt_root *root);
void vmt_proc_shared_unref(struct vmt_proc_shared *shared);
/* Reads what jobs for these sources need to know of the machine before such jobs are made: once,
 * but for whether swap is in use, which changes. 0 or -ENOMEM. */
int vmt_proc_shared_load(struct vmt_proc_shared *shared, uint64_t sources);
/* What pagemap tells here, found out when the first job needs it; from any thread. It does not
 * change after that. */
const struct vmt_pagemap_facts *vmt_proc_shared_pagemap(struct vmt_proc_shared *shared);

/* How one source of one process went. */
struct vmt_proc_read {
	bool tried;
	int code; /* 0 or -errno; -EXDEV: the process changed under the read, what is there is part
		   */
	uint64_t reads;
	uint64_t bytes;
	uint64_t cpu_ns;
	uint64_t longest_ns;
	uint64_t unknown_keys;
	unsigned doubts; /* VMT_DOUBT_* */
	/* Where code is one of a failure: what is known of it, or NULL. In the arena of the task;
	 * while the source is read, the reader's, to be filled. */
	struct vmt_err *err;
};

/* The sources that a job reads stand beside each other; an account of each source that there is
 * would be most of a task, of which there are as many as processes. */
#define VMT_PROC_FIRST VMT_SOURCE_MAPS
#define VMT_PROC_LAST  VMT_SOURCE_CMDLINE
#define VMT_PROC_SLOTS (VMT_PROC_LAST - VMT_PROC_FIRST + 1)
/* VMT_SOURCE_BIT of all of them. */
#define VMT_PROC_SOURCES ((UINT64_C(1) << (VMT_PROC_LAST + 1)) - (UINT64_C(1) << VMT_PROC_FIRST))

/* The account of a source in vmt_proc_task.read. */
static inline unsigned vmt_proc_slot(enum vmt_source_id source)
{
	return (unsigned)source - VMT_PROC_FIRST;
}

/*
 * Input and result of a job. A stage that was finished is put into the result before the next one
 * is begun, so that it is not lost where that one never comes back.
 */
struct vmt_proc_task {
	struct vmt_proc_shared *shared;
	uint64_t sources; /* VMT_SOURCE_BIT; and VMT_COLLECT_CHEAP: SMAPS where PAGEMAP fails */
	uint64_t pid;
	uint64_t start_time_ns;
	bool check_start; /* start_time_ns is known */
	/* How often all of its threads had faulted before the list was read, where that is known.
	 */
	bool has_faults;
	uint64_t faults;
	uint64_t listed_bytes; /* size of its address space when it was listed; UINT64_MAX: unknown
				*/
	bool count_only; /* of MAPS only the number: maps stays NULL */
	/* Rows that are kept at most, 0 for all. A process with more mappings hands them over in
	 * parts, struct vmt_proc_part, while the list is read, and maps stays NULL. */
	size_t batch;
	int dir_fd; /* of the process, the task's; -1: it is opened by its number */

	struct vmt_arena arena; /* owns all strings; the job's while it runs */
	/* Changed under the lock, and only by the job. */
	pthread_mutex_t lock;
	/* The text of maps, where it was read before smaps: its rows are made when they are needed,
	 * because smaps did not answer. Not there where it has more than batch rows. */
	struct vmt_buf list;
	struct vmt_map *maps; /* heap */
	size_t n_maps;
	size_t maps_total; /* also where the rows are not kept; where has_total */
	bool has_total;
	uint64_t commit_bytes; /* by smaps, where has_commit */
	bool has_commit;
	struct vmt_map *kept; /* for who asked: where it moved maps to */
	bool has_maps;
	bool in_parts;
	bool consistent;
	bool compared; /* the list with what was there after pagemap */
	struct vmt_proc rollup; /* fields of ROLLUP, OOM and CMDLINE alone */
	uint64_t ended_ns; /* CLOCK_MONOTONIC, by the job as the last thing; 0 before */
	struct vmt_proc_read read[VMT_PROC_SLOTS]; /* by vmt_proc_slot() */
};

/* Some mappings of a process, complete. */
struct vmt_proc_part {
	struct vmt_arena arena; /* strings of maps */
	struct vmt_map *maps; /* heap */
	size_t n;
};

/* Takes a struct vmt_proc_part. */
void vmt_proc_part_free(void *part);

/* A job for vmt_pool_run(), or with batch for vmt_pool_run_ordered(); its stage is the source that
 * it reads. count_only counts for MAPS alone. dir_fd is the directory of p, which the job takes
 * over, also on failure, or -1. NULL on ENOMEM. */
struct vmt_job *vmt_proc_job_new(struct vmt_proc_shared *shared, uint64_t sources, bool count_only,
				 size_t batch, const struct vmt_proc *p, int dir_fd);

/* A copy in the arena; NULL where err says nothing, or without memory for it. */
struct vmt_err *vmt_proc_keep_err(struct vmt_arena *arena, const struct vmt_err *err);

struct vmt_maps_parser;

/* The sum over a list that was read with that code, by who holds the lock: known of all of it, or
 * not at all. */
void vmt_proc_keep_commit(struct vmt_proc_task *task, const struct vmt_maps_parser *parser,
			  int code);
/* Puts the rows of a parser, which read the list with that code, into the task, in place of those
 * that it has; whole: these are all. */
void vmt_proc_keep_maps(struct vmt_proc_task *task, struct vmt_maps_parser *parser, bool whole,
			int code);
/* Sets what the task has as sums over the mappings of the process. */
void vmt_proc_task_sums(const struct vmt_proc_task *task, struct vmt_proc *p);

/* Rows out of the text of the list, which was parsed before, with strings in arena; 0 or -ENOMEM.
 */
int vmt_proc_parse_list(const struct vmt_proc_task *task, struct vmt_arena *arena,
			struct vmt_map **ret, size_t *ret_n);

/*
 * For a job that was left behind: copies what it has finished, strings included, into a task of the
 * caller's, whose arena owns it. 0, or -ENOMEM with a task that has nothing.
 */
int vmt_proc_job_copy(struct vmt_job *job, struct vmt_proc_task *ret);
