/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/fault-delta.h"
#include "model/latency.h"

/* Two readings of a probe, and what was counted between them. */
struct readings {
	struct vmt_fault_raw maps[2][4];
	struct vmt_fault_proc procs[2][4];
	struct vmt_fault_sample before, now, delta;
	struct vmt_arena arena;
};

static void setup(struct readings *r, size_t n_maps, size_t n_procs)
{
	size_t i, k;

	memset(r, 0, sizeof(*r));
	vmt_arena_init(&r->arena);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < n_maps; i++)
			r->maps[k][i] = (struct vmt_fault_raw){
				.slot = (uint32_t)(7 * i + 3),
				.pid = 100 + i,
				.start_time_ns = 1000 + i,
				.exec_id = 1,
				.class = VMT_FAULT_FILE,
				.inode = 55,
			};
		for (i = 0; i < n_procs; i++)
			r->procs[k][i] = (struct vmt_fault_proc){
				.pid = 100 + i,
				.start_time_ns = 1000 + i,
			};
	}
	r->before.maps = r->maps[0];
	r->before.procs = r->procs[0];
	r->now.maps = r->maps[1];
	r->now.procs = r->procs[1];
	r->before.n_maps = r->now.n_maps = n_maps;
	r->before.n_procs = r->now.n_procs = n_procs;
}

static void take(struct readings *r)
{
	assert_int_equal(vmt_fault_delta(&r->before, &r->now, &r->arena, &r->delta), 0);
}

static void teardown(struct readings *r)
{
	vmt_arena_done(&r->arena);
}

/* Every count of a row is what was added to it; rows to which nothing was added are left out. */
static void test_maps_that_moved(void **state)
{
	struct readings r;
	struct vmt_fault_raw *m;
	uint64_t n = 0;

	setup(&r, 3, 0);
	/* The first stands still, whatever it has. */
	r.maps[0][0].minor = r.maps[1][0].minor = 900;
	r.maps[0][0].retried = r.maps[1][0].retried = 3;
	/* Of the second each count moves by another number. */
#define X(member)                                                                                  \
	n++;                                                                                       \
	r.maps[0][1].member = 1000;                                                                \
	r.maps[1][1].member = 1000 + n;
	VMT_FAULT_COUNTS(X)
	X(retried)
	X(gup)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
	X(kinds[VMT_KIND_ZERO_FILL])
	X(kinds[VMT_FAULT_KINDS - 1])
	X(latency.count)
	X(latency.others)
	X(latency.sum_ns)
	X(spent.lock_ns)
	X(spent.read_ns)
	X(spent.swap_ns)
#undef X
	r.maps[1][1].end = 0x5000;
	r.maps[1][1].path = VMT_BYTES("/lib/libc.so");
	/* The third was retried alone. */
	r.maps[1][2].retried = 1;
	take(&r);
	assert_int_equal(r.delta.n_maps, 2);
	m = &r.delta.maps[0];
	assert_int_equal(m->pid, 101);
	n = 0;
#define X(member) assert_int_equal(m->member, ++n);
	VMT_FAULT_COUNTS(X)
	X(retried)
	X(gup)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
	X(kinds[VMT_KIND_ZERO_FILL])
	X(kinds[VMT_FAULT_KINDS - 1])
	X(latency.count)
	X(latency.others)
	X(latency.sum_ns)
	X(spent.lock_ns)
	X(spent.read_ns)
	X(spent.swap_ns)
#undef X
	/* What the row is, is what it is now. */
	assert_int_equal(m->end, 0x5000);
	assert_bytes(m->path, "/lib/libc.so");
	assert_int_equal(r.delta.maps[1].pid, 102);
	assert_int_equal(r.delta.maps[1].retried, 1);
	teardown(&r);
}

/* A failed fault alone makes a row one that moved. */
static void test_maps_that_failed(void **state)
{
	struct readings r;
	size_t i;

	for (i = 0; i < VMT_FAILURES; i++) {
		setup(&r, 2, 0);
		r.maps[0][1].failed[i] = 4;
		r.maps[1][1].failed[i] = 6;
		take(&r);
		assert_int_equal(r.delta.n_maps, 1);
		assert_int_equal(r.delta.maps[0].pid, 101);
		assert_int_equal(r.delta.maps[0].failed[i], 2);
		teardown(&r);
	}
}

