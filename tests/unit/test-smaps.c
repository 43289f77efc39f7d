/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "source/maps.h"

/* A mapping of Linux 4.4 (few keys), one of 6.18 (all), one of a kernel to come, one of hugetlb,
 * one of a device. */
static const char text[] =
	"00400000-00500000 rw-p 00000000 fe:00 12                  /bin/x\n"
	"Size:               1024 kB\n"
	"Rss:                 512 kB\n"
	"Pss:                 100 kB\n"
	"Shared_Clean:        400 kB\n"
	"Shared_Dirty:         12 kB\n"
	"Private_Clean:        60 kB\n"
	"Private_Dirty:        40 kB\n"
	"Referenced:          512 kB\n"
	"Anonymous:            40 kB\n"
	"AnonHugePages:         0 kB\n"
	"Swap:                  8 kB\n"
	"KernelPageSize:        4 kB\n"
	"MMUPageSize:           4 kB\n"
	"Locked:                0 kB\n"
	"VmFlags: rd wr mr mw me ac sd \n"
	"00600000-00700000 rw-p 00000000 00:00 0 \n"
	"Size:               1024 kB\n"
	"KernelPageSize:        4 kB\n"
	"MMUPageSize:           4 kB\n"
	"Rss:                  16 kB\n"
	"Pss:                  16 kB\n"
	"Pss_Dirty:             8 kB\n"
	"Shared_Clean:          0 kB\n"
	"Shared_Dirty:          0 kB\n"
	"Private_Clean:         8 kB\n"
	"Private_Dirty:         8 kB\n"
	"Referenced:           16 kB\n"
	"Anonymous:            16 kB\n"
	"KSM:                   4 kB\n"
	"LazyFree:              1 kB\n"
	"AnonHugePages:         2 kB\n"
	"ShmemPmdMapped:        3 kB\n"
	"FilePmdMapped:         5 kB\n"
	"Shared_Hugetlb:        6 kB\n"
	"Private_Hugetlb:       7 kB\n"
	"Swap:                  9 kB\n"
	"SwapPss:              10 kB\n"
	"Locked:               11 kB\n"
	"THPeligible:           1\n"
	"ProtectionKey:        14\n"
	"VmFlags: rd wr mr mw me ac sd \n"
	"00800000-00900000 rw-p 00000000 00:00 0 \n"
	"Rss:                   4 kB\n"
	"Frobbed:               1 parsec\n"
	"Quux:\n"
	"VmFlags: rd zz ?? ss dp sl \n"
	"00a00000-00c00000 rw-p 00000000 00:0f 3          /SYSV00000001 (deleted)\n"
	"Rss:                   0 kB\n"
	"Private_Hugetlb:    2048 kB\n"
	"VmFlags: rd wr mr mw me de ht \n"
	"00d00000-00e00000 rw-s 00000000 00:06 9                  /dev/mem\n"
	"Rss:                   0 kB\n"
	"VmFlags: rd wr sh io pf \n";

static int feed(struct vmt_maps_parser *p, const char *s, size_t len, size_t piece,
		struct vmt_err *err)
{
	size_t at;
	int r;

	for (at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		char *copy = malloc(n);

		memcpy(copy, s + at, n);
		r = vmt_maps_feed(p, (struct vmt_bytes){ copy, n }, "smaps", err);
		free(copy);
		if (r < 0)
			return r;
	}
	return vmt_maps_finish(p, "smaps", err);
}

static void check_old(const struct vmt_map *m)
{
	assert_field(map, rss_bytes, m, 512 * 1024);
	assert_field(map, uss_bytes, m, 100 * 1024);
	assert_field(map, dirty_bytes, m, 52 * 1024);
	assert_field(map, file_bytes, m, 472 * 1024);
	assert_field(map, swap_bytes, m, 8 * 1024);
	assert_field(map, kernel_page_size_bytes, m, 4096);
	assert_text(map, vm_flags, m, "rd wr mr mw me ac sd");
	assert_field(map, commit_bytes, m, 1 << 20);
	assert_text(map, uffd, m, "");
	assert_text(map, kind, m, "file");
	assert_unknown(map, pss_dirty_bytes, m);
	assert_unknown(map, swap_pss_bytes, m);
	assert_unknown(map, ksm_bytes, m);
	assert_unknown(map, thp_eligible, m);
	assert_unknown(map, protection_key, m);
	assert_unknown(map, present_pages, m);
	assert_text(map, other, m, "");
}

