/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The table of bpf/fault-by-kind.bpf.h. For the probe-*.c files alone. */

#include "bpf/fault-by-kind.h"
#include "source/probe-drain.h"
#include "source/probe-load.h"

struct vmt_probe_kinds {
	struct vmt_probe_array rows; /* empty where nobody asked for it */
	const volatile __u64 *lost; /* the object's */
	unsigned pile; /* of the drain: those that were handed over */
};

/* The size of the table before the object is loaded: that of as many mappings, or none worth the
 * name. 0 or -errno. */
int vmt_probe_kinds_configure(struct bpf_object *object, bool asked, uint32_t maps);
/* Maps the table, and fills the list of its free rows, once it is loaded. */
int vmt_probe_kinds_map(struct vmt_probe_loaded *l, struct vmt_probe_kinds *k, struct vmt_err *err);
void vmt_probe_kinds_unmap(struct vmt_probe_kinds *k);
/*
 * Copies what was counted into ret->kinds, without the process hidden (0: none); drain may be
 * NULL. The array is the arena's. 0 or -ENOMEM.
 */
int vmt_probe_kinds_read(const struct vmt_probe_kinds *k, struct vmt_drain *drain, uint32_t hidden,
			 struct vmt_arena *arena, struct vmt_fault_sample *ret);
