/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/collapse.h"
#include "model/events.h"

static void rows(void **state)
{
	struct vmt_collapse_raw raws[] = {
		{ .pid = 7,
		  .uid = 1,
		  .start_ns = 5,
		  .times = 3,
		  .step = VMT_COLLAPSE_SCAN,
		  .result = 5,
		  .name = "SCAN_EXCEED_NONE_PTE",
		  .comm = "sparse" },
		/* The same word is another thing where a huge page was to be made. */
		{ .pid = 7, .times = 1, .step = VMT_COLLAPSE_SCAN, .name = "SCAN_SUCCEED" },
		{ .pid = 7, .times = 1, .step = VMT_COLLAPSE_DONE_FILE, .name = "SCAN_SUCCEED" },
		/* Of a kernel to come, and one that has no such number. */
		{ .times = 2, .step = VMT_COLLAPSE_SCAN_FILE, .name = "SCAN_NEW" },
		{ .pid = 9, .times = 4, .step = VMT_COLLAPSE_DONE, .result = -7 },
	};
	struct vmt_collapse_sample s = { .raws = raws, .n = VMT_ARRAY_LEN(raws) };
	struct vmt_event_collapse *r;
	struct vmt_arena arena;
	size_t n;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_collapse_rows(&s, &arena, &r, &n), 0);
	assert_int_equal(n, VMT_ARRAY_LEN(raws));
	assert_field(event_collapse, pid, &r[0], 7);
	assert_field(event_collapse, uid, &r[0], 1);
	assert_field(event_collapse, start_time_ns, &r[0], 5);
	assert_field(event_collapse, times_total, &r[0], 3);
	assert_text(event_collapse, comm, &r[0], "sparse");
	assert_text(event_collapse, step, &r[0], "scan");
	assert_text(event_collapse, result, &r[0], "SCAN_EXCEED_NONE_PTE");
	assert_true(vmt_bytes_starts(r[0].reason, "too few of its pages were ever touched"));
	assert_true(vmt_bytes_starts(r[1].reason, "nothing was against it"));
	assert_text(event_collapse, reason, &r[2], "it is a huge page now");
	assert_text(event_collapse, step, &r[2], "collapse_file");
	assert_unknown(event_collapse, pid, &r[3]);
	assert_unknown(event_collapse, comm, &r[3]);
	assert_text(event_collapse, result, &r[3], "SCAN_NEW");
	assert_unknown(event_collapse, reason, &r[3]);
	assert_text(event_collapse, step, &r[3], "scan_file");
	assert_text(event_collapse, result, &r[4], "unknown (-7)");
	assert_unknown(event_collapse, reason, &r[4]);
	assert_text(event_collapse, step, &r[4], "collapse");
	s.shared = 6;
	assert_int_equal(vmt_collapse_rows(&s, &arena, &r, &n), 0);
	assert_int_equal(n, VMT_ARRAY_LEN(raws) + 1);
	assert_field(event_collapse, times_total, &r[n - 1], 6);
	assert_unknown(event_collapse, pid, &r[n - 1]);
	assert_unknown(event_collapse, step, &r[n - 1]);
	assert_unknown(event_collapse, result, &r[n - 1]);
	vmt_arena_done(&arena);
}

static int rows_once(void *arg)
{
	struct vmt_arena arena;
	struct vmt_event_collapse *r;
	size_t n;
	int ret;

	vmt_arena_init(&arena);
	ret = vmt_collapse_rows(arg, &arena, &r, &n);
	vmt_arena_done(&arena);
	return ret;
}

static void memory(void **state)
{
	struct vmt_collapse_raw raw = { .pid = 7, .times = 1, .name = "SCAN_FAIL" };
	struct vmt_collapse_sample s = { .raws = &raw, .n = 1 };

	assert_true(unit_piece_sweep(rows_once, &s) > 0);
}

/* It is asked for by a word of its own, and is in no other. */
static void asked(void **state)
{
	struct vmt_bytes word;
	uint32_t calls;

	assert_int_equal(vmt_event_only_parse("huge", &calls, &word), 0);
	assert_int_equal(calls, UINT32_C(1) << VMT_CALL_COLLAPSE);
	assert_int_equal(vmt_event_only_parse("map,process,pressure,oom,crash", &calls, &word), 0);
	assert_false(calls >> VMT_CALL_COLLAPSE & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(memory),
		cmocka_unit_test(asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
