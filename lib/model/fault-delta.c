/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-delta.h"

#include <errno.h>
#include <stdlib.h>

#include "model/latency.h"

/* Counters of a row that is still being written to may be read in any order: one that seems to have
 * gone back has not moved. */
static void take_away(uint64_t *v, uint64_t before)
{
	*v = *v > before ? *v - before : 0;
}

static void take_all(uint64_t *v, const uint64_t *before, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		take_away(&v[i], before[i]);
}

static void latency_delta(struct vmt_fault_latency *l, const struct vmt_fault_latency *before)
{
	uint64_t longest = 0;
	size_t i;

	take_away(&l->count, before->count);
	take_away(&l->others, before->others);
	take_away(&l->sum_ns, before->sum_ns);
	for (i = 0; i < VMT_FAULT_BUCKETS; i++) {
		/* They run over together: the difference is right all the same. */
		l->bucket[i] -= before->bucket[i];
		if (l->bucket[i])
			longest = i + 1 < VMT_FAULT_BUCKETS ? vmt_latency_from(i + 1) - 1
							    : l->max_ns;
	}
	if (longest < l->max_ns)
		l->max_ns = longest;
}

static void spent_delta(struct vmt_fault_spent *s, const struct vmt_fault_spent *before)
{
	take_away(&s->lock_ns, before->lock_ns);
	take_away(&s->read_ns, before->read_ns);
	take_away(&s->swap_ns, before->swap_ns);
}

static void map_delta(struct vmt_fault_raw *m, const struct vmt_fault_raw *before)
{
#define X(member) take_away(&m->member, before->member);
	VMT_FAULT_COUNTS(X)
#undef X
	take_away(&m->retried, before->retried);
	take_away(&m->gup, before->gup);
	take_all(m->failed, before->failed, VMT_FAILURES);
	take_all(m->kinds, before->kinds, VMT_FAULT_KINDS);
	latency_delta(&m->latency, &before->latency);
	spent_delta(&m->spent, &before->spent);
}

static bool map_moved(const struct vmt_fault_raw *m)
{
	size_t i;

	for (i = 0; i < VMT_FAILURES; i++)
		if (m->failed[i])
			return true;
	return m->minor || m->major || m->retried || m->gup;
}

/* The same row of the kernel's table, of the same program image. */
static bool same_map(const struct vmt_fault_raw *a, const struct vmt_fault_raw *b)
{
	return a->pid == b->pid && a->start_time_ns == b->start_time_ns &&
	       a->exec_id == b->exec_id && a->class == b->class && a->inode == b->inode;
}

/* Rows by slot. That of a process which ended lies beside the one that has its slot now. */
struct by_slot {
	const struct vmt_fault_raw *maps;
	uint32_t *at; /* heap; by slot, up to most: 1 + index of the last of its rows, or 0 */
	uint32_t *next; /* heap; by row: the same for the one before it */
	uint32_t most;
};

static void by_slot_done(struct by_slot *b)
{
	free(b->at);
	free(b->next);
}

static int by_slot_make(struct by_slot *b, const struct vmt_fault_sample *s)
{
	size_t i;

	b->maps = s->maps;
	for (i = 0; i < s->n_maps; i++)
		b->most = s->maps[i].slot > b->most ? s->maps[i].slot : b->most;
	b->at = calloc((size_t)b->most + 1, sizeof(*b->at));
	b->next = calloc(s->n_maps + 1, sizeof(*b->next));
	if (!b->at || !b->next)
		return -ENOMEM;
	for (i = 0; i < s->n_maps; i++) {
		uint32_t *at = &b->at[s->maps[i].slot];

		b->next[i] = *at;
		*at = (uint32_t)i + 1;
	}
	return 0;
}

/* The row that m was, or NULL. */
static const struct vmt_fault_raw *find_map(const struct by_slot *b, const struct vmt_fault_raw *m)
{
	uint32_t k = m->slot && m->slot <= b->most ? b->at[m->slot] : 0;

	while (k && !same_map(m, &b->maps[k - 1]))
		k = b->next[k - 1];
	return k ? &b->maps[k - 1] : NULL;
}

