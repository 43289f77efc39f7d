/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * huge VMTOP [set]: what vmtop maps --huge says of mappings that were made to have, or not to have,
 * huge pages, one for each reason; what they have is compared with smaps. With "set" it changes
 * settings of the machine for it, too, as in a guest.
 */

#include "check.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "number.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"
#define MIB ((size_t)1 << 20)
#define PMD (2 * MIB)
#define ALL (8 * MIB)

enum {
	FREE,
	REFUSED,
	UNTOUCHED,
	TOUCHED,
	SHORT,
	UNALIGNED,
	FAULTS,
	HUGETLB,
	SHARED,
	OF_FILE,
	OFFSET,
	FEW,
	N_CASES
};

static const struct {
	const char *name;
	const char *word; /* the reason that it was made for; NULL: none, or unknown */
	bool anon; /* the setting for anonymous memory decides, too */
} cases[N_CASES] = {
	[FREE] = { "not-advised", "not_advised", true },
	[REFUSED] = { "nohugepage", "nohugepage", true },
	[UNTOUCHED] = { "untouched", "untouched", true },
	[TOUCHED] = { "touched", NULL, true },
	[SHORT] = { "short", "short", true },
	[UNALIGNED] = { "unaligned", "unaligned", true },
	[FAULTS] = { "userfaultfd", "userfaultfd", true },
	[HUGETLB] = { "hugetlb", "hugetlb", false },
	[SHARED] = { "shmem", "shmem_never", false },
	[OF_FILE] = { "file", "file", false },
	[OFFSET] = { "offset", "offset", false },
	[FEW] = { "few-pages", "few_pages", true },
};

/* In memory that all see. */
static struct {
	char *at[N_CASES];
	bool has[N_CASES];
} * made;
static const char *vmtop;
static char mode[16], shmem_mode[16];

/* The word in brackets. */
static void read_mode(const char *path, char *to, size_t n)
{
	char line[128] = "", *open, *close;
	FILE *f = fopen(path, "r");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	snprintf(to, n, "%.*s", close ? (int)(close - open - 1) : 0, close ? open + 1 : "");
}

/* Address space of that size between two others, so that it becomes one with no neighbour. */
static char *place(size_t size, size_t offset)
{
	char *base =
		mmap(NULL, size + offset + 3 * PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		_exit(3);
	return (char *)(((uintptr_t)base + 2 * PMD - 1) & ~(PMD - 1)) + offset;
}

static char *anon(int i, size_t size, size_t offset, int advice)
{
	char *p = mmap(place(size, offset), size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED || (advice && madvise(p, size, advice) < 0))
		return NULL;
	made->at[i] = p;
	made->has[i] = true;
	return p;
}

/* A range whose first page was served by a userfaultfd, which stays open. */
static void make_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	char *from = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .len = 4096 };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	char *p;

	if (fd < 0 || from == MAP_FAILED)
		return;
	p = anon(FAULTS, ALL, 0, MADV_HUGEPAGE);
	made->has[FAULTS] = false;
	if (!p)
		return;
	reg.range.start = copy.dst = (uintptr_t)p;
	reg.range.len = ALL;
	copy.src = (uintptr_t)from;
	*from = 1;
	made->has[FAULTS] = ioctl(fd, UFFDIO_API, &api) == 0 &&
			    ioctl(fd, UFFDIO_REGISTER, &reg) == 0 &&
			    ioctl(fd, UFFDIO_COPY, &copy) == 0;
}

static void make_file(int i, int fd, off_t offset)
{
	char *p = mmap(place(ALL, 0), ALL, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, offset);

	if (p == MAP_FAILED)
		return;
	madvise(p, ALL, MADV_HUGEPAGE);
	made->at[i] = p;
	made->has[i] = true;
}

