/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/row-json.h"

#include <endian.h>
#include <errno.h>

#include "model/other.h"

enum how {
	PLAIN, /* a number, in decimal digits */
	NUMBER, /* any other value that has room in what was reserved */
	TEXT,
	HIST,
};

struct vmt_row_json_item {
	const struct vmt_field *field;
	/* Of the field, at hand: where its value and its bit are in a row, and how it is written.
	 */
	size_t offset;
	size_t word;
	uint64_t bit;
	enum how how;
	unsigned depth; /* of the object that it is a member of */
	/* Pieces of vmt_row_json.text: from the value before up to this one; before the value of
	 * NAME_b64. */
	size_t before, before_len;
	size_t raw, raw_len;
};

/* Bytes of a text that is written together with the numbers. */
#define SHORT ((size_t)32)
/* The longest of "null", a number, what stands around one in thousandths, and a short text. */
#define VALUE_MAX (SHORT + 2)
_Static_assert(VALUE_MAX >= VMT_DECIMAL_MAX + 5, "room for a number in thousandths");

/* Pieces of the plan are short, and there is room behind them on both sides: a copy of a size that
 * the compiler knows is a few instructions. */
#define SLACK ((size_t)48)

static inline char *put_piece(char *p, const char *text, size_t n)
{
	if (n <= SLACK)
		memcpy(p, text, SLACK);
	else
		memcpy(p, text, n);
	return p + n;
}

void vmt_row_json_done(struct vmt_row_json *plan)
{
	free(plan->items);
	vmt_buf_done(&plan->text);
	*plan = (struct vmt_row_json){ 0 };
}

static void newline(struct vmt_row_json *plan, unsigned depth)
{
	unsigned i;

	if (!plan->indent)
		return;
	vmt_buf_addc(&plan->text, '\n');
	for (i = 0; i < depth * plan->indent; i++)
		vmt_buf_addc(&plan->text, ' ');
}

static void key(struct vmt_row_json *plan, unsigned depth, const char *name, const char *suffix,
		bool first)
{
	if (!first)
		vmt_buf_addc(&plan->text, ',');
	newline(plan, depth);
	/* Names of fields are words of our own; nothing in them has to be escaped. */
	vmt_buf_addc(&plan->text, '"');
	vmt_buf_adds(&plan->text, name);
	vmt_buf_adds(&plan->text, suffix);
	vmt_buf_adds(&plan->text, plan->indent ? "\": " : "\":");
}

static bool same_group(const struct vmt_field *a, const struct vmt_field *b)
{
	return a->group && b->group && strcmp(a->group, b->group) == 0;
}

static enum how how_of(const struct vmt_field *field)
{
	switch (field->type) {
	case VMT_TYPE_STR:
		return TEXT;
	case VMT_TYPE_HIST:
		return HIST;
	case VMT_TYPE_U64:
		return field->unit == VMT_UNIT_MILLI || field->flags & VMT_ENDLESS ? NUMBER : PLAIN;
	default:
		return NUMBER;
	}
}

/* The next item: field, in the object of its group where it has one, which it opens or closes. */
static void add_item(struct vmt_row_json *plan, const struct vmt_field *field, bool first,
		     bool opens, bool closes)
{
	struct vmt_row_json_item *item = &plan->items[plan->n];
	unsigned depth = plan->depth;
	/* What stands behind a value goes with what is before the next. */
	size_t before = plan->after;

	*item = (struct vmt_row_json_item){
		.field = field,
		.offset = field->offset,
		.word = field->index / 64,
		.bit = UINT64_C(1) << (field->index % 64),
		.how = how_of(field),
		.before = before,
	};
	if (opens) {
		key(plan, depth, field->group, "", plan->n == 0 && first);
		vmt_buf_addc(&plan->text, '{');
	}
	if (field->group)
		depth++;
	key(plan, depth, field->name, "", opens || (plan->n == 0 && first));
	item->before_len = plan->text.len - item->before;
	item->raw = plan->text.len;
	if (field->type == VMT_TYPE_STR)
		key(plan, depth, field->name, "_b64", false);
	item->raw_len = plan->text.len - item->raw;
	plan->after = plan->text.len;
	if (closes) {
		newline(plan, plan->depth);
		vmt_buf_addc(&plan->text, '}');
	}
	plan->after_len = plan->text.len - plan->after;
	item->depth = depth;
	plan->n++;
}

