/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/huge.h"

#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)
#define PMD	MIB(2)
#define AT	((uint64_t)0x7f0000000000)
#define UNKNOWN UINT64_MAX

static const struct vmt_thp madvise = {
	.enabled = VMT_THP_MADVISE,
	.shmem = VMT_THP_NEVER,
	.pmd_bytes = PMD,
	.has_max_ptes_none = true,
	.max_ptes_none = 511,
	.sizes = { { KIB(64), VMT_THP_ALWAYS, VMT_THP_NEVER },
		   { PMD, VMT_THP_INHERIT, VMT_THP_INHERIT } },
	.n_sizes = 2,
};

static struct vmt_map map(const char *kind, const char *path, const char *flags, uint64_t start,
			  uint64_t size, uint64_t rss, uint64_t huge)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, start);
	VMT_SET(map, end, &m, start + size);
	VMT_SET(map, size_bytes, &m, size);
	VMT_SET(map, offset_bytes, &m, 0);
	VMT_SET(map, perms, &m, VMT_BYTES("rw-p"));
	VMT_SET(map, kind, &m, vmt_bytes_of(kind));
	VMT_SET(map, path, &m, vmt_bytes_of(path));
	VMT_SET(map, vm_flags, &m, vmt_bytes_of(flags));
	VMT_SET(map, rss_bytes, &m, rss);
	VMT_SET(map, swap_bytes, &m, 0);
	VMT_SET(map, anon_huge_pages_bytes, &m, huge);
	return m;
}

static struct vmt_map eligible(struct vmt_map m, bool yes)
{
	VMT_SET(map, thp_eligible, &m, yes);
	return m;
}

/* The row of a mapping; its texts are freed with the arena. */
static struct vmt_huge judged(struct vmt_arena *arena, const struct vmt_thp *thp,
			      const struct vmt_map *m, int enabled)
{
	struct vmt_proc p = { 0 };
	struct vmt_huge row;

	VMT_SET(proc, pid, &p, 42);
	if (enabled >= 0)
		VMT_SET(proc, thp_enabled, &p, enabled != 0);
	assert_int_equal(vmt_huge_row(thp, &p, m, 4096, arena, &row), 0);
	return row;
}

static void expect(const struct vmt_thp *thp, struct vmt_map m, int enabled, const char *why,
		   uint64_t eligible_)
{
	struct vmt_arena arena;
	struct vmt_huge row;

	vmt_arena_init(&arena);
	row = judged(&arena, thp, &m, enabled);
	assert_text(huge, why, &row, why);
	if (eligible_ == UNKNOWN)
		assert_unknown(huge, eligible_bytes, &row);
	else
		assert_field(huge, eligible_bytes, &row, eligible_);
	vmt_arena_done(&arena);
}

static void test_mode(void **state)
{
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("always [madvise] never\n")),
			 VMT_THP_MADVISE);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("always inherit madvise [never]\n")),
			 VMT_THP_NEVER);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("[always] within_size advise\n")),
			 VMT_THP_ALWAYS);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("always within_size [advise] never\n")),
			 VMT_THP_MADVISE);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("[sometimes] never\n")), VMT_THP_UNKNOWN);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("always never\n")), VMT_THP_UNKNOWN);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("always [never\n")), VMT_THP_UNKNOWN);
	assert_int_equal(vmt_thp_mode_parse(VMT_BYTES("")), VMT_THP_UNKNOWN);
	assert_string_equal(vmt_thp_mode_name(VMT_THP_WITHIN_SIZE), "within_size");
}

/* Reasons that are of the mapping and its settings. */
static void test_forbidden(void **state)
{
	struct vmt_map m = map("anon", "", "rd wr", AT, MIB(8), MIB(8), 0);
	struct vmt_thp never = madvise, always = madvise;

	never.enabled = VMT_THP_NEVER;
	always.enabled = VMT_THP_ALWAYS;
	expect(&madvise, m, 1, "not_advised", 0);
	/* Without the line of the process, and without that of the mapping. */
	expect(&madvise, m, -1, "not_advised", 0);
	expect(&never, m, 1, "never", 0);
	expect(&always, map("anon", "", "rd wr nh", AT, MIB(8), MIB(8), 0), 1, "nohugepage", 0);
	expect(&always, m, 0, "prctl", 0);
	expect(&madvise, map("anon", "", "rd wr nh", AT, MIB(8), MIB(8), 0), 1, "nohugepage", 0);
	expect(&always, map("heap", "[heap]", "rd wr", AT, MIB(1), MIB(1), 0), 1, "short", 0);
	expect(&always, map("anon", "", "rd wr", AT + KIB(4), MIB(3), MIB(3), 0), 1, "unaligned",
	       0);
	/* All that hold. */
	expect(&never, map("anon", "", "rd wr nh", AT, MIB(1), 0, 0), 0,
	       "nohugepage prctl short never", 0);
	/* A size of its own setting goes before that for all. */
	always.sizes[1].anon = VMT_THP_NEVER;
	expect(&always, m, 1, "never", 0);
	never.sizes[1].anon = VMT_THP_ALWAYS;
	expect(&never, map("anon", "", "rd wr", AT, MIB(8), 0, 0), 1, "untouched", MIB(8));
	/* What it has is all that fits, whatever was said since. */
	expect(&madvise, map("anon", "", "rd wr nh", AT, MIB(8), MIB(8), MIB(8)), 1, "", 0);
	expect(&(struct vmt_thp){ .absent = true }, m, 1, "no_thp", 0);
	expect(&(struct vmt_thp){ 0 }, m, 1, "unknown", UNKNOWN);
}

