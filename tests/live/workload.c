/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * workload KIND PAGES STORM_MS DIR OUT IN: one of the programs of workload.h; OUT and IN are
 * descriptors.
 * workload --list [GROUP]: the kinds of a group, one a line: "usual" ones, "more" of them, those
 * that want "swap", or "numa" balancing.
 * workload leaf PAGES: writes to so many pages, and that is all.
 */

#include "workload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#endif
#include <unistd.h>

static struct workload_truth truth;
static int out_fd = -1;
static int in_fd = -1;

static void say(enum workload_status status)
{
	const char *p = (const char *)&truth;
	size_t left = sizeof(truth);

	truth.status = status;
	while (left) {
		ssize_t n = write(out_fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(3);
		p += n;
		left -= (size_t)n;
	}
}

static void wait_for_word(void)
{
	char c;
	ssize_t n;

	do {
		n = read(in_fd, &c, 1);
	} while (n < 0 && errno == EINTR);
	/* Whoever started us is gone. */
	if (n != 1)
		_exit(3);
}

/* Whoever was in the group has been waited for. */
static void leave(const struct workload *w)
{
	if (w->group[0])
		rmdir(w->group);
}

static __attribute__((noreturn)) void end(struct workload *w, enum workload_status status,
					  const char *fmt, va_list args)
{
	if (w->child) {
		vsnprintf(w->child->why, sizeof(w->child->why), fmt, args);
		w->child->status = status;
		_exit(0);
	}
	vsnprintf(w->truth->why, sizeof(w->truth->why), fmt, args);
	leave(w);
	say(status);
	wait_for_word();
	_exit(0);
}

void workload_unable(struct workload *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(w, WORKLOAD_UNABLE, fmt, args);
}

void workload_failed(struct workload *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(w, WORKLOAD_FAILED, fmt, args);
}

char *workload_reserve(struct workload *w, size_t pages)
{
	char *p = mmap(NULL, (pages + 2) * WORKLOAD_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		workload_failed(w, "no room for %zu pages: %m", pages);
	return p + WORKLOAD_PAGE;
}

char *workload_anon(struct workload *w, size_t pages)
{
	char *p = workload_reserve(w, pages);

	p = mmap(p, pages * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		workload_failed(w, "cannot map %zu pages: %m", pages);
	if (madvise(p, pages * WORKLOAD_PAGE, MADV_NOHUGEPAGE) && errno != EINVAL)
		workload_failed(w, "MADV_NOHUGEPAGE: %m");
	return p;
}

struct workload_range *workload_range(struct workload *w, const char *label, const void *start,
				      size_t pages)
{
	struct workload_range *r;

	if (w->truth->n_ranges == WORKLOAD_RANGES)
		workload_failed(w, "more than %d ranges", WORKLOAD_RANGES);
	r = &w->truth->ranges[w->truth->n_ranges++];
	snprintf(r->label, sizeof(r->label), "%s", label);
	r->start = (uint64_t)start;
	r->end = r->start + pages * WORKLOAD_PAGE;
	r->alone = 1;
	return r;
}

void workload_measure(struct rusage *before)
{
	if (getrusage(RUSAGE_SELF, before))
		abort();
}

void workload_add(struct workload_range *range, const struct rusage *before)
{
	struct rusage after;

	if (getrusage(RUSAGE_SELF, &after))
		abort();
	range->minor += (uint64_t)(after.ru_minflt - before->ru_minflt);
	range->major += (uint64_t)(after.ru_majflt - before->ru_majflt);
}

static void touch(struct workload_range *range, volatile char *p, volatile char *behind,
		  size_t step)
{
	uint64_t pages = 0;
	struct rusage before;
	char sink = 0;

	workload_measure(&before);
	if (range->access == WORKLOAD_READ) {
		for (; p < behind; p += step * WORKLOAD_PAGE, pages++)
			sink = (char)(sink + *p);
	} else {
		for (; p < behind; p += step * WORKLOAD_PAGE, pages++)
			*p = 1;
	}
	workload_add(range, &before);
	range->pages += pages;
}

void workload_touch(struct workload_range *range, size_t step)
{
	touch(range, (volatile char *)range->start, (volatile char *)range->end, step);
}

void workload_touch_part(struct workload_range *range, size_t first, size_t n)
{
	volatile char *p = (volatile char *)range->start + first * WORKLOAD_PAGE;

	touch(range, p, p + n * WORKLOAD_PAGE, 1);
}

void workload_was(struct workload_range *range, enum vmt_fault_kind kind)
{
	uint64_t n = range->minor + range->major;

	range->kinds[kind] += n - range->said;
	range->said = n;
	range->said_major = range->major;
}

void workload_was_cached(struct workload_range *range)
{
	range->kinds[VMT_KIND_FILE_MAJOR] += range->major - range->said_major;
	range->said += range->major - range->said_major;
	workload_was(range, VMT_KIND_FILE_AROUND);
}

/* Writes to the stack below, as deep as the measuring will ever go. */
static __attribute__((noinline)) void settle_stack(void)
{
	volatile char block[8 * WORKLOAD_PAGE];

	for (size_t i = 0; i < sizeof(block); i += 512)
		block[i] = 1;
}

/* And from here up to what main() has. */
static __attribute__((noinline)) void settle_frames(const struct workload *w)
{
	volatile char *p = __builtin_frame_address(0);

	for (; p < (volatile char *)w->top; p += 512)
		*p = *p;
	p = w->top;
	*p = *p;
}

/* The kernel writes to it whenever this thread was interrupted. */
static void settle_rseq(void)
{
#if __GLIBC_PREREQ(2, 35)
	if (__rseq_size) {
		volatile struct rseq *area =
			(void *)((char *)__builtin_thread_pointer() + __rseq_offset);

		area->flags = area->flags;
	}
#endif
}

void workload_settle_thread(void)
{
	settle_stack();
	settle_rseq();
}

void workload_settle(struct workload *w)
{
	volatile char *p = (volatile char *)w->truth;
	static char page[2 * WORKLOAD_PAGE] __attribute__((aligned(WORKLOAD_PAGE)));
	struct workload_range none = { .start = (uint64_t)page,
				       .end = (uint64_t)page + sizeof(page) };

	for (size_t i = 0; i < sizeof(*w->truth); i += 512)
		p[i] = p[i];
	p[sizeof(*w->truth) - 1] = p[sizeof(*w->truth) - 1];
	workload_settle_thread();
	settle_frames(w);
	for (int access = WORKLOAD_READ; access <= WORKLOAD_WRITE; access++) {
		none.access = (uint32_t)access;
		workload_touch(&none, 1);
	}
}

static const struct {
	const char *name;
	const struct workload_kind *kinds;
	const size_t *n;
} groups[] = {
	{ "usual", workload_memory_kinds, &workload_n_memory_kinds },
	{ "usual", workload_file_kinds, &workload_n_file_kinds },
	{ "usual", workload_served_kinds, &workload_n_served_kinds },
	{ "usual", workload_process_kinds, &workload_n_process_kinds },
	{ "more", workload_again_kinds, &workload_n_again_kinds },
	{ "more", workload_child_kinds, &workload_n_child_kinds },
	{ "more", workload_cache_kinds, &workload_n_cache_kinds },
	{ "more", workload_shmem_kinds, &workload_n_shmem_kinds },
	{ "more", workload_huge_kinds, &workload_n_huge_kinds },
	{ "more", workload_served_more_kinds, &workload_n_served_more_kinds },
	{ "swap", workload_swap_kinds, &workload_n_swap_kinds },
	{ "numa", workload_numa_kinds, &workload_n_numa_kinds },
};

static const struct workload_kind *find_kind(const char *name)
{
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (size_t i = 0; i < *groups[g].n; i++)
			if (!strcmp(groups[g].kinds[i].name, name))
				return &groups[g].kinds[i];
	return NULL;
}

static void list(const char *group)
{
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (size_t i = 0; i < *groups[g].n && !strcmp(groups[g].name, group); i++)
			puts(groups[g].kinds[i].name);
}

static int leaf(size_t pages)
{
	volatile char *p = mmap(NULL, pages * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < pages; i++)
		p[i * WORKLOAD_PAGE] = 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct workload w = { .truth = &truth, .fd = -1 };
	const struct workload_kind *kind;
	struct rusage before, after;

	/* The end of main()'s own variables. */
	w.top = __builtin_frame_address(0);
	if ((argc == 2 || argc == 3) && !strcmp(argv[1], "--list")) {
		list(argc == 3 ? argv[2] : "usual");
		return 0;
	}
	/* Huge pages would make the number of faults a matter of luck. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (argc == 3 && !strcmp(argv[1], "leaf"))
		return leaf(strtoul(argv[2], NULL, 10));
	kind = argc == 7 ? find_kind(argv[1]) : NULL;
	if (!kind) {
		fputs("usage: workload KIND PAGES STORM_MS DIR OUT IN\n", stderr);
		return 2;
	}
	w.program = argv[0];
	w.pages = strtoul(argv[2], NULL, 10);
	w.storm_ms = (unsigned)strtoul(argv[3], NULL, 10);
	w.dir = argv[4];
	out_fd = (int)strtol(argv[5], NULL, 10);
	in_fd = (int)strtol(argv[6], NULL, 10);

	if (kind->prepare)
		kind->prepare(&w);
	/* Once for the pages that talking itself needs. */
	say(WORKLOAD_READY);
	wait_for_word();
	workload_settle(&w);
	workload_measure(&before);
	say(WORKLOAD_READY);
	wait_for_word();
	kind->touch(&w);
	workload_settle(&w);
	workload_measure(&after);
	truth.minor = (uint64_t)(after.ru_minflt - before.ru_minflt);
	truth.major = (uint64_t)(after.ru_majflt - before.ru_majflt);
	leave(&w);
	say(WORKLOAD_DONE);
	wait_for_word();
	return 0;
}
