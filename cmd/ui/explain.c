/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/popup-kinds.h"

/* What a value is, in full: "79695872 bytes = 76.0M". */
static void exact_text(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_field *f = s->field;
	bool negative = f->type == VMT_TYPE_I64 && *(const int64_t *)vmt_field_at(f, s->row) < 0;
	const char *sign = negative ? "-" : "";
	uint64_t v = vmt_field_number(f, s->row), page;

	if (negative)
		v = 0 - v;
	switch (f->unit) {
	case VMT_UNIT_BYTES:
		page = ui->model ? ui->model->sample->host.page_size : 0;
		vmt_buf_addf(out, "%s%" PRIu64 " bytes = %s", sign, v, sign);
		vmt_fmt_size(out, v, VMT_SIZE_HUMAN, 0);
		if (page && v % page == 0)
			vmt_buf_addf(out, " = %s%" PRIu64 " pages of %" PRIu64, sign, v / page,
				     page);
		break;
	case VMT_UNIT_NS:
		vmt_buf_addf(out, "%s%" PRIu64 " ns = %s", sign, v, sign);
		vmt_fmt_duration(out, v);
		break;
	case VMT_UNIT_MILLI:
		vmt_buf_addf(out, "%s%" PRIu64 ".%03u", sign, v / 1000, (unsigned)(v % 1000));
		break;
	case VMT_UNIT_PAGES:
		vmt_buf_addf(out, "%s%" PRIu64 " pages", sign, v);
		break;
	case VMT_UNIT_NONE:
	case VMT_UNIT_COUNT:
		vmt_buf_addf(out, "%s%" PRIu64, sign, v);
		break;
	}
}

static void hist_text(struct vmt_buf *out, const struct vmt_field *f, const struct vmt_hist *h)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		vmt_buf_adds(out, i ? "  " : "");
		if (f->unit == VMT_UNIT_NS)
			vmt_fmt_duration(out, h->buckets[i].from);
		else
			vmt_buf_addu(out, h->buckets[i].from);
		vmt_buf_addf(out, "-: %" PRIu64, h->buckets[i].count);
	}
	if (!h->n)
		vmt_buf_adds(out, "nothing");
}

void vmt_explain_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_field *f = s->field;
	const void *p = vmt_field_at(f, s->row);

	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS: {
		const struct vmt_bytes *text = p;

		if (text->len)
			vmt_buf_add(out, text->ptr, text->len);
		else
			vmt_buf_adds(out, "(an empty text)");
		break;
	}
	case VMT_TYPE_HEX:
		vmt_buf_addf(out, "0x%" PRIx64, *(const uint64_t *)p);
		break;
	case VMT_TYPE_BOOL:
		vmt_buf_adds(out, *(const bool *)p ? "yes" : "no");
		break;
	case VMT_TYPE_HIST:
		hist_text(out, f, p);
		break;
	case VMT_TYPE_U64:
	case VMT_TYPE_I64:
		if (vmt_field_is_endless(f, s->row))
			vmt_buf_adds(out, "max: no limit");
		else
			exact_text(out, ui, s);
		break;
	}
}

/* The process that a row is of, where it is of one. */
static bool pid_of(const struct vmt_spot *s, uint64_t *ret)
{
	const struct vmt_field *f = vmt_field_find(s->entity, VMT_BYTES("pid"));

	if (!f || f->type != VMT_TYPE_U64 || !vmt_row_has(s->row, f->index))
		return false;
	*ret = vmt_field_number(f, s->row);
	return true;
}

/* What was said when the source could not be read for this process, or for the machine. */
static const struct vmt_issue *issue_of(const struct vmt_ui *ui, const struct vmt_spot *s,
					const char *source)
{
	const struct vmt_sample *sample = ui->model ? ui->model->sample : NULL;
	uint64_t pid = 0;
	bool has_pid = pid_of(s, &pid);
	size_t i;

	for (i = 0; sample && i < sample->n_issues; i++) {
		const struct vmt_issue *issue = &sample->issues[i];

		if (!VMT_HAS(issue, source, issue) || !vmt_bytes_is(issue->source, source))
			continue;
		if (has_pid ? VMT_HAS(issue, pid, issue) && issue->pid == pid
			    : !VMT_HAS(issue, pid, issue))
			return issue;
	}
	return NULL;
}

