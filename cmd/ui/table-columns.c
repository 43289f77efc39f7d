/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/fmt.h"
#include "cmd/ui/table-rows.h"

/* As drawn last. */
static bool is_wide(const struct vmt_table *t)
{
	return t->area.width >= (t->def->wide_from ? t->def->wide_from : VMT_WIDE);
}

const char *vmt_table_title(const struct vmt_table *t, const struct vmt_table_col *col)
{
	if (col->column.wide_title && is_wide(t))
		return col->column.wide_title;
	return col->column.title ? col->column.title : col->field->title;
}

/* A column for a field that the def has none for. */
static struct vmt_table_column column_of(const struct vmt_field *f)
{
	unsigned title = (unsigned)strlen(f->title), width = 7;
	struct vmt_table_column c = {
		.field = f->index, .off = true, .priority = 1, .fit = VMT_FIT_RIGHT
	};

	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS:
		c.fit = f->flags & VMT_TAIL ? VMT_FIT_TAIL : VMT_FIT_LEFT;
		width = f->flags & VMT_TAIL ? 20 : 12;
		break;
	case VMT_TYPE_HEX:
		width = 12;
		break;
	case VMT_TYPE_BOOL:
		width = 3;
		break;
	case VMT_TYPE_U64:
		if (f->unit == VMT_UNIT_BYTES)
			width = 5;
		else if (f->unit == VMT_UNIT_NONE)
			width = 10;
		break;
	case VMT_TYPE_I64:
	case VMT_TYPE_HIST:
		break;
	}
	c.width = title > width ? title : width;
	return c;
}

static bool has_column(const struct vmt_table_def *def, size_t field)
{
	size_t i;

	for (i = 0; i < def->n_columns; i++)
		if (def->columns[i].field == field)
			return true;
	return false;
}

static void add_col(struct vmt_table *t, const struct vmt_table_column *c)
{
	struct vmt_table_col *col = &t->cols[t->n_cols++];

	col->column = *c;
	if (c->field < t->def->entity->n_fields)
		col->field = &t->def->entity->fields[c->field];
}

static int by_place(const void *a, const void *b)
{
	const struct vmt_table_col *x = a, *y = b;

	return x->at_first < y->at_first ? -1 : x->at_first > y->at_first;
}

int vmt_table_columns_init(struct vmt_table *t)
{
	const struct vmt_table_def *def = t->def;
	size_t i, last = def->n_columns - 1;

	t->cols = calloc(def->n_columns + def->entity->n_fields, sizeof(*t->cols));
	t->places = calloc(def->n_columns + def->entity->n_fields, sizeof(*t->places));
	if (!t->cols || !t->places)
		return -ENOMEM;
	for (i = 0; i < last; i++)
		add_col(t, &def->columns[i]);
	/* Before the last one, which takes what is left of the line. */
	for (i = 0; i < def->entity->n_fields; i++) {
		struct vmt_table_column c = column_of(&def->entity->fields[i]);

		if (!has_column(def, i))
			add_col(t, &c);
	}
	add_col(t, &def->columns[last]);
	for (i = 0; i < t->n_cols; i++) {
		t->cols[i].on_at_first = !t->cols[i].column.off;
		t->cols[i].at_first = i;
	}
	vmt_table_choose_default(t);
	return 0;
}

/* Blanks before a column. */
static unsigned blanks_of(const struct vmt_table *t, const struct vmt_table_column *c)
{
	return 1 + c->gap + (is_wide(t) ? c->wide_gap : 0);
}

/* Columns that one takes, those blanks included that stand before it. */
static unsigned column_width(const struct vmt_table *t, const struct vmt_ui *ui, size_t i)
{
	const struct vmt_table_column *c = &t->cols[i].column;
	const struct vmt_field *f = t->cols[i].field;
	unsigned width = c->width ? c->width : c->least, need;

	if (c->wide && is_wide(t))
		width = c->wide;
	if (!c->draw && f && f->unit == VMT_UNIT_BYTES && ui->unit != VMT_SIZE_HUMAN) {
		need = vmt_ui_size_width(ui->unit) + (f->type == VMT_TYPE_I64);
		width = need > width ? need : width;
	}
	return width + blanks_of(t, c);
}

