/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/role.h"

#define PAGE UINT64_C(4096)

/* A mapping of the table below: its file is an index, -1 for none. */
struct line {
	uint64_t start; /* in pages */
	uint64_t end;
	const char *perms;
	uint64_t offset;
	int file;
	const char *kind;
	const char *path;
	const char *flags; /* NULL: smaps was not read */
	const char *role; /* NULL: it cannot be told */
};

#define FILES 8

struct space {
	const struct line *lines;
	size_t n;
	const struct vmt_role_file *files[FILES];
	const uint64_t *stacks;
	size_t n_stacks;
};

static void rows_of(const struct space *s, struct vmt_map *maps, uint32_t *file_of)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];
		struct vmt_map *m = &maps[i];

		*m = (struct vmt_map){ 0 };
		VMT_SET(map, start, m, l->start * PAGE);
		VMT_SET(map, end, m, l->end * PAGE);
		VMT_SET(map, perms, m, vmt_bytes_of(l->perms));
		VMT_SET(map, offset_bytes, m, l->offset * PAGE);
		VMT_SET(map, inode, m, l->file < 0 ? 0 : (uint64_t)l->file + 100);
		VMT_SET(map, kind, m, vmt_bytes_of(l->kind));
		VMT_SET(map, path, m, vmt_bytes_of(l->path));
		if (l->flags)
			VMT_SET(map, vm_flags, m, vmt_bytes_of(l->flags));
		file_of[i] = l->file < 0 ? VMT_NO_FILE : (uint32_t)l->file;
	}
}

static void check(const struct space *s)
{
	struct vmt_map maps[32];
	uint32_t file_of[32];
	const struct vmt_role_input in = { .file_of = file_of,
					   .files = s->files,
					   .n_files = FILES,
					   .stacks = s->stacks,
					   .n_stacks = s->n_stacks,
					   .page_size = PAGE };
	size_t i;

	assert_true(s->n <= VMT_ARRAY_LEN(maps));
	rows_of(s, maps, file_of);
	/* What an earlier look said is taken back where it cannot be told. */
	for (i = 0; i < s->n; i++)
		VMT_SET(map, role, &maps[i], VMT_BYTES("old"));
	assert_int_equal(vmt_roles_assign(maps, s->n, &in), 0);
	for (i = 0; i < s->n; i++) {
		const char *want = s->lines[i].role;
		bool has = VMT_HAS(map, role, &maps[i]);

		if (has != !!want || (has && !vmt_bytes_is(maps[i].role, want)))
			fail_msg("mapping %zu: %.*s, not %s", i, has ? (int)maps[i].role.len : 1,
				 has ? maps[i].role.ptr : "-", want ? want : "-");
	}
}

#define CHECK(lines_, ...)                                                                         \
	do {                                                                                       \
		const struct space s_ = { .lines = (lines_),                                       \
					  .n = VMT_ARRAY_LEN(lines_),                              \
					  __VA_ARGS__ };                                           \
		check(&s_);                                                                        \
	} while (0)

/* A library as GNU ld makes it: headers, code, constants, and data of which two pages are relro; 12
 * KiB and a half of bss. */
static const struct vmt_segment library_load[] = {
	{ .offset = 0, .vaddr = 0, .filesz = 0x1800, .memsz = 0x1800 },
	{ .offset = 0x2000, .vaddr = 0x2000, .filesz = 0x2f00, .memsz = 0x2f00, .exec = true },
	{ .offset = 0x5000, .vaddr = 0x5000, .filesz = 0xe00, .memsz = 0xe00 },
	{ .offset = 0x5e00, .vaddr = 0x6e00, .filesz = 0x2100, .memsz = 0x5300, .write = true },
};
static const struct vmt_role_file library = {
	.backing = VMT_BACKING_FILE,
	.read = true,
	.segments = { .load = library_load,
		      .n = 4,
		      .has_relro = true,
		      .relro = { .offset = 0x5e00,
				 .vaddr = 0x6e00,
				 .filesz = 0x1200,
				 .memsz = 0x1200 } },
};
static const struct vmt_role_file plain = { .backing = VMT_BACKING_FILE, .read = true };
static const struct vmt_role_file unread = { .backing = VMT_BACKING_FILE };
static const struct vmt_role_file device = { .backing = VMT_BACKING_DEVICE };
static const struct vmt_role_file zero = { .backing = VMT_BACKING_ZERO };
static const struct vmt_role_file secret = { .backing = VMT_BACKING_SECRET };
static const struct vmt_role_file tmpfs = { .backing = VMT_BACKING_TMPFS };
static const struct vmt_role_file internal = { .backing = VMT_BACKING_KERNEL };

