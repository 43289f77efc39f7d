/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/inodes.h"
#include "source/reader.h"

/*
 * The page cache by inode, by bpf/inodes.bpf.c. Nothing is attached: the programs run while they
 * are called, and with the descriptors they are gone. For builds with BPF; collect-inodes.c has
 * what is said without.
 */
struct vmt_inodes;

struct vmt_inodes_opts {
	bool mappings; /* count who maps what */
	bool files; /* count who has what open */
	bool live; /* count pages that come and go, between start and stop */
	const uint64_t *pids; /* of these processes alone; NULL: of all */
	size_t n_pids;
};

/* What a walk came to. */
struct vmt_inodes_stats {
	uint64_t supers;
	uint64_t seen; /* inodes */
	uint64_t restarts;
	uint64_t cut; /* superblocks without an end */
	uint64_t used_lost; /* mapped or open inodes that found no room */
	uint64_t runs;
	uint64_t took_ns; /* in the kernel */
	uint64_t longest_ns; /* of one run */
	bool users_late; /* who uses what was not read to its end in time */
	bool supers_cut; /* the list of superblocks itself */
	/* Pages, between start and stop. */
	uint64_t added;
	uint64_t deleted;
	uint64_t churn_lost; /* of both, in no record */
};

/* Takes a record, which ends with the call. A negative result ends the walk. */
typedef int vmt_inodes_fn(const struct vmt_inode_record *record, void *arg);

/* Loads the programs. 0, or a negative errno with the reason in err: -EPERM, -ENOSYS, ... */
int vmt_inodes_open(const struct vmt_inodes_opts *opts, struct vmt_inodes **ret,
		    struct vmt_err *err);
void vmt_inodes_free(struct vmt_inodes *x);
/* Whether this kernel lists the mappings of all processes (5.12), and their files (5.8). */
bool vmt_inodes_has_mappings(const struct vmt_inodes *x);
bool vmt_inodes_has_files(const struct vmt_inodes *x);

/* Attaches what counts pages, and detaches it. 0 or -errno. */
int vmt_inodes_live_start(struct vmt_inodes *x, struct vmt_err *err);
void vmt_inodes_live_stop(struct vmt_inodes *x);

/* Counts who uses what, as the options say, by readers of that pool. Where one does not come back
 * in time, who maps (or has open) what is not known from there on: users_late, and
 * vmt_inodes_has_mappings() says no. 0 or -errno. */
int vmt_inodes_count_users(struct vmt_inodes *x, struct vmt_pool *pool, uint64_t deadline_ns,
			   struct vmt_err *err);
/* Puts out what vmt_inodes_count_users() met. deadline_ns is of CLOCK_MONOTONIC, 0 for none. */
int vmt_inodes_used(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		    struct vmt_err *err);
/* Puts out every inode that has pages. An inode can come twice, where the walk had to begin anew.
 */
int vmt_inodes_all(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		   struct vmt_err *err);

/* The superblock at that address, of a record; NULL where it is not known, as before there was a
 * walk. */
const struct vmt_inode_super *vmt_inodes_super(const struct vmt_inodes *x, uint64_t address);
void vmt_inodes_stats(const struct vmt_inodes *x, struct vmt_inodes_stats *ret);
