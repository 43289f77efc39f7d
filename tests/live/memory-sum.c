/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * memory-sum VMTOP DIR [--samples N] [--guest]
 *
 * While a child fills the page cache of files in DIR and drops it again: the parts of vmtop free
 * are MemTotal, to the byte, in each sample, and available as a sum is the kernel's number, to the
 * byte. That is exact but where pages moved while meminfo was written: the kernel counts free pages
 * once for MemFree and once more for MemAvailable (meminfo_proc_show(), si_mem_available()), and
 * zoneinfo is a read before it. Such a look, one of some ten or hundred under this load, is
 * printed, and another one is taken. A sum that were wrong would be wrong in all of them.
 *
 * A user without rights knows as much. And against another reader: free(1) of procps prints the
 * same of the same bytes. In a guest there is none.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIELDS_MAX 24
#define TRIES	   10 /* of each sample */
#define CHUNK	   (1 << 16)
#define CHUNKS	   256 /* of 64 KiB: files of 16 MiB */

struct row {
	long long v[FIELDS_MAX];
	size_t n;
};

/* The numbers of a line of CSV. */
static bool numbers(char *line, struct row *ret)
{
	char *word;

	for (ret->n = 0; ret->n < FIELDS_MAX && (word = strsep(&line, ",\r\n")); ret->n++) {
		char *end;

		ret->v[ret->n] = strtoll(word, &end, 10);
		if (end == word || *end)
			return ret->n > 0;
	}
	return true;
}

#define NOBODY 65534

/* One look by vmtop free as that user, the columns as they are named. */
static bool look_as(const char *vmtop, uid_t uid, const char *columns, struct row *ret)
{
	const char *const args[] = { "vmtop",	 "free",  "--csv", "--noheadings",
				     "--output", columns, NULL };
	char line[1024];
	pid_t pid;
	FILE *f = check_start(vmtop, uid, args, &pid);
	bool good;

	if (!f)
		return false;
	good = fgets(line, sizeof(line), f) && numbers(line, ret);
	return check_stop(f, pid) && good;
}

static bool look(const char *vmtop, const char *columns, struct row *ret)
{
	return look_as(vmtop, 0, columns, ret);
}

/* Nothing of it is root's alone: the same fields are known. */
static void nobody(const char *vmtop)
{
	static const char *const columns =
		"total,free,pcp_bytes,zram_bytes,available_derived_bytes,pgfault_total,"
		"reserve_bytes";
	struct row own = { 0 }, other = { 0 };
	struct check c;

	check_begin(&c, "memory-sum/nobody");
	check_that(&c, look(vmtop, columns, &own) && look_as(vmtop, NOBODY, columns, &other),
		   "cannot be read");
	/* An unknown value ends the row. */
	check_that(&c, own.n == 7 && other.n == own.n, "%zu of %zu fields", other.n, own.n);
	check_that(&c, other.v[0] == own.v[0], "total is %lld, not %lld", other.v[0], own.v[0]);
	check_end(&c, "%zu fields", other.n);
}

/* A file that is written, read and removed, over and over. */
static pid_t cache_load(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		static char chunk[CHUNK];
		char path[512];
		unsigned round;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s/memory-sum.%d", dir, (int)getpid());
		for (round = 0;; round++) {
			int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), i;

			unlink(path);
			for (i = 0; i < CHUNKS; i++)
				if (write(fd, chunk, sizeof(chunk)) != sizeof(chunk))
					break;
			for (i = 0; i < CHUNKS; i++)
				if (pread(fd, chunk, sizeof(chunk), (off_t)i * CHUNK) <= 0)
					break;
			if (fd < 0)
				_exit(1);
			close(fd);
		}
	}
	return pid;
}

static void available(const char *vmtop, const char *dir, unsigned samples)
{
	struct check c;
	pid_t child = cache_load(dir);
	unsigned i, tries, at_once = 0;
	struct row row;
	long long cache_min = INT64_MAX, cache_max = 0;

	check_begin(&c, "memory-sum/available");
	/* Until the load has had its turn, too. */
	for (i = 0; !c.failed && (i < samples || (cache_max == cache_min && i < 100 * samples));
	     i++) {
		for (tries = 0; tries < TRIES && (!tries || row.v[2]); tries++) {
			if (!check_that(&c,
					look(vmtop,
					     "available,available_derived_bytes,"
					     "available_residual_bytes,buff/cache",
					     &row) &&
						row.n == 4,
					"sample %u cannot be read", i))
				break;
			cache_min = row.v[3] < cache_min ? row.v[3] : cache_min;
			cache_max = row.v[3] > cache_max ? row.v[3] : cache_max;
			check_that(&c, row.v[1] - row.v[0] == row.v[2], "sample %u: residual %lld",
				   i, row.v[2]);
			if (row.v[2])
				printf("# sample %u: the kernel says %lld, the sum is %lld: %lld\n",
				       i, row.v[0], row.v[1], row.v[2]);
		}
		check_that(&c, c.failed || !row.v[2], "sample %u is off by %lld in %u looks", i,
			   row.v[2], tries);
		at_once += tries == 1;
	}
	check_that(&c, child > 0 && waitpid(child, NULL, WNOHANG) == 0, "the load ended");
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	check_that(&c, cache_max > cache_min, "the page cache did not move");
	check_end(&c, "%u samples exact, %u of them at once, cache moved by %lld KiB", i, at_once,
		  (cache_max - cache_min) / 1024);
}

