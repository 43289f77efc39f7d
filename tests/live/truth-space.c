/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "truth.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define PAGE 4096ul
#define MIB  (1024 * 1024ul)
#define HUGE (2 * MIB)

const char *const truth_keys[TRUTH_FIGURES] = {
	[TRUTH_SIZE] = "size_bytes",
	[TRUTH_PAGE_SIZE] = "kernel_page_size_bytes",
	[TRUTH_RSS] = "rss_bytes",
	[TRUTH_PSS] = "pss_bytes",
	[TRUTH_PSS_DIRTY] = "pss_dirty_bytes",
	[TRUTH_USS] = "uss_bytes",
	[TRUTH_SHARED_CLEAN] = "shared_clean_bytes",
	[TRUTH_SHARED_DIRTY] = "shared_dirty_bytes",
	[TRUTH_PRIVATE_CLEAN] = "private_clean_bytes",
	[TRUTH_PRIVATE_DIRTY] = "private_dirty_bytes",
	[TRUTH_ANON] = "anonymous_bytes",
	[TRUTH_FILE] = "file_bytes",
	[TRUTH_KSM] = "ksm_bytes",
	[TRUTH_LAZY_FREE] = "lazy_free_bytes",
	[TRUTH_ANON_HUGE] = "anon_huge_pages_bytes",
	[TRUTH_SHMEM_PMD] = "shmem_pmd_mapped_bytes",
	[TRUTH_FILE_PMD] = "file_pmd_mapped_bytes",
	[TRUTH_SHARED_HUGETLB] = "shared_hugetlb_bytes",
	[TRUTH_PRIVATE_HUGETLB] = "private_hugetlb_bytes",
	[TRUTH_SWAP] = "swap_bytes",
	[TRUTH_SWAP_PSS] = "swap_pss_bytes",
	[TRUTH_LOCKED] = "locked_bytes",
};

struct space {
	struct truth *truth;
	const char *scratch;
	pid_t holder;
	/* What the holder shares; made before it is forked. */
	char *copied, *shared, *file;
};

/* What a page is; with sharers > 1 it is resident in so many page tables. */
enum page_kind {
	ANON_DIRTY,
	ANON_CLEAN,
	FILE_CLEAN,
	FILE_DIRTY, /* shmem is always dirty */
};

static void fail(struct space *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct space *s, const char *fmt, ...)
{
	va_list args;

	if (s->truth->failed)
		return;
	s->truth->failed = 1;
	va_start(args, fmt);
	vsnprintf(s->truth->why, sizeof(s->truth->why), fmt, args);
	va_end(args);
}

