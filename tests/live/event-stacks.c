/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * event-stacks VMTOP: the stacks of calls that are known, by functions that are known: as lines
 * for a flame graph, whose counts are the calls.
 *
 * event-stacks --work is the command that vmtop runs for that.
 */

#include "check.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Calls of each function, a pair of mmap and munmap each. */
#define HALF  300
#define THIRD 200
#define SIXTH 100

#define FUNCTION __attribute__((noinline))

static const char *vmtop, *self;

static FUNCTION int map_once(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED || munmap(p, size);
}

static FUNCTION int half(int n)
{
	int bad = 0;

	while (n--)
		bad += map_once(4096);
	return bad;
}

static FUNCTION int third(int n)
{
	int bad = 0;

	while (n--)
		bad += map_once(8192);
	return bad;
}

/* By way of another one of these. */
static FUNCTION int sixth(int n)
{
	return half(n);
}

static FUNCTION int work(void)
{
	return half(HALF) + third(THIRD) + sixth(SIXTH);
}

/* What lines say of each function, by call. */
struct shares {
	uint64_t map[3], unmap[3]; /* half, third, sixth */
	uint64_t others;
};

/* Whether a stack ends with these frames, behind which there is one of the C library or none. */
static bool is_of(const char *stack, const char *frames)
{
	const char *found = strstr(stack, frames);

	return found && !strchr(found + strlen(frames), ';');
}

static void take(struct shares *s, const char *stack, const char *call, uint64_t n)
{
	static const char *const ends[3] = { ";work;half;map_once;", ";work;third;map_once;",
					     ";work;sixth;half;map_once;" };

	for (int i = 0; i < 3; i++) {
		if (!is_of(stack, ends[i]))
			continue;
		*(strcmp(call, "munmap") ? &s->map[i] : &s->unmap[i]) += n;
		return;
	}
	s->others += n;
}

/*
 * Where a program may be preempted at a system call, as on 7, the kernel leaves out those of the
 * task that runs meanwhile: one in a hundred at most.
 */
static bool is_right(uint64_t n, uint64_t want)
{
	return n <= want && n >= want - want / 100;
}

static void judge(struct check *c, const struct shares *s)
{
	static const uint64_t want[3] = { HALF, THIRD, SIXTH };

	for (int i = 0; i < 3; i++)
		check_that(c, is_right(s->map[i], want[i]) && is_right(s->unmap[i], want[i]),
			   "function %d: %" PRIu64 " mmap and %" PRIu64 " munmap of %" PRIu64, i,
			   s->map[i], s->unmap[i], want[i]);
}

static void test_folded(void)
{
	const char *const args[] = { vmtop,    "events", "--only", "mmap,munmap", "--format",
				     "folded", "--",	 self,	   "--work",	  NULL };
	struct shares s = { { 0 }, { 0 }, 0 };
	char *line = NULL, *blank;
	struct check c;
	size_t cap = 0;
	pid_t child = 0;
	FILE *out;

	check_begin(&c, "event-stacks/folded");
	out = check_start(vmtop, 0, args, &child);
	while (out && getline(&line, &cap, out) > 0) {
		blank = strrchr(line, ' ');
		if (!check_that(&c, blank && strchr(line, ';'), "a line is %s", line))
			break;
		*blank = 0;
		take(&s, line, strstr(line, "munmap") ? "munmap" : "mmap",
		     strtoull(blank + 1, NULL, 10));
	}
	free(line);
	check_that(&c, out && check_stop(out, child), "vmtop failed");
	judge(&c, &s);
	check_end(&c, "%d, %d and %d of each call, and %" PRIu64 " others", HALF, THIRD, SIXTH,
		  s.others);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--work") == 0)
		return work() != 0;
	if (argc != 2) {
		fputs("usage: event-stacks VMTOP\n", stderr);
		return 2;
	}
	vmtop = argv[1];
	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_folded();
	return 0;
}
