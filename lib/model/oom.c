/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/oom.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "model/gfp.h"

#define VM_EXEC	  4u
#define VM_SHARED 8u

/* Processes that are told of behind a kill. */
#define PROCESSES_MOST 10u
#define MINUTE_NS      UINT64_C(60000000000)

static struct vmt_bytes copy(struct vmt_arena *arena, const char *text, size_t len)
{
	char *c = vmt_arena_copy(arena, text, len);

	return (struct vmt_bytes){ c, c ? len : 0 };
}

static struct vmt_bytes name(struct vmt_arena *arena, const char *text, size_t size)
{
	return copy(arena, text, strnlen(text, size));
}

/* A text that was written, which is empty then. */
static struct vmt_bytes taken(struct vmt_arena *arena, struct vmt_buf *text)
{
	struct vmt_bytes ret = { 0 };

	if (vmt_buf_error(text) < 0)
		arena->failed = true;
	else
		ret = copy(arena, text->data ? text->data : "", text->len);
	vmt_buf_clear(text);
	return ret;
}

void vmt_oom_past_set(const struct vmt_sample *s, struct vmt_oom_past *ret)
{
	const struct vmt_system *m = &s->system;
	struct vmt_oom_sample *row = &ret->row;

	*ret = (struct vmt_oom_past){ .ns = s->host.monotonic_ns };
	if (VMT_HAS(system, free_bytes, m))
		VMT_SET(oom_sample, free_bytes, row, m->free_bytes);
	if (VMT_HAS(system, available_bytes, m))
		VMT_SET(oom_sample, available_bytes, row, m->available_bytes);
	if (VMT_HAS(system, active_file_bytes, m) && VMT_HAS(system, inactive_file_bytes, m))
		VMT_SET(oom_sample, file_bytes, row, m->active_file_bytes + m->inactive_file_bytes);
	if (VMT_HAS(system, swap_free_bytes, m))
		VMT_SET(oom_sample, swap_free_bytes, row, m->swap_free_bytes);
	for (size_t i = 0; i < s->n_pressure; i++) {
		const struct vmt_pressure *p = &s->pressure[i];

		if (!vmt_bytes_is(p->resource, "memory") || !VMT_HAS(pressure, avg10_percent, p))
			continue;
		if (vmt_bytes_is(p->kind, "some"))
			VMT_SET(oom_sample, some_percent, row, p->avg10_percent);
		else
			VMT_SET(oom_sample, full_percent, row, p->avg10_percent);
	}
}

#define GFP_HARDWALL UINT64_C(0x100000)

/* Whether the request may be met from a zone. Nodes beyond the first 64 are taken to be allowed. */
static bool is_usable(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_zone *z)
{
	uint64_t bit = z->node < 64 ? UINT64_C(1) << z->node : 0;

	if (z->index > raw->highest)
		return false;
	if (bit && raw->has & VMT_OOM_HAS_NODES && !(raw->nodes & bit))
		return false;
	/* A request of the kernel's own is met from outside of the cpuset, too, but where the
	 * killer found nodes that it kept out (cpuset_node_allowed()). */
	return !bit || !(raw->has & VMT_OOM_HAS_ALLOWED) || raw->allowed & bit ||
	       (!(raw->gfp & GFP_HARDWALL) && raw->constraint != VMT_OOM_CPUSET);
}

/* As __zone_watermark_ok() compares it, of a request that has no part in the reserves. */
static bool is_below(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_zone *z, uint64_t mark)
{
	uint64_t wanted = raw->order > 0 ? (UINT64_C(1) << raw->order) - 1 : 0;

	return z->free <= mark + z->boost + z->reserve + z->highatomic + wanted;
}

static bool has_block(const struct vmt_oom_raw_zone *z, int order)
{
	for (int i = order < 0 ? 0 : order; i < VMT_OOM_ORDER_COUNT; i++)
		if (z->blocks[i])
			return true;
	return false;
}

