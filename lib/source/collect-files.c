/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "source/collect-private.h"
#include "source/pids.h"

/* Fields of those sources alone: counters stay of the moment at which all processes were read. */
static void copy_fields(struct vmt_proc *to, const struct vmt_proc *from, uint64_t sources)
{
	size_t i;

	for (i = 0; i < vmt_entity_proc.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[i];

		if (!(sources >> f->source & 1) || !vmt_row_has(&from->row, f->index))
			continue;
		memcpy((char *)to + f->offset, vmt_field_at(f, from),
		       vmt_field_is_text(f) ? sizeof(struct vmt_bytes) : sizeof(uint64_t));
		vmt_row_mark(&to->row, f->index);
	}
}

static void add_cost(struct vmt_source_stat *st, const struct vmt_pid_cost *cost)
{
	st->reads += cost->reads;
	st->bytes += cost->bytes;
}

/* One process. What it cost is noted in the sample; a process that ended is what it was. */
static int read_one(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources, size_t index)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	struct vmt_proc *to = &s->procs[index], p = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_err err = { 0 };
	int r;

	/* Without a start it could be any process that has that number. */
	if (!VMT_HAS(proc, start_time_ns, to))
		return 0;
	r = vmt_pid_read(root, to->pid, sources | VMT_SOURCE_BIT(STAT), &s->arena, &p, &facts,
			 &err);
	add_cost(&s->sources[VMT_SOURCE_STATUS], &facts.status);
	add_cost(&s->sources[VMT_SOURCE_STAT], &facts.stat);
	add_cost(&s->sources[VMT_SOURCE_CGROUP], &facts.cgroup);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (r != -ESRCH)
			vmt_sample_failed(s, VMT_SOURCE_STATUS, to->pid, to->comm, r, NULL);
		return 0;
	}
	if (!VMT_HAS(proc, start_time_ns, &p) || p.start_time_ns != to->start_time_ns)
		return 0;
	if (VMT_HAS(proc, uid, &p)) {
		struct vmt_bytes name;

		r = vmt_users_text(vmt_collector_users(c), p.uid, &s->arena, &name);
		if (r < 0)
			return r;
		VMT_SET(proc, user, &p, name);
	}
	copy_fields(to, &p, sources);
	return 0;
}

int vmt_collect_files(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		      const size_t *indices, size_t n, struct vmt_err *err)
{
	uint64_t cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID), before, after;
	struct vmt_source_stat *st;
	size_t i;

	sources &= VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(CGROUP);
	if (!sources)
		return 0;
	/* The files of a process are read together; the largest of them stands for all. */
	st = &s->sources[sources & VMT_SOURCE_BIT(STATUS) ? VMT_SOURCE_STATUS : VMT_SOURCE_CGROUP];
	before = vmt_now_ns(CLOCK_MONOTONIC);
	for (i = 0; i < n; i++) {
		if (read_one(c, s, sources, indices[i]) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		after = vmt_now_ns(CLOCK_MONOTONIC);
		if (after - before > st->longest_ns)
			st->longest_ns = after - before;
		before = after;
	}
	st->cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	vmt_sample_settle(s);
	return 0;
}
