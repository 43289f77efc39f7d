/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/mapped-file.h"
#include "source/maps.h"
#include "source/root.h"

/* The row of the mapping at an address of our own. */
static void find_row(const void *at, struct vmt_arena *a, struct vmt_map *ret)
{
	struct vmt_maps_parser p;
	VMT_AUTO_BUF buf = { 0 };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t i;

	assert_true(vmt_slurp_fd(fd, &buf, 1 << 24) > 0);
	close(fd);
	vmt_maps_init(&p, false, 0, a, NULL);
	assert_int_equal(vmt_maps_feed(&p, (struct vmt_bytes){ buf.data, buf.len }, "maps", NULL),
			 0);
	assert_int_equal(vmt_maps_finish(&p, "maps", NULL), 0);
	for (i = 0; i < p.n_maps && p.maps[i].start != (uint64_t)(uintptr_t)at; i++)
		;
	assert_true(i < p.n_maps);
	*ret = p.maps[i];
	vmt_maps_done(&p);
}

static void *map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	assert_true(fd >= 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	close(fd);
	return p;
}

static int open_row(const struct vmt_map *m)
{
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	assert_true(self >= 0);
	fd = vmt_mapped_file_open(self, m);
	close(self);
	return fd;
}

static void test_the_file_itself(void **state)
{
	/* A newline stands as \012 in maps, and blanks as they are. */
	static const char *const names[] = { "plain", "a b  c", "new\nline", "back\\slash" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(names); i++) {
		struct unit_dir d;
		struct vmt_arena a;
		struct vmt_map m;
		char path[128], got[8] = { 0 };
		void *p;
		int fd;

		unit_dir_make(&d);
		unit_dir_write(&d, names[i], "content");
		snprintf(path, sizeof(path), "%s/%s", d.path, names[i]);
		p = map_file(path);
		vmt_arena_init(&a);
		find_row(p, &a, &m);
		fd = open_row(&m);
		assert_true(fd >= 0);
		assert_int_equal(read(fd, got, sizeof(got)), 7);
		assert_string_equal(got, "content");
		assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
		munmap(p, 4096);
		vmt_arena_done(&a);
		unit_dir_remove(&d);
	}
}

/* Without the right to map_files the path is followed, and has to lead to the same file. */
static int as_nobody(const char *path)
{
	struct vmt_arena a;
	struct vmt_map m;
	struct stat st;
	void *p = map_file(path);
	int fd;

	if (geteuid() == 0 && setreuid(65534, 65534) < 0)
		return 2;
	/* As after execve(2): our own files in /proc are ours. */
	prctl(PR_SET_DUMPABLE, 1);
	vmt_arena_init(&a);
	find_row(p, &a, &m);
	fd = open_row(&m);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != m.inode)
		return 3;
	close(fd);
	m.inode++;
	if (open_row(&m) != -ESTALE)
		return 4;
	m.inode--;
	m.device = VMT_BYTES("7f:7f");
	if (open_row(&m) != -ESTALE)
		return 5;
	vmt_arena_done(&a);
	return 0;
}

/* As written by maps it is a newline, unless it is known to be what it looks. */
static int four_characters(const char *path)
{
	struct vmt_arena a;
	struct vmt_map m;
	void *p = map_file(path);
	int fd;

	if (geteuid() == 0 && setreuid(65534, 65534) < 0)
		return 2;
	prctl(PR_SET_DUMPABLE, 1);
	vmt_arena_init(&a);
	find_row(p, &a, &m);
	if (!m.path_ambiguous || open_row(&m) != -ENOENT)
		return 3;
	VMT_SET(map, path_ambiguous, &m, false);
	fd = open_row(&m);
	vmt_arena_done(&a);
	return fd < 0 ? 4 : 0;
}

