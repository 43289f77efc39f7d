/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/page-kind.h"

#define PAGE  UINT64_C(4096)
#define START UINT64_C(0x7f0000000000)
#define CELLS 8

#define REFERENCED (UINT64_C(1) << 2)
#define DIRTY	   (UINT64_C(1) << 4)
#define WRITEBACK  (UINT64_C(1) << 8)
#define SWAPCACHE  (UINT64_C(1) << 13)
#define SWAPBACKED (UINT64_C(1) << 14)
#define TAIL	   (UINT64_C(1) << 16)

static struct vmt_page_cell cells[CELLS];

static struct vmt_page_cells view(uint64_t pages, uint64_t first, uint64_t cell_pages, size_t n)
{
	struct vmt_page_cells c = {
		.start = START,
		.end = START + pages * PAGE,
		.page_size = PAGE,
		.from = START + first * PAGE,
		.cell_pages = cell_pages,
		.cells = cells,
		.n_cells = n,
	};

	vmt_page_cells_begin(&c);
	return c;
}

static void add(struct vmt_page_cells *c, uint64_t first, uint64_t n, enum vmt_page_kind kind)
{
	vmt_page_cells_add(c, START + first * PAGE, n, kind, false);
}

static bool get(const struct vmt_page_cells *c, uint64_t first, uint64_t n,
		struct vmt_page_cell *ret, uint64_t *ret_pages)
{
	return vmt_page_cells_get(c, START + first * PAGE, n, ret, ret_pages);
}

static void test_fit(void **state)
{
	(void)state;
	assert_int_equal(vmt_page_cells_fit(4096, 4096), 1);
	assert_int_equal(vmt_page_cells_fit(4097, 4096), 2);
	assert_int_equal(vmt_page_cells_fit(4096, 64 * 18), 4);
	assert_int_equal(vmt_page_cells_fit(1, 0), 1);
	assert_true(vmt_page_cells_fit(UINT64_C(1) << 45, 1) == UINT64_C(1) << 45);
	assert_true(vmt_page_cells_fit(UINT64_MAX, 1) > 0);
}

static void test_what_tells_the_most(void **state)
{
	struct vmt_page_cells c = view(32, 0, 4, CELLS);
	struct vmt_page_cell cell;
	uint64_t pages;

	(void)state;
	add(&c, 0, 3, VMT_PAGE_KIND_NONE);
	add(&c, 3, 3, VMT_PAGE_KIND_CLEAN);
	add(&c, 6, 1, VMT_PAGE_KIND_DIRTY);
	add(&c, 7, 1, VMT_PAGE_KIND_SWAPPED);
	assert_false(get(&c, 0, 4, &cell, &pages));
	c.known = c.end;
	assert_true(get(&c, 0, 4, &cell, &pages));
	assert_int_equal(cell.kind, VMT_PAGE_KIND_CLEAN);
	assert_int_equal(cell.resident, 1);
	assert_true(get(&c, 4, 4, &cell, &pages));
	assert_int_equal(cell.kind, VMT_PAGE_KIND_SWAPPED);
	assert_int_equal(cell.resident, 3);
	/* Several cells at once. */
	assert_true(get(&c, 0, 8, &cell, &pages));
	assert_int_equal(cell.resident, 4);
	assert_int_equal(pages, 8);
	assert_int_equal(c.counts[VMT_PAGE_KIND_CLEAN], 3);
	assert_int_equal(c.counts[VMT_PAGE_KIND_NONE], 3);
}

static void test_large_is_said_of_what_is_shown(void **state)
{
	struct vmt_page_cells c = view(4, 0, 4, 1);

	(void)state;
	vmt_page_cells_add(&c, START, 1, VMT_PAGE_KIND_CLEAN, true);
	assert_true(cells[0].large);
	vmt_page_cells_add(&c, START + PAGE, 1, VMT_PAGE_KIND_DIRTY, false);
	assert_false(cells[0].large);
	vmt_page_cells_add(&c, START + 2 * PAGE, 1, VMT_PAGE_KIND_DIRTY, true);
	assert_true(cells[0].large);
}

static void test_a_part_of_the_mapping(void **state)
{
	struct vmt_page_cells c = view(100, 10, 2, CELLS);
	struct vmt_page_cell cell;
	uint64_t pages;

	(void)state;
	assert_int_equal(vmt_page_cells_end(&c), START + 26 * PAGE);
	c.known = vmt_page_cells_end(&c);
	/* Begins before it and ends behind. */
	add(&c, 0, 100, VMT_PAGE_KIND_CLEAN);
	assert_int_equal(c.counts[VMT_PAGE_KIND_CLEAN], 16);
	assert_int_equal(cells[0].resident, 2);
	assert_int_equal(cells[7].resident, 2);
	assert_false(get(&c, 8, 2, &cell, &pages));
	assert_false(get(&c, 26, 2, &cell, &pages));
	assert_false(get(&c, 24, 4, &cell, &pages));
	assert_true(get(&c, 24, 2, &cell, &pages));
	add(&c, 0, 10, VMT_PAGE_KIND_DIRTY);
	assert_int_equal(c.counts[VMT_PAGE_KIND_DIRTY], 0);
}

