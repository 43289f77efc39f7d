/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * event-stacks VMTOP: the stacks of calls that are known, by functions that are known: as lines
 * for a flame graph, whose counts are the calls; of each single call; of a stack that is deeper
 * than what is kept; and of an execve.
 *
 * event-stacks --work and --odd are the commands that vmtop runs for that.
 */

#include "check.h"
#include "event-json.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

#define DEEP 100

static FUNCTION int deeper(int n)
{
	return n ? deeper(n - 1) : map_once(12288);
}

/* Below itself more often than there are frames, and in the end another program. */
static int odd(void)
{
	static char word[] = "--end";
	char *const args[] = { word, word, NULL };

	if (deeper(DEEP))
		return 1;
	execv("/nonexistent/program", args);
	execv("/proc/self/exe", args);
	return 1;
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

static const uint64_t want[3] = { HALF, THIRD, SIXTH };

/*
 * Where a program may be preempted at a system call, as on 7, the kernel leaves out those of the
 * task that runs meanwhile; and a name that is not found in time is none. Both are said, and come
 * where the machine is busy: what is short is done once more.
 */
#define TRIES 4

static bool is_short(const struct shares *s)
{
	bool less = false;

	for (int i = 0; i < 3; i++) {
		if (s->map[i] > want[i] || s->unmap[i] > want[i])
			return false;
		less |= s->map[i] < want[i] || s->unmap[i] < want[i];
	}
	return less;
}

static void judge(struct check *c, const struct shares *s)
{
	for (int i = 0; i < 3; i++)
		check_that(c, s->map[i] == want[i] && s->unmap[i] == want[i],
			   "function %d: %" PRIu64 " mmap and %" PRIu64 " munmap of %" PRIu64, i,
			   s->map[i], s->unmap[i], want[i]);
}

static void fold(struct check *c, struct shares *s)
{
	const char *const args[] = { vmtop,    "events", "--only", "mmap,munmap", "--format",
				     "folded", "--",	 self,	   "--work",	  NULL };
	char *line = NULL, *blank;
	size_t cap = 0;
	pid_t child = 0;
	FILE *out = check_start(vmtop, 0, args, &child);

	*s = (struct shares){ 0 };
	while (out && getline(&line, &cap, out) > 0) {
		blank = strrchr(line, ' ');
		if (!check_that(c, blank && strchr(line, ';'), "a line is %s", line))
			break;
		*blank = 0;
		take(s, line, strstr(line, "munmap") ? "munmap" : "mmap",
		     strtoull(blank + 1, NULL, 10));
	}
	free(line);
	check_that(c, out && check_stop(out, child), "vmtop failed");
}

static void test_folded(void)
{
	struct shares s;
	struct check c;
	unsigned tries = 0;

	check_begin(&c, "event-stacks/folded");
	do {
		fold(&c, &s);
	} while (is_short(&s) && ++tries < TRIES);
	judge(&c, &s);
	check_end(&c, "%d, %d and %d of each call, and %" PRIu64 " others", HALF, THIRD, SIXTH,
		  s.others);
}

static FILE *stream(const char *mode, pid_t *ret_child)
{
	const char *const args[] = { vmtop, "events", "--stacks", "--ndjson", "--rate-limit",
				     "0",   "--",     self,	  mode,	      NULL };

	return check_start(vmtop, 0, args, ret_child);
}

/* Each call with the functions that made it, and by the place that has no name of the C library. */
static void list(struct check *c, struct shares *s)
{
	uint64_t lost = 0, unplaced = 0;
	char event[32], site[64], stack[4096], *line = NULL;
	size_t cap = 0;
	pid_t child = 0;
	FILE *out = stream("--work", &child);

	*s = (struct shares){ 0 };
	while (out && getline(&line, &cap, out) > 0) {
		if (strstr(line, "\"type\":\"event_probe\""))
			lost = event_json_number(line, "limited_total") +
			       event_json_number(line, "lost_total");
		if (!strstr(line, "\"type\":\"event\""))
			continue;
		event_json_value(line, "event", event, sizeof(event));
		event_json_value(line, "call_stack", stack, sizeof(stack));
		if (strcmp(event, "mmap") != 0 && strcmp(event, "munmap") != 0)
			continue;
		take(s, stack, event, 1);
		event_json_value(line, "site", site, sizeof(site));
		unplaced += strstr(stack, ";work;") && strcmp(site, "map_once") != 0;
	}
	free(line);
	check_that(c, out && check_stop(out, child), "vmtop failed");
	check_that(c, lost == 0, "%" PRIu64 " were left out or lost", lost);
	check_that(c, unplaced == 0, "%" PRIu64 " have another place", unplaced);
}

static void test_singles(void)
{
	struct shares s;
	struct check c;
	unsigned tries = 0;

	check_begin(&c, "event-stacks/singles");
	do {
		list(&c, &s);
	} while (is_short(&s) && ++tries < TRIES);
	judge(&c, &s);
	check_end(&c, "%d, %d and %d of each call, and %" PRIu64 " others", HALF, THIRD, SIXTH,
		  s.others);
}

/* What is not all there says so. */
static void test_odd(void)
{
	unsigned cut = 0, refused = 0, gone = 0, exits = 0, frames;
	char event[32], text[64], stack[4096], *line = NULL;
	struct check c;
	size_t cap = 0;
	pid_t child = 0;
	FILE *out;

	check_begin(&c, "event-stacks/cut-and-gone");
	out = stream("--odd", &child);
	while (out && getline(&line, &cap, out) > 0) {
		if (!strstr(line, "\"type\":\"event\""))
			continue;
		event_json_value(line, "event", event, sizeof(event));
		event_json_value(line, "call_stack", stack, sizeof(stack));
		if (!strcmp(event, "mmap") && event_json_number(line, "size_bytes") == 12288) {
			frames = 0;
			for (const char *p = stack; *p; p++)
				frames += *p == ';';
			cut += !strncmp(stack, "[cut];deeper;deeper;", 20) && frames >= 60;
		} else if (!strcmp(event, "execve")) {
			bool failed = !strcmp(event_json_value(line, "failed", text, sizeof(text)),
					      "true");

			refused += failed && strstr(stack, ";main;");
			gone += !failed && !strcmp(stack, "[another program by now]") &&
				!strcmp(event_json_value(line, "site", text, sizeof(text)), "-");
		} else if (!strcmp(event, "exit")) {
			exits += !strcmp(stack, "-");
		}
	}
	free(line);
	check_that(&c, out && check_stop(out, child), "vmtop failed");
	check_that(&c, cut == 1, "%u of a cut stack, not 1", cut);
	check_that(&c, refused == 1, "%u of an execve that failed, not 1", refused);
	/* That of the command, too. */
	check_that(&c, gone == 2, "%u of an execve that did not, not 2", gone);
	check_that(&c, exits == 1, "%u ends without a stack, not 1", exits);
	check_end(&c, "a stack of %d calls is cut, one of an execve is gone", DEEP);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--end") == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], "--odd") == 0)
		return odd();
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
	test_singles();
	test_odd();
	return 0;
}
