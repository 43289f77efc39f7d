/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "source/cgroup-files.h"

/* The file of that name in a version. */
static size_t file_of(const char *name, unsigned version)
{
	size_t i;

	for (i = 0; i < vmt_cgroup_n_files(); i++)
		if (vmt_cgroup_file_name(i, version) &&
		    strcmp(vmt_cgroup_file_name(i, version), name) == 0)
			return i;
	fail_msg("no file %s", name);
	return 0;
}

static int parse(const char *name, unsigned version, const char *text, struct vmt_cgroup *c,
		 struct vmt_err *err)
{
	uint64_t unknown = 0;

	return vmt_cgroup_file_parse(file_of(name, version), version, vmt_bytes_of(text), 4096, c,
				     &unknown, err);
}

static void test_numbers(void **state)
{
	struct vmt_cgroup c = { 0 };

	assert_int_equal(parse("memory.current", 2, "4096\n", &c, NULL), 0);
	assert_field(cgroup, current_bytes, &c, 4096);
	assert_int_equal(parse("memory.max", 2, "67108864\n", &c, NULL), 0);
	assert_field(cgroup, max_bytes, &c, 67108864);
	assert_int_equal(parse("memory.high", 2, "max\n", &c, NULL), 0);
	assert_true(VMT_HAS(cgroup, high_bytes, &c) && c.high_bytes == UINT64_MAX);
	assert_int_equal(parse("memory.oom.group", 2, "1\n", &c, NULL), 0);
	assert_true(VMT_HAS(cgroup, oom_group, &c) && c.oom_group);
	assert_int_equal(parse("cgroup.procs", 2, "1\n0\n4194304\n", &c, NULL), 0);
	assert_field(cgroup, processes_total, &c, 3);
	assert_int_equal(parse("cgroup.procs", 2, "", &c, NULL), 0);
	assert_field(cgroup, processes_total, &c, 0);
}

static void test_no_limit_of_version_1(void **state)
{
	struct vmt_cgroup c = { 0 };

	assert_int_equal(parse("memory.limit_in_bytes", 1, "9223372036854771712\n", &c, NULL), 0);
	assert_true(c.max_bytes == UINT64_MAX);
	/* One page less is a limit. */
	assert_int_equal(parse("memory.limit_in_bytes", 1, "9223372036854767616\n", &c, NULL), 0);
	assert_field(cgroup, max_bytes, &c, UINT64_C(9223372036854767616));
	/* 2^31 - 1 pages, of machines of 32 bits. */
	assert_int_equal(parse("memory.soft_limit_in_bytes", 1, "8796093018112\n", &c, NULL), 0);
	assert_true(c.soft_bytes == UINT64_MAX);
	/* A usage has no end. */
	assert_int_equal(parse("memory.usage_in_bytes", 1, "9223372036854771712\n", &c, NULL), 0);
	assert_field(cgroup, current_bytes, &c, UINT64_C(9223372036854771712));
	assert_int_equal(parse("memory.limit_in_bytes", 1, "max\n", &c, NULL), -EINVAL);
}

static void test_stat(void **state)
{
	uint64_t unknown = 0;
	struct vmt_cgroup c = { 0 };
	size_t file = file_of("memory.stat", 2);
	const char *text = "anon 8192\nfile 12288\nslab_reclaimable 100\nfuture_key 5\n"
			   "inactive_file 4096\nactive_file 8192\nworkingset_refault_file 3\n"
			   "pgfault 77\n";

	assert_int_equal(
		vmt_cgroup_file_parse(file, 2, vmt_bytes_of(text), 4096, &c, &unknown, NULL), 0);
	assert_int_equal(unknown, 1);
	assert_field(cgroup, anon_bytes, &c, 8192);
	assert_field(cgroup, slab_reclaimable_bytes, &c, 100);
	assert_field(cgroup, refault_file_total, &c, 3);
	assert_field(cgroup, faults_total, &c, 77);
	/* A kernel that does not say it: unknown, and no 0. */
	assert_unknown(cgroup, kernel_bytes, &c);
	assert_unknown(cgroup, refault_anon_total, &c);
}

