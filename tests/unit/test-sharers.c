/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/sharers.h"

static struct vmt_map make(uint64_t inode, const char *role, const char *path, uint64_t size,
			   uint64_t rss)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, perms, &m, VMT_BYTES("rw-s"));
	VMT_SET(map, device, &m, VMT_BYTES("00:01"));
	VMT_SET(map, inode, &m, inode);
	VMT_SET(map, kind, &m, strcmp(role, "text") ? VMT_BYTES("shmem") : VMT_BYTES("file"));
	VMT_SET(map, role, &m, vmt_bytes_of(role));
	VMT_SET(map, path, &m, vmt_bytes_of(path));
	VMT_SET(map, size_bytes, &m, size);
	VMT_SET(map, rss_bytes, &m, rss);
	return m;
}

static struct vmt_proc process(uint64_t pid, const char *comm)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, comm, &p, vmt_bytes_of(comm));
	return p;
}

static void test_rows(void **state)
{
	VMT_AUTO_SHARERS s = vmt_sharers_new(11);
	struct vmt_map a[] = { make(1, "text", "/lib/x", 100, 10),
			       make(2, "memfd", "/memfd:m", 50, 40),
			       make(1, "text", "/lib/x", 100, 5) };
	struct vmt_map b[] = { make(1, "text", "/lib/x", 100, 20), make(0, "anon", "", 7, 7),
			       make(9, "anon", "/dev/zero", 7, 7) };
	struct vmt_proc p = process(10, "first"), q = process(11, "second");
	const struct vmt_sharer *rows;
	uint64_t dropped;
	size_t n;

	VMT_SET(map, deleted, &a[0], false);
	assert_int_equal(vmt_sharers_add(s, &p, a, 2), 0);
	assert_int_equal(vmt_sharers_add(s, &p, a + 2, 1), 0);
	assert_int_equal(vmt_sharers_add(s, &q, b, 3), 0);
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(n, 3);
	assert_int_equal(dropped, 0);
	/* 40 of the memfd, 35 of the library; of this the second process has more. */
	assert_text(sharer, kind, &rows[0], "memfd");
	assert_field(sharer, pid, &rows[0], 10);
	assert_field(sharer, processes_total, &rows[0], 1);
	assert_unknown(sharer, deleted, &rows[0]);
	assert_text(sharer, kind, &rows[1], "file");
	assert_text(sharer, name, &rows[1], "/lib/x");
	assert_text(sharer, comm, &rows[1], "second");
	assert_field(sharer, processes_total, &rows[1], 2);
	assert_field(sharer, maps_total, &rows[1], 1);
	assert_field(sharer, rss_bytes, &rows[1], 20);
	assert_field(sharer, deleted, &rows[1], false);
	assert_unknown(sharer, pss_bytes, &rows[1]);
	assert_field(sharer, pid, &rows[2], 10);
	assert_field(sharer, maps_total, &rows[2], 2);
	assert_field(sharer, size_bytes, &rows[2], 200);
	assert_field(sharer, rss_bytes, &rows[2], 15);
	assert_unknown(sharer, held_bytes, &rows[2]);
}

static void test_segments(void **state)
{
	static const struct vmt_segment segments[] = {
		{ .id = 5, .mode = 0600, .size = 4096, .rss = 4096, .attached = 2, .creator = 1 },
		{ .id = 6, .mode = 01600, .size = 8192, .rss = 99999, .swap = 3, .creator = 2 },
		/* Its id is that of a mapping, in another namespace. */
		{ .id = 7, .mode = 0600, .size = 1, .rss = 1 },
	};
	VMT_AUTO_SHARERS s = vmt_sharers_new(11);
	struct vmt_map a[] = { make(5, "sysv", "/SYSV00000001 (deleted)", 4096, 4096),
			       make(7, "sysv", "/SYSV00000002 (deleted)", 10, 10),
			       make(6, "memfd", "/memfd:x (deleted)", 20, 20) };
	struct vmt_proc p = process(10, "first");
	const struct vmt_sharer *rows;
	uint64_t dropped;
	size_t n;

	VMT_SET(map, ipc_namespace, &a[0], 11);
	VMT_SET(map, ipc_namespace, &a[1], 12);
	assert_int_equal(vmt_sharers_add(s, &p, a, 3), 0);
	assert_int_equal(vmt_sharers_add_segments(s, segments, 3), 0);
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(n, 5);
	/* Nobody maps it. */
	assert_text(sharer, kind, &rows[0], "sysv");
	assert_field(sharer, inode, &rows[0], 6);
	assert_unknown(sharer, pid, &rows[0]);
	assert_unknown(sharer, rss_bytes, &rows[0]);
	assert_unknown(sharer, name, &rows[0]);
	assert_field(sharer, processes_total, &rows[0], 0);
	assert_field(sharer, maps_total, &rows[0], 0);
	assert_field(sharer, size_bytes, &rows[0], 8192);
	assert_field(sharer, held_bytes, &rows[0], 99999);
	assert_field(sharer, held_swap_bytes, &rows[0], 3);
	assert_field(sharer, attached_total, &rows[0], 0);
	assert_field(sharer, deleted, &rows[0], true);
	assert_field(sharer, ipc_namespace, &rows[0], 11);
	assert_field(sharer, inode, &rows[1], 5);
	assert_field(sharer, pid, &rows[1], 10);
	assert_field(sharer, attached_total, &rows[1], 2);
	assert_field(sharer, creator_pid, &rows[1], 1);
	assert_field(sharer, deleted, &rows[1], false);
	assert_field(sharer, inode, &rows[2], 6);
	assert_unknown(sharer, held_bytes, &rows[2]);
	assert_field(sharer, ipc_namespace, &rows[3], 12);
	assert_unknown(sharer, held_bytes, &rows[3]);
	assert_field(sharer, inode, &rows[4], 7);
	assert_unknown(sharer, pid, &rows[4]);
}

