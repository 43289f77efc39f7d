/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/model.h"

/* The parts of MemTotal, in the order in which they are shown. */
enum vmt_part_id {
	VMT_PART_FREE,
	VMT_PART_PCP,
	VMT_PART_ANON,
	VMT_PART_SHMEM,
	VMT_PART_CLEAN,
	VMT_PART_DIRTY,
	VMT_PART_WRITEBACK,
	VMT_PART_BUFFERS,
	VMT_PART_SWAP_CACHE,
	VMT_PART_SLAB_REC,
	VMT_PART_SLAB_UNREC,
	VMT_PART_OTHER_REC,
	VMT_PART_STACKS,
	VMT_PART_TABLES,
	VMT_PART_SEC_TABLES,
	VMT_PART_VMALLOC,
	VMT_PART_PERCPU,
	VMT_PART_HUGETLB,
	VMT_PART_ZSWAP,
	VMT_PART_ZRAM,
	VMT_PART_GPU,
	VMT_PART_MEMMAP,
	VMT_PART_FUSE,
	VMT_PART_POISONED,
	VMT_PART_SECRETMEM,
	VMT_PART_UNACCOUNTED, /* the last */
	VMT_PART_COUNT,
};

/* The same in few rows, in the order of the bar. */
enum vmt_share_id {
	VMT_SHARE_ANON,
	VMT_SHARE_SHMEM,
	VMT_SHARE_KERNEL,
	VMT_SHARE_DIRTY,
	VMT_SHARE_CACHE,
	VMT_SHARE_SLAB,
	VMT_SHARE_FREE,
	VMT_SHARE_OTHER, /* the last */
	VMT_SHARE_COUNT,
};

#define VMT_TERM_COUNT 6

/*
 * Where MemTotal went. What is unaccounted is MemTotal less all other parts that are known, so that
 * the sum is MemTotal to the byte; it is unknown where a part that every kernel counts is. A part
 * that this kernel does not count is unknown, and in what is unaccounted. page_size is bytes.
 */
void vmt_parts(const struct vmt_system *s, uint64_t page_size,
	       struct vmt_part rows[VMT_PART_COUNT]);
/* What of VmallocUsed is no stack, both in bytes: stacks lie in it (CONFIG_VMAP_STACK), but where
 * it is less than they are. */
uint64_t vmt_vmalloc_without_stacks(uint64_t vmalloc, uint64_t stacks);
/* The parts summed by their sort; all shares together are MemTotal, and each is unknown where a
 * part of it is that every kernel counts. */
void vmt_shares(const struct vmt_system *s, const struct vmt_part parts[VMT_PART_COUNT],
		struct vmt_share rows[VMT_SHARE_COUNT]);
/* Sets how much each part changed. */
void vmt_parts_change(struct vmt_part rows[VMT_PART_COUNT],
		      const struct vmt_part before[VMT_PART_COUNT]);
/* A part that most machines have nothing of: text shows it where it is known and not 0. */
bool vmt_part_is_rare(enum vmt_part_id id);
/* A part that every kernel counts. */
bool vmt_part_is_needed(enum vmt_part_id id);

/* The terms of available as si_mem_available() of mm/show_mem.c adds them (mm/page_alloc.c before
 * 6.4), the same from 5.10 to 7.2. */
void vmt_available_terms(const struct vmt_system *s, uint64_t page_size,
			 struct vmt_term rows[VMT_TERM_COUNT]);

/* What follows from the settings in c and the figures of the machine. */
void vmt_commit_derive(struct vmt_commit *c, const struct vmt_system *s, uint64_t page_size);

/* How much of the time between two samples, dt_ns apart, tasks waited. */
void vmt_pressure_rates(struct vmt_pressure *rows, size_t n, const struct vmt_pressure *prev,
			size_t n_prev, uint64_t dt_ns);
