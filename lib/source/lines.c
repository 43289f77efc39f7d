/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/lines.h"

#include <errno.h>

#include "base/parse.h"

void vmt_lines_init(struct vmt_lines *l)
{
	*l = (struct vmt_lines){ 0 };
	vmt_buf_init(&l->carry);
}

void vmt_lines_done(struct vmt_lines *l)
{
	vmt_buf_done(&l->carry);
}

static int carry(struct vmt_lines *l, const char *ptr, size_t n)
{
	if (l->carry.len + n > VMT_LINE_MAX)
		return -EFBIG;
	vmt_buf_add(&l->carry, ptr, n);
	return vmt_buf_error(&l->carry);
}

int vmt_lines_feed(struct vmt_lines *l, struct vmt_bytes chunk,
		   int (*fn)(void *arg, struct vmt_bytes line), void *arg)
{
	while (chunk.len) {
		struct vmt_bytes line;
		const char *nl;
		size_t n;
		int r;

		if (l->many && !l->carry.len) {
			n = l->many(arg, chunk, &l->line);
			chunk.ptr += n;
			chunk.len -= n;
			if (!chunk.len)
				break;
		}
		nl = memchr(chunk.ptr, '\n', chunk.len);
		n = nl ? (size_t)(nl - chunk.ptr) : chunk.len;
		line = (struct vmt_bytes){ chunk.ptr, n };
		if (!nl || l->carry.len) {
			r = carry(l, chunk.ptr, n);
			if (r < 0)
				return r;
			line = (struct vmt_bytes){ l->carry.data, l->carry.len };
		}
		if (!nl)
			return 0;
		chunk.ptr += n + 1;
		chunk.len -= n + 1;
		l->line++;
		r = fn(arg, line);
		if (r < 0)
			return r;
		vmt_buf_clear(&l->carry);
	}
	return 0;
}

int vmt_lines_finish(struct vmt_lines *l, int (*fn)(void *arg, struct vmt_bytes line), void *arg)
{
	int r;

	if (l->carry.len == 0)
		return 0;
	l->line++;
	r = fn(arg, (struct vmt_bytes){ l->carry.data, l->carry.len });
	vmt_buf_clear(&l->carry);
	return r;
}

size_t vmt_count_lines(struct vmt_bytes text, const char *word)
{
	struct vmt_bytes line;
	size_t n = 0;

	while (vmt_take_line(&text, &line)) {
		vmt_take_blanks(&line);
		n += (size_t) !!vmt_bytes_starts(line, word);
	}
	return n;
}

int vmt_malformed_line(struct vmt_err *err, int r, const char *path, unsigned line)
{
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	return vmt_err_set(err, r, path, line, "%s",
			   r == -ERANGE ? "the number is too large"
					: "this is no line of that file");
}
