/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-raw.h"
#include "model/latency.h"
#include "model/model.h"

void vmt_fault_set_sampled(struct vmt_fault *row, const struct vmt_fault_sample *f,
			   const struct vmt_latency_sum *latency, uint64_t known)
{
	VMT_SET(fault, stands_for_total, row, latency->count + latency->others);
	VMT_SET(fault, sampled, row, f->totals.guard_trips && latency->count < known);
}

void vmt_fault_set_guard(struct vmt_probe_row *p, const struct vmt_fault_sample *f)
{
	const struct vmt_fault_totals *t = &f->totals;
	uint64_t timed = 0;
	size_t i;

	if (!(f->have & VMT_HAVE_LATENCY))
		return;
	for (i = 0; i < f->n_maps; i++)
		timed += f->maps[i].latency.count;
	VMT_SET(probe, timed_faults_total, p, timed);
	if (!t->guarded)
		return;
	VMT_SET(probe, guard_rate, p, t->guard_rate);
	VMT_SET(probe, guard_trips_total, p, t->guard_trips);
	VMT_SET(probe, guard_calms_total, p, t->guard_calms);
	if (t->guard_trips) {
		VMT_SET(probe, guard_first_ns, p, t->guard_first_ns);
		VMT_SET(probe, guard_cpus, p, t->guard_cpus);
	}
}
