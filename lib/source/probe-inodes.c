/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-inodes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/probe-load.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "inodes.skel.h"
#pragma GCC diagnostic pop

/* What one run may take, during which nothing else runs on that processor where the kernel does not
 * preempt itself. */
#define RUN_NS	     UINT64_C(1000000)
#define RESTARTS_MAX 8u

struct table {
	const unsigned char *base;
	size_t stride;
	size_t bytes;
};

struct vmt_inodes {
	struct vmt_inodes_bpf *skeleton;
	struct table out;
	struct table supers;
	size_t n_supers;
	struct vmt_inodes_stats stats;
	bool mappings;
	bool files;
	struct bpf_link *live[2];
};

static int map_table(struct bpf_map *map, struct table *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8;
	size_t bytes = (stride * bpf_map__max_entries(map) + page - 1) / page * page;
	void *base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	if (base == MAP_FAILED)
		return -errno;
	*ret = (struct table){ base, stride, bytes };
	return 0;
}

static void unmap_table(struct table *t)
{
	if (t->base)
		munmap((void *)(uintptr_t)t->base, t->bytes);
}

void vmt_inodes_free(struct vmt_inodes *x)
{
	if (!x)
		return;
	vmt_inodes_live_stop(x);
	unmap_table(&x->out);
	unmap_table(&x->supers);
	vmt_inodes_bpf__destroy(x->skeleton);
	free(x);
}

static void freep(struct vmt_inodes **x)
{
	vmt_inodes_free(*x);
}

static int configure(struct vmt_inodes *x, const struct vmt_inodes_opts *opts)
{
	struct vmt_inodes_bpf *s = x->skeleton;
	int r = 0;

	bpf_program__set_autoload(s->progs.used_by_mapping, x->mappings);
	bpf_program__set_autoload(s->progs.used_by_file, x->files);
	if (!x->mappings && !x->files) {
		r = bpf_map__set_max_entries(s->maps.used, 1);
		r = r ?: bpf_map__set_max_entries(s->maps.used_index, 1);
	}
	bpf_program__set_autoload(s->progs.page_added, opts->live);
	bpf_program__set_autoload(s->progs.page_deleted, opts->live);
	if (!opts->live)
		r = r ?: bpf_map__set_max_entries(s->maps.churn, 1);
	s->rodata->vmt_live = opts->live;
	s->rodata->vmt_filter_on = opts->pids != NULL;
	r = r ?: bpf_map__set_max_entries(s->maps.filter, opts->n_pids ? (__u32)opts->n_pids : 1);
	return r;
}

static int load_once(struct vmt_inodes *x, const struct vmt_inodes_opts *opts)
{
	int r;

	x->skeleton = vmt_inodes_bpf__open();
	if (!x->skeleton)
		return errno ? -errno : -ENOMEM;
	r = configure(x, opts);
	r = r ?: vmt_inodes_bpf__load(x->skeleton);
	r = r ?: vmt_probe_has_bss(x->skeleton->bss);
	if (r)
		vmt_inodes_bpf__destroy(VMT_STEAL(x->skeleton));
	return r;
}

/* What only counts users is not to cost the rest: a kernel without an iterator refuses its program,
 * and all of the object with it. To ask its BTF first would cost each run of newer ones a tenth of
 * a second. */
static int load(struct vmt_inodes *x, const struct vmt_inodes_opts *opts)
{
	int r;

	x->mappings = opts->mappings;
	x->files = opts->files;
	r = load_once(x, opts);
	if (r && r != -EPERM && x->mappings) {
		x->mappings = false;
		r = load_once(x, opts);
	}
	if (r && r != -EPERM && x->files) {
		x->files = false;
		r = load_once(x, opts);
	}
	return r;
}

int vmt_inodes_open(const struct vmt_inodes_opts *opts, struct vmt_inodes **ret,
		    struct vmt_err *err)
{
	VMT_CLEANUP(freep) struct vmt_inodes *x = calloc(1, sizeof(*x));
	const __u8 one = 1;
	size_t i;
	int r;

	if (!x)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	vmt_probe_silence();
	r = load(x, opts);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "%s", vmt_probe_explain(r));
	for (i = 0; r == 0 && i < opts->n_pids; i++) {
		const __u32 pid = (__u32)opts->pids[i];

		if (bpf_map_update_elem(bpf_map__fd(x->skeleton->maps.filter), &pid, &one, BPF_ANY))
			r = -errno;
	}
	r = r ?: map_table(x->skeleton->maps.out, &x->out);
	r = r ?: map_table(x->skeleton->maps.supers, &x->supers);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "cannot fill or map a table");
	x->skeleton->bss->walk.limit_ns = RUN_NS;
	x->skeleton->bss->walk.least_pages = 1;
	*ret = VMT_STEAL(x);
	return 0;
}

