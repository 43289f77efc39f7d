/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * latency [--dir DIR] [RUNG]...: how long faults took, where that is known. A file of FUSE whose
 * server waits 5 ms before it answers a read, and memory whose userfaultfd handler waits 2 ms
 * before it fills a page. A fault takes no less than the wait, and no more than the access that
 * made it; both are measured on their own side of the kernel, and the probe's median has to lie
 * between the two medians, 10 % at either end. Each fault is listed on its own, too, and lies
 * between the two measurements of its own, without any allowance, and is of the code that made it.
 * All of them are of one kind, which has the times of the mapping.
 *
 * And on the first rung a storm of faults, all of them listed, in runs; once with nobody who
 * empties the ring, which is full soon. Whatever the ring and the rate leave out, no fault is left
 * out of the sum.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/fault-event.h"
#include "model/latency.h"
#include "source/probe-singles.h"
#include "slow-memory.h"
#include "stall.h"
#include "window.h"

#define PAGE	4096u
#define PAGES	16u /* of the file */
#define ROUNDS	5u
#define TOUCHES (PAGES * ROUNDS)

#define FUSE_US 5000u
#define UFFD_US 2000u

/* What the child found, in memory of both. */
struct truth {
	uint64_t start; /* the mapping */
	uint64_t access_ns[TOUCHES];
	uint64_t wait_ns[TOUCHES];
	size_t n_waits;
	char unable[160]; /* this machine does not have what it needs */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), compare);
	return ns[(n + 1) / 2 - 1];
}

/* Reads the pages of a range one by one; forget() makes them be absent again. */
static __attribute__((noinline)) void touch(struct truth *t, const struct pipes *p,
					    void (*forget)(void *arg), void *arg)
{
	volatile const char *start = (volatile const char *)(uintptr_t)t->start;
	size_t n = 0;

	meet(p);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < PAGES; i++) {
			uint64_t begin = now_ns();

			(void)start[(size_t)i * PAGE];
			t->access_ns[n++] = now_ns() - begin;
		}
		forget(arg);
	}
	meet(p);
	_exit(0);
}

static __attribute__((noreturn)) void unable(struct truth *t, const char *what)
{
	snprintf(t->unable, sizeof(t->unable), "%s: %m", what);
	_exit(0);
}

/* Pages of a file that answers slowly */

struct slow_file {
	int fd;
	struct truth *truth;
};

static void forget_file(void *arg)
{
	const struct slow_file *f = arg;
	void *start = (void *)(uintptr_t)f->truth->start;

	/* Out of the page tables first: what is mapped stays in the page cache. */
	if (madvise(start, PAGES * PAGE, MADV_DONTNEED) ||
	    posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED))
		_exit(2);
}

static void read_file(struct truth *t, const struct pipes *p, const char *dir)
{
	struct slow_file f = { .truth = t };
	char path[160];
	void *start;

	snprintf(path, sizeof(path), "%s/file", dir);
	f.fd = open(path, O_RDONLY | O_CLOEXEC);
	start = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, f.fd, 0);
	if (f.fd < 0 || start == MAP_FAILED)
		unable(t, path);
	/* One page comes at a time. */
	if (madvise(start, PAGES * PAGE, MADV_RANDOM))
		unable(t, "MADV_RANDOM");
	t->start = (uintptr_t)start;
	touch(t, p, forget_file, &f);
}

/* Memory that another thread fills */

static void wait_and_note(void *arg)
{
	struct truth *t = arg;
	uint64_t begin = now_ns();
	size_t n = t->n_waits;

	stall_pause(UFFD_US);
	if (n < TOUCHES)
		t->wait_ns[n] = now_ns() - begin;
	__atomic_store_n(&t->n_waits, n + 1, __ATOMIC_RELEASE);
}

static void forget_memory(void *arg)
{
	const struct truth *t = arg;

	if (madvise((void *)(uintptr_t)t->start, PAGES * PAGE, MADV_DONTNEED))
		_exit(2);
}

static void read_memory(struct truth *t, const struct pipes *p)
{
	struct slow_memory m = { .wait = wait_and_note, .arg = t };
	const char *what;
	char *start;

	if (!slow_memory_open(&m))
		unable(t, "userfaultfd");
	start = pages_apart(PAGES);
	if (!start)
		unable(t, "mmap");
	t->start = (uintptr_t)start;
	what = slow_memory_start(&m, start, PAGES);
	if (what)
		unable(t, what);
	touch(t, p, forget_memory, t);
}

