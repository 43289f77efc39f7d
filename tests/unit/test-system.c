/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/model.h"

#define KIB(n) ((uint64_t)(n)*1024)

/* One machine, read at one moment, in KiB. */
static struct vmt_system machine(void)
{
	struct vmt_system s = { 0 };

	VMT_SET(system, total_bytes, &s, KIB(24634416));
	VMT_SET(system, free_bytes, &s, KIB(19914376));
	VMT_SET(system, available_bytes, &s, KIB(21266960));
	VMT_SET(system, reserve_bytes, &s, KIB(157064));
	VMT_SET(system, low_bytes, &s, KIB(84600));
	VMT_SET(system, active_file_bytes, &s, KIB(500000));
	VMT_SET(system, inactive_file_bytes, &s, KIB(695932));
	VMT_SET(system, kreclaimable_bytes, &s, KIB(482916));
	return s;
}

static void available_is_the_kernels_sum(void **state)
{
	struct vmt_system s = machine();

	vmt_system_derive(&s, 4096);
	assert_true(VMT_HAS(system, available_derived_bytes, &s));
	assert_int_equal(s.available_derived_bytes, KIB(21266960));
	assert_true(VMT_HAS(system, available_residual_bytes, &s));
	assert_int_equal(s.available_residual_bytes, 0);
	assert_int_equal(s.used_bytes, KIB(24634416 - 21266960));
}

static void little_cache_counts_by_half(void **state)
{
	struct vmt_system s = machine();

	/* 10 and 5 pages: halves below the low marks, and 2.5 is 2 whole pages. */
	VMT_SET(system, active_file_bytes, &s, KIB(40));
	VMT_SET(system, inactive_file_bytes, &s, 0);
	VMT_SET(system, kreclaimable_bytes, &s, KIB(20));
	vmt_system_derive(&s, 4096);
	assert_int_equal(s.available_derived_bytes, KIB(19914376 - 157064 + (40 - 20) + (20 - 8)));
}

static void available_is_never_below_zero(void **state)
{
	struct vmt_system s = machine();

	VMT_SET(system, free_bytes, &s, KIB(100));
	VMT_SET(system, reserve_bytes, &s, KIB(99999999));
	vmt_system_derive(&s, 4096);
	assert_int_equal(s.available_derived_bytes, 0);
}

static void an_unknown_term_makes_the_sum_unknown(void **state)
{
	struct vmt_system s = machine();

	VMT_UNSET(system, low_bytes, &s);
	vmt_system_derive(&s, 4096);
	assert_false(VMT_HAS(system, available_derived_bytes, &s));
	assert_false(VMT_HAS(system, available_residual_bytes, &s));
	assert_true(VMT_HAS(system, used_bytes, &s));
	s = machine();
	VMT_UNSET(system, available_bytes, &s);
	vmt_system_derive(&s, 4096);
	assert_true(VMT_HAS(system, available_derived_bytes, &s));
	assert_false(VMT_HAS(system, available_residual_bytes, &s));
	assert_false(VMT_HAS(system, used_bytes, &s));
	assert_false(VMT_HAS(system, swap_used_bytes, &s));
	assert_false(VMT_HAS(system, unaccounted_bytes, &s));
}

static void old_kernels_have_slab_alone(void **state)
{
	struct vmt_system s = machine();

	VMT_UNSET(system, kreclaimable_bytes, &s);
	VMT_SET(system, slab_reclaimable_bytes, &s, KIB(482916));
	vmt_system_derive(&s, 4096);
	assert_int_equal(s.available_residual_bytes, 0);
}

static void rates_are_thousandths_a_second(void **state)
{
	uint64_t milli = 0;

	assert_true(vmt_rate_milli(1500, 1000, 2000000000, &milli));
	assert_int_equal(milli, 250000);
	assert_true(vmt_rate_milli(7, 7, 1, &milli));
	assert_int_equal(milli, 0);
	assert_false(vmt_rate_milli(6, 7, 1000, &milli));
	assert_false(vmt_rate_milli(7, 6, 0, &milli));
	assert_false(vmt_rate_milli(UINT64_MAX, 0, 1, &milli));
}

static void another_process_has_no_rate(void **state)
{
	struct vmt_proc a = { 0 }, b = { 0 };

	VMT_SET(proc, pid, &a, 5);
	VMT_SET(proc, start_time_ns, &a, 100);
	VMT_SET(proc, minor_faults_total, &a, 10);
	b = a;
	VMT_SET(proc, minor_faults_total, &b, 30);
	vmt_proc_rates(&b, &a, 1000000000);
	assert_true(VMT_HAS(proc, minor_faults_per_second, &b));
	assert_int_equal(b.minor_faults_per_second, 20000);
	assert_false(VMT_HAS(proc, major_faults_per_second, &b));
	VMT_UNSET(proc, minor_faults_per_second, &b);
	b.start_time_ns = 101;
	vmt_proc_rates(&b, &a, 1000000000);
	assert_false(VMT_HAS(proc, minor_faults_per_second, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(available_is_the_kernels_sum),
		cmocka_unit_test(little_cache_counts_by_half),
		cmocka_unit_test(available_is_never_below_zero),
		cmocka_unit_test(an_unknown_term_makes_the_sum_unknown),
		cmocka_unit_test(old_kernels_have_slab_alone),
		cmocka_unit_test(rates_are_thousandths_a_second),
		cmocka_unit_test(another_process_has_no_rate),
	};

	return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
