/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zoneinfo, buddyinfo, pagetypeinfo, vmstat and meminfo of a node, and what the model makes of the
 * first two; the first byte says which. */
#include "fuzz.h"
#include "model/model.h"
#include "model/sample.h"
#include "source/zones.h"

#define PAGE 4096

/* Two texts in one: what is before a NUL, and what is behind it. */
static int derived(struct vmt_bytes text, struct vmt_err *err)
{
	const char *nul = text.len ? memchr(text.ptr, 0, text.len) : NULL;
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	VMT_AUTO_MODEL m = NULL;
	struct vmt_bytes other = { 0 };
	size_t i;
	int r;

	if (nul) {
		other = (struct vmt_bytes){ nul + 1, (size_t)(text.ptr + text.len - nul - 1) };
		text.len = (size_t)(nul - text.ptr);
	}
	s->host.page_size = PAGE;
	s->zones = vmt_arena_alloc(&s->arena, 1, sizeof(*s->zones));
	r = vmt_zone_rows_parse(text, PAGE, &s->arena, s->zones, err);
	if (r == 0)
		r = vmt_buddyinfo_parse(other, PAGE, &s->arena, s->zones, err);
	if (r < 0)
		return r;
	CHECK(vmt_model_build(s, NULL, NULL, &m, NULL) == 0);
	for (i = 0; i < m->n_zones; i++) {
		const struct vmt_zone_row *z = &m->zones[i];

		CHECK(!VMT_HAS(zone, reserve_bytes, z) || z->reserve_bytes <= z->managed_bytes);
		CHECK(!VMT_HAS(zone, distance_bytes, z) || z->distance_bytes <= z->free_bytes);
		CHECK(!VMT_HAS(zone, end, z) || z->end > z->start);
		CHECK(!VMT_HAS(zone, reached_ns, z));
	}
	for (i = 0; i < m->n_orders; i++) {
		const struct vmt_order *o = &m->orders[i];

		CHECK(!VMT_HAS(order, unusable_ratio, o) ||
		      (o->unusable_ratio >= 0 && o->unusable_ratio <= 1000));
		CHECK(!VMT_HAS(order, usable_bytes, o) || o->usable_bytes >= o->free_bytes);
		CHECK(!VMT_HAS(order, fragmentation_ratio, o) || o->fragmentation_ratio <= 1000);
	}
	return 0;
}

static int parse(unsigned choice, struct vmt_bytes text, struct vmt_err *err)
{
	struct vmt_zone_sample z = { 0 };
	struct vmt_node node = { 0 };
	struct vmt_arena arena;
	size_t i;
	int r;

	vmt_arena_init(&arena);
	if (choice == 1) {
		r = vmt_pagetypeinfo_parse(text, PAGE, &arena, &z, err);
		CHECK(r == 0 || z.n_types == 0);
		for (i = 0; i < z.n_types; i++)
			CHECK(!VMT_HAS(migrate, free_bytes, &z.types[i]) ||
			      z.types[i].free_bytes == z.types[i].free_at_least_bytes);
	} else if (choice == 2) {
		r = vmt_compaction_parse(text, &z, err);
	} else {
		r = vmt_node_meminfo_parse(text, &node, err);
	}
	vmt_arena_done(&arena);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 4;
	struct vmt_bytes text = fuzz_text(data, size);
	struct vmt_err err = { 0 };
	int r = choice == 0 ? derived(text, &err) : parse(choice, text, &err);

	CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r < 0)
		CHECK(err.line <= size);
	return 0;
}
