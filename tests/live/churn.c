/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * churn RATE SECONDS DIR: starts RATE processes a second for so long, and says of each, when it has
 * ended, what wait4() said:
 *
 *	PID MINOR MAJOR PAGES EXEC COMM
 *
 * Each writes to PAGES pages of fresh memory and reads as many bytes of each of a few files in DIR;
 * every other one executes a program (this one, once more) before that. COMM is its name at its
 *end.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	   4096ul
#define FILES	   4u
#define FILE_PAGES 4u

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void file_path(char *path, size_t size, const char *dir, unsigned i)
{
	snprintf(path, size, "%s/churn-file-%u", dir, i);
}

static void make_files(const char *dir)
{
	static const char page[PAGE] = "x";
	char path[300];

	for (unsigned i = 0; i < FILES; i++) {
		int fd;

		file_path(path, sizeof(path), dir, i);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		for (unsigned j = 0; fd >= 0 && j < FILE_PAGES; j++)
			if (write(fd, page, PAGE) != (ssize_t)PAGE)
				exit(3);
		if (fd < 0)
			exit(3);
		close(fd);
	}
}

/* The life of one of them. */
static int live(unsigned number, const char *dir, size_t pages)
{
	volatile char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char name[16], path[300], sink = 0;
	volatile const char *q;
	int fd;

	snprintf(name, sizeof(name), "churn-%u", number);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
	file_path(path, sizeof(path), dir, number % FILES);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	q = fd < 0 ? MAP_FAILED : mmap(NULL, FILE_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (q == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < FILE_PAGES; i++)
		sink = (char)(sink + q[i * PAGE]);
	return sink == 'y' ? 3 : 0;
}

static size_t pages_of(unsigned number)
{
	return 4 + number % 29;
}

static pid_t start(const char *program, unsigned number, const char *dir)
{
	pid_t pid = fork();
	char text[16];

	if (pid)
		return pid;
	if (number % 2 == 0)
		_exit(live(number, dir, pages_of(number)));
	snprintf(text, sizeof(text), "%u", number);
	execl(program, program, "--one", text, dir, (char *)NULL);
	_exit(127);
}

/* The number that a process has is not known to the one that waits for any of them. */
static unsigned find(const pid_t *pids, unsigned n, pid_t pid)
{
	unsigned i = n;

	while (i-- > 0)
		if (pids[i] == pid)
			return i;
	abort();
}

/* Takes those that have ended; with wait, all of them. */
static unsigned reap(const pid_t *pids, unsigned n, bool wait)
{
	struct rusage usage;
	unsigned ended = 0;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, wait ? 0 : WNOHANG, &usage)) > 0) {
		unsigned i = find(pids, n, pid);

		if (status)
			exit(4);
		printf("%d %ld %ld %zu %u churn-%u\n", (int)pid, usage.ru_minflt, usage.ru_majflt,
		       pages_of(i), i % 2, i);
		ended++;
	}
	return ended;
}

int main(int argc, char **argv)
{
	unsigned rate, n, started = 0, ended = 0;
	char program[300] = "";
	uint64_t begun;
	pid_t *pids;

	/* Huge pages would make the number of faults a matter of luck. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (argc == 4 && !strcmp(argv[1], "--one")) {
		n = (unsigned)strtoul(argv[2], NULL, 10);
		return live(n, argv[3], pages_of(n));
	}
	if (argc != 4 || readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
		fputs("usage: churn RATE SECONDS DIR\n", stderr);
		return 2;
	}
	rate = (unsigned)strtoul(argv[1], NULL, 10);
	n = rate * (unsigned)strtoul(argv[2], NULL, 10);
	pids = calloc(n ? n : 1, sizeof(*pids));
	if (!pids || !rate)
		return 3;
	make_files(argv[3]);
	begun = now_ns();
	while (started < n) {
		uint64_t due = begun + (uint64_t)started * 1000000000u / rate, now = now_ns();
		struct timespec t = { .tv_nsec = now < due ? (long)(due - now) : 0 };

		if (t.tv_nsec)
			nanosleep(&t, NULL);
		pids[started] = start(program, started, argv[3]);
		if (pids[started++] < 0)
			return 5;
		ended += reap(pids, started, false);
	}
	ended += reap(pids, started, true);
	fprintf(stderr, "%u of %u in %" PRIu64 " ms\n", ended, n, (now_ns() - begun) / 1000000);
	free(pids);
	return ended == n ? 0 : 6;
}
