/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

/*
 * How long the kernel may walk the page tables of a process for smaps or smaps_rollup, ns: an upper
 * estimate, of its resident and swapped memory as pages of the smallest size. It is also the
 * longest that the walk may hold the mmap lock, where all of it is in one mapping
 * (fs/proc/task_mmu.c, show_smap(), show_smaps_rollup()). Huge pages make it much shorter.
 * UINT64_MAX where RSS is not known: what cannot be estimated is not cheap.
 */
uint64_t vmt_cost_walk_ns(const struct vmt_proc *p, uint64_t page_size);
