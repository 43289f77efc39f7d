/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/zone-sample.h"

#include <errno.h>

#include "model/model.h"

struct vmt_zone_row *vmt_zone_find(const struct vmt_zone_sample *z, uint64_t node,
				   struct vmt_bytes name)
{
	size_t i;

	for (i = 0; i < z->n_zones; i++)
		if (z->zones[i].node == node && vmt_bytes_equal(z->zones[i].zone, name))
			return &z->zones[i];
	return NULL;
}

/* fill_contig_page_info() of the kernel. */
struct contig {
	uint64_t pages; /* that are free */
	uint64_t blocks; /* of whatever size */
	uint64_t suitable; /* blocks of the order asked for that can be cut from these */
};

static bool count_contig(const uint64_t *blocks, size_t n, unsigned order, struct contig *c)
{
	size_t i;

	*c = (struct contig){ 0 };
	if (n > VMT_ORDERS_MAX)
		return false;
	for (i = 0; i < n; i++) {
		uint64_t pages, suitable;

		if (__builtin_mul_overflow(blocks[i], UINT64_C(1) << i, &pages) ||
		    __builtin_add_overflow(c->pages, pages, &c->pages) ||
		    __builtin_add_overflow(c->blocks, blocks[i], &c->blocks))
			return false;
		if (i < order)
			continue;
		suitable = blocks[i] << (i - order);
		c->suitable += suitable;
	}
	/* What follows multiplies by a thousand. */
	return c->pages < UINT64_MAX / 2000 && c->blocks < UINT64_MAX / 2000;
}

bool vmt_unusable_index(const uint64_t *blocks, size_t n, unsigned order, int64_t *ret)
{
	struct contig c;

	if (!count_contig(blocks, n, order, &c))
		return false;
	if (c.pages == 0)
		*ret = 1000;
	else
		*ret = (int64_t)((c.pages - (c.suitable << order)) * 1000 / c.pages);
	return true;
}

bool vmt_fragmentation_index(const uint64_t *blocks, size_t n, unsigned order, int64_t *ret)
{
	struct contig c;

	if (!count_contig(blocks, n, order, &c))
		return false;
	if (c.blocks == 0)
		*ret = 0;
	else if (c.suitable)
		*ret = -1000;
	else
		*ret = 1000 -
		       (int64_t)((1000 + c.pages * 1000 / (UINT64_C(1) << order)) / c.blocks);
	return true;
}

/* The orders of one zone, which are all that buddyinfo has of it, from 0 on. */
static void derive_orders(struct vmt_order *orders, size_t n)
{
	uint64_t blocks[VMT_ORDERS_MAX], usable = 0;
	size_t i;

	if (n > VMT_ORDERS_MAX)
		return;
	for (i = 0; i < n; i++)
		blocks[i] = orders[i].free_blocks;
	for (i = n; i-- > 0;) {
		struct vmt_order *o = &orders[i];
		int64_t index;

		if (__builtin_mul_overflow(o->free_blocks, o->block_bytes, &o->free_bytes) ||
		    __builtin_add_overflow(usable, o->free_bytes, &usable))
			return;
		VMT_SET(order, free_bytes, o, o->free_bytes);
		VMT_SET(order, usable_bytes, o, usable);
		if (vmt_unusable_index(blocks, n, (unsigned)i, &index))
			VMT_SET(order, unusable_ratio, o, index);
		if (vmt_fragmentation_index(blocks, n, (unsigned)i, &index))
			VMT_SET(order, fragmentation_ratio, o, index);
	}
}

static bool same_zone(const struct vmt_order *a, const struct vmt_order *b)
{
	return a->node == b->node && vmt_bytes_equal(a->zone, b->zone);
}

static int zone_orders(struct vmt_arena *arena, struct vmt_zone_row *z,
		       const struct vmt_order *orders, size_t n)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_bytes kept;
	size_t i;
	int r;

	if (!z || n == 0)
		return 0;
	for (i = 0; i < n; i++) {
		if (i)
			vmt_buf_addc(&text, ' ');
		vmt_buf_addu(&text, orders[i].free_blocks);
	}
	r = vmt_buf_error(&text);
	if (r == 0)
		r = vmt_bytes_keep(arena, (struct vmt_bytes){ text.data, text.len }, NULL, &kept);
	if (r < 0)
		return r;
	VMT_SET(zone, free_blocks, z, kept);
	if (VMT_HAS(order, usable_bytes, &orders[0]))
		VMT_SET(zone, buddy_bytes, z, orders[0].usable_bytes);
	for (i = n; i-- > 0;) {
		if (orders[i].free_blocks == 0)
			continue;
		VMT_SET(zone, largest_order, z, i);
		break;
	}
	return 0;
}

