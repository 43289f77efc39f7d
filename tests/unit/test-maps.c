/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "source/maps.h"

/* Rows of all sorts: 57 bits, vsyscall, blanks and escapes in names, names that pretend. */
static const char text[] =
	"00400000-00401000 r-xp 00000000 fe:00 12                                 /bin/a b  c \n"
	"00500000-00501000 rw-p 00000000 00:00 0 \n"
	"00501000-00602000 rw-p 00000000 00:00 0                                  [heap]\n"
	"00700000-00701000 r--p 00000000 fe:00 99                                 /tmp/[heap]\n"
	"00701000-00702000 r--s 00001000 103:1f 18446744073709551615               /a\\012b\n"
	"00800000-00900000 rw-s 00000000 00:01 1027                               /memfd:x (deleted)\n"
	"00900000-00a00000 rw-s 00000000 00:01 32769                              /SYSV0000002a (deleted)\n"
	"00a00000-00b00000 rw-s 00000000 00:01 5                                  /dev/zero (deleted)\n"
	"00b00000-00b01000 r--s 00000000 fe:00 31                                 /memfd:fake\n"
	"00b01000-00b02000 rw-p 00000000 00:00 0                                  [anon:my arena]\n"
	"00b02000-00b03000 rw-s 00000000 00:0d 77                                 anon_inode:[perf_event]\n"
	"00c00000-00e00000 rw-p 00000000 00:0f 9                                  /anon_hugepage (deleted)\n"
	"100000000000000-1fffffffffff000 ---p 00000000 00:00 0 \n"
	"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n";
static const char tail[] =
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

static const char *const kinds[] = { "file",	"anon",	   "heap",  "file", "file",
				     "shmem",	"shmem",   "shmem", "file", "anon",
				     "special", "hugetlb", "anon",  "stack" };

/* Feeds a text in pieces; the rows are left in the parser. */
static int feed(struct vmt_maps_parser *p, const char *s, size_t len, size_t piece,
		struct vmt_err *err)
{
	size_t at;
	int r;

	for (at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		char *copy = malloc(n);

		memcpy(copy, s + at, n);
		r = vmt_maps_feed(p, (struct vmt_bytes){ copy, n }, "maps", err);
		free(copy);
		if (r < 0)
			return r;
	}
	return vmt_maps_finish(p, "maps", err);
}

/* Addresses of the text above go back at the stack, which tests that want all avoid. */
static void n07_n08_rows_in_any_pieces(void **state)
{
	const char *stack = strstr(text, "7ffc");
	size_t i, k;

	for (i = 0; i < unit_n_pieces; i++) {
		struct vmt_maps_parser p;
		struct vmt_err err = { 0 };
		struct vmt_arena a;

		vmt_arena_init(&a);
		vmt_maps_init(&p, false, 42, &a, NULL);
		assert_int_equal(feed(&p, text, (size_t)(stack - text), unit_pieces[i], &err), 0);
		assert_int_equal(p.n_maps, 13);
		for (k = 0; k < p.n_maps; k++) {
			assert_field(map, pid, &p.maps[k], 42);
			assert_text(map, kind, &p.maps[k], kinds[k]);
			assert_field(map, size_bytes, &p.maps[k], p.maps[k].end - p.maps[k].start);
			assert_unknown(map, rss_bytes, &p.maps[k]);
			assert_unknown(map, vm_flags, &p.maps[k]);
		}
		assert_field(map, start, &p.maps[0], 0x400000);
		assert_field(map, end, &p.maps[0], 0x401000);
		assert_text(map, perms, &p.maps[0], "r-xp");
		assert_text(map, device, &p.maps[0], "fe:00");
		assert_field(map, inode, &p.maps[0], 12);
		assert_text(map, path, &p.maps[0], "/bin/a b  c ");
		assert_text(map, path, &p.maps[1], "");
		assert_text(map, perms, &p.maps[4], "r--s");
		assert_field(map, offset_bytes, &p.maps[4], 0x1000);
		assert_text(map, device, &p.maps[4], "103:1f");
		assert_true(p.maps[4].inode == UINT64_MAX);
		assert_text(map, path, &p.maps[4], "/a\\012b");
		assert_field(map, path_ambiguous, &p.maps[4], true);
		assert_field(map, path_ambiguous, &p.maps[0], false);
		assert_true(p.maps[12].end == UINT64_C(0x1fffffffffff000));
		vmt_maps_done(&p);
		vmt_arena_done(&a);
	}
}

