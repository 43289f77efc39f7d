/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/heat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vmt_heat_init(struct vmt_heat *h)
{
	*h = (struct vmt_heat){ 0 };
	vmt_arena_init(&h->arena);
}

void vmt_heat_done(struct vmt_heat *h)
{
	free(h->rows);
	vmt_arena_done(&h->arena);
	*h = (struct vmt_heat){ 0 };
}

/*
 * The order of rows: of a process its mappings by address. What a mapping is does not change while
 * its bounds do, as those of a stack: rows that overlap and have one name are one.
 */
static int compare(const struct vmt_heat_row *r, const struct vmt_fault_raw *m)
{
	int c = vmt_compare_u64(r->pid, m->pid);

	if (!c)
		c = vmt_compare_u64(r->start_time_ns, m->start_time_ns);
	if (!c)
		c = vmt_compare_u64(r->exec_id, m->exec_id);
	if (c || (r->start < m->end && m->start < r->end && r->class == m->class &&
		  vmt_bytes_equal(r->path, m->path)))
		return c;
	c = vmt_compare_u64(r->start, m->start);
	if (!c)
		c = vmt_compare_u64((uint64_t)r->class, (uint64_t)m->class);
	if (!c)
		c = vmt_bytes_compare(r->path, m->path);
	return c ? c : vmt_bytes_compare(r->comm, m->comm);
}

/* The row of a mapping, which is made where there is none; NULL on ENOMEM. */
static struct vmt_heat_row *row_of(struct vmt_heat *h, const struct vmt_fault_raw *m)
{
	size_t lo = 0, hi = h->n_rows;
	struct vmt_heat_row *r;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare(&h->rows[mid], m);

		if (c == 0)
			return &h->rows[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (vmt_grow(&h->rows, &h->cap_rows, h->n_rows + 1, sizeof(*h->rows)) < 0)
		return NULL;
	r = &h->rows[lo];
	memmove(r + 1, r, (h->n_rows - lo) * sizeof(*r));
	h->n_rows++;
	*r = (struct vmt_heat_row){
		.pid = m->pid,
		.start_time_ns = m->start_time_ns,
		.exec_id = m->exec_id,
		.start = m->start,
		.end = m->end,
		.class = m->class,
	};
	if (vmt_bytes_keep(&h->arena, m->path, NULL, &r->path) < 0 ||
	    vmt_bytes_keep(&h->arena, m->comm, NULL, &r->comm) < 0)
		return NULL;
	return r;
}

int vmt_heat_add(struct vmt_heat *h, const struct vmt_fault_sample *delta, uint64_t at_ns)
{
	size_t column, i;

	/* Readings beyond that go to the last column, which is as much longer. */
	if (h->n_columns < VMT_HEAT_COLUMNS)
		h->n_columns++;
	column = h->n_columns - 1;
	h->ends_ns[column] = at_ns;
	for (i = 0; i < delta->n_maps; i++) {
		const struct vmt_fault_raw *m = &delta->maps[i];
		struct vmt_heat_row *r;

		if (m->minor + m->major == 0)
			continue;
		r = row_of(h, m);
		if (!r)
			return -ENOMEM;
		/* The order stays: whoever grew overlaps nobody else. */
		r->start = m->start < r->start ? m->start : r->start;
		r->end = m->end > r->end ? m->end : r->end;
		r->counts[column] += m->minor + m->major;
		r->total += m->minor + m->major;
		h->total += m->minor + m->major;
	}
	h->lost += delta->totals.lost;
	return 0;
}
