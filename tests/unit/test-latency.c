/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/latency.h"

#define MOST 20000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A generator of its own, so that the distributions are the same everywhere (a xorshift). */
static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct vmt_fault_latency *count(const uint64_t *ns, size_t n)
{
	struct vmt_fault_latency *l = calloc(1, sizeof(*l));
	size_t i;

	assert_non_null(l);
	for (i = 0; i < n; i++) {
		l->bucket[vmt_latency_bucket(ns[i])]++;
		l->count++;
		l->sum_ns += ns[i];
		if (ns[i] > l->max_ns)
			l->max_ns = ns[i];
	}
	return l;
}

/* Every percentile of the times, sorted by the call, against what the buckets say. */
static void judge(const char *name, uint64_t *ns, size_t n)
{
	VMT_AUTO_FREE struct vmt_fault_latency *l = count(ns, n);
	struct vmt_latency_sum sum = { 0 };
	unsigned percent;

	qsort(ns, n, sizeof(*ns), compare);
	vmt_latency_add(&sum, l);
	for (percent = 1; percent <= 100; percent++) {
		uint64_t truth = ns[(n * percent + 99) / 100 - 1], got = 0, off;

		assert_true(vmt_latency_percentile(&sum, percent, &got));
		off = got > truth ? got - truth : truth - got;
		if (off > 8 && off * 16 > truth)
			fail_msg("%s: p%u is %" PRIu64 ", and not %" PRIu64, name, percent, got,
				 truth);
	}
}

static void buckets_follow_each_other(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(vmt_latency_bucket(0), 0);
	assert_int_equal(vmt_latency_from(0), 0);
	for (i = 1; i < VMT_FAULT_BUCKETS; i++) {
		uint64_t from = vmt_latency_from(i), before = vmt_latency_from(i - 1);

		assert_true(from > before);
		assert_int_equal(vmt_latency_bucket(from), i);
		assert_int_equal(vmt_latency_bucket(from - 1), i - 1);
		/* Half of a bucket is 8 ns, or 1/16 of the least in it. */
		assert_true(from - before == 16 || (from - before) * 8 <= before);
	}
	assert_int_equal(vmt_latency_from(VMT_FAULT_BUCKETS - 1), UINT64_C(15) << 34);
	assert_int_equal(vmt_latency_bucket(UINT64_MAX), VMT_FAULT_BUCKETS - 1);
}

static void a_spike_is_where_it_is(void **state)
{
	static const uint64_t at[] = { 1,	70,	 130,	   257,	       1023,	    1024,
				       4095,	50000,	 1999999,  2000000,    2097151,	    2097152,
				       5000000, 5100000, 80000000, 1500000000, 240000000000 };
	uint64_t ns[1000];
	char name[32];
	size_t i, k;

	(void)state;
	for (i = 0; i < VMT_ARRAY_LEN(at); i++) {
		for (k = 0; k < VMT_ARRAY_LEN(ns); k++)
			ns[k] = at[i];
		snprintf(name, sizeof(name), "spike at %" PRIu64, at[i]);
		judge(name, ns, VMT_ARRAY_LEN(ns));
	}
}

static void broad_spreads_too(void **state)
{
	static uint64_t ns[MOST];
	uint64_t random = 88172645463325252u;
	size_t i;

	(void)state;
	for (i = 0; i < MOST; i++)
		ns[i] = 300 + next(&random) % 9700;
	judge("evenly from 0.3 to 10 us", ns, MOST);
	for (i = 0; i < MOST; i++)
		ns[i] = UINT64_C(1) << (6 + next(&random) % 28);
	judge("powers of two", ns, MOST);
	for (i = 0; i < MOST; i++)
		ns[i] = next(&random) >> (26 + next(&random) % 30);
	judge("all magnitudes", ns, MOST);
	/* Most are fast, some wait: within one power of two, too. */
	for (i = 0; i < MOST; i++)
		ns[i] = i % 100 < 60 ? 600 + next(&random) % 30 : 1000 + next(&random) % 20;
	judge("two spikes of one power of two", ns, MOST);
	for (i = 0; i < MOST; i++)
		ns[i] = i % 100 < 97 ? 500 + next(&random) % 400 : 5000000 + next(&random) % 200000;
	judge("a tail of reads", ns, MOST);
}

