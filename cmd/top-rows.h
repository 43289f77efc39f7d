/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/ui.h"

/*
 * What is read of the processes on the screen and of no others. Walking page tables takes the mmap
 * lock of the process that is looked at: so PSS is read again where the process has changed, or
 * after a while, within a budget for all of them together, and is kept between samples.
 */
struct vmt_top_rows {
	struct vmt_top_row *rows; /* in order of pid */
	size_t n, cap;
	uint64_t budget_ns; /* of one sample; UINT64_MAX: without limit */
	uint64_t left_ns; /* of it, in this sample */
	uint64_t again_ns; /* what was saved for reading again what was read before */
	uint64_t now_ns; /* moment of this sample; CLOCK_MONOTONIC */
};

#define VMT_TOP_BUDGET_NS UINT64_C(5000000)
/* Reading again takes one part in so many of the time, for all processes together; and of each
 * process no more than that, however much it changes. */
#define VMT_TOP_PSS_SHARE 1000
/* How old PSS of a process that rests may become. */
#define VMT_TOP_PSS_AGE_NS UINT64_C(9000000000)
/* Processes younger than that may be gone before anybody has read the figure. */
#define VMT_TOP_PSS_YOUNG_NS UINT64_C(2000000000)

/* PSS of one process, as it was read last. */
struct vmt_top_row {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t rss_bytes; /* then */
	uint64_t faults; /* minor and major, until then */
	bool refused; /* it could not be read: values has nothing */
	struct vmt_bytes status; /* how that went; constant */
	struct vmt_proc values; /* fields of ROLLUP, texts left out */
};

void vmt_top_rows_done(struct vmt_top_rows *rows);
/* A sample of that moment begins. */
void vmt_top_rows_begin(struct vmt_top_rows *rows, uint64_t now_ns);

/*
 * Which of n processes, given as indices into s->procs, are to be read now: those never read, once
 * they are two seconds old, then those that changed since, then those that rest, the longest unread
 * of these first. ret_indices has room for n of them; what it gets is within what is left of the
 * budget, by what each took the last time, or may take (model/cost.h). Those that cannot be read,
 * and those that alone are beyond the budget, are among them: trying costs next to nothing, and
 * says the reason.
 */
size_t vmt_top_rows_due(struct vmt_top_rows *rows, const struct vmt_sample *s,
			const size_t *indices, size_t n, size_t *ret_indices);
/* After they were read: keeps what came of n processes, sets in all of s what was kept of them, and
 * forgets those that are not in s any more. 0 or -ENOMEM. */
int vmt_top_rows_keep(struct vmt_top_rows *rows, struct vmt_sample *s, const size_t *indices,
		      size_t n);
