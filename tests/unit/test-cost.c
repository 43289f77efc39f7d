/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/cost.h"

#define GIB (UINT64_C(1) << 30)

static void d05_walk_grows_with_pages(void **state)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, rss_bytes, &p, 0);
	assert_int_equal(vmt_cost_walk_ns(&p, 4096), 0);
	p.rss_bytes = 4 * GIB;
	assert_int_equal(vmt_cost_walk_ns(&p, 4096), UINT64_C(90) << 20);
	assert_int_equal(vmt_cost_walk_ns(&p, 65536), UINT64_C(90) << 16);
	/* What is swapped has its entries as well. */
	VMT_SET(proc, swap_bytes, &p, 4 * GIB);
	assert_int_equal(vmt_cost_walk_ns(&p, 4096), UINT64_C(180) << 20);
}

static void d05_unknown_is_not_cheap(void **state)
{
	struct vmt_proc p = { 0 };

	assert_true(vmt_cost_walk_ns(&p, 4096) == UINT64_MAX);
	VMT_SET(proc, rss_bytes, &p, UINT64_MAX);
	assert_true(vmt_cost_walk_ns(&p, 0) == UINT64_MAX);
	assert_true(vmt_cost_walk_ns(&p, 1) == UINT64_MAX);
	VMT_SET(proc, swap_bytes, &p, 1);
	assert_true(vmt_cost_walk_ns(&p, 4096) == UINT64_MAX);
}

static void d05_dearest_within_the_budget(void **state)
{
	static const size_t some[] = { 3, 0 };
	struct vmt_proc p[4] = { 0 };
	uint64_t ns, all;

	assert_null(vmt_cost_dearest(p, NULL, 4, 4096, UINT64_MAX, &ns, &all));
	assert_int_equal(all, 0);
	VMT_SET(proc, rss_bytes, &p[0], GIB);
	VMT_SET(proc, rss_bytes, &p[1], 4 * GIB);
	VMT_SET(proc, rss_bytes, &p[3], 2 * GIB);
	assert_ptr_equal(vmt_cost_dearest(p, NULL, 4, 4096, UINT64_MAX, &ns, &all), &p[1]);
	assert_int_equal(ns, UINT64_C(90) << 20);
	assert_int_equal(all, UINT64_C(90) * 7 << 18);
	/* What is left out is not walked. */
	assert_ptr_equal(vmt_cost_dearest(p, NULL, 4, 4096, ns - 1, &ns, &all), &p[3]);
	assert_int_equal(all, UINT64_C(90) * 3 << 18);
	/* Nor are those that are not among them. */
	assert_ptr_equal(vmt_cost_dearest(p, some, 2, 4096, UINT64_MAX, &ns, &all), &p[3]);
	assert_int_equal(all, UINT64_C(90) * 3 << 18);
	assert_null(vmt_cost_dearest(p, some, 0, 4096, UINT64_MAX, &ns, &all));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(d05_walk_grows_with_pages),
		cmocka_unit_test(d05_unknown_is_not_cheap),
		cmocka_unit_test(d05_dearest_within_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
