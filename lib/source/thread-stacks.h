/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/*
 * Where the stacks of the threads of a process are: addresses that lie in them, one for each thread
 * but the first of which it can be told, in ascending order. dir_fd is the directory of process
 * pid. The kernel does not name them (since Linux 4.5), and the stack pointer in stat is 0 for a
 * thread that lives. What there is:
 *
 *   get_robust_list(2): the C library keeps the head of that list in its record of the thread, at
 *   the top of the stack that it made. It is known of running threads too, needs the right to read
 *   the process and stops nobody.
 *
 *   /proc/PID/task/TID/syscall: the stack pointer of a thread that sleeps; needs the right to
 *   trace. It is read for threads without such a list.
 *
 * The caller frees *ret. 0, or -errno where there are threads that were not seen; those that
 * were are there all the same. Of one that is seen what cannot be read is left out.
 */
int vmt_thread_stacks(int dir_fd, uint64_t pid, uint64_t **ret, size_t *ret_n);

/*
 * The stack pointer in /proc/PID/task/TID/syscall: "NUMBER ARGUMENTS... SP PC", "-1 SP PC", or
 * "running" (fs/proc/base.c proc_pid_syscall()). False where it says none.
 */
bool vmt_syscall_stack(struct vmt_bytes text, uint64_t *ret_sp);
