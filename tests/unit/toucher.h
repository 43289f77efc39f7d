/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A child that touches fresh pages when told to, and says what getrusage() makes of it. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct toucher {
	pid_t pid;
	int to;
	int from;
};

struct toucher_said {
	uint64_t minor; /* of the child, since it began */
	uint64_t major;
	uint64_t start; /* of the pages that it touched last */
	uint64_t end;
};

enum toucher_way {
	TOUCHER_USER, /* by the program itself */
	TOUCHER_KERNEL, /* by read(2) into them */
	TOUCHER_LOCK, /* by mlock(2): get_user_pages(), which no event tells of */
	TOUCHER_FILE, /* shared pages of a file of shmem */
	TOUCHER_FORK, /* by a child of the child */
	TOUCHER_QUIT,
};

struct toucher_order {
	size_t pages;
	enum toucher_way way;
};

static inline void toucher_touch(const struct toucher_order *order, struct toucher_said *said)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len = order->pages * page;
	bool file = order->way == TOUCHER_FILE;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int mem = file ? memfd_create("toucher", MFD_CLOEXEC) : -1;
	char *p;

	if (zero < 0 || (file && (mem < 0 || ftruncate(mem, (off_t)len))))
		_exit(2);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
		 mem, 0);
	if (p == MAP_FAILED || (!file && madvise(p, len, MADV_NOHUGEPAGE)))
		_exit(2);
	if (order->way == TOUCHER_KERNEL) {
		if (read(zero, p, len) != (ssize_t)len)
			_exit(2);
	} else if (order->way == TOUCHER_LOCK) {
		/* That of libc does nothing where addresses are checked. */
		if (syscall(SYS_mlock, p, len))
			_exit(2);
	} else {
		for (size_t i = 0; i < order->pages; i++)
			*(volatile char *)(p + i * page) = 1;
	}
	said->start = (uint64_t)p;
	said->end = (uint64_t)p + len;
	munmap(p, len);
	close(zero);
	if (mem >= 0)
		close(mem);
}

static inline void toucher_main(int from, int to)
{
	struct toucher_order order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &order, sizeof(order)) == (ssize_t)sizeof(order)) {
		struct toucher_said said = { 0 };
		struct rusage usage;

		if (order.way == TOUCHER_QUIT)
			_exit(0);
		if (order.way == TOUCHER_FORK) {
			pid_t pid = fork();

			if (pid == 0) {
				toucher_touch(&order, &said);
				_exit(0);
			}
			if (pid < 0 || waitpid(pid, NULL, 0) != pid)
				_exit(2);
		} else if (order.pages) {
			toucher_touch(&order, &said);
		}
		getrusage(RUSAGE_SELF, &usage);
		said.minor = (uint64_t)usage.ru_minflt;
		said.major = (uint64_t)usage.ru_majflt;
		if (write(to, &said, sizeof(said)) != (ssize_t)sizeof(said))
			_exit(2);
	}
	_exit(0);
}

static inline struct toucher_said toucher_tell(struct toucher *t, size_t pages,
					       enum toucher_way way)
{
	struct toucher_order order = { pages, way };
	struct toucher_said said = { 0 };

	assert_int_equal(write(t->to, &order, sizeof(order)), sizeof(order));
	assert_int_equal(read(t->from, &said, sizeof(said)), sizeof(said));
	return said;
}

/* Comes back once the child has done all it does at least twice: then it faults nothing else. */
static inline void toucher_begin(struct toucher *t)
{
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		close(to[1]);
		close(from[0]);
		toucher_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	t->to = to[1];
	t->from = from[0];
	for (int i = 0; i < 2; i++) {
		toucher_tell(t, 4, TOUCHER_USER);
		toucher_tell(t, 4, TOUCHER_KERNEL);
		toucher_tell(t, 4, TOUCHER_FILE);
	}
}

static inline void toucher_end(struct toucher *t)
{
	struct toucher_order order = { 0, TOUCHER_QUIT };

	/* The end of the pipe would not do: other children have copies of it. */
	assert_int_equal(write(t->to, &order, sizeof(order)), sizeof(order));
	close(t->to);
	close(t->from);
	assert_int_equal(waitpid(t->pid, NULL, 0), t->pid);
}
