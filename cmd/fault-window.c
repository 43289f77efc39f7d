/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fault-window.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "cmd/pid-watch.h"
#include "cmd/sandbox.h"
#include "source/probe.h"
#include "source/symbolize-singles.h"

/* The ring of single faults has room for 1.1 million a second at that. */
#define DRAIN_NS UINT64_C(50000000)

/* What a fault is taken to cost with all that is counted about it; vmtop-faults(1), Cost. */
#define FAULT_COST_NS UINT64_C(400)

struct vmt_window {
	struct vmt_arena arena;
	struct vmt_single_symbols *symbols; /* of single faults; NULL: not asked for */
	struct vmt_fault_sample faults;
	bool idle;
	int signal; /* SIGTERM or SIGHUP ended it */
};

int vmt_window_signal(const struct vmt_window *w)
{
	return w && w->signal ? 128 + w->signal : 0;
}

void vmt_window_free(struct vmt_window *w)
{
	if (!w)
		return;
	vmt_arena_done(&w->arena);
	vmt_single_symbols_free(w->symbols);
	free(w);
}

/* What is left until a time of CLOCK_MONOTONIC. */
static uint64_t rest_of(uint64_t until_ns)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);

	return now < until_ns ? until_ns - now : 0;
}

/*
 * Waits until the time is over, a signal came, or nobody is left to be watched. Single faults of
 * the probe are taken meanwhile.
 */
static int wait_for_end(struct vmt_pid_watch *watched, uint64_t end_ns,
			const struct vmt_window_opts *opts, struct vmt_probe *probe,
			struct vmt_err *err)
{
	uint64_t tick_ns = opts->tick ? vmt_now_ns(CLOCK_MONOTONIC) + opts->tick_ns : UINT64_MAX;

	for (;;) {
		uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), wait;
		bool signalled;
		int r = 0;

		if (now >= end_ns || vmt_pid_watch_is_over(watched))
			return 0;
		if (now >= tick_ns) {
			r = opts->tick(opts->arg, probe, err);
			if (r < 0)
				return r;
			/* What came late does not make the next ones come at once. */
			tick_ns = now - tick_ns < opts->tick_ns ? tick_ns + opts->tick_ns
								: now + opts->tick_ns;
		}
		wait = (end_ns < tick_ns ? end_ns : tick_ns) - now;
		if (opts->singles && wait > DRAIN_NS)
			wait = DRAIN_NS;
		if (opts->live) {
			r = opts->live(opts->arg, probe, watched->fds[0].fd, now + wait, err);
			if (r)
				return r < 0 ? r : 0;
			wait = rest_of(now + wait);
		}
		signalled = vmt_pid_watch_wait(watched, wait);
		if (opts->singles && !opts->live)
			r = vmt_probe_drain(probe, err);
		if (r < 0 || signalled)
			return r < 0 ? r : 0;
	}
}

