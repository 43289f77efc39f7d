/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "model/other.h"
#include "model/rows.h"
#include "source/row-parse.h"
#include "view/row-json.h"

#define ROUNDS 60

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

/* xorshift64: the same rows in each run. */
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Numbers of all lengths, and those at the ends. */
static uint64_t any_number(void)
{
	switch (next() % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return INT64_MAX + next() % 3;
	default:
		return next() >> (next() % 64);
	}
}

/* Any bytes but NUL, or words that are text for some part. */
static struct vmt_bytes any_text(struct vmt_arena *a)
{
	static const char *const pieces[] = { "/usr/lib/x86_64-linux-gnu/libc.so.6",
					      "\xef\xbf\xbd",
					      "\\\"",
					      "\x1b[31m",
					      "\xc3\xa4",
					      "\xe2\x80\xae",
					      "\xf0\x9f\x98\x80",
					      "\xff",
					      "\n",
					      "\x7f" };
	VMT_AUTO_BUF text = { 0 };
	size_t i, n = next() % 5;

	for (i = 0; i < n; i++) {
		if (next() % 2)
			vmt_buf_adds(&text, pieces[next() % VMT_ARRAY_LEN(pieces)]);
		else
			vmt_buf_addc(&text, (char)(next() % 255 + 1));
	}
	return (struct vmt_bytes){ vmt_arena_copy(a, n ? text.data : "", text.len), text.len };
}

static struct vmt_hist any_hist(struct vmt_arena *a)
{
	size_t i, n = next() % 5;
	struct vmt_hist_bucket *b = vmt_arena_alloc(a, n + 1, sizeof(*b));
	uint64_t at = next() % 5;

	for (i = 0; i < n; i++) {
		b[i] = (struct vmt_hist_bucket){ at, at + next() % 1000, next() >> 8 };
		at = b[i].to + 1 + next() % 1000000;
	}
	if (n && next() % 2)
		b[n - 1].to = UINT64_MAX;
	return (struct vmt_hist){ b, n };
}

static struct vmt_bytes any_keys(struct vmt_arena *a)
{
	static const char *const values[] = { "0",   "18446744073709551615", "two words",   "",
					      "007", "18446744073709551616", "1\\2 = three" };
	struct vmt_other other = { 0 };
	struct vmt_bytes ret;
	size_t i, n = next() % 4;

	for (i = 0; i < n; i++) {
		char key[16];

		snprintf(key, sizeof(key), "Key%zu(a)", i);
		vmt_other_add(&other, vmt_bytes_of(key),
			      vmt_bytes_of(values[next() % VMT_ARRAY_LEN(values)]));
	}
	assert_false(other.dropped);
	ret = (struct vmt_bytes){ vmt_arena_copy(a, n ? other.text.data : "", other.text.len),
				  other.text.len };
	vmt_other_done(&other);
	return ret;
}

static void fill(const struct vmt_entity *e, struct vmt_arena *a, void *row)
{
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		void *at = (char *)row + f->offset;
		uint64_t v = any_number();

		if (next() % 5 == 0)
			continue;
		switch (f->type) {
		case VMT_TYPE_U64:
			/* No limit and an unknown one are null, both. */
			*(uint64_t *)at = f->flags & VMT_ENDLESS && v == UINT64_MAX ? 1 : v;
			break;
		case VMT_TYPE_I64:
			*(int64_t *)at = next() % 9 ? (int64_t)v : INT64_MIN;
			break;
		case VMT_TYPE_HEX:
			*(uint64_t *)at = v;
			break;
		case VMT_TYPE_BOOL:
			*(bool *)at = v & 1;
			break;
		case VMT_TYPE_STR:
			*(struct vmt_bytes *)at = any_text(a);
			break;
		case VMT_TYPE_HIST:
			*(struct vmt_hist *)at = any_hist(a);
			break;
		case VMT_TYPE_KEYS:
			*(struct vmt_bytes *)at = any_keys(a);
			break;
		}
		vmt_row_mark(row, f->index);
	}
}

