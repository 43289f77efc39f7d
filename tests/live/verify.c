/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * verify VMTOP [--guest]
 *
 * What doctor --verify says of this kernel. Nothing is off of a process at rest; in a guest, where
 * nothing else goes on, nothing of the machine either. F2: smaps_rollup of Debian 12's Linux 6.1
 * loses mappings while the process maps and unmaps, and that is found there and nowhere else.
 */

#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECKS_MAX 24
#define PAGES	   512

struct row {
	char id[16];
	char result[24];
	long long off;
	unsigned long long checked;
};

struct rows {
	struct row row[CHECKS_MAX];
	size_t n;
};

/* The rows of doctor --verify, of a process or of all. */
static bool verify(const char *vmtop, const char *pid, struct rows *ret)
{
	const char *const columns = "id,result,off_bytes,checked_total";
	const char *const args[] = { "vmtop", "doctor", "--verify", "--csv",
				     "-o",    columns,	pid,	    NULL };
	char line[256];
	pid_t child;
	FILE *f = check_start(vmtop, 0, args, &child);

	ret->n = 0;
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		struct row *r = &ret->row[ret->n];
		char *cur = line, *id = strsep(&cur, ","), *result = strsep(&cur, ","),
		     *off = strsep(&cur, ","), *checked = strsep(&cur, ",\r\n");

		if (!checked || id[0] != 'V' || ret->n == CHECKS_MAX)
			continue;
		snprintf(r->id, sizeof(r->id), "%s", id);
		snprintf(r->result, sizeof(r->result), "%s", result);
		r->off = strtoll(off, NULL, 10);
		r->checked = strtoull(checked, NULL, 10);
		ret->n++;
	}
	/* It ends with 1 where something is off, which is for the rows to say. */
	check_stop(f, child);
	return ret->n > 0;
}

static const struct row *row_of(const struct rows *rows, const char *id)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (strcmp(rows->row[i].id, id) == 0)
			return &rows->row[i];
	return NULL;
}

/* What ps --pss says of the rollup of a process. */
static bool ps_quality(const char *vmtop, const char *pid, char *quality, size_t n)
{
	const char *const args[] = { "vmtop",		"ps", "--pss", "--csv", "-o",
				     "pid,quality,pss", "-p", pid,     NULL };
	char line[256];
	pid_t child;
	FILE *f = check_start(vmtop, 0, args, &child);
	bool found = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		char *comma = strchr(line, ',');

		if (!comma || strtol(line, NULL, 10) != strtol(pid, NULL, 10))
			continue;
		comma[1 + strcspn(comma + 1, ",\r\n")] = 0;
		snprintf(quality, n, "%s", comma + 1);
		found = true;
	}
	return check_stop(f, child) && found;
}

/* Another kernel may have been given the repair: then it is for a person to see. */
static bool loses(const char *release)
{
	return strncmp(release, "6.1.", 4) == 0;
}

/* A process with pages of each sort, which then does nothing. */
static pid_t at_rest(void)
{
	int pipes[2];
	pid_t pid;
	char c;

	if (pipe(pipes) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
		char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *s = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		volatile char sink = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (p == MAP_FAILED || s == MAP_FAILED)
			_exit(1);
		/* Written ones, and the zero page. */
		for (i = 0; i < PAGES; i++) {
			if (i % 2)
				sink = (char)(sink + p[i * page]);
			else
				p[i * page] = s[i * page] = 1;
		}
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	if (pid > 0 && read(pipes[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(pipes[0]);
	return pid;
}

/* F2, N10: where the kernel is found to lose mappings, the figures of ps say so. */
static void marked(const char *vmtop, const char *pid)
{
	char quality[32] = "unknown";
	struct utsname host;
	struct check c;

	uname(&host);
	check_begin(&c, "F2/ps-marks-the-rollup");
	check_that(&c, ps_quality(vmtop, pid, quality, sizeof(quality)), "ps has no such row");
	check_that(&c, strcmp(quality, loses(host.release) ? "approximate" : "exact") == 0,
		   "it is said to be %s", quality);
	check_end(&c, "%s: %s", host.release, quality);
}

static void process(const char *vmtop)
{
	static const char *const ids[] = { "V1", "V2", "V3", "V4", "V5", "V6", "V7" };
	struct rows rows;
	struct check c;
	char text[16];
	pid_t pid = at_rest();
	size_t i;

	check_begin(&c, "verify/process-at-rest");
	if (check_that(&c, pid > 0, "no process")) {
		snprintf(text, sizeof(text), "%d", pid);
		check_that(&c, verify(vmtop, text, &rows), "doctor --verify printed no row");
		for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			const struct row *r = row_of(&rows, ids[i]);
			/* Counters of threads may lag behind before 6.2; others may come and go
			 * that share pages. */
			bool fine = r && r->checked &&
				    (strcmp(r->result, "holds") == 0 ||
				     (i == 1 && strcmp(r->result, "bounded") == 0) ||
				     (i == 3 && strcmp(r->result, "drifted") == 0));

			check_that(&c, fine, "%s %s, off by %lld", ids[i], r ? r->result : "absent",
				   r ? r->off : 0);
		}
	}
	check_end(&c, "V1 to V7");
	if (pid > 0) {
		marked(vmtop, text);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void machine(const char *vmtop, bool guest)
{
	const struct row *churn;
	struct utsname host;
	struct rows rows;
	struct check c;
	size_t i;

	uname(&host);
	if (!verify(vmtop, NULL, &rows))
		rows.n = 0;
	check_begin(&c, "F2/rollup-under-churn");
	churn = row_of(&rows, "V1-churn");
	check_that(&c, churn, "there is no such check");
	if (churn) {
		check_that(&c, churn->checked > 0, "it was not tried");
		check_that(&c, strcmp(churn->result, loses(host.release) ? "off" : "holds") == 0,
			   "%s says %s", host.release, churn->result);
		check_that(&c, !loses(host.release) || churn->off < -(1 << 20),
			   "only %lld bytes are lost", churn->off);
	}
	check_end(&c, "%s: %s, off by %lld in %llu reads", host.release,
		  churn ? churn->result : "absent", churn ? churn->off : 0,
		  churn ? churn->checked : 0);
	if (!guest)
		return;
	check_begin(&c, "verify/quiet-machine");
	check_that(&c, rows.n >= 16, "%zu checks", rows.n);
	for (i = 0; i < rows.n; i++)
		check_that(&c,
			   strcmp(rows.row[i].id, "V1-churn") == 0 ||
				   strcmp(rows.row[i].result, "off") != 0,
			   "%s is off by %lld", rows.row[i].id, rows.row[i].off);
	check_end(&c, "%zu checks", rows.n);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: verify VMTOP [--guest]\n");
		return 2;
	}
	process(argv[1]);
	machine(argv[1], argc > 2 && strcmp(argv[2], "--guest") == 0);
	return 0;
}
