/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Calls of filemap_fault(), by file: what page faults ask of the page cache. Around the function
 * where programs can be attached to it; else at its tracepoint (6.12 in Debian's kernels), which
 * fires at its beginning and so knows neither result nor duration nor path.
 */

#include "bpf/common.bpf.h"
#include "bpf/filemap.h"

volatile struct vmt_filemap_control control = {};

const volatile __u32 vmt_page_shift = 12;
/* What the calls bring into the page cache is wanted: trace_add is there. */
const volatile __u32 vmt_pages_on = 0;

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

/* The slot of a call of the self-check. */
#define CHECK (~0u)

/*
 * A call that began. By thread, because a call sleeps and may go on on another CPU. Where its end
 * is not seen it ends with the fault: a fault that is done was counted, and the next one begins
 * another call. What a thread without an end leaves here is overwritten in time (the map is of the
 * kind LRU there).
 */
struct open_call {
	u64 t0;
	u64 mapping; /* struct address_space of the file */
	u64 page; /* that it is for */
	u64 faults; /* min_flt + maj_flt of the task */
	u32 slot; /* row of files + 1, or CHECK */
	u16 brought; /* its page was not there */
	u16 hit; /* and was counted as a hit of what was read ahead */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct open_call);
} calls SEC(".maps");

/* Pages that were brought in ahead, and no call was for yet: 1. One entry has 64 pages in a row. */
struct ahead_key {
	u64 block;
	u32 slot;
	u32 pad;
};

struct ahead_block {
	u8 page[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768); /* 8 GiB */
	__type(key, struct ahead_key);
	__type(value, struct ahead_block);
} ahead SEC(".maps");

static const struct ahead_block nothing_ahead = {};

/* The row of a file + 1, 0 where the table is full. file may be NULL: there is no name then. */
static __noinline u32 file_slot(struct inode *inode, struct file *file,
				struct address_space *mapping)
{
	struct file_key key = {
		.ino = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
	};
	u32 *known = bpf_map_lookup_elem(&file_index, &key);
	struct vmt_slot_file *f;
	u32 slot, value;
	u64 size;

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
	size = BPF_CORE_READ(mapping, host, i_size);
	f->part_pages = ((size + ((u64)VMT_FILE_PARTS << vmt_page_shift) - 1) >> vmt_page_shift) /
					VMT_FILE_PARTS
				?: 1;
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
	u64 part = page / (f->part_pages ?: 1);

	if (part >= VMT_FILE_PARTS)
		part = VMT_FILE_PARTS - 1;
	barrier_var(part);
	vmt_add(&f->parts[part & (VMT_FILE_PARTS - 1)], 1);
	vmt_raise(&f->last, page);
	/* The lowest, + 1 so that 0 can mean "none". */
	if (!f->first)
		f->first = page + 1;
	vmt_lower(&f->first, page + 1);
}

static __always_inline bool checking(void)
{
	return control.check_tgid && bpf_get_current_pid_tgid() >> 32 == control.check_tgid;
}

static __always_inline bool counts(void)
{
	return control.active && watched(bpf_get_current_pid_tgid() >> 32, control.check_tgid);
}

static __always_inline u64 faults_so_far(void)
{
	struct task_struct *task = vmt_current();

	return vmt_current_read(task, min_flt) + vmt_current_read(task, maj_flt);
}

/* Whether a page was brought in ahead, and no call was for it since. */
static __always_inline bool ahead_take(u32 slot, u64 page)
{
	struct ahead_key key = { .block = page >> 6, .slot = slot };
	struct ahead_block *b = bpf_map_lookup_elem(&ahead, &key);

	page &= 63;
	if (!b || !b->page[page])
		return false;
	b->page[page] = 0;
	return true;
}

/* Up to 64 pages from a place on that is a multiple of their number, but for the one that the call
 * is for; those that found no room. Not static: the verifier looks at such a function once. */
__noinline u64 vmt_ahead_put(u32 slot, u64 first, u64 pages, u64 own)
{
	struct ahead_key key = { .block = first >> 6, .slot = slot };
	struct ahead_block *b = bpf_map_lookup_elem(&ahead, &key);

	if (!b) {
		bpf_map_update_elem(&ahead, &key, &nothing_ahead, BPF_NOEXIST);
		b = bpf_map_lookup_elem(&ahead, &key);
	}
	if (!b)
		return own - first < pages ? pages - 1 : pages;
	for (u32 i = 0; i < 64 && i < pages; i++)
		b->page[(first + i) & 63] = 1;
	if (own - first < pages)
		b->page[own & 63] = 0;
	return 0;
}

