/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cmd/ui/table.h"

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* value * factor / unit, rounded. */
static uint64_t scaled(uint64_t value, unsigned factor, uint64_t unit)
{
	return (uint64_t)(((unsigned __int128)value * factor + unit / 2) / unit);
}

/* value / unit in three significant digits, in integers so that no locale can change the point. */
static void three_digits(struct vmt_buf *out, uint64_t value, uint64_t unit)
{
	uint64_t hundredths = scaled(value, 100, unit), tenths = scaled(value, 10, unit);

	if (value % unit == 0 || tenths >= 1000)
		vmt_buf_addu(out, scaled(value, 1, unit));
	else if (hundredths >= 1000)
		vmt_buf_addf(out, "%" PRIu64 ".%u", tenths / 10, (unsigned)(tenths % 10));
	else
		vmt_buf_addf(out, "%" PRIu64 ".%02u", hundredths / 100,
			     (unsigned)(hundredths % 100));
}

/* "584K", "76.0M", "8M": what is a whole number of its unit has no point. At most 5 columns. */
static void human(struct vmt_buf *out, uint64_t bytes)
{
	static const char letters[] = "BKMGTPE";
	unsigned n = 0;
	uint64_t unit = 1;

	/* From 1000 on, for 1023K would be a column wider than all others. */
	while (n < 6 && bytes / unit >= 1000) {
		unit <<= 10;
		n++;
	}
	if (n == 0) {
		vmt_buf_addu(out, bytes);
		return;
	}
	three_digits(out, bytes, unit);
	vmt_buf_addc(out, letters[n]);
}

static void size_in(struct vmt_buf *out, uint64_t bytes, enum vmt_size_unit unit, uint64_t page)
{
	uint64_t div = unit == VMT_SIZE_MIB ? UINT64_C(1) << 20 : UINT64_C(1) << 30;

	switch (unit) {
	case VMT_SIZE_HUMAN:
		human(out, bytes);
		break;
	case VMT_SIZE_MIB:
	case VMT_SIZE_GIB:
		/* What is there is never shown as nothing. */
		if (bytes && bytes < div / 200)
			vmt_buf_adds(out, "<.01");
		else
			three_digits(out, bytes, div);
		break;
	case VMT_SIZE_BYTES:
	case VMT_SIZE_KIB:
	case VMT_SIZE_PAGES:
		vmt_fmt_size(out, bytes, unit, page);
		break;
	}
}

unsigned vmt_ui_size_width(enum vmt_size_unit unit)
{
	/* Of what a process or a machine of today can have: 128 TiB. */
	switch (unit) {
	case VMT_SIZE_BYTES:
		return 15;
	case VMT_SIZE_KIB:
		return 12;
	case VMT_SIZE_PAGES:
		return 11;
	case VMT_SIZE_MIB:
		return 9;
	case VMT_SIZE_GIB:
		return 6;
	case VMT_SIZE_HUMAN:
		break;
	}
	return 5;
}

static void size_text(struct vmt_buf *out, const struct vmt_ui *ui, uint64_t bytes, unsigned width)
{
	uint64_t page = ui->model ? ui->model->sample->host.page_size : 0;
	size_t from = out->len;

	size_in(out, bytes, ui->unit == VMT_SIZE_PAGES && !page ? VMT_SIZE_HUMAN : ui->unit, page);
	if (ui->unit == VMT_SIZE_HUMAN || !width || out->len - from <= width ||
	    vmt_buf_error(out) < 0)
		return;
	out->len = from;
	human(out, bytes);
}

/* A count, in powers of 1000 where it does not fit: "12345", "123k". */
static void count_text(struct vmt_buf *out, uint64_t v, unsigned width)
{
	static const char letters[] = "kMGTPE";
	size_t from = out->len;
	uint64_t unit = 1000;
	unsigned n = 0;

	vmt_buf_addu(out, v);
	if (!width || out->len - from <= width || vmt_buf_error(out) < 0)
		return;
	while (n < 5 && v / unit >= 1000) {
		unit *= 1000;
		n++;
	}
	out->len = from;
	three_digits(out, v, unit);
	if (out->len - from >= width) {
		out->len = from;
		vmt_buf_addu(out, v / unit);
	}
	vmt_buf_addc(out, letters[n]);
}

void vmt_ui_milli(struct vmt_buf *out, uint64_t v, unsigned width)
{
	if (v == 0 || v >= 9950)
		count_text(out, v / 1000 + (v % 1000 >= 500), width);
	else if (v >= 95)
		vmt_buf_addf(out, "%" PRIu64 ".%" PRIu64, (v + 50) / 1000, (v + 50) % 1000 / 100);
	else
		vmt_buf_addf(out, "0.%02" PRIu64, v < 10 ? 1 : (v + 5) / 10);
}

static void signed_text(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_field *f,
			int64_t v, unsigned width)
{
	uint64_t u = magnitude(v);

	if (v < 0)
		vmt_buf_addc(out, '-');
	else if (v && f->flags & VMT_CHANGE)
		vmt_buf_addc(out, '+');
	width = width > 1 ? width - 1 : width;
	switch (f->unit) {
	case VMT_UNIT_BYTES:
		size_text(out, ui, u, width);
		break;
	case VMT_UNIT_MILLI:
		/* An index of the kernel, which has three decimals; or a rate. */
		if (u < 10000 && u)
			vmt_buf_addf(out, "%" PRIu64 ".%03u", u / 1000, (unsigned)(u % 1000));
		else
			vmt_ui_milli(out, u, width);
		break;
	default:
		count_text(out, u, width);
		break;
	}
}

static uint64_t events(const struct vmt_hist *h)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->n; i++)
		sum += h->buckets[i].count;
	return sum;
}

static void number_text(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_field *f,
			uint64_t v, unsigned width)
{
	switch (f->unit) {
	case VMT_UNIT_BYTES:
		size_text(out, ui, v, width);
		break;
	case VMT_UNIT_NS:
		vmt_fmt_duration(out, v);
		break;
	case VMT_UNIT_MILLI:
		vmt_ui_milli(out, v, width);
		break;
	case VMT_UNIT_NONE:
		/* A name, such as a process id: all of it or nothing. */
		vmt_buf_addu(out, v);
		break;
	case VMT_UNIT_PAGES:
	case VMT_UNIT_COUNT:
		count_text(out, v, width);
		break;
	}
}

void vmt_ui_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_field *f,
		  const void *row, unsigned width)
{
	const void *p = vmt_field_at(f, row);
	const struct vmt_bytes *text = p;

	if (!vmt_row_has(row, f->index)) {
		vmt_buf_addc(out, '-');
		return;
	}
	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS:
		if (text->len)
			vmt_fmt_safe(out, *text, ui->opts.ascii);
		else
			vmt_buf_addc(out, '-');
		break;
	case VMT_TYPE_HEX:
		vmt_buf_addf(out, width && width < 12 ? "%" PRIx64 : "%012" PRIx64,
			     *(const uint64_t *)p);
		break;
	case VMT_TYPE_BOOL:
		vmt_buf_adds(out, *(const bool *)p ? "yes" : "no");
		break;
	case VMT_TYPE_HIST:
		count_text(out, events(p), width);
		break;
	case VMT_TYPE_I64:
		signed_text(out, ui, f, *(const int64_t *)p, width);
		break;
	case VMT_TYPE_U64:
		if (vmt_field_is_endless(f, row))
			vmt_buf_adds(out, "max");
		else
			number_text(out, ui, f, *(const uint64_t *)p, width);
		break;
	}
}
