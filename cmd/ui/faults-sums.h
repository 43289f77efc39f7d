/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/table.h"

/* What the rows of the Faults screen sum to: those that pass its filter. */

#define VMT_FAULT_TALLIES   32
#define VMT_FAULT_LATENCIES 28

/* Faults of one name. */
struct vmt_fault_tally {
	struct vmt_bytes name; /* the model's */
	uint64_t faults;
};

struct vmt_fault_sums {
	uint64_t faults; /* of all rows; a row may be a run of them */
	uint64_t recent; /* of these, since the sample before */
	struct vmt_fault_tally procs[VMT_FAULT_TALLIES], kinds[VMT_FAULT_TALLIES];
	size_t n_procs, n_kinds;
	/* By powers of two, from half a microsecond on. */
	uint64_t latencies[VMT_FAULT_LATENCIES];
};

void vmt_fault_sums(struct vmt_fault_sums *ret, const struct vmt_model *m,
		    const struct vmt_table *t);
/* A line: faults a second, of all processes and of the rows that are shown, and how many are kept.
 * sums is the screen's, as long as it is drawn and explained. */
void vmt_draw_fault_head(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
			 const struct vmt_fault_sums *sums, const struct vmt_table *t);
/* By process, by kind and by latency, below a rule that says of which rows. */
void vmt_draw_fault_sums(struct vmt_canvas *c, struct vmt_area a, const struct vmt_fault_sums *sums,
			 const struct vmt_table *t);
