/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/pagemap.h"

#define PRESENT VMT_PM_PRESENT
#define SWAP	VMT_PM_SWAP
#define FILEPG	VMT_PM_FILE
#define EXCL	VMT_PM_EXCLUSIVE
#define SOFT	VMT_PM_SOFT_DIRTY
#define ZERO	0x77

/* Bits of pages 0x10..0x17; what lies below is the frame or the place in swap. */
static const uint64_t words[] = {
	0,
	PRESENT | EXCL | SOFT | 0x1234,
	PRESENT | FILEPG,
	PRESENT | ZERO,
	SWAP | 5,
	SWAP | SOFT,
	SOFT | SWAP | VMT_PM_GUARD,
	PRESENT | FILEPG | EXCL,
};
static const struct vmt_pagemap_facts nothing;

static int saved(struct unit_dir *d)
{
	static uint64_t file[0x18];
	int fd;

	memcpy(file + 0x10, words, sizeof(words));
	unit_dir_make(d);
	unit_dir_write_bytes(d, "pagemap", file, sizeof(file));
	fd = openat(d->fd, "pagemap", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct vmt_pagemap of(int fd, uint64_t *buf, size_t n)
{
	return (struct vmt_pagemap){
		.fd = fd, .page_size = 4096, .facts = &nothing, .words = buf, .n_words = n
	};
}

static void test_words_in_any_pieces(void **state)
{
	struct unit_dir d;
	int fd = saved(&d);
	size_t n;

	for (n = 1; n <= 16; n++) {
		struct vmt_pagemap_sum sum = { 0 };
		uint64_t buf[16];
		struct vmt_pagemap pm = of(fd, buf, n);

		assert_int_equal(vmt_pagemap_read(&pm, 0x10000, 0x18000, &sum), 0);
		assert_int_equal(sum.present, 4);
		assert_int_equal(sum.swapped, 2);
		assert_int_equal(sum.file, 2);
		assert_int_equal(sum.exclusive, 2);
		assert_int_equal(sum.soft_dirty, 3);
		/* Without frames it may be the zero page or not. */
		assert_int_equal(sum.unsure, 1);
		assert_int_equal(sum.zero, 0);
		assert_true(sum.by_words);
		assert_int_equal(pm.bytes, 64);
		assert_int_equal(pm.reads, (8 + n - 1) / n);
	}
	close(fd);
	unit_dir_remove(&d);
}

static void c08_the_zero_page_is_told_by_its_frame(void **state)
{
	struct vmt_pagemap_facts facts = { .frames = true, .zero_frame = ZERO };
	struct vmt_pagemap_sum sum = { 0 };

	vmt_pagemap_add_words(&sum, &facts, words, 8);
	assert_int_equal(sum.zero, 1);
	assert_int_equal(sum.unsure, 0);
	facts.zero_frame = ZERO + 1;
	sum = (struct vmt_pagemap_sum){ 0 };
	vmt_pagemap_add_words(&sum, &facts, words, 8);
	assert_int_equal(sum.zero, 0);
	assert_int_equal(sum.unsure, 0);
}

static void test_the_address_space_is_gone(void **state)
{
	struct vmt_scan_region regions[VMT_SCAN_REGIONS];
	struct vmt_pagemap_sum sum = { 0 };
	uint64_t buf[4], next;
	struct unit_dir d;
	int fd = saved(&d);
	struct vmt_pagemap pm = of(fd, buf, 4);

	assert_int_equal(vmt_pagemap_read(&pm, 0x16000, 0x20000, &sum), -ESRCH);
	/* No file has the words of the kernel's half. */
	pm.page_size = 4;
	assert_int_equal(vmt_pagemap_read(&pm, UINT64_C(0xffffffffff600000),
					  UINT64_C(0xffffffffff601000), &sum),
			 -ERANGE);
	assert_int_equal(vmt_pagemap_scan(&pm, 0x10000, 0x18000, 0, regions, &next), -ENOTTY);
	close(fd);
	unit_dir_remove(&d);
}

static bool third_time(void *arg)
{
	return ++*(int *)arg == 3;
}

static void test_stops_when_told(void **state)
{
	struct vmt_pagemap_sum sum = { 0 };
	int calls = 0;
	const struct vmt_pagemap_stop stop = { third_time, &calls };
	uint64_t buf[1];
	struct unit_dir d;
	int fd = saved(&d);
	struct vmt_pagemap pm = of(fd, buf, 1);

	pm.stop = &stop;
	assert_int_equal(vmt_pagemap_read(&pm, 0x10000, 0x18000, &sum), -ETIMEDOUT);
	assert_int_equal(pm.reads, 3);
	close(fd);
	unit_dir_remove(&d);
}

static int answer;
static uint64_t answer_next;

static int answering(int fd, struct vmt_scan_arg *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_true(arg->vec_len <= 512 && arg->max_pages > 0);
	arg->walk_end = answer_next;
	return answer;
}

static void test_what_a_scan_may_answer(void **state)
{
	struct vmt_scan_region regions[VMT_SCAN_REGIONS];
	struct vmt_pagemap pm = of(-1, NULL, 0);
	uint64_t next = 1;

	pm.scan = answering;
	answer = 3;
	answer_next = 0x3000;
	assert_int_equal(vmt_pagemap_scan(&pm, 0x1000, 0x9000, 0, regions, &next), 3);
	assert_int_equal(next, 0x3000);
	answer_next = 0xa000;
	assert_int_equal(vmt_pagemap_scan(&pm, 0x1000, 0x9000, 0, regions, &next), 3);
	assert_int_equal(next, 0x9000);
	/* It would go on for ever. */
	answer_next = 0x1000;
	assert_int_equal(vmt_pagemap_scan(&pm, 0x1000, 0x9000, 0, regions, &next), -EIO);
	answer = -EINVAL;
	assert_int_equal(vmt_pagemap_scan(&pm, 0x1000, 0x9000, 0, regions, &next), -ENOTTY);
	answer = -ENOMEM;
	assert_int_equal(vmt_pagemap_scan(&pm, 0x1000, 0x9000, 0, regions, &next), -ENOMEM);
	assert_int_equal(pm.reads, 3);
}

/* What is found out on our own pages holds for our own pages, and is the same each time. */
static void test_what_is_learnt_of_a_kernel(void **state)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct vmt_pagemap_facts a, b;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	vmt_pagemap_learn(null, page, &a);
	assert_memory_equal(&a, &nothing, sizeof(a));
	close(null);
	if (fd < 0)
		skip();
	vmt_pagemap_learn(fd, page, &a);
	vmt_pagemap_learn(fd, page, &b);
	close(fd);
	assert_int_equal(a.scan, b.scan);
	assert_int_equal(a.scan_absent, b.scan_absent);
	assert_true(a.scan || !a.scan_absent);
	assert_int_equal(a.frames, b.frames);
	assert_int_equal(a.zero_frame, b.zero_frame);
	assert_int_equal(a.soft_dirty, b.soft_dirty);
	assert_true(!a.frames || a.zero_frame);
	assert_false(a.guards_hidden && a.word_guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_in_any_pieces),
		cmocka_unit_test(c08_the_zero_page_is_told_by_its_frame),
		cmocka_unit_test(test_the_address_space_is_gone),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_what_a_scan_may_answer),
		cmocka_unit_test(test_what_is_learnt_of_a_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
