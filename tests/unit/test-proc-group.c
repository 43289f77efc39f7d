/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/proc-group.h"

static struct vmt_proc process(uint64_t pid, uint64_t ppid, uint64_t start, const char *class)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, ppid, &p, ppid);
	if (start)
		VMT_SET(proc, start_time_ns, &p, start);
	VMT_SET(proc, class, &p, vmt_bytes_of(class));
	return p;
}

static void test_groups(void **state)
{
	struct vmt_proc procs[6];
	struct vmt_proc_group *groups = NULL;
	struct vmt_arena a;
	size_t n = 0, i;

	for (i = 0; i < VMT_ARRAY_LEN(procs); i++)
		procs[i] = process(i + 1, 0, 0, i == 4 ? "kernel" : "user");
	VMT_SET(proc, user, &procs[0], VMT_BYTES("root"));
	VMT_SET(proc, rss_bytes, &procs[0], 10);
	VMT_SET(proc, pss_bytes, &procs[0], 1);
	VMT_SET(proc, rss_delta_bytes, &procs[0], -5);
	VMT_SET(proc, user, &procs[1], VMT_BYTES("alice"));
	VMT_SET(proc, user, &procs[2], VMT_BYTES("root"));
	VMT_SET(proc, rss_bytes, &procs[2], 20);
	VMT_SET(proc, rss_delta_bytes, &procs[2], 3);
	VMT_SET(proc, user, &procs[3], VMT_BYTES("root"));
	VMT_SET(proc, user, &procs[4], VMT_BYTES("root"));
	VMT_SET(proc, rss_bytes, &procs[5], 7);
	vmt_arena_init(&a);
	assert_int_equal(vmt_proc_groups(procs, 6, VMT_GROUP_BY_USER, &a, &groups, &n), 0);
	assert_int_equal(n, 3);
	/* Those that do not say it. */
	assert_unknown(group, name, &groups[0]);
	assert_field(group, rss_bytes, &groups[0], 7);
	/* Of a sum over nothing known, nothing is known: never 0. */
	assert_text(group, name, &groups[1], "alice");
	assert_field(group, processes_total, &groups[1], 1);
	assert_field(group, unknown_total, &groups[1], 1);
	assert_unknown(group, rss_bytes, &groups[1]);
	/* A kernel thread is one of them and has nothing that could be missing. */
	assert_text(group, name, &groups[2], "root");
	assert_field(group, processes_total, &groups[2], 4);
	assert_field(group, rss_bytes, &groups[2], 30);
	assert_field(group, unknown_total, &groups[2], 1);
	assert_field(group, pss_bytes, &groups[2], 1);
	assert_field(group, pss_unknown_total, &groups[2], 2);
	assert_true(VMT_HAS(group, rss_delta_bytes, &groups[2]));
	assert_true(groups[2].rss_delta_bytes == -2);
	assert_unknown(group, swap_bytes, &groups[2]);
	assert_int_equal(vmt_proc_groups(procs, 0, VMT_GROUP_BY_COMM, &a, &groups, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(vmt_proc_groups(procs, 6, VMT_GROUP_BY_CGROUP, &a, &groups, &n), 0);
	assert_int_equal(n, 1);
	vmt_arena_done(&a);
}

/* The memory of one address space counts once in each group, and in a tree below its parent. */
static void a11_one_address_space(void **state)
{
	static const char *const users[] = { "root", "root", "alice", "alice", "root" };
	struct vmt_proc procs[5];
	const void *rows[5];
	struct vmt_proc_group *groups = NULL;
	size_t n = 0, i, *parents = NULL;
	struct vmt_arena a;

	for (i = 0; i < VMT_ARRAY_LEN(procs); i++) {
		rows[i] = &procs[i];
		procs[i] = process(i + 1, i ? 1 : 0, 5 + i, "user");
		VMT_SET(proc, user, &procs[i], vmt_bytes_of(users[i]));
		VMT_SET(proc, rss_bytes, &procs[i], 10);
		VMT_SET(proc, minor_faults_per_second, &procs[i], 1000);
		/* All but the last, of which it is not known, are the first. */
		if (i < 4)
			VMT_SET(proc, shared_mm, &procs[i], 1);
		assert_int_equal(vmt_proc_mm(&procs[i]), i < 4 ? 1 : 5);
	}
	vmt_arena_init(&a);
	assert_int_equal(vmt_proc_groups(procs, 5, VMT_GROUP_BY_USER, &a, &groups, &n), 0);
	assert_int_equal(n, 2);
	assert_text(group, name, &groups[0], "alice");
	assert_field(group, processes_total, &groups[0], 2);
	assert_field(group, rss_bytes, &groups[0], 10);
	assert_field(group, minor_faults_per_second, &groups[0], 2000);
	assert_field(group, processes_total, &groups[1], 3);
	assert_field(group, rss_bytes, &groups[1], 20);
	assert_field(group, unknown_total, &groups[1], 0);
	assert_int_equal(vmt_proc_tree(rows, 5, procs, &parents), 0);
	assert_field(proc, tree_rss_bytes, &procs[0], 20);
	assert_field(proc, tree_rss_bytes, &procs[1], 10);
	free(parents);
	vmt_arena_done(&a);
}

static void tree_of(struct vmt_proc *procs, size_t n, const uint64_t *pids, const uint64_t *depths)
{
	const void **rows = calloc(n, sizeof(*rows));
	size_t *parents = NULL, i;

	assert_non_null(rows);
	for (i = 0; i < n; i++)
		rows[i] = &procs[i];
	assert_int_equal(vmt_proc_tree(rows, n, procs, &parents), 0);
	for (i = 0; i < n; i++) {
		const struct vmt_proc *p = rows[i];

		assert_field(proc, pid, p, pids[i]);
		assert_field(proc, depth, p, depths[i]);
		if (depths[i]) {
			const struct vmt_proc *up = rows[parents[i]];

			assert_true(parents[i] < i);
			assert_int_equal(up->pid, p->ppid);
			assert_int_equal(up->depth + 1, p->depth);
		} else {
			assert_true(parents[i] == SIZE_MAX);
		}
	}
	free(parents);
	free(rows);
}

static void test_tree(void **state)
{
	struct vmt_proc procs[] = {
		process(30, 10, 300, "user"), process(40, 30, 400, "user"),
		process(10, 1, 100, "user"),  process(20, 1, 200, "user"),
		process(50, 10, 500, "user"), process(60, 99, 600, "zombie"),
	};
	static const uint64_t pids[] = { 10, 30, 40, 50, 20, 60 };
	static const uint64_t depths[] = { 0, 1, 2, 1, 0, 0 };

	VMT_SET(proc, rss_bytes, &procs[0], 1);
	VMT_SET(proc, rss_bytes, &procs[1], 2);
	VMT_SET(proc, rss_bytes, &procs[2], 4);
	VMT_SET(proc, rss_bytes, &procs[4], 8);
	tree_of(procs, 6, pids, depths);
	assert_field(proc, tree_rss_bytes, &procs[2], 15);
	assert_field(proc, tree_rss_bytes, &procs[0], 3);
	assert_field(proc, tree_rss_bytes, &procs[1], 2);
	assert_unknown(proc, tree_rss_bytes, &procs[3]);
	assert_unknown(proc, tree_rss_bytes, &procs[5]);
}

/* What is not known below makes the sum unknown; what has no memory does not. */
static void test_tree_of_the_unknown(void **state)
{
	struct vmt_proc procs[] = {
		process(1, 0, 1, "user"),
		process(2, 1, 2, "user"),
		process(3, 2, 3, "zombie"),
		process(4, 2, 4, "user"),
	};
	static const uint64_t pids[] = { 1, 2, 3, 4 }, depths[] = { 0, 1, 2, 2 };

	VMT_SET(proc, rss_bytes, &procs[0], 5);
	VMT_SET(proc, rss_bytes, &procs[1], 7);
	VMT_SET(proc, rss_bytes, &procs[3], 9);
	tree_of(procs, 4, pids, depths);
	assert_field(proc, tree_rss_bytes, &procs[0], 21);
	VMT_UNSET(proc, rss_bytes, &procs[3]);
	VMT_UNSET(proc, tree_rss_bytes, &procs[3]);
	tree_of(procs, 4, pids, depths);
	assert_unknown(proc, tree_rss_bytes, &procs[0]);
	assert_unknown(proc, tree_rss_bytes, &procs[1]);
}

/* A parent that is younger than its child is another process with its number; nobody is its own
 * ancestor. */
static void test_tree_of_liars(void **state)
{
	struct vmt_proc recycled[] = { process(5, 9, 100, "user"), process(9, 1, 200, "user") };
	struct vmt_proc self[] = { process(5, 5, 100, "user") };
	struct vmt_proc ring[] = { process(1, 3, 0, "user"), process(2, 1, 0, "user"),
				   process(3, 2, 0, "user") };
	static const uint64_t one[] = { 5, 9 }, none[] = { 0, 0 }, rings[] = { 3, 1, 2 },
			      steps[] = { 0, 1, 2 };

	tree_of(recycled, 2, one, none);
	tree_of(self, 1, one, none);
	tree_of(ring, 3, rings, steps);
}

static int make_tree(void *arg)
{
	struct vmt_proc procs[] = { process(1, 0, 1, "user"), process(2, 1, 2, "user") };
	const void *rows[] = { &procs[0], &procs[1] };
	size_t *parents = NULL;
	int r = vmt_proc_tree(rows, 2, procs, &parents);

	free(parents);
	return r;
}

static int make_groups(void *arg)
{
	struct vmt_proc procs[] = { process(1, 0, 1, "user") };
	struct vmt_proc_group *groups;
	struct vmt_arena a;
	size_t n;
	int r;

	vmt_arena_init(&a);
	r = vmt_proc_groups(procs, 1, VMT_GROUP_BY_USER, &a, &groups, &n);
	vmt_arena_done(&a);
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(unit_piece_sweep(make_tree, NULL) >= 4);
	assert_true(unit_piece_sweep(make_groups, NULL) >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),	      cmocka_unit_test(a11_one_address_space),
		cmocka_unit_test(test_tree),	      cmocka_unit_test(test_tree_of_the_unknown),
		cmocka_unit_test(test_tree_of_liars), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
