/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * commit VMTOP [MIB]: what vmtop says was promised to a process, against what Committed_AS of the
 * kernel changes by when the process maps MIB (512) in ways that count and in ways that do not.
 * COMMIT has to change to the byte; the counter of the machine, which others change too, by as
 * much, give or take a quarter: where it does not, it is tried again.
 */

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 10

static const char *vmtop;
static size_t size;

enum act { PRIVATE, NORESERVE, SHARED, FILE_PRIVATE, FILE_SHARED, READ_ONLY, MADE_WRITABLE, FORK };

static const struct {
	const char *name;
	enum act act;
	bool process; /* COMMIT grows by the size */
	bool machine; /* Committed_AS does */
	bool untouched; /* the part of that name of vmtop free --commit does */
} cases[] = {
	{ "private-writable", PRIVATE, true, true, false },
	{ "private-noreserve", NORESERVE, false, false, false },
	{ "shared-anonymous", SHARED, false, true, true },
	{ "private-file-writable", FILE_PRIVATE, true, true, false },
	{ "shared-file-writable", FILE_SHARED, false, false, false },
	{ "private-read-only", READ_ONLY, false, false, false },
	{ "made-writable", MADE_WRITABLE, true, true, false },
	{ "fork", FORK, false, true, false },
};

static int down[2], up[2];
static pid_t worker;
static int file = -1;

static void say(int fd, char c)
{
	if (write(fd, &c, 1) != 1)
		_exit(3);
}

static char hear(int fd)
{
	char c = 0;

	return read(fd, &c, 1) == 1 ? c : 0;
}

static void *map(int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		_exit(3);
	return p;
}

/* A child that does nothing, and has what this process has. */
static pid_t twin(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0)
		_exit(3);
	return pid;
}

/* Does what it is told, and undoes it. */
static void work(void)
{
	const int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
	void *base;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	base = map(rw, anon, -1);
	for (;;) {
		void *p = NULL;
		pid_t child = 0;
		char c = hear(down[0]);

		switch (c - 'a') {
		case PRIVATE:
			p = map(rw, anon, -1);
			break;
		case NORESERVE:
			p = map(rw, anon | MAP_NORESERVE, -1);
			break;
		case SHARED:
			p = map(rw, MAP_SHARED | MAP_ANONYMOUS, -1);
			break;
		case FILE_PRIVATE:
			p = map(rw, MAP_PRIVATE, file);
			break;
		case FILE_SHARED:
			p = map(rw, MAP_SHARED, file);
			break;
		case READ_ONLY:
		case MADE_WRITABLE:
			p = map(PROT_READ, anon, -1);
			/* Beside other memory that is writable it would be one mapping with that.
			 */
			if (c - 'a' == MADE_WRITABLE && mprotect(p, size, rw) < 0)
				_exit(3);
			break;
		case FORK:
			child = twin();
			break;
		default:
			_exit(base == NULL);
		}
		say(up[1], '+');
		if (!hear(down[0]))
			_exit(0);
		if (p)
			munmap(p, size);
		if (child) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
		}
		say(up[1], '-');
	}
}

/* Committed_AS in bytes. */
static int64_t committed(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Committed_AS: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return (int64_t)kib * 1024;
}

/* The number that vmtop prints on its first line that begins with key; -1 where there is none. */
static int64_t ask(const char *const args[], const char *key)
{
	long long v = -1, found = -1;
	char line[512];
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);

	while (f && fgets(line, sizeof(line), f))
		if (found < 0 && strncmp(line, key, strlen(key)) == 0 &&
		    sscanf(line + strlen(key), "%lld", &v) == 1)
			found = v;
	return f && check_stop(f, pid) ? found : -1;
}

static int64_t commit_of(pid_t pid)
{
	char number[16];
	const char *const args[] = { "vmtop",	     "ps", "-p", number,	 "-q", "--csv",
				     "--noheadings", "-b", "-o", "commit_bytes", NULL };

	snprintf(number, sizeof(number), "%d", pid);
	return ask(args, "");
}

