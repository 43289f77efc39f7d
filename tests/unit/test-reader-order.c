/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
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

/* A job that hands over parts, numbered from 0. */
struct ctx {
	int index;
	int parts;
	int block_fd; /* behind the last part it waits here for the end of a pipe; -1: not */
	int *wait_for; /* before the first part, in short stages, until this is 0; NULL: not */
	int *offered; /* counted down when a part is about to be handed over; NULL: not */
	int *freed;
};

struct part {
	int index;
	int number;
};

static int live_parts;

static struct part *part_new(int index, int number)
{
	struct part *part = malloc(sizeof(*part));

	assert_non_null(part);
	*part = (struct part){ index, number };
	__atomic_add_fetch(&live_parts, 1, __ATOMIC_SEQ_CST);
	return part;
}

static void part_free(void *part)
{
	__atomic_sub_fetch(&live_parts, 1, __ATOMIC_SEQ_CST);
	free(part);
}

static int run(struct vmt_job *job, void *arg)
{
	struct ctx *ctx = arg;
	char c;
	int i, r;

	vmt_job_begin(job, 3);
	while (ctx->wait_for && __atomic_load_n(ctx->wait_for, __ATOMIC_SEQ_CST) > 0) {
		vmt_job_begin(job, 3);
		usleep(100);
	}
	for (i = 0; i < ctx->parts; i++) {
		struct part *part = part_new(ctx->index, i);

		if (ctx->offered)
			__atomic_sub_fetch(ctx->offered, 1, __ATOMIC_SEQ_CST);
		r = vmt_job_hand_over(job, part);
		if (r < 0) {
			part_free(part);
			return r;
		}
	}
	while (ctx->block_fd >= 0 && read(ctx->block_fd, &c, 1) < 0 && errno == EINTR)
		;
	return 0;
}

static void free_ctx(void *arg)
{
	struct ctx *ctx = arg;

	__atomic_add_fetch(ctx->freed, 1, __ATOMIC_SEQ_CST);
	free(ctx);
}

static const struct vmt_job_type type = { .run = run, .free = free_ctx };

static struct vmt_job *job_new(int index, int parts, int *freed)
{
	struct ctx *ctx = calloc(1, sizeof(*ctx));

	assert_non_null(ctx);
	*ctx = (struct ctx){ .index = index, .parts = parts, .block_fd = -1, .freed = freed };
	return vmt_job_new(&type, ctx);
}

/* What came, in order. */
struct seen {
	int next; /* job whose parts and end are due */
	int number; /* of its next part */
	int fail_at; /* part() fails when so many have come; 0: never */
	int parts;
	int result[64];
	bool owned[64];
};

static int take(size_t index, void *arg_part, void *arg)
{
	struct part *part = arg_part;
	struct seen *seen = arg;

	assert_int_equal(index, seen->next);
	assert_int_equal(part->index, seen->next);
	assert_int_equal(part->number, seen->number);
	part_free(part);
	seen->number++;
	return ++seen->parts == seen->fail_at ? -EPIPE : 0;
}

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(index, seen->next);
	seen->result[index] = result;
	seen->owned[index] = ctx != NULL;
	seen->next++;
	seen->number = 0;
}

static struct vmt_pool *pool_new(unsigned readers, uint64_t timeout_ns)
{
	const struct vmt_pool_opts opts = { .readers = readers, .timeout_ns = timeout_ns };
	struct vmt_pool *pool = NULL;

	assert_int_equal(vmt_pool_new(&opts, &pool), 0);
	return pool;
}

static void end(struct vmt_pool *pool, struct vmt_job **jobs, size_t n, int *freed)
{
	size_t i;

	for (i = 0; i < n; i++)
		vmt_job_unref(jobs[i]);
	vmt_pool_free(pool);
	assert_int_equal(__atomic_load_n(freed, __ATOMIC_SEQ_CST), n);
	assert_int_equal(__atomic_load_n(&live_parts, __ATOMIC_SEQ_CST), 0);
}

static void test_in_order(void **state)
{
	enum { N = 60 };
	static const unsigned readers[] = { 1, 2, 5 };
	size_t k;
	int i;

	for (k = 0; k < VMT_ARRAY_LEN(readers); k++) {
		struct vmt_pool *pool = pool_new(readers[k], 0);
		struct vmt_job *jobs[N];
		struct seen seen = { 0 };
		int freed = 0, parts = 0;

		for (i = 0; i < N; i++) {
			/* Some have none, some many. */
			jobs[i] = job_new(i, i * 7 % 5, &freed);
			parts += i * 7 % 5;
		}
		assert_int_equal(
			vmt_pool_run_ordered(pool, jobs, N, 0, take, part_free, done, &seen), 0);
		assert_int_equal(seen.next, N);
		assert_int_equal(seen.parts, parts);
		for (i = 0; i < N; i++) {
			assert_int_equal(seen.result[i], 0);
			assert_true(seen.owned[i]);
		}
		end(pool, jobs, N, &freed);
	}
}

