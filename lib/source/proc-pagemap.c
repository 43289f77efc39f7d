/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-pagemap.h"

#include <errno.h>

#include "source/pss-sliced.h"
#include "source/residency.h"

#define WORDS ((size_t)VMT_READ_WORDS)
/* Mappings of one call, so that what was added up is put away now and then. */
#define SUMS ((size_t)512)

bool vmt_proc_pagemap_stop(void *arg)
{
	return !vmt_job_renew(arg);
}

/* Whether looking at all of it takes so long that it would be felt. */
static bool is_large(const struct vmt_proc_task *task)
{
	uint64_t bytes = 0;
	size_t i;

	/* Ranges do not overlap, and the kernel's half has one page. */
	for (i = 0; i < task->n_maps && bytes < VMT_GENTLE_BYTES; i++)
		bytes += task->maps[i].end - task->maps[i].start;
	return bytes >= VMT_GENTLE_BYTES;
}

void vmt_proc_pagemap_cost(struct vmt_proc_read *read, const struct vmt_pagemap *pm)
{
	read->reads += pm->reads;
	read->bytes += pm->bytes;
	if (pm->longest_ns > read->longest_ns)
		read->longest_ns = pm->longest_ns;
}

int vmt_proc_pagemap_result(struct vmt_proc_read *read, int r, bool left_out)
{
	if (r == 0 && left_out)
		return vmt_err_set(read->err, -E2BIG, "pagemap", 0,
				   "mappings of more than %llu pages were left out: "
				   "this kernel has no PAGEMAP_SCAN (Linux 6.7)",
				   (unsigned long long)VMT_PAGEMAP_READ_MAX);
	if (r != -ETIMEDOUT)
		return r;
	return vmt_err_set(read->err, r, "pagemap", 0, "it was not read to its end in time");
}

struct sums {
	uint64_t words[WORDS];
	struct vmt_pagemap_sum sum[SUMS];
	bool skipped[SUMS];
	bool full[SUMS];
};

/* Puts sums into the rows that they are of; what is resident of these and of no file, bytes. */
static uint64_t store_all(struct vmt_proc_task *task, const struct vmt_residency_ctx *ctx,
			  const struct sums *sums, struct vmt_map *maps, size_t n, unsigned *doubts)
{
	uint64_t anon = 0;
	size_t i;

	pthread_mutex_lock(&task->lock);
	for (i = 0; i < n; i++) {
		if (sums->skipped[i])
			continue;
		vmt_residency_store(ctx, &sums->sum[i], &maps[i], doubts);
		anon += VMT_HAS(map, anonymous_bytes, &maps[i]) ? maps[i].anonymous_bytes : 0;
	}
	pthread_mutex_unlock(&task->lock);
	return anon;
}

/* *ret_anon: what was found resident that is of no file, bytes. */
static int sum_all(struct vmt_proc_task *task, struct vmt_job *job,
		   const struct vmt_residency_ctx *ctx, struct sums *sums, unsigned *doubts,
		   uint64_t *ret_anon)
{
	uint64_t anon = 0;
	size_t i, n;
	int r;

	*ret_anon = UINT64_MAX;
	for (i = 0; i < task->n_maps; i += n) {
		n = task->n_maps - i < SUMS ? task->n_maps - i : SUMS;
		memset(sums->sum, 0, n * sizeof(sums->sum[0]));
		r = vmt_residency_sum(ctx, &task->maps[i], n, sums->sum, sums->skipped, doubts);
		if (r < 0)
			return r;
		anon += store_all(task, ctx, sums, &task->maps[i], n, doubts);
		if (i + n < task->n_maps && vmt_job_expired(job))
			return -ETIMEDOUT;
	}
	*ret_anon = anon;
	return 0;
}

void vmt_proc_drop_residency(struct vmt_proc_task *task)
{
	bool by_smaps = task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].tried;
	size_t i;

	pthread_mutex_lock(&task->lock);
	for (i = 0; i < task->n_maps; i++)
		vmt_residency_drop(&task->maps[i], by_smaps);
	pthread_mutex_unlock(&task->lock);
}

