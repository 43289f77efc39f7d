/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * odd-memory VMTOP: memory that is huge, empty, sealed, secret, a device's, or waits for a
 * page that never comes. What vmtop says of it is what was done to it, and what this program's own
 * reading of smaps says, by smaps and by the cheaper sources.
 */

#include "check.h"
#include "odd-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#define VSYSCALL  0xffffffffff600000ul
#define SWAP_AREA (16ul << 20) /* of the guest's area, so that it gets full */

enum figure {
	RSS,
	ANON,
	SWAP,
	CHEAP, /* those before it need no smaps */
	ANON_HUGE = CHEAP,
	SHMEM_PMD,
	FILE_PMD,
	PRIVATE_HUGETLB,
	SHARED_HUGETLB,
	KERNEL_PAGE,
	FIGURES
};

static const struct {
	const char *column;
	const char *key;
} figures[FIGURES] = {
	{ "rss_bytes", "Rss:" },
	{ "anonymous_bytes", "Anonymous:" },
	{ "swap_bytes", "Swap:" },
	{ "anon_huge_pages_bytes", "AnonHugePages:" },
	{ "shmem_pmd_mapped_bytes", "ShmemPmdMapped:" },
	{ "file_pmd_mapped_bytes", "FilePmdMapped:" },
	{ "private_hugetlb_bytes", "Private_Hugetlb:" },
	{ "shared_hugetlb_bytes", "Shared_Hugetlb:" },
	{ "kernel_page_size_bytes", "KernelPageSize:" },
};

struct row {
	uint64_t start;
	uint64_t end;
	uint64_t figure[FIGURES]; /* UINT64_MAX: unknown */
	char perms[8];
	char role[24]; /* of vmtop alone */
	char flags[120];
};

struct rows {
	struct row *row;
	size_t n;
	bool good;
};

static struct row *more(struct rows *rows)
{
	struct row *bigger = realloc(rows->row, (rows->n + 1) * sizeof(*bigger));

	if (!bigger)
		exit(3);
	rows->row = bigger;
	bigger += rows->n++;
	memset(bigger, 0, sizeof(*bigger));
	for (size_t i = 0; i < FIGURES; i++)
		bigger->figure[i] = UINT64_MAX;
	return bigger;
}

/* Our own reading of smaps, which shares nothing with vmtop's. */
static struct rows read_smaps(pid_t pid)
{
	struct rows rows = { .good = true };
	struct row *r = NULL, head = { 0 };
	char path[64], line[4400];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &head.start, &head.end,
			   head.perms) == 3) {
			r = more(&rows);
			r->start = head.start;
			r->end = head.end;
			memcpy(r->perms, head.perms, sizeof(r->perms));
		} else if (r && strncmp(line, "VmFlags: ", 9) == 0) {
			line[strcspn(line, "\n")] = 0;
			snprintf(r->flags, sizeof(r->flags), "%.100s", line + 9);
			for (size_t n = strlen(r->flags); n && r->flags[n - 1] == ' ';)
				r->flags[--n] = 0;
		}
		for (size_t i = 0; r && i < FIGURES; i++) {
			size_t n = strlen(figures[i].key);

			if (strncmp(line, figures[i].key, n) == 0)
				r->figure[i] = strtoull(line + n, NULL, 10) * 1024;
		}
	}
	if (f)
		fclose(f);
	return rows;
}

/* A cell without its quotes; the columns that are asked for have no commas in them. */
static char *word(char *at, char *ret, size_t room)
{
	size_t n = strcspn(at, ",\r\n"), quote = *at == '"';

	snprintf(ret, room, "%.*s", (int)(n - 2 * quote), at + quote);
	return at[n] == ',' ? at + n + 1 : at + n;
}

static struct rows read_vmtop(const char *vmtop, pid_t pid, bool all)
{
	char number[16], columns[600] = "start,end,perms", line[4400], cell[32];
	const char *args[] = { "vmtop", "maps",	 "-t",		 "60",	 "--csv",
			       "-o",	columns, "--noheadings", number, NULL };
	size_t used = strlen(columns);
	struct rows rows = { 0 };
	pid_t child;
	FILE *f;

