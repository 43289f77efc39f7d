/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_are_first_and_sums_stay),
		cmocka_unit_test(few_stay_as_they_are),
		cmocka_unit_test(unknown_is_not_nothing),
		cmocka_unit_test(times_are_added_up),
		cmocka_unit_test(a_table_gives_the_same_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
