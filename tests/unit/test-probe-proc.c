/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toucher.h"

#include <errno.h>

#include "source/probe-proc.h"
#include "source/probe.h"

static bool has(const struct vmt_fault_sample *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_procs; i++)
		if (s->procs[i].pid == (uint64_t)pid)
			return true;
	return false;
}

static struct vmt_fault_proc account(const struct vmt_fault_sample *s, pid_t pid)
{
	assert_true(has(s, pid));
	for (size_t i = 0; i < s->n_procs; i++)
		if (s->procs[i].pid == (uint64_t)pid)
			return s->procs[i];
	return (struct vmt_fault_proc){ 0 };
}

static struct vmt_probe *start(const pid_t *pids, size_t n)
{
	struct vmt_probe_opts opts = { .rung = VMT_RUNG_PROC, .pids = pids, .n_pids = n };
	struct vmt_probe *p = NULL;

	assert_int_equal(vmt_probe_open(&opts, &p, NULL), 0);
	assert_int_equal(vmt_probe_start(p, NULL), 0);
	return p;
}

static void test_to_the_unit(void **state)
{
	struct vmt_fault_sample s = { 0 };
	struct vmt_fault_proc a;
	struct toucher_said before, after;
	struct vmt_arena arena;
	struct toucher t;
	VMT_AUTO_PROBE p = NULL;

	vmt_arena_init(&arena);
	toucher_begin(&t);
	before = toucher_tell(&t, 0, TOUCHER_USER);
	p = start(&t.pid, 1);
	toucher_tell(&t, 100, TOUCHER_USER);
	after = toucher_tell(&t, 50, TOUCHER_KERNEL);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	/* What comes behind the end is not in it. */
	toucher_tell(&t, 30, TOUCHER_USER);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);

	assert_int_equal(s.rung, VMT_RUNG_PROC);
	assert_int_equal(s.have, 0);
	assert_int_equal(s.canary, VMT_CANARY_TRUSTED);
	assert_true(s.complete);
	assert_true(s.window_ns > 0);
	assert_int_equal(s.n_maps, 0);
	assert_int_equal(s.n_procs, 1);
	a = account(&s, t.pid);
	assert_false(a.self);
	assert_true(a.start_time_ns > 0);
	assert_bytes(a.comm, "test-probe-proc");
	assert_true(after.minor - before.minor >= 150);
	assert_int_equal(a.kernel_minor, after.minor - before.minor);
	assert_int_equal(a.kernel_major, after.major - before.major);
	assert_int_equal(a.unattributed, a.kernel_minor + a.kernel_major);
	assert_int_equal(a.mapped, 0);
	assert_int_equal(s.totals.kernel_minor, a.kernel_minor);
	assert_int_equal(s.totals.unattributed, a.unattributed);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

static void test_all_with_births_and_deaths(void **state)
{
	struct vmt_fault_sample s = { 0 };
	struct vmt_fault_proc a;
	struct toucher_said said;
	struct toucher dies, born;
	struct vmt_arena arena;
	VMT_AUTO_PROBE p = NULL;

	vmt_arena_init(&arena);
	toucher_begin(&dies);
	p = start(NULL, 0);
	toucher_begin(&born);
	said = toucher_tell(&born, 77, TOUCHER_USER);
	toucher_end(&dies);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	assert_false(s.complete);
	a = account(&s, born.pid);
	assert_int_equal(a.kernel_minor, said.minor);
	assert_int_equal(a.kernel_major, said.major);
	assert_false(has(&s, dies.pid));
	a = account(&s, getpid());
	assert_true(a.self);
	toucher_end(&born);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	assert_true(s.complete);
	assert_false(has(&s, born.pid));
	vmt_arena_done(&arena);
}

