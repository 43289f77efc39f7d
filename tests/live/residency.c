/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * residency VMTOP SCRATCH: the figures that vmtop maps has of pagemap are those of smaps, to the
 * byte, in an address space with one of each: memory touched in part, read before it is written,
 * copied on write, huge, torn out of a huge page, guarded, locked, in swap, of files, shared, of
 * hugetlb, empty, and as large as a TiB; and in one of a great many mappings that touch, full and
 * not. And smaps is not read for them.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define MIB    ((size_t)1 << 20)
#define HUGE   (2 * MIB)
#define FIELDS 6
/* smaps rounds to KiB. */
#define PSS_SLACK 1024
#define NOBODY	  65534

static size_t page;

/* What a workload is of: one of each; the same and a TiB; memory that mprotect() split into a great
 * many, all full, and the same with holes. */
enum shape { USUAL, SPARSE, SPLINTERS, HOLES };

/* What the workload got; in memory that the parent sees. */
struct made {
	uintptr_t guard, thp, thp_zero, hugetlb, swapped, shmem_swapped, tib;
};

static struct made *made;

static char *map(size_t size, int prot, int flags, int fd)
{
	char *p = mmap(NULL, size, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Neighbours of one kind would be one mapping. */
	mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p;
}

static char *anon(size_t size)
{
	char *p = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (p)
		madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void touch(char *p, size_t from, size_t to, size_t step, bool write)
{
	size_t i;

	for (i = from; p && i < to; i += step) {
		volatile char *at = p + i * page;

		if (write)
			*at = 1;
		else
			(void)*at;
	}
}

static void make_anonymous(void)
{
	char *p;

	/* More regions than one call of the scan gives. */
	touch(anon(4000 * page), 0, 4000, 2, true);
	/* More pages than one call may find. */
	touch(anon(20000 * page), 0, 20000, 1, true);
	/* The zero page, alone and beside others. */
	p = anon(300 * page);
	touch(p, 0, 300, 1, false);
	touch(p, 0, 300, 3, true);
	p = anon(100 * page);
	touch(p, 0, 100, 1, true);
	if (p)
		mlock(p, 50 * page);
	p = anon(100 * page);
	touch(p, 0, 100, 1, true);
	if (p)
		mprotect(p + 10 * page, 20 * page, PROT_NONE);
	p = anon(100 * page);
	touch(p, 0, 50, 1, true);
	if (p && madvise(p + 10 * page, 60 * page, MADV_GUARD_INSTALL) == 0)
		made->guard = (uintptr_t)p;
}

static void make_sparse(void)
{
	char *p = map((size_t)1 << 40, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (p) {
		madvise(p, (size_t)1 << 40, MADV_NOHUGEPAGE);
		p[0] = p[(size_t)1 << 39] = p[((size_t)1 << 40) - 1] = 1;
		made->tib = (uintptr_t)p;
	}
}

/* What nothing is said of but by the sum that statm has, where all are full. */
static void make_splinters(bool holes)
{
	enum { MANY = 128, EACH = 8 };
	char *p = anon(MANY * EACH * page);
	size_t i;

	if (!p)
		exit(3);
	/* One page is absent, one the zero page, and, where there is swap, three are in it. */
	touch(p, EACH, EACH + 1, 1, !holes);
	touch(p, 0, holes ? EACH : MANY * EACH, 1, true);
	touch(p, EACH + 2, MANY * EACH, 1, true);
	for (i = 0; i < MANY; i += 2)
		if (mprotect(p + i * EACH * page, EACH * page, PROT_READ))
			exit(3);
	if (holes && madvise(p + 5 * EACH * page, 3 * page, MADV_PAGEOUT) == 0)
		made->swapped = (uintptr_t)p + 5 * EACH * page;
}

static char *aligned(size_t size)
{
	char *p = map(size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!p)
		return NULL;
	return (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
}

static void make_huge(void)
{
	char *p = aligned(4 * HUGE);
	int fd;

	/* Whole, given back in part, and cut by another protection. */
	if (p && madvise(p, 4 * HUGE, MADV_HUGEPAGE) == 0) {
		made->thp = (uintptr_t)p;
		touch(p, 0, 4 * HUGE / page, 1, true);
		madvise(p + HUGE, 10 * page, MADV_DONTNEED);
		mprotect(p + 2 * HUGE + 20 * page, 30 * page, PROT_READ);
	}
	p = aligned(3 * HUGE);
	if (p && madvise(p, 3 * HUGE, MADV_HUGEPAGE) == 0) {
		made->thp_zero = (uintptr_t)p;
		touch(p, 0, 1, 1, false);
		touch(p, HUGE / page, HUGE / page + 1, 1, true);
	}
	p = map(2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	if (p) {
		p[0] = 1;
		made->hugetlb = (uintptr_t)p;
	}
	fd = (int)syscall(SYS_memfd_create, "residency", MFD_HUGETLB);
	if (fd >= 0 && ftruncate(fd, (off_t)HUGE) == 0) {
		p = map(HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		if (p)
			p[0] = 1;
	}
}

static void make_files(const char *scratch)
{
	char path[300], *p;
	int fd, i;

	snprintf(path, sizeof(path), "%s/residency-file", scratch);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	if (fd < 0 || ftruncate(fd, (off_t)(2000 * page)) < 0)
		exit(3);
	for (i = 0; i < 2000; i++)
		if (pwrite(fd, "x", 1, (off_t)((size_t)i * page)) != 1)
			exit(3);
	touch(map(2000 * page, PROT_READ, MAP_PRIVATE, fd), 0, 1000, 1, false);
	touch(map(2000 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 500, 1500, 7, true);
	p = map(2000 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	touch(p, 0, 800, 1, false);
	touch(p, 400, 900, 3, true);
	fd = (int)syscall(SYS_memfd_create, "residency", 0);
	if (fd >= 0 && ftruncate(fd, (off_t)(600 * page)) == 0) {
		touch(map(600 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 0, 300, 1, true);
		touch(map(600 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 100, 400, 2, true);
	}
	touch(map(300 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), 0, 200, 1,
	      true);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	p = fd < 0 ? NULL : map(64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	touch(p, 0, 64, 1, false);
	touch(p, 0, 20, 1, true);
}

/* As a child of the one that touched it, so that pages are shared and copied on write. */
static void make_copied(void)
{
	char *p = anon(1000 * page);

	touch(p, 0, 1000, 1, true);
	if (fork()) {
		/* The parent stays as long as the child. */
		signal(SIGTERM, SIG_DFL);
		for (;;)
			pause();
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	touch(p, 0, 300, 2, true);
}

static void make_swapped(void)
{
	char *p = anon(500 * page), *shared;

	touch(p, 0, 500, 1, true);
	if (p && madvise(p, 300 * page, MADV_PAGEOUT) == 0)
		made->swapped = (uintptr_t)p;
	shared = map(200 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	touch(shared, 0, 200, 1, true);
	if (shared && madvise(shared, 200 * page, MADV_PAGEOUT) == 0)
		made->shmem_swapped = (uintptr_t)shared;
}

static void make_all(const char *scratch, bool sparse)
{
	make_copied();
	make_anonymous();
	if (sparse)
		make_sparse();
	make_huge();
	make_files(scratch);
	make_swapped();
}

static void workload(const char *scratch, uid_t uid, enum shape shape, int up)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (shape == USUAL || shape == SPARSE)
		make_all(scratch, shape == SPARSE);
	else
		make_splinters(shape == HOLES);
	if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
		exit(3);
	/* Who changes its user is not for the new one to look at. */
	prctl(PR_SET_DUMPABLE, 1);
	pid = getpid();
	if (write(up, &pid, sizeof(pid)) != sizeof(pid))
		exit(3);
	raise(SIGSTOP);
	for (;;)
		pause();
}

/* One mapping as both sides have it; UINT64_MAX is unknown. */
struct row {
	uint64_t v[FIELDS]; /* start, rss, anonymous, file, swap, pss */
};

static const char *const names[FIELDS] = { "start", "rss", "anonymous", "file", "swap", "pss" };

struct rows {
	struct row *row;
	size_t n;
};

static struct row *more(struct rows *rows)
{
	struct row *bigger = realloc(rows->row, (rows->n + 1) * sizeof(*bigger));

	if (!bigger)
		exit(3);
	rows->row = bigger;
	return &rows->row[rows->n++];
}

/* Our own reading of smaps, which shares nothing with vmtop's. */
static struct rows read_smaps(pid_t pid)
{
	struct rows rows = { 0 };
	struct row *r = NULL;
	unsigned long long kb, start;
	char path[64], line[4400], dash;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx%c%*x ", &start, &dash) == 2 && dash == '-') {
			r = more(&rows);
			*r = (struct row){ { start } };
		} else if (r && sscanf(line, "Rss: %llu kB", &kb) == 1) {
			r->v[1] = kb * 1024;
		} else if (r && sscanf(line, "Pss: %llu kB", &kb) == 1) {
			r->v[5] = kb * 1024;
		} else if (r && sscanf(line, "Anonymous: %llu kB", &kb) == 1) {
			r->v[2] = kb * 1024;
			r->v[3] = r->v[1] - r->v[2];
		} else if (r && sscanf(line, "Swap: %llu kB", &kb) == 1) {
			r->v[4] = kb * 1024;
		}
	}
	if (f)
		fclose(f);
	return rows;
}

static FILE *start_vmtop(const char *vmtop, pid_t pid, uid_t uid, const char *format, bool pss,
			 pid_t *ret)
{
	char number[16];
	const char *args[] = { "vmtop", "maps", number, format, "-o", NULL, NULL };

	snprintf(number, sizeof(number), "%d", pid);
	args[5] = pss ? "start,rss_bytes,anonymous_bytes,file_bytes,swap_bytes,pss_sliced_bytes"
		      : "start,rss_bytes,anonymous_bytes,file_bytes,swap_bytes";
	return check_start(vmtop, uid, args, ret);
}

static struct rows read_vmtop(const char *vmtop, pid_t pid, uid_t uid, bool *ret_ok)
{
	struct rows rows = { 0 };
	char line[400];
	pid_t child;
	FILE *f = start_vmtop(vmtop, pid, uid, "--csv", uid == 0, &child);

	while (fgets(line, sizeof(line), f)) {
		struct row r;
		char *at = line;
		size_t i;

		if (strncmp(line, "start", 5) == 0)
			continue;
		for (i = 0; i < FIELDS; i++) {
			char *end;

			r.v[i] = strtoull(at, &end, i ? 10 : 16);
			if (end == at)
				r.v[i] = UINT64_MAX;
			at = *end ? end + 1 : end;
		}
		*more(&rows) = r;
	}
	*ret_ok = check_stop(f, child);
	return rows;
}

/* Whether the document has some text: of a source, what became of it. */
static bool document_has(const char *vmtop, pid_t pid, uid_t uid, const char *want)
{
	static char text[1 << 20];
	pid_t child;
	FILE *f = start_vmtop(vmtop, pid, uid, "--json", false, &child);
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	text[n] = 0;
	return check_stop(f, child) && strstr(text, want);
}

static const struct row *find(const struct rows *rows, uint64_t start)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (rows->row[i].v[0] == start)
			return &rows->row[i];
	return NULL;
}

static uint64_t field(const struct rows *rows, uintptr_t start, size_t i)
{
	const struct row *r = start ? find(rows, start) : NULL;

	return r ? r->v[i] : 0;
}

/*
 * The estimate of PSS is between what smaps said before and after it: pages that the workload has
 * of a fork are still this test's as well, until it writes to them in its turn, between the two.
 */
static void compare_pss(struct check *c, const struct row *before, const struct row *after,
			uint64_t got)
{
	uint64_t low = before->v[5] < after->v[5] ? before->v[5] : after->v[5];
	uint64_t high = before->v[5] > after->v[5] ? before->v[5] : after->v[5];

	check_that(c, got >= low && got < high + PSS_SLACK,
		   "%llx: PSS is about %llu, not %llu to %llu", (unsigned long long)before->v[0],
		   (unsigned long long)got, (unsigned long long)low, (unsigned long long)high);
}

static void compare(struct check *c, const struct rows *smaps, const struct rows *after,
		    const struct rows *ours, bool zeros_are_unsure, uint64_t *ret_rss,
		    size_t *ret_estimated)
{
	size_t i, k;

	*ret_rss = 0;
	*ret_estimated = 0;
	check_that(c, smaps->n > 40, "smaps has %zu mappings", smaps->n);
	check_that(c, smaps->n == ours->n, "%zu mappings, not %zu", ours->n, smaps->n);
	for (i = 0; i < smaps->n; i++) {
		const struct row *want = &smaps->row[i], *got = find(ours, want->v[0]);
		const struct row *later = find(after, want->v[0]);

		*ret_rss += want->v[1];
		if (!check_that(c, got && later, "%llx is missing", (unsigned long long)want->v[0]))
			continue;
		/* The estimate of PSS, where nobody else comes and goes: libraries are mapped by
		 * vmtop too while it looks. */
		if (want->v[1] == want->v[2] && got->v[5] != UINT64_MAX)
			compare_pss(c, want, later, got->v[5]);
		*ret_estimated += got->v[5] != UINT64_MAX;
		for (k = 1; k < 5; k++) {
			/* What shmem has in swap is unknown while there is something in swap. */
			if (k == 4 && got->v[k] == UINT64_MAX &&
			    (made->swapped || made->shmem_swapped))
				continue;
			if (zeros_are_unsure && k < 3 && got->v[k] >= want->v[k])
				continue;
			check_that(c, got->v[k] == want->v[k], "%llx: %s %lld, not %llu",
				   (unsigned long long)want->v[0], names[k], (long long)got->v[k],
				   (unsigned long long)want->v[k]);
		}
	}
}

/* The workload sleeps, but khugepaged fills the pages that it gave back of a huge one. */
#define TRIES 5

static bool same_rss(const struct rows *a, const struct rows *b)
{
	size_t i;

	for (i = 0; a->n == b->n && i < a->n; i++)
		if (a->row[i].v[0] != b->row[i].v[0] || a->row[i].v[1] != b->row[i].v[1])
			return false;
	return a->n == b->n;
}

static void judge(const char *name, const char *vmtop, const char *scratch, uid_t uid,
		  enum shape shape)
{
	bool sparse = shape == SPARSE;
	struct rows smaps, after, ours;
	struct check c;
	uint64_t rss;
	size_t estimated;
	int up[2], status, tries;
	bool ok;
	pid_t top, pid;

	check_begin(&c, "residency/%s", name);
	memset(made, 0, sizeof(*made));
	if (pipe2(up, O_CLOEXEC) < 0)
		exit(3);
	top = fork();
	if (!top)
		workload(scratch, uid, shape, up[1]);
	close(up[1]);
	if (read(up[0], &pid, sizeof(pid)) != sizeof(pid)) {
		check_that(&c, false, "the workload did not come up");
		check_end(&c, "%s", "");
		kill(top, SIGKILL);
		waitpid(top, NULL, 0);
		return;
	}
	close(up[0]);
	for (status = 0; status < 120000; status++) {
		char path[64], line[256] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (f && fgets(line, sizeof(line), f) && strstr(line, ") T "))
			status = 120000;
		if (f)
			fclose(f);
		usleep(1000);
	}
	/* Words do not tell the zero page where the frames are hidden, and it says so. */
	bool unsure = document_has(vmtop, pid, uid, "may have zero pages");
	/* Kernels before 6.7 would need 2 GiB of words for the TiB; there smaps it is. */
	bool cheap = document_has(vmtop, pid, uid, "{\"name\":\"smaps\",\"status\":\"unused\"");

	for (tries = 1;; tries++) {
		smaps = read_smaps(pid);
		ours = read_vmtop(vmtop, pid, uid, &ok);
		after = read_smaps(pid);
		if (same_rss(&smaps, &after) || tries == TRIES)
			break;
		free(smaps.row);
		free(after.row);
		free(ours.row);
	}
	check_that(&c, ok, "vmtop maps failed");
	compare(&c, &smaps, &after, &ours, unsure, &rss, &estimated);
	/* Frames are for root; without the scan a TiB is too long. */
	check_that(&c, uid ? !estimated : estimated + sparse >= smaps.n, "PSS of %zu is estimated",
		   estimated);
	check_that(&c, document_has(vmtop, pid, uid, "{\"name\":\"pagemap\",\"status\":\"ok\""),
		   "pagemap is not ok");
	check_that(&c, cheap || sparse, "smaps was read");
	check_that(&c, !unsure || uid, "root does not see frames");
	/* The workload has what it is there for. */
	check_that(&c, !sparse || field(&smaps, made->tib, 1) == 3 * page, "the TiB has %llu",
		   (unsigned long long)field(&smaps, made->tib, 1));
	check_end(&c,
		  "%zu mappings, RSS %llu, by %s%s; guard %s, THP %s, zero THP %s, hugetlb %s, "
		  "swapped %llu of shmem %llu",
		  smaps.n, (unsigned long long)rss, cheap ? "pagemap" : "smaps",
		  unsure ? " (zero pages unsure)" : "", made->guard ? "yes" : "no",
		  made->thp ? "yes" : "no", made->thp_zero ? "yes" : "no",
		  made->hugetlb ? "yes" : "no", (unsigned long long)field(&smaps, made->swapped, 4),
		  (unsigned long long)field(&smaps, made->shmem_swapped, 4));
	kill(pid, SIGKILL);
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	free(smaps.row);
	free(after.row);
	free(ours.row);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

static void read_text(const char *path, char *text, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, n - 1);

	text[got > 0 ? got : 0] = 0;
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const char nr[] = "/proc/sys/vm/nr_hugepages";
	const char *swap = getenv("GUEST_SWAP");
	char before[32];

	if (argc != 3) {
		fprintf(stderr, "usage: residency VMTOP SCRATCH\n");
		return 2;
	}
	page = (size_t)sysconf(_SC_PAGESIZE);
	made = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return 3;
	read_text(nr, before, sizeof(before));
	/* Some huge pages for the time of the test, where nobody has set any. */
	if (atoi(before) == 0)
		write_text(nr, "3");
	judge("root", argv[1], argv[2], 0, USUAL);
	judge("sparse", argv[1], argv[2], 0, SPARSE);
	judge("own", argv[1], argv[2], NOBODY, USUAL);
	judge("splinters", argv[1], argv[2], 0, SPLINTERS);
	judge("holes", argv[1], argv[2], 0, HOLES);
	if (swap && syscall(SYS_swapon, swap, 0) == 0) {
		judge("swap", argv[1], argv[2], 0, USUAL);
		judge("swapped-holes", argv[1], argv[2], 0, HOLES);
		swapoff(swap);
	} else {
		check_skip("residency/swap", "no swap area of its own; guests have one");
	}
	if (atoi(before) == 0)
		write_text(nr, "0");
	return 0;
}
