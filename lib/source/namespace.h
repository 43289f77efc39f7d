/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* The number of the IPC namespace of the process whose directory it is, by the text of its link
 * ("ipc:[4026531839]", namespaces(7)); 0 where it cannot be had. Nothing is opened. */
uint64_t vmt_ipc_namespace(int dir_fd);
