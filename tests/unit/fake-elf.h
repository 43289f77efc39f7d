/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Parts of ELF files that tests make: 64 bits, little-endian, one segment that is loaded. */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The segment is of 4 KiB from 0x1000 of the file, which are loaded there. */
#define FAKE_BASE UINT64_C(0x401000)

/* A header for one program header and n section headers at these offsets. */
static inline Elf64_Ehdr fake_ehdr(size_t phoff, size_t shoff, unsigned n)
{
	Elf64_Ehdr e = {
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(e),
		.e_phoff = phoff,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shoff = shoff,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (Elf64_Half)n,
	};

	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	return e;
}

static inline Elf64_Phdr fake_load(void)
{
	return (Elf64_Phdr){ .p_type = PT_LOAD,
			     .p_offset = 0x1000,
			     .p_vaddr = FAKE_BASE,
			     .p_filesz = 0x1000,
			     .p_memsz = 0x3000 };
}

/* A table of symbols, whose names are in the section of that number. */
static inline Elf64_Shdr fake_symtab(size_t offset, size_t size, unsigned names)
{
	return (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
			     .sh_offset = offset,
			     .sh_size = size,
			     .sh_link = names,
			     .sh_entsize = sizeof(Elf64_Sym),
			     .sh_addralign = 8 };
}

static inline Elf64_Shdr fake_strtab(size_t offset, size_t size)
{
	return (Elf64_Shdr){
		.sh_type = SHT_STRTAB, .sh_offset = offset, .sh_size = size, .sh_addralign = 1
	};
}
