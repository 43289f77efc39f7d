/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/same-mm.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "source/collect-private.h"
#include "source/pids.h"

/* A process that has an address space of its own, or of another one. */
struct member {
	uint64_t pid;
	uint64_t ppid;
	uint64_t start_time_ns;
	uint64_t vsize_bytes;
	size_t index; /* in the sample */
	size_t first; /* member with the same address space, itself or one before it */
	int code; /* 0, or why nothing is known of it */
	bool asked; /* about itself: it may be */
};

/* Owned by the job: the one who asked may be gone when the kernel answers. */
struct task {
	struct vmt_proc_shared *shared;
	struct member *members; /* in order of pid */
	size_t n;
	uint64_t calls;
	uint64_t cpu_ns;
	uint64_t wall_ns;
};

/* The order of two address spaces, which the kernel makes up: 0 where they are one, 1 or 2 where
 * not, or -errno. */
static int compare(struct task *t, const struct member *a, const struct member *b)
{
	long r = syscall(SYS_kcmp, (pid_t)a->pid, (pid_t)b->pid, KCMP_VM, 0, 0);

	t->calls++;
	return r < 0 ? -errno : (int)r;
}

/* Whether we may ask about it at all: then a refusal later has to do with the other one. */
static bool may_ask(struct task *t, struct member *m)
{
	int r;

	if (!m->asked) {
		r = compare(t, m, m);
		m->code = r < 0 ? r : 0;
		m->asked = true;
	}
	return m->code == 0;
}

static size_t find(struct task *t, size_t i)
{
	while (t->members[i].first != i)
		i = t->members[i].first = t->members[t->members[i].first].first;
	return i;
}

static void join(struct task *t, size_t a, size_t b)
{
	a = find(t, a);
	b = find(t, b);
	if (a < b)
		t->members[b].first = a;
	else
		t->members[a].first = b;
}

static int compare_pid(const void *key, const void *member)
{
	uint64_t a = *(const uint64_t *)key, b = ((const struct member *)member)->pid;

	return a < b ? -1 : a > b;
}

/* vfork, and clone with CLONE_VM: as long as the parent lives, whatever sizes were read when. */
static void ask_parents(struct task *t, struct vmt_job *job)
{
	size_t i;

	for (i = 0; i < t->n && !vmt_job_expired(job); i++) {
		struct member *m = &t->members[i];
		struct member *parent =
			bsearch(&m->ppid, t->members, t->n, sizeof(*t->members), compare_pid);

		if (parent && parent != m && may_ask(t, m) && may_ask(t, parent) &&
		    compare(t, m, parent) == 0)
			join(t, i, (size_t)(parent - t->members));
	}
}

/* For qsort_r(): the members of one size beside each other. */
static int by_size(const void *pa, const void *pb, void *arg)
{
	const struct task *t = arg;
	const struct member *a = &t->members[*(const size_t *)pa];
	const struct member *b = &t->members[*(const size_t *)pb];

	if (a->vsize_bytes != b->vsize_bytes)
		return a->vsize_bytes < b->vsize_bytes ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* Those with one address space beside each other. One that ended meanwhile has none; where it comes
 * to stand means nothing. */
static int by_mm(const void *pa, const void *pb, void *arg)
{
	struct task *t = arg;
	int r = compare(t, &t->members[*(const size_t *)pa], &t->members[*(const size_t *)pb]);

	return r == 1 ? -1 : r == 2 ? 1 : 0;
}

static void ask_equals(struct task *t, size_t *order, size_t n)
{
	size_t i, k = 0;

	/* One of each address space that is known is enough. */
	for (i = 0; i < n; i++)
		if (find(t, order[i]) == order[i] && may_ask(t, &t->members[order[i]]))
			order[k++] = order[i];
	if (k < 2)
		return;
	qsort_r(order, k, sizeof(*order), by_mm, t);
	for (i = 1; i < k; i++)
		if (compare(t, &t->members[order[i - 1]], &t->members[order[i]]) == 0)
			join(t, order[i - 1], order[i]);
}

/* Whether it is still that process, with an address space: of two that have none, kcmp says that it
 * is the same. */
static bool is_still_there(struct task *t, const struct member *m)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_arena arena;
	struct vmt_proc p = { 0 };
	bool ok;

	vmt_arena_init(&arena);
	ok = vmt_pid_read(t->shared->root, m->pid, VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT),
			  &arena, &p, &facts, NULL) == 0 &&
	     facts.has_mm && VMT_HAS(proc, start_time_ns, &p) &&
	     p.start_time_ns == m->start_time_ns;
	vmt_arena_done(&arena);
	return ok;
}

/* Only those that were found to be one with another are looked at again. */
static void check(struct task *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct member *first = &t->members[find(t, i)];

		if (first == &t->members[i])
			continue;
		if (!first->code && !is_still_there(t, first))
			first->code = -ESRCH;
		if (!is_still_there(t, &t->members[i]))
			t->members[i].code = -ESRCH;
	}
}

