/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a pagemap, read one by one or with the ranges of the scan, which a kernel of our own
 * gives. Behind the bytes that choose, two bytes are a word: its marks, and its frame.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "source/page-read.h"

#define PAGE  UINT64_C(4096)
#define FIRST UINT64_C(16) /* page that the first word is of */
#define WORDS 2048
#define RUNS  (VMT_PAGE_RUNS_MIN + WORDS)

static uint64_t words[WORDS];
static size_t n_words;

static uint64_t categories_of(uint64_t word)
{
	if (word & VMT_PM_PRESENT)
		return VMT_SCAN_PRESENT | (word & VMT_PM_FILE ? VMT_SCAN_FILE : 0) |
		       ((word & 255) == 9 ? VMT_SCAN_ZERO : 0);
	if (word & VMT_PM_SWAP)
		return VMT_SCAN_SWAPPED | (word & VMT_PM_GUARD ? VMT_SCAN_GUARD : 0);
	return 0;
}

/* As fs/proc/task_mmu.c do_pagemap_scan(): regions of what was asked for, as many as there is room
 * for, and no more pages than max_pages. */
static int scan(int fd, struct vmt_scan_arg *arg)
{
	struct vmt_scan_region *regions = (struct vmt_scan_region *)(uintptr_t)arg->vec;
	uint64_t at, pages = 0;
	int n = 0;

	(void)fd;
	arg->walk_end = arg->end;
	for (at = arg->start; at < arg->end; at += PAGE) {
		uint64_t i = at / PAGE - FIRST;
		uint64_t c = i < n_words ? categories_of(words[i]) : 0;

		if (!(c & arg->category_anyof_mask))
			continue;
		c &= arg->return_mask;
		if (arg->max_pages && pages == arg->max_pages) {
			arg->walk_end = at;
			break;
		}
		if (n && regions[n - 1].end == at && regions[n - 1].categories == c) {
			regions[n - 1].end += PAGE;
		} else if ((uint64_t)n == arg->vec_len) {
			arg->walk_end = at;
			break;
		} else {
			regions[n++] = (struct vmt_scan_region){ at, at + PAGE, c };
		}
		pages++;
	}
	return n;
}

/* What one word alone says, of what was asked for. */
static bool is_of(const struct vmt_page_reader *rd, const struct vmt_page_map *map, uint64_t page,
		  const struct vmt_page_run *run, uint64_t nth)
{
	uint64_t word = words[page - FIRST], categories = categories_of(word);
	struct vmt_page_run one;

	vmt_page_decode(rd, map, word, rd->pm.facts->scan && categories, categories, &one);
	return run->state == one.state && run->backing == one.backing &&
	       (!(run->known & VMT_PAGE_HAS_FRAME) || run->frame + nth == one.frame) &&
	       (!(run->known & VMT_PAGE_HAS_SWAP) ||
		(run->swap_offset + nth == one.swap_offset && run->swap_type == one.swap_type)) &&
	       run->marks == one.marks;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned facts_bits = fuzz_choice(&data, &size), want = fuzz_choice(&data, &size);
	unsigned more = fuzz_choice(&data, &size);
	struct vmt_pagemap_facts facts = {
		.frames = facts_bits & 1,
		.zero_frame = facts_bits & 1 ? 9 : 0,
		.scan = facts_bits & 2,
		.scan_guard = facts_bits & 4,
		.word_guard = facts_bits & 8,
		.soft_dirty = facts_bits & 16,
	};
	struct vmt_page_map map = { .file = (enum vmt_page_backing)(more % VMT_BACKING_ZERO) };
	static struct vmt_page_run runs[RUNS];
	static uint64_t room[VMT_PAGE_WORDS];
	struct vmt_page_reader rd = {
		.pm = { .fd = memfd_create("pagemap", MFD_CLOEXEC),
			.page_size = PAGE,
			.facts = &facts,
			.words = room,
			.n_words = more & 128 ? VMT_PAGE_WORDS : more / 8 % 16 + 1,
			.scan = scan },
		.counts = { .fd = -1 },
		.flags = { .fd = -1 },
		.want = want & (VMT_PAGES_FRAME | VMT_PAGES_SWAP | VMT_PAGES_EACH),
		.swap_in_use = facts_bits & 32,
		.runs = runs,
		.cap_runs = RUNS,
	};
	uint64_t at = FIRST * PAGE, end, next = 0, page = FIRST, i;

	n_words = size / 2 < WORDS ? size / 2 : WORDS;
	for (i = 0; i < n_words; i++)
		words[i] = (uint64_t)data[2 * i] << 56 | (uint64_t)(data[2 * i + 1] & 128) << 48 |
			   (data[2 * i + 1] & 127);
	end = at + n_words * PAGE;
	map.start = at;
	map.end = end;
	CHECK(rd.pm.fd >= 0);
	CHECK(pwrite(rd.pm.fd, words, n_words * sizeof(*words), FIRST * sizeof(*words)) ==
	      (ssize_t)(n_words * sizeof(*words)));
	while (at < end) {
		size_t from = rd.n_runs;
		int r = vmt_page_step(&rd, 0, &map, at, end, &next);

		if (r == -ENOBUFS && from)
			break;
		CHECK(r == 0 && next > at && next <= end);
		at = next;
	}
	close(rd.pm.fd);
	/* All pages as far as it came, each once, and as its word says. */
	for (i = 0; i < rd.n_runs; i++) {
		const struct vmt_page_run *run = &runs[i];
		uint64_t k;

		CHECK(run->pages && run->start == page * PAGE);
		CHECK(!(rd.want & VMT_PAGES_EACH) || run->pages == 1 || !run->state);
		for (k = 0; k < run->pages; k++)
			CHECK(is_of(&rd, &map, page + k, run, k));
		page += run->pages;
	}
	CHECK(page * PAGE == at);
	return 0;
}
