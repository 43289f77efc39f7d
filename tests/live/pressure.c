/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * pressure VMTOP SCRATCH [machine]: what vmtop events tells of stalls. A process in a cgroup with a
 * limit writes a file that is longer: what its stalls reclaimed against what it wrote and what of
 * that is left, and against the counters of the cgroup; how long they were against its pressure.
 * Another one in such a cgroup reads a file twice that is longer: what it says of what came back
 * against the counters of the cgroup; the parts of the machine's pressure against their sum; and
 * whether all cgroups are read where a time limit ends it.
 * With machine, which is for guests of little memory, also one that takes more than is free, and
 * one that wants huge pages where none are, against /proc/vmstat.
 *
 * pressure --write DIR FILE, --again DIR FILE, --take FILE and --huge FILE are the commands that
 * vmtop runs.
 */

#include "check.h"
#include "event-json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define MIB   ((uint64_t)1 << 20)
#define LIMIT (32 * MIB)
#define WRITE (96 * MIB)
#define PATH  300

static const char *vmtop, *self, *scratch;

static bool put(const char *dir, const char *file, const char *text)
{
	char path[PATH];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* The sum over keys that begin so; UINT64_MAX where there is none. */
static uint64_t get(const char *dir, const char *file, const char *key, bool begins)
{
	uint64_t v, sum = UINT64_MAX;
	char path[PATH], word[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	while (f && fscanf(f, "%63s %" SCNu64, word, &v) == 2)
		if (begins ? !strncmp(word, key, strlen(key)) : !strcmp(word, key))
			sum = (sum == UINT64_MAX ? 0 : sum) + v;
	if (f)
		fclose(f);
	return sum;
}

/* The time of PSI in which some waited, in ns; UINT64_MAX where there is none. */
static uint64_t psi_ns(const char *dir, const char *file)
{
	char path[PATH], line[200];
	uint64_t us = UINT64_MAX;
	const char *total;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f) && (total = strstr(line, "total=")))
		us = strtoull(total + 6, NULL, 10);
	if (f)
		fclose(f);
	return us == UINT64_MAX ? us : us * 1000;
}

static int write_file(const char *path, uint64_t bytes)
{
	static char block[MIB];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (; fd >= 0 && bytes; bytes -= MIB)
		if (write(fd, block, MIB) != (ssize_t)MIB)
			return -1;
	return fd;
}

/* PSI weighs processors: one is what a sum is comparable with. */
static void stay(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static int write_in(const char *dir, const char *path)
{
	stay();
	return put(dir, "cgroup.procs", "0") && write_file(path, WRITE) >= 0 ? 0 : 1;
}

/* What is read again was reclaimed by then: there is room for a third of it. */
static int read_in(const char *dir, const char *path)
{
	static char block[MIB];
	int fd;

	stay();
	fd = write_file(path, WRITE);
	if (fd < 0 || fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
	    !put(dir, "cgroup.procs", "0"))
		return 1;
	for (int i = 0; i < 2; i++)
		for (uint64_t at = 0; at < WRITE; at += MIB)
			if (pread(fd, block, MIB, (off_t)at) != (ssize_t)MIB)
				return 1;
	return 0;
}

/* Page cache that is not written yet, as much as is free, and then memory in its place. */
static int take(const char *path)
{
	struct sysinfo info;
	uint64_t size;
	char *p;

	sysinfo(&info);
	if (write_file(path, info.freeram / MIB * MIB) < 0)
		return 1;
	sysinfo(&info);
	size = info.totalram / 2;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	madvise(p, size, MADV_NOHUGEPAGE);
	for (uint64_t i = 0; i < size; i += 4096)
		p[i] = 1;
	return 0;
}

/* Huge pages, where page cache lies in small ones all over the memory. */
static int take_huge(const char *path)
{
	struct sysinfo info;
	uint64_t size;
	char *p;
	int fd;

	sysinfo(&info);
	fd = write_file(path, info.freeram / MIB * MIB);
	if (fd < 0 || fdatasync(fd))
		return 1;
	size = info.totalram / 4;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || madvise(p, size, MADV_HUGEPAGE))
		return 1;
	for (uint64_t i = 0; i < size; i += 4096)
		p[i] = 1;
	return 0;
}

