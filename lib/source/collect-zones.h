/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"

/*
 * Reads what is known about nodes and zones into s->zones: of sources (VMT_SOURCE_BIT) ZONEINFO,
 * which also gives the sums of s->system; BUDDYINFO; PAGETYPEINFO, for which the kernel walks every
 * list of free blocks under the lock of its zone; VMSTAT, the counters of compaction; NODE, in
 * sysfs, which needs ZONEINFO for the numbers of the nodes; IOMEM. What cannot be read is noted in
 * the sample and is no failure. -ENOMEM.
 */
int vmt_collect_zones(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources);
