/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/diff.h"

#define K UINT64_C(1024)
#define M (UINT64_C(1024) * K)

/* A mapping: address and size in MiB, resident in KiB; file 0: none. */
struct lay {
	uint64_t at, size, rss;
	uint64_t file;
	uint64_t offset; /* MiB */
	const char *perms;
	const char *path;
	const char *role;
};

static void lay_out(struct vmt_map *m, const struct lay *l, uint64_t pid)
{
	*m = (struct vmt_map){ 0 };
	VMT_SET(map, pid, m, pid);
	VMT_SET(map, start, m, l->at * M);
	VMT_SET(map, end, m, (l->at + l->size) * M);
	VMT_SET(map, size_bytes, m, l->size * M);
	VMT_SET(map, rss_bytes, m, l->rss * K);
	VMT_SET(map, inode, m, l->file);
	VMT_SET(map, device, m, l->file ? VMT_BYTES("fe:01") : VMT_BYTES("00:00"));
	VMT_SET(map, offset_bytes, m, l->offset * M);
	VMT_SET(map, perms, m, vmt_bytes_of(l->perms ? l->perms : "rw-p"));
	VMT_SET(map, path, m, vmt_bytes_of(l->path ? l->path : ""));
	VMT_SET(map, kind, m, l->file ? VMT_BYTES("file") : VMT_BYTES("anon"));
	if (l->role)
		VMT_SET(map, role, m, vmt_bytes_of(l->role));
}

/* A sample with processes that the caller adds. */
static struct vmt_sample *sample_new(size_t n)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->procs = vmt_arena_alloc(&s->arena, n, sizeof(*s->procs));
	s->maps = vmt_arena_alloc(&s->arena, n, sizeof(*s->maps));
	s->host.boot_id = VMT_BYTES("one");
	assert_non_null(s->procs);
	assert_non_null(s->maps);
	return s;
}

static struct vmt_proc *add_proc(struct vmt_sample *s, uint64_t pid, uint64_t start,
				 const char *comm, const struct lay *lays, size_t n)
{
	struct vmt_proc *p = &s->procs[s->n_procs];
	struct vmt_proc_maps *pm = &s->maps[s->n_procs++];
	uint64_t rss = 0;
	size_t i;

	VMT_SET(proc, pid, p, pid);
	VMT_SET(proc, start_time_ns, p, start);
	VMT_SET(proc, comm, p, vmt_bytes_of(comm));
	pm->maps = vmt_arena_alloc(&s->arena, n + 1, sizeof(*pm->maps));
	assert_non_null(pm->maps);
	pm->n_maps = n;
	pm->state = VMT_STATE_OK;
	for (i = 0; i < n; i++) {
		lay_out(&pm->maps[i], &lays[i], pid);
		rss += pm->maps[i].rss_bytes;
	}
	VMT_SET(proc, rss_bytes, p, rss);
	return p;
}

static struct vmt_diff *diff_of(const struct vmt_sample *a, const struct vmt_sample *b,
				bool by_name)
{
	const struct vmt_diff_opts opts = { .by_name = by_name, .maps = true };
	struct vmt_diff *d = NULL;

	assert_int_equal(vmt_diff_build(a, b, &opts, &d), 0);
	return d;
}

/* The rows of one process as a line: what became of each, and by how many KiB it grew. */
static char *said(const struct vmt_diff *d)
{
	struct vmt_buf text = { 0 };
	size_t i;

	for (i = 0; i < d->n_maps; i++) {
		const struct vmt_diff_map *r = &d->maps[i];

		vmt_buf_addf(&text, "%s%.*s %zu>%zu", i ? ", " : "", (int)r->match.len,
			     r->match.ptr, (size_t)r->maps_before_total, (size_t)r->maps_total);
		if (VMT_HAS(diff, basis, r))
			vmt_buf_addf(&text, " %.*s", (int)r->basis.len, r->basis.ptr);
		if (VMT_HAS(diff, rss_delta_bytes, r))
			vmt_buf_addf(&text, " %+lld", (long long)r->rss_delta_bytes / 1024);
		else
			vmt_buf_adds(&text, " ?");
	}
	return text.data;
}

