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

/* A file with a segment of 4 KiB that is loaded at FAKE_BASE, symbols, and a link to a debug file.
 */
struct fake_file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	Elf64_Shdr shdr[5]; /* none, symbols, names, link, names of sections */
	Elf64_Sym sym[8];
	char names[64];
	char link[16];
	char sections[32];
};

static inline Elf64_Sym fake_function(unsigned name, uint64_t at, uint64_t size, unsigned bind,
				      unsigned type)
{
	return (Elf64_Sym){ .st_name = name,
			    .st_info = (unsigned char)ELF64_ST_INFO(bind, type),
			    .st_shndx = 1,
			    .st_value = FAKE_BASE + at,
			    .st_size = size };
}

static inline struct fake_file fake_made(void)
{
	struct fake_file f = { 0 };

	f.ehdr = fake_ehdr(offsetof(struct fake_file, phdr), offsetof(struct fake_file, shdr), 5);
	f.ehdr.e_shstrndx = 4;
	f.phdr = fake_load();
	f.shdr[1] = fake_symtab(offsetof(struct fake_file, sym), sizeof(f.sym), 2);
	f.shdr[2] = fake_strtab(offsetof(struct fake_file, names), sizeof(f.names));
	f.shdr[3] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
				  .sh_name = 1,
				  .sh_offset = offsetof(struct fake_file, link),
				  .sh_size = sizeof(f.link),
				  .sh_addralign = 4 };
	f.shdr[4] = fake_strtab(offsetof(struct fake_file, sections), sizeof(f.sections));
	memcpy(f.names, "\0alpha\0beta\0local\0label\0inner\0$x\0object", 40);
	memcpy(f.link, "file.debug\0\0\x78\x56\x34\x12", 16);
	memcpy(f.sections, "\0.gnu_debuglink", 16);
	f.sym[1] = fake_function(7, 0x200, 0x80, STB_GLOBAL, STT_FUNC);
	f.sym[2] = fake_function(1, 0x100, 0x80, STB_GLOBAL, STT_FUNC);
	/* The same place as beta, for this file alone. */
	f.sym[3] = fake_function(12, 0x200, 0x80, STB_LOCAL, STT_FUNC);
	/* A label of assembler, which has no size. */
	f.sym[4] = fake_function(18, 0x300, 0, STB_LOCAL, STT_NOTYPE);
	f.sym[5] = fake_function(24, 0x120, 0x10, STB_LOCAL, STT_FUNC);
	f.sym[6] = fake_function(30, 0x140, 0, STB_LOCAL, STT_NOTYPE);
	f.sym[7] = fake_function(33, 0x400, 0x100, STB_GLOBAL, STT_OBJECT);
	return f;
}
