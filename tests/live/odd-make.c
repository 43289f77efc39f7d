/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "odd-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define NR_MEMFD_SECRET 447
#define NR_MSEAL	462
#define BIOS		0xf0000 /* which any kernel lets root read by /dev/mem */

struct made *made;

static void absent(enum thing t, const char *what)
{
	made->thing[t].at = 0;
	snprintf(made->thing[t].why, sizeof(made->thing[t].why), "%s: %s", what, strerror(errno));
}

/* Between pages that can be read alone, so that neighbours stay mappings of their own. */
static char *map(enum thing t, size_t size, int prot, int flags, int fd)
{
	char *hole = mmap(NULL, size + 2 * HUGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at = (char *)(((uintptr_t)hole + HUGE) & ~(HUGE - 1));

	if (hole != MAP_FAILED)
		at = mmap(at, size, prot, flags | MAP_FIXED, fd, 0);
	if (hole == MAP_FAILED || at == MAP_FAILED) {
		absent(t, "mmap");
		return NULL;
	}
	made->thing[t].at = (uintptr_t)at;
	return at;
}

static char *anon(enum thing t, size_t size)
{
	return map(t, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* No page is all zeros: 6.12 gives those of a huge page that it splits back. */
static void touch(char *at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)(at + i * PAGE) = (char)(i % 100 + 1);
}

static void make_large(void)
{
	char *at;

	map(CLOSED, TIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	at = mmap((void *)(1ul << 48), 64 * PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at != MAP_FAILED && (uintptr_t)at >= 1ul << 47) {
		touch(at, 3);
		made->thing[HIGH].at = (uintptr_t)at;
	} else {
		snprintf(made->thing[HIGH].why, sizeof(made->thing[HIGH].why),
			 "addresses of this machine have 48 bits; guests have 57");
	}
}

static void make_hugetlb(void)
{
	int fd = (int)syscall(SYS_memfd_create, "odd", MFD_HUGETLB | MFD_CLOEXEC);
	char *at = map(HUGETLB_PRIVATE, 2 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);

	if (at)
		touch(at, 1);
	for (enum thing t = HUGETLB_SHARED; t <= HUGETLB_AGAIN; t++) {
		if (fd < 0 || ftruncate(fd, HUGE))
			absent(t, "a memfd of huge pages");
		else if ((at = map(t, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd)))
			touch(at, 1);
	}
	if (fd >= 0)
		close(fd);
}

static void make_huge(void)
{
	char *at = anon(THP, 4 * HUGE);
	int fd;

	if (at && madvise(at, 4 * HUGE, MADV_HUGEPAGE)) {
		absent(THP, "MADV_HUGEPAGE");
	} else if (at) {
		touch(at, 4 * HUGE / PAGE);
		/* Else khugepaged fills what is given back. */
		madvise(at, 4 * HUGE, MADV_NOHUGEPAGE);
		madvise(at + HUGE, 10 * PAGE, MADV_DONTNEED);
		munmap(at + 3 * HUGE + 100 * PAGE, HUGE - 100 * PAGE);
	}
	fd = (int)syscall(SYS_memfd_create, "odd", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 2 * HUGE)) {
		absent(THP_SHMEM, "memfd_create");
	} else if ((at = map(THP_SHMEM, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd))) {
		madvise(at, 2 * HUGE, MADV_HUGEPAGE);
		touch(at, 2 * HUGE / PAGE);
		munmap(at + HUGE + 100 * PAGE, HUGE - 100 * PAGE);
	}
	if (fd >= 0)
		close(fd);
	at = anon(HUGE_ZERO, 2 * HUGE);
	if (at && madvise(at, 2 * HUGE, MADV_HUGEPAGE))
		absent(HUGE_ZERO, "MADV_HUGEPAGE");
	else if (at)
		(void)*(volatile char *)at;
}

static void make_sealed(void)
{
	char *at = anon(SEALED, 16 * PAGE);

	if (at) {
		touch(at, 5);
		if (syscall(NR_MSEAL, at, 16 * PAGE, 0))
			absent(SEALED, "mseal (6.10)");
	}
	at = map(DROPPABLE, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS, -1);
	if (at)
		touch(at, 5);
	else
		absent(DROPPABLE, "MAP_DROPPABLE (6.11)");
}

static void make_device(void)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	char *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, BIOS);

	if (at == MAP_FAILED) {
		absent(DEVICE, "/dev/mem");
	} else {
		(void)*(volatile char *)at;
		made->thing[DEVICE].at = (uintptr_t)at;
	}
	if (fd >= 0)
		close(fd);
}

