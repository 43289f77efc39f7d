/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * event-calls VMTOP SCRATCH [PAIRS]: what vmtop events tells of calls that are known: each one, its
 * range, its words, its result and its file, in their order; calls by the numbers of 32 bits; a
 * storm of mappings, PAIRS of mmap and munmap, of which the sums are exact whatever the stream
 * lost.
 *
 * event-calls --calls FILE [native], --sites X and --storm N [FD] are the commands that vmtop runs
 * for that.
 */

#include "check.h"
#include "event-json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES 256
#define WIDTH 256
/* An advice that there is not: between two of these lies what is compared. */
#define MARK 12345

struct lines {
	size_t n;
	char line[LINES][WIDTH];
};

static struct lines expected;
static const char *vmtop, *self, *scratch;

static void expect(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Nothing of this maps anything. */
static void expect(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (expected.n < LINES)
		vsnprintf(expected.line[expected.n++], WIDTH, fmt, ap);
	va_end(ap);
}

static const char *error_name(long result)
{
	return result >= 0 ? "-" : strerrorname_np((int)-result);
}

/* A call without a wrapper around it; its result as the kernel gave it. */
static long call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
		 unsigned long e, unsigned long f)
{
	long r = syscall(number, a, b, c, d, e, f);

	return r == -1 ? -errno : r;
}

/*
 * CALL START SIZE PROT FLAGS ERROR RSS PATH, as event_line() makes it of a line of JSON; "*" is
 * whatever there is.
 */
static void native_calls(void)
{
	const unsigned long page = 4096;
	long p, q, r;
	int fd;

	p = call(SYS_mmap, 0, 16 * page, 3, 0x22, -1ul, 0);
	expect("mmap %#lx %lu read+write private+anonymous - 0 -", p, 16 * page);
	memset((void *)p, 1, 16 * page);
	r = call(SYS_madvise, (unsigned long)p, 4 * page, 4, 0, 0, 0);
	expect("madvise %#lx %lu - dontneed %s -16384 -", p, 4 * page, error_name(r));
	r = call(SYS_mprotect, (unsigned long)p, page, 1, 0, 0, 0);
	expect("mprotect %#lx %lu read - %s * -", p, page, error_name(r));
	r = call(SYS_mlock, (unsigned long)p + page + 5, page, 0, 0, 0, 0);
	expect("mlock %#lx %lu - - %s 8192 -", p + (long)page, 2 * page, error_name(r));
	r = call(SYS_munlock, (unsigned long)p + page, 2 * page, 0, 0, 0, 0);
	expect("munlock %#lx %lu - - %s * -", p + (long)page, 2 * page, error_name(r));
	q = call(SYS_mremap, (unsigned long)p + 8 * page, 8 * page, 16 * page, 1, 0, 0);
	expect("mremap %#lx %lu - maymove - 0 -", q, 16 * page);
	r = call(SYS_munmap, (unsigned long)q, 16 * page, 0, 0, 0, 0);
	expect("munmap %#lx %lu - - %s -32768 -", q, 16 * page, error_name(r));
	r = call(SYS_munmap, 1, page, 0, 0, 0, 0);
	expect("munmap 0x1 %lu - - EINVAL 0 -", page);
	r = call(SYS_mmap, 0, 0, 1, 0x22, -1ul, 0);
	expect("mmap 0x0 0 read private+anonymous %s 0 -", error_name(r));
	r = call(SYS_mmap, 0, page, 7, 0x2, 999, 0);
	expect("mmap 0x0 %lu read+write+exec private EBADF 0 -", page);

	fd = (int)call(SYS_memfd_create, (unsigned long)"known calls", 3, 0, 0, 0, 0);
	expect("memfd_create - - - cloexec+allow_sealing - * /memfd:known calls (deleted)");
	if (ftruncate(fd, (off_t)(8 * page)) < 0)
		exit(1);
	p = call(SYS_mmap, 0, 4 * page, 3, 1, (unsigned long)fd, page);
	expect("mmap %#lx %lu read+write shared - 0 /memfd:known calls (deleted)", p, 4 * page);
	*(volatile char *)p = 1;
	r = call(SYS_msync, (unsigned long)p, page, 4, 0, 0, 0);
	expect("msync %#lx %lu - sync %s * /memfd:known calls (deleted)", p, page, error_name(r));
	r = call(SYS_munmap, (unsigned long)p, 4 * page, 0, 0, 0, 0);
	expect("munmap %#lx %lu - - %s * /memfd:known calls (deleted)", p, 4 * page, error_name(r));

	q = call(SYS_brk, 0, 0, 0, 0, 0, 0);
	expect("brk - - - - - 0 -");
	r = call(SYS_brk, (unsigned long)q + 3 * page, 0, 0, 0, 0, 0);
	expect("brk %#lx %lu - - - 0 -", q, r - q);
	r = call(SYS_brk, (unsigned long)q, 0, 0, 0, 0, 0);
	expect("brk %#lx %lu - - - 0 -", q, 3 * page);
	(void)r;

	r = shmget(IPC_PRIVATE, 3 * page, 0600);
	if (r >= 0) {
		p = call(SYS_shmat, (unsigned long)r, 0, 010000, 0, 0, 0);
		expect("shmat %#lx %lu - rdonly - * *", p, 3 * page);
		shmctl((int)r, IPC_RMID, NULL);
		r = call(SYS_shmdt, (unsigned long)p, 0, 0, 0, 0, 0);
		expect("shmdt %#lx %lu - - %s 0 *", p, 3 * page, error_name(r));
	}
	r = call(SYS_mlockall, 0, 0, 0, 0, 0, 0);
	expect("mlockall - - - 0 EINVAL * -");
	r = call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (r == 0)
		_exit(3);
	expect("clone - - - 0 - * -");
	waitpid((pid_t)r, NULL, 0);
}

