/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of any values, in each format: what comes out is text without a control, is what its format
 * says, and has a row for each. The first byte chooses the entity, the second the options, the
 * third the format.
 */
#include <json-c/json.h>
#include <locale.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz-utf8.h"
#include "model/other.h"
#include "view/doc.h"
#include "view/html.h"
#include "view/prometheus.h"
#include "view/xml.h"

#define ROWS_MOST 3

struct input {
	const uint8_t *data;
	size_t size;
};

static struct vmt_bytes take_text(struct input *in)
{
	size_t n = fuzz_choice(&in->data, &in->size) % 64;
	struct vmt_bytes text;

	n = n < in->size ? n : in->size;
	text = fuzz_text(in->data, n);
	in->data += n;
	in->size -= n;
	return text;
}

static uint64_t take_number(struct input *in)
{
	unsigned c = fuzz_choice(&in->data, &in->size);

	/* Small ones, powers of two and their neighbours, and the ends. */
	if (c < 100)
		return c;
	if (c < 250)
		return (UINT64_C(1) << (c - 100) % 64) - (c >= 200);
	return UINT64_MAX - (c - 250);
}

static void take_field(struct input *in, const struct vmt_field *f, struct vmt_arena *arena,
		       char *row)
{
	void *at = row + f->offset;

	if (f->type == VMT_TYPE_BOOL) {
		*(bool *)at = take_number(in) & 1;
	} else if (f->type == VMT_TYPE_STR) {
		*(struct vmt_bytes *)at = take_text(in);
	} else if (f->type == VMT_TYPE_KEYS) {
		struct vmt_other other = { 0 };
		struct vmt_bytes key = take_text(in);
		char *text;

		vmt_other_add(&other, key, take_text(in));
		text = vmt_arena_copy(arena, other.text.data, other.text.len);
		CHECK(text);
		*(struct vmt_bytes *)at = (struct vmt_bytes){ text, other.text.len };
		vmt_other_done(&other);
	} else if (f->type == VMT_TYPE_HIST) {
		struct vmt_hist_bucket *b = vmt_arena_alloc(arena, 1, sizeof(*b));

		CHECK(b);
		b->from = take_number(in);
		b->to = b->from;
		b->count = take_number(in);
		*(struct vmt_hist *)at = (struct vmt_hist){ b, 1 };
	} else {
		*(uint64_t *)at = take_number(in);
	}
	vmt_row_mark((struct vmt_row *)(void *)row, f->index);
}

/* Lines of text that a terminal shows as it is. */
static void lines(struct vmt_bytes text, bool ascii)
{
	size_t i, from = 0;

	for (i = 0; i <= text.len; i++) {
		if (i < text.len && text.ptr[i] != '\n') {
			CHECK(!ascii || (text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f));
			continue;
		}
		CHECK(fuzz_is_utf8((struct vmt_bytes){ text.ptr + from, i - from }, false));
		from = i + 1;
	}
}

/* Without controls; what is no text for a terminal is left to who shows it. */
static void plain(struct vmt_bytes text)
{
	size_t i;

	CHECK(fuzz_is_utf8(text, true));
	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		CHECK((c >= 0x20 && c != 0x7f) || c == '\n');
		CHECK(c != 0xc2 || (unsigned char)text.ptr[i + 1] >= 0xa0);
	}
}

static struct json_object *json_of(struct vmt_bytes text)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *o;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text.ptr, (int)text.len);
	CHECK(o && json_tokener_get_error(t) == json_tokener_success);
	CHECK(json_tokener_get_parse_end(t) == text.len ||
	      (json_tokener_get_parse_end(t) == text.len - 1 && text.ptr[text.len - 1] == '\n'));
	json_tokener_free(t);
	return o;
}

static void json(struct vmt_bytes text, const struct vmt_entity *e, size_t rows)
{
	struct json_object *o = json_of(text), *data = NULL, *list = NULL;

	CHECK(json_object_object_get_ex(o, "data", &data));
	CHECK(json_object_object_get_ex(data, e->plural, &list));
	CHECK(json_object_array_length(list) == rows);
	json_object_put(o);
}

