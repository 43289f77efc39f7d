/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake-elf.h"
#include "source/elf.h"
#include "source/symbol.h"

/* A file with a segment of 4 KiB that is loaded at FAKE_BASE, and a table of symbols. */
struct file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	Elf64_Shdr shdr[3]; /* none, symbols, names */
	Elf64_Sym sym[6];
	char names[64];
};

static struct file made(void)
{
	struct file f = { 0 };

	f.ehdr = fake_ehdr(offsetof(struct file, phdr), offsetof(struct file, shdr), 3);
	f.phdr = fake_load();
	f.shdr[1] = fake_symtab(offsetof(struct file, sym), sizeof(f.sym), 2);
	f.shdr[2] = fake_strtab(offsetof(struct file, names), sizeof(f.names));
	memcpy(f.names, "\0alpha\0beta\0local\0other\0undef", 30);
	f.sym[1] = (Elf64_Sym){ .st_name = 1,
				.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				.st_shndx = 1,
				.st_value = FAKE_BASE + 0x100,
				.st_size = 0x80 };
	f.sym[2] = (Elf64_Sym){ .st_name = 7,
				.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				.st_shndx = 1,
				.st_value = FAKE_BASE + 0x200 };
	/* At the same place as beta, but for this file alone. */
	f.sym[3] = f.sym[2];
	f.sym[3].st_name = 12;
	f.sym[3].st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	/* What is no symbol of a place. */
	f.sym[4] = (Elf64_Sym){ .st_name = 24,
				.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				.st_shndx = SHN_UNDEF,
				.st_value = FAKE_BASE + 0x110 };
	f.sym[5] = (Elf64_Sym){ .st_name = 18,
				.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FILE),
				.st_shndx = SHN_ABS,
				.st_value = FAKE_BASE + 0x110 };
	return f;
}

static int find(const void *bytes, size_t n, uint64_t offset, struct vmt_symbol *ret)
{
	struct unit_dir dir;
	int fd, r;

	unit_dir_make(&dir);
	unit_dir_write_bytes(&dir, "file", bytes, n);
	fd = openat(dir.fd, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	r = vmt_symbol_find(fd, offset, ret);
	close(fd);
	unit_dir_remove(&dir);
	return r;
}

static void check(const struct file *f, uint64_t offset, const char *name, uint64_t behind)
{
	struct vmt_symbol s = { 0 };

	assert_int_equal(find(f, sizeof(*f), offset, &s), 0);
	assert_int_equal(s.address, FAKE_BASE + (offset - 0x1000));
	assert_string_equal(s.name, name);
	assert_int_equal(s.offset, behind);
}

static void test_nearest(void **state)
{
	struct file f = made();

	if (!vmt_elf_built())
		skip();
	check(&f, 0x1000, "", 0);
	check(&f, 0x10ff, "", 0);
	check(&f, 0x1100, "alpha", 0);
	check(&f, 0x1142, "alpha", 0x42);
	/* Behind its end, and still the nearest: its size says so. */
	check(&f, 0x11f0, "alpha", 0xf0);
	check(&f, 0x1200, "beta", 0);
	check(&f, 0x1fff, "beta", 0xdff);
	/* One that has the address goes before one that only lies nearer. */
	f.sym[1].st_size = 0x400;
	check(&f, 0x1300, "alpha", 0x200);
	/* Dynamic symbols where there are no others; none at all. */
	f.shdr[1].sh_type = SHT_DYNSYM;
	check(&f, 0x1180, "alpha", 0x80);
	f.shdr[1].sh_type = SHT_PROGBITS;
	check(&f, 0x1180, "", 0);
}

static void test_no_place(void **state)
{
	struct vmt_symbol s = { .offset = 5 };
	struct file f = made();

	if (!vmt_elf_built())
		skip();
	/* What lies behind the segment is not of the file. */
	assert_int_equal(find(&f, sizeof(f), 0x2000, &s), -ENOENT);
	assert_int_equal(find(&f, sizeof(f), 0xfff, &s), -ENOENT);
	assert_int_equal(find("#!/bin/sh\n", 10, 0, &s), -ENOEXEC);
	assert_int_equal(s.offset, 5);
}

/* Whatever byte of it is broken: an answer or an error, and no more. */
static void test_broken(void **state)
{
	struct file f = made(), g;
	size_t i;

	if (!vmt_elf_built())
		skip();
	for (i = 0; i < sizeof(f); i++) {
		struct vmt_symbol s = { 0 };

		g = f;
		((unsigned char *)&g)[i] ^= 0xff;
		(void)find(&g, sizeof(g), 0x1142, &s);
		assert_true(memchr(s.name, 0, sizeof(s.name)) != NULL);
	}
	for (i = 0; i < sizeof(f); i += 16) {
		struct vmt_symbol s = { 0 };

		(void)find(&f, i, 0x1142, &s);
		assert_true(memchr(s.name, 0, sizeof(s.name)) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