/* Whichever count it is that moves alone. */
static void test_one_count_moves(void **state)
{
	struct readings r;

#define X(member)                                                                                  \
	setup(&r, 2, 2);                                                                           \
	r.maps[1][1].member = 1;                                                                   \
	take(&r);                                                                                  \
	assert_int_equal(r.delta.n_maps, 1);                                                       \
	assert_int_equal(r.delta.maps[0].pid, 101);                                                \
	assert_int_equal(r.delta.n_procs, 0);                                                      \
	teardown(&r);
	X(minor)
	X(major)
	X(retried)
	X(gup)
#undef X
#define X(member)                                                                                  \
	setup(&r, 2, 2);                                                                           \
	r.procs[1][1].member = 1;                                                                  \
	take(&r);                                                                                  \
	assert_int_equal(r.delta.n_procs, 1);                                                      \
	assert_int_equal(r.delta.procs[0].pid, 101);                                               \
	assert_int_equal(r.delta.n_maps, 0);                                                       \
	teardown(&r);
	X(kernel_minor)
	X(kernel_major)
	X(mapped)
	X(gup)
	X(unattributed)
	X(dropped)
	X(retried)
	X(record_minor)
	X(record_major)
	X(abandoned)
	X(failed[0])
	X(failed[VMT_FAILURES - 1])
#undef X
}

static void other_pid(struct vmt_fault_raw *m)
{
	m->pid = 4711;
}

static void other_start(struct vmt_fault_raw *m)
{
	m->start_time_ns++;
}

static void other_image(struct vmt_fault_raw *m)
{
	m->exec_id++;
}

static void other_class(struct vmt_fault_raw *m)
{
	m->class = VMT_FAULT_SHMEM;
}

static void other_inode(struct vmt_fault_raw *m)
{
	m->inode++;
}

/* A slot that another mapping has now: all that this one has was counted since, even where it is
 * less than the other had. One that has moved to another slot is new likewise. */
static void test_slot_taken_over(void **state)
{
	static void (*const changes[])(struct vmt_fault_raw * m) = { other_pid, other_start,
								     other_image, other_class,
								     other_inode };
	struct readings r;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(changes); i++) {
		setup(&r, 2, 0);
		r.maps[0][0].minor = 50;
		r.maps[1][0].minor = 20;
		changes[i](&r.maps[1][0]);
		take(&r);
		assert_int_equal(r.delta.n_maps, 1);
		assert_int_equal(r.delta.maps[0].minor, 20);
		teardown(&r);
	}
	setup(&r, 1, 0);
	r.maps[0][0].minor = 50;
	r.maps[1][0].minor = 60;
	r.maps[1][0].slot = 1000;
	take(&r);
	assert_int_equal(r.delta.n_maps, 1);
	assert_int_equal(r.delta.maps[0].minor, 60);
	teardown(&r);
}

/* Rows of processes that ended stay in the readings, and others have their slots: neither the row
 * that ended nor the one that counts now is taken for the other. */
static void test_slot_of_one_that_ended(void **state)
{
	struct readings r;

	setup(&r, 3, 0);
	/* The first is in the table; the others ended before it had their slot. */
	r.maps[0][1].slot = r.maps[0][2].slot = r.maps[0][0].slot;
	r.maps[0][0].minor = 10;
	r.maps[0][1].minor = 20;
	r.maps[0][2].minor = 30;
	memcpy(r.maps[1], r.maps[0], sizeof(r.maps[1]));
	take(&r);
	assert_int_equal(r.delta.n_maps, 0);
	r.maps[1][0].minor = 12;
	take(&r);
	assert_int_equal(r.delta.n_maps, 1);
	assert_int_equal(r.delta.maps[0].minor, 2);
	/* It ends, too, and another one has the slot. */
	r.maps[1][3] = r.maps[1][0];
	r.maps[1][0].pid = 4711;
	r.maps[1][0].minor = 5;
	r.now.n_maps = 4;
	take(&r);
	assert_int_equal(r.delta.n_maps, 2);
	assert_int_equal(r.delta.maps[0].pid, 4711);
	assert_int_equal(r.delta.maps[0].minor, 5);
	assert_int_equal(r.delta.maps[1].pid, 100);
	assert_int_equal(r.delta.maps[1].minor, 2);
	teardown(&r);
}

/* Rows in another order, one that is gone and one that is new: a row is found by its slot. */
static void test_maps_in_another_order(void **state)
{
	struct readings r;

	setup(&r, 3, 0);
	r.maps[0][0].minor = 10;
	r.maps[0][1].minor = 20;
	r.maps[0][2].minor = 30;
	r.maps[1][0] = r.maps[0][2];
	r.maps[1][0].minor = 33;
	r.maps[1][1] = r.maps[0][1];
	r.maps[1][1].minor = 22;
	r.maps[1][2].slot = 900;
	r.maps[1][2].major = 5;
	take(&r);
	assert_int_equal(r.delta.n_maps, 3);
	assert_int_equal(r.delta.maps[0].minor, 3);
	assert_int_equal(r.delta.maps[1].minor, 2);
	assert_int_equal(r.delta.maps[2].major, 5);
	teardown(&r);
}

/* Counters of a row that is being written to are read one after the other: one that seems to go
 * back has not moved, and does not wrap around. */
