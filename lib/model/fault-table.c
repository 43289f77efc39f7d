/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-table.h"

#include <errno.h>
#include <stdlib.h>

#include "model/latency.h"
#include "model/recorded.h"

#define OTHER VMT_BYTES("(other)")

/* A row, and what it is sorted by. */
struct place {
	const char *row;
	uint64_t by;
	size_t at;
};

static int most_first(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->by != b->by)
		return a->by < b->by ? 1 : -1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* What a row without a timed fault says of time: nothing, which is known. */
static bool is_untimed(const struct vmt_entity *e, const struct vmt_field *f, const void *row)
{
	const struct vmt_fault *fault = row;

	return e == &vmt_entity_fault && f->group && strcmp(f->group, "latency") == 0 &&
	       VMT_HAS(fault, count, fault) && !fault->count;
}

/* Counts, and times that are added up. */
static bool is_summed(const struct vmt_field *f)
{
	return (f->type == VMT_TYPE_U64 || f->type == VMT_TYPE_I64) &&
	       (f->kind == VMT_KIND_COUNTER || f->unit == VMT_UNIT_COUNT);
}

static void sum_field(const struct vmt_entity *e, const struct vmt_field *f,
		      const struct place *places, size_t n, void *sum)
{
	/* Two's complement: of those with a sign the same. */
	uint64_t v = 0;
	size_t i, known = 0;

	for (i = 0; i < n; i++) {
		if (vmt_row_has((const void *)places[i].row, f->index)) {
			v += vmt_field_number(f, places[i].row);
			known++;
		} else if (!is_untimed(e, f, places[i].row)) {
			return;
		}
	}
	if (!known)
		return;
	memcpy((char *)sum + f->offset, &v, sizeof(v));
	vmt_row_mark(sum, f->index);
}

/* The percentiles of rows together follow from their histograms, as they do for one. */
static int sum_latency(const struct place *places, size_t n, struct vmt_arena *arena,
		       struct vmt_fault *sum)
{
	struct vmt_latency_sum l = { 0 };
	bool sampled = false, sampled_known = true;
	struct vmt_hist hist;
	uint64_t all = 0, ns;
	size_t i, k;

	for (i = 0; i < n; i++) {
		const struct vmt_fault *f = (const void *)places[i].row;

		sampled_known &= VMT_HAS(fault, sampled, f);
		sampled |= VMT_HAS(fault, sampled, f) && f->sampled;
		if (!VMT_HAS(fault, count, f))
			return 0;
		if (!f->count)
			continue;
		if (!VMT_HAS(fault, max_ns, f))
			return 0;
		l.max_ns = f->max_ns > l.max_ns ? f->max_ns : l.max_ns;
		l.overrun |= !VMT_HAS(fault, histogram, f);
		for (k = 0; !l.overrun && k < f->histogram.n; k++) {
			const struct vmt_hist_bucket *b = &f->histogram.buckets[k];

			l.bucket[vmt_latency_bucket(b->from)] += b->count;
			all += b->count;
		}
	}
	if (sampled_known)
		VMT_SET(fault, sampled, sum, sampled);
	if (!VMT_HAS(fault, count, sum) || !sum->count)
		return 0;
	VMT_SET(fault, max_ns, sum, l.max_ns);
	l.count = sum->count;
	l.others = all > l.count ? all - l.count : 0;
	if (vmt_latency_percentile(&l, 50, &ns))
		VMT_SET(fault, p50_ns, sum, ns);
	if (vmt_latency_percentile(&l, 90, &ns))
		VMT_SET(fault, p90_ns, sum, ns);
	if (vmt_latency_percentile(&l, 99, &ns))
		VMT_SET(fault, p99_ns, sum, ns);
	if (l.overrun)
		return 0;
	if (!vmt_latency_hist(&l, arena, &hist))
		return -ENOMEM;
	VMT_SET(fault, histogram, sum, hist);
	return 0;
}

/* The row of n others. */
static int sum_rows(const struct vmt_entity *e, const struct place *places, size_t n,
		    struct vmt_arena *arena, void *sum)
{
	struct vmt_balance *balance = sum;
	struct vmt_fault *fault = sum;
	size_t i;

	for (i = 0; i < e->n_fields; i++)
		if (is_summed(&e->fields[i]))
			sum_field(e, &e->fields[i], places, n, sum);
	if (e == &vmt_entity_fault) {
		VMT_SET(fault, path, fault, OTHER);
		return sum_latency(places, n, arena, fault);
	}
	VMT_SET(balance, comm, balance, OTHER);
	return 0;
}

