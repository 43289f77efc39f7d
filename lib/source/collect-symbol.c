/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-symbol.h"

#include <errno.h>

#include "source/collect-private.h"
#include "source/mapped-file.h"

/* Owned by the job: the one who asked may be gone when the file system answers. */
struct task {
	struct vmt_proc_shared *shared;
	uint64_t pid;
	struct vmt_arena arena;
	struct vmt_map map;
	uint64_t offset; /* in the file */
	struct vmt_symbol symbol;
	uint64_t cpu_ns;
	uint64_t longest_ns;
};

static int run(struct vmt_job *job, void *ctx)
{
	struct task *t = ctx;
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_CLOSE int fd = -1;
	int r;

	vmt_job_begin(job, VMT_SOURCE_ELF);
	dir = vmt_root_open_pid(t->shared->root, t->pid);
	if (dir < 0)
		return dir;
	fd = vmt_mapped_file_open(dir, &t->map);
	r = fd < 0 ? fd : vmt_symbol_find(fd, t->offset, &t->symbol);
	t->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	t->longest_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	return r;
}

static void task_free(void *ctx)
{
	struct task *t = ctx;

	vmt_proc_shared_unref(t->shared);
	vmt_arena_done(&t->arena);
	free(t);
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

struct answer {
	int result;
	struct vmt_symbol *symbol;
	struct vmt_source_stat *stat;
};

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct answer *a = arg;
	const struct task *t = ctx;

	(void)index;
	(void)job;
	a->result = result;
	if (!t)
		return;
	a->stat->reads++;
	a->stat->bytes_unknown = true;
	a->stat->cpu_ns += t->cpu_ns;
	if (t->longest_ns > a->stat->longest_ns)
		a->stat->longest_ns = t->longest_ns;
	if (result == 0)
		*a->symbol = t->symbol;
}

static struct vmt_job *new_job(struct vmt_proc_shared *shared, uint64_t pid,
			       const struct vmt_map *m, uint64_t address)
{
	struct task *t = calloc(1, sizeof(*t));
	const char *path, *device;

	if (!t)
		return NULL;
	__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
	t->shared = shared;
	t->pid = pid;
	vmt_arena_init(&t->arena);
	/* The strings that opening the file looks at; the others stay the sample's. */
	VMT_SET(map, start, &t->map, m->start);
	VMT_SET(map, end, &t->map, m->end);
	VMT_SET(map, inode, &t->map, m->inode);
	path = vmt_arena_copy(&t->arena, m->path.ptr, m->path.len);
	device = vmt_arena_copy(&t->arena, m->device.ptr, m->device.len);
	if (!path || !device) {
		task_free(t);
		return NULL;
	}
	VMT_SET(map, path, &t->map, ((struct vmt_bytes){ path, m->path.len }));
	if (VMT_HAS(map, path_ambiguous, m))
		VMT_SET(map, path_ambiguous, &t->map, m->path_ambiguous);
	VMT_SET(map, device, &t->map, ((struct vmt_bytes){ device, m->device.len }));
	t->offset = m->offset_bytes + (address - m->start);
	return vmt_job_new(&job_type, t);
}

int vmt_collect_symbol(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		       const struct vmt_map *m, uint64_t address, struct vmt_symbol *ret)
{
	const struct vmt_proc *p = &s->procs[index];
	struct answer a = { .symbol = ret, .stat = &s->sources[VMT_SOURCE_ELF] };
	struct vmt_job *job = new_job(vmt_collector_shared(c), p->pid, m, address);
	int r;

	if (!job)
		return -ENOMEM;
	r = vmt_pool_run(vmt_collector_pool(c), &job, 1, vmt_collector_deadline(c), done, &a);
	vmt_job_unref(job);
	if (r < 0)
		return r;
	/* A file that is none of ELF, or no segment of it, has no symbols: no failure. */
	if (a.result < 0 && a.result != -ENOEXEC && a.result != -ENOENT)
		vmt_sample_failed(s, VMT_SOURCE_ELF, p->pid, p->comm, a.result, NULL);
	return a.result;
}
