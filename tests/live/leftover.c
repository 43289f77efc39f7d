/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * leftover VMTOP [SEED]: a run of "vmtop faults" that is killed, or crashes, at whatever moment,
 * leaves no program and no link in the kernel. Programs of others come and go meanwhile: what
 * counts is what was not there before and what no process holds.
 */

#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOMENTS	 10
#define IDS_MOST 1024
#define ENDS	 3
/* Programs are freed behind grace periods of RCU, and by a worker of the kernel. */
#define WAIT_MS 120000u
/* Under emulation a probe is loaded in seconds, on a busy machine in many of them. */
#define LOAD_US UINT64_C(300000000)

struct ids {
	uint32_t id[IDS_MOST];
	size_t n;
};

enum what {
	PROGRAMS,
	LINKS,
	WHATS,
};

static const char *const words[WHATS] = { "program", "link" };
static const char *const keys[WHATS] = { "prog_id:", "link_id:" };
static const int next_id[WHATS] = { BPF_PROG_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID };

/* All that the kernel has. -errno where it does not tell. */
static int list(enum what what, struct ids *ret)
{
	uint32_t id = 0;

	ret->n = 0;
	for (;;) {
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (syscall(SYS_bpf, next_id[what], &attr, sizeof(attr)))
			return errno == ENOENT ? 0 : -errno;
		id = attr.next_id;
		if (ret->n == IDS_MOST)
			return -E2BIG;
		ret->id[ret->n++] = id;
	}
}

static bool has(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static void add(struct ids *ids, uint32_t id)
{
	if (ids->n < IDS_MOST && !has(ids, id))
		ids->id[ids->n++] = id;
}

/* Adds what the descriptors of a process hold, by /proc/PID/fdinfo. */
static void held_by(const char *pid, struct ids *ret)
{
	char path[300], line[256];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, e->d_name);
		f = isdigit((unsigned char)e->d_name[0]) ? fopen(path, "re") : NULL;
		while (f && fgets(line, sizeof(line), f))
			for (int what = 0; what < WHATS; what++)
				if (!strncmp(line, keys[what], strlen(keys[what])))
					add(&ret[what],
					    (uint32_t)strtoul(line + strlen(keys[what]), NULL, 10));
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

static void held_by_all(struct ids *ret)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	for (int what = 0; what < WHATS; what++)
		ret[what].n = 0;
	while (d && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			held_by(e->d_name, ret);
	if (d)
		closedir(d);
}

static void sleep_us(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / 1000000),
			      .tv_nsec = (long)(us % 1000000) * 1000 };

	nanosleep(&t, NULL);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ret_said: what it says on its way, for the caller to close; NULL where nobody reads it. */
static pid_t start(const char *vmtop, FILE **ret_said)
{
	int said[2];
	pid_t pid;

	if (ret_said && pipe2(said, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		struct rlimit none = { 0, 0 };

		/* A crash is to leave no core either. */
		setrlimit(RLIMIT_CORE, &none);
		if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 ||
		    dup2(ret_said ? said[1] : fd, 2) < 0)
			_exit(126);
		execl(vmtop, vmtop, "faults", "--duration", "600", "-v", (char *)NULL);
		_exit(127);
	}
	if (ret_said) {
		close(said[1]);
		*ret_said = fdopen(said[0], "r");
		if (!*ret_said)
			exit(3);
	}
	return pid;
}

/* How long it takes until all is attached, which it says; 0 where it ends before. */
static uint64_t time_to_attach(const char *vmtop, struct ids *ret_held)
{
	uint64_t begun = now_us(), attached = 0;
	FILE *said = NULL;
	pid_t pid = start(vmtop, &said);
	char name[16], line[1024];

	if (pid < 0)
		return 0;
	while (!attached && fgets(line, sizeof(line), said))
		if (strstr(line, ": counting"))
			attached = now_us() - begun;
		else
			printf("# %s", line);
	snprintf(name, sizeof(name), "%d", (int)pid);
	ret_held[PROGRAMS].n = ret_held[LINKS].n = 0;
	held_by(name, ret_held);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fclose(said);
	return attached;
}

