/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/parse.h"
#include "cmd/collect-loop.h"
#include "cmd/event-watch.h"
#include "cmd/privilege.h"
#include "cmd/record-faults.h"
#include "cmd/recorder.h"
#include "cmd/sandbox.h"
#include "source/collect-zones.h"

static const struct vmt_opt opts[] = {
	{ "write", 'w', VMT_OPT_VALUE, "FILE", "@file",
	  "the recording; one that is there is gone on with" },
	{ "delay", 'd', VMT_OPT_VALUE, "SEC", NULL, "seconds between two samples (10)" },
	{ "count", 'n', VMT_OPT_VALUE, "N", NULL, "end after N samples" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL, "end after SEC seconds" },
	{ "procs", 0, VMT_OPT_MAYBE, NULL, "all none",
	  "processes: all (the default), none, or ids with commas between" },
	{ "maps", 0, VMT_OPT_VALUE, "LIST", "@pid", "the mappings of these processes, too" },
	{ "faults", 0, VMT_OPT_FLAG, NULL, NULL,
	  "page faults since the sample before, by mapping and by process" },
	{ "events", 0, VMT_OPT_FLAG, NULL, NULL,
	  "crashes and OOM kills since the sample before, a sentence each" },
	{ "rotate", 0, VMT_OPT_VALUE, "LIMIT", NULL,
	  "begin another file at a size, as 100M, or an age, as 1d" },
	{ "keep", 0, VMT_OPT_VALUE, "N", NULL, "of those that were full keep N (10)" },
	{ "frame", 0, VMT_OPT_VALUE, "SEC", NULL, "what a damage costs at most, in seconds (60)" },
};

#define INTERVAL_NS	(UINT64_C(10) * 1000000000)
#define INTERVAL_MIN_NS UINT64_C(10000000)
#define FRAME_MIN_NS	UINT64_C(10000000)
#define KEEP		10
#define KEEP_MAX	9999

#define MACHINE                                                                                    \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(PRESSURE) |             \
	 VMT_SOURCE_BIT(OVERCOMMIT))
#define PROCS (VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(STATUS))
#define ZONES (VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO))
#define MAPS  (VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS) | VMT_COLLECT_CHEAP)

struct record {
	struct vmt_ctx *ctx;
	struct vmt_recorder_opts opts;
	uint64_t count; /* samples; 0: without end */
	uint64_t end_ns; /* CLOCK_MONOTONIC; 0: without end */
	bool procs;
	uint64_t *pids; /* NULL: all */
	size_t n_pids;
	uint64_t *maps;
	size_t n_maps;
	bool with_faults;
	struct vmt_record_faults faults;
	bool with_events;
	struct vmt_event_watch events;
	struct vmt_run run;
	struct vmt_recorder *recorder;
	int timer, signals;
	uint64_t missed;
	bool left_out; /* it was told that mappings are */
	const char *reason; /* why it ends; NULL while it does not */
	int status;
};

static int parse_span(struct vmt_ctx *ctx, const char *name, uint64_t least, uint64_t *ret)
{
	const char *value = vmt_ctx_value(ctx, name);

	if (value && (vmt_parse_duration(value, ret) < 0 || *ret < least))
		return vmt_usage_error(ctx, "--%s takes seconds, as 10, 0.5, 1m or 10ms, the least",
				       name);
	return 0;
}

/* 100M, 1G: a size; 30s, 10m, 12h, 1d: an age. */
static int parse_rotate(struct vmt_ctx *ctx, struct vmt_recorder_opts *o)
{
	static const struct {
		char unit;
		uint64_t bytes, seconds;
	} units[] = {
		{ 'K', UINT64_C(1) << 10, 0 },
		{ 'M', UINT64_C(1) << 20, 0 },
		{ 'G', UINT64_C(1) << 30, 0 },
		{ 's', 0, 1 },
		{ 'm', 0, 60 },
		{ 'h', 0, 3600 },
		{ 'd', 0, 86400 },
	};
	const char *value = vmt_ctx_value(ctx, "rotate");
	struct vmt_bytes text = vmt_bytes_of(value ? value : "");
	uint64_t n = 0, limit = UINT64_MAX / 1000000000 / 86400;
	size_t i;

	if (!value)
		return 0;
	if (vmt_take_u64(&text, &n) == 0 && n && n <= limit && text.len == 1)
		for (i = 0; i < VMT_ARRAY_LEN(units); i++) {
			if (units[i].unit != *text.ptr)
				continue;
			o->rotate_bytes = n * units[i].bytes;
			o->rotate_ns = n * units[i].seconds * 1000000000;
			return 0;
		}
	return vmt_usage_error(ctx, "--rotate takes a size (K, M, G) or an age (s, m, h, d), as "
				    "100M or 1d");
}

