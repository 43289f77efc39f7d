/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf-symbols.h"

#include <errno.h>

int vmt_elf_symbols(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, Elf_Data **ret, size_t *ret_n)
{
	Elf_Scn *strings = elf_getscn(elf, shdr->sh_link);
	GElf_Shdr names;
	uint64_t n;

	if (!strings || !gelf_getshdr(strings, &names))
		return -EIO;
	if (shdr->sh_size > VMT_SYMBOLS_MAX || names.sh_size > VMT_SYMBOLS_MAX)
		return -EFBIG;
	*ret = elf_getdata(scn, NULL);
	if (!*ret)
		return -EIO;
	n = shdr->sh_size / shdr->sh_entsize;
	*ret_n = n < INT32_MAX ? (size_t)n : INT32_MAX;
	return 0;
}
