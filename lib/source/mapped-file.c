/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mapped-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/mem.h"
#include "base/parse.h"
#include "source/in-root.h"

#define SECRETMEM_MAGIC 0x5345434d /* linux/magic.h, 5.14 */

/* Without AT_STATX_DONT_SYNC a network file system would ask its server. */
static int look(const struct vmt_map *map, bool check_device, struct vmt_mapped_file *f)
{
	struct vmt_bytes dev = map->device;
	uint64_t maj, min;
	struct statx st;
	struct statfs fs;

	if (statx(f->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_INO | STATX_NLINK, &st) < 0)
		return -errno;
	if (st.stx_ino != map->inode)
		return -ESTALE;
	if (check_device &&
	    (vmt_take_hex(&dev, &maj) < 0 || vmt_take_char(&dev, ':') < 0 ||
	     vmt_take_hex(&dev, &min) < 0 || st.stx_dev_major != maj || st.stx_dev_minor != min))
		return -ESTALE;
	f->type = st.stx_mode & S_IFMT;
	f->rdev_major = st.stx_rdev_major;
	f->rdev_minor = st.stx_rdev_minor;
	f->has_names = st.stx_mask & STATX_NLINK;
	f->deleted = st.stx_nlink == 0;
	/* The name is a hint that it is worth asking; it asks the server of a FUSE file. */
	f->secret = vmt_bytes_is(map->path, "/secretmem (deleted)") && fstatfs(f->fd, &fs) == 0 &&
		    fs.f_type == SECRETMEM_MAGIC;
	return 0;
}

static int find_by_range(int pid_fd, const struct vmt_map *map, struct vmt_mapped_file *f)
{
	char name[64];

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, map->start, map->end);
	f->fd = openat(pid_fd, name, O_PATH | O_CLOEXEC);
	return f->fd < 0 ? -errno : look(map, false, f);
}

/* maps writes a newline of a path as \012. Where it is not known what these four are, a newline is
 * likelier; the inode decides. */
static char *path_of(const struct vmt_map *map)
{
	bool escaped = !VMT_HAS(map, path_ambiguous, map) || map->path_ambiguous;
	struct vmt_bytes path = map->path;
	char *s = malloc(path.len + 1);
	size_t i, n = 0;

	if (!s)
		return NULL;
	for (i = 0; i < path.len; i++) {
		char c = path.ptr[i];

		if (escaped && c == '\\' && path.len - i >= 4 &&
		    memcmp(path.ptr + i, "\\012", 4) == 0) {
			c = '\n';
			i += 3;
		}
		s[n++] = c;
	}
	s[n] = 0;
	return s;
}

static int find_by_path(int pid_fd, const struct vmt_map *map, struct vmt_mapped_file *f)
{
	VMT_AUTO_FREE char *path = NULL;
	VMT_AUTO_CLOSE int root = -1;

	if (map->path.len < 2 || map->path.ptr[0] != '/' || memchr(map->path.ptr, 0, map->path.len))
		return -ENOENT;
	path = path_of(map);
	if (!path)
		return -ENOMEM;
	root = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	f->fd = vmt_open_in_root(root, path + 1);
	return f->fd < 0 ? f->fd : look(map, true, f);
}

int vmt_mapped_file_find(int pid_fd, const struct vmt_map *map, struct vmt_mapped_file *ret)
{
	int r;

	*ret = (struct vmt_mapped_file){ .fd = -1 };
	r = find_by_range(pid_fd, map, ret);
	if (r != -EPERM && r != -EACCES && r != -ENOENT)
		return r;
	vmt_mapped_file_done(ret);
	return find_by_path(pid_fd, map, ret);
}

int vmt_mapped_file_read(const struct vmt_mapped_file *file)
{
	char name[40];
	int fd;

	if (file->type != S_IFREG)
		return -EINVAL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", file->fd);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void vmt_mapped_file_done(struct vmt_mapped_file *file)
{
	vmt_closep(&file->fd);
	*file = (struct vmt_mapped_file){ .fd = -1 };
}

int vmt_mapped_file_open(int pid_fd, const struct vmt_map *map)
{
	VMT_CLEANUP(vmt_mapped_file_done) struct vmt_mapped_file f;
	int r = vmt_mapped_file_find(pid_fd, map, &f);

	return r < 0 ? r : vmt_mapped_file_read(&f);
}