/* Rows add up to the sums, these to all, and that to what the process grew by. */
static void check_sums(const struct vmt_diff *d)
{
	int64_t by_rows = 0, by_match = 0, by_proc = 0;
	uint64_t before = 0, after = 0;
	size_t i;

	for (i = 0; i < d->n_maps; i++)
		by_rows += d->maps[i].rss_delta_bytes;
	for (i = 0; i < VMT_DIFF_COUNT; i++) {
		by_match += d->sums[i].rss_delta_bytes;
		before += d->sums[i].maps_before_total;
		after += d->sums[i].maps_total;
	}
	for (i = 0; i < d->n_procs; i++) {
		by_proc += d->procs[i].rss_delta_bytes;
		assert_field(diff_proc, rss_apart_bytes, &d->procs[i], 0);
	}
	assert_true(VMT_HAS(diff_sum, rss_delta_bytes, &d->sums[VMT_DIFF_COUNT]));
	assert_int_equal(by_rows, d->sums[VMT_DIFF_COUNT].rss_delta_bytes);
	assert_int_equal(by_match, by_rows);
	assert_int_equal(by_proc, by_rows);
	assert_int_equal(before, d->sums[VMT_DIFF_COUNT].maps_before_total);
	assert_int_equal(after, d->sums[VMT_DIFF_COUNT].maps_total);
}

static void check(const struct lay *x, size_t n, const struct lay *y, size_t m, const char *want)
{
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;
	VMT_AUTO_FREE char *text = NULL;

	add_proc(a, 7, 100, "x", x, n);
	add_proc(b, 7, 100, "x", y, m);
	d = diff_of(a, b, false);
	text = said(d);
	assert_string_equal(text, want);
	check_sums(d);
}

#define CHECK(want) check(x, VMT_ARRAY_LEN(x), y, VMT_ARRAY_LEN(y), want)

static void test_same_grown_shrunk(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 4, .rss = 100 },
					{ .at = 20, .size = 4, .rss = 100, .path = "[heap]" },
					{ .at = 40, .size = 4, .rss = 100 } };
	static const struct lay y[] = { { .at = 10, .size = 4, .rss = 140 },
					{ .at = 20, .size = 8, .rss = 500, .path = "[heap]" },
					{ .at = 41, .size = 3, .rss = 70 } };

	CHECK("same 1>1 range +40, grown 1>1 range +400, shrunk 1>1 range -30");
}

static void test_split_by_rights_and_by_a_hole(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 9, .rss = 900 },
					{ .at = 30, .size = 10, .rss = 100 } };
	static const struct lay y[] = { { .at = 10, .size = 3, .rss = 300 },
					{ .at = 13, .size = 3, .rss = 300, .perms = "r--p" },
					{ .at = 16, .size = 3, .rss = 350 },
					{ .at = 30, .size = 4, .rss = 40 },
					{ .at = 38, .size = 2, .rss = 20 } };

	CHECK("split 1>3 range +50, split 1>2 range -40");
}

/* A part of what was split grew beyond where it ended. */
static void test_split_and_growth(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 8, .rss = 100 } };
	static const struct lay y[] = { { .at = 10, .size = 4, .rss = 50, .perms = "r--p" },
					{ .at = 14, .size = 20, .rss = 1000 } };

	CHECK("split 1>2 range +950");
}

static void test_merge(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10 },
					{ .at = 12, .size = 2, .rss = 20, .perms = "r--p" },
					{ .at = 16, .size = 2, .rss = 30 } };
	static const struct lay y[] = { { .at = 10, .size = 8, .rss = 100 } };

	CHECK("merged 3>1 range +40");
}

static void test_reshaped(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 4, .rss = 10 },
					{ .at = 14, .size = 4, .rss = 10, .perms = "r--p" } };
	static const struct lay y[] = { { .at = 10, .size = 2, .rss = 5, .perms = "r--p" },
					{ .at = 12, .size = 6, .rss = 25 } };

	CHECK("reshaped 2>2 range +10");
}

/* Another file at the addresses of two that stood side by side is neither of them. */
static void test_neighbours_of_different_files(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10, .file = 1 },
					{ .at = 12, .size = 2, .rss = 20, .file = 2 } };
	static const struct lay y[] = { { .at = 10, .size = 4, .rss = 100, .file = 1 } };
	static const struct lay z[] = { { .at = 10, .size = 4, .rss = 100, .file = 3 } };

	CHECK("grown 1>1 range +90, gone 1>0 -20");
	check(x, 2, z, 1, "gone 1>0 -10, gone 1>0 -20, new 0>1 +100");
}

