/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/rows.h"

/* Metrics have a few series a group: the file may not make them many. */
#define VMT_METRIC_GROUPS_MAX 64

/* Processes that are in no group of the file. */
#define VMT_METRIC_GROUP_REST "other"

/* What a group may ask of a process. */
enum vmt_group_key {
	VMT_GROUP_KEY_COMM,
	VMT_GROUP_KEY_USER,
	VMT_GROUP_KEY_CGROUP,
	VMT_GROUP_KEY_COUNT,
};

struct vmt_metric_group {
	char *name;
	/* Patterns of the shell, one behind the other, each ended by a NUL and the last by two;
	 * NULL: any will do. */
	char *patterns[VMT_GROUP_KEY_COUNT];
};

/* A file of groups: those of its sections, in their order. */
struct vmt_metric_groups {
	struct vmt_metric_group *groups; /* heap */
	size_t n;
	size_t cap;
};

void vmt_metric_groups_done(struct vmt_metric_groups *g);
#define VMT_AUTO_METRIC_GROUPS VMT_CLEANUP(vmt_metric_groups_done) struct vmt_metric_groups

/*
 * Reads a file of groups (inih): a section is a group, its lines are comm, user or cgroup and
 * patterns as in the shell with blanks between, of which one has to match; a process is in the
 * first group of which all lines do. 0, or a negative errno with file and line: -EINVAL for what is
 * wrong with the text, -ENOSYS where inih was not built in. ret is empty before, and the caller's.
 */
int vmt_metric_groups_load(const char *path, struct vmt_metric_groups *ret, struct vmt_err *err);
/* The same of text that was read from path. */
int vmt_metric_groups_parse(const char *path, struct vmt_bytes text, struct vmt_metric_groups *ret,
			    struct vmt_err *err);

/* Whether a group asks for it. */
bool vmt_metric_groups_ask(const struct vmt_metric_groups *g, enum vmt_group_key key);
/* The name of the group that a process is in; a constant or of g. */
struct vmt_bytes vmt_metric_group_of(const struct vmt_metric_groups *g, const struct vmt_proc *p);
