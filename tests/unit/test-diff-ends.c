/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences and zones of which a part is unknown, or more than a number holds.
 */
#include "unit.h"

#include "model/diff.h"
#include "model/model.h"
#include "model/zone-sample.h"

#define PAGE UINT64_C(4096)
#define MIB  UINT64_C(1048576)

static struct vmt_sample *sample_of(struct vmt_proc *procs, struct vmt_proc_maps *maps, size_t n)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->procs = procs;
	s->maps = maps;
	s->n_procs = n;
	return s;
}

/* Who is who without a start: by the number and the name. */
static void processes_without_a_start(void **state)
{
	static const struct {
		bool start[2];
		const char *comm[2];
		size_t rows; /* 1: one process, 2: two */
	} cases[] = {
		{ { true, true }, { "a", "b" }, 1 },	 { { false, true }, { "a", "a" }, 1 },
		{ { true, false }, { "a", "a" }, 1 },	 { { false, false }, { "a", "b" }, 2 },
		{ { false, false }, { NULL, NULL }, 1 }, { { false, false }, { "a", NULL }, 2 },
		{ { false, false }, { NULL, "a" }, 2 },
	};
	const struct vmt_diff_opts opts = { 0 };
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc procs[2] = { 0 };
		VMT_AUTO_SAMPLE a = sample_of(&procs[0], NULL, 1);
		VMT_AUTO_SAMPLE b = sample_of(&procs[1], NULL, 1);
		VMT_AUTO_DIFF d = NULL;

		for (k = 0; k < 2; k++) {
			VMT_SET(proc, pid, &procs[k], 7);
			VMT_SET(proc, rss_bytes, &procs[k], (1 + k) * PAGE);
			if (cases[i].start[k])
				VMT_SET(proc, start_time_ns, &procs[k], 100);
			if (cases[i].comm[k])
				VMT_SET(proc, comm, &procs[k], vmt_bytes_of(cases[i].comm[k]));
		}
		assert_int_equal(vmt_diff_build(a, b, &opts, &d), 0);
		assert_int_equal(d->n_procs, cases[i].rows);
		if (cases[i].rows == 1) {
			assert_field(diff_proc, rss_delta_bytes, &d->procs[0], PAGE);
			assert_int_equal(VMT_HAS(diff_proc, comm, &d->procs[0]),
					 cases[i].comm[1] != NULL);
		}
	}
}

/* Processes of one name: the oldest is the oldest, and of one age the first the first. */
static void processes_by_name(void **state)
{
	static const struct {
		uint64_t start[2][3];
		int64_t grew[3]; /* pages, by the number that it has now */
	} cases[] = {
		{ { { 1, 2, 3 }, { 1, 2, 3 } }, { 10, 10, 10 } },
		{ { { 3, 2, 1 }, { 1, 2, 3 } }, { 8, 10, 12 } },
		{ { { 5, 5, 5 }, { 5, 5, 5 } }, { 10, 10, 10 } },
		{ { { 5, 5, 5 }, { 9, 5, 5 } }, { 8, 11, 11 } },
	};
	const struct vmt_diff_opts opts = { .by_name = true };
	size_t i, k, at;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc procs[2][3] = { 0 };
		VMT_AUTO_SAMPLE a = sample_of(procs[0], NULL, 3);
		VMT_AUTO_SAMPLE b = sample_of(procs[1], NULL, 3);
		VMT_AUTO_DIFF d = NULL;

		a->host.boot_id = VMT_BYTES("one");
		b->host.boot_id = VMT_BYTES("two");
		for (at = 0; at < 2; at++)
			for (k = 0; k < 3; k++) {
				struct vmt_proc *p = &procs[at][k];

				VMT_SET(proc, pid, p, 10 * (at + 1) + k);
				VMT_SET(proc, comm, p, VMT_BYTES("x"));
				VMT_SET(proc, start_time_ns, p, cases[i].start[at][k]);
				VMT_SET(proc, rss_bytes, p, (10 * (at + 1) + k) * PAGE);
			}
		assert_int_equal(vmt_diff_build(a, b, &opts, &d), 0);
		assert_int_equal(d->n_procs, 3);
		for (k = 0; k < 3; k++) {
			at = (size_t)(d->procs[k].pid - 20);
			assert_true(at < 3);
			assert_true(VMT_HAS(diff_proc, rss_delta_bytes, &d->procs[k]));
			assert_true(d->procs[k].rss_delta_bytes ==
				    cases[i].grew[at] * (int64_t)PAGE);
		}
	}
}