/* The window */

/* A process that has a mapping whose faults wait. Both are in one window, one after the other, as
 * loading a probe takes longer than all of their faults. */
struct side {
	struct check c;
	struct truth *t;
	const struct stall *file; /* NULL: memory */
	struct pipes p;
	pid_t child;
	bool ready;
};

/* The nth fault in the list is that of the nth touch. */
static void judge_singles(struct side *side, const struct vmt_fault_sample *f)
{
	const struct truth *t = side->t;
	struct check *c = &side->c;
	size_t n = 0, wrong = 0;

	for (size_t i = 0; i < f->n_singles; i++) {
		const struct vmt_fault_single *one = &f->singles[i];

		if (one->pid != (uint32_t)side->child || one->address < t->start ||
		    one->address >= t->start + PAGES * PAGE)
			continue;
		if (n < TOUCHES &&
		    (one->address != t->start + n % PAGES * PAGE || one->faults != 1 ||
		     one->latency_ns < t->wait_ns[n] || one->latency_ns > t->access_ns[n] ||
		     one->tid != (uint32_t)side->child || one->access != VMT_ACCESS_READ ||
		     one->mode != VMT_MODE_USER || one->ip - (uintptr_t)touch >= 4096 ||
		     (side->file && !one->major) || strcmp(one->comm, "latency")))
			wrong++;
		n++;
	}
	check_that(c, n == TOUCHES && !wrong, "%zu single faults for %u touches, %zu of them wrong",
		   n, TOUCHES, wrong);
	check_that(c, !f->totals.singles_lost && !f->totals.singles_limited,
		   "single faults are left out");
}

/* The rows by kind of a mapping: what they add up to, and whether all is of the kind. */
static void judge_kinds(struct check *c, const struct vmt_fault_sample *f,
			const struct vmt_fault_raw *row, bool file)
{
	struct vmt_latency_sum all = { 0 }, sum = { 0 };
	uint64_t n = 0, p50 = 0, kind_p50 = 0;

	check_that(c, f->by_kind && !f->totals.kinds_lost, "rows by kind are missing");
	vmt_latency_add(&all, &row->latency);
	for (size_t i = 0; i < f->n_kinds; i++) {
		const struct vmt_fault_by_kind *k = &f->kinds[i];
		bool told = k->kind == (file ? VMT_KIND_FILE_MAJOR : VMT_KIND_USERFAULT);

		if (k->slot != row->slot || k->pid != row->pid)
			continue;
		/* There it may be that nothing says who served a fault. */
		if (!file && f->rung == VMT_RUNG_TRACEPOINT)
			told |= k->kind == VMT_KIND_UNKNOWN;
		check_that(c, told, "%" PRIu64 " faults of kind %d", k->minor + k->major, k->kind);
		check_that(c, k->read == k->minor + k->major && k->user == k->read,
			   "no loads in user mode");
		n += k->minor + k->major;
		vmt_latency_add(&sum, &k->latency);
	}
	check_that(c, n == TOUCHES, "%" PRIu64 " faults by kind for %u touches", n, TOUCHES);
	check_that(c,
		   sum.count == all.count && sum.sum_ns == all.sum_ns && sum.max_ns == all.max_ns &&
			   vmt_latency_percentile(&all, 50, &p50) &&
			   vmt_latency_percentile(&sum, 50, &kind_p50) && p50 == kind_p50,
		   "the kind took another time than the mapping");
}

