/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/fmt.h"
#include "model/cost.h"
#include "model/model.h"

/*
 * Findings: what does not fit together. Contradictions between sources are shown, not smoothed.
 * A check writes its sentence and returns true where there is something to say.
 */
struct check {
	const char *id;
	const char *severity;
	bool (*fires)(const struct vmt_model *m, struct vmt_buf *text);
};

static void size(struct vmt_buf *text, uint64_t bytes)
{
	vmt_fmt_size(text, bytes, VMT_SIZE_HUMAN, 0);
}

static bool managed_is_not_total(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_system *s = &m->system;

	if (!VMT_HAS(system, managed_bytes, s) || !VMT_HAS(system, total_bytes, s) ||
	    s->managed_bytes == s->total_bytes)
		return false;
	vmt_buf_adds(text, "zones sum to ");
	size(text, s->managed_bytes);
	vmt_buf_adds(text, " but MemTotal is ");
	size(text, s->total_bytes);
	vmt_buf_adds(text, " (ballooning or memory hot-plug)");
	return true;
}

/* The figures of the machine are of all of it, the processes are not. */
static bool in_pid_namespace(const struct vmt_model *m, struct vmt_buf *text)
{
	if (!m->sample->host.pid_namespace)
		return false;
	vmt_buf_adds(text,
		     "in a PID namespace: other processes of the machine have no row here, and "
		     "their memory is in its sums");
	return true;
}

/* Limits that count and are not shown. */
static bool cgroups_above(const struct vmt_model *m, struct vmt_buf *text)
{
	if (!m->n_cgroups || !m->sample->cgroup_facts.above_hidden)
		return false;
	vmt_buf_adds(text,
		     "the first cgroup that can be seen is not the root of the hierarchy (a cgroup "
		     "namespace, or a mount of a part): limits above it are unknown, and there may "
		     "be less available than is shown");
	return true;
}

static bool available_differs(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_system *s = &m->system;
	int64_t d;

	if (!VMT_HAS(system, available_residual_bytes, s))
		return false;
	d = s->available_residual_bytes;
	/* Watermarks and meminfo are two reads; up to a per-cpu list of pages may move. */
	if (d >= -(4 << 20) && d <= 4 << 20)
		return false;
	vmt_buf_adds(text, "available as a sum differs from MemAvailable by ");
	vmt_fmt_size_signed(text, d, VMT_SIZE_HUMAN, 0);
	return true;
}

/* Figures of one text that cannot all be right. */
static bool meminfo_contradicts(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_system *s = &m->system;
	uint64_t total = VMT_HAS(system, total_bytes, s) ? s->total_bytes : UINT64_MAX;
	const char *lead = "";

	if (VMT_HAS(system, free_bytes, s) && s->free_bytes > total) {
		vmt_buf_adds(text, "MemFree is more than MemTotal");
		lead = "; ";
	}
	if (VMT_HAS(system, available_bytes, s) && s->available_bytes > total) {
		vmt_buf_addf(text,
			     "%sMemAvailable is more than MemTotal: the one is a container's, "
			     "the other the machine's",
			     lead);
		lead = "; ";
	}
	if (VMT_HAS(system, shared_bytes, s) && VMT_HAS(system, cached_bytes, s) &&
	    s->shared_bytes > s->cached_bytes) {
		vmt_buf_addf(text, "%sShmem is more than Cached, of which it is a part", lead);
		lead = "; ";
	}
	if (VMT_HAS(system, slab_bytes, s) && VMT_HAS(system, slab_reclaimable_bytes, s) &&
	    VMT_HAS(system, slab_unreclaimable_bytes, s) &&
	    s->slab_bytes - s->slab_reclaimable_bytes != s->slab_unreclaimable_bytes) {
		vmt_buf_addf(text, "%sSlab is not SReclaimable + SUnreclaim", lead);
		lead = "; ";
	}
	return *lead;
}

/* Counters of the kernel overlap by a little; much of it means that they count something twice, or
 * that MemTotal is not what they are counted in. */
static bool parts_exceed_total(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_system *s = &m->system;

	if (!VMT_HAS(system, unaccounted_bytes, s) || s->unaccounted_bytes >= 0 ||
	    (uint64_t)-s->unaccounted_bytes <= s->total_bytes / 64)
		return false;
	vmt_buf_adds(text, "the parts of memory are more than MemTotal by ");
	size(text, (uint64_t)-s->unaccounted_bytes);
	vmt_buf_adds(text, ": something is counted twice, or in another MemTotal");
	return true;
}