static int maps_delta(const struct vmt_fault_sample *before, const struct vmt_fault_sample *now,
		      struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	VMT_CLEANUP(by_slot_done) struct by_slot old = { 0 };
	int r = by_slot_make(&old, before);
	size_t i;

	ret->maps = vmt_arena_alloc(arena, now->n_maps, sizeof(*ret->maps));
	ret->n_maps = 0;
	if (r < 0 || !ret->maps)
		return -ENOMEM;
	for (i = 0; i < now->n_maps; i++) {
		struct vmt_fault_raw *m = &ret->maps[ret->n_maps];
		const struct vmt_fault_raw *was;

		*m = now->maps[i];
		m->minor_read = m->minor;
		m->major_read = m->major;
		was = find_map(&old, m);
		if (was)
			map_delta(m, was);
		ret->n_maps += map_moved(m);
	}
	return 0;
}

static int by_identity(const void *a, const void *b)
{
	const struct vmt_fault_proc *p = *(const struct vmt_fault_proc *const *)a;
	const struct vmt_fault_proc *q = *(const struct vmt_fault_proc *const *)b;

	if (p->pid != q->pid)
		return p->pid < q->pid ? -1 : 1;
	return p->start_time_ns < q->start_time_ns ? -1 : p->start_time_ns > q->start_time_ns;
}

static void proc_delta(struct vmt_fault_proc *p, const struct vmt_fault_proc *before)
{
#define X(member) take_away(&p->member, before->member);
	VMT_FAULT_SUMS(X)
#undef X
	take_all(p->failed, before->failed, VMT_FAILURES);
}

static bool proc_moved(const struct vmt_fault_proc *p)
{
	size_t i;

	for (i = 0; i < VMT_FAILURES; i++)
		if (p->failed[i])
			return true;
#define X(member) || p->member
	return false VMT_FAULT_SUMS(X);
#undef X
}

static int procs_delta(const struct vmt_fault_sample *before, const struct vmt_fault_sample *now,
		       struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	VMT_AUTO_FREE const struct vmt_fault_proc **old = calloc(before->n_procs + 1, sizeof(*old));
	size_t i;

	ret->procs = vmt_arena_alloc(arena, now->n_procs, sizeof(*ret->procs));
	ret->n_procs = 0;
	if (!old || !ret->procs)
		return -ENOMEM;
	for (i = 0; i < before->n_procs; i++)
		old[i] = &before->procs[i];
	qsort(old, before->n_procs, sizeof(*old), by_identity);
	for (i = 0; i < now->n_procs; i++) {
		struct vmt_fault_proc *p = &ret->procs[ret->n_procs];
		const struct vmt_fault_proc *key = p, *const * found;

		*p = now->procs[i];
		found = bsearch(&key, old, before->n_procs, sizeof(*old), by_identity);
		if (found)
			proc_delta(p, *found);
		ret->n_procs += proc_moved(p);
	}
	return 0;
}

static void totals_delta(struct vmt_fault_totals *t, const struct vmt_fault_totals *before)
{
#define X(member) take_away(&t->member, before->member);
	VMT_FAULT_SUMS(X)
#undef X
	take_all(t->failed, before->failed, VMT_FAILURES);
	/* What was lost stays: it is of the probe as a whole, and says how far to trust it. */
}

int vmt_fault_delta(const struct vmt_fault_sample *before, const struct vmt_fault_sample *now,
		    struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	struct vmt_fault_sample d = *now;
	int r;

	d.files = NULL;
	d.n_files = 0;
	d.stacks = NULL;
	d.n_stacks = 0;
	d.kinds = NULL;
	d.n_kinds = 0;
	d.singles = NULL;
	d.n_singles = 0;
	d.window_ns = now->window_ns > before->window_ns ? now->window_ns - before->window_ns : 0;
	d.start_ns = now->start_ns + before->window_ns;
	totals_delta(&d.totals, &before->totals);
	r = maps_delta(before, now, arena, &d);
	if (r == 0)
		r = procs_delta(before, now, arena, &d);
	if (r == 0)
		*ret = d;
	return r;
}