static bool is_rate(const struct vmt_field *f)
{
	return strstr(f->name, "per_second") || strstr(f->name, "delta") ||
	       strstr(f->name, "change");
}

/* Read of single processes, and not of all. */
static bool is_dear(const struct vmt_field *f)
{
	enum vmt_source_id cheaper;

	return vmt_source_cost(f->source) == VMT_COST_DEAR && !vmt_field_cheaper(f, &cheaper);
}

/* Why it is not known. */
static void add_reason(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	const struct vmt_field *f = s->field;
	const struct vmt_issue *issue = issue_of(ui, s, vmt_source_name(f->source));
	const struct vmt_source_stat *stat = ui->model ? &ui->model->sample->sources[f->source]
						       : NULL;

	if (issue) {
		struct vmt_bytes status = VMT_HAS(issue, status, issue) ? issue->status
									: VMT_BYTES("");
		struct vmt_bytes hint = VMT_HAS(issue, hint, issue) ? issue->hint : VMT_BYTES("");

		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9, "unknown  %.*s%s%.*s", (int)status.len,
			       status.ptr, hint.len ? ": " : "", (int)hint.len, hint.ptr);
	} else if (f->source != VMT_SOURCE_NONE && stat && stat->state != VMT_STATE_OK &&
		   stat->state != VMT_STATE_UNUSED) {
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9, "unknown  its source is %s%s%s",
			       vmt_source_state_name(stat->state), stat->reason[0] ? ": " : "",
			       stat->reason);
	} else if (f->source != VMT_SOURCE_NONE && stat && stat->state == VMT_STATE_UNUSED) {
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9,
			       "unknown  its source was not read for this screen");
	} else if (is_dear(f)) {
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9,
			       "unknown  not read of this row yet: what is dear is read of rows on "
			       "the screen alone, and within a budget");
	} else if (s->entity == &vmt_entity_single && f->index == VMT_FIELD_single_symbol) {
		vmt_sheet_addf(
			sheet, VMT_STYLE_WARNING, 9,
			"unknown  it is looked up of the selected fault while the list stands "
			"still (Up, Space), in what its process maps now: not where that has "
			"ended or may not be read");
	} else if (is_rate(f)) {
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9,
			       "unknown  it takes two samples, with this row in both of them");
	} else {
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9,
			       "unknown  its source has none of this row, or not on this kernel");
	}
}

void vmt_explain_source(const struct vmt_ui *ui, enum vmt_source_id id, const char *label,
			struct vmt_sheet *sheet)
{
	const struct vmt_source_stat *s = ui->model ? &ui->model->sample->sources[id] : NULL;
	VMT_AUTO_BUF text = { 0 };

	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s: %s (%s)%s%s", label,
		       vmt_source_name(id), vmt_source_what(id), vmt_source_help(id),
		       s && s->state ? ", " : "",
		       s && s->state ? vmt_source_state_name(s->state) : "");
	if (!s || !s->state)
		return;
	if (s->reason[0])
		vmt_sheet_addf(sheet, VMT_STYLE_WARNING, 9, "%-8s %s", "", s->reason);
	if (s->fix[0])
		vmt_sheet_addf(sheet, VMT_STYLE_LABEL, 14, "%-8s fix: %s", "", s->fix);
	if (!s->reads)
		return;
	vmt_buf_addf(&text, "%-8s %s: %" PRIu64 " read%s", "cost",
		     vmt_source_cost_name(vmt_source_cost(id)), s->reads, s->reads == 1 ? "" : "s");
	if (!s->bytes_unknown) {
		vmt_buf_adds(&text, ", ");
		vmt_fmt_size(&text, s->bytes, VMT_SIZE_HUMAN, 0);
	}
	vmt_buf_adds(&text, ", CPU ");
	vmt_fmt_duration(&text, s->cpu_ns);
	vmt_buf_adds(&text, ", longest ");
	vmt_fmt_duration(&text, s->longest_ns);
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 9, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		sheet->error = -ENOMEM;
}

/* The field that says when the value was read: figures that a sample takes over from an earlier one
 * have one of their own. NULL where none does. */
static const struct vmt_field *read_field(const struct vmt_spot *s)
{
	const struct vmt_field *f = NULL;

	if (!s->field)
		return NULL;
	if (s->field->source == VMT_SOURCE_ROLLUP)
		f = vmt_field_find(s->entity, VMT_BYTES("pss_read_ns"));
	if (!f || !vmt_row_has(s->row, f->index))
		f = vmt_field_find(s->entity, VMT_BYTES("read_end_ns"));
	return f && vmt_row_has(s->row, f->index) ? f : NULL;
}

