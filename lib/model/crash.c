/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/crash.h"

#include <signal.h>

#include "model/events.h"
#include "model/x86-operand.h"

/* arch/x86/include/asm/trapnr.h, trap_pf.h */
#define TRAP_STACK   12u
#define TRAP_GENERAL 13u
#define TRAP_PAGE    14u
#define ERROR_WRITE  0x2u
#define ERROR_EXEC   0x10u
/* ESR_ELx of arm64: class of the exception, and of a data abort whether it wrote. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define ESR_EXEC       0x20u
#define ESR_DATA       0x24u
#define ESR_WRITE      0x40u

/* include/uapi/asm-generic/siginfo.h */
enum {
	OF_KERNEL = 0x80, /* SI_KERNEL */
};

#define VM_READ	     0x1u
#define VM_WRITE     0x2u
#define VM_EXEC	     0x4u
#define VM_ACCESS    0x7u
#define VM_SHARED    0x8u
#define VM_GROWSDOWN 0x100u
#define VM_HUGETLB   0x400000u

#define GUARD_INSTALL 102u /* MADV_GUARD_INSTALL */
/* Below, nothing is mapped without CAP_SYS_RAWIO: what vm.mmap_min_addr usually is. */
#define LOWEST UINT64_C(0x10000)
/* So far below the stack pointer a program may use its stack: the red zone of the ABI of x86-64,
 * and what a call pushes. */
#define BELOW_POINTER UINT64_C(256)
/* stack_guard_gap, in pages, unless the kernel was booted with another one. */
#define STACK_GAP 256u
/* The frame of a handler, with all registers that there are (AT_MINSIGSTKSZ is 3 to 12 KiB). */
#define FRAME_MOST UINT64_C(16384)

static const char *const reasons[VMT_CRASH_REASONS] = {
#define R(id, name, help) name,
#include "model/crash-reason.def"
#undef R
};

const char *vmt_crash_reason_name(enum vmt_crash_reason reason)
{
	return (unsigned)reason < VMT_CRASH_REASONS ? reasons[reason] : NULL;
}

static bool is_x86(struct vmt_bytes machine)
{
	return vmt_bytes_is(machine, "x86_64");
}

enum vmt_crash_access vmt_crash_access(const struct vmt_crash *c, struct vmt_bytes machine)
{
	if (!c->has_trap || c->code <= 0 || c->code == OF_KERNEL)
		return VMT_CRASH_ACCESS_UNKNOWN;
	if (is_x86(machine)) {
		if (c->trap != TRAP_PAGE)
			return VMT_CRASH_ACCESS_UNKNOWN;
		return c->error & ERROR_EXEC	? VMT_CRASH_EXEC
		       : c->error & ERROR_WRITE ? VMT_CRASH_WRITE
						: VMT_CRASH_READ;
	}
	if (!vmt_bytes_is(machine, "aarch64"))
		return VMT_CRASH_ACCESS_UNKNOWN;
	if (ESR_CLASS(c->error) == ESR_EXEC)
		return VMT_CRASH_EXEC;
	if (ESR_CLASS(c->error) != ESR_DATA)
		return VMT_CRASH_ACCESS_UNKNOWN;
	return c->error & ESR_WRITE ? VMT_CRASH_WRITE : VMT_CRASH_READ;
}

static uint64_t up_to(uint64_t bytes, uint64_t unit)
{
	return unit ? (bytes + unit - 1) / unit * unit : bytes;
}

static uint64_t file_offset(const struct vmt_crash *c, uint64_t address)
{
	return address - c->at.start + c->at.offset_bytes;
}

/* Whether an address that is not mapped is of a stack that grows down and is in use: it lies
 * between the stack pointer and the stack. */
static bool is_below_stack(const struct vmt_crash *c, uint64_t address)
{
	return c->has_registers && c->above.end && c->above.vm_flags & VM_GROWSDOWN &&
	       c->sp < c->above.end && c->sp >= c->below.end && address >= c->sp - BELOW_POINTER &&
	       address < c->above.start;
}

static uint64_t stack_bytes(const struct vmt_crash *c, uint64_t address, uint64_t page)
{
	return c->above.end - (address & ~(page - 1));
}

/* Whether the kernel did not let it grow that far (acct_stack_growth(), expand_downwards()). */
static bool may_not_grow(const struct vmt_crash *c, uint64_t address, uint64_t page)
{
	if (c->has_stack_limit && stack_bytes(c, address, page) > c->stack_limit)
		return true;
	return c->below.end && c->below.vm_flags & VM_ACCESS &&
	       !(c->below.vm_flags & VM_GROWSDOWN) &&
	       (address & ~(page - 1)) - c->below.end < STACK_GAP * page;
}

