/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "bpf/fault.h"

/* The counts of a row, summed: what bpf/fault.h calls count. For the probe-*.c files alone. */
struct vmt_probe_counts {
	uint64_t minor;
	uint64_t major;
	uint64_t read; /* these five of faults whose access is known */
	uint64_t write;
	uint64_t exec;
	uint64_t user;
	uint64_t kernel;
	uint64_t timed; /* they are in latency */
};

void vmt_probe_counts(const __u64 count[2][2][VMT_BPF_ACCESSES][2], struct vmt_probe_counts *ret);
