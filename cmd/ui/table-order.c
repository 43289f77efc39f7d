/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/table-rows.h"
#include "model/tree.h"

bool vmt_table_descends(const struct vmt_field *f)
{
	return f->kind != VMT_KIND_LABEL && !vmt_field_is_text(f);
}

/* A picture that sorts, by its title. */
static const struct vmt_table_column *picture_of(const struct vmt_table *t, struct vmt_bytes title)
{
	size_t i;

	for (i = 0; i < t->def->n_columns; i++)
		if (t->def->columns[i].number && title.len == strlen(t->def->columns[i].title) &&
		    vmt_same_text(title.ptr, t->def->columns[i].title, title.len))
			return &t->def->columns[i];
	return NULL;
}

bool vmt_table_can_sort(const struct vmt_table_col *col)
{
	return col->field || col->column.number;
}

static bool is_same(const struct vmt_table_key *key, const struct vmt_table_col *col)
{
	return col->field ? key->field == col->field
			  : key->picture && key->picture->number == col->column.number;
}

bool vmt_table_is_key(const struct vmt_table *t, const struct vmt_table_col *col)
{
	return t->n_keys && vmt_table_can_sort(col) && is_same(&t->keys[0], col);
}

int vmt_table_parse_sort(struct vmt_table *t, const char *spec, struct vmt_err *err)
{
	struct vmt_table_key keys[VMT_TABLE_KEYS];
	size_t n = 0;

	while (spec && *spec) {
		const char *end = strchrnul(spec, ',');
		bool descending = *spec == '-';
		const struct vmt_table_column *picture;
		const struct vmt_field *f;

		spec += *spec == '-' || *spec == '+';
		f = vmt_field_find(t->def->entity,
				   (struct vmt_bytes){ spec, (size_t)(end - spec) });
		picture = f ? NULL
			    : picture_of(t, (struct vmt_bytes){ spec, (size_t)(end - spec) });
		if (!f && !picture)
			return vmt_err_set(err, -EINVAL, NULL, 0, "no column '%.*s'",
					   (int)(end - spec), spec);
		if (n == VMT_TABLE_KEYS)
			return vmt_err_set(err, -EINVAL, NULL, 0, "more than %d columns to sort by",
					   VMT_TABLE_KEYS);
		keys[n++] = (struct vmt_table_key){ f, picture, descending };
		spec = *end ? end + 1 : end;
	}
	memcpy(t->keys, keys, n * sizeof(*keys));
	t->n_keys = n;
	return 0;
}

void vmt_table_set_key(struct vmt_table *t, const struct vmt_table_col *col)
{
	const struct vmt_table_column *picture =
		col->field ? NULL : picture_of(t, vmt_bytes_of(col->column.title));
	bool descending = !col->field || vmt_table_descends(col->field);
	struct vmt_table_key before[VMT_TABLE_KEYS];
	size_t n, i;

	/* What the def says breaks ties. */
	vmt_table_parse_sort(t, t->def->sort, NULL);
	n = t->n_keys;
	memcpy(before, t->keys, sizeof(before));
	t->keys[0] = (struct vmt_table_key){ col->field, picture, descending };
	t->n_keys = 1;
	for (i = 0; i < n && t->n_keys < VMT_TABLE_KEYS; i++)
		if (!is_same(&before[i], col))
			t->keys[t->n_keys++] = before[i];
}

/* A number that orders as the first key does; of a text its first bytes. */
static uint64_t order_number(const struct vmt_table_key *key, const void *row)
{
	const struct vmt_field *f = key->field;
	uint64_t v = 0;
	size_t i;

	if (vmt_field_is_text(f)) {
		const struct vmt_bytes *text = vmt_field_at(f, row);

		for (i = 0; i < sizeof(v); i++)
			v = v << 8 | (i < text->len ? (uint8_t)text->ptr[i] : 0);
	} else if (f->type != VMT_TYPE_HIST) {
		v = vmt_field_number(f, row);
		if (f->type == VMT_TYPE_I64)
			v ^= UINT64_C(1) << 63;
	}
	return key->descending ? ~v : v;
}

/* The same; false where it is not known. */
static bool number_of(const struct vmt_ui *ui, const struct vmt_table_key *key, const void *row,
		      uint64_t *ret)
{
	bool known = key->field ? vmt_row_has(row, key->field->index)
				: key->picture->number(ui, row, ret);

	if (!known)
		*ret = 0;
	else if (key->field)
		*ret = order_number(key, row);
	else if (key->descending)
		*ret = ~*ret;
	return known;
}

static bool before(const struct vmt_table *t, const struct vmt_table_item *a,
		   const struct vmt_table_item *b)
{
	size_t i;

	if (a->unknown != b->unknown)
		return b->unknown;
	if (a->number != b->number)
		return a->number < b->number;
	/* The number of a text is not all of it. */
	i = t->keys[0].field && vmt_field_is_text(t->keys[0].field) ? 0 : 1;
	for (; i < t->n_keys; i++) {
		int c = t->keys[i].field ? vmt_field_compare(t->keys[i].field, a->row, b->row,
							     t->keys[i].descending)
					 : 0;

		if (c)
			return c < 0;
	}
	return false;
}

