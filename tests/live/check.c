/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void check_begin(struct check *c, const char *fmt, ...)
{
	va_list args;

	memset(c, 0, sizeof(*c));
	va_start(args, fmt);
	vsnprintf(c->name, sizeof(c->name), fmt, args);
	va_end(args);
}

bool check_that(struct check *c, bool good, const char *fmt, ...)
{
	char why[sizeof(c->why)];
	va_list args;

	if (good)
		return true;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	printf("# %s: %s\n", c->name, why);
	if (!c->failed)
		memcpy(c->why, why, sizeof(why));
	c->failed = true;
	return false;
}

void check_end(struct check *c, const char *fmt, ...)
{
	char figures[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(figures, sizeof(figures), fmt, args);
	va_end(args);
	if (c->failed)
		printf("not ok %s - %s%s%s\n", c->name, c->why, *figures ? "; " : "", figures);
	else
		printf("ok %s%s%s\n", c->name, *figures ? " - " : "", figures);
	fflush(stdout);
}

void check_skip(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("skip %s - ", name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

FILE *check_start(const char *program, uid_t uid, const char *const args[], pid_t *ret_pid)
{
	int fds[2], exe = open(program, O_RDONLY | O_CLOEXEC);

	if (exe < 0 || pipe2(fds, O_CLOEXEC) < 0)
		exit(3);
	*ret_pid = fork();
	if (!*ret_pid) {
		dup2(fds[1], STDOUT_FILENO);
		if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
			_exit(126);
		fexecve(exe, (char *const *)(uintptr_t)args, environ);
		_exit(127);
	}
	close(exe);
	close(fds[1]);
	return fdopen(fds[0], "r");
}

bool check_stop(FILE *f, pid_t pid)
{
	int status;

	fclose(f);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool check_forget(int fd, void *p, size_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *there = calloc(n, 1);
	bool gone = false;

	for (unsigned tries = 0; there && !gone && tries < 1000; tries++) {
		if (tries)
			usleep(1000);
		if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
		    mincore(p, n * page, there))
			break;
		gone = true;
		for (size_t i = 0; i < n; i++)
			gone &= !(there[i] & 1);
	}
	free(there);
	return gone;
}

bool check_cgroups(char *dir, size_t size, bool *v1)
{
	FILE *f = setmntent("/proc/mounts", "r");
	struct mntent *m;

	*dir = 0;
	*v1 = false;
	while (f && !*v1 && (m = getmntent(f))) {
		*v1 = !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "memory");
		if (*v1 || !strcmp(m->mnt_type, "cgroup2"))
			snprintf(dir, size, "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
	return *dir;
}