static void test_a_library(void **state)
{
	static const struct line lines[] = {
		{ 0x100, 0x102, "r--p", 0, 0, "file", "/lib/x", NULL, "rodata" },
		{ 0x102, 0x105, "r-xp", 2, 0, "file", "/lib/x", NULL, "text" },
		{ 0x105, 0x106, "r--p", 5, 0, "file", "/lib/x", NULL, "rodata" },
		/* Page 5 of the file again: the data begins in it. */
		{ 0x106, 0x108, "r--p", 5, 0, "file", "/lib/x", NULL, "relro" },
		{ 0x108, 0x109, "rw-p", 7, 0, "file", "/lib/x", NULL, "data" },
		{ 0x109, 0x10d, "rw-p", 0, -1, "anon", "", NULL, "bss" },
		{ 0x10d, 0x110, "---p", 0, -1, "anon", "", NULL, "reserved" },
		/* Once more, elsewhere, with one page of the bss protected. */
		{ 0x200, 0x202, "r--p", 0, 0, "file", "/lib/x", NULL, "rodata" },
		{ 0x202, 0x204, "r-xp", 2, 0, "file", "/lib/x", NULL, "text" },
		{ 0x204, 0x205, "rwxp", 4, 0, "file", "/lib/x", NULL, "text" },
		{ 0x205, 0x206, "---p", 5, 0, "file", "/lib/x", NULL, "guard" },
		{ 0x206, 0x209, "rw-p", 5, 0, "file", "/lib/x", NULL, "data" },
		{ 0x209, 0x20a, "r--p", 0, -1, "anon", "", NULL, "bss" },
		{ 0x20a, 0x20c, "rw-p", 0, -1, "anon", "", NULL, "bss" },
		/* Not at the place of its bss. */
		{ 0x20d, 0x20f, "rw-p", 0, -1, "anon", "", NULL, "anon" },
	};

	CHECK(lines, .files = { &library });
}

/* What only looks into a library has none of its roles, and its neighbours are no bss. */
static void test_a_look_into_a_library(void **state)
{
	static const struct line lines[] = {
		{ 0x100, 0x109, "r--p", 0, 0, "file", "/lib/x", NULL, "file" },
		{ 0x109, 0x10d, "rw-p", 0, -1, "anon", "", NULL, "anon" },
		{ 0x200, 0x202, "r--p", 0, 0, "file", "/lib/x", NULL, "file" },
		{ 0x209, 0x20c, "rw-p", 0, -1, "anon", "", NULL, "anon" },
		{ 0x300, 0x302, "r--s", 0, 0, "file", "/lib/x", NULL, "file" },
		{ 0x302, 0x303, "r--s", 2, 0, "file", "/lib/x", NULL, "file" },
	};

	CHECK(lines, .files = { &library });
}

