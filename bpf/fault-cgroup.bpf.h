/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The cgroup that the memory of a process is charged to: that of the memory controller where it is
 * on a hierarchy of version 1, else that of version 2, as /proc/PID/cgroup has them. Its path is
 * taken when it is first seen, because it may be gone when the window ends. Without vmt_cgroups the
 * verifier takes all of it out of the programs.
 */

#include "bpf/cgroup-path.bpf.h"
#include "bpf/common.bpf.h"
#include "bpf/fault.h"
#include "bpf/fault-cgroup.h"

const volatile __u32 vmt_cgroups = 0;

volatile __u64 vmt_cgroups_lost = 0; /* processes whose cgroup found no row */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct vmt_slot_cgroup);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} cgroup_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} cgroup_free SEC(".maps");

/* The row of the cgroup of a task + 1; 0 where it is not known. */
static __noinline u32 cgroup_of(struct task_struct *task)
{
	struct kernfs_node *kn = vmt_memory_cgroup(task);
	struct vmt_slot_cgroup *c;
	u32 slot, value, *known;
	u64 id;

	if (!kn)
		return 0;
	id = BPF_CORE_READ(kn, id);
	known = bpf_map_lookup_elem(&cgroup_index, &id);
	if (known)
		return *known;
	if (bpf_map_pop_elem(&cgroup_free, &slot))
		goto full;
	c = bpf_map_lookup_elem(&cgroups, &slot);
	if (!c)
		goto full;
	c->id = id;
	cgroup_fill(&c->name, kn);
	value = slot + 1;
	if (!bpf_map_update_elem(&cgroup_index, &id, &value, BPF_NOEXIST)) {
		c->name.ready = 1;
		return value;
	}
	/* Another CPU was first, or the index refused. */
	bpf_map_push_elem(&cgroup_free, &slot, 0);
	known = bpf_map_lookup_elem(&cgroup_index, &id);
	if (known)
		return *known;
full:
	vmt_add(&vmt_cgroups_lost, 1);
	return 0;
}

/* Notes the cgroup that a process is in now. */
static __always_inline void proc_cgroup(struct vmt_slot_proc *p, struct task_struct *leader)
{
	if (vmt_cgroups)
		p->cgroup = cgroup_of(leader);
}
