/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/* The mappings of a process for a picture of its address space. Pure. */

/* What a mapping is for the process, in as many words as there are letters and colours for. */
enum vmt_map_sort {
	VMT_MAP_SORT_TEXT,
	VMT_MAP_SORT_RODATA,
	VMT_MAP_SORT_DATA,
	VMT_MAP_SORT_HEAP,
	VMT_MAP_SORT_ANON,
	VMT_MAP_SORT_STACK,
	VMT_MAP_SORT_FILE,
	VMT_MAP_SORT_SHARED,
	VMT_MAP_SORT_HUGE,
	VMT_MAP_SORT_JIT,
	VMT_MAP_SORT_GUARD,
	VMT_MAP_SORT_KERNEL,
	VMT_MAP_SORT_DEVICE,
	VMT_MAP_SORT_IMAGE, /* of strips alone: mappings of one file, of several sorts */
	VMT_MAP_SORT_VARIOUS, /* of strips alone */
	VMT_MAP_SORT_UNKNOWN,
	VMT_MAP_SORTS,
};

/* By role, or by kind where that is not known. */
enum vmt_map_sort vmt_map_sort_of(const struct vmt_map *m);
/* 'T', and "text" */
char vmt_map_sort_letter(enum vmt_map_sort sort);
const char *vmt_map_sort_name(enum vmt_map_sort sort);

/* Mappings that are drawn as one, beside each other in the address space. Sizes are bytes. */
struct vmt_map_strip {
	size_t first; /* index of the first of n */
	size_t n;
	enum vmt_map_sort sort;
	uint64_t start;
	uint64_t end; /* of the last */
	uint64_t size; /* of all, without what is between them */
	uint64_t largest;
	uint64_t gap; /* not mapped between the strip before and this one */
	uint64_t within; /* not mapped between those that it is made of */
	bool has_resident; /* known of all of them */
	bool has_swapped;
	uint64_t resident;
	uint64_t swapped;
	bool one_file; /* it is a single mapping, or all of them are of one file */
};

/*
 * Strips of n mappings in order of address, at most most of them (at least 1): where there are more
 * mappings, small ones beside each other are folded, those of one sort before those of one file,
 * and these before any. Memory is the arena's. -ENOMEM.
 */
int vmt_map_strips(const struct vmt_map *maps, size_t n, size_t most, struct vmt_arena *arena,
		   struct vmt_map_strip **ret, size_t *ret_n);
