/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * forecast VMTOP DIR: the faults that vmtop says a mapping has left, against those that then come.
 * A process makes a mapping of which it is known page by page what is mapped, cached and absent;
 * vmtop looks at it; the process touches each page and counts by getrusage().
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096ul
#define PAGES 200u

enum state {
	MAPPED,
	CACHED,
	ABSENT,
	BEYOND, /* the end of the file */
	STATES,
};

struct scene {
	const char *name;
	bool file; /* else anonymous; of shmem where shared */
	bool shared;
	bool store; /* each page by itself; loads also map what is around */
	bool exact; /* what is likely comes, too */
	/* Of the file, as far as it goes: which pages are cached, and which are then mapped. */
	bool (*cached)(unsigned page);
	bool (*mapped)(unsigned page);
	unsigned pages; /* of the file */
};

static bool all(unsigned page)
{
	(void)page;
	return true;
}

static bool none(unsigned page)
{
	(void)page;
	return false;
}

/* Runs of many lengths, of which none is that of a window. */
static bool some(unsigned page)
{
	return page % 37 < 11 || page / 50 == 2;
}

static bool few(unsigned page)
{
	return page % 29 == 3;
}

/* One of 16 is absent, so that no run of them is longer than one. */
static bool most(unsigned page)
{
	return page % 16 != 9;
}

static const struct scene scenes[] = {
	{ "stores", true, false, true, false, some, few, PAGES },
	{ "absent", true, false, true, false, none, none, PAGES },
	{ "cached", true, false, true, false, all, few, PAGES },
	{ "loads", true, false, false, true, all, none, PAGES },
	{ "single", true, false, false, true, most, none, PAGES },
	{ "short", true, false, true, false, some, none, PAGES - 41 },
	{ "anonymous", false, false, true, true, none, few, PAGES },
	{ "memfd", false, true, true, false, some, none, PAGES },
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* What the child says, in memory of both. */
struct truth {
	uint64_t start;
	uint64_t n[STATES]; /* pages */
	uint64_t minor;
	uint64_t major;
	bool again; /* stores to shared memory are made twice: major, whatever they find */
	uint64_t wrong; /* pages whose fault was another than their state says */
	char unable[160];
};

/* What vmtop says: -o in this order. */
enum { CACHED_PAGES, ABSENT_PAGES, MINOR, MINOR_MOST, MAJOR, MAJOR_MOST, FIGURES };
static const char columns[] = "start,cached_unmapped_pages,absent_pages,minor_faults_left,"
			      "minor_faults_left_max,major_faults_left,major_faults_left_max";

static int make_file(const struct scene *scene, const char *path, const char **ret_why)
{
	int fd = scene->file ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
			     : memfd_create("forecast", MFD_CLOEXEC);
	unsigned char there[PAGES];
	char page[PAGE];
	void *p;

	*ret_why = "no file";
	if (fd < 0 || (scene->file && unlink(path)))
		return -1;
	if (!scene->file) {
		if (ftruncate(fd, (off_t)(scene->pages * PAGE)))
			return -1;
		for (unsigned i = 0; i < scene->pages; i++)
			if (scene->cached(i) && pwrite(fd, "x", 1, (off_t)(i * PAGE)) != 1)
				return -1;
		return fd;
	}
	memset(page, 'x', sizeof(page));
	for (unsigned i = 0; i < scene->pages; i++)
		if (pwrite(fd, page, sizeof(page), (off_t)(i * PAGE)) != (ssize_t)sizeof(page))
			return -1;
	*ret_why = "pages do not leave the page cache, or not one by one";
	p = mmap(NULL, scene->pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || madvise(p, scene->pages * PAGE, MADV_RANDOM))
		return -1;
	if (!check_forget(fd, p, scene->pages))
		return -1;
	/* They come, and stay: who needs memory takes clean pages first. */
	for (unsigned i = 0; i < scene->pages; i++)
		if (scene->cached(i) && mlock((char *)p + i * PAGE, PAGE))
			return -1;
	if (mincore(p, scene->pages * PAGE, there))
		return -1;
	for (unsigned i = 0; i < scene->pages; i++)
		if ((there[i] & 1) != scene->cached(i))
			return -1;
	return fd;
}

static enum state state_of(const struct scene *s, unsigned page)
{
	if (page >= s->pages)
		return BEYOND;
	if (s->mapped(page))
		return MAPPED;
	return s->cached(page) ? CACHED : ABSENT;
}

static void touch(const struct scene *s, volatile char *p, unsigned page)
{
	if (s->store)
		p[page * PAGE] = 'y';
	else
		(void)p[page * PAGE];
}

/* Touches all in order, and holds the fault of each page against what it was. */
static void touch_all(const struct scene *s, volatile char *p, struct truth *t)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (unsigned i = 0; i < s->pages; i++) {
		enum state state = state_of(s, i);
		bool zero = state == ABSENT && !s->file;
		long minor, major;

		touch(s, p, i);
		getrusage(RUSAGE_SELF, &after);
		minor = after.ru_minflt - before.ru_minflt;
		major = after.ru_majflt - before.ru_majflt;
		before = after;
		t->minor += (uint64_t)minor;
		t->major += (uint64_t)major;
		if (t->again && s->shared && s->store && state == ABSENT)
			t->wrong += minor + major != 1;
		else if (state == ABSENT && !zero)
			t->wrong += minor != 0 || major != 1;
		else if (s->store)
			t->wrong += minor != (state == CACHED || zero) || major != 0;
	}
}

