/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/peak.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "model/rows.h"
#include "source/pids.h"

/*
 * Between two samples: an eighth of the time since the first, so that a short command is seen in
 * more than its first moment; then LEAST_NS, or SHARE times what a sample costs.
 */
#define FIRST_NS UINT64_C(250000)
#define LEAST_NS UINT64_C(5000000)
#define MOST_NS	 UINT64_C(1000000000)
#define SHARE	 50

/* A tree of more processes is looked at in part. */
#define PROCS_MAX    4096
#define CHILDREN_MAX ((size_t)1 << 20)

struct vmt_peak {
	struct vmt_root *root;
	uint64_t pid;
	uint64_t *pids; /* those of a sample */
	size_t n;
	size_t cap;
	struct vmt_buf buf;
	struct vmt_peak_sum sum;
};

int vmt_peak_new(uint64_t pid, struct vmt_peak **ret, struct vmt_err *err)
{
	struct vmt_peak *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	p->pid = pid;
	vmt_buf_init(&p->buf);
	r = vmt_root_open(NULL, &p->root, err);
	if (r < 0) {
		vmt_peak_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void vmt_peak_free(struct vmt_peak *p)
{
	if (!p)
		return;
	vmt_root_unref(p->root);
	vmt_buf_done(&p->buf);
	free(p->pids);
	free(p);
}

int vmt_peak_start(struct vmt_peak *p, uint64_t *ret_minor, uint64_t *ret_major,
		   uint64_t *ret_hwm_bytes)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc proc = { 0 };
	int r;

	vmt_arena_init(&arena);
	r = vmt_pid_read(p->root, p->pid, VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(STATUS), &arena,
			 &proc, &facts, NULL);
	if (r < 0)
		return r;
	if (!VMT_HAS(proc, minor_faults_total, &proc) || !VMT_HAS(proc, peak_rss_bytes, &proc))
		return -EINVAL;
	*ret_minor = proc.minor_faults_total;
	*ret_major = proc.major_faults_total;
	*ret_hwm_bytes = proc.peak_rss_bytes;
	return 0;
}

static int add_pid(struct vmt_peak *p, uint64_t pid)
{
	if (p->n == PROCS_MAX)
		return 0;
	if (vmt_grow(&p->pids, &p->cap, p->n + 1, sizeof(*p->pids)))
		return -ENOMEM;
	p->pids[p->n++] = pid;
	return 0;
}

/* The children that one thread has: numbers with blanks behind them. */
static int add_children_of(struct vmt_peak *p, int task_fd, const char *tid)
{
	char path[NAME_MAX + sizeof("/children")];
	struct vmt_bytes cur;
	uint64_t pid;
	int64_t n;
	int r = 0;

	snprintf(path, sizeof(path), "%s/children", tid);
	vmt_buf_clear(&p->buf);
	n = vmt_slurp_at(task_fd, path, &p->buf, CHILDREN_MAX);
	if (n < 0)
		return (int)n;
	p->sum.reads++;
	p->sum.bytes += (uint64_t)n;
	cur = (struct vmt_bytes){ p->buf.data, p->buf.len };
	while (r == 0 && (vmt_take_blanks(&cur), vmt_take_u64(&cur, &pid) == 0))
		r = add_pid(p, pid);
	return r;
}

/* Whether that is how a process or thread that ended answers. */
static bool is_gone(int code)
{
	return code == -ESRCH || code == -ENOENT;
}

static void add_children(struct vmt_peak *p, int pid_fd)
{
	int fd = vmt_open_dir_at(pid_fd, "task");
	struct dirent *e;
	bool first = true;
	DIR *dir;

	if (fd < 0) {
		p->sum.missed |= !is_gone(fd);
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		p->sum.missed = true;
		close(fd);
		return;
	}
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		uint64_t tid;
		int r;

		if (vmt_parse_pid(e->d_name, &tid) < 0)
			continue;
		/* A thread may have ended; where no thread has the file, the kernel has it not. */
		r = add_children_of(p, dirfd(dir), e->d_name);
		p->sum.missed |= r < 0 && !is_gone(r);
		if (is_gone(r) && first && faccessat(dirfd(dir), e->d_name, F_OK, 0) == 0)
			p->sum.alone = true;
		first = false;
	}
	p->sum.missed |= errno && errno != ENOENT;
	closedir(dir);
}

static uint64_t known(bool has, uint64_t v)
{
	return has ? v : 0;
}

/* Adds what one process has to the sum of the sample. */
static void look_at(struct vmt_peak *p, uint64_t pid, uint64_t now, uint64_t *ret_sum)
{
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(p->root, pid);
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_peak_look *best = &p->sum.largest;
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc proc = { 0 };
	struct vmt_peak_look look;
	uint64_t rss;
	int r = fd;

	vmt_arena_init(&arena);
	vmt_buf_clear(&p->buf);
	if (r >= 0)
		r = vmt_pid_read_file(p->root, fd, "status", NULL, VMT_SOURCE_STATUS, &p->buf,
				      &arena, &proc, &facts, NULL);
	if (r < 0) {
		p->sum.missed |= !is_gone(r);
		return;
	}
	p->sum.reads += facts.status.reads;
	p->sum.bytes += facts.status.bytes;
	if (!p->sum.alone)
		add_children(p, fd);
	/* What has ended has no memory. */
	if (!facts.has_mm || !VMT_HAS(proc, anonymous_bytes, &proc))
		return;
	look = (struct vmt_peak_look){
		.pid = pid,
		.anon_bytes = proc.anonymous_bytes,
		.file_bytes = known(VMT_HAS(proc, file_bytes, &proc), proc.file_bytes),
		.shmem_bytes = known(VMT_HAS(proc, shmem_bytes, &proc), proc.shmem_bytes),
		.at_ns = now,
	};
	look.comm_len = proc.comm.len < sizeof(look.comm) ? proc.comm.len : sizeof(look.comm);
	memcpy(look.comm, proc.comm.ptr, look.comm_len);
	rss = look.anon_bytes + look.file_bytes + look.shmem_bytes;
	*ret_sum += rss;
	if (rss > best->anon_bytes + best->file_bytes + best->shmem_bytes)
		*best = look;
}

uint64_t vmt_peak_sample(struct vmt_peak *p)
{
	uint64_t began = vmt_now_ns(CLOCK_MONOTONIC), cpu = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t sum = 0, took, wait;
	size_t i;

	p->n = 0;
	(void)add_pid(p, p->pid);
	/* Children are added behind those that are looked at. */
	for (i = 0; i < p->n; i++)
		look_at(p, p->pids[i], began, &sum);
	if (sum) {
		p->sum.samples++;
		if (!p->sum.first_ns)
			p->sum.first_ns = began;
		p->sum.last_ns = began;
	}
	if (sum > p->sum.tree_bytes)
		p->sum.tree_bytes = sum;
	cpu = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	took = vmt_now_ns(CLOCK_MONOTONIC) - began;
	p->sum.cpu_ns += cpu;
	if (took > p->sum.longest_ns)
		p->sum.longest_ns = took;
	wait = p->sum.first_ns ? (began - p->sum.first_ns) / 8 : 0;
	if (wait >= LEAST_NS)
		wait = cpu * SHARE < LEAST_NS ? LEAST_NS : cpu * SHARE;
	return began + (wait < FIRST_NS ? FIRST_NS : wait > MOST_NS ? MOST_NS : wait);
}

void vmt_peak_read(const struct vmt_peak *p, struct vmt_peak_sum *ret)
{
	*ret = p->sum;
}
