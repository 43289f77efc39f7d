/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads on memory that was there before: given back, moved, protected, shared by threads. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static struct workload_range *anon_range(struct workload *w, const char *label)
{
	struct workload_range *r = workload_range(w, label, workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	return r;
}

#define FRAMES_MAX 4096

void workload_pagemap(struct workload *w, const void *p, size_t n, uint64_t *ret)
{
	off_t at = (off_t)((uintptr_t)p / WORKLOAD_PAGE * sizeof(*ret));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, ret, n * sizeof(*ret), at) != (ssize_t)(n * sizeof(*ret)))
		workload_failed(w, "pagemap: %m");
	close(fd);
}

static uint64_t frame(uint64_t entry)
{
	return entry & ((UINT64_C(1) << 55) - 1);
}

void workload_store_again(struct workload *w, struct workload_range *range)
{
	static uint64_t before[FRAMES_MAX], after[FRAMES_MAX];
	size_t n = (range->end - range->start) / WORKLOAD_PAGE;
	void *p = (void *)range->start;
	uint64_t said = range->said;

	if (n > FRAMES_MAX)
		workload_unable(w, "more than %d pages", FRAMES_MAX);
	workload_pagemap(w, p, n, before);
	workload_touch(range, 1);
	workload_was(range, VMT_KIND_COW_REUSE);
	workload_pagemap(w, p, n, after);
	if (!frame(before[0]))
		range->said = said;
	/* Up to 5.18 one that the kernel still has at hand for something is copied all the same. */
	for (size_t i = 0; i < n; i++)
		if (frame(before[i]) != frame(after[i])) {
			range->kinds[VMT_KIND_COW_REUSE]--;
			range->kinds[VMT_KIND_COW_COPY]++;
		}
}

static void dontneed(struct workload *w)
{
	struct workload_range *r = anon_range(w, "given-back");

	workload_touch(r, 1);
	if (madvise((void *)r->start, w->pages * WORKLOAD_PAGE, MADV_DONTNEED))
		workload_failed(w, "MADV_DONTNEED: %m");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* Half of it is touched where it was, the other half where it went; what was there stays. */
static void moved(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE, half = w->pages / 2;
	struct workload_range *from = anon_range(w, "from"), *to;
	char *p = workload_reserve(w, w->pages);

	from->gone = 1;
	workload_touch_part(from, 0, half);
	workload_was(from, VMT_KIND_ZERO_FILL);
	to = workload_range(w, "to", p, w->pages);
	to->class = VMT_FAULT_ANON;
	to->access = WORKLOAD_WRITE;
	if (mremap((void *)from->start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) != p)
		workload_failed(w, "mremap: %m");
	workload_touch(to, 1);
	workload_was(to, VMT_KIND_ZERO_FILL);
	to->pages -= half;
	to->each_page = 1;
}

/* The kernel is asked to watch for stores: each page is write-protected once. */
static void soft_dirty(struct workload *w)
{
	struct workload_range *r = anon_range(w, "watched");
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	uint64_t entry;

	if (fd < 0)
		workload_unable(w, "clear_refs: %m");
	workload_touch(r, 1);
	workload_pagemap(w, (void *)r->start, 1, &entry);
	if (!(entry & UINT64_C(1) << 55))
		workload_unable(w, "this kernel does not watch for stores");
	workload_was(r, VMT_KIND_ZERO_FILL);
	if (write(fd, "4", 1) != 1)
		workload_unable(w, "clear_refs: %m");
	close(fd);
	workload_settle(w);
	workload_store_again(w, r);
}

/* Protected and permitted again; newer kernels make pages writable at once, and nothing faults. */
static void protect(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	struct workload_range *r = anon_range(w, "protected");
	void *p = (void *)r->start;

	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	if (mprotect(p, size, PROT_READ) || mprotect(p, size, PROT_READ | PROT_WRITE))
		workload_failed(w, "mprotect: %m");
	r->each_page = 0;
	workload_store_again(w, r);
}

#define THREADS 4

struct toucher {
	pthread_t thread;
	pthread_barrier_t *start;
	char *own; /* a page, to be ready by */
	char *p;
	size_t pages;
	uint64_t minor;
	uint64_t major;
};

static void touch_all(volatile char *p, size_t pages, struct toucher *t)
{
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &before);
	for (size_t i = 0; i < pages; i++)
		p[i * WORKLOAD_PAGE] = 1;
	getrusage(RUSAGE_THREAD, &after);
	t->minor = (uint64_t)(after.ru_minflt - before.ru_minflt);
	t->major = (uint64_t)(after.ru_majflt - before.ru_majflt);
}

static void *toucher(void *arg)
{
	struct toucher *t = arg;

	touch_all(t->own, 1, t);
	pthread_barrier_wait(t->start);
	touch_all(t->p, t->pages, t);
	return NULL;
}

