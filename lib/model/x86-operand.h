/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an instruction of x86-64 does that raised a general protection: the exception does not say.
 * Only of what decides about that: its memory operand, and whether user mode may run it at all.
 */
struct vmt_x86_operand {
	uint64_t address[2];
	unsigned n; /* addresses that are known; of string instructions two */
	uint64_t align; /* bytes that the first has to be aligned to; 0: to none, or not known */
	bool privileged; /* of the kernel alone */
	bool target; /* the address is where it jumps to */
};

/*
 * bytes are those at ip, n of them; regs are rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 .. r15; top
 * is what rsp points to, NULL where it is not known. False where the instruction is not understood,
 * or has an address that cannot be told.
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and appendix A.
 */
bool vmt_x86_operand(const uint8_t *bytes, size_t n, const uint64_t regs[16], const uint64_t *top,
		     struct vmt_x86_operand *ret);

/* Whether the upper 17 bits are not all the same. */
static inline bool vmt_x86_is_non_canonical(uint64_t address)
{
	uint64_t upper = address >> 47;

	return upper != 0 && upper != (UINT64_C(1) << 17) - 1;
}
