/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The part of bpf/events.bpf.c that tells of stalls, bpf/pressure-made.inc. For probe-events.c
 * alone.
 */

#include "base/mem.h"
#include "bpf/pressure.h"
#include "model/pressure.h"
#include "source/probe-internal.h"

struct bpf_program;

/* Hooks of it at most. */
#define VMT_PRESSURE_HOOKS 13

/* What came of them. */
struct vmt_pressure_hooks {
	bool wanted;
	bool gfp_first; /* the order of arguments: see bpf/pressure-made.inc */
	bool status_sixth;
	bool throttle_told;
	bool ftrace_off; /* programs in functions would attach, and never run */
	bool zones_loaded; /* compaction is told of zone by zone: as it was decided for loading */
	int error[VMT_PRESSURE_HOOKS]; /* 0, or a negative errno */
};

/* Looks in the kernel's BTF for what it has of them. */
void vmt_pressure_look(struct vmt_pressure_hooks *h, bool wanted);
/* Which of them a program is, or -1; whether it is to be loaded. */
int vmt_pressure_hook(const char *section);
bool vmt_pressure_loads(const struct vmt_pressure_hooks *h, const char *section);
/* With them the object did not load, for this error: fewer are to be tried, or none. False where
 * that was not their fault. */
bool vmt_pressure_refused(struct vmt_pressure_hooks *h, int error);
/* It did not attach: that is all that is lost. */
void vmt_pressure_fails(struct vmt_pressure_hooks *h, const char *section, int error);
/* Compaction is told of zone by zone. */
bool vmt_pressure_by_zone(const struct vmt_pressure_hooks *h);
/* Bits by enum vmt_stall_cause: of these all hooks are there that they need. */
uint32_t vmt_pressure_causes(const struct vmt_pressure_hooks *h);
/* A row for each; how many. Their texts are constant. */
size_t vmt_pressure_tries(const struct vmt_pressure_hooks *h, struct vmt_probe_try *ret,
			  size_t most);

/* What a record says, but for the paths. */
struct vmt_stall vmt_pressure_stall(const struct vmt_stall_record *r, bool throttle_told);
/* What was counted of a process. */
struct vmt_stall_count vmt_pressure_count(const struct vmt_slot_stall *s);