int vmt_row_json_init(struct vmt_row_json *plan, const struct vmt_field *const *fields, size_t n,
		      unsigned indent, unsigned depth, bool members)
{
	size_t after, after_len, i, k;

	*plan = (struct vmt_row_json){ .indent = indent, .depth = depth };
	plan->items = calloc(n ? n : 1, sizeof(*plan->items));
	if (!plan->items)
		return -ENOMEM;
	if (!members)
		vmt_buf_addc(&plan->text, '{');
	plan->after_len = plan->text.len;
	for (i = 0; i < n; i++) {
		bool seen = fields[i]->type == VMT_TYPE_KEYS;
		size_t last = i;

		for (k = 0; k < i; k++)
			seen |= same_group(fields[i], fields[k]);
		if (seen)
			continue;
		/* A group is one object, where its first field stands. */
		for (k = i + 1; k < n; k++)
			if (same_group(fields[i], fields[k]))
				last = k;
		for (k = i; k <= last; k++)
			if (k == i || same_group(fields[i], fields[k]))
				add_item(plan, fields[k], !members, fields[i]->group && k == i,
					 fields[i]->group && k == last);
	}
	/* The last, for there is nothing of them where the kernel has no such keys: what stands
	 * before and behind the others does not depend on them. */
	plan->n_always = plan->n;
	for (i = 0; i < plan->n_always; i++)
		plan->valid[plan->items[i].word] |= plan->items[i].bit;
	after = plan->after;
	after_len = plan->after_len;
	for (i = 0; i < n; i++) {
		if (fields[i]->type != VMT_TYPE_KEYS)
			continue;
		plan->after = plan->text.len;
		add_item(plan, fields[i], !members, false, false);
	}
	plan->after = after;
	plan->after_len = after_len;
	plan->end = plan->text.len;
	if (!members) {
		if (plan->n)
			newline(plan, depth - 1);
		vmt_buf_addc(&plan->text, '}');
	}
	plan->end_len = plan->text.len - plan->end;
	plan->size = plan->text.len + plan->n * VALUE_MAX + SLACK;
	/* Not part of the text: what put_piece() reads behind it. */
	for (i = 0; i < SLACK; i++)
		vmt_buf_addc(&plan->text, 0);
	return vmt_buf_error(&plan->text);
}

/* A writer that stands behind the key of the item. */
static struct vmt_json writer_at(const struct vmt_row_json *plan,
				 const struct vmt_row_json_item *item, struct vmt_buf *out)
{
	struct vmt_json j;

	vmt_json_init(&j, out, plan->indent);
	j.depth = item->depth;
	j.object[j.depth] = true;
	j.key = true;
	return j;
}

/* Buckets that hold something, each with its bounds. */
static void put_hist(const struct vmt_row_json *plan, const struct vmt_row_json_item *item,
		     struct vmt_buf *out, const struct vmt_hist *h)
{
	struct vmt_json j = writer_at(plan, item, out);
	bool bytes = item->field->unit == VMT_UNIT_BYTES;
	size_t i;

	vmt_json_array(&j);
	for (i = 0; i < h->n; i++) {
		const struct vmt_hist_bucket *b = &h->buckets[i];

		vmt_json_object(&j);
		vmt_json_key(&j, bytes ? "ge_bytes" : "ge_ns");
		vmt_json_u64(&j, b->from);
		vmt_json_key(&j, bytes ? "le_bytes" : "le_ns");
		if (b->to != UINT64_MAX)
			vmt_json_u64(&j, b->to);
		else
			vmt_json_null(&j);
		vmt_json_key(&j, "count");
		vmt_json_u64(&j, b->count);
		vmt_json_object_end(&j);
	}
	vmt_json_array_end(&j);
}

