/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/other.h"

static void add(struct vmt_other *o, const char *key, const char *value)
{
	vmt_other_add(o, vmt_bytes_of(key), vmt_bytes_of(value));
}

static void test_text(void **state)
{
	VMT_CLEANUP(vmt_other_done) struct vmt_other o = { 0 };

	add(&o, "Future", "12 kB");
	add(&o, "Active(anon)", "12   kB");
	add(&o, "Foo-Bar.baz/x_2", "-4 kB");
	add(&o, "Flags", "rd wr");
	add(&o, "Empty", "");
	add(&o, "Most", "18014398509481983 kB");
	add(&o, "Beyond", "18014398509481984 kB");
	add(&o, "Other", "12 MB");
	add(&o, "Glued", "12kB");
	add(&o, "Sign", "a=b");
	assert_buf(&o.text, "Future=12288 Active(anon)=12288 Foo-Bar.baz/x_2=\"-4 kB\" "
			    "Flags=\"rd wr\" Empty= Most=18446744073709550592 "
			    "Beyond=\"18014398509481984 kB\" Other=\"12 MB\" Glued=12kB Sign=a=b");
	assert_int_equal(o.n, 10);
	assert_false(o.dropped);
	vmt_other_clear(&o);
	assert_int_equal(o.n, 0);
	add(&o, "Next", "1");
	assert_buf(&o.text, "Next=1");
}

static void test_what_is_left_out(void **state)
{
	static const struct {
		struct vmt_bytes key, value;
	} cases[] = {
		{ VMT_BYTES(""), VMT_BYTES("1") },
		{ VMT_BYTES("two words"), VMT_BYTES("1") },
		{ VMT_BYTES("a=b"), VMT_BYTES("1") },
		{ VMT_BYTES("-Formula"), VMT_BYTES("1") },
		{ VMT_BYTES("quo\"te"), VMT_BYTES("1") },
		{ VMT_BYTES("caf\xc3\xa9"), VMT_BYTES("1") },
		{ VMT_BYTES("x\0y"), VMT_BYTES("1") },
		{ VMT_BYTES("Value"), VMT_BYTES("quo\"te") },
		{ VMT_BYTES("Value"), VMT_BYTES("\x1b[2J") },
		{ VMT_BYTES("Value"), VMT_BYTES("a\tb") },
		{ VMT_BYTES("Value"), VMT_BYTES("\xff") },
		{ VMT_BYTES("Value"), VMT_BYTES("x\0y") },
		{ VMT_BYTES("Kept"), VMT_BYTES("2") },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_CLEANUP(vmt_other_done) struct vmt_other o = { 0 };

		add(&o, "Kept", "1");
		vmt_other_add(&o, cases[i].key, cases[i].value);
		assert_true(o.dropped);
		assert_buf(&o.text, "Kept=1");
	}
}

static void test_bounds(void **state)
{
	VMT_CLEANUP(vmt_other_done) struct vmt_other o = { 0 }, p = { 0 };
	char key[VMT_OTHER_NAME + 2], value[VMT_OTHER_BYTES];
	unsigned i;

	memset(key, 'K', sizeof(key));
	key[VMT_OTHER_NAME] = 0;
	add(&o, key, "1");
	assert_false(o.dropped);
	key[VMT_OTHER_NAME] = 'K';
	key[VMT_OTHER_NAME + 1] = 0;
	add(&o, key, "1");
	assert_true(o.dropped);
	o.dropped = false;
	for (i = 1; i < VMT_OTHER_KEYS; i++) {
		snprintf(key, sizeof(key), "Key%u", i);
		add(&o, key, "1");
	}
	assert_int_equal(o.n, VMT_OTHER_KEYS);
	assert_false(o.dropped);
	add(&o, "Over", "1");
	assert_int_equal(o.n, VMT_OTHER_KEYS);
	assert_true(o.dropped);

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	add(&p, "Long", value);
	assert_int_equal(p.n, 0);
	assert_true(p.dropped);
	value[VMT_OTHER_BYTES / 2] = 0;
	add(&p, "Half", value);
	add(&p, "Second", value);
	add(&p, "Short", "1");
	assert_int_equal(p.n, 2);
	assert_true(p.text.len <= VMT_OTHER_BYTES);
	assert_non_null(strstr(p.text.data, " Short=1"));
}

static void test_take(void **state)
{
	struct vmt_bytes cur = VMT_BYTES("A=1 B=\"x y\" C= D=\"\" E=a=b");
	static const char *const want[][2] = {
		{ "A", "1" }, { "B", "x y" }, { "C", "" }, { "D", "" }, { "E", "a=b" },
	};
	struct vmt_bytes key, value;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(want); i++) {
		assert_true(vmt_other_take(&cur, &key, &value));
		assert_bytes(key, want[i][0]);
		assert_bytes(value, want[i][1]);
	}
	assert_false(vmt_other_take(&cur, &key, &value));
	cur = (struct vmt_bytes){ 0 };
	assert_false(vmt_other_take(&cur, &key, &value));
	/* It ends in the middle. */
	cur = VMT_BYTES("A=\"x y");
	assert_true(vmt_other_take(&cur, &key, &value));
	assert_bytes(value, "x y");
	assert_false(vmt_other_take(&cur, &key, &value));
	cur = VMT_BYTES("A=\"");
	assert_true(vmt_other_take(&cur, &key, &value));
	assert_int_equal(value.len, 0);
	assert_false(vmt_other_take(&cur, &key, &value));
}

static void test_number(void **state)
{
	uint64_t v = 7;

	assert_true(vmt_other_number(VMT_BYTES("0"), &v));
	assert_int_equal(v, 0);
	assert_true(vmt_other_number(VMT_BYTES("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	assert_false(vmt_other_number(VMT_BYTES("18446744073709551616"), &v));
	assert_false(vmt_other_number(VMT_BYTES(""), &v));
	assert_false(vmt_other_number(VMT_BYTES("007"), &v));
	assert_false(vmt_other_number(VMT_BYTES("-1"), &v));
	assert_false(vmt_other_number(VMT_BYTES("1.5"), &v));
	assert_false(vmt_other_number(VMT_BYTES("1 2"), &v));
}

static int add_some(void *arg)
{
	VMT_CLEANUP(vmt_other_done) struct vmt_other o = { 0 };
	unsigned i;
	char key[16];

	for (i = 0; i < VMT_OTHER_KEYS; i++) {
		snprintf(key, sizeof(key), "Key%u", i);
		add(&o, key, "two words");
	}
	return vmt_buf_error(&o.text);
}

static void test_no_memory(void **state)
{
	assert_true(unit_alloc_sweep(add_some, NULL) >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),   cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_take),
		cmocka_unit_test(test_number), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
