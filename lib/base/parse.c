/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include <errno.h>

static void drop(struct vmt_bytes *cur, size_t n)
{
	cur->ptr += n;
	cur->len -= n;
}

int vmt_take_u64(struct vmt_bytes *cur, uint64_t *ret_value)
{
	/* So many digits always fit. */
	size_t n = 0, fit = cur->len < 19 ? cur->len : 19;
	uint64_t v = 0;

	for (; n < fit && vmt_is_digit(cur->ptr[n]); n++)
		v = v * 10 + (uint64_t)(cur->ptr[n] - '0');
	while (n < cur->len && vmt_is_digit(cur->ptr[n])) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(cur->ptr[n] - '0'), &v))
			return -ERANGE;
		n++;
	}
	if (n == 0)
		return -EINVAL;
	drop(cur, n);
	*ret_value = v;
	return 0;
}

int vmt_take_i64(struct vmt_bytes *cur, int64_t *ret_value)
{
	struct vmt_bytes c = *cur;
	bool minus = c.len && c.ptr[0] == '-';
	uint64_t v;
	int r;

	if (minus)
		drop(&c, 1);
	r = vmt_take_u64(&c, &v);
	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
		return -ERANGE;
	*ret_value = minus ? (int64_t)(0 - v) : (int64_t)v;
	*cur = c;
	return 0;
}

/* Values of hexadecimal digits, and 1, so that 0 says that a byte is none. */
static const unsigned char hex_digit[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Four digits, or -1. Each is looked up for itself, so that none waits for the one before it. */
static inline int four_digits(const unsigned char *p)
{
	unsigned a = hex_digit[p[0]], b = hex_digit[p[1]], c = hex_digit[p[2]], d = hex_digit[p[3]];

	if (!(a && b && c && d))
		return -1;
	/* Each digit is one too large. */
	return (int)((a << 12) + (b << 8) + (c << 4) + d - 0x1111);
}

int vmt_take_hex(struct vmt_bytes *cur, uint64_t *ret_value)
{
	const unsigned char *p = (const unsigned char *)cur->ptr;
	size_t len = cur->len, n = 0, i;
	uint64_t v = 0;
	unsigned d;
	int four;

	while (len - n >= 4 && (four = four_digits(p + n)) >= 0) {
		v = v << 16 | (unsigned)four;
		n += 4;
	}
	for (; n < len; n++) {
		d = hex_digit[p[n]];
		if (!d)
			break;
		v = v << 4 | (d - 1);
	}
	if (n == 0)
		return -EINVAL;
	/* More digits than fit are fine where those in front are 0. */
	for (i = 0; i + 16 < n; i++)
		if (p[i] != '0')
			return -ERANGE;
	drop(cur, n);
	*ret_value = v;
	return 0;
}

struct vmt_bytes vmt_take_word(struct vmt_bytes *cur)
{
	struct vmt_bytes word = { cur->ptr, 0 };

	while (word.len < cur->len && !vmt_is_blank(word.ptr[word.len]))
		word.len++;
	drop(cur, word.len);
	return word;
}

bool vmt_take_line(struct vmt_bytes *cur, struct vmt_bytes *ret_line)
{
	const char *nl;

	if (cur->len == 0)
		return false;
	nl = memchr(cur->ptr, '\n', cur->len);
	ret_line->ptr = cur->ptr;
	ret_line->len = nl ? (size_t)(nl - cur->ptr) : cur->len;
	drop(cur, ret_line->len + (nl ? 1 : 0));
	return true;
}

int vmt_parse_u64(const char *s, uint64_t *ret_value)
{
	struct vmt_bytes cur = vmt_bytes_of(s);
	uint64_t v;
	int r = vmt_take_u64(&cur, &v);

	if (r < 0)
		return r;
	if (cur.len)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

int vmt_parse_address(const char *s, uint64_t *ret_value)
{
	struct vmt_bytes cur = vmt_bytes_of(s);
	uint64_t v;
	int r;

	if (vmt_bytes_starts(cur, "0x") || vmt_bytes_starts(cur, "0X"))
		drop(&cur, 2);
	r = vmt_take_hex(&cur, &v);
	if (r < 0)
		return r;
	if (cur.len)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

int vmt_parse_pid(const char *s, uint64_t *ret_pid)
{
	uint64_t v;
	int r = vmt_parse_u64(s, &v);

	if (r < 0)
		return r;
	if (v == 0 || v > 4194304)
		return -ERANGE;
	*ret_pid = v;
	return 0;
}

int vmt_parse_duration(const char *s, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000 },
		{ "s", 1000000000 },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60 * UINT64_C(1000000000) },
		{ "h", 3600 * UINT64_C(1000000000) },
	};
	const uint64_t limit = UINT64_C(1000000000) * 1000000000;
	struct vmt_bytes cur = vmt_bytes_of(s);
	uint64_t whole = 0, frac = 0, div = 1, unit = 0, v, part;
	bool digits = false;
	size_t i;
	int r;

	if (cur.len && vmt_is_digit(cur.ptr[0])) {
		r = vmt_take_u64(&cur, &whole);
		if (r < 0)
			return r;
		digits = true;
	}
	if (cur.len && cur.ptr[0] == '.') {
		drop(&cur, 1);
		while (cur.len && vmt_is_digit(cur.ptr[0])) {
			if (div < 1000000000) {
				frac = frac * 10 + (uint64_t)(cur.ptr[0] - '0');
				div *= 10;
			}
			drop(&cur, 1);
			digits = true;
		}
	}
	if (!digits)
		return -EINVAL;
	for (i = 0; i < VMT_ARRAY_LEN(units); i++)
		if (vmt_bytes_is(cur, units[i].name))
			unit = units[i].ns;
	if (unit == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, &v))
		return -ERANGE;
	/* frac < 10^9 and unit <= 3.6 * 10^12, so the product wants 128 bits. */
	part = (uint64_t)((unsigned __int128)frac * unit / div);
	if (__builtin_add_overflow(v, part, &v) || v > limit)
		return -ERANGE;
	*ret_ns = v;
	return 0;
}

bool vmt_release_is_at_least(struct vmt_bytes release, uint64_t major, uint64_t minor)
{
	uint64_t a, b;

	if (vmt_take_u64(&release, &a) < 0 || vmt_take_char(&release, '.') < 0 ||
	    vmt_take_u64(&release, &b) < 0)
		return false;
	return a > major || (a == major && b >= minor);
}
