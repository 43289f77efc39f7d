/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/field.h"
#include "model/filter.h"

/* Which fields of an entity are shown, in which order. */
struct vmt_columns {
	const struct vmt_field **fields; /* heap */
	size_t n;
	size_t cap;
};

void vmt_columns_done(struct vmt_columns *c);
/* The fields marked VMT_DEFAULT. 0 or -ENOMEM. */
int vmt_columns_default(struct vmt_columns *c, const struct vmt_entity *entity);
/* A list of its own, the same fields. to is empty before. 0 or -ENOMEM. */
int vmt_columns_copy(struct vmt_columns *to, const struct vmt_columns *from);
/* All fields. */
int vmt_columns_all(struct vmt_columns *c, const struct vmt_entity *entity);
/*
 * What -o says: names or titles with commas between; a leading + adds to what c holds, else they
 * replace it. -EINVAL with the unknown name in err.
 */
int vmt_columns_parse(struct vmt_columns *c, const struct vmt_entity *entity, const char *spec,
		      struct vmt_err *err);
/* The sources that the columns need, as VMT_SOURCE_BITs; see vmt_fields_sources(). */
uint64_t vmt_columns_sources(const struct vmt_columns *c);
void vmt_columns_want(const struct vmt_columns *c, struct vmt_want *w);

#define VMT_SORT_MAX 8

/* An order of rows: fields with commas between, "-" before a descending one. */
struct vmt_sort {
	struct {
		const struct vmt_field *field;
		bool descending;
	} keys[VMT_SORT_MAX];
	size_t n;
};

/* What -s says. -EINVAL with the unknown name in err, -E2BIG for more than VMT_SORT_MAX keys. */
int vmt_sort_parse(struct vmt_sort *sort, const struct vmt_entity *entity, const char *spec,
		   struct vmt_err *err);
/* Adds the fields that rows are sorted by. 0 or -ENOMEM. */
int vmt_columns_add_sort(struct vmt_columns *c, const struct vmt_sort *sort);
/* Adds the fields that a filter asks. 0 or -ENOMEM. */
int vmt_columns_add_filter(struct vmt_columns *c, const struct vmt_filter *filter);
/* The sources that the order needs, as VMT_SOURCE_BITs. */
uint64_t vmt_sort_sources(const struct vmt_sort *sort);
void vmt_sort_want(const struct vmt_sort *sort, struct vmt_want *w);
/* Stable. rows are pointers to rows of the entity that sort was parsed for. */
void vmt_rows_sort(const void **rows, size_t n, const struct vmt_sort *sort);
