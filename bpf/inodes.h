/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <linux/types.h>

/*
 * Inodes with pages in the page cache, by walks through the kernel's own lists. Kernel addresses
 * are identities within one walk: they go to user space, which gives them back or compares them,
 * and shows them to nobody.
 */

#define VMT_INODE_NAME	 256 /* NAME_MAX and a NUL */
#define VMT_INODE_OUT	 4096 /* records of one run */
#define VMT_INODE_STEPS	 2048 /* inodes that one run looks at */
#define VMT_INODE_SUPERS 4096
#define VMT_INODE_DEPTH	 48 /* directories from a file to the root of its file system */
#define VMT_INODE_USED	 65536 /* inodes that are mapped or open */
#define VMT_INODE_CHURN	 65536 /* inodes to which pages come, or from which they go */

enum vmt_inode_what {
	VMT_INODE_FILE = 1, /* an inode */
	VMT_INODE_DIR = 2, /* a directory on the way to one, by its dentry */
};

/* What a run puts out: this, and a name. */
struct vmt_inode_facts {
	__u64 address; /* of the inode; of a directory its dentry */
	__u64 parent; /* dentry of the directory that it is in; 0 where no dentry is cached */
	__u64 super;
	__u64 ino;
	__u64 size;
	__u64 pages; /* base pages; of hugetlbfs and DAX entries */
	__u64 blocks; /* i_blocks, of 512 bytes */
	__u64 added; /* pages, while that was counted */
	__u64 deleted;
	__u32 what; /* enum vmt_inode_what */
	__u32 mode;
	__u32 nlink;
	__u32 rdev;
	__u32 mappings;
	__u32 mappers; /* processes */
	__u32 openers; /* processes */
	__u32 root; /* the dentry has no parent: the root of its file system, or of nothing */
	__u32 hashed; /* a name leads to it */
	__u32 name_len; /* 0: no name */
};

struct vmt_inode_record {
	struct vmt_inode_facts f;
	char name[VMT_INODE_NAME];
};
_Static_assert(sizeof(struct vmt_inode_record) == 9 * 8 + 10 * 4 + VMT_INODE_NAME, "no holes");

struct vmt_inode_super {
	__u64 address;
	__u64 magic;
	__u64 dev; /* as in the kernel: major << 20 | minor */
	char type[32];
	char id[32];
};
_Static_assert(sizeof(struct vmt_inode_super) == 24 + 64, "no holes");

/* An inode that a process maps or has open. */
struct vmt_inode_used {
	__u64 address;
	__u64 super;
	__u64 ino;
	__u64 dentry; /* by which it is used: an inode can have several names */
	__u32 mappings;
	__u32 mappers;
	__u32 openers;
	__u32 last_mapper; /* tgid + 1: a process is visited as a whole */
	__u32 last_opener;
	__u32 pad;
};
_Static_assert(sizeof(struct vmt_inode_used) == 4 * 8 + 6 * 4, "no holes");

/* An inode among all that have its address one after the other. */
struct vmt_inode_id {
	__u64 address;
	__u64 super;
	__u64 ino;
	__u64 generation;
};

/* Pages that came to an inode and went from it. */
struct vmt_inode_churn {
	__u64 added;
	__u64 deleted;
};

enum vmt_inode_state {
	VMT_INODE_MORE, /* it goes on where it was */
	VMT_INODE_END,
	VMT_INODE_CHANGED, /* the list changed at the place: it has to begin anew */
	VMT_INODE_GONE, /* the superblock is no more */
};

/* The run that goes on; user space and the programs take turns with it. */
struct vmt_inode_walk {
	/* What is asked. */
	__u64 super; /* to be walked */
	__u64 limit_ns; /* of a run */
	__u64 least_pages; /* of an inode, for a record */
	/* Where it is. */
	__u64 at; /* node of the list, or 0 for its beginning */
	__u64 at_ino;
	__u64 next_used; /* of the list of used inodes */
	__u64 n_used;
	__u64 n_supers;
	/* What came of the run. */
	__u32 n_out; /* records */
	__u32 state;
	__u64 seen; /* inodes */
	__u64 took_ns;
	__u64 users_over; /* set where nobody waits for the iterators any more */
	__u64 used_lost; /* mapped or open inodes that found the table full */
	/* While pages are counted that come and go. */
	__u64 added;
	__u64 deleted;
	__u64 churn_lost; /* of both, those of inodes that found the table full */
};
