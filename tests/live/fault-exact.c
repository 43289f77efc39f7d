/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * fault-exact [OPTION]... [KIND]...: what the probe counted for workloads whose faults are known,
 * to the unit. One window for all of them: some exist before it and fault inside of it, some live
 * all their life in it.
 */

#include "fault-exact.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"

#define KINDS_MAX 32
#define WAIT_S	  60u

static enum vmt_rung_id rung_of(const char *name)
{
	for (int i = VMT_RUNG_FEXIT; i < VMT_RUNGS; i++)
		if (!strcmp(name, vmt_rung_name((enum vmt_rung_id)i)))
			return (enum vmt_rung_id)i;
	return VMT_RUNG_NONE;
}

/* One number of /proc/vmstat, 0 where it is not there. */
static uint64_t vmstat(const char *key)
{
	VMT_AUTO_FCLOSE FILE *f = fopen("/proc/vmstat", "re");
	char line[128];
	size_t len = strlen(key);

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	return 0;
}

/* Which mode a kernel that can be told to preempt is in, for the figures; else how it was built. */
static void preempt_mode(char *ret, size_t size)
{
	struct utsname name;
	static const char path[] = "/sys/kernel/debug/sched/preempt";
	VMT_AUTO_FCLOSE FILE *f = fopen(path, "re");
	char line[80] = "";
	char *from, *to;

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	from = strchr(line, '(');
	to = from ? strchr(from, ')') : NULL;
	if (!to) {
		from = uname(&name) ? NULL : strstr(name.version, "PREEMPT");
		to = from ? strchrnul(from, ' ') : NULL;
		from = from ? from - 1 : NULL;
	}
	snprintf(ret, size, "%.*s", to ? (int)(to - from - 1) : 4, to ? from + 1 : "none");
}

/* Says why a workload told nothing, or something else than wanted; NULL where all is well. */
static const char *told(const struct worker *w, int r, enum workload_status wanted)
{
	if (r == -ETIMEDOUT)
		return "the workload hangs";
	if (r)
		return "the workload ended early";
	return w->truth.status == wanted ? NULL : w->truth.why;
}

static void report_worker(const struct session *s, struct worker *w, const char *span,
			  const char *why)
{
	struct check c;

	check_begin(&c, "%sfault-exact/%s/%s/%s", case_of(w->kind), s->label, w->kind, span);
	if (w->truth.status == WORKLOAD_UNABLE) {
		check_skip(c.name, "%s", why);
	} else {
		check_that(&c, false, "%s", why);
		check_end(&c, "%s", "");
	}
	worker_end(w);
	w->kind = NULL;
}

static void start_windowed(struct session *s, const char *const *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct worker *w = &s->windowed[s->n_windowed++];
		int r = worker_start(w, kinds[i], &s->worker_opts);
		const char *why = told(w, r ?: worker_truth(w, WAIT_S), WORKLOAD_READY);

		if (!why) {
			worker_go(w, 1);
			why = told(w, worker_truth(w, WAIT_S), WORKLOAD_READY);
		}
		if (why)
			report_worker(s, w, "window", why);
	}
}

static void run_windowed(struct session *s)
{
	for (size_t i = 0; i < s->n_windowed; i++) {
		struct worker *w = &s->windowed[i];
		const char *why;

		if (!w->kind)
			continue;
		worker_go(w, 1);
		why = told(w, worker_truth(w, WAIT_S), WORKLOAD_DONE);
		if (why)
			report_worker(s, w, "window", why);
	}
}

static void run_lives(struct session *s, const char *const *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct worker *w = &s->lives[s->n_lives++];
		const char *why;
		int r = worker_start(w, kinds[i], &s->worker_opts);

		if (!r)
			worker_go(w, 3);
		why = told(w, r ?: worker_truth(w, WAIT_S), WORKLOAD_READY);
		if (!why)
			why = told(w, worker_truth(w, WAIT_S), WORKLOAD_READY);
		if (!why)
			why = told(w, worker_truth(w, WAIT_S), WORKLOAD_DONE);
		if (!why && worker_reap(w))
			why = "it cannot be waited for";
		if (!why && w->wait_status)
			why = "the workload ended with an error";
		if (why)
			report_worker(s, w, "life", why);
	}
}

