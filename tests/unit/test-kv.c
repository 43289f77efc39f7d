/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/kv.h"

static const struct vmt_kv_key keys[] = {
	VMT_KV(system, vmt_system, total_bytes, "MemTotal", KIB),
	VMT_KV(system, vmt_system, free_bytes, "MemFree", KIB),
	VMT_KV_IGNORE("Bounce"),
	VMT_KV(system, vmt_system, pgfault_total, "pgfault", COUNT),
	VMT_KV(map, vmt_map, thp_eligible, "THPeligible", BOOL),
};
static const struct vmt_kv_table table = { keys, VMT_ARRAY_LEN(keys) };

static void test_split(void **state)
{
	struct vmt_bytes key, rest;

	assert_int_equal(vmt_kv_split(VMT_BYTES("Rss:\t   12 kB  "), ':', &key, &rest), 0);
	assert_bytes(key, "Rss");
	assert_bytes(rest, "12 kB");
	assert_int_equal(vmt_kv_split(VMT_BYTES("VmFlags:"), ':', &key, &rest), 0);
	assert_bytes(key, "VmFlags");
	assert_int_equal(rest.len, 0);
	assert_int_equal(vmt_kv_split(VMT_BYTES("pgfault 12"), ' ', &key, &rest), 0);
	assert_bytes(key, "pgfault");
	assert_bytes(rest, "12");
	assert_int_equal(vmt_kv_split(VMT_BYTES("no colon"), ':', &key, &rest), -EINVAL);
	assert_int_equal(vmt_kv_split(VMT_BYTES(": 1"), ':', &key, &rest), -EINVAL);
	assert_int_equal(vmt_kv_split(VMT_BYTES(" x 1"), ' ', &key, &rest), -EINVAL);
	assert_int_equal(vmt_kv_split(VMT_BYTES("a:b: c"), ':', &key, &rest), 0);
	assert_bytes(key, "a");
	assert_bytes(rest, "b: c");
}

static void test_find_in_any_order(void **state)
{
	size_t hint = 0, i;

	for (i = 0; i < table.n; i++)
		assert_ptr_equal(vmt_kv_find(&table, vmt_bytes_of(keys[i].name), &hint), &keys[i]);
	for (i = table.n; i-- > 0;)
		assert_ptr_equal(vmt_kv_find(&table, vmt_bytes_of(keys[i].name), &hint), &keys[i]);
	assert_null(vmt_kv_find(&table, VMT_BYTES("MemTota"), &hint));
	assert_null(vmt_kv_find(&table, VMT_BYTES("MemTotal2"), &hint));
	assert_null(vmt_kv_find(&table, VMT_BYTES("memtotal"), &hint));
	hint = 1000;
	assert_ptr_equal(vmt_kv_find(&table, VMT_BYTES("MemFree"), &hint), &keys[1]);
}

static int store(size_t key, const char *value, struct vmt_system *sys)
{
	return vmt_kv_store(&keys[key], vmt_bytes_of(value), &sys->row);
}

static void test_store_sizes(void **state)
{
	struct vmt_system sys = { 0 };

	assert_int_equal(store(0, "18014398509481983 kB", &sys), 0);
	assert_field(system, total_bytes, &sys, UINT64_C(18446744073709550592));
	assert_int_equal(store(1, "0\tkB", &sys), 0);
	assert_field(system, free_bytes, &sys, 0);
	sys = (struct vmt_system){ 0 };
	assert_int_equal(store(0, "18014398509481984 kB", &sys), -ERANGE);
	assert_int_equal(store(0, "18446744073709551616 kB", &sys), -ERANGE);
	assert_int_equal(store(0, "12", &sys), -EINVAL);
	assert_int_equal(store(0, "12 MB", &sys), -EINVAL);
	assert_int_equal(store(0, "12kB", &sys), -EINVAL);
	assert_int_equal(store(0, "-12 kB", &sys), -EINVAL);
	assert_int_equal(store(0, "12 kB 3", &sys), -EINVAL);
	assert_int_equal(store(0, "", &sys), -EINVAL);
	assert_unknown(system, total_bytes, &sys);
}

