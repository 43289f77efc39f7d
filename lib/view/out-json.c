/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/json.h"
#include "view/doc.h"
#include "view/row-json.h"

/* All fields of an entity as the pointers that columns are. */
static int columns_of(struct vmt_columns *all, const struct vmt_entity *entity,
		      const struct vmt_columns *chosen, bool every, const struct vmt_columns **ret)
{
	*ret = chosen;
	if (!every && chosen)
		return 0;
	if (vmt_columns_all(all, entity) < 0)
		return -ENOMEM;
	*ret = all;
	return 0;
}

/* Rows behind pointers, or, where there are none of these, an array of rows. */
struct rows {
	const struct vmt_entity *entity;
	const void *const *ptrs;
	const void *array;
	size_t n;
};

static const void *row_at(const struct rows *rows, size_t i)
{
	return rows->ptrs ? rows->ptrs[i] : (const char *)rows->array + i * rows->entity->row_size;
}

/* Writes rows as values; chosen NULL, or every: all fields of the entity. */
static int rows_json(struct vmt_sink *sink, struct vmt_json *j, const struct rows *rows,
		     const struct vmt_columns *chosen, bool every)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns all = { 0 };
	VMT_CLEANUP(vmt_row_json_done) struct vmt_row_json plan = { 0 };
	const struct vmt_columns *cols;
	size_t i;
	int r = columns_of(&all, rows->entity, chosen, every, &cols);

	if (r == 0)
		r = vmt_row_json_init(&plan, cols->fields, cols->n, j->indent, j->depth + 1, false);
	for (i = 0; r == 0 && i < rows->n; i++) {
		if (vmt_json_value(j))
			vmt_row_json_put(&plan, j->out, row_at(rows, i));
		r = vmt_sink_flush_rows(sink);
	}
	return r;
}

static int array_json(struct vmt_sink *sink, struct vmt_json *j, const char *key,
		      const struct vmt_entity *entity, const void *rows, size_t n)
{
	const struct rows all = { .entity = entity, .array = rows, .n = n };
	int r;

	vmt_json_key(j, key);
	vmt_json_array(j);
	r = rows_json(sink, j, &all, NULL, true);
	vmt_json_array_end(j);
	return r;
}

static void text_or_null(struct vmt_json *j, const char *key, struct vmt_bytes text)
{
	vmt_json_key(j, key);
	if (text.len)
		vmt_json_bytes(j, text);
	else
		vmt_json_null(j);
}

static void number_or_null(struct vmt_json *j, const char *key, uint64_t v)
{
	vmt_json_key(j, key);
	if (v)
		vmt_json_u64(j, v);
	else
		vmt_json_null(j);
}

static void envelope_json(struct vmt_json *j, const struct vmt_doc *doc)
{
	const struct vmt_host *h = &doc->model->sample->host;
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "vmtop.%s", doc->schema);
	vmt_json_key(j, "schema");
	vmt_json_str(j, text.data ? text.data : "");
	vmt_json_key(j, "version");
	vmt_json_u64(j, VMT_DOC_VERSION);
	vmt_json_key(j, "vmtop");
	vmt_json_str(j, doc->version);
	vmt_json_key(j, "time");
	if (h->realtime_ns) {
		vmt_buf_next(&text);
		vmt_fmt_time(&text, h->realtime_ns);
		vmt_json_str(j, text.data ? text.data : "");
	} else {
		vmt_json_null(j);
	}
	text_or_null(j, "boot_id", h->boot_id);
	number_or_null(j, "monotonic_ns", h->monotonic_ns);
	vmt_json_key(j, "host");
	vmt_json_object(j);
	text_or_null(j, "release", h->release);
	text_or_null(j, "machine", h->machine);
	number_or_null(j, "page_size_bytes", h->page_size);
	number_or_null(j, "cpus", h->cpus);
	text_or_null(j, "root", h->root);
	vmt_json_key(j, "euid");
	if (h->euid != VMT_EUID_UNKNOWN)
		vmt_json_u64(j, h->euid);
	else
		vmt_json_null(j);
	number_or_null(j, "took_ns", h->took_ns);
	vmt_json_object_end(j);
	if (vmt_buf_error(&text) < 0)
		j->out->error = vmt_buf_error(&text);
}

