/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>

#include "base/parse.h"
#include "cmd/event-asked.h"
#include "cmd/event-huge.h"
#include "cmd/event-note.h"
#include "cmd/event-psi.h"
#include "cmd/event-stacks.h"
#include "cmd/event-touched.h"
#include "cmd/event-window.h"
#include "cmd/privilege.h"
#include "cmd/stream-out.h"
#include "model/crash.h"
#include "source/symbolize-crash.h"
#include "source/symbolize.h"

static const struct vmt_section_def sections[] = {
	{ "sums", &vmt_entity_event_sum, false,
	  "events by process and call, counted in the kernel" },
	{ "probe", &vmt_entity_event_probe, true, "how they were counted, and what was lost" },
	{ "ooms", &vmt_entity_kill, false, "victims of the OOM killer, the first 256" },
	{ "oom_zones", &vmt_entity_oom_zone, false,
	  "zones, when those were killed who were short of more than a cgroup's memory" },
	{ "oom_maps", &vmt_entity_oom_map, false, "the mappings of victims with most pages" },
	{ "oom_processes", &vmt_entity_oom_process, false, "the largest processes behind a kill" },
	{ "oom_samples", &vmt_entity_oom_sample, false, "the machine in the minute before a kill" },
	{ "sites", &vmt_entity_event_site, false,
	  "events by process, call and where it was called from; with --summary=site or stack" },
	{ "events", &vmt_entity_event, false, "single events, in the order of their ends" },
	{ "stalls", &vmt_entity_event_stall, false,
	  "how long processes waited for memory, by cause" },
	{ "psi", &vmt_entity_event_psi, false,
	  "what the stalls make of the machine's memory pressure; where --only names pressure" },
	{ "cgroups", &vmt_entity_event_cgroup, false,
	  "cgroups in which memory was waited for, or pages came back; the same" },
	{ "collapses", &vmt_entity_event_collapse, false,
	  "why memory does not become huge pages, by process; where --only names huge" },
	{ "made", &vmt_entity_event_made, false,
	  "what was mapped and still is, the 256 largest ranges, and who made them; with --touched" },
	{ "gaps", &vmt_entity_gap, false, "lines of ndjson: single events that are missing" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid",
	  "only these processes; ends early when all of them have ended" },
	{ "user", 'u', VMT_OPT_VALUE, "USER", NULL, "only processes of this user, or user id" },
	{ "only", 0, VMT_OPT_VALUE, "LIST",
	  "map process crash pressure oom huge mmap munmap mprotect mremap brk madvise exit",
	  "only these: map, process, crash, pressure, oom, huge, or calls by name, as mmap,exit" },
	{ "handled", 0, VMT_OPT_FLAG, NULL, NULL,
	  "also SIGSEGV and SIGBUS that the process handles, as runtimes do" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count for SEC seconds; without it, or a command, or -p, until SIGINT" },
	{ "summary", 0, VMT_OPT_MAYBE, NULL, "site stack",
	  "no single events: counts, bytes, errors and times by process and call; =site: by where "
	  "it was called from, too; =stack: by the whole stack, which --format folded gives for "
	  "a flame graph" },
	{ "touched", 0, VMT_OPT_FLAG, NULL, NULL,
	  "with --summary=site or stack: how much of what was mapped is still mapped, how much "
	  "of that was touched, and who made it" },
	{ "stacks", 0, VMT_OPT_FLAG, NULL, NULL, "single events with their stacks in user mode" },
	{ "rate-limit", 0, VMT_OPT_VALUE, "N", NULL,
	  "tell of N single events a second at most (default 1000); 0: no limit" },
};

/* Gaps are told that often at most. */
#define GAP_NS UINT64_C(1000000000)
/* To look up a symbol at most; where that was not enough there is none for as long: the kernel's
 * ring fills meanwhile. */
#define SYMBOL_NS UINT64_C(5000000000)

/* Events of one turn, whose rows are in memory at a time. */
#define TURN 4096u

struct events {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_event_window window;
	struct vmt_oom_watch oom;
	struct vmt_psi_watch psi;
	struct vmt_huge_watch huge;
	int psi_code; /* an exit code where its look at the end failed, or 0 */
	struct vmt_event_sample sample;
	struct vmt_single_symbols *symbols; /* of crashes */
	struct vmt_event_stacks *stacks; /* NULL: none were asked for */
	struct vmt_section *section; /* of single events */
	const struct vmt_entity *entity; /* of what the options of tables are */
	struct vmt_sink *sink;
	vmt_emit_fn *emit;
	void *emit_ctx;
	bool sites; /* --summary=site or stack */
	bool by_stack; /* the latter */
	bool sentences; /* text, and no columns were asked for */
	bool lines; /* ndjson */
	bool started;
	uint64_t name_after_ns; /* before, no symbol is looked up */
	uint64_t gap_ns; /* when the last gap was told */
	uint64_t lost; /* as it told them */
	uint64_t limited;
	uint64_t codes_ns; /* when lost names were told last */
	uint64_t codes_lost; /* as they were told */
	/* Of one turn. */
	struct vmt_arena arena;
	struct vmt_event rows[TURN];
	size_t n_rows;
	uint64_t start_ns;
};

static void add_sentence(struct vmt_buf *out, const struct events *x, const struct vmt_event *e)
{
	vmt_event_line(out, e, x->ctx->out.ascii);
	if (!VMT_HAS(event, call_stack, e))
		return;
	vmt_buf_adds(out, "    ");
	vmt_fmt_safe(out, e->call_stack, x->ctx->out.ascii);
	vmt_buf_addc(out, '\n');
}

static int emit_rows(struct events *x)
{
	struct vmt_rows rows = { .rows = x->rows, .n = x->n_rows };
	VMT_AUTO_BUF text = { 0 };

	x->section->total += x->n_rows;
	if (!x->n_rows)
		return 0;
	if (!x->sentences)
		return x->emit(x->emit_ctx, &rows);
	for (size_t i = 0; i < x->n_rows; i++)
		add_sentence(&text, x, &x->rows[i]);
	if (vmt_buf_error(&text) < 0)
		return -ENOMEM;
	rows.n = 0;
	rows.note = text.data;
	return x->emit(x->emit_ctx, &rows);
}

/* Names the instruction of a crash. Reading files takes a while the first time. */
static int name_crash(struct events *x, const struct vmt_event_raw *raw, struct vmt_event_raw *ret)
{
	uint64_t begun = vmt_now_ns(CLOCK_MONOTONIC), until = begun + SYMBOL_NS, now;
	int r;

	*ret = *raw;
	if (x->ctx->deadline_ns && x->ctx->deadline_ns < until)
		until = x->ctx->deadline_ns;
	if (begun >= until || begun < x->name_after_ns)
		return 0;
	vmt_collector_set_deadline(x->run->collector, until);
	r = vmt_symbolize_event(x->symbols, x->run->collector, x->run->sample, raw, &x->arena, ret);
	now = vmt_now_ns(CLOCK_MONOTONIC);
	if (now >= until)
		x->name_after_ns = now + SYMBOL_NS;
	return r;
}

static int add_stacked(void *arg, const struct vmt_event_raw *raw,
		       const struct vmt_event_stack *stack)
{
	struct events *x = arg;
	struct vmt_event *row = &x->rows[x->n_rows];
	struct vmt_event_raw named;
	int r = 0;

	if (raw->crash) {
		r = name_crash(x, raw, &named);
		raw = &named;
	}
	r = r ?: vmt_event_row(raw, &x->run->sample->host, x->start_ns, &x->arena, row);
	if (r == 0 && stack && stack->site.len)
		VMT_SET(event, site, row, stack->site);
	if (r == 0 && stack && stack->stack.len)
		VMT_SET(event, call_stack, row, stack->stack);
	if (r == 0 && (!x->ctx->filter ||
		       vmt_filter_test(x->ctx->filter, row, x->section->page_size) == VMT_TRUE))
		x->n_rows++;
	return r;
}

static int add_row(void *arg, const struct vmt_event_raw *raw)
{
	return add_stacked(arg, raw, NULL);
}

/* What is missing since the last time that this was told. */
static int emit_gap(struct events *x, const struct vmt_events *events, bool last)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), lost, limited;
	struct vmt_arena arena;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_gap row;
	struct vmt_rows rows = { 0 };
	int r;

	vmt_events_losses(events, &lost, &limited);
	if ((lost == x->lost && limited == x->limited) || (!last && now - x->gap_ns < GAP_NS) ||
	    (!x->sentences && !x->lines))
		return 0;
	vmt_arena_init(&arena);
	vmt_gap_row(&x->run->sample->host, x->start_ns, now, lost - x->lost, limited - x->limited,
		    &arena, &row);
	if (x->lines) {
		rows = (struct vmt_rows){ .rows = &row, .n = 1, .entity = &vmt_entity_gap };
	} else {
		vmt_buf_addf(&text,
			     "! %" PRIu64 " events left out by --rate-limit, %" PRIu64 " lost\n",
			     row.limited_total, row.lost_total);
		rows.note = text.data;
	}
	r = arena.failed || vmt_buf_error(&text) < 0 ? -ENOMEM : x->emit(x->emit_ctx, &rows);
	vmt_arena_done(&arena);
	x->gap_ns = now;
	x->lost = lost;
	x->limited = limited;
	return r;
}