/* Whether the mapping at the address is what stands before a stack that is in use. */
static bool is_stack_guard(const struct vmt_crash *c, uint64_t address)
{
	return c->has_registers && c->above.start == c->at.end && c->above.end &&
	       c->above.vm_flags & VM_WRITE && !c->above.inode && c->sp < c->above.end &&
	       c->sp >= c->at.start && address >= c->sp - BELOW_POINTER;
}

bool vmt_crash_was_changed(const struct vmt_crash *c)
{
	if (!c->changed.ns || c->changed.ns < c->gone.ns || !c->at.end)
		return false;
	if (c->changed.call == VMT_CALL_MADVISE)
		return c->changed.value == GUARD_INSTALL;
	return (c->changed.value & VM_ACCESS) == (c->at.vm_flags & VM_ACCESS);
}

bool vmt_crash_was_freed(const struct vmt_crash *c)
{
	/* What mmap took the place of is gone, and something else came there. */
	return c->gone.ns && c->gone.call != VMT_CALL_MMAP;
}

static enum vmt_crash_reason no_mapping(const struct vmt_crash *c, uint64_t address, uint64_t page)
{
	if (address < LOWEST)
		return VMT_CRASH_NULL_PAGE;
	if (is_below_stack(c, address) && may_not_grow(c, address, page))
		return VMT_CRASH_STACK_OVERFLOW;
	return vmt_crash_was_freed(c) ? VMT_CRASH_FREED : VMT_CRASH_NO_MAPPING;
}

static enum vmt_crash_reason refused(const struct vmt_crash *c, enum vmt_crash_access access)
{
	uint64_t may = c->at.vm_flags & VM_ACCESS;

	if (!may)
		return is_stack_guard(c, c->address) ? VMT_CRASH_STACK_GUARD : VMT_CRASH_NO_ACCESS;
	if (access == VMT_CRASH_WRITE && !(may & VM_WRITE))
		return VMT_CRASH_READ_ONLY;
	if (access == VMT_CRASH_EXEC && !(may & VM_EXEC))
		return VMT_CRASH_NOT_EXECUTABLE;
	if (access == VMT_CRASH_READ && !(may & VM_READ))
		return VMT_CRASH_NOT_READABLE;
	/* Another thread may have changed it since. */
	return VMT_CRASH_UNKNOWN;
}

static enum vmt_crash_reason of_segv(const struct vmt_crash *c, const struct vmt_host *host)
{
	switch (c->code) {
	case 3:
		return VMT_CRASH_BOUNDS;
	case 4:
		return VMT_CRASH_PROTECTION_KEY;
	case 8:
	case 9:
		return VMT_CRASH_MEMORY_TAG;
	case 10:
		return VMT_CRASH_CONTROL_PROTECTION;
	default:
		break;
	}
	if (c->code > 2)
		return VMT_CRASH_UNKNOWN;
	if (c->address >> 63)
		return VMT_CRASH_KERNEL_ADDRESS;
	if (!c->has_space)
		return VMT_CRASH_UNKNOWN;
	if (!c->at.end)
		return c->code == 1 ? no_mapping(c, c->address, host->page_size)
				    : VMT_CRASH_UNKNOWN;
	if (c->code == 2)
		return refused(c, vmt_crash_access(c, host->machine));
	/* There is a mapping, and the kernel said that there is none: markers do that. */
	if (vmt_crash_was_changed(c) && c->changed.call == VMT_CALL_MADVISE)
		return VMT_CRASH_GUARD_MARKER;
	return VMT_CRASH_UNKNOWN;
}

static enum vmt_crash_reason of_file(const struct vmt_crash *c, uint64_t page)
{
	uint64_t offset = file_offset(c, c->address);
	uint64_t unit = c->at.vm_flags & VM_HUGETLB && c->huge_bytes ? c->huge_bytes : page;

	/* A device: what it has no end, as far as we know. */
	if (c->at.file_bytes == UINT64_MAX)
		return VMT_CRASH_UNKNOWN;
	if (offset >= up_to(c->at.file_bytes, unit))
		return c->has_file_then && offset < up_to(c->file_then, unit)
			       ? VMT_CRASH_TRUNCATED
			       : VMT_CRASH_BEYOND_END;
	if (c->at.vm_flags & VM_HUGETLB && c->has_huge && c->huge_free <= c->huge_reserved)
		return VMT_CRASH_HUGE_POOL_EMPTY;
	if (c->has_tmpfs && c->blocks && c->blocks_used + c->blocks_slack >= c->blocks)
		return VMT_CRASH_NO_SPACE;
	return VMT_CRASH_UNKNOWN;
}