static int parse_procs(struct record *rec)
{
	const char *which = vmt_ctx_value(rec->ctx, "procs");

	rec->procs = !which || strcmp(which, "none") != 0;
	if (!which || !*which || strcmp(which, "all") == 0 || !rec->procs)
		return 0;
	return vmt_parse_pids(rec->ctx, which, &rec->pids, &rec->n_pids);
}

static int parse_options(struct record *rec)
{
	struct vmt_ctx *ctx = rec->ctx;
	const char *count = vmt_ctx_value(ctx, "count"), *keep = vmt_ctx_value(ctx, "keep"),
		   *maps = vmt_ctx_value(ctx, "maps");
	uint64_t duration_ns = 0, n = KEEP;
	int r;

	rec->opts.path = vmt_ctx_value(ctx, "write");
	rec->opts.interval_ns = INTERVAL_NS;
	rec->with_faults = vmt_ctx_given(ctx, "faults");
	rec->with_events = vmt_ctx_given(ctx, "events");
	if (!rec->opts.path || strcmp(rec->opts.path, "-") == 0)
		return vmt_usage_error(ctx, "-w FILE says where to");
	if (ctx->root)
		return vmt_usage_error(ctx, "a saved machine does not change: no --root");
	if ((r = parse_span(ctx, "delay", INTERVAL_MIN_NS, &rec->opts.interval_ns)) ||
	    (r = parse_span(ctx, "duration", INTERVAL_MIN_NS, &duration_ns)) ||
	    (r = parse_span(ctx, "frame", FRAME_MIN_NS, &rec->opts.frame_ns)) ||
	    (r = parse_rotate(ctx, &rec->opts)) || (r = parse_procs(rec)))
		return r;
	if (count && (vmt_parse_u64(count, &rec->count) < 0 || !rec->count))
		return vmt_usage_error(ctx, "--count takes a whole number above 0");
	if (keep && (vmt_parse_u64(keep, &n) < 0 || n > KEEP_MAX))
		return vmt_usage_error(ctx, "--keep takes a whole number up to %d", KEEP_MAX);
	if (keep && !vmt_ctx_given(ctx, "rotate"))
		return vmt_usage_error(ctx, "--keep goes with --rotate");
	rec->opts.keep = (unsigned)n;
	rec->end_ns = duration_ns ? ctx->started_ns + duration_ns : 0;
	r = maps ? vmt_parse_pids(ctx, maps, &rec->maps, &rec->n_maps) : 0;
	if (r == 0 && maps && !rec->procs)
		r = vmt_usage_error(ctx, "--maps goes with processes");
	return r;
}

/* What ends it is held back until it is looked for: it writes to the file from its opening on. */
static int hold_signals(struct record *rec)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < VMT_ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* What was ignored from the start (nohup) stays so: blocked, it would arrive. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	rec->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (rec->signals < 0) {
		vmt_complain(rec->ctx, "signals: %s", strerror(errno));
		return VMT_EXIT_FAILED;
	}
	return 0;
}

/* The first tick comes an interval from now. */
static int begin(struct record *rec)
{
	const uint64_t ns = rec->opts.interval_ns;
	const struct timespec interval = { .tv_sec = (time_t)(ns / 1000000000),
					   .tv_nsec = (long)(ns % 1000000000) };
	const struct itimerspec ticks = { .it_interval = interval, .it_value = interval };

	rec->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (rec->timer < 0 || timerfd_settime(rec->timer, 0, &ticks, NULL) < 0) {
		vmt_complain(rec->ctx, "timer: %s", strerror(errno));
		return VMT_EXIT_FAILED;
	}
	return 0;
}

static void end(struct record *rec, const char *reason, int status)
{
	if (!rec->reason) {
		rec->reason = reason;
		rec->status = status;
	}
}

/* Said once, of the first sample: later on it is one that has ended. */
static void say_unmapped(struct record *rec, uint64_t pid)
{
	bool wanted = !rec->n_pids;
	size_t i;

	for (i = 0; i < rec->n_pids; i++)
		wanted |= rec->pids[i] == pid;
	vmt_note(rec->ctx, "process %" PRIu64 " is not %s: its mappings are not recorded", pid,
		 wanted ? "there" : "in --procs");
}

