/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/honest.h"

#define KIB(n) ((uint64_t)(n)*1024)

/* KiB of a mapping. */
struct sums {
	uint64_t rss, anon, lazy, clean, private;
};

static struct vmt_map mapping(struct sums k, const char *kind, const char *flags)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, perms, &m, vmt_bytes_of("rw-p"));
	VMT_SET(map, kind, &m, vmt_bytes_of(kind));
	VMT_SET(map, vm_flags, &m, vmt_bytes_of(flags));
	VMT_SET(map, rss_bytes, &m, KIB(k.rss));
	VMT_SET(map, anonymous_bytes, &m, KIB(k.anon));
	VMT_SET(map, lazy_free_bytes, &m, KIB(k.lazy));
	VMT_SET(map, shared_clean_bytes, &m, 0);
	VMT_SET(map, private_clean_bytes, &m, KIB(k.clean));
	VMT_SET(map, uss_bytes, &m, KIB(k.private));
	VMT_SET(map, private_hugetlb_bytes, &m, 0);
	return m;
}

static void check(const struct vmt_map *m, uint64_t reclaimable, uint64_t writeback, uint64_t swap,
		  uint64_t unevictable, uint64_t slack)
{
	assert_field(map, reclaimable_bytes, m, KIB(reclaimable));
	assert_field(map, writeback_bytes, m, KIB(writeback));
	assert_field(map, needs_swap_bytes, m, KIB(swap));
	assert_field(map, unevictable_bytes, m, KIB(unevictable));
	assert_field(map, reclaim_slack_bytes, m, KIB(slack));
	assert_int_equal(m->reclaimable_bytes + m->writeback_bytes + m->needs_swap_bytes +
				 m->unevictable_bytes,
			 m->rss_bytes);
}

static void anonymous_memory_needs_swap(void **state)
{
	/* 20 of the 30 clean came back from swap unmodified; 10 are LazyFree. */
	struct vmt_map m = mapping((struct sums){ 100, 100, 10, 30, 100 }, "anon", "rd wr");

	vmt_map_honest(&m);
	check(&m, 10, 0, 90, 0, 0);
	assert_field(map, freed_bytes, &m, KIB(100));
	assert_field(map, freed_slack_bytes, &m, 0);
}

static void clean_pages_of_a_file_cost_nothing(void **state)
{
	struct vmt_map m = mapping((struct sums){ 100, 0, 0, 60, 100 }, "file", "rd sh");

	vmt_map_honest(&m);
	check(&m, 60, 40, 0, 0, 0);
	/* The page cache keeps them. */
	assert_field(map, freed_bytes, &m, 0);
	assert_field(map, freed_slack_bytes, &m, 0);
}

static void a_file_in_memory_goes_to_swap(void **state)
{
	struct vmt_map m = mapping((struct sums){ 100, 0, 0, 8, 100 }, "shmem", "rd wr sh");

	vmt_map_honest(&m);
	check(&m, 8, 0, 92, 0, 0);
	assert_field(map, freed_bytes, &m, 0);
}

static void a_mix_has_slack(void **state)
{
	/* The 8 clean are the file's, most likely; they could be copies. */
	struct vmt_map m = mapping((struct sums){ 24, 16, 0, 8, 20 }, "file", "rd wr");

	vmt_map_honest(&m);
	check(&m, 8, 0, 16, 0, 8);
	assert_field(map, freed_bytes, &m, KIB(16));
	assert_field(map, freed_slack_bytes, &m, KIB(4));
}

static void nothing_takes_locked_memory(void **state)
{
	struct vmt_map m = mapping((struct sums){ 100, 50, 0, 50, 100 }, "file", "rd lo ac");

	vmt_map_honest(&m);
	check(&m, 0, 0, 0, 100, 0);
	m = mapping((struct sums){ 100, 50, 0, 50, 100 }, "file", "rd xlo lox");
	vmt_map_honest(&m);
	assert_field(map, unevictable_bytes, &m, 0);
}

static void hugetlb_is_freed_where_it_is_private(void **state)
{
	struct vmt_map m = mapping((struct sums){ 0, 0, 0, 0, 0 }, "hugetlb", "rd ht");

	VMT_SET(map, private_hugetlb_bytes, &m, KIB(2048));
	vmt_map_honest(&m);
	assert_field(map, freed_bytes, &m, KIB(2048));
	VMT_SET(map, perms, &m, vmt_bytes_of("rw-s"));
	vmt_map_honest(&m);
	assert_field(map, freed_bytes, &m, 0);
}

