/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"

/* Rows at most, and directories that lead to them: 1.8 GB of our own memory. */
#define VMT_INODES_MAX ((size_t)4 << 20)

/* Which inodes are wanted. */
struct vmt_inode_opts {
	bool all; /* every one that has pages in the page cache; else those that are used */
	bool mapped; /* by a mapping */
	bool open; /* by an open file */
	uint64_t live_ns; /* so long are pages counted that come and go; 0: not at all */
	const uint64_t *pids; /* used by these processes alone; NULL: by anybody */
	size_t n_pids;
	size_t most; /* rows at most; 0: VMT_INODES_MAX */
};

/*
 * Fills s->cache with a row for each inode, by BPF programs that walk through the kernel's own
 * lists (bpf/inodes.bpf.c): no file is opened or looked up. That needs CAP_BPF and CAP_PERFMON, and
 * Linux 5.10; who maps a file is known since 5.12. Where it cannot be done, s->sources says why,
 * and there are no rows; inodes beyond the most are counted as left out. With live_ns it waits so
 * long first, or until a signal. 0 or -ENOMEM.
 */
int vmt_collect_inodes(struct vmt_collector *c, struct vmt_sample *s,
		       const struct vmt_inode_opts *opts);
