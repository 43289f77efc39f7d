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

#define HUGE_BYTES (2ul << 20)
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

/* A place for huge pages, aligned to their size. */
static char *huge_place(struct workload *w)
{
	char *p = workload_reserve(w, (HUGE_PAGES + 1) * HUGE_BYTES / WORKLOAD_PAGE);

	return p + (HUGE_BYTES - (uintptr_t)p % HUGE_BYTES) % HUGE_BYTES;
}

static void thp(struct workload *w)
{
	char *p = huge_place(w);
	struct workload_range *r;

	if (prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) ||
	    mmap(p, HUGE_PAGES * HUGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		workload_failed(w, "cannot map: %m");
	if (madvise(p, HUGE_PAGES * HUGE_BYTES, MADV_HUGEPAGE))
		workload_unable(w, "MADV_HUGEPAGE: %m");
	r = workload_range(w, "huge", p, HUGE_PAGES * HUGE_BYTES / WORKLOAD_PAGE);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, HUGE_BYTES / WORKLOAD_PAGE);
	/* Where none was to be had there is a small one at the same address, and as many faults. */
	r->pages = r->minor + r->major;
	for (size_t i = 0; i < HUGE_PAGES; i++) {
		unsigned char there = 0;

		if (mincore(p + i * HUGE_BYTES + HUGE_BYTES / 2, WORKLOAD_PAGE, &there) ||
		    !(there & 1))
			workload_unable(w, "huge pages are not to be had");
	}
	workload_was(r, VMT_KIND_THP);
}

static void hugetlb(struct workload *w)
{
	char *p = huge_place(w);
	struct workload_range *r;

	if (mmap(p, HUGE_PAGES * HUGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		workload_unable(w, "MAP_HUGETLB: %m (vm.nr_hugepages)");
	r = workload_range(w, "hugetlb", p, HUGE_PAGES * HUGE_BYTES / WORKLOAD_PAGE);
	r->class = VMT_FAULT_HUGETLB;
	r->access = WORKLOAD_WRITE;
	snprintf(r->path, sizeof(r->path), "/anon_hugepage (deleted)");
	workload_touch(r, HUGE_BYTES / WORKLOAD_PAGE);
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

/* Gives a page for each fault that it is told of, until it is cancelled. */
static void *serve(void *arg)
{
	static char page[WORKLOAD_PAGE] __attribute__((aligned(WORKLOAD_PAGE))) = { 1 };
	int fd = *(int *)arg;
	struct uffd_msg msg;

	while (read(fd, &msg, sizeof(msg)) == (ssize_t)sizeof(msg)) {
		struct uffdio_copy copy = { .src = (uintptr_t)page, .len = WORKLOAD_PAGE };

		copy.dst = msg.arg.pagefault.address & ~(WORKLOAD_PAGE - 1);
		if (msg.event == UFFD_EVENT_PAGEFAULT && ioctl(fd, UFFDIO_COPY, &copy))
			break;
	}
	return NULL;
}

static void be_served(struct workload *w, char *p, size_t pages)
{
	struct uffdio_register reg = { .range = { (uintptr_t)p, pages * WORKLOAD_PAGE },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (ioctl(w->fd, UFFDIO_REGISTER, &reg))
		workload_failed(w, "UFFDIO_REGISTER: %m");
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
	be_served(w, (char *)(uintptr_t)first, 1);
	*first = 1;
}

static void userfault(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r;

	be_served(w, p, w->pages);
	r = workload_range(w, "served", p, w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_USERFAULT);
}

const struct workload_kind workload_served_kinds[] = {
	{ "zero-then-write", NULL, zero_then_write },
	{ "thp", NULL, thp },
	{ "hugetlb", NULL, hugetlb },
	{ "userfault", user_begin, userfault },
};
const size_t workload_n_served_kinds =
	sizeof(workload_served_kinds) / sizeof(workload_served_kinds[0]);
