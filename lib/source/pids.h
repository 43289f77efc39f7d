/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"
#include "source/root.h"

/*
 * /proc/PID/{stat,statm,status,cgroup}: documented in proc(5), cgroups(7) and in the kernel's
 * Documentation/filesystems/proc.rst. None of them can be made to block by the process.
 */

/* include/linux/sched.h */
#define VMT_PF_EXITING UINT64_C(0x00000004)
#define VMT_PF_KTHREAD UINT64_C(0x00200000)

/* The files, as VMT_SOURCE_BITs. */
#define VMT_PID_FILES                                                                              \
	(VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(STATM) |                   \
	 VMT_SOURCE_BIT(CGROUP))

struct vmt_pid_cost {
	uint64_t reads;
	uint64_t bytes;
};

/* What the files say beside the fields of a process. */
struct vmt_pid_facts {
	uint64_t flags; /* stat: PF_ flags */
	bool kthread; /* by either file */
	bool told_kthread; /* one of them says whether it is one: stat, or status from Linux 6.8 on
			    */
	bool has_status;
	bool has_mm; /* status: it has an address space */
	uint64_t vsize_bytes; /* status: VmSize, where has_mm */
	uint64_t unknown_keys;
	bool no_cgroup; /* this kernel has no cgroups */
	int headless; /* why no thread of a process whose first has ended says what it uses; or 0 */
	struct vmt_pid_cost status, stat, statm, cgroup;
};

/* The text of a state: the letter itself, "?" where no kernel has it. Constant. */
struct vmt_bytes vmt_pid_state(char letter);

/*
 * stat. The name is what stands between the first '(' and the last ')': it may hold anything.
 * Sets ppid, state, threads, the fault counters, start_time_ns (unless user_hz is 0) and, where
 * arena is not NULL, comm. -EINVAL, -ERANGE, -ENOMEM.
 */
int vmt_pid_stat_parse(struct vmt_bytes text, uint64_t user_hz, struct vmt_arena *arena,
		       struct vmt_proc *p, struct vmt_pid_facts *facts, struct vmt_err *err);
/* statm: vsize_bytes and rss_bytes. */
int vmt_pid_statm_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_proc *p,
			struct vmt_err *err);
/* status: uid, ppid, state, threads, the Vm and Rss keys and, where arena is not NULL, comm with
 * its escapes undone. */
int vmt_pid_status_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p,
			 struct vmt_pid_facts *facts, struct vmt_err *err);
/* cgroup: the path of the memory controller's hierarchy (version 1), else that of version 2, as it
 * is written there. A process without either leaves it unset. -ENOMEM. */
int vmt_pid_cgroup_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p);
/*
 * Once all is there: sets class, and takes back what the kernel printed as 0 because there is
 * nothing to measure (a kernel thread or a zombie has no address space).
 */
void vmt_pid_settle(struct vmt_proc *p, const struct vmt_pid_facts *facts);

/*
 * Opens the directory of a thread that lives, for a process whose first thread has ended: its own
 * files say nothing about the memory that the others still use. -ESRCH where there is none, or why
 * it is not known whether there is one.
 */
int vmt_pid_open_live_task(int pid_fd, uint64_t pid);
/* Whether p is such a process. */
bool vmt_pid_is_headless(const struct vmt_proc *p);
/* Reads the memory of p through such a thread, out of its status. */
int vmt_pid_read_headless(const struct vmt_root *root, int pid_fd, struct vmt_proc *p,
			  struct vmt_pid_facts *facts, struct vmt_err *err);

/*
 * Reads those files of a process that sources has (VMT_PID_FILES) through its directory, so that
 * they are of one process. All but user that they say is set; p->pid is pid. -ESRCH where it ended,
 * also half-way.
 */
int vmt_pid_read(const struct vmt_root *root, uint64_t pid, uint64_t sources,
		 struct vmt_arena *arena, struct vmt_proc *p, struct vmt_pid_facts *facts,
		 struct vmt_err *err);
/*
 * Reads one of them, below dir_fd, by its path there, and parses it. Each of them is made whole for
 * the first read (fs/seq_file.c, single_open()), so that a read which leaves room has all of it.
 * buf is the caller's, to be used again. Where keep is not NULL, *keep is the file, still open from
 * an earlier call (then it is read anew, of the same process or not at all), or -1 and gets it.
 */
int vmt_pid_read_file(const struct vmt_root *root, int dir_fd, const char *path, int *keep,
		      enum vmt_source_id source, struct vmt_buf *buf, struct vmt_arena *arena,
		      struct vmt_proc *p, struct vmt_pid_facts *facts, struct vmt_err *err);

/* All process ids below the root, in ascending order; the caller frees them. */
int vmt_pids_list(const struct vmt_root *root, uint64_t **ret, size_t *ret_n, struct vmt_err *err);