static int tail_json(struct vmt_sink *sink, struct vmt_json *j, const struct vmt_doc *doc)
{
	const struct vmt_model *m = doc->model;
	int r;

	vmt_json_key(j, "scan");
	vmt_json_object(j);
	vmt_json_key(j, "procs_seen");
	vmt_json_u64(j, m->sample->procs_seen);
	vmt_json_key(j, "vanished");
	vmt_json_u64(j, m->sample->vanished);
	vmt_json_key(j, "denied");
	vmt_json_u64(j, m->sample->denied);
	vmt_json_key(j, "timed_out");
	vmt_json_u64(j, m->sample->timed_out);
	vmt_json_key(j, "errors_dropped");
	vmt_json_u64(j, m->sample->issues_dropped);
	vmt_json_object_end(j);
	if (m->has_probe) {
		const struct rows row = { .entity = &vmt_entity_probe, .array = &m->probe, .n = 1 };

		vmt_json_key(j, "probes");
		r = rows_json(sink, j, &row, NULL, true);
		if (r == 0)
			r = array_json(sink, j, "rungs", &vmt_entity_rung, m->rungs, m->n_rungs);
		if (r < 0)
			return r;
	}
	r = array_json(sink, j, "findings", &vmt_entity_finding, m->findings, m->n_findings);
	if (r == 0)
		r = array_json(sink, j, "sources", &vmt_entity_source, m->sources, m->n_sources);
	if (r == 0)
		r = array_json(sink, j, "errors", &vmt_entity_issue, m->sample->issues,
			       m->sample->n_issues);
	return r;
}

/* A document whose rows come one by one. What stands above them is written with the first, so that
 * a command that finds nothing can still say just that. */
struct stream {
	struct vmt_sink *sink;
	const struct vmt_doc *doc;
	struct vmt_json j;
	const char *type; /* of a line; NULL: rows of an array */
	struct vmt_row_json plan;
	int (*begin)(struct stream *st); /* NULL once it was called */
	const struct vmt_section *section;
};

static int line_begin(struct vmt_json *j, struct vmt_sink *sink, const char *type);
static int line_end(struct vmt_json *j, struct vmt_sink *sink);

static int stream_begin(struct stream *st)
{
	int (*begin)(struct stream * st) = st->begin;

	st->begin = NULL;
	return begin ? begin(st) : 0;
}

/* Rows that are not the section's, all fields of them. */
static int stream_others(struct stream *st, const struct vmt_rows *rows)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns all = { 0 };
	VMT_CLEANUP(vmt_row_json_done) struct vmt_row_json plan = { 0 };
	int r;

	if (!st->type)
		return 0;
	r = vmt_columns_all(&all, rows->entity);
	if (r == 0)
		r = vmt_row_json_init(&plan, all.fields, all.n, 0, 1, true);
	for (size_t i = 0; r == 0 && i < rows->n; i++) {
		line_begin(&st->j, st->sink, rows->entity->name);
		vmt_row_json_put(&plan, &st->sink->buf,
				 (const char *)rows->rows + i * rows->entity->row_size);
		r = line_end(&st->j, st->sink);
	}
	return r;
}

/* Rows come from another thread, and mostly from the cache of another CPU: the one after the next
 * is fetched while this one is written. Its beginning, where the fields that most have are. */
static inline void fetch_ahead(const char *rows, size_t i, size_t n, size_t size)
{
	const char *row = rows + (i + 2) * size;
	size_t at;

	if (i + 2 >= n)
		return;
	for (at = 0; at < 256 && at < size; at += 64)
		__builtin_prefetch(row + at);
}

