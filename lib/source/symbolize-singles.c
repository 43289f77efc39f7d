/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbolize-singles.h"

#include <errno.h>
#include <stdlib.h>

#include "model/model.h"
#include "source/known.h"

/* An instruction of one program image of one process. */
struct instruction {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t exec_id;
	uint64_t ip;
	struct vmt_bytes symbol;
};

struct vmt_single_symbols {
	struct vmt_known kept;
	struct instruction *all; /* in order */
};

static int by_instruction(const void *pa, const void *pb)
{
	const struct instruction *a = pa, *b = pb;
	int c = vmt_compare_u64(a->pid, b->pid);

	if (!c)
		c = vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	if (!c)
		c = vmt_compare_u64(a->exec_id, b->exec_id);
	return c ? c : vmt_compare_u64(a->ip, b->ip);
}

struct vmt_single_symbols *vmt_single_symbols_new(void)
{
	struct vmt_single_symbols *known = calloc(1, sizeof(*known));

	if (known)
		vmt_arena_init(&known->kept.arena);
	return known;
}

void vmt_single_symbols_free(struct vmt_single_symbols *known)
{
	if (!known)
		return;
	vmt_arena_done(&known->kept.arena);
	free(known->all);
	free(known);
}

static int by_row(const void *pa, const void *pb)
{
	const struct vmt_fault_raw *a = *(const struct vmt_fault_raw *const *)pa;
	const struct vmt_fault_raw *b = *(const struct vmt_fault_raw *const *)pb;
	int c = vmt_compare_u64(a->slot, b->slot);

	return c ? c : vmt_compare_u64(a->pid, b->pid);
}

/* Which instruction each fault is of: the mapping says of which image. ip 0: it is not known. */
static int list(const struct vmt_fault_sample *f, struct instruction *ret)
{
	VMT_AUTO_FREE const struct vmt_fault_raw **rows = calloc(f->n_maps + 1, sizeof(*rows));
	size_t i;

	if (!rows)
		return -ENOMEM;
	for (i = 0; i < f->n_maps; i++)
		rows[i] = &f->maps[i];
	qsort(rows, f->n_maps, sizeof(*rows), by_row);
	for (i = 0; i < f->n_singles; i++) {
		const struct vmt_fault_single *one = &f->singles[i];
		const struct vmt_fault_raw key = { .slot = one->slot, .pid = one->pid },
					   *wanted = &key;
		const struct vmt_fault_raw *const *row =
			one->slot && one->ip
				? bsearch(&wanted, rows, f->n_maps, sizeof(*rows), by_row)
				: NULL;

		/* In another's memory the code is none of that image. */
		if (!row || ((*row)->owner_pid && (*row)->owner_pid != one->pid))
			continue;
		ret[i] = (struct instruction){
			.pid = one->pid,
			.start_time_ns = (*row)->start_time_ns,
			.exec_id = (*row)->exec_id,
			.ip = one->ip,
		};
	}
	return 0;
}

static struct instruction *find(const struct vmt_single_symbols *known,
				const struct instruction *wanted)
{
	return known->kept.n ? bsearch(wanted, known->all, known->kept.n, sizeof(*known->all),
				       by_instruction)
			     : NULL;
}

