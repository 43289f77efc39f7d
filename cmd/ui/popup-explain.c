/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/popup-kinds.h"

/* Columns of a line in the box. */
#define WIDTH 76

static unsigned distance(unsigned a, unsigned b)
{
	return a < b ? b - a : a - b;
}

static unsigned middle(const struct vmt_spot *s)
{
	return s->x + s->width / 2;
}

/* The value at the cursor or the one next to it; NULL where there is none on the screen. */
static const struct vmt_spot *nearest(const struct vmt_canvas *c, unsigned y, unsigned x)
{
	const struct vmt_spot *best = vmt_canvas_at(c, y, x, 1u << VMT_SPOT_VALUE);
	unsigned least = UINT32_MAX;
	size_t i;

	for (i = 0; !best && i < c->n_spots; i++) {
		const struct vmt_spot *s = &c->spots[i];
		/* A line is further away than a column. */
		unsigned d = s->kind == VMT_SPOT_VALUE
				     ? distance(s->y, y) * c->width + distance(middle(s), x)
				     : UINT32_MAX;

		least = d < least ? d : least;
	}
	for (i = 0; !best && least != UINT32_MAX; i++) {
		const struct vmt_spot *s = &c->spots[i];

		if (s->kind == VMT_SPOT_VALUE &&
		    distance(s->y, y) * c->width + distance(middle(s), x) == least)
			best = s;
	}
	return best;
}

/* The next value in a direction: up and down on the nearest line that has one, left and right on
 * the same line, and from its end on the next. */
static const struct vmt_spot *neighbour(const struct vmt_canvas *c, const struct vmt_spot *from,
					enum vmt_action to)
{
	const struct vmt_spot *best = NULL;
	unsigned least = UINT32_MAX;
	size_t i;

	for (i = 0; i < c->n_spots; i++) {
		const struct vmt_spot *s = &c->spots[i];
		bool down = to == VMT_ACTION_DOWN || to == VMT_ACTION_RIGHT;
		/* Places in the order of reading, for left and right. */
		unsigned here = from->y * c->width + from->x, there = s->y * c->width + s->x, d;

		if (s->kind != VMT_SPOT_VALUE || s == from)
			continue;
		if (to == VMT_ACTION_UP || to == VMT_ACTION_DOWN) {
			if (down ? s->y <= from->y : s->y >= from->y)
				continue;
			d = distance(s->y, from->y) * c->width + distance(middle(s), middle(from));
		} else {
			if (down ? there <= here : there >= here)
				continue;
			d = distance(here, there);
		}
		if (d < least) {
			least = d;
			best = s;
		}
	}
	return best;
}

/* Which of the values of the screen it is, in the order of reading, from 1; and how many there are.
 * One that was drawn twice in one place is one. 0 of 0 without memory. */
static size_t ordinal(const struct vmt_canvas *c, const struct vmt_spot *of, size_t *ret_n)
{
	VMT_AUTO_FREE uint8_t *seen = calloc((size_t)c->height * c->width + 1, 1);
	size_t i, before = 0, n = 0;

	*ret_n = 0;
	if (!seen)
		return 0;
	for (i = 0; i < c->n_spots; i++) {
		const struct vmt_spot *s = &c->spots[i];
		uint8_t *at;

		if (s->kind != VMT_SPOT_VALUE || s->y >= c->height || s->x >= c->width)
			continue;
		at = &seen[(size_t)s->y * c->width + s->x];
		if (*at)
			continue;
		*at = 1;
		n++;
		before += s->y < of->y || (s->y == of->y && s->x < of->x);
	}
	*ret_n = n;
	return before + 1;
}

/* The first value of the selected row, or else of the screen. */
static const struct vmt_spot *begin(const struct vmt_ui *ui, const struct vmt_canvas *c)
{
	const struct vmt_table *t = vmt_popup_table(ui);
	const void *row = t ? vmt_table_selected(t) : NULL;
	const struct vmt_spot *first = NULL;
	size_t i;

	for (i = 0; i < c->n_spots; i++) {
		const struct vmt_spot *s = &c->spots[i];

		if (s->kind != VMT_SPOT_VALUE)
			continue;
		if (row && s->row == row)
			return s;
		if (!first || s->y < first->y || (s->y == first->y && s->x < first->x))
			first = s;
	}
	return first;
}

static void put_cursor(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_spot *s)
{
	ui->cursor_y = s->y;
	ui->cursor_x = s->x + s->width - 1;
	p->first = 0;
	p->placed = true;
}

int vmt_popup_explain_init(struct vmt_ui *ui, struct vmt_popup *p)
{
	/* Where it is, is known once this screen is drawn: it may be shown since the last key. */
	p->placed = false;
	if (ui->canvas)
		return 0;
	vmt_ui_say(ui, "there is no value here to explain");
	return -ENOENT;
}

static const struct vmt_spot *current(const struct vmt_ui *ui, const struct vmt_popup *p,
				      const struct vmt_canvas *c)
{
	return p->placed ? nearest(c, ui->cursor_y, ui->cursor_x) : begin(ui, c);
}

