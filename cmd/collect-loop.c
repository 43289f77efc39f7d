/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/collect-loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "cmd/text.h"
#include "model/cost.h"
#include "source/collect-cgroups.h"
#include "vmtop-config.h"

/* One-shot commands end by themselves when nobody said when: HOSTILE promises that no target can
 * hold them. */
#define DEFAULT_DEADLINE_NS (UINT64_C(10) * 1000000000)

/* What one process may be held up by a look that did not name a limit. */
#define DEFAULT_BUDGET_NS (UINT64_C(2) * 1000000000)

void vmt_run_done(struct vmt_run *run)
{
	vmt_doc_done(&run->doc);
	vmt_model_free(run->model);
	vmt_sample_free(run->prev);
	vmt_sample_free(run->sample);
	vmt_collector_free(run->collector);
	*run = (struct vmt_run){ 0 };
}

int vmt_run_open(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t extra_ns)
{
	struct vmt_collect_opts opts = { .root = ctx->root };
	struct vmt_err err = { 0 };

	opts.deadline_ns = ctx->deadline_ns
				   ? ctx->deadline_ns
				   : vmt_now_ns(CLOCK_MONOTONIC) + DEFAULT_DEADLINE_NS + extra_ns;
	if (vmt_collector_new(&opts, &run->collector, &err) < 0)
		return vmt_complain_err(ctx, &err);
	return 0;
}

void vmt_run_time_anew(struct vmt_run *run, const struct vmt_ctx *ctx)
{
	if (!ctx->deadline_ns)
		vmt_collector_set_deadline(run->collector,
					   vmt_now_ns(CLOCK_MONOTONIC) + DEFAULT_DEADLINE_NS);
}

int vmt_run_budget(struct vmt_run *run, struct vmt_ctx *ctx)
{
	const char *value = vmt_ctx_value(ctx, "budget");
	uint64_t ns = DEFAULT_BUDGET_NS;

	if (value && vmt_parse_duration(value, &ns) < 0)
		return vmt_usage_error(ctx, "--budget takes seconds, as 2, 0.5 or 50ms");
	/* Reading a recording holds nobody up; a budget that was named shows what would be left
	 * out. */
	if (vmt_ctx_given(ctx, "force") || (ctx->root && !value))
		ns = UINT64_MAX;
	vmt_collector_set_budget(run->collector, ns);
	run->budget_ns = ns;
	return 0;
}

void vmt_run_announce(const struct vmt_run *run, const struct vmt_ctx *ctx, uint64_t sources,
		      const size_t *indices, size_t n)
{
	const struct vmt_sample *s = run->sample;
	const struct vmt_proc *p;
	VMT_AUTO_BUF text = { 0 };
	uint64_t ns, all_ns;

	if (!(sources & VMT_SOURCES_WALK) || (ctx->root && !vmt_ctx_given(ctx, "budget")))
		return;
	if (!indices)
		n = s->n_procs;
	p = vmt_cost_dearest(s->procs, indices, n, s->host.page_size, run->budget_ns, &ns, &all_ns);
	if (!p || (ns < VMT_COST_TELL_ONE_NS && all_ns < VMT_COST_TELL_ALL_NS))
		return;
	vmt_fmt_duration(&text, ns);
	vmt_buf_adds(&text, " under the mmap lock of process ");
	vmt_fmt_process(&text, p->pid, VMT_HAS(proc, comm, p) ? &p->comm : NULL);
	if (n > 1) {
		vmt_buf_adds(&text, ", ");
		vmt_fmt_duration(&text, all_ns);
		vmt_buf_adds(&text, " for all");
	}
	if (vmt_buf_error(&text) == 0)
		vmt_note(ctx,
			 "walks page tables: up to %s; maps without PSS, or with --pss=sliced, "
			 "takes short looks",
			 text.data);
}

int vmt_run_sample(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t sources, const uint64_t *pids,
		   size_t n_pids)
{
	struct vmt_err err = { 0 };

	vmt_sample_free(run->prev);
	run->prev = VMT_STEAL(run->sample);
	if (vmt_collect(run->collector, sources, pids, n_pids, &run->sample, &err) < 0)
		return vmt_complain_err(ctx, &err);
	return 0;
}

int vmt_run_cgroups(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_cgroup_want *want)
{
	struct vmt_err err = { 0 };
	int r = vmt_collect_cgroups(run->collector, run->sample, want, &err);

	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return vmt_complain_err(ctx, &err);
	vmt_complain(ctx, "no such cgroup: %s", want->path);
	return VMT_EXIT_NOTHING;
}

static int drop_rows(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	return 0;
}

