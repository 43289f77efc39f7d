/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/zone-sample.h"

/*
 * Parsers of the files about nodes and zones. Each is a pure function over the text of its file
 * that adds rows to z, in the arena, with what the text says; a key that the kernel lacks stays
 * unknown, and one that is not known here is skipped. page_size is bytes. Errors are -EINVAL
 * (malformed), -ERANGE and -ENOMEM, with the line; then z is as it was.
 */

/* /proc/zoneinfo (mm/vmstat.c, zoneinfo_show_print()): zones, the lists of the processors, and a
 * node for each number. */
int vmt_zone_rows_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			struct vmt_zone_sample *z, struct vmt_err *err);
/* The sums of the rows of z that vmt_zoneinfo_parse() makes of the same text without them. -ERANGE.
 */
int vmt_zones_sum(const struct vmt_zone_sample *z, struct vmt_system *sys, struct vmt_err *err);
/* /proc/buddyinfo: orders. */
int vmt_buddyinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			struct vmt_zone_sample *z, struct vmt_err *err);
/* /proc/pagetypeinfo: types. The kernel stops counting a list at 100000 blocks, and says so. */
int vmt_pagetypeinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			   struct vmt_zone_sample *z, struct vmt_err *err);
/* /proc/vmstat: z->compaction. */
int vmt_compaction_parse(struct vmt_bytes text, struct vmt_zone_sample *z, struct vmt_err *err);
/* meminfo of a node in sysfs: "Node 0 MemTotal:  24684084 kB". */
int vmt_node_meminfo_parse(struct vmt_bytes text, struct vmt_node *node, struct vmt_err *err);
