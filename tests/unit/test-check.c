/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/check-state.h"
#include "view/perfdata.h"

static struct vmt_range parse(const char *text, enum vmt_check_unit unit)
{
	struct vmt_range r = { 0 };
	struct vmt_err err = { 0 };

	if (vmt_range_parse(text, unit, &r, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return r;
}

/* The examples of the guideline: what alerts. */
static void ranges_of_the_guideline(void **state)
{
	static const struct {
		const char *range;
		int64_t value; /* thousandths */
		bool alerts;
	} cases[] = {
		{ "10", -1, true },	    { "10", 0, false },	       { "10", 10000, false },
		{ "10", 10001, true },	    { "10:", 9999, true },     { "10:", 10000, false },
		{ "10:", 1 << 30, false },  { "~:10", -5000, false },  { "~:10", 10001, true },
		{ "10:20", 9999, true },    { "10:20", 20000, false }, { "10:20", 20001, true },
		{ "@10:20", 9999, false },  { "@10:20", 10000, true }, { "@10:20", 20000, true },
		{ "@10:20", 20001, false }, { "@10", 0, true },	       { "@10", -1, false },
		{ "0", 0, false },	    { "0", 1, true },	       { "0.5", 500, false },
		{ "0.5", 501, true },	    { "-5:5", -5000, false },  { "-5:5", -5001, true },
		{ "~:", 0, false },	    { "@~:", 0, true },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_range r = parse(cases[i].range, VMT_CHECK_COUNT);

		if (vmt_range_alerts(&r, cases[i].value) != cases[i].alerts)
			fail_msg("%s, %lld", cases[i].range, (long long)cases[i].value);
	}
}

static void nothing_given_never_alerts(void **state)
{
	const struct vmt_range none = { 0 };

	assert_false(vmt_range_alerts(&none, 0));
	assert_false(vmt_range_alerts(&none, INT64_MIN));
}

static void ranges_that_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   ":",
					   "@",
					   "@:",
					   "a",
					   "1:2:3",
					   "20:10",
					   "1e3",
					   "0x10",
					   "1,5",
					   " 1",
					   "1 ",
					   "--1",
					   "1.",
					   ".5",
					   "1:~",
					   "~",
					   "nan",
					   "inf",
					   "+1",
					   "1K",
					   "10%",
					   "\xff",
					   "5:-5",
					   "99999999999999999999",
					   "9300000000000000" };
	struct vmt_range r = { 0 };
	struct vmt_err err;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		err = (struct vmt_err){ 0 };
		if (vmt_range_parse(bad[i], VMT_CHECK_COUNT, &r, &err) == 0)
			fail_msg("'%s' is a range", bad[i]);
		assert_true(err.text[0]);
		assert_false(r.given);
	}
}

static void units(void **state)
{
	assert_int_equal(parse("1K", VMT_CHECK_BYTES).high.milli, 1024000);
	assert_int_equal(parse("1.5MiB", VMT_CHECK_BYTES).high.milli, 1572864000);
	assert_int_equal(parse("2GB:", VMT_CHECK_BYTES).low.milli, 2000000000000);
	assert_int_equal(parse("4T", VMT_CHECK_GROWTH).high.milli, INT64_C(4398046511104000));
	assert_int_equal(parse("95%", VMT_CHECK_PERCENT).high.milli, 95000);
	assert_int_equal(parse("500ns", VMT_CHECK_TIME).high.milli, 500);
	assert_int_equal(parse("2ms", VMT_CHECK_TIME).high.milli, 2000000);
	assert_int_equal(parse("0.000000001s", VMT_CHECK_TIME).high.milli, 1);
	assert_int_equal(parse("10%:", VMT_CHECK_BYTES).low.kind, VMT_BOUND_PERCENT);
}

