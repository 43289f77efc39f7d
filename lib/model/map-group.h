/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * Mappings summed by what they are. Rows are added as they come and not kept: memory grows with the
 * number of groups, which is bounded, as processes choose the names of files.
 */
enum vmt_map_group_by {
	VMT_MAPS_BY_ROLE,
	VMT_MAPS_BY_KIND,
	VMT_MAPS_BY_FILE, /* device, inode and, of a SysV segment, the IPC namespace; else the name
			   */
};

/* Groups that are kept, and bytes of their names; mappings of more go into one more group. */
#define VMT_MAP_GROUPS_MAX	16384
#define VMT_MAP_GROUP_NAMES_MAX ((size_t)4 * 1024 * 1024)

struct vmt_map_groups;

/* NULL on ENOMEM. */
struct vmt_map_groups *vmt_map_groups_new(enum vmt_map_group_by by);
void vmt_map_groups_free(struct vmt_map_groups *g);

/*
 * Adds n mappings of the process pid. The mappings of a process come one behind the other, without
 * those of another between them. 0 or -ENOMEM.
 */
int vmt_map_groups_add(struct vmt_map_groups *g, uint64_t pid, const struct vmt_map *maps,
		       size_t n);

/*
 * The rows, once all mappings were added; they belong to g. A sum is unknown where the value was
 * unknown of a mapping that is no part of unknown_total. The group of what found no room is the
 * last one, without a name.
 */
const struct vmt_map_group *vmt_map_groups_rows(struct vmt_map_groups *g, size_t *ret_n);

static inline void vmt_map_groups_freep(struct vmt_map_groups **g)
{
	vmt_map_groups_free(*g);
}
#define VMT_AUTO_MAP_GROUPS VMT_CLEANUP(vmt_map_groups_freep) struct vmt_map_groups *
