/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stall [--mib N] [--seconds N] [--rounds N] [--vmtop PATH] [--fifo] [--only TEXT] [--check]
 *
 * What a process feels of being looked at. It has N MiB (4096) resident in pages of 4 KiB in one
 * mapping, and a thread that maps and unmaps a page for ever; the measure is its slowest round in a
 * window of time, while others read the process in a loop. Readers take turns, so that what else
 * the machine does falls on all of them.
 *
 * --fifo is for a machine that does other things too: both sides are SCHED_FIFO, so that neither
 * who waits for the lock nor who holds it waits for a processor as well. The thread then rests for
 * 20 microseconds between its rounds.
 *
 * A table: the median over all windows, that of the quietest tenth (a busy machine makes slow
 * rounds by itself, in some windows), and the ratio to nobody looking. --check is the test of it:
 * with windows short enough that some are quiet, and ratios that hold by a wide margin.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
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

#define WINDOWS_MOST 4096u

/* What the watched writes and the watcher reads. */
struct shared {
	_Atomic uint64_t slowest_ns; /* since it was taken last */
	_Atomic uint64_t rounds;
	_Atomic bool up;
};

struct reader {
	const char *name;
	const char *words[8]; /* VMTOP and PID are replaced; none: nobody reads */
	double window[WINDOWS_MOST]; /* slowest round, ms */
	unsigned n;
	bool missing;
};

static struct reader readers[] = {
	{ .name = "nobody" },
	{ .name = "cat maps", .words = { "cat", "maps" } },
	{ .name = "cat smaps", .words = { "cat", "smaps" } },
	{ .name = "cat smaps_rollup", .words = { "cat", "smaps_rollup" } },
	{ .name = "pmap -X", .words = { "pmap", "-X", "PID" } },
	{ .name = "vmtop maps", .words = { "VMTOP", "maps", "PID" } },
	{ .name = "vmtop maps --pss", .words = { "VMTOP", "maps", "PID", "--pss" } },
	{ .name = "vmtop maps --pss=sliced", .words = { "VMTOP", "maps", "PID", "--pss=sliced" } },
	{ .name = "vmtop pages", .words = { "VMTOP", "pages", "PID" } },
};

#define N_READERS (sizeof(readers) / sizeof(readers[0]))

enum { NOBODY = 0, SMAPS = 2, VMTOP_MAPS = 5, VMTOP_SLICED = 7, VMTOP_PAGES = 8 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static bool fifo;

static void be_fifo(int priority)
{
	const struct sched_param p = { .sched_priority = priority };

	if (fifo && sched_setscheduler(0, SCHED_FIFO, &p) < 0) {
		fprintf(stderr, "stall: --fifo is not permitted\n");
		exit(1);
	}
}

static void *map_and_unmap(void *arg)
{
	const struct timespec rest = { .tv_nsec = 20000 };
	struct shared *s = arg;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	be_fifo(2);
	for (;;) {
		uint64_t t0, ns, before;
		void *p;

		if (fifo)
			nanosleep(&rest, NULL);
		t0 = now_ns();
		p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || munmap(p, page) < 0)
			abort();
		ns = now_ns() - t0;
		before = atomic_load(&s->slowest_ns);
		while (ns > before && !atomic_compare_exchange_weak(&s->slowest_ns, &before, ns))
			;
		atomic_fetch_add(&s->rounds, 1);
	}
	return NULL;
}

/* The one that is watched. */
static void be_watched(struct shared *s, size_t bytes)
{
	pthread_t thread;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	char *p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || madvise(p, bytes, MADV_NOHUGEPAGE) < 0)
		exit(1);
	for (i = 0; i < bytes; i += page)
		p[i] = 1;
	if (pthread_create(&thread, NULL, map_and_unmap, s))
		exit(1);
	atomic_store(&s->up, true);
	for (;;)
		pause();
}