/* Threads that want the same pages at once: who comes second finds the page there, and counts. */
static void threads(struct workload *w)
{
	struct workload_range *r = anon_range(w, "wanted");
	struct toucher all[THREADS] = { 0 };
	static char own[THREADS][WORKLOAD_PAGE];
	pthread_barrier_t start;

	r->each_page = 0;
	if (pthread_barrier_init(&start, NULL, THREADS))
		workload_failed(w, "cannot make a barrier");
	for (size_t i = 0; i < THREADS; i++) {
		all[i].start = &start;
		all[i].own = own[i];
		all[i].p = (char *)r->start;
		all[i].pages = w->pages;
		if (pthread_create(&all[i].thread, NULL, toucher, &all[i]))
			workload_failed(w, "cannot start a thread");
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(all[i].thread, NULL);
		r->minor += all[i].minor;
		r->major += all[i].major;
	}
	pthread_barrier_destroy(&start);
	r->pages = w->pages;
	if (r->minor < w->pages)
		workload_failed(w, "%llu faults of %zu pages", (unsigned long long)r->minor,
				w->pages);
	r->kinds[VMT_KIND_ZERO_FILL] = r->said = w->pages;
}

/* Private memory by way of the old device. */
static void dev_zero(struct workload *w)
{
	struct workload_range *r;
	char *p = workload_reserve(w, w->pages);
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);

	if (fd < 0 || mmap(p, w->pages * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		workload_failed(w, "/dev/zero: %m");
	close(fd);
	r = workload_range(w, "dev-zero", p, w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	snprintf(r->path, sizeof(r->path), "/dev/zero");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* The kernel reads what was never written. */
static void from_user(struct workload *w)
{
	struct workload_range *r = anon_range(w, "written-out");
	struct rusage before;
	ssize_t n = 0;

	r->access = WORKLOAD_SYSCALL_READ;
	r->pages = w->pages;
	n = pwrite(w->fd, &n, 0, 0);
	workload_measure(&before);
	for (size_t i = 0; i < w->pages && n >= 0; i++)
		n = pwrite(w->fd, (char *)r->start + i * WORKLOAD_PAGE, WORKLOAD_PAGE, 0);
	workload_add(r, &before);
	workload_was(r, VMT_KIND_ZERO_PAGE);
	if (n < 0)
		workload_failed(w, "pwrite: %m");
}

static void one_page_file(struct workload *w)
{
	workload_make_file(w, 1);
}

/* What may not be accessed, and where nothing is: none of it gets as far as handle_mm_fault(). */
static void no_access(struct workload *w)
{
	static const int prot[] = { PROT_NONE, PROT_READ };
	volatile char *hole = workload_reserve(w, w->pages);
	size_t went = 0;

	for (size_t k = 0; k < 2; k++) {
		struct workload_range *r = anon_range(w, k ? "read-only" : "no-access");

		r->each_page = 0;
		if (mprotect((void *)r->start, w->pages * WORKLOAD_PAGE, prot[k]))
			workload_failed(w, "mprotect: %m");
		for (size_t i = 0; i < 32 && i < w->pages; i++)
			went += workload_try((volatile char *)r->start + i * WORKLOAD_PAGE, true);
	}
	munmap((void *)(uintptr_t)hole, w->pages * WORKLOAD_PAGE);
	for (size_t i = 0; i < 32 && i < w->pages; i++)
		went += workload_try(hole + i * WORKLOAD_PAGE, true) +
			/* The kernel's half. */
			workload_try((volatile char *)(uintptr_t)-1 - i * WORKLOAD_PAGE, false);
	if (went)
		workload_failed(w, "%zu accesses were permitted", went);
}

static void catch_segv(struct workload *w)
{
	workload_catch(w, SIGSEGV);
}

/* A fault that fails, in user mode and in the kernel, and behind it one of get_user_pages():
 * whoever tells by the task's counters what became of a fault must not take one for the other. */
static void refused(struct workload *w)
{
	static char from = 1;
	struct workload_range *none = anon_range(w, "refused"), *r = anon_range(w, "taken");
	struct iovec local = { &from, 1 }, remote;
	size_t went = 0;

	none->each_page = 0;
	r->access = WORKLOAD_SYSCALL;
	r->pages = w->pages;
	if (mprotect((void *)none->start, w->pages * WORKLOAD_PAGE, PROT_NONE))
		workload_failed(w, "mprotect: %m");
	for (size_t i = 0; i < w->pages; i++) {
		char *p = (char *)none->start + i * WORKLOAD_PAGE;

		if (i % 2)
			went += pwrite(w->fd, p, 1, 0) >= 0;
		else
			went += workload_try(p, true);
		remote = (struct iovec){ (char *)r->start + i * WORKLOAD_PAGE, 1 };
		if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) != 1)
			workload_failed(w, "process_vm_writev: %m");
	}
	/* Not measured: the handler's own first fault would be among them. */
	r->minor = r->gup = w->pages;
	if (went)
		workload_failed(w, "%zu accesses were permitted", went);
}

static void catch_segv_with_file(struct workload *w)
{
	catch_segv(w);
	one_page_file(w);
}

const struct workload_kind workload_again_kinds[] = {
	{ "dontneed", NULL, dontneed },
	{ "moved", NULL, moved },
	{ "soft-dirty", NULL, soft_dirty },
	{ "protect", NULL, protect },
	{ "threads", NULL, threads },
	{ "dev-zero", NULL, dev_zero },
	{ "from-user", one_page_file, from_user },
	{ "no-access", catch_segv, no_access },
	{ "refused", catch_segv_with_file, refused },
};
const size_t workload_n_again_kinds =
	sizeof(workload_again_kinds) / sizeof(workload_again_kinds[0]);
