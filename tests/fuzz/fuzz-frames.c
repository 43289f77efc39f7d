/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording as a file: pieces of it, of which a byte says whether they are compressed to a frame
 * with its checksum, or are in the file as they are, and the next two how long they are.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "fuzz.h"
#include "source/recording.h"

#define SAMPLES 8u /* that are read */

static void write_file(int fd, const uint8_t *data, size_t size)
{
	char frame[ZSTD_COMPRESSBOUND(1 << 16)];
	static ZSTD_CCtx *zstd;
	off_t at = 0;

	/* It takes longer to make than to use. */
	zstd = zstd ?: ZSTD_createCCtx();
	CHECK(zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)));
	CHECK(ftruncate(fd, 0) == 0);
	while (size) {
		unsigned how = fuzz_choice(&data, &size);
		size_t n = fuzz_choice(&data, &size);

		n = n << 8 | fuzz_choice(&data, &size);
		n = n < size ? n : size;
		if (how & 1) {
			size_t len = ZSTD_compress2(zstd, frame, sizeof(frame), data, n);

			CHECK(!ZSTD_isError(len));
			/* Of some the end is missing. */
			len -= how & 2 ? len / 4 : 0;
			CHECK(pwrite(fd, frame, len, at) == (ssize_t)len);
			at += (off_t)len;
		} else {
			CHECK(pwrite(fd, data, n, at) == (ssize_t)n);
			at += (off_t)n;
		}
		data += n;
		size -= n;
	}
}

static void read_all(struct vmt_recording *r)
{
	size_t n = vmt_recording_n(r), i;

	for (i = 0; vmt_recording_remark(r, i); i++)
		CHECK(vmt_recording_remark(r, i)[0]);
	/* Who says that it is damaged says how. */
	CHECK(i > 0 || !vmt_recording_is_damaged(r));
	for (i = 0; i < n && i < SAMPLES; i++) {
		uint64_t time = vmt_recording_time(r, i);
		struct vmt_sample *s = NULL;
		struct vmt_err err = { 0 };
		int code = vmt_recording_sample(r, i, &s, &err);

		CHECK(code == 0 || (code == -EBADMSG && err.text[0]));
		CHECK(!s == (code < 0));
		CHECK(!s || s->host.realtime_ns == time);
		vmt_sample_free(s);
		CHECK(vmt_recording_find(r, time) <= i);
	}
	CHECK(vmt_recording_find(r, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	VMT_AUTO_RECORDING r = NULL;
	struct vmt_recording_tail tail = { 0 };
	struct vmt_err err = { 0 };
	size_t n;
	int code;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	CHECK(fd >= 0);
	write_file(fd, data, size);
	code = vmt_recording_open_fd(dup(fd), "recording", &r, &err);
	CHECK(!r == (code < 0) && (code == 0 || err.text[0]));
	if (r) {
		read_all(r);
		/* Nothing came since. */
		n = vmt_recording_n(r);
		CHECK(vmt_recording_refresh(r, &err) == 0 && vmt_recording_n(r) == n);
	}
	err = (struct vmt_err){ 0 };
	code = vmt_recording_tail(dup(fd), "recording", &tail, &err);
	CHECK(code == 0 || err.text[0]);
	vmt_buf_done(&tail.rest);
	return 0;
}
