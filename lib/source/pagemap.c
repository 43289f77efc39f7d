/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagemap.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "source/root.h"

/* Linux 6.13 */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static uint64_t note_call(struct vmt_pagemap *pm, uint64_t since_ns, uint64_t bytes)
{
	uint64_t ns = vmt_now_ns(CLOCK_MONOTONIC) - since_ns;

	pm->reads++;
	pm->bytes += bytes;
	pm->held_ns += ns;
	if (ns > pm->longest_ns)
		pm->longest_ns = ns;
	return ns;
}

/* Before a call: lets in who waits for the lock. */
static void pause_if_due(struct vmt_pagemap *pm)
{
	const struct timespec t = { .tv_nsec = VMT_PAUSE_NS };
	uint64_t due = pm->gentle   ? VMT_GENTLE_NS
		       : pm->paused ? VMT_PAUSE_AFTER_NS
				    : VMT_PAUSE_FIRST_NS;

	if (pm->held_ns < due)
		return;
	pm->held_ns = 0;
	pm->paused = true;
	nanosleep(&t, NULL);
}

/* Of what a call may do at most. */
static uint64_t part_of(const struct vmt_pagemap *pm, uint64_t most)
{
	return pm->gentle ? most / VMT_GENTLE_SHARE : most;
}

void vmt_pagemap_add_words(struct vmt_pagemap_sum *sum, const struct vmt_pagemap_facts *facts,
			   const uint64_t *words, size_t n)
{
	size_t i;

	sum->by_words = true;
	for (i = 0; i < n; i++) {
		uint64_t w = words[i];

		if (w & VMT_PM_PRESENT) {
			sum->present++;
			sum->file += (w & VMT_PM_FILE) != 0;
			sum->exclusive += (w & VMT_PM_EXCLUSIVE) != 0;
			/* The zero page is nobody's: neither a file's nor mapped once. */
			if (w & (VMT_PM_FILE | VMT_PM_EXCLUSIVE))
				;
			else if (!facts->frames)
				sum->unsure++;
			else if ((w & VMT_PM_FRAME) == facts->zero_frame)
				sum->zero++;
		} else if (w & VMT_PM_SWAP && !(w & VMT_PM_GUARD)) {
			sum->swapped++;
		}
		sum->soft_dirty += (w & VMT_PM_SOFT_DIRTY) != 0;
	}
}

uint64_t vmt_pagemap_words(const struct vmt_pagemap *pm)
{
	uint64_t most = part_of(pm, VMT_READ_WORDS);

	return pm->n_words < most ? pm->n_words : most;
}

int vmt_pagemap_read(struct vmt_pagemap *pm, uint64_t start, uint64_t end,
		     struct vmt_pagemap_sum *sum)
{
	uint64_t page = start / pm->page_size, last = end / pm->page_size;

