/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Storms of mmap(): the tree of mappings changes all the time while others fault in it. */

#include "probe-hostile.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define STORM_PAGES 16
#define STORM_NS    1000000000u
#define THREADS	    4

/* Threads of each sort; together THREADS. */
struct storm {
	const char *name;
	int fault_in_new; /* map, write, unmap */
	int fault_in_old; /* write to a mapping that stays, and give the pages back */
	int only_map; /* map and unmap */
};

static const struct storm storms_of_mmap[] = {
	{ "two-of-each", 2, 2, 0 },
	{ "all-map-and-fault", 4, 0, 0 },
	{ "one-faults-three-map", 0, 1, 3 },
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *in_new(void *end)
{
	while (now_ns() < *(uint64_t *)end) {
		char *p = touch_fresh(STORM_PAGES);

		if (!p)
			return end;
		munmap(p, STORM_PAGES * HOSTILE_PAGE);
	}
	return NULL;
}

static void *in_old(void *end)
{
	volatile char *p = (volatile char *)touch_fresh(STORM_PAGES);

	while (p && now_ns() < *(uint64_t *)end) {
		if (madvise((char *)(uintptr_t)p, STORM_PAGES * HOSTILE_PAGE, MADV_DONTNEED))
			return end;
		for (size_t i = 0; i < STORM_PAGES; i++)
			p[i * HOSTILE_PAGE] = 1;
	}
	return p ? NULL : end;
}

static void *only_map(void *end)
{
	while (now_ns() < *(uint64_t *)end) {
		char *p = mmap(NULL, STORM_PAGES * HOSTILE_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || munmap(p, STORM_PAGES * HOSTILE_PAGE))
			return end;
	}
	return NULL;
}

static int storm(void *arg)
{
	const struct storm *s = arg;
	uint64_t end = now_ns() + STORM_NS;
	pthread_t threads[THREADS];
	int failed = 0;

	for (int i = 0; i < THREADS; i++) {
		void *(*fn)(void *) = i < s->fault_in_new		      ? in_new
				      : i < s->fault_in_new + s->fault_in_old ? in_old
									      : only_map;

		if (pthread_create(&threads[i], NULL, fn, &end))
			return 1;
	}
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		failed |= result != NULL;
	}
	return failed;
}

static void mmap_storm(const struct storm *kind, enum vmt_rung_id best)
{
	struct vmt_probe_opts opts = { 0 };
	const struct vmt_fault_totals *t;
	const struct vmt_fault_proc *p;
	struct storm copy = *kind;
	uint64_t named = 0;
	struct session s;
	struct life life;
	struct check c;

	check_begin(&c, "mmap-storm/%s", kind->name);
	session_begin(&s, &opts);
	life = life_begin(storm, &copy);
	life_wait(&life);
	t = &s.faults.totals;
	if (session_end(&s, &c)) {
		check_that(&c, !life.status, "the storm ends with %x", (unsigned)life.status);
		judge_life(&c, &s.faults, &life);
		judge_sums(&c, &s.faults);
		/* A mapping is named by its range and its class; a file's by its path, too. */
		for (size_t i = 0; i < s.faults.n_maps; i++) {
			const struct vmt_fault_raw *m = &s.faults.maps[i];

			if (m->pid == (uint64_t)life.pid && m->start < m->end &&
			    (m->class != VMT_FAULT_FILE || m->path.len))
				named += m->minor + m->major;
		}
		p = account_of(&s.faults, life.pid);
		/* What a preemptible kernel keeps from the programs it tells. */
		check_that(&c,
			   !p || named + p->gup == life.minor + life.major || t->recursion_misses,
			   "%" PRIu64 " of %" PRIu64 " faults in a named mapping", named,
			   life.minor + life.major);
		check_that(&c, !p || !p->dropped, "some are dropped");
	}
	check_end(&c,
		  "%s: %" PRIu64 " of %" PRIu64 " faults in a named mapping; %" PRIu64
		  " nodes found dead, %" PRIu64 " unresolved, %" PRIu64 " recursion misses",
		  vmt_rung_name(best), named, life.minor + life.major, t->dead_nodes, t->unresolved,
		  t->recursion_misses);
	session_done(&s);
}

void mmap_storms(enum vmt_rung_id best)
{
	if (!session_is_bpf(best))
		return;
	for (size_t i = 0; i < sizeof(storms_of_mmap) / sizeof(storms_of_mmap[0]); i++)
		mmap_storm(&storms_of_mmap[i], best);
}
