/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/pagemap.h"

#define PRESENT (UINT64_C(1) << 63)
#define SWAP	(UINT64_C(1) << 62)
#define FILEPG	(UINT64_C(1) << 61)
#define EXCL	(UINT64_C(1) << 56)
#define SOFT	(UINT64_C(1) << 55)

/* Bits of pages 0x10..0x17; what lies below is the PFN or the place in swap and means nothing. */
static const uint64_t words[] = {
	0,    PRESENT | EXCL | SOFT | 0x1234, PRESENT | FILEPG, PRESENT, SWAP | 5, SWAP | SOFT,
	SOFT, PRESENT | FILEPG | EXCL,
};

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

static void test_words_in_any_pieces(void **state)
{
	struct unit_dir d;
	int fd = saved(&d);
	size_t n;

	for (n = 1; n <= 16; n++) {
		struct vmt_pagemap_sum sum = { 0 };
		uint64_t buf[16];

		assert_int_equal(vmt_pagemap_read(fd, 0x10000, 0x18000, 4096, buf, n, NULL, &sum),
				 0);
		assert_int_equal(sum.present, 4);
		assert_int_equal(sum.swapped, 2);
		assert_int_equal(sum.file, 2);
		assert_int_equal(sum.exclusive, 2);
		assert_int_equal(sum.soft_dirty, 3);
		assert_true(sum.has_exclusive && sum.has_soft_dirty);
		assert_int_equal(sum.bytes, 64);
		assert_int_equal(sum.reads, (8 + n - 1) / n);
	}
	close(fd);
	unit_dir_remove(&d);
}

static void test_the_address_space_is_gone(void **state)
{
	struct vmt_pagemap_sum sum = { 0 };
	uint64_t buf[4];
	struct unit_dir d;
	int fd = saved(&d);

	assert_int_equal(vmt_pagemap_read(fd, 0x16000, 0x20000, 4096, buf, 4, NULL, &sum), -ESRCH);
	/* No file has the words of the kernel's half. */
	assert_int_equal(vmt_pagemap_read(fd, UINT64_C(0xffffffffff600000),
					  UINT64_C(0xffffffffff601000), 4, buf, 4, NULL, &sum),
			 -ERANGE);
	assert_int_equal(vmt_pagemap_scan(fd, 0x10000, 0x18000, 4096, NULL, &sum), -ENOTTY);
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

	assert_int_equal(vmt_pagemap_read(fd, 0x10000, 0x18000, 4096, buf, 1, &stop, &sum),
			 -ETIMEDOUT);
	assert_int_equal(sum.reads, 3);
	close(fd);
	unit_dir_remove(&d);
}

static int own_pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		skip();
	return fd;
}

/* Every other page of a range, so that no two touched ones make one region: above 512 regions the
 * scan of the kernel would give some twice if it were asked for more at a time. */
static void test_both_ways_count_what_was_touched(void **state)
{
	enum { PAGES = 4000 };
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct vmt_pagemap_sum sum = { 0 };
	uint64_t buf[100], start;
	int fd = own_pagemap(), r;
	char *p;
	size_t i;

	p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	madvise(p, PAGES * page, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i += 2)
		p[i * page] = 1;
	start = (uint64_t)(uintptr_t)p;
	assert_int_equal(
		vmt_pagemap_read(fd, start, start + PAGES * page, page, buf, 100, NULL, &sum), 0);
	assert_int_equal(sum.present + sum.swapped, PAGES / 2);
	assert_int_equal(sum.file, 0);
	assert_int_equal(sum.exclusive, sum.present);
	sum = (struct vmt_pagemap_sum){ 0 };
	r = vmt_pagemap_scan(fd, start, start + PAGES * page, page, NULL, &sum);
	munmap(p, PAGES * page);
	close(fd);
	if (r == -ENOTTY)
		skip();
	assert_int_equal(r, 0);
	assert_int_equal(sum.present + sum.swapped, PAGES / 2);
	assert_int_equal(sum.file, 0);
	assert_false(sum.has_exclusive);
	assert_true(sum.reads >= 4);
}

static void test_scan_of_what_is_huge_and_empty(void **state)
{
	const uint64_t size = UINT64_C(1) << 40;
	struct vmt_pagemap_sum sum = { 0 };
	int fd = own_pagemap(), r;
	uint64_t start;
	char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		skip();
	start = (uint64_t)(uintptr_t)p;
	r = vmt_pagemap_scan(fd, start, start + size, (uint64_t)sysconf(_SC_PAGESIZE), NULL, &sum);
	munmap(p, size);
	close(fd);
	if (r == -ENOTTY)
		skip();
	assert_int_equal(r, 0);
	assert_int_equal(sum.present, 0);
	assert_int_equal(sum.reads, 1024);
}

/* The mark is there or it is not, but the answer is the same each time. */
static void test_soft_dirty_is_found_out(void **state)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd = own_pagemap(), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(vmt_pagemap_has_soft_dirty(fd, page),
			 vmt_pagemap_has_soft_dirty(fd, page));
	assert_false(vmt_pagemap_has_soft_dirty(null, page));
	close(null);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_in_any_pieces),
		cmocka_unit_test(test_the_address_space_is_gone),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_both_ways_count_what_was_touched),
		cmocka_unit_test(test_scan_of_what_is_huge_and_empty),
		cmocka_unit_test(test_soft_dirty_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