/* Frames without a name since the last time that this was told; all of them are told at the end. */
static int emit_nameless(struct events *x, const struct vmt_events *events)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC), lost = vmt_events_codes_lost(events);
	struct vmt_rows rows = { 0 };
	VMT_AUTO_BUF text = { 0 };

	if (lost == x->codes_lost || now - x->codes_ns < GAP_NS || !x->sentences)
		return 0;
	vmt_buf_addf(&text,
		     "! %" PRIu64 " frames of stacks are [unknown]: the table of code is full\n",
		     lost - x->codes_lost);
	x->codes_ns = now;
	x->codes_lost = lost;
	rows.note = text.data;
	return vmt_buf_error(&text) < 0 ? -ENOMEM : x->emit(x->emit_ctx, &rows);
}

/* Lines of ndjson of another type than events. */
static int emit_others(struct events *x, const struct vmt_entity *entity, const void *array,
		       size_t n)
{
	const struct vmt_rows rows = { .rows = array, .n = n, .entity = entity };

	return n ? x->emit(x->emit_ctx, &rows) : 0;
}

/* A victim of the OOM killer: its event, and what is known beside that. */
static int emit_oom(void *arg, const struct vmt_oom_report *report)
{
	struct events *x = arg;
	struct vmt_rows rows = { 0 };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_event event;
	int r;

	vmt_oom_event(report, &event);
	if (x->ctx->filter &&
	    vmt_filter_test(x->ctx->filter, &event, x->section->page_size) != VMT_TRUE)
		return 0;
	x->section->total++;
	if (!x->sentences) {
		rows.rows = &event;
		rows.n = 1;
		r = x->emit(x->emit_ctx, &rows);
		if (r < 0 || !x->lines)
			return r;
		r = emit_others(x, &vmt_entity_kill, &report->oom, 1);
		r = r ?: emit_others(x, &vmt_entity_oom_zone, report->zones, report->n_zones);
		r = r ?: emit_others(x, &vmt_entity_oom_map, report->maps, report->n_maps);
		r = r
			    ?: emit_others(x, &vmt_entity_oom_process, report->processes,
					   report->n_processes);
		return r
			       ?: emit_others(x, &vmt_entity_oom_sample, report->samples,
					      report->n_samples);
	}
	add_sentence(&text, x, &event);
	vmt_oom_details(&text, report, x->section->page_size, x->ctx->out.ascii);
	if (vmt_buf_error(&text) < 0)
		return -ENOMEM;
	rows.note = text.data;
	return x->emit(x->emit_ctx, &rows);
}

