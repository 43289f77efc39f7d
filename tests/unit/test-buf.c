/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>

#include <errno.h>

static void test_append(void **state)
{
	VMT_AUTO_BUF b = { 0 };
	size_t i;

	vmt_buf_adds(&b, "ab");
	vmt_buf_addc(&b, 'c');
	vmt_buf_addf(&b, "-%d-%s", 42, "x");
	vmt_buf_add(&b, "\0z", 2);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.data, "abc-42-x\0z", 11);
	vmt_buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	for (i = 0; i < 100000; i++)
		vmt_buf_addc(&b, (char)('a' + i % 26));
	assert_int_equal(vmt_buf_error(&b), 0);
	assert_int_equal(b.len, 100000);
	assert_int_equal(b.data[99999], 'a' + 99999 % 26);
	assert_int_equal(b.data[100000], 0);
}

static void test_formats_longer_than_its_room(void **state)
{
	VMT_AUTO_BUF b = { 0 };

	vmt_buf_addf(&b, "%5000d", 7);
	assert_int_equal(b.len, 5000);
	assert_int_equal(b.data[4999], '7');
}

static void test_remembers_a_failed_allocation(void **state)
{
	VMT_AUTO_BUF b = { 0 };

	vmt_buf_adds(&b, "kept");
	unit_alloc_fail(1);
	assert_int_equal(vmt_buf_reserve(&b, 1 << 20), -ENOMEM);
	assert_true(unit_alloc_pass());
	vmt_buf_adds(&b, "dropped");
	assert_int_equal(vmt_buf_error(&b), -ENOMEM);
	assert_buf(&b, "kept");
	/* Texts behind it are not written as if nothing had failed. */
	vmt_buf_next(&b);
	vmt_buf_adds(&b, "dropped");
	assert_int_equal(vmt_buf_error(&b), -ENOMEM);
	assert_buf(&b, "");
	vmt_buf_clear(&b);
	assert_int_equal(vmt_buf_error(&b), 0);
	vmt_buf_adds(&b, "again");
	assert_buf(&b, "again");
}

static void test_refuses_sizes_that_overflow(void **state)
{
	VMT_AUTO_BUF b = { 0 };

	vmt_buf_adds(&b, "x");
	assert_int_equal(vmt_buf_reserve(&b, SIZE_MAX), -ENOMEM);
	vmt_buf_clear(&b);
	assert_int_equal(vmt_buf_reserve(&b, SIZE_MAX / 2 + 2), -ENOMEM);
}

static void test_bytes(void **state)
{
	assert_true(vmt_bytes_compare(VMT_BYTES("a"), VMT_BYTES("b")) < 0);
	assert_true(vmt_bytes_compare(VMT_BYTES("ab"), VMT_BYTES("a")) > 0);
	assert_true(vmt_bytes_compare(VMT_BYTES("a\0b"), VMT_BYTES("a\0a")) > 0);
	assert_int_equal(vmt_bytes_compare(vmt_bytes_of(NULL), VMT_BYTES("")), 0);
	assert_true(vmt_bytes_compare(VMT_BYTES("\xff"), VMT_BYTES("a")) > 0);
	assert_true(vmt_bytes_is(VMT_BYTES("heap"), "heap"));
	assert_false(vmt_bytes_is(VMT_BYTES("heap\0"), "heap"));
	assert_true(vmt_bytes_starts(VMT_BYTES("[anon:x]"), "[anon:"));
	assert_false(vmt_bytes_starts(VMT_BYTES("[an"), "[anon:"));
}

static void test_decimal(void **state)
{
	uint64_t v = 1;
	unsigned i;

	/* Around each power of ten, and the largest. */
	for (i = 0; i < 20; i++, v *= 10) {
		const uint64_t near[] = { v - 1, v, v + 1, v * 9 / 8, 0 - v };
		size_t k;

		for (k = 0; k < VMT_ARRAY_LEN(near); k++) {
			VMT_AUTO_BUF out = { 0 };
			char text[24];

			vmt_buf_addu(&out, near[k]);
			snprintf(text, sizeof(text), "%llu", (unsigned long long)near[k]);
			assert_buf(&out, text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_formats_longer_than_its_room),
		cmocka_unit_test(test_remembers_a_failed_allocation),
		cmocka_unit_test(test_refuses_sizes_that_overflow),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
