/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "cmd/child.h"
#include "cmd/fault-doc.h"
#include "cmd/fault-window.h"
#include "cmd/privilege.h"
#include "cmd/run-budget.h"
#include "source/peak.h"
#include "source/pids.h"

/*
 * The high-water mark of wait4() begins at what a process of vmtop has in memory before it becomes
 * the command; so much more it may touch on the way. A command that stays below is not seen there.
 */
#define SLACK_BYTES (UINT64_C(128) << 10)
/* A command that the time limit told to end is killed after that. */
#define GRACE_NS   UINT64_C(2000000000)
#define ROWS_SHOWN 20

static const struct vmt_section_def sections[] = {
	VMT_FAULT_SECTIONS,
	{ "command", &vmt_entity_command, true, "the command, from its start to its end" },
	{ "budgets", &vmt_entity_budget, false, "what --budget limits, and whether it was kept" },
	VMT_STACK_SECTION,
};

static const struct vmt_opt opts[] = {
	{ "budget", 0, VMT_OPT_VALUE, "FIELD=N", NULL,
	  "exit 123 where that figure of the command is larger, as maj_flt=0" },
	VMT_OPTS_FAULT,
	VMT_OPT_STACKS,
};

/* One run, on its way. */
struct course {
	struct vmt_ctx *ctx;
	struct vmt_child child;
	struct vmt_peak *peak;
	int signals; /* signalfd */
	struct vmt_model_opts opts; /* of the rows */
	uint32_t asks; /* enum vmt_fault_ask */
	uint64_t overhead_percent;
	uint64_t setup_minor; /* of the process before it is let go */
	uint64_t setup_major;
	uint64_t setup_hwm_bytes;
	bool has_setup;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t end_ns;
	uint64_t *left; /* processes that there are at the end; heap */
	size_t n_left;
	bool has_left;
	bool timed_out;
};

static void course_done(struct course *c)
{
	vmt_child_done(&c->child);
	vmt_peak_free(c->peak);
	free(c->left);
	if (c->signals >= 0)
		close(c->signals);
}

/* The terminal's signals reach the command by themselves; those that were sent to vmtop alone are
 * passed on. */
static void pass_on(struct course *c)
{
	struct signalfd_siginfo info;

	while (read(c->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_code != SI_KERNEL)
			kill(c->child.pid, (int)info.ssi_signo);
}

/* How long to wait, in ns; -1 for ever. */
static int64_t patience(uint64_t look_ns, uint64_t limit_ns)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), until = UINT64_MAX;

	if (look_ns)
		until = look_ns;
	if (limit_ns && limit_ns < until)
		until = limit_ns;
	if (until == UINT64_MAX)
		return -1;
	return until > now ? (int64_t)(until - now) : 0;
}

/* The time of --timeout is over: a polite word first. */
static uint64_t past_limit(struct course *c)
{
	if (c->timed_out) {
		kill(c->child.pid, SIGKILL);
		return 0;
	}
	c->timed_out = true;
	kill(c->child.pid, SIGTERM);
	kill(c->child.pid, SIGCONT);
	return vmt_now_ns(CLOCK_MONOTONIC) + GRACE_NS;
}

/* From letting it go to its end, which leaves a zombie: it is not waited for yet, so that its
 * counters can still be read. */
static void until_end(struct course *c)
{
	uint64_t look_ns = 0, limit_ns = 0;

	/* Attaching is not the command's time. */
	if (c->ctx->deadline_ns)
		limit_ns = c->start_ns + (c->ctx->deadline_ns - c->ctx->started_ns);
	for (;;) {
		struct pollfd fds[] = { { .fd = c->child.pid_fd, .events = POLLIN },
					{ .fd = c->signals, .events = POLLIN },
					{ .fd = c->child.socket, .events = POLLIN } };
		int64_t wait = patience(look_ns, limit_ns);
		struct timespec ts = { .tv_sec = (time_t)(wait / 1000000000),
				       .tv_nsec = (long)(wait % 1000000000) };
		int n = ppoll(fds, VMT_ARRAY_LEN(fds), wait < 0 ? NULL : &ts, NULL);

		if (n > 0 && fds[2].revents) {
			vmt_child_heard(&c->child);
			/* From here on its memory is the command's. */
			if (!c->child.error)
				look_ns = vmt_peak_sample(c->peak);
		}
		if (n > 0 && fds[0].revents)
			return;
		if (n > 0 && fds[1].revents)
			pass_on(c);
		if (limit_ns && vmt_now_ns(CLOCK_MONOTONIC) >= limit_ns)
			limit_ns = past_limit(c);
		if (look_ns && vmt_now_ns(CLOCK_MONOTONIC) >= look_ns)
			look_ns = vmt_peak_sample(c->peak);
	}
}