static size_t ndjson(struct vmt_bytes text)
{
	size_t n = 0, from = 0, i;

	for (i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\n')
			continue;
		json_object_put(json_of((struct vmt_bytes){ text.ptr + from, i - from }));
		from = i + 1;
		n++;
	}
	CHECK(from == text.len);
	return n;
}

/* Records of RFC 4180, all with as many fields; how many there are. */
static size_t csv(struct vmt_bytes text)
{
	size_t i = 0, records = 0, fields = 0, first = 0;

	while (i < text.len) {
		fields++;
		if (text.ptr[i] == '"') {
			for (i++; i < text.len; i++) {
				if (text.ptr[i] != '"')
					continue;
				if (i + 1 == text.len || text.ptr[i + 1] != '"')
					break;
				i++;
			}
			CHECK(i++ < text.len);
		} else {
			while (i < text.len && !strchr(",\r\n\"", text.ptr[i]))
				i++;
		}
		CHECK(i < text.len);
		if (text.ptr[i] == ',') {
			i++;
			continue;
		}
		i += text.ptr[i] == '\r';
		CHECK(i < text.len && text.ptr[i++] == '\n');
		CHECK(!records || fields == first);
		first = fields;
		fields = 0;
		records++;
	}
	CHECK(!fields);
	return records;
}

/* Elements that are closed in order, and nothing above ASCII. */
static void markup(struct vmt_bytes text)
{
	struct vmt_bytes open[VMT_XML_DEPTH];
	size_t depth = 0, i;

	for (i = 0; i < text.len; i++) {
		bool ends = i + 1 < text.len && text.ptr[i + 1] == '/';
		size_t from = i + 1 + ends, n = 0, to;

		CHECK((text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f) || text.ptr[i] == '\n');
		if (text.ptr[i] != '<')
			continue;
		while (from + n < text.len && !strchr(" />", text.ptr[from + n]))
			n++;
		for (to = from + n; to < text.len && text.ptr[to] != '>'; to++)
			CHECK(text.ptr[to] != '<');
		CHECK(n && to < text.len);
		if (ends) {
			CHECK(depth-- && n == open[depth].len &&
			      memcmp(open[depth].ptr, text.ptr + from, n) == 0);
		} else if (text.ptr[to - 1] != '/') {
			CHECK(depth < VMT_XML_DEPTH);
			open[depth++] = (struct vmt_bytes){ text.ptr + from, n };
		}
		i = to;
	}
	CHECK(!depth);
}

static void html(const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct vmt_picture_ask ask = { .model = doc->model, .opts = opts };
	VMT_AUTO_BUF out = { 0 };
	struct vmt_xml x;

	vmt_xml_init(&x, &out);
	CHECK(vmt_html_section(&x, &doc->sections[0], &ask) == 0);
	CHECK(vmt_xml_finish(&x) == 0);
	markup((struct vmt_bytes){ out.data, out.len });
}

/* Labels of any bytes: a line each, in which quotes stand in pairs. */
static void metrics(struct input in)
{
	struct vmt_bytes node = take_text(&in), zone = take_text(&in);
	VMT_AUTO_METRICS m = { 0 };
	VMT_AUTO_BUF out = { 0 };
	struct vmt_bytes text;
	size_t i, n = 0, quotes = 0;

	CHECK(vmt_metrics_u64(&m, VMT_METRIC_ZONE_FREE_BYTES, VMT_LABELS(node, zone),
			      take_number(&in)) == 0);
	CHECK(vmt_metrics_write(&m, &out) == 0);
	text = (struct vmt_bytes){ out.data, out.len };
	lines(text, false);
	for (i = 0; i < text.len; i++) {
		n += text.ptr[i] == '\n';
		if (n < 2)
			continue;
		if (text.ptr[i] == '\\')
			CHECK(strchr("\\\"n", text.ptr[++i]));
		else
			quotes += text.ptr[i] == '"';
	}
	CHECK(n == 3 && quotes == 4);
}

