/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/reader.h"

#define MS UINT64_C(1000000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What a job is to do. freed counts those that were freed, in whatever thread. */
enum what {
	RETURN,
	FAIL,
	BLOCK, /* on a pipe that nobody writes to, until it is closed */
	STAGES, /* four stages that each take less than the timeout, all together more */
	LOOP, /* until it is told to stop */
	SIGNALS, /* which signals are blocked */
	TELL, /* let the one that waits know */
	WAIT, /* in many short stages, until told */
};

static int told;

struct ctx {
	enum what what;
	int fd;
	int value;
	int *freed;
};

static int run(struct vmt_job *job, void *arg)
{
	struct ctx *ctx = arg;
	sigset_t set;
	char c;
	int i;

	switch (ctx->what) {
	case RETURN:
		ctx->value *= 2;
		return 0;
	case FAIL:
		return -EIO;
	case BLOCK:
		vmt_job_begin(job, 7);
		/* Like a read of maps whose lock is held: no signal, no end. */
		while (read(ctx->fd, &c, 1) < 0 && errno == EINTR)
			;
		ctx->value = -1;
		return 0;
	case STAGES:
		for (i = 1; i <= 4; i++) {
			vmt_job_begin(job, i);
			usleep(800000);
			if (vmt_job_expired(job))
				return -ETIMEDOUT;
		}
		return 0;
	case LOOP:
		vmt_job_begin(job, 9);
		while (!vmt_job_expired(job))
			usleep(1000);
		ctx->value = 77;
		return -ETIMEDOUT;
	case SIGNALS:
		pthread_sigmask(SIG_SETMASK, NULL, &set);
		ctx->value = sigismember(&set, SIGINT) && sigismember(&set, SIGALRM) &&
			     sigismember(&set, SIGTERM);
		return 0;
	case TELL:
		__atomic_store_n(&told, 1, __ATOMIC_SEQ_CST);
		return 0;
	case WAIT:
		for (i = 1; i <= 12000; i++) {
			if (__atomic_load_n(&told, __ATOMIC_SEQ_CST))
				return 0;
			vmt_job_begin(job, i);
			usleep(10000);
		}
		return -ETIME;
	}
	return 0;
}

static void free_ctx(void *arg)
{
	struct ctx *ctx = arg;

	__atomic_add_fetch(ctx->freed, 1, __ATOMIC_SEQ_CST);
	free(ctx);
}

static const struct vmt_job_type type = { .run = run, .free = free_ctx };

static struct vmt_job *job_new(enum what what, int fd, int value, int *freed)
{
	struct ctx *ctx = calloc(1, sizeof(*ctx));

	assert_non_null(ctx);
	*ctx = (struct ctx){ what, fd, value, freed };
	return vmt_job_new(&type, ctx);
}

static int freed_of(int *freed)
{
	return __atomic_load_n(freed, __ATOMIC_SEQ_CST);
}

/* What done() was told, by index. */
struct seen {
	int calls[256];
	int result[256];
	int value[256];
	int stage[256];
	bool owned[256];
	pthread_t thread;
	bool other_thread;
};

static void done(size_t index, struct vmt_job *job, int result, void *arg_ctx, void *arg)
{
	struct seen *seen = arg;
	struct ctx *ctx = arg_ctx;

	seen->calls[index]++;
	seen->result[index] = result;
	seen->stage[index] = vmt_job_stage(job);
	seen->owned[index] = ctx != NULL;
	if (ctx)
		seen->value[index] = ctx->value;
	seen->other_thread |= !pthread_equal(pthread_self(), seen->thread);
}

static struct vmt_pool *pool_new(unsigned readers, unsigned stuck_max, uint64_t timeout_ns)
{
	const struct vmt_pool_opts opts = { readers, stuck_max, timeout_ns };
	struct vmt_pool *pool = NULL;

	assert_int_equal(vmt_pool_new(&opts, &pool), 0);
	return pool;
}

static void unref_all(struct vmt_job **jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		vmt_job_unref(jobs[i]);
}

