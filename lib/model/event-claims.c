/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event-claims.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

static bool maps_something(enum vmt_event_call call)
{
	return call == VMT_CALL_MMAP || call == VMT_CALL_MREMAP || call == VMT_CALL_BRK ||
	       call == VMT_CALL_SHMAT;
}

uint32_t vmt_event_mapping_calls(void)
{
	static const enum vmt_event_call calls[] = {
		VMT_CALL_MMAP,	VMT_CALL_MUNMAP, VMT_CALL_MREMAP, VMT_CALL_BRK,
		VMT_CALL_SHMAT, VMT_CALL_SHMDT,	 VMT_CALL_EXECVE, VMT_CALL_EXECVEAT,
	};
	uint32_t bits = 0;

	for (size_t i = 0; i < VMT_ARRAY_LEN(calls); i++)
		bits |= UINT32_C(1) << calls[i];
	return bits;
}

static int by_process(const void *pa, const void *pb)
{
	const struct vmt_event_process *a = *(const struct vmt_event_process *const *)pa;
	const struct vmt_event_process *b = *(const struct vmt_event_process *const *)pb;
	int c = vmt_compare_u64(a->pid, b->pid);

	return c ?: vmt_compare_u64(a->start_ns, b->start_ns);
}

/* Processes in order of pid and time. */
struct processes {
	const struct vmt_event_process **all;
	size_t n;
};

/* The process, or NULL. */
static const struct vmt_event_process *find(const struct processes *p, uint64_t pid,
					    uint64_t start_ns)
{
	const struct vmt_event_process wanted = { .pid = (uint32_t)pid, .start_ns = start_ns };
	const struct vmt_event_process *key = &wanted, **found;

	found = bsearch(&key, p->all, p->n, sizeof(struct vmt_event_process *), by_process);
	return found ? *found : NULL;
}

static int by_address(const void *pa, const void *pb)
{
	const struct vmt_event_claim *a = pa, *b = pb;
	int c = vmt_compare_u64(a->pid, b->pid);

	c = c ?: vmt_compare_u64(a->process_ns, b->process_ns);
	c = c ?: vmt_compare_u64(a->start, b->start);
	return c ?: vmt_compare_u64(a->ns, b->ns);
}

int vmt_event_claims_begin(struct vmt_event_sample *s)
{
	VMT_AUTO_FREE const struct vmt_event_process **all =
		calloc(s->n_processes + 1, sizeof(struct vmt_event_process *));
	struct processes p = { .all = all, .n = s->n_processes };
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < p.n; i++)
		all[i] = &s->processes[i];
	if (p.n)
		qsort(all, p.n, sizeof(struct vmt_event_process *), by_process);
	for (size_t i = 0; i < s->n_places; i++) {
		struct vmt_event_place *place = &s->places[i];
		const struct vmt_fault_stack *stack = &s->stacks->stacks[place->stack];
		const struct vmt_event_process *process = NULL;

		place->touch = (struct vmt_event_touch){ 0 };
		if (maps_something(place->call) && !place->unclaimed)
			process = find(&p, stack->pid, stack->start_time_ns);
		if (!process)
			continue;
		place->touch.is_ended = process->ended;
		place->touch.is_mapped_known = place->touch.is_touched_known = !process->ended;
	}
	for (size_t i = 0; i < s->n_claims; i++) {
		const struct vmt_event_claim *c = &s->claims[i];
		const struct vmt_event_process *process = find(&p, c->pid, c->process_ns);

		if (process && !process->ended && c->ns > process->exec_ns)
			s->claims[n++] = *c;
	}
	s->n_claims = n;
	if (n)
		qsort(s->claims, n, sizeof(*s->claims), by_address);
	return 0;
}

/* Claims that have an address, the latest one on top. */
struct heap {
	const struct vmt_event_claim *claims;
	size_t *at; /* their indices */
	size_t n;
};

static bool is_later(const struct heap *h, size_t a, size_t b)
{
	uint64_t x = h->claims[h->at[a]].ns, y = h->claims[h->at[b]].ns;

	return x > y || (x == y && h->at[a] > h->at[b]);
}

static void swap(struct heap *h, size_t a, size_t b)
{
	size_t kept = h->at[a];

	h->at[a] = h->at[b];
	h->at[b] = kept;
}

