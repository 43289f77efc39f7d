/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/row-parse.h"

#include <json-c/json.h>

#include "base/parse.h"
#include "model/other.h"

/* A histogram has a bucket for each power of two at most; ranges of latency have more, not many. */
#define BUCKETS_MAX ((size_t)4096)

struct reader {
	const struct vmt_entity *entity;
	struct vmt_arena *arena;
	void *row;
	uint64_t unknown;
	struct vmt_err *err;
};

static void skip(struct vmt_bytes *cur)
{
	cur->ptr++;
	cur->len--;
}

/*
 * Where in text the first whole number is that json-c has no room for, or NULL: some versions take
 * the largest in its place. What is no JSON is for the parser to refuse.
 */
static const char *too_large(struct vmt_bytes text)
{
	bool quoted = false;

	while (text.len) {
		const char *begin = text.ptr;
		bool whole = true;
		uint64_t u;
		int64_t i;
		int r;

		if (quoted || !(vmt_is_digit(*begin) || *begin == '-')) {
			if (*begin == '"')
				quoted = !quoted;
			if (quoted && *begin == '\\' && text.len > 1)
				skip(&text);
			skip(&text);
			continue;
		}
		r = *begin == '-' ? vmt_take_i64(&text, &i) : vmt_take_u64(&text, &u);
		if (r < 0)
			skip(&text);
		/* What has a fraction or an exponent is none. */
		for (; text.len && *text.ptr && strchr("0123456789.eE+-", *text.ptr); skip(&text))
			whole &= vmt_is_digit(*text.ptr);
		if (r == -ERANGE && whole)
			return begin;
	}
	return NULL;
}

int vmt_json_parse(struct vmt_bytes text, struct json_object **ret, struct vmt_err *err)
{
	const char *number;
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error e;
	size_t end;
	int r = vmt_json_fits(text, err);

	if (r < 0)
		return r;
	number = too_large(text);
	if (number)
		return vmt_err_set(err, -EINVAL, NULL, 0,
				   "a number of more than 64 bits at byte %zu",
				   (size_t)(number - text.ptr));
	tok = json_tokener_new_ex(VMT_JSON_DEPTH);
	if (!tok)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text.len ? text.ptr : "", (int)text.len);
	e = json_tokener_get_error(tok);
	/* A number, and null, could go on: a blank ends them. */
	if (e == json_tokener_continue) {
		o = json_tokener_parse_ex(tok, " ", 1);
		e = json_tokener_get_error(tok);
		end = text.len;
	} else {
		end = json_tokener_get_parse_end(tok);
	}
	if (e == json_tokener_continue)
		r = vmt_err_set(err, -EINVAL, NULL, 0, "the JSON text ends early");
	else if (e != json_tokener_success)
		r = vmt_err_set(err, -EINVAL, NULL, 0, "no JSON at byte %zu: %s", end,
				json_tokener_error_desc(e));
	if (r == 0 && end < text.len)
		r = vmt_err_set(err, -EINVAL, NULL, 0, "more behind the JSON text, at byte %zu",
				end);
	json_tokener_free(tok);
	if (r < 0)
		json_object_put(o);
	else
		*ret = o;
	return r;
}

static int refuse(const struct reader *rd, const struct vmt_field *f, const char *why)
{
	return vmt_err_set(rd->err, -EINVAL, NULL, 0, "%s%s%s: %s", f->group ? f->group : "",
			   f->group ? "." : "", f->name, why);
}

static int no_memory(const struct reader *rd)
{
	return vmt_err_set(rd->err, -ENOMEM, NULL, 0, "no memory");
}

static struct vmt_bytes text_of(struct json_object *o)
{
	return (struct vmt_bytes){ json_object_get_string(o),
				   (size_t)json_object_get_string_len(o) };
}

/* A whole number of 64 bits without a sign. What is larger than those of int64_t is of another kind
 * inside json-c, and looks the same. */
static bool is_u64(struct json_object *o, uint64_t *ret)
{
	if (!json_object_is_type(o, json_type_int))
		return false;
	*ret = json_object_get_uint64(o);
	/* 0 is also what a negative one gives. */
	return *ret > 0 || json_object_get_int64(o) == 0;
}

static bool is_i64(struct json_object *o, int64_t *ret)
{
	if (!json_object_is_type(o, json_type_int))
		return false;
	*ret = json_object_get_int64(o);
	/* One that is too large gives the largest that there is. */
	return *ret != INT64_MAX || json_object_get_uint64(o) == INT64_MAX;
}

