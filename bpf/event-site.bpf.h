/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Calls by their stacks: where they come from, and what is counted of each. */

#include "bpf/event-open.bpf.h"
#include "bpf/stack.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384); /* as of stack_rows */
	__type(key, u32);
	__type(value, struct vmt_slot_site);
} sites SEC(".maps");

/* Calls whose wrappers in the C library mostly have no frame: what is on top of the stack is where
 * they return to. */
#define BARE                                                                                       \
	(BIT(MMAP) | BIT(MUNMAP) | BIT(MPROTECT) | BIT(PKEY_MPROTECT) | BIT(BRK) | BIT(MADVISE) |  \
	 BIT(MLOCK) | BIT(MLOCK2) | BIT(MUNLOCK) | BIT(MLOCKALL) | BIT(MUNLOCKALL) |               \
	 BIT(MEMFD_CREATE) | BIT(SHMAT) | BIT(SHMDT) | BIT(REMAP_FILE_PAGES) | BIT(MSEAL))

/* Where a wrapper returns to that saved no frame pointer, and that the chain of these leaves out:
 * an address behind an instruction that calls. 0 where there is none. */
static __noinline u64 caller_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	u8 code[8] = {};
	u64 at = 0;

	if (bpf_probe_read_user(&at, sizeof(at), (void *)BPF_CORE_READ(regs, sp)) ||
	    bpf_probe_read_user(code, sizeof(code), (void *)(at - sizeof(code))))
		return 0;
	/* call rel32; call of a register, or of memory with a displacement of 0, 8 or 32 bits */
	if (code[3] == 0xe8 || (code[6] == 0xff && (code[7] & 0x38) == 0x10) ||
	    (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
	    (code[2] == 0xff && (code[3] & 0x38) == 0x10))
		return at;
	return 0;
#else
	u64 at = regs->user_regs.regs[30];
	u32 code = 0;

	if (bpf_probe_read_user(&code, sizeof(code), (void *)(at - sizeof(code))))
		return 0;
	/* bl, blr */
	return code >> 26 == 0x25 || (code & 0xfffffc1f) == 0xd63f0000 ? at : 0;
#endif
}

/* The row for the stack of a call that begins, as of stack_row(). */
static __noinline u32 site_find(void *ctx, u32 call, u64 caller)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct stack_key key = {
		.start_time = BPF_CORE_READ(task, group_leader, start_boottime),
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.exec_id = BPF_CORE_READ(task, self_exec_id),
		.caller = caller,
		.sort = call,
	};

	stack_ids(ctx, &key, false);
	return stack_row(ctx, &key);
}

/* The row of sites of a call that begins, + 1; 0 where there is no room. */
static __always_inline u32 site_of(void *ctx, u32 call, struct pt_regs *regs, bool compat)
{
	u64 caller = !compat && BARE >> (call & 31) & 1 ? caller_of(regs) : 0;
	u32 row = site_find(ctx, call, caller), slot = row & ~STACK_NEW;
	struct vmt_slot_stack *s;

	s = row == STACK_NONE ? NULL : bpf_map_lookup_elem(&stack_rows, &slot);
	if (!s) {
		vmt_add(&stack_lost.rows, 1);
		return 0;
	}
	if (row & STACK_NEW) {
		stack_codes(s, slot);
		if (caller && code_of(caller, slot))
			vmt_add(&stack_lost.codes, 1);
	}
	return slot + 1;
}

/* Single events have their stack with them, and nothing is counted by these. */
const volatile __u32 vmt_single_stacks = 0;

#define VMT_ESRCH 3

/*
 * The stack of a call that has ended, into a row that is this CPU's own. It is the one that the
 * call began with, but where that was replaced, with all of the program: an execve that succeeded.
 * The mappings of code are to be kept behind it, as of stack_codes().
 */
static __noinline void single_take(void *ctx, struct vmt_slot_stack *s, u64 caller, bool gone)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	long n = -VMT_ESRCH;

	s->tgid = bpf_get_current_pid_tgid() >> 32;
	s->start_time = BPF_CORE_READ(task, group_leader, start_boottime);
	s->exec_id = BPF_CORE_READ(task, self_exec_id);
	s->caller = gone ? 0 : caller;
	s->kernel_id = -VMT_EFAULT;
	s->n_kernel = 0;
	if (!gone)
		n = bpf_get_stack(ctx, s->user, sizeof(s->user), BPF_F_USER_STACK);
	s->n_user = n > 0 ? (u32)n / sizeof(u64) : 0;
	s->user_id = n > 0 ? 0 : n == -VMT_ESRCH ? -VMT_ESRCH : -VMT_EFAULT;
}

/* The row of the stack of a call that has ended; NULL where there is none. */
static __always_inline struct vmt_slot_stack *single_stack(void *ctx, struct pt_regs *regs,
							   const struct open_call *open, bool gone)
{
	bool bare = !(open->flags & VMT_EVENT_COMPAT) && BARE >> (open->call & 31) & 1;
	u32 cpu = bpf_get_smp_processor_id();
	struct vmt_slot_stack *s = bpf_map_lookup_elem(&stack_rows, &cpu);

	if (!s)
		return NULL;
	single_take(ctx, s, bare ? caller_of(regs) : 0, gone);
	stack_codes(s, cpu);
	if (s->caller && code_of(s->caller, cpu))
		vmt_add(&stack_lost.codes, 1);
	return s;
}

/* Counts a call for its stack, too. */
static __noinline void count_site(u32 slot, u32 call, bool failed, u64 bytes, u64 ns)
{
	struct vmt_slot_site *s = bpf_map_lookup_elem(&sites, &slot);

	if (!s)
		return;
	s->call = call;
	vmt_add(&s->n.calls, 1);
	if (failed)
		vmt_add(&s->n.errors, 1);
	else
		vmt_add(&s->n.bytes, bytes);
	vmt_add(&s->n.ns, ns);
}