static void test_watch_begins_now(void **state)
{
	struct vmt_fault_sample s = { 0 };
	struct toucher_said before, after;
	struct vmt_fault_proc a;
	struct toucher one, two;
	struct vmt_arena arena;
	VMT_AUTO_PROBE p = NULL;

	vmt_arena_init(&arena);
	toucher_begin(&one);
	toucher_begin(&two);
	p = start(&two.pid, 1);
	before = toucher_tell(&one, 10, TOUCHER_USER);
	assert_int_equal(vmt_probe_watch(p, one.pid, NULL), 0);
	after = toucher_tell(&one, 33, TOUCHER_USER);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	assert_int_equal(s.n_procs, 2);
	a = account(&s, one.pid);
	assert_int_equal(a.kernel_minor, after.minor - before.minor);
	a = account(&s, two.pid);
	assert_int_equal(a.kernel_minor + a.kernel_major, 0);
	toucher_end(&one);
	assert_int_equal(vmt_probe_watch(p, one.pid, NULL), 0);
	toucher_end(&two);
	vmt_arena_done(&arena);
}

static int compare(struct vmt_probe_count *before, size_t n_before, uint64_t taken_ns,
		   struct vmt_probe_count *after, size_t n_after, struct vmt_arena *arena,
		   struct vmt_fault_sample *ret)
{
	struct vmt_probe_counts b = { before, n_before, n_before, taken_ns };
	struct vmt_probe_counts a = { after, n_after, n_after, 0 };

	*ret = (struct vmt_fault_sample){ 0 };
	return vmt_probe_counts_compare(&b, &a, arena, ret);
}

static void test_comparison(void **state)
{
	const uint64_t second = UINT64_C(1000000000);
	struct vmt_probe_count before[] = {
		{ .pid = 3, .start_time_ns = 10 * second, .minor = 100, .major = 7 },
		{ .pid = 5, .start_time_ns = 20 * second, .minor = 50 },
		{ .pid = 9, .start_time_ns = 30 * second, .minor = 8 },
	};
	struct vmt_probe_count after[] = {
		{ .pid = 3, .start_time_ns = 10 * second, .minor = 104, .major = 9 },
		/* the number came again */
		{ .pid = 5, .start_time_ns = 61 * second, .minor = 11 },
		/* hidden at the start: what it counted in the window nobody knows */
		{ .pid = 6, .start_time_ns = 40 * second, .minor = 1000 },
	};
	struct vmt_fault_sample s;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_int_equal(compare(before, 3, 60 * second, after, 3, &arena, &s), 0);
	assert_int_equal(s.n_procs, 2);
	assert_int_equal(s.procs[0].pid, 3);
	assert_int_equal(s.procs[0].kernel_minor, 4);
	assert_int_equal(s.procs[0].kernel_major, 2);
	assert_int_equal(s.procs[1].pid, 5);
	assert_int_equal(s.procs[1].kernel_minor, 11);
	assert_int_equal(s.totals.kernel_minor, 15);
	assert_int_equal(s.totals.unattributed, 17);
	assert_int_equal(s.totals.no_account, 1);
	assert_int_equal(compare(before, 0, 60 * second, after, 0, &arena, &s), 0);
	assert_int_equal(s.n_procs, 0);
	vmt_arena_done(&arena);
}

static void test_nobody_to_watch(void **state)
{
	struct vmt_probe_counts counts = { 0 };
	struct vmt_root *root = NULL;

	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	assert_int_equal(vmt_probe_counts_add(root, UINT64_C(1) << 22, &counts, NULL), -ESRCH);
	assert_int_equal(counts.n, 0);
	assert_int_equal(vmt_probe_counts_add(root, (uint64_t)getpid(), &counts, NULL), 0);
	assert_int_equal(vmt_probe_counts_add(root, 1, &counts, NULL), 0);
	assert_int_equal(vmt_probe_counts_add(root, 1, &counts, NULL), 0);
	assert_int_equal(counts.n, 2);
	assert_int_equal(counts.rows[0].pid, 1);
	vmt_probe_counts_done(&counts);
	vmt_root_unref(root);
}