int vmt_run_procs(struct vmt_run *run, struct vmt_ctx *ctx, uint64_t sources, const size_t *indices,
		  size_t n)
{
	VMT_AUTO_FREE size_t *all = NULL;
	struct vmt_err err = { 0 };
	size_t i;
	int r;

	if (!indices) {
		n = run->sample->n_procs;
		all = calloc(n ? n : 1, sizeof(*all));
		if (!all)
			return vmt_no_memory(ctx);
		for (i = 0; i < n; i++)
			all[i] = i;
		indices = all;
	}
	/* With smaps the rows are made in any case. */
	if (sources & VMT_COLLECT_COUNT && sources & VMT_SOURCE_BIT(SMAPS))
		r = vmt_collect_rows(run->collector, run->sample, sources, indices, n, drop_rows,
				     NULL, &err);
	else
		r = vmt_collect_procs(run->collector, run->sample, sources, indices, n, &err);
	return r < 0 ? vmt_complain_err(ctx, &err) : 0;
}

/* Says why a process that is there has no row; the exit code, or 0 where it is not there. */
static int complain_unread(const struct vmt_sample *s, struct vmt_ctx *ctx, uint64_t pid)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *issue = &s->issues[i];

		if (!VMT_HAS(issue, pid, issue) || issue->pid != pid)
			continue;
		vmt_fmt_safe(&text, issue->source, true);
		vmt_buf_adds(&text, " ");
		vmt_fmt_safe(&text, issue->status, true);
		vmt_buf_adds(&text, ": ");
		vmt_fmt_safe(&text, VMT_HAS(issue, hint, issue) ? issue->hint : issue->error,
			     ctx->out.ascii);
		vmt_complain(ctx, "process %" PRIu64 ": %s", pid,
			     vmt_buf_error(&text) < 0 ? "out of memory" : text.data);
		return vmt_bytes_is(issue->status, "denied")	  ? VMT_EXIT_DENIED
		       : vmt_bytes_is(issue->status, "timed_out") ? VMT_EXIT_TIMEOUT
								  : VMT_EXIT_FAILED;
	}
	return 0;
}

int vmt_run_unread(const struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_proc *p)
{
	static const struct {
		const char *status;
		int code;
	} codes[] = {
		{ "denied", VMT_EXIT_DENIED },
		{ "gone", VMT_EXIT_NOTHING },
		{ "timed_out", VMT_EXIT_TIMEOUT },
		{ "partial", VMT_EXIT_PARTIAL },
	};
	uint64_t deadline = vmt_collector_deadline(run->collector);
	size_t i;

	if (!VMT_HAS(proc, read_status, p) || vmt_bytes_is(p->read_status, "ok"))
		return 0;
	vmt_complain(ctx, "process %" PRIu64 ": maps: %.*s", p->pid, (int)p->read_status.len,
		     p->read_status.ptr);
	for (i = 0; i < VMT_ARRAY_LEN(codes); i++)
		if (vmt_bytes_is(p->read_status, codes[i].status))
			return codes[i].code;
	if (vmt_bytes_is(p->read_status, "skipped") && deadline &&
	    vmt_now_ns(CLOCK_MONOTONIC) >= deadline)
		return VMT_EXIT_TIMEOUT;
	return VMT_EXIT_FAILED;
}

int vmt_run_missing(const struct vmt_run *run, struct vmt_ctx *ctx, const uint64_t *pids, size_t n)
{
	int ret = 0, r;
	size_t i;

	for (i = 0; i < n; i++) {
		if (vmt_sample_proc(run->sample, pids[i]))
			continue;
		r = complain_unread(run->sample, ctx, pids[i]);
		if (!r) {
			vmt_complain(ctx, "no such process: %" PRIu64, pids[i]);
			r = VMT_EXIT_NOTHING;
		}
		/* What was not there is the least. */
		if (!ret || ret == VMT_EXIT_NOTHING)
			ret = r;
	}
	return ret;
}

int vmt_run_wait(const struct vmt_ctx *ctx, uint64_t ns)
{
	uint64_t until = vmt_now_ns(CLOCK_MONOTONIC) + ns, now;

	while ((now = vmt_now_ns(CLOCK_MONOTONIC)) < until) {
		uint64_t ms = (until - now) / 1000000 + 1;

		if (ctx->deadline_ns && now >= ctx->deadline_ns)
			return VMT_EXIT_TIMEOUT;
		poll(NULL, 0, ms > 1000 ? 1000 : (int)ms);
	}
	return 0;
}

int vmt_run_pages_exit(int code)
{
	switch (code) {
	case 0:
	case -E2BIG:
		return 0;
	case -EACCES:
	case -EPERM:
		return VMT_EXIT_DENIED;
	case -ESRCH:
		return VMT_EXIT_NOTHING;
	case -ETIMEDOUT:
	case -ECANCELED:
		return VMT_EXIT_TIMEOUT;
	default:
		return VMT_EXIT_FAILED;
	}
}

