/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "cmd/ui/history.h"
#include "cmd/ui/table.h"
#include "model/rows.h"

#define FIELD(entity, member) &vmt_entity_##entity.fields[VMT_FIELD_##entity##_##member]
#define KIB		      UINT64_C(1024)
#define MIB		      (KIB * KIB)
#define GIB		      (KIB * MIB)

static struct vmt_sample sample = { .host = { .page_size = 4096 } };
static struct vmt_model model = { .sample = &sample };
static struct vmt_ui ui = { .model = &model };

#define assert_value(field, row, width, text)                                                      \
	do {                                                                                       \
		VMT_AUTO_BUF value_ = { 0 };                                                       \
		vmt_ui_value(&value_, &ui, field, row, width);                                     \
		assert_string_equal(value_.data, text);                                            \
	} while (0)

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "0.98K" },
		{ 4 * KIB, "4K" },
		{ 584 * KIB, "584K" },
		{ 999 * KIB, "999K" },
		{ 999 * KIB + 1023, "1000K" },
		{ 1000 * KIB, "0.98M" },
		{ 32 * MIB, "32M" },
		{ 8997831, "8.58M" },
		{ 76 * MIB + 1, "76.0M" },
		{ 99 * MIB + 1020 * KIB, "100M" },
		{ 9 * MIB + 1020 * KIB, "10.0M" },
		{ 127 * MIB + 5, "127M" },
		{ 20 * GIB + 512 * MIB, "20.5G" },
		{ 128 * GIB * KIB, "128T" },
		{ UINT64_MAX, "16.0E" },
	};
	struct vmt_proc p = { 0 };
	size_t i;

	assert_value(FIELD(proc, rss_bytes), &p, 5, "-");
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_SET(proc, rss_bytes, &p, cases[i].bytes);
		assert_value(FIELD(proc, rss_bytes), &p, 5, cases[i].text);
	}
}

static void test_units(void **state)
{
	static const struct {
		enum vmt_size_unit unit;
		const char *text;
	} cases[] = {
		{ VMT_SIZE_BYTES, "79695872" }, { VMT_SIZE_KIB, "77828" },
		{ VMT_SIZE_MIB, "76.0" },	{ VMT_SIZE_GIB, "0.07" },
		{ VMT_SIZE_PAGES, "19457" },	{ VMT_SIZE_HUMAN, "76.0M" },
	};
	struct vmt_proc p = { 0 };
	size_t i;

	VMT_SET(proc, rss_bytes, &p, 76 * MIB + 4 * KIB);
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		ui.unit = cases[i].unit;
		assert_true(strlen(cases[i].text) <= vmt_ui_size_width(ui.unit));
		assert_value(FIELD(proc, rss_bytes), &p, 0, cases[i].text);
		/* Where that has no room, a letter says of what it is. */
		assert_value(FIELD(proc, rss_bytes), &p, 5,
			     strlen(cases[i].text) <= 5 ? cases[i].text : "76.0M");
	}
	/* A little is not nothing. */
	VMT_SET(proc, rss_bytes, &p, 4 * KIB);
	ui.unit = VMT_SIZE_MIB;
	assert_value(FIELD(proc, rss_bytes), &p, 5, "<.01");
	VMT_SET(proc, rss_bytes, &p, 0);
	assert_value(FIELD(proc, rss_bytes), &p, 5, "0");
	ui.unit = VMT_SIZE_HUMAN;
}

static void test_rates(void **state)
{
	static const struct {
		uint64_t milli;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.01" },
		{ 40, "0.04" },
		{ 94, "0.09" },
		{ 96, "0.1" },
		{ 500, "0.5" },
		{ 999, "1.0" },
		{ 5900, "5.9" },
		{ 9949, "9.9" },
		{ 9950, "10" },
		{ 35600, "36" },
		{ 652000, "652" },
		{ 12345678, "12346" },
		{ 123456000, "123k" },
		{ 1234567000, "1.23M" },
		{ UINT64_C(12345678000), "12.3M" },
	};
	struct vmt_proc p = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_SET(proc, minor_faults_per_second, &p, cases[i].milli);
		assert_value(FIELD(proc, minor_faults_per_second), &p, 5, cases[i].text);
	}
	/* Where there is room, all of it. */
	assert_value(FIELD(proc, minor_faults_per_second), &p, 0, "12345678");
}

