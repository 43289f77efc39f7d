/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/collect-loop.h"
#include "cmd/metrics-groups.h"
#include "cmd/metrics-state.h"
#include "cmd/privilege.h"
#include "model/parts.h"
#include "model/proc-group.h"
#include "source/collect-zones.h"
#include "view/prometheus.h"
#include "vmtop-config.h"

#define MACHINE                                                                                    \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(PRESSURE) |             \
	 VMT_SOURCE_BIT(ZRAM))
#define PROCESSES                                                                                  \
	(VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT) |                    \
	 VMT_SOURCE_BIT(KCMP))

/* Nodes times zones of the largest machines; a file that says more is not let make as many series.
 */
#define ZONES_MAX 1024

static const struct vmt_opt opts[] = {
	{ "textfile", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "write to FILE, which is replaced as a whole; for the textfile collector" },
	{ "groups", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "memory of the groups of processes that FILE says" },
	{ "state", 0, VMT_OPT_VALUE, "FILE", "@file",
	  "page faults of these groups too, counted on from FILE" },
	{ "pss", 0, VMT_OPT_FLAG, NULL, NULL,
	  "PSS of these groups too, which reads smaps_rollup of each of their processes" },
	VMT_OPTS_BUDGET,
};

#define GAUGE(m, id, entity, member, row)                                                          \
	do {                                                                                       \
		if (VMT_HAS(entity, member, row))                                                  \
			vmt_metrics_u64(m, VMT_METRIC_##id, VMT_NO_LABELS, (row)->member);         \
	} while (0)

/* All kinds or none: a sum with one missing is not MemTotal. */
static void add_memory(struct vmt_metrics *out, const struct vmt_model *m)
{
	const struct vmt_system *s = &m->system;
	size_t i, known = 0;

	for (i = 0; i < m->n_shares; i++)
		known += VMT_HAS(share, size_bytes, &m->shares[i]);
	for (i = 0; i < m->n_shares && known == m->n_shares; i++)
		vmt_metrics_i64(out, VMT_METRIC_MEMORY_BYTES, VMT_LABELS(m->shares[i].name),
				m->shares[i].size_bytes);
	GAUGE(out, MEMORY_AVAILABLE_BYTES, system, available_bytes, s);
	if (VMT_HAS(system, available_residual_bytes, s))
		vmt_metrics_i64(out, VMT_METRIC_MEMORY_AVAILABLE_RESIDUAL_BYTES, VMT_NO_LABELS,
				s->available_residual_bytes);
}

static void add_zone(struct vmt_metrics *out, const struct vmt_zone_row *z)
{
	char number[24];
	struct vmt_bytes node;

	snprintf(number, sizeof(number), "%" PRIu64, z->node);
	node = vmt_bytes_of(number);
	if (VMT_HAS(zone, free_bytes, z))
		vmt_metrics_u64(out, VMT_METRIC_ZONE_FREE_BYTES, VMT_LABELS(node, z->zone),
				z->free_bytes);
	if (VMT_HAS(zone, min_bytes, z))
		vmt_metrics_u64(out, VMT_METRIC_ZONE_WATERMARK_BYTES,
				VMT_LABELS(node, z->zone, VMT_BYTES("min")), z->min_bytes);
	if (VMT_HAS(zone, low_bytes, z))
		vmt_metrics_u64(out, VMT_METRIC_ZONE_WATERMARK_BYTES,
				VMT_LABELS(node, z->zone, VMT_BYTES("low")), z->low_bytes);
	if (VMT_HAS(zone, high_bytes, z))
		vmt_metrics_u64(out, VMT_METRIC_ZONE_WATERMARK_BYTES,
				VMT_LABELS(node, z->zone, VMT_BYTES("high")), z->high_bytes);
}

static void add_zones(struct vmt_metrics *out, const struct vmt_model *m)
{
	size_t i;

	for (i = 0; i < m->n_zones && i < ZONES_MAX; i++) {
		const struct vmt_zone_row *z = &m->zones[i];

		/* One without memory has no marks that could be reached. */
		if (VMT_HAS(zone, node, z) && VMT_HAS(zone, zone, z) &&
		    VMT_HAS(zone, managed_bytes, z) && z->managed_bytes)
			add_zone(out, z);
	}
}

static void add_events(struct vmt_metrics *out, const struct vmt_system *s)
{
	const struct vmt_bytes scan = VMT_BYTES("scan"), steal = VMT_BYTES("steal");
	const struct vmt_bytes kswapd = VMT_BYTES("kswapd"), direct = VMT_BYTES("direct");

	if (VMT_HAS(system, pgfault_total, s) && VMT_HAS(system, pgmajfault_total, s) &&
	    s->pgfault_total >= s->pgmajfault_total)
		vmt_metrics_u64(out, VMT_METRIC_PAGE_FAULTS_TOTAL, VMT_LABELS(VMT_BYTES("minor")),
				s->pgfault_total - s->pgmajfault_total);
	if (VMT_HAS(system, pgmajfault_total, s))
		vmt_metrics_u64(out, VMT_METRIC_PAGE_FAULTS_TOTAL, VMT_LABELS(VMT_BYTES("major")),
				s->pgmajfault_total);
	if (VMT_HAS(system, pgscan_kswapd_total, s))
		vmt_metrics_u64(out, VMT_METRIC_RECLAIM_PAGES_TOTAL, VMT_LABELS(kswapd, scan),
				s->pgscan_kswapd_total);
	if (VMT_HAS(system, pgsteal_kswapd_total, s))
		vmt_metrics_u64(out, VMT_METRIC_RECLAIM_PAGES_TOTAL, VMT_LABELS(kswapd, steal),
				s->pgsteal_kswapd_total);
	if (VMT_HAS(system, pgscan_direct_total, s))
		vmt_metrics_u64(out, VMT_METRIC_RECLAIM_PAGES_TOTAL, VMT_LABELS(direct, scan),
				s->pgscan_direct_total);
	if (VMT_HAS(system, pgsteal_direct_total, s))
		vmt_metrics_u64(out, VMT_METRIC_RECLAIM_PAGES_TOTAL, VMT_LABELS(direct, steal),
				s->pgsteal_direct_total);
	if (VMT_HAS(system, workingset_refault_anon_total, s))
		vmt_metrics_u64(out, VMT_METRIC_REFAULT_PAGES_TOTAL, VMT_LABELS(VMT_BYTES("anon")),
				s->workingset_refault_anon_total);
	if (VMT_HAS(system, workingset_refault_file_total, s))
		vmt_metrics_u64(out, VMT_METRIC_REFAULT_PAGES_TOTAL, VMT_LABELS(VMT_BYTES("file")),
				s->workingset_refault_file_total);
	GAUGE(out, OOM_KILLS_TOTAL, system, oom_kill_total, s);
}

static void add_pressure(struct vmt_metrics *out, const struct vmt_model *m)
{
	size_t i;

	for (i = 0; i < m->n_pressure; i++) {
		const struct vmt_pressure *p = &m->pressure[i];

		if (VMT_HAS(pressure, stalled_total_ns, p))
			vmt_metrics_seconds(out, VMT_METRIC_PRESSURE_STALL_SECONDS_TOTAL,
					    VMT_LABELS(p->resource, p->kind), p->stalled_total_ns);
	}
}

/* Of the sources that were asked for; one that nothing was to be read of is neither up nor down. */
static void add_sources(struct vmt_metrics *out, const struct vmt_sample *s, uint64_t asked)
{
	size_t i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++) {
		const struct vmt_source_stat *st = &s->sources[i];

		if (asked >> i & 1 && st->state != VMT_STATE_UNUSED)
			vmt_metrics_u64(
				out, VMT_METRIC_SOURCE_UP,
				VMT_LABELS(vmt_bytes_of(vmt_source_name((enum vmt_source_id)i))),
				st->state == VMT_STATE_OK);
	}
}

