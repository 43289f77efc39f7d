/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/thread.h"
#include "cmd/check-files.h"
#include "cmd/check-plan.h"
#include "cmd/check-run.h"
#include "cmd/check-text.h"
#include "cmd/check-textfile.h"
#include "cmd/privilege.h"
#include "model/check-state.h"

#define UNKNOWN 3

/* A lock that is taken is usual once, and a run that hangs is not. */
#define BUSY_MAX 3

static const struct vmt_section_def sections[] = {
	{ "checks", &vmt_entity_verdict, false, "each metric, its limits and what follows" },
};

static const struct vmt_opt opts[] = {
	{ "warning", 'w', VMT_OPT_VALUE, "RANGE", NULL,
	  "WARNING where the metric before it is outside, as 10%: or 5" },
	{ "critical", 'c', VMT_OPT_VALUE, "RANGE", NULL, "CRITICAL where it is outside" },
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "processes of the metric before it, or of all" },
	{ "comm", 0, VMT_OPT_VALUE, "NAME", NULL, "the same by name, with * and ?" },
	{ "cgroup", 0, VMT_OPT_VALUE, "PATH", "@dir", "cgroup of the metric before it, or of all" },
	{ "config", 0, VMT_OPT_VALUE, "FILE", "@file", "checks of a file, a section each" },
	{ "interval", 0, VMT_OPT_VALUE, "SEC", NULL, "rates of SEC seconds, which are waited for" },
	{ "state", 0, VMT_OPT_VALUE, "FILE", "@file", "rates since the last run, which left FILE" },
	{ "lock", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "leave at once where another run has the lock of FILE" },
	{ "textfile", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "write what came of it to FILE too, for Prometheus's textfile collector" },
	{ "perfdata", 0, VMT_OPT_VALUE, "WHETHER", "yes no", "performance data (yes)" },
	{ "list", 0, VMT_OPT_FLAG, NULL, NULL, "list the metrics and exit" },
	{ "quiet", 'q', VMT_OPT_FLAG, NULL, NULL, "print nothing where all is OK" },
	{ "timeout", 't', VMT_OPT_VALUE, "SEC", NULL, "end after SEC seconds, UNKNOWN (exit 3)" },
	{ "json", 'J', VMT_OPT_FLAG, NULL, NULL, "JSON (--format json)" },
	{ "ndjson", 0, VMT_OPT_FLAG, NULL, NULL, "one JSON object a line (--format ndjson)" },
	{ "csv", 0, VMT_OPT_FLAG, NULL, NULL, "the checks as CSV (--format csv)" },
	{ "format", 0, VMT_OPT_VALUE, "NAME", "@format", "text, json, ndjson or csv" },
	{ "write", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "write to FILE, which is replaced once the output is complete" },
};

/* What the options say. */
struct settings {
	uint64_t interval_ns;
	const char *state;
	const char *lock;
	const char *textfile;
	bool perfdata;
};

static int parse_settings(struct vmt_ctx *ctx, const struct vmt_check_plan *plan,
			  struct settings *ret)
{
	const char *interval = vmt_ctx_value(ctx, "interval");
	const char *perfdata = vmt_ctx_value(ctx, "perfdata");
	unsigned needs = vmt_check_plan_needs(plan);

	ret->state = vmt_ctx_value(ctx, "state");
	ret->lock = vmt_ctx_value(ctx, "lock");
	ret->textfile = vmt_ctx_value(ctx, "textfile");
	ret->perfdata = !perfdata || strcmp(perfdata, "no") != 0;
	if (perfdata && ret->perfdata && strcmp(perfdata, "yes") != 0)
		return vmt_usage_error(ctx, "--perfdata takes yes or no");
	if (interval &&
	    (vmt_parse_duration(interval, &ret->interval_ns) < 0 || ret->interval_ns < 10000000 ||
	     ret->interval_ns > UINT64_C(86400) * 1000000000))
		return vmt_usage_error(ctx, "--interval takes seconds, 10ms at least and a day at "
					    "most");
	if (interval && ctx->root)
		return vmt_usage_error(ctx, "a saved machine does not change: no --interval with "
					    "--root");
	if (interval && ctx->deadline_ns && ctx->deadline_ns - ctx->started_ns <= ret->interval_ns)
		return vmt_usage_error(ctx, "the interval is longer than --timeout");
	if (needs & VMT_NEEDS_BEFORE && !interval && !ret->state)
		return vmt_usage_error(ctx, "a rate is of a time: --interval SEC or --state FILE");
	if (needs & VMT_NEEDS_WINDOW && !interval)
		return vmt_usage_error(ctx, "faults are counted for a while: --interval SEC");
	return 0;
}

