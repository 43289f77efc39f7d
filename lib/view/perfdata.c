/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/perfdata.h"

#include "base/parse.h"

void vmt_perf_text(struct vmt_buf *out, struct vmt_bytes text)
{
	VMT_AUTO_BUF safe = { 0 };
	size_t i;

	vmt_fmt_safe(&safe, text, true);
	if (vmt_buf_error(&safe) < 0) {
		out->error = vmt_buf_error(&safe);
		return;
	}
	for (i = 0; i < safe.len; i++) {
		if (safe.data[i] == '|')
			vmt_buf_adds(out, "\\x7c");
		else
			vmt_buf_addc(out, safe.data[i]);
	}
}

static bool is_word(char c)
{
	c = vmt_lower(c);
	return (c >= 'a' && c <= 'z') || vmt_is_digit(c) || c == '_' || c == '-' || c == '/';
}

void vmt_perf_label(struct vmt_buf *out, struct vmt_bytes name)
{
	bool quoted = name.len == 0;
	size_t i;

	for (i = 0; i < name.len && !quoted; i++)
		quoted = name.ptr[i] == ' ' || name.ptr[i] == '\'' ||
			 (name.ptr[i] > ' ' && name.ptr[i] < 0x7f && name.ptr[i] != '.' &&
			  name.ptr[i] != '=' && name.ptr[i] != '|' && !is_word(name.ptr[i]));
	if (quoted)
		vmt_buf_addc(out, '\'');
	for (i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c == '\'')
			vmt_buf_adds(out, "''");
		else if (c < ' ' || c >= 0x7f || c == '=' || c == '|' || c == '.')
			vmt_buf_addc(out, '_');
		else
			vmt_buf_addc(out, c);
	}
	if (quoted)
		vmt_buf_addc(out, '\'');
}

void vmt_perf_value(struct vmt_buf *out, struct vmt_bytes label, enum vmt_measure_id measure,
		    const struct vmt_figure *f, const struct vmt_judged *j)
{
	enum vmt_check_unit unit = vmt_measures[measure].unit;
	/* What may fall below 0 has no least value; of percents it is known. */
	bool has_min = unit != VMT_CHECK_PERCENT && unit != VMT_CHECK_GROWTH &&
		       measure != VMT_MEASURE_ZONE_DISTANCE &&
		       measure != VMT_MEASURE_CGROUP_DISTANCE;
	bool has_max = f->total >= 0 && measure != VMT_MEASURE_ZONE_DISTANCE;
	size_t end;

	vmt_perf_label(out, label);
	vmt_buf_addc(out, '=');
	if (f->state != VMT_FIGURE_KNOWN) {
		vmt_buf_addc(out, 'U');
		return;
	}
	vmt_check_number(out, f->value);
	vmt_buf_adds(out, vmt_check_uom(unit));
	end = out->len;
	vmt_buf_addc(out, ';');
	vmt_range_text(out, &j->warning);
	vmt_buf_addc(out, ';');
	vmt_range_text(out, &j->critical);
	vmt_buf_addc(out, ';');
	if (has_min)
		vmt_buf_addc(out, '0');
	vmt_buf_addc(out, ';');
	if (has_max)
		vmt_check_number(out, f->total);
	if (vmt_buf_error(out) < 0)
		return;
	while (out->len > end && out->data[out->len - 1] == ';')
		out->data[--out->len] = 0;
}
