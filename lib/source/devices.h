/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/root.h"

/*
 * Which devices are memory: the file systems tmpfs and hugetlbfs, by the mount table, and the
 * kernel's own mounts behind memfd_create(2), SysV segments, shared anonymous memory and huge
 * pages, which no table shows. A name in maps can be made by anybody; the device cannot.
 */
struct vmt_device {
	uint64_t major;
	uint64_t minor;
	bool hugetlb; /* else shmem */
	bool internal; /* a mount of the kernel's own */
};

struct vmt_devices {
	struct vmt_device *dev;
	size_t n;
	size_t cap;
	bool has_internal; /* the kernel's own mount of shmem is among them */
	bool has_internal_huge; /* and those of hugetlb, one for each size of page */
};

/*
 * Reads them; what cannot be read is left out (the list is used to know more, never to know less).
 * Only -ENOMEM is an error.
 */
int vmt_devices_load(struct vmt_devices *d, const struct vmt_root *root);
/* Adds those of a mount table (/proc/PID/mountinfo, proc(5)); lines that are none are left out. */
int vmt_devices_parse(struct vmt_devices *d, struct vmt_bytes mountinfo);
const struct vmt_device *vmt_devices_find(const struct vmt_devices *d, uint64_t major,
					  uint64_t minor);
void vmt_devices_done(struct vmt_devices *d);