static void test_the_last_cell_is_short(void **state)
{
	struct vmt_page_cells c = view(10, 0, 4, 3);
	struct vmt_page_cell cell;
	uint64_t pages;

	(void)state;
	assert_int_equal(vmt_page_cells_end(&c), c.end);
	c.known = c.end;
	add(&c, 8, 2, VMT_PAGE_KIND_SHARED);
	assert_true(get(&c, 8, 4, &cell, &pages));
	assert_int_equal(pages, 2);
	assert_int_equal(cell.resident, 2);
	assert_false(get(&c, 10, 4, &cell, &pages));
}

static void test_kinds(void **state)
{
	static const struct {
		enum vmt_page_state state;
		enum vmt_page_backing backing;
		uint16_t known, marks;
		uint64_t flags, count;
		enum vmt_page_kind want;
	} cases[] = {
#define FLAGS  VMT_PAGE_HAS_FLAGS
#define COUNT  VMT_PAGE_HAS_COUNT
#define UNIQUE VMT_PAGE_EXCLUSIVE
		{ VMT_PAGE_NONE, 0, 0, 0, 0, 0, VMT_PAGE_KIND_NONE },
		{ VMT_PAGE_SWAPPED, 0, 0, 0, 0, 0, VMT_PAGE_KIND_SWAPPED },
		{ VMT_PAGE_GUARD, 0, 0, 0, 0, 0, VMT_PAGE_KIND_GUARD },
		{ VMT_PAGE_SPECIAL, 0, 0, 0, 0, 0, VMT_PAGE_KIND_SPECIAL },
		{ VMT_PAGE_PRESENT, VMT_BACKING_ZERO, UNIQUE, 0, 0, 0, VMT_PAGE_KIND_ZERO },
		/* Without rights: memory without a file is nowhere else; of a file it is not known
		 * whether it is dirty, and it is said that others may map it. */
		{ VMT_PAGE_PRESENT, VMT_BACKING_ANON, UNIQUE, UNIQUE, 0, 0, VMT_PAGE_KIND_DIRTY },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, UNIQUE, UNIQUE, 0, 0, VMT_PAGE_KIND_CLEAN },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, UNIQUE, 0, 0, 0, VMT_PAGE_KIND_SHARED },
		{ VMT_PAGE_PRESENT, VMT_BACKING_UNKNOWN, 0, 0, 0, 0, VMT_PAGE_KIND_CLEAN },
		/* With flags and counts. */
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, UNIQUE | FLAGS | COUNT, 0, 0, 1,
		  VMT_PAGE_KIND_CLEAN },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, UNIQUE | FLAGS | COUNT, UNIQUE, 0, 2,
		  VMT_PAGE_KIND_SHARED },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, FLAGS, 0, REFERENCED, 0,
		  VMT_PAGE_KIND_REFERENCED },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, FLAGS | COUNT, 0, REFERENCED, 5,
		  VMT_PAGE_KIND_SHARED },
		{ VMT_PAGE_PRESENT, VMT_BACKING_FILE, FLAGS | COUNT, 0, DIRTY, 5,
		  VMT_PAGE_KIND_DIRTY },
		{ VMT_PAGE_PRESENT, VMT_BACKING_SHMEM, FLAGS, 0, WRITEBACK, 0,
		  VMT_PAGE_KIND_DIRTY },
		{ VMT_PAGE_PRESENT, VMT_BACKING_ANON, FLAGS, 0, SWAPBACKED, 0,
		  VMT_PAGE_KIND_DIRTY },
		/* Swap has the same; and given back by MADV_FREE. */
		{ VMT_PAGE_PRESENT, VMT_BACKING_ANON, FLAGS, 0, SWAPBACKED | SWAPCACHE, 0,
		  VMT_PAGE_KIND_CLEAN },
		{ VMT_PAGE_PRESENT, VMT_BACKING_ANON, FLAGS, 0, REFERENCED, 0,
		  VMT_PAGE_KIND_REFERENCED },
		{ VMT_PAGE_PRESENT, VMT_BACKING_ANON, FLAGS, 0, SWAPBACKED | SWAPCACHE | DIRTY, 0,
		  VMT_PAGE_KIND_DIRTY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		const struct vmt_page_run run = {
			.state = (uint8_t)cases[i].state,
			.backing = (uint8_t)cases[i].backing,
			.known = cases[i].known,
			.marks = cases[i].marks,
			.flags = cases[i].flags,
			.count = cases[i].count,
		};
		bool large = true;

		if (vmt_page_kind_of(&run, &large) != cases[i].want)
			fail_msg("case %zu", i);
		assert_false(large);
	}
}

static void test_large_folios(void **state)
{
	struct vmt_page_run run = { .state = VMT_PAGE_PRESENT, .flags = TAIL };
	bool large;

	(void)state;
	vmt_page_kind_of(&run, &large);
	assert_false(large);
	run.known = VMT_PAGE_HAS_FLAGS;
	vmt_page_kind_of(&run, &large);
	assert_true(large);
	run = (struct vmt_page_run){ .state = VMT_PAGE_PRESENT, .marks = VMT_PAGE_HUGE };
	vmt_page_kind_of(&run, &large);
	assert_true(large);
	run.state = VMT_PAGE_NONE;
	vmt_page_kind_of(&run, &large);
	assert_false(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_what_tells_the_most),
		cmocka_unit_test(test_large_is_said_of_what_is_shown),
		cmocka_unit_test(test_a_part_of_the_mapping),
		cmocka_unit_test(test_the_last_cell_is_short),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_large_folios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
