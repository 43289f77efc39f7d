/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-touched.h"

#include <errno.h>

#include "model/event-claims.h"
#include "source/collect-pages.h"
#include "source/collect-private.h"

/* Ranges that are read in one go. */
#define RANGES 256u

/* Pieces of one go. */
struct pages {
	struct vmt_event_piece **pieces;
	uint64_t page_size;
};

static int add_runs(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct pages *p = arg;

	for (size_t i = 0; i < n; i++) {
		const struct vmt_page_run *run = &runs[i];
		struct vmt_event_piece *piece = p->pieces[run->map];
		uint64_t start = run->start > piece->start ? run->start : piece->start;
		uint64_t end = run->start + run->pages * p->page_size, pages;

		/* What the scan found of a huge page may be more than it was asked for. */
		if (end > piece->end)
			end = piece->end;
		if (start >= end || run->state == VMT_PAGE_NONE || run->state == VMT_PAGE_GUARD)
			continue;
		pages = (end - start) / p->page_size;
		piece->touched += pages;
		if (run->state == VMT_PAGE_PRESENT && run->backing != VMT_BACKING_ZERO)
			piece->resident += pages;
	}
	return 0;
}

/* Reads the pages of some pieces of a process. 0 or -ENOMEM; of what is not known nothing is. */
static int read_some(struct vmt_collector *c, struct vmt_sample *s, struct vmt_event_piece **pieces,
		     size_t n)
{
	VMT_AUTO_FREE struct vmt_map *maps = calloc(n, sizeof(*maps));
	struct pages p = { .pieces = pieces, .page_size = s->host.page_size };
	struct vmt_pages_opts opts = { .maps = maps, .n_maps = n, .end = UINT64_MAX };
	int r;

	if (!maps)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		maps[i] = s->maps[0].maps[pieces[i]->map];
		maps[i].start = pieces[i]->start;
		maps[i].end = pieces[i]->end;
	}
	r = vmt_collect_pages(c, s, 0, &opts, NULL, add_runs, &p);
	for (size_t i = 0; i < n && r == 0; i++)
		pieces[i]->known = true;
	return r == -ENOMEM ? r : 0;
}

static int read_pages(struct vmt_collector *c, struct vmt_sample *s, struct vmt_event_piece *pieces,
		      size_t n)
{
	const struct vmt_pagemap_facts *facts = vmt_proc_shared_pagemap(vmt_collector_shared(c));
	uint64_t most = facts->scan ? UINT64_MAX : VMT_PAGEMAP_READ_MAX;
	struct vmt_event_piece *some[RANGES];
	size_t n_some = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if ((pieces[i].end - pieces[i].start) / s->host.page_size > most) {
			vmt_sample_failed(s, VMT_SOURCE_WORDS, s->procs[0].pid, s->procs[0].comm,
					  -E2BIG,
					  "mappings of more than 2^20 pages were left out: this "
					  "kernel has no PAGEMAP_SCAN (Linux 6.7)");
			continue;
		}
		some[n_some++] = &pieces[i];
		if (n_some < RANGES)
			continue;
		r = read_some(c, s, some, n_some);
		n_some = 0;
	}
	return r || !n_some ? r : read_some(c, s, some, n_some);
}

static struct vmt_bytes copied(struct vmt_arena *arena, struct vmt_bytes text)
{
	char *copy = vmt_arena_copy(arena, text.len ? text.ptr : "", text.len);

	return (struct vmt_bytes){ copy, copy ? text.len : 0 };
}

/* What is mapped where a claim begins, by the pieces. */
static int name_claims(struct vmt_sample *to, const struct vmt_sample *s,
		       struct vmt_event_claim *claims, const struct vmt_event_piece *pieces,
		       size_t n)
{
	struct vmt_bytes kind = { 0 }, path = { 0 };
	size_t map = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct vmt_event_claim *claim = &claims[pieces[i].claim];

		if (claim->kind.len)
			continue;
		/* Mostly the same one as before. */
		if (pieces[i].map != map) {
			map = pieces[i].map;
			kind = copied(&to->arena, s->maps[0].maps[map].kind);
			path = copied(&to->arena, s->maps[0].maps[map].path);
		}
		claim->kind = kind;
		claim->path = path;
	}
	return to->arena.failed ? -ENOMEM : 0;
}

/* The process of n claims: into a sample of its own, so that there are mappings of one at a time. 0
 * where its mappings are known, a negative errno where not. */
static int read_maps(struct vmt_collector *c, const struct vmt_event_claim *claim,
		     struct vmt_sample **ret)
{
	const uint64_t pid = claim->pid;
	const size_t first = 0;
	int r = vmt_collect(c, VMT_SOURCE_BIT(PIDS), &pid, 1, ret, NULL);

	if (r < 0)
		return r;
	if (!vmt_sample_proc_since(*ret, pid, claim->process_ns))
		return -ESRCH;
	r = vmt_collect_procs(c, *ret, VMT_SOURCE_BIT(MAPS), &first, 1, NULL);
	return r < 0 ? r : (*ret)->maps[0].worst;
}

static int read_process(struct vmt_collector *c, struct vmt_sample *s, struct vmt_event_sample *e,
			size_t first, size_t n)
{
	static const enum vmt_source_id sources[] = { VMT_SOURCE_PIDS, VMT_SOURCE_MAPS,
						      VMT_SOURCE_WORDS };
	VMT_AUTO_FREE struct vmt_event_piece *pieces = NULL;
	VMT_AUTO_SAMPLE look = NULL;
	size_t n_pieces = 0;
	int r = read_maps(c, &e->claims[first], &look);

	if (r < 0)
		vmt_event_claims_lose(e, first, n);
	if (r == 0) {
		r = vmt_event_claims_cut(&e->claims[first], n, look->maps[0].maps,
					 look->maps[0].n_maps, &pieces, &n_pieces);
		r = r ?: read_pages(c, look, pieces, n_pieces);
		r = r ?: name_claims(s, look, &e->claims[first], pieces, n_pieces);
		if (r == 0)
			vmt_event_claims_add(e, first, pieces, n_pieces, look->host.page_size);
	}
	if (look)
		vmt_sample_settle(look);
	for (size_t i = 0; look && i < VMT_ARRAY_LEN(sources); i++)
		vmt_source_stat_add(&s->sources[sources[i]], &look->sources[sources[i]]);
	return r == -ENOMEM ? r : 0;
}

int vmt_collect_touched(struct vmt_collector *c, struct vmt_sample *s, struct vmt_event_sample *e)
{
	int r = vmt_event_claims_begin(e);
	size_t n;

	for (size_t i = 0; i < e->n_claims && r == 0; i += n) {
		for (n = 1; i + n < e->n_claims; n++)
			if (e->claims[i + n].pid != e->claims[i].pid ||
			    e->claims[i + n].process_ns != e->claims[i].process_ns)
				break;
		r = read_process(c, s, e, i, n);
	}
	return r;
}
