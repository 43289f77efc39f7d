/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The system calls that threads are in: a row for each thread. */

#include "bpf/common.bpf.h"
#include "bpf/crash.bpf.h"
#include "bpf/events.h"

#define CALL(name) VMT_BPF_CALL_##name
#define BIT(name)  (1u << CALL(name))

const volatile __u64 vmt_page = 4096; /* bytes of one */

/* The call that a thread is in, or was. */
struct open_call {
	u64 key; /* whose: call_key() */
	u64 t0;
	u64 args[6];
	u64 before;
	u64 ino;
	s64 rss;
	u32 dev;
	u32 name;
	u32 slot; /* row of processes */
	u32 tgid;
	u32 tid;
	u32 cpu;
	u32 site; /* row of sites + 1; 0 for none */
	u8 call; /* 0: none is open */
	u8 flags; /* enum vmt_event_flag */
	u8 single; /* goes through the ring */
	u8 alone; /* its process had no other thread when it began */
	u64 pad;
};
_Static_assert(sizeof(struct open_call) == 128, "two cache lines");

/*
 * By thread. Whose a row is says its key, and which row a thread has says open_index; open_guess is
 * what asks no function: by some bits of the key the row + 1 of who had these bits last. 0 there:
 * nobody with them ever had a row.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384); /* user space sets it, and of the next two */
	__type(key, u32);
	__type(value, struct open_call);
} open_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} open_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, u32);
} open_free SEC(".maps");

#define OPEN_GUESSES (1u << 14)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OPEN_GUESSES);
	__type(key, u32);
	__type(value, u32);
} open_guess SEC(".maps");

/* The address of a thread's registers is taken as the difference to that of this. */
volatile __u64 call_base = 0;
volatile __u64 call_self = 0; /* the address of that: a pointer becomes a number through memory */

/*
 * Whose a call is: of the registers of a thread the place, which is on its stack, and of two
 * pointers the verifier allows the difference. So nobody has to be asked who runs.
 */
static __always_inline u64 call_key(struct pt_regs *regs)
{
	u64 difference = (u64)regs;

	asm volatile("%0 -= %1" : "+r"(difference) : "r"(&call_base));
	return difference;
}

static __always_inline u32 *guess_of(u64 key)
{
	/* Stacks lie some pages apart. */
	u32 bits = (u32)(key >> 12) * 0x9e3779b1u >> 18;

	_Static_assert(OPEN_GUESSES == 1u << (32 - 18), "as many bits");
	return bpf_map_lookup_elem(&open_guess, &bits);
}

static __always_inline struct open_call *open_at(u32 row)
{
	return bpf_map_lookup_elem(&open_calls, &row);
}

/* The row of a thread, which is found anew, or made. Not static, and so without a pointer, as
 * process_row(); + 1, 0 where there is no room. */
__noinline u32 open_row(u64 key)
{
	u32 *known = bpf_map_lookup_elem(&open_index, &key), *guess = guess_of(key);
	struct open_call *open;
	u32 row;

	if (known) {
		row = *known;
	} else {
		if (bpf_map_pop_elem(&open_free, &row))
			goto full;
		open = open_at(row);
		if (!open)
			goto full;
		open->slot = 0;
		open->call = 0;
		*(volatile u64 *)&open->key = key;
		/* Nobody else has this key. */
		if (bpf_map_update_elem(&open_index, &key, &row, BPF_ANY)) {
			open->key = 0;
			bpf_map_push_elem(&open_free, &row, 0);
			goto full;
		}
	}
	if (guess)
		*guess = row + 1;
	return row + 1;
full:
	stat_add(VMT_STAT_NO_ACCOUNT, 1);
	return 0;
}

/* The row of a thread, made where it has none; NULL where there is no room. */
static __always_inline struct open_call *open_make(u64 key)
{
	u32 *guess = guess_of(key), row;
	struct open_call *open = guess ? open_at(*guess - 1) : NULL;

	if (likely(open && open->key == key))
		return open;
	row = open_row(key);
	return row ? open_at(row - 1) : NULL;
}

/* The row of a thread, or NULL where it has none. */
static __always_inline struct open_call *open_find(u64 key)
{
	u32 *guess = guess_of(key), *known;
	struct open_call *open;

	if (!guess || !*guess)
		return NULL;
	open = open_at(*guess - 1);
	if (likely(open && open->key == key))
		return open;
	known = bpf_map_lookup_elem(&open_index, &key);
	return known ? open_at(*known) : NULL;
}

/* The row of a thread that ends is free again: another one may get its stack. */
static __noinline void open_end(struct task_struct *task)
{
	struct open_call *open;
	u64 key = 0, regs;
	u32 *known, row;

	if (vmt_has_task_regs()) {
		key = call_key((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));
	} else {
		call_self = (u64)&call_base;
		regs = task_regs(task);
		key = regs ? regs - call_self : 0;
	}
	known = bpf_map_lookup_elem(&open_index, &key);
	if (!known)
		return;
	row = *known;
	open = open_at(row);
	if (!open || bpf_map_delete_elem(&open_index, &key))
		return;
	open->key = 0;
	bpf_map_push_elem(&open_free, &row, 0);
}