static bool much_unaccounted(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_system *s = &m->system;

	if (!VMT_HAS(system, unaccounted_bytes, s) || s->unaccounted_bytes <= 0 ||
	    (uint64_t)s->unaccounted_bytes <= s->total_bytes / 8)
		return false;
	size(text, (uint64_t)s->unaccounted_bytes);
	vmt_buf_adds(text, " are in no counter of the kernel: taken by drivers, a balloon that "
			   "MemTotal does not know of, or lost");
	return true;
}

static bool commit_limit_differs(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_commit *c = &m->commit;
	int64_t d;

	if (!VMT_HAS(commit, commit_limit_residual_bytes, c))
		return false;
	d = c->commit_limit_residual_bytes;
	/* Huge pages and swap may come and go between the reads. */
	if (d >= -(4 << 20) && d <= 4 << 20)
		return false;
	vmt_buf_adds(text, "CommitLimit as a sum differs from the kernel's by ");
	vmt_fmt_size_signed(text, d, VMT_SIZE_HUMAN, 0);
	return true;
}

static bool canary_failed(const struct vmt_model *m, struct vmt_buf *text)
{
	/* Without a rung, or on one that cannot check itself, there is nothing to tell. */
	if (!m->has_probe || vmt_bytes_is(m->probe.canary, "none") ||
	    vmt_bytes_is(m->probe.canary, "trusted"))
		return false;
	vmt_buf_adds(text, "the self-check of the fault probe says ");
	vmt_fmt_safe(text, m->probe.canary, true);
	if (VMT_HAS(probe, canary_text, &m->probe)) {
		vmt_buf_adds(text, ": ");
		vmt_fmt_safe(text, m->probe.canary_text, true);
	}
	return true;
}

static bool faults_lost(const struct vmt_model *m, struct vmt_buf *text)
{
	if (!m->has_probe || !VMT_HAS(probe, lost, &m->probe) || m->probe.lost == 0)
		return false;
	vmt_buf_addf(text,
		     "%" PRIu64 " faults are in no row: the kernel-side table was full or "
		     "records were lost",
		     m->probe.lost);
	return true;
}

/* What the faults of a CPU without events are counted as. */
static const char *without_events(const struct vmt_model *m)
{
	if (vmt_bytes_is(m->probe.rung, "tracepoint"))
		return "its faults are in no mapping, but under GUP";
	if (vmt_bytes_is(m->probe.rung, "perf"))
		return "its faults are unattributed";
	return "its faults are missing in the count of record, and nowhere else";
}

static bool overhead_guard(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_probe_row *p = &m->probe;

	if (!m->has_probe || !VMT_HAS(probe, guard_trips_total, p) || !p->guard_trips_total)
		return false;
	vmt_buf_adds(text, "the overhead guard tripped first after ");
	vmt_fmt_duration(text, p->guard_first_ns);
	vmt_buf_adds(text, ", on CPU ");
	vmt_fmt_safe(text, p->guard_cpus, true);
	vmt_buf_addf(text,
		     " (%" PRIu64 " times, and %" PRIu64 " times back): %" PRIu64 " of %" PRIu64
		     " faults were timed, 1 in 8 meanwhile; percentiles and STALL are estimates, "
		     "counts and kinds are not",
		     p->guard_trips_total, p->guard_calms_total, p->timed_faults_total, p->mapped);
	return true;
}

static bool cpus_came_back(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_probe_row *p = &m->probe;

	if (!m->has_probe || !VMT_HAS(probe, cpus_back_total, p) || !p->cpus_back_total)
		return false;
	vmt_buf_addf(text,
		     "a CPU came online while faults were counted (%" PRIu64
		     " times): until it was watched, some milliseconds, %s",
		     p->cpus_back_total, without_events(m));
	return true;
}

static bool cpus_not_watched(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_probe_row *p = &m->probe;

	if (!m->has_probe || !VMT_HAS(probe, cpus_blind_total, p) || !p->cpus_blind_total)
		return false;
	vmt_buf_addf(text,
		     "a CPU came online while faults were counted, and was not watched (%" PRIu64
		     " times): from then on %s",
		     p->cpus_blind_total, without_events(m));
	return true;
}

static bool faults_do_not_add_up(const struct vmt_model *m, struct vmt_buf *text)
{
	if (!m->has_probe || !VMT_HAS(probe, residual, &m->probe) || m->probe.residual == 0)
		return false;
	vmt_buf_addf(
		text,
		"the sum over mappings and rest rows differs from the kernel's count by %" PRId64,
		m->probe.residual);
	return true;
}