/* Takes a turn out of the ring; how many, or a negative errno. */
static int take(struct events *x, struct vmt_events *events)
{
	int n, r;

	vmt_arena_init(&x->arena);
	x->n_rows = 0;
	x->start_ns = vmt_events_began(events);
	n = x->stacks ? vmt_event_stacks_take(x->stacks, events, &x->arena, add_stacked, x)
		      : vmt_events_take(events, TURN, &x->arena, add_row, x);
	r = n < 0 ? n : emit_rows(x);
	vmt_arena_done(&x->arena);
	return r < 0 ? r : n;
}

static int tick(void *arg, struct vmt_events *events, int signals, uint64_t until_ns, bool last)
{
	const struct vmt_rows none = { 0 };
	struct events *x = arg;
	bool came = false;
	int r = 0, n;

	x->sink->held = true;
	/* The header, as soon as it counts, whether or not something came. */
	if (!x->started)
		r = x->emit(x->emit_ctx, &none);
	x->started = true;
	do {
		if (r == 0 && !last)
			r = vmt_stream_write(x->sink, signals, 0);
		n = r == 0 && (last || vmt_sink_rest(x->sink) < VMT_STREAM_BACKLOG)
			    ? take(x, events)
			    : r;
		came = came || n > 0;
	} while (n == (int)TURN);
	r = n < 0 ? n : 0;
	/* Where nobody reads, they stay in their ring, too. */
	if (r == 0 && (last || vmt_sink_rest(x->sink) < VMT_STREAM_BACKLOG))
		r = vmt_oom_watch_tick(&x->oom, last);
	r = r ?: emit_gap(x, events, last);
	r = r || last ? r : emit_nameless(x, events);
	if (r == 0 && !last)
		r = vmt_stream_write(x->sink, signals, until_ns);
	return r < 0 ? r : came;
}