static int to_pid_array(const struct vmt_window_opts *opts, pid_t **ret)
{
	size_t i;

	*ret = calloc(opts->n_pids ? opts->n_pids : 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (i = 0; i < opts->n_pids; i++)
		(*ret)[i] = (pid_t)opts->pids[i];
	return 0;
}

static int rung_id(struct vmt_ctx *ctx, const char *name, enum vmt_rung_id *ret)
{
	*ret = VMT_RUNG_NONE;
	if (!name || strcmp(name, "auto") == 0)
		return 0;
	*ret = vmt_rung_of(name);
	if (*ret != VMT_RUNG_NONE)
		return 0;
	return vmt_usage_error(ctx, "--rung takes auto, fexit, kprobe, tracepoint, perf or proc");
}

/* The window itself, between blocked signals; 0 or -errno. */
static int count(struct vmt_ctx *ctx, struct vmt_probe *probe, const struct vmt_window_opts *opts,
		 int signals, struct vmt_err *err)
{
	VMT_AUTO_PID_WATCH watched = { 0 };
	uint64_t end_ns;
	int r = probe ? vmt_probe_start(probe, err) : 0, closed;
	struct vmt_err why = { 0 };

	/* Also where nothing could be loaded. */
	closed = vmt_sandbox_loaded(ctx, r < 0 ? &why : err);
	if (r >= 0)
		r = closed;
	if (r < 0) {
		if (opts->during)
			opts->during(opts->arg);
		return r;
	}
	if (ctx->verbose)
		vmt_note(ctx, "counting");
	if (opts->during) {
		opts->during(opts->arg);
		return vmt_probe_stop(probe, err);
	}
	r = vmt_pid_watch_open(&watched, signals, opts->pids, opts->n_pids);
	if (r < 0)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	end_ns = opts->duration_ns == VMT_WINDOW_ENDLESS
			 ? VMT_WINDOW_ENDLESS
			 : vmt_now_ns(CLOCK_MONOTONIC) + opts->duration_ns;
	if (ctx->deadline_ns && ctx->deadline_ns < end_ns)
		end_ns = ctx->deadline_ns;
	r = wait_for_end(&watched, end_ns, opts, probe, err);
	vmt_pid_watch_done(&watched);
	r = r < 0 || !probe ? r : vmt_probe_stop(probe, err);
	if (r == 0 && opts->live)
		r = opts->live(opts->arg, probe, signals, 0, err);
	if (r == 0 && opts->tick)
		r = opts->tick(opts->arg, probe, err);
	return r < 0 ? r : 0;
}

int vmt_window_run(struct vmt_ctx *ctx, const struct vmt_window_opts *opts, struct vmt_window **ret)
{
	VMT_AUTO_WINDOW w = calloc(1, sizeof(*w));
	VMT_AUTO_FREE pid_t *pids = NULL;
	VMT_AUTO_CLOSE int signals = -1;
	VMT_AUTO_PROBE probe = NULL;
	struct vmt_probe_opts popts = { .filemap = true };
	struct vmt_err err = { 0 }, read_err = { 0 };
	sigset_t set, old;
	int r = rung_id(ctx, opts->rung, &popts.rung), failed;

	if (r)
		return r;
	if (w && opts->singles && opts->asks & VMT_ASK_SYMBOL)
		w->symbols = vmt_single_symbols_new();
	if (!w || to_pid_array(opts, &pids) < 0 ||
	    (opts->singles && opts->asks & VMT_ASK_SYMBOL && !w->symbols))
		return vmt_no_memory(ctx);
	vmt_arena_init(&w->arena);
	popts.pids = pids;
	popts.n_pids = opts->n_pids;
	popts.follow = opts->follow;
	popts.stacks = opts->stacks;
	/* With stacks the probe keeps which code there was, also of what is gone. */
	if (w->symbols && popts.stacks == VMT_STACK_NONE)
		popts.stacks = VMT_STACK_LEAF;
	popts.by_kind = opts->by_kind;
	popts.asks = opts->asks;
	popts.without = opts->without;
	popts.guard = opts->overhead_percent < 100;
	popts.guard_rate = UINT64_C(1000000000) / FAULT_COST_NS * opts->overhead_percent / 100;
	popts.singles = opts->singles;
	popts.single_least_ns = opts->single_least_ns;
	popts.single_rate = opts->single_rate;
	popts.single_live = opts->live != NULL;
	w->idle = opts->idle;
	if (!w->idle && vmt_probe_open(&popts, &probe, &err) < 0)
		return vmt_complain_err(ctx, &err);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	if (!opts->during)
		signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	failed = count(ctx, probe, opts, signals, &err);
	r = probe ? vmt_probe_read(probe, &w->arena, &w->faults, &read_err) : 0;
	/* Detached before anything else is read: from here on no fault pays for us. */
	if (probe)
		vmt_probe_close(VMT_STEAL(probe));
	ctx->ended_by = vmt_signals_taken(signals);
	w->signal = ctx->ended_by == SIGINT ? 0 : ctx->ended_by;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return vmt_complain_err(ctx, failed < 0 ? &err : &read_err);
	if (failed < 0) {
		ctx->partial = true;
		vmt_note(ctx, "faults are not counted: %s", err.text);
	}
	*ret = VMT_STEAL(w);
	return 0;
}

static int compare_pid(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The processes with rows, as indices of the sample. */
static size_t faulting(const struct vmt_fault_sample *f, const struct vmt_sample *s, uint64_t *pids,
		       size_t *indices)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_maps; i++)
		pids[i] = f->maps[i].owner_pid ? f->maps[i].owner_pid : f->maps[i].pid;
	qsort(pids, f->n_maps, sizeof(*pids), compare_pid);
	for (i = 0; i < f->n_maps; i++) {
		const struct vmt_proc *p;

		if (i && pids[i] == pids[i - 1])
			continue;
		p = vmt_sample_proc(s, pids[i]);
		if (p && !(s->maps && s->maps[p - s->procs].n_maps))
			indices[n++] = (size_t)(p - s->procs);
	}
	return n;
}

void vmt_window_source_state(struct vmt_source_stat *st, const struct vmt_fault_sample *f,
			     enum vmt_rung_id rung)
{
	size_t i;

	if (rung != VMT_RUNG_NONE) {
		st->state = VMT_STATE_OK;
		return;
	}
	st->state = VMT_STATE_ABSENT;
	for (i = 0; i < f->n_tries; i++)
		if (f->tries[i].error == -EPERM || f->tries[i].error == -EACCES)
			st->state = VMT_STATE_DENIED;
	snprintf(st->reason, sizeof(st->reason), "no rung works here; see 'vmtop doctor'");
}

