/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * scale VMTOP [--figures] [--mappings N,N...] [--processes N,N...] [--sparse]
 *
 * What vmtop costs as a process, or the machine, grows: CPU time and peak memory of one run on a
 * process of N mappings, and with N processes. The slope of CPU against N on a log-log plot is at
 * most 1.1, and memory of streams does not grow. Where a bare read of the same files has a slope
 * above 1 itself, as with 10,000 processes in an emulated guest, vmtop's is at most 0.1 above that.
 * With --sparse also a mapping of 1 TiB with three pages.
 *
 * vm.max_map_count is raised where it has to be, and is as before afterwards.
 */

#include "check.h"
#include "number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	    4096ul
#define SIZES_MAX   8
#define TOUCHED	    16 /* a page of every so many mappings is resident */
#define STREAM_MAX  (16ul << 20)
#define STREAM_MORE (4ul << 20) /* than with the fewest */
#define MILLION	    1000000ul
#define TRIES	    5 /* where a slope is too steep: other load comes and goes */
#define SLOPE_MORE  0.1 /* than a bare read */
/* A shorter run is repeated, and the least of them taken: what else goes on only adds. */
#define ENOUGH_S 0.3

static double slope_max = 1.1;

static const char max_map_count[] = "/proc/sys/vm/max_map_count";

struct sizes {
	unsigned long n[SIZES_MAX];
	size_t count;
};

struct cost {
	double cpu_s;
	double bare_s; /* of the bare read beside it, where there is one */
	uint64_t peak_bytes;
	uint64_t rows;
};

/* A command line of vmtop; NULL stands for the process, where there is one. */
struct command {
	const char *name;
	const char *args[12];
	uint64_t bytes_each; /* that its memory may grow by with each; 0 for a stream */
	const char *row; /* what is in its output once a row; NULL where rows are cut */
	const char *bare; /* the file of each process that is read at least, with processes */
};

static const struct command of_mappings[] = {
	{ .name = "maps-text", .args = { "maps", "PID", "-t", "900" }, .row = "\n" },
	{ .name = "maps-json",
	  .args = { "maps", "PID", "--json", "-t", "900" },
	  .row = "\"start\":" },
	{ .name = "maps-list",
	  .args = { "maps", "PID", "--json", "--list-only", "-t", "900" },
	  .row = "\"start\":" },
	{ .name = "maps-sorted",
	  .args = { "maps", "PID", "-s", "-size", "--top", "10", "-t", "900" },
	  .bytes_each = 1024 },
};

#define OF_MAPPINGS (sizeof(of_mappings) / sizeof(of_mappings[0]))

static const struct command of_processes[] = {
	{ .name = "ps-text",
	  .args = { "ps", "-t", "900" },
	  .bytes_each = 4096,
	  .row = "\n",
	  .bare = "stat" },
	{ .name = "ps-pss-json",
	  .args = { "ps", "--pss", "--json", "-t", "900" },
	  .bytes_each = 4096,
	  .row = "\"pss_bytes\":",
	  .bare = "smaps_rollup" },
	{ .name = "maps-all",
	  .args = { "maps", "--all", "--json", "-t", "900" },
	  .bytes_each = 4096,
	  .row = "\"comm\":",
	  .bare = "smaps" },
};

static bool parse_sizes(const char *text, struct sizes *ret)
{
	ret->count = 0;
	while (*text && ret->count < SIZES_MAX) {
		char *end;
		unsigned long n = strtoul(text, &end, 10);

		if (end == text || !n)
			return false;
		ret->n[ret->count++] = n;
		text = *end == ',' ? end + 1 : end;
	}
	return ret->count > 0 && !*text;
}

/* Pages in turns of two protections, which do not merge. */
static bool make_mappings(unsigned long n)
{
	char *base = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return false;
	madvise(base, n * PAGE, MADV_NOHUGEPAGE);
	for (unsigned long i = 0; i < n; i += TOUCHED)
		base[i * PAGE] = 1;
	for (unsigned long i = 0; i < n; i += 2)
		if (mprotect(base + i * PAGE, PAGE, PROT_READ))
			return false;
	return true;
}

static bool make_sparse(unsigned long bytes)
{
	char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return false;
	madvise(base, bytes, MADV_NOHUGEPAGE);
	base[0] = base[bytes / 2] = base[bytes - 1] = 1;
	return true;
}