static void sums_are_of_all_parts(void **state)
{
	uint64_t fast[] = { 500, 510, 520 }, slow[] = { 5000000 };
	VMT_AUTO_FREE struct vmt_fault_latency *a = count(fast, 3), *b = count(slow, 1);
	struct vmt_latency_sum sum = { 0 };
	struct vmt_arena arena;
	struct vmt_hist h;
	uint64_t ns;

	(void)state;
	vmt_arena_init(&arena);
	vmt_latency_add(&sum, a);
	vmt_latency_add(&sum, b);
	assert_int_equal(sum.count, 4);
	assert_int_equal(sum.sum_ns, 5001530);
	assert_int_equal(sum.max_ns, 5000000);
	/* Never more than the longest. */
	assert_true(vmt_latency_percentile(&sum, 100, &ns));
	assert_true(ns <= 5000000 && ns > 4700000);
	assert_true(vmt_latency_hist(&sum, &arena, &h));
	assert_int_equal(h.n, 3);
	assert_int_equal(h.buckets[0].from, 480);
	assert_int_equal(h.buckets[0].to, 511);
	assert_int_equal(h.buckets[0].count, 2);
	assert_int_equal(h.buckets[1].count, 1);
	assert_true(h.buckets[2].from <= 5000000 && h.buckets[2].to >= 5000000);
	vmt_arena_done(&arena);
}

static void the_last_bucket_has_no_end(void **state)
{
	uint64_t minutes[] = { UINT64_C(300000000000), UINT64_C(400000000000) };
	VMT_AUTO_FREE struct vmt_fault_latency *l = count(minutes, 2);
	struct vmt_latency_sum sum = { 0 };
	struct vmt_arena arena;
	struct vmt_hist h;
	uint64_t ns;

	(void)state;
	vmt_arena_init(&arena);
	vmt_latency_add(&sum, l);
	assert_true(vmt_latency_percentile(&sum, 50, &ns));
	assert_int_equal(ns, 400000000000);
	assert_true(vmt_latency_hist(&sum, &arena, &h));
	assert_int_equal(h.n, 1);
	assert_true(h.buckets[0].to == UINT64_MAX);
	vmt_arena_done(&arena);
}

static void unknown_where_nothing_or_too_much(void **state)
{
	struct vmt_latency_sum sum = { 0 };
	struct vmt_fault_latency l = { .count = UINT64_C(5) << 32, .sum_ns = 7, .max_ns = 7 };
	struct vmt_arena arena;
	struct vmt_hist h;
	uint64_t ns;

	(void)state;
	vmt_arena_init(&arena);
	assert_false(vmt_latency_percentile(&sum, 50, &ns));
	l.bucket[3] = 12; /* of more than 2^32 */
	vmt_latency_add(&sum, &l);
	assert_true(sum.overrun);
	assert_false(vmt_latency_percentile(&sum, 50, &ns));
	assert_false(vmt_latency_hist(&sum, &arena, &h));
	assert_int_equal(sum.count, UINT64_C(5) << 32);
	/* One that stands for eight is as often in its bucket. */
	sum = (struct vmt_latency_sum){ 0 };
	l.count = 5;
	l.others = 7;
	vmt_latency_add(&sum, &l);
	assert_false(sum.overrun);
	assert_int_equal(sum.count, 5);
	assert_int_equal(sum.others, 7);
	sum = (struct vmt_latency_sum){ 0 };
	l.others = UINT64_C(7) << 32;
	vmt_latency_add(&sum, &l);
	assert_true(sum.overrun);
	l.others = 0;
	/* Counted, and not in its bucket yet: the probe is at work. */
	sum = (struct vmt_latency_sum){ 0 };
	l.count = 14;
	vmt_latency_add(&sum, &l);
	assert_true(vmt_latency_percentile(&sum, 50, &ns));
	vmt_arena_done(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other),
		cmocka_unit_test(a_spike_is_where_it_is),
		cmocka_unit_test(broad_spreads_too),
		cmocka_unit_test(sums_are_of_all_parts),
		cmocka_unit_test(the_last_bucket_has_no_end),
		cmocka_unit_test(unknown_where_nothing_or_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
