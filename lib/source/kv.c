/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kv.h"

#include <endian.h>

#include "base/parse.h"

static void trim_end(struct vmt_bytes *b)
{
	while (b->len && (vmt_is_blank(b->ptr[b->len - 1]) || b->ptr[b->len - 1] == '\r'))
		b->len--;
}

int vmt_kv_split(struct vmt_bytes line, char separator, struct vmt_bytes *ret_key,
		 struct vmt_bytes *ret_rest)
{
	struct vmt_bytes key = { line.ptr, 0 }, rest;

	if (separator == ' ') {
		while (key.len < line.len && !vmt_is_blank(line.ptr[key.len]))
			key.len++;
		rest = (struct vmt_bytes){ line.ptr + key.len, line.len - key.len };
	} else {
		const char *at = memchr(line.ptr, separator, line.len);

		if (!at)
			return -EINVAL;
		key.len = (size_t)(at - line.ptr);
		rest = (struct vmt_bytes){ at + 1, line.len - key.len - 1 };
	}
	if (key.len == 0)
		return -EINVAL;
	vmt_take_blanks(&rest);
	trim_end(&rest);
	*ret_key = key;
	*ret_rest = rest;
	return 0;
}

const struct vmt_kv_key *vmt_kv_find(const struct vmt_kv_table *table, struct vmt_bytes key,
				     size_t *hint)
{
	size_t i, at = *hint;

	for (i = 0; i < table->n; i++, at++) {
		if (at >= table->n)
			at = 0;
		if (key.len != table->keys[at].len ||
		    memcmp(key.ptr, table->keys[at].name, key.len) != 0)
			continue;
		*hint = at + 1;
		return &table->keys[at];
	}
	return NULL;
}

/* Whether a begins with the n bytes of b; a is longer than that. Keys are short: two loads that
 * overlap do for most. */
static bool begins(const char *a, const char *b, size_t n)
{
	uint64_t x, y;

	if (n < sizeof(x) || n > 2 * sizeof(x))
		return memcmp(a, b, n) == 0;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x != y)
		return false;
	memcpy(&x, a + n - sizeof(x), sizeof(x));
	memcpy(&y, b + n - sizeof(y), sizeof(y));
	return x == y;
}

static bool is_blanks(const char *p, const char *end)
{
	const uint64_t blanks = UINT64_C(0x2020202020202020);
	uint64_t x;

	for (; end - p >= (ptrdiff_t)sizeof(x); p += sizeof(x)) {
		memcpy(&x, p, sizeof(x));
		if (x != blanks)
			return false;
	}
	for (; p < end; p++)
		if (*p != ' ')
			return false;
	return true;
}

/* A number in eight bytes, right-justified among blanks, whose first byte is the lowest of x. All
 * digits at once: pairs become numbers of two digits, and those are weighed and added. */
static bool take_eight(uint64_t x, uint64_t *ret)
{
	const uint64_t blanks = UINT64_C(0x2020202020202020), zeros = UINT64_C(0x3030303030303030);
	const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0), two = UINT64_C(0x000000ff000000ff);
	uint64_t other = x ^ blanks, front;

	if (!other)
		return false;
	/* The blanks in front stand for zeros. */
	front = (UINT64_C(1) << (__builtin_ctzll(other) & ~7)) - 1;
	x = (x & ~front) | (zeros & front);
	if ((x & high) != zeros || ((x + UINT64_C(0x0606060606060606)) & high) != zeros)
		return false;
	x -= zeros;
	x = x * 10 + (x >> 8);
	*ret = ((x & two) * UINT64_C(0x000f424000000064) +
		(x >> 16 & two) * UINT64_C(0x0000271000000001)) >>
	       32;
	return true;
}

size_t vmt_kv_run(const struct vmt_kv_table *table, struct vmt_bytes text, size_t *hint,
		  struct vmt_row *row)
{
	const struct vmt_kv_key *k = table->keys + *hint, *const last = table->keys + table->n;
	/* The row could be the table itself, for all that the compiler knows. */
	struct vmt_row known = *row;
	const char *line = text.ptr;
	/* The last number but 0, as it is written and in bytes: of a mapping that is resident as a
	 * whole, most are the same. */
	uint64_t written, bytes = 0;
	size_t left;

