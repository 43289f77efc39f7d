/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What of the time of a fault its task spent waiting for mmap_lock, reading its file, and reading
 * from swap. Each begin of a fault sets the clocks of its task to 0, and what they have at its end
 * belongs to it.
 * Attached only where it is asked for; then a fault begins with the exception on every rung,
 * because the lock is taken before handle_mm_fault().
 */

#include "bpf/fault-task.bpf.h"

struct share {
	u64 page; /* of a fault that has not come to handle_mm_fault() yet; 0 */
	u64 begin;
	u64 lock_at; /* since when it waits; 0 */
	u64 lock_ns;
	u64 read_at; /* since when it is in filemap_fault(); 0 */
	u64 read_ns;
	u64 swap_at; /* since when it is in do_swap_page() or shmem_fault(); 0 */
	u64 swap_ns;
};

/* By the number of the account. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* user space sets it where it is asked for */
	__type(key, u32);
	__type(value, struct share);
} shares SEC(".maps");

static __always_inline struct share *share_of(const struct task_account *a)
{
	u32 index = a->index;

	return bpf_map_lookup_elem(&shares, &index);
}

static __always_inline struct share *own_share(void)
{
	struct task_account *a = own_account_find(bpf_get_current_task());

	return a ? share_of(a) : NULL;
}

static __always_inline void share_reset(struct share *s)
{
	s->page = 0;
	s->lock_at = 0;
	s->lock_ns = 0;
	s->read_at = 0;
	s->read_ns = 0;
	s->swap_at = 0;
	s->swap_ns = 0;
}

static __always_inline int share_begin(unsigned long addr)
{
	struct task_account *a;
	struct share *s;

	if ((long)addr < 0 || !current_wanted())
		return 0;
	a = own_account(bpf_get_current_task(), 0, 0);
	s = a ? share_of(a) : NULL;
	if (!s)
		return 0;
	share_reset(s);
	s->page = (addr >> 12) + 1;
	s->begin = bpf_ktime_get_ns();
	return 0;
}

/* At the entry of handle_mm_fault() for a page: when the fault began. */
static __always_inline u64 share_enter(const struct task_account *a, u64 page)
{
	struct share *s = share_of(a);
	u64 now = bpf_ktime_get_ns();

	if (!s)
		return now;
	if (s->page != page) {
		share_reset(s);
		return now;
	}
	s->page = 0;
	return s->begin;
}

static __always_inline void share_read_end(struct share *s, u64 now)
{
	if (!s->read_at)
		return;
	s->read_ns += now - s->read_at;
	s->read_at = 0;
}

struct share_parts {
	u64 lock;
	u64 read;
	u64 swap;
};

/*
 * The end of a fault that took ns: what of it is which. Only a major fault has read. What is no
 * swap, as a page that is moved, goes through do_swap_page(), too, and whoever asks userfaultfd for
 * shared memory waits in shmem_fault(): the kind says whether it was.
 */
static __always_inline void share_end(u64 ns, bool major, u32 kind, struct share_parts *ret)
{
	struct share *s = own_share();

	ret->lock = 0;
	ret->read = 0;
	ret->swap = 0;
	if (!s)
		return;
	share_read_end(s, bpf_ktime_get_ns());
	/* The clocks of its parts are read a little later than its own. */
	ret->lock = s->lock_ns < ns ? s->lock_ns : ns;
	ns -= ret->lock;
	if (major)
		ret->read = s->read_ns < ns ? s->read_ns : ns;
	ns -= ret->read;
	if (major && (kind == VMT_BPF_KIND_SWAP_MAJOR || kind == VMT_BPF_KIND_FILE_COW))
		ret->swap = s->swap_ns < ns ? s->swap_ns : ns;
	share_reset(s);
}

SEC("?tp_btf/page_fault_user")
int BPF_PROG(share_user, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	return share_begin(addr);
}

SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(share_kernel, unsigned long addr, struct pt_regs *regs, unsigned long code)
{
	return share_begin(addr);
}

/* 5.11; the arguments have changed since. A lock that is free is taken without this one. */
SEC("?tp_btf/mmap_lock_start_locking")
int lock_start(void *ctx)
{
	struct share *s = own_share();

	if (s) {
		s->lock_at = bpf_ktime_get_ns();
		share_read_end(s, s->lock_at);
	}
	return 0;
}

SEC("?tp_btf/mmap_lock_acquire_returned")
int lock_end(void *ctx)
{
	struct share *s = own_share();
	u64 now;

	if (!s)
		return 0;
	now = bpf_ktime_get_ns();
	share_read_end(s, now);
	if (s->lock_at)
		s->lock_ns += now - s->lock_at;
	s->lock_at = 0;
	return 0;
}

static __always_inline int read_start(void)
{
	struct share *s = own_share();

	if (s && !s->read_at)
		s->read_at = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int read_end(void)
{
	struct share *s = own_share();

	if (s)
		share_read_end(s, bpf_ktime_get_ns());
	return 0;
}

SEC("?fentry/filemap_fault")
int fentry_read(void *ctx)
{
	return read_start();
}

SEC("?fexit/filemap_fault")
int fexit_read(void *ctx)
{
	return read_end();
}

SEC("?kprobe/filemap_fault")
int kprobe_read(void *ctx)
{
	return read_start();
}

SEC("?kretprobe/filemap_fault")
int kretprobe_read(void *ctx)
{
	return read_end();
}

/* It ends with the fault, or where the task takes the lock again to make it anew. */
SEC("?tp_btf/mm_filemap_fault")
int trace_read(void *ctx)
{
	return read_start();
}

/* What shared memory has in swap comes by its own function. */
static __always_inline int swap_start(void)
{
	struct share *s = own_share();

	if (s)
		s->swap_at = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int swap_end(void)
{
	struct share *s = own_share();

	if (s && s->swap_at)
		s->swap_ns += bpf_ktime_get_ns() - s->swap_at;
	if (s)
		s->swap_at = 0;
	return 0;
}

#define SWAP_READS(name, function)                                                                 \
	SEC("?fentry/" #function)                                                                  \
	int fentry_##name(void *ctx)                                                               \
	{                                                                                          \
		return swap_start();                                                               \
	}                                                                                          \
	SEC("?fexit/" #function)                                                                   \
	int fexit_##name(void *ctx)                                                                \
	{                                                                                          \
		return swap_end();                                                                 \
	}                                                                                          \
	SEC("?kprobe/" #function)                                                                  \
	int kprobe_##name(void *ctx)                                                               \
	{                                                                                          \
		return swap_start();                                                               \
	}                                                                                          \
	SEC("?kretprobe/" #function)                                                               \
	int kretprobe_##name(void *ctx)                                                            \
	{                                                                                          \
		return swap_end();                                                                 \
	}

SWAP_READS(swap_read, do_swap_page)
SWAP_READS(shmem_read, shmem_fault)
