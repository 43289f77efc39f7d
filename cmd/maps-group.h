/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "model/map-group.h"

/* Reads the mappings that a command is about and hands them to fn, as vmt_collect_rows() does. 0 or
 * a negative errno. */
typedef int vmt_maps_reader(void *arg, vmt_rows_fn *fn, void *fn_arg);

/* "role", "kind" or "file"; false after a complaint. */
bool vmt_map_group_parse(struct vmt_ctx *ctx, const char *word, enum vmt_map_group_by *ret);
/* What groups of that sort need, whatever is shown of them. */
uint64_t vmt_map_group_sources(enum vmt_map_group_by by);

/* Adds to *ret, which is always needed, the sources that -o, -s, --pss and the format ask for where
 * rows of that entity are made of mappings. An exit code or 0. */
int vmt_maps_want(struct vmt_ctx *ctx, const struct vmt_entity *entity, uint64_t *ret);

/*
 * Reads mappings and prints them in groups: the section of the command that has such rows, and for
 * machines that of the processes. An exit code.
 */
int vmt_map_groups_print(struct vmt_ctx *ctx, struct vmt_run *run, enum vmt_map_group_by by,
			 vmt_maps_reader *read, void *arg);

/*
 * Prints who maps the files that the processes map: read_chosen (may be NULL)
 * reads the mappings that decide which files these are, read those of all processes that are asked
 * for sharing them. An exit code.
 */
int vmt_sharers_print(struct vmt_ctx *ctx, struct vmt_run *run, vmt_maps_reader *read_chosen,
		      vmt_maps_reader *read, void *arg);