static bool reads_timed_out(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_sample *s = m->sample;
	bool any = false;
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *is = &s->issues[i];

		if (!vmt_bytes_is(is->status, "timed_out") || !VMT_HAS(issue, pid, is))
			continue;
		vmt_buf_adds(text, any ? ", " : "did not answer in time: ");
		vmt_fmt_process(text, is->pid, VMT_HAS(issue, comm, is) ? &is->comm : NULL);
		vmt_buf_adds(text, " ");
		vmt_fmt_safe(text, is->source, true);
		any = true;
	}
	return any;
}

/* The kernel refuses a mapping more where there are more than vm.max_map_count, and where one is
 * split at that number (mm/mmap.c do_mmap(), mm/vma.c split_vma()): beyond nine tenths, growth of
 * the last hour is no guide. */
static bool few_maps_left(const struct vmt_model *m, struct vmt_buf *text)
{
	const size_t named = 8;
	size_t i, n = 0;

	for (i = 0; i < m->n_procs; i++) {
		const struct vmt_proc *p = &m->procs[i];

		if (!VMT_HAS(proc, maps_percent, p) || p->maps_percent <= 90 * 1000 || ++n > named)
			continue;
		if (n == 1)
			vmt_buf_addf(text,
				     "close to vm.max_map_count (%" PRIu64 "), where mmap fails: ",
				     p->maps_limit);
		else
			vmt_buf_adds(text, ", ");
		vmt_fmt_process(text, p->pid, VMT_HAS(proc, comm, p) ? &p->comm : NULL);
		vmt_buf_addf(text, " with %" PRIu64, p->maps_total);
	}
	if (n > named)
		vmt_buf_addf(text, ", and %zu more", n - named);
	return n > 0;
}

/* One walk of page tables that is felt by the process: what was read, and how dear that is. */
static bool long_walk(const struct vmt_model *m, struct vmt_buf *text)
{
	const struct vmt_source_stat *st = m->sample->sources;
	const struct vmt_proc *p;
	uint64_t ns, all_ns;
	bool walked = false;
	size_t i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		walked |= VMT_SOURCES_WALK >> i & 1 && st[i].reads;
	if (!walked)
		return false;
	p = vmt_cost_dearest(m->procs, NULL, m->n_procs, m->sample->host.page_size, UINT64_MAX - 1,
			     &ns, &all_ns);
	if (!p || ns < VMT_COST_TELL_ONE_NS)
		return false;
	vmt_buf_adds(text, "a walk of the page tables of process ");
	vmt_fmt_process(text, p->pid, VMT_HAS(proc, comm, p) ? &p->comm : NULL);
	vmt_buf_adds(text, " may hold its mmap lock for ");
	vmt_fmt_duration(text, ns);
	return true;
}

static const struct check checks[] = {
	{ "in_pid_namespace", "info", in_pid_namespace },
	{ "cgroups_above", "info", cgroups_above },
	{ "managed_is_not_total", "warning", managed_is_not_total },
	{ "available_differs", "warning", available_differs },
	{ "meminfo_contradicts", "warning", meminfo_contradicts },
	{ "parts_exceed_total", "warning", parts_exceed_total },
	{ "much_unaccounted", "warning", much_unaccounted },
	{ "commit_limit_differs", "warning", commit_limit_differs },
	{ "reads_timed_out", "warning", reads_timed_out },
	{ "few_maps_left", "warning", few_maps_left },
	{ "long_walk", "info", long_walk },
	{ "canary", "warning", canary_failed },
	{ "faults_lost", "warning", faults_lost },
	{ "overhead_guard", "info", overhead_guard },
	{ "cpus_came_back", "info", cpus_came_back },
	{ "cpus_not_watched", "warning", cpus_not_watched },
	{ "faults_do_not_add_up", "warning", faults_do_not_add_up },
};

int vmt_model_findings(struct vmt_model *m)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	m->findings = vmt_arena_alloc(&m->arena, VMT_ARRAY_LEN(checks), sizeof(*m->findings));
	if (!m->findings)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(checks); i++) {
		struct vmt_finding *f;
		char *copy;

		vmt_buf_clear(&text);
		if (!checks[i].fires(m, &text))
			continue;
		if (vmt_buf_error(&text) < 0)
			return -ENOMEM;
		copy = vmt_arena_copy(&m->arena, text.data, text.len);
		if (!copy)
			return -ENOMEM;
		f = &m->findings[m->n_findings++];
		VMT_SET(finding, id, f, vmt_bytes_of(checks[i].id));
		VMT_SET(finding, severity, f, vmt_bytes_of(checks[i].severity));
		VMT_SET(finding, text, f, ((struct vmt_bytes){ copy, text.len }));
	}
	return 0;
}