/* Of sums: kills alone come one by one. */
static int tick_sums(void *arg, struct vmt_events *events, int signals, uint64_t until_ns,
		     bool last)
{
	struct events *x = arg;

	(void)events;
	(void)signals;
	(void)until_ns;
	return vmt_oom_watch_tick(&x->oom, last);
}

static int begun(void *arg, const struct vmt_events *events)
{
	const uint32_t oom = UINT32_C(1) << VMT_CALL_OOM;
	struct events *x = arg;
	int r = 0;

	/* The cgroups of a machine may be many: where somebody asks. */
	if (vmt_event_is_asked(x->ctx, VMT_CALL_STALL))
		r = vmt_psi_watch_begin(&x->psi);
	if (r == 0 && vmt_event_is_asked(x->ctx, VMT_CALL_COLLAPSE))
		r = vmt_huge_watch_begin(&x->huge, events, &x->window.opts,
					 vmt_event_is_alone(x->ctx, VMT_CALL_COLLAPSE));
	if (r || !(x->window.opts.calls & oom))
		return r;
	/* Of some processes it is looked for where somebody asks: loading it takes its time. */
	if (!vmt_ctx_given(x->ctx, "only") &&
	    (x->ctx->n_operands || x->window.n_pids || x->window.opts.by_user))
		return 0;
	x->oom.by_user = x->window.opts.by_user;
	x->oom.uid = x->window.opts.uid;
	x->oom.keep = !x->lines;
	r = vmt_oom_watch_begin(&x->oom, events, x->window.opts.calls == oom);
	if (x->oom.ooms && !x->window.tick)
		x->window.tick = tick_sums;
	return r;
}

static void ended(void *arg)
{
	struct events *x = arg;

	/* What was counted is told in any case. */
	vmt_huge_watch_end(&x->huge);
	x->psi_code = vmt_psi_watch_end(&x->psi);
}

/* Who waited for memory; NULL with *ret_code an exit code, or 0 where nobody asked. */
static struct vmt_section *add_stalls(struct events *x, int *ret_code)
{
	struct vmt_run *run = x->run;
	struct vmt_event_stall *rows;
	struct vmt_section *s = NULL;
	size_t n;

	*ret_code = 0;
	if (!x->sample.stalls_wanted)
		return NULL;
	if (vmt_event_stall_rows(&x->sample, run->sample->host.page_size, &run->sample->arena,
				 &rows, &n) < 0)
		vmt_complain(x->ctx, "out of memory");
	else
		s = vmt_run_section(run, x->ctx, "stalls", rows, n);
	*ret_code = s ? 0 : VMT_EXIT_FAILED;
	return s;
}

/* Which of the tables the options of tables are for, and is shown first: sums, unless that says no
 * more than one of the others. Those are told to programs alone, or shown behind it. */
static struct vmt_section *choose(const struct events *x, struct vmt_section *sums,
				  struct vmt_section *stalls, struct vmt_section *collapses)
{
	struct vmt_section *const all[] = { sums, stalls, collapses };
	struct vmt_section *ret = sums;

	for (size_t i = 1; !x->section && i < VMT_ARRAY_LEN(all); i++)
		if (all[i] && all[i]->def->entity == x->entity)
			ret = all[i];
	for (size_t i = 0; i < VMT_ARRAY_LEN(all); i++) {
		if (!all[i] || (all[i] == ret && !x->section))
			continue;
		all[i]->machine_only = all[i] != collapses;
		if (all[i] == collapses)
			all[i]->title = "why memory did not become huge pages";
		if (vmt_section_arrange(all[i], 0) < 0)
			return NULL;
	}
	return ret;
}

