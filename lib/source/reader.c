/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/reader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

#define READERS_MAX 8u
#define STUCK_MAX   16u
#define TIMEOUT_NS  UINT64_C(2000000000)
/* Jobs that end before the driving thread is woken for them: a switch of threads costs as much as a
 * small file. At the end of a run, and when something is late, it does not wait for so many. */
#define BATCH 32u
/* What a reader puts on its stack is small; sanitizers and libelf want more than the least. */
#define STACK_BYTES ((size_t)256 * 1024)

struct vmt_job {
	unsigned refs;
	const struct vmt_job_type *type;
	void *ctx;
	size_t index; /* in the run that it belongs to */
	int result;
	bool kept; /* a reader has it still, or none ever had: done() gets no ctx */
	struct vmt_pool *pool; /* of its run; not once it was left behind */
	uint64_t *cpu_ns; /* of the reader that runs it */
	void *part; /* handed over and not taken, under the lock of the pool */
	bool ended; /* atomic, like those below */
	/* Written by the job's thread, read by the pool's; alone, so atomics do. */
	int stage;
	uint64_t due_ns; /* the pool gives it up */
	uint64_t soft_ns; /* it ought to stop by itself */
	/* Set before the thread sees the job. */
	uint64_t timeout_ns;
	uint64_t deadline_ns;
};

struct worker {
	struct worker *next;
	struct vmt_pool *pool;
	struct vmt_job *job; /* being run, under the lock */
	pthread_t thread;
	uint64_t cpu_ns; /* for its jobs, by vmt_job_cpu() */
	bool left; /* behind, under the lock: nobody waits for it any more */
};

struct vmt_pool {
	pthread_mutex_t lock;
	pthread_cond_t work; /* there may be something to run, or the end */
	pthread_cond_t news; /* a job ended, or has a part */
	pthread_cond_t room; /* a part was taken, or nobody wants any more */
	unsigned refs; /* the owner, and each thread; under the lock */
	unsigned readers;
	unsigned stuck_max;
	uint64_t timeout_ns;
	struct worker *workers; /* those that are not left behind */
	unsigned n_workers;
	unsigned stuck;
	bool stop;
	/* The run that goes on. */
	struct vmt_job *const *jobs;
	size_t n_jobs;
	size_t next; /* to be begun */
	struct vmt_job **ended; /* waiting for done(), which is called without the lock */
	size_t n_ended;
	bool cancelled; /* nobody wants parts */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct vmt_job *vmt_job_new(const struct vmt_job_type *type, void *ctx)
{
	struct vmt_job *job = calloc(1, sizeof(*job));

	if (!job) {
		type->free(ctx);
		return NULL;
	}
	job->refs = 1;
	job->type = type;
	job->ctx = ctx;
	return job;
}

struct vmt_job *vmt_job_ref(struct vmt_job *job)
{
	__atomic_add_fetch(&job->refs, 1, __ATOMIC_RELAXED);
	return job;
}

void vmt_job_unref(struct vmt_job *job)
{
	if (!job || __atomic_sub_fetch(&job->refs, 1, __ATOMIC_ACQ_REL))
		return;
	job->type->free(job->ctx);
	free(job);
}

void *vmt_job_context(const struct vmt_job *job)
{
	return job->ctx;
}

bool vmt_job_has_ended(const struct vmt_job *job)
{
	return __atomic_load_n(&job->ended, __ATOMIC_ACQUIRE);
}

static void begin_at(struct vmt_job *job, int stage, uint64_t now)
{
	uint64_t due = now + job->timeout_ns;

	if (due < now)
		due = UINT64_MAX;
	if (job->deadline_ns && due > job->deadline_ns)
		due = job->deadline_ns;
	__atomic_store_n(&job->stage, stage, __ATOMIC_RELAXED);
	__atomic_store_n(&job->soft_ns, due > now ? due - (due - now) / 8 : now, __ATOMIC_RELAXED);
	__atomic_store_n(&job->due_ns, due, __ATOMIC_RELAXED);
}

void vmt_job_begin(struct vmt_job *job, int stage)
{
	begin_at(job, stage, now_ns());
}

static void go_on_at(struct vmt_job *job, uint64_t now)
{
	if (!job->deadline_ns ||
	    (job->deadline_ns > now && job->deadline_ns - now > job->timeout_ns))
		begin_at(job, vmt_job_stage(job), now);
}

void vmt_job_go_on(struct vmt_job *job)
{
	go_on_at(job, now_ns());
}

static bool expired_at(const struct vmt_job *job, uint64_t now)
{
	return now >= __atomic_load_n(&job->soft_ns, __ATOMIC_RELAXED);
}

bool vmt_job_expired(const struct vmt_job *job)
{
	return expired_at(job, now_ns());
}

bool vmt_job_renew(struct vmt_job *job)
{
	uint64_t now = now_ns();

	if (expired_at(job, now))
		return false;
	go_on_at(job, now);
	return true;
}

int vmt_job_hand_over(struct vmt_job *job, void *part)
{
	struct vmt_pool *pool = job->pool;
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	/* Nothing of the process is held here, and the wait is not its fault. */
	__atomic_store_n(&job->due_ns, UINT64_MAX, __ATOMIC_RELAXED);
	while (job->part && !pool->cancelled && !job->kept)
		pthread_cond_wait(&pool->room, &pool->lock);
	if (pool->cancelled || job->kept) {
		r = -ECANCELED;
	} else {
		job->part = part;
		pthread_cond_signal(&pool->news);
	}
	if (!job->kept)
		vmt_job_begin(job, vmt_job_stage(job));
	pthread_mutex_unlock(&pool->lock);
	return r;
}

uint64_t *vmt_job_cpu(const struct vmt_job *job)
{
	return job->cpu_ns;
}

int vmt_job_stage(const struct vmt_job *job)
{
	return __atomic_load_n(&job->stage, __ATOMIC_RELAXED);
}

/* Unlocks the pool; frees it where that was the last reference. */
static void pool_unlock_unref(struct vmt_pool *pool)
{
	bool last = --pool->refs == 0;

	pthread_mutex_unlock(&pool->lock);
	if (!last)
		return;
	pthread_cond_destroy(&pool->room);
	pthread_cond_destroy(&pool->news);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct vmt_pool *pool = w->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct vmt_job *job;
		int r;

		while (!pool->stop && pool->next >= pool->n_jobs)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->stop)
			break;
		job = w->job = vmt_job_ref(pool->jobs[pool->next++]);
		job->cpu_ns = &w->cpu_ns;
		vmt_job_begin(job, 0);
		pthread_mutex_unlock(&pool->lock);

