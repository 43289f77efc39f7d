/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "model/map-strips.h"

#define PAGE UINT64_C(4096)

static struct vmt_map map(uint64_t start, uint64_t pages, const char *role, const char *path)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, start);
	VMT_SET(map, end, &m, start + pages * PAGE);
	VMT_SET(map, size_bytes, &m, pages * PAGE);
	VMT_SET(map, rss_bytes, &m, pages / 2 * PAGE);
	VMT_SET(map, swap_bytes, &m, PAGE);
	VMT_SET(map, role, &m, vmt_bytes_of(role));
	VMT_SET(map, path, &m, vmt_bytes_of(path));
	return m;
}

static void sorts(void **state)
{
	struct vmt_map m = map(0, 1, "relro", "");

	assert_int_equal(vmt_map_sort_of(&m), VMT_MAP_SORT_DATA);
	/* A role of a later version is no reason to guess. */
	m.role = VMT_BYTES("other");
	assert_int_equal(vmt_map_sort_of(&m), VMT_MAP_SORT_UNKNOWN);
	VMT_UNSET(map, role, &m);
	assert_int_equal(vmt_map_sort_of(&m), VMT_MAP_SORT_UNKNOWN);
	VMT_SET(map, kind, &m, VMT_BYTES("heap"));
	assert_int_equal(vmt_map_sort_of(&m), VMT_MAP_SORT_HEAP);
	assert_int_equal(vmt_map_sort_letter(VMT_MAP_SORT_HEAP), 'H');
	assert_int_equal(vmt_map_sort_letter(VMT_MAP_SORTS), '?');
}

/* Few are what they are, with what is between them. */
static void few(void **state)
{
	struct vmt_map maps[] = { map(0x1000, 1, "text", "/a"), map(0x2000, 2, "data", "/a"),
				  map(0x9000, 1, "heap", "[heap]") };
	struct vmt_map_strip *s;
	struct vmt_arena arena;
	size_t n;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_map_strips(maps, 3, 3, &arena, &s, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(s[0].gap, 0);
	assert_int_equal(s[1].gap, 0);
	assert_int_equal(s[2].gap, 0x5000);
	assert_int_equal(s[1].resident, PAGE);
	assert_int_equal(s[2].sort, VMT_MAP_SORT_HEAP);
	assert_int_equal(vmt_map_strips(maps, 0, 3, &arena, &s, &n), 0);
	assert_int_equal(n, 0);
	vmt_arena_done(&arena);
}

/* Stacks with their guards are stacks; parts of a file are that file; at the end there is one. */
static void folded(void **state)
{
	struct vmt_map maps[] = {
		map(0x1000, 1, "text", "/a"),	map(0x2000, 1, "data", "/a"),
		map(0x10000, 1, "guard", ""),	map(0x11000, 1, "thread-stack", ""),
		map(0x20000, 1, "guard", ""),	map(0x21000, 1, "thread-stack", ""),
		map(0x40000000, 1, "anon", ""),
	};
	struct vmt_map_strip *s;
	struct vmt_arena arena;
	size_t n;

	VMT_UNSET(map, rss_bytes, &maps[3]);
	vmt_arena_init(&arena);
	assert_int_equal(vmt_map_strips(maps, 7, 4, &arena, &s, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(s[2].sort, VMT_MAP_SORT_STACK);
	assert_int_equal(s[2].n, 4);
	assert_int_equal(s[2].size, 4 * PAGE);
	assert_int_equal(s[2].end, 0x22000);
	assert_int_equal(s[2].gap, 0xd000);
	assert_int_equal(s[2].within, 0xe000);
	/* Of one of them it is not known. */
	assert_false(s[2].has_resident);
	assert_true(s[2].has_swapped);
	assert_int_equal(vmt_map_strips(maps, 7, 3, &arena, &s, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(s[0].sort, VMT_MAP_SORT_IMAGE);
	assert_true(s[0].one_file);
	assert_int_equal(vmt_map_strips(maps, 7, 1, &arena, &s, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(s[0].sort, VMT_MAP_SORT_VARIOUS);
	assert_int_equal(s[0].n, 7);
	vmt_arena_done(&arena);
}

/* Whatever is mapped: never more than were asked for, nothing lost, nothing twice, in order. */
static void thousands(void **state)
{
	static const char *const roles[] = { "text", "data", "guard", "anon", "file", "heap" };
	static const char *const paths[] = { "/a", "/b", "", "/c" };
	enum { N = 3000 };
	struct vmt_map *maps = calloc(N, sizeof(*maps));
	uint64_t at = PAGE, size = 0, resident = 0;
	struct vmt_map_strip *s;
	struct vmt_arena arena;
	uint32_t seed = 1;
	size_t i, most, n;

	assert_non_null(maps);
	for (i = 0; i < N; i++) {
		uint64_t pages;

		seed = seed * 1664525 + 1013904223;
		pages = UINT64_C(1) << (seed >> 28);
		maps[i] = map(at, pages, roles[(seed >> 8) % 6], paths[(seed >> 16) % 4]);
		size += maps[i].size_bytes;
		resident += maps[i].rss_bytes;
		at = maps[i].end + ((seed >> 12) % 5 ? 0 : (uint64_t)seed << (seed % 14));
	}
	for (most = 1; most < N; most = most * 3 + 1) {
		uint64_t sum = 0, sum_resident = 0, span = maps[0].start;
		size_t next = 0;

		vmt_arena_init(&arena);
		assert_int_equal(vmt_map_strips(maps, N, most, &arena, &s, &n), 0);
		assert_in_range(n, 1, most);
		for (i = 0; i < n; i++) {
			assert_int_equal(s[i].first, next);
			next += s[i].n;
			sum += s[i].size;
			sum_resident += s[i].resident;
			span += s[i].gap;
			assert_int_equal(s[i].start, span);
			span += s[i].size + s[i].within;
			assert_int_equal(s[i].end, span);
		}
		assert_int_equal(next, N);
		assert_int_equal(sum, size);
		assert_int_equal(sum_resident, resident);
		vmt_arena_done(&arena);
	}
	free(maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts),
		cmocka_unit_test(few),
		cmocka_unit_test(folded),
		cmocka_unit_test(thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