/* The sums and how it went, behind or in place of single events; an exit code or 0. */
static int end_sections(struct events *x)
{
	struct vmt_run *run = x->run;
	struct vmt_event_probe *probe = vmt_arena_alloc(&run->sample->arena, 1, sizeof(*probe));
	struct vmt_event_sum *sums;
	struct vmt_section *s, *p, *stalls, *collapses;
	VMT_AUTO_BUF more = { 0 };
	struct vmt_buf *note;
	struct vmt_event_site *sites = NULL;
	size_t n, n_sites = 0;
	int r;

	r = vmt_event_touched_read(x->ctx, run, &x->sample);
	if (r)
		return r;
	if (x->sample.stacks) {
		vmt_run_time_anew(run, x->ctx);
		if (vmt_symbolize(run->collector, run->sample, x->sample.stacks,
				  &run->sample->arena) < 0 ||
		    vmt_event_site_rows(&x->sample, x->by_stack, &run->sample->arena, &sites,
					&n_sites) < 0)
			return vmt_no_memory(x->ctx);
	}
	if (!probe || vmt_oom_watch_count(&x->oom, &run->sample->arena, &x->sample) < 0 ||
	    vmt_event_probe_row(&x->sample, &run->sample->arena, probe) < 0 ||
	    vmt_event_sum_rows(&x->sample, &run->sample->arena, &sums, &n) < 0)
		return vmt_no_memory(x->ctx);
	run->sample->sources[VMT_SOURCE_EVENTS].state = VMT_STATE_OK;
	r = vmt_run_remodel(run, x->ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(run, x->ctx, "sums", sums, n);
	if (s && x->sites) {
		s->machine_only = true;
		s = vmt_run_section(run, x->ctx, "sites", sites, n_sites);
	}
	p = s ? vmt_run_section(run, x->ctx, "probe", probe, 1) : NULL;
	if (!p)
		return VMT_EXIT_FAILED;
	stalls = add_stalls(x, &r);
	if (r)
		return r;
	p->machine_only = true;
	/* Of lines, they have come with the events. */
	r = x->lines ? 0 : vmt_oom_watch_sections(&x->oom);
	if (r)
		return r;
	r = vmt_huge_watch_section(&x->huge, x->section, &more, &collapses);
	if (r)
		return r;
	s = choose(x, s, stalls, collapses);
	if (!s)
		return VMT_EXIT_FAILED;
	note = x->section ? &x->section->note : &s->note;
	r = vmt_psi_watch_sections(&x->psi, &x->sample, !x->section && s == stalls, &more);
	if (r)
		return r;
	if (!x->section && x->sites)
		r = vmt_event_touched_sections(x->ctx, run, &x->sample, s);
	if (!x->section)
		r = r ? r : vmt_section_options(x->ctx, s);
	if (!x->section || !x->ctx->out.raw) {
		vmt_event_note(note, probe, &x->sample, &x->oom);
		vmt_buf_add(note, more.data, more.len);
	}
	if (x->section)
		return 0;
	vmt_run_remarks(run, x->ctx, s);
	return r;
}

/* Single events as they come, when the section is due. */
static int produce(void *arg, vmt_emit_fn *emit, void *emit_ctx)
{
	struct events *x = arg;
	int error = 0, r;

	x->emit = emit;
	x->emit_ctx = emit_ctx;
	r = vmt_event_window_run(&x->window, &x->run->sample->arena, &x->sample, &error);
	x->sink->held = false;
	x->sink->patience_ms = vmt_ctx_patience(x->ctx);
	if (r || error)
		return r ? r : error;
	return end_sections(x);
}

static int fill(struct vmt_sink *sink, void *arg)
{
	struct events *x = arg;

	x->sink = sink;
	return x->ctx->format->emit(sink, &x->run->doc, &x->ctx->out);
}

static int run_stream(struct events *x)
{
	struct vmt_ctx *ctx = x->ctx;
	int r;

	x->section = vmt_run_section(x->run, ctx, "events", NULL, 0);
	if (!x->section)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, x->section);
	if (r)
		return r;
	x->lines = strcmp(ctx->format->name, "ndjson") == 0;
	x->sentences = strcmp(ctx->format->name, "text") == 0 && !ctx->out.raw &&
		       !vmt_ctx_given(ctx, "output") && !vmt_ctx_given(ctx, "output-all");
	x->section->produce = produce;
	x->section->produce_arg = x;
	x->window.tick = tick;
	x->oom.emit = emit_oom;
	x->oom.arg = x;
	x->window.opts.singles = true;
	if (vmt_ctx_given(ctx, "stacks")) {
		x->window.opts.single_stacks = true;
		x->stacks = vmt_event_stacks_new(ctx, x->run, TURN);
		if (!x->stacks)
			return vmt_no_memory(ctx);
	}
	r = vmt_print_stream(ctx, fill, x);
	return r ? r : vmt_doc_verdict(ctx, &x->run->doc);
}