static void write_row(const struct vmt_entity *e, const void *row, unsigned indent,
		      struct vmt_buf *out)
{
	VMT_CLEANUP(vmt_row_json_done) struct vmt_row_json plan = { 0 };
	const struct vmt_field *all[VMT_ROW_WORDS * 64];
	size_t i;

	for (i = 0; i < e->n_fields; i++)
		all[i] = &e->fields[i];
	assert_int_equal(vmt_row_json_init(&plan, all, e->n_fields, indent, 1, false), 0);
	vmt_row_json_put(&plan, out, row);
	assert_int_equal(vmt_buf_error(out), 0);
}

static void assert_same(const struct vmt_field *f, const void *a, const void *b)
{
	const void *x = vmt_field_at(f, a), *y = vmt_field_at(f, b);
	size_t i;

	if (vmt_row_has(a, f->index) != vmt_row_has(b, f->index))
		fail_msg("%s is known once", f->name);
	if (!vmt_row_has(a, f->index))
		return;
	if (vmt_field_is_text(f)) {
		const struct vmt_bytes *s = x, *t = y;

		assert_int_equal(s->len, t->len);
		assert_memory_equal(s->ptr, t->ptr, s->len);
	} else if (f->type == VMT_TYPE_HIST) {
		const struct vmt_hist *s = x, *t = y;

		assert_int_equal(s->n, t->n);
		for (i = 0; i < s->n; i++)
			assert_memory_equal(&s->buckets[i], &t->buckets[i], sizeof(s->buckets[i]));
	} else if (vmt_field_number(f, a) != vmt_field_number(f, b)) {
		fail_msg("%s is another number", f->name);
	}
}

/* What is written and read again is the same row, of each entity. */
static void test_identity(void **unused)
{
	size_t i, k, round;

	for (i = 0; vmt_entities[i]; i++) {
		const struct vmt_entity *e = vmt_entities[i];

		for (round = 0; round < ROUNDS; round++) {
			VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
			VMT_AUTO_BUF text = { 0 };
			void *row = vmt_arena_alloc(&a, 1, e->row_size);
			void *back = vmt_arena_alloc(&a, 1, e->row_size);
			struct json_object *o = NULL;
			struct vmt_err err = { 0 };
			uint64_t unknown = 7;

			fill(e, &a, row);
			write_row(e, row, round % 2 ? 2 : 0, &text);
			if (vmt_json_parse((struct vmt_bytes){ text.data, text.len }, &o, &err) < 0)
				fail_msg("%s: %s: %s", e->name, err.text, text.data);
			if (vmt_row_parse(e, o, &a, back, &unknown, &err) < 0)
				fail_msg("%s: %s: %s", e->name, err.text, text.data);
			vmt_row_no_keys(e, o, back);
			assert_int_equal(unknown, 7);
			for (k = 0; k < e->n_fields; k++)
				assert_same(&e->fields[k], row, back);
			json_object_put(o);
		}
	}
}

/* Fields of each type, of entities that have them. */
struct row {
	struct vmt_row row;
	uint64_t number;
	int64_t change;
	uint64_t address;
	bool flag;
	struct vmt_bytes text;
	uint64_t rate;
	int64_t signed_rate;
	struct vmt_hist hist;
	uint64_t p50;
	struct vmt_bytes keys;
	uint64_t limit;
	struct vmt_bytes unlimited;
};

#define FIELD(i, member, typ, unt, grp, flg)                                                       \
	{                                                                                          \
		.name = #member, .title = #member, .group = (grp), .type = VMT_TYPE_##typ,         \
		.unit = VMT_UNIT_##unt, .flags = (flg), .index = (i),                              \
		.offset = offsetof(struct row, member)                                             \
	}

static const struct vmt_field row_fields[] = {
	FIELD(0, number, U64, BYTES, NULL, 0),
	FIELD(1, change, I64, BYTES, NULL, 0),
	FIELD(2, p50, U64, NS, "latency", 0),
	FIELD(3, address, HEX, NONE, NULL, 0),
	FIELD(4, flag, BOOL, NONE, NULL, 0),
	FIELD(5, text, STR, NONE, NULL, 0),
	FIELD(6, rate, U64, MILLI, NULL, 0),
	FIELD(7, hist, HIST, NS, "latency", 0),
	FIELD(8, keys, KEYS, NONE, NULL, 0),
	FIELD(9, signed_rate, I64, MILLI, NULL, 0),
	FIELD(10, limit, U64, BYTES, NULL, VMT_ENDLESS),
	FIELD(11, unlimited, STR, NONE, NULL, 0),
};

