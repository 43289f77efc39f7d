/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stacks VMTOP [RUNG]...: functions that fault in known shares come out of "vmtop faults --format
 * folded" with these shares, of a process that still runs at the end and of one that is gone by
 * then; and the lines of a process add up to what the kernel counted for it.
 *
 * Built without optimisation and with frame pointers, which is what the kernel walks.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096ul
#define TOUCHED 10000ul
#define READ	1000ul
#define MADE	500ul
#define WAIT_MS 120000

/* Memory of the child. */
static char *next_page;
static int zero_fd;

#define FUNCTION __attribute__((noinline))

static FUNCTION void half(unsigned long n)
{
	for (; n; n--, next_page += PAGE)
		*(volatile char *)next_page = 1;
}

static FUNCTION void third(unsigned long n)
{
	for (; n; n--, next_page += PAGE)
		*(volatile char *)next_page = 1;
}

static FUNCTION void fifth(unsigned long n)
{
	for (; n; n--, next_page += PAGE)
		*(volatile char *)next_page = 1;
}

/* The call is made here: one of libc has no frame, and its caller would be passed over. */
static FUNCTION void by_read(unsigned long n)
{
	for (; n; n--, next_page += PAGE) {
#if defined(__x86_64__)
		long ret = SYS_read;

		__asm__ volatile("syscall"
				 : "+a"(ret)
				 : "D"(zero_fd), "S"(next_page), "d"(1)
				 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
		register long x8 __asm__("x8") = SYS_read;
		register long x0 __asm__("x0") = zero_fd;
		register char *x1 __asm__("x1") = next_page;
		register long x2 __asm__("x2") = 1;

		__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
#endif
	}
}

#if defined(__x86_64__)
/* push %rbp; mov %rsp,%rbp; 1: movb $1,(%rdi); add $0x1000,%rdi; dec %rsi; jnz 1b; pop; ret */
static const unsigned char machine_code[] = { 0x55, 0x48, 0x89, 0xe5, 0xc6, 0x07, 0x01,
					      0x48, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00,
					      0x48, 0xff, 0xce, 0x75, 0xf1, 0x5d, 0xc3 };
static const unsigned long made = MADE;
#else
static const unsigned char machine_code[1];
static const unsigned long made = 0;
#endif

static void (*compiled)(char *from, unsigned long n);

/*
 * Files have the time of the last tick of the kernel's clock: one that is written now may look
 * older than the process that writes it, by as long as the machine was not allowed to run.
 */
static void wait_for_tick(void)
{
	const struct timespec ms = { 0, 1000000 };
	struct timespec now, tick;

	clock_gettime(CLOCK_MONOTONIC, &now);
	do {
		nanosleep(&ms, NULL);
		clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
	} while (tick.tv_sec < now.tv_sec ||
		 (tick.tv_sec == now.tv_sec && tick.tv_nsec < now.tv_nsec));
}

/* As a compiler at run time does: code in anonymous memory, and a map of it for perf. */
static void compile(void)
{
	char name[64];
	void *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *f;

	if (code == MAP_FAILED)
		_exit(3);
	memcpy(code, machine_code, sizeof(machine_code));
	mprotect(code, PAGE, PROT_READ | PROT_EXEC);
	memcpy(&compiled, &code, sizeof(compiled));
	snprintf(name, sizeof(name), "/tmp/perf-%d.map", (int)getpid());
	wait_for_tick();
	f = fopen(name, "we");
	if (!f)
		_exit(3);
	fprintf(f, "%lx %zx Script:~made; at run time\n", (unsigned long)code,
		sizeof(machine_code));
	fclose(f);
}

static FUNCTION void by_compiled(unsigned long n)
{
	compiled(next_page, n);
	next_page += n * PAGE;
}

static FUNCTION void work(void)
{
	half(TOUCHED / 2);
	third(TOUCHED * 3 / 10);
	fifth(TOUCHED / 5);
	by_read(READ);
	if (made)
		by_compiled(made);
}

static uint64_t own_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt;
}

