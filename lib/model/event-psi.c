/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event-psi.h"

#include <errno.h>

#include "base/fmt.h"
#include "model/events.h"

/* What a line of /proc/pressure/memory grew by, in ns; false where that is not known. */
static bool pressure_grew(const struct vmt_sample *before, const struct vmt_sample *after,
			  const char *kind, uint64_t *ret)
{
	const struct vmt_sample *const both[] = { before, after };
	uint64_t total[2];

	for (size_t k = 0; k < 2; k++) {
		const struct vmt_pressure *p = both[k] ? both[k]->pressure : NULL;
		size_t n = p ? both[k]->n_pressure : 0, i = 0;

		while (i < n &&
		       !(VMT_HAS(pressure, stalled_total_ns, &p[i]) &&
			 vmt_bytes_is(p[i].resource, "memory") && vmt_bytes_is(p[i].kind, kind)))
			i++;
		if (i == n)
			return false;
		total[k] = p[i].stalled_total_ns;
	}
	if (total[1] < total[0])
		return false;
	*ret = total[1] - total[0];
	return true;
}

static void add_part(struct vmt_event_psi *rows, size_t *n, const char *part, int64_t ns)
{
	struct vmt_event_psi *row = &rows[(*n)++];

	*row = (struct vmt_event_psi){ 0 };
	VMT_SET(event_psi, part, row, vmt_bytes_of(part));
	VMT_SET(event_psi, time_ns, row, ns);
}

int vmt_event_psi_rows(const struct vmt_event_sample *s, const struct vmt_sample *before,
		       const struct vmt_sample *after, struct vmt_arena *arena,
		       struct vmt_event_psi **ret, size_t *ret_n)
{
	struct vmt_event_psi *rows = vmt_arena_alloc(arena, VMT_STALL_CAUSES + 3, sizeof(*rows));
	uint64_t some, full, sum = 0;
	size_t n = 0;

	if (!rows)
		return -ENOMEM;
	for (unsigned c = 1; c < VMT_STALL_CAUSES; c++) {
		uint64_t ns = 0, stalls = 0;

		if (!(s->causes >> c & 1))
			continue;
		for (size_t i = 0; i < s->n_processes; i++) {
			stalls += s->processes[i].stalls[c].stalls;
			ns += s->processes[i].stalls[c].ns;
		}
		add_part(rows, &n, vmt_stall_cause_name(c), (int64_t)ns);
		VMT_SET(event_psi, stalls_total, &rows[n - 1], stalls);
		sum += ns;
	}
	if (pressure_grew(before, after, "some", &some)) {
		if (sum > some)
			add_part(rows, &n, "overlap", -(int64_t)(sum - some));
		else
			add_part(rows, &n, "rest", (int64_t)(some - sum));
		add_part(rows, &n, "some", (int64_t)some);
	}
	if (pressure_grew(before, after, "full", &full))
		add_part(rows, &n, "full", (int64_t)full);
	*ret = rows;
	*ret_n = n;
	return 0;
}

static const struct vmt_event_psi *find_part(const struct vmt_event_psi *rows, size_t n,
					     const char *part)
{
	for (size_t i = 0; i < n; i++)
		if (vmt_bytes_is(rows[i].part, part))
			return &rows[i];
	return NULL;
}

void vmt_event_psi_text(struct vmt_buf *out, const struct vmt_event_psi *rows, size_t n,
			uint64_t window, const char *why)
{
	const struct vmt_event_psi *some = find_part(rows, n, "some");
	const struct vmt_event_psi *full = find_part(rows, n, "full");
	bool first = true;

	vmt_buf_adds(out, "memory pressure (PSI): ");
	if (!some) {
		vmt_buf_adds(out, "unknown, ");
		vmt_fmt_safe(out,
			     vmt_bytes_of(*why ? why
					       : "its counter was missing at the begin or at the "
						 "end, or went back"),
			     true);
		vmt_buf_addc(out, '\n');
		return;
	}
	vmt_buf_adds(out, "some ");
	vmt_fmt_duration(out, (uint64_t)some->time_ns);
	if (full) {
		vmt_buf_adds(out, ", full ");
		vmt_fmt_duration(out, (uint64_t)full->time_ns);
	}
	vmt_buf_adds(out, " of ");
	vmt_fmt_duration(out, window);
	for (size_t i = 0; i < n && &rows[i] != some; i++) {
		int64_t ns = rows[i].time_ns;

		if (!ns)
			continue;
		vmt_buf_adds(out, first ? "; some = " : ns < 0 ? " - " : " + ");
		first = false;
		vmt_fmt_duration(out, (uint64_t)(ns < 0 ? -ns : ns));
		vmt_buf_addc(out, ' ');
		vmt_buf_add(out, rows[i].part.ptr, rows[i].part.len);
	}
	vmt_buf_addc(out, '\n');
}

