/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <sys/mman.h>

#include "source/collect-private.h"
#include "source/maps.h"
#include "source/verify-read.h"

/* What the rollup has to find: so many mappings of so many pages, every other one read-only so that
 * they stay apart. */
#define MAPPINGS     512u
#define PAGES	     8u
#define THREADS	     2u
#define READS_LEAST  8u
#define ROLLUP_BYTES ((size_t)64 * 1024)

/* How hard to try. */
struct effort {
	unsigned reads;
	unsigned losses; /* that are enough */
	uint64_t limit_ns; /* once READS_LEAST were done */
};

static const struct effort thorough = { 60, 3, UINT64_C(600000000) };
static const struct effort quickly = { 60, 1, UINT64_C(250000000) };

static void *churn(void *arg)
{
	const bool *stop = arg;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		void *p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			munmap(p, page);
	}
	return NULL;
}

/* Rss of ourselves by smaps_rollup, bytes; 0 or -errno. */
static int rollup_rss(int dir_fd, struct vmt_buf *buf, uint64_t *ret)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_proc p = { 0 };
	int64_t n;
	int r;

	vmt_arena_init(&arena);
	vmt_buf_clear(buf);
	n = vmt_slurp_at(dir_fd, "smaps_rollup", buf, ROLLUP_BYTES);
	if (n <= 0)
		return n < 0 ? (int)n : -ENODATA;
	r = vmt_rollup_parse((struct vmt_bytes){ buf->data, buf->len }, &p, &arena, NULL, NULL);
	if (r < 0)
		return r;
	if (!VMT_HAS(proc, rollup_rss_bytes, &p))
		return -ENODATA;
	*ret = p.rollup_rss_bytes;
	return 0;
}

/* Mappings that cannot merge, each page of them there. */
static int make_mappings(char *base, size_t page)
{
	size_t i;

	madvise(base, MAPPINGS * PAGES * page, MADV_NOHUGEPAGE);
	for (i = 0; i < MAPPINGS * PAGES; i++)
		base[i * page] = 1;
	for (i = 0; i < MAPPINGS; i += 2)
		if (mprotect(base + i * PAGES * page, PAGES * page, PROT_READ) < 0)
			return -errno;
	return 0;
}

static void look(int dir_fd, uint64_t least, const struct effort *e, struct vmt_outcome *out)
{
	uint64_t begun = vmt_now_ns(CLOCK_MONOTONIC), rss;
	VMT_AUTO_BUF buf = { 0 };
	unsigned i;

	for (i = 0; i < e->reads && out->failed < e->losses; i++) {
		if (i >= READS_LEAST && vmt_now_ns(CLOCK_MONOTONIC) - begun > e->limit_ns)
			break;
		if (rollup_rss(dir_fd, &buf, &rss) < 0)
			continue;
		out->checked++;
		out->verdict = out->failed ? VMT_VERDICT_OFF : VMT_VERDICT_HOLDS;
		if (rss >= least)
			continue;
		out->verdict = VMT_VERDICT_OFF;
		out->failed++;
		if (-(int64_t)(least - rss) < out->off)
			out->off = -(int64_t)(least - rss);
	}
}

void vmt_verify_churn(struct vmt_collector *c, bool quick, struct vmt_outcome *out)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = MAPPINGS * PAGES * page;
	VMT_AUTO_CLOSE int fd = -1;
	VMT_AUTO_BUF buf = { 0 };
	pthread_t threads[THREADS];
	unsigned n = 0;
	uint64_t before;
	bool stop = false;
	char *base;

	*out = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
	if (!root->live)
		return;
	fd = vmt_root_open_pid(root, (uint64_t)getpid());
	if (fd < 0)
		return;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return;
	/* The threads only add; other parts of vmtop may give some pages back, but not as much as a
	 * fraction of what is there to be lost. */
	if (make_mappings(base, page) == 0 && rollup_rss(fd, &buf, &before) == 0) {
		while (n < THREADS && pthread_create(&threads[n], NULL, churn, &stop) == 0)
			n++;
		if (n)
			look(fd, before > size / 32 ? before - size / 32 : 0,
			     quick ? &quickly : &thorough, out);
		__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
		while (n)
			pthread_join(threads[--n], NULL);
	}
	munmap(base, size);
}
