/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Bounded, locale-free parsing. A cursor is a struct vmt_bytes that shrinks from the front. The
 * parsers take what they understand, leave the rest, and return 0, -EINVAL where the text is not
 * of the form, or -ERANGE where the number does not fit; on failure nothing is taken.
 */

static inline bool vmt_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool vmt_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes leading blanks and tabs; returns how many. */
static inline size_t vmt_take_blanks(struct vmt_bytes *cur)
{
	size_t n = 0;

	while (n < cur->len && vmt_is_blank(cur->ptr[n]))
		n++;
	cur->ptr += n;
	cur->len -= n;
	return n;
}

/* Takes a decimal number (no sign, no blanks before it). */
int vmt_take_u64(struct vmt_bytes *cur, uint64_t *ret_value);
/* The same with an optional minus. */
int vmt_take_i64(struct vmt_bytes *cur, int64_t *ret_value);
/* Takes a hexadecimal number without 0x. */
int vmt_take_hex(struct vmt_bytes *cur, uint64_t *ret_value);
/*
 * Whether eight characters are hexadecimal digits, of small letters, and the number that they are.
 * All are looked at together, for lists of thousands of addresses.
 */
static inline bool vmt_hex_eight(const char *p, uint64_t *ret_value)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t x, v;

	memcpy(&x, p, sizeof(x));
	/* A byte for each character, the first one in the highest. Bit 6 is set in letters alone,
	 * and no byte grows into the next one. */
	x = be64toh(x);
	v = (x & 0x0f * each) + 9 * ((x >> 6) & each);
	/* Only these are written as what they were read as. */
	if (v & 0xf0 * each ||
	    x != v + '0' * each + (((v + 6 * each) >> 4) & each) * ('a' - '9' - 1))
		return false;
	v = (v | v >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	v = (v | v >> 8) & UINT64_C(0x0000ffff0000ffff);
	*ret_value = (v | v >> 16) & UINT64_C(0x00000000ffffffff);
	return true;
}

/* Takes one given character. */
static inline int vmt_take_char(struct vmt_bytes *cur, char c)
{
	if (cur->len == 0 || cur->ptr[0] != c)
		return -EINVAL;
	cur->ptr++;
	cur->len--;
	return 0;
}

/* Takes what stands before the next blank or the end; may be empty. */
struct vmt_bytes vmt_take_word(struct vmt_bytes *cur);
/* Takes a line without its newline; false at the end of the text. A last line without a newline
 * counts. */
bool vmt_take_line(struct vmt_bytes *cur, struct vmt_bytes *ret_line);

/* Whether the release of a kernel, as uname(2) has it, is of that version or later; false where it
 * is none. */
bool vmt_release_is_at_least(struct vmt_bytes release, uint64_t major, uint64_t minor);

/* A whole string that is one decimal number and nothing else. */
int vmt_parse_u64(const char *s, uint64_t *ret_value);
/* An address: hexadecimal, with or without 0x. */
int vmt_parse_address(const char *s, uint64_t *ret_value);
/* A process id: 1..2^22, the kernel's largest PID_MAX_LIMIT. */
int vmt_parse_pid(const char *s, uint64_t *ret_pid);
/*
 * A span of time in ns: seconds with an optional fraction and an optional unit (ns, us, ms, s, m,
 * h). -ERANGE above 10^9 seconds.
 */
int vmt_parse_duration(const char *s, uint64_t *ret_ns);