static void test_store_counts_and_flags(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_map m = { 0 };

	assert_int_equal(store(3, "18446744073709551615", &sys), 0);
	assert_true(VMT_HAS(system, pgfault_total, &sys) && sys.pgfault_total == UINT64_MAX);
	assert_int_equal(store(3, "1 kB", &sys), -EINVAL);
	assert_int_equal(store(2, "anything", &sys), 0);
	assert_int_equal(vmt_kv_store(&keys[4], VMT_BYTES("1"), &m.row), 0);
	assert_field(map, thp_eligible, &m, true);
	assert_int_equal(vmt_kv_store(&keys[4], VMT_BYTES("2"), &m.row), -EINVAL);
}

static void test_read(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };
	uint64_t unknown = 0;

	assert_int_equal(vmt_kv_read(&table,
				     VMT_BYTES("Future:   1 parsec\nMemFree:\t2 kB\n\n"
					       "Bounce: whatever\nMemTotal: 3 kB"),
				     ':', &sys.row, &unknown, "/proc/meminfo", &err),
			 0);
	assert_int_equal(unknown, 1);
	assert_field(system, free_bytes, &sys, 2048);
	assert_field(system, total_bytes, &sys, 3072);
	assert_unknown(system, pgfault_total, &sys);
	assert_int_equal(vmt_kv_read(&table, VMT_BYTES(""), ':', &sys.row, NULL, "x", NULL), 0);
}

static void test_read_says_where_it_failed(void **state)
{
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_kv_read(&table, VMT_BYTES("MemFree: 2 kB\nMemTotal: x kB\n"), ':',
				     &sys.row, NULL, "/proc/meminfo", &err),
			 -EINVAL);
	assert_int_equal(err.line, 2);
	assert_string_equal(err.path, "/proc/meminfo");
	assert_non_null(strstr(err.text, "MemTotal"));
	assert_int_equal(vmt_kv_read(&table, VMT_BYTES("MemFree: 2 kB\nnonsense\n"), ':', &sys.row,
				     NULL, "p", &err),
			 -EINVAL);
	assert_int_equal(err.line, 2);
	/* A NUL is no digit and no blank. */
	assert_int_equal(
		vmt_kv_read(&table, VMT_BYTES("MemFree: 2\0 kB\n"), ':', &sys.row, NULL, "p", &err),
		-EINVAL);
}

static void test_expected(void **state)
{
	/* None of these is simple enough, or none is the next: nothing happens. */
	static const char *const others[] = {
		"MemTotal: 1",
		"MemTotal: 1 kB ",
		"MemTotal:\t\t1 kB",
		"MemTotal: \t1 kB",
		"MemTotal: kB",
		"MemTotal: 1 MB",
		"MemTotal 1 kB",
		"MemTotal",
		"",
		"MemTotals: 1 kB",
		"MemFree: 1 kB",
		"MemTotal: -1 kB",
		"MemTotal: 1x kB",
		"MemTotal: 12345678901234567 kB",
	};
	struct vmt_system sys = { 0 };
	struct vmt_map map = { 0 };
	size_t hint = 0, i;

	for (i = 0; i < VMT_ARRAY_LEN(others); i++) {
		assert_false(vmt_kv_expected(&table, vmt_bytes_of(others[i]), &hint, &sys.row));
		assert_int_equal(hint, 0);
		assert_unknown(system, total_bytes, &sys);
	}
	assert_true(vmt_kv_expected(&table, VMT_BYTES("MemTotal:   9999999999999999 kB"), &hint,
				    &sys.row));
	assert_field(system, total_bytes, &sys, UINT64_C(9999999999999999) * 1024);
	hint = 0;
	assert_true(vmt_kv_expected(&table, VMT_BYTES("MemTotal:\t   12 kB"), &hint, &sys.row));
	assert_field(system, total_bytes, &sys, 12 * 1024);
	assert_true(vmt_kv_expected(&table, VMT_BYTES("MemFree:0 kB"), &hint, &sys.row));
	assert_field(system, free_bytes, &sys, 0);
	assert_true(vmt_kv_expected(&table, VMT_BYTES("Bounce: what it likes"), &hint, &sys.row));
	assert_false(vmt_kv_expected(&table, VMT_BYTES("pgfault: 1 kB"), &hint, &sys.row));
	assert_int_equal(hint, 3);
	assert_true(vmt_kv_expected(&table, VMT_BYTES("pgfault:  12"), &hint, &sys.row));
	assert_field(system, pgfault_total, &sys, 12);
	assert_false(vmt_kv_expected(&table, VMT_BYTES("THPeligible: 2"), &hint, &map.row));
	assert_unknown(map, thp_eligible, &map);
	assert_true(vmt_kv_expected(&table, VMT_BYTES("THPeligible:    1"), &hint, &map.row));
	assert_field(map, thp_eligible, &map, true);
	/* Behind the last key the first is expected again. */
	hint = table.n;
	assert_true(vmt_kv_expected(&table, VMT_BYTES("MemTotal: 1 kB"), &hint, &sys.row));
	assert_int_equal(hint, 1);
}

