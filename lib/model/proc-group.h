/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/model.h"

/* What processes are grouped by. */
enum vmt_group_by {
	VMT_GROUP_BY_USER,
	VMT_GROUP_BY_COMM,
	VMT_GROUP_BY_CGROUP,
};

/* The process that stands for the address space of p: the first that has it, p itself where no
 * other one is known to. */
uint64_t vmt_proc_mm(const struct vmt_proc *p);

/*
 * The sums of processes by what they have in common, in the order in which the groups are met.
 * Processes that do not say it are a group without a name. A sum is over those of which the value
 * is known, and unknown where it is of none; how many have memory that is not known stands beside
 * it. Kernel threads and zombies count and have no memory; memory of one address space counts once
 * in a group (shared_mm). The rows are the arena's, their texts
 * those of procs. 0 or -ENOMEM.
 */
int vmt_proc_groups(const struct vmt_proc *procs, size_t n, enum vmt_group_by by,
		    struct vmt_arena *arena, struct vmt_proc_group **ret, size_t *ret_n);

/* The same by a name for each process; those without (NULL) are in no group. names outlive the
 * rows. */
int vmt_proc_groups_named(const struct vmt_proc *procs, const struct vmt_bytes *names, size_t n,
			  struct vmt_arena *arena, struct vmt_proc_group **ret, size_t *ret_n);

/*
 * Orders rows (pointers to struct vmt_proc of the array procs of n) as a tree: each behind its
 * parent, siblings in the order that they had. Sets depth of each, and tree_rss_bytes where RSS of
 * all below is known. ret_parents gets, for each row, the place of its parent, or SIZE_MAX; the
 * caller frees it. One whose parent is not among them, or is younger (the number came back), is a
 * root. 0 or -ENOMEM.
 */
int vmt_proc_tree(const void **rows, size_t n, struct vmt_proc *procs, size_t **ret_parents);
