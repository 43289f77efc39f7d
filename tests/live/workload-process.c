/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads of more than one process or thread. */

#include "workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void reap(struct workload *w, pid_t pid)
{
	struct workload_child *child = &w->truth->children[w->truth->n_children];
	struct rusage usage;
	int status;

	if (wait4(pid, &status, 0, &usage) != pid)
		workload_failed(w, "wait4: %m");
	if (w->truth->n_children == WORKLOAD_CHILDREN)
		workload_failed(w, "more than %d children", WORKLOAD_CHILDREN);
	child->pid = (uint64_t)pid;
	child->minor = (uint64_t)usage.ru_minflt;
	child->major = (uint64_t)usage.ru_majflt;
	w->truth->n_children++;
}

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
		reap(w, pid);
	}
}

/* Writing to pages that a child shares: a copy of each. */
static void cow(struct workload *w)
{
	char *p = workload_anon(w, w->pages);
	struct workload_range *r = workload_range(w, "cow", p, w->pages);
	pid_t pid;

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_FILL);
	pid = fork();
	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		for (;;)
			pause();
	}
	workload_settle(w);
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
	kill(pid, SIGKILL);
	reap(w, pid);
}

#define FRAMES_MAX 4096

/* The frames of n pages, of which there are at most FRAMES_MAX, as far as they may be known. */
static void frames(struct workload *w, const char *p, size_t n, uint64_t *ret)
{
	off_t at = (off_t)((uintptr_t)p / WORKLOAD_PAGE * sizeof(*ret));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, ret, n * sizeof(*ret), at) != (ssize_t)(n * sizeof(*ret)))
		workload_failed(w, "pagemap: %m");
	close(fd);
	for (size_t i = 0; i < n; i++)
		ret[i] &= (UINT64_C(1) << 55) - 1;
}

/* And to pages that it shared: nobody else has them any more. */
static void reuse(struct workload *w)
{
	static uint64_t before[FRAMES_MAX], after[FRAMES_MAX];
	char *p = workload_anon(w, w->pages);
	struct workload_range *r = workload_range(w, "reuse", p, w->pages);
	uint64_t said;
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
	reap(w, pid);
	workload_settle(w);
	if (w->pages > FRAMES_MAX)
		workload_unable(w, "more than %d pages", FRAMES_MAX);
	frames(w, p, w->pages, before);
	said = r->said;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_REUSE);
	frames(w, p, w->pages, after);
	if (!before[0])
		r->said = said;
	/* Up to 5.18 one that the kernel still has at hand for something is copied all the same. */
	for (size_t i = 0; i < w->pages; i++)
		if (before[i] != after[i]) {
			r->kinds[VMT_KIND_COW_REUSE]--;
			r->kinds[VMT_KIND_COW_COPY]++;
		}
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
	pid = fork();
	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		for (;;)
			pause();
	}
	workload_settle(w);
	r->owner_pid = (uint64_t)pid;
	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_SYSCALL;
	r->each_page = 1;
	r->pages = w->pages;
	workload_measure(&before);
	n = process_vm_writev(pid, &from, 1, &to, 1, 0);
	workload_add(r, &before);
	r->gup = r->minor + r->major;
	kill(pid, SIGKILL);
	if (n != (ssize_t)size)
		workload_failed(w, "process_vm_writev: %zd: %m", n);
	reap(w, pid);
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
