/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "view/row-json.h"

/* A row with a field of each type, and a group that is not in one piece. */
struct sample {
	struct vmt_row row;
	uint64_t number;
	int64_t change;
	uint64_t address;
	bool flag;
	struct vmt_bytes text;
	uint64_t rate;
	struct vmt_hist hist;
	uint64_t p50;
	struct vmt_bytes keys;
};

#define FIELD(i, member, typ, unt, grp)                                                            \
	{                                                                                          \
		.name = #member, .title = #member, .group = (grp), .type = VMT_TYPE_##typ,         \
		.unit = VMT_UNIT_##unt, .index = (i), .offset = offsetof(struct sample, member)    \
	}

static const struct vmt_field fields[] = {
	FIELD(0, number, U64, BYTES, NULL), FIELD(1, change, I64, BYTES, NULL),
	FIELD(2, p50, U64, NS, "latency"),  FIELD(3, address, HEX, NONE, NULL),
	FIELD(4, flag, BOOL, NONE, NULL),   FIELD(5, text, STR, NONE, NULL),
	FIELD(6, rate, U64, MILLI, NULL),   FIELD(7, hist, HIST, NS, "latency"),
	FIELD(8, keys, KEYS, NONE, NULL),
};

static const struct vmt_field *const all[] = { &fields[0], &fields[1], &fields[2],
					       &fields[3], &fields[4], &fields[5],
					       &fields[6], &fields[7], &fields[8] };

static const struct vmt_hist_bucket two_buckets[] = {
	{ .from = 0, .to = 15, .count = 3 },
	{ .from = 4096, .to = UINT64_MAX, .count = 1 },
};

static struct sample known(void)
{
	struct sample s = { .number = UINT64_MAX,
			    .change = INT64_MIN,
			    .address = 0x7f00deadbeef,
			    .flag = true,
			    .text = VMT_BYTES("a\"b"),
			    .rate = 12034,
			    .p50 = 7,
			    .keys = VMT_BYTES("A=1 B(x)=\"1 \\ 2\" C= D=007") };
	unsigned i;

	s.hist = (struct vmt_hist){ two_buckets, VMT_ARRAY_LEN(two_buckets) };
	for (i = 0; i < VMT_ARRAY_LEN(fields); i++)
		vmt_row_mark(&s.row, i);
	return s;
}

static int write_row(struct vmt_buf *out, const void *row, size_t n, unsigned indent, bool members)
{
	VMT_CLEANUP(vmt_row_json_done) struct vmt_row_json plan = { 0 };
	int r = vmt_row_json_init(&plan, all, n, indent, 1, members);

	if (r == 0)
		vmt_row_json_put(&plan, out, row);
	return r ? r : vmt_buf_error(out);
}

static void test_each_type(void **state)
{
	const struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 0, false), 0);
	assert_buf(&out, "{\"number\":18446744073709551615,\"change\":-9223372036854775808,"
			 "\"latency\":{\"p50\":7,\"hist\":[{\"ge_ns\":0,\"le_ns\":15,\"count\":3},"
			 "{\"ge_ns\":4096,\"le_ns\":null,\"count\":1}]},"
			 "\"address\":\"0x7f00deadbeef\",\"flag\":true,\"text\":\"a\\\"b\","
			 "\"rate\":12.034,"
			 "\"keys\":{\"A\":1,\"B(x)\":\"1 \\\\ 2\",\"C\":\"\",\"D\":\"007\"}}");
}

static void test_unknown_is_null(void **state)
{
	const struct sample s = { .number = 5 };
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 0, false), 0);
	assert_buf(&out,
		   "{\"number\":null,\"change\":null,\"latency\":{\"p50\":null,\"hist\":null},"
		   "\"address\":null,\"flag\":null,\"text\":null,\"rate\":null,\"keys\":null}");
}

static void test_members_of_a_line(void **state)
{
	const struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(write_row(&out, &s, 3, 0, true), 0);
	assert_buf(&out, ",\"number\":18446744073709551615,\"change\":-9223372036854775808,"
			 "\"latency\":{\"p50\":7}");
}

