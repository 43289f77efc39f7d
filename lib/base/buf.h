/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/*
 * Bytes as the kernel gave them: a comm, a path, a cgroup name. Any byte may be in them, NUL and
 * ESC included. They are not owned, and reach a terminal or a document only through base/fmt.h
 * and base/json.h.
 */
struct vmt_bytes {
	const char *ptr;
	size_t len;
};

#define VMT_BYTES(literal) ((struct vmt_bytes){ (literal), sizeof(literal) - 1 })

static inline struct vmt_bytes vmt_bytes_of(const char *s)
{
	return (struct vmt_bytes){ s, s ? strlen(s) : 0 };
}

static inline int vmt_bytes_equal(struct vmt_bytes a, struct vmt_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Like memcmp over the common part, then the shorter first. */
int vmt_bytes_compare(struct vmt_bytes a, struct vmt_bytes b);

static inline int vmt_bytes_is(struct vmt_bytes a, const char *s)
{
	return vmt_bytes_equal(a, vmt_bytes_of(s));
}

static inline int vmt_bytes_starts(struct vmt_bytes a, const char *s)
{
	size_t n = strlen(s);

	return a.len >= n && memcmp(a.ptr, s, n) == 0;
}

/* The small letter of an ASCII one, whatever the locale; any other byte as it is. */
static inline char vmt_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether n bytes are the same text, without regard to the case of ASCII letters. */
static inline bool vmt_same_text(const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmt_lower(a[i]) != vmt_lower(b[i]))
			return false;
	return true;
}

/*
 * Text that lives as long as the arena: a copy of text, or *before where it is the same text and
 * came from the same arena (before may be NULL); rows beside each other often are mappings of one
 * file. 0 or -ENOMEM.
 */
static inline int vmt_bytes_keep(struct vmt_arena *arena, struct vmt_bytes text,
				 const struct vmt_bytes *before, struct vmt_bytes *ret)
{
	const char *p;

	if (before && vmt_bytes_equal(*before, text)) {
		*ret = *before;
		return 0;
	}
	p = vmt_arena_copy(arena, text.ptr, text.len);
	if (!p)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ p, text.len };
	return 0;
}

/*
 * A byte buffer that grows. A failed allocation is remembered: later calls do nothing and
 * vmt_buf_error() says -ENOMEM, so that a long run of appends is checked once.
 */
struct vmt_buf {
	char *data; /* NUL behind len bytes once anything was appended */
	size_t len;
	size_t cap;
	int error;
};

/* Bytes of the largest number. */
#define VMT_DECIMAL_MAX 20
/* Writes v in decimal to to, which has room for VMT_DECIMAL_MAX bytes, without a NUL; how many. */
size_t vmt_decimal(char *to, uint64_t v);

void vmt_buf_init(struct vmt_buf *b);
void vmt_buf_done(struct vmt_buf *b);
/* Keeps the memory, drops the content and the remembered error. */
void vmt_buf_clear(struct vmt_buf *b);
/* Drops the content and keeps the remembered error: for a buffer that many texts pass through one
 * after the other, and whose error is looked at once, behind the last of them. */
void vmt_buf_next(struct vmt_buf *b);
/* Makes room for n more bytes behind len. 0 or -ENOMEM. */
int vmt_buf_reserve(struct vmt_buf *b, size_t n);
/* Each appends; vmt_buf_addf() as printf does, vmt_buf_addu() a number in decimal. */
static inline void vmt_buf_add(struct vmt_buf *b, const void *bytes, size_t n)
{
	/* Documents are made of short pieces: the common case is in line. */
	if ((b->error || n >= b->cap - b->len) && vmt_buf_reserve(b, n) < 0)
		return;
	if (n)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = 0;
}

static inline void vmt_buf_adds(struct vmt_buf *b, const char *s)
{
	vmt_buf_add(b, s, strlen(s));
}

static inline void vmt_buf_addc(struct vmt_buf *b, char c)
{
	vmt_buf_add(b, &c, 1);
}

void vmt_buf_addu(struct vmt_buf *b, uint64_t v);
void vmt_buf_addf(struct vmt_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* 0, or -ENOMEM where an append failed since the last vmt_buf_clear(). */
int vmt_buf_error(const struct vmt_buf *b);

#define VMT_AUTO_BUF VMT_CLEANUP(vmt_buf_done) struct vmt_buf
