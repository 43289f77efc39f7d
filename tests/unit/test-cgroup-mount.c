/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/cgroup-mount.h"

/* Looks for the hierarchy of a saved machine that has these mounts; what is found is the caller's.
 */
static int find(const struct unit_dir *d, const char *mounts, struct vmt_cgroup_mount *ret)
{
	struct vmt_root *root = NULL;
	struct vmt_err err = { 0 };
	int r;

	unit_dir_write(d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(d, "proc/self/mountinfo", mounts);
	assert_int_equal(vmt_root_open(d->path, &root, NULL), 0);
	r = vmt_cgroup_mount_find(root, ret, &err);
	vmt_root_unref(root);
	if (r < 0) {
		assert_true(err.text[0]);
		assert_int_equal(ret->fd, -1);
		vmt_cgroup_mount_done(ret);
	}
	return r;
}

#define V2 "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
#define V1 "31 22 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

static void test_version_2(void **state)
{
	struct vmt_cgroup_mount m;
	struct unit_dir d;

	unit_dir_make(&d);
	/* No mount, none of that controller, and none that is there. */
	assert_int_equal(find(&d, "", &m), -ENOENT);
	assert_int_equal(
		find(&d, "31 22 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", &m),
		-ENOENT);
	assert_int_equal(find(&d, V2, &m), -ENOENT);
	/* A hierarchy that has not the controller, or does not say. */
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.procs", "");
	assert_int_equal(find(&d, V2, &m), -ENOENT);
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.controllers", "");
	assert_int_equal(find(&d, V2, &m), -ENOENT);
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.controllers", "cpu memoryx io\n");
	assert_int_equal(find(&d, V2, &m), -ENOENT);
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.controllers", "cpu memory io\n");
	assert_int_equal(find(&d, V2, &m), 0);
	assert_int_equal(m.version, 2);
	assert_false(m.above_hidden);
	assert_true(m.recursive);
	assert_buf(&m.point, "/sys/fs/cgroup");
	vmt_cgroup_mount_done(&m);
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.controllers", "memory");
	assert_int_equal(find(&d, V2, &m), 0);
	vmt_cgroup_mount_done(&m);
	/* Its root has no usage and no type: what has is a part of it. */
	unit_dir_write(&d, "sys/fs/cgroup/memory.current", "1\n");
	assert_int_equal(find(&d, V2, &m), 0);
	assert_true(m.above_hidden);
	vmt_cgroup_mount_done(&m);
	unit_dir_remove(&d);
}

static void test_versions_and_parts(void **state)
{
	struct vmt_cgroup_mount m;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "sys/fs/cgroup/memory.stat", "anon 0\n");
	unit_dir_write(&d, "sys/fs/cgroup/cgroup.type", "domain\n");
	unit_dir_write(&d, "sys/fs/cgroup/memory/memory.stat", "rss 0\n");
	unit_dir_write(&d, "part/memory.stat", "rss 0\n");
	/* Version 1 has the controller where both are mounted. */
	assert_int_equal(find(&d, V2 V1, &m), 0);
	assert_int_equal(m.version, 1);
	assert_false(m.above_hidden || m.recursive);
	vmt_cgroup_mount_done(&m);
	assert_int_equal(find(&d, V2, &m), 0);
	assert_int_equal(m.version, 2);
	assert_true(m.above_hidden);
	vmt_cgroup_mount_done(&m);
	/* All of it before a part, wherever that stands; a part of version 1 before version 2. */
	assert_int_equal(
		find(&d, "29 22 0:27 /docker/x /part rw - cgroup cgroup rw,memory\n" V1, &m), 0);
	assert_buf(&m.point, "/sys/fs/cgroup/memory");
	vmt_cgroup_mount_done(&m);
	assert_int_equal(
		find(&d, "29 22 0:27 /docker/x /part rw - cgroup cgroup rw,memory\n" V2, &m), 0);
	assert_int_equal(m.version, 1);
	assert_true(m.above_hidden);
	vmt_cgroup_mount_done(&m);
	/* The root of the machine is a place, too. */
	unit_dir_write(&d, "memory.stat", "anon 0\n");
	assert_int_equal(find(&d, "29 22 0:26 / / rw - cgroup2 cgroup2 rw\n", &m), 0);
	assert_buf(&m.point, "/");
	assert_false(m.recursive);
	vmt_cgroup_mount_done(&m);
	unit_dir_remove(&d);
}

/* Places that are no directories are none. */
static void test_places_that_are_none(void **state)
{
	struct vmt_cgroup_mount m;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "sys/fs/cgroup", "a file\n");
	assert_int_equal(find(&d, V2 V1, &m), -ENOENT);
	assert_int_equal(unlinkat(d.fd, "sys/fs/cgroup", 0), 0);
	assert_int_equal(symlinkat("../..", d.fd, "sys/fs/cgroup"), 0);
	unit_dir_write(&d, "memory.stat", "anon 0\n");
	assert_int_equal(find(&d, V2, &m), -ENOENT);
	unit_dir_remove(&d);
}

static void test_paths(void **state)
{
	struct vmt_cgroup_mount m = { .fd = -1 };
	const struct {
		const char *path, *wanted;
	} cases[] = {
		{ "/", "/" },
		{ "a", "/a" },
		{ "/a//b/./", "/a/b" },
		{ "/sys/fs/cgroup", "/" },
		{ "/sys/fs/cgroup/a", "/a" },
		{ "/sys/fs/cgroups/a", "/sys/fs/cgroups/a" },
		{ "/a/..b", "/a/..b" },
		{ "/a/../b", NULL },
		{ "..", NULL },
	};
	VMT_AUTO_BUF path = { 0 };

	vmt_buf_adds(&m.point, "/sys/fs/cgroup");
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		int r;

		vmt_buf_clear(&path);
		r = vmt_cgroup_mount_path(&m, cases[i].path, &path);
		assert_int_equal(r, cases[i].wanted ? 0 : -EINVAL);
		if (cases[i].wanted)
			assert_buf(&path, cases[i].wanted);
	}
	vmt_cgroup_mount_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_versions_and_parts),
		cmocka_unit_test(test_places_that_are_none),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
