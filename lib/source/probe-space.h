/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Address spaces as the perf rung knows them: from maps once, and from then on from the records
 * that perf writes for each new mapping. There is no record of unmapping: what a newer mapping does
 * not cover stays, and nothing can fault there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "source/devices.h"

/* What faulted: a mapping that keeps its counts after it is gone. */
struct vmt_space_row {
	uint64_t pid;
	uint64_t exec_id; /* program images seen before */
	uint64_t start; /* lowest seen */
	uint64_t end;
	uint64_t offset; /* bytes */
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vm_flags; /* VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8 */
	struct vmt_bytes path; /* of the arena */
	char comm[16];
	size_t comm_len;
	uint64_t minor;
	uint64_t major;
	uint64_t user;
	uint64_t kernel;
};

struct vmt_space_map {
	uint64_t start;
	uint64_t end;
	size_t row; /* index */
};

struct vmt_space {
	uint64_t pid;
	uint64_t exec_id;
	uint64_t read_ns; /* when maps was read last; 0: never */
	bool exited;
	char comm[16];
	size_t comm_len;
	struct vmt_space_map *maps; /* in order of address, without overlaps */
	size_t n_maps;
	size_t cap_maps;
	uint64_t minor; /* samples */
	uint64_t major;
	uint64_t mapped; /* of them, those whose mapping is known */
	uint64_t dropped;
	/* Of the process, as /proc had it last; all 0: never. */
	uint64_t start_time_ns;
	uint64_t kernel_minor; /* since the probe began */
	uint64_t kernel_major;
};

struct vmt_spaces {
	struct vmt_arena arena;
	struct vmt_space **spaces; /* in order of pid */
	size_t n_spaces;
	size_t cap_spaces;
	struct vmt_space_row *rows;
	size_t n_rows;
	size_t cap_rows;
	size_t max_rows;
	size_t *free_rows; /* of mappings that went away without a fault */
	size_t n_free;
	size_t cap_free;
	struct vmt_bytes *paths; /* each once: a table of cap_paths, a power of two */
	size_t n_paths;
	size_t cap_paths;
	bool no_memory; /* some of it was lost */
};

void vmt_spaces_init(struct vmt_spaces *s, size_t max_rows);
void vmt_spaces_done(struct vmt_spaces *s);

/* The address space of a process, made where there is none; NULL where there is no memory. */
struct vmt_space *vmt_spaces_get(struct vmt_spaces *s, uint64_t pid);

/* A mapping, as a record or a line of maps gives it; it takes the place of what it covers. The row
 * is the one of what it covers where that is the same mapping grown, split or protected anew. */
struct vmt_space_new {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vm_flags;
	struct vmt_bytes path;
};

/* Without memory for it, s->no_memory is set and its faults are counted as dropped. */
void vmt_space_map(struct vmt_spaces *s, struct vmt_space *space, const struct vmt_space_new *map);
/* The process runs another program, or ended: nothing of it is mapped any more. */
void vmt_space_exec(struct vmt_spaces *s, struct vmt_space *space);
void vmt_space_exit(struct vmt_spaces *s, struct vmt_space *space);
/* Frees the spaces that have exited set; their rows stay. */
void vmt_spaces_forget_exited(struct vmt_spaces *s);
/* A child begins with the mappings of its parent; its rows are its own. */
void vmt_space_fork(struct vmt_spaces *s, const struct vmt_space *parent, struct vmt_space *child);
/* The name of the process (its comm); at most 16 bytes of it are kept. */
void vmt_space_name(struct vmt_space *space, const char *comm, size_t len);

/* Counts a fault; false where the address is in no known mapping. */
bool vmt_space_fault(struct vmt_spaces *s, struct vmt_space *space, uint64_t address, bool major,
		     bool user);
