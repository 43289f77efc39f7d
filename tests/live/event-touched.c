/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * event-touched VMTOP [--full]: how much of what a process mapped is still mapped, touched and in
 * memory, and which function made it, of functions that map and touch as many pages as is known;
 * of what an execve() replaced, and of a process that has ended. With --full also of more ranges
 * than there is room for.
 *
 * event-touched --work and its like are the commands that vmtop runs for that. They say when they
 * are through, by a byte into one descriptor, and stay until another one is closed; meanwhile the
 * window is ended.
 */

#include "check.h"
#include "event-json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline))

/* More than the table has rows. */
#define MANY 140000

static const char *vmtop, *self;
static size_t page;

/* Maps pages of which none is a huge one. */
#define MAP(pages, protection)                                                                     \
	mmap(NULL, (pages)*page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

static int small_pages(char *p, size_t pages)
{
	if (p == MAP_FAILED)
		exit(4);
	/* A kernel without huge pages does not know the advice. */
	return madvise(p, pages * page, MADV_NOHUGEPAGE);
}

static void touch(char *p, size_t pages, size_t step)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)&p[i * step * page] = 1;
}

static void need(bool good)
{
	if (!good)
		exit(4);
}

/* 64 MiB of pages of 4 KiB, of which a thousand are touched. */
static FUNCTION void lazy(void)
{
	char *p = MAP(16384, PROT_READ | PROT_WRITE);

	small_pages(p, 16384);
	touch(p, 1000, 16);
}

static FUNCTION void full(void)
{
	char *p = MAP(2048, PROT_READ | PROT_WRITE);

	small_pages(p, 2048);
	touch(p, 2048, 1);
}

/* Read, and never written: pages of zeros, which are nobody's memory. */
static FUNCTION void looked(void)
{
	char *p = MAP(16, PROT_READ | PROT_WRITE), sum = 0;

	small_pages(p, 16);
	for (size_t i = 0; i < 6; i++)
		sum |= *(volatile char *)&p[i * page];
	need(!sum);
}

static FUNCTION void gone(void)
{
	char *p = MAP(1024, PROT_READ | PROT_WRITE);

	small_pages(p, 1024);
	touch(p, 10, 1);
	need(!munmap(p, 1024 * page));
}

/* Its ends and a part of its middle are gone again. */
static FUNCTION void pierced(void)
{
	char *p = MAP(32, PROT_READ | PROT_WRITE);

	small_pages(p, 32);
	touch(p, 32, 1);
	need(!munmap(p, 3 * page) && !munmap(p + 10 * page, 5 * page) &&
	     !munmap(p + 30 * page, 2 * page));
}

/* Split by what is allowed there. */
static FUNCTION void split(void)
{
	char *p = MAP(24, PROT_READ | PROT_WRITE);

	small_pages(p, 24);
	touch(p, 9, 2);
	need(!mprotect(p + 8 * page, 4 * page, PROT_READ));
}

static FUNCTION char *reserve(void)
{
	char *p = MAP(64, PROT_NONE);

	small_pages(p, 64);
	return p;
}

/* Over the begin and over the middle of what is reserved. */
static FUNCTION void commit(char *p)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	need(mmap(p, 8 * page, PROT_READ | PROT_WRITE, flags, -1, 0) == p);
	need(mmap(p + 8 * page, 8 * page, PROT_READ | PROT_WRITE, flags, -1, 0) == p + 8 * page);
	need(mmap(p + 32 * page, 4 * page, PROT_READ | PROT_WRITE, flags, -1, 0) == p + 32 * page);
	small_pages(p, 64);
	touch(p, 11, 1);
	touch(p + 32 * page, 2, 1);
}

static FUNCTION char *source(void)
{
	char *p = MAP(16, PROT_READ | PROT_WRITE);

	small_pages(p, 16);
	touch(p, 5, 1);
	return p;
}

