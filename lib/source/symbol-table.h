/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "source/elf.h"

/* The functions of an ELF file, for many look-ups. */
struct vmt_symbol_table;

/* Where a file says that its symbols are. */
struct vmt_debug_link {
	unsigned char build_id[VMT_BUILD_ID_MAX];
	size_t build_id_len; /* 0 where it has none */
	char name[256]; /* of .gnu_debuglink: a name in a directory; empty where it has none */
	uint32_t crc; /* of that file */
};

/*
 * Reads .symtab, or else .dynsym, of an open ELF file. Nothing is mapped, so a file that is cut
 * meanwhile is no SIGBUS; no other file is looked at. *ret_full (may be NULL) is false where there
 * is no .symtab, so that local functions are missing; *ret_link (may be NULL) says where they could
 * be. 0; -ENOEXEC where it is no ELF file, -EIO where it is broken, -EFBIG where its tables are too
 * large to be read, -ENOMEM, -EOPNOTSUPP where this build has no libelf. The caller frees *ret.
 */
int vmt_symbol_table_read(int fd, struct vmt_symbol_table **ret, bool *ret_full,
			  struct vmt_debug_link *ret_link);
/* The same of an image in memory, which has to stay. */
int vmt_symbol_table_image(const void *image, size_t len, struct vmt_symbol_table **ret);
/* Takes the symbols of a file that belongs to the same program, where they are more. The segments
 * stay those of t. */
void vmt_symbol_table_replace(struct vmt_symbol_table *t, struct vmt_symbol_table *debug);
void vmt_symbol_table_free(struct vmt_symbol_table *t);

/*
 * The function that an offset of the file lies in. 0; -ENOENT where none has it: a name below it
 * would be that of another function wherever local ones are stripped. The text belongs to t.
 */
int vmt_symbol_table_find(const struct vmt_symbol_table *t, uint64_t offset,
			  struct vmt_bytes *ret_name);

/* The checksum of .gnu_debuglink over a whole file, from where it stands: CRC-32 of IEEE 802.3. 0
 * or -errno; -EFBIG above max bytes. */
int vmt_debug_link_crc(int fd, uint64_t max, uint32_t *ret);

static inline void vmt_symbol_table_freep(struct vmt_symbol_table **t)
{
	vmt_symbol_table_free(*t);
}