static void test_counters_that_go_back(void **state)
{
	struct readings r;

	setup(&r, 2, 1);
	r.maps[0][0].minor = 8;
	r.maps[1][0].minor = 9;
	r.maps[0][0].read = 8;
	r.maps[1][0].read = 7;
	r.maps[0][0].latency.sum_ns = 500;
	r.maps[1][0].latency.sum_ns = 499;
	r.maps[0][0].kinds[VMT_KIND_THP] = 2;
	r.maps[1][0].kinds[VMT_KIND_THP] = 1;
	/* All that it has went back. */
	r.maps[0][1].minor = 8;
	r.maps[1][1].minor = 7;
	r.procs[0][0].mapped = 8;
	r.procs[1][0].mapped = 7;
	r.before.totals.kernel_minor = 2;
	r.now.totals.kernel_minor = 1;
	r.before.totals.failed[VMT_FAILED_OOM] = 2;
	r.now.totals.failed[VMT_FAILED_OOM] = 1;
	r.before.window_ns = 100;
	r.now.window_ns = 99;
	take(&r);
	assert_int_equal(r.delta.n_maps, 1);
	assert_int_equal(r.delta.maps[0].minor, 1);
	assert_int_equal(r.delta.maps[0].read, 0);
	assert_int_equal(r.delta.maps[0].latency.sum_ns, 0);
	assert_int_equal(r.delta.maps[0].kinds[VMT_KIND_THP], 0);
	assert_int_equal(r.delta.n_procs, 0);
	assert_int_equal(r.delta.totals.kernel_minor, 0);
	assert_int_equal(r.delta.totals.failed[VMT_FAILED_OOM], 0);
	assert_int_equal(r.delta.window_ns, 0);
	teardown(&r);
}

/* Buckets of 32 bits run over: what was added to them is right all the same. */
static void test_buckets_that_ran_over(void **state)
{
	struct readings r;
	size_t at = vmt_latency_bucket(1000);

	setup(&r, 1, 0);
	r.maps[0][0].minor = UINT64_C(0x1fffffffe);
	r.maps[1][0].minor = UINT64_C(0x200000003);
	r.maps[0][0].latency.bucket[at] = UINT32_MAX - 1;
	r.maps[1][0].latency.bucket[at] = 3;
	r.maps[1][0].latency.max_ns = 1000;
	take(&r);
	assert_int_equal(r.delta.n_maps, 1);
	assert_int_equal(r.delta.maps[0].minor, 5);
	assert_int_equal(r.delta.maps[0].latency.bucket[at], 5);
	teardown(&r);
}

/* The longest of the interval is that of all time where its bucket moved, else the end of the last
 * bucket that did; never more than there was, and nothing where nothing was timed. */
static void test_longest_of_the_interval(void **state)
{
	struct readings r;
	struct vmt_fault_latency *before = &r.maps[0][0].latency, *now = &r.maps[1][0].latency;
	size_t far = vmt_latency_bucket(5000000), near = vmt_latency_bucket(1000);

	setup(&r, 1, 0);
	r.maps[1][0].minor = 2;
	before->max_ns = now->max_ns = 5000000;
	before->bucket[far] = now->bucket[far] = 1;
	now->bucket[near] = 1;
	now->bucket[near - 3] = 1;
	take(&r);
	assert_int_equal(r.delta.maps[0].latency.max_ns, vmt_latency_from(near + 1) - 1);
	assert_true(r.delta.maps[0].latency.max_ns >= 1000);
	/* The longest of all was one of them. */
	now->bucket[far]++;
	take(&r);
	assert_int_equal(r.delta.maps[0].latency.max_ns, 5000000);
	/* The last bucket has no end. */
	now->bucket[far]--;
	now->bucket[VMT_FAULT_BUCKETS - 1] = 1;
	now->max_ns = UINT64_C(1) << 60;
	take(&r);
	assert_int_equal(r.delta.maps[0].latency.max_ns, UINT64_C(1) << 60);
	/* A fault that was not timed. */
	memcpy(now, before, sizeof(*now));
	take(&r);
	assert_int_equal(r.delta.n_maps, 1);
	assert_int_equal(r.delta.maps[0].latency.max_ns, 0);
	teardown(&r);
}

