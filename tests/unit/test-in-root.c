/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/in-root.h"

static int by_kernel(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Both find the same file, or fail for the same reason. */
static void same(int root, const char *path)
{
	size_t before = unit_open_files();
	int kernel = by_kernel(root, path), walk = vmt_walk_in_root(root, path);
	struct stat a, b;

	if ((kernel < 0 || walk < 0) && kernel != walk)
		fail_msg("%s: %d by the kernel, %d by steps", path, kernel, walk);
	if (kernel >= 0) {
		assert_int_equal(fstat(kernel, &a), 0);
		assert_int_equal(fstat(walk, &b), 0);
		if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
			fail_msg("%s: another file", path);
		close(kernel);
		close(walk);
	}
	assert_int_equal(unit_open_files(), before);
}

static void test_as_the_kernel_does(void **state)
{
	static const struct {
		const char *to, *name;
	} links[] = {
		{ "file", "near" },
		{ "dir/deep/file", "down" },
		{ "/dir", "absolute" },
		{ "../file", "dir/up" },
		{ "/../../file", "out" },
		{ "loop", "loop" },
		{ "near", "twice" },
		{ "nowhere", "broken" },
		{ "deep/../deep", "dir/dots" },
		{ "/absolute/deep", "dir/via" },
	};
	static const char *const paths[] = {
		"file",
		"dir",
		"dir/deep",
		"dir/deep/file",
		"near",
		"down",
		"absolute",
		"absolute/deep/file",
		"dir/up",
		"out",
		"loop",
		"loop/file",
		"twice",
		"broken",
		"broken/file",
		"dir/dots",
		"dir/dots/file",
		"dir/via/file",
		"..",
		"../..",
		".",
		"dir/..",
		"../dir/deep/../../file",
		"dir/./deep//file",
		"nothing",
		"file/file",
		"dir/nothing/..",
		"etc/passwd",
		"../../../../etc/passwd",
	};
	struct unit_dir d;
	size_t i;
	int root;

	unit_dir_make(&d);
	unit_dir_write(&d, "file", "1");
	root = open(d.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "dir", 0700), 0);
	assert_int_equal(mkdirat(root, "dir/deep", 0700), 0);
	unit_dir_write(&d, "dir/deep/file", "2");
	for (i = 0; i < VMT_ARRAY_LEN(links); i++)
		assert_int_equal(symlinkat(links[i].to, root, links[i].name), 0);
	for (i = 0; i < VMT_ARRAY_LEN(paths); i++)
		same(root, paths[i]);
	close(root);
	unit_dir_remove(&d);
}

static void test_no_link_to_what_is_open(void **state)
{
	static const char *const paths[] = { "self/exe", "self/cwd", "self/cwd/file",
					     "self/root/proc" };
	int self = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	assert_true(self >= 0);
	for (i = 0; i < VMT_ARRAY_LEN(paths); i++)
		assert_int_equal(vmt_walk_in_root(self, paths[i]), -ELOOP);
	close(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_kernel_does),
		cmocka_unit_test(test_no_link_to_what_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
