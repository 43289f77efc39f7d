/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/parts.h"

#define KIB(n) ((uint64_t)(n)*1024)
#define MIB(n) (KIB(n) * 1024)

/* A machine of 1000 MiB of which every part is known. */
static struct vmt_system machine(void)
{
	struct vmt_system s = { 0 };

	VMT_SET(system, total_bytes, &s, MIB(1000));
	VMT_SET(system, free_bytes, &s, MIB(500));
	VMT_SET(system, pcp_bytes, &s, MIB(1));
	VMT_SET(system, anon_bytes, &s, MIB(100));
	VMT_SET(system, cached_bytes, &s, MIB(200));
	VMT_SET(system, shared_bytes, &s, MIB(30));
	VMT_SET(system, dirty_bytes, &s, MIB(20));
	VMT_SET(system, writeback_bytes, &s, MIB(10));
	VMT_SET(system, buffers_bytes, &s, MIB(5));
	VMT_SET(system, swap_cached_bytes, &s, 0);
	VMT_SET(system, slab_reclaimable_bytes, &s, MIB(40));
	VMT_SET(system, slab_unreclaimable_bytes, &s, MIB(20));
	VMT_SET(system, kreclaimable_bytes, &s, MIB(43));
	VMT_SET(system, kernel_stack_bytes, &s, MIB(2));
	VMT_SET(system, vmalloc_used_bytes, &s, MIB(9));
	VMT_SET(system, page_tables_bytes, &s, MIB(4));
	VMT_SET(system, percpu_bytes, &s, MIB(3));
	VMT_SET(system, hugetlb_bytes, &s, MIB(16));
	return s;
}

static int64_t part(const struct vmt_system *s, enum vmt_part_id id)
{
	struct vmt_part rows[VMT_PART_COUNT];

	vmt_parts(s, 4096, rows);
	assert_true(VMT_HAS(part, size_bytes, &rows[id]));
	return rows[id].size_bytes;
}

static bool is_known(const struct vmt_system *s, enum vmt_part_id id)
{
	struct vmt_part rows[VMT_PART_COUNT];

	vmt_parts(s, 4096, rows);
	return VMT_HAS(part, size_bytes, &rows[id]);
}

/* Whatever is known: the sum is MemTotal, to the byte. */
static void sums(const struct vmt_system *s)
{
	struct vmt_part rows[VMT_PART_COUNT];
	int64_t sum = 0;
	size_t i;

	vmt_parts(s, 4096, rows);
	for (i = 0; i < VMT_PART_COUNT; i++)
		if (VMT_HAS(part, size_bytes, &rows[i]))
			sum += rows[i].size_bytes;
	assert_int_equal(sum, s->total_bytes);
}

static void the_parts_are_all_of_it(void **state)
{
	struct vmt_system s = machine();

	sums(&s);
	assert_int_equal(part(&s, VMT_PART_CLEAN), MIB(140));
	assert_int_equal(part(&s, VMT_PART_DIRTY), MIB(20));
	assert_int_equal(part(&s, VMT_PART_WRITEBACK), MIB(10));
	assert_int_equal(part(&s, VMT_PART_OTHER_REC), MIB(3));
	/* Stacks lie in it. */
	assert_int_equal(part(&s, VMT_PART_VMALLOC), MIB(7));
	assert_int_equal(part(&s, VMT_PART_UNACCOUNTED), MIB(1000 - 901));
	vmt_system_derive(&s, 4096);
	assert_true(VMT_HAS(system, unaccounted_bytes, &s));
	assert_int_equal(s.unaccounted_bytes, MIB(99));
}

static void stacks_may_lie_elsewhere(void **state)
{
	struct vmt_system s = machine();

	VMT_SET(system, vmalloc_used_bytes, &s, MIB(1));
	assert_int_equal(part(&s, VMT_PART_STACKS), MIB(2));
	assert_int_equal(part(&s, VMT_PART_VMALLOC), MIB(1));
	sums(&s);
}

static void dirty_pages_of_devices_are_not_of_files(void **state)
{
	struct vmt_system s = machine();

	VMT_SET(system, dirty_bytes, &s, MIB(165));
	assert_int_equal(part(&s, VMT_PART_DIRTY), MIB(165));
	assert_int_equal(part(&s, VMT_PART_WRITEBACK), MIB(5));
	assert_int_equal(part(&s, VMT_PART_CLEAN), 0);
	sums(&s);
	VMT_SET(system, dirty_bytes, &s, MIB(999));
	assert_int_equal(part(&s, VMT_PART_DIRTY), MIB(170));
	sums(&s);
}