/* Only what the chosen process maps. */
static void test_chosen(void **state)
{
	static const struct vmt_segment segments[] = { { .id = 77, .mode = 0600, .size = 4096 } };
	VMT_AUTO_SHARERS s = vmt_sharers_new(0);
	struct vmt_map a[] = { make(1, "text", "/lib/x", 100, 10) };
	struct vmt_map b[] = { make(1, "text", "/lib/x", 100, 20),
			       make(2, "text", "/lib/y", 7, 7) };
	struct vmt_proc p = process(10, "first"), q = process(11, "second");
	const struct vmt_sharer *rows;
	uint64_t dropped;
	size_t n;

	assert_int_equal(vmt_sharers_want(s, a, 1), 0);
	assert_int_equal(vmt_sharers_add(s, &p, a, 1), 0);
	assert_int_equal(vmt_sharers_add(s, &q, b, 2), 0);
	assert_int_equal(vmt_sharers_add_segments(s, segments, 1), 0);
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(n, 2);
	assert_int_equal(dropped, 0);
	assert_field(sharer, pid, &rows[0], 11);
	assert_field(sharer, pid, &rows[1], 10);
}

static void b11_bounded(void **state)
{
	VMT_AUTO_SHARERS s = vmt_sharers_new(0);
	struct vmt_map m = make(1, "text", "/lib/x", 100, 1);
	struct vmt_proc p = process(10, "p");
	const struct vmt_sharer *rows;
	uint64_t dropped;
	size_t n, i;

	for (i = 0; i < VMT_SHARED_FILES_MAX + 10; i++) {
		m.inode = i + 1;
		assert_int_equal(vmt_sharers_add(s, &p, &m, 1), 0);
	}
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(dropped, 10);
	assert_int_equal(n, VMT_SHARED_FILES_MAX + 1);
	assert_field(sharer, maps_total, &rows[n - 1], 10);
	assert_unknown(sharer, kind, &rows[n - 1]);
	vmt_sharers_free(s);
	/* One file, and more processes than rows. */
	s = vmt_sharers_new(0);
	for (i = 0; i < VMT_SHARERS_MAX + 5; i++) {
		p.pid = i + 1;
		assert_int_equal(vmt_sharers_add(s, &p, &m, 1), 0);
	}
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(n, VMT_SHARERS_MAX + 1);
	assert_int_equal(dropped, 5);
}

static void test_unknown(void **state)
{
	VMT_AUTO_SHARERS s = vmt_sharers_new(0);
	struct vmt_map m[] = { make(1, "text", "/x", 100, 1), make(1, "text", "/x", 100, 1) };
	struct vmt_proc p = process(10, "p");
	const struct vmt_sharer *rows;
	uint64_t dropped;
	size_t n;

	VMT_UNSET(map, rss_bytes, &m[0]);
	assert_int_equal(vmt_sharers_add(s, &p, m, 1), 0);
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_unknown(sharer, rss_bytes, &rows[0]);
	assert_field(sharer, unknown_total, &rows[0], 1);
	assert_int_equal(vmt_sharers_add(s, &p, m + 1, 1), 0);
	rows = vmt_sharers_rows(s, &n, &dropped);
	assert_int_equal(n, 1);
	assert_field(sharer, unknown_total, &rows[0], 1);
	assert_field(sharer, rss_bytes, &rows[0], 1);
}

static int sharers(void *arg)
{
	static const struct vmt_segment segment = { .id = 77 };
	VMT_AUTO_SHARERS s = vmt_sharers_new(0);
	struct vmt_map m = make(1, "text", "/lib/x", 100, 1);
	struct vmt_proc p = process(10, "p");
	uint64_t dropped;
	size_t n;

	if (!s || vmt_sharers_add(s, &p, &m, 1) < 0 || vmt_sharers_add_segments(s, &segment, 1) < 0)
		return -ENOMEM;
	return vmt_sharers_rows(s, &n, &dropped) ? 0 : -ENOMEM;
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_piece_sweep(sharers, NULL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_segments),
		cmocka_unit_test(test_chosen),	cmocka_unit_test(b11_bounded),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
