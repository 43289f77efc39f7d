/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/elf.h"

/* A file of 64 bits with two program headers; the second is PT_NOTE over the bytes behind them. */
struct file64 {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[2];
	unsigned char notes[256];
};

static struct file64 empty64(void)
{
	struct file64 f = { 0 };

	memcpy(f.ehdr.e_ident, ELFMAG, SELFMAG);
	f.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	f.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	f.ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	f.ehdr.e_type = ET_DYN;
	f.ehdr.e_machine = EM_X86_64;
	f.ehdr.e_version = EV_CURRENT;
	f.ehdr.e_phoff = offsetof(struct file64, phdr);
	f.ehdr.e_ehsize = sizeof(f.ehdr);
	f.ehdr.e_phentsize = sizeof(f.phdr[0]);
	f.ehdr.e_phnum = 2;
	f.phdr[0].p_type = PT_LOAD;
	f.phdr[1].p_type = PT_NOTE;
	f.phdr[1].p_offset = offsetof(struct file64, notes);
	f.phdr[1].p_align = 4;
	return f;
}

/* Adds a note behind those that are there. */
static void add_note(struct file64 *f, uint32_t type, const char *name, const void *desc,
		     uint32_t len)
{
	Elf64_Nhdr n = { .n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = len, .n_type = type };
	unsigned char *to = f->notes + f->phdr[1].p_filesz;

	memcpy(to, &n, sizeof(n));
	memcpy(to + sizeof(n), name, n.n_namesz);
	memcpy(to + sizeof(n) + (n.n_namesz + 3) / 4 * 4, desc, len);
	f->phdr[1].p_filesz += sizeof(n) + (n.n_namesz + 3) / 4 * 4 + (len + 3) / 4 * 4;
}

static int read_bytes(const void *bytes, size_t len, struct vmt_elf_facts *facts)
{
	struct unit_dir d;
	int fd, r;

	unit_dir_make(&d);
	unit_dir_write_bytes(&d, "file", bytes, len);
	fd = openat(d.fd, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	r = vmt_elf_read(fd, facts);
	close(fd);
	unit_dir_remove(&d);
	return r;
}

static int setup(void **state)
{
	vmt_elf_init();
	return 0;
}

static void test_build_id(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	struct file64 f = empty64();

	if (!vmt_elf_built())
		skip();
	add_note(&f, NT_GNU_ABI_TAG, "GNU", "0123456789abcdef", 16);
	add_note(&f, NT_GNU_BUILD_ID, "XYZ", "not this", 8);
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "\x01\xff\x7f", 3);
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.class, 64);
	assert_int_equal(facts.build_id_len, 3);
	assert_memory_equal(facts.build_id, "\x01\xff\x7f", 3);
}

static void test_no_build_id(void **state)
{
	struct vmt_elf_facts facts = { .build_id_len = 9 };
	struct file64 f = empty64();
	char longer[80];

	if (!vmt_elf_built())
		skip();
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.class, 64);
	assert_int_equal(facts.build_id_len, 0);
	memset(longer, 'x', sizeof(longer));
	add_note(&f, NT_GNU_BUILD_ID, "GNU", longer, sizeof(longer));
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.build_id_len, 0);
}

static void test_segments(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	struct file64 f = empty64();

	if (!vmt_elf_built())
		skip();
	f.phdr[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_W,
				  .p_offset = 0x5e00,
				  .p_vaddr = 0x6e00,
				  .p_filesz = 0x2100,
				  .p_memsz = 0x5300 };
	f.phdr[1] = (Elf64_Phdr){ .p_type = PT_GNU_RELRO,
				  .p_flags = PF_R,
				  .p_offset = 0x5e00,
				  .p_vaddr = 0x6e00,
				  .p_filesz = 0x1200,
				  .p_memsz = 0x1200 };
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.n_loads, 1);
	assert_int_equal(facts.load[0].offset, 0x5e00);
	assert_int_equal(facts.load[0].vaddr, 0x6e00);
	assert_int_equal(facts.load[0].filesz, 0x2100);
	assert_int_equal(facts.load[0].memsz, 0x5300);
	assert_true(facts.load[0].write);
	assert_false(facts.load[0].exec);
	assert_true(facts.has_relro);
	assert_int_equal(facts.relro.vaddr, 0x6e00);
	assert_int_equal(facts.relro.memsz, 0x1200);
	/* What no loader could place is left out. */
	f.phdr[0].p_memsz = 0x20ff;
	f.phdr[1].p_vaddr = UINT64_MAX - 0x1000;
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.n_loads, 0);
	assert_false(facts.has_relro);
}

static void a12_elf_of_32_bits(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	Elf32_Ehdr e = { 0 };

	if (!vmt_elf_built())
		skip();
	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS32;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	e.e_type = ET_EXEC;
	e.e_machine = EM_386;
	e.e_version = EV_CURRENT;
	e.e_ehsize = sizeof(e);
	assert_int_equal(read_bytes(&e, sizeof(e), &facts), 0);
	assert_int_equal(facts.class, 32);
}

