/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/mounts.h"

static const char table[] =
	"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"25 22 0:23 / /dev/shm rw,nosuid shared:3 master:4 propagate_from:2 - tmpfs tmpfs rw\n"
	"26 22 0:23 /sub /mnt/again rw - tmpfs tmpfs rw\n"
	"27 22 254:0 /srv /mnt/srv rw - ext4 /dev/vda rw\n"
	"28 22 254:0 /srv /s rw - ext4 /dev/vda rw\n"
	/* A blank, a backslash and a newline in names; what is no escape stays. */
	"29 22 0:40 /r\\134t /mnt/a\\040b\\012c\\04 rw - fuse.ssh\\040fs none rw\n"
	"30 22 0:41 /only /elsewhere rw - xfs none rw\n"
	"nonsense\n"
	"x 22 0:42 / /x rw - tmpfs none rw\n"
	"31 22 zero:43 / /y rw - tmpfs none rw\n"
	"32 22 0:44 / /z rw\n"
	"34 22 0:46 / /c rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
	"33 22 0:45 / /last rw - tmpfs";

static struct vmt_bytes point_of(const struct vmt_mounts *m, uint64_t minor, const char *path)
{
	const struct vmt_mount *found =
		vmt_mounts_of(m, minor ? 0 : 254, minor, vmt_bytes_of(path));

	return found ? found->point : (struct vmt_bytes){ 0 };
}

static void test_parse(void **state)
{
	struct vmt_mounts *m = vmt_mounts_parse(vmt_bytes_of(table));
	const struct vmt_mount *odd;

	assert_non_null(m);
	assert_int_equal(m->n, 9);
	odd = vmt_mounts_by_id(m, 29);
	assert_non_null(odd);
	assert_int_equal(odd->major, 0);
	assert_int_equal(odd->minor, 40);
	assert_true(vmt_bytes_is(odd->root, "/r\\t"));
	assert_true(vmt_bytes_is(odd->point, "/mnt/a b\nc\\04"));
	assert_true(vmt_bytes_is(odd->fs_type, "fuse.ssh fs"));
	assert_true(vmt_bytes_is(vmt_mounts_by_id(m, 33)->fs_type, "tmpfs"));
	assert_true(vmt_mount_has(vmt_mounts_by_id(m, 34), "memory_recursiveprot"));
	assert_true(vmt_mount_has(vmt_mounts_by_id(m, 34), "rw"));
	assert_false(vmt_mount_has(vmt_mounts_by_id(m, 34), "memory"));
	assert_false(vmt_mount_has(vmt_mounts_by_id(m, 33), "rw"));
	assert_null(vmt_mounts_by_id(m, 31));
	assert_null(vmt_mounts_by_id(m, 32));
	vmt_mounts_unref(m);
}

static void test_find(void **state)
{
	struct vmt_mounts *m = vmt_mounts_parse(vmt_bytes_of(table));

	assert_non_null(m);
	/* What shows most of a file system is nearest to its own names. */
	assert_true(vmt_bytes_is(point_of(m, 0, "/srv/x"), "/"));
	assert_true(vmt_bytes_is(point_of(m, 23, "/sub/x"), "/dev/shm"));
	assert_true(vmt_bytes_is(point_of(m, 41, "/only"), "/elsewhere"));
	assert_true(vmt_bytes_is(point_of(m, 41, "/only/x"), "/elsewhere"));
	assert_int_equal(point_of(m, 41, "/onlyx").len, 0);
	assert_int_equal(point_of(m, 41, "/").len, 0);
	assert_int_equal(point_of(m, 99, "/").len, 0);
	vmt_mounts_unref(m);
}

static void test_types(void **state)
{
	assert_true(vmt_fs_may_wait(VMT_BYTES("nfs4")));
	assert_true(vmt_fs_may_wait(VMT_BYTES("fuse.sshfs")));
	assert_true(vmt_fs_may_wait((struct vmt_bytes){ 0 }));
	assert_false(vmt_fs_may_wait(VMT_BYTES("ext4")));
	assert_false(vmt_fs_may_wait(VMT_BYTES("fusectl")));
	assert_true(vmt_fs_is_pseudo(VMT_BYTES("proc")));
	assert_false(vmt_fs_is_pseudo(VMT_BYTES("tmpfs")));
	assert_false(vmt_fs_is_pseudo((struct vmt_bytes){ 0 }));
}