/* Processes that were there before, and the mappings that they have now. */
static int collect_windowed(struct session *s, struct vmt_err *err)
{
	struct vmt_collect_opts opts = { 0 };
	uint64_t pids[KINDS_MAX];
	size_t indices[KINDS_MAX];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < s->n_windowed; i++)
		if (s->windowed[i].kind)
			pids[n++] = s->windowed[i].id;
	r = vmt_collector_new(&opts, &s->collector, err);
	r = r ?: vmt_collect(s->collector, VMT_SOURCE_BIT(PIDS), pids, n, &s->live, err);
	if (r)
		return r;
	for (size_t i = 0; i < s->live->n_procs; i++)
		indices[i] = i;
	return vmt_collect_procs(s->collector, s->live, VMT_SOURCE_BIT(MAPS), indices,
				 s->live->n_procs, err);
}

static int measure(struct session *s, enum vmt_rung_id rung, const char *const *kinds, size_t n,
		   struct vmt_err *err)
{
	struct vmt_probe_opts opts = { .rung = rung, .filemap = true, .maps = s->slots };
	int r;

	r = vmt_probe_open(&opts, &s->probe, err);
	if (r)
		return r;
	start_windowed(s, kinds, n);
	s->outer = vmstat("pgfault");
	r = vmt_probe_start(s->probe, err);
	if (r) {
		struct vmt_err unused = { 0 };

		(void)vmt_probe_read(s->probe, &s->arena, &s->faults, &unused);
		return r;
	}
	s->inner = vmstat("pgfault");
	run_windowed(s);
	run_lives(s, kinds, n);
	s->inner = vmstat("pgfault") - s->inner;
	r = vmt_probe_stop(s->probe, err);
	s->outer = vmstat("pgfault") - s->outer;
	r = r ?: vmt_probe_read(s->probe, &s->arena, &s->faults, err);
	return r ?: collect_windowed(s, err);
}

/* Whether this kernel has no way to see filemap_fault on the rung that was found. */
static bool filemap_absent(const struct vmt_fault_sample *f)
{
	static const char hook[] = "tp_btf/mm_filemap_fault";

	/* Where the whole program could not be loaded for it, the reason names the hook. */
	for (size_t i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];

		if ((t->hook && !strcmp(t->hook, hook)) ||
		    !strncmp(t->reason, hook, sizeof(hook) - 1))
			return t->status == VMT_TRY_ABSENT;
	}
	return false;
}

static void check_rung(struct session *s, const char *expected, int r, const struct vmt_err *err)
{
	const struct vmt_fault_sample *f = &s->faults;
	struct check c;

	check_begin(&c, "fault-exact/%s/rung", s->label);
	check_that(&c, !r, "%s", err->text);
	for (size_t i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];

		printf("# %s %s: %s %s %s\n", t->rung, t->hook ? t->hook : "",
		       vmt_try_status_name(t->status), t->error ? vmt_errno_name(t->error) : "",
		       t->reason);
		/* As the kernel's verifier wrote it: many lines, and not from anybody else. */
		if (t->log.len && t->status != VMT_TRY_OK)
			printf("# %.*s\n", (int)t->log.len, t->log.ptr);
	}
	if (!r && expected)
		check_that(&c, !strcmp(vmt_rung_name(f->rung), expected), "not %s", expected);
	if (!r)
		check_that(&c, f->canary == VMT_CANARY_TRUSTED, "the canary says %s",
			   f->canary_text);
	if (!r)
		check_that(&c, f->filemap_rung != VMT_RUNG_NONE || filemap_absent(f),
			   "filemap_fault is not counted");
	check_end(&c, "%s, canary %s, filemap by %s, preempt %s", vmt_rung_name(f->rung),
		  vmt_canary_name(f->canary), vmt_rung_name(f->filemap_rung), s->preempt);
}

static void usage(void)
{
	fputs("usage: fault-exact [--rung R] [--expect R] [--pages N] [--slots N]\n"
	      "                   [--storm-ms N] [--dir DIR] [--workload PROGRAM] [KIND]...\n",
	      stderr);
	exit(2);
}

