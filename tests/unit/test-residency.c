/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/residency.h"

#define PAGE UINT64_C(4096)

/*
 * A kernel in small: categories of each page of an address space that begins at BASE, scanned as
 * fs/proc/task_mmu.c do_pagemap_scan() does: regions of equal neighbours, a bound on regions and
 * one on pages, and only those categories that were asked for, the inverted ones turned round. What
 * lies in no mapping gives nothing.
 */
#define BASE  UINT64_C(0x100000000)
#define PAGES 40000

/* Not a category: the page lies in a mapping. */
#define MAPPED 1u

static unsigned char space[PAGES];
static unsigned calls, looked_at_pages, asked_for_absent, put_out;

static int fake_scan(int fd, struct vmt_scan_arg *arg)
{
	struct vmt_scan_region *out = (struct vmt_scan_region *)(uintptr_t)arg->vec;
	uint64_t at, found = 0;
	int n = 0;

	calls++;
	looked_at_pages += (arg->return_mask & VMT_SCAN_FILE) != 0;
	asked_for_absent += (arg->category_inverted & VMT_SCAN_PRESENT) != 0;
	assert_true(arg->end > arg->start && arg->vec_len <= 512);
	for (at = arg->start; at < arg->end; at += PAGE) {
		uint64_t page = (at - BASE) / PAGE, c;

		if (at < BASE || page >= PAGES || !(space[page] & MAPPED))
			continue;
		if (!((space[page] ^ arg->category_inverted) & arg->category_anyof_mask))
			continue;
		c = space[page] & arg->return_mask;
		if (arg->max_pages && found == arg->max_pages)
			break;
		if (n && out[n - 1].end == at && out[n - 1].categories == c) {
			out[n - 1].end += PAGE;
		} else if ((uint64_t)n == arg->vec_len) {
			break;
		} else {
			out[n++] = (struct vmt_scan_region){ at, at + PAGE, c };
		}
		found++;
	}
	arg->walk_end = at;
	put_out += (unsigned)n;
	return n;
}

static const struct vmt_pagemap_facts scanning = { .scan = true };

static struct vmt_map mapping(uint64_t page, uint64_t n, const char *kind, const char *perms)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, BASE + page * PAGE);
	VMT_SET(map, end, &m, BASE + (page + n) * PAGE);
	VMT_SET(map, kind, &m, vmt_bytes_of(kind));
	VMT_SET(map, perms, &m, vmt_bytes_of(perms));
	return m;
}

