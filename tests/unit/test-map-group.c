/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/map-group.h"
#include "model/map-key.h"

static struct vmt_map make(const char *role, const char *perms, uint64_t size, uint64_t rss)
{
	struct vmt_map m = { 0 };

	if (role)
		VMT_SET(map, role, &m, vmt_bytes_of(role));
	VMT_SET(map, perms, &m, vmt_bytes_of(perms));
	VMT_SET(map, kind, &m, VMT_BYTES("file"));
	VMT_SET(map, path, &m, VMT_BYTES(""));
	VMT_SET(map, inode, &m, 0);
	VMT_SET(map, size_bytes, &m, size);
	VMT_SET(map, rss_bytes, &m, rss);
	return m;
}

static struct vmt_map make_file(const char *device, uint64_t inode, const char *path, uint64_t rss)
{
	struct vmt_map m = make("file", "r--p", 4096, rss);

	VMT_SET(map, device, &m, vmt_bytes_of(device));
	VMT_SET(map, inode, &m, inode);
	VMT_SET(map, path, &m, vmt_bytes_of(path));
	return m;
}

static const struct vmt_map_group *named(const struct vmt_map_group *rows, size_t n,
					 const char *name)
{
	const struct vmt_map_group *found = rows;
	size_t i;

	for (i = 0; i < n; i++)
		if (name ? VMT_HAS(map_group, name, &rows[i]) && vmt_bytes_is(rows[i].name, name)
			 : !VMT_HAS(map_group, name, &rows[i]))
			found = &rows[i];
	assert_true(name ? vmt_bytes_is(found->name, name) : !VMT_HAS(map_group, name, found));
	return found;
}

static void test_by_role(void **state)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_ROLE);
	struct vmt_map one[] = { make("text", "r-xp", 8192, 4096), make("anon", "rw-p", 100, 50),
				 make("text", "r-xp", 4096, 4096) };
	struct vmt_map two[] = { make("text", "r-xs", 1000, 10), make(NULL, "r--p", 7, 7) };
	const struct vmt_map_group *rows, *row;
	size_t n;

	/* Known of all of a group; of some of it. */
	VMT_SET(map, pss_bytes, &one[0], 1);
	VMT_SET(map, pss_bytes, &one[1], 20);
	VMT_SET(map, swap_bytes, &one[1], 0);
	VMT_SET(map, pss_bytes, &two[0], 2);
	assert_int_equal(vmt_map_groups_add(g, 1, one, 3), 0);
	/* In parts, as they come. */
	assert_int_equal(vmt_map_groups_add(g, 2, two, 1), 0);
	assert_int_equal(vmt_map_groups_add(g, 2, two + 1, 1), 0);
	rows = vmt_map_groups_rows(g, &n);
	assert_int_equal(n, 3);
	row = named(rows, n, "text");
	assert_field(map_group, processes_total, row, 2);
	assert_field(map_group, maps_total, row, 3);
	assert_field(map_group, unknown_total, row, 0);
	assert_field(map_group, size_bytes, row, 8192 + 4096 + 1000);
	assert_field(map_group, rss_bytes, row, 8202);
	assert_field(map_group, private_map_bytes, row, 8192);
	assert_field(map_group, shared_map_bytes, row, 10);
	assert_field(map_group, dropped_total, row, 0);
	assert_unknown(map_group, pss_bytes, row);
	assert_unknown(map_group, swap_bytes, row);
	assert_unknown(map_group, inode, row);
	row = named(rows, n, "anon");
	assert_field(map_group, processes_total, row, 1);
	assert_field(map_group, pss_bytes, row, 20);
	assert_field(map_group, swap_bytes, row, 0);
	/* A role that cannot be told is a group, and no role. */
	row = named(rows, n, NULL);
	assert_field(map_group, maps_total, row, 1);
	assert_field(map_group, rss_bytes, row, 7);
}

/* What is not known of a mapping is counted, and is not 0. */
static void test_unknown(void **state)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_KIND);
	struct vmt_map maps[] = { make(NULL, "r--p", 8192, 4096), make(NULL, "r--p", 100, 0) };
	const struct vmt_map_group *row;
	size_t n;

	VMT_UNSET(map, rss_bytes, &maps[1]);
	assert_int_equal(vmt_map_groups_add(g, 1, maps + 1, 1), 0);
	row = vmt_map_groups_rows(g, &n);
	assert_int_equal(n, 1);
	assert_field(map_group, unknown_total, row, 1);
	assert_field(map_group, size_bytes, row, 100);
	assert_unknown(map_group, rss_bytes, row);
	assert_unknown(map_group, private_map_bytes, row);
	assert_int_equal(vmt_map_groups_add(g, 1, maps, 1), 0);
	row = vmt_map_groups_rows(g, &n);
	assert_field(map_group, unknown_total, row, 1);
	assert_field(map_group, maps_total, row, 2);
	assert_field(map_group, rss_bytes, row, 4096);
	assert_text(map_group, name, row, "file");
}