/* Waits until a process has programs and links. */
static void wait_for_links(const char *pid, struct ids *ret_held)
{
	uint64_t begun = now_us();

	do {
		sleep_us(10000);
		ret_held[PROGRAMS].n = ret_held[LINKS].n = 0;
		held_by(pid, ret_held);
	} while (!(ret_held[PROGRAMS].n && ret_held[LINKS].n) && now_us() - begun < LOAD_US);
}

/* A generator that gives the same everywhere (Steele and Vigna's splitmix64). */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Waits until there is nothing new that nobody holds; what is left is in ret. */
static size_t wait_for_none(const struct ids *before, struct ids *ret)
{
	uint64_t begun = now_us();
	size_t n;

	do {
		static struct ids held[WHATS], there;

		n = 0;
		/* What is there first: who holds it may not have had it yet. */
		for (int what = 0; what < WHATS; what++) {
			ret[what].n = 0;
			if (list((enum what)what, &there))
				continue;
			for (size_t i = 0; i < there.n; i++)
				if (!has(&before[what], there.id[i]))
					add(&ret[what], there.id[i]);
		}
		held_by_all(held);
		for (int what = 0; what < WHATS; what++) {
			size_t kept = 0;

			for (size_t i = 0; i < ret[what].n; i++)
				if (!has(&held[what], ret[what].id[i]))
					ret[what].id[kept++] = ret[what].id[i];
			ret[what].n = kept;
			n += kept;
		}
		if (n)
			sleep_us(100000);
	} while (n && now_us() - begun < WAIT_MS * 1000u);
	return n;
}

/* What the kernel does when memory is short, a bug, and an assertion. */
static const int ends[ENDS] = { SIGKILL, SIGSEGV, SIGABRT };

int main(int argc, char **argv)
{
	static struct ids before[WHATS], mine[WHATS], left[WHATS];
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20250607, state = seed, span;
	unsigned loaded = 0, attached = 0;
	size_t n;
	struct check c;

	if (argc < 2) {
		fputs("usage: leftover VMTOP [SEED]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int what = 0; what < WHATS; what++) {
		int r = list((enum what)what, &before[what]);

		if (r) {
			check_skip("F10/leftover", "the kernel does not list its BPF %ss: %s",
				   words[what], strerror(-r));
			return 0;
		}
	}
	check_begin(&c, "F10/leftover");
	span = time_to_attach(argv[1], mine);
	check_that(&c, span, "vmtop faults attaches nothing");
	check_that(&c, mine[PROGRAMS].n >= 2 && mine[LINKS].n >= 2,
		   "%zu programs and %zu links while it runs", mine[PROGRAMS].n, mine[LINKS].n);
	printf("# seed %llu, %zu programs and %zu links after %llu us\n", (unsigned long long)seed,
	       mine[PROGRAMS].n, mine[LINKS].n, (unsigned long long)span);
	/* Once by each signal with its links, then at any moment. */
	for (int i = 0; i < MOMENTS && span; i++) {
		uint64_t moment = random_next(&state) % (2 * span), begun = now_us();
		char name[16];
		pid_t pid = start(argv[1], NULL);

		if (pid < 0)
			break;
		snprintf(name, sizeof(name), "%d", (int)pid);
		if (i < ENDS)
			wait_for_links(name, mine);
		else
			sleep_us(moment);
		/* It stands still from here on, so that what it has is what it dies with. */
		kill(pid, SIGSTOP);
		moment = now_us() - begun;
		mine[PROGRAMS].n = mine[LINKS].n = 0;
		held_by(name, mine);
		kill(pid, ends[i % ENDS]);
		kill(pid, SIGCONT);
		waitpid(pid, NULL, 0);
		loaded += mine[PROGRAMS].n > 0;
		attached += mine[LINKS].n > 0;
		n = wait_for_none(before, left);
		printf("# signal %d after %llu us with %zu programs and %zu links\n",
		       ends[i % ENDS], (unsigned long long)moment, mine[PROGRAMS].n, mine[LINKS].n);
		check_that(&c, n == 0, "ended after %llu us: %zu programs and %zu links are left",
			   (unsigned long long)moment, left[PROGRAMS].n, left[LINKS].n);
	}
	check_that(&c, loaded >= ENDS && attached >= ENDS, "only %u of %d had programs, %u links",
		   loaded, MOMENTS, attached);
	check_end(&c, "%d kills, %u with programs, %u with links; seed %llu", MOMENTS, loaded,
		  attached, (unsigned long long)seed);
	return 0;
}