/* Any address space is added up as by hand, whatever its regions, gaps and kinds. */
static void test_any_address_space(void **state)
{
	static const unsigned char pages[] = {
		0,
		VMT_SCAN_PRESENT,
		VMT_SCAN_PRESENT,
		VMT_SCAN_PRESENT | VMT_SCAN_FILE,
		VMT_SCAN_PRESENT | VMT_SCAN_ZERO,
		VMT_SCAN_SWAPPED,
	};
	struct vmt_pagemap pm = {
		.fd = -1, .page_size = PAGE, .facts = &scanning, .scan = fake_scan
	};
	struct vmt_residency_ctx ctx = { .pm = &pm, .swap_in_use = true };
	unsigned round, rounds_of_absent = 0;

	srandom(3);
	for (round = 0; round < 120; round++) {
		VMT_AUTO_FREE struct vmt_map *maps = calloc(PAGES, sizeof(*maps));
		VMT_AUTO_FREE struct vmt_pagemap_sum *sums = calloc(PAGES, sizeof(*sums));
		VMT_AUTO_FREE bool *skipped = calloc(PAGES, sizeof(*skipped));
		/* From regions of a page to one of thousands. */
		unsigned run = 1u << (round % 14), doubts = 0;
		uint64_t at = 0, page;
		size_t n = 0, i;

		ctx.absent = round % 2;
		asked_for_absent = 0;
		while (at < PAGES) {
			unsigned len = 1 + (unsigned)random() % run;
			bool file = random() % 3 == 0;

			if (at + len > PAGES)
				len = (unsigned)(PAGES - at);
			bool mapped = random() % 4;

			if (mapped)
				maps[n++] = mapping(at, len, file ? "file" : "anon", "rw-p");
			for (page = at; page < at + len;) {
				unsigned same = 1 + (unsigned)random() % run;
				unsigned char c = pages[(unsigned)random() % sizeof(pages)];

				if (!file)
					c &= (unsigned char)~VMT_SCAN_FILE;
				for (; same-- && page < at + len; page++)
					space[page] = mapped ? c | MAPPED : 0;
			}
			at += len;
		}
		assert_int_equal(vmt_residency_sum(&ctx, maps, n, sums, skipped, &doubts), 0);
		assert_int_equal(doubts, 0);
		assert_true(ctx.absent || !asked_for_absent);
		rounds_of_absent += asked_for_absent != 0;
		for (i = 0; i < n; i++) {
			struct vmt_pagemap_sum s = { 0 };

			for (page = (maps[i].start - BASE) / PAGE;
			     page < (maps[i].end - BASE) / PAGE; page++) {
				s.present += (space[page] & VMT_SCAN_PRESENT) != 0;
				s.file += (space[page] & VMT_SCAN_FILE) != 0;
				s.zero += (space[page] & VMT_SCAN_ZERO) != 0;
				s.swapped += (space[page] & VMT_SCAN_SWAPPED) != 0;
			}
			assert_false(skipped[i]);
			assert_int_equal(sums[i].present, s.present);
			assert_int_equal(sums[i].file, s.file);
			assert_int_equal(sums[i].zero, s.zero);
			assert_int_equal(sums[i].swapped, s.swapped);
		}
	}
	/* But for those in which all that is of no file is little. */
	assert_in_range(rounds_of_absent, 40, 60);
}

/* Many small mappings are few calls, and those without a file do not have each page looked at. */
static void test_few_calls(void **state)
{
	struct vmt_pagemap pm = {
		.fd = -1, .page_size = PAGE, .facts = &scanning, .scan = fake_scan
	};
	const struct vmt_residency_ctx ctx = { .pm = &pm };
	static struct vmt_map maps[230];
	static struct vmt_pagemap_sum sums[230];
	static bool skipped[230];
	struct vmt_pagemap_facts slow = scanning;
	unsigned doubts = 0;
	size_t i;

	memset(space, VMT_SCAN_PRESENT | MAPPED, sizeof(space));
	for (i = 0; i < 230; i++)
		maps[i] = mapping(10 * i, 8, i < 200 || i % 5 == 0 ? "anon" : "file", "r--p");
	calls = looked_at_pages = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 230, sums, skipped, &doubts), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(looked_at_pages, 1);
	assert_int_equal(sums[229].present, 8);
	/* None looks at or finds more than keeps the lock short. */
	maps[0] = mapping(0, PAGES, "anon", "rw-p");
	memset(sums, 0, sizeof(sums));
	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(sums[0].present, PAGES);
	assert_int_equal(calls, (PAGES + VMT_SCAN_FOUND - 1) / VMT_SCAN_FOUND);
	/* Of a large process less. */
	pm.gentle = true;
	memset(sums, 0, sizeof(sums));
	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(sums[0].present, PAGES);
	assert_int_equal(calls, (PAGES + VMT_SCAN_FOUND / VMT_GENTLE_SHARE - 1) /
					(VMT_SCAN_FOUND / VMT_GENTLE_SHARE));
	pm.gentle = false;
	pm.span = 0;
	memset(space, MAPPED, sizeof(space));
	/* What is empty is looked at in strides that grow, while that is quick. */
	maps[0] = mapping(0, 200 * VMT_SCAN_SPAN, "anon", "rw-p");
	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_in_range(calls, 5, 200);
	assert_in_range(vmt_pagemap_span(&pm), VMT_SCAN_SPAN * PAGE, VMT_SCAN_SPAN_MOST * PAGE);
	/* Quick is what is quick here. */
	slow.scan_ns = UINT64_MAX / 2;
	pm.facts = &slow;
	pm.span = 0;
	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(calls, 6);
	assert_int_equal(vmt_pagemap_span(&pm), VMT_SCAN_SPAN_MOST * PAGE);
	space[PAGES - 1] = VMT_SCAN_PRESENT | MAPPED;
	maps[0] = mapping(0, PAGES, "anon", "rw-p");
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(vmt_pagemap_span(&pm), VMT_SCAN_SPAN * PAGE);
}

