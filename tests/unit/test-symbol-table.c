/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake-elf.h"
#include "source/symbol-table.h"

static int write_file(struct unit_dir *dir, const void *bytes, size_t n)
{
	int fd;

	unit_dir_make(dir);
	unit_dir_write_bytes(dir, "file", bytes, n);
	fd = openat(dir->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int read_table(const void *bytes, size_t n, struct vmt_symbol_table **ret, bool *ret_full,
		      struct vmt_debug_link *ret_link)
{
	struct unit_dir dir;
	int fd = write_file(&dir, bytes, n), r;

	r = vmt_symbol_table_read(fd, ret, ret_full, ret_link);
	close(fd);
	unit_dir_remove(&dir);
	return r;
}

static void check(const struct vmt_symbol_table *t, uint64_t offset, const char *name)
{
	struct vmt_bytes found = { 0 };
	int r = vmt_symbol_table_find(t, offset, &found);

	assert_int_equal(r, name ? 0 : -ENOENT);
	assert_bytes(found, name ? name : "");
}

static void test_find(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct vmt_debug_link link;
	struct fake_file f = fake_made();
	bool full = false;

	if (!vmt_elf_built())
		skip();
	assert_int_equal(read_table(&f, sizeof(f), &t, &full, &link), 0);
	assert_true(full);
	assert_string_equal(link.name, "file.debug");
	assert_int_equal(link.crc, 0x12345678);
	assert_int_equal(link.build_id_len, 0);
	check(t, 0x10ff, NULL);
	check(t, 0x1100, "alpha");
	check(t, 0x111f, "alpha");
	/* The innermost that reaches over it; behind that the outer one goes on. */
	check(t, 0x1120, "inner");
	check(t, 0x1130, "alpha");
	check(t, 0x1145, "alpha");
	check(t, 0x117f, "alpha");
	/* Between two functions is none: a local one may have been stripped there. */
	check(t, 0x1180, NULL);
	check(t, 0x1200, "beta");
	/* The last has no size and nothing behind it, and data is no function. */
	check(t, 0x1300, NULL);
	check(t, 0x1410, NULL);
	/* Outside of the segment. */
	check(t, 0x2100, NULL);
	check(t, 0, NULL);
}

static void test_label(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct fake_file f = fake_made();

	if (!vmt_elf_built())
		skip();
	/* With a function behind it the label reaches up to that. */
	f.sym[7] = fake_function(33, 0x400, 0x100, STB_GLOBAL, STT_FUNC);
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), 0);
	check(t, 0x1300, "label");
	check(t, 0x13ff, "label");
	check(t, 0x1400, "object");
}

static void test_replace(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *debug = NULL;
	struct fake_file stripped = fake_made(), f = fake_made();
	bool full = true;

	if (!vmt_elf_built())
		skip();
	stripped.shdr[1].sh_type = SHT_DYNSYM;
	stripped.shdr[1].sh_size = 2 * sizeof(f.sym[0]);
	/* A debug file says where segments are loaded, and not where they are in the program. */
	f.phdr.p_offset = 0x100;
	assert_int_equal(read_table(&stripped, sizeof(f), &t, &full, NULL), 0);
	assert_false(full);
	assert_int_equal(read_table(&f, sizeof(f), &debug, NULL, NULL), 0);
	check(t, 0x1100, NULL);
	vmt_symbol_table_replace(t, debug);
	check(t, 0x1100, "alpha");
	/* Not by one that has less. */
	vmt_symbol_table_replace(t, debug);
	check(t, 0x1100, "alpha");
}

static void test_broken(void **state)
{
	struct vmt_symbol_table *t = NULL;
	struct fake_file f = fake_made();

	if (!vmt_elf_built())
		skip();
	assert_int_equal(read_table("no such file", 12, &t, NULL, NULL), -ENOEXEC);
	f.shdr[1].sh_link = 77;
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), -EIO);
	f = fake_made();
	f.shdr[1].sh_size = UINT64_C(1) << 40;
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), -EFBIG);
	/* A name that the file has not, and a size that wraps. */
	f = fake_made();
	f.sym[1].st_name = 9999;
	f.sym[2].st_size = UINT64_MAX;
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), 0);
	check(t, 0x1200, "local");
	vmt_symbol_table_free(t);
	/* No name of a link that leads elsewhere. */
	f = fake_made();
	memcpy(f.link, "../le.debug", 12);
	{
		VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *u = NULL;
		struct vmt_debug_link link;

		assert_int_equal(read_table(&f, sizeof(f), &u, NULL, &link), 0);
		assert_string_equal(link.name, "");
	}
}

static void test_image(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct fake_file f = fake_made();

	if (!vmt_elf_built())
		skip();
	assert_int_equal(vmt_symbol_table_image(&f, sizeof(f), &t), 0);
	check(t, 0x1100, "alpha");
}

static int sweep(void *arg)
{
	struct vmt_symbol_table *t = NULL;
	int *fd = arg;
	int r = vmt_symbol_table_read(*fd, &t, NULL, NULL);

	vmt_symbol_table_free(t);
	/* libelf does not say that it had no memory. */
	return r == -EIO || r == -ENOEXEC ? -ENOMEM : r;
}

