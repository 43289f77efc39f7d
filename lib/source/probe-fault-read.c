/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reading what the programs of bpf/fault.bpf.c have counted. */

#include "source/probe-fault.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/probe-counts.h"

static int copy_comm(struct vmt_arena *arena, const char comm[16], struct vmt_bytes *ret)
{
	size_t len = strnlen(comm, 16);
	char *copy = vmt_arena_copy(arena, comm, len);

	if (!copy)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ copy, len };
	return 0;
}

static int copy_path(struct vmt_fault_state *s, const struct vmt_slot_map *m,
		     struct vmt_arena *arena, struct vmt_fault_raw *out)
{
	static const char *const special[VMT_FAULT_SPECIALS] = { "", "[heap]", "[stack]",
								 "[vdso]" };
	const struct vmt_slot_name *name;

	out->path = vmt_bytes_of(special[out->special]);
	if (!m->name || m->name > s->names.len)
		return 0;
	name = vmt_probe_at(&s->names, m->name - 1);
	if (!name->ready)
		return 0;
	return vmt_probe_path(name,
			      out->class == VMT_FAULT_SHMEM || out->class == VMT_FAULT_HUGETLB ||
				      out->class == VMT_FAULT_ANON,
			      arena, &out->path, &out->deleted, &out->path_cut);
}

static int add_map(void *state, const struct vmt_slot_map *m, struct vmt_arena *arena,
		   struct vmt_fault_raw *out)
{
	struct vmt_fault_state *s = state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vmt_probe_counts n;
	int r;

	out->slot = m->slot;
	out->pid = m->tgid;
	out->owner_pid = m->owner_tgid;
	out->start_time_ns = m->start_time;
	out->exec_id = m->exec_id;
	out->start = m->vm_start;
	out->end = m->vm_end;
	out->offset_bytes = m->vm_pgoff * page;
	out->vm_flags = m->vm_flags;
	out->inode = m->ino;
	out->dev_major = m->dev >> 20;
	out->dev_minor = m->dev & ((1u << 20) - 1);
	out->class = m->class < VMT_FAULT_CLASSES ? m->class : VMT_FAULT_OTHER;
	out->special = m->special < VMT_FAULT_SPECIALS ? m->special : VMT_FAULT_PLAIN;
	out->has_file = m->ino || m->dev;
	vmt_probe_counts(m->count, &n);
#define COPY(member) out->member = n.member;
	VMT_FAULT_COUNTS(COPY)
#undef COPY
	out->retried = m->retried;
	out->gup = m->gup;
	for (int f = 0; f < VMT_FAILURES; f++)
		out->failed[f] = m->failed[f];
	for (int k = 0; k < VMT_FAULT_KINDS; k++)
		out->kinds[k] = m->kinds[k];
	out->spent.lock_ns = m->lock_ns;
	out->spent.read_ns = m->read_ns;
	out->spent.swap_ns = m->swap_ns;
	vmt_probe_latency(&m->latency, n.timed, &out->latency);
	r = copy_comm(arena, m->comm, &out->comm);
	return r ?: copy_path(s, m, arena, out);
}

/*
 * While the programs run, a row may be handed over between the look at the table and that at the
 * pile. Whoever is missed once is counted twice: in the next reading all of it seems to be new. So
 * the table is read first, then the pile behind it; a row that was read in the table and is in the
 * pile by then is left to the next reading there.
 */
struct seen {
	uint32_t *at; /* heap; by place in the table: 1 + index of the row that was read there */
	size_t before; /* of the pile, when the table was not read yet */
	size_t gone; /* rows of the table that were handed over while it was read */
};

static void seen_done(struct seen *seen)
{
	free(seen->at);
}

/* How many rows the pile has that are to be looked at, behind the table. A record that is being
 * written when the ring is read comes in a moment. */
static size_t pile_behind(struct vmt_fault_state *s, unsigned pile, const struct seen *seen)
{
	size_t n;

	if (!s->drain)
		return 0;
	n = vmt_drain_count(s->drain, pile);
	for (unsigned tries = 0; n < seen->before + seen->gone && tries < 100; tries++) {
		sched_yield();
		n = vmt_drain_count(s->drain, pile);
	}
	return n;
}

/* Rows of a table of n, and of its pile; and as many as may come into both while they are read. */
static size_t room(size_t n, const struct seen *seen)
{
	return n + n / 8 + seen->before + 256;
}

