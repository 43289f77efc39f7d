/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * looked-at DIR: a process with a mapping of each sort, of which nothing changes while others look
 * at it, and a child that shares its memory. It prints "ready CHILD ADDRESS...", an address of each
 * mapping, and stays until its standard input ends. Its files in DIR are open and mapped.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 48u

static size_t page;

static void *map(size_t pages, int prot, int flags, int fd)
{
	void *p = mmap(NULL, pages * page, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("looked-at: mmap");
		exit(1);
	}
	return p;
}

/* Runs of pages that are there, and others that are not. */
static void touch(volatile char *p, size_t pages, char value)
{
	for (size_t i = 0; i < pages; i++)
		if (i % 16 < 7)
			p[i * page] = value;
}

static int file(const char *dir, const char *name, size_t pages)
{
	char path[512];
	char *text = calloc(pages, page);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (!text || fd < 0 || write(fd, text, pages * page) != (ssize_t)(pages * page)) {
		perror(path);
		exit(1);
	}
	free(text);
	fsync(fd);
	if (strcmp(name, "gone") == 0)
		unlink(path);
	return fd;
}

/* Of a file of which nothing was ever read or written nothing is cached. */
static int empty_file(const char *dir)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/sparse", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(PAGES * page)) < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	const int both = PROT_READ | PROT_WRITE;
	void *at[9];
	int memfd;
	pid_t child;
	char c;

	if (argc != 2)
		return 2;
	page = (size_t)sysconf(_SC_PAGESIZE);
	memfd = memfd_create("looked-at", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, (off_t)(PAGES * page)) < 0)
		return 1;
	at[0] = map(PAGES, both, MAP_SHARED, file(argv[1], "shared", PAGES));
	/* Beyond the end of the file there is nothing. */
	at[1] = map(PAGES, both, MAP_PRIVATE, file(argv[1], "private", PAGES - 16));
	at[2] = map(PAGES, PROT_READ, MAP_PRIVATE, file(argv[1], "gone", PAGES));
	at[3] = map(PAGES, both, MAP_SHARED, memfd);
	at[4] = map(PAGES, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	at[5] = map(PAGES, both, MAP_SHARED | MAP_ANONYMOUS, -1);
	at[6] = map(PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	at[7] = map(PAGES, PROT_READ, MAP_SHARED, empty_file(argv[1]));
	/* Large enough for a huge page, and nobody writes to it. */
	at[8] = map(((size_t)4 << 20) / page, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	touch(at[0], PAGES, 1);
	touch(at[1], PAGES - 16, 1);
	/* What is dirty is written out some time. */
	msync(at[0], PAGES * page, MS_SYNC);
	touch(at[3], PAGES, 1);
	touch(at[4], PAGES, 1);
	touch(at[5], PAGES, 1);
	/* What is there stays: where that may not be, memory is short only at times. */
	mlockall(MCL_CURRENT | MCL_ONFAULT);
	child = fork();
	if (child < 0)
		return 1;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touch(at[4], PAGES / 2, 2);
		if (write(STDOUT_FILENO, "child\n", 6) != 6)
			_exit(1);
		for (;;)
			pause();
	}
	printf("ready %d", (int)child);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		printf(" %lx", (unsigned long)(uintptr_t)at[i]);
	printf("\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
