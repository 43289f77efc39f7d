/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/field.h"

/*
 * struct vmt_map, one of the rows of model/rows.h. A mapping has more than half a kilobyte of
 * fields, of which most runs fill a third: what maps and pagemap say stands first, on three lines
 * of the cache, whatever the order of the fields in map.def is. A FIRST_member that is two
 * arguments makes a member one of these.
 */
#define FIRST_pid	      ~, 1
#define FIRST_start	      ~, 1
#define FIRST_end	      ~, 1
#define FIRST_perms	      ~, 1
#define FIRST_offset_bytes    ~, 1
#define FIRST_device	      ~, 1
#define FIRST_inode	      ~, 1
#define FIRST_kind	      ~, 1
#define FIRST_size_bytes      ~, 1
#define FIRST_path	      ~, 1
#define FIRST_path_ambiguous  ~, 1
#define FIRST_rss_bytes	      ~, 1
#define FIRST_anonymous_bytes ~, 1
#define FIRST_file_bytes      ~, 1
#define FIRST_swap_bytes      ~, 1
#define FIRST_present_pages   ~, 1
#define FIRST_swapped_pages   ~, 1
#define FIRST_file_pages      ~, 1

#define SECOND(a, b, ...) b
#define IS_FIRST(...)	  SECOND(__VA_ARGS__, 0, ~)
#define CHOOSE(a, b)	  CHOOSE_(a, b)
#define CHOOSE_(a, b)	  a##b
#define F(member, type, unit, kind, source, group, title, flags, help)                             \
	FK(#member, member, type, unit, kind, source, group, title, flags, help)
#define FK(key, member, type, unit, kind, source, group, title, flags, help)                       \
	CHOOSE(KEEP_, IS_FIRST(FIRST_##member))(VMT_CTYPE_##type member;)

struct vmt_map {
	struct vmt_row row;
#define KEEP_1(x) x
#define KEEP_0(x)
#include "model/map.def"
#undef KEEP_1
#undef KEEP_0
#define KEEP_1(x)
#define KEEP_0(x) x
#include "model/map.def"
};

#undef F
#undef FK
#undef KEEP_1
#undef KEEP_0
#undef CHOOSE_
#undef CHOOSE
#undef IS_FIRST
#undef SECOND
#undef FIRST_pid
#undef FIRST_start
#undef FIRST_end
#undef FIRST_perms
#undef FIRST_offset_bytes
#undef FIRST_device
#undef FIRST_inode
#undef FIRST_kind
#undef FIRST_size_bytes
#undef FIRST_path
#undef FIRST_path_ambiguous
#undef FIRST_rss_bytes
#undef FIRST_anonymous_bytes
#undef FIRST_file_bytes
#undef FIRST_swap_bytes
#undef FIRST_present_pages
#undef FIRST_swapped_pages
#undef FIRST_file_pages
