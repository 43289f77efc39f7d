/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/fault-parts.h"

/*
 * Mappings, divided by how their faults were served. Each part is a mapping whose counts are those
 * of one kind; whoever sums over parts of one kind and mapping gets the figures of both. The counts
 * by kind and mapping may be missing where the kernel-side table was full: how many faults of a
 * kind a mapping had is known all the same, and so are all figures of a kind in all mappings.
 */

static int compare_map(const struct vmt_fault_raw *m, uint32_t slot, uint64_t pid, uint64_t start)
{
	int c = vmt_compare_u64(m->slot, slot);

	if (!c)
		c = vmt_compare_u64(m->pid, pid);
	return c ? c : vmt_compare_u64(m->start_time_ns, start);
}

static int by_map(const void *pa, const void *pb)
{
	const struct vmt_fault_raw *a = *(const struct vmt_fault_raw *const *)pa;
	const struct vmt_fault_raw *b = *(const struct vmt_fault_raw *const *)pb;

	return compare_map(a, b->slot, b->pid, b->start_time_ns);
}

static int by_row(const void *pa, const void *pb)
{
	const struct vmt_fault_by_kind *a = *(const struct vmt_fault_by_kind *const *)pa;
	const struct vmt_fault_by_kind *b = *(const struct vmt_fault_by_kind *const *)pb;
	int c = vmt_compare_u64(a->slot, b->slot);

	if (!c)
		c = vmt_compare_u64(a->pid, b->pid);
	if (!c)
		c = vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	return c ? c : vmt_compare_u64(a->kind, b->kind);
}

struct job {
	const struct vmt_fault_sample *f;
	uint32_t kinds;
	struct vmt_fault_raw *parts;
	size_t n;
};

void vmt_fault_part(struct vmt_fault_raw *part, const struct vmt_fault_raw *map,
		    enum vmt_fault_kind kind)
{
	static const struct vmt_fault_raw none = { .no_map = true };

	*part = map ? *map : none;
	part->part = true;
	part->kind = kind;
#define CLEAR(member) part->member = 0;
	VMT_FAULT_COUNTS(CLEAR)
#undef CLEAR
	part->gup = part->retried = 0;
	memset(part->failed, 0, sizeof(part->failed));
	memset(part->kinds, 0, sizeof(part->kinds));
	part->latency = (struct vmt_fault_latency){ 0 };
	part->spent = (struct vmt_fault_spent){ 0 };
}

static struct vmt_fault_raw *add_part(struct job *job, const struct vmt_fault_raw *map,
				      enum vmt_fault_kind kind)
{
	struct vmt_fault_raw *part;

	if (!(job->kinds >> kind & 1))
		return NULL;
	part = &job->parts[job->n++];
	vmt_fault_part(part, map, kind);
	return part;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	/* Of rows that were read while faults went on, one may be ahead of the other. */
	return a > b ? a - b : 0;
}

/* What a mapping has, less what rows of known kinds have of it. */
static void subtract(struct vmt_fault_raw *rest, const struct vmt_fault_by_kind *row)
{
#define MINUS(member) rest->member = minus(rest->member, row->member);
	VMT_FAULT_COUNTS(MINUS)
#undef MINUS
}

static void count(struct vmt_fault_raw *part, const struct vmt_fault_by_kind *row)
{
#define COPY(member) part->member = row->member;
	VMT_FAULT_COUNTS(COPY)
#undef COPY
	part->kinds[row->kind] = row->minor + row->major;
}

static void add_time(struct vmt_fault_raw *part, const struct vmt_fault_by_kind *row)
{
	part->latency = row->latency;
	part->spent = row->spent;
}

/* What is left when all rows of known kinds are subtracted: of no kind that could be told. */
static void add_rest(struct job *job, const struct vmt_fault_raw *map,
		     const struct vmt_fault_raw *rest, bool coarse)
{
	struct vmt_fault_raw *part;

	if (rest->minor + rest->major == 0)
		return;
	part = add_part(job, map, VMT_KIND_UNKNOWN);
	if (!part)
		return;
#define COPY(member) part->member = rest->member;
	VMT_FAULT_COUNTS(COPY)
#undef COPY
	part->coarse = coarse;
}

