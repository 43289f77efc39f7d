/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/strip.h"
#include "model/vm-flags.h"

#define PAGE  UINT64_C(4096)
#define START UINT64_C(0x7f0000000000)

static struct vmt_strip strip_of(uint64_t pages, unsigned cells)
{
	struct vmt_strip s;

	vmt_strip_begin(&s, START, START + pages * PAGE, PAGE, cells);
	return s;
}

static void add(struct vmt_strip *s, uint64_t first, uint64_t n, bool swapped)
{
	vmt_strip_add(s, START + first * PAGE, n, swapped);
}

static uint64_t sum(const struct vmt_strip *s, bool swapped)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < s->n_cells; i++)
		n += swapped ? s->cells[i].swapped : s->cells[i].present;
	return n;
}

/* Levels as text: '.' none, 1..8, 's', '?' */
static void assert_levels(const struct vmt_strip *s, unsigned n, const char *want)
{
	static const char letters[] = ".12345678s?";
	char text[VMT_STRIP_CELLS_MAX + 1];
	unsigned i;

	for (i = 0; i < n; i++)
		text[i] = letters[vmt_strip_level(s, i, n)];
	text[n] = 0;
	assert_string_equal(text, want);
}

static void test_nothing_is_known_at_first(void **state)
{
	struct vmt_strip s = strip_of(100, 4);

	(void)state;
	assert_levels(&s, 4, "????");
	s.known = START + 50 * PAGE;
	assert_levels(&s, 4, "..??");
	s.known = s.end;
	assert_levels(&s, 4, "....");
}

static void test_each_page_is_in_one_cell(void **state)
{
	unsigned cells;

	(void)state;
	/* Whatever the number of cells, and however the pages come. */
	for (cells = 1; cells <= 100; cells++) {
		struct vmt_strip s = strip_of(100, cells);

		add(&s, 0, 37, false);
		add(&s, 37, 1, false);
		add(&s, 38, 12, true);
		add(&s, 60, 1000, false);
		assert_int_equal(sum(&s, false), 38 + 40);
		assert_int_equal(sum(&s, true), 12);
	}
}

static void test_outside_is_left_out(void **state)
{
	struct vmt_strip s = strip_of(8, 4);

	(void)state;
	vmt_strip_add(&s, START - PAGE, 4, false);
	vmt_strip_add(&s, s.end, 4, false);
	assert_int_equal(sum(&s, false), 0);
	vmt_strip_add(&s, s.end - PAGE, UINT64_MAX, false);
	assert_int_equal(sum(&s, false), 1);
	s.known = s.end;
	assert_levels(&s, 4, "...4");
}

static void test_heights(void **state)
{
	struct vmt_strip s = strip_of(64, 4);

	(void)state;
	s.known = s.end;
	/* A single page of sixteen is not nothing, and fifteen are not all. */
	add(&s, 0, 1, false);
	add(&s, 16, 15, false);
	add(&s, 32, 16, false);
	assert_levels(&s, 4, "188.");
	/* In a row of another length. */
	assert_levels(&s, 2, "44");
	assert_levels(&s, 8, "118888..");
}

static void test_swap(void **state)
{
	struct vmt_strip s = strip_of(16, 4);

	(void)state;
	s.known = s.end;
	add(&s, 0, 1, true);
	add(&s, 4, 2, true);
	add(&s, 6, 2, false);
	add(&s, 8, 3, false);
	add(&s, 11, 1, true);
	assert_levels(&s, 4, "s46.");
}

static void test_fewer_pages_than_cells(void **state)
{
	struct vmt_strip s = strip_of(3, 9);

	(void)state;
	s.known = s.end;
	add(&s, 1, 1, false);
	assert_levels(&s, 9, "...888...");
	s = strip_of(1, 36);
	s.known = s.end;
	add(&s, 0, 1, false);
	assert_levels(&s, 12, "888888888888");
}

static void test_large(void **state)
{
	/* All that 57 bits of address reach. */
	uint64_t pages = UINT64_C(1) << 45;
	struct vmt_strip s;

	(void)state;
	vmt_strip_begin(&s, 0, pages * PAGE, PAGE, 1000);
	assert_int_equal(s.n_cells, VMT_STRIP_CELLS_MAX);
	s.known = s.end;
	vmt_strip_add(&s, 0, pages, false);
	assert_true(sum(&s, false) == pages);
	assert_int_equal(vmt_strip_level(&s, 5, 12), VMT_STRIP_FULL);
	/* And nothing at all. */
	vmt_strip_begin(&s, PAGE, PAGE, PAGE, 0);
	vmt_strip_add(&s, PAGE, 1, false);
	assert_int_equal(vmt_strip_level(&s, 0, 12), VMT_STRIP_UNKNOWN);
}

static void test_flags(void **state)
{
	(void)state;
	assert_string_equal(vmt_vm_flag_name("hg"), "MADV_HUGEPAGE");
	assert_string_equal(vmt_vm_flag_name("rd wr"), "readable");
	assert_null(vmt_vm_flag_name("??"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known_at_first),
		cmocka_unit_test(test_each_page_is_in_one_cell),
		cmocka_unit_test(test_outside_is_left_out),
		cmocka_unit_test(test_heights),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_fewer_pages_than_cells),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
