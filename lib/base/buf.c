/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int vmt_bytes_compare(struct vmt_bytes a, struct vmt_bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (c)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

void vmt_buf_init(struct vmt_buf *b)
{
	*b = (struct vmt_buf){ 0 };
}

void vmt_buf_done(struct vmt_buf *b)
{
	free(b->data);
	vmt_buf_init(b);
}

void vmt_buf_clear(struct vmt_buf *b)
{
	vmt_buf_next(b);
	b->error = 0;
}

void vmt_buf_next(struct vmt_buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = 0;
}

int vmt_buf_reserve(struct vmt_buf *b, size_t n)
{
	size_t want, cap;
	char *p;

	if (b->error)
		return b->error;
	if (__builtin_add_overflow(b->len, n, &want) || want == SIZE_MAX)
		return b->error = -ENOMEM;
	want++; /* for the final NUL */
	if (want <= b->cap)
		return 0;
	cap = b->cap ? b->cap : 256;
	while (cap < want) {
		if (cap > SIZE_MAX / 2)
			return b->error = -ENOMEM;
		cap *= 2;
	}
	p = realloc(b->data, cap);
	if (!p)
		return b->error = -ENOMEM;
	b->data = p;
	b->cap = cap;
	return 0;
}

void vmt_buf_addu(struct vmt_buf *b, uint64_t v)
{
	char text[VMT_DECIMAL_MAX];
	size_t n = vmt_decimal(text, v);

	vmt_buf_add(b, text, n);
}

size_t vmt_decimal(char *to, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	static const uint64_t powers[] = {
		UINT64_C(1),
		UINT64_C(10),
		UINT64_C(100),
		UINT64_C(1000),
		UINT64_C(10000),
		UINT64_C(100000),
		UINT64_C(1000000),
		UINT64_C(10000000),
		UINT64_C(100000000),
		UINT64_C(1000000000),
		UINT64_C(10000000000),
		UINT64_C(100000000000),
		UINT64_C(1000000000000),
		UINT64_C(10000000000000),
		UINT64_C(100000000000000),
		UINT64_C(1000000000000000),
		UINT64_C(10000000000000000),
		UINT64_C(100000000000000000),
		UINT64_C(1000000000000000000),
		UINT64_C(10000000000000000000),
	};
	size_t n;
	char *p;

	/* By far the most there are. */
	if (v < 10) {
		*to = (char)('0' + v);
		return 1;
	}
	/* log10(2) is a little more than 1233 / 4096; the power corrects it by one. */
	n = (64 - (size_t)__builtin_clzll(v)) * 1233 / 4096;
	n += v >= powers[n];
	p = to + n;
	while (v >= 100) {
		p -= 2;
		memcpy(p, pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10)
		memcpy(p - 2, pairs + 2 * v, 2);
	else
		p[-1] = (char)('0' + v);
	return n;
}

void vmt_buf_addf(struct vmt_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->error = -EINVAL;
		return;
	}
	if (vmt_buf_reserve(b, (size_t)n) < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

int vmt_buf_error(const struct vmt_buf *b)
{
	return b->error;
}
