/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Ways to die of a SIGSEGV or SIGBUS, each with what is to be told of it. */

/* What a child says before it dies. A text that is empty is not compared, "-" is unknown. */
struct crash_want {
	char reason[32];
	char signal[16];
	char address[32];
	char access[8];
	char symbol[64];
	char path[200];
	char offset[32];
	char file_size[32];
	char below[32];
	char changed_by[32];
	char stack_limit[32];
	char protection[32];
	char protection_key[16];
	char sender[16];
	char skip[100]; /* why it cannot be made here */
};

struct crash_case {
	const char *name;
	/* Says what will be, and does it; returns where it is skipped. scratch is a directory. */
	void (*make)(struct crash_want *want, const char *scratch);
};

extern const struct crash_case crash_cases[];
extern const unsigned crash_n_cases;

/* Gets a SIGSEGV for each of n reads, and handles it; the CPU time of all of it in ns. */
uint64_t crash_handled(unsigned n);
