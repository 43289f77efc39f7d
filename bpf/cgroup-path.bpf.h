/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"
#include "bpf/compat.bpf.h"

/* From a cgroup's directory up to the root of its hierarchy, as cgroup_path() does. */
static __noinline void cgroup_fill(struct vmt_slot_name *name, struct kernfs_node *kn)
{
	volatile __u32 *len = &name->len;

	name->len = 0;
	name->components = 0;
	name->flags = 0;
	for (int i = 0; i < VMT_NAME_STEPS; i++) {
		struct kernfs_node *parent = vmt_kernfs_parent(kn);
		u32 off;
		long n;

		if (!parent)
			return;
		off = *len;
		if (off > VMT_NAME_BYTES - 256)
			break;
		n = bpf_probe_read_kernel_str(name->bytes + off, 256, BPF_CORE_READ(kn, name));
		if (n <= 0)
			break;
		*len = off + n;
		name->components++;
		kn = parent;
	}
	name->flags |= VMT_NAME_CUT;
}
