/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbol.h"

#include <errno.h>
#include <stdio.h>

#include "source/elf-symbols.h"

static void elf_endp(Elf **elf)
{
	if (*elf)
		elf_end(*elf);
}

static int address_of(Elf *elf, uint64_t offset, uint64_t *ret)
{
	size_t n, i;

	if (elf_getphdrnum(elf, &n) < 0)
		return -EIO;
	for (i = 0; i < n; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			return -EIO;
		if (phdr.p_type != PT_LOAD || offset < phdr.p_offset ||
		    offset - phdr.p_offset >= phdr.p_filesz)
			continue;
		*ret = phdr.p_vaddr + (offset - phdr.p_offset);
		return 0;
	}
	/* Pages of a segment's edge are mapped, too, though they belong to none. */
	return -ENOENT;
}

static Elf_Scn *find_table(Elf *elf, unsigned type, GElf_Shdr *ret)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, ret) && ret->sh_type == type && ret->sh_entsize)
			return scn;
	return NULL;
}

static bool is_candidate(const GElf_Sym *sym)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return sym->st_name && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE ||
		type == STT_GNU_IFUNC);
}

/* Whether a is the better name for an address that both are at or below. */
static bool is_better(const GElf_Sym *a, const GElf_Sym *b, uint64_t address)
{
	bool in_a = address - a->st_value < a->st_size, in_b = address - b->st_value < b->st_size;

	if (in_a != in_b)
		return in_a;
	if (a->st_value != b->st_value)
		return a->st_value > b->st_value;
	/* Of several names for one place: what others may call it. */
	return GELF_ST_BIND(a->st_info) != STB_LOCAL && GELF_ST_BIND(b->st_info) == STB_LOCAL;
}

static int search(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, struct vmt_symbol *ret)
{
	GElf_Sym sym, best = { 0 };
	const char *name;
	Elf_Data *data;
	bool any = false;
	size_t i, n;
	int r = vmt_elf_symbols(elf, scn, shdr, &data, &n);

	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		if (!gelf_getsym(data, (int)i, &sym))
			break;
		if (!is_candidate(&sym) || sym.st_value > ret->address ||
		    (any && !is_better(&sym, &best, ret->address)))
			continue;
		best = sym;
		any = true;
	}
	if (!any)
		return 0;
	name = elf_strptr(elf, shdr->sh_link, best.st_name);
	if (!name)
		return -EIO;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->offset = ret->address - best.st_value;
	ret->size = best.st_size;
	return 0;
}

int vmt_symbol_find(int fd, uint64_t offset, struct vmt_symbol *ret)
{
	VMT_CLEANUP(elf_endp) Elf *elf = NULL;
	struct vmt_symbol found = { 0 };
	GElf_Shdr shdr;
	Elf_Scn *scn;
	int r;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -EIO;
	if (elf_kind(elf) != ELF_K_ELF)
		return -ENOEXEC;
	r = address_of(elf, offset, &found.address);
	if (r < 0)
		return r;
	scn = find_table(elf, SHT_SYMTAB, &shdr);
	if (!scn)
		scn = find_table(elf, SHT_DYNSYM, &shdr);
	r = scn ? search(elf, scn, &shdr, &found) : 0;
	if (r == 0)
		*ret = found;
	return r;
}