static void percents_of_a_total(void **state)
{
	struct vmt_range r = parse("10%:", VMT_CHECK_BYTES), out = { 0 };
	VMT_AUTO_BUF text = { 0 };

	/* The figures of an example: whole bytes, rounded down. */
	assert_int_equal(vmt_range_resolve(&r, INT64_C(25276514304000), &out), 0);
	vmt_range_text(&text, &out);
	assert_string_equal(text.data, "2527651430:");
	assert_int_equal(vmt_range_resolve(&r, -1, &out), -ENODATA);
	/* The ends may turn out to stand the wrong way round. */
	r = parse("50%:1K", VMT_CHECK_BYTES);
	assert_int_equal(vmt_range_resolve(&r, 1000000, &out), 0);
	assert_int_equal(vmt_range_resolve(&r, 1000000000, &out), -EINVAL);
	/* A product that 64 bits do not hold. */
	r = parse("100%", VMT_CHECK_BYTES);
	assert_int_equal(vmt_range_resolve(&r, INT64_MAX / 1000 * 1000, &out), 0);
	assert_true(out.high.milli == INT64_MAX / 1000 * 1000);
	r = parse("200%", VMT_CHECK_BYTES);
	assert_int_equal(vmt_range_resolve(&r, INT64_MAX, &out), -EINVAL);
	r = parse("-200%:", VMT_CHECK_BYTES);
	assert_int_equal(vmt_range_resolve(&r, INT64_MAX, &out), -EINVAL);
	assert_int_equal(vmt_range_resolve(&r, 1000, &out), 0);
	assert_int_equal(out.low.milli, -2000);
}

static void ranges_as_text(void **state)
{
	static const char *const same[] = { "10",   "10:",    "~:10", "10:20", "@10:20", "@5",
					    "0.25", "-3:4.5", "0:",   "~:",    "@-1:" };
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(same); i++) {
		struct vmt_range r = parse(same[i], VMT_CHECK_COUNT);

		vmt_buf_clear(&text);
		vmt_range_text(&text, &r);
		assert_string_equal(text.data, same[i]);
	}
}

/* Numbers that programs read: no exponent, no digit too many. */
static void h07_numbers(void **state)
{
	static const struct {
		int64_t milli;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.001" },
		{ -1, "-0.001" },
		{ 2310, "2.31" },
		{ 5000, "5" },
		{ -3250, "-3.25" },
		{ INT64_MAX, "9223372036854775.807" },
		{ INT64_MIN, "-9223372036854775.808" },
	};
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		vmt_buf_clear(&text);
		vmt_check_number(&text, cases[i].milli);
		assert_string_equal(text.data, cases[i].want);
	}
}

static void labels(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "available", "available" },
		{ "psi.some.avg10", "psi_some_avg10" },
		{ "a b", "'a b'" },
		{ "it's", "'it''s'" },
		{ "a=b|c", "a_b_c" },
		{ "x\ny\x1b[2J", "'x_y_[2J'" },
		{ "gr\xc3\xbc\xc3\x9f", "gr____" },
		{ "", "''" },
		{ "a;b", "'a;b'" },
	};
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		vmt_buf_clear(&text);
		vmt_perf_label(&text, vmt_bytes_of(cases[i].name));
		assert_string_equal(text.data, cases[i].want);
	}
}

static void text_has_no_bar(void **state)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_perf_text(&text, VMT_BYTES("a|b\nc\x1b\xff"));
	assert_string_equal(text.data, "a\\x7cb\\x0ac\\x1b\\xff");
}

static void perf_values(void **state)
{
	struct vmt_figure f = { .state = VMT_FIGURE_KNOWN,
				.value = INT64_C(1516566938000),
				.total = INT64_C(25276514304000) };
	struct vmt_range w = parse("10%:", VMT_CHECK_BYTES), c = parse("5%:", VMT_CHECK_BYTES);
	const struct vmt_range none = { 0 };
	struct vmt_judged j = { 0 }, k = { 0 };
	VMT_AUTO_BUF text = { 0 };

	assert_int_equal(
		vmt_figure_judge(&f, VMT_MEASURE_AVAILABLE, VMT_BYTES("available"), &w, &c, &j), 0);
	assert_int_equal(j.status, VMT_STATUS_WARNING);
	assert_string_equal(f.reason.data, "limit 10%");
	vmt_perf_value(&text, VMT_BYTES("available"), VMT_MEASURE_AVAILABLE, &f, &j);
	assert_string_equal(text.data,
			    "available=1516566938B;2527651430:;1263825715:;0;25276514304");
	vmt_figure_done(&f);
	vmt_buf_clear(&text);
	f = (struct vmt_figure){ .state = VMT_FIGURE_KNOWN, .value = 2310, .total = -1 };
	assert_int_equal(
		vmt_figure_judge(&f, VMT_MEASURE_PSI_SOME_10, VMT_BYTES("p"), &none, &none, &k), 0);
	vmt_perf_value(&text, VMT_BYTES("p"), VMT_MEASURE_PSI_SOME_10, &f, &k);
	assert_string_equal(text.data, "p=2.31%");
	vmt_buf_clear(&text);
	f.state = VMT_FIGURE_UNKNOWN;
	vmt_perf_value(&text, VMT_BYTES("p"), VMT_MEASURE_PSI_SOME_10, &f, &k);
	assert_string_equal(text.data, "p=U");
	vmt_judged_done(&j);
	vmt_judged_done(&k);
	vmt_figure_done(&f);
}

