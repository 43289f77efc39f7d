/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cost FD COMMAND [ARGS...]
 *
 * Runs a command and writes to descriptor FD what wait4() says of it and of all that it waited for:
 * "STATUS CPU_US PEAK_KIB WALL_US", where STATUS is as a shell gives it. The kernel counts what a
 * process had before exec() into its peak: this program is small, where a script would not be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t us(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	uint64_t begun, ended;
	int fd, status;
	pid_t pid;

	if (argc < 3 || (fd = atoi(argv[1])) < 3) {
		fprintf(stderr, "usage: cost FD COMMAND [ARGS...]\n");
		return 2;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		perror("cost");
		return 2;
	}
	begun = now_us();
	pid = fork();
	if (pid < 0) {
		perror("cost: fork");
		return 2;
	}
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR) {
			perror("cost: wait4");
			return 2;
		}
	}
	ended = now_us();
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	dprintf(fd, "%d %llu %ld %llu\n", status,
		(unsigned long long)(us(&usage.ru_utime) + us(&usage.ru_stime)), usage.ru_maxrss,
		(unsigned long long)(ended - begun));
	return 0;
}
