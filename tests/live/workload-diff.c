/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of mappings between two looks: prints as JSON what is going to change, makes the
 * mappings, stops; changes them, stops again; continued once more, it ends.
 *
 * All else it has is populated and locked before, so that nothing but this changes. Linked
 * statically: nobody else has its pages.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM 256 /* pages from one place to the next: there is always a hole between */

enum place { TOUCHED, SHARED, LONGER, SPLIT, MERGED, REMAPPED, STILL, ELSEWHERE, N_PLACES };

/* In pages. */
struct change {
	const char *label, *match;
	enum place now; /* where it is in the end */
	unsigned size_before, size, rss_before, rss;
	unsigned maps_before, maps;
};

static const struct change changes[] = {
	[TOUCHED] = { "touched", "same", TOUCHED, 200, 200, 10, 42, 1, 1 },
	[SHARED] = { "shared", "same", SHARED, 64, 64, 3, 64, 1, 1 },
	[LONGER] = { "longer", "grown", LONGER, 16, 48, 16, 41, 1, 1 },
	[SPLIT] = { "split", "split", SPLIT, 30, 30, 30, 30, 1, 3 },
	[MERGED] = { "merged", "merged", MERGED, 27, 27, 27, 27, 3, 1 },
	[REMAPPED] = { "remapped", "moved", ELSEWHERE, 77, 77, 77, 77, 1, 1 },
	[STILL] = { "still", NULL, STILL, 50, 50, 25, 25, 1, 1 },
};

static size_t page;
static char *base;

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "workload-diff: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static char *at(enum place place)
{
	return base + (size_t)place * ROOM * page;
}

static void touch(enum place place, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		*(volatile char *)(at(place) + i * page) = 1;
}

static void protect(enum place place, unsigned first, unsigned n, int prot)
{
	if (mprotect(at(place) + first * page, n * page, prot))
		die("mprotect");
}

/* A range that is free, for all of them. */
static void find_room(void)
{
	size_t size = (size_t)N_PLACES * ROOM * page;
	char *room = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED || munmap(room, size + 2 * page))
		die("room");
	base = room + page;
}

static void tell(void)
{
	const char *comma = "";

	printf("{\"changes\":[");
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		const struct change *c = &changes[i];

		if (!c->match)
			continue;
		printf("%s{\"label\":\"%s\",\"match\":\"%s\"", comma, c->label, c->match);
		printf(",\"maps_before_total\":%u,\"maps_total\":%u", c->maps_before, c->maps);
		printf(",\"start_before\":\"0x%" PRIxPTR "\",\"start\":\"0x%" PRIxPTR "\"",
		       (uintptr_t)at((enum place)i), (uintptr_t)at(c->now));
		printf(",\"size_before_bytes\":%zu,\"size_bytes\":%zu", c->size_before * page,
		       c->size * page);
		printf(",\"rss_before_bytes\":%zu,\"rss_bytes\":%zu}", c->rss_before * page,
		       c->rss * page);
		comma = ",";
	}
	puts("]}");
	fflush(stdout);
}

static void make(enum place place, int flags, int fd)
{
	const struct change *c = &changes[place];

	if (mmap(at(place), c->size_before * page, PROT_READ | PROT_WRITE,
		 flags | MAP_FIXED_NOREPLACE, fd, 0) != at(place))
		die("mmap");
	touch(place, 0, c->rss_before);
}

int main(void)
{
	int fd = (int)syscall(SYS_memfd_create, "workload-diff", MFD_CLOEXEC);

	page = (size_t)sysconf(_SC_PAGESIZE);
	if (fd < 0 || ftruncate(fd, (off_t)(changes[SHARED].size * page)))
		die("memfd_create");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("prctl");
	find_room();
	tell();
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	for (enum place i = TOUCHED; i <= STILL; i++)
		make(i, i == SHARED ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
		     i == SHARED ? fd : -1);
	protect(MERGED, 9, 9, PROT_READ);
	raise(SIGSTOP);

	touch(TOUCHED, changes[TOUCHED].rss_before, changes[TOUCHED].rss);
	touch(SHARED, changes[SHARED].rss_before, changes[SHARED].rss);
	if (mremap(at(LONGER), changes[LONGER].size_before * page, changes[LONGER].size * page,
		   0) == MAP_FAILED)
		die("mremap, longer");
	touch(LONGER, changes[LONGER].rss_before, changes[LONGER].rss);
	protect(SPLIT, 10, 10, PROT_READ);
	protect(MERGED, 9, 9, PROT_READ | PROT_WRITE);
	if (mremap(at(REMAPPED), changes[REMAPPED].size * page, changes[REMAPPED].size * page,
		   MREMAP_MAYMOVE | MREMAP_FIXED, at(ELSEWHERE)) != at(ELSEWHERE))
		die("mremap, elsewhere");
	raise(SIGSTOP);
	return 0;
}
