/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stalled VMTOP [DIR [MEGABYTES [one]]]: vmtop beside a process whose maps (on newer kernels:
 * smaps, smaps_rollup) never answer. It ends inside its deadline, names the process, and has all
 * the others. With the word "one", not also beside twenty of them.
 */

#include "check.h"
#include "stall.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a command promises that was not told how long it may take. */
#define DEADLINE_MS 10000u
/* What a busy machine may add to that, above all under emulation, and for loading the probe: what
 * waits for the victim would wait for ever. */
#define GRACE_MS    60000u
#define OUTPUT_MOST (64u << 20)
#define STUCK_MOST  16u /* readers that are left behind before the rest is skipped, */
#define READERS	    8u /* of so many at a time */
#define VICTIMS	    (STUCK_MOST + READERS + 2)
/* Two seconds for each of them, by as many readers as there are processors. */
#define MANY_MS 60000u

struct run {
	int status; /* as of waitpid() */
	unsigned ms;
	bool hung;
	char *out; /* of both streams; the caller frees it */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct run run(const char *const *argv, unsigned limit_ms)
{
	struct run r = { .out = calloc(1, OUTPUT_MOST + 1) };
	uint64_t begun = now_ms();
	char rest[65536];
	size_t len = 0;
	int out[2];
	pid_t pid;

	if (!r.out || pipe2(out, O_CLOEXEC))
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		if (dup2(out[1], 1) < 0 || dup2(out[1], 2) < 0)
			_exit(126);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(out[1]);
	for (;;) {
		struct pollfd p = { .fd = out[0], .events = POLLIN };
		uint64_t spent = now_ms() - begun;
		ssize_t n;

		if (spent >= limit_ms || poll(&p, 1, (int)(limit_ms - spent)) == 0) {
			r.hung = true;
			kill(pid, SIGKILL);
			break;
		}
		/* Of a machine with much going on there can be more; it is read, or the writer
		 * would wait for us and we for it. */
		n = read(out[0], len < OUTPUT_MOST ? r.out + len : rest,
			 len < OUTPUT_MOST ? OUTPUT_MOST - len : sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (len < OUTPUT_MOST)
			len += (size_t)n;
	}
	waitpid(pid, &r.status, 0);
	r.ms = (unsigned)(now_ms() - begun);
	close(out[0]);
	return r;
}

/* Whether the array "errors" of a document has an entry of this process with that in it. */
static bool says(const char *json, pid_t pid, const char *what)
{
	const char *at = strstr(json, "\"errors\":["), *end, *found;
	char key[32];

	snprintf(key, sizeof(key), "\"pid\":%d,", (int)pid);
	while (at && (at = strstr(at, key))) {
		end = strchr(at, '}');
		found = strstr(at, what);
		if (found && end && found < end)
			return true;
		at = end;
	}
	return false;
}

static bool names(const char *json, pid_t pid)
{
	return says(json, pid, "\"status\":\"timed_out\"");
}

/* How many rows the array of processes has, by a key that each of them has once. */
static unsigned rows(const char *json)
{
	const char *at = strstr(json, "\"processes\":["), *end;
	unsigned n = 0;

	end = at ? strchr(at, ']') : NULL;
	while (at && end && (at = strstr(at, "\"ppid\":")) && at < end) {
		at++;
		n++;
	}
	return n;
}

/* Who maps a file is read of all processes at one go: it is unknown then, and the rest is there. */
static void judge_cache(const char *vmtop)
{
	const char *argv[] = { vmtop, "cache", "--all", "-J", "--top", "3", NULL };
	struct run r = run(argv, DEADLINE_MS + GRACE_MS);
	struct check c;

	if (!r.hung && strstr(r.out, "\"superblocks_total\":null")) {
		check_skip("D01/stalled-cache", "no walk through inodes here");
		free(r.out);
		return;
	}
	check_begin(&c, "D01/stalled-cache");
	check_that(&c, !r.hung, "it hangs");
	check_that(&c, strstr(r.out, "\"cached_bytes\":"), "no rows: %.300s", r.out);
	/* Before 5.12 the kernel has no list of mappings. */
	check_that(&c, strstr(r.out, "\"mappers_total\":null"), "mappers are known: %.300s", r.out);
	check_that(&c, strstr(r.out, "\"complete\":false") || !strstr(r.out, "in time"),
		   "it calls itself complete: %.300s", r.out);
	check_end(&c, "%u ms", r.ms);
	free(r.out);
}

/* Its state and memory come from files that never block: it is listed with them. */
static void judge_row(const struct stall *s, const char *vmtop, size_t megabytes)
{
	char pid[16], wanted[64];
	const char *argv[] = { vmtop, "ps", "-J", "-p", pid, "-o", "pid,state,rss", NULL };
	unsigned long long rss = 0;
	const char *at;
	struct check c;
	struct run r;

	snprintf(pid, sizeof(pid), "%d", (int)s->victim);
	r = run(argv, DEADLINE_MS + GRACE_MS);
	check_begin(&c, "D11/listed-in-state-D");
	check_that(&c, !r.hung && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0,
		   "status %#x: %.200s", (unsigned)r.status, r.out);
	snprintf(wanted, sizeof(wanted), "{\"pid\":%s,\"state\":\"D\",\"rss_bytes\":", pid);
	at = strstr(r.out, wanted);
	if (check_that(&c, at, "it says: %.300s", r.out))
		rss = strtoull(at + strlen(wanted), NULL, 10);
	check_that(&c, !at || rss >= (unsigned long long)megabytes << 20, "%llu bytes of %zu MiB",
		   rss, megabytes);
	check_end(&c, "%llu bytes resident", rss);
	free(r.out);
}

static void judge_report(const char *name, const struct stall *s, const char *const *argv,
			 unsigned others)
{
	struct run r = run(argv, DEADLINE_MS + GRACE_MS);
	struct check c;
	int code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;

	check_begin(&c, "%s", name);
	check_that(&c, !r.hung, "it hangs");
	/* Partial is fine without --strict. */
	check_that(&c, r.hung || code == 0, "exit status %d: %.200s", code, r.out);
	check_that(&c, names(r.out, s->victim), "process %d is not among the errors", s->victim);
	check_that(&c, rows(r.out) >= others, "%u rows of %u processes", rows(r.out), others);
	check_end(&c, "%u ms, %u rows", r.ms, rows(r.out));
	free(r.out);
}

/* A command for the victim alone: there is nothing else to say. */
static void judge_alone(const struct stall *s, const char *vmtop, const char *command)
{
	char pid[16], word[32];
	const char *argv[] = { vmtop, command, pid, NULL };
	struct check c;
	struct run r;
	int code;

	snprintf(pid, sizeof(pid), "%d", (int)s->victim);
	snprintf(word, sizeof(word), "process %d: ", (int)s->victim);
	r = run(argv, DEADLINE_MS + GRACE_MS);
	code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
	check_begin(&c, "D01/stalled-%s", command);
	check_that(&c, !r.hung, "it hangs");
	check_that(&c, code == 124, "exit status %d", code);
	check_that(&c, strstr(r.out, word) && strstr(r.out, "timed_out"), "it says: %.200s", r.out);
	check_end(&c, "%u ms, exit %d", r.ms, code);
	free(r.out);
}

/* Where the victim is, for the reader of a failure. */
static void print_stack(pid_t pid)
{
	char path[64], line[200];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

/* The lock is held for reading, and who reads waits behind the one who wants to write. */
static void judge_reading(const char *vmtop, const char *parent)
{
	struct stall s;
	char pid[16];
	int r;

	r = stall_start(&s, parent, 1, true);
	if (r) {
		check_skip("D02/stalled-behind-a-writer", "%s", s.why);
		return;
	}
	if (!stall_blocks(s.victim, "smaps_rollup", 1000)) {
		check_skip("D02/stalled-behind-a-writer", "this kernel lets readers pass");
	} else {
		snprintf(pid, sizeof(pid), "%d", (int)s.victim);
		judge_report("D02/stalled-behind-a-writer", &s,
			     (const char *const[]){ vmtop, "report", "-J", "--duration", "0", "-p",
						    pid, NULL },
			     1);
	}
	stall_end(&s);
}

/* Starts one; the kernel may have written the page before it was to wait for that. 0 once it is
 * stuck, -errno and why otherwise. */
static int start_stuck(struct stall *s, const char *parent, size_t megabytes, unsigned ms)
{
	int r = 0;

	for (int i = 0; i < 5; i++) {
		r = stall_start(s, parent, megabytes, false);
		if (r || i == 4 || stall_blocks(s->victim, "smaps_rollup", ms))
			break;
		printf("# stalled-victim: the mapping was made\n");
		stall_end(s);
	}
	return r;
}

/*
 * More than there may be readers left behind (source/reader.h, stuck_max): those that are left over
 * are not queued behind the others but skipped, with the reason, and what needs none of them is
 * there of all.
 */
static void judge_many(const char *vmtop, const char *parent)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned readers = processors < READERS ? (unsigned)processors : READERS;
	const unsigned many = STUCK_MOST + readers + 2;
	static struct stall victims[VICTIMS];
	char pids[12 * (VICTIMS + 1)] = "", limit[16];
	const char *const argv[] = { vmtop, "report", "-J", "--duration", "0",
				     "-t",  limit,    "-p", pids,	  NULL };
	unsigned n, timed_out = 0, skipped = 0;
	struct check c;
	struct run r;
	int status = 0;

	check_begin(&c, "D03/stalled-twenty");
	for (n = 0; n < many; n++) {
		status = start_stuck(&victims[n], parent, 1, 200);
		if (!check_that(&c, !status, "victim %u: %s", n, victims[n].why))
			break;
		snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%d,",
			 (int)victims[n].victim);
	}
	snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%d", (int)getpid());
	snprintf(limit, sizeof(limit), "%u", MANY_MS / 1000);
	if (!c.failed) {
		r = run(argv, MANY_MS + GRACE_MS);
		check_that(&c, !r.hung && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0,
			   "status %#x: %.200s", (unsigned)r.status, r.out);
		for (unsigned i = 0; i < n; i++) {
			pid_t pid = victims[i].victim;
			bool late = names(r.out, pid);
			bool left = says(r.out, pid, "too many readers are stuck");

			check_that(&c, late != left, "process %d %s", (int)pid,
				   late ? "timed out and was skipped" : "is not among the errors");
			timed_out += late;
			skipped += left;
		}
		/* When the last one is left behind the others may be waiting, too. */
		check_that(&c, timed_out >= STUCK_MOST && timed_out < STUCK_MOST + readers,
			   "%u timed out", timed_out);
		check_that(&c, rows(r.out) == n + 1, "%u rows of %u", rows(r.out), n + 1);
		check_that(&c, !names(r.out, getpid()), "who is not stalled timed out");
		check_end(&c, "%u timed out, %u skipped, in %u ms", timed_out, skipped, r.ms);
		free(r.out);
	} else {
		check_end(&c, "%u victims", n);
	}
	check_begin(&c, "D03/stalled-twenty-end");
	/* The last first: each has inherited the connections of those before it. */
	while (n--)
		check_that(&c, !stall_end(&victims[n]), "victim %u cannot be killed", n);
	check_end(&c, "%s", "");
}

int main(int argc, char **argv)
{
	const char *parent = argc > 2 ? argv[2] : "/tmp";
	size_t megabytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 64;
	static const char *const files[] = { "cmdline", "maps", "smaps", "smaps_rollup",
					     "pagemap" };
	char pid[16], blocked[100] = "";
	struct stall s;
	struct check c;
	int r;

	if (argc < 2 || argc > 5 || (argc == 5 && strcmp(argv[4], "one"))) {
		fputs("usage: stalled VMTOP [DIR [MEGABYTES [one]]]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = start_stuck(&s, parent, megabytes, 1000);
	if (r == -ENOENT || r == -ENODEV || r == -EPERM) {
		check_skip("D01/stalled-victim", "%s", s.why);
		return 0;
	}
	check_begin(&c, "D01/stalled-victim");
	check_that(&c, !r, "%s", s.why);
	for (size_t i = 0; !r && i < sizeof(files) / sizeof(files[0]); i++) {
		if (!stall_blocks(s.victim, files[i], 500))
			continue;
		strcat(strcat(blocked, *blocked ? " " : ""), files[i]);
	}
	check_that(&c, r || strstr(blocked, "smaps_rollup"), "smaps_rollup answers");
	check_end(&c, "what blocks: %s; the victim is in state %c", blocked,
		  r ? '-' : stall_state(s.victim));
	if (r || c.failed) {
		if (!r)
			print_stack(s.victim);
		stall_end(&s);
		return 0;
	}

	snprintf(pid, sizeof(pid), "%d", (int)s.victim);
	judge_report("D01/stalled-report", &s,
		     (const char *const[]){ argv[1], "report", "-J", NULL }, 3);
	judge_report("D01/stalled-report-of-it", &s,
		     (const char *const[]){ argv[1], "report", "-J", "--duration", "0", "-p", pid,
					    NULL },
		     1);
	/* What smaps or maps is asked for does block; where only smaps_rollup does, maps is fine.
	 */
	if (strstr(blocked, " smaps ") || strstr(blocked, " maps "))
		judge_alone(&s, argv[1], "maps");
	else
		check_skip("D01/stalled-maps", "this kernel reads smaps without the lock");
	judge_alone(&s, argv[1], "pages");
	judge_row(&s, argv[1], megabytes);
	judge_cache(argv[1]);

	check_begin(&c, "D01/stalled-end");
	check_that(&c, !stall_end(&s), "the victim cannot be killed");
	check_end(&c, "%s", "");
	judge_reading(argv[1], parent);
	if (argc < 5)
		judge_many(argv[1], parent);
	return 0;
}
