/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "model/events.h"
#include "model/fault-raw.h"

/*
 * Events of address spaces, by bpf/events.bpf.c. Used by one thread. All that it has in the kernel
 * hangs on descriptors of this process: killing it leaves nothing.
 */
struct vmt_events;

struct vmt_events_opts {
	const pid_t *pids; /* of these processes alone; of all where n_pids is 0 */
	size_t n_pids;
	bool follow; /* with pids: their children, too, that are made from the begin on */
	bool by_user; /* of those with this real user id alone */
	uint32_t uid;
	uint32_t calls; /* bits by enum vmt_event_call: of interest */
	bool stacks; /* events are counted by stack, too */
	bool single_stacks; /* single events have stacks; not with stacks */
	bool touched; /* with stacks: what was mapped is kept, for vmt_collect_touched(); calls has
		       * vmt_event_mapping_calls() then */
	bool handled; /* signals that processes handle are of interest, too */
	bool singles; /* vmt_events_take() has something to give */
	bool rare; /* of calls those alone that are rare, for a watcher that goes on for days: no
		    * programs but theirs, and no sums, for which vmt_events_read() is not there */
	uint64_t rate; /* single events a second at most; 0: any number */
	/* 0 for the usual: */
	uint32_t ring; /* bytes of the ring of single events, a power of two, whole pages */
	uint32_t processes; /* rows of the table of processes, two at least */
	uint32_t threads; /* that are there at a time, and make calls */
	uint32_t claims; /* ranges that are kept at a time, with touched */
};

/*
 * Loads and attaches the programs, and lets them count calls of this process that are known; from
 * then on what this process does is not counted. 0, or a negative errno with the reason in err:
 * -EPERM, -ENOSYS, -ENOTSUP, -ENODATA where its own calls were not counted.
 */
int vmt_events_start(const struct vmt_events_opts *opts, struct vmt_events **ret,
		     struct vmt_err *err);
/*
 * Starts and ends it once, and says in most rows at most what came of each hook, and of all
 * together: the last row, whose hook is NULL. How many rows. Their texts are constant.
 */
size_t vmt_events_try(struct vmt_probe_try *ret, size_t most);
/* CLOCK_MONOTONIC when it had started. */
uint64_t vmt_events_began(const struct vmt_events *x);

/* Takes one event, whose path and crash are arena's. A negative result ends vmt_events_take(). */
typedef int vmt_events_fn(void *arg, const struct vmt_event_raw *event);

/*
 * Hands out single events in the order of their ends; at most most of them. To be called some times
 * a second: the ring has room for 30000. How many, -ENOMEM, or what fn returned.
 */
int vmt_events_take(struct vmt_events *x, size_t most, struct vmt_arena *arena, vmt_events_fn *fn,
		    void *arg);
/* The code that stacks of single events are in, as it is known so far: ret's codes, in arena. 0 or
 * -ENOMEM. */
int vmt_events_codes(const struct vmt_events *x, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret);
/* The BPF map of the processes that are of interest, or -1 where all are. It is x's. */
int vmt_events_filter(const struct vmt_events *x);
/* Single events that were lost, and left out, so far. */
void vmt_events_losses(const struct vmt_events *x, uint64_t *ret_lost, uint64_t *ret_limited);
/* Frames of stacks so far whose mapping of code found no room: they have no name. */
uint64_t vmt_events_codes_lost(const struct vmt_events *x);
/* Whether files have no name any more, because the table of names is full. */
bool vmt_events_names_full(const struct vmt_events *x);

/* Counts no more; what is in the ring can still be taken. */
void vmt_events_stop(struct vmt_events *x);
/* All that was counted; after vmt_events_stop(). 0, -ENOMEM, or -EBADMSG where a row came in no
 * size that rows have. */
int vmt_events_read(struct vmt_events *x, struct vmt_arena *arena, struct vmt_event_sample *ret,
		    struct vmt_err *err);
/* NULL is fine. */
void vmt_events_free(struct vmt_events *x);
