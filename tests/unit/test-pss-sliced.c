/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "source/pss-sliced.h"

#define PAGE   UINT64_C(4096)
#define FRAMES 4096
#define ZERO   9

static const struct vmt_pagemap_facts facts = { .frames = true, .zero_frame = ZERO };

/* Files of words and of counts, as the kernel has them. */
struct files {
	struct unit_dir dir;
	uint64_t words[1024];
	uint64_t counts[FRAMES];
	uint64_t word_buf[2048];
	uint64_t count_buf[256];
	struct vmt_pagemap pm;
	struct vmt_pss_sliced pss;
};

static void save(struct files *f, size_t n_words)
{
	unit_dir_make(&f->dir);
	unit_dir_write_bytes(&f->dir, "pagemap", f->words, n_words * sizeof(f->words[0]));
	unit_dir_write_bytes(&f->dir, "kpagecount", f->counts, sizeof(f->counts));
	f->pm = (struct vmt_pagemap){ .fd = openat(f->dir.fd, "pagemap", O_RDONLY | O_CLOEXEC),
				      .page_size = PAGE,
				      .facts = &facts,
				      .words = f->word_buf,
				      .n_words = 256 };
	f->pss = (struct vmt_pss_sliced){
		.pm = &f->pm,
		.counts_fd = openat(f->dir.fd, "kpagecount", O_RDONLY | O_CLOEXEC),
		.counts = f->count_buf,
		.n_counts = 256,
	};
	assert_true(f->pm.fd >= 0 && f->pss.counts_fd >= 0);
}

static void done(struct files *f)
{
	close(f->pm.fd);
	close(f->pss.counts_fd);
	unit_dir_remove(&f->dir);
}

static struct vmt_map mapping(uint64_t first, uint64_t pages, const char *kind)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, first * PAGE);
	VMT_SET(map, end, &m, (first + pages) * PAGE);
	VMT_SET(map, kind, &m, vmt_bytes_of(kind));
	return m;
}

static void test_each_page_by_its_count(void **state)
{
	static struct files f;
	struct vmt_map m = mapping(0, 8, "file");
	uint64_t bytes = 1;

	f.words[1] = VMT_PM_PRESENT | VMT_PM_EXCLUSIVE | 100; /* alone: no count is needed */
	f.words[2] = VMT_PM_PRESENT | 101;
	f.words[3] = VMT_PM_PRESENT | 103;
	f.words[4] = VMT_PM_SWAP | 102;
	f.words[5] = VMT_PM_PRESENT | ZERO; /* the zero page */
	f.words[6] = VMT_PM_PRESENT | 200; /* the huge zero page: nothing counts it */
	f.words[7] = VMT_PM_PRESENT | VMT_PM_FILE | 201; /* went away between the looks */
	f.counts[100] = 50;
	f.counts[101] = 2;
	f.counts[103] = 3;
	f.counts[ZERO] = 7;
	save(&f, 8);
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, PAGE + PAGE / 2 + PAGE / 3 + PAGE);
	/* What looks like a file's in anonymous memory is the huge zero page. */
	m = mapping(0, 8, "anon");
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, PAGE + PAGE / 2 + PAGE / 3);
	done(&f);
}

/* Any frames in any order, in pieces, are as by hand. */
static void test_any_frames(void **state)
{
	static struct files f;
	unsigned round, i;

	srandom(5);
	for (i = 0; i < FRAMES; i++)
		f.counts[i] = 1 + (unsigned)random() % 5;
	for (round = 0; round < 20; round++) {
		struct vmt_map m = mapping(0, 1000, "anon");
		uint64_t want = 0, bytes, frame = 10;

		for (i = 0; i < 1000; i++) {
			frame = round % 2 ? 10 + (uint64_t)random() % (FRAMES - 10)
					  : (frame + (uint64_t)random() % 3) % (FRAMES - 10) + 10;
			f.words[i] = random() % 4 ? VMT_PM_PRESENT | frame : 0;
			if (f.words[i])
				want += (PAGE << 12) / f.counts[frame];
		}
		save(&f, 1000);
		/* Room for all, and calls that take less. */
		if (round % 4 == 3) {
			f.pm.gentle = true;
			f.pm.n_words = 2048;
		}
		assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
		assert_int_equal(bytes, want >> 12);
		done(&f);
	}
}

/* One region in what is a TiB. */
static int one_region(int fd, struct vmt_scan_arg *arg)
{
	struct vmt_scan_region *out = (struct vmt_scan_region *)(uintptr_t)arg->vec;
	int n = 0;

	if (arg->start <= 16 * PAGE && arg->end > 16 * PAGE)
		out[n++] = (struct vmt_scan_region){ 16 * PAGE, 20 * PAGE, VMT_SCAN_PRESENT };
	arg->walk_end = arg->end;
	return n;
}

static void test_what_is_large_is_scanned_first(void **state)
{
	static const struct vmt_pagemap_facts scanning = { .frames = true,
							   .zero_frame = ZERO,
							   .scan = true };
	static struct files f;
	struct vmt_map m = mapping(0, UINT64_C(1) << 28, "anon");
	uint64_t bytes, i;

	for (i = 16; i < 20; i++)
		f.words[i] = VMT_PM_PRESENT | i;
	for (i = 0; i < FRAMES; i++)
		f.counts[i] = 4;
	save(&f, 32);
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), -E2BIG);
	f.pm.facts = &scanning;
	f.pm.scan = one_region;
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, PAGE);
	done(&f);
}

static void test_what_counts_nothing(void **state)
{
	static struct files f;
	struct vmt_map m = mapping(0, 8, "hugetlb");
	uint64_t bytes = 1;

	f.words[1] = VMT_PM_PRESENT | 100;
	f.counts[100] = 1;
	save(&f, 4);
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, 0);
	m = mapping(0, 8, "special");
	m.start = UINT64_C(0xffffffffff600000);
	m.end = m.start + PAGE;
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, 0);
	/* The address space is gone. */
	m = mapping(4, 4, "anon");
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), -ESRCH);
	/* A frame that no file of counts has. */
	m = mapping(0, 1, "anon");
	f.words[0] = VMT_PM_PRESENT | VMT_PM_FRAME;
	done(&f);
	save(&f, 4);
	assert_int_equal(vmt_pss_sliced_read(&f.pss, &m, &bytes), 0);
	assert_int_equal(bytes, 0);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_page_by_its_count),
		cmocka_unit_test(test_any_frames),
		cmocka_unit_test(test_what_is_large_is_scanned_first),
		cmocka_unit_test(test_what_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
