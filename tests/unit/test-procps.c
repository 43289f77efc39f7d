/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libproc2, the reader of procps, as a second opinion on meminfo and vmstat of this machine. */
#include "unit.h"

#include <unistd.h>

#include "model/model.h"
#include "model/verify.h"
#include "source/procps.h"

static struct vmt_system machine(uint64_t free_bytes, uint64_t faults)
{
	struct vmt_system s = { 0 };

	VMT_SET(system, total_bytes, &s, 1 << 20);
	VMT_SET(system, free_bytes, &s, free_bytes);
	VMT_SET(system, pgfault_total, &s, faults);
	return s;
}

static void what_lies_between_agrees(void **state)
{
	struct vmt_system a = machine(8192, 10), b = machine(4096, 10), c = machine(4096, 20);
	struct vmt_second_opinion s = { 0 };
	struct vmt_outcome out;

	vmt_second_opinion_add(&s, &a, &b, &c, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(out.checked, 3);
	assert_int_equal(out.off, 0);
}

static void what_is_off_each_time_is_off(void **state)
{
	struct vmt_system a = machine(8192, 10), b = machine(4096, 10);
	struct vmt_second_opinion s = { 0 };
	struct vmt_outcome out;

	VMT_SET(system, total_bytes, &b, 1 << 19);
	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_OFF);
	assert_int_equal(out.failed, 2);
	assert_int_equal(out.off, -(1 << 19));
	/* Once right is right, for a wrong figure never is. */
	b = machine(8192, 10);
	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(out.failed, 0);
}

static void what_is_off_to_both_sides_drifts(void **state)
{
	struct vmt_system a = machine(8192, 10), b = machine(4096, 10), c = machine(12288, 10);
	struct vmt_second_opinion s = { 0 };
	struct vmt_outcome out;

	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	vmt_second_opinion_add(&s, &a, &c, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_DRIFTED);
	assert_int_equal(out.failed, 0);
}

static void a_counter_has_no_difference_in_bytes(void **state)
{
	struct vmt_system a = machine(8192, 10), b = machine(8192, 9);
	struct vmt_second_opinion s = { 0 };
	struct vmt_outcome out;

	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_OFF);
	assert_int_equal(out.failed, 1);
	assert_int_equal(out.off, 0);
}

static void unknown_is_not_compared(void **state)
{
	struct vmt_system a = machine(8192, 10), b = machine(0, 10);
	struct vmt_second_opinion s = { 0 };
	struct vmt_outcome out;

	VMT_UNSET(system, free_bytes, &a);
	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(out.checked, 2);
	a = b = (struct vmt_system){ 0 };
	vmt_second_opinion_add(&s, &a, &b, &a, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_NONE);
}

static void libproc2_is_asked(void **state)
{
	struct vmt_procps *p = NULL;
	struct vmt_system s = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_procps_open(&p, &err), 0);
	assert_int_equal(vmt_procps_read(p, &s, &err), 0);
	assert_null(vmt_procps_close(p));
	assert_string_equal(err.text, "");
	assert_true(VMT_HAS(system, total_bytes, &s) && VMT_HAS(system, pgfault_total, &s));
	assert_true(s.total_bytes / 2 <=
		    (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_true(s.free_bytes < s.total_bytes);
	assert_true(s.pgfault_total > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_between_agrees),
		cmocka_unit_test(what_is_off_each_time_is_off),
		cmocka_unit_test(what_is_off_to_both_sides_drifts),
		cmocka_unit_test(a_counter_has_no_difference_in_bytes),
		cmocka_unit_test(unknown_is_not_compared),
		cmocka_unit_test(libproc2_is_asked),
	};

	return cmocka_run_group_tests_name("procps", tests, NULL, NULL);
}
