/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads on memory without a file: anonymous, shmem, stack, heap, and what the kernel takes. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static void anon(struct workload *w)
{
	struct workload_range *r = workload_range(w, "anon", workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* Reading what was never written: the zero page. */
static void anon_zero(struct workload *w)
{
	struct workload_range *r = workload_range(w, "zero", workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->each_page = 1;
	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_PAGE);
}

/* The file behind shared memory has an inode that only the descriptor of a memfd shows. */
static void shmem(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	struct workload_range *r;
	struct stat st;
	char *p;

	p = mmap(workload_reserve(w, w->pages), size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		workload_failed(w, "cannot map shared memory: %m");
	r = workload_range(w, "shared", p, w->pages);
	r->class = VMT_FAULT_SHMEM;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	snprintf(r->path, sizeof(r->path), "/dev/zero (deleted)");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_SHMEM);

	w->fd = memfd_create("truth", MFD_CLOEXEC);
	if (w->fd < 0 || ftruncate(w->fd, (off_t)size) || fstat(w->fd, &st))
		workload_failed(w, "memfd: %m");
	p = mmap(workload_reserve(w, w->pages), size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, w->fd, 0);
	if (p == MAP_FAILED)
		workload_failed(w, "cannot map a memfd: %m");
	r = workload_range(w, "memfd", p, w->pages);
	r->class = VMT_FAULT_SHMEM;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	r->inode = st.st_ino;
	r->dev_major = major(st.st_dev);
	r->dev_minor = minor(st.st_dev);
	snprintf(r->path, sizeof(r->path), "/memfd:truth (deleted)");
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_SHMEM);
}

static struct workload_range *taken(struct workload *w, const char *label, void *p)
{
	struct workload_range *r = workload_range(w, label, p, w->pages);

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_SYSCALL;
	r->each_page = 1;
	r->pages = w->pages;
	return r;
}

/* Pages that the kernel takes by itself, without a fault of the processor. */
static void gup(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	char *locked = workload_anon(w, w->pages), *populated, *advised;
	struct workload_range *r = taken(w, "mlock", locked);
	struct rusage before;
	int failed;

	workload_measure(&before);
	failed = mlock(locked, size);
	workload_add(r, &before);
	if (failed)
		workload_failed(w, "mlock: %m");
	r->gup = r->minor + r->major;

	populated = workload_reserve(w, w->pages);
	r = taken(w, "populate", populated);
	workload_measure(&before);
	populated = mmap(populated, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
	workload_add(r, &before);
	if (populated == MAP_FAILED)
		workload_failed(w, "MAP_POPULATE: %m");
	r->gup = r->minor + r->major;

	advised = workload_anon(w, w->pages);
	r = taken(w, "advise", advised);
	workload_measure(&before);
	failed = madvise(advised, size, MADV_POPULATE_WRITE);
	workload_add(r, &before);
	if (failed && errno != EINVAL)
		workload_failed(w, "MADV_POPULATE_WRITE: %m");
	r->gup = r->minor + r->major;
	/* Older kernels do not know it. */
	if (failed)
		w->truth->n_ranges--;
}

/* Fresh memory that read() fills: faults in kernel mode, with registers. */
static void syscall_fill(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r = taken(w, "read", p);
	struct rusage before;
	ssize_t n = 0;
	size_t i;

	w->fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		workload_failed(w, "/dev/zero: %m");
	workload_measure(&before);
	for (i = 0; i < w->pages && n >= 0; i++)
		n = read(w->fd, p + i * WORKLOAD_PAGE, WORKLOAD_PAGE);
	workload_add(r, &before);
	workload_was(r, VMT_KIND_ZERO_FILL);
	if (n < 0)
		workload_failed(w, "read: %m");
}

static __attribute__((noinline)) int deeper(size_t pages)
{
	volatile char frame[WORKLOAD_PAGE - 256];

	frame[0] = (char)pages;
	return pages ? deeper(pages - 1) + frame[0] : frame[0];
}

/* The one mapping whose beginning moves with each fault. */
static void stack(struct workload *w)
{
	char here = 0;
	struct workload_range *r =
		workload_range(w, "stack", &here - w->pages * WORKLOAD_PAGE, w->pages);
	struct rusage before;

	r->class = VMT_FAULT_ANON;
	r->special = VMT_FAULT_STACK;
	r->access = WORKLOAD_WRITE;
	r->alone = 0; /* what main() and the loader did is there too */
	snprintf(r->path, sizeof(r->path), "[stack]");
	r->pages = w->pages;
	workload_measure(&before);
	deeper(w->pages);
	workload_add(r, &before);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* And the one whose end does. */
static void heap(struct workload *w)
{
	char *first = sbrk(0);
	struct workload_range *r;
	struct rusage before;

	/* The first page may be one that the loader wrote to already. */
	if (sbrk((intptr_t)(-(uintptr_t)first % WORKLOAD_PAGE)) == (void *)-1)
		workload_failed(w, "sbrk: %m");
	first = sbrk(0);
	r = workload_range(w, "heap", first, w->pages);
	r->class = VMT_FAULT_ANON;
	r->special = VMT_FAULT_HEAP;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	r->alone = 0;
	snprintf(r->path, sizeof(r->path), "[heap]");
	workload_measure(&before);
	for (size_t i = 0; i < w->pages; i++) {
		volatile char *p = sbrk(WORKLOAD_PAGE);

		if (p == (void *)-1)
			workload_failed(w, "sbrk: %m");
		*p = 1;
		r->pages++;
	}
	workload_add(r, &before);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* One mapping that is made of many, each of which is put before the ones that are there. */
static void merge(struct workload *w)
{
	char *p = workload_reserve(w, w->pages);
	struct workload_range *r = workload_range(w, "merge", p, w->pages);
	struct rusage before;

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_measure(&before);
	for (size_t i = w->pages; i-- > 0;) {
		volatile char *page = mmap(p + i * WORKLOAD_PAGE, WORKLOAD_PAGE,
					   PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (page == MAP_FAILED)
			workload_failed(w, "cannot map a page: %m");
		*page = 1;
		r->pages++;
	}
	workload_add(r, &before);
	workload_was(r, VMT_KIND_ZERO_FILL);
}

/* Two mappings that take each other's place at once: what a task knew of the one that it faulted in
 * last is not true of the other. */
static void replace(struct workload *w)
{
	static const int flags[2] = { MAP_PRIVATE, MAP_SHARED };
	char *p = workload_reserve(w, 2);
	struct workload_range *r[2] = { workload_range(w, "private", p, 2),
					workload_range(w, "shared", p, 2) };

	r[0]->class = VMT_FAULT_ANON;
	r[1]->class = VMT_FAULT_SHMEM;
	snprintf(r[1]->path, sizeof(r[1]->path), "/dev/zero (deleted)");
	for (size_t k = 0; k < 2; k++) {
		r[k]->access = WORKLOAD_WRITE;
		r[k]->each_page = 1;
		r[k]->alone = 0;
		r[k]->replaced = 1;
	}
	/* The last is the private one: of the others none is in maps. */
	for (size_t i = 2 * (w->pages / 2); i-- > 0;) {
		if (mmap(p, 2 * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
			 flags[i % 2] | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			workload_failed(w, "cannot map two pages: %m");
		workload_touch(r[i % 2], 1);
	}
}

const struct workload_kind workload_memory_kinds[] = {
	{ "anon", NULL, anon }, { "zero", NULL, anon_zero },	   { "shmem", NULL, shmem },
	{ "gup", NULL, gup },	{ "syscall", NULL, syscall_fill }, { "stack", NULL, stack },
	{ "heap", NULL, heap }, { "merge", NULL, merge },	   { "replace", NULL, replace },
};
const size_t workload_n_memory_kinds =
	sizeof(workload_memory_kinds) / sizeof(workload_memory_kinds[0]);