/* bss that became one mapping with what was mapped behind it: the greater part decides. */
static void test_merged_bss(void **state)
{
	static const struct line mostly[] = {
		{ 0x102, 0x105, "r-xp", 2, 0, "file", "/lib/x", NULL, "text" },
		{ 0x108, 0x109, "rw-p", 7, 0, "file", "/lib/x", NULL, "data" },
		{ 0x109, 0x10f, "rw-p", 0, -1, "anon", "", NULL, "bss" },
	};
	static const struct line hardly[] = {
		{ 0x102, 0x105, "r-xp", 2, 0, "file", "/lib/x", NULL, "text" },
		{ 0x108, 0x109, "rw-p", 7, 0, "file", "/lib/x", NULL, "data" },
		{ 0x109, 0x111, "rw-p", 0, -1, "anon", "", NULL, "anon" },
	};

	CHECK(mostly, .files = { &library });
	CHECK(hardly, .files = { &library });
}

/* Segments that no loader could place: nothing follows from them, and nothing goes wrong. */
static void test_hostile_segments(void **state)
{
	static const struct vmt_segment load[] = {
		{ .offset = 0,
		  .vaddr = 0,
		  .filesz = UINT64_MAX,
		  .memsz = UINT64_MAX,
		  .write = true },
		{ .offset = UINT64_MAX,
		  .vaddr = UINT64_MAX,
		  .filesz = 0,
		  .memsz = 0,
		  .exec = true },
		{ .offset = 0x1000,
		  .vaddr = UINT64_MAX - 0x10,
		  .filesz = 1,
		  .memsz = 0x10,
		  .write = true },
		{ .offset = 0x2000,
		  .vaddr = 0x2000,
		  .filesz = 0x1000,
		  .memsz = UINT64_MAX - 0x3000,
		  .write = true,
		  .exec = true },
	};
	const struct vmt_role_file file = {
		.backing = VMT_BACKING_FILE,
		.read = true,
		.segments = { .load = load,
			      .n = 4,
			      .has_relro = true,
			      .relro = { .vaddr = UINT64_MAX, .memsz = 0 } },
	};
	static const struct line lines[] = {
		{ 0x100, 0x101, "rw-p", 0, 0, "file", "x", NULL, "file" },
		{ 0x101, 0x102, "r--p", 1, 0, "file", "x", NULL, "file" },
		{ 0x102, 0x103, "rwxp", 2, 0, "file", "x", NULL, "text" },
	};

	CHECK(lines, .files = { &file });
}

/* Without headers only what runs is known for what it is. */
static void test_files(void **state)
{
	static const struct line lines[] = {
		{ 0x10, 0x11, "r--p", 0, 0, "file", "/lib/x", NULL, NULL },
		{ 0x11, 0x12, "r-xp", 1, 0, "file", "/lib/x", NULL, "text" },
		{ 0x12, 0x13, "rw-p", 2, 0, "file", "/lib/x", NULL, NULL },
		{ 0x13, 0x14, "---p", 2, 0, "file", "/lib/x", NULL, NULL },
		/* Nothing of it runs; in one case VmFlags say that it is no device. */
		{ 0x20, 0x21, "r--p", 0, 1, "file", "/data", NULL, NULL },
		{ 0x21, 0x22, "r--p", 0, 1, "file", "/data", "rd mr mw", "file" },
		{ 0x22, 0x23, "rw-s", 0, 1, "file", "/dev/fb0", "rd wr io pf", "device" },
		{ 0x23, 0x24, "r--p", 0, 1, "file", "/data", "rd pfx xio", "file" },
		{ 0x30, 0x31, "r--p", 0, 2, "file", "/data", NULL, "file" },
		{ 0x31, 0x32, "rw-s", 0, 3, "file", "/data", NULL, "file" },
		{ 0x32, 0x33, "rw-s", 0, 4, "file", "/dev/mem", NULL, "device" },
		{ 0x33, 0x34, "rw-p", 0, 5, "file", "/dev/zero", NULL, "anon" },
		{ 0x34, 0x35, "rwxp", 0, 5, "file", "/dev/zero", NULL, "jit" },
		{ 0x35, 0x36, "---p", 0, 5, "file", "/dev/zero", NULL, "reserved" },
		{ 0x36, 0x37, "rw-s", 0, 6, "file", "/secretmem (deleted)", NULL, "secretmem" },
		{ 0x38, 0x39, "rw-s", 0, 7, "special", "anon_inode:[perf_event]", NULL, "special" },
		{ 0x39, 0x3a, "rw-s", 0, 7, "special", "anon_inode:kvm-vcpu:0", "pf io", "device" },
	};

	CHECK(lines, .files = { NULL, NULL, &plain, &unread, &device, &zero, &secret, NULL });
}