static void swap_cache_is_counted_once(void **state)
{
	struct vmt_system s = machine();

	VMT_SET(system, swap_cached_bytes, &s, MIB(8));
	assert_false(is_known(&s, VMT_PART_SWAP_CACHE));
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
	/* 305 MiB are in use; the lists have 3 more. */
	VMT_SET(system, active_anon_bytes, &s, MIB(100));
	VMT_SET(system, inactive_anon_bytes, &s, MIB(33));
	VMT_SET(system, active_file_bytes, &s, MIB(100));
	VMT_SET(system, inactive_file_bytes, &s, MIB(75));
	VMT_SET(system, unevictable_bytes, &s, 0);
	assert_int_equal(part(&s, VMT_PART_SWAP_CACHE), MIB(3));
	sums(&s);
	/* All of it is mapped; or the lists have much more than swap cache can be. */
	VMT_SET(system, inactive_anon_bytes, &s, MIB(1));
	assert_int_equal(part(&s, VMT_PART_SWAP_CACHE), 0);
	VMT_SET(system, inactive_anon_bytes, &s, MIB(90));
	assert_int_equal(part(&s, VMT_PART_SWAP_CACHE), MIB(8));
	sums(&s);
}

static void what_is_unknown_is_no_part(void **state)
{
	struct vmt_system s = machine();

	VMT_UNSET(system, percpu_bytes, &s);
	assert_false(is_known(&s, VMT_PART_PERCPU));
	assert_int_equal(part(&s, VMT_PART_UNACCOUNTED), MIB(102));
	assert_false(is_known(&s, VMT_PART_SECRETMEM));
	assert_false(is_known(&s, VMT_PART_ZRAM));
	sums(&s);
	VMT_UNSET(system, anon_bytes, &s);
	assert_false(is_known(&s, VMT_PART_ANON));
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
	s = machine();
	VMT_UNSET(system, total_bytes, &s);
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
	/* A contradiction. */
	s = machine();
	VMT_SET(system, shared_bytes, &s, MIB(201));
	assert_false(is_known(&s, VMT_PART_CLEAN));
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
}

static void parts_may_be_more_than_all(void **state)
{
	struct vmt_system s = machine();

	VMT_SET(system, free_bytes, &s, MIB(700));
	assert_int_equal(part(&s, VMT_PART_UNACCOUNTED), -(int64_t)MIB(101));
	sums(&s);
	VMT_SET(system, free_bytes, &s, UINT64_MAX);
	assert_false(is_known(&s, VMT_PART_FREE));
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
}

static void c18_sums_that_do_not_fit_are_unknown(void **state)
{
	struct vmt_system s = machine();
	struct vmt_commit c = { 0 };

	VMT_SET(system, shadow_call_stack_bytes, &s, UINT64_MAX - MIB(1));
	VMT_SET(system, gpu_active_bytes, &s, UINT64_MAX - 4096);
	VMT_SET(system, gpu_reclaim_bytes, &s, 8192);
	assert_false(is_known(&s, VMT_PART_STACKS));
	assert_false(is_known(&s, VMT_PART_GPU));
	assert_false(is_known(&s, VMT_PART_UNACCOUNTED));
	s = machine();
	VMT_SET(system, swap_cached_bytes, &s, 4096);
	VMT_SET(system, active_anon_bytes, &s, UINT64_MAX);
	VMT_SET(system, inactive_anon_bytes, &s, 4096);
	VMT_SET(system, active_file_bytes, &s, 0);
	VMT_SET(system, inactive_file_bytes, &s, 0);
	VMT_SET(system, unevictable_bytes, &s, 0);
	assert_false(is_known(&s, VMT_PART_SWAP_CACHE));
	VMT_SET(commit, overcommit_memory, &c, 0);
	VMT_SET(system, swap_total_bytes, &s, UINT64_MAX);
	vmt_commit_derive(&c, &s, 4096);
	assert_false(VMT_HAS(commit, largest_bytes, &c));
}

