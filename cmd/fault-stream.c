/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fault-stream.h"

#include "cmd/fault-doc.h"
#include "cmd/stream-out.h"
#include "source/probe.h"
#include "source/symbolize-singles.h"

/* Gaps are told that often at most. */
#define GAP_NS UINT64_C(1000000000)

#define COLLECT_NS (UINT64_C(10) * 1000000000)

struct stream {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_window_opts *window_opts;
	const struct vmt_model_opts *model_opts;
	struct vmt_window *window;
	struct vmt_section *section;
	struct vmt_sink *sink;
	struct vmt_single_symbols *symbols; /* NULL: not asked for */
	vmt_emit_fn *emit;
	void *emit_ctx;
	uint64_t gap_ns; /* when the last gap was told */
	uint64_t lost; /* as it told them */
	uint64_t limited;
	int error; /* of what was written, or of memory: it ended the window */
};

static int emit_gap(struct stream *st, const struct vmt_fault_sample *f, bool last)
{
	const struct vmt_fault_totals *t = &f->totals;
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);
	struct vmt_arena arena;
	struct vmt_gap row;
	const struct vmt_rows rows = { .rows = &row, .n = 1, .entity = &vmt_entity_gap };
	int r;

	if (t->singles_lost == st->lost && t->singles_limited == st->limited)
		return 0;
	if (!last && now - st->gap_ns < GAP_NS)
		return 0;
	vmt_arena_init(&arena);
	vmt_gap_row(&st->run->sample->host, f->start_ns, now, t->singles_lost - st->lost,
		    t->singles_limited - st->limited, &arena, &row);
	r = arena.failed ? -ENOMEM : st->emit(st->emit_ctx, &rows);
	vmt_arena_done(&arena);
	st->gap_ns = now;
	st->lost = t->singles_lost;
	st->limited = t->singles_limited;
	return r;
}

/* Rows of which --filter is true, in their order; how many. */
static size_t keep_wanted(const struct stream *st, struct vmt_single *rows, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (!st->ctx->filter ||
		    vmt_filter_test(st->ctx->filter, &rows[i], st->section->page_size) == VMT_TRUE)
			rows[kept++] = rows[i];
	return kept;
}

static int emit_singles(struct stream *st, const struct vmt_fault_sample *f,
			struct vmt_arena *arena)
{
	struct vmt_rows rows = { 0 };
	struct vmt_single *singles;
	int r = vmt_single_rows(f, &st->run->sample->host, arena, &singles, &rows.n);

	if (r < 0)
		return r;
	rows.rows = singles;
	rows.n = keep_wanted(st, singles, rows.n);
	st->section->total += rows.n;
	return rows.n ? st->emit(st->emit_ctx, &rows) : 0;
}

/* Reading files takes a while the first time; the kernel's ring holds some. */
static int name_instructions(struct stream *st, struct vmt_fault_sample *f)
{
	vmt_collector_set_deadline(st->run->collector, vmt_now_ns(CLOCK_MONOTONIC) + COLLECT_NS);
	return vmt_symbolize_singles(st->symbols, st->run->collector, st->run->sample, f);
}

static int take(struct stream *st, struct vmt_probe *probe, bool last, struct vmt_err *err)
{
	struct vmt_fault_sample f = { 0 };
	struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	r = vmt_probe_live(probe, last, &arena, &f, err);
	if (r == 0 && st->symbols)
		r = name_instructions(st, &f);
	if (r == 0)
		r = emit_singles(st, &f, &arena);
	if (r == 0)
		r = emit_gap(st, &f, last);
	vmt_arena_done(&arena);
	return r;
}

static int live(void *arg, struct vmt_probe *probe, int signals, uint64_t until_ns,
		struct vmt_err *err)
{
	const struct vmt_rows none = { 0 };
	struct stream *st = arg;
	bool last = until_ns == 0;
	int r = 0;

	st->sink->held = true;
	if (last || vmt_sink_rest(st->sink) < VMT_STREAM_BACKLOG)
		r = take(st, probe, last, err);
	/* The header, as soon as it counts, whether or not something came. */
	if (r == 0)
		r = st->emit(st->emit_ctx, &none);
	if (r == 0 && !last)
		r = vmt_stream_write(st->sink, signals, until_ns);
	st->error = r;
	return r < 0;
}

/* The rows, when the section is due. */
static int produce(void *arg, vmt_emit_fn *emit, void *emit_ctx)
{
	struct stream *st = arg;
	struct vmt_ctx *ctx = st->ctx;
	struct vmt_section *last;
	uint64_t end_ns;
	int r;

	st->emit = emit;
	st->emit_ctx = emit_ctx;
	r = vmt_window_run(ctx, st->window_opts, &st->window);
	st->sink->held = false;
	st->sink->patience_ms = vmt_ctx_patience(ctx);
	if (r == 0 && st->error == -EOPNOTSUPP) {
		vmt_complain(ctx, "single faults need BPF: see 'vmtop doctor'");
		return geteuid() ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	}
	if (r || st->error)
		return r ? r : st->error;
	end_ns = vmt_now_ns(CLOCK_MONOTONIC) + COLLECT_NS;
	if (ctx->deadline_ns && ctx->deadline_ns < end_ns)
		end_ns = ctx->deadline_ns;
	vmt_collector_set_deadline(st->run->collector, end_ns);
	r = vmt_run_sample(st->run, ctx, vmt_fault_sources(st->window_opts->asks), NULL, 0);
	if (r == 0)
		r = vmt_window_attach(ctx, st->window, st->run);
	if (r == 0)
		r = vmt_run_remodel(st->run, ctx, st->model_opts);
	if (r == 0)
		r = vmt_fault_sections(ctx, st->run, st->model_opts, NULL, &last);
	return r == 0 ? vmt_fault_stack_section(ctx, st->run, &last) : r;
}

static int fill(struct vmt_sink *sink, void *arg)
{
	struct stream *st = arg;

	st->sink = sink;
	return st->ctx->format->emit(sink, &st->run->doc, &st->ctx->out);
}

int vmt_fault_stream(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_window_opts *window,
		     const struct vmt_model_opts *model)
{
	struct stream st = { .ctx = ctx, .run = run, .window_opts = window, .model_opts = model };
	int r = vmt_run_model(run, ctx, model);

	if (r)
		return r;
	st.section = vmt_run_section(run, ctx, "singles", NULL, 0);
	if (!st.section)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, st.section);
	if (r)
		return r;
	if (window->asks & VMT_ASK_SYMBOL) {
		st.symbols = vmt_single_symbols_new();
		if (!st.symbols)
			return vmt_no_memory(ctx);
	}
	st.section->produce = produce;
	st.section->produce_arg = &st;
	window->live = live;
	window->arg = &st;
	r = vmt_print_stream(ctx, fill, &st);
	if (r == 0)
		r = vmt_doc_verdict(ctx, &run->doc);
	/* Nothing was counted at all: the document says why. */
	if (r == 0 && vmt_bytes_is(run->model->probe.rung, "none"))
		r = geteuid() ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	if (r == 0)
		r = vmt_window_signal(st.window);
	/* The document has rows of it until here. */
	vmt_doc_done(&run->doc);
	vmt_window_free(st.window);
	vmt_single_symbols_free(st.symbols);
	return r;
}
