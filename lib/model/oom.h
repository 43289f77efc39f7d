/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "model/rows.h"
#include "model/sample.h"

/*
 * Victims of the OOM killer: what is known of the moment at which one was marked, and why it came
 * to that. The rules are those of the kernel's mm/page_alloc.c (__zone_watermark_ok) and
 * mm/memcontrol.c (try_charge_memcg).
 */
enum vmt_oom_constraint {
	VMT_OOM_UNKNOWN,
	VMT_OOM_MACHINE,
	VMT_OOM_CPUSET,
	VMT_OOM_POLICY,
	VMT_OOM_CGROUP,
};

/* What of a raw one is known. */
enum vmt_oom_has {
	VMT_OOM_HAS_RSS = 1,
	VMT_OOM_HAS_REQUEST = 2, /* order, gfp, total_pages, highest */
	VMT_OOM_HAS_LIMIT = 4, /* limit_cgroup and its counters */
	VMT_OOM_HAS_NODES = 8,
	VMT_OOM_HAS_ALLOWED = 16,
	VMT_OOM_HAS_TABLES = 32, /* pages of the mappings */
	VMT_OOM_HAS_RETRY = 64,
	VMT_OOM_IS_V1 = 128,
	VMT_OOM_IS_GROUP = 256,
	VMT_OOM_IS_CUT = 512, /* not all mappings were looked at */
	VMT_OOM_IS_ZONES_CUT = 2048, /* not all zones were looked at */
	VMT_OOM_HAS_SPACE = 1024, /* its address space: tables_bytes, total_pages_vm */
};

#define VMT_OOM_ORDER_COUNT 11
#define VMT_OOM_ZONE_COUNT  16
#define VMT_OOM_MAP_COUNT   8

/* Pages. */
struct vmt_oom_raw_zone {
	char name[16];
	uint32_t node;
	uint32_t index; /* of all kinds of zones, in the kernel's order */
	uint64_t free, min, low, high, boost;
	uint64_t reserve; /* kept from this request */
	uint64_t highatomic;
	uint64_t managed;
	uint64_t file;
	uint64_t blocks[VMT_OOM_ORDER_COUNT];
};

struct vmt_oom_raw_map {
	uint64_t start, end;
	uint64_t flags; /* VM_* */
	uint64_t offset_pages;
	uint64_t inode;
	uint64_t present, swapped; /* pages; UINT64_MAX: not all of it was looked at */
	uint32_t dev_major, dev_minor;
	struct vmt_bytes path; /* empty where there is none */
};

/* As the kernel's side gave it; texts are whose arena it was read into. */
struct vmt_oom_raw {
	uint64_t ns; /* CLOCK_MONOTONIC */
	uint64_t took_ns;
	uint64_t start_ns; /* of the victim, since boot */
	uint64_t file, anon, swap, shmem; /* pages */
	uint64_t tables_bytes;
	uint64_t total_vm; /* pages */
	uint64_t start_brk, brk, start_stack;
	uint64_t total_pages;
	uint64_t nodes, allowed; /* bits, of the first 64 nodes */
	uint64_t usage, max, memsw_usage, memsw_max; /* pages */
	uint64_t retry_reclaimable; /* pages */
	uint32_t pid, uid, by_pid, by_tid;
	int32_t adjust;
	int32_t order; /* -1: by SysRq */
	uint32_t gfp;
	uint32_t highest; /* index of the highest zone that is of use */
	uint32_t retry_loops;
	enum vmt_oom_constraint constraint;
	unsigned has; /* enum vmt_oom_has */
	char comm[16], by_comm[16];
	struct vmt_bytes cgroup; /* of the victim; empty where it is not known */
	struct vmt_bytes limit_cgroup;
	struct vmt_oom_raw_zone zones[VMT_OOM_ZONE_COUNT];
	size_t n_zones;
	struct vmt_oom_raw_map maps[VMT_OOM_MAP_COUNT];
	size_t n_maps;
};

/* The machine, once a second. */
struct vmt_oom_past {
	uint64_t ns; /* CLOCK_MONOTONIC */
	struct vmt_oom_sample row; /* without kill and before_ns */
};

/* All rows of one kill. They are the arena's that they were made in. */
struct vmt_oom_report {
	struct vmt_kill oom;
	struct vmt_oom_zone *zones;
	size_t n_zones;
	struct vmt_oom_map *maps; /* those with most pages first */
	size_t n_maps;
	struct vmt_oom_process *processes;
	size_t n_processes;
	struct vmt_oom_sample *samples;
	size_t n_samples;
};

/* A sample of the machine, with MEMINFO and PRESSURE, for the history. */
void vmt_oom_past_set(const struct vmt_sample *s, struct vmt_oom_past *ret);

/*
 * Makes the rows of a kill, the number of it, of which past, n of them, oldest first, is the
 * history, and after, NULL or with STATUS of the processes, the machine as it was read behind it. 0
 * or -ENOMEM.
 */
int vmt_oom_rows(const struct vmt_oom_raw *raw, const struct vmt_host *host, uint64_t start_ns,
		 uint64_t number, const struct vmt_oom_past *past, size_t n_past,
		 const struct vmt_sample *after, struct vmt_arena *arena,
		 struct vmt_oom_report *ret);
/* The sentence of a row that has all but that. */
void vmt_oom_sentence(struct vmt_buf *out, const struct vmt_kill *row, uint64_t page);
/* What stands below it in text, indented. ascii: as vmt_fmt_safe(). */
void vmt_oom_details(struct vmt_buf *out, const struct vmt_oom_report *r, uint64_t page,
		     bool ascii);
/* As the event in the stream. */
void vmt_oom_event(const struct vmt_oom_report *r, struct vmt_event *ret);
