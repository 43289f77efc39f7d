/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "model/fault-raw.h"
#include "model/pressure.h"
#include "model/rows.h"
#include "model/sample.h"

/*
 * Events of address spaces: system calls as they were made, and what they mean. Numbers of flags
 * are those of the kernel's include/uapi, which are one for all architectures that vmtop knows.
 */
enum vmt_event_call {
	VMT_CALL_NONE,
#define C(id, name, kind) VMT_CALL_##id,
#include "model/event-call.def"
#undef C
	VMT_CALLS,
};

enum vmt_event_kind {
	VMT_EVENT_KIND_MAP,
	VMT_EVENT_KIND_PROCESS,
	VMT_EVENT_KIND_CRASH,
	VMT_EVENT_KIND_PRESSURE,
	VMT_EVENT_KIND_OOM,
	VMT_EVENT_KIND_HUGE,
};

/* What a raw event has. */
enum vmt_event_has {
	VMT_EVENT_HAS_TIME = 1, /* ns */
	VMT_EVENT_HAS_RSS = 2,
	VMT_EVENT_HAS_FILE = 4,
	VMT_EVENT_HAS_BEFORE = 8,
	VMT_EVENT_HAS_CLONE = 16, /* of clone3: args[0] holds its flags */
	VMT_EVENT_IS_COMPAT = 32,
};

/* One event, as the kernel's side gave it. */
struct vmt_event_raw {
	uint64_t end_ns; /* CLOCK_MONOTONIC */
	uint64_t ns;
	uint64_t args[6];
	int64_t ret; /* of exit the status, as wait(2) gives it */
	int64_t rss_pages;
	uint64_t before; /* the break before brk; bytes that shmat or shmdt is about */
	uint64_t inode;
	struct vmt_bytes path; /* empty where it is not known */
	uint32_t dev_major, dev_minor;
	uint32_t pid, tid, uid;
	enum vmt_event_call call;
	unsigned has; /* enum vmt_event_has */
	char comm[16];
	const struct vmt_crash *crash; /* of VMT_CALL_CRASH; else NULL */
	const struct vmt_stall *stall; /* of VMT_CALL_STALL; else NULL */
	const struct vmt_fault_stack
		*stack; /* of a system call, where that was asked for; or NULL */
};

/* A stack of a single event as text. */
struct vmt_event_stack {
	struct vmt_bytes site; /* empty where there is none */
	struct vmt_bytes stack; /* never empty */
};

struct vmt_event_count {
	uint64_t events;
	uint64_t failed;
	uint64_t bytes;
	uint64_t ns;
};

/* What was counted of a process; pid 0: of all together that found the table full. */
struct vmt_event_process {
	uint64_t start_ns; /* since boot */
	uint32_t pid;
	uint32_t uid;
	bool ended;
	uint64_t exec_ns; /* CLOCK_MONOTONIC of its last execve(); 0 for none that was seen */
	char comm[16];
	struct vmt_event_count counts[VMT_CALLS];
	struct vmt_stall_count stalls[VMT_STALL_CAUSES];
};

/* What is left of ranges that were mapped, bytes. What is not known is 0. */
struct vmt_event_touch {
	bool is_mapped_known; /* reserved is known */
	bool is_touched_known; /* and the others are */
	bool is_ended; /* the process has ended, and nothing is mapped any more */
	uint64_t reserved; /* still mapped */
	uint64_t touched; /* of that, what page tables have an entry for, in memory or on swap */
	uint64_t resident; /* of that, what is in memory, the zero page left out */
};

/* What was counted of a call with one stack. */
struct vmt_event_place {
	enum vmt_event_call call;
	struct vmt_event_count count;
	size_t stack; /* which of the stacks */
	/* Where that was asked for: */
	uint64_t mapped; /* bytes that these calls mapped */
	uint64_t unclaimed; /* ranges of these for which the table of claims had no room */
	struct vmt_event_touch touch; /* of what is still mapped */
};

/* A range that a call mapped, or what its process left of it. */
struct vmt_event_claim {
	uint64_t start;
	uint64_t end;
	uint64_t ns; /* CLOCK_MONOTONIC, when the call ended */
	uint64_t process_ns; /* when its process was made, since boot */
	uint32_t pid;
	size_t place; /* which of the places */
	/* By vmt_collect_touched(): */
	struct vmt_event_touch touch;
	uint64_t low, high; /* where what is still mapped begins and ends */
	struct vmt_bytes kind, path; /* of the mapping at its begin */
};

