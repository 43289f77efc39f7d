/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/*
 * Whether one of the flags of VmFlags, of two letters, is among them: words with a blank between
 * two of them (fs/proc/task_mmu.c show_smap_vma_flags()), so far all of two letters.
 */
static inline bool vmt_vm_flags_have(struct vmt_bytes flags, const char *flag)
{
	const char *p = flags.ptr, *end = p + flags.len, *blank;

	while (end - p > 2) {
		blank = p[2] == ' ' ? p + 2 : NULL;
		if (blank && p[0] == flag[0] && p[1] == flag[1])
			return true;
		if (!blank)
			blank = memchr(p, ' ', (size_t)(end - p));
		if (!blank)
			return false;
		p = blank + 1;
	}
	return end - p == 2 && p[0] == flag[0] && p[1] == flag[1];
}

/* What a code of VmFlags in smaps means, in words; NULL for one that is not known
 * (Documentation/filesystems/proc.rst, fs/proc/task_mmu.c show_smap_vma_flags()). */
const char *vmt_vm_flag_name(const char code[2]);