static void set_zone(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_zone *z, uint64_t kill,
		     uint64_t page, struct vmt_arena *arena, struct vmt_oom_zone *row)
{
	VMT_AUTO_BUF text = { 0 };

	*row = (struct vmt_oom_zone){ 0 };
	VMT_SET(oom_zone, kill, row, kill);
	VMT_SET(oom_zone, node, row, z->node);
	VMT_SET(oom_zone, zone, row, name(arena, z->name, sizeof(z->name)));
	VMT_SET(oom_zone, usable, row, is_usable(raw, z));
	VMT_SET(oom_zone, free_bytes, row, z->free * page);
	VMT_SET(oom_zone, min_bytes, row, (z->min + z->boost) * page);
	VMT_SET(oom_zone, low_bytes, row, (z->low + z->boost) * page);
	VMT_SET(oom_zone, high_bytes, row, (z->high + z->boost) * page);
	VMT_SET(oom_zone, reserve_bytes, row, z->reserve * page);
	VMT_SET(oom_zone, highatomic_bytes, row, z->highatomic * page);
	VMT_SET(oom_zone, managed_bytes, row, z->managed * page);
	VMT_SET(oom_zone, file_bytes, row, z->file * page);
	VMT_SET(oom_zone, below_min, row, is_below(raw, z, z->min));
	for (unsigned i = 0; i < VMT_OOM_ORDER_COUNT; i++) {
		if (z->blocks[i])
			VMT_SET(oom_zone, largest_order, row, i);
		vmt_buf_addf(&text, "%s%" PRIu64, i ? " " : "", z->blocks[i]);
	}
	VMT_SET(oom_zone, free_blocks, row, taken(arena, &text));
}

static int set_zones(const struct vmt_oom_raw *raw, uint64_t kill, uint64_t page,
		     struct vmt_arena *arena, struct vmt_oom_report *r)
{
	uint64_t free = 0, other = 0, file = 0;
	bool any = false, all_min = true, all_high = true, block = false;

	if (!raw->n_zones || !(raw->has & VMT_OOM_HAS_REQUEST))
		return 0;
	r->zones = vmt_arena_alloc(arena, raw->n_zones, sizeof(*r->zones));
	if (!r->zones)
		return -ENOMEM;
	for (size_t i = 0; i < raw->n_zones; i++) {
		const struct vmt_oom_raw_zone *z = &raw->zones[i];

		if (!z->managed)
			continue;
		set_zone(raw, z, kill, page, arena, &r->zones[r->n_zones++]);
		if (!is_usable(raw, z)) {
			other += z->free;
			continue;
		}
		any = true;
		free += z->free;
		file += z->file;
		all_min = all_min && is_below(raw, z, z->min);
		all_high = all_high && is_below(raw, z, z->high);
		block = block || (!is_below(raw, z, z->min) && has_block(z, raw->order));
	}
	/* Sums and reason are those of all zones, or unknown. */
	if (raw->has & VMT_OOM_IS_ZONES_CUT)
		return 0;
	VMT_SET(kill, zone_free_bytes, &r->oom, free * page);
	VMT_SET(kill, other_free_bytes, &r->oom, other * page);
	VMT_SET(kill, zone_file_bytes, &r->oom, file * page);
	if (VMT_HAS(kill, reason, &r->oom) || !any)
		return 0;
	if (all_min)
		VMT_SET(kill, reason, &r->oom, VMT_BYTES("zone_min"));
	else if (raw->order > 0 && !block)
		VMT_SET(kill, reason, &r->oom, VMT_BYTES("fragmentation"));
	/* __alloc_pages_may_oom() looks once more for what lies above high, and kills without. */
	else if (all_high)
		VMT_SET(kill, reason, &r->oom, VMT_BYTES("zone_high"));
	return 0;
}

static bool is_counted(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_map *m)
{
	return raw->has & VMT_OOM_HAS_TABLES && m->present != UINT64_MAX;
}

/* Pages; where they are not known, as many as it may have. */
static uint64_t weight(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_map *m,
		       uint64_t page)
{
	return is_counted(raw, m) ? m->present + m->swapped : (m->end - m->start) / page;
}

