/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"

/*
 * Reads what is known about the kernel's own memory into s->kernel: of sources (VMT_SOURCE_BIT)
 * MEMINFO, VMSTAT and ZONEINFO (the lists of the processors); SOCKSTAT; SLABINFO, for which the
 * kernel holds the lock of all caches, and SLAB, which needs it for the names; VMALLOCINFO;
 * MODULES; KALLSYMS, some MiB; KCORE, of which only the headers are read; IOMEM, for the image.
 * What cannot be read is noted in the sample and is no failure. -ENOMEM.
 */
int vmt_collect_kernel(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources);
