/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/sample.h"
#include "source/machine.h"
#include "source/root.h"

static int parse(const char *text, struct vmt_pressure rows[2], size_t *n, struct vmt_err *err)
{
	*n = 99;
	return vmt_pressure_parse(vmt_bytes_of(text), "io", rows, n, err);
}

static void two_lines(void **state)
{
	struct vmt_pressure rows[2];
	size_t n;

	assert_int_equal(parse("some avg10=0.37 avg60=12.30 avg300=100.00 total=56201\n"
			       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
			       rows, &n, NULL),
			 0);
	assert_int_equal(n, 2);
	assert_true(vmt_bytes_is(rows[0].resource, "io") && vmt_bytes_is(rows[0].kind, "some"));
	assert_int_equal(rows[0].avg10_percent, 370);
	assert_int_equal(rows[0].avg60_percent, 12300);
	assert_int_equal(rows[0].avg300_percent, 100000);
	assert_int_equal(rows[0].stalled_total_ns, 56201000);
	assert_true(vmt_bytes_is(rows[1].kind, "full"));
	assert_int_equal(rows[1].stalled_total_ns, 0);
	assert_false(VMT_HAS(pressure, stalled_percent, &rows[0]));
}

static void keys_that_are_there(void **state)
{
	struct vmt_pressure rows[2];
	size_t n;

	/* Before 5.13 cpu had no line "full"; what is not known is none of ours. */
	assert_int_equal(
		parse("some avg10=1.00 new=x avg5=0.10 total=1\nmost avg10=oops\n", rows, &n, NULL),
		0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].avg10_percent, 1000);
	assert_false(VMT_HAS(pressure, avg60_percent, &rows[0]));
	assert_int_equal(parse("", rows, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void malformed(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "some avg10=\n", -EINVAL, 1 },
		{ "some avg10=1\n", -EINVAL, 1 },
		{ "some avg10=1.0\n", -EINVAL, 1 },
		{ "some avg10=1.000\n", -EINVAL, 1 },
		{ "some avg10=-1.00\n", -EINVAL, 1 },
		{ "some avg10\n", -EINVAL, 1 },
		{ "some total=5x\n", -EINVAL, 1 },
		{ "some total=1\nfull total=99999999999999999999\n", -ERANGE, 2 },
		{ "some total=18446744073709551615\n", -ERANGE, 1 },
		{ "some avg10=99999999999999999.00\n", -ERANGE, 1 },
		{ "some avg10=1.2x\n", -EINVAL, 1 },
		{ "some avg10=1.xx\n", -EINVAL, 1 },
		{ "some avg10=18446744073709551.99\n", -ERANGE, 1 },
		{ "some total=1\nsome total=1\nfull total=1\n", -EINVAL, 3 },
	};
	struct vmt_pressure rows[2];
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_err err = { 0 };

		assert_int_equal(parse(cases[i].text, rows, &n, &err), cases[i].r);
		assert_int_equal(err.line, cases[i].line);
		assert_int_equal(n, 99);
	}
}

static void settings(void **state)
{
	static const char *const bad[] = { "", "\n", "x\n", "1x\n", "1\n2\n", "-1\n", "1 2\n" };
	uint64_t v = 7;
	size_t i;

	assert_int_equal(vmt_setting_parse(vmt_bytes_of("50\n"), &v), 0);
	assert_int_equal(v, 50);
	assert_int_equal(vmt_setting_parse(vmt_bytes_of(" 0"), &v), 0);
	assert_int_equal(v, 0);
	v = 7;
	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_setting_parse(vmt_bytes_of(bad[i]), &v), -EINVAL);
	assert_int_equal(vmt_setting_parse(vmt_bytes_of("99999999999999999999\n"), &v), -ERANGE);
	assert_int_equal(v, 7);
}

static void zram(void **state)
{
	static const char *const bad[] = { "", "1 2\n", "1 2 x\n", "1 2 3x\n", "a b c\n" };
	uint64_t data = 7, used = 7;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_zram_parse(vmt_bytes_of(bad[i]), &data, &used), -EINVAL);
	assert_true(data == 7 && used == 7);
	assert_int_equal(vmt_zram_parse(vmt_bytes_of(" 4096       74    12288        0    12288   "
						     "     0        0        0\n"),
					&data, &used),
			 0);
	assert_int_equal(data, 4096);
	assert_int_equal(used, 12288);
}