/* Ranges that touch, do not, grow by a digit, and lie on both sides of 4 GiB: an address is told by
 * its neighbours where it has their digits. */
static void test_addresses_beside_each_other(void **state)
{
	static const uint64_t at[][2] = {
		{ 0x0, 0x1000 },
		{ 0x1000, 0x1001000 },
		{ 0xfffff000, 0x100000000 },
		{ 0x100000000, 0x100001000 },
		{ 0x1fffff000, 0x200001000 },
		{ 0x55d0a0000000, 0x55d0a0002000 },
		{ 0x55d0a0002000, 0x55d0a0003000 },
		{ 0x55d0a0012000, 0x55d0fffff000 },
		{ 0x55d0fffff000, 0x55d100000000 },
		{ 0x55d100000000, 0x65d100000000 },
		{ 0x65d100000000, 0x100000000001000 },
		{ 0x100000000001000, 0x1000000000000000 },
		{ 0x1000000000000000, 0x1000000000001000 },
	};
	struct vmt_maps_parser p;
	VMT_AUTO_BUF list = { 0 };
	struct vmt_arena arena;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(at); i++)
		vmt_buf_addf(&list, "%08" PRIx64 "-%08" PRIx64 " rw-p 00000000 00:00 0 \n",
			     at[i][0], at[i][1]);
	vmt_arena_init(&arena);
	vmt_maps_init(&p, false, 7, &arena, NULL);
	assert_int_equal(feed(&p, list.data, list.len, 4096, NULL), 0);
	assert_int_equal(p.n_maps, VMT_ARRAY_LEN(at));
	for (i = 0; i < p.n_maps; i++) {
		assert_true(p.maps[i].start == at[i][0]);
		assert_true(p.maps[i].end == at[i][1]);
	}
	vmt_maps_done(&p);
	vmt_arena_done(&arena);
}

/* What is no digit in the place of one is none there either. */
static void test_addresses_that_are_none(void **state)
{
	static const char good[] = "55d0a0000000-55d0a0002000 rw-p 00000000 00:00 0 \n"
				   "55d0a0002000-55d0a0003000 rw-p 00000000 00:00 0 \n";
	const char *second = strchr(good, '\n') + 1;
	size_t i;
	unsigned c;

	for (i = (size_t)(second - good); i < (size_t)(second - good) + 25; i++) {
		for (c = 0; c < 256; c++) {
			bool digit = c && strchr("0123456789abcdefABCDEF", (int)c);
			struct vmt_maps_parser p;
			struct vmt_arena arena;
			char bad[sizeof(good)];
			int r;

			memcpy(bad, good, sizeof(bad));
			if (c == '\n' || (unsigned char)bad[i] == c || digit)
				continue;
			bad[i] = (char)c;
			vmt_arena_init(&arena);
			vmt_maps_init(&p, false, 7, &arena, NULL);
			r = vmt_maps_feed(&p, (struct vmt_bytes){ bad, sizeof(bad) - 1 }, "maps",
					  NULL);
			assert_int_equal(r, -EINVAL);
			vmt_maps_done(&p);
			vmt_arena_done(&arena);
		}
	}
}

static void c05_vsyscall_is_unsigned(void **state)
{
	struct vmt_maps_parser p;
	struct vmt_arena a;
	char both[sizeof(text) + sizeof(tail)];
	const char *stack = strstr(text, "7ffc");

	strcpy(both, stack);
	strcat(both, tail);
	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 0, &a, NULL);
	assert_int_equal(feed(&p, both, strlen(both), 1, NULL), 0);
	assert_int_equal(p.n_maps, 2);
	assert_unknown(map, pid, &p.maps[0]);
	assert_text(map, kind, &p.maps[0], "stack");
	assert_text(map, kind, &p.maps[1], "special");
	assert_true(p.maps[1].start == UINT64_C(0xffffffffff600000));
	assert_field(map, size_bytes, &p.maps[1], 4096);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