bool vmt_inodes_has_mappings(const struct vmt_inodes *x)
{
	return x->mappings;
}

bool vmt_inodes_has_files(const struct vmt_inodes *x)
{
	return x->files;
}

int vmt_inodes_live_start(struct vmt_inodes *x, struct vmt_err *err)
{
	const struct bpf_program *programs[] = { x->skeleton->progs.page_added,
						 x->skeleton->progs.page_deleted };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(programs); i++) {
		x->live[i] = bpf_program__attach_trace(programs[i]);
		if (libbpf_get_error(x->live[i])) {
			int r = errno ? -errno : -EINVAL;

			x->live[i] = NULL;
			vmt_inodes_live_stop(x);
			return vmt_err_set(err, r, NULL, 0, "--live: %s", vmt_probe_explain(r));
		}
	}
	return 0;
}

void vmt_inodes_live_stop(struct vmt_inodes *x)
{
	bool any = false;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(x->live); i++) {
		any = any || x->live[i];
		if (x->live[i])
			bpf_link__destroy(x->live[i]);
		x->live[i] = NULL;
	}
	if (!any)
		return;
	/* Programs that began before have ended then. */
	vmt_probe_wait();
	x->stats.added = x->skeleton->bss->walk.added;
	x->stats.deleted = x->skeleton->bss->walk.deleted;
	x->stats.churn_lost = x->skeleton->bss->walk.churn_lost;
}

/* An iterator. The descriptor keeps its program and the tables of that, and is all that a reader
 * has of us. */
struct iter {
	int fd;
};

static void iter_free(void *ctx)
{
	struct iter *it = ctx;

	if (it->fd >= 0)
		close(it->fd);
	free(it);
}

/* Reads it to its end; its program puts out nothing. */
static int iter_run(struct vmt_job *job, void *ctx)
{
	const struct iter *it = ctx;
	char byte;
	ssize_t n;

	for (;;) {
		n = read(it->fd, &byte, sizeof(byte));
		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (vmt_job_expired(job))
			return -ETIMEDOUT;
		/* After a million objects it says EAGAIN, and goes on. */
		if (n < 0 && errno == EAGAIN)
			vmt_job_go_on(job);
	}
}

static const struct vmt_job_type iter_type = { .run = iter_run, .free = iter_free };

static void iter_done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	int *ret = arg;

	(void)index;
	(void)job;
	(void)ctx;
	*ret = result;
}

/* Runs an iterator to its end, in a reader: the mappings of a process are read under its mmap_lock,
 * for which who waits can wait for ever. -ETIMEDOUT and the like: vmt_pool_run(). */
static int drive(const struct bpf_program *prog, struct vmt_pool *pool, uint64_t deadline_ns)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	struct iter *it = NULL;
	struct vmt_job *job;
	int result = 0, r = 0;

	if (libbpf_get_error(link))
		return errno ? -errno : -EINVAL;
	it = malloc(sizeof(*it));
	if (!it) {
		r = -ENOMEM;
	} else {
		it->fd = bpf_iter_create(bpf_link__fd(link));
		r = it->fd < 0 ? -errno : 0;
	}
	bpf_link__destroy(link);
	if (r) {
		free(it);
		return r;
	}
	job = vmt_job_new(&iter_type, it);
	if (!job)
		return -ENOMEM;
	r = vmt_pool_run(pool, &job, 1, deadline_ns, iter_done, &result);
	vmt_job_unref(job);
	return r < 0 ? r : result;
}

/* Whether that is time, or readers, that were not there. */
static bool is_late(int r)
{
	return r == -ETIMEDOUT || r == -ECANCELED || r == -EBUSY || r == -EAGAIN;
}

int vmt_inodes_count_users(struct vmt_inodes *x, struct vmt_pool *pool, uint64_t deadline_ns,
			   struct vmt_err *err)
{
	volatile struct vmt_inode_walk *w = &x->skeleton->bss->walk;
	int r = 0;

	/* Files first: they are behind no lock that is slept for, and an iterator that was left
	 * behind is to be the last. */
	if (x->files)
		r = drive(x->skeleton->progs.used_by_file, pool, deadline_ns);
	if (is_late(r)) {
		x->files = x->mappings = false;
	} else if (r == 0 && x->mappings) {
		r = drive(x->skeleton->progs.used_by_mapping, pool, deadline_ns);
		if (is_late(r))
			x->mappings = false;
	}
	/* Should it come back, it counts no more. */
	w->users_over = 1;
	if (is_late(r)) {
		x->stats.users_late = true;
		r = 0;
	}
	x->stats.used_lost = w->used_lost;
	if (r)
		return vmt_err_set(err, r, NULL, 0, "an iterator does not run: %s",
				   vmt_probe_explain(r));
	return 0;
}

