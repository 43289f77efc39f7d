/* SPDX-License-Identifier: GPL-2.0-or-later */

/* More workloads on mappings of a file of a disk: what is cold, has holes, is written back, run. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

static struct workload_range *read_range(struct workload *w, const char *label)
{
	struct workload_range *r = workload_map_file(w, label, PROT_READ, MAP_PRIVATE);

	r->access = WORKLOAD_READ;
	return r;
}

/* Of faults on what may not be in the page cache the major ones are known, and no others. */
static void was_read(struct workload_range *r)
{
	r->kinds[VMT_KIND_FILE_MAJOR] = r->said = r->major;
}

static void advise(struct workload *w, const struct workload_range *r, int advice)
{
	if (madvise((void *)r->start, r->end - r->start, advice))
		workload_failed(w, "madvise %d: %m", advice);
}

/* One after the other: the kernel reads ahead. */
static void ahead(struct workload *w)
{
	struct workload_range *r = read_range(w, "ahead");

	r->filemap = WORKLOAD_EITHER;
	workload_touch(r, 1);
	was_read(r);
}

/* A private page of a file that is not in the cache yet. */
static void cold_cow(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "cold-cow", PROT_READ | PROT_WRITE, MAP_PRIVATE);

	advise(w, r, MADV_RANDOM);
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	r->filemap = WORKLOAD_FILEMAP;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_COW);
}

static void cold_shared(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "cold-shared", PROT_READ | PROT_WRITE, MAP_SHARED);

	advise(w, r, MADV_RANDOM);
	r->access = WORKLOAD_WRITE;
	r->filemap = WORKLOAD_FILEMAP;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_WRITE);
}

/* A file that has its size and nothing else. */
static void sparse_file(struct workload *w)
{
	workload_make_file(w, 0);
	if (ftruncate(w->fd, (off_t)((WORKLOAD_SKIPPED + w->pages) * WORKLOAD_PAGE)))
		workload_failed(w, "%s: %m", w->file);
}

static void hole_write(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "hole-write", PROT_READ | PROT_WRITE, MAP_SHARED);

	r->access = WORKLOAD_WRITE;
	r->filemap = WORKLOAD_FILEMAP;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_WRITE);
}

static void hole_read(struct workload *w)
{
	struct workload_range *r = read_range(w, "hole-read");

	r->filemap = WORKLOAD_EITHER;
	advise(w, r, MADV_RANDOM);
	workload_touch(r, 1);
	was_read(r);
}

/* What was written back is write-protected until it gets dirty again. */
static void written_back(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "written-back", PROT_READ | PROT_WRITE, MAP_SHARED);

	r->filemap = WORKLOAD_EITHER;
	r->access = WORKLOAD_WRITE;
	for (size_t i = 0; i < 2; i++) {
		workload_touch(r, 1);
		if (msync((void *)r->start, w->pages * WORKLOAD_PAGE, MS_SYNC))
			workload_failed(w, "msync: %m");
	}
	workload_was(r, VMT_KIND_FILE_WRITE);
}

/* The page table forgets, the page cache does not. */
static void read_twice(struct workload *w)
{
	struct workload_range *r = read_range(w, "twice");

	workload_touch(r, 1);
	advise(w, r, MADV_DONTNEED);
	workload_touch(r, 1);
	workload_was_cached(r);
}

/* Pages of its own that are given back: the file shows through. */
static void uncovered(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "uncovered", PROT_READ | PROT_WRITE, MAP_PRIVATE);

	r->filemap = WORKLOAD_EITHER;
	r->mixed = 1;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_COW);
	advise(w, r, MADV_DONTNEED);
	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was_cached(r);
}

/* A file that loses its end below the mapping, and gets a new one. */
static void cut_short(struct workload *w)
{
	struct workload_range *r = read_range(w, "cut-short");
	off_t whole = (off_t)((WORKLOAD_SKIPPED + w->pages) * WORKLOAD_PAGE);

	workload_touch(r, 1);
	workload_was_cached(r);
	if (ftruncate(w->fd, (off_t)(WORKLOAD_SKIPPED * WORKLOAD_PAGE)) || ftruncate(w->fd, whole))
		workload_failed(w, "ftruncate: %m");
	workload_touch(r, 1);
	/* Of these the major ones alone are known. */
	r->kinds[VMT_KIND_FILE_MAJOR] += r->major - r->said_major;
	r->said += r->major - r->said_major;
}

/* Taken by the kernel before anything is touched. */
static void populate(struct workload *w, int advice)
{
	struct workload_range *r = read_range(w, "populated");
	struct rusage before;
	int failed;

	r->filemap = WORKLOAD_EITHER;
	r->access = WORKLOAD_SYSCALL_READ;
	advise(w, r, MADV_NORMAL);
	workload_measure(&before);
	failed = advice ? madvise((void *)r->start, r->end - r->start, advice)
			: mmap((void *)r->start, r->end - r->start, PROT_READ,
			       MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, w->fd,
			       (off_t)r->offset_bytes) == MAP_FAILED;
	workload_add(r, &before);
	if (failed && advice && errno == EINVAL)
		workload_unable(w, "MADV_POPULATE_READ: %m");
	if (failed)
		workload_failed(w, "cannot populate: %m");
	r->gup = r->minor + r->major;
}