/* What vmtop said of one cause, in its single events and in its row. */
struct said {
	uint64_t n, ns, longest_ns, bytes; /* events */
	uint64_t row_n, row_ns, row_longest_ns, row_bytes, vain;
	uint64_t tried; /* compaction that was neither skipped nor deferred */
	uint64_t whole; /* events that have all that they are to have */
	char limit[PATH], cgroup[PATH], causes[80];
	uint64_t lost;
	/* Of the machine's pressure: the parts before some, and that. */
	int64_t parts_ns, some_ns;
	bool has_some;
	/* Of the cgroup whose path ends so. */
	const char *group;
	bool has_group;
	uint64_t refaults, made;
	/* How the counters were read, from the last line. */
	char pressure[16], memcg[16];
	uint64_t memcg_skipped;
};

/* In a namespace of cgroups the kernel's own path is longer than what is mounted. */
static bool ends_in(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && !strcmp(path + n - m, end);
}

/* The object of a source in the last line; "" where there is none. */
static const char *source_in(const char *line, const char *name)
{
	char key[40];
	const char *at;

	snprintf(key, sizeof(key), "{\"name\":\"%s\"", name);
	at = strstr(line, key);
	return at ? at : "";
}

static void hear(const char *line, const char *cause, struct said *s)
{
	char is[64], text[64], path[PATH];

	if (!strncmp(line, "{\"type\":\"end\"", 13)) {
		const char *memcg = source_in(line, "memcg");

		event_json_value(source_in(line, "pressure"), "status", s->pressure,
				 sizeof(s->pressure));
		event_json_value(memcg, "status", s->memcg, sizeof(s->memcg));
		s->memcg_skipped = event_json_number(memcg, "skipped_total");
		return;
	}
	if (!strncmp(line, "{\"type\":\"event_probe\"", 21)) {
		event_json_value(line, "stall_causes", s->causes, sizeof(s->causes));
		s->lost = event_json_number(line, "lost_total") +
			  event_json_number(line, "limited_total");
		return;
	}
	if (!strncmp(line, "{\"type\":\"event_psi\"", 19)) {
		int64_t ns =
			strtoll(event_json_value(line, "time_ns", text, sizeof(text)), NULL, 10);

		event_json_value(line, "part", is, sizeof(is));
		if (!strcmp(is, "some")) {
			s->has_some = true;
			s->some_ns = ns;
		} else if (strcmp(is, "full") != 0) {
			s->parts_ns += ns;
		}
		return;
	}
	if (s->group && !strncmp(line, "{\"type\":\"event_cgroup\"", 22) &&
	    ends_in(event_json_value(line, "path", path, sizeof(path)), s->group)) {
		s->has_group = true;
		s->refaults = event_json_number(line, "refault_file_total");
		s->made = !strcmp(event_json_value(line, "made", is, sizeof(is)), "true");
		return;
	}
	event_json_value(line, "cause", is, sizeof(is));
	if (!cause || strcmp(is, cause) != 0)
		return;
	if (!strncmp(line, "{\"type\":\"event_stall\"", 21)) {
		s->row_n += event_json_number(line, "stalls_total");
		s->row_ns += event_json_number(line, "total_ns");
		s->row_longest_ns = event_json_number(line, "longest_ns");
		s->row_bytes += event_json_number(line, "reclaimed_bytes");
		s->vain += event_json_number(line, "vain_total");
	} else if (!strncmp(line, "{\"type\":\"event\"", 15)) {
		uint64_t ns = event_json_number(line, "duration_ns");

		s->n++;
		s->ns += ns;
		s->longest_ns = ns > s->longest_ns ? ns : s->longest_ns;
		s->bytes += event_json_number(line, "reclaimed_bytes");
		event_json_value(line, "limit_cgroup", s->limit, sizeof(s->limit));
		event_json_value(line, "cgroup", s->cgroup, sizeof(s->cgroup));
		event_json_value(line, "compaction_result", is, sizeof(is));
		s->tried += strcmp(is, "skipped") != 0 && strcmp(is, "deferred") != 0;
		s->whole += strstr(event_json_value(line, "gfp_flags", text, sizeof(text)),
				   "GFP_") != NULL &&
			    strstr(line, "\"text\":\"stalled ") != NULL;
	}
}

static bool listen_to(const char *const args[], const char *cause, const char *group,
		      struct said *s)
{
	char *line = NULL;
	size_t size = 0;
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);

	*s = (struct said){ .group = group };
	while (getline(&line, &size, f) > 0)
		hear(line, cause, s);
	free(line);
	return check_stop(f, pid);
}

static bool ask(const char *what, const char *dir, const char *file, const char *cause,
		const char *group, struct said *s)
{
	const char *const args[] = { "vmtop", "events",	  "--only", "pressure", "--rate-limit",
				     "0",     "--ndjson", "--",	    self,	what,
				     dir,     file,	  NULL };

	return listen_to(args, cause, group, s);
}

