/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every probe needs: losses, the process filter, rows without two owners, names of files. */

#include "bpf/kernel_types.h"
#include "bpf/compat.bpf.h"
#include "bpf/abi.h"

#define VMT_MAX_CPUS 1024

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMT_MAX_CPUS); /* user space sets the possible CPUs */
	__type(key, u32);
	__type(value, struct vmt_stat_slot);
} stats SEC(".maps");

/* Processes to watch, where vmt_filter_on says so. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, u8);
} filter SEC(".maps");

const volatile __u32 vmt_filter_on = 0;
const volatile __u32 vmt_follow = 0; /* children of watched processes are watched too */

/*
 * Atomic addition without the old value is all that 5.10 has. Per CPU it is still needed: a
 * program may be preempted, or interrupted by one that counts the same.
 */
#define vmt_add(ptr, n) ((void)__sync_fetch_and_add((ptr), (n)))

static __always_inline struct vmt_stat_slot *stat_slot(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&stats, &cpu);
}

static __always_inline void stat_add(enum vmt_stat which, u64 n)
{
	struct vmt_stat_slot *s = stat_slot();

	if (s)
		vmt_add(&s->v[which], n);
}

/*
 * Adds 1 to what one program alone counts, which nothing interrupts: a software event runs with
 * preemption off.
 */
static __always_inline struct vmt_stat_slot *stat_count(enum vmt_stat which)
{
	struct vmt_stat_slot *s = stat_slot();

	if (s)
		s->v[which]++;
	return s;
}

/*
 * Raises *ptr to v without compare-and-exchange (5.12): a store that lost against a smaller one is
 * seen on reading back, and made again.
 */
static __always_inline void vmt_raise(volatile __u64 *ptr, u64 v)
{
	for (int i = 0; i < 4 && *ptr < v; i++)
		*ptr = v;
}

static __always_inline void vmt_lower(volatile __u64 *ptr, u64 v)
{
	for (int i = 0; i < 4 && *ptr > v; i++)
		*ptr = v;
}

static __always_inline u64 vmt_log2(u64 v)
{
	u64 r = 0;

	if (v >> 32) {
		v >>= 32;
		r += 32;
	}
	if (v >> 16) {
		v >>= 16;
		r += 16;
	}
	if (v >> 8) {
		v >>= 8;
		r += 8;
	}
	if (v >> 4) {
		v >>= 4;
		r += 4;
	}
	if (v >> 2) {
		v >>= 2;
		r += 2;
	}
	return r + (v >> 1);
}

static __always_inline void vmt_bucket_add(__u32 *hist, u64 ns, u32 n)
{
	u64 units = ns >> VMT_BPF_HIST_UNIT;
	u64 narrow = vmt_log2(units | 1 << VMT_BPF_HIST_SHARE) - VMT_BPF_HIST_SHARE;
	u64 b = (narrow << VMT_BPF_HIST_SHARE) + (units >> narrow);

	if (b >= VMT_BPF_HIST)
		b = VMT_BPF_HIST - 1;
	/* The verifier shall not follow the ways to the index, and believe the mask alone. */
	b += vmt_zero;
	barrier_var(b);
	vmt_add(&hist[b & (VMT_BPF_HIST - 1)], n);
}

/*
 * Names of files. The key holds kernel addresses, so that two links of one inode have two names;
 * it stays in the kernel.
 */
struct name_key {
	u64 dentry;
	u64 mnt;
	u64 ino;
	u32 dev;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct vmt_slot_name);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct name_key);
	__type(value, u32);
} name_index SEC(".maps");

/* Free rows, filled by user space: taking one is atomic, which an index in memory is not on 5.10.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} name_free SEC(".maps");

/*
 * Walks from a file's dentry to the root of its mount namespace, as d_path() does without its
 * locks. A rename meanwhile may give a mixture of the old path and the new. The length lives in the
 * row and not in a register, so that the verifier sees the same state in each round of the loop.
 */
static __noinline void name_fill(struct vmt_slot_name *name, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmnt = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mnt = (void *)((char *)vfsmnt - bpf_core_field_offset(struct mount, mnt));
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	volatile __u32 *len = &name->len;

	name->len = 0;
	name->components = 0;
	name->flags = 0;
	if (parent == dentry && BPF_CORE_READ(mnt, mnt.mnt_root) != dentry) {
		/* Mounted nowhere: the dentry is the root of itself. */
		long n = bpf_probe_read_kernel_str(name->bytes, 256,
						   BPF_CORE_READ(dentry, d_name.name));

		name->flags = VMT_NAME_PSEUDO;
		name->components = 1;
		if (n > 0)
			name->len = n;
		return;
	}
	if (!BPF_CORE_READ(dentry, d_hash.pprev))
		name->flags = VMT_NAME_DELETED;

	for (int i = 0; i < VMT_NAME_STEPS; i++) {
		u32 off;
		long n;

		if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
			struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

			if (up == mnt)
				return;
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry)
			return;
		off = *len;
		if (off > VMT_NAME_BYTES - 256)
			break;
		n = bpf_probe_read_kernel_str(name->bytes + off, 256,
					      BPF_CORE_READ(dentry, d_name.name));
		if (n <= 0)
			break;
		*len = off + n;
		name->components++;
		dentry = parent;
	}
	name->flags |= VMT_NAME_CUT;
	stat_add(VMT_STAT_NAME_CUT, 1);
}

/*
 * The row of a file's name + 1, 0 where there is no room. Not static, and so without a pointer: it
 * is verified once for a program, and not on each of the ways that lead here; that was the greater
 * part of the time that loading takes. at is a struct file.
 */
__noinline u32 name_row(u64 at, u64 ino, u32 dev)
{
	struct file *file = (struct file *)at;
	struct name_key key = {
		.dentry = (u64)BPF_CORE_READ(file, f_path.dentry),
		.mnt = (u64)BPF_CORE_READ(file, f_path.mnt),
		.ino = ino,
		.dev = dev,
	};
	struct vmt_slot_name *name;
	u32 *known = bpf_map_lookup_elem(&name_index, &key);
	u32 slot, value;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&name_free, &slot))
		goto full;
	name = bpf_map_lookup_elem(&names, &slot);
	if (!name)
		goto full;
	name_fill(name, file);
	value = slot + 1;
	if (!bpf_map_update_elem(&name_index, &key, &value, BPF_NOEXIST)) {
		name->ready = 1;
		return value;
	}
	/* Another CPU was first, or the index refused. */
	bpf_map_push_elem(&name_free, &slot, 0);
	known = bpf_map_lookup_elem(&name_index, &key);
	if (known)
		return *known;
full:
	stat_add(VMT_STAT_NAME_FULL, 1);
	return 0;
}

static __always_inline u32 name_of(struct file *file, u64 ino, u32 dev)
{
	return name_row((u64)file, ino, dev);
}

static __always_inline bool watched(u32 tgid, u32 self_tgid)
{
	if (!vmt_filter_on || tgid == self_tgid)
		return true;
	return bpf_map_lookup_elem(&filter, &tgid) != NULL;
}