static void cat(pid_t pid, const char *file)
{
	static char buf[65536];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

/* One look. Whether the program could be run. */
static bool look(const struct reader *r, const char *vmtop, pid_t watched)
{
	const char *words[9] = { NULL };
	char number[16];
	pid_t child;
	int status;
	size_t i;

	if (strcmp(r->words[0], "cat") == 0) {
		cat(watched, r->words[1]);
		return true;
	}
	snprintf(number, sizeof(number), "%d", watched);
	for (i = 0; r->words[i]; i++)
		words[i] = strcmp(r->words[i], "VMTOP") == 0 ? vmtop
			   : strcmp(r->words[i], "PID") == 0 ? number
							     : r->words[i];
	child = fork();
	if (!child) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A process of its own looks for ever; what it says by its end is whether it could. */
static pid_t start_looking(const struct reader *r, const char *vmtop, pid_t watched)
{
	pid_t pid = r->words[0] ? fork() : -1;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be_fifo(1);
	while (look(r, vmtop, watched))
		;
	_exit(1);
}

static void measure(struct reader *r, struct shared *s, const char *vmtop, pid_t watched,
		    unsigned windows, unsigned window_ms)
{
	pid_t looking = start_looking(r, vmtop, watched);
	int status;
	unsigned i;

	sleep_ms(window_ms);
	atomic_store(&s->slowest_ns, 0);
	for (i = 0; i < windows && r->n < WINDOWS_MOST; i++) {
		sleep_ms(window_ms);
		r->window[r->n++] = (double)atomic_exchange(&s->slowest_ns, 0) / 1e6;
	}
	if (looking <= 0)
		return;
	if (waitpid(looking, &status, WNOHANG) == looking) {
		r->missing = true;
		return;
	}
	kill(looking, SIGKILL);
	waitpid(looking, NULL, 0);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The window of which a part (0 .. 1) is quieter. */
static double quantile(struct reader *r, double part)
{
	if (!r->n)
		return 0;
	qsort(r->window, r->n, sizeof(r->window[0]), by_size);
	return r->window[(size_t)(part * (r->n - 1))];
}

static void table(void)
{
	double median = quantile(&readers[NOBODY], 0.5), quiet = quantile(&readers[NOBODY], 0.1);
	size_t i;

	printf("%-26s %12s %8s %12s %8s %12s\n", "who looks", "median ms", "ratio", "quiet ms",
	       "ratio", "worst ms");
	for (i = 0; i < N_READERS; i++) {
		struct reader *r = &readers[i];

		if (r->missing || !r->n) {
			printf("%-26s not run\n", r->name);
			continue;
		}
		printf("%-26s %12.3f %8.1f %12.3f %8.1f %12.3f\n", r->name, quantile(r, 0.5),
		       quantile(r, 0.5) / median, quantile(r, 0.1), quantile(r, 0.1) / quiet,
		       quantile(r, 1));
	}
}

/* Quiet windows have the lock alone in them: there whoever walks in one hold is far above the
 * slices, whatever the machine does else. */
static void judge(const char *what, struct reader *r)
{
	double smaps = quantile(&readers[SMAPS], 0.1), ours = quantile(r, 0.1);

	if (r->missing || !r->n)
		printf("not ok stall/%s - %s could not be run\n", what, r->name);
	else if (ours * 3 > smaps)
		printf("not ok stall/%s - %.3f ms, and %.3f ms by smaps\n", what, ours, smaps);
	else
		printf("ok stall/%s - %.3f ms; nobody %.3f ms, smaps %.3f ms\n", what, ours,
		       quantile(&readers[NOBODY], 0.1), smaps);
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || !*text || v == 0 || v > 1u << 20) {
		fprintf(stderr, "stall: no number from 1 on: %s\n", text);
		exit(2);
	}
	return (unsigned)v;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mib", required_argument, NULL, 'm' },
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "vmtop", required_argument, NULL, 'v' },
		{ "fifo", no_argument, NULL, 'f' },
		{ "only", required_argument, NULL, 'o' },
		{ "check", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned mib = 4096, seconds = 5, rounds = 3, window_ms = 1000, k;
	const char *vmtop = "vmtop";
	struct shared *s;
	bool check = false;
	pid_t watched;
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm':
			mib = number(optarg);
			break;
		case 's':
			seconds = number(optarg);
			break;
		case 'r':
			rounds = number(optarg);
			break;
		case 'v':
			vmtop = optarg;
			break;
		case 'o':
			for (i = NOBODY + 1; i < N_READERS; i++)
				readers[i].missing |= !strstr(readers[i].name, optarg);
			break;
		case 'f':
			fifo = true;
			break;
		case 'c':
			check = true;
			fifo = geteuid() == 0;
			window_ms = 50;
			break;
		default:
			fprintf(stderr, "usage: stall [--mib N] [--seconds N] [--rounds N] "
					"[--vmtop PATH] [--fifo] [--only TEXT] [--check]\n");
			return 2;
		}
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return 1;
	/* What else runs is not to be mistaken for the lock: neither he who waits for it nor he who
	 * holds it shall wait for a processor. */
	setpriority(PRIO_PROCESS, 0, -20);
	watched = fork();
	if (!watched)
		be_watched(s, (size_t)mib << 20);
	while (!atomic_load(&s->up)) {
		if (waitpid(watched, NULL, WNOHANG) == watched) {
			fprintf(stderr, "stall: no memory for %u MiB\n", mib);
			return 1;
		}
		sleep_ms(20);
	}
	for (k = 0; k < rounds; k++)
		for (i = 0; i < N_READERS; i++)
			if (!readers[i].missing &&
			    (!check || i == NOBODY || i == SMAPS || i == VMTOP_MAPS ||
			     i == VMTOP_SLICED || i == VMTOP_PAGES))
				measure(&readers[i], s, vmtop, watched, seconds * 1000 / window_ms,
					window_ms);
	kill(watched, SIGKILL);
	waitpid(watched, NULL, 0);
	if (check) {
		judge("M06/maps", &readers[VMTOP_MAPS]);
		if (geteuid() == 0)
			judge("M06/pss-sliced", &readers[VMTOP_SLICED]);
		judge("M06/pages", &readers[VMTOP_PAGES]);
		return 0;
	}
	printf("%u MiB in pages of 4 KiB; slowest round of mmap and munmap in a second, over %u s\n",
	       mib, seconds * rounds);
	table();
	return 0;
}
