/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* UTF-8, decoded once more, by another hand than lib/base/fmt.c. */

#include "fuzz.h"

/* Length of a well-formed sequence by table 3-7 of the Unicode standard, or 0. */
static inline size_t fuzz_sequence(const unsigned char *s, size_t n, uint32_t *ret)
{
	size_t len, i;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	*ret = s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*ret = *ret << 6 | (s[i] & 0x3fu);
	}
	if ((len == 3 && (*ret < 0x800 || (*ret >= 0xd800 && *ret < 0xe000))) ||
	    (len == 4 && (*ret < 0x10000 || *ret > 0x10ffff)))
		return 0;
	return len;
}

/* What a terminal obeys, or shows as nothing. */
static inline bool fuzz_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

static inline bool fuzz_is_utf8(struct vmt_bytes text, bool controls)
{
	size_t at = 0;

	while (at < text.len) {
		uint32_t c = 0;
		size_t n = fuzz_sequence((const unsigned char *)text.ptr + at, text.len - at, &c);

		if (n == 0 || (!controls && fuzz_is_unsafe(c)))
			return false;
		at += n;
	}
	return true;
}
