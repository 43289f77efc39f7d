/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pressure.h"

#include <errno.h>
#include <inttypes.h>

#include "base/fmt.h"
#include "model/events.h"
#include "model/gfp.h"

static const struct {
	const char *name;
	const char *text;
} causes[VMT_STALL_CAUSES] = {
#define S(id, name, text) [VMT_STALL_CAUSE_##id] = { name, text },
#include "model/stall-cause.def"
#undef S
};

/* enum vmscan_throttle_state of the kernel's include/linux/mmzone.h. */
static const char *const sleeps[] = { "writeback", "isolated pages", "progress", "congestion",
				      "others" };

/* enum compact_result of the kernel's include/linux/compaction.h. */
static const struct {
	const char *name;
	const char *text;
} results[] = {
	[1] = { "not_suitable_zone", "no zone is suitable" },
	[2] = { "skipped", "skipped, for too few pages are free" },
	[3] = { "deferred", "deferred, for it failed before" },
	[4] = { "no_suitable_page", "no such page was found" },
	[5] = { "continue", "not at its end" },
	[6] = { "complete", "all was looked through, in vain" },
	[7] = { "partial_skipped", "a part was looked through, in vain" },
	[8] = { "contended", "given up, for others want the processor or a lock" },
	[9] = { "success", "done" },
};

const char *vmt_stall_cause_name(enum vmt_stall_cause cause)
{
	return (unsigned)cause < VMT_ARRAY_LEN(causes) ? causes[cause].name : NULL;
}

static struct vmt_bytes taken(struct vmt_arena *arena, struct vmt_buf *text)
{
	const char *copy = vmt_buf_error(text) < 0 ? NULL
						   : vmt_arena_copy(arena, text->data, text->len);

	if (!copy)
		arena->failed = true;
	return (struct vmt_bytes){ copy, copy ? text->len : 0 };
}

struct vmt_bytes vmt_stall_causes_text(uint32_t all, struct vmt_arena *arena)
{
	VMT_AUTO_BUF text = { 0 };

	for (unsigned i = 1; i < VMT_STALL_CAUSES; i++) {
		if (!(all >> i & 1))
			continue;
		if (text.len)
			vmt_buf_addc(&text, '+');
		vmt_buf_adds(&text, causes[i].name);
	}
	if (!text.len)
		vmt_buf_adds(&text, "none");
	return taken(arena, &text);
}

void vmt_stall_fill(const struct vmt_event_raw *e, uint64_t page, struct vmt_arena *arena,
		    struct vmt_event *row)
{
	const struct vmt_stall *s = e->stall;
	VMT_AUTO_BUF gfp = { 0 };
	VMT_AUTO_BUF sleep = { 0 };

	if (vmt_stall_cause_name(s->cause))
		VMT_SET(event, cause, row, vmt_bytes_of(vmt_stall_cause_name(s->cause)));
	if (s->has_request) {
		vmt_gfp_text(&gfp, s->gfp);
		VMT_SET(event, gfp_flags, row, taken(arena, &gfp));
		/* The kernel says 0 there, whatever was wanted. */
		if (s->cause != VMT_STALL_CAUSE_CGROUP)
			VMT_SET(event, order, row, s->order);
	}
	if (s->has_pages)
		VMT_SET(event, reclaimed_bytes, row, s->pages * page);
	if (s->has_throttled)
		VMT_SET(event, throttled_ns, row, s->throttled_ns);
	for (size_t i = 0; s->has_throttled && i < VMT_ARRAY_LEN(sleeps); i++) {
		if (!(s->throttle >> i & 1))
			continue;
		if (sleep.len)
			vmt_buf_addc(&sleep, '+');
		vmt_buf_adds(&sleep, sleeps[i]);
	}
	if (sleep.len)
		VMT_SET(event, throttled_for, row, taken(arena, &sleep));
	if (s->has_result && s->result < VMT_ARRAY_LEN(results) && results[s->result].name)
		VMT_SET(event, compaction_result, row, vmt_bytes_of(results[s->result].name));
	if (s->cgroup.len)
		VMT_SET(event, cgroup, row, s->cgroup);
	if (s->limit.len)
		VMT_SET(event, limit_cgroup, row, s->limit);
}

static void add_cause(struct vmt_buf *out, const struct vmt_event *e)
{
	if (!VMT_HAS(event, cause, e)) {
		vmt_buf_adds(out, " for a reason that is not known");
		return;
	}
	for (size_t i = 0; i < VMT_ARRAY_LEN(causes); i++)
		if (causes[i].name && vmt_bytes_is(e->cause, causes[i].name)) {
			vmt_buf_addc(out, ' ');
			vmt_buf_adds(out, causes[i].text);
		}
	if (!vmt_bytes_is(e->cause, "cgroup_reclaim"))
		return;
	if (VMT_HAS(event, limit_cgroup, e)) {
		vmt_buf_adds(out, " cgroup ");
		vmt_fmt_safe(out, e->limit_cgroup, false);
	} else {
		vmt_buf_adds(out, " a cgroup");
	}
}

