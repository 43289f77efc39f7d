/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/* Appends the shell command that gives the program exe capabilities, as "cap_bpf,cap_perfmon", for
 * a group of its own: whoever may run it then can look into every process. Without a newline. */
void vmt_setcap_command(struct vmt_buf *out, const char *exe, const char *caps);