	sum->by_words = true;
	while (page < last) {
		uint64_t want = last - page, at, t0;
		ssize_t n;

		if (want > vmt_pagemap_words(pm))
			want = vmt_pagemap_words(pm);
		/* Addresses of the kernel's half have no words, and offsets are signed. */
		if (__builtin_mul_overflow(page, (uint64_t)sizeof(*pm->words), &at) ||
		    at > INT64_MAX)
			return -ERANGE;
		pause_if_due(pm);
		t0 = vmt_now_ns(CLOCK_MONOTONIC);
		n = pread(pm->fd, pm->words, want * sizeof(*pm->words), (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(*pm->words))
			return -ESRCH;
		note_call(pm, t0, (uint64_t)n);
		vmt_pagemap_add_words(sum, pm->facts, pm->words, (size_t)n / sizeof(*pm->words));
		page += (size_t)n / sizeof(*pm->words);
		if (page < last && pm->stop && pm->stop->fn(pm->stop->arg))
			return -ETIMEDOUT;
	}
	return 0;
}

static int call_scan(int fd, struct vmt_scan_arg *arg)
{
	int n;

	do
		n = ioctl(fd, VMT_PAGEMAP_SCAN, arg);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static bool is_quick(const struct vmt_pagemap *pm, uint64_t ns)
{
	return ns < VMT_SCAN_QUICK_NS || ns / VMT_SCAN_QUICK_OF < pm->facts->scan_ns;
}

/* One call, filled in but for where its regions go; *ret_ns is what it took. */
static int scan(struct vmt_pagemap *pm, struct vmt_scan_arg *arg, struct vmt_scan_region *regions,
		uint64_t *ret_next, uint64_t *ret_ns)
{
	uint64_t t0;
	int n;

	arg->size = sizeof(*arg);
	arg->vec = (uint64_t)(uintptr_t)regions;
	arg->vec_len = VMT_SCAN_REGIONS;
	pause_if_due(pm);
	t0 = vmt_now_ns(CLOCK_MONOTONIC);
	n = pm->scan ? pm->scan(pm->fd, arg) : call_scan(pm->fd, arg);
	if (n < 0)
		return n == -EINVAL || n == -ENOSYS ? -ENOTTY : n;
	*ret_ns = note_call(pm, t0, (uint64_t)n * sizeof(*regions));
	/* Set where a limit stopped the walk, and at its end. */
	if (arg->walk_end >= arg->end)
		arg->walk_end = arg->end;
	if (arg->walk_end <= arg->start)
		return -EIO;
	*ret_next = arg->walk_end;
	return n;
}

int vmt_pagemap_scan(struct vmt_pagemap *pm, uint64_t start, uint64_t end, uint64_t categories,
		     struct vmt_scan_region *regions, uint64_t *ret_next)
{
	struct vmt_scan_arg arg = {
		.start = start,
		.end = end,
		.max_pages = part_of(pm, VMT_SCAN_FOUND),
		.category_anyof_mask = VMT_SCAN_PRESENT | VMT_SCAN_SWAPPED,
		.return_mask = VMT_SCAN_PRESENT | VMT_SCAN_SWAPPED | categories,
	};
	uint64_t ns;
	int n = scan(pm, &arg, regions, ret_next, &ns);

	if (n < 0)
		return n;
	if (n == 0 && is_quick(pm, ns))
		pm->span = 4 * (pm->span ? pm->span : VMT_SCAN_SPAN);
	else
		pm->span = VMT_SCAN_SPAN;
	if (pm->span > VMT_SCAN_SPAN_MOST)
		pm->span = VMT_SCAN_SPAN_MOST;
	return n;
}

int vmt_pagemap_scan_absent(struct vmt_pagemap *pm, uint64_t start, uint64_t end,
			    struct vmt_scan_region *regions, uint64_t *ret_next)
{
	struct vmt_scan_arg arg = {
		.start = start,
		.end = end,
		.category_inverted = VMT_SCAN_PRESENT,
		.category_anyof_mask = VMT_SCAN_PRESENT | VMT_SCAN_ZERO,
		.return_mask = VMT_SCAN_PRESENT | VMT_SCAN_ZERO | VMT_SCAN_SWAPPED |
			       (pm->facts->scan_guard ? VMT_SCAN_GUARD : 0),
	};
	uint64_t ns;

	return scan(pm, &arg, regions, ret_next, &ns);
}

uint64_t vmt_pagemap_span(const struct vmt_pagemap *pm)
{
	return (pm->span ? pm->span : VMT_SCAN_SPAN) * pm->page_size;
}

/* The pages of the probe below. */
enum {
	WRITTEN,
	ZERO, /* read before anything was written */
	GUARD,
	N_PAGES,
};

static uint64_t scan_page(struct vmt_pagemap *pm, uint64_t start, uint64_t categories, bool *ret_ok)
{
	struct vmt_scan_region regions[VMT_SCAN_REGIONS];
	uint64_t next;
	int n = vmt_pagemap_scan(pm, start, start + pm->page_size, categories, regions, &next);

	*ret_ok = n >= 0;
	return n == 1 ? regions[0].categories : 0;
}

/* Whether the pages below are told as they are: all but the first are not plainly resident, and the
 * last one is not there, guarded or not. */
static bool tells_absent(struct vmt_pagemap *pm, uint64_t start)
{
	struct vmt_scan_region r[VMT_SCAN_REGIONS];
	uint64_t zero = start + ZERO * pm->page_size, guard = start + GUARD * pm->page_size;
	uint64_t end = start + N_PAGES * pm->page_size, next;

	return vmt_pagemap_scan_absent(pm, start, end, r, &next) == 2 && next == end &&
	       r[0].start == zero && r[0].end == guard &&
	       r[0].categories == (VMT_SCAN_PRESENT | VMT_SCAN_ZERO) && r[1].start == guard &&
	       r[1].end == end && !(r[1].categories & VMT_SCAN_PRESENT);
}

static void learn_scan(struct vmt_pagemap *pm, uint64_t start, bool guard,
		       struct vmt_pagemap_facts *facts)
{
	uint64_t written, zero, at = start + GUARD * pm->page_size;
	bool ok;

	written = scan_page(pm, start, VMT_SCAN_ZERO | VMT_SCAN_FILE, &ok);
	/* The first call has more to do: the code is not in the caches. */
	pm->longest_ns = 0;
	zero = scan_page(pm, start + pm->page_size, VMT_SCAN_ZERO, &ok);
	facts->scan = ok && written == VMT_SCAN_PRESENT &&
		      zero == (VMT_SCAN_PRESENT | VMT_SCAN_ZERO);
	facts->scan_ns = facts->scan ? pm->longest_ns : 0;
	if (facts->scan && guard) {
		scan_page(pm, at, VMT_SCAN_GUARD, &ok);
		facts->scan_guard = ok;
	}
	if (facts->scan)
		facts->scan_absent = tells_absent(pm, start);
}

void vmt_pagemap_learn(int fd, uint64_t page_size, struct vmt_pagemap_facts *facts)
{
	volatile char *page = mmap(NULL, N_PAGES * page_size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t words[N_PAGES], start = (uint64_t)(uintptr_t)page;
	struct vmt_pagemap pm = { .fd = fd, .page_size = page_size, .facts = facts };
	bool guard;

	*facts = (struct vmt_pagemap_facts){ 0 };
	if (page == MAP_FAILED)
		return;
	/* The written one comes last, so that no larger folio is put over the others. */
	(void)page[ZERO * page_size];
	guard = madvise((void *)(uintptr_t)(page + GUARD * page_size), page_size,
			MADV_GUARD_INSTALL) == 0;
	page[WRITTEN * page_size] = 1;
	if (pread(fd, words, sizeof(words), (off_t)(start / page_size * sizeof(words[0]))) ==
	    sizeof(words)) {
		facts->soft_dirty = words[WRITTEN] & VMT_PM_SOFT_DIRTY;
		facts->frames = words[WRITTEN] & VMT_PM_FRAME && words[ZERO] & VMT_PM_PRESENT &&
				words[ZERO] & VMT_PM_FRAME;
		facts->zero_frame = facts->frames ? words[ZERO] & VMT_PM_FRAME : 0;
		facts->word_guard = guard && words[GUARD] & VMT_PM_GUARD;
		facts->guards_hidden = guard && words[GUARD] & VMT_PM_SWAP && !facts->word_guard;
	}
	learn_scan(&pm, start, guard, facts);
	munmap((void *)(uintptr_t)page, N_PAGES * page_size);
}
