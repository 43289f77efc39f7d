/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/field.h"
#include "model/map-row.h"

/*
 * The row structs, one member for each row of a .def file. A member means something only where
 * its bit in row.valid is set (VMT_HAS). Strings are not owned: they lie in the arena of the
 * sample or model that the row belongs to, or are constants.
 */
#define F(member, type, unit, kind, source, group, title, flags, help)                             \
	FK(#member, member, type, unit, kind, source, group, title, flags, help)
#define FK(key, member, type, unit, kind, source, group, title, flags, help)                       \
	VMT_CTYPE_##type member;

struct vmt_system {
	struct vmt_row row;
#include "model/system.def"
};

struct vmt_proc {
	struct vmt_row row;
#include "model/proc.def"
};

struct vmt_proc_group {
	struct vmt_row row;
#include "model/proc-group.def"
};

struct vmt_map_group {
	struct vmt_row row;
#include "model/map-group.def"
};

struct vmt_sharer {
	struct vmt_row row;
#include "model/sharer.def"
};

struct vmt_huge {
	struct vmt_row row;
#include "model/huge.def"
};

struct vmt_cow {
	struct vmt_row row;
#include "model/cow.def"
};

struct vmt_page {
	struct vmt_row row;
#include "model/page.def"
};

struct vmt_addr {
	struct vmt_row row;
#include "model/addr.def"
};

struct vmt_fault {
	struct vmt_row row;
#include "model/fault.def"
};

struct vmt_stack {
	struct vmt_row row;
#include "model/stack.def"
};

struct vmt_single {
	struct vmt_row row;
#include "model/single.def"
};

struct vmt_gap {
	struct vmt_row row;
#include "model/gap.def"
};

struct vmt_part {
	struct vmt_row row;
#include "model/part.def"
};

struct vmt_share {
	struct vmt_row row;
#include "model/share.def"
};

struct vmt_term {
	struct vmt_row row;
#include "model/term.def"
};

struct vmt_commit_part {
	struct vmt_row row;
#include "model/commit-part.def"
};

struct vmt_commit {
	struct vmt_row row;
#include "model/commit.def"
};

struct vmt_pressure {
	struct vmt_row row;
#include "model/pressure.def"
};

struct vmt_balance {
	struct vmt_row row;
#include "model/balance.def"
};

struct vmt_file {
	struct vmt_row row;
#include "model/file.def"
};

struct vmt_cached_file {
	struct vmt_row row;
#include "model/cached-file.def"
};

struct vmt_cached_group {
	struct vmt_row row;
#include "model/cached-group.def"
};

struct vmt_cache {
	struct vmt_row row;
#include "model/cache.def"
};

struct vmt_command {
	struct vmt_row row;
#include "model/command.def"
};

struct vmt_budget {
	struct vmt_row row;
#include "model/budget.def"
};

struct vmt_probe_row {
	struct vmt_row row;
#include "model/probe.def"
};

struct vmt_rung {
	struct vmt_row row;
#include "model/rung.def"
};

struct vmt_source_row {
	struct vmt_row row;
#include "model/status.def"
};

struct vmt_issue {
	struct vmt_row row;
#include "model/issue.def"
};

struct vmt_finding {
	struct vmt_row row;
#include "model/finding.def"
};

struct vmt_check {
	struct vmt_row row;
#include "model/check.def"
};

struct vmt_zone_row {
	struct vmt_row row;
#include "model/zone.def"
};

struct vmt_order {
	struct vmt_row row;
#include "model/order.def"
};

struct vmt_migrate {
	struct vmt_row row;
#include "model/migrate.def"
};

struct vmt_node {
	struct vmt_row row;
#include "model/node.def"
};

struct vmt_cpu_list {
	struct vmt_row row;
#include "model/cpu-list.def"
};

struct vmt_compaction {
	struct vmt_row row;
#include "model/compaction.def"
};

struct vmt_region {
	struct vmt_row row;
#include "model/region.def"
};

struct vmt_region_sum {
	struct vmt_row row;
#include "model/region-sum.def"
};

struct vmt_cgroup {
	struct vmt_row row;
#include "model/cgroup.def"
};

struct vmt_cgroup_level {
	struct vmt_row row;
#include "model/cgroup-level.def"
};

struct vmt_cgroup_part {
	struct vmt_row row;
#include "model/cgroup-part.def"
};

struct vmt_kernel_use {
	struct vmt_row row;
#include "model/kernel-use.def"
};

struct vmt_slab {
	struct vmt_row row;
#include "model/slab.def"
};

struct vmt_vmalloc {
	struct vmt_row row;
#include "model/vmalloc.def"
};

struct vmt_kernel_sum {
	struct vmt_row row;
#include "model/kernel-sum.def"
};

struct vmt_kernel_range {
	struct vmt_row row;
#include "model/kernel-range.def"
};

struct vmt_address_space {
	struct vmt_row row;
#include "model/address-space.def"
};

struct vmt_counter {
	struct vmt_row row;
#include "model/counter.def"
};

struct vmt_verdict_row {
	struct vmt_row row;
#include "model/verdict.def"
};

struct vmt_diff_map {
	struct vmt_row row;
#include "model/diff.def"
};

struct vmt_diff_group {
	struct vmt_row row;
#include "model/diff-group.def"
};

struct vmt_diff_sum {
	struct vmt_row row;
#include "model/diff-sum.def"
};

struct vmt_diff_proc {
	struct vmt_row row;
#include "model/diff-proc.def"
};

struct vmt_diff_part {
	struct vmt_row row;
#include "model/diff-part.def"
};

struct vmt_diff_document {
	struct vmt_row row;
#include "model/diff-document.def"
};
struct vmt_event {
	struct vmt_row row;
#include "model/event.def"
};

struct vmt_event_sum {
	struct vmt_row row;
#include "model/event-sum.def"
};

struct vmt_event_site {
	struct vmt_row row;
#include "model/event-site.def"
};

struct vmt_event_made {
	struct vmt_row row;
#include "model/event-made.def"
};

struct vmt_event_stall {
	struct vmt_row row;
#include "model/event-stall.def"
};

struct vmt_event_psi {
	struct vmt_row row;
#include "model/event-psi.def"
};

struct vmt_event_cgroup {
	struct vmt_row row;
#include "model/event-cgroup.def"
};

struct vmt_event_collapse {
	struct vmt_row row;
#include "model/event-collapse.def"
};

struct vmt_event_probe {
	struct vmt_row row;
#include "model/event-probe.def"
};

struct vmt_kill {
	struct vmt_row row;
#include "model/oom.def"
};

struct vmt_oom_zone {
	struct vmt_row row;
#include "model/oom-zone.def"
};

struct vmt_oom_map {
	struct vmt_row row;
#include "model/oom-map.def"
};

struct vmt_oom_process {
	struct vmt_row row;
#include "model/oom-process.def"
};

struct vmt_oom_sample {
	struct vmt_row row;
#include "model/oom-sample.def"
};

#undef F
#undef FK
