/* SPDX-License-Identifier: GPL-2.0-or-later */

/* More workloads on huge pages, on pages that userfaultfd or KSM has its hands on, and where memory
 * is short. */

#include "workload.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HUGE_COUNT    4ul
#define PAGES_OF_HUGE (WORKLOAD_HUGE / WORKLOAD_PAGE)
#define KSM_WAIT_MS   20000u
/* Fewer than may share one. */
#define KSM_PAGES 64ul

/* Memory for n huge pages, of which none is there yet. */
static struct workload_range *huge_range(struct workload *w, const char *label, size_t n)
{
	char *p = workload_huge_place(w, n * WORKLOAD_HUGE);
	struct workload_range *r;

	if (prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) ||
	    mmap(p, n * WORKLOAD_HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		workload_failed(w, "cannot map: %m");
	if (madvise(p, n * WORKLOAD_HUGE, MADV_HUGEPAGE))
		workload_unable(w, "MADV_HUGEPAGE: %m");
	r = workload_range(w, label, p, n * PAGES_OF_HUGE);
	r->class = VMT_FAULT_ANON;
	r->mixed = 1;
	return r;
}

/* One access to each huge page. */
static void touch_huge(struct workload_range *r, enum workload_access access)
{
	r->access = access;
	workload_touch(r, PAGES_OF_HUGE);
}

/* Whether all of it is there, where one page of each was touched. */
static void want_huge(struct workload *w, const struct workload_range *r)
{
	for (uint64_t p = r->start; p < r->end; p += WORKLOAD_HUGE) {
		unsigned char in_core = 0;

		if (mincore((void *)(p + WORKLOAD_HUGE / 2), WORKLOAD_PAGE, &in_core) ||
		    !(in_core & 1))
			workload_unable(w, "huge pages are not to be had");
	}
}

/* The huge page of zeroes; then stores to it, which get a huge page or a small one each. */
static void huge_zero(struct workload *w)
{
	struct workload_range *r = huge_range(w, "huge-zero", HUGE_COUNT);

	touch_huge(r, WORKLOAD_READ);
	/* It may be switched off. */
	if (r->minor != HUGE_COUNT)
		workload_unable(w, "no huge page of zeroes");
	want_huge(w, r);
	workload_was(r, VMT_KIND_THP);
	touch_huge(r, WORKLOAD_WRITE);
	workload_was(r, VMT_KIND_COW_COPY);
}

static void huge_child(struct workload *w)
{
	struct workload_range *r = huge_range(w, "huge-shared", HUGE_COUNT);
	pid_t pid;

	touch_huge(r, WORKLOAD_WRITE);
	want_huge(w, r);
	workload_was(r, VMT_KIND_THP);
	pid = workload_idle_child(w);
	touch_huge(r, WORKLOAD_WRITE);
	workload_was(r, VMT_KIND_COW_COPY);
	workload_end_child(w, pid);
}

#define GROUPS "/sys/fs/cgroup"

static void put(struct workload *w, const char *dir, const char *name, const char *value)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		workload_unable(w, "%s: %m", path);
	close(fd);
}

void workload_small_group(struct workload *w, const char *limit, const char *bytes)
{
	char known[256] = "";
	FILE *f = fopen(GROUPS "/cgroup.subtree_control", "re");

	if (f && !fgets(known, sizeof(known), f))
		known[0] = 0;
	if (f)
		fclose(f);
	if (!strstr(known, "memory"))
		workload_unable(w, "no cgroups v2 with memory in " GROUPS);
	snprintf(w->group, sizeof(w->group), GROUPS "/truth-%d", (int)getpid());
	if (mkdir(w->group, 0755))
		workload_unable(w, "%s: %m", w->group);
	put(w, w->group, limit, bytes);
}

void workload_join_group(struct workload *w)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	put(w, w->group, "cgroup.procs", pid);
}

static void too_large(struct workload *w, struct workload_range *r)
{
	workload_join_group(w);
	workload_settle(w);
	touch_huge(r, WORKLOAD_WRITE);
	workload_was(r, VMT_KIND_THP_FALLBACK);
}

/* A huge page is more than the group may have, small ones are not. */
static void fallback(struct workload *w)
{
	struct workload_range *r = huge_range(w, "fallback", HUGE_COUNT);

	workload_small_group(w, "memory.max", "1500K");
	workload_in_child(w, r, too_large);
}

/* A child that is killed for what it touched. */
static void short_of_memory(struct workload *w)
{
	size_t pages = (16ul << 20) / WORKLOAD_PAGE;
	volatile char *p = workload_anon(w, pages);
	pid_t pid;

	workload_small_group(w, "memory.max", "8M");
	pid = fork();
	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		static struct workload_said unsaid;

		w->child = &unsaid;
		workload_join_group(w);
		for (size_t i = 0; i < pages; i++)
			p[i * WORKLOAD_PAGE] = 1;
		_exit(0);
	}
	workload_reap(w, pid);
	workload_settle(w);
}

