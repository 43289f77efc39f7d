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

/* Settings that cannot be read, and those for tests, which go before all others. */
static void test_settings_of_all_sorts(void **state)
{
	struct vmt_map zero = map("shmem", "[anon_shmem:x]", "rd wr sh", AT, MIB(8), MIB(8), 0);
	struct vmt_map mount = map("shmem", "/dev/shm/x", "rd wr sh", AT, MIB(8), MIB(8), 0);
	struct vmt_map memfd = map("shmem", "/memfd:x", "rd wr sh", AT, MIB(8), MIB(8), 0);
	struct vmt_map sysv = map("shmem", "/SYSV00000000", "rd wr sh", AT, MIB(8), MIB(8), 0);
	struct vmt_map stack = map("stack", "[stack]", "rd wr", AT, MIB(8), MIB(8), 0);
	struct vmt_map file = map("file", "/x", "rd", AT, MIB(8), MIB(8), 0);
	struct vmt_thp thp = madvise;

	expect(&thp, stack, 1, "not_advised", 0);
	thp.shmem = VMT_THP_FORCE;
	expect(&thp, zero, 1, "unknown", MIB(8));
	expect(&thp, mount, 1, "unknown", MIB(8));
	expect(&thp, memfd, 1, "unknown", MIB(8));
	thp.shmem = VMT_THP_DENY;
	expect(&thp, zero, 1, "shmem_never", 0);
	expect(&thp, mount, 1, "shmem_never", 0);
	expect(&thp, sysv, 1, "shmem_never", 0);
	thp.shmem = VMT_THP_WITHIN_SIZE;
	expect(&thp, memfd, 1, "unknown", UNKNOWN);
	/* Shared memory had no settings by size before 6.11, and none had any before 6.8. */
	thp.shmem = VMT_THP_ALWAYS;
	thp.sizes[1].shmem = VMT_THP_UNKNOWN;
	expect(&thp, zero, 1, "unknown", MIB(8));
	thp.n_sizes = 1;
	expect(&thp, zero, 1, "unknown", MIB(8));
	expect(&thp, stack, 1, "not_advised", 0);
	thp.enabled = VMT_THP_UNKNOWN;
	expect(&thp, stack, 1, "unknown", UNKNOWN);
	expect(&thp, eligible(stack, true), 1, "unknown", MIB(8));
	/* A file in the place of which nothing is told, and one that is all of huge pages. */
	expect(&thp, file, 1, "unknown", UNKNOWN);
	VMT_SET(map, file_pmd_mapped_bytes, &file, MIB(8));
	expect(&thp, eligible(file, false), 1, "", 0);
}

/* A range at the end of all addresses, and one that ends before its first whole page. */
static void test_extents(void **state)
{
	struct vmt_thp always = madvise;

	always.enabled = VMT_THP_ALWAYS;
	expect(&always, map("anon", "", "rd wr", UINT64_MAX - MIB(1) + 1, KIB(512), 0, 0), 1,
	       "short", 0);
	expect(&always, map("anon", "", "rd wr", AT + KIB(4), MIB(2), 0, 0), 1, "unaligned", 0);
}

/* Memory that khugepaged leaves alone, by any of its marks. */
static void test_special(void **state)
{
	static const char *const flags[] = { "rd pf", "rd io", "rd mm" };
	struct vmt_thp always = madvise;
	size_t i;

	always.enabled = VMT_THP_ALWAYS;
	for (i = 0; i < VMT_ARRAY_LEN(flags); i++)
		expect(&always, map("anon", "", flags[i], AT, MIB(8), 0, 0), 1, "special", 0);
	expect(&always, map("special", "[vvar]", "rd", AT, MIB(8), 0, 0), 1, "special", 0);
}

/* How much of it is huge is known where all lines are, and where their sum is a number. */
static void test_huge_bytes(void **state)
{
	struct vmt_map hugetlb = map("hugetlb", "/x", "rd ht", AT, MIB(8), 0, 0);
	struct vmt_map m = map("anon", "", "rd wr", AT, MIB(8), MIB(8), MIB(2));
	struct vmt_arena arena;
	struct vmt_huge row;

	vmt_arena_init(&arena);
	row = judged(&arena, &madvise, &hugetlb, 1);
	assert_unknown(huge, huge_bytes, &row);
	VMT_SET(map, shared_hugetlb_bytes, &hugetlb, MIB(4));
	row = judged(&arena, &madvise, &hugetlb, 1);
	assert_unknown(huge, huge_bytes, &row);
	assert_text(huge, why, &row, "hugetlb");
	VMT_SET(map, private_hugetlb_bytes, &hugetlb, UINT64_MAX);
	row = judged(&arena, &madvise, &hugetlb, 1);
	assert_unknown(huge, huge_bytes, &row);

	VMT_SET(map, shmem_pmd_mapped_bytes, &m, MIB(1));
	VMT_SET(map, file_pmd_mapped_bytes, &m, MIB(3));
	row = judged(&arena, &madvise, &m, 1);
	assert_field(huge, huge_bytes, &row, MIB(6));
	VMT_SET(map, file_pmd_mapped_bytes, &m, UINT64_MAX);
	row = judged(&arena, &madvise, &m, 1);
	assert_unknown(huge, huge_bytes, &row);
	assert_text(huge, why, &row, "unknown");
	VMT_SET(map, shmem_pmd_mapped_bytes, &m, UINT64_MAX);
	row = judged(&arena, &madvise, &m, 1);
	assert_unknown(huge, huge_bytes, &row);
	VMT_UNSET(map, anon_huge_pages_bytes, &m);
	row = judged(&arena, &madvise, &m, 1);
	assert_unknown(huge, huge_bytes, &row);
	vmt_arena_done(&arena);
}

/* Figures that do not go together say nothing. */
static void test_pages_that_are_not_known(void **state)
{
	struct vmt_map m = map("anon", "", "rd wr hg", AT, MIB(8), MIB(2), MIB(4));

	expect(&madvise, m, 1, "unknown", MIB(8));
	m = map("anon", "", "rd wr hg", AT, MIB(8), MIB(4), MIB(4));
	VMT_UNSET(map, swap_bytes, &m);
	expect(&madvise, m, 1, "unknown", MIB(8));
}

/* Of sizes that no setting is known of nothing is said, but for shared memory before 6.11. */
static void test_sizes_that_are_not_known(void **state)
{
	struct vmt_map m = map("anon", "", "rd wr hg", AT, MIB(4), 0, 0);
	struct vmt_map zero = map("shmem", "/dev/zero (deleted)", "rd wr sh hg", AT, MIB(4), 0, 0);
	struct vmt_thp thp = madvise;
	struct vmt_arena arena;
	struct vmt_huge row;

	vmt_arena_init(&arena);
	thp.sizes[0].anon = VMT_THP_UNKNOWN;
	row = judged(&arena, &thp, &m, 1);
	assert_unknown(huge, sizes, &row);
	thp.sizes[0].shmem = VMT_THP_UNKNOWN;
	thp.sizes[1].shmem = VMT_THP_ALWAYS;
	row = judged(&arena, &thp, &zero, 1);
	assert_text(huge, sizes, &row, "2M");
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_settings_of_all_sorts),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_huge_bytes),
		cmocka_unit_test(test_pages_that_are_not_known),
		cmocka_unit_test(test_sizes_that_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