/*
 * A number in thousandths: digits with at most three behind the point, which json-c keeps as they
 * were written. *ret_value is its magnitude.
 */
static bool is_milli(struct json_object *o, bool *ret_negative, uint64_t *ret_value)
{
	struct vmt_bytes text;
	uint64_t v, part = 0;
	unsigned digits = 0;

	if (!json_object_is_type(o, json_type_int) && !json_object_is_type(o, json_type_double))
		return false;
	text = vmt_bytes_of(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	*ret_negative = vmt_take_char(&text, '-') == 0;
	if (vmt_take_u64(&text, &v) < 0)
		return false;
	if (vmt_take_char(&text, '.') == 0) {
		for (; text.len && vmt_is_digit(text.ptr[0]); digits++) {
			part = 10 * part + (uint64_t)(text.ptr[0] - '0');
			text.ptr++;
			text.len--;
			if (digits == 3)
				return false;
		}
		if (digits == 0)
			return false;
	}
	for (; digits < 3; digits++)
		part *= 10;
	return text.len == 0 && !__builtin_mul_overflow(v, UINT64_C(1000), &v) &&
	       !__builtin_add_overflow(v, part, ret_value);
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (vmt_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 (RFC 4648), padded, with no bits left over: of each text there is one. */
static int decode(struct vmt_bytes text, struct vmt_arena *a, struct vmt_bytes *ret)
{
	size_t i, n = 0;
	char *out;

	if (text.len % 4)
		return -EINVAL;
	out = vmt_arena_alloc(a, text.len / 4 * 3 + 1, 1);
	if (!out)
		return -ENOMEM;
	for (i = 0; i < text.len; i += 4) {
		unsigned k, pad = 0;
		uint32_t v = 0;

		if (i + 4 == text.len && text.ptr[i + 3] == '=')
			pad = text.ptr[i + 2] == '=' ? 2 : 1;
		for (k = 0; k < 4 - pad; k++) {
			int d = digit_of(text.ptr[i + k]);

			if (d < 0)
				return -EINVAL;
			v |= (uint32_t)d << (18 - 6 * k);
		}
		if (v & (pad == 2 ? 0xffffu : pad == 1 ? 0xffu : 0u))
			return -EINVAL;
		out[n++] = (char)(v >> 16);
		if (pad < 2)
			out[n++] = (char)(v >> 8);
		if (pad < 1)
			out[n++] = (char)v;
	}
	*ret = (struct vmt_bytes){ out, n };
	return 0;
}

/* Texts of the kernel end at their first NUL; one in the middle is none of them. */
static bool has_nul(struct vmt_bytes text)
{
	return text.len && memchr(text.ptr, 0, text.len);
}

static int put_text(struct reader *rd, const struct vmt_field *f, struct json_object *o, bool b64)
{
	struct vmt_bytes text;
	char *copy;
	int r;

	if (!json_object_is_type(o, json_type_string))
		return refuse(rd, f, b64 ? "its base64 is no text" : "is no text");
	text = text_of(o);
	if (b64) {
		r = decode(text, rd->arena, &text);
		if (r == -EINVAL)
			return refuse(rd, f, "its base64 is broken");
		if (r < 0)
			return no_memory(rd);
	} else if (vmt_row_has(rd->row, f->index)) {
		return 0; /* by its bytes */
	} else {
		copy = vmt_arena_copy(rd->arena, text.ptr, text.len);
		if (!copy)
			return no_memory(rd);
		text.ptr = copy;
	}
	if (has_nul(text))
		return refuse(rd, f, "a text with a NUL in it");
	*(struct vmt_bytes *)((char *)rd->row + f->offset) = text;
	return 1;
}

static int put_bucket(struct reader *rd, const struct vmt_field *f, struct json_object *o,
		      struct vmt_hist_bucket *b)
{
	bool bytes = f->unit == VMT_UNIT_BYTES;
	struct json_object *to = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !is_u64(json_object_object_get(o, bytes ? "ge_bytes" : "ge_ns"), &b->from) ||
	    !is_u64(json_object_object_get(o, "count"), &b->count) ||
	    !json_object_object_get_ex(o, bytes ? "le_bytes" : "le_ns", &to))
		return refuse(rd, f, "a bucket that is none");
	b->to = UINT64_MAX;
	if (to && !is_u64(to, &b->to))
		return refuse(rd, f, "a bucket that is none");
	if (b->to < b->from)
		return refuse(rd, f, "a bucket that ends before it begins");
	return 0;
}

static int put_hist(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	struct vmt_hist *h = (struct vmt_hist *)((char *)rd->row + f->offset);
	struct vmt_hist_bucket *buckets;
	size_t i, n;
	int r;

	if (!json_object_is_type(o, json_type_array))
		return refuse(rd, f, "is no list of buckets");
	n = json_object_array_length(o);
	if (n > BUCKETS_MAX)
		return refuse(rd, f, "too many buckets");
	buckets = vmt_arena_alloc(rd->arena, n ? n : 1, sizeof(*buckets));
	if (!buckets)
		return no_memory(rd);
	for (i = 0; i < n; i++) {
		r = put_bucket(rd, f, json_object_array_get_idx(o, i), &buckets[i]);
		if (r < 0)
			return r;
		if (i && buckets[i].from <= buckets[i - 1].to)
			return refuse(rd, f, "its buckets are not in order");
	}
	*h = (struct vmt_hist){ buckets, n };
	return 1;
}

static int put_keys(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	struct vmt_other other = { 0 };
	char digits[VMT_DECIMAL_MAX];
	const char *copy = NULL;
	uint64_t v;
	int r = 1;

	if (!json_object_is_type(o, json_type_object))
		return refuse(rd, f, "is no object");
	json_object_object_foreach(o, key, value)
	{
		struct vmt_bytes text;

		if (is_u64(value, &v))
			text = (struct vmt_bytes){ digits, vmt_decimal(digits, v) };
		else if (json_object_is_type(value, json_type_string))
			text = text_of(value);
		else
			other.dropped = true;
		if (other.dropped)
			break;
		vmt_other_add(&other, vmt_bytes_of(key), text);
	}
	if (vmt_buf_error(&other.text) == 0 && !other.dropped)
		copy = vmt_arena_copy(rd->arena, other.n ? other.text.data : "", other.text.len);
	if (vmt_buf_error(&other.text) < 0)
		r = no_memory(rd);
	else if (other.dropped)
		r = refuse(rd, f, "a key or value that a file of the kernel cannot have");
	else if (!copy)
		r = no_memory(rd);
	else
		*(struct vmt_bytes *)((char *)rd->row + f->offset) =
			(struct vmt_bytes){ copy, other.text.len };
	vmt_other_done(&other);
	return r;
}

static int put_u64(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	uint64_t *at = (uint64_t *)((char *)rd->row + f->offset);
	bool negative;

	if (f->unit == VMT_UNIT_MILLI) {
		if (!is_milli(o, &negative, at) || negative)
			return refuse(rd, f, "is no number in thousandths");
	} else if (!is_u64(o, at)) {
		return refuse(rd, f, "is no whole number from 0 to 2^64 - 1");
	}
	return 1;
}

static int put_i64(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	int64_t *at = (int64_t *)((char *)rd->row + f->offset);
	uint64_t v;
	bool negative;

	if (f->unit == VMT_UNIT_MILLI) {
		if (!is_milli(o, &negative, &v) || v > (uint64_t)INT64_MAX + negative)
			return refuse(rd, f, "is no number in thousandths");
		*at = (int64_t)(negative ? 0 - v : v);
	} else if (!is_i64(o, at)) {
		return refuse(rd, f, "is no whole number of 64 bits");
	}
	return 1;
}

static int put_hex(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	uint64_t *at = (uint64_t *)((char *)rd->row + f->offset);
	struct vmt_bytes text;

	if (!json_object_is_type(o, json_type_string))
		return refuse(rd, f, "is no text of the form 0x1f");
	text = text_of(o);
	if (vmt_take_char(&text, '0') < 0 || vmt_take_char(&text, 'x') < 0 ||
	    vmt_take_hex(&text, at) < 0 || text.len)
		return refuse(rd, f, "is no address of the form 0x1f");
	return 1;
}

/* One value that is not null. 1: it is known now; 0: it was before. */
static int put_value(struct reader *rd, const struct vmt_field *f, struct json_object *o)
{
	switch (f->type) {
	case VMT_TYPE_U64:
		return put_u64(rd, f, o);
	case VMT_TYPE_I64:
		return put_i64(rd, f, o);
	case VMT_TYPE_HEX:
		return put_hex(rd, f, o);
	case VMT_TYPE_BOOL:
		if (!json_object_is_type(o, json_type_boolean))
			return refuse(rd, f, "is neither true nor false");
		*(bool *)((char *)rd->row + f->offset) = json_object_get_boolean(o);
		return 1;
	case VMT_TYPE_STR:
		return put_text(rd, f, o, false);
	case VMT_TYPE_HIST:
		return put_hist(rd, f, o);
	case VMT_TYPE_KEYS:
		return put_keys(rd, f, o);
	}
	return 0;
}

static bool in_group(const struct vmt_field *f, const char *group)
{
	return group ? f->group && strcmp(f->group, group) == 0 : !f->group;
}

/*
 * The field of a member, in that group (NULL: in none); *at is where it is looked for first, as
 * members mostly come in the order of the table, and is moved behind it. *ret_b64: it is the one
 * of its bytes. NULL where there is none.
 */
static const struct vmt_field *field_of(const struct vmt_entity *e, const char *group,
					const char *key, size_t *at, bool *ret_b64)
{
	size_t i, len = strlen(key);

	*ret_b64 = false;
	for (i = 0; i < e->n_fields; i++) {
		size_t k = *at + i < e->n_fields ? *at + i : *at + i - e->n_fields;
		const struct vmt_field *f = &e->fields[k];

		if (in_group(f, group) && strcmp(f->name, key) == 0) {
			*at = k + 1;
			return f;
		}
	}
	if (len < 4 || strcmp(key + len - 4, "_b64") != 0)
		return NULL;
	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];

		if (f->type == VMT_TYPE_STR && in_group(f, group) && strlen(f->name) == len - 4 &&
		    memcmp(f->name, key, len - 4) == 0) {
			*ret_b64 = true;
			return f;
		}
	}
	return NULL;
}