/* A part of what is not known is not known, and not 0. */
static void unknown_is_unknown(void **state)
{
	struct vmt_figure f = { .state = VMT_FIGURE_KNOWN, .value = 0, .total = -1 };
	struct vmt_range w = parse("10%:", VMT_CHECK_BYTES);
	const struct vmt_range none = { 0 };
	struct vmt_judged j = { 0 };

	assert_int_equal(vmt_figure_judge(&f, VMT_MEASURE_AVAILABLE, VMT_BYTES("a"), &w, &none, &j),
			 0);
	assert_int_equal(j.status, VMT_STATUS_UNKNOWN);
	assert_int_equal(vmt_status_code(j.status), 3);
	assert_false(VMT_HAS(verdict, value, &j.row));
	assert_true(VMT_HAS(verdict, reason, &j.row));
	vmt_judged_done(&j);
	vmt_figure_done(&f);
}

static struct vmt_sample *machine(uint64_t monotonic_ns, uint64_t majflt, uint64_t ooms,
				  const char *boot)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->host.monotonic_ns = monotonic_ns;
	s->host.boot_id = vmt_bytes_of(boot);
	VMT_SET(system, pgmajfault_total, &s->system, majflt);
	VMT_SET(system, oom_kill_total, &s->system, ooms);
	s->sources[VMT_SOURCE_VMSTAT].state = VMT_STATE_OK;
	return s;
}

static struct vmt_sample *again(const struct vmt_sample *s)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_sample *ret = NULL;
	struct vmt_err err = { 0 };
	const struct vmt_figure_want wants[] = {
		{ .measure = VMT_MEASURE_PROC_GROWTH, .comm = "a*" },
	};

	vmt_check_state_write(&text, s, wants, VMT_ARRAY_LEN(wants));
	assert_int_equal(vmt_buf_error(&text), 0);
	if (vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, &ret, &err) < 0)
		fail_msg("%u: %s\n%s", err.line, err.text, text.data);
	return ret;
}

static void measure(const struct vmt_sample *s, const struct vmt_sample *prev,
		    const struct vmt_figure_want *want, struct vmt_figure *f)
{
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(vmt_model_build(s, prev, NULL, &m, NULL), 0);
	assert_int_equal(vmt_figure_take(m, prev, want, f), 0);
}

#define SEC UINT64_C(1000000000)

