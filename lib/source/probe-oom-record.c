/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-oom-record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(VMT_OOM_ZONE_COUNT == VMT_OOM_ZONES && VMT_OOM_ORDER_COUNT == VMT_OOM_ORDERS &&
		      VMT_OOM_MAP_COUNT == VMT_OOM_MAPS,
	      "the same on both sides");

static int take_name(const struct vmt_slot_name *name, struct vmt_arena *arena,
		     struct vmt_bytes *ret)
{
	bool deleted, cut;

	*ret = VMT_BYTES("/");
	return name->len ? vmt_probe_path(name, false, arena, ret, &deleted, &cut) : 0;
}

static int take_map(const struct vmt_oom_taker *t, const struct vmt_oom_map_slot *m,
		    struct vmt_oom_raw_map *ret)
{
	*ret = (struct vmt_oom_raw_map){
		.start = m->start,
		.end = m->end,
		.flags = m->flags,
		.offset_pages = m->offset,
		.inode = m->ino,
		.present = m->present,
		.swapped = m->swapped,
		.dev_major = m->dev >> 20,
		.dev_minor = m->dev & ((1u << 20) - 1),
	};
	return vmt_probe_name(t->names, m->name, t->arena, &ret->path);
}

static void take_zone(const struct vmt_oom_zone_slot *z, struct vmt_oom_raw_zone *ret)
{
	*ret = (struct vmt_oom_raw_zone){
		.node = z->node,
		.index = z->index,
		.free = z->free,
		.min = z->min,
		.low = z->low,
		.high = z->high,
		.boost = z->boost,
		.reserve = z->reserve,
		.highatomic = z->highatomic,
		.managed = z->managed,
		.file = z->file,
	};
	memcpy(ret->name, z->name, sizeof(ret->name));
	memcpy(ret->blocks, z->blocks, sizeof(ret->blocks));
}

static unsigned has_of(uint32_t flags)
{
	return (flags & VMT_OOM_RSS ? VMT_OOM_HAS_RSS : 0u) |
	       (flags & VMT_OOM_CONTROL ? VMT_OOM_HAS_REQUEST : 0u) |
	       (flags & VMT_OOM_LIMIT_CGROUP ? VMT_OOM_HAS_LIMIT : 0u) |
	       (flags & VMT_OOM_NODES ? VMT_OOM_HAS_NODES : 0u) |
	       (flags & VMT_OOM_ALLOWED ? VMT_OOM_HAS_ALLOWED : 0u) |
	       (flags & VMT_OOM_TABLES ? VMT_OOM_HAS_TABLES : 0u) |
	       (flags & VMT_OOM_RETRY ? VMT_OOM_HAS_RETRY : 0u) |
	       (flags & VMT_OOM_VERSION_1 ? VMT_OOM_IS_V1 : 0u) |
	       (flags & VMT_OOM_GROUP ? VMT_OOM_IS_GROUP : 0u) |
	       (flags & VMT_OOM_MAPS_CUT ? VMT_OOM_IS_CUT : 0u) |
	       (flags & VMT_OOM_ZONES_CUT ? VMT_OOM_IS_ZONES_CUT : 0u) |
	       (flags & VMT_OOM_SPACE ? VMT_OOM_HAS_SPACE : 0u);
}

/* Flags, without what cannot be: no block of memory has such an order. */
static uint32_t flags_of(const struct vmt_oom_record *r)
{
	bool is_order = r->order >= -1 && r->order < 32;

	return is_order ? r->flags : r->flags & ~(uint32_t)VMT_OOM_CONTROL;
}

static enum vmt_oom_constraint constraint_of(const struct vmt_oom_record *r)
{
	if (!(flags_of(r) & VMT_OOM_CONTROL))
		return VMT_OOM_UNKNOWN;
	switch (r->constraint) {
	case VMT_BPF_CONSTRAINT_NONE:
		return VMT_OOM_MACHINE;
	case VMT_BPF_CONSTRAINT_CPUSET:
		return VMT_OOM_CPUSET;
	case VMT_BPF_CONSTRAINT_POLICY:
		return VMT_OOM_POLICY;
	default:
		return VMT_OOM_CGROUP;
	}
}

static struct vmt_oom_raw raw_of(const struct vmt_oom_record *r)
{
	struct vmt_oom_raw raw = {
		.ns = r->ns,
		.took_ns = r->took_ns,
		.start_ns = r->start,
		.file = vmt_oom_pages(r->rss[0]),
		.anon = vmt_oom_pages(r->rss[1]),
		.swap = vmt_oom_pages(r->rss[2]),
		.shmem = vmt_oom_pages(r->rss[3]),
		.tables_bytes = r->tables_bytes,
		.total_vm = r->total_vm,
		.start_brk = r->start_brk,
		.brk = r->brk,
		.start_stack = r->start_stack,
		.total_pages = r->total_pages,
		.nodes = r->nodes,
		.allowed = r->allowed,
		.usage = r->usage,
		.max = r->max,
		.memsw_usage = r->swap_usage,
		.memsw_max = r->swap_max,
		.retry_reclaimable = r->retry_reclaimable,
		.pid = r->tgid,
		.uid = r->uid,
		.by_pid = r->by_tgid,
		.by_tid = r->by_tid,
		.adjust = r->adjust,
		.order = r->order,
		.gfp = r->gfp,
		.highest = r->highest,
		.retry_loops = r->retry_loops > 0 ? (uint32_t)r->retry_loops : 0,
		.constraint = constraint_of(r),
		.has = has_of(flags_of(r)),
	};

	memcpy(raw.comm, r->comm, sizeof(raw.comm));
	memcpy(raw.by_comm, r->by_comm, sizeof(raw.by_comm));
	return raw;
}

int vmt_oom_on_record(void *taker, void *record, size_t size)
{
	const struct vmt_oom_record *r = record;
	struct vmt_oom_taker *t = taker;
	struct vmt_oom_raw raw;
	int code = 0;

	if (size != sizeof(*r)) {
		t->broken++;
		return 0;
	}
	if (r->flags & VMT_OOM_CHECK) {
		t->check(t->check_arg, r);
		return 0;
	}
	raw = raw_of(r);
	if (r->flags & VMT_OOM_VICTIM_CGROUP)
		code = take_name(&r->victim_cgroup, t->arena, &raw.cgroup);
	if (code == 0 && r->flags & VMT_OOM_LIMIT_CGROUP)
		code = take_name(&r->limit_cgroup, t->arena, &raw.limit_cgroup);
	for (uint32_t i = 0; code == 0 && i < r->n_maps && i < VMT_OOM_MAPS; i++)
		code = take_map(t, &r->maps[i], &raw.maps[raw.n_maps++]);
	for (uint32_t i = 0; i < r->n_zones && i < VMT_OOM_ZONES; i++)
		take_zone(&r->zones[i], &raw.zones[raw.n_zones++]);
	if (code)
		return -ENOMEM;
	t->taken++;
	return t->fn(t->arg, &raw);
}