		r = job->type->run(job, job->ctx);
		__atomic_store_n(&job->ended, true, __ATOMIC_RELEASE);

		pthread_mutex_lock(&pool->lock);
		if (w->left) {
			/* Back after all, and nobody waits: the job goes, and so do we. */
			pool->stuck--;
			pool_unlock_unref(pool);
			vmt_job_unref(job);
			free(w);
			return NULL;
		}
		job->result = r;
		w->job = NULL;
		/* The reference goes over to the list. */
		pool->ended[pool->n_ended++] = job;
		if (pool->n_ended >= BATCH || pool->next >= pool->n_jobs)
			pthread_cond_signal(&pool->news);
	}
	pool_unlock_unref(pool);
	return NULL;
}

/* Starts one reader, with the lock held. */
static int worker_start(struct vmt_pool *pool)
{
	sigset_t all, old;
	pthread_attr_t attr;
	struct worker *w;
	int r;

	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->pool = pool;
	r = pthread_attr_init(&attr);
	if (r) {
		free(w);
		return -r;
	}
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	/* Signals are the main thread's business. */
	vmt_thread_signals(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (r) {
		free(w);
		return -r;
	}
	pool->refs++;
	w->next = pool->workers;
	pool->workers = w;
	pool->n_workers++;
	return 0;
}

int vmt_pool_new(const struct vmt_pool_opts *opts, struct vmt_pool **ret)
{
	struct vmt_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attr;
	long cpus;

	if (!pool)
		return -ENOMEM;
	pool->refs = 1;
	pool->readers = opts->readers;
	if (!pool->readers) {
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
		pool->readers = cpus < 1		   ? 1
				: cpus > (long)READERS_MAX ? READERS_MAX
							   : (unsigned)cpus;
	}
	pool->stuck_max = opts->stuck_max ? opts->stuck_max : STUCK_MAX;
	pool->timeout_ns = opts->timeout_ns ? opts->timeout_ns : TIMEOUT_NS;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->work, &attr);
	pthread_cond_init(&pool->room, &attr);
	pthread_cond_init(&pool->news, &attr);
	pthread_condattr_destroy(&attr);
	*ret = pool;
	return 0;
}

void vmt_pool_free(struct vmt_pool *pool)
{
	struct worker *w;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->work);
	while ((w = pool->workers)) {
		pool->workers = w->next;
		pthread_mutex_unlock(&pool->lock);
		pthread_join(w->thread, NULL);
		free(w);
		pthread_mutex_lock(&pool->lock);
	}
	pool_unlock_unref(pool);
}