	memcpy(&written, "       0", sizeof(written));
	for (left = text.len; left >= VMT_KV_LINE && k < last; left -= VMT_KV_LINE, k++) {
		uint64_t x, v = 0;

		if (!k->runs || memcmp(line, k->head, VMT_KV_HEAD) != 0 ||
		    memcmp(line + 24, " kB\n", 4) != 0)
			break;
		memcpy(&x, line + VMT_KV_HEAD, sizeof(x));
		if (memcmp(&x, "       0", sizeof(x)) != 0) {
			if (x != written) {
				if (!take_eight(le64toh(x), &bytes))
					break;
				bytes *= 1024;
				written = x;
			}
			v = bytes;
		}
		line += VMT_KV_LINE;
		if (k->form != VMT_KV_KIB)
			continue;
		memcpy((char *)row + k->offset, &v, sizeof(v));
		vmt_row_mark(&known, k->index);
	}
	*row = known;
	*hint = (size_t)(k - table->keys);
	return (size_t)(line - text.ptr);
}

bool vmt_kv_expected(const struct vmt_kv_table *table, struct vmt_bytes line, size_t *hint,
		     struct vmt_row *row)
{
	const struct vmt_kv_key *k = &table->keys[*hint < table->n ? *hint : 0];
	const char *value = line.ptr + k->len + 1, *p = line.ptr + line.len;
	uint64_t v = 0, unit = 1;
	size_t digits = 0;

	if (k->form == VMT_KV_OTHER || line.len <= k->len || line.ptr[k->len] != ':' ||
	    !begins(line.ptr, k->name, k->len))
		return false;
	*hint = (size_t)(k - table->keys) + 1;
	if (k->form == VMT_KV_SKIP)
		return true;
	/* status has one, and blanks behind it. */
	if (p > value && *value == '\t')
		value++;
	if (k->form == VMT_KV_KIB) {
		if (p - value < 4 || memcmp(p - 3, " kB", 3) != 0)
			goto other;
		p -= 3;
	}
	/* From the end, as the number stands there behind many blanks; fewer digits than would
	 * overflow, in kB and in bytes. */
	for (; p > value && vmt_is_digit(p[-1]) && digits < 16; digits++, unit *= 10)
		v += (uint64_t)(*--p - '0') * unit;
	if (!digits || !is_blanks(value, p))
		goto other;
	if (k->form == VMT_KV_KIB)
		v *= 1024;
	if (k->form == VMT_KV_BOOL) {
		bool b = v != 0;

		if (v > 1)
			goto other;
		memcpy((char *)row + k->offset, &b, sizeof(b));
	} else {
		memcpy((char *)row + k->offset, &v, sizeof(v));
	}
	vmt_row_mark(row, k->index);
	return true;
other:
	*hint = (size_t)(k - table->keys);
	return false;
}

int vmt_kv_store(const struct vmt_kv_key *key, struct vmt_bytes value, struct vmt_row *row)
{
	void *to = (char *)row + key->offset;
	uint64_t v;
	int r;

	if (key->form == VMT_KV_SKIP || key->form == VMT_KV_OTHER)
		return 0;
	r = vmt_take_u64(&value, &v);
	if (r < 0)
		return r;
	if (key->form == VMT_KV_KIB) {
		if (vmt_take_blanks(&value) == 0 || !vmt_bytes_is(value, "kB"))
			return -EINVAL;
		if (__builtin_mul_overflow(v, UINT64_C(1024), &v))
			return -ERANGE;
	} else if (value.len) {
		return -EINVAL;
	}
	if (key->form == VMT_KV_BOOL) {
		bool b = v != 0;

		if (v > 1)
			return -EINVAL;
		memcpy(to, &b, sizeof(b));
	} else {
		memcpy(to, &v, sizeof(v));
	}
	vmt_row_mark(row, key->index);
	return 0;
}

int vmt_kv_read(const struct vmt_kv_table *table, struct vmt_bytes text, char separator,
		struct vmt_row *row, uint64_t *unknown, const char *path, struct vmt_err *err)
{
	struct vmt_bytes line, key, rest;
	const struct vmt_kv_key *k;
	unsigned lineno = 0;
	size_t hint = 0, taken;
	int r;

	for (;;) {
		if (separator == ':') {
			taken = vmt_kv_run(table, text, &hint, row);
			text.ptr += taken;
			text.len -= taken;
			lineno += (unsigned)(taken / VMT_KV_LINE);
		}
		if (!vmt_take_line(&text, &line))
			return 0;
		lineno++;
		if (line.len == 0)
			continue;
		if (separator == ':' && vmt_kv_expected(table, line, &hint, row))
			continue;
		r = vmt_kv_split(line, separator, &key, &rest);
		if (r < 0)
			return vmt_err_set(err, r, path, lineno, "the line has no key");
		k = vmt_kv_find(table, key, &hint);
		if (!k) {
			if (unknown)
				++*unknown;
			continue;
		}
		r = vmt_kv_store(k, rest, row);
		if (r < 0)
			return vmt_err_set(err, r, path, lineno, "%s: %s", k->name,
					   r == -ERANGE ? "the number is too large"
							: "this is not a value of that key");
	}
}
