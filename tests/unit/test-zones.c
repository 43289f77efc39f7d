/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "model/model.h"
#include "model/sample.h"
#include "source/machine.h"
#include "source/zones.h"

#define PAGE UINT64_C(4096)

/* As Linux 5.10 prints it (no boost, no cma without CONFIG_CMA, two processors), shortened; a node
 * without memory of its own follows, and a zone with a key that no kernel has yet. */
static const char older[] = "Node 0, zone      DMA\n"
			    "  per-node stats\n"
			    "      nr_inactive_anon 1580\n"
			    "      free 77\n"
			    "  pages free     3945\n"
			    "        min      178\n"
			    "        low      222\n"
			    "        high     266\n"
			    "        spanned  4095\n"
			    "        present  3998\n"
			    "        managed  3977\n"
			    "        protection: (0, 949, 949)\n"
			    "      nr_free_pages 3945\n"
			    "  pagesets\n"
			    "    cpu: 0\n"
			    "              count: 299\n"
			    "              high:  378\n"
			    "              batch: 63\n"
			    "  vm stats threshold: 4\n"
			    "    cpu: 1\n"
			    "              count: 1\n"
			    "              high:  378\n"
			    "              batch: 63\n"
			    "  node_unreclaimable:  0\n"
			    "  start_pfn:           1\n"
			    "Node 0, zone  Movable\n"
			    "  pages free     0\n"
			    "        min      32\n"
			    "        low      32\n"
			    "        high     32\n"
			    "        spanned  0\n"
			    "        present  0\n"
			    "        managed  0\n"
			    "        protection: (0, 0, 0)\n"
			    "Node 2, zone   Normal\n"
			    "  pages free     5\n"
			    "        boost    3\n"
			    "        min      10\n"
			    "        low      20\n"
			    "        high     30\n"
			    "        tomorrow 12 apples\n"
			    "        promo    40\n"
			    "        spanned  4096\n"
			    "        present  4096\n"
			    "        managed  4000\n"
			    "        cma      64\n"
			    "        protection: (0)\n"
			    "  start_pfn:           1048576\n";

struct parsed {
	struct vmt_arena arena;
	struct vmt_zone_sample z;
	struct vmt_err err;
};

static int parse_zones(struct parsed *p, const char *text)
{
	*p = (struct parsed){ 0 };
	vmt_arena_init(&p->arena);
	return vmt_zone_rows_parse(vmt_bytes_of(text), PAGE, &p->arena, &p->z, &p->err);
}

static void test_zoneinfo(void **state)
{
	const struct vmt_zone_row *z;
	struct parsed p;

	assert_int_equal(parse_zones(&p, older), 0);
	assert_int_equal(p.z.n_zones, 3);
	assert_int_equal(p.z.n_nodes, 2);
	z = &p.z.zones[0];
	assert_field(zone, node, z, 0);
	assert_text(zone, zone, z, "DMA");
	/* Not the one of the node's statistics. */
	assert_field(zone, free_bytes, z, 3945 * PAGE);
	assert_field(zone, min_bytes, z, 178 * PAGE);
	assert_field(zone, high_bytes, z, 266 * PAGE);
	assert_unknown(zone, boost_bytes, z);
	assert_unknown(zone, cma_bytes, z);
	assert_field(zone, protection_bytes, z, 949 * PAGE);
	assert_text(zone, protection_list, z, "0, 949, 949");
	assert_field(zone, start, z, PAGE);
	assert_field(zone, end, z, 4096 * PAGE);
	assert_field(zone, pcp_bytes, z, 300 * PAGE);
	assert_field(zone, pcp_high_bytes, z, 756 * PAGE);
	assert_int_equal(p.z.n_cpu_lists, 2);
	assert_field(cpu_list, cpu, &p.z.cpu_lists[1], 1);
	assert_field(cpu_list, held_bytes, &p.z.cpu_lists[1], PAGE);
	assert_field(cpu_list, batch_bytes, &p.z.cpu_lists[1], 63 * PAGE);
	assert_unknown(cpu_list, high_min_bytes, &p.z.cpu_lists[1]);
	z = &p.z.zones[1];
	assert_field(zone, present_bytes, z, 0);
	assert_unknown(zone, start, z);
	assert_unknown(zone, end, z);
	assert_unknown(zone, pcp_bytes, z);
	z = &p.z.zones[2];
	assert_field(zone, node, z, 2);
	assert_field(zone, boost_bytes, z, 3 * PAGE);
	assert_field(zone, promo_bytes, z, 40 * PAGE);
	assert_field(zone, cma_bytes, z, 64 * PAGE);
	assert_field(zone, start, z, UINT64_C(1048576) * PAGE);
	assert_field(node, node, &p.z.nodes[1], 2);
	vmt_arena_done(&p.arena);
}

