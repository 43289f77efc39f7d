/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of elf.c where there is no libelf. */
#include "source/elf.h"
#include "source/symbol.h"

#include <errno.h>

bool vmt_elf_built(void)
{
	return false;
}

void vmt_elf_init(void)
{
}

int vmt_elf_read(int fd, struct vmt_elf_facts *ret)
{
	return -EOPNOTSUPP;
}

int vmt_symbol_find(int fd, uint64_t offset, struct vmt_symbol *ret)
{
	return -EOPNOTSUPP;
}