static char *hugetlb_place(struct workload *w, struct workload_range **ret, const char *label,
			   int flags)
{
	char *p = workload_huge_place(w, HUGE_COUNT * WORKLOAD_HUGE);

	if (mmap(p, HUGE_COUNT * WORKLOAD_HUGE, PROT_READ | PROT_WRITE,
		 flags | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		workload_unable(w, "MAP_HUGETLB: %m (vm.nr_hugepages)");
	*ret = workload_range(w, label, p, HUGE_COUNT * PAGES_OF_HUGE);
	(*ret)->class = VMT_FAULT_HUGETLB;
	(*ret)->mixed = 1;
	snprintf((*ret)->path, sizeof((*ret)->path), "/anon_hugepage (deleted)");
	return p;
}

/* First loads, which get pages of their own too, then stores while a child has them as well. */
static void hugetlb_cow(struct workload *w)
{
	struct workload_range *r;
	pid_t pid;

	hugetlb_place(w, &r, "hugetlb-cow", MAP_PRIVATE);
	touch_huge(r, WORKLOAD_READ);
	touch_huge(r, WORKLOAD_WRITE);
	pid = workload_idle_child(w);
	touch_huge(r, WORKLOAD_WRITE);
	workload_was(r, VMT_KIND_HUGETLB);
	workload_end_child(w, pid);
}

static void hugetlb_shared(struct workload *w)
{
	struct workload_range *r;

	hugetlb_place(w, &r, "hugetlb-shared", MAP_SHARED);
	touch_huge(r, WORKLOAD_WRITE);
	workload_was(r, VMT_KIND_HUGETLB);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int ksm_runs(void)
{
	char c = '0';
	int fd = open("/sys/kernel/mm/ksm/run", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, &c, 1) != 1)
		c = '0';
	if (fd >= 0)
		close(fd);
	return c == '1';
}

/* How many of the pages have the frame of their neighbour. */
static size_t merged(struct workload *w, const char *p, size_t n, uint64_t *frames)
{
	size_t same = 0;

	workload_pagemap(w, p, n, frames);
	for (size_t i = 0; i + 1 < n; i++)
		same += frames[i] && frames[i] == frames[i + 1];
	return same;
}

/* Pages of one content, which have become one. */
static struct workload_range *merged_range(struct workload *w, const char *label)
{
	static uint64_t frames[KSM_PAGES];
	uint64_t end = now_ms() + KSM_WAIT_MS;
	char *p = workload_anon(w, KSM_PAGES);
	struct workload_range *r;

	if (!ksm_runs())
		workload_unable(w, "KSM does not run (/sys/kernel/mm/ksm/run)");
	r = workload_range(w, label, p, KSM_PAGES);
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	memset(p, 7, KSM_PAGES * WORKLOAD_PAGE);
	if (madvise(p, KSM_PAGES * WORKLOAD_PAGE, MADV_MERGEABLE))
		workload_unable(w, "MADV_MERGEABLE: %m");
	while (merged(w, p, KSM_PAGES, frames) + 1 < KSM_PAGES) {
		if (now_ms() > end)
			workload_unable(w, "KSM did not merge all of it in time");
		usleep(20000);
	}
	workload_settle(w);
	return r;
}

static void ksm(struct workload *w)
{
	struct workload_range *r = merged_range(w, "merged");

	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
}

/* The kernel takes them apart. */
static void ksm_undo(struct workload *w)
{
	struct workload_range *r = merged_range(w, "taken-apart");
	uint64_t touched = r->minor + r->major;
	struct rusage before;
	int failed;

	workload_measure(&before);
	failed = madvise((void *)r->start, r->end - r->start, MADV_UNMERGEABLE);
	workload_add(r, &before);
	if (failed)
		workload_failed(w, "MADV_UNMERGEABLE: %m");
	r->gup = r->minor + r->major - touched;
}

const struct workload_kind workload_huge_kinds[] = {
	{ "huge-zero", NULL, huge_zero },
	{ "huge-child", NULL, huge_child },
	{ "huge-fallback", NULL, fallback },
	{ "short-of-memory", NULL, short_of_memory },
	{ "hugetlb-cow", NULL, hugetlb_cow },
	{ "hugetlb-shared", NULL, hugetlb_shared },
	{ "ksm", NULL, ksm },
	{ "ksm-undo", NULL, ksm_undo },
};
const size_t workload_n_huge_kinds = sizeof(workload_huge_kinds) / sizeof(workload_huge_kinds[0]);