static int run_summary(struct events *x)
{
	int error = 0, r;

	r = vmt_event_window_run(&x->window, &x->run->sample->arena, &x->sample, &error);
	if (r == 0 && error) {
		vmt_complain(x->ctx, "out of memory");
		r = VMT_EXIT_FAILED;
	}
	if (r == 0)
		r = end_sections(x);
	return r ? r : vmt_print_doc(x->ctx, &x->run->doc);
}

static int parse(struct vmt_ctx *ctx, struct events *x)
{
	const char *only = vmt_ctx_value(ctx, "only"), *rate = vmt_ctx_value(ctx, "rate-limit");
	const char *duration = vmt_ctx_value(ctx, "duration"), *user = vmt_ctx_value(ctx, "user");
	struct vmt_events_opts *o = &x->window.opts;
	const char *by = vmt_event_sums_by(ctx);
	struct vmt_bytes word;

	o->calls = UINT32_MAX;
	o->handled = vmt_ctx_given(ctx, "handled");
	o->rate = 1000;
	x->window.duration_ns = UINT64_MAX;
	if (ctx->root)
		return vmt_usage_error(ctx, "events are counted live; --root has none");
	if (only && vmt_event_only_parse(only, &o->calls, &word) < 0) {
		VMT_AUTO_BUF safe = { 0 };

		vmt_fmt_safe(&safe, word, true);
		return vmt_usage_error(
			ctx,
			"--only takes map, process, crash, pressure, oom, huge or names of calls, "
			"not '%.40s'",
			safe.data ? safe.data : "");
	}
	if (by && *by) {
		x->by_stack = strcmp(by, "stack") == 0;
		x->sites = x->by_stack || strcmp(by, "site") == 0;
		if (!x->sites)
			return vmt_usage_error(ctx, "--summary takes =site, =stack or nothing");
		o->stacks = true;
	}
	if (!x->by_stack && strcmp(ctx->format->name, "folded") == 0)
		return vmt_usage_error(ctx, "--format folded is of stacks: --summary=stack");
	o->touched = vmt_ctx_given(ctx, "touched");
	if (o->touched && !o->stacks)
		return vmt_usage_error(ctx, "--touched is of places: --summary=site or stack");
	if (o->touched && ~o->calls & vmt_event_mapping_calls())
		return vmt_usage_error(ctx, "--touched needs calls of the kinds map and process, "
					    "which --only leaves out");
	if (rate && by)
		return vmt_usage_error(ctx, "--rate-limit is of single events; --summary has none");
	if (by && vmt_ctx_given(ctx, "stacks"))
		return vmt_usage_error(ctx, "--stacks is of single events; sums have "
					    "--summary=stack");
	if (rate && vmt_parse_u64(rate, &o->rate) < 0)
		return vmt_usage_error(ctx, "--rate-limit takes a number");
	if (duration && (vmt_parse_duration(duration, &x->window.duration_ns) < 0 ||
			 x->window.duration_ns == 0))
		return vmt_usage_error(ctx, "--duration takes seconds, as 3, 0.5 or 500ms");
	if (!by && (vmt_ctx_given(ctx, "sort") || vmt_ctx_given(ctx, "top")))
		return vmt_usage_error(ctx, "a stream has no order: no -s, no --top but with "
					    "--summary");
	if (ctx->n_operands && vmt_ctx_given(ctx, "pid"))
		return vmt_usage_error(ctx, "-p and a command exclude each other");
	return user ? vmt_event_user_parse(ctx, user, o) : 0;
}

/* The processes that were named: 0 where there is one at least, or an exit code. *ret_missing is
 * the exit code where one is not there. */
