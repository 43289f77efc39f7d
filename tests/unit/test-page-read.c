/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "source/page-read.h"

#define PAGE   UINT64_C(4096)
#define ZERO   9
#define FRAMES 4096
#define WORDS  ((size_t)3 * VMT_PAGE_WORDS)

#define PRESENT		   VMT_PM_PRESENT
#define ANON(pfn)	   (VMT_PM_PRESENT | VMT_PM_EXCLUSIVE | (pfn))
#define SWAP(type, offset) (VMT_PM_SWAP | (uint64_t)(type) | (uint64_t)(offset) << 5)

static const struct vmt_pagemap_facts root_facts = { .frames = true,
						     .zero_frame = ZERO,
						     .soft_dirty = true };
static const struct vmt_pagemap_facts user_facts = { 0 };

static struct vmt_page_run decoded(const struct vmt_pagemap_facts *facts,
				   enum vmt_page_backing file, uint64_t word, bool has_scan,
				   uint64_t categories)
{
	struct vmt_page_reader rd = { .pm = { .page_size = PAGE, .facts = facts },
				      .swap_in_use = true };
	struct vmt_page_map map = { .file = file };
	struct vmt_page_run run;

	vmt_page_decode(&rd, &map, word, has_scan, categories, &run);
	return run;
}

static void test_backings(void **state)
{
	static const struct {
		const struct vmt_pagemap_facts *facts;
		enum vmt_page_backing file;
		uint64_t word;
		bool scan;
		uint64_t categories;
		enum vmt_page_backing want;
	} cases[] = {
		{ &root_facts, VMT_BACKING_UNKNOWN, ANON(77), false, 0, VMT_BACKING_ANON },
		{ &root_facts, VMT_BACKING_UNKNOWN, PRESENT | ZERO, false, 0, VMT_BACKING_ZERO },
		{ &root_facts, VMT_BACKING_FILE, PRESENT | VMT_PM_FILE | 5, false, 0,
		  VMT_BACKING_FILE },
		{ &root_facts, VMT_BACKING_SHMEM, PRESENT | VMT_PM_FILE | 5, false, 0,
		  VMT_BACKING_SHMEM },
		/* Copied on write: the mapping is a file's, the page is not. */
		{ &root_facts, VMT_BACKING_FILE, ANON(5), false, 0, VMT_BACKING_ANON },
		/* The huge zero page, which words call a file's. */
		{ &root_facts, VMT_BACKING_UNKNOWN, PRESENT | VMT_PM_FILE | 512, false, 0,
		  VMT_BACKING_ZERO },
		{ &root_facts, VMT_BACKING_HUGETLB, PRESENT | 512, false, 0, VMT_BACKING_HUGETLB },
		/* Without rights, and without the scan: it may be the zero page. */
		{ &user_facts, VMT_BACKING_UNKNOWN, PRESENT, false, 0, VMT_BACKING_UNKNOWN },
		{ &user_facts, VMT_BACKING_UNKNOWN, ANON(0), false, 0, VMT_BACKING_ANON },
		{ &user_facts, VMT_BACKING_UNKNOWN, PRESENT, true, VMT_SCAN_PRESENT,
		  VMT_BACKING_ANON },
		{ &user_facts, VMT_BACKING_UNKNOWN, PRESENT, true, VMT_SCAN_PRESENT | VMT_SCAN_ZERO,
		  VMT_BACKING_ZERO },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_page_run run = decoded(cases[i].facts, cases[i].file, cases[i].word,
						  cases[i].scan, cases[i].categories);

		assert_int_equal(run.state, VMT_PAGE_PRESENT);
		assert_int_equal(run.backing, cases[i].want);
	}
}

