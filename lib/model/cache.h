/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/rows.h"

struct vmt_model;

/* What a sample has of the page cache. */
struct vmt_cache_sample {
	bool asked; /* somebody wanted it; else the rest is empty */
	struct vmt_cached_file *files; /* on the heap; their texts are of the sample's arena */
	size_t n_files;
	size_t n_again; /* the last of them: named, and the same as an earlier row; in no sum */
	size_t cap_files;
	uint64_t empty; /* looked at, and without a row for nothing of it is cached */
	uint64_t skipped; /* directories, and files that may have to be waited for, for want of time
			   */
	bool incomplete; /* a limit was reached, something could not be looked at */
	struct vmt_cache walk; /* what the walk through the kernel says of itself */
};

void vmt_cache_sample_done(struct vmt_cache_sample *c);
/* Room for one more row, zeroed; NULL on ENOMEM. */
struct vmt_cached_file *vmt_cache_sample_add(struct vmt_cache_sample *c);

/*
 * What the pages of a file count as: "shmem" (Shmem, and Cached), "buffers" (Buffers), "hugetlb"
 * (neither), "directory", "file" or "other" (Cached). mode is st_mode; magic that of the file
 * system (statfs(2), linux/magic.h).
 */
struct vmt_bytes vmt_cache_kind(uint64_t magic, unsigned mode);
/* Sets what follows from other fields of a row: PCT. */
void vmt_cached_file_derive(struct vmt_cached_file *f, uint64_t page_size);
/* Fills m->cached_files and m->cache from the sample, where it has them. */
void vmt_model_cache(struct vmt_model *m);

/*
 * Which row an inode has: a table of pairs of numbers, as device and inode, that grows. One that is
 * zeroed is empty.
 */
struct vmt_inode_index {
	struct vmt_inode_slot {
		uint64_t a;
		uint64_t b;
		size_t row; /* + 1; 0: free */
	} * slots;
	size_t n;
	size_t cap; /* a power of two */
};

void vmt_inode_index_done(struct vmt_inode_index *x);
/* *ret_row gets the row of the pair: that of one before, or row, which is new. 1 where it is new, 0
 * where not, -ENOMEM. */
int vmt_inode_index_add(struct vmt_inode_index *x, uint64_t a, uint64_t b, size_t row,
			size_t *ret_row);
/* The row of the pair; false where it has none. */
bool vmt_inode_index_find(const struct vmt_inode_index *x, uint64_t a, uint64_t b, size_t *ret_row);