static __always_inline void call_begin(struct open_call *call, struct vmt_slot_file *f,
				       struct address_space *mapping, u64 page)
{
	call->mapping = (u64)mapping;
	call->page = page;
	call->faults = faults_so_far();
	if (f && ahead_take(call->slot, page)) {
		call->hit = 1;
		vmt_add(&f->ahead_hits, 1);
	}
}

static __always_inline int call_enter(struct vm_fault *vmf)
{
	struct file *file = BPF_CORE_READ(vmf, vma, vm_file);
	struct open_call call = {};
	struct address_space *mapping;
	struct vmt_slot_file *f;
	u64 id = bpf_get_current_pid_tgid();
	u64 page;

	if (!file || !counts())
		return 0;
	if (checking()) {
		call.slot = CHECK;
		bpf_map_update_elem(&calls, &id, &call, BPF_ANY);
		return 0;
	}
	mapping = BPF_CORE_READ(file, f_mapping);
	page = BPF_CORE_READ(vmf, pgoff);
	call.slot = file_slot(BPF_CORE_READ(file, f_inode), file, mapping);
	f = file_row(call.slot);
	if (f)
		offset_seen(f, page);
	if (vmt_pages_on)
		call_begin(&call, f, mapping, page);
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
	if (call->slot == CHECK) {
		bpf_map_delete_elem(&calls, &id);
		control.checked = 1;
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
	vmt_bucket_add(f->latency.hist, now, 1);
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

SEC("?tp_btf/mm_filemap_fault")
int BPF_PROG(trace_filemap, struct address_space *mapping, unsigned long page)
{
	struct open_call call = {}, *before;
	struct vmt_slot_file *f;
	u64 id;

	if (!counts())
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	if (checking()) {
		control.checked = 1;
		return 0;
	}
	call.slot = file_slot(BPF_CORE_READ(mapping, host), NULL, mapping);
	f = file_row(call.slot);
	if (!f) {
		stat_add(VMT_STAT_DROPPED, 1);
		return 0;
	}
	offset_seen(f, page);
	vmt_add(&f->calls, 1);
	stat_add(VMT_STAT_COUNTED, 1);
	if (!vmt_pages_on)
		return 0;
	call_begin(&call, f, mapping, page);
	id = bpf_get_current_pid_tgid();
	before = bpf_map_lookup_elem(&calls, &id);
	if (before && before->mapping == call.mapping && before->page == page &&
	    before->faults == call.faults)
		vmt_add(&f->retried, 1);
	if (bpf_map_update_elem(&calls, &id, &call, BPF_ANY))
		stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return 0;
}

SEC("?tp_btf/mm_filemap_map_pages")
int BPF_PROG(trace_around, struct address_space *mapping, unsigned long page)
{
	struct vmt_slot_file *f;

	if (!counts() || checking())
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	f = file_row(file_slot(BPF_CORE_READ(mapping, host), NULL, mapping));
	if (f)
		vmt_add(&f->around, 1);
	else
		stat_add(VMT_STAT_DROPPED, 1);
	return 0;
}

/*
 * What comes into the page cache in a call, by the task that is in it: its own page, or what is
 * read ahead. Whatever else adds pages (system calls, other files that the file system needs
 * meanwhile) has no such call open.
 */
SEC("?tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(trace_add, struct folio *folio)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 first, pages, left, lost = 0;
	struct open_call *call;
	struct vmt_slot_file *f;

	if (!control.active)
		return 0;
	call = bpf_map_lookup_elem(&calls, &id);
	if (!call || call->mapping != vmt_folio_mapping(folio) || call->faults != faults_so_far())
		return 0;
	f = file_row(call->slot);
	if (!f)
		return 0;
	first = vmt_folio_index(folio);
	pages = left = vmt_folio_pages(folio);
	vmt_add(&f->brought, pages);
	if (call->page - first < pages) {
		vmt_add(&f->ahead, pages - 1);
		if (!call->brought && !call->t0)
			vmt_add(&f->major, 1);
		/* It was dropped since it was read ahead. */
		if (call->hit)
			vmt_add(&f->ahead_hits, -1);
		call->brought = 1;
		call->hit = 0;
	} else {
		vmt_add(&f->ahead, pages);
	}
	for (int i = 0; i < 64 && left; i++) {
		u64 now = left < 64 ? left : 64;

		lost += vmt_ahead_put(call->slot, first, now, call->page);
		first += now;
		left -= now;
	}
	if (lost || left)
		vmt_add(&f->ahead_lost, lost + left);
	return 0;
}
