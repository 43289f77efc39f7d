/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "fault-setup.h"
#include "model/fault-table.h"

#define MANY 250

static const struct vmt_field *by_faults(void)
{
	return &vmt_entity_fault.fields[VMT_FIELD_fault_faults_total];
}

static struct vmt_fault *many(struct vmt_arena *arena)
{
	struct vmt_fault *rows = vmt_arena_alloc(arena, MANY, sizeof(*rows));
	size_t i;

	assert_non_null(rows);
	for (i = 0; i < MANY; i++) {
		VMT_SET(fault, pid, &rows[i], i + 1);
		/* 7 and 250 have no common divisor: each number once, in no order. */
		VMT_SET(fault, faults_total, &rows[i], (i * 7) % MANY + 1);
		VMT_SET(fault, minor_faults_total, &rows[i], rows[i].faults_total);
		VMT_SET(fault, major_faults_total, &rows[i], 0);
		VMT_SET(fault, size_bytes, &rows[i], 4096);
		VMT_SET(fault, path, &rows[i], VMT_BYTES("[heap]"));
	}
	return rows;
}

static void most_are_first_and_sums_stay(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault *rows, *other;
	uint64_t sum = 0;
	size_t n = MANY, i;
	void *out;

	vmt_arena_init(&arena);
	out = many(&arena);
	assert_int_equal(
		vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 100, &arena, &out, &n), 0);
	rows = out;
	assert_int_equal(n, 101);
	for (i = 0; i < 100; i++)
		assert_int_equal(rows[i].faults_total, MANY - i);
	other = &rows[100];
	for (i = 0; i < n; i++)
		sum += rows[i].faults_total;
	assert_int_equal(sum, MANY * (MANY + 1) / 2);
	assert_int_equal(other->minor_faults_total, 150 * 151 / 2);
	assert_true(VMT_HAS(fault, major_faults_total, other));
	assert_int_equal(other->major_faults_total, 0);
	/* It is nobody's, has a name, and what nobody counted it does not have. */
	assert_false(VMT_HAS(fault, pid, other));
	assert_false(VMT_HAS(fault, size_bytes, other));
	assert_false(VMT_HAS(fault, read_faults_total, other));
	assert_true(vmt_bytes_is(other->path, "(other)"));
}

static void few_stay_as_they_are(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault *rows;
	size_t n = 100;
	void *out;

	vmt_arena_init(&arena);
	out = many(&arena);
	assert_int_equal(
		vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 100, &arena, &out, &n), 0);
	rows = out;
	assert_int_equal(n, 100);
	assert_true(vmt_bytes_is(rows[99].path, "[heap]"));
	n = 0;
	assert_int_equal(
		vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 100, &arena, &out, &n), 0);
	assert_int_equal(n, 0);
}

/* Where one of them is unknown, so is the sum; but a sign and a count of nothing are known. */
static void unknown_is_not_nothing(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_balance *b;
	struct vmt_fault *rows;
	size_t n = 3;
	void *out;

	vmt_arena_init(&arena);
	out = rows = many(&arena);
	VMT_UNSET(fault, major_faults_total, &rows[2]);
	assert_int_equal(vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 1, &arena, &out, &n),
			 0);
	rows = out;
	assert_int_equal(n, 2);
	assert_true(VMT_HAS(fault, minor_faults_total, &rows[1]));
	/* Row 2 has the most faults of the three and stands alone. */
	assert_true(VMT_HAS(fault, major_faults_total, &rows[1]));
	out = b = vmt_arena_alloc(&arena, 3, sizeof(*b));
	VMT_SET(balance, kernel_faults_total, &b[0], 9);
	VMT_SET(balance, residual_faults, &b[0], 1);
	VMT_SET(balance, kernel_faults_total, &b[1], 8);
	VMT_SET(balance, residual_faults, &b[1], -5);
	VMT_SET(balance, gup_faults_total, &b[1], 3);
	VMT_SET(balance, kernel_faults_total, &b[2], 7);
	VMT_SET(balance, residual_faults, &b[2], 2);
	n = 3;
	assert_int_equal(vmt_fault_table_bound(
				 &vmt_entity_balance,
				 &vmt_entity_balance.fields[VMT_FIELD_balance_kernel_faults_total],
				 1, &arena, &out, &n),
			 0);
	b = out;
	assert_int_equal(n, 2);
	assert_int_equal(b[1].kernel_faults_total, 15);
	assert_int_equal(b[1].residual_faults, -3);
	assert_false(VMT_HAS(balance, gup_faults_total, &b[1]));
	assert_true(vmt_bytes_is(b[1].comm, "(other)"));
}