/* What was kept is a sample: rates are of it and of the next one. */
static void state_and_rates(void **state)
{
	VMT_AUTO_SAMPLE first = machine(100 * SEC, 1000, 3, "b");
	VMT_AUTO_SAMPLE kept = again(first);
	VMT_AUTO_SAMPLE now = machine(300 * SEC, 1500, 5, "b");
	struct vmt_figure f = { 0 };
	struct vmt_figure_want want = { .measure = VMT_MEASURE_MAJFLT };

	measure(now, kept, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_KNOWN);
	assert_int_equal(f.value, 2500);
	want.measure = VMT_MEASURE_OOM_KILL;
	measure(now, kept, &want, &f);
	assert_int_equal(f.value, 2000);
	assert_string_equal(f.text.data, "2 (over 200s)");
	/* The kernel did not say it. */
	want.measure = VMT_MEASURE_DIRECT_RECLAIM;
	measure(now, kept, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
	vmt_figure_done(&f);
}

/* The wall clock is a label: what it does changes no rate. */
static void i01_the_clock_is_set(void **state)
{
	VMT_AUTO_SAMPLE before = machine(100 * SEC, 1000, 3, "b");
	VMT_AUTO_SAMPLE now = machine(200 * SEC, 1100, 3, "b");
	const struct vmt_figure_want want = { .measure = VMT_MEASURE_MAJFLT };
	static const uint64_t clocks[] = { 0, 7200 * SEC, 3600 * SEC, UINT64_MAX };
	struct vmt_figure f = { 0 };
	size_t i;

	before->host.realtime_ns = 7200 * SEC;
	for (i = 0; i < VMT_ARRAY_LEN(clocks); i++) {
		now->host.realtime_ns = clocks[i];
		measure(now, before, &want, &f);
		assert_int_equal(f.state, VMT_FIGURE_KNOWN);
		assert_int_equal(f.value, 1000);
	}
	vmt_figure_done(&f);
}

/* While the machine sleeps nothing counts, and CLOCK_MONOTONIC stands. */
static void i02_the_machine_slept(void **state)
{
	VMT_AUTO_SAMPLE before = machine(100 * SEC, 1000, 3, "b");
	VMT_AUTO_SAMPLE now = machine(200 * SEC, 1100, 3, "b");
	const struct vmt_figure_want want = { .measure = VMT_MEASURE_MAJFLT };
	struct vmt_figure f = { 0 };

	before->host.boottime_ns = 100 * SEC;
	now->host.boottime_ns = 100000 * SEC;
	measure(now, before, &want, &f);
	assert_int_equal(f.value, 1000);
	vmt_figure_done(&f);
}

/* Counters that go back give no figure, and no huge one. */
/* What is known of some alone is that or more: an upper limit that it is past is passed. */
static void of_some_alone(void **state)
{
	static const struct {
		const char *range;
		enum vmt_status status;
	} cases[] = { { "4", VMT_STATUS_CRITICAL },  { "5:", VMT_STATUS_UNKNOWN },
		      { "8", VMT_STATUS_UNKNOWN },   { "~:4", VMT_STATUS_CRITICAL },
		      { "6:9", VMT_STATUS_UNKNOWN }, { "@3:", VMT_STATUS_CRITICAL },
		      { "@3:9", VMT_STATUS_UNKNOWN } };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_figure f = { .state = VMT_FIGURE_AT_LEAST, .value = 5000, .total = -1 };
		struct vmt_range none = { 0 }, range;
		struct vmt_judged j = { 0 };
		struct vmt_err err = { 0 };

		vmt_buf_adds(&f.reason, "one of them was not read");
		assert_int_equal(vmt_range_parse(cases[i].range, VMT_CHECK_COUNT, &range, &err), 0);
		assert_int_equal(vmt_figure_judge(&f, VMT_MEASURE_OOM_KILL, VMT_BYTES("c"), &none,
						  &range, &j),
				 0);
		assert_int_equal(j.status, cases[i].status);
		assert_int_equal(f.state, j.status == VMT_STATUS_UNKNOWN ? VMT_FIGURE_UNKNOWN
									 : VMT_FIGURE_KNOWN);
		if (j.status == VMT_STATUS_UNKNOWN)
			assert_true(vmt_bytes_is(j.row.reason, "one of them was not read"));
		else
			assert_non_null(
				strstr(f.reason.data, "; at least: one of them was not read"));
		vmt_judged_done(&j);
		vmt_figure_done(&f);
	}
}

