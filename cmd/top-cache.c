/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-cache.h"

#include <stdlib.h>

#include "source/collect-cache.h"
#include "source/collect-inodes.h"

/* A walk is done again once its time is not more than a hundredth of what has passed. */
#define BUDGET UINT64_C(100)

void vmt_top_cache_done(struct vmt_top_cache *c)
{
	vmt_sample_free(c->found);
	*c = (struct vmt_top_cache){ 0 };
}

struct ranked {
	uint64_t cached;
	size_t row;
};

static int larger_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->cached != y->cached)
		return x->cached < y->cached ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

/* What the walk does not tell, of the n largest files. 0 or -ENOMEM. */
static int ask_largest(struct vmt_run *run, struct vmt_sample *s, size_t n)
{
	size_t all = s->cache.n_files, i;
	VMT_AUTO_FREE struct ranked *ranked = calloc(all + 1, sizeof(*ranked));
	VMT_AUTO_FREE size_t *rows = calloc(all + 1, sizeof(*rows));

	if (!ranked || !rows)
		return -ENOMEM;
	for (i = 0; i < all; i++) {
		const struct vmt_cached_file *f = &s->cache.files[i];

		ranked[i].row = i;
		ranked[i].cached = VMT_HAS(cached_file, cached_bytes, f) ? f->cached_bytes : 0;
	}
	qsort(ranked, all, sizeof(*ranked), larger_first);
	n = n < all ? n : all;
	for (i = 0; i < n; i++)
		rows[i] = ranked[i].row;
	return vmt_collect_cache_rest(run->collector, s, rows, n);
}

static int walk(struct vmt_top_cache *c, struct vmt_run *run, struct vmt_ctx *ctx, size_t named)
{
	const struct vmt_inode_opts opts = { .mapped = true };
	uint64_t before = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct vmt_err err = { 0 };
	VMT_AUTO_SAMPLE s = NULL;
	static const uint64_t none = 0;
	int r = vmt_collect(run->collector, VMT_SOURCE_BIT(MEMINFO), &none, 0, &s, &err);

	if (r < 0)
		return vmt_complain_err(ctx, &err);
	r = vmt_collect_inodes(run->collector, s, &opts);
	if (r == 0)
		r = ask_largest(run, s, named);
	if (r < 0)
		return vmt_no_memory(ctx);
	vmt_sample_free(c->found);
	c->found = VMT_STEAL(s);
	c->found_ns = vmt_now_ns(CLOCK_MONOTONIC);
	c->took_ns = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	return 0;
}

int vmt_top_cache_sample(struct vmt_top_cache *c, struct vmt_run *run, struct vmt_ctx *ctx,
			 size_t named)
{
	struct vmt_sample *to = run->sample;
	const struct vmt_sample *from;
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);
	int r = 0;

	if (!c->found || now - c->found_ns >= c->took_ns * BUDGET)
		r = walk(c, run, ctx, named);
	if (r)
		return r;
	from = c->found;
	to->cache = from->cache;
	to->cache.files = calloc(from->cache.n_files + 1, sizeof(*to->cache.files));
	if (!to->cache.files) {
		to->cache = (struct vmt_cache_sample){ 0 };
		return vmt_no_memory(ctx);
	}
	to->cache.cap_files = from->cache.n_files + 1;
	/* The texts of the rows stay those of the walk, which outlives this sample. */
	if (from->cache.n_files)
		memcpy(to->cache.files, from->cache.files,
		       from->cache.n_files * sizeof(*to->cache.files));
	to->sources[VMT_SOURCE_INODES] = from->sources[VMT_SOURCE_INODES];
	to->sources[VMT_SOURCE_CACHESTAT] = from->sources[VMT_SOURCE_CACHESTAT];
	return 0;
}