static int stream_emit(void *ctx, const struct vmt_rows *rows)
{
	struct stream *st = ctx;
	size_t size = st->section->def->entity->row_size, i;
	int r = stream_begin(st);

	if (r == 0 && rows->entity && rows->entity != st->section->def->entity)
		return stream_others(st, rows);
	for (i = 0; r == 0 && i < rows->n; i++) {
		const void *row = (const char *)rows->rows + i * size;

		fetch_ahead(rows->rows, i, rows->n, size);
		if (st->type) {
			line_begin(&st->j, st->sink, st->type);
			vmt_row_json_put(&st->plan, &st->sink->buf, row);
			r = line_end(&st->j, st->sink);
			continue;
		}
		if (vmt_json_value(&st->j))
			vmt_row_json_put(&st->plan, &st->sink->buf, row);
		r = vmt_sink_flush_rows(st->sink);
	}
	return r;
}

/* Runs produce() of a section; the exit code that it gives goes to *ret_exit. */
static int stream_rows(struct stream *st, const struct vmt_section *s, unsigned depth, bool all,
		       int *ret_exit)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns every = { 0 };
	const struct vmt_columns *cols;
	int r;

	st->section = s;
	r = columns_of(&every, s->def->entity, &s->columns, all, &cols);
	if (r == 0)
		r = vmt_row_json_init(&st->plan, cols->fields, cols->n, st->j.indent, depth,
				      st->type != NULL);
	if (r == 0)
		r = s->produce(s->produce_arg, stream_emit, st);
	if (r > 0) {
		*ret_exit = r;
		/* Without a row there is no document. */
		r = 0;
	} else if (r == 0) {
		r = stream_begin(st);
	}
	vmt_row_json_done(&st->plan);
	return r;
}

static int json_begin(struct stream *st)
{
	vmt_json_object(&st->j);
	envelope_json(&st->j, st->doc);
	vmt_json_key(&st->j, "data");
	vmt_json_object(&st->j);
	vmt_json_key(&st->j, st->doc->sections[0].def->key);
	vmt_json_array(&st->j);
	return 0;
}

int vmt_out_json(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct stream st = { .sink = sink, .doc = doc, .begin = json_begin };
	int r = 0, code = 0;
	struct vmt_json j;
	size_t i = 0;

	vmt_json_init(&st.j, &sink->buf, opts->indent);
	if (doc->n && doc->sections[0].produce) {
		/* The object, data, the array: a row is an object below these. */
		r = stream_rows(&st, &doc->sections[0], 4, opts->all_fields, &code);
		if (r < 0 || st.begin)
			return r < 0 ? r : code;
		vmt_json_array_end(&st.j);
		j = st.j;
		i = 1;
	} else {
		j = st.j;
		vmt_json_object(&j);
		envelope_json(&j, doc);
		vmt_json_key(&j, "data");
		vmt_json_object(&j);
	}
	for (; r == 0 && i < doc->n; i++) {
		const struct vmt_section *s = &doc->sections[i];
		const struct rows rows = { .entity = s->def->entity,
					   .ptrs = s->rows,
					   .n = s->def->single ? 1 : s->n };

		vmt_json_key(&j, s->def->key);
		if (s->def->single && s->n == 0) {
			vmt_json_null(&j);
			continue;
		}
		if (!s->def->single)
			vmt_json_array(&j);
		r = rows_json(sink, &j, &rows, &s->columns, opts->all_fields || i > 0);
		if (!s->def->single)
			vmt_json_array_end(&j);
	}
	vmt_json_object_end(&j);
	if (r == 0)
		r = tail_json(sink, &j, doc);
	vmt_json_object_end(&j);
	if (r == 0)
		r = vmt_json_finish(&j);
	vmt_buf_addc(&sink->buf, '\n');
	if (r == 0)
		r = vmt_sink_flush(sink, 0);
	return r < 0 ? r : code;
}

static int line_begin(struct vmt_json *j, struct vmt_sink *sink, const char *type)
{
	vmt_json_init(j, &sink->buf, 0);
	vmt_json_object(j);
	vmt_json_key(j, "type");
	vmt_json_str(j, type);
	return 0;
}