static void i03_counters_that_go_back(void **state)
{
	VMT_AUTO_SAMPLE before = machine(100 * SEC, 1000, 7, "b");
	VMT_AUTO_SAMPLE now = machine(200 * SEC, 10, 3, "b");
	struct vmt_figure f = { 0 };
	struct vmt_figure_want want = { .measure = VMT_MEASURE_OOM_KILL };

	measure(now, before, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
	assert_string_equal(f.reason.data, "the counter went back");
	want.measure = VMT_MEASURE_MAJFLT;
	measure(now, before, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
	assert_string_equal(f.reason.data, "the counter went back");
	vmt_figure_done(&f);
}

/* The last run was not asked for the counter: there is nothing to hold it against, so far. */
static void a_counter_that_was_not_kept(void **state)
{
	VMT_AUTO_SAMPLE before = vmt_sample_new();
	VMT_AUTO_SAMPLE now = machine(200 * SEC, 1100, 3, "b");
	struct vmt_figure f = { 0 };
	struct vmt_figure_want want = { .measure = VMT_MEASURE_OOM_KILL };

	before->host.monotonic_ns = 100 * SEC;
	before->host.boot_id = VMT_BYTES("b");
	measure(now, before, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_NOTHING);
	want.measure = VMT_MEASURE_MAJFLT;
	measure(now, before, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_NOTHING);
	/* This kernel has none: that is for ever. */
	want.measure = VMT_MEASURE_REFAULT;
	measure(now, before, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
	vmt_figure_done(&f);
}

/* Another boot, another machine, a time that is yet to come: nothing to measure against. */
static void states_of_another_time(void **state)
{
	VMT_AUTO_SAMPLE now = machine(200 * SEC, 1000, 3, "b");
	VMT_AUTO_SAMPLE other = machine(100 * SEC, 10, 1, "c");
	VMT_AUTO_SAMPLE later = machine(300 * SEC, 10, 1, "b");
	struct vmt_figure f = { 0 };
	const struct vmt_figure_want want = { .measure = VMT_MEASURE_OOM_KILL };

	measure(now, NULL, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_NOTHING);
	measure(now, other, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_NOTHING);
	measure(now, later, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_NOTHING);
	vmt_figure_done(&f);
}

static struct vmt_proc proc(uint64_t pid, uint64_t start, uint64_t rss, const char *comm)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, start_time_ns, &p, start);
	VMT_SET(proc, rss_bytes, &p, rss);
	VMT_SET(proc, comm, &p, vmt_bytes_of(comm));
	return p;
}

static void growth_of_the_same_process(void **state)
{
	struct vmt_proc before[] = { proc(3, 1, 4096, "ab"), proc(7, 2, 8192, "ac"),
				     proc(9, 5, 1 << 20, "ad"), proc(11, 5, 4096, "other") };
	/* 9 is another one by now, 11 is not asked for, 12 was not there. */
	struct vmt_proc after[] = { proc(3, 1, 4096, "ab"), proc(7, 2, 8192 + 20480, "ac"),
				    proc(9, 6, 1 << 30, "ad"), proc(11, 5, 1 << 30, "other"),
				    proc(12, 7, 1 << 30, "ae") };
	VMT_AUTO_SAMPLE first = machine(100 * SEC, 0, 0, "b");
	VMT_AUTO_SAMPLE now = machine(110 * SEC, 0, 0, "b");
	VMT_AUTO_SAMPLE kept = NULL;
	struct vmt_figure f = { 0 };
	struct vmt_figure_want want = { .measure = VMT_MEASURE_PROC_GROWTH, .comm = "a*" };

	first->procs = before;
	first->n_procs = VMT_ARRAY_LEN(before);
	kept = again(first);
	assert_int_equal(kept->n_procs, 3);
	now->procs = after;
	now->n_procs = VMT_ARRAY_LEN(after);
	measure(now, kept, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_KNOWN);
	assert_int_equal(f.value, 2048000);
	assert_string_equal(f.text.data, "2.00KiB/s (7 (ac), most of 4, over 10.0s)");
	want.comm = "a?";
	want.measure = VMT_MEASURE_PROC_RSS;
	measure(now, kept, &want, &f);
	assert_int_equal(f.value, INT64_C(1000) << 30);
	want.comm = "nobody";
	measure(now, kept, &want, &f);
	assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
	assert_string_equal(f.reason.data, "no process is called nobody");
	vmt_figure_done(&f);
}

/* The largest of some is not the largest, where one could not be read; one that ended is none. */
static void largest_of_those_that_are_there(void **state)
{
	static const enum vmt_measure_id measures[] = { VMT_MEASURE_MAPS_COUNT,
							VMT_MEASURE_PROC_PSS };
	struct vmt_proc procs[] = { proc(3, 1, 4096, "ab"), proc(7, 2, 4096, "ac") };
	VMT_AUTO_SAMPLE s = machine(100 * SEC, 0, 0, "b");
	struct vmt_figure f = { 0 };
	size_t i;

	VMT_SET(proc, pss_bytes, &procs[0], 4096);
	VMT_SET(proc, maps_total, &procs[0], 655);
	VMT_SET(proc, maps_limit, &procs[0], 65500);
	VMT_SET(proc, maps_percent, &procs[0], 1000);
	s->procs = procs;
	s->n_procs = VMT_ARRAY_LEN(procs);
	for (i = 0; i < VMT_ARRAY_LEN(measures); i++) {
		struct vmt_figure_want want = { .measure = measures[i], .comm = "a*" };

		VMT_SET(proc, read_status, &procs[1], VMT_BYTES("denied"));
		measure(s, NULL, &want, &f);
		assert_int_equal(f.state, VMT_FIGURE_AT_LEAST);
		VMT_SET(proc, read_status, &procs[1], VMT_BYTES("gone"));
		measure(s, NULL, &want, &f);
		assert_int_equal(f.state, VMT_FIGURE_KNOWN);
		want.comm = "nobody";
		measure(s, NULL, &want, &f);
		assert_int_equal(f.state, VMT_FIGURE_UNKNOWN);
		assert_string_equal(f.reason.data, "no process is called nobody");
	}
	vmt_figure_done(&f);
}

static void states_that_are_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{ "", 1 },
		{ "vmtop-check-state 2\nend\n", 1 },
		{ "vmtop-check-state 1\n", 1 },
		{ "vmtop-check-state 1\nboot_id a\nsystem pgmajfault_total 5\n", 3 },
		{ "vmtop-check-state 1\nend\nmore\n", 2 },
		{ "vmtop-check-state 1\nmonotonic_ns -1\nend\n", 2 },
		{ "vmtop-check-state 1\nmonotonic_ns 99999999999999999999\nend\n", 2 },
		{ "vmtop-check-state 1\nsystem pgmajfault_total\nend\n", 2 },
		{ "vmtop-check-state 1\nsystem pgmajfault_total 5x\nend\n", 2 },
		{ "vmtop-check-state 1\nproc 5 1 rss_bytes 1\nproc 4 1 rss_bytes 1\nend\n", 3 },
		{ "vmtop-check-state 1\nproc 5 1 rss_bytes 1\nproc 5 2 rss_bytes 1\nend\n", 3 },
		{ "vmtop-check-state 1\nproc 5\nend\n", 2 },
		{ "vmtop-check-state 1\nproc x 1 rss_bytes 1\nend\n", 2 },
		{ "vmtop-check-state 1\nproc 5 1 rss_bytes\nend\n", 2 },
		{ "vmtop-check-state 1\nproc 5 1 rss_bytes 1 2\nend\n", 2 },
		{ "vmtop-check-state 1\nmonotonic_ns 1 2\nend\n", 2 },
		{ "vmtop-check-state 1\nend of it\n", 2 },
	};
	struct vmt_sample *s = NULL;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_check_state_read(vmt_bytes_of(cases[i].text), &s, &err),
				 -EINVAL);
		if (err.line != cases[i].line)
			fail_msg("line %u of %s", err.line, cases[i].text);
		assert_null(s);
	}
	/* What another version may add. */
	assert_int_equal(vmt_check_state_read(VMT_BYTES("vmtop-check-state 1\nnew thing\n"
							"system no_such_total 5\nproc 1 1 no 5\n"
							"system free_bytes 5\nproc 1 1 comm 5\n"
							"end\n"),
					      &s, NULL),
			 0);
	/* A gauge of then says nothing now, and a name is no number. */
	assert_unknown(system, free_bytes, &s->system);
	assert_int_equal(s->n_procs, 1);
	assert_unknown(proc, rss_bytes, &s->procs[0]);
	assert_unknown(proc, comm, &s->procs[0]);
	vmt_sample_free(s);
}