static void wait_for(int *freed, int n)
{
	int i;

	for (i = 0; i < 20000 && freed_of(freed) < n; i++)
		usleep(1000);
	assert_int_equal(freed_of(freed), n);
}

static void test_results(void **state)
{
	enum { N = 200 };
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(4, 0, 0);
	struct vmt_job *jobs[N];
	int freed = 0, round;
	size_t i;

	for (round = 1; round <= 2; round++) {
		memset(seen.calls, 0, sizeof(seen.calls));
		for (i = 0; i < N; i++)
			jobs[i] = job_new(i % 10 == 3 ? FAIL : RETURN, -1, (int)i, &freed);
		assert_int_equal(vmt_pool_run(pool, jobs, N, 0, done, &seen), 0);
		for (i = 0; i < N; i++) {
			assert_int_equal(seen.calls[i], 1);
			assert_true(seen.owned[i]);
			assert_int_equal(seen.result[i], i % 10 == 3 ? -EIO : 0);
			assert_int_equal(seen.value[i], i % 10 == 3 ? i : 2 * i);
		}
		unref_all(jobs, N);
		/* A reader lets go of a job a moment after it handed it over. */
		wait_for(&freed, round * N);
	}
	assert_false(seen.other_thread);
	assert_int_equal(vmt_pool_stuck(pool), 0);
	vmt_pool_free(pool);
}

static void test_nothing_to_do(void **state)
{
	struct vmt_pool *pool = pool_new(0, 0, 0);

	assert_int_equal(vmt_pool_run(pool, NULL, 0, 0, done, NULL), 0);
	vmt_pool_free(pool);
	vmt_pool_free(NULL);
	vmt_job_unref(NULL);
}

/* One job that never ends costs its own result; the others get theirs. */
static void d03_a_job_that_never_ends(void **state)
{
	enum { N = 20 };
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(2, 0, 2000 * MS);
	struct vmt_job *jobs[N];
	int freed = 0, fds[2];
	uint64_t t0 = now_ns();
	size_t i;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (i = 0; i < N; i++)
		jobs[i] = job_new(i == 0 ? BLOCK : RETURN, fds[0], (int)i, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, N, 0, done, &seen), 0);
	assert_in_range(now_ns() - t0, 1990 * MS, 60000 * MS);
	for (i = 0; i < N; i++) {
		assert_int_equal(seen.calls[i], 1);
		assert_int_equal(seen.result[i], i == 0 ? -ETIMEDOUT : 0);
		assert_int_equal(seen.owned[i], i != 0);
	}
	/* Where it hangs is known all the same. */
	assert_int_equal(seen.stage[0], 7);
	assert_int_equal(vmt_pool_stuck(pool), 1);
	unref_all(jobs, N);
	wait_for(&freed, N - 1);
	/* The pool goes, the reader stays with what it owns, until it wakes. */
	vmt_pool_free(pool);
	assert_int_equal(freed_of(&freed), N - 1);
	close(fds[1]);
	wait_for(&freed, N);
	close(fds[0]);
}

/* Its own time ends it, not that of the run: also where no reader had a job at the first look. */
static void test_a_stuck_job_costs_its_timeout(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 300 * MS);
	uint64_t t0 = now_ns();
	struct vmt_job *job;
	int freed = 0, fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	job = job_new(BLOCK, fds[0], 0, &freed);
	assert_int_equal(vmt_pool_run(pool, &job, 1, t0 + 120000 * MS, done, &seen), 0);
	assert_in_range(now_ns() - t0, 290 * MS, 60000 * MS);
	assert_int_equal(seen.result[0], -ETIMEDOUT);
	vmt_job_unref(job);
	vmt_pool_free(pool);
	close(fds[1]);
	wait_for(&freed, 1);
	close(fds[0]);
}

