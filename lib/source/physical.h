/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "source/root.h"

/* A zone of memory: the frames [start, start + spanned), with holes in between. */
struct vmt_zone {
	uint64_t start;
	uint64_t spanned;
	uint64_t node;
	char name[16];
};

/* A line of /proc/iomem: physical addresses, the last one included. */
struct vmt_iomem {
	uint64_t first;
	uint64_t last;
	const char *name; /* the arena's; any bytes but newline and NUL */
};

/*
 * How physical memory is laid out. It is filled once and does not change after that; counted, as a
 * reader may outlive the one who asked.
 */
struct vmt_physical {
	unsigned refs; /* through the functions below alone */
	struct vmt_root *root; /* a reference, for the node of a frame */
	struct vmt_arena arena;
	struct vmt_zone *zones; /* heap */
	size_t n_zones;
	size_t cap_zones;
	struct vmt_iomem *iomem; /* heap; in order of the file: what lies inside follows */
	size_t n_iomem;
	size_t cap_iomem;
	uint64_t block_frames; /* of a block of memory in sysfs; 0 where there are none */
};

/* Nothing is in it yet. NULL on ENOMEM. */
struct vmt_physical *vmt_physical_new(struct vmt_root *root);
struct vmt_physical *vmt_physical_ref(struct vmt_physical *p);
void vmt_physical_unref(struct vmt_physical *p);

/* /proc/zoneinfo: the zones that span something. -EINVAL, -ERANGE, -ENOMEM. */
int vmt_zones_parse(struct vmt_bytes text, struct vmt_physical *p, struct vmt_err *err);
/* /proc/iomem. Without CAP_SYS_ADMIN all of its addresses are 0: -EPERM. */
int vmt_iomem_parse(struct vmt_bytes text, struct vmt_physical *p, struct vmt_err *err);
/* Reads them; *ret_bytes is how much. */
int vmt_zones_load(struct vmt_physical *p, uint64_t *ret_bytes, struct vmt_err *err);
int vmt_iomem_load(struct vmt_physical *p, uint64_t *ret_bytes, struct vmt_err *err);

/*
 * The zone that a frame lies in, as an index, or -1. Where zones of several nodes span it (nodes
 * may be interleaved), the block of memory in sysfs decides; where that cannot, it is -1.
 */
int vmt_physical_zone(const struct vmt_physical *p, uint64_t frame);
/* What iomem calls an address: the innermost that has it, NULL where none does. */
const char *vmt_physical_region(const struct vmt_physical *p, uint64_t address);