static const struct vmt_entity entity = {
	.name = "thing",
	.fields = row_fields,
	.n_fields = VMT_ARRAY_LEN(row_fields),
	.row_size = sizeof(struct row),
};

static int parse_with(const char *text, size_t len, struct vmt_arena *a, struct row *row,
		      uint64_t *unknown, struct vmt_err *err)
{
	struct json_object *o = NULL;
	int r = vmt_json_parse((struct vmt_bytes){ text, len }, &o, err);

	if (r == 0)
		r = vmt_row_parse(&entity, o, a, row, unknown, err);
	json_object_put(o);
	return r;
}

static int parse(const char *text, struct vmt_arena *a, struct row *row, uint64_t *unknown)
{
	return parse_with(text, strlen(text), a, row, unknown, NULL);
}

static void test_missing_and_null_are_unknown(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };
	uint64_t unknown = 0;
	size_t i;

	assert_int_equal(parse("{\"number\":null,\"text\":null,\"latency\":null,\"keys\":null,"
			       "\"limit\":null,\"rate\":null,\"text_b64\":null}",
			       &a, &row, &unknown),
			 0);
	for (i = 0; i < VMT_ROW_WORDS; i++)
		assert_int_equal(row.row.valid[i], 0);
	assert_int_equal(unknown, 0);
	assert_int_equal(parse("{}", &a, &row, &unknown), 0);
	assert_int_equal(row.row.valid[0], 0);
}

/* Members that a later version added, also in a group; one of a group outside of it is none. */
static void test_unknown_keys_are_counted(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };
	uint64_t unknown = 0;

	assert_int_equal(
		parse("{\"new\":{\"number\":1},\"latency\":{\"p50\":7,\"p95\":9},"
		      "\"p50\":1,\"number_b64\":\"AA==\",\"other\":[1.5e300],\"change\":-4}",
		      &a, &row, &unknown),
		0);
	assert_int_equal(unknown, 5);
	assert_int_equal(row.row.valid[0], 1u << 2 | 1u << 1);
	assert_int_equal(row.p50, 7);
	assert_int_equal(row.change, -4);
}

static void b04_bytes_behind_a_replaced_text(void **unused)
{
	static const char *const texts[] = {
		"{\"text\":\"x\xef\xbf\xbd\",\"text_b64\":\"eP8=\"}",
		"{\"text_b64\":\"eP8=\",\"text\":\"x\xef\xbf\xbd\"}",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
		struct row row = { 0 };

		assert_int_equal(parse(texts[i], &a, &row, NULL), 0);
		assert_int_equal(row.row.valid[0], 1u << 5);
		assert_bytes(row.text, "x\xff");
	}
}

/* What other programs make of thousandths says the same. */
static void test_thousandths(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };

	assert_int_equal(
		parse("{\"rate\":18446744073709551.615,\"signed_rate\":-0.007}", &a, &row, NULL),
		0);
	assert_true(row.rate == UINT64_MAX);
	assert_int_equal(row.signed_rate, -7);
	assert_int_equal(
		parse("{\"rate\":12,\"signed_rate\":-9223372036854775.808}", &a, &row, NULL), 0);
	assert_int_equal(row.rate, 12000);
	assert_true(row.signed_rate == INT64_MIN);
	/* The fraction of a member that is skipped may be of any length. */
	assert_int_equal(parse("{\"x\":[0.12345678901234567890123,-1e99999999999999999999],"
			       "\"y\":\"a\\\\\",\"z\":\"\\\"99999999999999999999\"}",
			       &a, &row, NULL),
			 0);
	assert_int_equal(parse("{\"rate\":12.5,\"signed_rate\":1.04}", &a, &row, NULL), 0);
	assert_int_equal(row.rate, 12500);
	assert_int_equal(row.signed_rate, 1040);
}