static int print_list(struct vmt_ctx *ctx)
{
	static const char *const units[] = {
		[VMT_CHECK_BYTES] = "B", [VMT_CHECK_PERCENT] = "%",  [VMT_CHECK_COUNT] = "count",
		[VMT_CHECK_RATE] = "/s", [VMT_CHECK_GROWTH] = "B/s", [VMT_CHECK_TIME] = "us",
	};
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	vmt_buf_addf(&text, "%-17s %-6s %-28s %s\n", "METRIC", "UNIT", "NEEDS", "MEANING");
	for (i = 0; i < VMT_MEASURE_COUNT; i++) {
		const struct vmt_measure *m = &vmt_measures[i];
		char needs[64];

		snprintf(needs, sizeof(needs), "%s%s%s%s",
			 m->needs & VMT_NEEDS_PROCS ? "-p or --comm" : "",
			 m->needs & VMT_NEEDS_CGROUP ? "--cgroup" : "",
			 m->needs & VMT_NEEDS_PROCS && m->needs & ~VMT_NEEDS_PROCS ? ", " : "",
			 m->needs & VMT_NEEDS_WINDOW   ? "--interval"
			 : m->needs & VMT_NEEDS_BEFORE ? "rates"
						       : "");
		vmt_buf_addf(&text, "%-17s %-6s %-28s %s\n", m->name, units[m->unit], needs,
			     m->help);
	}
	return vmt_print_text(ctx, &text);
}

/*
 * The hard limit of --timeout: a thread that ends the program. Reading has a deadline of its own,
 * shortly before; this is for what no deadline reaches, such as a file system that does not answer.
 * A signal would do nothing for a thread that the kernel does not wake.
 */
struct watchdog {
	uint64_t deadline_ns;
	bool text; /* somebody reads lines */
	atomic_bool printing; /* the result is on its way: nothing else is to be printed */
};

/* Whether a line can be written without waiting for who reads it. */
static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