/*
 * Whether the sums can be true although it was asked for what is absent: a mapping that had gone
 * would be full of pages that nobody has, and the address space smaller than its list.
 */
static bool is_plausible(const struct vmt_proc_whole *whole, uint64_t anon)
{
	return whole->known && whole->now.size_bytes == whole->size_bytes &&
	       anon <= whole->now.anon_bytes;
}

/* Looks at the mappings that were taken to be full, after all. */
static int sum_full(struct vmt_proc_task *task, const struct vmt_residency_ctx *ctx,
		    struct sums *sums, unsigned *doubts, uint64_t *ret_anon)
{
	size_t i, end;
	int r;

	*ret_anon = UINT64_MAX;
	for (i = 0; i < task->n_maps; i = end) {
		for (end = i; end < task->n_maps && sums->full[end]; end++)
			sums->sum[end] = (struct vmt_pagemap_sum){ 0 };
		if (end == i) {
			end++;
			continue;
		}
		r = vmt_residency_sum(ctx, &task->maps[i], end - i, &sums->sum[i],
				      &sums->skipped[i], doubts);
		if (r < 0)
			return r;
	}
	vmt_proc_drop_residency(task);
	*ret_anon = store_all(task, ctx, sums, task->maps, task->n_maps, doubts);
	return 0;
}

/*
 * Where a great many mappings can be full, for all that the process has, they are not asked at
 * first: if they and what is found of the others make together what statm counts behind it, each of
 * them is full, as none can have more. That is so as long as no page came meanwhile, which the
 * others could have lacked while they were looked at and have when they were counted: so the
 * process must not have faulted since before the list was read, and statm has to say the same
 * before and behind. What brings pages without a fault of the process, and in those microseconds
 * would have to bring as many as the many lack, after they were taken: a process that shares the
 * address space or writes into it, userfaultfd, khugepaged, migration and swapoff. 1 where it is
 * so, with what statm says in whole; 0 where all were looked at.
 */
static int sum_or_infer(struct vmt_proc_task *task, struct vmt_job *job,
			struct vmt_residency_ctx *ctx, struct vmt_proc_whole *whole, int statm,
			struct sums *sums, unsigned *doubts, uint64_t *ret_anon)
{
	const struct vmt_root *root = task->shared->root;
	struct vmt_proc_space before;
	uint64_t pages = 0, faults;
	int r;

	if (task->n_maps <= SUMS && task->has_faults)
		pages = vmt_residency_mark_full(task->maps, task->n_maps, root->page_size,
						sums->full);
	if (!pages || !vmt_proc_space_read(root, statm, &before) ||
	    pages > before.anon_bytes / root->page_size)
		return sum_all(task, job, ctx, sums, doubts, ret_anon);
	ctx->full = sums->full;
	r = sum_all(task, job, ctx, sums, doubts, ret_anon);
	ctx->full = NULL;
	if (r < 0)
		return r;
	whole->known = vmt_proc_space_read(root, statm, &whole->now);
	if (whole->known && whole->now.size_bytes == whole->size_bytes &&
	    before.size_bytes == whole->size_bytes && before.anon_bytes == *ret_anon &&
	    whole->now.anon_bytes == *ret_anon && vmt_proc_faults_now(whole->dir_fd, &faults) &&
	    faults == task->faults)
		return 1;
	return sum_full(task, ctx, sums, doubts, ret_anon);
}

/* All mappings: by what is absent where that can be checked, which is the cheaper for most, and
 * where it was not true, by what is there. */
static int sum_whole(struct vmt_proc_task *task, struct vmt_job *job, struct vmt_residency_ctx *ctx,
		     struct vmt_proc_whole *whole, struct sums *sums, unsigned *doubts)
{
	const struct vmt_pagemap_facts *facts = ctx->pm->facts;
	const struct vmt_root *root = task->shared->root;
	VMT_AUTO_CLOSE int statm = vmt_proc_space_open(whole->dir_fd);
	uint64_t anon;
	int r;

