/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/rows.h"

/*
 * libproc2, the reader of procps (free, vmstat, top): what it has of the running machine, as a
 * second opinion. The library is loaded for that and not before, as it brings libsystemd with it.
 * Loading takes memory, so it is open before the first figure that is compared is read.
 */
struct vmt_procps;

/* 0; -EOPNOTSUPP where vmtop was built without its headers, -ENOENT where it is not installed, -EIO
 * where it fails, -ENOMEM; err says so. */
int vmt_procps_open(struct vmt_procps **ret, struct vmt_err *err);
/* Sets those members of sys that it knows, in our units; 0 stands for what the kernel does not
 * have. 0 or -EIO. */
int vmt_procps_read(struct vmt_procps *p, struct vmt_system *sys, struct vmt_err *err);
/* p may be NULL. Returns NULL. */
struct vmt_procps *vmt_procps_close(struct vmt_procps *p);
