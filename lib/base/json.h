/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * A streaming JSON writer (RFC 8259). It appends to a buffer that the caller drains when it likes.
 * Numbers are whole: no exponent, no fraction but in vmt_json_ratio(), no NaN, no locale. Misuse
 * (a value without a key inside an object, a close too many) is remembered as -EINVAL.
 */
struct vmt_json {
	struct vmt_buf *out;
	unsigned depth;
	unsigned indent; /* blanks a level; 0 writes one line */
	int error;
	bool key; /* a key was written, its value comes next */
	bool any[32]; /* this level has an element already */
	bool object[32]; /* this level is an object */
};

void vmt_json_init(struct vmt_json *j, struct vmt_buf *out, unsigned indent);
void vmt_json_key(struct vmt_json *j, const char *key);
void vmt_json_object(struct vmt_json *j);
void vmt_json_object_end(struct vmt_json *j);
void vmt_json_array(struct vmt_json *j);
void vmt_json_array_end(struct vmt_json *j);
void vmt_json_u64(struct vmt_json *j, uint64_t v);
void vmt_json_i64(struct vmt_json *j, int64_t v);
void vmt_json_bool(struct vmt_json *j, bool v);
void vmt_json_null(struct vmt_json *j);
/* An address or flag word as "0x1f". */
void vmt_json_hex(struct vmt_json *j, uint64_t v);
/* v / 1000 with three digits behind the point. */
void vmt_json_milli(struct vmt_json *j, uint64_t v);
/* Text of our own, valid UTF-8. */
void vmt_json_str(struct vmt_json *j, const char *s);
/* Bytes of the kernel: what is no UTF-8 becomes U+FFFD, byte by byte. Returns whether any was. */
bool vmt_json_bytes(struct vmt_json *j, struct vmt_bytes text);
/* Any bytes in base64 (RFC 4648). */
void vmt_json_base64(struct vmt_json *j, struct vmt_bytes data);
/*
 * For who has many values of one form and writes them itself: whether a value may stand here. If
 * so, what goes before it is written, and the caller appends one whole value to j->out.
 */
bool vmt_json_value(struct vmt_json *j);
/* 1 for each byte that stands for itself in a string: ASCII without controls, quote and
 * backslash. */
extern const unsigned char vmt_json_plain[256];
static inline bool vmt_json_is_plain(unsigned char c)
{
	return vmt_json_plain[c];
}

/* A string with its quotes, as vmt_json_bytes() and vmt_json_base64() write it, whatever is around
 * it. */
bool vmt_json_quote(struct vmt_buf *out, struct vmt_bytes text);
void vmt_json_quote_base64(struct vmt_buf *out, struct vmt_bytes data);
/* 0 when everything was closed and nothing failed; else -EINVAL or -ENOMEM. */
int vmt_json_finish(struct vmt_json *j);
