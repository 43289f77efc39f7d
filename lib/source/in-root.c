/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/in-root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Directories below one another, and links that are followed: MAXSYMLINKS of linux/namei.h. */
#define DEEP  256
#define LINKS 40

struct walk {
	int root;
	int fds[DEEP]; /* of what was opened, below one another */
	size_t n;
	unsigned links;
	char *rest; /* what is still to be opened; heap */
};

static int top(const struct walk *w)
{
	return w->n ? w->fds[w->n - 1] : w->root;
}

static void up(struct walk *w, size_t n)
{
	while (w->n > n)
		close(w->fds[--w->n]);
}

static void done(struct walk *w)
{
	up(w, 0);
	free(w->rest);
}

/* Puts where a link leads before the rest that stands behind it. */
static int follow(struct walk *w, int link, const char *behind)
{
	char to[PATH_MAX];
	struct statfs fs;
	ssize_t n;
	char *rest;

	if (++w->links > LINKS)
		return -ELOOP;
	/* A link of /proc may lead to anything that is open. */
	if (fstatfs(link, &fs) < 0)
		return -errno;
	if (fs.f_type == PROC_SUPER_MAGIC)
		return -ELOOP;
	n = readlinkat(link, "", to, sizeof(to));
	if (n < 0)
		return -errno;
	if (n == (ssize_t)sizeof(to))
		return -ENAMETOOLONG;
	if (asprintf(&rest, "%.*s/%s", (int)n, to, behind) < 0)
		return -ENOMEM;
	free(w->rest);
	w->rest = rest;
	if (n && to[0] == '/')
		up(w, 0);
	return 0;
}

/* One name of the rest; 1 where there is none. */
static int step(struct walk *w)
{
	const char *name = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(name, "/");
	VMT_AUTO_CLOSE int fd = -1;
	char one[NAME_MAX + 1];
	struct stat st;

	if (n == 0)
		return 1;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(one, name, n);
	one[n] = 0;
	name += n;
	if (strcmp(one, "..") == 0) {
		up(w, w->n ? w->n - 1 : 0);
	} else if (strcmp(one, ".") != 0) {
		fd = openat(top(w), one, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode))
			return follow(w, fd, name);
		if (w->n == DEEP)
			return -ENAMETOOLONG;
		w->fds[w->n++] = VMT_STEAL_FD(fd);
	}
	memmove(w->rest, name, strlen(name) + 1);
	return 0;
}

int vmt_walk_in_root(int root_fd, const char *path)
{
	VMT_CLEANUP(done) struct walk w = { .root = root_fd, .rest = strdup(path) };
	int r;

	if (!w.rest)
		return -ENOMEM;
	while ((r = step(&w)) == 0)
		;
	if (r < 0)
		return r;
	r = fcntl(top(&w), F_DUPFD_CLOEXEC, 0);
	return r < 0 ? -errno : r;
}

int vmt_open_in_root(int root_fd, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (fd >= 0)
		return fd;
	return errno == ENOSYS ? vmt_walk_in_root(root_fd, path) : -errno;
}
