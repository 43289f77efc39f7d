/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * Who maps what: a row for each file, memfd or SysV segment and each process that maps it. Mappings
 * are added as they come and not kept; the number of files, their names and the rows are bounded.
 */

#define VMT_SHARED_FILES_MAX ((size_t)16384)
#define VMT_SHARED_NAMES_MAX ((size_t)4 * 1024 * 1024)
#define VMT_SHARERS_MAX	     ((size_t)65536)

/* A SysV segment, as /proc/sysvipc/shm has it: ipc/shm.c sysvipc_shm_proc_show(). */
struct vmt_segment {
	uint64_t id; /* shmid, which is the inode of its mappings */
	uint64_t mode;
	uint64_t size; /* bytes, like the two below */
	uint64_t rss;
	uint64_t swap;
	uint64_t attached;
	uint64_t creator;
};

struct vmt_sharers;

/* ipc_namespace: in which segments were read, 0 where unknown. NULL on ENOMEM. */
struct vmt_sharers *vmt_sharers_new(uint64_t ipc_namespace);
void vmt_sharers_free(struct vmt_sharers *s);

/* From now on only files that were mapped by these mappings, or were before, are of interest. 0 or
 * -ENOMEM. */
int vmt_sharers_want(struct vmt_sharers *s, const struct vmt_map *maps, size_t n);
/* Adds mappings of a process; they come one behind the other, without those of another process
 * between them. 0 or -ENOMEM. */
int vmt_sharers_add(struct vmt_sharers *s, const struct vmt_proc *p, const struct vmt_map *maps,
		    size_t n);
/* Adds what is known of the segments; behind all mappings. One that nobody maps gets a row without
 * a process, unless only some files are of interest. 0 or -ENOMEM. */
int vmt_sharers_add_segments(struct vmt_sharers *s, const struct vmt_segment *segments, size_t n);

/*
 * The rows, which belong to s: files by what is resident of them all together, the largest first,
 * and the processes of each in the same way. What found no room is in the last row, which has
 * neither name nor process, and *ret_dropped mappings. NULL on ENOMEM.
 */
const struct vmt_sharer *vmt_sharers_rows(struct vmt_sharers *s, size_t *ret_n,
					  uint64_t *ret_dropped);

static inline void vmt_sharers_freep(struct vmt_sharers **s)
{
	vmt_sharers_free(*s);
}
#define VMT_AUTO_SHARERS VMT_CLEANUP(vmt_sharers_freep) struct vmt_sharers *
