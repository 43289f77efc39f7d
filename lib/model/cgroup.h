/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/model.h"

/*
 * What each cgroup has available, by the formula of vmtop-cgroups(1), and what changed since prev
 * (NULL: there is none, or not of the same boot; dt_ns is then 0). Fills m->cgroups from
 * m->sample->cgroups and m->system, which is complete. 0 or -ENOMEM.
 */
int vmt_model_cgroups(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns);

/*
 * The limits that m->cgroups[at] stands under, its own first, the machine's memory last, and which
 * of them decides. A level without a limit has a row as well. Rows are the model's. 0 or -ENOMEM.
 */
int vmt_cgroup_levels(struct vmt_model *m, size_t at, struct vmt_cgroup_level **ret, size_t *ret_n);

/* The parts of what is charged to a cgroup, in the order in which they are shown. */
enum vmt_cgroup_part_id {
	VMT_CGROUP_ANON,
	VMT_CGROUP_SHMEM,
	VMT_CGROUP_CLEAN,
	VMT_CGROUP_DIRTY,
	VMT_CGROUP_WRITEBACK,
	VMT_CGROUP_SWAP_CACHE,
	VMT_CGROUP_SLAB_REC,
	VMT_CGROUP_SLAB_UNREC,
	VMT_CGROUP_STACKS,
	VMT_CGROUP_TABLES,
	VMT_CGROUP_SEC_TABLES,
	VMT_CGROUP_PERCPU,
	VMT_CGROUP_VMALLOC,
	VMT_CGROUP_ZSWAP,
	VMT_CGROUP_KERNEL, /* the rest of it; of version 1 all of it */
	VMT_CGROUP_SOCK,
	VMT_CGROUP_HUGETLB,
	VMT_CGROUP_UNACCOUNTED, /* the last */
	VMT_CGROUP_PART_COUNT,
};

/*
 * Where what is charged to a cgroup went. What is unaccounted is CURRENT less all other parts that
 * are known, so that the sum is CURRENT to the byte; it is unknown where the anonymous or the file
 * part is. Texts are constants.
 */
void vmt_cgroup_parts(const struct vmt_cgroup *c,
		      struct vmt_cgroup_part rows[VMT_CGROUP_PART_COUNT]);
/* Whether few cgroups have it, so that text leaves it out where it is 0 or unknown; of version 1,
 * which knows less, one that is unknown. */
bool vmt_cgroup_part_is_rare(enum vmt_cgroup_part_id id, bool v1);

/*
 * Orders rows (pointers to struct vmt_cgroup) as a tree: each behind the next above it that is
 * among them, siblings in the order that they had. ret_parents gets, for each row, the place of its
 * parent, or SIZE_MAX; the caller frees it. 0 or -ENOMEM.
 */
int vmt_cgroup_tree(const void **rows, size_t n, size_t **ret_parents);