/* The histogram of the others is that of all of them, and the percentiles follow from it. */
static void times_are_added_up(void **unused)
{
	static const struct vmt_hist_bucket a[] = { { 128, 143, 98 } }, b[] = { { 1024, 1151, 2 } };
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault *rows;
	size_t n = 4;
	void *out;

	vmt_arena_init(&arena);
	out = rows = vmt_arena_alloc(&arena, n, sizeof(*rows));
	VMT_SET(fault, faults_total, &rows[0], 1000);
	VMT_SET(fault, faults_total, &rows[1], 98);
	VMT_SET(fault, count, &rows[1], 98);
	VMT_SET(fault, max_ns, &rows[1], 140);
	VMT_SET(fault, total_ns, &rows[1], 98 * 140);
	VMT_SET(fault, histogram, &rows[1], ((struct vmt_hist){ a, 1 }));
	VMT_SET(fault, faults_total, &rows[2], 2);
	VMT_SET(fault, count, &rows[2], 2);
	VMT_SET(fault, max_ns, &rows[2], 1100);
	VMT_SET(fault, total_ns, &rows[2], 2200);
	VMT_SET(fault, histogram, &rows[2], ((struct vmt_hist){ b, 1 }));
	/* One of which no fault was timed has no times, and takes none away. */
	VMT_SET(fault, faults_total, &rows[3], 0);
	VMT_SET(fault, count, &rows[3], 0);
	assert_int_equal(vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 1, &arena, &out, &n),
			 0);
	rows = out;
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].count, 100);
	assert_int_equal(rows[1].total_ns, 98 * 140 + 2200);
	assert_int_equal(rows[1].max_ns, 1100);
	assert_int_equal(rows[1].histogram.n, 2);
	assert_int_equal(rows[1].histogram.buckets[0].count, 98);
	assert_int_equal(rows[1].histogram.buckets[1].count, 2);
	assert_in_range(rows[1].p50_ns, 128, 143);
	assert_in_range(rows[1].p99_ns, 1024, 1151);
}

/* What the model has of a probe, and of a table that was made of the same probe. */
static void a_table_gives_the_same_model(void **state)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct fault_setup *s = fault_begin(sizeof(*s), VMT_RUNG_FEXIT,
					    VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_GUP);
	struct vmt_fault_raw map = { .slot = 1,
				     .pid = 7,
				     .owner_pid = 7,
				     .start = 0x1000,
				     .end = 0x9000,
				     .path = VMT_BYTES("[heap]"),
				     .comm = VMT_BYTES("x"),
				     .special = VMT_FAULT_HEAP,
				     .minor = 5,
				     .major = 1,
				     .read = 2,
				     .write = 4 };
	struct vmt_fault_proc proc = { .pid = 7,
				       .comm = VMT_BYTES("x"),
				       .kernel_minor = 6,
				       .kernel_major = 1,
				       .mapped = 6,
				       .gup = 1 };
	const struct vmt_fault *f;

	vmt_arena_init(&arena);
	s->faults.maps = &map;
	s->faults.n_maps = 1;
	s->faults.procs = &proc;
	s->faults.n_procs = 1;
	s->faults.totals.lost = 3;
	assert_int_equal(vmt_fault_table_make(s->sample), 0);
	s->sample->faults = NULL;
	assert_int_equal(vmt_model_build(s->sample, NULL, NULL, &s->model, NULL), 0);
	assert_true(s->model->has_probe);
	assert_int_equal(s->model->probe.lost, 3);
	assert_int_equal(s->model->n_faults, 1);
	f = &s->model->faults[0];
	assert_int_equal(f->faults_total, 6);
	assert_int_equal(f->write_faults_total, 4);
	assert_true(vmt_bytes_is(f->path, "[heap]"));
	/* Nobody read the list of its mappings. */
	assert_false(VMT_HAS(fault, state, f));
	assert_int_equal(s->model->n_balance, 1);
	assert_int_equal(s->model->balance[0].kernel_faults_total, 7);
	*state = s;
	fault_end(state);
}

