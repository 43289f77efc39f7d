/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "model/fault-raw.h"
#include "model/saturate.h"
#include "view/doc.h"

#define PICTURE 16 /* cells, each of as many of the 64 parts of a file */

/* Where in a file something was: a row of bars, the highest one for the most. */
static void offsets_text(struct vmt_buf *out, const struct vmt_hist *h, bool ascii)
{
	static const char *const bars[] = { "\u2581", "\u2582", "\u2583", "\u2584",
					    "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char plain[] = ".:-=+*%#";
	uint64_t sums[PICTURE] = { 0 }, most = 0;
	size_t i;

	for (i = 0; i < h->n; i++) {
		const struct vmt_hist_bucket *b = &h->buckets[i];
		/* Parts are of one size; the one without an end is the last. */
		uint64_t at = b->to == UINT64_MAX
				      ? PICTURE - 1
				      : b->from / (b->to - b->from + 1) * PICTURE / VMT_FAULT_PARTS;

		at = at < PICTURE ? at : PICTURE - 1;
		sums[at] = vmt_plus(sums[at], b->count);
	}
	for (i = 0; i < PICTURE; i++)
		most = sums[i] > most ? sums[i] : most;
	for (i = 0; most && i < PICTURE; i++) {
		/* Of eight heights; a single one of many is to be seen, too. */
		size_t height = sums[i] ? (size_t)((sums[i] - 1) / ((most - 1) / 8 + 1)) : 0;

		if (!sums[i])
			vmt_buf_adds(out, ascii ? "_" : "\u00b7");
		else if (ascii)
			vmt_buf_addc(out, plain[height]);
		else
			vmt_buf_adds(out, bars[height]);
	}
}

static void hist_text(struct vmt_buf *out, const struct vmt_field *f, const struct vmt_hist *h,
		      const struct vmt_out_opts *opts)
{
	bool bytes = f->unit == VMT_UNIT_BYTES;
	size_t i;

	if (bytes && h->n && !opts->raw) {
		offsets_text(out, h, opts->ascii);
		return;
	}
	for (i = 0; i < h->n; i++) {
		if (i)
			vmt_buf_addc(out, ' ');
		if (bytes)
			vmt_buf_addu(out, h->buckets[i].from);
		else
			vmt_fmt_duration(out, h->buckets[i].from);
		vmt_buf_addf(out, ":%" PRIu64, h->buckets[i].count);
	}
	if (!h->n)
		vmt_buf_addc(out, '-');
}

/* An index of the kernel, which has three decimals. */
static void signed_milli_text(struct vmt_buf *out, int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	vmt_buf_addf(out, "%s%" PRIu64 ".%03u", v < 0 ? "-" : "", u / 1000, (unsigned)(u % 1000));
}

static void signed_duration(struct vmt_buf *out, int64_t v)
{
	if (v < 0)
		vmt_buf_addc(out, '-');
	vmt_fmt_duration(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
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
		hist_text(out, f, p, opts);
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
		else if (f->unit == VMT_UNIT_MILLI)
			signed_milli_text(out, *(const int64_t *)p);
		else if (f->unit == VMT_UNIT_NS)
			signed_duration(out, *(const int64_t *)p);
		else
			vmt_buf_addf(out, "%" PRId64, *(const int64_t *)p);
		return;
	case VMT_TYPE_U64:
		break;
	}
	v = *(const uint64_t *)p;
	if (vmt_field_is_endless(f, row)) {
		vmt_buf_adds(out, "max");
		return;
	}
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
