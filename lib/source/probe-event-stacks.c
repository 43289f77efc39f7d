/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/probe-events-internal.h"

/* Mappings of code that are kept: a program has some five. They are not given back while a stream
 * goes on, so it may come to have no room; the frames without it are counted. */
#define CODES_MANY 65536u

struct vmt_event_count vmt_events_count_of(const struct vmt_slot_call *c)
{
	return (struct vmt_event_count){
		.events = c->calls, .failed = c->errors, .bytes = c->bytes, .ns = c->ns
	};
}

int vmt_events_single_tables(struct bpf_object *object, uint32_t cpus)
{
	const struct {
		const char *name;
		uint32_t rows;
	} tables[] = {
		{ "codes", CODES_MANY }, { "code_index", CODES_MANY }, { "code_free", CODES_MANY },
		{ "stack_rows", cpus },	 { "stack_index", 1 },	       { "stack_free", 1 },
		{ "stacks", 1 },	 { "stacks_more", 1 }
	};
	int r = 0;

	for (size_t i = 0; i < VMT_ARRAY_LEN(tables); i++)
		r = r ?: vmt_probe_resize(object, tables[i].name, tables[i].rows);
	return r;
}

int vmt_events_map_stacks(struct vmt_events *x, const struct bpf_object *object,
			  const volatile struct vmt_stack_lost *lost, bool sites)
{
	const struct {
		const char *name;
		struct vmt_probe_array *array;
		bool wanted;
	} maps[] = { { "stack_rows", &x->stacks.rows, true },
		     { "codes", &x->stacks.codes, true },
		     { "sites", &x->sites, sites } };
	int r = 0;

	x->stacks.depth = VMT_STACK_FULL;
	x->stacks.lost = lost;
	x->frames_most = vmt_probe_frames_most();
	for (size_t i = 0; i < VMT_ARRAY_LEN(maps) && r == 0; i++)
		if (maps[i].wanted)
			r = vmt_probe_array_map(bpf_object__find_map_by_name(object, maps[i].name),
						maps[i].array);
	/* Of single events a row is that of a CPU. */
	if (sites)
		r = r
			    ?: vmt_probe_fill_queue(
				       bpf_object__find_map_by_name(object, "stack_free"), 0,
				       (uint32_t)x->stacks.rows.len);
	return r
		       ?: vmt_probe_fill_queue(bpf_object__find_map_by_name(object, "code_free"), 0,
					       (uint32_t)x->stacks.codes.len);
}

/* The claims whose stacks have a place: place_of says of each row which one, + 1. */
static int read_claims(int fd, const uint32_t *place_of, size_t n_rows, struct vmt_arena *arena,
		       struct vmt_event_sample *ret)
{
	VMT_AUTO_FREE struct vmt_event_claim *all = NULL;
	struct vmt_claim_key key, *at = NULL;
	struct vmt_slot_claim value;
	size_t n = 0, cap = 0;
	int r;

	/* Nobody changes it any more. */
	for (; (r = bpf_map_get_next_key(fd, at, &key)) == 0; at = &key) {
		if (bpf_map_lookup_elem(fd, &key, &value) || value.site >= n_rows ||
		    !place_of[value.site])
			continue;
		if (vmt_grow(&all, &cap, n + 1, sizeof(*all)) < 0)
			return -ENOMEM;
		all[n++] = (struct vmt_event_claim){
			.start = key.start,
			.end = value.end,
			.ns = value.ns,
			.process_ns = value.process,
			.pid = key.tgid,
			.place = place_of[value.site] - 1,
		};
	}
	if (r != -ENOENT)
		return r;
	ret->claims = vmt_arena_alloc(arena, n + 1, sizeof(*all));
	if (!ret->claims)
		return -ENOMEM;
	if (n)
		memcpy(ret->claims, all, n * sizeof(*all));
	ret->n_claims = n;
	return 0;
}

int vmt_events_read_sites(struct vmt_events *x, int claims_fd, struct vmt_arena *arena,
			  struct vmt_event_sample *ret)
{
	VMT_AUTO_FREE uint32_t *place_of = calloc(x->stacks.rows.len + 1, sizeof(*place_of));
	const uint32_t self = (uint32_t)getpid();
	struct vmt_fault_sample *f = vmt_arena_alloc(arena, 1, sizeof(*f));
	size_t n = 0;

	if (!place_of || !f || vmt_probe_stacks_read(&x->stacks, &x->names, self, arena, f) < 0)
		return -ENOMEM;
	ret->places = vmt_arena_alloc(arena, f->n_stacks + 1, sizeof(*ret->places));
	if (!ret->places)
		return -ENOMEM;
	/* The stacks are in the order of their rows. */
	for (size_t i = 0; i < x->stacks.rows.len && n < f->n_stacks; i++) {
		const struct vmt_slot_stack *stack = vmt_probe_at(&x->stacks.rows, i);
		const struct vmt_slot_site *site = vmt_probe_at(&x->sites, i);

		if (!stack->ready || stack->tgid == self)
			continue;
		ret->places[n] = (struct vmt_event_place){
			.call = site->call < VMT_CALLS ? site->call : VMT_CALL_NONE,
			.count = vmt_events_count_of(&site->n),
			.stack = n,
			.mapped = site->mapped,
			.unclaimed = site->lost,
		};
		place_of[i] = (uint32_t)++n;
	}
	ret->n_places = n;
	ret->stacks = f;
	return ret->touched_wanted
		       ? read_claims(claims_fd, place_of, x->stacks.rows.len, arena, ret)
		       : 0;
}

int vmt_events_codes(const struct vmt_events *x, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret)
{
	return vmt_probe_codes_read(&x->stacks, &x->names, (uint32_t)getpid(), arena, ret);
}
