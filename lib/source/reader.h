/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded pool of reader threads with deadlines. A reader of /proc/PID/maps and its like can be
 * put to sleep in the kernel for ever by the process that it reads, and only a fatal signal wakes
 * it. So such files are read by threads that own all they touch: a thread that does not come back
 * in time is left behind with its job, a new one takes its place, and above a number of threads
 * left behind the rest of the work is skipped. Nobody cancels or signals a thread.
 *
 * The pool is driven by one thread; jobs run in the others.
 */
struct vmt_pool;
struct vmt_job;

struct vmt_pool_opts {
	unsigned readers; /* 0: one a processor, at most 8 */
	unsigned stuck_max; /* threads left behind before the rest is skipped; 0: 16 */
	uint64_t timeout_ns; /* for one stage of a job; 0: 2 s */
};

struct vmt_job_type {
	/* Does the work in a reader; 0 or -errno. It owns ctx and must touch nothing else that
	 * can end before it: the one who asked may be gone when it returns. */
	int (*run)(struct vmt_job *job, void *ctx);
	/* Frees ctx; in whatever thread lets go last. */
	void (*free)(void *ctx);
};

/* -ENOMEM is the only error. No thread is started before there is work. */
int vmt_pool_new(const struct vmt_pool_opts *opts, struct vmt_pool **ret);
/* Waits for idle readers and leaves stuck ones to themselves. NULL is fine. */
void vmt_pool_free(struct vmt_pool *pool);
/* Threads that are stuck now. */
unsigned vmt_pool_stuck(struct vmt_pool *pool);

/* Takes ctx over, also on failure. NULL on ENOMEM. */
struct vmt_job *vmt_job_new(const struct vmt_job_type *type, void *ctx);
struct vmt_job *vmt_job_ref(struct vmt_job *job);
void vmt_job_unref(struct vmt_job *job);
/* The ctx of a job; while a reader owns it, for what ctx itself guards. */
void *vmt_job_context(const struct vmt_job *job);
/* Whether run() has returned; for a job that was left behind, whether its reader came back. */
bool vmt_job_has_ended(const struct vmt_job *job);

/* For the job itself: begins a stage (a number of its own, such as the source that it reads); the
 * time that it has begins anew. */
void vmt_job_begin(struct vmt_job *job, int stage);
/* For the job itself, in a stage that is long because there is much to read: the time begins anew
 * while the deadline of all is farther than that. */
void vmt_job_go_on(struct vmt_job *job);
/* For the job itself, between two reads: whether it ought to stop with -ETIMEDOUT. It comes a
 * little before the pool would give the job up, so that a slow job keeps what it has. */
bool vmt_job_expired(const struct vmt_job *job);
/* Both, for who reads in many pieces and looks at the clock once for each: false where the job
 * ought to stop, else the time has begun anew. */
bool vmt_job_renew(struct vmt_job *job);
/* For a job that runs: what CLOCK_THREAD_CPUTIME_ID said when a job of the same reader looked at it
 * last and left it here, 0 before. The call is dear, and next to nothing lies between two jobs. */
uint64_t *vmt_job_cpu(const struct vmt_job *job);
/* The stage that was begun last; also for a job that was left behind. */
int vmt_job_stage(const struct vmt_job *job);

/*
 * For the job itself: hands over a part of what it makes, which part() of the run takes, in the
 * thread that drives the pool, when it is the job's turn. Waits until there is room, which is for
 * one part; the time of the job does not run meanwhile, and begins anew. So it may hold no lock of
 * the kernel then. -ECANCELED where nobody wants more of it; the part stays the caller's then.
 */
int vmt_job_hand_over(struct vmt_job *job, void *part);

/*
 * Runs n jobs and calls done() in this thread for each as it ends, in any order: with what run()
 * returned, and ctx; or with ctx NULL, because a reader still owns it or because it never ran:
 *   -ETIMEDOUT  it did not come back in time and was left behind
 *   -ECANCELED  the deadline passed before it was begun
 *   -EBUSY      too many readers are stuck
 *   -EAGAIN     no reader could be started
 * deadline_ns is a moment of CLOCK_MONOTONIC after which nothing is waited for, 0 for none. The
 * jobs stay the caller's, who may let go of each in done(). 0 or -ENOMEM (then done() was called
 * for none).
 */
int vmt_pool_run(struct vmt_pool *pool, struct vmt_job *const *jobs, size_t n, uint64_t deadline_ns,
		 void (*done)(size_t index, struct vmt_job *job, int result, void *ctx, void *arg),
		 void *arg);

/*
 * The same in the order of the jobs: done() is called for the first, then the second, and so on,
 * and before it part() for each part that the job handed over, which is part()'s then. A negative
 * result of part() ends the run: what was not begun is -ECANCELED, and no job may hand over more.
 * A part of a job that was left behind before its turn is freed by free_part().
 */
int vmt_pool_run_ordered(struct vmt_pool *pool, struct vmt_job *const *jobs, size_t n,
			 uint64_t deadline_ns, int (*part)(size_t index, void *part, void *arg),
			 void (*free_part)(void *part),
			 void (*done)(size_t index, struct vmt_job *job, int result, void *ctx,
				      void *arg),
			 void *arg);
