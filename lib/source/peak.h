/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "source/root.h"

/*
 * What a process and those below it have in memory, looked at again and again while they run:
 * RssAnon, RssFile and RssShmem of /proc/PID/status (proc(5)), which takes no lock of the
 * process. The processes are found by /proc/PID/task/TID/children; one whose parent has ended is
 * not found any more.
 */
struct vmt_peak_look {
	uint64_t pid; /* 0: nothing was seen */
	char comm[16];
	size_t comm_len;
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t shmem_bytes;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
};

struct vmt_peak;

/* For the processes below pid, and that one. -ENOMEM, and the errors of vmt_root_open(). */
int vmt_peak_new(uint64_t pid, struct vmt_peak **ret, struct vmt_err *err);
void vmt_peak_free(struct vmt_peak *p);

static inline void vmt_peak_freep(struct vmt_peak **p)
{
	vmt_peak_free(*p);
}
#define VMT_AUTO_PEAK VMT_CLEANUP(vmt_peak_freep) struct vmt_peak *

/* The first process as it is, without a sample: its faults so far, the most that it had in memory
 * (both of /proc). 0 or -errno. */
int vmt_peak_start(struct vmt_peak *p, uint64_t *ret_minor, uint64_t *ret_major,
		   uint64_t *ret_hwm_bytes);
/* One sample. The time at which the next is due (CLOCK_MONOTONIC, ns): so that all together take
 * about a fiftieth of one CPU: each 5 ms to a second, more often at the start. */
uint64_t vmt_peak_sample(struct vmt_peak *p);

/* What was seen. */
struct vmt_peak_sum {
	struct vmt_peak_look largest; /* the process with the largest RSS, when it was that */
	uint64_t tree_bytes; /* the largest sum over all */
	uint64_t samples;
	uint64_t first_ns; /* CLOCK_MONOTONIC */
	uint64_t last_ns;
	uint64_t reads; /* files, and what they cost */
	uint64_t bytes;
	uint64_t cpu_ns;
	uint64_t longest_ns;
	bool alone; /* this kernel does not say who the children are (CONFIG_PROC_CHILDREN) */
	bool missed; /* processes: they, or a list of them, could not be read */
};

void vmt_peak_read(const struct vmt_peak *p, struct vmt_peak_sum *ret);
