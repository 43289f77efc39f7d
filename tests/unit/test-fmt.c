/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "base/fmt.h"

#define assert_fmt(text, call)                                                                     \
	do {                                                                                       \
		VMT_AUTO_BUF out = { 0 };                                                          \
		call;                                                                              \
		assert_int_equal(vmt_buf_error(&out), 0);                                          \
		assert_buf(&out, text);                                                            \
	} while (0)

static void test_safe_text_stays(void **state)
{
	assert_fmt("plain /path with \\ and \xc3\xa4",
		   vmt_fmt_safe(&out, VMT_BYTES("plain /path with \\ and \xc3\xa4"), false));
	assert_fmt("\xf0\x9f\x90\xa7", vmt_fmt_safe(&out, VMT_BYTES("\xf0\x9f\x90\xa7"), false));
}

static void b03_controls_are_shown(void **state)
{
	assert_fmt("\\x1b[2J\\x07\\x0a\\x7f",
		   vmt_fmt_safe(&out, VMT_BYTES("\x1b[2J\a\n\x7f"), false));
	assert_fmt("a\\x00b", vmt_fmt_safe(&out, VMT_BYTES("a\0b"), false));
	/* C1 as UTF-8: U+009B is what a terminal takes for ESC [ */
	assert_fmt("\\xc2\\x9b", vmt_fmt_safe(&out, VMT_BYTES("\xc2\x9b"), false));
	assert_fmt("\\x9b", vmt_fmt_safe(&out, VMT_BYTES("\x9b"), false));
}

static void b05_formats_that_hide_or_turn_are_shown(void **state)
{
	/* RIGHT-TO-LEFT OVERRIDE, ZERO WIDTH SPACE, BOM, TAG LATIN SMALL LETTER A */
	assert_fmt("\\xe2\\x80\\xae", vmt_fmt_safe(&out, VMT_BYTES("\xe2\x80\xae"), false));
	assert_fmt("\\xe2\\x80\\x8b", vmt_fmt_safe(&out, VMT_BYTES("\xe2\x80\x8b"), false));
	assert_fmt("\\xef\\xbb\\xbf", vmt_fmt_safe(&out, VMT_BYTES("\xef\xbb\xbf"), false));
	assert_fmt("\\xf3\\xa0\\x81\\xa1",
		   vmt_fmt_safe(&out, VMT_BYTES("\xf3\xa0\x81\xa1"), false));
}

static void b04_what_is_no_utf8_is_shown_byte_by_byte(void **state)
{
	/* overlong, surrogate, cut, above U+10FFFF, noncharacter */
	assert_fmt("\\xc0\\xaf", vmt_fmt_safe(&out, VMT_BYTES("\xc0\xaf"), false));
	assert_fmt("\\xed\\xa0\\x80", vmt_fmt_safe(&out, VMT_BYTES("\xed\xa0\x80"), false));
	assert_fmt("a\\xe2\\x82", vmt_fmt_safe(&out, VMT_BYTES("a\xe2\x82"), false));
	assert_fmt("\\xf4\\x90\\x80\\x80",
		   vmt_fmt_safe(&out, VMT_BYTES("\xf4\x90\x80\x80"), false));
	assert_fmt("\\xef\\xbf\\xbe", vmt_fmt_safe(&out, VMT_BYTES("\xef\xbf\xbe"), false));
	assert_fmt("\\xe2x", vmt_fmt_safe(&out, VMT_BYTES("\xe2x"), false));
}

static void test_ascii_leaves_nothing_above_it(void **state)
{
	assert_fmt("a\\xc3\\xa4~", vmt_fmt_safe(&out, VMT_BYTES("a\xc3\xa4~"), true));
}

/* Whatever comes in, no control byte goes out, and with ascii no byte above 0x7e either. */
static void b03_all_pairs_of_bytes(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	unsigned i;
	size_t k;

	for (i = 0; i < 65536; i++) {
		const char in[2] = { (char)(i >> 8), (char)i };

		vmt_buf_clear(&out);
		vmt_fmt_safe(&out, (struct vmt_bytes){ in, 2 }, true);
		for (k = 0; k < out.len; k++)
			assert_in_range((unsigned char)out.data[k], 0x20, 0x7e);
	}
}