static void make_secret(void)
{
	int fd = (int)syscall(NR_MEMFD_SECRET, 0);
	char *at;

	if (fd < 0 || ftruncate(fd, 16 * PAGE))
		absent(SECRET, "memfd_secret (5.14; 6.5 without secretmem.enable)");
	else if ((at = map(SECRET, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd)))
		touch(at, 4);
	if (fd >= 0)
		close(fd);
}

static void make_swapped(void)
{
	char *at;

	if (!getenv("GUEST_SWAP")) {
		errno = ENODEV;
		absent(SWAPPED_THP, "no swap area of its own, guests have one");
		made->thing[SWAP_FULL] = made->thing[SWAPPED_THP];
		return;
	}
	at = anon(SWAPPED_THP, 2 * HUGE);
	if (at) {
		madvise(at, 2 * HUGE, MADV_HUGEPAGE);
		touch(at, 2 * HUGE / PAGE);
		madvise(at, HUGE, MADV_PAGEOUT);
	}
	at = anon(SWAP_FULL, ALL_PAGED);
	if (at) {
		madvise(at, ALL_PAGED, MADV_NOHUGEPAGE);
		touch(at, ALL_PAGED / PAGE);
		madvise(at, ALL_PAGED, MADV_PAGEOUT);
	}
}

/* As far down as may be but for some pages, and then all of it executable. */
static void make_stack(void)
{
	const struct rlimit limit = { STACK_MAX, STACK_MAX };
	char line[600], *here = (char *)__builtin_frame_address(0);
	uintptr_t start = 0, end = 0;
	FILE *maps;

	if (setrlimit(RLIMIT_STACK, &limit)) {
		absent(STACK, "setrlimit");
		return;
	}
	made->stack_used = STACK_MAX - 64 * PAGE;
	for (size_t down = PAGE; down < made->stack_used; down += PAGE)
		*(volatile char *)(here - down) = 1;
	maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[stack]"))
			(void)sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end);
	if (maps)
		fclose(maps);
	made->thing[STACK].at = start;
	if (!start || mprotect((void *)(end - PAGE), PAGE,
			       PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN))
		absent(STACK, "PROT_EXEC");
}

static void *wait_for_ever(void *at)
{
	*(volatile char *)at = 1;
	return NULL;
}

/* A thread writes to a page, and nobody gives it one. Gives the descriptor that tells of it. */
static int make_waiting(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	char *at = anon(WAITING, 64 * PAGE);
	struct uffd_msg message;
	pthread_t thread;

	if (fd < 0) /* before 5.11 it has no such flag */
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (!at)
		return -1;
	touch(at, 2);
	reg.range.start = (uintptr_t)at;
	reg.range.len = 64 * PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg)) {
		absent(WAITING, "userfaultfd");
		return -1;
	}
	if (pthread_create(&thread, NULL, wait_for_ever, at + 7 * PAGE) ||
	    read(fd, &message, sizeof(message)) != sizeof(message)) {
		absent(WAITING, "the fault");
		return -1;
	}
	made->faults++;
	return fd;
}

void odd_make(int up)
{
	struct uffd_msg message;
	int fd;

	make_large();
	make_hugetlb();
	make_huge();
	make_sealed();
	make_device();
	make_secret();
	make_swapped();
	make_stack();
	fd = make_waiting();
	if (write(up, "r", 1) != 1)
		_exit(3);
	while (fd >= 0 && read(fd, &message, sizeof(message)) == sizeof(message))
		made->faults++;
	for (;;)
		pause();
}
