/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include "model/filter.h"
#include "model/rows.h"

/* An expression of -F: it is refused with a place, or it and its contrary are contrary. */
static void contrary(const char *text, const struct vmt_filter *f, const struct vmt_proc *p)
{
	VMT_AUTO_FILTER not = NULL;
	VMT_AUTO_BUF turned = { 0 };
	int r;

	vmt_buf_addf(&turned, "!(%s)", text);
	CHECK(turned.data);
	r = vmt_filter_parse(&not, &vmt_entity_proc, turned.data, NULL);
	/* Two deeper, three longer. */
	CHECK(r == 0 || r == -E2BIG);
	if (r == 0)
		CHECK(vmt_filter_test(f, p, 4096) + vmt_filter_test(not, p, 4096) == VMT_TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VMT_AUTO_FILTER f = NULL;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, 42);
	VMT_SET(proc, comm, &p, VMT_BYTES("a name"));
	VMT_SET(proc, rss_bytes, &p, UINT64_MAX);
	/* A repeated group of repeats is regcomp()'s to blow up, on who asked for it. */
	if (size > 200 || memchr(data, '{', size) || memchr(data, '*', size) ||
	    memchr(data, '+', size))
		return 0;
	vmt_buf_add(&text, data, size);
	vmt_buf_adds(&text, "");
	if (!text.data)
		return 0;
	if (vmt_filter_parse(&f, &vmt_entity_proc, text.data, &err) < 0) {
		CHECK(!f && err.text[0]);
		return 0;
	}
	contrary(text.data, f, &p);
	return 0;
}