/* The sums of the rows are those that the parser without rows makes of the same text. */
static void test_sums_are_those_of_zoneinfo(void **state)
{
	static const char large[] = "Node 0, zone DMA\n  pages free 1\n  low 3000000000000000\n"
				    "  high 1\n  managed 1\n  protection: (0)\n"
				    "Node 0, zone Normal\n  pages free 1\n  low 3000000000000000\n"
				    "  high 1\n  managed 1\n  protection: (0)\n";
	static const char *const texts[] = {
		older,
		large,
		"Node 0, zone DMA\n  pages free 1\n",
		"Node 0, zone DMA\n  managed 1\n  high 1\n  protection: (0)\n",
		"Node 0, zone DMA\n  managed 1\n  low 1\n  protection: (0)\n",
		"Node 0, zone DMA\n  managed 1\n  low 1\n  high 1\n",
	};
	struct parsed p;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		struct vmt_system a = { 0 }, b = { 0 };
		int r = vmt_zoneinfo_parse(vmt_bytes_of(texts[i]), PAGE, &a, NULL);

		assert_int_equal(parse_zones(&p, texts[i]), 0);
		assert_int_equal(vmt_zones_sum(&p.z, &b, NULL), r);
		assert_int_equal(r, i == 1 ? -ERANGE : 0);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(VMT_HAS(system, reserve_bytes, &b), i == 0);
		vmt_arena_done(&p.arena);
	}
}