/* Stable: rows that are equal stay in the order of the model. */
static void sort(const struct vmt_table *t, struct vmt_table_item *items,
		 struct vmt_table_item *spare, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort(t, items, spare, half);
	sort(t, items + half, spare, n - half);
	if (!before(t, &items[half], &items[half - 1]))
		return;
	memcpy(spare, items, half * sizeof(*items));
	while (i < half && j < n)
		items[k++] = before(t, &items[j], &spare[i]) ? items[j++] : spare[i++];
	while (i < half)
		items[k++] = spare[i++];
}

/* A row by what it is called, to find the one above another. */
struct name {
	uint64_t id;
	size_t at;
};

static int compare_names(const void *a, const void *b)
{
	const struct name *na = a, *nb = b;

	if (na->id != nb->id)
		return na->id < nb->id ? -1 : 1;
	return na->at < nb->at ? -1 : na->at > nb->at;
}

/* The place of the row above row i, SIZE_MAX without one. */
static size_t above(const struct vmt_table *t, const struct name *names, size_t n, const void *row)
{
	const struct vmt_field *up = &t->def->entity->fields[t->def->tree_above];
	struct name want;
	size_t low = 0, high = n;

	if (!vmt_row_has(row, up->index))
		return SIZE_MAX;
	want.id = vmt_field_number(up, row);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (names[mid].id < want.id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && names[low].id == want.id ? names[low].at : SIZE_MAX;
}

/* Parents of n rows, none of which is below itself: rows are of different moments, and the number
 * of a process that ended can be that of a child of its child. */
static void find_parents(const struct vmt_table *t, const struct name *names, size_t n,
			 size_t *parents, size_t *marks)
{
	size_t i;

	for (i = 0; i < n; i++)
		parents[i] = above(t, names, n, t->items[i].row);
	/* Each is marked with the row from which it was reached first. */
	for (i = 0; i < n; i++) {
		size_t at = i;

		while (!marks[at]) {
			marks[at] = i + 1;
			if (parents[at] == SIZE_MAX)
				break;
			if (marks[parents[at]] == i + 1) {
				parents[at] = SIZE_MAX;
				break;
			}
			at = parents[at];
		}
	}
}

static int arrange_tree(struct vmt_table *t, size_t n)
{
	VMT_AUTO_FREE struct name *names = calloc(n + 1, sizeof(*names));
	VMT_AUTO_FREE size_t *parents = calloc(n + 1, sizeof(*parents));
	VMT_AUTO_FREE size_t *marks = calloc(n + 1, sizeof(*marks));
	VMT_AUTO_FREE size_t *order = NULL;
	VMT_AUTO_FREE size_t *places = NULL;
	const struct vmt_field *id = &t->def->entity->fields[t->def->tree_id];
	size_t i;

	if (!names || !parents || !marks ||
	    vmt_grow(&t->limbs, &t->cap_limbs, n, sizeof(*t->limbs)) < 0)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		names[i] = (struct name){ vmt_field_number(id, t->items[i].row), i };
	qsort(names, n, sizeof(*names), compare_names);
	find_parents(t, names, n, parents, marks);
	if (vmt_tree_order(parents, n, &order, &places) < 0)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		size_t up = places[i];
		unsigned depth = up == SIZE_MAX ? 0 : t->limbs[up].depth + 1u;

		t->shown[i] = t->items[order[i]].row;
		t->limbs[i] = (struct vmt_table_limb){
			(uint16_t)(depth < UINT16_MAX ? depth : UINT16_MAX), true
		};
	}
	/* From the end: a row is the last where no other of its parent came yet. */
	memset(marks, 0, n * sizeof(*marks));
	for (i = n; i-- > 0;)
		if (places[i] != SIZE_MAX) {
			t->limbs[i].last = !marks[places[i]];
			marks[places[i]] = 1;
		}
	t->n_shown = n;
	return 0;
}

int vmt_table_arrange(const struct vmt_ui *ui, struct vmt_table *t)
{
	const struct vmt_table_key *key = t->n_keys ? &t->keys[0] : NULL;
	size_t i, n = 0;

	t->n_shown = 0;
	if (vmt_grow(&t->items, &t->cap_items, t->n_rows, sizeof(*t->items)) < 0 ||
	    vmt_grow(&t->spare, &t->cap_spare, t->n_rows / 2 + 1, sizeof(*t->spare)) < 0 ||
	    vmt_grow(&t->shown, &t->cap_shown, t->n_rows, sizeof(*t->shown)) < 0)
		return -ENOMEM;
	for (i = 0; i < t->n_rows; i++) {
		const void *row = t->rows + i * t->def->entity->row_size;
		struct vmt_table_item *item = &t->items[n];

		if (t->filter && !vmt_row_filter_test(t->filter, row, t->page_size))
			continue;
		*item = (struct vmt_table_item){ .row = row };
		if (key) {
			item->unknown = !number_of(ui, key, row, &item->number);
		}
		n++;
	}
	if (key)
		sort(t, t->items, t->spare, n);
	if (t->tree)
		return arrange_tree(t, n);
	for (i = 0; i < n; i++)
		t->shown[i] = t->items[i].row;
	t->n_shown = n;
	return 0;
}
