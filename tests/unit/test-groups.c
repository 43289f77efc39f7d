/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums and rates of groups: a term that is unknown, and terms that are more than 64 bits together.
 * No sum starts again at 0, and none is said to be known of which a term is not.
 */
#include "unit.h"

#include <stdlib.h>

#include "model/cached-group.h"
#include "model/cgroup.h"
#include "model/model.h"
#include "model/proc-group.h"

static const size_t proc_sums[] = {
	offsetof(struct vmt_proc_group, minor_faults_per_second),
	offsetof(struct vmt_proc_group, major_faults_per_second),
	offsetof(struct vmt_proc_group, rss_bytes),
	offsetof(struct vmt_proc_group, anonymous_bytes),
	offsetof(struct vmt_proc_group, file_bytes),
	offsetof(struct vmt_proc_group, shmem_bytes),
	offsetof(struct vmt_proc_group, swap_bytes),
	offsetof(struct vmt_proc_group, pss_bytes),
	offsetof(struct vmt_proc_group, uss_bytes),
	offsetof(struct vmt_proc_group, swap_pss_bytes),
	offsetof(struct vmt_proc_group, rss_delta_bytes),
};

static struct vmt_proc process(uint64_t pid, uint64_t v)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, comm, &p, VMT_BYTES("x"));
	VMT_SET(proc, minor_faults_per_second, &p, v);
	VMT_SET(proc, major_faults_per_second, &p, v);
	VMT_SET(proc, rss_bytes, &p, v);
	VMT_SET(proc, anonymous_bytes, &p, v);
	VMT_SET(proc, file_bytes, &p, v);
	VMT_SET(proc, shmem_bytes, &p, v);
	VMT_SET(proc, swap_bytes, &p, v);
	VMT_SET(proc, pss_bytes, &p, v);
	VMT_SET(proc, uss_bytes, &p, v);
	VMT_SET(proc, swap_pss_bytes, &p, v);
	VMT_SET(proc, rss_delta_bytes, &p, (int64_t)(v / 2));
	return p;
}