/* Which columns have room, from the largest priority down those go that have not. */
static void drop(const struct vmt_table *t, const struct vmt_ui *ui, unsigned width, bool *on)
{
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < t->n_cols; i++) {
		on[i] = t->cols[i].on;
		sum += on[i] ? column_width(t, ui, i) : 0;
	}
	while (sum > width) {
		size_t worst = SIZE_MAX;

		/* Of equals the one on the right. */
		for (i = 0; i < t->n_cols; i++)
			if (on[i] && t->cols[i].column.priority &&
			    (worst == SIZE_MAX ||
			     t->cols[i].column.priority >= t->cols[worst].column.priority))
				worst = i;
		if (worst == SIZE_MAX)
			return;
		on[worst] = false;
		sum -= column_width(t, ui, worst);
	}
}

/* The first column, and of the others those behind the ones that are scrolled out. */
static void scroll(struct vmt_table *t, const struct vmt_ui *ui, unsigned width, bool *on)
{
	size_t i, n = 0, last = 0;
	unsigned sum = 0;

	t->skip_end = true;
	for (i = 0; i < t->n_cols; i++) {
		on[i] = t->cols[i].on;
		if (!on[i])
			continue;
		n++;
		if (n > 1 && n <= t->skip + 1) {
			on[i] = false;
			continue;
		}
		sum += column_width(t, ui, i);
		if (sum > width && n > 1 && last) {
			on[i] = false;
			t->skip_end = false;
			sum = width + 1;
		}
		last += n > 1;
	}
}

void vmt_table_layout(struct vmt_table *t, const struct vmt_ui *ui, unsigned width)
{
	bool edge = width < t->def->edge_below, on[256] = { false };
	unsigned x = 0, sum = 0, rest;
	size_t i;

	t->n_places = 0;
	/* An entity has at most 64 * VMT_ROW_WORDS fields. */
	if (t->n_cols > VMT_ARRAY_LEN(on))
		return;
	width += edge;
	if (t->skip)
		scroll(t, ui, width, on);
	else
		drop(t, ui, width, on);
	for (i = 0; i < t->n_cols; i++)
		sum += on[i] ? column_width(t, ui, i) : 0;
	rest = width > sum ? width - sum : 0;
	for (i = 0; i < t->n_cols; i++) {
		const struct vmt_table_column *c = &t->cols[i].column;
		unsigned w = column_width(t, ui, i), blanks = blanks_of(t, c);

		if (!on[i])
			continue;
		if (edge && !t->n_places)
			blanks--, w--;
		w = w - blanks + (c->width ? 0 : rest);
		x += blanks;
		if (x >= width)
			break;
		if (x + w > width - edge)
			w = width - edge - x;
		t->places[t->n_places++] = (struct vmt_table_place){ i, x, w };
		x += w;
	}
}

int vmt_table_sort_step(struct vmt_table *t, int n)
{
	size_t i, k, at = SIZE_MAX;

	for (i = 0; i < t->n_places; i++)
		if (vmt_table_is_key(t, &t->cols[t->places[i].col]))
			at = i;
	/* From a column that is not shown, to the first or the last. */
	if (at == SIZE_MAX)
		at = n > 0 ? t->n_places - 1 : 0;
	for (k = 0, i = at; k < t->n_places; k++) {
		const struct vmt_table_col *col;

		i = (i + t->n_places + (n > 0 ? 1 : t->n_places - 1)) % t->n_places;
		col = &t->cols[t->places[i].col];
		if (vmt_table_can_sort(col) && !vmt_table_is_key(t, col)) {
			vmt_table_set_key(t, col);
			return 0;
		}
	}
	return -ENOENT;
}

size_t vmt_table_choices(const struct vmt_table *t)
{
	return t->n_cols;
}

struct vmt_table_choice vmt_table_choice(const struct vmt_table *t, size_t i)
{
	const struct vmt_table_col *c = &t->cols[i];

	return (struct vmt_table_choice){
		.title = vmt_table_title(t, c),
		.field = c->field,
		.sorts = vmt_table_can_sort(c),
		.on = c->on,
		.sorted = vmt_table_is_key(t, c),
	};
}

void vmt_table_choose(struct vmt_table *t, size_t i, bool on)
{
	if (i >= t->n_cols)
		return;
	t->cols[i].on = on;
	t->skip = 0;
}

void vmt_table_choose_default(struct vmt_table *t)
{
	size_t i;

	qsort(t->cols, t->n_cols, sizeof(*t->cols), by_place);
	t->n_places = 0;
	for (i = 0; i < t->n_cols; i++)
		t->cols[i].on = t->cols[i].on_at_first;
	t->skip = 0;
}

