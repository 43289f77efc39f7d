/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "model/rows.h"

/*
 * How long the kernel may walk the page tables of a process for smaps or smaps_rollup, ns: an upper
 * estimate, of its resident and swapped memory as pages of the smallest size. It is also the
 * longest that the walk may hold the mmap lock, where all of it is in one mapping
 * (fs/proc/task_mmu.c, show_smap(), show_smaps_rollup()). Huge pages make it much shorter.
 * UINT64_MAX where RSS is not known: what cannot be estimated is not cheap.
 */
uint64_t vmt_cost_walk_ns(const struct vmt_proc *p, uint64_t page_size);

/* From here on a walk is worth a word before it is begun: one that holds up a process for so long,
 * and all of them together. */
#define VMT_COST_TELL_ONE_NS UINT64_C(50000000)
#define VMT_COST_TELL_ALL_NS UINT64_C(1000000000)

/*
 * What walking those of n processes, at indices (NULL: the first n), will cost that have memory and
 * are not over budget_ns: the dearest (NULL: none), what it is estimated at, and the sum of all.
 */
const struct vmt_proc *vmt_cost_dearest(const struct vmt_proc *procs, const size_t *indices,
					size_t n, uint64_t page_size, uint64_t budget_ns,
					uint64_t *ret_ns, uint64_t *ret_all_ns);