unsigned vmt_pool_stuck(struct vmt_pool *pool)
{
	unsigned n;

	pthread_mutex_lock(&pool->lock);
	n = pool->stuck;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

/* Takes a worker out of the list and leaves it to itself. */
static void leave_behind(struct vmt_pool *pool, struct worker **link)
{
	struct worker *w = *link;

	*link = w->next;
	pool->n_workers--;
	pool->stuck++;
	w->left = true;
	pthread_detach(w->thread);
}

/* The run as the driving thread sees it. */
struct run {
	struct vmt_pool *pool;
	size_t left; /* jobs for which done() was not called */
	bool ordered;
	size_t turn; /* ordered: the job whose parts and end are due */
	int (*part)(size_t index, void *part, void *arg);
	void (*free_part)(void *part);
	void (*done)(size_t index, struct vmt_job *job, int result, void *ctx, void *arg);
	void *arg;
};

/* Takes the part that a job has, without the lock, as part() may take its time. Parts of a run that
 * nobody wants any more are freed. */
static void take_part(struct run *run, struct vmt_job *job)
{
	struct vmt_pool *pool = run->pool;
	void *part = job->part;
	int r = 0;

	job->part = NULL;
	pthread_cond_broadcast(&pool->room);
	vmt_job_ref(job);
	pthread_mutex_unlock(&pool->lock);
	if (pool->cancelled)
		run->free_part(part);
	else
		r = run->part(job->index, part, run->arg);
	vmt_job_unref(job);
	pthread_mutex_lock(&pool->lock);
	if (r < 0) {
		pool->cancelled = true;
		pthread_cond_broadcast(&pool->room);
	}
}

/* The part of a job that runs and whose turn it is; false where there is none. */
static bool take_parts(struct run *run)
{
	const struct worker *w;

	for (w = run->pool->workers; run->ordered && w; w = w->next)
		if (w->job && w->job->index == run->turn && w->job->part) {
			take_part(run, w->job);
			return true;
		}
	return false;
}

/* Takes what is due out of the list of those that ended; how many. A part of a job comes before its
 * end, and behind the end of the job before. */
static size_t next_ended(struct run *run, struct vmt_job *batch[BATCH])
{
	struct vmt_pool *pool = run->pool;
	size_t n = 0, i;

	while (n < BATCH) {
		struct vmt_job *job;

		i = pool->n_ended;
		while (i && run->ordered && pool->ended[i - 1]->index != run->turn)
			i--;
		if (!i || (n && pool->ended[i - 1]->part))
			break;
		job = pool->ended[i - 1];
		if (job->part) {
			/* The list may change meanwhile. */
			take_part(run, job);
			continue;
		}
		pool->ended[i - 1] = pool->ended[--pool->n_ended];
		run->turn++;
		batch[n++] = job;
	}
	return n;
}

/* Hands over what ended. The lock is let go meanwhile, as done() may take its time. */
static void hand_over(struct run *run)
{
	struct vmt_pool *pool = run->pool;
	struct vmt_job *batch[BATCH];
	size_t n, i;

	while ((n = next_ended(run, batch))) {
		bool kept[BATCH];

		for (i = 0; i < n; i++)
			kept[i] = batch[i]->kept;
		run->left -= n;
		pthread_mutex_unlock(&pool->lock);
		for (i = 0; i < n; i++) {
			run->done(batch[i]->index, batch[i], batch[i]->result,
				  kept[i] ? NULL : batch[i]->ctx, run->arg);
			vmt_job_unref(batch[i]);
		}
		pthread_mutex_lock(&pool->lock);
	}
}

/* A job without a result: done() is told of it when it is due. */
static void end_without(struct vmt_pool *pool, struct vmt_job *job, int code)
{
	job->result = code;
	job->kept = true;
	pool->ended[pool->n_ended++] = vmt_job_ref(job);
}

/* Ends all that was not begun. */
static void skip_rest(struct run *run, int code)
{
	struct vmt_pool *pool = run->pool;

	while (pool->next < pool->n_jobs)
		end_without(pool, pool->jobs[pool->next++], code);
}

/* Gives up what is over its time; returns when to look again (0: when there is news), or now where
 * a reader was left behind, who wants a successor. */
static uint64_t give_up_late(struct run *run, uint64_t now)
{
	struct vmt_pool *pool = run->pool;
	struct worker **link = &pool->workers;
	uint64_t first = 0;
	bool any = false;

	while (*link) {
		struct worker *w = *link;
		struct vmt_job *job = w->job;
		uint64_t due;

		if (!job) {
			link = &w->next;
			continue;
		}
		due = __atomic_load_n(&job->due_ns, __ATOMIC_RELAXED);
		if (now < due) {
			if (!first || due < first)
				first = due;
			link = &w->next;
			continue;
		}
		leave_behind(pool, link);
		any = true;
		end_without(pool, job, -ETIMEDOUT);
	}
	return any ? now : first;
}

/* Whether there is something to take or to hand over right now. */
static bool has_news(const struct run *run)
{
	const struct vmt_pool *pool = run->pool;
	const struct worker *w;
	size_t i;

	for (i = 0; i < pool->n_ended; i++)
		if (!run->ordered || pool->ended[i]->index == run->turn)
			return true;
	for (w = pool->workers; run->ordered && w; w = w->next)
		if (w->job && w->job->index == run->turn && w->job->part)
			return true;
	return false;
}

static void start_workers(struct run *run)
{
	struct vmt_pool *pool = run->pool;
	size_t waiting = pool->n_jobs - pool->next, idle = 0;
	const struct worker *w;

	for (w = pool->workers; w; w = w->next)
		idle += !w->job;
	for (; pool->n_workers < pool->readers && idle < waiting; idle++)
		if (worker_start(pool) < 0)
			break;
}

static int pool_run(struct run run, struct vmt_job *const *jobs, size_t n, uint64_t deadline_ns)
{
	struct vmt_pool *pool = run.pool;
	VMT_AUTO_FREE struct vmt_job **ended = calloc(n ? n : 1, sizeof(*ended));
	size_t i;

	if (!ended)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		jobs[i]->index = i;
		jobs[i]->pool = pool;
		jobs[i]->timeout_ns = pool->timeout_ns;
		jobs[i]->deadline_ns = deadline_ns;
	}
	pthread_mutex_lock(&pool->lock);
	pool->jobs = jobs;
	pool->n_jobs = n;
	pool->next = 0;
	pool->ended = ended;
	pool->n_ended = 0;
	pool->cancelled = false;
	while (run.left) {
		uint64_t now = now_ns(), wake;
		struct timespec ts;

		if (pool->next < n) {
			if (pool->cancelled || (deadline_ns && now >= deadline_ns))
				skip_rest(&run, -ECANCELED);
			else if (pool->stuck >= pool->stuck_max)
				skip_rest(&run, -EBUSY);
			else
				start_workers(&run);
			if (pool->n_workers == 0)
				skip_rest(&run, -EAGAIN);
			pthread_cond_broadcast(&pool->work);
		}
		wake = give_up_late(&run, now);
		while (take_parts(&run))
			;
		hand_over(&run);
		if (!run.left)
			break;
		/* What came while the lock was let go. */
		if (has_news(&run) || wake == now)
			continue;
		if (pool->next < n && deadline_ns && (!wake || deadline_ns < wake))
			wake = deadline_ns;
		/* Nobody says when a reader takes a job: one that was taken since the look above
		 * is due no earlier than this. */
		if (!wake || wake > now + pool->timeout_ns)
			wake = now + pool->timeout_ns;
		ts.tv_sec = (time_t)(wake / 1000000000);
		ts.tv_nsec = (long)(wake % 1000000000);
		pthread_cond_timedwait(&pool->news, &pool->lock, &ts);
	}
	pool->jobs = NULL;
	pool->n_jobs = 0;
	pool->next = 0;
	pool->ended = NULL;
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

int vmt_pool_run(struct vmt_pool *pool, struct vmt_job *const *jobs, size_t n, uint64_t deadline_ns,
		 void (*done)(size_t index, struct vmt_job *job, int result, void *ctx, void *arg),
		 void *arg)
{
	const struct run run = { .pool = pool, .left = n, .done = done, .arg = arg };

	return pool_run(run, jobs, n, deadline_ns);
}

int vmt_pool_run_ordered(struct vmt_pool *pool, struct vmt_job *const *jobs, size_t n,
			 uint64_t deadline_ns, int (*part)(size_t index, void *part, void *arg),
			 void (*free_part)(void *part),
			 void (*done)(size_t index, struct vmt_job *job, int result, void *ctx,
				      void *arg),
			 void *arg)
{
	const struct run run = { .pool = pool,
				 .left = n,
				 .ordered = true,
				 .part = part,
				 .free_part = free_part,
				 .done = done,
				 .arg = arg };

	return pool_run(run, jobs, n, deadline_ns);
}
