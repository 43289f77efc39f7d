/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/* Tables of symbols that are text: the kernel's own, and those that compilers write for perf. */

struct vmt_text_symbol {
	uint64_t address; /* wanted */
	struct vmt_bytes name; /* in the text that was searched; empty where there is none */
	struct vmt_bytes module; /* the same; of a kernel module */
	uint64_t from; /* of the symbol; 0 where there is none */
};

/*
 * The functions that n addresses, in ascending order, lie in, by the text of /proc/kallsyms
 * (kernel/kallsyms.c: "ffffffff81000000 T _text", and for modules a tab and "[name]"). The kernel
 * gives no sizes: it is the nearest symbol of code at or below. Where the kernel hides its
 * addresses (sysctl kernel.kptr_restrict) they are all 0, and nothing is found. Lines of another
 * form are passed over.
 */
void vmt_kallsyms_find(struct vmt_bytes text, struct vmt_text_symbol *wanted, size_t n);

/*
 * The same by the text of a /tmp/perf-PID.map (tools/perf/Documentation/jit-interface.txt: "START
 * SIZE name", hexadecimal). Code is made, thrown away and made anew: of several that cover an
 * address the last one counts.
 */
void vmt_perf_map_find(struct vmt_bytes text, struct vmt_text_symbol *wanted, size_t n);