/* Rows and single events are of the same. */
static bool agrees(struct check *c, const struct said *s)
{
	check_that(c, s->lost == 0, "%" PRIu64 " events lost", s->lost);
	check_that(c, s->n == s->row_n && s->ns == s->row_ns && s->bytes == s->row_bytes,
		   "%" PRIu64 " events of %" PRIu64 " ns, rows have %" PRIu64 " of %" PRIu64, s->n,
		   s->ns, s->row_n, s->row_ns);
	check_that(c, s->longest_ns == s->row_longest_ns,
		   "longest: %" PRIu64 " ns, and in the row %" PRIu64, s->longest_ns,
		   s->row_longest_ns);
	check_that(c, s->whole == s->n, "%" PRIu64 " of %" PRIu64 " have no sentence, or no flags",
		   s->n - s->whole, s->n);
	return check_that(c, s->n > 0, "no stall");
}

static bool near(uint64_t a, uint64_t b, uint64_t percent, uint64_t slack)
{
	uint64_t d = a > b ? a - b : b - a;

	return d <= slack || d <= b / 100 * percent;
}

/* What the cgroup counted, in pages but for left. */
struct cgroup_stat {
	uint64_t left; /* bytes */
	uint64_t direct; /* of kswapd as well before 6.0; UINT64_MAX: not told */
	uint64_t kswapd; /* reclaimed, and no stall */
};

static struct cgroup_stat stat_of(const char *dir, bool v1)
{
	struct cgroup_stat k = { .left = get(dir, "memory.stat", v1 ? "cache" : "file", false),
				 .direct = get(dir, "memory.stat", "pgsteal_direct", false),
				 .kswapd = get(dir, "memory.stat", "pgsteal_kswapd", false) };

	if (k.direct == UINT64_MAX)
		k.direct = get(dir, "memory.stat", "pgsteal", false);
	if (k.kswapd == UINT64_MAX)
		k.kswapd = 0;
	return k;
}

/* Nothing else has pages in this cgroup, but for what the file system notes. */
static bool is_all(const struct said *s, const struct cgroup_stat *k)
{
	return near(s->row_bytes + k->left + k->kswapd * 4096, WRITE, 4, 0);
}

static bool is_counted(const struct said *s, const struct cgroup_stat *k)
{
	return k->direct == UINT64_MAX || near(s->row_bytes / 4096, k->direct, 4, 64);
}

/* Sums over many CPUs are late, by 2 s at most (mm/memcontrol.c, FLUSH_TIME). */
static struct cgroup_stat settled(const struct said *s, const char *dir, bool v1)
{
	struct cgroup_stat k = stat_of(dir, v1);

	for (int i = 0; !(is_all(s, &k) && is_counted(s, &k)) && i < 500; i++) {
		usleep(10000);
		k = stat_of(dir, v1);
	}
	return k;
}

static bool has_controller(const char *root)
{
	char path[PATH], line[200];
	bool has = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	f = fopen(path, "re");
	has = f && fgets(line, sizeof(line), f) && strstr(line, "memory");
	if (f)
		fclose(f);
	return has;
}

/* A cgroup with a limit, and a file. */
struct place {
	char root[128], dir[180], file[PATH];
	bool v1, added;
};

static void place_end(struct place *p)
{
	unlink(p->file);
	for (int i = 0; rmdir(p->dir) && errno == EBUSY && i < 3000; i++)
		usleep(10000);
	if (p->added)
		put(p->root, "cgroup.subtree_control", "-memory");
}

/* False where that cannot be had, which is told. */
static bool place_begin(struct place *p, const char *name)
{
	char text[24];

	if (!check_cgroups(p->root, sizeof(p->root), &p->v1)) {
		check_skip(name, "no hierarchy of cgroups is mounted");
		return false;
	}
	p->added = !p->v1 && !has_controller(p->root) &&
		   put(p->root, "cgroup.subtree_control", "+memory");
	snprintf(p->dir, sizeof(p->dir), "%s/vmtop-pressure-%d", p->root, (int)getpid());
	snprintf(p->file, sizeof(p->file), "%s/vmtop-pressure.data", scratch);
	snprintf(text, sizeof(text), "%" PRIu64, LIMIT);
	if (!mkdir(p->dir, 0755) &&
	    put(p->dir, p->v1 ? "memory.limit_in_bytes" : "memory.max", text))
		return true;
	check_skip(name, "%s: %s", p->dir, strerror(errno));
	place_end(p);
	return false;
}

