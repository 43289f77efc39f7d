/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>

/* Notes of a program header; more is not believed. */
#define NOTES_MAX ((uint64_t)1024 * 1024)

bool vmt_elf_built(void)
{
	return true;
}

void vmt_elf_init(void)
{
	elf_version(EV_CURRENT);
}

static void elf_endp(Elf **elf)
{
	if (*elf)
		elf_end(*elf);
}

static bool find_build_id(Elf_Data *data, struct vmt_elf_facts *ret)
{
	size_t at = 0, next, name, desc;
	GElf_Nhdr nhdr;

	while ((next = gelf_getnote(data, at, &nhdr, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (nhdr.n_type == NT_GNU_BUILD_ID && nhdr.n_namesz == sizeof("GNU") &&
		    memcmp(bytes + name, "GNU", sizeof("GNU")) == 0 && nhdr.n_descsz > 0 &&
		    nhdr.n_descsz <= VMT_BUILD_ID_MAX) {
			memcpy(ret->build_id, bytes + desc, nhdr.n_descsz);
			ret->build_id_len = nhdr.n_descsz;
			return true;
		}
		at = next;
	}
	return false;
}

int vmt_elf_read(int fd, struct vmt_elf_facts *ret)
{
	VMT_CLEANUP(elf_endp) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	struct vmt_elf_facts facts = { 0 };
	size_t n, i;

	if (!elf)
		return -EIO;
	if (elf_kind(elf) != ELF_K_ELF)
		return -ENOEXEC;
	switch (gelf_getclass(elf)) {
	case ELFCLASS32:
		facts.class = 32;
		break;
	case ELFCLASS64:
		facts.class = 64;
		break;
	default:
		return -ENOEXEC;
	}
	if (elf_getphdrnum(elf, &n) < 0)
		return -EIO;
	for (i = 0; i < n && facts.build_id_len == 0; i++) {
		GElf_Phdr phdr;
		Elf_Data *data;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			return -EIO;
		if (phdr.p_type != PT_NOTE || phdr.p_filesz > NOTES_MAX ||
		    phdr.p_offset > INT64_MAX)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz,
					    phdr.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data)
			find_build_id(data, &facts);
	}
	*ret = facts;
	return 0;
}
