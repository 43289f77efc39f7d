/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/verify-read.h"

#include "base/err.h"
#include "base/parse.h"
#include "model/model.h"
#include "source/collect-private.h"
#include "source/kv.h"
#include "source/machine.h"
#include "source/procps.h"
#include "source/residency.h"

#define PROC_TRIES    3
#define MACHINE_TRIES 8
#define MACHINE_MAX   ((size_t)4 << 20)

#define READ_STATUS  (VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT))
#define READ_STATM   (VMT_SOURCE_BIT(STATM) | VMT_SOURCE_BIT(STAT))
#define READ_SMAPS   (VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(ROLLUP))
#define READ_PAGEMAP VMT_SOURCE_BIT(PAGEMAP)
#define READ_ROLLUP  VMT_SOURCE_BIT(ROLLUP)

/* Why something was not read, for the one report: strings of from do not last. */
static void add_issues(struct vmt_sample *to, const struct vmt_sample *from, uint64_t known)
{
	size_t i;

	for (i = 0; i < from->n_issues; i++) {
		struct vmt_issue issue = from->issues[i];
		int id;

		for (id = 0; id < VMT_SOURCE_COUNT; id++)
			if (vmt_bytes_is(issue.source, vmt_source_name((enum vmt_source_id)id)))
				break;
		if (id < VMT_SOURCE_COUNT && known >> id & 1)
			continue;
		if (to->n_issues >= VMT_ISSUES_MAX ||
		    vmt_grow(&to->issues, &to->cap_issues, to->n_issues + 1, sizeof(issue)) < 0) {
			to->issues_dropped++;
			continue;
		}
		issue.comm.ptr = vmt_arena_copy(&to->arena, issue.comm.ptr, issue.comm.len);
		issue.hint.ptr = vmt_arena_copy(&to->arena, issue.hint.ptr, issue.hint.len);
		if (!issue.comm.ptr)
			VMT_UNSET(issue, comm, &issue);
		if (!issue.hint.ptr)
			VMT_UNSET(issue, hint, &issue);
		to->issues[to->n_issues++] = issue;
	}
}

/* What a source answered and has failed at, of one process. */
static void add_failures(struct vmt_source_stat *a, const struct vmt_source_stat *b)
{
	a->answered += b->answered;
	a->denied += b->denied;
	a->gone += b->gone;
	a->timed_out += b->timed_out;
	a->skipped += b->skipped;
	if (b->error)
		a->error = b->error;
	if (b->fix[0])
		memcpy(a->fix, b->fix, sizeof(a->fix));
}

/*
 * What one part of a reading cost, and why something is missing. Failures are those of the first of
 * up to three readings of a process; that of its cheap files, but statm, the list has told.
 */
static void add_costs(struct vmt_sample *to, const struct vmt_sample *from, bool failures)
{
	const uint64_t known = VMT_SOURCE_BIT(PIDS) | READ_STATUS;
	int i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++) {
		struct vmt_source_stat *a = &to->sources[i];
		const struct vmt_source_stat *b = &from->sources[i];

		/* What is absent for the one is not for the next. */
		if (b->state == VMT_STATE_ABSENT && a->reads == 0) {
			a->state = b->state;
			memcpy(a->reason, b->reason, sizeof(a->reason));
		} else if (b->reads && a->state == VMT_STATE_ABSENT) {
			a->state = VMT_STATE_UNUSED;
			a->reason[0] = 0;
		}
		a->reads += b->reads;
		a->bytes += b->bytes;
		a->bytes_unknown |= b->bytes_unknown;
		a->cpu_ns += b->cpu_ns;
		if (b->longest_ns > a->longest_ns)
			a->longest_ns = b->longest_ns;
		a->doubts |= b->doubts;
		if (b->unknown_keys > a->unknown_keys)
			a->unknown_keys = b->unknown_keys;
		if (failures && !(known >> i & 1))
			add_failures(a, b);
	}
	if (!failures)
		return;
	add_issues(to, from, known);
	to->vanished += from->vanished;
	to->denied += from->denied;
	to->timed_out += from->timed_out;
}

/* One of the three parts of a reading: cheap files, then dear ones. */
static int read_part(struct vmt_collector *c, uint64_t pid, uint64_t cheap, uint64_t dear,
		     struct vmt_sample **ret, struct vmt_err *err)
{
	static const size_t first = 0;
	VMT_AUTO_SAMPLE s = NULL;
	int r = vmt_collect(c, cheap, &pid, 1, &s, err);

	if (r < 0)
		return r;
	if (s->n_procs == 0)
		return -ESRCH;
	if (VMT_HAS(proc, class, &s->procs[0]) && !vmt_bytes_is(s->procs[0].class, "user"))
		return -ENODATA;
	r = vmt_collect_procs(c, s, dear, &first, 1, err);
	if (r < 0)
		return r;
	*ret = VMT_STEAL(s);
	return 0;
}

