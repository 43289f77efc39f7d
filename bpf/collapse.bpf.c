/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Why memory does not become huge pages, by process: results of khugepaged's looks at places for
 * them, and of its tries to fill one, from the tracepoints of huge_memory. What stands where among
 * their arguments differs between kernels (7.0 has no "writable", and an order), and what a result
 * is called is the kernel's own enum scan_result: user space says the first, and knows the second.
 */

#include "bpf/common.bpf.h"
#include "bpf/collapse.h"

volatile struct vmt_collapse_control control = {};

const volatile __u32 vmt_uid_on = 0;
const volatile __u32 vmt_uid = 0; /* processes of this real user alone */
/* Which argument has the result, by enum vmt_bpf_collapse. */
const volatile __u32 vmt_results[VMT_BPF_COLLAPSE_COUNT] = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct vmt_slot_collapse);
} collapses SEC(".maps");

struct collapse_key {
	u64 start;
	u32 tgid;
	u32 step;
	s32 result;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct collapse_key);
	__type(value, u32);
} collapse_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} collapse_free SEC(".maps");

/* Which row; 0, which all share that have none, where the table is full. */
static __noinline u32 collapse_row(const struct collapse_key *key, struct task_struct *owner)
{
	u32 *known = bpf_map_lookup_elem(&collapse_index, key);
	struct vmt_slot_collapse *c;
	u32 slot;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&collapse_free, &slot))
		return 0;
	c = bpf_map_lookup_elem(&collapses, &slot);
	if (!c)
		return 0;
	c->tgid = key->tgid;
	c->start = key->start;
	c->step = key->step;
	c->result = key->result;
	if (owner) {
		c->uid = BPF_CORE_READ(owner, cred, uid.val);
		BPF_CORE_READ_INTO(&c->comm, owner, group_leader, comm);
	}
	if (!bpf_map_update_elem(&collapse_index, key, &slot, BPF_NOEXIST)) {
		c->ready = 1;
		return slot;
	}
	/* Another CPU was first, or the index refused. */
	bpf_map_push_elem(&collapse_free, &slot, 0);
	known = bpf_map_lookup_elem(&collapse_index, key);
	return known ? *known : 0;
}

/* An index that is chosen would be one that the verifier does not know. */
#define ARGUMENT(i)                                                                                \
	case i:                                                                                    \
		value = ctx[i];                                                                    \
		barrier_var(value);                                                                \
		break

static __always_inline s32 result_of(u64 *ctx, u32 step)
{
	u64 value = 0;

	switch (vmt_results[step]) {
		ARGUMENT(2);
		ARGUMENT(3);
		ARGUMENT(4);
		ARGUMENT(5);
		ARGUMENT(6);
		ARGUMENT(7);
	}
	return value;
}

/* at is the struct mm_struct. */
static __noinline int told(u64 at, u32 step, s32 result)
{
	struct task_struct *owner = vmt_mm_owner((void *)at);
	struct collapse_key key = { .step = step, .result = result };
	struct vmt_slot_collapse *c;
	u32 slot;

	if (owner) {
		key.tgid = BPF_CORE_READ(owner, tgid);
		key.start = BPF_CORE_READ(owner, group_leader, start_boottime);
	}
	if (!bpf_core_field_exists(struct mm_struct, owner))
		control.ownerless = 1;
	if (control.check_tgid) {
		if (key.tgid == control.check_tgid || !owner)
			vmt_add(&control.checked, 1);
		return 0;
	}
	if (!control.active || !watched(key.tgid, 0) ||
	    (vmt_uid_on && (!owner || BPF_CORE_READ(owner, cred, uid.val) != vmt_uid)))
		return 0;
	slot = collapse_row(&key, owner);
	c = bpf_map_lookup_elem(&collapses, &slot);
	if (c)
		vmt_add(&c->times, 1);
	return 0;
}

SEC("?tp_btf/mm_khugepaged_scan_pmd")
int scan_ends(u64 *ctx)
{
	return told(ctx[0], VMT_BPF_COLLAPSE_SCAN, result_of(ctx, VMT_BPF_COLLAPSE_SCAN));
}

SEC("?tp_btf/mm_collapse_huge_page")
int collapse_ends(u64 *ctx)
{
	return told(ctx[0], VMT_BPF_COLLAPSE_DONE, result_of(ctx, VMT_BPF_COLLAPSE_DONE));
}

/* Since 6.1 (d41fd2016ed0). */
SEC("?tp_btf/mm_khugepaged_scan_file")
int scan_file_ends(u64 *ctx)
{
	return told(ctx[0], VMT_BPF_COLLAPSE_SCAN_FILE, result_of(ctx, VMT_BPF_COLLAPSE_SCAN_FILE));
}

/* Since 6.3 (4c9473e87e75). */
SEC("?tp_btf/mm_khugepaged_collapse_file")
int collapse_file_ends(u64 *ctx)
{
	return told(ctx[0], VMT_BPF_COLLAPSE_DONE_FILE, result_of(ctx, VMT_BPF_COLLAPSE_DONE_FILE));
}
