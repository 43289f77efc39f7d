/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vm-flags.h"

#include <stddef.h>

const char *vmt_vm_flag_name(const char code[2])
{
	static const struct {
		char code[3];
		const char *name;
	} names[] = {
		{ "rd", "readable" },
		{ "wr", "writable" },
		{ "ex", "executable" },
		{ "sh", "shared" },
		{ "mr", "may read" },
		{ "mw", "may write" },
		{ "me", "may execute" },
		{ "ms", "may share" },
		{ "gd", "grows down" },
		{ "pf", "frames without struct page" },
		{ "dw", "no writes to the file" },
		{ "lo", "locked" },
		{ "io", "memory of a device" },
		{ "sr", "read in order" },
		{ "rr", "read at random" },
		{ "dc", "not copied by fork" },
		{ "de", "not grown by mremap" },
		{ "lf", "locked when touched" },
		{ "ac", "accountable" },
		{ "nr", "no swap reserved" },
		{ "ht", "hugetlb" },
		{ "sf", "synchronous faults" },
		{ "nl", "non-linear" },
		{ "ar", "of the architecture" },
		{ "wf", "wiped by fork" },
		{ "dd", "not in core dumps" },
		{ "sd", "soft-dirty tracking" },
		{ "mm", "mixed map" },
		{ "hg", "MADV_HUGEPAGE" },
		{ "nh", "no huge pages" },
		{ "mg", "mergeable (KSM)" },
		{ "bt", "branch targets guarded" },
		{ "mt", "memory tags" },
		{ "um", "userfaultfd: missing" },
		{ "uw", "userfaultfd: writes" },
		{ "ui", "userfaultfd: minor" },
		{ "ss", "shadow stack" },
		{ "sl", "sealed" },
		{ "dp", "droppable" },
		{ "gu", "may have guard pages" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code[0] == code[0] && names[i].code[1] == code[1])
			return names[i].name;
	return NULL;
}
