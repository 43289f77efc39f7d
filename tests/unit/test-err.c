/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "base/err.h"

static void test_set(void **state)
{
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_err_set(&err, -EINVAL, "smaps", 17, "%s: %d", "Rss", 3), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(err.line, 17);
	assert_string_equal(err.path, "smaps");
	assert_string_equal(err.text, "Rss: 3");
	assert_int_equal(vmt_err_set(&err, -ENOMEM, NULL, 0, "x"), -ENOMEM);
	assert_string_equal(err.path, "");
}

static void test_is_optional(void **state)
{
	assert_int_equal(vmt_err_set(NULL, -EIO, "p", 1, "%s", "x"), -EIO);
}

static void test_cuts_what_is_too_long(void **state)
{
	struct vmt_err err = { 0 };
	char longer[1024];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	vmt_err_set(&err, -EIO, longer, 1, "%s", longer);
	assert_int_equal(strlen(err.path), sizeof(err.path) - 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_names(void **state)
{
	assert_string_equal(vmt_errno_name(-EACCES), "EACCES");
	assert_string_equal(vmt_errno_name(ENOENT), "ENOENT");
	assert_string_equal(vmt_errno_name(-99999), "E?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_is_optional),
		cmocka_unit_test(test_cuts_what_is_too_long),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
