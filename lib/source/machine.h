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

/* /proc/vmstat: counters of faults, swap and reclaim, and page counts that meminfo has not; its
 * many other keys are not looked at. */
int vmt_vmstat_parse(struct vmt_bytes text, struct vmt_system *sys, struct vmt_err *err);

/*
 * /proc/zoneinfo: the terms of si_mem_available() (mm/show_mem.c, mm/page_alloc.c
 * calculate_totalreserve_pages()) as sums over the zones that have managed pages. page_size is
 * bytes. A text without such a zone leaves all unknown.
 */
int vmt_zoneinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_system *sys,
		       struct vmt_err *err);

/*
 * A file of /proc/pressure, or of a cgroup: its lines "some" and "full" as at most two rows of
 * that resource, a constant that the rows keep. *ret_n: how many there are.
 * Documentation/accounting/psi.rst.
 */
int vmt_pressure_parse(struct vmt_bytes text, const char *resource, struct vmt_pressure rows[2],
		       size_t *ret_n, struct vmt_err *err);

/* A file that holds one number, as those of /proc/sys/vm do. */
int vmt_setting_parse(struct vmt_bytes text, uint64_t *ret);

/* mm_stat of a zram device: bytes that were written to it, and bytes of memory that it holds.
 * Documentation/admin-guide/blockdev/zram.rst. */
int vmt_zram_parse(struct vmt_bytes text, uint64_t *ret_data, uint64_t *ret_used);

struct vmt_root;
struct vmt_sample;

/* Read /proc/pressure, the settings about overcommit, and the zram devices into a sample: what
 * fails is noted there. -ENOMEM alone is an error. vmstat and meminfo are read before zram. */
int vmt_collect_pressure(const struct vmt_root *root, struct vmt_sample *s);
int vmt_collect_overcommit(const struct vmt_root *root, struct vmt_sample *s);
int vmt_collect_zram(const struct vmt_root *root, struct vmt_sample *s);
