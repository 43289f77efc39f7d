/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/sample.h"

/*
 * Page faults of groups of processes as counters that never go back. The kernel counts by process,
 * and what a process counted ends with it: the sum over those that are there is no counter. So what
 * a run saw is kept in a file, and the next run adds what came since, of processes that are there
 * at that time. Faults of one between the last run that saw it and its end are in no group.
 */
struct vmt_fault_counts {
	uint64_t minor;
	uint64_t major;
};

struct vmt_metric_state {
	struct vmt_arena arena; /* owns the names */
	struct vmt_bytes boot_id;
	struct vmt_metric_total {
		struct vmt_bytes name; /* of the group */
		struct vmt_fault_counts faults;
	} * totals; /* heap */
	size_t n_totals, cap_totals;
	struct vmt_metric_seen {
		uint64_t pid;
		uint64_t start_ns;
		struct vmt_fault_counts faults;
	} * seen; /* by pid; heap */
	size_t n_seen, cap_seen;
};

void vmt_metric_state_init(struct vmt_metric_state *s);
void vmt_metric_state_done(struct vmt_metric_state *s);
#define VMT_AUTO_METRIC_STATE VMT_CLEANUP(vmt_metric_state_done) struct vmt_metric_state

/* Reads what vmt_metric_state_write() wrote. -ENOENT where there is none, -EINVAL where it is
 * broken, -EEXIST where it is not ours to replace; then s is empty. */
int vmt_metric_state_load(struct vmt_metric_state *s, const char *path, struct vmt_err *err);
/*
 * Keeps other runs away from a state, from before the processes are read until what was counted is
 * written: else an older count could follow a newer one, and a counter that goes back is taken for
 * one that began anew. The lock is a file beside it, PATH.lock, which stays: the state itself is
 * replaced. Waits until until_ns (CLOCK_MONOTONIC), then -ETIMEDOUT; or another negative errno.
 * *ret_fd holds it until it is closed.
 */
int vmt_metric_state_lock(const char *path, uint64_t until_ns, int *ret_fd, struct vmt_err *err);
int vmt_metric_state_parse(struct vmt_metric_state *s, const char *path, struct vmt_bytes text,
			   struct vmt_err *err);
void vmt_metric_state_write(const struct vmt_metric_state *s, struct vmt_buf *out);

/*
 * What groups have counted now: old and what came since, of the n processes procs in order of pid,
 * each in the group of that name (NULL: none). old of another boot counts for nothing. A total that
 * old has and nobody is in any more stays. ret is init'ed. 0 or -ENOMEM.
 */
int vmt_metric_state_next(const struct vmt_metric_state *old, struct vmt_bytes boot_id,
			  const struct vmt_proc *procs, const struct vmt_bytes *names, size_t n,
			  struct vmt_metric_state *ret);
/* The total of a group, or NULL where no process of it was seen so far. */
const struct vmt_fault_counts *vmt_metric_state_total(const struct vmt_metric_state *s,
						      struct vmt_bytes name);