/* Rows of equal weight and of none, most first: as they were. */
static void equal_rows_stay_in_order(void **unused)
{
	static const uint64_t faults[] = { 5, 0, 9, 5, 0, 5, 9 }, want[] = { 3, 7, 1, 4, 6, 2, 5 };
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault *rows;
	size_t n = VMT_ARRAY_LEN(faults), i;
	void *out;

	vmt_arena_init(&arena);
	out = rows = vmt_arena_alloc(&arena, n, sizeof(*rows));
	for (i = 0; i < n; i++) {
		VMT_SET(fault, pid, &rows[i], i + 1);
		if (faults[i])
			VMT_SET(fault, faults_total, &rows[i], faults[i]);
	}
	assert_int_equal(vmt_fault_table_bound(&vmt_entity_fault, by_faults(), n, &arena, &out, &n),
			 0);
	rows = out;
	for (i = 0; i < n; i++)
		assert_field(fault, pid, &rows[i], want[i]);
}

static struct vmt_fault timed(uint64_t faults, uint64_t count, uint64_t max,
			      const struct vmt_hist_bucket *bucket)
{
	struct vmt_fault f = { 0 };

	VMT_SET(fault, faults_total, &f, faults);
	VMT_SET(fault, count, &f, count);
	if (max)
		VMT_SET(fault, max_ns, &f, max);
	if (bucket)
		VMT_SET(fault, histogram, &f, ((struct vmt_hist){ bucket, 1 }));
	return f;
}

/* What the others are timed at, by what is known of each of two. */
static void times_that_are_not_all_known(void **unused)
{
	static const struct vmt_hist_bucket some[] = { { 128, 143, 10 } },
					    more[] = { { 1024, 1151, 1000 } };
	struct {
		struct vmt_fault rows[3];
		bool max, hist, percentiles;
	} cases[] = {
		{ { timed(9, 1, 1, NULL), timed(2, 10, 140, some), timed(1, 10, 140, some) },
		  true,
		  true,
		  true },
		/* One whose longest is not known. */
		{ { timed(9, 1, 1, NULL), timed(2, 10, 0, some), timed(1, 10, 140, some) },
		  false,
		  false,
		  false },
		/* One without a histogram, first or last: the percentiles are in none. */
		{ { timed(9, 1, 1, NULL), timed(2, 10, 140, NULL), timed(1, 10, 130, some) },
		  true,
		  false,
		  false },
		{ { timed(9, 1, 1, NULL), timed(2, 10, 140, some), timed(1, 10, 130, NULL) },
		  true,
		  false,
		  false },
		/* None was timed. */
		{ { timed(9, 1, 1, NULL), timed(2, 0, 0, NULL), timed(1, 0, 0, NULL) },
		  false,
		  false,
		  false },
		/* Buckets of more than were counted: they were read later. */
		{ { timed(9, 1, 1, NULL), timed(2, 10, 140, some), timed(1, 10, 1100, more) },
		  true,
		  true,
		  true },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
		void *out = cases[i].rows;
		const struct vmt_fault *other;
		size_t n = 3;

		vmt_arena_init(&arena);
		assert_int_equal(
			vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 1, &arena, &out, &n),
			0);
		assert_int_equal(n, 2);
		other = (const struct vmt_fault *)out + 1;
		assert_field(fault, faults_total, other, 3);
		assert_int_equal(VMT_HAS(fault, max_ns, other), cases[i].max);
		if (cases[i].max)
			assert_true(other->max_ns >= 140);
		assert_int_equal(VMT_HAS(fault, histogram, other), cases[i].hist);
		assert_int_equal(VMT_HAS(fault, p50_ns, other), cases[i].percentiles);
		assert_int_equal(VMT_HAS(fault, p99_ns, other), cases[i].percentiles);
		/* Nobody says whether each was. */
		assert_unknown(fault, sampled, other);
	}
}