static void put(const struct vmt_output *out, const struct vmt_doc *doc,
		const struct vmt_out_opts *opts, size_t rows)
{
	const struct vmt_entity *e = doc->sections[0].def->entity;
	struct vmt_sink sink = { .fd = memfd_create("output", MFD_CLOEXEC) };
	VMT_AUTO_FREE char *copy = NULL;
	struct vmt_bytes text;
	off_t size;

	CHECK(sink.fd >= 0);
	CHECK(out->emit(&sink, doc, opts) == 0 && !sink.error);
	size = lseek(sink.fd, 0, SEEK_END);
	copy = malloc((size_t)size + 1);
	CHECK(copy && pread(sink.fd, copy, (size_t)size, 0) == size);
	copy[size] = 0;
	text = (struct vmt_bytes){ copy, (size_t)size };
	close(sink.fd);
	vmt_sink_done(&sink);
	if (out->emit == vmt_out_text || out->emit == vmt_out_folded)
		lines(text, opts->ascii);
	else
		plain(text);
	if (out->emit == vmt_out_json)
		json(text, e, rows);
	else if (out->emit == vmt_out_ndjson)
		CHECK(ndjson(text) >= rows + 2);
	else if (out->emit == vmt_out_csv)
		CHECK(csv(text) == rows + opts->headings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size), bits = fuzz_choice(&data, &size);
	unsigned format = fuzz_choice(&data, &size);
	struct input in = { data, size };
	struct vmt_section_def def = { .help = "rows" };
	struct vmt_sample *sample = vmt_sample_new();
	struct vmt_model *model = NULL;
	struct vmt_doc doc = { .schema = "fuzz", .version = "0" };
	struct vmt_out_opts opts = {
		.unit = (enum vmt_size_unit)(bits % 6),
		.ascii = bits & 8,
		.headings = bits & 16,
		.raw = bits & 32,
		.width = bits & 64 ? 80 : 0,
		.all_fields = bits & 128,
	};
	struct vmt_section *s;
	size_t n = 0, rows, i, k;
	char *all;

	while (vmt_entities[n])
		n++;
	def.entity = vmt_entities[choice % n];
	def.key = def.entity->plural;
	CHECK(sample && setlocale(LC_CTYPE, "C.UTF-8"));
	sample->host.page_size = 4096;
	CHECK(vmt_model_build(sample, NULL, NULL, &model, NULL) == 0);
	all = vmt_arena_alloc(&sample->arena, ROWS_MOST, def.entity->row_size);
	CHECK(all);
	for (rows = 0; rows < ROWS_MOST && in.size; rows++)
		for (k = 0; k < def.entity->n_fields && in.size; k++)
			if (fuzz_choice(&in.data, &in.size) & 3)
				take_field(&in, &def.entity->fields[k], &sample->arena,
					   all + rows * def.entity->row_size);
	doc.model = model;
	s = vmt_doc_add(&doc, &def, all, rows);
	CHECK(s);
	if (bits & 128) {
		vmt_columns_done(&s->columns);
		CHECK(vmt_columns_all(&s->columns, def.entity) == 0);
		s->chosen = true;
	}
	for (i = 0; vmt_outputs[i].name; i++)
		;
	format %= i + 1;
	if (format == i)
		metrics((struct input){ data, size });
	else if (vmt_outputs[format].emit == vmt_out_html)
		html(&doc, &opts);
	/* The others are of whole documents of their own. */
	else if (!vmt_outputs[format].only || vmt_outputs[format].emit == vmt_out_folded)
		put(&vmt_outputs[format], &doc, &opts, rows);
	vmt_doc_done(&doc);
	vmt_model_free(model);
	vmt_sample_free(sample);
	return 0;
}
