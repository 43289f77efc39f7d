/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The number of the IPC namespace of the process whose directory it is, by the text of its link
 * ("ipc:[4026531839]", namespaces(7)); 0 where it cannot be had. Nothing is opened. */
uint64_t vmt_ipc_namespace(int dir_fd);

/* Whether this process is in another PID namespace than the first of the machine, whose number is
 * fixed (include/linux/proc_ns.h PROC_PID_INIT_INO). false also where that cannot be had. */
bool vmt_in_pid_namespace(int proc_fd);
