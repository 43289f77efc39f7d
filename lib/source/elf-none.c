/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of elf.c where there is no libelf. */
#include "source/elf.h"
#include "source/symbol.h"
#include "source/symbol-table.h"

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

int vmt_symbol_table_read(int fd, struct vmt_symbol_table **ret, bool *ret_full,
			  struct vmt_debug_link *ret_link)
{
	return -EOPNOTSUPP;
}

int vmt_symbol_table_image(const void *image, size_t len, struct vmt_symbol_table **ret)
{
	return -EOPNOTSUPP;
}

void vmt_symbol_table_replace(struct vmt_symbol_table *t, struct vmt_symbol_table *debug)
{
}

void vmt_symbol_table_free(struct vmt_symbol_table *t)
{
}

int vmt_symbol_table_find(const struct vmt_symbol_table *t, uint64_t offset,
			  struct vmt_bytes *ret_name)
{
	return -EOPNOTSUPP;
}

int vmt_debug_link_crc(int fd, uint64_t max, uint32_t *ret)
{
	return -EOPNOTSUPP;
}
