/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

struct vmt_model;
struct vmt_sample;

/* A segment of /proc/kcore: a range of the kernel's addresses. */
struct vmt_kcore_segment {
	uint64_t start;
	uint64_t size;
	bool physical; /* it is mapped to physical memory one to one: RAM, or the image */
};

/* Where a symbol is, of those that bound the image. */
enum vmt_image_symbol {
	VMT_IMAGE_TEXT,
	VMT_IMAGE_ETEXT,
	VMT_IMAGE_RODATA,
	VMT_IMAGE_ERODATA,
	VMT_IMAGE_DATA,
	VMT_IMAGE_EDATA,
	VMT_IMAGE_BSS,
	VMT_IMAGE_EBSS,
	VMT_IMAGE_END,
	VMT_IMAGE_SYMBOLS,
};

/* A key of a file, and its number: bytes where the file says kB, else as it is. */
struct vmt_kernel_key {
	struct vmt_bytes name;
	uint64_t value;
};

/*
 * What was read about the memory that the kernel itself holds, and about its addresses. Arrays and
 * texts are the arena's of the sample; what was not asked for, or could not be read, is empty.
 */
struct vmt_kernel_sample {
	struct vmt_kernel_key *meminfo;
	size_t n_meminfo;
	struct vmt_counter *counters; /* vmstat, in its order */
	size_t n_counters;
	struct vmt_slab *slabs;
	size_t n_slabs;
	struct vmt_vmalloc *vmalloc; /* summed up, in the order of the first of each */
	size_t n_vmalloc;
	uint64_t vmalloc_put_bytes; /* memory of vmap areas, which meminfo does not count */
	bool uses; /* what memory is held for was asked for, and not a list of some of it alone */
	bool has_pcp;
	uint64_t pcp_bytes; /* on the lists of the processors */
	/* Pages of sockets, and bytes of fragments. */
	bool has_tcp, has_udp, has_frag;
	uint64_t tcp_pages, udp_pages, frag_bytes;
	bool has_modules;
	uint64_t modules, modules_bytes;
	bool has_module_range; /* their addresses were shown */
	uint64_t module_start, module_end;
	struct vmt_kcore_segment *segments;
	size_t n_segments;
	bool has_symbols; /* kallsyms was read; the addresses are 0 where they were not shown */
	uint64_t symbols[VMT_IMAGE_SYMBOLS]; /* 0: not there, or not shown */
	struct vmt_region *regions; /* of iomem, those of the image: physical */
	size_t n_regions;
};

/* The number of a key of meminfo or vmstat; false where the kernel lacks it. */
bool vmt_kernel_meminfo(const struct vmt_kernel_sample *k, const char *name, uint64_t *ret);
bool vmt_kernel_vmstat(const struct vmt_kernel_sample *k, const char *name, uint64_t *ret);

/*
 * Fills uses, slabs, vmalloc, kernel_sums, ranges, address_space and counters of m from its sample;
 * with prev, an earlier sample of the same boot dt_ns before, what changed. -ENOMEM.
 */
int vmt_model_kernel(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns);
/* Of these the ranges and the address space, where KCORE was asked for. -ENOMEM. */
int vmt_model_kernel_ranges(struct vmt_model *m);