/* How old the value is: of a row that says when it was read that, else the age of the sample. */
void vmt_explain_age(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	const struct vmt_field *read = read_field(s);
	const struct vmt_host *h = ui->model ? &ui->model->sample->host : NULL;
	VMT_AUTO_BUF text = { 0 };
	uint64_t end, at;

	if (!h)
		return;
	end = h->monotonic_ns + h->took_ns;
	vmt_buf_addf(&text, "%-8s ", "age");
	at = read ? vmt_field_number(read, s->row) : 0;
	if (at && at < end) {
		vmt_fmt_duration(&text, end - at);
		vmt_buf_adds(&text, " when the sample was complete; ");
	} else {
		vmt_buf_adds(&text, "that of the sample: ");
	}
	vmt_buf_adds(&text, "begun ");
	vmt_fmt_time(&text, h->realtime_ns);
	vmt_buf_adds(&text, ", took ");
	vmt_fmt_duration(&text, h->took_ns);
	vmt_sheet_add(sheet, VMT_STYLE_NORMAL, 9, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		sheet->error = -ENOMEM;
}

/* The terms of available, where that is what is explained. */
static void add_terms(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	if (s->entity != &vmt_entity_system || !ui->model ||
	    (s->field->index != VMT_FIELD_system_available_bytes &&
	     s->field->index != VMT_FIELD_system_available_derived_bytes))
		return;
	for (i = 0; i < ui->model->n_terms; i++) {
		const struct vmt_term *t = &ui->model->terms[i];

		if (!VMT_HAS(term, size_bytes, t) || !VMT_HAS(term, name, t))
			continue;
		vmt_buf_adds(&text, t->size_bytes < 0 ? " - " : text.len ? " + " : "");
		vmt_buf_addf(&text, "%.*s ", (int)t->name.len, t->name.ptr);
		vmt_fmt_size(&text,
			     t->size_bytes < 0 ? 0 - (uint64_t)t->size_bytes
					       : (uint64_t)t->size_bytes,
			     VMT_SIZE_HUMAN, 0);
	}
	if (text.len)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "terms", text.data);
}

void vmt_explain_sheet(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	const struct vmt_field *f = s->field;
	VMT_AUTO_BUF value = { 0 };
	enum vmt_source_id cheaper;
	const char *unit;
	uint64_t pid;

	if (s->figure) {
		vmt_explain_figure(ui, s, sheet);
		return;
	}
	if (vmt_row_has(s->row, f->index)) {
		vmt_buf_addf(&value, "%-8s ", "value");
		vmt_explain_value(&value, ui, s);
		if (vmt_buf_error(&value) < 0)
			sheet->error = -ENOMEM;
		else
			vmt_sheet_add(sheet, VMT_STYLE_STRONG, 9,
				      (struct vmt_bytes){ value.data, value.len });
	} else {
		add_reason(ui, s, sheet);
	}
	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "is", f->help);
	add_terms(ui, s, sheet);
	if (f->source == VMT_SOURCE_NONE)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "source",
			       "computed by vmtop from other fields");
	else
		vmt_explain_source(ui, f->source, "source", sheet);
	if (vmt_field_cheaper(f, &cheaper) && cheaper != f->source)
		vmt_explain_source(ui, cheaper, "or from", sheet);
	vmt_explain_age(ui, s, sheet);
	unit = f->unit == VMT_UNIT_NONE	   ? ""
	       : f->unit == VMT_UNIT_MILLI ? "thousandths"
					   : vmt_unit_name(f->unit);
	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s%s%s, %s%s%s", "field",
		       f->group ? f->group : "", f->group ? "." : "", f->name,
		       vmt_kind_name(f->kind), *unit ? " in " : "", unit);
	if (s->entity != &vmt_entity_proc || !pid_of(s, &pid))
		vmt_sheet_addf(sheet, VMT_STYLE_DIM, 9, "%-8s %s: %s", "of", s->entity->name,
			       s->entity->help);
	else
		vmt_sheet_addf(sheet, VMT_STYLE_DIM, 9, "%-8s %s %" PRIu64 ": %s", "of",
			       s->entity->name, pid, s->entity->help);
}
