/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the kinds that vmtop meets seldom, for tests/live/processes.py:
 *
 *   odd-process KIND [NUMBER]
 *
 * It prints the number of the process that is of that kind, or of several, once it is as it shall
 * be, and ends, with all that it made, when its input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	((size_t)1024 * 1024)
#define SPLIT	3000 /* mappings of some kinds: more than one read of maps tells */
#define THREADS 16 /* of each process of a crowd */

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void say(pid_t a, long b)
{
	char line[64];
	int n = b ? snprintf(line, sizeof(line), "%d %ld\n", a, b)
		  : snprintf(line, sizeof(line), "%d\n", a);

	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(1);
}

static void wait_for_end(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static char *touched(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	memset(p, 1, size);
	return p;
}

static char *many_mappings(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	char *p = mmap(NULL, SPLIT * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	for (i = 0; i < SPLIT; i += 2)
		if (mprotect(p + i * page, page, PROT_READ | PROT_WRITE))
			fail("mprotect");
	return p;
}

/* A child that does not outlive this process; 0 in the child. */
static pid_t child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static int end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

static void *sleeper(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static int quiet(void)
{
	touched(8 * MIB);
	say(getpid(), 0);
	wait_for_end();
	return 0;
}

/* Of many mappings, until a byte comes: then it is quiet, under the same number. */
static int execs(void)
{
	char *const args[] = { (char[]){ "odd-process" }, (char[]){ "quiet" }, NULL };
	char c;

	many_mappings();
	say(getpid(), 0);
	if (read(STDIN_FILENO, &c, 1) != 1)
		return 0;
	execv("/proc/self/exe", args);
	fail("execv");
	return 1;
}

/* Has a reservation of 1 MiB, and prints where; on a byte it gives it back, and with other it makes
 * another one of that size elsewhere. */
static int give_back(bool other)
{
	char *p = mmap(NULL, 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char c;

	if (p == MAP_FAILED || munmap(p + MIB, 3 * MIB))
		fail("mmap");
	touched(8 * MIB);
	say(getpid(), (long)p);
	if (read(STDIN_FILENO, &c, 1) != 1)
		return 0;
	if (munmap(p, MIB) ||
	    (other && mmap(p + 2 * MIB, MIB, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED))
		fail("munmap");
	say(getpid(), 0);
	wait_for_end();
	return 0;
}

static int shrinks(void)
{
	return give_back(false);
}

static int moves(void)
{
	return give_back(true);
}

/*
 * Has SPLINTERS mappings in a row, which mprotect() made of one, and prints where they begin. All
 * are full, of SPLINTER pages; with holes the second and the third have one less, which in the
 * third is the zero page. On a byte it takes give pages of the first away and touches take pages
 * elsewhere.
 */
#define SPLINTERS 128
#define SPLINTER  8

static int splinters(bool holes, size_t give, size_t take)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), each = SPLINTER * page, i;
	/* What cannot be touched stands before, between and behind, so that no others join them. */
	char *elsewhere = mmap(NULL, 2 * MIB + SPLINTERS * each, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = elsewhere + MIB, c;

	if (elsewhere == MAP_FAILED)
		fail("mmap");
	madvise(elsewhere, MIB + SPLINTERS * each, MADV_NOHUGEPAGE);
	elsewhere += page;
	if (mprotect(elsewhere, MIB / 2, PROT_READ | PROT_WRITE) ||
	    mprotect(p, SPLINTERS * each, PROT_READ | PROT_WRITE))
		fail("mprotect");
	if (holes)
		c = ((volatile char *)p)[2 * each + page];
	for (i = 0; i < SPLINTERS * SPLINTER; i++)
		if (!holes || (i != SPLINTER + 1 && i != 2 * SPLINTER + 1))
			p[i * page] = 1;
	for (i = 0; i < SPLINTERS; i += 2)
		if (mprotect(p + i * each, each, PROT_READ))
			fail("mprotect");
	say(getpid(), (long)p);
	if (read(STDIN_FILENO, &c, 1) != 1)
		return 0;
	if (madvise(p, give * page, MADV_DONTNEED) && give)
		fail("madvise");
	for (i = 0; i < take; i++)
		elsewhere[i * page] = 1;
	say(getpid(), 0);
	wait_for_end();
	return 0;
}

/* A page that is not there for some microseconds, again and again, beside mappings of which one
 * lacks as much. */
static int churns(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), each = SPLINTER * page, i;
	char *elsewhere = mmap(NULL, 2 * MIB + SPLINTERS * each, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = elsewhere + MIB, c;

	if (elsewhere == MAP_FAILED)
		fail("mmap");
	madvise(elsewhere, MIB + SPLINTERS * each, MADV_NOHUGEPAGE);
	elsewhere += page;
	if (mprotect(elsewhere, page, PROT_READ | PROT_WRITE) ||
	    mprotect(p, SPLINTERS * each, PROT_READ | PROT_WRITE))
		fail("mprotect");
	for (i = 0; i < SPLINTERS * SPLINTER; i++)
		if (i != SPLINTER + 1)
			p[i * page] = 1;
	for (i = 0; i < SPLINTERS; i += 2)
		if (mprotect(p + i * each, each, PROT_READ))
			fail("mprotect");
	elsewhere[0] = 1;
	say(getpid(), (long)p);
	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK))
		fail("fcntl");
	while (read(STDIN_FILENO, &c, 1) < 0 && errno == EAGAIN) {
		if (madvise(elsewhere, page, MADV_DONTNEED))
			fail("madvise");
		for (i = 0; i < 2000; i++)
			__asm__ volatile("" ::: "memory");
		((volatile char *)elsewhere)[0] = 1;
		for (i = 0; i < 6000; i++)
			__asm__ volatile("" ::: "memory");
	}
	return 0;
}

static int full(void)
{
	return splinters(false, 0, 0);
}

static int loses(void)
{
	return splinters(false, 1, 0);
}

static int with_holes(void)
{
	return splinters(true, 0, 2);
}

static int zombie(void)
{
	siginfo_t info;
	pid_t pid = child();

	if (pid == 0)
		_exit(0);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		fail("waitid");
	say(pid, 0);
	wait_for_end();
	return end(pid);
}

static char state_of(pid_t pid)
{
	char path[40], text[512], *close_;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		fail(path);
	text[n] = 0;
	close_ = strrchr(text, ')');
	return close_ ? close_[2] : 0;
}

/* Its first thread has ended; another has the memory. */
static int headless(void)
{
	pid_t pid = child();
	pthread_t thread;

	if (pid == 0) {
		touched(8 * MIB);
		if (pthread_create(&thread, NULL, sleeper, NULL))
			_exit(1);
		syscall(SYS_exit, 0);
	}
	while (state_of(pid) != 'Z')
		sched_yield();
	say(pid, 0);
	wait_for_end();
	return end(pid);
}

static pid_t traced_child(void)
{
	pid_t pid = child();
	int status;

	if (pid == 0) {
		touched(8 * MIB);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		raise(SIGSTOP);
		munmap(NULL, (size_t)(UINT64_C(0x7ffffffff000)));
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("a traced child");
	return pid;
}

static int traced(void)
{
	pid_t pid = traced_child();

	say(pid, 0);
	wait_for_end();
	return end(pid);
}

/* It unmaps all that it has, and is held at the fault on the instruction that comes next. */
static int empty(void)
{
	pid_t pid = traced_child();
	int status = 0;

	if (ptrace(PTRACE_CONT, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
		fail("a call of the traced child");
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSEGV) {
		fprintf(stderr, "munmap: status %d\n", status);
		return 1;
	}
	say(pid, 0);
	wait_for_end();
	return end(pid);
}

/* Mappings that are joined and split for ever. */
static int splits(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	pid_t pid = child();
	char *p;

	if (pid == 0) {
		p = many_mappings();
		say(getpid(), 0);
		for (;;) {
			if (mprotect(p, SPLIT * page, PROT_READ))
				fail("mprotect");
			for (i = 0; i < SPLIT; i += 2)
				if (mprotect(p + i * page, page, PROT_READ | PROT_WRITE))
					fail("mprotect");
		}
	}
	wait_for_end();
	return end(pid);
}

/* A process of that number, which is free; "unable" where it may not be chosen. */
static int numbered(const char *number)
{
	pid_t want = (pid_t)strtol(number, NULL, 10);
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&want,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touched(MIB);
		say((pid_t)syscall(SYS_getpid), 0);
		sleeper(NULL);
	}
	if (pid < 0 && (errno == EPERM || errno == ENOSYS || errno == E2BIG || errno == EINVAL)) {
		puts("unable");
		return 0;
	}
	if (pid < 0)
		fail("clone3");
	wait_for_end();
	return end((pid_t)pid);
}

/* So many processes, each of some threads; they are ready when this is told. */
static int crowd(const char *number)
{
	long n = strtol(number, NULL, 10), i;
	pid_t *pids = calloc((size_t)n, sizeof(*pids));
	pthread_attr_t attr;
	pthread_t thread;
	int ready[2], k;
	char c = 'x';

	if (!pids || pipe2(ready, O_CLOEXEC))
		fail("pipe");
	for (i = 0; i < n; i++) {
		pids[i] = child();
		if (pids[i] != 0)
			continue;
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 16384);
		for (k = 1; k < THREADS; k++)
			if (pthread_create(&thread, &attr, sleeper, NULL))
				_exit(1);
		if (write(ready[1], &c, 1) == 1)
			sleeper(NULL);
		_exit(1);
	}
	close(ready[1]);
	for (i = 0; i < n; i++)
		if (read(ready[0], &c, 1) != 1)
			fail("read");
	say(getpid(), n);
	wait_for_end();
	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
	free(pids);
	return 0;
}

/* Children that end as soon as they are there, for ever, of the process that is told. */
static int brief(void)
{
	pid_t pid = child(), one;

	if (pid == 0) {
		say(getpid(), 0);
		for (;;) {
			one = fork();
			if (one < 0)
				fail("fork");
			if (one == 0)
				_exit(0);
			waitpid(one, NULL, 0);
		}
	}
	wait_for_end();
	return end(pid);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*make)(void);
	} kinds[] = {
		{ "quiet", quiet },	  { "exec", execs },	{ "zombie", zombie },
		{ "headless", headless }, { "traced", traced }, { "empty", empty },
		{ "splits", splits },	  { "brief", brief },	{ "shrinks", shrinks },
		{ "moves", moves },	  { "full", full },	{ "loses", loses },
		{ "holes", with_holes },  { "churns", churns },
	};
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			return kinds[i].make();
	if (argc == 3 && strcmp(argv[1], "numbered") == 0)
		return numbered(argv[2]);
	if (argc == 3 && strcmp(argv[1], "crowd") == 0)
		return crowd(argv[2]);
	fputs("usage: odd-process KIND [NUMBER]\n", stderr);
	return 2;
}
