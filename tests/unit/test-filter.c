/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/filter.h"
#include "model/rows.h"

static struct vmt_proc process(void)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, 42);
	VMT_SET(proc, comm, &p, VMT_BYTES("postgres"));
	VMT_SET(proc, rss_bytes, &p, 100 << 20);
	VMT_SET(proc, minor_faults_per_second, &p, 1500);
	VMT_SET(proc, start_time_ns, &p, UINT64_C(2500000000));
	VMT_SET(proc, swap_bytes, &p, 0);
	return p;
}

static enum vmt_truth truth(const char *text)
{
	struct vmt_proc p = process();
	VMT_AUTO_FILTER f = NULL;
	struct vmt_err err = { 0 };

	if (vmt_filter_parse(&f, &vmt_entity_proc, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return vmt_filter_test(f, &p, 4096);
}

static void comparisons(void **state)
{
	static const struct {
		const char *text;
		enum vmt_truth want;
	} cases[] = {
		{ "rss=100M", VMT_TRUE },
		{ "rss == 100MiB", VMT_TRUE },
		{ "RSS>=102400k", VMT_TRUE },
		{ "rss_bytes>100MB", VMT_TRUE },
		{ "rss<105MB", VMT_TRUE },
		{ "rss<104MB", VMT_FALSE },
		{ "rss=25600p", VMT_TRUE },
		{ "rss!=25601p", VMT_TRUE },
		{ "rss<0.1G", VMT_TRUE },
		{ "rss>0.09G", VMT_TRUE },
		{ "rss<18446744073709551615", VMT_TRUE },
		{ "pid=42", VMT_TRUE },
		{ "pid<42", VMT_FALSE },
		{ "pid<=42", VMT_TRUE },
		{ "min/s=1.5", VMT_TRUE },
		{ "min/s>1.501", VMT_FALSE },
		{ "start=2.5", VMT_TRUE },
		{ "start<2600ms", VMT_TRUE },
		{ "comm=postgres", VMT_TRUE },
		{ "comm = \"postgres\"", VMT_TRUE },
		{ "comm!='post gres'", VMT_TRUE },
		{ "comm~^post", VMT_TRUE },
		{ "comm=~gre?s$", VMT_TRUE },
		{ "comm !~ ^gres", VMT_TRUE },
		{ "comm~'^(my|post)'", VMT_TRUE },
		{ "rss", VMT_TRUE },
		{ "swap", VMT_FALSE },
		{ "comm", VMT_TRUE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		if (truth(cases[i].text) != cases[i].want)
			fail_msg("%s is not %d", cases[i].text, cases[i].want);
}

static void and_binds_more_than_or(void **state)
{
	assert_int_equal(truth("pid=42 || pid=1 && pid=2"), VMT_TRUE);
	assert_int_equal(truth("(pid=42 || pid=1) && pid=2"), VMT_FALSE);
	assert_int_equal(truth("!pid=1 && !(pid=2||pid=3)"), VMT_TRUE);
	assert_int_equal(truth("!!pid=42"), VMT_TRUE);
	assert_int_equal(truth("pid=42&&rss>1K||swap"), VMT_TRUE);
}

/* PSS was not read: neither it nor its contrary holds. */
static void unknown_is_neither(void **state)
{
	assert_int_equal(truth("pss>0"), VMT_UNKNOWN);
	assert_int_equal(truth("pss"), VMT_UNKNOWN);
	assert_int_equal(truth("!(pss>0)"), VMT_UNKNOWN);
	assert_int_equal(truth("pss>0 || pss<=0"), VMT_UNKNOWN);
	assert_int_equal(truth("pss>0 && pid=42"), VMT_UNKNOWN);
	assert_int_equal(truth("pss>0 && pid=1"), VMT_FALSE);
	assert_int_equal(truth("pss>0 || pid=42"), VMT_TRUE);
	assert_int_equal(truth("user!=root"), VMT_UNKNOWN);
}

static void below_zero(void **state)
{
	struct vmt_system s = { 0 };
	VMT_AUTO_FILTER below = NULL;
	VMT_AUTO_FILTER above = NULL;
	VMT_AUTO_FILTER zero = NULL;

	assert_int_equal(vmt_filter_parse(&below, &vmt_entity_system, "residual<-1M", NULL), 0);
	assert_int_equal(vmt_filter_parse(&above, &vmt_entity_system, "residual>=-4096", NULL), 0);
	assert_int_equal(vmt_filter_parse(&zero, &vmt_entity_system, "residual=-0", NULL), 0);
	VMT_SET(system, available_residual_bytes, &s, -(2 << 20));
	assert_int_equal(vmt_filter_test(below, &s, 4096), VMT_TRUE);
	assert_int_equal(vmt_filter_test(above, &s, 4096), VMT_FALSE);
	VMT_SET(system, available_residual_bytes, &s, INT64_MIN);
	assert_int_equal(vmt_filter_test(below, &s, 4096), VMT_TRUE);
	VMT_SET(system, available_residual_bytes, &s, -4096);
	assert_int_equal(vmt_filter_test(below, &s, 4096), VMT_FALSE);
	assert_int_equal(vmt_filter_test(above, &s, 4096), VMT_TRUE);
	VMT_SET(system, available_residual_bytes, &s, 4096);
	assert_int_equal(vmt_filter_test(below, &s, 4096), VMT_FALSE);
	assert_int_equal(vmt_filter_test(above, &s, 4096), VMT_TRUE);
	VMT_SET(system, available_residual_bytes, &s, 0);
	assert_int_equal(vmt_filter_test(zero, &s, 4096), VMT_TRUE);
	assert_int_equal(vmt_filter_test(above, &s, 4096), VMT_TRUE);
}

/* Names are bytes: NUL within, no NUL behind. */
static void any_byte_is_matched(void **state)
{
	struct vmt_proc p = process();
	VMT_AUTO_FILTER f = NULL;

	VMT_SET(proc, comm, &p,
		((struct vmt_bytes){ "a\0\xff"
				     "bX",
				     4 }));
	assert_int_equal(vmt_filter_parse(&f, &vmt_entity_proc, "comm~b$", NULL), 0);
	assert_int_equal(vmt_filter_test(f, &p, 4096), VMT_TRUE);
	VMT_SET(proc, comm, &p, ((struct vmt_bytes){ NULL, 0 }));
	assert_int_equal(vmt_filter_test(f, &p, 4096), VMT_FALSE);
}

static void errors_say_where(void **state)
{
	static const struct {
		const char *text;
		const char *where;
	} cases[] = {
		{ "", "character 1: it ends" },
		{ "rss>", "character 5: no value" },
		{ "rss>100Q", "character 5: no size" },
		{ "rss>1.5p", "character 5: no size" },
		{ "rss>-1", "character 5: no size" },
		{ "pid=18446744073709551616", "character 5: this number is too large" },
		{ "rss>99999999T", "character 5: this number is too large" },
		{ "pid=1 && bogus=2", "character 10: no field 'bogus'" },
		{ "pid=1 & pid=2", "character 7: here" },
		{ "pid=1 pid=2", "character 7: here" },
		{ "(pid=1", "character 1: this parenthesis" },
		{ "pid=1)", "character 6: here" },
		{ "pid~1", "character 4: a number knows" },
		{ "comm<x", "character 5: text knows" },
		{ "comm='x", "character 6: this quote" },
		{ "comm~'['", "character 6: " },
		{ "pid=x", "character 5: no number" },
		{ "start>soon", "character 7: no time" },
		{ "&& pid", "character 1: no name" },
		/* Next to letters and digits, and none of them. */
		{ "pid{1", "character 4: here" },
		{ "pid[1", "character 4: here" },
		{ "pid`1", "character 4: here" },
		{ "pid@1", "character 4: here" },
		{ "pid:1", "character 4: here" },
		{ "a-b", "character 1: no field 'a-b'" },
		{ "a.b/c", "character 1: no field 'a.b/c'" },
		{ "pid=1 ||", "character 9: it ends" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_filter *f = NULL;
		struct vmt_err err = { 0 };

		if (vmt_filter_parse(&f, &vmt_entity_proc, cases[i].text, &err) != -EINVAL || f)
			fail_msg("'%s' is taken", cases[i].text);
		if (!strstr(err.text, cases[i].where))
			fail_msg("'%s': %s", cases[i].text, err.text);
	}
}

static void depth_and_length_have_a_limit(void **state)
{
	char text[VMT_FILTER_MAX + 8];
	struct vmt_filter *f = NULL;

	memset(text, '!', VMT_FILTER_DEPTH);
	memcpy(text + VMT_FILTER_DEPTH, "pid", 4);
	assert_int_equal(vmt_filter_parse(&f, &vmt_entity_proc, text, NULL), 0);
	vmt_filter_free(f);
	f = NULL;
	memset(text, '(', VMT_FILTER_DEPTH + 1);
	memcpy(text + VMT_FILTER_DEPTH + 1, "pid", 4);
	assert_int_equal(vmt_filter_parse(&f, &vmt_entity_proc, text, NULL), -E2BIG);
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	memcpy(text, "pid", 3);
	assert_int_equal(vmt_filter_parse(&f, &vmt_entity_proc, text, NULL), -E2BIG);
	assert_null(f);
}

static void fields_are_told(void **state)
{
	VMT_AUTO_FILTER f = NULL;

	assert_int_equal(
		vmt_filter_parse(&f, &vmt_entity_proc, "!(pss>1 || comm=x) && maps>3", NULL), 0);
	assert_int_equal(vmt_filter_fields(f), 3);
	assert_string_equal(vmt_filter_field(f, 0)->name, "pss_bytes");
	assert_string_equal(vmt_filter_field(f, 1)->name, "comm");
	assert_string_equal(vmt_filter_field(f, 2)->name, "maps_total");
	assert_null(vmt_filter_field(f, 3));
}

static void single_values(void **state)
{
	static const struct {
		const char *field, *text;
		int want;
		uint64_t value;
	} cases[] = {
		{ "peak_rss_bytes", "512M", 0, UINT64_C(512) << 20 },
		{ "peak_rss_bytes", "1.5KiB", 0, 1536 },
		{ "peak_rss_bytes", "3p", 0, 3 * 4096 },
		{ "peak_rss_bytes", "18446744073709551615p", -ERANGE, 0 },
		{ "peak_rss_bytes", "99999999999999T", -ERANGE, 0 },
		{ "peak_rss_bytes", "10ms", -EINVAL, 0 },
		{ "stall_ns", "10ms", 0, 10000000 },
		{ "stall_ns", "10M", -EINVAL, 0 },
		{ "major_faults_total", "0", 0, 0 },
		{ "major_faults_total", "1x", -EINVAL, 0 },
		{ "major_faults_total", "-1", -EINVAL, 0 },
		{ "major_faults_total", "", -EINVAL, 0 },
		/* No whole number without a sign. */
		{ "difference_faults", "1", -EINVAL, 0 },
		{ "agree", "1", -EINVAL, 0 },
		{ "command", "x", -EINVAL, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		const struct vmt_field *f =
			vmt_field_find(&vmt_entity_command, vmt_bytes_of(cases[i].field));
		uint64_t v = 7;

		assert_non_null(f);
		if (vmt_field_value(f, cases[i].text, 4096, &v) != cases[i].want)
			fail_msg("%s=%s", cases[i].field, cases[i].text);
		/* Untouched where it fails. */
		assert_int_equal(v, cases[i].want ? 7 : cases[i].value);
	}
}

static int parse_once(void *arg)
{
	VMT_AUTO_FILTER f = NULL;
	struct vmt_err err = { 0 };
	int r = vmt_filter_parse(&f, &vmt_entity_proc, "(pid=1 || comm='x') && !rss>1M", &err);

	return r;
}

static void memory_may_run_out(void **state)
{
	assert_true(unit_alloc_sweep(parse_once, NULL) >= 2);
}

/* Yes and no in words and in numbers. */
static void flags(void **state)
{
	static const struct {
		const char *text;
		enum vmt_truth want;
	} cases[] = {
		{ "thp_enabled=yes", VMT_TRUE }, { "thp_enabled=true", VMT_TRUE },
		{ "thp_enabled=1", VMT_TRUE },	 { "thp_enabled", VMT_TRUE },
		{ "thp_enabled=no", VMT_FALSE }, { "thp_enabled=false", VMT_FALSE },
		{ "thp_enabled=0", VMT_FALSE },	 { "thp_enabled!=no", VMT_TRUE },
		{ "!thp_enabled", VMT_FALSE },
	};
	struct vmt_proc p = process();
	struct vmt_err err = { 0 };
	struct vmt_filter *bad = NULL;
	size_t i;

	VMT_SET(proc, thp_enabled, &p, true);
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_FILTER f = NULL;

		assert_int_equal(vmt_filter_parse(&f, &vmt_entity_proc, cases[i].text, &err), 0);
		if (vmt_filter_test(f, &p, 4096) != cases[i].want)
			fail_msg("%s", cases[i].text);
	}
	assert_int_equal(vmt_filter_parse(&bad, &vmt_entity_proc, "thp_enabled=maybe", &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "no number"));
}

static void numbers_of_other_forms(void **state)
{
	static const char *const bad[] = { "rss>1.",
					   "rss>1.M",
					   "minflt_rate>1.x",
					   "minor_faults_per_second>1.x",
					   "minor_faults_per_second>18446744073709551615",
					   "comm=\"x" };
	struct vmt_filter *f = NULL;
	size_t i;

	/* Both quotes, a line end as a blank, and digits that are too small to count. */
	assert_int_equal(truth("comm=\"postgres\""), VMT_TRUE);
	assert_int_equal(truth("comm\n=\n'postgres'\n"), VMT_TRUE);
	assert_int_equal(truth("rss=100.0009M"), VMT_TRUE);
	assert_int_equal(truth("minor_faults_per_second=1.5009"), VMT_TRUE);
	assert_int_equal(truth("start>=2.5 && start<=2500ms"), VMT_TRUE);
	assert_int_equal(truth("pid<42"), VMT_FALSE);
	assert_int_equal(truth("pid<=41"), VMT_FALSE);
	assert_int_equal(truth("comm!~'^post'"), VMT_FALSE);
	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_err err = { 0 };

		if (vmt_filter_parse(&f, &vmt_entity_proc, bad[i], &err) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
	}
	assert_null(f);
}

/* An address is written as addresses are; a histogram is no number. */
static void addresses_and_histograms(void **state)
{
	VMT_AUTO_FILTER f = NULL;
	struct vmt_filter *bad = NULL;
	struct vmt_map m = { 0 };
	struct vmt_err err = { 0 };

	VMT_SET(map, start, &m, 0x7f00);
	assert_int_equal(vmt_filter_parse(&f, &vmt_entity_map, "start=0x7f00", NULL), 0);
	assert_int_equal(vmt_filter_test(f, &m, 4096), VMT_TRUE);
	assert_int_equal(vmt_filter_parse(&bad, &vmt_entity_map, "start=0xzz", NULL), -EINVAL);
	for (size_t i = 0; i < vmt_entity_fault.n_fields; i++) {
		if (vmt_entity_fault.fields[i].type != VMT_TYPE_HIST)
			continue;
		assert_int_equal(vmt_filter_parse(&bad, &vmt_entity_fault,
						  vmt_entity_fault.fields[i].name, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, "histogram"));
		return;
	}
	fail_msg("no field of faults is a histogram");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons),
		cmocka_unit_test(and_binds_more_than_or),
		cmocka_unit_test(unknown_is_neither),
		cmocka_unit_test(below_zero),
		cmocka_unit_test(any_byte_is_matched),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(depth_and_length_have_a_limit),
		cmocka_unit_test(fields_are_told),
		cmocka_unit_test(single_values),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(flags),
		cmocka_unit_test(numbers_of_other_forms),
		cmocka_unit_test(addresses_and_histograms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