static void b10_names_decide_nothing(void **state)
{
	static const struct line lines[] = {
		{ 0x10, 0x11, "rw-p", 0, 0, "file", "/tmp/[heap]", NULL, "file" },
		{ 0x11, 0x12, "rw-s", 0, 0, "file", "/SYSV00000000 (deleted)", NULL, "file" },
		{ 0x12, 0x13, "rw-s", 0, 1, "shmem", "/memfd:x (deleted)", NULL, "tmpfs" },
		{ 0x13, 0x14, "rw-s", 0, 1, "shmem", "/dev/zero (deleted)", NULL, "tmpfs" },
		{ 0x14, 0x15, "rw-s", 0, 2, "shmem", "/memfd:[heap] (deleted)", NULL, "memfd" },
		{ 0x15, 0x16, "rw-s", 0, 2, "shmem", "/SYSV00001234 (deleted)", NULL, "sysv" },
		{ 0x16, 0x17, "rw-s", 0, 2, "shmem", "/dev/zero (deleted)", NULL, "shared-anon" },
		{ 0x17, 0x18, "rwxs", 0, 2, "shmem", "/memfd:jit (deleted)", NULL, "memfd" },
		{ 0x18, 0x19, "rw-s", 0, 2, "shmem", "/drm mm object (deleted)", NULL, "shmem" },
		{ 0x19, 0x1a, "rw-s", 0, 3, "shmem", "/memfd:x (deleted)", NULL, "memfd" },
		{ 0x1a, 0x1b, "rw-p", 0, 0, "file", "[stack]", NULL, "file" },
		{ 0x1b, 0x1c, "rw-p", 0, -1, "anon", "[anon:[stack]]", NULL, "anon" },
		{ 0x1c, 0x1d, "rw-s", 0, 1, "special", "/dev/shm/node", "rd wr pf", "device" },
	};

	CHECK(lines, .files = { &plain, &tmpfs, &internal, NULL });
}

static void test_the_kernels_own(void **state)
{
	static const struct line lines[] = {
		{ 0x10, 0x11, "rw-p", 0, -1, "heap", "[heap]", NULL, "heap" },
		{ 0x11, 0x12, "rwxp", 0, -1, "stack", "[stack]", NULL, "stack" },
		{ 0x12, 0x13, "r--p", 0, -1, "special", "[vvar]", NULL, "vvar" },
		{ 0x13, 0x14, "r--p", 0, -1, "special", "[vvar_vclock]", "rd pf io", "vvar" },
		{ 0x14, 0x15, "r-xp", 0, -1, "vdso", "[vdso]", NULL, "vdso" },
		{ 0x15, 0x16, "--xp", 0, -1, "special", "[uprobes]", NULL, "special" },
		{ 0x16, 0x17, "rw-p", 0, 0, "hugetlb", "/anon_hugepage (deleted)", NULL,
		  "hugetlb" },
		{ 0x17, 0x18, "rw-p", 0, -1, "anon", "", "rd wr ht", "hugetlb" },
		{ 0x18, 0x19, "r-xp", 0, -1, "anon", "", NULL, "jit" },
		{ 0x19, 0x1a, "rwxp", 0, -1, "anon", "[anon:code]", NULL, "jit" },
		{ 0x1a, 0x1b, "rw-p", 0, -1, "anon", "", "rd wr ss", "shadow-stack" },
		{ UINT64_C(0xffffffffff600), UINT64_C(0xffffffffff601), "--xp", 0, -1, "special",
		  "[vsyscall]", NULL, "vsyscall" },
	};

	CHECK(lines, .files = { &internal });
}