/* While faults are counted, or cannot be: vmt_window_opts.during. */
static void during(void *arg)
{
	struct course *c = arg;
	struct vmt_root *root = NULL;

	c->has_setup =
		vmt_peak_start(c->peak, &c->setup_minor, &c->setup_major, &c->setup_hwm_bytes) == 0;
	c->start_ns = vmt_now_ns(CLOCK_MONOTONIC);
	if (vmt_child_go(&c->child) == 0)
		until_end(c);
	c->end_ns = vmt_now_ns(CLOCK_MONOTONIC);
	/* Whoever is still there was not waited for. */
	if (vmt_root_open(NULL, &root, NULL) == 0)
		c->has_left = vmt_pids_list(root, &c->left, &c->n_left, NULL) == 0;
	vmt_root_unref(root);
}

static bool is_left(const struct course *c, uint64_t pid)
{
	size_t i;

	for (i = 0; i < c->n_left; i++)
		if (c->left[i] == pid)
			return true;
	return false;
}

static uint64_t ns_of(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

static void set_kinds(const struct vmt_fault_sample *f, struct vmt_command *row)
{
	uint64_t sums[VMT_FAULT_KINDS] = { 0 }, known = 0;
	size_t i, k;

	for (i = 0; i < f->n_maps; i++)
		for (k = 0; k < VMT_FAULT_KINDS; k++)
			if (k != VMT_KIND_UNKNOWN)
				sums[k] += f->maps[i].kinds[k];
	for (k = 0; k < VMT_FAULT_KINDS; k++)
		known += sums[k];
	/* Of the unknown none is counted: they are what is left. */
	sums[VMT_KIND_UNKNOWN] = f->totals.mapped > known ? f->totals.mapped - known : 0;
#define K(id, member) VMT_SET(command, member, row, sums[VMT_KIND_##id]);
#include "model/fault-kind.def"
#undef K
}

/* Both sides of the comparison: the probe's accounts and wait4()'s sum. */
static void set_faults(const struct course *c, const struct vmt_fault_sample *f,
		       struct vmt_command *row)
{
	const struct vmt_fault_totals *t = &f->totals;
	const struct rusage *usage = &c->child.usage;
	uint64_t counted = t->kernel_minor + t->kernel_major, running = 0;
	bool full = false;
	size_t i;

	if (c->has_setup) {
		VMT_SET(command, setup_faults_total, row, c->setup_minor + c->setup_major);
		VMT_SET(command, minor_faults_total, row,
			(uint64_t)usage->ru_minflt - c->setup_minor);
		VMT_SET(command, major_faults_total, row,
			(uint64_t)usage->ru_majflt - c->setup_major);
	}
	if (f->rung == VMT_RUNG_NONE)
		return;
	for (i = 0; i < f->n_procs; i++) {
		/* The row that processes share once the table is full; their number is not known.
		 */
		if (!f->procs[i].pid)
			full = true;
		else if (f->procs[i].pid != (uint64_t)c->child.pid && is_left(c, f->procs[i].pid))
			running += f->procs[i].kernel_minor + f->procs[i].kernel_major;
	}
	VMT_SET(command, counted_faults_total, row, counted);
	/* Where processes cannot be followed, only the first is known. */
	if (f->rung != VMT_RUNG_PROC && !full)
		VMT_SET(command, processes_total, row, f->n_procs);
	if (c->has_left)
		VMT_SET(command, running_faults_total, row, running);
	if (c->has_left && c->has_setup) {
		int64_t waited = (int64_t)(row->minor_faults_total + row->major_faults_total);

		VMT_SET(command, difference_faults, row, (int64_t)(counted - running) - waited);
		VMT_SET(command, agree, row, row->difference_faults == 0);
	}
	if (f->have & VMT_HAVE_MAPS)
		VMT_SET(command, mapped_faults_total, row, t->mapped);
	if (f->have & VMT_HAVE_GUP)
		VMT_SET(command, gup_faults_total, row, t->gup);
	VMT_SET(command, unattributed_faults_total, row, t->unattributed);
	VMT_SET(command, dropped_faults_total, row, t->dropped);
	if (f->have & VMT_HAVE_FAILED) {
		uint64_t failed = 0;

		for (i = 0; i < VMT_FAILURES; i++)
			failed += t->failed[i];
		VMT_SET(command, failed_faults_total, row, failed);
	}
	if (f->have & VMT_HAVE_KINDS)
		set_kinds(f, row);
	if (f->have & VMT_HAVE_LATENCY) {
		uint64_t stall = 0;

		for (i = 0; i < f->n_maps; i++)
			stall += f->maps[i].latency.sum_ns;
		VMT_SET(command, stall_ns, row, stall);
	}
}

static void set_peak(const struct course *c, const struct vmt_peak_sum *sum,
		     struct vmt_command *row)
{
	const struct vmt_peak_look *best = &sum->largest;
	uint64_t sampled = best->anon_bytes + best->file_bytes + best->shmem_bytes;
	uint64_t mark = (uint64_t)c->child.usage.ru_maxrss << 10;
	uint64_t peak = sampled > mark ? sampled : mark;
	const char *quality = sampled > mark ? "at_least" : "approximate";

	/*
	 * The mark of wait4() is the highest of all its images (kernel/exit.c, fs/exec.c:
	 * setmax_mm_hiwater_rss()), and the first of them was vmtop's own. It comes of counters
	 * that lag, by a batch for each CPU and up to 6.1 for each thread (include/linux/mm.h
	 * get_mm_counter()); status of newer kernels adds these up, so that a sample may be above
	 * it.
	 */
	if (!c->has_setup || peak <= c->setup_hwm_bytes + SLACK_BYTES)
		quality = "at_most";
	VMT_SET(command, peak_rss_bytes, row, peak);
	VMT_SET(command, peak_quality, row, vmt_bytes_of(quality));
	VMT_SET(command, samples_total, row, sum->samples);
	if (sum->samples > 1)
		VMT_SET(command, interval_ns, row,
			(sum->last_ns - sum->first_ns) / (sum->samples - 1));
	if (!best->pid)
		return;
	VMT_SET(command, peak_pid, row, best->pid);
	VMT_SET(command, peak_comm, row, ((struct vmt_bytes){ best->comm, best->comm_len }));
	VMT_SET(command, peak_sampled_bytes, row, sampled);
	VMT_SET(command, peak_anon_bytes, row, best->anon_bytes);
	VMT_SET(command, peak_file_bytes, row, best->file_bytes);
	VMT_SET(command, peak_shmem_bytes, row, best->shmem_bytes);
	VMT_SET(command, peak_after_ns, row, best->at_ns - c->start_ns);
	VMT_SET(command, tree_rss_bytes, row, sum->tree_bytes);
}

/* words is what the row's text lies in. */
static int set_command(const struct course *c, const struct vmt_fault_sample *f,
		       const struct vmt_peak_sum *sum, struct vmt_buf *words,
		       struct vmt_command *row)
{
	size_t i;

	for (i = 0; i < c->ctx->n_operands; i++) {
		if (i)
			vmt_buf_addc(words, ' ');
		vmt_fmt_shell(words, c->ctx->operands[i]);
	}
	if (vmt_buf_error(words))
		return vmt_buf_error(words);
	VMT_SET(command, command, row, ((struct vmt_bytes){ words->data, words->len }));
	VMT_SET(command, pid, row, (uint64_t)c->child.pid);
	if (WIFEXITED(c->child.status))
		VMT_SET(command, exit_status, row, (uint64_t)WEXITSTATUS(c->child.status));
	else
		VMT_SET(command, signal, row, (uint64_t)WTERMSIG(c->child.status));
	VMT_SET(command, elapsed_ns, row, c->end_ns - c->start_ns);
	VMT_SET(command, user_ns, row, ns_of(c->child.usage.ru_utime));
	VMT_SET(command, system_ns, row, ns_of(c->child.usage.ru_stime));
	set_faults(c, f, row);
	set_peak(c, sum, row);
	return 0;
}

/* How often it was looked at, as a source like others. */
static void set_source(struct vmt_source_stat *st, const struct vmt_peak_sum *sum,
		       const struct vmt_command *row)
{
	VMT_AUTO_BUF text = { 0 };

	st->state = VMT_STATE_OK;
	st->reads = sum->reads;
	st->bytes = sum->bytes;
	st->cpu_ns = sum->cpu_ns;
	st->longest_ns = sum->longest_ns;
	if (!sum->samples) {
		st->state = VMT_STATE_SKIPPED;
		snprintf(st->reason, sizeof(st->reason),
			 "the command ended before its memory was sampled");
		return;
	}
	if (VMT_HAS(command, interval_ns, row))
		vmt_fmt_duration(&text, row->interval_ns);
	snprintf(st->reason, sizeof(st->reason), "memory was sampled %" PRIu64 " time%s%s%s%s%s",
		 sum->samples, sum->samples == 1 ? "" : "s", text.len ? ", each " : "",
		 text.len ? text.data : "", ": what lies between is not seen",
		 sum->alone    ? "; the first process alone, this kernel does not list children"
		 : sum->missed ? "; not all of its children could be read"
			       : "");
	if (sum->missed)
		st->state = VMT_STATE_PARTIAL;
}

static void add_size(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m,
		     const char *before, uint64_t bytes, const char *behind)
{
	vmt_buf_adds(out, before);
	vmt_fmt_size(out, bytes, ctx->out.unit, m->sample->host.page_size);
	vmt_buf_adds(out, behind);
}

static void add_time(struct vmt_buf *out, const char *before, uint64_t ns, const char *behind)
{
	vmt_buf_adds(out, before);
	vmt_fmt_duration(out, ns);
	vmt_buf_adds(out, behind);
}

static void end_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_command *c)
{
	vmt_fmt_safe(out, c->command, ctx->out.ascii);
	if (VMT_HAS(command, exit_status, c))
		vmt_buf_addf(out, ": exit %" PRIu64, c->exit_status);
	else
		vmt_buf_addf(out, ": signal %" PRIu64, c->signal);
	add_time(out, ", ", c->elapsed_ns, "");
	add_time(out, " (user ", c->user_ns, "");
	add_time(out, ", system ", c->system_ns, ")");
	if (VMT_HAS(command, processes_total, c))
		vmt_buf_addf(out, ", %" PRIu64 " process%s", c->processes_total,
			     c->processes_total == 1 ? "" : "es");
	vmt_buf_addc(out, '\n');
}

