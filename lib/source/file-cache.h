/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/role.h"
#include "source/elf.h"

/*
 * What is known of mapped files, kept for all processes that map them: a machine maps its C library
 * hundreds of times. A file is told by device, inode and name as maps has them. Of any thread.
 */
struct vmt_file_facts {
	struct vmt_role_file role;
	bool headers; /* they were looked at, and what follows is theirs */
	unsigned elf_class; /* 32 or 64; 0 where it is no ELF file */
	unsigned char build_id[VMT_BUILD_ID_MAX];
	size_t build_id_len;
	bool has_names; /* deleted is known */
	bool deleted;
	struct vmt_segment load[]; /* of role */
};

/* Files that are kept: some 2 MiB of them. */
#define VMT_FILES_KEPT 4096

struct vmt_file_cache;

/* NULL on ENOMEM. */
struct vmt_file_cache *vmt_file_cache_new(void);
void vmt_file_cache_free(struct vmt_file_cache *c);
/* The file of a mapping; with its headers where these are needed. NULL where it is not known. It
 * stays as long as the cache does. */
const struct vmt_file_facts *vmt_file_cache_find(struct vmt_file_cache *c, const struct vmt_map *m,
						 bool headers);
/*
 * Keeps a copy of facts; elf (may be NULL) are its headers. Where the cache is full the copy comes
 * from the arena. NULL on ENOMEM.
 */
const struct vmt_file_facts *vmt_file_cache_add(struct vmt_file_cache *c, const struct vmt_map *m,
						const struct vmt_file_facts *facts,
						const struct vmt_elf_facts *elf,
						struct vmt_arena *arena);