static struct vmt_bytes map_name(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_map *m)
{
	if (m->path.len)
		return m->path;
	if (m->inode)
		return (struct vmt_bytes){ 0 };
	if (m->start < raw->brk && m->end > raw->start_brk)
		return VMT_BYTES("[heap]");
	if (m->start <= raw->start_stack && m->end > raw->start_stack)
		return VMT_BYTES("[stack]");
	return VMT_BYTES("[anon]");
}

static void set_map(const struct vmt_oom_raw *raw, const struct vmt_oom_raw_map *m, uint64_t kill,
		    uint64_t page, struct vmt_arena *arena, struct vmt_oom_map *row)
{
	const char permissions[] = { m->flags & 1 ? 'r' : '-', m->flags & 2 ? 'w' : '-',
				     m->flags & VM_EXEC ? 'x' : '-',
				     m->flags & VM_SHARED ? 's' : 'p' };
	char device[24];
	int n;

	*row = (struct vmt_oom_map){ 0 };
	VMT_SET(oom_map, kill, row, kill);
	VMT_SET(oom_map, pid, row, raw->pid);
	VMT_SET(oom_map, start, row, m->start);
	VMT_SET(oom_map, end, row, m->end);
	VMT_SET(oom_map, size_bytes, row, m->end - m->start);
	if (is_counted(raw, m)) {
		VMT_SET(oom_map, rss_bytes, row, m->present * page);
		VMT_SET(oom_map, swap_bytes, row, m->swapped * page);
	}
	VMT_SET(oom_map, permissions, row, copy(arena, permissions, sizeof(permissions)));
	if (m->inode) {
		n = snprintf(device, sizeof(device), "%02x:%02x", m->dev_major, m->dev_minor);
		VMT_SET(oom_map, device, row, copy(arena, device, n > 0 ? (size_t)n : 0));
		VMT_SET(oom_map, inode, row, m->inode);
		VMT_SET(oom_map, offset_bytes, row, m->offset_pages * page);
	}
	if (map_name(raw, m).len)
		VMT_SET(oom_map, path, row, map_name(raw, m));
}

static int set_maps(const struct vmt_oom_raw *raw, uint64_t kill, uint64_t page,
		    struct vmt_arena *arena, struct vmt_oom_report *r)
{
	const struct vmt_oom_raw_map *order[VMT_OOM_MAP_COUNT];
	struct vmt_kill *o = &r->oom;

	if (!raw->n_maps)
		return 0;
	r->maps = vmt_arena_alloc(arena, raw->n_maps, sizeof(*r->maps));
	if (!r->maps)
		return -ENOMEM;
	for (size_t i = 0; i < raw->n_maps; i++) {
		size_t k = i;

		for (; k > 0 && weight(raw, order[k - 1], page) < weight(raw, &raw->maps[i], page);
		     k--)
			order[k] = order[k - 1];
		order[k] = &raw->maps[i];
	}
	for (size_t i = 0; i < raw->n_maps; i++)
		set_map(raw, order[i], kill, page, arena, &r->maps[r->n_maps++]);
	VMT_SET(kill, maps_cut, o, (raw->has & VMT_OOM_IS_CUT) != 0);
	VMT_SET(kill, map_start, o, r->maps[0].start);
	VMT_SET(kill, map_size_bytes, o, r->maps[0].size_bytes);
	if (VMT_HAS(oom_map, rss_bytes, &r->maps[0]))
		VMT_SET(kill, map_rss_bytes, o, r->maps[0].rss_bytes);
	if (VMT_HAS(oom_map, path, &r->maps[0]))
		VMT_SET(kill, map_path, o, r->maps[0].path);
	return 0;
}

/* How many levels a cgroup is above one that is it, or lies in it; -1 where it does not. */
static int levels_between(struct vmt_bytes above, struct vmt_bytes below)
{
	int n = 0;

	/* The root is "/", and all others begin with it. */
	if (vmt_bytes_is(above, "/"))
		above.len = 0;
	if (below.len < above.len || memcmp(above.ptr, below.ptr, above.len) != 0 ||
	    (below.len > above.len && below.ptr[above.len] != '/'))
		return -1;
	for (size_t i = above.len; i + 1 < below.len; i++)
		n += below.ptr[i] == '/';
	return n;
}