/* The watermark below free. zone_watermark_ok() of mm/page_alloc.c wants free above it. */
static void next_mark(struct vmt_zone_row *z)
{
	const struct {
		const char *name;
		uint64_t bytes;
		bool known;
	} marks[] = {
		{ "high", z->high_bytes, VMT_HAS(zone, high_bytes, z) },
		{ "low", z->low_bytes, VMT_HAS(zone, low_bytes, z) },
		{ "min", z->min_bytes, VMT_HAS(zone, min_bytes, z) },
	};
	size_t i;

	/* A zone without memory has watermarks for nothing. */
	if (!VMT_HAS(zone, free_bytes, z) || !VMT_HAS(zone, managed_bytes, z) ||
	    z->managed_bytes == 0)
		return;
	for (i = 0; i < VMT_ARRAY_LEN(marks); i++) {
		if (!marks[i].known)
			return;
		if (z->free_bytes <= marks[i].bytes)
			continue;
		VMT_SET(zone, next_mark, z, vmt_bytes_of(marks[i].name));
		VMT_SET(zone, distance_bytes, z, z->free_bytes - marks[i].bytes);
		return;
	}
	VMT_SET(zone, next_mark, z, VMT_BYTES("none"));
}

uint64_t vmt_zone_reserve(uint64_t managed, uint64_t high, uint64_t boost, uint64_t protection)
{
	uint64_t v = high > boost ? high - boost : 0;

	return __builtin_add_overflow(v, protection, &v) || v > managed ? managed : v;
}

static void reserve(struct vmt_zone_row *z)
{
	uint64_t boost = VMT_HAS(zone, boost_bytes, z) ? z->boost_bytes : 0;

	if (!VMT_HAS(zone, high_bytes, z) || !VMT_HAS(zone, protection_bytes, z) ||
	    !VMT_HAS(zone, managed_bytes, z))
		return;
	VMT_SET(zone, reserve_bytes, z,
		vmt_zone_reserve(z->managed_bytes, z->high_bytes, boost, z->protection_bytes));
}

static void zone_rates(struct vmt_zone_row *z, const struct vmt_zone_row *before, uint64_t dt_ns)
{
	__int128 rate;
	unsigned __int128 ns;

	if (!before || !VMT_HAS(zone, free_bytes, z) || !VMT_HAS(zone, free_bytes, before))
		return;
	rate = ((__int128)z->free_bytes - before->free_bytes) * 1000000000 / dt_ns;
	if (rate > INT64_MAX || rate < INT64_MIN)
		return;
	VMT_SET(zone, free_per_second_bytes, z, (int64_t)rate);
	if (z->free_bytes >= before->free_bytes || !VMT_HAS(zone, distance_bytes, z))
		return;
	ns = (unsigned __int128)z->distance_bytes * dt_ns / (before->free_bytes - z->free_bytes);
	if (ns <= UINT64_MAX)
		VMT_SET(zone, reached_ns, z, (uint64_t)ns);
}

static int derive_zones(struct vmt_model *m, const struct vmt_zone_sample *prev, uint64_t dt_ns)
{
	const struct vmt_zone_sample *z = m->sample->zones;
	size_t i, k;
	int r = 0;

	m->zones = vmt_arena_alloc(&m->arena, z->n_zones, sizeof(*m->zones));
	m->orders = vmt_arena_alloc(&m->arena, z->n_orders, sizeof(*m->orders));
	if (!m->zones || !m->orders)
		return -ENOMEM;
	m->n_zones = z->n_zones;
	m->n_orders = z->n_orders;
	if (z->n_zones)
		memcpy(m->zones, z->zones, z->n_zones * sizeof(*m->zones));
	if (z->n_orders)
		memcpy(m->orders, z->orders, z->n_orders * sizeof(*m->orders));
	for (i = 0; r == 0 && i < z->n_orders; i = k) {
		struct vmt_zone_row *of = vmt_zone_find(z, z->orders[i].node, z->orders[i].zone);

		for (k = i + 1; k < z->n_orders && same_zone(&z->orders[i], &z->orders[k]); k++)
			;
		derive_orders(&m->orders[i], k - i);
		r = zone_orders(&m->arena, of ? &m->zones[of - z->zones] : NULL, &m->orders[i],
				k - i);
	}
	if (r < 0)
		return r;
	for (i = 0; i < z->n_zones; i++) {
		next_mark(&m->zones[i]);
		reserve(&m->zones[i]);
		if (prev && dt_ns)
			zone_rates(&m->zones[i],
				   vmt_zone_find(prev, z->zones[i].node, z->zones[i].zone), dt_ns);
	}
	return 0;
}

