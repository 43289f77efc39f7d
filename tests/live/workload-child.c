/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Workloads of a child on its parent's memory, and of a process on that of another. */

#include "workload.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

void workload_reap(struct workload *w, pid_t pid)
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

pid_t workload_idle_child(struct workload *w)
{
	pid_t pid = fork();

	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		for (;;)
			pause();
	}
	workload_settle(w);
	return pid;
}

void workload_end_child(struct workload *w, pid_t pid)
{
	kill(pid, SIGKILL);
	workload_reap(w, pid);
}

void workload_in_child(struct workload *w, struct workload_range *range,
		       void (*act)(struct workload *w, struct workload_range *range))
{
	struct workload_said *said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (said == MAP_FAILED)
		workload_failed(w, "mmap: %m");
	pid = fork();
	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		range->minor = range->major = range->gup = range->pages = 0;
		range->said = range->said_major = 0;
		memset(range->kinds, 0, sizeof(range->kinds));
		w->child = said;
		workload_settle(w);
		act(w, range);
		said->range = *range;
		said->status = WORKLOAD_DONE;
		_exit(0);
	}
	workload_reap(w, pid);
	workload_settle(w);
	if (said->status == WORKLOAD_UNABLE)
		workload_unable(w, "%s", said->why);
	if (said->status != WORKLOAD_DONE)
		workload_failed(w, "a child: %s", said->why[0] ? said->why : "it was killed");
	*range = said->range;
	range->pid = (uint64_t)pid;
	munmap(said, sizeof(*said));
}

static struct workload_range *inherited(struct workload *w, const char *label)
{
	struct workload_range *r = workload_range(w, label, workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->access = WORKLOAD_WRITE;
	memset((void *)r->start, 1, w->pages * WORKLOAD_PAGE);
	return r;
}

static void copy_all(struct workload *w, struct workload_range *r)
{
	(void)w;
	r->each_page = 1;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_COW_COPY);
}

/* A child that stores to what its parent has as well. */
static void child_copies(struct workload *w)
{
	workload_in_child(w, inherited(w, "inherited"), copy_all);
}

static void read_zeroes(struct workload *w, struct workload_range *r)
{
	(void)w;
	r->each_page = 1;
	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was(r, VMT_KIND_ZERO_PAGE);
}

static void child_reads(struct workload *w)
{
	struct workload_range *r = workload_range(w, "empty", workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	workload_in_child(w, r, read_zeroes);
}

static void read_file(struct workload *w, struct workload_range *r)
{
	(void)w;
	r->access = WORKLOAD_READ;
	workload_touch(r, 1);
	workload_was_cached(r);
}

/* What a parent has in its page tables of a file is not copied for a child. */
static void child_file(struct workload *w)
{
	struct workload_range *r = workload_map_file(w, "mapped", PROT_READ, MAP_PRIVATE);

	for (size_t i = 0; i < w->pages; i++)
		(void)((volatile char *)r->start)[i * WORKLOAD_PAGE];
	workload_in_child(w, r, read_file);
}

/* A child that shares all with its parent until it becomes another program. */
static pid_t leaf_by_vfork(const char *program, char *pages)
{
	char *argv[] = { (char[]){ "workload" }, (char[]){ "leaf" }, pages, NULL };
	pid_t pid = vfork();

	if (!pid) {
		execv(program, argv);
		_exit(127);
	}
	return pid;
}

static void vforks(struct workload *w)
{
	char pages[24];

	snprintf(pages, sizeof(pages), "%zu", w->pages);
	for (size_t i = 0; i < 3; i++) {
		pid_t pid = leaf_by_vfork(w->program, pages);

		if (pid < 0)
			workload_failed(w, "vfork: %m");
		workload_reap(w, pid);
	}
	workload_settle(w);
}

/* A child that dies of what it touched. */
static void killed(struct workload *w)
{
	volatile char *p = workload_reserve(w, w->pages);
	pid_t pid = fork();

	if (pid < 0)
		workload_failed(w, "fork: %m");
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		for (size_t i = 0; i < w->pages; i++)
			p[i * WORKLOAD_PAGE] = 1;
		_exit(0);
	}
	workload_reap(w, pid);
	workload_settle(w);
}

static struct workload_range *of_other(struct workload *w, const char *label)
{
	struct workload_range *r = workload_range(w, label, workload_anon(w, w->pages), w->pages);

	r->class = VMT_FAULT_ANON;
	r->each_page = 1;
	r->pages = w->pages;
	return r;
}

/* Reading the memory of another, which was never written to. */
static void remote_read(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	char *into = workload_anon(w, w->pages);
	struct workload_range *r = of_other(w, "read-remote");
	struct iovec to = { into, size }, from = { (void *)r->start, size };
	struct rusage before;
	ssize_t n;
	pid_t pid;

	memset(into, 1, size);
	pid = workload_idle_child(w);
	memset(into, 2, size);
	r->owner_pid = (uint64_t)pid;
	r->access = WORKLOAD_SYSCALL_READ;
	(void)process_vm_readv(pid, NULL, 0, NULL, 0, 0);
	workload_measure(&before);
	n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	workload_add(r, &before);
	r->gup = r->minor + r->major;
	if (n != (ssize_t)size)
		workload_failed(w, "process_vm_readv: %zd: %m", n);
	workload_end_child(w, pid);
}

/* What a debugger does. */
static void proc_mem(struct workload *w)
{
	struct workload_range *r = of_other(w, "mem");
	struct rusage before;
	char path[40], byte = 'x';
	ssize_t n = 1;
	pid_t pid;
	int fd;

	pid = workload_idle_child(w);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		workload_unable(w, "%s: %m", path);
	r->owner_pid = (uint64_t)pid;
	r->access = WORKLOAD_SYSCALL;
	(void)!pwrite(fd, &byte, 0, 0);
	workload_measure(&before);
	for (size_t i = 0; i < w->pages && n == 1; i++)
		n = pwrite(fd, &byte, 1, (off_t)(r->start + i * WORKLOAD_PAGE));
	workload_add(r, &before);
	r->gup = r->minor + r->major;
	if (n != 1)
		workload_unable(w, "%s: %m", path);
	workload_end_child(w, pid);
}

/* Into the memory of a process without passing by the page cache: the kernel takes the pages. */
static void direct(struct workload *w)
{
	size_t size = w->pages * WORKLOAD_PAGE;
	struct workload_range *r = of_other(w, "direct");
	struct rusage before;
	ssize_t n;
	int fd = open(w->file, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		workload_unable(w, "O_DIRECT: %m");
	r->access = WORKLOAD_SYSCALL;
	workload_measure(&before);
	n = read(fd, (void *)r->start, size);
	workload_add(r, &before);
	if (n != (ssize_t)size)
		workload_unable(w, "O_DIRECT: %zd: %m", n);
	close(fd);
	r->gup = r->minor + r->major;
}

const struct workload_kind workload_child_kinds[] = {
	{ "child-copies", NULL, child_copies },
	{ "child-reads", NULL, child_reads },
	{ "child-file", workload_warm_file, child_file },
	{ "vforks", NULL, vforks },
	{ "killed", NULL, killed },
	{ "remote-read", NULL, remote_read },
	{ "proc-mem", NULL, proc_mem },
	{ "direct", workload_warm_file, direct },
};
const size_t workload_n_child_kinds =
	sizeof(workload_child_kinds) / sizeof(workload_child_kinds[0]);