/* All that was counted. */
struct vmt_event_sample {
	bool running; /* there were programs at all */
	bool trusted; /* which counted their own known calls */
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t stop_ns;
	struct vmt_event_process *processes;
	size_t n_processes;
	/* By stack, where that was asked for; else NULL. The frames are for vmt_symbolize(). */
	struct vmt_fault_sample *stacks;
	struct vmt_event_place *places;
	size_t n_places;
	/* What was mapped and may still be, where that was asked for. */
	bool touched_wanted;
	struct vmt_event_claim *claims;
	size_t n_claims;
	uint64_t claims_lost; /* for which there was no room */
	uint64_t listed;
	uint64_t limited;
	uint64_t lost;
	uint64_t unopened;
	uint64_t unwatched;
	uint64_t compat;
	uint64_t names_lost;
	uint64_t handled;
	uint64_t codes_lost; /* frames whose mapping found no room, and that so have no name */
	bool has_codes; /* stacks were asked for, of sums or of single events */
	uint64_t misses;
	bool has_misses;
	bool stalls_wanted;
	uint32_t causes; /* bits by enum vmt_stall_cause: those that the kernel tells of */
	bool throttle_told; /* it tells what reclaim sleeps for */
	bool has_crashes; /* they were asked for, and are told of */
	char crash_reason[192]; /* they were asked for: why they are not told of; "" else */
};

/* "mmap"; NULL for what is no call. */
const char *vmt_event_name(enum vmt_event_call call);
enum vmt_event_kind vmt_event_kind_of(enum vmt_event_call call);
/* map, process, crash, pressure, oom, huge */
const char *vmt_event_kind_name(enum vmt_event_kind kind);
/* Takes "map,exit" as bits by enum vmt_event_call. -EINVAL with the word that is none. */
int vmt_event_only_parse(const char *list, uint32_t *ret_calls, struct vmt_bytes *ret_word);

/* read+write+exec, none; bits without a name in hex. */
void vmt_event_prot(struct vmt_buf *out, uint64_t prot);
/* Flags of a call by name, "" where it has no such argument, 0 where none is set. Of mmap the sort
 * of mapping, too. */
void vmt_event_flags(struct vmt_buf *out, enum vmt_event_call call, uint64_t flags);
/* Advice of madvise and process_madvise. */
void vmt_event_advice(struct vmt_buf *out, uint64_t advice);

/* Whether ranges of a call have lengths that can be summed. */
bool vmt_event_has_bytes(enum vmt_event_call call);
/* Calls that have to be looked at to know who made what is mapped: bits by enum vmt_event_call. */
uint32_t vmt_event_mapping_calls(void);
/* Whether a call failed. brk gives no errno: it leaves the break where it was. */
bool vmt_event_failed(const struct vmt_event_raw *e);
/* Fills a row; texts are in arena, but the path, which stays e's. 0 or -ENOMEM. */
int vmt_event_row(const struct vmt_event_raw *e, const struct vmt_host *host, uint64_t start_ns,
		  struct vmt_arena *arena, struct vmt_event *ret);
/* The sentence of a row that has all but that. page in bytes. */
void vmt_event_sentence(struct vmt_buf *out, const struct vmt_event *row, uint64_t page);

/* Rows of all sorts of events that processes had, and the row of how that was found out. 0 or
 * -ENOMEM. */
int vmt_event_sum_rows(const struct vmt_event_sample *s, struct vmt_arena *arena,
		       struct vmt_event_sum **ret, size_t *ret_n);
/* Rows by the place that calls came from, or by_stack by their whole stacks, and then with one for
 * the calls of a process that no stack has; the texts are arena's. 0 or -ENOMEM. */
int vmt_event_site_rows(const struct vmt_event_sample *s, bool by_stack, struct vmt_arena *arena,
			struct vmt_event_site **ret, size_t *ret_n);
/* The ranges that most is left of, the largest first, VMT_EVENT_MADE_MOST of them at most, behind
 * vmt_collect_touched(); the texts are arena's. 0 or -ENOMEM. */
#define VMT_EVENT_MADE_MOST ((size_t)256)
int vmt_event_made_rows(const struct vmt_event_sample *s, struct vmt_arena *arena,
			struct vmt_event_made **ret, size_t *ret_n);
/* The place and the frames of a stack that vmt_symbolize() was asked of, as fields of rows have
 * them; the texts are arena's. 0 or -ENOMEM. */
int vmt_event_stack_text(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s,
			 struct vmt_arena *arena, struct vmt_event_stack *ret);
/* The row of how they were counted; texts are in arena. 0 or -ENOMEM. */
int vmt_event_probe_row(const struct vmt_event_sample *s, struct vmt_arena *arena,
			struct vmt_event_probe *ret);
