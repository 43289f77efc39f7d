/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/root.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/parse.h"

/* Pages of Linux have 4 to 256 KiB. */
#define PAGE_MAX (UINT64_C(1) << 20)

#define FACTS	  "vmtop-fixture"
#define FACTS_MAX ((size_t)64 * 1024)
/* Of an open() that a rename came between. */
#define TRIES 16u

uint64_t vmt_now_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What openat2() does, name by name: no link on the way is followed, and none leads out. */
static int open_by_steps(int dir_fd, const char *path, int flags)
{
	VMT_AUTO_CLOSE int at = -1;
	int fd;

	for (;;) {
		size_t n = strcspn(path, "/");
		bool last = !path[n];
		char name[NAME_MAX + 1];

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = 0;
		/* A path that begins with "/", too. */
		if (n == 0 || strcmp(name, "..") == 0)
			return -EXDEV;
		do
			fd = openat(at < 0 ? dir_fd : at, name,
				    O_CLOEXEC | O_NOFOLLOW | (last ? flags : O_PATH | O_DIRECTORY));
		while (fd < 0 && errno == EINTR);
		if (fd < 0)
			return -errno;
		if (last)
			return fd;
		vmt_closep(&at);
		at = fd;
		path += n + 1;
	}
}

static int open_below(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	/* A single name leads nowhere but to a link, which is not followed: what openat2() adds,
	 * the kernel would look for in vain. */
	bool single = !strchr(path, '/') && strcmp(path, "..") != 0;
	unsigned tries = 0;
	long fd;

	/* EAGAIN of openat2(2) is a rename that came between, but also a file with a lease of
	 * somebody (fcntl(2)), and that one lasts: who waits for it here burns a CPU. */
	do
		fd = single ? syscall(SYS_openat, dir_fd, path, (int)how.flags, 0)
			    : syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < TRIES)));
	if (fd >= 0)
		return (int)fd;
	/* ENOSYS before Linux 5.6, and in the sandbox; EPERM from others that do not know it. */
	if (single || (errno != ENOSYS && errno != EPERM))
		return -errno;
	return open_by_steps(dir_fd, path, flags);
}

int vmt_open_at(int dir_fd, const char *path)
{
	/* O_NONBLOCK: a FIFO in a saved machine must not hold us; files of procfs ignore it. */
	return open_below(dir_fd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
}

int vmt_open_dir_at(int dir_fd, const char *path)
{
	return open_below(dir_fd, path, O_RDONLY | O_DIRECTORY);
}

int vmt_root_open_pid(const struct vmt_root *root, uint64_t pid)
{
	char name[VMT_DECIMAL_MAX + 1];
	int fd;

	name[vmt_decimal(name, pid)] = 0;
	fd = vmt_open_dir_at(root->proc_fd, name);
	return fd == -ENOENT ? -ESRCH : fd;
}

int64_t vmt_slurp_fd(int fd, struct vmt_buf *buf, size_t max)
{
	size_t begin = buf->len;

	for (;;) {
		size_t have = buf->len - begin, room;
		ssize_t n;
		int r;

		r = vmt_buf_reserve(buf, 4096);
		if (r < 0)
			return r;
		room = buf->cap - buf->len - 1;
		/* One byte more than allowed shows that there is more. */
		if (room > max - have + 1)
			room = max - have + 1;
		n = read(fd, buf->data + buf->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf->len += (size_t)n;
		buf->data[buf->len] = 0;
		if (n == 0)
			return (int64_t)(buf->len - begin);
		if (buf->len - begin > max)
			return -EFBIG;
	}
}

int64_t vmt_slurp_at(int dir_fd, const char *path, struct vmt_buf *buf, size_t max)
{
	VMT_AUTO_CLOSE int fd = vmt_open_at(dir_fd, path);

	if (fd < 0)
		return fd;
	return vmt_slurp_fd(fd, buf, max);
}

/* The first line of a small file, cut to the room; empty where it cannot be read. */
static void read_line(int dir_fd, const char *path, char *to, size_t room)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes cur, line;

	if (vmt_slurp_at(dir_fd, path, &buf, FACTS_MAX) <= 0)
		return;
	cur = (struct vmt_bytes){ buf.data, buf.len };
	if (vmt_take_line(&cur, &line) && line.len < room) {
		memcpy(to, line.ptr, line.len);
		to[line.len] = 0;
	}
}

static int read_facts(struct vmt_root *root, struct vmt_err *err)
{
	const struct {
		const char *name;
		uint64_t *number; /* or */
		char *text;
		size_t room;
	} keys[] = {
		{ "page_size", &root->page_size, NULL, 0 },
		{ "user_hz", &root->user_hz, NULL, 0 },
		{ "cpus", &root->cpus, NULL, 0 },
		{ "euid", &root->euid, NULL, 0 },
		{ "realtime_ns", &root->realtime_ns, NULL, 0 },
		{ "monotonic_ns", &root->monotonic_ns, NULL, 0 },
		{ "boottime_ns", &root->boottime_ns, NULL, 0 },
		{ "release", NULL, root->release, sizeof(root->release) },
		{ "machine", NULL, root->machine, sizeof(root->machine) },
		{ "boot_id", NULL, root->boot_id, sizeof(root->boot_id) },
	};
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes cur, line;
	unsigned lineno = 0;
	int64_t n;
	size_t i;

	n = vmt_slurp_at(root->fd, FACTS, &buf, FACTS_MAX);
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return vmt_err_set(err, (int)n, FACTS, 0, "cannot read it");
	cur = (struct vmt_bytes){ buf.data, buf.len };
	while (vmt_take_line(&cur, &line)) {
		struct vmt_bytes key = { line.ptr, 0 }, value;

		lineno++;
		while (key.len < line.len && !vmt_is_blank(line.ptr[key.len]) &&
		       line.ptr[key.len] != ':' && line.ptr[key.len] != '=')
			key.len++;
		if (key.len == 0 || key.ptr[0] == '#')
			continue;
		value = (struct vmt_bytes){ key.ptr + key.len, line.len - key.len };
		vmt_take_blanks(&value);
		if (vmt_take_char(&value, ':') < 0)
			vmt_take_char(&value, '=');
		vmt_take_blanks(&value);
		for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
			if (!vmt_bytes_is(key, keys[i].name))
				continue;
			if (keys[i].number) {
				struct vmt_bytes v = value;
				int r = vmt_take_u64(&v, keys[i].number);

				vmt_take_blanks(&v);
				if (r < 0 || v.len)
					return vmt_err_set(err, r < 0 ? r : -EINVAL, FACTS, lineno,
							   "%s is not a number", keys[i].name);
			} else {
				if (value.len >= keys[i].room)
					return vmt_err_set(err, -EINVAL, FACTS, lineno,
							   "%s is too long", keys[i].name);
				memcpy(keys[i].text, value.ptr, value.len);
				keys[i].text[value.len] = 0;
			}
		}
	}
	return 0;
}

