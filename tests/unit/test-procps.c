/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/machine.h"
#include "source/procps.h"

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

static void test_processes(void **state)
{
	struct vmt_procps_row *rows = NULL;
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc own = { 0 };
	struct vmt_arena a;
	size_t n = 0, i, self = SIZE_MAX;

	assert_int_equal(
		vmt_procps_pids(procps, NULL, 0, root->page_size, root->user_hz, &rows, &n, NULL),
		0);
	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		if (i)
			assert_true(rows[i - 1].proc.pid < rows[i].proc.pid);
		if (rows[i].proc.pid == (uint64_t)getpid())
			self = i;
	}
	assert_true(self != SIZE_MAX);
	vmt_arena_init(&a);
	assert_int_equal(vmt_pid_read(root, (uint64_t)getpid(), &a, &own, &facts, NULL), 0);
	assert_int_equal(rows[self].proc.ppid, own.ppid);
	assert_int_equal(rows[self].proc.start_time_ns, own.start_time_ns);
	assert_int_equal(rows[self].proc.threads, own.threads);
	assert_true(rows[self].proc.vsize_bytes > 0);
	assert_true(rows[self].proc.minor_faults_total > 0);
	assert_int_equal(rows[self].facts.flags & ~UINT64_C(0xff), facts.flags & ~UINT64_C(0xff));
	/* Bytes of the name are not believed to libproc2. */
	assert_unknown(proc, comm, &rows[self].proc);
	vmt_arena_done(&a);
	free(rows);
}

/* More than libproc2 takes at a time, most of them nobody. */
static void test_many_named_processes(void **state)
{
	enum { N = 1000 };
	struct vmt_procps_row *rows = NULL;
	uint64_t pids[N];
	size_t n = 0, i;

	for (i = 0; i < N; i++)
		pids[i] = 4194304 - i;
	pids[5] = (uint64_t)getpid();
	pids[700] = (uint64_t)getppid();
	pids[999] = (uint64_t)getpid();
	assert_int_equal(
		vmt_procps_pids(procps, pids, N, root->page_size, root->user_hz, &rows, &n, NULL),
		0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].proc.pid, getppid() < getpid() ? getppid() : getpid());
	free(rows);
	rows = NULL;
	assert_int_equal(
		vmt_procps_pids(procps, pids, 1, root->page_size, root->user_hz, &rows, &n, NULL),
		0);
	assert_int_equal(n, 0);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meminfo_is_that_of_our_reader),
		cmocka_unit_test(test_what_the_kernel_lacks_stays_unknown),
		cmocka_unit_test(test_reads_anew_each_time),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_many_named_processes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