/* The groups of one run. */
struct groups {
	struct vmt_metric_groups file;
	struct vmt_arena arena;
	struct vmt_bytes *names; /* of each process; heap */
	struct vmt_proc_group *rows;
	size_t n_rows;
	int state_code; /* exit code where the state could not be kept */
	int lock; /* of the state, or -1; until the program ends, when all is written */
};

static void groups_done(struct groups *g)
{
	vmt_closep(&g->lock);
	vmt_metric_groups_done(&g->file);
	vmt_arena_done(&g->arena);
	free(g->names);
}

static bool is_rest(struct vmt_bytes name)
{
	return vmt_bytes_is(name, VMT_METRIC_GROUP_REST);
}

static int no_memory(struct vmt_ctx *ctx)
{
	return vmt_no_memory(ctx);
}

/* PSS of the processes that the file names; the rest may be all of the machine. */
static int read_pss(struct vmt_ctx *ctx, struct vmt_run *run, const struct groups *g)
{
	const struct vmt_sample *s = run->sample;
	VMT_AUTO_FREE size_t *indices = calloc(s->n_procs ? s->n_procs : 1, sizeof(*indices));
	size_t i, n = 0;

	if (!indices)
		return no_memory(ctx);
	for (i = 0; i < s->n_procs; i++)
		if (g->names[i].ptr && !is_rest(g->names[i]))
			indices[n++] = i;
	vmt_run_announce(run, ctx, VMT_SOURCE_BIT(ROLLUP), indices, n);
	return n ? vmt_run_procs(run, ctx, VMT_SOURCE_BIT(ROLLUP), indices, n) : 0;
}