/* A copy of a row of the table, where it stays the same row for so long. */
static bool copy_map(const struct vmt_slot_map *m, struct vmt_slot_map *ret)
{
	memcpy(ret, m, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ret->ready && m->ready && m->tgid == ret->tgid && m->start_time == ret->start_time;
}

static int read_maps(struct vmt_fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		     struct vmt_fault_sample *ret)
{
	VMT_CLEANUP(seen_done) struct seen seen = { 0 };
	size_t drained, at = 0, forget = 0, n = 0, cap;
	bool later = false;
	struct vmt_slot_map row;
	int r = 0;

	seen.before = s->drain ? vmt_drain_count(s->drain, VMT_PILE_MAPS) : 0;
	for (size_t i = 0; i < s->maps.len; i++) {
		const struct vmt_slot_map *m = vmt_probe_at(&s->maps, i);

		n += m->ready != 0;
	}
	cap = room(n, &seen);
	ret->maps = vmt_arena_alloc(arena, cap, sizeof(*ret->maps));
	seen.at = calloc(s->maps.len + 1, sizeof(*seen.at));
	if (!ret->maps || !seen.at)
		return -ENOMEM;
	ret->totals.slots_used = n;
	ret->totals.slots_total = s->maps.len;
	for (size_t i = 0; i < s->maps.len && ret->n_maps < cap && !r; i++) {
		const struct vmt_slot_map *m = vmt_probe_at(&s->maps, i);

		if (!m->ready)
			continue;
		if (!copy_map(m, &row)) {
			seen.gone++;
			continue;
		}
		if (hidden && row.tgid == hidden)
			continue;
		r = add_map(s, &row, arena, &ret->maps[ret->n_maps++]);
		seen.at[i] = (uint32_t)ret->n_maps;
	}
	drained = pile_behind(s, VMT_PILE_MAPS, &seen);
	for (size_t i = 0; i < drained && ret->n_maps < cap && !r; i++) {
		const struct vmt_fault_raw *there = NULL;
		bool was_read;

		if (!vmt_drain_next(s->drain, VMT_PILE_MAPS, &at, &row))
			break;
		if (i >= seen.before && row.slot && row.slot <= s->maps.len &&
		    seen.at[row.slot - 1])
			there = &ret->maps[seen.at[row.slot - 1] - 1];
		was_read = there && there->pid == row.tgid &&
			   there->start_time_ns == row.start_time;
		later |= was_read;
		/* Those behind one that is left to the next reading are read there once more. */
		forget = later ? forget : at;
		if (!was_read && !(hidden && row.tgid == hidden))
			r = add_map(s, &row, arena, &ret->maps[ret->n_maps++]);
	}
	if (s->forget && s->drain && !r)
		vmt_drain_forget(s->drain, VMT_PILE_MAPS, forget);
	return r;
}

/*
 * Whether there is no such process any more. sched_process_free comes after a grace period of RCU,
 * and on a busy machine some time after that: a process that was waited for may seem to live on.
 */
static bool is_gone(uint32_t tgid)
{
	return tgid && kill((pid_t)tgid, 0) < 0 && errno == ESRCH;
}

static int add_proc(const struct vmt_fault_state *s, const struct vmt_slot_proc *p,
		    struct vmt_arena *arena, struct vmt_fault_totals *t, struct vmt_fault_proc *out)
{
	const struct vmt_slot_proc account = vmt_fault_whole(s, p), *q = &account;
	int r;

	out->pid = q->tgid;
	out->start_time_ns = q->start_time;
	out->exited = q->flags & VMT_PROC_EXITED || (s->stopped && is_gone(q->tgid));
	out->self = q->tgid == (uint32_t)getpid();
	out->kernel_minor = q->kernel_minor;
	out->kernel_major = q->kernel_major;
	out->record_minor = q->record_minor;
	out->record_major = q->record_major;
	out->mapped = q->mapped;
	out->gup = q->gup;
	out->unattributed = q->unattributed;
	out->dropped = q->dropped;
	out->retried = q->retried;
	out->abandoned = q->abandoned;
	t->kernel_minor += q->kernel_minor;
	t->kernel_major += q->kernel_major;
	t->record_minor += q->record_minor;
	t->record_major += q->record_major;
	t->mapped += q->mapped;
	t->gup += q->gup;
	t->unattributed += q->unattributed;
	t->dropped += q->dropped;
	t->retried += q->retried;
	t->abandoned += q->abandoned;
	for (int f = 0; f < VMT_FAILURES; f++) {
		out->failed[f] = q->failed[f];
		t->failed[f] += q->failed[f];
	}
	r = vmt_probe_cgroup(&s->asked, q->cgroup, arena, &out->cgroup);
	return r ?: copy_comm(arena, q->comm, &out->comm);
}

/* Adds the accounts of those that ended, which are forgotten then, to *past. */
static int sum_past(struct vmt_fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		    struct vmt_fault_totals *past)
{
	struct vmt_fault_proc row;
	struct vmt_slot_proc gone;
	size_t at = 0;
	int r = 0;

	(void)vmt_drain_count(s->drain, VMT_PILE_PROCS);
	while (!r && vmt_drain_next(s->drain, VMT_PILE_PROCS, &at, &gone))
		if (!(hidden && gone.tgid == hidden))
			r = add_proc(s, &gone, arena, past, &row);
	vmt_drain_forget(s->drain, VMT_PILE_PROCS, at);
	return r;
}

static void add_totals(struct vmt_fault_totals *t, const struct vmt_fault_totals *more)
{
#define X(member) t->member += more->member;
	VMT_FAULT_SUMS(X)
#undef X
	for (int f = 0; f < VMT_FAILURES; f++)
		t->failed[f] += more->failed[f];
}

/* Whether a row of the table is an account. The first one is that of all that found no row. */
static bool is_account(const struct vmt_slot_proc *q, size_t row)
{
	if (row)
		return q->ready;
	return (q->plain_minor | q->plain_major | q->kernel_minor | q->kernel_major |
		q->record_minor) != 0;
}

/* The totals, and no rows. */
static int sum_procs(struct vmt_fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		     struct vmt_fault_sample *ret)
{
	struct vmt_fault_proc row;
	int r = s->drain ? sum_past(s, arena, hidden, &s->past) : 0;

	add_totals(&ret->totals, &s->past);
	for (size_t i = 0; i < s->procs.len && !r; i++) {
		const struct vmt_slot_proc *q = vmt_probe_at(&s->procs, i);

		if (is_account(q, i) && !(hidden && q->tgid == hidden))
			r = add_proc(s, q, arena, &ret->totals, &row);
	}
	return r;
}

/* As of a mapping. */
static bool copy_proc(const struct vmt_slot_proc *p, struct vmt_slot_proc *ret)
{
	memcpy(ret, p, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ret->ready && p->ready && p->tgid == ret->tgid && p->start_time == ret->start_time;
}

/* Whether an account that ended is among those that were read in the table. */
static bool proc_was_read(const struct vmt_fault_sample *f, size_t n, const struct vmt_slot_proc *p)
{
	for (size_t i = 0; i < n; i++)
		if (f->procs[i].pid == p->tgid && f->procs[i].start_time_ns == p->start_time)
			return true;
	return false;
}

static int read_procs(struct vmt_fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		      struct vmt_fault_sample *ret)
{
	struct vmt_fault_totals gone = { 0 };
	struct seen seen = { 0 };
	size_t drained, at = 0, forget = 0, n = 1, cap, n_table;
	struct vmt_slot_proc row;
	bool later = false;
	int r = 0;

	seen.before = s->drain ? vmt_drain_count(s->drain, VMT_PILE_PROCS) : 0;
	for (size_t i = 1; i < s->procs.len; i++) {
		const struct vmt_slot_proc *q = vmt_probe_at(&s->procs, i);

		n += q->ready != 0;
	}
	cap = room(n, &seen);
	ret->procs = vmt_arena_alloc(arena, cap, sizeof(*ret->procs));
	if (!ret->procs)
		return -ENOMEM;
	for (size_t i = 0; i < s->procs.len && ret->n_procs < cap && !r; i++) {
		const struct vmt_slot_proc *q = vmt_probe_at(&s->procs, i);

		if (!is_account(q, i))
			continue;
		/* The first one is nobody's, and stays. */
		if (i && !copy_proc(q, &row)) {
			seen.gone++;
			continue;
		}
		if (!(hidden && q->tgid == hidden))
			r = add_proc(s, i ? &row : q, arena, &ret->totals,
				     &ret->procs[ret->n_procs++]);
	}
	n_table = ret->n_procs;
	drained = pile_behind(s, VMT_PILE_PROCS, &seen);
	for (size_t i = 0; i < drained && ret->n_procs < cap && !r; i++) {
		bool was_read;

		if (!vmt_drain_next(s->drain, VMT_PILE_PROCS, &at, &row))
			break;
		was_read = i >= seen.before && proc_was_read(ret, n_table, &row);
		later |= was_read;
		forget = later ? forget : at;
		if (was_read || (hidden && row.tgid == hidden))
			continue;
		r = add_proc(s, &row, arena, s->forget && !later ? &gone : &ret->totals,
			     &ret->procs[ret->n_procs++]);
	}
	if (s->forget && s->drain && !r) {
		vmt_drain_forget(s->drain, VMT_PILE_PROCS, forget);
		add_totals(&s->past, &gone);
		add_totals(&ret->totals, &s->past);
	}
	return r;
}

int vmt_fault_bpf_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		       struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct vmt_fault_state *s = state;
	struct vmt_fault_totals *t = &ret->totals;
	/* The self-check's faults are ours, and nobody asked for them. */
	uint32_t hidden = vmt_probe_wants(p, getpid()) ? 0 : (uint32_t)getpid();
	int r;

	if (s->sums) {
		r = sum_procs(s, arena, hidden, ret);
	} else {
		r = read_procs(s, arena, hidden, ret);
		r = r ?: read_maps(s, arena, hidden, ret);
	}
	r = r ?: vmt_probe_stacks_read(&s->stacks, &s->names, hidden, arena, ret);
	r = r ?: vmt_probe_asked_read(&s->asked, &p->opts, s->drain, hidden, arena, ret);
	if (!r && s->drain)
		r = vmt_drain_error(s->drain);
	if (!r && s->singles) {
		ret->have |= VMT_HAVE_SINGLES;
		t->singles_lost = *s->events_lost + vmt_probe_singles_broken(s->singles);
		r = vmt_probe_singles_read(s->singles, arena, ret);
	}
	if (r)
		return vmt_drain_explain(r, "faults", err);

	if (!vmt_probe_misses(&s->loaded, &t->recursion_misses))
		ret->have |= VMT_HAVE_MISSES;
	t->repaired = vmt_probe_stat(&s->stats, VMT_STAT_REPAIRED);
	t->unresolved = vmt_probe_stat(&s->stats, VMT_STAT_UNRESOLVED);
	t->dead_nodes = vmt_probe_stat(&s->stats, VMT_STAT_DEAD_NODES);
	t->paths_cut = vmt_probe_stat(&s->stats, VMT_STAT_NAME_CUT);
	t->paths_missing = vmt_probe_stat(&s->stats, VMT_STAT_NAME_FULL);
	t->disagreed = vmt_probe_stat(&s->stats, VMT_STAT_DISAGREE);
	t->no_account = vmt_probe_stat(&s->stats, VMT_STAT_NO_ACCOUNT);
	if (s->events_known) {
		uint64_t ran = vmt_probe_stat(&s->stats, VMT_STAT_RECORD) - s->events_before;

		t->record_lost = s->events_counted > ran ? s->events_counted - ran : 0;
	}
	vmt_probe_cpus_read(&s->cpus, t);
	r = vmt_probe_guard_read(&s->guard, p->start_ns, arena, ret);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for the guard's state");
	t->lost = t->dropped + t->no_account;
	return 0;
}

int vmt_fault_bpf_live(void *state, bool last, struct vmt_arena *arena,
		       struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct vmt_fault_state *s = state;
	int r = s->stopped ? 0 : vmt_probe_singles_drain(s->singles, err);

	r = r ?: vmt_probe_singles_live(s->singles, vmt_probe_now(), last, arena, ret);
	r = r ?: vmt_probe_live_maps(s->live, arena, add_map, s, ret);
	if (s->sums && !r)
		vmt_probe_live_forget(s->live, vmt_probe_now());
	if (ret->n_singles)
		r = r ?: vmt_probe_codes_read(&s->stacks, &s->names, 0, arena, ret);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for single faults");
	ret->have = VMT_HAVE_SINGLES;
	ret->totals.singles_lost = *s->events_lost + vmt_probe_singles_broken(s->singles);
	return 0;
}