/* Linux 5.5 to 5.19, as a page of its own shows. */
static bool made_again(void)
{
	int fd = memfd_create("again", MFD_CLOEXEC);
	struct rusage before, after;
	volatile char *p;

	if (fd < 0 || ftruncate(fd, PAGE))
		return false;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	getrusage(RUSAGE_SELF, &before);
	*p = 1;
	getrusage(RUSAGE_SELF, &after);
	return after.ru_majflt > before.ru_majflt;
}

static void act(const struct scene *s, const char *path, struct truth *t, int say, int hear)
{
	const char *why = "no memory";
	char *area, *p, c;
	int fd = -1;

	if (s->file || s->shared)
		fd = make_file(s, path, &why);
	/* A mapping with no neighbours, that does not begin where a window does. */
	area = mmap(NULL, (PAGES + 64) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (((s->file || s->shared) && fd < 0) || area == MAP_FAILED) {
		snprintf(t->unable, sizeof(t->unable), "%s", why);
		_exit(1);
	}
	p = (char *)(((uintptr_t)area + 32 * PAGE) & ~(16 * PAGE - 1)) + 5 * PAGE;
	p = mmap(p, PAGES * PAGE, PROT_READ | (s->store ? PROT_WRITE : 0),
		 MAP_FIXED | (s->shared ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0),
		 fd, 0);
	if (p == MAP_FAILED || madvise(p, PAGES * PAGE, fd < 0 ? MADV_NOHUGEPAGE : MADV_RANDOM))
		_exit(1);
	t->start = (uint64_t)(uintptr_t)p;
	t->again = made_again();
	for (unsigned i = 0; i < PAGES; i++) {
		t->n[state_of(s, i)]++;
		if (state_of(s, i) == MAPPED)
			touch(s, p, i);
	}
	if (write(say, "r", 1) != 1 || read(hear, &c, 1) != 1)
		_exit(1);
	touch_all(s, p, t);
	_exit(0);
}

/* The figures of the mapping that begins at start; false where it is not there. */
static bool ask(const char *vmtop, pid_t pid, uint64_t start, uint64_t *ret)
{
	char number[16], line[400];
	const char *args[] = {
		"vmtop", "maps", number, "--forecast", "--csv", "-o", columns, NULL
	};
	bool found = false;
	pid_t child;
	FILE *f;

	snprintf(number, sizeof(number), "%d", pid);
	f = check_start(vmtop, 0, args, &child);
	while (fgets(line, sizeof(line), f)) {
		char *at = line;

		if (strtoull(line, &at, 16) != start || *at != ',')
			continue;
		found = true;
		for (int i = 0; i < FIGURES; i++) {
			char *end;

			ret[i] = strtoull(at + 1, &end, 10);
			found &= end != at + 1;
			at = end;
		}
	}
	return check_stop(f, child) && found;
}

static void judge(struct check *c, const struct scene *s, const struct truth *t, const uint64_t *v)
{
	uint64_t zero = s->file ? 0 : t->n[ABSENT], read = t->n[ABSENT] - zero;
	uint64_t minor = t->n[CACHED] + zero;
	bool again = t->again && s->shared && s->store;

	check_that(c, v[CACHED_PAGES] == t->n[CACHED], "%" PRIu64 " cached, not %" PRIu64,
		   v[CACHED_PAGES], t->n[CACHED]);
	check_that(c, v[ABSENT_PAGES] == t->n[ABSENT], "%" PRIu64 " absent, not %" PRIu64,
		   v[ABSENT_PAGES], t->n[ABSENT]);
	check_that(c, v[MINOR_MOST] == minor && v[MAJOR_MOST] == read + (again ? minor : 0),
		   "at most %" PRIu64 "+%" PRIu64, v[MINOR_MOST], v[MAJOR_MOST]);
	check_that(c, v[MINOR] <= v[MINOR_MOST] + v[MAJOR_MOST] && v[MAJOR] <= v[MAJOR_MOST],
		   "likely are more than the most");
	if (again)
		check_that(c, t->minor + t->major == minor + read && t->major >= zero,
			   "%" PRIu64 "+%" PRIu64 " faults came", t->minor, t->major);
	else if (s->store)
		check_that(c, t->minor == v[MINOR_MOST] && t->major == v[MAJOR_MOST],
			   "%" PRIu64 "+%" PRIu64 " faults came", t->minor, t->major);
	check_that(c, t->minor <= v[MINOR_MOST] && t->major <= v[MAJOR_MOST],
		   "more faults came than the most");
	if (s->exact)
		check_that(c, t->minor == v[MINOR] && t->major == v[MAJOR],
			   "%" PRIu64 "+%" PRIu64 " faults came", t->minor, t->major);
	check_that(c, !t->wrong, "%" PRIu64 " pages had another fault than they were to have",
		   t->wrong);
}

static void play(const char *vmtop, const char *dir, const struct scene *s)
{
	struct truth *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t v[FIGURES] = { 0 };
	int down[2], up[2], status;
	char path[300], byte;
	struct check c;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/forecast-%s-%d", dir, s->name, (int)getpid());
	if (t == MAP_FAILED || pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		close(down[1]);
		close(up[0]);
		act(s, path, t, up[1], down[0]);
	}
	close(down[0]);
	close(up[1]);
	check_begin(&c, "forecast/%s", s->name);
	if (check_that(&c, read(up[0], &byte, 1) == 1, "it does not begin: %s", t->unable) &&
	    check_that(&c, ask(vmtop, pid, t->start, v), "vmtop does not tell") &&
	    check_that(&c, write(down[1], "g", 1) == 1, "it ended"))
		status = 0;
	close(down[1]);
	close(up[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		check_that(&c, false, "the process ended with status %d", status);
	else
		judge(&c, s, t, v);
	check_end(&c,
		  "%" PRIu64 " cached, %" PRIu64 " absent: likely %" PRIu64 "+%" PRIu64
		  " faults, at most %" PRIu64 "+%" PRIu64 "; %" PRIu64 "+%" PRIu64 " came",
		  v[CACHED_PAGES], v[ABSENT_PAGES], v[MINOR], v[MAJOR], v[MINOR_MOST],
		  v[MAJOR_MOST], t->minor, t->major);
	munmap(t, sizeof(*t));
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: forecast VMTOP DIR\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SCENES; i++)
		play(argv[1], argv[2], &scenes[i]);
	return 0;
}