static FUNCTION void moved(char *from)
{
	char *to = MAP(64, PROT_NONE);

	need(to != MAP_FAILED &&
	     mremap(from, 16 * page, 64 * page, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	small_pages(to, 64);
	touch(to + 32 * page, 3, 1);
}

static FUNCTION char *room(void)
{
	char *p = MAP(32, PROT_READ | PROT_WRITE);

	small_pages(p, 32);
	touch(p, 2, 1);
	need(!munmap(p + 8 * page, 24 * page));
	return p;
}

/* Where it lies, by what it lacks. */
static FUNCTION void grown(char *p)
{
	need(mremap(p, 8 * page, 20 * page, 0) == p);
	small_pages(p, 20);
	touch(p + 8 * page, 4, 1);
}

static FUNCTION void heap(void)
{
	char *end = (char *)syscall(SYS_brk, NULL), *p;

	/* To a border of pages, and 48 pages that stay of 64. */
	p = (char *)(((uintptr_t)end + page - 1) & ~(page - 1));
	need((char *)syscall(SYS_brk, p + 64 * page) == p + 64 * page);
	small_pages(p, 64);
	touch(p, 7, 1);
	need((char *)syscall(SYS_brk, p + 48 * page) == p + 48 * page);
}

static FUNCTION void attach(void)
{
	int id = shmget(IPC_PRIVATE, 256 * page, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	need(id >= 0 && p != (char *)-1 && !shmctl(id, IPC_RMID, NULL));
	small_pages(p, 256);
	touch(p, 4, 1);
}

static FUNCTION void detach(void)
{
	int id = shmget(IPC_PRIVATE, 256 * page, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	need(id >= 0 && p != (char *)-1 && !shmctl(id, IPC_RMID, NULL));
	small_pages(p, 256);
	touch(p, 4, 1);
	need(!shmdt(p));
}

static FUNCTION void forgotten(void)
{
	char *p = MAP(128, PROT_READ | PROT_WRITE);

	small_pages(p, 128);
	touch(p, 128, 1);
}

static FUNCTION void many(void)
{
	for (size_t i = 0; i < MANY; i++)
		need(MAP(1, PROT_READ) != MAP_FAILED);
}

static void work(void)
{
	pid_t child;
	int status;

	lazy();
	full();
	looked();
	gone();
	pierced();
	split();
	commit(reserve());
	moved(source());
	grown(room());
	heap();
	attach();
	detach();
	child = fork();
	if (!child) {
		forgotten();
		_exit(0);
	}
	need(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

/* Says that all is done, and waits for the window to be over. */
static int stay(const char *done, const char *hold)
{
	char byte = 0;

	need(write(atoi(done), "!", 1) == 1);
	need(read(atoi(hold), &byte, 1) == 0);
	return 0;
}

static int again(const char *done, const char *hold)
{
	char *const args[] = { (char *)(uintptr_t)self, "--again", (char *)(uintptr_t)done,
			       (char *)(uintptr_t)hold, NULL };

	forgotten();
	execv("/proc/self/exe", args);
	return 1;
}

/* What a row of a place is to have, in pages; -1: unknown. */
struct want {
	const char *site;
	const char *call;
	int64_t reserved, touched, resident, given_back;
};

#define UNKNOWN -1

static const struct want wants[] = {
	{ "lazy", "mmap", 16384, 1000, 1000, 0 },
	{ "full", "mmap", 2048, 2048, 2048, 0 },
	{ "looked", "mmap", 16, 6, 0, 0 },
	{ "gone", "mmap", 0, 0, 0, 1024 },
	{ "pierced", "mmap", 22, 22, 22, 10 },
	{ "split", "mmap", 24, 9, 9, 0 },
	{ "reserve", "mmap", 44, 0, 0, 20 },
	{ "commit", "mmap", 20, 13, 13, 0 },
	{ "source", "mmap", 0, 0, 0, 16 },
	{ "moved", "mmap", 0, 0, 0, 64 },
	{ "room", "mmap", 8, 2, 2, 24 },
	/* Its wrapper has no frame, and its caller is left out: of two functions together. */
	{ "work", "mremap", 76, 12, 12, 0 },
	{ "heap", "brk", 48, 7, 7, 16 },
	{ "attach", "shmat", 256, 4, 4, 0 },
	{ "detach", "shmat", 0, 0, 0, 256 },
	{ "forgotten", "mmap", UNKNOWN, UNKNOWN, UNKNOWN, 128 },
};

/* After an execve(): what was mapped before is gone with the program. */
static const struct want wants_again[] = {
	{ "forgotten", "mmap", 0, 0, 0, 128 },
	{ "lazy", "mmap", 16384, 1000, 1000, 0 },
};

static const struct want wants_many[] = {
	{ "many", "mmap", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN },
};

#define MOST 24

/* What one window told. */
struct told {
	struct want sums[MOST]; /* of the rows of each place and call, those that were wanted */
	unsigned rows[MOST]; /* how many of them */
	uint64_t misses, lost, made, made_bytes;
	bool swaps; /* what is in memory may be less */
};

static void add(int64_t *sum, const char *line, const char *key)
{
	char text[64];

	event_json_value(line, key, text, sizeof(text));
	if (!strcmp(text, "-") || *sum == UNKNOWN)
		*sum = UNKNOWN;
	else
		*sum += (int64_t)(strtoull(text, NULL, 10) / page);
}

static void take(struct told *t, const char *line, const struct want *want, size_t n)
{
	char site[64], call[32];

	event_json_value(line, "site", site, sizeof(site));
	event_json_value(line, "event", call, sizeof(call));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(site, want[i].site) != 0 || strcmp(call, want[i].call) != 0)
			continue;
		add(&t->sums[i].reserved, line, "reserved_bytes");
		add(&t->sums[i].touched, line, "touched_bytes");
		add(&t->sums[i].resident, line, "resident_bytes");
		add(&t->sums[i].given_back, line, "given_back_bytes");
		t->rows[i]++;
	}
}

/* Whether a place was told as it is to be; says how not, where c is there. */
static bool is_right(struct check *c, const struct told *t, size_t i, const struct want *want)
{
	const struct want *is = &t->sums[i];
	bool good = t->rows[i] && is->reserved == want->reserved && is->touched == want->touched &&
		    is->given_back == want->given_back &&
		    (is->resident == want->resident ||
		     (t->swaps && is->resident >= 0 && is->resident < want->resident));

	if (c)
		check_that(c, good,
			   "%s of %s: %u rows, reserved %" PRId64 ", touched %" PRId64
			   ", resident %" PRId64 ", given back %" PRId64,
			   want->call, want->site, t->rows[i], is->reserved, is->touched,
			   is->resident, is->given_back);
	return good;
}

/* Whether something of this machine is on swap. */
static bool swap_is_used(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	bool used = false;
	char line[512];

	/* A title, and a line of each area. */
	for (unsigned n = 0; f && fgets(line, sizeof(line), f); n++)
		used |= n > 0;
	if (f)
		fclose(f);
	return used;
}

/* Runs a command till it is through, and takes what is told of it. */
static void look(struct check *c, const char *mode, const struct want *want, size_t n,
		 struct told *t)
{
	char done_text[16], hold_text[16], byte, *line = NULL;
	const char *const args[] = { vmtop,    "events",      "--touched", "--summary=site",
				     "--only", "map,process", "--ndjson",  "--",
				     self,     mode,	      done_text,   hold_text,
				     NULL };
	int done[2], hold[2];
	pid_t child = 0;
	size_t cap = 0;
	FILE *out;

	*t = (struct told){ .swaps = swap_is_used() };
	if (pipe(done) || pipe(hold) || fcntl(hold[1], F_SETFD, FD_CLOEXEC))
		exit(3);
	snprintf(done_text, sizeof(done_text), "%d", done[1]);
	snprintf(hold_text, sizeof(hold_text), "%d", hold[0]);
	out = check_start(vmtop, 0, args, &child);
	close(done[1]);
	close(hold[0]);
	check_that(c, read(done[0], &byte, 1) == 1, "%s was not done", mode);
	kill(child, SIGINT);
	while (out && getline(&line, &cap, out) > 0) {
		if (strstr(line, "\"type\":\"event_probe\"")) {
			t->misses = event_json_number(line, "recursion_misses");
			t->lost = event_json_number(line, "claims_lost_total");
		} else if (strstr(line, "\"type\":\"event_site\"")) {
			take(t, line, want, n);
		} else if (strstr(line, "\"type\":\"event_made\"")) {
			char site[64];

			event_json_value(line, "site", site, sizeof(site));
			if (strcmp(site, "lazy") != 0)
				continue;
			t->made++;
			t->made_bytes = event_json_number(line, "touched_bytes");
		}
	}
	free(line);
	check_that(c, out && check_stop(out, child), "vmtop failed");
	close(hold[1]);
	close(done[0]);
}

/*
 * Where a program may be preempted at a system call, as on 7, the kernel leaves out those of the
 * task that runs meanwhile; and a name that is not found in time is none. Both are said, and come
 * where the machine is busy: then it is done once more.
 */
#define TRIES 4

static void judge(const char *name, const char *mode, const struct want *want, size_t n)
{
	struct told t;
	struct check c;
	unsigned tries = 0;
	bool good, named, late;

	check_begin(&c, "event-touched/%s", name);
	do {
		look(&c, mode, want, n, &t);
		good = named = true;
		late = false;
		for (size_t i = 0; i < n; i++) {
			named &= t.rows[i] != 0;
			/* On a busy machine a look at pages may run out of its time. */
			late |= t.sums[i].touched < 0 && want[i].touched >= 0;
			good &= is_right(NULL, &t, i, &want[i]);
		}
	} while (!good && (!named || late || t.misses) && ++tries < TRIES);
	for (size_t i = 0; i < n; i++)
		is_right(&c, &t, i, &want[i]);
	if (want == wants_many)
		check_that(&c, t.lost >= MANY - 131072, "%" PRIu64 " were lost", t.lost);
	else
		check_that(&c, t.lost == 0 && t.made == 1 && t.made_bytes == 1000 * page,
			   "%" PRIu64 " were lost; %" PRIu64
			   " ranges of a function, not 1; %" PRIu64 " bytes touched",
			   t.lost, t.made, t.made_bytes);
	check_end(&c, "%zu places, to the page; %" PRIu64 " ranges lost", n, t.lost);
}

#define JUDGE(name, mode, wants) judge(name, mode, wants, sizeof(wants) / sizeof((wants)[0]))

int main(int argc, char **argv)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	self = argv[0];
	if (argc == 4) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		/* The other end is read till nobody has this one. */
		need(null >= 0 && dup2(null, STDOUT_FILENO) == STDOUT_FILENO);
		if (strcmp(argv[1], "--exec") == 0)
			return again(argv[2], argv[3]);
		if (strcmp(argv[1], "--work") == 0)
			work();
		else if (strcmp(argv[1], "--again") == 0)
			lazy();
		else if (strcmp(argv[1], "--many") == 0)
			many();
		return stay(argv[2], argv[3]);
	}
	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--full") != 0)) {
		fputs("usage: event-touched VMTOP [--full]\n", stderr);
		return 2;
	}
	vmtop = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	JUDGE("places", "--work", wants);
	JUDGE("after-execve", "--exec", wants_again);
	if (argc == 3)
		JUDGE("too-many", "--many", wants_many);
	return 0;
}