static void test_stacks(void **state)
{
	static const uint64_t stacks[] = { 0x20 * PAGE + 8, 0x30 * PAGE - 1, 0x40 * PAGE,
					   0x58 * PAGE + 1, 0x71 * PAGE,     0x81 * PAGE };
	static const struct line lines[] = {
		{ 0x10, 0x12, "---p", 0, -1, "anon", "", NULL, "guard" },
		{ 0x12, 0x22, "rw-p", 0, -1, "anon", "", NULL, "thread-stack" },
		/* Reserved, and no stack above. */
		{ 0x22, 0x24, "---p", 0, -1, "anon", "", NULL, "reserved" },
		{ 0x25, 0x29, "---p", 0, -1, "anon", "", NULL, "guard" },
		/* The last byte of it. */
		{ 0x29, 0x30, "rw-p", 0, -1, "anon", "[anon:stack]", NULL, "thread-stack" },
		/* Right behind a stack, and with the address of one, but without a guard. */
		{ 0x30, 0x41, "rw-p", 0, -1, "anon", "", NULL, "anon" },
		/* A guard that is not next to it. */
		{ 0x50, 0x51, "---p", 0, -1, "anon", "", NULL, "reserved" },
		{ 0x52, 0x5f, "rw-p", 0, -1, "anon", "", NULL, "anon" },
		/* VM_GROWSDOWN has no other use. */
		{ 0x60, 0x61, "---p", 0, -1, "anon", "", NULL, "guard" },
		{ 0x61, 0x62, "rw-p", 0, -1, "anon", "", "rd wr gd ac", "thread-stack" },
		/* Guards within the mapping. */
		{ 0x70, 0x72, "rw-p", 0, -1, "anon", "", "rd wr gu", "thread-stack" },
		/* It cannot be written. */
		{ 0x80, 0x81, "---p", 0, -1, "anon", "", NULL, "reserved" },
		{ 0x81, 0x82, "r--p", 0, -1, "anon", "", NULL, "anon" },
		{ 0x90, 0x91, "---p", 0, -1, "anon", "", NULL, "guard" },
		{ 0x91, 0x92, "rw-p", 0, -1, "stack", "[stack]", NULL, "stack" },
	};

	CHECK(lines, .stacks = stacks, .n_stacks = VMT_ARRAY_LEN(stacks));
}

static int assign(void *arg)
{
	static const struct line lines[] = {
		{ 0x100, 0x102, "r--p", 0, 0, "file", "/lib/x", NULL, "rodata" },
		{ 0x102, 0x105, "r-xp", 2, 0, "file", "/lib/x", NULL, "text" },
	};
	const struct space s = { .lines = lines, .n = 2, .files = { &library } };
	struct vmt_map maps[2];
	uint32_t file_of[2];
	const struct vmt_role_input in = {
		.file_of = file_of, .files = s.files, .n_files = FILES, .page_size = PAGE
	};
	int r;

	rows_of(&s, maps, file_of);
	r = vmt_roles_assign(maps, s.n, &in);
	assert_true(VMT_HAS(map, role, &maps[1]) == (r == 0));
	return r;
}

static void test_failing_allocations(void **state)
{
	assert_true(unit_piece_sweep(assign, NULL) >= 5);
}

static void test_nothing(void **state)
{
	const struct vmt_role_input in = { .page_size = PAGE };

	assert_int_equal(vmt_roles_assign(NULL, 0, &in), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_library),
		cmocka_unit_test(test_a_look_into_a_library),
		cmocka_unit_test(test_merged_bss),
		cmocka_unit_test(test_hostile_segments),
		cmocka_unit_test(test_files),
		cmocka_unit_test(b10_names_decide_nothing),
		cmocka_unit_test(test_the_kernels_own),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
