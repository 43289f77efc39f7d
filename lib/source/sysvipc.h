/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sharers.h"
#include "source/collect.h"

/*
 * /proc/sysvipc/shm, the SysV segments of the IPC namespace of vmtop; proc(5), ipc/shm.c
 * sysvipc_shm_proc_show(). It takes no lock of a process. The caller frees *ret. Columns that this
 * version does not know are skipped and counted. -EINVAL where a column that it needs is missing or
 * is no number, -ERANGE, -ENOMEM.
 */
int vmt_sysvipc_parse(struct vmt_bytes text, struct vmt_segment **ret, size_t *ret_n,
		      uint64_t *unknown, struct vmt_err *err);

/*
 * Reads it, and notes in s how that went. A kernel without SysV IPC, or a recording without the
 * file, has none: *ret_n is 0, and the source says why. 0 or -ENOMEM.
 */
int vmt_collect_segments(struct vmt_collector *c, struct vmt_sample *s, struct vmt_segment **ret,
			 size_t *ret_n);

/* The IPC namespace of vmtop itself, or 0 where it cannot be told or the machine is a recording. */
uint64_t vmt_own_ipc_namespace(struct vmt_collector *c);
