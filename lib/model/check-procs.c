/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check-take.h"

#include <inttypes.h>

/* A name against a pattern with * and ?, byte by byte: fnmatch(3) goes by the locale. */
static bool matches(const char *pattern, struct vmt_bytes name)
{
	const char *star = NULL;
	size_t at = 0, back = 0;

	while (at < name.len) {
		if (*pattern == '*') {
			star = pattern++;
			back = at;
		} else if (*pattern && (*pattern == '?' || *pattern == name.ptr[at])) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star + 1;
			at = ++back;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

bool vmt_figure_wants(const struct vmt_figure_want *w, const struct vmt_proc *p)
{
	size_t i;

	if (!w->pids && !w->comm)
		return true;
	for (i = 0; i < w->n_pids; i++)
		if (w->pids[i] == p->pid)
			return true;
	return w->comm && VMT_HAS(proc, comm, p) && matches(w->comm, p->comm);
}

static void name_process(const struct vmt_take *t, const struct vmt_proc *p)
{
	vmt_fmt_process(&t->f->text, p->pid, VMT_HAS(proc, comm, p) ? &p->comm : NULL);
}

/* That there is nobody to measure. */
static void nobody(const struct vmt_take *t)
{
	const struct vmt_figure_want *w = t->want;
	struct vmt_buf *out = &t->f->reason;

	vmt_take_unknown(t, "no process ");
	if (w->comm) {
		vmt_buf_adds(out, "is called ");
		vmt_fmt_safe(out, vmt_bytes_of(w->comm), true);
	} else if (w->n_pids == 1) {
		vmt_buf_addf(out, "%" PRIu64, w->pids[0]);
	} else {
		vmt_buf_adds(out, "of that number");
	}
}

static void unknown_as(const struct vmt_take *t, const struct vmt_issue *issue)
{
	vmt_take_unknown(t, "");
	vmt_fmt_safe(&t->f->reason, issue->source, true);
	vmt_buf_addf(&t->f->reason, " of process %" PRIu64 " ", issue->pid);
	vmt_fmt_safe(&t->f->reason, issue->status, true);
	if (VMT_HAS(issue, hint, issue)) {
		vmt_buf_adds(&t->f->reason, ": ");
		vmt_fmt_safe(&t->f->reason, issue->hint, true);
	}
}

/* Why a value of the processes is not known: the reason stands with the first issue. */
static void unread(const struct vmt_take *t, enum vmt_source_id id)
{
	const struct vmt_sample *s = t->m->sample;
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *issue = &s->issues[i];

		if (!vmt_bytes_is(issue->source, vmt_source_name(id)) ||
		    !VMT_HAS(issue, pid, issue))
			continue;
		unknown_as(t, issue);
		return;
	}
	vmt_take_no_source(t, id);
}

/* One that ended while it was read has nothing that is unknown. */
static bool is_gone(const struct vmt_proc *p)
{
	return VMT_HAS(proc, read_status, p) && vmt_bytes_is(p->read_status, "gone");
}

static bool is_wanted(const struct vmt_take *t, uint64_t pid)
{
	size_t i;

	for (i = 0; i < t->want->n_pids; i++)
		if (t->want->pids[i] == pid)
			return true;
	return false;
}

static bool is_listed(const struct vmt_take *t, uint64_t pid)
{
	const struct vmt_proc *p = vmt_sample_proc(t->m->sample, pid);

	return p && !is_gone(p);
}

/* Whether it may be of one of them: without its name, it may be of that name. */
static bool is_meant(const struct vmt_take *t, const struct vmt_issue *issue)
{
	const struct vmt_figure_want *w = t->want;

	return (!w->pids && !w->comm) || is_wanted(t, issue->pid) ||
	       (w->comm && (!VMT_HAS(issue, comm, issue) || matches(w->comm, issue->comm)));
}

/* Whether all that are meant have a row. One whose stat or status could not be read has none, and
 * may be the one that matters; so may one that was named by its number and is not there. */
static bool are_all_there(const struct vmt_take *t)
{
	const struct vmt_sample *s = t->m->sample;
	size_t i;

	for (i = 0; i < s->n_issues; i++) {
		const struct vmt_issue *issue = &s->issues[i];

		if (!VMT_HAS(issue, pid, issue) || vmt_bytes_is(issue->status, "gone") ||
		    !is_meant(t, issue) || is_listed(t, issue->pid))
			continue;
		unknown_as(t, issue);
		return false;
	}
	for (i = 0; i < t->want->n_pids; i++) {
		if (is_listed(t, t->want->pids[i]))
			continue;
		vmt_take_unknown(t, "no process ");
		vmt_buf_addf(&t->f->reason, "%" PRIu64, t->want->pids[i]);
		return false;
	}
	return true;
}

void vmt_take_proc(const struct vmt_take *t, unsigned index, unsigned base,
		   enum vmt_source_id source)
{
	const struct vmt_field *field = &vmt_entity_proc.fields[index];
	const struct vmt_proc *worst = NULL;
	size_t i, n = 0, without = 0;
	int64_t most = INT64_MIN;
	bool all = are_all_there(t);

	for (i = 0; i < t->m->n_procs; i++) {
		const struct vmt_proc *p = &t->m->procs[i];
		int64_t v;

		/* Kernel threads and zombies have no memory. */
		if (!vmt_figure_wants(t->want, p) ||
		    (VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user")))
			continue;
		n++;
		if (!vmt_row_has(&p->row, index)) {
			without += !is_gone(p) && !vmt_row_has(&p->row, base);
			continue;
		}
		v = (int64_t)vmt_field_number(field, p);
		if (v > INT64_MAX / 1000 || v < INT64_MIN / 1000 || (worst && v <= most))
			continue;
		most = v;
		worst = p;
	}
	if (n == 0) {
		if (all)
			nobody(t);
		return;
	}
	if (all && (!worst || without))
		unread(t, source);
	if (!worst)
		return;
	vmt_take_known(t, most * 1000);
	/* The largest of some is not the largest: one that could not be read may be it. */
	if (!all || without)
		t->f->state = VMT_FIGURE_AT_LEAST;
	vmt_take_say(t, t->f->value);
	vmt_buf_adds(&t->f->text, " (");
	name_process(t, worst);
	if (n > 1)
		vmt_buf_addf(&t->f->text, ", most of %zu", n);
	if (t->dt_ns && vmt_measures[t->want->measure].needs & VMT_NEEDS_BEFORE) {
		vmt_buf_adds(&t->f->text, ", over ");
		vmt_fmt_duration(&t->f->text, t->dt_ns);
	}
	vmt_buf_addc(&t->f->text, ')');
}

void vmt_take_growth(const struct vmt_take *t)
{
	size_t i, n = 0, grown = 0;

	for (i = 0; i < t->m->n_procs; i++) {
		const struct vmt_proc *p = &t->m->procs[i];

		if (!vmt_figure_wants(t->want, p))
			continue;
		n++;
		grown += VMT_HAS(proc, rss_per_second_bytes, p);
	}
	if (n && !grown)
		vmt_take_nothing(t, "no process that was there before");
	else
		vmt_take_proc(t, VMT_FIELD_proc_rss_per_second_bytes, VMT_FIELD_proc_rss_bytes,
			      VMT_SOURCE_STATUS);
}

void vmt_take_maps(const struct vmt_take *t)
{
	const struct vmt_proc *worst = NULL;
	size_t i, n = 0, without = 0;
	bool named = t->want->pids || t->want->comm, all = !named || are_all_there(t);

	for (i = 0; i < t->m->n_procs; i++) {
		const struct vmt_proc *p = &t->m->procs[i];

		if (!vmt_figure_wants(t->want, p))
			continue;
		/* A kernel thread has none. */
		if (VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user"))
			continue;
		n++;
		if (!VMT_HAS(proc, maps_percent, p)) {
			without += !is_gone(p);
			continue;
		}
		if (!worst || p->maps_total > worst->maps_total)
			worst = p;
	}
	if (all && n == 0 && named)
		nobody(t);
	else if (all && (!worst || (without && named)))
		unread(t, VMT_SOURCE_MAPS);
	if (!worst)
		return;
	vmt_take_known(t,
		       worst->maps_percent > INT64_MAX ? INT64_MAX : (int64_t)worst->maps_percent);
	/* As above, of those that are named. */
	if (named && (!all || without))
		t->f->state = VMT_FIGURE_AT_LEAST;
	vmt_take_say(t, t->f->value);
	vmt_buf_adds(&t->f->text, " (");
	name_process(t, worst);
	vmt_buf_addf(&t->f->text, ": %" PRIu64 " of %" PRIu64 " mappings", worst->maps_total,
		     worst->maps_limit);
	if (without)
		vmt_buf_addf(&t->f->text, ", %zu processes not read", without);
	vmt_buf_addc(&t->f->text, ')');
}

void vmt_take_p99(const struct vmt_take *t)
{
	const struct vmt_model *m = t->m;
	const struct vmt_fault *worst = NULL;
	size_t i;
	bool all;

	if (t->want->n_pids == 0) {
		nobody(t);
		return;
	}
	if (!m->has_probe || m->sample->sources[VMT_SOURCE_FAULT].state != VMT_STATE_OK) {
		vmt_take_no_source(t, VMT_SOURCE_FAULT);
		return;
	}
	for (i = 0; i < m->n_faults; i++) {
		const struct vmt_fault *f = &m->faults[i];

		if (!VMT_HAS(fault, pid, f) || !is_wanted(t, f->pid) ||
		    !VMT_HAS(fault, p99_ns, f) || (worst && f->p99_ns <= worst->p99_ns))
			continue;
		worst = f;
	}
	/* Of those that were found by name some may have ended. */
	all = t->want->comm || are_all_there(t);
	if (!worst && !all)
		return;
	if (!worst && m->n_faults) {
		vmt_take_unknown(t, "this way to count has no times; see 'vmtop doctor'");
		return;
	}
	if (!worst) {
		vmt_take_nothing(t, "no page fault in the interval");
		return;
	}
	/* Thousandths of a microsecond are nanoseconds. */
	vmt_take_known(t, worst->p99_ns > INT64_MAX ? INT64_MAX : (int64_t)worst->p99_ns);
	if (!all)
		t->f->state = VMT_FIGURE_AT_LEAST;
	vmt_take_say(t, t->f->value);
	vmt_buf_adds(&t->f->text, " (");
	vmt_fmt_process(&t->f->text, worst->pid, VMT_HAS(fault, comm, worst) ? &worst->comm : NULL);
	if (VMT_HAS(fault, count, worst))
		vmt_buf_addf(&t->f->text, ", %" PRIu64 " faults", worst->count);
	vmt_buf_addc(&t->f->text, ')');
}