static void test_marks(void **state)
{
	struct vmt_page_run run = decoded(&root_facts, 0, ANON(7) | VMT_PM_SOFT_DIRTY, true,
					  VMT_SCAN_PRESENT | VMT_SCAN_HUGE);

	assert_int_equal(run.known, VMT_PAGE_EXCLUSIVE | VMT_PAGE_SOFT_DIRTY | VMT_PAGE_HUGE |
					    VMT_PAGE_HAS_FRAME);
	assert_int_equal(run.marks, VMT_PAGE_EXCLUSIVE | VMT_PAGE_SOFT_DIRTY | VMT_PAGE_HUGE);
	assert_int_equal(run.frame, 7);
	/* A kernel without the mark: not "clean". A user without rights: not frame 0. */
	run = decoded(&user_facts, 0, PRESENT, false, 0);
	assert_int_equal(run.known, VMT_PAGE_EXCLUSIVE);
	assert_int_equal(run.marks, 0);
	/* Root, and still no frame. */
	run = decoded(&root_facts, 0, PRESENT, false, 0);
	assert_false(run.known & VMT_PAGE_HAS_FRAME);
}

static void test_what_is_not_present(void **state)
{
	struct vmt_page_reader rd = { .pm = { .page_size = PAGE, .facts = &root_facts } };
	struct vmt_page_map map = { 0 };
	struct vmt_page_run run = decoded(&root_facts, 0, 0, false, 0);

	assert_int_equal(run.state, VMT_PAGE_NONE);
	assert_int_equal(run.known, 0);
	run = decoded(&root_facts, 0, SWAP(2, 1234), false, 0);
	assert_int_equal(run.state, VMT_PAGE_SWAPPED);
	assert_true(run.known & VMT_PAGE_HAS_SWAP);
	assert_int_equal(run.swap_type, 2);
	assert_int_equal(run.swap_offset, 1234);
	/* Without rights type and place are 0, which would be the first page of the first area. */
	run = decoded(&user_facts, 0, VMT_PM_SWAP, false, 0);
	assert_int_equal(run.state, VMT_PAGE_SWAPPED);
	assert_false(run.known & VMT_PAGE_HAS_SWAP);
	/* Guards by the word and by the scan; markers by their type; where there is no swap. */
	run = decoded(&user_facts, 0, VMT_PM_SWAP | VMT_PM_GUARD, false, 0);
	assert_int_equal(run.state, VMT_PAGE_GUARD);
	run = decoded(&user_facts, 0, VMT_PM_SWAP, true, VMT_SCAN_SWAPPED | VMT_SCAN_GUARD);
	assert_int_equal(run.state, VMT_PAGE_GUARD);
	run = decoded(&root_facts, 0, SWAP(31, 1), false, 0);
	assert_int_equal(run.state, VMT_PAGE_SPECIAL);
	vmt_page_decode(&rd, &map, SWAP(0, 1), false, 0, &run);
	assert_int_equal(run.state, VMT_PAGE_SPECIAL);
}

/* Files as the kernel has them, and a reader. */
struct files {
	struct unit_dir dir;
	uint64_t words[WORDS];
	uint64_t counts[FRAMES];
	uint64_t buf[VMT_PAGE_WORDS];
	uint64_t count_buf[256];
	struct vmt_page_run runs[VMT_PAGE_RUNS_MIN + WORDS];
	struct vmt_page_reader rd;
	struct vmt_pagemap_facts facts;
};

static struct files *open_files(size_t n_words)
{
	static struct files files;
	struct files *f = &files;

	unit_dir_make(&f->dir);
	unit_dir_write_bytes(&f->dir, "pagemap", f->words, n_words * sizeof(f->words[0]));
	unit_dir_write_bytes(&f->dir, "kpagecount", f->counts, sizeof(f->counts));
	f->facts = root_facts;
	f->rd = (struct vmt_page_reader){
		.pm = { .fd = openat(f->dir.fd, "pagemap", O_RDONLY | O_CLOEXEC),
			.page_size = PAGE,
			.facts = &f->facts,
			.words = f->buf,
			.n_words = VMT_PAGE_WORDS },
		.counts = { .fd = openat(f->dir.fd, "kpagecount", O_RDONLY | O_CLOEXEC),
			    .buf = f->count_buf,
			    .n_buf = 256 },
		.flags = { .fd = -1 },
		.swap_in_use = true,
		.runs = f->runs,
		.cap_runs = VMT_PAGE_RUNS_MIN + 100,
	};
	assert_true(f->rd.pm.fd >= 0 && f->rd.counts.fd >= 0);
	return f;
}

