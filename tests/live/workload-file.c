/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads on mappings of a file of a disk. */

#include "workload.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void workload_make_file(struct workload *w, size_t pages)
{
	static const char block[WORKLOAD_PAGE] = { 1 };

	snprintf(w->file, sizeof(w->file), "%s/truth-%d", w->dir, (int)getpid());
	w->fd = open(w->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0)
		workload_failed(w, "%s: %m", w->file);
	for (size_t i = 0; i < pages; i++)
		if (write(w->fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			workload_failed(w, "%s: %m", w->file);
	if (fsync(w->fd))
		workload_failed(w, "%s: %m", w->file);
}

void workload_warm_file(struct workload *w)
{
	workload_make_file(w, WORKLOAD_SKIPPED + w->pages);
}

void workload_cold_file(struct workload *w)
{
	workload_make_file(w, WORKLOAD_SKIPPED + w->pages);
	if (posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED))
		workload_failed(w, "%s: POSIX_FADV_DONTNEED", w->file);
}

struct workload_range *workload_map_file(struct workload *w, const char *label, int prot, int flags)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	struct workload_range *r;
	struct stat st;
	char *p;

	p = mmap(workload_reserve(w, w->pages), size, prot, flags | MAP_FIXED, w->fd,
		 (off_t)(WORKLOAD_SKIPPED * WORKLOAD_PAGE));
	if (p == MAP_FAILED || fstat(w->fd, &st))
		workload_failed(w, "cannot map %s: %m", w->file);
	r = workload_range(w, label, p, w->pages);
	r->class = VMT_FAULT_FILE;
	r->inode = st.st_ino;
	r->dev_major = major(st.st_dev);
	r->dev_minor = minor(st.st_dev);
	r->offset_bytes = WORKLOAD_SKIPPED * WORKLOAD_PAGE;
	snprintf(r->path, sizeof(r->path), "%s", w->file);
	return r;
}

/* The kernel maps what is around as well: fewer faults than pages. */
static void file_read(struct workload *w)
{
	struct workload_range *r = workload_map_file(w, "read", PROT_READ, MAP_PRIVATE);

	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was_cached(r);
}

static void file_cold(struct workload *w)
{
	struct workload_range *r = workload_map_file(w, "cold", PROT_READ, MAP_PRIVATE);
	unsigned char *there = malloc(w->pages);
	void *p = (void *)r->start;

	if (!there || mincore(p, w->pages * WORKLOAD_PAGE, there))
		workload_failed(w, "mincore: %m");
	r->cold = 1;
	for (size_t i = 0; i < w->pages; i++)
		r->cold &= !(there[i] & 1);
	/* One page at a time comes from the disk. */
	if (madvise(p, w->pages * WORKLOAD_PAGE, MADV_RANDOM))
		workload_failed(w, "MADV_RANDOM: %m");
	r->access = WORKLOAD_READ;
	r->filemap = WORKLOAD_FILEMAP;
	workload_settle(w);
	workload_touch(r, 7);
	/* What was read ahead all the same may have come one way or the other. */
	r->kinds[VMT_KIND_FILE_MAJOR] = r->said = r->major;
}

static void file_cow(struct workload *w)
{
	struct workload_range *r = workload_map_file(w, "cow", PROT_READ | PROT_WRITE, MAP_PRIVATE);

	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	r->filemap = WORKLOAD_FILEMAP;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_COW);
}

/* Pages that are mapped for loads, and then stored to. */
static void file_then_cow(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "then-cow", PROT_READ | PROT_WRITE, MAP_PRIVATE);

	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was_cached(r);
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
	r->mixed = 1;
}

static void file_then_write(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "then-write", PROT_READ | PROT_WRITE, MAP_SHARED);

	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was_cached(r);
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_WRITE);
	r->mixed = 1;
}

/* Where the page cache is in large folios, one fault maps all of one. */
static void file_shared(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "shared", PROT_READ | PROT_WRITE, MAP_SHARED);

	r->access = WORKLOAD_WRITE;
	r->filemap = WORKLOAD_FILEMAP;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_FILE_WRITE);
}

static sigjmp_buf back;

static void on_signal(int sig)
{
	siglongjmp(back, sig);
}

void workload_catch(struct workload *w, int sig)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	/* The first signal makes the handler's way resident. */
	if (sigaction(sig, &action, NULL) || (!sigsetjmp(back, 1) && raise(sig)))
		workload_failed(w, "signal %d: %m", sig);
}

bool workload_try(volatile char *p, bool write)
{
	if (sigsetjmp(back, 1))
		return false;
	if (write)
		*p = 1;
	else
		(void)*p;
	return true;
}

/* A mapping that its file is too short for. */
static void short_file(struct workload *w)
{
	workload_make_file(w, WORKLOAD_SKIPPED + 1);
	workload_catch(w, SIGBUS);
}

static void sigbus(struct workload *w)
{
	struct workload_range *r =
		workload_map_file(w, "beyond", PROT_READ | PROT_WRITE, MAP_SHARED);
	struct rusage before;

	r->access = WORKLOAD_WRITE;
	workload_measure(&before);
	for (size_t i = 8; i < 40 && i < w->pages; i++)
		r->sigbus += !workload_try((volatile char *)r->start + i * WORKLOAD_PAGE, true);
	workload_add(r, &before);
	if (!r->sigbus)
		workload_failed(w, "there was no SIGBUS");
}

const struct workload_kind workload_file_kinds[] = {
	{ "file-read", workload_warm_file, file_read },
	{ "file-cow", workload_warm_file, file_cow },
	{ "file-shared", workload_warm_file, file_shared },
	{ "file-cold", workload_cold_file, file_cold },
	{ "sigbus", short_file, sigbus },
	{ "file-then-cow", workload_warm_file, file_then_cow },
	{ "file-then-write", workload_warm_file, file_then_write },
};
const size_t workload_n_file_kinds = sizeof(workload_file_kinds) / sizeof(workload_file_kinds[0]);
