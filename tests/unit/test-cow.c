/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "source/cow.h"

#define PAGE UINT64_C(4096)

#define ANON(pfn)                                                                                  \
	(&(struct vmt_page_run){ .state = VMT_PAGE_PRESENT,                                        \
				 .backing = VMT_BACKING_ANON,                                      \
				 .known = VMT_PAGE_HAS_FRAME | VMT_PAGE_EXCLUSIVE,                 \
				 .frame = (pfn),                                                   \
				 .pages = 1 })
#define MARKED(marks_)                                                                             \
	(&(struct vmt_page_run){ .state = VMT_PAGE_PRESENT,                                        \
				 .backing = VMT_BACKING_ANON,                                      \
				 .known = VMT_PAGE_EXCLUSIVE,                                      \
				 .marks = (marks_),                                                \
				 .pages = 1 })
#define BACKED(backing_)                                                                           \
	(&(struct vmt_page_run){ .state = VMT_PAGE_PRESENT, .backing = (backing_), .pages = 1 })
#define SWAPPED(type, offset, known_)                                                              \
	(&(struct vmt_page_run){ .state = VMT_PAGE_SWAPPED,                                        \
				 .known = (known_),                                                \
				 .swap_type = (type),                                              \
				 .swap_offset = (offset),                                          \
				 .pages = 1 })
#define STATE(state_) (&(struct vmt_page_run){ .state = (state_), .pages = 1 })

static void test_pages(void **state)
{
	const struct {
		const struct vmt_page_run *first;
		const struct vmt_page_run *second;
		struct vmt_cow_sum want;
	} cases[] = {
		{ ANON(7), ANON(7), { .shared = 3 } },
		{ ANON(7), ANON(8), { .broken = 3 } },
		{ ANON(7), NULL, { .first_only = 3 } },
		{ NULL, ANON(7), { .second_only = 3 } },
		{ STATE(VMT_PAGE_NONE), ANON(7), { .second_only = 3 } },
		{ NULL, NULL, { 0 } },
		{ STATE(VMT_PAGE_GUARD), STATE(VMT_PAGE_NONE), { 0 } },
		/* Nobody's, and a file's: a write makes a copy, which the fork has no part in. */
		{ BACKED(VMT_BACKING_ZERO), BACKED(VMT_BACKING_ZERO), { 0 } },
		{ BACKED(VMT_BACKING_ZERO), ANON(7), { .second_only = 3 } },
		{ ANON(7), BACKED(VMT_BACKING_FILE), { .first_only = 3 } },
		/* On swap: one place is one page. */
		{ SWAPPED(1, 5, VMT_PAGE_HAS_SWAP),
		  SWAPPED(1, 5, VMT_PAGE_HAS_SWAP),
		  { .shared = 3 } },
		{ SWAPPED(1, 5, VMT_PAGE_HAS_SWAP),
		  SWAPPED(1, 6, VMT_PAGE_HAS_SWAP),
		  { .broken = 3 } },
		{ SWAPPED(1, 5, VMT_PAGE_HAS_SWAP),
		  SWAPPED(2, 5, VMT_PAGE_HAS_SWAP),
		  { .broken = 3 } },
		{ SWAPPED(0, 0, 0), SWAPPED(0, 0, 0), { .unknown = 3 } },
		{ SWAPPED(1, 5, VMT_PAGE_HAS_SWAP), ANON(7), { .unknown = 3 } },
		{ SWAPPED(1, 5, VMT_PAGE_HAS_SWAP), NULL, { .first_only = 3 } },
		/* Being moved, and without rights before PAGEMAP_SCAN perhaps the zero page. */
		{ STATE(VMT_PAGE_SPECIAL), ANON(7), { .unknown = 3 } },
		{ BACKED(VMT_BACKING_UNKNOWN), ANON(7), { .unknown = 3 } },
		{ NULL, BACKED(VMT_BACKING_UNKNOWN), { .unknown = 3 } },
		/* Without frames. */
		{ MARKED(0), MARKED(0), { .shared = 3, .by_marks = true } },
		{ MARKED(VMT_PAGE_EXCLUSIVE), MARKED(0), { .broken = 3, .by_marks = true } },
		{ MARKED(0), MARKED(VMT_PAGE_EXCLUSIVE), { .broken = 3, .by_marks = true } },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_cow_sum sum = { 0 };

		vmt_cow_add(&sum, cases[i].first, cases[i].second, 3);
		assert_int_equal(sum.shared, cases[i].want.shared);
		assert_int_equal(sum.broken, cases[i].want.broken);
		assert_int_equal(sum.first_only, cases[i].want.first_only);
		assert_int_equal(sum.second_only, cases[i].want.second_only);
		assert_int_equal(sum.unknown, cases[i].want.unknown);
		assert_int_equal(sum.by_marks, cases[i].want.by_marks);
	}
}