/* What is full puts nothing out; what is long is asked for what it has. */
static void test_what_is_absent(void **state)
{
	struct vmt_pagemap pm = {
		.fd = -1, .page_size = PAGE, .facts = &scanning, .scan = fake_scan
	};
	const struct vmt_residency_ctx ctx = { .pm = &pm, .absent = true };
	struct vmt_map maps[] = {
		mapping(0, 100, "heap", "rw-p"),
		mapping(100, 200, "anon", "rw-p"),
		mapping(400, VMT_SCAN_FOUND, "anon", "rw-p"),
		mapping(3000, VMT_SCAN_FOUND + 1, "anon", "rw-p"),
	};
	struct vmt_pagemap_sum sums[VMT_ARRAY_LEN(maps)] = { 0 };
	bool skipped[VMT_ARRAY_LEN(maps)];
	unsigned doubts = 0;

	memset(space, VMT_SCAN_PRESENT | MAPPED, sizeof(space));
	space[50] = VMT_SCAN_SWAPPED | MAPPED;
	space[100] = MAPPED;
	space[101] = VMT_SCAN_PRESENT | VMT_SCAN_ZERO | MAPPED;
	calls = asked_for_absent = put_out = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, VMT_ARRAY_LEN(maps), sums, skipped, &doubts),
			 0);
	/* The rest of the long one is short. */
	assert_int_equal(asked_for_absent, 3);
	assert_int_equal(put_out, 3 + calls - asked_for_absent);
	assert_int_equal(sums[0].present, 99);
	assert_int_equal(sums[0].swapped, 1);
	assert_int_equal(sums[1].present, 199);
	assert_int_equal(sums[1].zero, 1);
	assert_int_equal(sums[1].swapped, 0);
	assert_int_equal(sums[2].present, VMT_SCAN_FOUND);
	assert_int_equal(sums[3].present, VMT_SCAN_FOUND + 1);
	/* A shared one is asked for what it has. */
	maps[0] = mapping(0, 100, "anon", "rw-s");
	memset(sums, 0, sizeof(sums));
	asked_for_absent = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(asked_for_absent, 0);
	assert_int_equal(sums[0].present, 99);
	/* And what has gone looks full: who asks has to know. */
	maps[0] = mapping(0, 100, "anon", "rw-p");
	memset(space, 0, 100);
	memset(sums, 0, sizeof(sums));
	assert_int_equal(vmt_residency_sum(&ctx, maps, 1, sums, skipped, &doubts), 0);
	assert_int_equal(sums[0].present, 100);
}

/* A run of many mappings that touch is taken to be full, and not asked; what is before and behind
 * it is. */
