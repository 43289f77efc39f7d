/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/collapse.h"
#include "model/fault-raw.h"

/*
 * What khugepaged and MADV_COLLAPSE come to, by bpf/collapse.bpf.c. Used by one thread. All that it
 * has in the kernel hangs on descriptors of this process: killing it leaves nothing.
 */
struct vmt_collapses;

struct vmt_collapses_opts {
	int filter_fd; /* BPF map of the processes that are of interest; -1: all are. It stays the
			* caller's. */
	bool by_user; /* of those with this real user id alone */
	uint32_t uid;
	uint32_t rows; /* of the table; 0 for the usual */
};

/*
 * Loads and attaches the programs. 0, or a negative errno with the reason in err: -EPERM, -ENOSYS,
 * -ENOENT where this kernel has none of the tracepoints.
 */
int vmt_collapses_start(const struct vmt_collapses_opts *opts, struct vmt_collapses **ret,
			struct vmt_err *err);
/* Whether all of that works here, for doctor: a row for each hook, and one for all of it, the last.
 * How many, at most most, which is 1 or more. */
size_t vmt_collapses_try(struct vmt_probe_try *ret, size_t most);
/* What may be missing, or NULL: steps that this kernel does not tell, or the self-check. */
const char *vmt_collapses_doubt(const struct vmt_collapses *x);
/* Counts no more. */
void vmt_collapses_stop(struct vmt_collapses *x);
/* All that was counted; rows and names are arena's. 0 or -ENOMEM. */
int vmt_collapses_read(const struct vmt_collapses *x, struct vmt_arena *arena,
		       struct vmt_collapse_sample *ret);
/* NULL is fine. */
void vmt_collapses_free(struct vmt_collapses *x);
