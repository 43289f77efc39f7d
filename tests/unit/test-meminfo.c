/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/machine.h"

/* Linux 3.10: no MemAvailable, no KReclaimable, no Percpu. */
static const char old[] = "MemTotal:        1019452 kB\n"
			  "MemFree:          100000 kB\n"
			  "Buffers:            2116 kB\n"
			  "Cached:           400000 kB\n"
			  "SwapCached:            0 kB\n"
			  "Active:           300000 kB\n"
			  "Inactive:         200000 kB\n"
			  "Active(anon):     150000 kB\n"
			  "Inactive(anon):     1000 kB\n"
			  "Active(file):     150000 kB\n"
			  "Inactive(file):   199000 kB\n"
			  "SwapTotal:             0 kB\n"
			  "SwapFree:              0 kB\n"
			  "HugePages_Total:       4\n"
			  "Hugepagesize:       2048 kB\n"
			  "DirectMap4k:       67456 kB\n";

static void n04_old_kernel(void **state)
{
	struct vmt_system sys = { 0 };
	uint64_t unknown = 0;

	assert_int_equal(vmt_meminfo_parse(vmt_bytes_of(old), &sys, &unknown, NULL), 0);
	assert_field(system, total_bytes, &sys, UINT64_C(1019452) * 1024);
	assert_field(system, active_file_bytes, &sys, UINT64_C(150000) * 1024);
	/* There is no swap: that is known, and 0. */
	assert_field(system, swap_total_bytes, &sys, 0);
	/* There is no such key: that is not 0. */
	assert_unknown(system, available_bytes, &sys);
	assert_unknown(system, kreclaimable_bytes, &sys);
	assert_unknown(system, percpu_bytes, &sys);
	assert_unknown(system, hugetlb_bytes, &sys);
	assert_int_equal(unknown, 0);
}

static void n01_n05_newer_kernel(void **state)
{
	struct vmt_system sys = { 0 };
	uint64_t unknown = 0;

	assert_int_equal(vmt_meminfo_parse(VMT_BYTES("MemTotal: 8 kB\nQuantumPages: 3\n"
						     "MemAvailable:\t 4 kB\nFrob:\n"),
					   &sys, &unknown, NULL),
			 0);
	assert_field(system, available_bytes, &sys, 4096);
	assert_int_equal(unknown, 2);
}

static void test_malformed(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_meminfo_parse(VMT_BYTES("MemTotal: 8 kB\nMemFree: many kB\n"), &sys,
					   NULL, &err),
			 -EINVAL);
	assert_int_equal(err.line, 2);
	assert_string_equal(err.path, "/proc/meminfo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(n04_old_kernel),
		cmocka_unit_test(n01_n05_newer_kernel),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