static void b10_devices_decide(void **state)
{
	static const char shm[] =
		"1000-2000 rw-s 00000000 00:19 5                                  /dev/shm/x\n"
		"2000-3000 rw-s 00000000 00:20 5                                  /memfd:fake\n"
		"3000-4000 rw-s 00000000 00:21 5                                  /mnt/huge/x\n"
		"4000-5000 rw-s 00000000 00:01 5                                  [anon_shmem:x]\n"
		"5000-6000 rw-s 00000000 00:22 5           /anon_hugepage (deleted)\n";
	struct vmt_device devs[] = { { .minor = 0x19 },
				     { .minor = 0x21, .hugetlb = true },
				     { .minor = 1, .internal = true } };
	struct vmt_devices devices = { .dev = devs, .n = 3, .has_internal = true };
	struct vmt_maps_parser p;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 0, &a, &devices);
	assert_int_equal(feed(&p, shm, strlen(shm), 4096, NULL), 0);
	assert_text(map, kind, &p.maps[0], "shmem");
	/* The kernel's own mount is known, and this is not it. */
	assert_text(map, kind, &p.maps[1], "file");
	assert_text(map, kind, &p.maps[2], "hugetlb");
	assert_text(map, kind, &p.maps[3], "shmem");
	assert_text(map, kind, &p.maps[4], "hugetlb");
	vmt_maps_done(&p);
	/* So are those of huge pages, and anybody may call a file like this. */
	devices.has_internal_huge = true;
	vmt_maps_init(&p, false, 0, &a, &devices);
	assert_int_equal(feed(&p, shm, strlen(shm), 4096, NULL), 0);
	assert_text(map, kind, &p.maps[2], "hugetlb");
	assert_text(map, kind, &p.maps[4], "file");
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *line;
		int r;
	} cases[] = {
		{ "hello", -EINVAL },
		{ "1000", -EINVAL },
		{ "1000-2000", -EINVAL },
		{ "1000-2000 rw-p", -EINVAL },
		{ "1000-2000 rwzp 0 00:00 0", -EINVAL },
		{ "1000-2000 rw-p 0 0000 0", -EINVAL },
		{ "1000-2000 rw-p 0 00:00 ", -EINVAL },
		{ "1000-2000 rw-p 0 00:00 0x", -EINVAL },
		{ "2000-1000 rw-p 0 00:00 0", -EINVAL },
		{ "1000-1000 rw-p 0 00:00 0", -EINVAL },
		{ "10000000000000000-2 rw-p 0 00:00 0", -ERANGE },
		{ "1000-2000 rw-p 0 00:00 18446744073709551616", -ERANGE },
		{ "", -EINVAL },
		{ "800-1000 rw-p 0 00:00 0", -EINVAL }, /* the addresses go back */
		{ "900-2000 rw-p 0 00:00 0", -EINVAL }, /* they overlap */
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		for (k = 0; k < unit_n_pieces; k++) {
			struct vmt_maps_parser p;
			struct vmt_err err = { 0 };
			struct vmt_arena a;
			char both[256];

			strcpy(both, "900-1000 rw-p 00000000 00:00 0 \n");
			strcat(both, cases[i].line);
			strcat(both, "\n3000-4000 rw-p 00000000 00:00 0 \n");
			vmt_arena_init(&a);
			vmt_maps_init(&p, false, 0, &a, NULL);
			assert_int_equal(feed(&p, both, strlen(both), unit_pieces[k], &err),
					 cases[i].r);
			assert_int_equal(err.line, 2);
			assert_string_equal(err.path, "maps");
			/* It stays with its first error. */
			assert_int_equal(vmt_maps_finish(&p, "maps", NULL), cases[i].r);
			vmt_maps_done(&p);
			vmt_arena_done(&a);
		}
	}
}

static void b08_long_name(void **state)
{
	enum { N = 100000 };
	static char line[N + 100];
	struct vmt_maps_parser p;
	struct vmt_arena a;
	size_t i;

	strcpy(line, "1000-2000 r--p 00000000 fe:00 7 /");
	memset(line + strlen(line), 'n', N);
	for (i = 0; i < unit_n_pieces; i++) {
		vmt_arena_init(&a);
		vmt_maps_init(&p, false, 0, &a, NULL);
		assert_int_equal(feed(&p, line, strlen(line), unit_pieces[i], NULL), 0);
		assert_int_equal(p.n_maps, 1);
		assert_int_equal(p.maps[0].path.len, N + 1);
		vmt_maps_done(&p);
		vmt_arena_done(&a);
	}
}

static uint64_t print_of(const char *s)
{
	struct vmt_maps_parser p;
	struct vmt_arena a;
	uint64_t print;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 0, &a, NULL);
	assert_int_equal(feed(&p, s, strlen(s), 5, NULL), 0);
	print = p.print;
	vmt_maps_done(&p);
	vmt_arena_done(&a);
	return print;
}