static void test_indent(void **state)
{
	struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	s.hist.buckets++;
	s.hist.n--;
	s.keys.len = 3;
	assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 2, false), 0);
	assert_buf(&out, "{\n"
			 "  \"number\": 18446744073709551615,\n"
			 "  \"change\": -9223372036854775808,\n"
			 "  \"latency\": {\n"
			 "    \"p50\": 7,\n"
			 "    \"hist\": [\n"
			 "      {\n"
			 "        \"ge_ns\": 4096,\n"
			 "        \"le_ns\": null,\n"
			 "        \"count\": 1\n"
			 "      }\n"
			 "    ]\n"
			 "  },\n"
			 "  \"address\": \"0x7f00deadbeef\",\n"
			 "  \"flag\": true,\n"
			 "  \"text\": \"a\\\"b\",\n"
			 "  \"rate\": 12.034,\n"
			 "  \"keys\": {\n"
			 "    \"A\": 1\n"
			 "  }\n"
			 "}");
}

static void b04_bytes_that_are_no_text(void **state)
{
	struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	s.text = VMT_BYTES("x\xff");
	s.address = 0;
	assert_int_equal(write_row(&out, &s, 6, 0, true), 0);
	assert_non_null(strstr(out.data, ",\"text\":\"x\xef\xbf\xbd\",\"text_b64\":\"eP8=\""));
	assert_non_null(strstr(out.data, ",\"address\":\"0x0\","));
}

/* Addresses of each length, and each digit in each place. */
static void test_hex(void **state)
{
	uint64_t v = UINT64_C(0xfedcba9876543210);
	unsigned i, turn;

	for (turn = 0; turn < 16; turn++, v = v << 4 | v >> 60) {
		for (i = 0; i < 16; i++) {
			struct sample s = known();
			VMT_AUTO_BUF out = { 0 };
			char want[48];

			s.address = v >> (4 * i);
			snprintf(want, sizeof(want), ",\"address\":\"0x%llx\",",
				 (unsigned long long)s.address);
			assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 0, true), 0);
			assert_non_null(strstr(out.data, want));
		}
	}
}

/* That there are none is known. */
static void test_no_keys(void **state)
{
	struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	s.keys = VMT_BYTES("");
	assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 0, true), 0);
	assert_non_null(strstr(out.data, ",\"rate\":12.034"));
	assert_null(strstr(out.data, "keys"));
}

/* Whatever stands before them, and where nothing does. */
static void test_keys_alone(void **state)
{
	static const struct vmt_field *const first[] = { &fields[8], &fields[0] };
	static const char *const want[][3] = {
		{ "{\"keys\":null}", "{\"keys\":{\"A\":1}}", "{}" },
		{ "{\"number\":5,\"keys\":null}", "{\"number\":5,\"keys\":{\"A\":1}}",
		  "{\"number\":5}" },
	};
	size_t n, i;

	for (n = 1; n <= 2; n++) {
		VMT_CLEANUP(vmt_row_json_done) struct vmt_row_json plan = { 0 };

		assert_int_equal(vmt_row_json_init(&plan, first, n, 0, 1, false), 0);
		for (i = 0; i < 3; i++) {
			struct sample s = { .number = 5, .keys = { "A=1", i == 1 ? 3 : 0 } };
			VMT_AUTO_BUF out = { 0 };

			vmt_row_mark(&s.row, 0);
			if (i)
				vmt_row_mark(&s.row, 8);
			vmt_row_json_put(&plan, &out, &s);
			assert_buf(&out, want[n - 1][i]);
		}
	}
}

static void test_no_fields(void **state)
{
	const struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(write_row(&out, &s, 0, 2, false), 0);
	assert_buf(&out, "{}");
}

/* The room that was reserved does for long text between numbers, many times over. */
static void test_long_text(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct sample s = known();
	char text[5000];
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 7 ? 'a' : '\x1b';
	s.text = (struct vmt_bytes){ text, sizeof(text) };
	for (i = 0; i < 20; i++) {
		assert_int_equal(write_row(&out, &s, VMT_ARRAY_LEN(all), 0, false), 0);
		assert_int_equal(out.len % (i + 1), 0);
	}
}

static int without_memory(void *arg)
{
	const struct sample s = known();
	VMT_AUTO_BUF out = { 0 };

	return write_row(&out, &s, VMT_ARRAY_LEN(all), 2, false);
}

static void test_no_memory(void **state)
{
	assert_true(unit_piece_sweep(without_memory, NULL) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type),
		cmocka_unit_test(test_unknown_is_null),
		cmocka_unit_test(test_members_of_a_line),
		cmocka_unit_test(test_indent),
		cmocka_unit_test(b04_bytes_that_are_no_text),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_keys_alone),
		cmocka_unit_test(test_no_fields),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