static enum vmt_ui_act go(struct vmt_ui *ui, struct vmt_popup *p, enum vmt_action to)
{
	const struct vmt_spot *from = current(ui, p, ui->canvas);
	const struct vmt_spot *s = from ? neighbour(ui->canvas, from, to) : NULL;

	if (s)
		put_cursor(ui, p, s);
	return s ? VMT_UI_DRAW : VMT_UI_NONE;
}

/* Rows move below the cursor as they do without it. */
static enum vmt_ui_act scroll(struct vmt_ui *ui, enum vmt_action action)
{
	struct vmt_table *t = vmt_popup_table(ui);
	bool done;

	return t ? vmt_table_action(ui, t, action, &done) : VMT_UI_NONE;
}

static enum vmt_ui_act event(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_ui_event *e)
{
	enum vmt_action action = vmt_key_action(e->key);
	const struct vmt_spot *s;

	if (e->key == VMT_KEY_CLICK) {
		s = vmt_canvas_at(ui->canvas, e->y, e->x, 1u << VMT_SPOT_VALUE);
		if (s)
			put_cursor(ui, p, s);
		else
			vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
	switch (action) {
	case VMT_ACTION_UP:
	case VMT_ACTION_DOWN:
	case VMT_ACTION_LEFT:
	case VMT_ACTION_RIGHT:
		return go(ui, p, action);
	case VMT_ACTION_NEXT_SCREEN:
		return go(ui, p, VMT_ACTION_RIGHT);
	case VMT_ACTION_PREV_SCREEN:
		return go(ui, p, VMT_ACTION_LEFT);
	case VMT_ACTION_PAGE_UP:
	case VMT_ACTION_PAGE_DOWN:
	case VMT_ACTION_HALF_UP:
	case VMT_ACTION_HALF_DOWN:
	case VMT_ACTION_HOME:
	case VMT_ACTION_END:
		return scroll(ui, action);
	case VMT_ACTION_ZOOM_IN:
		/* Where the box has not room for all. */
		p->first++;
		return VMT_UI_DRAW;
	case VMT_ACTION_ZOOM_OUT:
		p->first -= p->first > 0;
		return VMT_UI_DRAW;
	case VMT_ACTION_BACK:
	case VMT_ACTION_QUIT:
	case VMT_ACTION_OPEN:
	case VMT_ACTION_EXPLAIN:
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	default:
		return VMT_UI_NONE;
	}
}

/* Where the box goes: below the cursor or above it, where there is more room. */
static struct vmt_area place(const struct vmt_canvas *c, size_t lines, unsigned cursor_y)
{
	unsigned above = cursor_y, below = c->height > cursor_y + 1 ? c->height - cursor_y - 1 : 0;
	unsigned room = above > below ? above : below;
	struct vmt_area a = { 0 };

	a.width = c->width < WIDTH + 4 ? c->width : WIDTH + 4;
	a.x = (c->width - a.width) / 2;
	a.height = lines + 2 < room ? (unsigned)lines + 2 : room;
	a.y = above > below ? cursor_y - a.height : cursor_y + 1;
	return a;
}

static void draw(struct vmt_ui *ui, struct vmt_popup *p, struct vmt_canvas *c)
{
	const struct vmt_spot *s = current(ui, p, c);
	VMT_AUTO_SHEET sheet;
	char title[128];
	struct vmt_area in;
	size_t at, n;

	vmt_sheet_init(&sheet,
		       c->width > WIDTH + 4 ? WIDTH
		       : c->width > 5	    ? c->width - 4
					    : 1,
		       c->ascii);
	if (!s) {
		in = vmt_popup_box(c, 1, 36, "");
		vmt_canvas_bytes(c, in.y, in.x, in.width, VMT_STYLE_NORMAL,
				 VMT_BYTES("there is no value here to explain"), VMT_FIT_LEFT);
		return;
	}
	/* The screen may be another one now, or of another size. */
	if (!p->placed || s->y != ui->cursor_y || ui->cursor_x < s->x ||
	    ui->cursor_x >= s->x + s->width)
		put_cursor(ui, p, s);
	vmt_explain_sheet(ui, s, &sheet);
	if (sheet.error)
		c->error = sheet.error;
	if (s->figure)
		snprintf(title, sizeof(title), "%s", s->figure->title);
	else
		snprintf(title, sizeof(title), "%s of %s", s->field->title, s->entity->name);
	vmt_canvas_restyle(c, s->y, s->x, s->width, VMT_STYLE_CURSOR);
	in = vmt_box_draw(c, place(c, sheet.n, s->y), title);
	if (p->first + in.height > sheet.n)
		p->first = sheet.n > in.height ? sheet.n - in.height : 0;
	vmt_sheet_draw(&sheet, c, in, p->first);
	if (!in.height)
		return;
	at = ordinal(c, s, &n);
	snprintf(title, sizeof(title), " %zu of %zu: arrows   %sEsc: back ", at, n,
		 sheet.n > in.height ? "+ -: more   " : "");
	vmt_canvas_bytes(c, in.y + in.height, in.x,
			 strlen(title) < in.width ? (unsigned)strlen(title) : in.width,
			 VMT_STYLE_DIM, vmt_bytes_of(title), VMT_FIT_LEFT);
}

const struct vmt_popup_kind vmt_popup_explain = { event, draw };