/* A file of any size costs no more than is allowed. */
static void a_huge_state(void **state)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_sample *s = NULL;
	size_t i;

	vmt_buf_adds(&text, "vmtop-check-state 1\n");
	for (i = 1; i <= VMT_CHECK_STATE_PROCS + 1; i++)
		vmt_buf_addf(&text, "proc %zu 1 rss_bytes 1\n", i);
	vmt_buf_adds(&text, "end\n");
	assert_true(text.len < VMT_CHECK_STATE_MAX);
	assert_int_equal(vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, &s, NULL),
			 -EINVAL);
	while (text.len <= VMT_CHECK_STATE_MAX)
		vmt_buf_adds(&text, "more\n");
	assert_int_equal(vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, &s, NULL),
			 -EINVAL);
	assert_null(s);
}

/* Sources that are not there are counted and named. */
static void missing_sources(void **state)
{
	VMT_AUTO_SAMPLE s = machine(SEC, 0, 0, "b");
	struct vmt_figure f = { 0 };
	const struct vmt_figure_want want = { .measure = VMT_MEASURE_SOURCE_MISSING,
					      .sources = VMT_CHECK_SOURCES };

	s->sources[VMT_SOURCE_PRESSURE].state = VMT_STATE_ABSENT;
	s->sources[VMT_SOURCE_ZONEINFO].state = VMT_STATE_DENIED;
	s->sources[VMT_SOURCE_MEMINFO].state = VMT_STATE_OK;
	s->sources[VMT_SOURCE_MAPS].state = VMT_STATE_FAILED;
	measure(s, NULL, &want, &f);
	assert_int_equal(f.value, 2000);
	assert_string_equal(f.text.data, "2 of 4 (zoneinfo denied, pressure absent)");
	vmt_figure_done(&f);
}