static void test_malformed_zones_have_a_line(void **state)
{
	static const struct {
		const char *text;
		int error;
		unsigned line;
	} cases[] = {
		{ "Node 0, zone\n", -EINVAL, 1 },
		{ "Node x, zone DMA\n", -EINVAL, 1 },
		{ "Node 0, zone DMA and more\n", -EINVAL, 1 },
		{ "Node 99999999999999999999, zone DMA\n", -ERANGE, 1 },
		{ "pages free 1\n", -EINVAL, 1 },
		{ "Node 0, zone DMA\n  pages free\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n  pages free 1 2\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n  pages free 18446744073709551616\n", -ERANGE, 2 },
		{ "Node 0, zone DMA\n  pages free 18446744073709551615\n", -ERANGE, 2 },
		{ "Node 0, zone DMA\n\tlow -1\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: 0, 1)\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: (0, 1\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: ()\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: (0) 1\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: (4503599627370496)\n", -ERANGE, 2 },
		{ "Node 0, zone DMA\n cpu: one\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n cpu: 1\n count: \n", -EINVAL, 3 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct parsed p;

		assert_int_equal(parse_zones(&p, cases[i].text), cases[i].error);
		assert_int_equal(p.err.line, cases[i].line);
		assert_int_equal(p.z.n_zones, 0);
		vmt_arena_done(&p.arena);
	}
}

/* What stands behind "pages" is a key of the zone, and begins no list of a processor: room was made
 * for as many lists as there are lines that begin so. */
static void test_a_list_begins_its_line(void **state)
{
	struct parsed p;

	assert_int_equal(parse_zones(&p, "Node 0, zone DMA\n"
					 "  pages cpu: 1\n"
					 "        free 3\n"
					 "    cpu: 5\n"
					 "              count:    2\n"
					 "  per-node stats\n"
					 "    cpu: 6\n"
					 "  pages cpu: 2\n"
					 "  pages cpu: 3\n"),
			 0);
	assert_int_equal(p.z.n_zones, 1);
	assert_int_equal(p.z.n_cpu_lists, 1);
	assert_int_equal(p.z.cpu_lists[0].cpu, 5);
	assert_int_equal(p.z.zones[0].pcp_bytes, 2 * PAGE);
	vmt_arena_done(&p.arena);
}

/* Sums that do not fit are no sums. */
static void test_zone_sums_overflow(void **state)
{
	struct parsed p;

	assert_int_equal(parse_zones(&p, "Node 0, zone DMA\n spanned 4503599627370495\n"
					 " start_pfn: 4503599627370495\n"),
			 -ERANGE);
	vmt_arena_done(&p.arena);
	assert_int_equal(parse_zones(&p, "Node 0, zone DMA\n cpu: 0\n count: 4503599627370495\n"
					 " cpu: 1\n count: 4503599627370495\n"),
			 -ERANGE);
	vmt_arena_done(&p.arena);
	assert_int_equal(parse_zones(&p, ""), 0);
	assert_int_equal(p.z.n_zones, 0);
	vmt_arena_done(&p.arena);
}

static int parse_buddy(struct parsed *p, const char *text)
{
	*p = (struct parsed){ 0 };
	vmt_arena_init(&p->arena);
	return vmt_buddyinfo_parse(vmt_bytes_of(text), PAGE, &p->arena, &p->z, &p->err);
}

static void test_buddyinfo(void **state)
{
	struct parsed p;

	assert_int_equal(parse_buddy(&p, "Node 0, zone      DMA      1      0      3 \n"
					 "Node 1, zone   Normal 200000000 7 \n"),
			 0);
	assert_int_equal(p.z.n_orders, 5);
	assert_field(order, node, &p.z.orders[2], 0);
	assert_field(order, order, &p.z.orders[2], 2);
	assert_field(order, block_bytes, &p.z.orders[2], 4 * PAGE);
	assert_field(order, free_blocks, &p.z.orders[2], 3);
	assert_text(order, zone, &p.z.orders[3], "Normal");
	assert_field(order, free_blocks, &p.z.orders[3], 200000000);
	assert_field(order, order, &p.z.orders[4], 1);
	vmt_arena_done(&p.arena);
}

static void test_malformed_buddyinfo_has_a_line(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "Node 0, zone DMA 1\nNode 0, zone DMA\n", -EINVAL },
		{ "Node 0, zone DMA 1\nNode 0, zone DMA 1 x\n", -EINVAL },
		{ "Node 0, zone DMA 1\nNode 0, zone DMA 1 2x\n", -EINVAL },
		{ "Node 0, zone DMA 1\nNode 0, zone DMA >100000\n", -EINVAL },
		{ "Node 0, zone DMA 1\nNode 0 zone DMA 1\n", -EINVAL },
		{ "Node 0, zone DMA 1\n\n", -EINVAL },
		{ "Node 0, zone DMA 1\nNode 0, zone DMA 99999999999999999999\n", -ERANGE },
		{ "Node 0, zone DMA 1\nNode 0, zone DMA 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
		  "1 1 1 1 1 1 1 1 1 1 1 1 1\n",
		  -EINVAL },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct parsed p;

		assert_int_equal(parse_buddy(&p, cases[i].text), cases[i].error);
		assert_int_equal(p.err.line, 2);
		assert_int_equal(p.z.n_orders, 0);
		vmt_arena_done(&p.arena);
	}
}

static const char types[] = "Page block order: 9\n"
			    "Pages per block:  512\n"
			    "\n"
			    "Free pages count per migrate type at order       0      1      2 \n"
			    "Node    0, zone   Normal, type    Unmovable      1      0      2 \n"
			    "Node    0, zone   Normal, type      Movable >100000      0      0 \n"
			    "Node    0, zone   Normal, type      Isolate      0      0      0 \n"
			    "\n"
			    "Number of blocks type     Unmovable      Movable      Isolate \n"
			    "Node 0, zone   Normal          267         6007            0 \n"
			    "\n"
			    "Number of mixed blocks     Unmovable      Movable      Isolate \n"
			    "Node 0, zone   Normal            3           40            0 \n"
			    "Page block order: 9\n"
			    "Pages per block:  512\n"
			    "\n"
			    "Free pages count per migrate type at order       0      1      2 \n"
			    "Node    1, zone   Normal, type          CMA      0      1      0 \n"
			    "\n"
			    "Number of blocks type           CMA \n"
			    "Node 1, zone   Normal            8 \n";

