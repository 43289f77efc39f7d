/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/promise.h"

#define MIB(n) ((uint64_t)(n) << 20)

static struct vmt_map shared(uint64_t inode, uint64_t offset, uint64_t size, uint64_t rss,
			     const char *flags)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, perms, &m, VMT_BYTES("rw-s"));
	VMT_SET(map, kind, &m, VMT_BYTES("shmem"));
	VMT_SET(map, path, &m, VMT_BYTES("/dev/zero (deleted)"));
	VMT_SET(map, inode, &m, inode);
	VMT_SET(map, offset_bytes, &m, offset);
	VMT_SET(map, size_bytes, &m, size);
	VMT_SET(map, rss_bytes, &m, rss);
	VMT_SET(map, vm_flags, &m, vmt_bytes_of(flags));
	return m;
}

static void test_untouched(void **state)
{
	VMT_CLEANUP(vmt_shared_anon_done) struct vmt_shared_anon a = { 0 };
	struct vmt_map maps[7];
	uint64_t v = 1;

	assert_true(vmt_shared_anon_untouched(&a, &v));
	assert_int_equal(v, 0);
	/* One object in three mappings: 8 MiB of it, of which one has 3. */
	maps[0] = shared(7, 0, MIB(4), MIB(3), "rd wr sh");
	maps[1] = shared(9, 0, MIB(2), 0, "rd wr sh");
	maps[2] = shared(7, MIB(4), MIB(4), MIB(1), "rd wr sh");
	/* Charged page by page; not shared; another file; not known. */
	maps[3] = shared(10, 0, MIB(100), 0, "rd wr sh nr");
	maps[4] = shared(11, 0, MIB(100), 0, "rd wr");
	VMT_SET(map, perms, &maps[4], VMT_BYTES("rw-p"));
	maps[5] = shared(12, 0, MIB(100), 0, "rd wr sh");
	VMT_SET(map, path, &maps[5], VMT_BYTES("/memfd:x (deleted)"));
	maps[6] = shared(13, 0, MIB(100), 0, "rd wr sh");
	VMT_UNSET(map, vm_flags, &maps[6]);
	assert_int_equal(vmt_shared_anon_add(&a, maps, 7), 0);
	assert_true(vmt_shared_anon_untouched(&a, &v));
	assert_int_equal(v, MIB(8 - 3 + 2));
	/* Another process that has touched all of it. */
	maps[1] = shared(9, 0, MIB(2), MIB(2), "rd wr sh");
	assert_int_equal(vmt_shared_anon_add(&a, &maps[1], 1), 0);
	assert_true(vmt_shared_anon_untouched(&a, &v));
	assert_int_equal(v, MIB(8 - 3));
	/* More than there can be. */
	maps[0] = shared(20, 0, UINT64_MAX - 1, 0, "rd wr sh");
	maps[1] = shared(21, 0, UINT64_MAX - 1, 0, "rd wr sh");
	assert_int_equal(vmt_shared_anon_add(&a, maps, 2), 0);
	assert_false(vmt_shared_anon_untouched(&a, &v));
}

static struct vmt_proc proc(uint64_t pid, uint64_t mm, uint64_t commit, uint64_t estimate)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, shared_mm, &p, mm);
	if (commit)
		VMT_SET(proc, commit_bytes, &p, commit);
	if (estimate)
		VMT_SET(proc, commit_estimate_bytes, &p, estimate);
	return p;
}

static void test_parts(void **state)
{
	/* The second has the address space of the first; of the last nothing is known. */
	const struct vmt_proc procs[] = {
		proc(1, 1, MIB(10), MIB(12)),
		proc(2, 1, MIB(10), MIB(12)),
		proc(3, 3, MIB(5), 0),
		proc(4, 4, 0, MIB(20)),
		proc(5, 5, 0, 0),
	};
	struct vmt_commit_part rows[VMT_COMMIT_PART_COUNT];
	struct vmt_proc huge[2] = { 0 };
	struct vmt_system s = { 0 };
	size_t i;

	VMT_SET(system, committed_bytes, &s, MIB(100));
	VMT_SET(system, shared_bytes, &s, MIB(7));
	vmt_commit_parts(&s, procs, VMT_ARRAY_LEN(procs), true, MIB(8), rows);
	assert_text(commit_part, name, &rows[VMT_COMMIT_PROCESSES], "processes");
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_PROCESSES], MIB(15));
	assert_field(commit_part, processes, &rows[VMT_COMMIT_PROCESSES], 2);
	assert_field(commit_part, committed_percent, &rows[VMT_COMMIT_PROCESSES], 15000);
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_ESTIMATED], MIB(20));
	assert_field(commit_part, processes, &rows[VMT_COMMIT_ESTIMATED], 1);
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_SHMEM], MIB(7));
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_UNTOUCHED], MIB(8));
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_REST], MIB(50));
	assert_unknown(commit_part, processes, &rows[VMT_COMMIT_REST]);

	/* Counters that are not of one moment. */
	VMT_SET(system, committed_bytes, &s, MIB(40));
	vmt_commit_parts(&s, procs, VMT_ARRAY_LEN(procs), true, MIB(8), rows);
	assert_field(commit_part, size_bytes, &rows[VMT_COMMIT_REST], -(int64_t)MIB(10));
	assert_field(commit_part, committed_percent, &rows[VMT_COMMIT_REST], -25000);

	/* A sum that no machine can have. */
	VMT_SET(proc, commit_bytes, &huge[0], INT64_MAX);
	VMT_SET(proc, commit_bytes, &huge[1], 1);
	vmt_commit_parts(&s, huge, VMT_ARRAY_LEN(huge), false, 0, rows);
	assert_unknown(commit_part, size_bytes, &rows[VMT_COMMIT_PROCESSES]);
	assert_field(commit_part, processes, &rows[VMT_COMMIT_PROCESSES], 2);

	/* What is not known is not 0. */
	vmt_commit_parts(&(struct vmt_system){ 0 }, procs, 0, false, 0, rows);
	assert_unknown(commit_part, size_bytes, &rows[VMT_COMMIT_REST]);
	assert_unknown(commit_part, size_bytes, &rows[VMT_COMMIT_SHMEM]);
	assert_unknown(commit_part, size_bytes, &rows[VMT_COMMIT_UNTOUCHED]);
	for (i = 0; i < VMT_COMMIT_PART_COUNT; i++)
		assert_unknown(commit_part, committed_percent, &rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
