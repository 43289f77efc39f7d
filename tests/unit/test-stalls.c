/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/events.h"
#include "model/gfp.h"
#include "model/pressure.h"

static const struct vmt_host host = { .page_size = 4096 };

static void assert_words(struct vmt_bytes is, const char *want)
{
	if (!vmt_bytes_is(is, want))
		fail_msg("'%.*s' is not '%s'", (int)is.len, is.ptr, want);
}

/* Room for a page of a user's own memory, as it is most often asked for. */
static struct vmt_stall reclaim(void)
{
	return (struct vmt_stall){ .cause = VMT_STALL_CAUSE_RECLAIM,
				   .has_request = true,
				   .has_pages = true,
				   .gfp = 0x100cca,
				   .pages = 32,
				   .cgroup = VMT_BYTES("/job") };
}

static struct vmt_event row_of(struct vmt_arena *arena, const struct vmt_stall *s)
{
	const struct vmt_event_raw e = { .call = VMT_CALL_STALL,
					 .has = VMT_EVENT_HAS_TIME,
					 .ns = 12300000,
					 .end_ns = 20000000,
					 .pid = 123,
					 .tid = 124,
					 .comm = "sort",
					 .stall = s };
	struct vmt_event row;

	assert_int_equal(vmt_event_row(&e, &host, 0, arena, &row), 0);
	return row;
}

static void assert_sentence(const struct vmt_stall *s, const char *want)
{
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_words(row_of(&arena, s).text, want);
	vmt_arena_done(&arena);
}

static void sentences(void **state)
{
	struct vmt_stall s = reclaim();

	assert_sentence(&s, "stalled 12.3ms in direct reclaim for an order-0 GFP_HIGHUSER_MOVABLE "
			    "page: 32 pages reclaimed; in cgroup /job");
	s.has_throttled = true;
	s.pages = 1;
	s.order = 3;
	s.gfp = 0xcc0;
	assert_sentence(&s, "stalled 12.3ms in direct reclaim for an order-3 GFP_KERNEL page: "
			    "1 page reclaimed; in cgroup /job");
	s.throttled_ns = 4000000;
	s.throttle = 1;
	s.cgroup = (struct vmt_bytes){ 0 };
	assert_sentence(&s, "stalled 12.3ms in direct reclaim for an order-3 GFP_KERNEL page: "
			    "1 page reclaimed, 4.00ms of it asleep for writeback");
	s.throttle = 1 | 4 | 16;
	assert_sentence(&s, "stalled 12.3ms in direct reclaim for an order-3 GFP_KERNEL page: "
			    "1 page reclaimed, 4.00ms of it asleep for "
			    "writeback+progress+others");
	s = reclaim();
	s.cause = VMT_STALL_CAUSE_CGROUP;
	s.pages = 0;
	assert_sentence(&s, "stalled 12.3ms in reclaim for the limit of a cgroup for a "
			    "GFP_HIGHUSER_MOVABLE page: 0 pages reclaimed; in cgroup /job");
	s.limit = VMT_BYTES("/job");
	assert_sentence(&s, "stalled 12.3ms in reclaim for the limit of cgroup /job for a "
			    "GFP_HIGHUSER_MOVABLE page: 0 pages reclaimed");
	s.limit = VMT_BYTES("/");
	assert_sentence(&s, "stalled 12.3ms in reclaim for the limit of cgroup / for a "
			    "GFP_HIGHUSER_MOVABLE page: 0 pages reclaimed; in cgroup /job");
	s = reclaim();
	s.cause = VMT_STALL_CAUSE_COMPACTION;
	s.has_pages = false;
	s.has_result = true;
	s.result = 9;
	s.order = 9;
	s.gfp = 0;
	assert_sentence(&s, "stalled 12.3ms in direct compaction for an order-9 0x0 page: done; in "
			    "cgroup /job");
	/* What the kernel has no name for yet. */
	s.result = 77;
	s.has_request = false;
	assert_sentence(&s, "stalled 12.3ms in direct compaction; in cgroup /job");
	s.cause = VMT_STALL_CAUSE_NONE;
	assert_sentence(&s, "stalled 12.3ms for a reason that is not known; in cgroup /job");
}

/* What is not known is no 0. */
static void fields(void **state)
{
	struct vmt_stall s = reclaim();
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	r = row_of(&arena, &s);
	assert_words(r.kind, "pressure");
	assert_words(r.event, "stall");
	assert_words(r.cause, "reclaim");
	assert_field(event, order, &r, 0);
	assert_field(event, reclaimed_bytes, &r, 32 * 4096);
	assert_field(event, duration_ns, &r, 12300000);
	assert_false(VMT_HAS(event, throttled_ns, &r));
	assert_false(VMT_HAS(event, compaction_result, &r));
	assert_false(VMT_HAS(event, limit_cgroup, &r));
	assert_false(VMT_HAS(event, result, &r));
	assert_false(VMT_HAS(event, failed, &r));
	assert_false(VMT_HAS(event, compat, &r));
	/* The kernel gives an order of 0 there, whatever it was. */
	s.cause = VMT_STALL_CAUSE_CGROUP;
	s.has_throttled = true;
	r = row_of(&arena, &s);
	assert_words(r.cause, "cgroup_reclaim");
	assert_false(VMT_HAS(event, order, &r));
	assert_field(event, throttled_ns, &r, 0);
	assert_false(VMT_HAS(event, throttled_for, &r));
	s = reclaim();
	s.cause = VMT_STALL_CAUSE_COMPACTION;
	s.has_pages = s.has_request = false;
	s.has_result = true;
	s.result = 3;
	r = row_of(&arena, &s);
	assert_words(r.compaction_result, "deferred");
	assert_false(VMT_HAS(event, reclaimed_bytes, &r));
	assert_false(VMT_HAS(event, order, &r));
	assert_false(VMT_HAS(event, gfp_flags, &r));
	vmt_arena_done(&arena);
}