static void test_signed(void **state)
{
	struct vmt_order o = { 0 };
	struct vmt_proc p = { 0 };

	VMT_SET(proc, rss_delta_bytes, &p, 137 * (int64_t)KIB);
	assert_value(FIELD(proc, rss_delta_bytes), &p, 6, "+137K");
	VMT_SET(proc, rss_delta_bytes, &p, -(int64_t)(MIB + MIB / 2));
	assert_value(FIELD(proc, rss_delta_bytes), &p, 6, "-1.50M");
	VMT_SET(proc, rss_delta_bytes, &p, 0);
	assert_value(FIELD(proc, rss_delta_bytes), &p, 6, "0");
	VMT_SET(proc, rss_delta_bytes, &p, INT64_MIN);
	assert_value(FIELD(proc, rss_delta_bytes), &p, 6, "-8E");
	VMT_SET(proc, maps_delta, &p, -3);
	assert_value(FIELD(proc, maps_delta), &p, 6, "-3");
	VMT_SET(order, fragmentation_ratio, &o, -1000);
	assert_value(FIELD(order, fragmentation_ratio), &o, 6, "-1.000");
}

static void test_others(void **state)
{
	static const struct vmt_hist_bucket buckets[] = { { 0, 7, 3 }, { 8, 15, 4 } };
	struct vmt_cgroup g = { 0 };
	struct vmt_fault f = { 0 };
	struct vmt_map m = { 0 };
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, 12345678);
	assert_value(FIELD(proc, pid), &p, 5, "12345678");
	VMT_SET(proc, comm, &p, VMT_BYTES("a\033[2Jb"));
	assert_value(FIELD(proc, comm), &p, 5, "a\\x1b[2Jb");
	VMT_SET(proc, comm, &p, VMT_BYTES(""));
	assert_value(FIELD(proc, comm), &p, 5, "-");
	VMT_SET(map, start, &m, 0x41f000);
	assert_value(FIELD(map, start), &m, 12, "00000041f000");
	assert_value(FIELD(map, start), &m, 8, "41f000");
	VMT_SET(map, deleted, &m, true);
	assert_value(FIELD(map, deleted), &m, 3, "yes");
	VMT_SET(fault, p50_ns, &f, 3810);
	assert_value(FIELD(fault, p50_ns), &f, 6, "3.81us");
	VMT_SET(fault, histogram, &f, ((struct vmt_hist){ buckets, 2 }));
	assert_value(FIELD(fault, histogram), &f, 6, "7");
	VMT_SET(cgroup, max_bytes, &g, UINT64_MAX);
	assert_value(FIELD(cgroup, max_bytes), &g, 5, "max");
}

/* What a canvas shows, without blanks at the ends of its lines. */
static void drawn(const struct vmt_canvas *c, struct vmt_buf *out)
{
	vmt_buf_clear(out);
	vmt_canvas_text(c, out);
	assert_int_equal(vmt_buf_error(out), 0);
}