/* Accounts are found by the process, whatever their order: the number alone does not make it. */
static void test_processes_come_and_go(void **state)
{
	struct readings r;
	struct vmt_fault_proc *p;
	uint64_t n = 0;

	setup(&r, 0, 4);
	/* The first ended, and its number is another's; the second stands still. */
	r.procs[0][0].mapped = 70;
	r.procs[1][0].start_time_ns = 9999;
	r.procs[1][0].mapped = 6;
	r.procs[0][1].mapped = r.procs[1][1].mapped = 50;
	/* The third moves, each count by another number. */
#define X(member)                                                                                  \
	n++;                                                                                       \
	r.procs[0][2].member = 1000;                                                               \
	r.procs[1][2].member = 1000 + n;
	VMT_FAULT_SUMS(X)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
#undef X
	/* The fourth is gone, and a new one came. */
	r.procs[0][3].mapped = 40;
	r.procs[1][3].pid = 7;
	r.procs[1][3].dropped = 2;
	r.procs[1][3].comm = VMT_BYTES("new");
	p = &r.procs[1][0];
	{
		struct vmt_fault_proc first = *p;

		*p = r.procs[1][3];
		r.procs[1][3] = first;
	}
	take(&r);
	assert_int_equal(r.delta.n_procs, 3);
	p = r.delta.procs;
	assert_int_equal(p[0].pid, 7);
	assert_int_equal(p[0].dropped, 2);
	assert_bytes(p[0].comm, "new");
	assert_int_equal(p[1].pid, 102);
	n = 0;
#define X(member) assert_int_equal(p[1].member, ++n);
	VMT_FAULT_SUMS(X)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
#undef X
	assert_int_equal(p[2].pid, 100);
	assert_int_equal(p[2].mapped, 6);
	teardown(&r);
}

/* The sums go with the rows; what was lost is of the probe as a whole. What a difference has no
 * rows of is empty, and the window is that between the readings. */
static void test_sample(void **state)
{
	struct vmt_fault_file file = { .calls = 1 };
	struct vmt_fault_single single = { .pid = 1 };
	struct vmt_fault_by_kind kind = { .minor = 1 };
	struct vmt_fault_stack stack = { .minor = 1 };
	struct readings r;
	uint64_t n = 0;

	setup(&r, 0, 0);
	r.before.start_ns = r.now.start_ns = 1000;
	r.before.window_ns = 300;
	r.now.window_ns = 800;
	r.now.have = VMT_HAVE_MAPS | VMT_HAVE_LATENCY;
	r.now.rung = VMT_RUNG_FEXIT;
	r.now.files = &file;
	r.now.singles = &single;
	r.now.kinds = &kind;
	r.now.stacks = &stack;
	r.now.n_files = r.now.n_singles = r.now.n_kinds = r.now.n_stacks = 1;
#define X(member)                                                                                  \
	n++;                                                                                       \
	r.before.totals.member = 1000;                                                             \
	r.now.totals.member = 1000 + n;
	VMT_FAULT_SUMS(X)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
#undef X
	r.before.totals.lost = 10;
	r.now.totals.lost = 12;
	take(&r);
	n = 0;
#define X(member) assert_int_equal(r.delta.totals.member, ++n);
	VMT_FAULT_SUMS(X)
	X(failed[VMT_FAILED_SIGBUS])
	X(failed[VMT_FAILURES - 1])
#undef X
	assert_int_equal(r.delta.totals.lost, 12);
	assert_int_equal(r.delta.start_ns, 1300);
	assert_int_equal(r.delta.window_ns, 500);
	assert_int_equal(r.delta.have, VMT_HAVE_MAPS | VMT_HAVE_LATENCY);
	assert_int_equal(r.delta.rung, VMT_RUNG_FEXIT);
	assert_int_equal(r.delta.n_maps, 0);
	assert_int_equal(r.delta.n_procs, 0);
	assert_int_equal(r.delta.n_files, 0);
	assert_int_equal(r.delta.n_singles, 0);
	assert_int_equal(r.delta.n_kinds, 0);
	assert_int_equal(r.delta.n_stacks, 0);
	teardown(&r);
}

static int difference(void *arg)
{
	struct readings *r = arg;
	int code;

	vmt_arena_done(&r->arena);
	vmt_arena_init(&r->arena);
	r->delta.n_maps = 99;
	code = vmt_fault_delta(&r->before, &r->now, &r->arena, &r->delta);
	/* Half of a difference is none. */
	assert_int_equal(r->delta.n_maps, code == 0 ? 1 : 99);
	return code;
}

static void test_no_memory(void **state)
{
	struct readings r;

	setup(&r, 2, 2);
	r.maps[1][0].minor = 1;
	r.procs[1][0].mapped = 1;
	assert_true(unit_piece_sweep(difference, &r) >= 3);
	teardown(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_that_moved),
		cmocka_unit_test(test_maps_that_failed),
		cmocka_unit_test(test_one_count_moves),
		cmocka_unit_test(test_slot_taken_over),
		cmocka_unit_test(test_slot_of_one_that_ended),
		cmocka_unit_test(test_maps_in_another_order),
		cmocka_unit_test(test_counters_that_go_back),
		cmocka_unit_test(test_buckets_that_ran_over),
		cmocka_unit_test(test_longest_of_the_interval),
		cmocka_unit_test(test_processes_come_and_go),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
