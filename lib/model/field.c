/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field.h"

#include <errno.h>

#include "base/parse.h"
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_system
#define FIELD_ENUM(m) VMT_FIELD_system_##m
static const struct vmt_field system_fields[] = {
#include "model/system.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_part
#define FIELD_ENUM(m) VMT_FIELD_part_##m
static const struct vmt_field part_fields[] = {
#include "model/part.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_share
#define FIELD_ENUM(m) VMT_FIELD_share_##m
static const struct vmt_field share_fields[] = {
#include "model/share.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_term
#define FIELD_ENUM(m) VMT_FIELD_term_##m
static const struct vmt_field term_fields[] = {
#include "model/term.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_commit_part
#define FIELD_ENUM(m) VMT_FIELD_commit_part_##m
static const struct vmt_field commit_part_fields[] = {
#include "model/commit-part.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_commit
#define FIELD_ENUM(m) VMT_FIELD_commit_##m
static const struct vmt_field commit_fields[] = {
#include "model/commit.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_pressure
#define FIELD_ENUM(m) VMT_FIELD_pressure_##m
static const struct vmt_field pressure_fields[] = {
#include "model/pressure.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_proc
#define FIELD_ENUM(m) VMT_FIELD_proc_##m
static const struct vmt_field proc_fields[] = {
#include "model/proc.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_proc_group
#define FIELD_ENUM(m) VMT_FIELD_group_##m
static const struct vmt_field group_fields[] = {
#include "model/proc-group.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_map
#define FIELD_ENUM(m) VMT_FIELD_map_##m
static const struct vmt_field map_fields[] = {
#include "model/map.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_map_group
#define FIELD_ENUM(m) VMT_FIELD_map_group_##m
static const struct vmt_field map_group_fields[] = {
#include "model/map-group.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_sharer
#define FIELD_ENUM(m) VMT_FIELD_sharer_##m
static const struct vmt_field sharer_fields[] = {
#include "model/sharer.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cow
#define FIELD_ENUM(m) VMT_FIELD_cow_##m
static const struct vmt_field cow_fields[] = {
#include "model/cow.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_page
#define FIELD_ENUM(m) VMT_FIELD_page_##m
static const struct vmt_field page_fields[] = {
#include "model/page.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_addr
#define FIELD_ENUM(m) VMT_FIELD_addr_##m
static const struct vmt_field addr_fields[] = {
#include "model/addr.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_fault
#define FIELD_ENUM(m) VMT_FIELD_fault_##m
static const struct vmt_field fault_fields[] = {
#include "model/fault.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_stack
#define FIELD_ENUM(m) VMT_FIELD_stack_##m
static const struct vmt_field stack_fields[] = {
#include "model/stack.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_single
#define FIELD_ENUM(m) VMT_FIELD_single_##m
static const struct vmt_field single_fields[] = {
#include "model/single.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_gap
#define FIELD_ENUM(m) VMT_FIELD_gap_##m
static const struct vmt_field gap_fields[] = {
#include "model/gap.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_balance
#define FIELD_ENUM(m) VMT_FIELD_balance_##m
static const struct vmt_field balance_fields[] = {
#include "model/balance.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_file
#define FIELD_ENUM(m) VMT_FIELD_file_##m
static const struct vmt_field file_fields[] = {
#include "model/file.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cached_file
#define FIELD_ENUM(m) VMT_FIELD_cached_file_##m
static const struct vmt_field cached_file_fields[] = {
#include "model/cached-file.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cached_group
#define FIELD_ENUM(m) VMT_FIELD_cached_group_##m
static const struct vmt_field cached_group_fields[] = {
#include "model/cached-group.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cache
#define FIELD_ENUM(m) VMT_FIELD_cache_##m
static const struct vmt_field cache_fields[] = {
#include "model/cache.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_probe_row
#define FIELD_ENUM(m) VMT_FIELD_probe_##m
static const struct vmt_field probe_fields[] = {
#include "model/probe.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_command
#define FIELD_ENUM(m) VMT_FIELD_command_##m
static const struct vmt_field command_fields[] = {
#include "model/command.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_budget
#define FIELD_ENUM(m) VMT_FIELD_budget_##m
static const struct vmt_field budget_fields[] = {
#include "model/budget.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_rung
#define FIELD_ENUM(m) VMT_FIELD_rung_##m
static const struct vmt_field rung_fields[] = {
#include "model/rung.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_source_row
#define FIELD_ENUM(m) VMT_FIELD_source_##m
static const struct vmt_field source_fields[] = {
#include "model/status.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_issue
#define FIELD_ENUM(m) VMT_FIELD_issue_##m
static const struct vmt_field issue_fields[] = {
#include "model/issue.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_finding
#define FIELD_ENUM(m) VMT_FIELD_finding_##m
static const struct vmt_field finding_fields[] = {
#include "model/finding.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_check
#define FIELD_ENUM(m) VMT_FIELD_check_##m
static const struct vmt_field check_fields[] = {
#include "model/check.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_zone_row
#define FIELD_ENUM(m) VMT_FIELD_zone_##m
static const struct vmt_field zone_fields[] = {
#include "model/zone.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_order
#define FIELD_ENUM(m) VMT_FIELD_order_##m
static const struct vmt_field order_fields[] = {
#include "model/order.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_migrate
#define FIELD_ENUM(m) VMT_FIELD_migrate_##m
static const struct vmt_field migrate_fields[] = {
#include "model/migrate.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_node
#define FIELD_ENUM(m) VMT_FIELD_node_##m
static const struct vmt_field node_fields[] = {
#include "model/node.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_cpu_list
#define FIELD_ENUM(m) VMT_FIELD_cpu_list_##m
static const struct vmt_field cpu_list_fields[] = {
#include "model/cpu-list.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_compaction
#define FIELD_ENUM(m) VMT_FIELD_compaction_##m
static const struct vmt_field compaction_fields[] = {
#include "model/compaction.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_region
#define FIELD_ENUM(m) VMT_FIELD_region_##m
static const struct vmt_field region_fields[] = {
#include "model/region.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_region_sum
#define FIELD_ENUM(m) VMT_FIELD_region_sum_##m
static const struct vmt_field region_sum_fields[] = {
#include "model/region-sum.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_kernel_use
#define FIELD_ENUM(m) VMT_FIELD_kernel_use_##m
static const struct vmt_field kernel_use_fields[] = {
#include "model/kernel-use.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_slab
#define FIELD_ENUM(m) VMT_FIELD_slab_##m
static const struct vmt_field slab_fields[] = {
#include "model/slab.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_vmalloc
#define FIELD_ENUM(m) VMT_FIELD_vmalloc_##m
static const struct vmt_field vmalloc_fields[] = {
#include "model/vmalloc.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_kernel_sum
#define FIELD_ENUM(m) VMT_FIELD_kernel_sum_##m
static const struct vmt_field kernel_sum_fields[] = {
#include "model/kernel-sum.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_kernel_range
#define FIELD_ENUM(m) VMT_FIELD_kernel_range_##m
static const struct vmt_field kernel_range_fields[] = {
#include "model/kernel-range.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_address_space
#define FIELD_ENUM(m) VMT_FIELD_address_space_##m
static const struct vmt_field address_space_fields[] = {
#include "model/address-space.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_counter
#define FIELD_ENUM(m) VMT_FIELD_counter_##m
static const struct vmt_field counter_fields[] = {
#include "model/counter.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(system, vmt_system, "system", "the machine as a whole", NULL);
ENTITY(part, vmt_part, "parts", "a part of MemTotal", NULL);
ENTITY(share, vmt_share, "shares", "parts of MemTotal of one sort, summed", NULL);
ENTITY(term, vmt_term, "available", "a term of available", NULL);
ENTITY(commit_part, vmt_commit_part, "commit_parts", "a part of Committed_AS", NULL);
ENTITY(commit, vmt_commit, "commit", "what may be promised to processes", NULL);
ENTITY(pressure, vmt_pressure, "pressure", "how long tasks waited for a resource", NULL);
ENTITY(proc, vmt_proc, "processes", "a process", "-rss_bytes");
ENTITY(group, vmt_proc_group, "groups", "processes with something in common", "-rss_bytes");
ENTITY(map, vmt_map, "maps", "a mapping (VMA) of a process", NULL);
ENTITY(map_group, vmt_map_group, "map_groups", "mappings of one role, kind or file, summed",
       "-rss_bytes,-size_bytes");
ENTITY(sharer, vmt_sharer, "sharers", "a process that maps a file, a memfd or a SysV segment",
       NULL);
ENTITY(cow, vmt_cow, "cow", "pages that a fork made two processes share, of one mapping", NULL);
ENTITY(page, vmt_page, "pages", "a page of a process, or a run of pages that are alike", NULL);
ENTITY(addr, vmt_addr, "addresses", "an address of a process, explained", NULL);
ENTITY(fault, vmt_fault, "faults", "page faults of one mapping, process or file", "-faults_total");
ENTITY(stack, vmt_stack, "stacks", "page faults of one stack of a process", "-faults_total");
ENTITY(single, vmt_single, "singles", "one page fault, or a run of them on adjacent pages", NULL);
ENTITY(gap, vmt_gap, "gaps", "single faults, or events, that are missing in a stream of them",
       NULL);
ENTITY(balance, vmt_balance, "balance", "the sum of a process against the kernel's own counters",
       "-kernel_faults_total");
ENTITY(file, vmt_file, "files", "faults that reached filemap_fault, by file",
       "-calls_total,-around_total");
ENTITY(cached_file, vmt_cached_file, "cached_files", "a file, and what the page cache has of it",
       "-cached_bytes,path");
ENTITY(cached_group, vmt_cached_group, "cached_groups",
       "files of one directory or file system, summed", "-cached_bytes,name");
ENTITY(cache, vmt_cache, "cache", "the page cache, and how much of it the rows explain", NULL);
ENTITY(command, vmt_command, "command", "a command that was run", NULL);
ENTITY(budget, vmt_budget, "budgets", "a limit that a command was given", NULL);
ENTITY(probe, vmt_probe_row, "probe", "how faults were counted, and what was lost", NULL);
ENTITY(rung, vmt_rung, "rungs", "a hook or rung that was tried", NULL);
ENTITY(source, vmt_source_row, "sources", "whether a source could be read, and its cost", NULL);
ENTITY(issue, vmt_issue, "errors", "something that could not be read", NULL);
ENTITY(finding, vmt_finding, "findings", "something that the model noticed", NULL);
ENTITY(check, vmt_check, "checks", "an identity between figures of the kernel", NULL);
ENTITY(zone, vmt_zone_row, "zones", "a zone of memory, its watermarks and its free blocks", NULL);
ENTITY(order, vmt_order, "orders", "free blocks of one size in a zone", NULL);
ENTITY(migrate, vmt_migrate, "types", "page blocks and free memory of one migrate type in a zone",
       NULL);
ENTITY(node, vmt_node, "nodes", "a NUMA node", NULL);
ENTITY(cpu_list, vmt_cpu_list, "cpu_lists", "pages of a zone that a processor keeps for itself",
       NULL);
ENTITY(compaction, vmt_compaction, "compaction", "how hard it is to find large blocks", NULL);
ENTITY(region, vmt_region, "regions", "a range of physical addresses", NULL);
ENTITY(region_sum, vmt_region_sum, "region_sums", "ranges of physical addresses of one class",
       NULL);
ENTITY(kernel_use, vmt_kernel_use, "uses", "something that the kernel holds memory for", NULL);
ENTITY(slab, vmt_slab, "slabs", "a cache of the slab allocator", "-size_bytes");
ENTITY(vmalloc, vmt_vmalloc, "vmalloc", "areas of the vmalloc range that one function made",
       "-memory_bytes,-size_bytes");
ENTITY(kernel_sum, vmt_kernel_sum, "sums", "a list against the kernel's own count", NULL);
ENTITY(kernel_range, vmt_kernel_range, "ranges", "a part of the kernel's address space", NULL);
ENTITY(address_space, vmt_address_space, "address_space", "the kernel's address space as a whole",
       NULL);
ENTITY(counter, vmt_counter, "counters", "a line of /proc/vmstat", NULL);

/* clang-format off */
const struct vmt_entity *const vmt_entities[] = {
	&vmt_entity_system, &vmt_entity_part,
	&vmt_entity_term, &vmt_entity_commit,
	&vmt_entity_commit_part,
	&vmt_entity_pressure, &vmt_entity_proc,
	&vmt_entity_group, &vmt_entity_map,
	&vmt_entity_map_group, &vmt_entity_sharer,
	&vmt_entity_cow,	   &vmt_entity_huge,
	&vmt_entity_page, &vmt_entity_addr,
	&vmt_entity_fault, &vmt_entity_stack,
	&vmt_entity_balance, &vmt_entity_file,
	&vmt_entity_cached_file, &vmt_entity_cached_group,
	&vmt_entity_cache, &vmt_entity_command,
	&vmt_entity_budget, &vmt_entity_probe,
	&vmt_entity_rung, &vmt_entity_source,
	&vmt_entity_issue, &vmt_entity_finding,
	&vmt_entity_check, &vmt_entity_verdict,
	&vmt_entity_single,
	&vmt_entity_gap, &vmt_entity_zone,
	&vmt_entity_order, &vmt_entity_migrate,
	&vmt_entity_node, &vmt_entity_cpu_list,
	&vmt_entity_compaction, &vmt_entity_region,
	&vmt_entity_region_sum, &vmt_entity_cgroup,
	&vmt_entity_kernel_use, &vmt_entity_slab,
	&vmt_entity_vmalloc, &vmt_entity_kernel_sum,
	&vmt_entity_kernel_range, &vmt_entity_address_space,
	&vmt_entity_counter, &vmt_entity_cgroup_level,
	&vmt_entity_cgroup_part, &vmt_entity_share,
	&vmt_entity_diff, &vmt_entity_diff_group, &vmt_entity_diff_sum, &vmt_entity_diff_proc,
	&vmt_entity_diff_part, &vmt_entity_diff_document,
	&vmt_entity_event, &vmt_entity_event_sum, &vmt_entity_event_site, &vmt_entity_event_probe,
	&vmt_entity_event_stall, &vmt_entity_event_psi, &vmt_entity_event_cgroup,
	&vmt_entity_event_collapse,
	&vmt_entity_event_made,
	&vmt_entity_kill, &vmt_entity_oom_zone, &vmt_entity_oom_map, &vmt_entity_oom_process,
	&vmt_entity_oom_sample,
	NULL,
};
/* clang-format on */

const struct vmt_entity *vmt_entity_find(const char *name)
{
	size_t i;

	for (i = 0; vmt_entities[i]; i++)
		if (strcmp(vmt_entities[i]->name, name) == 0)
			return vmt_entities[i];
	return NULL;
}

static bool same_word(struct vmt_bytes a, const char *b)
{
	return a.len == strlen(b) && vmt_same_text(a.ptr, b, a.len);
}

const struct vmt_field *vmt_field_find(const struct vmt_entity *entity, struct vmt_bytes name)
{
	const char *dot = memchr(name.ptr, '.', name.len);
	struct vmt_bytes group = { name.ptr, 0 };
	size_t i;

	if (dot) {
		group.len = (size_t)(dot - name.ptr);
		name.ptr = dot + 1;
		name.len -= group.len + 1;
	}
	for (i = 0; i < entity->n_fields; i++) {
		const struct vmt_field *f = &entity->fields[i];

		if (dot && !(f->group && same_word(group, f->group)))
			continue;
		if (same_word(name, f->name) || same_word(name, f->title))
			return f;
	}
	return NULL;
}

/* Of its member in the row. */
static size_t size_of(const struct vmt_field *f)
{
	switch (f->type) {
	case VMT_TYPE_U64:
		return sizeof(VMT_CTYPE_U64);
	case VMT_TYPE_I64:
		return sizeof(VMT_CTYPE_I64);
	case VMT_TYPE_STR:
		return sizeof(VMT_CTYPE_STR);
	case VMT_TYPE_HEX:
		return sizeof(VMT_CTYPE_HEX);
	case VMT_TYPE_BOOL:
		return sizeof(VMT_CTYPE_BOOL);
	case VMT_TYPE_HIST:
		return sizeof(VMT_CTYPE_HIST);
	case VMT_TYPE_KEYS:
		return sizeof(VMT_CTYPE_KEYS);
	}
	return 0;
}

void vmt_field_copy(const struct vmt_field *f, void *to, const void *from)
{
	memcpy((char *)to + f->offset, vmt_field_at(f, from), size_of(f));
	vmt_row_mark(to, f->index);
}

int vmt_row_own_text(const struct vmt_entity *entity, struct vmt_arena *arena, void *to,
		     const void *before, const void *from_before)
{
	size_t i;

	for (i = 0; i < entity->n_fields; i++) {
		const struct vmt_field *f = &entity->fields[i];
		struct vmt_bytes *text = (struct vmt_bytes *)((char *)to + f->offset);

		if (!vmt_field_is_text(f) || !vmt_row_has(to, f->index))
			continue;
		if (from_before && vmt_row_has(from_before, f->index)) {
			const struct vmt_bytes *same = vmt_field_at(f, from_before);

			if (same->ptr == text->ptr && same->len == text->len) {
				*text = *(const struct vmt_bytes *)vmt_field_at(f, before);
				continue;
			}
		}
		text->ptr = vmt_arena_copy(arena, text->ptr, text->len);
		if (!text->ptr)
			return -ENOMEM;
	}
	return 0;
}

uint64_t vmt_field_number(const struct vmt_field *f, const void *row)
{
	const void *p = vmt_field_at(f, row);

	switch (f->type) {
	case VMT_TYPE_U64:
	case VMT_TYPE_HEX:
		return *(const uint64_t *)p;
	case VMT_TYPE_I64:
		return (uint64_t) * (const int64_t *)p;
	case VMT_TYPE_BOOL:
		return *(const bool *)p;
	case VMT_TYPE_STR:
	case VMT_TYPE_HIST:
	case VMT_TYPE_KEYS:
		break;
	}
	return 0;
}

static uint64_t bit_of(enum vmt_source_id id)
{
	return UINT64_C(1) << id;
}

/* Those of which one is enough. */
static uint64_t any_of(const struct vmt_field *f)
{
	enum vmt_source_id also;

	return bit_of(f->source) | (vmt_field_cheaper(f, &also) ? bit_of(also) : 0);
}

static unsigned weight_of(uint64_t set)
{
	unsigned sum = 0;
	int i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		if (set >> i & 1)
			sum += vmt_source_weight((enum vmt_source_id)i);
	return sum;
}

static bool gives_all(uint64_t set, const struct vmt_field *const *fields, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!(set & any_of(fields[i])))
			return false;
	return true;
}

uint64_t vmt_fields_sources(const struct vmt_field *const *fields, size_t n)
{
	uint64_t must = 0, may = 0, best, set;
	size_t i;

	for (i = 0; i < n; i++)
		if (any_of(fields[i]) == bit_of(fields[i]->source))
			must |= bit_of(fields[i]->source);
	for (i = 0; i < n; i++)
		if (!(must & any_of(fields[i])))
			may |= any_of(fields[i]);
	/* All sets of the few that there is a choice of. */
	best = may;
	for (set = may; set; set = (set - 1) & may)
		if (weight_of(set) < weight_of(best) && gives_all(must | set, fields, n))
			best = set;
	return must | best;
}

static int compare_known(const struct vmt_field *f, const void *a, const void *b)
{
	const void *pa = vmt_field_at(f, a), *pb = vmt_field_at(f, b);
	uint64_t ua, ub;

	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS:
		return vmt_bytes_compare(*(const struct vmt_bytes *)pa,
					 *(const struct vmt_bytes *)pb);
	case VMT_TYPE_I64: {
		int64_t ia = *(const int64_t *)pa, ib = *(const int64_t *)pb;

		return ia < ib ? -1 : ia > ib;
	}
	case VMT_TYPE_HIST:
		return 0;
	case VMT_TYPE_U64:
	case VMT_TYPE_HEX:
	case VMT_TYPE_BOOL:
		break;
	}
	ua = vmt_field_number(f, a);
	ub = vmt_field_number(f, b);
	return ua < ub ? -1 : ua > ub;
}

int vmt_field_compare(const struct vmt_field *f, const void *a, const void *b, bool descending)
{
	bool ka = vmt_row_has(a, f->index), kb = vmt_row_has(b, f->index);
	int c;

	if (!ka || !kb)
		return (ka ? 0 : 1) - (kb ? 0 : 1);
	c = compare_known(f, a, b);
	return descending ? -c : c;
}

const char *vmt_type_name(enum vmt_type type)
{
	static const char *const names[] = {
		"u64", "i64", "string", "hex", "bool", "histogram", "keys",
	};

	return names[type];
}

const char *vmt_unit_name(enum vmt_unit unit)
{
	static const char *const names[] = { "none", "bytes", "pages", "count", "ns", "milli" };

	return names[unit];
}

const char *vmt_kind_name(enum vmt_kind kind)
{
	static const char *const names[] = { "gauge", "counter", "label" };

	return names[kind];
}

/* Sources. */

static const struct {
	const char *name;
	const char *what;
	const char *help;
	enum vmt_source_cost cost;
} sources[] = {
#define S(id, nm, wh, cst, hlp)                                                                    \
	[VMT_SOURCE_##id] = { .name = nm, .what = wh, .help = hlp, .cost = VMT_COST_##cst },
#include "model/source.def"
#undef S
};

const char *vmt_source_name(enum vmt_source_id id)
{
	return sources[id].name;
}

const char *vmt_source_what(enum vmt_source_id id)
{
	return sources[id].what;
}

const char *vmt_source_help(enum vmt_source_id id)
{
	return sources[id].help;
}

enum vmt_source_cost vmt_source_cost(enum vmt_source_id id)
{
	return sources[id].cost;
}

unsigned vmt_source_weight(enum vmt_source_id id)
{
	/* Measured on Linux 6.18; only their order and rough ratio matter. */
	switch (id) {
	case VMT_SOURCE_STATUS:
		return 14;
	case VMT_SOURCE_STAT:
		return 10;
	case VMT_SOURCE_STATM:
		return 6;
	case VMT_SOURCE_PAGEMAP:
		return 40;
	case VMT_SOURCE_SMAPS:
		return 200;
	default:
		return 0;
	}
}

const char *vmt_source_cost_name(enum vmt_source_cost cost)
{
	static const char *const names[] = { "none", "cheap", "dear", "probe" };

	return names[cost];
}

const char *vmt_source_state_name(enum vmt_source_state state)
{
	static const char *const names[] = { "unused", "ok",	 "partial", "denied",
					     "absent", "failed", "skipped" };

	return names[state];
}

void vmt_want_field(struct vmt_want *w, const struct vmt_field *f)
{
	enum vmt_source_id cheaper;

	if (vmt_field_cheaper(f, &cheaper))
		w->also[f->source] |= UINT64_C(1) << cheaper;
	else
		w->need |= UINT64_C(1) << f->source;
}

uint64_t vmt_want_sources(const struct vmt_want *w, uint64_t *ret_cheap)
{
	int i;

	*ret_cheap = 0;
	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		if (!(w->need >> i & 1))
			*ret_cheap |= w->also[i];
	return w->need;
}
