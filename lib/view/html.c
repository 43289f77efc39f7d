/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/html.h"

#include <errno.h>
#include <inttypes.h>

/* Light, dark and paper; no colour of it carries a meaning. */
static const char style[] =
	"html{color-scheme:light dark}\n"
	"body{font:14px/1.45 system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
	"color:#1b1b1b;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.5em;margin:0 0 .2em}\n"
	"h2{font-size:1.2em;margin:2.2em 0 .6em;border-top:1px solid #c8c8c8;padding-top:.8em}\n"
	"h3{font-size:1em;margin:1.6em 0 .6em}\n"
	"h4{font-size:.93em;margin:1.2em 0 .3em}\n"
	"p{margin:.4em 0;max-width:48em}\n"
	"figure{margin:.6em 0;overflow-x:auto}\n"
	/* Letters of a picture stay readable where the screen is narrow: it is moved sideways. */
	"svg{display:block;width:100%;min-width:800px;height:auto}\n"
	"summary{cursor:pointer;color:#5f5f5f;margin:.6em 0}\n"
	"table{border-collapse:collapse;font-size:12px;margin:.4em 0 1em;"
	"font-variant-numeric:tabular-nums}\n"
	"th{font-weight:normal;color:#5f5f5f;text-align:right;vertical-align:bottom;"
	"border-bottom:1px solid #c8c8c8;padding:.1em .6em .1em 0;font-size:11px}\n"
	"td{text-align:right;padding:.08em .6em .08em 0;vertical-align:top}\n"
	".l{text-align:left;overflow-wrap:anywhere}\n"
	"td.l{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px}\n"
	".wide{overflow-x:auto}\n"
	"pre{font:11px/1.4 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
	"white-space:pre-wrap;overflow-wrap:anywhere;margin:.4em 0}\n"
	".dim{color:#5f5f5f}\n"
	"li{margin:.15em 0}\n"
	"@media screen and (prefers-color-scheme:dark){\n"
	"body{color:#e8e8e8;background:#16181a}\n"
	"h2{border-top-color:#3c4043}\n"
	"th{color:#a9a9a9;border-bottom-color:#3c4043}\n"
	"summary,.dim{color:#a9a9a9}\n"
	"}\n"
	"@media print{\n"
	"body{margin:0;max-width:none;font-size:11px}\n"
	"h2{break-after:avoid}\n"
	"figure,tr{break-inside:avoid}\n"
	"figure{overflow:visible}\n"
	"svg{min-width:0}\n"
	"svg .bg{fill:none}\n"
	"*{print-color-adjust:exact}\n"
	"}\n";

void vmt_html_table_begin(struct vmt_xml *x, const char *const *titles)
{
	size_t i;

	vmt_xml_open(x, "div");
	vmt_xml_attrs(x, "class", "wide");
	vmt_xml_open(x, "table");
	vmt_xml_open(x, "thead");
	vmt_xml_open(x, "tr");
	for (i = 0; titles[i]; i++) {
		bool left = titles[i][0] == '<';

		vmt_xml_open(x, "th");
		vmt_xml_attrs(x, "scope", "col");
		if (left)
			vmt_xml_attrs(x, "class", "l");
		vmt_xml_texts(x, titles[i] + left);
		vmt_xml_close(x);
	}
	vmt_xml_close(x);
	vmt_xml_close(x);
	vmt_xml_open(x, "tbody");
}

void vmt_html_cell(struct vmt_xml *x, bool left, struct vmt_bytes text)
{
	vmt_xml_element(x, "td", left ? "l" : NULL, text);
}

void vmt_html_table_end(struct vmt_xml *x)
{
	vmt_xml_close(x);
	vmt_xml_close(x);
	vmt_xml_close(x);
}

void vmt_html_says(struct vmt_xml *x, struct vmt_bytes text)
{
	vmt_xml_element(x, "p", NULL, text);
}

void vmt_html_lines(struct vmt_xml *x, const struct vmt_buf *lines)
{
	struct vmt_bytes rest = { lines->data, lines->len };

	if (!rest.len)
		return;
	vmt_xml_open(x, "pre");
	while (rest.len) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.ptr) : rest.len;

		vmt_xml_text(x, (struct vmt_bytes){ rest.ptr, n });
		n += end != NULL;
		rest.ptr += n;
		rest.len -= n;
		if (rest.len)
			vmt_xml_constant(x, "\n");
	}
	vmt_xml_close(x);
}

static bool is_left(const struct vmt_field *f)
{
	return f->flags & VMT_LEFT || vmt_field_is_text(f);
}

