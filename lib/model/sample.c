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
	vmt_arena_done(&s->arena);
	free(s);
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
	case -ENOENT:
		return "absent";
	default:
		return "failed";
	}
}

void vmt_sample_failed(struct vmt_sample *s, enum vmt_source_id source, uint64_t pid,
		       struct vmt_bytes comm, int code, const char *hint)
{
	struct vmt_source_stat *st = &s->sources[source];
	const char *word = vmt_failure_word(code);
	struct vmt_issue *issue;

	if (code == -ESRCH) {
		st->gone++;
		s->vanished++;
		return;
	}
	st->error = code;
	if (code == -EACCES || code == -EPERM) {
		st->denied++;
		s->denied++;
	} else if (code == -ETIMEDOUT) {
		st->timed_out++;
		s->timed_out++;
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

/* How many reads of a source failed in their own way, and the first of them. */
static uint64_t failed_of(const struct vmt_sample *s, size_t source, const struct vmt_issue **first)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		if (source_of(&s->issues[i]) != source ||
		    !vmt_bytes_is(s->issues[i].status, vmt_failure_word(-EIO)))
			continue;
		if (n++ == 0)
			*first = &s->issues[i];
	}
	return n;
}

static void set_reason(struct vmt_source_stat *st, uint64_t bad, uint64_t failed,
		       const struct vmt_issue *first)
{
	struct vmt_bytes why;

	if (bad) {
		snprintf(st->reason, sizeof(st->reason),
			 "%llu denied, %llu timed out, %llu skipped",
			 (unsigned long long)st->denied, (unsigned long long)st->timed_out,
			 (unsigned long long)st->skipped);
	} else if (failed && VMT_HAS(issue, pid, first)) {
		why = VMT_HAS(issue, hint, first) ? first->hint : first->error;
		snprintf(st->reason, sizeof(st->reason),
			 "%llu failed, the first of process %llu: %.*s", (unsigned long long)failed,
			 (unsigned long long)first->pid, (int)why.len, why.ptr);
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
		uint64_t bad = st->denied + st->timed_out + st->skipped;
		const struct vmt_issue *first = NULL;
		uint64_t failed;

		if (st->state != VMT_STATE_UNUSED)
			continue;
		if (st->reads == 0 && bad == 0 && st->error == 0)
			continue;
		failed = failed_of(s, i, &first);
		if (bad == 0 && st->error == 0)
			st->state = VMT_STATE_OK;
		else if (st->reads > 0)
			st->state = VMT_STATE_PARTIAL;
		else if (st->denied == bad && bad > 0)
			st->state = VMT_STATE_DENIED;
		else if (st->skipped == bad && bad > 0)
			st->state = VMT_STATE_SKIPPED;
		else if (failed == 0 && (st->error == -ENOENT || st->error == -ENOSYS))
			st->state = VMT_STATE_ABSENT;
		else
			st->state = VMT_STATE_FAILED;
		if (st->state != VMT_STATE_OK && !st->reason[0])
			set_reason(st, bad, failed, first);
	}
}