/* Limits that are none are named beside the null. */
static void test_endless(void **unused)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };

	assert_int_equal(parse("{\"limit\":null,\"number\":null,\"unlimited\":\"number  limit x\"}",
			       &a, &row, NULL),
			 0);
	assert_int_equal(row.row.valid[0], 1u << 10 | 1u << 11);
	assert_true(row.limit == UINT64_MAX);
	/* Blanks around the names are no part of them, and of no name nothing follows. */
	row = (struct row){ 0 };
	assert_int_equal(parse("{\"unlimited\":\"  limit \"}", &a, &row, NULL), 0);
	assert_true(row.limit == UINT64_MAX);
	row = (struct row){ 0 };
	assert_int_equal(parse("{\"unlimited\":\"\"}", &a, &row, NULL), 0);
	assert_int_equal(row.row.valid[0], 1u << 11);
	/* What has a number is not. */
	row = (struct row){ 0 };
	assert_int_equal(parse("{\"unlimited\":\"limit\",\"limit\":5}", &a, &row, NULL), 0);
	assert_int_equal(row.limit, 5);
}

/* That there are no keys is known where all members were written. */
static void test_no_keys(void **unused)
{
	static const struct {
		const char *text;
		bool known;
	} cases[] = { { "{}", true }, { "{\"keys\":null}", false } };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct json_object *o = NULL;
		struct row row = { 0 };

		assert_int_equal(vmt_json_parse(vmt_bytes_of(cases[i].text), &o, NULL), 0);
		vmt_row_no_keys(&entity, o, &row);
		assert_int_equal(vmt_row_has(&row.row, 8), cases[i].known);
		assert_int_equal(row.keys.len, 0);
		json_object_put(o);
	}
}

