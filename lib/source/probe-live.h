/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Mappings of single faults, while programs still write to the table of them. For the probe-*.c
 * files alone. */

#include "source/probe-drain.h"
#include "source/probe-load.h"

struct vmt_slot_map;
struct vmt_probe_live;

/* pile is that of the rows in drain. Both and the table are the caller's, and outlive it. */
int vmt_probe_live_new(const struct vmt_probe_array *maps, struct vmt_drain *drain, unsigned pile,
		       struct vmt_probe_live **ret);
/* NULL is fine. */
void vmt_probe_live_free(struct vmt_probe_live *l);

/*
 * Forgets the rows of processes that had ended when it was last called, if that is some seconds
 * ago: no single fault that is still to come has one of these. To be called behind
 * vmt_probe_live_maps(); now_ns is CLOCK_MONOTONIC.
 */
void vmt_probe_live_forget(struct vmt_probe_live *l, uint64_t now_ns);

/*
 * Fills ret->maps with each row that one of ret->singles names, by add, which gets arg. What is in
 * the table no more is looked for among what was handed over. -ENOMEM, or what add returns.
 */
int vmt_probe_live_maps(struct vmt_probe_live *l, struct vmt_arena *arena,
			int (*add)(void *arg, const struct vmt_slot_map *m, struct vmt_arena *arena,
				   struct vmt_fault_raw *out),
			void *arg, struct vmt_fault_sample *ret);