static void of_cgroup(bool limit_told)
{
	struct cgroup_stat k;
	struct place p;
	struct check c;
	struct said s;
	bool ran;
	uint64_t psi;

	if (!place_begin(&p, "pressure/cgroup"))
		return;
	check_begin(&c, "pressure/cgroup");
	ran = ask("--write", p.dir, p.file, "cgroup_reclaim", NULL, &s);
	psi = psi_ns(p.dir, "memory.pressure");
	k = settled(&s, p.dir, p.v1);
	place_end(&p);

	check_that(&c, ran, "vmtop failed");
	if (agrees(&c, &s)) {
		check_that(&c, is_all(&s, &k),
			   "%" PRIu64 " MiB reclaimed, %" PRIu64 " by kswapd, and %" PRIu64
			   " left, of %" PRIu64,
			   s.row_bytes / MIB, k.kswapd * 4096 / MIB, k.left / MIB, WRITE / MIB);
		check_that(&c, is_counted(&s, &k),
			   "%" PRIu64 " pages, and the cgroup counted %" PRIu64, s.row_bytes / 4096,
			   k.direct);
		/* Other waits for memory are in it as well, but none of these is missing. */
		check_that(&c,
			   psi == UINT64_MAX ||
				   (s.row_ns <= psi + psi / 20 + 5000000 && s.row_ns >= psi / 2),
			   "%" PRIu64 " us, and PSI has %" PRIu64, s.row_ns / 1000, psi / 1000);
		check_that(&c, ends_in(s.cgroup, p.dir + strlen(p.root)), "the cgroup is %s",
			   s.cgroup);
		check_that(&c,
			   ends_in(s.limit, p.dir + strlen(p.root)) ||
				   (!limit_told && !strcmp(s.limit, "-")),
			   "the limit is that of %s", s.limit);
	}
	check_end(&c,
		  "%" PRIu64 " stalls, %" PRIu64 " us (PSI %" PRId64 "), %" PRIu64
		  " pages (%" PRId64 "), left %" PRIu64 " of %" PRIu64 ", causes %s",
		  s.row_n, s.row_ns / 1000, psi == UINT64_MAX ? -1 : (int64_t)psi / 1000,
		  s.row_bytes / 4096, (int64_t)k.direct, k.left / 4096, WRITE / 4096, s.causes);
}

/* What the kernel counts is late by some pages a processor, or by 2 s, so it is asked until it has
 * counted something and is near. */
static uint64_t refaults_of(const char *dir, bool v1, uint64_t said)
{
	const char *key = v1 ? "total_workingset_refault_file" : "workingset_refault_file";
	uint64_t n = get(dir, "memory.stat", key, false);

	for (int i = 0; n != UINT64_MAX && !(n && near(said, n, 10, 512)) && i < 500; i++) {
		usleep(10000);
		n = get(dir, "memory.stat", key, false);
	}
	return n;
}

/* A source that was read, whatever became of that. */
static bool is_told(const char *status)
{
	return *status && strcmp(status, "-") != 0 && strcmp(status, "unused") != 0;
}

static void of_refaults(void)
{
	struct said s;
	struct place p;
	struct check c;
	uint64_t counted;

	if (!place_begin(&p, "pressure/refaults"))
		return;
	check_begin(&c, "pressure/refaults");
	check_that(&c, ask("--again", p.dir, p.file, NULL, p.dir + strlen(p.root), &s),
		   "vmtop failed");
	counted = refaults_of(p.dir, p.v1, s.refaults);
	place_end(&p);
	/* Version 1 does not tell on old kernels. */
	check_that(&c, s.has_group || counted == UINT64_MAX || !counted, "no row of the cgroup");
	check_that(&c, is_told(s.pressure) && is_told(s.memcg),
		   "sources: pressure is %s, memcg is %s", s.pressure, s.memcg);
	check_that(&c, !s.made, "it was there before");
	check_that(&c, counted == UINT64_MAX || near(s.refaults, counted, 10, 512),
		   "%" PRIu64 " pages came back, the cgroup counted %" PRIu64, s.refaults, counted);
	check_that(&c, s.has_some == (psi_ns("/proc/pressure", "memory") != UINT64_MAX),
		   "the machine's pressure is %s", s.has_some ? "not there" : "missing");
	check_that(&c, !s.has_some || s.parts_ns == s.some_ns,
		   "parts of %" PRId64 " ns, which are %" PRId64, s.parts_ns, s.some_ns);
	if (!c.failed && !counted) {
		check_skip("pressure/refaults",
			   "the kernel counted %" PRIu64 " of %" PRIu64
			   " pages read again as refaults, vmtop %" PRIu64,
			   counted, WRITE / 4096, s.refaults);
		return;
	}
	check_end(&c,
		  "%" PRIu64 " of %" PRIu64 " pages came back (%" PRId64 "), some %" PRId64
		  " us in parts of %" PRId64,
		  s.refaults, WRITE / 4096, (int64_t)counted, s.some_ns / 1000, s.parts_ns / 1000);
}

