/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * What a probe counted, as it counted it. A figure means something only where its VMT_HAVE_ bit is
 * set in vmt_fault_sample.have; the others are not known, and not 0. Strings and arrays lie in the
 * arena that the sample was read into.
 */

#define VMT_FAULT_BUCKETS 256
/* Parts of a file, of equal size. The last one has what lies behind it, too. */
#define VMT_FAULT_PARTS 64

enum vmt_fault_class {
	VMT_FAULT_ANON,
	VMT_FAULT_FILE,
	VMT_FAULT_SHMEM,
	VMT_FAULT_HUGETLB,
	VMT_FAULT_OTHER, /* vdso, vvar, device memory */
	VMT_FAULT_CLASSES,
};

enum vmt_fault_special {
	VMT_FAULT_PLAIN,
	VMT_FAULT_HEAP,
	VMT_FAULT_STACK,
	VMT_FAULT_VDSO,
	VMT_FAULT_SPECIALS,
};

enum vmt_fault_failure {
	VMT_FAILED_SIGBUS,
	VMT_FAILED_SIGSEGV,
	VMT_FAILED_OOM,
	VMT_FAILED_HWPOISON,
	VMT_FAILED_OTHER,
	VMT_FAILURES,
};

/* As enum vmt_bpf_kind of bpf/fault.h says what they mean; the names are those of the fields. */
enum vmt_fault_kind {
#define K(id, member) VMT_KIND_##id,
#include "model/fault-kind.def"
#undef K
	VMT_FAULT_KINDS,
	/* Of parts alone: they go on where the kinds end. */
	VMT_OUTCOME_BEFORE = VMT_FAULT_KINDS - 1,
#define O(id, word) VMT_OUTCOME_##id,
#include "model/fault-outcome.def"
#undef O
	VMT_FAULT_OUTCOMES,
};

/*
 * model/latency.h tells what falls into a bucket. Where the guard had the clocks read for some
 * faults only, one that was timed stands for others, and is as often in sum_ns and bucket as it is
 * faults: these two have count + others, by estimate.
 */
struct vmt_fault_latency {
	uint64_t count; /* that were timed */
	uint64_t others; /* that they stand for beside themselves */
	uint64_t sum_ns;
	uint64_t max_ns;
	uint32_t bucket[VMT_FAULT_BUCKETS]; /* may run over */
};

/* Of latency.sum_ns. */
struct vmt_fault_spent {
	uint64_t lock_ns; /* has_lock: waiting for mmap_lock */
	uint64_t read_ns; /* has_read: reading files */
	uint64_t swap_ns; /* has_swap: reading from swap */
};

/* The counts that a mapping, and faults of one kind in it, have by the same names. */
#define VMT_FAULT_COUNTS(X) X(minor) X(major) X(read) X(write) X(exec) X(user) X(kernel)

/* The counts that the account of a process and the sums over all accounts have by the same names,
 * beside failed. */
#define VMT_FAULT_SUMS(X)                                                                          \
	X(kernel_minor)                                                                            \
	X(kernel_major)                                                                            \
	X(record_minor)                                                                            \
	X(record_major) X(mapped) X(gup) X(unattributed) X(dropped) X(retried) X(abandoned)

/*
 * A mapping of one program image of one process. faults = minor + major. With pid 0 the row is
 * shared: the mappings of that file (or the heaps, stacks, ...) of all processes named comm that
 * faulted when the table was three quarters full; start and end are 0 then.
 */