/* Whether it is known that a field of type KEYS has none. */
static inline bool has_no_keys(const struct vmt_field *f, const void *row)
{
	const struct vmt_bytes *text = vmt_field_at(f, row);

	return vmt_row_has(row, f->index) && !text->len;
}

/* The member of an item of type KEYS: an object, of numbers where the kernel has numbers, else
 * text. */
static void put_keys(const struct vmt_row_json *plan, const struct vmt_row_json_item *item,
		     struct vmt_buf *out, const void *row)
{
	struct vmt_bytes text = *(const struct vmt_bytes *)vmt_field_at(item->field, row);
	struct vmt_bytes key, value;
	struct vmt_json j;
	char name[VMT_OTHER_NAME + 1];
	uint64_t v;

	vmt_buf_add(out, plan->text.data + item->before, item->before_len);
	if (!vmt_row_has(row, item->field->index)) {
		vmt_buf_adds(out, "null");
		return;
	}
	j = writer_at(plan, item, out);
	vmt_json_object(&j);
	while (vmt_other_take(&text, &key, &value)) {
		snprintf(name, sizeof(name), "%.*s", (int)key.len, key.ptr);
		vmt_json_key(&j, name);
		if (vmt_other_number(value, &v))
			vmt_json_u64(&j, v);
		else
			vmt_json_bytes(&j, value);
	}
	vmt_json_object_end(&j);
}

static char *put(char *p, const char *text, size_t n)
{
	memcpy(p, text, n);
	return p + n;
}

/*
 * A text of at most SHORT bytes that stand for themselves, in quotes; NULL, with whatever behind p,
 * where it is another one.
 */
static inline char *put_short(char *p, struct vmt_bytes text)
{
	size_t i;

	if (text.len > SHORT)
		return NULL;
	*p++ = '"';
	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (!vmt_json_is_plain(c))
			return NULL;
		p[i] = (char)c;
	}
	p[i] = '"';
	return p + i + 1;
}

static char *put_i64(char *p, int64_t v)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	if (v < 0)
		*p++ = '-';
	return p + vmt_decimal(p, magnitude);
}

/* The eight hexadecimal digits of v, of which all bytes are made at once. */
static inline void put_eight_digits(char *p, uint32_t v)
{
	uint64_t x = v, letters;

	/* A byte for each digit, the last one in the lowest. */
	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	x += UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1);
	x = htobe64(x);
	memcpy(p, &x, sizeof(x));
}

static char *put_hex(char *p, uint64_t v)
{
	size_t n = v ? (67 - (size_t)__builtin_clzll(v)) / 4 : 1;
	char digits[16 + 16];

	put_eight_digits(digits, (uint32_t)(v >> 32));
	put_eight_digits(digits + 8, (uint32_t)v);
	p = put(p, "\"0x", 3);
	/* More than there are, as a copy of a fixed size is short; VALUE_MAX has room for them. */
	memcpy(p, digits + 16 - n, 16);
	p += n;
	*p++ = '"';
	return p;
}

