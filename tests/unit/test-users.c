/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "source/users.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "# a comment\n"
			     "toor:x:0:0:second:/root:/bin/sh\n"
			     "+nis::::::\n"
			     "big:x:4294967294:1::/:\n"
			     ":x:77:1:no name:/:\n"
			     "bad:x:12x:1::/:\n"
			     "short:x\n"
			     "odd name\x1b:x:5:5::/:\n"
			     "last:x:3:3::/:";

static void b13_users_parse(void **state)
{
	struct vmt_users u = { 0 };

	vmt_buf_adds(&u.text, passwd);
	assert_int_equal(vmt_users_parse(&u), 0);
	assert_int_equal(u.n, 4);
	/* Of two names the first. */
	assert_bytes(vmt_users_find(&u, 0)->name, "root");
	assert_bytes(vmt_users_find(&u, 3)->name, "last");
	assert_bytes(vmt_users_find(&u, 5)->name, "odd name\x1b");
	assert_bytes(vmt_users_find(&u, 4294967294)->name, "big");
	assert_null(vmt_users_find(&u, 77));
	assert_null(vmt_users_find(&u, 12));
	assert_null(vmt_users_find(&u, UINT64_MAX));
	vmt_users_done(&u);
}

static void test_no_file(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_users u;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(&d, "proc/x", "");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	assert_int_equal(vmt_users_load(&u, root), 0);
	assert_null(vmt_users_find(&u, 0));
	vmt_users_done(&u);
	unit_dir_write(&d, "etc/passwd", passwd);
	assert_int_equal(vmt_users_load(&u, root), 0);
	assert_non_null(vmt_users_find(&u, 0));
	vmt_users_done(&u);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

static int load(void *arg)
{
	struct vmt_users u = { 0 };
	int r;

	vmt_buf_adds(&u.text, passwd);
	r = vmt_buf_error(&u.text);
	if (r == 0)
		r = vmt_users_parse(&u);
	vmt_users_done(&u);
	return r;
}

static void test_failing_allocations(void **state)
{
	assert_int_equal(unit_alloc_sweep(load, NULL), 2);
}

static void test_text(void **state)
{
	struct vmt_users u = { 0 };
	struct vmt_bytes text;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_buf_adds(&u.text, passwd);
	assert_int_equal(vmt_users_parse(&u), 0);
	assert_int_equal(vmt_users_text(&u, 0, &a, &text), 0);
	assert_bytes(text, "root");
	/* Who has no name has a number. */
	assert_int_equal(vmt_users_text(&u, 4294967295, &a, &text), 0);
	assert_bytes(text, "4294967295");
	vmt_users_done(&u);
	vmt_arena_done(&a);
}

static void test_a_file_without_users(void **state)
{
	static const char *const texts[] = {
		"", "\n", "root\n", "root:\n", "root:x\n", "root:x:\n"
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		struct vmt_users u = { 0 };

		vmt_buf_adds(&u.text, texts[i]);
		assert_int_equal(vmt_users_parse(&u), 0);
		assert_int_equal(u.n, 0);
		vmt_users_done(&u);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b13_users_parse),	     cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_failing_allocations),  cmocka_unit_test(test_text),
		cmocka_unit_test(test_a_file_without_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
