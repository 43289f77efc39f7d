/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/* For field.c and its like: the tables that the .def files make; each is included once with what
 * its struct and its enum are called. */
#define F(member, type, unit, kind, source, group, title, flags, help)                             \
	FK(#member, member, type, unit, kind, source, group, title, flags, help)
#define FK(key, m, t, u, k, s, g, ttl, fl, h)                                                      \
	{ .name = key,                                                                             \
	  .title = ttl,                                                                            \
	  .help = h,                                                                               \
	  .group = g,                                                                              \
	  .type = VMT_TYPE_##t,                                                                    \
	  .unit = VMT_UNIT_##u,                                                                    \
	  .kind = VMT_KIND_##k,                                                                    \
	  .source = VMT_SOURCE_##s,                                                                \
	  .flags = fl,                                                                             \
	  .index = FIELD_ENUM(m),                                                                  \
	  .offset = offsetof(struct FIELD_STRUCT, m) },

/* An entity, of the table above it. */
#define ENTITY(e, st, pl, hlp, order)                                                              \
	_Static_assert(VMT_ARRAY_LEN(e##_fields) <= VMT_ROW_WORDS * 64,                            \
		       "a row has no bit left for its fields");                                    \
	_Static_assert(offsetof(struct st, row) == 0, "rows begin with their valid bits");         \
	const struct vmt_entity vmt_entity_##e = { .name = #e,                                     \
						   .plural = pl,                                   \
						   .help = hlp,                                    \
						   .fields = e##_fields,                           \
						   .n_fields = VMT_ARRAY_LEN(e##_fields),          \
						   .row_size = sizeof(struct st),                  \
						   .sort = order }