	for (size_t i = 0; i < (all ? FIGURES : CHEAP); i++)
		used += (size_t)snprintf(columns + used, sizeof(columns) - used, ",%s",
					 figures[i].column);
	snprintf(columns + used, sizeof(columns) - used, "%s", all ? ",role,vm_flags" : "");
	snprintf(number, sizeof(number), "%d", pid);
	f = check_start(vmtop, 0, args, &child);
	while (fgets(line, sizeof(line), f)) {
		struct row *r = more(&rows);
		char *at = word(line, cell, sizeof(cell));

		r->start = strtoull(cell, NULL, 16);
		at = word(at, cell, sizeof(cell));
		r->end = strtoull(cell, NULL, 16);
		at = word(at, r->perms, sizeof(r->perms));
		for (size_t i = 0; i < (all ? FIGURES : CHEAP); i++) {
			at = word(at, cell, sizeof(cell));
			r->figure[i] = *cell ? strtoull(cell, NULL, 10) : UINT64_MAX;
		}
		if (all)
			word(word(at, r->role, sizeof(r->role)), r->flags, sizeof(r->flags));
	}
	rows.good = check_stop(f, child);
	return rows;
}

static const struct row *find(const struct rows *rows, uint64_t at)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->row[i].start <= at && at < rows->row[i].end)
			return &rows->row[i];
	return NULL;
}

struct views {
	struct rows smaps, all, few;
};

/* The mapping at an address is there, and said of it what smaps says. */
static const struct row *same(struct check *c, const struct views *v, uint64_t at)
{
	const struct row *want = find(&v->smaps, at), *all = find(&v->all, at);
	const struct row *few = find(&v->few, at);

	if (!check_that(c, want && all && few, "%" PRIx64 " is not there", at))
		return NULL;
	check_that(c, all->start == want->start && all->end == want->end,
		   "it is %" PRIx64 " to %" PRIx64, all->start, all->end);
	check_that(c, strcmp(all->perms, want->perms) == 0, "perms are %s", all->perms);
	check_that(c, strcmp(all->flags, want->flags) == 0, "VmFlags are '%s', not '%s'",
		   all->flags, want->flags);
	for (size_t i = 0; i < FIGURES; i++)
		check_that(c, all->figure[i] == want->figure[i], "%s is %" PRId64 ", not %" PRId64,
			   figures[i].column, (int64_t)all->figure[i], (int64_t)want->figure[i]);
	for (size_t i = 0; i < CHEAP; i++) {
		/* What shmem has in swap only smaps tells. */
		if (i == SWAP && few->perms[3] == 's' && few->figure[i] == UINT64_MAX)
			continue;
		check_that(c, few->figure[i] == want->figure[i],
			   "%s is %" PRId64 " alone, not %" PRId64, figures[i].column,
			   (int64_t)few->figure[i], (int64_t)want->figure[i]);
	}
	return all;
}

/* Begins a case; NULL where the workload has no such thing, which is said. */
static const struct row *begin(struct check *c, const char *name, const struct views *v,
			       enum thing t)
{
	check_begin(c, "%s", name);
	if (!made->thing[t].at) {
		check_skip(name, "%s", made->thing[t].why);
		return NULL;
	}
	return same(c, v, made->thing[t].at);
}

static void is(struct check *c, const char *what, uint64_t got, uint64_t want)
{
	check_that(c, got == want, "%s is %" PRIu64 ", not %" PRIu64, what, got, want);
}

/* Ends a case that was begun; one that was skipped has no name of its own any more. */
static void end(struct check *c, const struct row *r)
{
	if (r)
		check_end(c, "size %" PRIu64 ", RSS %" PRIu64 ", flags %s", r->end - r->start,
			  r->figure[RSS], r->flags);
	else if (c->failed)
		check_end(c, "%s", "");
}

static bool has_flag(const struct row *r, const char *flag)
{
	const char *at = strstr(r->flags, flag);

	return at && (at == r->flags || at[-1] == ' ') && (!at[2] || at[2] == ' ');
}

static void judge_large(const struct views *v)
{
	const struct row *r;
	struct check c;

	if ((r = begin(&c, "C03/closed-TiB", v, CLOSED))) {
		is(&c, "its size", r->end - r->start, TIB);
		is(&c, "RSS", r->figure[RSS], 0);
	}
	end(&c, r);
	if ((r = begin(&c, "C04/above-47-bits", v, HIGH))) {
		check_that(&c, r->start >= 1ul << 47, "it begins at %" PRIx64, r->start);
		is(&c, "RSS", r->figure[RSS], 3 * PAGE);
	}
	end(&c, r);
}