static struct vmt_map mapping(uint64_t start, uint64_t end, const char *perms, uint64_t inode,
			      uint64_t offset, const char *path)
{
	struct vmt_map m = { .start = start * PAGE,
			     .end = end * PAGE,
			     .perms = vmt_bytes_of(perms),
			     .device = vmt_bytes_of(inode ? "08:01" : "00:00"),
			     .inode = inode,
			     .offset_bytes = offset * PAGE,
			     .path = vmt_bytes_of(path) };

	return m;
}

static void test_ranges(void **state)
{
	struct vmt_map first[] = {
		mapping(10, 20, "rw-p", 0, 0, ""),    mapping(20, 30, "rw-p", 5, 3, "/f"),
		mapping(30, 40, "rw-p", 5, 13, "/f"), mapping(50, 60, "rw-s", 0, 0, ""),
		mapping(70, 90, "r--p", 0, 0, ""),
	};
	struct vmt_map second[] = {
		mapping(5, 12, "rw-p", 0, 0, ""), /* begins before, and is in two */
		mapping(14, 16, "---p", 0, 0, ""),    mapping(20, 30, "rw-p", 5, 3, "/f"),
		mapping(30, 40, "rw-p", 5, 14, "/f"), /* another part of the file */
		mapping(50, 60, "rw-p", 0, 0, ""), /* shared in the first */
		mapping(80, 100, "rw-p", 0, 0, ""),
	};
	const struct vmt_proc_maps a = { .maps = first, .n_maps = VMT_ARRAY_LEN(first) };
	const struct vmt_proc_maps b = { .maps = second, .n_maps = VMT_ARRAY_LEN(second) };
	const struct vmt_proc_maps nothing = { 0 };
	static const struct vmt_cow_range want[] = {
		{ 10 * PAGE, 12 * PAGE, 0, 0 },
		{ 14 * PAGE, 16 * PAGE, 0, 1 },
		{ 20 * PAGE, 30 * PAGE, 1, 2 },
		{ 80 * PAGE, 90 * PAGE, 4, 5 },
	};
	struct vmt_cow_range *ranges = NULL;
	size_t n = 0, i;

	assert_int_equal(vmt_cow_ranges(&a, &b, &ranges, &n), 0);
	assert_int_equal(n, VMT_ARRAY_LEN(want));
	for (i = 0; i < n; i++) {
		assert_int_equal(ranges[i].start, want[i].start);
		assert_int_equal(ranges[i].end, want[i].end);
		assert_int_equal(ranges[i].first, want[i].first);
		assert_int_equal(ranges[i].second, want[i].second);
	}
	free(ranges);
	ranges = NULL;
	assert_int_equal(vmt_cow_ranges(&a, &nothing, &ranges, &n), 0);
	assert_int_equal(n, 0);
	free(ranges);

	unit_alloc_fail(1);
	i = (size_t)-vmt_cow_ranges(&a, &b, &ranges, &n);
	unit_alloc_pass();
	assert_int_equal(i, ENOMEM);
}

static void test_fork(void **state)
{
	struct vmt_map parent[] = { mapping(100, 110, "rw-p", 0, 0, "[stack]"),
				    mapping(120, 122, "r-xp", 0, 0, "[vdso]") };
	struct vmt_map grown[] = { mapping(90, 110, "rw-p", 0, 0, "[stack]"),
				   mapping(120, 122, "r-xp", 0, 0, "[vdso]") };
	struct vmt_map other[] = { mapping(90, 110, "rw-p", 0, 0, "[stack]"),
				   mapping(130, 132, "r-xp", 0, 0, "[vdso]") };
	struct vmt_map moved[] = { mapping(91, 111, "rw-p", 0, 0, "[stack]"),
				   mapping(120, 122, "r-xp", 0, 0, "[vdso]") };
	/* A file may be called so. */
	struct vmt_map file[] = { mapping(100, 110, "rw-p", 9, 0, "[stack]"),
				  mapping(120, 122, "r-xp", 0, 0, "[vdso]") };
	const struct vmt_proc_maps p = { .maps = parent, .n_maps = 2 };
	const struct {
		struct vmt_proc_maps maps;
		bool want;
	} cases[] = {
		{ { .maps = grown, .n_maps = 2 }, true },
		{ { .maps = other, .n_maps = 2 }, false },
		{ { .maps = moved, .n_maps = 2 }, false },
		{ { .maps = file, .n_maps = 2 }, false },
		{ { .maps = grown, .n_maps = 1 }, false },
		{ { 0 }, false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		assert_int_equal(vmt_cow_is_fork(&p, &cases[i].maps), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_fork),
	};

	return cmocka_run_group_tests_name("cow", tests, NULL, NULL);
}
