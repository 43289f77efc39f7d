/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/forecast.h"

#define AROUND 16

static void each_page_by_itself(void **state)
{
	struct vmt_forecast f;

	(void)state;
	vmt_forecast_begin(&f, 100, 200, 1);
	vmt_forecast_add(&f, VMT_LEFT_EMPTY, 40);
	vmt_forecast_add(&f, VMT_LEFT_MAPPED, 10);
	vmt_forecast_add(&f, VMT_LEFT_SWAPPED, 7);
	vmt_forecast_add(&f, VMT_LEFT_NOTHING, 3);
	vmt_forecast_add(&f, VMT_LEFT_EMPTY, 40);
	assert_int_equal(f.at, 200);
	assert_int_equal(f.cached, 0);
	assert_int_equal(f.absent, 80);
	assert_int_equal(f.minor, 80);
	assert_int_equal(f.minor_most, 80);
	assert_int_equal(f.major, 7);
	assert_int_equal(f.major_most, 7);
}

static void what_is_cached_around_comes_with_it(void **state)
{
	struct vmt_forecast f;

	(void)state;
	/* From the middle of a window: the first range is as long as the others. */
	vmt_forecast_begin(&f, 5, 5 + 200, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 200);
	/* 5..20, 21..31, then 11 windows from 32 to 207 */
	assert_int_equal(f.minor, 2 + 11);
	assert_int_equal(f.minor_most, 200);
	assert_int_equal(f.major_most, 0);
	/* The same in parts. */
	vmt_forecast_begin(&f, 5, 5 + 200, AROUND);
	for (unsigned i = 0; i < 200; i++)
		vmt_forecast_add(&f, VMT_LEFT_CACHED, 1);
	assert_int_equal(f.minor, 13);
	/* Not over the end of a page table. */
	vmt_forecast_begin(&f, 505, 600, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 23);
	assert_int_equal(f.minor, 2);
	/* What lies apart in one window is one fault, whoever is in between. */
	vmt_forecast_begin(&f, 64, 128, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 1);
	vmt_forecast_add(&f, VMT_LEFT_MAPPED, 5);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 3);
	assert_int_equal(f.minor, 1);
	assert_int_equal(f.minor_most, 4);
}

static void of_a_run_of_absent_pages_one_is_read(void **state)
{
	struct vmt_forecast f;

	(void)state;
	vmt_forecast_begin(&f, 0, 64, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_ABSENT, 20);
	vmt_forecast_add(&f, VMT_LEFT_ABSENT, 12);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 2);
	vmt_forecast_add(&f, VMT_LEFT_ABSENT, 1);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 13);
	vmt_forecast_add(&f, VMT_LEFT_MAPPED, 16);
	assert_int_equal(f.absent, 33);
	assert_int_equal(f.cached, 15);
	assert_int_equal(f.major, 2);
	assert_int_equal(f.major_most, 33);
	/* The window of page 0 comes with its fault; those of 16 and of 32 have one each. */
	assert_int_equal(f.minor, 2);
	assert_int_equal(f.minor_most, 15);
}

static void an_absent_page_brings_its_neighbours(void **state)
{
	struct vmt_forecast f;

	(void)state;
	vmt_forecast_begin(&f, 0, 32, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_ABSENT, 1);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 15);
	assert_int_equal(f.minor, 0);
	assert_int_equal(f.major, 1);
	/* So does one of shmem that was never written. */
	vmt_forecast_begin(&f, 0, 32, AROUND);
	vmt_forecast_add(&f, VMT_LEFT_EMPTY, 2);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 14);
	assert_int_equal(f.minor, 2);
	assert_int_equal(f.minor_most, 16);
}

static void it_ends_with_the_mapping(void **state)
{
	struct vmt_forecast f;

	(void)state;
	vmt_forecast_begin(&f, 8, 12, 0);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, 0);
	vmt_forecast_add(&f, VMT_LEFT_CACHED, UINT64_MAX);
	vmt_forecast_add(&f, VMT_LEFT_ABSENT, 5);
	assert_int_equal(f.minor, 4);
	assert_int_equal(f.cached, 4);
	assert_int_equal(f.absent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_by_itself),
		cmocka_unit_test(what_is_cached_around_comes_with_it),
		cmocka_unit_test(of_a_run_of_absent_pages_one_is_read),
		cmocka_unit_test(an_absent_page_brings_its_neighbours),
		cmocka_unit_test(it_ends_with_the_mapping),
	};

	return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