static uint64_t margin(uint64_t usage, uint64_t max)
{
	return usage < max ? max - usage : 0;
}

/*
 * The limit that a charge was beyond: that there was one is what the constraint says, and what is
 * in use may have become less since. Of version 1 memory and swap together are charged first; their
 * limit is at least that of memory, and out of reach where they are not counted.
 */
static void set_limit(const struct vmt_oom_raw *raw, uint64_t page, struct vmt_kill *o)
{
	bool v1 = raw->has & VMT_OOM_IS_V1;
	uint64_t usage = raw->usage, max = raw->max;
	bool memsw = v1 && margin(raw->memsw_usage, raw->memsw_max) <= margin(usage, max);
	int levels;

	if (!(raw->has & VMT_OOM_HAS_LIMIT))
		return;
	VMT_SET(kill, limit_cgroup, o, raw->limit_cgroup);
	levels = raw->cgroup.len ? levels_between(raw->limit_cgroup, raw->cgroup) : -1;
	if (levels >= 0)
		VMT_SET(kill, limit_levels, o, (uint64_t)levels);
	if (memsw) {
		usage = raw->memsw_usage;
		max = raw->memsw_max;
	}
	/* PAGE_COUNTER_MAX: it was lifted meanwhile. */
	if (max >= INT64_MAX / page)
		return;
	VMT_SET(kill, limit_file, o,
		memsw ? VMT_BYTES("memory.memsw.limit_in_bytes")
		: v1  ? VMT_BYTES("memory.limit_in_bytes")
		      : VMT_BYTES("memory.max"));
	VMT_SET(kill, limit_bytes, o, max * page);
	VMT_SET(kill, limit_usage_bytes, o, usage * page);
	VMT_SET(kill, reason, o, memsw ? VMT_BYTES("memsw_limit") : VMT_BYTES("memory_limit"));
}

static void set_request(const struct vmt_oom_raw *raw, uint64_t page, struct vmt_arena *arena,
			struct vmt_kill *o)
{
	static const char *const constraints[] = {
		[VMT_OOM_MACHINE] = "machine",
		[VMT_OOM_CPUSET] = "cpuset",
		[VMT_OOM_POLICY] = "policy",
		[VMT_OOM_CGROUP] = "cgroup",
	};
	VMT_AUTO_BUF text = { 0 };

	if (!(raw->has & VMT_OOM_HAS_REQUEST))
		return;
	VMT_SET(kill, constraint, o, vmt_bytes_of(constraints[raw->constraint]));
	VMT_SET(kill, allowed_bytes, o, raw->total_pages * page);
	vmt_gfp_text(&text, raw->gfp);
	VMT_SET(kill, gfp, o, taken(arena, &text));
	if (raw->order >= 0) {
		VMT_SET(kill, order, o, (uint64_t)raw->order);
		VMT_SET(kill, request_bytes, o, page << raw->order);
	} else {
		VMT_SET(kill, reason, o, VMT_BYTES("sysrq"));
	}
	if (raw->has & VMT_OOM_HAS_RETRY) {
		VMT_SET(kill, reclaimable_bytes, o, raw->retry_reclaimable * page);
		VMT_SET(kill, retry_loops, o, raw->retry_loops);
	}
}

static void set_victim(const struct vmt_oom_raw *raw, uint64_t page, struct vmt_arena *arena,
		       struct vmt_kill *o)
{
	VMT_SET(kill, pid, o, raw->pid);
	VMT_SET(kill, comm, o, name(arena, raw->comm, sizeof(raw->comm)));
	VMT_SET(kill, uid, o, raw->uid);
	VMT_SET(kill, start_time_ns, o, raw->start_ns);
	VMT_SET(kill, oom_score_adj, o, raw->adjust);
	if (raw->cgroup.len)
		VMT_SET(kill, cgroup, o, raw->cgroup);
	VMT_SET(kill, by_pid, o, raw->by_pid);
	VMT_SET(kill, by_tid, o, raw->by_tid);
	VMT_SET(kill, by_comm, o, name(arena, raw->by_comm, sizeof(raw->by_comm)));
	if (raw->has & VMT_OOM_HAS_SPACE) {
		VMT_SET(kill, size_bytes, o, raw->total_vm * page);
		VMT_SET(kill, page_tables_bytes, o, raw->tables_bytes);
	}
	if (raw->has & VMT_OOM_HAS_RSS) {
		VMT_SET(kill, rss_bytes, o, (raw->anon + raw->file + raw->shmem) * page);
		VMT_SET(kill, anon_bytes, o, raw->anon * page);
		VMT_SET(kill, file_bytes, o, raw->file * page);
		VMT_SET(kill, shmem_bytes, o, raw->shmem * page);
		VMT_SET(kill, swap_bytes, o, raw->swap * page);
	}
}