static void judge_huge(const struct views *v)
{
	const struct row *r;
	struct check c;

	if ((r = begin(&c, "C06/hugetlb-private", v, HUGETLB_PRIVATE))) {
		is(&c, "RSS", r->figure[RSS], 0);
		is(&c, "Private_Hugetlb", r->figure[PRIVATE_HUGETLB], HUGE);
		is(&c, "the page", r->figure[KERNEL_PAGE], HUGE);
	}
	end(&c, r);
	for (enum thing t = HUGETLB_SHARED; t <= HUGETLB_AGAIN; t++) {
		r = begin(&c, t == HUGETLB_SHARED ? "C06/hugetlb-shared" : "C06/hugetlb-shared-2",
			  v, t);
		if (r) {
			is(&c, "RSS", r->figure[RSS], 0);
			is(&c, "Shared_Hugetlb", r->figure[SHARED_HUGETLB], HUGE);
		}
		end(&c, r);
	}
	if ((r = begin(&c, "C07/thp-partly-mapped", v, THP))) {
		is(&c, "RSS", r->figure[RSS], 3 * HUGE + 90 * PAGE);
		is(&c, "Anonymous", r->figure[ANON], 3 * HUGE + 90 * PAGE);
		check_that(&c, r->figure[ANON_HUGE] <= 2 * HUGE && !(r->figure[ANON_HUGE] % HUGE),
			   "AnonHugePages is %" PRIu64, r->figure[ANON_HUGE]);
	}
	end(&c, r);
	if ((r = begin(&c, "C07/shmem-partly-mapped", v, THP_SHMEM))) {
		is(&c, "RSS", r->figure[RSS], HUGE + 100 * PAGE);
		check_that(&c, r->figure[SHMEM_PMD] <= HUGE, "ShmemPmdMapped is %" PRIu64,
			   r->figure[SHMEM_PMD]);
	}
	end(&c, r);
	if ((r = begin(&c, "C17/huge-zero-page", v, HUGE_ZERO)))
		is(&c, "RSS", r->figure[RSS], 0);
	end(&c, r);
}

static void judge_marked(const struct views *v)
{
	const struct row *r;
	struct check c;

	if ((r = begin(&c, "C13/sealed", v, SEALED))) {
		is(&c, "RSS", r->figure[RSS], 5 * PAGE);
		check_that(&c, has_flag(r, "sl"), "it has no flag sl");
	}
	end(&c, r);
	if ((r = begin(&c, "C13/droppable", v, DROPPABLE)))
		check_that(&c, has_flag(r, "dp"), "it has no flag dp");
	end(&c, r);
	if ((r = begin(&c, "C17/secret", v, SECRET)))
		check_that(&c, strcmp(r->role, "secretmem") == 0, "its role is %s", r->role);
	end(&c, r);
	if ((r = begin(&c, "C11/device-memory", v, DEVICE))) {
		check_that(&c, strcmp(r->role, "device") == 0, "its role is %s", r->role);
		check_that(&c, has_flag(r, "pf"), "it has no flag pf");
		is(&c, "RSS", r->figure[RSS], 0);
	}
	end(&c, r);
	if ((r = begin(&c, "C14/stack-at-its-limit-executable", v, STACK))) {
		check_that(&c, strcmp(r->role, "stack") == 0, "its role is %s", r->role);
		check_that(&c, strcmp(r->perms, "rwxp") == 0, "perms are %s", r->perms);
		check_that(&c, r->figure[RSS] >= made->stack_used && r->end - r->start <= STACK_MAX,
			   "RSS is %" PRIu64 " of %" PRIu64, r->figure[RSS], r->end - r->start);
	}
	end(&c, r);
}

static void judge_swapped(const struct views *v)
{
	const struct row *r;
	struct check c;

	if ((r = begin(&c, "C15/thp-swapped", v, SWAPPED_THP))) {
		is(&c, "RSS and Swap", r->figure[RSS] + r->figure[SWAP], 2 * HUGE);
		check_that(&c, r->figure[SWAP] > 0, "nothing is in swap");
	}
	end(&c, r);
	if ((r = begin(&c, "C15/swap-full", v, SWAP_FULL))) {
		is(&c, "RSS and Swap", r->figure[RSS] + r->figure[SWAP], ALL_PAGED);
		check_that(&c, r->figure[RSS] > 0 && r->figure[SWAP] > 0, "it is all %s",
			   r->figure[RSS] ? "resident" : "in swap");
	}
	end(&c, r);
}

/* The kernel's page at the end of it all, which is in no count of a process. */
static void judge_vsyscall(const struct views *v, pid_t pid)
{
	const struct row *r = find(&v->smaps, VSYSCALL);
	unsigned long long pages = 0;
	uint64_t sum = 0;
	struct check c;
	char path[64];
	FILE *statm;

	if (!r) {
		check_skip("C05/vsyscall", "this kernel shows none");
		return;
	}
	check_begin(&c, "C05/vsyscall");
	r = same(&c, v, VSYSCALL);
	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	statm = fopen(path, "re");
	check_that(&c, statm && fscanf(statm, "%llu", &pages) == 1, "no statm");
	if (statm)
		fclose(statm);
	for (size_t i = 0; i < v->all.n; i++)
		sum += v->all.row[i].end - v->all.row[i].start;
	is(&c, "size without it", sum - PAGE, pages * PAGE);
	check_that(&c, r && strcmp(r->role, "vsyscall") == 0, "its role is %s", r ? r->role : "");
	end(&c, r);
}