static void test_pagetypeinfo(void **state)
{
	struct vmt_zone_sample z = { 0 };
	const struct vmt_migrate *t;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_pagetypeinfo_parse(vmt_bytes_of(types), PAGE, &arena, &z, NULL), 0);
	assert_int_equal(z.n_types, 4);
	t = &z.types[0];
	assert_text(migrate, type, t, "Unmovable");
	assert_field(migrate, blocks, t, 267);
	assert_field(migrate, blocks_bytes, t, 267 * 512 * PAGE);
	assert_field(migrate, mixed_blocks, t, 3);
	assert_field(migrate, free_bytes, t, 9 * PAGE);
	assert_field(migrate, largest_order, t, 2);
	assert_text(migrate, free_blocks, t, "1 0 2");
	/* The kernel stopped: what there is, is not known. */
	t = &z.types[1];
	assert_unknown(migrate, free_bytes, t);
	assert_field(migrate, free_at_least_bytes, t, 100000 * PAGE);
	assert_text(migrate, free_blocks, t, ">100000 0 0");
	t = &z.types[2];
	assert_field(migrate, free_bytes, t, 0);
	assert_unknown(migrate, largest_order, t);
	t = &z.types[3];
	assert_field(migrate, node, t, 1);
	assert_field(migrate, blocks, t, 8);
	assert_unknown(migrate, mixed_blocks, t);
	vmt_arena_done(&arena);
}

static void test_malformed_pagetypeinfo(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "Node 0, zone Normal, type Movable 1\n", -EINVAL },
		{ "Free pages count\nNode 0, zone Normal, type Movable\n", -EINVAL },
		{ "Free pages count\nNode 0, zone Normal 1\n", -EINVAL },
		{ "Free pages count\nNode 0, zone Normal, type Movable >\n", -EINVAL },
		{ "Pages per block: many\n", -EINVAL },
		{ "Pages per block: 18446744073709551615\n", -ERANGE },
		{ "Number of blocks type A\nNode 0, zone Normal 1 2\n", -EINVAL },
		{ "Number of blocks type A\nNode 0, zone Normal x\n", -EINVAL },
		{ "Number of blocks type A\nNode x, zone Normal 1\n", -EINVAL },
		{ "Free pages count\nNode x, zone Normal, type Movable 1\n", -EINVAL },
		{ "Free pages count\nNode 0, zone Normal, type \n", -EINVAL },
		/* Bytes of one order, and of two together; blocks. */
		{ "Free pages count\nNode 0, zone A, type B 4503599627370495 1\n", -ERANGE },
		{ "Pages per block: 4503599627370495\nFree pages count\n"
		  "Node 0, zone A, type B 1\nNumber of blocks type B\nNode 0, zone A 2\n",
		  -ERANGE },
		{ "Free pages count\nNode 0, zone Normal, type Movable 4503599627370496\n",
		  -ERANGE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_zone_sample z = { 0 };
		struct vmt_arena arena;

		vmt_arena_init(&arena);
		assert_int_equal(
			vmt_pagetypeinfo_parse(vmt_bytes_of(cases[i].text), PAGE, &arena, &z, NULL),
			cases[i].error);
		assert_int_equal(z.n_types, 0);
		vmt_arena_done(&arena);
	}
}

static void test_compaction(void **state)
{
	struct vmt_zone_sample z = { 0 };

	assert_int_equal(vmt_compaction_parse(VMT_BYTES("nr_free_pages 4\npageoutrun 9\n"
							"compact_stall 3\ncompact_fail 1\n"),
					      &z, NULL),
			 0);
	assert_field(compaction, stalls_total, &z.compaction, 3);
	assert_field(compaction, fail_total, &z.compaction, 1);
	assert_field(compaction, kswapd_runs_total, &z.compaction, 9);
	/* A key that the kernel lacks. */
	assert_unknown(compaction, success_total, &z.compaction);
	assert_int_equal(vmt_compaction_parse(VMT_BYTES("compact_stall three\n"), &z, NULL),
			 -EINVAL);
}