static int read_maps(struct record *rec)
{
	struct vmt_sample *s = rec->run.sample;
	VMT_AUTO_FREE size_t *indices = calloc(rec->n_maps + 1, sizeof(*indices));
	size_t n = 0, i;

	if (!indices)
		return vmt_no_memory(rec->ctx);
	for (i = 0; i < rec->n_maps; i++) {
		const struct vmt_proc *p = vmt_sample_proc(s, rec->maps[i]);

		if (p)
			indices[n++] = (size_t)(p - s->procs);
		else if (vmt_recorder_samples(rec->recorder) == 0)
			say_unmapped(rec, rec->maps[i]);
	}
	/* Those that ended are not there any more. */
	return n ? vmt_run_procs(&rec->run, rec->ctx, MAPS, indices, n) : 0;
}

static int sample(struct record *rec)
{
	struct vmt_run *run = &rec->run;
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), wait = rec->opts.interval_ns;
	uint64_t sources = MACHINE | (rec->procs ? PROCS | VMT_COLLECT_KEEP : 0);
	struct vmt_err err = { 0 };
	int r;

	/* A source that does not answer costs its values, and not the samples after this one. */
	vmt_collector_set_deadline(run->collector,
				   now + (wait > INTERVAL_NS ? INTERVAL_NS : wait) + 1000000000);
	r = vmt_run_sample(run, rec->ctx, sources, rec->pids, rec->n_pids);
	vmt_sample_free(VMT_STEAL(run->prev));
	if (r)
		return r;
	vmt_sample_drop_kernel(run->sample);
	if (vmt_collect_zones(run->collector, run->sample, ZONES) < 0)
		return vmt_no_memory(rec->ctx);
	if (rec->n_maps)
		r = read_maps(rec);
	if (r == 0 && rec->with_faults)
		r = vmt_record_faults_sample(&rec->faults, rec->ctx, run->sample);
	if (r)
		return r;
	if (rec->with_events &&
	    vmt_event_watch_sample(&rec->events, run->collector, run->sample) < 0)
		return vmt_no_memory(rec->ctx);
	vmt_sample_settle(run->sample);
	run->sample->host.took_ns = vmt_now_ns(CLOCK_MONOTONIC) - now;
	if (vmt_recorder_put(rec->recorder, run->sample, rec->missed, &err) < 0)
		return vmt_complain_err(rec->ctx, &err);
	if (vmt_recorder_left_out(rec->recorder) && !rec->left_out) {
		vmt_note(rec->ctx,
			 "--maps: %zu of these processes have more mappings than a sample can "
			 "hold: they are left out",
			 vmt_recorder_left_out(rec->recorder));
		rec->left_out = true;
	}
	return 0;
}