static struct vmt_part part(const char *from, int64_t size)
{
	struct vmt_part p = { 0 };

	VMT_SET(part, name, &p, VMT_BYTES("x"));
	if (from)
		VMT_SET(part, from, &p, vmt_bytes_of(from));
	if (size)
		VMT_SET(part, size_bytes, &p, size);
	return p;
}

static void parts(void **state)
{
	static const struct {
		bool then, now;
		int64_t before, after; /* 0: unknown */
		bool known;
		int64_t delta;
	} cases[] = {
		{ true, true, 5, 3, true, -2 },
		{ true, true, 0, 3, false, 0 },
		{ true, true, 5, 0, false, 0 },
		{ false, true, 5, 3, false, 0 },
		{ true, false, 5, 3, false, 0 },
		{ true, true, -2, INT64_MAX, false, 0 },
		{ true, true, 2, INT64_MIN, false, 0 },
		{ true, true, INT64_MAX, INT64_MAX - 1, true, -1 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		const struct vmt_part a = part("f", cases[i].before), b = part("f", cases[i].after);
		struct vmt_diff_part row;

		vmt_diff_parts(cases[i].then ? &a : NULL, cases[i].now ? &b : NULL, 1, &row);
		assert_text(diff_part, name, &row, "x");
		assert_text(diff_part, from, &row, "f");
		assert_int_equal(VMT_HAS(diff_part, size_before_bytes, &row),
				 cases[i].then && cases[i].before);
		assert_int_equal(VMT_HAS(diff_part, size_bytes, &row),
				 cases[i].now && cases[i].after);
		assert_int_equal(VMT_HAS(diff_part, size_delta_bytes, &row), cases[i].known);
		if (cases[i].known)
			assert_true(row.size_delta_bytes == cases[i].delta);
	}
}

struct lay {
	const char *perms, *path;
	uint64_t inode; /* 0: unknown */
	uint64_t offset; /* 1: unknown */
	uint64_t space; /* IPC namespace; 0: unknown */
	const char *device; /* NULL: unknown */
};

static void lay_out(struct vmt_map *m, const struct lay *l)
{
	*m = (struct vmt_map){ 0 };
	VMT_SET(map, pid, m, 7);
	VMT_SET(map, start, m, 100 * MIB);
	VMT_SET(map, end, m, 101 * MIB);
	VMT_SET(map, size_bytes, m, MIB);
	VMT_SET(map, rss_bytes, m, PAGE);
	if (l->perms)
		VMT_SET(map, perms, m, vmt_bytes_of(l->perms));
	if (l->path)
		VMT_SET(map, path, m, vmt_bytes_of(l->path));
	if (l->inode)
		VMT_SET(map, inode, m, l->inode);
	if (l->offset != 1)
		VMT_SET(map, offset_bytes, m, l->offset);
	if (l->space)
		VMT_SET(map, ipc_namespace, m, l->space);
	if (l->device)
		VMT_SET(map, device, m, vmt_bytes_of(l->device));
}

/* Two mappings at one place: the same memory, or one that went and one that came. */
static void mappings_at_one_place(void **state)
{
	static const struct {
		struct lay lay[2];
		bool same;
	} cases[] = {
		{ { { "rw-p", "", 0, 0, 0, NULL }, { "r--p", "", 0, 0, 0, NULL } }, true },
		{ { { "rw-p", "", 0, 0, 0, NULL }, { "rw-s", "", 0, 0, 0, NULL } }, false },
		{ { { "rw-s", "", 0, 0, 0, NULL }, { "rw-s", "", 0, 0, 0, NULL } }, true },
		/* Rights of another length say nothing of it. */
		{ { { "rw-p", "", 0, 0, 0, NULL }, { "rw-", "", 0, 0, 0, NULL } }, true },
		{ { { NULL, NULL, 0, 0, 0, NULL }, { "rw-p", "", 0, 0, 0, NULL } }, true },
		/* What the kernel made is known by its name alone. */
		{ { { "r-xp", "[vdso]", 0, 0, 0, NULL }, { "r-xp", "[vdso]", 0, 0, 0, NULL } },
		  true },
		{ { { "r-xp", "[vdso]", 0, 0, 0, NULL }, { "r-xp", "[vvar]", 0, 0, 0, NULL } },
		  false },
		{ { { "r-xp", "[vdso]", 0, 0, 0, NULL }, { "r-xp", NULL, 0, 0, 0, NULL } }, false },
		{ { { "r-xp", "[uprobes]", 0, 0, 0, NULL }, { "r-xp", "", 0, 0, 0, NULL } },
		  false },
		{ { { "r-xp", "", 0, 0, 0, NULL }, { "r-xp", "[sigpage]", 0, 0, 0, NULL } },
		  false },
		/* Files without a number, by their name. */
		{ { { "r--p", "/f", 0, 0, 0, NULL }, { "r--p", "/f", 0, 0, 0, NULL } }, true },
		{ { { "r--p", "/f", 0, 0, 0, NULL }, { "r--p", "/g", 0, 0, 0, NULL } }, false },
		{ { { "r--p", "/f", 0, 1, 0, NULL }, { "r--p", "/f", 0, 0, 0, NULL } }, true },
		{ { { "r--p", "/f", 0, 0, 0, NULL }, { "r--p", "/f", 0, PAGE, 0, NULL } }, false },
		{ { { "r--p", "/f", 0, 0, 0, NULL }, { "r--p", "", 0, 0, 0, NULL } }, false },
		/* With one, by that, whatever they are called. */
		{ { { "r--p", "/f", 9, 0, 0, "fe:01" }, { "r--p", "/g", 9, 0, 0, "fe:01" } },
		  true },
		{ { { "r--p", "/f", 9, 0, 0, "fe:01" }, { "r--p", "/f", 8, 0, 0, "fe:01" } },
		  false },
		{ { { "r--p", "/f", 9, 0, 0, "fe:01" }, { "r--p", "/f", 9, 0, 0, "fe:02" } },
		  false },
		{ { { "r--p", "/f", 9, 0, 0, "fe:01" }, { "r--p", "/f", 0, 0, 0, "fe:01" } },
		  false },
		/* Segments of System V have numbers of their namespace. */
		{ { { "rw-s", "/SYSV0", 9, 0, 4, "00:01" },
		    { "rw-s", "/SYSV0", 9, 0, 4, "00:01" } },
		  true },
		{ { { "rw-s", "/SYSV0", 9, 0, 4, "00:01" },
		    { "rw-s", "/SYSV0", 9, 0, 5, "00:01" } },
		  false },
		{ { { "rw-s", "/SYSV0", 9, 0, 0, "00:01" },
		    { "rw-s", "/SYSV0", 9, 0, 5, "00:01" } },
		  false },
	};
	const struct vmt_diff_opts opts = { .maps = true };
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc procs[2] = { 0 };
		struct vmt_proc_maps lists[2] = { 0 };
		struct vmt_map maps[2];
		VMT_AUTO_SAMPLE a = sample_of(&procs[0], &lists[0], 1);
		VMT_AUTO_SAMPLE b = sample_of(&procs[1], &lists[1], 1);
		VMT_AUTO_DIFF d = NULL;

		for (k = 0; k < 2; k++) {
			VMT_SET(proc, pid, &procs[k], 7);
			VMT_SET(proc, start_time_ns, &procs[k], 100);
			lay_out(&maps[k], &cases[i].lay[k]);
			lists[k].maps = &maps[k];
			lists[k].n_maps = 1;
			lists[k].state = VMT_STATE_OK;
		}
		assert_int_equal(vmt_diff_build(a, b, &opts, &d), 0);
		if ((d->n_maps == 1) != cases[i].same)
			fail_msg("case %zu: %zu rows", i, d->n_maps);
		assert_int_equal(d->sums[VMT_DIFF_COUNT].maps_before_total, 1);
		assert_int_equal(d->sums[VMT_DIFF_COUNT].maps_total, 1);
	}
}