static int look_for_pids(struct vmt_ctx *ctx, struct events *x, uint64_t **ret, pid_t **ret_pids,
			 int *ret_missing)
{
	const char *list = vmt_ctx_value(ctx, "pid");
	size_t n = 0;
	int r;

	if (!list)
		return vmt_run_sample(x->run, ctx, VMT_SOURCE_BIT(PIDS), NULL, 0);
	r = vmt_parse_pids(ctx, list, ret, &n);
	if (r == 0)
		r = vmt_run_sample(x->run, ctx, VMT_SOURCE_BIT(PIDS), *ret, n);
	if (r)
		return r;
	if (x->run->sample->host.pid_namespace) {
		vmt_complain(ctx, "-p cannot be had in a PID namespace: the kernel counts by other "
				  "numbers");
		return VMT_EXIT_FAILED;
	}
	*ret_missing = vmt_run_missing(x->run, ctx, *ret, n);
	if (*ret_missing && x->run->sample->n_procs == 0)
		return *ret_missing;
	*ret_pids = calloc(n ? n : 1, sizeof(**ret_pids));
	if (!*ret_pids)
		return vmt_no_memory(ctx);
	for (size_t i = 0; i < n; i++)
		(*ret_pids)[i] = (pid_t)(*ret)[i];
	x->window.pids = *ret;
	x->window.n_pids = n;
	x->window.opts.pids = *ret_pids;
	x->window.opts.n_pids = n;
	return 0;
}

static void events_done(struct events **x)
{
	if (!*x)
		return;
	vmt_child_done(&(*x)->window.child);
	vmt_single_symbols_free((*x)->symbols);
	vmt_event_stacks_free((*x)->stacks);
	vmt_oom_watch_done(&(*x)->oom);
	vmt_psi_watch_done(&(*x)->psi);
	vmt_huge_watch_done(&(*x)->huge);
	free(*x);
}

static int run_events(struct vmt_ctx *ctx)
{
	VMT_CLEANUP(events_done) struct events *x = calloc(1, sizeof(*x));
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_FREE pid_t *ids = NULL;
	VMT_AUTO_RUN run = { 0 };
	int r, missing = 0;

	if (!x)
		return vmt_no_memory(ctx);
	x->symbols = vmt_single_symbols_new();
	if (!x->symbols)
		return vmt_no_memory(ctx);
	x->ctx = ctx;
	x->run = &run;
	x->entity = vmt_event_entity(ctx);
	x->window.ctx = ctx;
	x->oom.ctx = ctx;
	x->oom.run = &run;
	x->psi.ctx = ctx;
	x->psi.run = &run;
	x->huge.ctx = ctx;
	x->huge.run = &run;
	x->window.begun = begun;
	x->window.ended = ended;
	x->window.arg = x;
	x->window.child = (struct vmt_child){ .pid_fd = -1, .socket = -1 };
	if (vmt_column_help(ctx, x->entity, &r))
		return r;
	r = parse(ctx, x);
	/* Else the command would be reaped with nobody asking how it ended. */
	if (r == 0 && ctx->n_operands)
		ctx->old_chld = signal(SIGCHLD, SIG_DFL);
	if (r == 0)
		r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = look_for_pids(ctx, x, &pids, &ids, &missing);
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r == 0)
		r = vmt_event_sums_by(ctx) ? run_summary(x) : run_stream(x);
	/* The document has rows of the sample until here. */
	vmt_doc_done(&run.doc);
	if (r == 0)
		r = vmt_event_window_code(&x->window);
	if (r == 0)
		r = x->psi_code;
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_events = {
	.name = "events",
	.summary = "what was mapped, forked and executed, what crashed, who waited for memory",
	.synopsis = "[-p LIST] [-u USER] [--only LIST] [--handled] [--duration SEC] "
		    "[--summary[=WHAT]] [--touched] [--stacks] [--rate-limit N] [OPTION]... [--] "
		    "[COMMAND [WORD]...]",
	.cost = "adds some tenths of a microsecond to every system call of the machine while it "
		"counts, and about half of one to those that it tells of; with --stacks 5 to 40 "
		"microseconds to each one that is listed",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.n_asked = 8,
	.operands = "@file",
	.max_operands = UINT_MAX,
	.runs = true,
	.keeps = VMT_RIGHT_PROBES,
	.run = run_events,
};
