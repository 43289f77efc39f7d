/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * By whom Committed_AS was promised: Documentation/mm/overcommit-accounting.rst of the kernel.
 * Accountable mappings count with their whole size; shared anonymous memory and SysV segments by
 * object, from the moment that they are made (mm/shmem.c shmem_acct_size()); tmpfs, memfd and what
 * was made with MAP_NORESERVE page by page (shmem_acct_blocks()); hugetlb and private mappings with
 * MAP_NORESERVE not at all.
 */
enum vmt_commit_part_id {
	VMT_COMMIT_PROCESSES,
	VMT_COMMIT_ESTIMATED,
	VMT_COMMIT_SHMEM,
	VMT_COMMIT_UNTOUCHED,
	VMT_COMMIT_REST,
	VMT_COMMIT_PART_COUNT
};

/* Mappings of shared anonymous memory, as they come; zeroed it is empty. */
struct vmt_shared_anon {
	struct vmt_shared_anon_map *maps; /* heap */
	size_t n;
	size_t cap;
};

/* Adds those of a process. 0 or -ENOMEM. */
int vmt_shared_anon_add(struct vmt_shared_anon *a, const struct vmt_map *maps, size_t n);
/*
 * How much of all objects nobody has touched, in bytes: of each, as far as it is mapped, less the
 * RSS of who has most of it. At most so much, as others may have touched other pages. False where
 * the sum is none that a machine can have.
 */
bool vmt_shared_anon_untouched(struct vmt_shared_anon *a, uint64_t *ret);
void vmt_shared_anon_done(struct vmt_shared_anon *a);

/*
 * The parts; untouched is in bytes, has_untouched says whether it is known. An address space counts
 * once (shared_mm). A process of which neither COMMIT nor the estimate is known is in the rest.
 * Without Committed_AS the rest is unknown.
 */
void vmt_commit_parts(const struct vmt_system *s, const struct vmt_proc *procs, size_t n,
		      bool has_untouched, uint64_t untouched,
		      struct vmt_commit_part rows[VMT_COMMIT_PART_COUNT]);