/* The rows "part" of NDJSON, and MemTotal. */
static bool parts(const char *vmtop, const char *samples, struct check *c, unsigned *ret_samples,
		  long long *ret_least, long long *ret_most)
{
	const char *const args[] = {
		"vmtop", "free", "--ndjson", "-d", "0.05", "-n", samples, NULL
	};
	static char line[65536];
	long long total = 0, sum = 0, v;
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		const char *at;

		if (strstr(line, "{\"type\":\"system\"") == line) {
			at = strstr(line, "\"total_bytes\":");
			total = at ? strtoll(at + 14, NULL, 10) : 0;
			sum = 0;
		} else if (strstr(line, "{\"type\":\"part\"") == line) {
			at = strstr(line, "\"size_bytes\":");
			/* strtoll() makes 0 of null. */
			v = at ? strtoll(at + 13, NULL, 10) : 0;
			sum += v;
			if (!strstr(line, "\"name\":\"unaccounted\""))
				continue;
			++*ret_samples;
			*ret_least = v < *ret_least ? v : *ret_least;
			*ret_most = v > *ret_most ? v : *ret_most;
			check_that(c, total > 0 && sum == total, "sample %u: %lld of %lld",
				   *ret_samples, sum, total);
		}
	}
	return check_stop(f, pid);
}

static void sum_is_total(const char *vmtop, const char *dir, unsigned samples)
{
	struct check c;
	pid_t child = cache_load(dir);
	long long least = INT64_MAX, most = INT64_MIN;
	unsigned n = 0;
	char count[16];

	check_begin(&c, "memory-sum/parts");
	snprintf(count, sizeof(count), "%u", samples);
	check_that(&c, parts(vmtop, count, &c, &n, &least, &most), "vmtop free failed");
	check_that(&c, n == samples, "%u of %u samples", n, samples);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	check_end(&c, "%u samples, unaccounted %lld to %lld KiB", n, least / 1024, most / 1024);
}

/* The rows "Mem:" and "Swap:" of free -bw. */
static bool procps(struct row *ret)
{
	const char *const args[] = { "free", "-bw", NULL };
	char line[512];
	pid_t pid;
	FILE *f = check_start("/usr/bin/free", 0, args, &pid);
	bool mem = false, swap = false;
	long long *v = ret->v;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		/* total used free shared buffers cache available */
		if (sscanf(line, "Mem: %lld %lld %lld %lld %lld %lld %lld", &v[0], &v[1], &v[2],
			   &v[3], &v[4], &v[5], &v[6]) == 7)
			mem = true;
		if (sscanf(line, "Swap: %lld %lld %lld", &v[7], &v[8], &v[9]) == 3)
			swap = true;
	}
	return check_stop(f, pid) && mem && swap;
}

/* /proc/meminfo as it is now, and from now on, for this process and those that it starts. */
static bool hold_still(const char *dir)
{
	static char text[65536];
	char path[512];
	int from = open("/proc/meminfo", O_RDONLY | O_CLOEXEC), to;
	ssize_t n = from < 0 ? -1 : read(from, text, sizeof(text));
	bool done;

	snprintf(path, sizeof(path), "%s/memory-sum.%d", dir, (int)getpid());
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (from < 0 || to < 0 || n <= 0 || write(to, text, (size_t)n) != n)
		return false;
	close(from);
	close(to);
	done = unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(path, "/proc/meminfo", NULL, MS_BIND, NULL) == 0;
	unlink(path);
	return done;
}

/* Each of the two takes memory, which the other one does not see: both read the same bytes. */
static void as_free_says(const char *vmtop, const char *dir)
{
	static const char *const names[] = { "total",	   "used",	"free",
					     "shared",	   "buffers",	"available",
					     "swap total", "swap used", "swap free" };
	static const unsigned theirs[] = { 0, 1, 2, 3, 4, 6, 7, 8, 9 };
	const char *const columns =
		"total,used,free,shared,buffers,available,swap_total_bytes,swap_used_bytes,"
		"swap_free_bytes,cached_bytes,slab_reclaimable_bytes";
	struct row own, other;
	struct check c;
	unsigned i = 0;

	check_begin(&c, "memory-sum/as-free");
	if (access("/usr/bin/free", X_OK) < 0) {
		check_skip(c.name, "no free(1) here");
		return;
	}
	if (!hold_still(dir)) {
		check_skip(c.name, "no mounts of our own here: %s", strerror(errno));
		return;
	}
	if (check_that(&c, look(vmtop, columns, &own) && procps(&other) && own.n == 11,
		       "cannot be read")) {
		for (i = 0; i < 9; i++)
			check_that(&c, own.v[i] == other.v[theirs[i]], "%s is %lld, free says %lld",
				   names[i], own.v[i], other.v[theirs[i]]);
		/* Its column is without Buffers, with -w. */
		check_that(&c, other.v[5] == own.v[9] + own.v[10], "cache is %lld, free says %lld",
			   own.v[9] + own.v[10], other.v[5]);
	}
	check_end(&c, "%u columns", i + 1);
}

int main(int argc, char **argv)
{
	unsigned samples = 100;
	bool guest = false;
	int i;

	if (argc < 3)
		return 2;
	for (i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--guest") == 0)
			guest = true;
		else if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc)
			samples = (unsigned)atoi(argv[++i]);
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	available(argv[1], argv[2], samples);
	sum_is_total(argv[1], argv[2], samples < 20 ? samples : 20);
	nobody(argv[1]);
	if (!guest)
		as_free_says(argv[1], argv[2]);
	return 0;
}
