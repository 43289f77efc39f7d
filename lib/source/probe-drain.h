/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What BPF programs hand over through a ring while they run, kept until it is read: a thread
 * empties the ring, so that neither the tables nor the ring fill while nobody asks. Records are of
 * a few sizes, and each size is a pile. What is kept is small: mostly, a record is mostly zeros.
 */

#define VMT_DRAIN_PILES 3u

struct vmt_drain;

struct vmt_drain_tick {
	void (*fn)(void *arg);
	void *arg;
};

/*
 * ring_fd is of a map of the type BPF_MAP_TYPE_RINGBUF and stays the caller's; sizes are those of
 * the records, multiples of 8. patient: it wakes four times a second while nothing comes, else
 * twenty; of a sudden burst more then waits in the tables. tick, or NULL: what its thread calls
 * each time. Needs bpf(). 0 or -errno.
 */
int vmt_drain_start(int ring_fd, const size_t sizes[VMT_DRAIN_PILES], bool patient,
		    const struct vmt_drain_tick *tick, struct vmt_drain **ret);

/* Where records are missing from the piles, so that what is told of them would be false: -ENOMEM,
 * or -EBADMSG where one had a size that none has. */
int vmt_drain_error(struct vmt_drain *d);
/* Puts in words what such an error means for what was asked for: "faults". error. */
int vmt_drain_explain(int error, const char *what, struct vmt_err *err);

/* Takes what is in the ring now, and gives how many records of a pile are kept. */
size_t vmt_drain_count(struct vmt_drain *d, unsigned pile);

/* Drops the records of a pile before the one at which vmt_drain_next() stands: those behind it
 * begin at 0 from then on. */
void vmt_drain_forget(struct vmt_drain *d, unsigned pile, size_t at);

/* Ends the thread. What was kept stays, and vmt_drain_count() still takes what comes. */
void vmt_drain_stop(struct vmt_drain *d);

/* NULL is fine. */
void vmt_drain_free(struct vmt_drain *d);

/*
 * The records of a pile, one after the other: *at is 0 at first, and out has room for one. False
 * behind the last that vmt_drain_count() knew.
 */
bool vmt_drain_next(struct vmt_drain *d, unsigned pile, size_t *at, void *out);