static void test_node_meminfo(void **state)
{
	struct vmt_node n = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_node_meminfo_parse(VMT_BYTES("Node 1 MemTotal:       1000 kB\n"
							  "Node 1 MemUsed:         10 kB\n"
							  "Node 1 Tomorrow:         1 apple\n"
							  "Node 1 Slab:             2 kB\n"),
						&n, &err),
			 0);
	assert_field(node, total_bytes, &n, 1000 * 1024);
	assert_field(node, used_bytes, &n, 10 * 1024);
	assert_field(node, slab_bytes, &n, 2 * 1024);
	assert_unknown(node, anon_bytes, &n);
	assert_int_equal(vmt_node_meminfo_parse(
				 VMT_BYTES("Node 1 MemTotal: 9 kB\nMemTotal: 1 kB\n"), &n, &err),
			 -EINVAL);
	assert_int_equal(err.line, 2);
	/* As it was. */
	assert_field(node, total_bytes, &n, 1000 * 1024);
	assert_int_equal(vmt_node_meminfo_parse(VMT_BYTES("Node 1 MemTotal: 9 MB\n"), &n, &err),
			 -EINVAL);
}

/* Worked out by hand from the two functions of mm/vmstat.c. */
static void test_indices(void **state)
{
	/* 7 + 2*2 + 0 + 8 = 19 pages in 10 blocks. */
	static const uint64_t some[] = { 7, 2, 0, 1, 0 };
	static const uint64_t none[5] = { 0 };
	static const uint64_t one[] = { 0, 0, 1 };
	static const uint64_t many[] = { 1000, 0, 0, 0 };
	int64_t v = 0;

	assert_true(vmt_unusable_index(some, 5, 0, &v));
	assert_int_equal(v, 0);
	/* 12 of 19 are in blocks of two or more: 7000 / 19. */
	assert_true(vmt_unusable_index(some, 5, 1, &v));
	assert_int_equal(v, 368);
	/* 8 of 19: 11000 / 19. */
	assert_true(vmt_unusable_index(some, 5, 2, &v));
	assert_int_equal(v, 578);
	assert_true(vmt_unusable_index(some, 5, 4, &v));
	assert_int_equal(v, 1000);
	assert_true(vmt_unusable_index(none, 5, 0, &v));
	assert_int_equal(v, 1000);

	assert_true(vmt_fragmentation_index(some, 5, 3, &v));
	assert_int_equal(v, -1000);
	/* 1000 - (1000 + 19000 / 16) / 10 */
	assert_true(vmt_fragmentation_index(some, 5, 4, &v));
	assert_int_equal(v, 1000 - 218);
	assert_true(vmt_fragmentation_index(none, 5, 4, &v));
	assert_int_equal(v, 0);
	/* One block of half the size: 1000 - (1000 + 500) / 1. */
	assert_true(vmt_fragmentation_index(one, 3, 3, &v));
	assert_int_equal(v, -500);
	/* 1000 - (1000 + 125000) / 1000 */
	assert_true(vmt_fragmentation_index(many, 4, 3, &v));
	assert_int_equal(v, 874);
}

static void test_indices_do_not_overflow(void **state)
{
	static const uint64_t huge[] = { 0, UINT64_MAX };
	static const uint64_t large[] = { UINT64_MAX / 1000, 0 };
	int64_t v = 42;

	assert_false(vmt_unusable_index(huge, 2, 0, &v));
	assert_false(vmt_fragmentation_index(huge, 2, 1, &v));
	assert_false(vmt_unusable_index(large, 2, 1, &v));
	assert_false(vmt_unusable_index(large, VMT_ORDERS_MAX + 1, 1, &v));
	assert_int_equal(v, 42);
}

/* A sample of what was parsed, at a time. */
static struct vmt_sample *sample(const char *zoneinfo, const char *buddyinfo, uint64_t ns)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->host.monotonic_ns = ns;
	s->host.page_size = PAGE;
	s->zones = vmt_arena_alloc(&s->arena, 1, sizeof(*s->zones));
	assert_int_equal(
		vmt_zone_rows_parse(vmt_bytes_of(zoneinfo), PAGE, &s->arena, s->zones, NULL), 0);
	assert_int_equal(
		vmt_buddyinfo_parse(vmt_bytes_of(buddyinfo), PAGE, &s->arena, s->zones, NULL), 0);
	return s;
}