/* Each is refused, and the key is named. */
static void j04_values_that_vmtop_never_writes(void **unused)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{ "{\"number\":-1}", "number" },
		{ "{\"number\":1.0}", "number" },
		{ "{\"number\":1e3}", "number" },
		{ "{\"number\":\"1\"}", "number" },
		{ "{\"number\":true}", "number" },
		{ "{\"number\":[1]}", "number" },
		{ "{\"number\":{\"number\":1}}", "number" },
		{ "{\"number\":-9223372036854775808}", "number" },
		{ "{\"change\":9223372036854775808}", "change" },
		{ "{\"change\":18446744073709551615}", "change" },
		{ "{\"change\":-0.5}", "change" },
		{ "{\"change\":{}}", "change" },
		{ "{\"address\":4096}", "address" },
		{ "{\"address\":\"\"}", "address" },
		{ "{\"address\":\"0y1\"}", "address" },
		{ "{\"signed_rate\":\"x\"}", "signed_rate" },
		{ "{\"latency\":{\"hist\":[{\"ge_ns\":1,\"le_ns\":\"x\",\"count\":1}]}}",
		  "latency.hist" },
		{ "{\"address\":\"4096\"}", "address" },
		{ "{\"address\":\"0x\"}", "address" },
		{ "{\"address\":\"0x1 \"}", "address" },
		{ "{\"address\":\"0x-1\"}", "address" },
		{ "{\"address\":\"0x10000000000000000\"}", "address" },
		{ "{\"address\":\"0x1\\u0000\"}", "address" },
		{ "{\"flag\":1}", "flag" },
		{ "{\"flag\":\"true\"}", "flag" },
		{ "{\"text\":5}", "text" },
		{ "{\"text\":[\"a\"]}", "text" },
		{ "{\"text\":\"a\\u0000b\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":5}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YQ\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YQ=a\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YR==\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YWF=\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"====\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"Y===\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YQ==YQ==\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"Y\\u0000==\"}", "text" },
		{ "{\"text\":\"a\",\"text_b64\":\"YQBh\"}", "text" },
		{ "{\"rate\":-0.001}", "rate" },
		{ "{\"rate\":1.2345}", "rate" },
		{ "{\"rate\":1.5e2}", "rate" },
		{ "{\"rate\":NaN}", "rate" },
		{ "{\"rate\":18446744073709551.616}", "rate" },
		{ "{\"rate\":\"1.5\"}", "rate" },
		{ "{\"signed_rate\":9223372036854775.808}", "signed_rate" },
		{ "{\"signed_rate\":-9223372036854775.809}", "signed_rate" },
		{ "{\"latency\":5}", "latency" },
		{ "{\"latency\":[]}", "latency" },
		{ "{\"latency\":{\"p50\":-1}}", "latency.p50" },
		{ "{\"latency\":{\"hist\":{}}}", "latency.hist" },
		{ "{\"latency\":{\"hist\":[5]}}", "latency.hist" },
		{ "{\"latency\":{\"hist\":[null]}}", "latency.hist" },
		{ "{\"latency\":{\"hist\":[{\"ge_ns\":1,\"count\":1}]}}", "latency.hist" },
		{ "{\"latency\":{\"hist\":[{\"ge_bytes\":1,\"le_ns\":2,\"count\":1}]}}",
		  "latency.hist" },
		{ "{\"latency\":{\"hist\":[{\"ge_ns\":2,\"le_ns\":1,\"count\":1}]}}",
		  "latency.hist" },
		{ "{\"latency\":{\"hist\":[{\"ge_ns\":1,\"le_ns\":null,\"count\":1},"
		  "{\"ge_ns\":5,\"le_ns\":6,\"count\":1}]}}",
		  "latency.hist" },
		{ "{\"latency\":{\"hist\":[{\"ge_ns\":1,\"le_ns\":2,\"count\":-1}]}}",
		  "latency.hist" },
		{ "{\"keys\":5}", "keys" },
		{ "{\"keys\":\"A=1\"}", "keys" },
		{ "{\"keys\":{\"A\":-1}}", "keys" },
		{ "{\"keys\":{\"A\":1.5}}", "keys" },
		{ "{\"keys\":{\"A\":null}}", "keys" },
		{ "{\"keys\":{\"A\":{}}}", "keys" },
		{ "{\"keys\":{\"A b\":1}}", "keys" },
		{ "{\"keys\":{\"\":1}}", "keys" },
		{ "{\"keys\":{\"A\":\"\\\"\"}}", "keys" },
		{ "{\"keys\":{\"A\":\"\\u001b\"}}", "keys" },
		{ "[]", "thing" },
		{ "5", "thing" },
		{ "null", "thing" },
		{ "\"number\"", "thing" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
		struct row row = { 0 };
		struct vmt_err err = { 0 };

		if (parse_with(cases[i].text, strlen(cases[i].text), &a, &row, NULL, &err) !=
			    -EINVAL ||
		    !strstr(err.text, cases[i].key))
			fail_msg("%s: \"%s\"", cases[i].text, err.text);
	}
}

/* Texts that are no JSON, or more than one. */
static void j04_texts_that_are_no_json(void **unused)
{
	static const char *const texts[] = { "",
					     "{",
					     "{\"number\":",
					     "{\"number\":18446744073709551616}",
					     "{\"number\":99999999999999999999999999999999}",
					     "{\"change\":-9223372036854775809}",
					     "{\"number\":01}",
					     "{\"number\":1,}",
					     "{\"number\":1}x",
					     "{\"number\":1} {\"number\":1}",
					     "{\"text\":\"\xff\"}",
					     "{\"text\":\"a",
					     "{/* */\"number\":1}",
					     "tru" };
	char deep[4096];
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
		struct vmt_err err = { 0 };
		struct row row = { 0 };

		if (parse_with(texts[i], strlen(texts[i]), &a, &row, NULL, &err) != -EINVAL ||
		    !err.text[0])
			fail_msg("%s: \"%s\"", texts[i], err.text);
	}
	memset(deep, '[', sizeof(deep));
	for (i = 1; i <= sizeof(deep); i *= 4) {
		struct json_object *o = NULL;

		assert_int_equal(vmt_json_parse((struct vmt_bytes){ deep, i }, &o, NULL), -EINVAL);
		assert_null(o);
	}
}

