/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>

/* Notes of a program header, and how many of these; more is not believed. */
#define NOTES_MAX	 ((uint64_t)1024 * 1024)
#define NOTE_HEADERS_MAX 16u

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

/* Sizes that nothing could be loaded with are left out. */
static bool take_segment(const GElf_Phdr *phdr, struct vmt_segment *ret)
{
	uint64_t end;

	if (__builtin_add_overflow(phdr->p_offset, phdr->p_filesz, &end) ||
	    __builtin_add_overflow(phdr->p_vaddr, phdr->p_memsz, &end) ||
	    phdr->p_filesz > phdr->p_memsz)
		return false;
	*ret = (struct vmt_segment){ .offset = phdr->p_offset,
				     .vaddr = phdr->p_vaddr,
				     .filesz = phdr->p_filesz,
				     .memsz = phdr->p_memsz,
				     .write = phdr->p_flags & PF_W,
				     .exec = phdr->p_flags & PF_X };
	return true;
}

static void note_segment(const GElf_Phdr *phdr, struct vmt_elf_facts *f)
{
	if (phdr->p_type == PT_LOAD && f->n_loads < VMT_LOADS_MAX)
		f->n_loads += take_segment(phdr, &f->load[f->n_loads]);
	else if (phdr->p_type == PT_GNU_RELRO && !f->has_relro)
		f->has_relro = take_segment(phdr, &f->relro);
}

/* Program headers of a file; the kernel takes no more of them than a page has room for. */
#define PHDRS_MAX ((size_t)4096)

int vmt_elf_read(int fd, struct vmt_elf_facts *ret)
{
	VMT_CLEANUP(elf_endp) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	struct vmt_elf_facts facts = { 0 };
	unsigned notes = 0;
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
	for (i = 0; i < n && i < PHDRS_MAX; i++) {
		GElf_Phdr phdr;
		Elf_Data *data;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			return -EIO;
		note_segment(&phdr, &facts);
		if (facts.build_id_len || phdr.p_type != PT_NOTE || phdr.p_filesz > NOTES_MAX ||
		    phdr.p_offset > INT64_MAX || notes++ >= NOTE_HEADERS_MAX)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz,
					    phdr.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data)
			find_build_id(data, &facts);
	}
	*ret = facts;
	return 0;
}
