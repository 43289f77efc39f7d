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
 * Orders rows (pointers to struct vmt_cgroup) as a tree: each behind the next above it that is
 * among them, siblings in the order that they had. ret_parents gets, for each row, the place of its
 * parent, or SIZE_MAX; the caller frees it. 0 or -ENOMEM.
 */
int vmt_cgroup_tree(const void **rows, size_t n, size_t **ret_parents);