/* What fn says of a file, whose path it gets in a process of its own: 0 is all right. */
static void assert_in_child(const char *name, int (*fn)(const char *path))
{
	struct unit_dir d;
	char path[128];
	int status;
	pid_t pid;

	unit_dir_make(&d);
	assert_int_equal(fchmod(d.fd, 0755), 0);
	unit_dir_write(&d, name, "content");
	snprintf(path, sizeof(path), "%s/%s", d.path, name);
	pid = fork();
	if (pid == 0)
		_exit(fn(path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unit_dir_remove(&d);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void b06_four_characters(void **state)
{
	assert_in_child("nl\\012x", four_characters);
}

static void test_by_path(void **state)
{
	assert_in_child("file", as_nobody);
}

static void look_at(const struct vmt_map *m, struct vmt_mapped_file *ret)
{
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(self >= 0);
	assert_int_equal(vmt_mapped_file_find(self, m, ret), 0);
	close(self);
}

/* What is told of a file before it is opened. */
static void test_find(void **state)
{
	struct vmt_mapped_file f;
	struct vmt_arena a;
	struct unit_dir d;
	struct vmt_map m;
	char path[128];
	void *p;

	if (geteuid() != 0)
		skip();
	unit_dir_make(&d);
	unit_dir_write(&d, "x (deleted)", "content");
	snprintf(path, sizeof(path), "%s/x (deleted)", d.path);
	vmt_arena_init(&a);
	p = map_file(path);
	find_row(p, &a, &m);
	look_at(&m, &f);
	assert_int_equal(f.type, S_IFREG);
	assert_true(f.has_names);
	assert_false(f.deleted);
	assert_false(f.secret);
	vmt_mapped_file_done(&f);
	assert_int_equal(f.fd, -1);
	assert_int_equal(unlinkat(d.fd, "x (deleted)", 0), 0);
	look_at(&m, &f);
	assert_true(f.has_names);
	assert_true(f.deleted);
	vmt_mapped_file_done(&f);
	/* The inode that maps had is not this one. */
	m.inode++;
	assert_int_equal(open_row(&m), -ESTALE);
	munmap(p, 4096);
	p = map_file("/dev/zero");
	find_row(p, &a, &m);
	look_at(&m, &f);
	assert_int_equal(f.type, S_IFCHR);
	assert_int_equal(f.rdev_major, 1);
	assert_int_equal(f.rdev_minor, 5);
	vmt_mapped_file_done(&f);
	munmap(p, 4096);
	unit_dir_remove(&d);
	vmt_arena_done(&a);
}

static void d07_what_is_not_opened(void **state)
{
	struct vmt_map m = { 0 };
	struct stat st;
	char device[32];
	struct vmt_arena a;
	void *p;
	int r;

	vmt_arena_init(&a);
	p = map_file("/dev/zero");
	/* A private mapping of /dev/zero is anonymous on some kernels; ask for the device. */
	find_row(p, &a, &m);
	r = open_row(&m);
	assert_true(r == -EINVAL || r == -ENOENT);
	munmap(p, 4096);
	VMT_SET(map, start, &m, 0x1000);
	VMT_SET(map, end, &m, 0x2000);
	assert_int_equal(stat("/dev/null", &st), 0);
	snprintf(device, sizeof(device), "%02x:%02x", major(st.st_dev), minor(st.st_dev));
	VMT_SET(map, inode, &m, st.st_ino);
	VMT_SET(map, device, &m, vmt_bytes_of(device));
	m.path = VMT_BYTES("/dev/null");
	assert_int_equal(open_row(&m), -EINVAL);
	VMT_SET(map, device, &m, VMT_BYTES("00:00"));
	assert_int_equal(open_row(&m), -ESTALE);
	m.path = VMT_BYTES("anon_inode:[x]");
	assert_int_equal(open_row(&m), -ENOENT);
	m.path = VMT_BYTES("/does/not/exist (deleted)");
	assert_int_equal(open_row(&m), -ENOENT);
	m.path = VMT_BYTES("/a\0b");
	assert_int_equal(open_row(&m), -ENOENT);
	m.path = VMT_BYTES("/proc/self/exe");
	assert_true(open_row(&m) < 0);
	vmt_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_file_itself),	  cmocka_unit_test(test_by_path),
		cmocka_unit_test(b06_four_characters),	  cmocka_unit_test(test_find),
		cmocka_unit_test(d07_what_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
