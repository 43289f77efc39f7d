/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "model/sample.h"

static void test_words(void **state)
{
	assert_string_equal(vmt_failure_word(-EACCES), "denied");
	assert_string_equal(vmt_failure_word(-EPERM), "denied");
	assert_string_equal(vmt_failure_word(-ESRCH), "gone");
	assert_string_equal(vmt_failure_word(-ETIMEDOUT), "timed_out");
	assert_string_equal(vmt_failure_word(-EBUSY), "skipped");
	assert_string_equal(vmt_failure_word(-ECANCELED), "skipped");
	assert_string_equal(vmt_failure_word(-EXDEV), "partial");
	assert_string_equal(vmt_failure_word(-E2BIG), "partial");
	assert_string_equal(vmt_failure_word(-ENOENT), "absent");
	assert_string_equal(vmt_failure_word(-EIO), "failed");
}

static void test_failures_are_counted(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();

	vmt_sample_failed(s, VMT_SOURCE_MAPS, 7, VMT_BYTES("x"), -EACCES, "hint");
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 8, VMT_BYTES(""), -ETIMEDOUT, NULL);
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 9, VMT_BYTES("y"), -ESRCH, NULL);
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, 7, VMT_BYTES("x"), -EBUSY, NULL);
	vmt_sample_failed(s, VMT_SOURCE_MEMINFO, 0, VMT_BYTES(""), -EIO, NULL);
	assert_int_equal(s->denied, 1);
	assert_int_equal(s->timed_out, 1);
	assert_int_equal(s->vanished, 1);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].denied, 1);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].timed_out, 1);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].gone, 1);
	assert_int_equal(s->sources[VMT_SOURCE_SMAPS].skipped, 1);
	/* One that is gone is no issue. */
	assert_int_equal(s->n_issues, 4);
	assert_text(issue, source, &s->issues[0], "maps");
	assert_field(issue, pid, &s->issues[0], 7);
	assert_text(issue, comm, &s->issues[0], "x");
	assert_text(issue, status, &s->issues[0], "denied");
	assert_text(issue, error, &s->issues[0], "EACCES");
	assert_text(issue, hint, &s->issues[0], "hint");
	assert_unknown(issue, comm, &s->issues[1]);
	assert_unknown(issue, hint, &s->issues[1]);
	assert_unknown(issue, pid, &s->issues[3]);
}

/* Sources count reads, the sample counts processes. */
static void test_processes_are_counted_once(void **state)
{
	static const int codes[] = { -EACCES, -ETIMEDOUT, -ESRCH };
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	size_t i;

	s->n_procs = 2;
	s->procs = vmt_arena_alloc(&s->arena, s->n_procs, sizeof(*s->procs));
	s->maps = vmt_arena_alloc(&s->arena, s->n_procs, sizeof(*s->maps));
	s->procs[0].pid = 7;
	s->procs[1].pid = 8;
	for (i = 0; i < 3; i++) {
		vmt_sample_failed(s, VMT_SOURCE_MAPS, 7, VMT_BYTES("x"), codes[i], NULL);
		vmt_sample_failed(s, VMT_SOURCE_ROLLUP, 7, VMT_BYTES("x"), codes[i], NULL);
		vmt_sample_failed(s, VMT_SOURCE_MAPS, 8, VMT_BYTES("y"), codes[i], NULL);
	}
	/* And the machine is none. */
	vmt_sample_failed(s, VMT_SOURCE_MEMINFO, 0, VMT_BYTES(""), -EACCES, NULL);
	assert_int_equal(s->denied, 2);
	assert_int_equal(s->timed_out, 2);
	assert_int_equal(s->vanished, 2);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].timed_out, 2);
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].timed_out, 1);
}

static void test_issues_are_bounded(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	unsigned i;

	for (i = 0; i < VMT_ISSUES_MAX + 10; i++)
		vmt_sample_failed(s, VMT_SOURCE_MAPS, i + 1, VMT_BYTES("x"), -EACCES, NULL);
	assert_int_equal(s->n_issues, VMT_ISSUES_MAX);
	assert_int_equal(s->issues_dropped, 10);
	assert_int_equal(s->denied, VMT_ISSUES_MAX + 10);
}

static void test_an_issue_that_finds_no_memory(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();

	unit_alloc_fail(1);
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 1, VMT_BYTES("x"), -EACCES, NULL);
	assert_true(unit_alloc_pass());
	assert_int_equal(s->n_issues, 0);
	assert_int_equal(s->issues_dropped, 1);
	assert_int_equal(s->denied, 1);
}