/* One line of smaps as the kernel lays it out, with another number field, or another end. */
static size_t run_one(const char *number, const char *end, struct vmt_system *sys)
{
	char line[64];
	size_t hint = 0, n;
	/* On the heap and of that size, so that reading behind its end is seen. */
	char *copy;

	*sys = (struct vmt_system){ 0 };
	snprintf(line, sizeof(line), "MemTotal:       %s%s", number, end);
	copy = malloc(strlen(line));
	memcpy(copy, line, strlen(line));
	n = vmt_kv_run(&table, (struct vmt_bytes){ copy, strlen(line) }, &hint, &sys->row);
	free(copy);
	assert_int_equal(hint, n ? 1 : 0);
	return n;
}

static void test_run_of_numbers(void **state)
{
	static const char *const others[] = {
		"        ",
		"1       ",
		"     1 2",
		" 1     2",
		"      -1",
		"      +1",
		"      0x",
		"      1/",
		"      1:",
		"\t      1",
		"     \t 1",
		"     1e1",
		"   \xb1\xb1\xb1\xb1\xb1",
		"       1k",
		"      1",
	};
	struct vmt_system sys;
	uint64_t v;
	size_t i;

	for (v = 0; v <= 99999999; v = v < 20000 ? v + 1 : v * 7 / 5 + 13) {
		char number[16];

		snprintf(number, sizeof(number), "%8llu", (unsigned long long)v);
		assert_int_equal(run_one(number, " kB\n", &sys), VMT_KV_LINE);
		assert_field(system, total_bytes, &sys, v * 1024);
	}
	assert_int_equal(run_one("99999999", " kB\n", &sys), VMT_KV_LINE);
	assert_field(system, total_bytes, &sys, UINT64_C(99999999) * 1024);
	assert_int_equal(run_one("00000012", " kB\n", &sys), VMT_KV_LINE);
	assert_field(system, total_bytes, &sys, 12 * 1024);
	for (i = 0; i < VMT_ARRAY_LEN(others); i++) {
		assert_int_equal(run_one(others[i], " kB\n", &sys), 0);
		assert_unknown(system, total_bytes, &sys);
	}
	assert_int_equal(run_one("       1", " kB", &sys), 0);
	assert_int_equal(run_one("       1", " MB\n", &sys), 0);
	assert_int_equal(run_one("       1", "kB \n", &sys), 0);
	assert_int_equal(run_one("       1", " kB\r\n", &sys), 0);
	assert_int_equal(run_one("100000000", " kB\n", &sys), 0);
}

