/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/field.h"

/*
 * Expressions over the fields of a row, as in -F 'rss>100M && comm~^post':
 *
 *   expression  and { "||" and }
 *   and         not { "&&" not }
 *   not         "!" not | "(" expression ")" | test
 *   test        field [ operator value ]
 *   operator    = == != < <= > >= for numbers; = == != ~ =~ !~ for text (POSIX extended regex)
 *   value       up to a blank or one of ()&|, or in quotes
 *
 * The logic has three values: a test of an unknown field is neither true nor false, and a row is
 * taken only where the whole is true. A field alone is true where it is known and neither 0 nor
 * empty.
 */
struct vmt_filter;

enum vmt_truth {
	VMT_FALSE,
	VMT_UNKNOWN,
	VMT_TRUE,
};

/* Longest expression and deepest nesting. */
#define VMT_FILTER_MAX	 4096
#define VMT_FILTER_DEPTH 64

/*
 * Parses text for rows of entity; fields by name or title. -EINVAL with what is wrong and at which
 * character in err, -E2BIG past the limits, -ENOMEM. The caller frees *ret.
 */
int vmt_filter_parse(struct vmt_filter **ret, const struct vmt_entity *entity, const char *text,
		     struct vmt_err *err);
void vmt_filter_free(struct vmt_filter *f);

static inline void vmt_filter_freep(struct vmt_filter **f)
{
	vmt_filter_free(*f);
}
#define VMT_AUTO_FILTER VMT_CLEANUP(vmt_filter_freep) struct vmt_filter *

/*
 * A value as one stands in an expression, for a field with a whole number: 512M, 10ms, 1000. In the
 * field's unit; page_size in bytes is for values in pages. -EINVAL, -ERANGE.
 */
int vmt_field_value(const struct vmt_field *f, const char *text, uint64_t page_size, uint64_t *ret);

/* The fields that it asks, for the sources that have to be read; they may repeat. */
size_t vmt_filter_fields(const struct vmt_filter *f);
const struct vmt_field *vmt_filter_field(const struct vmt_filter *f, size_t i);

/* What it says of a row of its entity; page_size in bytes is that of the sample, for values given
 * in pages. */
enum vmt_truth vmt_filter_test(const struct vmt_filter *f, const void *row, uint64_t page_size);
