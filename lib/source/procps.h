/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"
#include "source/pids.h"

/*
 * libproc2 (procps-ng 4), for the live machine. It reads below the literal /proc, and belongs to
 * one thread. It gives 0 for what a kernel lacks, so what it is asked for is what our own readers
 * saw once: which keys a kernel has does not change while it runs.
 */
struct vmt_procps;

/* 0, or a negative errno with the part of libproc2 that failed in err. */
int vmt_procps_new(struct vmt_procps **ret, struct vmt_err *err);
/* NULL is fine. */
void vmt_procps_free(struct vmt_procps *pp);

/* Reads the fields of meminfo or vmstat that are known in has into sys. */
int vmt_procps_meminfo(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		       struct vmt_err *err);
int vmt_procps_vmstat(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		      struct vmt_err *err);

/* A process as stat and statm show it. The name is not there: libproc2 replaces bytes of it. */
struct vmt_procps_row {
	struct vmt_proc proc; /* no strings but state, which is constant */
	struct vmt_pid_facts facts;
};

/*
 * The processes of the machine, or the n_pids of them that live; in order of pid. The caller frees
 * *ret.
 */
int vmt_procps_pids(struct vmt_procps *pp, const uint64_t *pids, size_t n_pids, uint64_t page_size,
		    uint64_t user_hz, struct vmt_procps_row **ret, size_t *ret_n,
		    struct vmt_err *err);