static void *watch(void *arg)
{
	static const char late[] = "VMTOP UNKNOWN - the time of --timeout is over\n";
	struct watchdog *w = arg;
	const struct timespec ts = { .tv_sec = (time_t)(w->deadline_ns / 1000000000),
				     .tv_nsec = (long)(w->deadline_ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
	if (!atomic_exchange(&w->printing, true)) {
		int fd = w->text ? STDOUT_FILENO : STDERR_FILENO;
		ssize_t n = has_room(fd) ? write(fd, late, sizeof(late) - 1) : 0;

		(void)n;
	}
	_exit(UNKNOWN);
}

static int start_watchdog(struct vmt_ctx *ctx, struct watchdog *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t set, old;
	int r;

	w->deadline_ns = ctx->deadline_ns;
	w->text = strcmp(ctx->format->name, "text") == 0;
	if (!ctx->deadline_ns)
		return 0;
	vmt_thread_signals(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	r = pthread_create(&thread, &attr, watch, w);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		return 0;
	vmt_complain(ctx, "--timeout: %s", strerror(r));
	return UNKNOWN;
}

/* What is printed from here on is the result; the watchdog, where it was first, ends the program.
 */
static void begin_printing(struct watchdog *w)
{
	while (atomic_exchange(&w->printing, true))
		pause();
}

/* A line for who asks, with a reason of check's own. */
static int say_unknown(struct vmt_ctx *ctx, struct watchdog *dog, const char *reason)
{
	const struct vmt_check_plan none = { 0 };
	VMT_AUTO_BUF text = { 0 };

	begin_printing(dog);
	if (strcmp(ctx->format->name, "text") != 0) {
		vmt_complain(ctx, "%s", reason);
		return UNKNOWN;
	}
	vmt_check_text(&text, &none, VMT_STATUS_UNKNOWN, reason, NULL, false);
	vmt_print_text(ctx, &text);
	return UNKNOWN;
}

static int take_lock(struct vmt_ctx *ctx, const struct settings *set, struct watchdog *dog,
		     int *ret_fd, bool *ret_busy)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err err = { 0 };
	unsigned times = 0;
	int r = set->lock ? vmt_check_lock(set->lock, ret_fd, &times, &err) : 0;

	*ret_busy = r == -EWOULDBLOCK;
	if (r == 0)
		return 0;
	if (*ret_busy && times < BUSY_MAX)
		return 0;
	if (*ret_busy)
		vmt_buf_addf(&text, "another run has %s, %u runs in a row found it taken",
			     set->lock, times);
	else
		vmt_buf_addf(&text, "%s: %s", err.path, err.text);
	return say_unknown(ctx, dog, text.data ? text.data : "the lock");
}

/* The state of the last run; problem gets why it is none, where there is a file. -EEXIST: the file
 * is not ours to replace. */
static int load_state(const struct settings *set, struct vmt_check_how *how,
		      struct vmt_buf *problem)
{
	struct vmt_err err = { 0 };
	int r = set->state ? vmt_check_state_load(set->state, &how->before, &err) : 0;

	if (r == 0)
		return 0;
	vmt_buf_addf(problem, "%s", err.path);
	if (err.line)
		vmt_buf_addf(problem, ":%u", err.line);
	vmt_buf_addf(problem, ": %s", err.text);
	return r;
}

static int save_state(struct vmt_ctx *ctx, const struct settings *set,
		      const struct vmt_check_plan *plan, const struct vmt_sample *s)
{
	VMT_AUTO_FREE struct vmt_figure_want *wants = NULL;
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	if (!set->state)
		return 0;
	wants = calloc(plan->n + 1, sizeof(*wants));
	if (!wants)
		return VMT_EXIT_FAILED;
	for (i = 0; i < plan->n; i++)
		wants[i] = plan->items[i].want;
	vmt_check_state_write(&text, s, wants, plan->n);
	return vmt_write_text(ctx, set->state, 0, &text);
}

/* Whether who has the memory is of interest. */
static bool asks_who(const struct vmt_check_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		switch (plan->items[i].want.measure) {
		case VMT_MEASURE_AVAILABLE:
		case VMT_MEASURE_SWAP_USED:
		case VMT_MEASURE_PSI_SOME_10:
		case VMT_MEASURE_PSI_FULL_10:
		case VMT_MEASURE_ZONE_LOW:
			if (plan->items[i].judged.status >= VMT_STATUS_WARNING)
				return true;
			break;
		default:
			break;
		}
	return false;
}

static int print_doc(struct vmt_ctx *ctx, struct vmt_check_run *c,
		     const struct vmt_check_plan *plan)
{
	VMT_AUTO_FREE struct vmt_verdict_row *rows = calloc(plan->n + 1, sizeof(*rows));
	size_t i;

	if (!rows)
		return VMT_EXIT_FAILED;
	for (i = 0; i < plan->n; i++)
		rows[i] = plan->items[i].judged.row;
	if (!vmt_run_section(&c->run, ctx, "checks", rows, plan->n))
		return VMT_EXIT_FAILED;
	return vmt_print_doc(ctx, &c->run.doc);
}

static int print(struct vmt_ctx *ctx, struct vmt_check_run *c, const struct vmt_check_plan *plan,
		 enum vmt_status status, const char *problem, bool perfdata)
{
	VMT_AUTO_BUF text = { 0 }, more = { 0 };

	/* To a file it goes in any case: who reads that has to see that it ran. */
	if (ctx->quiet && status == VMT_STATUS_OK && !vmt_ctx_given(ctx, "write"))
		return 0;
	if (strcmp(ctx->format->name, "text") != 0) {
		if (*problem)
			vmt_complain(ctx, "%s", problem);
		return print_doc(ctx, c, plan);
	}
	if (asks_who(plan) && vmt_check_residents(ctx, c, &more) != 0)
		return VMT_EXIT_FAILED;
	vmt_check_text(&text, plan, status, problem, &more, perfdata);
	return vmt_print_text(ctx, &text);
}

static int judge(struct vmt_ctx *ctx, struct vmt_check_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		struct vmt_check_item *item = &plan->items[i];

		if (vmt_figure_judge(&item->figure, item->want.measure, vmt_bytes_of(item->name),
				     &item->warning, &item->critical, &item->judged) < 0)
			return vmt_no_memory(ctx);
	}
	return 0;
}

static void add_unwritten(struct vmt_buf *problem, const char *path)
{
	if (problem->len)
		vmt_buf_adds(problem, ", ");
	vmt_buf_addf(problem, "%s could not be written", path);
}

/* What would be compared with a state that is not right is not known: such a run would be fine for
 * ever. The rows have problem for their reason. */
static void doubt(struct vmt_check_plan *plan, const struct vmt_buf *problem)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		struct vmt_judged *j = &plan->items[i].judged;

		if (!(vmt_measures[plan->items[i].want.measure].needs & VMT_NEEDS_BEFORE) ||
		    j->status != VMT_STATUS_OK)
			continue;
		j->status = VMT_STATUS_UNKNOWN;
		VMT_SET(verdict, status, &j->row, vmt_bytes_of(vmt_status_name(j->status)));
		VMT_SET(verdict, reason, &j->row,
			((struct vmt_bytes){ problem->data, problem->len }));
	}
}