/* A saved machine of these files, and a sample of what was found there. */
static struct vmt_sample *collect(const struct unit_dir *d,
				  int (*fn)(const struct vmt_root *root, struct vmt_sample *s),
				  uint64_t zs_pages)
{
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_root *root = NULL;

	assert_non_null(s);
	unit_dir_write(d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(d, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(d->path, &root, NULL), 0);
	if (zs_pages) {
		VMT_SET(system, zs_pages, &s->system, zs_pages);
		VMT_SET(system, zswap_bytes, &s->system, 8192);
	}
	assert_int_equal(fn(root, s), 0);
	vmt_root_unref(root);
	return s;
}

static void settings_of_a_machine(void **state)
{
	struct vmt_sample *s;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "proc/sys/vm/overcommit_memory", "2\n");
	unit_dir_write(&d, "proc/sys/vm/overcommit_ratio", "oops\n");
	unit_dir_write(&d, "proc/sys/vm/admin_reserve_kbytes", "8192\n");
	/* More than there are bytes. */
	unit_dir_write(&d, "proc/sys/vm/user_reserve_kbytes", "18446744073709551615\n");
	s = collect(&d, vmt_collect_overcommit, 0);
	assert_field(commit, overcommit_memory, &s->commit, 2);
	assert_field(commit, admin_reserve_bytes, &s->commit, 8192 * 1024);
	assert_unknown(commit, overcommit_ratio, &s->commit);
	assert_unknown(commit, overcommit_bytes, &s->commit);
	assert_unknown(commit, user_reserve_bytes, &s->commit);
	assert_int_equal(s->sources[VMT_SOURCE_OVERCOMMIT].reads, 2);
	assert_non_null(strstr(s->sources[VMT_SOURCE_OVERCOMMIT].reason, "user_reserve_kbytes"));
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

static void pressure_of_a_machine(void **state)
{
	struct vmt_sample *s;
	struct unit_dir d;

	unit_dir_make(&d);
	unit_dir_write(&d, "proc/pressure/memory", "some total=5\nfull total=1\n");
	unit_dir_write(&d, "proc/pressure/io", "some total=x\n");
	s = collect(&d, vmt_collect_pressure, 0);
	assert_int_equal(s->n_pressure, 2);
	assert_text(pressure, resource, &s->pressure[1], "memory");
	assert_field(pressure, stalled_total_ns, &s->pressure[1], 1000);
	assert_int_equal(s->sources[VMT_SOURCE_PRESSURE].reads, 1);
	assert_true(s->sources[VMT_SOURCE_PRESSURE].reason[0]);
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

#define BLOCK "sys/devices/virtual/block/"

static void zram_of_a_machine(void **state)
{
	struct vmt_sample *s;
	struct unit_dir d;

	unit_dir_make(&d);
	/* No directory, and zswap holds less than zsmalloc has: there are devices that are not
	 * seen. Where it holds as much, there are none. */
	s = collect(&d, vmt_collect_zram, 3);
	assert_unknown(system, zram_bytes, &s->system);
	assert_int_equal(s->sources[VMT_SOURCE_ZRAM].error, -ENOENT);
	vmt_sample_free(s);
	s = collect(&d, vmt_collect_zram, UINT64_MAX);
	assert_unknown(system, zram_bytes, &s->system);
	vmt_sample_free(s);
	s = collect(&d, vmt_collect_zram, 2);
	assert_field(system, zram_bytes, &s->system, 0);
	assert_field(system, zram_data_bytes, &s->system, 0);
	vmt_sample_free(s);
	s = collect(&d, vmt_collect_zram, 0);
	assert_unknown(system, zram_bytes, &s->system);
	vmt_sample_free(s);

	unit_dir_write(&d, BLOCK "loop0/mm_stat", "x\n");
	unit_dir_write(&d, BLOCK "zramx/mm_stat", "x\n");
	unit_dir_write(&d, BLOCK "zram7/other", "x\n");
	s = collect(&d, vmt_collect_zram, 3);
	assert_field(system, zram_bytes, &s->system, 0);
	assert_int_equal(s->sources[VMT_SOURCE_ZRAM].reads, 1);
	vmt_sample_free(s);
	unit_dir_write(&d, BLOCK "zram0/mm_stat", "4096 74 12288 0\n");
	unit_dir_write(&d, BLOCK "zram1/mm_stat", "1 1 2 0\n");
	s = collect(&d, vmt_collect_zram, 3);
	assert_field(system, zram_bytes, &s->system, 12290);
	assert_field(system, zram_data_bytes, &s->system, 4097);
	assert_int_equal(s->sources[VMT_SOURCE_ZRAM].reads, 2);
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

static void zram_that_is_malformed(void **state)
{
	static const char *const bad[] = { "x\n", "18446744073709551615 1 1\n",
					   "1 1 18446744073709551615\n" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_sample *s;
		struct unit_dir d;

		unit_dir_make(&d);
		unit_dir_write(&d, BLOCK "zram0/mm_stat", "4096 74 12288 0\n");
		unit_dir_write(&d, BLOCK "zram1/mm_stat", bad[i]);
		s = collect(&d, vmt_collect_zram, 3);
		/* Not what one of the two holds. */
		assert_unknown(system, zram_bytes, &s->system);
		assert_unknown(system, zram_data_bytes, &s->system);
		assert_true(s->sources[VMT_SOURCE_ZRAM].reason[0]);
		vmt_sample_free(s);
		unit_dir_remove(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_lines),
		cmocka_unit_test(keys_that_are_there),
		cmocka_unit_test(malformed),
		cmocka_unit_test(settings),
		cmocka_unit_test(zram),
		cmocka_unit_test(settings_of_a_machine),
		cmocka_unit_test(pressure_of_a_machine),
		cmocka_unit_test(zram_of_a_machine),
		cmocka_unit_test(zram_that_is_malformed),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