static void add_request(struct vmt_buf *out, const struct vmt_event *e)
{
	if (!VMT_HAS(event, gfp_flags, e))
		return;
	if (VMT_HAS(event, order, e))
		vmt_buf_addf(out, " for an order-%" PRIu64 " ", e->order);
	else
		vmt_buf_adds(out, " for a ");
	vmt_fmt_safe(out, e->gfp_flags, true);
	vmt_buf_adds(out, " page");
}

void vmt_stall_sentence(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	vmt_buf_adds(out, "stalled ");
	vmt_fmt_duration(out, e->duration_ns);
	add_cause(out, e);
	add_request(out, e);
	if (VMT_HAS(event, reclaimed_bytes, e)) {
		uint64_t pages = e->reclaimed_bytes / page;

		vmt_buf_addf(out, ": %" PRIu64 " page%s reclaimed", pages, pages == 1 ? "" : "s");
	}
	for (size_t i = 0; VMT_HAS(event, compaction_result, e) && i < VMT_ARRAY_LEN(results); i++)
		if (results[i].name && vmt_bytes_is(e->compaction_result, results[i].name)) {
			vmt_buf_adds(out, ": ");
			vmt_buf_adds(out, results[i].text);
		}
	if (VMT_HAS(event, throttled_ns, e) && e->throttled_ns) {
		vmt_buf_adds(out, ", ");
		vmt_fmt_duration(out, e->throttled_ns);
		vmt_buf_adds(out, " of it asleep");
		if (VMT_HAS(event, throttled_for, e)) {
			vmt_buf_adds(out, " for ");
			vmt_fmt_safe(out, e->throttled_for, true);
		}
	}
	if (VMT_HAS(event, cgroup, e) &&
	    !(VMT_HAS(event, limit_cgroup, e) && vmt_bytes_equal(e->cgroup, e->limit_cgroup))) {
		vmt_buf_adds(out, "; in cgroup ");
		vmt_fmt_safe(out, e->cgroup, false);
	}
}

static void stall_row(const struct vmt_event_process *p, unsigned cause, struct vmt_bytes comm,
		      bool throttle_told, uint64_t page, struct vmt_event_stall *ret)
{
	const struct vmt_stall_count *c = &p->stalls[cause];
	bool reclaims = cause == VMT_STALL_CAUSE_RECLAIM || cause == VMT_STALL_CAUSE_CGROUP;

	if (p->pid) {
		VMT_SET(event_stall, pid, ret, p->pid);
		VMT_SET(event_stall, comm, ret, comm);
		VMT_SET(event_stall, uid, ret, p->uid);
		VMT_SET(event_stall, start_time_ns, ret, p->start_ns);
		VMT_SET(event_stall, ended, ret, p->ended);
	}
	VMT_SET(event_stall, cause, ret, vmt_bytes_of(causes[cause].name));
	VMT_SET(event_stall, stalls_total, ret, c->stalls);
	VMT_SET(event_stall, vain_total, ret, c->vain);
	VMT_SET(event_stall, total_ns, ret, c->ns);
	VMT_SET(event_stall, mean_ns, ret, c->ns / c->stalls);
	VMT_SET(event_stall, longest_ns, ret, c->longest_ns);
	if (!reclaims)
		return;
	if (throttle_told)
		VMT_SET(event_stall, throttled_ns, ret, c->throttled_ns);
	VMT_SET(event_stall, reclaimed_bytes, ret, c->pages * page);
}

int vmt_event_stall_rows(const struct vmt_event_sample *s, uint64_t page, struct vmt_arena *arena,
			 struct vmt_event_stall **ret, size_t *ret_n)
{
	struct vmt_event_stall *rows;
	size_t n = 0;

	for (size_t i = 0; i < s->n_processes; i++)
		for (unsigned c = 1; c < VMT_STALL_CAUSES; c++)
			n += s->processes[i].stalls[c].stalls != 0;
	rows = vmt_arena_alloc(arena, n ? n : 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct vmt_event_process *p = &s->processes[i];
		size_t len = strnlen(p->comm, sizeof(p->comm));
		char *comm = vmt_arena_copy(arena, p->comm, len);

		for (unsigned c = 1; c < VMT_STALL_CAUSES; c++)
			if (p->stalls[c].stalls)
				stall_row(p, c, (struct vmt_bytes){ comm, comm ? len : 0 },
					  s->throttle_told, page, &rows[n++]);
	}
	*ret = rows;
	*ret_n = n;
	return arena->failed ? -ENOMEM : 0;
}
