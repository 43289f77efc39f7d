/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * page-truth VMTOP: what vmtop pages and vmtop addr say of pages, against what the one who made
 * them knows: which are there, which are the zero page, a guard, huge, in swap; that two processes
 * that share a page have one frame which is mapped twice, and that a write gives the writer
 * another. A hole of a TiB costs no more than its page tables.
 */

#include "check.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* include/uapi/linux/userfaultfd.h of Linux 6.7; the headers of distributions may be older. */
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
/* Not in the headers before Linux 5.11. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGES	64
#define HUGE	((size_t)2 << 20)
#define TIB	((size_t)1 << 40)
#define TOUCHES 4096

enum {
	WRITTEN_TO = 8, /* pages [0, 8) are written, */
	READ_TO = 16, /* [8, 16) read, */
	GUARD_TO = 20, /* [16, 20) guards, the others never touched */
	SWAP_TO = 4, /* of those written, the first are put out where there is swap */
};

/* In memory that both see. */
struct made {
	char *mixed; /* PAGES of them */
	char *shared; /* mapped by parent and child; the child writes page 1 */
	char *thp;
	char *tib;
	char *touched; /* TOUCHES pages */
	char *tracked; /* as many, all written, and writes tracked since; NULL: cannot be */
	char *dirty; /* 4 pages, of which page 2 was written since the marks were cleared */
	bool guard, huge;
	volatile bool touch; /* all pages of touched, and the even ones of tracked, one by one */
	volatile uint64_t before_ns[TOUCHES]; /* when: not before, */
	volatile uint64_t touched_ns[TOUCHES]; /* and not after */
};

static struct made *made;
static size_t page;
static const char *vmtop;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		exit(3);
	madvise(p, size, MADV_NOHUGEPAGE);
	/* Neighbours of one kind would be one mapping. */
	mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p;
}

/* Clears the soft-dirty marks of its own and writes one page after that. */
static void make_dirty(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	memset(made->dirty, 1, 4 * page);
	if (fd >= 0 && write(fd, "4", 1) == 1)
		made->dirty[2 * page] = 2;
	if (fd >= 0)
		close(fd);
}

