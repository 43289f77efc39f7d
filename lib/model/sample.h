/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/cache.h"
#include "model/rows.h"

struct vmt_fault_sample; /* model/fault-raw.h */
struct vmt_fault_table; /* model/fault-table.h */
struct vmt_heat; /* model/heat.h */
struct vmt_kernel_sample; /* model/kernel-sample.h */
struct vmt_page_cells; /* model/page-cells.h */
struct vmt_strip; /* model/strip.h */
struct vmt_zone_sample; /* model/zone-sample.h */

/* What happened to one source while a sample was taken. Times are ns. */
struct vmt_source_stat {
	enum vmt_source_state state;
	int error; /* negative errno of the last failure, 0 without one */
	uint64_t reads;
	uint64_t bytes;
	bool bytes_unknown; /* a library read some of it and does not say how much */
	bool cost_unknown; /* of a recording: how often it was read, and what that took */
	uint64_t cpu_ns; /* of the threads that read and parsed */
	uint64_t longest_ns; /* longest single read, waiting included */
	uint64_t denied;
	uint64_t gone;
	uint64_t timed_out;
	uint64_t skipped;
	uint64_t unknown_keys;
	unsigned doubts; /* why values are not quite exact: VMT_DOUBT_* of source/residency.h */
	char reason[160]; /* why it is not ok, in words; empty where it is */
	uint64_t answered; /* of a dear source: processes that it was read of */
	uint64_t failed; /* by vmt_sample_settle(): what failed or came in part, in its own way */
	uint64_t settled; /* failures for which vmt_sample_settle() made state and reason, and 1 */
	char fix[512]; /* command that would change it; empty where there is none */
};

#define VMT_EUID_UNKNOWN UINT64_MAX

/* Facts that the sample carries so that nobody asks for them again. */
struct vmt_host {
	uint64_t realtime_ns; /* when the sample was begun, since 1970 */
	uint64_t monotonic_ns; /* the same moment on CLOCK_MONOTONIC */
	uint64_t boottime_ns; /* and on CLOCK_BOOTTIME */
	uint64_t took_ns; /* until the sample was complete */
	uint64_t page_size; /* bytes */
	uint64_t user_hz; /* ticks a second of /proc/PID/stat */
	uint64_t cpus; /* online; 0 where unknown */
	uint64_t max_map_count; /* vm.max_map_count; 0 where unknown, or where no MAPS was read */
	uint64_t euid; /* of vmtop itself, or of who recorded; VMT_EUID_UNKNOWN */
	bool pid_namespace; /* live, and in another one than the first of the machine */
	struct vmt_bytes boot_id;
	struct vmt_bytes release; /* "6.18.44" */
	struct vmt_bytes machine; /* "x86_64" */
	struct vmt_bytes root; /* what --root named; empty for the live machine */
};

/* The mappings of one process, and how its dear sources were read. */
struct vmt_proc_maps {
	struct vmt_map *maps; /* in order of address */
	size_t n_maps;
	enum vmt_source_state state;
	bool consistent; /* the list was the same before and after its residency was read */
	bool answered; /* a dear source was read */
	unsigned doubts; /* VMT_DOUBT_* of all that was read of it */
	int worst; /* negative errno of the worst failure of a dear source, or 0 */
	uint64_t missed; /* VMT_SOURCE_BIT of those that failed or were left out */
	unsigned counted; /* for vmt_sample_failed(): in which counts of the sample it is */
	uint64_t age_ns; /* of rows that were read before this sample; 0: in it */
};

/* Beside each cgroup of a sample. */
struct vmt_cgroup_link {
	size_t parent; /* index of the one above it, which is smaller; SIZE_MAX for the first */
	bool unread; /* some of its files, which are there, could not be read */
	bool denied; /* its directory may not be looked into */
};

/* The hierarchy that the cgroups of a sample are of. */
struct vmt_cgroup_facts {
	size_t first; /* index of the one that was asked for; those before it are above it */
	uint64_t left_out; /* cgroups beyond VMT_CGROUPS_MAX, those below them not counted */
	uint64_t unlisted; /* cgroups of which nobody knows what is below them: not to be listed, or
			    * not come to before the deadline */
	bool above_hidden; /* there are levels above the first: another cgroup namespace, or a
			    * mount of a part */
	bool recursive; /* mounted with memory_recursiveprot */
	struct vmt_bytes mount; /* mount point */
};

