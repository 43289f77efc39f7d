/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "unit.h"

#define MAPS	VMT_SOURCE_BIT(MAPS)
#define SMAPS	VMT_SOURCE_BIT(SMAPS)
#define ROLLUP	VMT_SOURCE_BIT(ROLLUP)
#define PAGEMAP VMT_SOURCE_BIT(PAGEMAP)
#define CHEAP                                                                                      \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PIDS))

/* A collector that could be made, and a sample of all processes or of one. */
struct vmt_collector *collector(const char *root);
struct vmt_sample *collect(struct vmt_collector *c, uint64_t sources, uint64_t pid);
/* A saved machine with a process (42), a kernel thread, a zombie and one that was ending. */
void save(struct unit_dir *d);
