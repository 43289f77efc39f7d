/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/machine.h"

/* Two zones with pages and one without, as Linux 6.12 prints them, shortened. The lines of the
 * processors name their own high and low. */
static const char two[] = "Node 0, zone      DMA\n"
			  "  per-node stats\n"
			  "      nr_inactive_anon 1580\n"
			  "      pgdemote_kswapd 0\n"
			  "  pages free     3840\n"
			  "        boost    0\n"
			  "        min      53\n"
			  "        low      66\n"
			  "        high     79\n"
			  "        promo    92\n"
			  "        spanned  4095\n"
			  "        present  3998\n"
			  "        managed  3840\n"
			  "        cma      0\n"
			  "        protection: (0, 2929, 5000, 5000)\n"
			  "      nr_free_pages 3840\n"
			  "  pagesets\n"
			  "    cpu: 0\n"
			  "              count:    0\n"
			  "              high:     13\n"
			  "              batch:    1\n"
			  "              high_min: 13\n"
			  "  node_unreclaimable:  0\n"
			  "Node 0, zone   Normal\n"
			  "  pages free     100\n"
			  "        boost    30\n"
			  "        min      10\n"
			  "        low      1000\n"
			  "        high     2030\n"
			  "        managed  100000\n"
			  "        protection: (0, 0, 0)\n"
			  "  pagesets\n"
			  "    cpu: 0\n"
			  "              count: 7\n"
			  "    cpu: 1\n"
			  "              count: 300\n"
			  "Node 0, zone  Movable\n"
			  "  pages free     0\n"
			  "        min      32\n"
			  "        low      32\n"
			  "        high     32\n"
			  "        spanned  0\n"
			  "        present  0\n"
			  "        managed  0\n"
			  "        protection: (0, 0, 0)\n";

static void test_sums(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_zoneinfo_parse(vmt_bytes_of(two), 4096, &sys, NULL), 0);
	assert_field(system, managed_bytes, &sys, UINT64_C(103840) * 4096);
	assert_field(system, low_bytes, &sys, (uint64_t)(66 + 1000 + 32) * 4096);
	assert_field(system, pcp_bytes, &sys, (uint64_t)(0 + 7 + 300) * 4096);
	/* DMA: 79 + 5000 is more than it has; Normal: 2030 - 30; Movable has nothing. */
	assert_field(system, reserve_bytes, &sys, (uint64_t)(3840 + 2000) * 4096);
}

static void c20_page_size_is_not_assumed(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_zoneinfo_parse(vmt_bytes_of(two), 65536, &sys, NULL), 0);
	assert_field(system, managed_bytes, &sys, UINT64_C(103840) * 65536);
}

static void test_nothing_is_not_zero(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_zoneinfo_parse(VMT_BYTES(""), 4096, &sys, NULL), 0);
	assert_int_equal(vmt_zoneinfo_parse(VMT_BYTES("Node 0, zone DMA\n  pages free 1\n"), 4096,
					    &sys, NULL),
			 0);
	assert_unknown(system, managed_bytes, &sys);
	assert_unknown(system, low_bytes, &sys);
	assert_unknown(system, reserve_bytes, &sys);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "Node 0, zone DMA\n low x\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n low 1 2\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n managed 99999999999999999999\n", -ERANGE, 2 },
		{ "Node 0, zone DMA\n protection: 1, 2\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: (1, x)\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n protection: (1, 2\n", -EINVAL, 2 },
		{ "Node 0, zone DMA\n low 1\n high 1\n managed 18446744073709551615\n"
		  " protection: (0)\n",
		  -ERANGE, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_system sys = { 0 };
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_zoneinfo_parse(vmt_bytes_of(cases[i].text), 4096, &sys, &err),
				 cases[i].r);
		assert_int_equal(err.line, cases[i].line);
		assert_unknown(system, managed_bytes, &sys);
	}
}

/* A sum, and its bytes, that no number holds; each of them, and none of them is said. */
static void test_sums_that_overflow(void **state)
{
#define ZONE "Node 0, zone A\n"
#define HUGE "9999999999999999999" /* twice that is more than 2^64 */
	static const char *const bad[] = {
		ZONE "low " HUGE "\nhigh 1\nmanaged 1\nprotection: (0)\n" ZONE "low " HUGE
		     "\nhigh 1\nmanaged 1\nprotection: (0)\n",
		ZONE "low 1\nhigh 1\nmanaged " HUGE "\nprotection: (0)\n" ZONE
		     "low 1\nhigh 1\nmanaged " HUGE "\nprotection: (0)\n",
		ZONE "low 1\nhigh 1\nmanaged 1\nprotection: (0)\ncount: " HUGE "\ncount: " HUGE
		     "\n",
		ZONE "low 1\nhigh 1\nmanaged 1\nprotection: (0)\ncount: " HUGE "\n" ZONE
		     "low 1\nhigh 1\nmanaged 1\nprotection: (0)\ncount: " HUGE "\n",
		ZONE "low " HUGE "\nhigh 1\nmanaged 1\nprotection: (0)\n",
		ZONE "low 1\nhigh 1\nmanaged 1\nprotection: (0)\ncount: " HUGE "\n",
		ZONE "low 1\nhigh 1\nmanaged 99999999999999999\nprotection: (" HUGE ")\n",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_system sys = { 0 };
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_zoneinfo_parse(vmt_bytes_of(bad[i]), 4096, &sys, &err),
				 -ERANGE);
		assert_true(err.text[0]);
		assert_unknown(system, low_bytes, &sys);
		assert_unknown(system, managed_bytes, &sys);
		assert_unknown(system, reserve_bytes, &sys);
		assert_unknown(system, pcp_bytes, &sys);
	}
#undef ZONE
#undef HUGE
}

static void test_counts_of_processors_that_are_none(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(
		vmt_zoneinfo_parse(VMT_BYTES("Node 0, zone A\n count: x\n"), 4096, &sys, &err),
		-EINVAL);
	assert_int_equal(err.line, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(c20_page_size_is_not_assumed),
		cmocka_unit_test(test_nothing_is_not_zero),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_sums_that_overflow),
		cmocka_unit_test(test_counts_of_processors_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