/* Of others of which one is a sample, it is one; where one does not say it, nobody knows. */
static void samples_among_others(void **unused)
{
	static const struct {
		int a, b, both; /* -1: unknown */
	} cases[] = { { 0, 0, 0 }, { 1, 0, 1 }, { 0, 1, 1 }, { -1, 0, -1 }, { 1, -1, -1 } };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_fault rows[] = { timed(9, 1, 1, NULL), timed(2, 1, 1, NULL),
					    timed(1, 1, 1, NULL) };
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
		const struct vmt_fault *other;
		void *out = rows;
		size_t n = 3;

		vmt_arena_init(&arena);
		if (cases[i].a >= 0)
			VMT_SET(fault, sampled, &rows[1], cases[i].a != 0);
		if (cases[i].b >= 0)
			VMT_SET(fault, sampled, &rows[2], cases[i].b != 0);
		assert_int_equal(
			vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 1, &arena, &out, &n),
			0);
		other = (const struct vmt_fault *)out + 1;
		assert_int_equal(VMT_HAS(fault, sampled, other), cases[i].both >= 0);
		if (cases[i].both >= 0)
			assert_int_equal(other->sampled, cases[i].both);
	}
}

static int bound(void *arg)
{
	static const struct vmt_hist_bucket some[] = { { 128, 143, 10 } };
	struct vmt_fault rows[] = { timed(9, 1, 1, NULL), timed(2, 10, 140, some),
				    timed(1, 10, 140, some) };
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	void *out = rows;
	size_t n = 3;
	int r;

	(void)arg;
	vmt_arena_init(&arena);
	r = vmt_fault_table_bound(&vmt_entity_fault, by_faults(), 1, &arena, &out, &n);
	if (r == 0) {
		const struct vmt_fault *other = (const struct vmt_fault *)out + 1;

		assert_int_equal(n, 2);
		assert_int_equal(other->histogram.buckets[0].count, 20);
	}
	return r;
}

static int table(void *arg)
{
	struct vmt_fault_raw maps[VMT_FAULT_TABLE_ROWS + 2] = { 0 };
	struct vmt_fault_proc procs[VMT_FAULT_TABLE_ROWS + 2] = { 0 };
	struct vmt_fault_sample faults = { .rung = VMT_RUNG_FEXIT, .have = VMT_HAVE_MAPS };
	struct vmt_sample *s = vmt_sample_new();
	size_t i;
	int r;

	(void)arg;
	if (!s)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(maps); i++) {
		maps[i] = (struct vmt_fault_raw){
			.pid = i + 1, .start = 0x1000, .end = 0x2000, .minor = i + 1
		};
		procs[i] = (struct vmt_fault_proc){ .pid = i + 1, .kernel_minor = i + 1 };
	}
	faults.maps = maps;
	faults.procs = procs;
	faults.n_maps = faults.n_procs = VMT_ARRAY_LEN(maps);
	s->host.page_size = 4096;
	s->faults = &faults;
	r = vmt_fault_table_make(s);
	assert_int_equal(s->fault_table != NULL, r == 0);
	s->faults = NULL;
	if (r == 0) {
		assert_int_equal(s->fault_table->n_rows, VMT_FAULT_TABLE_ROWS + 1);
		assert_int_equal(s->fault_table->n_procs, VMT_FAULT_TABLE_ROWS + 1);
		/* What is between two counters is known at the end alone. */
		assert_unknown(balance, residual_faults, &s->fault_table->procs[0]);
	}
	vmt_sample_free(s);
	return r;
}

static void tables_without_memory(void **unused)
{
	assert_true(unit_piece_sweep(bound, NULL) >= 3);
	assert_true(unit_piece_sweep(table, NULL) >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_are_first_and_sums_stay),
		cmocka_unit_test(few_stay_as_they_are),
		cmocka_unit_test(unknown_is_not_nothing),
		cmocka_unit_test(times_are_added_up),
		cmocka_unit_test(a_table_gives_the_same_model),
		cmocka_unit_test(equal_rows_stay_in_order),
		cmocka_unit_test(times_that_are_not_all_known),
		cmocka_unit_test(samples_among_others),
		cmocka_unit_test(tables_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
