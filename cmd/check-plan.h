/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"
#include "model/check-measure.h"

/* One metric with its limits: a word of the command line with the options behind it, or a section
 * of the file of --config. */
struct vmt_check_item {
	char *name; /* heap */
	char *label; /* of perfdata, no other has it; heap */
	char *comm; /* heap, or NULL */
	char *cgroup; /* the same */
	uint64_t *pids; /* the same; want has them, or those that the name meant */
	struct vmt_range warning, critical;
	struct vmt_figure_want want;
	struct vmt_figure figure;
	struct vmt_judged judged;
};

struct vmt_check_plan {
	struct vmt_check_item *items;
	size_t n;
	size_t cap;
};

void vmt_check_plan_done(struct vmt_check_plan *plan);
#define VMT_AUTO_CHECK_PLAN VMT_CLEANUP(vmt_check_plan_done) struct vmt_check_plan

/* Adds an item of that name, of no metric yet. NULL on ENOMEM. */
struct vmt_check_item *vmt_check_plan_add(struct vmt_check_plan *plan, struct vmt_bytes name);
/* Sets metric, warning, critical, pid, comm or cgroup. -EINVAL with what is wrong in err; -ENOMEM.
 * Ranges go by the unit of the metric, which has to be set before. */
int vmt_check_item_set(struct vmt_check_item *item, const char *key, const char *value,
		       struct vmt_err *err);
/* What an item lacks. 0, -EINVAL with err. */
int vmt_check_item_complete(const struct vmt_check_item *item, struct vmt_err *err);

/* The items of the command line, behind those of --config; an exit code or 0. */
int vmt_check_plan_parse(struct vmt_ctx *ctx, struct vmt_check_plan *plan);

/* What any item needs, of VMT_NEEDS_*. */
unsigned vmt_check_plan_needs(const struct vmt_check_plan *plan);

/* Adds the items of a file of --config. -errno with file and line in err. */
int vmt_check_config_read(struct vmt_check_plan *plan, const char *path, struct vmt_err *err);
/* The same of text that was read from path. */
int vmt_check_config_parse(struct vmt_check_plan *plan, const char *path, struct vmt_bytes text,
			   struct vmt_err *err);
