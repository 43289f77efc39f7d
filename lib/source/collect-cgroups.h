/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/cgroup-files.h"
#include "source/collect.h"

struct vmt_cgroup_want {
	uint64_t files; /* by vmt_cgroup_files() */
	const char *path; /* of the cgroup that is wanted, with all below it; NULL for all */
	bool alone; /* without those below it */
	size_t most; /* cgroups at most; 0: VMT_CGROUPS_MAX */
};

/*
 * Reads the cgroups of the hierarchy that has the memory controller into s->cgroups: those above
 * the one that is wanted, that one, and those below it. One that is removed meanwhile is left out
 * and counted as gone; a file that cannot be read costs its own fields, and is an issue of
 * VMT_SOURCE_MEMCG. -ENOENT where there is no cgroup of that path, -EINVAL where it is none, both
 * with err; -ENOMEM. That there is no hierarchy is noted in the sample and no failure.
 */
int vmt_collect_cgroups(struct vmt_collector *c, struct vmt_sample *s,
			const struct vmt_cgroup_want *want, struct vmt_err *err);