/* The time of --timeout is over when the counters are read at the end: all cgroups are, with that
 * of this place one more than the first. */
static void of_timeout(void)
{
	const char *const args[] = { "vmtop",	 "events", "--only", "pressure",
				     "--ndjson", "-t",	   "6",	     NULL };
	struct place p;
	struct check c;
	struct said s;

	if (!place_begin(&p, "pressure/timeout"))
		return;
	check_begin(&c, "pressure/timeout");
	check_that(&c, !listen_to(args, NULL, NULL, &s), "it ended before its time");
	place_end(&p);
	check_that(&c, is_told(s.memcg), "source memcg is %s", s.memcg);
	check_that(&c, !s.memcg_skipped, "%" PRIu64 " cgroups not read", s.memcg_skipped);
	check_end(&c, "memcg is %s", s.memcg);
}

static void of_machine(void)
{
	uint64_t before, after;
	char file[PATH];
	struct check c;
	struct said s;

	snprintf(file, sizeof(file), "%s/vmtop-pressure.data", scratch);
	check_begin(&c, "pressure/machine");
	before = get("/proc", "vmstat", "allocstall_", true);
	check_that(&c, ask("--take", file, NULL, "reclaim", NULL, &s), "vmtop failed");
	after = get("/proc", "vmstat", "allocstall_", true);
	unlink(file);
	agrees(&c, &s);
	/* Of others, too; and once more where reclaim begins anew. */
	check_that(&c, s.row_n <= after - before, "%" PRIu64 " stalls, the kernel counted %" PRIu64,
		   s.row_n, after - before);
	check_that(&c, s.row_n >= (after - before) / 2,
		   "%" PRIu64 " stalls, the kernel counted %" PRIu64, s.row_n, after - before);
	check_end(&c, "%" PRIu64 " stalls (%" PRIu64 "), %" PRIu64 " us, %" PRIu64 " pages",
		  s.row_n, after - before, s.row_ns / 1000, s.row_bytes / 4096);
}

static void of_compaction(void)
{
	uint64_t before, after;
	char file[PATH];
	struct check c;
	struct said s;

	snprintf(file, sizeof(file), "%s/vmtop-pressure.data", scratch);
	if (!put("/sys/kernel/mm/transparent_hugepage", "enabled", "madvise") ||
	    !put("/sys/kernel/mm/transparent_hugepage", "defrag", "madvise")) {
		check_skip("pressure/compaction", "this kernel makes no huge pages");
		return;
	}
	check_begin(&c, "pressure/compaction");
	before = get("/proc", "vmstat", "compact_stall", false);
	check_that(&c, ask("--huge", file, NULL, "compaction", NULL, &s), "vmtop failed");
	after = get("/proc", "vmstat", "compact_stall", false);
	unlink(file);
	if (!c.failed && !s.row_n && after == before) {
		/* Whole huge pages came out of the page cache. */
		check_skip("pressure/compaction", "the kernel did not need to compact");
		return;
	}
	agrees(&c, &s);
	/* Which of those that are not tried it counts differs between kernels. */
	check_that(&c, after - before >= s.tried && after - before <= s.row_n + 2,
		   "%" PRIu64 " stalls, %" PRIu64 " tried, the kernel counted %" PRIu64, s.row_n,
		   s.tried, after - before);
	check_end(&c,
		  "%" PRIu64 " stalls, %" PRIu64 " tried (%" PRIu64 "), %" PRIu64
		  " in vain, %" PRIu64 " us",
		  s.row_n, s.tried, after - before, s.vain, s.row_ns / 1000);
}

int main(int argc, char **argv)
{
	static char own[PATH];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (argc == 4 && !strcmp(argv[1], "--write"))
		return write_in(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "--again"))
		return read_in(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "--take"))
		return take(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--huge"))
		return take_huge(argv[2]);
	if (argc < 3 || n <= 0) {
		fprintf(stderr, "usage: pressure VMTOP SCRATCH [machine]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	vmtop = argv[1];
	scratch = argv[2];
	self = own;
	of_cgroup(argc > 3);
	of_refaults();
	/* Where loading takes as long as that there is no window. */
	if (argc == 3)
		of_timeout();
	if (argc > 3) {
		of_machine();
		of_compaction();
	}
	return 0;
}
