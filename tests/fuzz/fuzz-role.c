/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Program headers of any bytes; and roles of mappings and segments that are any numbers. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/role.h"
#include "source/elf.h"

#define MAPS	 24
#define FILES	 3
#define SEGMENTS 6

static void elf(const uint8_t *data, size_t size)
{
	struct vmt_elf_facts f = { .class = 7 };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	unsigned i;
	int r;

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	vmt_elf_init();
	r = vmt_elf_read(fd, &f);
	close(fd);
	if (r < 0) {
		CHECK(f.class == 7);
		return;
	}
	CHECK(f.class == 32 || f.class == 64);
	CHECK(f.build_id_len <= VMT_BUILD_ID_MAX && f.n_loads <= VMT_LOADS_MAX);
	for (i = 0; i < f.n_loads; i++) {
		CHECK(f.load[i].vaddr + f.load[i].memsz >= f.load[i].vaddr);
		CHECK(f.load[i].offset + f.load[i].filesz >= f.load[i].offset);
		CHECK(f.load[i].filesz <= f.load[i].memsz);
	}
}

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

/* Small numbers of pages mostly, so that things meet; now and then any number. */
static uint64_t take_size(struct input *in)
{
	unsigned v = take(in), i;
	uint64_t any = 0;

	if (v < 250)
		return (uint64_t)v * (take(in) % 2 ? 4096 : 1024);
	for (i = 0; i < 8; i++)
		any = any << 8 | take(in);
	return any;
}

static void take_segment(struct input *in, struct vmt_segment *s)
{
	uint64_t end;

	*s = (struct vmt_segment){ .offset = take_size(in), .vaddr = take_size(in) };
	s->filesz = take_size(in);
	s->memsz = s->filesz + take(in) * UINT64_C(1024);
	s->write = take(in) & 1;
	s->exec = take(in) & 1;
	/* What the reader lets through. */
	if (s->memsz < s->filesz || __builtin_add_overflow(s->offset, s->filesz, &end) ||
	    __builtin_add_overflow(s->vaddr, s->memsz, &end))
		*s = (struct vmt_segment){ 0 };
}

static void take_map(struct input *in, struct vmt_map *m, uint64_t *at, uint32_t *file)
{
	static const char *const perms[] = { "r--p", "r-xp", "rw-p", "---p", "rw-s", "rwxp", "" };
	static const char *const kinds[] = { "file",  "anon", "shmem",	 "hugetlb", "heap",
					     "stack", "vdso", "special", "" };
	static const char *const paths[] = { "",	 "/x",	       "[vvar]",
					     "/memfd:x", "[vsyscall]", "/SYSV00000001",
					     "/dev/zero" };
	static const char *const flags[] = { "rd wr", "gd", "pf io", "ht", "ss", "gu", " ", "" };
	unsigned which = take(in) % (VMT_ARRAY_LEN(flags) + 2);

	*m = (struct vmt_map){ 0 };
	*at += take(in) % 3 * UINT64_C(4096);
	VMT_SET(map, start, m, *at);
	*at += (1 + take(in) % 64) * UINT64_C(4096);
	VMT_SET(map, end, m, *at);
	VMT_SET(map, offset_bytes, m, take_size(in));
	VMT_SET(map, perms, m, vmt_bytes_of(perms[take(in) % VMT_ARRAY_LEN(perms)]));
	VMT_SET(map, kind, m, vmt_bytes_of(kinds[take(in) % VMT_ARRAY_LEN(kinds)]));
	VMT_SET(map, path, m, vmt_bytes_of(paths[take(in) % VMT_ARRAY_LEN(paths)]));
	*file = take(in) % (FILES + 1);
	VMT_SET(map, inode, m, *file < FILES);
	if (*file == FILES)
		*file = VMT_NO_FILE;
	if (which < VMT_ARRAY_LEN(flags))
		VMT_SET(map, vm_flags, m, vmt_bytes_of(flags[which]));
}

static void roles(struct input in)
{
	struct vmt_segment load[FILES][SEGMENTS];
	struct vmt_role_file file[FILES] = { 0 };
	const struct vmt_role_file *files[FILES];
	struct vmt_map maps[MAPS], again[MAPS];
	uint32_t file_of[MAPS];
	uint64_t stacks[4], at = UINT64_C(1) << 20;
	struct vmt_role_input input = { .file_of = file_of,
					.files = files,
					.n_files = FILES,
					.stacks = stacks,
					.page_size = 4096 };
	unsigned i, k;
	size_t n;

	for (i = 0; i < FILES; i++) {
		file[i].backing = (enum vmt_backing)(take(&in) % (VMT_BACKING_SECRET + 1));
		file[i].read = take(&in) & 1;
		file[i].segments.n = take(&in) % (SEGMENTS + 1);
		file[i].segments.load = load[i];
		file[i].segments.has_relro = take(&in) & 1;
		for (k = 0; k < file[i].segments.n; k++)
			take_segment(&in, &load[i][k]);
		take_segment(&in, &file[i].segments.relro);
		files[i] = take(&in) % 4 ? &file[i] : NULL;
	}
	for (i = 0; i < 4; i++) {
		at += take_size(&in) % (UINT64_C(1) << 20);
		stacks[i] = at;
	}
	input.n_stacks = take(&in) % 5;
	at = take(&in) % 2 ? UINT64_C(1) << 20 : UINT64_MAX - (UINT64_C(1) << 26);
	at &= ~UINT64_C(4095);
	for (n = 0; n < MAPS && in.size; n++)
		take_map(&in, &maps[n], &at, &file_of[n]);
	memcpy(again, maps, sizeof(maps));
	CHECK(vmt_roles_assign(maps, n, &input) == 0);
	CHECK(vmt_roles_assign(again, n, &input) == 0);
	for (i = 0; i < n; i++) {
		CHECK(VMT_HAS(map, role, &maps[i]) == VMT_HAS(map, role, &again[i]));
		if (!VMT_HAS(map, role, &maps[i])) {
			/* Only files can be unknown. */
			CHECK(maps[i].kind.len == 0 || vmt_bytes_is(maps[i].kind, "file"));
			continue;
		}
		CHECK(maps[i].role.len > 0 && vmt_bytes_equal(maps[i].role, again[i].role));
		/* What nobody may write to is no data, and what cannot run is no text. */
		if (vmt_bytes_is(maps[i].role, "text") || vmt_bytes_is(maps[i].role, "jit"))
			CHECK(maps[i].perms.len && maps[i].perms.ptr[2] == 'x');
		if (vmt_bytes_is(maps[i].role, "relro"))
			CHECK(maps[i].perms.len == 0 || maps[i].perms.ptr[1] != 'w');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 4;

	if (choice == 0)
		elf(data, size);
	else
		roles((struct input){ data, size });
	return 0;
}
