/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#define PAGE	  4096ul
#define HUGE	  (512 * PAGE)
#define TIB	  (1ul << 40)
#define STACK_MAX (2ul << 20)
#define ALL_PAGED (24ul << 20)

enum thing {
	CLOSED,
	HIGH,
	HUGETLB_PRIVATE,
	HUGETLB_SHARED,
	HUGETLB_AGAIN,
	THP,
	THP_SHMEM,
	DEVICE,
	WAITING,
	SEALED,
	DROPPABLE,
	STACK,
	SWAPPED_THP,
	SWAP_FULL,
	SECRET,
	HUGE_ZERO,
	THINGS
};

/* What the workload got, in memory that both see; at is 0 where it got nothing, and why not. */
struct made {
	struct {
		uintptr_t at;
		char why[80];
	} thing[THINGS];
	uint64_t stack_used;
	volatile unsigned faults; /* that were reported to the userfaultfd */
};

extern struct made *made;

/* Makes it all in the calling process, writes a byte to up, and stays. */
void odd_make(int up) __attribute__((noreturn));
