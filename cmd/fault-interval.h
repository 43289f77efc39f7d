/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/fault-raw.h"

struct vmt_probe;
struct vmt_probe_opts;

/* For opts.guard_rate: with all faults timed it would take a twentieth of a CPU. */
#define VMT_FAULT_INTERVAL_GUARD UINT64_C(125000)

/* A probe that is read again and again, and what it counted between the last two readings. */
struct vmt_fault_interval {
	struct vmt_probe *probe; /* NULL: there is none */
	/* The last two readings, by turns. */
	struct vmt_arena arenas[2];
	struct vmt_fault_sample readings[2];
	unsigned now;
	bool has_before;
	struct vmt_arena delta_arena;
	struct vmt_fault_sample delta; /* after the first reading: since the probe began */
};

/* Ends the probe, and forgets what it counted. */
void vmt_fault_interval_end(struct vmt_fault_interval *i);
/* Reads the probe; the reading before stays for the difference, and the delta before that is gone.
 * 0 or -errno. */
int vmt_fault_interval_read(struct vmt_fault_interval *i);
/* What was read last. */
static inline const struct vmt_fault_sample *
vmt_fault_interval_now(const struct vmt_fault_interval *i)
{
	return &i->readings[i->now];
}

/*
 * Whether the probe has to begin anew: rows of mappings that are gone stay in the kernel's table as
 * long as their process lives, and more than so many rows of what has ended may be in what is read.
 * *maps are the rows of that table; where it is nearly full it is doubled, up to maps_most.
 */
bool vmt_fault_interval_is_full(const struct vmt_fault_interval *i, size_t ended_most,
				uint32_t maps_most, uint32_t *maps);