struct kind {
	const char *name;
	uint64_t n;
};

static int more_first(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->n > y->n ? -1 : x->n < y->n;
}

/* How the faults in mappings were served, the most frequent way first. */
static void kinds_text(struct vmt_buf *out, const struct vmt_command *c)
{
	struct kind kinds[] = {
#define K(id, member) { #member, c->member },
#include "model/fault-kind.def"
#undef K
	};
	size_t i;

	if (!VMT_HAS(command, unknown, c) || !c->mapped_faults_total)
		return;
	qsort(kinds, VMT_ARRAY_LEN(kinds), sizeof(kinds[0]), more_first);
	vmt_buf_adds(out, "\nserved:");
	for (i = 0; i < VMT_ARRAY_LEN(kinds) && kinds[i].n; i++)
		vmt_buf_addf(out, "%s %" PRIu64 " %s", i ? "," : "", kinds[i].n, kinds[i].name);
}

/* What a rung that sees less leaves out, in words. */
static void unseen_text(struct vmt_buf *out, const struct vmt_model *m, const struct vmt_command *c)
{
	vmt_buf_addf(out, ";\n        %" PRIi64 " of them not seen on the rung ",
		     -c->difference_faults);
	vmt_fmt_safe(out, m->probe.rung, true);
	if (vmt_bytes_is(m->probe.rung, "perf"))
		vmt_buf_adds(out, ": get_user_pages, and without rights all in the kernel");
	else if (vmt_bytes_is(m->probe.rung, "proc"))
		vmt_buf_adds(out, ": the first process alone is counted");
}

