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
	struct vmt_job *job = arg;

	if (vmt_job_expired(job))
		return true;
	vmt_job_go_on(job);
	return false;
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
};

/* *ret_anon: what was found resident that is of no file, bytes. */
static int sum_all(struct vmt_proc_task *task, struct vmt_job *job,
		   const struct vmt_residency_ctx *ctx, struct sums *sums, unsigned *doubts,
		   uint64_t *ret_anon)
{
	uint64_t anon = 0;
	size_t i, k, n;
	int r;

	*ret_anon = UINT64_MAX;
	for (i = 0; i < task->n_maps; i += n) {
		n = task->n_maps - i < SUMS ? task->n_maps - i : SUMS;
		memset(sums->sum, 0, n * sizeof(sums->sum[0]));
		r = vmt_residency_sum(ctx, &task->maps[i], n, sums->sum, sums->skipped, doubts);
		if (r < 0)
			return r;
		pthread_mutex_lock(&task->lock);
		for (k = 0; k < n; k++) {
			struct vmt_map *m = &task->maps[i + k];

			if (sums->skipped[k])
				continue;
			vmt_residency_store(ctx, &sums->sum[k], m, doubts);
			anon += VMT_HAS(map, anonymous_bytes, m) ? m->anonymous_bytes : 0;
		}
		pthread_mutex_unlock(&task->lock);
		if (i + n < task->n_maps && vmt_job_expired(job))
			return -ETIMEDOUT;
	}
	*ret_anon = anon;
	return 0;
}

void vmt_proc_drop_residency(struct vmt_proc_task *task)
{
	bool by_smaps = task->read[VMT_SOURCE_SMAPS].tried;
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

/* All mappings: by what is absent where that can be checked, which is the cheaper for most, and
 * where it was not true, by what is there. */
static int sum_whole(struct vmt_proc_task *task, struct vmt_job *job, struct vmt_residency_ctx *ctx,
		     struct vmt_proc_whole *whole, struct sums *sums, unsigned *doubts)
{
	const struct vmt_pagemap_facts *facts = ctx->pm->facts;
	uint64_t anon;
	int r;

	ctx->absent = !ctx->words && !ctx->pm->gentle && facts->scan_absent && facts->anon_exact;
	for (;;) {
		r = sum_all(task, job, ctx, sums, doubts, &anon);
		if (r < 0 && !ctx->absent)
			return r;
		whole->known = r == 0 &&
			       vmt_proc_space_now(task->shared->root, whole->dir_fd, &whole->now);
		if (!ctx->absent || is_plausible(whole, anon))
			return r;
		vmt_proc_drop_residency(task);
		if (r < 0)
			return r;
		ctx->absent = false;
	}
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