	ctx->absent = !ctx->words && !ctx->pm->gentle && facts->scan_absent && facts->anon_exact;
	if (ctx->absent) {
		r = sum_or_infer(task, job, ctx, whole, statm, sums, doubts, &anon);
		if (r > 0)
			return 0;
		whole->known = r == 0 && vmt_proc_space_read(root, statm, &whole->now);
		if (is_plausible(whole, anon))
			return r;
		vmt_proc_drop_residency(task);
		if (r < 0)
			return r;
		ctx->absent = false;
	}
	r = sum_all(task, job, ctx, sums, doubts, &anon);
	whole->known = r == 0 && vmt_proc_space_read(root, statm, &whole->now);
	return r;
}

int vmt_proc_read_residency(struct vmt_proc_task *task, struct vmt_job *job, int fd, bool words,
			    struct vmt_proc_whole *whole, struct vmt_proc_read *read)
{
	const struct vmt_root *root = task->shared->root;
	const struct vmt_pagemap_stop stop = { vmt_proc_pagemap_stop, job };
	VMT_AUTO_FREE struct sums *sums = malloc(sizeof(*sums));
	struct vmt_pagemap pm = { .fd = fd,
				  .page_size = root->page_size,
				  .stop = &stop,
				  .n_words = WORDS,
				  .gentle = is_large(task) };
	/* What was in swap when a recording was made is not known: there can have been. */
	struct vmt_residency_ctx ctx = {
		.pm = &pm,
		.words = words,
		.swap_in_use = !__atomic_load_n(&task->shared->swap_idle, __ATOMIC_RELAXED),
	};
	uint64_t anon;
	int r;

	if (!sums)
		return -ENOMEM;
	pm.words = sums->words;
	pm.facts = vmt_proc_shared_pagemap(task->shared);
	if (whole)
		r = sum_whole(task, job, &ctx, whole, sums, &read->doubts);
	else
		r = sum_all(task, job, &ctx, sums, &read->doubts, &anon);
	vmt_proc_pagemap_cost(read, &pm);
	return vmt_proc_pagemap_result(read, r, read->doubts & VMT_DOUBT_HUGE);
}

int vmt_proc_read_pss(struct vmt_proc_task *task, struct vmt_job *job, int fd,
		      struct vmt_proc_read *read)
{
	const struct vmt_root *root = task->shared->root;
	const struct vmt_pagemap_stop stop = { vmt_proc_pagemap_stop, job };
	VMT_AUTO_FREE uint64_t *words = reallocarray(NULL, 2 * WORDS, sizeof(*words));
	VMT_AUTO_CLOSE int counts = vmt_open_at(root->proc_fd, "kpagecount");
	struct vmt_pagemap pm = { .fd = fd,
				  .page_size = root->page_size,
				  .stop = &stop,
				  .words = words,
				  .n_words = WORDS,
				  .gentle = is_large(task) };
	struct vmt_pss_sliced pss = { .pm = &pm, .counts_fd = counts, .n_counts = WORDS };
	size_t i;
	int r = 0;

	if (!words)
		return -ENOMEM;
	if (counts < 0)
		return counts;
	pss.counts = words + WORDS;
	pm.facts = vmt_proc_shared_pagemap(task->shared);
	if (!pm.facts->frames)
		return vmt_err_set(read->err, -EPERM, "pagemap", 0,
				   "frames are not shown: it needs CAP_SYS_ADMIN");
	for (i = 0; r == 0 && i < task->n_maps; i++) {
		uint64_t bytes;

		r = vmt_pss_sliced_read(&pss, &task->maps[i], &bytes);
		if (r == -E2BIG) {
			/* It stays unknown. */
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		pthread_mutex_lock(&task->lock);
		VMT_SET(map, pss_sliced_bytes, &task->maps[i], bytes);
		pthread_mutex_unlock(&task->lock);
		if (i + 1 < task->n_maps && vmt_job_expired(job))
			r = -ETIMEDOUT;
	}
	read->doubts |= VMT_DOUBT_SLICED;
	vmt_proc_pagemap_cost(read, &pm);
	return vmt_proc_pagemap_result(read, r, false);
}
