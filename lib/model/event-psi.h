/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "model/rows.h"
#include "model/sample.h"

struct vmt_event_sample;

/*
 * What the machine and its cgroups suffered for want of memory in a window, by the kernel's own
 * counters, beside the stalls that were counted in it.
 */

/*
 * The parts of PSI's time, as rows: each cause of stalls that the kernel tells of, then overlap
 * (what they have together beyond some) or rest (what they lack of it), some, and full. The kernel
 * weighs processors (kernel/sched/psi.c, collect_percpu_times()): some is at most the sum of what
 * all threads waited. before and after hold the source PRESSURE; where one does not know some,
 * overlap, rest and some are left out, and so is full. 0 or -ENOMEM.
 */
int vmt_event_psi_rows(const struct vmt_event_sample *s, const struct vmt_sample *before,
		       const struct vmt_sample *after, struct vmt_arena *arena,
		       struct vmt_event_psi **ret, size_t *ret_n);
/* The same in a line of text. window in ns; why tells for what reason some is not known, where the
 * source has one, else "". */
void vmt_event_psi_text(struct vmt_buf *out, const struct vmt_event_psi *rows, size_t n,
			uint64_t window, const char *why);

/* Rows of the cgroups of after that have something which grew since before; one that before has not
 * was made since; where before has not all that there were, it has no row. Paths stay those of
 * after. 0 or -ENOMEM. */
int vmt_event_cgroup_rows(const struct vmt_sample *before, const struct vmt_sample *after,
			  struct vmt_arena *arena, struct vmt_event_cgroup **ret, size_t *ret_n);
