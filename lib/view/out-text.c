/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libsmartcols.h>
#include <stdlib.h>

#include "view/doc.h"

static int new_column(struct libscols_table *tb, const struct vmt_field *f,
		      const struct vmt_out_opts *opts, bool last, bool tree)
{
	bool left = f->flags & VMT_LEFT || vmt_field_is_text(f);
	int flags = 0;

	if (!left)
		flags |= SCOLS_FL_RIGHT;
	else if (last && opts->width)
		flags |= SCOLS_FL_TRUNC;
	/* The name of things is the last one. */
	if (last && tree)
		flags |= SCOLS_FL_TREE;
	return scols_table_new_column(tb, f->title, 0, flags) ? 0 : -ENOMEM;
}

static int fill(struct libscols_table *tb, const struct vmt_section *s,
		const struct vmt_columns *columns, const struct vmt_out_opts *opts,
		uint64_t page_size)
{
	VMT_AUTO_BUF cell = { 0 };
	size_t i, k;

	for (k = 0; k < columns->n; k++)
		if (new_column(tb, columns->fields[k], opts, k + 1 == columns->n,
			       s->parents != NULL) < 0)
			return -ENOMEM;
	for (i = 0; i < s->n; i++) {
		size_t up = s->parents ? s->parents[i] : SIZE_MAX;
		struct libscols_line *line = scols_table_new_line(
			tb, up == SIZE_MAX ? NULL : scols_table_get_line(tb, up));

		if (!line)
			return -ENOMEM;
		for (k = 0; k < columns->n; k++) {
			vmt_buf_next(&cell);
			vmt_cell_text(&cell, columns->fields[k], s->rows[i], opts, page_size);
			if (vmt_buf_error(&cell) < 0 || scols_line_set_data(line, k, cell.data))
				return -ENOMEM;
		}
	}
	return 0;
}

/*
 * One blank between cells and none within them. The library would escape what was made safe
 * already, so this is ours.
 */
static int raw_text(struct vmt_buf *out, const struct vmt_section *s,
		    const struct vmt_out_opts *opts, uint64_t page_size)
{
	VMT_AUTO_BUF cell = { 0 };
	size_t i, k, c;

	for (k = 0; opts->headings && k < s->columns.n; k++)
		vmt_buf_addf(out, "%s%s", k ? " " : "", s->columns.fields[k]->title);
	if (opts->headings)
		vmt_buf_addc(out, '\n');
	for (i = 0; i < s->n; i++) {
		for (k = 0; k < s->columns.n; k++) {
			if (k)
				vmt_buf_addc(out, ' ');
			vmt_buf_next(&cell);
			vmt_cell_text(&cell, s->columns.fields[k], s->rows[i], opts, page_size);
			for (c = 0; c < cell.len; c++) {
				if (cell.data[c] == ' ')
					vmt_buf_adds(out, "\\x20");
				else
					vmt_buf_addc(out, cell.data[c]);
			}
		}
		vmt_buf_addc(out, '\n');
	}
	return vmt_buf_error(&cell) ? vmt_buf_error(&cell) : vmt_buf_error(out);
}

/* What the last column keeps of a narrow terminal, where it is the name of things. */
#define TAIL_MIN 20

/* Cells of the terminal that each column takes; bytes stand for them: the columns before the last
 * hold numbers and short words. */
static int measure(size_t *widths, const struct vmt_columns *columns, const struct vmt_section *s,
		   const struct vmt_out_opts *opts, uint64_t page_size)
{
	VMT_AUTO_BUF cell = { 0 };
	size_t i, k;

	for (k = 0; k < columns->n; k++) {
		widths[k] = strlen(columns->fields[k]->title);
		for (i = 0; i < s->n; i++) {
			vmt_buf_next(&cell);
			vmt_cell_text(&cell, columns->fields[k], s->rows[i], opts, page_size);
			if (cell.len > widths[k])
				widths[k] = cell.len;
		}
	}
	return vmt_buf_error(&cell);
}

/* Leaves out spare columns, the last first, until all others have room, and the name of things some
 * of it. A last one that is spare, as a list of numbers or a remark, is whole or not there. */
static int make_room(struct vmt_columns *columns, const struct vmt_section *s,
		     const struct vmt_out_opts *opts, uint64_t page_size)
{
	VMT_AUTO_FREE size_t *widths = calloc(columns->n, sizeof(*widths));
	size_t total = 0, last = columns->n - 1, k;
	int r = widths ? measure(widths, columns, s, opts, page_size) : -ENOMEM;

	if (r < 0)
		return r;
	for (k = 0; k < last; k++)
		total += widths[k] + 1;
	if (last && columns->fields[last]->flags & VMT_SPARE &&
	    total + widths[last] > opts->width) {
		columns->n = last--;
		total -= widths[last] + 1;
	}
	if (columns->fields[last]->flags & VMT_TAIL && widths[last] > TAIL_MIN)
		total += TAIL_MIN;
	else
		total += widths[last];
	for (k = columns->n; k > 1 && total > opts->width; k--) {
		if (!(columns->fields[k - 2]->flags & VMT_SPARE))
			continue;
		total -= widths[k - 2] + 1;
		memmove(&columns->fields[k - 2], &columns->fields[k - 1],
			(columns->n - (k - 1)) * sizeof(columns->fields[0]));
		columns->n--;
	}
	return 0;
}

