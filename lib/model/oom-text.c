/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/fmt.h"
#include "model/oom.h"

static void size(struct vmt_buf *out, uint64_t bytes, uint64_t page)
{
	vmt_fmt_size(out, bytes, VMT_SIZE_HUMAN, page);
}

/* "12.34" of thousandths. */
static void percent(struct vmt_buf *out, uint64_t milli)
{
	vmt_buf_addf(out, "%" PRIu64 ".%02" PRIu64, milli / 1000, milli % 1000 / 10);
}

static bool is(struct vmt_bytes a, const char *b)
{
	return vmt_bytes_is(a, b);
}

static void limit_text(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	vmt_buf_adds(out, "cgroup ");
	vmt_fmt_safe(out, o->limit_cgroup, false);
	if (VMT_HAS(kill, limit_levels, o) && o->limit_levels)
		vmt_buf_addf(out, ", %" PRIu64 " level%s above its own,", o->limit_levels,
			     o->limit_levels == 1 ? "" : "s");
	if (!VMT_HAS(kill, limit_file, o)) {
		vmt_buf_adds(out, " was out of memory, and has no limit by now");
		return;
	}
	vmt_buf_adds(out, " has reached its ");
	vmt_fmt_safe(out, o->limit_file, true);
	vmt_buf_adds(out, " of ");
	size(out, o->limit_bytes, page);
}

static void zones_text(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	vmt_buf_adds(out, is(o->constraint, "cpuset")	? "the nodes of its cpuset are"
			  : is(o->constraint, "policy") ? "the nodes of its memory policy are"
							: "the machine is");
	vmt_buf_adds(out, " out of memory");
	if (VMT_HAS(kill, reason, o) && is(o->reason, "fragmentation")) {
		vmt_buf_adds(out, ": ");
		size(out, o->zone_free_bytes, page);
		vmt_buf_addf(out,
			     " are free, but no block of order %" PRIu64
			     " in a zone above its min (",
			     o->order);
		size(out, o->request_bytes, page);
		vmt_buf_addc(out, ')');
	} else if (VMT_HAS(kill, reason, o) && is(o->reason, "zone_min")) {
		vmt_buf_adds(out, ": each zone that it may use is at its min or below (");
		size(out, o->zone_free_bytes, page);
		vmt_buf_adds(out, " free)");
	} else if (VMT_HAS(kill, reason, o) && is(o->reason, "zone_high")) {
		vmt_buf_adds(out, ": each zone that it may use is at its high or below (");
		size(out, o->zone_free_bytes, page);
		vmt_buf_adds(out, " free)");
	}
	if (VMT_HAS(kill, other_free_bytes, o) && o->other_free_bytes) {
		vmt_buf_adds(out, ", while ");
		size(out, o->other_free_bytes, page);
		vmt_buf_adds(out, " are free in zones that it may not use");
	}
}

static void why_text(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	if (VMT_HAS(kill, reason, o) && is(o->reason, "sysrq"))
		vmt_buf_adds(out, "somebody asked for it by SysRq");
	else if (VMT_HAS(kill, limit_cgroup, o))
		limit_text(out, o, page);
	else if (!VMT_HAS(kill, constraint, o))
		vmt_buf_adds(out, "what was short of memory is not known");
	else if (is(o->constraint, "cgroup"))
		vmt_buf_adds(out, "a cgroup was out of memory");
	else
		zones_text(out, o, page);
	if (VMT_HAS(kill, reason, o) && is(o->reason, "group"))
		vmt_buf_adds(out, "; its cgroup dies as a whole (memory.oom.group)");
}

static void request_text(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	vmt_buf_adds(out, "; ");
	vmt_fmt_safe(out, o->by_comm, false);
	vmt_buf_addf(out, "[%" PRIu64 "]", o->by_pid);
	if (!VMT_HAS(kill, order, o)) {
		vmt_buf_adds(out, " was the killer");
		return;
	}
	vmt_buf_adds(out, " asked for ");
	size(out, o->request_bytes, page);
	vmt_buf_addf(out, " (order %" PRIu64 ", ", o->order);
	vmt_fmt_safe(out, o->gfp, true);
	vmt_buf_addc(out, ')');
}

