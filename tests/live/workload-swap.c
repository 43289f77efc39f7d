/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads that want something of the machine: a swap area, or two nodes. */

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21 /* Linux 5.4 */
#endif

#define IN_SWAP (UINT64_C(1) << 62)
#define WAIT_MS 15000u
/* More than the group of the process should have; where it may not have more at all, it is killed
 * when too much of it is on its way to the disk. */
#define OVER	  4096ul
#define OVER_HIGH "10M"

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void want_swap(struct workload *w)
{
	struct sysinfo si;

	if (sysinfo(&si) || si.freeswap < (64ul << 20) / si.mem_unit)
		workload_unable(w, "no swap area with room for it");
}

/* Faults of the range since said last came from swap. */
static void was_swapped(struct workload_range *r)
{
	uint64_t major = r->major - r->said_major;

	r->kinds[VMT_KIND_SWAP_MAJOR] += major;
	r->said += major;
	workload_was(r, VMT_KIND_SWAP_MINOR);
}

/* Pages that the kernel was asked to put away; most of them are still in the swap cache. */
static void away(struct workload *w)
{
	static uint64_t entries[256];
	size_t n = w->pages < 256 ? w->pages : 256, out;
	struct workload_range *r;
	uint64_t end = now_ms() + WAIT_MS;
	char *p = workload_anon(w, n);

	want_swap(w);
	r = workload_range(w, "put-away", p, n);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	do {
		if (madvise(p, n * WORKLOAD_PAGE, MADV_PAGEOUT))
			workload_unable(w, "MADV_PAGEOUT: %m");
		workload_pagemap(w, p, n, entries);
		out = 0;
		for (size_t i = 0; i < n; i++)
			out += !!(entries[i] & IN_SWAP);
	} while (out < n && now_ms() < end);
	if (out < n)
		workload_unable(w, "%zu of %zu pages went to swap", out, n);
	workload_touch(r, 1);
	was_swapped(r);
}

/* More than the process may have at once: the second time most of it comes from the disk. */
static void twice(struct workload *w, struct workload_range *r, enum workload_access access)
{
	workload_join_group(w);
	workload_settle(w);
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	r->access = (uint32_t)access;
	r->mixed = access != WORKLOAD_WRITE;
	workload_touch(r, 1);
	was_swapped(r);
	if (!r->kinds[VMT_KIND_SWAP_MAJOR])
		workload_unable(w, "nothing was read from swap");
}

static void twice_read(struct workload *w, struct workload_range *r)
{
	twice(w, r, WORKLOAD_READ);
}

static void twice_write(struct workload *w, struct workload_range *r)
{
	twice(w, r, WORKLOAD_WRITE);
}

static void over(struct workload *w, const char *label,
		 void (*act)(struct workload *w, struct workload_range *range))
{
	struct workload_range *r;

	want_swap(w);
	r = workload_range(w, label, workload_anon(w, OVER), OVER);
	r->class = VMT_FAULT_ANON;
	workload_small_group(w, "memory.high", OVER_HIGH);
	workload_in_child(w, r, act);
}

static void swap_read(struct workload *w)
{
	over(w, "swap-read", twice_read);
}

static void swap_write(struct workload *w)
{
	over(w, "swap-write", twice_write);
}

/* Of what was shared and came back without being read, nothing is said. */
static void twice_shared(struct workload *w, struct workload_range *r)
{
	workload_join_group(w);
	workload_settle(w);
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_SHMEM);
	/* With stores, up to 5.19, all of them would be tried again and major. */
	r->access = WORKLOAD_READ;
	r->mixed = 1;
	workload_touch(r, 1);
	r->kinds[VMT_KIND_SWAP_MAJOR] = r->major - r->said_major;
	r->said += r->kinds[VMT_KIND_SWAP_MAJOR];
	if (!r->kinds[VMT_KIND_SWAP_MAJOR])
		workload_unable(w, "nothing was read from swap");
}

