/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/machine.h"

static int parse(const char *text, struct vmt_pressure rows[2], size_t *n, struct vmt_err *err)
{
	*n = 99;
	return vmt_pressure_parse(vmt_bytes_of(text), "io", rows, n, err);
}

static void two_lines(void **state)
{
	struct vmt_pressure rows[2];
	size_t n;

	assert_int_equal(parse("some avg10=0.37 avg60=12.30 avg300=100.00 total=56201\n"
			       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
			       rows, &n, NULL),
			 0);
	assert_int_equal(n, 2);
	assert_true(vmt_bytes_is(rows[0].resource, "io") && vmt_bytes_is(rows[0].kind, "some"));
	assert_int_equal(rows[0].avg10_percent, 370);
	assert_int_equal(rows[0].avg60_percent, 12300);
	assert_int_equal(rows[0].avg300_percent, 100000);
	assert_int_equal(rows[0].stalled_total_ns, 56201000);
	assert_true(vmt_bytes_is(rows[1].kind, "full"));
	assert_int_equal(rows[1].stalled_total_ns, 0);
	assert_false(VMT_HAS(pressure, stalled_percent, &rows[0]));
}

static void keys_that_are_there(void **state)
{
	struct vmt_pressure rows[2];
	size_t n;

	/* Before 5.13 cpu had no line "full"; what is not known is none of ours. */
	assert_int_equal(
		parse("some avg10=1.00 new=x avg5=0.10 total=1\nmost avg10=oops\n", rows, &n, NULL),
		0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].avg10_percent, 1000);
	assert_false(VMT_HAS(pressure, avg60_percent, &rows[0]));
	assert_int_equal(parse("", rows, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void malformed(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "some avg10=\n", -EINVAL, 1 },
		{ "some avg10=1\n", -EINVAL, 1 },
		{ "some avg10=1.0\n", -EINVAL, 1 },
		{ "some avg10=1.000\n", -EINVAL, 1 },
		{ "some avg10=-1.00\n", -EINVAL, 1 },
		{ "some avg10\n", -EINVAL, 1 },
		{ "some total=5x\n", -EINVAL, 1 },
		{ "some total=1\nfull total=99999999999999999999\n", -ERANGE, 2 },
		{ "some total=18446744073709551615\n", -ERANGE, 1 },
		{ "some avg10=99999999999999999.00\n", -ERANGE, 1 },
		{ "some total=1\nsome total=1\nfull total=1\n", -EINVAL, 3 },
	};
	struct vmt_pressure rows[2];
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_err err = { 0 };

		assert_int_equal(parse(cases[i].text, rows, &n, &err), cases[i].r);
		assert_int_equal(err.line, cases[i].line);
		assert_int_equal(n, 99);
	}
}

static void settings(void **state)
{
	static const char *const bad[] = { "", "\n", "x\n", "1x\n", "1\n2\n", "-1\n", "1 2\n" };
	uint64_t v = 7;
	size_t i;

	assert_int_equal(vmt_setting_parse(vmt_bytes_of("50\n"), &v), 0);
	assert_int_equal(v, 50);
	assert_int_equal(vmt_setting_parse(vmt_bytes_of(" 0"), &v), 0);
	assert_int_equal(v, 0);
	v = 7;
	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_setting_parse(vmt_bytes_of(bad[i]), &v), -EINVAL);
	assert_int_equal(vmt_setting_parse(vmt_bytes_of("99999999999999999999\n"), &v), -ERANGE);
	assert_int_equal(v, 7);
}

static void zram(void **state)
{
	static const char *const bad[] = { "", "1 2\n", "1 2 x\n", "1 2 3x\n", "a b c\n" };
	uint64_t data = 7, used = 7;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_zram_parse(vmt_bytes_of(bad[i]), &data, &used), -EINVAL);
	assert_true(data == 7 && used == 7);
	assert_int_equal(vmt_zram_parse(vmt_bytes_of(" 4096       74    12288        0    12288   "
						     "     0        0        0\n"),
					&data, &used),
			 0);
	assert_int_equal(data, 4096);
	assert_int_equal(used, 12288);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_lines), cmocka_unit_test(keys_that_are_there),
		cmocka_unit_test(malformed), cmocka_unit_test(settings),
		cmocka_unit_test(zram),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