/* The counters of a cgroup, and where their differences go. */
static const struct {
	unsigned from;
	unsigned to;
} counters[] = {
#define C(cgroup, event)                                                                           \
	{                                                                                          \
		VMT_FIELD_cgroup_##cgroup, VMT_FIELD_event_cgroup_##event                          \
	}
	C(some_total_ns, some_ns),
	C(full_total_ns, full_ns),
	C(refault_file_total, refault_file_total),
	C(refault_anon_total, refault_anon_total),
	C(restore_file_total, restore_file_total),
	C(restore_anon_total, restore_anon_total),
	C(steal_total, steal_total),
	C(high_total, high_total),
	C(max_total, max_total),
	/* Version 1 has no other; it comes behind, for version 2 has both. */
	C(max_local_total, max_total),
#undef C
};

static bool counter_of(const struct vmt_cgroup *g, unsigned field, uint64_t *ret)
{
	if (!vmt_row_has(&g->row, field))
		return false;
	*ret = *(const uint64_t *)vmt_field_at(&vmt_entity_cgroup.fields[field], g);
	return true;
}

/* Whether something grew. */
static bool cgroup_row(const struct vmt_cgroup *before, const struct vmt_cgroup *after,
		       struct vmt_event_cgroup *row)
{
	bool grew = false;

	*row = (struct vmt_event_cgroup){ 0 };
	if (VMT_HAS(cgroup, id, after))
		VMT_SET(event_cgroup, id, row, after->id);
	VMT_SET(event_cgroup, made, row, !before);
	VMT_SET(event_cgroup, path, row, after->path);
	for (size_t i = 0; i < VMT_ARRAY_LEN(counters); i++) {
		const struct vmt_field *to = &vmt_entity_event_cgroup.fields[counters[i].to];
		uint64_t was = 0, is;

		if (vmt_row_has(&row->row, to->index) ||
		    !counter_of(after, counters[i].from, &is) ||
		    (before && !counter_of(before, counters[i].from, &was)) || is < was)
			continue;
		*(uint64_t *)((char *)row + to->offset) = is - was;
		vmt_row_mark(&row->row, to->index);
		grew |= is != was;
	}
	return grew;
}

/* The same cgroup in a sample; mostly it is where it was. */
static const struct vmt_cgroup *find_cgroup(const struct vmt_sample *s, const struct vmt_cgroup *g,
					    size_t *from)
{
	for (size_t i = 0; i < s->n_cgroups; i++) {
		size_t at = (*from + i) % s->n_cgroups;
		const struct vmt_cgroup *c = &s->cgroups[at];

		if (VMT_HAS(cgroup, id, c) != VMT_HAS(cgroup, id, g) ||
		    (VMT_HAS(cgroup, id, c) && c->id != g->id) ||
		    !vmt_bytes_equal(c->path, g->path))
			continue;
		*from = at + 1;
		return c;
	}
	return NULL;
}

int vmt_event_cgroup_rows(const struct vmt_sample *before, const struct vmt_sample *after,
			  struct vmt_arena *arena, struct vmt_event_cgroup **ret, size_t *ret_n)
{
	struct vmt_event_cgroup *rows = vmt_arena_alloc(arena, after->n_cgroups + 1, sizeof(*rows));
	/* Else one that is new may be one of those that were not seen. */
	bool whole = !before->cgroup_facts.left_out && !before->cgroup_facts.unlisted;
	size_t n = 0, from = 0;

	if (!rows)
		return -ENOMEM;
	/* Without a look at the begin nothing is known of how they grew. */
	for (size_t i = 0; before->n_cgroups && i < after->n_cgroups; i++) {
		const struct vmt_cgroup *now = &after->cgroups[i];
		const struct vmt_cgroup *was = find_cgroup(before, now, &from);

		if (was || whole)
			n += cgroup_row(was, now, &rows[n]);
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}
