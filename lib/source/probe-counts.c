/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-counts.h"

static void add(uint64_t n, int major, int access, int kernel, struct vmt_probe_counts *to)
{
	*(major ? &to->major : &to->minor) += n;
	if (access == VMT_BPF_ACCESS_UNKNOWN)
		return;
	*(kernel ? &to->kernel : &to->user) += n;
	if (access == VMT_BPF_READ)
		to->read += n;
	else if (access == VMT_BPF_WRITE)
		to->write += n;
	else
		to->exec += n;
}

void vmt_probe_counts(const __u64 count[2][2][VMT_BPF_ACCESSES][2], struct vmt_probe_counts *ret)
{
	*ret = (struct vmt_probe_counts){ 0 };
	for (int untimed = 0; untimed < 2; untimed++)
		for (int major = 0; major < 2; major++)
			for (int access = 0; access < VMT_BPF_ACCESSES; access++)
				for (int kernel = 0; kernel < 2; kernel++) {
					uint64_t n = count[untimed][major][access][kernel];

					add(n, major, access, kernel, ret);
					ret->timed += untimed ? 0 : n;
				}
}