static void live_facts(struct vmt_root *root)
{
	struct utsname u;
	long v;

	v = sysconf(_SC_PAGESIZE);
	root->page_size = v > 0 ? (uint64_t)v : 0;
	v = sysconf(_SC_CLK_TCK);
	root->user_hz = v > 0 ? (uint64_t)v : 0;
	v = sysconf(_SC_NPROCESSORS_ONLN);
	root->cpus = v > 0 ? (uint64_t)v : 0;
	root->euid = geteuid();
	if (uname(&u) == 0) {
		snprintf(root->release, sizeof(root->release), "%s", u.release);
		snprintf(root->machine, sizeof(root->machine), "%s", u.machine);
	}
}

static int root_fill(struct vmt_root *root, const char *dir, struct vmt_err *err)
{
	const char *name = root->live ? "/proc" : dir;
	struct statfs fs;
	int r;

	root->path = strdup(dir ? dir : "");
	if (!root->path)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	root->fd = open(root->live ? "/" : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return vmt_err_set(err, -errno, name, 0, "cannot open the directory");
	root->proc_fd = vmt_open_dir_at(root->fd, "proc");
	if (root->proc_fd < 0)
		return vmt_err_set(err, root->proc_fd, name, 0,
				   root->live ? "cannot open it" : "it has no directory proc/");
	if (root->live) {
		if (fstatfs(root->proc_fd, &fs) < 0)
			return vmt_err_set(err, -errno, name, 0, "cannot look at it");
		if (fs.f_type != PROC_SUPER_MAGIC)
			return vmt_err_set(err, -ENODEV, name, 0,
					   "no proc file system is mounted there");
		live_facts(root);
	} else {
		r = read_facts(root, err);
		if (r < 0)
			return r;
		if (!root->release[0])
			read_line(root->proc_fd, "sys/kernel/osrelease", root->release,
				  sizeof(root->release));
		/* proc/sys/kernel/arch: Linux 6.1 and later */
		if (!root->machine[0])
			read_line(root->proc_fd, "sys/kernel/arch", root->machine,
				  sizeof(root->machine));
	}
	if (!root->boot_id[0])
		read_line(root->proc_fd, "sys/kernel/random/boot_id", root->boot_id,
			  sizeof(root->boot_id));
	if (root->page_size == 0 || root->page_size > PAGE_MAX ||
	    root->page_size & (root->page_size - 1))
		return vmt_err_set(err, -EINVAL, root->live ? NULL : FACTS, 0,
				   "the page size is unknown: %s",
				   root->live ? "the C library does not say"
					      : "a saved machine needs a line \"page_size BYTES\"");
	return 0;
}

int vmt_root_open(const char *dir, struct vmt_root **ret, struct vmt_err *err)
{
	struct vmt_root *root = calloc(1, sizeof(*root));
	int r;

	if (!root)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	root->refs = 1;
	root->fd = -1;
	root->proc_fd = -1;
	root->live = !dir;
	root->euid = UINT64_MAX;
	r = root_fill(root, dir, err);
	if (r < 0) {
		vmt_root_unref(root);
		return r;
	}
	*ret = root;
	return 0;
}

struct vmt_root *vmt_root_ref(struct vmt_root *root)
{
	__atomic_add_fetch(&root->refs, 1, __ATOMIC_RELAXED);
	return root;
}

void vmt_root_unref(struct vmt_root *root)
{
	if (!root || __atomic_sub_fetch(&root->refs, 1, __ATOMIC_ACQ_REL))
		return;
	vmt_closep(&root->proc_fd);
	vmt_closep(&root->fd);
	free(root->path);
	free(root);
}
