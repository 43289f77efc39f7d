/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * crash-reasons VMTOP SCRATCH: what vmtop events tells of processes that die of a SIGSEGV or
 * SIGBUS, one for each reason: reason, address, access, function, file and what else is known; and
 * of one that handles its signals.
 *
 * crash-reasons --make FILE SCRATCH is the command that vmtop runs for that; it writes to FILE what
 * is to be told. --handled N gets N signals that it handles.
 */

#include "check.h"
#include "crash-make.h"
#include "event-json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST	64
#define HANDLED 50

/* What is shared with the children that die, and kept in the file. */
struct table {
	struct {
		pid_t pid;
		int status; /* as wait(2) gives it */
		struct crash_want want;
	} all[MOST];
};

struct run {
	char *lines[MOST * 2]; /* of crashes */
	size_t n;
	uint64_t handled; /* left out, by the probe */
	uint64_t crashes; /* by the sums */
	bool trusted;
};

static const char *vmtop, *self, *scratch;

static int make_all(const char *path, const char *dir)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const struct rlimit none = { 0, 0 };
	struct table *t;
	char file[300];

	if (fd < 0 || ftruncate(fd, sizeof(*t)) < 0)
		return 1;
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED || crash_n_cases > MOST)
		return 1;
	setrlimit(RLIMIT_CORE, &none);
	for (unsigned i = 0; i < crash_n_cases; i++) {
		pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0) {
			/* No core, and nobody who is given one. */
			prctl(PR_SET_DUMPABLE, 0);
			/* Those that stay alive are told apart by that. */
			crash_cases[i].make(&t->all[i].want, dir);
			_exit(9);
		}
		t->all[i].pid = child;
		waitpid(child, &t->all[i].status, 0);
	}
	for (unsigned i = 0; i < crash_n_cases; i++) {
		snprintf(file, sizeof(file), "%s/crash-%d", dir, (int)t->all[i].pid);
		unlink(file);
	}
	return 0;
}

/* Runs vmtop events with these options and SELF with these words, and takes what it says. */
static int run(const char *option, const char *const words[], struct run *ret)
{
	const char *args[16] = { "vmtop",
				 "events",
				 "--ndjson",
				 "--only",
				 "map,crash",
				 "--rate-limit",
				 "0",
				 option ? option : "--",
				 option ? "--" : self,
				 option ? self : NULL };
	size_t n = option ? 10 : 9, cap = 0;
	int pair[2], status;
	char *line = NULL;
	FILE *out;
	pid_t child;

	while (*words && n + 1 < sizeof(args) / sizeof(args[0]))
		args[n++] = *words++;
	args[n] = NULL;
	memset(ret, 0, sizeof(*ret));
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		dup2(pair[1], STDOUT_FILENO);
		execv(vmtop, (char *const *)(uintptr_t)args);
		_exit(127);
	}
	close(pair[1]);
	out = fdopen(pair[0], "r");
	while (out && getline(&line, &cap, out) > 0) {
		if (strstr(line, "\"type\":\"event\"") && strstr(line, "\"event\":\"crash\"")) {
			if (ret->n < sizeof(ret->lines) / sizeof(ret->lines[0]))
				ret->lines[ret->n++] = strdup(line);
		} else if (strstr(line, "\"type\":\"event_sum\"") &&
			   strstr(line, "\"event\":\"crash\"")) {
			ret->crashes += event_json_number(line, "events_total");
		} else if (strstr(line, "\"type\":\"event_probe\"")) {
			ret->handled = event_json_number(line, "handled_total");
			ret->trusted = strstr(line, "\"canary\":\"trusted\"") != NULL;
		}
	}
	free(line);
	if (out)
		fclose(out);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void forget(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->lines[i]);
}

/* The crash of a process: the last one that it had, of how many. */
static const char *crash_of(const struct run *r, pid_t pid, unsigned *ret_n)
{
	const char *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (event_json_number(r->lines[i], "pid") != (uint64_t)pid)
			continue;
		found = r->lines[i];
		++*ret_n;
	}
	return found;
}

static void compare(struct check *c, const char *json, const char *key, const char *want)
{
	char is[256];

	if (!*want)
		return;
	event_json_value(json, key, is, sizeof(is));
	check_that(c, !strcmp(is, want), "%s is %s, not %s", key, is, want);
}