static int run(struct vmt_job *job, void *ctx)
{
	struct task *t = ctx;
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	VMT_AUTO_FREE size_t *order = calloc(t->n, sizeof(*order));
	size_t i, from;

	if (!order)
		return -ENOMEM;
	vmt_job_begin(job, VMT_SOURCE_KCMP);
	ask_parents(t, job);
	for (i = 0; i < t->n; i++)
		order[i] = i;
	qsort_r(order, t->n, sizeof(*order), by_size, t);
	for (from = 0; from < t->n && !vmt_job_expired(job); from = i) {
		for (i = from + 1; i < t->n && t->members[order[i]].vsize_bytes ==
						       t->members[order[from]].vsize_bytes;)
			i++;
		if (i - from > 1)
			ask_equals(t, &order[from], i - from);
	}
	check(t);
	t->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	t->wall_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	return vmt_job_expired(job) ? -ETIMEDOUT : 0;
}

static void task_free(void *ctx)
{
	struct task *t = ctx;

	vmt_proc_shared_unref(t->shared);
	free(t->members);
	free(t);
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct vmt_sample *s = arg;
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_KCMP];
	struct task *t = ctx;
	size_t i;

	(void)index;
	(void)job;
	if (!t || result < 0) {
		st->error = result;
		st->timed_out += result == -ETIMEDOUT;
		snprintf(st->reason, sizeof(st->reason),
			 "the kernel did not answer: which processes have one address space is "
			 "not known");
	}
	if (!t)
		return;
	st->reads += t->calls;
	st->cpu_ns += t->cpu_ns;
	if (t->wall_ns > st->longest_ns)
		st->longest_ns = t->wall_ns;
	for (i = 0; i < t->n && result == 0; i++) {
		const struct member *m = &t->members[i], *first = &t->members[find(t, i)];

		if (m->code == -EPERM || m->code == -EACCES) {
			st->denied++;
			st->error = m->code;
		} else if (m->code && m->code != -ESRCH) {
			vmt_sample_failed(s, VMT_SOURCE_KCMP, m->pid, s->procs[m->index].comm,
					  m->code, NULL);
		} else if (m->code == 0 && first->code == 0) {
			VMT_SET(proc, shared_mm, &s->procs[m->index], first->pid);
		}
	}
}

/* Whether the numbers of processes below this root are those that we can ask for. */
static int can_ask(const struct vmt_root *root)
{
	const pid_t self = getpid();
	struct vmt_bytes link;
	char name[24];
	uint64_t pid;
	ssize_t n;

	if (!root->live)
		return -ENOENT;
	n = readlinkat(root->proc_fd, "self", name, sizeof(name));
	link = (struct vmt_bytes){ name, n > 0 ? (size_t)n : 0 };
	if (vmt_take_u64(&link, &pid) < 0 || link.len || pid != (uint64_t)self)
		return -EXDEV;
	return syscall(SYS_kcmp, self, self, KCMP_VM, 0, 0) < 0 ? -errno : 0;
}

static const char *why_not(int code)
{
	switch (code) {
	case -ENOENT:
		return "not in a recording";
	case -EXDEV:
		return "/proc is of another PID namespace";
	case -ENOSYS:
		return "this kernel has no kcmp (CONFIG_KCMP)";
	default:
		return "kcmp is refused (seccomp)";
	}
}

static void fill(struct task *t, const struct vmt_sample *s)
{
	size_t i;

	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (!VMT_HAS(proc, vsize_bytes, p) || !VMT_HAS(proc, start_time_ns, p) ||
		    !VMT_HAS(proc, class, p) || !vmt_bytes_is(p->class, "user") ||
		    vmt_pid_is_headless(p))
			continue;
		t->members[t->n] = (struct member){ .pid = p->pid,
						    .ppid = VMT_HAS(proc, ppid, p) ? p->ppid : 0,
						    .start_time_ns = p->start_time_ns,
						    .vsize_bytes = p->vsize_bytes,
						    .index = i,
						    .first = t->n };
		t->n++;
	}
}

int vmt_collect_same_mm(struct vmt_collector *c, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_KCMP];
	struct vmt_proc_shared *shared = vmt_collector_shared(c);
	struct vmt_job *job;
	struct task *t;
	int r = can_ask(shared->root);

	if (r < 0) {
		st->state = VMT_STATE_ABSENT;
		st->error = r;
		snprintf(st->reason, sizeof(st->reason), "%s", why_not(r));
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
	t->shared = shared;
	t->members = calloc(s->n_procs ? s->n_procs : 1, sizeof(*t->members));
	if (!t->members) {
		task_free(t);
		return -ENOMEM;
	}
	fill(t, s);
	/* Nothing to ask about is nothing to wait for. */
	if (t->n == 0) {
		task_free(t);
		return 0;
	}
	job = vmt_job_new(&job_type, t);
	if (!job)
		return -ENOMEM;
	r = vmt_pool_run(vmt_collector_pool(c), &job, 1, vmt_collector_deadline(c), done, s);
	vmt_job_unref(job);
	return r;
}