static void test_history(void **state)
{
	struct vmt_history *h = NULL;
	VMT_AUTO_CANVAS c = { .ascii = true };
	VMT_AUTO_BUF text = { 0 };
	uint64_t i;

	assert_int_equal(vmt_canvas_resize(&c, 1, 10), 0);
	assert_int_equal(vmt_history_new(&h), 0);
	vmt_history_draw(h, 1, 2, &c, 0, 0, 10, VMT_STYLE_NORMAL);
	drawn(&c, &text);
	assert_string_equal(text.data, "\n");
	for (i = 0; i < 4; i++) {
		vmt_history_tick(h);
		assert_int_equal(vmt_history_add(h, 1, 2, i * 10), 0);
		/* The second number of its name makes it another one. */
		assert_int_equal(vmt_history_add(h, 1, 3, 0), 0);
	}
	vmt_history_draw(h, 1, 2, &c, 0, 0, 10, VMT_STYLE_NORMAL);
	drawn(&c, &text);
	assert_string_equal(text.data, "      _=*#\n");
	vmt_canvas_clear(&c);
	vmt_history_draw(h, 1, 3, &c, 0, 0, 3, VMT_STYLE_NORMAL);
	drawn(&c, &text);
	assert_string_equal(text.data, "___\n");
	/* 1, 2 does not come: a blank, and then it is forgotten. */
	vmt_history_tick(h);
	vmt_canvas_clear(&c);
	vmt_history_draw(h, 1, 2, &c, 0, 0, 10, VMT_STYLE_NORMAL);
	drawn(&c, &text);
	assert_string_equal(text.data, "     _=*#\n");
	vmt_history_tick(h);
	assert_int_equal(vmt_history_add(h, 1, 2, 5), 0);
	vmt_canvas_clear(&c);
	vmt_history_draw(h, 1, 2, &c, 0, 0, 10, VMT_STYLE_NORMAL);
	drawn(&c, &text);
	assert_string_equal(text.data, "         #\n");
	vmt_history_free(h);
}

/* Many subjects that come and go, against a plain record of them. */
static void test_history_many(void **state)
{
	struct vmt_history *h = NULL;
	VMT_AUTO_CANVAS c = { .ascii = true };
	VMT_AUTO_BUF text = { 0 };
	uint64_t tick, key;

	assert_int_equal(vmt_canvas_resize(&c, 1, 100), 0);
	assert_int_equal(vmt_history_new(&h), 0);
	for (tick = 0; tick < 70; tick++) {
		vmt_history_tick(h);
		/* key comes in all samples but those that it divides. */
		for (key = 2; key < 3000; key++)
			if (tick % key)
				assert_int_equal(vmt_history_add(h, key, key, 1), 0);
	}
	/* The last sample was 69: 3 divides it, 2 divides 68, 1 was never there. */
	for (key = 1; key < 3000; key++) {
		size_t want = key == 1 || 69 % key == 0 ? 0 : 69 % key;

		want = want > 60 ? 60 : want;
		vmt_canvas_clear(&c);
		vmt_history_draw(h, key, key, &c, 0, 0, 100, VMT_STYLE_NORMAL);
		drawn(&c, &text);
		if (!want && key != 1)
			/* It was there until the sample before. */
			continue;
		assert_int_equal(strlen(text.data) - 1, want ? 100 : 0);
		assert_int_equal(strspn(text.data, " "), want ? 100 - want : 0);
	}
	vmt_history_free(h);
}

/* Whatever way text comes to the canvas, no cell has what a terminal obeys. */
static void g12_canvas_is_harmless(void **state)
{
	VMT_AUTO_CANVAS c = { 0 };
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(vmt_canvas_resize(&c, 1, 20), 0);
	vmt_canvas_puts(&c, 0, 0, VMT_STYLE_NORMAL,
			"\x1b[2J\xff \xc2\x9b\xe2\x80\xae\x7f \xc3\xa4");
	vmt_canvas_text(&c, &out);
	assert_string_equal(out.data, "?[2J? ??? \xc3\xa4\n");
}

static int use_history(void *arg)
{
	struct vmt_history *h = NULL;
	uint64_t key;
	int r = vmt_history_new(&h);

	if (r == 0)
		vmt_history_tick(h);
	for (key = 0; r == 0 && key < 100; key++)
		r = vmt_history_add(h, key, 0, 1);
	vmt_history_free(h);
	return r;
}

static void test_history_memory(void **state)
{
	assert_true(unit_alloc_sweep(use_history, NULL) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_history_many),
		cmocka_unit_test(test_history_memory),
		cmocka_unit_test(g12_canvas_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