static void victim_text(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	if (VMT_HAS(kill, rss_bytes, o)) {
		vmt_buf_adds(out, "; it had ");
		size(out, o->rss_bytes, page);
		vmt_buf_adds(out, " in memory (");
		size(out, o->anon_bytes, page);
		vmt_buf_adds(out, " anonymous, ");
		size(out, o->file_bytes, page);
		vmt_buf_adds(out, " file, ");
		size(out, o->shmem_bytes, page);
		vmt_buf_adds(out, " shmem)");
		if (o->swap_bytes) {
			vmt_buf_adds(out, " and ");
			size(out, o->swap_bytes, page);
			vmt_buf_adds(out, " on swap");
		}
	}
	if (!VMT_HAS(kill, map_start, o))
		return;
	vmt_buf_adds(out, VMT_HAS(kill, map_rss_bytes, o) ? ", " : "; its largest mapping is ");
	if (VMT_HAS(kill, map_rss_bytes, o)) {
		size(out, o->map_rss_bytes, page);
		vmt_buf_adds(out, " of it in ");
	}
	if (VMT_HAS(kill, map_path, o))
		vmt_fmt_safe(out, o->map_path, false);
	else
		vmt_buf_adds(out, "a file");
	vmt_buf_addf(out, " at 0x%" PRIx64 " (", o->map_start);
	size(out, o->map_size_bytes, page);
	vmt_buf_adds(out, VMT_HAS(kill, maps_cut, o) && o->maps_cut
				  ? "), of those that were looked at"
				  : ")");
}

void vmt_oom_sentence(struct vmt_buf *out, const struct vmt_kill *o, uint64_t page)
{
	vmt_buf_adds(out, "oom kills it: ");
	why_text(out, o, page);
	request_text(out, o, page);
	victim_text(out, o, page);
	if (VMT_HAS(kill, mem_available_bytes, o) && VMT_HAS(kill, limit_cgroup, o)) {
		vmt_buf_adds(out, "; the machine had ");
		size(out, o->mem_available_bytes, page);
		vmt_buf_adds(out, " available");
	}
	if (VMT_HAS(kill, some_percent, o) && o->some_percent) {
		vmt_buf_adds(out, "; tasks had waited for memory in ");
		percent(out, o->some_percent);
		vmt_buf_adds(out, "% of 10s");
	}
}

static void zone_line(struct vmt_buf *out, const struct vmt_oom_zone *z, uint64_t page, bool ascii)
{
	vmt_buf_addf(out, "    node %" PRIu64 " ", z->node);
	vmt_fmt_safe(out, z->zone, ascii);
	vmt_buf_adds(out, z->usable ? ": free " : " (not for this request): free ");
	size(out, z->free_bytes, page);
	vmt_buf_adds(out, ", min ");
	size(out, z->min_bytes, page);
	vmt_buf_adds(out, " + reserve ");
	size(out, z->reserve_bytes, page);
	vmt_buf_adds(out, ", files ");
	size(out, z->file_bytes, page);
	vmt_buf_adds(out, "; free blocks ");
	vmt_fmt_safe(out, z->free_blocks, ascii);
	vmt_buf_addc(out, '\n');
}

static void map_line(struct vmt_buf *out, const struct vmt_oom_map *m, uint64_t page, bool ascii)
{
	vmt_buf_addf(out, "    mapping 0x%" PRIx64 " ", m->start);
	size(out, m->size_bytes, page);
	vmt_buf_addc(out, ' ');
	vmt_fmt_safe(out, m->permissions, ascii);
	if (VMT_HAS(oom_map, rss_bytes, m)) {
		vmt_buf_adds(out, ", in memory ");
		size(out, m->rss_bytes, page);
		vmt_buf_adds(out, ", on swap ");
		size(out, m->swap_bytes, page);
	}
	vmt_buf_adds(out, ": ");
	if (VMT_HAS(oom_map, path, m))
		vmt_fmt_safe(out, m->path, ascii);
	else
		vmt_buf_addf(out, "inode %" PRIu64 ", whose name is not known", m->inode);
	vmt_buf_addc(out, '\n');
}

static void process_line(struct vmt_buf *out, const struct vmt_oom_process *p, uint64_t page,
			 bool ascii)
{
	vmt_buf_adds(out, "    process ");
	vmt_fmt_safe(out, p->comm, ascii);
	vmt_buf_addf(out, "[%" PRIu64 "] RSS ", p->pid);
	size(out, p->rss_bytes, page);
	vmt_buf_adds(out, ", ");
	vmt_fmt_duration(out, p->age_ns);
	vmt_buf_adds(out, " later\n");
}

void vmt_oom_details(struct vmt_buf *out, const struct vmt_oom_report *r, uint64_t page, bool ascii)
{
	for (size_t i = 0; i < r->n_zones; i++)
		zone_line(out, &r->zones[i], page, ascii);
	for (size_t i = 0; i < r->n_maps && i < 3; i++)
		map_line(out, &r->maps[i], page, ascii);
	for (size_t i = 0; i < r->n_processes && i < 3; i++)
		process_line(out, &r->processes[i], page, ascii);
}
