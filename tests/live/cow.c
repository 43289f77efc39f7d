/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * cow VMTOP [MIB]: what vmtop maps --cow says of a process with a heap of MIB (256) and its child,
 * against what those who made and wrote the pages know: which are shared, which were copied by the
 * one or the other, which are of one alone. To the page, where frames are shown.
 */

#include "check.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define HUGE   ((size_t)2 << 20)
#define TRIES  5

static const char *vmtop;
static size_t page, heap_pages;

/* What pages are written: those of [from, to), every step-th; step 0: none. */
struct writes {
	size_t from;
	size_t to;
	size_t step;
};

struct plan {
	const char *name;
	bool huge;
	bool nobody; /* the processes, and vmtop, are no user's with rights */
	bool protect; /* the last quarter is read-only, at the fork and after it */
	bool run; /* the child goes on to write a page a millisecond, once it was let */
	size_t touched; /* pages that are written before the fork, the first ones */
	struct writes parent;
	struct writes child;
};

/* In memory that all see. */
struct made {
	char *heap;
	pid_t parent;
	pid_t child;
	uint64_t huge_kib; /* AnonHugePages of the parent before the fork */
	_Atomic uint64_t written; /* pages, by a child that goes on: the last one perhaps not yet */
};

static struct made *made;

static void write_pages(const struct writes *w, char with)
{
	size_t i;

	for (i = w->from; w->step && i < w->to; i += w->step)
		made->heap[i * page] = with;
}

/* AnonHugePages of the mapping that begins at the heap. */
static uint64_t huge_kib(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long long kib = 0, at = 0, v;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-", &v) == 1 && strchr(line, '-') && line[0] != 'A')
			at = v;
		if (at >= (uintptr_t)made->heap && at < (uintptr_t)made->heap + heap_pages * page &&
		    sscanf(line, "AnonHugePages: %llu", &v) == 1)
			kib += v;
	}
	if (f)
		fclose(f);
	return kib;
}

/* What is locked stays in memory, on machines with swap too; nothing is made present for it. */
static void keep(void)
{
	syscall(SYS_mlock2, made->heap, heap_pages * page, 1 /* MLOCK_ONFAULT */);
}

static void go_on(void)
{
	const struct timespec tick = { 0, 1000000 };
	size_t i;

	for (i = 0; i < heap_pages; i++) {
		nanosleep(&tick, NULL);
		made->written++;
		made->heap[i * page] = 4;
	}
	for (;;)
		pause();
}

