/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cgroup-files.h"

#include "base/parse.h"
#include "source/kv.h"
#include "source/machine.h"

#define COUNT(member, key) VMT_KV(cgroup, vmt_cgroup, member, key, COUNT)

/* In the order of mm/memcontrol.c memory_stats[] and memory_stat_format(); all is hierarchical. */
static const struct vmt_kv_key stat_keys[] = {
	COUNT(anon_bytes, "anon"),
	COUNT(file_bytes, "file"),
	COUNT(kernel_bytes, "kernel"),
	COUNT(kernel_stack_bytes, "kernel_stack"),
	COUNT(page_tables_bytes, "pagetables"),
	COUNT(sec_page_tables_bytes, "sec_pagetables"),
	COUNT(percpu_bytes, "percpu"),
	COUNT(sock_bytes, "sock"),
	COUNT(vmalloc_bytes, "vmalloc"),
	COUNT(shmem_bytes, "shmem"),
	COUNT(zswap_bytes, "zswap"),
	COUNT(zswapped_bytes, "zswapped"),
	VMT_KV_IGNORE("zswap_incomp"),
	COUNT(mapped_bytes, "file_mapped"),
	COUNT(dirty_bytes, "file_dirty"),
	COUNT(writeback_bytes, "file_writeback"),
	COUNT(swap_cached_bytes, "swapcached"),
	COUNT(anon_huge_bytes, "anon_thp"),
	COUNT(file_huge_bytes, "file_thp"),
	COUNT(shmem_huge_bytes, "shmem_thp"),
	COUNT(inactive_anon_bytes, "inactive_anon"),
	COUNT(active_anon_bytes, "active_anon"),
	COUNT(inactive_file_bytes, "inactive_file"),
	COUNT(active_file_bytes, "active_file"),
	COUNT(unevictable_bytes, "unevictable"),
	COUNT(slab_reclaimable_bytes, "slab_reclaimable"),
	COUNT(slab_unreclaimable_bytes, "slab_unreclaimable"),
	COUNT(slab_bytes, "slab"),
	COUNT(hugetlb_bytes, "hugetlb"),
	COUNT(refault_anon_total, "workingset_refault_anon"),
	COUNT(refault_file_total, "workingset_refault_file"),
	COUNT(activate_anon_total, "workingset_activate_anon"),
	COUNT(activate_file_total, "workingset_activate_file"),
	COUNT(restore_anon_total, "workingset_restore_anon"),
	COUNT(restore_file_total, "workingset_restore_file"),
	COUNT(nodereclaim_total, "workingset_nodereclaim"),
	VMT_KV_IGNORE("pgdemote_kswapd"),
	VMT_KV_IGNORE("pgdemote_direct"),
	VMT_KV_IGNORE("pgdemote_khugepaged"),
	VMT_KV_IGNORE("pgdemote_proactive"),
	VMT_KV_IGNORE("pgpromote_success"),
	COUNT(scan_total, "pgscan"),
	COUNT(steal_total, "pgsteal"),
	VMT_KV_IGNORE("pgscan_kswapd"),
	VMT_KV_IGNORE("pgscan_direct"),
	VMT_KV_IGNORE("pgscan_khugepaged"),
	VMT_KV_IGNORE("pgscan_proactive"),
	VMT_KV_IGNORE("pgsteal_kswapd"),
	VMT_KV_IGNORE("pgsteal_direct"),
	VMT_KV_IGNORE("pgsteal_khugepaged"),
	VMT_KV_IGNORE("pgsteal_proactive"),
	COUNT(faults_total, "pgfault"),
	COUNT(major_faults_total, "pgmajfault"),
	VMT_KV_IGNORE("pgrefill"),
	VMT_KV_IGNORE("pgactivate"),
	VMT_KV_IGNORE("pgdeactivate"),
	VMT_KV_IGNORE("pglazyfree"),
	VMT_KV_IGNORE("pglazyfreed"),
	VMT_KV_IGNORE("swpin_zero"),
	VMT_KV_IGNORE("swpout_zero"),
	VMT_KV_IGNORE("zswpin"),
	VMT_KV_IGNORE("zswpout"),
	VMT_KV_IGNORE("zswpwb"),
	VMT_KV_IGNORE("thp_fault_alloc"),
	VMT_KV_IGNORE("thp_collapse_alloc"),
	VMT_KV_IGNORE("thp_swpout"),
	VMT_KV_IGNORE("thp_swpout_fallback"),
	VMT_KV_IGNORE("numa_pages_migrated"),
	VMT_KV_IGNORE("numa_pte_updates"),
	VMT_KV_IGNORE("numa_hint_faults"),
	VMT_KV_IGNORE("numa_task_migrated"),
	VMT_KV_IGNORE("numa_task_swapped"),
};

