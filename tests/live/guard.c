/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * guard [RUNG]...: the guard of the overhead. A process stores to fresh pages, one after the other,
 * and then loads from pages that another thread of it fills, some ticks of the kernel's clock later
 * each. With a guard that trips at once, one in eight of the fast faults is timed (one in seven
 * where the kernel chooses them), and each of the slow ones; how many there were, and of which
 * kind, is as exact as without. With one that does not trip all are timed. One that trips, goes
 * back and trips again loses nothing by it.
 */

#include "check.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "model/latency.h"
#include "slow-memory.h"
#include "source/probe.h"
#include "stall.h"
#include "window.h"

#define PAGE	 4096u
#define FAST	 4096u
#define SLOW	 12u
#define EVERY	 8u
#define BURST_NS UINT64_C(400000000) /* of CPU time */
#define CALM_NS	 UINT64_C(2500000000)
#define BURSTS	 2u
/* Faults a second of a machine that is very busy, twice over, and four times those of the calm. */
#define RATE	 UINT64_C(2000)
#define PAUSE_US 4000u
#define TICKS	 4u /* of waiting, by the clock that goes with them; two are enough to be seen */
/* A group of faults that was not over, at either end, and the first fault of a thread. */
#define EDGES 3u
#define NEVER UINT64_C(1000000000) /* faults a second */

/* What the child found, in memory of both. */
struct truth {
	uint64_t fast; /* the mappings */
	uint64_t slow;
	uint64_t access_ns; /* of all slow ones, from the begin of the tick in which each began */
	uint64_t longest_ns;
	uint64_t waited_ns;
	bool filled; /* it has slow ones */
	uint64_t n; /* faults of in_turns() */
	unsigned cpu;
	char unable[160];
};

static uint64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

