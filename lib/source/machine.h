/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/rows.h"

/*
 * Parsers of the files about the whole machine. Each is a pure function over the text of its file
 * that sets the fields of system.def which the text has; a key that the kernel lacks stays
 * unknown. Errors are -EINVAL (malformed) and -ERANGE, with the line. Documented in the kernel's
 * Documentation/filesystems/proc.rst.
 */

/* /proc/meminfo; *unknown counts keys that this version does not know. */
int vmt_meminfo_parse(struct vmt_bytes text, struct vmt_system *sys, uint64_t *unknown,
		      struct vmt_err *err);

/* /proc/vmstat: the fault and OOM counters; its many other keys are not looked at. */
int vmt_vmstat_parse(struct vmt_bytes text, struct vmt_system *sys, struct vmt_err *err);

/*
 * /proc/zoneinfo: the terms of si_mem_available() (mm/show_mem.c, mm/page_alloc.c
 * calculate_totalreserve_pages()) as sums over the zones that have managed pages. page_size is
 * bytes. A text without such a zone leaves all unknown.
 */
int vmt_zoneinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_system *sys,
		       struct vmt_err *err);