/* The same file at the same address, and another part of it. */
static void test_other_offset_of_a_file(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10, .file = 1 } };
	static const struct lay y[] = {
		{ .at = 10, .size = 2, .rss = 10, .file = 1, .offset = 8 }
	};

	CHECK("gone 1>0 -10, new 0>1 +10");
}

/* Memory without a file in the place of a file, and between two parts that became one. */
static void test_a_file_between(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10 },
					{ .at = 12, .size = 2, .rss = 20, .file = 2 },
					{ .at = 14, .size = 2, .rss = 30 } };
	static const struct lay y[] = { { .at = 10, .size = 6, .rss = 60 } };

	CHECK("merged 2>1 range +20, gone 1>0 -20");
}

static void test_moved(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 8, .rss = 800 },
					{ .at = 40, .size = 2, .rss = 20, .file = 2 } };
	static const struct lay y[] = { { .at = 60, .size = 3, .rss = 30, .file = 2 },
					{ .at = 90, .size = 8, .rss = 900 } };

	CHECK("moved 1>1 size +100, moved 1>1 file +10");
}

/* Two of one size came or went: which is which nobody can tell. */
static void test_moved_or_not(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 8, .rss = 80 } };
	static const struct lay y[] = { { .at = 60, .size = 8, .rss = 80 },
					{ .at = 90, .size = 8, .rss = 90 } };

	CHECK("gone 1>0 -80, new 0>1 +80, new 0>1 +90");
}

/* A thread ended, and another one began. */
static void test_stacks_do_not_move(void **state)
{
	static const struct lay x[] = {
		{ .at = 10, .size = 8, .rss = 80, .role = "thread-stack" }
	};
	static const struct lay y[] = {
		{ .at = 60, .size = 8, .rss = 80, .role = "thread-stack" }
	};
	static const struct lay u[] = { { .at = 10, .size = 8, .perms = "---p" } };
	static const struct lay v[] = { { .at = 60, .size = 8, .perms = "---p" } };

	CHECK("gone 1>0 -80, new 0>1 +80");
	check(u, 1, v, 1, "gone 1>0 +0, new 0>1 +0");
}

/* One file, mapped twice at one offset: one stays, the other one moves; both move; one more comes.
 */
static void test_file_mapped_twice(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10, .file = 1 },
					{ .at = 20, .size = 2, .rss = 20, .file = 1 } };
	static const struct lay y[] = { { .at = 10, .size = 2, .rss = 11, .file = 1 },
					{ .at = 50, .size = 2, .rss = 22, .file = 1 } };
	static const struct lay z[] = { { .at = 50, .size = 2, .rss = 11, .file = 1 },
					{ .at = 60, .size = 2, .rss = 22, .file = 1 },
					{ .at = 70, .size = 2, .rss = 33, .file = 1 } };

	CHECK("same 1>1 range +1, moved 1>1 file +2");
	check(x, 2, z, 3, "moved 1>1 file +1, moved 1>1 file +2, new 0>1 +33");
}

/* Shared and private mappings of a file are not the same, nor is what the kernel made. */
static void test_rights_that_tell(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10, .file = 1 },
					{ .at = 20, .size = 2, .rss = 1, .path = "[vvar]" } };
	static const struct lay y[] = {
		{ .at = 10, .size = 2, .rss = 10, .file = 1, .perms = "rw-s" },
		{ .at = 20, .size = 2, .rss = 1 }
	};

	CHECK("gone 1>0 -10, gone 1>0 -1, new 0>1 +10, new 0>1 +1");
}

static void test_nothing(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 2, .rss = 10 } };

	check(x, 1, x, 0, "gone 1>0 -10");
	check(x, 0, x, 1, "new 0>1 +10");
}

