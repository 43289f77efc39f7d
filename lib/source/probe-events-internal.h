/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the probe of events share with each other; nobody else includes it. */

#include "bpf/events.h"
#include "source/probe-drain.h"
#include "source/probe-events.h"
#include "source/probe-load.h"
#include "source/probe-pressure.h"
#include "source/probe-stack.h"

struct ring_buffer;
struct vmt_events_bpf;

struct vmt_events {
	struct vmt_events_bpf *skeleton;
	struct bpf_link **links; /* NULL for what a kernel may lack, and this one does */
	size_t n_links;
	struct vmt_pressure_hooks pressure;
	uint32_t calls; /* that are counted: those that were asked for, unless crashes cannot be */
	int crash_error; /* why they cannot; 0 where they can, or were not asked for */
	struct vmt_probe_array processes;
	struct vmt_probe_array names;
	struct vmt_probe_array stats;
	struct vmt_probe_stacks stacks;
	struct vmt_probe_array sites;
	uint32_t frames_most; /* of a stack in user mode */
	struct ring_buffer *ring;
	struct vmt_drain *ended;
	uint64_t before[VMT_STAT_COUNT]; /* what the self-check did to the counters */
	uint64_t start_ns;
	uint64_t stop_ns;
	uint64_t listed;
	uint64_t broken; /* what of the ring was no event, by its call or its length */
	bool trusted;
	/* Of one vmt_events_take(). */
	struct vmt_arena *arena;
	vmt_events_fn *fn;
	void *arg;
	size_t left;
	size_t taken;
};

/* For ring_buffer__new(): takes one record, of any length and any bytes, and gives it to x->fn. x
 * is a struct vmt_events, of which it needs names, pressure, frames_most, and what is of one
 * vmt_events_take(). -ENOMEM, what fn returned, or -EAGAIN: x->left is 0. */
int vmt_events_on_record(void *x, void *record, size_t size);
struct vmt_event_count vmt_events_count_of(const struct vmt_slot_call *c);

/* Sizes of the tables for stacks of single events alone, before the object is loaded: room for the
 * code of more programs, a row of stacks for each possible CPU, and nothing to count by stack. 0 or
 * -errno. */
int vmt_events_single_tables(struct bpf_object *object, uint32_t cpus);
/* Maps the tables of stacks of a loaded object; sites: those of calls by stack, too. 0 or -errno.
 */
int vmt_events_map_stacks(struct vmt_events *x, const struct bpf_object *object,
			  const volatile struct vmt_stack_lost *lost, bool sites);
/* Stacks, what was counted of each, and where ret->touched_wanted what each mapped, of the map of
 * claims. Of this process there are those of the self-check. 0 or -ENOMEM. */
int vmt_events_read_sites(struct vmt_events *x, int claims_fd, struct vmt_arena *arena,
			  struct vmt_event_sample *ret);