static void test_print_tells_lists_apart(void **state)
{
	const char *a = "1000-2000 r--p 00000000 fe:00 7 /x\n2000-3000 rw-p 0 00:00 0 \n";

	assert_true(print_of(a) == print_of(a));
	assert_true(print_of(a) !=
		    print_of("1000-2000 r--p 00000000 fe:00 7 /x\n2000-3001 rw-p 0 00:00 0 \n"));
	assert_true(print_of(a) != print_of("1000-2000 r--p 00000000 fe:00 7 /x\n"));
	assert_true(print_of("") != print_of(a));
}

static int parse_all(void *arg)
{
	const char *stack = strstr(text, "7ffc");
	struct vmt_maps_parser p;
	struct vmt_arena a;
	char piece[7];
	size_t at, n;
	int r = 0;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 1, &a, NULL);
	for (at = 0; r == 0 && text + at < stack; at += n) {
		n = (size_t)(stack - text) - at < sizeof(piece) ? (size_t)(stack - text) - at
								: sizeof(piece);
		memcpy(piece, text + at, n);
		r = vmt_maps_feed(&p, (struct vmt_bytes){ piece, n }, "maps", NULL);
	}
	if (r == 0)
		r = vmt_maps_finish(&p, "maps", NULL);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
	return r;
}

static void m02_failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(parse_all, NULL) >= 3);
}

static void test_count_only(void **state)
{
	static const char two[] = "1000-2000 r--p 00000000 fe:00 7 /bin/x\n"
				  "2000-4000 rw-p 00000000 00:00 0 \n";
	static const char back[] = "2000-4000 rw-p 00000000 00:00 0 \n"
				   "3000-5000 rw-p 00000000 00:00 0 \n";
	struct vmt_maps_parser rows, count;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	vmt_maps_init(&rows, false, 7, &arena, NULL);
	assert_int_equal(vmt_maps_feed(&rows, VMT_BYTES(two), "maps", NULL), 0);
	assert_int_equal(vmt_maps_finish(&rows, "maps", NULL), 0);
	vmt_maps_init(&count, false, 7, NULL, NULL);
	count.count_only = true;
	assert_int_equal(vmt_maps_feed(&count, VMT_BYTES(two), "maps", NULL), 0);
	assert_int_equal(vmt_maps_finish(&count, "maps", NULL), 0);
	assert_int_equal(count.n_maps, 2);
	assert_null(count.maps);
	assert_true(count.print == rows.print);
	vmt_maps_done(&count);
	vmt_maps_done(&rows);
	vmt_arena_done(&arena);
	/* It believes no more than the other. */
	vmt_maps_init(&count, false, 7, NULL, NULL);
	count.count_only = true;
	assert_int_equal(vmt_maps_feed(&count, VMT_BYTES(back), "maps", NULL), -EINVAL);
	vmt_maps_done(&count);
}

static struct vmt_bytes kind_of(uint64_t major, uint64_t minor, uint64_t inode, const char *path)
{
	return vmt_map_kind(NULL, major, minor, inode, vmt_bytes_of(path));
}