static int parse(void *arg)
{
	struct vmt_mounts *m = vmt_mounts_parse(vmt_bytes_of(table));

	(void)arg;
	if (!m)
		return -ENOMEM;
	vmt_mounts_unref(m);
	return 0;
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(parse, NULL) >= 3);
}

/* An escape is a backslash and three octal digits that make a byte; nothing else is one. */
static void test_escapes(void **state)
{
	static const struct {
		const char *written, *name;
	} cases[] = {
		{ "/\\000x", "/" },	   { "/\\377", "/\377" },  { "/\\400", "/\\400" },
		{ "/\\/00", "/\\/00" },	   { "/\\08x", "/\\08x" }, { "/\\0/0", "/\\0/0" },
		{ "/\\008", "/\\008" },	   { "/\\00/", "/\\00/" }, { "/\\04", "/\\04" },
		{ "/\\134040", "/\\040" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_BUF line = { 0 };
		struct vmt_mounts *m;

		vmt_buf_addf(&line, "1 2 0:3 / %s rw - tmpfs none rw\n", cases[i].written);
		m = vmt_mounts_parse((struct vmt_bytes){ line.data, line.len });
		assert_non_null(m);
		assert_int_equal(m->n, 1);
		assert_string_equal(m->mounts[0].point.ptr, cases[i].name);
		vmt_mounts_unref(m);
	}
}

static void test_what_is_no_mount(void **state)
{
	static const char *const bad[] = {
		"1x 2 0:3 / / rw - tmpfs none rw\n",
		"1 2 :3 / / rw - tmpfs none rw\n",
		"1 2 0-3 / / rw - tmpfs none rw\n",
		"1 2 0:x / / rw - tmpfs none rw\n",
		"1 2 0:3x / / rw - tmpfs none rw\n",
		"1 2 0:3 / / rw -\n",
		"1 2 0:3 / /\n",
		"\n",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_mounts *m = vmt_mounts_parse(vmt_bytes_of(bad[i]));

		assert_non_null(m);
		assert_int_equal(m->n, 0);
		vmt_mounts_unref(m);
	}
}

/* Of mounts that show the same, the shortest name; of those that are as long, the first. */
static void test_the_shortest_name(void **state)
{
	struct vmt_mounts *m = vmt_mounts_parse(VMT_BYTES("1 0 0:3 /d /mnt/long rw - xfs none rw\n"
							  "2 0 0:3 /d /mnt/b rw - xfs none rw\n"
							  "3 0 0:3 /d /mnt/c rw - xfs none rw\n"
							  "4 0 0:3 /e /s rw - xfs none rw\n"
							  "5 0 0:4 /d /x rw - xfs none rw\n"
							  "6 0 8:3 /d /y rw - xfs none rw\n"));

	assert_non_null(m);
	assert_true(vmt_bytes_is(point_of(m, 3, "/d/f"), "/mnt/b"));
	assert_true(vmt_bytes_is(point_of(m, 3, "/e"), "/s"));
	assert_int_equal(point_of(m, 3, "/f").len, 0);
	vmt_mounts_unref(m);
}

/* Those of a saved machine, and of one that has none. */
static void test_load(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_mounts *m;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(&d, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	m = vmt_mounts_load(root);
	assert_non_null(m);
	assert_int_equal(m->n, 0);
	vmt_mounts_unref(m);
	unit_dir_write(&d, "proc/1/mountinfo", table);
	m = vmt_mounts_load(root);
	assert_non_null(m);
	assert_int_equal(m->n, 9);
	vmt_mounts_unref(m);
	/* "self" comes before number 1. */
	unit_dir_write(&d, "proc/self/mountinfo", "1 2 0:3 / / rw - tmpfs none rw\n");
	m = vmt_mounts_load(root);
	assert_non_null(m);
	assert_int_equal(m->n, 1);
	vmt_mounts_unref(m);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_what_is_no_mount),
		cmocka_unit_test(test_the_shortest_name),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