/* Raw facts of one moment, with what is known about each. */
struct vmt_sample {
	struct vmt_arena arena; /* owns all below */
	struct vmt_host host;
	struct vmt_system system;
	struct vmt_commit commit; /* the settings; the rest is the model's */
	struct vmt_pressure *pressure;
	size_t n_pressure;
	struct vmt_proc *procs; /* in order of pid */
	size_t n_procs;
	struct vmt_proc_maps
		*maps; /* one for each of procs; NULL where no mappings were asked for */
	struct vmt_cgroup *cgroups; /* one behind those above it, siblings by name */
	struct vmt_cgroup_link *cgroup_links; /* one for each */
	size_t n_cgroups;
	struct vmt_cgroup_facts cgroup_facts;
	struct vmt_fault_sample *faults; /* NULL where no probe ran */
	struct vmt_fault_table *fault_table; /* rows of a probe that ran elsewhere; mostly NULL */
	/* Rare events since the sample before, and a row where some of them are missing; crashes
	 * are known where the source EVENTS says so, kills of the OOM killer where KILLS does. */
	struct vmt_event *events;
	size_t n_events;
	struct vmt_gap *event_gaps;
	size_t n_event_gaps;
	struct vmt_cache_sample cache;
	struct vmt_zone_sample *zones; /* NULL where they were not asked for */
	struct vmt_kernel_sample *kernel; /* the same */
	/* Of one process, for the dashboard: mappings in cells, in order of address, and the pages
	 * of a mapping. Both are the sampler's. */
	const struct vmt_strip *const *strips;
	size_t n_strips;
	const struct vmt_page_cells *page_cells; /* NULL where they were not asked for */
	const struct vmt_heat *heat; /* faults over time; the sampler's, or NULL */
	struct vmt_source_stat sources[VMT_SOURCE_COUNT];
	struct vmt_issue *issues;
	size_t n_issues;
	size_t cap_issues; /* issues is on the heap, the rest of the sample in the arena */
	uint64_t issues_dropped; /* more than VMT_ISSUES_MAX failed */
	uint64_t procs_seen;
	/* Processes, whatever was read of each. */
	uint64_t vanished;
	uint64_t denied;
	uint64_t timed_out;
};

/* Each takes a KiB three times: the sample, the one before, the model. */
#define VMT_CGROUPS_MAX 16384

/* A machine where nothing is permitted has one issue a process; the list is bounded. */
#define VMT_ISSUES_MAX 4096

/* An empty sample, or NULL on ENOMEM. */
struct vmt_sample *vmt_sample_new(void);
void vmt_sample_free(struct vmt_sample *s);

static inline void vmt_sample_freep(struct vmt_sample **s)
{
	vmt_sample_free(*s);
}
#define VMT_AUTO_SAMPLE VMT_CLEANUP(vmt_sample_freep) struct vmt_sample *

/*
 * Notes that a source failed for a process (pid 0: for the machine) and counts it in the source's
 * numbers. code is a negative errno; -ETIMEDOUT, -EACCES, -EPERM, -ESRCH and -ENOENT have meanings
 * of their own. A process that is gone is counted and is no issue. hint may be NULL.
 */
void vmt_sample_failed(struct vmt_sample *s, enum vmt_source_id source, uint64_t pid,
		       struct vmt_bytes comm, int code, const char *hint);
/* The process of that pid, or NULL. */
struct vmt_proc *vmt_sample_proc(const struct vmt_sample *s, uint64_t pid);
/* The same where it is the one that was made then, ns since boot, and is no zombie, which has
 * neither files nor mappings. */
struct vmt_proc *vmt_sample_proc_since(const struct vmt_sample *s, uint64_t pid,
				       uint64_t start_time_ns);
/* Adds what reading for a source of another sample cost, and what was refused. */
void vmt_source_stat_count(struct vmt_source_stat *to, const struct vmt_source_stat *from);
/* The same, and what it lacked, which vmt_sample_settle() has made a state of: where both have a
 * single row, how the worse of them went is what it has. */
void vmt_source_stat_add(struct vmt_source_stat *to, const struct vmt_source_stat *from);
/* Leaves kernel threads out, which have no memory of their own; before mappings are read. */
void vmt_sample_drop_kernel(struct vmt_sample *s);
/* Turns the counts of the sources into their states and reasons, once all reads are done; again
 * where they changed since. */
void vmt_sample_settle(struct vmt_sample *s);
/* Whether a source was read, all of it or some. */
bool vmt_sample_knows(const struct vmt_sample *s, enum vmt_source_id source);
/* Whether events of one sort at least were watched: that there is none is known then. */
bool vmt_sample_has_events(const struct vmt_sample *s);
/* denied, timed_out, gone, skipped, partial (-EXDEV: it changed under the read; -E2BIG: some of it
 * is too large), absent or failed: the word for a negative errno. */
const char *vmt_failure_word(int code);