static void faults_text(struct vmt_buf *out, const struct vmt_model *m, const struct vmt_command *c)
{
	if (VMT_HAS(command, minor_faults_total, c))
		vmt_buf_addf(out, "faults: %" PRIu64 " minor, %" PRIu64 " major by wait4()",
			     c->minor_faults_total, c->major_faults_total);
	else
		vmt_buf_adds(out, "faults: unknown by wait4()");
	if (VMT_HAS(command, agree, c) && c->agree)
		vmt_buf_adds(out, ", and as many counted");
	else if (VMT_HAS(command, difference_faults, c) && c->difference_faults < 0)
		unseen_text(out, m, c);
	else if (VMT_HAS(command, difference_faults, c))
		vmt_buf_addf(out, "; %" PRIi64 " more counted, of processes that nobody waited for",
			     c->difference_faults);
	if (VMT_HAS(command, running_faults_total, c) && c->running_faults_total)
		vmt_buf_addf(out, "; %" PRIu64 " more in processes that still run",
			     c->running_faults_total);
	kinds_text(out, c);
	if (VMT_HAS(command, stall_ns, c))
		add_time(out, "\nstall: ", c->stall_ns, " in faults, over all threads");
	vmt_buf_addc(out, '\n');
}

static void peak_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m,
		      const struct vmt_command *c)
{
	add_size(out, ctx, m,
		 vmt_bytes_is(c->peak_quality, "at_most")    ? "peak RSS: at most "
		 : vmt_bytes_is(c->peak_quality, "at_least") ? "peak RSS: at least "
							     : "peak RSS: ",
		 c->peak_rss_bytes, " (largest process)");
	if (VMT_HAS(command, peak_pid, c)) {
		vmt_buf_adds(out, "\nsampled: ");
		vmt_fmt_safe(out, c->peak_comm, ctx->out.ascii);
		add_size(out, ctx, m, " ", c->peak_sampled_bytes, " = ");
		add_size(out, ctx, m, "", c->peak_anon_bytes, " anon + ");
		add_size(out, ctx, m, "", c->peak_file_bytes, " file + ");
		add_size(out, ctx, m, "", c->peak_shmem_bytes, " shmem");
		add_size(out, ctx, m, ", all processes ", c->tree_rss_bytes, "");
	}
	vmt_buf_addc(out, '\n');
}

