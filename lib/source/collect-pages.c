/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-pages.h"

#include <errno.h>

#include "source/collect-private.h"
#include "source/pids.h"
#include "source/residency.h"

#define RUNS   ((size_t)4 * VMT_PAGE_RUNS_MIN)
#define FRAMES ((size_t)4096)

/*
 * What the jobs for one process share. They run one after the other; whoever reads and is left
 * behind keeps it, and the one who asked never looks at it again.
 */
struct space {
	unsigned refs;
	struct vmt_proc_shared *shared;
	struct vmt_physical *physical; /* may be NULL */
	uint64_t pid;
	uint64_t start_time_ns;
	bool check_start;
	int pagemap_fd;
	struct vmt_page_map *maps;
	size_t n_maps;
	uint64_t start;
	uint64_t end;
	struct vmt_page_reader rd;
	/* Where to go on. */
	size_t map;
	uint64_t at;
	bool done;
	bool left_out; /* mappings that are too long */
	int count_error; /* why kpagecount or kpageflags could not be opened */
	int flags_error;
	uint64_t cpu_ns; /* of the last job */
};

static void space_unref(struct space *sp)
{
	if (!sp || __atomic_sub_fetch(&sp->refs, 1, __ATOMIC_ACQ_REL))
		return;
	vmt_closep(&sp->pagemap_fd);
	vmt_closep(&sp->rd.counts.fd);
	vmt_closep(&sp->rd.flags.fd);
	free(sp->rd.pm.words);
	free(sp->rd.counts.buf);
	free(sp->rd.flags.buf);
	free(sp->rd.runs);
	free(sp->maps);
	vmt_physical_unref(sp->physical);
	vmt_proc_shared_unref(sp->shared);
	free(sp);
}

static void space_unrefp(struct space **sp)
{
	space_unref(*sp);
}

/* Whether looking at all of it takes so long that it would be felt (VMT_GENTLE_BYTES). */
static bool is_large(const struct vmt_pages_opts *opts)
{
	uint64_t bytes = 0;
	size_t i;

	/* Ranges do not overlap, and the kernel's half has one page. */
	for (i = 0; i < opts->n_maps && bytes < VMT_GENTLE_BYTES; i++) {
		const struct vmt_map *m = &opts->maps[i];
		uint64_t start = m->start > opts->start ? m->start : opts->start;
		uint64_t end = m->end < opts->end ? m->end : opts->end;

		bytes += end > start ? end - start : 0;
	}
	return bytes >= VMT_GENTLE_BYTES;
}

static struct space *space_new(struct vmt_proc_shared *shared, const struct vmt_proc *p,
			       const struct vmt_pages_opts *opts, struct vmt_physical *physical)
{
	VMT_CLEANUP(space_unrefp) struct space *sp = calloc(1, sizeof(*sp));
	size_t i;

	if (!sp)
		return NULL;
	sp->refs = 1;
	sp->pagemap_fd = sp->rd.counts.fd = sp->rd.flags.fd = -1;
	__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
	sp->shared = shared;
	sp->physical = physical ? vmt_physical_ref(physical) : NULL;
	sp->pid = p->pid;
	sp->check_start = VMT_HAS(proc, start_time_ns, p);
	sp->start_time_ns = p->start_time_ns;
	sp->start = opts->start;
	sp->end = opts->end;
	sp->maps = calloc(opts->n_maps ? opts->n_maps : 1, sizeof(*sp->maps));
	sp->rd.pm.words = calloc(VMT_PAGE_WORDS, sizeof(uint64_t));
	sp->rd.runs = calloc(RUNS, sizeof(*sp->rd.runs));
	sp->rd.counts.buf = calloc(FRAMES, sizeof(uint64_t));
	sp->rd.flags.buf = calloc(FRAMES, sizeof(uint64_t));
	if (!sp->maps || !sp->rd.pm.words || !sp->rd.runs || !sp->rd.counts.buf ||
	    !sp->rd.flags.buf)
		return NULL;
	for (i = 0; i < opts->n_maps; i++)
		sp->maps[i] = vmt_page_map_of(&opts->maps[i]);
	sp->n_maps = opts->n_maps;
	sp->rd.pm.page_size = shared->root->page_size;
	sp->rd.pm.n_words = VMT_PAGE_WORDS;
	sp->rd.pm.gentle = is_large(opts);
	sp->rd.counts.n_buf = sp->rd.flags.n_buf = FRAMES;
	sp->rd.physical = sp->physical;
	sp->rd.want = opts->want;
	sp->rd.cap_runs = RUNS;
	return VMT_STEAL(sp);
}