#define ADD(member, to, from)                                                                      \
	do {                                                                                       \
		uint64_t sum_ = VMT_HAS(node, member, to) ? (to)->member : 0;                      \
		if (VMT_HAS(zone, member, from) &&                                                 \
		    !__builtin_add_overflow(sum_, (from)->member, &sum_))                          \
			VMT_SET(node, member, to, sum_);                                           \
		else                                                                               \
			known = false;                                                             \
	} while (0)

/* A sum of which a part is unknown is unknown. */
static void node_sums(struct vmt_node *n, const struct vmt_zone_sample *z)
{
	uint64_t zones = 0;
	bool known = true;
	size_t i;

	for (i = 0; i < z->n_zones; i++) {
		const struct vmt_zone_row *zone = &z->zones[i];

		if (zone->node != n->node)
			continue;
		zones += VMT_HAS(zone, present_bytes, zone) && zone->present_bytes > 0;
		ADD(present_bytes, n, zone);
		ADD(managed_bytes, n, zone);
		ADD(free_bytes, n, zone);
	}
	if (!known) {
		VMT_UNSET(node, present_bytes, n);
		VMT_UNSET(node, managed_bytes, n);
		VMT_UNSET(node, free_bytes, n);
		return;
	}
	VMT_SET(node, zones, n, zones);
}

static int derive_nodes(struct vmt_model *m)
{
	const struct vmt_zone_sample *z = m->sample->zones;
	size_t i;

	m->nodes = vmt_arena_alloc(&m->arena, z->n_nodes, sizeof(*m->nodes));
	if (!m->nodes)
		return -ENOMEM;
	m->n_nodes = z->n_nodes;
	for (i = 0; i < z->n_nodes; i++) {
		m->nodes[i] = z->nodes[i];
		node_sums(&m->nodes[i], z);
	}
	return 0;
}

#define RATE(rate, counter)                                                                        \
	do {                                                                                       \
		uint64_t milli_;                                                                   \
		if (VMT_HAS(compaction, counter, c) && VMT_HAS(compaction, counter, before) &&     \
		    vmt_rate_milli(c->counter, before->counter, dt_ns, &milli_))                   \
			VMT_SET(compaction, rate, c, milli_);                                      \
	} while (0)

static void compaction_rates(struct vmt_compaction *c, const struct vmt_compaction *before,
			     uint64_t dt_ns)
{
	RATE(stalls_per_second, stalls_total);
	RATE(success_per_second, success_total);
	RATE(fail_per_second, fail_total);
	RATE(isolated_per_second, isolated_pages);
	RATE(daemon_wakes_per_second, daemon_wakes_total);
	RATE(kswapd_runs_per_second, kswapd_runs_total);
}

/* What the kernel (kernel/resource.c, drivers) calls ranges of each class; by the beginning, but
 * for those with an end. */