static void test_run_of_lines(void **state)
{
	static const char text[] = "MemTotal:              4 kB\n"
				   "MemFree:              12 kB\n"
				   "Bounce:                0 kB\n"
				   "pgfault:               1 kB\n";
	char again[3 * VMT_KV_LINE];
	struct vmt_system sys = { 0 };
	size_t hint = 0, n;

	/* Three, because the fourth is of another form; the second half of a line waits. */
	n = vmt_kv_run(&table, VMT_BYTES(text), &hint, &sys.row);
	assert_int_equal(n, 3 * VMT_KV_LINE);
	assert_int_equal(hint, 3);
	assert_field(system, total_bytes, &sys, 4096);
	assert_field(system, free_bytes, &sys, 12 * 1024);
	assert_unknown(system, pgfault_total, &sys);
	hint = 1;
	n = vmt_kv_run(&table, (struct vmt_bytes){ text + VMT_KV_LINE, VMT_KV_LINE + 5 }, &hint,
		       &sys.row);
	assert_int_equal(n, VMT_KV_LINE);
	/* A number that stands there again, with another between. */
	memcpy(again,
	       "MemTotal:             12 kB\n"
	       "MemFree:              12 kB\n"
	       "Bounce:                0 kB\n",
	       sizeof(again));
	hint = 0;
	sys = (struct vmt_system){ 0 };
	assert_int_equal(
		vmt_kv_run(&table, (struct vmt_bytes){ again, sizeof(again) }, &hint, &sys.row),
		3 * VMT_KV_LINE);
	assert_field(system, total_bytes, &sys, 12 * 1024);
	assert_field(system, free_bytes, &sys, 12 * 1024);
	/* Nothing that is no number is 0, or the number before it. */
	memset(again + VMT_KV_HEAD, 0, 8);
	hint = 0;
	assert_int_equal(
		vmt_kv_run(&table, (struct vmt_bytes){ again, sizeof(again) }, &hint, &sys.row), 0);
	hint = 1;
	/* Not the key that is expected, none that is left, nothing there. */
	assert_int_equal(vmt_kv_run(&table, VMT_BYTES(text), &hint, &sys.row), 0);
	hint = table.n;
	assert_int_equal(vmt_kv_run(&table, VMT_BYTES(text), &hint, &sys.row), 0);
	hint = 0;
	assert_int_equal(vmt_kv_run(&table, (struct vmt_bytes){ text, 0 }, &hint, &sys.row), 0);
}

static void test_ends_of_values(void **state)
{
	struct vmt_bytes key, rest;

	assert_int_equal(vmt_kv_split(VMT_BYTES("Rss: 12 kB \r"), ':', &key, &rest), 0);
	assert_bytes(rest, "12 kB");
	assert_int_equal(vmt_kv_split(VMT_BYTES("Rss:\r"), ':', &key, &rest), 0);
	assert_int_equal(rest.len, 0);
}

/* What stands among the blanks in front of a number is none of them, be it near or far. */
static void test_expected_blanks(void **state)
{
	struct vmt_system sys = { 0 };
	size_t hint = 0;

	assert_true(vmt_kv_expected(&table, VMT_BYTES("MemTotal:                  12 kB"), &hint,
				    &sys.row));
	assert_field(system, total_bytes, &sys, 12 * 1024);
	hint = 0;
	assert_false(vmt_kv_expected(&table, VMT_BYTES("MemTotal:   x              13 kB"), &hint,
				     &sys.row));
	assert_false(vmt_kv_expected(&table, VMT_BYTES("MemTotal:             x 14 kB"), &hint,
				     &sys.row));
	assert_false(vmt_kv_expected(&table, VMT_BYTES("MemTotal:"), &hint, &sys.row));
	assert_field(system, total_bytes, &sys, 12 * 1024);
}

/* A key whose value is read elsewhere is left to who does that. */
static void test_store_what_is_read_elsewhere(void **state)
{
	static const struct vmt_kv_key other = VMT_KV_CALLER("State", 1);
	struct vmt_system sys = { 0 };

	assert_int_equal(vmt_kv_store(&other, VMT_BYTES("no number"), &sys.row), 0);
	assert_unknown(system, total_bytes, &sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_find_in_any_order),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_run_of_numbers),
		cmocka_unit_test(test_run_of_lines),
		cmocka_unit_test(test_store_sizes),
		cmocka_unit_test(test_store_counts_and_flags),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_says_where_it_failed),
		cmocka_unit_test(test_ends_of_values),
		cmocka_unit_test(test_expected_blanks),
		cmocka_unit_test(test_store_what_is_read_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
