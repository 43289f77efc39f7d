/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

/*
 * What resident memory would take to give back, out of the sums of smaps and smaps_rollup.
 *
 * The kernel sorts each resident page twice and independently (fs/proc/task_mmu.c smaps_account()):
 * by whether it is anonymous, and by clean, dirty, private, shared. How many clean pages are
 * anonymous is nowhere: they are LazyFree, or unmodified since they came back from swap. The bounds
 * follow from the sums; what is between them is the slack, and 0 in mappings that have only one
 * sort of page. A page that another process has dirtied counts as clean here while only that
 * process's page table knows.
 */

/* Sets reclaimable, writeback, needs_swap, unevictable, freed and their slack of a mapping where
 * what they follow from is known, and leaves them unknown where not. */
void vmt_map_honest(struct vmt_map *m);
/* The same of a process from its rollup; needs its RssShmem (status) too, unless Pss_Shmem is 0. */
void vmt_proc_honest(struct vmt_proc *p);