/* Without a table of devices, names and numbers decide. */
static void test_kinds_by_name(void **state)
{
	static const struct {
		uint64_t major, minor, inode;
		const char *path;
		const char *kind;
	} cases[] = {
		{ 0, 0, 0, "[vdso]", "vdso" },
		{ 0, 0, 0, "[vvar]", "special" },
		{ 0, 0, 0, "[stack:42]", "stack" },
		{ 0, 0, 0, "[stack", "special" },
		/* A device without an inode, and the other way round, are of something. */
		{ 0, 5, 0, "[heap]", "special" },
		{ 0, 0, 7, "[heap]", "special" },
		{ 8, 0, 0, "[heap]", "file" },
		/* Eight digits, as the kernel writes a key (ipc/shm.c newseg()). */
		{ 0, 1, 7, "/SYSV0000002a (deleted)", "shmem" },
		{ 0, 1, 7, "/SYSV2a (deleted)", "file" },
		{ 0, 1, 7, "/SYSVkey", "file" },
		{ 0, 1, 7, "socket:[42]", "special" },
		{ 0, 1, 7, "(deleted)", "file" },
		{ 0, 1, 7, "", "file" },
		{ 0, 1, 7, "/home/a", "file" },
		{ 8, 1, 7, "socket:[42]", "file" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		assert_bytes(kind_of(cases[i].major, cases[i].minor, cases[i].inode, cases[i].path),
			     cases[i].kind);
}

/* Words that a newer kernel might put behind the one of a removed file: the name is kept whole, and
 * is not taken for one of the kernel's own. */
static void n09_more_behind_deleted(void **state)
{
	static const char lines[] =
		"1000-2000 r--p 00000000 08:01 7 /home/a (deleted) (moved)\n"
		"2000-3000 rw-s 00000000 00:01 7 /SYSV0000002a (deleted) (moved)\n"
		"3000-4000 rw-s 00000000 00:01 7 /dev/zero (deleted)\\040(moved)\n"
		"4000-5000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n";
	static const char *const paths[] = { "/home/a (deleted) (moved)",
					     "/SYSV0000002a (deleted) (moved)",
					     "/dev/zero (deleted)\\040(moved)",
					     "/dev/zero (deleted)" };
	struct vmt_maps_parser p;
	struct vmt_arena a;
	size_t i;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 42, &a, NULL);
	assert_int_equal(vmt_maps_feed(&p, VMT_BYTES(lines), "maps", NULL), 0);
	assert_int_equal(vmt_maps_finish(&p, "maps", NULL), 0);
	assert_int_equal(p.n_maps, VMT_ARRAY_LEN(paths));
	for (i = 0; i < p.n_maps; i++) {
		assert_text(map, path, &p.maps[i], paths[i]);
		assert_text(map, kind, &p.maps[i], i == 1 || i == 3 ? "shmem" : "file");
	}
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

/* A device of which only the offset is that of memory without a file, and one that ends too soon.
 */
static void test_places(void **state)
{
	static const struct {
		const char *line;
		int r;
	} cases[] = {
		{ "1000-2000 rw-p 00000000 00:00 01 /x", 0 },
		{ "1000-2000 rw-p", -EINVAL },
		{ "1000-2000 rw-p ", -EINVAL },
		{ "1000-2000 rw-p 0", -EINVAL },
		{ "1000-2000 rw-p 0 ", -EINVAL },
		{ "1000-2000 rw-p 0 fe", -EINVAL },
		{ "1000-2000 rw-p 0 fe:", -EINVAL },
		{ "1000-2000 rw-p 0 fe:00", -EINVAL },
		{ "1000-2000 rw-p 0 10000000000000000:00 0", -ERANGE },
		{ "1000-2000 rw-p 10000000000000000 00:00 0", -ERANGE },
		{ "1000-2000 rw", -EINVAL },
		{ "1000-2000", -EINVAL },
		{ "1000-20000000000000000 rw-p 0 00:00 0", -ERANGE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_maps_parser p;
		struct vmt_arena a;

		vmt_arena_init(&a);
		vmt_maps_init(&p, false, 0, &a, NULL);
		assert_int_equal(feed(&p, cases[i].line, strlen(cases[i].line), 4096, NULL),
				 cases[i].r);
		assert_int_equal(p.n_maps, cases[i].r ? 0 : 1);
		/* Whatever is fed to it then, it stays with its error. */
		assert_int_equal(feed(&p, "3000-4000 rw-p 0 00:00 0\n", 25, 4096, NULL),
				 cases[i].r ? cases[i].r : 0);
		vmt_maps_done(&p);
		vmt_arena_done(&a);
	}
}

/* An address that is longer than any number still is none that is remembered. */
static void test_leading_zeros(void **state)
{
	static const char list[] =
		"000000000000000001000-000000000000000002000 rw-p 00000000 00:00 0 \n"
		"000000000000000002000-000000000000000003000 rw-p 00000000 00:00 0 \n";
	struct vmt_maps_parser p;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 0, &a, NULL);
	assert_int_equal(feed(&p, list, strlen(list), 4096, NULL), 0);
	assert_int_equal(p.n_maps, 2);
	assert_field(map, start, &p.maps[1], 0x2000);
	assert_field(map, end, &p.maps[1], 0x3000);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(n07_n08_rows_in_any_pieces),
		cmocka_unit_test(test_addresses_beside_each_other),
		cmocka_unit_test(test_addresses_that_are_none),
		cmocka_unit_test(c05_vsyscall_is_unsigned),
		cmocka_unit_test(b10_devices_decide),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(b08_long_name),
		cmocka_unit_test(test_print_tells_lists_apart),
		cmocka_unit_test(m02_failing_allocations),
		cmocka_unit_test(test_count_only),
		cmocka_unit_test(test_kinds_by_name),
		cmocka_unit_test(n09_more_behind_deleted),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_leading_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
