/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load PROCESSES MAPPINGS PAGES [PROGRAM-NAME]
 *
 * Processes that hold still, each with so many private anonymous mappings of so many resident
 * pages. Prints "ready PROCESSES MAPPINGS PAGES" and stays until its standard input ends.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t page = 4096;

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end) {
		fprintf(stderr, "load: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

/* Neighbours of different protection do not merge. */
static void hold(unsigned long mappings, unsigned long pages)
{
	size_t each = pages * page;
	char *base;

	if (!mappings || !pages)
		return;
	/* A page without access on either side: nothing of the C library merges with it. */
	base = mmap(NULL, mappings * each + 2 * page, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		die("mmap");
	base += page;
	/* Huge pages would make fewer entries to walk. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("prctl");
	if (mprotect(base, mappings * each, PROT_READ | PROT_WRITE))
		die("mprotect");
	for (size_t at = 0; at < mappings * each; at += page)
		base[at] = 1;
	for (unsigned long i = 0; i < mappings; i += 2)
		if (mprotect(base + i * each, each, PROT_READ))
			die("mprotect");
}

static void child(unsigned long mappings, unsigned long pages, int ready, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	hold(mappings, pages);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

static void wait_for_end(void)
{
	char byte[64];
	ssize_t got;

	do {
		got = read(STDIN_FILENO, byte, sizeof(byte));
	} while (got > 0 || (got < 0 && errno == EINTR));
}

int main(int argc, char **argv)
{
	unsigned long processes, mappings, pages, up = 0;
	pid_t *pids, parent = getpid();
	int pipes[2], status = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: load PROCESSES MAPPINGS PAGES\n");
		return 2;
	}
	processes = number(argv[1]);
	mappings = number(argv[2]);
	pages = number(argv[3]);
	pids = calloc(processes + 1, sizeof(*pids));
	if (!pids || pipe(pipes))
		die("pipe");

	for (unsigned long i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			perror("load: fork");
			status = 1;
			break;
		}
		if (!pids[i]) {
			close(pipes[0]);
			child(mappings, pages, pipes[1], parent);
		}
	}
	close(pipes[1]);

	while (!status && up < processes) {
		char bytes[512];
		ssize_t got = read(pipes[0], bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fprintf(stderr, "load: %lu of %lu processes came up\n", up, processes);
			status = 1;
		}
		up += (unsigned long)(got > 0 ? got : 0);
	}
	if (!status) {
		printf("ready %lu %lu %lu\n", processes, mappings, pages);
		fflush(stdout);
		wait_for_end();
	}
	for (unsigned long i = 0; i < processes && pids[i] > 0; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	free(pids);
	return status;
}
