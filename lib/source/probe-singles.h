/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Single faults, out of the ring of bpf/fault-event.bpf.h. For the probe-*.c files alone. */

#include "source/probe.h"

/* Of the ring: 58254 faults of 72 bytes, their headers included. A power of two. */
#define VMT_PROBE_RING_BYTES (4u << 20)

struct vmt_probe_singles;

/* Maps the ring; opts is copied. 0 or a negative errno; the caller frees *ret. */
int vmt_probe_singles_new(int ring_fd, const struct vmt_probe_opts *opts,
			  struct vmt_probe_singles **ret, struct vmt_err *err);
void vmt_probe_singles_free(struct vmt_probe_singles *s);

/* Empties the ring. -ENOMEM. */
int vmt_probe_singles_drain(struct vmt_probe_singles *s, struct vmt_err *err);

/* What of the ring was no fault, by its length, and is lost. */
uint64_t vmt_probe_singles_broken(const struct vmt_probe_singles *s);

/* Takes one fault as if it came from the ring. -ENOMEM. */
struct vmt_fault_event;
int vmt_probe_singles_take(struct vmt_probe_singles *s, const struct vmt_fault_event *e);

/*
 * Hands out what is complete, and forgets it; see vmt_probe_live(). now_ns is CLOCK_MONOTONIC.
 * -ENOMEM.
 */
int vmt_probe_singles_live(struct vmt_probe_singles *s, uint64_t now_ns, bool last,
			   struct vmt_arena *arena, struct vmt_fault_sample *ret);

/* What was taken so far, in the order of its end, with its counts in ret->totals. -ENOMEM. */
int vmt_probe_singles_read(const struct vmt_probe_singles *s, struct vmt_arena *arena,
			   struct vmt_fault_sample *ret);
