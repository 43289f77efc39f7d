/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Single faults, for who asked for them: those that took long enough go into a ring, which user
 * space empties every now and then. Nobody is woken for them: a wake-up is an interrupt, and there
 * may be a million a second. Without vmt_events the verifier takes all of it out of the programs,
 * and there is no ring.
 */

#include "bpf/fault-task.bpf.h"
#include "bpf/fault-event.h"

const volatile __u32 vmt_events = 0;
const volatile __u64 vmt_event_least = 0; /* ns */
const volatile __u32 vmt_event_self = 0; /* who empties the ring: its faults would feed it */

volatile __u64 vmt_events_lost = 0; /* the ring was full */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets it */
} events SEC(".maps");

/*
 * Not inlined: its stack is not added to that of the programs, whose way to a name is deep. how is
 * access | mode << 8 | major << 16 | kind << 24.
 */
static __noinline int event_put(void *ctx, u32 slot, u64 page, u32 how, u64 ns)
{
	u64 id = bpf_get_current_pid_tgid();
	struct vmt_fault_event e = {};

	if (id >> 32 == vmt_event_self)
		return 0;
	e.end_ns = bpf_ktime_get_ns();
	e.ns = ns;
	e.address = (page - 1) << 12;
	e.slot = slot;
	e.tgid = id >> 32;
	e.tid = id;
	e.access = how;
	e.mode = how >> 8;
	e.major = how >> 16;
	e.kind = how >> 24;
	/* Of a task in the kernel too it is where it came from. */
	if (bpf_get_stack(ctx, &e.ip, sizeof(e.ip), BPF_F_USER_STACK) != sizeof(e.ip))
		e.ip = 0;
	bpf_get_current_comm(&e.comm, sizeof(e.comm));
	if (bpf_ringbuf_output(&events, &e, sizeof(e), BPF_RB_NO_WAKEUP))
		vmt_add(&vmt_events_lost, 1);
	return 0;
}

/* A fault that was charged to slot; ns is 0 where its time is not known. */
static __always_inline void event_emit(void *ctx, u32 slot, u64 page, u32 access, bool kernel,
				       bool major, u32 kind, u64 ns)
{
	u32 mode = kernel ? VMT_BPF_MODE_KERNEL : VMT_BPF_MODE_USER;

	if (!vmt_events || ns < vmt_event_least)
		return;
	if (access == VMT_BPF_ACCESS_UNKNOWN)
		mode = VMT_BPF_MODE_UNKNOWN;
	event_put(ctx, slot, page, access | mode << 8 | (u32)major << 16 | kind << 24, ns);
}
