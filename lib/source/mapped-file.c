/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mapped-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "base/parse.h"

/* A file that was only looked up (O_PATH) is opened after all. */
static int open_found(int found, const struct vmt_map *map, bool check_device)
{
	struct vmt_bytes dev = map->device;
	uint64_t maj, min;
	struct stat st;
	char name[40];
	int fd;

	if (fstat(found, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_ino != map->inode)
		return -ESTALE;
	if (check_device &&
	    (vmt_take_hex(&dev, &maj) < 0 || vmt_take_char(&dev, ':') < 0 ||
	     vmt_take_hex(&dev, &min) < 0 || major(st.st_dev) != maj || minor(st.st_dev) != min))
		return -ESTALE;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", found);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_by_range(int pid_fd, const struct vmt_map *map)
{
	VMT_AUTO_CLOSE int found = -1;
	char name[64];

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, map->start, map->end);
	found = openat(pid_fd, name, O_PATH | O_CLOEXEC);
	return found < 0 ? -errno : open_found(found, map, false);
}

/* maps writes a newline of a path as \012, and leaves everything else as it is. */
static char *path_of(struct vmt_bytes path)
{
	char *s = malloc(path.len + 1);
	size_t i, n = 0;

	if (!s)
		return NULL;
	for (i = 0; i < path.len; i++) {
		char c = path.ptr[i];

		if (c == '\\' && path.len - i >= 4 && memcmp(path.ptr + i, "\\012", 4) == 0) {
			c = '\n';
			i += 3;
		}
		s[n++] = c;
	}
	s[n] = 0;
	return s;
}

static int open_by_path(int pid_fd, const struct vmt_map *map)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	VMT_AUTO_FREE char *path = NULL;
	VMT_AUTO_CLOSE int root = -1;
	VMT_AUTO_CLOSE int found = -1;

	if (map->path.len < 2 || map->path.ptr[0] != '/' || memchr(map->path.ptr, 0, map->path.len))
		return -ENOENT;
	path = path_of(map->path);
	if (!path)
		return -ENOMEM;
	root = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	found = (int)syscall(SYS_openat2, root, path + 1, &how, sizeof(how));
	return found < 0 ? -errno : open_found(found, map, true);
}

int vmt_mapped_file_open(int pid_fd, const struct vmt_map *map)
{
	int fd = open_by_range(pid_fd, map);

	if (fd != -EPERM && fd != -EACCES && fd != -ENOENT)
		return fd;
	return open_by_path(pid_fd, map);
}