static void test_no_elf(void **state)
{
	static const char ar[] = "!<arch>\nx/              0           0     0     644     "
				 "4         `\nabcd";
	struct vmt_elf_facts facts;

	if (!vmt_elf_built()) {
		assert_int_equal(read_bytes("x", 1, &facts), -EOPNOTSUPP);
		return;
	}
	assert_int_equal(read_bytes("", 0, &facts), -ENOEXEC);
	assert_int_equal(read_bytes("#!/bin/sh\n", 10, &facts), -ENOEXEC);
	assert_int_equal(read_bytes(ar, sizeof(ar) - 1, &facts), -ENOEXEC);
}

/* Files that lie about themselves: an answer without a build-id, or an error, never more. */
static void test_broken(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	struct file64 f;
	size_t n;
	int r;

	if (!vmt_elf_built())
		skip();
	f = empty64();
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "abcd", 4);
	for (n = 1; n < sizeof(f.ehdr) + 64; n++) {
		r = read_bytes(&f, n, &facts);
		assert_true(r == -EIO || r == -ENOEXEC || (r == 0 && facts.build_id_len == 0));
	}
	f.phdr[1].p_offset = UINT64_MAX - 8;
	r = read_bytes(&f, sizeof(f), &facts);
	assert_true(r == 0 && facts.build_id_len == 0);
	f.phdr[1].p_offset = sizeof(f) - 4;
	r = read_bytes(&f, sizeof(f), &facts);
	assert_true(r == 0 && facts.build_id_len == 0);
	f = empty64();
	f.ehdr.e_phnum = 60000;
	r = read_bytes(&f, sizeof(f), &facts);
	assert_true(r == -EIO || (r == 0 && facts.build_id_len == 0));
	f = empty64();
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "abcd", 4);
	((Elf64_Nhdr *)(void *)f.notes)->n_namesz = UINT32_MAX;
	r = read_bytes(&f, sizeof(f), &facts);
	assert_true(r == 0 && facts.build_id_len == 0);
	((Elf64_Nhdr *)(void *)f.notes)->n_namesz = 4;
	((Elf64_Nhdr *)(void *)f.notes)->n_descsz = UINT32_MAX - 8;
	r = read_bytes(&f, sizeof(f), &facts);
	assert_true(r == 0 && facts.build_id_len == 0);
}

/* Notes that are nearly a build-id, before one that is. */
static void test_notes_like_a_build_id(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	struct file64 f = empty64();

	if (!vmt_elf_built())
		skip();
	add_note(&f, NT_GNU_BUILD_ID, "GNUX", "long name", 9);
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "", 0);
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "abc", 3);
	add_note(&f, NT_GNU_BUILD_ID, "GNU", "second", 6);
	f.phdr[0] = f.phdr[1];
	assert_int_equal(read_bytes(&f, sizeof(f), &facts), 0);
	assert_int_equal(facts.build_id_len, 3);
	assert_memory_equal(facts.build_id, "abc", 3);
}

enum { MANY = 40 };

/* A file of many program headers, with the notes behind them. */
struct many {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[MANY];
	unsigned char notes[256];
};

static struct many many(uint32_t type)
{
	struct file64 one = empty64();
	struct many m = { .ehdr = one.ehdr };
	size_t i;

	add_note(&one, NT_GNU_BUILD_ID, "GNU", "abcd", 4);
	memcpy(m.notes, one.notes, sizeof(m.notes));
	m.ehdr.e_phnum = MANY;
	for (i = 0; i < MANY; i++)
		m.phdr[i] = (Elf64_Phdr){ .p_type = type,
					  .p_offset = i << 12,
					  .p_vaddr = i << 12,
					  .p_filesz = 0x100,
					  .p_memsz = 0x100 };
	return m;
}

/* More than is kept, and more than is believed. */
static void test_many_headers(void **state)
{
	struct vmt_elf_facts facts = { 0 };
	struct many m = many(PT_LOAD);

	if (!vmt_elf_built())
		skip();
	assert_int_equal(read_bytes(&m, sizeof(m), &facts), 0);
	assert_int_equal(facts.n_loads, VMT_LOADS_MAX);
	assert_int_equal(facts.load[VMT_LOADS_MAX - 1].offset, (VMT_LOADS_MAX - 1) << 12);
	/* The first of several counts. */
	m = many(PT_GNU_RELRO);
	m.phdr[0].p_offset = UINT64_MAX;
	assert_int_equal(read_bytes(&m, sizeof(m), &facts), 0);
	assert_true(facts.has_relro);
	assert_int_equal(facts.relro.offset, 0x1000);
	/* Notes behind sixteen others that have no build-id are not looked for. */
	m = many(PT_NOTE);
	m.phdr[MANY - 1].p_offset = offsetof(struct many, notes);
	m.phdr[MANY - 1].p_align = 4;
	assert_int_equal(read_bytes(&m, sizeof(m), &facts), 0);
	assert_int_equal(facts.build_id_len, 0);
	m.phdr[3] = m.phdr[MANY - 1];
	assert_int_equal(read_bytes(&m, sizeof(m), &facts), 0);
	assert_int_equal(facts.build_id_len, 4);
	/* Nor in notes larger than any. */
	m.phdr[3].p_filesz = UINT64_C(1) << 30;
	assert_int_equal(read_bytes(&m, sizeof(m), &facts), 0);
	assert_int_equal(facts.build_id_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes_like_a_build_id),
		cmocka_unit_test(test_many_headers),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_no_build_id),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(a12_elf_of_32_bits),
		cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