/* The kinds that the workload program has, one a line. */
static size_t list_kinds(const char *program, char *text, size_t size, const char **kinds)
{
	char command[512];
	size_t len, n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' --list", program);
	f = popen(command, "re");
	if (!f)
		return 0;
	len = fread(text, 1, size - 1, f);
	text[len] = 0;
	if (pclose(f))
		return 0;
	for (char *at = strtok(text, "\n"); at && n < KINDS_MAX; at = strtok(NULL, "\n"))
		kinds[n++] = at;
	return n;
}

static void remove_dir(const char *dir, const struct session *s)
{
	char path[600];

	/* The files of the workloads. */
	for (size_t i = 0; i < s->n_windowed + s->n_lives; i++) {
		const struct worker *w = i < s->n_windowed ? &s->windowed[i]
							   : &s->lives[i - s->n_windowed];

		snprintf(path, sizeof(path), "%s/truth-%" PRIu64, dir, w->id);
		unlink(path);
	}
	rmdir(dir);
}

static void run(struct session *s, const char *rung, const char *expected, const char *const *kinds,
		size_t n)
{
	struct vmt_err err = { 0 };
	int r;

	s->windowed = calloc(n, sizeof(*s->windowed));
	s->lives = calloc(n, sizeof(*s->lives));
	if (!s->windowed || !s->lives)
		abort();
	s->label = rung;
	preempt_mode(s->preempt, sizeof(s->preempt));
	r = measure(s, rung_of(rung), kinds, n, &err);
	check_rung(s, expected, r, &err);
	for (size_t i = 0; !r && i < s->n_windowed; i++)
		if (s->windowed[i].kind)
			judge_worker(s, &s->windowed[i], true);
	for (size_t i = 0; !r && i < s->n_lives; i++)
		if (s->lives[i].kind)
			judge_worker(s, &s->lives[i], false);
	if (!r)
		judge_machine(s);
	for (size_t i = 0; i < s->n_windowed; i++) {
		struct worker *w = &s->windowed[i];

		if (w->kind && !r) {
			worker_go(w, 1);
			worker_reap(w);
		}
		worker_end(w);
	}
	for (size_t i = 0; i < s->n_lives; i++)
		worker_end(&s->lives[i]);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "rung", required_argument, NULL, 'r' },
		{ "expect", required_argument, NULL, 'e' },
		{ "pages", required_argument, NULL, 'p' },
		{ "slots", required_argument, NULL, 'm' },
		{ "storm-ms", required_argument, NULL, 's' },
		{ "dir", required_argument, NULL, 'd' },
		{ "workload", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct session s = { .worker_opts = { .pages = 256, .storm_ms = 2000 } };
	const char *rung = "auto", *expected = NULL, *dir = "/var/tmp";
	char here[256] = "", program[300], temp[300], text[1024];
	const char *kinds[KINDS_MAX];
	size_t n = 0;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'r':
			rung = optarg;
			break;
		case 'e':
			expected = optarg;
			break;
		case 'p':
			s.worker_opts.pages = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			s.slots = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			s.worker_opts.storm_ms = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'd':
			dir = optarg;
			break;
		case 'w':
			s.worker_opts.program = optarg;
			break;
		default:
			usage();
		}
	}
	if ((strcmp(rung, "auto") && rung_of(rung) == VMT_RUNG_NONE) || s.worker_opts.pages < 64)
		usage();
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!s.worker_opts.program) {
		if (readlink("/proc/self/exe", here, sizeof(here) - 1) < 0)
			return 1;
		snprintf(program, sizeof(program), "%.*sworkload",
			 (int)(strrchr(here, '/') + 1 - here), here);
		s.worker_opts.program = program;
	}
	n = list_kinds(s.worker_opts.program, text, sizeof(text), kinds);
	if (optind < argc)
		for (n = 0; optind < argc && n < KINDS_MAX; n++)
			kinds[n] = argv[optind++];
	snprintf(temp, sizeof(temp), "%s/vmtop-live-XXXXXX", dir);
	if (!n || !mkdtemp(temp)) {
		fprintf(stderr, "fault-exact: no workloads, or no directory in %s\n", dir);
		return 1;
	}
	s.worker_opts.dir = temp;
	vmt_arena_init(&s.arena);
	run(&s, rung, expected, kinds, n);
	remove_dir(temp, &s);
	vmt_probe_close(s.probe);
	vmt_sample_free(s.live);
	vmt_collector_free(s.collector);
	vmt_arena_done(&s.arena);
	free(s.windowed);
	free(s.lives);
	return 0;
}
