/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the rungs of bpf/fault.bpf.c have while they run. For probe-fault.c and probe-fault-read.c
 * alone. */

#include "bpf/fault.h"
#include "source/probe-asked.h"
#include "source/probe-cpus.h"
#include "source/probe-guard.h"
#include "source/probe-live.h"
#include "source/probe-singles.h"
#include "source/probe-stack.h"

struct vmt_fault_bpf;

/* The records of the ring that the programs hand rows over through. */
enum {
	VMT_PILE_MAPS,
	VMT_PILE_PROCS,
	VMT_PILE_KINDS,
};

/* The walk over all tasks runs three times: at the start, and twice at the end. */
enum {
	VMT_WALK_BASE,
	VMT_WALK_MARK,
	VMT_WALK_CLOSE,
	VMT_WALKS,
};

struct vmt_fault_state {
	struct vmt_probe_loaded loaded;
	struct vmt_fault_bpf *skeleton;
	struct bpf_link *walk;
	int walks[VMT_WALKS]; /* made at the start, because making one needs bpf() */
	bool has_walks;
	struct vmt_probe_array maps;
	struct vmt_probe_array procs;
	struct vmt_probe_array names;
	struct vmt_probe_array stats;
	struct vmt_probe_guard guard;
	struct vmt_drain
		*drain; /* rows of processes that are gone; NULL: they stay in the tables */
	struct vmt_probe_stacks stacks;
	struct vmt_probe_asked asked;
	struct vmt_probe_singles *singles; /* NULL where nobody asked for them */
	struct vmt_probe_live *live; /* NULL where they are not handed out live */
	const volatile __u64 *events_lost; /* that found the ring full */
	bool sums, forget; /* as in opts */
	struct vmt_fault_totals past; /* of those that ended and are forgotten */
	uint64_t events_counted; /* by the kernel, whether or not a program saw them */
	uint64_t events_before; /* that programs saw before they were started together */
	bool events_known;
	struct vmt_probe_cpus cpus;
	bool around; /* programs are attached around handle_mm_fault() */
	bool stopped;
};

/* An account with what went as it should in all the sums that it belongs to. */
static inline struct vmt_slot_proc vmt_fault_whole(const struct vmt_fault_state *s,
						   const struct vmt_slot_proc *p)
{
	struct vmt_slot_proc q = *p;

	q.kernel_minor += q.plain_minor;
	q.kernel_major += q.plain_major;
	q.mapped += q.plain_minor + q.plain_major;
	if (!s->around) {
		q.record_minor += q.plain_minor;
		q.record_major += q.plain_major;
	}
	return q;
}

/* Of struct vmt_probe_backend. */
int vmt_fault_bpf_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		       struct vmt_fault_sample *ret, struct vmt_err *err);
int vmt_fault_bpf_live(void *state, bool last, struct vmt_arena *arena,
		       struct vmt_fault_sample *ret, struct vmt_err *err);