static const char *class_of(struct vmt_bytes name)
{
	static const struct {
		const char *name;
		bool whole;
		const char *class;
	} names[] = {
		{ "System RAM", false, "ram" },
		{ "Kernel code", true, "kernel" },
		{ "Kernel rodata", true, "kernel" },
		{ "Kernel data", true, "kernel" },
		{ "Kernel bss", true, "kernel" },
		{ "Crash kernel", false, "crash" },
		{ "Persistent Memory", false, "device" },
		{ "Soft Reserved", true, "device" },
		{ "CXL Window", false, "device" },
		{ "dax", false, "device" },
		{ "namespace", false, "device" },
		{ "Reserved", true, "reserved" },
		{ "reserved", true, "reserved" },
		{ "RAM buffer", true, "reserved" },
		{ "ACPI ", false, "firmware" },
		{ "System ROM", true, "rom" },
		{ "Video ROM", true, "rom" },
		{ "Adapter ROM", true, "rom" },
		{ "Extension ROM", true, "rom" },
		{ "Unusable memory", true, "unusable" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(names); i++)
		if (names[i].whole ? vmt_bytes_is(name, names[i].name)
				   : vmt_bytes_starts(name, names[i].name))
			return names[i].class;
	return "io";
}

/* Places in the list of those ranges that the last one lies in. Resources of real machines are a
 * handful deep; what is deeper counts as beside its parent. */
#define DEPTH_MAX 32

/* Depth, class, and what of each is not covered by those in it. */
static void derive_regions(struct vmt_region *r, size_t n)
{
	size_t open[DEPTH_MAX], depth = 0, i;

	for (i = 0; i < n; i++) {
		while (depth > 0 && (r[i].start < r[open[depth - 1]].start ||
				     r[i].last > r[open[depth - 1]].last))
			depth--;
		VMT_SET(region, level, &r[i], depth);
		VMT_SET(region, class, &r[i], vmt_bytes_of(class_of(r[i].name)));
		/* The whole of the address space is no size that fits. */
		if (r[i].last < r[i].start || r[i].last - r[i].start == UINT64_MAX)
			continue;
		VMT_SET(region, size_bytes, &r[i], r[i].last - r[i].start + 1);
		VMT_SET(region, own_bytes, &r[i], r[i].size_bytes);
		if (depth > 0) {
			struct vmt_region *in = &r[open[depth - 1]];

			/* Ranges beside each other may not overlap; where they do, nothing is known
			 * of what is left. */
			if (VMT_HAS(region, own_bytes, in) && in->own_bytes >= r[i].size_bytes)
				in->own_bytes -= r[i].size_bytes;
			else
				VMT_UNSET(region, own_bytes, in);
		}
		if (depth < DEPTH_MAX)
			open[depth++] = i;
	}
}

static int region_sums(struct vmt_model *m)
{
	static const char *const classes[] = { "ram",	 "kernel",   "crash",
					       "device", "reserved", "firmware",
					       "rom",	 "unusable", "io" };
	size_t i, k;

	m->region_sums =
		vmt_arena_alloc(&m->arena, VMT_ARRAY_LEN(classes), sizeof(*m->region_sums));
	if (!m->region_sums)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(classes) && m->n_regions; i++) {
		struct vmt_region_sum *sum = &m->region_sums[m->n_region_sums];
		uint64_t ranges = 0, bytes = 0;
		bool known = true;

		for (k = 0; k < m->n_regions; k++) {
			const struct vmt_region *r = &m->regions[k];

			if (!vmt_bytes_is(r->class, classes[i]))
				continue;
			ranges++;
			known &= VMT_HAS(region, own_bytes, r) &&
				 !__builtin_add_overflow(bytes, r->own_bytes, &bytes);
		}
		if (!ranges)
			continue;
		VMT_SET(region_sum, class, sum, vmt_bytes_of(classes[i]));
		VMT_SET(region_sum, ranges, sum, ranges);
		if (known)
			VMT_SET(region_sum, own_bytes, sum, bytes);
		m->n_region_sums++;
	}
	return 0;
}

int vmt_model_zones(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns)
{
	const struct vmt_zone_sample *z = m->sample->zones, *before = prev ? prev->zones : NULL;
	int r;

	if (!z)
		return 0;
	r = derive_zones(m, before, dt_ns);
	if (r == 0)
		r = derive_nodes(m);
	if (r < 0)
		return r;
	m->compaction = z->compaction;
	if (before && dt_ns)
		compaction_rates(&m->compaction, &before->compaction, dt_ns);
	m->migrate = z->types;
	m->n_migrate = z->n_types;
	m->cpu_lists = z->cpu_lists;
	m->n_cpu_lists = z->n_cpu_lists;
	m->regions = vmt_arena_alloc(&m->arena, z->n_regions, sizeof(*m->regions));
	if (!m->regions)
		return -ENOMEM;
	m->n_regions = z->n_regions;
	if (z->n_regions)
		memcpy(m->regions, z->regions, z->n_regions * sizeof(*m->regions));
	derive_regions(m->regions, m->n_regions);
	return region_sums(m);
}
