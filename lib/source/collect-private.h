/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/pids.h"
#include "source/proc-job.h"
#include "source/users.h"

/* Processes in which a reader is stuck: another one would be lost in them too. */
struct vmt_stuck {
	uint64_t pid;
	uint64_t start_time_ns;
	struct vmt_job *job; /* a reference */
};

struct vmt_stuck_list {
	struct vmt_stuck *items;
	size_t n;
	size_t cap;
};

/* What collect-procs.c and collect-files.c need of a collector; they stay the collector's. */
const struct vmt_users *vmt_collector_users(const struct vmt_collector *c);
struct vmt_pool *vmt_collector_pool(struct vmt_collector *c);
struct vmt_proc_shared *vmt_collector_shared(struct vmt_collector *c);
uint64_t vmt_collector_budget(const struct vmt_collector *c);
struct vmt_stuck_list *vmt_collector_stuck(struct vmt_collector *c);
/* The directory of a process that vmt_collect() left open (VMT_COLLECT_HOLD), which is the caller's
 * then; -1 where there is none. */
int vmt_collector_take_dir(struct vmt_collector *c, uint64_t pid);

/* The cost of a cheap source, measured around its reads in one thread. */
struct vmt_meter {
	uint64_t cpu_ns;
	uint64_t wall_ns;
};

struct vmt_meter vmt_meter_begin(void);
void vmt_meter_end(const struct vmt_meter *m, struct vmt_source_stat *st);

/* Notes the failure of a source about the machine; what is no fault of the source is returned. */
int vmt_machine_failed(struct vmt_sample *s, enum vmt_source_id id, int r,
		       const struct vmt_err *err);

/* What reading a source about the machine came to: n bytes, or a negative errno. 0 or -ENOMEM. */
int vmt_machine_done(struct vmt_sample *s, enum vmt_source_id id, const struct vmt_meter *m,
		     int64_t n, const struct vmt_err *err);

/* iomem: the ranges whose names begin so, as rows in the arena of s. 0 or -ENOMEM. */
int vmt_collect_regions(struct vmt_root *root, struct vmt_sample *s, const char *prefix,
			struct vmt_region **ret, size_t *ret_n);

/* Files of processes that stay open from one sample to the next, in order of pid. */
struct vmt_kept {
	struct vmt_kept_files {
		uint64_t pid;
		/* -1 where it is not open */
		int status;
		int statm;
		int stat;
		int schedstat; /* in place of stat, where last is what that said */
		struct vmt_kept_stat *last; /* heap */
		bool runs; /* stat is to be read each time: several threads, or no schedstat */
	} * procs;
	size_t n;
};

void vmt_kept_done(struct vmt_kept *kept);

/* Longer ones are not remembered. */
#define VMT_KEPT_COMM_MAX 64
#define VMT_KEPT_RAN_MAX  64

/*
 * What stat said of a process with one thread, and before that schedstat. While that says the same
 * the thread has not run, and so nothing of this has changed: whatever faults, or changes its name,
 * runs; the counters are those of who runs (mm/memory.c, mm_account_fault()).
 */
struct vmt_kept_stat {
	char ran[VMT_KEPT_RAN_MAX]; /* the text of schedstat */
	size_t ran_len;
	uint64_t ppid;
	uint64_t minor_faults_total;
	uint64_t major_faults_total;
	uint64_t start_time_ns;
	uint64_t flags;
	struct vmt_bytes state; /* constant */
	char comm[VMT_KEPT_COMM_MAX];
	size_t comm_len;
};

/* Reads schedstat of a process below proc_fd, from kept->schedstat where that is open, which it
 * then is, into ran, of VMT_KEPT_RAN_MAX bytes. The length; 0 where it does not say. */
size_t vmt_kept_ran(int proc_fd, struct vmt_kept_files *kept, char *ran);
/* Remembers what p is by stat, which was read after ran. Where it cannot be, nothing is. */
void vmt_kept_remember(struct vmt_kept_files *kept, const char *ran, size_t ran_len,
		       const struct vmt_proc *p, const struct vmt_pid_facts *facts);
void vmt_kept_forget(struct vmt_kept_files *kept);
/* Sets in p what stat would say, but for what is known of it already; arena NULL: without comm. 0
 * or -ENOMEM. */
int vmt_kept_recall(const struct vmt_kept_stat *last, struct vmt_arena *arena, struct vmt_proc *p,
		    struct vmt_pid_facts *facts);

/* The same of the processes that vmt_collect_files() read of this sample or of the one before. */
struct vmt_kept_rows {
	struct vmt_kept_row {
		uint64_t pid;
		uint64_t start_time_ns;
		/* -1 where it is not open */
		int status;
		int cgroup;
		uint64_t used_ns; /* by the sample of that moment */
	} * rows;
	size_t n, cap;
	uint64_t now_ns, before_ns; /* moments of these samples */
};

void vmt_kept_rows_done(struct vmt_kept_rows *kept);
struct vmt_kept_rows *vmt_collector_kept_rows(struct vmt_collector *c);

/* Directories of processes, in order of pid. */
struct vmt_held {
	struct vmt_held_dir {
		uint64_t pid;
		int fd; /* -1 once it was taken */
	} * dirs;
	size_t n;
};

void vmt_held_done(struct vmt_held *held);
int vmt_held_take(struct vmt_held *held, uint64_t pid);

struct vmt_list_opts {
	const struct vmt_root *root;
	const struct vmt_users *users;
	uint64_t sources; /* VMT_PID_FILES, VMT_COLLECT_HOLD, VMT_COLLECT_KEEP */
	const uint64_t *pids; /* NULL for all */
	size_t n_pids;
	struct vmt_held *hold; /* empty; gets the directories where they are to be held */
	struct vmt_kept *keep; /* of the sample before; gets those of this one */
};

/*
 * Fills s->procs from the files of each process that were asked for. 0, or -ENOMEM; a list that
 * cannot be read is noted in the sample.
 */
int vmt_collect_list(const struct vmt_list_opts *opts, struct vmt_sample *s);
