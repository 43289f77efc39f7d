/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An address space that is known to the byte, by what was done to it and not by what the kernel
 * says of it: the workload makes one mapping of each shape, writes here what is in it, and stops.
 */

/* The figures of a mapping; truth_keys has their names in vmtop's output. */
enum truth_figure {
	TRUTH_SIZE,
	TRUTH_PAGE_SIZE,
	TRUTH_RSS,
	TRUTH_PSS,
	TRUTH_PSS_DIRTY,
	TRUTH_USS,
	TRUTH_SHARED_CLEAN,
	TRUTH_SHARED_DIRTY,
	TRUTH_PRIVATE_CLEAN,
	TRUTH_PRIVATE_DIRTY,
	TRUTH_ANON,
	TRUTH_FILE,
	TRUTH_KSM,
	TRUTH_LAZY_FREE,
	TRUTH_ANON_HUGE,
	TRUTH_SHMEM_PMD,
	TRUTH_FILE_PMD,
	TRUTH_SHARED_HUGETLB,
	TRUTH_PRIVATE_HUGETLB,
	TRUTH_SWAP,
	TRUTH_SWAP_PSS,
	TRUTH_LOCKED,
	TRUTH_FIGURES,
};

extern const char *const truth_keys[TRUTH_FIGURES];

#define TRUTH_REGIONS 48
#define TRUTH_THREADS 8

struct truth_region {
	char label[24];
	char perms[8];
	char path[32]; /* what its name contains; empty: it has none */
	uint64_t start;
	uint64_t figures[TRUTH_FIGURES];
};

struct truth_absent {
	char label[24];
	char why[100];
};

struct truth {
	uint32_t n_regions;
	uint32_t n_absent;
	uint32_t n_threads;
	uint32_t failed; /* the workload could not be made: why */
	char why[200];
	struct truth_region regions[TRUTH_REGIONS];
	struct truth_absent absent[16];
};

/*
 * Makes it all in the calling process and in one child of it, which shares some of it and ends with
 * it. scratch is a directory on a file system of a disk. Gives false and truth->why where it
 * cannot.
 */
bool truth_make(struct truth *truth, const char *scratch);