/* No sum of smaps gives a wrong one here: it is unknown instead. */
static void sums_that_contradict_say_nothing(void **state)
{
	const struct sums bad[] = {
		{ 100, 101, 0, 0, 0 }, { 100, 10, 11, 50, 0 }, { 100, 100, 20, 10, 0 },
		{ 100, 0, 0, 101, 0 }, { 100, 0, 0, 0, 101 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_map m = mapping(bad[i], "anon", "rd");

		vmt_map_honest(&m);
		assert_unknown(map, reclaimable_bytes, &m);
		assert_unknown(map, needs_swap_bytes, &m);
		assert_unknown(map, freed_bytes, &m);
	}
}

static void unknown_stays_unknown(void **state)
{
	struct vmt_map m = mapping((struct sums){ 100, 100, 0, 0, 100 }, "anon", "rd");

	VMT_UNSET(map, vm_flags, &m);
	vmt_map_honest(&m);
	assert_unknown(map, reclaimable_bytes, &m);
	assert_unknown(map, unevictable_bytes, &m);
	assert_field(map, freed_bytes, &m, KIB(100));
	m = mapping((struct sums){ 100, 100, 0, 0, 100 }, "anon", "rd");
	VMT_UNSET(map, lazy_free_bytes, &m);
	vmt_map_honest(&m);
	assert_unknown(map, reclaimable_bytes, &m);
	assert_unknown(map, freed_bytes, &m);
}

static struct vmt_proc process(struct sums k)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, rollup_rss_bytes, &p, KIB(k.rss));
	VMT_SET(proc, rollup_anonymous_bytes, &p, KIB(k.anon));
	VMT_SET(proc, lazy_free_bytes, &p, KIB(k.lazy));
	VMT_SET(proc, shared_clean_bytes, &p, KIB(k.clean));
	VMT_SET(proc, private_clean_bytes, &p, 0);
	VMT_SET(proc, uss_bytes, &p, KIB(k.private));
	VMT_SET(proc, private_hugetlb_bytes, &p, 0);
	VMT_SET(proc, rollup_swap_bytes, &p, KIB(40));
	VMT_SET(proc, swap_pss_bytes, &p, KIB(40));
	return p;
}

static void a_process_is_the_same_by_its_rollup(void **state)
{
	struct vmt_proc p = process((struct sums){ 1000, 600, 20, 220, 620 });

	vmt_proc_honest(&p);
	/* Without a word on shmem, nothing on what needs swap. */
	assert_field(proc, reclaimable_bytes, &p, KIB(220));
	assert_field(proc, reclaim_slack_bytes, &p, KIB(200));
	assert_unknown(proc, needs_swap_bytes, &p);
	assert_unknown(proc, writeback_bytes, &p);
	VMT_SET(proc, shmem_bytes, &p, KIB(150));
	vmt_proc_honest(&p);
	assert_field(proc, writeback_bytes, &p, KIB(50));
	assert_field(proc, needs_swap_bytes, &p, KIB(580 + 150));
	assert_field(proc, freed_bytes, &p, KIB(600));
	assert_field(proc, freed_slack_bytes, &p, KIB(600 - 220));
	/* All of the anonymous memory is its own. */
	VMT_SET(proc, pss_anon_bytes, &p, KIB(600));
	vmt_proc_honest(&p);
	assert_field(proc, freed_bytes, &p, KIB(600));
	assert_field(proc, freed_slack_bytes, &p, 0);
	VMT_SET(proc, private_hugetlb_bytes, &p, KIB(2048));
	VMT_SET(proc, pss_shmem_bytes, &p, 0);
	vmt_proc_honest(&p);
	assert_field(proc, freed_bytes, &p, KIB(2648));
	assert_field(proc, writeback_bytes, &p, KIB(200));
	assert_field(proc, needs_swap_bytes, &p, KIB(580));
}

static void shared_swap_is_not_freed(void **state)
{
	struct vmt_proc p = process((struct sums){ 0, 0, 0, 0, 0 });

	vmt_proc_honest(&p);
	assert_field(proc, freed_swap_bytes, &p, KIB(40));
	/* 10 of its own and 30 that one other has too. */
	VMT_SET(proc, swap_pss_bytes, &p, KIB(25));
	vmt_proc_honest(&p);
	assert_field(proc, freed_swap_bytes, &p, KIB(10));
	VMT_SET(proc, swap_pss_bytes, &p, KIB(5));
	vmt_proc_honest(&p);
	assert_field(proc, freed_swap_bytes, &p, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anonymous_memory_needs_swap),
		cmocka_unit_test(clean_pages_of_a_file_cost_nothing),
		cmocka_unit_test(a_file_in_memory_goes_to_swap),
		cmocka_unit_test(a_mix_has_slack),
		cmocka_unit_test(nothing_takes_locked_memory),
		cmocka_unit_test(hugetlb_is_freed_where_it_is_private),
		cmocka_unit_test(sums_that_contradict_say_nothing),
		cmocka_unit_test(unknown_stays_unknown),
		cmocka_unit_test(a_process_is_the_same_by_its_rollup),
		cmocka_unit_test(shared_swap_is_not_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
