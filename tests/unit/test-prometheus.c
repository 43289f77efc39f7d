/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "view/prometheus.h"

static void test_families(void **state)
{
	VMT_AUTO_METRICS m = { 0 };
	VMT_AUTO_BUF out = { 0 };

	/* As they come; written as metric.def has them, each family in one piece. */
	assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_OOM_KILLS_TOTAL, VMT_NO_LABELS, 0), 0);
	assert_int_equal(vmt_metrics_i64(&m, VMT_METRIC_MEMORY_BYTES,
					 VMT_LABELS(VMT_BYTES("other")), INT64_MIN),
			 0);
	assert_int_equal(vmt_metrics_seconds(&m, VMT_METRIC_PRESSURE_STALL_SECONDS_TOTAL,
					     VMT_LABELS(VMT_BYTES("memory"), VMT_BYTES("full")),
					     UINT64_C(1234000001000)),
			 0);
	assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_MEMORY_BYTES, VMT_LABELS(VMT_BYTES("anon")),
					 UINT64_MAX),
			 0);
	assert_int_equal(vmt_metrics_write(&m, &out), 0);
	assert_buf(&out,
		   "# HELP vmtop_memory_bytes Where MemTotal went: the kinds sum to it, to the "
		   "byte.\n"
		   "# TYPE vmtop_memory_bytes gauge\n"
		   "vmtop_memory_bytes{kind=\"other\"} -9223372036854775808\n"
		   "vmtop_memory_bytes{kind=\"anon\"} 18446744073709551615\n"
		   "# HELP vmtop_pressure_stall_seconds_total Time in which some, or all (full), "
		   "tasks that could have run waited for a resource.\n"
		   "# TYPE vmtop_pressure_stall_seconds_total counter\n"
		   "vmtop_pressure_stall_seconds_total{resource=\"memory\",type=\"full\"} "
		   "1234.000001\n"
		   "# HELP vmtop_oom_kills_total Processes that the kernel killed because memory "
		   "was out.\n"
		   "# TYPE vmtop_oom_kills_total counter\n"
		   "vmtop_oom_kills_total 0\n");
}

static void test_nothing(void **state)
{
	VMT_AUTO_METRICS m = { 0 };
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(vmt_metrics_write(&m, &out), 0);
	assert_int_equal(out.len, 0);
}

static void test_labels(void **state)
{
	static const struct {
		struct vmt_bytes value;
		const char *written;
	} cases[] = {
		{ VMT_BYTES(""), "" },
		{ { NULL, 0 }, "" },
		{ VMT_BYTES("plain"), "plain" },
		{ VMT_BYTES("a\"b"), "a\\\"b" },
		{ VMT_BYTES("a\\b"), "a\\\\b" },
		{ VMT_BYTES("a\nb"), "a\\\\x0ab" },
		{ VMT_BYTES("a\0b"), "a\\\\x00b" },
		{ VMT_BYTES("\033[31m"), "\\\\x1b[31m" },
		{ VMT_BYTES("\xff"), "\\\\xff" },
		{ VMT_BYTES("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f" },
		{ VMT_BYTES("\xe2\x80\xae"), "\\\\xe2\\\\x80\\\\xae" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_METRICS m = { 0 };
		VMT_AUTO_BUF out = { 0 };
		char want[128];

		assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_GROUP_PROCESSES,
						 VMT_LABELS(cases[i].value), 1),
				 0);
		assert_int_equal(vmt_metrics_write(&m, &out), 0);
		snprintf(want, sizeof(want), "\nvmtop_group_processes{group=\"%s\"} 1\n",
			 cases[i].written);
		assert_non_null(strstr(out.data, want));
	}
}

static void test_same_labels(void **state)
{
	const struct vmt_bytes dma = VMT_BYTES("DMA"), node = VMT_BYTES("0");
	VMT_AUTO_METRICS m = { 0 };
	VMT_AUTO_BUF out = { 0 };
	char zone[16];
	unsigned i, pass;

	/* The first stays, in whatever order they come. */
	assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_ZONE_FREE_BYTES, VMT_LABELS(node, dma), 1),
			 0);
	assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_ZONE_FREE_BYTES, VMT_LABELS(node, dma), 2),
			 -EEXIST);
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < 100; i++) {
			snprintf(zone, sizeof(zone), "z%u", i * 37 % 100);
			assert_int_equal(vmt_metrics_u64(&m, VMT_METRIC_ZONE_FREE_BYTES,
							 VMT_LABELS(node, vmt_bytes_of(zone)), i),
					 pass ? -EEXIST : 0);
		}
	assert_int_equal(m.families[VMT_METRIC_ZONE_FREE_BYTES].n, 101);
	assert_int_equal(vmt_metrics_write(&m, &out), 0);
	assert_non_null(strstr(out.data, "{node=\"0\",zone=\"DMA\"} 1\n"));
	assert_null(strstr(out.data, "{node=\"0\",zone=\"DMA\"} 2\n"));
}

