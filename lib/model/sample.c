/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sample.h"

#include <stdio.h>

struct vmt_sample *vmt_sample_new(void)
{
	struct vmt_sample *s = calloc(1, sizeof(*s));

	if (s)
		vmt_arena_init(&s->arena);
	return s;
}

void vmt_sample_free(struct vmt_sample *s)
{
	if (!s)
		return;
	free(s->issues);
	vmt_cache_sample_done(&s->cache);
	vmt_arena_done(&s->arena);
	free(s);
}

bool vmt_sample_knows(const struct vmt_sample *s, enum vmt_source_id source)
{
	return s->sources[source].state == VMT_STATE_OK ||
	       s->sources[source].state == VMT_STATE_PARTIAL;
}

bool vmt_sample_has_events(const struct vmt_sample *s)
{
	return vmt_sample_knows(s, VMT_SOURCE_EVENTS) || vmt_sample_knows(s, VMT_SOURCE_KILLS);
}

const char *vmt_failure_word(int code)
{
	switch (code) {
	case -EACCES:
	case -EPERM:
		return "denied";
	case -ESRCH:
		return "gone";
	case -ETIMEDOUT:
		return "timed_out";
	case -EBUSY:
	case -ECANCELED:
		return "skipped";
	case -EXDEV:
	case -E2BIG:
		return "partial";
	case -ENOENT:
		return "absent";
	default:
		return "failed";
	}
}

/* Counts a process once, however often it fails in that way. One without a row fails once. */
static void count_process(struct vmt_sample *s, uint64_t pid, uint64_t *count)
{
	unsigned bit = 1u << (count == &s->vanished ? 0 : count == &s->denied ? 1 : 2);
	struct vmt_proc *p;

	if (!pid)
		return;
	p = s->maps ? vmt_sample_proc(s, pid) : NULL;
	if (p) {
		struct vmt_proc_maps *pm = &s->maps[p - s->procs];

		if (pm->counted & bit)
			return;
		pm->counted |= bit;
	}
	++*count;
}

void vmt_sample_failed(struct vmt_sample *s, enum vmt_source_id source, uint64_t pid,
		       struct vmt_bytes comm, int code, const char *hint)
{
	struct vmt_source_stat *st = &s->sources[source];
	const char *word = vmt_failure_word(code);
	struct vmt_issue *issue;

	if (code == -ESRCH) {
		st->gone++;
		count_process(s, pid, &s->vanished);
		return;
	}
	st->error = code;
	if (code == -EACCES || code == -EPERM) {
		st->denied++;
		count_process(s, pid, &s->denied);
	} else if (code == -ETIMEDOUT) {
		st->timed_out++;
		count_process(s, pid, &s->timed_out);
	} else if (code == -EBUSY || code == -ECANCELED) {
		st->skipped++;
	}
	if (s->n_issues >= VMT_ISSUES_MAX ||
	    vmt_grow(&s->issues, &s->cap_issues, s->n_issues + 1, sizeof(*s->issues)) < 0) {
		s->issues_dropped++;
		return;
	}
	issue = &s->issues[s->n_issues++];
	*issue = (struct vmt_issue){ 0 };
	VMT_SET(issue, source, issue, vmt_bytes_of(vmt_source_name(source)));
	if (pid)
		VMT_SET(issue, pid, issue, pid);
	if (comm.len)
		VMT_SET(issue, comm, issue, comm);
	VMT_SET(issue, status, issue, vmt_bytes_of(word));
	VMT_SET(issue, error, issue, vmt_bytes_of(vmt_errno_name(code)));
	if (hint)
		VMT_SET(issue, hint, issue, vmt_bytes_of(hint));
}

struct vmt_proc *vmt_sample_proc(const struct vmt_sample *s, uint64_t pid)
{
	size_t lo = 0, hi = s->n_procs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->procs[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n_procs && s->procs[lo].pid == pid ? &s->procs[lo] : NULL;
}

struct vmt_proc *vmt_sample_proc_since(const struct vmt_sample *s, uint64_t pid,
				       uint64_t start_time_ns)
{
	struct vmt_proc *p = vmt_sample_proc(s, pid);
	uint64_t hz = s->host.user_hz;

	/* /proc has the time in ticks. */
	if (!p || !hz || (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "zombie")) ||
	    !VMT_HAS(proc, start_time_ns, p) || start_time_ns < p->start_time_ns ||
	    start_time_ns - p->start_time_ns > UINT64_C(1000000000) / hz)
		return NULL;
	return p;
}

void vmt_source_stat_count(struct vmt_source_stat *to, const struct vmt_source_stat *from)
{
	to->reads += from->reads;
	to->bytes += from->bytes;
	to->cpu_ns += from->cpu_ns;
	if (from->longest_ns > to->longest_ns)
		to->longest_ns = from->longest_ns;
	to->denied += from->denied;
	to->gone += from->gone;
	to->timed_out += from->timed_out;
	to->skipped += from->skipped;
}

void vmt_source_stat_add(struct vmt_source_stat *to, const struct vmt_source_stat *from)
{
	if (from->state > to->state || (from->state == to->state && !to->reason[0])) {
		to->state = from->state;
		memcpy(to->reason, from->reason, sizeof(to->reason));
		memcpy(to->fix, from->fix, sizeof(to->fix));
		to->error = from->error;
	}
	to->bytes_unknown |= from->bytes_unknown;
	to->doubts |= from->doubts;
	to->answered += from->answered;
	to->failed += from->failed;
	vmt_source_stat_count(to, from);
	to->unknown_keys += from->unknown_keys;
}