/* mm/memcontrol-v1.c memcg1_stat_format(): without total_ they are of the cgroup alone. */
static const struct vmt_kv_key stat_keys_v1[] = {
	COUNT(hierarchical_limit_bytes, "hierarchical_memory_limit"),
	COUNT(file_bytes, "total_cache"),
	COUNT(anon_bytes, "total_rss"),
	COUNT(anon_huge_bytes, "total_rss_huge"),
	COUNT(shmem_bytes, "total_shmem"),
	COUNT(mapped_bytes, "total_mapped_file"),
	COUNT(dirty_bytes, "total_dirty"),
	COUNT(writeback_bytes, "total_writeback"),
	COUNT(refault_anon_total, "total_workingset_refault_anon"),
	COUNT(refault_file_total, "total_workingset_refault_file"),
	COUNT(swap_bytes, "total_swap"),
	COUNT(swap_cached_bytes, "total_swapcached"),
	COUNT(faults_total, "total_pgfault"),
	COUNT(major_faults_total, "total_pgmajfault"),
	COUNT(inactive_anon_bytes, "total_inactive_anon"),
	COUNT(active_anon_bytes, "total_active_anon"),
	COUNT(inactive_file_bytes, "total_inactive_file"),
	COUNT(active_file_bytes, "total_active_file"),
	COUNT(unevictable_bytes, "total_unevictable"),
};

static const struct vmt_kv_key event_keys[] = {
	COUNT(low_total, "low"),	   COUNT(high_total, "high"),
	COUNT(max_total, "max"),	   COUNT(oom_total, "oom"),
	COUNT(oom_kill_total, "oom_kill"), COUNT(oom_group_kill_total, "oom_group_kill"),
	VMT_KV_IGNORE("sock_throttled"),
};

static const struct vmt_kv_key event_local_keys[] = {
	COUNT(low_local_total, "low"),
	COUNT(high_local_total, "high"),
	COUNT(max_local_total, "max"),
	COUNT(oom_local_total, "oom"),
	COUNT(oom_kill_local_total, "oom_kill"),
	COUNT(oom_group_kill_local_total, "oom_group_kill"),
	VMT_KV_IGNORE("sock_throttled"),
};

static const struct vmt_kv_key swap_event_keys[] = {
	COUNT(swap_high_total, "high"),
	COUNT(swap_max_total, "max"),
	COUNT(swap_fail_total, "fail"),
};

static const struct vmt_kv_key oom_control_keys[] = {
	VMT_KV_IGNORE("oom_kill_disable"),
	VMT_KV(cgroup, vmt_cgroup, under_oom, "under_oom", BOOL),
	COUNT(oom_kill_local_total, "oom_kill"),
};

#define TABLE(table)                                                                               \
	{                                                                                          \
		.keys = (table), .n = VMT_ARRAY_LEN(table)                                         \
	}

enum form {
	NUMBER, /* "4096"; of a limit also "max" */
	FLAG, /* "0" or "1" */
	KEYS,
	PRESSURE,
	PROCESSES,
};

struct file {
	const char *v2;
	const char *v1;
	enum form form;
	unsigned index; /* of the field of a number or flag */
	struct vmt_kv_table keys;
	struct vmt_kv_table keys_v1;
};

#define FIELD(member) VMT_FIELD_cgroup_##member

/* A file of one value, in version 2 and in version 1. */
#define VALUE(name, name_v1, frm, member)                                                          \
	{                                                                                          \
		.v2 = (name), .v1 = (name_v1), .form = (frm), .index = FIELD(member)               \
	}