static void absent(struct space *s, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void absent(struct space *s, const char *label, const char *fmt, ...)
{
	struct truth_absent *a = &s->truth->absent[s->truth->n_absent];
	va_list args;

	if (s->truth->n_absent == sizeof(s->truth->absent) / sizeof(*a)) {
		fail(s, "too much is absent");
		return;
	}
	s->truth->n_absent++;
	snprintf(a->label, sizeof(a->label), "%s", label);
	va_start(args, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, args);
	va_end(args);
}

/* A mapping of its own, aligned to a huge page, between pages without access. NULL on failure. */
static char *map(struct space *s, size_t size, int prot, int flags, int fd)
{
	size_t room = size + 2 * HUGE;
	char *base =
		mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at;

	if (base == MAP_FAILED) {
		fail(s, "mmap of %zu: %s", room, strerror(errno));
		return NULL;
	}
	at = (char *)(((uintptr_t)base + HUGE) & ~(HUGE - 1));
	/* What lies before and behind is given back but for a page: nothing merges, and the rest of
	 * the address space stays small. */
	if (at - PAGE > base)
		munmap(base, (size_t)(at - PAGE - base));
	if (base + room > at + size + PAGE)
		munmap(at + size + PAGE, (size_t)(base + room - (at + size + PAGE)));
	if (mmap(at, size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(at - PAGE, size + 2 * PAGE);
		return NULL;
	}
	/* khugepaged, too, takes pages of a file out of the page table to make a huge one. */
	if (!(flags & MAP_HUGETLB))
		madvise(at, size, MADV_NOHUGEPAGE);
	return at;
}

static char *anon(struct space *s, size_t pages)
{
	char *at = map(s, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!at)
		fail(s, "anonymous memory: %s", strerror(errno));
	return at;
}

static void write_pages(char *at, size_t from, size_t to)
{
	for (size_t i = from; at && i < to; i++)
		((volatile char *)at)[i * PAGE] = (char)(i + 1);
}

static void read_pages(const char *at, size_t from, size_t to)
{
	for (size_t i = from; at && i < to; i++)
		(void)((const volatile char *)at)[i * PAGE];
}

static struct truth_region *region(struct space *s, const char *label, const char *at, size_t size,
				   const char *perms, const char *path)
{
	static struct truth_region nowhere;
	struct truth_region *r = &nowhere;

	if (!at || s->truth->n_regions == TRUTH_REGIONS)
		fail(s, "no room for %s", label);
	else
		r = &s->truth->regions[s->truth->n_regions++];
	memset(r, 0, sizeof(*r));
	snprintf(r->label, sizeof(r->label), "%s", label);
	snprintf(r->perms, sizeof(r->perms), "%s", perms);
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->start = (uintptr_t)at;
	r->figures[TRUTH_SIZE] = size;
	r->figures[TRUTH_PAGE_SIZE] = PAGE;
	return r;
}

/* Adds resident pages to the figures. sharers divides a page without rest. */
static void resident(struct truth_region *r, size_t pages, enum page_kind kind, unsigned sharers)
{
	uint64_t bytes = pages * PAGE;
	bool dirty = kind == ANON_DIRTY || kind == FILE_DIRTY;
	uint64_t *f = r->figures;

	f[TRUTH_RSS] += bytes;
	f[TRUTH_PSS] += bytes / sharers;
	if (dirty)
		f[TRUTH_PSS_DIRTY] += bytes / sharers;
	if (sharers > 1)
		f[dirty ? TRUTH_SHARED_DIRTY : TRUTH_SHARED_CLEAN] += bytes;
	else
		f[dirty ? TRUTH_PRIVATE_DIRTY : TRUTH_PRIVATE_CLEAN] += bytes;
	if (sharers == 1)
		f[TRUTH_USS] += bytes;
	f[kind == ANON_DIRTY || kind == ANON_CLEAN ? TRUTH_ANON : TRUTH_FILE] += bytes;
}

/* Of a file that is on the disk already, no name leads to it any more. */
static int clean_file(struct space *s, const char *name, size_t pages)
{
	char path[300], page[PAGE];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", s->scratch, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail(s, "%s: %s", path, strerror(errno));
		return -1;
	}
	unlink(path);
	for (size_t i = 0; i < pages; i++) {
		memset(page, (int)i + 1, sizeof(page));
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page)) {
			fail(s, "%s: %s", path, strerror(errno));
			break;
		}
	}
	if (fsync(fd))
		fail(s, "%s: fsync: %s", path, strerror(errno));
	return fd;
}

static char *map_file(struct space *s, int fd, size_t pages, int prot, int flags)
{
	char *at = map(s, pages * PAGE, prot, flags, fd);

	if (!at)
		fail(s, "a mapping of a file: %s", strerror(errno));
	return at;
}