/* All but the lock; the exit code of a plugin. */
static int check(struct vmt_ctx *ctx, struct vmt_check_plan *plan, const struct settings *set,
		 struct watchdog *dog)
{
	struct vmt_check_how how = { .interval_ns = set->interval_ns };
	VMT_AUTO_BUF problem = { 0 }, doubts = { 0 };
	VMT_AUTO_CHECK_RUN c = { 0 };
	enum vmt_status status;
	int r, loaded = load_state(set, &how, &problem);

	r = vmt_check_measure(ctx, plan, &how, &c);
	vmt_sample_free(how.before);
	if (r == 0)
		r = judge(ctx, plan);
	if (r == 0 && loaded != -EEXIST && save_state(ctx, set, plan, c.run.sample))
		add_unwritten(&problem, set->state);
	/* Here, for what is added to the problem below moves its text, and is none of the state. */
	if (problem.len) {
		vmt_buf_add(&doubts, problem.data, problem.len);
		doubt(plan, &doubts);
	}
	if (set->textfile && vmt_check_textfile(ctx, set->textfile, plan, r == 0))
		add_unwritten(&problem, set->textfile);
	if (r)
		return say_unknown(ctx, dog, "it could not be measured; standard error says why");
	status = vmt_check_worst(plan);
	if (problem.len && status == VMT_STATUS_OK)
		status = VMT_STATUS_UNKNOWN;
	begin_printing(dog);
	r = print(ctx, &c, plan, status, problem.data ? problem.data : "", set->perfdata);
	if (r && (r != VMT_EXIT_TIMEOUT || status == VMT_STATUS_OK))
		return UNKNOWN;
	return vmt_status_code(status);
}

static int run_check(struct vmt_ctx *ctx)
{
	VMT_AUTO_CHECK_PLAN plan = { 0 };
	struct settings set = { 0 };
	struct watchdog *dog;
	VMT_AUTO_CLOSE int lock = -1;
	bool busy;
	int r;

	if (vmt_ctx_given(ctx, "list"))
		return print_list(ctx) ? UNKNOWN : 0;
	if (vmt_check_plan_parse(ctx, &plan) || parse_settings(ctx, &plan, &set))
		return UNKNOWN;
	/* A thread that sleeps has it until the program ends. */
	dog = calloc(1, sizeof(*dog));
	if (!dog || start_watchdog(ctx, dog))
		return UNKNOWN;
	r = take_lock(ctx, &set, dog, &lock, &busy);
	if (r == 0 && !busy)
		r = check(ctx, &plan, &set, dog);
	if (!ctx->deadline_ns)
		free(dog);
	return r;
}

const struct vmt_cmd vmt_cmd_check = {
	.name = "check",
	.summary = "is it healthy? limits, exit codes and performance data for monitors",
	.synopsis = "[METRIC [-w RANGE] [-c RANGE]]... [--config FILE] [--interval SEC | "
		    "--state FILE] [OPTION]...",
	.cost = "the files that the metrics need, read once, or twice with --interval; maps.count "
		"lists the mappings of every process, proc.pss walks page tables",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands =
		"available swap_used commit psi.some.avg10 psi.full.avg10 psi.some.avg60 "
		"psi.full.avg60 majflt refault direct_reclaim oom_kill thp_fallback zone.low "
		"zone.distance frag maps.count proc.rss proc.pss proc.swap proc.growth fault.p99 "
		"cgroup.available cgroup.distance source.missing",
	.max_operands = VMT_OPTS_MAX,
	.ordered = true,
	.plugin = true,
	.keeps = VMT_RIGHT_FILES | VMT_RIGHT_PROBES,
	.run = run_check,
};