/* One whose memory is gone has none that is unknown. */
static void settle_gone(struct vmt_sample *s)
{
	size_t i;

	for (i = 0; i < s->n_procs; i++) {
		struct vmt_proc *p = &s->procs[i];

		if (VMT_HAS(proc, read_status, p) && vmt_bytes_is(p->read_status, "gone") &&
		    !VMT_HAS(proc, pss_bytes, p))
			VMT_SET(proc, pss_bytes, p, 0);
	}
}

/* What it counts is known again by the next run; 0 or an exit code. */
static int count_faults(struct vmt_ctx *ctx, const struct vmt_sample *s, struct groups *g,
			struct vmt_metrics *out)
{
	const char *path = vmt_ctx_value(ctx, "state");
	VMT_AUTO_METRIC_STATE old, now;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err err = { 0 };
	size_t i;
	bool anew;
	int r;

	vmt_metric_state_init(&old);
	vmt_metric_state_init(&now);
	r = vmt_metric_state_load(&old, path, &err);
	if (r == -ENOMEM)
		return no_memory(ctx);
	/* A counter that begins anew is understood; one that cannot be kept never was one. */
	anew = r == -EINVAL;
	if (r < 0 && !anew && r != -ENOENT)
		return vmt_complain_err(ctx, &err);
	if (vmt_metric_state_next(&old, s->host.boot_id, s->procs, g->names, s->n_procs, &now) < 0)
		return no_memory(ctx);
	vmt_metric_state_write(&now, &text);
	r = vmt_write_text(ctx, path, 0, &text);
	if (r)
		return r;
	if (anew)
		vmt_note(ctx, "%s: %s: counting begins anew", path, err.text);
	for (i = 0; i <= g->file.n; i++) {
		struct vmt_bytes name = i < g->file.n ? vmt_bytes_of(g->file.groups[i].name)
						      : VMT_BYTES(VMT_METRIC_GROUP_REST);
		const struct vmt_fault_counts *total = vmt_metric_state_total(&now, name);

		vmt_metrics_u64(out, VMT_METRIC_GROUP_PAGE_FAULTS_TOTAL,
				VMT_LABELS(name, VMT_BYTES("minor")), total ? total->minor : 0);
		vmt_metrics_u64(out, VMT_METRIC_GROUP_PAGE_FAULTS_TOTAL,
				VMT_LABELS(name, VMT_BYTES("major")), total ? total->major : 0);
	}
	return 0;
}

