/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/table-rows.h"

static void draw_heading(const struct vmt_table *t, struct vmt_canvas *c)
{
	const struct vmt_area *a = &t->area;
	size_t i;

	for (i = 0; i < t->n_places; i++) {
		const struct vmt_table_place *p = &t->places[i];
		const struct vmt_table_col *col = &t->cols[p->col];
		const char *title = vmt_table_title(t, col);
		bool sorted = vmt_table_is_key(t, col);
		enum vmt_fit fit = col->column.fit == VMT_FIT_RIGHT && strlen(title) <= p->width
					   ? VMT_FIT_RIGHT
					   : VMT_FIT_LEFT;

		vmt_canvas_bytes(c, a->y, a->x + p->x, p->width,
				 sorted ? VMT_STYLE_SORTED : VMT_STYLE_TITLE, vmt_bytes_of(title),
				 fit);
		vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_TITLE,
						       .y = a->y,
						       .x = a->x + p->x,
						       .width = p->width,
						       .entity = t->def->entity,
						       .field = col->field,
						       .index = p->col });
		/* "LAST 8" */
		if (title[strcspn(title, "0123456789")])
			vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_VALUE,
							       .y = a->y,
							       .x = a->x + p->x,
							       .width = p->width,
							       .figure = &vmt_figure_column,
							       .index = p->col });
	}
}

/* The branches before the text of a row; how many columns they take. */
static unsigned draw_branch(const struct vmt_table *t, struct vmt_canvas *c, unsigned y, unsigned x,
			    unsigned width, size_t at)
{
	const struct vmt_table_limb *limb = &t->limbs[at];
	unsigned indent = limb->depth > 0 ? (limb->depth - 1u) * 2 : 0;

	if (!limb->depth || width < 6)
		return 0;
	/* The text keeps at least half of its place. */
	if (indent + 3 > width / 2)
		indent = width / 2 - 3;
	vmt_canvas_puts(c, y, x + indent, VMT_STYLE_DIM,
			c->ascii     ? (limb->last ? "`- " : "|- ")
			: limb->last ? "\u2514\u2500 "
				     : "\u251c\u2500 ");
	return indent + 3;
}

/* A value that says nothing is beside the matter. */
static enum vmt_style value_style(struct vmt_bytes text)
{
	return vmt_bytes_is(text, "-") || vmt_bytes_is(text, "0") ? VMT_STYLE_DIM
								  : VMT_STYLE_NORMAL;
}

static void draw_cell(struct vmt_ui *ui, struct vmt_table *t, struct vmt_canvas *c, unsigned y,
		      const struct vmt_table_place *p, size_t at)
{
	const struct vmt_table_column *column = &t->cols[p->col].column;
	const struct vmt_field *f = t->cols[p->col].field;
	unsigned x = t->area.x + p->x, width = p->width, branch = 0;
	const void *row = t->shown[at];
	struct vmt_bytes text;

	if (t->tree && !column->width)
		branch = draw_branch(t, c, y, x, width, at);
	x += branch;
	width -= branch;
	if (column->draw) {
		column->draw(ui, c, y, x, width, VMT_STYLE_NORMAL, row);
	} else if (f && vmt_field_is_text(f) && vmt_row_has(row, f->index) &&
		   ((const struct vmt_bytes *)vmt_field_at(f, row))->len) {
		vmt_canvas_bytes(c, y, x, width, VMT_STYLE_NORMAL,
				 *(const struct vmt_bytes *)vmt_field_at(f, row), column->fit);
	} else if (f) {
		vmt_buf_clear(&t->scratch);
		vmt_ui_value(&t->scratch, ui, f, row, width);
		if (vmt_buf_error(&t->scratch) < 0)
			c->error = -ENOMEM;
		text = (struct vmt_bytes){ t->scratch.data, t->scratch.len };
		vmt_canvas_bytes(c, y, x, width, value_style(text), text, column->fit);
	}
	if (f)
		vmt_canvas_value(c, y, x, width, t->def->entity, f->index, row);
	else if (column->figure)
		vmt_canvas_figure(c, y, x, width, column->figure, row, 0);
}

/* Whether the cells from x on are the characters of text; how many columns these take. */
static unsigned found_at(const struct vmt_canvas *c, unsigned y, unsigned x, const char *text)
{
	const struct vmt_cell *cells = &c->cells[(size_t)y * c->width];
	unsigned at = x;

	while (*text) {
		const char *have;

		if (at >= c->width)
			return 0;
		for (have = cells[at].text; *have; have++, text++)
			if (vmt_lower(*have) != vmt_lower(*text))
				return 0;
		at++;
	}
	return at - x;
}

/* What was searched for, wherever it is seen in the line. */
static void draw_found(const struct vmt_table *t, struct vmt_canvas *c, unsigned y)
{
	unsigned x, n, end = t->area.x + t->area.width;

	for (x = t->area.x; x < end && x < c->width; x++) {
		if (!c->cells[(size_t)y * c->width + x].width)
			continue;
		n = found_at(c, y, x, t->needle);
		if (n)
			vmt_canvas_restyle(c, y, x, n, VMT_STYLE_FOUND);
	}
}

/* The mark of the selected row, which is seen without colours too. */
static void draw_mark(const struct vmt_table *t, struct vmt_canvas *c, unsigned y)
{
	unsigned x = t->area.x;

	vmt_canvas_restyle(c, y, x, t->area.width, VMT_STYLE_SELECTED);
	if (t->n_places && t->area.width < t->def->edge_below)
		x += t->places[t->n_places - 1].x - 1;
	vmt_canvas_puts(c, y, x, VMT_STYLE_SELECTED, ">");
}

static void draw_row(struct vmt_ui *ui, struct vmt_table *t, struct vmt_canvas *c, unsigned y,
		     size_t at)
{
	size_t i;

	vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_ROW,
					       .y = y,
					       .x = t->area.x,
					       .width = t->area.width,
					       .entity = t->def->entity,
					       .row = t->shown[at],
					       .index = at });
	for (i = 0; i < t->n_places; i++)
		draw_cell(ui, t, c, y, &t->places[i], at);
	if (at == t->at)
		draw_mark(t, c, y);
	if (t->needle)
		draw_found(t, c, y);
}

/* Which line is the first. */
static void place_lines(struct vmt_table *t)
{
	size_t last = t->n_shown > t->n_lines ? t->n_shown - t->n_lines : 0;

	if ((t->reveal || t->follow) && t->n_lines) {
		if (t->at < t->first)
			t->first = t->at;
		else if (t->at >= t->first + t->n_lines)
			t->first = t->at - t->n_lines + 1;
	}
	t->reveal = false;
	if (t->first > last)
		t->first = last;
}

void vmt_table_draw(struct vmt_ui *ui, struct vmt_table *t, struct vmt_canvas *c,
		    struct vmt_area area)
{
	size_t i;

	t->area = area;
	t->n_lines = area.height > 1 ? area.height - 1 : 0;
	place_lines(t);
	vmt_table_layout(t, ui, area.width);
	if (!area.height || area.y >= c->height)
		return;
	draw_heading(t, c);
	for (i = 0; i < t->n_lines && t->first + i < t->n_shown; i++)
		draw_row(ui, t, c, area.y + 1 + (unsigned)i, t->first + i);
	if (!t->n_shown && t->n_rows && t->n_lines)
		vmt_canvas_puts(c, area.y + 1, area.x + 1, VMT_STYLE_DIM,
				"no row passes the filter");
}
