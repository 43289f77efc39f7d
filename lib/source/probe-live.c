/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/fault.h"

/* Places of rows, by slot and process: open addressing, never more than half full. */
struct places {
	struct place {
		uint32_t slot; /* 0: free */
		uint32_t pid;
		size_t at;
	} * all;
	size_t cap; /* a power of two, or 0 */
	size_t n;
};

/* For so long at least are the rows of those that ended kept where they are forgotten: by the first
 * call that comes a second after its begin a run of single faults is handed out. */
#define KEPT_NS UINT64_C(1200000000)

struct vmt_probe_live {
	const struct vmt_probe_array *maps;
	struct vmt_drain *drain;
	unsigned pile;
	size_t next; /* of the pile, behind what gone knows */
	size_t old; /* of the pile, behind what was there at that time: */
	uint64_t old_ns;
	struct places gone; /* rows of processes that ended: where they lie in the pile */
	struct places seen; /* of one call */
};

static struct place *place_of(const struct places *p, uint32_t slot, uint32_t pid)
{
	size_t i = (slot * 2654435761u ^ pid * 40503u) & (p->cap - 1);

	while (p->all[i].slot && (p->all[i].slot != slot || p->all[i].pid != pid))
		i = (i + 1) & (p->cap - 1);
	return &p->all[i];
}

static int places_grow(struct places *p)
{
	struct places more = { .cap = p->cap ? p->cap * 2 : 64, .n = p->n };

	if (p->n * 2 < p->cap)
		return 0;
	more.all = calloc(more.cap, sizeof(*more.all));
	if (!more.all)
		return -ENOMEM;
	for (size_t i = 0; i < p->cap; i++)
		if (p->all[i].slot)
			*place_of(&more, p->all[i].slot, p->all[i].pid) = p->all[i];
	free(p->all);
	*p = more;
	return 0;
}

/* 1 where it was not there before, or -ENOMEM. The later of two with one name is found. */
static int places_put(struct places *p, uint32_t slot, uint32_t pid, size_t at)
{
	struct place *place;
	int r = places_grow(p);

	if (r)
		return r;
	place = place_of(p, slot, pid);
	r = !place->slot;
	p->n += (size_t)r;
	*place = (struct place){ slot, pid, at };
	return r;
}

int vmt_probe_live_new(const struct vmt_probe_array *maps, struct vmt_drain *drain, unsigned pile,
		       struct vmt_probe_live **ret)
{
	struct vmt_probe_live *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->maps = maps;
	l->drain = drain;
	l->pile = pile;
	*ret = l;
	return 0;
}

void vmt_probe_live_free(struct vmt_probe_live *l)
{
	if (!l)
		return;
	free(l->gone.all);
	free(l->seen.all);
	free(l);
}

/* Whether a row is that of the process, or one that processes share. */
static bool is_of(const struct vmt_slot_map *m, uint32_t slot, uint32_t pid)
{
	return m->ready && m->slot == slot && (!m->tgid || m->tgid == pid);
}

/* A copy of a row that may be handed over, and another's, at any moment. */
static bool in_table(const struct vmt_probe_live *l, uint32_t slot, uint32_t pid,
		     struct vmt_slot_map *out)
{
	const struct vmt_slot_map *m;

	if (!slot || slot > l->maps->len)
		return false;
	m = vmt_probe_at(l->maps, slot - 1);
	memcpy(out, m, sizeof(*out));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return is_of(out, slot, pid) && is_of(m, slot, pid);
}

static int find(struct vmt_probe_live *l, uint32_t slot, uint32_t pid, struct vmt_slot_map *out)
{
	const struct place *place;
	struct vmt_slot_map row;
	size_t at = l->next;

	if (in_table(l, slot, pid, out))
		return 1;
	if (!slot || slot > l->maps->len)
		return 0;
	(void)vmt_drain_count(l->drain, l->pile);
	while (vmt_drain_next(l->drain, l->pile, &l->next, &row)) {
		/* Without a number it is nobody's. */
		int r = row.slot ? places_put(&l->gone, row.slot, row.tgid, at) : 0;

		if (r < 0)
			return r;
		at = l->next;
	}
	place = l->gone.cap ? place_of(&l->gone, slot, pid) : NULL;
	if (!place || !place->slot)
		return 0;
	at = place->at;
	return vmt_drain_next(l->drain, l->pile, &at, out);
}

void vmt_probe_live_forget(struct vmt_probe_live *l, uint64_t now_ns)
{
	struct vmt_slot_map row;

	if (now_ns - l->old_ns < KEPT_NS)
		return;
	vmt_drain_forget(l->drain, l->pile, l->old);
	/* What is left is looked through anew. */
	l->next = 0;
	l->gone.n = 0;
	if (l->gone.cap)
		memset(l->gone.all, 0, l->gone.cap * sizeof(*l->gone.all));
	l->old = 0;
	(void)vmt_drain_count(l->drain, l->pile);
	while (vmt_drain_next(l->drain, l->pile, &l->old, &row))
		;
	l->old_ns = now_ns;
}

int vmt_probe_live_maps(struct vmt_probe_live *l, struct vmt_arena *arena,
			int (*add)(void *arg, const struct vmt_slot_map *m, struct vmt_arena *arena,
				   struct vmt_fault_raw *out),
			void *arg, struct vmt_fault_sample *ret)
{
	size_t n = 0;

	if (l->seen.cap)
		memset(l->seen.all, 0, l->seen.cap * sizeof(*l->seen.all));
	l->seen.n = 0;
	for (size_t i = 0; i < ret->n_singles; i++)
		if (ret->singles[i].slot &&
		    places_put(&l->seen, ret->singles[i].slot, ret->singles[i].pid, 0) < 0)
			return -ENOMEM;
	ret->maps = vmt_arena_alloc(arena, l->seen.n + 1, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	for (size_t i = 0; i < l->seen.cap; i++) {
		const struct place *p = &l->seen.all[i];
		struct vmt_slot_map row;
		int r = p->slot ? find(l, p->slot, p->pid, &row) : 0;

		if (r > 0)
			r = add(arg, &row, arena, &ret->maps[n++]);
		if (r < 0)
			return r;
	}
	ret->n_maps = n;
	return 0;
}