static void rows(void **state)
{
	struct vmt_event_process p[] = { { .pid = 0 },
					 { .pid = 9, .comm = "sort", .ended = true },
					 { .pid = 10 } };
	struct vmt_event_sample s = { .running = true,
				      .processes = p,
				      .n_processes = 3,
				      .stalls_wanted = true,
				      .causes = 1u << VMT_STALL_CAUSE_RECLAIM |
						1u << VMT_STALL_CAUSE_COMPACTION };
	struct vmt_event_probe probe;
	struct vmt_event_stall *r;
	struct vmt_event_sum *sums;
	struct vmt_arena arena;
	size_t n;

	p[0].stalls[VMT_STALL_CAUSE_RECLAIM] =
		(struct vmt_stall_count){ .stalls = 1, .ns = 7, .longest_ns = 7 };
	p[1].stalls[VMT_STALL_CAUSE_RECLAIM] = (struct vmt_stall_count){ 4, 1, 100, 60, 32, 50 };
	p[1].stalls[VMT_STALL_CAUSE_COMPACTION] = (struct vmt_stall_count){ 2, 2, 10, 8, 0, 0 };
	p[1].counts[VMT_CALL_STALL] = (struct vmt_event_count){ .events = 6, .ns = 110 };
	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_stall_rows(&s, 4096, &arena, &r, &n), 0);
	assert_int_equal(n, 3);
	assert_false(VMT_HAS(event_stall, pid, &r[0]));
	assert_field(event_stall, stalls_total, &r[0], 1);
	assert_field(event_stall, pid, &r[1], 9);
	assert_words(r[1].comm, "sort");
	assert_words(r[1].cause, "reclaim");
	assert_field(event_stall, vain_total, &r[1], 1);
	assert_field(event_stall, mean_ns, &r[1], 25);
	assert_field(event_stall, longest_ns, &r[1], 60);
	assert_field(event_stall, reclaimed_bytes, &r[1], 32 * 4096);
	assert_false(VMT_HAS(event_stall, throttled_ns, &r[1]));
	assert_words(r[2].cause, "compaction");
	assert_false(VMT_HAS(event_stall, reclaimed_bytes, &r[2]));
	s.throttle_told = true;
	assert_int_equal(vmt_event_stall_rows(&s, 4096, &arena, &r, &n), 0);
	assert_field(event_stall, throttled_ns, &r[1], 50);
	assert_false(VMT_HAS(event_stall, throttled_ns, &r[2]));

	assert_int_equal(vmt_event_sum_rows(&s, &arena, &sums, &n), 0);
	assert_int_equal(n, 1);
	assert_words(sums[0].event, "stall");
	assert_field(event_sum, total_ns, &sums[0], 110);
	assert_false(VMT_HAS(event_sum, failed_total, &sums[0]));
	assert_false(VMT_HAS(event_sum, range_bytes, &sums[0]));

	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_words(probe.stall_causes, "reclaim+compaction");
	s.causes = 0;
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_words(probe.stall_causes, "none");
	s.stalls_wanted = false;
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_false(VMT_HAS(event_probe, stall_causes, &probe));
	vmt_arena_done(&arena);
}

static void asked(void **state)
{
	struct vmt_bytes word;
	uint32_t calls = 0;

	assert_int_equal(vmt_event_only_parse("pressure", &calls, &word), 0);
	assert_int_equal(calls, UINT32_C(1) << VMT_CALL_STALL);
	assert_int_equal(vmt_event_only_parse("exit,stall", &calls, &word), 0);
	assert_int_equal(calls, UINT32_C(1) << VMT_CALL_STALL | UINT32_C(1) << VMT_CALL_EXIT);
	assert_int_equal(VMT_STALL_CAUSES_ALL, 0xe);
	assert_null(vmt_stall_cause_name(VMT_STALL_CAUSE_NONE));
	assert_null(vmt_stall_cause_name(VMT_STALL_CAUSES));
}

static void flags(void **state)
{
	static const struct {
		uint32_t gfp;
		const char *text;
	} cases[] = {
		{ 0x100cca, "GFP_HIGHUSER_MOVABLE" },
		{ 0xcc0, "GFP_KERNEL" },
		{ 0x1c24ca | 0x800, "GFP_TRANSHUGE+__GFP_KSWAPD_RECLAIM" },
		{ 0xc40 | 0x100, "GFP_NOFS+__GFP_ZERO" },
		{ 0x400cc0, "GFP_KERNEL_ACCOUNT" },
		{ 0x400dc0, "GFP_KERNEL_ACCOUNT+__GFP_ZERO" },
		{ 0x1, "__GFP_DMA" },
		{ 0x1000001, "__GFP_DMA+0x1000000" },
		{ 0x200, "0x200" },
		{ 0x80000000, "0x80000000" },
		{ 0x1 | 0x80000000, "__GFP_DMA+0x80000000" },
		{ 0, "0x0" },
	};
	VMT_AUTO_BUF out = { 0 };

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		vmt_buf_clear(&out);
		vmt_gfp_text(&out, cases[i].gfp);
		assert_string_equal(out.data, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences), cmocka_unit_test(fields), cmocka_unit_test(rows),
		cmocka_unit_test(asked),     cmocka_unit_test(flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