static bool is_group(const struct vmt_entity *e, const char *key)
{
	size_t i;

	for (i = 0; i < e->n_fields; i++)
		if (in_group(&e->fields[i], key))
			return true;
	return false;
}

static int put_members(struct reader *rd, struct json_object *o, const char *group)
{
	size_t at = 0;
	int r;

	json_object_object_foreach(o, key, value)
	{
		bool b64;
		const struct vmt_field *f = field_of(rd->entity, group, key, &at, &b64);

		r = 0;
		if (f && value) {
			r = b64 ? put_text(rd, f, value, true) : put_value(rd, f, value);
			if (r > 0)
				vmt_row_mark(rd->row, f->index);
		} else if (!f && !group && is_group(rd->entity, key)) {
			/* null: all of it is unknown. */
			if (value && !json_object_is_type(value, json_type_object))
				return vmt_err_set(rd->err, -EINVAL, NULL, 0, "%s: is no object",
						   key);
			if (value)
				r = put_members(rd, value, key);
		} else if (!f) {
			rd->unknown++;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Limits that are none are null, as unknown ones are, and named in a field beside them. */
static void put_endless(const struct reader *rd)
{
	const struct vmt_field *f = vmt_field_find(rd->entity, VMT_BYTES("unlimited"));
	struct vmt_bytes names, name;

	if (!f || f->type != VMT_TYPE_STR || !vmt_row_has(rd->row, f->index))
		return;
	names = *(const struct vmt_bytes *)vmt_field_at(f, rd->row);
	while (names.len) {
		name = vmt_take_word(&names);
		f = vmt_field_find(rd->entity, name);
		if (f && f->flags & VMT_ENDLESS && !vmt_row_has(rd->row, f->index)) {
			*(uint64_t *)((char *)rd->row + f->offset) = UINT64_MAX;
			vmt_row_mark(rd->row, f->index);
		}
		vmt_take_blanks(&names);
	}
}

int vmt_row_parse(const struct vmt_entity *e, struct json_object *o, struct vmt_arena *a, void *row,
		  uint64_t *unknown_keys, struct vmt_err *err)
{
	struct reader rd = { .entity = e, .arena = a, .row = row, .err = err };
	int r;

	if (!json_object_is_type(o, json_type_object))
		return vmt_err_set(err, -EINVAL, NULL, 0, "a row of %s is no object", e->name);
	r = put_members(&rd, o, NULL);
	if (r < 0)
		return r;
	put_endless(&rd);
	if (unknown_keys)
		*unknown_keys += rd.unknown;
	return 0;
}

void vmt_row_no_keys(const struct vmt_entity *e, struct json_object *o, void *row)
{
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];

		if (f->type != VMT_TYPE_KEYS || json_object_object_get_ex(o, f->name, NULL))
			continue;
		*(struct vmt_bytes *)((char *)row + f->offset) = VMT_BYTES("");
		vmt_row_mark(row, f->index);
	}
}