static void check_new(const struct vmt_map *m)
{
	assert_field(map, pss_dirty_bytes, m, 8 * 1024);
	assert_field(map, ksm_bytes, m, 4 * 1024);
	assert_field(map, lazy_free_bytes, m, 1024);
	assert_field(map, anon_huge_pages_bytes, m, 2 * 1024);
	assert_field(map, shmem_pmd_mapped_bytes, m, 3 * 1024);
	assert_field(map, file_pmd_mapped_bytes, m, 5 * 1024);
	assert_field(map, shared_hugetlb_bytes, m, 6 * 1024);
	assert_field(map, private_hugetlb_bytes, m, 7 * 1024);
	assert_field(map, swap_bytes, m, 9 * 1024);
	assert_field(map, swap_pss_bytes, m, 10 * 1024);
	assert_field(map, locked_bytes, m, 11 * 1024);
	assert_field(map, thp_eligible, m, true);
	assert_field(map, protection_key, m, 14);
	assert_field(map, file_bytes, m, 0);
	assert_text(map, other, m, "");
}

/* Takes the rows so far, looks at the last, and lets go of them. */
static int take_rows(struct vmt_maps_parser *p, void *arg)
{
	struct vmt_arena a;
	struct vmt_map *maps;
	size_t n, *taken = arg;

	vmt_arena_init(&a);
	vmt_maps_take(p, &a, &maps, &n);
	assert_text(map, vm_flags, &maps[n - 1], "rd wr mr");
	*taken += n;
	free(maps);
	vmt_arena_done(&a);
	return 0;
}

static void test_flags_belong_to_the_rows(void **state)
{
	/* The same rights, mostly the same flags; rows go away between them. */
	static const char same[] = "1000-2000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr \n"
				   "2000-3000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr \n"
				   "3000-4000 r--p 00000000 00:00 0 \nVmFlags: rd \n"
				   "4000-5000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr \n"
				   "5000-6000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr lo";
	struct vmt_maps_parser p;
	struct vmt_err err = { 0 };
	struct vmt_arena a;
	size_t taken = 0;

	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 9, &a, NULL);
	assert_int_equal(feed(&p, same, strlen(same), 64, &err), 0);
	assert_int_equal(p.n_maps, 5);
	assert_text(map, vm_flags, &p.maps[0], "rd wr mr");
	assert_text(map, vm_flags, &p.maps[1], "rd wr mr");
	assert_text(map, vm_flags, &p.maps[2], "rd");
	assert_text(map, vm_flags, &p.maps[3], "rd wr mr");
	assert_text(map, vm_flags, &p.maps[4], "rd wr mr lo");
	assert_ptr_equal(p.maps[0].vm_flags.ptr, p.maps[3].vm_flags.ptr);
	vmt_maps_done(&p);
	vmt_maps_init(&p, true, 9, &a, NULL);
	p.batch = 2;
	p.full = take_rows;
	p.full_arg = &taken;
	assert_int_equal(feed(&p, same, strlen(same), 64, &err), 0);
	assert_int_equal(taken, 4);
	assert_text(map, vm_flags, &p.maps[0], "rd wr mr lo");
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

static void n01_n02_n07_all_kernels_in_any_pieces(void **state)
{
	size_t i;

	for (i = 0; i < unit_n_pieces; i++) {
		struct vmt_maps_parser p;
		struct vmt_err err = { 0 };
		struct vmt_arena a;

		vmt_arena_init(&a);
		vmt_maps_init(&p, true, 9, &a, NULL);
		assert_int_equal(feed(&p, text, strlen(text), unit_pieces[i], &err), 0);
		assert_int_equal(p.n_maps, 5);
		check_old(&p.maps[0]);
		check_new(&p.maps[1]);
		/* What a newer kernel says is kept as it is and counted, and so are flags. */
		assert_field(map, rss_bytes, &p.maps[2], 4096);
		assert_text(map, vm_flags, &p.maps[2], "rd zz ?? ss dp sl");
		assert_field(map, commit_bytes, &p.maps[2], 0);
		assert_int_equal(p.commit_bytes, 2 << 20);
		assert_false(p.no_commit);
		assert_unknown(map, uss_bytes, &p.maps[2]);
		assert_unknown(map, file_bytes, &p.maps[2]);
		assert_text(map, other, &p.maps[2], "Frobbed=\"1 parsec\" Quux=");
		assert_text(map, other, &p.maps[3], "");
		assert_int_equal(p.unknown_keys, 2);
		assert_false(p.other_dropped);
		/* The flags decide, not the name. */
		assert_text(map, kind, &p.maps[3], "hugetlb");
		assert_text(map, kind, &p.maps[4], "special");
		vmt_maps_done(&p);
		vmt_arena_done(&a);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "Rss: 4 kB\n", -EINVAL, 1 },
		{ "1000-2000 rw-p 0 00:00 0 \nRss: 4\n", -EINVAL, 2 },
		{ "1000-2000 rw-p 0 00:00 0 \nRss: -4 kB\n", -EINVAL, 2 },
		{ "1000-2000 rw-p 0 00:00 0 \nno key here\n", -EINVAL, 2 },
		{ "1000-2000 rw-p 0 00:00 0 \nPss: 1 kB\nRss: 18014398509481984 kB\n", -ERANGE, 3 },
		{ "1000-2000 rw-p 0 00:00 0 \nTHPeligible: 7\n", -EINVAL, 2 },
		{ "1000-2000 rw-p 0 00:00 0 \n1000-3000 rw-p 0 00:00 0 \n", -EINVAL, 2 },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		for (k = 0; k < unit_n_pieces; k++) {
			struct vmt_maps_parser p;
			struct vmt_err err = { 0 };
			struct vmt_arena a;

			vmt_arena_init(&a);
			vmt_maps_init(&p, true, 0, &a, NULL);
			assert_int_equal(feed(&p, cases[i].text, strlen(cases[i].text),
					      unit_pieces[k], &err),
					 cases[i].r);
			assert_int_equal(err.line, cases[i].line);
			assert_string_equal(err.path, "smaps");
			vmt_maps_done(&p);
			vmt_arena_done(&a);
		}
	}
}