static int open_kpage(const struct vmt_root *root, const char *name, int *ret_fd)
{
	*ret_fd = vmt_open_at(root->proc_fd, name);
	return *ret_fd < 0 ? *ret_fd : 0;
}

/* Opens the files, once; the process is the one that was meant. */
static int open_files(struct space *sp)
{
	const struct vmt_root *root = sp->shared->root;
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_CLOSE int task = -1;
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	int r;

	if (sp->pagemap_fd >= 0)
		return 0;
	dir = vmt_root_open_pid(root, sp->pid);
	if (dir < 0)
		return dir;
	r = (int)vmt_slurp_at(dir, "stat", &buf, 64 * 1024);
	if (r <= 0)
		return r == 0 || r == -ENOENT ? -ESRCH : r;
	r = vmt_pid_stat_parse((struct vmt_bytes){ buf.data, buf.len }, root->user_hz, NULL, &p,
			       &facts, NULL);
	if (r < 0)
		return r;
	if (sp->check_start && p.start_time_ns != sp->start_time_ns)
		return -ESRCH;
	if (vmt_pid_is_headless(&p)) {
		task = vmt_pid_open_live_task(dir, sp->pid);
		if (task < 0)
			return task;
	}
	sp->pagemap_fd = vmt_open_at(task >= 0 ? task : dir, "pagemap");
	if (sp->pagemap_fd < 0)
		/* A recording has none, which is not the end of the process. */
		return sp->pagemap_fd == -ESRCH ? -ENOENT : sp->pagemap_fd;
	sp->rd.pm.fd = sp->pagemap_fd;
	sp->rd.pm.facts = vmt_proc_shared_pagemap(sp->shared);
	sp->rd.swap_in_use = !root->live || vmt_swap_in_use();
	if (sp->rd.want & VMT_PAGES_COUNT)
		sp->count_error = open_kpage(root, "kpagecount", &sp->rd.counts.fd);
	if (sp->rd.want & VMT_PAGES_FLAGS)
		sp->flags_error = open_kpage(root, "kpageflags", &sp->rd.flags.fd);
	return 0;
}

/* The next mapping that has something inside the range, from sp->map and sp->at on. */
static bool next_part(struct space *sp, uint64_t *ret_end)
{
	for (; sp->map < sp->n_maps; sp->map++) {
		const struct vmt_page_map *m = &sp->maps[sp->map];
		uint64_t end = m->end < sp->end ? m->end : sp->end;

		if (sp->at < m->start)
			sp->at = m->start;
		if (sp->at < sp->start)
			sp->at = sp->start;
		/* The page of vsyscall is the kernel's: it has no word. */
		if (m->end > INT64_MAX || sp->at >= end)
			continue;
		*ret_end = end;
		return true;
	}
	return false;
}

static int run(struct vmt_job *job, void *ctx)
{
	uint64_t cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID), end, next;
	struct space *sp = *(struct space **)ctx;
	int r;

	vmt_job_begin(job, VMT_SOURCE_WORDS);
	sp->rd.n_runs = 0;
	r = open_files(sp);
	while (r == 0) {
		if (!next_part(sp, &end)) {
			sp->done = true;
			break;
		}
		r = vmt_page_step(&sp->rd, (uint32_t)sp->map, &sp->maps[sp->map], sp->at, end,
				  &next);
		if (r == -E2BIG) {
			sp->left_out = true;
			next = end;
			r = 0;
		}
		if (r == 0)
			sp->at = next;
		/* What there is goes out; there will be another job for the rest. */
		if (r == -ENOBUFS || (r == 0 && vmt_job_expired(job))) {
			r = 0;
			break;
		}
	}
	sp->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	return r;
}

static void job_free(void *ctx)
{
	space_unref(*(struct space **)ctx);
	free(ctx);
}

static const struct vmt_job_type job_type = { .run = run, .free = job_free };