static void test_no_memory(void **state)
{
	struct fake_file f = fake_made();
	struct unit_dir dir;
	int fd;

	if (!vmt_elf_built())
		skip();
	fd = write_file(&dir, &f, sizeof(f));
	vmt_elf_init();
	unit_alloc_sweep(sweep, &fd);
	close(fd);
	unit_dir_remove(&dir);
}

static void test_crc(void **state)
{
	struct unit_dir dir;
	int fd = write_file(&dir, "123456789", 9);
	uint32_t crc = 0;

	if (!vmt_elf_built())
		skip();
	/* The check value of CRC-32. */
	assert_int_equal(vmt_debug_link_crc(fd, 100, &crc), 0);
	assert_int_equal(crc, 0xcbf43926);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(vmt_debug_link_crc(fd, 8, &crc), -EFBIG);
	close(fd);
	unit_dir_remove(&dir);
}

/* What is no code is no symbol, and of several names for one place the one that others may use, the
 * longer one, and the first of the file, in that order. */
static void test_kinds_and_aliases(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct fake_file f = fake_made();

	if (!vmt_elf_built())
		skip();
	f.sym[1] = fake_function(7, 0x200, 0x80, STB_GLOBAL, STT_FUNC);
	f.sym[2] = fake_function(1, 0x200, 0x80, STB_GLOBAL, STT_FUNC);
	f.sym[3] = fake_function(12, 0x200, 0x90, STB_LOCAL, STT_GNU_IFUNC);
	f.sym[4] = fake_function(18, 0x300, 0x10, STB_LOCAL, STT_FUNC);
	f.sym[5] = fake_function(24, 0x300, 0x20, STB_LOCAL, STT_FUNC);
	f.sym[6] = fake_function(33, 0x400, 0x10, STB_GLOBAL, STT_FUNC);
	f.sym[6].st_shndx = SHN_ABS;
	f.sym[7] = fake_function(33, 0x500, 0x10, STB_GLOBAL, STT_FUNC);
	f.sym[7].st_shndx = SHN_UNDEF;
	f.sym[0] = fake_function(0, 0x600, 0x10, STB_GLOBAL, STT_FUNC);
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), 0);
	check(t, 0x1200, "beta");
	check(t, 0x1285, "local");
	check(t, 0x1300, "inner");
	check(t, 0x1400, NULL);
	check(t, 0x1500, NULL);
	check(t, 0x1600, NULL);
}

/* A mark of the compiler in a file for ARM, and a local label, are no functions. */
static void test_labels_that_are_none(void **state)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct fake_file f = fake_made();

	if (!vmt_elf_built())
		skip();
	memcpy(f.names + 18, ".abel", 5);
	f.sym[7] = fake_function(33, 0x400, 0x100, STB_GLOBAL, STT_FUNC);
	assert_int_equal(read_table(&f, sizeof(f), &t, NULL, NULL), 0);
	check(t, 0x1300, NULL);
	check(t, 0x1400, "object");
}

/* Links that lead nowhere: without a name, without its end, or without a checksum. */
static void test_links(void **state)
{
	size_t i;

	if (!vmt_elf_built())
		skip();
	for (i = 0; i < 6; i++) {
		VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
		struct vmt_debug_link link;
		struct fake_file f = fake_made();

		if (i == 0)
			f.link[0] = 0;
		if (i == 1)
			f.shdr[3].sh_size = 12;
		if (i == 2)
			f.shdr[3].sh_size = 0;
		if (i == 3)
			f.ehdr.e_shstrndx = 0;
		if (i == 4)
			f.shdr[3].sh_type = SHT_NOTE;
		if (i == 5)
			f.sections[2] = 'x';
		assert_int_equal(read_table(&f, sizeof(f), &t, NULL, &link), 0);
		assert_string_equal(link.name, "");
		check(t, 0x1100, "alpha");
	}
}

/* Tables that are there twice, and those whose entries have no size. */
static void test_tables(void **state)
{
	size_t i;

	if (!vmt_elf_built())
		skip();
	for (i = 0; i < 4; i++) {
		VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
		struct fake_file f = fake_made();
		bool full = false;

		f.shdr[3] = fake_symtab(offsetof(struct fake_file, sym), sizeof(f.sym[0]), 2);
		if (i % 2)
			f.shdr[1].sh_type = f.shdr[3].sh_type = SHT_DYNSYM;
		if (i / 2)
			f.shdr[1].sh_entsize = 0;
		assert_int_equal(read_table(&f, sizeof(f), &t, &full, NULL), 0);
		assert_int_equal(full, i % 2 == 0);
		/* The first that can be read counts. */
		check(t, 0x1100, i / 2 ? NULL : "alpha");
	}
}

static void test_an_empty_image(void **state)
{
	struct vmt_symbol_table *t = NULL;

	if (!vmt_elf_built())
		skip();
	assert_true(vmt_symbol_table_image("", 0, &t) < 0);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_kinds_and_aliases),
		cmocka_unit_test(test_labels_that_are_none),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_an_empty_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
