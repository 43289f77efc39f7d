/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/fault-raw.h"

/*
 * Faults by mapping over time, out of readings of a probe: a column for each reading, with what was
 * counted since the one before. Pure.
 */

#define VMT_HEAT_COLUMNS 60

struct vmt_heat_row {
	uint64_t pid;
	uint64_t start_time_ns; /* of the process */
	uint64_t exec_id;
	uint64_t start; /* lowest address seen, in the last reading */
	uint64_t end;
	enum vmt_fault_class class;
	struct vmt_bytes path; /* empty: none */
	struct vmt_bytes comm;
	uint64_t total;
	uint64_t counts[VMT_HEAT_COLUMNS];
};

struct vmt_heat {
	struct vmt_arena arena; /* owns what follows */
	uint64_t ends_ns[VMT_HEAT_COLUMNS]; /* of each column, after the begin of the window */
	size_t n_columns;
	struct vmt_heat_row *rows; /* by process and address */
	size_t n_rows;
	size_t cap_rows; /* heap: rows */
	uint64_t total;
	uint64_t lost; /* faults that no row holds, by the last reading */
};

void vmt_heat_init(struct vmt_heat *h);
void vmt_heat_done(struct vmt_heat *h);
/*
 * Adds a column with the rows of delta, which vmt_fault_delta() made of two readings, the later of
 * which was taken at_ns after the begin. 0 or -ENOMEM.
 */
int vmt_heat_add(struct vmt_heat *h, const struct vmt_fault_sample *delta, uint64_t at_ns);
