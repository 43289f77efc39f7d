/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/sample.h"

/*
 * Filling a sample. The cheap sources (the machine, the list of processes) are read by
 * vmt_collect(); the dear ones only for the processes and the fields that somebody asked for, by
 * vmt_collect_procs(), through the reader pool and inside its deadlines.
 */
struct vmt_collect_opts {
	const char *root; /* directory with a saved proc/ and sys/; NULL for this machine */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC moment after which nothing new is begun and
			       * what still runs is given up; 0 for none */
	uint64_t read_timeout_ns; /* for one file of one process; 0 for 2 s */
	unsigned readers; /* threads that read; 0 for one a processor, at most 8 */
	unsigned stuck_max; /* readers that may be stuck for good before the rest is skipped;
			     * 0 for 16 */
};

struct vmt_collector;

/*
 * Opens the root. -ENOENT or -ENOTDIR where root is no directory with a proc/, -ENODEV where the
 * live /proc is no procfs; err says which.
 */
int vmt_collector_new(const struct vmt_collect_opts *opts, struct vmt_collector **ret,
		      struct vmt_err *err);
/* Stuck readers are left behind with what they own; they end with the process. */
void vmt_collector_free(struct vmt_collector *c);
void vmt_collector_set_deadline(struct vmt_collector *c, uint64_t deadline_ns);
/* As it was set; 0 for none. */
uint64_t vmt_collector_deadline(const struct vmt_collector *c);

/* How long reading may hold the mmap lock of one process: SMAPS, ROLLUP and NUMA of one whose walk
 * may take longer by vmt_cost_walk_ns() are not read, which counts as skipped; the list of its
 * mappings is. That needs the RSS of the processes. UINT64_MAX, as at first, for no limit. */
void vmt_collector_set_budget(struct vmt_collector *c, uint64_t budget_ns);

/* Keeps the directories of the processes open, as far as there are descriptors for them, until the
 * next sample: vmt_collect_procs() then need not find out again which process it reads. */
#define VMT_COLLECT_HOLD (UINT64_C(1) << 61)

/*
 * For one sample after another: status, statm and stat of processes, as far as they are read, stay
 * open between them, as long as there are descriptors, and for no more processes than keep a few
 * MiB in the kernel. Such a file
 * is of one process for ever, and costs half as much to read. stat is not read again of a process
 * with one thread that, by schedstat, has not run since: nothing that it says of it has changed,
 * but that it may wait to run by now.
 */
#define VMT_COLLECT_KEEP (UINT64_C(1) << 60)

/*
 * Reads the cheap sources among sources (VMT_SOURCE_BIT; MEMINFO, VMSTAT, ZONEINFO, STATUS, STAT,
 * STATM, and KCMP, which needs STATUS and STAT; PIDS alone stands for these two) and fills host,
 * system and procs, of which it sets what these files say. Where dear sources will follow, STAT
 * must be among them: with pid the start time is the identity of a process. pids limits the
 * processes to n_pids of them (NULL: all); one that does not exist is left out and no error. The
 * caller frees the sample. A source that cannot be read is noted in the sample and is no failure;
 * -ENOMEM and the like are.
 */
int vmt_collect(struct vmt_collector *c, uint64_t sources, const uint64_t *pids, size_t n_pids,
		struct vmt_sample **ret, struct vmt_err *err);

/*
 * Reads STATUS, CGROUP or both of n processes that a sample has, given as indices into s->procs,
 * and sets the fields of these two sources. Of one that ended or is not permitted, and of one
 * without a start time, by which it would be known again, nothing changes. With VMT_COLLECT_KEEP
 * the files stay open for the next sample. -ENOMEM is the only failure.
 */
int vmt_collect_files(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		      const size_t *indices, size_t n, struct vmt_err *err);

/* SMAPS is read without the list before it, which is dearer by an eighth: the residency belongs to
 * the list where the size of the address space, before or after, is that of the rows. A process
 * whose smaps does not answer then has no rows. */
#define VMT_COLLECT_ONCE (UINT64_C(1) << 60)

/* With MAPS, and nothing that needs the rows: fills maps_total and keeps no mappings. */
#define VMT_COLLECT_COUNT (UINT64_C(1) << 63)

/* The fields of SMAPS that PAGEMAP gives as well, from there; from SMAPS of a recording, and where
 * pagemap may not be read or would cost more. */
#define VMT_COLLECT_CHEAP (UINT64_C(1) << 62)

/*
 * Reads dear sources (MAPS, SMAPS, ROLLUP, PAGEMAP, WORDS, KPAGECOUNT, FORECAST, ELF) of n
 * processes, given as indices into s->procs. All but ROLLUP imply MAPS; WORDS gives what PAGEMAP
 * does. Fills s->maps[index], the fields of those sources in the process (maps_total, pss_bytes,
 * read_status, ...), s->sources and s->issues. A process that cannot be read costs its own values
 * and nothing else; one in which a reader is stuck is not read again until that reader is back, and
 * one failure of a source for a process is noted once in a sample.
 */
int vmt_collect_procs(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		      const size_t *indices, size_t n, struct vmt_err *err);

/*
 * Takes mappings of the process at index, in order of address; they end when it returns. last: all
 * of that process came, and what is known of it as a whole is in s; then n may be 0. A negative
 * result ends the reading.
 */
typedef int vmt_rows_fn(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last);

/*
 * The same, but the mappings are not kept: fn gets those of the processes in the order of indices,
 * while others are still being read. Memory does not grow with their number, nor, but for some
 * hundred bytes each, with that of the processes. s->maps[index] has no rows afterwards. What fn
 * returned, where that was negative; else as above.
 */
int vmt_collect_rows(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		     const size_t *indices, size_t n, vmt_rows_fn *fn, void *arg,
		     struct vmt_err *err);