static void test_by_file(void **state)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_FILE);
	struct vmt_map maps[] = {
		make_file("fe:00", 7, "/a", 1),
		/* The same file by another name; other files of that name. */
		make_file("fe:00", 7, "/b", 2),
		make_file("fe:01", 7, "/a", 4),
		make_file("fe:00", 8, "/a", 8),
		/* A segment of that id in another namespace. */
		make_file("00:01", 3, "/SYSV00000000 (deleted)", 16),
		make_file("00:01", 3, "/SYSV00000000 (deleted)", 32),
		make("anon", "rw-p", 1, 64),
		make("heap", "rw-p", 1, 128),
		/* The first segment of a namespace has no other number. */
		make_file("00:01", 0, "/SYSV00000000 (deleted)", 256),
	};
	const struct vmt_map_group *rows;
	size_t n, i;

	VMT_SET(map, ipc_namespace, &maps[4], 1);
	VMT_SET(map, ipc_namespace, &maps[5], 2);
	VMT_SET(map, path, &maps[7], VMT_BYTES("[heap]"));
	VMT_SET(map, deleted, &maps[1], true);
	assert_int_equal(vmt_map_groups_add(g, 1, maps, VMT_ARRAY_LEN(maps)), 0);
	rows = vmt_map_groups_rows(g, &n);
	assert_int_equal(n, 8);
	assert_field(map_group, rss_bytes, &rows[0], 3);
	assert_text(map_group, name, &rows[0], "/a");
	assert_text(map_group, device, &rows[0], "fe:00");
	assert_field(map_group, inode, &rows[0], 7);
	assert_field(map_group, deleted, &rows[0], true);
	for (i = 1; i < n; i++)
		assert_field(map_group, rss_bytes, &rows[i], 2u << i);
	assert_field(map_group, ipc_namespace, &rows[4], 2);
	assert_text(map_group, name, &rows[5], "[anon]");
	assert_unknown(map_group, inode, &rows[5]);
	assert_text(map_group, name, &rows[6], "[heap]");
	assert_field(map_group, inode, &rows[7], 0);
}

static void c18_sums_that_overflow(void **state)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_KIND);
	struct vmt_map maps[] = { make(NULL, "r--p", 1, UINT64_MAX), make(NULL, "r--p", 1, 1) };
	const struct vmt_map_group *row;
	size_t n;

	assert_int_equal(vmt_map_groups_add(g, 1, maps, 2), 0);
	row = vmt_map_groups_rows(g, &n);
	assert_unknown(map_group, rss_bytes, row);
	assert_unknown(map_group, private_map_bytes, row);
	assert_field(map_group, size_bytes, row, 2);
}

/* HOSTILE: names without end. */
static void b11_many_names(void **state)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_FILE);
	const struct vmt_map_group *rows;
	static char name[VMT_MAP_GROUP_NAMES_MAX + 1];
	struct vmt_map m = make_file("fe:00", 1, "/x", 1);
	uint64_t i, total = VMT_MAP_GROUPS_MAX + 100;
	size_t n;

	for (i = 1; i <= total; i++) {
		m.inode = i;
		assert_int_equal(vmt_map_groups_add(g, i % 7 + 1, &m, 1), 0);
	}
	/* One that is there still counts. */
	m.inode = 1;
	assert_int_equal(vmt_map_groups_add(g, 1, &m, 1), 0);
	rows = vmt_map_groups_rows(g, &n);
	assert_int_equal(n, VMT_MAP_GROUPS_MAX + 1);
	assert_field(map_group, maps_total, &rows[0], 2);
	assert_field(map_group, dropped_total, &rows[n - 1], 100);
	assert_field(map_group, rss_bytes, &rows[n - 1], 100);
	assert_unknown(map_group, name, &rows[n - 1]);
	vmt_map_groups_free(g);
	/* And long ones. */
	g = vmt_map_groups_new(VMT_MAPS_BY_FILE);
	memset(name, 'n', sizeof(name));
	for (i = 1; i <= 3; i++) {
		m.inode = i;
		VMT_SET(map, path, &m,
			((struct vmt_bytes){ name, i == 2 ? 5 : VMT_MAP_GROUP_NAMES_MAX - 5 }));
		assert_int_equal(vmt_map_groups_add(g, 1, &m, 1), 0);
	}
	rows = vmt_map_groups_rows(g, &n);
	assert_int_equal(n, 3);
	assert_field(map_group, dropped_total, &rows[2], 1);
}

static void test_keys(void **state)
{
	struct vmt_key_table t;
	struct vmt_bytes key;
	uint32_t i;

	vmt_key_table_init(&t, 1000, 3000);
	key = (struct vmt_bytes){ (const char *)&i, 3 };
	for (i = 0; i < 1000; i++)
		assert_int_equal(vmt_key_table_take(&t, key, true), i);
	for (i = 0; i < 1000; i++)
		assert_int_equal(vmt_key_table_take(&t, key, i % 2), i);
	assert_int_equal(vmt_key_table_take(&t, key, true), -ENOSPC);
	assert_int_equal(vmt_key_table_take(&t, key, false), -ENOENT);
	assert_int_equal(vmt_key_table_take(&t, VMT_BYTES(""), true), -ENOSPC);
	vmt_key_table_done(&t);
	vmt_key_table_init(&t, 2, 3);
	assert_int_equal(vmt_key_table_take(&t, VMT_BYTES("four"), true), -ENOSPC);
	assert_int_equal(vmt_key_table_take(&t, VMT_BYTES(""), true), 0);
	assert_int_equal(vmt_key_table_take(&t, VMT_BYTES("abc"), true), 1);
	assert_int_equal(vmt_key_table_take(&t, VMT_BYTES(""), false), 0);
	vmt_key_table_done(&t);
}

static int groups(void *arg)
{
	VMT_AUTO_MAP_GROUPS g = vmt_map_groups_new(VMT_MAPS_BY_FILE);
	struct vmt_map maps[] = { make_file("fe:00", 7, "/a", 1), make("anon", "rw-p", 1, 64) };
	size_t n;

	if (!g)
		return -ENOMEM;
	if (vmt_map_groups_add(g, 1, maps, 2) < 0)
		return -ENOMEM;
	return vmt_map_groups_rows(g, &n) ? 0 : -ENOMEM;
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_piece_sweep(groups, NULL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_role),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_by_file),
		cmocka_unit_test(c18_sums_that_overflow),
		cmocka_unit_test(b11_many_names),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