static void test_what_is_taken_to_be_full(void **state)
{
	enum { FEW = 63, MANY = 64 };
	struct vmt_pagemap pm = {
		.fd = -1, .page_size = PAGE, .facts = &scanning, .scan = fake_scan
	};
	static struct vmt_map maps[MANY + 5];
	static struct vmt_pagemap_sum sums[MANY + 5];
	static bool skipped[MANY + 5], full[MANY + 5];
	const struct vmt_residency_ctx ctx = { .pm = &pm, .absent = true, .full = full };
	unsigned doubts = 0, i, n = 0;

	memset(space, VMT_SCAN_PRESENT | MAPPED, sizeof(space));
	maps[n++] = mapping(0, 10, "file", "r-xp");
	maps[n++] = mapping(10, 10, "heap", "rw-p");
	maps[n++] = mapping(20, 1, "anon", "---p");
	for (i = 0; i < MANY; i++)
		maps[n++] = mapping(100 + 8 * i, 8, "anon", i % 2 ? "rw-p" : "r--p");
	maps[n++] = mapping(1000, 10, "anon", "rw-p");
	maps[n++] = mapping(1020, 10, "file", "r--p");
	assert_int_equal(vmt_residency_mark_full(maps, n, PAGE, full), 8 * MANY);
	for (i = 0; i < n; i++)
		assert_int_equal(full[i], i >= 3 && i < 3 + MANY);
	space[5] = space[15] = space[120] = space[1005] = space[1025] = MAPPED;
	calls = asked_for_absent = 0;
	assert_int_equal(vmt_residency_sum(&ctx, maps, n, sums, skipped, &doubts), 0);
	/* What is little goes with the files beside it. */
	assert_int_equal(calls, 2);
	assert_int_equal(asked_for_absent, 0);
	for (i = 0; i < n; i++)
		assert_int_equal(sums[i].present, full[i] ? 8 : i == 2 ? 1 : 9);

	/* Not where they are few, or do not touch, or nothing can be in them, or others share it.
	 */
	assert_int_equal(vmt_residency_mark_full(&maps[3], FEW, PAGE, full), 0);
	assert_int_equal(vmt_residency_mark_full(maps, 0, PAGE, full), 0);
	maps[20].perms = VMT_BYTES("---p");
	assert_int_equal(vmt_residency_mark_full(maps, n, PAGE, full), 0);
	maps[20].perms = VMT_BYTES("rw-s");
	assert_int_equal(vmt_residency_mark_full(maps, n, PAGE, full), 0);
	maps[20].perms = VMT_BYTES("rw-p");
	maps[20].end -= PAGE;
	assert_int_equal(vmt_residency_mark_full(maps, n, PAGE, full), 0);
	for (i = 0; i < n; i++)
		assert_false(full[i]);
}

static bool at_once(void *arg)
{
	return true;
}

static void test_stops_between_calls(void **state)
{
	const struct vmt_pagemap_stop stop = { at_once, NULL };
	struct vmt_pagemap pm = {
		.fd = -1, .page_size = PAGE, .facts = &scanning, .scan = fake_scan, .stop = &stop
	};
	const struct vmt_residency_ctx ctx = { .pm = &pm };
	const struct vmt_map m = mapping(0, 8 * VMT_SCAN_SPAN, "anon", "rw-p");
	struct vmt_pagemap_sum sum = { 0 };
	unsigned doubts = 0;
	bool skipped;

	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, &m, 1, &sum, &skipped, &doubts), -ETIMEDOUT);
	assert_int_equal(calls, 1);
}

static struct vmt_map stored(const struct vmt_residency_ctx *ctx, const char *kind,
			     const char *perms, struct vmt_pagemap_sum sum, unsigned *doubts)
{
	struct vmt_map m = mapping(0, 100, kind, perms);

	*doubts = 0;
	vmt_residency_store(ctx, &sum, &m, doubts);
	return m;
}