/* A reader that is left behind has a successor though another one is busy. */
static void test_a_successor_beside_a_busy_reader(void **state)
{
	static const enum what what[] = { BLOCK, WAIT, TELL };
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(2, 0, 1000 * MS);
	struct vmt_job *jobs[3];
	int freed = 0, fds[2];
	size_t i;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (i = 0; i < 3; i++)
		jobs[i] = job_new(what[i], fds[0], 0, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, 3, 0, done, &seen), 0);
	assert_int_equal(seen.result[0], -ETIMEDOUT);
	assert_int_equal(seen.result[1], 0);
	assert_int_equal(seen.result[2], 0);
	unref_all(jobs, 3);
	vmt_pool_free(pool);
	close(fds[1]);
	wait_for(&freed, 3);
	close(fds[0]);
}

static void d03_a_reader_that_comes_back(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 2000 * MS);
	struct vmt_job *job;
	int freed = 0, fds[2], i;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	job = job_new(BLOCK, fds[0], 1, &freed);
	assert_int_equal(vmt_pool_run(pool, &job, 1, 0, done, &seen), 0);
	assert_int_equal(seen.result[0], -ETIMEDOUT);
	vmt_job_unref(job);
	assert_int_equal(vmt_pool_stuck(pool), 1);
	close(fds[1]);
	wait_for(&freed, 1);
	for (i = 0; i < 20000 && vmt_pool_stuck(pool); i++)
		usleep(1000);
	assert_int_equal(vmt_pool_stuck(pool), 0);
	job = job_new(RETURN, -1, 21, &freed);
	assert_int_equal(vmt_pool_run(pool, &job, 1, 0, done, &seen), 0);
	assert_int_equal(seen.value[0], 42);
	vmt_job_unref(job);
	vmt_pool_free(pool);
	close(fds[0]);
}

/* Twenty that hang, and a cap of three: the rest is skipped and not queued behind them. */
static void d03_too_many_are_stuck(void **state)
{
	enum { N = 20 };
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(2, 3, 50 * MS);
	int freed = 0, fds[2], timed_out = 0, skipped = 0;
	struct vmt_job *jobs[N];
	size_t i;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (i = 0; i < N; i++)
		jobs[i] = job_new(BLOCK, fds[0], 0, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, N, 0, done, &seen), 0);
	for (i = 0; i < N; i++) {
		assert_int_equal(seen.calls[i], 1);
		assert_false(seen.owned[i]);
		timed_out += seen.result[i] == -ETIMEDOUT;
		skipped += seen.result[i] == -EBUSY;
	}
	assert_int_equal(timed_out + skipped, N);
	/* Those that run when the cap is reached may be stuck too. */
	assert_in_range(timed_out, 3, 4);
	assert_int_equal(vmt_pool_stuck(pool), timed_out);
	unref_all(jobs, N);
	/* And the next run begins nothing. */
	jobs[0] = job_new(RETURN, -1, 1, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, 1, 0, done, &seen), 0);
	assert_int_equal(seen.result[0], -EBUSY);
	vmt_job_unref(jobs[0]);
	vmt_pool_free(pool);
	close(fds[1]);
	wait_for(&freed, N + 1);
	close(fds[0]);
}

static void test_each_stage_has_its_own_time(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 3000 * MS);
	int freed = 0;
	struct vmt_job *job = job_new(STAGES, -1, 0, &freed);

	assert_int_equal(vmt_pool_run(pool, &job, 1, 0, done, &seen), 0);
	assert_int_equal(seen.result[0], 0);
	assert_int_equal(seen.stage[0], 4);
	vmt_job_unref(job);
	vmt_pool_free(pool);
}

/* A job that looks at the clock ends by itself, with what it has, and its reader stays. */
static void test_a_slow_job_keeps_what_it_has(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 2000 * MS);
	int freed = 0;
	struct vmt_job *job = job_new(LOOP, -1, 0, &freed);

	assert_int_equal(vmt_pool_run(pool, &job, 1, 0, done, &seen), 0);
	assert_int_equal(seen.result[0], -ETIMEDOUT);
	assert_true(seen.owned[0]);
	assert_int_equal(seen.value[0], 77);
	assert_int_equal(vmt_pool_stuck(pool), 0);
	vmt_job_unref(job);
	vmt_pool_free(pool);
}