static int put_rows(struct vmt_xml *x, const struct vmt_columns *columns, const void *const *rows,
		    size_t n, const struct vmt_picture_ask *ask)
{
	uint64_t page = ask->model->sample->host.page_size;
	struct vmt_out_opts opts = *ask->opts;
	const char **titles;
	VMT_AUTO_BUF cell = { 0 };
	VMT_AUTO_FREE char *marked = NULL;
	size_t i, k, len = 0;

	/* A page says what its bytes are, whatever the locale. */
	opts.ascii = false;
	for (k = 0; k < columns->n; k++)
		len += strlen(columns->fields[k]->title) + 2;
	marked = calloc(len + 1, 1);
	titles = calloc(columns->n + 1, sizeof(*titles));
	if (!marked || !titles) {
		free(titles);
		return -ENOMEM;
	}
	for (k = 0, len = 0; k < columns->n; k++) {
		const char *title = columns->fields[k]->title;

		titles[k] = marked + len;
		if (is_left(columns->fields[k]))
			marked[len++] = '<';
		memcpy(marked + len, title, strlen(title));
		len += strlen(title) + 1;
	}
	vmt_html_table_begin(x, titles);
	free(titles);
	for (i = 0; i < n; i++) {
		vmt_xml_open(x, "tr");
		for (k = 0; k < columns->n; k++) {
			vmt_buf_next(&cell);
			vmt_cell_text(&cell, columns->fields[k], rows[i], &opts, page);
			vmt_html_cell(x, is_left(columns->fields[k]),
				      (struct vmt_bytes){ cell.data, cell.len });
		}
		vmt_xml_close(x);
	}
	vmt_html_table_end(x);
	return vmt_buf_error(&cell);
}

int vmt_html_table(struct vmt_xml *x, const struct vmt_entity *entity, const void *rows, size_t n,
		   const char *list, const struct vmt_picture_ask *ask)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	VMT_AUTO_FREE const void **pointers = calloc(n ? n : 1, sizeof(*pointers));
	size_t i;
	int r = list ? vmt_columns_parse(&columns, entity, list, NULL)
		     : vmt_columns_default(&columns, entity);

	if (!pointers)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		pointers[i] = (const char *)rows + i * entity->row_size;
	return r < 0 ? r : put_rows(x, &columns, pointers, n, ask);
}

int vmt_html_section(struct vmt_xml *x, const struct vmt_section *s,
		     const struct vmt_picture_ask *ask)
{
	return put_rows(x, &s->columns, s->rows, s->n, ask);
}