/* The same lines of mappings, with keys below or without, are one list. */
static void test_print_is_that_of_maps(void **state)
{
	static const char maps[] = "1000-2000 rw-p 0 00:00 0 \n3000-4000 rw-p 0 00:00 0 \n";
	static const char smaps[] = "1000-2000 rw-p 0 00:00 0 \nRss: 4 kB\n"
				    "3000-4000 rw-p 0 00:00 0 \nRss: 0 kB\n";
	struct vmt_maps_parser p, q;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, false, 0, &a, NULL);
	vmt_maps_init(&q, true, 0, &a, NULL);
	assert_int_equal(feed(&p, maps, strlen(maps), 3, NULL), 0);
	assert_int_equal(feed(&q, smaps, strlen(smaps), 4, NULL), 0);
	assert_true(p.print == q.print);
	vmt_maps_done(&p);
	vmt_maps_done(&q);
	vmt_arena_done(&a);
}

static const char rollup[] = "00400000-7ffd3000 ---p 00000000 00:00 0                [rollup]\n"
			     "Rss:                1768 kB\n"
			     "Pss:                 466 kB\n"
			     "Pss_Dirty:           112 kB\n"
			     "Pss_Anon:            113 kB\n"
			     "Pss_File:            353 kB\n"
			     "Pss_Shmem:             0 kB\n"
			     "Shared_Clean:       1552 kB\n"
			     "Shared_Dirty:          1 kB\n"
			     "Private_Clean:       104 kB\n"
			     "Private_Dirty:       112 kB\n"
			     "Referenced:         1768 kB\n"
			     "Anonymous:           112 kB\n"
			     "SwapPss:               2 kB\n"
			     "NewThing:              1 kB\n"
			     "Locked:                0 kB\n";

static void test_rollup(void **state)
{
	struct vmt_proc p = { 0 };
	struct vmt_arena a;
	uint64_t unknown = 0;

	vmt_arena_init(&a);
	assert_int_equal(vmt_rollup_parse(vmt_bytes_of(rollup), &p, &a, &unknown, NULL), 0);
	assert_field(proc, pss_bytes, &p, 466 * 1024);
	assert_field(proc, pss_dirty_bytes, &p, 112 * 1024);
	assert_field(proc, pss_anon_bytes, &p, 113 * 1024);
	assert_field(proc, pss_file_bytes, &p, 353 * 1024);
	assert_field(proc, pss_shmem_bytes, &p, 0);
	assert_field(proc, uss_bytes, &p, 216 * 1024);
	assert_field(proc, shared_clean_bytes, &p, 1552 * 1024);
	assert_field(proc, swap_pss_bytes, &p, 2048);
	/* What cheaper files give is left to them. */
	assert_unknown(proc, rss_bytes, &p);
	assert_unknown(proc, locked_bytes, &p);
	assert_int_equal(unknown, 1);
	assert_text(proc, other, &p, "NewThing=1024");
	vmt_arena_done(&a);
}

