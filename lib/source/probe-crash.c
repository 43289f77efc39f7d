/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-crash.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/probe-load.h"

static_assert(sizeof(((struct vmt_crash *)0)->bytes) == VMT_CRASH_CODE &&
		      sizeof(((struct vmt_crash *)0)->regs) == VMT_CRASH_REGS * sizeof(uint64_t),
	      "as many on both sides");

#define SI_KERNEL_CODE 0x80
#define ADRALN	       1 /* BUS_ADRALN */

/* Not every signal has an address: of an alignment check x86 tells none. */
static bool has_address(const struct vmt_crash_record *r)
{
	return r->si_code > 0 && r->si_code != SI_KERNEL_CODE &&
	       !(r->sig == SIGBUS && r->si_code == ADRALN && !r->address);
}

static int copy_map(const struct vmt_crash_area *from, vmt_crash_name_fn *name, void *arg,
		    struct vmt_arena *arena, struct vmt_crash_map *to)
{
	*to = (struct vmt_crash_map){
		.start = from->start,
		.end = from->end,
		.vm_flags = from->flags,
		.offset_bytes = from->pgoff * (uint64_t)sysconf(_SC_PAGESIZE),
		.inode = from->ino,
		.file_bytes = from->file_size,
		.dev_major = from->dev >> 20,
		.dev_minor = from->dev & ((1u << 20) - 1),
	};
	return from->name ? name(arg, from->name, arena, &to->path) : 0;
}

static struct vmt_crash_change copy_change(const struct vmt_slot_change *from)
{
	return (struct vmt_crash_change){
		.start = from->start,
		.end = from->end,
		.ns = from->ns,
		.tid = from->tid,
		.call = from->call,
		.value = from->value,
	};
}

/* How far the counter of a tmpfs may be from the sum of all CPUs: percpu_counter_batch on each of
 * them (lib/percpu_counter.c). */
static uint64_t slack(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n = cpus > 0 ? (uint64_t)cpus : 1;

	return n * (n * 2 > 32 ? n * 2 : 32);
}

int vmt_probe_crash(const struct vmt_crash_record *r, vmt_crash_name_fn *name, void *arg,
		    struct vmt_arena *arena, struct vmt_crash *ret)
{
	int error = 0;

	*ret = (struct vmt_crash){
		.signal = (int)r->sig,
		.code = r->si_code,
		.handled = r->flags & VMT_CRASH_HANDLED,
		.blocked = r->flags & VMT_CRASH_BLOCKED,
		.has_address = has_address(r),
		.has_registers = r->flags & VMT_CRASH_REGISTERS,
		.has_trap = r->flags & VMT_CRASH_TRAP,
		.has_space = r->flags & VMT_CRASH_SPACE,
		.has_top = r->flags & VMT_CRASH_TOP,
		.has_tmpfs = r->flags & VMT_CRASH_TMPFS,
		.has_huge = r->flags & VMT_CRASH_HUGE,
		.has_stack_limit = r->flags & VMT_CRASH_STACK_LIMIT,
		.has_file_then = r->flags & VMT_CRASH_FILE_SIZE,
		.user_bus = r->flags & VMT_CRASH_USER_BUS,
		.start_ns = r->start,
		.address = r->address,
		.ip = r->ip,
		.sp = r->sp,
		.trap = r->trap,
		.error = r->error,
		.top = r->top,
		.stack_limit = r->stack_limit,
		.blocks = r->blocks,
		.blocks_used = r->blocks_used,
		.blocks_slack = slack(),
		.huge_free = r->huge_free,
		.huge_reserved = r->huge_reserved,
		.huge_bytes = r->huge_bytes,
		.file_then = r->file_size_then,
		.pkey = r->pkey,
		.sender = r->sender,
		.lsb = r->lsb,
		.n_bytes = r->flags & VMT_CRASH_CODE_READ ? VMT_CRASH_CODE : 0,
		.gone = copy_change(&r->gone),
		.changed = copy_change(&r->changed),
	};
	memcpy(ret->regs, r->regs, sizeof(ret->regs));
	memcpy(ret->bytes, r->bytes, sizeof(ret->bytes));
	error = copy_map(&r->at, name, arg, arena, &ret->at);
	error = error ?: copy_map(&r->below, name, arg, arena, &ret->below);
	error = error ?: copy_map(&r->above, name, arg, arena, &ret->above);
	return error ?: copy_map(&r->code, name, arg, arena, &ret->image);
}

const char *vmt_probe_crash_reason(int error)
{
	return error == -ENODATA ? "attached, and a signal of its own was not counted"
				 : vmt_probe_explain(error);
}

struct vmt_probe_try vmt_probe_crash_try(int error)
{
	struct vmt_probe_try t = { .probe = "events",
				   .rung = "tracepoint",
				   .hook = VMT_CRASH_HOOK,
				   .gives = VMT_CRASH_GIVES,
				   .error = error };
	const char *reason = NULL, *fix = NULL;

	t.status = error == -ENODATA ? VMT_TRY_SILENT : vmt_probe_judge(error, &reason, &fix);
	snprintf(t.reason, sizeof(t.reason), "%.190s", vmt_probe_crash_reason(error));
	snprintf(t.fix, sizeof(t.fix), "%s", fix ? fix : "");
	return t;
}
