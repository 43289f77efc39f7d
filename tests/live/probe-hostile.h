/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "check.h"
#include "source/probe.h"

#define HOSTILE_PAGE 4096ul

/* A probe, from its start to what it has counted. */
struct session {
	struct vmt_probe *probe;
	struct vmt_arena arena;
	struct vmt_fault_sample faults;
	struct vmt_err err;
	int result; /* of vmt_probe_start() */
};

/* Opens and starts; a rung that cannot be started is in result, and leaves the tries in faults. */
void session_begin(struct session *s, const struct vmt_probe_opts *opts);
/* Stops and reads, where it was started. Gives whether all of it was done. */
bool session_end(struct session *s, struct check *c);
/* Frees; faults are gone then. */
void session_done(struct session *s);

/* The rung that works best here, NONE where none does. */
enum vmt_rung_id session_best(void);
bool session_is_bpf(enum vmt_rung_id rung);
/* What came of a rung (hook NULL) or of one of its hooks; NULL where it was not tried. */
const struct vmt_probe_try *session_try(const struct vmt_fault_sample *f, enum vmt_rung_id rung,
					const char *hook);

/* A child whose whole life is in the window, and what wait4() said of it. */
struct life {
	pid_t pid;
	int status;
	uint64_t minor;
	uint64_t major;
};

/* fork(); the child runs body and ends with what it gives. Aborts where there can be no child. */
struct life life_begin(int (*body)(void *arg), void *arg);
void life_wait(struct life *l);

/* The account of a process that was there once; NULL where there is none, or several. */
const struct vmt_fault_proc *account_of(const struct vmt_fault_sample *f, pid_t pid);
/* What wait4() said is what was counted, and it adds up. */
void judge_life(struct check *c, const struct vmt_fault_sample *f, const struct life *l);
/* Every account, the rows and the totals add up. */
void judge_sums(struct check *c, const struct vmt_fault_sample *f);

/* Writes to each page of fresh anonymous memory, which stays; NULL where there is none. */
char *touch_fresh(size_t pages);

/* probe-refused.c: what the kernel refuses. */
void refused(enum vmt_rung_id best);
/* probe-storms.c: what processes do; less of it in guests, where the machine is ours. */
void storms(enum vmt_rung_id best, bool ours);
/* probe-mmap.c: mappings that change all the time. */
void mmap_storms(enum vmt_rung_id best);
/* probe-machine.c: what is done to the whole machine; only where it is ours. */
void machine(enum vmt_rung_id best, bool ours);