/* Each metric on a sample that has nothing: unknown or nothing, with a reason, and never 0. */
static void nothing_is_no_figure(void **state)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	VMT_AUTO_MODEL m = NULL;
	size_t i;

	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	for (i = 0; i < VMT_MEASURE_COUNT; i++) {
		const struct vmt_figure_want want = { .measure = (enum vmt_measure_id)i };
		struct vmt_figure f = { 0 };

		assert_int_equal(vmt_figure_take(m, NULL, &want, &f), 0);
		if (f.state == VMT_FIGURE_KNOWN || f.reason.len == 0)
			fail_msg("%s is known", vmt_measures[i].name);
		vmt_figure_done(&f);
	}
}

/* A start that is left out is 0, and one of a number that 128 bits do not hold is refused. */
static void starts_and_ends(void **state)
{
	struct vmt_range r = parse(":5", VMT_CHECK_COUNT);
	struct vmt_err err = { 0 };

	assert_int_equal(r.low.kind, VMT_BOUND_VALUE);
	assert_int_equal(r.low.milli, 0);
	assert_int_equal(r.high.milli, 5000);
	assert_int_equal(vmt_range_parse("18446744073709551615T", VMT_CHECK_BYTES, &r, &err),
			 -ERANGE);
	assert_int_equal(vmt_range_parse("x:5", VMT_CHECK_COUNT, &r, &err), -EINVAL);
	assert_int_equal(vmt_range_parse("1.x", VMT_CHECK_COUNT, &r, &err), -EINVAL);
	assert_int_equal(r.high.milli, 5000);
}