static void make_all(int file, bool few)
{
	char *p;

	p = anon(FREE, ALL, 0, 0);
	if (p)
		memset(p, 1, ALL);
	p = anon(REFUSED, ALL, 0, MADV_NOHUGEPAGE);
	if (p)
		memset(p, 1, ALL);
	anon(UNTOUCHED, ALL, 0, MADV_HUGEPAGE);
	p = anon(TOUCHED, ALL, 0, MADV_HUGEPAGE);
	if (p)
		memset(p, 1, ALL);
	p = anon(SHORT, MIB, 0, MADV_HUGEPAGE);
	if (p)
		memset(p, 1, MIB);
	p = anon(UNALIGNED, 3 * MIB, 4096, MADV_HUGEPAGE);
	if (p)
		memset(p, 1, 3 * MIB);
	make_faults();
	p = mmap(NULL, ALL, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	made->has[HUGETLB] = p != MAP_FAILED;
	made->at[HUGETLB] = p;
	p = mmap(place(ALL, 0), ALL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0);
	made->has[SHARED] = p != MAP_FAILED;
	made->at[SHARED] = p;
	if (p != MAP_FAILED)
		memset(p, 1, ALL);
	if (file >= 0) {
		make_file(OF_FILE, file, 0);
		make_file(OFFSET, file, 4096);
	}
	/* Pages that were there before huge ones were allowed. */
	if (few) {
		p = anon(FEW, ALL, 0, MADV_NOHUGEPAGE);
		if (p) {
			memset(p, 1, 10 * 4096);
			made->has[FEW] = madvise(p, ALL, MADV_HUGEPAGE) == 0;
		}
	}
}

/* A process with the mappings, which waits to be killed. */
static pid_t start(int file, bool few, bool disabled)
{
	int ready[2];
	pid_t pid;
	char c;

	memset(made, 0, sizeof(*made));
	if (pipe2(ready, O_CLOEXEC) < 0)
		exit(2);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (disabled)
			prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
		make_all(file, few);
		if (write(ready[1], "", 1) != 1)
			_exit(3);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		exit(2);
	close(ready[0]);
	return pid;
}

/* A key of smaps of the mapping that begins there; -1 where it has none. */
static long long smaps(pid_t pid, const char *at, const char *key)
{
	unsigned long long from, to;
	char path[64], line[4096];
	long long v, found = -1;
	bool here = false;
	size_t n = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			here = from == (uintptr_t)at;
		else if (here && strncmp(line, key, n) == 0 && line[n] == ':' &&
			 sscanf(line + n + 1, "%lld", &v) == 1)
			found = v;
	}
	if (f)
		fclose(f);
	return found;
}

struct said {
	bool found, failed;
	long long huge, eligible; /* -1: unknown */
	char why[128], kind[16];
};

static void take(const char **at, char *to, size_t n)
{
	bool quoted = **at == '"';
	size_t len;

	*at += quoted;
	len = strcspn(*at, quoted ? "\"" : ",\r\n");
	snprintf(to, n, "%.*s", (int)len, *at);
	*at += len + quoted;
	*at += **at == ',';
}

static struct said ask(pid_t pid, const char *at)
{
	char number[16], line[1024];
	const char *const args[] = { "vmtop",
				     "maps",
				     "--huge",
				     "--csv",
				     "--noheadings",
				     "-b",
				     "-q",
				     "-o",
				     "start,kind,huge_bytes,eligible_bytes,why",
				     number,
				     NULL };
	struct said said = { .huge = -1, .eligible = -1 };
	pid_t child;
	FILE *f;

	snprintf(number, sizeof(number), "%d", pid);
	f = check_start(vmtop, 0, args, &child);
	while (f && fgets(line, sizeof(line), f)) {
		const char *cur = line;
		char text[64];

		take(&cur, text, sizeof(text));
		if (strtoull(text, NULL, 16) != (uintptr_t)at)
			continue;
		said.found = true;
		take(&cur, said.kind, sizeof(said.kind));
		take(&cur, text, sizeof(text));
		said.huge = *text ? atoll(text) : -1;
		take(&cur, text, sizeof(text));
		said.eligible = *text ? atoll(text) : -1;
		take(&cur, said.why, sizeof(said.why));
	}
	said.failed = !f || !check_stop(f, child);
	return said;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *at = text;