/* A group that has no process has no memory, which is known. */
static void add_group(struct vmt_metrics *out, struct vmt_bytes name,
		      const struct vmt_proc_group *row, bool pss)
{
	static const struct vmt_proc_group none;
	const struct vmt_proc_group *g = row ? row : &none;
	struct vmt_labels labels = VMT_LABELS(name);
	bool empty = !row || g->processes_total == 0;

	vmt_metrics_u64(out, VMT_METRIC_GROUP_PROCESSES, labels, g->processes_total);
	vmt_metrics_u64(out, VMT_METRIC_GROUP_UNKNOWN_PROCESSES, labels, g->unknown_total);
	if (empty || VMT_HAS(group, rss_bytes, g))
		vmt_metrics_u64(out, VMT_METRIC_GROUP_RESIDENT_BYTES, labels, g->rss_bytes);
	if (empty || VMT_HAS(group, swap_bytes, g))
		vmt_metrics_u64(out, VMT_METRIC_GROUP_SWAP_BYTES, labels, g->swap_bytes);
	/* What was left out may be most of it. */
	if (pss && !is_rest(name) && g->pss_unknown_total == 0 &&
	    (empty || VMT_HAS(group, pss_bytes, g)))
		vmt_metrics_u64(out, VMT_METRIC_GROUP_PROPORTIONAL_BYTES, labels, g->pss_bytes);
}

static const struct vmt_proc_group *row_of(const struct groups *g, struct vmt_bytes name)
{
	size_t i;

	for (i = 0; i < g->n_rows; i++)
		if (VMT_HAS(group, name, &g->rows[i]) && vmt_bytes_equal(g->rows[i].name, name))
			return &g->rows[i];
	return NULL;
}

static int name_processes(struct groups *g, const struct vmt_sample *s)
{
	size_t i;

	g->names = calloc(s->n_procs ? s->n_procs : 1, sizeof(*g->names));
	if (!g->names)
		return -ENOMEM;
	for (i = 0; i < s->n_procs; i++)
		if (!VMT_HAS(proc, class, &s->procs[i]) ||
		    !vmt_bytes_is(s->procs[i].class, "kernel"))
			g->names[i] = vmt_metric_group_of(&g->file, &s->procs[i]);
	return 0;
}

/* For what the run before needs, on a machine that does a lot. */
#define LOCK_PATIENCE_NS UINT64_C(30000000000)

/* Where it cannot be had, nothing is counted, and the rest is written all the same. */
static void lock_state(struct vmt_ctx *ctx, struct groups *g)
{
	const char *path = vmt_ctx_value(ctx, "state");
	uint64_t until = ctx->deadline_ns ? ctx->deadline_ns : ctx->started_ns + LOCK_PATIENCE_NS;
	struct vmt_err err = { 0 };

	if (path && vmt_metric_state_lock(path, until, &g->lock, &err) < 0)
		g->state_code = vmt_complain_err(ctx, &err);
}

/* Reads the processes and adds what the groups have; an exit code or 0. */
static int add_groups(struct vmt_ctx *ctx, struct vmt_run *run, struct groups *g,
		      struct vmt_metrics *out)
{
	uint64_t want = PROCESSES;
	bool pss = vmt_ctx_given(ctx, "pss");
	size_t i;
	int r;

