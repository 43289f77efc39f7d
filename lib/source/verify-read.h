/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/verify.h"
#include "source/collect.h"

/*
 * Reads a process for V1 to V7, up to three times while figures change or do not agree, and keeps
 * the best of each check. out has VMT_CHECK_PROC elements. What the reads cost, and what was not
 * permitted, is added to the sources of into (one denied process is one denied read). 0, -ESRCH
 * where it has ended, -ENODATA where it has no memory of its own, or -ENOMEM.
 */
int vmt_verify_read_proc(struct vmt_collector *c, struct vmt_sample *into, uint64_t pid,
			 struct vmt_outcome *out, struct vmt_err *err);

/*
 * Reads meminfo, vmstat and zoneinfo for V8 and V9, up to eight times while a check does not hold,
 * and keeps the best of each. out has VMT_CHECKS elements. A check that is not of the same sign
 * each time has drifted; so has one between two files of a recording.
 */
void vmt_verify_read_machine(struct vmt_collector *c, struct vmt_outcome *out);

/*
 * Reads meminfo and vmstat for V12, with libproc2 in between, up to eight times until all figures
 * agree. Verdict NONE of a recording, and where libproc2 cannot be had: then err says why.
 */
void vmt_verify_read_procps(struct vmt_collector *c, struct vmt_outcome *out, struct vmt_err *err);

/* The texts of these files into figures; unknown keys are left alone, as is what is malformed. */
void vmt_verify_meminfo(struct vmt_bytes text, struct vmt_machine *m);
void vmt_verify_vmstat(struct vmt_bytes text, uint64_t page_size, struct vmt_machine *m);

/*
 * Whether smaps_rollup loses mappings while the address space changes, as it does on Debian 12's
 * Linux 6.1 (show_smaps_rollup() in fs/proc/task_mmu.c goes one mapping too far each time that it
 * let somebody else have the lock): found out on this very process, with some mappings of its own
 * and two threads that map and unmap for less than a second. off is what was missing most, as a
 * negative number. Verdict NONE where it cannot be tried. quick tries for some dozen milliseconds,
 * and ends with the first loss.
 */
void vmt_verify_churn(struct vmt_collector *c, bool quick, struct vmt_outcome *out);