/* Runs a program once, in this thread. */
static int run(struct vmt_inodes *x, const struct bpf_program *prog, struct vmt_err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int r = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	uint64_t took;

	if (r) {
		r = errno ? -errno : r;
		return vmt_err_set(err, r, NULL, 0, "a program does not run: %s",
				   vmt_probe_explain(r));
	}
	took = x->skeleton->bss->walk.took_ns;
	x->stats.runs++;
	x->stats.took_ns += took;
	if (took > x->stats.longest_ns)
		x->stats.longest_ns = took;
	return 0;
}

static int take_out(struct vmt_inodes *x, vmt_inodes_fn *fn, void *arg)
{
	uint32_t n = x->skeleton->bss->walk.n_out, i;
	int r = 0;

	for (i = 0; r >= 0 && i < n && i < VMT_INODE_OUT; i++)
		r = fn((const void *)(x->out.base + i * x->out.stride), arg);
	return r < 0 ? r : 0;
}

static bool is_over(uint64_t deadline_ns)
{
	return deadline_ns && vmt_probe_now() >= deadline_ns;
}

static const struct vmt_inode_super *super_at(const struct vmt_inodes *x, size_t i)
{
	return (const void *)(x->supers.base + i * x->supers.stride);
}

/* The superblocks, which are a list of some tens: it is read at one go, or anew. */
static int list_supers(struct vmt_inodes *x, struct vmt_err *err)
{
	volatile struct vmt_inode_walk *w = &x->skeleton->bss->walk;
	unsigned i;
	int r = 0;

	w->took_ns = 0;
	for (i = 0; r == 0 && i < RESTARTS_MAX; i++) {
		r = run(x, x->skeleton->progs.walk_supers, err);
		if (r == 0 && w->state == VMT_INODE_END)
			break;
	}
	if (r)
		return r;
	x->n_supers = w->n_supers < VMT_INODE_SUPERS ? (size_t)w->n_supers : VMT_INODE_SUPERS;
	x->stats.supers_cut = w->state != VMT_INODE_END;
	return x->n_supers ? 0
			   : vmt_err_set(err, -ENODATA, NULL, 0,
					 "the list of superblocks is not where it is looked for");
}

static int walk_super(struct vmt_inodes *x, const struct vmt_inode_super *s, uint64_t deadline_ns,
		      vmt_inodes_fn *fn, void *arg, struct vmt_err *err)
{
	volatile struct vmt_inode_walk *w = &x->skeleton->bss->walk;
	unsigned restarts = 0;
	uint64_t seen = 0, most = 0;
	int r = 0;

	w->super = s->address;
	w->at = 0;
	while (r == 0) {
		if (is_over(deadline_ns)) {
			x->stats.cut++;
			break;
		}
		r = run(x, x->skeleton->progs.walk_inodes, err);
		if (r)
			break;
		seen += w->seen;
		r = take_out(x, fn, arg);
		if (r < 0 || w->state == VMT_INODE_END || w->state == VMT_INODE_GONE)
			break;
		if (w->state != VMT_INODE_CHANGED)
			continue;
		most = seen > most ? seen : most;
		seen = 0;
		w->at = 0;
		x->stats.restarts++;
		if (++restarts == RESTARTS_MAX) {
			x->stats.cut++;
			break;
		}
	}
	x->stats.seen += seen > most ? seen : most;
	return r;
}

int vmt_inodes_all(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		   struct vmt_err *err)
{
	size_t i;
	int r = list_supers(x, err);

	for (i = 0; r == 0 && i < x->n_supers; i++)
		r = walk_super(x, super_at(x, i), deadline_ns, fn, arg, err);
	x->stats.supers = x->n_supers;
	return r;
}

int vmt_inodes_used(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		    struct vmt_err *err)
{
	volatile struct vmt_inode_walk *w = &x->skeleton->bss->walk;
	int r = list_supers(x, err);

	w->next_used = 0;
	while (r == 0) {
		if (is_over(deadline_ns)) {
			x->stats.cut++;
			break;
		}
		r = run(x, x->skeleton->progs.walk_used, err);
		if (r == 0)
			r = take_out(x, fn, arg);
		if (w->state == VMT_INODE_END)
			break;
	}
	return r;
}

const struct vmt_inode_super *vmt_inodes_super(const struct vmt_inodes *x, uint64_t address)
{
	size_t i;

	for (i = 0; i < x->n_supers; i++)
		if (super_at(x, i)->address == address)
			return super_at(x, i);
	return NULL;
}

void vmt_inodes_stats(const struct vmt_inodes *x, struct vmt_inodes_stats *ret)
{
	*ret = x->stats;
}
