/* SPDX-License-Identifier: GPL-2.0-or-later */

/* More workloads on shared memory. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* w->fd, in one more mapping. */
static struct workload_range *map_fd(struct workload *w, const char *label, const char *path,
				     int flags)
{
	char *p = workload_reserve(w, w->pages);
	struct workload_range *r;
	struct stat st;

	if (fstat(w->fd, &st) || mmap(p, w->pages * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
				      flags | MAP_FIXED, w->fd, 0) == MAP_FAILED)
		workload_failed(w, "cannot map %s: %m", path);
	r = workload_range(w, label, p, w->pages);
	r->class = VMT_FAULT_SHMEM;
	r->inode = st.st_ino;
	r->dev_major = major(st.st_dev);
	r->dev_minor = minor(st.st_dev);
	snprintf(r->path, sizeof(r->path), "%s", path);
	return r;
}

#define MEMFD_PATH "/memfd:truth (deleted)"

static void empty_memfd(struct workload *w)
{
	w->fd = memfd_create("truth", MFD_CLOEXEC);
	if (w->fd < 0 || ftruncate(w->fd, (off_t)(w->pages * WORKLOAD_PAGE)))
		workload_failed(w, "memfd: %m");
}

static void full_memfd(struct workload *w)
{
	static const char page[WORKLOAD_PAGE] = { 1 };

	empty_memfd(w);
	for (size_t i = 0; i < w->pages; i++)
		if (pwrite(w->fd, page, sizeof(page), (off_t)(i * WORKLOAD_PAGE)) !=
		    (ssize_t)sizeof(page))
			workload_failed(w, "memfd: %m");
}

static void touch_all(struct workload_range *r, enum workload_access access,
		      enum vmt_fault_kind kind)
{
	r->access = access;
	workload_touch(r, 1);
	workload_was(r, kind);
}

/* Loads of what was never written; each page is made all the same. */
static void hole(struct workload *w)
{
	struct workload_range *r = map_fd(w, "hole", MEMFD_PATH, MAP_SHARED);

	r->each_page = 1;
	touch_all(r, WORKLOAD_READ, VMT_KIND_SHMEM);
}

/* Loads of what is there come with their neighbours. */
static void there(struct workload *w)
{
	touch_all(map_fd(w, "there", MEMFD_PATH, MAP_SHARED), WORKLOAD_READ, VMT_KIND_SHMEM);
}

static void copied(struct workload *w)
{
	struct workload_range *r = map_fd(w, "copied", MEMFD_PATH, MAP_PRIVATE);

	r->each_page = 1;
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_FILE_COW);
}

static void then_copied(struct workload *w)
{
	struct workload_range *r = map_fd(w, "then-copied", MEMFD_PATH, MAP_PRIVATE);

	r->mixed = 1;
	touch_all(r, WORKLOAD_READ, VMT_KIND_SHMEM);
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_COW_COPY);
}

/* Taken out of the file, and made again. */
static void removed(struct workload *w)
{
	struct workload_range *r = map_fd(w, "removed", MEMFD_PATH, MAP_SHARED);

	r->each_page = 1;
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_SHMEM);
	if (madvise((void *)r->start, w->pages * WORKLOAD_PAGE, MADV_REMOVE))
		workload_failed(w, "MADV_REMOVE: %m");
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_SHMEM);
}

static void dev_shm(struct workload *w)
{
	snprintf(w->file, sizeof(w->file), "/dev/shm/truth-%d", (int)getpid());
	w->fd = open(w->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0 || ftruncate(w->fd, (off_t)(w->pages * WORKLOAD_PAGE)))
		workload_unable(w, "%s: %m", w->file);
	/* The inode is kept by the mapping. */
	unlink(w->file);
	strncat(w->file, " (deleted)", sizeof(w->file) - strlen(w->file) - 1);
}

static void posix(struct workload *w)
{
	struct workload_range *r = map_fd(w, "dev-shm", w->file, MAP_SHARED);

	r->each_page = 1;
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_SHMEM);
}

static void system_v(struct workload *w)
{
	int id = shmget(IPC_PRIVATE, w->pages * WORKLOAD_PAGE, IPC_CREAT | 0600);
	char *p = workload_reserve(w, w->pages);
	struct workload_range *r;

	if (id < 0)
		workload_unable(w, "shmget: %m");
	p = shmat(id, p, SHM_REMAP);
	shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		workload_failed(w, "shmat: %m");
	r = workload_range(w, "system-v", p, w->pages);
	r->class = VMT_FAULT_SHMEM;
	r->each_page = 1;
	snprintf(r->path, sizeof(r->path), "/SYSV00000000 (deleted)");
	touch_all(r, WORKLOAD_WRITE, VMT_KIND_SHMEM);
}

static void read_there(struct workload *w, struct workload_range *r)
{
	(void)w;
	touch_all(r, WORKLOAD_READ, VMT_KIND_SHMEM);
}

/* What a parent wrote is not in the page tables of its child. */
static void child(struct workload *w)
{
	struct workload_range *r = map_fd(w, "shared", MEMFD_PATH, MAP_SHARED);

	memset((void *)r->start, 1, w->pages * WORKLOAD_PAGE);
	workload_in_child(w, r, read_there);
}

const struct workload_kind workload_shmem_kinds[] = {
	{ "shmem-hole", empty_memfd, hole },	   { "shmem-there", full_memfd, there },
	{ "shmem-copied", full_memfd, copied },	   { "shmem-then-copied", full_memfd, then_copied },
	{ "shmem-removed", empty_memfd, removed }, { "shmem-posix", dev_shm, posix },
	{ "shmem-system-v", NULL, system_v },	   { "shmem-child", empty_memfd, child },
};
const size_t workload_n_shmem_kinds =
	sizeof(workload_shmem_kinds) / sizeof(workload_shmem_kinds[0]);
