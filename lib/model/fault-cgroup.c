/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-cgroup.h"

#include <errno.h>
#include <stdlib.h>

static int by_process(const void *pa, const void *pb)
{
	const struct vmt_fault_proc *a = *(const struct vmt_fault_proc *const *)pa;
	const struct vmt_fault_proc *b = *(const struct vmt_fault_proc *const *)pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->start_time_ns < b->start_time_ns ? -1 : a->start_time_ns > b->start_time_ns;
}

int vmt_fault_cgroups_init(struct vmt_fault_cgroups *c, const struct vmt_sample *sample)
{
	const struct vmt_fault_sample *f = sample->faults;
	size_t i;

	*c = (struct vmt_fault_cgroups){ .sample = sample, .n = f->n_procs };
	c->procs = calloc(f->n_procs + 1, sizeof(*c->procs));
	if (!c->procs)
		return -ENOMEM;
	for (i = 0; i < f->n_procs; i++)
		c->procs[i] = &f->procs[i];
	if (c->n)
		qsort(c->procs, c->n, sizeof(*c->procs), by_process);
	return 0;
}

void vmt_fault_cgroups_done(struct vmt_fault_cgroups *c)
{
	free(c->procs);
	*c = (struct vmt_fault_cgroups){ 0 };
}

bool vmt_fault_same_start(const struct vmt_sample *s, const struct vmt_proc *p, uint64_t start_ns)
{
	uint64_t tick = s->host.user_hz ? UINT64_C(1000000000) / s->host.user_hz : 0;

	return VMT_HAS(proc, start_time_ns, p) && start_ns >= p->start_time_ns &&
	       start_ns - p->start_time_ns <= tick;
}

struct vmt_bytes vmt_fault_cgroup(const struct vmt_fault_cgroups *c,
				  const struct vmt_fault_raw *raw)
{
	const struct vmt_fault_proc key = { .pid = raw->pid, .start_time_ns = raw->start_time_ns };
	const struct vmt_fault_proc *wanted = &key, *const * found;
	const struct vmt_proc *now;

	found = bsearch(&wanted, c->procs, c->n, sizeof(*c->procs), by_process);
	if (found && (*found)->cgroup.len)
		return (*found)->cgroup;
	now = raw->pid ? vmt_sample_proc(c->sample, raw->pid) : NULL;
	if (now && VMT_HAS(proc, cgroup, now) &&
	    vmt_fault_same_start(c->sample, now, raw->start_time_ns))
		return now->cgroup;
	return (struct vmt_bytes){ 0 };
}
