/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/parse.h"
#include "cmd/fault-window.h"
#include "cmd/privilege.h"
#include "cmd/report-events.h"
#include "cmd/report-heat.h"
#include "cmd/report-pictures.h"
#include "cmd/sandbox.h"
#include "cmd/text.h"
#include "view/picture.h"

enum { SYSTEM, PROCESSES, EVENTS, GAPS, FAULTS, BALANCE, FILES, N_SECTIONS };

static const struct vmt_section_def sections[N_SECTIONS] = {
	[SYSTEM] = { "system", &vmt_entity_system, true, "the machine's memory" },
	[PROCESSES] = { "processes", &vmt_entity_proc, false, "processes, one row each" },
	[EVENTS] = { "events", &vmt_entity_event, false, "crashes and OOM kills" },
	[GAPS] = { "gaps", &vmt_entity_gap, false, "how many of those are missing" },
	[FAULTS] = { "faults", &vmt_entity_fault, false, "page faults by mapping" },
	[BALANCE] = { "balance", &vmt_entity_balance, false,
		      "the sum of each process against the kernel's counters" },
	[FILES] = { "files", &vmt_entity_file, false, "calls of filemap_fault by file" },
};

static const struct vmt_opt opts[] = {
	{ "pid", 'p', VMT_OPT_VALUE, "LIST", "@pid", "only these processes, with PSS of each" },
	{ "duration", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "count faults, and watch what dies, for SEC seconds (default 3; 0 for not at all)" },
	{ "only", 0, VMT_OPT_VALUE, "LIST",
	  "system processes events faults balance files maps flame heat",
	  "only these sections; of html and svg these pictures, too" },
	VMT_OPTS_BUDGET,
};

/* Rows of a table in text; documents have all. */
#define TEXT_ROWS 15
/* Of one in a page, which is read by people, too. */
#define PAGE_ROWS 100

/* PSS is dear: in a report of the whole machine the largest processes have it. */
#define PSS_PROCESSES 10

#define CHEAP                                                                                      \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PIDS))

/* What --only says. */
struct parts {
	unsigned sections; /* bits by their place in the list */
	unsigned pictures; /* bits by enum vmt_picture_id, where the format has some */
};

static int parse_word(struct vmt_ctx *ctx, const char *word, size_t len, struct parts *ret)
{
	int picture = vmt_report_picture_of(word, len);
	bool known = false;
	size_t i;

	for (i = 0; i < N_SECTIONS; i++) {
		/* Gaps come with events. */
		if (i == GAPS || strlen(sections[i].key) != len ||
		    strncmp(sections[i].key, word, len) != 0)
			continue;
		ret->sections |= 1u << i;
		known = true;
	}
	if (picture >= 0 && vmt_report_has_pictures(ctx))
		ret->pictures |= 1u << picture;
	else if (picture >= 0 && !known)
		return vmt_usage_error(ctx, "%s is a picture: --format html or svg",
				       vmt_pictures[picture]->name);
	if (known || picture >= 0)
		return 0;
	return vmt_usage_error(ctx, "--only takes system, processes, events, faults, balance and "
				    "files, and of html and svg maps, flame and heat");
}

static int parse_only(struct vmt_ctx *ctx, struct parts *ret)
{
	const char *list = vmt_ctx_value(ctx, "only");
	int r = 0;

	*ret = (struct parts){ 0 };
	if (!list) {
		bool svg = ctx->format->emit == vmt_out_svg;

		ret->sections = (1u << N_SECTIONS) - 1;
		if (vmt_report_has_pictures(ctx) && !svg)
			ret->pictures = (1u << VMT_PICTURES) - 1;
	}
	while (list && r == 0) {
		size_t len = strcspn(list, ",");

		r = parse_word(ctx, list, len, ret);
		list = list[len] && list[len + 1] ? list + len + 1 : NULL;
	}
	if (r == 0)
		r = vmt_report_choose(ctx, vmt_ctx_given(ctx, "pid"), &ret->pictures);
	/* A picture has what it is made of read, and nothing else. */
	if (r == 0 && ctx->format->emit == vmt_out_svg)
		ret->sections = ret->pictures == 1u << VMT_PICTURE_PROCESSES ? 1u << PROCESSES : 0;
	return r;
}

static bool counts_faults(const struct parts *p)
{
	return p->sections & 1u << FAULTS ||
	       p->pictures & (1u << VMT_PICTURE_FLAME | 1u << VMT_PICTURE_HEAT);
}

static int by_rss(const void *pa, const void *pb, void *arg)
{
	const struct vmt_proc *procs = arg;
	const struct vmt_proc *a = &procs[*(const size_t *)pa], *b = &procs[*(const size_t *)pb];
	uint64_t ra = VMT_HAS(proc, rss_bytes, a) ? a->rss_bytes : 0;
	uint64_t rb = VMT_HAS(proc, rss_bytes, b) ? b->rss_bytes : 0;

	return ra > rb ? -1 : ra < rb;
}