struct vmt_fault_raw {
	uint32_t slot; /* with pid, what vmt_fault_single calls it by; 0 for nothing */
	uint64_t pid; /* whom the kernel charged */
	uint64_t owner_pid; /* whose mapping it is; 0 where that is not known */
	uint64_t start_time_ns; /* of the process, after boot */
	uint64_t exec_id; /* tells the program images of one process apart */
	uint64_t start; /* lowest address seen */
	uint64_t end; /* behind the highest */
	uint64_t offset_bytes; /* in the file, of the first address when it was first seen */
	uint64_t vm_flags; /* VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8, ... when last seen */
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	enum vmt_fault_class class;
	enum vmt_fault_special special;
	bool has_file;
	bool deleted; /* the file was unlinked when it was first seen */
	bool path_cut; /* leading directories, or the end of a component, are missing */
	struct vmt_bytes path; /* as in maps, "[heap]" and " (deleted)" included; empty: none */
	struct vmt_bytes comm;
	uint64_t minor;
	uint64_t major;
	uint64_t read; /* VMT_HAVE_ACCESS */
	uint64_t write;
	uint64_t exec;
	uint64_t user; /* VMT_HAVE_MODE */
	uint64_t kernel;
	uint64_t retried; /* VMT_HAVE_RETRIED */
	uint64_t gup; /* VMT_HAVE_GUP_MAP; not in minor and major */
	uint64_t failed[VMT_FAILURES]; /* VMT_HAVE_FAILED, or VMT_HAVE_SIGBUS for that one */
	uint64_t kinds[VMT_FAULT_KINDS]; /* VMT_HAVE_KINDS; of VMT_KIND_UNKNOWN none is counted */
	struct vmt_fault_latency latency; /* VMT_HAVE_LATENCY */
	struct vmt_fault_spent spent;
	/* Of a part with the faults of one kind alone; a probe leaves them 0. */
	enum vmt_fault_kind kind;
	bool part;
	bool no_map; /* it is of several mappings, and of those nothing is known */
	bool unseen; /* nobody can tell how many there were */
	bool coarse; /* what minor, major, access and mode were is not known: minor has all */
	/* Of what came between two readings: minor and major that the second one had. */
	uint64_t minor_read;
	uint64_t major_read;
};

/* Faults of one kind in a mapping. */
struct vmt_fault_by_kind {
	uint32_t
		slot; /* of the mapping, with the next two; 0: of any whose row was not to be had */
	uint64_t pid;
	uint64_t start_time_ns;
	enum vmt_fault_kind kind; /* UNKNOWN: those of which only the time is of interest */
	uint64_t minor;
	uint64_t major;
	uint64_t read;
	uint64_t write;
	uint64_t exec;
	uint64_t user;
	uint64_t kernel;
	struct vmt_fault_latency latency;
	struct vmt_fault_spent spent;
};

/* The account of a process: kernel_minor + kernel_major = mapped + gup + unattributed + dropped. */
struct vmt_fault_proc {
	uint64_t pid; /* 0: those that found the table of processes full, together */
	uint64_t start_time_ns;
	struct vmt_bytes comm;
	struct vmt_bytes cgroup; /* that it was in last; empty where it is not known */
	bool exited;
	bool self; /* vmtop's own process */
	uint64_t kernel_minor; /* change of min_flt and maj_flt over its threads */
	uint64_t kernel_major;
	uint64_t record_minor; /* VMT_HAVE_RECORD */
	uint64_t record_major;
	uint64_t mapped;
	uint64_t gup; /* VMT_HAVE_GUP */
	uint64_t unattributed;
	uint64_t dropped;
	uint64_t retried; /* VMT_HAVE_RETRIED */
	uint64_t abandoned; /* VMT_HAVE_ABANDONED: begun in user mode, never completed */
	uint64_t failed[VMT_FAILURES]; /* VMT_HAVE_FAILED, or VMT_HAVE_SIGBUS for that one */
};

/* Calls of filemap_fault for a file. */
struct vmt_fault_file {
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	struct vmt_bytes path; /* empty where it is not known */
	bool deleted;
	bool path_cut;
	uint64_t calls;
	/* VMT_HAVE_FILE_RESULT: neither major, nor retried, nor failed. With VMT_HAVE_FILE_PAGES
	 * alone, major: the call itself added its page to the page cache; cached: it did not,
	 * second calls of one fault left out. */
	uint64_t cached;
	uint64_t major;
	uint64_t retried; /* VMT_HAVE_FILE_RESULT */
	uint64_t failed;
	uint64_t around; /* VMT_HAVE_FILE_AROUND: calls of filemap_map_pages */
	bool has_offset; /* first and last are known */
	uint64_t first_offset_bytes;
	uint64_t last_offset_bytes;
	uint64_t part_bytes; /* size of a part of the file */
	uint32_t parts[VMT_FAULT_PARTS]; /* calls by part; may run over */
	uint64_t brought_bytes; /* VMT_HAVE_FILE_PAGES: added to the page cache in these calls */
	uint64_t ahead_bytes; /* of these, not of the page that the call was for */
	uint64_t ahead_hits; /* calls for a page that an earlier one brought in ahead */
	uint64_t ahead_lost; /* pages brought in ahead that can be no hit any more: table full */
	struct vmt_fault_latency latency; /* VMT_HAVE_FILE_LATENCY */
};

