/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/* Where in an ELF file an address is. */
struct vmt_symbol {
	uint64_t address; /* as the file's own headers have it (p_vaddr) */
	char name[512]; /* as in the file: mangled, any bytes; empty where there is none */
	uint64_t offset; /* of the address behind the symbol */
	uint64_t size; /* of the symbol; 0 where the file does not say */
};

/*
 * The nearest symbol at or below an offset of an open ELF file, by .symtab or else .dynsym; no file
 * but this one is looked at. A name longer than there is room for is cut. Nothing is mapped, so a
 * file that is cut meanwhile is no SIGBUS.
 *
 * -ENOEXEC where it is no ELF file, -ENOENT where no segment has that offset, -EIO where the file
 * is broken, -EFBIG where its table is too large to be read, -EOPNOTSUPP where this build has no
 * libelf.
 */
int vmt_symbol_find(int fd, uint64_t offset, struct vmt_symbol *ret);