static void push(struct heap *h, size_t claim)
{
	size_t i = h->n++;

	h->at[i] = claim;
	for (; i && is_later(h, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
}

static void pop(struct heap *h)
{
	size_t i = 0, next;

	h->at[0] = h->at[--h->n];
	for (; (next = 2 * i + 1) < h->n; i = next) {
		next += next + 1 < h->n && is_later(h, next + 1, next);
		if (!is_later(h, next, i))
			break;
		swap(h, next, i);
	}
}

/* Where pieces go. */
struct cut {
	const struct vmt_map *maps;
	size_t n_maps;
	size_t map; /* the first mapping that does not lie below what came so far */
	struct vmt_event_piece *pieces;
	size_t n;
	size_t cap;
};

/* What is still mapped of [start, end), which is a claim's, and lies above what came so far. */
static int add_range(struct cut *c, size_t claim, uint64_t start, uint64_t end)
{
	for (; c->map < c->n_maps && c->maps[c->map].start < end; c->map++) {
		const struct vmt_map *m = &c->maps[c->map];
		uint64_t low = m->start > start ? m->start : start;
		uint64_t high = m->end < end ? m->end : end;
		struct vmt_event_piece *last = c->n ? &c->pieces[c->n - 1] : NULL;

		if (low < high && last && last->claim == claim && last->map == c->map &&
		    last->end == low) {
			last->end = high;
		} else if (low < high) {
			if (vmt_grow(&c->pieces, &c->cap, c->n + 1, sizeof(*c->pieces)) < 0)
				return -ENOMEM;
			c->pieces[c->n++] = (struct vmt_event_piece){
				.start = low, .end = high, .claim = claim, .map = c->map
			};
		}
		if (m->end > end)
			break;
	}
	return 0;
}

int vmt_event_claims_cut(const struct vmt_event_claim *claims, size_t n, const struct vmt_map *maps,
			 size_t n_maps, struct vmt_event_piece **ret, size_t *ret_n)
{
	VMT_AUTO_FREE size_t *at = calloc(n + 1, sizeof(*at));
	struct heap heap = { .claims = claims, .at = at };
	struct cut cut = { .maps = maps, .n_maps = n_maps };
	uint64_t pos = 0, end;
	size_t next = 0;
	int r = 0;

	if (!at)
		return -ENOMEM;
	while (r == 0) {
		while (heap.n && claims[at[0]].end <= pos)
			pop(&heap);
		if (!heap.n && next == n)
			break;
		if (!heap.n && pos < claims[next].start)
			pos = claims[next].start;
		for (; next < n && claims[next].start <= pos; next++)
			push(&heap, next);
		if (claims[at[0]].end <= pos)
			continue;
		/* Up to where it ends, or where another one begins that may be later. */
		end = claims[at[0]].end;
		if (next < n && claims[next].start < end)
			end = claims[next].start;
		r = add_range(&cut, at[0], pos, end);
		pos = end;
	}
	if (r < 0) {
		free(cut.pieces);
		return r;
	}
	*ret = cut.pieces;
	*ret_n = cut.n;
	return 0;
}

static void add_touch(struct vmt_event_touch *to, uint64_t bytes,
		      const struct vmt_event_piece *piece, uint64_t page_size)
{
	to->reserved += bytes;
	if (!piece->known)
		to->is_touched_known = false;
	to->touched += piece->touched * page_size;
	to->resident += piece->resident * page_size;
}

void vmt_event_claims_add(struct vmt_event_sample *s, size_t first,
			  const struct vmt_event_piece *pieces, size_t n, uint64_t page_size)
{
	for (size_t i = 0; i < n; i++) {
		const struct vmt_event_piece *piece = &pieces[i];
		struct vmt_event_claim *c = &s->claims[first + piece->claim];
		uint64_t bytes = piece->end - piece->start;

		if (!c->touch.is_mapped_known) {
			c->touch.is_mapped_known = c->touch.is_touched_known = true;
			c->low = piece->start;
		}
		c->high = piece->end;
		add_touch(&c->touch, bytes, piece, page_size);
		add_touch(&s->places[c->place].touch, bytes, piece, page_size);
	}
}

void vmt_event_claims_lose(struct vmt_event_sample *s, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		struct vmt_event_place *place = &s->places[s->claims[i].place];

		place->touch.is_mapped_known = place->touch.is_touched_known = false;
	}
}