/* Of what machine, when, and by what. */
static void put_head(struct vmt_xml *x, const struct vmt_doc *doc)
{
	const struct vmt_host *h = &doc->model->sample->host;
	VMT_AUTO_BUF text = { 0 };

	vmt_xml_element(x, "h1", NULL, VMT_BYTES("Memory of this machine"));
	vmt_buf_adds(&text, "Linux ");
	vmt_fmt_safe(&text, h->release, false);
	vmt_buf_addc(&text, ' ');
	vmt_fmt_safe(&text, h->machine, false);
	if (h->cpus)
		vmt_buf_addf(&text, ", %" PRIu64 " processors", h->cpus);
	if (h->page_size)
		vmt_buf_addf(&text, ", pages of %" PRIu64 " bytes", h->page_size);
	if (h->realtime_ns) {
		vmt_buf_adds(&text, ", ");
		vmt_fmt_time(&text, h->realtime_ns);
	}
	if (h->root.len) {
		vmt_buf_adds(&text, ", as saved in ");
		vmt_fmt_safe(&text, h->root, false);
	}
	vmt_buf_addf(&text, ". vmtop %s.", doc->version);
	vmt_xml_element(x, "p", "dim", (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_findings(struct vmt_xml *x, const struct vmt_model *m)
{
	size_t i;

	if (!m->n_findings)
		return;
	vmt_xml_element(x, "h2", NULL, VMT_BYTES("Findings"));
	vmt_xml_open(x, "ul");
	for (i = 0; i < m->n_findings; i++)
		vmt_xml_element(x, "li", NULL, m->findings[i].text);
	vmt_xml_close(x);
}

/* Below a picture, closed until somebody wants the figures. */
static void details_begin(struct vmt_xml *x, const char *summary)
{
	vmt_xml_open(x, "details");
	vmt_xml_element(x, "summary", NULL, vmt_bytes_of(summary));
}

static int put_picture(struct vmt_xml *x, const struct vmt_picture *p,
		       const struct vmt_picture_ask *ask)
{
	VMT_AUTO_BUF why = { 0 };
	bool drawn = p->has(ask, &why);
	int r = 0;

	if (drawn) {
		vmt_xml_open(x, "figure");
		r = p->draw(x, ask);
		vmt_xml_close(x);
	} else {
		vmt_xml_open(x, "p");
		vmt_xml_texts(x, "No picture: ");
		vmt_xml_text(x, (struct vmt_bytes){ why.data, why.len });
		vmt_xml_texts(x, ".");
		vmt_xml_close(x);
	}
	if (r == 0)
		r = vmt_buf_error(&why);
	/* What is known of the machine is known without the rest, and so are rows. */
	if (r < 0 || (!drawn && p != &vmt_picture_memory && !(ask->section && ask->section->n)))
		return r;
	details_begin(x, drawn ? "The same as a table" : "What is known");
	r = p->tell(x, ask);
	vmt_xml_close(x);
	return r;
}

/* A heading for each process that was named, with its space below it. */
static int put_maps(struct vmt_xml *x, const struct vmt_doc *doc, struct vmt_picture_ask *ask)
{
	size_t i;
	int r = 0;

	for (i = 0; i < doc->n_pids && r == 0; i++) {
		const struct vmt_proc *p = vmt_sample_proc(doc->model->sample, doc->pids[i]);
		VMT_AUTO_BUF text = { 0 };

		vmt_fmt_process(&text, doc->pids[i], p && VMT_HAS(proc, comm, p) ? &p->comm : NULL);
		vmt_xml_element(x, "h3", NULL, (struct vmt_bytes){ text.data, text.len });
		ask->pid = doc->pids[i];
		r = vmt_buf_error(&text) ?: put_picture(x, &vmt_picture_maps, ask);
	}
	ask->pid = 0;
	if (!doc->n_pids)
		vmt_html_says(x, VMT_BYTES("No picture: it is of the processes that -p names."));
	return r;
}

/* Sections that have no picture: as text has them. */
static int put_tables(struct vmt_xml *x, const struct vmt_doc *doc,
		      const struct vmt_picture_ask *ask)
{
	size_t i;
	int r = 0;

	for (i = 0; i < doc->n && r == 0; i++) {
		const struct vmt_section *s = &doc->sections[i];

		if (s->machine_only)
			continue;
		vmt_xml_element(x, "h2", NULL, vmt_bytes_of(s->title ? s->title : s->def->help));
		vmt_html_lines(x, &s->note);
		details_begin(x, "The table");
		r = vmt_html_section(x, s, ask);
		if (s->n < s->total) {
			VMT_AUTO_BUF text = { 0 };

			vmt_buf_addf(&text, "The first %zu of %zu rows.", s->n, s->total);
			vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
			r = r ? r : vmt_buf_error(&text);
		}
		vmt_xml_close(x);
	}
	return r;
}

/* What was read, what could not be, why, and what it took. */
static int put_sources(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	const struct vmt_model *m = ask->model;
	VMT_AUTO_BUF line = { 0 };
	bool any = false;
	size_t i;
	int r;

	vmt_xml_element(x, "h2", NULL, VMT_BYTES("What this rests on"));
	vmt_xml_open(x, "ul");
	for (i = 0; i < m->n_sources; i++) {
		const struct vmt_source_row *s = &m->sources[i];

		if (vmt_bytes_is(s->status, "unused") ||
		    (vmt_bytes_is(s->status, "ok") && !VMT_HAS(source, reason, s)))
			continue;
		any = true;
		vmt_buf_next(&line);
		vmt_fmt_safe(&line, s->name, false);
		vmt_buf_addc(&line, ' ');
		vmt_fmt_safe(&line, s->status, false);
		if (VMT_HAS(source, reason, s)) {
			vmt_buf_adds(&line, ": ");
			vmt_fmt_safe(&line, s->reason, false);
		}
		vmt_xml_element(x, "li", NULL, (struct vmt_bytes){ line.data, line.len });
	}
	if (!any)
		vmt_xml_element(x, "li", NULL,
				VMT_BYTES("Everything that was asked for was read."));
	vmt_xml_element(x, "li", NULL,
			VMT_BYTES("A dash stands for what is not known; it is never 0."));
	vmt_xml_close(x);
	details_begin(x, "Every source, and what reading it took");
	r = vmt_html_table(x, &vmt_entity_source, m->sources, m->n_sources, NULL, ask);
	vmt_xml_close(x);
	return vmt_buf_error(&line) ?: r;
}

/* What grew: a picture and a table for each section that people read; then what was compared. */
static int put_growth(struct vmt_xml *x, const struct vmt_doc *doc, struct vmt_picture_ask *ask)
{
	VMT_AUTO_BUF by = { 0 };
	size_t i;
	int r = 0;

	vmt_xml_element(x, "h1", NULL, VMT_BYTES("What grew"));
	vmt_html_lines(x, &doc->sections[0].lead);
	vmt_buf_addf(&by, "Nothing of this machine was read. vmtop %s.", doc->version);
	vmt_xml_element(x, "p", "dim", (struct vmt_bytes){ by.data, by.len });
	for (i = 0; i < doc->n && r == 0; i++) {
		const struct vmt_section *s = &doc->sections[i];

		if (s->machine_only)
			continue;
		vmt_xml_element(x, "h2", NULL, vmt_bytes_of(s->title ? s->title : s->def->help));
		ask->section = s;
		r = put_picture(x, &vmt_picture_growth, ask);
		vmt_html_lines(x, &s->note);
	}
	vmt_xml_element(x, "h2", NULL, VMT_BYTES("What was compared"));
	if (r == 0)
		r = vmt_html_section(x, &doc->sections[doc->n - 1], ask);
	vmt_html_says(x, VMT_BYTES("A dash stands for what is not known; it is never 0."));
	return r ? r : vmt_buf_error(&by);
}

static int put_body(struct vmt_xml *x, const struct vmt_doc *doc, struct vmt_picture_ask *ask)
{
	int i, r = 0;

	if (doc->pictures >> VMT_PICTURE_GROWTH & 1)
		return put_growth(x, doc, ask);
	put_head(x, doc);
	put_findings(x, doc->model);
	for (i = 0; i < VMT_PICTURES && r == 0; i++) {
		const struct vmt_picture *p = vmt_pictures[i];

		if (!(doc->pictures >> i & 1))
			continue;
		vmt_xml_element(x, "h2", NULL, vmt_bytes_of(p->title));
		r = i == VMT_PICTURE_MAPS ? put_maps(x, doc, ask) : put_picture(x, p, ask);
	}
	if (r == 0)
		r = put_tables(x, doc, ask);
	return r ? r : put_sources(x, ask);
}

int vmt_out_html(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct vmt_picture_ask ask = { .model = doc->model, .opts = opts };
	struct vmt_xml x;
	int r;

	vmt_buf_adds(&sink->buf, "<!DOCTYPE html>\n");
	vmt_xml_init(&x, &sink->buf);
	vmt_xml_open(&x, "html");
	vmt_xml_attrs(&x, "xmlns", "http://www.w3.org/1999/xhtml");
	vmt_xml_attrs(&x, "lang", "en");
	vmt_xml_open(&x, "head");
	vmt_xml_open(&x, "meta");
	vmt_xml_attrs(&x, "charset", "utf-8");
	vmt_xml_close(&x);
	vmt_xml_open(&x, "meta");
	vmt_xml_attrs(&x, "name", "viewport");
	vmt_xml_attrs(&x, "content", "width=device-width, initial-scale=1");
	vmt_xml_close(&x);
	/* What is in it cannot fetch anything, whatever a name says. */
	vmt_xml_open(&x, "meta");
	vmt_xml_attrs(&x, "http-equiv", "Content-Security-Policy");
	vmt_xml_attrs(&x, "content", "default-src 'none'; style-src 'unsafe-inline'");
	vmt_xml_close(&x);
	vmt_xml_element(&x, "title", NULL, VMT_BYTES("vmtop report"));
	vmt_xml_open(&x, "style");
	vmt_xml_constant(&x, style);
	vmt_xml_constant(&x, vmt_svg_style);
	vmt_xml_close(&x);
	vmt_xml_close(&x);
	vmt_xml_open(&x, "body");
	r = put_body(&x, doc, &ask);
	if (r < 0)
		return r;
	vmt_xml_close(&x);
	vmt_xml_close(&x);
	return vmt_xml_finish(&x) ?: vmt_sink_flush(sink, 65536);
}

int vmt_out_svg(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts)
{
	struct vmt_picture_ask ask = { .model = doc->model, .opts = opts, .alone = true };
	struct vmt_xml x;
	int i, r = 0;

	if (doc->n_pids)
		ask.pid = doc->pids[0];
	if (doc->n)
		ask.section = &doc->sections[0];
	vmt_buf_adds(&sink->buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	vmt_xml_init(&x, &sink->buf);
	for (i = 0; i < VMT_PICTURES_ALL && r == 0; i++)
		if (doc->pictures >> i & 1) {
			r = vmt_pictures[i]->draw(&x, &ask);
			break;
		}
	return r < 0 ? r : vmt_xml_finish(&x) ?: vmt_sink_flush(sink, 65536);
}
