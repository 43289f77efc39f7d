/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const size_t unit_pieces[] = { 1, 7, 4095, 4096, 1 << 20 };
const size_t unit_n_pieces = sizeof(unit_pieces) / sizeof(unit_pieces[0]);

static size_t countdown; /* 0: no allocation fails */
static bool failed;
static bool by_piece; /* what an arena has in store may fail, too; and only one does */

static bool fails(void)
{
	if (countdown == 0)
		return false;
	if (countdown > 1) {
		countdown--;
		return false;
	}
	failed = true;
	if (by_piece)
		countdown = 0;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t n, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return fails() ? NULL : __real_realloc(ptr, size);
}

void *__wrap_reallocarray(void *ptr, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(ptr, n, size);
}

/* Most of what an arena hands out comes from a block that it has; where each piece may be the one
 * for which there is no memory, each counts as an allocation of its own. */
void *__real_vmt_arena_alloc(struct vmt_arena *a, size_t n, size_t size);
char *__real_vmt_arena_copy(struct vmt_arena *a, const void *bytes, size_t len);
void *__wrap_vmt_arena_alloc(struct vmt_arena *a, size_t n, size_t size);
char *__wrap_vmt_arena_copy(struct vmt_arena *a, const void *bytes, size_t len);

void *__wrap_vmt_arena_alloc(struct vmt_arena *a, size_t n, size_t size)
{
	if (!by_piece || !fails())
		return __real_vmt_arena_alloc(a, n, size);
	a->failed = true;
	return NULL;
}

char *__wrap_vmt_arena_copy(struct vmt_arena *a, const void *bytes, size_t len)
{
	if (!by_piece || !fails())
		return __real_vmt_arena_copy(a, bytes, len);
	a->failed = true;
	return NULL;
}

void unit_alloc_fail(size_t n)
{
	countdown = n;
	failed = false;
}

bool unit_alloc_pass(void)
{
	countdown = 0;
	return failed;
}

size_t unit_alloc_sweep(int (*fn)(void *arg), void *arg)
{
	size_t n;

	for (n = 1; n < 100000; n++) {
		int r;

		unit_alloc_fail(n);
		r = fn(arg);
		if (!unit_alloc_pass()) {
			assert_int_equal(r, 0);
			return n - 1;
		}
		if (r != 0)
			assert_int_equal(r, -ENOMEM);
	}
	fail_msg("it never ends to allocate");
	return 0;
}

size_t unit_piece_sweep(int (*fn)(void *arg), void *arg)
{
	size_t n;

	by_piece = true;
	n = unit_alloc_sweep(fn, arg);
	by_piece = false;
	return n;
}

size_t unit_open_files(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void unit_dir_make(struct unit_dir *dir)
{
	snprintf(dir->path, sizeof(dir->path), "/tmp/vmtop-unit-XXXXXX");
	assert_non_null(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir->fd >= 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void unit_dir_remove(struct unit_dir *dir)
{
	close(dir->fd);
	assert_int_equal(nftw(dir->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void unit_dir_write_bytes(const struct unit_dir *dir, const char *name, const void *bytes,
			  size_t len)
{
	char part[256];
	const char *slash;
	ssize_t n;
	int fd;

	for (slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
		if (mkdirat(dir->fd, part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
	fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	n = write(fd, bytes, len);
	assert_int_equal(n, len);
	close(fd);
}

void unit_dir_write(const struct unit_dir *dir, const char *name, const char *text)
{
	unit_dir_write_bytes(dir, name, text, strlen(text));
}

static struct {
	pthread_mutex_t lock;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
} on_open = { .lock = PTHREAD_MUTEX_INITIALIZER };

void unit_on_open(const char *name, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&on_open.lock);
	on_open.name = name;
	on_open.fn = fn;
	on_open.arg = arg;
	pthread_mutex_unlock(&on_open.lock);
}

int __real_vmt_open_at(int dir_fd, const char *path);
int __wrap_vmt_open_at(int dir_fd, const char *path);

int __wrap_vmt_open_at(int dir_fd, const char *path)
{
	void (*fn)(void *arg) = NULL;
	void *arg = NULL;

	pthread_mutex_lock(&on_open.lock);
	if (on_open.name && strcmp(on_open.name, path) == 0) {
		fn = on_open.fn;
		arg = on_open.arg;
	}
	pthread_mutex_unlock(&on_open.lock);
	if (fn)
		fn(arg);
	return __real_vmt_open_at(dir_fd, path);
}
