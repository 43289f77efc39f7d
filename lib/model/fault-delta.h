/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/fault-raw.h"

/*
 * What was counted between two readings of one probe, for the rates of the dashboard: a sample with
 * the rows, accounts and totals that moved, and with the texts of now, which has to outlive it.
 * Files, stacks and single faults are not in it. The longest fault of the interval is known as
 * nearly as the histogram tells it. Arrays are the arena's. -ENOMEM.
 */
int vmt_fault_delta(const struct vmt_fault_sample *before, const struct vmt_fault_sample *now,
		    struct vmt_arena *arena, struct vmt_fault_sample *ret);
