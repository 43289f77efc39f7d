/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/table.h"

#include <stdlib.h>

#include "base/fmt.h"
#include "cmd/ui/table-rows.h"

/* Lines that the wheel moves. */
#define WHEEL 3

int vmt_table_new(const struct vmt_table_def *def, struct vmt_table **ret)
{
	struct vmt_table *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->def = def;
	r = vmt_table_columns_init(t);
	if (r == 0)
		r = vmt_table_parse_sort(t, def->sort, NULL);
	if (r < 0) {
		vmt_table_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void vmt_table_free(struct vmt_table *t)
{
	if (!t)
		return;
	free(t->cols);
	free(t->places);
	free(t->needle);
	free(t->filter_text);
	vmt_row_filter_free(t->filter);
	free(t->items);
	free(t->spare);
	free(t->shown);
	free(t->limbs);
	vmt_buf_done(&t->scratch);
	vmt_buf_done(&t->identity);
	free(t);
}

/* What says which row it is, as bytes: each field of it, known or not. */
static void add_identity(const struct vmt_table *t, const void *row, struct vmt_buf *out)
{
	size_t i;

	for (i = 0; i < t->def->n_identity; i++) {
		const struct vmt_field *f = &t->def->entity->fields[t->def->identity[i]];
		bool known = vmt_row_has(row, f->index);

		vmt_buf_addc(out, known ? 1 : 0);
		if (known && vmt_field_is_text(f)) {
			const struct vmt_bytes *text = vmt_field_at(f, row);

			vmt_buf_add(out, &text->len, sizeof(text->len));
			vmt_buf_add(out, text->ptr, text->len);
		} else if (known) {
			uint64_t v = vmt_field_number(f, row);

			vmt_buf_add(out, &v, sizeof(v));
		}
	}
}

static bool take_bytes(struct vmt_bytes *cur, const void *bytes, size_t n)
{
	if (cur->len < n || (n && memcmp(cur->ptr, bytes, n) != 0))
		return false;
	cur->ptr += n;
	cur->len -= n;
	return true;
}

/* Whether add_identity() would give these bytes for row. */
static bool has_identity(const struct vmt_table *t, const void *row, struct vmt_bytes cur)
{
	size_t i;

	for (i = 0; i < t->def->n_identity; i++) {
		const struct vmt_field *f = &t->def->entity->fields[t->def->identity[i]];
		char known = vmt_row_has(row, f->index) ? 1 : 0;

		if (!take_bytes(&cur, &known, 1))
			return false;
		if (known && vmt_field_is_text(f)) {
			const struct vmt_bytes *text = vmt_field_at(f, row);

			if (!take_bytes(&cur, &text->len, sizeof(text->len)) ||
			    !take_bytes(&cur, text->ptr, text->len))
				return false;
		} else if (known) {
			uint64_t v = vmt_field_number(f, row);

			if (!take_bytes(&cur, &v, sizeof(v)))
				return false;
		}
	}
	return cur.len == 0;
}

static size_t find(const struct vmt_table *t, struct vmt_bytes identity)
{
	size_t i;

	for (i = 0; i < t->n_shown; i++)
		if (has_identity(t, t->shown[i], identity))
			return i;
	return SIZE_MAX;
}

/* Remembers which row is selected, by what it is and not by where. */
static void pin(struct vmt_table *t)
{
	t->pinned = false;
	if (t->at >= t->n_shown)
		return;
	vmt_buf_clear(&t->identity);
	add_identity(t, t->shown[t->at], &t->identity);
	/* Without memory, its place has to do. */
	t->pinned = vmt_buf_error(&t->identity) == 0 && t->def->n_identity;
}

void vmt_table_go(struct vmt_table *t, size_t at)
{
	t->at = at < t->n_shown ? at : t->n_shown ? t->n_shown - 1 : 0;
	t->reveal = true;
	pin(t);
}

/* The rows are others, or in another order: the selected one is found again. line: where on the
 * screen it was. */
static void settle(struct vmt_ui *ui, struct vmt_table *t, size_t line, bool moved)
{
	size_t at = SIZE_MAX;

	if (t->pinned)
		at = find(t, (struct vmt_bytes){ t->identity.data, t->identity.len });
	if (at != SIZE_MAX) {
		t->at = at;
	} else if (t->pinned) {
		/* It is gone: the one that stands there now. */
		/* Without any rows, nobody knows. */
		if (t->follow && t->n_rows) {
			t->follow = false;
			vmt_ui_say(ui, "what was followed is gone");
		}
		if (t->n_shown)
			vmt_table_go(t, t->at);
	} else if (t->at >= t->n_shown) {
		t->at = t->n_shown ? t->n_shown - 1 : 0;
	}
	if (t->follow && !moved)
		t->first = t->at > line ? t->at - line : 0;
	else if (moved)
		t->reveal = t->follow;
}

int vmt_table_rows(struct vmt_ui *ui, struct vmt_table *t, const void *rows, size_t n)
{
	size_t line = t->at >= t->first ? t->at - t->first : 0;
	int r;

	t->rows = rows;
	t->n_rows = n;
	t->page_size = ui->model ? ui->model->sample->host.page_size : 0;
	r = vmt_table_arrange(ui, t);
	settle(ui, t, line, false);
	return r;
}

int vmt_table_again(struct vmt_ui *ui, struct vmt_table *t)
{
	int r = vmt_table_arrange(ui, t);

	/* In a new order one wants to see its begin. */
	t->first = 0;
	settle(ui, t, 0, true);
	return r;
}

const void *vmt_table_selected(const struct vmt_table *t)
{
	return t->at < t->n_shown ? t->shown[t->at] : NULL;
}

void vmt_table_select(struct vmt_table *t, const void *row)
{
	VMT_AUTO_BUF identity = { 0 };
	size_t at;

	add_identity(t, row, &identity);
	if (vmt_buf_error(&identity) < 0)
		return;
	at = find(t, (struct vmt_bytes){ identity.data, identity.len });
	if (at != SIZE_MAX)
		vmt_table_go(t, at);
}

const void *const *vmt_table_visible(const struct vmt_table *t, size_t *ret_n)
{
	size_t first = t->first < t->n_shown ? t->first : t->n_shown, n = t->n_shown - first;

	*ret_n = n < t->n_lines ? n : t->n_lines;
	return *ret_n ? (const void *const *)t->shown + first : NULL;
}

size_t vmt_table_shown(const struct vmt_table *t)
{
	return t->n_shown;
}

const void *vmt_table_row(const struct vmt_table *t, size_t i)
{
	return i < t->n_shown ? t->shown[i] : NULL;
}

size_t vmt_table_total(const struct vmt_table *t)
{
	return t->n_rows;
}

void vmt_table_sort_text(const struct vmt_table *t, struct vmt_buf *out)
{
	size_t i;

	for (i = 0; i < t->n_keys; i++)
		vmt_buf_addf(out, "%s%s%s", i ? "," : "", t->keys[i].descending ? "-" : "",
			     t->keys[i].field ? t->keys[i].field->title
					      : t->keys[i].picture->title);
}

/* As the heading of its column has it. */
static const char *key_title(const struct vmt_table *t)
{
	size_t i;

	for (i = 0; i < t->n_cols; i++)
		if (vmt_table_is_key(t, &t->cols[i]))
			return vmt_table_title(t, &t->cols[i]);
	return t->keys[0].field ? t->keys[0].field->title : t->keys[0].picture->title;
}

void vmt_table_state(const struct vmt_table *t, struct vmt_buf *ret_state,
		     struct vmt_buf *ret_range)
{
	size_t n;

	vmt_table_visible(t, &n);
	vmt_buf_adds(ret_state, "filter: ");
	if (t->filter_text)
		vmt_fmt_safe(ret_state, vmt_bytes_of(t->filter_text), false);
	else
		vmt_buf_adds(ret_state, "none");
	if (t->n_keys)
		vmt_buf_addf(ret_state, "   sort: %s %c", key_title(t),
			     t->keys[0].descending ? 'v' : '^');
	if (t->tree)
		vmt_buf_adds(ret_state, "   tree");
	if (t->follow)
		vmt_buf_adds(ret_state, "   follow");
	vmt_buf_addf(ret_range, "%zu-%zu of %zu", n ? t->first + 1 : 0, n ? t->first + n : 0,
		     t->n_shown);
	if (t->n_shown != t->n_rows)
		vmt_buf_addf(ret_range, "/%zu", t->n_rows);
}

/* Searching. */

/* Selects the first row from at on, in steps of 1 or -1 and round the ends, that has the text. */
static bool search_from(struct vmt_ui *ui, struct vmt_table *t, size_t at, bool back)
{
	struct vmt_bytes text = vmt_bytes_of(t->needle);
	size_t i;

	for (i = 0; i < t->n_shown; i++) {
		size_t k = (back ? at + t->n_shown - i : at + i) % t->n_shown;

		if (!vmt_row_found(t->def, t->shown[k], text))
			continue;
		if (back ? k > at : k < at)
			vmt_ui_say(ui, back ? "search goes on from the end"
					    : "search goes on from the begin");
		vmt_table_go(t, k);
		return true;
	}
	vmt_ui_say(ui, "not found: %s", t->needle);
	return false;
}

bool vmt_table_search(struct vmt_ui *ui, struct vmt_table *t, const char *text)
{
	char *needle = *text ? strdup(text) : NULL;

	free(t->needle);
	t->needle = needle;
	return needle && search_from(ui, t, t->at, false);
}

const char *vmt_table_search_text(const struct vmt_table *t)
{
	return t->needle ? t->needle : "";
}

static enum vmt_ui_act search_next(struct vmt_ui *ui, struct vmt_table *t, bool back)
{
	if (!t->needle)
		vmt_ui_say(ui, "nothing was searched for");
	else if (t->n_shown)
		search_from(ui, t, (t->at + (back ? t->n_shown - 1 : 1)) % t->n_shown, back);
	return VMT_UI_DRAW;
}

int vmt_table_filter(struct vmt_ui *ui, struct vmt_table *t, const char *text, struct vmt_err *err)
{
	VMT_AUTO_ROW_FILTER filter = NULL;
	VMT_AUTO_FREE char *copy = NULL;
	int r;

	if (*text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
		r = vmt_row_filter_parse(&filter, t->def, text, err);
		if (r < 0)
			return r;
	}
	vmt_row_filter_free(t->filter);
	free(t->filter_text);
	t->filter = VMT_STEAL(filter);
	t->filter_text = VMT_STEAL(copy);
	return vmt_table_again(ui, t);
}

const char *vmt_table_filter_text(const struct vmt_table *t)
{
	return t->filter_text ? t->filter_text : "";
}

int vmt_table_sort(struct vmt_ui *ui, struct vmt_table *t, const char *spec, struct vmt_err *err)
{
	int r = vmt_table_parse_sort(t, spec, err);

	return r < 0 ? r : vmt_table_again(ui, t);
}

/* Keys. */

/* n lines down, or up. */
static enum vmt_ui_act move(struct vmt_table *t, long n)
{
	if (n < 0)
		vmt_table_go(t, t->at > (size_t)-n ? t->at - (size_t)-n : 0);
	else
		vmt_table_go(t, t->at + (size_t)n);
	return VMT_UI_DRAW;
}

static enum vmt_ui_act sorted(struct vmt_ui *ui, struct vmt_table *t)
{
	/* Not every screen has a line that shows it. */
	if (t->n_keys)
		vmt_ui_say(ui, "order: %s, %s", key_title(t),
			   t->keys[0].descending ? "descending" : "ascending");
	/* What it is sorted by may not have been read yet. */
	return vmt_table_again(ui, t) < 0 ? VMT_UI_DRAW : VMT_UI_SAMPLE;
}

static enum vmt_ui_act sort_step(struct vmt_ui *ui, struct vmt_table *t, int n)
{
	return vmt_table_sort_step(t, n) < 0 ? VMT_UI_NONE : sorted(ui, t);
}

static enum vmt_ui_act tree(struct vmt_ui *ui, struct vmt_table *t, bool *done_ret)
{
	if (!t->def->tree) {
		*done_ret = false;
		return VMT_UI_NONE;
	}
	t->tree = !t->tree;
	return vmt_table_again(ui, t) < 0 ? VMT_UI_DRAW : VMT_UI_SAMPLE;
}

static enum vmt_ui_act follow(struct vmt_ui *ui, struct vmt_table *t)
{
	if (t->at >= t->n_shown || !t->def->n_identity) {
		vmt_ui_say(ui, "no row to follow");
		return VMT_UI_DRAW;
	}
	t->follow = !t->follow;
	if (t->follow)
		vmt_table_go(t, t->at);
	vmt_ui_say(ui, t->follow ? "the selected row stays in sight"
				 : "the selected row may leave the screen");
	return VMT_UI_DRAW;
}

enum vmt_ui_act vmt_table_action(struct vmt_ui *ui, struct vmt_table *t, enum vmt_action action,
				 bool *done_ret)
{
	long page = t->n_lines > 1 ? (long)t->n_lines - 1 : 1;

	*done_ret = true;
	switch (action) {
	case VMT_ACTION_UP:
		return move(t, -1);
	case VMT_ACTION_DOWN:
		return move(t, 1);
	case VMT_ACTION_PAGE_UP:
		return move(t, -page);
	case VMT_ACTION_PAGE_DOWN:
		return move(t, page);
	case VMT_ACTION_HALF_UP:
		return move(t, -(page + 1) / 2);
	case VMT_ACTION_HALF_DOWN:
		return move(t, (page + 1) / 2);
	case VMT_ACTION_HOME:
		vmt_table_go(t, 0);
		return VMT_UI_DRAW;
	case VMT_ACTION_END:
		vmt_table_go(t, t->n_shown);
		return VMT_UI_DRAW;
	case VMT_ACTION_LEFT:
		if (t->skip)
			t->skip--;
		return VMT_UI_SAMPLE;
	case VMT_ACTION_RIGHT:
		if (!t->skip || !t->skip_end)
			t->skip++;
		return VMT_UI_SAMPLE;
	case VMT_ACTION_SEARCH_NEXT:
		return search_next(ui, t, false);
	case VMT_ACTION_SEARCH_PREV:
		return search_next(ui, t, true);
	case VMT_ACTION_SORT_PREV:
		return sort_step(ui, t, -1);
	case VMT_ACTION_SORT_NEXT:
		return sort_step(ui, t, 1);
	case VMT_ACTION_INVERT:
		if (t->n_keys)
			t->keys[0].descending = !t->keys[0].descending;
		return sorted(ui, t);
	case VMT_ACTION_TREE:
		return tree(ui, t, done_ret);
	case VMT_ACTION_FOLLOW:
		return follow(ui, t);
	default:
		*done_ret = false;
		return VMT_UI_NONE;
	}
}

static enum vmt_ui_act click(struct vmt_ui *ui, struct vmt_table *t, unsigned line, unsigned x,
			     bool *done_ret)
{
	size_t i;

	*done_ret = true;
	if (line) {
		if (line > t->n_lines || t->first + line - 1 >= t->n_shown)
			return VMT_UI_NONE;
		vmt_table_go(t, t->first + line - 1);
		return VMT_UI_DRAW;
	}
	for (i = 0; i < t->n_places; i++) {
		if (vmt_table_can_sort(&t->cols[t->places[i].col]) && x >= t->places[i].x &&
		    x < t->places[i].x + t->places[i].width)
			return vmt_table_sort_choice(ui, t, t->places[i].col) < 0 ? VMT_UI_DRAW
										  : VMT_UI_SAMPLE;
	}
	return VMT_UI_NONE;
}

enum vmt_ui_act vmt_table_mouse(struct vmt_ui *ui, struct vmt_table *t,
				const struct vmt_ui_event *event, bool *done_ret)
{
	const struct vmt_area *a = &t->area;
	size_t last = t->n_shown > t->n_lines ? t->n_shown - t->n_lines : 0;

	*done_ret = false;
	if (event->y < a->y || event->y >= a->y + a->height || event->x < a->x ||
	    event->x >= a->x + a->width)
		return VMT_UI_NONE;
	switch (event->key) {
	case VMT_KEY_CLICK:
		return click(ui, t, event->y - a->y, event->x - a->x, done_ret);
	case VMT_KEY_WHEEL_UP:
		t->first = t->first > WHEEL ? t->first - WHEEL : 0;
		break;
	case VMT_KEY_WHEEL_DOWN:
		t->first = t->first + WHEEL < last ? t->first + WHEEL : last;
		break;
	default:
		return VMT_UI_NONE;
	}
	/* The selected row may leave the screen now, and a followed one would bring it back. */
	t->follow = false;
	t->reveal = false;
	*done_ret = true;
	return VMT_UI_DRAW;
}
