/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "view/doc.h"

static void hist_text(struct vmt_buf *out, const struct vmt_hist *h)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		if (i)
			vmt_buf_addc(out, ' ');
		vmt_fmt_duration(out, h->buckets[i].from);
		vmt_buf_addf(out, ":%" PRIu64, h->buckets[i].count);
	}
	if (!h->n)
		vmt_buf_addc(out, '-');
}

void vmt_cell_text(struct vmt_buf *out, const struct vmt_field *f, const void *row,
		   const struct vmt_out_opts *opts, uint64_t page_size)
{
	const void *p = vmt_field_at(f, row);
	uint64_t v;

	if (!vmt_row_has(row, f->index)) {
		vmt_buf_addc(out, '-');
		return;
	}
	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS: {
		const struct vmt_bytes *text = p;

		/* An empty cell would be no cell at all in raw output. */
		if (text->len)
			vmt_fmt_safe(out, *text, opts->ascii);
		else
			vmt_buf_addc(out, '-');
		return;
	}
	case VMT_TYPE_HIST:
		hist_text(out, p);
		return;
	case VMT_TYPE_HEX:
		vmt_buf_addf(out, "%012" PRIx64, *(const uint64_t *)p);
		return;
	case VMT_TYPE_BOOL:
		vmt_buf_adds(out, *(const bool *)p ? "yes" : "no");
		return;
	case VMT_TYPE_I64:
		if (f->unit == VMT_UNIT_BYTES)
			vmt_fmt_size_signed(out, *(const int64_t *)p, opts->unit, page_size);
		else
			vmt_buf_addf(out, "%" PRId64, *(const int64_t *)p);
		return;
	case VMT_TYPE_U64:
		break;
	}
	v = *(const uint64_t *)p;
	switch (f->unit) {
	case VMT_UNIT_BYTES:
		vmt_fmt_size(out, v, opts->unit, page_size);
		break;
	case VMT_UNIT_NS:
		vmt_fmt_duration(out, v);
		break;
	case VMT_UNIT_MILLI:
		if (v >= 100000)
			vmt_buf_addf(out, "%" PRIu64, v / 1000);
		else
			vmt_buf_addf(out, "%" PRIu64 ".%u", v / 1000, (unsigned)(v % 1000 / 100));
		break;
	case VMT_UNIT_NONE:
	case VMT_UNIT_PAGES:
	case VMT_UNIT_COUNT:
		vmt_buf_addf(out, "%" PRIu64, v);
		break;
	}
}
