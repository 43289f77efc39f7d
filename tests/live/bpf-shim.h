/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#define BPF_SHIM_COMMANDS 64

/* How often each command of bpf() was asked for. */
extern unsigned long bpf_shim_calls[BPF_SHIM_COMMANDS];
/* Attachments that were counted for "attach"; a test sets it to 0. */
extern unsigned bpf_shim_attached;

/* Takes the place of that of the C library. */
long syscall(long number, ...);
