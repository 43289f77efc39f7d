/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/thread-stacks.h"

static void test_syscall(void **state)
{
	static const struct {
		const char *text;
		uint64_t sp; /* 0: none */
	} cases[] = {
		{ "7 0x7ffd 0x1 0xffffffff 0x0 0x0 0x0 0x7ffdeadbeef0 0x7f0012345678\n",
		  UINT64_C(0x7ffdeadbeef0) },
		{ "-1 0x7ffdeadbeef0 0x7f0012345678\n", UINT64_C(0x7ffdeadbeef0) },
		{ "-1 0x10 0x20", 0x10 },
		{ "running\n", 0 },
		{ "", 0 },
		{ "\n", 0 },
		{ "-1 0x0 0x7f00\n", 0 },
		{ "-1 7ffd 0x7f00\n", 0 },
		{ "-1 0xz 0x7f00\n", 0 },
		{ "-1 0x1g 0x7f00\n", 0 },
		{ "-1 0x11112222333344445 0x7f00\n", 0 },
		{ "7 0x1 0x2\n", 0 },
		{ "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n", 0 },
		{ "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8 0x9\n", 0 },
		{ "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8 0x9 0xa\n", 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		uint64_t sp = 0;

		assert_int_equal(vmt_syscall_stack(vmt_bytes_of(cases[i].text), &sp),
				 cases[i].sp != 0);
		assert_true(sp == cases[i].sp);
	}
}

struct thread {
	pthread_t id;
	pthread_attr_t attr;
	bool spins;
	int ready[2];
	int *stop;
};

static void *body(void *arg)
{
	struct thread *t = arg;
	char c = 0;

	assert_int_equal(write(t->ready[1], &c, 1), 1);
	while (!__atomic_load_n(t->stop, __ATOMIC_ACQUIRE))
		if (!t->spins)
			usleep(1000);
	return NULL;
}

/* One that sleeps and one that runs: the stack of each is found, and that of the first is not. */
static void test_threads(void **state)
{
	struct thread threads[2] = { { .spins = false }, { .spins = true } };
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), stop = 0, here;
	uint64_t *stacks = NULL;
	size_t n = 0, i, k;
	char c;

	assert_true(self >= 0);
	for (i = 0; i < 2; i++) {
		struct thread *t = &threads[i];

		t->stop = &stop;
		assert_int_equal(pipe2(t->ready, O_CLOEXEC), 0);
		assert_int_equal(pthread_create(&t->id, NULL, body, t), 0);
		assert_int_equal(read(t->ready[0], &c, 1), 1);
		assert_int_equal(pthread_getattr_np(t->id, &t->attr), 0);
	}
	assert_int_equal(vmt_thread_stacks(self, (uint64_t)getpid(), &stacks, &n), 0);
	assert_int_equal(n, 2);
	assert_true(stacks[0] < stacks[1]);
	for (i = 0; i < 2; i++) {
		void *at;
		size_t size, found = 0;

		pthread_attr_getstack(&threads[i].attr, &at, &size);
		for (k = 0; k < n; k++)
			found += stacks[k] - (uint64_t)(uintptr_t)at < size;
		assert_int_equal(found, 1);
	}
	for (k = 0; k < n; k++)
		assert_true(llabs((int64_t)(stacks[k] - (uint64_t)(uintptr_t)&here)) > 4096);
	free(stacks);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i].id, NULL);
		pthread_attr_destroy(&threads[i].attr);
		close(threads[i].ready[0]);
		close(threads[i].ready[1]);
	}
	close(self);
}

static void test_no_process(void **state)
{
	struct unit_dir d;
	uint64_t *stacks;
	size_t n = 7;

	unit_dir_make(&d);
	assert_int_equal(vmt_thread_stacks(d.fd, 1, &stacks, &n), 0);
	assert_int_equal(n, 0);
	assert_null(stacks);
	unit_dir_remove(&d);
}

/* Threads that have no list (of a recording, of another C library) are asked for their stack
 * pointer. */
static void test_by_stack_pointer(void **state)
{
	/* Above every PID that a kernel gives. */
	static const char tid[] = "task/4194303/syscall";
	struct unit_dir d;
	uint64_t *stacks;
	size_t n;

	unit_dir_make(&d);
	unit_dir_write(&d, tid, "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7f0000001000 0x7f00\n");
	unit_dir_write(&d, "task/4194302/syscall", "running\n");
	unit_dir_write(&d, "task/4194301/syscall", "-1 0x7f0000000010 0x7f00\n");
	unit_dir_write(&d, "task/12/syscall", "-1 0x10 0x7f00\n");
	assert_int_equal(vmt_thread_stacks(d.fd, 12, &stacks, &n), 0);
	assert_int_equal(n, 2);
	assert_true(stacks[0] == UINT64_C(0x7f0000000010));
	assert_true(stacks[1] == UINT64_C(0x7f0000001000));
	free(stacks);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syscall),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_by_stack_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
