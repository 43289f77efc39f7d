/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbolize-stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "model/model.h"
#include "source/known.h"

struct known_stack {
	struct vmt_fault_stack stack; /* its addresses are the arena's */
	struct vmt_event_stack text;
};

struct vmt_stack_symbols {
	struct vmt_known kept;
	struct known_stack *all; /* in order */
};

static int compare(const struct vmt_fault_stack *a, const struct vmt_fault_stack *b)
{
	int c = vmt_compare_u64(a->pid, b->pid);

	c = c ?: vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	c = c ?: vmt_compare_u64(a->exec_id, b->exec_id);
	c = c ?: vmt_compare_u64(a->n_user, b->n_user);
	c = c ?: vmt_compare_u64((uint64_t)-a->lost, (uint64_t)-b->lost);
	c = c ?: vmt_compare_u64(a->cut, b->cut);
	for (uint32_t i = 0; !c && i < a->n_user; i++)
		c = vmt_compare_u64(a->addresses[i], b->addresses[i]);
	return c;
}

static int by_stack(const void *a, const void *b)
{
	return compare(&((const struct known_stack *)a)->stack,
		       &((const struct known_stack *)b)->stack);
}

static int by_pointer(const void *a, const void *b)
{
	return compare(*(const struct vmt_fault_stack *const *)a,
		       *(const struct vmt_fault_stack *const *)b);
}

struct vmt_stack_symbols *vmt_stack_symbols_new(void)
{
	struct vmt_stack_symbols *known = calloc(1, sizeof(*known));

	if (known)
		vmt_arena_init(&known->kept.arena);
	return known;
}

void vmt_stack_symbols_free(struct vmt_stack_symbols *known)
{
	if (!known)
		return;
	vmt_arena_done(&known->kept.arena);
	free(known->all);
	free(known);
}

static const struct known_stack *find(const struct vmt_stack_symbols *known,
				      const struct vmt_fault_stack *stack)
{
	const struct known_stack key = { .stack = *stack };

	return known->kept.n
		       ? bsearch(&key, known->all, known->kept.n, sizeof(*known->all), by_stack)
		       : NULL;
}

/* Those that are not known, once each; how many. */
static size_t unknown(const struct vmt_stack_symbols *known,
		      const struct vmt_fault_stack *const *stacks, size_t n,
		      const struct vmt_fault_stack **ret)
{
	size_t found = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!find(known, stacks[i]))
			ret[found++] = stacks[i];
	if (found)
		qsort(ret, found, sizeof(*ret), by_pointer);
	for (size_t i = 0; i < found; i++)
		if (!kept || compare(ret[kept - 1], ret[i]) != 0)
			ret[kept++] = ret[i];
	return kept;
}

/* Whether a frame has a file and no symbol: who was alive when s was made may be gone. */
static bool lacks_symbols(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s)
{
	for (uint32_t i = 0; i < s->n_user; i++) {
		const struct vmt_fault_frame *frame = &f->frames[s->frames[i]];

		if (frame->module.len && !frame->symbol.len)
			return true;
	}
	return false;
}

static int keep(struct vmt_stack_symbols *known, const struct vmt_fault_sample *f,
		const struct vmt_fault_stack *s)
{
	struct known_stack one = { .stack = *s };
	void *addresses = vmt_arena_copy(&known->kept.arena, s->addresses,
					 (s->n_user + (size_t)1) * sizeof(*s->addresses));

	if (!addresses || vmt_event_stack_text(f, s, &known->kept.arena, &one.text) < 0 ||
	    vmt_grow(&known->all, &known->kept.cap, known->kept.n + 1, sizeof(*known->all)) < 0)
		return -ENOMEM;
	one.stack.addresses = addresses;
	one.stack.frames = NULL;
	one.stack.comm = (struct vmt_bytes){ 0 };
	known->all[known->kept.n++] = one;
	return 0;
}

/* Looks up n of them, each but once; rest: n pointers. */
static int look_up(struct vmt_stack_symbols *known, struct vmt_collector *c, struct vmt_sample *s,
		   const struct vmt_fault_stack **asked, size_t n, vmt_codes_fn *codes, void *arg)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_sample f = { 0 };
	size_t n_procs = s->n_procs;
	int r;

	vmt_arena_init(&arena);
	f.stacks = vmt_arena_alloc(&arena, n, sizeof(*f.stacks));
	if (!f.stacks)
		return -ENOMEM;
	r = codes(arg, &arena, &f);
	/* First by what lives, then of the others by path. */
	for (unsigned turn = 0; turn < 2 && r == 0 && n; turn++) {
		size_t rest = 0;

		f.n_stacks = n;
		for (size_t i = 0; i < n; i++)
			f.stacks[i] = *asked[i];
		s->n_procs = turn ? 0 : n_procs;
		r = vmt_symbolize(c, s, &f, &arena);
		s->n_procs = n_procs;
		for (size_t i = 0; i < n && r == 0; i++) {
			if (!turn && lacks_symbols(&f, &f.stacks[i]))
				asked[rest++] = asked[i];
			else
				r = keep(known, &f, &f.stacks[i]);
		}
		n = rest;
	}
	if (known->kept.n)
		qsort(known->all, known->kept.n, sizeof(*known->all), by_stack);
	return r;
}

int vmt_symbolize_stacks(struct vmt_stack_symbols *known, struct vmt_collector *c,
			 struct vmt_sample *s, const struct vmt_fault_stack *const *stacks,
			 size_t n, vmt_codes_fn *codes, void *arg, struct vmt_event_stack *ret)
{
	VMT_AUTO_FREE const struct vmt_fault_stack **asked =
		calloc(n + 1, sizeof(struct vmt_fault_stack *));
	size_t n_asked;
	int r;

	if (!asked)
		return -ENOMEM;
	vmt_known_forget(&known->kept);
	n_asked = unknown(known, stacks, n, asked);
	r = n_asked ? look_up(known, c, s, asked, n_asked, codes, arg) : 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct known_stack *found = find(known, stacks[i]);

		ret[i] = found ? found->text : (struct vmt_event_stack){ 0 };
	}
	return r;
}