static void test_settle(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	struct vmt_source_stat *st = s->sources;

	st[VMT_SOURCE_MEMINFO].reads = 1;
	vmt_sample_failed(s, VMT_SOURCE_VMSTAT, 0, VMT_BYTES(""), -ENOENT, NULL);
	vmt_sample_failed(s, VMT_SOURCE_ZONEINFO, 0, VMT_BYTES(""), -EIO, NULL);
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 1, VMT_BYTES(""), -EACCES, NULL);
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, 1, VMT_BYTES(""), -EBUSY, NULL);
	vmt_sample_failed(s, VMT_SOURCE_ROLLUP, 1, VMT_BYTES(""), -EACCES, NULL);
	st[VMT_SOURCE_ROLLUP].reads = 5;
	st[VMT_SOURCE_ELF].state = VMT_STATE_ABSENT;
	st[VMT_SOURCE_ELF].reads = 1;
	vmt_sample_settle(s);
	assert_int_equal(st[VMT_SOURCE_MEMINFO].state, VMT_STATE_OK);
	assert_string_equal(st[VMT_SOURCE_MEMINFO].reason, "");
	assert_int_equal(st[VMT_SOURCE_VMSTAT].state, VMT_STATE_ABSENT);
	assert_int_equal(st[VMT_SOURCE_ZONEINFO].state, VMT_STATE_FAILED);
	assert_string_equal(st[VMT_SOURCE_ZONEINFO].reason, "EIO");
	assert_int_equal(st[VMT_SOURCE_MAPS].state, VMT_STATE_DENIED);
	assert_int_equal(st[VMT_SOURCE_SMAPS].state, VMT_STATE_SKIPPED);
	assert_int_equal(st[VMT_SOURCE_ROLLUP].state, VMT_STATE_PARTIAL);
	assert_true(st[VMT_SOURCE_ROLLUP].reason[0] != 0);
	assert_int_equal(st[VMT_SOURCE_PAGEMAP].state, VMT_STATE_UNUSED);
	assert_int_equal(st[VMT_SOURCE_ELF].state, VMT_STATE_ABSENT);
}

static void test_settle_again(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	struct vmt_source_stat *st = s->sources;

	st[VMT_SOURCE_MAPS].reads = 1;
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 1, VMT_BYTES(""), -EACCES, NULL);
	vmt_sample_settle(s);
	assert_string_equal(st[VMT_SOURCE_MAPS].reason, "1 denied");
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 2, VMT_BYTES(""), -ETIMEDOUT, "why");
	vmt_sample_failed(s, VMT_SOURCE_MAPS, 3, VMT_BYTES(""), -EACCES, NULL);
	vmt_sample_settle(s);
	assert_string_equal(st[VMT_SOURCE_MAPS].reason, "2 denied, 1 timed out");
	/* What the owner of a source says stays. */
	strcpy(st[VMT_SOURCE_MAPS].reason, "mine");
	st[VMT_SOURCE_PIDS].state = VMT_STATE_PARTIAL;
	strcpy(st[VMT_SOURCE_PIDS].reason, "hidden");
	st[VMT_SOURCE_PIDS].reads = 1;
	vmt_sample_settle(s);
	assert_string_equal(st[VMT_SOURCE_MAPS].reason, "mine");
	assert_string_equal(st[VMT_SOURCE_PIDS].reason, "hidden");
	assert_int_equal(st[VMT_SOURCE_PIDS].state, VMT_STATE_PARTIAL);
	/* A read that gave a part is none that failed. */
	st[VMT_SOURCE_PAGEMAP].reads = 1;
	vmt_sample_failed(s, VMT_SOURCE_PAGEMAP, 4, VMT_BYTES(""), -E2BIG, "too large");
	vmt_sample_settle(s);
	assert_int_equal(st[VMT_SOURCE_PAGEMAP].state, VMT_STATE_PARTIAL);
	assert_string_equal(st[VMT_SOURCE_PAGEMAP].reason,
			    "1 in part, the first of process 4: too large");
	assert_text(issue, status, &s->issues[3], "partial");
}

static void test_look_up(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	size_t i;

	assert_null(vmt_sample_proc(s, 1));
	s->n_procs = 100;
	s->procs = vmt_arena_alloc(&s->arena, s->n_procs, sizeof(*s->procs));
	for (i = 0; i < s->n_procs; i++)
		s->procs[i].pid = 10 + i * 3;
	for (i = 0; i < s->n_procs; i++) {
		assert_ptr_equal(vmt_sample_proc(s, 10 + i * 3), &s->procs[i]);
		assert_null(vmt_sample_proc(s, 11 + i * 3));
	}
	assert_null(vmt_sample_proc(s, 0));
}

static void test_nothing_to_free(void **state)
{
	vmt_sample_free(NULL);
	unit_alloc_fail(1);
	assert_null(vmt_sample_new());
	unit_alloc_pass();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_failures_are_counted),
		cmocka_unit_test(test_processes_are_counted_once),
		cmocka_unit_test(test_issues_are_bounded),
		cmocka_unit_test(test_an_issue_that_finds_no_memory),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_again),
		cmocka_unit_test(test_look_up),
		cmocka_unit_test(test_nothing_to_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
