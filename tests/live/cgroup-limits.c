/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * cgroup-limits VMTOP SCRATCH: which limit of a cgroup decides, how far off it is, and what is
 * available, against the files of the cgroup as this program reads them: a process in a cgroup of
 * its own takes some memory, then more. With the limit at the cgroup, at the one above it, at
 * memory.high, at memory and swap together; with page cache; in a cgroup namespace, where the limit
 * is out of sight; and with cgroups that come and go.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB   (UINT64_C(1) << 20)
#define LIMIT (64 * MIB)
#define PATH  300

static const char *vmtop, *scratch;

/* Where memory is charged, and a cgroup in a cgroup there. */
struct tree {
	unsigned version; /* 0: none */
	bool switched; /* the controller was not on for those below the root */
	char mount[128];
	char outer[160];
	char inner[180];
};

/* Files of the two versions. */
static const char *const limits[] = { NULL, "memory.limit_in_bytes", "memory.max" };
static const char *const usages[] = { NULL, "memory.usage_in_bytes", "memory.current" };
static const char *const words[] = { NULL, "limit", "max" };

static void find_hierarchy(struct tree *t)
{
	FILE *f = setmntent("/proc/mounts", "r");
	struct mntent *m;

	while (f && t->version != 1 && (m = getmntent(f))) {
		bool v1 = !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "memory");

		if (!v1 && strcmp(m->mnt_type, "cgroup2") != 0)
			continue;
		t->version = v1 ? 1 : 2;
		snprintf(t->mount, sizeof(t->mount), "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
}

static bool put(const char *dir, const char *name, const char *text)
{
	char path[PATH];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

static bool put_number(const char *dir, const char *name, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	return put(dir, name, text);
}

static uint64_t get(const char *dir, const char *name, const char *key)
{
	char path[PATH], word[64];
	uint64_t v = 0, found = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return found;
	if (!key && fscanf(f, "%" SCNu64, &v) == 1)
		found = v;
	while (key && fscanf(f, "%63s %" SCNu64, word, &v) == 2)
		if (!strcmp(word, key))
			found = v;
	fclose(f);
	return found;
}

static bool is_on(const char *dir)
{
	char path[PATH], word[32];
	bool on = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	f = fopen(path, "re");
	while (f && fscanf(f, "%31s", word) == 1)
		on |= !strcmp(word, "memory");
	if (f)
		fclose(f);
	return on;
}

static void remove_tree(const struct tree *t)
{
	/* It is busy until the last of its processes is freed. */
	for (int i = 0; rmdir(t->inner) && errno == EBUSY && i < 12000; i++)
		usleep(10000);
	for (int i = 0; rmdir(t->outer) && errno == EBUSY && i < 12000; i++)
		usleep(10000);
	if (t->switched)
		put(t->mount, "cgroup.subtree_control", "-memory");
}

static bool make_tree(struct tree *t, const char *name)
{
	*t = (struct tree){ 0 };
	find_hierarchy(t);
	if (!t->version) {
		check_skip(name, "no hierarchy of cgroups is mounted");
		return false;
	}
	snprintf(t->outer, sizeof(t->outer), "%s/vmtop-limits-%d", t->mount, (int)getpid());
	snprintf(t->inner, sizeof(t->inner), "%s/inner", t->outer);
	t->switched = t->version == 2 && !is_on(t->mount) &&
		      put(t->mount, "cgroup.subtree_control", "+memory");
	if (mkdir(t->outer, 0755) ||
	    (t->version == 2 && !put(t->outer, "cgroup.subtree_control", "+memory")) ||
	    mkdir(t->inner, 0755)) {
		check_skip(name, "%s: %s", t->outer, strerror(errno));
		rmdir(t->outer);
		return false;
	}
	return true;
}

/* A process in the inner cgroup that does as it is told. */
struct worker {
	pid_t pid;
	int to, from;
};

struct order {
	char what; /* 'a': touch so much; 'f': write a file of so much, and keep it in the cache */
	uint64_t bytes;
};

static void write_file(uint64_t bytes)
{
	static char block[MIB];
	char path[PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup-limits.data", scratch);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	for (; fd >= 0 && bytes; bytes -= MIB)
		if (write(fd, block, MIB) != (ssize_t)MIB)
			_exit(4);
	if (fd < 0 || fdatasync(fd))
		_exit(4);
}

static __attribute__((noreturn)) void work(const struct tree *t, int from, int to)
{
	struct order o;
	char done = 0;

	if (!put(t->inner, "cgroup.procs", "0"))
		_exit(2);
	while (write(to, &done, 1) == 1 && read(from, &o, sizeof(o)) == (ssize_t)sizeof(o)) {
		char *p;

		if (o.what == 'f') {
			write_file(o.bytes);
			continue;
		}
		p = mmap(NULL, o.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(3);
		memset(p, 1, o.bytes);
	}
	_exit(0);
}

static bool hear(const struct worker *w)
{
	struct pollfd p = { .fd = w->from, .events = POLLIN };
	char c;

	return poll(&p, 1, 120000) == 1 && read(w->from, &c, 1) == 1;
}

static bool start_worker(struct worker *w, const struct tree *t)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		exit(1);
	w->pid = fork();
	if (!w->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(to[1]);
		work(t, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	return hear(w);
}

static bool tell(const struct worker *w, char what, uint64_t bytes)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.what = what;
	o.bytes = bytes;
	return write(w->to, &o, sizeof(o)) == (ssize_t)sizeof(o) && hear(w);
}

static void end_worker(struct worker *w)
{
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
	close(w->to);
	close(w->from);
}

/* What vmtop says of a cgroup. */
struct said {
	char binds[32];
	int64_t distance, reclaimable;
	uint64_t available, limit, current;
	char at_most[8];
	char tightest[PATH];
};

static bool ask(const char *path, struct said *s)
{
	const char *const args[] = {
		"vmtop",
		"cgroups",
		path,
		"--raw",
		"--noheadings",
		"-b",
		"-o",
		"binds,distance,available,t-limit,t-current,t-reclaimable,at-most,tightest,path",
		NULL,
	};
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);
	/* "-" is no number, and none is expected to be unknown. */
	bool read = fscanf(f,
			   "%31s %" SCNd64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64
			   " %7s %299s",
			   s->binds, &s->distance, &s->available, &s->limit, &s->current,
			   &s->reclaimable, s->at_most, s->tightest) == 8;

	while (fgetc(f) != EOF)
		;
	return check_stop(f, pid) && read;
}

/* The page cache, and what of the slab can be taken, of a cgroup and those below it. */
static uint64_t reclaimable_of(const struct tree *t, const char *dir)
{
	if (t->version == 1)
		return get(dir, "memory.stat", "total_active_file") +
		       get(dir, "memory.stat", "total_inactive_file");
	return get(dir, "memory.stat", "active_file") + get(dir, "memory.stat", "inactive_file") +
	       get(dir, "memory.stat", "slab_reclaimable");
}

/*
 * The limit of at decides what the inner cgroup has: as word, and so far off. Where the figures
 * move while vmtop looks, it looks again.
 */
static void judge(struct check *c, const struct tree *t, const char *at, const char *word,
		  uint64_t limit, const char *usage_file, struct said *s)
{
	uint64_t before = 0, after = 1, may = 0, then = 1;
	int tries;

	for (tries = 0; tries < 100 && (before != after || may != then); tries++) {
		before = get(at, usage_file, NULL);
		may = reclaimable_of(t, at);
		if (!check_that(c, ask(t->inner + strlen(t->mount), s), "no row of %s", t->inner))
			return;
		after = get(at, usage_file, NULL);
		then = reclaimable_of(t, at);
	}
	if (!check_that(c, before == after && may == then, "it never stands still"))
		return;
	check_that(c, !strcmp(s->binds, word), "%s binds, not %s", s->binds, word);
	check_that(c, !strcmp(s->tightest, at + strlen(t->mount)), "it is %s, not %s", s->tightest,
		   at + strlen(t->mount));
	check_that(c, s->limit == limit && s->current == before,
		   "limit %" PRIu64 ", current %" PRIu64 ", not %" PRIu64 ", %" PRIu64, s->limit,
		   s->current, limit, before);
	check_that(c, s->distance == (int64_t)limit - (int64_t)before,
		   "distance %" PRId64 ", not %" PRId64, s->distance,
		   (int64_t)limit - (int64_t)before);
	check_that(c, s->reclaimable == (int64_t)may, "reclaimable %" PRId64 ", not %" PRIu64,
		   s->reclaimable, may);
	check_that(c, s->available == limit - before + may, "available %" PRIu64 ", not %" PRIu64,
		   s->available, limit - before + may);
	check_that(c, !strcmp(s->at_most, "no"), "at most: %s", s->at_most);
}

/* Anonymous memory of three sizes, with the limit at one level. */
static void at_level(const char *name, bool above, const char *const file[3],
		     const char *const word[3])
{
	static const uint64_t fill[] = { 8 * MIB, 24 * MIB, 20 * MIB };
	struct said s[3];
	struct worker w;
	struct check c;
	struct tree t;
	const char *at;
	size_t i;

	check_begin(&c, "cgroup-limits/%s", name);
	memset(s, 0, sizeof(s));
	if (!make_tree(&t, c.name))
		return;
	at = above ? t.outer : t.inner;
	if (!file[t.version]) {
		check_skip(c.name, "version %u has nothing of that", t.version);
		remove_tree(&t);
		return;
	}
	/* The other level has a limit, too, of twice as much. */
	if (!put_number(above ? t.inner : t.outer, limits[t.version], 2 * LIMIT) ||
	    !put_number(at, file[t.version], LIMIT)) {
		check_skip(c.name, "%s: %s", file[t.version], strerror(errno));
		remove_tree(&t);
		return;
	}
	check_that(&c, start_worker(&w, &t), "the workload did not start");
	for (i = 0; i < 3 && !c.failed; i++) {
		check_that(&c, tell(&w, 'a', fill[i]), "the workload ended");
		judge(&c, &t, at, word[t.version], LIMIT, usages[t.version], &s[i]);
	}
	check_end(&c,
		  "version %u: %s of %s is %" PRId64 ", %" PRId64 ", %" PRId64
		  " bytes off with 8, 32, 52 MiB",
		  t.version, s[0].binds, s[0].tightest, s[0].distance, s[1].distance,
		  s[2].distance);
	end_worker(&w);
	remove_tree(&t);
}

static uint64_t number_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? (uint64_t)strtoll(at + strlen(key), NULL, 10) : 0;
}

/* vmtop free --cgroup: the parts are what is charged, to the byte, and have what was put there; the
 * kernel adds up its statistics lazily, some hundred KiB behind. */
static void judge_parts(struct check *c, const struct tree *t, uint64_t anon, uint64_t file)
{
	const char *const args[] = { "vmtop",	 "free", "--cgroup", t->inner + strlen(t->mount),
				     "--ndjson", NULL };
	uint64_t current = 0, sum = 0, had_anon = 0, had_file = 0, levels = 0, size;
	char *line = NULL;
	size_t cap = 0;
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);

	while (getline(&line, &cap, f) > 0) {
		if (strstr(line, "\"type\":\"cgroup\""))
			current = number_of(line, "\"current_bytes\":");
		levels += strstr(line, "\"type\":\"cgroup_level\"") &&
			  strstr(line, "\"binds\":true");
		if (!strstr(line, "\"type\":\"cgroup_part\""))
			continue;
		size = number_of(line, "\"size_bytes\":");
		sum += size;
		if (strstr(line, "\"anonymous\""))
			had_anon = size;
		else if (strstr(line, "\"file_"))
			had_file += size;
	}
	free(line);
	check_that(c, check_stop(f, pid), "free --cgroup failed");
	check_that(c, levels == 1, "%" PRIu64 " levels bind", levels);
	check_that(c, current && sum == current, "parts are %" PRIu64 " of %" PRIu64, sum, current);
	check_that(c, had_anon + MIB >= anon && had_anon < anon + 8 * MIB,
		   "%" PRIu64 " anonymous, not %" PRIu64, had_anon, anon);
	check_that(c, had_file + MIB >= file && had_file < file + 8 * MIB,
		   "%" PRIu64 " of files, not %" PRIu64, had_file, file);
}

/* Page cache does not count against what is available. */
static void with_cache(void)
{
	struct said s = { 0 };
	struct worker w;
	struct check c;
	struct tree t;

	check_begin(&c, "cgroup-limits/cache");
	if (!make_tree(&t, c.name))
		return;
	check_that(&c,
		   put_number(t.inner, limits[t.version], LIMIT) && start_worker(&w, &t) &&
			   tell(&w, 'a', 16 * MIB) && tell(&w, 'f', 24 * MIB),
		   "the workload did not start");
	if (!c.failed) {
		judge(&c, &t, t.inner, words[t.version], LIMIT, usages[t.version], &s);
		if (s.reclaimable >= (int64_t)(20 * MIB))
			judge_parts(&c, &t, 16 * MIB, 24 * MIB);
		if (!c.failed && s.reclaimable < (int64_t)(20 * MIB))
			check_skip(c.name, "files of %s are not in the page cache", scratch);
		else
			check_end(&c,
				  "%" PRId64 " of cache: %" PRId64 " off, %" PRIu64 " available",
				  s.reclaimable, s.distance, s.available);
	} else {
		check_end(&c, "%s", "");
	}
	end_worker(&w);
	remove_tree(&t);
}

/* The workload's cgroup as the first of a namespace, with the limit above it. */
static __attribute__((noreturn)) void in_namespace(const struct tree *t, const char *name)
{
	char dir[PATH];
	struct said s = { 0 };
	struct check c;
	bool right;

	check_begin(&c, "%s", name);
	snprintf(dir, sizeof(dir), "%s/cgroup-limits-XXXXXX", scratch);
	if (!put(t->inner, "cgroup.procs", "0") || unshare(CLONE_NEWCGROUP | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || !mkdtemp(dir) ||
	    mount("cgroup", dir, t->version == 1 ? "cgroup" : "cgroup2", 0,
		  t->version == 1 ? "memory" : NULL)) {
		check_skip(c.name, "no namespace: %s", strerror(errno));
		rmdir(dir);
		_exit(0);
	}
	check_that(&c, ask("/", &s), "no row");
	/* Version 1 tells the least limit of all; the other one does not. */
	right = t->version == 1
			? !strcmp(s.binds, "above") && s.limit == LIMIT && !strcmp(s.tightest, "-")
			: !strcmp(s.binds, "max") && s.limit == 2 * LIMIT;
	check_that(&c, right, "%s of %s binds, %" PRIu64, s.binds, s.tightest, s.limit);
	check_that(&c, !strcmp(s.at_most, "yes"), "at most: %s", s.at_most);
	check_end(&c, "version %u: %s, at most %" PRIu64 " available", t->version, s.binds,
		  s.available);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	_exit(0);
}

static void out_of_sight(void)
{
	static const char name[] = "cgroup-limits/namespace";
	struct tree t;
	pid_t pid;

	if (!make_tree(&t, name))
		return;
	if (!put_number(t.inner, limits[t.version], 2 * LIMIT) ||
	    !put_number(t.outer, limits[t.version], LIMIT)) {
		check_skip(name, "no limit: %s", strerror(errno));
		remove_tree(&t);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (!pid)
		in_namespace(&t, name);
	waitpid(pid, NULL, 0);
	remove_tree(&t);
}

/* Cgroups that are removed while they are read: none of them is a failure. */
static void come_and_go(void)
{
	const char *args[] = { "vmtop", "cgroups", NULL, "--strict", "-J", NULL };
	struct check c;
	struct tree t;
	pid_t pid;
	int i;

	check_begin(&c, "cgroup-limits/removal");
	if (!make_tree(&t, c.name))
		return;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned n = 0;; n++) {
			char path[PATH];

			snprintf(path, sizeof(path), "%s/%u", t.inner, n % 8);
			if (mkdir(path, 0755))
				rmdir(path);
		}
	}
	args[2] = t.outer;
	for (i = 0; i < 10; i++) {
		pid_t child;
		FILE *f = check_start(vmtop, 0, args, &child);
		size_t bytes = 0;

		while (fgetc(f) != EOF)
			bytes++;
		check_that(&c, check_stop(f, child) && bytes > 1000, "it failed");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < 8; i++) {
		char path[PATH];

		snprintf(path, sizeof(path), "%s/%d", t.inner, i);
		rmdir(path);
	}
	check_end(&c, "%d looks", 10);
	remove_tree(&t);
}

int main(int argc, char **argv)
{
	static const char *const high[] = { NULL, NULL, "memory.high" };
	static const char *const high_word[] = { NULL, NULL, "high" };

	if (argc != 3)
		return 2;
	vmtop = argv[1];
	scratch = argv[2];
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	at_level("own", false, limits, words);
	at_level("ancestor", true, limits, words);
	at_level("high", false, high, high_word);
	with_cache();
	out_of_sight();
	come_and_go();
	return 0;
}
