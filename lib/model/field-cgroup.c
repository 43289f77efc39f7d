/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_cgroup
#define FIELD_ENUM(m) VMT_FIELD_cgroup_##m
static const struct vmt_field cgroup_fields[] = {
#include "model/cgroup.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cgroup_level
#define FIELD_ENUM(m) VMT_FIELD_cgroup_level_##m
static const struct vmt_field cgroup_level_fields[] = {
#include "model/cgroup-level.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cgroup_part
#define FIELD_ENUM(m) VMT_FIELD_cgroup_part_##m
static const struct vmt_field cgroup_part_fields[] = {
#include "model/cgroup-part.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(cgroup, vmt_cgroup, "cgroups", "a cgroup that memory is charged to", "-current_bytes");
ENTITY(cgroup_level, vmt_cgroup_level, "cgroup_levels", "a limit that a cgroup stands under", NULL);
ENTITY(cgroup_part, vmt_cgroup_part, "cgroup_parts", "a part of what is charged to a cgroup", NULL);
