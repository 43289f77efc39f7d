/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/model.h"

/* Rows of a table of faults, beside the one of all others. */
#define VMT_FAULT_TABLE_ROWS ((size_t)100)

/*
 * Faults of an interval as rows, for samples without a probe: what a recording has of them. Of many
 * rows those with the most faults are kept, and one more has what all others had together; so their
 * sums are those of all rows. That row is of no process (its pid is not known), and named (other).
 */
struct vmt_fault_table {
	struct vmt_probe_row *probe; /* how they were counted */
	size_t n_probe; /* 0: nothing of faults is known; 1 */
	struct vmt_fault *rows; /* by mapping */
	size_t n_rows;
	struct vmt_balance *procs; /* by process, against the kernel's counters */
	size_t n_procs;
};

/* Makes s->fault_table of s->faults, as the model would have it, in the arena of s. Whether a
 * mapping is gone is known of processes whose mappings were read. 0 or -ENOMEM. */
int vmt_fault_table_make(struct vmt_sample *s);

/* The rows of the table of m's sample, as they are, which may have none. */
void vmt_fault_table_take(struct vmt_model *m);

/* Puts at most so many rows of entity, those with the most of by, first, and one for the others
 * behind them; *n becomes their number. Memory is the arena's. 0 or -ENOMEM. */
int vmt_fault_table_bound(const struct vmt_entity *entity, const struct vmt_field *by, size_t most,
			  struct vmt_arena *arena, void **rows, size_t *n);
