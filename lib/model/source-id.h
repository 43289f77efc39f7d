/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* What values come from; one row each in source.def. */
enum vmt_source_id {
#define S(id, name, what, cost, help) VMT_SOURCE_##id,
#include "model/source.def"
#undef S
	VMT_SOURCE_COUNT,
};

#define VMT_SOURCE_BIT(id) (UINT64_C(1) << VMT_SOURCE_##id)

/* The bits above say how to read (source/collect.h). */
_Static_assert(VMT_SOURCE_COUNT <= 60, "a source has no bit");

/* The sources that walk the page tables of a process, or of a mapping, in one hold of its lock. */
#define VMT_SOURCES_WALK (VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(ROLLUP) | VMT_SOURCE_BIT(NUMA))

/* Read once for the machine, or once for every process, or a probe. */
enum vmt_source_cost {
	VMT_COST_NONE, /* our own arithmetic */
	VMT_COST_CHEAP, /* microseconds, takes no lock that a process feels */
	VMT_COST_DEAR, /* walks the mappings or page tables of a process under its mmap lock */
	VMT_COST_PROBE, /* adds to the cost of every page fault while it runs */
};

enum vmt_source_state {
	VMT_STATE_UNUSED, /* nothing asked for it */
	VMT_STATE_OK,
	VMT_STATE_PARTIAL, /* some of the reads failed; the counts say how many and how */
	VMT_STATE_DENIED,
	VMT_STATE_ABSENT, /* this kernel, build or fixture does not have it */
	VMT_STATE_FAILED,
	VMT_STATE_SKIPPED, /* left out to keep a budget or deadline */
};

/* The texts of source.def and of the enums above; constants. */
const char *vmt_source_name(enum vmt_source_id id);
const char *vmt_source_what(enum vmt_source_id id);
const char *vmt_source_help(enum vmt_source_id id);
enum vmt_source_cost vmt_source_cost(enum vmt_source_id id);
/* About what a read costs, to compare sources that give the same: microseconds for a small process.
 * 0 for those that are no alternative to another. */
unsigned vmt_source_weight(enum vmt_source_id id);
const char *vmt_source_cost_name(enum vmt_source_cost cost);
const char *vmt_source_state_name(enum vmt_source_state state);