/* Frames of user code that are kept of a stack, the innermost ones. */
#define VMT_FAULT_STACK_MOST 64

enum vmt_stack_depth {
	VMT_STACK_NONE,
	VMT_STACK_LEAF, /* the instruction alone: faults are told apart by nothing else */
	VMT_STACK_FULL,
};

/* What an address of a stack is. Empty texts are not known. */
struct vmt_fault_frame {
	uint64_t address;
	bool kernel;
	bool jit; /* symbol is of the map that a compiler wrote for its process */
	bool has_offset;
	struct vmt_bytes symbol; /* as in the file: mangled, any bytes */
	struct vmt_bytes module; /* path of the file, "[vdso]", name of a kernel module */
	uint64_t offset; /* in the file of the module; of the vdso, in that */
};

/* Faults with one stack, of one program image of a process. VMT_HAVE_STACKS */
struct vmt_fault_stack {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t exec_id;
	struct vmt_bytes comm;
	uint64_t minor;
	uint64_t major;
	int lost; /* -EEXIST, -ENOMEM, -EFAULT, -ESRCH: why there are no frames; 0 */
	bool cut; /* it has as many frames of user mode as are kept: there may be more */
	const uint64_t *addresses; /* innermost first: n_kernel, then n_user */
	uint32_t *frames; /* as many, of vmt_fault_sample.frames; NULL before vmt_symbolize() */
	uint32_t n_kernel;
	uint32_t n_user;
};

/* A mapping with code of which a stack had a frame, as it was when that was first seen. */
struct vmt_fault_code {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t exec_id;
	uint64_t start;
	uint64_t end;
	uint64_t offset_bytes;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	bool has_file;
	bool vdso;
	bool deleted;
	bool path_cut;
	struct vmt_bytes path;
};

enum vmt_fault_access {
	VMT_ACCESS_UNKNOWN,
	VMT_ACCESS_READ,
	VMT_ACCESS_WRITE,
	VMT_ACCESS_EXEC,
};

enum vmt_fault_mode {
	VMT_MODE_UNKNOWN,
	VMT_MODE_USER,
	VMT_MODE_KERNEL,
};

/*
 * One fault; or, where they were asked for, a run of them: one thread's on pages of one mapping
 * that follow each other, alike in all else.
 */
struct vmt_fault_single {
	uint64_t end_ns; /* of the last, CLOCK_MONOTONIC */
	uint64_t first_ns; /* end of the first */
	uint64_t latency_ns; /* of the longest; 0 where it is not known */
	uint64_t total_ns;
	uint64_t address; /* of the first page */
	uint64_t ip; /* instruction in user mode; 0 where it is not known */
	struct vmt_bytes symbol; /* of it, by vmt_symbolize_singles(); empty: not known */
	uint64_t faults;
	uint64_t page; /* size of each, in bytes */
	uint32_t pid;
	uint32_t tid;
	uint32_t slot; /* of the mapping, as in vmt_fault_raw; others: it is not known */
	enum vmt_fault_access access;
	enum vmt_fault_mode mode;
	bool major;
	enum vmt_fault_kind kind; /* of a run, of all whose kind is known */
	char comm[16]; /* of the thread, with a NUL where it is shorter */
};

