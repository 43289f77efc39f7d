/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads of more than one process or thread. */

#include "workload.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A shell's life: four programs, one after the other. */
static void programs(struct workload *w)
{
	char pages[24];

	for (size_t i = 0; i < 4; i++) {
		pid_t pid;

		snprintf(pages, sizeof(pages), "%zu", w->pages / (i + 1));
		pid = fork();
		if (pid < 0)
			workload_failed(w, "fork: %m");
		if (!pid) {
			char *argv[] = { (char[]){ "workload" }, (char[]){ "leaf" }, pages, NULL };

			execv(w->program, argv);
			_exit(127);
		}
		workload_reap(w, pid);
	}
}

/* Writing to pages that a child shares: a copy of each. */
static void cow(struct workload *w)
{
	struct workload_range *r = workload_range(w, "cow", workload_anon(w, w->pages), w->pages);
	pid_t pid;

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	pid = workload_idle_child(w);
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
	workload_end_child(w, pid);
}

/* And to pages that it shared: nobody else has them any more. */
static void reuse(struct workload *w)
{
	struct workload_range *r = workload_range(w, "reuse", workload_anon(w, w->pages), w->pages);
	pid_t pid;

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	pid = fork();
	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid)
		_exit(0);
	workload_reap(w, pid);
	workload_settle(w);
	workload_store_again(w, r);
}

/* Filling the memory of another process: the kernel charges the one that writes. */
static void remote(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	char *p = workload_anon(w, w->pages), *source = workload_anon(w, w->pages);
	struct workload_range *r = workload_range(w, "remote", p, w->pages);
	struct iovec from = { source, size }, to = { p, size };
	struct rusage before;
	ssize_t n;
	pid_t pid;

	memset(source, 1, size);
	pid = workload_idle_child(w);
	r->owner_pid = (uint64_t)pid;
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_SYSCALL;
	r->each_page = 1;
	r->pages = w->pages;
	(void)process_vm_writev(pid, NULL, 0, NULL, 0, 0);
	workload_measure(&before);
	n = process_vm_writev(pid, &from, 1, &to, 1, 0);
	workload_add(r, &before);
	r->gup = r->minor + r->major;
	if (n != (ssize_t)size)
		workload_failed(w, "process_vm_writev: %zd: %m", n);
	workload_end_child(w, pid);
}

#define STORM_THREADS 4
#define STORM_PAGES   32ul

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void *storm_thread(void *arg)
{
	const struct workload *w = arg;
	uint64_t end = now_ms() + w->storm_ms;

	do {
		volatile char *p = mmap(NULL, STORM_PAGES * WORKLOAD_PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return arg;
		for (size_t i = 0; i < STORM_PAGES; i++)
			p[i * WORKLOAD_PAGE] = 1;
		munmap((void *)(uintptr_t)p, STORM_PAGES * WORKLOAD_PAGE);
	} while (now_ms() < end);
	return NULL;
}

static void storm(struct workload *w)
{
	pthread_t threads[STORM_THREADS];
	void *failed = NULL;

	for (size_t i = 0; i < STORM_THREADS; i++)
		if (pthread_create(&threads[i], NULL, storm_thread, w))
			workload_failed(w, "cannot start a thread");
	for (size_t i = 0; i < STORM_THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		failed = failed ?: result;
	}
	if (failed)
		workload_failed(w, "mmap in the storm failed");
}

const struct workload_kind workload_process_kinds[] = {
	{ "programs", NULL, programs }, { "cow", NULL, cow },	  { "reuse", NULL, reuse },
	{ "remote", NULL, remote },	{ "storm", NULL, storm },
};
const size_t workload_n_process_kinds =
	sizeof(workload_process_kinds) / sizeof(workload_process_kinds[0]);
