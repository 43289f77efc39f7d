/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <errno.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "source/recording-private.h"

#define READ_BYTES ((size_t)64 << 10)
/* RFC 8878 3.1.1: the magic number, and behind it the descriptor, of which this bit says that the
 * frame ends with a checksum. */
#define MAGIC	     UINT32_C(0xfd2fb528)
#define MAGIC_BYTES  4
#define HAS_CHECKSUM 0x04
#define HEADER_LEAST (MAGIC_BYTES + 1)

struct vmt_frames {
	int fd;
	ZSTD_DCtx *zstd;
	char in[READ_BYTES];
};

int vmt_frames_new(int fd, struct vmt_frames **ret)
{
	struct vmt_frames *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->zstd = ZSTD_createDCtx();
	if (!f->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax,
							    VMT_FRAME_WINDOW_LOG))) {
		vmt_frames_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

void vmt_frames_free(struct vmt_frames *f)
{
	if (!f)
		return;
	ZSTD_freeDCtx(f->zstd);
	free(f);
}

/* Fills f->in; how many bytes, 0 at the end of the file. */
static ssize_t fill(struct vmt_frames *f, uint64_t at)
{
	size_t n = 0;

	if (at > INT64_MAX - READ_BYTES)
		return 0;
	while (n < sizeof(f->in)) {
		ssize_t r = pread(f->fd, f->in + n, sizeof(f->in) - n, (off_t)(at + n));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

static bool is_ours(const char *p)
{
	uint32_t magic;

	memcpy(&magic, p, sizeof(magic));
	return le32toh(magic) == MAGIC && p[MAGIC_BYTES] & HAS_CHECKSUM;
}

/* Whether these bytes, with which the file ends, can be the first ones of a frame. */
static bool may_be_ours(const char *p, size_t n)
{
	const uint32_t magic = htole32(MAGIC);

	return memcmp(p, &magic, n < sizeof(magic) ? n : sizeof(magic)) == 0;
}

/* Lets zstd have what was read: 1 at the end of the frame, 0 where it takes more, -EBADMSG,
 * -ENOMEM. */
static int take(struct vmt_frames *f, ZSTD_inBuffer *in, struct vmt_buf *out)
{
	for (;;) {
		ZSTD_outBuffer to;
		size_t left, before = in->pos;

		if (vmt_buf_reserve(out, READ_BYTES) < 0)
			return -ENOMEM;
		to = (ZSTD_outBuffer){ out->data + out->len, READ_BYTES, 0 };
		left = ZSTD_decompressStream(f->zstd, &to, in);
		if (ZSTD_isError(left))
			return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM
										       : -EBADMSG;
		out->len += to.pos;
		if (left == 0)
			return 1;
		if (out->len > VMT_FRAME_MAX)
			return -EBADMSG;
		if (in->pos == in->size && to.pos < to.size)
			return 0;
		if (in->pos == before && to.pos == 0)
			return 0;
	}
}

int vmt_frames_read(struct vmt_frames *f, uint64_t at, struct vmt_buf *out, uint64_t *ret_end)
{
	bool first = true;
	ssize_t n;
	int r;

	vmt_buf_clear(out);
	ZSTD_DCtx_reset(f->zstd, ZSTD_reset_session_only);
	for (;; first = false) {
		ZSTD_inBuffer in;

		n = fill(f, at);
		if (n < 0)
			return (int)n;
		*ret_end = at;
		if (n == 0)
			return VMT_FRAME_EARLY;
		if (first && n < HEADER_LEAST)
			return may_be_ours(f->in, (size_t)n) ? VMT_FRAME_EARLY : VMT_FRAME_BROKEN;
		if (first && !is_ours(f->in))
			return VMT_FRAME_BROKEN;
		in = (ZSTD_inBuffer){ f->in, (size_t)n, 0 };
		r = take(f, &in, out);
		at += in.pos;
		*ret_end = at;
		if (r == -EBADMSG)
			return VMT_FRAME_BROKEN;
		if (r < 0)
			return r;
		if (r == 1)
			return VMT_FRAME_WHOLE;
	}
}

int vmt_frames_find(struct vmt_frames *f, uint64_t at, uint64_t limit, uint64_t *ret)
{
	const uint32_t magic = htole32(MAGIC);

	while (at < limit) {
		ssize_t n = fill(f, at);
		const char *p;

		if (n < 0)
			return (int)n;
		if (n < HEADER_LEAST)
			return 0;
		p = memmem(f->in, (size_t)n, &magic, sizeof(magic));
		if (p && (size_t)(p - f->in) + HEADER_LEAST <= (size_t)n) {
			*ret = at + (uint64_t)(p - f->in);
			return *ret < limit;
		}
		/* One that the end of what was read has cut. */
		at += (uint64_t)n - MAGIC_BYTES;
	}
	return 0;
}