/* The parts of one mapping, of which rows, n of them, have the counts by kind. */
static void add_map(struct job *job, const struct vmt_fault_raw *map,
		    const struct vmt_fault_by_kind *const *rows, size_t n)
{
	struct vmt_fault_raw rest = *map, *part;
	uint64_t in_rows[VMT_FAULT_KINDS] = { 0 }, known = 0;
	bool coarse = false;
	size_t i;
	int k;

	for (i = 0; i < n; i++)
		in_rows[rows[i]->kind] += rows[i]->minor + rows[i]->major;
	for (k = VMT_KIND_UNKNOWN + 1; k < VMT_FAULT_KINDS; k++) {
		known += map->kinds[k];
		if (in_rows[k] >= map->kinds[k])
			continue;
		/* The table was full: the number is all that is known of them. */
		coarse = true;
		part = add_part(job, map, (enum vmt_fault_kind)k);
		if (!part)
			continue;
		part->minor = part->kinds[k] = map->kinds[k];
		part->coarse = true;
	}
	for (i = 0; i < n; i++) {
		const struct vmt_fault_by_kind *row = rows[i];

		part = add_part(job, map, row->kind);
		if (part)
			add_time(part, row);
		if (row->kind == VMT_KIND_UNKNOWN)
			continue;
		subtract(&rest, row);
		if (part && in_rows[row->kind] >= map->kinds[row->kind])
			count(part, row);
	}
	if (coarse) {
		rest.minor = minus(map->minor + map->major, known);
		rest.major = 0;
	}
	add_rest(job, map, &rest, coarse);
}

/* All mappings together, where some of what they had is in rows without a mapping: the sum over
 * mappings is known by kind, and nothing by mapping is asked for. */
static void add_sums(struct job *job)
{
	const struct vmt_fault_sample *f = job->f;
	struct vmt_fault_raw rest = { 0 };
	size_t i;

	for (i = 0; i < f->n_maps; i++) {
#define ADD(member) rest.member += f->maps[i].member;
		VMT_FAULT_COUNTS(ADD)
#undef ADD
	}
	for (i = 0; i < f->n_kinds; i++) {
		const struct vmt_fault_by_kind *row = &f->kinds[i];
		struct vmt_fault_raw *part = add_part(job, NULL, row->kind);

		if (part)
			add_time(part, row);
		if (row->kind == VMT_KIND_UNKNOWN)
			continue;
		subtract(&rest, row);
		if (part)
			count(part, row);
	}
	add_rest(job, NULL, &rest, false);
}

static bool has_strays(const struct vmt_fault_sample *f)
{
	size_t i;

	for (i = 0; i < f->n_kinds; i++)
		if (!f->kinds[i].slot)
			return true;
	return false;
}

int vmt_fault_parts(const struct vmt_fault_sample *f, uint32_t kinds, enum vmt_fault_group group,
		    struct vmt_arena *arena, struct vmt_fault_raw **ret, size_t *ret_n)
{
	VMT_AUTO_FREE const struct vmt_fault_raw **maps = calloc(f->n_maps + 1, sizeof(*maps));
	VMT_AUTO_FREE const struct vmt_fault_by_kind **rows = calloc(f->n_kinds + 1, sizeof(*rows));
	struct job job = { .f = f, .kinds = kinds };
	size_t i, from = 0, to, most = f->n_kinds + f->n_maps + 1;
	int k;

	if (!maps || !rows)
		return -ENOMEM;
	for (i = 0; i < f->n_maps; i++) {
		maps[i] = &f->maps[i];
		for (k = 0; k < VMT_FAULT_KINDS; k++)
			most += f->maps[i].kinds[k] != 0;
	}
	for (i = 0; i < f->n_kinds; i++)
		rows[i] = &f->kinds[i];
	most += vmt_fault_outcomes(f, kinds, group, NULL);
	job.parts = vmt_arena_alloc(arena, most, sizeof(*job.parts));
	if (!job.parts)
		return -ENOMEM;
	if (group == VMT_FAULT_BY_KIND && has_strays(f)) {
		add_sums(&job);
	} else {
		if (f->n_maps)
			qsort(maps, f->n_maps, sizeof(*maps), by_map);
		if (f->n_kinds)
			qsort(rows, f->n_kinds, sizeof(*rows), by_row);
		for (i = 0; i < f->n_maps; i++) {
			const struct vmt_fault_raw *m = maps[i];

#define COMPARE(at) compare_map(m, rows[at]->slot, rows[at]->pid, rows[at]->start_time_ns)
			while (from < f->n_kinds && COMPARE(from) > 0)
				from++;
			for (to = from; to < f->n_kinds && COMPARE(to) == 0;)
				to++;
#undef COMPARE
			add_map(&job, m, rows + from, to - from);
			from = to;
		}
	}
	job.n += vmt_fault_outcomes(f, kinds, group, job.parts + job.n);
	*ret = job.parts;
	*ret_n = job.n;
	return 0;
}
