/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/fault-raw.h"
#include "source/root.h"

/*
 * Page faults of a saved machine: DIR/vmtop-faults, as a probe would have counted them up to the
 * moment that vmtop-fixture says. A line each, words with blanks between, addresses in hex:
 *
 *	window NS
 *	map SLOT PID START END OFFSET KIND PATH      KIND anon, file, shmem, heap or stack
 *	fault NS PID TID SLOT ADDRESS IP ACCESS FAULT SERVED LATENCY FAULTS COMM
 *
 * NS of a fault is from the begin of the window to its end, LATENCY is ns, FAULTS the pages of a
 * run; IP 0, SERVED unknown and LATENCY 0 are not known; PATH and COMM go to the end of the line. A
 * map stands before its faults, and there is one window. What it counts per mapping and process are
 * the sums of the faults.
 */

/* Reads the file; *ret's memory is the arena's. 0; -ENOENT where there is none; -EINVAL with its
 * line in err; -EFBIG; -ENOMEM. */
int vmt_saved_faults_read(const struct vmt_root *root, struct vmt_arena *arena,
			  struct vmt_fault_sample *ret, struct vmt_err *err);
/* The same of its text; end_ns is when the window ended, CLOCK_MONOTONIC. */
int vmt_saved_faults_parse(struct vmt_bytes text, uint64_t end_ns, uint64_t page_size,
			   struct vmt_arena *arena, struct vmt_fault_sample *ret,
			   struct vmt_err *err);