static void test_wrong_labels(void **state)
{
	const struct vmt_bytes a = VMT_BYTES("a");
	VMT_AUTO_METRICS few = { 0 };
	VMT_AUTO_METRICS many = { 0 };
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(vmt_metrics_u64(&few, VMT_METRIC_ZONE_FREE_BYTES, VMT_LABELS(a), 1),
			 -EINVAL);
	assert_int_equal(vmt_metrics_write(&few, &out), -EINVAL);
	assert_int_equal(vmt_metrics_u64(&many, VMT_METRIC_OOM_KILLS_TOTAL, VMT_LABELS(a), 1),
			 -EINVAL);
	assert_int_equal(vmt_metrics_write(&many, &out), -EINVAL);
	assert_int_equal(out.len, 0);
}

static void test_seconds(void **state)
{
	static const struct {
		uint64_t ns;
		const char *written;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.000000001" },
		{ 500000000, "0.5" },
		{ 1000000000, "1" },
		{ 1000000010, "1.00000001" },
		{ UINT64_MAX, "18446744073.709551615" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_METRICS m = { 0 };
		VMT_AUTO_BUF out = { 0 };
		char want[128];

		assert_int_equal(vmt_metrics_seconds(&m, VMT_METRIC_COLLECT_DURATION_SECONDS,
						     VMT_NO_LABELS, cases[i].ns),
				 0);
		assert_int_equal(vmt_metrics_write(&m, &out), 0);
		snprintf(want, sizeof(want), "\nvmtop_collect_duration_seconds %s\n",
			 cases[i].written);
		assert_non_null(strstr(out.data, want));
	}
}

static bool is_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz_") == strlen(s);
}

static bool ends_in(const char *s, const char *end)
{
	return strlen(s) > strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

/* What promtool asks of them, and what UX asks: base units, no pid, no name twice. */
static void test_definitions(void **state)
{
	static const char *const units[] = { "_kb", "_kib", "_mb", "_pages", "_ms", "_ns", "_us" };
	size_t i, k;

	for (i = 0; i < VMT_METRIC_COUNT; i++) {
		const struct vmt_metric_def *d = vmt_metric_def((enum vmt_metric)i);

		assert_true(is_name(d->name));
		assert_true(strncmp(d->name, "vmtop_", 6) == 0);
		assert_int_equal(ends_in(d->name, "_total"), d->type == VMT_METRIC_COUNTER);
		for (k = 0; k < VMT_ARRAY_LEN(units); k++)
			assert_false(ends_in(d->name, units[k]));
		assert_true(ends_in(d->help, "."));
		assert_int_equal(strspn(d->labels, "abcdefghijklmnopqrstuvwxyz_ "),
				 strlen(d->labels));
		assert_null(strstr(d->labels, "pid"));
		for (k = 0; k < i; k++)
			assert_string_not_equal(d->name, vmt_metric_def((enum vmt_metric)k)->name);
	}
}

static int sweep(void *arg)
{
	VMT_AUTO_METRICS m = { 0 };
	VMT_AUTO_BUF out = { 0 };
	char zone[16];
	unsigned i;
	int r;

	for (i = 0; i < 40; i++) {
		snprintf(zone, sizeof(zone), "z%u", i);
		r = vmt_metrics_u64(&m, VMT_METRIC_ZONE_FREE_BYTES,
				    VMT_LABELS(VMT_BYTES("0"), vmt_bytes_of(zone)), i);
		if (r < 0) {
			/* It is remembered. */
			assert_int_equal(vmt_metrics_write(&m, &out), r);
			return r;
		}
	}
	return vmt_metrics_write(&m, &out);
}

static void test_no_memory(void **state)
{
	assert_true(unit_alloc_sweep(sweep, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),     cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_labels),	     cmocka_unit_test(test_same_labels),
		cmocka_unit_test(test_wrong_labels), cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_definitions),  cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