/* One job and how it ended. */
struct batch {
	int result;
	bool back; /* the space is ours again */
	struct vmt_stuck_list *stuck;
	const struct space *space;
};

static void batch_done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct batch *b = arg;

	(void)index;
	b->result = result;
	b->back = ctx != NULL;
	if (ctx || result != -ETIMEDOUT)
		return;
	if (vmt_grow(&b->stuck->items, &b->stuck->cap, b->stuck->n + 1, sizeof(*b->stuck->items)) <
	    0)
		return;
	b->stuck->items[b->stuck->n++] = (struct vmt_stuck){
		.pid = b->space->pid,
		.start_time_ns = b->space->start_time_ns,
		.job = vmt_job_ref(job),
	};
}

static int run_batch(struct vmt_collector *c, struct space *sp, struct batch *b)
{
	struct space **ctx = calloc(1, sizeof(struct space *));
	struct vmt_job *job;
	int r;

	if (!ctx)
		return -ENOMEM;
	__atomic_add_fetch(&sp->refs, 1, __ATOMIC_RELAXED);
	*ctx = sp;
	job = vmt_job_new(&job_type, ctx);
	if (!job)
		return -ENOMEM;
	*b = (struct batch){ .stuck = vmt_collector_stuck(c), .space = sp };
	r = vmt_pool_run(vmt_collector_pool(c), &job, 1, vmt_collector_deadline(c), batch_done, b);
	vmt_job_unref(job);
	return r;
}

static void add_kpage(struct vmt_source_stat *st, struct vmt_kpage *k)
{
	st->reads += k->reads;
	st->bytes += k->bytes;
	if (k->longest_ns > st->longest_ns)
		st->longest_ns = k->longest_ns;
	k->reads = k->bytes = k->longest_ns = 0;
}

/* The costs of a job. The processor time of the whole is that of the words. */
static void add_costs(struct vmt_sample *s, struct space *sp)
{
	struct vmt_source_stat *words = &s->sources[VMT_SOURCE_WORDS];
	struct vmt_pagemap *pm = &sp->rd.pm;

	words->reads += pm->reads;
	words->bytes += pm->bytes;
	words->cpu_ns += sp->cpu_ns;
	if (pm->longest_ns > words->longest_ns)
		words->longest_ns = pm->longest_ns;
	pm->reads = pm->bytes = pm->longest_ns = 0;
	add_kpage(&s->sources[VMT_SOURCE_KPAGECOUNT], &sp->rd.counts);
	add_kpage(&s->sources[VMT_SOURCE_KPAGEFLAGS], &sp->rd.flags);
}

static void failed(struct vmt_sample *s, const struct vmt_proc *p, enum vmt_source_id source,
		   int code)
{
	const char *hint = NULL;

	if (code == -ENOENT || code == -ENOTTY)
		hint = s->host.root.len ? "a recording does not have it" : NULL;
	else if (code == -EACCES || code == -EPERM)
		hint = source == VMT_SOURCE_WORDS
			       ? "not permitted for processes of other users; vmtop doctor says "
				 "what would change it"
			       : NULL;
	else if (code == -E2BIG)
		hint = "mappings of more than 2^20 pages were left out: this kernel has no "
		       "PAGEMAP_SCAN (Linux 6.7)";
	else if (code == -ETIMEDOUT)
		hint = "the reader sleeps in the kernel: the process holds its address space, "
		       "perhaps for a file system that does not answer";
	vmt_sample_failed(s, source, p->pid, p->comm, code, hint);
}

static void no_frames(struct vmt_sample *s, const struct vmt_proc *p)
{
	/* Once in a sample, however many ranges are read. */
	if (s->sources[VMT_SOURCE_WORDS].denied == 0)
		vmt_sample_failed(s, VMT_SOURCE_WORDS, p->pid, p->comm, -EPERM,
				  "frames are shown to CAP_SYS_ADMIN alone: what hangs on them is "
				  "unknown");
}

