/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * fault-exact [OPTION]... [KIND]...: what the probe counted for workloads whose faults are known,
 * to the unit. One window for all of them: some exist before it and fault inside of it, some live
 * all their life in it. With --table all windows that there are, without the lives, and one line
 * for the rung at the end. With --counts nothing but counts is asked for, which goes a shorter way;
 * with --guard the overhead guard trips at the first fault.
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
#include <unistd.h>

#include "base/parse.h"

#define KINDS_MAX 128
#define WAIT_S	  180u

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

/* Says why a workload told nothing, or something else than wanted; NULL where all is well. */
static const char *told(const struct worker *w, int r, enum workload_status wanted)
{
	if (r == -ETIMEDOUT)
		return "the workload hangs";
	if (r)
		return "the workload ended early";
	return w->truth.status == wanted ? NULL : w->truth.why;
}

static void report_worker(struct session *s, struct worker *w, bool windowed, const char *why)
{
	struct check c;

	check_begin(&c, "%sfault-exact/%s/%s/%s", case_of(w->kind), s->label, w->kind,
		    windowed ? "window" : "life");
	if (w->truth.status == WORKLOAD_UNABLE) {
		check_skip(c.name, "%s", why);
		s->table.unable += windowed;
	} else {
		s->table.windows += windowed;
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
			report_worker(s, w, true, why);
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
			report_worker(s, w, true, why);
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
			report_worker(s, w, false, why);
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
	const uint32_t begin = VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
			       VMT_HAVE_SIGBUS | VMT_HAVE_KINDS | VMT_HAVE_ABANDONED;
	struct vmt_probe_opts opts = {
		.rung = rung,
		.filemap = true,
		.maps = s->slots,
		.without = s->counts ? begin : 0,
		.guard = s->guard,
	};
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
	if (!s->windows)
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
	fputs("usage: fault-exact [--rung R] [--expect R] [--pages N] [--slots N] [--table]\n"
	      "                   [--counts] [--guard] [--group G]... [--preempt MODE] [--storm-ms N]\n"
	      "                   [--dir DIR] [--workload PROGRAM] [KIND]...\n",
	      stderr);
	exit(2);
}

/* Names that were asked for, or those of groups; they stand in text. */
struct list {
	char text[4096];
	size_t len;
	const char *kinds[KINDS_MAX];
	size_t n;
};

/* The kinds of a group that the workload program has, one a line. */
static void list_group(struct list *l, const char *program, const char *group)
{
	char command[512], *from = l->text + l->len;
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' --list '%s'", program, group);
	f = popen(command, "re");
	if (!f)
		return;
	len = fread(from, 1, sizeof(l->text) - l->len - 1, f);
	from[len] = 0;
	l->len += len + 1;
	if (pclose(f))
		return;
	for (char *at = strtok(from, "\n"); at && l->n < KINDS_MAX; at = strtok(NULL, "\n"))
		l->kinds[l->n++] = at;
}

/* The files of the workloads. */
static void remove_files(const char *dir, const struct session *s)
{
	char path[600];

	for (size_t i = 0; i < s->n_windowed + s->n_lives; i++) {
		const struct worker *w = i < s->n_windowed ? &s->windowed[i]
							   : &s->lives[i - s->n_windowed];

		snprintf(path, sizeof(path), "%s/truth-%" PRIu64, dir, w->id);
		unlink(path);
	}
}

/* One window, and its judgement; what it found goes into the totals. */
static void run(const struct session *how, const char *expected, const struct list *l,
		struct table *table)
{
	struct session s = *how;
	struct vmt_err err = { 0 };
	int r;

	s.windowed = calloc(l->n, sizeof(*s.windowed));
	s.lives = calloc(l->n, sizeof(*s.lives));
	if (!s.windowed || !s.lives)
		abort();
	s.table = *table;
	vmt_arena_init(&s.arena);
	r = measure(&s, vmt_rung_of(s.rung), l->kinds, l->n, &err);
	check_rung(&s, expected, r, &err);
	for (size_t i = 0; !r && i < s.n_windowed; i++)
		if (s.windowed[i].kind)
			judge_worker(&s, &s.windowed[i], true);
	for (size_t i = 0; !r && i < s.n_lives; i++)
		if (s.lives[i].kind)
			judge_worker(&s, &s.lives[i], false);
	if (!r)
		judge_machine(&s);
	for (size_t i = 0; i < s.n_windowed; i++) {
		struct worker *w = &s.windowed[i];

		if (w->kind && !r) {
			worker_go(w, 1);
			worker_reap(w);
		}
		worker_end(w);
	}
	for (size_t i = 0; i < s.n_lives; i++)
		worker_end(&s.lives[i]);
	remove_files(s.worker_opts.dir, &s);
	s.table.rung = s.faults.rung;
	s.table.misses += s.faults.totals.recursion_misses;
	*table = s.table;
	vmt_probe_close(s.probe);
	vmt_sample_free(s.live);
	vmt_collector_free(s.collector);
	vmt_arena_done(&s.arena);
	free(s.windowed);
	free(s.lives);
}

/* Groups that want the machine as it is are one window; each of the others has one of its own. */
static void run_table(struct session *how, const char *expected)
{
	static const char *const alone[] = { "swap", "numa" };
	struct list all = { 0 };
	struct table table = { 0 };
	char label[80];

	how->windows = true;
	machine_prepare("more");
	list_group(&all, how->worker_opts.program, "usual");
	list_group(&all, how->worker_opts.program, "more");
	run(how, expected, &all, &table);
	machine_restore();
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		struct list own = { 0 };
		struct session s = *how;

		snprintf(label, sizeof(label), "%s/%s", how->label, alone[i]);
		s.label = label;
		machine_prepare(alone[i]);
		list_group(&own, how->worker_opts.program, alone[i]);
		run(&s, expected, &own, &table);
		machine_restore();
	}
	judge_table(how, &table);
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
		{ "group", required_argument, NULL, 'g' },
		{ "table", no_argument, NULL, 't' },
		{ "counts", no_argument, NULL, 'c' },
		{ "guard", no_argument, NULL, 'G' },
		{ "preempt", required_argument, NULL, 'P' },
		{ 0 },
	};
	struct session s = { .rung = "auto", .worker_opts = { .pages = 256, .storm_ms = 2000 } };
	const char *expected = NULL, *dir = "/var/tmp", *preempt = NULL, *why;
	char here[256] = "", program[300], temp[300], label[40];
	const char *groups[8];
	size_t n_groups = 0;
	struct list l = { 0 };
	struct table table = { 0 };
	bool all = false;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'r':
			s.rung = optarg;
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
		case 'g':
			if (n_groups == VMT_ARRAY_LEN(groups))
				usage();
			groups[n_groups++] = optarg;
			break;
		case 't':
			all = true;
			break;
		case 'c':
			s.counts = true;
			break;
		case 'G':
			s.guard = true;
			break;
		case 'P':
			preempt = optarg;
			break;
		default:
			usage();
		}
	}
	if ((strcmp(s.rung, "auto") && vmt_rung_of(s.rung) == VMT_RUNG_NONE) ||
	    s.worker_opts.pages < 64 || (all && (n_groups || optind < argc)))
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
	for (; optind < argc && l.n < KINDS_MAX; optind++)
		l.kinds[l.n++] = argv[optind];
	if (!l.n && !n_groups)
		groups[n_groups++] = "usual";
	for (size_t i = 0; i < n_groups; i++)
		list_group(&l, s.worker_opts.program, groups[i]);
	snprintf(temp, sizeof(temp), "%s/vmtop-live-XXXXXX", dir);
	if (!l.n || !mkdtemp(temp)) {
		fprintf(stderr, "fault-exact: no workloads, or no directory in %s\n", dir);
		return 1;
	}
	s.worker_opts.dir = temp;
	snprintf(label, sizeof(label), "%s%s%s%s%s", s.rung, s.counts ? "/counts" : "",
		 s.guard ? "/guard" : "", preempt ? "/" : "", preempt ? preempt : "");
	s.label = label;
	if (preempt && machine_preempt(preempt, &why)) {
		struct check c;

		check_begin(&c, "fault-exact/%s/preempt", label);
		check_skip(c.name, "%s", why);
		rmdir(temp);
		return 0;
	}
	machine_preempt_mode(s.preempt, sizeof(s.preempt));
	if (all) {
		run_table(&s, expected);
	} else {
		for (size_t i = 0; i < n_groups; i++)
			machine_prepare(groups[i]);
		run(&s, expected, &l, &table);
		machine_restore();
	}
	machine_preempt(NULL, &why);
	rmdir(temp);
	return 0;
}