static void test_next_mark_and_reserve(void **state)
{
	VMT_AUTO_SAMPLE s = sample(older, "Node 0, zone DMA 1 2 0\n", 1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_int_equal(m->n_zones, 3);
	assert_text(zone, next_mark, &m->zones[0], "high");
	assert_field(zone, distance_bytes, &m->zones[0], (3945 - 266) * PAGE);
	assert_field(zone, reserve_bytes, &m->zones[0], (949 + 266) * PAGE);
	assert_text(zone, free_blocks, &m->zones[0], "1 2 0");
	assert_field(zone, buddy_bytes, &m->zones[0], 5 * PAGE);
	assert_field(zone, largest_order, &m->zones[0], 1);
	/* Nothing to fall. */
	assert_unknown(zone, next_mark, &m->zones[1]);
	assert_unknown(zone, distance_bytes, &m->zones[1]);
	assert_unknown(zone, free_blocks, &m->zones[1]);
	/* Below min there is no other. */
	assert_text(zone, next_mark, &m->zones[2], "none");
	assert_unknown(zone, distance_bytes, &m->zones[2]);
	/* high without what was added to it */
	assert_field(zone, reserve_bytes, &m->zones[2], 27 * PAGE);
	/* Without an earlier sample there is no rate. */
	assert_unknown(zone, free_per_second_bytes, &m->zones[0]);
	assert_unknown(zone, reached_ns, &m->zones[0]);
	assert_int_equal(m->n_nodes, 2);
	assert_field(node, zones, &m->nodes[0], 1);
	assert_field(node, managed_bytes, &m->nodes[0], 3977 * PAGE);
	assert_unknown(node, cpus, &m->nodes[0]);
	assert_int_equal(m->n_orders, 3);
	assert_field(order, usable_bytes, &m->orders[1], 4 * PAGE);
	assert_field(order, unusable_ratio, &m->orders[1], 200);
	assert_field(order, fragmentation_ratio, &m->orders[0], -1000);
	assert_field(order, fragmentation_ratio, &m->orders[2], 1000 - (1000 + 1250) / 3);
}

#define ZONE(free)                                                                                 \
	"Node 0, zone Normal\n pages free " free "\n min 10\n low 20\n high 30\n managed 1000\n"

static void test_time_to_the_watermark(void **state)
{
	static const struct {
		const char *before, *now;
		const char *mark;
		int64_t rate; /* pages a second */
		uint64_t ns; /* 0: unknown */
	} cases[] = {
		/* 100 pages in two seconds, 70 to go. */
		{ ZONE("200"), ZONE("100"), "high", -50, 1400000000 },
		{ ZONE("50"), ZONE("25"), "low", -12, 400000000 },
		{ ZONE("100"), ZONE("200"), "high", 50, 0 },
		{ ZONE("100"), ZONE("100"), "high", 0, 0 },
		/* It is there. */
		{ ZONE("40"), ZONE("30"), "low", -5, 2000000000 },
		{ ZONE("40"), ZONE("10"), "none", -15, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE before = sample(cases[i].before, "", 1000000000);
		VMT_AUTO_SAMPLE now = sample(cases[i].now, "", 3000000000);
		VMT_AUTO_MODEL m = NULL;
		const struct vmt_zone_row *z;

		assert_int_equal(vmt_model_build(now, before, NULL, &m, NULL), 0);
		z = &m->zones[0];
		assert_text(zone, next_mark, z, cases[i].mark);
		assert_true(VMT_HAS(zone, free_per_second_bytes, z));
		assert_int_equal(z->free_per_second_bytes / (int64_t)PAGE, cases[i].rate);
		if (cases[i].ns)
			assert_field(zone, reached_ns, z, cases[i].ns);
		else
			assert_unknown(zone, reached_ns, z);
	}
}

/* Of what is unknown, nothing follows. */
static void test_unknown_stays_unknown(void **state)
{
	VMT_AUTO_SAMPLE s =
		sample("Node 0, zone Normal\n pages free 5\n managed 9\n min 1\n", "", 1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_unknown(zone, next_mark, &m->zones[0]);
	assert_unknown(zone, reserve_bytes, &m->zones[0]);
	assert_unknown(zone, present_bytes, &m->zones[0]);
	assert_unknown(node, present_bytes, &m->nodes[0]);
	assert_unknown(node, free_bytes, &m->nodes[0]);
}

static void test_regions(void **state)
{
	static const struct {
		uint64_t start, last;
		const char *name, *class;
		unsigned depth;
		uint64_t own;
	} rows[] = {
		{ 0x0, 0xfff, "Reserved", "reserved", 0, 0x1000 },
		{ 0x1000, 0xffff, "System RAM", "ram", 0, 0xf000 - 0x3000 },
		{ 0x2000, 0x3fff, "Kernel code", "kernel", 1, 0x2000 },
		{ 0x4000, 0x4fff, "Kernel bss", "kernel", 1, 0x1000 },
		{ 0x10000, 0x1ffff, "PCI Bus 0000:00", "io", 0, 0 },
		{ 0x10000, 0x1ffff, "0000:00:01.0", "io", 1, 0x10000 - 0x1000 },
		{ 0x11000, 0x11fff, "nvme", "io", 2, 0x1000 },
		{ 0x20000, 0x2ffff, "Persistent Memory", "device", 0, 0x10000 },
		{ 0x30000, 0x30fff, "ACPI Tables", "firmware", 0, 0x1000 },
	};
	VMT_AUTO_SAMPLE s = sample("", "", 1);
	VMT_AUTO_MODEL m = NULL;
	size_t i;

	s->zones->regions =
		vmt_arena_alloc(&s->arena, VMT_ARRAY_LEN(rows), sizeof(*s->zones->regions));
	s->zones->n_regions = VMT_ARRAY_LEN(rows);
	for (i = 0; i < VMT_ARRAY_LEN(rows); i++) {
		VMT_SET(region, start, &s->zones->regions[i], rows[i].start);
		VMT_SET(region, last, &s->zones->regions[i], rows[i].last);
		VMT_SET(region, name, &s->zones->regions[i], vmt_bytes_of(rows[i].name));
	}
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_int_equal(m->n_regions, VMT_ARRAY_LEN(rows));
	for (i = 0; i < VMT_ARRAY_LEN(rows); i++) {
		assert_text(region, class, &m->regions[i], rows[i].class);
		assert_field(region, level, &m->regions[i], rows[i].depth);
		assert_field(region, own_bytes, &m->regions[i], rows[i].own);
		assert_field(region, size_bytes, &m->regions[i], rows[i].last - rows[i].start + 1);
	}
	assert_int_equal(m->n_region_sums, 6);
	assert_text(region_sum, class, &m->region_sums[1], "kernel");
	assert_field(region_sum, ranges, &m->region_sums[1], 2);
	assert_field(region_sum, own_bytes, &m->region_sums[1], 0x3000);
	assert_text(region_sum, class, &m->region_sums[5], "io");
	assert_field(region_sum, own_bytes, &m->region_sums[5], 0x10000);
}

/* All of the address space, and ranges that overlap: sizes that are not known. */
static void test_regions_that_do_not_fit(void **state)
{
	VMT_AUTO_SAMPLE s = sample("", "", 1);
	VMT_AUTO_MODEL m = NULL;
	static const uint64_t ends[][2] = {
		{ 0, UINT64_MAX },  { 0x1000, 0x1fff }, { 0x3000, 0x2fff },
		{ 0x5000, 0x5fff }, { 0x5000, 0x57ff }, { 0x5400, 0x5fff },
	};
	size_t i;

	s->zones->regions = vmt_arena_alloc(&s->arena, 6, sizeof(*s->zones->regions));
	s->zones->n_regions = 6;
	for (i = 0; i < 6; i++) {
		VMT_SET(region, start, &s->zones->regions[i], ends[i][0]);
		VMT_SET(region, last, &s->zones->regions[i], ends[i][1]);
		VMT_SET(region, name, &s->zones->regions[i], VMT_BYTES("x"));
	}
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_unknown(region, size_bytes, &m->regions[0]);
	assert_unknown(region, own_bytes, &m->regions[0]);
	assert_field(region, own_bytes, &m->regions[1], 0x1000);
	assert_unknown(region, size_bytes, &m->regions[2]);
	assert_unknown(region, own_bytes, &m->regions[3]);
	assert_unknown(region_sum, own_bytes, &m->region_sums[0]);
}

static int build_all(void *arg)
{
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_model *m = NULL;
	int r;

	if (!s)
		return -ENOMEM;
	s->host.page_size = PAGE;
	s->zones = vmt_arena_alloc(&s->arena, 1, sizeof(*s->zones));
	r = s->zones ? 0 : -ENOMEM;
	if (r == 0)
		r = vmt_zone_rows_parse(vmt_bytes_of(older), PAGE, &s->arena, s->zones, NULL);
	if (r == 0)
		r = vmt_buddyinfo_parse(VMT_BYTES("Node 0, zone DMA 1 2 0\n"), PAGE, &s->arena,
					s->zones, NULL);
	if (r == 0)
		r = vmt_pagetypeinfo_parse(vmt_bytes_of(types), PAGE, &s->arena, s->zones, NULL);
	if (r == 0)
		r = vmt_model_build(s, NULL, NULL, &m, NULL);
	vmt_model_free(m);
	vmt_sample_free(s);
	return r;
}

static void test_out_of_memory(void **state)
{
	assert_true(unit_piece_sweep(build_all, NULL) > 5);
}

/* Lists of processors that no number holds together, and a zone that ends nowhere. */
static void test_malformed_sums(void **state)
{
	static const char *const bad[] = {
		"Node 0, zone A\n cpu: 0\n count: 4503599627370495\n cpu: 1\n count: 1\n",
		"Node 0, zone A\n cpu: 0\n high: 4503599627370495\n cpu: 1\n high: 1\n",
		"Node 0, zone A\n spanned 4503599627370495\n start_pfn: 1\n",
	};
	struct parsed p;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		assert_int_equal(parse_zones(&p, bad[i]), -ERANGE);
		assert_int_equal(p.z.n_zones, 0);
		vmt_arena_done(&p.arena);
	}
	/* A processor that says one figure of its list, and a zone that says where it begins and
	 * not how large it is. */
	assert_int_equal(parse_zones(&p, "\nNode 0, zone A\n cpu: 0\n high: 2\n start_pfn: 7\n"),
			 0);
	assert_unknown(zone, pcp_bytes, &p.z.zones[0]);
	assert_field(zone, pcp_high_bytes, &p.z.zones[0], 2 * PAGE);
	assert_unknown(zone, start, &p.z.zones[0]);
	assert_unknown(zone, end, &p.z.zones[0]);
	vmt_arena_done(&p.arena);
}

static void test_malformed_node_meminfo(void **state)
{
	static const char *const bad[] = { "Nod 1 MemTotal: 9 kB\n", "Node x MemTotal: 9 kB\n",
					   "Node 1MemTotal: 9 kB\n", "Node 1 MemTotal 9 kB\n",
					   "Node 1\n" };
	struct vmt_node n = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_node_meminfo_parse(vmt_bytes_of(bad[i]), &n, &err), -EINVAL);
		assert_int_equal(err.line, 1);
		assert_unknown(node, total_bytes, &n);
	}
}

