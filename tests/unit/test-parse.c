/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/parse.h"

static void c18_u64(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("18446744073709551615x");
	uint64_t v = 7;

	assert_int_equal(vmt_take_u64(&cur, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_bytes(cur, "x");
	assert_int_equal(vmt_take_u64(&cur, &v), -EINVAL);
	assert_bytes(cur, "x");
	cur = VMT_BYTES("18446744073709551616");
	v = 7;
	assert_int_equal(vmt_take_u64(&cur, &v), -ERANGE);
	assert_int_equal(v, 7);
	assert_int_equal(cur.len, 20);
	cur = VMT_BYTES("");
	assert_int_equal(vmt_take_u64(&cur, &v), -EINVAL);
	cur = VMT_BYTES("-1");
	assert_int_equal(vmt_take_u64(&cur, &v), -EINVAL);
	cur = VMT_BYTES("+1");
	assert_int_equal(vmt_take_u64(&cur, &v), -EINVAL);
	/* No more than the bytes it was given. */
	cur = (struct vmt_bytes){ "1234", 2 };
	assert_int_equal(vmt_take_u64(&cur, &v), 0);
	assert_int_equal(v, 12);
}

static void c18_i64(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("-9223372036854775808");
	int64_t v = 0;

	assert_int_equal(vmt_take_i64(&cur, &v), 0);
	assert_true(v == INT64_MIN);
	cur = VMT_BYTES("-9223372036854775809");
	assert_int_equal(vmt_take_i64(&cur, &v), -ERANGE);
	cur = VMT_BYTES("9223372036854775808");
	assert_int_equal(vmt_take_i64(&cur, &v), -ERANGE);
	cur = VMT_BYTES("-");
	assert_int_equal(vmt_take_i64(&cur, &v), -EINVAL);
	assert_bytes(cur, "-");
}

static void c18_hex(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("ffffffffffffffff-0");
	uint64_t v = 0;

	assert_int_equal(vmt_take_hex(&cur, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_bytes(cur, "-0");
	cur = VMT_BYTES("10000000000000000");
	assert_int_equal(vmt_take_hex(&cur, &v), -ERANGE);
	cur = VMT_BYTES("DeadBeef");
	assert_int_equal(vmt_take_hex(&cur, &v), 0);
	assert_int_equal(v, 0xdeadbeef);
	cur = VMT_BYTES("g");
	assert_int_equal(vmt_take_hex(&cur, &v), -EINVAL);
	cur = VMT_BYTES("");
	assert_int_equal(vmt_take_hex(&cur, &v), -EINVAL);
	cur = VMT_BYTES("00000000000000000001");
	assert_int_equal(vmt_take_hex(&cur, &v), 0);
	assert_int_equal(v, 1);
}

/* Numbers of each length, in front of each byte that there is, and of none. */
static void c18_hex_ends_where_it_ends(void **state)
{
	static const char digits[] = "f0E1d2C3b4A59687";
	char text[32];
	unsigned n, c;

	for (n = 1; n <= 16; n++) {
		char number[17] = { 0 };
		uint64_t want;

		memcpy(number, digits, n);
		want = strtoull(number, NULL, 16);
		for (c = 0; c < 256; c++) {
			struct vmt_bytes cur = { text, n + 1 };
			uint64_t v = 0;

			memset(text, 'a', sizeof(text));
			memcpy(text, digits, n);
			text[n] = (char)c;
			if (c && strchr("0123456789abcdefABCDEF", (int)c))
				cur.len = n;
			assert_int_equal(vmt_take_hex(&cur, &v), 0);
			assert_true(v == want);
			assert_ptr_equal(cur.ptr, text + n);
			if (cur.len == 0)
				continue;
			/* Digits behind it that are not its own. */
			cur = (struct vmt_bytes){ text, sizeof(text) };
			v = 0;
			assert_int_equal(vmt_take_hex(&cur, &v), 0);
			assert_true(v == want);
			assert_ptr_equal(cur.ptr, text + n);
		}
	}
}

/* Eight small digits, and no other byte in the place of any. */
static void c18_hex_of_eight_digits(void **state)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;
	unsigned c, at;

	for (at = 0; at < 8; at++) {
		for (c = 0; c < 256; c++) {
			char text[9] = "1f2e3d4c";
			bool is = c && strchr(digits, (int)c);

			text[at] = (char)c;
			assert_int_equal(vmt_hex_eight(text, &v), is);
			if (is)
				assert_true(v == strtoull(text, NULL, 16));
		}
	}
}

static void test_words_and_lines(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("one\ttwo \nthree\n\nlast"), line, word;

	assert_true(vmt_take_line(&cur, &line));
	word = vmt_take_word(&line);
	assert_bytes(word, "one");
	assert_int_equal(vmt_take_blanks(&line), 1);
	word = vmt_take_word(&line);
	assert_bytes(word, "two");
	assert_true(vmt_take_line(&cur, &line));
	assert_bytes(line, "three");
	assert_true(vmt_take_line(&cur, &line));
	assert_int_equal(line.len, 0);
	assert_true(vmt_take_line(&cur, &line));
	assert_bytes(line, "last");
	assert_false(vmt_take_line(&cur, &line));
}

static void test_whole_strings(void **state)
{
	uint64_t v = 0;

	assert_int_equal(vmt_parse_u64("12", &v), 0);
	assert_int_equal(vmt_parse_u64("12 ", &v), -EINVAL);
	assert_int_equal(vmt_parse_u64("", &v), -EINVAL);
	assert_int_equal(vmt_parse_address("0x7fff", &v), 0);
	assert_int_equal(v, 0x7fff);
	assert_int_equal(vmt_parse_address("7fff", &v), 0);
	assert_int_equal(vmt_parse_address("0x", &v), -EINVAL);
	assert_int_equal(vmt_parse_pid("4194304", &v), 0);
	assert_int_equal(vmt_parse_pid("4194305", &v), -ERANGE);
	assert_int_equal(vmt_parse_pid("0", &v), -ERANGE);
	assert_int_equal(vmt_parse_pid("self", &v), -EINVAL);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t ns;
	} cases[] = {
		{ "3", 0, 3000000000 },
		{ "1.5", 0, 1500000000 },
		{ ".25s", 0, 250000000 },
		{ "100ms", 0, 100000000 },
		{ "7us", 0, 7000 },
		{ "9ns", 0, 9 },
		{ "2m", 0, 120000000000 },
		{ "1h", 0, 3600000000000 },
		{ "0", 0, 0 },
		{ "1000000000", 0, UINT64_C(1000000000000000000) },
		{ "1000000001", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1.0000000009s", 0, 1000000000 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		uint64_t ns = 1;

		assert_int_equal(vmt_parse_duration(cases[i].text, &ns), cases[i].r);
		assert_int_equal(ns, cases[i].r ? 1 : cases[i].ns);
	}
}

static void test_signs(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("12 -3");
	int64_t v = 0;

	assert_int_equal(vmt_take_i64(&cur, &v), 0);
	assert_int_equal(v, 12);
	vmt_take_blanks(&cur);
	assert_int_equal(vmt_take_i64(&cur, &v), 0);
	assert_int_equal(v, -3);
	assert_int_equal(cur.len, 0);
	assert_int_equal(vmt_take_i64(&cur, &v), -EINVAL);
}

static void test_addresses_as_users_write_them(void **state)
{
	uint64_t v = 0;

	assert_int_equal(vmt_parse_address("0X7FFF", &v), 0);
	assert_int_equal(v, 0x7fff);
	v = 1;
	assert_int_equal(vmt_parse_address("7fff-8000", &v), -EINVAL);
	assert_int_equal(vmt_parse_address("0x0x1", &v), -EINVAL);
	assert_int_equal(vmt_parse_address("0x10000000000000000", &v), -ERANGE);
	assert_int_equal(v, 1);
}

/* Of so many seconds the nanoseconds do not fit; nor do those of a part more. */
static void test_durations_that_overflow(void **state)
{
	uint64_t v = 1;

	assert_int_equal(vmt_parse_duration("18446744074", &v), -ERANGE);
	assert_int_equal(vmt_parse_duration("18446744073.8", &v), -ERANGE);
	assert_int_equal(vmt_parse_duration("6000000h", &v), -ERANGE);
	assert_int_equal(v, 1);
}

static void test_releases(void **state)
{
	static const struct {
		const char *release;
		bool is;
	} cases[] = {
		{ "6.11.0-rc1", true }, { "6.11", true },  { "7.0", true }, { "10.2.3", true },
		{ "6.10.99", false },	{ "5.19", false }, { "6", false },  { "6-11", false },
		{ "6.", false },	{ "six", false },  { "", false },   { "6.x", false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		assert_int_equal(vmt_release_is_at_least(vmt_bytes_of(cases[i].release), 6, 11),
				 cases[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c18_u64),
		cmocka_unit_test(c18_i64),
		cmocka_unit_test(c18_hex),
		cmocka_unit_test(c18_hex_ends_where_it_ends),
		cmocka_unit_test(c18_hex_of_eight_digits),
		cmocka_unit_test(test_words_and_lines),
		cmocka_unit_test(test_whole_strings),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_addresses_as_users_write_them),
		cmocka_unit_test(test_durations_that_overflow),
		cmocka_unit_test(test_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