static void say_dropped(struct record *rec)
{
	uint64_t n = vmt_recorder_dropped(rec->recorder);

	if (n)
		vmt_note(rec->ctx, "%s: %" PRIu64 " byte%s behind the last frame %s dropped",
			 rec->opts.path, n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
}

static void on_signal(struct record *rec, int sig)
{
	struct vmt_err err = { 0 };

	if (sig != SIGHUP) {
		/* The usual way to end it is no failure. */
		end(rec, sig == SIGINT ? "interrupted" : "terminated",
		    sig == SIGINT ? 0 : 128 + sig);
		return;
	}
	if (vmt_recorder_reopen(rec->recorder, &err) < 0)
		end(rec, "failed", vmt_complain_err(rec->ctx, &err));
	else
		say_dropped(rec);
}

/* The earlier of two moments, of which 0 is none. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Until the next tick, or the end. */
static void wait_for_tick(struct record *rec)
{
	struct pollfd fds[] = {
		{ .fd = rec->signals, .events = POLLIN },
		{ .fd = rec->timer, .events = POLLIN },
	};
	uint64_t at = earlier(rec->end_ns, rec->ctx->deadline_ns), ticks;
	struct signalfd_siginfo info;

	while (!rec->reason) {
		uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), left = at > now ? at - now : 0;
		struct timespec ts = { .tv_sec = (time_t)(left / 1000000000),
				       .tv_nsec = (long)(left % 1000000000) };

		if (at && !left) {
			if (at == rec->end_ns)
				end(rec, "duration", 0);
			else
				end(rec, "timeout", VMT_EXIT_TIMEOUT);
			return;
		}
		if (ppoll(fds, VMT_ARRAY_LEN(fds), at ? &ts : NULL, NULL) < 0 && errno != EINTR) {
			end(rec, "failed", VMT_EXIT_FAILED);
			return;
		}
		while (read(rec->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			on_signal(rec, (int)info.ssi_signo);
		if (read(rec->timer, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks)) {
			rec->missed += ticks - 1;
			return;
		}
	}
}

static void record(struct record *rec)
{
	int r;

	while (!rec->reason) {
		r = sample(rec);
		if (r)
			end(rec, "failed", r);
		else if (rec->count && vmt_recorder_samples(rec->recorder) >= rec->count)
			end(rec, "count", 0);
		else
			wait_for_tick(rec);
	}
}

static int open_file(struct record *rec)
{
	struct vmt_err err = { 0 };

	if (vmt_recorder_open(&rec->opts, &rec->recorder, &err) < 0)
		return vmt_complain_err(rec->ctx, &err);
	say_dropped(rec);
	return 0;
}

/* One sort of what was to be watched: whether it was not, which is told. */
static bool is_unwatched(const struct record *rec, const char *what,
			 const struct vmt_event_watched *part, bool *denied)
{
	if (!rec->with_events || !part->error)
		return false;
	vmt_note(rec->ctx, "--events: %s are not seen: %s", what, part->reason);
	*denied = *denied || part->error == -EPERM || part->error == -EACCES;
	return true;
}

/* The rest was recorded, and what was asked for is not in it. */
static int status_of(const struct record *rec)
{
	bool faults = rec->with_faults && rec->faults.none, denied = faults && rec->faults.denied;
	bool crashes, kills;

	if (rec->status)
		return rec->status;
	if (faults)
		vmt_note(rec->ctx, "--faults: no rung works here; see 'vmtop doctor'");
	crashes = is_unwatched(rec, "crashes", &rec->events.crashes, &denied);
	kills = is_unwatched(rec, "OOM kills", &rec->events.kills, &denied);
	if (!faults && !crashes && !kills)
		return 0;
	return denied ? VMT_EXIT_DENIED : VMT_EXIT_PARTIAL;
}

static int close_file(struct record *rec)
{
	struct vmt_err err = { 0 };
	uint64_t n = vmt_recorder_samples(rec->recorder);

	if (vmt_recorder_close(rec->recorder, rec->reason, &err) < 0 && rec->status == 0)
		return vmt_complain_err(rec->ctx, &err);
	if (rec->ctx->verbose)
		vmt_note(rec->ctx, "%" PRIu64 " samples, %" PRIu64 " missed", n, rec->missed);
	return status_of(rec);
}

static int begin_faults(struct record *rec)
{
	rec->faults.pids = rec->pids;
	rec->faults.n_pids = rec->n_pids;
	return rec->with_faults ? vmt_record_faults_begin(&rec->faults, rec->ctx) : 0;
}

/* An exit code or 0. */
static int begin_events(struct record *rec)
{
	if (rec->with_events && vmt_event_watch_begin(&rec->events, rec->pids, rec->n_pids) < 0)
		return vmt_no_memory(rec->ctx);
	return 0;
}

static int run_record(struct vmt_ctx *ctx)
{
	struct record rec = { .ctx = ctx, .timer = -1, .signals = -1 };
	int r = parse_options(&rec);

	if (r == 0)
		r = vmt_run_open(&rec.run, ctx, 0);
	if (r == 0)
		r = hold_signals(&rec);
	if (r == 0)
		r = open_file(&rec);
	if (r == 0) {
		r = begin_faults(&rec);
		if (r == 0)
			r = begin_events(&rec);
		/* Both begin anew with other tables where those are full. */
		if (r == 0 && !rec.with_faults && !rec.with_events)
			r = vmt_sandbox_close(ctx);
		if (r == 0)
			r = begin(&rec);
		if (r)
			end(&rec, "failed", r);
		record(&rec);
		r = close_file(&rec);
	}
	vmt_record_faults_end(&rec.faults);
	vmt_event_watch_end(&rec.events);
	vmt_run_done(&rec.run);
	vmt_closep(&rec.timer);
	vmt_closep(&rec.signals);
	free(rec.pids);
	free(rec.maps);
	return r;
}

const struct vmt_cmd vmt_cmd_record = {
	.name = "record",
	.summary = "samples of the machine and its processes into a file",
	.synopsis = "-w FILE [-d SEC] [--duration SEC] [--maps LIST] [--faults] [--events] "
		    "[--rotate LIMIT] [OPTION]...",
	.cost = "the files of vmtop ps, once each 10 seconds",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE,
	.keeps = VMT_RIGHT_FILES | VMT_RIGHT_PROBES,
	.run = run_record,
};
