/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/parts.h"

#include "model/kernel-sample.h"
#include "model/zone-sample.h"
#include "model/cgroup.h"

/* How much of what it may map a process has used up. */
static void map_budget(struct vmt_proc *p, uint64_t limit)
{
	uint64_t v;

	if (!limit || !VMT_HAS(proc, maps_total, p))
		return;
	VMT_SET(proc, maps_limit, p, limit);
	if (!__builtin_mul_overflow(p->maps_total, 100 * 1000, &v))
		VMT_SET(proc, maps_percent, p, v / limit);
}

/* The machine's memory as a sum, where meminfo was asked for. */
static int sum_up(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns, bool shares)
{
	const struct vmt_sample *s = m->sample;
	uint64_t page = s->host.page_size;
	struct vmt_part before[VMT_PART_COUNT];

	m->commit = s->commit;
	if (s->sources[VMT_SOURCE_MEMINFO].state == VMT_STATE_UNUSED)
		return 0;
	m->parts = vmt_arena_alloc(&m->arena, VMT_PART_COUNT, sizeof(*m->parts));
	m->terms = vmt_arena_alloc(&m->arena, VMT_TERM_COUNT, sizeof(*m->terms));
	m->pressure = vmt_arena_alloc(&m->arena, s->n_pressure, sizeof(*m->pressure));
	if (!m->parts || !m->terms || !m->pressure)
		return -ENOMEM;
	vmt_parts(&m->system, page, m->parts);
	m->n_parts = VMT_PART_COUNT;
	if (shares) {
		m->shares = vmt_arena_alloc(&m->arena, VMT_SHARE_COUNT, sizeof(*m->shares));
		if (!m->shares)
			return -ENOMEM;
		vmt_shares(&m->system, m->parts, m->shares);
		m->n_shares = VMT_SHARE_COUNT;
	}
	vmt_available_terms(&m->system, page, m->terms);
	m->n_terms = VMT_TERM_COUNT;
	vmt_commit_derive(&m->commit, &m->system, page);
	if (s->n_pressure)
		memcpy(m->pressure, s->pressure, s->n_pressure * sizeof(*m->pressure));
	m->n_pressure = s->n_pressure;
	if (dt_ns) {
		vmt_parts(&prev->system, prev->host.page_size, before);
		vmt_parts_change(m->parts, before);
		vmt_pressure_rates(m->pressure, m->n_pressure, prev->pressure, prev->n_pressure,
				   dt_ns);
	}
	return 0;
}

/* The row of one process. */
static void copy_proc(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns, size_t i)
{
	const struct vmt_sample *s = m->sample;
	const struct vmt_proc *before;

	m->procs[i] = s->procs[i];
	map_budget(&m->procs[i], s->host.max_map_count);
	before = dt_ns ? vmt_sample_proc(prev, s->procs[i].pid) : NULL;
	if (before)
		vmt_proc_rates(&m->procs[i], before, dt_ns);
}

static int copy_procs(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns)
{
	const struct vmt_sample *s = m->sample;
	size_t i;

	m->procs = vmt_arena_alloc(&m->arena, s->n_procs, sizeof(*m->procs));
	if (!m->procs)
		return -ENOMEM;
	m->n_procs = s->n_procs;
	for (i = 0; i < s->n_procs; i++)
		copy_proc(m, prev, dt_ns, i);
	return 0;
}

static const char *source_quality(const struct vmt_source_stat *st)
{
	switch (st->state) {
	case VMT_STATE_UNUSED:
		break;
	case VMT_STATE_OK:
		/* What is ok and has a reason is not quite so. */
		return st->doubts || st->reason[0] ? "approximate" : "exact";
	case VMT_STATE_PARTIAL:
		return "partial";
	case VMT_STATE_DENIED:
	case VMT_STATE_ABSENT:
	case VMT_STATE_FAILED:
	case VMT_STATE_SKIPPED:
		return "unavailable";
	}
	return NULL;
}

/* How good what a source said is, and of how many. */
static void set_quality(struct vmt_source_row *r, enum vmt_source_id id,
			const struct vmt_source_stat *st)
{
	enum vmt_source_cost cost = vmt_source_cost(id);
	const char *quality = source_quality(st);
	/* Each read of a cheap source is one answer. */
	uint64_t answered = cost == VMT_COST_CHEAP ? st->reads : st->answered;
	uint64_t asked = answered + st->denied + st->timed_out + st->skipped + st->failed;

	if (!quality)
		return;
	VMT_SET(source, quality, r, vmt_bytes_of(quality));
	if (cost == VMT_COST_PROBE || asked == 0 || st->cost_unknown)
		return;
	VMT_SET(source, asked_total, r, asked);
	VMT_SET(source, answered_total, r, answered);
}

