/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/other.h"

#include "base/parse.h"

/* The characters of keys in /proc, "Active(anon)" and "Foo-Bar" included. None of them means
 * anything in the text, in JSON, or to a spreadsheet where it is the first. */
static bool is_key(struct vmt_bytes key)
{
	size_t i;

	for (i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || vmt_is_digit(c) || c == '_')
			continue;
		if (i == 0 || (c != '(' && c != ')' && c != '.' && c != '-' && c != '/'))
			return false;
	}
	return key.len > 0 && key.len <= VMT_OTHER_NAME;
}

static bool is_value(struct vmt_bytes value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '"')
			return false;
	return true;
}

/* Whether value is "12 kB", and how many bytes that are. */
static bool is_kib(struct vmt_bytes value, uint64_t *ret_bytes)
{
	return vmt_take_u64(&value, ret_bytes) == 0 && vmt_take_blanks(&value) &&
	       vmt_bytes_is(value, "kB") &&
	       !__builtin_mul_overflow(*ret_bytes, UINT64_C(1024), ret_bytes);
}

static bool has_key(const struct vmt_other *o, struct vmt_bytes key)
{
	struct vmt_bytes cur = { o->text.data, o->text.len }, have, value;

	while (vmt_other_take(&cur, &have, &value))
		if (vmt_bytes_equal(have, key))
			return true;
	return false;
}

void vmt_other_add(struct vmt_other *o, struct vmt_bytes key, struct vmt_bytes value)
{
	char digits[VMT_DECIMAL_MAX];
	const char *quote;
	uint64_t bytes;

	if (is_kib(value, &bytes))
		value = (struct vmt_bytes){ digits, vmt_decimal(digits, bytes) };
	/* A blank before it, the sign, two quotes. */
	if (o->n == VMT_OTHER_KEYS || !is_key(key) || !is_value(value) ||
	    key.len + value.len + 4 > VMT_OTHER_BYTES - o->text.len || has_key(o, key)) {
		o->dropped = true;
		return;
	}
	quote = value.len && memchr(value.ptr, ' ', value.len) ? "\"" : "";
	if (o->n)
		vmt_buf_addc(&o->text, ' ');
	vmt_buf_add(&o->text, key.ptr, key.len);
	vmt_buf_addc(&o->text, '=');
	vmt_buf_adds(&o->text, quote);
	vmt_buf_add(&o->text, value.ptr, value.len);
	vmt_buf_adds(&o->text, quote);
	o->n++;
}

void vmt_other_clear(struct vmt_other *o)
{
	vmt_buf_clear(&o->text);
	o->n = 0;
	o->dropped = false;
}

void vmt_other_done(struct vmt_other *o)
{
	vmt_buf_done(&o->text);
	*o = (struct vmt_other){ 0 };
}

bool vmt_other_take(struct vmt_bytes *cur, struct vmt_bytes *ret_key, struct vmt_bytes *ret_value)
{
	const char *sign = cur->len ? memchr(cur->ptr, '=', cur->len) : NULL;
	const char *end, *value, *to;
	char stop = ' ';

	if (!sign)
		return false;
	end = cur->ptr + cur->len;
	value = sign + 1;
	if (value < end && *value == '"') {
		value++;
		stop = '"';
	}
	to = value < end ? memchr(value, stop, (size_t)(end - value)) : NULL;
	if (!to)
		to = end;
	*ret_key = (struct vmt_bytes){ cur->ptr, (size_t)(sign - cur->ptr) };
	*ret_value = (struct vmt_bytes){ value, (size_t)(to - value) };
	if (stop == '"' && to < end)
		to++;
	if (to < end)
		to++; /* the blank */
	*cur = (struct vmt_bytes){ to, (size_t)(end - to) };
	return true;
}

bool vmt_other_number(struct vmt_bytes value, uint64_t *ret_number)
{
	/* What begins with a 0 is an identifier of some kind. */
	if (value.len > 1 && value.ptr[0] == '0')
		return false;
	return vmt_take_u64(&value, ret_number) == 0 && value.len == 0;
}
