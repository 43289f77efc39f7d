/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * collapse VMTOP [set]: what vmtop events says of why memory did not become huge pages. A process
 * asks for huge pages (MADV_COLLAPSE) where nothing is mapped and where every page is, so often:
 * each time is one look, with a result that is known. With set, which is for guests since it
 * changes settings of the machine, khugepaged looks at two processes, of one of which each place
 * has one page, and of the other all: the results that belong to these, and to none other, against
 * what smaps says of their huge pages.
 *
 * collapse --ask and --wait are the commands that vmtop runs.
 */

#include "check.h"
#include "event-json.h"
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define SCAN	THP "khugepaged/"
#define PMD	((size_t)2 << 20)
#define PLACES	((size_t)4)
#define ASKED	3
#define ADVICE	25 /* MADV_COLLAPSE */
#define EMPTY	"collapse-empty"
#define SPARSE	"collapse-sparse"
#define FULL	"collapse-full"
#define SECONDS 120

static const char *vmtop, *self;

/* Places for huge pages in a mapping of its own, which no neighbour is merged with. Until huge
 * pages are allowed there, what is touched are small ones. */
static char *places(void)
{
	char *base = mmap(NULL, (PLACES + 2) * PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = (char *)(((uintptr_t)base + 2 * PMD - 1) & ~(uintptr_t)(PMD - 1));

	if (base == MAP_FAILED || mprotect(at, PLACES * PMD, PROT_READ | PROT_WRITE) ||
	    madvise(at, PLACES * PMD, MADV_NOHUGEPAGE))
		return NULL;
	return at;
}

static void touch(char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 4096)
		*(volatile char *)(at + i) = 1;
}

/* Bytes of this process in huge pages. */
static long huge_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/self/smaps_rollup", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "AnonHugePages: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* So often for a place without a page, and once for the last, which has all. It is a mapping that
 * had a page, else the kernel would not look. */
static int ask_for_huge(void)
{
	char *at = places();

	if (!at || prctl(PR_SET_NAME, EMPTY, 0, 0, 0))
		return 1;
	touch(at + (PLACES - 1) * PMD, PMD);
	if (madvise(at, PLACES * PMD, MADV_HUGEPAGE))
		return 1;
	for (int i = 0; i < ASKED; i++)
		if (!madvise(at, PMD, ADVICE))
			return 1;
	return 0;
}

/* Waits until khugepaged has made huge pages of all places, and was everywhere twice more; or with
 * none of them, until it was everywhere three times: once may have begun before. */
static int wait_for_huge(const char *name, size_t bytes)
{
	long first = number_read(SCAN "full_scans"), until = first + 3;
	bool made = false;
	char *at = places();

	if (!at || first < 0 || prctl(PR_SET_NAME, name, 0, 0, 0))
		return 1;
	for (size_t i = 0; i < PLACES; i++)
		touch(at + i * PMD, bytes);
	if (madvise(at, PLACES * PMD, MADV_HUGEPAGE))
		return 1;
	for (int i = 0; i < SECONDS * 100; i++) {
		/* It tells of a huge page when that is there: who ends at once is nobody then. */
		if (bytes == PMD && !made && huge_kib() == (long)(PLACES * PMD / 1024)) {
			made = true;
			until = number_read(SCAN "full_scans") + 2;
		}
		if ((bytes != PMD || made) && number_read(SCAN "full_scans") >= until)
			return bytes == PMD || huge_kib() == 0 ? 0 : 1;
		usleep(10000);
	}
	return 2;
}

static int wait_for_both(void)
{
	static const char *const names[] = { SPARSE, FULL };
	int status, worst = 0;

	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(wait_for_huge(names[i], i ? PMD : 4096));
	}
	while (wait(&status) > 0)
		worst = status ? 1 : worst;
	return worst;
}

/* What vmtop said of a process of that name, by step and result. */
struct said {
	const char *comm;
	uint64_t empty; /* looks that found nothing mapped: three names, by the kernel */
	uint64_t sparse; /* that found too few pages */
	uint64_t fit; /* that found nothing against it */
	uint64_t done; /* huge pages that were made */
	uint64_t collapses; /* tries to make one, whatever became of them */
	uint64_t others; /* other results of looks */
	uint64_t reasonless;
	char last[64];
};

static void hear(const char *line, struct said *s)
{
	char comm[64], step[32], result[64], reason[200];
	uint64_t n = event_json_number(line, "times_total");

	if (strncmp(line, "{\"type\":\"event_collapse\"", 24) != 0 ||
	    strcmp(event_json_value(line, "comm", comm, sizeof(comm)), s->comm) != 0)
		return;
	event_json_value(line, "step", step, sizeof(step));
	event_json_value(line, "result", result, sizeof(result));
	if (!strcmp(event_json_value(line, "reason", reason, sizeof(reason)), "-"))
		s->reasonless += n;
	if (!strcmp(step, "collapse")) {
		s->collapses += n;
		s->done += strcmp(result, "SCAN_SUCCEED") ? 0 : n;
		return;
	}
	if (!strcmp(result, "SCAN_PMD_NULL") || !strcmp(result, "SCAN_PMD_NONE") ||
	    !strcmp(result, "SCAN_NO_PTE_TABLE")) {
		s->empty += n;
	} else if (!strcmp(result, "SCAN_EXCEED_NONE_PTE")) {
		s->sparse += n;
	} else if (!strcmp(result, "SCAN_SUCCEED")) {
		s->fit += n;
	} else {
		s->others += n;
		snprintf(s->last, sizeof(s->last), "%s", result);
	}
}

