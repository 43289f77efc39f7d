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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_the_kernels_own),
		cmocka_unit_test(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