static void test_nobody_wants_more(void **state)
{
	enum { N = 20 };
	struct vmt_pool *pool = pool_new(3, 0);
	struct seen seen = { .fail_at = 25 };
	struct vmt_job *jobs[N];
	int freed = 0, i;

	for (i = 0; i < N; i++)
		jobs[i] = job_new(i, 10, &freed);
	assert_int_equal(vmt_pool_run_ordered(pool, jobs, N, 0, take, part_free, done, &seen), 0);
	/* The third job was at its fifth part. */
	assert_int_equal(seen.parts, 25);
	assert_int_equal(seen.next, N);
	assert_int_equal(seen.result[0], 0);
	assert_int_equal(seen.result[1], 0);
	for (i = 2; i < N; i++)
		assert_int_equal(seen.result[i], -ECANCELED);
	/* The pool is as good as before. */
	for (i = 0; i < N; i++)
		vmt_job_unref(jobs[i]);
	for (i = 0; i < N; i++)
		jobs[i] = job_new(i, 1, &freed);
	seen = (struct seen){ 0 };
	assert_int_equal(vmt_pool_run_ordered(pool, jobs, N, 0, take, part_free, done, &seen), 0);
	assert_int_equal(seen.parts, N);
	freed -= N;
	end(pool, jobs, N, &freed);
}

/* Waiting for its turn costs a job nothing of its time. */
static void test_a_long_wait_for_the_turn(void **state)
{
	struct vmt_pool *pool = pool_new(2, 3000 * MS);
	struct seen seen = { 0 };
	struct vmt_job *jobs[2];
	/* The second has handed over one part, and waits with another. */
	int offered = 2, freed = 0;
	struct ctx *ctx;
	uint64_t t0;

	jobs[0] = job_new(0, 2, &freed);
	jobs[1] = job_new(1, 3, &freed);
	ctx = vmt_job_context(jobs[0]);
	ctx->wait_for = &offered;
	ctx = vmt_job_context(jobs[1]);
	ctx->offered = &offered;
	t0 = now_ns();
	assert_int_equal(vmt_pool_run_ordered(pool, jobs, 2, 0, take, part_free, done, &seen), 0);
	assert_true(now_ns() - t0 < 120000 * MS);
	assert_int_equal(seen.parts, 5);
	assert_int_equal(seen.result[0], 0);
	assert_int_equal(seen.result[1], 0);
	end(pool, jobs, 2, &freed);
}

/* One that is stuck behind its second part: both come, then its end, then the others. */
static void test_a_job_that_never_ends(void **state)
{
	enum { N = 6 };
	struct vmt_pool *pool = pool_new(2, 2000 * MS);
	struct seen seen = { 0 };
	struct vmt_job *jobs[N];
	int freed = 0, fds[2], i;
	struct ctx *ctx;

	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < N; i++)
		jobs[i] = job_new(i, 2, &freed);
	ctx = vmt_job_context(jobs[2]);
	ctx->block_fd = fds[0];
	assert_int_equal(vmt_pool_run_ordered(pool, jobs, N, 0, take, part_free, done, &seen), 0);
	assert_int_equal(seen.parts, 2 * N);
	for (i = 0; i < N; i++) {
		assert_int_equal(seen.result[i], i == 2 ? -ETIMEDOUT : 0);
		assert_int_equal(seen.owned[i], i != 2);
	}
	assert_int_equal(vmt_pool_stuck(pool), 1);
	close(fds[1]);
	for (i = 0; i < 20000 && vmt_pool_stuck(pool); i++)
		usleep(1000);
	assert_int_equal(vmt_pool_stuck(pool), 0);
	for (i = 0; i < N; i++)
		vmt_job_unref(jobs[i]);
	vmt_pool_free(pool);
	for (i = 0; i < 20000 && __atomic_load_n(&freed, __ATOMIC_SEQ_CST) < N; i++)
		usleep(1000);
	assert_int_equal(freed, N);
	assert_int_equal(live_parts, 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_nobody_wants_more),
		cmocka_unit_test(test_a_long_wait_for_the_turn),
		cmocka_unit_test(test_a_job_that_never_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