/* Reading does not make the kernel ask for pages, and does not wait for the one that is asked for.
 */
static void judge_waiting(const struct views *v, const char *vmtop, pid_t pid)
{
	char number[16];
	const char *const others[][8] = {
		{ "vmtop", "ps", "--pss", "-t", "60", "-p", number, NULL },
		{ "vmtop", "maps", "--pss=sliced", "-t", "60", number, NULL },
		{ "vmtop", "maps", "--group", "role", "-t", "60", number, NULL },
	};
	char discard[4096];
	const struct row *r;
	struct check c;

	if (!(r = begin(&c, "C12/userfault-never-served", v, WAITING))) {
		end(&c, r);
		return;
	}
	is(&c, "RSS", r->figure[RSS], 2 * PAGE);
	check_that(&c, has_flag(r, "um"), "it has no flag um");
	snprintf(number, sizeof(number), "%d", pid);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		pid_t child;
		FILE *f = check_start(vmtop, 0, others[i], &child);

		while (fread(discard, 1, sizeof(discard), f) > 0)
			;
		check_that(&c, check_stop(f, child), "%s %s failed", others[i][1], others[i][2]);
	}
	is(&c, "faults that were asked for", made->faults, 1);
	end(&c, r);
}

static int judge(const char *vmtop)
{
	struct views v;
	struct check c;
	int up[2];
	char byte;
	pid_t pid;

	check_begin(&c, "odd-memory");
	if (pipe2(up, O_CLOEXEC))
		return 3;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		odd_make(up[1]);
	}
	close(up[1]);
	if (!check_that(&c, pid > 0 && read(up[0], &byte, 1) == 1,
			"the workload did not come up")) {
		check_end(&c, "%s", "");
		return 1;
	}
	close(up[0]);
	v.smaps = read_smaps(pid);
	v.all = read_vmtop(vmtop, pid, true);
	v.few = read_vmtop(vmtop, pid, false);
	check_that(&c, v.all.good && v.few.good, "vmtop maps failed");
	check_that(&c, v.smaps.n > THINGS && v.all.n == v.smaps.n && v.few.n == v.smaps.n,
		   "%zu mappings, then %zu and %zu", v.smaps.n, v.all.n, v.few.n);
	check_end(&c, "%zu mappings", v.smaps.n);
	judge_large(&v);
	judge_vsyscall(&v, pid);
	judge_huge(&v);
	judge_marked(&v);
	judge_waiting(&v, vmtop, pid);
	judge_swapped(&v);
	check_skip("C17/DAX", "no machine of these tests has memory that is a disk");
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(v.smaps.row);
	free(v.all.row);
	free(v.few.row);
	return 0;
}

static long pool(long add)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	long n = 0;
	FILE *f = fopen(path, "r+e");

	if (!f || fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f && n >= 0 && add) {
		rewind(f);
		fprintf(f, "%ld", n + add);
	}
	if (f)
		fclose(f);
	return n;
}

/* Makes an area that mkswap(8) made smaller: last_page of union swap_header (linux/swap.h). Gives
 * what it was, or 0. */
static uint32_t swap_pages(const char *area, uint32_t last)
{
	const off_t at = 1024 + sizeof(uint32_t);
	int fd = open(area, O_RDWR | O_CLOEXEC);
	uint32_t before = 0;

	if (fd < 0 || pread(fd, &before, sizeof(before), at) != sizeof(before) ||
	    pwrite(fd, &last, sizeof(last), at) != sizeof(last) || fsync(fd))
		before = 0;
	if (fd >= 0)
		close(fd);
	return before;
}

int main(int argc, char **argv)
{
	const char *swap = getenv("GUEST_SWAP");
	uint32_t swap_last = 0;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: odd-memory VMTOP\n");
		return 2;
	}
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return 3;
	if (swap)
		swap_last = swap_pages(swap, SWAP_AREA / PAGE - 1);
	if (swap && (!swap_last || swapon(swap, 0))) {
		perror(swap);
		unsetenv("GUEST_SWAP");
		swap = NULL;
	}
	pool(3);
	r = judge(argv[1]);
	pool(-3);
	if (swap) {
		swapoff(swap);
		swap_pages(swap, swap_last);
	}
	return r;
}