/* One key more than there is room for: those before it stay, and it is said. */
static void test_rollup_of_many_keys(void **state)
{
	VMT_AUTO_BUF many = { 0 };
	struct vmt_proc p = { 0 };
	struct vmt_arena a;
	uint64_t unknown = 0;
	unsigned i;

	vmt_arena_init(&a);
	vmt_buf_adds(&many, "1-2 ---p 0 00:00 0 [rollup]\n");
	for (i = 0; i < VMT_OTHER_KEYS + 1; i++)
		vmt_buf_addf(&many, "New%u: %u kB\n", i, i);
	vmt_buf_adds(&many, "Pss: 4 kB\n");
	assert_int_equal(
		vmt_rollup_parse((struct vmt_bytes){ many.data, many.len }, &p, &a, &unknown, NULL),
		1);
	assert_int_equal(unknown, VMT_OTHER_KEYS + 1);
	assert_field(proc, pss_bytes, &p, 4096);
	assert_true(VMT_HAS(proc, other, &p));
	assert_non_null(strstr(p.other.ptr, "New0=0 New1=1024 "));
	assert_non_null(strstr(p.other.ptr, " New63=64512"));
	assert_null(strstr(p.other.ptr, "New64"));
	vmt_arena_done(&a);
}

static void test_rollup_of_old_kernels_and_none(void **state)
{
	struct vmt_proc p = { 0 };

	assert_int_equal(vmt_rollup_parse(VMT_BYTES("1-2 ---p 0 00:00 0 [rollup]\nPss: 4 kB\n"), &p,
					  NULL, NULL, NULL),
			 0);
	assert_field(proc, pss_bytes, &p, 4096);
	assert_unknown(proc, pss_dirty_bytes, &p);
	assert_unknown(proc, uss_bytes, &p);
	assert_text(proc, other, &p, "");
	p = (struct vmt_proc){ 0 };
	assert_int_equal(vmt_rollup_parse(VMT_BYTES(""), &p, NULL, NULL, NULL), 0);
	assert_unknown(proc, pss_bytes, &p);
	assert_unknown(proc, other, &p);
}

static void test_rollup_malformed(void **state)
{
	struct vmt_proc p = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_rollup_parse(VMT_BYTES("Pss: 4 kB\n"), &p, NULL, NULL, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	assert_int_equal(
		vmt_rollup_parse(VMT_BYTES("1-2 ---p\nRss: 1 kB\nPss: 4\n"), &p, NULL, NULL, &err),
		-EINVAL);
	assert_int_equal(err.line, 3);
}

static int parse_all(void *arg)
{
	struct vmt_maps_parser p;
	struct vmt_arena a;
	int r;

	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 1, &a, NULL);
	r = vmt_maps_feed(&p, (struct vmt_bytes){ text, 100 }, "smaps", NULL);
	if (r == 0)
		r = vmt_maps_feed(&p, vmt_bytes_of(text + 100), "smaps", NULL);
	if (r == 0)
		r = vmt_maps_finish(&p, "smaps", NULL);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
	return r;
}

static int parse_rollup(void *arg)
{
	struct vmt_proc p = { 0 };
	struct vmt_arena a;
	int r;

	vmt_arena_init(&a);
	r = vmt_rollup_parse(vmt_bytes_of(rollup), &p, &a, NULL, NULL);
	assert_true(VMT_HAS(proc, other, &p) == (r == 0));
	vmt_arena_done(&a);
	return r;
}

static void m02_failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(parse_all, NULL) >= 4);
	assert_true(unit_alloc_sweep(parse_rollup, NULL) >= 2);
}

/* A key that every mapping has with the same value is kept once for neighbours; what does not fit
 * is left out of that mapping alone. */
static void test_other_keys(void **state)
{
	VMT_AUTO_BUF smaps = { 0 };
	struct vmt_maps_parser p;
	struct vmt_arena a;
	unsigned i;

	for (i = 0; i < 3; i++)
		vmt_buf_addf(&smaps,
			     "%x000-%x000 rw-p 0 00:00 0 \nRss: 4 kB\nFuture: 12 kB\nPss: 4 kB\n"
			     "New-Ids(all): 0x7 5\nLocked: 8 kB\n",
			     i + 1, i + 2);
	vmt_buf_adds(&smaps, "7000-8000 rw-p 0 00:00 0 \nno word: 1 kB\nFuture: 1\nFuture: 2\n"
			     "8000-9000 rw-p 0 00:00 0 \nRss: 0 kB\n");
	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 1, &a, NULL);
	assert_int_equal(feed(&p, smaps.data, smaps.len, 17, NULL), 0);
	assert_int_equal(p.n_maps, 5);
	for (i = 0; i < 3; i++) {
		assert_text(map, other, &p.maps[i], "Future=12288 New-Ids(all)=\"0x7 5\"");
		assert_ptr_equal(p.maps[i].other.ptr, p.maps[0].other.ptr);
		assert_field(map, pss_bytes, &p.maps[i], 4096);
		assert_field(map, locked_bytes, &p.maps[i], 8192);
	}
	assert_text(map, other, &p.maps[3], "Future=1");
	assert_text(map, other, &p.maps[4], "");
	assert_true(p.other_dropped);
	assert_int_equal(p.unknown_keys, 3);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