int vmt_collect_pages(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		      const struct vmt_pages_opts *opts, struct vmt_physical *physical,
		      int (*fn)(const struct vmt_page_run *runs, size_t n, void *arg), void *arg)
{
	const unsigned of_frames = VMT_PAGES_FRAME | VMT_PAGES_SWAP | VMT_PAGES_COUNT |
				   VMT_PAGES_FLAGS | VMT_PAGES_ZONE;
	const struct vmt_proc *p = &s->procs[index];
	VMT_CLEANUP(space_unrefp)
	struct space *sp = space_new(vmt_collector_shared(c), p, opts, physical);
	struct batch b;
	int r = 0;

	if (!sp)
		return -ENOMEM;
	while (!sp->done) {
		uint64_t at = sp->at;
		size_t map = sp->map;

		r = run_batch(c, sp, &b);
		if (r < 0)
			return r;
		r = b.result;
		if (!b.back) {
			/* Nobody may touch it but the reader that is in it. */
			failed(s, p, VMT_SOURCE_WORDS, r);
			return r;
		}
		add_costs(s, sp);
		if (sp->rd.n_runs) {
			int stop = fn(sp->rd.runs, sp->rd.n_runs, arg);

			if (stop)
				return stop;
		}
		if (r == 0 && !sp->done && sp->at == at && sp->map == map)
			r = -ETIMEDOUT;
		if (r < 0) {
			failed(s, p, VMT_SOURCE_WORDS, r);
			return r;
		}
	}
	if (opts->want & of_frames && !vmt_collect_has_frames(c)) {
		/* Once: nothing that hangs on frames can be known, whatever else is refused. */
		no_frames(s, p);
	} else {
		if (sp->count_error)
			failed(s, p, VMT_SOURCE_KPAGECOUNT, sp->count_error);
		if (sp->flags_error)
			failed(s, p, VMT_SOURCE_KPAGEFLAGS, sp->flags_error);
	}
	if (sp->left_out)
		failed(s, p, VMT_SOURCE_WORDS, -E2BIG);
	return sp->left_out ? -E2BIG : 0;
}

int vmt_collect_physical(struct vmt_collector *c, struct vmt_sample *s, unsigned want, bool region,
			 struct vmt_physical **ret)
{
	const struct {
		bool wanted;
		enum vmt_source_id source;
		int (*load)(struct vmt_physical *p, uint64_t *ret_bytes, struct vmt_err *err);
	} parts[] = {
		{ want & VMT_PAGES_ZONE, VMT_SOURCE_ZONEINFO, vmt_zones_load },
		{ region, VMT_SOURCE_IOMEM, vmt_iomem_load },
	};
	struct vmt_physical *p;
	size_t i;

	*ret = NULL;
	if (!parts[0].wanted && !parts[1].wanted)
		return 0;
	p = vmt_physical_new(vmt_collector_shared(c)->root);
	if (!p)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(parts); i++) {
		struct vmt_source_stat *st = &s->sources[parts[i].source];
		struct vmt_meter meter = vmt_meter_begin();
		struct vmt_err err = { 0 };
		uint64_t bytes = 0;
		int r;

		if (!parts[i].wanted)
			continue;
		r = parts[i].load(p, &bytes, &err);
		vmt_meter_end(&meter, st);
		if (r == 0) {
			st->reads++;
			st->bytes += bytes;
			continue;
		}
		r = vmt_machine_failed(s, parts[i].source, r, &err);
		if (r < 0) {
			vmt_physical_unref(p);
			return r;
		}
	}
	*ret = p;
	return 0;
}

struct one_page {
	struct vmt_page_run run;
	bool has;
};

static int take_page(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct one_page *one = arg;

	if (n) {
		one->run = runs[0];
		one->has = true;
	}
	return 0;
}

int vmt_collect_page(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		     const struct vmt_pages_opts *opts, struct vmt_physical *physical,
		     struct vmt_page_run *ret_run, bool *ret_has)
{
	struct one_page one = { 0 };
	int r = vmt_collect_pages(c, s, index, opts, physical, take_page, &one);

	*ret_run = one.run;
	*ret_has = one.has;
	return r;
}

bool vmt_collect_has_frames(struct vmt_collector *c)
{
	return vmt_proc_shared_pagemap(vmt_collector_shared(c))->frames;
}

bool vmt_collect_has_soft_dirty(struct vmt_collector *c)
{
	return vmt_proc_shared_pagemap(vmt_collector_shared(c))->soft_dirty;
}
