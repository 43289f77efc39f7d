/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The bit of each field in its row: VMT_FIELD_entity_member, in the order of the .def files. */
#define F(member, ...)	     FK(0, member, 0)
#define FK(key, member, ...) FIELD_ENUM(member),

#define FIELD_ENUM(m) VMT_FIELD_system_##m
enum vmt_system_field {
#include "model/system.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_part_##m
enum vmt_part_field {
#include "model/part.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_share_##m
enum vmt_share_field {
#include "model/share.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_term_##m
enum vmt_term_field {
#include "model/term.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_commit_part_##m
enum vmt_commit_part_field {
#include "model/commit-part.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_commit_##m
enum vmt_commit_field {
#include "model/commit.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_pressure_##m
enum vmt_pressure_field {
#include "model/pressure.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_proc_##m
enum vmt_proc_field {
#include "model/proc.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_group_##m
enum vmt_group_field {
#include "model/proc-group.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_map_##m
enum vmt_map_field {
#include "model/map.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_map_group_##m
enum vmt_map_group_field {
#include "model/map-group.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_sharer_##m
enum vmt_sharer_field {
#include "model/sharer.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_fault_##m
enum vmt_fault_field {
#include "model/fault.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_stack_##m
enum vmt_stack_field {
#include "model/stack.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_single_##m
enum vmt_single_field {
#include "model/single.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_gap_##m
enum vmt_gap_field {
#include "model/gap.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_balance_##m
enum vmt_balance_field {
#include "model/balance.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_file_##m
enum vmt_file_field {
#include "model/file.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_probe_##m
enum vmt_probe_field {
#include "model/probe.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_rung_##m
enum vmt_rung_field {
#include "model/rung.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_source_##m
enum vmt_source_field {
#include "model/status.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_issue_##m
enum vmt_issue_field {
#include "model/issue.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_finding_##m
enum vmt_finding_field {
#include "model/finding.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_check_##m
enum vmt_check_field {
#include "model/check.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cached_file_##m
enum vmt_cached_file_field {
#include "model/cached-file.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cached_group_##m
enum vmt_cached_group_field {
#include "model/cached-group.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cache_##m
enum vmt_cache_field {
#include "model/cache.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_command_##m
enum vmt_command_field {
#include "model/command.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_budget_##m
enum vmt_budget_field {
#include "model/budget.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_huge_##m
enum vmt_huge_field {
#include "model/huge.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cow_##m
enum vmt_cow_field {
#include "model/cow.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_page_##m
enum vmt_page_field {
#include "model/page.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_addr_##m
enum vmt_addr_field {
#include "model/addr.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_zone_##m
enum vmt_zone_field {
#include "model/zone.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_order_##m
enum vmt_order_field {
#include "model/order.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_migrate_##m
enum vmt_migrate_field {
#include "model/migrate.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_node_##m
enum vmt_node_field {
#include "model/node.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cpu_list_##m
enum vmt_cpu_list_field {
#include "model/cpu-list.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_compaction_##m
enum vmt_compaction_field {
#include "model/compaction.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_region_##m
enum vmt_region_field {
#include "model/region.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_region_sum_##m
enum vmt_region_sum_field {
#include "model/region-sum.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cgroup_##m
enum vmt_cgroup_field {
#include "model/cgroup.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_kernel_use_##m
enum vmt_kernel_use_field {
#include "model/kernel-use.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_slab_##m
enum vmt_slab_field {
#include "model/slab.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_vmalloc_##m
enum vmt_vmalloc_field {
#include "model/vmalloc.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_kernel_sum_##m
enum vmt_kernel_sum_field {
#include "model/kernel-sum.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_kernel_range_##m
enum vmt_kernel_range_field {
#include "model/kernel-range.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_address_space_##m
enum vmt_address_space_field {
#include "model/address-space.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_counter_##m
enum vmt_counter_field {
#include "model/counter.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cgroup_level_##m
enum vmt_cgroup_level_field {
#include "model/cgroup-level.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_cgroup_part_##m
enum vmt_cgroup_part_field {
#include "model/cgroup-part.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_verdict_##m
enum vmt_verdict_field {
#include "model/verdict.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_##m
enum vmt_diff_field {
#include "model/diff.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_group_##m
enum vmt_diff_group_field {
#include "model/diff-group.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_sum_##m
enum vmt_diff_sum_field {
#include "model/diff-sum.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_proc_##m
enum vmt_diff_proc_field {
#include "model/diff-proc.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_part_##m
enum vmt_diff_part_field {
#include "model/diff-part.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_diff_document_##m
enum vmt_diff_document_field {
#include "model/diff-document.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_##m
enum vmt_event_field {
#include "model/event.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_sum_##m
enum vmt_event_sum_field {
#include "model/event-sum.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_site_##m
enum vmt_event_site_field {
#include "model/event-site.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_made_##m
enum vmt_event_made_field {
#include "model/event-made.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_stall_##m
enum vmt_event_stall_field {
#include "model/event-stall.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_psi_##m
enum vmt_event_psi_field {
#include "model/event-psi.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_cgroup_##m
enum vmt_event_cgroup_field {
#include "model/event-cgroup.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_collapse_##m
enum vmt_event_collapse_field {
#include "model/event-collapse.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_event_probe_##m
enum vmt_event_probe_field {
#include "model/event-probe.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_kill_##m
enum vmt_kill_field {
#include "model/oom.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_oom_zone_##m
enum vmt_oom_zone_field {
#include "model/oom-zone.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_oom_map_##m
enum vmt_oom_map_field {
#include "model/oom-map.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_oom_process_##m
enum vmt_oom_process_field {
#include "model/oom-process.def"
};
#undef FIELD_ENUM

#define FIELD_ENUM(m) VMT_FIELD_oom_sample_##m
enum vmt_oom_sample_field {
#include "model/oom-sample.def"
};
#undef FIELD_ENUM

#undef F
#undef FK