static const struct file files[] = {
	{ "memory.stat", "memory.stat", KEYS, 0, TABLE(stat_keys), TABLE(stat_keys_v1) },
	VALUE("memory.current", "memory.usage_in_bytes", NUMBER, current_bytes),
	VALUE("memory.peak", "memory.max_usage_in_bytes", NUMBER, peak_bytes),
	VALUE("memory.min", NULL, NUMBER, min_bytes),
	VALUE("memory.low", NULL, NUMBER, low_bytes),
	VALUE("memory.high", NULL, NUMBER, high_bytes),
	VALUE("memory.max", "memory.limit_in_bytes", NUMBER, max_bytes),
	VALUE("memory.swap.current", NULL, NUMBER, swap_bytes),
	VALUE("memory.swap.high", NULL, NUMBER, swap_high_bytes),
	VALUE("memory.swap.max", NULL, NUMBER, swap_max_bytes),
	VALUE("memory.zswap.max", NULL, NUMBER, zswap_max_bytes),
	VALUE("memory.oom.group", NULL, FLAG, oom_group),
	{ "memory.events", NULL, KEYS, 0, TABLE(event_keys), { 0 } },
	{ "memory.events.local", NULL, KEYS, 0, TABLE(event_local_keys), { 0 } },
	{ "memory.swap.events", NULL, KEYS, 0, TABLE(swap_event_keys), { 0 } },
	VALUE("memory.pressure", NULL, PRESSURE, some_avg10_percent),
	VALUE("cgroup.procs", "cgroup.procs", PROCESSES, processes_total),
	VALUE(NULL, "memory.soft_limit_in_bytes", NUMBER, soft_bytes),
	VALUE(NULL, "memory.memsw.usage_in_bytes", NUMBER, memsw_bytes),
	VALUE(NULL, "memory.memsw.max_usage_in_bytes", NUMBER, memsw_peak_bytes),
	VALUE(NULL, "memory.memsw.limit_in_bytes", NUMBER, memsw_max_bytes),
	VALUE(NULL, "memory.kmem.usage_in_bytes", NUMBER, kernel_bytes),
	VALUE(NULL, "memory.kmem.limit_in_bytes", NUMBER, kmem_max_bytes),
	VALUE(NULL, "memory.failcnt", NUMBER, max_local_total),
	{ NULL, "memory.oom_control", KEYS, 0, { 0 }, TABLE(oom_control_keys) },
	VALUE(NULL, "memory.use_hierarchy", FLAG, use_hierarchy),
};
_Static_assert(VMT_ARRAY_LEN(files) <= 64, "a file has no bit");

size_t vmt_cgroup_n_files(void)
{
	return VMT_ARRAY_LEN(files);
}

const char *vmt_cgroup_file_name(size_t file, unsigned version)
{
	return version == 1 ? files[file].v1 : files[file].v2;
}

uint64_t vmt_cgroup_all_files(void)
{
	return VMT_ARRAY_LEN(files) == 64 ? UINT64_MAX : (UINT64_C(1) << VMT_ARRAY_LEN(files)) - 1;
}

static bool has_key(const struct vmt_kv_table *table, unsigned index)
{
	size_t i;

	for (i = 0; i < table->n; i++)
		if (table->keys[i].form != VMT_KV_SKIP && table->keys[i].index == index)
			return true;
	return false;
}

/* Whether the file gives that field, in either version. */
static bool gives(const struct file *f, unsigned index)
{
	switch (f->form) {
	case KEYS:
		return has_key(&f->keys, index) || has_key(&f->keys_v1, index);
	case PRESSURE:
		return index >= FIELD(some_avg10_percent) && index <= FIELD(full_total_ns);
	case NUMBER:
	case FLAG:
	case PROCESSES:
		break;
	}
	return f->index == index;
}

static uint64_t files_of(unsigned index)
{
	uint64_t mask = 0;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(files); i++)
		if (gives(&files[i], index))
			mask |= UINT64_C(1) << i;
	return mask;
}

uint64_t vmt_cgroup_files(const struct vmt_field *const *fields, size_t n)
{
	/* What the model makes available, limits and room of. */
	static const unsigned parts[] = {
		FIELD(current_bytes),	    FIELD(min_bytes),
		FIELD(high_bytes),	    FIELD(max_bytes),
		FIELD(memsw_bytes),	    FIELD(memsw_max_bytes),
		FIELD(use_hierarchy),	    FIELD(hierarchical_limit_bytes),
		FIELD(inactive_file_bytes),
	};
	uint64_t mask = 0, one;
	size_t i, k;

	for (i = 0; i < n; i++) {
		unsigned index = fields[i]->index;

		/* Known by the directory alone. */
		if (index == FIELD(version) || index == FIELD(id) || index == FIELD(depth) ||
		    index == FIELD(name) || index == FIELD(path))
			continue;
		one = files_of(index);
		for (k = 0; !one && k < VMT_ARRAY_LEN(parts); k++)
			mask |= files_of(parts[k]);
		if (index == FIELD(unlimited))
			return vmt_cgroup_all_files();
		mask |= one;
	}
	return mask;
}

/* Version 1 has the largest number of pages where there is no limit: LONG_MAX bytes, or as many
 * pages on machines of 32 bits (include/linux/page_counter.h). */
static bool is_endless(uint64_t v, uint64_t page_size)
{
	return v >= (INT64_MAX & ~(page_size - 1)) || v == INT32_MAX * page_size;
}