/* What fits is added; what does not leaves the sum as it was. */
static void sums_do_not_wrap(void **state)
{
	static const struct {
		uint64_t a, b, sum;
	} cases[] = {
		{ 10, 20, 30 },
		{ UINT64_MAX - 5, 5, UINT64_MAX },
		{ UINT64_MAX - 5, 6, UINT64_MAX - 5 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		const struct vmt_proc procs[] = { process(1, cases[i].a), process(2, cases[i].b) };
		struct vmt_proc_group *groups;
		struct vmt_arena arena;
		size_t n;

		vmt_arena_init(&arena);
		assert_int_equal(vmt_proc_groups(procs, 2, VMT_GROUP_BY_COMM, &arena, &groups, &n),
				 0);
		assert_int_equal(n, 1);
		assert_field(group, processes_total, &groups[0], 2);
		assert_field(group, unknown_total, &groups[0], 0);
		assert_true(VMT_HAS(group, rss_bytes, &groups[0]));
		assert_true(VMT_HAS(group, swap_pss_bytes, &groups[0]));
		for (k = 0; k + 1 < VMT_ARRAY_LEN(proc_sums); k++) {
			uint64_t v;

			memcpy(&v, (const char *)&groups[0] + proc_sums[k], sizeof(v));
			assert_true(v == cases[i].sum);
		}
		vmt_arena_done(&arena);
	}
}

/* Signed: in either direction. */
static void changes_do_not_wrap(void **state)
{
	static const struct {
		int64_t a, b, sum;
	} cases[] = {
		{ INT64_MAX, 1, INT64_MAX },
		{ INT64_MIN, -1, INT64_MIN },
		{ INT64_MIN, INT64_MAX, -1 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc procs[] = { process(1, 1), process(2, 1) };
		struct vmt_proc_group *groups;
		struct vmt_arena arena;
		size_t n;

		procs[0].rss_delta_bytes = cases[i].a;
		procs[1].rss_delta_bytes = cases[i].b;
		vmt_arena_init(&arena);
		assert_int_equal(vmt_proc_groups(procs, 2, VMT_GROUP_BY_COMM, &arena, &groups, &n),
				 0);
		assert_true(VMT_HAS(group, rss_delta_bytes, &groups[0]));
		assert_true(groups[0].rss_delta_bytes == cases[i].sum);
		vmt_arena_done(&arena);
	}
}

static int named(void *arg)
{
	const struct vmt_proc procs[] = { process(1, 1), process(2, 2), process(3, 4) };
	const struct vmt_bytes names[] = { VMT_BYTES("b"), { 0 }, VMT_BYTES("a") };
	struct vmt_proc_group *groups;
	struct vmt_arena arena;
	size_t n;
	int r;

	(void)arg;
	vmt_arena_init(&arena);
	r = vmt_proc_groups_named(procs, names, 3, &arena, &groups, &n);
	if (r == 0) {
		/* The one without a name is of none. */
		assert_int_equal(n, 2);
		assert_text(group, name, &groups[0], "a");
		assert_field(group, rss_bytes, &groups[0], 4);
		assert_text(group, name, &groups[1], "b");
		assert_field(group, rss_bytes, &groups[1], 1);
		r = vmt_proc_groups_named(procs, names, 0, &arena, &groups, &n);
		assert_true(r < 0 || n == 0);
	}
	vmt_arena_done(&arena);
	return r;
}

static void named_groups(void **state)
{
	assert_true(unit_piece_sweep(named, NULL) >= 4);
}

/* A tree of a parent and a child, whose sum is returned in *ret; false: unknown. */
static bool tree_sum(struct vmt_proc *procs, uint64_t *ret)
{
	const void *rows[] = { &procs[0], &procs[1] };
	size_t *parents;

	assert_int_equal(vmt_proc_tree(rows, 2, procs, &parents), 0);
	free(parents);
	*ret = procs[0].tree_rss_bytes;
	return VMT_HAS(proc, tree_rss_bytes, &procs[0]);
}

static void trees(void **state)
{
	static const struct {
		uint64_t parent, child, sum;
		const char *class; /* of the child; NULL: unknown */
		uint64_t shared; /* the child's address space; 0: its own */
		uint64_t ppid; /* 0: unknown */
		bool known;
	} cases[] = {
		{ 5, 7, 12, "user", 0, 1, true },
		{ 5, 7, 12, NULL, 0, 1, true },
		/* What has memory after all counts, whatever it is called. */
		{ 5, 7, 12, "kernel", 0, 1, true },
		{ 5, 5, 5, "user", 1, 1, true },
		/* Of whom nobody says whose child it is: of nobody. */
		{ 5, 7, 5, "user", 0, 0, true },
		{ UINT64_MAX - 7, 7, UINT64_MAX, "user", 0, 1, true },
		{ UINT64_MAX - 7, 8, 0, "user", 0, 1, false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc procs[] = { process(1, cases[i].parent),
					    process(2, cases[i].child) };
		uint64_t sum;

		VMT_SET(proc, ppid, &procs[0], 9);
		if (cases[i].ppid)
			VMT_SET(proc, ppid, &procs[1], cases[i].ppid);
		if (cases[i].class)
			VMT_SET(proc, class, &procs[1], vmt_bytes_of(cases[i].class));
		if (cases[i].shared)
			VMT_SET(proc, shared_mm, &procs[1], cases[i].shared);
		assert_int_equal(tree_sum(procs, &sum), cases[i].known);
		if (cases[i].known)
			assert_true(sum == cases[i].sum);
	}
}

/* Who is older is known of both, or is not asked. */
static void trees_of_unknown_age(void **state)
{
	uint64_t sum;
	int i;

	for (i = 0; i < 4; i++) {
		struct vmt_proc procs[] = { process(1, 5), process(2, 7) };

		VMT_SET(proc, ppid, &procs[1], 1);
		if (i & 1)
			VMT_SET(proc, start_time_ns, &procs[0], 300);
		if (i & 2)
			VMT_SET(proc, start_time_ns, &procs[1], 200);
		assert_true(tree_sum(procs, &sum));
		assert_int_equal(sum, i == 3 ? 5 : 12);
	}
}

static struct vmt_cached_file cached(const char *path, const char *type, const char *device)
{
	struct vmt_cached_file f = { 0 };

	if (path)
		VMT_SET(cached_file, path, &f, vmt_bytes_of(path));
	if (type)
		VMT_SET(cached_file, fs_type, &f, vmt_bytes_of(type));
	if (device)
		VMT_SET(cached_file, device, &f, vmt_bytes_of(device));
	VMT_SET(cached_file, cached_bytes, &f, 100);
	VMT_SET(cached_file, size_bytes, &f, 200);
	VMT_SET(cached_file, dirty_bytes, &f, 10);
	VMT_SET(cached_file, writeback_bytes, &f, 20);
	VMT_SET(cached_file, evicted_bytes, &f, 30);
	VMT_SET(cached_file, recently_evicted_bytes, &f, 40);
	return f;
}

static void cached_names(void **state)
{
	static const struct {
		const char *path, *type, *device;
		enum vmt_cached_group_by by;
		const char *name;
	} cases[] = {
		{ "/a/b", "ext4", "fe:00", VMT_CACHED_BY_DIR, "/a" },
		{ "[/a]", "ext4", "fe:00", VMT_CACHED_BY_DIR, "[" },
		{ "[a]", "ext4", "fe:00", VMT_CACHED_BY_DIR, "[ext4 fe:00]" },
		{ "[a]", "ext4", NULL, VMT_CACHED_BY_DIR, "ext4" },
		{ "[a]", NULL, NULL, VMT_CACHED_BY_DIR, "unknown" },
		{ "[a]", NULL, "fe:00", VMT_CACHED_BY_DIR, "[unknown fe:00]" },
		{ "", "ext4", "fe:00", VMT_CACHED_BY_DIR, "" },
		{ "b", "ext4", "fe:00", VMT_CACHED_BY_DIR, "b" },
		{ NULL, "ext4", "fe:00", VMT_CACHED_BY_DIR, "[ext4 fe:00]" },
		{ "/a/b", "ext4", "fe:00", VMT_CACHED_BY_FS, "ext4 fe:00" },
		{ "/a/b", "ext4", NULL, VMT_CACHED_BY_FS, "ext4" },
		{ "/a/b", NULL, NULL, VMT_CACHED_BY_FS, "unknown" },
	};
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		const struct vmt_cached_file f =
			cached(cases[i].path, cases[i].type, cases[i].device);
		struct vmt_cached_group *groups;
		struct vmt_arena arena;

		vmt_arena_init(&arena);
		assert_int_equal(vmt_cached_groups(&f, 1, cases[i].by, &arena, &groups, &n), 0);
		assert_int_equal(n, 1);
		assert_text(cached_group, name, &groups[0], cases[i].name);
		vmt_arena_done(&arena);
	}
}

/* A sum without one of its terms is unknown, whichever of the files it is that does not say it. */
static void cached_sums(void **state)
{
	struct vmt_cached_group *groups;
	struct vmt_arena arena;
	size_t n, at;

	vmt_arena_init(&arena);
	for (at = 0; at < 4; at++) {
		struct vmt_cached_file f[3];

		for (n = 0; n < 3; n++)
			f[n] = cached("/a/b", "ext4", "fe:00");
		if (at < 3) {
			VMT_UNSET(cached_file, dirty_bytes, &f[at]);
			VMT_UNSET(cached_file, writeback_bytes, &f[at]);
			VMT_UNSET(cached_file, evicted_bytes, &f[at]);
			VMT_UNSET(cached_file, recently_evicted_bytes, &f[at]);
			VMT_UNSET(cached_file, size_bytes, &f[at]);
		} else {
			f[0].size_bytes = UINT64_MAX - 1;
		}
		assert_int_equal(vmt_cached_groups(f, 3, VMT_CACHED_BY_FS, &arena, &groups, &n), 0);
		assert_int_equal(n, 1);
		assert_field(cached_group, cached_bytes, &groups[0], 300);
		if (at < 3) {
			assert_unknown(cached_group, dirty_bytes, &groups[0]);
			assert_unknown(cached_group, writeback_bytes, &groups[0]);
			assert_unknown(cached_group, evicted_bytes, &groups[0]);
			assert_unknown(cached_group, recently_evicted_bytes, &groups[0]);
		} else {
			assert_field(cached_group, dirty_bytes, &groups[0], 30);
			assert_field(cached_group, writeback_bytes, &groups[0], 60);
			assert_field(cached_group, evicted_bytes, &groups[0], 90);
			assert_field(cached_group, recently_evicted_bytes, &groups[0], 120);
			assert_true(groups[0].size_bytes >= UINT64_MAX - 1);
		}
	}
	vmt_arena_done(&arena);
}

static int cached_groups(void *arg)
{
	const struct vmt_cached_file f[] = { cached("/a/b", "ext4", "fe:00"),
					     cached("/a/b", "xfs", "fe:01") };
	struct vmt_cached_group *groups;
	struct vmt_arena arena;
	size_t n;
	int r;

	(void)arg;
	vmt_arena_init(&arena);
	r = vmt_cached_groups(f, 2, VMT_CACHED_BY_FS, &arena, &groups, &n);
	if (r == 0) {
		assert_int_equal(n, 2);
		assert_text(cached_group, name, &groups[1], "xfs fe:01");
	}
	vmt_arena_done(&arena);
	return r;
}

static void cached_without_memory(void **state)
{
	assert_true(unit_piece_sweep(cached_groups, NULL) >= 4);
}

/* What cgroups do a second: of the same one then and now, whose counters did not go back. */
static void rates_of_cgroups(void **state)
{
	static const struct {
		uint64_t id[2]; /* 0: unknown */
		uint64_t anon[2], file[2];
		const char *then; /* path */
		bool rate, refaults;
	} cases[] = {
		{ { 5, 5 }, { 1, 2 }, { 3, 4 }, "/a", true, true },
		{ { 5, 6 }, { 1, 2 }, { 3, 4 }, "/a", false, false },
		{ { 0, 5 }, { 1, 2 }, { 3, 4 }, "/a", false, false },
		{ { 5, 0 }, { 1, 2 }, { 3, 4 }, "/a", false, false },
		{ { 5, 5 }, { 1, 2 }, { 3, 4 }, "/b", false, false },
		{ { 5, 5 }, { 1, UINT64_MAX }, { 3, 4 }, "/a", true, false },
		{ { 5, 5 }, { UINT64_MAX, 2 }, { 3, 4 }, "/a", true, false },
		{ { 5, 5 }, { 9, 2 }, { 3, 4 }, "/a", true, false },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_cgroup rows[2] = { 0 };
		struct vmt_cgroup_link links[2] = { { .parent = SIZE_MAX },
						    { .parent = SIZE_MAX } };
		struct vmt_sample *s[2] = { vmt_sample_new(), vmt_sample_new() };
		struct vmt_model *m = NULL;

		for (k = 0; k < 2; k++) {
			assert_non_null(s[k]);
			VMT_SET(cgroup, path, &rows[k],
				k ? VMT_BYTES("/a") : vmt_bytes_of(cases[i].then));
			if (cases[i].id[k])
				VMT_SET(cgroup, id, &rows[k], cases[i].id[k]);
			VMT_SET(cgroup, scan_total, &rows[k], 10 * k);
			VMT_SET(cgroup, refault_anon_total, &rows[k], cases[i].anon[k]);
			VMT_SET(cgroup, refault_file_total, &rows[k], cases[i].file[k]);
			s[k]->cgroups = &rows[k];
			s[k]->cgroup_links = &links[k];
			s[k]->n_cgroups = 1;
			s[k]->host.page_size = 4096;
			s[k]->host.monotonic_ns = 1 + k * UINT64_C(2000000000);
		}
		assert_int_equal(vmt_model_build(s[1], s[0], NULL, &m, NULL), 0);
		assert_int_equal(m->n_cgroups, 1);
		assert_int_equal(VMT_HAS(cgroup, scans_per_second, &m->cgroups[0]), cases[i].rate);
		if (cases[i].rate)
			assert_int_equal(m->cgroups[0].scans_per_second, 5000);
		assert_int_equal(VMT_HAS(cgroup, refaults_per_second, &m->cgroups[0]),
				 cases[i].refaults);
		if (cases[i].refaults)
			assert_int_equal(m->cgroups[0].refaults_per_second, 1000);
		vmt_model_free(m);
		vmt_sample_free(s[0]);
		vmt_sample_free(s[1]);
	}
}

/* Below the next above it that is there, whatever the order and what is missing in between. */
static int tree_of_cgroups(void *arg)
{
	static const char *const paths[] = { "/b/c/d", "/a", "/b", "/z/y" };
	struct vmt_cgroup cgroups[4] = { 0 };
	const void *rows[4];
	size_t i, *parents = NULL;
	int r;

	(void)arg;
	for (i = 0; i < 4; i++) {
		VMT_SET(cgroup, path, &cgroups[i], vmt_bytes_of(paths[i]));
		rows[i] = &cgroups[i];
	}
	r = vmt_cgroup_tree(rows, 4, &parents);
	for (i = 0; r == 0 && i < 4; i++) {
		const struct vmt_cgroup *c = rows[i];
		const struct vmt_cgroup *up = parents[i] == SIZE_MAX ? NULL : rows[parents[i]];

		if (vmt_bytes_is(c->path, "/b/c/d")) {
			assert_non_null(up);
			assert_text(cgroup, path, up, "/b");
		} else {
			assert_null(up);
		}
	}
	free(parents);
	return r;
}

static void trees_of_cgroups(void **state)
{
	assert_true(unit_piece_sweep(tree_of_cgroups, NULL) >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_do_not_wrap),	cmocka_unit_test(changes_do_not_wrap),
		cmocka_unit_test(named_groups),		cmocka_unit_test(trees),
		cmocka_unit_test(trees_of_unknown_age), cmocka_unit_test(cached_names),
		cmocka_unit_test(cached_sums),		cmocka_unit_test(cached_without_memory),
		cmocka_unit_test(rates_of_cgroups),	cmocka_unit_test(trees_of_cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
