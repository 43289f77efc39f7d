/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a recording: the first of them that is a sample is the key sample of those behind it,
 * whatever they say it is. What was read is written, as a key sample, and read
 * again it is the same. Frames and their search are not fuzzed: what is random has no checksum. */
#include "fuzz.h"

#include "source/recording-private.h"
#include "view/sample-json.h"

static struct vmt_sample *read_sample(struct vmt_bytes text, const struct vmt_sample *key)
{
	struct vmt_sample *s = NULL;
	struct vmt_err err = { 0 };
	int r = vmt_recorded_sample(text, key, &s, &err);

	CHECK((r == 0 && s) || (r == -EBADMSG && err.text[0]));
	return s;
}

static void write_sample(const struct vmt_sample *s, const struct vmt_sample *key,
			 struct vmt_buf *out)
{
	struct vmt_sample_json *j = NULL;

	CHECK(vmt_sample_json_new(&j) == 0);
	vmt_sample_json_put(j, out, s, key, 0);
	CHECK(vmt_buf_error(out) == 0 && out->len && out->data[out->len - 1] == '\n');
	vmt_sample_json_free(j);
}

/* As a key sample, it says all that it said before. */
static void check_whole(const struct vmt_sample *s)
{
	VMT_AUTO_BUF once = { 0 }, twice = { 0 };
	struct vmt_sample *again;

	write_sample(s, NULL, &once);
	again = read_sample((struct vmt_bytes){ once.data, once.len - 1 }, NULL);
	CHECK(again);
	again->host = s->host;
	write_sample(again, NULL, &twice);
	CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	vmt_sample_free(again);
}

static void check_line(struct vmt_bytes text, struct vmt_sample **key)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	struct vmt_recorded_line line;
	struct vmt_recorded_head head;
	struct vmt_sample *s;

	vmt_recorded_head(text, &a, &head);
	if (vmt_recorded_line(text, &line) < 0 || line.type != VMT_LINE_SAMPLE)
		return;
	s = read_sample(text, *key);
	if (!s)
		return;
	check_whole(s);
	if (*key) {
		vmt_sample_free(s);
		return;
	}
	/* As the header would say. */
	s->host.page_size = 4096;
	*key = s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VMT_AUTO_SAMPLE key = NULL;
	struct vmt_bytes rest = fuzz_text(data, size);

	while (rest.len) {
		const char *nl = memchr(rest.ptr, '\n', rest.len);
		size_t n = nl ? (size_t)(nl - rest.ptr) : rest.len;

		check_line((struct vmt_bytes){ rest.ptr, n }, &key);
		n += nl != NULL;
		rest.ptr += n;
		rest.len -= n;
	}
	return 0;
}