static void swap_shmem(struct workload *w)
{
	char *p = workload_reserve(w, OVER);
	struct workload_range *r;

	want_swap(w);
	if (mmap(p, OVER * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		workload_failed(w, "cannot map shared memory: %m");
	r = workload_range(w, "swap-shmem", p, OVER);
	r->class = VMT_FAULT_SHMEM;
	snprintf(r->path, sizeof(r->path), "/dev/zero (deleted)");
	workload_small_group(w, "memory.high", OVER_HIGH);
	workload_in_child(w, r, twice_shared);
}

const struct workload_kind workload_swap_kinds[] = {
	{ "swap-away", NULL, away },
	{ "swap-read", NULL, swap_read },
	{ "swap-write", NULL, swap_write },
	{ "swap-shmem", NULL, swap_shmem },
};
const size_t workload_n_swap_kinds = sizeof(workload_swap_kinds) / sizeof(workload_swap_kinds[0]);

/* The second thread, which a byte goes to and comes back from. */
struct echo {
	int to[2];
	int back[2];
};

static void *echo(void *arg)
{
	const struct echo *e = arg;
	char c;

	while (read(e->to[0], &c, 1) == 1) {
		workload_settle_thread();
		if (write(e->back[1], &c, 1) != 1)
			break;
	}
	return NULL;
}

/*
 * A thread begins when the scheduler lets it, and its first faults are the process's: they must not
 * come between the measuring and the window. Behind the second answer it does nothing that it did
 * not do behind the first, and waits for good.
 */
static void settle_echo(struct workload *w, const struct echo *e)
{
	char c = 0;

	for (int i = 0; i < 2; i++)
		if (write(e->to[1], &c, 1) != 1 || read(e->back[0], &c, 1) != 1)
			workload_failed(w, "no answer from the thread");
}

/* Memory that is there already has a policy of its own, so that balancing leaves it alone. */
static void keep_local(struct workload *w)
{
	FILE *f = fopen("/proc/self/maps", "re");
	static struct echo second;
	unsigned long start, end;
	pthread_t thread;
	char line[512];

	/* Of a process of one thread, the kernel lets pages of the thread's own node be. */
	if (pipe2(second.to, O_CLOEXEC) || pipe2(second.back, O_CLOEXEC) ||
	    pthread_create(&thread, NULL, echo, &second))
		workload_failed(w, "cannot start a thread");
	while (f && fgets(line, sizeof(line), f))
		/* Of the vdso and its like there is none, and no balancing either. */
		if (sscanf(line, "%lx-%lx", &start, &end) == 2)
			(void)syscall(SYS_mbind, start, end - start, MPOL_PREFERRED, NULL, 0, 0);
	if (!f)
		workload_failed(w, "maps: %m");
	fclose(f);
	/* What was marked for balancing before it had a policy is touched here, too. */
	settle_echo(w, &second);
}

static bool balancing(void)
{
	char mode = '0';
	FILE *f = fopen("/proc/sys/kernel/numa_balancing", "re");

	if (f && fread(&mode, 1, 1, f) != 1)
		mode = '0';
	if (f)
		fclose(f);
	return mode != '0';
}

/* What is there and writable faults for one reason alone: that the kernel wants to see who uses it.
 */
static void hints(struct workload *w)
{
	uint64_t end = now_ms() + WAIT_MS;
	struct workload_range *r;
	size_t cpu = 0;

	if (access("/sys/devices/system/node/node1", F_OK) || !balancing())
		workload_unable(w, "one node, or no balancing (/proc/sys/kernel/numa_balancing)");
	r = workload_range(w, "hints", workload_anon(w, w->pages), w->pages);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	while (r->minor + r->major < 3 * w->pages && now_ms() < end) {
		cpu_set_t set;

		for (size_t i = 0; i < 50; i++)
			workload_touch(r, 1);
		/* Once from one node, once from the other. */
		CPU_ZERO(&set);
		CPU_SET(cpu++ % 2, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	if (r->minor + r->major == w->pages)
		workload_unable(w, "no hint in %u ms", WAIT_MS);
	workload_was(r, VMT_KIND_NUMA_HINT);
}

const struct workload_kind workload_numa_kinds[] = {
	{ "numa-hints", keep_local, hints },
};
const size_t workload_n_numa_kinds = sizeof(workload_numa_kinds) / sizeof(workload_numa_kinds[0]);