/* A child that has made something and stands still; -1 where it could not. */
static pid_t start(bool (*make)(unsigned long), unsigned long n)
{
	pid_t pid, parent = getpid();
	int status;

	pid = fork();
	if (!pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(1);
		if (make(n))
			raise(SIGSTOP);
		_exit(1);
	}
	if (pid > 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status))
		return pid;
	return -1;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* What any reader of all processes pays at least: each file opened, read to its end, closed. */
static void read_all(const char *name)
{
	char buffer[65536], path[64];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int fd;

	while (proc && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "%.20s/%s", entry->d_name, name);
		fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
		close(fd);
	}
	if (proc)
		closedir(proc);
}

static double seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* Returns the CPU time of it; negative where it could not be had. */
static double bare_s(const char *name)
{
	struct rusage usage;
	pid_t child = fork();
	int status;

	if (!child) {
		read_all(name);
		_exit(0);
	}
	while (child > 0 && wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
		;
	return child > 0 ? seconds(&usage) : -1;
}

/* One run, its output counted. */
static bool run_once(struct check *c, const char *vmtop, const struct command *command, pid_t pid,
		     struct cost *ret)
{
	char pid_text[16], *argv[16] = { (char *)(uintptr_t)vmtop }, buffer[65536];
	struct rusage usage;
	int fds[2], status;
	size_t matched = 0;
	pid_t child;

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	for (size_t i = 0; command->args[i]; i++) {
		const char *arg = command->args[i];

		argv[i + 1] = strcmp(arg, "PID") == 0 ? pid_text : (char *)(uintptr_t)arg;
	}
	if (pipe2(fds, O_CLOEXEC))
		return check_that(c, false, "pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		dup2(fds[1], STDOUT_FILENO);
		execv(vmtop, argv);
		_exit(127);
	}
	close(fds[1]);
	ret->rows = 0;
	for (;;) {
		ssize_t got = read(fds[0], buffer, sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (ssize_t i = 0; command->row && i < got; i++) {
			matched = buffer[i] == command->row[matched] ? matched + 1
				  : buffer[i] == command->row[0]     ? 1
								     : 0;
			if (!command->row[matched]) {
				ret->rows++;
				matched = 0;
			}
		}
	}
	close(fds[0]);
	while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
		;
	ret->cpu_s = seconds(&usage);
	ret->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return check_that(c, WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x",
			  (unsigned)status);
}

static bool run(struct check *c, const char *vmtop, const struct command *command, pid_t pid,
		int runs_least, struct cost *ret)
{
	/* What was measured before is one run more. */
	struct cost best = *ret, one = { 0 };
	double spent = 0;
	int runs = 0;

	do {
		if (!run_once(c, vmtop, command, pid, &one))
			return false;
		spent += one.cpu_s;
		if (best.cpu_s <= 0 || one.cpu_s < best.cpu_s)
			best.cpu_s = one.cpu_s;
		if (one.peak_bytes > best.peak_bytes)
			best.peak_bytes = one.peak_bytes;
		best.rows = one.rows;
		runs++;
	} while ((spent < ENOUGH_S && runs < 40) || runs < runs_least);
	*ret = best;
	return true;
}

/* Least squares over the logarithms. */
static double slope(const double *x, const double *y, size_t n)
{
	double mx = 0, my = 0, xy = 0, xx = 0;

	for (size_t i = 0; i < n; i++) {
		mx += log(x[i]) / (double)n;
		my += log(y[i]) / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		xy += (log(x[i]) - mx) * (log(y[i]) - my);
		xx += (log(x[i]) - mx) * (log(x[i]) - mx);
	}
	return xy / xx;
}

/*
 * What it takes to start is not what a mapping takes: it hides a slope, and is taken off. others
 * are the processes that are there anyway.
 */
static double slope_of(const struct sizes *sizes, unsigned long others, const struct cost *costs,
		       double idle_s)
{
	double x[SIZES_MAX] = { 0 }, y[SIZES_MAX] = { 0 };

	for (size_t i = 0; i < sizes->count; i++) {
		x[i] = (double)(sizes->n[i] + others);
		y[i] = fmax(costs[i].cpu_s - idle_s, costs[i].cpu_s / 4);
	}
	return slope(x, y, sizes->count);
}

static void judge(struct check *c, const struct command *command, const struct sizes *sizes,
		  unsigned long others, const struct cost *costs, double idle_s)
{
	double x[SIZES_MAX] = { 0 }, y[SIZES_MAX] = { 0 }, value, bare;
	char figures[500] = "";
	size_t used = 0, last = sizes->count - 1;
	uint64_t least = costs[0].peak_bytes;

	for (size_t i = 0; i < sizes->count; i++) {
		x[i] = (double)(sizes->n[i] + others);
		y[i] = costs[i].bare_s;
		used += (size_t)snprintf(figures + used, sizeof(figures) - used,
					 "%s%lu: %.1f ms, %.1f MiB", i ? "; " : "", sizes->n[i],
					 costs[i].cpu_s * 1e3,
					 (double)costs[i].peak_bytes / (1 << 20));
		if (used >= sizeof(figures))
			used = sizeof(figures) - 1;
		check_that(c, !command->row || costs[i].rows >= sizes->n[i],
			   "%" PRIu64 " rows for %lu", costs[i].rows, sizes->n[i]);
		check_that(c, costs[i].peak_bytes <= STREAM_MAX + command->bytes_each * sizes->n[i],
			   "%.1f MiB for %lu", (double)costs[i].peak_bytes / (1 << 20),
			   sizes->n[i]);
		check_that(c, command->bytes_each || costs[i].peak_bytes <= least + STREAM_MORE,
			   "%.1f MiB for %lu, a stream that grows",
			   (double)costs[i].peak_bytes / (1 << 20), sizes->n[i]);
	}
	if (!last) {
		check_end(c, "%s", figures);
		return;
	}
	value = slope_of(sizes, others, costs, idle_s);
	if (!command->bare) {
		check_that(c, value <= slope_max, "the slope is %.3f", value);
		check_end(c, "%s; slope %.3f", figures, value);
		return;
	}
	bare = slope(x, y, sizes->count);
	check_that(c, value <= fmax(slope_max, bare + SLOPE_MORE),
		   "the slope is %.3f, of a bare read %.3f", value, bare);
	check_end(c, "%s; slope %.3f; bare %s: %.1f to %.1f ms, slope %.3f", figures, value,
		  command->bare, costs[0].bare_s * 1e3, costs[last].bare_s * 1e3, bare);
}

/* Runs all that is measured on processes of so many mappings, once more; what costs less counts. */
static void measure_mappings(const char *vmtop, const struct sizes *sizes, struct check *checks,
			     struct cost (*costs)[SIZES_MAX], struct cost *idle)
{
	/* One that lost its processor to others shows a slope of its own. */
	int least = sizes->count > 1 ? 3 : 1;

	for (size_t i = 0; i <= sizes->count; i++) {
		unsigned long n = i < sizes->count ? sizes->n[i] : 1;
		pid_t pid = start(make_mappings, n);

		for (size_t k = 0; k < OF_MAPPINGS; k++)
			if (check_that(&checks[k], pid > 0, "no process of %lu mappings", n))
				run(&checks[k], vmtop, &of_mappings[k], pid, least,
				    i < sizes->count ? &costs[k][i] : &idle[k]);
		if (pid > 0)
			stop(pid);
	}
}

static void scale_mappings(const char *vmtop, const struct sizes *sizes)
{
	static struct cost costs[OF_MAPPINGS][SIZES_MAX], idle[OF_MAPPINGS];
	static struct check checks[OF_MAPPINGS];
	unsigned long most = sizes->n[sizes->count - 1];
	long before = number_read(max_map_count);
	bool raised = before >= 0 && (unsigned long)before < most + 1000, steep = true;

	memset(costs, 0, sizeof(costs));
	memset(idle, 0, sizeof(idle));
	for (size_t k = 0; k < OF_MAPPINGS; k++)
		check_begin(&checks[k], most < MILLION ? "C01/scale-%s" : "C02/scale-%s",
			    of_mappings[k].name);
	if (raised && !number_write(max_map_count, (long)most + 1000)) {
		check_skip("scale-mappings", "%s cannot be raised to %lu", max_map_count, most);
		return;
	}
	for (int tries = 0; steep && tries < TRIES; tries++) {
		measure_mappings(vmtop, sizes, checks, costs, idle);
		steep = false;
		for (size_t k = 0; k < OF_MAPPINGS; k++)
			steep |= !checks[k].failed && sizes->count > 1 &&
				 slope_of(sizes, 0, costs[k], idle[k].cpu_s) > slope_max;
	}
	if (raised)
		number_write(max_map_count, before);
	for (size_t k = 0; k < OF_MAPPINGS; k++) {
		if (checks[k].failed)
			check_end(&checks[k], "%s", "");
		else
			judge(&checks[k], &of_mappings[k], sizes, 0, costs[k], idle[k].cpu_s);
	}
}

static bool make_nothing(unsigned long n)
{
	(void)n;
	return true;
}

static unsigned long count_processes(void)
{
	unsigned long n = 0;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		n += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	if (proc)
		closedir(proc);
	return n;
}

/* vmtop over all processes, and then a bare read of what it has to read. */
static bool run_beside_bare(struct check *c, const char *vmtop, const struct command *command,
			    struct cost *ret)
{
	if (!run(c, vmtop, command, 0, 3, ret))
		return false;
	ret->bare_s = bare_s(command->bare);
	return check_that(c, ret->bare_s > 0, "no bare read of %s", command->bare);
}

static void scale_processes(const char *vmtop, const struct sizes *sizes)
{
	enum { N = sizeof(of_processes) / sizeof(of_processes[0]) };
	static struct cost costs[N][SIZES_MAX];
	static struct check checks[N];
	unsigned long most = sizes->n[sizes->count - 1], others = count_processes(), up = 0;
	pid_t *pids = calloc(most, sizeof(*pids));

	if (!pids)
		exit(3);
	for (size_t k = 0; k < N; k++)
		check_begin(&checks[k], "scale-%s", of_processes[k].name);
	for (size_t i = 0; i < sizes->count; i++) {
		bool good = true;

		while (good && up < sizes->n[i]) {
			pids[up] = start(make_nothing, 0);
			good = pids[up] > 0;
			up += good;
		}
		for (size_t k = 0; k < N; k++)
			if (check_that(&checks[k], good, "%lu processes and no more", up))
				run_beside_bare(&checks[k], vmtop, &of_processes[k], &costs[k][i]);
	}
	while (up > 0)
		stop(pids[--up]);
	free(pids);
	for (size_t k = 0; k < N; k++) {
		if (checks[k].failed)
			check_end(&checks[k], "%s", "");
		else
			judge(&checks[k], &of_processes[k], sizes, others, costs[k], 0);
	}
}

/* Not a page table but what is in it is walked: a TiB costs what three pages cost, and some. */
static void scale_sparse(const char *vmtop)
{
	const struct sizes one = { { 1 }, 1 };

	for (size_t k = 0; k < OF_MAPPINGS; k++) {
		pid_t pid = start(make_sparse, 1ul << 40), small = start(make_mappings, 1);
		struct cost cost = { 0 }, base = { 0 };
		struct check c;

		check_begin(&c, "C03/scale-sparse-%s", of_mappings[k].name);
		if (check_that(&c, pid > 0 && small > 0, "no process with 1 TiB") &&
		    run(&c, vmtop, &of_mappings[k], small, 1, &base) &&
		    run(&c, vmtop, &of_mappings[k], pid, 1, &cost)) {
			check_that(&c, cost.cpu_s <= 4 * base.cpu_s + 0.02,
				   "%.1f ms, and %.1f ms without", cost.cpu_s * 1e3,
				   base.cpu_s * 1e3);
			judge(&c, &of_mappings[k], &one, 0, &cost, 0);
		} else {
			check_end(&c, "%s", "");
		}
		if (pid > 0)
			stop(pid);
		if (small > 0)
			stop(small);
	}
}

int main(int argc, char **argv)
{
	struct sizes sizes;

	if (argc < 3) {
		fprintf(stderr, "usage: scale VMTOP [--figures] [--mappings N,N...] "
				"[--processes N,N...] [--sparse]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--figures") == 0) {
			slope_max = HUGE_VAL;
		} else if (strcmp(argv[i], "--sparse") == 0) {
			scale_sparse(argv[1]);
		} else if (i + 1 < argc && parse_sizes(argv[i + 1], &sizes) &&
			   strcmp(argv[i], "--mappings") == 0) {
			scale_mappings(argv[1], &sizes);
			i++;
		} else if (i + 1 < argc && parse_sizes(argv[i + 1], &sizes) &&
			   strcmp(argv[i], "--processes") == 0) {
			scale_processes(argv[1], &sizes);
			i++;
		} else {
			fprintf(stderr, "scale: %s\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