/* The parent; never returns. */
static void workload(const struct plan *plan, int up)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	size_t size = heap_pages * page;
	char *base;
	pid_t child;
	int done[2];
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	base = mmap(NULL, size + 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (base == MAP_FAILED || pipe2(done, O_CLOEXEC) < 0)
		_exit(3);
	made->heap = (char *)(((uintptr_t)base + HUGE - 1) & ~(HUGE - 1));
	/* Neighbours of one kind would be one mapping. */
	mprotect(made->heap + size, page, PROT_NONE);
	madvise(made->heap, size, plan->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	/* Who has no rights may lock little; keep() of the child comes after they are gone. */
	setrlimit(RLIMIT_MEMLOCK, &all);
	keep();
	write_pages(&(struct writes){ 0, plan->touched, 1 }, 1);
	/* From here on khugepaged makes no huge page, of either process: that moves them. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	made->huge_kib = huge_kib();
	if (plan->protect)
		mprotect(made->heap + size / 4 * 3, size / 4, PROT_READ);
	if (plan->nobody && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(3);
	/* Who changed its user may not be looked into by that user, and lost the signal, too. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 1);
	made->parent = getpid();
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		keep();
		write_pages(&plan->child, 2);
		if (write(done[1], "", 1) != 1)
			_exit(3);
		if (plan->run)
			go_on();
		for (;;)
			pause();
	}
	made->child = child;
	if (child < 0 || read(done[0], &c, 1) != 1)
		_exit(3);
	write_pages(&plan->parent, 3);
	if (write(up, "", 1) != 1)
		_exit(3);
	for (;;)
		pause();
}

/* What is said of the heap, in pages. */
struct said {
	uint64_t shared, broken, parent_only, child_only, unknown;
	int64_t rate; /* bytes a second */
	unsigned rows;
	unsigned others; /* rows of another pair */
	bool exact, known;
	bool good; /* vmtop ended with 0 */
};

static bool take(const char **at, char *to, size_t n)
{
	size_t len = strcspn(*at, ",\r\n");

	snprintf(to, n, "%.*s", (int)len, *at);
	*at += len + ((*at)[len] == ',');
	return len > 0;
}

static void take_number(const char **at, uint64_t *sum, bool *known)
{
	char text[40];

	if (!take(at, text, sizeof(text)))
		*known = false;
	*sum += strtoull(text, NULL, 10) / page;
}

static void take_line(struct said *said, const char *line, bool rate)
{
	char text[40];
	uint64_t start;

	take(&line, text, sizeof(text));
	if (atoi(text) != made->parent) {
		said->others++;
		return;
	}
	take(&line, text, sizeof(text));
	if (atoi(text) != made->child) {
		said->others++;
		return;
	}
	take(&line, text, sizeof(text));
	start = strtoull(text, NULL, 16);
	if (start < (uintptr_t)made->heap || start >= (uintptr_t)made->heap + heap_pages * page)
		return;
	said->rows++;
	take_number(&line, &said->shared, &said->known);
	take_number(&line, &said->broken, &said->known);
	take_number(&line, &said->parent_only, &said->known);
	take_number(&line, &said->child_only, &said->known);
	take_number(&line, &said->unknown, &said->known);
	take(&line, text, sizeof(text));
	said->exact &= strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	if (take(&line, text, sizeof(text)))
		said->rate += strtoll(text, NULL, 10);
	else if (rate)
		said->known = false;
}

/* Asks vmtop for the two, or for the first of them alone. */
static struct said ask(uid_t uid, const char *interval, bool both)
{
	static const char columns[] = "pid,child_pid,start,shared_bytes,broken_bytes,"
				      "parent_only_bytes,child_only_bytes,unknown_bytes,exact,"
				      "broken_per_second_bytes";
	struct said said = { .exact = true, .known = true };
	char first[16], second[16], line[1024];
	const char *args[16] = { "vmtop", "maps", "--cow", "--csv", "--noheadings",
				 "-b",	  "-q",	  "-o",	   columns, first };
	size_t n = 10;
	pid_t pid;
	FILE *f;

	snprintf(first, sizeof(first), "%d", made->parent);
	snprintf(second, sizeof(second), "%d", made->child);
	if (both)
		args[n++] = second;
	if (interval) {
		args[n++] = "--interval";
		args[n++] = interval;
	}
	f = check_start(vmtop, uid, args, &pid);
	while (f && fgets(line, sizeof(line), f))
		take_line(&said, line, interval != NULL);
	said.good = f && check_stop(f, pid);
	return said;
}

static bool is_written(const struct writes *w, size_t i)
{
	return w->step && i >= w->from && i < w->to && (i - w->from) % w->step == 0;
}

/* What has to be said of the heap. */
static struct said truth_of(const struct plan *plan)
{
	struct said t = { 0 };
	size_t i;

	for (i = 0; i < heap_pages; i++) {
		bool parent = is_written(&plan->parent, i), child = is_written(&plan->child, i);

		if (i < plan->touched && !parent && !child)
			t.shared++;
		else if (i < plan->touched || (parent && child))
			t.broken++;
		else if (parent)
			t.parent_only++;
		else if (child)
			t.child_only++;
	}
	return t;
}

/* Whether the figures are what they have to be, be they known by frames or by marks. */
static bool is_true(const struct plan *plan, const struct said *said)
{
	struct said t = truth_of(plan);

	return said->broken == t.broken && said->parent_only == t.parent_only &&
	       said->child_only == t.child_only && said->shared + said->unknown == t.shared &&
	       (plan->nobody || !said->unknown);
}

/*
 * Asks for processes that stand still. The one is read and then the other; a page that the kernel
 * moves in between, for compaction or to another node, has two frames, and is called broken. So
 * what is not true is asked for again.
 */
static struct said ask_settled(const struct plan *plan, uid_t uid, bool both)
{
	struct said said = ask(uid, NULL, both);
	int i;

	for (i = 1; i < TRIES && said.good && !is_true(plan, &said); i++)
		said = ask(uid, NULL, both);
	return said;
}

static void judge_figures(struct check *c, const struct plan *plan, const struct said *said)
{
	struct said t = truth_of(plan);

	check_that(c, said->good, "vmtop failed");
	check_that(c, said->rows == (plan->protect ? 2 : 1), "%u rows", said->rows);
	check_that(c, said->known, "something is not known");
	check_that(c, said->broken == t.broken, "%llu pages broken, not %llu",
		   (unsigned long long)said->broken, (unsigned long long)t.broken);
	check_that(c, said->parent_only == t.parent_only, "%llu of the parent alone, not %llu",
		   (unsigned long long)said->parent_only, (unsigned long long)t.parent_only);
	check_that(c, said->child_only == t.child_only, "%llu of the child alone, not %llu",
		   (unsigned long long)said->child_only, (unsigned long long)t.child_only);
	if (plan->nobody) {
		/* Before PAGEMAP_SCAN a page that is not exclusive may be the zero page. */
		check_that(c, said->shared + said->unknown == t.shared,
			   "%llu shared and %llu unknown, not %llu",
			   (unsigned long long)said->shared, (unsigned long long)said->unknown,
			   (unsigned long long)t.shared);
		check_that(c, !said->exact, "it is called exact");
		return;
	}
	check_that(c, said->shared == t.shared && said->unknown == 0,
		   "%llu shared and %llu unknown, not %llu", (unsigned long long)said->shared,
		   (unsigned long long)said->unknown, (unsigned long long)t.shared);
	check_that(c, said->exact, "it is not called exact");
}

static pid_t start(const struct plan *plan)
{
	int up[2];
	pid_t pid;
	char c;

	memset(made, 0, sizeof(*made));
	if (pipe2(up, O_CLOEXEC) < 0)
		exit(3);
	pid = fork();
	if (!pid)
		workload(plan, up[1]);
	close(up[1]);
	if (read(up[0], &c, 1) != 1) {
		fprintf(stderr, "cow: the workload %s did not come up\n", plan->name);
		exit(3);
	}
	close(up[0]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(made->child, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* This test is the reaper of what its children leave. */
	waitpid(made->child, NULL, 0);
}

static void judge(const struct plan *plan)
{
	pid_t pid = start(plan);
	struct said said = ask_settled(plan, plan->nobody ? NOBODY : 0, true);
	struct check c;

	check_begin(&c, "cow/%s", plan->name);
	judge_figures(&c, plan, &said);
	check_end(&c,
		  "%llu pages shared, %llu broken, %llu and %llu of one alone, %llu unknown, %s; "
		  "%llu MiB were huge at the fork",
		  (unsigned long long)said.shared, (unsigned long long)said.broken,
		  (unsigned long long)said.parent_only, (unsigned long long)said.child_only,
		  (unsigned long long)said.unknown, said.exact ? "exact" : "not exact",
		  (unsigned long long)made->huge_kib / 1024);
	stop(pid);
}

/* One process is named: its parent, which is this test, and its child are found. */
static void judge_relatives(const struct plan *plan)
{
	pid_t pid = start(plan);
	struct said said = ask_settled(plan, 0, false);
	struct check c;

	check_begin(&c, "cow/relatives");
	judge_figures(&c, plan, &said);
	check_that(&c, said.others > 0, "the parent is not found");
	check_end(&c, "%u rows of the heap with the child, %u with the parent", said.rows,
		  said.others);
	stop(pid);
}

/*
 * Two looks: what was broken between them lies within what the child wrote in all that time. It
 * counts a page before it writes it, so that one may be missing. Asked again, as ask_settled()
 * does, where a page was moved, or the child did not come to write between the looks.
 */
static void judge_rate(const struct plan *plan)
{
	pid_t pid = start(plan);
	uint64_t before, after;
	struct said said, again;
	struct check c;
	int tries = 0;

	do {
		before = made->written;
		said = ask(0, "2", true);
		after = made->written;
	} while (++tries < TRIES && said.good && (!said.rate || said.broken > after));
	check_begin(&c, "cow/rate");
	check_that(&c, said.good && said.known, "vmtop failed, or said nothing");
	check_that(&c, said.broken + 1 >= before && said.broken <= after,
		   "%llu pages broken, and the child wrote %llu before and %llu after",
		   (unsigned long long)said.broken, (unsigned long long)before,
		   (unsigned long long)after);
	check_that(&c, said.rate > 0 && (uint64_t)said.rate * 2 <= (after - before + 1) * page,
		   "%lld bytes a second, while %llu pages were written", (long long)said.rate,
		   (unsigned long long)(after - before));
	/* Who stands still breaks nothing; the signal may be late. */
	kill(made->child, SIGSTOP);
	tries = 0;
	do
		again = ask(0, "0.1", true);
	while (++tries < TRIES && again.good && again.rate);
	check_that(&c, again.good && again.known && again.rate == 0,
		   "%lld bytes a second of a child that is stopped", (long long)again.rate);
	check_end(&c, "%lld bytes a second while %llu pages were written, then %lld",
		  (long long)said.rate, (unsigned long long)(after - before),
		  (long long)again.rate);
	stop(pid);
}

static int code_of(const char *first, const char *second)
{
	const char *args[] = { "vmtop", "maps", "--cow", "-q", first, second, NULL };
	int status, fds[2];
	pid_t pid;
	char text[512];

	if (pipe2(fds, O_CLOEXEC) < 0)
		exit(3);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		execv(vmtop, (char *const *)(uintptr_t)args);
		_exit(127);
	}
	close(fds[1]);
	while (read(fds[0], text, sizeof(text)) > 0)
		;
	close(fds[0]);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int same_space(void *arg)
{
	if (write(*(int *)arg, "", 1) != 1)
		_exit(3);
	for (;;)
		pause();
	return 0;
}

/* Whether execve() puts the stack and the vdso elsewhere each time. */
static bool is_random(void)
{
	FILE *f = fopen("/proc/sys/kernel/randomize_va_space", "r");
	int level = 0;

	if (f) {
		if (fscanf(f, "%d", &level) != 1)
			level = 0;
		fclose(f);
	}
	return level && !(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
}

/* A child that runs another program shares nothing by a fork. */
static void judge_other_program(void)
{
	char first[16], c = 0;
	struct check check;
	int up[2], code;
	pid_t top;

	if (!is_random()) {
		check_skip("cow/other-program", "addresses are not random: it looks like a fork");
		return;
	}
	check_begin(&check, "cow/other-program");
	if (pipe2(up, O_CLOEXEC) < 0)
		exit(3);
	top = fork();
	if (!top) {
		dup2(up[1], STDOUT_FILENO);
		execl("/proc/self/exe", "cow", "--wait", NULL);
		_exit(3);
	}
	close(up[1]);
	snprintf(first, sizeof(first), "%d", top);
	check_that(&check, read(up[0], &c, 1) == 1, "the other program did not come up");
	code = code_of(first, NULL);
	check_that(&check, code == 3, "exit %d, not 3", code);
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	close(up[0]);
	check_end(&check, "ends with 3");
}

/* A child with the same address space has no copies. */
static void judge_one_space(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char first[16], second[16], c = 0;
	struct check check;
	int up[2], code;
	pid_t child;

	if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) < 0) {
		check_skip("cow/one-space", "no kcmp(): it looks like two");
		return;
	}
	check_begin(&check, "cow/one-space");
	if (pipe2(up, O_CLOEXEC) < 0)
		exit(3);
	child = clone(same_space, stack + sizeof(stack), CLONE_VM | SIGCHLD, &up[1]);
	close(up[1]);
	snprintf(first, sizeof(first), "%d", getpid());
	snprintf(second, sizeof(second), "%d", child);
	check_that(&check, child > 0 && read(up[0], &c, 1) == 1, "no CLONE_VM");
	code = code_of(first, second);
	check_that(&check, code == 3, "exit %d, not 3", code);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close(up[0]);
	check_end(&check, "ends with 3");
}

static int wait_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(STDOUT_FILENO, "", 1) != 1)
		return 3;
	for (;;)
		pause();
}

/* Whether this process is shown frames: CAP_SYS_ADMIN, in the first user namespace. */
static bool has_frames(void)
{
	volatile char *p =
		mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t word = 0;
	bool shown;

	if (p == MAP_FAILED)
		exit(3);
	*p = 1;
	shown = pread(fd, &word, sizeof(word), (off_t)((uintptr_t)p / page * sizeof(word))) ==
			sizeof(word) &&
		(word & ((UINT64_C(1) << 55) - 1));
	if (fd >= 0)
		close(fd);
	munmap((void *)(uintptr_t)p, page);
	return shown;
}

/* Whether this process may become nobody; not where its namespace has no such user. */
static bool may_be_nobody(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(setgid(NOBODY) < 0 || setuid(NOBODY) < 0);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static const char no_frames[] = "frames are shown to CAP_SYS_ADMIN alone";
	bool frames, nobody;
	char name[96];
	size_t n;

	if (argc == 2 && strcmp(argv[1], "--wait") == 0)
		return wait_for_ever();
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: cow VMTOP [MIB]\n");
		return 2;
	}
	if (geteuid() != 0) {
		check_skip("cow", "frames are shown to root alone");
		return 0;
	}
	vmtop = argv[1];
	page = (size_t)sysconf(_SC_PAGESIZE);
	heap_pages = n = (argc == 3 ? strtoul(argv[2], NULL, 10) : 256) * ((1 << 20) / page);
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED || n < 1024)
		return 3;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	frames = has_frames();
	nobody = may_be_nobody();

	const struct writes none = { 0 }, fourth = { 0, n, 4 };
	const struct plan plans[] = {
		{ "nothing-written", .touched = n },
		{ "child-writes", .touched = n, .child = fourth },
		{ "parent-writes", .touched = n, .parent = { 1, n, 8 } },
		{ "both-write", .touched = n, .parent = { 0, n, 6 }, .child = { 0, n, 4 } },
		{ "all-written", .touched = n / 2, .parent = none, .child = { 0, n / 2, 1 } },
		{ "one-page", .touched = n, .child = { n / 2, n / 2 + 1, 1 } },
		{ "new-pages", .touched = n / 2, .parent = { n / 2, n / 4 * 3, 3 },
		  .child = { n / 2 + n / 8, n, 5 } },
		{ "read-only-neighbour", .protect = true, .touched = n,
		  .child = { 0, n / 4 * 3, 2 } },
		{ "huge-pages", .huge = true, .touched = n, .child = fourth },
		{ "huge-pages-in-part", .huge = true, .touched = n, .parent = { n / 2, n, 7 },
		  .child = { 0, n / 8, 1 } },
		{ "without-rights", .nobody = true, .touched = n, .child = fourth },
	};
	const struct plan runs = { "rate", .run = true, .touched = n };

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
		snprintf(name, sizeof(name), "cow/%s", plans[i].name);
		if (plans[i].nobody ? nobody : frames)
			judge(&plans[i]);
		else
			check_skip(name, "%s",
				   plans[i].nobody ? "no way to become nobody" : no_frames);
	}
	if (frames)
		judge_relatives(&plans[1]);
	else
		check_skip("cow/relatives", "%s", no_frames);
	judge_rate(&runs);
	judge_other_program();
	judge_one_space();
	return 0;
}
