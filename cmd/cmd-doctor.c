/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"
#include "cmd/doctor-verify.h"
#include "cmd/fault-window.h"
#include "cmd/privilege.h"
#include "cmd/sandbox.h"
#include "source/collect-kernel.h"
#include "source/collect-zones.h"
#include "source/probe-collapse.h"
#include "source/probe-events.h"
#include "source/probe-oom.h"
#include "source/probe.h"

static const struct vmt_section_def sections[] = {
	{ "sources", &vmt_entity_source, false,
	  "every source, tried on vmtop itself and on process 1" },
	{ "rungs", &vmt_entity_rung, false,
	  "every way to count faults, each tried alone, and events" },
	{ "checks", &vmt_entity_check, false,
	  "with --verify, in place of the others: whether figures that have to agree do" },
};

/* Rows of the probe of 'events' at most. */
#define EVENT_ROWS 32

static const struct vmt_opt doctor_opts[] = {
	{ "verify", 0, VMT_OPT_FLAG, NULL, NULL,
	  "check figures of the kernel against each other, of all processes or of PIDs" },
	{ "setcap", 0, VMT_OPT_VALUE, "LEVEL", "user observer pages physical",
	  "print the command that gives vmtop what it may do without root" },
};

/* What the rungs said, put together from one attempt at each. */
struct ladder {
	struct vmt_arena arena;
	struct vmt_fault_sample faults;
	size_t cap;
};

static void ladder_done(struct ladder *l)
{
	free(l->faults.tries);
	vmt_arena_done(&l->arena);
}

static int add_tries(struct ladder *l, const struct vmt_fault_sample *one, enum vmt_rung_id id)
{
	size_t i;

	for (i = 0; i < one->n_tries; i++) {
		const struct vmt_probe_try *t = &one->tries[i];

		if (strcmp(t->rung, vmt_rung_name(id)) != 0)
			continue;
		if (vmt_grow(&l->faults.tries, &l->cap, l->faults.n_tries + 1, sizeof(*t)) < 0)
			return -ENOMEM;
		l->faults.tries[l->faults.n_tries++] = *t;
	}
	return 0;
}

/* Tries one rung alone: load, attach, self-check, and away again. */
static int try_rung(struct ladder *l, enum vmt_rung_id id, struct vmt_err *err)
{
	struct vmt_probe_opts opts = { .rung = id, .filemap = true };
	struct vmt_fault_sample one = { 0 };
	VMT_AUTO_PROBE probe = NULL;
	int r = vmt_probe_open(&opts, &probe, err), started;

	if (r < 0)
		return r;
	started = vmt_probe_start(probe, NULL);
	if (started == 0)
		vmt_probe_stop(probe, NULL);
	r = vmt_probe_read(probe, &l->arena, &one, err);
	if (r < 0)
		return r;
	r = add_tries(l, &one, id);
	if (r < 0)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	/* The best that works is what 'faults' would take. */
	if (started == 0 && l->faults.rung == VMT_RUNG_NONE) {
		struct vmt_probe_try *tries = l->faults.tries;
		size_t n = l->faults.n_tries;

		l->faults = one;
		l->faults.tries = tries;
		l->faults.n_tries = n;
		l->faults.n_maps = 0;
		l->faults.n_procs = 0;
		l->faults.n_files = 0;
	}
	return 0;
}

static int try_ladder(struct ladder *l, struct vmt_err *err)
{
	int id, r = 0;

	vmt_arena_init(&l->arena);
	for (id = VMT_RUNG_NONE + 1; r == 0 && id < VMT_RUNGS; id++)
		r = try_rung(l, (enum vmt_rung_id)id, err);
	return r;
}

/* A probe of 'events', which has one rung: vmt_events_try() and its like. */
static int try_events(struct ladder *l, size_t (*try)(struct vmt_probe_try *ret, size_t most),
		      struct vmt_source_stat *stat)
{
	struct vmt_probe_try tries[EVENT_ROWS], *all;
	size_t n = try(tries, VMT_ARRAY_LEN(tries)), was = l->faults.n_tries;

	if (vmt_grow(&l->faults.tries, &l->cap, was + n, sizeof(*tries)) < 0)
		return -ENOMEM;
	memcpy(l->faults.tries + was, tries, n * sizeof(*tries));
	l->faults.n_tries += n;
	all = &tries[n - 1];
	stat->state = all->status == VMT_TRY_OK			      ? VMT_STATE_OK
		      : all->error == -EPERM || all->error == -EACCES ? VMT_STATE_DENIED
								      : VMT_STATE_ABSENT;
	if (all->status != VMT_TRY_OK)
		snprintf(stat->reason, sizeof(stat->reason), "%s", all->reason);
	return 0;
}

