/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that have one address space: same-mm prints a line "NAME PID" for each process, then
 * "ready", and stays until its standard input ends.
 *
 *   parent   64 MiB of its own, touched
 *   vfork    a child by vfork of it, which is not done: the parent waits
 *   clone    a child with CLONE_VM and no CLONE_THREAD, made before
 *   fork     a child with a copy of that memory, of the same size
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t size = (size_t)64 << 20;
static int pipe_fd;

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "same-mm: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void say(const char *name)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %d\n", name, (int)getpid());

	if (write(pipe_fd, line, (size_t)n) != n)
		die("write");
}

static int stay(void *name)
{
	say(name);
	while (pause())
		;
	return 0;
}

static void parent(void)
{
	const size_t stack_size = (size_t)256 << 10;
	char *memory, *stack;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || stack == MAP_FAILED)
		die("mmap");
	memset(memory, 1, size);
	say("parent");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay((void *)"fork");
	}
	if (pid < 0 || clone(stay, stack + stack_size, CLONE_VM | SIGCHLD, (void *)"clone") < 0)
		die("fork, clone");
	pid = vfork();
	if (pid == 0) {
		say("vfork");
		/* No more than system calls: the stack is the parent's. */
		for (;;)
			pause();
	}
	_exit(1);
}

int main(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char buf[512];
	size_t n = 0;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		die("pipe");
	pipe_fd = fds[1];
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		/* Its children are in the group, which ends as one. */
		setpgid(0, 0);
		parent();
	}
	setpgid(pid, pid);
	close(fds[1]);
	/* Four lines. */
	for (int lines = 0; lines < 4;) {
		ssize_t got = read(fds[0], buf + n, sizeof(buf) - n);

		if (got <= 0)
			die("a process did not come up");
		for (ssize_t i = 0; i < got; i++)
			lines += buf[n + (size_t)i] == '\n';
		n += (size_t)got;
	}
	printf("%.*sready\n", (int)n, buf);
	fflush(stdout);
	while (poll(&in, 1, -1) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
