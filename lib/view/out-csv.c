/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/doc.h"

/*
 * One cell (RFC 4180). Bytes for sizes and plain numbers; an unknown value is an empty cell. Text
 * that a spreadsheet would take for a formula gets an apostrophe before it.
 */
static void cell(struct vmt_buf *out, struct vmt_bytes text, bool foreign)
{
	bool quote = false;
	size_t i;

	if (foreign && text.len && strchr("=+-@", text.ptr[0]) && text.len > 1)
		quote = true;
	for (i = 0; i < text.len; i++)
		quote |= text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == ' ';
	if (!quote) {
		vmt_buf_add(out, text.ptr, text.len);
		return;
	}
	vmt_buf_addc(out, '"');
	if (foreign && strchr("=+-@", text.ptr[0]))
		vmt_buf_addc(out, '\'');
	for (i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			vmt_buf_addc(out, '"');
		vmt_buf_addc(out, text.ptr[i]);
	}
	vmt_buf_addc(out, '"');
}

int vmt_out_csv(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct vmt_out_opts plain = *opts;
	VMT_AUTO_BUF text = { 0 };
	const struct vmt_section *s = &doc->sections[0];
	size_t i, k;

	if (doc->n == 0)
		return 0;
	plain.unit = VMT_SIZE_BYTES;
	for (k = 0; opts->headings && k < s->columns.n; k++) {
		const struct vmt_field *f = s->columns.fields[k];

		if (k)
			vmt_buf_addc(&sink->buf, ',');
		if (f->group)
			vmt_buf_addf(&sink->buf, "%s.", f->group);
		vmt_buf_adds(&sink->buf, f->name);
	}
	if (opts->headings)
		vmt_buf_addc(&sink->buf, '\n');
	for (i = 0; i < s->n; i++) {
		for (k = 0; k < s->columns.n; k++) {
			const struct vmt_field *f = s->columns.fields[k];
			const void *row = s->rows[i];

			if (k)
				vmt_buf_addc(&sink->buf, ',');
			if (!vmt_row_has(row, f->index))
				continue;
			vmt_buf_clear(&text);
			if (f->type == VMT_TYPE_U64 && f->unit != VMT_UNIT_MILLI)
				vmt_buf_addf(&text, "%llu",
					     (unsigned long long)vmt_field_number(f, row));
			else if (f->type == VMT_TYPE_STR)
				vmt_fmt_safe(&text, *(const struct vmt_bytes *)vmt_field_at(f, row),
					     opts->ascii);
			else if (f->unit == VMT_UNIT_MILLI)
				vmt_buf_addf(&text, "%llu.%03u",
					     (unsigned long long)(vmt_field_number(f, row) / 1000),
					     (unsigned)(vmt_field_number(f, row) % 1000));
			else
				vmt_cell_text(&text, f, row, &plain, 0);
			if (vmt_buf_error(&text) < 0)
				return -ENOMEM;
			/* Only these hold what a user may choose. */
			cell(&sink->buf, (struct vmt_bytes){ text.data, text.len },
			     f->flags & VMT_TAIL || strcmp(f->name, "comm") == 0);
		}
		vmt_buf_addc(&sink->buf, '\n');
		if (vmt_sink_flush(sink, 65536) < 0)
			return sink->error;
	}
	return vmt_sink_flush(sink, 0);
}