/* Those that are not known, once each; how many. */
static size_t unknown(const struct vmt_single_symbols *known, struct instruction *all, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (all[i].ip && !find(known, &all[i]))
			all[kept++] = all[i];
	if (kept)
		qsort(all, kept, sizeof(*all), by_instruction);
	n = kept;
	for (i = 0, kept = 0; i < n; i++)
		if (!kept || by_instruction(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	return kept;
}

static int keep(struct vmt_single_symbols *known, const struct instruction *one,
		const struct vmt_fault_frame *frame)
{
	VMT_AUTO_BUF text = { 0 };
	char *copy;

	/* What is nowhere is kept, too. */
	if (frame->symbol.len || (frame->module.len && frame->has_offset))
		vmt_fault_frame_text(&text, frame);
	copy = vmt_buf_error(&text) < 0 ? NULL
					: vmt_arena_copy(&known->kept.arena, text.data, text.len);
	if (!copy ||
	    vmt_grow(&known->all, &known->kept.cap, known->kept.n + 1, sizeof(*known->all)) < 0)
		return -ENOMEM;
	known->all[known->kept.n] = *one;
	known->all[known->kept.n++].symbol = (struct vmt_bytes){ copy, text.len };
	return 0;
}

/* Each as a stack of one frame. */
static int ask(struct vmt_collector *c, struct vmt_sample *s, const struct vmt_fault_sample *f,
	       const struct instruction *all, size_t n, struct vmt_arena *arena,
	       struct vmt_fault_sample *ret)
{
	size_t i;

	*ret = (struct vmt_fault_sample){ .codes = f->codes, .n_codes = f->n_codes };
	ret->stacks = vmt_arena_alloc(arena, n, sizeof(*ret->stacks));
	if (!ret->stacks)
		return -ENOMEM;
	ret->n_stacks = n;
	for (i = 0; i < n; i++)
		ret->stacks[i] = (struct vmt_fault_stack){
			.pid = all[i].pid,
			.start_time_ns = all[i].start_time_ns,
			.exec_id = all[i].exec_id,
			.addresses = &all[i].ip,
			.n_user = 1,
		};
	return vmt_symbolize(c, s, ret, arena);
}

static const struct vmt_fault_frame *frame_of(const struct vmt_fault_sample *f, size_t i)
{
	return &f->frames[f->stacks[i].frames[0]];
}

/* Looks up n of them, which are reordered. */
static int look_up(struct vmt_single_symbols *known, struct vmt_collector *c, struct vmt_sample *s,
		   const struct vmt_fault_sample *f, struct instruction *all, size_t n)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_sample first, again;
	size_t i, rest = 0, n_procs = s->n_procs;
	int r;

	vmt_arena_init(&arena);
	r = ask(c, s, f, all, n, &arena, &first);
	for (i = 0; r == 0 && i < n; i++) {
		if (frame_of(&first, i)->symbol.len || !frame_of(&first, i)->module.len)
			r = keep(known, &all[i], frame_of(&first, i));
		else
			all[rest++] = all[i];
	}
	/* Who was there when s was made may have ended since: by path, then. */
	if (r == 0 && rest) {
		s->n_procs = 0;
		r = ask(c, s, f, all, rest, &arena, &again);
		s->n_procs = n_procs;
	}
	for (i = 0; r == 0 && i < rest; i++)
		r = keep(known, &all[i], frame_of(&again, i));
	if (known->kept.n)
		qsort(known->all, known->kept.n, sizeof(*known->all), by_instruction);
	return r;
}

int vmt_symbolize_singles(struct vmt_single_symbols *known, struct vmt_collector *c,
			  struct vmt_sample *s, struct vmt_fault_sample *f)
{
	VMT_AUTO_FREE struct instruction *each = calloc(f->n_singles + 1, sizeof(*each));
	VMT_AUTO_FREE struct instruction *asked = calloc(f->n_singles + 1, sizeof(*asked));
	size_t n, i;
	int r;

	if (!each || !asked)
		return -ENOMEM;
	vmt_known_forget(&known->kept);
	r = list(f, each);
	if (r < 0)
		return r;
	memcpy(asked, each, f->n_singles * sizeof(*asked));
	n = unknown(known, asked, f->n_singles);
	r = n ? look_up(known, c, s, f, asked, n) : 0;
	for (i = 0; r == 0 && i < f->n_singles; i++) {
		const struct instruction *found = each[i].ip ? find(known, &each[i]) : NULL;

		if (found)
			f->singles[i].symbol = found->symbol;
	}
	return r;
}
