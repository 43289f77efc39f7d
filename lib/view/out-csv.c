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

struct csv {
	struct vmt_sink *sink;
	const struct vmt_section *s;
	const struct vmt_out_opts *opts;
	struct vmt_buf text; /* a cell */
	bool begun;
};

static void titles(struct csv *csv)
{
	const struct vmt_out_opts *opts = csv->opts;
	const struct vmt_section *s = csv->s;
	struct vmt_sink *sink = csv->sink;
	size_t k;

	if (csv->begun)
		return;
	csv->begun = true;
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
}

static int put_row(struct csv *csv, const void *row)
{
	struct vmt_out_opts plain = *csv->opts;
	struct vmt_sink *sink = csv->sink;
	struct vmt_buf *text = &csv->text;
	size_t k;

	plain.unit = VMT_SIZE_BYTES;
	plain.raw = true;
	for (k = 0; k < csv->s->columns.n; k++) {
		const struct vmt_field *f = csv->s->columns.fields[k];

		if (k)
			vmt_buf_addc(&sink->buf, ',');
		if (!vmt_row_has(row, f->index))
			continue;
		vmt_buf_clear(text);
		if (f->type == VMT_TYPE_U64 && f->unit != VMT_UNIT_MILLI &&
		    !vmt_field_is_endless(f, row))
			vmt_buf_addu(text, vmt_field_number(f, row));
		else if (vmt_field_is_text(f))
			vmt_fmt_safe(text, *(const struct vmt_bytes *)vmt_field_at(f, row),
				     plain.ascii);
		else if (f->type == VMT_TYPE_U64 && !vmt_field_is_endless(f, row))
			vmt_buf_addf(text, "%llu.%03u",
				     (unsigned long long)(vmt_field_number(f, row) / 1000),
				     (unsigned)(vmt_field_number(f, row) % 1000));
		else
			vmt_cell_text(text, f, row, &plain, 0);
		if (vmt_buf_error(text) < 0)
			return -ENOMEM;
		/* Only these hold what a user may choose. */
		cell(&sink->buf, (struct vmt_bytes){ text->data, text->len },
		     f->flags & VMT_TAIL || strcmp(f->name, "comm") == 0);
	}
	vmt_buf_addc(&sink->buf, '\n');
	return vmt_sink_flush(sink, 65536);
}

static int emit(void *ctx, const struct vmt_rows *rows)
{
	struct csv *csv = ctx;
	size_t i;
	int r = 0;

	titles(csv);
	for (i = 0; r == 0 && i < rows->n; i++)
		r = put_row(csv, (const char *)rows->rows + i * csv->s->def->entity->row_size);
	return r;
}

/* The first table that text shows, or where it shows none, the first. */
static const struct vmt_section *shown(const struct vmt_doc *doc)
{
	size_t i;

	for (i = 0; i < doc->n; i++)
		if (!doc->sections[i].machine_only)
			return &doc->sections[i];
	return &doc->sections[0];
}

/* One table. */
int vmt_out_csv(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct csv csv = { .sink = sink, .s = shown(doc), .opts = opts };
	int r = 0, code = 0;
	size_t i;

	if (doc->n == 0)
		return 0;
	if (csv.s->produce) {
		r = csv.s->produce(csv.s->produce_arg, emit, &csv);
		if (r > 0) {
			code = r;
			r = 0;
		} else if (r == 0) {
			titles(&csv);
		}
	} else {
		titles(&csv);
		for (i = 0; r == 0 && i < csv.s->n; i++)
			r = put_row(&csv, csv.s->rows[i]);
	}
	vmt_buf_done(&csv.text);
	if (r == 0)
		r = vmt_sink_flush(sink, 0);
	return r < 0 ? r : code;
}