enum vmt_fault_have {
	VMT_HAVE_MAPS = 1 << 0, /* rows by mapping at all */
	VMT_HAVE_ACCESS = 1 << 1,
	VMT_HAVE_MODE = 1 << 2,
	VMT_HAVE_LATENCY = 1 << 3,
	VMT_HAVE_GUP = 1 << 4,
	VMT_HAVE_GUP_MAP = 1 << 5,
	VMT_HAVE_FAILED = 1 << 6,
	VMT_HAVE_SIGBUS = 1 << 7,
	VMT_HAVE_RETRIED = 1 << 8,
	VMT_HAVE_ABANDONED = 1 << 9,
	VMT_HAVE_RECORD = 1 << 10,
	VMT_HAVE_MISSES = 1 << 11, /* recursion_misses */
	VMT_HAVE_FILES = 1 << 12,
	VMT_HAVE_FILE_RESULT = 1 << 13,
	VMT_HAVE_FILE_LATENCY = 1 << 14,
	VMT_HAVE_FILE_AROUND = 1 << 15,
	VMT_HAVE_DEATHS = 1 << 16, /* processes that ended in the window are in it to their end */
	VMT_HAVE_KINDS = 1 << 17,
	VMT_HAVE_STACKS = 1 << 18,
	VMT_HAVE_SINGLES = 1 << 19, /* single faults, where they were asked for */
	VMT_HAVE_FILE_PAGES = 1 << 30, /* the bits between are of source/probe-internal.h */
};

/* What costs, and is counted only where it is asked for. */
enum vmt_fault_ask {
	VMT_ASK_CGROUP = 1 << 0, /* the cgroup of each process */
	VMT_ASK_SHARES = 1 << 1, /* what the time of faults was spent on */
	VMT_ASK_SYMBOL = 1 << 2, /* of the instruction of single faults */
};

enum vmt_rung_id {
	VMT_RUNG_NONE,
	VMT_RUNG_FEXIT,
	VMT_RUNG_KPROBE,
	VMT_RUNG_TRACEPOINT,
	VMT_RUNG_PERF,
	VMT_RUNG_PROC,
	VMT_RUNGS,
};

enum vmt_canary {
	VMT_CANARY_NONE, /* it did not run */
	VMT_CANARY_TRUSTED, /* counted its own known faults to the unit */
	VMT_CANARY_PARTIAL,
	VMT_CANARY_MISSING,
};

enum vmt_try_status {
	VMT_TRY_UNUSED, /* a better one works */
	VMT_TRY_OK,
	VMT_TRY_REFUSED,
	VMT_TRY_ABSENT, /* this kernel has no such thing */
	VMT_TRY_SILENT, /* attached, and counted nothing */
	VMT_TRY_NOT_BUILT,
};

/* A rung of the ladder, or a hook of one, and what came of it. */
struct vmt_probe_try {
	const char *probe; /* "fault", "filemap", "events", "oom" or "khugepaged" */
	const char *rung; /* "fexit" */
	const char *hook; /* "tp_btf/page_fault_user"; NULL for the rung itself */
	const char *gives; /* what it adds */
	enum vmt_try_status status;
	int error; /* negative errno, 0 where there is none */
	char reason[200];
	char fix[120]; /* command that would change it; empty where there is none */
	struct vmt_bytes log; /* of the verifier, its end; empty mostly */
};

