/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>

#include "base/mem.h"

static void test_arena(void **state)
{
	struct vmt_arena a;
	unsigned char *p;
	size_t i, k;

	vmt_arena_init(&a);
	for (i = 0; i < 3000; i++) {
		size_t n = i * 7 % 500;

		p = vmt_arena_alloc(&a, n, 1);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (k = 0; k < n; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, n);
	}
	vmt_arena_done(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(vmt_arena_alloc(&a, 1, 1));
	vmt_arena_done(&a);
}

/* Pieces of any size, small and big in turn, never lie in one another. */
static void test_arena_of_any_sizes(void **state)
{
	static const size_t sizes[] = { 1, 4000, 16, 5000, 16000, 17000, 32, 70000, 8, 200000, 3 };
	unsigned char *p[VMT_ARRAY_LEN(sizes) * 5];
	struct vmt_arena a;
	size_t i, k;

	vmt_arena_init(&a);
	for (i = 0; i < VMT_ARRAY_LEN(p); i++) {
		size_t n = sizes[i % VMT_ARRAY_LEN(sizes)];

		p[i] = vmt_arena_alloc(&a, n, 1);
		assert_non_null(p[i]);
		memset(p[i], (int)i + 1, n);
	}
	for (i = 0; i < VMT_ARRAY_LEN(p); i++)
		for (k = 0; k < sizes[i % VMT_ARRAY_LEN(sizes)]; k++)
			assert_int_equal(p[i][k], i + 1);
	vmt_arena_done(&a);
}

static void test_arena_refuses_overflow(void **state)
{
	struct vmt_arena a;

	vmt_arena_init(&a);
	assert_null(vmt_arena_alloc(&a, SIZE_MAX / 2, 3));
	assert_null(vmt_arena_alloc(&a, SIZE_MAX, 1));
	assert_null(vmt_arena_alloc(&a, SIZE_MAX - 8, 1));
	assert_null(vmt_arena_copy(&a, "x", SIZE_MAX));
	vmt_arena_done(&a);
}

static void test_arena_copy(void **state)
{
	struct vmt_arena a;
	char *p;

	vmt_arena_init(&a);
	p = vmt_arena_copy(&a, "a\0b", 3);
	assert_memory_equal(p, "a\0b", 4);
	p = vmt_arena_copy(&a, NULL, 0);
	assert_string_equal(p, "");
	vmt_arena_done(&a);
}

static void test_arena_join(void **state)
{
	struct vmt_arena a, b, empty;
	char *x, *y, *z;

	vmt_arena_init(&a);
	vmt_arena_init(&b);
	vmt_arena_init(&empty);
	x = vmt_arena_copy(&a, "x", 1);
	y = vmt_arena_copy(&b, "y", 1);
	z = vmt_arena_alloc(&b, 1, 200000);
	memset(z, 'z', 200000);
	vmt_arena_join(&a, &b);
	vmt_arena_join(&a, &empty);
	assert_int_equal(b.used, 0);
	assert_null(b.head);
	assert_non_null(vmt_arena_copy(&b, "new", 3));
	vmt_arena_done(&b);
	/* What b owned is a's now. */
	assert_string_equal(x, "x");
	assert_string_equal(y, "y");
	assert_int_equal(z[199999], 'z');
	assert_non_null(vmt_arena_copy(&a, "more", 4));
	vmt_arena_join(&empty, &a);
	assert_string_equal(y, "y");
	vmt_arena_done(&empty);
}

static void test_grow(void **state)
{
	VMT_AUTO_FREE uint64_t *v = NULL;
	size_t cap = 0, before, i;

	assert_int_equal(vmt_grow(&v, &cap, 1, sizeof(*v)), 0);
	assert_true(cap >= 1);
	before = cap;
	v[before - 1] = 42;
	assert_int_equal(vmt_grow(&v, &cap, before + 1, sizeof(*v)), 0);
	assert_int_equal(v[before - 1], 42);
	for (i = before; i < cap; i++)
		assert_int_equal(v[i], 0);
	before = cap;
	assert_int_equal(vmt_grow(&v, &cap, SIZE_MAX / 2, sizeof(*v)), -ENOMEM);
	assert_int_equal(vmt_grow(&v, &cap, SIZE_MAX, sizeof(*v)), -ENOMEM);
	unit_alloc_fail(1);
	assert_int_equal(vmt_grow(&v, &cap, before + 1, sizeof(*v)), -ENOMEM);
	unit_alloc_pass();
	assert_int_equal(cap, before);
}

static void test_steal_and_cleanup(void **state)
{
	char *kept = NULL;
	int fd = -1;

	{
		VMT_AUTO_FREE char *p = strdup("kept");
		VMT_AUTO_FREE char *freed = strdup("freed");
		VMT_AUTO_CLOSE int f = open("/dev/null", O_RDONLY | O_CLOEXEC);

		assert_non_null(freed);
		kept = VMT_STEAL(p);
		assert_null(p);
		fd = VMT_STEAL_FD(f);
		assert_int_equal(f, -1);
	}
	assert_string_equal(kept, "kept");
	assert_true(fcntl(fd, F_GETFD) >= 0);
	free(kept);
	close(fd);
}

static int fill(void *arg)
{
	struct vmt_arena a;
	int r = 0, i;

	vmt_arena_init(&a);
	for (i = 0; i < 100 && r == 0; i++)
		r = vmt_arena_alloc(&a, 1, (size_t)i * 1000) ? 0 : -ENOMEM;
	vmt_arena_done(&a);
	return r;
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(fill, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_of_any_sizes),
		cmocka_unit_test(test_arena_refuses_overflow),
		cmocka_unit_test(test_arena_copy),
		cmocka_unit_test(test_arena_join),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_steal_and_cleanup),
		cmocka_unit_test(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