static int take_number(const struct file *f, unsigned version, struct vmt_bytes text,
		       uint64_t page_size, struct vmt_cgroup *c)
{
	const struct vmt_field *field = &vmt_entity_cgroup.fields[f->index];
	bool limit = field->flags & VMT_ENDLESS;
	uint64_t v;
	int r;

	if (limit && version == 2 && vmt_bytes_is(text, "max")) {
		v = UINT64_MAX;
	} else {
		r = vmt_take_u64(&text, &v);
		if (r < 0)
			return r;
		if (text.len)
			return -EINVAL;
		if (limit && version == 1 && is_endless(v, page_size))
			v = UINT64_MAX;
	}
	memcpy((char *)c + field->offset, &v, sizeof(v));
	vmt_row_mark(&c->row, f->index);
	return 0;
}

static int take_flag(const struct file *f, struct vmt_bytes text, struct vmt_cgroup *c)
{
	const struct vmt_field *field = &vmt_entity_cgroup.fields[f->index];
	bool v = vmt_bytes_is(text, "1");

	if (!v && !vmt_bytes_is(text, "0"))
		return -EINVAL;
	memcpy((char *)c + field->offset, &v, sizeof(v));
	vmt_row_mark(&c->row, f->index);
	return 0;
}

static int failed(struct vmt_err *err, int r, const char *name, unsigned line)
{
	return vmt_err_set(err, r, name, line, "%s: %s", name,
			   r == -ERANGE ? "the number is too large"
					: "this is not what the kernel writes");
}

#define STALLED(kind, p, c)                                                                        \
	do {                                                                                       \
		if (VMT_HAS(pressure, avg10_percent, p))                                           \
			VMT_SET(cgroup, kind##_avg10_percent, c, (p)->avg10_percent);              \
		if (VMT_HAS(pressure, avg60_percent, p))                                           \
			VMT_SET(cgroup, kind##_avg60_percent, c, (p)->avg60_percent);              \
		if (VMT_HAS(pressure, avg300_percent, p))                                          \
			VMT_SET(cgroup, kind##_avg300_percent, c, (p)->avg300_percent);            \
		if (VMT_HAS(pressure, stalled_total_ns, p))                                        \
			VMT_SET(cgroup, kind##_total_ns, c, (p)->stalled_total_ns);                \
	} while (0)

static int parse_pressure(struct vmt_bytes text, struct vmt_cgroup *c, struct vmt_err *err)
{
	struct vmt_pressure rows[2] = { 0 };
	size_t n = 0, i;
	int r = vmt_pressure_parse(text, "memory.pressure", rows, &n, err);

	for (i = 0; r == 0 && i < n; i++) {
		if (vmt_bytes_is(rows[i].kind, "some"))
			STALLED(some, &rows[i], c);
		else
			STALLED(full, &rows[i], c);
	}
	return r;
}

/* A number a line; 0 is one of another PID namespace. */
static int parse_processes(struct vmt_bytes text, struct vmt_cgroup *c, const char *name,
			   struct vmt_err *err)
{
	struct vmt_bytes line;
	uint64_t n = 0, pid;

	while (vmt_take_line(&text, &line)) {
		int r = vmt_take_u64(&line, &pid);

		n++;
		if (r < 0 || line.len)
			return failed(err, r < 0 ? r : -EINVAL, name, (unsigned)n);
	}
	VMT_SET(cgroup, processes_total, c, n);
	return 0;
}

int vmt_cgroup_file_parse(size_t file, unsigned version, struct vmt_bytes text, uint64_t page_size,
			  struct vmt_cgroup *c, uint64_t *unknown, struct vmt_err *err)
{
	const struct file *f = &files[file];
	const char *name = vmt_cgroup_file_name(file, version);
	const struct vmt_kv_table *keys = version == 1 ? &f->keys_v1 : &f->keys;
	struct vmt_bytes line;
	int r = -EINVAL;

	if (!name)
		return vmt_err_set(err, r, NULL, 0, "version %u has no such file", version);
	switch (f->form) {
	case KEYS:
		/* Version 1 has many that are of the cgroup alone. */
		r = vmt_kv_read(keys, text, ' ', &c->row,
				version == 1 && keys->keys == stat_keys_v1 ? NULL : unknown, name,
				err);
		if (r < 0 || keys->keys != stat_keys_v1 ||
		    !VMT_HAS(cgroup, hierarchical_limit_bytes, c))
			return r;
		if (is_endless(c->hierarchical_limit_bytes, page_size))
			c->hierarchical_limit_bytes = UINT64_MAX;
		return 0;
	case PRESSURE:
		return parse_pressure(text, c, err);
	case PROCESSES:
		return parse_processes(text, c, name, err);
	case NUMBER:
	case FLAG:
		if (vmt_take_line(&text, &line) && !text.len)
			r = f->form == FLAG ? take_flag(f, line, c)
					    : take_number(f, version, line, page_size, c);
		return r < 0 ? failed(err, r, name, 1) : 0;
	}
	return r;
}