/* The number of mappings of all, and to know which process answers; PSS of the largest. */
static int read_processes(struct vmt_ctx *ctx, struct vmt_run *run, bool chosen)
{
	struct vmt_sample *s = run->sample;
	VMT_AUTO_FREE size_t *order = calloc(s->n_procs ? s->n_procs : 1, sizeof(*order));
	size_t i, n = 0;
	int r;

	if (!order)
		return vmt_no_memory(ctx);
	for (i = 0; i < s->n_procs; i++)
		if (!VMT_HAS(proc, class, &s->procs[i]) || vmt_bytes_is(s->procs[i].class, "user"))
			order[n++] = i;
	r = vmt_run_procs(run, ctx, VMT_SOURCE_BIT(MAPS) | VMT_COLLECT_COUNT, order, n);
	if (r)
		return r;
	qsort_r(order, n, sizeof(*order), by_rss, s->procs);
	if (!chosen && n > PSS_PROCESSES)
		n = PSS_PROCESSES;
	vmt_run_announce(run, ctx, VMT_SOURCE_BIT(ROLLUP), order, n);
	return vmt_run_procs(run, ctx, VMT_SOURCE_BIT(ROLLUP), order, n);
}

static void heading(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_sample *s)
{
	const struct vmt_host *h = &s->host;

	vmt_buf_adds(out, "Linux ");
	vmt_fmt_safe(out, h->release, ctx->out.ascii);
	vmt_buf_addc(out, ' ');
	vmt_fmt_safe(out, h->machine, ctx->out.ascii);
	if (h->cpus)
		vmt_buf_addf(out, ", %" PRIu64 " processors", h->cpus);
	if (h->realtime_ns) {
		vmt_buf_adds(out, ", ");
		vmt_fmt_time(out, h->realtime_ns);
	}
	vmt_buf_adds(out, "\n\n");
}

/* What the kernel has counted since boot; who these were it does not tell. */
static void oom_text(struct vmt_buf *out, const struct vmt_system *s)
{
	if (VMT_HAS(system, oom_kill_total, s) && s->oom_kill_total)
		vmt_buf_addf(out, "the OOM killer ended %" PRIu64 " process%s since boot\n",
			     s->oom_kill_total, s->oom_kill_total == 1 ? "" : "es");
}

static int add_sections(struct vmt_ctx *ctx, struct vmt_run *run,
			const struct vmt_report_events *events, unsigned only)
{
	const struct vmt_model *m = run->model;
	const struct {
		const char *title; /* of text */
		const char *heading; /* of a page */
		const void *rows;
		size_t n;
		const char *columns;
	} parts[N_SECTIONS] = {
		[SYSTEM] = { "MEMORY", NULL, &m->system, 1, NULL },
		[PROCESSES] = { "PROCESSES by resident memory", NULL, m->procs, m->n_procs,
				ctx->named ? "PID,USER,RSS,PSS,USS,ANON,FILE,SHMEM,SWAP,MAPS,"
					     "MINFLT,MAJFLT,COMMAND"
					   : NULL },
		[FAULTS] = { "FAULTS by mapping", "Page faults by mapping", m->faults, m->n_faults,
			     NULL },
		[BALANCE] = { "SUM by process",
			      "Page faults by process, against the kernel's counters", m->balance,
			      m->n_balance, NULL },
		[FILES] = { "FILES: calls of filemap_fault", "Files by calls of filemap_fault",
			    m->files, m->n_files, NULL },
	};
	const char *top = vmt_ctx_value(ctx, "top");
	bool text = strcmp(ctx->format->name, "text") == 0, first = true;
	uint64_t rows = text ? TEXT_ROWS : vmt_report_has_pictures(ctx) ? PAGE_ROWS : 0;
	struct vmt_section *s = NULL, *died;
	size_t i;
	int r;

	if (top)
		vmt_parse_u64(top, &rows);
	for (i = 0; i < N_SECTIONS; i++) {
		if (!(only & 1u << i) || (i >= FAULTS && !m->has_probe) || i == GAPS)
			continue;
		if (i == EVENTS) {
			r = vmt_report_events_add(events, ctx, run, rows, &died);
			if (r)
				return r;
			s = died ? died : s;
			if (first && died)
				heading(&s->lead, ctx, run->sample);
			first &= !died;
			continue;
		}
		/* A page has these as pictures with a table. */
		if (vmt_report_has_pictures(ctx) && i < FAULTS)
			continue;
		s = vmt_run_section(run, ctx, sections[i].key, parts[i].rows, parts[i].n);
		if (!s)
			return VMT_EXIT_FAILED;
		s->title = vmt_report_has_pictures(ctx) ? parts[i].heading : parts[i].title;
		if (parts[i].columns &&
		    vmt_columns_parse(&s->columns, sections[i].entity, parts[i].columns, NULL) < 0)
			return vmt_no_memory(ctx);
		vmt_section_arrange(s, rows);
		if (first)
			heading(&s->lead, ctx, run->sample);
		first = false;
		if (i == SYSTEM) {
			vmt_swap_text(&s->note, ctx, m);
			vmt_available_text(&s->note, ctx, m);
			oom_text(&s->note, &m->system);
		}
		if (i == FAULTS)
			vmt_window_text(&s->note, ctx, m);
	}
	/* A page has findings and sources in parts of their own. */
	if (s && !vmt_report_has_pictures(ctx)) {
		vmt_buf_addc(&s->note, '\n');
		vmt_run_remarks(run, ctx, s);
	}
	return 0;
}

