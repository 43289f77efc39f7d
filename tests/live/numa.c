/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * numa VMTOP: pages that were put on chosen nodes are those that vmtop maps shows there, to the
 * page, with the policy that was set; and a mapping without pages has none. On a machine with one
 * node, the pages are all on it.
 */

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/mempolicy.h */
#define MPOL_BIND 2

#define PAGES 12

/* What the workload made; in memory that the parent sees. */
struct made {
	uintptr_t first; /* three pages of the last node, by mbind() */
	uintptr_t both; /* five pages of node 0, then seven of the last */
	uintptr_t none; /* no pages */
	bool ready;
};

static struct made *made;
static size_t page;
static unsigned last_node;

static char *map(size_t pages)
{
	/* Between two that are closed, so that it stays a mapping of its own. */
	char *p = mmap(NULL, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + page, pages * page, PROT_READ | PROT_WRITE) < 0)
		exit(4);
	madvise(p + page, pages * page, MADV_NOHUGEPAGE);
	return p + page;
}

static void bind_to(char *p, size_t pages, unsigned node)
{
	unsigned long mask = 1ul << node;

	if (syscall(SYS_mbind, p, pages * page, MPOL_BIND, &mask, 64, 0) < 0)
		exit(5);
}

static void touch(char *p, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++)
		((volatile char *)p)[i * page] = 1;
}

static void workload(void)
{
	unsigned long mask = 1;
	char *p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = map(PAGES);
	bind_to(p, PAGES, last_node);
	touch(p, 2, 5);
	made->first = (uintptr_t)p;
	/* By the policy of the thread, as that of a mapping would split it. */
	p = map(PAGES);
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64) < 0)
		exit(5);
	touch(p, 0, 5);
	mask = 1ul << last_node;
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64) < 0)
		exit(5);
	touch(p, 5, PAGES);
	syscall(SYS_set_mempolicy, 0, NULL, 0);
	made->both = (uintptr_t)p;
	made->none = (uintptr_t)map(PAGES);
	made->ready = true;
	raise(SIGSTOP);
	for (;;)
		pause();
}

/* The columns of the mapping that begins at an address, "" where it is not there. */
static void find(FILE *f, uintptr_t start, char *text, size_t size)
{
	char line[4400];

	text[0] = 0;
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		char *end;

		if (strtoull(line, &end, 16) != start || *end != ',')
			continue;
		snprintf(text, size, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
	}
}

static FILE *read_vmtop(const char *vmtop, pid_t pid, bool *ret_ok)
{
	FILE *f = tmpfile();
	char number[16];
	pid_t child;
	int status;

	if (!f)
		exit(3);
	snprintf(number, sizeof(number), "%d", pid);
	child = fork();
	if (!child) {
		dup2(fileno(f), STDOUT_FILENO);
		execl(vmtop, "vmtop", "maps", number, "--csv", "--noheadings", "-o",
		      "start,numa_policy,numa_nodes,numa_page_size_bytes", NULL);
		_exit(127);
	}
	*ret_ok = waitpid(child, &status, 0) == child && WIFEXITED(status) &&
		  WEXITSTATUS(status) == 0;
	return f;
}

static void judge(const char *vmtop)
{
	char got[200], want[200];
	struct check c;
	int status;
	pid_t pid;
	bool ok;
	FILE *f;

	check_begin(&c, "numa/nodes");
	pid = fork();
	if (!pid)
		workload();
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) || !made->ready) {
		check_that(&c, false, "the workload did not come up: status %x", status);
		check_end(&c, "last node %u", last_node);
		return;
	}
	f = read_vmtop(vmtop, pid, &ok);
	check_that(&c, ok, "vmtop maps failed");
	find(f, made->first, got, sizeof(got));
	snprintf(want, sizeof(want), "bind:%u,N%u=3,%zu", last_node, last_node, page);
	check_that(&c, strcmp(got, want) == 0, "bound pages: '%s', not '%s'", got, want);
	find(f, made->both, got, sizeof(got));
	if (last_node)
		snprintf(want, sizeof(want), "default,\"N0=5 N%u=7\",%zu", last_node, page);
	else
		snprintf(want, sizeof(want), "default,N0=12,%zu", page);
	check_that(&c, strcmp(got, want) == 0, "pages of two nodes: '%s', not '%s'", got, want);
	find(f, made->none, got, sizeof(got));
	check_that(&c, strcmp(got, "default,,") == 0, "no pages: '%s'", got);
	check_end(&c, "nodes 0 and %u", last_node);
	fclose(f);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	char name[64];
	unsigned i;

	if (argc != 2) {
		fprintf(stderr, "usage: numa VMTOP\n");
		return 2;
	}
	if (access("/proc/self/numa_maps", R_OK) < 0) {
		check_skip("numa/nodes", "this kernel has no numa_maps");
		return 0;
	}
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "/sys/devices/system/node/node%u/meminfo", i);
		if (access(name, R_OK) == 0)
			last_node = i;
	}
	page = (size_t)sysconf(_SC_PAGESIZE);
	made = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return 3;
	judge(argv[1]);
	return 0;
}