static void changes_are_between_known_parts(void **state)
{
	struct vmt_part now[VMT_PART_COUNT], before[VMT_PART_COUNT];
	struct vmt_system s = machine();

	vmt_parts(&s, 4096, before);
	VMT_SET(system, free_bytes, &s, MIB(490));
	VMT_UNSET(system, percpu_bytes, &s);
	vmt_parts(&s, 4096, now);
	vmt_parts_change(now, before);
	assert_int_equal(now[VMT_PART_FREE].change_bytes, -(int64_t)MIB(10));
	assert_int_equal(now[VMT_PART_UNACCOUNTED].change_bytes, MIB(13));
	assert_false(VMT_HAS(part, change_bytes, &now[VMT_PART_PERCPU]));
	assert_int_equal(now[VMT_PART_FREE].total_percent, 49000);
}

static struct vmt_commit settings(uint64_t mode, uint64_t ratio, uint64_t bytes)
{
	struct vmt_commit c = { 0 };

	VMT_SET(commit, overcommit_memory, &c, mode);
	VMT_SET(commit, overcommit_ratio, &c, ratio);
	VMT_SET(commit, overcommit_bytes, &c, bytes);
	return c;
}

static void what_may_be_promised(void **state)
{
	struct vmt_system s = machine();
	struct vmt_commit c = settings(0, 50, 0);

	VMT_SET(system, swap_total_bytes, &s, MIB(100));
	VMT_SET(system, commit_limit_bytes, &s, MIB(592));
	VMT_SET(system, committed_bytes, &s, MIB(400));
	vmt_commit_derive(&c, &s, 4096);
	assert_true(vmt_bytes_is(c.policy, "heuristic"));
	assert_int_equal(c.largest_bytes, MIB(1100));
	/* (1000 - 16) / 2 + 100 */
	assert_int_equal(c.commit_limit_derived_bytes, MIB(592));
	assert_int_equal(c.commit_limit_residual_bytes, 0);
	c = settings(1, 50, 0);
	vmt_commit_derive(&c, &s, 4096);
	assert_false(VMT_HAS(commit, largest_bytes, &c));
	c = settings(2, 50, MIB(7) + 1);
	vmt_commit_derive(&c, &s, 4096);
	assert_true(vmt_bytes_is(c.policy, "never"));
	assert_int_equal(c.largest_bytes, MIB(192));
	assert_int_equal(c.commit_limit_derived_bytes, MIB(107));
	assert_int_equal(c.commit_limit_residual_bytes, -(int64_t)MIB(485));
	VMT_SET(system, committed_bytes, &s, MIB(600));
	vmt_commit_derive(&c, &s, 4096);
	assert_int_equal(c.largest_bytes, 0);
	c = settings(3, 50, 0);
	vmt_commit_derive(&c, &s, 4096);
	assert_false(VMT_HAS(commit, policy, &c));
	assert_false(VMT_HAS(commit, largest_bytes, &c));
}

static struct vmt_pressure stalled(const char *resource, const char *kind, uint64_t ns)
{
	struct vmt_pressure p = { 0 };

	VMT_SET(pressure, resource, &p, vmt_bytes_of(resource));
	VMT_SET(pressure, kind, &p, vmt_bytes_of(kind));
	VMT_SET(pressure, stalled_total_ns, &p, ns);
	return p;
}

static void pressure_of_the_interval(void **state)
{
	struct vmt_pressure before[] = { stalled("memory", "some", 5000000000),
					 stalled("io", "some", 9000000000) };
	struct vmt_pressure now[] = { stalled("io", "some", 8000000000),
				      stalled("memory", "some", 5500000000),
				      stalled("memory", "full", 1) };

	vmt_pressure_rates(now, 3, before, 2, 2000000000);
	/* A counter that went back. */
	assert_false(VMT_HAS(pressure, stalled_percent, &now[0]));
	assert_int_equal(now[1].stalled_percent, 25000);
	assert_false(VMT_HAS(pressure, stalled_percent, &now[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_are_all_of_it),
		cmocka_unit_test(stacks_may_lie_elsewhere),
		cmocka_unit_test(dirty_pages_of_devices_are_not_of_files),
		cmocka_unit_test(swap_cache_is_counted_once),
		cmocka_unit_test(what_is_unknown_is_no_part),
		cmocka_unit_test(parts_may_be_more_than_all),
		cmocka_unit_test(c18_sums_that_do_not_fit_are_unknown),
		cmocka_unit_test(changes_are_between_known_parts),
		cmocka_unit_test(what_may_be_promised),
		cmocka_unit_test(pressure_of_the_interval),
	};

	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