/* A NUL in the text, behind it, and in a key. */
static void j04_nul_bytes(void **unused)
{
	static const struct vmt_bytes texts[] = {
		VMT_BYTES("{\"number\":1}\0"),
		VMT_BYTES("{\"number\":1\0}"),
		VMT_BYTES("\0{\"number\":1}"),
		VMT_BYTES("{\"num\0ber\":1}"),
	};
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++)
		if (parse_with(texts[i].ptr, texts[i].len, &a, &row, NULL, NULL) != -EINVAL)
			fail_msg("text %zu was taken", i);
}

/* Blanks around it are of no matter, nor is where a number ends. */
static void test_whole_texts(void **unused)
{
	static const char *const texts[] = { " {\"number\":1}\n", "\t{ \"number\" : 1 }\r\n\n ",
					     "{\"number\":1}" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
		struct row row = { 0 };

		assert_int_equal(parse(texts[i], &a, &row, NULL), 0);
		assert_int_equal(row.number, 1);
	}
}

static void test_too_long(void **unused)
{
	VMT_AUTO_FREE char *text = malloc(VMT_JSON_TEXT_MAX + 1);
	struct json_object *o = NULL;

	assert_non_null(text);
	memset(text, ' ', VMT_JSON_TEXT_MAX + 1);
	assert_int_equal(
		vmt_json_parse((struct vmt_bytes){ text, VMT_JSON_TEXT_MAX + 1 }, &o, NULL),
		-E2BIG);
	text[0] = '5';
	assert_int_equal(vmt_json_parse((struct vmt_bytes){ text, VMT_JSON_TEXT_MAX }, &o, NULL),
			 0);
	json_object_put(o);
}

/* A few bytes of a compressed file that would be gigabytes of objects. */
static void j04_too_many(void **unused)
{
	VMT_AUTO_BUF text = { 0 };
	struct json_object *o = NULL;
	struct vmt_err err = { 0 };
	size_t i;

	vmt_buf_addc(&text, '[');
	for (i = 0; i <= VMT_JSON_OBJECTS_MAX; i++)
		vmt_buf_adds(&text, i ? ",{}" : "{}");
	vmt_buf_addc(&text, ']');
	assert_int_equal(vmt_json_parse((struct vmt_bytes){ text.data, text.len }, &o, &err),
			 -E2BIG);
	assert_null(o);
	assert_non_null(strstr(err.text, "objects"));
	vmt_buf_clear(&text);
	vmt_buf_addc(&text, '[');
	for (i = 0; i <= VMT_JSON_VALUES_MAX; i++)
		vmt_buf_adds(&text, i ? ",1" : "1");
	vmt_buf_addc(&text, ']');
	assert_int_equal(vmt_json_parse((struct vmt_bytes){ text.data, text.len }, &o, NULL),
			 -E2BIG);
	assert_null(o);
	/* Those in a text are none, with a quote and a backslash in it or not. */
	vmt_buf_clear(&text);
	vmt_buf_adds(&text, "\"\\\"\\\\");
	for (i = 0; i <= VMT_JSON_VALUES_MAX; i++)
		vmt_buf_adds(&text, i % 8 ? "," : "{");
	vmt_buf_addc(&text, '"');
	assert_int_equal(vmt_json_parse((struct vmt_bytes){ text.data, text.len }, &o, NULL), 0);
	json_object_put(o);
}

static int without_memory(void *arg)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct row row = { 0 };

	return vmt_row_parse(&entity, arg, &a, &row, NULL, NULL);
}

static void test_no_memory(void **unused)
{
	struct json_object *o = NULL;

	assert_int_equal(vmt_json_parse(VMT_BYTES("{\"text\":\"a\",\"text_b64\":\"YQ==\","
						  "\"unlimited\":\"x\","
						  "\"latency\":{\"hist\":[]},\"keys\":{\"A\":1}}"),
					&o, NULL),
			 0);
	assert_true(unit_piece_sweep(without_memory, o) >= 2);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_missing_and_null_are_unknown),
		cmocka_unit_test(test_unknown_keys_are_counted),
		cmocka_unit_test(b04_bytes_behind_a_replaced_text),
		cmocka_unit_test(test_thousandths),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(j04_values_that_vmtop_never_writes),
		cmocka_unit_test(j04_texts_that_are_no_json),
		cmocka_unit_test(j04_nul_bytes),
		cmocka_unit_test(test_whole_texts),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(j04_too_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