int vmt_fault_table_bound(const struct vmt_entity *entity, const struct vmt_field *by, size_t most,
			  struct vmt_arena *arena, void **rows, size_t *n)
{
	VMT_AUTO_FREE struct place *places = calloc(*n + 1, sizeof(*places));
	size_t size = entity->row_size, i, kept = *n < most ? *n : most;
	char *to = vmt_arena_alloc(arena, kept + 1, size);
	int r;

	if (!places || !to)
		return -ENOMEM;
	for (i = 0; i < *n; i++) {
		places[i] = (struct place){ .row = (const char *)*rows + i * size, .at = i };
		if (vmt_row_has((const void *)places[i].row, by->index))
			places[i].by = vmt_field_number(by, places[i].row);
	}
	if (*n)
		qsort(places, *n, sizeof(*places), most_first);
	for (i = 0; i < kept; i++)
		memcpy(to + i * size, places[i].row, size);
	if (*n > kept) {
		r = sum_rows(entity, places + kept, *n - kept, arena, to + kept * size);
		if (r < 0)
			return r;
		kept++;
	}
	*rows = to;
	*n = kept;
	return 0;
}

/* A mapping that is not in the list of its process is gone; where there is no list, who knows. */
static void forget_states(const struct vmt_sample *s, struct vmt_fault *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct vmt_fault *f = &rows[i];
		uint64_t pid = VMT_HAS(fault, owner_pid, f) ? f->owner_pid : f->pid;
		const struct vmt_proc *p = s->maps ? vmt_sample_proc(s, pid) : NULL;

		if (!p || s->maps[p - s->procs].state != VMT_STATE_OK)
			VMT_UNSET(fault, state, f);
	}
}

static int make(struct vmt_model *m, struct vmt_sample *s)
{
	const struct vmt_model_opts by_map = { .fault_group = VMT_FAULT_BY_VMA };
	struct vmt_fault_table *t = vmt_arena_alloc(&s->arena, 1, sizeof(*t));
	void *rows, *procs;
	int r = t ? vmt_model_faults(m, &by_map) : -ENOMEM;

	if (r < 0)
		return r;
	forget_states(s, m->faults, m->n_faults);
	/* What is between the counters of the kernel and ours is known at the end of the window. */
	for (size_t i = 0; !s->faults->complete && i < m->n_balance; i++)
		VMT_UNSET(balance, residual_faults, &m->balance[i]);
	t->probe = vmt_recorded_copy_rows(&vmt_entity_probe, &s->arena, &m->probe, 1);
	t->n_probe = 1;
	rows = m->faults;
	t->n_rows = m->n_faults;
	r = vmt_fault_table_bound(&vmt_entity_fault,
				  &vmt_entity_fault.fields[VMT_FIELD_fault_faults_total],
				  VMT_FAULT_TABLE_ROWS, &m->arena, &rows, &t->n_rows);
	if (r < 0)
		return r;
	procs = m->balance;
	t->n_procs = m->n_balance;
	r = vmt_fault_table_bound(&vmt_entity_balance,
				  &vmt_entity_balance.fields[VMT_FIELD_balance_kernel_faults_total],
				  VMT_FAULT_TABLE_ROWS, &m->arena, &procs, &t->n_procs);
	if (r < 0)
		return r;
	t->rows = vmt_recorded_copy_rows(&vmt_entity_fault, &s->arena, rows, t->n_rows);
	t->procs = vmt_recorded_copy_rows(&vmt_entity_balance, &s->arena, procs, t->n_procs);
	if (!t->probe || !t->rows || !t->procs)
		return -ENOMEM;
	s->fault_table = t;
	return 0;
}

int vmt_fault_table_make(struct vmt_sample *s)
{
	struct vmt_model m = { .sample = s };
	int r;

	vmt_arena_init(&m.arena);
	r = make(&m, s);
	vmt_arena_done(&m.arena);
	return r;
}

void vmt_fault_table_take(struct vmt_model *m)
{
	const struct vmt_fault_table *t = m->sample->fault_table;

	if (!t || !t->n_probe)
		return;
	m->has_probe = true;
	m->probe = *t->probe;
	m->faults = t->rows;
	m->n_faults = t->n_rows;
	m->balance = t->procs;
	m->n_balance = t->n_procs;
}
