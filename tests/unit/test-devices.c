/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "source/devices.h"

static const char table[] =
	"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"25 22 0:23 / /dev/shm rw,nosuid shared:3 master:4 propagate_from:2 - tmpfs tmpfs rw\n"
	"26 22 0:23 /sub /mnt/again rw - tmpfs tmpfs rw\n"
	"27 22 0:31 / /dev/hugepages rw - hugetlbfs hugetlbfs rw\n"
	/* Without optional fields; a mount point with a blank, and one called "-". */
	"28 22 0:40 / /mnt/a\\040b rw - tmpfs none rw\n"
	"29 22 0:41 / - rw - tmpfs none rw\n"
	"30 22 0:42 / /x rw - tmpfsx none rw\n"
	"nonsense\n"
	"31 22 zero:43 / /y rw - tmpfs none rw\n"
	"32 22 0:44 / /z rw\n"
	"33 22 0:45 / /last rw - tmpfs";

static void test_parse(void **state)
{
	struct vmt_devices d = { 0 };

	assert_int_equal(vmt_devices_parse(&d, vmt_bytes_of(table)), 0);
	assert_int_equal(d.n, 5);
	assert_false(vmt_devices_find(&d, 0, 23)->hugetlb);
	assert_true(vmt_devices_find(&d, 0, 31)->hugetlb);
	assert_non_null(vmt_devices_find(&d, 0, 40));
	assert_non_null(vmt_devices_find(&d, 0, 41));
	assert_non_null(vmt_devices_find(&d, 0, 45));
	assert_null(vmt_devices_find(&d, 254, 0));
	assert_null(vmt_devices_find(&d, 0, 42));
	assert_null(vmt_devices_find(&d, 0, 43));
	assert_null(vmt_devices_find(&d, 0, 44));
	vmt_devices_done(&d);
}

static void test_the_kernels_own(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_devices d;
	struct stat st;
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	assert_int_equal(vmt_devices_load(&d, root), 0);
	assert_true(d.has_internal);
	assert_true(vmt_devices_find(&d, major(st.st_dev), minor(st.st_dev))->internal);
	assert_false(vmt_devices_find(&d, major(st.st_dev), minor(st.st_dev))->hugetlb);
	fd = memfd_create("x", MFD_CLOEXEC | MFD_HUGETLB);
	assert_int_equal(d.has_internal_huge, fd >= 0);
	if (fd >= 0) {
		assert_int_equal(fstat(fd, &st), 0);
		close(fd);
		assert_true(vmt_devices_find(&d, major(st.st_dev), minor(st.st_dev))->internal);
		assert_true(vmt_devices_find(&d, major(st.st_dev), minor(st.st_dev))->hugetlb);
	}
	vmt_devices_done(&d);
	vmt_root_unref(root);
}

static int parse(void *arg)
{
	struct vmt_devices d = { 0 };
	int r = vmt_devices_parse(&d, vmt_bytes_of(table));

	vmt_devices_done(&d);
	return r;
}

static void test_failing_allocations(void **state)
{
	assert_int_equal(unit_alloc_sweep(parse, NULL), 1);
}

static void test_what_is_no_device(void **state)
{
	static const char bad[] = "1 2 :3 / / rw - tmpfs none rw\n"
				  "1 2 0-3 / / rw - tmpfs none rw\n"
				  "1 2 0:x / / rw - tmpfs none rw\n"
				  "1 2 0:3x / / rw - tmpfs none rw\n"
				  "1 2 0:3 / / rw tmpfs none rw\n"
				  "\n";
	struct vmt_devices d = { 0 };

	assert_int_equal(vmt_devices_parse(&d, VMT_BYTES(bad)), 0);
	assert_int_equal(d.n, 0);
	vmt_devices_done(&d);
}

/* A saved machine has its own devices, not those of the kernel at hand. */
static void test_of_a_saved_machine(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_devices d;
	struct unit_dir dir;

	unit_dir_make(&dir);
	unit_dir_write(&dir, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(&dir, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(dir.path, &root, NULL), 0);
	assert_int_equal(vmt_devices_load(&d, root), 0);
	assert_int_equal(d.n, 0);
	vmt_devices_done(&d);
	unit_dir_write(&dir, "proc/1/mountinfo", table);
	assert_int_equal(vmt_devices_load(&d, root), 0);
	assert_int_equal(d.n, 5);
	assert_false(d.has_internal || d.has_internal_huge);
	vmt_devices_done(&d);
	unit_dir_write(&dir, "proc/self/mountinfo", "");
	assert_int_equal(vmt_devices_load(&d, root), 0);
	assert_int_equal(d.n, 0);
	vmt_devices_done(&d);
	vmt_root_unref(root);
	unit_dir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_the_kernels_own),
		cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_what_is_no_device),
		cmocka_unit_test(test_of_a_saved_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