static void test_what_the_sums_say(void **state)
{
	struct vmt_pagemap_facts facts = scanning;
	struct vmt_pagemap pm = { .page_size = PAGE, .facts = &facts };
	struct vmt_residency_ctx ctx = { .pm = &pm, .swap_in_use = true };
	const struct vmt_pagemap_sum sum = { .present = 10, .file = 4, .zero = 1, .swapped = 3 };
	struct vmt_pagemap_sum unsure = sum;
	struct vmt_map m;
	unsigned doubts;

	m = stored(&ctx, "file", "rw-p", sum, &doubts);
	assert_field(map, rss_bytes, &m, 9 * PAGE);
	assert_field(map, file_bytes, &m, 4 * PAGE);
	assert_field(map, anonymous_bytes, &m, 5 * PAGE);
	assert_field(map, swap_bytes, &m, 3 * PAGE);
	assert_field(map, present_pages, &m, 10);
	assert_unknown(map, exclusive_pages, &m);
	assert_int_equal(doubts, 0);
	/* Of a shared mapping nothing is private: the rest is of no struct page. */
	m = stored(&ctx, "file", "rw-s", sum, &doubts);
	assert_field(map, rss_bytes, &m, 4 * PAGE);
	assert_field(map, anonymous_bytes, &m, 0);
	/* What looks like a file's in anonymous memory is the huge zero page of old kernels. */
	m = stored(&ctx, "anon", "rw-p", sum, &doubts);
	assert_field(map, rss_bytes, &m, 5 * PAGE);
	assert_field(map, file_bytes, &m, 0);
	/* show_smap() leaves hugetlb out of Rss. */
	m = stored(&ctx, "hugetlb", "rw-p", sum, &doubts);
	assert_field(map, rss_bytes, &m, 0);
	assert_field(map, swap_bytes, &m, 0);
	/* What shmem has in swap stands in no page table: it is not 0 but unknown. */
	m = stored(&ctx, "shmem", "rw-s", sum, &doubts);
	assert_unknown(map, swap_bytes, &m);
	assert_int_equal(doubts, VMT_DOUBT_SHMEM);
	ctx.swap_in_use = false;
	m = stored(&ctx, "shmem", "rw-s", sum, &doubts);
	assert_field(map, swap_bytes, &m, 0);
	m = stored(&ctx, "anon", "rw-p", sum, &doubts);
	assert_field(map, swap_bytes, &m, 0);
	assert_int_equal(doubts, 0);
	ctx.swap_in_use = true;
	facts.guards_hidden = true;
	m = stored(&ctx, "anon", "rw-p", sum, &doubts);
	assert_field(map, swap_bytes, &m, 3 * PAGE);
	assert_int_equal(doubts, VMT_DOUBT_GUARD);
	facts.guards_hidden = false;
	unsure.unsure = 2;
	unsure.by_words = true;
	m = stored(&ctx, "anon", "rw-p", unsure, &doubts);
	assert_int_equal(doubts, VMT_DOUBT_ZERO);
	assert_field(map, exclusive_pages, &m, 0);
	assert_unknown(map, soft_dirty_pages, &m);
	stored(&ctx, "file", "rw-s", unsure, &doubts);
	assert_int_equal(doubts, 0);
}

static void test_smaps_goes_before(void **state)
{
	struct vmt_pagemap pm = { .page_size = PAGE, .facts = &scanning };
	const struct vmt_residency_ctx ctx = { .pm = &pm };
	const struct vmt_pagemap_sum sum = { .present = 10 };
	struct vmt_map m = mapping(0, 100, "anon", "rw-p");
	unsigned doubts = 0;

	VMT_SET(map, rss_bytes, &m, 7);
	vmt_residency_store(&ctx, &sum, &m, &doubts);
	assert_field(map, rss_bytes, &m, 7);
	assert_unknown(map, anonymous_bytes, &m);
	vmt_residency_drop(&m, true);
	assert_field(map, rss_bytes, &m, 7);
	assert_unknown(map, present_pages, &m);
	vmt_residency_drop(&m, false);
	assert_unknown(map, rss_bytes, &m);
}

/* The page of vsyscall: nothing of the process is there, and no file has words for it. */
static void test_the_kernels_half(void **state)
{
	struct vmt_pagemap pm = { .page_size = PAGE, .facts = &scanning, .scan = fake_scan };
	const struct vmt_residency_ctx ctx = { .pm = &pm };
	struct vmt_pagemap_sum sum = { 0 };
	struct vmt_map m = mapping(0, 1, "special", "--xp");
	unsigned doubts = 0;
	bool skipped;

	m.start = UINT64_C(0xffffffffff600000);
	m.end = m.start + PAGE;
	calls = 0;
	assert_int_equal(vmt_residency_sum(&ctx, &m, 1, &sum, &skipped, &doubts), 0);
	assert_int_equal(calls, 0);
	vmt_residency_store(&ctx, &sum, &m, &doubts);
	assert_field(map, rss_bytes, &m, 0);
	assert_unknown(map, present_pages, &m);
}

