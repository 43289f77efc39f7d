/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "source/sysvipc.h"

#define TITLES                                                                                     \
	"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  " \
	"cgid      atime      dtime      ctime                   rss                  swap\n"

static const char text[] = TITLES
	"         0          3  1600               2097152   139   139      1     0     0     0     0 "
	"1700000000          0 1700000000               1048576                  4096\n"
	"-559038737      32768   666  18446744073709551615     1     2      0     0     0     0     0 "
	"         0          0          0                     0                     0\n";

static int parse(const char *from, struct vmt_segment **ret, size_t *n, uint64_t *unknown,
		 struct vmt_err *err)
{
	return vmt_sysvipc_parse(vmt_bytes_of(from), ret, n, unknown, err);
}

static void test_parse(void **state)
{
	VMT_AUTO_FREE struct vmt_segment *s = NULL;
	uint64_t unknown = 0;
	size_t n = 0;

	assert_int_equal(parse(text, &s, &n, &unknown, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(unknown, 0);
	assert_int_equal(s[0].id, 3);
	assert_int_equal(s[0].mode, 01600);
	assert_int_equal(s[0].size, 2097152);
	assert_int_equal(s[0].creator, 139);
	assert_int_equal(s[0].attached, 1);
	assert_int_equal(s[0].rss, 1048576);
	assert_int_equal(s[0].swap, 4096);
	assert_int_equal(s[1].id, 32768);
	assert_int_equal(s[1].mode, 0666);
	assert_true(s[1].size == UINT64_MAX);
	assert_int_equal(s[1].attached, 0);
}

static void test_titles_decide(void **state)
{
	VMT_AUTO_FREE struct vmt_segment *s = NULL;
	uint64_t unknown = 0;
	size_t n = 0;

	assert_int_equal(parse("swap rss new nattch cpid size perms shmid\n 1 2 x 3 4 5 17 6\n", &s,
			       &n, &unknown, NULL),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(unknown, 1);
	assert_int_equal(s[0].swap, 1);
	assert_int_equal(s[0].rss, 2);
	assert_int_equal(s[0].attached, 3);
	assert_int_equal(s[0].creator, 4);
	assert_int_equal(s[0].size, 5);
	assert_int_equal(s[0].mode, 017);
	assert_int_equal(s[0].id, 6);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "", -EINVAL, 1 },
		{ "\n", -EINVAL, 1 },
		{ "key shmid perms size cpid nattch rss\n", -EINVAL, 1 },
		{ "shmid perms size cpid nattch rss swap\n1 2 3 4 5 6\n", -EINVAL, 2 },
		{ "shmid perms size cpid nattch rss swap\n1 2 3 4 5 6 7 8\n", -EINVAL, 2 },
		{ "shmid perms size cpid nattch rss swap\n1 2 3 4 5 6 7\n1 8 3 4 5 6 7\n", -EINVAL,
		  3 },
		{ "shmid perms size cpid nattch rss swap\n-1 2 3 4 5 6 7\n", -EINVAL, 2 },
		{ "shmid perms size cpid nattch rss swap\n1 2 3x 4 5 6 7\n", -EINVAL, 2 },
		{ "shmid perms size cpid nattch rss swap\n1 2 3 4 5 6 18446744073709551616\n",
		  -ERANGE, 2 },
		{ "shmid perms size cpid nattch rss swap\n1 7777777777777777777777777 3 4 5 6 7\n",
		  -ERANGE, 2 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_segment *s = NULL;
		struct vmt_err err = { 0 };
		uint64_t unknown = 0;
		size_t n = 0;

		assert_int_equal(parse(cases[i].text, &s, &n, &unknown, &err), cases[i].r);
		assert_int_equal(err.line, cases[i].line);
		assert_null(s);
	}
}

static int sweep(void *arg)
{
	VMT_AUTO_FREE struct vmt_segment *s = NULL;
	uint64_t unknown = 0;
	size_t n;

	return parse(text, &s, &n, &unknown, NULL);
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(sweep, NULL) >= 1);
}

/* More titles than any kernel has: what stands behind them is no segment's. */
static void test_too_many_titles(void **state)
{
	VMT_AUTO_FREE struct vmt_segment *s = NULL;
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF all = { 0 };
	uint64_t unknown = 0;
	size_t n = 0, i;

	vmt_buf_adds(&all, "shmid perms size cpid nattch rss swap");
	for (i = 0; i < 40; i++)
		vmt_buf_adds(&all, " more");
	vmt_buf_adds(&all, "\n1 600 3 4 5 6 7");
	for (i = 0; i < 40; i++)
		vmt_buf_adds(&all, " x");
	vmt_buf_addc(&all, '\n');
	assert_int_equal(
		vmt_sysvipc_parse((struct vmt_bytes){ all.data, all.len }, &s, &n, &unknown, &err),
		-EINVAL);
	assert_int_equal(err.line, 2);
	assert_int_equal(unknown, 32 - 7);
}

static void test_modes_that_are_none(void **state)
{
	static const char *const modes[] = { "8", "x", "/", "60a", "-600" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(modes); i++) {
		struct vmt_segment *s = NULL;
		VMT_AUTO_BUF all = { 0 };
		uint64_t unknown = 0;
		size_t n = 0;

		vmt_buf_addf(&all, "shmid perms size cpid nattch rss swap\n1 %s 3 4 5 6 7\n",
			     modes[i]);
		assert_int_equal(vmt_sysvipc_parse((struct vmt_bytes){ all.data, all.len }, &s, &n,
						   &unknown, NULL),
				 -EINVAL);
		assert_null(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),		cmocka_unit_test(test_titles_decide),
		cmocka_unit_test(test_malformed),	cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_too_many_titles), cmocka_unit_test(test_modes_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