static void judge(struct side *side, const struct vmt_fault_sample *f)
{
	struct truth *t = side->t;
	struct check *c = &side->c;
	const struct vmt_fault_raw *row = window_row(f, side->child, t->start);
	struct vmt_latency_sum sum = { 0 };
	uint64_t p50 = 0, waited, took;

	check_that(c, t->n_waits == TOUCHES, "%zu waits for %u touches", t->n_waits, TOUCHES);
	check_that(c, f->have & VMT_HAVE_SINGLES, "no single faults");
	judge_singles(side, f);
	waited = median(t->wait_ns, TOUCHES);
	took = median(t->access_ns, TOUCHES);
	check_that(c, row != NULL, "the mapping has no row");
	if (row) {
		check_that(c, row->minor + row->major == TOUCHES,
			   "%" PRIu64 " minor and %" PRIu64 " major faults for %u touches",
			   row->minor, row->major, TOUCHES);
		vmt_latency_add(&sum, &row->latency);
		judge_kinds(c, f, row, side->file != NULL);
	}
	check_that(c, (f->have & VMT_HAVE_LATENCY) && vmt_latency_percentile(&sum, 50, &p50),
		   "nothing was timed");
	check_that(c, p50 >= waited - waited / 10 && p50 <= took + took / 10,
		   "the median is off by more than 10 %%");
	check_end(c,
		  "%s: p50 %.3f ms, waits %.3f, accesses %.3f; max %.3f; %" PRIu64
		  " of %u faults major; each listed",
		  vmt_rung_name(f->rung), (double)p50 / 1e6, (double)waited / 1e6,
		  (double)took / 1e6, (double)sum.max_ns / 1e6, row ? row->major : 0, TOUCHES);
}

static struct truth *new_truth(void)
{
	struct truth *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		exit(1);
	return t;
}

/* Makes the child, which waits with its mapping. file is a file system that is slow, or NULL. */
static void start_side(struct side *s, const struct stall *file)
{
	s->file = file;
	s->t = new_truth();
	pipes_open(&s->p);
	s->child = fork();
	if (s->child < 0)
		exit(1);
	if (!s->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (file)
			read_file(s->t, &s->p, file->dir);
		read_memory(s->t, &s->p);
	}
	pipes_parent(&s->p);
	s->ready = hear(&s->p, NULL);
	if (!s->ready && s->t->unable[0]) {
		check_skip(s->c.name, "%s", s->t->unable);
	} else if (!s->ready) {
		check_that(&s->c, false, "the workload did not start");
		check_end(&s->c, "%s", "");
	}
}

static void end_side(struct side *s)
{
	kill(s->child, SIGKILL);
	waitpid(s->child, NULL, 0);
	pipes_close(&s->p);
	munmap(s->t, sizeof(*s->t));
}

/* The window of those that are ready. */
static void window(enum vmt_rung_id rung, struct side *sides, size_t n)
{
	/* Less than any wait. */
	struct vmt_probe_opts opts = {
		.rung = rung,
		.singles = true,
		.single_least_ns = 1000000,
		.by_kind = true,
	};
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	VMT_AUTO_PROBE probe = NULL;
	struct vmt_arena arena;
	pid_t pids[2];
	int r;

	vmt_arena_init(&arena);
	opts.pids = pids;
	for (size_t i = 0; i < n; i++)
		if (sides[i].ready)
			pids[opts.n_pids++] = sides[i].child;
	if (!opts.n_pids)
		return;
	r = vmt_probe_open(&opts, &probe, &err);
	r = r ?: vmt_probe_start(probe, &err);
	for (size_t i = 0; !r && i < n; i++) {
		struct side *s = &sides[i];

		if (!s->ready)
			continue;
		tell(&s->p);
		check_that(&s->c, hear(&s->p, probe), "the workload did not end");
		if (s->file)
			s->t->n_waits = stall_waited(s->file, s->t->wait_ns, TOUCHES);
	}
	r = r ?: vmt_probe_stop(probe, &err);
	r = r ?: vmt_probe_read(probe, &arena, &f, &err);
	for (size_t i = 0; i < n; i++) {
		struct side *s = &sides[i];

		if (!s->ready)
			continue;
		if (check_that(&s->c, !r, "%s", err.text) && !s->c.failed)
			judge(s, &f);
		else
			check_end(&s->c, "%s", "");
	}
	vmt_arena_done(&arena);
}

/* Waits for a file, and waits for another thread. */
static void waits(const char *name, enum vmt_rung_id rung, const char *dir)
{
	struct side sides[2] = { 0 };
	struct stall stall;
	size_t n = 0;

	check_begin(&sides[n].c, "F14/slow-file/%s", name);
	if (stall_slow(&stall, dir, FUSE_US))
		check_skip(sides[n].c.name, "%s", stall.why);
	else
		start_side(&sides[n++], &stall);
	check_begin(&sides[n].c, "latency/%s/userfaultfd", name);
	start_side(&sides[n], NULL);
	n++;
	window(rung, sides, n);
	for (size_t i = 0; i < n; i++)
		end_side(&sides[i]);
	if (sides[0].file)
		stall_end(&stall);
}