void vmt_sample_drop_kernel(struct vmt_sample *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_procs; i++)
		if (!VMT_HAS(proc, class, &s->procs[i]) ||
		    !vmt_bytes_is(s->procs[i].class, "kernel"))
			s->procs[n++] = s->procs[i];
	s->n_procs = n;
}

static size_t source_of(const struct vmt_issue *issue)
{
	size_t i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		if (vmt_bytes_is(issue->source, vmt_source_name((enum vmt_source_id)i)))
			break;
	return i;
}

/* By process, then by source. What failed first is an accident of the reader threads. */
static int compare_issues(const void *a, const void *b)
{
	const struct vmt_issue *x = a, *y = b;
	uint64_t px = VMT_HAS(issue, pid, x) ? x->pid : 0, py = VMT_HAS(issue, pid, y) ? y->pid : 0;

	if (px != py)
		return px < py ? -1 : 1;
	return (int)source_of(x) - (int)source_of(y);
}

/* Failures of a source, by what became of them. */
struct failures {
	uint64_t bad; /* denied, timed out, skipped */
	uint64_t failed; /* in their own way */
	uint64_t part;
	const struct vmt_issue *first_bad;
	const struct vmt_issue *first_failed;
};

static struct failures failures_of(const struct vmt_sample *s, size_t source)
{
	const struct vmt_source_stat *st = &s->sources[source];
	struct failures f = { .bad = st->denied + st->timed_out + st->skipped };
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *issue = &s->issues[i];

		if (source_of(issue) != source)
			continue;
		if (vmt_bytes_is(issue->status, vmt_failure_word(-EIO)))
			f.failed++;
		else if (vmt_bytes_is(issue->status, vmt_failure_word(-EXDEV)))
			f.part++;
		else if (!vmt_bytes_is(issue->status, vmt_failure_word(-ENOENT)) && !f.first_bad)
			f.first_bad = issue;
		if (f.failed + f.part == 1 && !f.first_failed)
			f.first_failed = issue;
	}
	return f;
}

/* "2 timed out, 1 skipped: " and why, for the first of them. */
static void bad_reason(struct vmt_source_stat *st, const struct vmt_issue *first)
{
	const struct {
		uint64_t n;
		const char *what;
	} parts[] = {
		{ st->denied, "denied" },
		{ st->timed_out, "timed out" },
		{ st->skipped, "skipped" },
	};
	size_t i, len = 0;

	for (i = 0; i < VMT_ARRAY_LEN(parts); i++)
		if (parts[i].n)
			len += (size_t)snprintf(st->reason + len, sizeof(st->reason) - len,
						"%s%llu %s", len ? ", " : "",
						(unsigned long long)parts[i].n, parts[i].what);
	/* Three numbers of 20 digits leave room. */
	if (first && VMT_HAS(issue, hint, first))
		snprintf(st->reason + len, sizeof(st->reason) - len, ": %.*s", (int)first->hint.len,
			 first->hint.ptr);
}

static void set_reason(struct vmt_source_stat *st, const struct failures *f)
{
	struct vmt_bytes why;

	if (f->bad) {
		bad_reason(st, f->first_bad);
	} else if (f->first_failed && VMT_HAS(issue, pid, f->first_failed)) {
		int len = 0;

		why = VMT_HAS(issue, hint, f->first_failed) ? f->first_failed->hint
							    : f->first_failed->error;
		if (f->failed)
			len = snprintf(st->reason, sizeof(st->reason), "%llu failed, ",
				       (unsigned long long)f->failed);
		if (f->part)
			len += snprintf(st->reason + len, sizeof(st->reason) - (size_t)len,
					"%llu in part, ", (unsigned long long)f->part);
		snprintf(st->reason + len, sizeof(st->reason) - (size_t)len,
			 "the first of process %llu: %.*s",
			 (unsigned long long)f->first_failed->pid, (int)why.len, why.ptr);
	} else if (st->state == VMT_STATE_PARTIAL && st->error == -ENOENT) {
		snprintf(st->reason, sizeof(st->reason), "some processes have none");
	} else {
		snprintf(st->reason, sizeof(st->reason), "%s", vmt_errno_name(st->error));
	}
}

void vmt_sample_settle(struct vmt_sample *s)
{
	size_t i;

	if (s->n_issues > 1)
		qsort(s->issues, s->n_issues, sizeof(*s->issues), compare_issues);
	for (i = 0; i < VMT_SOURCE_COUNT; i++) {
		struct vmt_source_stat *st = &s->sources[i];
		struct failures f = failures_of(s, i);

		st->failed = f.failed + f.part;
		/* What we made of fewer failures is made again; what others said stays. */
		if (st->settled && st->settled != f.bad + f.failed + f.part + 1) {
			st->state = VMT_STATE_UNUSED;
			st->reason[0] = 0;
		}
		if (st->state != VMT_STATE_UNUSED)
			continue;
		if (st->reads == 0 && f.bad == 0 && st->error == 0)
			continue;
		if (f.bad == 0 && st->error == 0)
			st->state = VMT_STATE_OK;
		else if (st->reads > 0)
			st->state = VMT_STATE_PARTIAL;
		else if (st->denied == f.bad && f.bad > 0)
			st->state = VMT_STATE_DENIED;
		else if (st->skipped == f.bad && f.bad > 0)
			st->state = VMT_STATE_SKIPPED;
		else if (f.failed + f.part == 0 && (st->error == -ENOENT || st->error == -ENOSYS))
			st->state = VMT_STATE_ABSENT;
		else
			st->state = VMT_STATE_FAILED;
		st->settled = f.bad + f.failed + f.part + 1;
		if (st->state != VMT_STATE_OK && !st->reason[0])
			set_reason(st, &f);
	}
}