/* What is unknown of a part of it is unknown of all of it, and of the sums. */
static void test_unknown_stays_unknown(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 4, .rss = 100 },
					{ .at = 30, .size = 4, .rss = 50 } };
	static const struct lay y[] = { { .at = 10, .size = 2, .rss = 100 },
					{ .at = 12, .size = 2, .rss = 10, .perms = "r--p" },
					{ .at = 30, .size = 4, .rss = 60 } };
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;
	VMT_AUTO_FREE char *text = NULL;

	add_proc(a, 7, 100, "x", x, 2);
	add_proc(b, 7, 100, "x", y, 3);
	VMT_UNSET(map, rss_bytes, &b->maps[0].maps[1]);
	d = diff_of(a, b, false);
	text = said(d);
	assert_string_equal(text, "split 1>2 range ?, same 1>1 range +10");
	assert_field(diff, rss_before_bytes, &d->maps[0], 100 * K);
	assert_unknown(diff, rss_bytes, &d->maps[0]);
	assert_unknown(diff, swap_delta_bytes, &d->maps[1]);
	assert_unknown(diff_sum, rss_delta_bytes, &d->sums[VMT_DIFF_SPLIT]);
	assert_unknown(diff_sum, rss_delta_bytes, &d->sums[VMT_DIFF_COUNT]);
	assert_field(diff_sum, rss_delta_bytes, &d->sums[VMT_DIFF_SAME], (int64_t)(10 * K));
	assert_field(diff_sum, rss_delta_bytes, &d->sums[VMT_DIFF_NEW], 0);
	assert_unknown(diff_proc, maps_rss_delta_bytes, &d->procs[0]);
	assert_unknown(diff_proc, rss_apart_bytes, &d->procs[0]);
}

static const struct lay one[] = { { .at = 10, .size = 4, .rss = 100 } };

static void assert_proc(const struct vmt_diff *d, size_t at, uint64_t pid, const char *match,
			int64_t delta_kib)
{
	assert_true(at < d->n_procs);
	assert_field(diff_proc, pid, &d->procs[at], pid);
	assert_text(diff_proc, match, &d->procs[at], match);
	assert_field(diff_proc, rss_delta_bytes, &d->procs[at], delta_kib * (int64_t)K);
}

/* The id of one that ended was given to another. */
static void a08_pid_that_was_given_again(void **state)
{
	static const struct lay more[] = { { .at = 10, .size = 4, .rss = 300 } };
	VMT_AUTO_SAMPLE a = sample_new(2);
	VMT_AUTO_SAMPLE b = sample_new(2);
	VMT_AUTO_DIFF d = NULL;

	add_proc(a, 7, 100, "x", one, 1);
	add_proc(a, 9, 100, "y", one, 1);
	add_proc(b, 7, 900, "x", more, 1);
	add_proc(b, 9, 100, "y", more, 1);
	d = diff_of(a, b, false);
	assert_int_equal(d->n_procs, 3);
	assert_proc(d, 0, 9, "same", 200);
	assert_proc(d, 1, 7, "gone", -100);
	assert_proc(d, 2, 7, "new", 300);
	check_sums(d);
}

/* Another boot: the same ids and starts say nothing. */
static void test_other_boot(void **state)
{
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;
	VMT_AUTO_DIFF e = NULL;

	add_proc(a, 7, 100, "x", one, 1);
	add_proc(b, 7, 100, "x", one, 1);
	b->host.boot_id = VMT_BYTES("two");
	d = diff_of(a, b, false);
	assert_true(d->other_boot);
	assert_int_equal(d->n_procs, 2);
	assert_proc(d, 0, 7, "gone", -100);
	assert_proc(d, 1, 7, "new", 100);
	e = diff_of(a, b, true);
	assert_int_equal(e->n_procs, 1);
	assert_proc(e, 0, 7, "restarted", 0);
}

/* Another program was loaded in between: nothing of the one is in the other, whatever overlaps. */
static void test_execve_in_between(void **state)
{
	static const struct lay x[] = { { .at = 10, .size = 4, .rss = 100 },
					{ .at = 20, .size = 2, .rss = 10, .file = 5 },
					{ .at = 30, .size = 1, .path = "[vdso]" } };
	static const struct lay y[] = { { .at = 10, .size = 4, .rss = 100 },
					{ .at = 25, .size = 2, .rss = 10, .file = 5 },
					{ .at = 33, .size = 1, .path = "[vdso]" } };
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;
	size_t i;

	add_proc(a, 7, 100, "x", x, 3);
	add_proc(b, 7, 100, "y", y, 3);
	d = diff_of(a, b, false);
	assert_proc(d, 0, 7, "exec", 0);
	assert_int_equal(d->n_maps, 6);
	for (i = 0; i < 6; i++)
		assert_text(diff, match, &d->maps[i], i < 3 ? "gone" : "new");
	check_sums(d);
}

/* Restarted services: the first that began with the first; files by their names, of which a new
 * version has another inode; the rest is new. */