int vmt_window_attach(struct vmt_ctx *ctx, struct vmt_window *w, struct vmt_run *run)
{
	struct vmt_sample *s = run->sample;
	struct vmt_fault_sample *f = &w->faults;
	VMT_AUTO_FREE uint64_t *pids = calloc(w->faults.n_maps + 1, sizeof(*pids));
	VMT_AUTO_FREE size_t *indices = calloc(w->faults.n_maps + 1, sizeof(*indices));
	size_t n;

	if (w->idle)
		return 0;
	if (!pids || !indices)
		return vmt_no_memory(ctx);
	s->faults = &w->faults;
	vmt_window_source_state(&s->sources[VMT_SOURCE_FAULT], &w->faults, w->faults.rung);
	vmt_window_source_state(&s->sources[VMT_SOURCE_FILEMAP], &w->faults,
				w->faults.filemap_rung);
	if ((f->have & VMT_HAVE_STACKS && vmt_symbolize(run->collector, s, f, &w->arena) < 0) ||
	    (w->symbols && vmt_symbolize_singles(w->symbols, run->collector, s, f) < 0))
		return vmt_no_memory(ctx);
	n = faulting(&w->faults, s, pids, indices);
	return n ? vmt_run_procs(run, ctx, VMT_SOURCE_BIT(MAPS), indices, n) : 0;
}

static void term(struct vmt_buf *out, const char *sign, bool known, uint64_t v, const char *name)
{
	if (known)
		vmt_buf_addf(out, " %s %" PRIu64 " %s", sign, v, name);
	else
		vmt_buf_addf(out, " %s - %s", sign, name);
}

void vmt_window_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	const struct vmt_probe_row *p = &m->probe;

	if (!m->has_probe)
		return;
	vmt_buf_adds(out, "rung ");
	vmt_fmt_safe(out, p->rung, true);
	vmt_buf_adds(out, ", filemap ");
	vmt_fmt_safe(out, VMT_HAS(probe, filemap_rung, p) ? p->filemap_rung : VMT_BYTES("-"), true);
	vmt_buf_adds(out, ", canary ");
	vmt_fmt_safe(out, p->canary, true);
	if (VMT_HAS(probe, window_ns, p)) {
		vmt_buf_adds(out, ", window ");
		vmt_fmt_duration(out, p->window_ns);
	}
	vmt_buf_addc(out, '\n');
	if (!VMT_HAS(probe, kernel, p))
		return;
	vmt_buf_addf(out, "sum: %" PRIu64 " in mappings", p->mapped);
	term(out, "+", VMT_HAS(probe, gup, p), p->gup, "GUP");
	term(out, "+", true, p->unattributed, "unattributed");
	term(out, "+", true, p->dropped, "dropped");
	vmt_buf_addf(out, " = %" PRIu64 ", the kernel counted %" PRIu64 "\n",
		     p->mapped + (VMT_HAS(probe, gup, p) ? p->gup : 0) + p->unattributed +
			     p->dropped,
		     p->kernel);
	vmt_buf_adds(out, "not in the sum:");
	term(out, "", VMT_HAS(probe, failed, p), p->failed, "failed,");
	term(out, "", VMT_HAS(probe, retried, p), p->retried, "retried");
	vmt_buf_adds(out, "; losses:");
	term(out, "", true, p->lost, "lost,");
	term(out, "", VMT_HAS(probe, recursion_misses, p), p->recursion_misses, "recursion misses");
	if (VMT_HAS(probe, record_minor, p))
		vmt_buf_addf(out, "; count of record: %" PRIu64 " minor, %" PRIu64 " major",
			     p->record_minor, p->record_major);
	vmt_buf_addc(out, '\n');
	if (VMT_HAS(probe, stacks_collided, p))
		vmt_buf_addf(out,
			     "faults without a stack: %" PRIu64 " collided, %" PRIu64
			     " map full, %" PRIu64 " table full, %" PRIu64 " not given\n",
			     p->stacks_collided, p->stacks_full, p->stack_rows_full,
			     p->stacks_absent);
	if (VMT_HAS(probe, kinds_lost_total, p) && p->kinds_lost_total)
		vmt_buf_addf(out, "faults by mapping and kind: %" PRIu64 " found the table full\n",
			     p->kinds_lost_total);
	if (m->sample->faults->singles_asked && !VMT_HAS(probe, singles_total, p))
		vmt_buf_adds(out, "single faults: this rung has none\n");
	else if (VMT_HAS(probe, singles_total, p))
		vmt_buf_addf(out,
			     "single faults: %" PRIu64 " slow enough, of them %" PRIu64
			     " left out by --rate-limit; %" PRIu64 " more lost\n",
			     p->singles_total, p->singles_limited_total, p->singles_lost_total);
}
