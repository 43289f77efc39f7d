/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the fault probe counts only where it was asked for it: by kind, and cgroups. For the
 * probe-*.c files alone. */

#include "source/probe-by-kind.h"

struct vmt_probe_asked {
	struct vmt_probe_kinds kinds; /* with opts.by_kind */
	struct vmt_probe_array cgroups; /* with VMT_ASK_CGROUP */
	const volatile __u64 *cgroups_lost; /* the object's */
	uint64_t have; /* VMT_HOOK_ bits of what is attached */
};

/* Sizes of the tables before the object is loaded; small: only to see whether it loads. maps and
 * tasks are the numbers of these. 0 or -errno. */
int vmt_probe_asked_configure(struct bpf_object *object, const struct vmt_probe_opts *opts,
			      bool small, uint32_t maps, uint32_t tasks);
/* Maps the tables, and fills the lists of their free rows, once it is loaded. */
int vmt_probe_asked_map(struct vmt_probe_loaded *l, const struct vmt_probe_opts *opts,
			struct vmt_probe_asked *a, struct vmt_err *err);
void vmt_probe_asked_unmap(struct vmt_probe_asked *a);
/*
 * Puts what was counted into *ret, without the process hidden (0: none); drain may be NULL. Arrays
 * are the arena's. 0 or -ENOMEM.
 */
int vmt_probe_asked_read(const struct vmt_probe_asked *a, const struct vmt_probe_opts *opts,
			 struct vmt_drain *drain, uint32_t hidden, struct vmt_arena *arena,
			 struct vmt_fault_sample *ret);
/* The path of a row of cgroups + 1, from the root of its hierarchy, as /proc/PID/cgroup shows it to
 * who is in no namespace; empty for 0. Its memory is the arena's. 0 or -ENOMEM. */
int vmt_probe_cgroup(const struct vmt_probe_asked *a, uint32_t row, struct vmt_arena *arena,
		     struct vmt_bytes *ret);