static void compare_all(struct check *c, const char *json, const struct crash_want *w)
{
	compare(c, json, "reason", w->reason);
	compare(c, json, "signal_name", w->signal);
	compare(c, json, "address", w->address);
	compare(c, json, "access", w->access);
	compare(c, json, "symbol", w->symbol);
	compare(c, json, "path", w->path);
	compare(c, json, "offset_bytes", w->offset);
	compare(c, json, "file_size_bytes", w->file_size);
	compare(c, json, "below_bytes", w->below);
	compare(c, json, "changed_by", w->changed_by);
	compare(c, json, "stack_limit_bytes", w->stack_limit);
	compare(c, json, "protection", w->protection);
	compare(c, json, "protection_key", w->protection_key);
	compare(c, json, "sender_pid", w->sender);
	compare(c, json, "handled", "false");
}

static void test_case(const struct run *r, const struct table *t, unsigned i)
{
	const struct crash_want *w = &t->all[i].want;
	int status = t->all[i].status;
	char name[64], text[400];
	const char *json;
	struct check c;
	unsigned n;

	snprintf(name, sizeof(name), "crash/%s", crash_cases[i].name);
	if (w->skip[0]) {
		check_skip(name, "%s", w->skip);
		return;
	}
	check_begin(&c, "%s", name);
	json = crash_of(r, t->all[i].pid, &n);
	check_that(&c, WIFSIGNALED(status), "it ended with %#x", (unsigned)status);
	check_that(&c, n == 1, "%u crashes of process %d", n, (int)t->all[i].pid);
	if (json)
		compare_all(&c, json, w);
	check_end(&c, "%s", json ? event_json_value(json, "reason", text, sizeof(text)) : "-");
}

static void test_reasons(void)
{
	const char *words[] = { "--make", NULL, scratch, NULL };
	struct table *t = calloc(1, sizeof(*t));
	struct check c;
	char path[300];
	struct run r;
	int fd, status;

	snprintf(path, sizeof(path), "%s/crash-table-XXXXXX", scratch);
	fd = mkstemp(path);
	words[1] = path;
	check_begin(&c, "crash/run");
	status = fd < 0 || !t ? -1 : run(NULL, words, &r);
	check_that(&c, status == 0, "vmtop events ended with %d", status);
	if (status == 0) {
		check_that(&c, r.trusted, "the self-check is not trusted");
		check_that(&c, r.crashes == r.n, "%" PRIu64 " crashes in sums, %zu told", r.crashes,
			   r.n);
		check_that(&c, r.handled == 2, "%" PRIu64 " handled ones were left out, not 2",
			   r.handled);
		check_that(&c, pread(fd, t, sizeof(*t), 0) == (ssize_t)sizeof(*t),
			   "what is to be told is not there");
		check_end(&c, "%zu crashes", r.n);
		for (unsigned i = 0; i < crash_n_cases; i++)
			test_case(&r, t, i);
		forget(&r);
	} else {
		check_end(&c, "-");
	}
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	free(t);
}

static void test_handled(void)
{
	char count[16];
	const char *words[] = { "--handled", count, NULL };
	struct check c;
	struct run r;
	size_t good = 0;

	snprintf(count, sizeof(count), "%d", HANDLED);
	check_begin(&c, "crash/handled-left-out");
	check_that(&c, run(NULL, words, &r) == 0, "vmtop events failed");
	check_that(&c, r.n == 0 && r.crashes == 0, "%zu were told of", r.n);
	check_that(&c, r.handled == HANDLED, "%" PRIu64 " were left out", r.handled);
	check_end(&c, "%" PRIu64 " left out", r.handled);
	forget(&r);

	check_begin(&c, "crash/handled-asked-for");
	check_that(&c, run("--handled", words, &r) == 0, "vmtop events failed");
	for (size_t i = 0; i < r.n; i++)
		good += strstr(r.lines[i], "\"handled\":true") != NULL &&
			strstr(r.lines[i], "\"reason\":\"no_access\"") != NULL;
	check_that(&c, good == HANDLED && r.n == HANDLED, "%zu of %zu are as they were", good, r.n);
	check_that(&c, r.handled == 0, "%" PRIu64 " were left out", r.handled);
	check_end(&c, "%zu told of", r.n);
	forget(&r);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--make"))
		return make_all(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "--handled"))
		return crash_handled((unsigned)strtoul(argv[2], NULL, 10)) == 0;
	if (argc != 3 && (argc != 4 || strcmp(argv[3], "poison"))) {
		fputs("usage: crash-reasons VMTOP SCRATCH [poison]\n", stderr);
		return 2;
	}
	if (argc == 4)
		setenv("CRASH_POISON", "1", 1);
	vmtop = argv[1];
	/* The kernel's paths have no links. */
	scratch = realpath(argv[2], NULL) ?: argv[2];
	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_reasons();
	test_handled();
	return 0;
}