/* The parent and a child that touches some of what they share. */
static void make_shared(struct space *s)
{
	const size_t n = 600, copies = 200, seen = 240;
	pid_t parent = getpid();
	struct truth_region *r;
	int ready[2], fd;
	char byte;

	s->copied = anon(s, n);
	write_pages(s->copied, 0, n);
	s->shared = map(s, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	write_pages(s->shared, 0, n);
	fd = clean_file(s, "truth-shared", n);
	s->file = map_file(s, fd, n, PROT_READ, MAP_SHARED);
	read_pages(s->file, 0, n);
	if (s->truth->failed || pipe2(ready, O_CLOEXEC)) {
		fail(s, "pipe: %s", strerror(errno));
		return;
	}

	s->holder = fork();
	if (!s->holder) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(1);
		write_pages(s->copied, 0, copies);
		read_pages(s->shared, 0, seen);
		read_pages(s->file, 0, n);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (s->holder < 0 || read(ready[0], &byte, 1) != 1)
		fail(s, "the child did not come up");
	close(ready[0]);
	close(fd);

	/* Written by the child, they are its own, and the old ones the parent's alone. */
	r = region(s, "anon-forked", s->copied, n * PAGE, "rw-p", "");
	resident(r, copies, ANON_DIRTY, 1);
	resident(r, n - copies, ANON_DIRTY, 2);
	r = region(s, "C10/shared-anon-forked", s->shared, n * PAGE, "rw-s", "/dev/zero (deleted)");
	resident(r, seen, FILE_DIRTY, 2);
	resident(r, n - seen, FILE_DIRTY, 1);
	r = region(s, "file-forked", s->file, n * PAGE, "r--s", "truth-shared (deleted)");
	resident(r, n, FILE_CLEAN, 2);
}

static void make_anonymous(struct space *s)
{
	struct truth_region *r;
	char *at;

	at = anon(s, 8192);
	write_pages(at, 0, 5000);
	resident(region(s, "anon", at, 8192 * PAGE, "rw-p", ""), 5000, ANON_DIRTY, 1);

	at = anon(s, 512);
	region(s, "anon-untouched", at, 512 * PAGE, "rw-p", "");

	/* The zero page is nobody's memory. */
	at = anon(s, 512);
	read_pages(at, 0, 512);
	region(s, "C08/zero-page", at, 512 * PAGE, "rw-p", "");

	at = anon(s, 512);
	read_pages(at, 0, 512);
	write_pages(at, 100, 228);
	resident(region(s, "C08/zero-page-written", at, 512 * PAGE, "rw-p", ""), 128, ANON_DIRTY,
		 1);

	at = anon(s, 300);
	write_pages(at, 0, 300);
	if (at && mlock(at, 300 * PAGE))
		fail(s, "mlock: %s", strerror(errno));
	r = region(s, "mlocked", at, 300 * PAGE, "rw-p", "");
	resident(r, 300, ANON_DIRTY, 1);
	r->figures[TRUTH_LOCKED] = 300 * PAGE;

	at = map(s, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	region(s, "C03/prot-none", at, 64 * MIB, "---p", "");

	/* What was there stays there. */
	at = anon(s, 100);
	write_pages(at, 0, 70);
	if (at && mprotect(at, 100 * PAGE, PROT_READ))
		fail(s, "mprotect: %s", strerror(errno));
	resident(region(s, "made-read-only", at, 100 * PAGE, "r--p", ""), 70, ANON_DIRTY, 1);

	at = anon(s, 100);
	write_pages(at, 0, 60);
	if (at && madvise(at + 20 * PAGE, 20 * PAGE, MADV_DONTNEED))
		fail(s, "MADV_DONTNEED: %s", strerror(errno));
	resident(region(s, "given-back", at, 100 * PAGE, "rw-p", ""), 40, ANON_DIRTY, 1);

	at = anon(s, 200);
	write_pages(at, 0, 100);
	if (at && madvise(at + 40 * PAGE, 80 * PAGE, MADV_GUARD_INSTALL) == 0)
		resident(region(s, "C14/guard", at, 200 * PAGE, "rw-p", ""), 40, ANON_DIRTY, 1);
	else
		absent(s, "C14/guard", "no MADV_GUARD_INSTALL (6.13)");

	at = map(s, 1ul << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1);
	if (at) {
		write_pages(at, 0, 1);
		write_pages(at, 1ul << 27, (1ul << 27) + 1);
		write_pages(at, (1ul << 28) - 1, 1ul << 28);
		resident(region(s, "C03/sparse-1TiB", at, 1ul << 40, "rw-p", ""), 3, ANON_DIRTY, 1);
	} else {
		absent(s, "C03/sparse-1TiB", "%s", strerror(errno));
	}
}

/*
 * A page that is given back leaves a list of its processor by way of a batch of it, which the next
 * call empties on the same processor (mm/swap.c).
 */
static void make_lazy_free(struct space *s)
{
	cpu_set_t old, one;
	char *at = anon(s, 400), *next;
	struct truth_region *r;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : (unsigned)cpu, &one);
	if (sched_getaffinity(0, sizeof(old), &old) || sched_setaffinity(0, sizeof(one), &one)) {
		absent(s, "lazy-free", "not bound to a processor: %s", strerror(errno));
		return;
	}
	write_pages(at, 0, 400);
	next = anon(s, 1);
	write_pages(next, 0, 1);
	if (!at || !next || madvise(at, 300 * PAGE, MADV_FREE) || madvise(next, PAGE, MADV_FREE))
		fail(s, "MADV_FREE: %s", strerror(errno));
	munmap(next, PAGE);
	sched_setaffinity(0, sizeof(old), &old);
	r = region(s, "lazy-free", at, 400 * PAGE, "rw-p", "");
	resident(r, 300, ANON_CLEAN, 1);
	resident(r, 100, ANON_DIRTY, 1);
	r->figures[TRUTH_LAZY_FREE] = 300 * PAGE;
}

/* A huge page comes with one fault, and without one there are 512 of them. */
static void make_huge(struct space *s)
{
	const size_t huge = 4, per = HUGE / PAGE;
	char *at = map(s, huge * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct truth_region *r = region(s, "C07/thp", at, huge * HUGE, "rw-p", "");
	struct rusage before, after;

	if (!at || madvise(at, huge * HUGE, MADV_HUGEPAGE)) {
		s->truth->n_regions--;
		absent(s, "C07/thp", "MADV_HUGEPAGE: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < huge; i++) {
		getrusage(RUSAGE_SELF, &before);
		write_pages(at, i * per, (i + 1) * per);
		getrusage(RUSAGE_SELF, &after);
		if (after.ru_minflt - before.ru_minflt == 1)
			r->figures[TRUTH_ANON_HUGE] += HUGE;
	}
	resident(r, huge * per, ANON_DIRTY, 1);
	if (!r->figures[TRUTH_ANON_HUGE])
		absent(s, "C07/thp-huge",
		       "the machine has no huge page to give, or does not want to");
}

/* Huge pages of the pool that is made for it, which is as before when the process has ended. */
static void make_hugetlb(struct space *s)
{
	static const char pool[] = "/proc/sys/vm/nr_hugepages";
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	long before = number_read(pool);
	struct truth_region *r;
	char *at = NULL;

	if (before < 0 || !number_write(pool, before + 2) || number_read(pool) < before + 2)
		absent(s, "C06/hugetlb", "no huge pages can be reserved");
	else if (!(at = map(s, 2 * HUGE, PROT_READ | PROT_WRITE, flags, -1)))
		absent(s, "C06/hugetlb", "mmap: %s", strerror(errno));
	if (at) {
		/* One of two; the kernel counts them apart from all others. */
		*(volatile char *)at = 1;
		r = region(s, "C06/hugetlb", at, 2 * HUGE, "rw-p", "/anon_hugepage (deleted)");
		r->figures[TRUTH_PAGE_SIZE] = HUGE;
		r->figures[TRUTH_PRIVATE_HUGETLB] = HUGE;
		r->figures[TRUTH_USS] = 0;
	}
	if (before >= 0)
		number_write(pool, before);
}

static void make_files(struct space *s)
{
	const size_t n = 256, written = 80;
	struct truth_region *r;
	char *at;
	int fd;

	fd = clean_file(s, "truth-clean", n);
	at = map_file(s, fd, n, PROT_READ, MAP_PRIVATE);
	read_pages(at, 0, n);
	r = region(s, "file-private", at, n * PAGE, "r--p", "truth-clean (deleted)");
	resident(r, n, FILE_CLEAN, 1);
	close(fd);

	/* Written, a page of a private mapping is anonymous, and the file's is mapped no more. */
	fd = clean_file(s, "truth-cow", n);
	at = map_file(s, fd, n, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	read_pages(at, 0, n);
	write_pages(at, 0, written);
	r = region(s, "file-private-written", at, n * PAGE, "rw-p", "truth-cow (deleted)");
	resident(r, written, ANON_DIRTY, 1);
	resident(r, n - written, FILE_CLEAN, 1);
	close(fd);

	/* Two mappings of one process are two mappings: a page of both is shared. */
	fd = clean_file(s, "truth-twice", n);
	for (int i = 0; i < 2; i++) {
		at = map_file(s, fd, n, PROT_READ, MAP_SHARED);
		read_pages(at, 0, n);
		r = region(s, i ? "C09/file-twice-2" : "C09/file-twice-1", at, n * PAGE, "r--s",
			   "truth-twice (deleted)");
		resident(r, n, FILE_CLEAN, 2);
	}
	close(fd);
}

/* The last, for it is clean again as soon as somebody calls sync(2). */
static void make_dirty_file(struct space *s)
{
	const size_t n = 256;
	int fd = clean_file(s, "truth-dirty", n);
	char *at = map_file(s, fd, n, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct truth_region *r =
		region(s, "file-shared-written", at, n * PAGE, "rw-s", "truth-dirty (deleted)");

	read_pages(at, 0, n);
	write_pages(at, 0, n);
	resident(r, n, FILE_DIRTY, 1);
	close(fd);
}

static void make_shmem(struct space *s)
{
	const size_t n = 200;
	struct truth_region *r;
	char *at;
	int fd, id;

	at = map(s, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	write_pages(at, 0, 150);
	r = region(s, "C10/shared-anon", at, n * PAGE, "rw-s", "/dev/zero (deleted)");
	resident(r, 150, FILE_DIRTY, 1);

	fd = (int)syscall(SYS_memfd_create, "truth", 0);
	if (fd < 0 || ftruncate(fd, (off_t)(n * PAGE))) {
		absent(s, "C10/memfd", "memfd_create: %s", strerror(errno));
	} else {
		at = map(s, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		write_pages(at, 0, 120);
		r = region(s, "C10/memfd", at, n * PAGE, "rw-s", "/memfd:truth (deleted)");
		resident(r, 120, FILE_DIRTY, 1);
	}
	if (fd >= 0)
		close(fd);

	id = shmget(IPC_PRIVATE, n * PAGE, IPC_CREAT | 0600);
	if (id < 0) {
		absent(s, "C10/sysv", "shmget: %s", strerror(errno));
		return;
	}
	/* Between pages without access, as all others. */
	at = map(s, n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (at && shmat(id, at, SHM_REMAP) == at) {
		write_pages(at, 0, 90);
		r = region(s, "C10/sysv", at, n * PAGE, "rw-s", "/SYSV00000000 (deleted)");
		resident(r, 90, FILE_DIRTY, 1);
	} else {
		fail(s, "shmat: %s", strerror(errno));
	}
	shmctl(id, IPC_RMID, NULL);
}

/* The entries of the page table, as the kernel gives them (Documentation/admin-guide/mm/pagemap).
 */
static bool read_entries(const char *at, uint64_t *entries, size_t pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t want = (ssize_t)(pages * sizeof(*entries));
	bool good = fd >= 0 &&
		    pread(fd, entries, (size_t)want, (off_t)((uintptr_t)at / PAGE * 8)) == want;

	if (fd >= 0)
		close(fd);
	return good;
}

static bool swapped_out(const char *at, size_t pages)
{
	uint64_t entries[512];

	if (pages > sizeof(entries) / sizeof(*entries) || !read_entries(at, entries, pages))
		return false;
	for (size_t i = 0; i < pages; i++)
		if (entries[i] >> 62 != 1)
			return false;
	return true;
}

/* Whether all of these pages are one frame. */
static bool one_frame(const char *at, size_t pages)
{
	const uint64_t frame = (1ull << 55) - 1;
	uint64_t entries[512];

	if (pages > sizeof(entries) / sizeof(*entries) || !read_entries(at, entries, pages))
		return false;
	for (size_t i = 0; i < pages; i++)
		if (!(entries[i] & frame) || (entries[i] & frame) != (entries[0] & frame))
			return false;
	return true;
}

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
}

static void make_swapped(struct space *s)
{
	const size_t n = 400, out = 256;
	struct truth_region *r;
	char *at, line[200];
	int areas = 0;
	FILE *swaps = fopen("/proc/swaps", "re");

	while (swaps && fgets(line, sizeof(line), swaps))
		areas += line[0] == '/';
	if (swaps)
		fclose(swaps);
	if (!areas) {
		absent(s, "C15/swapped", "no swap area; guests have one");
		return;
	}
	at = anon(s, n);
	write_pages(at, 0, n);
	for (int i = 0; at && i < 500 && !swapped_out(at, out); i++) {
		madvise(at, out * PAGE, MADV_PAGEOUT);
		rest();
	}
	if (!at || !swapped_out(at, out)) {
		absent(s, "C15/swapped", "MADV_PAGEOUT (5.4) does not put it there");
		return;
	}
	r = region(s, "C15/swapped", at, n * PAGE, "rw-p", "");
	resident(r, n - out, ANON_DIRTY, 1);
	r->figures[TRUTH_SWAP] = r->figures[TRUTH_SWAP_PSS] = out * PAGE;
}

/* 64 pages that are one: merged by ksmd, which runs for as long as that takes. */
static void make_ksm(struct space *s)
{
#define KSM "/sys/kernel/mm/ksm/"
	const size_t n = 64;
	const long run = number_read(KSM "run"), scan = number_read(KSM "pages_to_scan"),
		   sleep_ms = number_read(KSM "sleep_millisecs");
	struct truth_region *r;
	bool merged = false;
	char *at;

	if (run < 0) {
		absent(s, "C16/ksm", "the kernel has no KSM");
		return;
	}
	at = anon(s, n);
	for (size_t i = 0; at && i < n; i++)
		memset(at + i * PAGE, 0x5a, PAGE);
	if (!at || madvise(at, n * PAGE, MADV_MERGEABLE) ||
	    !number_write(KSM "sleep_millisecs", 5) || !number_write(KSM "pages_to_scan", 1000) ||
	    !number_write(KSM "run", 1)) {
		absent(s, "C16/ksm", "MADV_MERGEABLE: %s", strerror(errno));
		number_write(KSM "run", run);
		return;
	}
	for (int i = 0; i < 1500 && !merged; i++) {
		rest();
		merged = one_frame(at, n);
	}
	number_write(KSM "run", run);
	number_write(KSM "pages_to_scan", scan);
	number_write(KSM "sleep_millisecs", sleep_ms);
	if (!merged) {
		absent(s, "C16/ksm", "not merged within 15 s");
		return;
	}
	r = region(s, "C16/ksm", at, n * PAGE, "rw-p", "");
	resident(r, n, ANON_DIRTY, n);
	r->figures[TRUTH_KSM] = n * PAGE;
#undef KSM
}

static void *stay(void *up)
{
	__atomic_fetch_add((int *)up, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
	return NULL;
}

/* Threads on stacks of ours, all of which are touched. */
static void make_threads(struct space *s)
{
	static int up;
	const size_t n = 32;

	for (int i = 0; i < TRUTH_THREADS; i++) {
		char label[24], *at = anon(s, n);
		pthread_attr_t attr;
		pthread_t thread;

		write_pages(at, 0, n);
		pthread_attr_init(&attr);
		if (!at || pthread_attr_setstack(&attr, at, n * PAGE) ||
		    pthread_create(&thread, &attr, stay, &up))
			fail(s, "a thread did not start");
		else
			s->truth->n_threads++;
		pthread_attr_destroy(&attr);
		snprintf(label, sizeof(label), "thread-%d", i + 1);
		resident(region(s, label, at, n * PAGE, "rw-p", ""), n, ANON_DIRTY, 1);
	}
	while (!s->truth->failed && __atomic_load_n(&up, __ATOMIC_ACQUIRE) < TRUTH_THREADS)
		rest();
}

bool truth_make(struct truth *truth, const char *scratch)
{
	struct space s = { .truth = truth, .scratch = scratch };

	memset(truth, 0, sizeof(*truth));
	make_shared(&s);
	make_anonymous(&s);
	make_lazy_free(&s);
	make_huge(&s);
	make_hugetlb(&s);
	make_files(&s);
	make_shmem(&s);
	make_swapped(&s);
	make_ksm(&s);
	make_threads(&s);
	make_dirty_file(&s);
	return !truth->failed;
}
