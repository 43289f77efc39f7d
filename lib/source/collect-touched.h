/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/events.h"
#include "source/collect.h"

/*
 * Reads what is still mapped of what e->claims say that calls mapped, and how much of that was
 * touched, into the claims and the places of e: the list of mappings of each process, and pagemap
 * of the ranges in question, in slices through the reader pool. Strings are in the arena of s, as
 * is what reading cost and how it went: the sources PIDS, MAPS and WORDS. Ranges of more than 2^20
 * pages are left out where the kernel has no PAGEMAP_SCAN (Linux 6.7); what cannot be read, for its
 * process is gone or not ours to look at, or because the deadline of c was over, stays unknown. 0
 * or -ENOMEM.
 */
int vmt_collect_touched(struct vmt_collector *c, struct vmt_sample *s, struct vmt_event_sample *e);