int vmt_run_verdict(const struct vmt_run *run, struct vmt_ctx *ctx, enum vmt_source_id source)
{
	const struct vmt_source_stat *st = &run->sample->sources[source];

	switch (st->state) {
	case VMT_STATE_DENIED:
	case VMT_STATE_ABSENT:
	case VMT_STATE_FAILED:
	case VMT_STATE_SKIPPED:
		vmt_complain(ctx, "%s %s: %s", vmt_source_name(source),
			     vmt_source_state_name(st->state), st->reason);
		return st->state == VMT_STATE_DENIED ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	case VMT_STATE_UNUSED:
	case VMT_STATE_OK:
	case VMT_STATE_PARTIAL:
		break;
	}
	return 0;
}

int vmt_run_cgroup_verdict(const struct vmt_run *run, struct vmt_ctx *ctx)
{
	const struct vmt_sample *s = run->sample;
	size_t at = s->cgroup_facts.first;
	VMT_AUTO_BUF path = { 0 };
	int r = vmt_run_verdict(run, ctx, VMT_SOURCE_MEMCG);

	if (r || at >= s->n_cgroups || !s->cgroup_links[at].denied)
		return r;
	vmt_fmt_safe(&path, s->cgroups[at].path, ctx->out.ascii);
	vmt_complain(ctx, "not permitted: the files of cgroup %.200s", path.data ? path.data : "");
	return VMT_EXIT_DENIED;
}

int vmt_run_model(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_model_opts *opts)
{
	struct vmt_err err = { 0 };

	vmt_sample_settle(run->sample);
	run->sample->host.took_ns = vmt_now_ns(CLOCK_MONOTONIC) - ctx->started_ns;
	if (vmt_model_build(run->sample, run->prev, opts, &run->model, &err) < 0)
		return vmt_complain_err(ctx, &err);
	run->doc = (struct vmt_doc){
		.schema = ctx->cmd->name,
		.version = VMTOP_VERSION,
		.model = run->model,
	};
	return 0;
}

int vmt_run_remodel(struct vmt_run *run, struct vmt_ctx *ctx, const struct vmt_model_opts *opts)
{
	struct vmt_model *model;
	struct vmt_err err = { 0 };

	vmt_sample_settle(run->sample);
	run->sample->host.took_ns = vmt_now_ns(CLOCK_MONOTONIC) - ctx->started_ns;
	if (vmt_model_build(run->sample, run->prev, opts, &model, &err) < 0)
		return vmt_complain_err(ctx, &err);
	vmt_model_free(run->model);
	run->model = model;
	run->doc.model = model;
	return 0;
}

struct vmt_section *vmt_run_section(struct vmt_run *run, struct vmt_ctx *ctx, const char *key,
				    const void *rows, size_t n)
{
	struct vmt_section *s = NULL;
	size_t i;

	for (i = 0; i < ctx->cmd->n_sections; i++)
		if (strcmp(ctx->cmd->sections[i].key, key) == 0)
			s = vmt_doc_add(&run->doc, &ctx->cmd->sections[i], rows, n);
	if (!s)
		vmt_complain(ctx, "out of memory");
	return s;
}

/* A remark as a line, or as some where the terminal is narrower. */
static void add_remark(struct vmt_buf *note, const struct vmt_ctx *ctx, const struct vmt_buf *line)
{
	size_t width = ctx->out.width > 20 ? ctx->out.width : SIZE_MAX;

	if (line->data && line->len > width)
		vmt_wrap(note, line->data, width - 2, 2);
	else
		vmt_buf_addf(note, "%s\n", line->data ? line->data : "");
}

void vmt_run_remarks(struct vmt_run *run, struct vmt_ctx *ctx, struct vmt_section *last)
{
	const struct vmt_model *m = run->model;
	VMT_AUTO_BUF line = { 0 };
	size_t i;

	for (i = 0; i < m->n_findings; i++) {
		vmt_buf_clear(&line);
		vmt_buf_adds(&line, "! ");
		vmt_fmt_safe(&line, m->findings[i].text, ctx->out.ascii);
		add_remark(&last->note, ctx, &line);
	}
	for (i = 0; i < m->n_sources; i++) {
		const struct vmt_source_row *s = &m->sources[i];

		/* What is ok may have its doubts. */
		if (vmt_bytes_is(s->status, "unused") ||
		    (vmt_bytes_is(s->status, "ok") && !VMT_HAS(source, reason, s)))
			continue;
		vmt_buf_clear(&line);
		vmt_buf_adds(&line, "- ");
		vmt_fmt_safe(&line, s->name, true);
		vmt_buf_addc(&line, ' ');
		vmt_fmt_safe(&line, s->status, true);
		if (VMT_HAS(source, reason, s)) {
			vmt_buf_adds(&line, ": ");
			vmt_fmt_safe(&line, s->reason, ctx->out.ascii);
		}
		add_remark(&last->note, ctx, &line);
	}
	/* The document says it. */
	if (vmt_buf_error(&line) < 0)
		last->note.error = vmt_buf_error(&line);
}