/* Every other page of a range, on the kernel at hand: no two touched ones make one region. */
static void test_both_ways_count_what_was_touched(void **state)
{
	enum { N = 2000 };
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct vmt_pagemap_facts facts;
	static uint64_t words[100];
	struct vmt_pagemap pm = {
		.page_size = page, .facts = &facts, .words = words, .n_words = 100
	};
	struct vmt_residency_ctx ctx = { .pm = &pm };
	struct vmt_map m = mapping(0, 1, "anon", "rw-p");
	/* By what is there, by its words, and by what is absent. */
	enum { THERE, WORDS, ABSENT } how;
	unsigned doubts = 0;
	bool skipped;
	char *p;
	size_t i;

	pm.fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pm.fd < 0)
		skip();
	vmt_pagemap_learn(pm.fd, page, &facts);
	p = mmap(NULL, N * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	madvise(p, N * page, MADV_NOHUGEPAGE);
	for (i = 0; i < N; i += 2)
		p[i * page] = 1;
	m.start = (uint64_t)(uintptr_t)p;
	m.end = m.start + N * page;
	for (how = THERE; how <= (facts.scan_absent ? ABSENT : WORDS); how++) {
		struct vmt_pagemap_sum sum = { 0 };

		ctx.words = how == WORDS;
		ctx.absent = how == ABSENT;
		assert_int_equal(vmt_residency_sum(&ctx, &m, 1, &sum, &skipped, &doubts), 0);
		assert_int_equal(sum.present + sum.swapped, N / 2);
		assert_int_equal(sum.file + sum.zero, 0);
		if (sum.by_words)
			assert_int_equal(sum.exclusive, sum.present);
		assert_true(sum.by_words || !ctx.words);
	}
	munmap(p, N * page);
	close(pm.fd);
}

/* A TiB without a page is some thousand calls that find nothing, not 2 GiB of words. */
static void test_what_is_huge_and_empty(void **state)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = UINT64_C(1) << 40;
	struct vmt_pagemap_facts facts;
	uint64_t word;
	struct vmt_pagemap pm = {
		.page_size = page, .facts = &facts, .words = &word, .n_words = 1
	};
	struct vmt_residency_ctx ctx = { .pm = &pm, .words = true };
	struct vmt_map m = mapping(0, 1, "anon", "---p");
	struct vmt_pagemap_sum sum = { 0 };
	unsigned doubts = 0;
	bool skipped;
	char *p;

	pm.fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pm.fd < 0)
		skip();
	vmt_pagemap_learn(pm.fd, page, &facts);
	p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		skip();
	m.start = (uint64_t)(uintptr_t)p;
	m.end = m.start + size;
	assert_int_equal(vmt_residency_sum(&ctx, &m, 1, &sum, &skipped, &doubts), 0);
	munmap(p, size);
	close(pm.fd);
	assert_int_equal(sum.present, 0);
	assert_int_equal(skipped, !facts.scan);
	assert_int_equal(doubts, facts.scan ? 0 : VMT_DOUBT_HUGE);
	if (facts.scan)
		assert_in_range(pm.reads, size / page / VMT_SCAN_SPAN_MOST,
				size / page / VMT_SCAN_SPAN);
}

static void test_doubts_in_words(void **state)
{
	char text[160];

	vmt_residency_doubt(0, text, sizeof(text));
	assert_string_equal(text, "");
	vmt_residency_doubt(VMT_DOUBT_SHMEM | VMT_DOUBT_GUARD, text, sizeof(text));
	assert_non_null(strstr(text, "shmem"));
	assert_non_null(strstr(text, "; guard"));
	vmt_residency_doubt(~0u, text, 20);
	assert_true(strlen(text) < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_address_space),
		cmocka_unit_test(test_few_calls),
		cmocka_unit_test(test_what_is_absent),
		cmocka_unit_test(test_what_is_taken_to_be_full),
		cmocka_unit_test(test_stops_between_calls),
		cmocka_unit_test(test_what_the_sums_say),
		cmocka_unit_test(test_smaps_goes_before),
		cmocka_unit_test(test_the_kernels_half),
		cmocka_unit_test(test_both_ways_count_what_was_touched),
		cmocka_unit_test(test_what_is_huge_and_empty),
		cmocka_unit_test(test_doubts_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