/* The minute before the kill; the sample that is nearest to it stands in the row, too. */
static int set_samples(const struct vmt_oom_raw *raw, uint64_t kill,
		       const struct vmt_oom_past *past, size_t n, struct vmt_arena *arena,
		       struct vmt_oom_report *r)
{
	const struct vmt_oom_sample *last;
	struct vmt_kill *o = &r->oom;

	r->samples = vmt_arena_alloc(arena, n ? n : 1, sizeof(*r->samples));
	if (!r->samples)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct vmt_oom_sample *row = &r->samples[r->n_samples];

		if (past[i].ns > raw->ns || raw->ns - past[i].ns > MINUTE_NS)
			continue;
		*row = past[i].row;
		VMT_SET(oom_sample, kill, row, kill);
		VMT_SET(oom_sample, before_ns, row, raw->ns - past[i].ns);
		r->n_samples++;
	}
	if (!r->n_samples)
		return 0;
	last = &r->samples[r->n_samples - 1];
	VMT_SET(kill, sample_age_ns, o, last->before_ns);
	if (VMT_HAS(oom_sample, free_bytes, last))
		VMT_SET(kill, mem_free_bytes, o, last->free_bytes);
	if (VMT_HAS(oom_sample, available_bytes, last))
		VMT_SET(kill, mem_available_bytes, o, last->available_bytes);
	if (VMT_HAS(oom_sample, swap_free_bytes, last))
		VMT_SET(kill, swap_free_bytes, o, last->swap_free_bytes);
	if (VMT_HAS(oom_sample, some_percent, last))
		VMT_SET(kill, some_percent, o, last->some_percent);
	if (VMT_HAS(oom_sample, full_percent, last))
		VMT_SET(kill, full_percent, o, last->full_percent);
	return 0;
}