/* Counts faults, and what dies where events is not NULL; then there is a second sample. */
static int measure(struct vmt_ctx *ctx, struct vmt_run *run, const struct vmt_window_opts *how,
		   struct vmt_report_events *events, struct vmt_window **ret)
{
	int r = events ? vmt_report_events_begin(events, ctx, how->pids, how->n_pids) : 0;

	if (r == 0)
		r = vmt_window_run(ctx, how, ret);
	vmt_run_time_anew(run, ctx);
	if (r == 0)
		r = vmt_run_sample(run, ctx, CHEAP, how->pids, how->n_pids);
	if (r == 0 && events)
		r = vmt_report_events_take(events, ctx, run);
	return r;
}

static int run_report(struct vmt_ctx *ctx)
{
	struct vmt_window_opts window_opts = { .duration_ns = UINT64_C(3000000000),
					       .overhead_percent = VMT_OVERHEAD_USUAL };
	const char *list = vmt_ctx_value(ctx, "pid");
	const char *duration = vmt_ctx_value(ctx, "duration");
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_CLEANUP(vmt_report_heat_done) struct vmt_report_heat heat;
	VMT_CLEANUP(vmt_report_events_done) struct vmt_report_events events = { 0 };
	VMT_AUTO_WINDOW window = NULL;
	VMT_AUTO_RUN run = { 0 };
	struct parts parts;
	unsigned only = 0;
	size_t n_pids = 0;
	int r = parse_only(ctx, &parts), missing;
	bool measures;

	vmt_report_heat_init(&heat);
	only = parts.sections;
	if (r == 0 && vmt_report_has_pictures(ctx))
		r = vmt_report_check_sink(ctx);

	if (r == 0 && list)
		r = vmt_parse_pids(ctx, list, &pids, &n_pids);
	if (r)
		return r;
	if (duration && vmt_parse_duration(duration, &window_opts.duration_ns) < 0)
		return vmt_usage_error(ctx, "--duration takes seconds, as 3, 0.5 or 500ms");
	/* 'vmtop' alone costs next to nothing: no probe, no dear source. */
	if (!ctx->named) {
		only &= 1u << SYSTEM | 1u << PROCESSES;
		window_opts.duration_ns = 0;
	}
	window_opts.pids = pids;
	window_opts.n_pids = n_pids;
	window_opts.idle = !counts_faults(&parts);
	measures = !ctx->root && window_opts.duration_ns &&
		   (!window_opts.idle || only & 1u << EVENTS);
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0 && !measures)
		r = vmt_sandbox_close(ctx);
	if (r == 0)
		r = vmt_run_budget(&run, ctx);
	if (r == 0)
		r = vmt_run_sample(&run, ctx, CHEAP, pids, n_pids);
	if (r)
		return r;
	missing = list ? vmt_run_missing(&run, ctx, pids, n_pids) : 0;
	if (missing && run.sample->n_procs == 0)
		return missing;
	if (parts.pictures >> VMT_PICTURE_FLAME & 1)
		window_opts.stacks = VMT_STACK_FULL;
	if (parts.pictures >> VMT_PICTURE_HEAT & 1)
		vmt_report_heat_ask(&heat, &window_opts);
	if (measures)
		r = measure(ctx, &run, &window_opts, only & 1u << EVENTS ? &events : NULL, &window);
	if (r == 0 && ctx->named && only & 1u << PROCESSES)
		r = read_processes(ctx, &run, list != NULL);
	if (r == 0 && parts.pictures >> VMT_PICTURE_MAPS & 1)
		r = vmt_report_maps(ctx, &run, pids, n_pids);
	if (r == 0 && window)
		r = vmt_window_attach(ctx, window, &run);
	if (window && heat.heat.n_columns)
		run.sample->heat = &heat.heat;
	if (r == 0)
		r = vmt_run_model(&run, ctx, NULL);
	if (r == 0)
		r = add_sections(ctx, &run, &events, only);
	if (r == 0) {
		run.doc.pictures = parts.pictures;
		run.doc.pids = pids;
		run.doc.n_pids = n_pids;
		r = vmt_report_drawable(ctx, &run.doc);
	}
	if (r)
		return r;
	r = vmt_print_doc(ctx, &run.doc);
	if (r == 0 && only & 1u << PROCESSES)
		r = vmt_run_verdict(&run, ctx, VMT_SOURCE_PIDS);
	if (r == 0)
		r = vmt_window_signal(window);
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_report = {
	.name = "report",
	.summary = "one document with all of it: memory, processes, what died, faults",
	.synopsis = "[-p LIST] [--duration SEC] [--only LIST] [--budget SEC | --force] [OPTION]...",
	.cost = "maps of every process, smaps_rollup of the ten largest (with -p of all named), and "
		"the fault probe while it counts, and programs for crashes and OOM kills",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.has_probes = true,
	.keeps = VMT_RIGHT_PROBES,
	.run = run_report,
};