#if defined(__x86_64__)
/* By the table of i386: what this returns is a number of 32 bits. */
static long narrow_call(unsigned number, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e)
{
	int ret;

	__asm__ volatile("push %%rbp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* Whether the kernel knows these: getpid(). */
static bool has_narrow(void)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0)
		_exit(narrow_call(20, 0, 0, 0, 0, 0) == getpid() ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void narrow_calls(void)
{
	const unsigned page = 4096;
	unsigned *args, p;
	long r;

	p = (unsigned)narrow_call(192, 0, 2 * page, 3, 0x22, ~0u);
	expect("mmap %#x %u read+write private+anonymous - 0 - compat", p, 2 * page);
	args = (unsigned *)(uintptr_t)p;
	memcpy(args, (unsigned[]){ 0, page, 1, 0x22, ~0u, 0 }, 6 * sizeof(*args));
	/* mmap of six arguments in memory; by the numbers of the machine it is chmod(). */
	r = narrow_call(90, p, 0, 0, 0, 0);
	expect("mmap %#x %u read private+anonymous - 0 - compat", (unsigned)r, page);
	/* munmap(); by the numbers of the machine it is fchmod(). */
	(void)narrow_call(91, (unsigned)r, page, 0, 0, 0);
	expect("munmap %#x %u - - - * - compat", (unsigned)r, page);
	/* link(), unlink() and execve(): mmap(), mprotect() and munmap() by those of the machine.
	 */
	(void)narrow_call(9, 0, 0, 0, 0, 0);
	(void)narrow_call(10, 0, 0, 0, 0, 0);
	(void)narrow_call(11, 0, 0, 0, 0, 0);
	expect("execve - - - - EFAULT * - compat");
	/* shmat() of the old sort, which is not understood. */
	(void)narrow_call(117, 21, 0, 0, 0, 0);
	(void)narrow_call(91, p, 2 * page, 0, 0, 0);
	expect("munmap %#x %u - - - -4096 - compat", p, 2 * page);
}
#else
static bool has_narrow(void)
{
	return false;
}

static void narrow_calls(void)
{
}
#endif

/* wide: none by the numbers of 32 bits. */
static int make_calls(const char *path, bool wide)
{
	bool narrow = !wide && has_narrow();
	cpu_set_t one;
	FILE *f;

	/* The difference of a CPU's counters is known where the CPU stays the same. */
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	(void)call(SYS_madvise, 0, 0, MARK, 0, 0, 0);
	native_calls();
	if (narrow)
		narrow_calls();
	(void)call(SYS_madvise, 0, 0, MARK, 0, 0, 0);
	f = fopen(path, "we");
	if (!f)
		return 1;
	for (size_t i = 0; i < expected.n; i++)
		fprintf(f, "%s\n", expected.line[i]);
	return fclose(f) ? 1 : narrow ? 7 : 6;
}

/* tell: a descriptor on which is said that it is over, or -1. */
static int storm(unsigned long n, int tell)
{
	for (unsigned long i = 0; i < n; i++) {
		long p = call(SYS_mmap, 0, 4096, 3, 0x22, -1ul, 0);

		if (p < 0 || call(SYS_munmap, (unsigned long)p, 4096, 0, 0, 0, 0))
			return 1;
	}
	return tell >= 0 && write(tell, "", 1) != 1;
}

/* Processes that are there at the same time, and how often each maps. */
#define CROWD	   300
#define CROWD_MAPS 40ul

/* They begin together: calls of all of them are open at a time. */
static int crowd(void)
{
	int pair[2], status, bad = 0, made = 0;
	char byte;

	if (pipe(pair) < 0)
		return 1;
	for (; made < CROWD; made++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (child == 0) {
			close(pair[1]);
			/* Until its other end is closed. */
			_exit(read(pair[0], &byte, 1) != 0 || storm(CROWD_MAPS, -1));
		}
	}
	close(pair[1]);
	for (int i = 0; i < made; i++)
		bad += wait(&status) < 0 || status != 0;
	return made != CROWD || bad;
}

/* Two places that map, each so often; the compiler is to leave them what they are. */
#define CALLS 32
#define HERE  300ul
#define THERE 200ul

static __attribute__((noinline)) unsigned long map_here(unsigned long n)
{
	unsigned long done = 0;

	for (unsigned long i = 0; i < n; i++) {
		void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		done += p != MAP_FAILED && munmap(p, 4096) == 0;
	}
	__asm__ volatile("" ::: "memory");
	return done;
}

static __attribute__((noinline)) unsigned long map_there(unsigned long n)
{
	unsigned long done = 0;

	for (unsigned long i = 0; i < n; i++) {
		void *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		done += p != MAP_FAILED && munmap(p, 8192) == 0;
	}
	__asm__ volatile("" ::: "memory");
	return done;
}

static void event_line(const char *json, char *out)
{
	static const char *const keys[] = { "event", "start", "size_bytes",	  "protection",
					    "flags", "error", "rss_change_bytes", "path" };
	size_t len = 0;
	char text[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		len += (size_t)snprintf(out + len, WIDTH - len, "%s%s", i ? " " : "",
					event_json_value(json, keys[i], text, sizeof(text)));
	if (!strcmp(event_json_value(json, "compat", text, sizeof(text)), "true"))
		snprintf(out + len, WIDTH - len, " compat");
}

/* Whether words are alike, one by one; "*" of the first is like any, and of RSS unknown is, too. */
static bool alike(const char *want, const char *is, bool rss_known)
{
	for (int word = 0; *want || *is; word++) {
		size_t a = strcspn(want, " "), b = strcspn(is, " ");
		bool any = (a == 1 && *want == '*') || (word == 6 && !rss_known);

		if (!any && (a != b || memcmp(want, is, a)))
			return false;
		/* A name at the end may have blanks. */
		if (any && word == 7)
			return true;
		want += a + (want[a] == ' ');
		is += b + (is[b] == ' ');
	}
	return true;
}

static bool read_lines(const char *path, struct lines *ret)
{
	FILE *f = fopen(path, "re");

	ret->n = 0;
	while (f && ret->n < LINES && fgets(ret->line[ret->n], WIDTH, f)) {
		ret->line[ret->n][strcspn(ret->line[ret->n], "\n")] = 0;
		ret->n++;
	}
	if (f)
		fclose(f);
	return ret->n > 0;
}

/* All that is told of calls; the rest takes most of the time of loading all programs. */
#define CALLS_ALONE "map,process"

/* Starts vmtop events -- SELF MODE ARG [TELL], all of them or some ONLY; its stdout is *ret_out. */
static pid_t start(const char *only, const char *rate, const char *mode, const char *arg, int tell,
		   FILE **ret_out)
{
	const char *args[16] = { "vmtop", "events", "--ndjson", "--rate-limit", rate };
	size_t n = 5;
	char fd[16];
	int pair[2];
	pid_t child;

	snprintf(fd, sizeof(fd), "%d", tell);
	if (only) {
		args[n++] = "--only";
		args[n++] = only;
	}
	args[n++] = "--";
	args[n++] = self;
	args[n++] = mode;
	args[n++] = arg;
	if (tell >= 0)
		args[n++] = fd;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		dup2(pair[1], STDOUT_FILENO);
		execv(vmtop, (char *const *)(uintptr_t)args);
		_exit(127);
	}
	close(pair[1]);
	*ret_out = fdopen(pair[0], "r");
	return child;
}

static int finish(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What a run of vmtop events said. */
struct said {
	struct lines lines; /* of the process between its marks */
	uint64_t events; /* lines */
	uint64_t mmaps, munmaps, bytes; /* by the sums of that process */
	uint64_t exits; /* with status 3 */
	uint64_t total, listed, limited, lost, compat, summed, gaps, window_ns;
	/*
	 * Where a program may be preempted at a system call, as on 7, the kernel leaves out those
	 * of the task that runs meanwhile. It counts them; elsewhere there are none.
	 */
	uint64_t misses;
	bool trusted, has_probe, rss;
};

static void take_event(struct said *s, const char *json, bool *within)
{
	char text[64];

	s->events++;
	if (!strcmp(event_json_value(json, "event", text, sizeof(text)), "exit") &&
	    event_json_number(json, "exit_status") == 3)
		s->exits++;
	if (!strcmp(event_json_value(json, "flags", text, sizeof(text)), "12345")) {
		*within = !*within;
		return;
	}
	/* Of children that are forked between the marks the end alone is seen there. */
	if (!*within || strstr(json, "\"event\":\"exit\"") || s->lines.n >= LINES)
		return;
	event_line(json, s->lines.line[s->lines.n++]);
	if (strcmp(event_json_value(json, "rss_change_bytes", text, sizeof(text)), "-") != 0)
		s->rss = true;
}

static void take_sum(struct said *s, const char *json)
{
	char comm[64], event[64];

	s->summed += event_json_number(json, "events_total");
	if (strcmp(event_json_value(json, "comm", comm, sizeof(comm)), "event-calls") != 0)
		return;
	event_json_value(json, "event", event, sizeof(event));
	if (!strcmp(event, "mmap")) {
		s->mmaps += event_json_number(json, "events_total");
		s->bytes += event_json_number(json, "range_bytes");
	} else if (!strcmp(event, "munmap")) {
		s->munmaps += event_json_number(json, "events_total");
	}
}

static void take_probe(struct said *s, const char *json)
{
	s->has_probe = true;
	s->trusted = strstr(json, "\"canary\":\"trusted\"") != NULL;
	s->window_ns = event_json_number(json, "window_ns");
	s->total = event_json_number(json, "events_total");
	s->listed = event_json_number(json, "listed_total");
	s->limited = event_json_number(json, "limited_total");
	s->lost = event_json_number(json, "lost_total");
	s->compat = event_json_number(json, "compat_total");
	s->misses = event_json_number(json, "recursion_misses");
}

static void hear(FILE *out, struct said *s)
{
	bool within = false;
	char *line = NULL;
	size_t cap = 0;

	memset(s, 0, sizeof(*s));
	while (out && getline(&line, &cap, out) > 0) {
		if (strstr(line, "\"type\":\"event\""))
			take_event(s, line, &within);
		else if (strstr(line, "\"type\":\"event_sum\""))
			take_sum(s, line);
		else if (strstr(line, "\"type\":\"event_probe\""))
			take_probe(s, line);
		else if (strstr(line, "\"type\":\"gap\""))
			s->gaps += event_json_number(line, "limited_total") +
				   event_json_number(line, "lost_total");
	}
	free(line);
	if (out)
		fclose(out);
}

static void test_calls(void)
{
	char path[300];
	static struct lines want;
	static struct said s;
	struct check c;
	FILE *out;
	pid_t child;
	size_t i = 0;
	int fd, status;

	check_begin(&c, "events/known-calls");
	snprintf(path, sizeof(path), "%s/event-calls-XXXXXX", scratch);
	fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	child = start(NULL, "0", "--calls", path, -1, &out);
	hear(out, &s);
	status = finish(child);
	check_that(&c, status == 6 || status == 7, "the command's status is %d", status);
	check_that(&c, read_lines(path, &want), "the calls were not made");
	unlink(path);
	check_that(&c, s.lines.n == want.n, "%zu calls were told, not %zu", s.lines.n, want.n);
	for (i = 0; i < want.n && i < s.lines.n; i++)
		check_that(&c, alike(want.line[i], s.lines.line[i], s.rss), "'%s' was told as '%s'",
			   want.line[i], s.lines.line[i]);
	check_that(&c, s.exits == 1, "%" PRIu64 " ends with status 3, not 1", s.exits);
	check_that(&c, s.trusted, "the self-check is not trusted");
	check_that(&c, s.compat == (status == 7), "%" PRIu64 " calls were not understood",
		   s.compat);
	check_end(&c, "%zu calls in their order%s%s", i, status == 7 ? "" : ", none of 32 bits",
		  s.rss ? "" : ", RSS not known");
}

/* Calls that were counted, by the minute of the window. */
static uint64_t by_minute(const struct said *s)
{
	return s->window_ns ? (uint64_t)((double)s->total * 60e9 / (double)s->window_ns) : 0;
}

/* One call, by its rows of processes and by those of places, which are counted apart. */
struct call_sums {
	char event[32];
	uint64_t sum[3], placed[3]; /* calls, those that failed, bytes */
};

static void add_call(struct call_sums *all, size_t *n, const char *event, const char *line,
		     bool placed)
{
	static const char *const keys[3] = { "events_total", "failed_total", "range_bytes" };
	size_t i = 0;

	while (i < *n && strcmp(all[i].event, event) != 0)
		i++;
	if (i == CALLS)
		return;
	if (i == *n) {
		all[i] = (struct call_sums){ 0 };
		snprintf(all[i].event, sizeof(all[i].event), "%s", event);
		++*n;
	}
	for (int k = 0; k < 3; k++)
		(placed ? all[i].placed : all[i].sum)[k] += event_json_number(line, keys[k]);
}

/* All but ends of processes have places. */
static void check_places(struct check *c, const struct call_sums *all, size_t n)
{
	check_that(c, n > 2, "%zu calls", n);
	for (size_t i = 0; i < n; i++)
		check_that(c,
			   !strcmp(all[i].event, "exit") ||
				   !memcmp(all[i].sum, all[i].placed, sizeof(all[i].sum)),
			   "%s: %" PRIu64 " calls, %" PRIu64 " failed, %" PRIu64
			   " bytes; by place %" PRIu64 ", %" PRIu64 ", %" PRIu64,
			   all[i].event, all[i].sum[0], all[i].sum[1], all[i].sum[2],
			   all[i].placed[0], all[i].placed[1], all[i].placed[2]);
}

/* Calls by the place that they came from: a function's, whatever its frame pointers say. */
static void test_sites(void)
{
	uint64_t here = 0, here_bytes = 0, there = 0, there_bytes = 0, placed = 0, stackless = 0,
		 exits = 0;
	struct call_sums places[CALLS];
	size_t cap = 0, n = 0;
	char symbol[128], event[32], *line = NULL;
	struct check c;
	FILE *out;
	pid_t child;
	int pair[2], status;

	check_begin(&c, "events/sites");
	if (pipe2(pair, O_CLOEXEC) < 0)
		return;
	child = fork();
	if (child == 0) {
		dup2(pair[1], STDOUT_FILENO);
		execl(vmtop, "vmtop", "events", "--only", CALLS_ALONE, "--ndjson", "--summary=site",
		      "-o", "event,symbol,events_total,failed_total,range_bytes", "--", self,
		      "--sites", "x", NULL);
		_exit(127);
	}
	close(pair[1]);
	out = fdopen(pair[0], "r");
	while (out && getline(&line, &cap, out) > 0) {
		event_json_value(line, "event", event, sizeof(event));
		if (strstr(line, "\"type\":\"event_probe\"")) {
			stackless = event_json_number(line, "stackless_total");
		} else if (strstr(line, "\"type\":\"event_sum\"")) {
			add_call(places, &n, event, line, false);
			if (!strcmp(event, "exit"))
				exits += event_json_number(line, "events_total");
		} else if (strstr(line, "\"type\":\"event_site\"")) {
			placed += event_json_number(line, "events_total");
			add_call(places, &n, event, line, true);
			event_json_value(line, "symbol", symbol, sizeof(symbol));
			if (strcmp(event, "mmap") != 0)
				continue;
			if (!strncmp(symbol, "map_here", 8)) {
				here += event_json_number(line, "events_total");
				here_bytes += event_json_number(line, "range_bytes");
			} else if (!strncmp(symbol, "map_there", 9)) {
				there += event_json_number(line, "events_total");
				there_bytes += event_json_number(line, "range_bytes");
			}
		}
	}
	free(line);
	if (out)
		fclose(out);
	status = finish(child);
	check_that(&c, status == 0, "the status is %d", status);
	check_that(&c, here == HERE && here_bytes == HERE * 4096,
		   "map_here: %" PRIu64 " calls, %" PRIu64 " bytes", here, here_bytes);
	check_that(&c, there == THERE && there_bytes == THERE * 8192,
		   "map_there: %" PRIu64 " calls, %" PRIu64 " bytes", there, there_bytes);
	check_places(&c, places, n);
	check_that(&c, stackless == exits && exits >= 1,
		   "%" PRIu64 " without a place, and %" PRIu64 " ends", stackless, exits);
	check_end(&c, "%" PRIu64 " calls by place", placed);
}

/* One run; the lines of the stream and the sums against each other. */
static void run_mode(struct check *c, const char *rate, const char *mode, const char *n, bool slow,
		     struct said *s)
{
	int told[2] = { -1, -1 };
	char byte;
	FILE *out;
	pid_t child;

	if (slow && pipe(told) < 0)
		return;
	child = start(CALLS_ALONE, rate, mode, n, told[1], &out);
	if (slow) {
		close(told[1]);
		/* Nobody reads before all of it is over. */
		check_that(c, read(told[0], &byte, 1) == 1, "the storm did not end");
		close(told[0]);
	}
	hear(out, s);
	check_that(c, finish(child) == 0, "%s %s failed", mode, n);
	check_that(c, s->has_probe, "nothing is said of losses");
	check_that(c, s->events == s->listed, "%" PRIu64 " lines, and %" PRIu64 " listed",
		   s->events, s->listed);
	/* Of a call of which one half was left out: see struct said. */
	check_that(c,
		   s->listed + s->limited + s->lost >= s->total &&
			   s->listed + s->limited + s->lost <= s->total + s->misses,
		   "%" PRIu64 " listed, %" PRIu64 " limited, %" PRIu64 " lost of %" PRIu64
		   ", and %" PRIu64 " runs left out",
		   s->listed, s->limited, s->lost, s->total, s->misses);
	check_that(c, s->summed == s->total, "rows have %" PRIu64 " of %" PRIu64, s->summed,
		   s->total);
	check_that(c, s->gaps == s->limited + s->lost, "gaps have %" PRIu64, s->gaps);
}

/* What a mode counts beyond what a process does that does nothing. */
static void test_crowd(void)
{
	static struct said none, all;
	uint64_t missing;
	struct check c;

	check_begin(&c, "events/crowd");
	run_mode(&c, "100", "--storm", "0", false, &none);
	run_mode(&c, "100", "--crowd", "x", false, &all);
	missing = 2 * CROWD * CROWD_MAPS - (all.mmaps - none.mmaps) - (all.munmaps - none.munmaps);
	check_that(&c, missing <= all.misses,
		   "%" PRIu64 " mmap and %" PRIu64 " munmap of %lu, and %" PRIu64 " runs left out",
		   all.mmaps - none.mmaps, all.munmaps - none.munmaps, CROWD * CROWD_MAPS,
		   all.misses);
	check_that(&c, all.bytes - none.bytes == (all.mmaps - none.mmaps) * 4096,
		   "%" PRIu64 " bytes of %" PRIu64 " calls", all.bytes - none.bytes,
		   all.mmaps - none.mmaps);
	check_end(&c,
		  "%lu pairs of %d processes, all but %" PRIu64 " calls counted, %" PRIu64
		  " runs left out",
		  CROWD * CROWD_MAPS, CROWD, missing, all.misses);
}

static void test_storm(unsigned long n)
{
	static struct said none, limited, slow;
	char text[32];
	struct check c;

	snprintf(text, sizeof(text), "%lu", n);
	check_begin(&c, "events/storm-limited");
	run_mode(&c, "100", "--storm", "0", false, &none);
	run_mode(&c, "100", "--storm", text, false, &limited);
	check_that(&c, limited.mmaps - none.mmaps == n && limited.munmaps - none.munmaps == n,
		   "%" PRIu64 " mmap and %" PRIu64 " munmap of %lu", limited.mmaps - none.mmaps,
		   limited.munmaps - none.munmaps, n);
	check_that(&c, limited.bytes - none.bytes == n * 4096, "%" PRIu64 " bytes",
		   limited.bytes - none.bytes);
	check_that(&c, limited.limited > 0, "nothing was left out");
	check_end(&c,
		  "%lu pairs counted, %" PRIu64 " calls a minute, %" PRIu64
		  " events listed, %" PRIu64 " left out",
		  n, by_minute(&limited), limited.listed, limited.limited);

	check_begin(&c, "events/storm-lost");
	run_mode(&c, "0", "--storm", text, true, &slow);
	check_that(&c, slow.mmaps - none.mmaps == n && slow.munmaps - none.munmaps == n,
		   "%" PRIu64 " mmap and %" PRIu64 " munmap of %lu", slow.mmaps - none.mmaps,
		   slow.munmaps - none.munmaps, n);
	check_that(&c, slow.lost > 0, "nothing was lost: the ring was not full");
	check_end(&c,
		  "%lu pairs counted, %" PRIu64 " calls a minute, %" PRIu64
		  " events listed, %" PRIu64 " lost",
		  n, by_minute(&slow), slow.listed, slow.lost);
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "--calls"))
		return make_calls(argv[2], argc > 3 && !strcmp(argv[3], "native"));
	if (argc == 3 && !strcmp(argv[1], "--sites"))
		return map_here(HERE) != HERE || map_there(THERE) != THERE;
	if (argc == 3 && !strcmp(argv[1], "--crowd"))
		return crowd();
	if (argc >= 3 && !strcmp(argv[1], "--storm"))
		return storm(strtoul(argv[2], NULL, 10), argc > 3 ? atoi(argv[3]) : -1);
	if (argc != 3 && argc != 4) {
		fputs("usage: event-calls VMTOP SCRATCH [PAIRS]\n", stderr);
		return 2;
	}
	vmtop = argv[1];
	scratch = argv[2];
	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_calls();
	test_sites();
	test_crowd();
	test_storm(argc > 3 ? strtoul(argv[3], NULL, 10) : 100000);
	return 0;
}