static void d08_the_deadline(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 60000 * MS);
	struct vmt_job *jobs[3];
	int freed = 0, fds[2];
	uint64_t t0 = now_ns();
	size_t i;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (i = 0; i < 3; i++)
		jobs[i] = job_new(i == 0 ? BLOCK : RETURN, fds[0], 1, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, 3, t0 + 1000 * MS, done, &seen), 0);
	assert_in_range(now_ns() - t0, 990 * MS, 60000 * MS);
	assert_int_equal(seen.result[0], -ETIMEDOUT);
	assert_int_equal(seen.result[1], -ECANCELED);
	assert_int_equal(seen.result[2], -ECANCELED);
	unref_all(jobs, 3);
	/* One that passed already begins nothing. */
	memset(&seen.calls, 0, sizeof(seen.calls));
	jobs[0] = job_new(RETURN, -1, 1, &freed);
	assert_int_equal(vmt_pool_run(pool, jobs, 1, t0, done, &seen), 0);
	assert_int_equal(seen.calls[0], 1);
	assert_int_equal(seen.result[0], -ECANCELED);
	vmt_job_unref(jobs[0]);
	vmt_pool_free(pool);
	close(fds[1]);
	wait_for(&freed, 4);
	close(fds[0]);
}

static void d04_signals_are_blocked(void **state)
{
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(1, 0, 0);
	int freed = 0;
	struct vmt_job *job = job_new(SIGNALS, -1, 0, &freed);
	sigset_t before, after;
	int s;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(vmt_pool_run(pool, &job, 1, 0, done, &seen), 0);
	assert_int_equal(seen.value[0], 1);
	/* Ours are as they were. */
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (s = 1; s < 32; s++)
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
	vmt_job_unref(job);
	vmt_pool_free(pool);
}

/* Where no thread can be started, nothing is read in ours. */
static int without_threads(void)
{
	const struct rlimit none = { 0, 0 };
	struct seen seen = { .thread = pthread_self() };
	struct vmt_pool *pool = pool_new(2, 0, 0);
	struct vmt_job *jobs[2];
	int freed = 0;

	jobs[0] = job_new(RETURN, -1, 1, &freed);
	jobs[1] = job_new(RETURN, -1, 1, &freed);
	if (setrlimit(RLIMIT_NPROC, &none) < 0 || (geteuid() == 0 && setreuid(65534, 65534) < 0))
		return 2;
	if (vmt_pool_run(pool, jobs, 2, 0, done, &seen) != 0)
		return 3;
	if (seen.result[0] != -EAGAIN || seen.result[1] != -EAGAIN || seen.owned[0])
		return 4;
	unref_all(jobs, 2);
	vmt_pool_free(pool);
	return freed == 2 ? 0 : 5;
}

static void test_no_reader_can_be_started(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(without_threads());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int new_pool(void *arg)
{
	const struct vmt_pool_opts opts = { 0 };
	struct vmt_pool *pool = NULL;
	int r = vmt_pool_new(&opts, &pool);

	vmt_pool_free(pool);
	return r;
}

static void test_failing_allocations(void **state)
{
	struct ctx *ctx = calloc(1, sizeof(*ctx));
	int freed = 0;

	assert_int_equal(unit_alloc_sweep(new_pool, NULL), 1);
	/* What the job was to own is freed. */
	ctx->freed = &freed;
	unit_alloc_fail(1);
	assert_null(vmt_job_new(&type, ctx));
	unit_alloc_pass();
	assert_int_equal(freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(d03_a_job_that_never_ends),
		cmocka_unit_test(test_a_stuck_job_costs_its_timeout),
		cmocka_unit_test(test_a_successor_beside_a_busy_reader),
		cmocka_unit_test(d03_a_reader_that_comes_back),
		cmocka_unit_test(d03_too_many_are_stuck),
		cmocka_unit_test(test_each_stage_has_its_own_time),
		cmocka_unit_test(test_a_slow_job_keeps_what_it_has),
		cmocka_unit_test(d08_the_deadline),
		cmocka_unit_test(d04_signals_are_blocked),
		cmocka_unit_test(test_no_reader_can_be_started),
		cmocka_unit_test(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
