/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/*
 * --sandbox: a list of system calls, and the kernel kills the process at any other (seccomp(2),
 * SECCOMP_RET_KILL_PROCESS). What a command does without is not in its list: who found a way to
 * make it run code could open files for reading, and little else.
 *
 * Landlock is no part of it: a process that restricts itself by it may not look at any that does
 * not (hook_ptrace_access_check(), security/landlock): maps and smaps of all others would be
 * denied.
 */

/*
 * Once capabilities are given back, where --sandbox was given; while there is one thread, as those
 * that come later inherit it. Complains where it was not built, or the kernel has it not: an exit
 * code or 0.
 */
int vmt_sandbox_enter(const struct vmt_ctx *ctx);

/*
 * Once what the command counts with is loaded: from here on neither programs nor tables can be, by
 * any thread. Nothing where there is no sandbox. 0 or -errno.
 */
int vmt_sandbox_loaded(const struct vmt_ctx *ctx, struct vmt_err *err);
/* The same of what says itself what went wrong: an exit code or 0. */
int vmt_sandbox_close(const struct vmt_ctx *ctx);