static void test_other_kinds(void **state)
{
	struct vmt_thp always = madvise;
	struct vmt_map m;

	always.enabled = always.shmem = VMT_THP_ALWAYS;
	expect(&always, map("file", "/dev/mem", "rd io pf", AT, MIB(8), 0, 0), 1, "special", 0);
	expect(&always, map("vdso", "[vdso]", "rd ex", AT, KIB(8), KIB(8), 0), 1, "special", 0);
	m = map("hugetlb", "/anon_hugepage", "rd wr ht", AT, MIB(8), 0, 0);
	VMT_SET(map, shared_hugetlb_bytes, &m, 0);
	VMT_SET(map, private_hugetlb_bytes, &m, MIB(4));
	expect(&always, m, 1, "hugetlb", 0);

	m = map("shmem", "/dev/zero (deleted)", "rd wr sh", AT, MIB(8), MIB(8), 0);
	expect(&madvise, m, 1, "shmem_never", 0);
	expect(&always, m, 1, "unknown", MIB(8));
	always.shmem = VMT_THP_MADVISE;
	expect(&always, m, 1, "shmem_not_advised", 0);
	/* The option of the mount decides; the kernel knows. */
	m = map("shmem", "/dev/shm/x", "rd wr sh", AT, MIB(8), MIB(8), 0);
	expect(&always, m, 1, "unknown", UNKNOWN);
	expect(&always, eligible(m, false), 1, "unknown", 0);
	expect(&always, eligible(m, true), 1, "unknown", MIB(8));
	VMT_SET(map, shmem_pmd_mapped_bytes, &m, MIB(8));
	expect(&always, eligible(m, true), 1, "", MIB(8));

	m = map("file", "/usr/bin/x", "rd ex", AT, MIB(8), MIB(8), 0);
	expect(&always, eligible(m, false), 1, "file", 0);
	expect(&always, eligible(m, true), 1, "unknown", MIB(8));
	expect(&always, m, 1, "unknown", UNKNOWN);
	VMT_SET(map, offset_bytes, &m, KIB(4));
	expect(&always, eligible(m, false), 1, "offset", 0);
}

/* Reasons of what is allowed and is not there. */
static void test_allowed(void **state)
{
	struct vmt_thp thp = madvise;
	struct vmt_map m = map("anon", "", "rd wr hg", AT + MIB(1), MIB(8), 0, 0);

	/* Three of the pages that begin in it are whole. */
	expect(&thp, m, 1, "untouched", MIB(6));
	VMT_SET(map, rss_bytes, &m, MIB(6));
	VMT_SET(map, anon_huge_pages_bytes, &m, MIB(6));
	expect(&thp, m, 1, "", MIB(6));
	VMT_SET(map, anon_huge_pages_bytes, &m, MIB(4));
	expect(&thp, m, 1, "unknown", MIB(6));
	VMT_SET(map, rss_bytes, &m, MIB(4));
	expect(&thp, m, 1, "untouched", MIB(6));
	VMT_SET(map, swap_bytes, &m, KIB(4));
	expect(&thp, m, 1, "unknown", MIB(6));
	/* Ten pages, of which no 512 can have more than 501 holes less. */
	VMT_SET(map, swap_bytes, &m, 0);
	VMT_SET(map, rss_bytes, &m, MIB(4) + KIB(40));
	thp.max_ptes_none = 502;
	expect(&thp, m, 1, "unknown", MIB(6));
	thp.max_ptes_none = 501;
	expect(&thp, m, 1, "few_pages", MIB(6));
	VMT_SET(map, vm_flags, &m, VMT_BYTES("rd wr hg um"));
	expect(&thp, m, 1, "userfaultfd few_pages", MIB(6));
	/* The kernel says otherwise, for a reason that is not known here. */
	expect(&thp, eligible(m, false), 1, "unknown", 0);
	VMT_UNSET(map, rss_bytes, &m);
	expect(&thp, m, 1, "unknown", MIB(6));
}

static void test_sizes(void **state)
{
	struct vmt_map m = map("anon", "", "rd wr", AT, KIB(128), 0, 0);
	struct vmt_thp old = madvise;
	struct vmt_arena arena;
	struct vmt_huge row;

	vmt_arena_init(&arena);
	row = judged(&arena, &madvise, &m, 1);
	assert_text(huge, sizes, &row, "64K");
	m = map("anon", "", "rd wr hg", AT, MIB(2), 0, 0);
	row = judged(&arena, &madvise, &m, 1);
	assert_text(huge, sizes, &row, "64K 2M");
	row = judged(&arena, &madvise, &m, 0);
	assert_text(huge, sizes, &row, "");
	/* Before 6.8, and of files. */
	old.n_sizes = 0;
	row = judged(&arena, &old, &m, 1);
	assert_unknown(huge, sizes, &row);
	m = map("file", "/x", "rd", AT, MIB(2), 0, 0);
	row = judged(&arena, &madvise, &m, 1);
	assert_unknown(huge, sizes, &row);
	/* Nothing is known of a mapping whose flags are not. */
	VMT_UNSET(map, vm_flags, &m);
	row = judged(&arena, &madvise, &m, 1);
	assert_unknown(huge, why, &row);
	assert_unknown(huge, eligible_bytes, &row);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode),	    cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_other_kinds), cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
