/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols: tables of ELF files, in memory and behind a descriptor, kallsyms, and the maps that
 * compilers write for perf; the first byte says which. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "source/elf.h"
#include "source/symbol-table.h"
#include "source/symbol-text.h"

/* Offsets of the file that are looked up. */
#define LOOKS 64u

static void find(const struct vmt_symbol_table *t, size_t size)
{
	size_t i;

	for (i = 0; i < LOOKS; i++) {
		struct vmt_bytes name = { 0 };
		uint64_t at = i < LOOKS / 2 ? i * (size / (LOOKS / 2) + 1) : UINT64_MAX / (i + 1);
		int r = vmt_symbol_table_find(t, at, &name);

		CHECK(r == 0 || r == -ENOENT);
		CHECK(r == 0 ? name.len > 0 && !name.ptr[name.len] : !name.ptr);
	}
}

static bool is_known(int r)
{
	return r == 0 || r == -ENOEXEC || r == -EIO || r == -EFBIG || r == -ENOMEM;
}

static void image(const uint8_t *data, size_t size)
{
	struct vmt_symbol_table *t = NULL, *debug = NULL;
	/* The first half is the program, all of it the file of its symbols. */
	int r = vmt_symbol_table_image(data, size, &t);

	CHECK(is_known(r) && !t == (r < 0));
	if (r < 0)
		return;
	find(t, size);
	if (vmt_symbol_table_image(data, size / 2, &debug) == 0) {
		vmt_symbol_table_replace(debug, t);
		find(debug, size);
		find(t, size);
	}
	vmt_symbol_table_free(t);
	vmt_symbol_table_free(debug);
}

static void file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct vmt_symbol_table *t = NULL;
	struct vmt_debug_link link = { 0 };
	uint32_t crc = 0, again = 1;
	bool full = false;
	int r;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
	r = vmt_symbol_table_read(fd, &t, &full, &link);
	CHECK((is_known(r) || r == -EINVAL) && !t == (r < 0));
	CHECK(link.build_id_len <= sizeof(link.build_id));
	CHECK(memchr(link.name, 0, sizeof(link.name)) && !strchr(link.name, '/'));
	if (r == 0)
		find(t, size);
	vmt_symbol_table_free(t);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && vmt_debug_link_crc(fd, size, &crc) == 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && vmt_debug_link_crc(fd, size, &again) == 0);
	CHECK(crc == again);
	CHECK(size == 0 ||
	      (lseek(fd, 0, SEEK_SET) == 0 && vmt_debug_link_crc(fd, size - 1, &crc) == -EFBIG));
}

/* Names lie in their text, of symbols that begin at or below what was wanted. */
static void text(struct vmt_bytes all, bool kernel)
{
	struct vmt_text_symbol wanted[LOOKS] = { 0 };
	size_t i;

	for (i = 0; i < LOOKS; i++)
		wanted[i].address = kernel ? UINT64_C(0xffffffff81000000) + i * 0x1000000
					   : i * 1000;
	wanted[0].address = 0;
	wanted[LOOKS - 1].address = UINT64_MAX;
	(kernel ? vmt_kallsyms_find : vmt_perf_map_find)(all, wanted, LOOKS);
	for (i = 0; i < LOOKS; i++) {
		const struct vmt_text_symbol *w = &wanted[i];

		CHECK(w->name.len || (!w->from && !w->module.len));
		if (!w->name.len)
			continue;
		CHECK(w->from <= w->address && !memchr(w->name.ptr, '\n', w->name.len));
		CHECK(w->name.ptr >= all.ptr && w->name.ptr + w->name.len <= all.ptr + all.len);
		if (w->module.len)
			CHECK(w->module.ptr > w->name.ptr &&
			      w->module.ptr + w->module.len < all.ptr + all.len);
		/* The nearest, so none is nearer to what lies below. */
		CHECK(!kernel || i == 0 || !wanted[i - 1].name.len ||
		      w->from >= wanted[i - 1].from);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 4;

	if (choice == 0)
		image(data, size);
	else if (choice == 1)
		file(data, size);
	else
		text(fuzz_text(data, size), choice == 2);
	return 0;
}