static int sweep(void *arg)
{
	struct vmt_probe_opts opts = { .rung = VMT_RUNG_PROC, .pids = arg, .n_pids = 1 };
	struct vmt_fault_sample s = { 0 };
	VMT_AUTO_PROBE p = NULL;
	struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	r = vmt_probe_open(&opts, &p, NULL);
	r = r ?: vmt_probe_start(p, NULL);
	r = r ?: vmt_probe_stop(p, NULL);
	r = r ?: vmt_probe_read(p, &arena, &s, NULL);
	vmt_arena_done(&arena);
	return r;
}

static void test_no_memory(void **state)
{
	pid_t self = getpid();

	assert_true(unit_alloc_sweep(sweep, &self) > 5);
}

/* What is asked for in the wrong order, or twice, is told, and does nothing. */
static void test_order_of_calls(void **state)
{
	const pid_t self = getpid(), none = 0;
	const struct vmt_probe_opts wrong[] = {
		{ .rung = VMT_RUNGS },
		{ .rung = VMT_RUNG_PROC, .n_pids = 1 },
		{ .rung = VMT_RUNG_PROC, .follow = true },
		{ .rung = VMT_RUNG_PROC, .pids = &none, .n_pids = 1 },
	};
	const struct vmt_probe_opts opts = { .rung = VMT_RUNG_PROC, .pids = &self, .n_pids = 1 };
	const struct vmt_probe_opts all = { .rung = VMT_RUNG_PROC };
	struct vmt_fault_sample s = { 0 };
	struct vmt_arena arena;
	struct vmt_err err = { 0 };
	VMT_AUTO_PROBE p = NULL;
	VMT_AUTO_PROBE q = NULL;

	for (size_t i = 0; i < VMT_ARRAY_LEN(wrong); i++) {
		assert_int_equal(vmt_probe_open(&wrong[i], &p, &err), -EINVAL);
		assert_null(p);
		assert_true(err.text[0]);
	}
	vmt_arena_init(&arena);
	assert_int_equal(vmt_probe_open(&opts, &p, NULL), 0);
	assert_int_equal(vmt_probe_stop(p, &err), -EINVAL);
	assert_int_equal(vmt_probe_drain(p, &err), -EINVAL);
	assert_int_equal(vmt_probe_live(p, true, &arena, &s, &err), -EINVAL);
	assert_int_equal(vmt_probe_watch(p, getppid(), &err), -EINVAL);
	/* Nothing was tried yet, and nothing was counted. */
	assert_int_equal(vmt_probe_read(p, &arena, &s, &err), 0);
	assert_int_equal(s.rung, VMT_RUNG_NONE);
	assert_int_equal(s.n_tries, 0);
	assert_int_equal(s.n_procs, 0);

	assert_int_equal(vmt_probe_start(p, NULL), 0);
	assert_int_equal(vmt_probe_start(p, &err), -EALREADY);
	assert_int_equal(vmt_probe_watch(p, 0, &err), -EINVAL);
	/* One that is watched already is no error; there are no single faults. */
	assert_int_equal(vmt_probe_watch(p, self, &err), 0);
	assert_int_equal(vmt_probe_drain(p, &err), 0);
	assert_int_equal(vmt_probe_live(p, true, &arena, &s, &err), -EINVAL);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	assert_int_equal(vmt_probe_read(p, &arena, &s, &err), 0);
	assert_true(s.complete);

	/* Where all are watched there is none to be added. */
	assert_int_equal(vmt_probe_open(&all, &q, NULL), 0);
	assert_int_equal(vmt_probe_start(q, NULL), 0);
	assert_int_equal(vmt_probe_watch(q, self, &err), -EINVAL);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_calls),
		cmocka_unit_test(test_to_the_unit),
		cmocka_unit_test(test_all_with_births_and_deaths),
		cmocka_unit_test(test_watch_begins_now),
		cmocka_unit_test(test_comparison),
		cmocka_unit_test(test_nobody_to_watch),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