static int by_rss(const void *a, const void *b)
{
	const struct vmt_proc *p = *(const struct vmt_proc *const *)a;
	const struct vmt_proc *q = *(const struct vmt_proc *const *)b;

	if (p->rss_bytes != q->rss_bytes)
		return p->rss_bytes < q->rss_bytes ? 1 : -1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

static void set_process(const struct vmt_proc *p, uint64_t kill, uint64_t age,
			struct vmt_arena *arena, struct vmt_oom_process *row)
{
	*row = (struct vmt_oom_process){ 0 };
	VMT_SET(oom_process, kill, row, kill);
	VMT_SET(oom_process, age_ns, row, age);
	VMT_SET(oom_process, pid, row, p->pid);
	if (VMT_HAS(proc, comm, p))
		VMT_SET(oom_process, comm, row, copy(arena, p->comm.ptr, p->comm.len));
	if (VMT_HAS(proc, uid, p))
		VMT_SET(oom_process, uid, row, p->uid);
	VMT_SET(oom_process, rss_bytes, row, p->rss_bytes);
	if (VMT_HAS(proc, anonymous_bytes, p))
		VMT_SET(oom_process, anon_bytes, row, p->anonymous_bytes);
	if (VMT_HAS(proc, file_bytes, p))
		VMT_SET(oom_process, file_bytes, row, p->file_bytes);
	if (VMT_HAS(proc, shmem_bytes, p))
		VMT_SET(oom_process, shmem_bytes, row, p->shmem_bytes);
	if (VMT_HAS(proc, swap_bytes, p))
		VMT_SET(oom_process, swap_bytes, row, p->swap_bytes);
}

static int set_processes(const struct vmt_oom_raw *raw, uint64_t kill,
			 const struct vmt_sample *after, struct vmt_arena *arena,
			 struct vmt_oom_report *r)
{
	VMT_AUTO_FREE const struct vmt_proc **all = NULL;
	size_t n = 0;

	if (!after || after->host.monotonic_ns < raw->ns)
		return 0;
	all = calloc(after->n_procs ? after->n_procs : 1, sizeof(*all));
	r->processes = vmt_arena_alloc(arena, PROCESSES_MOST, sizeof(*r->processes));
	if (!all || !r->processes)
		return -ENOMEM;
	for (size_t i = 0; i < after->n_procs; i++)
		if (VMT_HAS(proc, rss_bytes, &after->procs[i]))
			all[n++] = &after->procs[i];
	qsort(all, n, sizeof(*all), by_rss);
	for (size_t i = 0; i < n && i < PROCESSES_MOST; i++)
		set_process(all[i], kill, after->host.monotonic_ns - raw->ns, arena,
			    &r->processes[r->n_processes++]);
	return 0;
}

int vmt_oom_rows(const struct vmt_oom_raw *raw, const struct vmt_host *host, uint64_t start_ns,
		 uint64_t number, const struct vmt_oom_past *past, size_t n_past,
		 const struct vmt_sample *after, struct vmt_arena *arena,
		 struct vmt_oom_report *ret)
{
	uint64_t page = host->page_size;
	struct vmt_kill *o = &ret->oom;
	VMT_AUTO_BUF text = { 0 };

	*ret = (struct vmt_oom_report){ 0 };
	VMT_SET(kill, kill, o, number);
	if (host->realtime_ns && host->monotonic_ns) {
		vmt_fmt_time(&text, host->realtime_ns + raw->ns - host->monotonic_ns);
		VMT_SET(kill, time, o, taken(arena, &text));
	}
	if (raw->ns >= start_ns)
		VMT_SET(kill, after_ns, o, raw->ns - start_ns);
	VMT_SET(kill, took_ns, o, raw->took_ns);
	set_victim(raw, page, arena, o);
	set_request(raw, page, arena, o);
	set_limit(raw, page, o);
	if (set_zones(raw, number, page, arena, ret) < 0 ||
	    set_maps(raw, number, page, arena, ret) < 0 ||
	    set_samples(raw, number, past, n_past, arena, ret) < 0 ||
	    set_processes(raw, number, after, arena, ret) < 0)
		return -ENOMEM;
	if (raw->has & VMT_OOM_IS_GROUP)
		VMT_SET(kill, reason, o, VMT_BYTES("group"));
	vmt_oom_sentence(&text, o, page);
	VMT_SET(kill, text, o, taken(arena, &text));
	return arena->failed ? -ENOMEM : 0;
}

void vmt_oom_event(const struct vmt_oom_report *r, struct vmt_event *ret)
{
	const struct vmt_kill *o = &r->oom;

	*ret = (struct vmt_event){ 0 };
	if (VMT_HAS(kill, time, o))
		VMT_SET(event, time, ret, o->time);
	if (VMT_HAS(kill, after_ns, o))
		VMT_SET(event, after_ns, ret, o->after_ns);
	VMT_SET(event, pid, ret, o->pid);
	VMT_SET(event, tid, ret, o->pid);
	VMT_SET(event, uid, ret, o->uid);
	VMT_SET(event, comm, ret, o->comm);
	VMT_SET(event, kind, ret, VMT_BYTES("oom"));
	VMT_SET(event, event, ret, VMT_BYTES("oom"));
	if (VMT_HAS(kill, reason, o))
		VMT_SET(event, reason, ret, o->reason);
	if (VMT_HAS(kill, cgroup, o))
		VMT_SET(event, cgroup, ret, o->cgroup);
	if (VMT_HAS(kill, limit_cgroup, o))
		VMT_SET(event, limit_cgroup, ret, o->limit_cgroup);
	VMT_SET(event, text, ret, o->text);
}
