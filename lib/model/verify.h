/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * Identities between figures of the kernel: what files that count the same thing in different ways
 * have to agree on. Pure; what they are fed is read by source/verify-read.c.
 */
enum vmt_check_id {
	VMT_CHECK_V1,
	VMT_CHECK_V2,
	VMT_CHECK_V3,
	VMT_CHECK_V4,
	VMT_CHECK_V5,
	VMT_CHECK_V6,
	VMT_CHECK_V7,
	VMT_CHECK_PROC, /* those above are about a process */
	VMT_CHECK_CHURN = VMT_CHECK_PROC, /* about the kernel */
	VMT_CHECK_MACHINE, /* those below are about the machine */
	VMT_CHECK_V8 = VMT_CHECK_MACHINE,
	VMT_CHECK_V9_FILE,
	VMT_CHECK_V9_FREE,
	VMT_CHECK_V9_SLAB,
	VMT_CHECK_V9_ACTIVE,
	VMT_CHECK_V9_ANON,
	VMT_CHECK_V10,
	VMT_CHECK_V11,
	VMT_CHECK_V12,
	VMT_CHECKS,
};

/* What came of one comparison; the better of two has the lower value. */
enum vmt_verdict {
	VMT_VERDICT_HOLDS,
	VMT_VERDICT_BOUNDED,
	VMT_VERDICT_DRIFTED,
	VMT_VERDICT_OFF,
	VMT_VERDICT_NONE, /* there was nothing to compare */
};

struct vmt_outcome {
	enum vmt_verdict verdict;
	int64_t off; /* bytes */
	uint64_t address; /* of the mapping that is off most, where has_address */
	bool has_address;
	uint64_t checked; /* mappings, of checks that look at each; else 1 */
	uint64_t failed; /* of them off */
};

/*
 * One reading of a process. Its status and rollup stand first and last, smaps, statm and pagemap
 * between them: what is the same at both ends was so all the while, or nearly.
 */
struct vmt_reading {
	uint64_t page_size; /* bytes */
	const struct vmt_map *smaps; /* NULL: it could not be read */
	size_t n_smaps;
	const struct vmt_map *pages; /* by pagemap */
	size_t n_pages;
	bool pages_exact; /* the zero page could be told */
	bool same_list; /* the mappings are the same before and after */
	const struct vmt_proc *first; /* status and smaps_rollup */
	const struct vmt_proc *middle; /* statm */
	const struct vmt_proc *last; /* status and smaps_rollup */
};

/*
 * How far the RSS of a process may lag behind what is mapped, in bytes: before Linux 6.2 a thread
 * keeps up to 64 changes to itself (TASK_RSS_EVENTS_THRESH in mm/memory.c), and one fault may map
 * the 16 pages around it (fault_around_bytes). The counters of each processor that came then are
 * short by less.
 */
uint64_t vmt_verify_rss_lag(const struct vmt_proc *p, uint64_t page_size);

/* V1 to V7 of one reading; out has VMT_CHECK_PROC elements. */
void vmt_verify_reading(const struct vmt_reading *r, struct vmt_outcome *out);
/* The better of two readings of one process, check by check, goes into best. */
void vmt_verify_better(struct vmt_outcome *best, const struct vmt_outcome *other);
/* Whether another reading could be better. */
bool vmt_verify_is_final(const struct vmt_outcome *out);

/* Figures of the machine in bytes, as meminfo, vmstat and zoneinfo have them. */
enum vmt_machine_id {
	VMT_MACHINE_TOTAL,
	VMT_MACHINE_FREE,
	VMT_MACHINE_AVAILABLE,
	VMT_MACHINE_BUFFERS,
	VMT_MACHINE_CACHED,
	VMT_MACHINE_SWAP_CACHED,
	VMT_MACHINE_ACTIVE,
	VMT_MACHINE_ACTIVE_ANON,
	VMT_MACHINE_ACTIVE_FILE,
	VMT_MACHINE_SLAB,
	VMT_MACHINE_SRECLAIMABLE,
	VMT_MACHINE_SUNRECLAIM,
	VMT_MACHINE_ANON,
	VMT_MACHINE_NR_FREE, /* vmstat, pages as bytes */
	VMT_MACHINE_NR_FILE,
	VMT_MACHINE_NR_ANON,
	VMT_MACHINE_MANAGED, /* zoneinfo */
	VMT_MACHINE_FIGURES,
};

struct vmt_machine {
	uint32_t has; /* a bit for each that is known */
	uint64_t value[VMT_MACHINE_FIGURES];
};

/* A reading of the machine: meminfo, then vmstat and zoneinfo into middle, then meminfo. */
struct vmt_machine_reading {
	struct vmt_machine first;
	struct vmt_machine middle;
	struct vmt_machine last;
};

/* V8 and V9 of one reading; out has VMT_CHECKS elements, of which those are set. */
void vmt_verify_machine(const struct vmt_machine_reading *r, struct vmt_outcome *out);

/*
 * V12: what another program reads of the machine, between two readings of ours, several times. A
 * figure agrees once it lay between them; it is off where it was on the same side of both each
 * time.
 */
struct vmt_second_opinion {
	uint8_t state[VMT_ROW_WORDS * 64]; /* by member */
};

/* Adds a reading; out is what came of all so far. A member that one side does not know is not
 * compared: unknown is not 0, which libproc2 has in its place. */
void vmt_second_opinion_add(struct vmt_second_opinion *s, const struct vmt_system *before,
			    const struct vmt_system *other, const struct vmt_system *after,
			    struct vmt_outcome *out);

/* All checks, and what came of them so far. */
struct vmt_verify {
	struct vmt_arena arena;
	struct vmt_check checks[VMT_CHECKS];
	enum vmt_verdict worst[VMT_CHECKS];
};

void vmt_verify_init(struct vmt_verify *v);
void vmt_verify_done(struct vmt_verify *v);
/* Adds an outcome; pid 0 where it is about no process. comm is copied. */
void vmt_verify_add(struct vmt_verify *v, enum vmt_check_id id, const struct vmt_outcome *out,
		    uint64_t pid, struct vmt_bytes comm);
/* A process about which V1 to V7 say nothing. */
void vmt_verify_unread(struct vmt_verify *v);
/* V10 and V11 of the machine, of which derived values are known (vmt_system_derive()). */
void vmt_verify_state(struct vmt_verify *v, const struct vmt_system *s);
/* Why a check could not be done, in place of what is known about it; text lives as long as v. */
void vmt_verify_why(struct vmt_verify *v, enum vmt_check_id id, const char *text);
/* Sets the results, once all was added. How many checks are off; -ENOMEM. */
int vmt_verify_finish(struct vmt_verify *v);