static bool same_list(const struct vmt_proc_maps *a, const struct vmt_proc_maps *b)
{
	size_t i;

	if (!a->consistent || !b->consistent || a->n_maps != b->n_maps)
		return false;
	for (i = 0; i < a->n_maps; i++)
		if (a->maps[i].start != b->maps[i].start || a->maps[i].end != b->maps[i].end)
			return false;
	return true;
}

static bool same_process(const struct vmt_proc *a, const struct vmt_proc *b)
{
	return !VMT_HAS(proc, start_time_ns, a) || !VMT_HAS(proc, start_time_ns, b) ||
	       a->start_time_ns == b->start_time_ns;
}

static int read_once(struct vmt_collector *c, struct vmt_sample *into, uint64_t pid, bool failures,
		     struct vmt_outcome *out, struct vmt_err *err)
{
	const uint64_t lost = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS);
	VMT_AUTO_SAMPLE first = NULL;
	VMT_AUTO_SAMPLE middle = NULL;
	VMT_AUTO_SAMPLE last = NULL;
	struct vmt_reading rd = { .page_size = into->host.page_size };
	int r = read_part(c, pid, READ_STATUS, READ_SMAPS, &first, err);

	if (r < 0)
		return r;
	add_costs(into, first, failures);
	/* What smaps does not say is not asked of the others: the reader may be stuck. */
	if (!first->maps || first->maps[0].missed & lost) {
		vmt_verify_reading(&rd, out);
		return 0;
	}
	r = read_part(c, pid, READ_STATM, READ_PAGEMAP, &middle, err);
	if (r < 0)
		return r;
	add_costs(into, middle, failures);
	r = read_part(c, pid, READ_STATUS, READ_ROLLUP, &last, err);
	if (r < 0)
		return r;
	add_costs(into, last, false);
	if (!same_process(&first->procs[0], &last->procs[0]))
		return -ESRCH;
	rd.smaps = first->maps[0].maps;
	rd.n_smaps = first->maps[0].n_maps;
	rd.pages = middle->maps ? middle->maps[0].maps : NULL;
	rd.n_pages = rd.pages ? middle->maps[0].n_maps : 0;
	rd.pages_exact = !(middle->sources[VMT_SOURCE_PAGEMAP].doubts & VMT_DOUBT_ZERO);
	rd.same_list = middle->maps && same_list(&first->maps[0], &middle->maps[0]);
	rd.first = &first->procs[0];
	rd.middle = &middle->procs[0];
	rd.last = &last->procs[0];
	vmt_verify_reading(&rd, out);
	return 0;
}

int vmt_verify_read_proc(struct vmt_collector *c, struct vmt_sample *into, uint64_t pid,
			 struct vmt_outcome *out, struct vmt_err *err)
{
	struct vmt_outcome one[VMT_CHECK_PROC];
	int tries, r;

	for (tries = 0; tries < PROC_TRIES; tries++) {
		r = read_once(c, into, pid, tries == 0, tries ? one : out, err);
		if (r < 0)
			return r;
		if (tries)
			vmt_verify_better(out, one);
		if (vmt_verify_is_final(out))
			break;
	}
	return 0;
}

struct figure {
	const char *key;
	enum vmt_machine_id id;
};

static const struct figure meminfo_figures[] = {
	{ "MemTotal", VMT_MACHINE_TOTAL },
	{ "MemFree", VMT_MACHINE_FREE },
	{ "MemAvailable", VMT_MACHINE_AVAILABLE },
	{ "Buffers", VMT_MACHINE_BUFFERS },
	{ "Cached", VMT_MACHINE_CACHED },
	{ "SwapCached", VMT_MACHINE_SWAP_CACHED },
	{ "Active", VMT_MACHINE_ACTIVE },
	{ "Active(anon)", VMT_MACHINE_ACTIVE_ANON },
	{ "Active(file)", VMT_MACHINE_ACTIVE_FILE },
	{ "AnonPages", VMT_MACHINE_ANON },
	{ "Slab", VMT_MACHINE_SLAB },
	{ "SReclaimable", VMT_MACHINE_SRECLAIMABLE },
	{ "SUnreclaim", VMT_MACHINE_SUNRECLAIM },
};

static const struct figure vmstat_figures[] = {
	{ "nr_free_pages", VMT_MACHINE_NR_FREE },
	{ "nr_file_pages", VMT_MACHINE_NR_FILE },
	{ "nr_anon_pages", VMT_MACHINE_NR_ANON },
};

static void take_figures(struct vmt_bytes text, char separator, const struct figure *figures,
			 size_t n, uint64_t unit, struct vmt_machine *m)
{
	struct vmt_bytes line, key, rest;
	uint64_t v;
	size_t i;

	while (vmt_take_line(&text, &line)) {
		if (vmt_kv_split(line, separator, &key, &rest) < 0)
			continue;
		for (i = 0; i < n && !vmt_bytes_is(key, figures[i].key); i++)
			;
		if (i == n || vmt_take_u64(&rest, &v) < 0 || __builtin_mul_overflow(v, unit, &v))
			continue;
		m->value[figures[i].id] = v;
		m->has |= UINT32_C(1) << figures[i].id;
	}
}

