/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/saved-faults.h"

#include "model/model.h"
#include "unit.h"

/* Faults of a saved machine: text in, what a probe would have counted out. */

#define END UINT64_C(5000000000)

static int parse(const char *text, struct vmt_arena *arena, struct vmt_fault_sample *ret,
		 struct vmt_err *err)
{
	vmt_arena_init(arena);
	return vmt_saved_faults_parse(vmt_bytes_of(text), END, 4096, arena, ret, err);
}

static void test_rows(void **state)
{
	static const char text[] =
		"# comment\n\nwindow 1000000000\n"
		"map 1 42 7f0000000000 7f0000010000 2000 file /srv/a b\n"
		"map 2 42 10000 20000 0 heap [heap]\n"
		"fault 10 42 43 1 7f0000001000 4011 read major file_major 2000 1 one\n"
		"fault 20 42 42 1 7f0000002000 0 write minor file_cow 500 64 two words\n"
		"fault 30 42 42 0 0 0 exec minor unknown 0 1 three";
	const struct vmt_host host = { .realtime_ns = END, .monotonic_ns = END };
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_sample f;
	struct vmt_single *rows;
	struct vmt_err err = { 0 };
	size_t n;

	assert_int_equal(parse(text, &arena, &f, &err), 0);
	assert_int_equal(f.window_ns, 1000000000);
	assert_int_equal(f.start_ns, END - 1000000000);
	assert_int_equal(f.n_maps, 2);
	assert_int_equal(f.maps[0].major, 1);
	assert_int_equal(f.maps[0].minor, 64);
	assert_int_equal(f.maps[0].latency.count, 65);
	assert_int_equal(f.maps[0].latency.max_ns, 2000);
	assert_int_equal(f.maps[1].minor, 0);
	/* The sums are the faults: of mappings, and of none. */
	assert_int_equal(f.totals.kernel_minor + f.totals.kernel_major, 66);
	assert_int_equal(f.totals.mapped, 65);
	assert_int_equal(f.totals.unattributed, 1);
	/* And they become rows as those of a probe do. */
	assert_int_equal(vmt_single_rows(&f, &host, &arena, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_true(vmt_bytes_is(rows[0].path, "/srv/a b"));
	assert_int_equal(rows[0].offset_bytes, 0x3000);
	assert_int_equal(rows[0].after_ns, 10);
	assert_true(vmt_bytes_is(rows[1].comm, "two words"));
	assert_int_equal(rows[1].faults_total, 64);
	assert_int_equal(rows[1].total_ns, 64 * 500);
	/* What is not known is not 0. */
	assert_false(VMT_HAS(single, ip, &rows[1]));
	assert_false(VMT_HAS(single, latency_ns, &rows[2]));
	assert_false(VMT_HAS(single, served, &rows[2]));
	assert_false(VMT_HAS(single, path, &rows[2]));
}

static void test_wrong(void **state)
{
	static const char *const lines[] = {
		"nonsense",
		"window",
		"window x",
		"window 5000000000",
		"map 0 42 1000 2000 0 anon",
		"map 4294967296 42 1000 2000 0 anon",
		"map 1 42 2000 2000 0 anon",
		"map 1 42 1000 2000 0 nothing",
		"map 1 42 1000",
		"fault 10 42 42 0 0 0 read minor unknown 0 1 before its window",
		"window 9\nfault 10 42 42 0 0 0 read minor unknown 0 1 behind",
		"window 9\nfault 1 42 42 0 0 0 look minor unknown 0 1 x",
		"window 9\nfault 1 42 42 0 0 0 read middle unknown 0 1 x",
		"window 9\nfault 1 42 42 0 0 0 read minor known 0 1 x",
		"window 9\nfault 1 42 42 0 0 0 read minor unknown 0 0 x",
		"window 9\nfault 1 42 42 0 0 0 read minor unknown 4294967296 1 x",
		"window 9\nfault 1 18446744073709551616 42 0 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 0 xyz 0 read minor unknown 0 1 x",
		"window 9\nfault 1 4294967296 42 0 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 x 0 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 4294967296 0 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 x 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 4294967296 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 0 0 xyz read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 0 0 0 read minor unknown x 1 x",
		"window 9\nfault 1 42 42 0 0 0 read minor unknown 0 x x",
		"window 9\nfault 1 42 42 0 0 0 read minor unknown 0 4294967296 x",
		"window 9\nfault 1x 42 42 0 0 0 read minor unknown 0 1 x",
		"window 9\nfault 1 42 42 0 10x 0 read minor unknown 0 1 x",
		"window 9\nwindow 5",
		"window 9\nfault",
		"map x 42 1000 2000 0 anon",
		"map 1 x 1000 2000 0 anon",
		"map 1 42 x 2000 0 anon",
		"map 1 42 1000 x 0 anon",
		"map 1 42 1000 2000 x anon",
	};
	struct vmt_fault_sample f;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(lines); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
		struct vmt_err err = { 0 };

		if (parse(lines[i], &arena, &f, &err) != -EINVAL)
			fail_msg("'%s' is taken", lines[i]);
		assert_int_equal(err.line, strchr(lines[i], '\n') ? 2 : 1);
	}
}

static int all_of_it(void *arg)
{
	struct vmt_fault_sample f;
	struct vmt_err err = { 0 };
	struct vmt_arena arena;
	int r = parse("window 9\nmap 1 4 1000 2000 0 file /a\n"
		      "fault 1 4 4 1 1000 0 read minor unknown 0 1 x\n",
		      &arena, &f, &err);

	vmt_arena_done(&arena);
	return r;
}

static void test_memory(void **state)
{
	assert_true(unit_piece_sweep(all_of_it, NULL) > 0);
}

/* A saved machine may have none, and those that it has are of its clock and its pages. */
static void test_read(void **state)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_sample f = { 0 };
	struct vmt_root *root = NULL;
	struct vmt_err err = { 0 };
	struct unit_dir d;

	vmt_arena_init(&arena);
	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 65536\nmonotonic_ns 5000000000\n");
	unit_dir_write(&d, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	assert_int_equal(vmt_saved_faults_read(root, &arena, &f, &err), -ENOENT);
	unit_dir_write(&d, "vmtop-faults",
		       "window 9\nfault 1 4 4 0 10000 0 exec major unknown 0 1 x\n");
	assert_int_equal(vmt_saved_faults_read(root, &arena, &f, &err), 0);
	assert_int_equal(f.n_singles, 1);
	assert_int_equal(f.singles[0].page, 65536);
	assert_int_equal(f.singles[0].first_ns, END - 9 + 1);
	unit_dir_write(&d, "vmtop-faults", "window 5000000000\n");
	assert_int_equal(vmt_saved_faults_read(root, &arena, &f, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
