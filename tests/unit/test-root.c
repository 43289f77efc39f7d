/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "source/root.h"

static void test_live(void **state)
{
	struct vmt_root *root = NULL;
	struct utsname u;

	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	assert_true(root->live);
	assert_string_equal(root->path, "");
	assert_int_equal(root->page_size, sysconf(_SC_PAGESIZE));
	assert_int_equal(root->user_hz, sysconf(_SC_CLK_TCK));
	assert_int_equal(root->euid, geteuid());
	assert_int_equal(uname(&u), 0);
	assert_string_equal(root->release, u.release);
	assert_int_equal(strlen(root->boot_id), 36);
	vmt_root_unref(root);
}

static void test_saved(void **state)
{
	struct vmt_root *root = NULL;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "proc/sys/kernel/osrelease", "5.10.0-99-fallback\n");
	unit_dir_write(&d, "proc/sys/kernel/random/boot_id",
		       "01234567-89ab-cdef-0123-456789abcdef\n");
	unit_dir_write(&d, "vmtop-fixture",
		       "# a comment\n\npage_size 65536\nuser_hz: 100\ncpus = 3\nmachine aarch64\n"
		       "realtime_ns 1700000000000000000\nmonotonic_ns 5\nboottime_ns 6\neuid 1000\n"
		       "something_new 1 2 3\n");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	assert_false(root->live);
	assert_string_equal(root->path, d.path);
	assert_int_equal(root->page_size, 65536);
	assert_int_equal(root->user_hz, 100);
	assert_int_equal(root->cpus, 3);
	assert_int_equal(root->euid, 1000);
	assert_true(root->realtime_ns == UINT64_C(1700000000000000000));
	assert_int_equal(root->boottime_ns, 6);
	assert_string_equal(root->machine, "aarch64");
	assert_string_equal(root->release, "5.10.0-99-fallback");
	assert_string_equal(root->boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

static void c20_page_size_is_never_assumed(void **state)
{
	static const char *const facts[] = {
		"user_hz 100\n",  "page_size 0\n", "page_size 5000\n",
		"page_size 4k\n", "page_size\n",   "page_size 18446744073709551616\n"
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(facts); i++) {
		struct vmt_root *root = NULL;
		struct vmt_err err = { 0 };
		struct unit_dir d;
		int r;

		unit_dir_make(&d);
		unit_dir_write(&d, "proc/x", "");
		unit_dir_write(&d, "vmtop-fixture", facts[i]);
		r = vmt_root_open(d.path, &root, &err);
		assert_true(r == -EINVAL || r == -ERANGE);
		assert_null(root);
		assert_string_equal(err.path, "vmtop-fixture");
		assert_non_null(strstr(err.text, "page"));
		unit_dir_remove(&d);
	}
}

static void test_no_machine_there(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_err err = { 0 };
	struct unit_dir d;

	unit_dir_make(&d);
	assert_int_equal(vmt_root_open("/does/not/exist", &root, &err), -ENOENT);
	assert_int_equal(vmt_root_open(d.path, &root, &err), -ENOENT);
	unit_dir_write(&d, "proc", "a file\n");
	assert_int_equal(vmt_root_open(d.path, &root, &err), -ENOTDIR);
	assert_int_equal(vmt_root_open("/dev/null", &root, &err), -ENOTDIR);
	assert_null(root);
	unit_dir_remove(&d);
}

static void test_links_are_not_followed(void **state)
{
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "real/file", "x");
	assert_int_equal(symlinkat("real", d.fd, "dirlink"), 0);
	assert_int_equal(symlinkat("/etc/passwd", d.fd, "real/link"), 0);
	assert_int_equal(vmt_open_at(d.fd, "real/link"), -ELOOP);
	/* O_DIRECTORY looks first. */
	assert_int_equal(vmt_open_dir_at(d.fd, "dirlink"), -ENOTDIR);
	assert_int_equal(vmt_open_at(d.fd, "dirlink/file"), -ELOOP);
	assert_int_equal(vmt_open_at(d.fd, "../etc/passwd"), -EXDEV);
	assert_int_equal(vmt_open_at(d.fd, "/etc/passwd"), -EXDEV);
	unit_dir_remove(&d);
}

