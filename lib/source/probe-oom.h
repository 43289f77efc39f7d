/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/fault-raw.h"
#include "model/oom.h"

/*
 * Victims of the OOM killer, by bpf/oom.bpf.c. Used by one thread. All that it has in the kernel
 * hangs on descriptors of this process: killing it leaves nothing.
 */
struct vmt_ooms;

struct vmt_ooms_opts {
	int filter_fd; /* BPF map of the processes that are of interest; -1: all are. It stays the
			* caller's. */
	/* 0 for the usual: */
	uint32_t ring; /* bytes of the ring of victims, a power of two, whole pages; each takes 5.3
			* KiB */
	uint32_t names; /* of files that victims have mapped */
};

/*
 * Loads and attaches the programs, and has them look at this process as at a victim, to see that
 * what they say of it is so. 0, or a negative errno with the reason in err: -EPERM, -ENOSYS,
 * -ENOTSUP, -ENODATA where what they said was wrong.
 */
int vmt_ooms_start(const struct vmt_ooms_opts *opts, struct vmt_ooms **ret, struct vmt_err *err);
/* Whether all of that works here, for doctor: a row for each hook that does, and one for all of it,
 * the last. How many, at most most, which is 1 or more. */
size_t vmt_ooms_try(struct vmt_probe_try *ret, size_t most);
/* Why pages of mappings are not counted, or NULL where they are. */
const char *vmt_ooms_tables(const struct vmt_ooms *x);

/* Takes one victim, whose texts are arena's. A negative result ends vmt_ooms_take(). */
typedef int vmt_ooms_fn(void *arg, const struct vmt_oom_raw *raw);

/* Hands out victims in the order of their deaths. How many, -ENOMEM, or what fn returned. */
int vmt_ooms_take(struct vmt_ooms *x, struct vmt_arena *arena, vmt_ooms_fn *fn, void *arg);
/* Victims for which the ring had no room, those of which nothing but a number was known, and what
 * of the ring was no victim by its length. */
uint64_t vmt_ooms_lost(const struct vmt_ooms *x);
/* Mappings whose file's name found no room. */
uint64_t vmt_ooms_nameless(const struct vmt_ooms *x);
/* Looks no more; what is in the ring can still be taken. */
void vmt_ooms_stop(struct vmt_ooms *x);
/* NULL is fine. */
void vmt_ooms_free(struct vmt_ooms *x);