static int list_sources(struct vmt_model *m)
{
	size_t i;

	m->n_sources = 0;
	m->sources = vmt_arena_alloc(&m->arena, VMT_SOURCE_COUNT, sizeof(*m->sources));
	if (!m->sources)
		return -ENOMEM;
	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++) {
		const struct vmt_source_stat *st = &m->sample->sources[i];
		struct vmt_source_row *r = &m->sources[m->n_sources++];
		enum vmt_source_id id = (enum vmt_source_id)i;

		VMT_SET(source, name, r, vmt_bytes_of(vmt_source_name(id)));
		VMT_SET(source, status, r, vmt_bytes_of(vmt_source_state_name(st->state)));
		set_quality(r, id, st);
		VMT_SET(source, what, r, vmt_bytes_of(vmt_source_what(id)));
		VMT_SET(source, cost, r, vmt_bytes_of(vmt_source_cost_name(vmt_source_cost(id))));
		if (st->reason[0])
			VMT_SET(source, reason, r, vmt_bytes_of(st->reason));
		if (st->fix[0])
			VMT_SET(source, fix, r, vmt_bytes_of(st->fix));
		if (st->state == VMT_STATE_UNUSED || st->state == VMT_STATE_ABSENT)
			continue;
		VMT_SET(source, denied_total, r, st->denied);
		VMT_SET(source, gone_total, r, st->gone);
		VMT_SET(source, timed_out_total, r, st->timed_out);
		VMT_SET(source, skipped_total, r, st->skipped);
		/* A probe is not read file by file. */
		if (vmt_source_cost(id) == VMT_COST_PROBE || st->cost_unknown)
			continue;
		VMT_SET(source, reads_total, r, st->reads);
		if (!st->bytes_unknown)
			VMT_SET(source, read_bytes, r, st->bytes);
		VMT_SET(source, cpu_ns, r, st->cpu_ns);
		VMT_SET(source, longest_ns, r, st->longest_ns);
		VMT_SET(source, unknown_keys_total, r, st->unknown_keys);
	}
	return 0;
}

/* The time between two samples, for rates. Rates are only within one boot: another machine's
 * counters are no earlier state of ours. */
uint64_t vmt_time_between(const struct vmt_sample *s, const struct vmt_sample *prev)
{
	if (prev && prev->host.monotonic_ns && s->host.monotonic_ns > prev->host.monotonic_ns &&
	    vmt_bytes_equal(prev->host.boot_id, s->host.boot_id))
		return s->host.monotonic_ns - prev->host.monotonic_ns;
	return 0;
}

static int build(struct vmt_model *m, const struct vmt_sample *prev,
		 const struct vmt_model_opts *opts)
{
	const struct vmt_sample *s = m->sample;
	const struct vmt_model_opts usual = { 0 };
	uint64_t dt_ns = vmt_time_between(s, prev);
	int r;

	m->system = s->system;
	vmt_system_derive(&m->system, s->host.page_size);
	if (dt_ns)
		vmt_system_rates(&m->system, &prev->system, dt_ns);
	vmt_model_cache(m);
	r = sum_up(m, prev, dt_ns, !opts || !opts->no_shares);
	if (r == 0)
		r = copy_procs(m, prev, dt_ns);
	if (r == 0)
		r = vmt_model_cgroups(m, prev, dt_ns);
	if (r == 0)
		r = list_sources(m);
	if (r == 0)
		r = vmt_model_faults(m, opts ? opts : &usual);
	if (r == 0)
		r = vmt_model_zones(m, prev, dt_ns);
	if (r == 0)
		r = vmt_model_kernel(m, prev, dt_ns);
	if (r == 0)
		r = vmt_model_findings(m);
	/* Texts of rows are not looked at one by one. */
	return r < 0 ? r : m->arena.failed ? -ENOMEM : 0;
}

int vmt_model_build(const struct vmt_sample *sample, const struct vmt_sample *prev,
		    const struct vmt_model_opts *opts, struct vmt_model **ret, struct vmt_err *err)
{
	VMT_AUTO_MODEL m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	vmt_arena_init(&m->arena);
	m->sample = sample;
	r = build(m, prev, opts);
	if (r < 0)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	*ret = VMT_STEAL(m);
	return 0;
}

int vmt_model_refresh(struct vmt_model *m, const struct vmt_sample *prev, const size_t *indices,
		      size_t n)
{
	uint64_t dt_ns = vmt_time_between(m->sample, prev);
	size_t i;

	for (i = 0; i < n; i++)
		copy_proc(m, prev, dt_ns, indices[i]);
	return list_sources(m);
}

void vmt_model_free(struct vmt_model *m)
{
	if (!m)
		return;
	vmt_arena_done(&m->arena);
	free(m);
}
