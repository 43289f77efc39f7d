/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cgroup-mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/parse.h"
#include "source/mounts.h"

#define CONTROLLERS_MAX ((size_t)4096)

void vmt_cgroup_mount_done(struct vmt_cgroup_mount *m)
{
	vmt_closep(&m->fd);
	m->fd = -1;
	vmt_buf_done(&m->point);
}

static bool has_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Whether version 2 has the memory controller here. */
static bool has_memory(int dir)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes text;

	/* The root of the hierarchy has memory.stat too. */
	if (has_file(dir, "memory.stat"))
		return true;
	if (vmt_slurp_at(dir, "cgroup.controllers", &buf, CONTROLLERS_MAX) <= 0)
		return false;
	text = (struct vmt_bytes){ buf.data, buf.len };
	if (text.len && text.ptr[text.len - 1] == '\n')
		text.len--;
	while (text.len) {
		if (vmt_bytes_is(vmt_take_word(&text), "memory"))
			return true;
		vmt_take_blanks(&text);
	}
	return false;
}

/*
 * Files that the root of a hierarchy alone has, or alone has not: a namespace of cgroups shows some
 * other directory as its root, and may be all that the mount table tells of. A recording of version
 * 1 need not have them.
 */
static bool is_part(const struct vmt_root *root, int dir, unsigned version,
		    const struct vmt_mount *m)
{
	if (version == 2)
		return has_file(dir, "cgroup.type") || has_file(dir, "memory.current");
	if (root->live)
		return !has_file(dir, "cgroup.sane_behavior") && !has_file(dir, "release_agent");
	return !vmt_bytes_is(m->root, "/");
}

/* Whether what is found at the mount point is that mount, and no other one above it. */
static bool is_mounted(int dir, unsigned version, const struct vmt_mount *m)
{
	const long magic = version == 1 ? CGROUP_SUPER_MAGIC : CGROUP2_SUPER_MAGIC;
	struct statfs fs;
	struct stat st;

	return fstatfs(dir, &fs) == 0 && fs.f_type == magic && fstat(dir, &st) == 0 &&
	       major(st.st_dev) == m->major && minor(st.st_dev) == m->minor;
}

/* 0 where it is the one; -ENOENT where it is not. */
static int try_mount(const struct vmt_root *root, const struct vmt_mount *m, unsigned version,
		     struct vmt_cgroup_mount *ret)
{
	VMT_AUTO_CLOSE int fd = -1;
	const char *below = m->point.ptr;

	vmt_buf_clear(&ret->point);
	vmt_buf_add(&ret->point, m->point.ptr, m->point.len);
	if (vmt_buf_error(&ret->point) < 0)
		return -ENOMEM;
	while (*below == '/')
		below++;
	fd = vmt_open_dir_at(root->fd, *below ? below : ".");
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	if (root->live && !is_mounted(fd, version, m))
		return -ENOENT;
	if (version == 2 && !has_memory(fd))
		return -ENOENT;
	ret->version = version;
	ret->above_hidden = is_part(root, fd, version, m);
	ret->recursive = vmt_mount_has(m, "memory_recursiveprot");
	ret->fd = VMT_STEAL_FD(fd);
	return 0;
}

/* 1 or 2 for a mount that may be it, 0 for any other. */
static unsigned version_of(const struct vmt_mount *m)
{
	if (vmt_bytes_is(m->fs_type, "cgroup2"))
		return 2;
	return vmt_bytes_is(m->fs_type, "cgroup") && vmt_mount_has(m, "memory") ? 1 : 0;
}

int vmt_cgroup_mount_find(const struct vmt_root *root, struct vmt_cgroup_mount *ret,
			  struct vmt_err *err)
{
	struct vmt_mounts *mounts = vmt_mounts_load(root);
	int worst = mounts && mounts->error ? mounts->error : -ENOENT;
	int r = mounts ? -ENOENT : -ENOMEM;
	unsigned pass;
	size_t i;

	*ret = (struct vmt_cgroup_mount){ .fd = -1 };
	/* The whole hierarchy, then parts of it; version 1, then 2. */
	for (pass = 0; r == -ENOENT && pass < 4; pass++) {
		for (i = 0; r == -ENOENT && i < mounts->n; i++) {
			const struct vmt_mount *m = &mounts->mounts[i];

			if (version_of(m) != pass / 2 + 1 ||
			    (vmt_bytes_is(m->root, "/") ? 0 : 1) != pass % 2)
				continue;
			r = try_mount(root, m, pass / 2 + 1, ret);
			if (r < 0 && r != -ENOENT && r != -ENOMEM) {
				worst = r;
				r = -ENOENT;
			}
		}
	}
	vmt_mounts_unref(mounts);
	if (r == 0)
		return 0;
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	return vmt_err_set(err, worst, NULL, 0,
			   worst == -ENOENT
				   ? "no hierarchy of cgroups with the memory controller is mounted"
				   : "the hierarchy of cgroups cannot be opened");
}

int vmt_cgroup_mount_path(const struct vmt_cgroup_mount *m, const char *path, struct vmt_buf *ret)
{
	struct vmt_bytes rest = vmt_bytes_of(path);
	size_t begin = ret->len;

	if (m->point.len > 1 && vmt_bytes_starts(rest, m->point.data) &&
	    (rest.len == m->point.len || rest.ptr[m->point.len] == '/')) {
		rest.ptr += m->point.len;
		rest.len -= m->point.len;
	}
	while (rest.len) {
		const char *slash = memchr(rest.ptr, '/', rest.len);
		struct vmt_bytes part = { rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len };
		size_t skip = part.len + (slash != NULL);

		rest.ptr += skip;
		rest.len -= skip;
		if (part.len == 0 || vmt_bytes_is(part, "."))
			continue;
		if (vmt_bytes_is(part, ".."))
			return -EINVAL;
		vmt_buf_addc(ret, '/');
		vmt_buf_add(ret, part.ptr, part.len);
	}
	if (ret->len == begin)
		vmt_buf_addc(ret, '/');
	return vmt_buf_error(ret);
}
