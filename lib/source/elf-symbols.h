/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

/* For the files that read symbols by libelf; without it they are not built. */

/* A table of symbols, or of their names, beyond this is not read. */
#define VMT_SYMBOLS_MAX ((uint64_t)256 << 20)

/*
 * The symbols of a section, for gelf_getsym(), and how many there are at most: what a file says of
 * itself may be more than it has. The data belongs to elf. -EIO where it is broken, -EFBIG where
 * its table or the names are too large to be read.
 */
int vmt_elf_symbols(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, Elf_Data **ret, size_t *ret_n);