struct child {
	pid_t pid;
	int from; /* what it counted for itself */
	int to;
};

static void tell(int fd)
{
	uint64_t n = own_faults();

	if (write(fd, &n, sizeof(n)) != sizeof(n))
		_exit(3);
}

static void hear(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(3);
}

static FUNCTION void be_child(int from, int to)
{
	next_page = mmap(NULL, (TOUCHED + READ + MADE) * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (next_page == MAP_FAILED || zero_fd < 0 ||
	    madvise(next_page, (TOUCHED + READ + MADE) * PAGE, MADV_NOHUGEPAGE))
		_exit(3);
	compile();
	/* Twice: what telling itself touches was touched, then. */
	tell(to);
	hear(from);
	tell(to);
	hear(from);
	work();
	tell(to);
	hear(from);
	_exit(0);
}

static void start_child(struct child *c)
{
	int down[2], up[2];

	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		exit(3);
	fflush(stdout);
	c->pid = fork();
	if (!c->pid) {
		close(down[1]);
		close(up[0]);
		be_child(down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	c->to = down[1];
	c->from = up[0];
}

static uint64_t told(struct child *c)
{
	struct pollfd p = { .fd = c->from, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, WAIT_MS) != 1 || read(c->from, &n, sizeof(n)) != sizeof(n))
		return UINT64_MAX;
	return n;
}

static void let_go(struct child *c)
{
	if (write(c->to, "", 1) != 1)
		fprintf(stderr, "the child is gone\n");
}

struct vmtop {
	pid_t pid;
	FILE *out;
	FILE *err;
};

static void start_vmtop(struct vmtop *v, const char *program, const char *rung, pid_t child)
{
	int out[2], err[2];
	char pid[24];
	const char *args[] = { program,	 "faults", "-p",       pid,	 "--duration", "600",
			       "--rung", rung,	   "--format", "folded", "-v",	       NULL };

	snprintf(pid, sizeof(pid), "%d", (int)child);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		exit(3);
	v->pid = fork();
	if (!v->pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execv(program, (char *const *)(uintptr_t)args);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	v->out = fdopen(out[0], "r");
	v->err = fdopen(err[0], "r");
	if (!v->out || !v->err)
		exit(3);
}

/* Whether it counts; what it said before that is put out. */
static bool wait_for_vmtop(struct vmtop *v)
{
	char line[1024];

	while (fgets(line, sizeof(line), v->err)) {
		if (strstr(line, ": counting"))
			return true;
		printf("# %s", line);
	}
	return false;
}

struct seen {
	uint64_t half, third, fifth, read, made;
	uint64_t all;
	uint64_t none; /* without a stack */
	uint64_t other; /* of the most frequent of those that are none of these */
	char other_end[160]; /* its innermost frames, as far as there is room */
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void take_line(struct check *c, char *line, struct seen *s)
{
	char *blank = strrchr(line, ' ');
	uint64_t n;

	if (!check_that(c, blank && strncmp(line, "stacks;", 7) == 0, "a line is %s", line))
		return;
	n = strtoull(blank + 1, NULL, 10);
	*blank = 0;
	s->all += n;
	if (ends_with(line, ";run;start_child;be_child;work;half"))
		s->half += n;
	else if (ends_with(line, ";run;start_child;be_child;work;third"))
		s->third += n;
	else if (ends_with(line, ";run;start_child;be_child;work;fifth"))
		s->fifth += n;
	else if (strstr(line, ";run;start_child;be_child;work;by_read;") && ends_with(line, "_[k]"))
		s->read += n;
	else if (
		ends_with(
			line,
			";run;start_child;be_child;work;by_compiled;Script:~made: at run time_[j]"))
		s->made += n;
	else if (strcmp(line, "stacks;[no stack]") == 0)
		s->none += n;
	else if (n > s->other) {
		size_t len = strlen(line), room = sizeof(s->other_end) - 1;

		s->other = n;
		snprintf(s->other_end, sizeof(s->other_end), "%s",
			 line + (len > room ? len - room : 0));
	}
}

static void near(struct check *c, const char *what, uint64_t n, uint64_t wanted)
{
	check_that(c, n >= wanted - wanted / 100 && n <= wanted + wanted / 100,
		   "%s has %" PRIu64 " faults, not %" PRIu64, what, n, wanted);
}

/* Whether this kernel shows where its functions are. */
static bool kernel_has_names(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address = 0;
	bool known = false;
	char line[512];

	while (f && !known && fgets(line, sizeof(line), f))
		known = sscanf(line, "%llx %*c %*s", &address) == 1 && address;
	if (f)
		fclose(f);
	return known;
}

static void judge(struct check *c, struct vmtop *v, bool gone, uint64_t counted)
{
	struct seen s = { 0 };
	char line[8192];
	int status;

	while (fgets(line, sizeof(line), v->out)) {
		line[strcspn(line, "\n")] = 0;
		take_line(c, line, &s);
	}
	while (fgets(line, sizeof(line), v->err))
		printf("# %s", line);
	waitpid(v->pid, &status, 0);
	check_that(c, status == 0, "vmtop ended with status %#x", status);
	near(c, "half", s.half, TOUCHED / 2);
	near(c, "third", s.third, TOUCHED * 3 / 10);
	near(c, "fifth", s.fifth, TOUCHED / 5);
	near(c, "by_read", s.read, READ);
	near(c, "the code that was made", s.made, made);
	/* Of the one that runs, what it did after it had told is in it, too. */
	if (gone)
		check_that(c, s.all == counted,
			   "the lines have %" PRIu64 " faults, the kernel counted %" PRIu64, s.all,
			   counted);
	check_end(c,
		  "half %" PRIu64 " third %" PRIu64 " fifth %" PRIu64 " by_read %" PRIu64
		  " made %" PRIu64 " none %" PRIu64 " all %" PRIu64 " of %" PRIu64
		  ", most of the others %" PRIu64 " %s",
		  s.half, s.third, s.fifth, s.read, s.made, s.none, s.all, counted, s.other,
		  s.other_end);
}

static void run(const char *program, const char *rung, bool gone)
{
	struct vmtop v;
	struct child child;
	struct rusage u = { 0 };
	uint64_t before, counted;
	struct check c;
	char name[64];

	check_begin(&c, "stacks/%s/%s", rung, gone ? "gone" : "running");
	start_child(&child);
	told(&child);
	let_go(&child);
	before = told(&child);
	start_vmtop(&v, program, rung, child.pid);
	if (!check_that(&c, before != UINT64_MAX && wait_for_vmtop(&v), "it does not count"))
		kill(child.pid, SIGKILL);
	let_go(&child);
	counted = told(&child) - before;
	if (gone)
		let_go(&child);
	else
		kill(v.pid, SIGINT);
	if (gone && wait4(child.pid, NULL, 0, &u) == child.pid)
		counted = (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt - before;
	judge(&c, &v, gone, counted);
	fclose(v.out);
	fclose(v.err);
	if (!gone) {
		let_go(&child);
		waitpid(child.pid, NULL, 0);
	}
	close(child.to);
	close(child.from);
	snprintf(name, sizeof(name), "/tmp/perf-%d.map", (int)child.pid);
	unlink(name);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "auto" };
	const char *const *rungs = argc > 2 ? (const char *const *)argv + 2 : usual;
	int n = argc > 2 ? argc - 2 : 1, i;

	if (argc < 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (!kernel_has_names())
		printf("# the kernel hides its addresses: frames of it have no names\n");
	for (i = 0; i < n; i++) {
		run(argv[1], rungs[i], true);
		/* Its files and mappings are still there, whatever the rung. */
		if (i == 0)
			run(argv[1], rungs[i], false);
	}
	return 0;
}