	lock_state(ctx, g);
	if (vmt_metric_groups_ask(&g->file, VMT_GROUP_KEY_CGROUP))
		want |= VMT_SOURCE_BIT(CGROUP);
	r = vmt_run_sample(run, ctx, want | (pss ? VMT_COLLECT_HOLD : 0), NULL, 0);
	if (r)
		return r;
	if (name_processes(g, run->sample) < 0)
		return no_memory(ctx);
	r = pss ? read_pss(ctx, run, g) : 0;
	if (r)
		return r;
	vmt_sample_settle(run->sample);
	settle_gone(run->sample);
	if (vmt_proc_groups_named(run->sample->procs, g->names, run->sample->n_procs, &g->arena,
				  &g->rows, &g->n_rows) < 0)
		return no_memory(ctx);
	for (i = 0; i < g->file.n; i++) {
		struct vmt_bytes name = vmt_bytes_of(g->file.groups[i].name);

		add_group(out, name, row_of(g, name), pss);
	}
	add_group(out, VMT_BYTES(VMT_METRIC_GROUP_REST),
		  row_of(g, VMT_BYTES(VMT_METRIC_GROUP_REST)), pss);
	add_sources(out, run->sample, want | (pss ? VMT_SOURCE_BIT(ROLLUP) : 0));
	/* The rest is written all the same. */
	if (g->lock >= 0)
		g->state_code = count_faults(ctx, run->sample, g, out);
	return 0;
}

static int add_machine(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_metrics *out)
{
	int r = vmt_run_sample(run, ctx, MACHINE, NULL, 0);

	if (r)
		return r;
	if (vmt_collect_zones(run->collector, run->sample, VMT_SOURCE_BIT(ZONEINFO)) < 0)
		return no_memory(ctx);
	r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	add_memory(out, run->model);
	add_zones(out, run->model);
	add_events(out, &run->model->system);
	add_pressure(out, run->model);
	add_sources(out, run->sample, MACHINE | VMT_SOURCE_BIT(ZONEINFO));
	vmt_metrics_seconds(out, VMT_METRIC_COLLECT_DURATION_SECONDS, VMT_NO_LABELS,
			    run->sample->host.took_ns);
	vmt_metrics_u64(out, VMT_METRIC_BUILD_INFO, VMT_LABELS(VMT_BYTES(VMTOP_VERSION)), 1);
	return 0;
}

static int options(struct vmt_ctx *ctx, struct groups *g)
{
	static const char *const of_groups[] = { "state", "pss", "budget", "force" };
	const char *path = vmt_ctx_value(ctx, "groups");
	struct vmt_err err = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(of_groups); i++)
		if (!path && vmt_ctx_given(ctx, of_groups[i]))
			return vmt_usage_error(ctx, "--%s is for --groups", of_groups[i]);
	if (path && vmt_metric_groups_load(path, &g->file, &err) < 0)
		return vmt_complain_err(ctx, &err);
	return 0;
}

static int run_metrics(struct vmt_ctx *ctx)
{
	const char *path = vmt_ctx_value(ctx, "textfile");
	VMT_CLEANUP(groups_done) struct groups g = { .lock = -1 };
	VMT_AUTO_METRICS out = { 0 };
	VMT_AUTO_BUF text = { 0 };
	VMT_AUTO_RUN run = { 0 };
	int r;

	vmt_arena_init(&g.arena);
	r = options(ctx, &g);
	if (r == 0)
		r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_budget(&run, ctx);
	if (r == 0 && vmt_ctx_given(ctx, "groups"))
		r = add_groups(ctx, &run, &g, &out);
	if (r == 0)
		r = add_machine(ctx, &run, &out);
	if (r)
		return r;
	if (vmt_metrics_write(&out, &text) < 0)
		return no_memory(ctx);
	r = path ? vmt_write_text(ctx, path, 0644, &text) : vmt_print_text(ctx, &text);
	if (r == 0)
		r = vmt_doc_verdict(ctx, &run.doc);
	return r ? r : g.state_code;
}

const struct vmt_cmd vmt_cmd_metrics = {
	.name = "metrics",
	.summary = "the machine and groups of processes as metrics for Prometheus",
	.synopsis = "[--textfile FILE] [--groups FILE [--state FILE] [--pss]] [OPTION]...",
	.cost = "half a dozen small files; with --groups two or three small ones a process, with --pss "
		"a walk of the page tables of those that are named",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE,
	.keeps = VMT_RIGHT_FILES,
	.run = run_metrics,
};
