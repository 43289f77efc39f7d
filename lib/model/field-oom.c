/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_kill
#define FIELD_ENUM(m) VMT_FIELD_kill_##m
static const struct vmt_field kill_fields[] = {
#include "model/oom.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_oom_zone
#define FIELD_ENUM(m) VMT_FIELD_oom_zone_##m
static const struct vmt_field oom_zone_fields[] = {
#include "model/oom-zone.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_oom_map
#define FIELD_ENUM(m) VMT_FIELD_oom_map_##m
static const struct vmt_field oom_map_fields[] = {
#include "model/oom-map.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_oom_process
#define FIELD_ENUM(m) VMT_FIELD_oom_process_##m
static const struct vmt_field oom_process_fields[] = {
#include "model/oom-process.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_oom_sample
#define FIELD_ENUM(m) VMT_FIELD_oom_sample_##m
static const struct vmt_field oom_sample_fields[] = {
#include "model/oom-sample.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(kill, vmt_kill, "ooms", "a victim of the OOM killer, and why", "kill");
ENTITY(oom_zone, vmt_oom_zone, "oom_zones", "a zone, when a process was killed for memory", "kill");
ENTITY(oom_map, vmt_oom_map, "oom_maps", "one of the largest mappings of a victim",
       "kill,-rss_bytes");
ENTITY(oom_process, vmt_oom_process, "oom_processes", "one of the largest processes behind a kill",
       "kill,-rss_bytes");
ENTITY(oom_sample, vmt_oom_sample, "oom_samples", "the machine before a kill, once a second",
       "kill,-before_ns");
