/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-cpus.h"

static void on_cpu(void *arg, unsigned cpu, bool online)
{
	struct vmt_probe_cpus *c = arg;
	uint64_t *counter = &c->gone;

	if (online)
		counter = c->attach && !c->attach(c->arg, cpu) ? &c->back : &c->blind;
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void vmt_probe_cpus_init(struct vmt_probe_cpus *c, int (*attach)(void *arg, unsigned cpu),
			 void *arg)
{
	*c = (struct vmt_probe_cpus){ .attach = attach, .arg = arg };
	/* There is no such socket everywhere; what it would say is unknown then. */
	if (vmt_cpu_watch_new(&c->watch) < 0)
		c->watch = NULL;
}

void vmt_probe_cpus_start(struct vmt_probe_cpus *c)
{
	if (c->watch && vmt_cpu_watch_start(c->watch, on_cpu, c) < 0) {
		vmt_cpu_watch_free(c->watch);
		c->watch = NULL;
	}
}

void vmt_probe_cpus_stop(struct vmt_probe_cpus *c)
{
	if (c->watch)
		c->missed = vmt_cpu_watch_stop(c->watch);
}

void vmt_probe_cpus_read(const struct vmt_probe_cpus *c, struct vmt_fault_totals *t)
{
	t->cpus_known = c->watch != NULL;
	t->cpus_gone = __atomic_load_n(&c->gone, __ATOMIC_RELAXED);
	t->cpus_back = __atomic_load_n(&c->back, __ATOMIC_RELAXED);
	t->cpus_blind = __atomic_load_n(&c->blind, __ATOMIC_RELAXED) + c->missed;
}

void vmt_probe_cpus_done(struct vmt_probe_cpus *c)
{
	vmt_cpu_watch_free(c->watch);
	c->watch = NULL;
}