/* A storm */

#define STORM_PAGES  8192u
#define STORM_ROUNDS 10u
#define STORM_RATE   100u

/* What the ring holds, and what it holds at least where some were taken for the end of the ring. */
#define RING	   (VMT_PROBE_RING_BYTES / (unsigned)(sizeof(struct vmt_fault_event) + 8))
#define RING_LEAST (RING - 64)

static void storm(const struct pipes *p, void *arg)
{
	size_t size = (size_t)STORM_PAGES * PAGE;
	volatile char *m =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (m == MAP_FAILED || madvise((void *)(uintptr_t)m, size, MADV_NOHUGEPAGE))
		_exit(1);
	meet(p);
	for (unsigned round = 0; round < STORM_ROUNDS; round++) {
		for (size_t i = 0; i < size; i += PAGE)
			m[i] = 1;
		if (madvise((void *)(uintptr_t)m, size, MADV_DONTNEED))
			_exit(1);
	}
	meet(p);
}

static void judge_storm(struct check *c, const struct vmt_fault_sample *f, bool stopped)
{
	const struct vmt_fault_totals *t = &f->totals;
	uint64_t kernel = t->kernel_minor + t->kernel_major;
	uint64_t listed = t->singles + t->singles_lost, kept = 0, longest = 0;

	for (size_t i = 0; i < f->n_singles; i++) {
		kept += f->singles[i].faults;
		if (f->singles[i].faults > longest)
			longest = f->singles[i].faults;
	}
	check_that(c, kernel >= (uint64_t)STORM_PAGES * STORM_ROUNDS, "it was no storm");
	check_that(c, t->mapped + t->gup + t->unattributed + t->dropped == kernel,
		   "the sum does not hold");
	check_that(c, kept + t->singles_limited == t->singles, "the list does not add up");
	/* What was charged without its end being seen is in no list. */
	check_that(c,
		   listed <= kernel - t->gup &&
			   listed + t->gup + t->unattributed + t->dropped + t->repaired >= kernel,
		   "%" PRIu64 " single faults", listed);
	check_that(c, f->n_singles && f->n_singles <= STORM_RATE * (f->window_ns / 1000000000 + 2),
		   "the rate is not kept");
	if (stopped)
		check_that(c, t->singles_lost && t->singles >= RING_LEAST && t->singles <= RING,
			   "the ring was not full, or held another number");
	check_that(c, longest >= STORM_PAGES / 2 || t->singles_lost || t->repaired,
		   "the longest run has %" PRIu64, longest);
	check_end(c,
		  "%s: %" PRIu64 " faults; %" PRIu64 " single in %zu rows, %" PRIu64
		  " left out, %" PRIu64 " lost; longest run %" PRIu64,
		  vmt_rung_name(f->rung), kernel, kept, f->n_singles, t->singles_limited,
		  t->singles_lost, longest);
}

static void run_storm(struct check *c, enum vmt_rung_id rung, bool stopped)
{
	struct vmt_probe_opts opts = { .rung = rung, .singles = true, .single_rate = STORM_RATE };
	struct window w;
	int r = window_begin(&w, storm, NULL);

	r = r ?: window_count(&w, &opts, !stopped, NULL);
	if (check_that(c, !r, "%s", w.err.text))
		judge_storm(c, &w.f, stopped);
	else
		check_end(c, "%s", "");
	window_end(&w);
}

static void storms(const char *name, enum vmt_rung_id rung)
{
	struct check c;

	check_begin(&c, "F06/storm-listed/%s", name);
	run_storm(&c, rung, false);
	check_begin(&c, "F05/ring-full/%s", name);
	run_storm(&c, rung, true);
}

int main(int argc, char **argv)
{
	const char *dir = "/var/tmp";
	int i = 1;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "--dir")) {
		dir = argv[2];
		i = 3;
	}
	if (i == argc)
		waits("auto", VMT_RUNG_NONE, dir);
	for (int k = i; k < argc; k++)
		waits(argv[k], vmt_rung_of(argv[k]), dir);
	/* The ring is the same on each rung. */
	if (i == argc)
		storms("auto", VMT_RUNG_NONE);
	else
		storms(argv[i], vmt_rung_of(argv[i]));
	return 0;
}