static void advice(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	size_t i, k;
	bool any = false;

	for (i = 0; i < m->n_sources + m->n_rungs; i++) {
		bool source = i < m->n_sources;
		const struct vmt_source_row *s = source ? &m->sources[i] : NULL;
		const struct vmt_rung *r = source ? NULL : &m->rungs[i - m->n_sources];
		struct vmt_bytes fix = { 0 };
		bool seen = false;

		if (source && VMT_HAS(source, fix, s))
			fix = s->fix;
		if (!source && VMT_HAS(rung, fix, r))
			fix = r->fix;
		for (k = 0; k < i && fix.len; k++) {
			if (k < m->n_sources)
				seen |= VMT_HAS(source, fix, &m->sources[k]) &&
					vmt_bytes_equal(m->sources[k].fix, fix);
			else
				seen |= VMT_HAS(rung, fix, &m->rungs[k - m->n_sources]) &&
					vmt_bytes_equal(m->rungs[k - m->n_sources].fix, fix);
		}
		if (!fix.len || seen)
			continue;
		if (!any)
			vmt_buf_adds(out, "To get more:\n");
		any = true;
		vmt_buf_adds(out, "  ");
		vmt_fmt_safe(out, fix, ctx->out.ascii);
		vmt_buf_addc(out, '\n');
	}
}

/* What the verifier said, with -v -v. */
static void logs(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct ladder *l)
{
	size_t i;

	for (i = 0; i < l->faults.n_tries; i++) {
		const struct vmt_probe_try *t = &l->faults.tries[i];
		struct vmt_bytes cur = t->log, line;

		if (!t->log.len)
			continue;
		vmt_buf_addf(out, "log of %s %s%s%s:\n", t->probe, t->rung, t->hook ? " " : "",
			     t->hook ? t->hook : "");
		while (vmt_take_line(&cur, &line)) {
			vmt_buf_adds(out, "  ");
			vmt_fmt_safe(out, line, ctx->out.ascii);
			vmt_buf_addc(out, '\n');
		}
	}
}

/* Ourselves, and a process that is another user's unless we are root. */
static int read_sources(struct vmt_ctx *ctx, struct vmt_run *run)
{
	const uint64_t cheap = VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) |
			       VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(PRESSURE) |
			       VMT_SOURCE_BIT(OVERCOMMIT) | VMT_SOURCE_BIT(ZRAM) |
			       VMT_SOURCE_BIT(PIDS);
	const uint64_t dear = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS) |
			      VMT_SOURCE_BIT(ROLLUP) | VMT_SOURCE_BIT(PAGEMAP) |
			      VMT_SOURCE_BIT(ELF);
	const uint64_t zones = VMT_SOURCE_BIT(ZONEINFO) | VMT_SOURCE_BIT(BUDDYINFO) |
			       VMT_SOURCE_BIT(PAGETYPEINFO) | VMT_SOURCE_BIT(NODE) |
			       VMT_SOURCE_BIT(IOMEM);
	const uint64_t kernel = VMT_SOURCE_BIT(SLABINFO) | VMT_SOURCE_BIT(SLAB) |
				VMT_SOURCE_BIT(VMALLOCINFO) | VMT_SOURCE_BIT(SOCKSTAT) |
				VMT_SOURCE_BIT(MODULES) | VMT_SOURCE_BIT(KALLSYMS) |
				VMT_SOURCE_BIT(KCORE);
	uint64_t pids[2] = { 1, (uint64_t)getpid() };
	int r = vmt_run_sample(run, ctx, cheap, ctx->root ? NULL : pids, ctx->root ? 0 : 2);

	if (r)
		return r;
	if (vmt_collect_zones(run->collector, run->sample, zones) < 0 ||
	    vmt_collect_kernel(run->collector, run->sample, kernel) < 0)
		return vmt_no_memory(ctx);
	return vmt_run_procs(run, ctx, dear, NULL, 0);
}