static void test_by_name(void **state)
{
	static const struct lay x[] = {
		{ .at = 10, .size = 2, .rss = 10, .file = 1, .path = "/bin/s" },
		{ .at = 20, .size = 2, .rss = 50, .path = "[heap]" },
		{ .at = 40, .size = 4, .rss = 7 }
	};
	static const struct lay y[] = {
		{ .at = 70, .size = 2, .rss = 12, .file = 9, .path = "/bin/s" },
		{ .at = 80, .size = 6, .rss = 90, .path = "[heap]" },
		{ .at = 90, .size = 4, .rss = 7 }
	};
	VMT_AUTO_SAMPLE a = sample_new(3);
	VMT_AUTO_SAMPLE b = sample_new(3);
	VMT_AUTO_DIFF d = NULL;
	VMT_AUTO_FREE char *text = NULL;

	add_proc(a, 7, 100, "srv", x, 3);
	add_proc(a, 8, 100, "other", one, 0);
	add_proc(b, 3, 950, "srv", one, 0);
	add_proc(b, 30, 900, "srv", y, 3);
	d = diff_of(a, b, true);
	assert_int_equal(d->n_procs, 3);
	assert_proc(d, 0, 30, "restarted", 42);
	assert_field(diff_proc, pid_before, &d->procs[0], 7);
	assert_proc(d, 1, 8, "gone", 0);
	assert_proc(d, 2, 3, "new", 0);
	text = said(d);
	assert_string_equal(text, "same 1>1 file +2, grown 1>1 name +40, gone 1>0 -7, new 0>1 +7");
	check_sums(d);
}

/* Mappings that could not be read are not gone. */
static void test_mappings_that_are_not_known(void **state)
{
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;

	add_proc(a, 7, 100, "x", one, 1);
	add_proc(b, 7, 100, "x", one, 0);
	b->maps[0].state = VMT_STATE_FAILED;
	d = diff_of(a, b, false);
	assert_int_equal(d->n_maps, 0);
	assert_false(d->has_maps);
	assert_field(diff_proc, maps_before_total, &d->procs[0], 1);
	assert_unknown(diff_proc, maps_total, &d->procs[0]);
	assert_unknown(diff_proc, maps_rss_delta_bytes, &d->procs[0]);
}

