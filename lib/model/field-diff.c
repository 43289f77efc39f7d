/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_diff_map
#define FIELD_ENUM(m) VMT_FIELD_diff_##m
static const struct vmt_field diff_fields[] = {
#include "model/diff.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_diff_group
#define FIELD_ENUM(m) VMT_FIELD_diff_group_##m
static const struct vmt_field diff_group_fields[] = {
#include "model/diff-group.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_diff_sum
#define FIELD_ENUM(m) VMT_FIELD_diff_sum_##m
static const struct vmt_field diff_sum_fields[] = {
#include "model/diff-sum.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_diff_proc
#define FIELD_ENUM(m) VMT_FIELD_diff_proc_##m
static const struct vmt_field diff_proc_fields[] = {
#include "model/diff-proc.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_diff_part
#define FIELD_ENUM(m) VMT_FIELD_diff_part_##m
static const struct vmt_field diff_part_fields[] = {
#include "model/diff-part.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

#define FIELD_STRUCT  vmt_diff_document
#define FIELD_ENUM(m) VMT_FIELD_diff_document_##m
static const struct vmt_field diff_document_fields[] = {
#include "model/diff-document.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(diff, vmt_diff_map, "mappings", "a mapping in two documents", "-rss_delta_bytes,pid,start");
ENTITY(diff_group, vmt_diff_group, "groups", "mappings of one role or file in two documents",
       "-rss_delta_bytes,name");
ENTITY(diff_sum, vmt_diff_sum, "sums", "mappings with the same fate in two documents", NULL);
ENTITY(diff_proc, vmt_diff_proc, "processes", "a process in two documents", "-rss_delta_bytes,pid");
ENTITY(diff_part, vmt_diff_part, "machine", "a part of MemTotal in two documents", NULL);
ENTITY(diff_document, vmt_diff_document, "documents", "a document that was compared", NULL);