/* The ladder of each probe from its top, as the rungs were tried side by side. */
static void fault_first(struct vmt_fault_sample *f)
{
	size_t i, k;

	for (i = 1; i < f->n_tries; i++) {
		struct vmt_probe_try t = f->tries[i];

		for (k = i; k > 0 && strcmp(t.probe, f->tries[k - 1].probe) < 0; k--)
			f->tries[k] = f->tries[k - 1];
		f->tries[k] = t;
	}
}

static int print_setcap(struct vmt_ctx *ctx)
{
	const char *level = vmt_ctx_value(ctx, "setcap");
	VMT_AUTO_BUF text = { 0 };
	struct utsname u;
	char exe[4096];
	ssize_t n;

	if (ctx->n_operands || vmt_ctx_given(ctx, "verify"))
		return vmt_usage_error(ctx, "--setcap is for no processes");
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0 || uname(&u) < 0) {
		vmt_complain(ctx, "/proc/self/exe: %s", strerror(errno));
		return VMT_EXIT_FAILED;
	}
	exe[n] = 0;
	if (vmt_privilege_setcap(&text, level, exe, u.release) < 0)
		return vmt_usage_error(ctx, "no level '%s': user, observer, pages or physical",
				       level);
	return vmt_print_text(ctx, &text);
}

static int run_doctor(struct vmt_ctx *ctx)
{
	VMT_CLEANUP(ladder_done) struct ladder ladder = { 0 };
	VMT_AUTO_RUN run = { 0 };
	struct vmt_section *s, *rungs;
	struct vmt_err err = { 0 };
	int r;

	if (vmt_ctx_given(ctx, "setcap"))
		return print_setcap(ctx);
	if (vmt_ctx_given(ctx, "verify")) {
		r = vmt_sandbox_close(ctx);
		return r ?: vmt_doctor_verify(ctx);
	}
	if (ctx->n_operands)
		return vmt_usage_error(ctx, "processes are for --verify");
	r = vmt_run_open(&run, ctx, UINT64_C(20000000000));
	if (r == 0)
		r = read_sources(ctx, &run);
	if (r)
		return r;
	if (!ctx->root) {
		struct vmt_source_stat *fault = &run.sample->sources[VMT_SOURCE_FAULT];
		struct vmt_source_stat *filemap = &run.sample->sources[VMT_SOURCE_FILEMAP];

		if (try_ladder(&ladder, &err) < 0)
			return vmt_complain_err(ctx, &err);
		fault_first(&ladder.faults);
		run.sample->faults = &ladder.faults;
		vmt_window_source_state(fault, &ladder.faults, ladder.faults.rung);
		vmt_window_source_state(filemap, &ladder.faults, ladder.faults.filemap_rung);
		/* Behind the ladders of faults, whose states are told by their rows. */
		if (try_events(&ladder, vmt_events_try, &run.sample->sources[VMT_SOURCE_EVENTS]) <
			    0 ||
		    try_events(&ladder, vmt_ooms_try, &run.sample->sources[VMT_SOURCE_KILLS]) < 0 ||
		    try_events(&ladder, vmt_collapses_try,
			       &run.sample->sources[VMT_SOURCE_KHUGEPAGED]) < 0)
			return vmt_no_memory(ctx);
	}
	r = vmt_sandbox_close(ctx);
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&run, ctx, "sources", run.model->sources, run.model->n_sources);
	rungs = vmt_run_section(&run, ctx, "rungs", run.model->rungs, run.model->n_rungs);
	if (!s || !rungs)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	s->title = "SOURCES";
	rungs->title = "PROBES, best rung first";
	if (run.model->has_probe)
		vmt_window_text(&rungs->note, ctx, run.model);
	if (ctx->verbose > 1)
		logs(&rungs->note, ctx, &ladder);
	advice(&rungs->note, ctx, run.model);
	return vmt_print_doc(ctx, &run.doc);
}

const struct vmt_cmd vmt_cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel, build and these rights can give, and what would change it",
	.synopsis = "[--verify [PID...] | --setcap LEVEL] [OPTION]...",
	.cost = "reads every source of vmtop itself and of process 1 once, and loads each probe of "
		"faults and of events for a moment; --verify reads smaps, smaps_rollup and pagemap of each process, "
		"up to three times",
	.opts = doctor_opts,
	.n_opts = VMT_ARRAY_LEN(doctor_opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.operands = "@pid",
	.max_operands = 1024,
	.has_probes = true,
	.keeps = VMT_RIGHT_KCORE | VMT_RIGHT_PROBES | VMT_RIGHT_LIBRARY,
	.run = run_doctor,
};