/* Sums over the accounts, and what was lost. */
struct vmt_fault_totals {
	uint64_t kernel_minor;
	uint64_t kernel_major;
	uint64_t record_minor;
	uint64_t record_major;
	uint64_t mapped;
	uint64_t gup;
	uint64_t unattributed;
	uint64_t dropped;
	uint64_t retried;
	uint64_t abandoned;
	uint64_t failed[VMT_FAILURES];
	uint64_t recursion_misses; /* VMT_HAVE_MISSES */
	uint64_t record_lost; /* software events that the kernel counted and no program saw */
	bool cpus_known; /* the three below */
	uint64_t cpus_gone; /* times that a CPU went offline in the window */
	uint64_t cpus_back; /* that one came online, and was watched from then on */
	uint64_t cpus_blind; /* that one came online, and could not be; or may have */
	bool guarded; /* the five below: the guard of the overhead stood by */
	uint64_t guard_rate; /* faults a second on one CPU with which it trips */
	uint64_t guard_trips; /* times that it tripped */
	uint64_t guard_calms; /* that it went back */
	uint64_t guard_first_ns; /* when it tripped first, after the start; 0: it did not */
	struct vmt_bytes guard_cpus; /* on which it tripped, as "0-3,8"; empty: on none */
	uint64_t lost; /* faults that no row holds, and records that a ring lost */
	uint64_t repaired; /* exits that were skipped, charged from the saved entry */
	uint64_t unresolved;
	uint64_t dead_nodes;
	uint64_t paths_cut;
	uint64_t paths_missing; /* mappings of files without a name: the table was full */
	uint64_t disagreed; /* the rule said "counted", the task's counter did not move */
	uint64_t no_account; /* events of tasks that found the table of tasks full */
	uint64_t singles; /* VMT_HAVE_SINGLES: faults that were slow enough, lost ones not */
	uint64_t singles_limited; /* of these, left out to keep the rate */
	uint64_t singles_lost; /* the ring was full */
	uint64_t slots_used;
	uint64_t slots_total;
	/* VMT_HAVE_STACKS: faults without a stack, and why. */
	uint64_t stacks_collided; /* another stack had its place */
	uint64_t stacks_full; /* the kernel's map of stacks was full */
	uint64_t stacks_absent; /* the kernel could not take it */
	uint64_t stack_rows_full;
	uint64_t cgroups_lost; /* times that the table of cgroups was full */
	uint64_t kinds_lost; /* faults whose mapping and kind found the table of these full */
	uint64_t codes_full; /* frames of which no mapping was kept: the table was full */
};

struct vmt_fault_sample {
	uint64_t start_ns; /* of the window, CLOCK_MONOTONIC */
	uint64_t window_ns; /* from the start to the end, or to this reading */
	bool complete; /* the window was closed: what no event showed is in the accounts */
	uint32_t have; /* enum vmt_fault_have */
	enum vmt_rung_id rung;
	enum vmt_rung_id filemap_rung; /* NONE where filemap_fault is not counted */
	enum vmt_canary canary;
	char canary_text[200];
	struct vmt_fault_raw *maps;
	size_t n_maps;
	struct vmt_fault_proc *procs;
	size_t n_procs;
	struct vmt_fault_file *files;
	size_t n_files;
	enum vmt_stack_depth depth; /* of stacks; LEAF: the innermost frames mean something alone */
	struct vmt_fault_stack *stacks;
	size_t n_stacks;
	struct vmt_fault_code *codes;
	size_t n_codes;
	struct vmt_fault_frame *frames; /* by vmt_symbolize() */
	size_t n_frames;
	bool has_lock; /* spent.lock_ns is known */
	bool has_read;
	bool has_swap;
	bool has_cgroups; /* the probe knows those of processes */
	bool by_kind; /* kinds are counted by mapping */
	struct vmt_fault_by_kind *kinds;
	size_t n_kinds;
	bool singles_asked;
	struct vmt_fault_single *singles; /* in the order of their end */
	size_t n_singles;
	struct vmt_fault_totals totals;
	struct vmt_probe_try *tries; /* the ladder, best first */
	size_t n_tries;
};

static inline const char *vmt_rung_name(enum vmt_rung_id rung)
{
	static const char *const names[VMT_RUNGS] = { "none",	    "fexit", "kprobe",
						      "tracepoint", "perf",  "proc" };

	return rung < VMT_RUNGS ? names[rung] : names[0];
}

/* VMT_RUNG_NONE where no rung has that name. */
static inline enum vmt_rung_id vmt_rung_of(const char *name)
{
	int i;

	for (i = VMT_RUNG_NONE + 1; i < VMT_RUNGS; i++)
		if (strcmp(name, vmt_rung_name((enum vmt_rung_id)i)) == 0)
			return (enum vmt_rung_id)i;
	return VMT_RUNG_NONE;
}

static inline const char *vmt_canary_name(enum vmt_canary canary)
{
	static const char *const names[] = { "none", "trusted", "partial", "missing" };

	return names[canary <= VMT_CANARY_MISSING ? canary : 0];
}

static inline const char *vmt_try_status_name(enum vmt_try_status status)
{
	static const char *const names[] = { "unused", "ok",	 "refused",
					     "absent", "silent", "not_built" };

	return names[status <= VMT_TRY_NOT_BUILT ? status : 0];
}