/* Has the kernel note what is written to a range of its own pages, without asking anybody. */
static bool track(char *base, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	struct uffdio_register reg = { .range = { (uintptr_t)base, size },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = reg.range, .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	/* It is kept open: the range is tracked for so long. */
	return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 &&
	       ioctl(fd, UFFDIO_REGISTER, &reg) == 0 && ioctl(fd, UFFDIO_WRITEPROTECT, &wp) == 0;
}

static void make_tracked(void)
{
	char *p = map(TOUCHES * page);

	memset(p, 1, TOUCHES * page);
	if (track(p, TOUCHES * page))
		made->tracked = p;
}

/*
 * One every 3 ms, and more and more slowly: each takes a 512th of the time that has passed. So
 * there are pages left to be written after many minutes, and enough of them in any look.
 */
static void touch_on(void)
{
	const uint64_t least_ns = 3000000;
	uint64_t begun = 0;
	size_t i = 0;

	while (i < TOUCHES) {
		uint64_t ns = begun ? (now_ns() - begun) / 512 : 0;
		struct timespec tick;

		if (ns < least_ns)
			ns = least_ns;
		tick = (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
		nanosleep(&tick, NULL);
		if (!made->touch)
			continue;
		begun = begun ? begun : now_ns();
		made->before_ns[i] = now_ns();
		made->touched[i * page] = 1;
		if (made->tracked && i % 2 == 0)
			made->tracked[i * page] = 2;
		made->touched_ns[i++] = now_ns();
	}
	for (;;)
		pause();
}

/* The parent of the two; never returns. */
static void workload(int up)
{
	pid_t pids[2] = { getpid(), 0 };
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	made->mixed = map(PAGES * page);
	for (i = 0; i < WRITTEN_TO; i++)
		made->mixed[i * page] = 1;
	for (; i < READ_TO; i++)
		(void)*(volatile char *)(made->mixed + i * page);
	made->guard = madvise(made->mixed + READ_TO * page, (GUARD_TO - READ_TO) * page,
			      MADV_GUARD_INSTALL) == 0;
	madvise(made->mixed, SWAP_TO * page, MADV_PAGEOUT);
	made->thp = map(2 * HUGE);
	made->thp = (char *)(((uintptr_t)made->thp + HUGE - 1) & ~(HUGE - 1));
	madvise(made->thp, HUGE, MADV_HUGEPAGE);
	made->thp[0] = 1;
	made->tib = map(TIB);
	made->tib[TIB / 2] = 1;
	made->touched = map(TOUCHES * page);
	made->shared = map(4 * page);
	for (i = 0; i < 4; i++)
		made->shared[i * page] = 1;
	pids[1] = fork();
	if (!pids[1]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		made->shared[page] = 2;
		pids[1] = getpid();
		made->dirty = map(4 * page);
		make_dirty();
		make_tracked();
		if (write(up, pids, sizeof(pids)) < 0 || write(up, "", 1) < 0)
			_exit(3);
		touch_on();
	}
	for (;;)
		pause();
}

/* A page as a row has it. */
struct row {
	uint64_t start, pages, pfn, count;
	char state[16], backing[16], exclusive[8], huge[8], soft_dirty[8], written[8];
};

#define ROWS 8192
static struct row rows[ROWS];
static size_t n_rows;

static const char columns[] = "start,length_pages,state,backing,exclusive,huge,soft_dirty,pfn,"
			      "map_count";

static void take(const char **at, char *to, size_t n)
{
	size_t len = strcspn(*at, ",\r\n"), i;

	for (i = 0; i < len && i + 1 < n; i++)
		to[i] = (*at)[i];
	to[i] = 0;
	*at += len + ((*at)[len] == ',');
}

static uint64_t number(const char **at, int base)
{
	char text[40], *end;
	uint64_t v;

	take(at, text, sizeof(text));
	v = strtoull(text, &end, base);
	return end == text ? UINT64_MAX : v;
}

/* Runs vmtop and reads its CSV; its exit code. */
static int ask(const char *const *argv)
{
	char line[1024];
	int fds[2], status;
	pid_t child;
	FILE *f;

	n_rows = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		exit(3);
	child = fork();
	if (!child) {
		dup2(fds[1], STDOUT_FILENO);
		execv(vmtop, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	f = fdopen(fds[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		struct row *r = &rows[n_rows];
		const char *at = line;

		if (strncmp(line, "start", 5) == 0 || n_rows + 1 == ROWS)
			continue;
		r->start = number(&at, 16);
		r->pages = number(&at, 10);
		take(&at, r->state, sizeof(r->state));
		take(&at, r->backing, sizeof(r->backing));
		take(&at, r->exclusive, sizeof(r->exclusive));
		take(&at, r->huge, sizeof(r->huge));
		take(&at, r->soft_dirty, sizeof(r->soft_dirty));
		r->pfn = number(&at, 16);
		r->count = number(&at, 10);
		take(&at, r->written, sizeof(r->written));
		n_rows++;
	}
	if (f)
		fclose(f);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int pages_of(pid_t pid, const char *start, size_t size, bool each)
{
	char number_text[16], range[64];
	const char *const argv[] = { "vmtop",	"pages", number_text,
				     "--range", range,	 each ? "--each" : "--runs",
				     "--pfn",	"--csv", "-q",
				     "-o",	columns, NULL };

	snprintf(number_text, sizeof(number_text), "%d", pid);
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)(uintptr_t)start,
		 (unsigned long)((uintptr_t)start + size));
	return ask(argv);
}

static const struct row *row_at(const char *base, size_t index)
{
	uint64_t at = (uint64_t)(uintptr_t)base + index * page;
	size_t i;

	for (i = 0; i < n_rows; i++)
		if (rows[i].start <= at && at < rows[i].start + rows[i].pages * page)
			return &rows[i];
	return NULL;
}

static void expect(struct check *c, const char *base, size_t i, const char *state,
		   const char *backing)
{
	const struct row *r = row_at(base, i);

	if (check_that(c, r, "page %zu is missing", i)) {
		check_that(c, strcmp(r->state, state) == 0, "page %zu is %s, not %s", i, r->state,
			   state);
		if (backing)
			check_that(c, strcmp(r->backing, backing) == 0, "page %zu is of %s, not %s",
				   i, r->backing, backing);
	}
}

static void judge_states(pid_t pid, bool swap)
{
	struct check c;
	size_t i;
	int r;

	check_begin(&c, "page-truth/%s", swap ? "swap" : "states");
	r = pages_of(pid, made->mixed, PAGES * page, true);
	check_that(&c, r == 0, "exit %d", r);
	for (i = 0; i < WRITTEN_TO; i++) {
		if (swap && i < SWAP_TO)
			expect(&c, made->mixed, i, "swapped", NULL);
		else
			expect(&c, made->mixed, i, "present", "anon");
	}
	for (; i < READ_TO; i++)
		expect(&c, made->mixed, i, "present", "zero");
	for (; i < PAGES; i++)
		expect(&c, made->mixed, i, i < GUARD_TO && made->guard ? "guard" : "none", NULL);
	check_end(&c, "%zu rows, guards %s", n_rows, made->guard ? "made" : "are not to be had");
}

/* Frames of a page that two processes have, and of one that one of them has written since. */
static void judge_frames(const pid_t *pids)
{
	uint64_t frame[2][4], count[2][4];
	char exclusive[2][4][8];
	struct check c;
	int k, i, r;

	check_begin(&c, "page-truth/frames");
	for (k = 0; k < 2; k++) {
		r = pages_of(pids[k], made->shared, 4 * page, true);
		check_that(&c, r == 0 && n_rows == 4, "exit %d, %zu rows", r, n_rows);
		for (i = 0; i < 4; i++) {
			const struct row *row = row_at(made->shared, (size_t)i);

			frame[k][i] = row ? row->pfn : 0;
			count[k][i] = row ? row->count : 0;
			snprintf(exclusive[k][i], sizeof(exclusive[k][i]), "%s",
				 row ? row->exclusive : "");
		}
	}
	for (i = 0; i < 4; i++) {
		bool same = i != 1;

		check_that(&c, frame[0][i] && frame[0][i] != UINT64_MAX, "page %d has no frame", i);
		check_that(&c, (frame[0][i] == frame[1][i]) == same, "page %d: frames %llx, %llx",
			   i, (unsigned long long)frame[0][i], (unsigned long long)frame[1][i]);
		for (k = 0; k < 2; k++) {
			check_that(&c, count[k][i] == (same ? 2 : 1),
				   "page %d is mapped %llu times", i,
				   (unsigned long long)count[k][i]);
			check_that(&c,
				   strcmp(exclusive[k][i], same ? "no" : "yes") == 0 ||
					   strcmp(exclusive[k][i], same ? "false" : "true") == 0,
				   "page %d: exclusive is %s", i, exclusive[k][i]);
		}
	}
	check_end(&c, "shared %llx, copied %llx and %llx", (unsigned long long)frame[0][0],
		  (unsigned long long)frame[0][1], (unsigned long long)frame[1][1]);
}

static void judge_huge(pid_t pid)
{
	struct check c;
	uint64_t pages = 0;
	size_t i;
	int r;

	check_begin(&c, "page-truth/huge");
	r = pages_of(pid, made->thp, HUGE, false);
	check_that(&c, r == 0, "exit %d", r);
	for (i = 0; i < n_rows; i++)
		if (strcmp(rows[i].state, "present") == 0)
			pages += rows[i].pages;
	if (pages < HUGE / page) {
		check_skip("page-truth/huge", "there was no huge page to be had");
		return;
	}
	/* The first page has flags of its own; the frames are consecutive, and begin on a boundary
	 * of their number. */
	check_that(&c, n_rows == 2 && rows[1].pfn == rows[0].pfn + rows[0].pages, "%zu runs",
		   n_rows);
	check_that(&c, rows[0].pfn % (HUGE / page) == 0, "frame %llx",
		   (unsigned long long)rows[0].pfn);
	check_that(&c, strcmp(rows[0].huge, "no") != 0 && strcmp(rows[0].huge, "false") != 0,
		   "huge is %s", rows[0].huge);
	check_end(&c, "frame %llx, huge %s", (unsigned long long)rows[0].pfn, rows[0].huge);
}

/* Where the kernel keeps the mark it is right; elsewhere it is unknown, and not "clean". */
static void judge_dirty(pid_t pid)
{
	const char *said[4] = { "" };
	struct check c;
	int i, r;

	check_begin(&c, "page-truth/soft-dirty");
	r = pages_of(pid, made->dirty, 4 * page, true);
	check_that(&c, r == 0 && n_rows == 4, "exit %d, %zu rows", r, n_rows);
	for (i = 0; i < 4; i++) {
		const struct row *row = row_at(made->dirty, (size_t)i);

		said[i] = row ? row->soft_dirty : "";
		if (*said[0])
			check_that(&c,
				   (strcmp(said[i], "no") != 0 && strcmp(said[i], "false")) ==
					   (i == 2),
				   "page %d: %s", i, said[i]);
		else
			check_that(&c, !*said[i], "page %d: %s", i, said[i]);
	}
	check_end(&c, "%s", *said[0] ? "kept" : "this kernel does not keep it");
}

/* A TiB with one page. */
static void judge_sparse(pid_t pid)
{
	struct rusage before, after;
	struct check c;
	double cpu;
	int r;

	check_begin(&c, "page-truth/sparse");
	getrusage(RUSAGE_CHILDREN, &before);
	r = pages_of(pid, made->tib, TIB, false);
	getrusage(RUSAGE_CHILDREN, &after);
	cpu = (double)(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
		       before.ru_stime.tv_sec) +
	      (double)(after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
		       before.ru_stime.tv_usec) /
		      1e6;
	if (n_rows == 0) {
		/* No scan before Linux 6.7: left out, and never read word by word. */
		check_that(&c, r == 0 || r == 1, "exit %d", r);
		check_that(&c, cpu < 5, "it took %.1f s", cpu);
		check_end(&c, "left out, %.2f s", cpu);
		return;
	}
	check_that(&c, r == 0 && n_rows == 3, "exit %d, %zu rows", r, n_rows);
	expect(&c, made->tib, TIB / 2 / page, "present", "anon");
	expect(&c, made->tib, 0, "none", NULL);
	check_that(&c, n_rows == 3 && rows[0].pages + 1 + rows[2].pages == TIB / page,
		   "the rows are not the whole");
	check_end(&c, "%.2f s of processor time", cpu);
}

/* What vmtop says of a mapping of which pages are written while it watches; its exit code. */
static int watch(pid_t pid, const char *base)
{
	char number_text[16], address[32];
	const char *const argv[] = { "vmtop",
				     "pages",
				     number_text,
				     "--vma",
				     address,
				     "--written-since",
				     "0.2",
				     "--each",
				     "--csv",
				     "-q",
				     "-o",
				     "start,length_pages,state,"
				     "backing,exclusive,huge,"
				     "soft_dirty,uffd_wp,node,"
				     "written",
				     NULL };

	snprintf(number_text, sizeof(number_text), "%d", pid);
	snprintf(address, sizeof(address), "%lx", (unsigned long)(uintptr_t)base);
	return ask(argv);
}

static bool is_yes(const char *text)
{
	return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
}

static bool is_no(const char *text)
{
	return strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

/*
 * What came to be while it watched was written then, and what it calls written came to be then.
 * Where the process tracks its writes all is known: what is written for the first time, and what
 * is not written.
 */
static void judge_written(pid_t pid, const char *name, const char *base, bool tracked)
{
	size_t i, yes = 0, no = 0, untold = 0, tries;
	uint64_t t0, t1;
	struct check c;
	int r;

	if (!base) {
		check_skip(name, "no writes can be tracked here (Linux 6.7, userfaultfd)");
		return;
	}
	check_begin(&c, "%s", name);
	made->touch = true;
	while (!made->touched_ns[3])
		usleep(1000);
	/* The writer may not have had its turn while vmtop watched. */
	for (tries = 0; tries < 100 && !yes; tries++) {
		t0 = now_ns();
		r = watch(pid, base);
		t1 = now_ns();
		check_that(&c, r == 0, "exit %d", r);
		no = 0;
		for (i = 0; i < TOUCHES; i++) {
			const struct row *row = row_at(base, i);
			uint64_t from = made->before_ns[i], to = made->touched_ns[i];
			bool written = row && is_yes(row->written), writes = !tracked || i % 2 == 0;

			yes += written;
			no += row && is_no(row->written);
			check_that(&c,
				   !written || (writes && from && from <= t1 && (!to || to >= t0)),
				   "page %zu was not written then", i);
			/* Not written, or for the first time later. */
			if (tracked && (!writes || !from || from > t1))
				untold += !row || !is_no(row->written);
		}
	}
	made->touch = false;
	check_that(&c, yes > 0, "nothing was written");
	check_that(&c, !untold, "of %zu pages it was not said that they were not written", untold);
	check_end(&c, "%zu pages in %.3f s, %zu were not", yes, (double)(t1 - t0) / 1e9, no);
}

int main(int argc, char **argv)
{
	const char *swap = getenv("GUEST_SWAP");
	pid_t top, pids[2];
	bool swapping;
	int up[2];
	char c;

	if (argc != 2) {
		fprintf(stderr, "usage: page-truth VMTOP\n");
		return 2;
	}
	vmtop = argv[1];
	page = (size_t)sysconf(_SC_PAGESIZE);
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED || pipe2(up, O_CLOEXEC) < 0)
		return 3;
	swapping = swap && syscall(SYS_swapon, swap, 0) == 0;
	top = fork();
	if (!top)
		workload(up[1]);
	close(up[1]);
	if (read(up[0], pids, sizeof(pids)) != sizeof(pids) || read(up[0], &c, 1) != 1)
		return 3;
	judge_states(pids[0], swapping);
	judge_frames(pids);
	judge_huge(pids[0]);
	judge_dirty(pids[1]);
	judge_sparse(pids[0]);
	judge_written(pids[1], "page-truth/written", made->touched, false);
	judge_written(pids[1], "page-truth/written-tracked", made->tracked, true);
	kill(pids[1], SIGKILL);
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	if (swapping)
		swapoff(swap);
	return 0;
}
