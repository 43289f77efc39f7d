/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Calls of filemap_fault(), by file: what page faults ask of the page cache. Around the function
 * where programs can be attached to it; else at its tracepoint (6.12 in Debian's kernels), which
 * fires at its beginning and so knows neither result nor duration nor path.
 */

#include "bpf/common.bpf.h"
#include "bpf/filemap.h"

volatile struct vmt_filemap_control control = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct vmt_slot_file);
} files SEC(".maps");

struct file_key {
	u64 ino;
	u32 dev;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct file_key);
	__type(value, u32);
} file_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} file_free SEC(".maps");

/* A call that began. By thread, because a call sleeps and may go on on another CPU. */
struct open_call {
	u64 t0;
	u32 slot; /* row of files + 1 */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct open_call);
} calls SEC(".maps");

/* The row of a file + 1, 0 where the table is full. file may be NULL: there is no name then. */
static __noinline u32 file_slot(struct inode *inode, struct file *file)
{
	struct file_key key = {
		.ino = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
	};
	u32 *known = bpf_map_lookup_elem(&file_index, &key);
	struct vmt_slot_file *f;
	u32 slot, value;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&file_free, &slot))
		return 0;
	f = bpf_map_lookup_elem(&files, &slot);
	if (!f)
		return 0;
	f->ino = key.ino;
	f->dev = key.dev;
	f->name = file ? name_of(file, key.ino, key.dev) : 0;
	value = slot + 1;
	if (!bpf_map_update_elem(&file_index, &key, &value, BPF_NOEXIST)) {
		f->ready = 1;
		return value;
	}
	bpf_map_push_elem(&file_free, &slot, 0);
	known = bpf_map_lookup_elem(&file_index, &key);
	return known ? *known : 0;
}

static __always_inline struct vmt_slot_file *file_row(u32 slot)
{
	if (!slot)
		return NULL;
	slot--;
	return bpf_map_lookup_elem(&files, &slot);
}

static __always_inline void offset_seen(struct vmt_slot_file *f, u64 page)
{
	vmt_raise(&f->last, page);
	/* The lowest, + 1 so that 0 can mean "none". */
	if (!f->first)
		f->first = page + 1;
	vmt_lower(&f->first, page + 1);
}

static __always_inline bool counts(void)
{
	return control.active && watched(bpf_get_current_pid_tgid() >> 32, control.self_tgid);
}

static __always_inline int call_enter(struct vm_fault *vmf)
{
	struct file *file = BPF_CORE_READ(vmf, vma, vm_file);
	struct open_call call = {};
	struct vmt_slot_file *f;
	u64 id = bpf_get_current_pid_tgid();

	if (!file || !counts())
		return 0;
	call.slot = file_slot(BPF_CORE_READ(file, f_inode), file);
	f = file_row(call.slot);
	if (f)
		offset_seen(f, BPF_CORE_READ(vmf, pgoff));
	call.t0 = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&calls, &id, &call, BPF_ANY))
		stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return 0;
}

static __always_inline int call_exit(u32 ret)
{
	u64 now = bpf_ktime_get_ns();
	u64 id = bpf_get_current_pid_tgid();
	struct open_call *call;
	struct vmt_slot_file *f;

	if (!counts())
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	call = bpf_map_lookup_elem(&calls, &id);
	if (!call) {
		stat_add(VMT_STAT_ENTRY_MISSED, 1);
		return 0;
	}
	f = file_row(call->slot);
	now -= call->t0;
	bpf_map_delete_elem(&calls, &id);
	if (!f) {
		stat_add(VMT_STAT_DROPPED, 1);
		return 0;
	}
	vmt_add(&f->calls, 1);
	if (ret & VMT_VM_FAULT_MAJOR)
		vmt_add(&f->major, 1);
	if (ret & VMT_VM_FAULT_RETRY)
		vmt_add(&f->retried, 1);
	if (ret & VMT_VM_FAULT_ERROR)
		vmt_add(&f->failed, 1);
	if (!(ret & (VMT_VM_FAULT_MAJOR | VMT_VM_FAULT_RETRY | VMT_VM_FAULT_ERROR)))
		vmt_add(&f->cached, 1);
	vmt_add(&f->latency.sum, now);
	vmt_raise(&f->latency.max, now);
	vmt_bucket_add(f->latency.hist, now);
	stat_add(VMT_STAT_COUNTED, 1);
	return 0;
}

SEC("?fentry/filemap_fault")
int BPF_PROG(fentry_filemap, struct vm_fault *vmf)
{
	return call_enter(vmf);
}

SEC("?fexit/filemap_fault")
int BPF_PROG(fexit_filemap, struct vm_fault *vmf, unsigned int ret)
{
	return call_exit(ret);
}

SEC("?kprobe/filemap_fault")
int BPF_KPROBE(kprobe_filemap, struct vm_fault *vmf)
{
	return call_enter(vmf);
}

SEC("?kretprobe/filemap_fault")
int BPF_KRETPROBE(kretprobe_filemap, unsigned int ret)
{
	return call_exit(ret);
}

static __always_inline int call_trace(struct address_space *mapping, unsigned long page,
				      bool around)
{
	struct vmt_slot_file *f;

	if (!counts())
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	f = file_row(file_slot(BPF_CORE_READ(mapping, host), NULL));
	if (!f) {
		stat_add(VMT_STAT_DROPPED, 1);
		return 0;
	}
	if (around) {
		vmt_add(&f->around, 1);
		return 0;
	}
	offset_seen(f, page);
	vmt_add(&f->calls, 1);
	stat_add(VMT_STAT_COUNTED, 1);
	return 0;
}

SEC("?tp_btf/mm_filemap_fault")
int BPF_PROG(trace_filemap, struct address_space *mapping, unsigned long page)
{
	return call_trace(mapping, page, false);
}

SEC("?tp_btf/mm_filemap_map_pages")
int BPF_PROG(trace_around, struct address_space *mapping, unsigned long page)
{
	return call_trace(mapping, page, true);
}