void vmt_verify_meminfo(struct vmt_bytes text, struct vmt_machine *m)
{
	take_figures(text, ':', meminfo_figures, VMT_ARRAY_LEN(meminfo_figures), 1024, m);
}

void vmt_verify_vmstat(struct vmt_bytes text, uint64_t page_size, struct vmt_machine *m)
{
	take_figures(text, ' ', vmstat_figures, VMT_ARRAY_LEN(vmstat_figures), page_size, m);
}

static struct vmt_bytes slurp(const struct vmt_root *root, const char *name, struct vmt_buf *buf)
{
	vmt_buf_clear(buf);
	if (vmt_slurp_at(root->proc_fd, name, buf, MACHINE_MAX) <= 0)
		return (struct vmt_bytes){ 0 };
	return (struct vmt_bytes){ buf->data, buf->len };
}

static void read_machine(const struct vmt_root *root, struct vmt_machine_reading *r)
{
	struct vmt_system sys = { 0 };
	VMT_AUTO_BUF buf = { 0 };

	vmt_verify_meminfo(slurp(root, "meminfo", &buf), &r->first);
	vmt_verify_vmstat(slurp(root, "vmstat", &buf), root->page_size, &r->middle);
	if (vmt_zoneinfo_parse(slurp(root, "zoneinfo", &buf), root->page_size, &sys, NULL) == 0 &&
	    VMT_HAS(system, managed_bytes, &sys)) {
		r->middle.value[VMT_MACHINE_MANAGED] = sys.managed_bytes;
		r->middle.has |= UINT32_C(1) << VMT_MACHINE_MANAGED;
	}
	vmt_verify_meminfo(slurp(root, "meminfo", &buf), &r->last);
}

/* Of what never held: it has drifted unless it was off to the same side each time, for a constant
 * difference is none of instants. */
static void merge_machine(struct vmt_outcome *best, const struct vmt_outcome *one)
{
	if (one->verdict == VMT_VERDICT_HOLDS || best->verdict == VMT_VERDICT_NONE) {
		*best = *one;
	} else if (best->verdict != VMT_VERDICT_HOLDS && one->verdict != VMT_VERDICT_NONE) {
		bool turned = (best->off < 0) != (one->off < 0);

		*best = *one;
		best->verdict = turned ? VMT_VERDICT_DRIFTED : VMT_VERDICT_OFF;
		best->failed = !turned;
	}
}

/* Two files of a recording are two instants, and there is no third one to tell. */
static void doubt_recording(struct vmt_outcome *out)
{
	static const enum vmt_check_id two_files[] = { VMT_CHECK_V9_FILE, VMT_CHECK_V9_FREE,
						       VMT_CHECK_V9_ANON };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(two_files); i++) {
		struct vmt_outcome *o = &out[two_files[i]];

		if (o->verdict != VMT_VERDICT_OFF)
			continue;
		o->verdict = VMT_VERDICT_DRIFTED;
		o->failed = 0;
	}
}

static void read_own(const struct vmt_root *root, struct vmt_system *sys)
{
	VMT_AUTO_BUF buf = { 0 };

	*sys = (struct vmt_system){ 0 };
	vmt_meminfo_parse(slurp(root, "meminfo", &buf), sys, NULL, NULL);
	vmt_vmstat_parse(slurp(root, "vmstat", &buf), sys, NULL);
	vmt_system_derive(sys, root->page_size);
}

void vmt_verify_read_procps(struct vmt_collector *c, struct vmt_outcome *out, struct vmt_err *err)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	struct vmt_second_opinion s = { 0 };
	struct vmt_procps *procps = NULL;
	int tries;

	*out = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
	if (!root->live) {
		vmt_err_set(err, -EOPNOTSUPP, "", 0, "only a running machine can be read twice");
		return;
	}
	if (vmt_procps_open(&procps, err) < 0)
		return;
	for (tries = 0; tries < MACHINE_TRIES && out->verdict != VMT_VERDICT_HOLDS; tries++) {
		struct vmt_system before, other = { 0 }, after;

		read_own(root, &before);
		if (vmt_procps_read(procps, &other, err) < 0) {
			*out = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
			break;
		}
		read_own(root, &after);
		vmt_second_opinion_add(&s, &before, &other, &after, out);
	}
	vmt_procps_close(procps);
}

void vmt_verify_read_machine(struct vmt_collector *c, struct vmt_outcome *out)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	struct vmt_outcome one[VMT_CHECKS];
	bool again = true;
	int tries, i;

	for (tries = 0; again && tries < MACHINE_TRIES; tries++) {
		struct vmt_machine_reading r = { 0 };

		read_machine(root, &r);
		vmt_verify_machine(&r, tries ? one : out);
		again = false;
		for (i = VMT_CHECK_V8; i <= VMT_CHECK_V9_ANON; i++) {
			if (tries && out[i].verdict != VMT_VERDICT_HOLDS)
				merge_machine(&out[i], &one[i]);
			again |= out[i].verdict != VMT_VERDICT_HOLDS &&
				 out[i].verdict != VMT_VERDICT_NONE;
		}
		again &= root->live;
	}
	if (!root->live)
		doubt_recording(out);
}