static void fill(uint64_t *words)
{
	size_t i;

	memset(words, 0, 1024 * sizeof(*words));
	for (i = 0; i < 10; i++)
		words[i] = ANON(100 + i);
	for (i = 10; i < 20; i++)
		words[i] = ANON(500 + 2 * i);
	for (i = 30; i < 40; i++)
		words[i] = SWAP(0, 70 + i);
	words[600] = ANON(3000);
}

static void close_files(struct files *f)
{
	close(f->rd.pm.fd);
	close(f->rd.counts.fd);
	unit_dir_remove(&f->dir);
}

static struct files *filled(void)
{
	struct files *f = open_files(0);
	uint64_t i;

	close_files(f);
	fill(f->words);
	for (i = 0; i < FRAMES; i++)
		f->counts[i] = 1;
	f->counts[105] = 3;
	return open_files(1024);
}

static void walk(struct files *f, uint64_t pages)
{
	struct vmt_page_map map = { .start = 0, .end = pages * PAGE };
	uint64_t at = 0;

	f->rd.n_runs = 0;
	while (at < map.end)
		assert_int_equal(vmt_page_step(&f->rd, 0, &map, at, map.end, &at), 0);
}

static void check_run(const struct vmt_page_run *run, uint64_t first, uint64_t pages,
		      unsigned state)
{
	assert_int_equal(run->start, first * PAGE);
	assert_int_equal(run->pages, pages);
	assert_int_equal(run->state, state);
}

static void test_runs(void **state)
{
	struct files *f = filled();

	walk(f, 1024);
	assert_int_equal(f->rd.n_runs, 6);
	check_run(&f->runs[0], 0, 20, VMT_PAGE_PRESENT);
	check_run(&f->runs[1], 20, 10, VMT_PAGE_NONE);
	check_run(&f->runs[2], 30, 10, VMT_PAGE_SWAPPED);
	check_run(&f->runs[3], 40, 560, VMT_PAGE_NONE);
	check_run(&f->runs[4], 600, 1, VMT_PAGE_PRESENT);
	check_run(&f->runs[5], 601, 423, VMT_PAGE_NONE);
	/* What was not asked for is in no run. */
	assert_false(f->runs[0].known & (VMT_PAGE_HAS_FRAME | VMT_PAGE_HAS_COUNT));

	/* A count of its own ends a run; frames that are not consecutive do. */
	f->rd.want = VMT_PAGES_COUNT;
	walk(f, 1024);
	assert_int_equal(f->rd.n_runs, 8);
	check_run(&f->runs[1], 5, 1, VMT_PAGE_PRESENT);
	assert_int_equal(f->runs[1].count, 3);
	f->rd.want = VMT_PAGES_FRAME;
	walk(f, 1024);
	check_run(&f->runs[0], 0, 10, VMT_PAGE_PRESENT);
	assert_int_equal(f->runs[0].frame, 100);
	check_run(&f->runs[1], 10, 1, VMT_PAGE_PRESENT);
	f->rd.want = VMT_PAGES_SWAP;
	walk(f, 1024);
	check_run(&f->runs[2], 30, 10, VMT_PAGE_SWAPPED);
	assert_int_equal(f->runs[2].swap_offset, 100);
	/* One a page, but for holes. */
	f->rd.want = VMT_PAGES_EACH;
	walk(f, 1024);
	assert_int_equal(f->rd.n_runs, 20 + 1 + 10 + 1 + 1 + 1);
	close_files(f);
}

/* A scan that finds what the words have, and calls frame 100 huge. */
static int fake_scan(int fd, struct vmt_scan_arg *arg)
{
	static const struct vmt_scan_region all[] = {
		{ 0, 10 * PAGE, VMT_SCAN_PRESENT | VMT_SCAN_HUGE },
		{ 10 * PAGE, 20 * PAGE, VMT_SCAN_PRESENT },
		{ 30 * PAGE, 40 * PAGE, VMT_SCAN_SWAPPED },
		{ 600 * PAGE, 601 * PAGE, VMT_SCAN_PRESENT },
	};
	struct vmt_scan_region *to = (struct vmt_scan_region *)(uintptr_t)arg->vec;
	int n = 0;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(all); i++)
		if (all[i].start >= arg->start && all[i].end <= arg->end)
			to[n++] = all[i];
	arg->walk_end = arg->end;
	return n;
}

