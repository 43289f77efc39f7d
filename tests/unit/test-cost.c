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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(d05_walk_grows_with_pages),
		cmocka_unit_test(d05_unknown_is_not_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