static void test_descriptors_are_not_inherited(void **state)
{
	struct vmt_root *root = NULL;
	int fd;

	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	assert_true(fcntl(root->fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(root->proc_fd, F_GETFD) & FD_CLOEXEC);
	fd = vmt_open_at(root->proc_fd, "meminfo");
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(vmt_root_open_pid(root, 4194304), -ESRCH);
	vmt_root_unref(root);
}

static void test_a_fifo_does_not_hold_us(void **state)
{
	VMT_AUTO_BUF buf = { 0 };
	struct unit_dir d;

	unit_dir_make(&d);
	assert_int_equal(mkfifoat(d.fd, "fifo", 0600), 0);
	assert_int_equal(vmt_slurp_at(d.fd, "fifo", &buf, 100), 0);
	unit_dir_remove(&d);
}

static void test_slurp(void **state)
{
	enum { N = 100000 };
	VMT_AUTO_BUF buf = { 0 };
	static char big[N];
	struct unit_dir d;

	unit_dir_make(&d);
	memset(big, 'b', sizeof(big));
	unit_dir_write_bytes(&d, "big", big, sizeof(big));
	unit_dir_write(&d, "empty", "");
	vmt_buf_adds(&buf, "front");
	assert_int_equal(vmt_slurp_at(d.fd, "big", &buf, N), N);
	assert_int_equal(buf.len, N + 5);
	assert_memory_equal(buf.data, "frontbbb", 8);
	vmt_buf_clear(&buf);
	assert_int_equal(vmt_slurp_at(d.fd, "big", &buf, N - 1), -EFBIG);
	vmt_buf_clear(&buf);
	assert_int_equal(vmt_slurp_at(d.fd, "empty", &buf, 10), 0);
	assert_int_equal(vmt_slurp_at(d.fd, "none", &buf, 10), -ENOENT);
	assert_int_equal(vmt_slurp_at(d.fd, ".", &buf, 10), -EISDIR);
	unit_dir_remove(&d);
}

/* A pipe that gives a byte at a time: short reads are no end. */
static void test_slurp_takes_short_reads(void **state)
{
	VMT_AUTO_BUF buf = { 0 };
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		const char *s;

		for (s = "one byte at a time"; *s; s++) {
			if (write(fds[1], s, 1) != 1)
				_exit(1);
			usleep(500);
		}
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(vmt_slurp_fd(fds[0], &buf, 1000), 18);
	assert_buf(&buf, "one byte at a time");
	close(fds[0]);
}

static int slurp(void *arg)
{
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = vmt_slurp_at(((struct unit_dir *)arg)->fd, "big", &buf, 1 << 20);

	return n < 0 ? (int)n : 0;
}

static int open_root(void *arg)
{
	struct vmt_root *root = NULL;
	int r = vmt_root_open(((struct unit_dir *)arg)->path, &root, NULL);

	vmt_root_unref(root);
	return r;
}

static void m02_failing_allocations(void **state)
{
	static char big[100000];
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write_bytes(&d, "big", big, sizeof(big));
	unit_dir_write(&d, "proc/x", "");
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\n");
	assert_true(unit_alloc_sweep(slurp, &d) > 2);
	assert_true(unit_alloc_sweep(open_root, &d) >= 2);
	unit_dir_remove(&d);
}

/* A file with a lease says EAGAIN until its holder lets go, or after 45 s. That is the answer. */
static void test_a_lease_does_not_hold_us(void **state)
{
	void (*before)(int) = signal(SIGIO, SIG_IGN);
	char path[300];
	struct unit_dir d;
	int dir, fd;

	unit_dir_make(&d);
	unit_dir_write(&d, "leased", "text");
	snprintf(path, sizeof(path), "%s/leased", d.path);
	dir = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && dir >= 0);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		close(fd);
		close(dir);
		unit_dir_remove(&d);
		skip();
	}
	assert_int_equal(vmt_open_at(dir, "leased"), -EAGAIN);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
	fd = vmt_open_at(dir, "leased");
	assert_true(fd >= 0);
	close(fd);
	close(dir);
	signal(SIGIO, before);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lease_does_not_hold_us),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_saved),
		cmocka_unit_test(c20_page_size_is_never_assumed),
		cmocka_unit_test(test_no_machine_there),
		cmocka_unit_test(test_links_are_not_followed),
		cmocka_unit_test(test_descriptors_are_not_inherited),
		cmocka_unit_test(test_a_fifo_does_not_hold_us),
		cmocka_unit_test(test_slurp),
		cmocka_unit_test(test_slurp_takes_short_reads),
		cmocka_unit_test(m02_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