static int64_t part(const char *name)
{
	static const char *const args[] = { "vmtop", "free",  "--commit",
					    "-q",    "--csv", "--noheadings",
					    "-b",    "-o",    "name,size_bytes",
					    NULL };
	char key[32];

	snprintf(key, sizeof(key), "%s,", name);
	return ask(args, key);
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b < (int64_t)size / 4 && b - a < (int64_t)size / 4;
}

/* Whether the kernel, and vmtop of the machine, say what they have to. */
struct seen {
	int64_t commit, machine, untouched;
	bool failed;
};

static struct seen try_once(enum act act, bool untouched)
{
	int64_t commit, machine, rest = 0;
	struct seen seen = { 0 };

	commit = commit_of(worker);
	if (untouched)
		rest = part("untouched");
	machine = committed();
	say(down[1], (char)('a' + act));
	if (hear(up[0]) != '+') {
		seen.failed = true;
		return seen;
	}
	seen.machine = committed() - machine;
	seen.commit = commit_of(worker) - commit;
	if (untouched)
		seen.untouched = part("untouched") - rest;
	seen.failed = commit < 0 || rest < 0;
	say(down[1], '.');
	if (hear(up[0]) != '-')
		seen.failed = true;
	return seen;
}

static bool judge(size_t i)
{
	int64_t n = (int64_t)size, process = cases[i].process ? n : 0;
	int64_t machine = cases[i].machine ? n : 0, untouched = cases[i].untouched ? n : 0;
	struct seen seen = { 0 };
	struct check c;
	int tries;

	check_begin(&c, "commit-%s", cases[i].name);
	for (tries = 1; tries <= TRIES; tries++) {
		seen = try_once(cases[i].act, cases[i].untouched);
		if (seen.failed || seen.commit != process ||
		    (is_near(seen.machine, machine) && is_near(seen.untouched, untouched)))
			break;
	}
	check_that(&c, !seen.failed, "the workload or vmtop failed");
	check_that(&c, seen.commit == process, "COMMIT grew by %lld, not %lld",
		   (long long)seen.commit, (long long)process);
	check_that(&c, is_near(seen.machine, machine), "Committed_AS grew by %lld, not %lld",
		   (long long)seen.machine, (long long)machine);
	check_that(&c, is_near(seen.untouched, untouched), "untouched grew by %lld, not %lld",
		   (long long)seen.untouched, (long long)untouched);
	check_end(&c, "COMMIT %+lld, Committed_AS %+lld, try %d", (long long)seen.commit,
		  (long long)seen.machine, tries);
	return !c.failed;
}

/* The parts sum to Committed_AS, and the child of a fork was promised what its parent was. */
static bool judge_sum(void)
{
	static const char *const args[] = { "vmtop", "free",  "--commit",
					    "-q",    "--csv", "--noheadings",
					    "-b",    "-o",    "size_bytes",
					    NULL };
	int64_t sum = 0, before, after;
	int tries, parts = 0;
	struct check c;
	long long v;

	check_begin(&c, "commit-sum");
	for (tries = 1; tries <= TRIES; tries++) {
		char line[128];
		pid_t pid;
		FILE *f;

		sum = parts = 0;
		before = committed();
		f = check_start(vmtop, 0, args, &pid);
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "%lld", &v) == 1) {
				sum += v;
				parts++;
			}
		if (!check_that(&c, f && check_stop(f, pid), "vmtop failed"))
			break;
		after = committed();
		if (is_near(sum, before) || is_near(sum, after))
			break;
	}
	check_that(&c, parts == 5, "%d parts", parts);
	check_that(&c, tries <= TRIES, "the parts are %lld", (long long)sum);
	check_end(&c, "%lld bytes", (long long)sum);
	return !c.failed;
}

int main(int argc, char **argv)
{
	bool good = true;
	size_t i;

	if (argc < 2) {
		fprintf(stderr, "usage: commit VMTOP [MIB]\n");
		return 2;
	}
	vmtop = argv[1];
	size = (size_t)(argc > 2 ? atoi(argv[2]) : 512) << 20;
	file = memfd_create("commit", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, (off_t)size) < 0 || pipe2(down, O_CLOEXEC) < 0 ||
	    pipe2(up, O_CLOEXEC) < 0)
		return 2;
	worker = fork();
	if (worker == 0)
		work();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		good &= judge(i);
	good &= judge_sum();
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
	return !good;
}