static void test_what_the_scan_finds(void **state)
{
	struct files *f = filled();
	struct vmt_page_map tib = { .start = 0, .end = UINT64_C(1) << 40 };
	uint64_t at = 0, pages = 0;
	size_t i;

	f->facts.scan = true;
	f->rd.pm.scan = fake_scan;
	while (at < tib.end)
		assert_int_equal(vmt_page_step(&f->rd, 0, &tib, at, tib.end, &at), 0);
	/* The words behind the 1024 of the file were never asked for. */
	assert_int_equal(f->rd.n_runs, 7);
	check_run(&f->runs[0], 0, 10, VMT_PAGE_PRESENT);
	assert_true(f->runs[0].marks & VMT_PAGE_HUGE);
	check_run(&f->runs[1], 10, 10, VMT_PAGE_PRESENT);
	check_run(&f->runs[5], 600, 1, VMT_PAGE_PRESENT);
	for (i = 0; i < f->rd.n_runs; i++)
		pages += f->runs[i].pages;
	assert_int_equal(pages, (UINT64_C(1) << 40) / PAGE);
	close_files(f);
}

/* Four pages are there, one is not, and so on. */
static int fake_scan_of_many(int fd, struct vmt_scan_arg *arg)
{
	struct vmt_scan_region *to = (struct vmt_scan_region *)(uintptr_t)arg->vec;
	uint64_t at = arg->start, found = 0, n = 0;

	for (; at < arg->end && n < arg->vec_len && found < arg->max_pages; at += 5 * PAGE) {
		to[n++] = (struct vmt_scan_region){ at, at + 4 * PAGE, VMT_SCAN_PRESENT };
		found += 4;
	}
	arg->walk_end = at;
	return (int)n;
}

/* Each page has its own word, however many reads they come in. */
static void test_more_than_one_read(void **state)
{
	struct files *f = open_files(0);
	unsigned how;
	size_t i;

	close_files(f);
	for (i = 0; i < WORDS; i++)
		f->words[i] = i % 5 == 4 ? 0 : ANON(100 + i);
	for (how = 0; how < 4; how++) {
		f = open_files(WORDS);
		f->rd.want = VMT_PAGES_FRAME;
		f->rd.cap_runs = VMT_ARRAY_LEN(f->runs);
		f->rd.pm.gentle = how & 1;
		f->facts.scan = how & 2;
		f->rd.pm.scan = fake_scan_of_many;
		walk(f, WORDS / 5 * 5);
		assert_int_equal(f->rd.n_runs, WORDS / 5 * 2);
		for (i = 0; i < f->rd.n_runs; i += 2) {
			check_run(&f->runs[i], i / 2 * 5, 4, VMT_PAGE_PRESENT);
			assert_int_equal(f->runs[i].frame, 100 + i / 2 * 5);
			check_run(&f->runs[i + 1], i / 2 * 5 + 4, 1, VMT_PAGE_NONE);
		}
		/* No call longer than it may be. */
		assert_true(f->rd.pm.reads >=
			    WORDS / VMT_READ_WORDS * (f->rd.pm.gentle ? VMT_GENTLE_SHARE : 1));
		close_files(f);
	}
}

static void test_bounds(void **state)
{
	struct files *f = filled();
	struct vmt_page_map tib = { .start = 0, .end = UINT64_C(1) << 40 };
	uint64_t next = 77;

	/* Never word by word. */
	assert_int_equal(vmt_page_step(&f->rd, 0, &tib, 0, tib.end, &next), -E2BIG);
	f->rd.n_runs = 101;
	assert_int_equal(vmt_page_step(&f->rd, 0, &tib, 0, 4 * PAGE, &next), -ENOBUFS);
	f->rd.n_runs = 0;
	/* The address space is gone: the file has no more bytes. */
	assert_int_equal(vmt_page_step(&f->rd, 0, &tib, 2000 * PAGE, 2001 * PAGE, &next), -ESRCH);
	assert_int_equal(next, 77);
	close_files(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backings),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_what_is_not_present),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_what_the_scan_finds),
		cmocka_unit_test(test_more_than_one_read),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
