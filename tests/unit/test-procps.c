/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "source/machine.h"
#include "source/procps.h"
#include "source/root.h"

/* What moves between two looks at a machine that others use too. */
#define SLACK ((uint64_t)256 * 1024 * 1024)

static struct vmt_root *root;
static struct vmt_procps *procps;

static int setup(void **state)
{
	if (vmt_root_open(NULL, &root, NULL) < 0)
		return -1;
	return vmt_procps_new(&procps, NULL);
}

static int teardown(void **state)
{
	vmt_procps_free(procps);
	vmt_root_unref(root);
	return 0;
}

static void own_meminfo(struct vmt_system *sys)
{
	VMT_AUTO_BUF buf = { 0 };

	assert_true(vmt_slurp_at(root->proc_fd, "meminfo", &buf, 1 << 20) > 0);
	assert_int_equal(
		vmt_meminfo_parse((struct vmt_bytes){ buf.data, buf.len }, sys, NULL, NULL), 0);
}

/* Both readers know the same keys and agree on each. */
static void test_meminfo_is_that_of_our_reader(void **state)
{
	struct vmt_system before = { 0 }, after = { 0 }, sys = { 0 };
	size_t i, known = 0;

	own_meminfo(&before);
	assert_int_equal(vmt_procps_meminfo(procps, &before, &sys, NULL), 0);
	own_meminfo(&after);
	for (i = 0; i < vmt_entity_system.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_system.fields[i];
		uint64_t a, b, v;

		assert_int_equal(vmt_row_has(&sys.row, f->index),
				 vmt_row_has(&before.row, f->index));
		if (!vmt_row_has(&sys.row, f->index))
			continue;
		known++;
		a = vmt_field_number(f, &before);
		b = vmt_field_number(f, &after);
		v = vmt_field_number(f, &sys);
		if (v + SLACK < (a < b ? a : b) || v > (a > b ? a : b) + SLACK)
			fail_msg("%s: %llu between %llu and %llu", f->name, (unsigned long long)v,
				 (unsigned long long)a, (unsigned long long)b);
	}
	assert_true(known >= 20);
	assert_int_equal(sys.total_bytes, before.total_bytes);
	assert_int_equal(sys.swap_total_bytes, before.swap_total_bytes);
	assert_int_equal(sys.commit_limit_bytes, before.commit_limit_bytes);
}

static void test_what_the_kernel_lacks_stays_unknown(void **state)
{
	struct vmt_system has = { 0 }, sys = { 0 };

	VMT_SET(system, total_bytes, &has, 1);
	VMT_SET(system, pgfault_total, &has, 1);
	assert_int_equal(vmt_procps_meminfo(procps, &has, &sys, NULL), 0);
	assert_int_equal(vmt_procps_vmstat(procps, &has, &sys, NULL), 0);
	assert_true(VMT_HAS(system, total_bytes, &sys) && sys.total_bytes > 0);
	assert_true(VMT_HAS(system, pgfault_total, &sys) && sys.pgfault_total > 0);
	assert_unknown(system, available_bytes, &sys);
	assert_unknown(system, pgmajfault_total, &sys);
	assert_unknown(system, hugetlb_bytes, &sys);
}

/* Not the value of a second ago. */
static void test_reads_anew_each_time(void **state)
{
	struct vmt_system has = { 0 }, a = { 0 }, b = { 0 };
	volatile char *p;
	size_t i;

	VMT_SET(system, pgfault_total, &has, 1);
	assert_int_equal(vmt_procps_vmstat(procps, &has, &a, NULL), 0);
	p = malloc(8 << 20);
	for (i = 0; i < 8 << 20; i += 4096)
		p[i] = 1;
	free((void *)(uintptr_t)p);
	assert_int_equal(vmt_procps_vmstat(procps, &has, &b, NULL), 0);
	assert_true(b.pgfault_total > a.pgfault_total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meminfo_is_that_of_our_reader),
		cmocka_unit_test(test_what_the_kernel_lacks_stays_unknown),
		cmocka_unit_test(test_reads_anew_each_time),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