static int fill_doc(struct vmt_ctx *ctx, struct vmt_run *run, const struct vmt_model_opts *rows,
		    const struct vmt_command *command, const struct vmt_budgets *budgets)
{
	struct vmt_section *first, *last, *section;
	int r = vmt_fault_sections(ctx, run, rows, &first, &last);

	if (r)
		return r;
	end_text(&first->lead, ctx, command);
	faults_text(&first->lead, run->model, command);
	peak_text(&first->lead, ctx, run->model, command);
	vmt_buf_addc(&first->lead, '\n');
	/* A command maps much, and each of its processes anew; machines get all of it. */
	if (strcmp(ctx->format->name, "text") == 0 && !ctx->out.raw && !vmt_ctx_given(ctx, "top") &&
	    first->n > ROWS_SHOWN)
		first->n = ROWS_SHOWN;
	section = vmt_run_section(run, ctx, "command", command, 1);
	if (!section)
		return VMT_EXIT_FAILED;
	section->machine_only = true;
	section = vmt_run_section(run, ctx, "budgets", budgets->rows, budgets->n);
	if (!section)
		return VMT_EXIT_FAILED;
	section->machine_only = true;
	r = vmt_fault_stack_section(ctx, run, &last);
	if (r == 0)
		vmt_run_remarks(run, ctx, last);
	return r;
}

/* What came of it, in a document; an exit code, VMT_EXIT_BUDGET where a budget is broken. */
static int tell(struct course *c, struct vmt_window *window, struct vmt_budgets *budgets)
{
	struct vmt_command command = { 0 };
	struct vmt_ctx *ctx = c->ctx;
	struct vmt_peak_sum sum;
	VMT_AUTO_BUF words = { 0 };
	VMT_AUTO_RUN run = { 0 };
	size_t broken = 0;
	int r;

	/* The limit was the command's. */
	ctx->deadline_ns = 0;
	vmt_peak_read(c->peak, &sum);
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, vmt_fault_sources(c->asks), NULL, 0);
	if (r == 0)
		r = vmt_window_attach(ctx, window, &run);
	if (r)
		return r;
	if (set_command(c, run.sample->faults, &sum, &words, &command) < 0)
		return vmt_no_memory(ctx);
	set_source(&run.sample->sources[VMT_SOURCE_STATUS], &sum, &command);
	r = vmt_run_model(&run, ctx, &c->opts);
	if (r == 0)
		broken = vmt_budgets_judge(ctx, budgets, &command, run.sample->host.page_size);
	if (r == 0)
		r = fill_doc(ctx, &run, &c->opts, &command, budgets);
	/* Quiet, there is nothing to say but what is broken. */
	if (r == 0 &&
	    (!ctx->quiet || vmt_ctx_given(ctx, "write") || strcmp(ctx->format->name, "text") != 0))
		r = vmt_print_doc(ctx, &run.doc);
	if (r)
		return r;
	return broken ? VMT_EXIT_BUDGET : 0;
}