static bool listen_to(const char *what, struct said *s, size_t n)
{
	const char *const args[] = { "vmtop",	 "events", "--only", "huge", "--summary",
				     "--ndjson", "--",	   self,     what,   NULL };
	char *line = NULL;
	size_t size = 0;
	pid_t pid;
	FILE *f = check_start(vmtop, 0, args, &pid);

	while (getline(&line, &size, f) > 0)
		for (size_t i = 0; i < n; i++)
			hear(line, &s[i]);
	free(line);
	return check_stop(f, pid);
}

/* Each time that it is asked for is one look at a place. */
static void of_asking(void)
{
	struct said s = { .comm = EMPTY };
	struct check c;

	if (madvise((void *)PMD, 0, ADVICE)) {
		check_skip("collapse/asked", "this kernel has no MADV_COLLAPSE");
		return;
	}
	if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)) {
		check_skip("collapse/asked", "huge pages are switched off for this process");
		return;
	}
	check_begin(&c, "collapse/asked");
	check_that(&c, listen_to("--ask", &s, 1), "vmtop failed");
	check_that(&c, s.empty >= ASKED, "%" PRIu64 " looks found nothing, of %d", s.empty, ASKED);
	check_that(&c, !s.sparse && !s.reasonless,
		   "%" PRIu64 " found few pages, %" PRIu64 " have no reason", s.sparse,
		   s.reasonless);
	check_end(&c, "%" PRIu64 " looks found nothing, %" PRIu64 " all", s.empty, s.fit);
}

/* khugepaged itself. */
static void of_khugepaged(void)
{
	static const struct {
		const char *file;
		long value;
	} settings[] = {
		{ SCAN "max_ptes_none", 100 },
		{ SCAN "pages_to_scan", 65536 },
		{ SCAN "scan_sleep_millisecs", 10 },
		{ SCAN "alloc_sleep_millisecs", 10 },
	};
	struct said s[] = { { .comm = SPARSE }, { .comm = FULL } };
	long was[4];
	struct check c;

	for (size_t i = 0; i < 4; i++) {
		was[i] = number_read(settings[i].file);
		if (was[i] < 0 || !number_write(settings[i].file, settings[i].value)) {
			check_skip("collapse/khugepaged", "%s: %s", settings[i].file,
				   strerror(errno));
			while (i--)
				number_write(settings[i].file, was[i]);
			return;
		}
	}
	check_begin(&c, "collapse/khugepaged");
	check_that(&c, listen_to("--wait", s, 2),
		   "vmtop failed, or smaps has other huge pages than were to be made");
	for (size_t i = 0; i < 4; i++)
		number_write(settings[i].file, was[i]);
	check_that(&c, s[0].sparse >= PLACES && !s[0].fit && !s[0].collapses,
		   "of one page each %" PRIu64 " looks found too few, %" PRIu64
		   " nothing against it, %" PRIu64 " huge pages were tried",
		   s[0].sparse, s[0].fit, s[0].collapses);
	check_that(&c, s[1].fit >= PLACES && s[1].done == PLACES,
		   "of all pages %" PRIu64 " looks found nothing against it, %" PRIu64
		   " huge pages were made (%s)",
		   s[1].fit, s[1].done, s[1].last);
	check_that(&c, !s[1].sparse, "of all pages %" PRIu64 " found too few", s[1].sparse);
	check_that(&c, !s[0].reasonless && !s[1].reasonless, "results without a reason");
	check_end(&c,
		  "of one page each: %" PRIu64 " too few, %" PRIu64 " others; of all: %" PRIu64
		  " fit, %" PRIu64 " made, %" PRIu64 " others",
		  s[0].sparse, s[0].others, s[1].fit, s[1].done, s[1].others);
}

int main(int argc, char **argv)
{
	static char own[300];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (argc == 2 && !strcmp(argv[1], "--ask"))
		return ask_for_huge();
	if (argc == 2 && !strcmp(argv[1], "--wait"))
		return wait_for_both();
	if (argc < 2 || n <= 0) {
		fprintf(stderr, "usage: collapse VMTOP [set]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	vmtop = argv[1];
	self = own;
	if (number_read(THP "hpage_pmd_size") != (long)PMD) {
		check_skip("collapse", "huge pages of this kernel have another size, or are none");
		return 0;
	}
	of_asking();
	if (argc > 2)
		of_khugepaged();
	return 0;
}