int vmt_table_sort_choice(struct vmt_ui *ui, struct vmt_table *t, size_t i)
{
	if (i >= t->n_cols || !vmt_table_can_sort(&t->cols[i]))
		return 0;
	if (vmt_table_is_key(t, &t->cols[i]))
		t->keys[0].descending = !t->keys[0].descending;
	else
		vmt_table_set_key(t, &t->cols[i]);
	return vmt_table_again(ui, t);
}

/* Columns are known by the name of their field, pictures by their title. */
static const char *name_of(const struct vmt_table_col *c)
{
	return c->field ? c->field->name : c->column.title;
}

void vmt_table_columns_text(const struct vmt_table *t, struct vmt_buf *out)
{
	bool any = false;
	size_t i;

	for (i = 0; i < t->n_cols; i++) {
		if (!t->cols[i].on)
			continue;
		if (any)
			vmt_buf_addc(out, ',');
		vmt_buf_adds(out, name_of(&t->cols[i]));
		any = true;
	}
}

/* By the name or title of a field, as -o has it, or the title of a picture. */
static size_t find_col(const struct vmt_table *t, struct vmt_bytes name)
{
	const struct vmt_field *f = vmt_field_find(t->def->entity, name);
	size_t i;

	for (i = 0; i < t->n_cols; i++)
		if (f ? t->cols[i].field == f
		      : !t->cols[i].field && vmt_bytes_is(name, name_of(&t->cols[i])))
			return i;
	return SIZE_MAX;
}

/* Columns in the order in which they were named, and behind them the others as they stand. */
static int put_first(struct vmt_table *t, const size_t *order, size_t n)
{
	VMT_AUTO_FREE struct vmt_table_col *cols = calloc(t->n_cols + 1, sizeof(*cols));
	size_t i, k = 0;

	if (!cols)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		cols[k++] = t->cols[order[i]];
	for (i = 0; i < t->n_cols; i++)
		if (!t->cols[i].on)
			cols[k++] = t->cols[i];
	memcpy(t->cols, cols, t->n_cols * sizeof(*cols));
	/* Places are by the old order. */
	t->n_places = 0;
	return 0;
}

int vmt_table_columns(struct vmt_table *t, const char *text, struct vmt_err *err)
{
	bool on[256] = { false }, add = *text == '+';
	size_t order[256], n = 0, i;

	if (t->n_cols > VMT_ARRAY_LEN(on))
		return -EINVAL;
	for (i = 0; i < t->n_cols && add; i++)
		on[i] = t->cols[i].on;
	text += add;
	while (*text) {
		const char *end = strchrnul(text, ',');
		struct vmt_bytes name = { text, (size_t)(end - text) };

		i = find_col(t, name);
		if (i == SIZE_MAX) {
			VMT_AUTO_BUF safe = { 0 };

			vmt_fmt_safe(&safe, name, true);
			return vmt_err_set(err, -EINVAL, NULL, 0, "no column '%s'",
					   safe.data ? safe.data : "");
		}
		if (!on[i])
			order[n++] = i;
		on[i] = true;
		text = *end ? end + 1 : end;
	}
	for (i = 0; i < t->n_cols; i++)
		t->cols[i].on = on[i];
	t->skip = 0;
	return add ? 0 : put_first(t, order, n);
}

void vmt_table_picture_width(struct vmt_table *t, const char *title, unsigned width)
{
	size_t i, k;

	for (i = 0; i < t->n_cols; i++) {
		struct vmt_table_column *c = &t->cols[i].column;

		for (k = 0; k < t->def->n_columns; k++) {
			const struct vmt_table_column *d = &t->def->columns[k];

			if (t->cols[i].field || d->field != VMT_TABLE_PICTURE ||
			    strcmp(d->title, title) != 0 || strcmp(c->title, title) != 0)
				continue;
			c->width = width ? width : d->width;
			c->wide = width ? width : d->wide;
			c->priority = width ? 1 : d->priority;
		}
	}
}

void vmt_table_want(const struct vmt_table *t, struct vmt_want *w)
{
	size_t i;

	for (i = 0; i < t->n_places; i++)
		if (t->cols[t->places[i].col].field)
			vmt_want_field(w, t->cols[t->places[i].col].field);
	for (i = 0; i < t->n_keys; i++)
		if (t->keys[i].field)
			vmt_want_field(w, t->keys[i].field);
	if (t->filter)
		vmt_row_filter_want(t->filter, w);
}