	while ((at = strstr(at, word))) {
		if ((at == text || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
		at += n;
	}
	return false;
}

/* Whether the reason that it was made for can be expected here. */
static const char *not_here(int i)
{
	if (!made->has[i])
		return "it could not be made";
	if (i == FREE && strcmp(mode, "madvise") != 0)
		return "huge pages are not for who asks for them";
	if ((i == UNTOUCHED || i == TOUCHED || i == FAULTS || i == FEW) &&
	    strcmp(mode, "never") == 0)
		return "there are no huge pages";
	if (i == SHARED && strcmp(shmem_mode, "never") != 0 && strcmp(shmem_mode, "deny") != 0)
		return "huge pages of shmem are allowed";
	if (i == OF_FILE && strcmp(mode, "never") == 0)
		return "there are no huge pages";
	return NULL;
}

static bool judge(pid_t pid, int i)
{
	const char *why_not = not_here(i);
	long long huge = 0, v;
	struct said said;
	struct check c;
	char name[64];

	snprintf(name, sizeof(name), "huge-%s", cases[i].name);
	if (why_not) {
		check_skip(name, "%s", why_not);
		return true;
	}
	check_begin(&c, "%s", name);
	said = ask(pid, made->at[i]);
	/* On a file system of memory it is no file. */
	if (i == OF_FILE && strcmp(said.kind, "file") != 0) {
		check_skip(name, "kind %s", said.kind);
		return true;
	}
	if (i == OF_FILE && smaps(pid, made->at[i], "THPeligible") != 0) {
		check_skip(name, "the kernel makes huge pages of this file");
		return true;
	}
	check_that(&c, !said.failed, "vmtop failed");
	check_that(&c, said.found, "it has no row");
	v = smaps(pid, made->at[i], "AnonHugePages");
	huge += v > 0 ? v * 1024 : 0;
	v = smaps(pid, made->at[i], "ShmemPmdMapped");
	huge += v > 0 ? v * 1024 : 0;
	if (i != HUGETLB && i != TOUCHED)
		check_that(&c, said.huge == huge, "HUGE %lld, not %lld", said.huge, huge);
	if (i == TOUCHED) {
		/* khugepaged may be at it. */
		check_that(&c, said.eligible == (long long)ALL, "ELIGIBLE %lld", said.eligible);
		check_that(&c, said.huge <= huge, "HUGE %lld, now %lld", said.huge, huge);
		check_that(&c, strcmp(said.why, said.huge == said.eligible ? "" : "unknown") == 0,
			   "WHY '%s' with %lld", said.why, said.huge);
	} else {
		bool allowed = i == UNTOUCHED || i == FAULTS || i == FEW;

		check_that(&c, said.eligible == (allowed ? (long long)ALL : 0), "ELIGIBLE %lld",
			   said.eligible);
		check_that(&c, has_word(said.why, cases[i].word), "WHY '%s'", said.why);
		/* What was not made to hold does not. */
		if (!cases[i].anon || strcmp(mode, "never") != 0)
			check_that(&c,
				   strcmp(said.why, cases[i].word) == 0 ||
					   (i == FAULTS && strcmp(said.why, "userfaultfd "
									    "few_pages") == 0),
				   "WHY '%s'", said.why);
	}
	check_end(&c, "HUGE %lld ELIGIBLE %lld WHY %s", said.huge, said.eligible, said.why);
	return !c.failed;
}

static bool judge_disabled(int file)
{
	pid_t pid = start(file, false, true);
	struct said said;
	struct check c;

	check_begin(&c, "huge-prctl");
	said = ask(pid, made->at[UNTOUCHED]);
	check_that(&c, !said.failed && said.found, "vmtop failed");
	check_that(&c, has_word(said.why, "prctl"), "WHY '%s'", said.why);
	check_that(&c, said.eligible == 0, "ELIGIBLE %lld", said.eligible);
	check_end(&c, "WHY %s", said.why);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return !c.failed;
}

/* What is registered, in vmtop maps. */
static bool judge_registered(pid_t pid)
{
	char number[16], line[256], want[64];
	const char *const args[] = { "vmtop",	   "maps", "--csv", "--noheadings", "-q", "-o",
				     "start,uffd", number, NULL };
	unsigned with = 0, without = 0, others = 0;
	struct check c;
	pid_t child;
	FILE *f;

	if (!made->has[FAULTS]) {
		check_skip("uffd-column", "no userfaultfd");
		return true;
	}
	check_begin(&c, "uffd-column");
	snprintf(number, sizeof(number), "%d", pid);
	snprintf(want, sizeof(want), "%llx,missing",
		 (unsigned long long)(uintptr_t)made->at[FAULTS]);
	f = check_start(vmtop, 0, args, &child);
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = 0;
		if (strstr(line, want))
			with++;
		else if (line[strlen(line) - 1] == ',')
			without++;
		else
			others++;
	}
	check_that(&c, f && check_stop(f, child), "vmtop failed");
	check_that(&c, with == 1, "%u rows say missing", with);
	check_that(&c, without > 10, "%u rows say nothing is registered", without);
	check_end(&c, "%u, %u without, %u unknown", with, without, others);
	return !c.failed;
}

int main(int argc, char **argv)
{
	bool set = argc > 2 && strcmp(argv[2], "set") == 0, good = true;
	char path[] = "/var/tmp/huge.XXXXXX";
	int file, i;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: huge VMTOP [set]\n");
		return 2;
	}
	vmtop = argv[1];
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return 2;
	read_mode(THP "enabled", mode, sizeof(mode));
	read_mode(THP "shmem_enabled", shmem_mode, sizeof(shmem_mode));
	if (!*mode) {
		check_skip("huge", "this kernel has no transparent huge pages");
		return 0;
	}
	file = mkstemp(path);
	if (file >= 0) {
		unlink(path);
		if (ftruncate(file, (off_t)(ALL + 4096)) < 0)
			return 2;
	}
	if (set)
		number_write(THP "khugepaged/max_ptes_none", 100);
	pid = start(file, set, false);
	for (i = 0; i < N_CASES; i++)
		if (i != FEW || set)
			good &= judge(pid, i);
	good &= judge_registered(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	good &= judge_disabled(file);
	if (set)
		number_write(THP "khugepaged/max_ptes_none", 511);
	return !good;
}
