/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/json.h"

static void test_document(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;

	vmt_json_init(&j, &out, 0);
	vmt_json_object(&j);
	vmt_json_key(&j, "u");
	vmt_json_u64(&j, UINT64_MAX);
	vmt_json_key(&j, "i");
	vmt_json_i64(&j, INT64_MIN);
	vmt_json_key(&j, "a");
	vmt_json_array(&j);
	vmt_json_bool(&j, true);
	vmt_json_null(&j);
	vmt_json_hex(&j, 0xfff0);
	vmt_json_milli(&j, 1005);
	vmt_json_object(&j);
	vmt_json_object_end(&j);
	vmt_json_array_end(&j);
	vmt_json_object_end(&j);
	assert_int_equal(vmt_json_finish(&j), 0);
	assert_buf(&out, "{\"u\":18446744073709551615,\"i\":-9223372036854775808,"
			 "\"a\":[true,null,\"0xfff0\",1.005,{}]}");
}

static void test_indented(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;

	vmt_json_init(&j, &out, 2);
	vmt_json_object(&j);
	vmt_json_key(&j, "a");
	vmt_json_array(&j);
	vmt_json_u64(&j, 1);
	vmt_json_u64(&j, 2);
	vmt_json_array_end(&j);
	vmt_json_key(&j, "e");
	vmt_json_array(&j);
	vmt_json_array_end(&j);
	vmt_json_object_end(&j);
	assert_int_equal(vmt_json_finish(&j), 0);
	assert_buf(&out, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": []\n}");
}

static void test_text(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;

	vmt_json_init(&j, &out, 0);
	vmt_json_array(&j);
	assert_false(vmt_json_bytes(&j, VMT_BYTES("q\" b\\ n\n t\t \x1b \x7f \xc2\x9b \xc3\xa4")));
	assert_true(vmt_json_bytes(&j, VMT_BYTES("\xff\xc0\xafz")));
	assert_true(vmt_json_bytes(&j, VMT_BYTES("\xed\xa0\x80")));
	assert_false(vmt_json_bytes(&j, VMT_BYTES("a\0b")));
	vmt_json_array_end(&j);
	assert_int_equal(vmt_json_finish(&j), 0);
	assert_buf(&out, "[\"q\\\" b\\\\ n\\n t\\t \\u001b \\u007f \\u009b \xc3\xa4\","
			 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\","
			 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"a\\u0000b\"]");
}

static void test_base64(void **state)
{
	/* The examples of RFC 4648. */
	static const char *const pairs[][2] = {
		{ "", "\"\"" },
		{ "f", "\"Zg==\"" },
		{ "fo", "\"Zm8=\"" },
		{ "foo", "\"Zm9v\"" },
		{ "foob", "\"Zm9vYg==\"" },
		{ "fooba", "\"Zm9vYmE=\"" },
		{ "foobar", "\"Zm9vYmFy\"" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(pairs); i++) {
		VMT_AUTO_BUF out = { 0 };
		struct vmt_json j;

		vmt_json_init(&j, &out, 0);
		vmt_json_base64(&j, vmt_bytes_of(pairs[i][0]));
		assert_int_equal(vmt_json_finish(&j), 0);
		assert_buf(&out, pairs[i][1]);
	}
}

static int misuse(unsigned what)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;
	unsigned i;

	vmt_json_init(&j, &out, 0);
	switch (what) {
	case 0: /* a value without a key */
		vmt_json_object(&j);
		vmt_json_u64(&j, 1);
		break;
	case 1: /* a key in an array */
		vmt_json_array(&j);
		vmt_json_key(&j, "k");
		break;
	case 2: /* the wrong end */
		vmt_json_array(&j);
		vmt_json_object_end(&j);
		break;
	case 3: /* an end too many */
		vmt_json_array_end(&j);
		break;
	case 4: /* not closed */
		vmt_json_object(&j);
		break;
	case 5: /* a key without a value */
		vmt_json_object(&j);
		vmt_json_key(&j, "k");
		vmt_json_object_end(&j);
		break;
	case 6: /* two keys */
		vmt_json_object(&j);
		vmt_json_key(&j, "k");
		vmt_json_key(&j, "l");
		break;
	default: /* deeper than it goes */
		for (i = 0; i < 100; i++)
			vmt_json_array(&j);
		for (i = 0; i < 100; i++)
			vmt_json_array_end(&j);
		break;
	}
	return vmt_json_finish(&j);
}

static void test_misuse_is_remembered(void **state)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		assert_int_equal(misuse(i), -EINVAL);
}

static int write_some(void *arg)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;
	unsigned i;

	vmt_json_init(&j, &out, 2);
	vmt_json_array(&j);
	for (i = 0; i < 500; i++)
		vmt_json_u64(&j, i);
	vmt_json_array_end(&j);
	return vmt_json_finish(&j);
}

static void m02_failing_allocations(void **state)
{
	assert_in_range(unit_alloc_sweep(write_some, NULL), 2, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_indented),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_misuse_is_remembered),
		cmocka_unit_test(m02_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
