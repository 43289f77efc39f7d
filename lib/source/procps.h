/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/rows.h"

/*
 * libproc2 (procps-ng 4), for meminfo and vmstat of the live machine. The processes are read by
 * pids.c: libproc2 opens each by a path, with stat(2) and every file anew, and says neither which
 * keys were missing nor when it read them. It reads below the literal /proc, and belongs to
 * one thread. It gives 0 for what a kernel lacks, so what it is asked for is what our own readers
 * saw once: which keys a kernel has does not change while it runs.
 */
struct vmt_procps;

/* 0, or a negative errno with the part of libproc2 that failed in err. */
int vmt_procps_new(struct vmt_procps **ret, struct vmt_err *err);
/* NULL is fine. */
void vmt_procps_free(struct vmt_procps *pp);

/* Reads the fields of meminfo or vmstat that are known in has into sys. */
int vmt_procps_meminfo(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		       struct vmt_err *err);
int vmt_procps_vmstat(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		      struct vmt_err *err);