static void test_sizes(void **state)
{
	const uint64_t G = UINT64_C(1) << 30;

	assert_fmt("0", vmt_fmt_size(&out, 0, VMT_SIZE_HUMAN, 0));
	assert_fmt("999", vmt_fmt_size(&out, 999, VMT_SIZE_HUMAN, 0));
	assert_fmt("1.00K", vmt_fmt_size(&out, 1024, VMT_SIZE_HUMAN, 0));
	assert_fmt("1.25M", vmt_fmt_size(&out, 1310720, VMT_SIZE_HUMAN, 0));
	assert_fmt("10.0K", vmt_fmt_size(&out, 10239, VMT_SIZE_HUMAN, 0));
	assert_fmt("100K", vmt_fmt_size(&out, 102399, VMT_SIZE_HUMAN, 0));
	assert_fmt("12.5G", vmt_fmt_size(&out, 12 * G + G / 2, VMT_SIZE_HUMAN, 0));
	assert_fmt("16.0E", vmt_fmt_size(&out, UINT64_MAX, VMT_SIZE_HUMAN, 0));
	assert_fmt("18446744073709551615", vmt_fmt_size(&out, UINT64_MAX, VMT_SIZE_BYTES, 0));
	assert_fmt("3", vmt_fmt_size(&out, 4095, VMT_SIZE_KIB, 0));
	assert_fmt("2", vmt_fmt_size(&out, 8192, VMT_SIZE_PAGES, 4096));
	assert_fmt("-1.00K", vmt_fmt_size_signed(&out, -1024, VMT_SIZE_HUMAN, 0));
	assert_fmt("-9223372036854775808", vmt_fmt_size_signed(&out, INT64_MIN, VMT_SIZE_BYTES, 0));
}

static void test_durations_and_times(void **state)
{
	assert_fmt("0", vmt_fmt_duration(&out, 0));
	assert_fmt("850ns", vmt_fmt_duration(&out, 850));
	assert_fmt("3.81us", vmt_fmt_duration(&out, 3810));
	assert_fmt("64.0ms", vmt_fmt_duration(&out, 64000000));
	assert_fmt("1.25s", vmt_fmt_duration(&out, 1250000000));
	assert_fmt("1970-01-01T00:00:00.000Z", vmt_fmt_time(&out, 0));
	assert_fmt("2000-02-29T12:00:00.500Z",
		   vmt_fmt_time(&out, UINT64_C(951825600500) * 1000000));
	assert_fmt("2026-11-21T00:38:24.799Z",
		   vmt_fmt_time(&out, UINT64_C(1795221504799) * 1000000));
}

/* Where 32 bits end, signed and not, and where 64 bits of nanoseconds do. */
static void i06_far_years(void **state)
{
	const uint64_t sec = 1000000000;

	assert_fmt("2038-01-19T03:14:07.000Z", vmt_fmt_time(&out, 2147483647 * sec));
	assert_fmt("2038-01-19T03:14:08.000Z", vmt_fmt_time(&out, 2147483648 * sec));
	assert_fmt("2106-02-07T06:28:16.000Z", vmt_fmt_time(&out, 4294967296 * sec));
	assert_fmt("2100-02-28T23:59:59.000Z", vmt_fmt_time(&out, 4107542399 * sec));
	assert_fmt("2100-03-01T00:00:00.000Z", vmt_fmt_time(&out, 4107542400 * sec));
	assert_fmt("2554-07-21T23:34:33.709Z", vmt_fmt_time(&out, UINT64_MAX));
}

static void test_shell_words(void **state)
{
	assert_fmt("/usr/bin/vmtop", vmt_fmt_shell(&out, "/usr/bin/vmtop"));
	assert_fmt("''", vmt_fmt_shell(&out, ""));
	assert_fmt("'a b;$(x)'", vmt_fmt_shell(&out, "a b;$(x)"));
	assert_fmt("'it'\\''s'", vmt_fmt_shell(&out, "it's"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_safe_text_stays),
		cmocka_unit_test(b03_controls_are_shown),
		cmocka_unit_test(b05_formats_that_hide_or_turn_are_shown),
		cmocka_unit_test(b04_what_is_no_utf8_is_shown_byte_by_byte),
		cmocka_unit_test(test_ascii_leaves_nothing_above_it),
		cmocka_unit_test(b03_all_pairs_of_bytes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_durations_and_times),
		cmocka_unit_test(i06_far_years),
		cmocka_unit_test(test_shell_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