static void test_stat_of_version_1(void **state)
{
	uint64_t unknown = 0;
	struct vmt_cgroup c = { 0 };
	const char *text = "cache 1\nrss 2\nhierarchical_memory_limit 9223372036854771712\n"
			   "total_cache 4096\ntotal_rss 8192\ntotal_inactive_file 4096\n";

	assert_int_equal(vmt_cgroup_file_parse(file_of("memory.stat", 1), 1, vmt_bytes_of(text),
					       4096, &c, &unknown, NULL),
			 0);
	/* Those of the cgroup alone are no keys that are not known. */
	assert_int_equal(unknown, 0);
	assert_field(cgroup, file_bytes, &c, 4096);
	assert_field(cgroup, anon_bytes, &c, 8192);
	assert_true(c.hierarchical_limit_bytes == UINT64_MAX);
}

static void test_events(void **state)
{
	struct vmt_cgroup c = { 0 };

	assert_int_equal(
		parse("memory.events", 2, "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n", &c, NULL),
		0);
	assert_field(cgroup, max_total, &c, 3);
	assert_field(cgroup, oom_kill_total, &c, 5);
	assert_unknown(cgroup, oom_group_kill_total, &c);
	assert_unknown(cgroup, max_local_total, &c);
	assert_int_equal(parse("memory.events.local", 2, "max 6\n", &c, NULL), 0);
	assert_field(cgroup, max_local_total, &c, 6);
	assert_int_equal(parse("memory.oom_control", 1,
			       "oom_kill_disable 0\nunder_oom 1\noom_kill 9\n", &c, NULL),
			 0);
	assert_true(c.under_oom);
	assert_field(cgroup, oom_kill_local_total, &c, 9);
}

static void test_pressure(void **state)
{
	struct vmt_cgroup c = { 0 };

	assert_int_equal(parse("memory.pressure", 2,
			       "some avg10=1.05 avg60=0.00 avg300=100.00 total=12\n"
			       "full avg10=0.50 avg60=0.01 avg300=0.00 total=7\n"
			       "later avg10=x\n",
			       &c, NULL),
			 0);
	assert_field(cgroup, some_avg10_percent, &c, 1050);
	assert_field(cgroup, some_avg300_percent, &c, 100000);
	assert_field(cgroup, some_total_ns, &c, 12000);
	assert_field(cgroup, full_avg60_percent, &c, 10);
	assert_field(cgroup, full_total_ns, &c, 7000);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *name;
		unsigned version;
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "memory.current", 2, "", -EINVAL, 1 },
		{ "memory.current", 2, "\n", -EINVAL, 1 },
		{ "memory.current", 2, "max\n", -EINVAL, 1 },
		{ "memory.current", 2, "-1\n", -EINVAL, 1 },
		{ "memory.current", 2, "12 kB\n", -EINVAL, 1 },
		{ "memory.current", 2, "1\n2\n", -EINVAL, 1 },
		{ "memory.max", 2, "maximum\n", -EINVAL, 1 },
		{ "memory.max", 2, "18446744073709551616\n", -ERANGE, 1 },
		{ "memory.oom.group", 2, "2\n", -EINVAL, 1 },
		{ "memory.stat", 2, "anon 1\nfile x\n", -EINVAL, 2 },
		{ "memory.stat", 2, "anon 1\nfile 99999999999999999999\n", -ERANGE, 2 },
		{ "memory.stat", 1, "total_rss\n", -EINVAL, 1 },
		{ "memory.pressure", 2, "some avg10=1\n", -EINVAL, 1 },
		{ "memory.pressure", 2, "some avg10=1.5\n", -EINVAL, 1 },
		{ "memory.pressure", 2, "full total=x\n", -EINVAL, 1 },
		{ "memory.pressure", 2, "some\nfull total=18446744073709551615\n", -ERANGE, 2 },
		{ "cgroup.procs", 2, "1\ntwo\n", -EINVAL, 2 },
		{ "cgroup.procs", 1, "1 2\n", -EINVAL, 1 },
		{ "memory.oom_control", 1, "under_oom 2\n", -EINVAL, 1 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_cgroup c = { 0 };
		struct vmt_err err = { 0 };

		assert_int_equal(parse(cases[i].name, cases[i].version, cases[i].text, &c, &err),
				 cases[i].r);
		assert_int_equal(err.line, cases[i].line);
		assert_string_equal(err.path, cases[i].name);
	}
}