/* Free blocks of which the pages are more than 64 bits: no index, and not one of what is left. */
static void blocks_beyond_numbers(void **state)
{
	static const struct {
		uint64_t blocks[3];
		size_t n;
		bool known;
	} cases[] = {
		{ { 1, 2, 3 }, 3, true },
		{ { 0, 0, UINT64_MAX / 2 }, 3, false },
		{ { UINT64_MAX, 1, 0 }, 3, false },
		{ { UINT64_MAX / 1000, 0, 0 }, 3, false },
		{ { UINT64_MAX / 3000, 0, 0 }, 3, true },
		{ { 1, 2, 3 }, VMT_ORDERS_MAX + 1, false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		uint64_t blocks[VMT_ORDERS_MAX + 1] = { 0 };
		int64_t index = -7;

		memcpy(blocks, cases[i].blocks, sizeof(cases[i].blocks));
		assert_int_equal(vmt_unusable_index(blocks, cases[i].n, 1, &index), cases[i].known);
		if (cases[i].known)
			assert_true(index >= 0 && index <= 1000);
		else
			assert_true(index == -7);
	}
}

static void zone_rates(void **state)
{
	static const struct {
		uint64_t before, now, dt_ns;
		bool known, reached;
		int64_t rate;
	} cases[] = {
		{ 200 * MIB, 100 * MIB, 1000000000, true, true, -100 * (int64_t)MIB },
		{ 100 * MIB, 200 * MIB, 1000000000, true, false, 100 * (int64_t)MIB },
		{ UINT64_MAX, 100 * MIB, 1000000000, false, false, 0 },
		{ 0, UINT64_MAX, 1000000000, false, false, 0 },
		/* A mark that is not reached in 64 bits of nanoseconds. */
		{ UINT64_MAX / 2, UINT64_MAX / 2 - 1, 100000000000, true, false, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_zone_row rows[2] = { 0 };
		struct vmt_zone_sample zones[2] = { { .zones = &rows[0], .n_zones = 1 },
						    { .zones = &rows[1], .n_zones = 1 } };
		VMT_AUTO_SAMPLE a = sample_of(NULL, NULL, 0);
		VMT_AUTO_SAMPLE b = sample_of(NULL, NULL, 0);
		VMT_AUTO_MODEL m = NULL;
		size_t k;

		for (k = 0; k < 2; k++) {
			VMT_SET(zone, node, &rows[k], 0);
			VMT_SET(zone, zone, &rows[k], VMT_BYTES("Normal"));
			VMT_SET(zone, managed_bytes, &rows[k], 1000 * MIB);
			VMT_SET(zone, high_bytes, &rows[k], 3 * PAGE);
			VMT_SET(zone, low_bytes, &rows[k], 2 * PAGE);
			VMT_SET(zone, min_bytes, &rows[k], PAGE);
			VMT_SET(zone, free_bytes, &rows[k], k ? cases[i].now : cases[i].before);
		}
		a->zones = &zones[0];
		b->zones = &zones[1];
		a->host.page_size = b->host.page_size = PAGE;
		a->host.monotonic_ns = 1;
		b->host.monotonic_ns = 1 + cases[i].dt_ns;
		assert_int_equal(vmt_model_build(b, a, NULL, &m, NULL), 0);
		assert_int_equal(m->n_zones, 1);
		assert_int_equal(VMT_HAS(zone, free_per_second_bytes, &m->zones[0]),
				 cases[i].known);
		if (cases[i].known)
			assert_true(m->zones[0].free_per_second_bytes == cases[i].rate);
		assert_int_equal(VMT_HAS(zone, reached_ns, &m->zones[0]), cases[i].reached);
	}
	/* What stays free for others is at most all that there is. */
	assert_int_equal(vmt_zone_reserve(100, 30, 10, 5), 25);
	assert_int_equal(vmt_zone_reserve(100, 10, 30, 5), 5);
	assert_int_equal(vmt_zone_reserve(100, 90, 0, 20), 100);
	assert_int_equal(vmt_zone_reserve(100, UINT64_MAX, 0, 1), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_without_a_start),
		cmocka_unit_test(processes_by_name),
		cmocka_unit_test(parts),
		cmocka_unit_test(mappings_at_one_place),
		cmocka_unit_test(blocks_beyond_numbers),
		cmocka_unit_test(zone_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