static int line_end(struct vmt_json *j, struct vmt_sink *sink)
{
	int r;

	vmt_json_object_end(j);
	r = vmt_json_finish(j);
	vmt_buf_addc(&sink->buf, '\n');
	return r < 0 ? r : vmt_sink_flush_rows(sink);
}

static int end_line(struct vmt_sink *sink, const struct vmt_doc *doc)
{
	struct vmt_json j;
	int r;

	line_begin(&j, sink, "end");
	if (doc->part != VMT_DOC_WHOLE) {
		vmt_json_key(&j, "samples_total");
		vmt_json_u64(&j, doc->sample);
		vmt_json_key(&j, "missed_total");
		vmt_json_u64(&j, doc->missed);
	}
	r = tail_json(sink, &j, doc);
	if (r == 0)
		r = line_end(&j, sink);
	return r < 0 ? r : vmt_sink_flush(sink, 0);
}

/* Before the rows of each sample: when it was taken, and what of it could not be read. */
static int sample_line(struct vmt_sink *sink, const struct vmt_doc *doc)
{
	const struct vmt_host *h = &doc->model->sample->host;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_json j;
	int r;

	line_begin(&j, sink, "sample");
	vmt_json_key(&j, "sample");
	vmt_json_u64(&j, doc->sample);
	vmt_json_key(&j, "missed_total");
	vmt_json_u64(&j, doc->missed);
	vmt_fmt_time(&text, h->realtime_ns);
	text_or_null(&j, "time",
		     h->realtime_ns && text.data ? vmt_bytes_of(text.data)
						 : (struct vmt_bytes){ 0 });
	number_or_null(&j, "monotonic_ns", h->monotonic_ns);
	number_or_null(&j, "took_ns", h->took_ns);
	r = vmt_buf_error(&text) ?: tail_json(sink, &j, doc);
	return r < 0 ? r : line_end(&j, sink);
}

static int ndjson_begin(struct stream *st)
{
	const struct vmt_doc *doc = st->doc;
	int r = 0;

	if (doc->part == VMT_DOC_WHOLE || doc->sample == 1) {
		line_begin(&st->j, st->sink, "header");
		envelope_json(&st->j, doc);
		r = line_end(&st->j, st->sink);
	}
	return r == 0 && doc->part == VMT_DOC_SAMPLE ? sample_line(st->sink, doc) : r;
}

/* Header, one line a row named by its entity, end; each line stands alone. */
int vmt_out_ndjson(struct vmt_sink *sink, const struct vmt_doc *doc,
		   const struct vmt_out_opts *opts)
{
	struct stream st = { .sink = sink, .doc = doc, .begin = ndjson_begin };
	struct vmt_columns all = { 0 };
	struct vmt_row_json plan = { 0 };
	size_t i = 0, k;
	int r, code = 0;
	struct vmt_json j;

	if (doc->part == VMT_DOC_END)
		return end_line(sink, doc);
	if (doc->n && doc->sections[0].produce) {
		st.type = doc->sections[0].def->entity->name;
		r = stream_rows(&st, &doc->sections[0], 1, opts->all_fields, &code);
		if (r < 0 || st.begin)
			return r < 0 ? r : code;
		i = 1;
	} else {
		r = stream_begin(&st);
	}
	for (; r == 0 && i < doc->n; i++) {
		const struct vmt_section *s = &doc->sections[i];
		const struct vmt_columns *cols;

		r = columns_of(&all, s->def->entity, &s->columns, opts->all_fields || i > 0, &cols);
		if (r == 0)
			r = vmt_row_json_init(&plan, cols->fields, cols->n, 0, 1, true);
		for (k = 0; r == 0 && k < s->n; k++) {
			line_begin(&j, sink, s->def->entity->name);
			vmt_row_json_put(&plan, &sink->buf, s->rows[k]);
			r = line_end(&j, sink);
		}
		vmt_columns_done(&all);
		vmt_row_json_done(&plan);
	}
	if (r == 0 && doc->part == VMT_DOC_WHOLE)
		r = end_line(sink, doc);
	if (r == 0)
		r = vmt_sink_flush(sink, 0);
	return r < 0 ? r : code;
}