/* Flags that are those of the mapping before but for their last byte. */
static void test_flags_that_are_nearly_the_same(void **state)
{
	static const char smaps[] = "1000-2000 rw-p 0 00:00 0 \nVmFlags: rd wr \n"
				    "2000-3000 rw-p 0 00:00 0 \nVmFlags: rd wr \n"
				    "3000-4000 rw-p 0 00:00 0 \nVmFlags: rd wrx\n"
				    "4000-5000 rw-p 0 00:00 0 \nVmFlags: rd wx \n";
	struct vmt_maps_parser p;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 1, &a, NULL);
	assert_int_equal(feed(&p, smaps, strlen(smaps), 4096, NULL), 0);
	assert_text(map, vm_flags, &p.maps[0], "rd wr");
	assert_text(map, vm_flags, &p.maps[1], "rd wr");
	assert_text(map, vm_flags, &p.maps[2], "rd wrx");
	assert_text(map, vm_flags, &p.maps[3], "rd wx");
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

#define LARGE "18014398509481983 kB\n"

/* Sums that no number holds are not known; what they are of is. */
static void test_sums_that_overflow(void **state)
{
	static const char smaps[] = "1000-2000 rw-p 0 00:00 0 \nPrivate_Clean: " LARGE
				    "Private_Dirty: " LARGE "Shared_Dirty: " LARGE;
	struct vmt_proc proc = { 0 };
	struct vmt_maps_parser p;
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 1, &a, NULL);
	assert_int_equal(feed(&p, smaps, strlen(smaps), 4096, NULL), 0);
	assert_true(VMT_HAS(map, private_dirty_bytes, &p.maps[0]));
	assert_unknown(map, uss_bytes, &p.maps[0]);
	assert_unknown(map, dirty_bytes, &p.maps[0]);
	vmt_maps_done(&p);
	assert_int_equal(vmt_rollup_parse(VMT_BYTES("1-2 ---p\nPrivate_Clean: " LARGE
						    "Private_Dirty: " LARGE),
					  &proc, &a, NULL, NULL),
			 0);
	assert_true(VMT_HAS(proc, private_dirty_bytes, &proc));
	assert_unknown(proc, uss_bytes, &proc);
	vmt_arena_done(&a);
}

static void test_rollup_heads(void **state)
{
	static const char *const bad[] = { "\n", "x-2 ---p\n", "1 2\n", "11112222333344445-2\n" };
	struct vmt_proc p = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_rollup_parse(vmt_bytes_of(bad[i]), &p, NULL, NULL, NULL),
				 -EINVAL);
	/* Without anybody who wants to know why. */
	assert_int_equal(vmt_rollup_parse(VMT_BYTES("1-2\nPss: x kB\n"), &p, NULL, NULL, NULL),
			 -EINVAL);
	assert_unknown(proc, pss_bytes, &p);
}

/* A number that is too long begins no key either. */
static void test_an_address_that_is_too_long(void **state)
{
	static const char smaps[] = "1000-2000 rw-p 0 00:00 0 \nRss: 4 kB\n"
				    "11112222333344445-2 rw-p 0 00:00 0 \n";
	struct vmt_maps_parser p;
	struct vmt_err err = { 0 };
	struct vmt_arena a;

	vmt_arena_init(&a);
	vmt_maps_init(&p, true, 1, &a, NULL);
	assert_int_equal(feed(&p, smaps, strlen(smaps), 4096, &err), -ERANGE);
	assert_int_equal(err.line, 3);
	vmt_maps_done(&p);
	vmt_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(n01_n02_n07_all_kernels_in_any_pieces),
		cmocka_unit_test(test_flags_belong_to_the_rows),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_print_is_that_of_maps),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_rollup),
		cmocka_unit_test(test_rollup_of_many_keys),
		cmocka_unit_test(test_rollup_of_old_kernels_and_none),
		cmocka_unit_test(test_rollup_malformed),
		cmocka_unit_test(m02_failing_allocations),
		cmocka_unit_test(test_flags_that_are_nearly_the_same),
		cmocka_unit_test(test_sums_that_overflow),
		cmocka_unit_test(test_rollup_heads),
		cmocka_unit_test(test_an_address_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