/* Groups are of mappings, whatever became of which. */
static void test_groups(void **state)
{
	static const struct lay x[] = {
		{ .at = 10, .size = 4, .rss = 100, .role = "data" },
		{ .at = 20, .size = 4, .rss = 10, .file = 3, .path = "/a" }
	};
	static const struct lay y[] = {
		{ .at = 10, .size = 2, .rss = 60, .role = "data" },
		{ .at = 12, .size = 2, .rss = 70, .role = "relro" },
		{ .at = 30, .size = 4, .rss = 15, .file = 3, .path = "/a" },
		{ .at = 40, .size = 4, .rss = 5, .file = 4, .path = "/a" }
	};
	VMT_AUTO_SAMPLE a = sample_new(1);
	VMT_AUTO_SAMPLE b = sample_new(1);
	VMT_AUTO_DIFF d = NULL;
	struct vmt_diff_group *rows = NULL;
	size_t n = 0;

	add_proc(a, 7, 100, "x", x, 2);
	add_proc(b, 7, 100, "x", y, 4);
	d = diff_of(a, b, false);
	assert_int_equal(vmt_diff_groups(d, a, b, VMT_DIFF_BY_ROLE, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_text(diff_group, name, &rows[0], "data");
	assert_field(diff_group, rss_delta_bytes, &rows[0], -(int64_t)(40 * K));
	assert_text(diff_group, name, &rows[1], "file");
	assert_text(diff_group, name, &rows[2], "relro");
	assert_field(diff_group, rss_before_bytes, &rows[2], 0);
	assert_int_equal(vmt_diff_groups(d, a, b, VMT_DIFF_BY_PATH, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_text(diff_group, name, &rows[0], "[anon]");
	assert_field(diff_group, rss_delta_bytes, &rows[0], (int64_t)(30 * K));
	assert_field(diff_group, inode, &rows[1], 3);
	assert_field(diff_group, rss_delta_bytes, &rows[1], (int64_t)(5 * K));
	assert_field(diff_group, inode, &rows[2], 4);
	assert_field(diff_group, maps_before_total, &rows[2], 0);
}

static void test_parts(void **state)
{
	struct vmt_part a[2] = { 0 }, b[2] = { 0 };
	struct vmt_diff_part rows[2];

	VMT_SET(part, name, &a[0], VMT_BYTES("free"));
	VMT_SET(part, name, &a[1], VMT_BYTES("unaccounted"));
	VMT_SET(part, size_bytes, &a[0], 10);
	memcpy(b, a, sizeof(b));
	VMT_SET(part, size_bytes, &b[0], 4);
	VMT_SET(part, size_bytes, &b[1], -3);
	vmt_diff_parts(a, b, 2, rows);
	assert_field(diff_part, size_delta_bytes, &rows[0], -6);
	assert_field(diff_part, size_bytes, &rows[1], -3);
	assert_unknown(diff_part, size_before_bytes, &rows[1]);
	assert_unknown(diff_part, size_delta_bytes, &rows[1]);
}

/* A million comparisons would take a minute if each was made with each. */
static void test_long_lists(void **state)
{
	const size_t n = 200000;
	struct vmt_map *x = calloc(n, sizeof(*x)), *y = calloc(n, sizeof(*y));
	uint32_t *of_a = calloc(n, sizeof(*of_a)), *of_b = calloc(n, sizeof(*of_b));
	struct vmt_diff_piece *pieces = calloc(2 * n, sizeof(*pieces));
	size_t i, n_pieces, moved = 0, gone = 0;

	assert_non_null(x);
	assert_non_null(y);
	assert_non_null(of_a);
	assert_non_null(of_b);
	assert_non_null(pieces);
	for (i = 0; i < n; i++) {
		/* Half of them of few files, all moved; half of one size, of which nobody knows. */
		struct lay l = { .at = 10 + 2 * i, .size = 1, .rss = 1 };

		if (i % 2)
			l.file = 1 + i % 5;
		lay_out(&x[i], &l, 7);
		l.at += 4 * n;
		lay_out(&y[i], &l, 7);
	}
	assert_int_equal(
		vmt_diff_maps(x, n, y, n, VMT_DIFF_ONE_SPACE, of_a, of_b, pieces, &n_pieces), 0);
	for (i = 0; i < n_pieces; i++) {
		moved += pieces[i].match == VMT_DIFF_MOVED;
		gone += pieces[i].match == VMT_DIFF_GONE;
	}
	assert_int_equal(moved, n / 2);
	assert_int_equal(gone, n / 2);
	free(x);
	free(y);
	free(of_a);
	free(of_b);
	free(pieces);
}

static int without_memory(void *arg)
{
	const struct vmt_sample *const *s = arg;
	const struct vmt_diff_opts opts = { .by_name = true, .maps = true };
	VMT_AUTO_DIFF d = NULL;
	struct vmt_diff_group *rows;
	size_t n;
	int r = vmt_diff_build(s[0], s[1], &opts, &d);

	return r ? r : vmt_diff_groups(d, s[0], s[1], VMT_DIFF_BY_PATH, &rows, &n);
}

static void test_no_memory(void **state)
{
	VMT_AUTO_SAMPLE a = sample_new(2);
	VMT_AUTO_SAMPLE b = sample_new(2);
	const struct vmt_sample *both[] = { a, b };

	add_proc(a, 7, 100, "x", one, 1);
	add_proc(a, 8, 100, "y", one, 1);
	add_proc(b, 7, 100, "x", one, 1);
	add_proc(b, 9, 100, "y", one, 1);
	assert_true(unit_piece_sweep(without_memory, both) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_grown_shrunk),
		cmocka_unit_test(test_split_by_rights_and_by_a_hole),
		cmocka_unit_test(test_split_and_growth),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_reshaped),
		cmocka_unit_test(test_neighbours_of_different_files),
		cmocka_unit_test(test_other_offset_of_a_file),
		cmocka_unit_test(test_a_file_between),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_moved_or_not),
		cmocka_unit_test(test_stacks_do_not_move),
		cmocka_unit_test(test_file_mapped_twice),
		cmocka_unit_test(test_rights_that_tell),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_unknown_stays_unknown),
		cmocka_unit_test(a08_pid_that_was_given_again),
		cmocka_unit_test(test_other_boot),
		cmocka_unit_test(test_execve_in_between),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_mappings_that_are_not_known),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
