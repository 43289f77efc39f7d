/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "cmd/privilege.h"
#include "cmd/replay.h"
#include "cmd/top-replay.h"
#include "vmtop-config.h"

static const struct vmt_section_def sections[] = {
	{ "system", &vmt_entity_system, true, "the machine's memory" },
	{ "commit", &vmt_entity_commit, true, "what may be promised to processes" },
	{ "pressure", &vmt_entity_pressure, false, "how long tasks waited for a resource" },
	{ "zones", &vmt_entity_zone, false, "zones with their watermarks" },
	{ "processes", &vmt_entity_proc, false, "processes" },
	{ "mappings", &vmt_entity_map, false, "mappings of the processes that were asked for" },
	{ "faults", &vmt_entity_fault, false, "page faults by mapping" },
	{ "balance", &vmt_entity_balance, false, "page faults by process" },
	{ "events", &vmt_entity_event, false, "crashes and OOM kills" },
	{ "gaps", &vmt_entity_gap, false, "events that are missing" },
};

static const struct vmt_opt opts[] = {
	{ "read", 'r', VMT_OPT_VALUE, "FILE", "@file", "the recording" },
	{ "begin", 0, VMT_OPT_VALUE, "TIME", NULL,
	  "from then on, as 03:14, 2026-11-21T03:14:05 or @SECONDS" },
	{ "end", 0, VMT_OPT_VALUE, "TIME", NULL, "until then" },
	{ "batch", 'b', VMT_OPT_FLAG, NULL, NULL, "print screens as text, one a sample" },
	{ "ndjson", 0, VMT_OPT_FLAG, NULL, NULL, "one JSON object a line, as in vmtop-json(5)" },
	VMT_OPTS_TOP_LOOK,
};

/* Mappings of all processes, one behind the other. */
static int add_maps(struct vmt_run *run)
{
	const struct vmt_sample *s = run->sample;
	struct vmt_map *all;
	size_t n = 0, i;

	for (i = 0; s->maps && i < s->n_procs; i++)
		n += s->maps[i].n_maps;
	all = vmt_arena_alloc(&run->model->arena, n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	n = 0;
	for (i = 0; s->maps && i < s->n_procs; i++) {
		if (s->maps[i].n_maps)
			memcpy(all + n, s->maps[i].maps, s->maps[i].n_maps * sizeof(*all));
		n += s->maps[i].n_maps;
	}
	return vmt_doc_add(&run->doc, &sections[5], all, n) ? 0 : -ENOMEM;
}

static int make_doc(struct vmt_run *run)
{
	struct vmt_model *m = run->model;

	if (!vmt_doc_add(&run->doc, &sections[0], &m->system, 1) ||
	    !vmt_doc_add(&run->doc, &sections[1], &m->commit, 1) ||
	    !vmt_doc_add(&run->doc, &sections[2], m->pressure, m->n_pressure) ||
	    !vmt_doc_add(&run->doc, &sections[3], m->zones, m->n_zones) ||
	    !vmt_doc_add(&run->doc, &sections[4], m->procs, m->n_procs))
		return -ENOMEM;
	if (m->has_probe && (!vmt_doc_add(&run->doc, &sections[6], m->faults, m->n_faults) ||
			     !vmt_doc_add(&run->doc, &sections[7], m->balance, m->n_balance)))
		return -ENOMEM;
	if (vmt_sample_has_events(run->sample) &&
	    (!vmt_doc_add(&run->doc, &sections[8], run->sample->events, run->sample->n_events) ||
	     !vmt_doc_add(&run->doc, &sections[9], run->sample->event_gaps,
			  run->sample->n_event_gaps)))
		return -ENOMEM;
	return add_maps(run);
}

struct print {
	struct vmt_ctx *ctx;
	struct vmt_replay *rp;
	int exit;
};

/* Every sample, with all that is known of it. */
static int print_samples(struct vmt_sink *sink, void *arg)
{
	struct print *p = arg;
	struct vmt_out_opts out = p->ctx->out;
	VMT_AUTO_RUN run = { 0 };
	uint64_t n = 0;
	int r = 0;

	out.all_fields = true;
	for (; r == 0 && p->rp->at < p->rp->end; p->rp->at++) {
		struct vmt_err err = { 0 };

		/* The others can be read. */
		if (vmt_replay_sample(p->rp, &run, p->ctx, &err) < 0) {
			p->exit = vmt_complain_err(p->ctx, &err);
			continue;
		}
		r = make_doc(&run);
		run.doc.part = VMT_DOC_SAMPLE;
		run.doc.sample = ++n;
		if (r == 0)
			r = vmt_out_ndjson(sink, &run.doc, &out);
		vmt_doc_done(&run.doc);
	}
	if (r == 0 && n) {
		run.doc = (struct vmt_doc){
			.schema = p->ctx->cmd->name,
			.version = VMTOP_VERSION,
			.model = run.model,
			.part = VMT_DOC_END,
			.sample = n,
		};
		r = vmt_out_ndjson(sink, &run.doc, &out);
	}
	return r;
}

static int run_replay(struct vmt_ctx *ctx)
{
	VMT_AUTO_REPLAY rp = { 0 };
	struct print p = { .ctx = ctx, .rp = &rp };
	int r = vmt_replay_open(&rp, ctx);

	if (r)
		return r;
	if (!vmt_ctx_given(ctx, "ndjson"))
		return vmt_top_replay(ctx, &rp);
	r = vmt_print_stream(ctx, print_samples, &p);
	return r ? r : p.exit;
}

const struct vmt_cmd vmt_cmd_replay = {
	.name = "replay",
	.summary = "a recording on the dashboard, or printed",
	.synopsis = "-r FILE [--begin TIME] [--end TIME] [--screen NAME | -b | --ndjson]",
	.cost = "none but the file",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE,
	.keeps = VMT_RIGHT_TERMINAL,
	.run = run_replay,
};