/* Blocks of a type that has no free list, and of a size that is not said: counted, not in bytes. */
static void test_blocks_without_size(void **state)
{
	struct vmt_zone_sample z = { 0 };
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_pagetypeinfo_parse(VMT_BYTES("Free pages count\n"
							  "Node 0, zone A, type B 1 0\n"
							  "Number of blocks type B Tomorrow\n"
							  "Node 0, zone A 7 9\n"),
						PAGE, &arena, &z, NULL),
			 0);
	assert_int_equal(z.n_types, 1);
	assert_field(migrate, blocks, &z.types[0], 7);
	assert_unknown(migrate, blocks_bytes, &z.types[0]);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zoneinfo),
		cmocka_unit_test(test_sums_are_those_of_zoneinfo),
		cmocka_unit_test(test_malformed_zones_have_a_line),
		cmocka_unit_test(test_a_list_begins_its_line),
		cmocka_unit_test(test_zone_sums_overflow),
		cmocka_unit_test(test_buddyinfo),
		cmocka_unit_test(test_malformed_buddyinfo_has_a_line),
		cmocka_unit_test(test_pagetypeinfo),
		cmocka_unit_test(test_malformed_pagetypeinfo),
		cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_node_meminfo),
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_indices_do_not_overflow),
		cmocka_unit_test(test_next_mark_and_reserve),
		cmocka_unit_test(test_time_to_the_watermark),
		cmocka_unit_test(test_unknown_stays_unknown),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_regions_that_do_not_fit),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_malformed_sums),
		cmocka_unit_test(test_malformed_node_meminfo),
		cmocka_unit_test(test_blocks_without_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
