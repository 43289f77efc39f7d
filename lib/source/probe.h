/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/fault-raw.h"

/*
 * Counting page faults, on the best rung that this machine, build and privilege allow: open, start,
 * read as often as wanted, stop, read, close. A probe is used by one thread. Everything that it has
 * in the kernel hangs on descriptors of this process: killing it leaves nothing.
 */

struct vmt_probe_opts {
	enum vmt_rung_id rung; /* this one and no other; NONE for the best that works */
	const pid_t *pids; /* processes to watch; all where n_pids is 0 */
	size_t n_pids;
	bool follow; /* with pids: their children too; not on the rung "proc" */
	/* VMT_HAVE_ bits that nobody asks for: what gives nothing else is not attached. */
	uint32_t without;
	bool filemap; /* calls of filemap_fault, by file */
	enum vmt_stack_depth stacks; /* faults by stack; on the rungs with BPF */
	uint32_t asks; /* enum vmt_fault_ask: what else to count; likewise */
	bool by_kind; /* counts and times by mapping and kind; likewise */
	bool singles; /* single faults, too, on the rungs with BPF: vmt_probe_drain() */
	uint64_t single_least_ns; /* that took so long; 0: all, adjacent ones as a run */
	uint64_t single_rate; /* at most so many a second, 0 for any number */
	bool single_live; /* vmt_probe_live() takes them while they come; they are not kept */
	/*
	 * What is read are the totals, without rows. What is kept of processes that ended does not
	 * become more then, however long it runs; on the rungs with BPF with single_live. The rung
	 * without BPF does not look for the mappings of faults then.
	 */
	bool sums;
	/*
	 * What is read of processes that ended is read once, and forgotten; the totals have it on.
	 * For who reads again and again, and keeps what came between. On the rungs with BPF.
	 */
	bool forget;
	/* Bytes of the rings of single faults, and of rows of processes that ended: powers of two,
	 * whole pages. They count twice in the memory of this process. 0 for the usual 4 MiB.
	 * Where single_ring is not 0, the rings of the rung without BPF are small, too. */
	uint32_t single_ring;
	uint32_t ended_ring;
	/*
	 * The guard of the overhead: where one CPU has more faults a second than guard_rate, one in
	 * eight is timed, and those that take longer than a tick or two. Not with singles and
	 * VMT_ASK_SHARES, which are of each fault; on the rungs with BPF. On the rung "tracepoint"
	 * it may be one in seven, of all processes, and of the slow ones those that wait.
	 */
	bool guard;
	uint64_t guard_rate;
	uint32_t maps; /* rows of the kernel-side tables; 0 for the usual */
	uint32_t procs;
	uint32_t names;
	uint32_t files;
	uint32_t tasks; /* 0: twice what is running */
	uint32_t watched; /* processes that can be watched at a time */
};

struct vmt_probe;

/* Checks and keeps the options; nothing in the kernel is touched. -EINVAL, -ENOMEM. */
int vmt_probe_open(const struct vmt_probe_opts *opts, struct vmt_probe **ret, struct vmt_err *err);

/*
 * Goes down the ladder until a rung loads, attaches and counts the probe's own known faults. This
 * is the only call that needs privileges; it faults some pages, and creates a mapping. What was
 * tried, and why a better rung did not work, is in the sample that vmt_probe_read() gives, also
 * after a failure. 0, or the error of the last rung.
 */
int vmt_probe_start(struct vmt_probe *p, struct vmt_err *err);

/*
 * Watches one more process (and with opts.follow its children). Only where opts named processes;
 * needs bpf(), so before privileges are dropped. -EINVAL without a filter, -ENOSPC.
 */
int vmt_probe_watch(struct vmt_probe *p, pid_t pid, struct vmt_err *err);

/*
 * Takes single faults out of the kernel's ring, which holds 58254; to be called some times a
 * second where opts.singles is set. Needs no privilege. -ENOMEM.
 */
int vmt_probe_drain(struct vmt_probe *p, struct vmt_err *err);

/*
 * With opts.single_live: the same, and hands out those that are complete: ret has the singles in
 * the order of their end, the mappings that they name, as they are now, where stacks are counted
 * the code that they may be in, start_ns, and of the totals
 * singles, singles_limited and singles_lost so far. A run is complete when a fault did not go on
 * with it, or none has for a while; last: all are. To be called once more behind vmt_probe_stop().
 * Memory is the arena's. -ENOMEM; -EOPNOTSUPP on a rung without single faults.
 */
int vmt_probe_live(struct vmt_probe *p, bool last, struct vmt_arena *arena,
		   struct vmt_fault_sample *ret, struct vmt_err *err);

/*
 * Closes the window: every task's counters are settled, so that the sums hold to the unit. Reads
 * descriptors that were made at the start, and needs no privilege and no bpf(). 0 or -errno;
 * calling it again does nothing.
 */
int vmt_probe_stop(struct vmt_probe *p, struct vmt_err *err);

/*
 * Copies what was counted so far into *ret; arrays and strings are the arena's. Before
 * vmt_probe_stop() the accounts are those of each task's last event. On the BPF rungs this reads
 * mapped memory and /proc/self/fdinfo, and needs no privilege.
 */
int vmt_probe_read(struct vmt_probe *p, struct vmt_arena *arena, struct vmt_fault_sample *ret,
		   struct vmt_err *err);

/* Detaches and frees; NULL is fine. */
void vmt_probe_close(struct vmt_probe *p);

static inline void vmt_probe_closep(struct vmt_probe **p)
{
	vmt_probe_close(*p);
}
#define VMT_AUTO_PROBE VMT_CLEANUP(vmt_probe_closep) struct vmt_probe *