static void populated(struct workload *w)
{
	populate(w, 0);
}

static void advised(struct workload *w)
{
	populate(w, MADV_POPULATE_READ);
}

/* A system call that reads from a mapping. */
static void from_file(struct workload *w)
{
	struct workload_range *r = read_range(w, "kernel-reads");
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct rusage before;
	ssize_t n = 0;

	if (fd < 0)
		workload_unable(w, "/dev/shm: %m");
	(void)!pwrite(fd, &n, 0, 0);
	r->access = WORKLOAD_SYSCALL_READ;
	workload_measure(&before);
	for (size_t i = 0; i < w->pages && n >= 0; i++)
		n = pwrite(fd, (char *)r->start + i * WORKLOAD_PAGE, WORKLOAD_PAGE, 0);
	workload_add(r, &before);
	workload_was_cached(r);
	r->pages = w->pages;
	if (n < 0)
		workload_failed(w, "pwrite: %m");
	close(fd);
}

/* And one that cannot write to it: there is no page of the file, and no signal. */
static void efault(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "no-file", PROT_READ | PROT_WRITE, MAP_SHARED);
	struct rusage before;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	r->filemap = WORKLOAD_EITHER;
	if (fd < 0)
		workload_failed(w, "/dev/zero: %m");
	r->access = WORKLOAD_SYSCALL;
	workload_measure(&before);
	for (size_t i = 8; i < 40 && i < w->pages; i++)
		r->efault += read(fd, (char *)r->start + i * WORKLOAD_PAGE, 8) < 0;
	workload_add(r, &before);
	close(fd);
	if (!r->efault)
		workload_failed(w, "there was no EFAULT");
}

static void short_file(struct workload *w)
{
	workload_make_file(w, WORKLOAD_SKIPPED + 1);
}

/* A function that does nothing, in each page of the file. */
static void code_file(struct workload *w)
{
#if defined(__x86_64__)
	static const unsigned char code[] = { 0xc3 };
#elif defined(__aarch64__)
	static const unsigned char code[] = { 0xc0, 0x03, 0x5f, 0xd6 };
#else
	static const unsigned char code[] = { 0 };

	workload_unable(w, "no code for this processor");
#endif
	workload_warm_file(w);
	for (size_t i = 0; i < w->pages; i++)
		if (pwrite(w->fd, code, sizeof(code),
			   (off_t)((WORKLOAD_SKIPPED + i) * WORKLOAD_PAGE)) !=
		    (ssize_t)sizeof(code))
			workload_failed(w, "%s: %m", w->file);
	if (fsync(w->fd))
		workload_failed(w, "%s: %m", w->file);
}

static void cold_code_file(struct workload *w)
{
	code_file(w);
	if (posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED))
		workload_failed(w, "%s: POSIX_FADV_DONTNEED", w->file);
}

static struct workload_range *run_code(struct workload *w, const char *label, int advice)
{
	struct workload_range *r = workload_map_file(w, label, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	struct rusage before;

	advise(w, r, advice);
	r->access = WORKLOAD_EXEC;
	workload_measure(&before);
	for (size_t i = 0; i < w->pages; i++)
		((void (*)(void))(uintptr_t)(r->start + i * WORKLOAD_PAGE))();
	workload_add(r, &before);
	return r;
}

static void code(struct workload *w)
{
	workload_was_cached(run_code(w, "code", MADV_NORMAL));
}

static void cold_code(struct workload *w)
{
	struct workload_range *r = run_code(w, "cold-code", MADV_RANDOM);

	r->filemap = WORKLOAD_EITHER;
	was_read(r);
}

const struct workload_kind workload_cache_kinds[] = {
	{ "ahead", workload_cold_file, ahead },
	{ "cold-cow", workload_cold_file, cold_cow },
	{ "cold-shared", workload_cold_file, cold_shared },
	{ "hole-write", sparse_file, hole_write },
	{ "hole-read", sparse_file, hole_read },
	{ "written-back", workload_warm_file, written_back },
	{ "read-twice", workload_warm_file, read_twice },
	{ "uncovered", workload_warm_file, uncovered },
	{ "cut-short", workload_warm_file, cut_short },
	{ "populated", workload_warm_file, populated },
	{ "populated-cold", workload_cold_file, populated },
	{ "advised", workload_warm_file, advised },
	{ "from-file", workload_warm_file, from_file },
	{ "efault", short_file, efault },
	{ "code", code_file, code },
	{ "cold-code", cold_code_file, cold_code },
};
const size_t workload_n_cache_kinds =
	sizeof(workload_cache_kinds) / sizeof(workload_cache_kinds[0]);
