/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_event
#define FIELD_ENUM(m) VMT_FIELD_event_##m
static const struct vmt_field event_fields[] = {
#include "model/event.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_sum
#define FIELD_ENUM(m) VMT_FIELD_event_sum_##m
static const struct vmt_field event_sum_fields[] = {
#include "model/event-sum.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_site
#define FIELD_ENUM(m) VMT_FIELD_event_site_##m
static const struct vmt_field event_site_fields[] = {
#include "model/event-site.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_made
#define FIELD_ENUM(m) VMT_FIELD_event_made_##m
static const struct vmt_field event_made_fields[] = {
#include "model/event-made.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_stall
#define FIELD_ENUM(m) VMT_FIELD_event_stall_##m
static const struct vmt_field event_stall_fields[] = {
#include "model/event-stall.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_psi
#define FIELD_ENUM(m) VMT_FIELD_event_psi_##m
static const struct vmt_field event_psi_fields[] = {
#include "model/event-psi.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_cgroup
#define FIELD_ENUM(m) VMT_FIELD_event_cgroup_##m
static const struct vmt_field event_cgroup_fields[] = {
#include "model/event-cgroup.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_collapse
#define FIELD_ENUM(m) VMT_FIELD_event_collapse_##m
static const struct vmt_field event_collapse_fields[] = {
#include "model/event-collapse.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_event_probe
#define FIELD_ENUM(m) VMT_FIELD_event_probe_##m
static const struct vmt_field event_probe_fields[] = {
#include "model/event-probe.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(event, vmt_event, "events", "something that happened to the address space of a process",
       NULL);
ENTITY(event_sum, vmt_event_sum, "event_sums", "events of one sort of one process, counted",
       "-events_total,pid,event");
ENTITY(event_site, vmt_event_site, "event_sites",
       "events of one sort of one process, from one place of its code",
       "-events_total,pid,event,site");
ENTITY(event_made, vmt_event_made, "event_made", "what a call mapped, and what is left of it",
       "-reserved_bytes,pid,start");
ENTITY(event_probe, vmt_event_probe, "event_probe", "how events were counted, and what was lost",
       NULL);
ENTITY(event_stall, vmt_event_stall, "event_stalls",
       "how long a process waited for memory, by cause", "-total_ns,pid,cause");
ENTITY(event_psi, vmt_event_psi, "event_psi",
       "a part of the time in which memory was waited for, by PSI", NULL);
ENTITY(event_cgroup, vmt_event_cgroup, "event_cgroups", "what a cgroup suffered for want of memory",
       "-some_ns,-refault_file_total,path");
ENTITY(event_collapse, vmt_event_collapse, "event_collapses",
       "why memory of a process was not made a huge page, or was", "-times_total,pid,step,result");