/* Starts the command and follows it to its end; an exit code or 0. */
static int follow(struct course *c, struct vmt_window **ret_window)
{
	struct vmt_window_opts window = {
		.rung = vmt_ctx_value(c->ctx, "rung"),
		.stacks = vmt_fault_stacks(c->ctx),
		.by_kind = vmt_fault_by_kind(&c->opts),
		.asks = c->asks,
		.overhead_percent = c->overhead_percent,
		.follow = true,
		.during = during,
		.arg = c,
	};
	struct vmt_ctx *ctx = c->ctx;
	struct vmt_err err = { 0 };
	sigset_t set, old;
	uint64_t pid;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = vmt_child_start(&c->child, ctx, ctx->operands, &old);
	if (r < 0) {
		vmt_complain(ctx, "cannot start a process: %s", strerror(-r));
		return VMT_EXIT_FAILED;
	}
	r = vmt_privilege_drop(ctx);
	if (r)
		return r;
	pid = (uint64_t)c->child.pid;
	if (vmt_peak_new(pid, &c->peak, &err) < 0)
		return vmt_complain_err(ctx, &err);
	window.pids = &pid;
	window.n_pids = 1;
	r = vmt_window_run(ctx, &window, ret_window);
	/* It was not let go: it ends with c. */
	if (!c->end_ns)
		return r;
	if (vmt_child_wait(&c->child) < 0) {
		vmt_complain(ctx, "the command cannot be waited for: %s", strerror(errno));
		return VMT_EXIT_FAILED;
	}
	return r;
}

static int run_run(struct vmt_ctx *ctx)
{
	VMT_CLEANUP(course_done)
	struct course course = {
		.ctx = ctx,
		.child = { .pid_fd = -1, .socket = -1 },
		.signals = -1,
	};
	VMT_AUTO_BUDGETS budgets = { 0 };
	VMT_AUTO_WINDOW window = NULL;
	int r, code;

	if (vmt_column_help(ctx, &vmt_entity_fault, &r))
		return r;
	r = vmt_fault_summary(ctx, &course.opts);
	if (r == 0)
		r = vmt_fault_asks(ctx, &course.opts, &vmt_entity_fault, &course.asks);
	if (r == 0)
		r = vmt_fault_overhead(ctx, false, course.asks, &course.overhead_percent);
	if (r == 0)
		r = vmt_budgets_parse(ctx, &budgets);
	if (r)
		return r;
	/* What is judged is not estimated. */
	for (size_t i = 0; i < budgets.n; i++)
		if (budgets.fields[i]->offset == offsetof(struct vmt_command, stall_ns) &&
		    !vmt_ctx_given(ctx, "overhead"))
			course.overhead_percent = 100;
	if (ctx->root)
		return vmt_usage_error(ctx, "a command runs live; --root has none");
	/* Else it would be reaped with nobody asking what it used. */
	ctx->old_chld = signal(SIGCHLD, SIG_DFL);
	r = follow(&course, &window);
	if (!course.child.ended)
		return r;
	if (course.child.error)
		return vmt_child_complain(&course.child, ctx);
	if (r == 0)
		r = tell(&course, window, &budgets);
	if (course.timed_out) {
		vmt_note(ctx, "the time of --timeout is over");
		return VMT_EXIT_TIMEOUT;
	}
	code = vmt_child_code(&course.child);
	return code ? code : r;
}

const struct vmt_cmd vmt_cmd_run = {
	.name = "run",
	.summary = "what a command costs in page faults and memory, from its start to its end",
	.synopsis = "[--budget FIELD=N]... [OPTION]... [--] COMMAND [WORD]...",
	.cost = "adds about a microsecond to every page fault of the command and of the processes "
		"that it starts, and reads their /proc/PID/status for a fiftieth of one CPU",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.n_asked = 1,
	.has_probes = true,
	.operands = "@file",
	.min_operands = 1,
	.max_operands = UINT_MAX,
	.runs = true,
	.to_stderr = true,
	.keeps = VMT_RIGHT_PROBES,
	.run = run_run,
};
