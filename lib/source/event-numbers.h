/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/*
 * Numbers of system calls to what they are: enum vmt_bpf_call of bpf/events.h, 0 for calls of no
 * interest; VMT_EVENT_NUMBERS of them. Those of this machine are its <asm/unistd.h>'s; those of 32
 * bits are arch/x86/entry/syscalls/syscall_32.tbl and, on arm64, arch/arm/tools/syscall.tbl.
 */
void vmt_event_numbers_native(uint8_t *table);
void vmt_event_numbers_compat(uint8_t *table);