static bool operand(const struct vmt_crash *c, struct vmt_x86_operand *ret)
{
	return c->has_registers &&
	       vmt_x86_operand(c->bytes, c->n_bytes, c->regs, c->has_top ? &c->top : NULL, ret);
}

static enum vmt_crash_reason of_bus(const struct vmt_crash *c, const struct vmt_host *host,
				    uint64_t *ret_address)
{
	struct vmt_x86_operand o;

	switch (c->code) {
	case 1:
		if (!c->has_address && is_x86(host->machine) && operand(c, &o) && o.n == 1)
			*ret_address = o.address[0];
		return VMT_CRASH_MISALIGNED;
	case 3:
	case 4:
	case 5:
		return VMT_CRASH_HARDWARE_ERROR;
	default:
		break;
	}
	if (c->code != 2 || !c->has_space || !c->at.end)
		return VMT_CRASH_UNKNOWN;
	if (c->user_bus)
		return VMT_CRASH_USERFAULTFD;
	return c->at.inode ? of_file(c, host->page_size) : VMT_CRASH_UNKNOWN;
}

/* The exception does not say why; what the instruction wanted often does. */
static enum vmt_crash_reason of_general(const struct vmt_crash *c, uint64_t *ret_address)
{
	struct vmt_x86_operand o;

	if (!c->has_registers)
		return VMT_CRASH_GENERAL_PROTECTION;
	if (vmt_x86_is_non_canonical(c->ip)) {
		*ret_address = c->ip;
		return VMT_CRASH_NON_CANONICAL;
	}
	if (!operand(c, &o))
		return VMT_CRASH_GENERAL_PROTECTION;
	if (o.privileged)
		return VMT_CRASH_PRIVILEGED;
	for (unsigned i = 0; i < o.n; i++) {
		if (!vmt_x86_is_non_canonical(o.address[i]))
			continue;
		*ret_address = o.address[i];
		return VMT_CRASH_NON_CANONICAL;
	}
	if (o.n && o.align && o.address[0] % o.align) {
		*ret_address = o.address[0];
		return VMT_CRASH_MISALIGNED;
	}
	return VMT_CRASH_GENERAL_PROTECTION;
}

/* Without an address: a general protection, or a handler that could not be called. */
static enum vmt_crash_reason of_kernel(const struct vmt_crash *c, const struct vmt_host *host,
				       uint64_t *ret_address)
{
	if (!is_x86(host->machine))
		return VMT_CRASH_UNKNOWN;
	if (c->has_trap && (c->trap == TRAP_GENERAL || c->trap == TRAP_STACK))
		return of_general(c, ret_address);
	/* In a system call there was no exception, and the frame of a handler is one reason. */
	if ((c->has_trap && c->trap != TRAP_PAGE) || c->signal != SIGSEGV || !c->has_space ||
	    !c->has_registers)
		return VMT_CRASH_UNKNOWN;
	*ret_address = c->sp;
	if (!c->at.end && c->sp >= LOWEST && is_below_stack(c, c->sp) &&
	    may_not_grow(c, c->sp, host->page_size))
		return VMT_CRASH_STACK_OVERFLOW;
	if (c->at.end && !(c->at.vm_flags & VM_ACCESS) && is_stack_guard(c, c->sp))
		return VMT_CRASH_STACK_GUARD;
	if (!c->at.end || !(c->at.vm_flags & VM_WRITE))
		return VMT_CRASH_HANDLER_FRAME;
	/* The frame goes below the stack pointer, and there is no more of the stack. */
	if (c->sp - c->at.start >= FRAME_MOST)
		return VMT_CRASH_UNKNOWN;
	if (c->at.vm_flags & VM_GROWSDOWN && c->has_stack_limit &&
	    c->at.end - c->at.start + FRAME_MOST > c->stack_limit)
		return VMT_CRASH_STACK_OVERFLOW;
	if (c->below.end == c->at.start && !(c->below.vm_flags & VM_ACCESS))
		return VMT_CRASH_STACK_GUARD;
	return VMT_CRASH_UNKNOWN;
}

enum vmt_crash_reason vmt_crash_reason(const struct vmt_crash *c, const struct vmt_host *host,
				       uint64_t *ret_address)
{
	*ret_address = c->address;
	if (c->code <= 0)
		return VMT_CRASH_SENT;
	if (c->code == OF_KERNEL)
		return of_kernel(c, host, ret_address);
	return c->signal == SIGBUS ? of_bus(c, host, ret_address) : of_segv(c, host);
}
