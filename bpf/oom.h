/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"

#define VMT_OOM_ZONES  16
#define VMT_OOM_ORDERS 11 /* free blocks of up to 2^10 pages */
#define VMT_OOM_MAPS   8
#define VMT_OOM_NAMES  512

/* What of a record is known. */
enum vmt_oom_flag {
	VMT_OOM_RSS = 1, /* rss */
	VMT_OOM_CONTROL = 2, /* the killer's oom_control: constraint, order, gfp, total_pages */
	VMT_OOM_VICTIM_CGROUP = 4,
	VMT_OOM_LIMIT_CGROUP = 8, /* with the counters of its memory */
	VMT_OOM_VERSION_1 = 16, /* of cgroups */
	VMT_OOM_NODES = 32, /* nodes: the policy of who allocates allows these */
	VMT_OOM_ALLOWED = 64, /* allowed: its cpuset allows these */
	VMT_OOM_ZONES_CUT = 128, /* there are more zones */
	VMT_OOM_TABLES = 256, /* pages of mappings are counted */
	VMT_OOM_MAPS_CUT = 512, /* the address space was too large to be looked through: of some
				 * mappings pages are not known, and there may be more of them */
	VMT_OOM_GROUP = 1024, /* killed because another one of its cgroup was (memory.oom.group) */
	VMT_OOM_RETRY = 2048, /* what should_reclaim_retry() looked at last */
	VMT_OOM_SPACE = 8192, /* tables_bytes and what follows it */
	VMT_OOM_CHECK = 4096, /* nobody was killed: the self-check */
};

/* As enum oom_constraint of the kernel. */
enum vmt_bpf_constraint {
	VMT_BPF_CONSTRAINT_NONE,
	VMT_BPF_CONSTRAINT_CPUSET,
	VMT_BPF_CONSTRAINT_POLICY,
	VMT_BPF_CONSTRAINT_MEMCG,
};

/* Pages. */
struct vmt_oom_zone_slot {
	char name[16];
	__u64 free;
	__u64 min; /* watermarks, without boost */
	__u64 low;
	__u64 high;
	__u64 boost;
	__u64 reserve; /* lowmem_reserve against the zone that was asked for */
	__u64 highatomic;
	__u64 managed;
	__u64 file; /* on the lists of files: reclaim could take it */
	__u64 blocks[VMT_OOM_ORDERS]; /* free ones by order */
	__u32 node;
	__u32 index; /* enum zone_type */
};
_Static_assert(sizeof(struct vmt_oom_zone_slot) == 184, "no holes");

#define VMT_OOM_UNCOUNTED (~0ull)

struct vmt_oom_map_slot {
	__u64 start;
	__u64 end;
	__u64 flags; /* VM_* */
	__u64 offset; /* of the file, in pages */
	__u64 ino;
	__u64 present; /* pages; with VMT_OOM_TABLES, and unless VMT_OOM_UNCOUNTED */
	__u64 swapped; /* entries that hold no page: swap, mostly */
	__u32 dev; /* as in the kernel: major << 20 | minor */
	__u32 name; /* row of names + 1; 0 for none */
};
_Static_assert(sizeof(struct vmt_oom_map_slot) == 64, "no holes");

/* One victim, at the moment at which it is marked. Pages where nothing else is said. */
struct vmt_oom_record {
	__u64 ns; /* CLOCK_MONOTONIC */
	__u64 took_ns; /* to find all this out */
	__u64 start; /* when the victim was made, ns since boot */
	__u64 rss[4]; /* MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES */
	__u64 tables_bytes;
	__u64 total_vm;
	__u64 start_brk;
	__u64 brk;
	__u64 start_stack;
	__u64 total_pages; /* that the constraint allows, swap included */
	__u64 nodes; /* bits, of the first 64 */
	__u64 allowed;
	__u64 usage; /* of the cgroup whose limit is reached */
	__u64 max;
	__u64 swap_usage; /* v1: of memory and swap together */
	__u64 swap_max;
	__u64 retry_reclaimable;
	__u32 tgid;
	__u32 uid; /* real */
	__s32 adjust; /* oom_score_adj */
	__u32 by_tgid; /* who asked for memory */
	__u32 by_tid;
	__u32 gfp;
	__s32 order; /* -1: asked for by SysRq */
	__u32 constraint; /* enum vmt_bpf_constraint */
	__u32 highest; /* enum zone_type: zones above that are of no use for it */
	__s32 retry_loops;
	__u32 flags; /* enum vmt_oom_flag */
	__u32 n_zones;
	__u32 n_maps;
	__u32 pad;
	char comm[16];
	char by_comm[16];
	struct vmt_slot_name victim_cgroup;
	struct vmt_slot_name limit_cgroup;
	struct vmt_oom_zone_slot zones[VMT_OOM_ZONES];
	struct vmt_oom_map_slot maps[VMT_OOM_MAPS]; /* of those with most pages, in no order */
};
_Static_assert(sizeof(struct vmt_oom_record) % 8 == 0, "no holes at its end");

struct vmt_oom_control {
	__u32 active;
	__u32 pad;
};
