/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-forecast.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/forecast.h"
#include "source/cached-pages.h"
#include "source/proc-pagemap.h"
#include "source/residency.h"

#define WORDS ((size_t)VMT_READ_WORDS)
#define OWN   ((size_t)1 << 16) /* a page at least */
/* Pages that are asked for at one time. */
#define ASK ((uint64_t)1 << 15)

/* A mapping that is looked at. */
struct look {
	struct vmt_proc_task *task;
	struct vmt_job *job;
	struct vmt_pagemap pm;
	uint64_t around; /* bytes */
	bool swap_in_use;
	const struct vmt_map *map;
	bool shmem;
	bool unsure; /* what of it is in swap is not known */
	struct vmt_mapped_file file;
	struct vmt_cached_pages cached; /* fd -1: it has no file */
	struct vmt_forecast left;
	uint64_t words[WORDS];
	unsigned char vec[VMT_CACHED_VEC];
};

bool vmt_forecast_stores_major(void)
{
	VMT_AUTO_CLOSE int fd = memfd_create("vmtop", MFD_CLOEXEC);
	struct rusage before, after;
	volatile char *p;

	if (fd < 0 || ftruncate(fd, (off_t)OWN))
		return false;
	p = mmap(NULL, OWN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	getrusage(RUSAGE_THREAD, &before);
	*p = 1;
	getrusage(RUSAGE_THREAD, &after);
	munmap((void *)(uintptr_t)p, OWN);
	return after.ru_majflt != before.ru_majflt;
}

static void look_free(struct look **lp)
{
	free(*lp);
}

/*
 * The next n pages of the file, from page first of it on, have no entry in the page table. They are
 * halved until each part is of one sort: with read-ahead the page cache has few borders.
 */
static int add_file(struct look *l, uint64_t first, uint64_t n)
{
	struct {
		uint64_t first;
		uint64_t n;
	} todo[66];
	size_t depth = 0;

	todo[depth++] = (typeof(todo[0])){ first, n };
	while (depth) {
		uint64_t at = todo[--depth].first, many = todo[depth].n, cached, evicted;
		int r = vmt_cached_pages_count(&l->cached, at, many, &cached, &evicted);

		if (r < 0)
			return r;
		if (cached == many) {
			vmt_forecast_add(&l->left, VMT_LEFT_CACHED, many);
		} else if (!cached && !l->shmem) {
			vmt_forecast_add(&l->left, VMT_LEFT_ABSENT, many);
		} else if (!cached && (!evicted || !l->swap_in_use)) {
			vmt_forecast_add(&l->left, VMT_LEFT_EMPTY, many);
		} else if (!cached && (evicted == many || evicted == UINT64_MAX)) {
			l->unsure |= evicted == UINT64_MAX;
			vmt_forecast_add(&l->left, VMT_LEFT_SWAPPED, many);
		} else if (many == 1) {
			vmt_forecast_add(&l->left, VMT_LEFT_CACHED, 1);
		} else {
			/* The first half is due first. */
			todo[depth++] = (typeof(todo[0])){ at + many / 2, many - many / 2 };
			todo[depth++] = (typeof(todo[0])){ at, many / 2 };
		}
	}
	return 0;
}

/* The range has no entry in the page table. */
static int add_unmapped(struct look *l, uint64_t start, uint64_t end)
{
	uint64_t page_size = l->pm.page_size, n = (end - start) / page_size;
	uint64_t at = (l->map->offset_bytes + (start - l->map->start)) / page_size;

	if (l->cached.fd < 0) {
		vmt_forecast_add(&l->left, VMT_LEFT_EMPTY, n);
		return 0;
	}
	while (n) {
		uint64_t many = n < ASK ? n : ASK;
		int r;

		if (at >= l->cached.pages) {
			vmt_forecast_add(&l->left, VMT_LEFT_NOTHING, n);
			return 0;
		}
		if (many > l->cached.pages - at)
			many = l->cached.pages - at;
		r = add_file(l, at, many);
		if (r < 0)
			return r;
		at += many;
		n -= many;
		if (n && vmt_proc_pagemap_stop(l->job))
			return -ETIMEDOUT;
	}
	return 0;
}

static enum vmt_page_left state_of(const struct vmt_scan_region *region)
{
	if (region->categories & VMT_SCAN_PRESENT)
		return VMT_LEFT_MAPPED;
	return region->categories & VMT_SCAN_GUARD ? VMT_LEFT_NOTHING : VMT_LEFT_SWAPPED;
}

static int by_scan(struct look *l)
{
	uint64_t pos = l->map->start, end = l->map->end, page_size = l->pm.page_size;
	struct vmt_scan_region regions[VMT_SCAN_REGIONS];

	while (pos < end) {
		uint64_t span = vmt_pagemap_span(&l->pm), next;
		int i, n, r = 0;

		n = vmt_pagemap_scan(&l->pm, pos, end - pos < span ? end : pos + span,
				     l->pm.facts->scan_guard ? VMT_SCAN_GUARD : 0, regions, &next);
		if (n < 0)
			return n;
		for (i = 0; r == 0 && i < n; i++) {
			r = add_unmapped(l, pos, regions[i].start);
			vmt_forecast_add(&l->left, state_of(&regions[i]),
					 (regions[i].end - regions[i].start) / page_size);
			pos = regions[i].end;
		}
		if (r == 0)
			r = add_unmapped(l, pos, next);
		if (r < 0)
			return r;
		pos = next;
		if (pos < end && vmt_proc_pagemap_stop(l->job))
			return -ETIMEDOUT;
	}
	return 0;
}

static int by_words(struct look *l)
{
	uint64_t pos = l->map->start, page_size = l->pm.page_size;

	while (pos < l->map->end) {
		uint64_t n = (l->map->end - pos) / page_size, i, from = 0;
		struct vmt_pagemap_sum sum = { 0 };
		int r;

		if (n > vmt_pagemap_words(&l->pm))
			n = vmt_pagemap_words(&l->pm);
		r = vmt_pagemap_read(&l->pm, pos, pos + n * page_size, &sum);
		for (i = 0; r == 0 && i < n; i++) {
			uint64_t w = l->words[i];

			if (!(w & (VMT_PM_PRESENT | VMT_PM_SWAP)))
				continue;
			r = add_unmapped(l, pos + from * page_size, pos + i * page_size);
			vmt_forecast_add(&l->left,
					 w & VMT_PM_PRESENT ? VMT_LEFT_MAPPED
					 : w & VMT_PM_GUARD ? VMT_LEFT_NOTHING
							    : VMT_LEFT_SWAPPED,
					 1);
			from = i + 1;
		}
		if (r == 0)
			r = add_unmapped(l, pos + from * page_size, pos + n * page_size);
		if (r < 0)
			return r;
		pos += n * page_size;
		if (pos < l->map->end && vmt_proc_pagemap_stop(l->job))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Whether faults of a mapping come to one of the ends that are forecast; what opening its file
 * says. */
static int prepare(struct look *l, int dir_fd, const struct vmt_map *m)
{
	bool private_memory = !vmt_residency_may_have_file(m);
	int r;

	l->map = m;
	l->unsure = false;
	l->shmem = vmt_bytes_is(m->kind, "shmem");
	l->file.fd = l->cached.fd = -1;
	if (m->end > INT64_MAX || (m->perms.len && m->perms.ptr[0] != 'r'))
		return -EOPNOTSUPP;
	vmt_forecast_begin(&l->left, m->start / l->pm.page_size, m->end / l->pm.page_size,
			   private_memory ? 1 : l->around / l->pm.page_size);
	if (private_memory)
		return 0;
	if (!l->shmem && !vmt_bytes_is(m->kind, "file"))
		return -EOPNOTSUPP;
	r = vmt_mapped_file_find(dir_fd, m, &l->file);
	if (r == 0 && l->file.secret)
		r = -EOPNOTSUPP;
	if (r == 0)
		r = vmt_cached_pages_open(&l->cached, &l->file, l->pm.page_size, l->vec,
					  VMT_CACHED_VEC, false);
	return r;
}

/* Whether faults of a mapping that need not read may be major all the same. */
static bool stores_major(const struct look *l, const struct vmt_map *m)
{
	return l->task->shared->stores_major && m->perms.len == 4 && m->perms.ptr[1] == 'w' &&
	       m->perms.ptr[3] == 's';
}

static int look_at(struct look *l, int dir_fd, struct vmt_map *m)
{
	int r;

	/* Each file has its own time. */
	vmt_job_begin(l->job, VMT_SOURCE_FORECAST);
	r = prepare(l, dir_fd, m);
	if (r == 0 && !l->pm.facts->scan &&
	    (m->end - m->start) / l->pm.page_size > VMT_PAGEMAP_READ_MAX)
		r = -E2BIG;
	if (r == 0)
		r = l->pm.facts->scan ? by_scan(l) : by_words(l);
	l->pm.reads += l->cached.fd < 0 ? 0 : l->cached.calls;
	vmt_cached_pages_done(&l->cached);
	vmt_mapped_file_done(&l->file);
	if (r < 0)
		return r;
	pthread_mutex_lock(&l->task->lock);
	if (!vmt_residency_may_have_file(m))
		VMT_SET(map, cached_unmapped_pages, m, 0);
	else
		VMT_SET(map, cached_unmapped_pages, m, l->left.cached);
	if (!l->unsure) {
		VMT_SET(map, absent_pages, m, l->left.absent);
		VMT_SET(map, minor_faults_left, m, l->left.minor);
		VMT_SET(map, minor_faults_left_max, m, l->left.minor_most);
		VMT_SET(map, major_faults_left, m, l->left.major);
		VMT_SET(map, major_faults_left_max, m,
			l->left.major_most + (stores_major(l, m) ? l->left.minor_most : 0));
	}
	pthread_mutex_unlock(&l->task->lock);
	return 0;
}

int vmt_proc_read_forecast(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd, int fd,
			   struct vmt_proc_read *read)
{
	VMT_CLEANUP(look_free) struct look *l = calloc(1, sizeof(*l));
	const struct vmt_pagemap_stop stop = { vmt_proc_pagemap_stop, job };
	int denied = 0, failed = 0, r = 0;
	bool any = false, too_long = false;
	size_t i;

	if (!task->shared->root->live)
		return -ENOENT;
	if (!l)
		return -ENOMEM;
	l->task = task;
	l->job = job;
	l->around = task->shared->around_bytes;
	l->swap_in_use = !__atomic_load_n(&task->shared->swap_idle, __ATOMIC_RELAXED);
	l->pm = (struct vmt_pagemap){ .fd = fd,
				      .page_size = task->shared->root->page_size,
				      .facts = vmt_proc_shared_pagemap(task->shared),
				      .stop = &stop,
				      .words = l->words,
				      .n_words = WORDS,
				      .gentle = true };
	for (i = 0; i < task->n_maps; i++) {
		r = look_at(l, dir_fd, &task->maps[i]);
		if (r == -ESRCH || r == -ETIMEDOUT || r == -ENOMEM)
			break;
		any |= r == 0;
		too_long |= r == -E2BIG;
		if (r == -EACCES || r == -EPERM)
			denied = r;
		else if (r < 0 && r != -EOPNOTSUPP && r != -E2BIG && r != -EINVAL &&
			 !vmt_mapped_file_is_elsewhere(r))
			failed = r;
		/* The others stay unknown. */
		r = 0;
		if (i + 1 < task->n_maps && vmt_job_expired(job)) {
			r = -ETIMEDOUT;
			break;
		}
	}
	read->doubts |= VMT_DOUBT_FORECAST | (denied ? VMT_DOUBT_STRANGE : 0);
	vmt_proc_pagemap_cost(read, &l->pm);
	if (r == 0 && failed)
		return vmt_err_set(read->err, failed, NULL, 0,
				   "mapped files that cannot be asked about: what is left of them "
				   "is not known");
	r = vmt_proc_pagemap_result(read, r, too_long);
	return r == 0 && denied && !any ? denied : r;
}