/* Whether what is larger alerts, too. */
static void from_a_value_on(void **state)
{
	static const struct {
		const char *range;
		int64_t value;
		bool from;
	} cases[] = {
		{ "10", 10001, true },	  { "10", 10000, false },   { "10", -1, false },
		{ "10:", 9999, false },	  { "10:", 10000, false },  { "@10:20", 15000, false },
		{ "@10:", 15000, true },  { "@10:", 9999, false },  { "~:10", 10001, true },
		{ "10:20", 20001, true }, { "10:20", 9999, false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_range r = parse(cases[i].range, VMT_CHECK_COUNT);

		if (vmt_range_alerts_from(&r, cases[i].value) != cases[i].from)
			fail_msg("%s, %lld", cases[i].range, (long long)cases[i].value);
	}
}

static void figures_with_their_units(void **state)
{
	static const struct {
		int64_t milli;
		enum vmt_check_unit unit;
		const char *text, *uom;
	} cases[] = {
		{ 1536000, VMT_CHECK_BYTES, "1.50KiB", "B" },
		{ 12000, VMT_CHECK_BYTES, "12B", "B" },
		{ 12288000, VMT_CHECK_GROWTH, "12.0KiB/s", "" },
		{ -12288000, VMT_CHECK_GROWTH, "-12.0KiB/s", "" },
		{ 5978, VMT_CHECK_PERCENT, "5.97%", "%" },
		{ -5978, VMT_CHECK_PERCENT, "-5.97%", "%" },
		{ 95978, VMT_CHECK_PERCENT, "95.9%", "%" },
		{ -95978, VMT_CHECK_PERCENT, "-95.9%", "%" },
		{ 12000, VMT_CHECK_COUNT, "12", "" },
		{ 3500, VMT_CHECK_RATE, "3.5/s", "" },
		{ 850000, VMT_CHECK_TIME, "850us", "us" },
		{ -1, VMT_CHECK_TIME, "0", "us" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_BUF text = { 0 };

		vmt_check_figure(&text, cases[i].milli, cases[i].unit);
		assert_buf(&text, cases[i].text);
		assert_string_equal(vmt_check_uom(cases[i].unit), cases[i].uom);
	}
}

/* Of the processes that are asked for those are kept that can be told apart later, no more than a
 * reader takes, and of what is not known nothing. */
static void states_that_are_kept(void **state)
{
	const struct vmt_figure_want wants[] = {
		{ .measure = VMT_MEASURE_COMMIT },
		{ .measure = VMT_MEASURE_PROC_GROWTH, .comm = "a*" },
	};
	VMT_AUTO_SAMPLE s = machine(SEC, 0, 0, "b");
	struct vmt_sample *back = NULL;
	VMT_AUTO_BUF text = { 0 };
	size_t i, n = VMT_CHECK_STATE_PROCS + 10;

	s->procs = vmt_arena_alloc(&s->arena, n, sizeof(*s->procs));
	assert_non_null(s->procs);
	s->n_procs = n;
	for (i = 0; i < n; i++) {
		struct vmt_proc *p = &s->procs[i];

		VMT_SET(proc, pid, p, i + 1);
		VMT_SET(proc, comm, p, i == 3 ? VMT_BYTES("b") : VMT_BYTES("a"));
		if (i != 1)
			VMT_SET(proc, start_time_ns, p, 7);
		if (i != 2)
			VMT_SET(proc, rss_bytes, p, 4096);
	}
	vmt_check_state_write(&text, s, wants, VMT_ARRAY_LEN(wants));
	assert_int_equal(
		vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, &back, NULL), 0);
	assert_int_equal(back->procs[0].pid, 1);
	assert_int_equal(back->procs[1].pid, 5);
	assert_int_equal(back->n_procs, VMT_CHECK_STATE_PROCS - 1);
	vmt_sample_free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_the_guideline),
		cmocka_unit_test(nothing_given_never_alerts),
		cmocka_unit_test(ranges_that_are_refused),
		cmocka_unit_test(units),
		cmocka_unit_test(percents_of_a_total),
		cmocka_unit_test(ranges_as_text),
		cmocka_unit_test(h07_numbers),
		cmocka_unit_test(labels),
		cmocka_unit_test(text_has_no_bar),
		cmocka_unit_test(perf_values),
		cmocka_unit_test(unknown_is_unknown),
		cmocka_unit_test(state_and_rates),
		cmocka_unit_test(i01_the_clock_is_set),
		cmocka_unit_test(i02_the_machine_slept),
		cmocka_unit_test(of_some_alone),
		cmocka_unit_test(i03_counters_that_go_back),
		cmocka_unit_test(states_of_another_time),
		cmocka_unit_test(growth_of_the_same_process),
		cmocka_unit_test(a_counter_that_was_not_kept),
		cmocka_unit_test(largest_of_those_that_are_there),
		cmocka_unit_test(states_that_are_refused),
		cmocka_unit_test(a_huge_state),
		cmocka_unit_test(missing_sources),
		cmocka_unit_test(nothing_is_no_figure),
		cmocka_unit_test(starts_and_ends),
		cmocka_unit_test(from_a_value_on),
		cmocka_unit_test(figures_with_their_units),
		cmocka_unit_test(states_that_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
