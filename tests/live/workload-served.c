/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads on memory that is served in ways of its own: huge pages, userfaultfd. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HUGE_PAGES 4ul

/* Loads of all pages, then stores: the page of zeroes gives way to pages of their own. */
static void zero_then_write(struct workload *w)
{
	struct workload_range *r = workload_range(w, "then", workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_READ;
	r->each_page = 1;
	r->mixed = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_PAGE);
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
}

char *workload_huge_place(struct workload *w, size_t bytes)
{
	char *p = workload_reserve(w, (bytes + WORKLOAD_HUGE) / WORKLOAD_PAGE);

	return p + (WORKLOAD_HUGE - (uintptr_t)p % WORKLOAD_HUGE) % WORKLOAD_HUGE;
}

static void thp(struct workload *w)
{
	char *p = workload_huge_place(w, HUGE_PAGES * WORKLOAD_HUGE);
	struct workload_range *r;

	if (prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) ||
	    mmap(p, HUGE_PAGES * WORKLOAD_HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		workload_failed(w, "cannot map: %m");
	if (madvise(p, HUGE_PAGES * WORKLOAD_HUGE, MADV_HUGEPAGE))
		workload_unable(w, "MADV_HUGEPAGE: %m");
	r = workload_range(w, "huge", p, HUGE_PAGES * WORKLOAD_HUGE / WORKLOAD_PAGE);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, WORKLOAD_HUGE / WORKLOAD_PAGE);
	/* Where none was to be had there is a small one at the same address, and as many faults. */
	r->pages = r->minor + r->major;
	for (size_t i = 0; i < HUGE_PAGES; i++) {
		unsigned char there = 0;

		if (mincore(p + i * WORKLOAD_HUGE + WORKLOAD_HUGE / 2, WORKLOAD_PAGE, &there) ||
		    !(there & 1))
			workload_unable(w, "huge pages are not to be had");
	}
	workload_was(r, VMT_KIND_THP);
}

static void hugetlb(struct workload *w)
{
	char *p = workload_huge_place(w, HUGE_PAGES * WORKLOAD_HUGE);
	struct workload_range *r;

	if (mmap(p, HUGE_PAGES * WORKLOAD_HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		workload_unable(w, "MAP_HUGETLB: %m (vm.nr_hugepages)");
	r = workload_range(w, "hugetlb", p, HUGE_PAGES * WORKLOAD_HUGE / WORKLOAD_PAGE);
	r->class = VMT_FAULT_HUGETLB;
	r->access = WORKLOAD_WRITE;
	snprintf(r->path, sizeof(r->path), "/anon_hugepage (deleted)");
	workload_touch(r, WORKLOAD_HUGE / WORKLOAD_PAGE);
	workload_was(r, VMT_KIND_HUGETLB);
}

static int user_fd(void)
{
	int dev, fd;

	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd >= 0)
		return fd;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -1;
	fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	close(dev);
	return fd;
}

/* Protects pages against stores, or no longer. */
static int permit(int fd, uint64_t start, size_t pages, bool protect)
{
	struct uffdio_writeprotect wp = {
		.range = { start, pages * WORKLOAD_PAGE },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}

/* Answers each fault that it is told of: the store is permitted, or there is a page. */
static void *serve(void *arg)
{
	static char page[WORKLOAD_PAGE] __attribute__((aligned(WORKLOAD_PAGE))) = { 1 };
	int fd = *(int *)arg;
	struct uffd_msg msg;

	while (read(fd, &msg, sizeof(msg)) == (ssize_t)sizeof(msg)) {
		uint64_t at = msg.arg.pagefault.address & ~(WORKLOAD_PAGE - 1);
		struct uffdio_copy copy = { .dst = at,
					    .src = (uintptr_t)page,
					    .len = WORKLOAD_PAGE };

		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP
			    ? !permit(fd, at, 1, false)
			    : !ioctl(fd, UFFDIO_COPY, &copy))
			continue;
		break;
	}
	return NULL;
}

static bool be_served(struct workload *w, const void *p, size_t pages, uint64_t mode)
{
	struct uffdio_register reg = { .range = { (uintptr_t)p, pages * WORKLOAD_PAGE },
				       .mode = mode };

	return !ioctl(w->fd, UFFDIO_REGISTER, &reg);
}

/* A server of faults, in a thread, which has everything that it touches once it has served one. */
static void user_begin(struct workload *w)
{
	struct uffdio_api api = { .api = UFFD_API };
	volatile char *first = workload_anon(w, 1);
	static pthread_t thread;
	static int fd;

	fd = w->fd = user_fd();
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		workload_unable(w, "userfaultfd: %m");
	if (pthread_create(&thread, NULL, serve, &fd))
		workload_failed(w, "cannot start a thread");
	if (!be_served(w, (char *)(uintptr_t)first, 1, UFFDIO_REGISTER_MODE_MISSING))
		workload_failed(w, "UFFDIO_REGISTER: %m");
	*first = 1;
}

static void userfault(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r;

	if (!be_served(w, p, w->pages, UFFDIO_REGISTER_MODE_MISSING))
		workload_failed(w, "UFFDIO_REGISTER: %m");
	r = workload_range(w, "served", p, w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_USERFAULT);
}

/* Loads of what is not there. */
static void userfault_read(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r;

	if (!be_served(w, p, w->pages, UFFDIO_REGISTER_MODE_MISSING))
		workload_failed(w, "UFFDIO_REGISTER: %m");
	r = workload_range(w, "served", p, w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_USERFAULT);
}

/* Stores that have to be permitted first. */
static void userfault_store(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r;

	r = workload_range(w, "protected", p, w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	if (!be_served(w, p, w->pages, UFFDIO_REGISTER_MODE_WP))
		workload_unable(w, "UFFDIO_REGISTER_MODE_WP: %m");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	if (permit(w->fd, r->start, w->pages, true))
		workload_unable(w, "UFFDIO_WRITEPROTECT: %m");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_USERFAULT);
}

const struct workload_kind workload_served_more_kinds[] = {
	{ "userfault-read", user_begin, userfault_read },
	{ "userfault-store", user_begin, userfault_store },
};
const size_t workload_n_served_more_kinds =
	sizeof(workload_served_more_kinds) / sizeof(workload_served_more_kinds[0]);
const struct workload_kind workload_served_kinds[] = {
	{ "zero-then-write", NULL, zero_then_write },
	{ "thp", NULL, thp },
	{ "hugetlb", NULL, hugetlb },
	{ "userfault", user_begin, userfault },
};
const size_t workload_n_served_kinds =
	sizeof(workload_served_kinds) / sizeof(workload_served_kinds[0]);