static char *put_milli(char *p, uint64_t v)
{
	p += vmt_decimal(p, v / 1000);
	*p++ = '.';
	*p++ = (char)('0' + v % 1000 / 100);
	*p++ = (char)('0' + v % 100 / 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *put_signed_milli(char *p, int64_t v)
{
	if (v < 0)
		*p++ = '-';
	return put_milli(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* The last number of more than one digit that was written, and how. */
struct last_number {
	uint64_t value;
	size_t len; /* 0 before the first */
	char text[VMT_DECIMAL_MAX];
};

/* In a row, one number often stands for several fields: what is resident is all of a mapping. */
static inline char *put_plain(char *p, uint64_t v, struct last_number *last)
{
	/* Most are 0. */
	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	if (v != last->value || !last->len) {
		last->len = vmt_decimal(last->text, v);
		last->value = v;
	}
	memcpy(p, last->text, sizeof(last->text));
	return p + last->len;
}

/* A value that has room in what was reserved. */
static char *put_number(char *p, const struct vmt_field *f, const void *at)
{
	switch (f->type) {
	case VMT_TYPE_U64:
		if (f->unit == VMT_UNIT_MILLI)
			return put_milli(p, *(const uint64_t *)at);
		/* No limit is no number; what is set to none is named beside it. */
		if (f->flags & VMT_ENDLESS && *(const uint64_t *)at == UINT64_MAX)
			return put(p, "null", 4);
		return p + vmt_decimal(p, *(const uint64_t *)at);
	case VMT_TYPE_I64:
		if (f->unit == VMT_UNIT_MILLI)
			return put_signed_milli(p, *(const int64_t *)at);
		return put_i64(p, *(const int64_t *)at);
	case VMT_TYPE_HEX:
		return put_hex(p, *(const uint64_t *)at);
	case VMT_TYPE_BOOL:
		return *(const bool *)at ? put(p, "true", 4) : put(p, "false", 5);
	case VMT_TYPE_STR:
	case VMT_TYPE_HIST:
	case VMT_TYPE_KEYS:
		break;
	}
	return p;
}

/* The items that every row has, up to the last value; known: the row has all of them. Where it
 * ends, or NULL without memory. */
static inline __attribute__((always_inline)) char *
put_items(const struct vmt_row_json *plan, struct vmt_buf *out, const void *row, bool known)
{
	const uint64_t *valid = ((const struct vmt_row *)row)->valid;
	/* What is written could be the plan itself, for all that the compiler knows. */
	const struct vmt_row_json_item *item = plan->items, *const last = item + plan->n_always;
	const char *const pieces = plan->text.data;
	struct last_number number = { 0 };
	char *p = out->data + out->len, *end;

	for (; item < last; item++) {
		const void *at = (const char *)row + item->offset;

		p = put_piece(p, pieces + item->before, item->before_len);
		if (!known && !(valid[item->word] & item->bit)) {
			p = put(p, "null", 4);
		} else if (item->how == PLAIN) {
			p = put_plain(p, *(const uint64_t *)at, &number);
		} else if (item->how == NUMBER) {
			p = put_number(p, item->field, at);
		} else if (item->how == TEXT &&
			   (end = put_short(p, *(const struct vmt_bytes *)at))) {
			p = end;
		} else {
			out->len = (size_t)(p - out->data);
			if (item->how == HIST) {
				put_hist(plan, item, out, at);
			} else if (vmt_json_quote(out, *(const struct vmt_bytes *)at)) {
				vmt_buf_add(out, pieces + item->raw, item->raw_len);
				vmt_json_quote_base64(out, *(const struct vmt_bytes *)at);
			}
			if (vmt_buf_reserve(out, plan->size) < 0)
				return NULL;
			p = out->data + out->len;
		}
	}
	return p;
}

void vmt_row_json_put(const struct vmt_row_json *plan, struct vmt_buf *out, const void *row)
{
	const uint64_t *valid = ((const struct vmt_row *)row)->valid;
	bool known = true;
	size_t i;
	char *p;

	/* Room for what is left of the row, whatever its numbers are. */
	if (vmt_buf_reserve(out, plan->size) < 0)
		return;
	for (i = 0; i < VMT_ROW_WORDS; i++)
		known &= (plan->valid[i] & ~valid[i]) == 0;
	p = known ? put_items(plan, out, row, true) : put_items(plan, out, row, false);
	if (!p)
		return;
	p = put_piece(p, plan->text.data + plan->after, plan->after_len);
	for (i = plan->n_always; i < plan->n; i++) {
		if (has_no_keys(plan->items[i].field, row))
			continue;
		out->len = (size_t)(p - out->data);
		put_keys(plan, &plan->items[i], out, row);
		if (vmt_buf_reserve(out, plan->end_len) < 0)
			return;
		p = out->data + out->len;
	}
	p = put(p, plan->text.data + plan->end, plan->end_len);
	out->len = (size_t)(p - out->data);
	out->data[out->len] = 0;
}