static int table_text(struct vmt_buf *out, const struct vmt_section *s,
		      const struct vmt_out_opts *opts, uint64_t page_size)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	struct libscols_table *tb = scols_new_table();
	VMT_AUTO_FREE char *text = NULL;
	int r;

	if (!tb)
		return -ENOMEM;
	r = vmt_columns_copy(&columns, &s->columns);
	if (r == 0 && opts->width && !s->chosen && columns.n)
		r = make_room(&columns, s, opts, page_size);
	/* Cells were made safe already; the table's own escapes would double them. */
	scols_table_enable_noencoding(tb, 1);
	scols_table_enable_noheadings(tb, !opts->headings);
	scols_table_enable_ascii(tb, opts->ascii);
	scols_table_enable_nowrap(tb, 1);
	if (opts->width) {
		scols_table_set_termforce(tb, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(tb, opts->width);
	} else {
		scols_table_set_termforce(tb, SCOLS_TERMFORCE_NEVER);
	}
	if (r == 0)
		r = fill(tb, s, &columns, opts, page_size);
	if (r == 0) {
		r = scols_print_table_to_string(tb, &text);
		if (r > 0)
			r = -r;
	}
	if (r == 0 && text)
		vmt_buf_adds(out, text);
	scols_unref_table(tb);
	return r;
}

/* A table, and what stands above and below it. */
static int section_text(struct vmt_buf *out, const struct vmt_section *s,
			const struct vmt_out_opts *opts, uint64_t page_size)
{
	int r = 0;

	if (s->lead.len)
		vmt_buf_add(out, s->lead.data, s->lead.len);
	if (s->title && opts->headings)
		vmt_buf_addf(out, "%s\n", s->title);
	if (s->n) {
		r = opts->raw ? raw_text(out, s, opts, page_size)
			      : table_text(out, s, opts, page_size);
		if (r < 0)
			return r;
		/* The library leaves the last line open. */
		if (out->len && out->data[out->len - 1] != '\n')
			vmt_buf_addc(out, '\n');
	}
	if (s->total > s->n && s->n)
		vmt_buf_addf(out, "(%zu of %zu rows)\n", s->n, s->total);
	if (s->note.len)
		vmt_buf_add(out, s->note.data, s->note.len);
	return 0;
}

/* A section whose rows come one by one: a table for each piece. */
struct stream {
	struct vmt_sink *sink;
	const struct vmt_section *s;
	const struct vmt_out_opts *opts;
	uint64_t page_size;
	bool any;
};

static int stream_emit(void *ctx, const struct vmt_rows *rows)
{
	struct stream *st = ctx;
	size_t size = st->s->def->entity->row_size, i;
	struct vmt_out_opts opts = *st->opts;
	struct vmt_section piece = *st->s;
	VMT_AUTO_BUF lead = { 0 };
	VMT_AUTO_BUF note = { 0 };
	int r;

	/* There is a document, and what it says stands behind the rows. */
	if (!rows->n && !rows->note) {
		st->any = true;
		return 0;
	}
	piece.rows = calloc(rows->n ? rows->n : 1, sizeof(*piece.rows));
	if (!piece.rows)
		return -ENOMEM;
	for (i = 0; i < rows->n; i++)
		piece.rows[i] = (const char *)rows->rows + i * size;
	piece.n = piece.total = rows->n;
	if (rows->lead && st->any && !opts.raw)
		vmt_buf_addc(&lead, '\n');
	if (rows->lead && !opts.raw)
		vmt_buf_adds(&lead, rows->lead);
	if (rows->note && !opts.raw)
		vmt_buf_adds(&note, rows->note);
	/* What goes on needs no titles; nor does a second table for programs. */
	opts.headings &= !st->any || (rows->lead && !opts.raw);
	piece.lead = lead;
	piece.note = note;
	r = vmt_buf_error(&lead) ?: vmt_buf_error(&note);
	if (r == 0)
		r = section_text(&st->sink->buf, &piece, &opts, st->page_size);
	st->any |= rows->n > 0;
	free(piece.rows);
	return r < 0 ? r : vmt_sink_flush(st->sink, 65536);
}

int vmt_out_text(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	uint64_t page_size = doc->model->sample->host.page_size;
	int r = 0, code = 0;
	bool any = false;
	size_t i;

	for (i = 0; r == 0 && i < doc->n; i++) {
		const struct vmt_section *s = &doc->sections[i];

		if (s->produce) {
			struct stream st = { sink, s, opts, page_size, false };

			r = s->produce(s->produce_arg, stream_emit, &st);
			if (r < 0)
				return r;
			if (r > 0 && !st.any)
				return r;
			code = r;
			any = true;
			vmt_buf_add(&sink->buf, s->note.data, s->note.len);
			r = vmt_sink_flush(sink, 65536);
			continue;
		}
		/* A heading over nothing says nothing; the first table may be empty. */
		if (s->machine_only || (i > 0 && s->n == 0 && !s->note.len))
			continue;
		if (any)
			vmt_buf_addc(&sink->buf, '\n');
		any = true;
		r = section_text(&sink->buf, s, opts, page_size);
		if (r == 0)
			r = vmt_sink_flush(sink, 65536);
	}
	if (r == 0)
		r = vmt_sink_flush(sink, 0);
	return r < 0 ? r : code;
}
