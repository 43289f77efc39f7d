/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/columns.h"

#include <stdlib.h>

#include "base/fmt.h"

void vmt_columns_done(struct vmt_columns *c)
{
	free(c->fields);
	*c = (struct vmt_columns){ 0 };
}

static int add(struct vmt_columns *c, const struct vmt_field *f)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->fields[i] == f)
			return 0;
	if (vmt_grow(&c->fields, &c->cap, c->n + 1, sizeof(*c->fields)) < 0)
		return -ENOMEM;
	c->fields[c->n++] = f;
	return 0;
}

int vmt_columns_default(struct vmt_columns *c, const struct vmt_entity *entity)
{
	size_t i;

	c->n = 0;
	for (i = 0; i < entity->n_fields; i++)
		if (entity->fields[i].flags & VMT_DEFAULT && add(c, &entity->fields[i]) < 0)
			return -ENOMEM;
	return 0;
}

int vmt_columns_copy(struct vmt_columns *to, const struct vmt_columns *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (add(to, from->fields[i]) < 0)
			return -ENOMEM;
	return 0;
}

int vmt_columns_all(struct vmt_columns *c, const struct vmt_entity *entity)
{
	size_t i;

	c->n = 0;
	for (i = 0; i < entity->n_fields; i++)
		if (add(c, &entity->fields[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int unknown(const struct vmt_entity *entity, struct vmt_bytes name, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_fmt_safe(&text, name, true);
	return vmt_err_set(err, -EINVAL, NULL, 0, "no column '%.60s' (see '-o help')",
			   text.data ? text.data : "");
}

/* Takes the name before the next comma; false at the end. */
static bool take_name(struct vmt_bytes *cur, struct vmt_bytes *ret_name)
{
	const char *comma;

	if (!cur->ptr)
		return false;
	comma = memchr(cur->ptr, ',', cur->len);
	ret_name->ptr = cur->ptr;
	ret_name->len = comma ? (size_t)(comma - cur->ptr) : cur->len;
	if (comma) {
		cur->len -= ret_name->len + 1;
		cur->ptr = comma + 1;
	} else {
		*cur = (struct vmt_bytes){ NULL, 0 };
	}
	return true;
}

int vmt_columns_parse(struct vmt_columns *c, const struct vmt_entity *entity, const char *spec,
		      struct vmt_err *err)
{
	struct vmt_bytes cur, name;
	size_t before = 0;

	if (*spec == '+') {
		spec++;
		before = c->n;
	}
	cur = vmt_bytes_of(spec);
	c->n = before;
	while (take_name(&cur, &name)) {
		const struct vmt_field *f = vmt_field_find(entity, name);

		if (!f)
			return unknown(entity, name, err);
		if (add(c, f) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	}
	/* What may be cut at the end of the line stays there. */
	if (before && c->n > before && c->fields[before - 1]->flags & VMT_TAIL) {
		const struct vmt_field *tail = c->fields[before - 1];

		memmove(&c->fields[before - 1], &c->fields[before],
			(c->n - before) * sizeof(*c->fields));
		c->fields[c->n - 1] = tail;
	}
	return 0;
}

uint64_t vmt_columns_sources(const struct vmt_columns *c)
{
	return vmt_fields_sources(c->fields, c->n);
}

int vmt_columns_add_sort(struct vmt_columns *c, const struct vmt_sort *sort)
{
	size_t i;

	for (i = 0; i < sort->n; i++)
		if (add(c, sort->keys[i].field) < 0)
			return -ENOMEM;
	return 0;
}

int vmt_columns_add_filter(struct vmt_columns *c, const struct vmt_filter *filter)
{
	size_t i;

	for (i = 0; i < vmt_filter_fields(filter); i++)
		if (add(c, vmt_filter_field(filter, i)) < 0)
			return -ENOMEM;
	return 0;
}

void vmt_columns_want(const struct vmt_columns *c, struct vmt_want *w)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		vmt_want_field(w, c->fields[i]);
}

int vmt_sort_parse(struct vmt_sort *sort, const struct vmt_entity *entity, const char *spec,
		   struct vmt_err *err)
{
	struct vmt_bytes cur = vmt_bytes_of(spec), name;

	*sort = (struct vmt_sort){ 0 };
	while (take_name(&cur, &name)) {
		bool descending = name.len && name.ptr[0] == '-';
		const struct vmt_field *f;

		if (name.len && (name.ptr[0] == '-' || name.ptr[0] == '+')) {
			name.ptr++;
			name.len--;
		}
		f = vmt_field_find(entity, name);
		if (!f)
			return unknown(entity, name, err);
		if (sort->n == VMT_SORT_MAX)
			return vmt_err_set(err, -E2BIG, NULL, 0, "more than %d columns to sort by",
					   VMT_SORT_MAX);
		sort->keys[sort->n].field = f;
		sort->keys[sort->n].descending = descending;
		sort->n++;
	}
	return 0;
}

uint64_t vmt_sort_sources(const struct vmt_sort *sort)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < sort->n; i++)
		bits |= UINT64_C(1) << sort->keys[i].field->source;
	return bits;
}

void vmt_sort_want(const struct vmt_sort *sort, struct vmt_want *w)
{
	size_t i;

	for (i = 0; i < sort->n; i++)
		vmt_want_field(w, sort->keys[i].field);
}

static int compare(const struct vmt_sort *sort, const void *a, const void *b)
{
	size_t i;

	for (i = 0; i < sort->n; i++) {
		int c = vmt_field_compare(sort->keys[i].field, a, b, sort->keys[i].descending);

		if (c)
			return c;
	}
	return 0;
}

/* Merge sort, because qsort is not stable where it finds no memory. In place where there is none
 * for the second array: insertion then. */
static void merge(const void **rows, const void **tmp, size_t n, const struct vmt_sort *sort)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	merge(rows, tmp, half, sort);
	merge(rows + half, tmp, n - half, sort);
	memcpy(tmp, rows, n * sizeof(*rows));
	while (i < half && j < n)
		rows[k++] = compare(sort, tmp[j], tmp[i]) < 0 ? tmp[j++] : tmp[i++];
	while (i < half)
		rows[k++] = tmp[i++];
	while (j < n)
		rows[k++] = tmp[j++];
}

void vmt_rows_sort(const void **rows, size_t n, const struct vmt_sort *sort)
{
	const void **tmp;
	size_t i, j;

	if (n < 2 || sort->n == 0)
		return;
	tmp = reallocarray(NULL, n, sizeof(*tmp));
	if (tmp) {
		merge(rows, tmp, n, sort);
		free(tmp);
		return;
	}
	for (i = 1; i < n; i++) {
		const void *row = rows[i];

		for (j = i; j > 0 && compare(sort, row, rows[j - 1]) < 0; j--)
			rows[j] = rows[j - 1];
		rows[j] = row;
	}
}
