/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/machine.h"

static void test_by_name(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_vmstat_parse(VMT_BYTES("nr_free_pages 5\npgfault 123\n"
						    "pgmajfault_extra 9\npgmajfault 7\nodd\n"),
					  &sys, NULL),
			 0);
	assert_field(system, pgfault_total, &sys, 123);
	assert_field(system, pgmajfault_total, &sys, 7);
	/* Before Linux 4.13. */
	assert_unknown(system, oom_kill_total, &sys);
}

static void test_malformed(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_vmstat_parse(VMT_BYTES("x 1\npgfault 1 2\n"), &sys, &err), -EINVAL);
	assert_int_equal(err.line, 2);
	assert_int_equal(vmt_vmstat_parse(VMT_BYTES("pgfault 18446744073709551616\n"), &sys, &err),
			 -ERANGE);
	assert_int_equal(err.line, 1);
}

/* By zone; sums wrap as the counters do, and one that is no number makes the sum unknown. */
static void test_allocations_of_all_zones(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_vmstat_parse(VMT_BYTES("pgalloc_dma 5\npgalloc 100\npgalloc_normal "
						    "18446744073709551615\npgalloc_movable 2\n"),
					  &sys, NULL),
			 0);
	assert_field(system, pgalloc_total, &sys, 6);
	sys = (struct vmt_system){ 0 };
	assert_int_equal(
		vmt_vmstat_parse(VMT_BYTES("pgalloc_dma 5\npgalloc_normal x\n"), &sys, NULL), 0);
	assert_unknown(system, pgalloc_total, &sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_allocations_of_all_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