static uint64_t files(const char *column)
{
	const struct vmt_field *f = vmt_field_find(&vmt_entity_cgroup, vmt_bytes_of(column));

	assert_non_null(f);
	return vmt_cgroup_files(&f, 1);
}

static void test_files_of_columns(void **state)
{
	uint64_t stat = UINT64_C(1) << file_of("memory.stat", 2);
	uint64_t current = UINT64_C(1) << file_of("memory.current", 2);
	size_t i;

	assert_int_equal(files("path"), 0);
	assert_int_equal(files("anon"), stat);
	assert_int_equal(files("current"), current);
	assert_int_equal(files("full10"), UINT64_C(1) << file_of("memory.pressure", 2));
	/* Both versions say it, each in a file of its own. */
	assert_int_equal(files("swap"), stat | UINT64_C(1) << file_of("memory.swap.current", 2));
	assert_int_equal(files("available") & (stat | current), stat | current);
	assert_int_equal(files("fault/s") & stat, stat);
	/* Each field comes from somewhere. */
	for (i = 0; i < vmt_entity_cgroup.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_cgroup.fields[i];

		assert_true(vmt_cgroup_files(&f, 1) || !strcmp(f->title, "VERSION") ||
			    !strcmp(f->title, "ID") || !strcmp(f->title, "DEPTH") ||
			    !strcmp(f->title, "NAME") || !strcmp(f->title, "CGROUP"));
	}
	assert_int_equal(vmt_cgroup_all_files(), (UINT64_C(1) << vmt_cgroup_n_files()) - 1);
}

/* Of pressure what the kernel says, and nothing in the place of what it does not. */
static void test_parts_of_pressure(void **state)
{
	struct vmt_cgroup c = { 0 };

	assert_int_equal(parse("memory.pressure", 2, "some total=5\nfull avg10=1.00\n", &c, NULL),
			 0);
	assert_field(cgroup, some_total_ns, &c, 5000);
	assert_unknown(cgroup, some_avg10_percent, &c);
	assert_unknown(cgroup, some_avg60_percent, &c);
	assert_unknown(cgroup, some_avg300_percent, &c);
	assert_field(cgroup, full_avg10_percent, &c, 1000);
	assert_unknown(cgroup, full_avg60_percent, &c);
	assert_unknown(cgroup, full_avg300_percent, &c);
	assert_unknown(cgroup, full_total_ns, &c);
	assert_int_equal(
		parse("memory.pressure", 2, "full avg60=1.00 avg300=2.00 total=3\n", &c, NULL), 0);
	assert_field(cgroup, full_avg60_percent, &c, 1000);
	assert_field(cgroup, full_avg300_percent, &c, 2000);
	assert_field(cgroup, full_total_ns, &c, 3000);
}

/* A file that one version has alone, and a statistic without the limit of what is above. */
static void test_versions(void **state)
{
	struct vmt_cgroup c = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_cgroup_file_parse(file_of("memory.high", 2), 1, VMT_BYTES("max\n"),
					       4096, &c, NULL, &err),
			 -EINVAL);
	assert_true(err.text[0]);
	assert_unknown(cgroup, high_bytes, &c);
	assert_int_equal(parse("memory.stat", 1, "cache 5\n", &c, NULL), 0);
	assert_unknown(cgroup, hierarchical_limit_bytes, &c);
	assert_int_equal(parse("memory.stat", 1, "hierarchical_memory_limit 8192\n", &c, NULL), 0);
	assert_field(cgroup, hierarchical_limit_bytes, &c, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_no_limit_of_version_1),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_stat_of_version_1),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_files_of_columns),
		cmocka_unit_test(test_parts_of_pressure),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