static uint64_t tick_ns(void)
{
	struct timespec t = { 0 };

	clock_getres(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static __attribute__((noreturn)) void unable(struct truth *t, const char *what)
{
	snprintf(t->unable, sizeof(t->unable), "%s: %m", what);
	_exit(1);
}

static char *range(struct truth *t, size_t pages)
{
	char *start = pages_apart(pages);

	if (!start)
		unable(t, "mmap");
	return start;
}

static void wait_for_ticks(void *arg)
{
	uint64_t begin = now_ns(), tick = ns_of(CLOCK_MONOTONIC_COARSE);
	struct truth *t = arg;

	/* A busy machine is late with its ticks; an emulated one by a lot. */
	while (ns_of(CLOCK_MONOTONIC_COARSE) < tick + TICKS * tick_ns())
		stall_pause((unsigned)(tick_ns() / 1000));
	t->waited_ns += now_ns() - begin;
}

/* Memory that another thread fills; without userfaultfd there is none. */
static void start_filling(struct truth *t, struct slow_memory *m)
{
	const char *what;
	char *start;

	*m = (struct slow_memory){ .wait = wait_for_ticks, .arg = t };
	if (!slow_memory_open(m))
		return;
	start = range(t, SLOW);
	t->slow = (uintptr_t)start;
	what = slow_memory_start(m, start, SLOW);
	if (what)
		unable(t, what);
	t->filled = true;
}

/* The guard is that of a CPU. */
static void stay(struct truth *t)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	t->cpu = (unsigned)sched_getcpu();
	CPU_SET(t->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		unable(t, "sched_setaffinity");
}

static void workload(const struct pipes *p, void *arg)
{
	struct truth *t = arg;
	struct slow_memory m;

	stay(t);
	t->fast = (uintptr_t)range(t, FAST);
	start_filling(t, &m);
	meet(p);
	for (unsigned i = 0; i < FAST; i++)
		((volatile char *)(uintptr_t)t->fast)[(size_t)i * PAGE] = 1;
	for (unsigned i = 0; t->filled && i < SLOW; i++) {
		/* When the last tick came; where the machine is busy it may be a while ago. */
		uint64_t begin = ns_of(CLOCK_MONOTONIC_COARSE), took;

		(void)((volatile const char *)(uintptr_t)t->slow)[(size_t)i * PAGE];
		took = now_ns() - begin;
		t->access_ns += took;
		if (took > t->longest_ns)
			t->longest_ns = took;
	}
	meet(p);
}

static void fault_for(struct truth *t, clockid_t clock, uint64_t ns, unsigned pause_us)
{
	uint64_t end = ns_of(clock) + ns;

	while (ns_of(clock) < end) {
		char *at = (char *)(uintptr_t)t->fast + t->n % FAST * PAGE;

		if (!(t->n % FAST) && madvise(at, (size_t)FAST * PAGE, MADV_DONTNEED))
			unable(t, "madvise");
		*(volatile char *)at = 1;
		t->n++;
		if (pause_us)
			stall_pause(pause_us);
	}
}

/* More faults than the guard allows, far fewer for longer than it takes to go back, and more again.
 */
static void in_turns(const struct pipes *p, void *arg)
{
	struct truth *t = arg;

	stay(t);
	t->fast = (uintptr_t)range(t, FAST);
	meet(p);
	for (unsigned i = 0; i < BURSTS; i++) {
		if (i)
			fault_for(t, CLOCK_MONOTONIC, CALM_NS, PAUSE_US);
		fault_for(t, CLOCK_PROCESS_CPUTIME_ID, BURST_NS, 0);
	}
	meet(p);
}

static bool has_cpu(struct vmt_bytes list, unsigned cpu)
{
	char text[256], *at = text;

	snprintf(text, sizeof(text), "%.*s", (int)list.len, list.ptr);
	while (*at) {
		unsigned long from = strtoul(at, &at, 10), to = from;

		if (*at == '-')
			to = strtoul(at + 1, &at, 10);
		if (from <= cpu && cpu <= to)
			return true;
		if (*at != ',')
			break;
		at++;
	}
	return false;
}

/* The times of a row: in buckets are as many as were timed, and those that these stand for. Gives
 * how many took a tick or longer. */
static uint64_t judge_buckets(struct check *c, const struct vmt_fault_raw *row)
{
	uint64_t n = 0, slow = 0;

	for (size_t i = 0; i < VMT_FAULT_BUCKETS; i++) {
		n += row->latency.bucket[i];
		if (i + 1 == VMT_FAULT_BUCKETS || vmt_latency_from(i + 1) > tick_ns())
			slow += row->latency.bucket[i];
	}
	check_that(c, n == row->latency.count + row->latency.others,
		   "%" PRIu64 " in buckets for %" PRIu64 " + %" PRIu64, n, row->latency.count,
		   row->latency.others);
	return slow;
}

/* Whether those that were timed stand for all of n, by and large. */
static bool stands_for(const struct vmt_fault_latency *l, uint64_t n, uint64_t slack)
{
	uint64_t all = l->count + l->others;

	return all <= n + slack && all + slack >= n;
}

/* Of the fast ones, each is counted. */
static void judge_fast(struct check *c, const struct vmt_fault_raw *row, bool trips, bool kernel)
{
	const struct vmt_fault_latency *l = &row->latency;
	uint64_t slow = judge_buckets(c, row), chosen = l->others / (EVERY - 1);

	check_that(c, row->minor == FAST && !row->major && row->write == FAST && row->user == FAST,
		   "%" PRIu64 " minor, %" PRIu64 " major, %" PRIu64 " stores of %u", row->minor,
		   row->major, row->write, FAST);
	/* Where something of the machine moves a page meanwhile, those of that moment are unknown.
	 */
	check_that(c,
		   row->kinds[VMT_KIND_ZERO_FILL] <= FAST &&
			   row->kinds[VMT_KIND_ZERO_FILL] + (kernel ? FAST / 20 : 0) >= FAST,
		   "%" PRIu64 " fresh pages of %u", row->kinds[VMT_KIND_ZERO_FILL], FAST);
	if (!trips) {
		check_that(c, l->count == FAST && !l->others,
			   "%" PRIu64 " were timed, for %" PRIu64 " others", l->count, l->others);
		return;
	}
	if (kernel) {
		/* Until it chooses, one in eight are; and it counts those of other processes. */
		check_that(c, stands_for(l, FAST, FAST / 20 + slow) && l->count >= FAST / 9,
			   "%" PRIu64 " stand for %" PRIu64 " others", l->count, l->others);
		return;
	}
	check_that(c, l->others % (EVERY - 1) == 0 && chosen <= FAST / EVERY + EDGES,
		   "%" PRIu64 " stand for %" PRIu64 " others", l->count, l->others);
	/* A fault that was interrupted for long is slow, and timed by all means. */
	check_that(c, l->count + EDGES >= FAST / EVERY && l->count <= FAST / EVERY + EDGES + slow,
		   "%" PRIu64 " of %u were timed, %" PRIu64 " of them slow", l->count, FAST, slow);
}

static void judge_slow(struct check *c, const struct vmt_fault_raw *row, const struct truth *t)
{
	const struct vmt_fault_latency *l = &row->latency;

	judge_buckets(c, row);
	check_that(c, row->minor + row->major == SLOW, "%" PRIu64 " slow faults of %u",
		   row->minor + row->major, SLOW);
	check_that(c, l->count == SLOW && !l->others,
		   "%" PRIu64 " slow ones of %u were timed, for %" PRIu64 " others", l->count, SLOW,
		   l->others);
	/* They began in the tick that they are said to. */
	check_that(c,
		   l->sum_ns >= t->waited_ns && l->sum_ns <= t->access_ns &&
			   l->max_ns <= t->longest_ns,
		   "%.3f ms at most, %.3f in all; waits %.3f, accesses %.3f",
		   (double)l->max_ns / 1e6, (double)l->sum_ns / 1e6, (double)t->waited_ns / 1e6,
		   (double)t->access_ns / 1e6);
}

/* Whether events are left out: of faults that are counted by their begin, of which none is of
 * record. */
static bool kernel_chooses(const struct vmt_fault_sample *f)
{
	return f->rung == VMT_RUNG_TRACEPOINT && !(f->have & VMT_HAVE_RECORD);
}

static void judge(struct check *c, const struct vmt_fault_sample *f, const struct truth *t,
		  pid_t child, bool trips)
{
	const struct vmt_fault_raw *fast = window_row(f, child, t->fast);
	const struct vmt_fault_raw *slow = t->filled ? window_row(f, child, t->slow) : NULL;
	const struct vmt_fault_totals *n = &f->totals;

	check_that(c,
		   n->mapped + n->gup + n->unattributed + n->dropped ==
			   n->kernel_minor + n->kernel_major,
		   "the sum does not hold");
	check_that(c, f->have & VMT_HAVE_LATENCY && n->guarded, "no guard");
	if (trips)
		check_that(c,
			   n->guard_trips && n->guard_first_ns &&
				   n->guard_first_ns < f->window_ns && !n->guard_calms &&
				   has_cpu(n->guard_cpus, t->cpu),
			   "%" PRIu64 " trips, %" PRIu64 " back, on CPU %.*s", n->guard_trips,
			   n->guard_calms, (int)n->guard_cpus.len, n->guard_cpus.ptr);
	else
		check_that(c, !n->guard_trips && !n->guard_first_ns && !n->guard_cpus.len,
			   "it tripped");
	if (check_that(c, fast != NULL, "the mapping has no row"))
		judge_fast(c, fast, trips, kernel_chooses(f));
	if (t->filled && check_that(c, slow != NULL, "the slow mapping has no row"))
		judge_slow(c, slow, t);
	check_end(c, "%s: %" PRIu64 " of %u fast ones timed, %" PRIu64 " of %u slow ones",
		  vmt_rung_name(f->rung), fast ? fast->latency.count : 0, FAST,
		  slow ? slow->latency.count : 0, t->filled ? SLOW : 0);
}

static void on_rung(struct check *c, enum vmt_rung_id rung, bool trips, struct truth *t)
{
	struct vmt_probe_opts opts = { .rung = rung,
				       .guard = true,
				       .guard_rate = trips ? 0 : NEVER };
	struct window w;
	int r;

	memset(t, 0, sizeof(*t));
	r = window_begin(&w, workload, t);
	r = r ?: window_count(&w, &opts, false, NULL);
	if (check_that(c, !r, "%s; %s", w.err.text, t->unable))
		judge(c, &w.f, t, w.child, trips);
	else
		check_end(c, "%s", "");
	window_end(&w);
}

static void judge_turns(struct check *c, const struct vmt_fault_sample *f, const struct truth *t,
			pid_t child)
{
	const struct vmt_fault_raw *row = window_row(f, child, t->fast);
	const struct vmt_fault_totals *n = &f->totals;
	uint64_t unknown = t->n / FAST + 1; /* the first of each round, where there is no table */
	const struct vmt_fault_latency *l;

	check_that(c,
		   n->mapped + n->gup + n->unattributed + n->dropped ==
			   n->kernel_minor + n->kernel_major,
		   "the sum does not hold");
	check_that(c, n->guard_trips >= BURSTS && n->guard_calms + 1 >= BURSTS,
		   "%" PRIu64 " trips, %" PRIu64 " back", n->guard_trips, n->guard_calms);
	if (!check_that(c, row != NULL, "the mapping has no row")) {
		check_end(c, "%s", "");
		return;
	}
	l = &row->latency;
	judge_buckets(c, row);
	check_that(c,
		   row->minor == t->n && !row->major && row->write == t->n && row->user == t->n &&
			   row->kinds[VMT_KIND_ZERO_FILL] <= t->n &&
			   row->kinds[VMT_KIND_ZERO_FILL] + unknown >= t->n,
		   "%" PRIu64 " minor, %" PRIu64 " major, %" PRIu64 " stores, %" PRIu64
		   " fresh pages of %" PRIu64,
		   row->minor, row->major, row->write, row->kinds[VMT_KIND_ZERO_FILL], t->n);
	check_that(c, l->count < t->n && stands_for(l, t->n, t->n / 10),
		   "%" PRIu64 " stand for %" PRIu64 " others of %" PRIu64, l->count, l->others,
		   t->n);
	check_end(c,
		  "%s: %" PRIu64 " faults, %" PRIu64 " timed for %" PRIu64 " others, %" PRIu64
		  " trips, %" PRIu64 " back",
		  vmt_rung_name(f->rung), row->minor, l->count, l->others, n->guard_trips,
		  n->guard_calms);
}

static void turns(struct check *c, enum vmt_rung_id rung, struct truth *t)
{
	struct vmt_probe_opts opts = { .rung = rung, .guard = true, .guard_rate = RATE };
	struct window w;
	int r;

	memset(t, 0, sizeof(*t));
	r = window_begin(&w, in_turns, t);
	r = r ?: window_count(&w, &opts, false, NULL);
	if (check_that(c, !r, "%s; %s", w.err.text, t->unable))
		judge_turns(c, &w.f, t, w.child);
	else
		check_end(c, "%s", "");
	window_end(&w);
}

static void each(const char *rung_name, enum vmt_rung_id rung, struct truth *t)
{
	struct check c;

	check_begin(&c, "F07/guard-trips/%s", rung_name);
	on_rung(&c, rung, true, t);
	check_begin(&c, "F07/guard-does-not-trip/%s", rung_name);
	on_rung(&c, rung, false, t);
	check_begin(&c, "F07/guard-trips-again/%s", rung_name);
	turns(&c, rung, t);
}

int main(int argc, char **argv)
{
	struct truth *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (t == MAP_FAILED)
		return 1;
	if (argc == 1)
		each("auto", VMT_RUNG_NONE, t);
	for (int i = 1; i < argc; i++)
		each(argv[i], vmt_rung_of(argv[i]), t);
	return 0;
}
