/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/figure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "base/fmt.h"
#include "cmd/ui/table.h"

/* What stands on the screen there. */
static void as_drawn(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_canvas *c = ui->canvas;
	size_t from = out->len, end = from;
	unsigned x;

	for (x = s->x; c && x < s->x + s->width && x < c->width && s->y < c->height; x++) {
		const char *text = c->cells[(size_t)s->y * c->width + x].text;

		/* Without the blanks around it. */
		if (*text == ' ' && out->len == from)
			continue;
		vmt_buf_adds(out, text);
		if (*text != ' ' && vmt_buf_error(out) == 0)
			end = out->len;
	}
	if (vmt_buf_error(out) == 0)
		out->len = end;
}

static void add_value(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	VMT_AUTO_BUF value = { 0 };

	if (s->figure->value)
		s->figure->value(&value, ui, s);
	else
		as_drawn(&value, ui, s);
	if (vmt_buf_error(&value) < 0)
		sheet->error = -ENOMEM;
	else if (!value.len || vmt_bytes_is((struct vmt_bytes){ value.data, value.len }, "-"))
		vmt_sheet_addf(
			sheet, VMT_STYLE_WARNING, 9,
			"unknown  what it is made of is not all known: it takes two samples, or "
			"one of its sources has none of it");
	else
		vmt_sheet_addf(sheet, VMT_STYLE_STRONG, 9, "%-8s %.*s", "value", (int)value.len,
			       value.data);
}

void vmt_figure_term(struct vmt_explanation *e, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vmt_sheet_addf(e->sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "term", text);
}

void vmt_figure_field(struct vmt_explanation *e, const struct vmt_entity *entity, unsigned field,
		      const void *row)
{
	const struct vmt_spot s = { .entity = entity, .field = &entity->fields[field], .row = row };
	VMT_AUTO_BUF value = { 0 };

	if (vmt_row_has(row, field))
		vmt_explain_value(&value, e->ui, &s);
	else
		vmt_buf_adds(&value, "not known");
	if (vmt_buf_error(&value) < 0)
		e->sheet->error = -ENOMEM;
	else
		vmt_figure_term(e, "%s of %s: %.*s", s.field->name, entity->name, (int)value.len,
				value.data);
	e->sources |= UINT64_C(1) << s.field->source;
}

void vmt_explain_figure(const struct vmt_ui *ui, const struct vmt_spot *s, struct vmt_sheet *sheet)
{
	const struct vmt_figure *f = s->figure;
	struct vmt_explanation e = { .ui = ui, .spot = s, .sheet = sheet };
	unsigned i;

	add_value(ui, s, sheet);
	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "is", f->help);
	if (f->formula)
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "formula", f->formula);
	if (f->terms)
		f->terms(&e);
	e.sources |= UINT64_C(1) << f->source;
	e.sources &= ~(UINT64_C(1) << VMT_SOURCE_NONE);
	for (i = 0; i < 64; i++)
		if (e.sources >> i & 1)
			vmt_explain_source(ui, (enum vmt_source_id)i, "source", sheet);
	if (!e.sources) {
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "source",
			       "vmtop: of what is on this screen");
		vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "cost",
			       "nothing is read for it");
	}
	vmt_explain_age(ui, s, sheet);
	vmt_sheet_addf(sheet, VMT_STYLE_NORMAL, 9, "%-8s %s", "unit", f->unit);
	vmt_sheet_addf(sheet, VMT_STYLE_DIM, 9, "%-8s %s", "of",
		       "this screen: it is no field of a row");
}

unsigned vmt_draw_figure(struct vmt_canvas *c, unsigned y, unsigned x, enum vmt_style style,
			 const struct vmt_figure *figure, const void *row, size_t index,
			 const char *fmt, ...)
{
	VMT_AUTO_BUF safe = { 0 };
	unsigned from = x;
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* Reasons may be those of a recording, which says what it wants. */
	vmt_fmt_safe(&safe, vmt_bytes_of(text), false);
	if (vmt_buf_error(&safe) < 0)
		c->error = -ENOMEM;
	else
		x = vmt_canvas_puts(c, y, x, style, safe.data ? safe.data : "");
	vmt_canvas_figure(c, y, from, x - from, figure, row, index);
	return x;
}

/* The table that the screen shows. */
static const struct vmt_table *table_of(const struct vmt_ui *ui)
{
	enum vmt_screen_id id = vmt_ui_view(ui)->screen;

	return vmt_screens[id]->table ? vmt_screens[id]->table(ui->states[id]) : NULL;
}

static void row_terms(struct vmt_explanation *e)
{
	const struct vmt_table *t = table_of(e->ui);

	if (!t)
		return;
	vmt_figure_term(e, "rows of the sample: %zu", vmt_table_total(t));
	vmt_figure_term(e, "rows that pass the filter: %zu", vmt_table_shown(t));
}

const struct vmt_figure vmt_figure_reason = {
	.title = "what is missing",
	.unit = "none: words",
	.help = "why figures of this screen are not known; ! lists each source with its reason, and "
		"the command that would change it",
};

const struct vmt_figure vmt_figure_range = {
	.title = "rows on the screen",
	.unit = "rows",
	.help = "the first and the last row on the screen, of all that pass the filter; behind / all "
		"that the sample has",
	.formula = "first line that is shown, and as many as there are lines",
	.terms = row_terms,
};

const struct vmt_figure vmt_figure_rows = {
	.title = "number of rows",
	.unit = "rows",
	.help = "how many rows the sample has, filtered or not",
	.terms = row_terms,
};

const struct vmt_figure vmt_figure_chosen = {
	.title = "filter and order",
	.unit = "none: words",
	.help = "which rows are shown and what they are sorted by: v the largest first, ^ the "
		"smallest; \\ filters, < and > sort",
	.terms = row_terms,
};

const struct vmt_figure vmt_figure_history = {
	.title = "the last samples",
	.unit = "a sample a cell",
	.help = "the newest sample is on the right, a blank where there was none; the lowest of eight "
		"heights is nothing, the highest the largest that is in the picture",
	.formula = "height = 1 + 6 * value / largest value of the picture",
};

const struct vmt_figure vmt_figure_scale = {
	.title = "scale of the bars",
	.unit = "a part of the whole",
	.help = "+ and - changed what a full bar stands for: this part of the whole, from its left end "
		"on",
	.formula = "1 / 2 for each time that + was pressed",
};

static void column_terms(struct vmt_explanation *e)
{
	const struct vmt_table *t = table_of(e->ui);
	struct vmt_table_choice column;

	if (!t || e->spot->index >= vmt_table_choices(t))
		return;
	column = vmt_table_choice(t, e->spot->index);
	if (column.field)
		vmt_figure_term(e, "%s: %s", column.field->name, column.field->help);
}

const struct vmt_figure vmt_figure_column = {
	.title = "heading of a column",
	.unit = "none: words",
	.help = "what the column below it shows; ? on a value of it says more",
	.terms = column_terms,
};
